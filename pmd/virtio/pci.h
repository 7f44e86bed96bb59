// SPDX-License-Identifier: BSD-3-Clause
// pci.h - virtio over PCI (virtio 1.2 section 4.1), the modern interface
#ifndef WEIR_PMD_VIRTIO_PCI_H
#define WEIR_PMD_VIRTIO_PCI_H

#include "core/pci.h"
#include "pmd/virtio/transport.h"

#define VIRTIO_PCI_QUEUES_MAX 1024u // queue indices this transport serves: below this

struct virtio_pci_region { // what one vendor capability names; bounds not yet checked against the
			   // BAR
	uint8_t bar;
	uint32_t offset, len; // len 0: the device has no such capability
};

struct virtio_pci_caps {
	struct virtio_pci_region common, notify, device;
	uint32_t notify_multiplier;
	uint16_t msix; // where the MSI-X capability is; 0: there is none
};

// Walks the capability list of d. 0, or -EPROTO and err when the list is broken or has no usable
// common and notification structures (4.1.4: the first of a type that makes sense counts).
int virtio_pci_caps_read(const struct pci_dev *d, struct virtio_pci_caps *caps, struct err *err);

// How many virtio-net devices are on the bus.
unsigned virtio_pci_count(void);

// The device that args names: "N", the Nth virtio-net device in bus order, or "BB:DD.F". *t is the
// caller's, who closes it. 0, -EINVAL (args), -ENODEV (none such) or -EPROTO (a device that lies),
// and err.
int virtio_pci_open(const char *args, struct virtio_transport **t, struct err *err);

// The first virtio console on the bus, likewise.
int virtio_pci_open_console(struct virtio_transport **t, struct err *err);

#endif
