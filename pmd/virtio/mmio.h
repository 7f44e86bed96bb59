// SPDX-License-Identifier: BSD-3-Clause
// mmio.h - device registers: single accesses of the stated width, in program order
//
// Functions, not macros, so that tests can put a device behind them. mmio.c is the machine's.
#ifndef WEIR_PMD_VIRTIO_MMIO_H
#define WEIR_PMD_VIRTIO_MMIO_H

#include <stdint.h>

uint8_t mmio_read8(const volatile void *p);
uint16_t mmio_read16(const volatile void *p);
uint32_t mmio_read32(const volatile void *p);
void mmio_write8(volatile void *p, uint8_t v);
void mmio_write16(volatile void *p, uint16_t v);
void mmio_write32(volatile void *p, uint32_t v);

#endif
