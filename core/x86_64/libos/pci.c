// SPDX-License-Identifier: BSD-3-Clause
// pci.c - configuration space by ECAM or by ports 0xcf8 and 0xcfc, and the devices' BARs
//
// Source: PCI Local Bus 3.0, 3.2.2.3.2 (configuration mechanism 1) and 6.2; PCI Express Base 3.0,
// 7.2.2.
#include "core/x86_64/libos/pci.h"

#define CFG_ADDR     0xcf8
#define CFG_DATA     0xcfc
#define CFG_LEN_ECAM 4096
#define CFG_LEN_PORT 256

#define COMMAND      0x04
#define COMMAND_MEM  0x0002
#define COMMAND_MAST 0x0004
#define COMMAND_INTX 0x0400 // set: disabled

struct pci_node pci_nodes[PCI_DEVICES_MAX];
unsigned pci_nodes_count;
static uint64_t ecam_bias = BOOT_WINDOW;

static uint64_t ecam_address(const struct pci_dev *d, uint16_t off)
{
	const struct ecam *e = &acpi_info.ecam;

	if (!e->base || d->bus < e->bus_first || d->bus > e->bus_last)
		return 0;
	return ecam_bias + e->base +
	       ((uint64_t)d->bus << 20 | (uint64_t)d->dev << 15 | (uint64_t)d->fn << 12 | off);
}

static void port_select(const struct pci_dev *d, uint16_t off)
{
	outl(CFG_ADDR, 0x80000000u | (uint32_t)d->bus << 16 | (uint32_t)d->dev << 11 |
	                       (uint32_t)d->fn << 8 | (off & 0xfc));
}

static int out_of_range(const struct pci_dev *d, uint16_t off, unsigned size)
{
	return off & (size - 1) || off >= (ecam_address(d, 0) ? CFG_LEN_ECAM : CFG_LEN_PORT);
}

// All ones where there is nothing. A plain mov of the register's own width: wider or vector accesses
// to device memory are not portable.
static uint32_t config_read(const struct pci_dev *d, uint16_t off, unsigned size)
{
	uint64_t a = ecam_address(d, off);
	uint32_t v;

	if (out_of_range(d, off, size))
		return UINT32_MAX;
	if (!a) {
		port_select(d, off);
		return inl(CFG_DATA) >> (8 * (off & 3));
	}
	if (size == 1)
		__asm__ volatile("movzbl (%1), %0" : "=r"(v) : "r"(a) : "memory");
	else if (size == 2)
		__asm__ volatile("movzwl (%1), %0" : "=r"(v) : "r"(a) : "memory");
	else
		__asm__ volatile("movl (%1), %0" : "=r"(v) : "r"(a) : "memory");
	return v;
}

uint8_t pci_read8(const struct pci_dev *d, uint16_t off)
{
	return (uint8_t)config_read(d, off, sizeof(uint8_t));
}

uint16_t pci_read16(const struct pci_dev *d, uint16_t off)
{
	return (uint16_t)config_read(d, off, sizeof(uint16_t));
}

uint32_t pci_read32(const struct pci_dev *d, uint16_t off)
{
	return config_read(d, off, sizeof(uint32_t));
}

void pci_write16(const struct pci_dev *d, uint16_t off, uint16_t v)
{
	uint64_t a = ecam_address(d, off);

	if (out_of_range(d, off, 2))
		return;
	if (!a) {
		port_select(d, off);
		__asm__ volatile("outw %0, %1" : : "a"(v), "d"((uint16_t)(CFG_DATA + (off & 2))));
		return;
	}
	__asm__ volatile("movw %0, (%1)" : : "r"(v), "r"(a) : "memory");
}

void pci_write32(const struct pci_dev *d, uint16_t off, uint32_t v)
{
	uint64_t a = ecam_address(d, off);

	if (out_of_range(d, off, 4))
		return;
	if (!a) {
		port_select(d, off);
		outl(CFG_DATA, v);
		return;
	}
	__asm__ volatile("movl %0, (%1)" : : "r"(v), "r"(a) : "memory");
}

unsigned pci_count(void)
{
	return pci_nodes_count;
}

struct pci_dev *pci_get(unsigned i)
{
	return i < pci_nodes_count ? &pci_nodes[i].dev : NULL;
}

// pci_scan() saw to it that the final tables reach every assigned BAR.
volatile void *pci_bar_map(struct pci_dev *d, unsigned bar, size_t *len)
{
	const struct pci_node *n = d->priv;

	if (bar >= PCI_BARS || !n->bar[bar].size || !n->bar[bar].addr)
		return NULL;
	*len = n->bar[bar].size;
	return (volatile void *)(memory.direct + n->bar[bar].addr);
}

void pci_enable(struct pci_dev *d, int on)
{
	uint16_t c = pci_read16(d, COMMAND);

	c = (uint16_t)(on ? c | COMMAND_MEM | COMMAND_MAST : c & ~(COMMAND_MEM | COMMAND_MAST));
	pci_write16(d, COMMAND, c | COMMAND_INTX);
}

void pci_tables_ready(void)
{
	ecam_bias = memory.direct;
}

void pci_for_each_mmio(void (*f)(struct span))
{
	uint8_t last_bus = 0;

	for (unsigned i = 0; i < pci_nodes_count; i++) {
		const struct pci_node *n = &pci_nodes[i];

		for (unsigned b = 0; b < PCI_BARS; b++)
			if (n->bar[b].size && n->bar[b].addr)
				f((struct span){n->bar[b].addr, n->bar[b].addr + n->bar[b].size});
		last_bus = n->dev.bus > last_bus ? n->dev.bus : last_bus;
	}
	if (acpi_info.ecam.base && pci_nodes_count)
		f((struct span){acpi_info.ecam.base,
		                acpi_info.ecam.base + (((uint64_t)last_bus + 1) << 20)});
}
