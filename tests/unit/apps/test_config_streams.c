// SPDX-License-Identifier: BSD-3-Clause
// test_config_streams.c - streams of YAML: what arrives in the blob, and what is said of what is wrong
#include <errno.h>

#include "config_test.h"

#define PKTGEN                                                                                     \
	"version: 1\nfunction: pktgen\nports:\n"                                                   \
	"  west: {device: \"null:\", addresses: [198.18.0.1/24, \"2001:2::1/64\"], line: 10G}\n"  \
	"  east: {device: \"null:\"}\n"                                                            \
	"routes: [{to: 203.0.113.0/24, via: 198.18.0.254}]\nstreams:\n"
#define TO "  s: {port: west, to: 198.18.0.2"

struct opened {
	struct config c;
	struct blob b;
	void *data;
};

static void reopen(struct opened *o)
{
	struct err err;
	size_t len;

	free(o->data);
	o->data = config_blob(&o->c, &len);
	if (blob_open(&o->b, o->data, len, &err))
		fail_msg("%s", err.text);
}

static void open_text(struct opened *o, const char *text)
{
	struct diags d = {0};

	if (!config_parse(&o->c, "f.yaml", text, strlen(text), false, &d)) {
		diag_print(&d, stderr);
		fail_msg("%s", text);
	}
	diag_free(&d);
	o->data = NULL;
	reopen(o);
}

static void closed(struct opened *o)
{
	free(o->data);
	config_free(&o->c);
}

// The one stream with those keys.
static struct blob_stream stream_of(const char *keys)
{
	struct blob_stream s;
	struct opened o;
	char text[1024];

	snprintf(text, sizeof(text), PKTGEN TO "%s}\n", keys);
	open_text(&o, text);
	assert_int_equal(o.b.n_streams, 1);
	s = o.b.streams[0];
	closed(&o);
	return s;
}

static void rate(const char *text, unsigned kind, uint64_t value)
{
	char keys[64];
	struct blob_stream s;

	snprintf(keys, sizeof(keys), ", rate: %s", text);
	s = stream_of(keys);
	assert_int_equal(s.rate_kind, kind);
	assert_int_equal(s.rate, value);
}

static void rates(void **state)
{
	assert_int_equal(stream_of("").rate_kind, BLOB_RATE_TOP);
	rate("top", BLOB_RATE_TOP, 0);
	rate("1pps", BLOB_RATE_PPS, 1000);
	rate("0.001pps", BLOB_RATE_PPS, 1);
	rate("14.88095238Mpps", BLOB_RATE_PPS, 14880952380);
	rate("{pps: 1G}", BLOB_RATE_PPS, 1000000000000);
	rate("{l1: 10G}", BLOB_RATE_L1, 10000000000);
	rate("{l2: 2.5k}", BLOB_RATE_L2, 2500);
	rate("{line: 50%}", BLOB_RATE_LINE, 500000);
	rate("100%", BLOB_RATE_LINE, 1000000);
	rate("0.0001%", BLOB_RATE_LINE, 1);
}

static void times(void **state)
{
	struct blob_stream s = stream_of(", start: 1.5ms, duration: 2h, count: 1.5M, burst: 64, seed: 9, "
					 "shape: {on: 10ms, off: 5us}");

	assert_int_equal(s.start_ns, 1500000);
	assert_int_equal(s.duration_ns, 7200 * UINT64_C(1000000000));
	assert_int_equal(s.count, 1500000);
	assert_int_equal(s.burst, 64);
	assert_int_equal(s.seed, 9);
	assert_int_equal(s.shape, BLOB_SHAPE_ONOFF);
	assert_int_equal(s.on_us, 10000);
	assert_int_equal(s.off_us, 5);
	assert_int_equal(stream_of(", shape: poisson").shape, BLOB_SHAPE_POISSON);
	assert_int_equal(stream_of("").shape, BLOB_SHAPE_CONSTANT);
	assert_int_equal(stream_of("").burst, 1);
}

