// SPDX-License-Identifier: BSD-3-Clause
// cmd_pack.c - weir pack: one bootable file with the configuration inside
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/replay_load.h"
#include "apps/tool/tool.h"
#include "apps/tool/util.h"

static int pack(const struct config *c, const char *image, const char *output)
{
	char *path = image_path(image, c->function);
	struct err err;
	size_t len, packed;
	void *blob = config_blob(c, &len);
	void *file = image_pack(path, blob, len, &packed, &err);
	int rc = -1;

	if (file)
		rc = file_write(output, file, packed, 0644, &err);
	if (rc)
		fprintf(stderr, "weir pack: %s\n", err.text);
	else
		printf("%s: %zu bytes, %zu of them configuration\n", output, packed, len);
	free(file);
	free(blob);
	free(path);
	return rc ? EXIT_JOB : 0;
}

int cmd_pack(const struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, 0, 'h'},
		{"output", required_argument, 0, 'o'},
		{"image", required_argument, 0, 'i'},
		{0},
	};
	const char *output = NULL, *image = NULL;
	struct config c;
	int opt, rc;

	while ((opt = getopt_long(argc, argv, ":ho:", options, NULL)) != -1) {
		if (opt == 'o')
			output = optarg;
		else if (opt == 'i')
			image = optarg;
		else
			return usage_option(cmd, argc, argv, opt);
	}
	if (optind + 1 != argc || !output)
		return usage_error(cmd, "expected one FILE and -o IMAGE");
	if (!load_config(&c, argv[optind]))
		return EXIT_USAGE;
	rc = replay_load_image("weir pack", &c) ? EXIT_USAGE : pack(&c, image, output);
	config_free(&c);
	return rc;
}
