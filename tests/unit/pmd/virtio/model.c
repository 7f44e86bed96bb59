// SPDX-License-Identifier: BSD-3-Clause
// model.c - the device of model.h: configuration space, and its windows onto the registers
#include "model.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mmio_dev.h"
#include "core/pci.h"
#include "model_regs.h"
#include "pmd/virtio/mmio.h"

#define BAR_COMMON 0x0000u
#define BAR_ISR	   0x1000u
#define BAR_DEVICE 0x2000u
#define BAR_NOTIFY 0x3000u
#define BAR_LEN	   0x4000u
#define COMMON_LEN 0x38u
#define MULTIPLIER 4u
#define BAR_NUMBER 4u

struct model model;
static struct pci_dev pci_dev;
static uint8_t bar_memory[BAR_LEN]; // an address space: never read or written

void model_fatal(const char *what)
{
	if (model.lenient)
		return;
	fprintf(stderr, "model: the driver %s\n", what);
	abort();
}

static void put16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static void put_cap(uint8_t at, uint8_t next, uint8_t len, uint8_t type, uint32_t offset,
		    uint32_t length)
{
	uint8_t *c = model.pci + at;

	c[0] = 0x09;
	c[1] = next;
	c[2] = len;
	c[3] = type;
	c[4] = BAR_NUMBER;
	put32(c + 8, offset);
	put32(c + 12, length);
}

void model_init(void)
{
	memset(&model, 0, sizeof(model));
	put16(model.pci + 0x00, 0x1af4);
	put16(model.pci + 0x02, 0x1041);
	put16(model.pci + 0x06, 0x10); // capability list
	model.pci[0x34] = MODEL_CAP_COMMON;
	put_cap(MODEL_CAP_COMMON, MODEL_CAP_NOTIFY, 16, 1, BAR_COMMON, COMMON_LEN);
	put_cap(MODEL_CAP_NOTIFY, MODEL_CAP_ISR, 20, 2, BAR_NOTIFY, 0x1000);
	put32(model.pci + MODEL_CAP_NOTIFY + 16, MULTIPLIER);
	put_cap(MODEL_CAP_ISR, MODEL_CAP_DEVICE, 16, 3, BAR_ISR, 1);
	put_cap(MODEL_CAP_DEVICE, MODEL_CAP_MSIX, 16, 4, BAR_DEVICE, 12);
	model.pci[MODEL_CAP_MSIX] = 0x11;
	model.bar_len = BAR_LEN;
	model.mmio_magic = 0x74726976;
	model.mmio_version = 2;
	model.mmio_id = 1;
	model.features = MODEL_F_MTU | MODEL_F_MAC | MODEL_F_MRG_RXBUF | MODEL_F_STATUS |
			 MODEL_F_EVENT_IDX | MODEL_F_VERSION_1;
	memcpy(model.mac, (const uint8_t[]){0x52, 0x54, 0, 0x12, 0x34, 0x56}, 6);
	model.net_status = 1;
	model.pairs = 1;
	model.mtu = 1500;
	model.queues = 2;
	for (unsigned i = 0; i < 2; i++) {
		model.q[i].max = 256;
		model.q[i].notify_off = (uint16_t)i;
	}
}

void model_set_link(bool up)
{
	model.net_status = up;
	model.generation++;
}

// --- core/pci.h ---

unsigned pci_count(void)
{
	return model.absent || model.mmio ? 1 : 2;
}

struct pci_dev *pci_get(unsigned i)
{
	static struct pci_dev bridge = {.vendor = 0x8086, .device = 0x29c0};

	if (i == 0)
		return &bridge;
	memcpy(&pci_dev.vendor, model.pci, 2);
	memcpy(&pci_dev.device, model.pci + 2, 2);
	pci_dev.dev = 2;
	return &pci_dev;
}

static void config_read(uint16_t off, void *dst, size_t len)
{
	memset(dst, 0xff, len);
	if (off + len <= sizeof(model.pci))
		memcpy(dst, model.pci + off, len);
}

uint8_t pci_read8(const struct pci_dev *d, uint16_t off)
{
	uint8_t v;

	config_read(off, &v, sizeof(v));
	return v;
}

uint16_t pci_read16(const struct pci_dev *d, uint16_t off)
{
	uint16_t v;

	config_read(off, &v, sizeof(v));
	return v;
}

uint32_t pci_read32(const struct pci_dev *d, uint16_t off)
{
	uint32_t v;

	config_read(off, &v, sizeof(v));
	return v;
}

void pci_write16(const struct pci_dev *d, uint16_t off, uint16_t v)
{
	model_fatal("writes to configuration space");
}

void pci_write32(const struct pci_dev *d, uint16_t off, uint32_t v)
{
	model_fatal("writes to configuration space");
}

volatile void *pci_bar_map(struct pci_dev *d, unsigned bar, size_t *len)
{
	*len = model.bar_len;
	return bar == BAR_NUMBER && model.bar_len ? bar_memory : NULL;
}

