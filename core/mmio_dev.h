// SPDX-License-Identifier: BSD-3-Clause
// mmio_dev.h - device windows that no bus finds: the loader's command line names them (image; tests put a
// hostile device behind it)
//
// A word `virtio_mmio.device=SIZE@ADDRESS:IRQ` a window, as Linux has it (admin-guide/kernel-parameters.txt);
// QEMU's microvm writes one for each of its virtio-mmio devices when it has no ACPI. Start-up only.
#ifndef WEIR_CORE_MMIO_DEV_H
#define WEIR_CORE_MMIO_DEV_H

#include <stddef.h>

// How many there are.
unsigned mmio_dev_count(void);

// Window i, in the order of the command line, uncached, and its size (256 bytes or more). NULL beyond the count.
volatile void *mmio_dev_map(unsigned i, size_t *len);

#endif
