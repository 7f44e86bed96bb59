// SPDX-License-Identifier: BSD-3-Clause
// fuzz_ctl_router.c - any operations and questions for the router's tables, in sound frames
//
// Input: pieces. A piece is a byte of what it is: a frame of routes or neighbors whose fields come from few values
// that matter (families, lengths, kinds, VRFs, paths that are there and that are not), or from the input as it
// stands; a question; a step of a transaction; time. Every frame is answered by one, and all memory comes back.
#include <errno.h>

#include "tests/unit/apps/control_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONFIG                                                                                                 \
	"version: 1\nfunction: router\nvrfs: [red]\nports:\n"                                                 \
	"  wan: {device: \"null:\", addresses: [192.0.2.1/24, \"2001:db8::1/64\"]}\n"                          \
	"  lan: {device: \"null:\", addresses: [198.51.100.1/24], vrf: red}\n"                                 \
	"routes:\n  - {to: 10.0.0.0/8, via: 192.0.2.254}\n"

struct input {
	const uint8_t *p;
	size_t left;
};

static uint8_t take(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

static uint8_t payload[4096];
static uint32_t len;

static void put(const void *p, uint32_t n)
{
	if (len + n > sizeof(payload))
		return;
	memcpy(payload + len, p, n);
	len += n;
}

// Few addresses, so that they meet each other.
static void address(uint8_t addr[16], uint8_t v, bool v6)
{
	static const uint8_t four[8][4] = {{192, 0, 2, 7},  {192, 0, 2, 1}, {10, 0, 0, 0},	    {10, 1, 0, 0},
					   {198, 51, 100, 9}, {0, 0, 0, 0},   {255, 255, 255, 255}, {224, 0, 0, 1}};

	memset(addr, 0, 16);
	if (!v6) {
		memcpy(addr, four[v % 8], 4);
		return;
	}
	memcpy(addr, "\x20\x01\x0d\xb8", 4);
	addr[5] = v % 4;
	addr[15] = v & 64 ? v : 0;
	if (v % 8 == 7)
		memcpy(addr, "\xfe\x80\0\0", 4);
}

static void put_route(struct input *in)
{
	uint8_t a = take(in), b = take(in), c = take(in);
	struct ctl_route r = {.op = a % 5, .family = a & 64 ? 6 : 4, .kind = b % 5, .vrf = b & 64 ? 1 : 0,
			      .paths = c % 4, .owner = b >> 5 & 1};
	struct ctl_path p;

	r.plen = a & 64 ? (c & 64 ? 128 : 48) : (c & 64 ? 32 : c & 32 ? 16 : 8);
	address(r.prefix, b >> 2, a & 64);
	if (a & 128)
		r.plen = take(in);
	if (c & 128)
		r.vrf = take(in);
	put(&r, sizeof(r));
	for (unsigned i = 0; i < r.paths; i++) {
		uint8_t d = take(in);

		p = (struct ctl_path){.family = r.family, .weight = d % 8, .iface = d & 16 ? CTL_IFACE_ANY : d >> 5};
		address(p.via, d, a & 64);
		put(&p, sizeof(p));
	}
}

static void put_neighbor(struct input *in)
{
	uint8_t a = take(in), b = take(in);
	struct ctl_neighbor n = {.op = a % 5, .family = a & 64 ? 6 : 4, .iface = b & 7, .mac = {2, 0, 0, 0, 0, b}};

	address(n.addr, b >> 3, a & 64);
	put(&n, sizeof(n));
}

static void operations(struct wire *w, struct input *in, uint8_t what)
{
	struct ctl_ops ops = {.flags = what & 64 ? CTL_OPS_EACH : 0, .count = 1 + (what >> 3) % 4};
	bool routes = what % 2;

	len = 0;
	put(&ops, sizeof(ops));
	for (unsigned i = 0; i < ops.count; i++)
		routes ? put_route(in) : put_neighbor(in);
	if (what & 128) // as it stands
		for (unsigned n = take(in); n; n--)
			payload[take(in) % len] = take(in);
	wire_send(w, routes ? CTL_ROUTES : CTL_NEIGHBORS, payload, len);
}

static void question(struct wire *w, struct input *in, uint8_t what)
{
	struct ctl_show s = {.family = what & 64 ? 6 : what & 128 ? 4 : 0, .vrf = CTL_VRF_ANY, .iface = CTL_IFACE_ANY};
	uint8_t a = take(in), *bytes = (uint8_t *)&s;

	s.what = a % 5;
	s.plen = a & 64 ? 32 : 8;
	address(s.prefix, a >> 3, s.family == 6);
	for (unsigned n = a & 128 ? take(in) % 8 : 0; n; n--)
		bytes[take(in) % sizeof(s)] = take(in);
	wire_send(w, what & 32 ? CTL_NEIGHBORS_SHOW : CTL_ROUTES_SHOW, &s, sizeof(s));
}

static unsigned answers(struct wire *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 400 && !n; i++) { // behind a change that is not confirmed: 5 s
		world_poll(1);
		while (wire_next(w))
			n++;
	}
	w->to_len = w->to_at = w->from_len = w->from_at = 0;
	return n;
}

static void piece(struct wire *w, struct input *in)
{
	static const uint16_t steps[] = {CTL_COMMIT, CTL_CONFIRM, CTL_ROLLBACK, CTL_HELLO};
	struct ctl_begin b = {0};
	uint8_t what = take(in);

	switch (what % 8) {
	case 4:
	case 5:
		question(w, in, what);
		break;
	case 6:
		b.confirm_s = what & 64 ? 5 : 0;
		wire_send(w, CTL_BEGIN, &b, sizeof(b));
		break;
	case 7:
		wire_send(w, steps[what >> 3 & 3], NULL, 0);
		break;
	default:
		operations(w, in, what);
		break;
	}
	if (answers(w) != 1) {
		fprintf(stderr, "a request without its one answer\n");
		abort();
	}
	if (what >> 4 == 9)
		world_pass(6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	struct input in = {data, size};
	struct wire *w;

	if (size > 2048)
		return 0;
	if (!started)
		world_function(&router_function, CONFIG);
	started = true;
	world_start();
	w = wire_open(false);
	while (in.left)
		piece(w, &in);
	w->ended = true;
	world_poll(20);
	world_pass(100); // what is not confirmed is taken back
	world_poll(20);
	wire_free(w);
	world_stop();
	return 0;
}
