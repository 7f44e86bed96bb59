// SPDX-License-Identifier: BSD-3-Clause
// test_plat_linux.c - the platform contract, hosted
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/lcore.h"
#include "core/linux/plat_linux.h"
#include "core/plat.h"

#define ARENA ((size_t)8 << 20)

static void arena_is_made_once(void **state)
{
	assert_int_equal(plat_linux_arena_fd(), -1);
	assert_null(plat_linux_arena_base());
	assert_int_equal(plat_linux_init(SIZE_MAX), -EINVAL);
	assert_int_equal(plat_linux_init(ARENA - 5), 0); // rounded up to 2 MiB pages
	assert_int_equal(plat_linux_init(ARENA), -EBUSY);
	assert_int_equal(plat_arena_size(), ARENA);
	assert_int_equal(plat_arena_free(), ARENA);
	assert_true(plat_linux_arena_fd() >= 0);
	assert_int_equal((uintptr_t)plat_linux_arena_base() % (2u << 20), 0);
}

static void arena_allocates(void **state)
{
	uint8_t *base = plat_linux_arena_base();
	uint8_t *a = plat_arena_alloc(100, 64);
	uint8_t *b = plat_arena_alloc(1, 4096);
	uint8_t *c = plat_arena_alloc(64, 1);
	static const uint8_t zero[100];

	assert_ptr_equal(a, base);
	assert_ptr_equal(b, base + 4096);
	assert_ptr_equal(c, base + 4097);
	assert_memory_equal(a, zero, sizeof(zero));
	assert_int_equal(plat_iova(b) - plat_iova(a), b - a);
	assert_null(plat_arena_alloc(64, 0));
	assert_null(plat_arena_alloc(64, 48));
	assert_null(plat_arena_alloc(ARENA, 64));
	assert_null(plat_arena_alloc(SIZE_MAX, 64));
	assert_null(plat_arena_alloc(64, (size_t)1 << 62));
	assert_int_equal(plat_arena_free(), ARENA - 4097 - 64);
}

// Who maps the descriptor sees the same bytes: vhost-user back ends do.
static void arena_is_shared(void **state)
{
	uint8_t *mine = plat_arena_alloc(64, 64);
	size_t off = (size_t)(mine - (uint8_t *)plat_linux_arena_base());
	uint8_t *theirs = mmap(NULL, ARENA, PROT_READ, MAP_SHARED, plat_linux_arena_fd(), 0);
	struct stat st;

	assert_ptr_not_equal(theirs, MAP_FAILED);
	memcpy(mine, "weir", 4);
	assert_memory_equal(theirs + off, "weir", 4);
	munmap(theirs, ARENA);
	assert_int_equal(fstat(plat_linux_arena_fd(), &st), 0);
	assert_int_equal(st.st_size, ARENA);
	assert_true(fcntl(plat_linux_arena_fd(), F_GETFD) & FD_CLOEXEC);
}

#define GRABS 1000

static void *grab(void *arg)
{
	uint64_t **got = arg;

	for (unsigned i = 0; i < GRABS; i++) {
		got[i] = plat_arena_alloc(sizeof(uint64_t), sizeof(uint64_t));
		(*got[i])++;
	}
	return NULL;
}

static void arena_of_two_threads(void **state)
{
	static uint64_t *mine[GRABS], *theirs[GRABS];
	pthread_t other;

	assert_int_equal(pthread_create(&other, NULL, grab, theirs), 0);
	grab(mine);
	pthread_join(other, NULL);
	for (unsigned i = 0; i < GRABS; i++) { // nobody got what another has
		assert_int_equal(*mine[i], 1);
		assert_int_equal(*theirs[i], 1);
	}
}

static void *pinned_thread(void *arg)
{
	cpu_set_t *set = arg;
	intptr_t rc = plat_lcore_pin(plat_lcore_count() - 1);

	sched_getaffinity(0, sizeof(*set), set);
	return (void *)rc;
}

