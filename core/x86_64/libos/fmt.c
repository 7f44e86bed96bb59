// SPDX-License-Identifier: BSD-3-Clause
// fmt.c - strings and numbers into a fixed buffer; what does not fit is cut
#include "core/x86_64/libos/libos.h"

void text_str(struct text *t, const char *s)
{
	while (*s && t->len + 1 < t->cap)
		t->buf[t->len++] = *s++;
	t->buf[t->len] = 0;
}

void text_hex(struct text *t, uint64_t v, unsigned digits)
{
	char s[19] = "0x";
	unsigned n = 2;

	if (!digits)
		for (digits = 1; digits < 16 && v >> (4 * digits);)
			digits++;
	while (digits--)
		s[n++] = "0123456789abcdef"[v >> (4 * digits) & 15];
	s[n] = 0;
	text_str(t, s);
}

void text_dec(struct text *t, uint64_t v)
{
	char s[21];
	unsigned n = sizeof(s) - 1;

	s[n] = 0;
	do
		s[--n] = '0' + v % 10;
	while (v /= 10);
	text_str(t, s + n);
}
