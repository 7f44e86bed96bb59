// SPDX-License-Identifier: BSD-3-Clause
// test_expr.c - expressions of a stream's fields against the same in C
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/expr.h"

#define V(name, value)                                                                             \
	static unsigned __int128 name(uint64_t i, uint64_t c)                                      \
	{                                                                                          \
		return value;                                                                      \
	}

typedef unsigned __int128 (*value_fn)(uint64_t i, uint64_t c);

V(one, 1)
V(plus, (unsigned __int128)i + c)
V(squares, 0x0a000000 + ((unsigned __int128)i * i) % 251)
V(precedence, (unsigned __int128)1 | (2 ^ (i & (3 << (1 + c * 2) >> 1))))
V(left, (unsigned __int128)1000000 - i - c - 5)
V(quotient, (unsigned __int128)100000 / (i + 1) / 3 % 7)
V(negative, -(unsigned __int128)(i + 1))
V(inverted, ~(unsigned __int128)i & 0xffff)
V(address6, (((unsigned __int128)0x20010db800000000 << 64) | 1) + ((unsigned __int128)i << 64))
V(mac, 0x0200000000ffu + (unsigned __int128)i)

static const struct {
	const char *text;
	value_fn value;
} cases[] = {
	{"1", one},
	{" ( ( 0x1 ) )", one},
	{"i + c", plus},
	{"i+c", plus},
	{"10.0.0.0 + (i*i)%251", squares},
	{"1 | 2 ^ i & 3 << 1 + c * 2 >> 1", precedence},
	{"1000000-i-c-5", left},
	{"100000 / (i + 1) / 3 % 7", quotient},
	{"-(i+1)", negative},
	{"-i - 1", negative},
	{"~ i & 65535", inverted},
	{"2001:db8::1 + (i << 64)", address6},
	{"02:00:00:00:00:ff + i", mac},
};

static void values(void **state)
{
	struct err err;

	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct expr *e = expr_parse(cases[k].text, &err);
		unsigned __int128 v;

		if (!e)
			fail_msg("%s: %s", cases[k].text, err.text);
		for (uint64_t i = 0; i < 300; i++) {
			for (uint64_t c = 0; c < 4; c++) {
				assert_int_equal(expr_eval(e, i, c, &v, &err), 0);
				if (v != cases[k].value(i, c))
					fail_msg("%s with i %u, c %u: %llx:%llx", cases[k].text, (unsigned)i, (unsigned)c,
						 (unsigned long long)(v >> 64), (unsigned long long)v);
			}
		}
		expr_free(e);
	}
}

static void refused(const char *text, const char *want)
{
	struct err err = {""};

	assert_null(expr_parse(text, &err));
	assert_string_equal(err.text, want);
}

#define OPERAND "a number, an address, i, c or ("

static void wrong(void **state)
{
	char nest[300];

	refused("", "column 1 of the expression: expected " OPERAND);
	refused("i +", "column 4 of the expression: expected " OPERAND);
	refused("~(i+ (", "column 7 of the expression: expected " OPERAND);
	refused("(i", "column 3 of the expression: expected an operator or )");
	refused("i i", "column 3 of the expression: expected an operator or the end");
	refused("i)", "column 2 of the expression: expected an operator or the end");
	refused("1 < 2", "column 3 of the expression: expected an operator or the end");
	refused("k", "column 1 of the expression: expected " OPERAND);
	refused("1.2.3", "column 1 of the expression: expected " OPERAND);
	refused("12a", "column 1 of the expression: expected " OPERAND);
	refused("0x", "column 1 of the expression: expected " OPERAND);
	refused("999999999999999999999999999999999999999999", "column 1 of the expression: expected " OPERAND);
	memset(nest, '(', 100);
	strcpy(nest + 100, "1");
	refused(nest, "column 33 of the expression: expected fewer parentheses and signs");
	memset(nest, '1', 299);
	nest[299] = 0;
	refused(nest, "expected an expression of less than 256 characters");
}

static void undefined(void **state)
{
	static const char *const texts[] = {"1 / (i - 5)", "1 % (i - 5)", "1 << 123 + i", "1 >> 123 + i"};
	unsigned __int128 v;
	struct err err;

	for (unsigned k = 0; k < 4; k++) {
		struct expr *e = expr_parse(texts[k], &err);

		assert_non_null(e);
		assert_int_equal(expr_eval(e, 4, 0, &v, &err), 0);
		assert_int_equal(expr_eval(e, 5, 0, &v, &err), -EDOM);
		expr_free(e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(wrong),
		cmocka_unit_test(undefined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
