// SPDX-License-Identifier: BSD-3-Clause
// report_page.c - results of weir bench to a page, for report.py: report_page IN.json OUT.html
#include <stdio.h>

#include "apps/tool/report.h"

int main(int argc, char **argv)
{
	struct err err;

	if (argc != 3)
		return 2;
	if (!report_file(argv[1], argv[2], &err))
		return 0;
	fprintf(stderr, "%s\n", err.text);
	return 1;
}
