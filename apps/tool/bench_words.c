// SPDX-License-Identifier: BSD-3-Clause
// bench_words.c - the command line of weir bench: a profile, and what is to be otherwise
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/bench_words.h"
#include "apps/tool/util.h"

enum { // options without a letter of their own
	OPT_SETTLE = 256,
	OPT_PAUSE,
	OPT_RESOLUTION,
	OPT_LOSS,
	OPT_VERIFY,
	OPT_GOAL,
	OPT_MIX,
	OPT_MAX,
	OPT_LOAD,
	OPT_BURST,
	OPT_BURST_STEP,
	OPT_LATENCY,
	OPT_OVERLOAD,
	OPT_RESET,
	OPT_INTERFERENCE,
	OPT_PACE,
	OPT_TRIES,
	OPT_PID,
	OPT_NAME,
	OPT_NOTE,
	OPT_COMPARE,
	OPT_REPORT,
	OPT_PLAN,
};

static const struct option list[] = {
	{"help", no_argument, 0, 'h'},
	{"output", required_argument, 0, 'o'},
	{"profile", required_argument, 0, 'P'},
	{"test", required_argument, 0, 't'},
	{"method", required_argument, 0, 'm'},
	{"size", required_argument, 0, 's'},
	{"duration", required_argument, 0, 'D'},
	{"repeat", required_argument, 0, 'r'},
	{"port", required_argument, 0, 'p'},
	{"memory", required_argument, 0, 'M'},
	{"cpu", required_argument, 0, 'C'},
	{"json", no_argument, 0, 'j'},
	{"settle", required_argument, 0, OPT_SETTLE},
	{"pause", required_argument, 0, OPT_PAUSE},
	{"resolution", required_argument, 0, OPT_RESOLUTION},
	{"loss", required_argument, 0, OPT_LOSS},
	{"verify", required_argument, 0, OPT_VERIFY},
	{"goal", required_argument, 0, OPT_GOAL},
	{"mix", required_argument, 0, OPT_MIX},
	{"max", required_argument, 0, OPT_MAX},
	{"latency-load", required_argument, 0, OPT_LOAD},
	{"burst", required_argument, 0, OPT_BURST},
	{"burst-step", required_argument, 0, OPT_BURST_STEP},
	{"latency", required_argument, 0, OPT_LATENCY},
	{"overload", required_argument, 0, OPT_OVERLOAD},
	{"reset-command", required_argument, 0, OPT_RESET},
	{"interference", required_argument, 0, OPT_INTERFERENCE},
	{"pace", required_argument, 0, OPT_PACE},
	{"tries", required_argument, 0, OPT_TRIES},
	{"device-pid", required_argument, 0, OPT_PID},
	{"name", required_argument, 0, OPT_NAME},
	{"note", required_argument, 0, OPT_NOTE},
	{"compare", no_argument, 0, OPT_COMPARE},
	{"report", no_argument, 0, OPT_REPORT},
	{"plan", no_argument, 0, OPT_PLAN},
	{0},
};

struct unit {
	const char *name;
	double factor;
};

static bool with_unit(const char *s, const struct unit *units, double min, double max, double *v)
{
	char *end;
	double x = strtod(s, &end);

	if (end == s || !isfinite(x))
		return false;
	for (; units->name; units++) {
		if (strcmp(end, units->name))
			continue;
		*v = x * units->factor;
		return *v >= min && *v <= max;
	}
	return false;
}

static bool time_of(const char *s, double min, double max, double *v)
{
	static const struct unit units[] = {{"", 1},	 {"s", 1},    {"ms", 1e-3}, {"us", 1e-6},
					    {"min", 60}, {"m", 60}, {"h", 3600},  {0}};

	return with_unit(s, units, min, max, v);
}

static bool share_of(const char *s, double min, double max, double *v)
{
	static const struct unit units[] = {{"%", 0.01}, {"", 0.01}, {0}};

	return with_unit(s, units, min, max, v);
}

