// SPDX-License-Identifier: BSD-3-Clause
// control_priv.h - the control channel's server, between apps/control*.c alone
#ifndef WEIR_APPS_CONTROL_PRIV_H
#define WEIR_APPS_CONTROL_PRIV_H

#include "apps/app.h"
#include "apps/control.h"

#define CONTROL_CLIENTS	  8u
#define CONTROL_LISTENERS 2u
#define CONTROL_OPEN_S	  30u	// a transaction without a request lives so long
#define CONTROL_STUCK_S	  30u	// and a client that does not take its answer

struct client {
	struct control *control;
	struct stream *stream; // NULL: free, or (gone) the work of its request is still under way
	bool gone;
	bool syncing;	 // nonsense came: everything up to CTL_SYNC bytes of 0 is skipped
	bool pending;	 // a request said -EINPROGRESS
	bool lost_txn;	 // its transaction was dropped, and it does not know yet
	bool last;	 // close when the answer is out
	bool moved;	 // bytes came or went since the last look
	uint32_t zeros;	 // in a row, while syncing
	uint32_t have;	 // bytes in `in`
	uint32_t out_len, out_done;
	uint64_t out_since; // TSC: since when the answer waits
	uint32_t staged;    // operations of its transaction
	unsigned ticket;    // of its app_call()
	uint8_t step;	    // of its request
	// Figures, as of the request from 0.
	uint8_t *figures;
	uint32_t figures_len, figures_room;
	bool figures_lost;
	unsigned part;
	uint8_t *in;  // CTL_FRAME_MAX
	uint8_t *out; // CTL_SYNC + CTL_FRAME_MAX
};

// client.step of requests that take transactions or calls
enum step { STEP_NEW, STEP_STAGE, STEP_WAIT };

enum job { JOB_NONE, JOB_COMMIT, JOB_EACH, JOB_REVERT };
enum phase { PHASE_WATCH, PHASE_WATCHED, PHASE_WORK, PHASE_TELL, PHASE_TOLD };

struct txn {
	enum ctl_txn state;
	struct client *owner; // with CTL_TXN_OPEN, and while its job is under way; NULL: nobody's
	uint32_t confirm_s;
	uint64_t deadline; // TSC: OPEN: when it is dropped; UNCONFIRMED: when it is taken back
	enum job job;
	enum phase phase;
	bool done; // the job, for its owner to fetch
	unsigned ticket;
	uint64_t began; // TSC
	struct graph_books before;
	struct control_req req; // of JOB_EACH: its payload lies with the owner, who waits
	struct ctl_cost cost;
	int result;
	uint32_t at;
	struct err err;
};

struct control {
	struct app *app;
	const struct control_ops *ops; // the function's; NULL: none
	struct stream_listener *listener[CONTROL_LISTENERS];
	unsigned listeners;
	struct client client[CONTROL_CLIENTS];
	struct txn txn;
	uint64_t now;	   // TSC, as of this poll
	uint64_t look_at;  // TSC of the next look at everybody
	uint64_t quiet_at; // until then every housekeeping looks
	uint64_t sleeps;   // of the loop, at the last look
};

typedef int (*control_fn)(struct client *cl, struct control_req *req, struct control_out *out,
			  struct err *err);

// Requests of every function (control_basic.c). As control_ops.request.
int control_hello(struct client *cl, struct control_req *req, struct control_out *out, struct err *err);
int control_describe(struct client *cl, struct control_req *req, struct control_out *out, struct err *err);
int control_stats(struct client *cl, struct control_req *req, struct control_out *out, struct err *err);
int control_ports(struct client *cl, struct control_req *req, struct control_out *out, struct err *err);
int control_port_set(struct client *cl, struct control_req *req, struct control_out *out, struct err *err);

// Transactions (control_txn.c).
int control_begin(struct client *cl, struct control_req *req, struct control_out *out, struct err *err);
int control_operations(struct client *cl, struct control_req *req, struct control_out *out, struct err *err);
int control_commit(struct client *cl, struct control_req *req, struct control_out *out, struct err *err);
int control_confirm(struct client *cl, struct control_req *req, struct control_out *out, struct err *err);
int control_rollback(struct client *cl, struct control_req *req, struct control_out *out, struct err *err);

// Goes on with the job under way, and keeps time limits. Whether there is a job.
bool control_txn_poll(struct control *c, uint64_t tsc);
// The client goes away, or begins anew.
void control_txn_leave(struct client *cl);

// The payload as a struct of len bytes, or -EINVAL and err.
int control_payload(const struct control_req *req, uint32_t len, const char *what, struct err *err);

static inline struct app_lcore *control_lcore(const struct control *c)
{
	return &c->app->lcore[0];
}

#endif
