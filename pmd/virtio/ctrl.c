// SPDX-License-Identifier: BSD-3-Clause
// ctrl.c - the control queue: one command, one answer
//
// A command is a chain of two or three descriptors as Linux makes it: class and command, data, and
// one byte for the answer. All three lie at fixed places behind the rings.
#include "pmd/virtio/ctrl.h"

#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "core/plat.h"
#include "pmd/virtio/packed.h"
#include "pmd/virtio/split.h"

// In virtq.headers.
#define AT_HEADER 0u
#define AT_ANSWER 16u
#define AT_DATA	  32u
#define DATA_MAX  (VIRTIO_CTRL_SIZE * VIRTQ_HEADER - AT_DATA)

#define ANSWER_OK  0u // 5.1.6.5: VIRTIO_NET_OK, VIRTIO_NET_ERR
#define ANSWER_ERR 1u
#define NO_ANSWER  0xffu

#define PACKED_ID 0u // of every command; split: its first descriptor

int virtio_ctrl_create(struct virtio_ctrl *c, struct err *err)
{
	memset(c, 0, sizeof(*c));
	return virtq_create(&c->vq, 0, VIRTIO_CTRL_SIZE, err);
}

void virtio_ctrl_destroy(struct virtio_ctrl *c)
{
	if (c->vq.capacity)
		virtq_destroy(&c->vq);
	c->usable = false;
}

int virtio_ctrl_attach(struct virtio_ctrl *c, struct virtio_transport *t, uint16_t index,
		       uint32_t size, uint64_t features, struct err *err)
{
	int r;

	c->vq.index = index;
	c->head = c->next = 0;
	virtq_clear(&c->vq, size, features);
	r = virtq_attach(&c->vq, t, err);
	c->usable = !r;
	return r;
}

struct piece {
	uint32_t at, len;
	uint16_t flags;
};

// The pieces of a command; returns how many.
static unsigned pieces(struct piece p[3], uint32_t data)
{
	unsigned n = 0;

	p[n++] = (struct piece){AT_HEADER, 2, VIRTQ_DESC_F_NEXT};
	if (data)
		p[n++] = (struct piece){AT_DATA, data, VIRTQ_DESC_F_NEXT};
	p[n++] = (struct piece){AT_ANSWER, 1, VIRTQ_DESC_F_WRITE};
	return n;
}

// Descriptors in the order of their table, as IN_ORDER has it (2.7.9).
static void put_split(struct virtio_ctrl *c, const struct piece *p, unsigned n)
{
	struct virtq *vq = &c->vq;

	c->head = c->next;
	for (unsigned i = 0; i < n; i++) {
		uint16_t id = c->next;

		c->next = (uint16_t)((id + 1) & vq->mask);
		vq->desc[id] = (struct virtq_desc){plat_iova(vq->headers + p[i].at), p[i].len,
						   p[i].flags, c->next};
	}
	virtq_split_set_slot(vq, vq->avail_idx, c->head);
	vq->avail_idx++;
	virtq_split_publish(vq);
}

// The first descriptor last: it makes the chain available.
static void put_packed(struct virtq *vq, const struct piece *p, unsigned n)
{
	for (unsigned i = n; i-- > 0;) {
		uint16_t idx = (uint16_t)(vq->avail_idx + i);
		uint16_t flags = p[i].flags | virtq_packed_avail_flags(vq, idx);

		virtq_packed_store(vq, idx, plat_iova(vq->headers + p[i].at),
				   virtq_packed_word(p[i].len, PACKED_ID, flags));
	}
	vq->avail_idx = (uint16_t)(vq->avail_idx + n);
}

// Whether the chain of n descriptors is used: 1, 0 not yet, -EPROTO for what was never asked.
static int is_used(struct virtio_ctrl *c, unsigned n)
{
	struct virtq *vq = &c->vq;
	uint32_t id;

	if (vq->packed) {
		uint64_t word = virtq_packed_load(vq, vq->used_idx);

		if (!virtq_packed_is_used(vq, vq->used_idx, word))
			return 0;
		id = virtq_packed_id(word);
		vq->used_idx = (uint16_t)(vq->used_idx + n);
	} else {
		uint16_t ready = virtq_split_ready(vq);

		if (vq->fault == VIRTQ_BAD_INDEX)
			return -EPROTO;
		if (!ready)
			return 0;
		id = virtq_split_used(vq, vq->used_idx).id;
		vq->used_idx++;
	}
	return id == c->head ? 1 : -EPROTO;
}

static int await(struct virtio_ctrl *c, unsigned n)
{
	uint64_t end = tsc_read() + plat_tsc_hz() / 1000 * c->wait_ms;
	int r;

	while (!(r = is_used(c, n)))
		if (tsc_read() > end)
			return -ETIMEDOUT;
	return r < 0 ? r : 0;
}

