// SPDX-License-Identifier: BSD-3-Clause
// device.h - the image's virtio devices by name, whatever they hang on
#ifndef WEIR_PMD_VIRTIO_DEVICE_H
#define WEIR_PMD_VIRTIO_DEVICE_H

#include "pmd/virtio/transport.h"

// args: "N" counts the virtio-net devices on PCI, then those on MMIO; "BB:DD.F" is one on PCI, "mmioN" the
// Nth on MMIO. *t is the caller's, who closes it. 0, -EINVAL (args), -ENODEV (none such) or -EPROTO (a device
// that lies), and err.
int virtio_device_open(const char *args, struct virtio_transport **t, struct err *err);

// The first virtio console, on PCI, else on MMIO. As above.
int virtio_device_open_console(struct virtio_transport **t, struct err *err);

#endif
