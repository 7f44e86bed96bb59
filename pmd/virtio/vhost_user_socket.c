// SPDX-License-Identifier: BSD-3-Clause
// vhost_user_socket.c - meet a vhost-user back end, send it messages, check its replies
#include "pmd/virtio/vhost_user_socket.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPLY_FDS 8u // room for those that must not come, so that they can be closed

static const char *const names[] = {
	[VHOST_USER_GET_FEATURES] = "GET_FEATURES",
	[VHOST_USER_SET_FEATURES] = "SET_FEATURES",
	[VHOST_USER_SET_OWNER] = "SET_OWNER",
	[VHOST_USER_SET_MEM_TABLE] = "SET_MEM_TABLE",
	[VHOST_USER_SET_VRING_NUM] = "SET_VRING_NUM",
	[VHOST_USER_SET_VRING_ADDR] = "SET_VRING_ADDR",
	[VHOST_USER_SET_VRING_BASE] = "SET_VRING_BASE",
	[VHOST_USER_GET_VRING_BASE] = "GET_VRING_BASE",
	[VHOST_USER_SET_VRING_KICK] = "SET_VRING_KICK",
	[VHOST_USER_SET_VRING_CALL] = "SET_VRING_CALL",
	[VHOST_USER_SET_VRING_ERR] = "SET_VRING_ERR",
	[VHOST_USER_GET_PROTOCOL_FEATURES] = "GET_PROTOCOL_FEATURES",
	[VHOST_USER_SET_PROTOCOL_FEATURES] = "SET_PROTOCOL_FEATURES",
	[VHOST_USER_GET_QUEUE_NUM] = "GET_QUEUE_NUM",
	[VHOST_USER_SET_VRING_ENABLE] = "SET_VRING_ENABLE",
	[VHOST_USER_NET_SET_MTU] = "NET_SET_MTU",
	[VHOST_USER_SET_STATUS] = "SET_STATUS",
};

const char *vhost_user_request_name(uint32_t request)
{
	return request < sizeof(names) / sizeof(names[0]) && names[request] ? names[request]
									    : "unknown";
}

static struct sockaddr_un address(const struct vhost_user_socket *s)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	memcpy(un.sun_path, s->path, sizeof(un.sun_path));
	return un;
}

static int new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

// 0 and a connected socket, or -errno of connect().
static int connect_to(const struct vhost_user_socket *s, int *out)
{
	struct sockaddr_un un = address(s);
	int fd = new_socket(), r;

	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&un, sizeof(un))) {
		r = -errno;
		close(fd);
		return r;
	}
	*out = fd;
	return 0;
}

// A socket file whose server has died refuses connections.
static bool stale(const struct vhost_user_socket *s)
{
	int fd, r = connect_to(s, &fd);

	if (!r)
		close(fd);
	return r == -ECONNREFUSED;
}

static int bind_to(struct vhost_user_socket *s)
{
	struct sockaddr_un un = address(s);

	return bind(s->listener, (const struct sockaddr *)&un, sizeof(un)) ? -errno : 0;
}

static int start_server(struct vhost_user_socket *s, struct err *err)
{
	struct stat st;
	int r;

	s->listener = new_socket();
	if (s->listener < 0)
		return err_set(err, s->listener, "socket: %s", strerror(-s->listener));
	r = bind_to(s);
	if (r == -EADDRINUSE && stale(s) && !stat(s->path, &st) && S_ISSOCK(st.st_mode)) {
		unlink(s->path);
		r = bind_to(s);
	}
	if (!r && listen(s->listener, 1))
		r = -errno;
	if (!r && !stat(s->path, &st)) {
		s->dev = st.st_dev;
		s->ino = st.st_ino;
	}
	if (!r)
		return 0;
	close(s->listener);
	s->listener = -1;
	if (r == -EADDRINUSE)
		return err_set(err, r,
			       "%s is there already: stop the program that uses it or remove "
			       "it; to connect to it leave out ,server",
			       s->path);
	return err_set(err, r,
		       "cannot listen on %s: %s: expected a path in a directory where this "
		       "user may write",
		       s->path, strerror(-r));
}

int vhost_user_socket_open(struct vhost_user_socket *s, const char *path, bool server,
			   struct err *err)
{
	memset(s, 0, sizeof(*s));
	s->listener = s->fd = -1;
	s->server = server;
	if (!*path || strlen(path) >= sizeof(s->path))
		return err_set(err, -EINVAL, "expected the path of a socket, of 1 to %zu bytes",
			       sizeof(s->path) - 1);
	snprintf(s->path, sizeof(s->path), "%s", path);
	return server ? start_server(s, err) : 0;
}

void vhost_user_socket_close(struct vhost_user_socket *s)
{
	struct stat st;

	if (s->listener >= 0) {
		// Another program may have put its own socket there.
		if (!stat(s->path, &st) && st.st_dev == s->dev && st.st_ino == s->ino)
			unlink(s->path);
		close(s->listener);
	}
	// Last, or the back end would come again at once.
	if (s->fd >= 0)
		close(s->fd);
	s->fd = s->listener = -1;
}

