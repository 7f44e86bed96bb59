// SPDX-License-Identifier: BSD-3-Clause
// cmd_boot.c - weir boot: a configuration as an image under QEMU
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/app.h"
#include "apps/pktgen/pktgen.h"
#include "apps/tool/qemu_args.h"
#include "apps/tool/qemu_run.h"
#include "apps/replay/replay.h"
#include "apps/tool/replay_load.h"
#include "apps/tool/tool.h"
#include "apps/tool/util.h"
#include "core/linux/socket.h"

#define NETS_MAX   16u
#define MBUF_BYTES 2560u // of a buffer with all that goes with it

struct boot {
	struct config c;
	const char *file, *image, *control;
	const char *accel, *machine;
	unsigned memory, cpus, duration;
	bool json, dry_run;
	struct qemu_net net[NETS_MAX];
	char mac[NETS_MAX][18];
	unsigned nets;
	char *vhost[NETS_MAX]; // as given: NAME=SOCKET
	unsigned vhosts;
};

// The number N of a port's device "virtio:N"; -1 when it is another driver's.
static int virtio_unit(const struct config_port *p)
{
	unsigned n;

	return !strcmp(p->driver, "virtio") && text_number(p->args, 0, NETS_MAX - 1, &n) ? (int)n : -1;
}

static int take_vhost(struct boot *b, char *arg, struct err *err)
{
	char *path;
	int port = split_port(&b->c, arg, &path, err);
	int unit = port < 0 ? -1 : virtio_unit(&b->c.ports[port]);
	char *comma;

	if (port < 0)
		return port;
	if (unit < 0)
		return err_set(err, -EINVAL, "%s: its device is %s:%s, expected virtio:N (N < %u)",
			       arg, b->c.ports[port].driver, b->c.ports[port].args, NETS_MAX);
	if (b->net[unit].socket)
		return err_set(err, -EINVAL, "--vhost %s is there twice: expected it once", arg);
	comma = strrchr(path, ',');
	if (comma && !strcmp(comma, ",server")) {
		*comma = 0;
		b->net[unit].server = true;
	}
	b->net[unit].socket = path;
	b->net[unit].queues = b->c.ports[port].blob.queues ? b->c.ports[port].blob.queues :
							     b->c.params.lcores;
	if (b->c.ports[port].blob.flags & BLOB_PORT_MAC) {
		const uint8_t *m = b->c.ports[port].blob.mac;

		snprintf(b->mac[unit], sizeof(b->mac[unit]), "%02x:%02x:%02x:%02x:%02x:%02x", m[0],
			 m[1], m[2], m[3], m[4], m[5]);
		b->net[unit].mac = b->mac[unit];
	}
	return 0;
}

// Every virtio port has its socket, and units count from 0 without holes.
static int check_nets(struct boot *b, struct err *err)
{
	size_t i;
	int unit;

	for (i = 0; i < b->c.n_ports; i++) {
		const struct config_port *p = &b->c.ports[i];

		if (strcmp(p->driver, "virtio") && strcmp(p->driver, "null") &&
		    strcmp(p->driver, "loop"))
			return err_set(err, -EINVAL,
				       "port %s: an image has no %s driver: expected virtio:N, null or "
				       "loop", p->name, p->driver);
		if (strcmp(p->driver, "virtio"))
			continue;
		unit = virtio_unit(p);
		if (unit < 0)
			return err_set(err, -EINVAL, "port %s: virtio:%s: expected virtio:N, N < %u",
				       p->name, p->args, NETS_MAX);
		if (!b->net[unit].socket)
			return err_set(err, -EINVAL, "port %s: expected --vhost %s=SOCKET", p->name,
				       p->name);
		if ((unsigned)unit >= b->nets)
			b->nets = (unsigned)unit + 1;
	}
	for (i = 0; i < b->nets; i++)
		if (!b->net[i].socket)
			return err_set(err, -EINVAL,
				       "virtio:%zu belongs to no port: number the devices from 0", i);
	return 0;
}

// QEMU's own message for this would be an errno without the remedy.
static int check_sockets(const struct boot *b, struct err *err)
{
	struct stat st;
	unsigned i;

	for (i = 0; i < b->nets; i++) {
		const struct qemu_net *n = &b->net[i];

		if (!n->server && (stat(n->socket, &st) < 0 || !S_ISSOCK(st.st_mode)))
			return err_set(err, -ENOENT,
				       "%s: no back end listens there: start it first, or write "
				       "%s,server and QEMU waits for it", n->socket, n->socket);
	}
	return 0;
}

static bool one_of(const char *s, const char *a, const char *b, const char *c)
{
	return !strcmp(s, a) || !strcmp(s, b) || (c && !strcmp(s, c));
}

