// SPDX-License-Identifier: BSD-3-Clause
// impair.c - function impair: patches that delay, lose, duplicate, reorder and corrupt on purpose
#include "apps/impair/impair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/app.h"

struct impairs { // of all lcores: app->state
	uint32_t patches;
	struct impair *of[]; // lcore k, patch i: of[k * patches + i]
};

// A patch that nothing is said of, of a blob without impairments, does no harm.
static const struct blob_impair harmless;

static const struct blob_impair *conf_of(const struct blob *b, uint32_t patch)
{
	return patch < b->n_impairs ? &b->impairs[patch] : &harmless;
}

static int add_patch(struct app_lcore *l, uint32_t i, struct err *err)
{
	struct app *app = l->app;
	struct impairs *s = app->state;
	const struct blob_patch *patch = &app->blob.patches[i];
	const struct blob_impair *conf = conf_of(&app->blob, i);
	struct impair *p;
	char name[NODE_NAME_MAX + 1];

	snprintf(name, sizeof(name), "impair-%s", app->port[patch->from].name);
	p = impair_add(l->graph, name, conf, l->loop.clock.kind, err);
	if (!p)
		return -EINVAL;
	s->of[l->id * s->patches + i] = p;
	node_connect(p->node, "out", l->tx[patch->to], err);
	l->rx[patch->from] = p->node;
	if (app->port[patch->from].pmd->next_time)
		l->pace[patch->from] = l->tx[patch->to];
	// On a capture clock housekeeping comes at its exact time by itself.
	if (p->real && !p->direct)
		return app_source_add(l, impair_poll, p, p->node, err);
	return 0;
}

static int impair_build(struct app_lcore *l, struct err *err)
{
	struct app *app = l->app;
	uint32_t n = app->blob.n_patches;
	struct impairs *s = app->state;
	int rc = 0;

	if (!s) {
		s = app->state = calloc(1, sizeof(*s) + sizeof(s->of[0]) * n * app->lcores);
		if (!s)
			return err_set(err, -ENOMEM, "impair: no memory");
		s->patches = n;
	}
	for (uint32_t i = 0; !rc && i < n; i++)
		rc = add_patch(l, i, err);
	return rc;
}

static void impair_destroy(struct app *app)
{
	free(app->state);
}

static uint32_t impair_holds(const struct blob *b)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < b->n_patches; i++) {
		const struct blob_impair *p = conf_of(b, i);

		if (p->delay_ns)
			n += p->packets ? p->packets : IMPAIR_PACKETS;
		if (p->reorder)
			n += IMPAIR_BACK;
	}
	return n < UINT32_MAX / 2 ? (uint32_t)n : UINT32_MAX / 2;
}

struct figure {
	const char *name;
	uint64_t (*of)(const struct impair *p);
};

static uint64_t packets(const struct impair *p)
{
	return p->packets;
}

static uint64_t lost(const struct impair *p)
{
	return p->chance[IMPAIR_LOSS].done;
}

static uint64_t corrupted(const struct impair *p)
{
	return p->chance[IMPAIR_CORRUPT].done;
}

static uint64_t reordered(const struct impair *p)
{
	return p->chance[IMPAIR_REORDER].done;
}

static uint64_t duplicated(const struct impair *p)
{
	return p->chance[IMPAIR_DUPLICATE].done;
}

static uint64_t overdue(const struct impair *p)
{
	return p->overdue;
}

static uint64_t uncopied(const struct impair *p)
{
	return p->uncopied;
}

static const struct figure figures[] = {
	{"packets", packets},	  {"lost", lost},	{"corrupted", corrupted}, {"reordered", reordered},
	{"duplicated", duplicated}, {"overdue", overdue}, {"uncopied", uncopied},
};

static void impair_stats(const struct app *app, stats_emit_fn emit, void *arg)
{
	const struct impairs *s = app->state;
	char name[96];

	for (uint32_t i = 0; i < s->patches; i++) {
		for (unsigned f = 0; f < sizeof(figures) / sizeof(figures[0]); f++) {
			uint64_t sum = 0;

			for (unsigned k = 0; k < app->lcores; k++)
				sum += figures[f].of(s->of[k * s->patches + i]);
			snprintf(name, sizeof(name), "impair.%s.%s", app->port[app->blob.patches[i].from].name,
				 figures[f].name);
			emit(arg, name, sum);
		}
	}
}

const struct function impair_function = {
	.name = "impair",
	.build = impair_build,
	.holds = impair_holds,
	.destroy = impair_destroy,
	.stats = impair_stats,
};
