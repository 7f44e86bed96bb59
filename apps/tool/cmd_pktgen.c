// SPDX-License-Identifier: BSD-3-Clause
// cmd_pktgen.c - weir pktgen: generate traffic, measure what comes of it
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/control.h"
#include "apps/tool/pktgen.h"
#include "apps/tool/pktgen_words.h"
#include "apps/tool/tool.h"
#include "apps/tool/util.h"
#include "core/linux/plat_linux.h"
#include "core/linux/socket.h"
#include "core/plat.h"

#define LEARN 256u // packets a stream, where there are next hops
#define LINGER_NS (365 * 86400 * NSEC_PER_SEC) // ports that record never come to an end of their own

struct pktgen_run {
	struct pktgen_options options;
	struct words words;
	const char *file, *control;
	double drain;
	uint64_t learn, resolve_ns;
	bool has_learn;
	unsigned memory, cpu;
	bool pinned, print;
	struct config c;
};

static struct app app;
static struct observer observer;

// The first asks for the end and the report, the second ends it now.
static void on_signal(int sig)
{
	if (atomic_exchange(&observer.asked_to_stop, true))
		atomic_store(&observer.asked_twice, true);
}

// --- options ---

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

static int options(struct pktgen_run *r, const struct command *cmd, int argc, char **argv)
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

// --- the configuration ---

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

// --- the observer ---

static void interval_latency(struct observer *o, struct hdr_pool *pool)
{
	struct hdr h;

	hdr_init(&h, pool);
	hdr_add(&h, &o->now->latency);
	if (o->before)
		hdr_subtract(&h, &o->before->latency);
	spread_of(&o->latency, &h);
	hdr_reset(&h);
}

static void show(struct observer *o, bool view)
{
	if (o->options->json)
		json_interval(o, stdout);
	else if (view)
		view_draw(o);
	else
		lines_interval(o, stderr);
}

struct samples {
	struct sample *a, *b;
	struct hdr_pool *pool;
	uint64_t next_ns;
};

static void interval(struct observer *o, struct samples *s, bool view)
{
	uint64_t every = o->options->interval_ns, at = pktgen_elapsed_ns(o->app);

	if (at < s->next_ns)
		return;
	s->next_ns = at - at % every + every;
	sample_take(o->now, o->app, o->first);
	interval_latency(o, s->pool);
	show(o, view);
	o->before = o->now;
	o->now = o->now == s->a ? s->b : s->a;
}

// Until the trial is over, or the user has had enough.
static void watch(struct observer *o, struct samples *s, bool view)
{
	bool stopped = false, sending = false, sent = false;
	enum pktgen_phase phase;

	while ((phase = pktgen_phase(o->app)) != PKTGEN_DONE && !atomic_load(&o->asked_twice)) {
		if (phase == PKTGEN_SENDING && !sending) {
			sending = true;
			sample_noise_begin(o->app);
			if (!view)
				intro_hops(o->app, stderr);
		}
		if (sending && phase > PKTGEN_SENDING && !sent) {
			sent = true;
			sample_noise_end(o->app);
		}
		if (atomic_load(&o->asked_to_stop) && !stopped) {
			stopped = true;
			pktgen_stop(o->app);
		}
		interval(o, s, view);
		if (view)
			view_keys(o, 50);
		else
			usleep(20000);
	}
	if (sending && !sent)
		sample_noise_end(o->app);
}

static void *observe(void *arg)
{
	struct observer *o = arg;
	struct samples s = {.a = o->now, .b = o->before, .pool = hdr_pool_create(HDR_PARTS),
			    .next_ns = o->options->interval_ns};
	bool view = !o->options->json && !o->options->plain && view_open();

	o->before = NULL;
	if (view) {
		sample_take(o->now, o->app, 0);
		view_draw(o);
	}
	if (s.pool)
		watch(o, &s, view);
	view_close();
	hdr_pool_destroy(s.pool);
	sample_destroy(s.a);
	sample_destroy(s.b);
	app_end(o->app);
	return NULL;
}

// --- the run ---

static int stay_on_cpu(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0;
}

static int listen_at(const char *path, struct err *err)
{
	struct control *control = path ? control_create(&app, err) : NULL;
	struct stream_listener *l = control ? socket_listen(path, err) : NULL;

	if (!path)
		return 0;
	if (l)
		return control_listen(control, l);
	control_destroy(control);
	return -ENOMEM;
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
	rc = pthread_create(thread, &attr, observe, &observer);
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
	rc = r->pinned ? stay_on_cpu(r->cpu) : 0;
	if (rc) {
		fprintf(stderr, "weir pktgen: --cpu %u: %s: see `taskset -p $$` for those allowed\n", r->cpu,
			strerror(-rc));
		rc = EXIT_JOB;
	} else if (plat_linux_init((size_t)r->memory << 20)) {
		rc = fail("no packet memory: give less by --memory");
	} else if (app_start(&app, &conf, &err)) {
		rc = fail(err.text);
	} else if (listen_at(r->control, &err)) {
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
	int rc = options(&r, cmd, argc, argv);

	if (!rc)
		rc = configure(&r);
	if (rc)
		return rc < 0 ? 0 : rc;
	rc = run(&r);
	config_free(&r.c);
	return rc;
}
