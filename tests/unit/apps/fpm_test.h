// SPDX-License-Identifier: BSD-3-Clause
// fpm_test.h - recorded FPM streams, and routes as text, for the tests of weir fpm
#ifndef WEIR_TESTS_FPM_TEST_H
#define WEIR_TESTS_FPM_TEST_H

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/tool/fpm_netlink.h"

// A file of tests/captures, whole; the caller frees it.
static inline uint8_t *fpm_capture(const char *name, size_t *len)
{
	char path[512];
	FILE *f;
	uint8_t *data = malloc(65536);

	snprintf(path, sizeof(path), "%s/%s", WEIR_CAPTURES, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	*len = fread(data, 1, 65536, f);
	fclose(f);
	assert_true(*len > 1000 && *len < 65536);
	return data;
}

static inline const char *fpm_type(unsigned type)
{
	return type == RTN_UNICAST	 ? ""
	       : type == RTN_BLACKHOLE	 ? " blackhole"
	       : type == RTN_UNREACHABLE ? " unreachable"
					 : " ?";
}

static inline void fpm_text_prefix(char *s, size_t room, unsigned family, const uint8_t *prefix,
				   unsigned plen)
{
	char addr[INET6_ADDRSTRLEN];

	inet_ntop(family == 4 ? AF_INET : AF_INET6, prefix, addr, sizeof(addr));
	snprintf(s, room, "%s/%u", addr, plen);
}

// Appends " via ADDRESS dev OIF" for each path.
static inline void fpm_text_paths(char *s, size_t room, const struct fpm_path *path, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char addr[INET6_ADDRSTRLEN] = "-";

		if (path[i].family)
			inet_ntop(path[i].family == 4 ? AF_INET : AF_INET6, path[i].via, addr,
				  sizeof(addr));
		snprintf(s + strlen(s), room - strlen(s), " via %s dev %u", addr, path[i].oif);
		if (path[i].weight != 1)
			snprintf(s + strlen(s), room - strlen(s), " weight %u", path[i].weight);
	}
}

#endif
