// SPDX-License-Identifier: BSD-3-Clause
// cmd_fpm.c - weir fpm: FRR's routes into a running Weir
//
// One loop over poll(2). What FRR says goes into the table (fpm_table.h); the differences between
// that and what Weir has go to Weir (fpm_weir.h) in batches. Either end may go away and come back:
// Weir is told what it lacks, and FRR has STALE seconds to announce everything anew before the rest
// is withdrawn.
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "apps/tool/fpm_listen.h"
#include "apps/tool/fpm_report.h"
#include "apps/tool/tool.h"
#include "apps/tool/util.h"

#define BATCH	    4096u	  // changes that are sent at once
#define LATENCY_NS  10000000ull	  // and how long the first of fewer waits
#define RETRY_NS    1000000000ull // for Weir
#define QUIET_NS    1000000000ull // no sweep while FRR goes on announcing
#define SECOND_NS   1000000000ull
#define STALE_LIMIT 10u // times the given time, whatever FRR does

struct fpm {
	struct fpm_table table;
	struct fpm_weir weir;
	struct fpm_status status;
	const char *listen;
	unsigned stale_s, every_s;
	bool json;
	int listener, peer, signals;
	uint8_t *buf;
	size_t have;
	uint64_t now, first_change, session_began, heard, retry, next_report;
	char weir_error[sizeof(struct err)]; // said once
};

static uint64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
}

// --- command line ---

// NUMBER=NAME; an interface's number may be the name it has on this host.
static bool named(struct fpm_named *list, unsigned *n, char *arg, bool host_name)
{
	char *eq = strchr(arg, '=');
	unsigned number;

	if (!eq || !eq[1] || *n == FPM_NAMES_MAX)
		return false;
	*eq = 0;
	if (!text_number(arg, 1, UINT32_MAX, &number)) {
		number = host_name ? if_nametoindex(arg) : 0;
		if (!number) {
			*eq = '=';
			return false;
		}
	}
	list[(*n)++] = (struct fpm_named){number, eq + 1};
	return true;
}

static int options(struct fpm *f, const struct command *cmd, int argc, char **argv)
{
	static const struct option list[] = {
		{"help", no_argument, 0, 'h'},
		{"json", no_argument, 0, 'j'},
		{"listen", required_argument, 0, 'l'},
		{"vrf", required_argument, 0, 'v'},
		{"interface", required_argument, 0, 'i'},
		{"stale", required_argument, 0, 's'},
		{"every", required_argument, 0, 'e'},
		{0},
	};
	static const char *const expected[] = {
		['v'] = "TABLE=VRF, a table's number on the FRR host and a VRF of Weir's",
		['i'] = "HOST=NAME, an interface of the FRR host (name or number) and one of "
			"Weir's",
		['s'] = "1 to 3600 seconds",
		['e'] = "1 to 3600 seconds",
	};
	int opt, which = 0;

	while ((opt = getopt_long(argc, argv, ":h", list, &which)) != -1) {
		bool good = true;

		if (opt == 'j')
			f->json = true;
		else if (opt == 'l')
			f->listen = optarg;
		else if (opt == 'v')
			good = named(f->weir.vrf, &f->weir.vrfs, optarg, false);
		else if (opt == 'i')
			good = named(f->weir.iface, &f->weir.ifaces, optarg, true);
		else if (opt == 's')
			good = text_number(optarg, 1, 3600, &f->stale_s);
		else if (opt == 'e')
			good = text_number(optarg, 1, 3600, &f->every_s);
		else
			return usage_option(cmd, argc, argv, opt) ? EXIT_USAGE : -1;
		if (!good)
			return usage_error(cmd, "--%s %s: expected %s", list[which].name, optarg,
					   expected[opt]);
	}
	if (argc - optind != 1)
		return usage_error(cmd, "expected one ENDPOINT: the socket of weir run --control");
	f->weir.endpoint = argv[optind];
	return 0;
}

// --- FRR ---

static void on_route(void *arg, const struct fpm_route *r)
{
	fpm_table_route(&((struct fpm *)arg)->table, r);
}

