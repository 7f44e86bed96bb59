// SPDX-License-Identifier: BSD-3-Clause
// test_lpm4_internet.c - the whole Internet's table against a plain search
//
// The table is shared/data/routes/internet-2024-prefixes.txt.gz, looked for in $WEIR_SHARED and
// next to the source tree; without it this test is skipped, and says so. $LPM4_LOOKUPS is the
// number of random lookups, 1,000,000 if not set.
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "lpm4_oracle.h"

#define FILE_NAME "data/routes/internet-2024-prefixes.txt.gz"
#define EXIT_SKIP 77 // as Meson has it

struct prefix {
	uint32_t addr;
	uint8_t len;
};

static char path[512];
static struct prefix *prefixes;
static size_t count;
static struct oracle oracle;

static bool find_file(void)
{
	const char *shared = getenv("WEIR_SHARED");
	const char *const places[] = {shared ? shared : "../shared", "../shared", "../../shared"};

	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/" FILE_NAME, places[i]);
		if (!access(path, R_OK))
			return true;
	}
	return false;
}

static uint32_t next_hop(const struct prefix *p)
{
	uint64_t key = (uint64_t)p->addr << 8 | p->len;

	return (uint32_t)(key * 0x9e3779b97f4a7c15ull >> 40) % (LPM4_NH_MAX + 1);
}

static int read_table(void **state)
{
	char command[600], line[128], text[64];
	struct in_addr addr;
	unsigned len;
	FILE *in;

	snprintf(command, sizeof(command), "gzip -dc '%s'", path);
	in = popen(command, "r");
	prefixes = malloc(2000000 * sizeof(*prefixes));
	if (!in || !prefixes)
		return -1;
	while (fgets(line, sizeof(line), in) && count < 2000000) {
		if (sscanf(line, "%63[0-9.]/%u", text, &len) != 2 ||
		    inet_pton(AF_INET, text, &addr) != 1)
			continue; // IPv6
		prefixes[count++] = (struct prefix){ntohl(addr.s_addr), (uint8_t)len};
	}
	// The file is sorted, so that each of the oracle's arrays grows at its end.
	for (size_t i = 0; i < count; i++)
		oracle_add(&oracle, prefixes[i].addr, prefixes[i].len, next_hop(prefixes + i));
	return pclose(in);
}

static int free_all(void **state)
{
	oracle_free(&oracle);
	free(prefixes);
	return 0;
}

static struct lpm4 *load(const struct lpm4_conf *conf)
{
	struct lpm4 *t = lpm4_create(conf);
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(
			lpm4_add(t, prefixes[i].addr, prefixes[i].len, next_hop(prefixes + i)), 0);
	clock_gettime(CLOCK_MONOTONIC, &to);
	print_message("%zu prefixes in %.0f ms, %.2f MiB, %s\n", lpm4_count(t),
		      (double)(to.tv_sec - from.tv_sec) * 1e3 +
			      (double)(to.tv_nsec - from.tv_nsec) / 1e6,
		      (double)lpm4_memory(t) / (1 << 20), lpm4_simd_name(t));
	return t;
}

// Half of the addresses are anywhere, half inside a prefix of the table or at its edges.
static uint32_t draw(uint64_t *seed)
{
	uint32_t r = oracle_random(seed), addr = oracle_random(seed);
	const struct prefix *p;

	if (r & 1)
		return addr;
	p = prefixes + (r >> 2) % count;
	return r & 2 ? p->addr - 1 : p->addr | (addr & ~oracle_mask(p->len));
}

static void check_random(const struct lpm4 *t, size_t lookups, uint64_t seed)
{
	uint32_t addrs[64], nhs[64];

	for (size_t n = 0; n < lookups; n += 64) {
		for (unsigned i = 0; i < 64; i++)
			addrs[i] = draw(&seed);
		lpm4_lookup_bulk(t, addrs, nhs, 64);
		for (unsigned i = 0; i < 64; i++) {
			uint32_t want = oracle_lookup(&oracle, addrs[i]);

			if (nhs[i] != want || lpm4_lookup(t, addrs[i]) != want)
				fail_msg("0x%08x: %u, expected %u", addrs[i], nhs[i], want);
		}
	}
}

static size_t wanted_lookups(void)
{
	const char *text = getenv("LPM4_LOOKUPS");

	return text ? strtoul(text, NULL, 10) : 1000000;
}

static void agrees_with_plain_search(void **state)
{
	struct lpm4 *t = load(&(struct lpm4_conf){.name = "internet", .max_routes = 1000000});

	assert_string_equal(lpm4_name(t), "internet");
	assert_int_equal(lpm4_count(t), oracle_count(&oracle));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(lpm4_get(t, prefixes[i].addr, prefixes[i].len),
				 next_hop(prefixes + i));
	check_random(t, wanted_lookups(), 1);
	lpm4_destroy(t);
}

// Not told in advance how large it will be; the limit is for all of it.
static void fits_in_32_mib(void **state)
{
	struct lpm4 *t = load(&(struct lpm4_conf){.simd = LPM4_SIMD_SCALAR});

	assert_true(lpm4_memory(t) <= 32u << 20);
	check_random(t, 100000, 2);
	lpm4_destroy(t);
}

// A default route comes and goes under everything, in a live table; then half of the table goes.
static void follows_updates(void **state)
{
	struct lpm4 *t = load(NULL);

	lpm4_set_live(t, true);
	assert_int_equal(lpm4_add(t, 0, 0, 77), 0);
	oracle_add(&oracle, 0, 0, 77);
	check_random(t, 100000, 3);
	lpm4_quiescent(t);
	lpm4_quiescent(t);
	assert_true(lpm4_memory(t) <= 32u << 20);
	assert_int_equal(lpm4_delete(t, 0, 0), 0);
	oracle_delete(&oracle, 0, 0);
	lpm4_set_live(t, false);
	for (size_t i = 0; i < count; i += 2)
		assert_int_equal(lpm4_delete(t, prefixes[i].addr, prefixes[i].len), 0);
	for (unsigned len = 0; len <= 32; len++)
		oracle.count[len] = 0;
	for (size_t i = 1; i < count; i += 2)
		oracle_add(&oracle, prefixes[i].addr, prefixes[i].len, next_hop(prefixes + i));
	assert_int_equal(lpm4_count(t), oracle_count(&oracle));
	check_random(t, 100000, 4);
	lpm4_destroy(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_plain_search),
		cmocka_unit_test(fits_in_32_mib),
		cmocka_unit_test(follows_updates),
	};

	if (!find_file()) {
		printf("SKIPPED: no " FILE_NAME " in $WEIR_SHARED, ../shared or ../../shared\n");
		return EXIT_SKIP;
	}
	return cmocka_run_group_tests_name("lpm4_internet", tests, read_table, free_all);
}
