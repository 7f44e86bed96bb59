// SPDX-License-Identifier: BSD-3-Clause
// test_lpm6_live.c - IPv6 lookups on one thread while another adds and withdraws prefixes around
// them
//
// Every /48 of a /38 has one host route that stays: its next hop tells the /48. Shorter, equal and
// longer prefixes come and go around it, blocks and arenas move. The reader must never see any but
// the next hop that stays on its own address, and on the others one that was announced for them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <sched.h>
#include <cmocka.h>

#include "lpm6_oracle.h"
#include "core/x86_64/cpu.h"

#define BASE	 ((oracle6_addr)0x20010db884000000ull << 64) // 2001:db8:8400::/38
#define ELSE	 ((oracle6_addr)0x20010db900000000ull << 64)
#define NETS	 1024u // its /48s
#define STAYS(i) (1000u + (i))
#define COMES	 7000u // + (/48 number), of whatever comes and goes
#define BURST	 64u

#if defined(__has_feature)
#define UNDER_TSAN __has_feature(thread_sanitizer)
#elif defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#else
#define UNDER_TSAN 0
#endif

struct shared {
	struct lpm6 *t;
	unsigned long turns; // of the reader
	bool stop;
	unsigned wrong;
	uint32_t wrong_net, wrong_nh;
};

static oracle6_addr net_addr(uint32_t net)
{
	return BASE + ((oracle6_addr)net << 80);
}

// The address that stays is ::7; any other may have what comes, for this /48 or a larger prefix.
static bool right(uint32_t net, bool stays, uint32_t nh)
{
	if (stays)
		return nh == STAYS(net);
	return nh == COMES + net || nh == COMES + NETS || nh == LPM6_MISS;
}

// An address of the /48 other than ::7, near it or far from it.
static oracle6_addr other(uint32_t net, uint64_t *seed)
{
	oracle6_addr host = oracle6_random_addr(seed) >> (48 + oracle6_random(seed) % 79);

	return net_addr(net) + (host == 7 ? 8 : host);
}

static void *read_on(void *arg)
{
	struct shared *s = arg;
	uint8_t addrs[BURST][16];
	uint32_t net[BURST], nhs[BURST];
	uint64_t seed = 5;

	while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
		for (unsigned i = 0; i < BURST; i++) {
			net[i] = oracle6_random(&seed) % NETS;
			oracle6_bytes(i % 2 ? net_addr(net[i]) + 7 : other(net[i], &seed),
				      addrs[i]);
		}
		lpm6_lookup_bulk(s->t, addrs, nhs, BURST);
		for (unsigned i = 0; i < BURST; i++) {
			if (right(net[i], i % 2, nhs[i]))
				continue;
			s->wrong++;
			s->wrong_net = net[i];
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
	lpm6_quiescent(s->t);
}

static void add(struct lpm6 *t, oracle6_addr prefix, unsigned len, uint32_t nh)
{
	uint8_t bytes[16];

	oracle6_bytes(prefix, bytes);
	assert_int_equal(lpm6_add(t, bytes, (uint8_t)len, nh), 0);
}

static void update(struct shared *s, uint64_t *seed)
{
	uint32_t r = oracle6_random(seed), net = (r >> 8) % NETS;
	unsigned len = 30 + r % 99; // 30 to 128
	oracle6_addr prefix = other(net, seed) & oracle6_mask(len);
	uint8_t bytes[16];

	if (len == 128 && (uint8_t)prefix == 7)
		return;
	oracle6_bytes(prefix, bytes);
	if (r & 0x80000000)
		lpm6_delete(s->t, bytes, (uint8_t)len);
	else
		add(s->t, prefix, len, COMES + (len < 48 ? NETS : net));
}

static void read_while_updated(enum lpm6_simd simd)
{
	struct shared s = {.t = lpm6_create(&(struct lpm6_conf){.simd = simd})};
	uint64_t seed = 17;
	size_t memory;
	pthread_t reader;

	assert_non_null(s.t);
	for (uint32_t i = 0; i < NETS; i++)
		add(s.t, net_addr(i) + 7, 128, STAYS(i));
	memory = lpm6_fib_memory(s.t);
	lpm6_set_live(s.t, true);
	assert_int_equal(pthread_create(&reader, NULL, read_on, &s), 0);
	for (unsigned i = 0; i < 60000; i++) {
		update(&s, &seed);
		if (i % 8 == 0) // elsewhere, so that there are ever more
			add(s.t, ELSE + ((oracle6_addr)i << 64), 64, 1);
		if (i % 128 == 0)
			grace(&s);
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_RELEASE);
	pthread_join(reader, NULL);
	if (s.wrong)
		fail_msg("%u wrong, the last: /48 %u led to %u", s.wrong, s.wrong_net, s.wrong_nh);
	assert_true(s.turns > 0);
	assert_true(lpm6_fib_memory(s.t) > memory); // so that an arena moved under the reader
	lpm6_set_live(s.t, false);
	lpm6_destroy(s.t);
}

static void scalar_reader_sees_only_announced(void **state)
{
	read_while_updated(LPM6_SIMD_SCALAR);
}

// ThreadSanitizer does not see what gathers read, so it takes what they refer to for a race.
static void avx512_reader_sees_only_announced(void **state)
{
	if (UNDER_TSAN || !cpu_has_avx512_vpopcntdq())
		skip();
	read_while_updated(LPM6_SIMD_AVX512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalar_reader_sees_only_announced),
		cmocka_unit_test(avx512_reader_sees_only_announced),
	};

	return cmocka_run_group_tests_name("lpm6_live", tests, NULL, NULL);
}
