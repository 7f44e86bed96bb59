// SPDX-License-Identifier: BSD-3-Clause
// pcapng.c - the blocks of pcapng files (draft-ietf-opsawg-pcapng)
//
// A block is looked at before it is passed: the source's offset stands at the one that is wrong. Blocks of unknown
// kinds are passed over.
#include <errno.h>
#include <string.h>

#include "pmd/pcap/records.h"

#define SHB 0x0a0d0d0au // section 4.1
#define IDB 1u		// 4.2
#define PB  2u		// obsolete, appendix A
#define SPB 3u		// 4.4
#define EPB 6u		// 4.3

#define ORDER_MAGIC 0x1a2b3c4du
#define BLOCK_MIN   12u		  // type, length, length
#define BLOCK_FIRST (16u << 20)	  // the largest before the first interface
#define SHB_MAX	    (1u << 20)
#define OPTIONS_MAX 131072u	  // behind the largest packet

enum { OPT_END = 0, OPT_IF_NAME = 2, OPT_TSRESOL = 9, OPT_TSOFFSET = 14 };

struct block {
	uint32_t type, len; // len: of the body
	const uint8_t *body;
};

// The next block, not yet passed. 1, 0 at the end, -errno and err.
static int peek_block(struct capture_reader *r, struct block *b, struct err *err)
{
	struct capture_source *s = &r->source;
	const uint8_t *h = source_peek(s, 8);
	uint32_t total;

	if (unlikely(!h)) {
		if (!source_left(s) && !s->error)
			return 0;
		return capture_short(r, "a block's header", 8, err);
	}
	b->type = num32(r, h);
	// Whose byte order is it? That of the section that begins here.
	if (unlikely(b->type == SHB)) {
		h = source_peek(s, 12);
		if (!h)
			return capture_short(r, "a section's header", 12, err);
		if (load32(h + 8) != ORDER_MAGIC && load32(h + 8) != __builtin_bswap32(ORDER_MAGIC))
			return err_set(err, -EIO, "a section of unknown byte order: %08x", load32(h + 8));
		r->swapped = load32(h + 8) != ORDER_MAGIC;
	}
	total = num32(r, h + 4);
	if (unlikely(total < BLOCK_MIN || total % 4 || total > r->block_max))
		return err_set(err, -EIO, "a block of %u bytes: expected %u to %u, a multiple of 4", total, BLOCK_MIN,
			       r->block_max);
	h = source_peek(s, total);
	if (unlikely(!h))
		return capture_short(r, "a block", total, err);
	// Of the first one libpcap does not look at it.
	if (unlikely(num32(r, h + total - 4) != total) && r->block_max != SHB_MAX)
		return err_set(err, -EIO, "a block of %u bytes that says %u at its end", total,
			       num32(r, h + total - 4));
	b->body = h + 8;
	b->len = total - BLOCK_MIN;
	return 1;
}

static void pass(struct capture_reader *r, const struct block *b)
{
	source_skip(&r->source, b->len + BLOCK_MIN);
}

static int too_short(const struct block *b, uint32_t need, struct err *err)
{
	return err_set(err, -EIO, "a block of type %u has %u bytes, %u are needed", b->type, b->len, need);
}

static int begin_section(struct capture_reader *r, const struct block *b, struct err *err)
{
	if (b->len < 16)
		return too_short(b, 16, err);
	if (num16(r, b->body + 4) != 1)
		return err_set(err, -EIO, "a section of version %u.%u: expected 1", num16(r, b->body + 4),
			       num16(r, b->body + 6));
	r->section = r->n_ifaces;
	return 0;
}

static int read_tsresol(struct capture_iface *i, const uint8_t *value, uint16_t len, struct err *err)
{
	if (len != 1)
		return err_set(err, -EIO, "an interface's option if_tsresol of %u bytes", len);
	i->binary = value[0] & 0x80;
	i->shift = value[0] & 0x7f;
	if (i->shift > (i->binary ? 63 : 19))
		return err_set(err, -EIO, "an interface's stamps in units of %u^-%u s", i->binary ? 2 : 10, i->shift);
	return 0;
}

static int read_option(struct capture_reader *r, struct capture_iface *i, uint16_t code, uint16_t len,
		       const uint8_t *value, unsigned *seen, struct err *err)
{
	if ((code == OPT_TSRESOL || code == OPT_TSOFFSET) && (*seen & 1u << code))
		return err_set(err, -EIO, "an interface with option %u twice", code);
	if (code < 32)
		*seen |= 1u << code;
	if (code == OPT_TSRESOL)
		return read_tsresol(i, value, len, err);
	if (code == OPT_TSOFFSET) {
		if (len != 8)
			return err_set(err, -EIO, "an interface's option if_tsoffset of %u bytes", len);
		i->offset = (int64_t)(r->swapped ? __builtin_bswap64(load64(value)) : load64(value));
	} else if (code == OPT_IF_NAME) {
		size_t n = len < sizeof(i->name) ? len : sizeof(i->name) - 1;

		memcpy(i->name, value, n);
		i->name[n] = 0;
	}
	return 0;
}

static int read_options(struct capture_reader *r, struct capture_iface *i, const uint8_t *at, uint32_t left,
			struct err *err)
{
	unsigned seen = 0;

