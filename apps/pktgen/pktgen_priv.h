// SPDX-License-Identifier: BSD-3-Clause
// pktgen_priv.h - what the parts of function pktgen share
#ifndef WEIR_APPS_PKTGEN_PKTGEN_PRIV_H
#define WEIR_APPS_PKTGEN_PKTGEN_PRIV_H

#include <stdatomic.h>

#include "apps/pktgen/pktgen.h"
#include "apps/router/router.h"

struct pktgen_lcore {
	struct meas *meas;
	struct gen *gen[BLOB_PORTS_MAX]; // NULL: none of that port's streams is this lcore's
	_Atomic bool done; // as of the last call that asked
};

struct hop { // that streams wait for
	union ip_addr via;
	uint16_t port, iface;
	uint8_t family;
	bool found;	    // iface is its interface
	_Atomic bool known; // mac is
	bool changed;	    // and generators do not know it yet
	uint8_t mac[6];
};

// What lcore 0 does next for the trial. Each step but the ones that wait ends in a call of all lcores.
enum trial_step {
	STEP_NONE,
	STEP_FIND,    // the hops' interfaces
	STEP_ASK,     // for their MAC addresses
	STEP_TELL,    // them to the generators
	STEP_TOLD,
	STEP_LEARN, // the same, with packets that do not count
	STEP_LEARNING,
	STEP_LEARNT,
	STEP_START,
	STEP_STARTED,
	STEP_SEND,
	STEP_LOOK,    // whether all is sent
	STEP_STOPPED,
	STEP_DRAIN,
};

struct trial {
	_Atomic int phase;  // enum pktgen_phase
	_Atomic bool stop;
	enum trial_step step;
	unsigned ticket;    // of the call under way
	uint64_t next;	    // TSC of the next look
	struct pktgen_order order;
	uint64_t *rate;     // of the order; room for all streams
	struct gen_order gen;
	uint64_t deadline;  // TSC: of resolving, then of draining
	_Atomic uint64_t start_tsc, end_tsc; // of sending; 0: not yet
	_Atomic uint64_t over_tsc;	     // of everything
	uint64_t sent;	    // packets, when all is sent
	uint16_t run;
	int error;
	struct err err;
};

struct pktgen { // app->state; it begins with the router, so that router_of() finds that
	struct router router;
	struct pktgen_lcore lcore[APP_LCORES_MAX];
	struct trial trial;
	struct hop *hop;
	uint32_t hops, hop_at; // hop_at: where refreshing goes on
	bool hops_changed;     // some of them
	uint16_t size[MEAS_SIZES_MAX];
	uint32_t sizes;
	struct hdr_pool *scratch; // for figures that lcore 0 adds up
	bool autostart, begun, complained;
};

static inline struct pktgen *pktgen_of(const struct app *app)
{
	return app->state;
}

// station.c: whether a frame that is not signed is for this station (arg: struct app_lcore), and a node that takes
// the place of forwarding in lcore l's graph. 0 or -errno.
bool station_wants(void *arg, uint16_t port, const struct mbuf *m);
int station_no_forwarding(struct app_lcore *l, struct err *err);

// hops.c, lcore 0 between turns. create: from the streams; 0 or -ENOMEM.
int hops_create(struct app *app, struct err *err);
int hops_find(struct app *app, struct err *err); // their interfaces
bool hops_ask(struct app *app);			 // whether all are known now
void hops_refresh(struct app *app);		 // a few of them: kept alive, and looked at whether they moved
bool hops_changed(const struct app *app);	 // some are to be told to the generators
void hops_tell(struct app_lcore *l, void *arg);	 // an app_call_fn
void hops_told(struct app *app);
void hops_unknown(const struct app *app, struct err *err); // says who did not answer

// trial.c, lcore 0 between turns.
void trial_work(struct app *app, uint64_t tsc);

// results.c
void pktgen_stats(const struct app *app, stats_emit_fn emit, void *arg);

#endif
