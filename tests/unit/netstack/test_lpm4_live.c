// SPDX-License-Identifier: BSD-3-Clause
// test_lpm4_live.c - lookups on one thread while another adds and withdraws prefixes around them
//
// Every /24 of a /14 has one route that stays: its next hop tells the /24. Shorter, equal and
// longer prefixes come and go around it, blocks and arenas move. The reader must never see any but
// the next hop that stays on its own address, and on the others one that was announced for them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <sched.h>
#include <cmocka.h>

#include "lpm4_oracle.h"
#include "core/x86_64/cpu.h"

#define BASE	 0x0a400000u // 10.64.0.0/14
#define NETS	 1024u	     // its /24s
#define STAYS(i) (1000u + (i))
#define COMES	 7000u // + (/24 number), of whatever comes and goes
#define BURST	 64u

struct shared {
	struct lpm4 *t;
	unsigned long turns; // of the reader
	bool stop;
	unsigned wrong;
	uint32_t wrong_addr, wrong_nh;
};

// The address that stays is .7; any other may have what comes, for this /24 or a larger prefix.
static bool right(uint32_t addr, uint32_t nh)
{
	uint32_t net = (addr - BASE) >> 8;

	if ((addr & 255) == 7)
		return nh == STAYS(net);
	return nh == COMES + net || nh == COMES + NETS || nh == LPM4_MISS;
}

static void *read_on(void *arg)
{
	struct shared *s = arg;
	uint32_t addrs[BURST], nhs[BURST];
	uint64_t seed = 5;

	while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
		for (unsigned i = 0; i < BURST; i++) {
			uint32_t r = oracle_random(&seed);

			addrs[i] = BASE + (r >> 8) % NETS * 256 + (i % 2 ? 7 : r & 255);
		}
		lpm4_lookup_bulk(s->t, addrs, nhs, BURST);
		for (unsigned i = 0; i < BURST; i++) {
			if (right(addrs[i], nhs[i]))
				continue;
			s->wrong++;
			s->wrong_addr = addrs[i];
			s->wrong_nh = nhs[i];
		}
		__atomic_fetch_add(&s->turns, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

// Wait until the reader was between two bursts since the last call, as housekeeping would.
static void grace(struct shared *s)
{
	unsigned long from = __atomic_load_n(&s->turns, __ATOMIC_ACQUIRE);

	while (__atomic_load_n(&s->turns, __ATOMIC_ACQUIRE) < from + 2)
		sched_yield();
	lpm4_quiescent(s->t);
}

static void update(struct shared *s, uint64_t *seed)
{
	uint32_t r = oracle_random(seed), net = (r >> 8) % NETS;
	uint8_t len = 12 + r % 21; // 12 to 32
	uint32_t addr = BASE + net * 256 + (oracle_random(seed) & 255);
	uint32_t prefix = addr & oracle_mask(len);

	if (len == 32 && (addr & 255) == 7)
		return;
	if (r & 0x80000000)
		lpm4_delete(s->t, prefix, len);
	else
		assert_int_equal(lpm4_add(s->t, prefix, len, COMES + (len < 24 ? NETS : net)), 0);
}

static void read_while_updated(enum lpm4_simd simd)
{
	struct shared s = {.t = lpm4_create(&(struct lpm4_conf){.simd = simd})};
	uint64_t seed = 17;
	size_t memory;
	pthread_t reader;

	assert_non_null(s.t);
	for (uint32_t i = 0; i < NETS; i++)
		assert_int_equal(lpm4_add(s.t, BASE + i * 256 + 7, 32, STAYS(i)), 0);
	memory = lpm4_fib_memory(s.t);
	lpm4_set_live(s.t, true);
	assert_int_equal(pthread_create(&reader, NULL, read_on, &s), 0);
	for (unsigned i = 0; i < 60000; i++) {
		update(&s, &seed);
		if (i % 8 == 0) // elsewhere, so that there are ever more
			assert_int_equal(lpm4_add(s.t, BASE + (1u << 24) + i * 64, 32, 1), 0);
		if (i % 128 == 0)
			grace(&s);
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_RELEASE);
	pthread_join(reader, NULL);
	if (s.wrong)
		fail_msg("%u wrong, the last: 0x%08x led to %u", s.wrong, s.wrong_addr, s.wrong_nh);
	assert_true(s.turns > 0);
	assert_true(lpm4_fib_memory(s.t) > memory); // so that an arena moved under the reader
	lpm4_set_live(s.t, false);
	lpm4_destroy(s.t);
}

static void scalar_reader_sees_only_announced(void **state)
{
	read_while_updated(LPM4_SIMD_SCALAR);
}

static void avx512_reader_sees_only_announced(void **state)
{
	if (!cpu_has_avx512_vpopcntdq())
		skip();
	read_while_updated(LPM4_SIMD_AVX512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalar_reader_sees_only_announced),
		cmocka_unit_test(avx512_reader_sees_only_announced),
	};

	return cmocka_run_group_tests_name("lpm4_live", tests, NULL, NULL);
}