static void put(struct virtio_ctrl *c, const struct piece *p, unsigned n)
{
	struct virtq *vq = &c->vq;
	bool wanted;

	if (vq->packed)
		put_packed(vq, p, n);
	else
		put_split(c, p, n);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); // 2.7.13.4.1, 2.8.21.3.1
	wanted = vq->packed ? virtq_packed_wants_doorbell(vq) : virtq_split_wants_doorbell(vq);
	if (wanted)
		virtq_ring_doorbell(vq);
}

static int answer(struct virtio_ctrl *c)
{
	uint8_t a = __atomic_load_n(c->vq.headers + AT_ANSWER, __ATOMIC_ACQUIRE);

	if (a == ANSWER_OK)
		return 0;
	if (a != ANSWER_ERR)
		return -EPROTO;
	c->refused++;
	return -EREMOTEIO;
}

static int command(struct virtio_ctrl *c, uint8_t class, uint8_t cmd, const void *data,
		   uint32_t len)
{
	struct piece p[3];
	unsigned n = pieces(p, len);
	int r;

	if (!c->usable)
		return -EIO;
	c->commands++;
	c->vq.headers[AT_HEADER] = class;
	c->vq.headers[AT_HEADER + 1] = cmd;
	c->vq.headers[AT_ANSWER] = NO_ANSWER;
	if (len)
		memcpy(c->vq.headers + AT_DATA, data, len);
	put(c, p, n);
	r = await(c, n);
	if (!r)
		r = answer(c);
	if (r && r != -EREMOTEIO) {
		c->usable = false;
		c->silent++;
	}
	return r;
}

int virtio_ctrl_pairs(struct virtio_ctrl *c, uint16_t n)
{
	return command(c, VIRTIO_CTRL_MQ, VIRTIO_CTRL_MQ_PAIRS_SET, &n, sizeof(n));
}

int virtio_ctrl_rss(struct virtio_ctrl *c, uint16_t n, uint32_t types, uint16_t lanes,
		    const uint8_t key[RSS_KEY_LEN])
{
	struct { // 5.1.6.5.7: struct virtio_net_rss_config, its table of `lanes` entries
		uint32_t types;
		uint16_t mask, unclassified;
		uint16_t rest[RSS_LANES + 1 + (1 + RSS_KEY_LEN + 1) / 2];
	} config = {.types = types, .mask = (uint16_t)(lanes - 1)};
	uint8_t *tail = (uint8_t *)&config.rest[lanes + 1];

	static_assert(sizeof(config) <= DATA_MAX, "a command has room for it");
	for (unsigned i = 0; i < lanes; i++)
		config.rest[i] = (uint16_t)rss_queue(i, n);
	config.rest[lanes] = n; // max_tx_vq
	*tail++ = RSS_KEY_LEN;
	memcpy(tail, key, RSS_KEY_LEN);
	return command(c, VIRTIO_CTRL_MQ, VIRTIO_CTRL_MQ_RSS, &config,
		       (uint32_t)(tail + RSS_KEY_LEN - (uint8_t *)&config));
}

static int rx_mode(struct virtio_ctrl *c, uint8_t mode, bool on)
{
	uint8_t byte = on;

	return command(c, VIRTIO_CTRL_RX, mode, &byte, 1);
}

int virtio_ctrl_promisc(struct virtio_ctrl *c, bool on)
{
	return rx_mode(c, VIRTIO_CTRL_RX_PROMISC, on);
}

int virtio_ctrl_allmulti(struct virtio_ctrl *c, bool on)
{
	return rx_mode(c, VIRTIO_CTRL_RX_ALLMULTI, on);
}

int virtio_ctrl_no_macs(struct virtio_ctrl *c)
{
	static const uint32_t entries[2]; // of the unicast and of the multicast table

	return command(c, VIRTIO_CTRL_MAC, VIRTIO_CTRL_MAC_TABLE_SET, entries, sizeof(entries));
}

int virtio_ctrl_mac(struct virtio_ctrl *c, const uint8_t mac[6])
{
	return command(c, VIRTIO_CTRL_MAC, VIRTIO_CTRL_MAC_ADDR_SET, mac, 6);
}

int virtio_ctrl_vlan(struct virtio_ctrl *c, uint16_t id)
{
	return command(c, VIRTIO_CTRL_VLAN, VIRTIO_CTRL_VLAN_ADD, &id, sizeof(id));
}

int virtio_ctrl_announced(struct virtio_ctrl *c)
{
	return command(c, VIRTIO_CTRL_ANNOUNCE, VIRTIO_CTRL_ANNOUNCE_ACK, NULL, 0);
}
