// SPDX-License-Identifier: BSD-3-Clause
// fuzz_capture.c - any bytes as a capture file: our reader beside libpcap's, and all that replay does with records
//
// What libpcap reads, ours reads: the same records, byte by byte, and no fewer; when libpcap comes to the end without
// an error, so does ours, with as many. The same bytes then go through merging, splitting and rewriting.
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apps/replay/frame.h"
#include "apps/tool/replay_mix.h"
#include "core/clock.h"
#include "pmd/pcap/reader.h"

#define CHECK(x)                                                                                                       \
	do {                                                                                                           \
		if (!(x))                                                                                              \
			abort();                                                                                       \
	} while (0)

static char path[64];
static int fd = -1;

static void save(const uint8_t *data, size_t len)
{
	if (fd < 0) {
		fd = memfd_create("capture", MFD_CLOEXEC);
		CHECK(fd >= 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	CHECK(!ftruncate(fd, 0) && pwrite(fd, data, len, 0) == (ssize_t)len);
}

static void same_record(const struct capture_reader *r, const struct pcap_pkthdr *h, const u_char *data, bool classic)
{
	CHECK(r->data && r->caplen == h->caplen && r->len == h->len);
	CHECK(!memcmp(r->data, data, h->caplen));
	if (classic && (uint64_t)h->ts.tv_usec < NSEC_PER_SEC)
		CHECK(r->time == (uint64_t)(uint32_t)h->ts.tv_sec * NSEC_PER_SEC + (uint64_t)h->ts.tv_usec);
}

static void beside_libpcap(void)
{
	char why[PCAP_ERRBUF_SIZE];
	FILE *f = fopen(path, "rb");
	pcap_t *p = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, why);
	bool ethernet = p && pcap_datalink(p) == DLT_EN10MB;
	struct capture_reader r;
	struct pcap_pkthdr *h;
	const u_char *data;
	struct err err;
	int opened = capture_open(&r, path, &err), rc;

	CHECK(!ethernet || !opened);
	CHECK(!p || ethernet || opened);
	while (ethernet && (rc = pcap_next_ex(p, &h, &data)) != PCAP_ERROR_BREAK) {
		if (rc != 1)
			break;
		same_record(&r, h, data, pcap_major_version(p) != 1);
		capture_next(&r);
	}
	if (ethernet && rc == PCAP_ERROR_BREAK)
		CHECK(!r.data && !r.error);
	if (!opened) {
		while (r.data)
			capture_next(&r);
		CHECK(!r.error || r.err.text[0]);
		capture_close(&r);
	}
	if (p)
		pcap_close(p);
	else
		fclose(f);
}

static struct replay_conf conf_of(uint8_t how)
{
	static struct replay_match matches[2] = {{.name = "eth0", .number = 0, .family = 4, .plen = 8, .port = 1},
						 {.name = "x", .number = 1, .family = 6, .plen = 3, .port = 0}};
	static struct replay_map maps[3] = {{.family = 4, .plen = 5, .to.v6 = {10}},
					    {.family = 6, .plen = 65},
					    {.port_from = 53, .port_to = 1}};
	static struct replay_capture capture[2];
	static struct replay_rewrite rewrite;

	capture[0] = (struct replay_capture){.file = path, .split = how % REPLAY_SPLITS, .port = 0, .client = 1,
					     .matches = matches, .n_matches = 2};
	capture[1] = (struct replay_capture){.file = path, .port = 1};
	rewrite = (struct replay_rewrite){.any_port = how & 1, .has_src_mac = how & 2, .has_dst_mac = true,
					  .vlan = how & 4 ? REPLAY_VLAN_KEEP : how & 8 ? REPLAY_VLAN_NONE : 7,
					  .maps = maps, .n_maps = 3, .ttl_kind = how % 3, .ttl = how & 16 ? 64 : -1};
	return (struct replay_conf){.captures = capture, .n_captures = 2, .rewrites = &rewrite,
				    .n_rewrites = how & 32 ? 1 : 0, .truncate = how & 64 ? 70 : 0,
				    .pad = how & 128 ? 60 : 0, .snapped = how % 3, .fix = how & 2,
				    .max_gap_ns = how & 8 ? 1000 : 0};
}

static void replay(uint8_t how)
{
	struct replay_conf c = conf_of(how);
	struct replay_packet p;
	struct replay_tally t;
	uint64_t before = 0, n = 0;
	struct err err;
	struct replay_mix *m = replay_mix_open(&c, &err);

	for (unsigned loop = 0; m && loop < 2; loop++) {
		for (before = n = 0; replay_mix_next(m, &p); before = p.time, n++) {
			CHECK(p.time >= before && p.port < 2 && p.len <= BLOB_RECORD_MAX);
			CHECK(!c.truncate || p.len <= c.truncate);
			CHECK(p.len >= c.pad);
		}
		replay_mix_tally(m, &t);
		CHECK(t.packets == n && t.read == t.packets + t.nowhere + t.skipped);
		CHECK(!replay_mix_rewind(m, &err));
	}
	replay_mix_close(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t frame[512];
	size_t n = len < sizeof(frame) ? len : sizeof(frame);

	if (!len)
		return 0;
	save(data + 1, len - 1);
	beside_libpcap();
	replay(data[0]);
	memcpy(frame, data, n);
	frame_move_addrs(frame, (uint32_t)n, 0x0123456789abcdef);
	return 0;
}
