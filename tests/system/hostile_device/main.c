// SPDX-License-Identifier: BSD-3-Clause
// main.c - a hostile vhost-user back end, told on its standard input when to sin
//
// hostile-device SOCKET [packed=0] [merge=0] [indirect=0] [offloads=1] [frame=BYTES]. Commands,
// each answered by one line (list: by several, the last is "end"): list | good N MS | sin NAME RING
// SEED | wire NAME VARIANT SEED | mix N SEED | quit. After a sin traffic has to flow again:
// "recovered MS starts N cuts N", "stuck …" when it does not within 10 s, "skipped" when there was
// no occasion. Lines with # are remarks.
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "device.h"

#define PATIENCE_MS 10000u
#define PROBE	    64u

static unsigned starts(const struct device *d)
{
	return d->q[RX].starts + d->q[TX].starts;
}

static const char *commit(struct device *d, const struct sin *s, unsigned queue, int *ms)
{
	uint64_t since = now_ms();

	if (!sin_commit(d, s, queue))
		return "skipped";
	if (traffic_recovers(d, PROBE, PATIENCE_MS) < 0)
		return "stuck";
	*ms = (int)(now_ms() - since); // 30 where nothing needs mending: freeze()
	return "recovered";
}

static void do_sin(struct device *d, const char *name, unsigned queue, uint64_t seed)
{
	unsigned began = starts(d), cuts = d->cuts;
	const char *how = "unknown";
	int ms = 0;

	d->rng = seed | 1;
	for (unsigned i = 0; i < sins_count; i++)
		if (!strcmp(sins[i].name, name))
			how = commit(d, &sins[i], queue & 1, &ms);
	printf("%s %d starts %u cuts %u\n", how, ms, starts(d) - began, d->cuts - cuts);
}

// Where the sin lies in stopping a ring, the front end needs a reason to stop it; else to come
// anew.
static const char *commit_wire(struct device *d, const struct wire_sin *w, unsigned variant,
			       int *ms)
{
	unsigned connects = d->connects;

	d->wire = w;
	d->wire_arg = variant;
	if (!strcmp(w->name, "base")) {
		ring_put(d, RX, 0xffff, 0, 1);
		ring_publish(d, RX);
	} else {
		vhost_cut(d);
	}
	for (unsigned i = 0; i < 7000 && d->wire; i++)
		device_run(d, 1);
	// What a front end cannot work with it may keep as it is: only a new connection mends that.
	*ms = traffic_recovers(d, PROBE, 500);
	if (*ms < 0 && d->fd >= 0 && d->connects - connects < 2)
		vhost_cut(d);
	if (*ms < 0)
		*ms = traffic_recovers(d, PROBE, PATIENCE_MS);
	if (d->wire) {
		d->wire = NULL;
		return "skipped";
	}
	return *ms < 0 ? "stuck" : "recovered";
}

static void do_wire(struct device *d, const char *name, unsigned variant, uint64_t seed)
{
	unsigned began = starts(d), cuts = d->cuts;
	const char *how = "unknown";
	int ms = 0;

	d->rng = seed | 1;
	for (unsigned i = 0; i < wire_sins_count; i++)
		if (!strcmp(wire_sins[i].name, name))
			how = commit_wire(d, &wire_sins[i], variant, &ms);
	printf("%s %d starts %u cuts %u\n", how, ms, starts(d) - began, d->cuts - cuts);
}

// n sins picked by the seed, up to four before traffic has to flow.
static void do_mix(struct device *d, unsigned n, uint64_t seed)
{
	unsigned began = starts(d), cuts = d->cuts, done = 0;
	int ms = 0, worst = 0;

	d->rng = seed | 1;
	while (done < n && ms >= 0) {
		unsigned at_once = 1 + rnd(d) % 4;

		for (unsigned i = 0; i < at_once; i++) {
			const struct sin *s = &sins[rnd(d) % sins_count];
			unsigned queue = rnd(d) & 1;

			if ((s->rings & 1u << queue) && (s->kinds & (ring_packed(d) ? 2 : 1)) &&
			    sin_commit(d, s, queue)) {
				printf("# %s %u\n", s->name, queue);
				done++;
			}
		}
		ms = traffic_recovers(d, PROBE, PATIENCE_MS);
		worst = ms > worst ? ms : worst;
	}
	printf("%s %d starts %u cuts %u sins %u\n", ms < 0 ? "stuck" : "recovered", worst,
	       starts(d) - began, d->cuts - cuts, done);
}

static void list(void)
{
	for (unsigned i = 0; i < sins_count; i++)
		printf("sin %s %u %u %s\n", sins[i].name, sins[i].rings, sins[i].kinds,
		       sins[i].counted);
	for (unsigned i = 0; i < wire_sins_count; i++)
		printf("wire %s %u\n", wire_sins[i].name, wire_sins[i].variants);
	puts("end");
}

static bool command(struct device *d, char *line)
{
	char name[64];
	unsigned a, b;

	if (!strncmp(line, "quit", 4))
		return false;
	if (!strncmp(line, "list", 4))
		list();
	else if (sscanf(line, "good %u %u", &a, &b) == 2)
		printf("%s wrong %llu\n", traffic_recovers(d, a, b) < 0 ? "stuck" : "good",
		       (unsigned long long)d->wrong);
	else if (sscanf(line, "sin %63s %u %u", name, &a, &b) == 3)
		do_sin(d, name, a, b);
	else if (sscanf(line, "wire %63s %u %u", name, &a, &b) == 3)
		do_wire(d, name, a, b);
	else if (sscanf(line, "mix %u %u", &a, &b) == 2)
		do_mix(d, a, b);
	else
		puts("what?");
	fflush(stdout);
	return true;
}

static int listen_at(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	unlink(path);
	return fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 4) ? -1 : fd;
}

static unsigned option(int argc, char **argv, const char *name, unsigned otherwise)
{
	size_t n = strlen(name);

	for (int i = 2; i < argc; i++)
		if (!strncmp(argv[i], name, n) && argv[i][n] == '=')
			return (unsigned)atoi(argv[i] + n + 1);
	return otherwise;
}

int main(int argc, char **argv)
{
	static struct device d;
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	char line[256];

	if (argc < 2)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdin, NULL, _IONBF, 0);
	d = (struct device){.path = argv[1], .fd = -1, .rng = 1, .judged = UINT64_MAX};
	d.q[RX].kick = d.q[RX].call = d.q[TX].kick = d.q[TX].call = -1;
	d.frame_most = option(argc, argv, "frame", 1514);
	d.offers = F_VERSION_1 | F_PROTOCOL;
	d.offers |= option(argc, argv, "merge", 1) ? F_MRG_RXBUF : 0;
	d.offers |= option(argc, argv, "packed", 1) ? F_RING_PACKED : 0;
	d.offers |= option(argc, argv, "indirect", 1) ? F_INDIRECT : 0;
	if (option(argc, argv, "offloads", 0))
		d.offers |= F_CSUM | F_GUEST_CSUM | F_GUEST_TSO4 | F_GUEST_TSO6;
	d.protocol_offers = P_REPLY_ACK | P_MQ;
	if (d.frame_most > FRAME_MOST || (d.listener = listen_at(argv[1])) < 0) {
		perror(argv[1]);
		return 1;
	}
	for (;;) {
		device_run(&d, 1);
		if (poll(&in, 1, 0) == 1 &&
		    (!fgets(line, sizeof(line), stdin) || !command(&d, line)))
			break;
	}
	vhost_cut(&d);
	unlink(argv[1]);
	return 0;
}
