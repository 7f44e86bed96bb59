// SPDX-License-Identifier: BSD-3-Clause
// pci_scan.c - find the devices, number the buses, place the BARs that firmware left unassigned
//
// Source: PCI Local Bus 3.0, 6.1 (header), 6.2.5 (BARs); PCI-to-PCI Bridge 1.2, 3.2. Every access
// is an exit under a hypervisor: only buses that exist are looked at, functions beyond 0 only where
// the header says there are any, and a BAR is sized once. Device memory is placed below 4 GiB,
// where every machine we boot on has room (microvm and q35: from 3 GiB on); a device whose size
// does not fit stays without.
#include "core/x86_64/libos/pci.h"

#define VENDOR      0x00
#define COMMAND     0x04
#define CLASS       0x08
#define HEADER      0x0e
#define BAR0        0x10
#define BUSES       0x18 // bridge: primary, secondary, subordinate
#define MEM_WINDOW  0x20 // bridge: base and limit, bits 31:20 each
#define PREF_WINDOW 0x24
#define SUBSYSTEM   0x2c

#define HOLE_START 0xc0000000u
#define HOLE_END   0xfec00000u
#define BAR_MAX    (64u << 20)

#define MICROVM_ECAM   0xe0000000u
#define MICROVM_BRIDGE 0x00081b36u // 1b36:0008

static uint64_t next, limit; // where the next BAR goes
static unsigned next_bus;

static void scan_bus(uint8_t bus);

static void size_bar(struct pci_node *n, unsigned b)
{
	uint16_t off = (uint16_t)(BAR0 + 4 * b);
	uint32_t low = pci_read32(&n->dev, off), mask;
	uint64_t addr, size;

	if (low & 1) // I/O
		return;
	pci_write32(&n->dev, off, 0xffffffff);
	mask = pci_read32(&n->dev, off);
	if (!mask) // not there, and so not changed either
		return;
	pci_write32(&n->dev, off, low);
	addr = low & ~15u;
	size = mask & ~15u ? -(uint64_t)(mask & ~15u) & 0xffffffff : 0;
	n->bar[b].wide = (low & 6) == 4 && b + 1 < PCI_BARS;
	if (n->bar[b].wide)
		addr |= (uint64_t)pci_read32(&n->dev, off + 4) << 32;
	// A BAR of 4 GiB or more has no bits in the low half; we have no use for one.
	if (!size || size > BAR_MAX)
		return;
	n->bar[b].size = size;
	n->bar[b].addr = addr;
}

// Sizing moves a BAR about: decoding is off meanwhile.
static void size_bars(struct pci_node *n)
{
	uint16_t command = pci_read16(&n->dev, COMMAND);

	if (command & 3)
		pci_write16(&n->dev, COMMAND, command & ~3);
	for (unsigned b = 0; b < PCI_BARS; b += 1 + n->bar[b].wide)
		size_bar(n, b);
	if (command & 3)
		pci_write16(&n->dev, COMMAND, command);
}

// Keeps firmware's numbers where it gave some.
static void enter_bridge(struct pci_node *n)
{
	uint32_t buses = pci_read32(&n->dev, BUSES);
	uint32_t window = pci_read32(&n->dev, MEM_WINDOW);

	n->bridge = 1;
	n->windowed = (window & 0xfff0) && (window >> 20) >= (window >> 4 & 0xfff);
	n->secondary = buses >> 8 & 0xff;
	n->subordinate = buses >> 16 & 0xff;
	if (n->secondary > n->dev.bus) {
		if (n->subordinate >= next_bus)
			next_bus = n->subordinate + 1u;
		scan_bus(n->secondary);
		return;
	}
	if (next_bus > 255)
		return;
	n->secondary = (uint8_t)next_bus++;
	pci_write32(&n->dev, BUSES,
	            (buses & 0xff000000) | 0xff0000 | (uint32_t)n->secondary << 8 | n->dev.bus);
	scan_bus(n->secondary);
	n->subordinate = (uint8_t)(next_bus - 1);
	pci_write32(&n->dev, BUSES,
	            (buses & 0xff000000) | (uint32_t)n->subordinate << 16 |
	                    (uint32_t)n->secondary << 8 | n->dev.bus);
}

// Classes the image never drives; a chipset is full of them, and each access to them is an exit.
static int sized_class(uint32_t class)
{
	switch (class >> 24) {
	case 0x01: // storage
	case 0x03: // display
	case 0x06: // bridges
	case 0x0c: // serial buses
		return 0;
	}
	return 1;
}

