// SPDX-License-Identifier: BSD-3-Clause
// routes.c - tables of prefixes for benchmarks
#include "perf/routes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

uint32_t routes_random(uint64_t *state) // xorshift64*, Vigna 2016
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)(*state * 0x2545f4914f6cdd1dull >> 32);
}

static int append(struct routes *r, uint32_t *size, uint32_t prefix, unsigned len)
{
	struct route *route;

	if (r->count == *size) {
		*size = *size * 2 + 1024;
		route = realloc(r->route, *size * sizeof(*route));
		if (!route)
			return -ENOMEM;
		r->route = route;
	}
	r->route[r->count++] = (struct route){.prefix = prefix, .len = (uint8_t)len};
	return 0;
}

static int parse(struct routes *r, uint32_t *size, char *line)
{
	char *slash = strchr(line, '/');
	struct in_addr addr;
	unsigned long len;

	if (!slash)
		return 0;
	*slash = '\0';
	len = strtoul(slash + 1, NULL, 10);
	if (inet_pton(AF_INET, line, &addr) != 1 || len > 32)
		return 0;
	return append(r, size, ntohl(addr.s_addr), (unsigned)len);
}

FILE *routes_open(const char *path, pid_t *pid)
{
	int end[2];

	if (pipe(end))
		return NULL;
	*pid = fork();
	if (*pid == 0) {
		dup2(end[1], STDOUT_FILENO);
		close(end[0]);
		close(end[1]);
		execlp("gzip", "gzip", "-dcf", path, NULL);
		_exit(127);
	}
	close(end[1]);
	if (*pid > 0)
		return fdopen(end[0], "r");
	close(end[0]);
	return NULL;
}

int routes_load(struct routes *r, const char *path)
{
	uint32_t size = 0;
	char line[128];
	FILE *in;
	pid_t pid;
	int err = 0, status;

	memset(r, 0, sizeof(*r));
	if (access(path, R_OK))
		return -ENOENT;
	in = routes_open(path, &pid);
	if (!in)
		return -ENOENT;
	while (!err && fgets(line, sizeof(line), in))
		err = parse(r, &size, line);
	fclose(in);
	waitpid(pid, &status, 0);
	if (!err && (r->count == 0 || status != 0))
		err = -ENOENT;
	if (err)
		routes_free(r);
	return err;
}

// Prefixes of each length from 8 to 32 in a table of 901,899 of the year 2024.
static const uint32_t lengths[33] = {
	[8] = 16,     [9] = 13,	     [10] = 38,	   [11] = 103,	 [12] = 299,
	[13] = 581,   [14] = 1203,   [15] = 2100,  [16] = 13490, [17] = 8235,
	[18] = 13798, [19] = 24870,  [20] = 42611, [21] = 50750, [22] = 108623,
	[23] = 96510, [24] = 537698, [25] = 20,	   [26] = 3,	 [27] = 11,
	[28] = 18,    [29] = 17,     [30] = 3,	   [31] = 3,	 [32] = 886,
};

static int by_prefix(const void *a, const void *b)
{
	const struct route *x = a, *y = b;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return (int)x->len - (int)y->len;
}

int routes_synthetic(struct routes *r, uint32_t count)
{
	uint32_t size = 0, kept = 0;
	uint64_t seed = 2024;

	memset(r, 0, sizeof(*r));
	while (r->count < count) {
		uint32_t pick = routes_random(&seed) % 901899, len = 8;

		for (; pick >= lengths[len]; len++)
			pick -= lengths[len];
		// Unicast addresses: 1.0.0.0 to 223.255.255.255.
		pick = (1u << 24) + (uint32_t)((uint64_t)routes_random(&seed) * 223 >> 8);
		if (append(r, &size, pick & ~0u << (32 - len), len)) {
			routes_free(r);
			return -ENOMEM;
		}
	}
	qsort(r->route, r->count, sizeof(*r->route), by_prefix);
	for (uint32_t i = 0; i < r->count; i++)
		if (!kept || by_prefix(r->route + i, r->route + kept - 1))
			r->route[kept++] = r->route[i];
	r->count = kept;
	return 0;
}

void routes_assign(struct routes *r, uint32_t next_hops)
{
	for (uint32_t i = 0; i < r->count; i++) {
		uint64_t key = (uint64_t)r->route[i].prefix << 8 | r->route[i].len;

		key *= 0x9e3779b97f4a7c15ull; // Fibonacci hashing, Knuth volume 3, 6.4
		r->route[i].nh = 1 + (uint32_t)((key >> 32) * next_hops >> 32);
	}
}

void routes_shuffle(struct routes *r)
{
	uint64_t seed = 4;

	for (uint32_t i = r->count; i > 1; i--) {
		uint32_t k = (uint32_t)((uint64_t)routes_random(&seed) * i >> 32);
		struct route swap = r->route[i - 1];

		r->route[i - 1] = r->route[k];
		r->route[k] = swap;
	}
}

void routes_free(struct routes *r)
{
	free(r->route);
	memset(r, 0, sizeof(*r));
}