int pci_msix_wake(struct pci_dev *d, uint16_t cap, unsigned entry, unsigned lcore)
{
	if (!model.lenient && cap != MODEL_CAP_MSIX)
		model_fatal("takes something else for the MSI-X capability");
	model.msix_calls++;
	model.msix_entry = entry;
	model.msix_lcore = lcore;
	return model.msix_fails;
}

void pci_enable(struct pci_dev *d, int on)
{
	model.bus_master = on;
}

// --- windows ---

static uint32_t bar_offset(const volatile void *p, size_t len)
{
	size_t off = (size_t)((const volatile uint8_t *)p - bar_memory);

	if (off + len > model.bar_len) { // never lenient: it is a wild access
		fprintf(stderr, "model: the driver goes beyond the BAR, to %#zx\n", off);
		abort();
	}
	return (uint32_t)off;
}

// 4.2.2, by the registers of the common structure that say the same.
static uint64_t window_read(uint32_t off, size_t len)
{
	struct model_queue *q = model_selected();

	if (off >= 0x100)
		return model_device_read(off - 0x100, len);
	if (len != 4 || off % 4) // 4.2.2.2
		model_fatal("reads a register by an access of the wrong width");
	switch (off) {
	case 0x000:
		return model.mmio_magic;
	case 0x004:
		return model.mmio_version;
	case 0x008:
		return model.mmio_id;
	case 0x010:
		return model_common_read(0x04);
	case 0x034:
		return model_common_read(0x18);
	case 0x044:
		return q ? q->enable : 0;
	case 0x070:
		return model_common_read(0x14);
	case 0x0fc:
		return model_common_read(0x15);
	default:
		model_fatal("reads a register that it has no use for");
		return 0;
	}
}

static void doorbell(uint32_t off, uint32_t v);

static void window_write(uint32_t off, size_t len, uint32_t v)
{
	if (len != 4 || off % 4)
		model_fatal("writes a register by an access of the wrong width");
	switch (off) {
	case 0x014:
		return model_common_write(0x00, v);
	case 0x020:
		return model_common_write(0x0c, v);
	case 0x024:
		return model_common_write(0x08, v);
	case 0x030:
		return model_common_write(0x16, v);
	case 0x038:
		return model_common_write(0x18, v);
	case 0x044:
		return model_common_write(0x1c, v);
	case 0x050:
		return doorbell(v < 2 ? model.q[v].notify_off * MULTIPLIER : 0, v);
	case 0x070:
		return model_common_write(0x14, v);
	case 0x080:
	case 0x084:
		return model_common_write(0x20 + (off & 4), v);
	case 0x090:
	case 0x094:
		return model_common_write(0x28 + (off & 4), v);
	case 0x0a0:
	case 0x0a4:
		return model_common_write(0x30 + (off & 4), v);
	default:
		model_fatal("writes a register that it has no use for");
	}
}

unsigned mmio_dev_count(void)
{
	return model.mmio;
}

volatile void *mmio_dev_map(unsigned i, size_t *len)
{
	*len = model.bar_len;
	return i < mmio_dev_count() && model.bar_len ? bar_memory : NULL;
}

static uint64_t bar_read(const volatile void *p, size_t len)
{
	uint32_t off = bar_offset(p, len);

	if (model.mmio)
		return window_read(off, len);
	if (off < BAR_ISR)
		return model_common_read(off);
	if (off >= BAR_DEVICE && off < BAR_NOTIFY)
		return model_device_read(off - BAR_DEVICE, len);
	model_fatal("reads where there is nothing to read");
	return 0;
}

static void doorbell(uint32_t off, uint32_t v)
{
	if (v >= 2 || off != model.q[v].notify_off * MULTIPLIER) {
		model_fatal("rings the wrong doorbell");
		return;
	}
	if (!(model.status & MODEL_DRIVER_OK))
		model_fatal("rings before it is ready");
	model.q[v].doorbells++;
	if (model.bell)
		model.bell(v);
}

static void bar_write(volatile void *p, size_t len, uint32_t v)
{
	uint32_t off = bar_offset(p, len);

	if (model.mmio)
		window_write(off, len, v);
	else if (off < BAR_ISR)
		model_common_write(off, v);
	else if (off >= BAR_NOTIFY)
		doorbell(off - BAR_NOTIFY, v);
	else
		model_fatal("writes where there is nothing to write");
}

uint8_t mmio_read8(const volatile void *p)
{
	return (uint8_t)bar_read(p, 1);
}

uint16_t mmio_read16(const volatile void *p)
{
	return (uint16_t)bar_read(p, 2);
}

uint32_t mmio_read32(const volatile void *p)
{
	return (uint32_t)bar_read(p, 4);
}

void mmio_write8(volatile void *p, uint8_t v)
{
	bar_write(p, 1, v);
}

void mmio_write16(volatile void *p, uint16_t v)
{
	bar_write(p, 2, v);
}

void mmio_write32(volatile void *p, uint32_t v)
{
	bar_write(p, 4, v);
}
