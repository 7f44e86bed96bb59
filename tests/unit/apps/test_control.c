// SPDX-License-Identifier: BSD-3-Clause
// test_control.c - the control channel's server: frames, sound and not; what every function answers
#include "tests/unit/apps/control_world.h"

#include <errno.h>

static int start(void **state)
{
	world_start();
	return 0;
}

static int stop(void **state)
{
	world_stop();
	return 0;
}

static void hello(struct wire *w)
{
	const struct ctl_hello *h = wire_answer(w, wire_send(w, CTL_HELLO, NULL, 0), CTL_HELLO);

	assert_string_equal(h->function, "patch");
	assert_string_equal(h->weir, WEIR_VERSION);
	assert_int_equal(h->home, CTL_HOSTED);
	assert_int_equal(h->lcores, 1);
	assert_int_equal(h->txn, CTL_TXN_NONE);
}

static void end(struct wire *w)
{
	w->ended = true;
	world_poll(2);
	wire_free(w);
}

static void test_hello(void **state)
{
	struct wire *w = wire_open(false);

	hello(w);
	end(w);
}

// However the bytes come, and with zeros between frames, of which a client sends many first.
static void test_bytes(void **state)
{
	static const uint8_t zeros[CTL_FRAME_MAX + CTL_SYNC];

	for (unsigned chunk = 1; chunk < 64; chunk += 7) {
		struct wire *w = wire_open(false);
		uint32_t first, second;

		if (chunk > 30)
			wire_put(w, zeros, sizeof(zeros));
		w->chunk = chunk > 30 ? 4096 : chunk;
		first = wire_send(w, CTL_HELLO, NULL, 0);
		wire_put(w, zeros, 12);
		second = wire_send(w, CTL_HELLO, NULL, 0);
		world_poll(3000 / chunk);
		wire_answer(w, first, CTL_HELLO);
		wire_answer(w, second, CTL_HELLO);
		assert_null(wire_next(w));
		end(w);
	}
}

static void test_describe(void **state)
{
	struct wire *w = wire_open(false);
	struct ctl_from from = {0};
	const struct ctl_list *l = wire_answer(w, wire_send(w, CTL_DESCRIBE, &from, sizeof(from)), CTL_DESCRIBE);
	const struct ctl_name *n = (const struct ctl_name *)(const void *)(l + 1);
	const struct ctl_port *p;

	assert_int_equal(l->next, 0);
	assert_true(l->count >= 3);
	assert_int_equal(n[0].kind, CTL_KIND_PORT);
	assert_string_equal(n[0].name, "a");
	assert_string_equal(n[1].name, "b");
	assert_int_equal(n[1].index, 1);
	l = wire_answer(w, wire_send(w, CTL_PORTS, &from, sizeof(from)), CTL_PORTS);
	p = (const struct ctl_port *)(const void *)(l + 1);
	assert_int_equal(l->count, 2);
	assert_string_equal(p[1].name, "b");
	assert_int_equal(p[1].admin, 1);
	from.from = 1;
	l = wire_answer(w, wire_send(w, CTL_PORTS, &from, sizeof(from)), CTL_PORTS);
	p = (const struct ctl_port *)(const void *)(l + 1);
	assert_int_equal(l->count, 1);
	assert_int_equal(p[0].index, 1);
	from.from = UINT32_MAX;
	l = wire_answer(w, wire_send(w, CTL_PORTS, &from, sizeof(from)), CTL_PORTS);
	assert_int_equal(l->count, 0);
	end(w);
}

// The figure called name in the answer; fails when it is not there.
static uint64_t figure(const struct ctl_list *l, const char *name)
{
	const uint8_t *p = (const uint8_t *)(l + 1);

	for (uint32_t i = 0; i < l->count; i++) {
		const struct ctl_figure *f = (const struct ctl_figure *)(const void *)p;

		if (f->len == strlen(name) && !memcmp(f + 1, name, f->len))
			return f->value;
		p += sizeof(*f) + ((f->len + 7u) & ~7u);
	}
	fail_msg("no figure %s", name);
	return 0;
}

