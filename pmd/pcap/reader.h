// SPDX-License-Identifier: BSD-3-Clause
// reader.h - the records of a capture file, one at a time
#ifndef WEIR_PMD_PCAP_READER_H
#define WEIR_PMD_PCAP_READER_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "core/err.h"

// Later stamps (and what a corrupt file makes of them) are cut to this, so that adding timeouts to
// a capture's time cannot overflow: the year 2262.
#define CAPTURE_TIME_MAX ((uint64_t)INT64_MAX)

struct capture_reader {
	pcap_t *pcap;
	FILE *file;
	const char *path; // the caller's; as long as the reader
	struct stat st;

	const uint8_t *data; // the next record; NULL at the end. Valid until capture_next()
	uint32_t caplen, len;
	uint64_t time; // ns since 1970

	uint64_t records;   // read so far, the next one included
	uint64_t bad_times; // stamps outside their range, cut
	bool pcapng;
	int error; // why it ended: 0 the file did, else -errno
	struct err err;
};

// Opens classic pcap (micro- or nanoseconds, either byte order) or pcapng, and reads the first
// record. 0, or -errno: no such file, not a capture, not Ethernet. A file that is broken only later
// opens.
int capture_open(struct capture_reader *r, const char *path, struct err *err);

// Goes to the next record; at the end or at a broken one data becomes NULL, and error and err say
// why.
void capture_next(struct capture_reader *r);

void capture_close(struct capture_reader *r);

#endif
