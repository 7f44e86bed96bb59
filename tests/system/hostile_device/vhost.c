// SPDX-License-Identifier: BSD-3-Clause
// vhost.c - the back end's half of the vhost-user protocol
//
// Source: QEMU docs/interop/vhost-user.rst. A message that cannot be ends the connection.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device.h"

enum { // front-end message types
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	RESET_OWNER = 4,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	SET_VRING_ERR = 14,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	GET_QUEUE_NUM = 17,
	SET_VRING_ENABLE = 18,
};
#define REPLY	   4u
#define NEED_REPLY 8u
#define NO_FD	   0x100u

struct message {
	uint32_t request, flags, size;
	union {
		uint64_t u64;
		struct {
			uint32_t index, num;
		} state;
		struct {
			uint32_t index, flags;
			uint64_t desc, used, avail, log;
		} addr;
		struct {
			uint32_t n, padding;
			struct {
				uint64_t guest, size, user, offset;
			} region[REGIONS];
		} memory;
		uint8_t bytes[512];
	};
	int fd[REGIONS];
	unsigned fds;
} __attribute__((packed));
#define MESSAGE_HEADER 12u

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void forget_memory(struct device *d)
{
	for (unsigned i = 0; i < d->regions; i++)
		munmap(d->region[i].map, d->region[i].map_len);
	d->regions = 0;
	for (unsigned i = 0; i < QUEUES; i++)
		d->q[i].works = false;
}

void vhost_cut(struct device *d)
{
	if (d->fd < 0)
		return;
	close_fd(&d->fd);
	d->cuts++;
	for (unsigned i = 0; i < QUEUES; i++) {
		unsigned starts = d->q[i].starts;

		close_fd(&d->q[i].kick);
		close_fd(&d->q[i].call);
		d->q[i] = (struct queue){.kick = -1, .call = -1, .starts = starts};
	}
	forget_memory(d);
}

bool vhost_reply(struct device *d, uint32_t request, const void *payload, uint32_t len)
{
	uint8_t out[MESSAGE_HEADER + 512];
	uint32_t header[3] = {request, 1 | REPLY, len};

	memcpy(out, header, sizeof(header));
	memcpy(out + sizeof(header), payload, len);
	return send(d->fd, out, sizeof(header) + len, MSG_NOSIGNAL) ==
	       (ssize_t)(sizeof(header) + len);
}

static uint8_t *translate(const struct device *d, uint64_t addr, uint64_t len, bool user)
{
	for (unsigned i = 0; i < d->regions; i++) {
		const struct region *r = &d->region[i];
		uint64_t off = addr - (user ? r->user : r->guest);

		if (off < r->size && len <= r->size - off)
			return r->data + off;
	}
	return NULL;
}

uint8_t *vhost_guest(const struct device *d, uint64_t guest, uint64_t len)
{
	return translate(d, guest, len, false);
}

static bool set_memory(struct device *d, struct message *m)
{
	forget_memory(d);
	if (m->memory.n > REGIONS || m->memory.n != m->fds)
		return false;
	for (unsigned i = 0; i < m->memory.n; i++) {
		struct region *r = &d->region[i];

		r->guest = m->memory.region[i].guest;
		r->size = m->memory.region[i].size;
		r->user = m->memory.region[i].user;
		r->map_len = r->size + m->memory.region[i].offset;
		r->map = mmap(NULL, r->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd[i], 0);
		if (r->map == MAP_FAILED)
			return false;
		r->data = r->map + m->memory.region[i].offset;
		d->regions++;
	}
	return true;
}

// A ring that has all it needs begins to work.
static void start(struct device *d, struct queue *q)
{
	bool enabled = q->enabled || !(d->features & F_PROTOCOL);
	uint64_t desc = 16ull * q->num, small = ring_packed(d) ? 4 : 6ull + 2 * q->num;

	if (q->works || !enabled || !q->kicked || !q->num)
		return;
	q->desc = translate(d, q->user[0], desc, true);
	q->avail = translate(d, q->user[1], small, true);
	q->used = translate(d, q->user[2], ring_packed(d) ? 4 : 6ull + 8 * q->num, true);
	q->works = q->desc && q->avail && q->used;
	if (!q->works)
		return;
	q->held = false;
	q->starts++;
	d->lied = false;
	// No doorbells, please: split, used.flags; packed, the device event area.
	*(volatile uint16_t *)(void *)(q->used + (ring_packed(d) ? 2 : 0)) = 1;
}

static bool stop(struct device *d, struct queue *q, uint32_t index)
{
	uint32_t state[2] = {index, q->avail_at};

	if (ring_packed(d))
		state[1] = q->avail_at | (uint32_t)q->avail_wrap << 15 |
			   (uint32_t)q->used_at << 16 | (uint32_t)q->used_wrap << 31;
	q->works = q->kicked = false;
	return vhost_reply(d, GET_VRING_BASE, state, sizeof(state));
}

