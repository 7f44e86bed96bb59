// SPDX-License-Identifier: BSD-3-Clause
// test_mempool_audit.c - audit builds: each sin ends in a report that names the owners, and abort()
//
// Every sinner is a child process; the test reads its standard error. In other builds all but the leak
// count are skipped.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mempool/mempool.h"

static struct mempool *pool_new(const char *name)
{
	struct mempool_conf conf = {.name = name, .count = 64, .data_room = 256};
	struct err err = {""};
	struct mempool *mp = mempool_create(&conf, &err);

	if (!mp)
		fail_msg("%s", err.text);
	return mp;
}

#ifdef WEIR_AUDIT

static struct mbuf *take(struct mempool *mp, const char *owner)
{
	mempool_owner = owner;
	return mbuf_alloc(mp);
}

// Runs sin() in a child, which must abort(), and gives what it wrote.
static void caught(void (*sin)(void), char *text, size_t size)
{
	int fd[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit none = {0, 0};

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		dup2(fd[1], STDERR_FILENO);
		close(fd[0]);
		sin();
		_exit(0);
	}
	close(fd[1]);
	while (len + 1 < size && (n = read(fd[0], text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = 0;
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
		fail_msg("status %x, wrote: %s", status, text);
}

static void assert_report(void (*sin)(void), const char *const *words)
{
	char text[8192];

	caught(sin, text, sizeof(text));
	for (; *words; words++)
		if (!strstr(text, *words))
			fail_msg("no '%s' in: %s", *words, text);
}

static void free_twice(void)
{
	struct mbuf *m = take(pool_new("rx"), "ip4-input");

	mempool_owner = "ip4-rewrite";
	mbuf_free(m);
	mempool_owner = "tx-wan";
	mbuf_free(m);
}

static void free_twice_in_one_bulk(void)
{
	struct mbuf *m = take(pool_new("rx"), "ip4-input");
	struct mbuf *pkts[] = {m, m};

	mbuf_free_bulk(pkts, 2);
}

static void write_data_after_free(void)
{
	struct mempool *mp = pool_new("rx");
	struct mbuf *all[64];
	uint8_t *data;

	mempool_owner = "nat44";
	assert_int_equal(mempool_get_bulk(mp, all, 64), 0);
	data = all[5]->buf + 40;
	mempool_put_bulk(mp, all, 64);
	__asm__ volatile("movb $1, (%0)" : : "r"(data) : "memory"); // out of ASan's sight
	mempool_owner = "rx-lan";
	(void)!mempool_get_bulk(mp, all, 64);
}

static void write_header_after_free(void)
{
	struct mempool *mp = pool_new("rx");
	struct mbuf *all[64];

	mempool_owner = "esp-decrypt";
	assert_int_equal(mempool_get_bulk(mp, all, 64), 0);
	mempool_put_bulk(mp, all, 64);
	all[9]->scratch[3] = 7;
	mempool_owner = "rx-lan";
	(void)!mempool_get_bulk(mp, all, 64);
}

static void put_into_the_wrong_pool(void)
{
	struct mempool *one = pool_new("one"), *two = pool_new("two");
	struct mbuf *m = take(one, "lb");

	mempool_put_bulk(two, &m, 1);
}

static void put_a_chain(void)
{
	struct mempool *mp = pool_new("rx");
	struct mbuf *m = take(mp, "reassembly");

	m->next = take(mp, "reassembly");
	mempool_put_bulk(mp, &m, 1);
}

static void hand_on_after_free(void)
{
	struct mbuf *m = take(pool_new("rx"), "arp");

	mbuf_free(m);
	mempool_own(&m, 1, "eth-output");
}

static void double_free(void **state)
{
	static const char *const words[] = {"double free", "pool rx", "ip4-rewrite", "tx-wan", NULL};
	static const char *const bulk[] = {"double free", "pool rx", "ip4-input", NULL};

	assert_report(free_twice, words);
	assert_report(free_twice_in_one_bulk, bulk);
}

static void write_after_free(void **state)
{
	// 128 bytes of mbuf, then byte 40 of the room; the scratch begins at 48.
	static const char *const data[] = {"write after free", "byte 168", "nat44", "rx-lan", NULL};
	static const char *const header[] = {"write after free", "byte 51", "esp-decrypt", NULL};

	assert_report(write_data_after_free, data);
	assert_report(write_header_after_free, header);
}

static void wrong_put(void **state)
{
	static const char *const pool[] = {"wrong pool", "one", "two", "lb", NULL};
	static const char *const chain[] = {"chained or shared", "reassembly", NULL};

	assert_report(put_into_the_wrong_pool, pool);
	assert_report(put_a_chain, chain);
}

static void handing_on(void **state)
{
	static const char *const words[] = {"free buffer was handed on", "arp", "eth-output", NULL};

	assert_report(hand_on_after_free, words);
}

#else

static void double_free(void **state)
{
	print_message("skipped: needs --buildtype=debug\n");
	skip();
}

#define write_after_free double_free
#define wrong_put	 double_free
#define handing_on	 double_free

#endif

static void leaks_by_owner(void **state)
{
	struct mempool *mp = pool_new("leaky");
	struct mbuf *arp[3], *nat[2], *chain;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(mempool_report(mp, out), 0);
	fflush(out);
	assert_int_equal(len, 0);
	mempool_owner = "rx";
	assert_int_equal(mempool_get_bulk(mp, arp, 3), 0);
	assert_int_equal(mempool_get_bulk(mp, nat, 2), 0);
	chain = mbuf_from_bytes(mp, text, 0);
	chain->next = mbuf_from_bytes(mp, text, 0);
	chain->nsegs = 2;
	for (unsigned i = 0; i < 3; i++)
		mbuf_reset(arp[i]);
	mempool_own(arp, 3, "arp");
	mempool_own(nat, 2, "nat44");
	mempool_own(&chain, 1, "reassembly");
	mbuf_free(arp[0]);
	assert_int_equal(mempool_report(mp, out), 6);
	fclose(out);
#ifdef WEIR_AUDIT
	assert_non_null(strstr(text, "mempool leaky: arp holds 2\n"));
	assert_non_null(strstr(text, "mempool leaky: nat44 holds 2\n"));
	assert_non_null(strstr(text, "mempool leaky: reassembly holds 2\n"));
#else
	assert_string_equal(text, "mempool leaky: 6 of 64 buffers are out\n");
#endif
	free(text);
	mbuf_free(arp[1]);
	mbuf_free(arp[2]);
	mbuf_free_bulk(nat, 2);
	mbuf_free(chain);
	assert_int_equal(mempool_report(mp, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(double_free), cmocka_unit_test(write_after_free),
		cmocka_unit_test(wrong_put),   cmocka_unit_test(handing_on),
		cmocka_unit_test(leaks_by_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
