// SPDX-License-Identifier: BSD-3-Clause
// peer.c - the tiny back end
#include "peer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define GET_FEATURES	      1u
#define GET_VRING_BASE	      11u
#define GET_PROTOCOL_FEATURES 15u
#define GET_QUEUE_NUM	      17u

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
	abort();
}

static bool wanted(struct peer *p, bool *flag)
{
	bool v;

	pthread_mutex_lock(&p->lock);
	v = *flag;
	pthread_mutex_unlock(&p->lock);
	return v;
}

// Reads n bytes; the descriptor that comes with the first. False at the end.
static bool read_all(int fd, uint8_t *to, size_t n, int *passed)
{
	char control[CMSG_SPACE(8 * sizeof(int))] __attribute__((aligned(8)));
	size_t have = 0;

	while (have < n) {
		struct iovec iov = {to + have, n - have};
		struct msghdr h = {.msg_iov = &iov,
				   .msg_iovlen = 1,
				   .msg_control = control,
				   .msg_controllen = sizeof(control)};
		ssize_t got = recvmsg(fd, &h, 0);

		if (got <= 0)
			return false;
		if (CMSG_FIRSTHDR(&h))
			memcpy(passed, CMSG_DATA(CMSG_FIRSTHDR(&h)), sizeof(*passed));
		have += (size_t)got;
	}
	return true;
}

static bool read_message(int fd, struct peer_msg *m)
{
	memset(m, 0, sizeof(*m));
	m->fd = -1;
	if (!read_all(fd, m->bytes, 12, &m->fd))
		return false;
	memcpy(&m->request, m->bytes, 4);
	memcpy(&m->flags, m->bytes + 4, 4);
	memcpy(&m->size, m->bytes + 8, 4);
	check(m->size <= 64, "a message is too long");
	return !m->size || read_all(fd, m->bytes + 12, m->size, &m->fd);
}

static void send_bytes(int fd, const uint8_t *bytes, size_t n, bool descriptors)
{
	char control[CMSG_SPACE(2 * sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec iov = {(void *)bytes, n};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	int two[2] = {0, 1};

	if (descriptors) {
		h.msg_control = control;
		h.msg_controllen = sizeof(control);
		CMSG_FIRSTHDR(&h)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&h)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&h)->cmsg_len = CMSG_LEN(sizeof(two));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&h)), two, sizeof(two));
	}
	(void)!sendmsg(fd, &h, MSG_NOSIGNAL);
}

// False: the connection is to end.
static bool answer(struct peer *p, int fd, const struct peer_msg *m, uint64_t value)
{
	enum peer_lie lie = p->lie_to == m->request ? p->lie : PEER_HONEST;
	uint32_t header[3] = {m->request, 1 | 4, 8};
	uint8_t out[20];
	size_t n = 20;

	if (lie == PEER_SILENT)
		return true;
	if (lie == PEER_HANGS_UP)
		return false;
	if (lie == PEER_OTHER)
		header[0]++;
	if (lie == PEER_NO_REPLY_BIT)
		header[1] = 1;
	if (lie == PEER_VERSION)
		header[1] = 2 | 4;
	if (lie == PEER_SHORT)
		header[2] = 4, n = 16;
	if (lie == PEER_HUGE)
		header[2] = UINT32_MAX;
	if (lie == PEER_HALF)
		n = 15;
	if (lie == PEER_REFUSES)
		value = 1;
	if (lie == PEER_VALUE)
		value = p->value;
	if (lie == PEER_RING)
		value += 1;
	memcpy(out, header, 12);
	memcpy(out + 12, &value, 8);
	send_bytes(fd, out, n, lie == PEER_DESCRIPTORS);
	if (lie == PEER_TWICE)
		send_bytes(fd, out, n, false);
	return lie != PEER_HALF;
}

static bool serve(struct peer *p, int fd, const struct peer_msg *m)
{
	uint64_t index = 0;

	switch (m->request) {
	case GET_FEATURES:
		return answer(p, fd, m, p->features);
	case GET_PROTOCOL_FEATURES:
		return answer(p, fd, m, p->protocol);
	case GET_QUEUE_NUM:
		return answer(p, fd, m, p->queues);
	case GET_VRING_BASE: // the same ring, and some index
		memcpy(&index, m->bytes + 12, 4);
		return answer(p, fd, m, index | 77ull << 32);
	}
	return !(m->flags & 8) || answer(p, fd, m, 0); // need_reply
}

static void converse(struct peer *p, int fd)
{
	while (!wanted(p, &p->stop) && !wanted(p, &p->hang_up)) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		struct peer_msg m;

		if (poll(&poll_fd, 1, 1) <= 0)
			continue;
		if (!read_message(fd, &m))
			return;
		pthread_mutex_lock(&p->lock);
		if (p->logged < PEER_LOG)
			p->log[p->logged++] = m;
		else if (m.fd >= 0)
			close(m.fd);
		pthread_mutex_unlock(&p->lock);
		if (!serve(p, fd, &m))
			return;
	}
}

static int meet(struct peer *p, int listener)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd;

	if (!p->client) {
		struct pollfd poll_fd = {.fd = listener, .events = POLLIN};

		return poll(&poll_fd, 1, 5) > 0 ? accept(listener, NULL, NULL) : -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strcpy(un.sun_path, p->path);
	if (!connect(fd, (struct sockaddr *)&un, sizeof(un)))
		return fd;
	close(fd);
	usleep(2000);
	return -1;
}

static void *run(void *arg)
{
	struct peer *p = arg;
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int listener = -1;

	if (!p->client) {
		listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		strcpy(un.sun_path, p->path);
		unlink(p->path);
		check(!bind(listener, (struct sockaddr *)&un, sizeof(un)), "bind");
		check(!listen(listener, 4), "listen");
	}
	while (!wanted(p, &p->stop)) {
		int fd = meet(p, listener);

		if (fd < 0)
			continue;
		pthread_mutex_lock(&p->lock);
		p->connections++;
		p->hang_up = false;
		pthread_mutex_unlock(&p->lock);
		converse(p, fd);
		close(fd);
	}
	if (listener >= 0) {
		close(listener);
		unlink(p->path);
	}
	return NULL;
}

void peer_start(struct peer *p)
{
	pthread_mutex_init(&p->lock, NULL);
	p->logged = p->connections = 0;
	p->hang_up = p->stop = false;
	check(!pthread_create(&p->thread, NULL, run, p), "pthread_create");
}

void peer_forget(struct peer *p)
{
	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; i < p->logged; i++)
		if (p->log[i].fd >= 0)
			close(p->log[i].fd);
	p->logged = 0;
	pthread_mutex_unlock(&p->lock);
}

void peer_stop(struct peer *p)
{
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
}

void peer_hang_up(struct peer *p)
{
	pthread_mutex_lock(&p->lock);
	p->hang_up = true;
	pthread_mutex_unlock(&p->lock);
}

unsigned peer_connections(struct peer *p)
{
	unsigned n;

	pthread_mutex_lock(&p->lock);
	n = p->connections;
	pthread_mutex_unlock(&p->lock);
	return n;
}
