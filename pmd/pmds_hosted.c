// SPDX-License-Identifier: BSD-3-Clause
// pmds_hosted.c - the drivers of the hosted executable
#include "pmd/pmds.h"

const struct pmd *const pmd_list[] = {
	&pcap_pmd,
	&dpdk_pmd,
	&tap_pmd,
	&virtio_user_pmd,
	&packet_pmd,
	&xdp_pmd,
	&null_pmd,
	&loop_pmd,
	NULL,
};
