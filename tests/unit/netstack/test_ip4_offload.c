// SPDX-License-Identifier: BSD-3-Clause
// test_ip4_offload.c - a router and packets whose checksum, or whose cutting, was left to a port
//
// The expected checksums are those that packets.c gives a packet that has all of it.
#include "tests/unit/netstack/world.h"

#include "netstack/ip4.h"

#define HOST	 ip(198, 51, 100, 10)
#define WAN_HOST ip(192, 0, 2, 10)
#define DMZ_HOST ip(10, 0, 0, 10)
#define PARTIAL	 (MBUF_RX_L4_OK | MBUF_TX_L4_CSUM)

static unsigned get16(const uint8_t *p)
{
	return p[0] * 256u + p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) * 65536u + get16(p + 2);
}

static unsigned csum_at(const struct packet *p)
{
	return p->b[23] == 6 ? 50 : 40;
}

// The packet as its sender left it: the pseudo header's sum in the checksum's place.
static struct mbuf *partial(struct world *w, const struct packet *p, uint32_t flags, uint16_t mss)
{
	unsigned n = (unsigned)p->len - 34;
	uint16_t pseudo = (uint16_t)~book_csum(p->b + 26, 8, p->b[23] + n);
	struct packet q = *p;
	struct mbuf *m;

	q.b[csum_at(p)] = (uint8_t)(pseudo >> 8);
	q.b[csum_at(p) + 1] = (uint8_t)pseudo;
	m = world_mbuf(w, LAN, q.b, q.len, 1000);
	m->flags = PARTIAL | flags;
	m->mss = mss;
	m->l3 = 14;
	m->l4 = 34;
	return m;
}

static void send(struct world *w, struct mbuf *m)
{
	w->sent = 0;
	graph_rx(w->g, w->in, &m, 1);
}

// The checksum of a whole TCP or UDP packet in a frame without options holds.
static void check_l4(const uint8_t *frame, unsigned len)
{
	unsigned n = len - 34;

	assert_int_equal(
		book_csum(frame + 34, n, (uint16_t)~book_csum(frame + 26, 8, frame[23] + n)), 0);
}

// What fits the next link after cutting is forwarded as it is.
static void test_forward_long(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = tcp_packet(LAN, HOST, WAN_HOST, 0x10, 1, 1, 8000);
	const struct frame *f;

	w->offloads = true;
	packet_ip(&p)->frag = be16(IP4_DF);
	fix_ip(&p);
	send(w, partial(w, &p, MBUF_TSO, 1460));
	f = world_sent(w, WAN);
	assert_int_equal(f->flags, MBUF_TX_L4_CSUM | MBUF_TSO);
	assert_int_equal(f->mss, 1460);
	assert_int_equal(f->l3, 14);
	assert_int_equal(f->l4, 34);
	assert_int_equal(f->len, p.len);
	assert_int_equal(f->bytes[22], 63);
	assert_memory_equal(f->bytes + 52, p.b + 52, p.len - 52);
	send(w, partial(w, &p, MBUF_TSO, 1461)); // 1501 bytes
	world_sent(w, LAN);
	assert_int_equal(world_drops(w, "ip4-rewrite", "fragmentation-needed"), 1);
	packet_ip(&p)->dst = DMZ_HOST;
	fix_ip(&p);
	send(w, partial(w, &p, MBUF_TSO, 536)); // 576 bytes, the port's MTU
	assert_int_equal(world_sent(w, DMZ)->flags, MBUF_TX_L4_CSUM | MBUF_TSO);
	world_close(w);
}

static void test_forward_datagrams(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(LAN, HOST, WAN_HOST, 8000);

	w->offloads = true;
	send(w, partial(w, &p, MBUF_USO, 1472));
	assert_int_equal(world_sent(w, WAN)->flags, MBUF_TX_L4_CSUM | MBUF_USO);
	send(w, partial(w, &p, MBUF_USO, 1473)); // 1501 bytes, and no DF: fragments of segments
	assert_int_equal(w->sent, 5 * 2 + 1);
	for (unsigned i = 0; i < w->sent; i++)
		assert_int_equal(w->out[i].flags, 0);
	w->sent = 0;
	world_close(w);
}

// RFC 1191: what cannot be sent is reported, quoting what was sent: with its checksum.
static void test_report(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = tcp_packet(LAN, HOST, DMZ_HOST, 0x10, 1, 1, 3000);
	const struct frame *f;

	packet_ip(&p)->frag = be16(IP4_DF);
	fix_ip(&p);
	send(w, partial(w, &p, MBUF_TSO, 1460));
	f = world_sent(w, LAN);
	assert_int_equal(f->bytes[34], 3);
	assert_int_equal(f->bytes[35], 4);
	assert_int_equal(get16(f->bytes + 40), 576);
	assert_memory_equal(f->bytes + 42, p.b + 14, 548);
	assert_int_equal(book_csum(f->bytes + 34, f->len - 34u, 0), 0);
	p = udp_packet(LAN, HOST, WAN_HOST, 100);
	packet_ip(&p)->ttl = 1;
	fix_ip(&p);
	send(w, partial(w, &p, 0, 0));
	f = world_sent(w, LAN);
	assert_memory_equal(f->bytes + 42, p.b + 14, p.len - 14);
	world_close(w);
}

