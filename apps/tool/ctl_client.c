// SPDX-License-Identifier: BSD-3-Clause
// ctl_client.c - a client of the control channel: connect, send, take answers
#include "apps/tool/ctl_client_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "apps/tool/util.h"
#include "core/blob.h"

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int break_off(struct ctl_client *c, int rc, struct err *err, const char *what)
{
	c->broken = rc;
	return err_set(err, rc, "%s: %s", c->name, what);
}

static int is_broken(const struct ctl_client *c, struct err *err)
{
	return err_set(err, c->broken, "%s: the connection has failed before: connect again", c->name);
}

// Reads what is there into the room there is.
static int fill(struct ctl_client *c, struct err *err)
{
	ssize_t n;

	if (c->have == sizeof(c->in))
		return 0;
	n = recv(c->fd, c->in + c->have, sizeof(c->in) - c->have, MSG_DONTWAIT);
	if (n > 0) {
		c->have += (uint32_t)n;
		return 0;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n == 0 || errno == ECONNRESET)
		return break_off(c, -EPIPE, err, "the other end has closed the connection: it has ended, or "
				 "has too many clients");
	return break_off(c, -errno, err, strerror(errno));
}

// Waits for events (POLLIN, POLLOUT) until `until`, -1: for ever. Takes in what comes.
static int await(struct ctl_client *c, short events, int64_t until, struct err *err)
{
	struct pollfd p = {.fd = c->fd, .events = events};
	int64_t left = until < 0 ? -1 : until - now_ms();
	int n;

	if (until >= 0 && left <= 0)
		return break_off(c, -ETIMEDOUT, err, "no answer in time: it hangs, or waits for another "
				 "client's transaction; or it is no Weir");
	n = poll(&p, 1, left > 1000000 ? 1000000 : (int)left);
	if (n < 0 && errno != EINTR)
		return break_off(c, -errno, err, strerror(errno));
	return n > 0 && (p.revents & (POLLIN | POLLHUP | POLLERR)) && (events & POLLIN) ? fill(c, err) : 0;
}

static int64_t deadline(const struct ctl_client *c)
{
	return c->timeout_ms < 0 ? -1 : now_ms() + c->timeout_ms;
}

static int send_all(struct ctl_client *c, const void *data, size_t len, struct err *err)
{
	const char *p = data;
	int64_t until = deadline(c);
	int rc;

	while (len) {
		ssize_t n = send(c->fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			p += n;
			len -= (size_t)n;
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			// What it said before it closed says why.
			rc = fill(c, err);
			return c->have ? 0 : rc ? rc : break_off(c, -EPIPE, err, strerror(errno));
		}
		// Answers are taken meanwhile: the server goes on only when its answer is out.
		rc = await(c, c->have < sizeof(c->in) ? POLLOUT | POLLIN : POLLOUT, until, err);
		if (rc)
			return rc;
	}
	return 0;
}

int ctl_send(struct ctl_client *c, uint16_t type, const void *payload, uint32_t len, uint32_t *id,
	     struct err *err)
{
	struct ctl_hdr h = {.len = (uint32_t)sizeof(h) + len, .version = CTL_VERSION, .type = type};

	if (c->broken)
		return is_broken(c, err);
	if (len > CTL_PAYLOAD_MAX)
		return err_set(err, -EMSGSIZE, "%s: a request of %u bytes: %u are possible", c->name, len,
			       CTL_PAYLOAD_MAX);
	h.id = *id = c->next_id++;
	memcpy(c->out, &h, sizeof(h));
	if (len)
		memcpy(c->out + sizeof(h), payload, len);
	h.crc = crc32c(0, c->out, h.len);
	memcpy(c->out, &h, sizeof(h));
	return send_all(c, c->out, h.len, err);
}

static void drop(struct ctl_client *c, uint32_t n)
{
	c->have -= n;
	memmove(c->in, c->in + n, c->have);
}

static void skip_zeros(struct ctl_client *c)
{
	uint32_t n = 0, word;

	for (; c->have - n >= sizeof(word); n += (uint32_t)sizeof(word)) {
		memcpy(&word, c->in + n, sizeof(word));
		if (word)
			break;
	}
	if (n)
		drop(c, n);
}

