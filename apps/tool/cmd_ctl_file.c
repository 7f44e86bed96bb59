// SPDX-License-Identifier: BSD-3-Clause
// cmd_ctl_file.c - weir ctl apply and route load: operations from a file or standard input
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apps/tool/cmd_ctl.h"
#include "apps/tool/ctl_client_priv.h"
#include "apps/tool/util.h"

struct input {
	FILE *f;
	const char *name;
	char *line;
	size_t room;
	uint32_t number; // of the line
	uint32_t *lines; // of each operation: its line
	size_t n, lines_room;
	char *w[CTL_WORDS_MAX];
};

static int input_open(struct input *in, const char *path, struct err *err)
{
	*in = (struct input){.f = stdin, .name = "standard input"};
	if (!strcmp(path, "-"))
		return 0;
	in->name = path;
	in->f = fopen(path, "re");
	return in->f ? 0 : err_set(err, -errno, "%s: %s", path, strerror(errno));
}

static void input_close(struct input *in)
{
	if (in->f && in->f != stdin)
		fclose(in->f);
	free(in->line);
	free(in->lines);
}

// The words of the next line that has any: 1, 0 at the end, or -errno.
static int input_words(struct input *in, struct words *w, struct err *err)
{
	ssize_t n;
	int rc;

	while ((n = getline(&in->line, &in->room, in->f)) >= 0) {
		in->number++;
		if (n > 65536 || memchr(in->line, 0, (size_t)n))
			return err_set(err, -EINVAL, "expected a line of text");
		rc = words_split(in->line, in->w, w, err);
		if (rc)
			return rc;
		if (w->n)
			return 1;
	}
	return ferror(in->f) ? err_set(err, -EIO, "cannot be read") : 0;
}

// The operation about to be fed is of this line.
static void note_line(struct input *in)
{
	uint32_t *l = array_add(in->lines, &in->n, &in->lines_room, sizeof(*in->lines));

	in->lines = l;
	l[in->n - 1] = in->number;
}

// Puts the place in front: that of the operation the server refused, else the line being read.
static int at_place(const struct ctl_run *r, const struct input *in, int rc, struct err *err)
{
	uint64_t failed = r->at != CTL_AT_FRAME ? r->at : ctl_feed_totals(r->c)->failed;
	struct err why = *err;

	return err_set(err, rc, "%s:%u: %.400s", in->name, failed < in->n ? in->lines[failed] : in->number,
		       why.text);
}

static int one_command(struct ctl_run *r, struct words *w, struct err *err)
{
	const char *subject = words_next(w), *word = words_next(w);
	bool route = subject && !strcmp(subject, "route"), neighbor = subject && !strcmp(subject, "neighbor");
	enum ctl_op op = ctl_op_of(word);

	if (!route && !neighbor)
		return err_set(err, -EINVAL, "%s: expected route or neighbor", subject);
	if (!op)
		return err_set(err, -EINVAL, "%s: expected add, replace, del or forget", word ? word : subject);
	return route ? ctl_put_route(r, op, w, err) : ctl_put_neighbor(r, op, w, err);
}

static void roll_back(struct ctl_run *r)
{
	struct ctl_answer a;

	if (!r->c->broken) // else the server does it when the stream ends
		ctl_call(r->c, CTL_ROLLBACK, NULL, 0, &a, NULL);
}

static int apply_lines(struct ctl_run *r, struct input *in, struct err *err)
{
	struct words w;
	int rc;

	while ((rc = input_words(in, &w, err)) > 0) {
		note_line(in);
		rc = one_command(r, &w, err);
		if (rc)
			break;
	}
	r->applied_late = !rc;
	return rc ? rc : ctl_feed_flush(r->c, true, err);
}

// Frames that are still under way are answered before anything else is asked.
static void settle(struct ctl_run *r)
{
	struct err ignored;

	while (!r->c->broken && r->c->n_sent)
		ctl_feed_flush(r->c, true, &ignored);
}

int ctl_apply(struct ctl_run *r, const char *path, struct err *err)
{
	struct input in;
	int rc = input_open(&in, path, err);

	if (!rc)
		rc = ctl_begin(r, err);
	if (rc) {
		r->applied_late = true;
		input_close(&in);
		return rc;
	}
	ctl_feed_begin(r->c, false, NULL, NULL);
	rc = apply_lines(r, &in, err);
	if (rc) {
		rc = at_place(r, &in, rc, err);
		settle(r);
		roll_back(r);
	} else {
		rc = ctl_commit(r, "apply", err);
		if (rc && r->at != CTL_AT_FRAME)
			rc = at_place(r, &in, rc, err);
	}
	input_close(&in);
	return rc;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void progress(struct ctl_run *r, double start, bool last)
{
	static double next;
	double t = now();

	if (!isatty(STDERR_FILENO) || (!last && t < next))
		return;
	next = t + 0.2;
	fprintf(stderr, "\rweir ctl: %" PRIu64 " routes, %.0f a second\033[K%s", ctl_feed_totals(r->c)->operations,
		(double)ctl_feed_totals(r->c)->operations / (t - start + 1e-9), last ? "\n" : "");
}

static int load_lines(struct ctl_run *r, struct input *in, double start, struct err *err)
{
	struct words w;
	int rc;

	while ((rc = input_words(in, &w, err)) > 0) {
		note_line(in);
		words_take(&w, "to");
		rc = ctl_put_route(r, CTL_REPLACE, &w, err);
		if (rc)
			break;
		if (in->number % 4096 == 0)
			progress(r, start, false);
	}
	if (!rc)
		rc = ctl_feed_flush(r->c, true, err);
	if (start && in->number > 4096)
		progress(r, start, true);
	return rc;
}

static void print_load(const struct ctl_run *r, double seconds)
{
	const struct ctl_feed_totals *t = ctl_feed_totals(r->c);

	if (r->json)
		printf("{\"command\": \"load\", \"applied\": %" PRIu64 ", \"packets_lost\": %" PRIu64
		       ", \"longest_turn_ns\": %" PRIu64 ", \"seconds\": %.3f}\n",
		       t->applied, t->lost, t->turn_ns, seconds);
	else
		printf("load: %" PRIu64 " applied in %.2f s, %.0f a second; %" PRIu64
		       " packets lost, longest turn %.1f us\n",
		       t->applied, seconds, (double)t->applied / (seconds + 1e-9), t->lost, (double)t->turn_ns / 1e3);
}

int ctl_load(struct ctl_run *r, const char *path, bool whole, struct err *err)
{
	struct input in;
	double start;
	int rc = input_open(&in, path, err);

	r->applied_late = true;
	ctl_set_timeout(r->c, -1);
	if (!rc && whole)
		rc = ctl_begin(r, err);
	if (rc) {
		input_close(&in);
		return rc;
	}
	ctl_feed_begin(r->c, false, NULL, NULL);
	start = now();
	rc = load_lines(r, &in, start, err);
	if (rc) {
		rc = at_place(r, &in, rc, err);
		settle(r);
		if (whole)
			roll_back(r);
		else if (ctl_feed_totals(r->c)->applied)
			fprintf(stderr, "weir ctl: %" PRIu64 " routes before that are applied; `load whole` applies "
				"all or none\n", ctl_feed_totals(r->c)->applied);
	} else if (whole) {
		rc = ctl_commit(r, "load", err);
		if (rc && r->at != CTL_AT_FRAME)
			rc = at_place(r, &in, rc, err);
	} else {
		print_load(r, now() - start);
	}
	input_close(&in);
	return rc;
}
