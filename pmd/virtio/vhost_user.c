// SPDX-License-Identifier: BSD-3-Clause
// vhost_user.c - meet a vhost-user back end, learn what it can, notice when it is gone
#include "pmd/virtio/vhost_user.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/plat.h"

#define PROTOCOL_WANTED                                                                            \
	(VHOST_USER_PROTOCOL_F_MQ | VHOST_USER_PROTOCOL_F_REPLY_ACK |                              \
	 VHOST_USER_PROTOCOL_F_NET_MTU | VHOST_USER_PROTOCOL_F_STATUS)

#define LOOK_NS	  5000000u
#define RETRY_NS  10000000u
#define AWAIT_MS  10
#define SAY_MAX	  20u
#define SAY_US	  250000u
#define SETTLE_MS 2000u

static uint64_t cycles(uint64_t us)
{
	return plat_tsc_hz() / 1000000 * us;
}

static uint64_t microseconds(uint64_t n)
{
	return n / (plat_tsc_hz() / 1000000);
}

// What the user should know; SAY_MAX lines, and then one every SAY_US, so that a hostile back end
// floods no log.
static void say(struct vhost_user *v, const char *fmt, ...)
{
	uint64_t now = tsc_read(), earned = now - cycles(SAY_MAX * SAY_US);
	char text[256];
	va_list ap;

	if (v->said_tsc < earned)
		v->said_tsc = earned;
	if (v->said_tsc + cycles(SAY_US) > now)
		return;
	v->said_tsc += cycles(SAY_US);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "port %s: %s: %s\n", v->port, v->t.name, text);
}

static void set_link(struct vhost_user *v, bool up)
{
	v->config.status = up ? VIRTIO_NET_S_LINK_UP : 0;
	v->generation++;
}

void vhost_user_check_lost(struct vhost_user *v)
{
	bool was_met = v->phase == VHOST_USER_MET;

	if (vhost_user_socket_up(&v->socket) || v->phase == VHOST_USER_APART)
		return;
	v->phase = VHOST_USER_APART;
	v->lost_tsc = tsc_read();
	v->broken = v->status != 0;
	v->disconnects += was_met;
	v->errors += v->socket.fault;
	set_link(v, false);
	if (was_met)
		say(v, "the back end %s; waiting for one to come", v->socket.why.text);
	else if (v->connects && v->socket.fault)
		say(v, "a back end %s; waiting for another", v->socket.why.text);
}

int vhost_user_send_u64(struct vhost_user *v, uint32_t request, uint64_t value, int fd, bool ack)
{
	struct vhost_user_msg m = {.request = request, .size = sizeof(m.u64), .u64 = value};

	ack = ack && (v->protocol & VHOST_USER_PROTOCOL_F_REPLY_ACK);
	return vhost_user_send(&v->socket, &m, fd, false, ack);
}

int vhost_user_send_state(struct vhost_user *v, uint32_t request, uint32_t index, uint32_t num)
{
	struct vhost_user_msg m = {
		.request = request, .size = sizeof(m.state), .state = {index, num}};

	return vhost_user_send(&v->socket, &m, -1, request == VHOST_USER_GET_VRING_BASE, false);
}

static void ask(struct vhost_user *v, uint32_t request, enum vhost_user_phase phase)
{
	struct vhost_user_msg m = {.request = request};

	v->phase = phase;
	vhost_user_send(&v->socket, &m, -1, true, false);
}

static void meet(struct vhost_user *v)
{
	v->refusal = vhost_user_socket_meet(&v->socket);
	if (v->refusal)
		return;
	v->offered = v->protocol = 0;
	v->pairs = 1;
	v->met_tsc = tsc_read();
	ask(v, VHOST_USER_GET_FEATURES, VHOST_USER_FEATURES);
}

// All is known: what the back end has is what the device has.
static void met(struct vhost_user *v)
{
	struct vhost_user_msg m = {.request = VHOST_USER_SET_OWNER};

	if (vhost_user_send(&v->socket, &m, -1, false, false))
		return;
	v->phase = VHOST_USER_MET;
	v->greeting_cycles = tsc_read() - v->met_tsc;
	v->config.max_virtqueue_pairs = v->pairs;
	set_link(v, true);
	v->recovering = v->connects > 0;
	if (v->connects++)
		say(v, "a back end is there again, and answered after %llu us",
		    (unsigned long long)microseconds(v->answer_cycles));
}

static void heard_protocol(struct vhost_user *v, uint64_t value)
{
	v->protocol = value & PROTOCOL_WANTED;
	vhost_user_send_u64(v, VHOST_USER_SET_PROTOCOL_FEATURES, v->protocol, -1, false);
	if (v->protocol & VHOST_USER_PROTOCOL_F_MQ)
		ask(v, VHOST_USER_GET_QUEUE_NUM, VHOST_USER_QUEUES);
	else
		met(v);
}

