// SPDX-License-Identifier: BSD-3-Clause
// msix.c - a device's interrupts, each waking one lcore
//
// Source: PCI Local Bus 3.0, 6.8.2 (capability and table); SDM 3A 10.11 (message address and data).
// Every access is an exit under a hypervisor: a table is found once.
#include <errno.h>

#include "core/x86_64/libos/pci.h"

#define CONTROL	       2 // of the capability
#define CONTROL_ENABLE 0x8000
#define CONTROL_MASK   0x4000 // of all entries
#define CONTROL_SIZE   0x07ff // entries - 1
#define TABLE	       4
#define ENTRY_BYTES    16

#define MESSAGE_ADDRESS 0xfee00000u // and the APIC id from bit 12 on: physical, no redirection

static void put(volatile uint32_t *at, uint32_t v)
{
	__asm__ volatile("movl %1, %0" : "=m"(*at) : "r"(v) : "memory");
}

static int find_table(struct pci_dev *d, uint16_t cap)
{
	struct pci_node *n = d->priv;
	uint16_t control = pci_read16(d, cap + CONTROL);
	uint32_t table = pci_read32(d, cap + TABLE), off = table & ~7u;
	unsigned entries = (control & CONTROL_SIZE) + 1u;
	size_t len = 0;
	volatile uint8_t *bar = pci_bar_map(d, table & 7, &len);

	if (!bar || off > len || entries * ENTRY_BYTES > len - off)
		return -EPROTO;
	n->msix = (volatile uint32_t *)(bar + off);
	n->msix_entries = entries;
	pci_write16(d, cap + CONTROL, (uint16_t)((control & ~CONTROL_MASK) | CONTROL_ENABLE));
	return 0;
}

// QEMU (7.2 is known to) ends by SIGSEGV when a vhost-user device gets an interrupt that the kernel does not
// deliver itself, as under TCG: it takes a table for granted that only KVM makes (virtio-pci.c,
// virtio_pci_one_vector_unmask). A driver cannot see what is behind its device; who knows says msix=on.
static int harmless(void)
{
	return cpu_traits.kvm_base || boot_option("msix=on");
}

int pci_msix_wake(struct pci_dev *d, uint16_t cap, unsigned entry, unsigned lcore)
{
	struct pci_node *n = d->priv;
	int rc;

	if (!harmless())
		return -ENOTSUP;
	rc = n->msix ? 0 : find_table(d, cap);
	if (rc)
		return rc;
	if (lcore >= acpi_info.cpus)
		return -EINVAL;
	if (entry >= n->msix_entries)
		return -ERANGE;
	put(n->msix + 4 * entry, MESSAGE_ADDRESS | (uint32_t)acpi_info.apic_id[lcore] << 12);
	put(n->msix + 4 * entry + 1, 0);
	put(n->msix + 4 * entry + 2, VEC_QUEUE); // fixed, edge
	put(n->msix + 4 * entry + 3, 0);	 // not masked
	return 0;
}
