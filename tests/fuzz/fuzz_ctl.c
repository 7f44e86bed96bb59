// SPDX-License-Identifier: BSD-3-Clause
// fuzz_ctl.c - the control channel, both ends: any requests for the server, any answers for the client
//
// Input: a byte that says which, then pieces. A piece is a byte of what it is, and what belongs to it: bytes
// as they stand, zeros, a frame with a sound checksum around a payload of the input's, time that passes, or a
// client that goes and another that comes. The server must answer every whole frame with one frame of its own
// (until it closes the stream), keep to one transaction at a time, and give all memory back; the client must
// come back from every call.
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "apps/tool/ctl_client_priv.h"
#include "tests/unit/apps/control_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t left;
};

static uint32_t take(struct input *in, unsigned bytes)
{
	uint32_t v = 0;

	for (; bytes && in->left; bytes--, in->left--)
		v = v << 8 | *in->p++;
	return v;
}

static const uint8_t *take_bytes(struct input *in, uint32_t *n)
{
	const uint8_t *p = in->p;

	if (*n > in->left)
		*n = (uint32_t)in->left;
	in->p += *n;
	in->left -= *n;
	return p;
}

static void require(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

// --- the server ---

static unsigned opens; // transactions: begun, not ended

static void check_log(void)
{
	const char *p;

	for (p = toy.log; *p; p++) {
		opens += !strncmp(p, "begin ", 6);
		opens -= !strncmp(p, "end ", 4);
		require(opens <= 1, "one transaction at a time, ended once");
		p += strcspn(p, " ");
	}
	toy.log[0] = 0;
}

static void read_answers(struct wire *w)
{
	while (wire_next(w)) // checks each
		;
	w->to_len = w->to_at = w->to_at == w->to_len ? 0 : w->to_len;
	if (w->to_at)
		w->to_at = w->to_len = 0; // what was not read is lost, as bytes may be
	if (w->from_at == w->from_len)
		w->from_at = w->from_len = 0;
}

static void piece_for_server(struct wire *w, struct input *in)
{
	static uint8_t frame[CTL_FRAME_MAX];
	static const uint8_t zeros[CTL_FRAME_MAX + CTL_SYNC];
	uint32_t what = take(in, 1), n, type;
	const uint8_t *bytes;

	switch (what % 6) {
	case 0:
	case 1:
		type = take(in, 1);
		if (type >= 0x80) // what operations there are
			type = CTL_FUNCTION + type % 5;
		n = take(in, 1);
		bytes = take_bytes(in, &n);
		wire_put(w, frame, wire_frame(frame, what & 64 ? (uint16_t)take(in, 1) : CTL_VERSION, (uint16_t)type,
					      w->next_id++, bytes, n));
		break;
	case 2:
		n = take(in, 1);
		bytes = take_bytes(in, &n);
		wire_put(w, bytes, n);
		break;
	case 3:
		wire_put(w, zeros, what & 64 ? sizeof(zeros) : 4 * take(in, 1));
		break;
	case 4:
		world_pass(take(in, 1) % 64);
		break;
	case 5:
		toy.slices = take(in, 1) % 8;
		w->stuck = what & 64;
		toy.refuse_commit = what & 128;
		break;
	}
}

static void fuzz_server(struct input *in)
{
	struct wire *w[2] = {NULL, NULL};
	unsigned turns = 0;

	opens = 0;
	world_start();
	while (in->left && turns++ < 300) {
		unsigned i = *in->p & 32 ? 1 : 0;

		if (!w[i])
			w[i] = wire_open(*in->p & 16);
		piece_for_server(w[i], in);
		world_poll(1 + turns % 7);
		for (i = 0; i < 2; i++) {
			if (!w[i])
				continue;
			read_answers(w[i]);
			if (w[i]->closed) {
				wire_free(w[i]);
				w[i] = NULL;
			}
		}
		check_log();
	}
	for (unsigned i = 0; i < 2; i++)
		if (w[i])
			w[i]->ended = true;
	world_poll(60);
	world_pass(100000); // what is not confirmed is taken back
	world_poll(20);
	check_log();
	require(!opens, "no transaction is left");
	for (unsigned i = 0; i < 2; i++)
		if (w[i])
			wire_free(w[i]);
	world_stop();
}

// --- the client ---

static uint32_t put_piece(struct input *in, int fd, uint32_t id)
{
	static uint8_t frame[CTL_FRAME_MAX];
	static const uint8_t zeros[CTL_SYNC];
	uint32_t what = take(in, 1), n = take(in, 1), type;
	const uint8_t *bytes;
	ssize_t put;

	if (what % 4 == 3) {
		put = send(fd, zeros, sizeof(zeros), MSG_DONTWAIT);
	} else {
		type = take(in, 1);
		bytes = take_bytes(in, &n);
		if (what % 4 == 2)
			put = send(fd, bytes, n, MSG_DONTWAIT);
		else
			put = send(fd, frame,
				   wire_frame(frame, CTL_VERSION, (uint16_t)(CTL_ANSWER | (type & 0x7f) | (type & 128 ? 0x100 : 0)),
					      what & 64 ? take(in, 1) : id++, bytes, n), MSG_DONTWAIT);
	}
	return put >= 0 ? id : id;
}

static void calls(struct ctl_client *c)
{
	struct ctl_route r = {.op = CTL_ADD, .family = 4};
	struct ctl_answer a;
	struct ctl_list head;
	const void *records;
	struct err err = {""};

	ctl_index(c, CTL_KIND_IFACE, "a", &err);
	ctl_list(c, CTL_STATS, 0, 0, &head, &records, &err);
	ctl_list(c, CTL_PORTS, 0, sizeof(struct ctl_port), &head, &records, &err);
	ctl_feed_begin(c, true, NULL, NULL);
	ctl_feed_route(c, &r, NULL, &err);
	ctl_feed_flush(c, true, &err);
	ctl_feed_poll(c, &err);
	ctl_call(c, CTL_COMMIT, NULL, 0, &a, &err);
	require(strlen(err.text) < sizeof(err.text), "errors are text");
}

static void fuzz_client(struct input *in)
{
	struct ctl_hello h = {.function = "router"};
	struct ctl_client *c = NULL;
	struct err err;
	uint8_t frame[128] = {0}, sync[CTL_SYNC] = {0};
	int fd[2], room = 1 << 20;
	bool greet = in->left && in->p[0] & 1;
	uint32_t id = 7;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd))
		return;
	setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (greet) {
		uint32_t n = wire_frame(frame, CTL_VERSION, CTL_HELLO | CTL_ANSWER, id++, &h, sizeof(h));

		require(send(fd[1], sync, sizeof(sync), 0) == sizeof(sync), "room");
		require(send(fd[1], frame, n, 0) == (ssize_t)n, "room");
	}
	while (in->left)
		id = put_piece(in, fd[1], id);
	shutdown(fd[1], SHUT_WR);
	if (!ctl_attach(&c, fd[0], "fuzz", 7, 1000, &err))
		calls(c);
	ctl_close(c); // ctl_attach() closes what it refuses
	close(fd[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};

	if (size < 2 || size > 4096)
		return 0;
	if (take(&in, 1) & 1)
		fuzz_client(&in);
	else
		fuzz_server(&in);
	return 0;
}
