// SPDX-License-Identifier: BSD-3-Clause
// expr.h - expressions of i and c that give the values of a stream's field
//
// Numbers are decimal, 0x…, IPv4 and IPv6 addresses and MAC addresses; operators those of C, with its precedence:
// + - * / % << >> & | ^ ~ and parentheses. Arithmetic is unsigned, modulo 2^128.
#ifndef WEIR_APPS_TOOL_EXPR_H
#define WEIR_APPS_TOOL_EXPR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

#define EXPR_TEXT_MAX 256u

struct expr;

// NULL and err, which says where ("column 5: …").
struct expr *expr_parse(const char *s, struct err *err);
// 0; -EDOM and err: a division by 0, or a shift by 128 and more.
int expr_eval(const struct expr *e, uint64_t i, uint64_t c, unsigned __int128 *v, struct err *err);
bool expr_of_copy(const struct expr *e); // whether c is in it
void expr_free(struct expr *e);

#endif
