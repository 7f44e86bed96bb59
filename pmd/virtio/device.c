// SPDX-License-Identifier: BSD-3-Clause
// device.c - find the transport of the device that a port names
#include "pmd/virtio/device.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/mmio_dev.h"
#include "pmd/virtio/mmio_device.h"
#include "pmd/virtio/pci.h"

int virtio_device_open(const char *args, struct virtio_transport **t, struct err *err)
{
	bool mmio = !strncmp(args, "mmio", 4);
	const char *digits = mmio ? args + 4 : args;
	unsigned on_pci = mmio ? 0 : virtio_pci_count();
	char *end;
	unsigned long n = strtoul(digits, &end, 10);

	if (end != digits && !*end && n <= 255 && (mmio || (n >= on_pci && mmio_dev_count())))
		return virtio_mmio_open((unsigned)n - on_pci, t, err);
	return virtio_pci_open(args, t, err);
}

int virtio_device_open_console(struct virtio_transport **t, struct err *err)
{
	int r = virtio_pci_open_console(t, err);

	return r == -ENODEV ? virtio_mmio_open_console(t, err) : r;
}
