// SPDX-License-Identifier: BSD-3-Clause
// pci.c - list the devices; on each modern virtio one, talk to its common configuration (virtio
// 1.2, 4.1.4)
#include <stdio.h>

#include "core/pci.h"
#include "core/plat.h"

#define CAP_VENDOR    9
#define CFG_COMMON    1
#define DEVICE_STATUS 20
#define NUM_QUEUES    18

static uint8_t get8(volatile const char *p)
{
	uint8_t v;

	__asm__ volatile("movb (%1), %0" : "=q"(v) : "r"(p) : "memory");
	return v;
}

static uint16_t get16(volatile const char *p)
{
	uint16_t v;

	__asm__ volatile("movw (%1), %0" : "=r"(v) : "r"(p) : "memory");
	return v;
}

static void put8(volatile char *p, uint8_t v)
{
	__asm__ volatile("movb %0, (%1)" : : "q"(v), "r"(p) : "memory");
}

// ACKNOWLEDGE sticks, a reset clears it: the BAR is the device's.
static void common_config(struct pci_dev *d, uint8_t cap)
{
	uint32_t off = pci_read32(d, cap + 8);
	size_t len;
	volatile char *bar = pci_bar_map(d, pci_read8(d, cap + 4), &len);
	uint8_t set;

	if (!bar) {
		printf("  virtio: no BAR\n");
		return;
	}
	pci_enable(d, 1);
	put8(bar + off + DEVICE_STATUS, 1);
	set = get8(bar + off + DEVICE_STATUS);
	put8(bar + off + DEVICE_STATUS, 0);
	printf("  virtio: bar %zu bytes, queues %u, status %u then %u\n", len,
	       get16(bar + off + NUM_QUEUES), set, get8(bar + off + DEVICE_STATUS));
}

int main(void)
{
	for (unsigned i = 0; i < pci_count(); i++) {
		struct pci_dev *d = pci_get(i);

		printf("%02x:%02x.%x %04x:%04x\n", d->bus, d->dev, d->fn, d->vendor, d->device);
		if (d->vendor != 0x1af4)
			continue;
		for (uint8_t cap = pci_read8(d, 0x34); cap >= 0x40; cap = pci_read8(d, cap + 1))
			if (pci_read8(d, cap) == CAP_VENDOR && pci_read8(d, cap + 3) == CFG_COMMON)
				common_config(d, cap);
	}
	printf("devices %u\n", pci_count());
	return 0;
}
