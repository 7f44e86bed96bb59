// SPDX-License-Identifier: BSD-3-Clause
// writer.c - write capture files: classic pcap and pcapng, nanoseconds, host byte order
#include "pmd/pcap/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/clock.h"

#define WRITER_BUF   ((size_t)512 << 10) // the longest packet fits, and the second-level cache holds it
#define SNAPLEN      262144u // libpcap's largest
#define LINKTYPE_ETH 1u

struct pcap_file_hdr {
	uint32_t magic; // 0xa1b23c4d: nanoseconds
	uint16_t major, minor;
	uint32_t zone, sigfigs;
	uint32_t snaplen;
	uint32_t linktype;
};

struct pcap_rec_hdr {
	uint32_t sec, nsec;
	uint32_t caplen, len;
};

struct pcapng_shb {
	uint32_t type, total_len;
	uint32_t magic;
	uint16_t major, minor;
	int64_t section_len; // -1: not given
	uint32_t total_len2;
} __attribute__((packed));

struct pcapng_epb {
	uint32_t type, total_len;
	uint32_t iface;
	uint32_t time_high, time_low;
	uint32_t caplen, len;
};

struct pcapng_opt {
	uint16_t code, len;
};

static_assert(sizeof(struct pcap_file_hdr) == 24 && sizeof(struct pcap_rec_hdr) == 16, "format");
static_assert(sizeof(struct pcapng_shb) == 28 && sizeof(struct pcapng_epb) == 28, "format");

static void write_out(struct capture_writer *w)
{
	size_t at = 0;

	while (at < w->used && !w->error) {
		ssize_t n = write(w->fd, w->buf + at, w->used - at);

		if (n >= 0)
			at += (size_t)n;
		else if (errno != EINTR)
			w->error = errno;
	}
	w->used = 0;
}

// Where the next n bytes go, at most WRITER_BUF.
static always_inline uint8_t *room(struct capture_writer *w, size_t n)
{
	uint8_t *at;

	if (unlikely(WRITER_BUF - w->used < n))
		write_out(w);
	at = w->buf + w->used;
	w->used += n;
	return at;
}

static void put(struct capture_writer *w, const void *p, size_t n)
{
	const uint8_t *from = p;

	for (size_t part; n; from += part, n -= part) {
		part = n < WRITER_BUF ? n : WRITER_BUF;
		memcpy(room(w, part), from, part);
	}
}

static void put_pad(struct capture_writer *w, uint32_t n)
{
	put(w, "\0\0\0", -n & 3);
}

static void put_pcap_header(struct capture_writer *w)
{
	const struct pcap_file_hdr h = {0xa1b23c4d, 2, 4, 0, 0, SNAPLEN, LINKTYPE_ETH};

	put(w, &h, sizeof(h));
}

static void put_section(struct capture_writer *w)
{
	const struct pcapng_shb shb = {0x0a0d0d0a, sizeof(shb), 0x1a2b3c4d, 1, 0, -1, sizeof(shb)};

	put(w, &shb, sizeof(shb));
}

static void put_interface(struct capture_writer *w, const char *if_name)
{
	const struct pcapng_opt name = {2, (uint16_t)strlen(if_name)}, tsresol = {9, 1},
				end = {0, 0};
	const uint8_t nano[4] = {9}; // 10^-9 s
	uint32_t len = 16 + 4 + ((name.len + 3u) & ~3u) + 4 + 4 + 4 + 4;
	const uint32_t idb[4] = {1, len, LINKTYPE_ETH,
				 SNAPLEN}; // linktype is 16 bits, then 16 of 0

	put(w, idb, sizeof(idb));
	put(w, &name, sizeof(name));
	put(w, if_name, name.len);
	put_pad(w, name.len);
	put(w, &tsresol, sizeof(tsresol));
	put(w, nano, sizeof(nano));
	put(w, &end, sizeof(end));
	put(w, &len, sizeof(len));
	w->interfaces++;
}

// Opened before it is emptied: what is there may be our own input, or another port's output.
static int open_output(const char *path, const struct stat *input, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	struct stat st;
	int rc = 0;

	if (fd < 0 || fstat(fd, &st)) {
		rc = err_set(err, -errno, "%s: cannot open for writing: %s", path, strerror(errno));
	} else if (S_ISREG(st.st_mode)) {
		if (input && st.st_dev == input->st_dev && st.st_ino == input->st_ino)
			rc = err_set(err, -EINVAL, "%s: is read by the same port; write elsewhere",
				     path);
		else if (flock(fd, LOCK_EX | LOCK_NB))
			rc = err_set(err, -EBUSY, "%s: is being written by another port or process",
				     path);
		else if (ftruncate(fd, 0))
			rc = err_set(err, -errno, "%s: cannot empty: %s", path, strerror(errno));
	}
	if (!rc)
		return fd;
	if (fd >= 0)
		close(fd);
	return rc;
}

