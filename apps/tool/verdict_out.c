// SPDX-License-Identifier: BSD-3-Clause
// verdict_out.c - the capture of a run, a comment a packet; and new goldens
//
// Both are written beside the file and renamed over it when they are complete.
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/tool/util.h"
#include "apps/tool/verdict_say.h"
#include "pmd/pcap/writer.h"

// path.tmpPID.EXT, so that the writer sees the same kind of file.
static char *beside(const char *path)
{
	size_t n = strlen(path);
	bool ng = n > 7 && !strcmp(path + n - 7, ".pcapng");

	return xasprintf("%s.%ld%s", path, (long)getpid(), ng ? ".pcapng" : ".tmp");
}

static int finish(struct capture_writer *w, int rc, char *temp, const char *path, struct err *err)
{
	int last = capture_finish(w, rc ? NULL : err);

	if (!rc)
		rc = last;
	if (!rc && rename(temp, path))
		rc = err_set(err, -errno, "%s: cannot be replaced: %s", path, strerror(errno));
	if (rc)
		unlink(temp);
	free(temp);
	return rc;
}

// --- the capture of the run ---

static size_t say(char *text, size_t size, size_t at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static size_t say(char *text, size_t size, size_t at, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text + at, size - at, fmt, ap);
	va_end(ap);
	return n < 0 || (size_t)n >= size - at ? size - 1 : at + (size_t)n;
}

static void comment(const struct verdict_run *r, const struct vsaid *s, char *text, size_t size)
{
	const struct vrecord *from = s->from ? vtrace_record(r->trace, s->from) : NULL;
	size_t at = say(text, size, 0, "%s",
			s->verdict == V_UNJUDGED ? "not compared" : verdict_names[s->verdict]);

	for (unsigned i = 0; i < s->diffs && i < VSAY_FIELDS; i++)
		at = say(text, size, at, "%s%s", i ? "; " : ": ", s->diff[i].text);
	if (s->diffs > VSAY_FIELDS)
		at = say(text, size, at, "; and %u more fields", s->diffs - VSAY_FIELDS);
	if (s->late[0])
		at = say(text, size, at, ": %s", s->late);
	if (s->verdict == V_MISSING)
		at = say(text, size, at, ": %s", s->record ? s->end : "nothing else that came in is like it");
	if (s->golden)
		at = say(text, size, at, "\ngolden packet %u", s->golden);
	if (from)
		at = say(text, size, at, "\n%s packet %u of %s",
			 s->maker[0] ? "because of" : "from", from->number, r->port[from->port].name);
	else if (s->record)
		at = say(text, size, at, "\nby a timer of %s", s->maker);
	if (s->path[0])
		say(text, size, at, "\npath %s", s->path);
}

// Interface i is port i; behind them, one for what is missing of each port that has a golden.
static int describe(const struct verdict_run *r, struct capture_writer *w, int missing[BLOB_PORTS_MAX])
{
	for (unsigned i = 1; i < r->ports; i++)
		if (capture_interface(w, r->port[i].name) < 0)
			return -EIO;
	for (unsigned i = 0; i < r->ports; i++) {
		char *name = xasprintf("%s:missing", r->port[i].name);

		missing[i] = r->port[i].golden ? capture_interface(w, name) : 0;
		free(name);
	}
	return 0;
}

static int write_all(const struct verdict_run *r, struct capture_writer *w)
{
	static char text[4096];
	int missing[BLOB_PORTS_MAX], rc = describe(r, w, missing);
	size_t n;
	struct vitem *list = verdict_items(r, true, &n);
	struct vsaid s;

	for (size_t i = 0; !rc && i < n; i++) {
		const struct vport *p = &r->port[list[i].port];
		const struct vpacket *k = vitem_packet(r, &list[i]);

		verdict_say(r, &list[i], &s);
		comment(r, &s, text, sizeof(text));
		rc = capture_write_frame(w, list[i].sent ? list[i].port : (unsigned)missing[list[i].port],
					 vpacket_bytes(list[i].sent ? &p->sent : &p->want, k), k->len, k->len,
					 k->time, text);
	}
	free(list);
	return rc;
}

int verdict_write_out(const struct verdict_run *r, struct err *err)
{
	struct capture_writer w;
	char *temp = beside(r->out);
	int rc = capture_create(&w, temp, r->port[0].name, NULL, err);

	if (rc) {
		free(temp);
		return rc;
	}
	return finish(&w, write_all(r, &w), temp, r->out, err);
}

// --- new goldens ---

static int accept_port(const struct vport *p, struct err *err)
{
	struct capture_writer w;
	char *temp = beside(p->golden);
	int rc = capture_create(&w, temp, p->name, NULL, err);

	if (rc) {
		free(temp);
		return rc;
	}
	for (size_t i = 0; !rc && i < p->sent.n; i++) {
		const struct vpacket *k = &p->sent.list[i];

		rc = capture_write_frame(&w, 0, vpacket_bytes(&p->sent, k), k->len, k->len, k->time, NULL);
	}
	return finish(&w, rc, temp, p->golden, err);
}

int verdict_accept(const struct verdict_run *r, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < r->ports; i++)
		if (r->port[i].golden)
			rc = accept_port(&r->port[i], err);
	return rc;
}
