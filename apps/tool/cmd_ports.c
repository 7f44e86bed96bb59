// SPDX-License-Identifier: BSD-3-Clause
// cmd_ports.c - weir ports: every driver and what it can, as the drivers say themselves
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/tool.h"
#include "apps/tool/util.h"
#include "pmd/port.h"

#define ROWS_MAX    32u
#define FIGURES_MAX (64u << 10)

// pmd/pmds_image.c under another name (apps/meson.build).
extern const struct pmd *const pmd_list_image[];

struct row {
	const struct pmd *pmd;
	const char *key; // of a variant: "live="
	bool hosted, image;
};

struct table {
	struct row row[ROWS_MAX];
	unsigned n;
	char *figures; // lines of `DEVICE NS`, # comments; NULL: none given
};

static void add(struct table *t, const struct pmd *pmd, const char *key, bool hosted)
{
	struct row *r = t->row;

	while (r < t->row + t->n && r->pmd != pmd)
		r++;
	if (r == t->row + ROWS_MAX)
		return;
	if (r == t->row + t->n)
		t->row[t->n++] = (struct row){.pmd = pmd, .key = key};
	r->hosted |= hosted;
	r->image |= !hosted;
}

static void collect(struct table *t, const struct pmd *const *list, bool hosted)
{
	for (; *list; list++) {
		add(t, *list, "", hosted);
		if ((*list)->variant)
			add(t, (*list)->variant, (*list)->variant_key, hosted);
	}
}

static const char *home(const struct row *r)
{
	return r->hosted ? r->image ? "both" : "hosted" : "image";
}

static const char *clock_of(const struct pmd *pmd)
{
	return pmd->next_time ? "capture" : pmd->can.live ? "real" : "either";
}

static char *offloads(const struct pmd *pmd, const char *quote)
{
	char *list = xstrdup("");

	for (const struct port_offload *o = port_offloads; o->name; o++) {
		if (pmd->can.offloads & o->bit) {
			char *more = xasprintf("%s%s%s%s%s", list, *list ? ", " : "", quote,
					       o->name, quote);

			free(list);
			list = more;
		}
	}
	return list;
}

// "12.3" behind the device's name at the start of a line; the caller frees it.
static char *figure(const struct table *t, const struct row *r)
{
	char *name = xasprintf("\n%s:%s ", r->pmd->name, r->key), *found = NULL;
	const char *p = t->figures ? strstr(t->figures, name) : NULL;

	if (p)
		found = xasprintf("%.*s", (int)strcspn(p + strlen(name), " \n"), p + strlen(name));
	free(name);
	return found;
}

static void print_text(const struct table *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		const struct row *r = &t->row[i];
		const struct pmd *p = r->pmd;
		char *o = offloads(p, ""), *device = xasprintf("%s:%s", p->name, r->key);

		printf("%-13s %-6s  queues: %u, clock: %s, sleeps: %s%s%s\n", device, home(r),
		       p->can.queues, clock_of(p), p->arm ? "yes" : "no",
		       p->can.needs ? ", needs " : "", p->can.needs ? p->can.needs : "");
		printf("              %s\n", p->help);
		printf("              offloads: %s\n", *o ? o : "none");
		free(o);
		free(device);
	}
}

// In a table a bar ends the cell.
static void print_cell(const char *s)
{
	for (; *s; s++)
		printf("%s%c", *s == '|' ? "\\" : "", *s);
}

static void print_markdown(const struct table *t)
{
	printf("| device | home | queue pairs | offloads | sleeps | clock | needs | argument |%s\n"
	       "|---|---|---|---|---|---|---|---|%s\n",
	       t->figures ? " ns a packet sent |" : "", t->figures ? "---|" : "");
	for (unsigned i = 0; i < t->n; i++) {
		const struct row *r = &t->row[i];
		const struct pmd *p = r->pmd;
		char *o = offloads(p, ""), *f = figure(t, r);

		printf("| `%s:%s` | %s | %u | %s | %s | %s | %s | ", p->name, r->key, home(r),
		       p->can.queues, *o ? o : "none", p->arm ? "yes" : "no", clock_of(p),
		       p->can.needs ? p->can.needs : "nothing");
		print_cell(p->help);
		printf(t->figures ? " | %s |\n" : " |\n", f ? f : "not measured");
		free(o);
		free(f);
	}
}

static void print_json(const struct table *t)
{
	printf("[");
	for (unsigned i = 0; i < t->n; i++) {
		const struct row *r = &t->row[i];
		const struct pmd *p = r->pmd;
		char *o = offloads(p, "\""), *f = figure(t, r);

		printf("%s\n  {\"device\": \"%s:%s\", \"hosted\": %s, \"image\": %s, \"queues\": "
		       "%u, "
		       "\"offloads\": [%s], \"sleeps\": %s, \"clock\": \"%s\", \"needs\": \"%s\", "
		       "\"argument\": \"%s\"",
		       i ? "," : "", p->name, r->key, r->hosted ? "true" : "false",
		       r->image ? "true" : "false", p->can.queues, o, p->arm ? "true" : "false",
		       clock_of(p), p->can.needs ? p->can.needs : "", p->help);
		if (f)
			printf(", \"ns\": %s", f);
		printf("}");
		free(o);
		free(f);
	}
	printf("\n]\n");
}

static bool load_figures(struct table *t, const char *path)
{
	struct err err;
	size_t len;
	char *text = file_read(path, FIGURES_MAX, &len, &err);

	if (!text) {
		fprintf(stderr, "weir ports: %s\n", err.text);
		return false;
	}
	t->figures = xasprintf("\n%s", text);
	free(text);
	return true;
}

int cmd_ports(const struct command *cmd, int argc, char **argv)
{
	static const struct option list[] = {
		{"help", no_argument, 0, 'h'},
		{"json", no_argument, 0, 'j'},
		{"markdown", no_argument, 0, 'm'},
		{"figures", required_argument, 0, 'f'},
		{0},
	};
	void (*print)(const struct table *) = print_text;
	struct table t = {0};
	int opt;

	while ((opt = getopt_long(argc, argv, ":h", list, NULL)) != -1) {
		if (opt == 'j')
			print = print_json;
		else if (opt == 'm')
			print = print_markdown;
		else if (opt != 'f')
			return usage_option(cmd, argc, argv, opt) ? EXIT_USAGE : 0;
		else if (t.figures)
			return usage_error(cmd, "--figures is there twice: expected it once");
		else if (!load_figures(&t, optarg))
			return EXIT_USAGE;
	}
	if (optind != argc)
		return usage_error(cmd, "%s: expected no argument", argv[optind]);
	collect(&t, pmd_list_image, false);
	collect(&t, pmd_list, true);
	print(&t);
	free(t.figures);
	return 0;
}
