// SPDX-License-Identifier: BSD-3-Clause
// fuzz_virtio_ring.c - virtio_steps.c over split rings
#include "tests/fuzz/virtio_steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return virtio_steps_run(data, size, false);
}