int capture_create(struct capture_writer *w, const char *path, const char *if_name,
		   const struct stat *input, struct err *err)
{
	size_t n = strlen(path);
	int fd = open_output(path, input, err);

	memset(w, 0, sizeof(*w));
	if (fd < 0)
		return fd;
	w->path = path;
	w->pcapng = n > 7 && !strcmp(path + n - 7, ".pcapng");
	w->fd = fd;
	w->buf = malloc(WRITER_BUF);
	if (!w->buf) {
		close(fd);
		return err_set(err, -ENOMEM, "%s: no memory for a buffer", path);
	}
	if (!w->pcapng) {
		put_pcap_header(w);
		return 0;
	}
	put_section(w);
	put_interface(w, if_name);
	return 0;
}

// The bytes of a packet, which may be a chain.
static always_inline void put_packet(struct capture_writer *w, uint8_t *at, const struct mbuf *m)
{
	if (likely(!m->next)) {
		memcpy(at, m->data, m->len);
		return;
	}
	for (; m; at += m->len, m = m->next)
		memcpy(at, m->data, m->len);
}

static void write_pcapng(struct capture_writer *w, const struct mbuf *m, uint64_t time)
{
	uint32_t n = m->pkt_len, padded = (n + 3) & ~3u, total = (uint32_t)sizeof(struct pcapng_epb) + padded + 4;
	const struct pcapng_epb h = {6, total, 0, (uint32_t)(time >> 32), (uint32_t)time, n, n};
	uint8_t *at = room(w, total);

	memcpy(at, &h, sizeof(h));
	put_packet(w, at + sizeof(h), m);
	memset(at + sizeof(h) + n, 0, padded - n);
	memcpy(at + sizeof(h) + padded, &total, sizeof(total));
}

static void write_classic(struct capture_writer *w, const struct mbuf *m, uint64_t time)
{
	uint32_t n = m->pkt_len;
	const struct pcap_rec_hdr h = {(uint32_t)(time / NSEC_PER_SEC), (uint32_t)(time % NSEC_PER_SEC), n, n};
	uint8_t *at = room(w, sizeof(h) + n);

	memcpy(at, &h, sizeof(h));
	put_packet(w, at + sizeof(h), m);
}

int capture_write(struct capture_writer *w, const struct mbuf *m, uint64_t time)
{
	if (unlikely(m->pkt_len > SNAPLEN))
		return -EMSGSIZE;
	if (w->pcapng)
		write_pcapng(w, m, time);
	else
		write_classic(w, m, time);
	if (unlikely(w->error))
		return -EIO;
	w->records++;
	return 0;
}

int capture_interface(struct capture_writer *w, const char *if_name)
{
	if (!w->pcapng)
		return -ENOTSUP;
	put_interface(w, if_name);
	return (int)w->interfaces - 1;
}

// opt_comment, opt_endofopt.
static void put_comment(struct capture_writer *w, const char *comment, uint16_t n)
{
	const struct pcapng_opt opt = {1, n}, end = {0, 0};

	put(w, &opt, sizeof(opt));
	put(w, comment, n);
	put_pad(w, n);
	put(w, &end, sizeof(end));
}

static void put_frame_pcapng(struct capture_writer *w, unsigned iface, const void *data,
			     uint32_t caplen, uint32_t len, uint64_t time, const char *comment)
{
	size_t n = comment ? strnlen(comment, UINT16_MAX) : 0;
	uint32_t options = n ? 8 + (((uint32_t)n + 3) & ~3u) : 0;
	uint32_t total = (uint32_t)sizeof(struct pcapng_epb) + ((caplen + 3) & ~3u) + options + 4;
	const struct pcapng_epb h = {6,	     total,  iface, (uint32_t)(time >> 32), (uint32_t)time,
				     caplen, len};

	put(w, &h, sizeof(h));
	put(w, data, caplen);
	put_pad(w, caplen);
	if (n)
		put_comment(w, comment, (uint16_t)n);
	put(w, &total, sizeof(total));
}

int capture_write_frame(struct capture_writer *w, unsigned iface, const void *data, uint32_t caplen,
			uint32_t len, uint64_t time, const char *comment)
{
	const struct pcap_rec_hdr h = {(uint32_t)(time / NSEC_PER_SEC),
				       (uint32_t)(time % NSEC_PER_SEC), caplen, len};

	if (w->pcapng) {
		put_frame_pcapng(w, iface, data, caplen, len, time, comment);
	} else {
		put(w, &h, sizeof(h));
		put(w, data, caplen);
	}
	if (w->error)
		return -EIO;
	w->records++;
	return 0;
}

int capture_finish(struct capture_writer *w, struct err *err)
{
	if (!w->buf)
		return 0;
	write_out(w);
	if (close(w->fd) && !w->error)
		w->error = errno;
	free(w->buf);
	w->buf = NULL;
	if (!w->error)
		return 0;
	return err_set(err, -EIO, "%s: %s: the capture is incomplete (%llu packets were accepted)",
		       w->path, strerror(w->error), (unsigned long long)w->records);
}