// What was left for another ends with CTL_SYNC bytes of 0.
static void sync_up(struct ctl_client *c)
{
	uint32_t n;

	for (n = 0; n < c->have; n++) {
		if (c->in[n] && c->zeros >= CTL_SYNC) {
			c->syncing = false;
			break;
		}
		c->zeros = c->in[n] ? 0 : c->zeros + 1;
	}
	drop(c, n);
}

static int nonsense(struct ctl_client *c, struct err *err)
{
	if (c->greeted)
		return break_off(c, -EPROTO, err, "its answer is no frame: it is broken, or no Weir");
	c->syncing = true;
	c->zeros = 0;
	return -EAGAIN;
}

// A whole sound frame at the front of `in`: 0. -EAGAIN: not yet.
static int next_frame(struct ctl_client *c, struct ctl_hdr *h, struct err *err)
{
	struct ctl_hdr zero;

	if (c->taken)
		drop(c, c->taken);
	c->taken = 0;
	if (c->syncing)
		sync_up(c);
	if (!c->syncing)
		skip_zeros(c);
	if (c->syncing || c->have < sizeof(*h))
		return -EAGAIN;
	memcpy(h, c->in, sizeof(*h));
	if (h->len < sizeof(*h) || h->len > CTL_FRAME_MAX)
		return nonsense(c, err);
	if (c->have < h->len)
		return -EAGAIN;
	zero = *h;
	zero.crc = 0;
	memcpy(c->in, &zero, sizeof(zero));
	if (crc32c(0, c->in, h->len) != h->crc) {
		drop(c, c->greeted ? 0 : (uint32_t)sizeof(*h));
		return nonsense(c, err);
	}
	c->taken = h->len;
	return 0;
}

static int refusal(struct ctl_client *c, const struct ctl_hdr *h, struct ctl_answer *a, struct err *err)
{
	uint32_t room = h->len - (uint32_t)sizeof(*h), i, n;
	struct ctl_error e;
	char text[sizeof(err->text)];

	memset(&e, 0, sizeof(e));
	if (room < sizeof(e))
		return break_off(c, -EPROTO, err, "an error without its code: it is broken, or no Weir");
	memcpy(&e, c->in + sizeof(*h), sizeof(e));
	if (e.len > room - sizeof(e) || !e.code || e.code > 4095)
		return break_off(c, -EPROTO, err, "an error that cannot be: it is broken, or no Weir");
	n = e.len < sizeof(text) - 1 ? e.len : (uint32_t)sizeof(text) - 1;
	memcpy(text, c->in + sizeof(*h) + sizeof(e), n);
	text[n] = 0;
	for (i = 0; i < n; i++) // it may be shown on a terminal
		if (text_control(text + i))
			text[i] = '?';
	a->at = e.at;
	a->error = -(int)e.code;
	return err_set(err, a->error, "%s", text);
}

// The frame at the front as the answer to `id`: 0 or what the server refused with. -EAGAIN: it was another's.
static int take_answer(struct ctl_client *c, const struct ctl_hdr *h, uint32_t id, struct ctl_answer *a,
		       struct err *err)
{
	uint32_t code = 0;

	*a = (struct ctl_answer){.id = h->id, .at = CTL_AT_FRAME};
	if (h->len >= sizeof(*h) + sizeof(code))
		memcpy(&code, c->in + sizeof(*h), sizeof(code));
	// Who is one too many is told so before it has asked.
	if (h->type == CTL_ERROR && (h->id == id || (!c->greeted && !h->id && code == EUSERS)))
		return refusal(c, h, a, err);
	if (h->version != CTL_VERSION)
		return break_off(c, -EPROTONOSUPPORT, err, "it speaks another version of the control protocol: "
				 "use the weir of the same release");
	if (!(h->type & CTL_ANSWER) || h->id != id)
		return c->greeted ? break_off(c, -EPROTO, err, "an answer to what was not asked") : -EAGAIN;
	a->type = h->type & ~CTL_ANSWER;
	a->len = h->len - (uint32_t)sizeof(*h);
	a->payload = c->in + sizeof(*h);
	return 0;
}

