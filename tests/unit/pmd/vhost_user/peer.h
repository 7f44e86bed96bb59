// SPDX-License-Identifier: BSD-3-Clause
// peer.h - a tiny vhost-user back end in a thread: writes down what it is told, and answers, or
// lies
//
// It knows the protocol by byte offsets of QEMU docs/interop/vhost-user.rst, not by our own
// structures.
#ifndef WEIR_TESTS_VHOST_USER_PEER_H
#define WEIR_TESTS_VHOST_USER_PEER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define PEER_LOG 256u

enum peer_lie { // in the answer to peer.lie_to
	PEER_HONEST,
	PEER_SILENT,
	PEER_HANGS_UP, // instead of an answer
	PEER_HALF,     // hangs up in the middle of one
	PEER_OTHER,    // answers another request
	PEER_NO_REPLY_BIT,
	PEER_VERSION,	  // 2
	PEER_SHORT,	  // 4 bytes
	PEER_HUGE,	  // says 4 GiB - 1
	PEER_DESCRIPTORS, // attaches two
	PEER_TWICE,	  // answers twice
	PEER_REFUSES,	  // acknowledges by 1
	PEER_VALUE,	  // answers peer.value
	PEER_RING,	  // answers for a ring that was not asked for
};

struct peer_msg {
	uint8_t bytes[12 + 64]; // header and payload
	uint32_t request, flags, size;
	int fd; // attached; -1: none
};

struct peer {
	char path[108];
	bool client; // it connects
	uint64_t features, protocol, queues;
	enum peer_lie lie;
	uint32_t lie_to; // a request
	uint64_t value;
	// By the thread; read after peer_stop(), or under lock.
	pthread_mutex_t lock;
	struct peer_msg log[PEER_LOG];
	unsigned logged, connections;
	bool hang_up, stop;
	pthread_t thread;
};

void peer_start(struct peer *p);
void peer_stop(struct peer *p); // the log stays: peer_forget() closes what came with it
// Ends the connection; it then meets the next front end.
void peer_hang_up(struct peer *p);
unsigned peer_connections(struct peer *p);
void peer_forget(struct peer *p); // empties the log

#endif
