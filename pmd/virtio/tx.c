// SPDX-License-Identifier: BSD-3-Clause
// tx.c - transmit: start and end of a queue, packets of more than one descriptor
#include <errno.h>
#include <stdlib.h>

#include "pmd/virtio/tx_burst.h"

int virtio_tx_create(struct virtio_txq *q, uint16_t index, uint32_t size, struct err *err)
{
	int r;

	memset(q, 0, sizeof(*q));
	r = virtq_create(&q->vq, index, size, err);
	if (r)
		return r;
	q->next = calloc(size, sizeof(q->next[0]));
	q->ring = calloc(size, sizeof(q->ring[0]));
	if (q->next && q->ring)
		return 0;
	virtio_tx_destroy(q);
	return err_set(err, -ENOMEM,
		       "queue %u: no memory for %u descriptors: give the machine more", index,
		       size);
}

void virtio_tx_destroy(struct virtio_txq *q)
{
	virtq_destroy(&q->vq);
	free(q->next);
	free(q->ring);
	q->next = NULL;
	q->ring = NULL;
}

static void choose(struct virtio_txq *q)
{
	bool in_order = q->vq.in_order;

	if (q->vq.packed) {
		q->burst = in_order ? virtio_tx_packed_in_order : virtio_tx_packed;
		q->reclaim =
			in_order ? virtio_tx_packed_reclaim_in_order : virtio_tx_packed_reclaim;
	} else {
		q->burst = in_order ? virtio_tx_split_in_order : virtio_tx_split;
		q->reclaim = in_order ? virtio_tx_split_reclaim_in_order : virtio_tx_split_reclaim;
	}
}

void virtio_tx_start(struct virtio_txq *q)
{
	choose(q);
	for (uint32_t i = 0; i < virtq_size(&q->vq); i++)
		q->ring[i] = (uint16_t)i;
	q->head = 0;
	q->tail = (uint16_t)virtq_size(&q->vq);
}

uint16_t virtio_tx_burst(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct virtio_txq *q = queue;

	return q->burst(q, pkts, n);
}

void virtio_tx_reclaim(struct virtio_txq *q)
{
	q->reclaim(q);
}

void virtio_tx_drain(struct virtio_txq *q)
{
	struct virtq *vq = &q->vq;

	for (uint32_t i = 0; i < virtq_size(vq); i++) {
		uintptr_t p = (uintptr_t)vq->buf[i];

		if (!p)
			continue;
		vq->buf[i] = NULL;
		mbuf_free((struct mbuf *)(p & ~(uintptr_t)TX_PLAIN));
		q->lost++;
	}
}

static void give(struct virtio_txq *q, struct tx_back *b, uint16_t id)
{
	q->ring[b->tail++ & q->vq.mask] = id;
}

void virtio_tx_free_chain(struct virtio_txq *q, struct tx_back *b, uint16_t id)
{
	struct virtq *vq = &q->vq;
	struct mbuf *m = vq->buf[id];

	vq->buf[id] = NULL;
	b->used_idx = (uint16_t)(b->used_idx + (vq->packed ? q->next[id] : 1));
	if (vq->packed)
		give(q, b, id);
	else
		for (; id != TX_END; id = q->next[id])
			give(q, b, id);
	mbuf_free(m);
}

unsigned virtio_tx_need(const struct virtio_txq *q, const struct mbuf *m)
{
	unsigned need = !(tx_owns_header(m) && m->len);

	if (!m->pkt_len)
		return 0;
	for (const struct mbuf *s = m; s; s = s->next)
		need += s->len != 0;
	return need > virtq_size(&q->vq) ? 0 : need;
}

struct piece { // what one descriptor of a packet says
	uint64_t addr;
	uint32_t len;
};

// The header of packet id, and with it the first segment where it stands in front of that.
static struct piece first_piece(struct virtio_txq *q, uint16_t id, struct mbuf *m,
				struct mbuf **rest)
{
	bool owns = tx_owns_header(m) && m->len;
	uint8_t *h = owns ? m->data - VIRTIO_NET_HDR_LEN : q->vq.headers + id * VIRTQ_HEADER;

	virtio_hdr_tx((struct virtio_net_hdr *)(void *)h, m);
	*rest = owns ? m->next : m;
	return (struct piece){plat_iova(h), VIRTIO_NET_HDR_LEN + (owns ? m->len : 0u)};
}

static struct piece next_piece(struct mbuf **rest)
{
	struct mbuf *s = *rest;

	while (!s->len)
		s = s->next;
	*rest = s->next;
	return (struct piece){mbuf_iova(s), s->len};
}

static void put_split(struct virtio_txq *q, struct tx_cursor *c, struct mbuf *m, unsigned need)
{
	struct virtq *vq = &q->vq;
	uint16_t first = tx_id_take(q, c, vq->in_order), id = first;
	struct mbuf *rest;
	struct piece p = first_piece(q, first, m, &rest);

	while (--need) {
		uint16_t next = tx_id_take(q, c, vq->in_order);

		vq->desc[id] = (struct virtq_desc){p.addr, p.len, VIRTQ_DESC_F_NEXT, next};
		q->next[id] = next;
		id = next;
		p = next_piece(&rest);
	}
	vq->desc[id] = (struct virtq_desc){p.addr, p.len, 0, 0};
	q->next[id] = TX_END;
	vq->buf[first] = m;
	virtq_split_set_slot(vq, c->idx, first);
	c->idx++;
}

// 2.8.21.1: the head is made available after the rest.
static void put_packed(struct virtio_txq *q, struct tx_cursor *c, struct mbuf *m, unsigned need)
{
	struct virtq *vq = &q->vq;
	uint16_t id = tx_id_take(q, c, vq->in_order);
	struct mbuf *rest;
	struct piece head = first_piece(q, id, m, &rest);
	uint16_t flags = virtq_packed_avail_flags(vq, c->idx) | (need > 1 ? VIRTQ_DESC_F_NEXT : 0);

	for (unsigned i = 1; i < need; i++) {
		uint16_t idx = (uint16_t)(c->idx + i);
		uint16_t f =
			virtq_packed_avail_flags(vq, idx) | (i + 1 < need ? VIRTQ_DESC_F_NEXT : 0);
		struct piece p = next_piece(&rest);

		virtq_packed_store(vq, idx, p.addr, virtq_packed_word(p.len, id, f));
	}
	tx_packed_put(vq, c, c->idx, head.addr, virtq_packed_word(head.len, id, flags));
	vq->buf[id] = m;
	q->next[id] = (uint16_t)need;
	c->idx = (uint16_t)(c->idx + need);
}

void virtio_tx_put_chain(struct virtio_txq *q, struct tx_cursor *c, struct mbuf *m, unsigned need)
{
	if (q->vq.packed)
		put_packed(q, c, m, need);
	else
		put_split(q, c, m, need);
	c->room = (uint16_t)(c->room - need);
}
