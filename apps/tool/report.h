// SPDX-License-Identifier: BSD-3-Clause
// report.h - results of weir bench as one HTML page: tables and plots, nothing to fetch and no
// script
//
// docs/bench.md has the format of the results. What they hold is not trusted: text is escaped, what
// is missing, of another type or not a sensible number is shown as a dash.
#ifndef WEIR_APPS_TOOL_REPORT_H
#define WEIR_APPS_TOOL_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "core/err.h"

// Writes the page. 0; -EINVAL and nothing written: not results of weir bench, or of a version that
// this does not know; -EIO: out did not take it all.
int report_html(const json_t *results, FILE *out);

// The same from file to file (whole or not at all); "-" is standard input and output. err names the
// file, the place in it and the remedy.
int report_file(const char *json_path, const char *html_path, struct err *err);

#endif
