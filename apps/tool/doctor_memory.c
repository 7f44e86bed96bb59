// SPDX-License-Identifier: BSD-3-Clause
// doctor_memory.c - what packet memory can be made of: hugepages, transparent ones, enough of
// either
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apps/app.h"
#include "apps/tool/doctor.h"
#include "apps/tool/util.h"

#define MBUF_BYTES 2560u // of a buffer with all that goes with it
#define MIB	   (1u << 20)
#define ARENA_MIB  256u // weir run --memory, when not given
#define THP	   "/sys/kernel/mm/transparent_hugepage/"

// kB of /proc/meminfo; false: not there.
static bool meminfo(const char *text, const char *key, uint64_t *value)
{
	char *s = text ? doctor_field(text, key) : NULL;
	bool ok = s && sscanf(s, "%" SCNu64, value) == 1;

	free(s);
	return ok;
}

// What the configuration's buffers take, in MiB.
static uint64_t wanted(const struct doctor *d)
{
	const struct config *c = d->c;

	if (!c)
		return ARENA_MIB;
	return ((uint64_t)(c->params.mbufs ? c->params.mbufs
					   : APP_MBUFS((uint32_t)c->n_ports, c->params.lcores)) *
			MBUF_BYTES +
		MIB - 1) /
		       MIB +
	       1;
}

// "always [madvise] never": what is chosen; the caller frees it.
static char *chosen(const struct doctor *d, const char *name)
{
	char *text = doctor_read(d, THP "%s", name), *open, *out;

	open = text ? strchr(text, '[') : NULL;
	out = open ? xasprintf("%.*s", (int)strcspn(open + 1, "]"), open + 1) : NULL;
	free(text);
	return out;
}

static void hugepages(struct doctor *d, const char *info)
{
	uint64_t free_pages = 0, size = 0;
	char *thp = chosen(d, "shmem_enabled");
	bool transparent = thp && strcmp(thp, "never") && strcmp(thp, "deny");

	if (!meminfo(info, "HugePages_Free", &free_pages) ||
	    !meminfo(info, "Hugepagesize", &size)) {
		doctor_unchecked(d, "hugepages", "hugepages", "/proc/meminfo does not say");
	} else if (free_pages * size / 1024 >= ARENA_MIB) {
		doctor_ok(d, "hugepages", "%" PRIu64 " of %" PRIu64 " kB are free", free_pages,
			  size);
	} else if (transparent) {
		doctor_ok(d, "hugepages",
			  "none reserved, but shared memory gets transparent ones (%s)", thp);
	} else {
		doctor_add(d, "hugepages", DOCTOR_NOTE,
			   xasprintf("%" PRIu64 " hugepages are free, and shared memory gets no "
				     "transparent ones (shmem_enabled: %s)",
				     free_pages, thp ? thp : "not in this kernel"),
			   xstrdup("packet memory and guests' memory are of 4 KiB pages: more TLB "
				   "misses, "
				   "and a page fault where a buffer is used first"),
			   xstrdup(thp ? "echo advise > " THP "shmem_enabled; or echo 512 > "
					 "/proc/sys/vm/nr_hugepages, for QEMU with hugetlb=on,"
					 "hugetlbsize=2M,prealloc=on on its memory-backend-memfd"
				       : "echo 512 > /proc/sys/vm/nr_hugepages; QEMU: hugetlb=on,"
					 "hugetlbsize=2M,prealloc=on on its memory-backend-memfd"));
	}
	free(thp);
}

static void enough(struct doctor *d, const char *info)
{
	uint64_t available, want = wanted(d);

	if (!meminfo(info, "MemAvailable", &available)) {
		doctor_unchecked(d, "memory", "free memory", "/proc/meminfo does not say");
		return;
	}
	available /= 1024;
	if (want > available)
		doctor_add(d, "memory", DOCTOR_ERROR,
			   xasprintf("%s needs about %" PRIu64 " MiB, %" PRIu64
				     " MiB are available",
				     d->c ? d->file : "weir run", want, available),
			   xstrdup("it is ended by the kernel for want of memory when the buffers "
				   "are used"),
			   xstrdup("fewer mbufs in the configuration, or weir run --memory with "
				   "less"));
	else
		doctor_ok(d, "memory", "%" PRIu64 " MiB available, about %" PRIu64 " needed",
			  available, want);
	if (d->c && want > ARENA_MIB - 16)
		doctor_add(d, "arena", DOCTOR_ERROR,
			   xasprintf("the buffers of %s take about %" PRIu64
				     " MiB; packet memory is %u MiB "
				     "unless --memory says more",
				     d->file, want, ARENA_MIB),
			   xstrdup("weir run stops at start: no room for the buffers"),
			   xasprintf("weir run --memory %" PRIu64, (want + 31) / 16 * 16));
}

void doctor_memory(struct doctor *d)
{
	char *info = doctor_read(d, "/proc/meminfo");

	hugepages(d, info);
	enough(d, info);
	free(info);
}
