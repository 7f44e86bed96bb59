// SPDX-License-Identifier: BSD-3-Clause
// bench.c - turns, gating, medians, printing
#include "perf/bench.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/noise.h"
#include "core/plat.h"

#define ROUNDS_DEFAULT 15
#define ROUNDS_MAX     1000
#define LINE_SECONDS   20 // tried for at most, on a busy machine
#define WAIT_SHARE     0.05
#define NOISE_SHARE    10 // of a second, before and after all lines

static struct {
	FILE *json; // NULL: none
	const char *program;
	unsigned rounds;
	const char *unit;
	unsigned written; // lines of JSON
	bool starved;
	struct noise noise;
} bench = {.rounds = ROUNDS_DEFAULT};

struct result {
	double cycles[BENCH_SIDES_MAX];
	double ratio, low, high; // median and quartiles
	double *rounds;		 // the ratios
	unsigned turns, discarded;
};

static void usage(FILE *out, const char *program, const char *title)
{
	fprintf(out,
		"%s: %s\n"
		"usage: %s [--json FILE] [--rounds N]\n"
		"  --json FILE  write the figures there too, as perf/record.py says\n"
		"  --rounds N  turns each comparison is measured (default %u, at most %u)\n",
		program, title, program, ROUNDS_DEFAULT, ROUNDS_MAX);
}

static void arguments(int argc, char **argv, const char *title)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
			bench.json = fopen(argv[++i], "w");
			if (!bench.json) {
				perror(argv[i]);
				exit(2);
			}
		} else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc &&
			   atoi(argv[i + 1]) > 0 && atoi(argv[i + 1]) <= ROUNDS_MAX) {
			bench.rounds = (unsigned)atoi(argv[++i]);
		} else if (strcmp(argv[i], "--help") == 0) {
			usage(stdout, argv[0], title);
			exit(0);
		} else {
			usage(stderr, argv[0], title);
			exit(2);
		}
	}
}

void bench_start(int argc, char **argv, const char *title, const char *unit)
{
	arguments(argc, argv, title);
	bench.unit = unit;
	noise_probe(&bench.noise, plat_tsc_hz() / NOISE_SHARE);
	setvbuf(stdout, NULL, _IOLBF, 0);
	bench.program = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	if (bench.json)
		fputs("[", bench.json);
	printf("# %s. Medians of %u interleaved turns, TSC %.2f GHz.\n"
	       "# ratio: quickest peer's cycles / ours (above 1: we are faster) [its quartiles]\n"
	       "%-34s %10s %9s %7s %-15s %s\n",
	       title, bench.rounds, (double)plat_tsc_hz() / 1e9, "name",
	       unit[0] == 'p' ? "cycles/pkt" : "cycles", "M/s", "ratio", "", "peers' cycles");
}

