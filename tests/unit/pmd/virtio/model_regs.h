// SPDX-License-Identifier: BSD-3-Clause
// model_regs.h - between model.c and model_regs.c: the registers behind either transport
#ifndef WEIR_TESTS_VIRTIO_MODEL_REGS_H
#define WEIR_TESTS_VIRTIO_MODEL_REGS_H

#include "model_ring.h"

#define MODEL_DRIVER_OK	  4u
#define MODEL_FEATURES_OK 8u

// By their place in the common structure (virtio 1.2, 4.1.4.3).
uint64_t model_common_read(uint32_t off);
void model_common_write(uint32_t off, uint32_t v);
// Of struct virtio_net_config (5.1.4).
uint64_t model_device_read(uint32_t off, size_t len);
// The queue that the driver has selected; NULL when there is none.
struct model_queue *model_selected(void);

#endif
