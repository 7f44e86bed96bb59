// SPDX-License-Identifier: BSD-3-Clause
// pktgen_report.c - the final report of weir pktgen, in 100 columns
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/pktgen.h"

#define SHOWN_MAX 40u // streams, unless all are asked for: those that fared worst
#define NAME_W	  14
#define WIDTH	  100u

static const char *stream_name(const struct app *app, uint32_t i)
{
	return blob_str(&app->blob, app->blob.streams[i].name);
}

static void count(FILE *out, int width, uint64_t n)
{
	char buf[TEXT_MAX];

	fprintf(out, " %*s", width, text_fit(buf, n, width));
}

static void us(FILE *out, uint64_t ns)
{
	char buf[TEXT_MAX];

	fprintf(out, " %8s", text_us(buf, ns));
}

// --- which streams ---

static bool troubled(const struct row *r)
{
	return r->lost || r->duplicate || r->reordered || r->late || r->corrupt;
}

static const struct row *sorted_rows;

static int worse(const void *a, const void *b)
{
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct row *x = &sorted_rows[i], *y = &sorted_rows[k];

	if (troubled(x) != troubled(y))
		return troubled(y) - troubled(x);
	if (loss(x) != loss(y))
		return loss(x) < loss(y) ? 1 : -1;
	return i < k ? -1 : 1;
}

static int by_number(const void *a, const void *b)
{
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;

	return i < k ? -1 : i > k;
}

// The numbers of those to be shown; the caller frees.
static uint32_t *choose(const struct app *app, const struct pktgen_options *o, const struct sample *s, uint32_t *shown)
{
	uint32_t n = app->blob.n_streams;
	uint32_t *list = calloc(n + 1u, sizeof(*list));

	*shown = 0;
	if (!list)
		return NULL;
	for (uint32_t i = 0; i < n; i++)
		list[i] = i;
	*shown = n;
	if (!o->all_streams && n > SHOWN_MAX) {
		sorted_rows = s->row;
		qsort(list, n, sizeof(*list), worse);
		*shown = SHOWN_MAX;
		qsort(list, *shown, sizeof(*list), by_number);
	}
	return list;
}

// --- tables ---

// Of a run that got nothing back, it is not said that all is lost: nobody may have been asked to return it.
static void counts_row(FILE *out, const char *name, const char *port, const struct row *r, bool returns)
{
	char buf[TEXT_MAX];

	returns &= r->awaited || !r->sent.packets; // else nothing can come back
	fprintf(out, "%-*.*s %-6.6s", NAME_W, NAME_W, name, port);
	count(out, 13, r->sent.packets);
	count(out, 13, r->received);
	if (returns)
		count(out, 11, r->lost);
	else
		fprintf(out, " %11s", "-");
	fprintf(out, " %7s", returns ? text_percent(buf, loss(r)) : "-");
	count(out, 7, r->duplicate);
	count(out, 7, r->reordered);
	count(out, 6, r->late);
	count(out, 6, r->corrupt);
	fputc('\n', out);
}

static void counts_table(const struct app *app, const struct sample *s, const uint32_t *list, uint32_t n, FILE *out)
{
	bool returns = s->total.received;

	fprintf(out, "%-*s %-6s %13s %13s %11s %7s %7s %7s %6s %6s\n", NAME_W, "stream", "port", "sent", "received",
		"lost", "loss %", "dupl.", "reord.", "late", "corr.");
	for (uint32_t i = 0; i < n; i++)
		counts_row(out, stream_name(app, list[i]), app->port[app->blob.streams[list[i]].port].name,
			   &s->row[list[i]], returns);
	counts_row(out, "total", "", &s->total, returns);
}

static void latency_row(FILE *out, const char *name, const struct spread *l)
{
	fprintf(out, "%-*.*s", NAME_W, NAME_W, name);
	us(out, l->min);
	us(out, (uint64_t)l->mean);
	us(out, l->p50);
	us(out, l->p99);
	us(out, l->p99_9);
	us(out, l->p99_999);
	us(out, l->max);
}

static void stream_latency(FILE *out, const char *name, const struct row *r)
{
	if (!r->latency.count)
		return;
	latency_row(out, name, &r->latency);
	us(out, r->jitter_ns);
	us(out, r->pdv_p99_9);
	fputc('\n', out);
}

static void latency_head(FILE *out, const char *what, const char *more)
{
	fprintf(out, "\n%-*s %8s %8s %8s %8s %8s %8s %8s%s\n", NAME_W, what, "min", "mean", "p50", "p99", "p99.9",
		"p99.999", "max", more);
}

static void latency_table(const struct app *app, const struct sample *s, const uint32_t *list, uint32_t n, FILE *out)
{
	latency_head(out, "latency, us", "   jitter PDV99.9");
	for (uint32_t i = 0; i < n; i++)
		stream_latency(out, stream_name(app, list[i]), &s->row[list[i]]);
	stream_latency(out, "total", &s->total);
}

