// SPDX-License-Identifier: BSD-3-Clause
// test_ctl_client.c - the client of the control channel: what it sends, and answers, honest and not
//
// The server is a socket pair into which the answers are written beforehand: ids are known.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "apps/tool/ctl_client_priv.h"
#include "core/blob.h"

#define FIRST 1000u // id of the client's first request

static int server; // its end
static struct ctl_client *c;

static void put(const void *bytes, size_t n)
{
	assert_int_equal(write(server, bytes, n), n);
}

static void put_zeros(uint32_t n)
{
	static const uint8_t zeros[CTL_FRAME_MAX];

	put(zeros, n);
}

static void put_version(uint16_t version, uint16_t type, uint32_t id, const void *payload, uint32_t len)
{
	static uint8_t frame[CTL_FRAME_MAX];
	struct ctl_hdr h = {.len = (uint32_t)sizeof(h) + len, .version = version, .type = type, .id = id};

	memcpy(frame, &h, sizeof(h));
	if (len)
		memcpy(frame + sizeof(h), payload, len);
	h.crc = crc32c(0, frame, h.len);
	memcpy(frame, &h, sizeof(h));
	put(frame, h.len);
}

static void put_answer(uint16_t type, uint32_t id, const void *payload, uint32_t len)
{
	put_version(CTL_VERSION, type | CTL_ANSWER, id, payload, len);
}

static void put_error(uint32_t id, uint32_t code, uint32_t at, const char *text)
{
	uint8_t payload[300];
	struct ctl_error e = {.code = code, .at = at, .len = (uint32_t)strlen(text)};

	memcpy(payload, &e, sizeof(e));
	memcpy(payload + sizeof(e), text, e.len);
	put_version(CTL_VERSION, CTL_ERROR, id, payload, (uint32_t)sizeof(e) + e.len);
}

static void put_hello(uint32_t id)
{
	struct ctl_hello h = {.function = "router", .weir = "9", .lcores = 3};

	put_zeros(CTL_SYNC);
	put_answer(CTL_HELLO, id, &h, sizeof(h));
}

static int pair(void)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	server = fd[1];
	return fd[0];
}

static int attach(int fd, struct err *err)
{
	c = NULL;
	err->text[0] = 0;
	return ctl_attach(&c, fd, "test", FIRST, 200, err);
}

// A client that was greeted.
static void connected(void)
{
	int fd = pair();
	struct err err;

	put_hello(FIRST);
	assert_int_equal(attach(fd, &err), 0);
	assert_string_equal(ctl_hello(c)->function, "router");
	assert_int_equal(ctl_hello(c)->lcores, 3);
}

static void done(void)
{
	ctl_close(c);
	c = NULL;
	close(server);
}

static void refused(int fd, int error, const char *says)
{
	struct err err;

	assert_int_equal(attach(fd, &err), error);
	if (!strstr(err.text, says))
		fail_msg("%s\nis not in\n%s", says, err.text);
	assert_null(c);
	close(server);
}

static void test_greets(void **state)
{
	uint8_t sent[CTL_FRAME_MAX + CTL_SYNC + sizeof(struct ctl_hdr)];
	const struct ctl_hdr *h = (const void *)(sent + CTL_FRAME_MAX + CTL_SYNC);

	connected();
	assert_int_equal(recv(server, sent, sizeof(sent), MSG_WAITALL), sizeof(sent));
	for (unsigned i = 0; i < CTL_FRAME_MAX + CTL_SYNC; i++)
		assert_int_equal(sent[i], 0);
	assert_int_equal(h->len, 16);
	assert_int_equal(h->type, CTL_HELLO);
	assert_int_equal(h->version, CTL_VERSION);
	done();
}

