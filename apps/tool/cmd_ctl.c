// SPDX-License-Identifier: BSD-3-Clause
// cmd_ctl.c - weir ctl: talk to a running Weir by its control channel
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/cmd_ctl.h"
#include "apps/tool/tool.h"
#include "apps/tool/util.h"

enum ctl_op ctl_op_of(const char *word)
{
	static const char *const words[] = {
		[CTL_ADD] = "add",
		[CTL_REPLACE] = "replace",
		[CTL_DEL] = "del",
		[CTL_FORGET] = "forget",
	};

	for (unsigned i = CTL_ADD; word && i <= CTL_FORGET; i++)
		if (!strcmp(word, words[i]))
			return (enum ctl_op)i;
	return 0;
}

void ctl_print_cost(const struct ctl_run *r, const char *what, const struct ctl_cost *cost)
{
	if (r->json) {
		printf("{\"command\": \"%s\", \"applied\": %u, \"refused\": %u, \"packets_lost\": %" PRIu64
		       ", \"packets_dropped\": %" PRIu64 ", \"packets_sent\": %" PRIu64
		       ", \"longest_turn_ns\": %" PRIu64 ", \"duration_ns\": %" PRIu64 "}\n",
		       what, cost->applied, cost->refused, cost->lost, cost->dropped, cost->sent, cost->turn_ns,
		       cost->duration_ns);
		return;
	}
	printf("%s: %u applied in %.1f ms; %" PRIu64 " packets lost, longest turn %.1f us\n", what,
	       cost->applied, (double)cost->duration_ns / 1e6, cost->lost, (double)cost->turn_ns / 1e3);
}

static int take_cost(const struct ctl_answer *a, struct ctl_cost *cost, struct err *err)
{
	if (a->len < sizeof(*cost))
		return err_set(err, -EPROTO, "an answer that is too short: the two are of different releases");
	memcpy(cost, a->payload, sizeof(*cost));
	return 0;
}

int ctl_begin(struct ctl_run *r, struct err *err)
{
	struct ctl_begin b = {.confirm_s = r->confirm_s};
	struct ctl_answer a;

	return ctl_call(r->c, CTL_BEGIN, &b, sizeof(b), &a, err);
}

// A request without words whose answer is a cost.
static int call_cost(struct ctl_run *r, uint16_t type, const char *what, struct err *err)
{
	struct ctl_answer a = {.at = CTL_AT_FRAME};
	struct ctl_cost cost;
	int rc;

	ctl_set_timeout(r->c, -1); // however many operations there are
	rc = ctl_call(r->c, type, NULL, 0, &a, err);
	r->at = rc ? a.at : CTL_AT_FRAME;
	if (!rc)
		rc = take_cost(&a, &cost, err);
	if (!rc)
		ctl_print_cost(r, what, &cost);
	return rc;
}

int ctl_commit(struct ctl_run *r, const char *what, struct err *err)
{
	int rc = call_cost(r, CTL_COMMIT, what, err);

	if (!rc && r->confirm_s)
		fprintf(stderr, "weir ctl: it is taken back in %u s unless you say: weir ctl %s confirm\n",
			r->confirm_s, r->endpoint);
	return rc;
}

int ctl_put_route(struct ctl_run *r, enum ctl_op op, struct words *w, struct err *err)
{
	struct text_route route;
	int rc = text_route(r->c, w, op, &route, err);

	return rc ? rc : ctl_feed_route(r->c, &route.route, route.path, err);
}

int ctl_put_neighbor(struct ctl_run *r, enum ctl_op op, struct words *w, struct err *err)
{
	struct ctl_neighbor n;
	int rc = text_neighbor(r->c, w, op, &n, err);

	return rc ? rc : ctl_feed_neighbor(r->c, &n, err);
}