// Of a single length the total has said it all.
static void sizes_table(const struct app *app, FILE *out)
{
	struct hdr_pool *pool = hdr_pool_create(HDR_PARTS);
	uint32_t n = pktgen_sizes(app);

	if (!pool || n < 3) {
		hdr_pool_destroy(pool);
		return;
	}
	latency_head(out, "by length, us", "  packets");
	for (uint32_t i = 0; i < n; i++) {
		struct spread l;
		uint16_t len;
		char name[TEXT_MAX];

		len = spread_of_size(&l, app, i, pool);
		if (!l.count)
			continue;
		snprintf(name, sizeof(name), len ? "%u bytes" : "others", len + 4u);
		latency_row(out, name, &l);
		count(out, 14, l.count);
		fputc('\n', out);
	}
	hdr_pool_destroy(pool);
}

// --- lines ---

static void rate(FILE *out, const char *what, const struct gen_count *c, uint64_t packets, uint64_t bytes, uint64_t ns)
{
	double s = (double)ns / 1e9;
	char n[TEXT_MAX], pps[TEXT_MAX], l1[TEXT_MAX], l2[TEXT_MAX];

	fprintf(out, "%-9s%s packets in %.3f s: %spps, %sbit/s on the wire (L1), %sbit/s (L2)\n", what,
		text_count(n, packets), s, text_short(pps, s > 0 ? (double)packets / s : 0),
		text_short(l1, s > 0 ? (double)bits_l1(packets, bytes) / s : 0),
		text_short(l2, s > 0 ? (double)bits_l2(packets, bytes) / s : 0));
	if (c && c->due)
		fprintf(out, "%-9s%s packets asked for until then: %s %% of them were sent\n", "",
			text_count(n, c->due), text_percent(pps, (double)c->packets / (double)c->due));
}

static void pacing(const struct sample *s, FILE *out)
{
	const uint64_t *g = s->pace.gap;
	uint64_t all = g[0] + g[1] + g[2] + g[3];
	char a[4][TEXT_MAX], late[TEXT_MAX];

	if (!all)
		return;
	for (unsigned i = 0; i < 4; i++)
		text_percent(a[i], (double)g[i] / (double)all);
	fprintf(out,
		"pacing   gaps as asked %s %%, shorter %s %%, back to back %s %%, longer %s %%;\n"
		"         the latest packet left %s behind its time\n",
		a[2], a[1], a[0], a[3], text_time(late, s->pace.late_ns_max));
}

static void ports(const struct app *app, const struct sample *s, FILE *out)
{
	fprintf(out, "\n%-*s %13s %13s %13s %13s %13s %11s\n", NAME_W, "port", "sent", "received", "for station",
		"foreign", "stragglers", "bad stream");
	for (unsigned p = 0; p < app->ports; p++) {
		const struct sample_port *q = &s->port[p];

		fprintf(out, "%-*.*s", NAME_W, NAME_W, app->port[p].name);
		count(out, 13, q->tx_packets);
		count(out, 13, q->rx_packets);
		count(out, 13, q->foreign.stack);
		count(out, 13, q->foreign.foreign);
		count(out, 13, q->foreign.stragglers);
		count(out, 11, q->foreign.bad_stream);
		fputc('\n', out);
	}
}

// Broken between words.
static void wrapped(const char *s, FILE *out)
{
	const char *indent = "";

	while (strlen(s) + strlen(indent) > WIDTH) {
		size_t n = WIDTH - strlen(indent);

		while (n && s[n] != ' ')
			n--;
		if (!n)
			break;
		fprintf(out, "%s%.*s\n", indent, (int)n, s);
		s += n + 1;
		indent = "    ";
	}
	fprintf(out, "%s%s\n", indent, s);
}

void report_print(const struct app *app, const struct pktgen_options *o, const struct sample *s, FILE *out)
{
	struct warnings w = {.n = 0};
	uint32_t shown;
	uint32_t *list = choose(app, o, s, &shown);

	fputc('\n', out);
	rate(out, "sent", &s->total.sent, s->total.sent.packets, s->total.sent.bytes, s->sending_ns);
	if (s->total.received)
		rate(out, "received", NULL, s->total.received, s->total.received_bytes, s->sending_ns);
	else
		fprintf(out, "received nothing\n");
	pacing(s, out);
	fputc('\n', out);
	counts_table(app, s, list, shown, out);
	if (s->total.latency.count) {
		latency_table(app, s, list, shown, out);
		sizes_table(app, out);
	}
	if (shown < app->blob.n_streams)
		fprintf(out, "\n%u of %u streams are shown, those that fared worst: --all shows all\n", shown,
			app->blob.n_streams);
	ports(app, s, out);
	warnings_find(&w, app, s);
	if (w.n)
		fputc('\n', out);
	for (unsigned i = 0; i < w.n; i++)
		wrapped(w.line[i], out);
	free(list);
}
