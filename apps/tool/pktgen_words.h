// SPDX-License-Identifier: BSD-3-Clause
// pktgen_words.h - the options of weir pktgen that stand for a file, and the file they stand for
#ifndef WEIR_APPS_TOOL_PKTGEN_WORDS_H
#define WEIR_APPS_TOOL_PKTGEN_WORDS_H

#include <stdbool.h>

#include "core/err.h"

#define WORDS_PORTS_MAX	    64u
#define WORDS_ADDRESSES_MAX 64u

// As given; NULL: not. Those of a port are NAME=VALUE.
struct words {
	const char *port[WORDS_PORTS_MAX], *address[WORDS_ADDRESSES_MAX], *mac[WORDS_PORTS_MAX], *line[WORDS_PORTS_MAX],
		*via[WORDS_PORTS_MAX];
	unsigned ports, addresses, macs, lines, vias;
	const char *src, *dst, *sport, *dport, *proto, *dst_mac, *vlan, *length, *rate, *burst, *shape, *lcores;
	bool both; // every port sends; else the first
};

// Whether anything was said that only a configuration of words can have.
bool words_any(const struct words *w);

// The configuration as YAML text, which the caller frees; NULL and err.
char *words_yaml(const struct words *w, struct err *err);

#endif
