// SPDX-License-Identifier: BSD-3-Clause
// test_ip4_options.c - options that record, and those that are wrong; redirects; directed broadcasts
#include "tests/unit/netstack/world.h"

#include "netstack/ip4.h"

#define HOST	 ip(198, 51, 100, 10)
#define SELF	 ip(198, 51, 100, 1)
#define WAN_HOST ip(192, 0, 2, 10)

// RFC 791, 3.1: milliseconds, not since midnight. Worlds begin at 1000 s.
#define STAMP "800f4240"

static struct packet with_options(struct packet p, const char *hex)
{
	uint8_t opt[40];
	size_t n = unhex(hex, opt);

	memmove(p.b + 34 + n, p.b + 34, p.len - 34);
	memcpy(p.b + 34, opt, n);
	p.len += n;
	p.b[14] = (uint8_t)(0x45 + n / 4);
	packet_ip(&p)->len = be16(p.len - 14);
	fix_ip(&p);
	return p;
}

static void expect_options(const struct frame *f, const char *hex)
{
	uint8_t want[40];
	size_t n = unhex(hex, want);

	assert_int_equal(f->bytes[14], 0x45 + n / 4);
	assert_memory_equal(f->bytes + 34, want, n);
	assert_int_equal(book_csum(f->bytes + 14, 20 + n, 0), 0);
}

// Forwarded from lan to wan, where the router is 192.0.2.1.
static void forward(const char *in, const char *out)
{
	struct world *w = world_open(NULL);
	struct packet p = with_options(udp_packet(LAN, HOST, WAN_HOST, 9), in);

	world_rx_packet(w, LAN, &p);
	expect_options(world_sent(w, WAN), out);
	assert_int_equal(world_dropped(w), 0);
	world_close(w);
}

// RFC 791, 3.1, and RFC 1812, 5.3.13.5.
static void test_record_route(void **state)
{
	forward("07 07 04 00000000 00", "07 07 08 c0000201 00");
	forward("07 0b 08 01020304 00000000 00", "07 0b 0c 01020304 c0000201 00");
	forward("01 07 0b 04 00000000 00000000", "01 07 0b 08 c0000201 00000000");
	forward("07 07 08 01020304 00", "07 07 08 01020304 00"); // full
	forward("07 03 04 00", "07 03 04 00");			 // no room at all
	forward("94 04 0000 07 07 04 00000000 00", "94 04 0000 07 07 08 c0000201 00");
}

// RFC 791, 3.1, and RFC 1812, 5.3.13.6.
static void test_timestamp(void **state)
{
	forward("44 0c 05 00 00000000 00000000", "44 0c 09 00 " STAMP " 00000000");
	forward("44 0c 09 00 00000001 00000000", "44 0c 0d 00 00000001 " STAMP);
	forward("44 0c 05 01 00000000 00000000", "44 0c 0d 01 c0000201 " STAMP);
	forward("44 0c 05 03 c0000201 00000000", "44 0c 0d 03 c0000201 " STAMP); // asked of us
	forward("44 0c 05 03 c6336401 00000000", "44 0c 0d 03 c6336401 " STAMP); // another of ours
	forward("44 0c 05 03 08080808 00000000", "44 0c 05 03 08080808 00000000");
	forward("44 08 09 00 00000001", "44 08 09 10 00000001"); // full: counted
	forward("44 08 09 e0 00000001", "44 08 09 f0 00000001");
	forward("44 08 05 00 00000000 07 07 04 00000000 00",
		"44 08 09 00 " STAMP " 07 07 08 c0000201 00");
}

static void test_unchanged(void **state)
{
	forward("00 000000", "00 000000");
	forward("01 01 01 01", "01 01 01 01");
	forward("94 04 0000", "94 04 0000");	 // router alert (RFC 2113)
	forward("9e 04 1234", "9e 04 1234");	 // unknown (RFC 1812, 5.3.13.2)
	forward("00 83 03 04", "00 83 03 04");	 // behind the end nothing counts
	forward("01 01 00 07", "01 01 00 07");
}

