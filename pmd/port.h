// SPDX-License-Identifier: BSD-3-Clause
// port.h - ports: the burst calls, and what a driver (struct pmd) gives
//
// A port receives and sends bursts of packets on queues. Queue pair q of a port belongs to lcore q:
// that lcore alone calls its bursts, poll_queue, arm and disarm; nothing here locks. open() and close()
// run while no lcore polls the port; poll() on lcore 0 while others may be in bursts of their queues.
#ifndef WEIR_PMD_PORT_H
#define WEIR_PMD_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/lcore.h"
#include "core/stats.h"
#include "mempool/mbuf.h"

#define PORT_QUEUES_MAX 16
#define PORT_NAME_MAX   16
#define PORT_COUNTERS_MAX 64

// Offloads, asked for and granted (the mbuf flags say what holds for a packet). What a port sends is
// not the graph's to ask: the transmit node does in software what the port was not granted.
#define PORT_RX_CSUM	 (1u << 0) // says what it verified: MBUF_RX_L4_OK and its kin
#define PORT_TX_CSUM	 (1u << 1) // fills in TCP and UDP checksums: MBUF_TX_L4_CSUM
#define PORT_TX_TSO4	 (1u << 2) // segments TCP over IPv4: MBUF_TSO
#define PORT_TX_TSO6	 (1u << 3) // and over IPv6
#define PORT_TX_USO	 (1u << 4) // segments UDP: MBUF_USO
#define PORT_RX_LRO	 (1u << 5) // may deliver TCP longer than the MTU: MBUF_TSO, mss set
#define PORT_VLAN_FILTER (1u << 6)
#define PORT_MAC_FILTER	 (1u << 7)
#define PORT_RSS	 (1u << 8) // spreads flows over its queues by a Toeplitz hash

// All that costs a function nothing to ask for: a filter needs to know what it wants.
#define PORT_OFFLOADS (0x1ffu & ~(PORT_VLAN_FILTER | PORT_MAC_FILTER))

// Receives up to n packets into pkts; returns how many (0 to n). The caller owns them.
// Sends: returns how many were taken, in order; the caller still owns the tail.
typedef uint16_t (*port_burst_fn)(void *queue, struct mbuf **pkts, uint16_t n);

struct port_queue { // what one lcore needs to use one queue pair: one cache line
	port_burst_fn rx;
	void *rxq;
	port_burst_fn tx;
	void *txq;
} cache_aligned;

struct port;

struct port_conf { // what is asked of a driver
	const char *name;   // the user's name: "wan"
	const char *driver; // "virtio"
	const char *args;   // what follows "driver:" in the device string; "" when nothing does
	const struct pmd *pmd; // this driver, whatever it is called; NULL: the one called `driver`
	struct mempool *pool;      // receive buffers come from here
	const struct clock *clock; // the loop's; a capture port delivers what is due by clock->now
	uint8_t mac[6];            // with has_mac: the address to use
	bool has_mac;
	uint16_t mtu; // IP bytes of the largest frame wanted; 0: the driver's default (1500)
	uint16_t rx_size, tx_size; // descriptors; 0: the driver's choice
	uint16_t queues;           // pairs wanted; at least 1
	uint32_t offloads;         // wanted
	uint8_t rss;               // enum blob_rss: the key, with PORT_RSS
};

struct port_grant { // what was given
	uint8_t mac[6];
	uint16_t mtu; // may shrink and grow again while the port is open: transmit nodes go by it
	bool any_length; // sends packets of any length, beyond the MTU too: nobody need check
	uint16_t rx_size, tx_size;
	uint16_t queues;
	uint32_t offloads;
	char text[240]; // the rest for the reader: "virtio-pci 00:02.0 split mrg_rxbuf …"
};

struct port_counter { // one figure of a port; a name is what users see: "rx-nombuf"
	const char *name;
	uint64_t value;
};

struct port_stats {
	// Packets and bytes (frames without FCS) handed to and taken from the graph.
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	// Everything else, by name: what the driver or device lost or refused, resets, doorbells.
	struct port_counter counter[PORT_COUNTERS_MAX];
	unsigned counters;
};

struct port_link {
	bool up;
	uint32_t mbps; // 0: unknown
};

// What a driver can at its best; what a port of it got stands in port->grant, and is never more. That it
// can sleep or plays captures is told by arm and next_time.
struct pmd_can {
	uint32_t offloads; // PORT_*
	uint16_t queues;   // pairs, 1 to PORT_QUEUES_MAX
	bool live;         // packets come from elsewhere in their own time: no capture's clock stops them
	const char *needs; // of the host, for the reader: "CAP_NET_RAW"; NULL: nothing
};

