// SPDX-License-Identifier: BSD-3-Clause
// capture_test.h - capture files built byte by byte, in either byte order, for the tests of pcap
// ports
#ifndef WEIR_TESTS_CAPTURE_TEST_H
#define WEIR_TESTS_CAPTURE_TEST_H

#include <sys/stat.h>
#include <unistd.h>

#include "port_test.h"

struct capbuf {
	uint8_t b[65536];
	size_t n;
	bool big; // byte order of the file
	bool ng;
	bool nano;
};

static char test_dir[64];

static inline int capture_setup(void **state)
{
	snprintf(test_dir, sizeof(test_dir), "/tmp/weir-test-XXXXXX");
	return mkdtemp(test_dir) ? 0 : -1;
}

static inline const char *test_path(const char *name)
{
	static char path[4][128];
	static unsigned turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", test_dir, name);
	return path[turn];
}

static inline int capture_teardown(void **state)
{
	static const char *const names[] = {"in.pcap", "in.pcapng", "out.pcap", "out.pcapng", "x"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(test_path(names[i]));
	return rmdir(test_dir);
}

static inline void cap_int(struct capbuf *c, unsigned size, uint64_t v)
{
	for (unsigned i = 0; i < size; i++)
		c->b[c->n++] = (uint8_t)(v >> 8 * (c->big ? size - 1 - i : i));
}

static inline void cap_bytes(struct capbuf *c, const void *p, size_t n)
{
	memcpy(c->b + c->n, p, n);
	c->n += n;
}

// pcap: file header. pcapng: section header and one interface (if_tsresol 9 when nano, else absent:
// 6).
static inline void cap_begin(struct capbuf *c, bool ng, bool nano, bool big, unsigned linktype)
{
	memset(c, 0, sizeof(*c));
	c->ng = ng;
	c->nano = nano;
	c->big = big;
	if (!ng) {
		cap_int(c, 4, nano ? 0xa1b23c4d : 0xa1b2c3d4);
		cap_int(c, 2, 2);
		cap_int(c, 2, 4);
		cap_int(c, 8, 0);
		cap_int(c, 4, 65535);
		cap_int(c, 4, linktype);
		return;
	}
	cap_int(c, 4, 0x0a0d0d0a);
	cap_int(c, 4, 28);
	cap_int(c, 4, 0x1a2b3c4d);
	cap_int(c, 2, 1);
	cap_int(c, 2, 0);
	cap_int(c, 8, UINT64_MAX);
	cap_int(c, 4, 28);
	cap_int(c, 4, 1);
	cap_int(c, 4, nano ? 32 : 20);
	cap_int(c, 2, linktype);
	cap_int(c, 2, 0);
	cap_int(c, 4, 65535);
	if (nano) {
		cap_int(c, 2, 9);
		cap_int(c, 2, 1);
		cap_bytes(c, "\x09\0\0\0", 4);
		cap_int(c, 4, 0);
	}
	cap_int(c, 4, nano ? 32 : 20);
}

// A record of caplen bytes 0, 1, 2, … cut from a frame of len.
static inline void cap_record(struct capbuf *c, uint64_t sec, uint32_t nsec, uint32_t caplen,
			      uint32_t len)
{
	uint32_t frac = c->nano ? nsec : nsec / 1000;
	uint64_t t = sec * (c->nano ? 1000000000ull : 1000000ull) + frac;
	uint32_t total = 32 + ((caplen + 3) & ~3u);

	if (c->ng) {
		cap_int(c, 4, 6);
		cap_int(c, 4, total);
		cap_int(c, 4, 0);
		cap_int(c, 4, t >> 32);
		cap_int(c, 4, t & 0xffffffff);
	} else {
		cap_int(c, 4, sec);
		cap_int(c, 4, frac);
	}
	cap_int(c, 4, caplen);
	cap_int(c, 4, len);
	for (uint32_t i = 0; i < caplen; i++)
		c->b[c->n++] = (uint8_t)i;
	if (!c->ng)
		return;
	for (uint32_t i = caplen; i & 3; i++)
		c->b[c->n++] = 0;
	cap_int(c, 4, total);
}

static inline const char *cap_save(const struct capbuf *c, size_t n, const char *name)
{
	const char *path = test_path(name);
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(c->b, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	return path;
}

#endif
