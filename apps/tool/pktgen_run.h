// SPDX-License-Identifier: BSD-3-Clause
// pktgen_run.h - a run of `weir pktgen` as its command line asks for it
#ifndef WEIR_APPS_TOOL_PKTGEN_RUN_H
#define WEIR_APPS_TOOL_PKTGEN_RUN_H

#include "apps/tool/pktgen.h"
#include "apps/tool/pktgen_words.h"
#include "apps/tool/tool.h"

struct pktgen_run {
	struct pktgen_options options;
	struct words words;
	const char *file, *control;
	double drain;
	uint64_t learn, resolve_ns;
	bool has_learn;
	unsigned memory, cpu;
	bool pinned, print;
	struct config c;
};

// Reads the command line. 0; -1 after --help; EXIT_USAGE after a message.
int pktgen_read_options(struct pktgen_run *r, const struct command *cmd, int argc, char **argv);

#endif
