// SPDX-License-Identifier: BSD-3-Clause
// cmd_check.c - weir check: validate a configuration
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/tool/config_frames.h"
#include "apps/tool/tool.h"

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
	free(config_blob(&c, &len));
	printf("%s: good: %s, %zu ports, %zu routes, %zu neighbors, %zu streams, %zu bytes of configuration\n",
	       argv[optind], c.function, c.n_ports, c.n_routes, c.n_neighbors,
	       c.frames ? c.frames->n_streams : 0, len);
	config_free(&c);
	return 0;
}
