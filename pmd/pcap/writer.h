// SPDX-License-Identifier: BSD-3-Clause
// writer.h - a capture file with nanosecond stamps: classic pcap, or pcapng where the name says so
//
// Own code because libpcap writes no pcapng, and no chains. Sources: draft-ietf-opsawg-pcap section
// 4 and 5; draft-ietf-opsawg-pcapng sections 3, 4.1 (SHB), 4.2 (IDB), 4.3 (EPB).
#ifndef WEIR_PMD_PCAP_WRITER_H
#define WEIR_PMD_PCAP_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/stat.h>

#include "core/err.h"
#include "mempool/mbuf.h"

struct capture_writer {
	uint8_t *buf; // NULL: closed
	size_t used;
	int fd;
	const char *path; // the caller's; as long as the writer
	bool pcapng;
	int error; // errno of the first write that failed; the file is incomplete
	uint64_t records;
	unsigned interfaces; // of pcapng, described so far
};

// Creates path (what was there is replaced) and writes the header; pcapng when the name ends so.
// if_name is recorded in pcapng. `input`, when not NULL, is a file that must not be overwritten.
// 0 or -errno; another writer of the same file: -EBUSY.
int capture_create(struct capture_writer *w, const char *path, const char *if_name,
		   const struct stat *input, struct err *err);

// Appends a packet, stamped `time` ns since 1970; m stays the caller's. 0, or -EIO when this or an
// earlier write failed; -EMSGSIZE: no capture can hold it.
int capture_write(struct capture_writer *w, const struct mbuf *m, uint64_t time);

// Of pcapng: describes one more interface. Its number (capture_create() has described number 0), or -ENOTSUP in
// a classic file.
int capture_interface(struct capture_writer *w, const char *if_name);

// Appends the caplen bytes there are of a frame of len bytes, seen on interface number iface, which has been
// described. comment: UTF-8, in pcapng only, cut to 65,535 bytes; NULL or "": none. As capture_write().
int capture_write_frame(struct capture_writer *w, unsigned iface, const void *data, uint32_t caplen,
			uint32_t len, uint64_t time, const char *comment);

// Completes and closes the file: 0, or -EIO and err when any write failed.
int capture_finish(struct capture_writer *w, struct err *err);

#endif
