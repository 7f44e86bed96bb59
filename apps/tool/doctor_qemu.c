// SPDX-License-Identifier: BSD-3-Clause
// doctor_qemu.c - a running QEMU: the memory, queues and threads it gave its guest
//
// By /proc/PID alone: the command line says what was asked for, the maps what it got.
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/doctor.h"
#include "apps/tool/util.h"

#define WORDS_MAX    512u
#define RING_GOOD    1024u
#define RING_DEFAULT 256u // of QEMU's virtio-net

struct qemu {
	char *word[WORDS_MAX]; // of the command line
	unsigned words;
	char *text;
};

static bool command_line(const struct doctor *d, struct qemu *q)
{
	char *path = doctor_path(d, "/proc/%u/cmdline", d->pid);
	struct err err;
	size_t len = 0;
	char *p;

	*q = (struct qemu){.text = file_read(path, 1u << 20, &len, &err)};
	free(path);
	for (p = q->text; p && p < q->text + len && q->words < WORDS_MAX; p += strlen(p) + 1)
		q->word[q->words++] = p;
	return q->words > 0;
}

// The value behind the n-th option of a name, as "-netdev vhost-user,…"; NULL: there are no more.
static const char *nth(const struct qemu *q, const char *name, unsigned n)
{
	for (unsigned i = 1; i + 1 < q->words; i++) {
		const char *word = q->word[i];

		word += word[0] == '-' && word[1] == '-';
		if (!strcmp(word, name) && !n--)
			return q->word[i + 1];
	}
	return NULL;
}

// KEY=VALUE within an option's value, up to the comma; the caller frees it.
static char *suboption(const char *value, const char *key)
{
	size_t n = strlen(key);
	const char *p;

	for (p = value; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
		if (!strncmp(p, key, n) && p[n] == '=')
			return xasprintf("%.*s", (int)strcspn(p + n + 1, ","), p + n + 1);
	return NULL;
}

static unsigned number(const char *value, const char *key, unsigned otherwise)
{
	char *s = suboption(value, key);
	unsigned n = s ? (unsigned)strtoul(s, NULL, 0) : otherwise;

	free(s);
	return n;
}

static bool is(const char *value, const char *key, const char *what)
{
	char *s = suboption(value, key);
	bool yes = s && !strcmp(s, what);

	free(s);
	return yes;
}

static bool vhost_user(const struct qemu *q)
{
	const char *v;

	for (unsigned i = 0; (v = nth(q, "-netdev", i)); i++)
		if (!strncmp(v, "vhost-user", 10) || is(v, "type", "vhost-user"))
			return true;
	return false;
}

struct region {			   // the largest mapping: guest memory
	uint64_t bytes, rss, huge; // kB but the first
	char perms[5];
	char name[96];
};

// /proc/PID/smaps: a line of addresses and permissions, then "Rss:" and its kin. By the line: it is
// long.
static bool guest_memory(const struct doctor *d, struct region *best)
{
	char *path = doctor_path(d, "/proc/%u/smaps", d->pid);
	FILE *f = fopen(path, "re");
	struct region r = {0};
	char line[512];

	free(path);
	*best = r;
	while (f && fgets(line, sizeof(line), f)) {
		uint64_t from, to, kb;
		char perms[5] = "", name[96] = "";

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s %95[^\n]", &from, &to,
			   perms, name) >= 3) {
			if (r.bytes > best->bytes)
				*best = r;
			r = (struct region){.bytes = perms[0] == 'r' && perms[1] == 'w' ? to - from
											: 0};
			memcpy(r.perms, perms, sizeof(perms));
			memcpy(r.name, name, sizeof(name));
		} else if (sscanf(line, "Rss: %" SCNu64, &kb) == 1) {
			r.rss = kb;
		} else if (sscanf(line, "AnonHugePages: %" SCNu64, &kb) == 1 ||
			   sscanf(line, "ShmemPmdMapped: %" SCNu64, &kb) == 1 ||
			   sscanf(line, "Shared_Hugetlb: %" SCNu64, &kb) == 1 ||
			   sscanf(line, "Private_Hugetlb: %" SCNu64, &kb) == 1) {
			r.huge += kb;
		}
	}
	if (r.bytes > best->bytes)
		*best = r;
	if (f)
		fclose(f);
	return best->bytes > 0;
}

