// SPDX-License-Identifier: BSD-3-Clause
// threads.c - one thread a vCPU: start, count together, own storage, join, start again
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/plat.h"
#include "core/x86_64/cpu.h"

#define COUNT  10000
#define LOCKED 100
#define LCORES 64

static atomic_uint arrived, sum;
static atomic_int errors;
static __thread unsigned mine = 7; // initialised thread-local storage
static __thread char scratch[512]; // and zeroed
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned long guarded;
static sem_t done;

static unsigned lcores;
static uint64_t vector_state; // XCR0 of the boot CPU: every lcore must have the same registers

static void work(unsigned id)
{
	char zero[sizeof(scratch)] = {0};

	if (mine != 7 || memcmp(scratch, zero, sizeof(zero)) || plat_lcore_pin(id) ||
	    cpu_xcr0() != vector_state)
		atomic_fetch_add(&errors, 1);
	mine = id;
	memset(scratch, (int)id, sizeof(scratch));
	atomic_fetch_add(&arrived, 1);
	while (atomic_load(&arrived) % lcores) // all at once; a crowd leaves its host some room
		if (lcores > 8)
			usleep(1000);
	for (int i = 0; i < COUNT; i++)
		atomic_fetch_add(&sum, 1);
	for (int i = 0; i < LOCKED; i++) {
		pthread_mutex_lock(&mutex);
		guarded++;
		pthread_mutex_unlock(&mutex);
	}
	if (mine != id || scratch[5] != (char)id)
		atomic_fetch_add(&errors, 1);
	mine = 7; // main's thread comes again
	memset(scratch, 0, sizeof(scratch));
}

static void *thread(void *arg)
{
	work((unsigned)(uintptr_t)arg);
	return arg;
}

static void *detached(void *arg)
{
	sem_post(&done);
	return NULL;
}

static int all_lcores(void)
{
	pthread_t t[LCORES];
	void *result;

	for (uintptr_t i = 1; i < lcores; i++)
		if (pthread_create(&t[i], NULL, thread, (void *)i))
			return -1;
	work(0);
	for (uintptr_t i = 1; i < lcores; i++)
		if (pthread_join(t[i], &result) || result != (void *)i)
			return -1;
	return 0;
}

// A detached thread frees its own stack; the vCPU and the stack serve again.
static int detached_threads(void)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sem_init(&done, 0, 0);
	for (int i = 0; i < 20;) {
		int err = pthread_create(&t, &attr, detached, NULL);

		if (err == EAGAIN) // the last one has not quite ended
			continue;
		if (err)
			return -1;
		sem_wait(&done);
		i++;
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 3;
	pthread_t t;

	lcores = plat_lcore_count();
	vector_state = cpu_xcr0();
	printf("lcores %u, vector state %llx\n", lcores, (unsigned long long)vector_state);
	for (unsigned round = 0; round < rounds; round++)
		if (all_lcores())
			return 1;
	printf("sum %u of %u, guarded %lu of %u, errors %d\n", sum, rounds * lcores * COUNT,
	       guarded, rounds * lcores * LOCKED, errors);
	if (lcores > 1 && detached_threads())
		return 1;
	if (lcores == 1)
		printf("one more: %s\n", strerror(pthread_create(&t, NULL, detached, NULL)));
	plat_seal();
	printf("after the seal: %s\n", strerror(pthread_create(&t, NULL, detached, NULL)));
	return errors || sum != rounds * lcores * COUNT || guarded != rounds * lcores * LOCKED;
}
