// SPDX-License-Identifier: BSD-3-Clause
// cmd_verdict.c - weir replay FILE --in … --golden …: a function on captures, and a verdict on each packet
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/app.h"
#include "apps/tool/figures.h"
#include "apps/tool/tool.h"
#include "apps/tool/util.h"
#include "apps/tool/verdict_match.h"
#include "core/linux/plat_linux.h"
#include "core/plat.h"

#define LINES	 50u

static const char usage[] =
	"weir replay FILE --in PORT=CAPTURE... [--golden PORT=CAPTURE]... [OPTIONS]\n"
	"  --in PORT=CAPTURE      what PORT receives, each packet at its time\n"
	"  --golden PORT=CAPTURE  what PORT shall send; compared packet by packet\n"
	"  --out FILE.pcapng      write what was sent and what is missing, with a comment a packet: the\n"
	"                         verdict, its cause, its way, the reason it was dropped\n"
	"  --ignore LIST          fields that may differ: ip.id,eth,vlan.id#2; order: the order, too\n"
	"  --fields               print the names of all fields, and end\n"
	"  --time-tolerance TIME  compare times, too: 0, 10us, 1.5ms, 2s may lie between\n"
	"  --accept               make what was sent the goldens\n"
	"  --lines N              print so many differences at most (50; 0: all)\n"
	"  --memory MIB           packet memory (default 256)\n"
	"  --json                 print the verdict as JSON\n"
	"  Time is that of the captures; the devices of FILE are not touched. Of a capture of several\n"
	"  interfaces, the one called PORT counts. Exit 0: as expected; 1: not; 2: usage or FILE is wrong.\n";

static struct verdict_run run;
static struct app app;
static unsigned memory = 256;

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = 1;
	app_end(&app);
}

bool verdict_wanted(int argc, char **argv)
{
	static const char *const words[] = {"--in", "--golden", "--accept", "--fields"};

	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		for (unsigned k = 0; k < sizeof(words) / sizeof(*words); k++) {
			size_t n = strlen(words[k]);

			if (!strncmp(argv[i], words[k], n) && (!argv[i][n] || argv[i][n] == '='))
				return true;
		}
	return false;
}

// --- the command line ---

struct given { // PORT=CAPTURE, as said
	char *text[2 * BLOB_PORTS_MAX];
	unsigned n;
};
static struct given ins, goldens;

static bool give(struct given *g, char *text)
{
	if (g->n == sizeof(g->text) / sizeof(*g->text))
		return false;
	g->text[g->n++] = text;
	return true;
}

static bool ignore(char *list)
{
	for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		if (!strcmp(name, "order"))
			run.ignore_order = true;
		else if (!vignore_add(&run.ignore, name))
			return false;
	}
	return true;
}

static int options(const struct command *cmd, int argc, char **argv, const char **file)
{
	static const struct option list[] = {
		{"help", no_argument, 0, 'h'},	      {"in", required_argument, 0, 'i'},
		{"golden", required_argument, 0, 'g'}, {"out", required_argument, 0, 'o'},
		{"ignore", required_argument, 0, 'x'}, {"time-tolerance", required_argument, 0, 't'},
		{"accept", no_argument, 0, 'a'},	      {"lines", required_argument, 0, 'n'},
		{"memory", required_argument, 0, 'M'}, {"json", no_argument, 0, 'j'},
		{"fields", no_argument, 0, 'f'},      {0},
	};
	static const char *const expected[] = {
		['i'] = "no more than 128 of them", ['g'] = "no more than 128 of them",
		['o'] = "a file",
		['x'] = "fields as eth.src, ip.ttl#2, or layers as eth (--fields prints them)",
		['t'] = "a time as 0, 10us, 1.5ms, 2s",
		['n'] = "0 to 1000000000", ['M'] = "16 to 65536 MiB",
	};
	unsigned lines = LINES;
	int opt, which = 0;

	for (int i = 1; i < argc; i++) // also where getopt takes it for the value of --in
		if (!strcmp(argv[i], "--help"))
			return usage_option(cmd, argc, argv, 'h') ? EXIT_USAGE : -1;
	while ((opt = getopt_long(argc, argv, ":h", list, &which)) != -1) {
		bool good = true;

		switch (opt) {
		case 'i': good = give(&ins, optarg); break;
		case 'g': good = give(&goldens, optarg); break;
		case 'o': run.out = optarg; break;
		case 'x': good = ignore(optarg); break;
		case 't': good = run.timed = text_ns(optarg, &run.tolerance); break;
		case 'a': run.accept = true; break;
		case 'n': good = text_number(optarg, 0, 1000000000, &lines); break;
		case 'M': good = text_number(optarg, 16, 1u << 16, &memory); break;
		case 'j': run.json = true; break;
		case 'f':
			for (unsigned id = 0; id < VF_IDS; id++)
				puts(vfield_name(id));
			return -1;
		default: return usage_option(cmd, argc, argv, opt) ? EXIT_USAGE : -1;
		}
		if (!good)
			return usage_error(cmd, "--%s %s: expected %s", list[which].name, optarg,
					   expected[opt]);
	}
	run.lines = lines;
	if (optind + 1 != argc)
		return usage_error(cmd, "expected one FILE");
	if (!ins.n)
		return usage_error(cmd, "expected --in PORT=CAPTURE");
	if (run.accept && !goldens.n)
		return usage_error(cmd, "--accept: expected --golden PORT=CAPTURE, where to");
	*file = argv[optind];
	return 0;
}

