// SPDX-License-Identifier: BSD-3-Clause
// app.h - a network function running on one lcore: ports, graph and loop made from a configuration blob
//
// Both homes use it: apps/image.c in the image, `weir run` hosted. A function (apps/router, apps/patch)
// is a const struct function that wires its graph; everything else is here.
#ifndef WEIR_APPS_APP_H
#define WEIR_APPS_APP_H

#include "core/blob.h"
#include "core/err.h"
#include "core/graph.h"
#include "core/loop.h"
#include "mempool/mempool.h"
#include "pmd/port.h"

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
	unsigned ports;
	struct loop loop;
};

// The functions this executable has; NULL-terminated. Each product links its own list.
extern const struct function *const function_list[];
extern const struct function router_function;
extern const struct function patch_function;

#endif
