// SPDX-License-Identifier: BSD-3-Clause
// test_meas.c - the receiving node: where signatures are found, whether they are vouched for, and who is counted
#include "tests/unit/core/graph_kinds.h"
#include "tests/unit/apps/signed_packet.h"

#include <pthread.h>

#include "apps/pktgen/hdr.h"
#include "apps/pktgen/meas.h"
#include "core/clock.h"

#define NS     1000000000000000000ull // what the signatures' clock said at meas_start()
#define STREAMS 4u

static struct mempool *pool;
static struct hdr_pool *copies;
static struct clock now_clock;
static const uint16_t sizes[] = {60, 1514};

struct rig {
	struct graph *g;
	struct meas *m;
	struct node *in;
	struct picker stack;
	uint64_t tsc;
};

static struct rig rig;
static struct frame f;

static bool arp_is_ours(void *arg, uint16_t port, const struct mbuf *m)
{
	assert_ptr_equal(arg, &rig);
	assert_int_equal(port, 1);
	return m->data[12] == 8 && m->data[13] == 6;
}

static int start(void **state)
{
	struct meas_conf conf = {.streams = STREAMS,
				 .sizes = sizes,
				 .n_sizes = 2,
				 .ports = 2,
				 .station = arp_is_ours,
				 .station_arg = &rig};
	struct err err = {""};

	memset(&rig, 0, sizeof(rig));
	rig.stack.due = TIME_NEVER;
	rig.stack.pick = pick_sent;
	rig.g = graph_create(&now_clock, &err);
	rig.m = meas_create(&conf, &err);
	rig.in = meas_node_add(rig.g, rig.m, 1, "pktgen-rx-b", &err);
	assert_non_null(rig.in);
	assert_int_equal(node_connect(rig.in, "stack", test_add(rig.g, &picker_def, "stack", &rig.stack), &err), 0);
	rig.tsc = tsc_read();
	meas_start(rig.m, 7, rig.tsc, NS);
	return 0;
}

static int stop(void **state)
{
	struct graph_books b;

	graph_books(rig.g, &b);
	assert_true(graph_balanced(&b));
	graph_destroy(rig.g);
	meas_destroy(rig.m);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
	return 0;
}

static void rx_flagged(const struct frame *frame, uint32_t flags)
{
	struct mbuf *m = mbuf_from_bytes(pool, frame->b, frame->len);

	assert_non_null(m);
	m->flags = flags;
	graph_rx(rig.g, rig.in, &m, 1);
}

static void rx(const struct frame *frame)
{
	rx_flagged(frame, 0);
}

static struct meas_result result(uint32_t stream)
{
	struct meas_result r = {0};

	hdr_pool_reset(copies);
	hdr_init(&r.latency, copies);
	hdr_init(&r.ipdv, copies);
	meas_result(rig.m, stream, &r);
	return r;
}

static struct meas_foreign foreign(void)
{
	struct meas_foreign v = {0};

	meas_foreign(rig.m, 1, &v);
	return v;
}

static uint64_t clock_ns(void)
{
	struct clock c;

	clock_init(&c, CLOCK_REAL);
	return NS + clock_tsc_to_ns(&c, tsc_read() - rig.tsc);
}

// Latency is what the clock says less what the packet says.
static void latency(void **state)
{
	struct meas_result r;
	uint64_t before, after, sent;

	sent = clock_ns() - 5000000;
	signed_packet(&f, 4, 17, 60, 2, 0, sent);
	before = clock_ns();
	rx(&f);
	after = clock_ns();
	r = result(2);
	assert_int_equal(r.packets, 1);
	assert_int_equal(r.bytes, 60);
	assert_in_range(r.latency.max, before - sent, after - sent);
	assert_int_equal(hdr_min(&r.latency), r.latency.max);
	assert_in_range(r.first_ns, before, after);
	assert_int_equal(r.last_ns, r.first_ns);
	assert_int_equal(r.ipdv.count, 0);
	assert_int_equal(meas_pdv(&r, 1), 0);
	signed_packet(&f, 4, 17, 60, 2, 1, clock_ns() + 50000000); // from the future
	rx(&f);
	r = result(2);
	assert_int_equal(r.packets, 2);
	assert_int_equal(r.negative, 1);
	assert_int_equal(r.latency.count, 1);
	assert_int_equal(r.ipdv.count, 1);
	assert_in_range(r.ipdv.max, 50000000, 60000000);
	assert_int_equal(meas_packets(rig.m), 2);
	assert_int_equal(result(0).packets, 0);
	assert_int_equal(result(UINT32_MAX).packets, 2);
}

