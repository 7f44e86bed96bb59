// SPDX-License-Identifier: BSD-3-Clause
// tool.h - the subcommands of `weir` and what they share
//
// Exit codes: 0 done; 1 the job failed or the books do not balance; 2 the command line or the
// configuration is wrong.
#ifndef WEIR_APPS_TOOL_TOOL_H
#define WEIR_APPS_TOOL_TOOL_H

#include "apps/tool/config.h"

// The release, and the commit it was built from: "0.1 5fb5bf8484"; -dirty: and changes to it.
extern const char weir_version[];

#define EXIT_JOB   1
#define EXIT_USAGE 2

#define CAPTURE_SEED 1u // of all that is chance in a function on a capture's clock: the same in every run

struct command {
	const char *name;
	const char *summary;
	const char *usage; // after "usage: "
	int (*run)(const struct command *cmd, int argc, char **argv); // argv[0]: the command's name
};

int cmd_check(const struct command *cmd, int argc, char **argv);
int cmd_run(const struct command *cmd, int argc, char **argv);
int cmd_boot(const struct command *cmd, int argc, char **argv);
int cmd_doctor(const struct command *cmd, int argc, char **argv);
int cmd_ports(const struct command *cmd, int argc, char **argv);
int cmd_ctl(const struct command *cmd, int argc, char **argv);
int cmd_fpm(const struct command *cmd, int argc, char **argv);
int cmd_pktgen(const struct command *cmd, int argc, char **argv);
int cmd_replay(const struct command *cmd, int argc, char **argv);
int cmd_verdict(const struct command *cmd, int argc, char **argv); // replay, when verdict_wanted()
int cmd_bench(const struct command *cmd, int argc, char **argv);
int cmd_pack(const struct command *cmd, int argc, char **argv);

// Whether the command line of weir replay asks for a verdict: --in, --golden or --accept is there.
bool verdict_wanted(int argc, char **argv);

// Complains on stderr with the command's usage below; returns EXIT_USAGE.
int usage_error(const struct command *cmd, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

// For getopt_long: the message it would have printed, in our form.
int usage_option(const struct command *cmd, int argc, char **argv, int c);

// Loads path, or prints what is wrong with it to stderr and returns false.
bool load_config(struct config *c, const char *path);

// `NAME=REST` split at the first '=': the port's index and REST, or -1 and a message.
int split_port(const struct config *c, char *arg, char **rest, struct err *err);

// The image for a function: `given`, or weir-<function>.elf beside this executable. The caller frees it.
char *image_path(const char *given, const char *function);

// The image with the blob inside (core/x86_64/README.md has the contract). The caller frees it; NULL and
// err when the file is no such image.
void *image_pack(const char *path, const void *blob, size_t len, size_t *packed, struct err *err);

#endif
