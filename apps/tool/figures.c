// SPDX-License-Identifier: BSD-3-Clause
// figures.c - collect figures and print them
#include "apps/tool/figures.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/util.h"

void figures_add(void *arg, const char *name, uint64_t value)
{
	struct figures *f = arg;

	f->list = array_add(f->list, &f->n, &f->room, sizeof(*f->list));
	snprintf(f->list[f->n - 1].name, FIGURE_NAME_MAX, "%s", name);
	f->list[f->n - 1].value = value;
}

uint64_t figures_get(const struct figures *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (!strcmp(f->list[i].name, name))
			return f->list[i].value;
	return 0;
}

bool figures_balanced(const struct figures *f)
{
	return figures_get(f, "accounting.balanced") == 1;
}

void figures_free(struct figures *f)
{
	free(f->list);
	*f = (struct figures){0};
}

// The second part of name under prefix ("ports."), NULL when it is not under it.
static const char *under(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(name, prefix, n) ? NULL : name + n;
}

static uint64_t get2(const struct figures *f, const char *prefix, const char *key, const char *tail)
{
	char name[2 * FIGURE_NAME_MAX];

	snprintf(name, sizeof(name), "%s%s%s", prefix, key, tail);
	return figures_get(f, name);
}

// Calls row once for each different second part under prefix.
static void each_group(const struct figures *f, const char *prefix, FILE *out,
		       void (*row)(const struct figures *f, const char *key, FILE *out))
{
	char last[FIGURE_NAME_MAX] = "", key[FIGURE_NAME_MAX];
	size_t i;

	for (i = 0; i < f->n; i++) {
		const char *rest = under(f->list[i].name, prefix);

		if (!rest)
			continue;
		snprintf(key, sizeof(key), "%.*s", (int)strcspn(rest, "."), rest);
		if (strcmp(key, last))
			row(f, key, out);
		strcpy(last, key);
	}
}

static void port_row(const struct figures *f, const char *key, FILE *out)
{
	fprintf(out, "%-12s %12" PRIu64 " %14" PRIu64 " %12" PRIu64 " %14" PRIu64 "\n", key,
		get2(f, "ports.", key, ".rx.packets"), get2(f, "ports.", key, ".rx.bytes"),
		get2(f, "ports.", key, ".tx.packets"), get2(f, "ports.", key, ".tx.bytes"));
}

static void node_row(const struct figures *f, const char *key, FILE *out)
{
	uint64_t packets = get2(f, "nodes.", key, ".packets");
	uint64_t calls = get2(f, "nodes.", key, ".calls");

	if (packets)
		fprintf(out, "%-20s %12" PRIu64 " %10.1f %12.1f\n", key, packets,
			(double)packets / (double)(calls ? calls : 1),
			(double)get2(f, "nodes.", key, ".cycles") / (double)packets);
}

static void print_drops(const struct figures *f, FILE *out)
{
	bool any = false;
	size_t i;

	for (i = 0; i < f->n; i++) {
		const char *rest = under(f->list[i].name, "drops.");
		size_t node = rest ? strcspn(rest, ".") : 0;

		if (!rest || !f->list[i].value)
			continue;
		if (!any)
			fprintf(out, "\n%-32s %12s\n", "dropped (node: reason)", "packets");
		any = true;
		fprintf(out, "%.*s: %-*s %12" PRIu64 "\n", (int)node, rest, (int)(30 - node),
			rest[node] ? rest + node + 1 : "", f->list[i].value);
	}
	if (!any)
		fprintf(out, "\nnothing dropped\n");
}

// What a port lost or refused, by its own names: only what happened.
static void print_port_counters(const struct figures *f, FILE *out)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		const char *rest = under(f->list[i].name, "ports.");
		const char *counter = rest ? strstr(rest, ".counters.") : NULL;

		// How long a start took is no trouble to tell of here.
		if (counter && f->list[i].value && strncmp(counter + strlen(".counters."), "start-", 6))
			fprintf(out, "port %.*s: %s %" PRIu64 "\n", (int)(counter - rest), rest,
				counter + strlen(".counters."), f->list[i].value);
	}
}