static int options(struct boot *b, const struct command *cmd, int argc, char **argv)
{
	static const struct option list[] = {
		{"help", no_argument, 0, 'h'},	     {"vhost", required_argument, 0, 'v'},
		{"accel", required_argument, 0, 'a'},   {"machine", required_argument, 0, 'm'},
		{"memory", required_argument, 0, 'M'},  {"cpus", required_argument, 0, 'c'},
		{"image", required_argument, 0, 'i'},   {"duration", required_argument, 0, 'd'},
		{"json", no_argument, 0, 'j'},	     {"dry-run", no_argument, 0, 'n'},
		{"control", required_argument, 0, 's'},
		{0},
	};
	static const char *const expected[] = {
		['v'] = "no more than 16 of them",
		['a'] = "auto, kvm or tcg",
		['m'] = "microvm or q35",
		['M'] = "16 to 1048576 MiB",
		['c'] = "1 to 64",
		['d'] = "1 to 86400 seconds",
	};
	int opt, which = 0;

	while ((opt = getopt_long(argc, argv, ":h", list, &which)) != -1) {
		bool good = true;

		if (opt == 'v') {
			good = b->vhosts < NETS_MAX;
			if (good)
				b->vhost[b->vhosts++] = optarg;
		} else if (opt == 'a') {
			good = one_of(b->accel = optarg, "auto", "kvm", "tcg");
		} else if (opt == 'm') {
			good = one_of(b->machine = optarg, "microvm", "q35", NULL);
		} else if (opt == 'M') {
			good = text_number(optarg, 16, 1u << 20, &b->memory);
		} else if (opt == 'c') {
			good = text_number(optarg, 1, 64, &b->cpus);
		} else if (opt == 'd') {
			good = text_number(optarg, 1, 86400, &b->duration);
		} else if (opt == 'i') {
			b->image = optarg;
		} else if (opt == 's') {
			b->control = optarg;
		} else if (opt == 'j') {
			b->json = true;
		} else if (opt == 'n') {
			b->dry_run = true;
		} else {
			return usage_option(cmd, argc, argv, opt) ? EXIT_USAGE : -1;
		}
		if (!good)
			return usage_error(cmd, "--%s %s: expected %s", list[which].name, optarg,
					   expected[opt]);
	}
	if (optind + 1 != argc)
		return usage_error(cmd, "expected one FILE");
	b->file = argv[optind];
	return 0;
}

static int report(struct boot *b, struct qemu_result *r)
{
	struct figures *f = &r->figures;
	int code = WIFEXITED(r->status) ? WEXITSTATUS(r->status) : -1;

	if (b->json)
		figures_print_json(f, stdout);
	else if (figures_get(f, "loop.turns")) // it did report
		figures_print_table(f, stdout);
	if (r->killed && !r->ready_us)
		fprintf(stderr, "weir boot: ended before the image was ready: QEMU waits for a back "
				"end of --vhost, or see above\n");
	else if (r->killed)
		fprintf(stderr, "weir boot: the image did not answer and was ended\n");
	else if (code == 127)
		return EXIT_JOB; // said by the child
	else if (code != QEMU_EXIT_GOOD)
		fprintf(stderr, "weir boot: the image or QEMU failed (QEMU's exit status %d): see "
				"above, and core/x86_64/README.md for the codes\n", code);
	else if (!figures_balanced(f))
		fprintf(stderr, "weir boot: the books do not balance\n");
	else
		return 0;
	return EXIT_JOB;
}

// The packed image in memory: QEMU opens it by our descriptor's name, which it inherits.
static int image_fd(const void *data, size_t len, struct err *err)
{
	int fd = memfd_create("weir-image", 0);
	size_t done = 0;
	ssize_t n;

	while (fd >= 0 && done < len) {
		n = write(fd, (const char *)data + done, len - done);
		if (n <= 0) {
			close(fd);
			fd = -1;
		} else {
			done += (size_t)n;
		}
	}
	return fd < 0 ? err_set(err, -errno, "an image in memory: %s", strerror(errno)) : fd;
}

static int dry_run(const struct boot *b, struct qemu_conf *q)
{
	char *packed = xasprintf("%s.elf", b->file);
	struct args args = {0}, pack = {0};
	char *words[] = {"weir", "pack", (char *)b->file, "-o", packed, NULL, NULL, NULL};

	if (b->image) {
		words[5] = "--image";
		words[6] = (char *)b->image;
	}

	pack.v = words;
	args_print(&pack, stdout);
	q->kernel = packed;
	qemu_args(&args, q);
	args_print(&args, stdout);
	args_free(&args);
	free(packed);
	return 0;
}

// QEMU removes the sockets it listens on, but not when it is killed.
static void remove_sockets(const struct boot *b)
{
	struct stat st;
	unsigned i;

	for (i = 0; i < b->nets; i++)
		if (b->net[i].server && !lstat(b->net[i].socket, &st) && S_ISSOCK(st.st_mode))
			unlink(b->net[i].socket);
}

