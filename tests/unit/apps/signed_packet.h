// SPDX-License-Identifier: BSD-3-Clause
// signed_packet.h - signed frames byte by byte, their checksums by RFC 1071's plainest reading
#ifndef WEIR_TESTS_UNIT_APPS_SIGNED_PACKET_H
#define WEIR_TESTS_UNIT_APPS_SIGNED_PACKET_H

#include <stdint.h>
#include <string.h>

struct frame {
	uint8_t b[65536 + 64];
	unsigned len;
};

static inline void put8(struct frame *f, unsigned v)
{
	f->b[f->len++] = (uint8_t)v;
}

static inline void put16(struct frame *f, unsigned v)
{
	put8(f, v >> 8);
	put8(f, v & 255);
}

static inline void put32(struct frame *f, uint32_t v)
{
	put16(f, v >> 16);
	put16(f, v & 65535);
}

static inline void put_n(struct frame *f, unsigned n, unsigned v)
{
	while (n--)
		put8(f, v);
}

static inline void set16(struct frame *f, unsigned at, unsigned v)
{
	f->b[at] = (uint8_t)(v >> 8);
	f->b[at + 1] = (uint8_t)v;
}

static inline uint32_t words(const struct frame *f, unsigned from, unsigned to)
{
	uint32_t sum = 0;

	for (unsigned i = from; i < to; i++)
		sum += (i - from) & 1 ? f->b[i] : (unsigned)f->b[i] << 8;
	return sum;
}

static inline unsigned complement(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 65535) + (sum >> 16);
	return ~sum & 65535;
}

static inline void put_eth(struct frame *f, unsigned type)
{
	put_n(f, 6, 0x02);
	put_n(f, 6, 0x04);
	put16(f, type);
}

static inline void put_ip4(struct frame *f, unsigned proto, unsigned payload, unsigned options)
{
	unsigned at = f->len;

	put8(f, 0x45 + options / 4);
	put8(f, 0);
	put16(f, 20 + options + payload);
	put32(f, 0);
	put8(f, 64);
	put8(f, proto);
	put16(f, 0);
	put32(f, 0xc0000201);
	put32(f, 0xc6336402);
	put_n(f, options, 1);
	set16(f, at + 10, complement(words(f, at, f->len)));
}

static inline void put_ip6(struct frame *f, unsigned next, unsigned payload)
{
	put32(f, 0x60000000);
	put16(f, payload);
	put8(f, next);
	put8(f, 64);
	put32(f, 0x20010db8);
	put_n(f, 11, 0);
	put8(f, 1);
	put32(f, 0x20010db8);
	put_n(f, 11, 7);
	put8(f, 2);
}

// UDP or TCP header, with checksum 0.
static inline void put_l4(struct frame *f, unsigned proto, unsigned payload)
{
	put16(f, 1234);
	put16(f, 5678);
	if (proto == 6) {
		put32(f, 1);
		put32(f, 2);
		put32(f, 0x50100200);
		put32(f, 0);
	} else {
		put16(f, 8 + payload);
		put16(f, 0);
	}
}

static inline void put_sig(struct frame *f, unsigned run, unsigned stream, uint32_t seq, uint64_t ns)
{
	put16(f, 0x5765);
	put16(f, run);
	put16(f, stream);
	put32(f, seq);
	put32(f, (uint32_t)(ns >> 32));
	put32(f, (uint32_t)ns);
}

// Fills in the checksum of the transport header at l4, to `end`, whose addresses (alen bytes) are at addr.
static inline void sum_l4(struct frame *f, unsigned l4, unsigned end, unsigned addr, unsigned alen, unsigned proto)
{
	static const unsigned places[256] = {[6] = 16, [17] = 6, [1] = 2, [58] = 2};
	uint32_t sum = words(f, l4, end);

	if (alen)
		sum += words(f, addr, addr + alen) + proto + (end - l4);
	set16(f, l4 + places[proto], proto == 17 && !complement(sum) ? 0xffff : complement(sum));
}

// Ethernet, IP of `version`, UDP or TCP, a signature: len bytes.
static inline void signed_packet(struct frame *f, unsigned version, unsigned proto, unsigned len, unsigned stream,
				 uint32_t seq, uint64_t ns)
{
	unsigned l3 = version == 4 ? 20 : 40, l4 = proto == 6 ? 20 : 8, run = 7;

	f->len = 0;
	put_eth(f, version == 4 ? 0x0800 : 0x86dd);
	if (version == 4)
		put_ip4(f, proto, len - 34, 0);
	else
		put_ip6(f, proto, len - 54);
	put_l4(f, proto, len - 14 - l3 - l4);
	for (unsigned i = f->len; i < len - 18; i++)
		put8(f, i * 7);
	put_sig(f, run, stream, seq, ns);
	sum_l4(f, 14 + l3, f->len, 14 + l3 - (version == 4 ? 8 : 32), version == 4 ? 8 : 32, proto);
}

#endif
