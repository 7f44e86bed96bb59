// SPDX-License-Identifier: BSD-3-Clause
// qemu_args.h - the QEMU command line for an image
#ifndef WEIR_APPS_TOOL_QEMU_ARGS_H
#define WEIR_APPS_TOOL_QEMU_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/blob.h"
#include "core/err.h"

// QEMU's exit status when main() of an image returned 0 (core/x86_64/README.md has the others).
#define QEMU_EXIT_GOOD 33

struct qemu_net { // one virtio-net device; the n-th is virtio:n
	const char *socket;
	bool server; // QEMU listens
	const char *mac; // NULL: QEMU's choice
	unsigned queues; // pairs; 0 is 1
};

struct qemu_conf {
	const char *accel;   // "kvm" or "tcg"
	const char *machine; // "microvm" or "q35"
	unsigned memory;     // MiB
	unsigned cpus;
	const char *kernel;
	const struct qemu_net *net;
	unsigned nets;
	const char *control; // the socket of the control channel; NULL: there is none
	int control_fd;	     // listens there already; -1: QEMU makes it
};

struct args {
	char **v; // NULL-terminated
	size_t n, room;
};

void qemu_args(struct args *a, const struct qemu_conf *conf);
void args_free(struct args *a);
// One line for a shell.
void args_print(const struct args *a, FILE *out);

// "kvm" where /dev/kvm can be opened, else "tcg".
const char *qemu_accel_auto(void);

#endif
