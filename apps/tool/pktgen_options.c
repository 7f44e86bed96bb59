// SPDX-License-Identifier: BSD-3-Clause
// pktgen_options.c - the command line of weir pktgen
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/pktgen_run.h"
#include "apps/tool/util.h"

static const struct option option_list[] = {
	{"help", no_argument, 0, 'h'},
	{"port", required_argument, 0, 'p'},
	{"duration", required_argument, 0, 'D'},
	{"count", required_argument, 0, 'n'},
	{"interval", required_argument, 0, 'i'},
	{"drain", required_argument, 0, 'w'},
	{"learn", required_argument, 0, 'R'},
	{"resolve", required_argument, 0, 'W'},
	{"max-loss", required_argument, 0, 'x'},
	{"json", no_argument, 0, 'j'},
	{"plain", no_argument, 0, 'P'},
	{"all", no_argument, 0, 'A'},
	{"memory", required_argument, 0, 'M'},
	{"cpu", required_argument, 0, 'C'},
	{"control", required_argument, 0, 'S'},
	{"print", no_argument, 0, 'Q'},
	{"address", required_argument, 0, 'a'},
	{"mac", required_argument, 0, 'm'},
	{"line", required_argument, 0, 'l'},
	{"via", required_argument, 0, 'v'},
	{"src", required_argument, 0, 's'},
	{"dst", required_argument, 0, 'd'},
	{"sport", required_argument, 0, 'f'},
	{"dport", required_argument, 0, 't'},
	{"proto", required_argument, 0, 'o'},
	{"dst-mac", required_argument, 0, 'e'},
	{"vlan", required_argument, 0, 'V'},
	{"length", required_argument, 0, 'L'},
	{"rate", required_argument, 0, 'r'},
	{"burst", required_argument, 0, 'b'},
	{"shape", required_argument, 0, 'H'},
	{"lcores", required_argument, 0, 'c'},
	{"both", no_argument, 0, 'B'},
	{0},
};

// "10s", "500ms", "2m", "10": seconds.
static bool read_time(const char *s, double min, double max, double *seconds)
{
	static const struct {
		const char *unit;
		double factor;
	} units[] = {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"m", 60}, {"min", 60}, {"h", 3600}};
	char *end;
	double v = strtod(s, &end);

	if (end == s || !isfinite(v))
		return false;
	for (unsigned i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(end, units[i].unit)) {
			*seconds = v * units[i].factor;
			return *seconds >= min && *seconds <= max;
		}
	return false;
}

static bool read_ns(const char *s, double min, double max, uint64_t *ns)
{
	double seconds;

	if (!read_time(s, min, max, &seconds))
		return false;
	*ns = (uint64_t)(seconds * 1e9 + 0.5);
	return true;
}

// A share of packets: "0.1%", and "0.1" is that too.
static bool read_percent(const char *s, double *share)
{
	char *end;
	double v = strtod(s, &end);

	*share = v / 100;
	return end != s && (!*end || !strcmp(end, "%")) && v >= 0 && v <= 100;
}

static bool read_count(const char *s, uint64_t *n)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(s, &end, 10);
	if (*s < '0' || *s > '9' || errno)
		return false;
	if (!strcmp(end, "k"))
		v *= 1000;
	else if (!strcmp(end, "M"))
		v *= 1000000;
	else if (*end)
		return false;
	*n = v;
	return v > 0 && v < UINT64_C(1) << 48;
}

static bool one_more(const char **list, unsigned *n, unsigned max, const char *s)
{
	if (*n == max)
		return false;
	list[(*n)++] = s;
	return true;
}

// Where an option's text goes that the reader of configurations checks; NULL: another option.
static const char **word_of(struct words *w, int opt)
{
	switch (opt) {
	case 's':
		return &w->src;
	case 'd':
		return &w->dst;
	case 'f':
		return &w->sport;
	case 't':
		return &w->dport;
	case 'o':
		return &w->proto;
	case 'e':
		return &w->dst_mac;
	case 'V':
		return &w->vlan;
	case 'L':
		return &w->length;
	case 'r':
		return &w->rate;
	case 'b':
		return &w->burst;
	case 'H':
		return &w->shape;
	case 'c':
		return &w->lcores;
	default:
		return NULL;
	}
}

