// SPDX-License-Identifier: BSD-3-Clause
// err.h - an error as the control path returns it: a negative errno and a message for the user
//
// The message names the value that was wrong, the place, and what to do.
#ifndef WEIR_CORE_ERR_H
#define WEIR_CORE_ERR_H

struct err {
	char text[512];
};

// Formats the message (cut at the buffer's end) and returns code, so that callers write
// `return err_set(e, -ENOENT, "...");`. e may be NULL.
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
