// SPDX-License-Identifier: BSD-3-Clause
// virtio_device.h - the steps of the device, for virtio_steps.c
#ifndef WEIR_TESTS_FUZZ_VIRTIO_DEVICE_H
#define WEIR_TESTS_FUZZ_VIRTIO_DEVICE_H

#include <stdbool.h>

#include "tests/fuzz/virtio_port.h"

// From now on it is the device under this port, with rings of this kind.
void device_begin(const struct port *port, bool packed);

// One step of the model device, number `which` of 12; those below 8 touch rings and buffers alone.
void device_step(struct input *in, unsigned which);

#endif
