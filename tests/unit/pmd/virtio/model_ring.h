// SPDX-License-Identifier: BSD-3-Clause
// model_ring.h - between model.c and model_ring.c
#ifndef WEIR_TESTS_VIRTIO_MODEL_RING_H
#define WEIR_TESTS_VIRTIO_MODEL_RING_H

// The driver has broken a rule of the specification: ends the test, unless model.lenient.
void model_fatal(const char *what);

#endif
