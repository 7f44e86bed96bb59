// SPDX-License-Identifier: BSD-3-Clause
// pmds_image.c - the drivers of the image
#include "pmd/pmds.h"

const struct pmd *const pmd_list[] = {
	&virtio_pmd,
	&null_pmd,
	&loop_pmd,
	NULL,
};
