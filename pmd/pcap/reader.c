// SPDX-License-Identifier: BSD-3-Clause
// reader.c - the records of a capture file, by libpcap; errors name the file and the byte
#include "pmd/pcap/reader.h"

#include <errno.h>
#include <stdio_ext.h>
#include <string.h>

#include "core/clock.h"
#include "core/lcore.h"

#define READER_BUF (1u << 20) // a system call a mebibyte

// A file libpcap does not know: say what it looks like, and what to do.
static int refuse_format(FILE *f, const char *path, const char *why, struct err *err)
{
	uint8_t magic[4] = {0};

	rewind(f);
	if (!fread(magic, 1, sizeof(magic), f))
		return err_set(err, -EINVAL, "%s: byte 0: the file is empty, not a capture", path);
	if (magic[0] == 0x1f && magic[1] == 0x8b)
		return err_set(err, -EINVAL, "%s: compressed by gzip; gunzip it first", path);
	if (!memcmp(magic, "\x28\xb5\x2f\xfd", 4))
		return err_set(err, -EINVAL, "%s: compressed by zstd; unzstd it first", path);
	return err_set(err, -EINVAL, "%s: byte 0: not a readable pcap or pcapng file: %s", path,
		       why);
}

static int refuse_linktype(const char *path, int dlt, struct err *err)
{
	const char *name = pcap_datalink_val_to_name(dlt);
	const char *text = pcap_datalink_val_to_description(dlt);

	return err_set(
		err, -EPROTONOSUPPORT,
		"%s: link type %d (%s%s%s) is not Ethernet; capture on one Ethernet interface, "
		"not on 'any'",
		path, dlt, name ? name : "unknown", text ? ", " : "", text ? text : "");
}

static int open_file(struct capture_reader *r, struct err *err)
{
	r->file = fopen(r->path, "rb");
	if (!r->file || fstat(fileno(r->file), &r->st))
		return err_set(err, -errno, "%s: cannot open for reading: %s", r->path,
			       strerror(errno));
	if (S_ISDIR(r->st.st_mode))
		return err_set(err, -EISDIR, "%s: is a directory; expected a capture file",
			       r->path);
	setvbuf(r->file, NULL, _IOFBF, READER_BUF);
	__fsetlocking(r->file, FSETLOCKING_BYCALLER); // libpcap reads twice a record
	return 0;
}

int capture_open(struct capture_reader *r, const char *path, struct err *err)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	int rc, dlt;

	memset(r, 0, sizeof(*r));
	r->path = path;
	rc = open_file(r, err);
	if (rc)
		goto fail;
	r->pcap =
		pcap_fopen_offline_with_tstamp_precision(r->file, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!r->pcap) {
		rc = refuse_format(r->file, path, why, err);
		goto fail;
	}
	dlt = pcap_datalink(r->pcap);
	if (dlt != DLT_EN10MB) {
		rc = refuse_linktype(path, dlt, err);
		goto fail;
	}
	r->pcapng = pcap_major_version(r->pcap) == 1; // classic files are version 2
	capture_next(r);
	return 0;
fail:
	capture_close(r);
	return rc;
}

// A record that cannot be read. ftell() before the attempt is where it starts (pcapng: where the
// blocks start that lead to it); a pipe has no offsets.
static void end_in_error(struct capture_reader *r, long at)
{
	char place[64] = "in a pipe";

	if (at >= 0)
		snprintf(place, sizeof(place), "at %sbyte %ld", r->pcapng ? "or after " : "", at);
	r->error = -EIO;
	err_set(&r->err, r->error, "%s: record %llu, %s: %s (the %llu before it count)", r->path,
		(unsigned long long)r->records + 1, place, pcap_geterr(r->pcap),
		(unsigned long long)r->records);
}

// Nanoseconds since 1970 from what the file says, which may be anything.
static uint64_t record_time(struct capture_reader *r, const struct pcap_pkthdr *h)
{
	uint64_t sec = (uint64_t)h->ts.tv_sec, nsec = (uint64_t)h->ts.tv_usec; // nano precision

	if (!r->pcapng)
		sec = (uint32_t)sec; // unsigned in the file; libpcap extends the sign
	if (nsec >= NSEC_PER_SEC) {
		nsec = NSEC_PER_SEC - 1;
		r->bad_times++;
	}
	if (sec >= CAPTURE_TIME_MAX / NSEC_PER_SEC) {
		r->bad_times++;
		return CAPTURE_TIME_MAX;
	}
	return sec * NSEC_PER_SEC + nsec;
}

void capture_next(struct capture_reader *r)
{
	long at = ftell(r->file);
	struct pcap_pkthdr *h;
	int rc = pcap_next_ex(r->pcap, &h, &r->data);

	if (unlikely(rc != 1)) {
		r->data = NULL;
		if (rc != PCAP_ERROR_BREAK)
			end_in_error(r, at);
		return;
	}
	r->records++;
	r->caplen = h->caplen;
	r->len = h->len;
	r->time = record_time(r, h);
}

void capture_close(struct capture_reader *r)
{
	if (r->pcap)
		pcap_close(r->pcap); // closes the file too
	else if (r->file)
		fclose(r->file);
	r->pcap = NULL;
	r->file = NULL;
	r->data = NULL;
}
