// SPDX-License-Identifier: BSD-3-Clause
// replay_report.h - what weir replay prints at its end
#ifndef WEIR_APPS_TOOL_REPLAY_REPORT_H
#define WEIR_APPS_TOOL_REPLAY_REPORT_H

#include "apps/app.h"
#include "apps/tool/replay_load.h"

// Prints the figures of a run that is over, and what reading its captures came to. Whether the books balance.
bool replay_report(struct app *app, const struct replay_tally *t, bool json);

#endif
