// SPDX-License-Identifier: BSD-3-Clause
// vhost_user_socket.h - the connection of a vhost-user front end: one peer at a time, whole
// messages
//
// Either side may be the socket's server. Nothing here ever blocks, and nothing raises SIGPIPE.
// Whoever is at the other end is not trusted: a reply is one of 8 bytes to the request that was
// sent first of those not yet answered, without file descriptors; anything else ends the connection
// and says why.
#ifndef WEIR_PMD_VIRTIO_VHOST_USER_SOCKET_H
#define WEIR_PMD_VIRTIO_VHOST_USER_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#include "core/err.h"
#include "pmd/virtio/vhost_user_spec.h"

#define VHOST_USER_AWAITED 512u // replies that can be under way; a power of two

struct vhost_user_socket {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool server;	  // we listen
	int listener, fd; // -1: none
	dev_t dev;	  // of the file that we made
	ino_t ino;

	struct vhost_user_awaited {
		uint32_t request;
		bool ack; // of REPLY_ACK: not 0 is a refusal
	} awaited[VHOST_USER_AWAITED];
	uint32_t asked, answered; // indices of awaited, free-running

	uint8_t in[VHOST_USER_HEADER + sizeof(uint64_t)]; // of the reply that is arriving
	size_t in_len;
	struct err why; // the connection ended
	bool fault;	// for what the peer did against the protocol
};

// Makes a socket for path; a server listens at once. A socket file that nobody listens on any more
// is replaced. 0 or -errno and err.
int vhost_user_socket_open(struct vhost_user_socket *s, const char *path, bool server,
			   struct err *err);
void vhost_user_socket_close(struct vhost_user_socket *s);

// Connects or accepts. 0: there is a new peer; -EAGAIN: nobody yet; else -errno of connect().
int vhost_user_socket_meet(struct vhost_user_socket *s);

static inline bool vhost_user_socket_up(const struct vhost_user_socket *s)
{
	return s->fd >= 0;
}

// Ends the connection for a fault of the peer, which s->why names. Returns -ECONNRESET.
int vhost_user_socket_drop(struct vhost_user_socket *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

// Sends a message whose request, size and payload are set, with a descriptor unless fd < 0. reply:
// whether one comes by the protocol; ack: whether one is asked for (REPLY_ACK was negotiated). 0,
// or -ECONNRESET when the connection has ended by it or before.
int vhost_user_send(struct vhost_user_socket *s, struct vhost_user_msg *m, int fd, bool reply,
		    bool ack);

// The next reply. 1 and *reply; 0: none yet; -ECONNRESET: the connection has ended.
// Acknowledgements are checked and not handed on: a refused request ends the connection.
int vhost_user_receive(struct vhost_user_socket *s, struct vhost_user_msg *reply);

// Replies not yet come.
static inline uint32_t vhost_user_pending(const struct vhost_user_socket *s)
{
	return s->asked - s->answered;
}

const char *vhost_user_request_name(uint32_t request);

#endif
