// SPDX-License-Identifier: BSD-3-Clause
// pmds.h - the drivers there are; each home lists its own in pmds_<home>.c
#ifndef WEIR_PMD_PMDS_H
#define WEIR_PMD_PMDS_H

#include "pmd/port.h"

extern const struct pmd pcap_pmd; // hosted
extern const struct pmd dpdk_pmd; // hosted
extern const struct pmd tap_pmd; // hosted
extern const struct pmd virtio_user_pmd; // hosted
extern const struct pmd packet_pmd; // hosted
extern const struct pmd xdp_pmd; // hosted
extern const struct pmd virtio_pmd;
extern const struct pmd null_pmd;
extern const struct pmd loop_pmd;

#endif