static void next_hops(void **state)
{
	struct blob_stream s = stream_of("");
	struct opened o;

	assert_int_equal(s.flags, BLOB_STREAM_SIGNED | BLOB_STREAM_RESOLVE | BLOB_STREAM_PORT_MAC);
	assert_int_equal(s.via_family, 4);
	assert_memory_equal(s.via, "\xc6\x12\0\x02\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_memory_equal(stream_of(", via: 198.18.0.7").via, "\xc6\x12\0\x07", 4);
	open_text(&o, PKTGEN "  routed: {port: west, to: 203.0.113.9}\n"
			     "  fixed: {port: east, layers: [eth: {dst: \"02:00:00:00:00:02\", src: \"02:00:00:00:00:01\"},"
			     " ipv4: 10.0.0.1, udp]}\n");
	assert_memory_equal(o.b.streams[0].via, "\xc6\x12\0\xfe", 4);
	assert_int_equal(o.b.streams[1].flags, BLOB_STREAM_SIGNED);
	// A port without addresses: RFC 2544, C.2.2.
	assert_memory_equal(o.b.bytes + o.b.variants[o.b.streams[1].variant].head + 26, "\xc6\x12\2\2\x0a\0\0\1", 8);
	closed(&o);
}

// Copies, and the least length of each stack when none is said.
static void copies(void **state)
{
	struct opened o;

	open_text(&o, PKTGEN "  a: {port: west, to: 198.18.0.2}\n  six: {port: west, to: \"2001:2::2\"}\n"
			     "  t: {port: west, layers: [ipv4: 198.18.0.2, tcp], signature: off}\n"
			     "  many: {port: west, copies: 9997, layers: [ipv4: {dst: 198.18.0.2}, udp: {src: {from: 1, per: copy}}]}\n");
	assert_int_equal(o.b.n_streams, BLOB_STREAMS_MAX);
	assert_int_equal(o.b.variants[o.b.streams[0].variant].len, 60);
	assert_int_equal(o.b.variants[o.b.streams[1].variant].len, 80);
	assert_int_equal(o.b.variants[o.b.streams[2].variant].len, 60);
	assert_string_equal(blob_str(&o.b, o.b.streams[3].name), "many#0");
	assert_string_equal(blob_str(&o.b, o.b.streams[9999].name), "many#9996");
	assert_memory_equal(o.b.bytes + o.b.variants[o.b.streams[9999].variant].head + 34, "\x27\x0d", 2); // 9997
	assert_int_equal(o.b.n_fields, 0);
	closed(&o);
}

// Copies take turns within a period, where their rate tells one.
static void turns(void **state)
{
	static const struct {
		const char *keys;
		uint64_t start[4];
	} cases[] = {
		{"rate: 1kpps, start: 1ms", {1000000, 1250000, 1500000, 1750000}},
		{"rate: 1kpps, burst: 8", {0, 2000000, 4000000, 6000000}},
		{"rate: {l1: 672M}", {0, 250, 500, 750}}, // 84 bytes on the wire take 1 us
		{"rate: {l2: 512M}", {0, 250, 500, 750}},
		{"rate: 1kpps, shape: poisson, start: 1ms", {1000000, 1000000, 1000000, 1000000}},
		{"rate: top", {0, 0, 0, 0}},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct opened o;
		char text[1024];

		snprintf(text, sizeof(text), PKTGEN "  a: {port: west, to: 198.18.0.2, copies: 4, %s}\n", cases[i].keys);
		open_text(&o, text);
		for (unsigned k = 0; k < 4; k++)
			assert_int_equal(o.b.streams[k].start_ns, cases[i].start[k]);
		closed(&o);
	}
}

// Headers that fill the frame: the body is empty.
static void no_body(void **state)
{
	struct opened o;

	open_text(&o, PKTGEN "  a: {port: west, layers: [ipv6: \"2001:2::2\", tcp], signature: off}\n");
	assert_int_equal(o.b.streams[0].head_len, 74);
	assert_int_equal(o.b.streams[0].body_len, 0);
	assert_int_equal(o.b.variants[o.b.streams[0].variant].len, 74);
	closed(&o);
}

static void sizes(void **state)
{
	const uint16_t good[] = {1518, 84, 512}, bad[] = {84, 83}, many[] = {84};
	struct opened o;
	struct err err;

	open_text(&o, PKTGEN "  a: {port: west, to: 198.18.0.2, length: {imix: simple, order: random}}\n"
			     "  b: {port: west, to: \"2001:2::2\"}\n");
	assert_int_equal(config_stream_sizes(&o.c, good, 3, &err), 0);
	reopen(&o);
	assert_int_equal(o.b.n_streams, 6);
	for (unsigned i = 0; i < 6; i++) {
		const struct blob_stream *s = &o.b.streams[i];
		char name[16];

		snprintf(name, sizeof(name), "%c@%u", "ab"[i / 3], good[i % 3]);
		assert_string_equal(blob_str(&o.b, s->name), name);
		assert_int_equal(s->variants, 1);
		assert_int_equal(s->lengths, 1);
		assert_int_equal(s->flags & BLOB_STREAM_SHUFFLED, 0);
		assert_int_equal(o.b.variants[s->variant].len, good[i % 3] - 4);
	}
	assert_int_equal(config_stream_sizes(&o.c, bad, 2, &err), -EINVAL);
	assert_string_equal(err.text, "f.yaml:9:3: stream b: length 83: expected at least 84: 62 of headers, 18 of "
				      "signature, 4 of FCS");
	reopen(&o);
	assert_int_equal(o.b.n_streams, 6);
	assert_int_equal(config_stream_sizes(&o.c, many, 1, &err), 0);
	reopen(&o);
	assert_int_equal(o.b.n_streams, 2);
	closed(&o);
}

static void complains(const char *stream, const char *want)
{
	char text[1024];

	snprintf(text, sizeof(text), PKTGEN "%s\n", stream);
	says(text, want);
}

static void wrong_streams(void **state)
{
	complains("  a: {to: 198.18.0.2}", "f.yaml:8:3: a: expected key port: there are 2 ports\n");
	complains("  a: {port: north, to: 198.18.0.2}", "f.yaml:8:13: north: expected the name of a port: west, east\n");
	complains("  a: {port: west}", "f.yaml:8:3: a: expected key to: ADDRESS, layers: [ipv4: ADDRESS, udp, …] or "
				       "frame: {pcap: FILE}\n");
	complains("  a.b: {port: west, to: 198.18.0.2}", "f.yaml:8:3: a.b: expected a name of 1 to 31 letters, digits, _ "
							  "and -\n");
	complains("  a: {port: west, to: 198.18.0.2}\n  a: {port: west, to: 198.18.0.2}",
		  "f.yaml:9:3: a: a stream of this name is there already\n");
	complains("  a: {port: west, to: 198.18.0.2-198.18.0.9}",
		  "f.yaml:8:23: a: expected via: ADDRESS, or eth: {dst: MAC}: these are many stations of the port's own "
		  "network, and a stream has one next hop\n");
	complains("  a: {port: west, to: 10.0.0.1}",
		  "f.yaml:8:23: a: to 10.0.0.1: expected via: ADDRESS, the next hop on the network of port west, a route "
		  "that leads there, or eth: {dst: MAC}\n");
	complains("  a: {port: west, to: 10.0.0.1, via: 10.0.0.2}",
		  "f.yaml:8:38: a: next hop 10.0.0.2: expected an address on the network of the stream's port\n");
	complains("  a: {port: west, to: 198.18.0.2, copies: 10001}",
		  "f.yaml:8:43: 10001: expected a number from 1 to 10000\n");
	complains("  a: {port: west, to: 198.18.0.2, copies: 5000}\n  b: {port: west, to: 198.18.0.2, copies: 5001}",
		  "f.yaml:9:3: b: expected at most 10000 streams, their copies counted\n");
}

static void wrong_layers(void **state)
{
	complains("  a: {port: west, layers: [udp]}",
		  "f.yaml:8:28: udp: expected one of vlan, mpls, ipv4, ipv6, arp behind eth\n");
	complains("  a: {port: west, layers: [ipv4, tcp, udp]}", "f.yaml:8:39: udp: expected no layer behind tcp\n");
	complains("  a: {port: west, layers: [ipv4: {dst: 198.18.0.2, foo: 1}]}",
		  "f.yaml:8:52: foo: unknown field: ipv4 has src, dst, proto, dscp, ecn, id, df, mf, offset, ttl\n");
	complains("  a: {port: west, layers: [ipv6: {dst: \"2001:2::2\"}, udp: {checksum: off}]}",
		  "f.yaml:8:70: a: expected checksum: on over ipv6 (RFC 8200, 8.1)\n");
	complains("  a: {port: west, layers: [ipv4: 198.18.0.2, udp, vxlan]}",
		  "f.yaml:8:27: […]: expected eth behind vxlan\n");
	complains("  a: {port: west, layers: [vlan: 5, ipv4: 198.18.0.2]}",
		  "f.yaml:8:27: a: expected eth: {dst: MAC}, or via: ADDRESS: only of IP right over Ethernet is the next "
		  "hop found by itself\n");
}

#define SRC "  a: {port: west, layers: [ipv4: {dst: 198.18.0.2}, udp: {src: "
#define WAYS ", or {from: …, to: …}, {list: […]}, {random: […]}, {expr: …}\n"

static void wrong_values(void **state)
{
	complains(SRC "65536}]}", "f.yaml:8:64: 65536: expected src of 0 to 65535" WAYS);
	complains(SRC "1-}]}", "f.yaml:8:64: 1-: expected src of 0 to 65535" WAYS);
	complains(SRC "{expr: \"i+(\", cycle: 9}}]}", "f.yaml:8:71: i+(: column 4 of the expression: expected a number, an "
						      "address, i, c or (\n");
	complains(SRC "{expr: \"1/i\", cycle: 9}}]}", "f.yaml:8:71: 1/i: with i 0, c 0: a division by 0\n");
	complains(SRC "{expr: \"65530+i\", cycle: 9}}]}",
		  "f.yaml:8:71: 65530+i: with i 6, c 0: expected a value that fits 16 bits\n");
	complains(SRC "{expr: \"10/(3-c)\", cycle: 9}}], copies: 5}",
		  "f.yaml:8:64: a: with i 0, c 3: a division by 0\n");
	complains(SRC "{random: [5, 1]}}]}", "f.yaml:8:73: […]: expected [LEAST, MOST]\n");
	complains(SRC "{list: []}}]}", "f.yaml:8:71: […]: expected at least one value\n");
	complains(SRC "{from: 1, to: 9, step: 0}}]}", "f.yaml:8:87: 0: expected a step of at least 1; it goes down where "
						      "to is below from\n");
	complains(SRC "{from: 1}}]}", "f.yaml:8:64: {…}: expected one of {from: A, to: B}, {list: [A, …]}, {random: [A, "
				      "B]}, {expr: TEXT, cycle: N}; per: copy needs no to and no cycle\n");
	complains("  a: {port: west, via: \"2001:2::9\", layers: [ipv6: \"2001:db8::f000:0:0:0-2001:db8:0:1::\", udp]}",
		  "f.yaml:8:52: a: expected addresses of one /64, a step of whole /64s (0:0:0:1::), or random ones from "
		  "PREFIX:: to PREFIX:ffff:ffff:ffff:ffff\n");
}

static void wrong_keys(void **state)
{
	complains(TO ", length: 63}", "f.yaml:8:43: 63: expected a number from 64 to 9018\n");
	complains(TO ", length: 1519}",
		  "f.yaml:8:43: s: length 1519: expected at most 1518, or a larger mtu of port west than 1500\n");
	complains(TO ", length: {imix: foo}}",
		  "f.yaml:8:50: foo: expected the name of a mix: simple, cisco, tcp, ipv6, spirent\n");
	complains(TO ", length: {genome: abq}}",
		  "f.yaml:8:52: abq: expected letters of RFC 6985: a 64, b 128, c 256, d 512, e 1024, f 1280, g 1518, h "
		  "2112, i 9000, z the MTU\n");
	complains(TO ", rate: 101%}", "f.yaml:8:41: 101%: expected top, a rate like 1Mpps or 50%, or {pps: 1M}, {l1: 10G}, "
				      "{l2: 10G}, {line: 50%}\n");
	complains(TO ", shape: smooth}", "f.yaml:8:42: smooth: expected constant, poisson or {on: 10ms, off: 5ms}\n");
	complains(TO ", duration: 60}", "f.yaml:8:45: 60: expected a duration like 60s, at most a year\n");
	complains(TO ", payload: {hex: \"abc\"}}",
		  "f.yaml:8:50: abc: expected bytes as pairs of hex digits like \"de ad be ef\"\n");
	complains(TO ", payload: {capture: {pcap: x}}}", "f.yaml:8:61: x: cannot open for reading: No such file or directory\n");
	says("version: 1\nfunction: pktgen\nports: {a: {device: \"null:\", line: 1k}}\nstreams: {}\n",
	     "f.yaml:3:36: 1k: expected a line rate of 1M to 10T bit/s like 10G\n"
	     "f.yaml:4:10: {…}: expected at least one stream\n");
	says("version: 1\nfunction: pktgen\nports: {a: {device: \"null:\"}}\n",
	     "f.yaml:1:1: {…}: expected key streams: {NAME: {to: ADDRESS, …}, …} in pktgen\n");
	says(HEAD PORTS "streams: {a: {port: wan, to: 192.0.2.2}}\n",
	     "f.yaml:1:1: {…}: streams belong to function pktgen, not router\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),	cmocka_unit_test(times),	cmocka_unit_test(next_hops),
		cmocka_unit_test(copies),	cmocka_unit_test(turns),	cmocka_unit_test(no_body),	cmocka_unit_test(sizes),	cmocka_unit_test(wrong_streams),
		cmocka_unit_test(wrong_layers), cmocka_unit_test(wrong_values), cmocka_unit_test(wrong_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