int vhost_user_socket_meet(struct vhost_user_socket *s)
{
	int fd, r = 0;

	if (s->server) {
		fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return -EAGAIN; // whatever it was, the next one may do better
	} else {
		r = connect_to(s, &fd);
	}
	if (r)
		return r;
	s->fd = fd;
	s->asked = s->answered = 0;
	s->in_len = 0;
	return 0;
}

static int end(struct vhost_user_socket *s, bool fault, const char *fmt, va_list ap)
{
	if (s->fd < 0)
		return -ECONNRESET;
	close(s->fd);
	s->fd = -1;
	s->fault = fault;
	vsnprintf(s->why.text, sizeof(s->why.text), fmt, ap);
	return -ECONNRESET;
}

int vhost_user_socket_drop(struct vhost_user_socket *s, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = end(s, true, fmt, ap);
	va_end(ap);
	return r;
}

// The connection ended by itself.
static int __attribute__((format(printf, 2, 3)))
lost(struct vhost_user_socket *s, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = end(s, false, fmt, ap);
	va_end(ap);
	return r;
}

int vhost_user_send(struct vhost_user_socket *s, struct vhost_user_msg *m, int fd, bool reply,
		    bool ack)
{
	union { // aligned as cmsg(3) has it
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {m, VHOST_USER_HEADER + m->size};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (s->fd < 0)
		return -ECONNRESET;
	if ((reply || ack) && vhost_user_pending(s) == VHOST_USER_AWAITED)
		return vhost_user_socket_drop(s, "answers none of %u requests", VHOST_USER_AWAITED);
	m->flags = VHOST_USER_VERSION | (ack ? VHOST_USER_NEED_REPLY : 0);
	if (fd >= 0) {
		struct cmsghdr *c = &control.align;

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
		h.msg_control = control.bytes;
		h.msg_controllen = sizeof(control.bytes);
	}
	n = sendmsg(s->fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN)
		return lost(s, "is gone: %s", strerror(errno));
	if (n != (ssize_t)iov.iov_len)
		return vhost_user_socket_drop(s, "does not read its messages, %s for one",
					      vhost_user_request_name(m->request));
	if (reply || ack)
		s->awaited[s->asked++ % VHOST_USER_AWAITED] =
			(struct vhost_user_awaited){m->request, !reply};
	return 0;
}

// Closes descriptors that came uninvited; returns how many there were.
static unsigned close_fds(struct msghdr *h)
{
	unsigned closed = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		size_t len = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= len; at += sizeof(int), closed++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + at, sizeof(fd));
			close(fd);
		}
	}
	return closed;
}

// Reads up to s->in_len == want. 1: there; 0: not yet.
static int fill(struct vhost_user_socket *s, size_t want)
{
	char control[CMSG_SPACE(REPLY_FDS * sizeof(int))] __attribute__((aligned(8)));
	struct iovec iov = {s->in + s->in_len, want - s->in_len};
	struct msghdr h = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(s->fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return lost(s, "is gone: %s", strerror(errno));
	if (close_fds(&h) || (h.msg_flags & MSG_CTRUNC))
		return vhost_user_socket_drop(s, "sends file descriptors that nobody asked for");
	if (!n)
		return lost(s, "has closed the connection");
	s->in_len += (size_t)n;
	return s->in_len == want;
}

// The header of a reply says what was asked for.
static int check_header(struct vhost_user_socket *s, const struct vhost_user_msg *m)
{
	const struct vhost_user_awaited *a = &s->awaited[s->answered % VHOST_USER_AWAITED];
	const char *request = vhost_user_request_name(a->request);

	if (!vhost_user_pending(s))
		return vhost_user_socket_drop(s, "sends message %u, and nothing was asked",
					      m->request);
	if (m->request != a->request)
		return vhost_user_socket_drop(s, "answers %s by message %u", request, m->request);
	if (!(m->flags & VHOST_USER_REPLY) ||
	    (m->flags & VHOST_USER_VERSION_MASK) != VHOST_USER_VERSION)
		return vhost_user_socket_drop(
			s, "answers %s with flags %#x: expected a reply of version %u", request,
			m->flags, VHOST_USER_VERSION);
	if (m->size != sizeof(uint64_t))
		return vhost_user_socket_drop(s, "answers %s with %u bytes: expected %zu", request,
					      m->size, sizeof(uint64_t));
	return 0;
}

int vhost_user_receive(struct vhost_user_socket *s, struct vhost_user_msg *reply)
{
	for (;;) {
		bool header = s->in_len >= VHOST_USER_HEADER, ack;
		int r;

		if (s->fd < 0)
			return -ECONNRESET;
		r = fill(s, header ? sizeof(s->in) : VHOST_USER_HEADER);
		if (r <= 0)
			return r;
		memcpy(reply, s->in, s->in_len);
		if (!header) {
			r = check_header(s, reply);
			if (r)
				return r;
			continue;
		}
		s->in_len = 0;
		ack = s->awaited[s->answered++ % VHOST_USER_AWAITED].ack;
		if (!ack)
			return 1;
		if (reply->u64)
			return vhost_user_socket_drop(s, "refuses %s (%#llx)",
						      vhost_user_request_name(reply->request),
						      (unsigned long long)reply->u64);
	}
}
