// SPDX-License-Identifier: BSD-3-Clause
// control_world.c - a control channel whose streams are memory, and a function whose table is a number
#include "tests/unit/apps/control_world.h"

#include <errno.h>

struct toy toy;
struct app world_app;
static struct function toy_function;
static void *blob;
static uint64_t passed; // cycles beyond the TSC

const struct function *const function_list[] = {&toy_function, NULL};

static void note(const char *what)
{
	strcat(toy.log, what);
	strcat(toy.log, " ");
}

static int toy_request(struct app_lcore *l, struct control_req *req, struct control_out *out, struct err *err)
{
	if (req->type != CTL_ROUTES_SHOW)
		return err_set(err, -ENOTSUP, "no such table");
	if (toy.left && toy.left--)
		return -EINPROGRESS;
	control_put(out, toy.slot, sizeof(toy.slot));
	return 0;
}

static int toy_begin(struct app_lcore *l, struct err *err)
{
	note("begin");
	memset(toy.is_staged, 0, sizeof(toy.is_staged));
	return 0;
}

static int check(struct control_req *req, const struct ctl_route **r, uint16_t *n, struct err *err)
{
	const struct ctl_ops *ops = req->payload;

	*r = (const struct ctl_route *)(const void *)(ops + 1);
	*n = ops->count;
	if (req->len != sizeof(*ops) + *n * sizeof(**r))
		return err_set(err, -EINVAL, "a wrong length");
	for (req->at = 0; req->at < *n; req->at++)
		if ((*r)[req->at].plen == 255)
			return err_set(err, -EEXIST, "255 will not do");
	return 0;
}

static int toy_stage(struct app_lcore *l, struct control_req *req, uint32_t *staged, struct err *err)
{
	const struct ctl_route *r;
	uint16_t n;
	int rc = check(req, &r, &n, err);

	note("stage");
	for (unsigned i = 0; !rc && i < n; i++) {
		toy.staged[r[i].prefix[0]] = r[i].plen;
		toy.is_staged[r[i].prefix[0]] = true;
	}
	*staged += rc ? 0 : n;
	return rc;
}

static int toy_commit(struct app_lcore *l, struct ctl_cost *cost, struct err *err)
{
	if (toy.left < toy.slices) {
		toy.left++;
		return -EINPROGRESS;
	}
	toy.left = 0;
	note("commit");
	cost->at = 1;
	if (toy.refuse_commit)
		return err_set(err, -ENOSPC, "the table is full");
	memcpy(toy.undo, toy.slot, sizeof(toy.slot));
	for (unsigned i = 0; i < 256; i++) {
		if (toy.is_staged[i])
			toy.slot[i] = toy.staged[i];
		cost->applied += toy.is_staged[i];
	}
	return 0;
}

static int toy_revert(struct app_lcore *l, struct ctl_cost *cost)
{
	note("revert");
	memcpy(toy.slot, toy.undo, sizeof(toy.slot));
	return 0;
}

static void toy_end(struct app_lcore *l)
{
	note("end");
}

static int toy_each(struct app_lcore *l, struct control_req *req, struct ctl_cost *cost, struct err *err)
{
	const struct ctl_route *r;
	uint16_t n;

	int rc;

	if (!req->again) {
		note("each");
		return -EINPROGRESS;
	}
	rc = check(req, &r, &n, err);
	if (rc == -EINVAL)
		return rc;
	for (unsigned i = 0; i < n; i++) {
		if (r[i].plen == 255) {
			if (!cost->refused++) {
				cost->error = EEXIST;
				cost->at = i;
			}
			continue;
		}
		toy.slot[r[i].prefix[0]] = r[i].plen;
		cost->applied++;
	}
	return 0;
}

static const struct control_ops toy_ops = {
	.request = toy_request,
	.begin = toy_begin,
	.stage = toy_stage,
	.commit = toy_commit,
	.revert = toy_revert,
	.end = toy_end,
	.each = toy_each,
};

static void start_toy(void)
{
	struct function f = patch_function;

	f.control = &toy_ops;
	world_function(&f,
		       "version: 1\nfunction: patch\nports: {a: {device: \"null:rx=60\"}, b: {device: \"null\"}}\n"
		       "patches: [{from: a, to: b}]\n");
}

void world_function(const struct function *f, const char *config)
{
	toy_function = *f;
	test_start(&world_app, config, &blob);
}

void world_start(void)
{
	struct err err;

	memset(&toy, 0, sizeof(toy));
	passed = 0;
	if (!blob)
		start_toy();
	world_app.ready_tsc = tsc_read();
	assert_non_null(control_create(&world_app, &err));
}

void world_stop(void)
{
	control_destroy(world_app.control);
}

struct control *world_control(void)
{
	return world_app.control;
}

void world_poll(unsigned n)
{
	while (n--) {
		passed += plat_tsc_hz() / 50; // two looks
		if (toy_function.work)
			toy_function.work(&world_app);
		control_poll(world_app.control, tsc_read() + passed);
	}
}

void world_pass(unsigned seconds)
{
	passed += plat_tsc_hz() * seconds;
	world_poll(1);
}

