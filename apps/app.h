// SPDX-License-Identifier: BSD-3-Clause
// app.h - a network function on one or more lcores: ports, graphs and loops made from a
// configuration blob
//
// Both homes use it: apps/image.c in the image, `weir run` hosted. A function (apps/router,
// apps/patch) is a const struct function that wires a graph; everything else is here. Main thread,
// which is lcore 0.
//
// Every lcore has a graph and a loop of its own, and queue pair k of every port is lcore k's. Where
// a port has fewer pairs than there are lcores, or does not spread flows by itself, packets are
// handed over (core/handoff.h): a flow meets the same lcore in both directions.
#ifndef WEIR_APPS_APP_H
#define WEIR_APPS_APP_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/blob.h"
#include "core/err.h"
#include "core/graph.h"
#include "core/handoff.h"
#include "core/loop.h"
#include "core/stats.h"
#include "mempool/mempool.h"
#include "pmd/port.h"
#include "pmd/port_node.h"

#define APP_LCORES_MAX PORT_QUEUES_MAX

struct app;
struct app_lcore;
struct control;
struct control_ops;

// Something done on lcore l between two of its turns.
typedef void (*app_call_fn)(struct app_lcore *l, void *arg);

struct app_call {
	app_call_fn fn;
	void *arg;
};
#define APP_CALLS 8u // under way at once; a power of two

struct app_books { // of one lcore, of one moment
	struct graph_books graph;
	struct handoff_books handoff;
	uint64_t turn; // cycles: the longest since loop_watch()
};

struct app_lcore {
	struct app *app;
	unsigned id;
	struct graph *graph;
	struct node *rx[BLOB_PORTS_MAX]; // where packets of port i enter the function
	// Where the loop lets packets of port i enter; NULL: it does not poll it. While the port is down they
	// enter at `down`.
	struct loop_source *source[BLOB_PORTS_MAX];
	struct node *entry[BLOB_PORTS_MAX];
	struct node *down;
	struct node *tx[BLOB_PORTS_MAX]; // what sends by port i: its own queue, or a hand-over
	// A function that must not lose what it plays sets pace[i], the transmit node fed by port
	// i: the port is then read no faster than that node sends.
	const struct node *pace[BLOB_PORTS_MAX];
	struct port_gate gate[BLOB_PORTS_MAX];
	struct loop_source own[BLOB_PORTS_MAX]; // app_source_add()
	unsigned owns;
	struct loop loop;
	uint64_t tick_at; // TSC of the next
	pthread_t thread; // of lcores 1 and up
	bool started;
	_Atomic int entered;   // 0: not yet; 1: its thread is on its CPU; -errno
	_Atomic unsigned called; // of app->calls: how many it has answered
	_Atomic bool left;	 // it runs no more
	struct app_books books;	 // its own, as of the call that asked for them
} cache_aligned;

struct function {
	const char *name; // "router"
	// Optional: whether it wants frames for the port's own address alone, so that the port may filter
	// them. NULL: it does not.
	bool (*station)(const struct blob *b, unsigned port);
	// Optional: how many packets an lcore holds at most, beyond what APP_MBUFS counts. They get buffers where
	// the configuration says no number.
	uint32_t (*holds)(const struct blob *b);
	// Wires the graph of one lcore: l->graph exists, app->port[] are open and l->tx[] are their
	// transmit nodes. Sets l->rx[i], the node at which packets of port i enter (NULL: the port
	// is not polled). Called for lcore 0, then 1 and so on. State of nodes is freed by their
	// destroy(). 0 or -errno and err.
	int (*build)(struct app_lcore *l, struct err *err);
	// Optional, by lcore 0 between turns: tells the network behind a port where this station
	// is, since it asks (a virtual machine has moved, say).
	void (*announce)(struct app_lcore *l, unsigned port);
	// Optional, by lcore 0 between turns: the link of a port came or went. It counts as up before.
	void (*link)(struct app *app, unsigned port, bool up);
	// Optional, by lcore 0 between turns: the operator wants an interface that is no port up or down. False:
	// there is none of that number.
	bool (*admin)(struct app *app, unsigned iface, bool up);
	// Optional, by lcore 0 between turns, APP_TICKS times a second at most: what can wait that long.
	void (*tick)(struct app *app);
	// Optional, on the real clock: no lcore runs any longer. What nodes of lcore 0 emit from the housekeeping
	// that follows still leaves.
	void (*end)(struct app_lcore *l0);
	// Optional, by lcore 0 with its housekeeping: a slice, of at most 50 us or so, of work that is left to
	// do between turns. Whether there is more: lcore 0 had better not sleep.
	bool (*work)(struct app *app);
	// Optional: frees app->state when all graphs are gone. Also after a build() that failed.
	void (*destroy)(struct app *app);
	// Optional, by lcore 0: hands on figures of its own.
	void (*stats)(const struct app *app, stats_emit_fn emit, void *arg);
	// Optional: what it does for the control channel (apps/control.h).
	const struct control_ops *control;
};

