// SPDX-License-Identifier: BSD-3-Clause
// ctl_client_priv.h - a client of the control channel, between ctl_*.c alone (and tests)
#ifndef WEIR_APPS_TOOL_CTL_CLIENT_PRIV_H
#define WEIR_APPS_TOOL_CTL_CLIENT_PRIV_H

#include "apps/tool/ctl_client.h"

#define CTL_NAMES_MAX 4096u // of all kinds together; a server that has more is not believed

struct ctl_sent { // a frame of operations that is not answered yet
	uint32_t id;
	uint64_t first; // number of its first operation
};

struct ctl_client {
	int fd;
	int timeout_ms; // -1: for ever
	int broken;	// -errno of the stream, for good
	char name[128]; // of the endpoint, for messages
	uint32_t next_id;
	struct ctl_hello hello;
	bool greeted;
	bool syncing; // skips up to CTL_SYNC bytes of 0
	uint32_t zeros;
	uint32_t have, taken; // bytes in `in`; of them the frame handed out last
	struct ctl_name *names;
	uint32_t n_names;
	// The feed.
	bool each;
	void (*refused)(void *arg, int error, uint64_t operation);
	void *arg;
	struct ctl_sent sent[CTL_WINDOW]; // oldest first
	unsigned n_sent;
	uint16_t feed_type; // of the frame being gathered; 0: none
	uint32_t feed_len;  // of its payload
	uint64_t feed_first;
	struct ctl_feed_totals totals;
	_Alignas(16) uint8_t in[CTL_FRAME_MAX];
	_Alignas(16) uint8_t out[CTL_FRAME_MAX];
	_Alignas(16) uint8_t feed[CTL_PAYLOAD_MAX];
};

// A client on a stream that is connected; fd is its own from now on. Says hello. As ctl_connect().
int ctl_attach(struct ctl_client **c, int fd, const char *name, uint32_t first_id, int timeout_ms,
	       struct err *err);

// One piece of a list of records of `size` bytes (0: of any): bytes of records, or -errno.
int ctl_list(struct ctl_client *c, uint16_t type, uint32_t from, uint32_t size, struct ctl_list *head,
	     const void **records, struct err *err);

// Waits for the answers to all frames of operations that were sent.
int ctl_feed_settle(struct ctl_client *c, struct err *err);

// Sends one request.
int ctl_send(struct ctl_client *c, uint16_t type, const void *payload, uint32_t len, uint32_t *id,
	     struct err *err);
// The next answer, which must be that to `id`. wait false: -EAGAIN when none is there.
int ctl_receive(struct ctl_client *c, uint32_t id, bool wait, struct ctl_answer *a, struct err *err);

#endif
