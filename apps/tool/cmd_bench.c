// SPDX-License-Identifier: BSD-3-Clause
// cmd_bench.c - weir bench: benchmarks by the book, against whatever is behind the ports
//
// The main thread runs the app, that is lcore 0; a thread of its own orders trials, waits for them asleep, and
// decides what comes next.
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apps/pktgen/pktgen.h"
#include "apps/tool/bench_host.h"
#include "apps/tool/bench_print.h"
#include "apps/tool/bench_rig.h"
#include "apps/tool/bench_words.h"
#include "apps/tool/home.h"
#include "apps/tool/report.h"
#include "apps/tool/util.h"
#include "core/linux/plat_linux.h"
#include "core/plat.h"

#define LINGER_NS (365 * 86400 * NSEC_PER_SEC) // a port that plays a capture ends nothing

struct work {
	struct bench_words w;
	struct config c;
	struct rig rig;
	struct bench_run run;
	struct timespec began;
	struct err err;
	int rc;
};

static struct app app;
static struct work work;

static void on_signal(int sig)
{
	if (atomic_exchange(&work.rig.stop, true))
		app_end(&app);
}

// --- progress ---

static void say(void *arg, const char *text)
{
	struct timespec now;
	unsigned seconds;

	clock_gettime(CLOCK_MONOTONIC, &now);
	seconds = (unsigned)(now.tv_sec - work.began.tv_sec);
	fprintf(stderr, "weir bench: %02u:%02u:%02u  %s\n", seconds / 3600, seconds / 60 % 60, seconds % 60, text);
}

static void say_plan(const struct bench_plan *p)
{
	double s = bench_plan_seconds(p);

	fprintf(stderr, "weir bench: profile %s: ", p->profile);
	for (unsigned k = 0, n = 0; k < BENCH_KINDS; k++)
		if (p->kinds & 1u << k)
			fprintf(stderr, "%s%s", n++ ? ", " : "", bench_kinds[k]);
	fprintf(stderr, "; %u frame sizes; ", p->sizes);
	if (s < 120)
		fprintf(stderr, "about %.0f s\n", s);
	else if (s < 7200)
		fprintf(stderr, "about %.0f minutes\n", s / 60);
	else
		fprintf(stderr, "about %.1f hours\n", s / 3600);
}

// --- the results' head ---

