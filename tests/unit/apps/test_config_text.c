// SPDX-License-Identifier: BSD-3-Clause
// test_config_text.c - configurations that are no YAML, or costly, or hide something; exact parsers
#include "config_test.h"

static void not_yaml(void **state)
{
	char *got;

	says("", "f.yaml:1:1: empty: expected a configuration (version: 1 …)\n");
	says("- a\n", "f.yaml:1:1: […]: expected a configuration: a mapping with key version\n");
	got = complaints("f.yaml", "version: [1\n");
	assert_memory_equal(got, "f.yaml:2:1: not YAML: ", 22);
	free(got);
	got = complaints("f.yaml", "version: 1\nversion: 1\n");
	assert_non_null(strstr(got, "f.yaml:2:1: version: given twice, first in line 1\n"));
	free(got);
	// An alias that holds itself must end.
	got = complaints("f.yaml", "version: 1\nfunction: router\nports: &a {x: *a}\n");
	assert_non_null(strstr(got, "f.yaml:3:"));
	free(got);
	// Control characters do not reach the terminal.
	got = complaints("f.yaml", "version: \"\\e[2J\"\n");
	assert_null(strchr(got, 0x1b));
	free(got);
	says(HEAD PORTS "burst: \"\\x9b2J\"\n",
	     "f.yaml:6:8: \\xc2\\x9b2J: expected a number from 1 to 64\n");
	got = complaints("f.yaml", HEAD PORTS "routes: [{file: \"\\e[2J\"}]\n");
	assert_null(strchr(got, 0x1b));
	free(got);
	// A value is cut between characters: 30 of two bytes are what is shown of it.
	got = complaints("f.yaml", HEAD PORTS "burst: xéééééééééééééééééééééééééééééééééééé\n");
	assert_non_null(strstr(got, "é…: expected a number"));
	free(got);
	says(HEAD PORTS "---\n" HEAD PORTS,
	     "f.yaml:6:1: a second document: expected one in a file\n");
}

// What libyaml itself would take minutes over.
static void costly_yaml(void **state)
{
	enum { BIG = 1 << 20 };
	char *text = malloc(BIG + 1), *got;
	size_t i, n = 0;

	assert_non_null(text);
	memset(text, '[', BIG);
	text[BIG] = 0;
	got = complaints("f.yaml", text);
	assert_string_equal(got, "f.yaml:1:17: nested too deeply: expected at most 16 levels\n");
	free(got);
	text[n++] = '[';
	for (i = 0; n < BIG - 16; i++)
		n += (size_t)snprintf(text + n, BIG - n, "&a%zu 1,", i);
	snprintf(text + n, BIG - n, "]");
	got = complaints("f.yaml", text);
	assert_non_null(strstr(got, ": expected at most 1000 anchors\n"));
	free(got);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_yaml),
		cmocka_unit_test(costly_yaml),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
