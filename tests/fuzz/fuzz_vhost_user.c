// SPDX-License-Identifier: BSD-3-Clause
// fuzz_vhost_user.c - the vhost-user front end and a back end that says what the input says
//
// The input is a list of steps: the back end answers honestly, says any bytes, hangs up, comes
// again; the front end goes through a driver's life (features, queues, status, reset). Whatever
// happens nothing blocks, calls return what their contract has, and every descriptor is closed in
// the end.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/linux/plat_linux.h"
#include "pmd/virtio/vhost_user.h"
#include "tests/fuzz/virtio_port.h"

#define GET_FEATURES 1u
#define GET_BASE     11u
#define GET_PROTOCOL 15u
#define GET_QUEUES   17u
#define REPLY_MOST   64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int listener = -1, peer = -1;
static char path[64];
static struct vhost_user *front;
static uint8_t status;

static void back_end_listens(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	if (listener >= 0)
		return;
	snprintf(path, sizeof(path), "/tmp/weir-fuzz-%d.sock", (int)getpid());
	memcpy(un.sun_path, path, sizeof(path));
	unlink(path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	require(!bind(listener, (struct sockaddr *)&un, sizeof(un)) && !listen(listener, 8),
		"a socket");
	plat_arena_alloc(64, 64); // there is an arena to share
}

static void leave(void)
{
	unlink(path);
}

static void hang_up(void)
{
	if (peer >= 0)
		close(peer);
	peer = -1;
}

static void accept_front(void)
{
	if (peer < 0)
		peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static void say(const void *bytes, size_t n)
{
	if (peer >= 0 && n && send(peer, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
	    errno != EAGAIN)
		hang_up();
}

static void reply(uint32_t request, uint64_t value)
{
	uint32_t message[5] = {request, 5, 8, (uint32_t)value, (uint32_t)(value >> 32)};

	say(message, sizeof(message));
}

// Takes a message of the front end's, descriptors and all; false: none, or the end.
static bool hear(uint32_t header[3], uint8_t *payload)
{
	char control[CMSG_SPACE(8 * sizeof(int))];
	struct iovec iov = {header, 12};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	const struct cmsghdr *c;

	if (peer < 0 || recvmsg(peer, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 12)
		return false;
	c = CMSG_FIRSTHDR(&m);
	for (size_t i = 0; c && i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
		close(fd);
	}
	require(header[2] <= 256, "a message of ours is short");
	return !header[2] || recv(peer, payload, header[2], MSG_DONTWAIT) == (ssize_t)header[2];
}

// Answers what waits, honestly but for `lie`, which goes to the value.
static void back_end_answers(uint64_t lie)
{
	uint32_t header[3];
	uint8_t payload[256];

	accept_front();
	while (hear(header, payload)) {
		uint64_t index = 0;

		if (header[2] >= 4)
			memcpy(&index, payload, 4);
		if (header[0] == GET_FEATURES)
			reply(header[0], (1ull << 32 | 1ull << 30 | 1ull << 15 | 1ull << 34) ^ lie);
		else if (header[0] == GET_PROTOCOL)
			reply(header[0], 0x10019 ^ lie);
		else if (header[0] == GET_QUEUES)
			reply(header[0], 4 ^ lie);
		else if (header[0] == GET_BASE)
			reply(header[0], index ^ lie);
		else if (header[1] & 8)
			reply(header[0], lie);
	}
}

static void back_end_says(struct input *in)
{
	size_t n = take(in, 1) % REPLY_MOST, left = (size_t)(in->end - in->p);

	n = n < left ? n : left;
	accept_front();
	say(in->p, n);
	in->p += n;
}

// A reply whose envelope is nearly right.
static void back_end_replies(struct input *in)
{
	static const uint32_t requests[] = {GET_FEATURES, GET_PROTOCOL, GET_QUEUES, GET_BASE};
	uint32_t how = take(in, 1);
	uint64_t value = take(in, 4);
	uint32_t message[5] = {requests[how & 3], how & 4 ? take(in, 1) : 5,
			       how & 8 ? take(in, 4) : 8, (uint32_t)value,
			       how & 16 ? take(in, 4) : 0};

	accept_front();
	say(message, sizeof(message));
}

static void set_up(struct input *in)
{
	const struct virtq_place place = {.desc = take(in, 4),
					  .avail = take(in, 2),
					  .used = take(in, 2),
					  .size = 256,
					  .lcore = VIRTQ_NO_LCORE};
	struct err err;
	uint16_t index = (uint16_t)take(in, 1);
	int r = front->t.ops->queue_setup(&front->t, index, &place, &err);

	require(r == 0 || r == -ENOENT || r == -ECONNRESET,
		"a queue is set up, or it is said why not");
	require(r || index < 2 * PORT_QUEUES_MAX, "and is one that there is");
}

static void front_acts(struct input *in)
{
	const struct virtio_transport_ops *ops = front->t.ops;
	uint8_t config[12];
	uint16_t off;

	switch (take(in, 1) % 10) {
	case 0:
		ops->set_features(&front->t, ops->features(&front->t) & ~(uint64_t)take(in, 4));
		break;
	case 1:
		set_up(in);
		break;
	case 2:
		ops->set_status(&front->t, status = (uint8_t)take(in, 1));
		break;
	case 3:
		ops->set_status(&front->t, status = 0);
		break;
	case 4:
		ops->set_pairs(&front->t, (uint16_t)(take(in, 1) % 20));
		break;
	case 5:
		off = (uint16_t)take(in, 1);
		require((ops->config(&front->t, off, config, 6, 2) == 0) ==
				(off + 6u <= sizeof(struct virtio_net_config)),
			"a configuration has its length");
		break;
	case 6:
		require(ops->queues(&front->t) <= 2 * PORT_QUEUES_MAX,
			"no more queues than there can be");
		break;
	default:
		ops->status(&front->t);
		ops->present(&front->t);
	}
}

static void step(struct input *in)
{
	switch (take(in, 1) % 8) {
	case 0:
		back_end_says(in);
		break;
	case 1:
		back_end_replies(in);
		break;
	case 2:
		hang_up();
		break;
	case 3:
		back_end_answers((uint64_t)take(in, 2) << take(in, 1) % 49);
		break;
	case 4:
	case 5:
		back_end_answers(0);
		break;
	default:
		front_acts(in);
	}
}

static int open_files(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC); // the lowest that is free

	close(fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, data + size};
	struct port port = {.name = "wan"};
	struct port_conf conf = {.name = "wan", .driver = "virtio-user", .queues = 2, .mtu = 1500};
	struct vhost_user_args args;
	struct err err;
	int before;

	fuzz_pool();
	if (listener < 0)
		atexit(leave);
	back_end_listens();
	before = open_files();
	conf.args = path;
	require(vhost_user_parse(path, &args, &err) == 0, "a path is taken");
	require(vhost_user_open(&port, &conf, &args, &front, &err) == 0, "a front end opens");
	for (unsigned i = 0; i < 200 && in.p < in.end; i++)
		step(&in);
	front->t.ops->close(&front->t);
	hang_up();
	while ((peer = accept(listener, NULL, NULL)) >= 0)
		close(peer);
	require(open_files() == before, "every descriptor is closed");
	return 0;
}
