// SPDX-License-Identifier: BSD-3-Clause
// virtio_steps.h - one input through the virtio driver and a device that the input plays
#ifndef WEIR_TESTS_FUZZ_VIRTIO_STEPS_H
#define WEIR_TESTS_FUZZ_VIRTIO_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Rings are packed when the device has it so, else split. 0; ends the process when an invariant
// breaks.
int virtio_steps_run(const uint8_t *data, size_t size, bool is_packed);

#endif