	while (left) {
		uint16_t code, len;
		uint32_t padded;
		int rc;

		if (left < 4)
			return err_set(err, -EIO, "an interface's options end in the middle of one");
		code = num16(r, at);
		len = num16(r, at + 2);
		padded = (len + 3u) & ~3u;
		if (left - 4 < padded)
			return err_set(err, -EIO, "an interface's option of %u bytes, %u are left", len, left - 4);
		if (code == OPT_END)
			return len ? err_set(err, -EIO, "an interface's last option has %u bytes", len) : 0;
		rc = read_option(r, i, code, len, at + 4, &seen, err);
		if (rc)
			return rc;
		at += 4 + padded;
		left -= 4 + padded;
	}
	return 0;
}

static int add_iface(struct capture_reader *r, const struct block *b, struct err *err)
{
	struct capture_iface *i;
	int rc;

	if (b->len < 8)
		return too_short(b, 8, err);
	rc = capture_wants(r, num16(r, b->body), err);
	if (rc < 0)
		return rc;
	i = capture_add_iface(r, err);
	if (!i)
		return -ENOMEM;
	i->linktype = rc ? LINKTYPE_ETHERNET : 0;
	i->snaplen = capture_snaplen(num32(r, b->body + 4));
	i->shift = 6;
	return read_options(r, i, b->body + 8, b->len - 8, err);
}

int pcapng_begin(struct capture_reader *r, struct err *err)
{
	const uint8_t *h = source_peek(&r->source, 12);
	struct block b;
	int rc;

	if (!h || load32(h) != SHB ||
	    (load32(h + 8) != ORDER_MAGIC && load32(h + 8) != __builtin_bswap32(ORDER_MAGIC)))
		return -EPROTO;
	r->block_max = SHB_MAX;
	rc = peek_block(r, &b, err);
	if (rc == 1)
		rc = begin_section(r, &b, err);
	r->block_max = BLOCK_FIRST;
	while (!rc) {
		pass(r, &b);
		rc = peek_block(r, &b, err);
		if (rc != 1)
			return rc ? rc : err_set(err, -EIO, "no interface is described");
		rc = b.type == SHB ? begin_section(r, &b, err) : 0;
		if (b.type == EPB || b.type == SPB || b.type == PB)
			return err_set(err, -EIO, "a packet before any interface is described");
		if (b.type != IDB)
			continue;
		rc = add_iface(r, &b, err);
		pass(r, &b);
		r->block_max = CAPTURE_LEN_MAX + OPTIONS_MAX + 64;
		return rc;
	}
	return rc;
}

// Stamps count units since 1970.
static void set_time(struct capture_reader *r, const struct capture_iface *i, uint64_t t)
{
	static const uint64_t pow10[20] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
					   10000000000, 100000000000, 1000000000000, 10000000000000,
					   100000000000000, 1000000000000000, 10000000000000000,
					   100000000000000000, 1000000000000000000, 10000000000000000000u};
	__int128 ns;

	if (i->binary)
		ns = (__int128)(((unsigned __int128)t * NSEC_PER_SEC) >> i->shift);
	else if (i->shift <= 9)
		ns = (__int128)t * (__int128)pow10[9 - i->shift];
	else
		ns = t / pow10[i->shift - 9];
	ns += (__int128)i->offset * (__int128)NSEC_PER_SEC;
	if (unlikely(ns < 0 || ns > (__int128)CAPTURE_TIME_MAX)) {
		r->bad_times++;
		ns = ns < 0 ? 0 : (__int128)CAPTURE_TIME_MAX;
	}
	r->time = (uint64_t)ns;
}

// The packet of a block; `head` bytes of body are in front of it.
static int set_packet(struct capture_reader *r, const struct block *b, uint32_t iface, uint32_t head, uint64_t stamp,
		      struct err *err)
{
	const struct capture_iface *i;

	if (unlikely(iface >= r->n_ifaces - r->section))
		return err_set(err, -EIO, "a packet of interface %u, of %u described", iface,
			       r->n_ifaces - r->section);
	r->iface = r->section + iface;
	i = &r->ifaces[r->iface];
	if (unlikely(b->type == SPB))
		r->caplen = r->len < i->snaplen ? r->len : i->snaplen;
	if (unlikely(r->caplen > i->snaplen || r->caplen > b->len - head))
		return err_set(err, -EIO, "a packet of %u bytes, %u of its block are left, %u are the interface's most",
			       r->caplen, b->len - head, i->snaplen);
	set_time(r, i, stamp);
	r->data = b->body + head;
	if (unlikely(!i->linktype)) {
		r->other_link++;
		r->records--;
	}
	pass(r, b);
	return 1;
}

static int read_packet(struct capture_reader *r, const struct block *b, struct err *err)
{
	const uint8_t *p = b->body;
	uint32_t need = b->type == SPB ? 4 : 20;

	if (unlikely(b->len < need))
		return too_short(b, need, err);
	if (b->type == SPB) { // it has no stamp, and its captured length is to be found out
		r->len = num32(r, p);
		return set_packet(r, b, 0, need, 0, err);
	}
	r->caplen = num32(r, p + 12);
	r->len = num32(r, p + 16);
	return set_packet(r, b, b->type == PB ? num16(r, p) : num32(r, p), need,
			  (uint64_t)num32(r, p + 4) << 32 | num32(r, p + 8), err);
}

int pcapng_record(struct capture_reader *r, struct err *err)
{
	struct block b;
	int rc;

	for (;;) {
		rc = peek_block(r, &b, err);
		if (unlikely(rc != 1))
			return rc;
		if (likely(b.type == EPB || b.type == SPB || b.type == PB))
			return read_packet(r, &b, err);
		rc = b.type == IDB ? add_iface(r, &b, err) : b.type == SHB ? begin_section(r, &b, err) : 0;
		if (rc)
			return rc;
		pass(r, &b);
	}
}
