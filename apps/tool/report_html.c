// SPDX-License-Identifier: BSD-3-Clause
// report_html.c - the page as a whole, from a file to a file
#include "apps/tool/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/report_priv.h"
#include "apps/tool/util.h"

#define FORMAT	 "weir-bench"
#define VERSION	 1
#define JSON_MAX ((size_t)1 << 30)

static const char footer[] =
	"<footer><h2>How to read this</h2>\n"
	"<p>Frame sizes are in bytes and include the 4 bytes of the FCS. Bit rates at layer 1 "
	"count 20 bytes a frame more "
	"(preamble, start delimiter and gap), those at layer 2 do not. <i>Of line</i> is the share "
	"of the highest "
	"frame rate that the ports' line rate allows; where a port has none, it is missing.</p>\n"
	"<p>Throughput is the highest rate at which the search lost no more than its goal allows "
	"(RFC 2544, section 26.1); "
	"whiskers are its bounds. Latency is from a frame's sending to its reception, by the time "
	"stamp it carries; of "
	"every frame, none sampled. <i>p99.9</i>: 99.9% of the frames took no longer. Frames are "
	"lost when they "
	"did not come within the time a trial waits; stragglers are frames of an earlier "
	"trial.</p>\n"
	"<p>Noise is time that the measuring threads wanted to run and did not: gaps over 50 µs in "
	"their loops, time stolen "
	"by the hypervisor, waiting for a core (run delay). A trial disturbed too much does not "
	"count, and stands in the "
	"last table with the reason.</p></footer>\n";

static bool known(const json_t *results)
{
	return !strcmp(report_str(results, "format"), FORMAT) &&
	       report_num(results, "version") == VERSION;
}

int report_html(const json_t *results, FILE *out)
{
	const json_t *tests = json_object_get(results, "tests");

	if (!known(results))
		return -EINVAL;
	report_head(results, out);
	report_summary(tests, out);
	report_setup(results, out);
	report_throughput(tests, out);
	report_latency(tests, out);
	report_variation(tests, out);
	report_loss(tests, out);
	report_bursts(tests, out);
	report_outages(tests, out);
	report_noise(tests, out);
	report_trials(tests, out);
	fputs(footer, out);
	fputs("</body></html>\n", out);
	return ferror(out) ? -EIO : 0;
}

static json_t *load(const char *path, struct err *err)
{
	bool standard = !strcmp(path, "-");
	json_error_t e;
	json_t *results;
	size_t len;
	char *text = file_read(standard ? "/dev/stdin" : path, JSON_MAX, &len, err);

	if (!text)
		return NULL;
	results = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);
	free(text);
	if (!results)
		err_set(err, -EINVAL,
			"%s:%d:%d: %s: expected the JSON that weir bench -o wrote", path,
			e.line, e.column, e.text);
	else if (!known(results))
		err_set(err, -EINVAL,
			"%s: format \"%.40s\": expected \"" FORMAT
			"\", version %d: the JSON that weir bench -o wrote",
			path, report_str(results, "format"), VERSION);
	else
		return results;
	json_decref(results);
	return NULL;
}

int report_file(const char *json_path, const char *html_path, struct err *err)
{
	json_t *results = load(json_path, err);
	char *page = NULL;
	size_t len = 0;
	FILE *out;
	int ret;

	if (!results)
		return -EINVAL;
	out = open_memstream(&page, &len);
	if (!out)
		die_no_memory();
	ret = report_html(results, out);
	json_decref(results);
	if (fclose(out) || ret)
		die_no_memory(); // nothing else ends a stream in memory
	if (strcmp(html_path, "-"))
		ret = file_write(html_path, page, len, 0644, err);
	else if (fwrite(page, 1, len, stdout) != len || fflush(stdout))
		ret = err_set(err, -EIO, "standard output: %s: the report is lost",
			      strerror(errno));
	free(page);
	return ret;
}
