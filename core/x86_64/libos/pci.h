// SPDX-License-Identifier: BSD-3-Clause
// pci.h - what pci_scan.c finds out and pci.c answers from
#ifndef WEIR_X86_64_LIBOS_PCI_H
#define WEIR_X86_64_LIBOS_PCI_H

#include "core/pci.h"
#include "core/x86_64/libos/libos.h"

#define PCI_DEVICES_MAX 64
#define PCI_BARS        6

struct pci_bar {
	uint64_t addr, size; // size 0: none or not memory; addr 0: not assigned
	uint8_t wide;        // 64 bits
};

struct pci_node {
	struct pci_dev dev;
	struct pci_bar bar[PCI_BARS];
	uint8_t bridge;    // header type 1
	uint8_t secondary; // bus behind a bridge
	uint8_t subordinate;
	uint8_t windowed; // firmware gave the bridge a memory window
	volatile uint32_t *msix; // table, once it has been found
	unsigned msix_entries;
};

extern struct pci_node pci_nodes[PCI_DEVICES_MAX];
extern unsigned pci_nodes_count;

#endif
