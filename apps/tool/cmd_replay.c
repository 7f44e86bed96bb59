// SPDX-License-Identifier: BSD-3-Clause
// cmd_replay.c - weir replay: captures, or a configuration of function replay, played in this process
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/app.h"
#include "apps/replay/replay.h"
#include "apps/tool/figures.h"
#include "apps/tool/home.h"
#include "apps/tool/replay_args.h"
#include "apps/tool/replay_load.h"
#include "apps/tool/replay_report.h"
#include "apps/tool/replay_stream.h"
#include "apps/tool/tool.h"
#include "apps/tool/util.h"
#include "core/linux/plat_linux.h"
#include "core/plat.h"

#define PRELOAD_MAX ((off_t)256 << 20) // bytes of captures that are read before, unless told otherwise
#define MBUF_BYTES  2688u	       // of the pool, with the longest prefix and its share of the ring
#define ARENA_MORE  ((size_t)16 << 20)

struct replay_run {
	struct config c;
	struct replay_args args;
	struct replay_tally tally;
	struct replay_stream *stream;
	bool json, preload, streamed;
	unsigned memory, cpu;
	uint64_t duration_ns;
	bool pinned;
};

static struct app app;
static struct replay_run run_state;
static bool progress_shown;

static void on_signal(int sig)
{
	app_end(&app);
}

enum { OPT_WORD = 256, OPT_CHANGE, OPT_PLAIN };

struct replay_option {
	const char *name, *key;
	int kind;
};

static const struct replay_option options_list[] = {
	{"speed", "speed", OPT_WORD},	      {"loops", "loops", OPT_WORD},
	{"loop-gap", "loop_gap", OPT_WORD},   {"unique", "unique", OPT_WORD},
	{"start", "start", OPT_WORD},	      {"max-gap", "max_gap", OPT_WORD},
	{"truncate", "truncate", OPT_WORD},   {"pad", "pad", OPT_WORD},
	{"snapped", "snapped", OPT_WORD},     {"src-mac", "src_mac", OPT_CHANGE},
	{"dst-mac", "dst_mac", OPT_CHANGE},   {"vlan", "vlan", OPT_CHANGE},
	{"ttl", "ttl", OPT_CHANGE},	      {"map", "addresses", OPT_CHANGE},
	{"map-port", "ports", OPT_CHANGE},    {"port", "a port", OPT_PLAIN},
	{"split", "a split", OPT_PLAIN},      {"cpu", "a CPU's number", OPT_PLAIN},
	{"memory", "16 to 65536 MiB", OPT_PLAIN}, {"duration", "a time like 10s or 500ms", OPT_PLAIN},
};
#define OPTIONS (sizeof(options_list) / sizeof(*options_list))
static const char *const switches[] = {"help", "json", "preload", "stream", "fix"};
#define SWITCHES (sizeof(switches) / sizeof(*switches))

static bool plain_option(struct replay_run *r, const char *name, const char *value)
{
	struct replay_args *a = &r->args;

	if (!strcmp(name, "port")) {
		if (a->ports == REPLAY_ARGS_MAX)
			return false;
		a->port[a->ports++] = value;
		return true;
	}
	if (!strcmp(name, "split")) {
		a->split = value;
		return true;
	}
	if (!strcmp(name, "cpu"))
		return r->pinned = text_number(value, 0, CPU_SETSIZE - 1, &r->cpu);
	if (!strcmp(name, "memory"))
		return text_number(value, 16, 1u << 16, &r->memory);
	return text_ns(value, &r->duration_ns) && r->duration_ns;
}

static bool take_option(struct replay_run *r, const struct replay_option *o, const char *value)
{
	struct replay_args *a = &r->args;

	if (o->kind == OPT_PLAIN)
		return plain_option(r, o->name, value);
	if (o->kind == OPT_WORD && a->words < REPLAY_ARGS_MAX - 2)
		a->word[a->words++] = (struct replay_word){o->key, value};
	else if (o->kind == OPT_CHANGE && a->changes < REPLAY_ARGS_MAX)
		a->change[a->changes++] = (struct replay_word){o->key, value};
	else
		return false;
	return true;
}

static void take_switch(struct replay_run *r, const char *name)
{
	r->json |= !strcmp(name, "json");
	r->preload |= !strcmp(name, "preload");
	r->streamed |= !strcmp(name, "stream");
	if (!strcmp(name, "fix"))
		r->args.word[r->args.words++] = (struct replay_word){"checksums", "fix"};
}

