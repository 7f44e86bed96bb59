// SPDX-License-Identifier: BSD-3-Clause
// pci.c - the transport contract over PCI registers
#include "pmd/virtio/pci.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pmd/virtio/mmio.h"
#include "pmd/virtio/spec.h"

#define LOOK_NS	 100000000ull  // ten times a second: a register is a VM exit
#define RETRY_NS 1000000000ull

struct virtio_pci {
	struct virtio_transport base;
	struct pci_dev *dev;
	volatile uint8_t *common;
	volatile uint8_t *notify;
	uint32_t notify_len, notify_multiplier;
	volatile uint8_t *device; // NULL: the device has no configuration of its own
	uint32_t device_len;
	uint16_t msix; // capability; 0: none
	// What need not be written or read again, since each access is a VM exit.
	uint32_t selected; // queue; UINT32_MAX: unknown
	uint16_t offered;  // its size as the device has it
	uint16_t queues;   // 0: not yet read
	volatile uint8_t *doorbell[VIRTIO_PCI_QUEUES_MAX];
};

static struct virtio_pci *self(struct virtio_transport *t)
{
	return (struct virtio_pci *)(void *)t;
}

static uint8_t pci_status(struct virtio_transport *t)
{
	return mmio_read8(self(t)->common + VIRTIO_COMMON_DEVICE_STATUS);
}

static void pci_set_status(struct virtio_transport *t, uint8_t status)
{
	mmio_write8(self(t)->common + VIRTIO_COMMON_DEVICE_STATUS, status);
	if (!status)
		self(t)->selected = UINT32_MAX; // a reset may change it
}

static uint64_t pci_features(struct virtio_transport *t)
{
	volatile uint8_t *c = self(t)->common;
	uint32_t lo, hi;

	mmio_write32(c + VIRTIO_COMMON_DEVICE_FEATURE_SELECT, 0);
	lo = mmio_read32(c + VIRTIO_COMMON_DEVICE_FEATURE);
	mmio_write32(c + VIRTIO_COMMON_DEVICE_FEATURE_SELECT, 1);
	hi = mmio_read32(c + VIRTIO_COMMON_DEVICE_FEATURE);
	return (uint64_t)hi << 32 | lo;
}

static void pci_set_features(struct virtio_transport *t, uint64_t features)
{
	volatile uint8_t *c = self(t)->common;

	mmio_write32(c + VIRTIO_COMMON_DRIVER_FEATURE_SELECT, 0);
	mmio_write32(c + VIRTIO_COMMON_DRIVER_FEATURE, (uint32_t)features);
	mmio_write32(c + VIRTIO_COMMON_DRIVER_FEATURE_SELECT, 1);
	mmio_write32(c + VIRTIO_COMMON_DRIVER_FEATURE, (uint32_t)(features >> 32));
}

// 4.1.3.1: fields of the device configuration are read by accesses of their own width.
static int pci_config(struct virtio_transport *t, uint16_t off, void *dst, uint16_t len,
		      uint16_t width)
{
	struct virtio_pci *p = self(t);
	uint8_t *out = dst;

	if (!p->device || off > p->device_len || len > p->device_len - off)
		return -ERANGE;
	for (uint16_t i = 0; i < len; i += width) {
		if (width == 2) {
			uint16_t v = mmio_read16(p->device + off + i);

			memcpy(out + i, &v, sizeof(v));
		} else {
			out[i] = mmio_read8(p->device + off + i);
		}
	}
	return 0;
}

static uint32_t pci_generation(struct virtio_transport *t)
{
	return mmio_read8(self(t)->common + VIRTIO_COMMON_CONFIG_GENERATION);
}

static uint16_t pci_queues(struct virtio_transport *t)
{
	struct virtio_pci *p = self(t);

	if (!p->queues)
		p->queues = mmio_read16(p->common + VIRTIO_COMMON_NUM_QUEUES);
	return p->queues;
}

static void select_queue(struct virtio_pci *p, uint16_t index)
{
	if (p->selected == index)
		return;
	mmio_write16(p->common + VIRTIO_COMMON_QUEUE_SELECT, index);
	p->selected = index;
	p->offered = 0; // not yet read
}

static uint16_t pci_queue_size(struct virtio_transport *t, uint16_t index)
{
	struct virtio_pci *p = self(t);

	select_queue(p, index);
	p->offered = mmio_read16(p->common + VIRTIO_COMMON_QUEUE_SIZE);
	return p->offered;
}

static void write_iova(volatile uint8_t *field, uint64_t iova)
{
	mmio_write32(field, (uint32_t)iova);
	mmio_write32(field + 4, (uint32_t)(iova >> 32));
}

