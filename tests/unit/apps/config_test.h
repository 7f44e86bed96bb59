// SPDX-License-Identifier: BSD-3-Clause
// config_test.h - what the tests of configurations share: one to begin with, and what is said of it
#ifndef WEIR_TESTS_CONFIG_TEST_H
#define WEIR_TESTS_CONFIG_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config.h"

#define HEAD "version: 1\nfunction: router\n"
#define PORTS                                                                                      \
	"ports:\n"                                                                                 \
	"  wan: {device: \"virtio:0\", addresses: [192.0.2.1/24]}\n"                               \
	"  lan: {device: \"virtio:1\", addresses: [198.51.100.1/24], mac: \"02:00:00:00:00:01\"}\n"

// Compiles text (route files allowed) and gives what weir check would print; "" when it is good.
static inline char *complaints(const char *path, const char *text)
{
	struct diags d = {0};
	struct config c;
	char *out;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	config_parse(&c, path, text, strlen(text), true, &d);
	diag_print(&d, f);
	fclose(f);
	diag_free(&d);
	config_free(&c);
	return out;
}

static inline void says(const char *text, const char *want)
{
	char *got = complaints("f.yaml", text);

	assert_string_equal(got, want);
	free(got);
}

#endif
