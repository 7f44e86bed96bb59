// SPDX-License-Identifier: BSD-3-Clause
// classic.c - classic pcap files (draft-ietf-opsawg-pcap, 4 and 5), with the exceptions that libpcap makes
#include <errno.h>
#include <string.h>

#include "pmd/pcap/records.h"

#define MAGIC_MICRO   0xa1b2c3d4u
#define MAGIC_NANO    0xa1b23c4du
#define MAGIC_PATCHED 0xa1b2cd34u // Alexey Kuznetzov's
#define RECORD	      16u
#define RECORD_PATCHED 24u

static bool known_magic(struct capture_reader *r, uint32_t magic)
{
	r->nano = magic == MAGIC_NANO;
	r->patched = magic == MAGIC_PATCHED;
	return r->nano || r->patched || magic == MAGIC_MICRO;
}

// Which versions there are, and which of them wrote the two lengths the other way round.
static int check_version(struct capture_reader *r, uint16_t major, uint16_t minor, struct err *err)
{
	if (!(major == 2 && minor <= 4) && !(major == 543 && minor == 0))
		return err_set(err, -EINVAL, "version %u.%u of the format is unknown", major, minor);
	r->lengths_swapped = major == 543 || minor < 3 ? 2 : minor == 3 ? 1 : 0;
	return 0;
}

int classic_begin(struct capture_reader *r, struct err *err)
{
	const uint8_t *h = source_peek(&r->source, 4);
	struct capture_iface *iface;
	uint32_t magic;
	int rc;

	if (!h)
		return -EPROTO;
	magic = load32(h);
	r->swapped = !known_magic(r, magic);
	if (r->swapped && !known_magic(r, __builtin_bswap32(magic)))
		return -EPROTO;
	h = source_peek(&r->source, CLASSIC_HEADER);
	if (!h)
		return capture_short(r, "the file's header", CLASSIC_HEADER, err);
	rc = check_version(r, num16(r, h + 4), num16(r, h + 6), err);
	if (rc)
		return rc;
	rc = capture_wants(r, num32(r, h + 20) & 0x03ffffff, err); // above: whether there is an FCS
	if (rc < 0)
		return rc;
	iface = capture_add_iface(r, err);
	if (!iface)
		return -ENOMEM;
	iface->linktype = rc ? LINKTYPE_ETHERNET : 0;
	iface->snaplen = capture_snaplen(num32(r, h + 16));
	if (r->patched && iface->snaplen <= INT32_MAX - 14)
		iface->snaplen += 14; // a made-up Ethernet header was not counted
	source_skip(&r->source, CLASSIC_HEADER);
	return 0;
}

static void set_time(struct capture_reader *r, uint64_t sec, uint64_t nsec)
{
	if (unlikely(nsec >= NSEC_PER_SEC)) {
		nsec = NSEC_PER_SEC - 1;
		r->bad_times++;
	}
	r->time = sec * NSEC_PER_SEC + nsec; // 32 bits of seconds: the year 2106
}

int classic_record(struct capture_reader *r, struct err *err)
{
	uint32_t head = r->patched ? RECORD_PATCHED : RECORD, caplen, snaplen = r->ifaces[0].snaplen;
	const uint8_t *h = source_peek(&r->source, head);
	uint64_t frac;

	if (unlikely(!h)) {
		if (!source_left(&r->source) && !r->source.error)
			return 0;
		return capture_short(r, "a record's header", head, err);
	}
	caplen = num32(r, h + 8);
	r->len = num32(r, h + 12);
	if (unlikely(r->lengths_swapped == 2 || (r->lengths_swapped && caplen > r->len))) {
		uint32_t len = r->len;

		r->len = caplen;
		caplen = len;
	}
	if (unlikely(caplen > CAPTURE_LEN_MAX))
		return err_set(err, -EIO, "a packet of %u bytes, over the %u that there can be", caplen,
			       CAPTURE_LEN_MAX);
	frac = num32(r, h + 4);
	set_time(r, num32(r, h), r->nano ? frac : frac * 1000);
	h = source_peek(&r->source, head + caplen);
	if (unlikely(!h))
		return capture_short(r, "a packet", head + caplen, err);
	r->data = h + head;
	// Some systems recorded more than they said.
	r->caplen = caplen > snaplen ? snaplen : caplen;
	source_skip(&r->source, head + caplen);
	if (unlikely(!r->ifaces[0].linktype)) {
		r->other_link++;
		r->records--;
	}
	return 1;
}
