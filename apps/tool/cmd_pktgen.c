// SPDX-License-Identifier: BSD-3-Clause
// cmd_pktgen.c - weir pktgen: generate traffic, measure what comes of it
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "apps/control.h"
#include "apps/tool/home.h"
#include "apps/tool/pktgen_run.h"
#include "apps/tool/util.h"
#include "core/linux/plat_linux.h"
#include "core/plat.h"

#define LEARN 256u // packets a stream, where there are next hops
#define LINGER_NS (365 * 86400 * NSEC_PER_SEC) // ports that record never come to an end of their own

static struct app app;
static struct observer observer;

// The first asks for the end and the report, the second ends it now.
static void on_signal(int sig)
{
	if (atomic_exchange(&observer.asked_to_stop, true))
		atomic_store(&observer.asked_twice, true);
}

static bool parse(struct pktgen_run *r, const char *text)
{
	struct diags diags = {0};
	bool ok = config_parse(&r->c, "command line", text, strlen(text), true, &diags);

	diag_print(&diags, stderr);
	diag_free(&diags);
	if (ok)
		return true;
	fprintf(stderr, "weir pktgen: --print shows the file that these options stand for\n");
	config_free(&r->c);
	return false;
}

// Other devices than the file's.
static int set_devices(struct pktgen_run *r, struct err *err)
{
	struct err why;

	for (unsigned i = 0; r->file && i < r->words.ports; i++) {
		char *copy = xstrdup(r->words.port[i]), *device;
		int port = split_port(&r->c, copy, &device, err);
		int rc = port < 0 ? port : config_device(&r->c.ports[port], device, &why);

		if (port >= 0 && rc)
			err_set(err, rc, "--port %s: %s", r->words.port[i], why.text);
		free(copy);
		if (rc)
			return rc;
	}
	for (size_t i = 0; i < r->c.n_ports; i++)
		if (!strcmp(r->c.ports[i].driver, "virtio"))
			return err_set(err, -EINVAL,
				       "port %s: virtio:%s is a device of images: expected --port %s=DEVICE, or weir "
				       "boot",
				       r->c.ports[i].name, r->c.ports[i].args, r->c.ports[i].name);
	return 0;
}

static int configure(struct pktgen_run *r)
{
	struct err err;
	char *text = NULL;
	bool ok;

	if (!r->file) {
		text = words_yaml(&r->words, &err);
		if (!text) {
			fprintf(stderr, "weir pktgen: %s\n", err.text);
			return EXIT_USAGE;
		}
		if (r->print) {
			fputs(text, stdout);
			free(text);
			return -1;
		}
	}
	ok = text ? parse(r, text) : load_config(&r->c, r->file);
	free(text);
	if (!ok)
		return EXIT_USAGE;
	if (strcmp(r->c.function, "pktgen"))
		err_set(&err, -EINVAL, "%s: function: %s: expected pktgen", r->file, r->c.function);
	else if (!set_devices(r, &err))
		return 0;
	fprintf(stderr, "weir pktgen: %s\n", err.text);
	config_free(&r->c);
	return EXIT_USAGE;
}

static uint32_t rows_watched(const struct pktgen_options *o)
{
	uint32_t n = app.blob.n_streams;

	return o->plain ? 0 : n < 64 ? n : 64;
}

static int fail(const char *text)
{
	fprintf(stderr, "weir pktgen: %s\n", text);
	return EXIT_JOB;
}

// What it came to.
static int judge(const struct pktgen_run *r, const struct sample *s)
{
	struct graph_books books;
	char a[TEXT_MAX], b[TEXT_MAX];
	struct err err;
	int rc = 0;

	if (pktgen_error(&app, &err))
		rc = fail(err.text);
	if (r->options.max_loss >= 0 && loss(&s->total) > r->options.max_loss) {
		fprintf(stderr, "weir pktgen: %s %% of the packets were lost: more than --max-loss %s %%\n",
			text_percent(a, loss(&s->total)), text_percent(b, r->options.max_loss));
		rc = EXIT_JOB;
	}
	if (!app_books(&app, &books))
		rc = fail("the books do not balance");
	return rc;
}

