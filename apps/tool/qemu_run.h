// SPDX-License-Identifier: BSD-3-Clause
// qemu_run.h - run QEMU as a child: stream the image's console, ask it for its figures, end it
#ifndef WEIR_APPS_TOOL_QEMU_RUN_H
#define WEIR_APPS_TOOL_QEMU_RUN_H

#include <stdbool.h>
#include <stdio.h>

#include "apps/tool/figures.h"
#include "apps/tool/qemu_args.h"

// The image's side of the console (apps/image.c): a line of this prefix is a figure, and this byte asks
// it to report and stop.
#define CONSOLE_FIGURE "stat "
#define CONSOLE_STOP   'q'
#define CONSOLE_READY  "weir: ready"

struct qemu_result {
	int status; // of QEMU: as waitpid() gives it
	bool killed; // it did not answer and was ended
	uint64_t ready_us; // from exec to the image's "weir: ready"; 0: it did not come
	struct figures figures;
};

// Runs args until QEMU ends, SIGINT or SIGTERM comes, or duration seconds have passed (0: no limit);
// then asks the image to stop and waits up to 10 s, or until a second SIGINT or SIGTERM. Console
// lines go to console as they come, figures into result. 0 or -errno.
int qemu_run(const struct args *args, unsigned duration, FILE *console, struct qemu_result *result,
	     struct err *err);

#endif
