// SPDX-License-Identifier: BSD-3-Clause
// verdict_store.c - packets and their bytes; goldens read
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "apps/tool/tool.h"
#include "apps/tool/util.h"
#include "apps/tool/verdict.h"

static _Noreturn void die_no_disk(void)
{
	fprintf(stderr, "weir replay: a temporary file: %s: make room, or point TMPDIR elsewhere\n",
		strerror(errno));
	exit(EXIT_JOB);
}

// A file without a name, in TMPDIR.
static FILE *open_nameless(void)
{
	const char *folder = getenv("TMPDIR");
	char *path = xasprintf("%s/weir-XXXXXX", folder && *folder ? folder : "/tmp");
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w+b");

	if (!f || remove(path))
		die_no_disk();
	free(path);
	return f;
}

static void keep(struct vpackets *p, const void *data, uint32_t len)
{
	if (!p->file)
		p->file = open_nameless();
	if (len && fwrite(data, 1, len, p->file) != len)
		die_no_disk();
	p->size += len;
	p->last_len = len <= VLAST_MAX ? len : 0;
	memcpy(p->last, data, p->last_len);
}

struct vpacket *vpackets_add(struct vpackets *p, const void *data, uint32_t len, uint64_t time,
			     const struct vignore *g)
{
	static struct vframe f;
	bool again = len && p->last_len == len && !memcmp(p->last, data, len);
	struct vpacket *k;

	p->list = array_add(p->list, &p->n, &p->room, sizeof(*p->list));
	k = &p->list[p->n - 1];
	if (again) {
		*k = k[-1];
	} else {
		k->off = p->size;
		k->len = len;
		vframe_dissect(&f, data, len);
		k->exact = vframe_exact(&f, g);
		k->identity = vframe_identity(&f, g);
		keep(p, data, len);
	}
	k->time = time;
	k->record = 0;
	k->pair = k->gap = VNONE;
	k->verdict = V_UNJUDGED;
	return k;
}

void vpackets_done(struct vpackets *p)
{
	void *map;

	if (!p->size)
		return;
	if (fflush(p->file))
		die_no_disk();
	map = mmap(NULL, p->size, PROT_READ, MAP_PRIVATE, fileno(p->file), 0);
	if (map == MAP_FAILED)
		die_no_memory();
	p->bytes = map;
}

void vpackets_free(struct vpackets *p)
{
	if (p->bytes)
		munmap((void *)(uintptr_t)p->bytes, p->size);
	if (p->file)
		fclose(p->file);
	free(p->list);
	*p = (struct vpackets){0};
}

static void skip_others(struct capture_reader *c, int iface)
{
	while (c->data && iface >= 0 && c->iface != (uint32_t)iface)
		capture_next(c);
}

int verdict_open(struct capture_reader *c, const char *path, const char *port, int *iface, struct err *err)
{
	int rc = capture_open(c, path, err);

	*iface = -1;
	if (rc)
		return rc;
	for (uint32_t i = 0; i < c->n_ifaces; i++)
		if (!strcmp(c->ifaces[i].name, port))
			*iface = (int)i;
	skip_others(c, *iface);
	return 0;
}

void verdict_next(struct capture_reader *c, int iface)
{
	capture_next(c);
	skip_others(c, iface);
}

int verdict_read_golden(struct verdict_run *r, struct vport *p, struct err *err)
{
	struct capture_reader c;
	int iface, rc = verdict_open(&c, p->golden, p->name, &iface, err);

	if (rc)
		return rc;
	for (; c.data; verdict_next(&c, iface)) {
		vpackets_add(&p->want, c.data, c.caplen, c.time, &r->ignore);
		p->want_snapped += c.caplen < c.len;
	}
	if (c.error)
		rc = err_set(err, c.error, "%s", c.err.text);
	capture_close(&c);
	vpackets_done(&p->want);
	return rc;
}