static int finish(const struct pktgen_run *r)
{
	struct sample *s = sample_create(app.blob.n_streams);
	struct err err;
	int rc;

	if (!s)
		die_no_memory();
	sample_take(s, &app, 0);
	if (r->options.json)
		json_final(&app, &r->options, s, stdout);
	else if (!pktgen_error(&app, NULL))
		report_print(&app, &r->options, s, stdout);
	rc = judge(r, s);
	sample_destroy(s);
	if (app_stop(&app, &err))
		rc = fail(err.text);
	return rc;
}

// The observer does not share the CPU that --cpu and lcores give to those who send.
static int start_observer(const struct pktgen_run *r, const cpu_set_t *cpus, pthread_t *thread)
{
	uint32_t rows = rows_watched(&r->options);
	pthread_attr_t attr;
	int rc;

	observer.app = &app;
	observer.options = &r->options;
	observer.now = sample_create(rows);
	observer.before = sample_create(rows);
	if (!observer.now || !observer.before)
		die_no_memory();
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(*cpus), cpus);
	rc = pthread_create(thread, &attr, pktgen_observe, &observer);
	pthread_attr_destroy(&attr);
	return rc ? fail(strerror(rc)) : 0;
}

static int run_app(const struct pktgen_run *r, const cpu_set_t *cpus)
{
	struct pktgen_order order = {
		.duration_ns = r->options.duration_ns,
		.count = r->options.count,
		.drain_ns = (uint64_t)(r->drain * 1e9),
		.resolve_ns = r->resolve_ns,
	};
	struct sigaction act = {.sa_handler = on_signal};
	pthread_t thread;
	struct err err;

	// Routers ask for who is behind them, too: the first packets to each would be lost.
	order.learn = r->has_learn ? r->learn : pktgen_hops(&app) ? LEARN : 0;
	pktgen_autostart(&app, false);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	intro_print(&app, &r->options, r->options.json ? stderr : stdout);
	pktgen_begin(&app, &order, &err);
	if (start_observer(r, cpus, &thread)) {
		app_stop(&app, NULL);
		return EXIT_JOB;
	}
	app_run(&app);
	atomic_store(&observer.asked_twice, true); // where an lcore ended by itself
	pthread_join(thread, NULL);
	control_destroy(app.control);
	return finish(r);
}

static int run(struct pktgen_run *r)
{
	struct app_conf conf = {.clock = CLOCK_REAL, .linger_ns = LINGER_NS};
	void *blob = config_blob(&r->c, &conf.blob_len);
	cpu_set_t cpus;
	struct err err;
	int rc;

	conf.blob = blob;
	sched_getaffinity(0, sizeof(cpus), &cpus);
	if (r->pinned && home_cpu(r->cpu, &err)) {
		rc = fail(err.text);
	} else if (plat_linux_init((size_t)r->memory << 20)) {
		rc = fail("no packet memory: give less by --memory");
	} else if (app_start(&app, &conf, &err)) {
		rc = fail(err.text);
	} else if (home_listen(&app, r->control, &err)) {
		rc = fail(err.text);
		app_stop(&app, NULL);
	} else {
		rc = run_app(r, &cpus);
	}
	free(blob);
	return rc;
}

int cmd_pktgen(const struct command *cmd, int argc, char **argv)
{
	struct pktgen_run r = {.options = {.interval_ns = NSEC_PER_SEC, .max_loss = -1}, .drain = 2, .memory = 256};
	int rc = pktgen_read_options(&r, cmd, argc, argv);

	if (!rc)
		rc = configure(&r);
	if (rc)
		return rc < 0 ? 0 : rc;
	rc = run(&r);
	config_free(&r.c);
	return rc;
}
