// SPDX-License-Identifier: BSD-3-Clause
// replay_args.c - write the YAML that a command line of weir replay stands for
#include "apps/tool/replay_args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/ip_text.h"
#include "apps/tool/util.h"

static void quoted(FILE *out, const char *s)
{
	yaml_quote(out, s, strlen(s));
}

static size_t name_len(const char *port)
{
	return strcspn(port, "=");
}

static void put_name(FILE *out, const struct replay_args *a, unsigned i)
{
	yaml_quote(out, a->port[i], name_len(a->port[i]));
}

static void put_ports(FILE *out, const struct replay_args *a)
{
	fputs("version: 1\nfunction: replay\nports:\n", out);
	for (unsigned i = 0; i < a->ports; i++) {
		size_t n = name_len(a->port[i]);

		fputs("  ", out);
		put_name(out, a, i);
		fputs(": {device: ", out);
		quoted(out, a->port[i] + n + (a->port[i][n] == '='));
		fputs("}\n", out);
	}
}

// "A,B" as keys that lead to the first port.
static void put_matches(FILE *out, const struct replay_args *a)
{
	const char *s = a->split;

	fputs(", ports: {", out);
	while (*s) {
		size_t n = strcspn(s, ",");

		yaml_quote(out, s, n);
		fputs(": ", out);
		put_name(out, a, 0);
		fputs(s[n] ? ", " : "", out);
		s += n + (s[n] == ',');
	}
	fputs("}, to: ", out);
	put_name(out, a, 1);
}

static void put_split(FILE *out, const struct replay_args *a, unsigned file)
{
	uint8_t mac[6];
	char first[64];

	if (!a->split) {
		fputs(", to: ", out);
		put_name(out, a, a->ports == 1 ? 0 : file);
	} else if (!strcmp(a->split, "client")) {
		fputs(", split: client, client: ", out);
		put_name(out, a, 0);
		fputs(", server: ", out);
		put_name(out, a, 1);
	} else if (!strcmp(a->split, "interface")) {
		fputs(", split: interface, ports: {", out);
		for (unsigned i = 0; i < a->ports; i++) {
			fprintf(out, "%s%u: ", i ? ", " : "", i);
			put_name(out, a, i);
		}
		fputs("}", out);
	} else {
		snprintf(first, sizeof(first), "%.*s", (int)strcspn(a->split, ","), a->split);
		fprintf(out, ", split: %s", ip_parse_mac(first, mac) ? "mac" : "address");
		put_matches(out, a);
	}
}

// "[PORT=]VALUE" of a rewrite of one key; several of a mapping's are separated by semicolons.
static void put_change(FILE *out, const struct replay_args *a, const struct replay_word *w)
{
	bool map = !strcmp(w->key, "addresses") || !strcmp(w->key, "ports");
	const char *s = w->value;
	size_t n = strcspn(s, "=");

	fputs("    - {", out);
	if (s[n]) {
		fputs("port: ", out);
		yaml_quote(out, s, n);
		fputs(", ", out);
		s += n + 1;
	}
	fprintf(out, "%s: ", w->key);
	if (!map) {
		quoted(out, s);
		fputs("}\n", out);
		return;
	}
	fputc('{', out);
	while (*s) {
		size_t whole = strcspn(s, ";"), key = 0;

		// The colon in the middle: IPv6 has others. A prefix ends with its length.
		for (size_t i = 0; i < whole; i++)
			if (s[i] == ':' && (!strcmp(w->key, "ports") || memchr(s, '/', i)) && !key)
				key = i;
		yaml_quote(out, s, key);
		fputs(": ", out);
		yaml_quote(out, s + key + (key > 0), whole - key - (key > 0));
		s += whole + (s[whole] == ';');
		fputs(*s ? ", " : "", out);
	}
	fputs("}}\n", out);
}

static int check(const struct replay_args *a, struct err *err)
{
	if (!a->ports)
		return err_set(err, -EINVAL, "expected --port NAME=DEVICE: the port to send by");
	for (unsigned i = 0; i < a->ports; i++)
		if (!strchr(a->port[i], '='))
			return err_set(err, -EINVAL, "--port %s: expected NAME=DEVICE", a->port[i]);
	if (!a->split && a->ports > 1 && a->ports != a->files)
		return err_set(err, -EINVAL,
			       "%u captures and %u ports: expected as many ports as captures, one port, or --split",
			       a->files, a->ports);
	if (a->split && a->ports < 2)
		return err_set(err, -EINVAL, "--split %s: expected two ports", a->split);
	if (a->split && strcmp(a->split, "interface") && a->ports > 2)
		return err_set(err, -EINVAL, "--split %s: expected two ports, not %u", a->split, a->ports);
	return 0;
}

char *replay_args_yaml(const struct replay_args *a, size_t *len, struct err *err)
{
	char *text = NULL;
	FILE *out;

	if (check(a, err))
		return NULL;
	out = open_memstream(&text, len);
	if (!out)
		die_no_memory();
	put_ports(out, a);
	fputs("replay:\n  captures:\n", out);
	for (unsigned i = 0; i < a->files; i++) {
		fputs("    - {file: ", out);
		quoted(out, a->file[i]);
		put_split(out, a, i);
		fputs("}\n", out);
	}
	for (unsigned i = 0; i < a->words; i++) {
		fprintf(out, "  %s: ", a->word[i].key);
		if (a->word[i].value[0] == '{') // a rate of a kind
			fputs(a->word[i].value, out);
		else
			quoted(out, a->word[i].value);
		fputc('\n', out);
	}
	if (a->changes)
		fputs("  rewrite:\n", out);
	for (unsigned i = 0; i < a->changes; i++)
		put_change(out, a, &a->change[i]);
	fclose(out);
	return text;
}