static void heard_queues(struct vhost_user *v, uint64_t n)
{
	if (!n || n > VHOST_USER_VRINGS_MAX / 2) {
		vhost_user_socket_drop(&v->socket, "has %llu queue pairs: expected 1 to %u",
				       (unsigned long long)n, VHOST_USER_VRINGS_MAX / 2);
		return;
	}
	v->pairs = (uint16_t)(n < PORT_QUEUES_MAX ? n : PORT_QUEUES_MAX);
	met(v);
}

// A ring stands still; they answer in the order in which they were asked.
static void heard_base(struct vhost_user *v, uint32_t index)
{
	unsigned i = 0;

	while (i < 2 * PORT_QUEUES_MAX - 1 && !v->ring[i].stopping)
		i++;
	if (index != i) {
		vhost_user_socket_drop(&v->socket, "stops ring %u: expected %u", index, i);
		return;
	}
	v->ring[i].stopping = false;
}

static void heard(struct vhost_user *v, const struct vhost_user_msg *m)
{
	switch (m->request) {
	case VHOST_USER_GET_FEATURES:
		v->answer_cycles = tsc_read() - v->met_tsc;
		v->offered = m->u64;
		if (m->u64 & VHOST_USER_F_PROTOCOL_FEATURES)
			ask(v, VHOST_USER_GET_PROTOCOL_FEATURES, VHOST_USER_PROTOCOL);
		else
			met(v);
		break;
	case VHOST_USER_GET_PROTOCOL_FEATURES:
		heard_protocol(v, m->u64);
		break;
	case VHOST_USER_GET_QUEUE_NUM:
		heard_queues(v, m->u64);
		break;
	case VHOST_USER_GET_VRING_BASE:
		heard_base(v, m->state.index);
		break;
	}
}

static void hear(struct vhost_user *v)
{
	struct vhost_user_msg m;

	while (vhost_user_receive(&v->socket, &m) == 1)
		heard(v, &m);
}

static bool greeting(const struct vhost_user *v)
{
	return v->phase > VHOST_USER_FEATURES && v->phase < VHOST_USER_MET;
}

void vhost_user_pump(struct vhost_user *v)
{
	uint64_t start = tsc_read();

	// Rings of the connection that has ended are the driver's to take back first.
	if (v->phase == VHOST_USER_APART && !v->broken)
		meet(v);
	do
		hear(v);
	while (vhost_user_socket_up(&v->socket) && greeting(v) &&
	       tsc_read() - start < cycles(VHOST_USER_PATIENCE_US));
	if (v->phase != VHOST_USER_APART && v->phase != VHOST_USER_MET &&
	    tsc_read() - v->met_tsc > cycles(1000 * VHOST_USER_ANSWER_MS))
		vhost_user_socket_drop(
			&v->socket, "does not answer %s within %u ms",
			vhost_user_request_name(
				v->socket.awaited[v->socket.answered % VHOST_USER_AWAITED].request),
			VHOST_USER_ANSWER_MS);
	vhost_user_check_lost(v);
}

bool vhost_user_quiet(struct vhost_user *v)
{
	if (v->phase == VHOST_USER_APART)
		return !v->broken || tsc_read() - v->lost_tsc > cycles(1000 * VHOST_USER_GRACE_MS);
	for (unsigned i = 0; i < 2 * PORT_QUEUES_MAX; i++)
		if (v->ring[i].stopping)
			return false;
	return true;
}

// The end of a long path tells more than its beginning.
static void name_transport(struct virtio_transport *t, const char *path)
{
	size_t room = sizeof(t->name) - sizeof("vhost-user ..."), n = strlen(path);

	snprintf(t->name, sizeof(t->name), "vhost-user %s%.*s", n > room ? "..." : "", (int)room,
		 n > room ? path + n - room : path);
}

int vhost_user_open(const struct port *port, const struct port_conf *conf,
		    const struct vhost_user_args *args, struct vhost_user **out, struct err *err)
{
	struct vhost_user *v = calloc(1, sizeof(*v));
	struct err why;
	int r;

	if (!v)
		return err_set(err, -ENOMEM, "port %s: out of memory", conf->name);
	v->args = *args;
	v->t.ops = &vhost_user_ops;
	v->t.look_ns = LOOK_NS;
	v->t.retry_ns = RETRY_NS;
	name_transport(&v->t, args->path);
	snprintf(v->port, sizeof(v->port), "%s", conf->name);
	v->want_pairs = conf->queues;
	v->mtu = conf->mtu;
	v->config.mtu = conf->mtu;
	if (args->has_mac)
		memcpy(v->config.mac, args->mac, sizeof(v->config.mac));
	else
		port_default_mac(port, conf, v->config.mac);
	v->error = -1;
	for (unsigned i = 0; i < 2 * PORT_QUEUES_MAX; i++)
		v->ring[i].kick = v->ring[i].call = -1;
	r = vhost_user_socket_open(&v->socket, args->path, args->server, &why);
	if (r) {
		free(v);
		return err_set(err, r, "port %s: virtio-user: %s", conf->name, why.text);
	}
	*out = v;
	return 0;
}