// RFC 1812, 4.3.3.5 and RFC 792: the octet at fault, counted from the header's first. Those of Linux 6.1
// (ip_options_compile) are the peer.
static void wrong(const char *hex, uint8_t pointer)
{
	struct world *w = world_open(NULL);
	struct packet p = with_options(udp_packet(LAN, HOST, WAN_HOST, 9), hex);
	const struct frame *f;

	world_rx_packet(w, LAN, &p);
	assert_int_equal(world_drops(w, "ip4-input", "bad-option"), 1);
	f = world_sent(w, LAN);
	assert_memory_equal(f->bytes + 26, "\xc6\x33\x64\x01\xc6\x33\x64\x0a", 8);
	assert_int_equal(f->bytes[34], 12);
	assert_int_equal(f->bytes[35], 0);
	assert_int_equal(book_csum(f->bytes + 34, f->len - 34u, 0), 0);
	assert_int_equal(f->bytes[38], pointer);
	assert_memory_equal(f->bytes + 39, "\0\0", 3);
	assert_memory_equal(f->bytes + 42, p.b + 14, p.len - 14); // the packet as it came
	world_close(w);
}

static void test_wrong(void **state)
{
	wrong("9e 00 0000", 20);		    // length 0
	wrong("9e 01 0000", 20);		    // below its own two bytes
	wrong("9e 05 0000", 20);		    // beyond the header
	wrong("01 01 01 44", 23);		    // no room for a length
	wrong("07 02 0000", 21);		    // no room for a pointer
	wrong("07 07 03 00000000 00", 22);	    // points into itself
	wrong("07 07 05 00000000 00", 22);	    // no room for an address
	wrong("01 07 07 00 00000000", 23);
	wrong("07 03 04 07 03 04 00 00", 23);	    // twice
	wrong("44 03 05 00", 21);
	wrong("44 08 04 00 00000000", 22);
	wrong("44 08 06 00 00000000", 22);
	wrong("44 08 05 01 00000000", 22);	    // an address and a time need 8
	wrong("44 08 05 02 00000000", 23);	    // no such flag
	wrong("44 08 09 f0 00000000", 23);	    // over 15 found no room
	wrong("94 03 00 00", 21);
}

// An error is not answered with an error, nor is a broadcast (RFC 1812, 4.3.2.7).
static void test_wrong_silent(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = with_options(icmp_packet(LAN, HOST, WAN_HOST, 3, 1, 28), "9e 00 0000");

	world_rx_packet(w, LAN, &p);
	assert_int_equal(world_drops(w, "ip4-input", "bad-option"), 1);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

// RFC 7126, 4.3 and 4.4: refused, and in silence.
static void test_source_route(void **state)
{
	static const char *const routes[] = {"83 07 04 c0000201 00", "01 89 07 04 c0000201"};

	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_open(NULL);
		struct packet p = with_options(udp_packet(LAN, HOST, WAN_HOST, 9), routes[i]);

		world_rx_packet(w, LAN, &p);
		assert_int_equal(world_drops(w, "ip4-input", "source-route"), 1);
		assert_int_equal(w->sent, 0);
		world_close(w);
	}
}

// A packet that ends here is told about as it came.
static void test_expired(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p =
		with_options(udp_packet(LAN, HOST, WAN_HOST, 9), "07 07 04 00000000 00");
	const struct frame *f;

	packet_ip(&p)->ttl = 1;
	fix_ip(&p);
	world_rx_packet(w, LAN, &p);
	f = world_sent(w, LAN);
	assert_int_equal(f->bytes[34], 11);
	assert_memory_equal(f->bytes + 42, p.b + 14, p.len - 14);
	world_close(w);
}

// RFC 1122, 3.2.2.6: with the options that record, ours in them.
static void echo(const char *in, const char *out)
{
	struct world *w = world_open(NULL);
	struct packet p = with_options(icmp_packet(LAN, HOST, SELF, 8, 0, 32), in);
	unsigned hlen = (p.b[14] & 15u) * 4;
	const struct frame *f;

	world_rx_packet(w, LAN, &p);
	f = world_sent(w, LAN);
	expect_options(f, out);
	hlen = (f->bytes[14] & 15u) * 4;
	assert_int_equal(f->bytes[14 + hlen], 0);
	assert_int_equal(book_csum(f->bytes + 14 + hlen, 40, 0), 0);
	assert_int_equal(be16(load16(f->bytes + 16)), hlen + 40);
	world_close(w);
}

static void test_echo(void **state)
{
	echo("07 07 04 00000000 00", "07 07 08 c6336401 00");
	echo("01 01 01 07 0b 08 01020304 00000000 00 00", "07 0b 0c 01020304 c6336401 00");
	echo("07 07 08 01020304 00", "07 07 08 01020304 00");
	echo("44 0c 05 01 00000000 00000000", "44 0c 0d 01 c6336401 " STAMP);
	echo("44 08 05 00 00000000 07 07 04 00000000 00",
	     "07 07 08 c6336401 44 08 09 00 " STAMP " 00");
	echo("94 04 0000", "");
	echo("01 01 01 01", "");
}

