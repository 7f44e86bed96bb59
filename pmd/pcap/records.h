// SPDX-License-Identifier: BSD-3-Clause
// records.h - what the readers of the two capture formats share
#ifndef WEIR_PMD_PCAP_RECORDS_H
#define WEIR_PMD_PCAP_RECORDS_H

#include "core/clock.h"
#include "core/wire.h"
#include "pmd/pcap/reader.h"

#define LINKTYPE_ETHERNET 1u
#define CLASSIC_HEADER	  24u

// Reads a header: of the file, and of pcapng up to the first interface. 0, or -errno and err, which says what is
// wrong without naming the file; -EPROTO: this is no such file.
int classic_begin(struct capture_reader *r, struct err *err);
int pcapng_begin(struct capture_reader *r, struct err *err);

// Goes to the next record. 1: there it is; 0: the end; -errno and err.
int classic_record(struct capture_reader *r, struct err *err);
int pcapng_record(struct capture_reader *r, struct err *err);

// One more interface, zeroed; NULL and err.
struct capture_iface *capture_add_iface(struct capture_reader *r, struct err *err);

// The file ended, or could not be read, where n bytes of `what` were expected.
int capture_short(const struct capture_reader *r, const char *what, size_t n, struct err *err);

// Whether records of this link type are given out: 1; passed over: 0; -EPROTONOSUPPORT and err.
int capture_wants(struct capture_reader *r, uint32_t linktype, struct err *err);

static inline uint32_t num32(const struct capture_reader *r, const void *p)
{
	uint32_t v = load32(p);

	return r->swapped ? __builtin_bswap32(v) : v;
}

static inline uint16_t num16(const struct capture_reader *r, const void *p)
{
	uint16_t v = load16(p);

	return r->swapped ? __builtin_bswap16(v) : v;
}

// The snap length that counts: what a file says may be nonsense, libpcap's rule.
static inline uint32_t capture_snaplen(uint32_t said)
{
	return said == 0 || said > INT32_MAX ? CAPTURE_LEN_MAX : said;
}

#endif
