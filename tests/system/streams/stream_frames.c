// SPDX-License-Identifier: BSD-3-Clause
// stream_frames.c - the first packets of every stream of a configuration, as the generator makes them
//
//	stream_frames FILE.yaml COUNT FOLDER [SIZE…]
//
// writes FOLDER/NAME.pcap for each stream (with SIZEs: for each at each size). Next hops have the MAC address
// 02:00:00:00:00:fe, ports 02:00:00:00:01:NUMBER.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pktgen/gen.h"
#include "apps/tool/config.h"
#include "core/graph.h"
#include "core/plat.h"

#define SIZES_MAX 16

static int write_frames(struct gen *g, FILE *out, unsigned count)
{
	uint32_t record[4] = {0}, header[6] = {0xa1b2c3d4, 4u << 16 | 2, 0, 0, 65535, 1};
	struct mbuf *pkts[GRAPH_BURST];
	static uint8_t frame[65536];
	unsigned n = 0;

	fwrite(header, sizeof(header), 1, out);
	while (!gen_done(g) && n < count) {
		uint16_t got = gen_burst(g, pkts, GRAPH_BURST);

		for (unsigned i = 0; i < got; i++, n++) {
			record[2] = record[3] = pkts[i]->pkt_len;
			if (mbuf_copy_out(pkts[i], 0, frame, pkts[i]->pkt_len))
				return 1;
			fwrite(record, sizeof(record), 1, out);
			fwrite(frame, record[2], 1, out);
			mbuf_free(pkts[i]);
		}
	}
	return n != count;
}

static int stream(const struct blob *b, struct mempool *pool, uint32_t i, unsigned count, const char *folder)
{
	const uint8_t mac[6] = {2, 0, 0, 0, 1, (uint8_t)b->streams[i].port}, next[6] = {2, 0, 0, 0, 0, 0xfe};
	struct gen_conf conf = {.blob = b, .port = b->streams[i].port, .lcores = 1, .pool = pool, .mac = mac,
				.line_bps = 10000000000};
	uint64_t *rate = calloc(b->n_streams, sizeof(*rate));
	struct gen_order order = {.start_tsc = tsc_read(), .count = count, .run = 7, .rate = rate};
	uint8_t family, via[16];
	uint32_t at = 0;
	struct err err;
	struct gen *g = gen_create(&conf, &err);
	char path[4096];
	FILE *out;
	int rc = 1;

	if (!g || !rate) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	snprintf(path, sizeof(path), "%s/%s.pcap", folder, blob_str(b, b->streams[i].name));
	out = fopen(path, "w");
	rate[i] = UINT64_MAX;
	gen_start(g, &order);
	while (gen_unresolved(g, &at, &family, via))
		gen_resolved(g, family, via, next);
	if (out)
		rc = write_frames(g, out, count);
	if (out && fclose(out))
		rc = 1;
	gen_destroy(g);
	free(rate);
	return rc;
}

static int sizes(struct config *c, int argc, char **argv)
{
	uint16_t size[SIZES_MAX];
	struct err err;

	for (int i = 0; i < argc && i < SIZES_MAX; i++)
		size[i] = (uint16_t)atoi(argv[i]);
	if (argc && config_stream_sizes(c, size, (unsigned)argc, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct mempool *pool;
	struct diags d = {0};
	struct config c;
	struct err err = {""};
	struct blob b;
	void *data = NULL;
	size_t len;
	int rc = 1;

	if (argc < 4 || argc > 4 + SIZES_MAX)
		return 2;
	if (!config_load(&c, argv[1], &d) || sizes(&c, argc - 4, argv + 4)) {
		diag_print(&d, stderr);
	} else {
		data = config_blob(&c, &len);
		pool = mempool_create(&(struct mempool_conf){.name = "frames", .count = 4096}, &err);
		rc = !pool || blob_open(&b, data, len, &err);
		for (uint32_t i = 0; !rc && i < b.n_streams; i++)
			rc = stream(&b, pool, i, (unsigned)atoi(argv[2]), argv[3]);
		if (err.text[0])
			fprintf(stderr, "%s\n", err.text);
	}
	free(data);
	diag_free(&d);
	config_free(&c);
	return rc;
}