static void memory(struct doctor *d, const struct qemu *q)
{
	struct region r;

	if (!guest_memory(d, &r)) {
		doctor_unchecked(d, "guest-memory", "the guest's memory",
				 "/proc/PID/smaps may not be read: run as QEMU's user or root");
		return;
	}
	if (r.perms[3] != 's' && vhost_user(q))
		doctor_add(
			d, "shared-memory", DOCTOR_ERROR,
			xasprintf("the guest's %" PRIu64 " MiB are private to QEMU", r.bytes >> 20),
			xstrdup("a vhost-user back end sees none of it: no packet moves, and "
				"nothing says so"),
			xasprintf("-object memory-backend-memfd,id=m,size=%" PRIu64
				  "M,share=on and "
				  "-machine …,memory-backend=m",
				  r.bytes >> 20));
	else
		doctor_ok(d, "shared-memory", "the guest's %" PRIu64 " MiB are %s", r.bytes >> 20,
			  r.perms[3] == 's' ? "shared" : "private, and no back end wants them");
	if (r.huge * 10 < r.rss * 9)
		doctor_add(d, "guest-hugepages", DOCTOR_NOTE,
			   xasprintf("%" PRIu64 " of the %" PRIu64
				     " MiB the guest has touched are on hugepages",
				     r.huge >> 10, r.rss >> 10),
			   xstrdup("more TLB misses, in the guest and in the back end"),
			   xstrdup("echo advise > "
				   "/sys/kernel/mm/transparent_hugepage/shmem_enabled before it "
				   "starts; or reserved ones: "
				   "hugetlb=on,hugetlbsize=2M,prealloc=on on the "
				   "memory-backend-memfd"));
	else
		doctor_ok(d, "guest-hugepages", "%" PRIu64 " MiB on hugepages", r.huge >> 10);
}

static void netdev_queues(struct doctor *d, const struct qemu *q, const char *netdev)
{
	char *id = suboption(netdev, "id");
	unsigned queues = number(netdev, "queues", 1);
	const char *dev = NULL, *v;

	for (unsigned i = 0; id && !dev && (v = nth(q, "-device", i)); i++)
		if (!strncmp(v, "virtio-net", 10) && is(v, "netdev", id))
			dev = v;
	if (!dev)
		return free(id);
	if (queues > 1 && !is(dev, "mq", "on"))
		doctor_add(d, "mq", DOCTOR_WARNING,
			   xasprintf("netdev %s has %u queues, its device has mq off", id, queues),
			   xstrdup("the guest gets one pair; all its packets go through one lcore"),
			   xasprintf("mq=on,vectors=%u on the device of netdev %s", 2 * queues + 2,
				     id));
	if (number(dev, "rx_queue_size", RING_DEFAULT) < RING_GOOD ||
	    number(dev, "tx_queue_size", RING_DEFAULT) < RING_GOOD)
		doctor_add(
			d, "ring-size", DOCTOR_NOTE,
			xasprintf("netdev %s: rings of %u and %u descriptors", id,
				  number(dev, "rx_queue_size", RING_DEFAULT),
				  number(dev, "tx_queue_size", RING_DEFAULT)),
			xstrdup("bursts and the host's pauses fill them sooner: packets are lost"),
			xasprintf("rx_queue_size=%u,tx_queue_size=%u on its device", RING_GOOD,
				  RING_GOOD));
	if (is(dev, "mrg_rxbuf", "off"))
		doctor_add(
			d, "mrg-rxbuf", DOCTOR_NOTE, xasprintf("netdev %s: mrg_rxbuf=off", id),
			xstrdup("no frame longer than one buffer comes through: no jumbo frames"),
			xasprintf("mrg_rxbuf=on on the device of netdev %s", id));
	free(id);
}

