// SPDX-License-Identifier: BSD-3-Clause
// port_main.c - a program that drives one virtio port without a graph: receives, sends, or sends
// back what it receives; an image, and the same loop hosted
//
// Arguments (of the kernel command line, or of the process): driver=NAME port=ARGS mode=rx|tx|echo
// seconds=N packets=N size=N rx=N tx=N mtu=N pairs=N offloads=BITS. Ends after the seconds, or a
// moment after so many packets, or by `q` on the console, by printing the figures of the port, one
// `name value` a line, and what the second half of the time saw. `s` on the console prints the
// figures so far. One thread drives all queue pairs, in turn.
#include "port_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plat.h"
#include "mempool/mempool.h"
#include "pmd/port.h"

#define BURST	      32u
#define TURNS_A_CHECK 256u
#define CONSOLE_EVERY (NSEC_PER_SEC / 10) // a look at it is an exit in a virtual machine

struct run {
	struct port port;
	struct clock clock;
	struct mempool *pool;
	const char *mode;
	unsigned seconds, size;
	uint64_t wanted, total, unsent; // packets
	uint64_t end, next_console;
	bool up, quit;
	struct half {
		uint64_t packets, turns, empty, busy_cycles;
		uint64_t whole_packets, whole_cycles; // of turns in which every packet was taken
	} half;					      // the second half of the time
};

static const char *arg(int argc, char **argv, const char *name, const char *otherwise)
{
	size_t n = strlen(name);

	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], name, n) && argv[i][n] == '=')
			return argv[i] + n + 1;
	return otherwise;
}

static unsigned long long since_entry(uint64_t tsc)
{
	return (tsc - plat_boot_times.entry) / (plat_tsc_hz() / 1000000);
}

