// SPDX-License-Identifier: BSD-3-Clause
// device.h - a vhost-user back end of our own that works, and then sins
//
// One connection, one queue pair, split or packed rings as the front end takes them. Layers:
// vhost.c (the protocol), ring.c over ring_split.c and ring_packed.c, traffic.c (frames that the
// front end is to send back, checked byte by byte), sins.c (over sins_used.c and sins_memory.c) and
// sins_wire.c, main.c. Nothing of Weir's driver is used here: what this knows of virtio (1.2) and
// vhost-user (QEMU docs/interop/vhost-user.rst) it has of its own.
#ifndef WEIR_TESTS_SYSTEM_HOSTILE_DEVICE_H
#define WEIR_TESTS_SYSTEM_HOSTILE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RX	   0u // the front end receives
#define TX	   1u // it sends
#define QUEUES	   2u
#define REGIONS	   8u
#define SEGS	   64u
#define HEADER	   12u // virtio_net_hdr with VERSION_1
#define FRAME_MOST 4000u

#define F_GUEST_CSUM  (1ull << 1)
#define F_GUEST_TSO4  (1ull << 7)
#define F_GUEST_TSO6  (1ull << 8)
#define F_CSUM	      (1ull << 0)
#define F_MRG_RXBUF   (1ull << 15)
#define F_PROTOCOL    (1ull << 30)
#define F_INDIRECT    (1ull << 28)
#define F_VERSION_1   (1ull << 32)
#define F_RING_PACKED (1ull << 34)
#define P_REPLY_ACK   (1ull << 3)
#define P_MQ	      (1ull << 0)

struct region {
	uint64_t guest, size, user;
	uint8_t *map, *data; // data: the region's first byte
	size_t map_len;
};

struct queue {
	uint16_t num;
	uint64_t user[3]; // desc, avail (driver area), used (device area)
	uint8_t *desc, *avail, *used;
	int kick, call;
	bool enabled, kicked, works; // works: may be touched
	uint16_t avail_at, used_at;  // split: free-running; packed: places in the ring
	bool avail_wrap, used_wrap;  // packed
	bool held;		     // packed: the first flags of a batch wait for ring_publish()
	uint16_t held_at, held_flags;
	unsigned starts; // how often it was started
};

struct chain {
	uint16_t id, descs;
	unsigned segs;
	struct {
		uint8_t *p;
		uint32_t len;
		bool writable;
	} seg[SEGS];
	uint32_t room; // bytes the device may write
};

struct wire_sin;

struct device {
	const char *path;
	int listener, fd;
	uint64_t offers, protocol_offers; // honest ones
	uint64_t features, protocol;
	struct region region[REGIONS];
	unsigned regions;
	struct queue q[QUEUES];
	const struct wire_sin *wire; // to be committed in the present or next connection
	unsigned wire_arg, messages; // messages of this connection
	unsigned connects, cuts;
	uint32_t frame_most;
	uint64_t rng;

	// traffic.c
	uint64_t sent, expected; // sequence numbers: next to send, next to come back
	uint64_t judged;	 // from this one on frames have to come back as they were sent
	uint64_t back, wrong;	 // frames that did, and that did not
	bool frozen;		 // rings are not served
	bool lied; // about which buffers are used: till the rings begin anew no buffer is written
		   // to, since the front end may have it back
};

static inline uint32_t rnd(struct device *d)
{
	d->rng ^= d->rng << 13;
	d->rng ^= d->rng >> 7;
	d->rng ^= d->rng << 17;
	return (uint32_t)(d->rng >> 16);
}

uint64_t now_ms(void);

// vhost.c. One turn: accepts, answers what has come. Never blocks.
void vhost_turn(struct device *d);
void vhost_cut(struct device *d);
bool vhost_reply(struct device *d, uint32_t request, const void *payload, uint32_t len);
uint8_t *vhost_guest(const struct device *d, uint64_t guest, uint64_t len);

// ring.c. The next chain the driver made available: 1, 0 none, -1 what it says cannot be.
int ring_pop(struct device *d, unsigned queue, struct chain *c);
// A used buffer, seen by the driver with ring_publish().
void ring_put(struct device *d, unsigned queue, uint32_t id, uint32_t len, uint16_t descs);
void ring_publish(struct device *d, unsigned queue);
static inline bool ring_packed(const struct device *d)
{
	return d->features & F_RING_PACKED;
}

int split_pop(struct device *d, struct queue *q, struct chain *c);
void split_put(struct queue *q, uint32_t id, uint32_t len);
void split_publish(struct queue *q);
int packed_pop(struct device *d, struct queue *q, struct chain *c);
void packed_put(struct queue *q, uint32_t id, uint32_t len, uint16_t descs);
void packed_publish(struct queue *q);
// Adds a descriptor's buffer to c; false when it is not memory of the front end.
bool chain_add(struct device *d, struct chain *c, uint64_t addr, uint32_t len, bool writable);

// traffic.c
// Serves both rings once: takes what was sent, and checks it.
void traffic_turn(struct device *d);
// Sends one frame; the first n bytes of `header` instead of an honest one's. 1; 0: no buffers for
// it.
int traffic_send(struct device *d, const uint8_t *header, unsigned n);
// n fresh frames there and back. 0, or -1: not all came back in `ms`, or the rings began anew.
int traffic_check(struct device *d, unsigned n, unsigned ms);
// The same, again and again until it succeeds. Milliseconds that took, or -1: not within `ms`.
int traffic_recovers(struct device *d, unsigned n, unsigned ms);
void device_turn(struct device *d);
void device_run(struct device *d, unsigned ms);

// sins.c
struct sin {
	const char *name;
	unsigned rings;	     // 1: RX, 2: TX, 3: either
	unsigned kinds;	     // 1: split, 2: packed, 3: both
	const char *counted; // the counters of which one must rise, without "rx-"; "": none need;
			     // "resets"
	bool (*commit)(struct device *d, unsigned queue); // false: there was no occasion for it
	bool lies;					  // see struct device
};
extern const struct sin sins[];
extern const unsigned sins_count;
// Commits s, and sees to it that a lie is over; then the rings are as good as new. False: no
// occasion.
bool sin_commit(struct device *d, const struct sin *s, unsigned queue);

// sins_wire.c
struct wire_sin {
	const char *name;
	unsigned variants; // values of wire_arg that differ
	// Looks at a request before it is answered: true when that was the answer (and the sin).
	bool (*commit)(struct device *d, uint32_t request, uint32_t size);
};
extern const struct wire_sin wire_sins[];
extern const unsigned wire_sins_count;

#endif
