// SPDX-License-Identifier: BSD-3-Clause
// routes6.c - tables of IPv6 prefixes for benchmarks
#include "perf/routes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int append(struct routes6 *r, uint32_t *size, const uint8_t prefix[16], unsigned len)
{
	struct route6 *route;

	if (r->count == *size) {
		*size = *size * 2 + 1024;
		route = realloc(r->route, *size * sizeof(*route));
		if (!route)
			return -ENOMEM;
		r->route = route;
	}
	route = r->route + r->count++;
	*route = (struct route6){.len = (uint8_t)len};
	memcpy(route->prefix, prefix, 16);
	return 0;
}

static int parse(struct routes6 *r, uint32_t *size, char *line)
{
	char *slash = strchr(line, '/');
	uint8_t addr[16];
	unsigned long len;

	if (!slash)
		return 0;
	*slash = '\0';
	len = strtoul(slash + 1, NULL, 10);
	if (inet_pton(AF_INET6, line, addr) != 1 || len > 128)
		return 0;
	return append(r, size, addr, (unsigned)len);
}

int routes6_load(struct routes6 *r, const char *path)
{
	uint32_t size = 0;
	char line[128];
	FILE *in;
	pid_t pid;
	int err = 0, status;

	memset(r, 0, sizeof(*r));
	in = access(path, R_OK) ? NULL : routes_open(path, &pid);
	if (!in)
		return -ENOENT;
	while (!err && fgets(line, sizeof(line), in))
		err = parse(r, &size, line);
	fclose(in);
	waitpid(pid, &status, 0);
	if (!err && (r->count == 0 || status != 0))
		err = -ENOENT;
	if (err)
		routes6_free(r);
	return err;
}

void routes6_mask(uint8_t addr[16], unsigned len)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = len > 8 * i ? len - 8 * i : 0;

		addr[i] &= keep >= 8 ? 0xff : (uint8_t)(0xff00 >> keep);
	}
}

static int by_prefix(const void *a, const void *b)
{
	const struct route6 *x = a, *y = b;
	int order = memcmp(x->prefix, y->prefix, 16);

	return order ? order : (int)x->len - (int)y->len;
}

// Of the Internet's table of 2024 a half are /48s, a seventh /32s, and most lie in few /32s.
int routes6_synthetic(struct routes6 *r, uint32_t count)
{
	static const uint8_t lengths[16] = {48, 48, 48, 48, 48, 48, 48, 48,
					    32, 32, 29, 36, 40, 40, 44, 44};
	uint32_t size = 0, kept = 0, heads = count / 8 + 1;
	uint64_t seed = 2024;

	memset(r, 0, sizeof(*r));
	for (uint32_t i = 0; i < count; i++) {
		// Of two draws the lower: some /32s are fuller than others.
		uint32_t a = routes_random(&seed) % heads, b = routes_random(&seed) % heads;
		uint32_t head = (a < b ? a : b) * 2654435761u >> 4 | 0x20000000u;
		uint32_t tail = htonl(routes_random(&seed));
		uint8_t len = lengths[routes_random(&seed) % 16], addr[16] = {0};

		head = htonl(head);
		memcpy(addr, &head, 4);
		memcpy(addr + 4, &tail, 4);
		routes6_mask(addr, len);
		if (append(r, &size, addr, len)) {
			routes6_free(r);
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

void routes6_assign(struct routes6 *r, uint32_t next_hops)
{
	for (uint32_t i = 0; i < r->count; i++) {
		uint64_t half[2], key;

		memcpy(half, r->route[i].prefix, 16);
		key = (half[0] ^ half[1] * 31 ^ r->route[i].len) * 0x9e3779b97f4a7c15ull;
		r->route[i].nh = 1 + (uint32_t)((key >> 32) * next_hops >> 32);
	}
}

void routes6_shuffle(struct routes6 *r)
{
	uint64_t seed = 4;

	for (uint32_t i = r->count; i > 1; i--) {
		uint32_t k = (uint32_t)((uint64_t)routes_random(&seed) * i >> 32);
		struct route6 swap = r->route[i - 1];

		r->route[i - 1] = r->route[k];
		r->route[k] = swap;
	}
}

void routes6_draw(const struct routes6 *r, bool in_prefix, uint64_t *seed, uint8_t addr[16])
{
	const struct route6 *in = routes6_pick(r, seed);

	for (unsigned i = 0; i < 16; i += 4) {
		uint32_t v = routes_random(seed);

		memcpy(addr + i, &v, 4);
	}
	if (!in_prefix)
		return;
	for (unsigned i = 0; i < 16; i++) { // the host's bits are random, the others the prefix's
		unsigned keep = in->len > 8 * i ? in->len - 8 * i : 0;
		uint8_t mask = keep >= 8 ? 0xff : (uint8_t)(0xff00 >> keep);

		addr[i] = (uint8_t)(in->prefix[i] | (addr[i] & ~mask));
	}
}

void routes6_free(struct routes6 *r)
{
	free(r->route);
	memset(r, 0, sizeof(*r));
}