static int options(struct replay_run *r, const struct command *cmd, int argc, char **argv)
{
	struct option list[OPTIONS + SWITCHES + 1] = {0};
	int opt;

	for (unsigned i = 0; i < OPTIONS; i++)
		list[i] = (struct option){options_list[i].name, required_argument, 0, OPT_WORD + (int)i};
	for (unsigned i = 0; i < SWITCHES; i++)
		list[OPTIONS + i] = (struct option){switches[i], no_argument, 0, i ? (int)i : 'h'};
	while ((opt = getopt_long(argc, argv, ":h", list, NULL)) != -1) {
		if (opt >= OPT_WORD) {
			const struct replay_option *o = &options_list[opt - OPT_WORD];

			if (!take_option(r, o, optarg))
				return usage_error(cmd, "--%s %s: expected %s", o->name, optarg, o->key);
		} else if (opt > 0 && opt < (int)SWITCHES) {
			take_switch(r, switches[opt]);
		} else {
			return usage_option(cmd, argc, argv, opt) ? EXIT_USAGE : -1;
		}
	}
	for (; optind < argc; optind++) {
		if (r->args.files == REPLAY_ARGS_MAX)
			return usage_error(cmd, "expected no more than %u captures", REPLAY_ARGS_MAX);
		r->args.file[r->args.files++] = argv[optind];
	}
	if (!r->args.files)
		return usage_error(cmd, "expected a capture, or a configuration");
	if (r->preload && r->streamed)
		return usage_error(cmd, "--preload and --stream: expected one of them");
	return 0;
}

static bool is_yaml(const char *name)
{
	size_t n = strlen(name);

	return (n > 5 && !strcmp(name + n - 5, ".yaml")) || (n > 4 && !strcmp(name + n - 4, ".yml"));
}

// Whether all captures are files, and small enough to be read before.
static bool fits_memory(const struct replay_args *a)
{
	off_t sum = 0;

	for (unsigned i = 0; i < a->files; i++) {
		struct stat st;

		if (stat(a->file[i], &st) || !S_ISREG(st.st_mode))
			return !S_ISFIFO(st.st_mode) && errno == ENOENT;
		sum += st.st_size;
	}
	return sum <= PRELOAD_MAX;
}

static bool parse(struct replay_run *r)
{
	struct replay_args *a = &r->args;
	struct diags diags = {0};
	struct err err;
	size_t len;
	char *text;
	bool ok;

	if (r->streamed || (!r->preload && !fits_memory(a)))
		a->word[a->words++] = (struct replay_word){"mode", "stream"};
	text = replay_args_yaml(a, &len, &err);
	if (!text) {
		fprintf(stderr, "weir replay: %s\n", err.text);
		return false;
	}
	ok = config_parse(&r->c, "command line", text, len, true, &diags);
	diag_print(&diags, stderr);
	diag_free(&diags);
	free(text);
	if (!ok)
		config_free(&r->c);
	return ok;
}

