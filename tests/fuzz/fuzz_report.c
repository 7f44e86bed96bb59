// SPDX-License-Identifier: BSD-3-Clause
// fuzz_report.c - any JSON as results: a page, in which no markup is but our own, or a refusal
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *results = json_loadb((const char *)data, size, 0, NULL);
	char *page = NULL;
	size_t len = 0;
	FILE *out;

	if (!results)
		return 0;
	out = open_memstream(&page, &len);
	report_html(results, out);
	fclose(out);
	if (memmem(page, len, "<script", 7) || memmem(page, len, "<img", 4) ||
	    (len && !memmem(page, len, "</html>", 7)))
		abort();
	free(page);
	json_decref(results);
	return 0;
}
