// SPDX-License-Identifier: BSD-3-Clause
// image.c - main() of an image: run the configured function until told to stop, and report
//
// On the console: lines for people, and figures as `stat NAME VALUE` for `weir boot`. The byte `q` asks
// for the figures and the end, `s` for the figures alone.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/advice.h"
#include "apps/app.h"
#include "apps/control.h"
#include "core/plat.h"
#include "pmd/virtio/console.h"
#include "pmd/virtio/device.h"

#define EXIT_CONFIG 2

static struct app app;

static void emit(void *arg, const char *name, uint64_t value)
{
	printf("stat %s %" PRIu64 "\n", name, value);
}

static uint64_t us_between(uint64_t from, uint64_t to)
{
	return to > from ? clock_tsc_to_ns(&app.lcore[0].loop.clock, to - from) / 1000 : 0;
}

static void report(void)
{
	const struct plat_boot_times *t = &plat_boot_times;

	app_stats(&app, emit, NULL);
	emit(NULL, "memory.arena_bytes", plat_arena_size());
	emit(NULL, "memory.arena_free_bytes", plat_arena_free());
	emit(NULL, "memory.mbufs", mempool_count(app.pool));
	emit(NULL, "boot.monitor_us", us_between(t->entry, t->libos));
	emit(NULL, "boot.libos_us", us_between(t->libos, t->main));
	emit(NULL, "boot.ports_us", us_between(t->main, app.ports_tsc));
	emit(NULL, "boot.function_us", us_between(app.ports_tsc, app.ready_tsc));
	emit(NULL, "boot.first_packet_us", us_between(app.ready_tsc, app.first_tx_tsc));
	fflush(stdout);
}

// One line a tick: under nested KVM a byte of the console costs a tenth of a millisecond.
static bool introduce_port(const struct app *a)
{
	static unsigned next;
	char queues[PORT_QUEUES_MAX * 24];

	if (next == a->ports)
		return false;
	app_port_queues(a, next, queues, sizeof(queues));
	printf("weir: port %s: %s%s%s\n", a->port[next].name, a->port[next].grant.text,
	       a->lcores > 1 ? "; " : "", a->lcores > 1 ? queues : "");
	fflush(stdout);
	next++;
	return true;
}

// What the host gave too little of, behind the ports.
static void advise(const struct app *a)
{
	static struct advice advice;
	char line[200];

	if (!advice_next(&advice, a, line, sizeof(line)))
		return;
	printf("weir: amiss: %s\n", line);
	fflush(stdout);
}

static int console_tick(struct app *a)
{
	int c = plat_console_getc();

	if (!introduce_port(a))
		advise(a);
	if (c == 's')
		report();
	return c == 'q';
}

// The control channel, where the machine has a virtio console. Without one all else goes on.
static void open_control(void)
{
	struct virtio_transport *t = NULL;
	struct stream *s = NULL;
	struct err err;
	int r = virtio_device_open_console(&t, &err);

	if (r == -ENODEV)
		return;
	if (!r)
		s = virtio_console_open(t, &err);
	if (s && control_create(&app, &err) && !control_add(app.control, s))
		printf("weir: control channel: %s\n", t->name);
	else
		printf("weir: no control channel: %s\n", err.text);
	fflush(stdout);
}

static int run(void)
{
	struct graph_books books;
	struct err err;
	bool balanced;

	app_run(&app);
	report();
	control_destroy(app.control);
	balanced = app_books(&app, &books);
	if (app_stop(&app, &err)) {
		printf("weir: %s\n", err.text);
		return EXIT_FAILURE;
	}
	return balanced ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(void)
{
	struct app_conf conf = {.clock = CLOCK_REAL};
	struct err err;

	conf.blob = plat_blob(&conf.blob_len);
	if (!conf.blob) {
		printf("weir: no configuration: pack one (`weir pack FILE -o IMAGE`) or give it as "
		       "-initrd\n");
		return EXIT_CONFIG;
	}
	if (app_start(&app, &conf, &err)) {
		printf("weir: %s\n", err.text);
		return EXIT_CONFIG;
	}
	open_control();
	if (plat_seal()) {
		printf("weir: the page tables could not be sealed\n");
		return EXIT_FAILURE;
	}
	app.tick = console_tick;
	printf("weir: ready: %s\n", app.function->name);
	fflush(stdout);
	return run();
}