// All of 40 bytes, as ping -R sends it.
static void test_echo_full(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = with_options(icmp_packet(LAN, HOST, SELF, 8, 0, 32),
				       "01 07 27 04 0000000000000000000000000000000000000000"
				       "00000000000000000000000000000000");
	const struct frame *f;

	world_rx_packet(w, LAN, &p);
	f = world_sent(w, LAN);
	assert_int_equal(f->bytes[14], 0x4f);
	assert_memory_equal(f->bytes + 34, "\x07\x27\x08\xc6\x33\x64\x01\0", 8);
	world_close(w);
}

static void redirects_on(struct ifaces *ifs)
{
	ifs->iface[WAN].redirects = true;
}

// RFC 1812, 5.2.7.2.
static void test_redirect(void **state)
{
	struct world *w = world_open_with(NULL, redirects_on);
	// By the default route, whose next hop is 192.0.2.254.
	struct packet p = udp_packet(WAN, WAN_HOST, ip(203, 0, 113, 7), 9);
	const struct frame *f;

	world_rx_packet(w, WAN, &p);
	assert_int_equal(w->sent, 2); // the packet, and word of it
	f = &w->out[1];
	assert_memory_equal(w->out[0].bytes + 30, "\xcb\x00\x71\x07", 4);
	assert_memory_equal(f->bytes + 26, "\xc0\x00\x02\x01\xc0\x00\x02\x0a", 8);
	assert_memory_equal(f->bytes + 34, "\x05\x01", 2);
	assert_memory_equal(f->bytes + 38, "\xc0\x00\x02\xfe", 4);
	assert_int_equal(book_csum(f->bytes + 34, f->len - 34u, 0), 0);
	w->sent = 0;
	p = udp_packet(WAN, ip(8, 8, 8, 8), ip(203, 0, 113, 7), 9); // whose sender is not on the link
	world_rx_packet(w, WAN, &p);
	world_sent(w, WAN);
	p = udp_packet(LAN, HOST, ip(203, 0, 113, 7), 9); // another interface
	world_rx_packet(w, LAN, &p);
	world_sent(w, WAN);
	p = udp_packet(WAN, ip(192, 0, 2, 254), WAN_HOST, 9); // on link: the destination itself
	world_rx_packet(w, WAN, &p);
	assert_int_equal(w->sent, 2);
	assert_memory_equal(w->out[1].bytes + 38, "\xc0\x00\x02\x0a", 4);
	world_close(w);
}

static void test_redirect_off(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = udp_packet(WAN, WAN_HOST, ip(203, 0, 113, 7), 9);

	world_rx_packet(w, WAN, &p);
	world_sent(w, WAN);
	world_close(w);
}

static void broadcasts_on(struct ifaces *ifs)
{
	ifs->iface[WAN].directed_broadcast = true;
}

// RFC 2644 and RFC 1812, 5.3.5.2: off, unless an interface says otherwise.
static void test_directed_broadcast(void **state)
{
	struct world *w = world_open_with(NULL, broadcasts_on);
	struct packet p = udp_packet(LAN, HOST, ip(192, 0, 2, 255), 9);
	const struct frame *f;

	world_rx_packet(w, LAN, &p);
	f = world_sent(w, WAN);
	assert_memory_equal(f->bytes, "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x02", 12);
	assert_int_equal(f->bytes[22], 63);
	p = udp_packet(LAN, HOST, ip(192, 0, 2, 0), 9); // the all-zeros of old
	world_rx_packet(w, LAN, &p);
	p = udp_packet(LAN, HOST, ip(10, 0, 0, 255), 9); // another interface's
	world_rx_packet(w, LAN, &p);
	assert_int_equal(world_drops(w, "ip4-lookup", "directed-broadcast"), 2);
	p = udp_packet(LAN, ip(192, 0, 2, 255), HOST, 9); // and it is nobody's source
	world_rx_packet(w, LAN, &p);
	assert_int_equal(world_drops(w, "ip4-input", "martian-source"), 1);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_route), cmocka_unit_test(test_timestamp),
		cmocka_unit_test(test_unchanged),    cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_wrong_silent), cmocka_unit_test(test_source_route),
		cmocka_unit_test(test_expired),	     cmocka_unit_test(test_echo),
		cmocka_unit_test(test_echo_full),    cmocka_unit_test(test_redirect),
		cmocka_unit_test(test_redirect_off), cmocka_unit_test(test_directed_broadcast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