static int wire_read(struct stream *s, void *buf, uint32_t n)
{
	struct wire *w = (struct wire *)(void *)s;
	uint32_t some = w->to_len - w->to_at;

	if (!some)
		return w->ended ? -EPIPE : 0;
	some = some < n ? some : n;
	some = w->chunk && some > w->chunk ? w->chunk : some;
	memcpy(buf, w->to + w->to_at, some);
	w->to_at += some;
	return (int)some;
}

static int wire_write(struct stream *s, const void *buf, uint32_t n)
{
	struct wire *w = (struct wire *)(void *)s;

	if (w->ended)
		return -EPIPE;
	if (w->stuck)
		return 0;
	n = w->chunk && n > w->chunk ? w->chunk : n;
	assert_true(w->from_len + n <= WIRE_ROOM);
	memcpy(w->from + w->from_len, buf, n);
	w->from_len += n;
	return (int)n;
}

static void wire_close(struct stream *s)
{
	((struct wire *)(void *)s)->closed = true;
}

static const struct stream_ops wire_ops = {
	.read = wire_read,
	.write = wire_write,
	.close = wire_close,
};

struct wire *wire_open(bool shared)
{
	struct wire *w = calloc(1, sizeof(*w));

	w->stream.ops = &wire_ops;
	w->stream.shared = shared;
	w->to = malloc(WIRE_ROOM);
	w->from = malloc(WIRE_ROOM);
	w->next_id = 100;
	assert_int_equal(control_add(world_app.control, &w->stream), 0);
	return w;
}

void wire_free(struct wire *w)
{
	assert_true(w->closed);
	free(w->to);
	free(w->from);
	free(w);
}

void wire_put(struct wire *w, const void *bytes, uint32_t n)
{
	assert_true(w->to_len + n <= WIRE_ROOM);
	memcpy(w->to + w->to_len, bytes, n);
	w->to_len += n;
}

uint32_t wire_frame(uint8_t *frame, uint16_t version, uint16_t type, uint32_t id, const void *payload, uint32_t len)
{
	struct ctl_hdr h = {.len = (uint32_t)sizeof(h) + len, .version = version, .type = type, .id = id};

	memcpy(frame, &h, sizeof(h));
	if (len)
		memcpy(frame + sizeof(h), payload, len);
	h.crc = crc32c(0, frame, h.len);
	memcpy(frame, &h, sizeof(h));
	return h.len;
}

uint32_t wire_send(struct wire *w, uint16_t type, const void *payload, uint32_t len)
{
	static uint8_t frame[CTL_FRAME_MAX];
	uint32_t id = w->next_id++;

	wire_put(w, frame, wire_frame(frame, CTL_VERSION, type, id, payload, len));
	return id;
}

const struct ctl_hdr *wire_next(struct wire *w)
{
	static _Alignas(16) uint8_t frame[CTL_FRAME_MAX];
	struct ctl_hdr h;
	uint32_t word, crc;

	for (; w->from_len - w->from_at >= sizeof(h); w->from_at += (uint32_t)sizeof(word)) {
		memcpy(&word, w->from + w->from_at, sizeof(word));
		if (word)
			break;
	}
	if (w->from_len - w->from_at < sizeof(h))
		return NULL;
	memcpy(&h, w->from + w->from_at, sizeof(h));
	assert_in_range(h.len, sizeof(h), CTL_FRAME_MAX);
	if (w->from_len - w->from_at < h.len)
		return NULL;
	memcpy(frame, w->from + w->from_at, h.len);
	w->from_at += h.len;
	crc = h.crc;
	h.crc = 0;
	memcpy(frame, &h, sizeof(h));
	assert_int_equal(crc32c(0, frame, h.len), crc);
	assert_int_equal(h.version, CTL_VERSION);
	return (const struct ctl_hdr *)(const void *)frame;
}

static const struct ctl_hdr *await(struct wire *w, uint32_t id)
{
	const struct ctl_hdr *h = NULL;

	for (unsigned i = 0; i < 200 && !h; i++) {
		world_poll(1);
		h = wire_next(w);
	}
	assert_non_null(h);
	assert_int_equal(h->id, id);
	return h;
}

const void *wire_answer(struct wire *w, uint32_t id, uint16_t type)
{
	const struct ctl_hdr *h = await(w, id);

	if (h->type == CTL_ERROR)
		fail_msg("refused: %s", (const char *)(h + 1) + sizeof(struct ctl_error));
	assert_int_equal(h->type, type | CTL_ANSWER);
	return h + 1;
}

const char *wire_error(struct wire *w, uint32_t id, int error)
{
	static char text[600];
	const struct ctl_hdr *h = await(w, id);
	const struct ctl_error *e = (const struct ctl_error *)(const void *)(h + 1);

	assert_int_equal(h->type, CTL_ERROR);
	assert_int_equal(e->code, error);
	assert_true(e->len < sizeof(text) && h->len == sizeof(*h) + sizeof(*e) + e->len);
	memcpy(text, e + 1, e->len);
	text[e->len] = 0;
	return text;
}

uint32_t wire_op(struct wire *w, uint8_t at, uint8_t value, uint16_t flags)
{
	struct {
		struct ctl_ops ops;
		struct ctl_route route;
	} f = {{.flags = flags, .count = 1}, {.op = CTL_REPLACE, .plen = value, .prefix = {at}}};

	return wire_send(w, CTL_ROUTES, &f, sizeof(f));
}