// A thread started by a pinned one still reaches the last CPU of the process's mask.
static void lcores(void **state)
{
	cpu_set_t before, after, other;
	pthread_t thread;
	void *rc;

	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(plat_lcore_count(), CPU_COUNT(&before) < LCORE_MAX ? CPU_COUNT(&before)
									      : LCORE_MAX);
	assert_int_equal(plat_lcore_pin(plat_lcore_count()), -ENODEV);
	assert_int_equal(lcore_enter(LCORE_MAX), -EINVAL);
	assert_int_equal(lcore_enter(0), 0);
	assert_int_equal(sched_getaffinity(0, sizeof(after), &after), 0);
	assert_int_equal(CPU_COUNT(&after), 1);
	assert_true(CPU_ISSET(sched_getcpu(), &before));
	assert_int_equal(pthread_create(&thread, NULL, pinned_thread, &other), 0);
	pthread_join(thread, &rc);
	assert_null(rc);
	assert_int_equal(CPU_COUNT(&other), 1);
	assert_int_equal(CPU_EQUAL(&other, &after), plat_lcore_count() == 1);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

// The TSC and the kernel's clock at one moment: the thread was not stopped in between for long.
static void read_both(uint64_t *tsc, double *seconds)
{
	struct timespec a, b;
	double took;

	do {
		clock_gettime(CLOCK_MONOTONIC_RAW, &a);
		*tsc = tsc_read();
		clock_gettime(CLOCK_MONOTONIC_RAW, &b);
		took = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	} while (took > 100e-6);
	*seconds = (double)a.tv_sec + (double)a.tv_nsec / 1e9;
}

// Beside the kernel's clock, over 100 ms, within 1%: a wrong unit or a wrong crystal is off by
// more.
static void tsc_rate(void **state)
{
	struct timespec wait = {.tv_nsec = 100000000};
	double from, to, error;
	uint64_t a, b;

	assert_int_equal(plat_tsc_hz(), plat_tsc_hz());
	read_both(&a, &from);
	nanosleep(&wait, NULL);
	read_both(&b, &to);
	error = (double)(b - a) / (to - from) / (double)plat_tsc_hz() - 1;
	if (error < -0.01 || error > 0.01)
		fail_msg("%f of the rate", error);
}

static void entropy(void **state)
{
	uint8_t a[300] = {0}, b[300] = {0};

	assert_int_equal(plat_entropy(a, sizeof(a)), 0);
	assert_int_equal(plat_entropy(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, a + 150, 150);
	assert_int_equal(plat_entropy(NULL, 0), 0);
}

static void console(void **state)
{
	int fd[2], was = dup(STDIN_FILENO);

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(dup2(fd[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(write(fd[1], "q\xff", 2), 2);
	assert_int_equal(plat_console_getc(), -1); // not asked to
	plat_linux_console(true);
	assert_int_equal(plat_console_getc(), 'q');
	assert_int_equal(plat_console_getc(), 0xff);
	assert_int_equal(plat_console_getc(), -1); // nothing waits
	close(fd[1]);
	assert_int_equal(plat_console_getc(), -1); // the end
	assert_int_equal(plat_console_getc(), -1);
	dup2(was, STDIN_FILENO);
	close(was);
	close(fd[0]);
}

static void the_rest(void **state)
{
	size_t len = 7;

	assert_null(plat_blob(&len));
	assert_int_equal(len, 0);
	assert_int_equal(plat_seal(), 0);
	assert_int_equal(plat_boot_times.entry | plat_boot_times.libos | plat_boot_times.main, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_is_made_once), cmocka_unit_test(arena_allocates),
		cmocka_unit_test(arena_is_shared),    cmocka_unit_test(arena_of_two_threads),
		cmocka_unit_test(lcores),	      cmocka_unit_test(tsc_rate),
		cmocka_unit_test(entropy),	      cmocka_unit_test(console),
		cmocka_unit_test(the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