static void lengths(void **state)
{
	struct hdr h;

	for (unsigned i = 0; i < 6; i++) {
		static const unsigned len[] = {60, 1514, 60, 61, 9010, 60};

		signed_packet(&f, 4, 17, len[i], 0, i, clock_ns());
		rx(&f);
	}
	for (uint32_t i = 0; i < 3; i++) {
		static const unsigned want[] = {3, 1, 2};

		hdr_pool_reset(copies);
		hdr_init(&h, copies);
		meas_size(rig.m, i, &h);
		assert_int_equal(h.count, want[i]);
	}
	assert_int_equal(result(0).bytes, 60 * 3 + 61 + 1514 + 9010);
}

// Every length that a frame may have, in one buffer and in many, both families, UDP and TCP; a bit that was
// changed anywhere over which the checksum runs makes it corrupt.
static void vouched(void **state)
{
	static const unsigned len[] = {60, 61, 62, 63, 64, 65, 80, 127, 128, 129, 130, 162, 163, 164, 200, 201, 577, 1500,
				       1514, 1515, 4000, 9010, 9014, 16000};
	uint64_t good = 0, bad = 0;
	uint32_t seq = 0;

	for (unsigned version = 4; version <= 6; version += 2) {
		for (unsigned proto = 6; proto <= 17; proto += 11) {
			for (unsigned i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
				unsigned l3 = version == 4 ? 34 : 54, at;

				if (len[i] < l3 + (proto == 6 ? 20 : 8) + 18)
					continue;
				signed_packet(&f, version, proto, len[i], 1, seq++, clock_ns());
				rx(&f);
				good++;
				at = l3 + (len[i] * 7 % (len[i] - l3 - 18));
				if (at == l3 + 6 || at == l3 + 7) // UDP without a checksum
					at = l3;
				f.b[at] ^= 0x10;
				rx(&f);
				f.b[at] ^= 0x10;
				f.b[f.len - 1] ^= 1; // in the time
				rx(&f);
				bad += 2;
				assert_int_equal(result(1).packets, good);
				assert_int_equal(result(1).corrupt, bad);
			}
		}
	}
	assert_int_equal(result(1).duplicate, 0);
	assert_int_equal(result(UINT32_MAX).corrupt, bad);
}

// 65,535 bytes: an IPv6 packet without its Ethernet header, nearly.
static void longest(void **state)
{
	signed_packet(&f, 6, 17, 65535, 3, 0, clock_ns());
	rx(&f);
	assert_int_equal(result(3).packets, 1);
	f.b[30000] ^= 4;
	rx(&f);
	assert_int_equal(result(3).corrupt, 1);
}

// What the port has verified is not summed again.
static void trusted(void **state)
{
	signed_packet(&f, 4, 17, 200, 0, 0, clock_ns());
	f.b[100] ^= 1;
	rx_flagged(&f, MBUF_RX_L4_OK);
	assert_int_equal(result(0).packets, 1);
	f.b[100] ^= 1;
	rx_flagged(&f, MBUF_RX_L4_BAD);
	assert_int_equal(result(0).corrupt, 1);
}

// UDP without a checksum, no IP at all, the last fragment: numbers have to be possible.
static void unchecked(void **state)
{
	signed_packet(&f, 4, 17, 100, 0, 0, clock_ns());
	set16(&f, 40, 0);
	rx(&f);
	assert_int_equal(result(0).packets, 1);
	f.len = 0;
	put_eth(&f, 0x88b5);
	put_n(&f, 50, 1);
	put_sig(&f, 7, 0, 1, clock_ns());
	rx(&f);
	assert_int_equal(result(0).packets, 2);
	signed_packet(&f, 4, 17, 100, 0, 2, clock_ns());
	set16(&f, 20, 100); // behind 800 bytes
	rx(&f);
	assert_int_equal(result(0).packets, 3);
	assert_int_equal(result(0).corrupt, 0);
	f.len = 0;
	put_eth(&f, 0x88b5);
	put_n(&f, 50, 1);
	put_sig(&f, 7, 0, 3, clock_ns() + (1ull << 42)); // an hour ahead
	rx(&f);
	assert_int_equal(result(0).corrupt, 1);
	f.len -= 18;
	put_sig(&f, 7, 0, 0x70000000, clock_ns()); // a billion in a fraction of a second
	rx(&f);
	assert_int_equal(result(0).corrupt, 2);
	assert_int_equal(result(0).packets, 3);
}