static void on_nexthop(void *arg, const struct fpm_nexthop *nh)
{
	fpm_table_nexthop(&((struct fpm *)arg)->table, nh);
}

static void on_other(void *arg, unsigned type, unsigned family)
{
	(void)type;
	(void)family;
	((struct fpm *)arg)->table.totals.others++;
}

static void hang_up(struct fpm *f, const char *why)
{
	if (f->peer < 0)
		return;
	fprintf(stderr, "weir fpm: FRR's connection: %s; its routes stay\n", why);
	close(f->peer);
	f->peer = -1;
	f->status.frr = false;
	f->have = 0;
}

static void welcome(struct fpm *f)
{
	int fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	hang_up(f, "there is a newer one");
	fprintf(stderr, "weir fpm: FRR is connected\n");
	f->peer = fd;
	f->status.frr = true;
	f->status.synced = false;
	f->session_began = f->heard = f->now;
	fpm_table_session(&f->table);
}

// The whole frames of what has come. 0, or -EPROTO: no more can be understood.
static int frames(struct fpm *f)
{
	const struct fpm_sink sink = {on_route, on_nexthop, on_other, f};
	size_t at = 0;
	struct err err;
	int len;

	while ((len = fpm_frame(f->buf + at, f->have - at, &err)) > 0) {
		if (fpm_parse(f->buf + at, (size_t)len, &sink, &err) < 0 && !f->status.broken++)
			snprintf(f->status.broken_text, sizeof(f->status.broken_text), "%.120s",
				 err.text);
		at += (size_t)len;
	}
	memmove(f->buf, f->buf + at, f->have - at);
	f->have -= at;
	if (len < 0) {
		f->status.resets++;
		snprintf(f->status.broken_text, sizeof(f->status.broken_text), "%.120s", err.text);
		hang_up(f, err.text);
	}
	return len;
}

static void hear(struct fpm *f)
{
	for (unsigned i = 0; i < 16 && f->peer >= 0 && (!f->weir.c || f->table.changes < BATCH);
	     i++) {
		ssize_t n = recv(f->peer, f->buf + f->have, 4 * FPM_FRAME_MAX - f->have, 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			hang_up(f, n ? strerror(errno) : "closed by it");
			break;
		}
		f->have += (size_t)n;
		f->heard = f->now;
		if (frames(f))
			break;
	}
}

// --- Weir ---

static void say_weir(struct fpm *f, const struct err *err)
{
	if (strcmp(f->weir_error, err->text))
		fprintf(stderr, "weir fpm: Weir: %s; trying again every second\n", err->text);
	snprintf(f->weir_error, sizeof(f->weir_error), "%s", err->text);
	f->retry = f->now + RETRY_NS;
}

static void reach_weir(struct fpm *f)
{
	struct err err;

	if (f->weir.c || f->now < f->retry)
		return;
	if (fpm_weir_connect(&f->weir, &f->table, &err)) {
		say_weir(f, &err);
		return;
	}
	*f->weir_error = 0;
	fprintf(stderr, "weir fpm: Weir is connected: %zu changes to tell it\n", f->table.changes);
	f->first_change = f->now - LATENCY_NS;
	// FRR has told everything: what an earlier one left in Weir can go at once.
	if (f->status.synced)
		f->status.swept += fpm_table_sweep(&f->table);
}

static void tell_weir(struct fpm *f)
{
	struct err err;

	if (!f->table.changes && !f->table.changed) {
		f->first_change = 0;
		return;
	}
	if (!f->first_change)
		f->first_change = f->now;
	if (!f->weir.c || (f->table.changes < BATCH && f->now - f->first_change < LATENCY_NS))
		return;
	f->first_change = 0;
	if (fpm_weir_flush(&f->weir, &f->table, &err))
		say_weir(f, &err);
}

static void hear_weir(struct fpm *f)
{
	struct err err;
	char byte;
	int rc = ctl_feed_poll(f->weir.c, &err);

	// Between two batches nothing is awaited, and nobody else would notice the end.
	if (!rc && !recv(ctl_fd(f->weir.c), &byte, 1, MSG_PEEK | MSG_DONTWAIT))
		rc = err_set(&err, -EPIPE, "%s: closed by it", f->weir.endpoint);
	if (rc) {
		fpm_weir_close(&f->weir);
		say_weir(f, &err);
	}
}