static uint64_t pktgen_get(const struct figures *f, const char *group, const char *key, const char *figure)
{
	char prefix[FIGURE_NAME_MAX];

	snprintf(prefix, sizeof(prefix), "pktgen.%s", group);
	return get2(f, prefix, key, figure);
}

static void pktgen_line(const struct figures *f, const char *group, const char *key, FILE *out)
{
	double p50 = (double)pktgen_get(f, group, key, ".latency.p50") / 1000;
	double p99 = (double)pktgen_get(f, group, key, ".latency.p99") / 1000;

	fprintf(out, "%-14s %12" PRIu64 " %12" PRIu64 " %10" PRIu64, *key ? key : "total",
		pktgen_get(f, group, key, ".sent"), pktgen_get(f, group, key, ".received"),
		pktgen_get(f, group, key, ".lost"));
	fprintf(out, " %7" PRIu64 " %7" PRIu64 " %6" PRIu64 " %6" PRIu64 " %8.1f %8.1f\n",
		pktgen_get(f, group, key, ".duplicate"), pktgen_get(f, group, key, ".reordered"),
		pktgen_get(f, group, key, ".late"), pktgen_get(f, group, key, ".corrupt"), p50, p99);
}

static void pktgen_row(const struct figures *f, const char *key, FILE *out)
{
	pktgen_line(f, "streams.", key, out);
}

// Of function pktgen: the beginning of what weir pktgen would say.
static void print_pktgen(const struct figures *f, FILE *out)
{
	bool any = false;

	for (size_t i = 0; i < f->n; i++)
		any |= under(f->list[i].name, "pktgen.") != NULL;
	if (!any)
		return;
	fprintf(out, "\n%-14s %12s %12s %10s %7s %7s %6s %6s %8s %8s\n", "stream", "sent", "received", "lost", "dupl.",
		"reord.", "late", "corr.", "p50 us", "p99 us");
	each_group(f, "pktgen.streams.", out, pktgen_row);
	pktgen_line(f, "total", "", out);
	if (figures_get(f, "pktgen.unresolved"))
		fprintf(out, "nothing was sent: a next hop did not answer\n");
}

static void impair_row(const struct figures *f, const char *key, FILE *out)
{
	static const char *const names[] = {".packets",	   ".lost",    ".corrupted", ".reordered",
					    ".duplicated", ".overdue", ".uncopied"};

	fprintf(out, "%-14s", key);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		fprintf(out, " %10" PRIu64, get2(f, "impair.", key, names[i]));
	fputc('\n', out);
}

// Of function impair: what it did on purpose.
static void print_impair(const struct figures *f, FILE *out)
{
	for (size_t i = 0; i < f->n; i++)
		if (under(f->list[i].name, "impair.")) {
			fprintf(out, "\n%-14s %10s %10s %10s %10s %10s %10s %10s\n", "impaired from", "packets", "lost",
				"corrupted", "reordered", "duplicated", "overdue", "uncopied");
			each_group(f, "impair.", out, impair_row);
			return;
		}
}

static double replay_us(const struct figures *f, const char *figure)
{
	return (double)get2(f, "replay.error_ns.", figure, "") / 1000;
}

