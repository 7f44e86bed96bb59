// SPDX-License-Identifier: BSD-3-Clause
// gen_fill_avx512.c - write packets, sixteen of a column at a time
#define GEN_LANES  16
#ifdef __clang__ // which has no such word, and takes 256 bits
#define GEN_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#else
#define GEN_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")))
#endif
#include "apps/pktgen/gen_columns.h"

GEN_TARGET void gen_fill_avx512(const struct gen *g, struct gen_stream *s, struct mbuf **pkts,
				const struct gen_variant **v, unsigned n, uint64_t ns)
{
	fill(g, s, pkts, v, n, ns);
}
