// SPDX-License-Identifier: BSD-3-Clause
// test_pcap_broken.c - the pcap port on files that are cut, corrupt, no captures, or not to be
// opened
#include "capture_test.h"

static struct mempool *pool;

static int setup(void **state)
{
	pool = test_pool(64, 0, 0);
	return capture_setup(state);
}

static int try_open(struct port *p, const char *args, struct err *e)
{
	return test_try_open(p, "wan", "pcap", args, pool, NULL, e);
}

static void refused(const char *args, int code, const char *in_text)
{
	struct port p = {.id = 0};
	struct err e;
	int rc = try_open(&p, args, &e);

	assert_int_equal(rc, code);
	if (!strstr(e.text, in_text))
		fail_msg("'%s' does not say '%s'", e.text, in_text);
}

// Receives all there is; returns the count, and port->error()'s code and text.
static unsigned drain(struct port *p, int *error, struct err *e)
{
	struct mbuf *pkts[16];
	unsigned total = 0, n;

	while (p->pmd->next_time(p) != TIME_NEVER) {
		n = port_rx_burst(p, 0, pkts, 16);
		assert_in_range(n, 1, 16);
		mbuf_free_bulk(pkts, n);
		total += n;
	}
	*error = p->pmd->error(p, e);
	return total;
}

