// SPDX-License-Identifier: BSD-3-Clause
// mmio_device.c - the transport contract over the registers of a virtio-mmio device
//
// No interrupt: a device here has one line to an I/O APIC, and no message for each queue.
#include "pmd/virtio/mmio_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mmio_dev.h"
#include "pmd/virtio/mmio.h"
#include "pmd/virtio/spec.h"

#define LOOK_NS	   100000000ull // as over PCI: a register is a VM exit
#define RETRY_NS   1000000000ull
#define QUEUES_MAX 64u // queue indices this transport serves: below this

struct virtio_mmio {
	struct virtio_transport base;
	volatile uint8_t *reg;
	uint32_t config_len;
	uint16_t queues; // counted once; 0: not yet
};

static volatile uint8_t *reg(struct virtio_transport *t, uint32_t off)
{
	return ((struct virtio_mmio *)(void *)t)->reg + off;
}

static uint8_t mmio_status(struct virtio_transport *t)
{
	return (uint8_t)mmio_read32(reg(t, VIRTIO_MMIO_STATUS));
}

static void mmio_set_status(struct virtio_transport *t, uint8_t status)
{
	mmio_write32(reg(t, VIRTIO_MMIO_STATUS), status);
}

static uint64_t mmio_features(struct virtio_transport *t)
{
	uint32_t lo, hi;

	mmio_write32(reg(t, VIRTIO_MMIO_DEVICE_FEATURES_SEL), 0);
	lo = mmio_read32(reg(t, VIRTIO_MMIO_DEVICE_FEATURES));
	mmio_write32(reg(t, VIRTIO_MMIO_DEVICE_FEATURES_SEL), 1);
	hi = mmio_read32(reg(t, VIRTIO_MMIO_DEVICE_FEATURES));
	return (uint64_t)hi << 32 | lo;
}

static void mmio_set_features(struct virtio_transport *t, uint64_t features)
{
	mmio_write32(reg(t, VIRTIO_MMIO_DRIVER_FEATURES_SEL), 0);
	mmio_write32(reg(t, VIRTIO_MMIO_DRIVER_FEATURES), (uint32_t)features);
	mmio_write32(reg(t, VIRTIO_MMIO_DRIVER_FEATURES_SEL), 1);
	mmio_write32(reg(t, VIRTIO_MMIO_DRIVER_FEATURES), (uint32_t)(features >> 32));
}

// 4.2.2.2: fields of the device configuration are read by accesses of their own width.
static int mmio_config(struct virtio_transport *t, uint16_t off, void *dst, uint16_t len,
		       uint16_t width)
{
	struct virtio_mmio *m = (struct virtio_mmio *)(void *)t;
	uint8_t *out = dst;

	if (off > m->config_len || len > m->config_len - off)
		return -ERANGE;
	for (uint16_t i = 0; i < len; i = (uint16_t)(i + width)) {
		volatile uint8_t *field = reg(t, VIRTIO_MMIO_CONFIG + off + i);

		if (width == 2) {
			uint16_t v = mmio_read16(field);

			memcpy(out + i, &v, sizeof(v));
		} else {
			out[i] = mmio_read8(field);
		}
	}
	return 0;
}

static uint32_t mmio_generation(struct virtio_transport *t)
{
	return mmio_read32(reg(t, VIRTIO_MMIO_CONFIG_GENERATION));
}

static uint16_t mmio_queue_size(struct virtio_transport *t, uint16_t index)
{
	uint32_t most;

	mmio_write32(reg(t, VIRTIO_MMIO_QUEUE_SEL), index);
	most = mmio_read32(reg(t, VIRTIO_MMIO_QUEUE_NUM_MAX));
	return most > UINT16_MAX ? UINT16_MAX : (uint16_t)most; // the driver refuses that
}

// No register says it: the first queue that can have no descriptors is not there (4.2.2).
static uint16_t mmio_queues(struct virtio_transport *t)
{
	struct virtio_mmio *m = (struct virtio_mmio *)(void *)t;

	if (!m->queues)
		while (m->queues < QUEUES_MAX && mmio_queue_size(t, m->queues))
			m->queues++;
	return m->queues;
}

static void write_iova(struct virtio_transport *t, uint32_t off, uint64_t iova)
{
	mmio_write32(reg(t, off), (uint32_t)iova);
	mmio_write32(reg(t, off + 4), (uint32_t)(iova >> 32));
}