// The frames sent, put together by identification: whole packets of TCP, in order, of at most mss
// bytes.
static void check_segments(struct world *w, const struct packet *p, unsigned mss)
{
	uint32_t seq = get32(p->b + 38), first = seq;
	unsigned i = 0;

	while (i < w->sent) {
		static uint8_t whole[FRAME_MAX];
		const uint8_t *b = w->out[i].bytes;
		unsigned id = get16(b + 18), end = 34, more = 1;

		memcpy(whole, b, 34);
		for (; more; i++) {
			b = w->out[i].bytes;
			assert_true(i < w->sent && get16(b + 18) == id);
			assert_true(get16(b + 16) <= 576);
			assert_int_equal(book_csum(b + 14, 20, 0), 0);
			assert_int_equal((get16(b + 20) & 0x1fff) * 8, end - 34);
			memcpy(whole + end, b + 34, get16(b + 16) - 20);
			end += get16(b + 16) - 20;
			more = get16(b + 20) & 0x2000;
		}
		check_l4(whole, end);
		assert_int_equal(get32(whole + 38), seq);
		assert_true(end - 54 == mss || i == w->sent);
		assert_memory_equal(whole + 54, p->b + 54 + (seq - first), end - 54);
		seq += end - 54;
	}
	assert_int_equal(seq - first, p->len - 54);
}

static void test_cut_and_fragment(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = tcp_packet(LAN, HOST, DMZ_HOST, 0x10, 0xfffffff0, 1, 8001);

	send(w, partial(w, &p, MBUF_TSO, 1460));
	assert_int_equal(w->sent, 5 * 3 + 2);
	check_segments(w, &p, 1460);
	assert_int_equal(world_dropped(w), 0);
	p = tcp_packet(LAN, HOST, DMZ_HOST, 0x10, 7, 1, 1200); // one segment
	send(w, partial(w, &p, 0, 0));
	assert_int_equal(w->sent, 3);
	check_segments(w, &p, 1200);
	w->sent = 0;
	world_close(w);
}

static void test_no_buffer(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = tcp_packet(LAN, HOST, DMZ_HOST, 0x10, 1, 1, 8000);
	struct mbuf *m = partial(w, &p, MBUF_TSO, 1460), *all;

	all = world_empty_pool(w);
	send(w, m);
	assert_int_equal(world_drops(w, "ip4-fragment", "no-buffer"), 1);
	world_refill_pool(all);
	world_close(w);
}

// To the router itself: taken as it is, and what it says leaves nothing to a port.
static void test_local(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = tcp_packet(LAN, HOST, ip(198, 51, 100, 1), 0x10, 1, 99, 3000);
	const struct frame *f;

	send(w, partial(w, &p, MBUF_TSO, 1460));
	f = world_sent(w, LAN);
	assert_int_equal(f->bytes[47], 4); // RST
	assert_int_equal(get32(f->bytes + 38), 99);
	check_l4(f->bytes, f->len);
	p = udp_packet(LAN, HOST, ip(198, 51, 100, 1), 100);
	send(w, partial(w, &p, 0, 0));
	f = world_sent(w, LAN);
	assert_int_equal(f->bytes[35], 3); // port unreachable
	assert_memory_equal(f->bytes + 42, p.b + 14, p.len - 14);
	world_close(w);
}

// Behind a priority tag, which stays on its link: the headers move with the frame's beginning.
static void test_priority_tag(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = tcp_packet(LAN, HOST, WAN_HOST, 0x10, 1, 1, 3000);
	struct mbuf *m;
	const struct frame *f;

	w->offloads = true;
	m = partial(w, &p, MBUF_TSO, 1000);
	mbuf_prepend(m, 4);
	memmove(m->data, m->data + 4, 12);
	memcpy(m->data + 12, "\x81\x00\x60\x00", 4);
	m->l3 = 18;
	m->l4 = 38;
	send(w, m);
	f = world_sent(w, WAN);
	assert_int_equal(f->l3, 14);
	assert_int_equal(f->l4, 34);
	assert_memory_equal(f->bytes + 34, p.b + 34, 16);
	world_close(w);
}

// A packet that waits for its neighbor keeps what is to be done.
static void test_held(void **state)
{
	static const uint8_t mac[6] = {2, 1, 192, 0, 2, 77}, own[6] = {2, 0, 0, 0, 0, 2};
	struct world *w = world_open(NULL);
	struct packet p = tcp_packet(LAN, HOST, ip(192, 0, 2, 77), 0x10, 1, 1, 3000), arp;
	const struct frame *f;

	w->offloads = true;
	send(w, partial(w, &p, MBUF_TSO, 1000));
	world_sent(w, WAN); // who has
	arp_packet(&arp, own, 2, mac, ip(192, 0, 2, 77), own, ip(192, 0, 2, 1));
	world_rx_packet(w, WAN, &arp);
	f = world_sent(w, WAN);
	assert_int_equal(f->flags, MBUF_TX_L4_CSUM | MBUF_TSO);
	assert_int_equal(f->mss, 1000);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forward_long), cmocka_unit_test(test_forward_datagrams),
		cmocka_unit_test(test_report),	     cmocka_unit_test(test_cut_and_fragment),
		cmocka_unit_test(test_no_buffer),    cmocka_unit_test(test_local),
		cmocka_unit_test(test_priority_tag), cmocka_unit_test(test_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