static void test_stats(void **state)
{
	struct wire *w = wire_open(false);
	struct ctl_from from = {0};
	const struct ctl_list *l = wire_answer(w, wire_send(w, CTL_STATS, &from, sizeof(from)), CTL_STATS);

	assert_int_equal(l->next, 0);
	assert_int_equal(figure(l, "accounting.balanced"), 1);
	assert_int_equal(figure(l, "ports.a.rx.packets"), 0);
	from.from = 40; // nothing is left to go on with
	wire_error(w, wire_send(w, CTL_STATS, &from, sizeof(from)), EINVAL);
	end(w);
}

static void test_port(void **state)
{
	struct wire *w = wire_open(false);
	struct ctl_port_set set = {.port = 0, .up = 0};
	struct app_lcore *l = &world_app.lcore[0];

	assert_ptr_equal(l->source[0]->node, l->entry[0]);
	wire_answer(w, wire_send(w, CTL_PORT_SET, &set, sizeof(set)), CTL_PORT_SET);
	assert_true(world_app.port[0].down);
	assert_ptr_equal(l->source[0]->node, l->down);
	set.up = 1;
	wire_answer(w, wire_send(w, CTL_PORT_SET, &set, sizeof(set)), CTL_PORT_SET);
	assert_false(world_app.port[0].down);
	assert_ptr_equal(l->source[0]->node, l->entry[0]);
	set.up = 2;
	wire_error(w, wire_send(w, CTL_PORT_SET, &set, sizeof(set)), EINVAL);
	set = (struct ctl_port_set){.port = 2};
	assert_string_equal(wire_error(w, wire_send(w, CTL_PORT_SET, &set, sizeof(set)), ENODEV),
			    "port 2: there are 2, counted from 0");
	end(w);
}

// Requests that are none, or not of the length they must have.
static void test_wrong_requests(void **state)
{
	static const uint16_t types[] = {CTL_HELLO, CTL_DESCRIBE, CTL_STATS, CTL_PORTS, CTL_PORT_SET, CTL_BEGIN,
					 CTL_COMMIT, CTL_CONFIRM, CTL_ROLLBACK};
	struct wire *w = wire_open(false);
	uint8_t bytes[3] = {1, 2, 3};

	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		wire_error(w, wire_send(w, types[i], bytes, sizeof(bytes)), EINVAL);
	wire_error(w, wire_send(w, CTL_ROUTES, bytes, sizeof(bytes)), EINVAL);
	wire_error(w, wire_send(w, 77, NULL, 0), ENOTSUP);
	wire_error(w, wire_send(w, CTL_FUNCTION + 77, NULL, 0), ENOTSUP);
	wire_error(w, wire_send(w, CTL_ANSWER | CTL_HELLO, NULL, 0), ENOTSUP);
	hello(w);
	end(w);
}

static void test_version(void **state)
{
	struct wire *w = wire_open(false);
	uint8_t frame[64];

	wire_put(w, frame, wire_frame(frame, CTL_VERSION + 1, CTL_HELLO, 5, "abcd", 4));
	assert_non_null(strstr(wire_error(w, 5, EPROTONOSUPPORT), "of version 2 of the control protocol"));
	hello(w);
	end(w);
}

// A frame that cannot be ends a stream of its own, when the client has been told why.
static void refused(const void *bytes, uint32_t n, uint32_t id, int error)
{
	struct wire *w = wire_open(false);

	wire_put(w, bytes, n);
	wire_send(w, CTL_HELLO, NULL, 0);
	wire_error(w, id, error);
	world_poll(2);
	assert_null(wire_next(w));
	wire_free(w);
}

static void test_nonsense(void **state)
{
	uint8_t frame[64];
	struct ctl_hdr *h = (struct ctl_hdr *)(void *)frame;

	wire_frame(frame, CTL_VERSION, CTL_HELLO, 9, NULL, 0);
	h->len = CTL_FRAME_MAX + 1;
	refused(frame, 16, 9, EMSGSIZE);
	h->len = 15;
	refused(frame, 16, 9, EMSGSIZE);
	for (unsigned bit = 0; bit < 16 * 8; bit += 3) {
		wire_frame(frame, CTL_VERSION, CTL_HELLO, 9, NULL, 0);
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (h->len == 16)
			refused(frame, 16, h->id, EBADMSG);
	}
	refused("GET / HTTP/1.1\r\n", 16, 0x312f5054, EMSGSIZE);
}