static int find_doorbell(struct virtio_pci *p, uint16_t index, struct err *err)
{
	uint16_t off = mmio_read16(p->common + VIRTIO_COMMON_QUEUE_NOTIFY_OFF);
	uint64_t at = (uint64_t)off * p->notify_multiplier; // 4.1.4.4

	if (at + 2 > p->notify_len || at % 2)
		return err_set(
			err, -EPROTO,
			"%s: queue %u: doorbell at offset %u x %u of a notification structure "
			"of %u bytes: the device is broken",
			p->base.name, index, off, p->notify_multiplier, p->notify_len);
	p->doorbell[index] = p->notify + at;
	return 0;
}

// 4.1.5.1.2: entry q of the table is queue pair q's, and wakes its lcore. A device that has no entry to spare
// reads back NO_VECTOR.
static int wake_by(struct virtio_pci *p, uint16_t index, uint16_t lcore, struct err *err)
{
	volatile uint8_t *vector = p->common + VIRTIO_COMMON_QUEUE_MSIX_VECTOR;
	uint16_t entry = index / 2;

	if (p->msix && !pci_msix_wake(p->dev, p->msix, entry, lcore)) {
		mmio_write16(vector, entry);
		if (mmio_read16(vector) == entry)
			return 0;
	}
	return err_set(err, -ENOTSUP, "%s: queue %u has no interrupt (QEMU: vectors=)", p->base.name,
		       index);
}

static int pci_queue_setup(struct virtio_transport *t, uint16_t index,
			   const struct virtq_place *place, struct err *err)
{
	struct virtio_pci *p = self(t);
	volatile uint8_t *c = p->common;
	int r;

	if (index >= VIRTIO_PCI_QUEUES_MAX)
		return err_set(err, -EINVAL, "%s: queue %u: at most %u are supported", t->name,
			       index, VIRTIO_PCI_QUEUES_MAX);
	select_queue(p, index);
	// A reset has left the other queues without an MSI-X vector (4.1.4.3.1), and INTx is off: no
	// interrupts.
	if (place->lcore != VIRTQ_NO_LCORE) {
		r = wake_by(p, index, place->lcore, err);
		if (r)
			return r;
	}
	r = find_doorbell(p, index, err);
	if (r)
		return r;
	if (place->size != p->offered)
		mmio_write16(c + VIRTIO_COMMON_QUEUE_SIZE, place->size);
	p->offered = place->size;
	write_iova(c + VIRTIO_COMMON_QUEUE_DESC, place->desc);
	write_iova(c + VIRTIO_COMMON_QUEUE_DRIVER, place->avail);
	write_iova(c + VIRTIO_COMMON_QUEUE_DEVICE, place->used);
	mmio_write16(c + VIRTIO_COMMON_QUEUE_ENABLE, 1);
	return 0;
}

static void pci_notify(struct virtio_transport *t, uint16_t index)
{
	mmio_write16(self(t)->doorbell[index], index);
}

static void pci_close(struct virtio_transport *t)
{
	struct virtio_pci *p = self(t);

	pci_enable(p->dev, 0);
	free(p);
}

static const struct virtio_transport_ops pci_ops = {
	.status = pci_status,
	.set_status = pci_set_status,
	.features = pci_features,
	.set_features = pci_set_features,
	.config = pci_config,
	.generation = pci_generation,
	.queues = pci_queues,
	.queue_size = pci_queue_size,
	.queue_setup = pci_queue_setup,
	.notify = pci_notify,
	.close = pci_close,
};

// Maps what a capability names, having checked that it lies inside its BAR.
static int map_region(struct virtio_pci *p, const struct virtio_pci_region *r, const char *what,
		      uint32_t least, volatile uint8_t **at, struct err *err)
{
	size_t bar_len = 0;
	volatile uint8_t *bar = pci_bar_map(p->dev, r->bar, &bar_len);

	if (!bar)
		return err_set(err, -EPROTO, "%s: %s structure in BAR %u, which cannot be mapped",
			       p->base.name, what, r->bar);
	if (r->offset > bar_len || r->len > bar_len - r->offset || r->len < least || r->offset % 4)
		return err_set(
			err, -EPROTO,
			"%s: %s structure of %u bytes at offset %u of BAR %u, which has %zu: "
			"the device is broken",
			p->base.name, what, r->len, r->offset, r->bar, bar_len);
	*at = bar + r->offset;
	return 0;
}

