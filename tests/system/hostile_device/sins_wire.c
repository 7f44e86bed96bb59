// SPDX-License-Identifier: BSD-3-Clause
// sins_wire.c - what a back end must not say, or leave unsaid, on its socket
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device.h"

enum {
	GET_FEATURES = 1,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	GET_VRING_BASE = 11,
	GET_PROTOCOL_FEATURES = 15,
	GET_QUEUE_NUM = 17
};

static bool wants_reply(uint32_t request)
{
	return request == GET_FEATURES || request == GET_PROTOCOL_FEATURES ||
	       request == GET_QUEUE_NUM || request == GET_VRING_BASE;
}

static void send_raw(const struct device *d, uint32_t request, uint32_t flags, uint32_t size,
		     const void *payload, size_t len)
{
	uint8_t out[64] = {0};
	const uint32_t header[3] = {request, flags, size};

	memcpy(out, header, sizeof(header));
	memcpy(out + sizeof(header), payload, len);
	(void)!send(d->fd, out, sizeof(header) + len, MSG_NOSIGNAL);
}

// The connection ends when so many messages have come.
static bool cut_after(struct device *d, uint32_t request, uint32_t size)
{
	if (d->messages < d->wire_arg)
		return false;
	vhost_cut(d);
	return true;
}

// It ends in the middle of an answer: wire_arg bytes of 20 have gone out.
static bool cut_in_reply(struct device *d, uint32_t request, uint32_t size)
{
	const uint32_t whole[5] = {request, 5, 8, 1u << 30, 0};

	if (!wants_reply(request))
		return false;
	(void)!send(d->fd, whole, 1 + d->wire_arg, MSG_NOSIGNAL);
	device_run(d, 5);
	vhost_cut(d);
	return true;
}

static void reply_with_fd(const struct device *d, uint32_t request)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	uint32_t whole[5] = {request, 5, 8, 0, 1};
	struct iovec iov = {whole, sizeof(whole)};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &(int){STDOUT_FILENO}, sizeof(int));
	(void)!sendmsg(d->fd, &m, MSG_NOSIGNAL);
}

static bool reply_wrong(struct device *d, uint32_t request, uint32_t size)
{
	const uint64_t offers = d->offers;

	if (!wants_reply(request))
		return false;
	switch (d->wire_arg) {
	case 0:
		send_raw(d, request + 1, 5, 8, &offers, 8);
		break;
	case 1:
		send_raw(d, request, 5, 0, &offers, 0);
		break;
	case 2:
		send_raw(d, request, 5, 4, &offers, 4);
		break;
	case 3:
		send_raw(d, request, 5, 0xffffffff, &offers, 8);
		break;
	case 4:
		send_raw(d, request, 1, 8, &offers, 8); // no reply
		break;
	case 5:
		send_raw(d, request, 6 + rnd(d) % 2, 8, &offers, 8); // another version
		break;
	case 6:
		for (unsigned i = 0; i < 50; i++) // many where one is due
			send_raw(d, request, 5, 8, &offers, 8);
		break;
	case 7:
		reply_with_fd(d, request);
		break;
	default:
		send_raw(d, rnd(d), rnd(d), rnd(d), &offers, 8);
	}
	return true;
}

// 5.1.3: 0, no VERSION_1, everything, mergeable buffers withdrawn, noise.
static bool features(struct device *d, uint32_t request, uint32_t size)
{
	const uint64_t values[] = {0,
				   d->offers & ~F_VERSION_1,
				   UINT64_MAX,
				   d->offers & ~F_MRG_RXBUF,
				   (uint64_t)rnd(d) << 32 | rnd(d),
				   d->offers & ~F_PROTOCOL};

	return request == GET_FEATURES && vhost_reply(d, request, &values[d->wire_arg % 6], 8);
}

static bool protocol_features(struct device *d, uint32_t request, uint32_t size)
{
	const uint64_t values[] = {0, UINT64_MAX, (uint64_t)rnd(d) << 32 | rnd(d)};

	return request == GET_PROTOCOL_FEATURES &&
	       vhost_reply(d, request, &values[d->wire_arg % 3], 8);
}

static bool queue_number(struct device *d, uint32_t request, uint32_t size)
{
	const uint64_t values[] = {0, 65535, UINT64_MAX, 1ull << 63, 129};

	return request == GET_QUEUE_NUM && vhost_reply(d, request, &values[d->wire_arg % 5], 8);
}

// Of a ring that shall stop: another one, impossible indices, the wrong size, nothing.
static bool base(struct device *d, uint32_t request, uint32_t size)
{
	uint32_t state[2] = {d->wire_arg == 0 ? 7 : 0, d->wire_arg == 1 ? UINT32_MAX : 0};

	if (request != GET_VRING_BASE)
		return false;
	d->q[0].works = d->q[1].works = false;
	if (d->wire_arg < 2)
		return vhost_reply(d, request, state, sizeof(state));
	if (d->wire_arg == 2)
		return vhost_reply(d, request, state, 4);
	return true; // silence
}

// Nobody asked.
static bool unasked(struct device *d, uint32_t request, uint32_t size)
{
	const uint64_t value = rnd(d);

	if (request != (d->wire_arg ? SET_MEM_TABLE : SET_OWNER))
		return false;
	for (unsigned i = 0; i < 20; i++)
		send_raw(d, 1 + i, 5, 8, &value, 8);
	return true;
}

static bool refused(struct device *d, uint32_t request, uint32_t size)
{
	const uint64_t no = 1;

	if (request != SET_MEM_TABLE)
		return false;
	send_raw(d, request, 5, 8, &no, 8);
	return true;
}

// No answer to the nth request that wants one.
static bool no_answer(struct device *d, uint32_t request, uint32_t size)
{
	static const uint32_t which[] = {GET_FEATURES, GET_PROTOCOL_FEATURES, GET_QUEUE_NUM};

	return request == which[d->wire_arg % 3];
}

const struct wire_sin wire_sins[] = {
	{"cut-after", 21, cut_after},
	{"cut-in-reply", 19, cut_in_reply},
	{"reply-wrong", 9, reply_wrong},
	{"features", 6, features},
	{"protocol-features", 3, protocol_features},
	{"queue-number", 5, queue_number},
	{"base", 4, base},
	{"unasked", 2, unasked},
	{"refused", 1, refused},
	{"no-answer", 3, no_answer},
};
const unsigned wire_sins_count = sizeof(wire_sins) / sizeof(wire_sins[0]);