static void padded(void **state)
{
	signed_packet(&f, 4, 17, 60, 0, 0, clock_ns());
	put_n(&f, 14, 0);
	rx(&f);
	signed_packet(&f, 6, 6, 92, 0, 1, clock_ns());
	put_n(&f, 3, 0xee);
	rx(&f);
	assert_int_equal(result(0).packets, 2);
	f.b[f.len - 5] ^= 1;
	rx(&f);
	assert_int_equal(result(0).corrupt, 1);
}

// VLAN tags, MPLS labels, IPv4 options, IPv6 extension headers, GRE, IP in IP, VXLAN: the innermost checksum counts.
static void layers(void **state)
{
	struct frame inner;
	uint32_t seq = 0, corrupt = 0;

	for (unsigned kind = 0; kind < 9; kind++) {
		unsigned version = kind == 3 || kind == 7 ? 6 : 4, n;

		signed_packet(&inner, version, 17, 120, 0, seq++, clock_ns());
		n = inner.len - 14;
		f.len = 0;
		switch (kind) {
		case 0:
			put_eth(&f, 0x8100);
			put32(&f, 0x00050800);
			break;
		case 1:
			put_eth(&f, 0x88a8);
			put32(&f, 0x00058100);
			put32(&f, 0x00060800);
			break;
		case 2:
			put_eth(&f, 0x8847);
			put32(&f, 100 << 12 | 64);
			put32(&f, 101 << 12 | 1 << 8 | 64);
			break;
		case 3:
			put_eth(&f, 0x8847);
			put32(&f, 101 << 12 | 1 << 8 | 64);
			break;
		case 4: // GRE with key
			put_eth(&f, 0x0800);
			put_ip4(&f, 47, n + 8, 0);
			put32(&f, 0x20000800);
			put32(&f, 77);
			break;
		case 5: // IPv4 in IPv6
			put_eth(&f, 0x86dd);
			put_ip6(&f, 4, n);
			break;
		case 6: // VXLAN, UDP without a checksum
			put_eth(&f, 0x0800);
			put_ip4(&f, 17, n + 14 + 16, 0);
			put16(&f, 5555);
			put16(&f, 4789);
			put16(&f, n + 14 + 16);
			put16(&f, 0);
			put32(&f, 0x08000000);
			put32(&f, 42 << 8);
			put_eth(&f, 0x0800);
			break;
		case 7: // Ethernet in GRE
			put_eth(&f, 0x0800);
			put_ip4(&f, 47, n + 14 + 4, 0);
			put32(&f, 0x6558);
			put_eth(&f, 0x86dd);
			break;
		case 8: // options
			put_eth(&f, 0x0800);
			put_ip4(&f, 17, n - 20, 8);
			memmove(inner.b + 14, inner.b + 34, n -= 20);
			break;
		}
		memcpy(f.b + f.len, inner.b + 14, n);
		f.len += n;
		rx(&f);
		assert_int_equal(result(0).packets, seq);
		f.b[f.len - 20] ^= 2;
		rx(&f);
		assert_int_equal(result(0).corrupt, ++corrupt);
	}
}

static void icmp(void **state)
{
	struct frame inner;

	f.len = 0; // an echo request that is ours
	put_eth(&f, 0x0800);
	put_ip4(&f, 1, 8 + 40, 0);
	put32(&f, 0x08000000);
	put32(&f, 0);
	put_n(&f, 22, 9);
	put_sig(&f, 7, 0, 0, clock_ns());
	sum_l4(&f, 34, f.len, 0, 0, 1);
	rx(&f);
	assert_int_equal(result(0).packets, 1);
	// A router gives a packet back whole, in an error: it has not arrived.
	signed_packet(&inner, 4, 17, 60, 0, 1, clock_ns());
	f.len = 0;
	put_eth(&f, 0x0800);
	put_ip4(&f, 1, 8 + 46, 0);
	put32(&f, 0x0b000000);
	put32(&f, 0);
	memcpy(f.b + f.len, inner.b + 14, 46);
	f.len += 46;
	sum_l4(&f, 34, f.len, 0, 0, 1);
	rx(&f);
	assert_int_equal(result(0).packets, 1);
	assert_int_equal(foreign().foreign, 1);
}