static void set_base(struct device *d, struct queue *q, uint32_t num)
{
	q->avail_at = q->used_at = (uint16_t)num;
	if (ring_packed(d)) {
		q->avail_at = q->used_at = num & 0x7fff;
		q->avail_wrap = q->used_wrap = num >> 15 & 1;
	}
}

static bool take_fd(struct message *m, int *fd)
{
	close_fd(fd);
	if (m->u64 & NO_FD)
		return m->fds == 0;
	if (m->fds != 1)
		return false;
	*fd = m->fd[0];
	m->fd[0] = -1;
	return true;
}

static bool ring_message(struct device *d, struct message *m)
{
	uint32_t index = m->state.index & 0xff;
	struct queue *q = &d->q[index & 1];
	static int none = -1;

	if (index >= QUEUES)
		return false;
	switch (m->request) {
	case SET_VRING_NUM:
		q->num = (uint16_t)m->state.num;
		break;
	case SET_VRING_ADDR:
		q->user[0] = m->addr.desc;
		q->user[1] = m->addr.avail;
		q->user[2] = m->addr.used;
		break;
	case SET_VRING_BASE:
		set_base(d, q, m->state.num);
		break;
	case GET_VRING_BASE:
		return stop(d, q, index);
	case SET_VRING_KICK:
		q->kicked = true;
		if (!take_fd(m, &q->kick))
			return false;
		break;
	case SET_VRING_CALL:
		return take_fd(m, &q->call);
	case SET_VRING_ERR:
		return take_fd(m, &none);
	default: // SET_VRING_ENABLE
		q->enabled = m->state.num;
		q->works = q->works && q->enabled;
	}
	start(d, q);
	return true;
}

static bool obey(struct device *d, struct message *m)
{
	const uint64_t pairs = 1;

	switch (m->request) {
	case GET_FEATURES:
		return vhost_reply(d, m->request, &d->offers, 8);
	case SET_FEATURES:
		d->features = m->u64;
		return !(d->features & ~d->offers);
	case GET_PROTOCOL_FEATURES:
		return vhost_reply(d, m->request, &d->protocol_offers, 8);
	case SET_PROTOCOL_FEATURES:
		d->protocol = m->u64;
		return !(d->protocol & ~d->protocol_offers);
	case GET_QUEUE_NUM:
		return vhost_reply(d, m->request, &pairs, 8);
	case SET_MEM_TABLE:
		return set_memory(d, m);
	case SET_OWNER:
	case RESET_OWNER:
		return true;
	default:
		return m->request >= SET_VRING_NUM && m->request <= SET_VRING_ENABLE &&
		       ring_message(d, m);
	}
}

// A whole message; the peer is waited for once it has begun one.
static bool receive(struct device *d, struct message *m)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(m->fd))];
	} control;
	struct iovec iov = {m, MESSAGE_HEADER};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	const struct cmsghdr *c;

	m->fds = 0;
	if (recvmsg(d->fd, &msg, MSG_CMSG_CLOEXEC | MSG_WAITALL) != (ssize_t)MESSAGE_HEADER)
		return false;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		m->fds = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(m->fd, CMSG_DATA(c), m->fds * sizeof(int));
	}
	if (m->size > sizeof(m->bytes))
		return false;
	return !m->size || recv(d->fd, m->bytes, m->size, MSG_WAITALL) == (ssize_t)m->size;
}

static void message(struct device *d)
{
	struct message m;
	uint64_t ack = 0;
	bool good = receive(d, &m);

	if (good && d->wire && d->wire->commit(d, m.request, m.size)) {
		d->wire = NULL; // it was committed: what it did to the connection stays
	} else if (good) {
		good = obey(d, &m);
		if (!good)
			printf("# message %u of %u bytes cannot be\n", m.request, m.size);
		if (good && d->fd >= 0 && (m.flags & NEED_REPLY) && (d->protocol & P_REPLY_ACK) &&
		    m.request != GET_VRING_BASE)
			good = vhost_reply(d, m.request, &ack, sizeof(ack));
	}
	d->messages++;
	for (unsigned i = 0; i < m.fds; i++)
		if (m.fd[i] >= 0) // nobody took it
			close(m.fd[i]);
	if (!good)
		vhost_cut(d);
}

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

void vhost_turn(struct device *d)
{
	if (d->fd < 0) {
		if (!readable(d->listener))
			return;
		d->fd = accept(d->listener, NULL, NULL);
		d->features = d->protocol = 0;
		d->messages = 0;
		d->connects += d->fd >= 0;
	}
	for (unsigned i = 0; i < 64 && d->fd >= 0 && readable(d->fd); i++)
		message(d);
}