// Returns 1 when function 0 says there are more.
static int scan_function(uint8_t bus, uint8_t dev, uint8_t fn)
{
	struct pci_dev probe = {.bus = bus, .dev = dev, .fn = fn};
	uint32_t id = pci_read32(&probe, VENDOR);
	struct pci_node *n;
	uint8_t header;

	if ((id & 0xffff) == 0xffff || (id & 0xffff) == 0 || pci_nodes_count == PCI_DEVICES_MAX)
		return 0;
	n = &pci_nodes[pci_nodes_count++];
	header = pci_read8(&probe, HEADER);
	n->dev = probe;
	n->dev.vendor = (uint16_t)id;
	n->dev.device = (uint16_t)(id >> 16);
	n->dev.priv = n;
	if ((header & 0x7f) == 1) {
		enter_bridge(n);
	} else if ((header & 0x7f) == 0) {
		id = pci_read32(&probe, SUBSYSTEM);
		n->dev.subsys_vendor = (uint16_t)id;
		n->dev.subsys_device = (uint16_t)(id >> 16);
		if (sized_class(pci_read32(&probe, CLASS)))
			size_bars(n);
	}
	return header >> 7;
}

static void scan_bus(uint8_t bus)
{
	for (uint8_t dev = 0; dev < 32; dev++)
		if (scan_function(bus, dev, 0))
			for (uint8_t fn = 1; fn < 8; fn++)
				scan_function(bus, dev, fn);
}

static void place_bar(struct pci_node *n, unsigned b)
{
	struct pci_bar *bar = &n->bar[b];
	uint16_t off = (uint16_t)(BAR0 + 4 * b);
	uint64_t addr = align_up(next, bar->size < PAGE_4K ? PAGE_4K : bar->size);

	if (!bar->size || bar->addr || addr + bar->size > limit)
		return;
	bar->addr = addr;
	next = addr + bar->size;
	pci_write32(&n->dev, off, (uint32_t)addr);
	if (bar->wide)
		pci_write32(&n->dev, off + 4, 0);
}

// Devices of a bus, then what is behind its bridges: each bridge's window is one run of addresses.
static void place_bus(uint8_t bus)
{
	for (unsigned i = 0; i < pci_nodes_count; i++)
		for (unsigned b = 0; b < PCI_BARS && pci_nodes[i].dev.bus == bus; b++)
			place_bar(&pci_nodes[i], b);
	for (unsigned i = 0; i < pci_nodes_count; i++) {
		struct pci_node *n = &pci_nodes[i];
		uint64_t start = align_up(next, 1u << 20);

		if (n->dev.bus != bus || !n->bridge || n->windowed || n->secondary <= bus)
			continue;
		next = start;
		place_bus(n->secondary);
		next = align_up(next, 1u << 20);
		pci_write32(&n->dev, PREF_WINDOW, 0x0000fff0); // base above limit: closed
		if (next == start) {
			pci_write32(&n->dev, MEM_WINDOW, 0x0000fff0);
			continue;
		}
		pci_write32(&n->dev, MEM_WINDOW,
		            (uint32_t)((next - 1) & 0xfff00000) | (uint32_t)(start >> 16 & 0xfff0));
		pci_enable(&n->dev, 1);
	}
}

// Free device memory: above low RAM, the ECAM window and all that firmware placed below 4 GiB.
static void find_hole(void)
{
	next = HOLE_START;
	limit = HOLE_END;
	for (unsigned i = 0; i < boot_info.ram_count; i++)
		if (boot_info.ram[i].start < HOLE_END && boot_info.ram[i].end > next)
			next = align_up(boot_info.ram[i].end, PAGE_2M);
	if (acpi_info.ecam.base >= next && acpi_info.ecam.base < limit)
		limit = acpi_info.ecam.base;
	for (unsigned i = 0; i < pci_nodes_count; i++)
		for (unsigned b = 0; b < PCI_BARS; b++) {
			const struct pci_bar *bar = &pci_nodes[i].bar[b];

			if (bar->addr >= HOLE_START && bar->addr < limit &&
			    bar->addr + bar->size > next)
				next = align_up(bar->addr + bar->size, 1u << 20);
		}
}

// QEMU's microvm has no MCFG table: its ECAM is known by address, and by the host bridge that is
// always there.
static void find_microvm(void)
{
	uint32_t id;

	__asm__ volatile("movl (%1), %0" : "=r"(id) : "r"(BOOT_WINDOW + MICROVM_ECAM) : "memory");
	if (id == MICROVM_BRIDGE)
		acpi_info.ecam = (struct ecam){MICROVM_ECAM, 0, 255};
}

void pci_scan(void)
{
	if (!acpi_info.ecam.base)
		find_microvm();
	if (!acpi_info.ecam.base) {
		outl(0xcf8, 0x80000000); // mechanism 1 reads back what was written (PCI 2.0 rule)
		if (inl(0xcf8) != 0x80000000)
			return;
	}
	next_bus = 1;
	scan_bus(0);
	find_hole();
	place_bus(0);
}