int ctl_receive(struct ctl_client *c, uint32_t id, bool wait, struct ctl_answer *a, struct err *err)
{
	int64_t until = deadline(c);
	struct ctl_hdr h;
	uint32_t before;
	int rc;

	if (c->broken)
		return is_broken(c, err);
	rc = wait ? 0 : fill(c, err);
	if (rc && !c->have)
		return rc;
	for (;;) {
		before = c->have;
		rc = next_frame(c, &h, err);
		if (!rc)
			rc = take_answer(c, &h, id, a, err);
		if (rc != -EAGAIN)
			return rc;
		if (c->taken || c->have != before) // there may be more behind
			continue;
		if (!wait)
			return -EAGAIN;
		rc = await(c, POLLIN, until, err);
		if (rc)
			return rc;
	}
}

int ctl_call(struct ctl_client *c, uint16_t type, const void *payload, uint32_t len, struct ctl_answer *a,
	     struct err *err)
{
	uint32_t id;
	int rc = ctl_send(c, type, payload, len, &id, err);

	if (!rc)
		rc = ctl_receive(c, id, true, a, err);
	if (!rc && a->type != type)
		rc = break_off(c, -EPROTO, err, "an answer of another type than the request");
	return rc;
}

static int greet(struct ctl_client *c, struct err *err)
{
	static const uint8_t zeros[CTL_FRAME_MAX + CTL_SYNC];
	struct ctl_answer a;
	int rc = send_all(c, zeros, sizeof(zeros), err);

	c->syncing = true;
	if (!rc)
		rc = ctl_call(c, CTL_HELLO, NULL, 0, &a, err);
	if (rc)
		return rc;
	if (a.len < sizeof(c->hello))
		return break_off(c, -EPROTO, err, "its hello is too short: it is no Weir");
	memcpy(&c->hello, a.payload, sizeof(c->hello));
	c->hello.function[sizeof(c->hello.function) - 1] = 0;
	c->hello.weir[sizeof(c->hello.weir) - 1] = 0;
	c->greeted = true;
	return 0;
}

int ctl_attach(struct ctl_client **out, int fd, const char *name, uint32_t first_id, int timeout_ms,
	       struct err *err)
{
	struct ctl_client *c = aligned_alloc(16, sizeof(*c));
	int rc;

	if (!c)
		die_no_memory();
	memset(c, 0, sizeof(*c));
	c->fd = fd;
	c->timeout_ms = timeout_ms;
	c->next_id = first_id;
	snprintf(c->name, sizeof(c->name), "%s", name);
	rc = greet(c, err);
	if (rc)
		ctl_close(c);
	else
		*out = c;
	return rc;
}

int ctl_connect(struct ctl_client **c, const char *endpoint, struct err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t len = strlen(endpoint);
	struct timespec t;
	int fd, rc;

	if (!len || len >= sizeof(addr.sun_path))
		return err_set(err, -ENAMETOOLONG, "'%s': %zu bytes: expected the path of a socket, 1 to %zu",
			       endpoint, len, sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, endpoint, len + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, -errno, "%s: %s", endpoint, strerror(errno));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		rc = -errno;
		close(fd);
		return err_set(err, rc, "%s: %s: expected the socket of a running weir run --control, or weir "
			       "boot --control", endpoint, strerror(-rc));
	}
	clock_gettime(CLOCK_REALTIME, &t);
	return ctl_attach(c, fd, endpoint, ((uint32_t)t.tv_nsec ^ (uint32_t)getpid() << 16) | 1,
			  CTL_TIMEOUT_MS, err);
}

void ctl_close(struct ctl_client *c)
{
	if (!c)
		return;
	close(c->fd);
	free(c->names);
	free(c);
}

const struct ctl_hello *ctl_hello(const struct ctl_client *c)
{
	return &c->hello;
}

void ctl_set_timeout(struct ctl_client *c, int ms)
{
	c->timeout_ms = ms;
}

int ctl_fd(const struct ctl_client *c)
{
	return c->fd;
}
