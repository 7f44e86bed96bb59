// SPDX-License-Identifier: BSD-3-Clause
// fuzz_expr.c - any bytes as an expression of a stream's field: refused with a reason, or it has values
#include <stdlib.h>
#include <string.h>

#include "apps/tool/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct err err = {""};
	struct expr *e;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	e = expr_parse(text, &err);
	if (!e && !err.text[0])
		abort();
	for (uint64_t i = 0; e && i < 8; i++) {
		unsigned __int128 a, b;
		int rc = expr_eval(e, i * i, i, &a, &err);

		if (rc != expr_eval(e, i * i, i, &b, &err) || (!rc && a != b))
			abort();
	}
	if (e)
		expr_free(e);
	free(text);
	return 0;
}
