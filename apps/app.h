// SPDX-License-Identifier: BSD-3-Clause
// app.h - a network function running on one lcore: ports, graph and loop made from a configuration blob
//
// Both homes use it: apps/image.c in the image, `weir run` hosted. A function (apps/router, apps/patch)
// is a const struct function that wires its graph; everything else is here. Main thread.
#ifndef WEIR_APPS_APP_H
#define WEIR_APPS_APP_H

#include "core/blob.h"
#include "core/err.h"
#include "core/graph.h"
#include "core/loop.h"
#include "core/stats.h"
#include "mempool/mempool.h"
#include "pmd/port.h"
#include "pmd/port_node.h"

struct app;

struct function {
	const char *name; // "router"
	// Wires the graph: app->graph exists, app->port[] are open and app->tx[] are their transmit
	// nodes. Sets app->rx[i], the node at which packets of port i enter (NULL: the port is not
	// polled). State of nodes is freed by their destroy(). 0 or -errno and err.
	int (*build)(struct app *app, struct err *err);
};

struct app {
	const struct function *function;
	struct blob blob;
	struct mempool *pool;
	struct graph *graph;
	struct port port[BLOB_PORTS_MAX];
	struct node *rx[BLOB_PORTS_MAX];
	struct node *tx[BLOB_PORTS_MAX];
	// A function that must not lose what it plays sets pace[i], the transmit node fed by port i: the
	// port is then read no faster than that node sends.
	const struct node *pace[BLOB_PORTS_MAX];
	struct port_gate gate[BLOB_PORTS_MAX];
	unsigned ports;
	struct loop loop;
	// Optional: called with housekeeping, at most APP_TICKS times a second; nonzero ends the loop.
	int (*tick)(struct app *app);
	uint64_t tick_at;      // TSC of the next
	uint64_t ports_tsc;    // when all ports were open
	uint64_t ready_tsc;    // when the loop was entered
	uint64_t first_tx_tsc; // when housekeeping first saw a packet sent; 0: none yet
};

#define APP_TICKS 100

struct app_conf {
	const void *blob; // kept by the caller while the app lives
	size_t blob_len;
	enum clock_kind clock;
	uint64_t linger_ns; // loop.h
};

// Checks the blob, makes the pool, opens the ports, builds and checks the graph. On failure everything is
// undone and err says what is wrong.
int app_start(struct app *app, const struct app_conf *conf, struct err *err);

// Runs the loop on the calling thread, lcore 0, until it ends (loop.h).
void app_run(struct app *app);

// Figures of everything (core/stats.h), after or during app_run().
void app_stats(const struct app *app, stats_emit_fn emit, void *arg);

// How many packet buffers a configuration gets that does not say: for a port what both its rings hold at
// their largest, and for what is in the graph, held, or waiting to be sent.
#define APP_MBUFS(ports) (2048u * (ports) + 2048u)

// What ports that play a capture have to say at its end: 0, or the first error.
int app_capture_error(const struct app *app, struct err *err);

// Destroys the graph and closes the ports; then every packet must be back in the pool. Returns 0, or
// -errno: a port that could not be closed cleanly, -ENOTRECOVERABLE for packets that were lost.
int app_stop(struct app *app, struct err *err);

// The functions this executable has; NULL-terminated. Each product links its own list.
extern const struct function *const function_list[];
extern const struct function router_function;
extern const struct function patch_function;

#endif
