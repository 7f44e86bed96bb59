// SPDX-License-Identifier: BSD-3-Clause
// expr.c - parse an expression by recursive descent into postfix, and run that
#include "apps/tool/expr.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/ip_text.h"
#include "apps/tool/util.h"
#include "core/wire.h"

#define DEPTH_MAX 32 // of parentheses and signs

enum { OP_NUMBER = 1, OP_I, OP_C, OP_NEG, OP_NOT, OP_SHL, OP_SHR }; // others: their character

struct expr_op {
	int op;
	unsigned __int128 number;
};

struct expr {
	struct expr_op op[EXPR_TEXT_MAX];
	unsigned n;
};

struct parser {
	const char *begin, *s;
	struct expr *e;
	struct err *err;
	int depth;
};

static bool sum(struct parser *p, int level);

static bool fail(struct parser *p, const char *what)
{
	err_set(p->err, -EINVAL, "column %zu of the expression: expected %s", (size_t)(p->s - p->begin) + 1, what);
	return false;
}

static void skip(struct parser *p)
{
	while (*p->s == ' ' || *p->s == '\t' || *p->s == '\n')
		p->s++;
}

// Every operator and operand is a character of the text at least: there is room.
static void emit(struct parser *p, int op, unsigned __int128 number)
{
	p->e->op[p->e->n++] = (struct expr_op){op, number};
}

static unsigned __int128 big_endian(const uint8_t *p, unsigned n)
{
	unsigned __int128 v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static bool digits(const char *s, unsigned __int128 *v)
{
	unsigned base = s[0] == '0' && s[1] == 'x' ? 16 : 10;

	if (base == 16)
		s += 2;
	*v = 0;
	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned d = isdigit((unsigned char)*s) ? (unsigned)(*s - '0') :
			     isxdigit((unsigned char)*s) ? (unsigned)(tolower((unsigned char)*s) - 'a') + 10 : 16;

		if (d >= base || *v > ~(unsigned __int128)0 / base - 1)
			return false;
		*v = *v * base + d;
	}
	return true;
}

// A number, an address: letters, digits, dots and colons.
static bool operand(struct parser *p)
{
	char word[64];
	size_t n = 0;
	unsigned __int128 v;
	union ip_addr addr;
	uint8_t family, mac[6];

	while (isalnum((unsigned char)p->s[n]) || p->s[n] == '.' || p->s[n] == ':')
		n++;
	if (!n || n >= sizeof(word))
		return fail(p, "a number, an address, i, c or (");
	memcpy(word, p->s, n);
	word[n] = 0;
	if (!strcmp(word, "i"))
		emit(p, OP_I, 0);
	else if (!strcmp(word, "c"))
		emit(p, OP_C, 0);
	else if (digits(word, &v))
		emit(p, OP_NUMBER, v);
	else if (ip_parse_mac(word, mac))
		emit(p, OP_NUMBER, big_endian(mac, 6));
	else if (ip_parse(word, &family, &addr))
		emit(p, OP_NUMBER, big_endian(addr.v6, family == 4 ? 4 : 16));
	else
		return fail(p, "a number, an address, i, c or (");
	p->s += n;
	return true;
}

static bool unary(struct parser *p)
{
	char c;

	skip(p);
	c = *p->s;
	if (c != '-' && c != '~' && c != '(')
		return operand(p);
	if (p->depth++ == DEPTH_MAX)
		return fail(p, "fewer parentheses and signs");
	p->s++;
	if (c == '(' ? !sum(p, 0) : !unary(p))
		return false;
	if (c == '(') {
		skip(p);
		if (*p->s != ')')
			return fail(p, "an operator or )");
		p->s++;
	} else {
		emit(p, c == '-' ? OP_NEG : OP_NOT, 0);
	}
	p->depth--;
	return true;
}

// The operator at s that binds at that level: lowest first, as in C. 0: none.
static int binary(const char *s, int level, unsigned *len)
{
	static const char *const levels[] = {"|", "^", "&", "<>", "+-", "*/%"};

	*len = 1;
	if (!*s || !strchr(levels[level], *s))
		return 0;
	if (level != 3)
		return *s;
	*len = 2;
	return s[1] != s[0] ? 0 : *s == '<' ? OP_SHL : OP_SHR;
}
#define LEVELS 6

static bool sum(struct parser *p, int level)
{
	unsigned len;
	int op;

	if (level == LEVELS)
		return unary(p);
	if (!sum(p, level + 1))
		return false;
	for (;;) {
		skip(p);
		op = binary(p->s, level, &len);
		if (!op)
			return true;
		p->s += len;
		if (!sum(p, level + 1))
			return false;
		emit(p, op, 0);
	}
}

struct expr *expr_parse(const char *s, struct err *err)
{
	struct parser p = {.begin = s, .s = s, .err = err};
	bool ok;

	if (strlen(s) >= EXPR_TEXT_MAX) {
		err_set(err, -EINVAL, "expected an expression of less than %u characters", EXPR_TEXT_MAX);
		return NULL;
	}
	p.e = xrealloc(NULL, sizeof(*p.e));
	p.e->n = 0;
	ok = sum(&p, 0);
	if (ok && *p.s)
		ok = fail(&p, "an operator or the end");
	if (ok)
		return p.e;
	free(p.e);
	return NULL;
}

static int apply(int op, unsigned __int128 a, unsigned __int128 b, unsigned __int128 *v, struct err *err)
{
	if ((op == '/' || op == '%') && !b)
		return err_set(err, -EDOM, "a division by 0");
	if ((op == OP_SHL || op == OP_SHR) && b > 127)
		return err_set(err, -EDOM, "a shift by more than 127 bits");
	switch (op) {
	case '|': *v = a | b; break;
	case '^': *v = a ^ b; break;
	case '&': *v = a & b; break;
	case '+': *v = a + b; break;
	case '-': *v = a - b; break;
	case '*': *v = a * b; break;
	case '/': *v = a / b; break;
	case '%': *v = a % b; break;
	case OP_SHL: *v = a << b; break;
	default: *v = a >> b; break;
	}
	return 0;
}

int expr_eval(const struct expr *e, uint64_t i, uint64_t c, unsigned __int128 *v, struct err *err)
{
	unsigned __int128 stack[EXPR_TEXT_MAX];
	unsigned n = 0;
	int rc;

	for (unsigned k = 0; k < e->n; k++) {
		const struct expr_op *op = &e->op[k];

		switch (op->op) {
		case OP_NUMBER: stack[n++] = op->number; break;
		case OP_I: stack[n++] = i; break;
		case OP_C: stack[n++] = c; break;
		case OP_NEG: stack[n - 1] = -stack[n - 1]; break;
		case OP_NOT: stack[n - 1] = ~stack[n - 1]; break;
		default:
			rc = apply(op->op, stack[n - 2], stack[n - 1], &stack[n - 2], err);
			if (rc)
				return rc;
			n--;
		}
	}
	*v = stack[0];
	return 0;
}

bool expr_of_copy(const struct expr *e)
{
	for (unsigned k = 0; k < e->n; k++)
		if (e->op[k].op == OP_C)
			return true;
	return false;
}

void expr_free(struct expr *e)
{
	free(e);
}