static int nobody(struct vhost_user *v, struct err *err)
{
	if (v->socket.why.text[0])
		return err_set(err, -EPROTO,
			       "port %s: virtio-user:%s: the back end %s: is it a vhost-user back "
			       "end?",
			       v->port, v->args.path, v->socket.why.text);
	if (v->phase != VHOST_USER_APART)
		return err_set(err, -ETIMEDOUT,
			       "port %s: virtio-user:%s: the back end says nothing within %u s: is "
			       "it a vhost-user back end?",
			       v->port, v->args.path, v->args.wait_s);
	if (v->args.server)
		return err_set(
			err, -ETIMEDOUT,
			"port %s: virtio-user:%s: no back end has come within %u s: start "
			"it as client of this socket (testpmd: net_vhost0,iface=%s,client=1; "
			"OVS: type=dpdkvhostuserclient), or let wait= be longer",
			v->port, v->args.path, v->args.wait_s, v->args.path);
	return err_set(err, v->refusal,
		       "port %s: virtio-user:%s: nobody listens there (%s) within %u s: start the "
		       "back end first or let wait= be longer; a back end that is the socket's "
		       "client needs ,server here",
		       v->port, v->args.path, strerror(-v->refusal), v->args.wait_s);
}

int vhost_user_await(struct vhost_user *v, struct err *err)
{
	uint64_t start = tsc_read(), next = start + cycles(1000000), now;

	for (;;) {
		struct pollfd p = {.fd = v->socket.server ? v->socket.listener : -1,
				   .events = POLLIN};

		vhost_user_pump(v);
		if (v->phase == VHOST_USER_MET)
			return 0;
		if (vhost_user_socket_up(&v->socket))
			p.fd = v->socket.fd;
		now = tsc_read();
		if (v->args.wait_s != VHOST_USER_FOREVER &&
		    now - start >= cycles(1000000ull * v->args.wait_s))
			return nobody(v, err);
		if (v->refusal && v->refusal != -EAGAIN && v->refusal != -ENOENT &&
		    v->refusal != -ECONNREFUSED)
			return nobody(v, err);
		if (now > next) {
			fprintf(stderr, "port %s: %s: waiting for the back end%s\n", v->port,
				v->t.name, v->args.server ? " to connect" : "");
			next = now + cycles(10000000);
		}
		poll(&p, 1, AWAIT_MS);
	}
}

int vhost_user_settle(struct vhost_user *v, struct err *err)
{
	uint64_t start = tsc_read();

	while (vhost_user_pending(&v->socket) && vhost_user_socket_up(&v->socket) &&
	       tsc_read() - start < cycles(1000 * SETTLE_MS)) {
		struct pollfd p = {.fd = v->socket.fd, .events = POLLIN};

		poll(&p, 1, AWAIT_MS);
		vhost_user_pump(v);
	}
	if (v->broken || v->phase != VHOST_USER_MET)
		return err_set(err, -EPROTO, "port %s: virtio-user:%s: the back end %s", v->port,
			       v->args.path, v->socket.why.text);
	if (vhost_user_pending(&v->socket))
		return err_set(err, -ETIMEDOUT,
			       "port %s: virtio-user:%s: the back end has not acknowledged its "
			       "rings within %u ms",
			       v->port, v->args.path, SETTLE_MS);
	return 0;
}

void vhost_user_flowing(struct vhost_user *v, uint64_t received)
{
	uint64_t since = tsc_read() - v->met_tsc - v->answer_cycles;

	if (!v->recovering || v->phase != VHOST_USER_MET) {
		v->received = received;
		v->taken_cycles = 0;
		return;
	}
	if (!v->taken_cycles && (v->status & VIRTIO_S_DRIVER_OK) &&
	    (!vhost_user_pending(&v->socket) || received != v->received))
		v->taken_cycles = since;
	if (received == v->received)
		return;
	v->recovering = false;
	v->recovery_cycles = since;
	say(v, "packets again, %llu us after that answer; rings were taken after %llu us",
	    (unsigned long long)microseconds(since),
	    (unsigned long long)microseconds(v->taken_cycles));
}

void vhost_user_stats(const struct vhost_user *v, struct port_stats *s)
{
	port_stats_add(s, "disconnects", v->disconnects);
	port_stats_add(s, "reconnects", v->connects ? v->connects - 1 : 0);
	port_stats_add(s, "protocol-errors", v->errors);
	// Of the last greeting: until the back end's first answer, and until all was known.
	port_stats_add(s, "answer-us", microseconds(v->answer_cycles));
	port_stats_add(s, "greeting-us", microseconds(v->greeting_cycles));
	// From that answer to the first packet received again.
	port_stats_add(s, "recovery-us", microseconds(v->recovery_cycles));
}
