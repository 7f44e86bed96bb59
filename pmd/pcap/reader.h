// SPDX-License-Identifier: BSD-3-Clause
// reader.h - the records of a capture file, one at a time
//
// Classic pcap (micro- or nanoseconds, either byte order, the old variants that libpcap knows) and pcapng, by own
// code: libpcap tells nobody by which interface a packet came, gives up on files of several link types, and costs
// several times what reading a record takes. What libpcap reads of a file, this reads, too, byte by byte the same
// (tests/fuzz/fuzz_capture.c holds it to that); more: interfaces with different snap lengths, and sections of
// different byte orders. Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
#ifndef WEIR_PMD_PCAP_READER_H
#define WEIR_PMD_PCAP_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "core/err.h"
#include "pmd/pcap/source.h"

// Later stamps (and what a corrupt file makes of them) are cut to this, so that adding timeouts to
// a capture's time cannot overflow: the year 2262.
#define CAPTURE_TIME_MAX ((uint64_t)INT64_MAX)
#define CAPTURE_LEN_MAX	 262144u // bytes of a record

struct capture_iface { // of a pcapng file; a classic one is its own only interface
	uint16_t linktype;
	uint32_t snaplen;
	bool binary;	// the unit of its stamps is 2^-shift seconds, else 10^-shift
	uint8_t shift;
	int64_t offset; // seconds
	char name[32];	// if_name, cut; "" when it has none
};

struct capture_reader {
	struct capture_source source;
	const char *path; // the caller's; as long as the reader
	struct stat st;

	const uint8_t *data; // the next record; NULL at the end. Valid until capture_next()
	uint32_t caplen, len;
	uint64_t time;	// ns since 1970
	uint32_t iface; // it came in by, counted over all sections of the file

	uint64_t records;   // read so far, the next one included
	uint64_t bad_times; // stamps outside their range, cut
	uint64_t other_link; // records passed over, since their interface is no Ethernet: capture_open_mixed()
	bool pcapng;
	int error; // why it ended: 0 the file did, else -errno
	struct err err;

	bool mixed, swapped; // swapped: the other byte order, now
	bool nano, patched;  // classic: unit, and records with longer headers
	uint8_t lengths_swapped; // classic: 1: perhaps; 2: always
	struct capture_iface *ifaces; // classic: one
	uint32_t n_ifaces, room_ifaces;
	uint32_t section; // first interface of this section
	uint32_t block_max;
};

// Opens a capture file and reads the first record. 0, or -errno: no such file, not a capture, not Ethernet. A file
// that is broken only later opens; an interface of another link type, too, is an error later.
int capture_open(struct capture_reader *r, const char *path, struct err *err);

// The same for a file that may have interfaces of other link types: their records are passed over and counted.
// One that has no Ethernet at all has no records.
int capture_open_mixed(struct capture_reader *r, const char *path, struct err *err);

// Goes to the next record; at the end or at a broken one data becomes NULL, and error and err say
// why.
void capture_next(struct capture_reader *r);

void capture_close(struct capture_reader *r);

#endif
