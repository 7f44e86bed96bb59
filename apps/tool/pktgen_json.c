// SPDX-License-Identifier: BSD-3-Clause
// pktgen_json.c - figures for machines: a line of JSON an interval, and one at the end
//
// docs/pktgen.md has the members. Times are ns; rates are of the interval, counts since the beginning.
#include <jansson.h>

#include "apps/tool/pktgen.h"
#include "apps/tool/tool.h"

static json_t *integer(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *spread(const struct spread *l)
{
	json_t *o;

	if (!l->count)
		return json_null();
	o = json_object();
	json_object_set_new(o, "count", integer(l->count));
	json_object_set_new(o, "min", integer(l->min));
	json_object_set_new(o, "mean", json_real(l->mean));
	json_object_set_new(o, "max", integer(l->max));
	json_object_set_new(o, "deviation", json_real(l->deviation));
	json_object_set_new(o, "p50", integer(l->p50));
	json_object_set_new(o, "p90", integer(l->p90));
	json_object_set_new(o, "p99", integer(l->p99));
	json_object_set_new(o, "p99_9", integer(l->p99_9));
	json_object_set_new(o, "p99_99", integer(l->p99_99));
	json_object_set_new(o, "p99_999", integer(l->p99_999));
	return o;
}

static json_t *row(const struct row *r)
{
	bool told = r->awaited || !r->sent.packets; // of packets without signature nobody knows
	json_t *o = json_object();

	json_object_set_new(o, "sent", integer(r->sent.packets));
	json_object_set_new(o, "sent_bytes", integer(r->sent.bytes));
	json_object_set_new(o, "due", integer(r->sent.due));
	json_object_set_new(o, "received", integer(r->received));
	json_object_set_new(o, "received_bytes", integer(r->received_bytes));
	json_object_set_new(o, "lost", told ? integer(r->lost) : json_null());
	json_object_set_new(o, "loss_ratio", told ? json_real(loss(r)) : json_null());
	json_object_set_new(o, "duplicate", integer(r->duplicate));
	json_object_set_new(o, "reordered", integer(r->reordered));
	json_object_set_new(o, "reorder_extent_max", integer(r->reorder_extent_max));
	json_object_set_new(o, "late", integer(r->late));
	json_object_set_new(o, "corrupt", integer(r->corrupt));
	json_object_set_new(o, "jitter_ns", integer(r->jitter_ns));
	json_object_set_new(o, "pdv_p99_9_ns", integer(r->pdv_p99_9));
	json_object_set_new(o, "latency_ns", spread(&r->latency));
	json_object_set_new(o, "ipdv_ns", spread(&r->ipdv));
	return o;
}

static json_t *noise(const struct sample_noise *n)
{
	json_t *o = json_object();

	json_object_set_new(o, "gaps", integer(n->gaps));
	json_object_set_new(o, "lost_us", integer(n->lost_us));
	json_object_set_new(o, "worst_us", integer(n->worst_us));
	json_object_set_new(o, "steal_us", integer(n->steal_us));
	json_object_set_new(o, "run_delay_us", integer(n->run_delay_us));
	return o;
}

static json_t *pace(const struct gen_pace *p)
{
	json_t *o = json_object(), *gaps = json_object();

	json_object_set_new(o, "late_ns_max", integer(p->late_ns_max));
	json_object_set_new(o, "late_packets", integer(p->late_packets));
	json_object_set_new(o, "blocked", integer(p->blocked));
	json_object_set_new(o, "nombuf", integer(p->nombuf));
	json_object_set_new(gaps, "back_to_back", integer(p->gap[0]));
	json_object_set_new(gaps, "shorter", integer(p->gap[1]));
	json_object_set_new(gaps, "as_asked", integer(p->gap[2]));
	json_object_set_new(gaps, "longer", integer(p->gap[3]));
	json_object_set_new(o, "gaps", gaps);
	return o;
}

// A line of its own, at once: who reads a pipe sees it then.
static void put(json_t *o, FILE *out)
{
	json_dumpf(o, out, JSON_REAL_PRECISION(12));
	fputc('\n', out);
	fflush(out);
	json_decref(o);
}

// As many as the sample has rows for.
static json_t *streams(const struct app *app, const struct sample *s)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < app->blob.n_streams && i < s->rows; i++) {
		json_t *o = row(&s->row[i]);

		json_object_set_new(o, "name", json_string(blob_str(&app->blob, app->blob.streams[i].name)));
		json_object_set_new(o, "port", json_string(app->port[app->blob.streams[i].port].name));
		json_array_append_new(list, o);
	}
	return list;
}

