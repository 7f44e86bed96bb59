// SPDX-License-Identifier: BSD-3-Clause
// doctor.h - findings about a host: what is there, what it does to us, and what mends it
//
// A check looks at files under a root (/proc, /sys, /dev: also those of another machine, copied)
// and adds what it found. It never says more than it looked at: what cannot be seen is added as not
// checked, with why.
#ifndef WEIR_APPS_TOOL_DOCTOR_H
#define WEIR_APPS_TOOL_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "apps/tool/config.h"

enum severity {
	DOCTOR_ERROR,	  // prevents work
	DOCTOR_WARNING,	  // costs packets, speed or steadiness
	DOCTOR_NOTE,	  // good to know
	DOCTOR_UNCHECKED, // could not be seen; effect says why
	DOCTOR_OK,
	DOCTOR_SEVERITIES
};

struct finding {
	const char *id; // for scripts: "clock-source"
	enum severity severity;
	char *found, *effect, *mend; // "" where there is none
};

struct doctor {
	const char *root;	// "" is this machine
	const struct config *c; // NULL: none given
	const char *file;	// its name
	unsigned pid;		// of a QEMU to look at; 0: none
	unsigned probe_ms;	// how long to poll for noise; 0: not
	struct finding *list;
	size_t n, room;
};

// Adds one. The texts are malloc()ed (NULL: "") and belong to the list from now on.
void doctor_add(struct doctor *d, const char *id, enum severity severity, char *found, char *effect,
		char *mend);
void doctor_ok(struct doctor *d, const char *id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void doctor_unchecked(struct doctor *d, const char *id, const char *what, const char *why);
void doctor_free(struct doctor *d);

// The text of a file under the root, at most 256 KiB, without the newline at its end; the caller
// frees it. NULL: none.
char *doctor_read(const struct doctor *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
// Its path; the caller frees it.
char *doctor_path(const struct doctor *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
// The value behind "KEY:" at the start of a line of text, up to its end; the caller frees it. NULL:
// none.
char *doctor_field(const char *text, const char *key);
// Whether text, words parted by spaces, has this one.
bool doctor_word(const char *text, const char *word);

// CPU lists: "0-3,8".
#define DOCTOR_CPUS 1024u
struct cpus {
	bool has[DOCTOR_CPUS];
	unsigned n;
};
bool doctor_cpulist(const char *text, struct cpus *cpus); // false: not one
char *doctor_cputext(const struct cpus *cpus);		  // the caller frees it
// CPUs this process may use; false: cannot be seen.
bool doctor_allowed(const struct doctor *d, struct cpus *cpus);

// Whether the configuration has ports that only images have.
bool doctor_wants_image(const struct doctor *d);

// The checks.
void doctor_cpu(struct doctor *d);
void doctor_tuning(struct doctor *d);
void doctor_host(struct doctor *d);
void doctor_memory(struct doctor *d);
void doctor_noise(struct doctor *d);
void doctor_config(struct doctor *d);
void doctor_qemu(struct doctor *d);

void doctor_print(const struct doctor *d, bool all, FILE *out);
void doctor_print_json(const struct doctor *d, bool all, FILE *out);

#endif