// --- time ---

static void sweep(struct fpm *f)
{
	uint64_t since = f->now - f->session_began;

	if (!f->status.frr || f->status.synced || since < f->stale_s * SECOND_NS)
		return;
	if (f->now - f->heard < QUIET_NS && since < STALE_LIMIT * f->stale_s * SECOND_NS)
		return;
	f->status.swept += fpm_table_sweep(&f->table);
	f->status.synced = true;
}

static int wait_ms(const struct fpm *f)
{
	uint64_t until = f->next_report, ms;

	if (!f->weir.c && f->retry < until)
		until = f->retry;
	if (f->weir.c && f->first_change && f->first_change + LATENCY_NS < until)
		until = f->first_change + LATENCY_NS;
	if (f->status.frr && !f->status.synced && f->now + SECOND_NS / 10 < until)
		until = f->now + SECOND_NS / 10;
	ms = until > f->now ? (until - f->now + 999999) / 1000000 : 0;
	return (int)ms;
}

static void report(struct fpm *f)
{
	f->status.table = &f->table;
	f->status.weir = &f->weir;
	fpm_report(&f->status, f->json);
}

static void loop(struct fpm *f)
{
	for (;;) {
		struct pollfd fds[] = {
			{.fd = f->signals, .events = POLLIN},
			{.fd = f->listener, .events = POLLIN},
			{.fd = f->peer, .events = POLLIN},
			{.fd = f->weir.c ? ctl_fd(f->weir.c) : -1, .events = POLLIN},
		};

		// More than a batch waits for Weir: FRR is left to wait too.
		if (f->table.changes >= BATCH && f->weir.c)
			fds[2].fd = -1;
		poll(fds, sizeof(fds) / sizeof(*fds), wait_ms(f));
		f->now = clock_now();
		if (fds[0].revents)
			return;
		if (fds[3].revents)
			hear_weir(f);
		if (fds[1].revents)
			welcome(f);
		if (f->peer >= 0)
			hear(f);
		sweep(f);
		reach_weir(f);
		tell_weir(f);
		if (f->now >= f->next_report) {
			report(f);
			f->next_report = f->now + f->every_s * SECOND_NS;
		}
	}
}

static int run(struct fpm *f)
{
	sigset_t set;
	struct err err;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	f->signals = signalfd(-1, &set, SFD_CLOEXEC);
	f->listener = fpm_listen(f->listen, &err);
	if (f->signals < 0 || f->listener < 0) {
		fprintf(stderr, "weir fpm: %s\n", f->listener < 0 ? err.text : "no signalfd");
		return f->listener == -EINVAL ? EXIT_USAGE : EXIT_JOB;
	}
	fprintf(stderr, "weir fpm: waiting for FRR on %s\n", f->listen);
	f->now = clock_now();
	f->next_report = f->now + f->every_s * SECOND_NS;
	loop(f);
	if (f->weir.c && !fpm_weir_flush(&f->weir, &f->table, &err))
		ctl_feed_flush(f->weir.c, true, &err);
	report(f);
	hang_up(f, "ended");
	return 0;
}

int cmd_fpm(const struct command *cmd, int argc, char **argv)
{
	struct fpm f = {
		.listen = "127.0.0.1:2620",
		.stale_s = 60,
		.every_s = 10,
		.listener = -1,
		.peer = -1,
		.signals = -1,
	};
	int rc = options(&f, cmd, argc, argv);

	if (rc)
		return rc < 0 ? 0 : rc;
	f.buf = xrealloc(NULL, 4 * FPM_FRAME_MAX);
	fpm_table_init(&f.table);
	f.table.table_known = fpm_weir_table_known;
	f.table.arg = &f.weir;
	rc = run(&f);
	fpm_weir_free(&f.weir);
	fpm_table_free(&f.table);
	free(f.buf);
	if (f.listener >= 0)
		close(f.listener);
	if (f.signals >= 0)
		close(f.signals);
	return rc;
}
