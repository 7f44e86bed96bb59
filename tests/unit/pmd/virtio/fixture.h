// SPDX-License-Identifier: BSD-3-Clause
// fixture.h - a port of the virtio driver over the model device, for its tests
#ifndef WEIR_TESTS_VIRTIO_FIXTURE_H
#define WEIR_TESTS_VIRTIO_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "mempool/mempool.h"
#include "model.h"
#include "pmd/pmds.h"

#define POOL 1024u // buffers of fix.pool, which all tests share
#define MSEC 1000000ull

struct fixture {
	struct port port;
	struct clock clock; // stands still unless fix_pass() moves it
	struct mempool *pool;
	struct err err;
	uint16_t rx_size, tx_size; // asked for by fix_open()
	uint32_t offloads;	   // the same
	bool open;
};
extern struct fixture fix;

// What rings the model offers, besides all else that it does: tests run with each in turn.
extern const struct fix_layout {
	const char *name;
	uint64_t features;
} fix_layouts[];
#define FIX_LAYOUTS 4
extern unsigned fix_layout; // index of the present one
bool fix_packed(void);
bool fix_in_order(void);

// Runs an array of tests with every layout; how many failed.
#define FIX_RUN(tests)                                                                             \
	({                                                                                         \
		int failed = 0;                                                                    \
		for (fix_layout = 0; fix_layout < FIX_LAYOUTS; fix_layout++)                       \
			failed += cmocka_run_group_tests_name(fix_layouts[fix_layout].name, tests, \
							      NULL, NULL);                         \
		fix_layout = 0;                                                                    \
		failed;                                                                            \
	})

// cmocka set-up and tear-down: an honest model and no port; then closes, and finds all buffers
// home.
int fix_setup(void **state);
int fix_teardown(void **state);

// Opens the port: what the driver said; 0 when it opened.
int fix_open(void);
// It must open.
void fix_up(void);
void fix_close(void);

uint64_t fix_counter(const char *name);
// Moves the clock on and has the port polled.
void fix_pass(uint64_t ns);
unsigned fix_rx(struct mbuf **pkts, unsigned n);
unsigned fix_tx(struct mbuf **pkts, unsigned n);

// A packet of n bytes of a pattern that begins with seed.
struct mbuf *fix_packet(struct mempool *pool, unsigned n, uint8_t seed);
void fix_pattern(uint8_t *p, unsigned n, uint8_t seed);

// A frame sent by the device arrives whole, and one sent by the driver too.
void fix_works(void);

// What every fault must end in: it was counted once, under that name; the device is reset by the
// next poll; then frames flow again.
void fix_recovers(const char *counter);

#endif