struct app {
	const struct function *function;
	struct blob blob;
	void *state; // the function's
	struct mempool *pool;
	struct port port[BLOB_PORTS_MAX];
	bool link_down[BLOB_PORTS_MAX];
	uint32_t announced[BLOB_PORTS_MAX]; // of port.announce: as many as the function was told of
	unsigned ports;
	struct app_lcore *lcore;
	unsigned lcores;
	struct handoff *handoff; // NULL with one lcore
	// Optional: called with housekeeping of lcore 0, at most APP_TICKS times a second; nonzero
	// ends all.
	int (*tick)(struct app *app);
	uint64_t ports_tsc;	       // when all ports were open
	uint64_t ready_tsc;	       // when the loop was entered
	_Atomic uint64_t first_tx_tsc; // when housekeeping first saw a packet sent; 0: none yet
	_Atomic bool go;	       // lcores may run
	_Atomic bool over;	       // app_run() has returned
	struct app_call call[APP_CALLS];
	_Atomic unsigned calls;	 // made so far
	struct control *control; // NULL: nobody can
};

#define APP_TICKS 100

struct app_conf {
	const void *blob; // kept by the caller while the app lives
	size_t blob_len;
	enum clock_kind clock;
	uint64_t linger_ns; // loop.h
	const struct pmd *pmd; // the driver of every port, whatever the blob says; NULL: as it says
};

// Checks the blob, makes the pool, opens the ports, builds and checks the graphs, starts the
// lcores, which wait. On failure everything is undone and err says what is wrong.
int app_start(struct app *app, const struct app_conf *conf, struct err *err);

// Runs all lcores, lcore 0 on the calling thread, until one ends (loop.h) or app_end() is called.
void app_run(struct app *app);

// Ends app_run(). Any thread, and from a signal handler.
void app_end(struct app *app);

// By lcore 0, between its turns (housekeeping, tick), never within fn: runs fn(l, arg) on every lcore
// between two turns of its own, on lcore 0 now, on others as soon as they get there, in the order of the
// calls; sleeping ones are woken. Done when app_called(ticket) says so, which lcore 0 asks at later
// housekeepings: then every burst that was under way at the call has run to its end, so that what it could
// see may be freed or reused (packets that nodes hold, or that wait between lcores, are still there). An
// lcore that has ended counts as done. False, and nothing is done: APP_CALLS are under way already; try again
// at the next housekeeping.
bool app_call(struct app *app, app_call_fn fn, void *arg, unsigned *ticket);
bool app_called(const struct app *app, unsigned ticket);

// For a function, from build(): lcore l polls burst(arg, …) for packets that the function makes itself; they
// enter at node, of l's graph, and count as generated by it. Such an lcore does not sleep. 0 or -ENOSPC.
int app_source_add(struct app_lcore *l, loop_burst_fn burst, void *arg, struct node *node, struct err *err);

// For a function: the node "handoff-TO-ENTRY" of the graph of lcore `from`, added if need be. What
// it is given enters at `entry`, a node of the graph of lcore `to`. NULL and err when it cannot be.
struct node *app_handoff(struct app *app, unsigned from, struct node *entry, struct err *err);

// Figures of everything (core/stats.h), after or during app_run(); during it by lcore 0. Beside
// those,
//	lcores.K.{packets,polls,empty,busy_cycles,given,taken}	given, taken: handed over
//	ports.NAME.queues.Q					the lcore that queue pair Q belongs
//to
void app_stats(struct app *app, stats_emit_fn emit, void *arg);

// The books of all lcores together; what is under way between two lcores is held. False: they do
// not balance.
bool app_books(struct app *app, struct graph_books *b);

// "queue 0 lcore 0, queue 1 lcore 1" of a port, and who hands over, in buf.
void app_port_queues(const struct app *app, unsigned port, char *buf, size_t len);

// How many packet buffers a configuration gets that does not say: for a queue pair what both its
// rings hold at their largest, and for what is in an lcore's graph and cache, held, handed over, or
// waiting to be sent.
#define APP_MBUFS(ports, lcores) (2048u * (ports) * (lcores) + 2048u * (lcores))

// What ports that play a capture have to say at its end: 0, or the first error.
int app_capture_error(const struct app *app, struct err *err);

// Ends and joins the lcores, destroys their graphs and closes the ports; then every packet must be
// back in the pool. Returns 0, or -errno: a port that could not be closed cleanly, -ENOTRECOVERABLE
// for packets that were lost.
int app_stop(struct app *app, struct err *err);

// The functions this executable has; NULL-terminated. Each product links its own list.
extern const struct function *const function_list[];
extern const struct function router_function;
extern const struct function patch_function;
extern const struct function replay_function;
extern const struct function impair_function;

// --- between apps/app*.c alone ---

// Makes the graph of every lcore, with hand-over where it is needed, and fills the loops.
int app_build(struct app *app, const struct app_conf *conf, struct err *err);

// Starts the threads of lcores 1 and up, and waits until each is on its CPU.
int app_lcores_start(struct app *app, struct err *err);
void app_lcores_join(struct app *app);

// Between turns of an lcore: does what it was called for.
void app_answer_calls(struct app_lcore *l);

// The lcore writes down its own books (an app_call_fn); and after that call of all lcores: all together, and
// the longest turn of any.
void app_tell(struct app_lcore *l, void *arg);
bool app_books_told(const struct app *app, struct graph_books *b, uint64_t *turn);

// app_stats() in pieces: piece number `part`, from 0 on; false: there is no such, and none after it. told: the
// books are as app_tell() had them, not asked for anew.
bool app_stats_part(struct app *app, unsigned part, bool told, stats_emit_fn emit, void *arg);

#endif