void json_interval(const struct observer *o, FILE *out)
{
	static const char *const phases[] = {"idle", "resolving", "sending", "draining", "done"};
	const struct sample *n = o->now, *b = o->before;
	uint64_t since = b ? b->elapsed_ns : 0;
	json_t *j = json_object();

	json_object_set_new(j, "type", json_string("interval"));
	json_object_set_new(j, "phase", json_string(phases[n->phase]));
	json_object_set_new(j, "elapsed_s", json_real((double)n->elapsed_ns / 1e9));
	json_object_set_new(j, "sent_pps",
			    json_real(per_second(n->total.sent.packets, b ? b->total.sent.packets : 0,
						 n->elapsed_ns, since)));
	json_object_set_new(j, "received_pps",
			    json_real(per_second(n->total.received, b ? b->total.received : 0, n->elapsed_ns, since)));
	json_object_set_new(j, "latency_ns", spread(&o->latency));
	json_object_set_new(j, "total", row(&n->total));
	json_object_set_new(j, "streams", streams(o->app, n));
	json_object_set_new(j, "noise", noise(&n->noise));
	put(j, out);
}

static json_t *sizes(const struct app *app)
{
	struct hdr_pool *pool = hdr_pool_create(HDR_PARTS);
	json_t *list = json_array();

	for (uint32_t i = 0; pool && i < pktgen_sizes(app); i++) {
		struct spread l;
		uint16_t len;
		json_t *o;

		len = spread_of_size(&l, app, i, pool);
		if (!l.count)
			continue;
		o = json_object();
		json_object_set_new(o, "length", len ? integer(len + 4u) : json_null());
		json_object_set_new(o, "latency_ns", spread(&l));
		json_array_append_new(list, o);
	}
	hdr_pool_destroy(pool);
	return list;
}

static json_t *ports(const struct app *app, const struct sample *s)
{
	json_t *all = json_object();

	for (unsigned p = 0; p < app->ports; p++) {
		const struct sample_port *q = &s->port[p];
		json_t *o = json_object();

		json_object_set_new(o, "sent", integer(q->tx_packets));
		json_object_set_new(o, "received", integer(q->rx_packets));
		json_object_set_new(o, "station", integer(q->foreign.stack));
		json_object_set_new(o, "foreign", integer(q->foreign.foreign));
		json_object_set_new(o, "stragglers", integer(q->foreign.stragglers));
		json_object_set_new(o, "bad_stream", integer(q->foreign.bad_stream));
		json_object_set_new(all, app->port[p].name, o);
	}
	return all;
}

void json_final(const struct app *app, const struct pktgen_options *o, const struct sample *s, FILE *out)
{
	struct warnings w = {.n = 0};
	json_t *j = json_object(), *list = json_array();

	warnings_find(&w, app, s);
	for (unsigned i = 0; i < w.n; i++)
		json_array_append_new(list, json_string(w.line[i]));
	json_object_set_new(j, "type", json_string("final"));
	json_object_set_new(j, "weir", json_string(weir_version));
	json_object_set_new(j, "title", json_string(o->title));
	json_object_set_new(j, "sending_s", json_real((double)s->sending_ns / 1e9));
	json_object_set_new(j, "total", row(&s->total));
	json_object_set_new(j, "streams", streams(app, s));
	json_object_set_new(j, "lengths", sizes(app));
	json_object_set_new(j, "ports", ports(app, s));
	json_object_set_new(j, "pace", pace(&s->pace));
	json_object_set_new(j, "noise", noise(&s->noise));
	json_object_set_new(j, "warnings", list);
	put(j, out);
}
