// SPDX-License-Identifier: BSD-3-Clause
// test_lpm6_internet.c - the whole Internet's IPv6 table against a plain search
//
// The table is shared/data/routes/internet-2024-prefixes.txt.gz, looked for in $WEIR_SHARED and
// next to the source tree; without it this test is skipped, and says so. $LPM6_LOOKUPS is the
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

#include "lpm6_oracle.h"

#define FILE_NAME "data/routes/internet-2024-prefixes.txt.gz"
#define EXIT_SKIP 77 // as Meson has it
#define MOST	  500000u

struct prefix {
	uint8_t addr[16];
	uint8_t len;
	uint16_t nh;
};

static char path[512];
static struct prefix *prefixes;
static size_t count;
static struct oracle6 oracle;

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

static oracle6_addr number(const uint8_t bytes[16])
{
	oracle6_addr a = 0;

	for (unsigned i = 0; i < 16; i++)
		a = a << 8 | bytes[i];
	return a;
}

static int read_table(void **state)
{
	char command[600], line[128], text[64];
	uint64_t seed = 23;
	unsigned len;
	FILE *in;

	snprintf(command, sizeof(command), "gzip -dc '%s'", path);
	in = popen(command, "r");
	prefixes = malloc(MOST * sizeof(*prefixes));
	if (!in || !prefixes)
		return -1;
	while (fgets(line, sizeof(line), in) && count < MOST) {
		struct prefix *p = prefixes + count;

		if (sscanf(line, "%63[0-9a-fA-F:]/%u", text, &len) != 2 ||
		    inet_pton(AF_INET6, text, p->addr) != 1)
			continue; // IPv4
		p->len = (uint8_t)len;
		p->nh = (uint16_t)(oracle6_random(&seed) % (LPM6_NH_MAX + 1));
		count++;
	}
	for (size_t i = 0; i < count; i++)
		oracle6_add(&oracle, number(prefixes[i].addr), prefixes[i].len, prefixes[i].nh);
	return pclose(in);
}

static int free_all(void **state)
{
	oracle6_free(&oracle);
	free(prefixes);
	return 0;
}

static struct lpm6 *load(const struct lpm6_conf *conf)
{
	struct lpm6 *t = lpm6_create(conf);
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(lpm6_add(t, prefixes[i].addr, prefixes[i].len, prefixes[i].nh), 0);
	clock_gettime(CLOCK_MONOTONIC, &to);
	print_message("%zu prefixes in %.0f ms, %.2f MiB, %s\n", lpm6_count(t),
		      (double)(to.tv_sec - from.tv_sec) * 1e3 +
			      (double)(to.tv_nsec - from.tv_nsec) / 1e6,
		      (double)lpm6_memory(t) / (1 << 20), lpm6_simd_name(t));
	return t;
}

// An eighth of the addresses are anywhere, the others inside a prefix of the table or at its edge.
static oracle6_addr draw(uint64_t *seed)
{
	uint32_t r = oracle6_random(seed);
	oracle6_addr addr = oracle6_random_addr(seed);
	const struct prefix *p = prefixes + (r >> 3) % count;

	if ((r & 7) == 0)
		return addr;
	if ((r & 7) == 1)
		return number(p->addr) - 1;
	return number(p->addr) | (addr & ~oracle6_mask(p->len));
}

static void check_random(const struct lpm6 *t, size_t lookups, uint64_t seed)
{
	oracle6_addr addrs[64];
	uint8_t bytes[64][16];
	uint32_t nhs[64];

	for (size_t n = 0; n < lookups; n += 64) {
		for (unsigned i = 0; i < 64; i++) {
			addrs[i] = draw(&seed);
			oracle6_bytes(addrs[i], bytes[i]);
		}
		lpm6_lookup_bulk(t, bytes, nhs, 64);
		for (unsigned i = 0; i < 64; i++) {
			uint32_t want = oracle6_lookup(&oracle, addrs[i]);

			if (nhs[i] != want || lpm6_lookup(t, bytes[i]) != want)
				fail_msg("%016lx%016lx: %u, expected %u",
					 (uint64_t)(addrs[i] >> 64), (uint64_t)addrs[i], nhs[i],
					 want);
		}
	}
}

static size_t wanted_lookups(void)
{
	const char *text = getenv("LPM6_LOOKUPS");

	return text ? strtoul(text, NULL, 10) : 1000000;
}

static void agrees_with_plain_search(void **state)
{
	struct lpm6 *t = load(&(struct lpm6_conf){.name = "internet", .max_routes = 160000});

	assert_string_equal(lpm6_name(t), "internet");
	assert_int_equal(lpm6_count(t), oracle6_count(&oracle));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(lpm6_get(t, prefixes[i].addr, prefixes[i].len), prefixes[i].nh);
	check_random(t, wanted_lookups(), 1);
	lpm6_destroy(t);
}

// Not told in advance how large it will be; the limit is for all of it.
static void fits_in_8_mib(void **state)
{
	struct lpm6 *t = load(&(struct lpm6_conf){.simd = LPM6_SIMD_SCALAR});

	assert_true(lpm6_memory(t) <= 8u << 20);
	check_random(t, 100000, 2);
	lpm6_destroy(t);
}

// A default route comes and goes under everything, in a live table; then half of the table goes.
static void follows_updates(void **state)
{
	const uint8_t any[16] = {0};
	struct lpm6 *t = load(NULL);

	lpm6_set_live(t, true);
	assert_int_equal(lpm6_add(t, any, 0, 77), 0);
	oracle6_add(&oracle, 0, 0, 77);
	check_random(t, 100000, 3);
	lpm6_quiescent(t);
	lpm6_quiescent(t);
	assert_true(lpm6_memory(t) <= 8u << 20);
	assert_int_equal(lpm6_delete(t, any, 0), 0);
	oracle6_delete(&oracle, 0, 0);
	lpm6_set_live(t, false);
	for (size_t i = 0; i < count; i += 2)
		assert_int_equal(lpm6_delete(t, prefixes[i].addr, prefixes[i].len), 0);
	for (unsigned len = 0; len <= 128; len++)
		oracle.count[len] = 0;
	for (size_t i = 1; i < count; i += 2)
		oracle6_add(&oracle, number(prefixes[i].addr), prefixes[i].len, prefixes[i].nh);
	assert_int_equal(lpm6_count(t), oracle6_count(&oracle));
	check_random(t, 100000, 4);
	lpm6_destroy(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_plain_search),
		cmocka_unit_test(fits_in_8_mib),
		cmocka_unit_test(follows_updates),
	};

	if (!find_file()) {
		printf("SKIPPED: no " FILE_NAME " in $WEIR_SHARED, ../shared or ../../shared\n");
		return EXIT_SKIP;
	}
	return cmocka_run_group_tests_name("lpm6_internet", tests, read_table, free_all);
}
