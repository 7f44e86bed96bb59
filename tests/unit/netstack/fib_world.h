// SPDX-License-Identifier: BSD-3-Clause
// fib_world.h - tables of routes over four interfaces, with neighbor tables of some lcores
//
//	interface 0 to 3: 10.0.N.1/24 and 2001:db8:N::1/64; 3 is in VRF 1
#ifndef WEIR_TESTS_UNIT_NETSTACK_FIB_WORLD_H
#define WEIR_TESTS_UNIT_NETSTACK_FIB_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "netstack/fib.h"
#include "netstack/fib_node.h"

#define FIB_WORLD_IFACES 4
#define FIB_WORLD_LCORES 2
#define RED		 1 // the other VRF

struct fib_world {
	struct ifaces *ifs;
	struct fib *f;
	struct neigh_table t4[FIB_WORLD_LCORES], t6[FIB_WORLD_LCORES];
	struct mempool *pool;
	unsigned lcores;
};

void fib_world_open(struct fib_world *w, unsigned lcores, uint32_t hops);
void fib_world_close(struct fib_world *w);

union ip_addr v4(unsigned a, unsigned b, unsigned c, unsigned d);
union ip_addr v6(const char *text); // as inet_pton() reads it

// "10.0.0.0/8 via 10.0.1.9*3,10.0.2.9@2" or "2001:db8::/32 blackhole"; "*" weight, "@" interface; "red:" in
// front: VRF 1.
struct fib_route route(const char *text);
int add(struct fib_world *w, const char *text); // 0 or -errno
int del(struct fib_world *w, const char *text);

// The adjacency that packets to addr ("10.0.0.1", "red:10.0.0.1") with a hash take at lcore 0, for an
// on-link prefix that of gleaning.
const struct adj *take(struct fib_world *w, unsigned lcore, const char *addr, uint32_t hash);
// Whether they are sent to via by iface, at every lcore.
bool goes(struct fib_world *w, const char *addr, const char *via, uint16_t iface);
// How many of n different hashes go there.
unsigned spread(struct fib_world *w, const char *addr, const char *via, unsigned n);

#endif
