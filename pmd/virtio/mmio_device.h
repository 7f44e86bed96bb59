// SPDX-License-Identifier: BSD-3-Clause
// mmio_device.h - virtio over MMIO (virtio 1.2 section 4.2), version 2 registers
#ifndef WEIR_PMD_VIRTIO_MMIO_DEVICE_H
#define WEIR_PMD_VIRTIO_MMIO_DEVICE_H

#include "pmd/virtio/transport.h"

// The nth virtio-net device among the windows of core/mmio_dev.h. *t is the caller's, who closes it. 0,
// -ENODEV (none such) or -EPROTO (a device that lies, or a legacy one), and err.
int virtio_mmio_open(unsigned n, struct virtio_transport **t, struct err *err);

// The first virtio console among them, likewise.
int virtio_mmio_open_console(struct virtio_transport **t, struct err *err);

#endif
