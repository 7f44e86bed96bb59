// SPDX-License-Identifier: BSD-3-Clause
// reader.c - open a capture file of either format and walk its records; errors name the file and the byte
#include "pmd/pcap/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pmd/pcap/records.h"

#define IFACES_MAX 65536u // no file of one machine has more

struct capture_iface *capture_add_iface(struct capture_reader *r, struct err *err)
{
	if (r->n_ifaces == IFACES_MAX) {
		err_set(err, -EIO, "more than %u interfaces", IFACES_MAX);
		return NULL;
	}
	if (r->n_ifaces == r->room_ifaces) {
		uint32_t room = r->room_ifaces ? 2 * r->room_ifaces : 4;
		struct capture_iface *more = realloc(r->ifaces, room * sizeof(*more));

		if (!more) {
			err_set(err, -ENOMEM, "no memory for %u interfaces", room);
			return NULL;
		}
		r->ifaces = more;
		r->room_ifaces = room;
	}
	r->ifaces[r->n_ifaces] = (struct capture_iface){0};
	return &r->ifaces[r->n_ifaces++];
}

int capture_short(const struct capture_reader *r, const char *what, size_t n, struct err *err)
{
	if (r->source.error)
		return err_set(err, -EIO, "cannot be read: %s", strerror(r->source.error));
	return err_set(err, -EIO, "truncated: %s takes %zu bytes, %zu are there", what, n,
		       source_left(&r->source));
}

int capture_wants(struct capture_reader *r, uint32_t linktype, struct err *err)
{
	// Numbers in files and libpcap's are the same but for a few.
	int dlt = linktype == 101 ? DLT_RAW : (int)linktype;
	const char *name = pcap_datalink_val_to_name(dlt);
	const char *text = pcap_datalink_val_to_description(dlt);

	if (likely(linktype == LINKTYPE_ETHERNET))
		return 1;
	if (r->mixed)
		return 0;
	return err_set(err, -EPROTONOSUPPORT,
		       "link type %u (%s%s%s) is not Ethernet; capture on one Ethernet interface, not on 'any'",
		       linktype, name ? name : "unknown", text ? ", " : "", text ? text : "");
}

// A file of neither format: say what it looks like, and what to do.
static int refuse_format(struct capture_reader *r, struct err *err)
{
	const uint8_t *magic = source_peek(&r->source, 4);

	if (!magic && r->source.error)
		return err_set(err, -r->source.error, "%s: cannot be read: %s", r->path, strerror(r->source.error));
	if (!source_left(&r->source))
		return err_set(err, -EINVAL, "%s: byte 0: the file is empty, not a capture", r->path);
	if (magic && magic[0] == 0x1f && magic[1] == 0x8b)
		return err_set(err, -EINVAL, "%s: compressed by gzip; gunzip it first", r->path);
	if (magic && !memcmp(magic, "\x28\xb5\x2f\xfd", 4))
		return err_set(err, -EINVAL, "%s: compressed by zstd; unzstd it first", r->path);
	return err_set(err, -EINVAL, "%s: byte 0: not a readable pcap or pcapng file: it begins with none of their "
				     "magic numbers",
		       r->path);
}

static int open_file(struct capture_reader *r, struct err *err)
{
	int fd = open(r->path, O_RDONLY | O_CLOEXEC);

	source_open(&r->source, fd);
	if (fd < 0 || fstat(fd, &r->st))
		return err_set(err, -errno, "%s: cannot open for reading: %s", r->path, strerror(errno));
	if (S_ISDIR(r->st.st_mode))
		return err_set(err, -EISDIR, "%s: is a directory; expected a capture file", r->path);
	if (S_ISREG(r->st.st_mode))
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;
}

static int begin(struct capture_reader *r, struct err *err)
{
	struct err why;
	int rc = classic_begin(r, &why);

	if (rc == -EPROTO) {
		r->pcapng = true;
		rc = pcapng_begin(r, &why);
	}
	if (rc == -EPROTO)
		return refuse_format(r, err);
	if (rc == -EPROTONOSUPPORT)
		return err_set(err, rc, "%s: %s", r->path, why.text);
	return rc ? err_set(err, -EINVAL, "%s: byte %llu: not a readable pcap or pcapng file: %s", r->path,
			    (unsigned long long)source_offset(&r->source), why.text)
		  : 0;
}

static int open_any(struct capture_reader *r, const char *path, bool mixed, struct err *err)
{
	int rc;

	memset(r, 0, sizeof(*r));
	r->path = path;
	r->mixed = mixed;
	rc = open_file(r, err);
	if (!rc)
		rc = begin(r, err);
	if (!rc)
		capture_next(r);
	else
		capture_close(r);
	return rc;
}

int capture_open(struct capture_reader *r, const char *path, struct err *err)
{
	return open_any(r, path, false, err);
}

int capture_open_mixed(struct capture_reader *r, const char *path, struct err *err)
{
	return open_any(r, path, true, err);
}

static void end_in_error(struct capture_reader *r, uint64_t at, const struct err *why)
{
	r->data = NULL;
	r->error = -EIO;
	err_set(&r->err, r->error, "%s: record %llu, at byte %llu: %s (the %llu before it count)", r->path,
		(unsigned long long)r->records + 1, (unsigned long long)at, why->text,
		(unsigned long long)r->records);
}

void capture_next(struct capture_reader *r)
{
	struct err why;
	uint64_t at, passed;
	int rc;

	do {
		passed = r->other_link;
		at = source_offset(&r->source);
		rc = r->pcapng ? pcapng_record(r, &why) : classic_record(r, &why);
		if (unlikely(rc != 1)) {
			r->data = NULL;
			if (rc < 0)
				end_in_error(r, r->pcapng ? source_offset(&r->source) : at, &why);
			return;
		}
		r->records++;
	} while (unlikely(r->other_link != passed));
}

void capture_close(struct capture_reader *r)
{
	if (r->path) // else it was never opened
		source_close(&r->source);
	r->path = NULL;
	free(r->ifaces);
	r->ifaces = NULL;
	r->n_ifaces = r->room_ifaces = 0;
	r->data = NULL;
}
