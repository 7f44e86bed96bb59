// SPDX-License-Identifier: BSD-3-Clause
// control.c - the control channel's server: streams, frames, and who answers what
#include "apps/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/control_priv.h"
#include "core/plat.h"

#define QUIET_MS 20u // after the last byte every housekeeping looks so long

static const struct {
	uint16_t type;
	control_fn fn;
} handlers[] = {
	{CTL_HELLO, control_hello},	  {CTL_DESCRIBE, control_describe},
	{CTL_STATS, control_stats},	  {CTL_PORTS, control_ports},
	{CTL_PORT_SET, control_port_set}, {CTL_BEGIN, control_begin},
	{CTL_COMMIT, control_commit},	  {CTL_CONFIRM, control_confirm},
	{CTL_ROLLBACK, control_rollback}, {CTL_ROUTES, control_operations},
	{CTL_NEIGHBORS, control_operations},
};

bool control_put(struct control_out *out, const void *data, uint32_t len)
{
	if (len > out->room - out->len)
		return false;
	memcpy(out->data + out->len, data, len);
	out->len += len;
	return true;
}

int control_payload(const struct control_req *req, uint32_t len, const char *what, struct err *err)
{
	if (req->len == len)
		return 0;
	return err_set(err, -EINVAL, "%s: %u bytes behind the header: expected %u", what, req->len, len);
}

static const struct ctl_hdr *header(const struct client *cl)
{
	return (const struct ctl_hdr *)(const void *)cl->in;
}

static void client_free(struct client *cl)
{
	if (cl->stream)
		stream_close(cl->stream);
	free(cl->figures);
	free(cl->in);
	free(cl->out);
	memset(cl, 0, sizeof(*cl));
}

// The other end is no more. The work of a request that is under way uses its bytes until it ends.
static void client_gone(struct client *cl)
{
	stream_close(cl->stream);
	cl->stream = NULL;
	cl->gone = true;
	cl->have = cl->pending ? cl->have : 0;
	cl->out_len = cl->out_done = 0;
}

// Puts the header in front of the len bytes of payload that lie behind it.
static void seal(uint8_t *frame, uint16_t type, uint32_t id, uint32_t len)
{
	struct ctl_hdr h = {.len = (uint32_t)sizeof(h) + len, .version = CTL_VERSION, .type = type, .id = id};

	memcpy(frame, &h, sizeof(h));
	h.crc = crc32c(0, frame, h.len);
	memcpy(frame, &h, sizeof(h));
}

static void send(struct client *cl, uint16_t type, uint32_t id, uint32_t len, uint64_t tsc)
{
	uint8_t *frame = cl->out + CTL_SYNC;

	seal(frame, type, id, len);
	memset(cl->out, 0, CTL_SYNC);
	cl->out_done = type == (CTL_HELLO | CTL_ANSWER) || type == CTL_ERROR ? 0 : CTL_SYNC;
	cl->out_len = CTL_SYNC + (uint32_t)sizeof(struct ctl_hdr) + len;
	cl->out_since = tsc;
}

static void refuse(struct client *cl, uint32_t id, int rc, uint32_t at, const struct err *err, uint64_t tsc)
{
	uint8_t *payload = cl->out + CTL_SYNC + sizeof(struct ctl_hdr);
	struct ctl_error e = {.code = (uint32_t)-rc, .at = at, .len = (uint32_t)strlen(err->text)};

	e.txn = cl->lost_txn;
	cl->lost_txn = false;
	memcpy(payload + sizeof(e), err->text, e.len);
	// Behind zeros a frame is found by its first byte, which therefore is none.
	if ((sizeof(struct ctl_hdr) + sizeof(e) + e.len) % 256 == 0)
		payload[sizeof(e) + e.len++] = ' ';
	memcpy(payload, &e, sizeof(e));
	send(cl, CTL_ERROR, id, (uint32_t)sizeof(e) + e.len, tsc);
}

static void drop_bytes(struct client *cl, uint32_t n)
{
	cl->have -= n;
	memmove(cl->in, cl->in + n, cl->have);
}

// After what cannot be a frame nobody knows where the next begins: a stream of its own ends, a shared one
// is read on from the next HELLO.
static void lose(struct client *cl, uint32_t id, int rc, const struct err *err, uint64_t tsc)
{
	refuse(cl, id, rc, CTL_AT_FRAME, err, tsc);
	cl->last = !cl->stream->shared;
	cl->syncing = cl->stream->shared;
	cl->zeros = 0;
}