static int set_devices(struct replay_run *r, struct err *err)
{
	struct err why;

	for (unsigned i = 0; i < r->args.ports; i++) {
		char *arg = xstrdup(r->args.port[i]), *device;
		int port = split_port(&r->c, arg, &device, err), rc = port;

		if (port >= 0 && (rc = config_device(&r->c.ports[port], device, &why)))
			err_set(err, rc, "port %s: %s: %s", arg, device, why.text);
		free(arg);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static bool load(struct replay_run *r, const struct command *cmd)
{
	struct err err;

	if (r->args.files > 1 || !is_yaml(r->args.file[0]))
		return parse(r);
	if (!load_config(&r->c, r->args.file[0]))
		return false;
	if (strcmp(r->c.function, "replay")) {
		fprintf(stderr, "weir replay: %s: is of function %s: expected replay (weir run runs it; weir replay "
				"with --in and --golden compares)\n",
			r->args.file[0], r->c.function);
	} else if (r->args.words || r->args.changes || r->args.split || r->preload || r->streamed) {
		fprintf(stderr, "weir replay: %s says how it is played: expected no option for that\n",
			r->args.file[0]);
	} else if (set_devices(r, &err)) {
		fprintf(stderr, "weir replay: %s\n", err.text);
	} else {
		return true;
	}
	config_free(&r->c);
	return false;
}

// One packet a line of input, or as many as it says; the end of input ends all.
static void read_steps(struct app *a)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	char text[256], *line = text, *end;
	ssize_t n;

	if (poll(&in, 1, 0) != 1)
		return;
	n = read(STDIN_FILENO, text, sizeof(text) - 1);
	if (n <= 0) {
		app_end(a);
		return;
	}
	text[n] = 0;
	for (; (end = strchr(line, '\n')); line = end + 1) {
		unsigned steps = 1;

		*end = 0;
		if (*line == 'q')
			app_end(a);
		else if (!*line || text_number(line, 1, 1000000, &steps))
			replay_step(a, steps);
	}
}

static void show_progress(const struct replay_count *c, uint64_t seconds)
{
	bool tty = isatty(STDERR_FILENO);

	fprintf(stderr, "%sweir replay: %" PRIu64 " s, %" PRIu64 " packets sent, loop %" PRIu64 "%s", tty ? "\r" : "",
		seconds, c->packets, c->loops + 1, tty ? "\033[K" : "\n");
	progress_shown = tty;
}

static int tick(struct app *a)
{
	static uint64_t next = 2;
	struct replay_count c;
	uint64_t seconds;

	if (a->blob.plays->speed == BLOB_SPEED_STEP)
		read_steps(a);
	replay_count(a, &c);
	seconds = c.ns / NSEC_PER_SEC;
	if (run_state.duration_ns && c.ns >= run_state.duration_ns)
		return 1;
	if (seconds < next || a->blob.plays->speed == BLOB_SPEED_STEP)
		return 0;
	next = seconds + (isatty(STDERR_FILENO) ? 1 : 10);
	show_progress(&c, seconds);
	return 0;
}

static int finish(struct replay_run *r)
{
	struct err err;
	bool balanced;
	int rc = 0;

	if (r->stream)
		replay_stream_stop(r->stream, &r->tally);
	balanced = replay_report(&app, &r->tally, r->json);
	if (!balanced) {
		fprintf(stderr, "weir replay: the books do not balance\n");
		rc = EXIT_JOB;
	}
	if (app_stop(&app, &err)) {
		fprintf(stderr, "weir replay: %s\n", err.text);
		rc = EXIT_JOB;
	}
	if (r->stream && replay_stream_end(r->stream, &err)) {
		fprintf(stderr, "weir replay: %s; what was read before was sent\n", err.text);
		rc = EXIT_JOB;
	}
	if (r->stream)
		replay_tell("weir replay", &r->tally);
	return rc;
}

static size_t arena_bytes(const struct replay_run *r, const void *blob, size_t len)
{
	size_t mbufs = r->c.params.mbufs ? r->c.params.mbufs : APP_MBUFS(r->c.n_ports, 1);
	struct blob b;

	if (r->memory)
		return (size_t)r->memory << 20;
	return (blob_open(&b, blob, len, NULL) ? 0 : replay_memory(&b)) + mbufs * MBUF_BYTES + ARENA_MORE;
}

// A capture can hold what no link carries. Captured frames ask nothing of a device, so none of its offloads is asked
// for: a packet port then goes around the qdisc.
static void adapt_ports(struct config *c)
{
	for (size_t i = 0; i < c->n_ports; i++) {
		struct blob_port *p = &c->ports[i].blob;

		if (!strcmp(c->ports[i].driver, "pcap") && !p->mtu)
			p->mtu = UINT16_MAX;
		if (!(p->flags & BLOB_PORT_OFFLOADS))
			p->offloads = 0;
		p->flags |= BLOB_PORT_OFFLOADS;
	}
}

static int play(struct replay_run *r)
{
	struct sigaction act = {.sa_handler = on_signal};
	struct app_conf conf = {.clock = CLOCK_REAL};
	struct err err;
	void *blob;
	int rc;

	adapt_ports(&r->c);
	conf.blob = blob = config_blob(&r->c, &conf.blob_len);
	rc = plat_linux_init(arena_bytes(r, blob, conf.blob_len));
	if (rc)
		fprintf(stderr, "weir replay: packet memory: %s: give less by --memory, or --stream\n", strerror(-rc));
	else if ((rc = app_start(&app, &conf, &err)))
		fprintf(stderr, "weir replay: %s\n", err.text);
	if (!rc) {
		sigaction(SIGINT, &act, NULL);
		sigaction(SIGTERM, &act, NULL);
		for (unsigned i = 0; i < app.ports; i++)
			fprintf(stderr, "weir replay: port %s: %s\n", app.port[i].name, app.port[i].grant.text);
		app.tick = tick;
		app_run(&app);
		if (progress_shown)
			fputc('\n', stderr);
		rc = finish(r);
	} else if (r->stream) {
		replay_stream_end(r->stream, &err);
	}
	free(blob);
	return rc < 0 ? EXIT_JOB : rc;
}

// Reads the captures, or opens them; a capture that breaks off is played as far as it goes.
static int prepare(struct replay_run *r, int *broken, struct err *err)
{
	int rc;

	*broken = 0;
	if (r->c.replay.stream) {
		r->stream = replay_stream_new(&r->c, r->pinned ? (int)r->cpu : -1, err);
		return r->stream ? 0 : -EINVAL;
	}
	rc = replay_load(&r->c, &r->tally, err);
	if (rc != -EIO)
		return rc;
	fprintf(stderr, "weir replay: %s\n", err->text);
	*broken = EXIT_JOB;
	return 0;
}

int cmd_replay(const struct command *cmd, int argc, char **argv)
{
	struct replay_run *r = &run_state;
	struct err err;
	int rc, broken;

	if (verdict_wanted(argc, argv))
		return cmd_verdict(cmd, argc, argv);
	rc = options(r, cmd, argc, argv);
	if (rc)
		return rc < 0 ? 0 : rc;
	if (!load(r, cmd))
		return EXIT_USAGE;
	if ((r->pinned && home_cpu(r->cpu, &err)) || prepare(r, &broken, &err)) {
		fprintf(stderr, "weir replay: %s\n", err.text);
		config_free(&r->c);
		return EXIT_USAGE;
	}
	if (!r->stream)
		replay_tell("weir replay", &r->tally);
	rc = play(r);
	config_free(&r->c);
	return rc ? rc : broken;
}
