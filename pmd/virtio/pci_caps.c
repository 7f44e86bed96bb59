// SPDX-License-Identifier: BSD-3-Clause
// pci_caps.c - find the virtio structures in a PCI capability list that may lie
#include <errno.h>
#include <stdbool.h>

#include "pmd/virtio/pci.h"
#include "pmd/virtio/spec.h"

// PCI Local Bus 3.0, 6.2.3 and 6.7
#define PCI_STATUS	    0x06u
#define PCI_STATUS_CAP_LIST 0x10u
#define PCI_CAP_POINTER	    0x34u
#define PCI_CAP_VENDOR	    0x09u
#define PCI_CAP_MSIX	    0x11u
#define MSIX_BYTES	    12u
#define PCI_CAPS_FROM	    0x40u
#define PCI_CAPS_MAX	    ((256u - PCI_CAPS_FROM) / 4) // that fit without overlap: more is a loop

// struct virtio_pci_cap, 4.1.4, by doublewords: each read is a VM exit (100 us under nested KVM).
#define CAP_BAR	       4u // in the low byte
#define CAP_OFFSET     8u
#define CAP_LENGTH     12u
#define CAP_MULTIPLIER 16u // notification structure only
#define CAP_BYTES      16u

static struct virtio_pci_region *region_of(struct virtio_pci_caps *caps, uint8_t type)
{
	switch (type) {
	case VIRTIO_PCI_CAP_COMMON:
		return &caps->common;
	case VIRTIO_PCI_CAP_NOTIFY:
		return &caps->notify;
	case VIRTIO_PCI_CAP_DEVICE:
		return &caps->device;
	default:
		return NULL; // not needed, or reserved: 4.1.4.1 says to ignore it
	}
}

// Takes the capability at `at`, which begins with head, unless it cannot be meant (4.1.4.1: such
// are skipped).
static void take(const struct pci_dev *d, uint16_t at, uint32_t head, struct virtio_pci_caps *caps)
{
	uint8_t type = (uint8_t)(head >> 24), len = (uint8_t)(head >> 16);
	bool notify = type == VIRTIO_PCI_CAP_NOTIFY;
	uint32_t bytes = CAP_BYTES + (notify ? 4u : 0u);
	struct virtio_pci_region *r = region_of(caps, type);
	struct virtio_pci_region got;

	if (!r || r->len || len < bytes || at + bytes > 256u)
		return;
	got.bar = (uint8_t)pci_read32(d, at + CAP_BAR);
	got.offset = pci_read32(d, at + CAP_OFFSET);
	got.len = pci_read32(d, at + CAP_LENGTH);
	if (got.bar > 5 || !got.len)
		return;
	*r = got;
	if (notify)
		caps->notify_multiplier = pci_read32(d, at + CAP_MULTIPLIER);
}

static int broken(const struct pci_dev *d, struct err *err, const char *what)
{
	return err_set(err, -EPROTO,
		       "virtio-pci %02x:%02x.%u: %s: the device is broken, or not a modern virtio "
		       "device (QEMU: disable-modern=off)",
		       d->bus, d->dev, d->fn, what);
}

int virtio_pci_caps_read(const struct pci_dev *d, struct virtio_pci_caps *caps, struct err *err)
{
	uint16_t at;

	*caps = (struct virtio_pci_caps){0};
	if (!(pci_read16(d, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return broken(d, err, "no capability list");
	at = pci_read8(d, PCI_CAP_POINTER) & 0xfcu;
	for (unsigned n = 0; at; n++) {
		if (at < PCI_CAPS_FROM)
			return broken(d, err, "capability list leads into the header");
		if (n >= PCI_CAPS_MAX)
			return broken(d, err, "capability list has a loop");
		uint32_t head = pci_read32(d, at); // id, next, length, type

		if ((head & 0xff) == PCI_CAP_VENDOR)
			take(d, at, head, caps);
		else if ((head & 0xff) == PCI_CAP_MSIX && !caps->msix && at + MSIX_BYTES <= 256u)
			caps->msix = at;
		at = (head >> 8) & 0xfcu;
	}
	if (!caps->common.len)
		return broken(d, err, "no common configuration structure");
	if (!caps->notify.len)
		return broken(d, err, "no notification structure");
	return 0;
}
