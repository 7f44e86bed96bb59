// SPDX-License-Identifier: BSD-3-Clause
// live.h - the pcap port on a live interface
#ifndef WEIR_PMD_PCAP_LIVE_H
#define WEIR_PMD_PCAP_LIVE_H

#include "pmd/port.h"

#define LIVE_KEY "live=" // arguments that begin so are this driver's

extern const struct pmd pcap_live_pmd;

#endif