// Ours, so that it is for this user alone, and a stale one no hindrance.
static int listen_control(const struct boot *b, struct qemu_conf *q, struct err *err)
{
	struct err why;

	if (!b->control)
		return 0;
	q->control_fd = socket_bind(b->control, &why);
	return q->control_fd < 0 ? err_set(err, q->control_fd, "--control %.400s", why.text) : 0;
}

static void unlisten_control(const struct boot *b, const struct qemu_conf *q)
{
	if (!b->control || q->control_fd < 0)
		return;
	unlink(b->control);
	close(q->control_fd);
}

static int boot(struct boot *b, struct qemu_conf *q, const void *blob, size_t len, struct err *err)
{
	char *path = image_path(b->image, b->c.function), name[32];
	struct qemu_result result;
	struct args args = {0};
	size_t packed;
	void *file = image_pack(path, blob, len, &packed, err);
	int rc, fd = file ? image_fd(file, packed, err) : -1;

	free(file);
	free(path);
	if (fd >= 0 && listen_control(b, q, err)) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		return -1;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	q->kernel = name;
	qemu_args(&args, q);
	rc = qemu_run(&args, b->duration, b->json ? stderr : stdout, &result, err);
	if (!rc) {
		remove_sockets(b);
		// Next to the image's own boot.* figures: one group.
		figures_add(&result.figures, "boot.host_ready_us", result.ready_us);
		figures_add(&result.figures, "image.bytes", packed);
		figures_add(&result.figures, "image.memory_mib", q->memory);
		rc = report(b, &result);
	}
	unlisten_control(b, q);
	figures_free(&result.figures);
	args_free(&args);
	close(fd);
	return rc;
}

// Packet buffers, where the configuration says no number: as app_start() counts them.
static uint64_t buffers(const struct boot *b, const struct blob *checked)
{
	uint64_t lcores = b->c.params.lcores, n = APP_MBUFS(b->c.n_ports, lcores);

	for (const struct function *const *f = function_list; checked && *f; f++)
		if (!strcmp((*f)->name, b->c.function) && (*f)->holds)
			n += lcores * (*f)->holds(checked);
	return n;
}

// MiB: the packet buffers, the table in the blob and about four times its size as a lookup
// structure, and plenty for the rest.
static unsigned memory_needed(const struct boot *b, const void *blob, size_t blob_len)
{
	struct blob checked;
	bool good = !blob_open(&checked, blob, blob_len, NULL), plays = b->c.replay.given && good;
	uint64_t mbufs = b->c.params.mbufs ? b->c.params.mbufs : buffers(b, good ? &checked : NULL);

	if (plays) // the packets once in the blob and once in buffers
		return 48 + (unsigned)((mbufs * MBUF_BYTES + blob_len + replay_memory(&checked)) >> 20);
	return 48 + (unsigned)((mbufs * MBUF_BYTES + 5 * blob_len + (good ? pktgen_memory(&checked) : 0)) >> 20);
}

static int prepare_and_boot(struct boot *b)
{
	struct qemu_conf q = {.machine = b->machine, .cpus = b->cpus, .net = b->net,
			      .control = b->control, .control_fd = -1};
	struct err err = {""};
	size_t len;
	void *blob;
	unsigned i;
	int rc = 0;

	if (!q.cpus)
		q.cpus = b->c.params.lcores;
	if (q.cpus < b->c.params.lcores)
		rc = err_set(&err, -EINVAL, "--cpus %u: the configuration has lcores: %u, a CPU each",
			     q.cpus, b->c.params.lcores);
	for (i = 0; !rc && i < b->vhosts; i++)
		rc = take_vhost(b, b->vhost[i], &err);
	if (!rc)
		rc = check_nets(b, &err);
	if (!rc && !b->dry_run)
		rc = check_sockets(b, &err);
	if (rc) {
		fprintf(stderr, "weir boot: %s\n", err.text);
		return EXIT_USAGE;
	}
	blob = config_blob(&b->c, &len);
	q.nets = b->nets;
	q.accel = strcmp(b->accel, "auto") ? b->accel : qemu_accel_auto();
	q.memory = b->memory ? b->memory : memory_needed(b, blob, len);
	rc = b->dry_run ? dry_run(b, &q) : boot(b, &q, blob, len, &err);
	free(blob);
	if (rc >= 0)
		return rc;
	fprintf(stderr, "weir boot: %s\n", err.text);
	return EXIT_JOB;
}

int cmd_boot(const struct command *cmd, int argc, char **argv)
{
	struct boot b = {.accel = "auto", .machine = "microvm"};
	int rc = options(&b, cmd, argc, argv);

	if (rc)
		return rc < 0 ? 0 : rc;
	if (!load_config(&b.c, b.file))
		return EXIT_USAGE;
	rc = replay_load_image("weir boot", &b.c) ? EXIT_USAGE : prepare_and_boot(&b);
	config_free(&b.c);
	return rc;
}
