// SPDX-License-Identifier: BSD-3-Clause
// app_test.h - a function from YAML text, for tests of apps/app*.c
#ifndef WEIR_TESTS_APP_TEST_H
#define WEIR_TESTS_APP_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/app.h"
#include "apps/tool/config.h"
#include "apps/tool/diag.h"
#include "apps/tool/figures.h"
#include "core/plat.h"

// The blob of a configuration without errors; free() it.
static inline void *test_blob(const char *text, size_t *len)
{
	struct diags d = {0};
	struct config c;
	void *blob;

	if (!config_parse(&c, "f.yaml", text, strlen(text), false, &d))
		fail_msg("%s", text);
	blob = config_blob(&c, len);
	config_free(&c);
	diag_free(&d);
	return blob;
}

static inline int test_try_start(struct app *app, const char *text, void **blob, struct err *e)
{
	struct app_conf conf = {.clock = CLOCK_REAL};
	int rc;

	e->text[0] = 0;
	conf.blob = *blob = test_blob(text, &conf.blob_len);
	rc = app_start(app, &conf, e);
	if (rc)
		free(*blob);
	return rc;
}

static inline void test_start(struct app *app, const char *text, void **blob)
{
	struct err e;

	if (test_try_start(app, text, blob, &e))
		fail_msg("app_start: %s", e.text);
}

static inline void test_stop(struct app *app, void *blob)
{
	struct err e = {""};

	if (app_stop(app, &e))
		fail_msg("app_stop: %s", e.text);
	free(blob);
}

// Several lcores need as many CPUs.
static inline void test_needs_cpus(unsigned n)
{
	if (plat_lcore_count() < n) {
		print_message("needs %u CPUs\n", n);
		skip();
	}
}

#endif