static json_t *ports_json(void)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < app.ports; i++) {
		const struct config_port *p = &work.c.ports[i];
		uint64_t line = pktgen_line_bps(&app, i);
		json_t *o = json_object();

		json_object_set_new(o, "name", json_string(p->name));
		json_object_set_new(o, "device", json_sprintf("%s:%s", p->driver, p->args));
		json_object_set_new(o, "grant", json_string(app.port[i].grant.text));
		json_object_set_new(o, "line_bps", line ? json_integer((json_int_t)line) : json_null());
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *streams_json(void)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < work.rig.streams; i++) {
		const struct blob_stream *s = &app.blob.streams[i * work.rig.copies];
		const char *name = blob_str(&app.blob, s->name), *at = strrchr(name, '@');
		json_t *o = json_object();

		json_object_set_new(o, "name", json_stringn(name, at ? (size_t)(at - name) : strlen(name)));
		json_object_set_new(o, "port", json_string(app.port[s->port].name));
		json_object_set_new(o, "share", json_real(work.rig.weight[i]));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *plan_json(const struct bench_plan *p)
{
	json_t *o = json_object();

	bench_set(o, "trial_duration_s", p->duration_s);
	bench_set(o, "settle_s", p->settle_s);
	bench_set(o, "pause_s", p->pause_s);
	bench_set(o, "latency_duration_s", p->latency_s);
	bench_set(o, "resolution", p->resolution);
	bench_set(o, "interference_limit", p->limits.interference);
	bench_set(o, "pace_limit", p->limits.pace);
	bench_set(o, "tries", p->tries);
	if (p->method == BENCH_TST009) {
		bench_set(o, "tst009_r", p->r);
		if (p->z != UINT64_MAX)
			bench_set(o, "tst009_z", (double)p->z);
	}
	return o;
}

static json_t *head(int argc, char **argv)
{
	json_t *root = json_object(), *command = json_array(), *device = json_object();
	char created[32];
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_array_append_new(command, json_string("weir"));
	for (int i = 0; i < argc; i++)
		json_array_append_new(command, json_string(argv[i]) ?: json_string("?"));
	json_object_set_new(root, "format", json_string("weir-bench"));
	json_object_set_new(root, "version", json_integer(1));
	json_object_set_new(root, "created", json_string(created));
	json_object_set_new(root, "weir", json_string(weir_version));
	json_object_set_new(root, "command", command);
	json_object_set_new(root, "profile", json_string(work.w.plan.profile));
	json_object_set_new(root, "plan", plan_json(&work.w.plan));
	json_object_set_new(root, "host", host_json(app.lcores));
	json_object_set_new(device, "name", work.w.name ? json_string(work.w.name) : json_null());
	json_object_set_new(device, "note", work.w.note ? json_string(work.w.note) : json_null());
	json_object_set_new(root, "device", device);
	json_object_set_new(root, "ports", ports_json());
	json_object_set_new(root, "streams", streams_json());
	return root;
}

// --- a run ---

static int set_devices(struct err *err)
{
	struct err why;

	for (unsigned i = 0; i < work.w.ports; i++) {
		char *device, *copy = xstrdup(work.w.port[i]);
		int port = split_port(&work.c, copy, &device, err), rc = port < 0 ? port : 0;

		if (!rc && config_device(&work.c.ports[port], device, &why))
			rc = err_set(err, -EINVAL, "--port %s: %s", work.w.port[i], why.text);
		free(copy);
		if (rc)
			return rc;
	}
	for (size_t i = 0; i < work.c.n_ports; i++)
		if (!strcmp(work.c.ports[i].driver, "virtio"))
			return err_set(err, -EINVAL, "port %s: virtio:%s is a device of images: expected --port %s=DEVICE",
				       work.c.ports[i].name, work.c.ports[i].args, work.c.ports[i].name);
	return 0;
}

static int configure(void)
{
	struct err err;
	int rc = 0;

	if (!load_config(&work.c, work.w.file[0]))
		return EXIT_USAGE;
	if (strcmp(work.c.function, "pktgen"))
		rc = err_set(&err, -EINVAL, "%s: function %s: expected pktgen", work.w.file[0], work.c.function);
	if (!rc)
		rc = set_devices(&err);
	if (!rc)
		rc = rig_streams(&work.rig, &work.c, &work.w.plan, &err);
	if (!rc)
		return 0;
	fprintf(stderr, "weir bench: %s\n", err.text);
	config_free(&work.c);
	return EXIT_USAGE;
}

static void *engine(void *arg)
{
	work.rc = bench_run(&work.run, &work.err);
	app_end(&app);
	return NULL;
}

// The engine must not run where lcore 0 does, if there is another place.
static void off_cpu(pthread_attr_t *attr, unsigned cpu)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) || CPU_COUNT(&set) < 2)
		return;
	CPU_CLR(cpu, &set);
	pthread_attr_setaffinity_np(attr, sizeof(set), &set);
}

static int run_engine(void)
{
	struct sigaction act = {.sa_handler = on_signal};
	pthread_attr_t attr;
	pthread_t thread;
	struct err err;
	int rc;

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	pthread_attr_init(&attr);
	if (work.w.pinned) {
		off_cpu(&attr, work.w.cpu);
		if (home_cpu(work.w.cpu, &err)) {
			fprintf(stderr, "weir bench: %s\n", err.text);
			return EXIT_JOB;
		}
	}
	rc = pthread_create(&thread, &attr, engine, NULL);
	if (rc) {
		fprintf(stderr, "weir bench: no thread for the engine: %s\n", strerror(rc));
		return EXIT_JOB;
	}
	app_run(&app);
	atomic_store(&work.rig.stop, true);
	return pthread_join(thread, NULL);
}

// Whether the results can be kept is known before hours of trials, not after.
static bool writable(void)
{
	json_object_set_new(work.run.book.root, "tests", json_array());
	if (!bench_book_write(&work.run.book))
		return true;
	fprintf(stderr, "weir bench: -o %s\n", work.run.book.err.text);
	return false;
}