// On a shared stream somebody may have stopped anywhere in a frame: the next finds its answer.
static void test_shared(void **state)
{
	static const uint8_t zeros[CTL_FRAME_MAX + CTL_SYNC];
	static uint8_t frame[CTL_FRAME_MAX], payload[CTL_PAYLOAD_MAX];
	static const uint32_t lens[] = {0, 3, 240, 240 + 256, CTL_PAYLOAD_MAX};
	struct wire *w = wire_open(true);

	memset(payload, 0xff, sizeof(payload));
	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		uint32_t n = wire_frame(frame, CTL_VERSION, CTL_ROUTES, 9, payload, lens[i]);

		for (uint32_t cut = 1; cut < n; cut += cut < 40 ? 1 : 3001) {
			const struct ctl_hdr *h;
			uint32_t id;

			w->to_len = w->to_at = w->from_len = w->from_at = 0;
			wire_put(w, frame, cut);
			world_poll(3);
			wire_put(w, zeros, sizeof(zeros));
			id = wire_send(w, CTL_HELLO, NULL, 0);
			world_poll(12);
			while ((h = wire_next(w)) && h->id != id)
				assert_int_equal(h->type, CTL_ERROR);
			if (!h)
				fail_msg("no answer behind %u of %u bytes", cut, n);
			assert_int_equal(h->type, CTL_HELLO | CTL_ANSWER);
		}
	}
	assert_false(w->closed);
	assert_int_equal(toy.slot[0], 0);
	end(w);
}

// Any bytes at all.
static void test_garbage(void **state)
{
	static const uint8_t zeros[CTL_FRAME_MAX + CTL_SYNC];
	struct wire *w = wire_open(true);
	uint32_t x = 1, id;

	for (unsigned i = 0; i < 200; i++) {
		const struct ctl_hdr *h;

		w->to_len = w->to_at = w->from_len = w->from_at = 0;
		for (unsigned n = 0; n < 50; n++) {
			x = x * 1664525 + 1013904223;
			wire_put(w, (uint8_t *)&x + 2, 1 + (x >> 31));
		}
		wire_put(w, zeros, sizeof(zeros));
		id = wire_send(w, CTL_HELLO, NULL, 0);
		world_poll(20);
		while ((h = wire_next(w)) && h->id != id)
			;
		assert_non_null(h);
	}
	end(w);
}

// Who does not take his answers holds up himself alone, for so long, with so much memory.
static void test_never_reads(void **state)
{
	struct wire *w = wire_open(false), *other = wire_open(false);
	struct ctl_from from = {0};

	w->stuck = true;
	for (unsigned i = 0; i < 1000; i++)
		wire_send(w, CTL_PORTS, &from, sizeof(from));
	world_poll(20);
	assert_true(w->to_at <= CTL_FRAME_MAX + 24);
	hello(other);
	world_pass(15);
	assert_false(w->closed);
	world_pass(20);
	world_poll(1);
	wire_free(w);
	hello(other);
	end(other);
}

static void test_too_many(void **state)
{
	struct wire *w[8], one_more = {.stream = {.ops = NULL}};

	for (unsigned i = 0; i < 8; i++)
		w[i] = wire_open(false);
	assert_int_equal(control_add(world_control(), &one_more.stream), -ENOSPC);
	for (unsigned i = 0; i < 8; i++)
		end(w[i]);
	w[0] = wire_open(false);
	hello(w[0]);
	end(w[0]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		T(test_hello),	  T(test_bytes),    T(test_describe), T(test_stats),
		T(test_port),	  T(test_version),  T(test_nonsense), T(test_wrong_requests),
		T(test_shared),	  T(test_garbage),  T(test_too_many), T(test_never_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