// Words of 0 between frames; behind CTL_SYNC bytes of 0 any byte of 0: a frame that somebody left in the
// middle may have ended anywhere.
static void skip_zeros(struct client *cl)
{
	uint32_t n = 0, word;

	while (n < cl->have && !cl->in[n]) {
		word = 0;
		if (cl->zeros >= CTL_SYNC) {
			n++;
			continue;
		}
		if (cl->have - n < sizeof(word))
			break;
		memcpy(&word, cl->in + n, sizeof(word));
		if (word)
			break;
		n += (uint32_t)sizeof(word);
		cl->zeros += (uint32_t)sizeof(word);
	}
	drop_bytes(cl, n);
}

// Skips all up to the first byte behind CTL_SYNC of 0.
static void sync_again(struct client *cl)
{
	uint32_t n;

	for (n = 0; n < cl->have; n++) {
		if (cl->in[n] && cl->zeros >= CTL_SYNC) {
			cl->syncing = false;
			break;
		}
		cl->zeros = cl->in[n] ? 0 : cl->zeros + 1;
	}
	drop_bytes(cl, n);
}

// Whether a whole sound frame lies at the front of `in`. What is wrong with it is answered.
static bool frame_ready(struct client *cl, uint64_t tsc)
{
	struct ctl_hdr h;
	struct err err;
	uint32_t crc;

	if (cl->syncing)
		sync_again(cl);
	else
		skip_zeros(cl);
	if (cl->syncing || cl->have < sizeof(h))
		return false;
	memcpy(&h, cl->in, sizeof(h));
	if (h.len < sizeof(h) || h.len > CTL_FRAME_MAX) {
		err_set(&err, -EMSGSIZE, "a frame of %u bytes: expected %zu to %u", h.len, sizeof(h),
			CTL_FRAME_MAX);
		lose(cl, h.id, -EMSGSIZE, &err, tsc);
		return false;
	}
	if (cl->have < h.len)
		return false;
	cl->zeros = 0;
	crc = h.crc;
	h.crc = 0;
	memcpy(cl->in, &h, sizeof(h));
	if (crc32c(0, cl->in, h.len) != crc) {
		err_set(&err, -EBADMSG, "a frame of %u bytes whose checksum is wrong", h.len);
		lose(cl, h.id, -EBADMSG, &err, tsc);
		cl->syncing = false; // the next may begin where this one says it ends
		drop_bytes(cl, h.len);
		return false;
	}
	if (h.version == CTL_VERSION)
		return true;
	err_set(&err, -EPROTONOSUPPORT,
		"the request is of version %u of the control protocol, and this Weir speaks %u: use the "
		"weir of the same release", h.version, CTL_VERSION);
	refuse(cl, h.id, -EPROTONOSUPPORT, CTL_AT_FRAME, &err, tsc);
	drop_bytes(cl, h.len);
	return false;
}

static int dispatch(struct client *cl, struct control_req *req, struct control_out *out, struct err *err)
{
	const struct control *c = cl->control;

	if (req->type >= CTL_FUNCTION && !c->ops)
		return err_set(err, -ENOTSUP, "function %s has no tables to change or show",
			       c->app->function->name);
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (handlers[i].type == req->type)
			return handlers[i].fn(cl, req, out, err);
	if (req->type >= CTL_FUNCTION && c->ops->request)
		return c->ops->request(control_lcore(c), req, out, err);
	return err_set(err, -ENOTSUP, "a request of type %#x: this Weir knows none", req->type);
}

static void answer(struct client *cl, uint64_t tsc)
{
	const struct ctl_hdr *h = header(cl);
	struct control_req req = {
		.type = h->type,
		.len = h->len - (uint32_t)sizeof(*h),
		.payload = cl->in + sizeof(*h),
		.again = cl->pending,
		.at = CTL_AT_FRAME,
	};
	struct control_out out = {
		.data = cl->out + CTL_SYNC + sizeof(*h),
		.room = CTL_PAYLOAD_MAX,
	};
	struct err err = {""};
	int rc = dispatch(cl, &req, &out, &err);

	cl->pending = rc == -EINPROGRESS;
	if (cl->pending || cl->gone)
		return;
	if (rc)
		refuse(cl, h->id, rc, req.at, &err, tsc);
	else
		send(cl, h->type | CTL_ANSWER, h->id, out.len, tsc);
	drop_bytes(cl, h->len);
}

static void take_in(struct client *cl)
{
	int n = 0;

	if (cl->have < CTL_FRAME_MAX)
		n = stream_read(cl->stream, cl->in + cl->have, CTL_FRAME_MAX - cl->have);
	if (n < 0) {
		client_gone(cl);
	} else if (n > 0) {
		cl->have += (uint32_t)n;
		cl->moved = true;
	}
}

static void give_out(struct client *cl, uint64_t tsc)
{
	int n = stream_write(cl->stream, cl->out + cl->out_done, cl->out_len - cl->out_done);

	if (n < 0)
		return client_gone(cl);
	if (n > 0) {
		cl->out_done += (uint32_t)n;
		cl->out_since = tsc;
		cl->moved = true;
	}
	if (cl->out_done == cl->out_len) {
		cl->out_len = cl->out_done = 0;
		if (cl->last)
			client_gone(cl);
	} else if (tsc - cl->out_since > plat_tsc_hz() * CONTROL_STUCK_S) {
		if (!cl->stream->shared)
			return client_gone(cl);
		cl->out_len = cl->out_done = 0;
	}
}