uint64_t bench_wait_ns(void)
{
	FILE *f = fopen("/proc/thread-self/schedstat", "r");
	uint64_t wait = 0;

	if (!f)
		return 0; // a kernel without schedstats: nothing is gated
	if (fscanf(f, "%*u %" SCNu64, &wait) != 1)
		wait = 0;
	fclose(f);
	return wait;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_quantile(double *values, unsigned n, double q)
{
	double at = q * (n - 1);
	unsigned i = (unsigned)at;

	qsort(values, n, sizeof(*values), by_value);
	if (i + 1 >= n)
		return values[n - 1];
	return values[i] + (at - i) * (values[i + 1] - values[i]);
}

// One round of one side: cycles a packet, or a negative number when its threads had to wait too
// long.
static double round_run(const struct bench_side *side)
{
	struct bench_round r = {0, 0, 0};
	uint64_t wait = bench_wait_ns(), start = tsc_read(), took;
	double limit;

	side->run(side->arg, &r);
	took = tsc_read() - start;
	wait = bench_wait_ns() - wait;
	if (r.wait_ns > wait)
		wait = r.wait_ns;
	if (r.cycles == 0)
		r.cycles = took;
	limit = WAIT_SHARE * (double)r.cycles * 1e9 / (double)plat_tsc_hz();
	if (r.packets == 0 || (double)wait > limit)
		return -1;
	return (double)r.cycles / (double)r.packets;
}

// Others want the core: a thread that has slept gets a whole time slice when it wakes.
static void rest(void)
{
	struct timespec ts = {.tv_nsec = 3000000};

	nanosleep(&ts, NULL);
}

// All sides once; the order changes from turn to turn. False when the turn does not count.
static bool turn_run(const struct bench_side *sides, unsigned count, unsigned turn, double *cycles)
{
	bool good = true;

	for (unsigned i = 0; i < count; i++) {
		unsigned s = (i + turn) % count;

		cycles[s] = round_run(&sides[s]);
		good &= cycles[s] >= 0;
	}
	return good;
}

static void measure(const struct bench_side *sides, unsigned count, struct result *res)
{
	double *all[BENCH_SIDES_MAX], *ratio;
	double cycles[BENCH_SIDES_MAX];
	uint64_t end = tsc_read() + LINE_SECONDS * plat_tsc_hz();

	memset(res, 0, sizeof(*res));
	ratio = calloc(bench.rounds, sizeof(*ratio));
	for (unsigned s = 0; s < count; s++)
		all[s] = calloc(bench.rounds, sizeof(**all));
	turn_run(sides, count, 0, cycles); // warms up
	for (unsigned t = 0; res->turns < bench.rounds && tsc_read() < end; t++) {
		double best = 0;

		if (!turn_run(sides, count, t, cycles)) {
			res->discarded++;
			rest();
			continue;
		}
		for (unsigned s = 0; s < count; s++) {
			all[s][res->turns] = cycles[s];
			if (s > 0 && (best == 0 || cycles[s] < best))
				best = cycles[s];
		}
		ratio[res->turns++] = best / cycles[0];
	}
	if (res->turns) {
		for (unsigned s = 0; s < count; s++)
			res->cycles[s] = bench_quantile(all[s], res->turns, 0.5);
		res->ratio = bench_quantile(ratio, res->turns, 0.5);
		res->low = bench_quantile(ratio, res->turns, 0.25);
		res->high = bench_quantile(ratio, res->turns, 0.75);
	}
	for (unsigned s = 0; s < count; s++)
		free(all[s]);
	res->rounds = ratio;
}

static double mpps(double cycles)
{
	return (double)plat_tsc_hz() / cycles / 1e6;
}

// The bench is the program's name without _bench.
static void print_json(const char *name, const struct bench_side *sides, unsigned count,
		       const struct result *res)
{
	unsigned best = 1;

	for (unsigned s = 2; s < count; s++)
		if (res->cycles[s] < res->cycles[best])
			best = s;
	fprintf(bench.json,
		"%s\n {\"bench\": \"%.*s\", \"name\": \"%s\", \"unit\": \"cycles/%s\", "
		"\"better\": \"lower\", \"ours\": %.3f, \"mpps\": %.2f, \"discarded\": %u",
		bench.written++ ? "," : "", (int)strcspn(bench.program, "_"), bench.program, name,
		bench.unit, res->cycles[0], mpps(res->cycles[0]), res->discarded);
	if (count > 1) {
		fprintf(bench.json,
			", \"peer\": \"%s\", \"peer_value\": %.3f, \"ratio\": %.4f, \"rounds\": [",
			sides[best].name, res->cycles[best], res->ratio);
		for (unsigned t = 0; t < res->turns; t++)
			fprintf(bench.json, "%s%.4f", t ? ", " : "", res->rounds[t]);
		fputs("]", bench.json);
	}
	fputs("}", bench.json);
}

static void print_line(const char *name, const struct bench_side *sides, unsigned count,
		       const struct result *res)
{
	char spread[32];

	if (res->turns == 0) {
		printf("%-34s no figure: in each of %u turns a thread waited for its core\n", name,
		       res->discarded);
		return;
	}
	printf("%-34s %10.2f %9.2f", name, res->cycles[0], mpps(res->cycles[0]));
	if (count > 1) {
		snprintf(spread, sizeof(spread), "[%.2f..%.2f]", res->low, res->high);
		printf(" %7.2f %-15s", res->ratio, spread);
	}
	for (unsigned s = 1; s < count; s++)
		printf(" %s=%.2f", sides[s].name, res->cycles[s]);
	if (res->discarded)
		printf(" (%u turns discarded)", res->discarded);
	printf("\n");
}

void bench_compare(const char *name, const struct bench_side *sides, unsigned count)
{
	struct result res;

	if (count == 0 || count > BENCH_SIDES_MAX)
		abort();
	measure(sides, count, &res);
	print_line(name, sides, count, &res);
	if (bench.json && res.turns)
		print_json(name, sides, count, &res);
	free(res.rounds);
	bench.starved |= res.turns == 0;
}

// What the host took from this CPU while nothing ran that could have taken it.
static void print_noise(void)
{
	const struct noise *n = &bench.noise;

	noise_probe(&bench.noise, plat_tsc_hz() / NOISE_SHARE);
	printf("# host noise: in %.1f s %" PRIu64 " gaps over 50 us, %" PRIu64
	       " us lost, the worst %" PRIu64 " us\n",
	       2.0 / NOISE_SHARE, n->gaps, noise_us(n->lost), noise_us(n->worst));
}

int bench_end(void)
{
	print_noise();
	if (bench.json) {
		fputs("\n]\n", bench.json);
		if (fclose(bench.json)) {
			perror("--json");
			return 1;
		}
	}
	return bench.starved ? 3 : 0;
}