static void netdevs(struct doctor *d, const struct qemu *q)
{
	const char *v, *c;

	for (unsigned i = 0; (v = nth(q, "-netdev", i)); i++) {
		char *dev;

		netdev_queues(d, q, v);
		dev = suboption(v, "chardev");
		for (unsigned k = 0; dev && (c = nth(q, "-chardev", k)); k++)
			if (is(c, "id", dev) && !is(c, "server", "on") &&
			    !number(c, "reconnect", 0) && !strstr(c, ",server"))
				doctor_add(
					d, "reconnect", DOCTOR_NOTE,
					xasprintf("chardev %s does not connect again", dev),
					xstrdup("when the back end restarts, the port stays dead"),
					xasprintf("reconnect=1 on chardev %s", dev));
		free(dev);
	}
}

static void accelerator(struct doctor *d, const struct qemu *q)
{
	const char *accel = nth(q, "-accel", 0), *machine = nth(q, "-machine", 0);
	bool kvm = accel && !strncmp(accel, "kvm", 3);

	if (!machine)
		machine = nth(q, "-M", 0);
	for (unsigned i = 1; i < q->words; i++)
		kvm |= !strcmp(q->word[i], "-enable-kvm");
	kvm |= machine && strstr(machine, "accel=kvm");
	if (kvm)
		doctor_ok(d, "accelerator", "KVM");
	else
		doctor_add(d, "accelerator", DOCTOR_WARNING, xstrdup("QEMU emulates the CPU (TCG)"),
			   xstrdup("about half the packet rate, and no AVX-512"),
			   xstrdup("-accel kvm -cpu host, where /dev/kvm can be used"));
}

// Of n threads with one mask of CPUs: are any kept to fewer CPUs than the process may use?
static void pinning(struct doctor *d)
{
	char *path = doctor_path(d, "/proc/%u/task", d->pid);
	DIR *dir = opendir(path);
	unsigned threads = 0, pinned = 0;
	struct dirent *e;

	free(path);
	while (dir && (e = readdir(dir))) {
		char *status, *list;
		struct cpus cpus;

		if (!isdigit((unsigned char)*e->d_name))
			continue;
		status = doctor_read(d, "/proc/%u/task/%s/status", d->pid, e->d_name);
		list = status ? doctor_field(status, "Cpus_allowed_list") : NULL;
		if (list && doctor_cpulist(list, &cpus)) {
			threads++;
			pinned += cpus.n == 1;
		}
		free(list);
		free(status);
	}
	if (dir)
		closedir(dir);
	if (!threads)
		doctor_unchecked(d, "pinning", "where QEMU's threads run",
				 "/proc/PID/task cannot be read");
	else if (!pinned)
		doctor_add(d, "pinning", DOCTOR_NOTE,
			   xasprintf("none of QEMU's %u threads keeps to one CPU", threads),
			   xstrdup("a polling vCPU wanders, and meets its back end or QEMU's own "
				   "threads on one "
				   "CPU: gaps of milliseconds"),
			   xstrdup("taskset -cp CPU TID for each vCPU (monitor: info cpus); "
				   "libvirt: virsh "
				   "vcpupin"));
	else
		doctor_ok(d, "pinning", "%u of QEMU's %u threads keep to one CPU", pinned, threads);
}

void doctor_qemu(struct doctor *d)
{
	char *comm = doctor_read(d, "/proc/%u/comm", d->pid);
	struct qemu q;

	if (!comm || strncmp(comm, "qemu", 4)) {
		doctor_add(d, "pid", DOCTOR_ERROR,
			   comm ? xasprintf("process %u is %s", d->pid, comm)
				: xasprintf("there is no process %u", d->pid),
			   xstrdup("nothing of a guest was looked at"),
			   xstrdup("pgrep -a qemu shows those that run"));
	} else if (!command_line(d, &q)) {
		doctor_unchecked(d, "qemu-options", "QEMU's options",
				 "/proc/PID/cmdline cannot be read");
	} else {
		accelerator(d, &q);
		memory(d, &q);
		netdevs(d, &q);
		pinning(d);
		free(q.text);
	}
	free(comm);
}
