// SPDX-License-Identifier: BSD-3-Clause
// pci.h - PCI devices as a driver sees them (image; tests put a hostile device behind it)
//
// Source: PCI Local Bus 3.0 section 6, PCI Express Base 3.0 section 7.2 (ECAM). Single-threaded, at
// start-up only. Values are host byte order.
#ifndef WEIR_CORE_PCI_H
#define WEIR_CORE_PCI_H

#include <stddef.h>
#include <stdint.h>

struct pci_dev {
	uint16_t vendor, device;
	uint16_t subsys_vendor, subsys_device;
	uint8_t bus, dev, fn;
	void *priv; // the platform's
};

// The devices found at boot: by device and function number, and what is behind a bridge right after
// the bridge. So `virtio:0` is the first virtio-net on every boot, whatever numbers firmware gave the
// buses. Never NULL entries; valid for good.
unsigned pci_count(void);
struct pci_dev *pci_get(unsigned i);

// Configuration space; off < 256 (ECAM: < 4096), naturally aligned. Out of range reads all ones.
uint8_t pci_read8(const struct pci_dev *d, uint16_t off);
uint16_t pci_read16(const struct pci_dev *d, uint16_t off);
uint32_t pci_read32(const struct pci_dev *d, uint16_t off);
void pci_write16(const struct pci_dev *d, uint16_t off, uint16_t v);
void pci_write32(const struct pci_dev *d, uint16_t off, uint32_t v);

// Maps memory BAR `bar` (0-5; a 64-bit BAR by its lower index) uncached and gives its size. NULL when
// there is none, it is an I/O BAR, or it is unassigned and could not be assigned. Before plat_seal().
volatile void *pci_bar_map(struct pci_dev *d, unsigned bar, size_t *len);

// MSI-X (PCI Local Bus 3.0 section 6.8.2): lets entry `entry` of the table that the capability at
// configuration offset `cap` names wake `lcore` out of plat_halt(), and do nothing else. Turns MSI-X on.
// 0, -ENOTSUP (this hypervisor had better not be asked), -EINVAL (no such lcore), -ERANGE (no such entry), -EPROTO (the table lies in no BAR). A BAR that holds
// a table was assigned at boot like any other. Before plat_seal() or after.
int pci_msix_wake(struct pci_dev *d, uint16_t cap, unsigned entry, unsigned lcore);

// Turns memory decoding and bus mastering on or off, INTx off.
void pci_enable(struct pci_dev *d, int on);

#endif