// Cuts a file of three records at every byte: what is whole is delivered; a cut inside a record is
// an error that names the file and the byte at which that record begins.
static void cut_everywhere(bool ng, bool nano, bool big)
{
	size_t end[4];
	struct capbuf c;

	cap_begin(&c, ng, nano, big, 1);
	end[0] = c.n;
	for (unsigned i = 1; i < 4; i++) {
		cap_record(&c, 100, i, 59 + i, 59 + i);
		end[i] = c.n;
	}
	for (size_t cut = 0; cut <= c.n; cut++) {
		const char *path = cap_save(&c, cut, "in.pcap");
		unsigned whole = 0, got;
		struct port p = {.id = 0};
		struct err e = {""};
		char place[160];
		int error;

		if (cut < end[0]) {
			assert_true(try_open(&p, path, &e) < 0);
			assert_non_null(strstr(e.text, path));
			continue;
		}
		while (whole < 3 && end[whole + 1] <= cut)
			whole++;
		assert_int_equal(try_open(&p, path, &e), 0);
		got = drain(&p, &error, &e);
		assert_int_equal(got, whole);
		if (cut == end[whole]) {
			assert_int_equal(error, 0);
		} else {
			assert_int_equal(error, -EIO);
			snprintf(place, sizeof(place), "%s: record %u, at byte %zu: ", path, whole + 1,
				 end[whole]);
			if (strncmp(e.text, place, strlen(place)))
				fail_msg("'%s' does not begin with '%s'", e.text, place);
		}
		assert_int_equal(port_close(&p, &e), 0);
	}
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

static void test_cut_everywhere(void **state)
{
	for (unsigned i = 0; i < 8; i++)
		cut_everywhere(i & 1, i & 2, i & 4);
}

// Every byte of a small file set to 0, 0xff and its complement in turn: never a crash or a hang,
// never more packets than the file has room for.
static void test_corrupt_everywhere(void **state)
{
	for (unsigned ng = 0; ng < 2; ng++) {
		struct capbuf c;

		cap_begin(&c, ng, true, false, 1);
		for (unsigned i = 0; i < 3; i++)
			cap_record(&c, 100, i, 60, 60);
		for (size_t at = 0; at < 3 * c.n; at++) {
			uint8_t *b = &c.b[at / 3], old = *b;
			struct port p = {.id = 0};
			struct err e;
			int error;

			*b = at % 3 == 0 ? 0 : at % 3 == 1 ? 0xff : (uint8_t)~old;
			if (!try_open(&p, cap_save(&c, c.n, "in.pcap"), &e)) {
				assert_in_range(drain(&p, &error, &e), 0, c.n / 16);
				assert_int_equal(port_close(&p, &e), 0);
			} else {
				assert_true(e.text[0]);
			}
			*b = old;
		}
	}
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

static void test_bad_record_length(void **state)
{
	struct port p = {.id = 0};
	struct capbuf c;
	struct err e;
	int error;

	cap_begin(&c, false, false, false, 1);
	cap_record(&c, 100, 0, 60, 60);
	cap_record(&c, 100, 0, 60, 60);
	memset(c.b + 24 + 76 + 8, 0xff, 4); // its captured length
	assert_int_equal(try_open(&p, cap_save(&c, c.n, "in.pcap"), &e), 0);
	assert_int_equal(drain(&p, &error, &e), 1);
	assert_int_equal(error, -EIO);
	assert_non_null(strstr(e.text, "record 2, at byte 100: "));
	assert_int_equal(port_close(&p, &e), 0);
}

static void test_not_captures(void **state)
{
	struct capbuf c;

	cap_begin(&c, false, false, false, 1);
	refused(cap_save(&c, 0, "x"), -EINVAL, "is empty");
	memcpy(c.b, "hello, world", 12);
	refused(cap_save(&c, 24, "x"), -EINVAL, "not a readable pcap or pcapng");
	memcpy(c.b, "\x1f\x8b\x08\x00", 4);
	refused(cap_save(&c, 24, "x"), -EINVAL, "gunzip");
	memcpy(c.b, "\x28\xb5\x2f\xfd", 4);
	refused(cap_save(&c, 24, "x"), -EINVAL, "unzstd");
}

static void test_link_types(void **state)
{
	struct capbuf c;

	for (unsigned ng = 0; ng < 2; ng++) {
		cap_begin(&c, ng, false, false, 113);
		refused(cap_save(&c, c.n, "x"), -EPROTONOSUPPORT, "LINUX_SLL");
		cap_begin(&c, ng, false, false, 101);
		refused(cap_save(&c, c.n, "x"), -EPROTONOSUPPORT, "RAW");
	}
}

static void test_cannot_open(void **state)
{
	char args[300];
	struct capbuf c;
	const char *path;

	refused(test_path("missing.pcap"), -ENOENT,
		"missing.pcap: cannot open for reading: No such");
	refused(test_dir, -EISDIR, "is a directory");
	snprintf(args, sizeof(args), ",%s/no/out.pcap", test_dir);
	refused(args, -ENOENT, "no/out.pcap: cannot open for writing");
	snprintf(args, sizeof(args), ",%s", test_dir);
	refused(args, -EISDIR, "cannot open for writing");
	refused("", -EINVAL, "expected IN,OUT");
	refused(",", -EINVAL, "expected IN,OUT");
	refused("a,b,c", -EINVAL, "expected IN,OUT");

	cap_begin(&c, false, false, false, 1);
	path = cap_save(&c, c.n, "x");
	snprintf(args, sizeof(args), "%s,%s", path, path);
	refused(args, -EINVAL, "is read by the same port");
}

static void test_no_permission(void **state)
{
	bool root = geteuid() == 0;
	const char *path;
	struct capbuf c;

	cap_begin(&c, false, false, false, 1);
	path = cap_save(&c, c.n, "x");
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(chmod(test_dir, 0755), 0);
	if (root)
		assert_int_equal(seteuid(65534), 0); // nobody: root may read everything
	refused(path, -EACCES, "Permission denied");
	if (root)
		assert_int_equal(seteuid(0), 0);
}

static void test_two_writers(void **state)
{
	struct port p = {.id = 0};
	char args[160];
	struct err e;

	snprintf(args, sizeof(args), ",%s", test_path("out.pcap"));
	assert_int_equal(try_open(&p, args, &e), 0);
	refused(args, -EBUSY, "is being written by another");
	assert_int_equal(port_close(&p, &e), 0);
	assert_int_equal(try_open(&p, args, &e), 0);
	assert_int_equal(port_close(&p, &e), 0);
}

// A full disk is reported when the file is closed at the latest, and packets it cost are counted.
static void test_disk_full(void **state)
{
	struct port p = {.id = 0};
	struct mbuf *pkts[32];
	uint8_t frame[1500] = {0};
	struct err e;

	assert_int_equal(try_open(&p, ",/dev/full", &e), 0);
	for (unsigned i = 0; i < 32; i++)
		pkts[i] = mbuf_from_bytes(pool, frame, sizeof(frame));
	assert_int_equal(port_tx_burst(&p, 0, pkts, 32), 32);
	assert_int_equal(port_close(&p, &e), -EIO);
	assert_non_null(strstr(e.text, "/dev/full: No space left on device"));

	assert_int_equal(try_open(&p, ",/dev/full", &e), 0);
	for (unsigned k = 0; k < 40; k++) { // more than any buffer holds
		for (unsigned i = 0; i < 32; i++)
			pkts[i] = mbuf_from_bytes(pool, frame, sizeof(frame));
		assert_int_equal(port_tx_burst(&p, 0, pkts, 32), 32);
	}
	assert_true(test_counter(&p, "tx-lost") > 0);
	assert_int_equal(port_close(&p, &e), -EIO);
	assert_int_equal(mempool_available(pool), mempool_count(pool));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_everywhere),    cmocka_unit_test(test_corrupt_everywhere),
		cmocka_unit_test(test_bad_record_length), cmocka_unit_test(test_not_captures),
		cmocka_unit_test(test_link_types),        cmocka_unit_test(test_cannot_open),
		cmocka_unit_test(test_no_permission),     cmocka_unit_test(test_two_writers),
		cmocka_unit_test(test_disk_full),
	};

	return cmocka_run_group_tests(tests, setup, capture_teardown);
}
