// SPDX-License-Identifier: BSD-3-Clause
// vhost_user.h - a vhost-user front end as a virtio transport: a device that is a process at a
// socket
//
// The packet arena (core/linux/plat_linux.h) is shared with the back end whole; ring and buffer
// addresses are ours in every message and descriptor (guest address == user address == va). The
// device comes and goes with the connection: when that ends, status() asks for a reset, and
// present() says when there is a back end again, to which everything is then told anew. Lcore 0
// calls all but notify().
//
// Nothing here blocks once vhost_user_await() is through; a call waits for a talkative back end for
// VHOST_USER_PATIENCE_US at the most, a silent one costs a system call. A back end that has closed
// the connection but lives on may still write to our memory: it is given VHOST_USER_GRACE_MS to
// stop, as DPDK's library does, before buffers go back to their pool.
#ifndef WEIR_PMD_VIRTIO_VHOST_USER_H
#define WEIR_PMD_VIRTIO_VHOST_USER_H

#include "pmd/port.h"
#include "pmd/virtio/spec.h"
#include "pmd/virtio/transport.h"
#include "pmd/virtio/vhost_user_socket.h"

#define VHOST_USER_PATIENCE_US 500u
#define VHOST_USER_GRACE_MS    10u
#define VHOST_USER_ANSWER_MS   5000u // a new peer's first words; DPDK's library may take 1 s

struct vhost_user_args { // PATH[,server][,packed=on|off][,mac=MAC][,wait=SECONDS]
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool server, packed, has_mac;
	uint8_t mac[6];
	uint32_t wait_s; // for the first back end; VHOST_USER_FOREVER
};
#define VHOST_USER_FOREVER UINT32_MAX

// 0, or -EINVAL and in err what was expected.
int vhost_user_parse(const char *text, struct vhost_user_args *args, struct err *err);

enum vhost_user_phase {	     // of getting to know a back end
	VHOST_USER_APART,    // no connection
	VHOST_USER_FEATURES, // asked for its features
	VHOST_USER_PROTOCOL, // for its protocol features
	VHOST_USER_QUEUES,   // for its number of queue pairs
	VHOST_USER_MET,
};

struct vhost_user_ring {
	int kick, call; // eventfds; -1: not made yet
	bool told;	// the back end knows where it is
	bool enabled;
	bool stopping; // GET_VRING_BASE is not answered yet
	bool wakes;    // calls wake lcore
	unsigned lcore;
};

struct vhost_user {
	struct virtio_transport t;
	struct vhost_user_args args;
	struct vhost_user_socket socket;
	char port[PORT_NAME_MAX];
	uint16_t want_pairs, mtu; // 0: no MTU to tell

	enum vhost_user_phase phase;
	uint64_t offered, protocol; // by the back end; protocol: both sides have it
	uint16_t pairs;		    // it has
	uint64_t features;	    // taken
	uint8_t status;
	bool broken;   // the connection under the rings has ended, at lost_tsc
	bool stopping; // a reset is under way
	int error;     // eventfd by which a back end tells of errors
	struct virtio_net_config config;
	uint32_t generation;
	struct vhost_user_ring ring[2 * PORT_QUEUES_MAX];
	int refusal; // of the last try to connect

	uint64_t met_tsc, lost_tsc, said_tsc;
	uint64_t connects, disconnects, errors;
	// Of the last: until its first reply; until it was MET; from that reply until it had taken
	// its rings, and to its first packet.
	uint64_t answer_cycles, greeting_cycles, taken_cycles, recovery_cycles;
	bool recovering;   // a back end has come again, and no packet yet
	uint64_t received; // packets until then
};

// A transport for port; nobody is met yet. 0 or -errno and err.
int vhost_user_open(const struct port *port, const struct port_conf *conf,
		    const struct vhost_user_args *args, struct vhost_user **out, struct err *err);

// Waits for the first back end, as long as args say, and tells the user so. 0, or -errno and err.
int vhost_user_await(struct vhost_user *v, struct err *err);

// Waits until the back end has taken all that it was told. 0, or -errno and err.
int vhost_user_settle(struct vhost_user *v, struct err *err);

// Housekeeping after the device's: so many packets have been received.
void vhost_user_flowing(struct vhost_user *v, uint64_t received);

void vhost_user_stats(const struct vhost_user *v, struct port_stats *s);

// --- between the files of this front end ---

extern const struct virtio_transport_ops vhost_user_ops;

// Meets a back end and hears what it says, without blocking.
void vhost_user_pump(struct vhost_user *v);
// The connection has ended, if the socket says so: tells the user, remembers it.
void vhost_user_check_lost(struct vhost_user *v);
// A message with a number, or the state of a ring, as payload.
int vhost_user_send_u64(struct vhost_user *v, uint32_t request, uint64_t value, int fd, bool ack);
int vhost_user_send_state(struct vhost_user *v, uint32_t request, uint32_t index, uint32_t num);
// Whether all rings are known to stand still: the back end said so, or is gone since its grace.
bool vhost_user_quiet(struct vhost_user *v);

#endif