// Of function replay.
static void print_replay(const struct figures *f, FILE *out)
{
	double s = (double)figures_get(f, "replay.ns") / 1e9;
	uint64_t packets = figures_get(f, "replay.packets"), bytes = figures_get(f, "replay.bytes");
	bool any = false;

	for (size_t i = 0; i < f->n; i++)
		any |= under(f->list[i].name, "replay.") != NULL;
	if (!any)
		return;
	fprintf(out, "sent %" PRIu64 " packets, %" PRIu64 " bytes, in %.6f s: %.0f packets/s, %.3f Mbit/s (without FCS)\n",
		packets, bytes, s, s > 0 ? (double)packets / s : 0, s > 0 ? (double)bytes * 8e-6 / s : 0);
	if (figures_get(f, "replay.error_ns.count"))
		fprintf(out, "behind its time, us: median %.2f, 90%% %.2f, 99%% %.2f, 99.9%% %.2f, 99.99%% %.2f, most %.2f; "
			"%" PRIu64 " over 1 ms\n", replay_us(f, "p50"), replay_us(f, "p90"), replay_us(f, "p99"),
			replay_us(f, "p99_9"), replay_us(f, "p99_99"), replay_us(f, "max"), figures_get(f, "replay.late"));
	if (figures_get(f, "replay.left"))
		fprintf(out, "%" PRIu64 " packets of the loop were left when it ended\n", figures_get(f, "replay.left"));
	if (figures_get(f, "replay.underruns"))
		fprintf(out, "%" PRIu64 " times the reader had not brought a packet in time: expected --preload, or another "
			"CPU for it\n", figures_get(f, "replay.underruns"));
	fputc('\n', out);
}

void figures_print_table(const struct figures *f, FILE *out)
{
	print_replay(f, out);
	fprintf(out, "%-12s %12s %14s %12s %14s\n", "port", "rx packets", "rx bytes", "tx packets",
		"tx bytes");
	each_group(f, "ports.", out, port_row);
	print_port_counters(f, out);
	print_drops(f, out);
	fprintf(out, "\n%-20s %12s %10s %12s\n", "node", "packets", "per call", "cycles/pkt");
	each_group(f, "nodes.", out, node_row);
	print_pktgen(f, out);
	print_impair(f, out);
	fprintf(out,
		"\nrx %" PRIu64 " + generated %" PRIu64 " = tx %" PRIu64 " + consumed %" PRIu64
		" + dropped %" PRIu64 " + held %" PRIu64 ": %s\n",
		figures_get(f, "accounting.rx"), figures_get(f, "accounting.generated"),
		figures_get(f, "accounting.tx"), figures_get(f, "accounting.consumed"),
		figures_get(f, "accounting.dropped"), figures_get(f, "accounting.held"),
		figures_balanced(f) ? "balanced" : "NOT BALANCED");
}

static void json_string(FILE *out, const char *s, size_t n)
{
	size_t i;

	fputc('"', out);
	for (i = 0; i < n; i++) {
		if (s[i] == '"' || s[i] == '\\')
			fprintf(out, "\\%c", s[i]);
		else if ((unsigned char)s[i] < 0x20)
			fprintf(out, "\\u%04x", s[i]);
		else
			fputc(s[i], out);
	}
	fputc('"', out);
}

// Prints figures [from, to), which agree up to byte `at` of their names, as members of an object.
static void json_members(const struct figures *f, size_t from, size_t to, size_t at, FILE *out)
{
	size_t i, end;

	for (i = from; i < to; i = end) {
		const char *name = f->list[i].name;
		bool drop = under(name, "drops.") && at;
		size_t n = drop ? strlen(name + at) : strcspn(name + at, ".");

		if (i > from)
			fputs(", ", out);
		json_string(out, name + at, n);
		fputs(": ", out);
		end = i + 1;
		if (!name[at + n]) {
			if (!strcmp(name, "accounting.balanced"))
				fputs(f->list[i].value ? "true" : "false", out);
			else
				fprintf(out, "%" PRIu64, f->list[i].value);
			continue;
		}
		while (end < to && !strncmp(f->list[end].name, name, at + n + 1))
			end++;
		fputc('{', out);
		json_members(f, i, end, at + n + 1, out);
		fputc('}', out);
	}
}

void figures_print_json(const struct figures *f, FILE *out)
{
	bool drops = false;
	size_t i;

	for (i = 0; i < f->n; i++)
		drops |= under(f->list[i].name, "drops.") != NULL;
	fputc('{', out);
	// Always there, so that a script may look into it.
	if (!drops)
		fputs("\"drops\": {}, ", out);
	json_members(f, 0, f->n, 0, out);
	fputs("}\n", out);
}
