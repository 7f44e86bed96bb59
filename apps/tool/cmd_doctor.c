// SPDX-License-Identifier: BSD-3-Clause
// cmd_doctor.c - weir doctor: what this host lacks, what that does, and what mends it
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/tool/doctor.h"
#include "apps/tool/tool.h"
#include "apps/tool/util.h"
#include "core/noise.h"

#define PROBE_MS 1000u

struct options {
	struct doctor d;
	bool json, all, noise_only;
};

static int options(struct options *o, const struct command *cmd, int argc, char **argv)
{
	static const struct option list[] = {
		{"help", no_argument, 0, 'h'},	     {"json", no_argument, 0, 'j'},
		{"all", no_argument, 0, 'a'},	     {"pid", required_argument, 0, 'p'},
		{"root", required_argument, 0, 'r'}, {"probe", required_argument, 0, 'm'},
		{"noise", no_argument, 0, 'n'},	     {0},
	};
	static const char *const expected[] = {
		['p'] = "a process's number",
		['m'] = "0 to 60000 milliseconds",
	};
	int opt, which = 0;

	while ((opt = getopt_long(argc, argv, ":h", list, &which)) != -1) {
		bool good = true;

		if (opt == 'j')
			o->json = true;
		else if (opt == 'a')
			o->all = true;
		else if (opt == 'n')
			o->noise_only = o->all = true;
		else if (opt == 'r')
			o->d.root = optarg;
		else if (opt == 'p')
			good = text_number(optarg, 1, 1u << 22, &o->d.pid);
		else if (opt == 'm')
			good = text_number(optarg, 0, 60000, &o->d.probe_ms);
		else
			return usage_option(cmd, argc, argv, opt) ? EXIT_USAGE : -1;
		if (!good)
			return usage_error(cmd, "--%s %s: expected %s", list[which].name, optarg,
					   expected[opt]);
	}
	if (argc - optind > 1)
		return usage_error(cmd, "expected at most one FILE");
	o->d.file = argv[optind];
	return 0;
}

static void look(struct doctor *d, bool noise_only)
{
	if (!noise_only) {
		doctor_cpu(d);
		doctor_tuning(d);
		doctor_host(d);
		doctor_memory(d);
		if (d->c)
			doctor_config(d);
		if (d->pid)
			doctor_qemu(d);
	}
	doctor_noise(d);
}

static bool prevented(const struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].severity == DOCTOR_ERROR)
			return true;
	return false;
}

int cmd_doctor(const struct command *cmd, int argc, char **argv)
{
	struct options o = {.d = {.root = "", .probe_ms = PROBE_MS}};
	int rc = options(&o, cmd, argc, argv);
	struct config c;

	if (rc)
		return rc < 0 ? 0 : rc;
	if (o.d.file) {
		if (!load_config(&c, o.d.file))
			return EXIT_USAGE;
		o.d.c = &c;
	}
	look(&o.d, o.noise_only);
	if (o.json)
		doctor_print_json(&o.d, o.all, stdout);
	else
		doctor_print(&o.d, o.all, stdout);
	rc = prevented(&o.d) ? EXIT_JOB : 0;
	doctor_free(&o.d);
	if (o.d.c)
		config_free(&c);
	return rc;
}