// What was left for others: pieces of frames, whole ones, greetings.
static void test_leftovers(void **state)
{
	uint8_t piece[700];
	int fd;
	struct err err;

	for (unsigned n = 0; n < sizeof(piece); n += 23) {
		fd = pair();
		memset(piece, 0x55, sizeof(piece));
		put(piece, n);
		if (n % 2) {
			put_zeros(CTL_SYNC);
			put(piece, n / 2); // nonsense where a frame is looked for
		}
		put_error(77, EBADMSG, CTL_AT_FRAME, "yours was nonsense");
		put_hello(FIRST - 5);
		put_answer(CTL_STATS, FIRST - 4, piece, 40);
		put_hello(FIRST);
		if (attach(fd, &err))
			fail_msg("%u: %s", n, err.text);
		done();
	}
}

static void test_no_weir(void **state)
{
	int fd = pair();

	put("220 mail.example ESMTP\r\n", 24);
	refused(fd, -ETIMEDOUT, "or it is no Weir");
	fd = pair();
	shutdown(server, SHUT_WR);
	refused(fd, -EPIPE, "closed the connection");
	fd = pair();
	put_zeros(CTL_SYNC);
	put_error(FIRST, EPROTONOSUPPORT, CTL_AT_FRAME, "this Weir speaks 7");
	refused(fd, -EPROTONOSUPPORT, "this Weir speaks 7");
	fd = pair();
	put_zeros(CTL_SYNC);
	put_version(7, CTL_HELLO | CTL_ANSWER, FIRST, "", 0);
	refused(fd, -EPROTONOSUPPORT, "speaks another version");
	fd = pair();
	put_zeros(CTL_SYNC);
	put_error(0, EUSERS, CTL_AT_FRAME, "8 clients are connected already");
	refused(fd, -EUSERS, "8 clients");
	fd = pair();
	put_zeros(CTL_SYNC);
	put_answer(CTL_HELLO, FIRST, "short", 5);
	refused(fd, -EPROTO, "hello is too short");
}

static void test_calls(void **state)
{
	struct ctl_answer a;
	struct err err;

	connected();
	put_answer(CTL_STATS, FIRST + 1, "abcdefgh", 8);
	assert_int_equal(ctl_call(c, CTL_STATS, "12345678", 8, &a, &err), 0);
	assert_int_equal(a.len, 8);
	assert_memory_equal(a.payload, "abcdefgh", 8);
	put_zeros(CTL_SYNC);
	put_error(FIRST + 2, ENOENT, 5, "no \033[31msuch\a thing");
	assert_int_equal(ctl_call(c, CTL_COMMIT, NULL, 0, &a, &err), -ENOENT);
	assert_int_equal(a.error, -ENOENT);
	assert_int_equal(a.at, 5);
	assert_string_equal(err.text, "no ?[31msuch? thing");
	put_answer(CTL_COMMIT, FIRST + 3, NULL, 0); // it goes on
	assert_int_equal(ctl_call(c, CTL_COMMIT, NULL, 0, &a, &err), 0);
	done();
}

// After the greeting nonsense ends it, and it stays so.
static void broken(void (*lie)(void), int error)
{
	struct ctl_answer a;
	struct err err;

	connected();
	lie();
	assert_int_equal(ctl_call(c, CTL_STATS, NULL, 0, &a, &err), error);
	assert_true(err.text[0] != 0);
	assert_int_equal(ctl_call(c, CTL_STATS, NULL, 0, &a, &err), error);
	done();
}

static void lie_id(void)
{
	put_answer(CTL_STATS, FIRST + 2, NULL, 0);
}

static void lie_type(void)
{
	put_answer(CTL_PORTS, FIRST + 1, NULL, 0);
}

static void lie_request(void)
{
	put_version(CTL_VERSION, CTL_STATS, FIRST + 1, NULL, 0);
}

static void lie_crc(void)
{
	struct ctl_hdr h = {16, CTL_VERSION, CTL_STATS | CTL_ANSWER, FIRST + 1, 12345};

	put(&h, sizeof(h));
}

