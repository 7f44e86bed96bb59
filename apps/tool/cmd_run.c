// SPDX-License-Identifier: BSD-3-Clause
// cmd_run.c - weir run: a configuration in this process
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/app.h"
#include "apps/control.h"
#include "apps/tool/figures.h"
#include "apps/tool/home.h"
#include "apps/tool/replay_load.h"
#include "apps/tool/tool.h"
#include "apps/tool/util.h"
#include "core/linux/plat_linux.h"
#include "core/plat.h"

#define OVERRIDES_MAX 64u

struct run {
	struct config c;
	const char *file, *control;
	char *port[OVERRIDES_MAX]; // NAME=DEVICE
	unsigned ports;
	enum clock_kind clock;
	bool has_clock, json;
	double linger;
	unsigned memory; // MiB
	unsigned cpu; // when pinned
	bool pinned;
};

static struct app app;
static bool progress_shown; // and the cursor stands behind it

static void on_signal(int sig)
{
	app_end(&app);
}

static int options(struct run *r, const struct command *cmd, int argc, char **argv)
{
	static const struct option list[] = {
		{"help", no_argument, 0, 'h'},	   {"port", required_argument, 0, 'p'},
		{"clock", required_argument, 0, 'c'}, {"linger", required_argument, 0, 'l'},
		{"memory", required_argument, 0, 'M'}, {"json", no_argument, 0, 'j'},
		{"cpu", required_argument, 0, 'C'},    {"control", required_argument, 0, 's'},
		{0},
	};
	static const char *const expected[] = {
		['p'] = "no more than 64 of them",
		['c'] = "capture or real",
		['l'] = "0 to 3600 seconds",
		['M'] = "16 to 65536 MiB",
		['C'] = "a CPU's number",
	};
	char *end = "";
	int opt, which = 0;

	while ((opt = getopt_long(argc, argv, ":h", list, &which)) != -1) {
		bool good = true;

		if (opt == 'p') {
			good = r->ports < OVERRIDES_MAX;
			if (good)
				r->port[r->ports++] = optarg;
		} else if (opt == 'c') {
			r->has_clock = true;
			r->clock = strcmp(optarg, "real") ? CLOCK_CAPTURE : CLOCK_REAL;
			good = r->clock == CLOCK_REAL || !strcmp(optarg, "capture");
		} else if (opt == 'l') {
			r->linger = strtod(optarg, &end);
			good = *optarg && !*end && r->linger >= 0 && r->linger <= 3600;
		} else if (opt == 'M') {
			good = text_number(optarg, 16, 1u << 16, &r->memory);
		} else if (opt == 'C') {
			r->pinned = good = text_number(optarg, 0, CPU_SETSIZE - 1, &r->cpu);
		} else if (opt == 's') {
			r->control = optarg;
		} else if (opt == 'j') {
			r->json = true;
		} else {
			return usage_option(cmd, argc, argv, opt) ? EXIT_USAGE : -1;
		}
		if (!good)
			return usage_error(cmd, "--%s %s: expected %s", list[which].name, optarg,
					   expected[opt]);
	}
	if (optind + 1 != argc)
		return usage_error(cmd, "expected one FILE");
	r->file = argv[optind];
	return 0;
}

static int set_devices(struct run *r, struct err *err)
{
	bool given[OVERRIDES_MAX] = {false};
	struct err why;
	size_t i;

	for (i = 0; i < r->ports; i++) {
		char *device;
		int port = split_port(&r->c, r->port[i], &device, err);

		if (port < 0)
			return port;
		if (given[port])
			return err_set(err, -EINVAL, "--port %s is there twice: expected it once",
				       r->port[i]);
		given[port] = true;
		if (config_device(&r->c.ports[port], device, &why))
			return err_set(err, -EINVAL, "port %s: %s: %s", r->port[i], device,
				       why.text);
	}
	for (i = 0; i < r->c.n_ports; i++) {
		const struct config_port *p = &r->c.ports[i];

		if (!strcmp(p->driver, "virtio"))
			return err_set(err, -EINVAL,
				       "port %s: virtio:%s is a device of images: expected --port "
				       "%s=DEVICE, pcap:IN,OUT for one",
				       p->name, p->args, p->name);
	}
	return 0;
}

// The files of "IN,OUT" that are there.
static void capture_files(const struct config_port *p, struct stat *in, struct stat *out)
{
	const char *comma = strchr(p->args, ',');
	char *name = comma ? xasprintf("%.*s", (int)(comma - p->args), p->args) : xstrdup(p->args);

	*in = *out = (struct stat){0};
	if (strcmp(p->driver, "pcap"))
		return free(name);
	if (stat(name, in) || !S_ISREG(in->st_mode))
		in->st_ino = 0;
	if (!comma || stat(comma + 1, out) || !S_ISREG(out->st_mode))
		out->st_ino = 0;
	free(name);
}

// One port's recording must not overwrite what another one plays: that capture would be gone.
static int check_captures(const struct run *r, struct err *err)
{
	size_t i;

	for (i = 0; i < r->c.n_ports * r->c.n_ports; i++) {
		const struct config_port *a = &r->c.ports[i / r->c.n_ports];
		const struct config_port *b = &r->c.ports[i % r->c.n_ports];
		struct stat in, out, none;

		capture_files(a, &in, &none);
		capture_files(b, &none, &out);
		if (in.st_ino && in.st_ino == out.st_ino && in.st_dev == out.st_dev)
			return err_set(err, -EINVAL,
				       "port %s: %s: port %s plays this capture: expected another "
				       "file to record into",
				       b->name, strchr(b->args, ',') + 1, a->name);
	}
	return 0;
}