static int map_all(struct virtio_pci *p, struct err *err)
{
	struct virtio_pci_caps caps;
	int r = virtio_pci_caps_read(p->dev, &caps, err);

	if (r)
		return r;
	r = map_region(p, &caps.common, "common", VIRTIO_COMMON_LEN, &p->common, err);
	if (r)
		return r;
	r = map_region(p, &caps.notify, "notification", 2, &p->notify, err);
	if (r)
		return r;
	p->notify_len = caps.notify.len;
	p->notify_multiplier = caps.notify_multiplier;
	p->msix = caps.msix;
	if (!caps.device.len)
		return 0;
	p->device_len = caps.device.len;
	return map_region(p, &caps.device, "device configuration", 1, &p->device, err);
}

static bool is_virtio_console(const struct pci_dev *d)
{
	return d->vendor == VIRTIO_PCI_VENDOR &&
	       (d->device == VIRTIO_PCI_CONSOLE || d->device == VIRTIO_PCI_CONSOLE_TRANSITIONAL);
}

static bool is_virtio_net(const struct pci_dev *d)
{
	return d->vendor == VIRTIO_PCI_VENDOR &&
	       (d->device == VIRTIO_PCI_NET || d->device == VIRTIO_PCI_NET_TRANSITIONAL);
}

static struct pci_dev *find_nth(unsigned n, unsigned *seen)
{
	*seen = 0;
	for (unsigned i = 0; i < pci_count(); i++) {
		struct pci_dev *d = pci_get(i);

		if (is_virtio_net(d) && (*seen)++ == n)
			return d;
	}
	return NULL;
}

static struct pci_dev *find_at(unsigned bus, unsigned dev, unsigned fn)
{
	for (unsigned i = 0; i < pci_count(); i++) {
		struct pci_dev *d = pci_get(i);

		if (d->bus == bus && d->dev == dev && d->fn == fn)
			return is_virtio_net(d) ? d : NULL;
	}
	return NULL;
}

unsigned virtio_pci_count(void)
{
	unsigned seen;

	find_nth(UINT_MAX, &seen);
	return seen;
}

// "BB:DD.F", hexadecimal.
static bool parse_address(const char *args, unsigned long at[3])
{
	const char *separator = ":.";
	char *end;

	for (unsigned i = 0; i < 3; i++) {
		at[i] = strtoul(args, &end, 16);
		if (end == args || *end != separator[i]) // separator[2] is the end of both
			return false;
		args = end + 1;
	}
	return at[0] < 256 && at[1] < 32 && at[2] < 8;
}

static int find(const char *args, struct pci_dev **d, struct err *err)
{
	unsigned long n, at[3];
	unsigned seen;
	char *end;

	if (parse_address(args, at)) {
		*d = find_at((unsigned)at[0], (unsigned)at[1], (unsigned)at[2]);
		if (*d)
			return 0;
		return err_set(err, -ENODEV, "virtio:%s: no virtio-net device there", args);
	}
	n = strtoul(args, &end, 10);
	if (end == args || *end || n > 255)
		return err_set(
			err, -EINVAL,
			"virtio:%s: expected a number (0 is the first virtio-net device) or a "
			"PCI address like 00:02.0",
			args);
	*d = find_nth((unsigned)n, &seen);
	if (*d)
		return 0;
	return err_set(err, -ENODEV,
		       "virtio:%s: the machine has %u virtio-net device(s): add -device "
		       "virtio-net-pci",
		       args, seen);
}

static int open_device(struct pci_dev *d, struct virtio_transport **t, struct err *err)
{
	struct virtio_pci *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return err_set(err, -ENOMEM, "virtio-pci %02x:%02x.%u: out of memory", d->bus, d->dev, d->fn);
	p->base.ops = &pci_ops;
	p->selected = UINT32_MAX;
	p->base.look_ns = LOOK_NS;
	p->base.retry_ns = RETRY_NS;
	p->dev = d;
	snprintf(p->base.name, sizeof(p->base.name), "virtio-pci %02x:%02x.%u", d->bus, d->dev,
		 d->fn);
	pci_enable(d, 1);
	r = map_all(p, err);
	if (r) {
		pci_close(&p->base);
		return r;
	}
	*t = &p->base;
	return 0;
}

int virtio_pci_open(const char *args, struct virtio_transport **t, struct err *err)
{
	struct pci_dev *d;
	int r = find(args, &d, err);

	return r ? r : open_device(d, t, err);
}

int virtio_pci_open_console(struct virtio_transport **t, struct err *err)
{
	for (unsigned i = 0; i < pci_count(); i++)
		if (is_virtio_console(pci_get(i)))
			return open_device(pci_get(i), t, err);
	return err_set(err, -ENODEV, "the machine has no virtio console on PCI");
}