static bool list_option(struct words *w, int opt, const char *s)
{
	switch (opt) {
	case 'p':
		return one_more(w->port, &w->ports, WORDS_PORTS_MAX, s);
	case 'a':
		return one_more(w->address, &w->addresses, WORDS_ADDRESSES_MAX, s);
	case 'm':
		return one_more(w->mac, &w->macs, WORDS_PORTS_MAX, s);
	case 'l':
		return one_more(w->line, &w->lines, WORDS_PORTS_MAX, s);
	default:
		return one_more(w->via, &w->vias, WORDS_PORTS_MAX, s);
	}
}

// Text that goes into the file unquoted.
static bool plain(const char *s)
{
	return *s && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(s);
}

// NULL: fine; else what was expected.
static const char *take_option(struct pktgen_run *r, int opt, const char *s)
{
	struct pktgen_options *o = &r->options;
	const char **word = word_of(&r->words, opt);

	if (word) {
		*word = s;
		if (opt == 'o' || opt == 'b' || opt == 'c')
			return plain(s) ? NULL : opt == 'o' ? "udp, tcp, icmp or icmp6" : "a number";
		return NULL;
	}
	switch (opt) {
	case 'p':
	case 'a':
	case 'm':
	case 'l':
	case 'v':
		return list_option(&r->words, opt, s) ? NULL : "no more than 64 of them";
	case 'B':
		r->words.both = true;
		return NULL;
	case 'D':
		return read_ns(s, 1e-3, 31536000, &o->duration_ns) ? NULL : "a time like 10s, 500ms or 2m";
	case 'n':
		return read_count(s, &o->count) ? NULL : "a number of packets like 1000 or 10M";
	case 'i':
		return read_ns(s, 0.05, 3600, &o->interval_ns) ? NULL : "a time from 50ms to 1h";
	case 'w':
		return read_time(s, 0, 3600, &r->drain) ? NULL : "a time like 2s";
	case 'R':
		r->has_learn = true;
		r->learn = 0;
		return !strcmp(s, "0") || read_count(s, &r->learn) ? NULL : "a number of packets, or 0";
	case 'W':
		return read_ns(s, 1e-3, 3600, &r->resolve_ns) ? NULL : "a time like 10s";
	case 'x':
		return read_percent(s, &o->max_loss) ? NULL : "a share of the packets like 0.1%";
	case 'M':
		return text_number(s, 16, 1u << 16, &r->memory) ? NULL : "16 to 65536 MiB";
	case 'C':
		r->pinned = true;
		return text_number(s, 0, CPU_SETSIZE - 1, &r->cpu) ? NULL : "a CPU's number";
	case 'S':
		r->control = s;
		return NULL;
	case 'j':
		o->json = true;
		return NULL;
	case 'P':
		o->plain = true;
		return NULL;
	case 'A':
		o->all_streams = true;
		return NULL;
	default:
		r->print = true;
		return NULL;
	}
}

int pktgen_read_options(struct pktgen_run *r, const struct command *cmd, int argc, char **argv)
{
	int opt, which = 0;

	while ((opt = getopt_long(argc, argv, ":h", option_list, &which)) != -1) {
		const char *expected;

		if (opt == 'h' || opt == '?' || opt == ':')
			return usage_option(cmd, argc, argv, opt) ? EXIT_USAGE : -1;
		expected = take_option(r, opt, optarg);
		if (expected)
			return usage_error(cmd, "--%s %s: expected %s", option_list[which].name, optarg, expected);
	}
	if (optind + 1 < argc)
		return usage_error(cmd, "expected one FILE at most");
	if (optind < argc)
		r->file = argv[optind];
	if (r->file && words_any(&r->words))
		return usage_error(cmd, "%s says what to send: expected no options that say so, too", r->file);
	if (!r->file && !r->words.ports)
		return usage_error(cmd, "expected FILE, or --port NAME=DEVICE");
	r->options.title = r->file ? r->file : "command line";
	return 0;
}