static int open_port(struct run *r, int argc, char **argv)
{
	struct mempool_conf pool = {
		.name = "rx",
		.count = (uint32_t)atoi(arg(argc, argv, "pool", "8192")),
	};
	struct port_conf conf = {
		.name = "p0",
		.driver = arg(argc, argv, "driver", "virtio"),
		.args = arg(argc, argv, "port", "0"),
		.clock = &r->clock,
		.queues = (uint16_t)atoi(arg(argc, argv, "pairs", "1")),
		.mtu = (uint16_t)atoi(arg(argc, argv, "mtu", "0")),
		.offloads = (uint32_t)strtoul(arg(argc, argv, "offloads", "0"), NULL, 0),
		.rx_size = (uint16_t)atoi(arg(argc, argv, "rx", "0")),
		.tx_size = (uint16_t)atoi(arg(argc, argv, "tx", "0")),
	};
	struct err err;
	uint64_t t0, t1;

	conf.pool = r->pool = mempool_create(&pool, &err);
	t0 = tsc_read();
	if (!conf.pool || port_open(&r->port, &conf, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	t1 = tsc_read();
	printf("granted %s\n", r->port.grant.text);
	printf("granted mtu %u rx %u tx %u pairs %u offloads %#x\n", r->port.grant.mtu,
	       r->port.grant.rx_size, r->port.grant.tx_size, r->port.grant.queues,
	       r->port.grant.offloads);
	if (plat_boot_times.entry)
		printf("entry to main %llu us, to mempool %llu us, to port open %llu us\n",
		       since_entry(plat_boot_times.main), since_entry(t0), since_entry(t1));
	fflush(stdout);
	return 0;
}

// Ethernet broadcast, IPv4 (RFC 791) from 198.18.0.1 to 198.18.0.2 (RFC 2544), UDP (RFC 768)
// ports 9.
static uint8_t template[42] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0,	 0,  0, 1, 0x08, 0, // Ethernet
	0x45, 0,    0,	  0,	0,    0,    0,	  0, 64, 17, 0, 0, 198,	 18,
	0,    1,    198,  18,	0,    2,    0,	  9, 0,	 9,  0, 0, 0,	 0, // no UDP checksum
};

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

// Makes the lengths of the headers right for frames of `size` bytes, and the IPv4 checksum.
static void template_for(unsigned size)
{
	uint32_t sum = 0;

	put16(template + 16, size - 14);
	put16(template + 38, size - 34);
	for (unsigned i = 14; i < 34; i += 2)
		sum += (uint32_t) template[i] << 8 | template[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(template + 24, ~(sum + (sum >> 16)) & 0xffff);
}

// Builds a packet as testpmd's txonly does: a buffer of the pool, its fields, and Ethernet, IPv4
// and UDP headers copied from a template; the payload is what the buffer held before.
static void build(struct mbuf *m, unsigned size)
{
	mbuf_reset(m);
	m->len = (uint16_t)size;
	m->pkt_len = size;
	memcpy(m->data, template, sizeof(template));
}

static unsigned make(struct run *r, struct mbuf **pkts)
{
	if (mempool_get_bulk(r->pool, pkts, BURST))
		return 0;
	for (unsigned i = 0; i < BURST; i++)
		build(pkts[i], r->size);
	return BURST;
}

// One burst of pair q: how many packets were moved, and in *built how many there were to move.
static unsigned turn(struct run *r, uint16_t q, unsigned *built)
{
	struct mbuf *pkts[BURST];
	unsigned n, sent;

	n = r->mode[0] == 't' ? make(r, pkts) : port_rx_burst(&r->port, q, pkts, BURST);
	*built = n;
	if (!n)
		return 0;
	if (r->mode[0] == 'r') {
		mbuf_free_bulk(pkts, n);
		return n;
	}
	sent = port_tx_burst(&r->port, q, pkts, (uint16_t)n);
	if (sent < n) {
		mbuf_free_bulk(pkts + sent, n - sent);
		r->unsent += n - sent;
	}
	return sent;
}

// Says when the link changes.
static void watch(struct run *r)
{
	struct port_link link;

	port_link(&r->port, &link);
	if (link.up == r->up)
		return;
	r->up = link.up;
	printf("link %s at packet %llu\n", link.up ? "up" : "down", (unsigned long long)r->total);
	fflush(stdout);
}

// The last packets sent still have to be taken: true once that may have happened.
static bool linger(struct run *r)
{
	if (!r->end)
		r->end = r->clock.now + NSEC_PER_SEC / 5;
	return r->clock.now >= r->end;
}

static void print(void *arg, const char *name, uint64_t value)
{
	printf("%s %llu\n", name, (unsigned long long)value);
}

static void console(struct run *r)
{
	int c;

	if (r->clock.now < r->next_console)
		return;
	r->next_console = r->clock.now + CONSOLE_EVERY;
	while ((c = plat_console_getc()) >= 0) {
		r->quit |= c == 'q';
		if (c != 's')
			continue;
		port_stats_emit(&r->port, print, NULL);
		puts("end of figures");
		fflush(stdout);
	}
}

// Between bursts, now and then: false when the run has ended.
static bool housekeeping(struct run *r)
{
	clock_turn(&r->clock);
	for (uint16_t q = 0; q < r->port.grant.queues; q++)
		r->port.pmd->poll_queue(&r->port, q);
	r->port.pmd->poll(&r->port);
	watch(r);
	console(r);
	return !r->quit && !(r->total >= r->wanted && linger(r));
}

// A full ring is no excuse: what was built and thrown away is paid for, as testpmd has it.
static void count(struct half *h, unsigned moved, unsigned built, uint64_t cycles)
{
	h->turns++;
	h->packets += moved;
	if (!built) {
		h->empty++;
		return;
	}
	h->busy_cycles += cycles;
	if (moved == built) {
		h->whole_packets += moved;
		h->whole_cycles += cycles;
	}
}

static void run(struct run *r)
{
	uint64_t half = r->seconds * NSEC_PER_SEC / 2;

	for (uint64_t turns = 0; r->clock.now < 2 * half; turns++) {
		uint64_t t0 = tsc_read();
		unsigned moved = 0, built = 0;

		for (uint16_t q = 0; q < r->port.grant.queues; q++) {
			unsigned b;

			moved += turn(r, q, &b);
			built += b;
		}
		r->total += moved;
		if (turns % TURNS_A_CHECK == 0 && !housekeeping(r))
			return;
		if (r->clock.now < half)
			continue;
		count(&r->half, moved, built, tsc_read() - t0);
	}
}

static void figures(struct run *r)
{
	const struct half *h = &r->half;

	port_stats_emit(&r->port, print, NULL);
	print(NULL, "total.unsent", r->unsent);
	print(NULL, "half.packets", h->packets);
	print(NULL, "half.kpps", r->seconds ? h->packets * 2 / r->seconds / 1000 : 0);
	print(NULL, "half.cycles_x100", h->packets ? h->busy_cycles * 100 / h->packets : 0);
	print(NULL, "half.whole_cycles_x100",
	      h->whole_packets ? h->whole_cycles * 100 / h->whole_packets : 0);
	print(NULL, "half.empty_percent", h->turns ? h->empty * 100 / h->turns : 0);
	print(NULL, "tsc.khz", plat_tsc_hz() / 1000);
}

int main(int argc, char **argv)
{
	struct run r = {
		.mode = arg(argc, argv, "mode", "echo"),
		.seconds = (unsigned)atoi(arg(argc, argv, "seconds", "4")),
		.size = (unsigned)atoi(arg(argc, argv, "size", "64")),
		.wanted = strtoull(arg(argc, argv, "packets", "18446744073709551615"), NULL, 10),
	};

	if (r.size < sizeof(template) || r.size > MBUF_DATAROOM)
		r.size = 64;
	port_main_platform();
	template_for(r.size);
	clock_init(&r.clock, CLOCK_REAL);
	if (open_port(&r, argc, argv))
		return 1;
	run(&r);
	figures(&r);
	port_close(&r.port, NULL);
	print(NULL, "pool.out", mempool_report(r.pool, stderr));
	return 0;
}