// Whether there are ports that play captures, and live ones.
static void look_at_ports(const struct run *r, bool *capture, bool *live)
{
	*capture = *live = false;
	for (size_t i = 0; i < r->c.n_ports; i++) {
		const struct pmd *pmd = pmd_resolve(r->c.ports[i].driver, r->c.ports[i].args);

		*capture |= pmd && pmd->next_time;
		*live |= pmd && pmd->can.live;
	}
}

// Time is the captures' when there are some and nothing live, which keeps its own.
static enum clock_kind choose_clock(const struct run *r)
{
	bool capture, live;

	if (r->has_clock)
		return r->clock;
	if (r->c.replay.given) // it sends by the machine's time
		return CLOCK_REAL;
	look_at_ports(r, &capture, &live);
	return capture && !live ? CLOCK_CAPTURE : CLOCK_REAL;
}

// What is played on a capture's clock comes out the same every time; with nobody live there are no secrets to keep.
static void choose_entropy(const struct run *r, enum clock_kind clock)
{
	bool capture, live;

	look_at_ports(r, &capture, &live);
	if (clock == CLOCK_CAPTURE && !live)
		plat_linux_entropy(CAPTURE_SEED);
}

static int finish(const struct run *r)
{
	struct figures f = {0};
	struct err err;
	bool balanced;
	int rc = 0;

	app_stats(&app, figures_add, &f);
	balanced = figures_balanced(&f);
	if (r->json)
		figures_print_json(&f, stdout);
	else
		figures_print_table(&f, stdout);
	figures_free(&f);
	if (!balanced) {
		fprintf(stderr, "weir run: the books do not balance\n");
		rc = EXIT_JOB;
	}
	if (app_capture_error(&app, &err)) {
		fprintf(stderr, "weir run: %s; what was read before counts\n", err.text);
		rc = EXIT_JOB;
	}
	if (app_stop(&app, &err)) {
		fprintf(stderr, "weir run: %s\n", err.text);
		rc = EXIT_JOB;
	}
	return rc;
}

// From two seconds on: says every second on a terminal, every ten elsewhere, how far it is.
static int show_progress(struct app *a)
{
	static uint64_t next = 2;
	uint64_t seconds = (tsc_read() - a->ready_tsc) / plat_tsc_hz();
	bool tty = isatty(STDERR_FILENO);
	struct graph_books b;

	if (seconds < next)
		return 0;
	next = seconds + (tty ? 1 : 10);
	app_books(a, &b);
	fprintf(stderr, "%sweir run: %" PRIu64 " s, %" PRIu64 " packets received, %" PRIu64 " sent%s",
		tty ? "\r" : "", seconds, b.rx, b.tx, tty ? "\033[K" : "\n");
	progress_shown = tty;
	return 0;
}

// What each port got.
static void introduce_ports(void)
{
	char queues[PORT_QUEUES_MAX * 24];
	unsigned i;

	for (i = 0; i < app.ports; i++) {
		app_port_queues(&app, i, queues, sizeof(queues));
		fprintf(stderr, "weir run: port %s: %s%s%s\n", app.port[i].name,
			app.port[i].grant.text, app.lcores > 1 ? "; " : "",
			app.lcores > 1 ? queues : "");
	}
}

static int run(struct run *r)
{
	struct app_conf conf = {.clock = choose_clock(r)};
	struct sigaction act = {.sa_handler = on_signal};
	struct err err;
	void *blob = config_blob(&r->c, &conf.blob_len);
	int rc;

	conf.blob = blob;
	if (conf.clock == CLOCK_REAL)
		conf.linger_ns = (uint64_t)(r->linger * (double)NSEC_PER_SEC);
	if (r->pinned && home_cpu(r->cpu, &err)) {
		fprintf(stderr, "weir run: %s\n", err.text);
		free(blob);
		return EXIT_JOB;
	}
	rc = plat_linux_init((size_t)r->memory << 20);
	choose_entropy(r, conf.clock);
	if (rc) {
		fprintf(stderr, "weir run: %u MiB of packet memory: %s: give less by --memory\n",
			r->memory, strerror(-rc));
	} else if (app_start(&app, &conf, &err)) {
		fprintf(stderr, "weir run: %s\n", err.text);
		rc = -1;
	}
	if (!rc && home_listen(&app, r->control, &err)) {
		fprintf(stderr, "weir run: --control %s\n", err.text);
		app_stop(&app, NULL);
		rc = -1;
	}
	if (!rc) {
		sigaction(SIGINT, &act, NULL);
		sigaction(SIGTERM, &act, NULL);
		introduce_ports();
		app.tick = show_progress;
		app_run(&app);
		control_destroy(app.control);
		if (progress_shown)
			fputc('\n', stderr);
		rc = finish(r);
	}
	free(blob);
	return rc < 0 ? EXIT_JOB : rc;
}

int cmd_run(const struct command *cmd, int argc, char **argv)
{
	struct run r = {.linger = 1, .memory = 256};
	struct err err;
	int rc = options(&r, cmd, argc, argv);

	if (rc)
		return rc < 0 ? 0 : rc;
	if (!load_config(&r.c, r.file))
		return EXIT_USAGE;
	if (replay_load_image("weir run", &r.c)) {
		rc = EXIT_USAGE;
	} else if (set_devices(&r, &err) || check_captures(&r, &err)) {
		fprintf(stderr, "weir run: %s\n", err.text);
		rc = EXIT_USAGE;
	} else {
		rc = run(&r);
	}
	config_free(&r.c);
	return rc;
}
