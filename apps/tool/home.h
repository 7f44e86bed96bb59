// SPDX-License-Identifier: BSD-3-Clause
// home.h - what a function needs of this process: its CPU, its control channel
#ifndef WEIR_APPS_TOOL_HOME_H
#define WEIR_APPS_TOOL_HOME_H

#include "apps/app.h"

// The calling thread, and those it makes, stay on this CPU. 0 or -errno.
int home_cpu(unsigned cpu, struct err *err);

// The function's control channel listens at path; NULL: it has none. 0 or -errno.
int home_listen(struct app *app, const char *path, struct err *err);

#endif