static int report(void)
{
	const struct bench *b = &work.run.b;
	int rc = 0;

	if (work.rc) {
		fprintf(stderr, "weir bench: %s\n", work.err.text);
		rc = EXIT_JOB;
	}
	bench_book_write(&work.run.book);
	if (work.run.book.failed) {
		fprintf(stderr, "weir bench: %s\n", work.run.book.err.text);
		rc = EXIT_JOB;
	}
	if (work.w.json)
		json_dumpf(work.run.book.root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	else
		bench_print(work.run.book.root, stdout);
	fprintf(stderr, "weir bench: %llu trials, %llu of them invalid; %u tests incomplete%s%s\n",
		(unsigned long long)b->trials, (unsigned long long)b->invalid, work.run.incomplete,
		work.w.out && !work.run.book.failed ? "; results in " : "",
		work.w.out && !work.run.book.failed ? work.w.out : "");
	return rc ? rc : work.run.incomplete ? EXIT_JOB : 0;
}

static int run(int argc, char **argv)
{
	struct app_conf conf = {.clock = CLOCK_REAL, .linger_ns = LINGER_NS};
	void *blob = config_blob(&work.c, &conf.blob_len);
	struct err err;
	int rc;

	conf.blob = blob;
	rc = plat_linux_init((size_t)work.w.memory << 20);
	if (rc)
		err_set(&err, rc, "%u MiB of packet memory: %s: give less by --memory", work.w.memory, strerror(-rc));
	if (rc || app_start(&app, &conf, &err)) {
		fprintf(stderr, "weir bench: %s\n", err.text);
		free(blob);
		return EXIT_JOB;
	}
	pktgen_autostart(&app, false);
	for (unsigned i = 0; i < app.ports; i++)
		fprintf(stderr, "weir bench: port %s: %s\n", app.port[i].name, app.port[i].grant.text);
	rc = rig_start(&work.rig, &app, &err);
	if (rc)
		fprintf(stderr, "weir bench: %s\n", err.text);
	if (!rc) {
		work.run = (struct bench_run){.b = {.trial = rig_trial, .arg = &work.rig, .progress = say},
					      .rig = &rig_bench,
					      .plan = &work.w.plan,
					      .book = {.path = work.w.out, .root = head(argc, argv)}};
		work.rig.device = work.w.device_pid;
		clock_gettime(CLOCK_MONOTONIC, &work.began);
		rc = writable() && !run_engine() ? report() : EXIT_JOB;
		json_decref(work.run.book.root);
	}
	if (app_stop(&app, &err)) {
		fprintf(stderr, "weir bench: %s\n", err.text);
		rc = EXIT_JOB;
	}
	rig_free(&work.rig);
	free(blob);
	return rc < 0 ? EXIT_JOB : rc;
}

// --- comparison ---

static json_t *load_results(const char *path)
{
	json_error_t e;
	json_t *o = json_load_file(path, 0, &e);

	if (!o && e.line < 0) // could not be read at all
		fprintf(stderr, "weir bench: %s\n", e.text);
	else if (!o)
		fprintf(stderr, "weir bench: %s:%d:%d: %s: expected what weir bench -o wrote\n", path, e.line, e.column, e.text);
	return o;
}

static int print_comparison(const struct bench_change *c, size_t n, bool json)
{
	unsigned worse = 0, missing = 0;
	json_t *list;

	for (size_t i = 0; i < n; i++) {
		worse += c[i].verdict == BENCH_WORSE;
		missing += c[i].verdict == BENCH_MISSING;
	}
	if (json) {
		list = bench_changes_json(c, n);
		json_dumpf(list, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
		fputc('\n', stdout);
		json_decref(list);
	} else {
		bench_print_changes(c, n, stdout);
		printf("%u of %zu figures are worse by more than noise, %u are missing\n", worse, n, missing);
	}
	return worse || missing ? EXIT_JOB : 0;
}

static int compare(const struct bench_words *w)
{
	json_t *a = load_results(w->file[0]), *b = a ? load_results(w->file[1]) : NULL;
	struct bench_change *c;
	struct err err;
	int rc = EXIT_USAGE;
	size_t n;

	if (a && b) {
		c = bench_compare(a, b, &n, &err);
		if (c)
			rc = print_comparison(c, n, w->json);
		else
			fprintf(stderr, "weir bench: %s\n", err.text);
		free(c);
	}
	json_decref(a);
	json_decref(b);
	return rc;
}

static int page(const struct bench_words *w)
{
	struct err err;

	if (!report_file(w->file[0], w->out, &err))
		return 0;
	fprintf(stderr, "weir bench: %s\n", err.text);
	return EXIT_JOB;
}

int cmd_bench(const struct command *cmd, int argc, char **argv)
{
	int rc = bench_words(&work.w, cmd, argc, argv);

	if (rc)
		return rc < 0 ? 0 : rc;
	if (work.w.job == BENCH_JOB_COMPARE) {
		rc = compare(&work.w);
	} else if (work.w.job == BENCH_JOB_REPORT) {
		rc = page(&work.w);
	} else {
		rc = configure();
		if (!rc) {
			say_plan(&work.w.plan);
			rc = work.w.plan_only ? 0 : run(argc, argv);
			config_free(&work.c);
		}
	}
	free(work.w.plan.reset_command);
	return rc;
}