// One operation of the command line: a transaction of its own.
static int change(struct ctl_run *r, struct words *w, enum ctl_op op, bool route, struct err *err)
{
	struct ctl_hello const *h = ctl_hello(r->c);
	int rc;

	if (h->txn == CTL_TXN_OPEN || h->txn == CTL_TXN_BUSY)
		fprintf(stderr, "weir ctl: another client has a transaction open: this waits for it\n");
	ctl_feed_begin(r->c, false, NULL, NULL);
	rc = route ? ctl_put_route(r, op, w, err) : ctl_put_neighbor(r, op, w, err);
	if (rc)
		return rc;
	r->applied_late = true;
	rc = ctl_begin(r, err);
	if (!rc)
		rc = ctl_feed_flush(r->c, true, err);
	return rc ? rc : ctl_commit(r, route ? "route" : "neighbor", err);
}

static int wrong_word(struct err *err, const char *word, const char *expected)
{
	return word ? err_set(err, -EINVAL, "%s: expected %s", word, expected)
		    : err_set(err, -EINVAL, "expected %s at the end", expected);
}

static int take_file(struct words *w, const char **path, struct err *err)
{
	*path = words_next(w);
	if (!*path)
		return wrong_word(err, NULL, "a FILE, or - for standard input,");
	return words_end(w, err);
}

static int run_route(struct ctl_run *r, struct words *w, struct err *err)
{
	const char *word = words_next(w), *path;
	bool whole;
	int rc;

	if (!word || !strcmp(word, "show") || !strcmp(word, "list"))
		return ctl_show_routes(r, w, err);
	if (!strcmp(word, "get")) {
		w->w[w->at - 1] = (char *)"match";
		w->at--;
		return ctl_show_routes(r, w, err);
	}
	if (!strcmp(word, "load")) {
		whole = words_take(w, "whole") || r->confirm_s;
		rc = take_file(w, &path, err);
		return rc ? rc : ctl_load(r, path, whole, err);
	}
	if (ctl_op_of(word))
		return change(r, w, ctl_op_of(word), true, err);
	return wrong_word(err, word, "add, replace, del, forget, show, get or load");
}

static int run_neighbor(struct ctl_run *r, struct words *w, struct err *err)
{
	const char *word = words_next(w);

	if (!word || !strcmp(word, "show") || !strcmp(word, "list"))
		return ctl_show_neighbors(r, w, err);
	if (ctl_op_of(word))
		return change(r, w, ctl_op_of(word), false, err);
	return wrong_word(err, word, "add, replace, del, forget or show");
}

static int run_port(struct ctl_run *r, struct words *w, struct err *err)
{
	const char *word = words_next(w), *name;
	struct ctl_port_set set = {0};
	struct ctl_answer a;
	int rc;

	if (!word || !strcmp(word, "show"))
		return ctl_show_ports(r, w, err);
	if (strcmp(word, "up") && strcmp(word, "down"))
		return wrong_word(err, word, "show, up or down");
	name = words_next(w);
	if (!name)
		return wrong_word(err, NULL, "a port's name");
	rc = words_end(w, err);
	if (!rc)
		rc = ctl_index(r->c, CTL_KIND_PORT, name, err);
	if (rc == -ENOENT) // what is made of ports
		rc = ctl_index(r->c, CTL_KIND_IFACE, name, err);
	if (rc < 0)
		return rc;
	r->applied_late = true;
	set.port = (uint16_t)rc;
	set.up = !strcmp(word, "up");
	rc = ctl_call(r->c, CTL_PORT_SET, &set, sizeof(set), &a, err);
	if (!rc && !r->json)
		printf("port %s: %s\n", name, word);
	return rc;
}

static int run_confirm(struct ctl_run *r, struct words *w, struct err *err)
{
	struct ctl_answer a;
	int rc = words_end(w, err);

	r->applied_late = true;
	if (!rc)
		rc = ctl_call(r->c, CTL_CONFIRM, NULL, 0, &a, err);
	if (!rc && !r->json)
		printf("confirmed\n");
	return rc;
}

static int run_rollback(struct ctl_run *r, struct words *w, struct err *err)
{
	int rc = words_end(w, err);

	r->applied_late = true;
	return rc ? rc : call_cost(r, CTL_ROLLBACK, "rollback", err);
}

static int run_apply(struct ctl_run *r, struct words *w, struct err *err)
{
	const char *path;
	int rc = take_file(w, &path, err);

	return rc ? rc : ctl_apply(r, path, err);
}