struct pmd { // a driver: const, listed in pmd/pmds_<home>.c
	const char *name; // the word before the colon of a device string
	const char *help; // one line: what the argument is
	struct pmd_can can;
	// Optional: can args be an argument of this driver at all? Looks at the text alone, opens nothing.
	// 0, or -errno and in err what was expected, without port or device in front.
	int (*check)(const char *args, struct err *err);
	// Opens and configures: fills port->grant, port->queue[] and port->priv. On failure undoes all,
	// returns -errno and says in err what is wrong, where, and what to do.
	int (*open)(struct port *port, const struct port_conf *conf, struct err *err);
	// Stops and frees everything; every mbuf of the rings goes back to its pool. A capture file is
	// complete after it. Returns 0 or -errno (e.g. -EIO: written file incomplete).
	int (*close)(struct port *port, struct err *err);
	void (*stats)(const struct port *port, struct port_stats *s);
	// Optional (NULL: always up; nothing to do).
	void (*link)(const struct port *port, struct port_link *link);
	// Housekeeping of the port, by lcore 0, between bursts: notices link changes, recovers a broken
	// device.
	void (*poll)(struct port *port);
	// Housekeeping of queue pair q, by the lcore that owns it, between bursts.
	void (*poll_queue)(struct port *port, uint16_t q);
	// Sleep, by the owning lcore; without it an lcore that has such a port never sleeps. arm: 0 when
	// a packet that comes on q from now on ends plat_halt() of this lcore; -EAGAIN: some wait
	// already, do not sleep; -ENOTSUP: this port cannot (now). disarm: back to polling; NULL
	// when arm switched nothing on.
	int (*arm)(struct port *port, uint16_t q);
	void (*disarm)(struct port *port, uint16_t q);
	// Ports that play a capture: time stamp of the next packet not yet delivered, TIME_NEVER at
	// the end. NULL for ports that have no end.
	uint64_t (*next_time)(const struct port *port);
	// After next_time said TIME_NEVER: 0, or -errno when the capture ended in an error (then what
	// was read before counts).
	int (*error)(const struct port *port, struct err *err);
	// Optional: arguments that begin with variant_key belong to this other driver of the same name.
	const struct pmd *variant;
	const char *variant_key;
	// Optional: the port will be given packets of another pool (with that prefix, too) that are nobody's to free,
	// MBUF_FOREVER: prepares its buffers. Any port sends such packets; this one without copying. 0 or -errno.
	int (*lend)(struct port *port, struct mempool *pool, struct err *err);
	uint16_t mbuf_prefix; // bytes this driver needs in front of every mbuf of port_conf.pool
};

struct port_soft { // what the transmit node of a queue did in software, since it was not granted
	uint64_t csums;		// checksums filled in
	uint64_t cut, cut_bytes; // packets cut into segments, and their bytes, which were copied
} cache_aligned;

struct port {
	struct port_queue queue[PORT_QUEUES_MAX];
	struct port_soft soft[PORT_QUEUES_MAX];
	const struct pmd *pmd;
	void *priv; // the driver's
	char name[PORT_NAME_MAX];
	uint16_t id; // index in the application's port table; drivers put it in mbuf.port
	// The operator wants it down: transmit nodes drop what they are given. Written by lcore 0.
	bool down;
	uint32_t announce; // counts up, in poll(), when the network behind asks who is here
	struct port_grant grant;
};

// One bit of PORT_* and how users call it; ends with a name of NULL.
struct port_offload {
	uint32_t bit;
	const char *name; // "rx-csum"
};
extern const struct port_offload port_offloads[];

// The names of the offloads, each behind a blank, as far as they fit; returns how many bytes there would be.
size_t port_offload_text(uint32_t offloads, char *text, size_t len);
// For drivers: adds what was granted to the grant's text.
void port_grant_offloads(struct port_grant *g);

static inline uint16_t port_rx_burst(struct port *p, uint16_t q, struct mbuf **pkts, uint16_t n)
{
	return p->queue[q].rx(p->queue[q].rxq, pkts, n);
}

static inline uint16_t port_tx_burst(struct port *p, uint16_t q, struct mbuf **pkts, uint16_t n)
{
	return p->queue[q].tx(p->queue[q].txq, pkts, n);
}

// The driver called `name`; NULL when this home has none.
const struct pmd *pmd_find(const char *name);
// The same for a device "name:args": its variant where args say so.
const struct pmd *pmd_resolve(const char *name, const char *args);

// NULL-terminated, in the order users see.
extern const struct pmd *const pmd_list[];

// Opens conf->driver on port (whose id is set by the caller). Checks the name and grants. 0 or -errno.
int port_open(struct port *port, const struct port_conf *conf, struct err *err);
int port_close(struct port *port, struct err *err);
void port_stats(const struct port *port, struct port_stats *s);
void port_link(const struct port *port, struct port_link *link);

// Hands on every figure of the port: ports.NAME.{rx,tx}.{packets,bytes}, ports.NAME.counters.X.
void port_stats_emit(const struct port *port, stats_emit_fn emit, void *arg);

// For drivers: appends a named figure to s.
void port_stats_add(struct port_stats *s, const char *name, uint64_t value);

// For drivers: their check() of conf->args, with port and device put in front of what it says.
int port_check_args(const struct port_conf *conf, int (*check)(const char *, struct err *),
		    struct err *err);

// For drivers without an address of their own: the one asked for, else 02:77:65:69:72:ID, the same on
// every run.
void port_default_mac(const struct port *port, const struct port_conf *conf, uint8_t mac[6]);

#endif