static void strangers(void **state)
{
	struct meas_foreign v;

	signed_packet(&f, 4, 17, 100, STREAMS, 0, clock_ns());
	rx(&f); // no stream of ours
	signed_packet(&f, 4, 17, 100, 0, 0, clock_ns());
	set16(&f, f.len - 16, 6); // another trial's, with its own checksum
	set16(&f, 40, 0);
	sum_l4(&f, 34, f.len, 26, 8, 17);
	rx(&f);
	set16(&f, f.len - 16, 5); // the run was changed on the way
	rx(&f);
	set16(&f, f.len - 18, 5); // nothing signed
	rx(&f);
	f.len = 0;
	put_eth(&f, 0x0806);
	put_n(&f, 46, 0);
	rx(&f);
	f.len = 14; // as short as can be
	set16(&f, 12, 0x0800);
	rx(&f);
	v = foreign();
	assert_int_equal(v.bad_stream, 1);
	assert_int_equal(v.stragglers, 1);
	assert_int_equal(v.foreign, 2);
	assert_int_equal(v.stack, 1);
	assert_int_equal(rig.stack.seens, 1);
	assert_int_equal(result(UINT32_MAX).packets, 0);
	assert_int_equal(result(UINT32_MAX).corrupt, 1);
	meas_start(rig.m, 8, tsc_read(), NS); // all anew
	v = foreign();
	assert_int_equal(v.bad_stream + v.stragglers + v.foreign + v.stack, 0);
	assert_int_equal(result(UINT32_MAX).corrupt, 0);
	signed_packet(&f, 4, 17, 100, 0, 0, NS);
	rx(&f);
	assert_int_equal(foreign().stragglers, 1);
}

// Anything at all: no bad access (sanitizers), and every packet ends.
static void anything(void **state)
{
	uint64_t s = 88172645463325252ull;

	for (unsigned n = 0; n < 20000; n++) {
		unsigned len;

		s ^= s << 13, s ^= s >> 7, s ^= s << 17;
		signed_packet(&f, s & 1 ? 4 : 6, s & 2 ? 6 : 17, 100 + (s >> 8 & 63), 0, n, NS);
		for (unsigned i = 0; i < (s >> 20 & 3); i++)
			f.b[12 + (s >> (24 + 8 * i) & 63)] = (uint8_t)(s >> (32 + 8 * i));
		len = s >> 58 ? f.len : (unsigned)(s >> 40 & 127) + 14;
		f.len = len < f.len ? len : f.len;
		rx(&f);
	}
	assert_int_equal(meas_packets(rig.m), result(0).packets);
}

static void *reader(void *stop)
{
	struct hdr_pool *mine = hdr_pool_create(256);
	uint64_t last = 0;
	bool over, back = false;

	do {
		struct meas_result r = {0};
		struct meas_foreign v = {0};
		struct hdr size;

		over = __atomic_load_n((bool *)stop, __ATOMIC_ACQUIRE);
		hdr_pool_reset(mine);
		hdr_init(&r.latency, mine);
		hdr_init(&r.ipdv, mine);
		hdr_init(&size, mine);
		meas_result(rig.m, 1, &r);
		meas_size(rig.m, 0, &size);
		meas_foreign(rig.m, 1, &v);
		back |= r.packets < last || meas_packets(rig.m) < last;
		last = r.packets;
	} while (!over);
	hdr_pool_destroy(mine);
	return (void *)(uintptr_t)(back ? 0 : last);
}

// Lcore 0 asks while another counts (ThreadSanitizer): nothing goes back, and at the end it is whole.
static void meanwhile(void **state)
{
	bool over = false;
	pthread_t thread;
	void *last;

	assert_int_equal(pthread_create(&thread, NULL, reader, &over), 0);
	for (unsigned i = 0; i < 5000; i++) {
		signed_packet(&f, 4, 17, 60, 1, i ^ (i % 16 == 3), clock_ns() - i * 37 % 5000);
		rx(&f);
		f.b[13] = i % 2 ? 6 : 0x77; // nothing signed at the end
		f.len -= 4;
		rx(&f);
		rig.stack.seens = 0;
	}
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	pthread_join(thread, &last);
	assert_int_equal((uintptr_t)last, result(1).packets);
	assert_true((uintptr_t)last > 4000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(latency), TEST(lengths), TEST(vouched), TEST(longest), TEST(trusted), TEST(unchecked),
		TEST(padded),  TEST(layers),  TEST(icmp),    TEST(strangers), TEST(anything), TEST(meanwhile),
	};

	struct mempool_conf conf = {.name = "test", .count = 1024, .data_room = 384, .lcores = 1};
	struct err err;

	pool = mempool_create(&conf, &err);
	assert_non_null(pool);
	copies = hdr_pool_create(256);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