// One request, or the next piece of work of one.
static void client_poll(struct client *cl, uint64_t tsc)
{
	if (cl->stream && cl->out_len)
		give_out(cl, tsc);
	if (cl->stream && !cl->last)
		take_in(cl);
	if (cl->pending || (cl->stream && !cl->out_len && !cl->last && frame_ready(cl, tsc)))
		answer(cl, tsc);
	if (cl->stream && cl->out_len)
		give_out(cl, tsc);
	if (cl->gone && !cl->pending) {
		control_txn_leave(cl);
		client_free(cl);
	}
}

int control_add(struct control *c, struct stream *s)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *cl = &c->client[i];

		if (cl->control)
			continue;
		cl->in = aligned_alloc(16, CTL_FRAME_MAX);
		cl->out = aligned_alloc(16, CTL_SYNC + CTL_FRAME_MAX);
		if (!cl->in || !cl->out) {
			client_free(cl);
			return -ENOSPC;
		}
		cl->control = c;
		cl->stream = s;
		cl->moved = true;
		return 0;
	}
	return -ENOSPC;
}

int control_listen(struct control *c, struct stream_listener *listener)
{
	if (c->listeners == CONTROL_LISTENERS)
		return -ENOSPC;
	c->listener[c->listeners++] = listener;
	return 0;
}

// One too many is told so, as far as its socket takes it.
static void turn_away(struct stream *s)
{
	static const char text[] = "8 clients are connected already: close one";
	struct ctl_error e = {.code = EUSERS, .at = CTL_AT_FRAME, .len = sizeof(text) - 1};
	uint8_t buf[CTL_SYNC + sizeof(struct ctl_hdr) + sizeof(e) + sizeof(text)] = {0};
	uint8_t *payload = buf + CTL_SYNC + sizeof(struct ctl_hdr);

	static_assert(CONTROL_CLIENTS == 8, "as the text says");
	memcpy(payload, &e, sizeof(e));
	memcpy(payload + sizeof(e), text, e.len);
	seal(buf + CTL_SYNC, CTL_ERROR, 0, (uint32_t)sizeof(e) + e.len);
	stream_write(s, buf, CTL_SYNC + (uint32_t)(sizeof(struct ctl_hdr) + sizeof(e)) + e.len);
	stream_close(s);
}

static void accept_one(struct control *c, struct stream_listener *l, uint64_t tsc)
{
	struct stream *s = l->accept(l);

	if (!s)
		return;
	if (control_add(c, s))
		turn_away(s);
	c->quiet_at = tsc + plat_tsc_hz() / 1000 * QUIET_MS; // it has something to say
}

bool control_poll(struct control *c, uint64_t tsc)
{
	const struct loop *l = &control_lcore(c)->loop;
	bool busy, accepts;

	c->now = tsc;
	busy = control_txn_poll(c, tsc);

	// Everybody 100 times a second, or when something has ended a sleep; while bytes move, always.
	if (!busy && tsc >= c->quiet_at && tsc < c->look_at && l->sleeps == c->sleeps)
		return false;
	c->sleeps = l->sleeps;
	accepts = tsc >= c->look_at || c->quiet_at <= tsc;
	if (tsc >= c->look_at)
		c->look_at = tsc + plat_tsc_hz() / APP_TICKS;
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *cl = &c->client[i];

		if (!cl->control)
			continue;
		client_poll(cl, tsc);
		if (cl->moved || cl->pending)
			c->quiet_at = tsc + plat_tsc_hz() / 1000 * QUIET_MS;
		cl->moved = false;
	}
	// Behind those that go, whose places they may take.
	for (unsigned i = 0; accepts && i < c->listeners; i++)
		accept_one(c, c->listener[i], tsc);
	return busy || tsc < c->quiet_at;
}

struct control *control_create(struct app *app, struct err *err)
{
	struct control *c = calloc(1, sizeof(*c));

	if (!c) {
		err_set(err, -ENOMEM, "no memory for the control channel");
		return NULL;
	}
	c->app = app;
	c->ops = app->function->control;
	app->control = c;
	return c;
}

void control_destroy(struct control *c)
{
	if (!c)
		return;
	if (c->ops && c->txn.state != CTL_TXN_NONE)
		c->ops->end(control_lcore(c));
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		client_free(&c->client[i]);
	for (unsigned i = 0; i < c->listeners; i++)
		c->listener[i]->close(c->listener[i]);
	c->app->control = NULL;
	free(c);
}
