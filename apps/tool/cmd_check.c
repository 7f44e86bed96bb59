// SPDX-License-Identifier: BSD-3-Clause
// cmd_check.c - weir check: validate a configuration
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/tool/config_frames.h"
#include "apps/tool/tool.h"
#include "pmd/pcap/reader.h"

// Captures of function replay are read when it runs, or is packed: whether they can be is said now.
static bool captures_open(const struct config *c)
{
	bool good = true;

	for (size_t i = 0; i < c->replay.n_captures; i++) {
		struct capture_reader r;
		struct err err;

		if (capture_open_mixed(&r, c->replay.captures[i].file, &err)) {
			fprintf(stderr, "weir check: %s\n", err.text);
			good = false;
		} else {
			capture_close(&r);
		}
	}
	return good;
}

int cmd_check(const struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, 0, 'h'}, {0}};
	struct config c;
	size_t len;
	int opt;

	while ((opt = getopt_long(argc, argv, ":h", options, NULL)) != -1)
		return usage_option(cmd, argc, argv, opt);
	if (optind + 1 != argc)
		return usage_error(cmd, "expected one FILE");
	if (!load_config(&c, argv[optind]))
		return EXIT_USAGE;
	if (!captures_open(&c)) {
		config_free(&c);
		return EXIT_USAGE;
	}
	free(config_blob(&c, &len));
	printf("%s: good: %s, %zu ports, %zu routes, %zu neighbors, %zu streams, %zu bytes of configuration\n",
	       argv[optind], c.function, c.n_ports, c.n_routes, c.n_neighbors,
	       c.frames ? c.frames->n_streams : 0, len);
	config_free(&c);
	return 0;
}