static void lie_long(void)
{
	struct ctl_hdr h = {CTL_FRAME_MAX + 1, CTL_VERSION, CTL_STATS | CTL_ANSWER, FIRST + 1, 12345};

	put(&h, sizeof(h));
}

static void lie_error(void)
{
	struct ctl_error e = {.code = 0, .len = 0};

	put_version(CTL_VERSION, CTL_ERROR, FIRST + 1, &e, sizeof(e));
}

static void lie_error_text(void)
{
	struct ctl_error e = {.code = 5, .len = 1};

	put_version(CTL_VERSION, CTL_ERROR, FIRST + 1, &e, sizeof(e));
}

static void lie_silence(void)
{
}

static void lie_end(void)
{
	put("abc", 3);
	shutdown(server, SHUT_WR);
}

static void test_lies(void **state)
{
	broken(lie_id, -EPROTO);
	broken(lie_type, -EPROTO);
	broken(lie_request, -EPROTO);
	broken(lie_crc, -EPROTO);
	broken(lie_long, -EPROTO);
	broken(lie_error, -EPROTO);
	broken(lie_error_text, -EPROTO);
	broken(lie_silence, -ETIMEDOUT);
	broken(lie_end, -EPIPE);
}

static void put_names(uint32_t id, uint32_t next, unsigned from, unsigned n, uint32_t count)
{
	struct {
		struct ctl_list head;
		struct ctl_name name[4];
	} l = {{next, count}, {{0}}};

	for (unsigned i = 0; i < n; i++) {
		l.name[i] = (struct ctl_name){.kind = CTL_KIND_IFACE, .index = (uint16_t)(from + i)};
		memset(l.name[i].name, 'a' + (int)(from + i), 24); // not ended
	}
	put_answer(CTL_DESCRIBE, id, &l, (uint32_t)(sizeof(l.head) + n * sizeof(l.name[0])));
}

static void test_names(void **state)
{
	struct err err;

	connected();
	put_names(FIRST + 1, 2, 0, 2, 2);
	put_names(FIRST + 2, 0, 2, 1, 1);
	assert_int_equal(ctl_index(c, CTL_KIND_IFACE, "ccccccccccccccccccccccc", &err), 2);
	assert_string_equal(ctl_name(c, CTL_KIND_IFACE, 1), "bbbbbbbbbbbbbbbbbbbbbbb");
	assert_null(ctl_name(c, CTL_KIND_PORT, 1));
	assert_int_equal(ctl_index(c, CTL_KIND_IFACE, "x", &err), -ENOENT);
	assert_int_equal(ctl_index(c, CTL_KIND_VRF, "x", &err), -ENOENT);
	assert_string_equal(err.text, "x: no VRF is called so: there is none");
	done();
}

// Lists without end, and of other lengths than they say.
static void test_list_lies(void **state)
{
	struct err err;

	connected();
	put_names(FIRST + 1, 2, 0, 2, 2);
	put_names(FIRST + 2, 2, 2, 1, 1);
	assert_int_equal(ctl_index(c, CTL_KIND_IFACE, "x", &err), -EPROTO);
	done();
	connected();
	put_names(FIRST + 1, 5, 0, 0, 0);
	assert_int_equal(ctl_index(c, CTL_KIND_IFACE, "x", &err), -EPROTO);
	done();
	connected();
	put_names(FIRST + 1, 0, 0, 2, 3);
	assert_int_equal(ctl_index(c, CTL_KIND_IFACE, "x", &err), -EPROTO);
	done();
	connected();
	put_names(FIRST + 1, 0, 0, 2, 0x08000002); // times 32: 64 modulo 2^32
	assert_int_equal(ctl_index(c, CTL_KIND_IFACE, "x", &err), -EPROTO);
	done();
}

static uint64_t refused_op;
static int refused_error;

static void on_refused(void *arg, int error, uint64_t operation)
{
	refused_error = error;
	refused_op = operation;
}

