// SPDX-License-Identifier: BSD-3-Clause
// fpm_report.h - what weir fpm tells its user from time to time: text on stderr, or a line of JSON
// on stdout
#ifndef WEIR_APPS_TOOL_FPM_REPORT_H
#define WEIR_APPS_TOOL_FPM_REPORT_H

#include "apps/tool/fpm_weir.h"

struct fpm_status {
	const struct fpm_table *table;
	const struct fpm_weir *weir;
	bool frr;	 // connected
	bool synced;	 // and what it did not announce again is gone
	uint64_t broken; // messages
	uint64_t resets; // connections ended because of what came over them
	uint64_t swept;
	char broken_text[128]; // the first of them
};

void fpm_report(const struct fpm_status *s, bool json);

#endif