static bool rate_of(const char *s, double *v)
{
	static const struct unit units[] = {{"", 1}, {"pps", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {0}};

	return with_unit(s, units, 1, 1e12, v);
}

// Calls one(arg, word) for each word of a list with commas; false: one said so, or there is none.
static bool words_of(const char *s, bool (*one)(struct bench_plan *p, const char *word), struct bench_plan *p)
{
	char *copy = xstrdup(s), *rest = copy, *word;
	bool good = *s;

	while (good && (word = strsep(&rest, ",")))
		good = one(p, word);
	free(copy);
	return good;
}

static bool add_test(struct bench_plan *p, const char *word)
{
	for (unsigned k = 0; k < BENCH_KINDS; k++) {
		if (strcmp(word, bench_kinds[k]))
			continue;
		p->kinds |= 1u << k;
		return true;
	}
	return false;
}

static bool add_size(struct bench_plan *p, const char *word)
{
	unsigned v;

	if (p->sizes == BENCH_SIZES_MAX || !text_number(word, 64, 9018, &v) ||
	    (p->sizes && v <= p->size[p->sizes - 1]))
		return false;
	p->size[p->sizes++] = (uint16_t)v;
	return true;
}

static bool add_mix(struct bench_plan *p, const char *word)
{
	return p->mixes < BENCH_MIXES_MAX && text_number(word, 0, 100, &p->mix[p->mixes++]);
}

static bool set_method(struct bench_plan *p, const char *word)
{
	unsigned k = 0;

	while (k < BENCH_METHODS && strcmp(word, bench_methods[k]))
		k++;
	if (k == BENCH_METHODS)
		return false;
	p->method = k;
	p->r = k == BENCH_TST009 && p->r < 2 ? 2 : p->r;
	if (k == BENCH_MLR && !p->goals) {
		// RFC 2544's own: no loss, in all trials.
		p->goal[0] = (struct mlr_goal){.initial_duration = fmin(p->duration_s, 1),
					       .final_duration = p->duration_s,
					       .duration_sum = p->duration_s,
					       .width = p->resolution};
		p->goals = 1;
	}
	return true;
}

// "R" or "R,Z".
static bool set_verify(struct bench_plan *p, const char *s)
{
	char *copy = xstrdup(s), *comma = strchr(copy, ',');
	unsigned z = 0;
	bool good;

	if (comma)
		*comma++ = 0;
	good = text_number(copy, 1, 100, &p->r) && (!comma || text_number(comma, 0, UINT32_MAX, &z));
	p->z = comma ? z : UINT64_MAX;
	free(copy);
	return good;
}

// LOSS,SUM,EXCEED[,WIDTH]: 0.5%,21s,50%,0.5%. The first takes the place of the profile's.
static bool add_goal(struct bench_plan *p, const char *s, bool *own)
{
	struct mlr_goal g = {.initial_duration = fmin(p->duration_s, 1), .final_duration = p->duration_s, .width = 0.005};
	char *copy = xstrdup(s), *rest = copy;
	char *loss = strsep(&rest, ","), *sum = strsep(&rest, ","), *exceed = strsep(&rest, ","), *width = rest;
	bool good = loss && sum && exceed && share_of(loss, 0, 0.99, &g.loss_ratio) && time_of(sum, 0.001, 86400, &g.duration_sum) &&
		    share_of(exceed, 0, 0.99, &g.exceed_ratio) && (!width || share_of(width, 1e-5, 0.5, &g.width));

	free(copy);
	if (!*own)
		p->goals = 0;
	*own = true;
	if (!good || p->goals == MLR_GOALS_MAX)
		return false;
	g.duration_sum = fmax(g.duration_sum, g.final_duration);
	p->goal[p->goals++] = g;
	p->method = BENCH_MLR;
	return true;
}

static void set_duration(struct bench_plan *p)
{
	for (unsigned i = 0; i < p->goals; i++) {
		p->goal[i].final_duration = p->duration_s;
		p->goal[i].initial_duration = fmin(p->goal[i].initial_duration, p->duration_s);
		p->goal[i].duration_sum = fmax(p->goal[i].duration_sum, p->duration_s);
	}
}

static bool set_repeat(struct bench_plan *p, const char *s)
{
	unsigned n;

	if (!text_number(s, 1, 1000, &n))
		return false;
	for (unsigned k = 0; k < BENCH_KINDS; k++)
		p->repeat[k] = n;
	return true;
}

// NULL: fine, else what was expected. own: lists that took the place of the profile's.
static const char *plan_option(struct bench_plan *p, int opt, const char *s, bool *own_goals)
{
	switch (opt) {
	case 't':
		p->kinds = 0;
		return words_of(s, add_test, p) ? NULL : "throughput, latency, pdv, frame_loss, back_to_back, recovery or reset, with commas";
	case 'm':
		return set_method(p, s) ? NULL : "binary, mlrsearch or tst009";
	case 's':
		p->sizes = 0;
		return words_of(s, add_size, p) ? NULL : "16 ascending sizes from 64 to 9018 bytes at most: 64,512,1518";
	case 'D':
		if (!time_of(s, 0.001, 86400, &p->duration_s))
			return "a time like 60s or 500ms";
		set_duration(p);
		return NULL;
	case 'r':
		return set_repeat(p, s) ? NULL : "1 to 1000";
	case OPT_SETTLE:
		return time_of(s, 0, 3600, &p->settle_s) ? NULL : "a time like 2s";
	case OPT_PAUSE:
		return time_of(s, 0, 3600, &p->pause_s) ? NULL : "a time like 5s";
	case OPT_RESOLUTION:
		return share_of(s, 1e-5, 0.5, &p->resolution) ? NULL : "a share of the load from 0.001% to 50%";
	case OPT_LOSS:
		return share_of(s, 0, 0.99, &p->loss_ratio) ? NULL : "a share of the frames like 0.1%";
	case OPT_VERIFY:
		return set_verify(p, s) ? NULL : "R or R,Z: trials of a load, and the loss in frames that needs no second";
	case OPT_GOAL:
		return add_goal(p, s, own_goals) ? NULL : "LOSS,SUM,EXCEED[,WIDTH], as 0.5%,21s,50%,0.5%; 8 of them at most";
	case OPT_MIX:
		p->mixes = 0;
		return words_of(s, add_mix, p) ? NULL : "per cent of the load that is IPv6: 0,50,100";
	case OPT_MAX:
		return rate_of(s, &p->max_pps) ? NULL : "frames a second like 100k or 14.88M";
	case OPT_LOAD:
		return share_of(s, 0.001, 2, &p->latency_load) ? NULL : "a share of the throughput like 90%";
	case OPT_BURST:
		return time_of(s, 1e-5, 30, &p->burst_s) ? NULL : "a time up to 30s";
	case OPT_BURST_STEP:
		return text_number(s, 1, 1u << 20, &p->burst_step) ? NULL : "a number of frames";
	case OPT_LATENCY:
		return time_of(s, 0.001, 86400, &p->latency_s) ? NULL : "a time like 120s";
	case OPT_OVERLOAD:
		return time_of(s, 0.1, 3600, &p->recovery_s) ? NULL : "a time like 60s";
	case OPT_RESET:
		free(p->reset_command);
		p->reset_command = xstrdup(s);
		return *s ? NULL : "a command for sh";
	case OPT_INTERFERENCE:
		return share_of(s, 0, 100, &p->limits.interference) ? NULL : "a share of a trial's time like 1%";
	case OPT_PACE:
		return share_of(s, 0, 1, &p->limits.pace) ? NULL : "a share of the frames like 0.1%";
	default:
		return text_number(s, 1, 1000, &p->tries) ? NULL : "1 to 1000";
	}
}

static bool of_plan(int opt)
{
	return opt < 256 ? strchr("tmsDr", opt) != NULL : opt <= OPT_TRIES;
}

static const char *other_option(struct bench_words *w, int opt, char *s)
{
	switch (opt) {
	case 'o':
		w->out = s;
		return NULL;
	case 'P':
		return NULL; // seen before
	case 'p':
		if (w->ports == BENCH_PORTS_MAX)
			return "no more than 64 of them";
		w->port[w->ports++] = s;
		return NULL;
	case 'M':
		return text_number(s, 16, 1u << 16, &w->memory) ? NULL : "16 to 65536 MiB";
	case 'C':
		w->pinned = true;
		return text_number(s, 0, CPU_SETSIZE - 1, &w->cpu) ? NULL : "a CPU's number";
	case 'j':
		w->json = true;
		return NULL;
	case OPT_PID:
		return text_number(s, 1, 1u << 22, &w->device_pid) ? NULL : "the number of a process of this machine";
	case OPT_NAME:
		w->name = s;
		return NULL;
	case OPT_NOTE:
		w->note = s;
		return NULL;
	case OPT_COMPARE:
		w->job = BENCH_JOB_COMPARE;
		return NULL;
	case OPT_REPORT:
		w->job = BENCH_JOB_REPORT;
		return NULL;
	default:
		w->plan_only = true;
		return NULL;
	}
}

// The profile comes first, wherever it stands: the other options change it.
static const char *profile_of(int argc, char **argv)
{
	const char *name = "rfc2544";
	int opt;

	while ((opt = getopt_long(argc, argv, ":ho:", list, NULL)) != -1)
		if (opt == 'P')
			name = optarg;
	optind = 0;
	return name;
}

static int finish(struct bench_words *w, const struct command *cmd, int argc, char **argv)
{
	static const int files[] = {[BENCH_JOB_RUN] = 1, [BENCH_JOB_COMPARE] = 2, [BENCH_JOB_REPORT] = 1};
	struct bench_plan *p = &w->plan;

	if (argc - optind != files[w->job])
		return usage_error(cmd, w->job == BENCH_JOB_COMPARE ? "expected two files of results" : "expected one FILE");
	for (int i = 0; i < files[w->job]; i++)
		w->file[i] = argv[optind + i];
	if (p->reset_command)
		p->kinds |= 1u << BENCH_RESET;
	else if (p->kinds & 1u << BENCH_RESET)
		return usage_error(cmd, "--test reset: expected --reset-command COMMAND, too");
	if (w->job == BENCH_JOB_REPORT && !w->out)
		return usage_error(cmd, "--report: expected -o OUT.html");
	return 0;
}

int bench_words(struct bench_words *w, const struct command *cmd, int argc, char **argv)
{
	const char *profile = profile_of(argc, argv);
	bool own_goals = false;
	int opt, which = 0;

	*w = (struct bench_words){.memory = 256};
	if (!bench_profile(&w->plan, profile))
		return usage_error(cmd, "--profile %s: expected %s", profile, bench_profiles);
	while ((opt = getopt_long(argc, argv, ":ho:", list, &which)) != -1) {
		const char *expected;

		if (opt == 'h' || opt == '?' || opt == ':')
			return usage_option(cmd, argc, argv, opt) ? EXIT_USAGE : -1;
		expected = of_plan(opt) ? plan_option(&w->plan, opt, optarg, &own_goals) : other_option(w, opt, optarg);
		if (expected)
			return usage_error(cmd, "--%s %s: expected %s", list[which].name, optarg, expected);
	}
	return finish(w, cmd, argc, argv);
}