// Two frames' worth of routes: gathered, numbered, counted.
static void test_feed(void **state)
{
	struct ctl_cost cost = {.applied = 700, .refused = 2, .error = EEXIST, .at = 3, .lost = 1, .turn_ns = 5000,
				.duration_ns = 1};
	struct ctl_route r = {.op = CTL_ADD, .family = 4, .plen = 32, .paths = 1};
	struct ctl_path p = {.weight = 1};
	const struct ctl_feed_totals *t;
	const unsigned each = (CTL_PAYLOAD_MAX - sizeof(struct ctl_ops)) / (sizeof(r) + sizeof(p));
	uint8_t skip[CTL_FRAME_MAX + CTL_SYNC + 16];
	struct ctl_ops ops;
	struct ctl_hdr h;
	struct err err;

	connected();
	assert_int_equal(recv(server, skip, sizeof(skip), MSG_WAITALL), sizeof(skip));
	put_answer(CTL_ROUTES, FIRST + 1, &cost, sizeof(cost));
	cost.refused = 0;
	cost.turn_ns = 7000;
	put_answer(CTL_ROUTES, FIRST + 2, &cost, sizeof(cost));
	assert_int_equal(ctl_feed_begin(c, true, on_refused, NULL), 0);
	for (unsigned i = 0; i < each + 5; i++)
		assert_int_equal(ctl_feed_route(c, &r, &p, &err), 0);
	assert_int_equal(ctl_feed_flush(c, true, &err), 0);
	t = ctl_feed_totals(c);
	assert_int_equal(t->operations, each + 5);
	assert_int_equal(t->frames, 2);
	assert_int_equal(t->applied, 1400);
	assert_int_equal(t->refused, 2);
	assert_int_equal(t->lost, 2);
	assert_int_equal(t->turn_ns, 7000);
	assert_int_equal(refused_op, 3);
	assert_int_equal(refused_error, EEXIST);
	assert_int_equal(recv(server, &h, sizeof(h), MSG_WAITALL), sizeof(h));
	assert_int_equal(recv(server, &ops, sizeof(ops), MSG_WAITALL), sizeof(ops));
	assert_int_equal(h.type, CTL_ROUTES);
	assert_int_equal(h.len, 16 + sizeof(ops) + each * 44);
	assert_int_equal(ops.count, each);
	assert_int_equal(ops.flags, CTL_OPS_EACH);
	r.paths = CTL_PATHS_MAX + 1;
	assert_int_equal(ctl_feed_route(c, &r, &p, &err), -EINVAL);
	done();
}

// The operation at fault is that of the whole feed; neighbors and routes are in frames of their own.
static void test_feed_fails(void **state)
{
	struct ctl_cost cost = {.applied = 1};
	struct ctl_route r = {.op = CTL_ADD};
	struct ctl_neighbor n = {.op = CTL_ADD};
	struct err err;

	connected();
	put_answer(CTL_ROUTES, FIRST + 1, &cost, sizeof(cost));
	put_error(FIRST + 2, EEXIST, 1, "it is there");
	ctl_feed_begin(c, false, NULL, NULL);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(ctl_feed_route(c, &r, NULL, &err), 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(ctl_feed_neighbor(c, &n, &err), 0);
	assert_int_equal(ctl_feed_flush(c, true, &err), -EEXIST);
	assert_string_equal(err.text, "it is there");
	assert_int_equal(ctl_feed_totals(c)->failed, 3);
	assert_int_equal(ctl_feed_totals(c)->applied, 1);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_greets), cmocka_unit_test(test_leftovers), cmocka_unit_test(test_no_weir),
		cmocka_unit_test(test_calls),  cmocka_unit_test(test_lies),	 cmocka_unit_test(test_names),
		cmocka_unit_test(test_feed),   cmocka_unit_test(test_list_lies), cmocka_unit_test(test_feed_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