static int mmio_queue_setup(struct virtio_transport *t, uint16_t index,
			    const struct virtq_place *place, struct err *err)
{
	if (place->lcore != VIRTQ_NO_LCORE)
		return -ENOTSUP;
	mmio_write32(reg(t, VIRTIO_MMIO_QUEUE_SEL), index);
	if (mmio_read32(reg(t, VIRTIO_MMIO_QUEUE_READY))) // 4.2.3.2: after a reset none is
		return err_set(err, -EPROTO, "%s: queue %u is in use after a reset: the device is broken",
			       t->name, index);
	mmio_write32(reg(t, VIRTIO_MMIO_QUEUE_NUM), place->size);
	write_iova(t, VIRTIO_MMIO_QUEUE_DESC, place->desc);
	write_iova(t, VIRTIO_MMIO_QUEUE_DRIVER, place->avail);
	write_iova(t, VIRTIO_MMIO_QUEUE_DEVICE, place->used);
	mmio_write32(reg(t, VIRTIO_MMIO_QUEUE_READY), 1);
	return 0;
}

static void mmio_notify(struct virtio_transport *t, uint16_t index)
{
	mmio_write32(reg(t, VIRTIO_MMIO_QUEUE_NOTIFY), index);
}

static void mmio_close(struct virtio_transport *t)
{
	free(t);
}

static const struct virtio_transport_ops mmio_ops = {
	.status = mmio_status,
	.set_status = mmio_set_status,
	.features = mmio_features,
	.set_features = mmio_set_features,
	.config = mmio_config,
	.generation = mmio_generation,
	.queues = mmio_queues,
	.queue_size = mmio_queue_size,
	.queue_setup = mmio_queue_setup,
	.notify = mmio_notify,
	.close = mmio_close,
};

// The nth window with a device of this kind behind it; -1 when there are fewer, *seen says how many.
static int find(uint32_t id, unsigned n, unsigned *seen)
{
	*seen = 0;
	for (unsigned i = 0; i < mmio_dev_count(); i++) {
		size_t len = 0;
		volatile uint8_t *r = mmio_dev_map(i, &len);

		if (!r || len < VIRTIO_MMIO_CONFIG ||
		    mmio_read32(r + VIRTIO_MMIO_MAGIC) != VIRTIO_MMIO_MAGIC_VALUE ||
		    mmio_read32(r + VIRTIO_MMIO_DEVICE_ID) != id)
			continue;
		if ((*seen)++ == n)
			return (int)i;
	}
	return -1;
}

static int open_window(unsigned i, const char *what, unsigned n, struct virtio_transport **t, struct err *err)
{
	size_t len = 0;
	volatile uint8_t *r = mmio_dev_map(i, &len);
	uint32_t version = mmio_read32(r + VIRTIO_MMIO_VERSION);
	struct virtio_mmio *m;

	if (version != 2)
		return err_set(err, -EPROTO,
			       "%s:mmio%u: has registers of version %u: modern devices only (QEMU: "
			       "-global virtio-mmio.force-legacy=false)",
			       what, n, version);
	m = calloc(1, sizeof(*m));
	if (!m)
		return err_set(err, -ENOMEM, "%s:mmio%u: out of memory", what, n);
	m->base.ops = &mmio_ops;
	m->base.look_ns = LOOK_NS;
	m->base.retry_ns = RETRY_NS;
	snprintf(m->base.name, sizeof(m->base.name), "%s-mmio %u", what, n);
	m->reg = r;
	m->config_len = (uint32_t)len - VIRTIO_MMIO_CONFIG;
	*t = &m->base;
	return 0;
}

int virtio_mmio_open(unsigned n, struct virtio_transport **t, struct err *err)
{
	unsigned seen;
	int i = find(VIRTIO_ID_NET, n, &seen);

	if (i < 0)
		return err_set(err, -ENODEV,
			       "virtio:mmio%u: the command line names %u virtio-mmio network device(s): "
			       "add -device virtio-net-device",
			       n, seen);
	return open_window((unsigned)i, "virtio", n, t, err);
}

int virtio_mmio_open_console(struct virtio_transport **t, struct err *err)
{
	unsigned seen;
	int i = find(VIRTIO_ID_CONSOLE, 0, &seen);

	if (i < 0)
		return err_set(err, -ENODEV, "the command line names no virtio-mmio console");
	return open_window((unsigned)i, "virtio-console", 0, t, err);
}
