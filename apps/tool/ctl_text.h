// SPDX-License-Identifier: BSD-3-Clause
// ctl_text.h - routes and neighbors as people write them, to and from records of core/ctl.h
//
// The words are those of iproute2 as far as they go. Errors name the word, and what was expected.
#ifndef WEIR_APPS_TOOL_CTL_TEXT_H
#define WEIR_APPS_TOOL_CTL_TEXT_H

#include <stdio.h>

#include "apps/tool/ctl_client.h"

#define CTL_WORDS_MAX 160u // of a command: 16 next hops with all there is

struct words {
	char **w;
	unsigned n, at; // at: the next one
};

// Splits a line at blanks, in place; what follows a # is left out. 0, or -E2BIG and err.
int words_split(char *line, char *w[CTL_WORDS_MAX], struct words *words, struct err *err);
// The next word is this one: takes it.
bool words_take(struct words *w, const char *word);
const char *words_next(struct words *w); // NULL: there is none
// Nothing may be left: 0 or -EINVAL and err.
int words_end(const struct words *w, struct err *err);

struct text_route {
	struct ctl_route route;
	struct ctl_path path[CTL_PATHS_MAX];
};

// "[blackhole|unreachable|prohibit] PREFIX [via ADDRESS] [interface NAME] [weight N] [nexthop via ...]...
// [vrf NAME]"; "PREFIX ADDRESS" too. op: enum ctl_op.
int text_route(struct ctl_client *c, struct words *w, enum ctl_op op, struct text_route *r, struct err *err);

// "ADDRESS [mac MAC|lladdr MAC] interface NAME"
int text_neighbor(struct ctl_client *c, struct words *w, enum ctl_op op, struct ctl_neighbor *n,
		  struct err *err);

// "[all] | [exact] PREFIX | within PREFIX | match ADDRESS", "vrf NAME", "interface NAME", "-4", "-6", in any order.
int text_show(struct ctl_client *c, struct words *w, struct ctl_show *s, struct err *err);

// One line, or one object of JSON. False: the record cannot be.
void route_print(struct ctl_client *c, const struct ctl_route *r, const struct ctl_path *paths, bool json,
		 FILE *out);
void neighbor_print(struct ctl_client *c, const struct ctl_neighbor *n, bool json, FILE *out);

#endif