static const struct {
	const char *word;
	int (*run)(struct ctl_run *r, struct words *w, struct err *err);
} subjects[] = {
	{"show", ctl_show_hello},     {"route", run_route},	    {"neighbor", run_neighbor},
	{"port", run_port},	      {"stats", ctl_show_stats},    {"apply", run_apply},
	{"confirm", run_confirm},     {"rollback", run_rollback},
};

static int run(struct ctl_run *r, struct words *w, struct err *err)
{
	const char *word = words_next(w);

	for (size_t i = 0; word && i < sizeof(subjects) / sizeof(subjects[0]); i++)
		if (!strcmp(subjects[i].word, word))
			return subjects[i].run(r, w, err);
	return wrong_word(err, word, "route, neighbor, port, stats, show, apply, confirm or rollback");
}

// "30", "30s", "5m".
static bool parse_seconds(const char *s, uint32_t *v)
{
	size_t n = strlen(s);
	char digits[12];
	unsigned value, unit = 1;

	if (n && (s[n - 1] == 's' || s[n - 1] == 'm'))
		unit = s[--n] == 'm' ? 60 : 1;
	if (!n || n >= sizeof(digits))
		return false;
	snprintf(digits, sizeof(digits), "%.*s", (int)n, s);
	if (!text_number(digits, 1, CTL_CONFIRM_MAX / unit, &value))
		return false;
	*v = value * unit;
	return true;
}

// Options stand anywhere among the words but those that begin with a dash alone ("-", "-4").
static int options(struct ctl_run *r, const struct command *cmd, int argc, char **argv, struct words *w)
{
	static const struct option list[] = {
		{"help", no_argument, 0, 'h'},
		{"json", no_argument, 0, 'j'},
		{"confirm", required_argument, 0, 'c'},
		{0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, ":h46", list, NULL)) != -1) {
		if (opt == 'j')
			r->json = true;
		else if (opt == 'c' && parse_seconds(optarg, &r->confirm_s))
			continue;
		else if (opt == 'c')
			return usage_error(cmd, "--confirm %s: expected 1 to %u seconds, like 30s or 5m", optarg,
					   CTL_CONFIRM_MAX);
		else if (opt == '4' || opt == '6')
			w->w[w->n++] = (char *)(opt == '4' ? "-4" : "-6");
		else
			return usage_option(cmd, argc, argv, opt) ? EXIT_USAGE : -1;
		if (w->n == 8)
			return usage_error(cmd, "-4 and -6: expected one of them, once");
	}
	if (optind == argc)
		return usage_error(cmd, "expected ENDPOINT: the socket of weir run --control, or weir boot "
				   "--control");
	r->endpoint = argv[optind++];
	return 0;
}

// Words first, families behind.
static int gather(const struct command *cmd, int argc, char **argv, struct words *w)
{
	char *families[8];
	unsigned n = w->n;

	memcpy(families, w->w, n * sizeof(*families));
	w->n = 0;
	if ((unsigned)(argc - optind) + n > CTL_WORDS_MAX)
		return usage_error(cmd, "%d words: expected at most %u", argc - optind, CTL_WORDS_MAX - n);
	while (optind < argc)
		w->w[w->n++] = argv[optind++];
	for (unsigned i = 0; i < n; i++)
		w->w[w->n++] = families[i];
	return 0;
}

int cmd_ctl(const struct command *cmd, int argc, char **argv)
{
	char *list[CTL_WORDS_MAX + 8];
	struct words w = {.w = list};
	struct ctl_run r = {.at = CTL_AT_FRAME};
	struct err err = {""};
	int rc = options(&r, cmd, argc, argv, &w);

	if (!rc)
		rc = gather(cmd, argc, argv, &w);
	if (rc)
		return rc < 0 ? 0 : rc;
	r.applied_late = true;
	rc = ctl_connect(&r.c, r.endpoint, &err);
	if (!rc) {
		r.applied_late = false;
		rc = run(&r, &w, &err);
	}
	if (rc)
		fprintf(stderr, "weir ctl: %s\n", err.text);
	ctl_close(r.c);
	if (!rc)
		return 0;
	return rc == -EINVAL && !r.applied_late ? EXIT_USAGE : EXIT_JOB;
}
