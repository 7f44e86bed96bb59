// SPDX-License-Identifier: BSD-3-Clause
// fuzz_config.c - any bytes as a YAML configuration: complaints, or a blob that is good
#include <stdio.h>
#include <stdlib.h>

#include "apps/tool/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	struct diags d = {0};
	struct config c;
	struct blob b;
	struct err err;
	size_t len;
	void *blob;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	if (config_parse(&c, "f.yaml", (const char *)data, size, false, &d)) {
		blob = config_blob(&c, &len);
		if (blob_open(&b, blob, len, &err)) {
			fprintf(stderr, "an accepted configuration makes a bad blob: %s\n", err.text);
			abort();
		}
		free(blob);
	}
	diag_print(&d, nowhere);
	diag_free(&d);
	config_free(&c);
	return 0;
}