// --- before the run ---

static int set_ports(const struct config *c, struct given *g, bool golden, struct err *err)
{
	for (unsigned i = 0; i < g->n; i++) {
		char *path;
		int port = split_port(c, g->text[i], &path, err);
		const char **to;

		if (port < 0)
			return port;
		to = golden ? &run.port[port].golden : &run.port[port].in;
		if (*to)
			return err_set(err, -EINVAL, "--%s %s: is there twice: expected it once",
				       golden ? "golden" : "in", g->text[i]);
		*to = path;
	}
	return 0;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return a && b && !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

// What is written must not be what is played, nor a golden that nobody wanted changed.
static int check_files(struct err *err)
{
	for (unsigned i = 0; i < run.ports; i++)
		for (unsigned k = 0; k < run.ports; k++) {
			const struct vport *p = &run.port[i], *q = &run.port[k];

			if (same_file(run.out, p->in) || same_file(run.out, p->golden))
				return err_set(err, -EINVAL, "--out %s: is read, too: expected another file",
					       run.out);
			if (run.accept && (same_file(p->golden, q->in) ||
					   (i != k && p->golden && q->golden &&
					    (!strcmp(p->golden, q->golden) || same_file(p->golden, q->golden)))))
				return err_set(err, -EINVAL,
					       "--golden %s=%s: --accept would overwrite a capture that is "
					       "used otherwise, too: expected a file of its own",
					       p->name, p->golden);
		}
	return 0;
}

static bool is_pcapng(const char *path)
{
	size_t n = strlen(path);

	return n > 7 && !strcmp(path + n - 7, ".pcapng");
}

static int prepare(struct config *c, struct err *err)
{
	int rc;

	run.ports = (unsigned)c->n_ports;
	for (unsigned i = 0; i < run.ports; i++)
		run.port[i].name = c->ports[i].name;
	rc = set_ports(c, &ins, false, err);
	if (!rc)
		rc = set_ports(c, &goldens, true, err);
	if (!rc)
		rc = check_files(err);
	if (!rc && run.out && !is_pcapng(run.out))
		rc = err_set(err, -EINVAL, "--out %s: expected a name that ends in .pcapng", run.out);
	for (unsigned i = 0; !rc && i < run.ports; i++) {
		struct vport *p = &run.port[i];

		p->fresh = p->golden && run.accept && access(p->golden, F_OK);
		if (p->golden && !p->fresh)
			rc = verdict_read_golden(&run, p, err);
	}
	// One lcore moves the clock; packet by packet, so that each can be followed.
	c->params.lcores = 1;
	c->params.burst = 1;
	for (unsigned i = 0; i < run.ports; i++)
		c->ports[i].blob.queues = 0;
	return rc;
}

// --- the run ---

// Capture time from the first packet on.
static void note_first(void)
{
	run.first = UINT64_MAX;
	for (unsigned i = 0; i < run.ports; i++) {
		const struct vport *p = &run.port[i];

		if (p->reading && p->reader.data && p->reader.time < run.first)
			run.first = p->reader.time;
	}
	if (run.first == UINT64_MAX)
		run.first = 0;
	run.last = run.first;
}

static int play(struct err *err)
{
	uint64_t tsc = tsc_read();
	struct figures f = {0};
	bool balanced;
	int rc;

	if (app.lcore[0].owns)
		return err_set(err, -EINVAL, "function %s makes packets of its own time: a capture's clock "
			       "is for functions that receive", app.function->name);
	run.trace = vtrace_create(app.pool, &app.lcore[0].loop.clock);
	vtrace_watch(run.trace, app.lcore[0].graph);
	note_first();
	app_run(&app);
	run.elapsed_ns = clock_tsc_to_ns(&app.lcore[0].loop.clock, tsc_read() - tsc);
	run.jumps = app.lcore[0].loop.jumps;
	app_stats(&app, figures_add, &f);
	balanced = figures_balanced(&f);
	figures_free(&f);
	rc = app_capture_error(&app, err);
	if (interrupted)
		rc = err_set(err, -EINTR, "interrupted: nothing was compared");
	if (!balanced)
		rc = err_set(err, -ENOTRECOVERABLE, "the books do not balance: a defect of this program");
	return rc;
}

// 0, or -errno; then it may have run nevertheless, but not as it should.
static int perform(const struct config *c, struct err *err)
{
	struct app_conf conf = {.clock = CLOCK_CAPTURE, .pmd = verdict_pmd(&run)};
	struct sigaction act = {.sa_handler = on_signal};
	void *blob = config_blob(c, &conf.blob_len);
	struct err last;
	int rc = plat_linux_init((size_t)memory << 20);

	conf.blob = blob;
	plat_linux_entropy(CAPTURE_SEED);
	if (rc)
		err_set(err, rc, "%u MiB of packet memory: %s: give less by --memory", memory, strerror(-rc));
	else
		rc = app_start(&app, &conf, err);
	if (!rc) {
		sigaction(SIGINT, &act, NULL);
		sigaction(SIGTERM, &act, NULL);
		rc = play(err);
		if (app_stop(&app, &last) && !rc)
			rc = err_set(err, -EIO, "%s", last.text);
	}
	free(blob);
	return rc;
}

// --- after it ---

static void compare(void)
{
	for (unsigned i = 0; i < run.ports; i++) {
		struct vport *p = &run.port[i];

		vpackets_done(&p->sent);
		if (!p->golden || p->fresh)
			continue;
		verdict_match(&p->sent, &p->want, &run);
		verdict_explain(run.trace, &p->sent, &p->want);
		for (size_t k = 0; k < p->sent.n; k++)
			p->count[p->sent.list[k].verdict]++;
		for (size_t k = 0; k < p->want.n; k++)
			p->count[V_MISSING] += p->want.list[k].verdict == V_MISSING;
	}
}

// complete: all captures were played to their end.
static int finish(bool complete, struct err *err)
{
	int rc = 0;

	compare();
	if (run.json)
		verdict_print_json(&run, stdout);
	else
		verdict_print(&run, stdout);
	if (run.out)
		rc = verdict_write_out(&run, err);
	if (!rc && run.accept && complete)
		rc = verdict_accept(&run, err);
	for (unsigned i = 0; !rc && run.accept && complete && i < run.ports; i++)
		if (run.port[i].golden)
			fprintf(stderr, "weir replay: %s: has now the %zu packets that %s sent\n",
				run.port[i].golden, run.port[i].sent.n, run.port[i].name);
	if (rc)
		return rc;
	return run.accept || verdict_good(&run) ? 0 : EXIT_JOB;
}

static void free_all(void)
{
	for (unsigned i = 0; i < run.ports; i++) {
		vpackets_free(&run.port[i].sent);
		vpackets_free(&run.port[i].want);
	}
	vtrace_free(run.trace);
}

int cmd_verdict(const struct command *cmd, int argc, char **argv)
{
	const struct command own = {cmd->name, "run a function on captures; compare what it sends", usage,
				    cmd_verdict};
	const char *file = NULL;
	struct config c;
	struct err err;
	int rc = options(&own, argc, argv, &file), failed;

	if (rc)
		return rc < 0 ? 0 : rc;
	if (!load_config(&c, file))
		return EXIT_USAGE;
	if (prepare(&c, &err)) {
		fprintf(stderr, "weir replay: %s\n", err.text);
		rc = EXIT_USAGE;
	} else {
		failed = perform(&c, &err);
		if (failed)
			fprintf(stderr, "weir replay: %s\n", err.text);
		// A capture that is broken somewhere counts up to there.
		if (run.trace && !interrupted)
			rc = finish(!failed, &err);
		if (rc < 0)
			fprintf(stderr, "weir replay: %s\n", err.text);
		if (failed || rc < 0)
			rc = EXIT_JOB;
	}
	free_all();
	config_free(&c);
	return rc;
}
