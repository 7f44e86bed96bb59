// SPDX-License-Identifier: BSD-3-Clause
// replay_split.c - split captures into ports; tell clients from servers, as tcpprep does, by what hosts do
//
// A host that opens TCP connections, asks DNS or pings is a client; one that answers is a server. Whoever did both is
// what he did more often. Where nothing tells, the lower port number of a packet is the server's, counted as less
// than an act.
#include "apps/tool/replay_split.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/replay/frame.h"
#include "apps/tool/ip_text.h"
#include "apps/tool/util.h"
#include "core/wire.h"

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };

#define ACT	   1024 // what an act counts, against a hint
#define HOSTS_MAX (1u << 24)

struct host {
	union ip_addr addr;
	int64_t client; // above 0: a client
	uint8_t family; // 0: free
};

struct replay_hosts {
	struct host *slot;
	uint32_t n, size; // a power of two
};

static uint32_t hash_of(uint8_t family, const union ip_addr *a)
{
	uint64_t h = (a->w[0] ^ family) * 0x9e3779b97f4a7c15u;

	h = (h ^ h >> 29 ^ a->w[1]) * 0xbf58476d1ce4e5b9u;
	return (uint32_t)(h >> 32);
}

// Its slot, or the free one where it would be.
static struct host *find(const struct replay_hosts *h, uint8_t family, const union ip_addr *a)
{
	uint32_t i = hash_of(family, a) & (h->size - 1);

	while (h->slot[i].family && (h->slot[i].family != family || !ip_addr_equal(&h->slot[i].addr, a)))
		i = (i + 1) & (h->size - 1);
	return &h->slot[i];
}

static void grow(struct replay_hosts *h)
{
	struct replay_hosts old = *h;

	h->size = old.size ? 2 * old.size : 1024;
	h->slot = xrealloc(NULL, h->size * sizeof(*h->slot));
	memset(h->slot, 0, h->size * sizeof(*h->slot));
	for (uint32_t i = 0; i < old.size; i++)
		if (old.slot[i].family)
			*find(h, old.slot[i].family, &old.slot[i].addr) = old.slot[i];
	free(old.slot);
}

struct replay_hosts *replay_hosts_new(void)
{
	struct replay_hosts *h = xrealloc(NULL, sizeof(*h));

	*h = (struct replay_hosts){0};
	grow(h);
	return h;
}

void replay_hosts_free(struct replay_hosts *h)
{
	if (h)
		free(h->slot);
	free(h);
}

static void count(struct replay_hosts *h, uint8_t family, const union ip_addr *a, int64_t client)
{
	struct host *host = find(h, family, a);

	if (!host->family) {
		if (h->n == HOSTS_MAX)
			return;
		h->n++;
		*host = (struct host){.addr = *a, .family = family};
	}
	host->client += client;
	if (2 * h->n > h->size)
		grow(h);
}

// What a TCP segment says of its sender: RFC 9293, 3.5.
static int judge_tcp(const uint8_t *l4)
{
	uint8_t flags = l4[13];

	if ((flags & 0x17) == 0x02)
		return ACT; // SYN alone
	return (flags & 0x17) == 0x12 ? -ACT : 0;
}

static int judge_udp(const uint8_t *f, const struct frame_place *p, uint32_t len)
{
	uint16_t src = be16(load16(f + p->l4)), dst = be16(load16(f + p->l4 + 2));

	if (dst == 53 && src != 53)
		return ACT;
	return src == 53 && dst != 53 ? -ACT : 0;
}

static int judge_icmp(const uint8_t *l4, uint8_t proto)
{
	uint8_t ask = proto == PROTO_ICMP ? 8 : 128, answer = proto == PROTO_ICMP ? 0 : 129;

	return l4[0] == ask ? ACT : l4[0] == answer ? -ACT : 0;
}

static int judge(const uint8_t *f, uint32_t len, const struct frame_place *p)
{
	uint16_t src, dst;
	int act = 0;

	if (!p->l4)
		return 0;
	if (p->proto == PROTO_TCP)
		act = judge_tcp(f + p->l4);
	else if (p->proto == PROTO_UDP)
		act = judge_udp(f, p, len);
	else if (p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6)
		act = judge_icmp(f + p->l4, p->proto);
	if (act || !frame_port(f, p, FRAME_SRC, &src) || !frame_port(f, p, FRAME_DST, &dst))
		return act;
	return src > dst ? 1 : src < dst ? -1 : 0;
}

void replay_hosts_see(struct replay_hosts *h, const uint8_t *f, uint32_t len)
{
	union ip_addr src, dst;
	struct frame_place p;
	int client;

	frame_place(f, len, &p);
	if (!p.family)
		return;
	client = judge(f, len, &p);
	frame_addr(f, &p, FRAME_SRC, &src);
	frame_addr(f, &p, FRAME_DST, &dst);
	count(h, p.family, &src, client);
	count(h, p.family, &dst, -client);
}

static int learn_capture(struct replay_hosts *h, const struct replay_capture *c, struct err *err)
{
	struct capture_reader r;
	int rc = capture_open_mixed(&r, c->file, err);

	if (!rc && !S_ISREG(r.st.st_mode)) {
		capture_close(&r);
		return err_set(err, -ESPIPE, "%s: split: client reads it twice: expected a file, not a pipe", c->file);
	}
	if (rc)
		return rc;
	for (; r.data; capture_next(&r))
		replay_hosts_see(h, r.data, r.caplen);
	capture_close(&r);
	return 0;
}

int replay_hosts_learn(const struct replay_conf *c, struct replay_hosts **h, struct err *err)
{
	int rc = 0;

	*h = NULL;
	for (size_t i = 0; !rc && i < c->n_captures; i++) {
		if (c->captures[i].split != REPLAY_BY_CLIENT)
			continue;
		if (!*h)
			*h = replay_hosts_new();
		rc = learn_capture(*h, &c->captures[i], err);
	}
	if (rc) {
		replay_hosts_free(*h);
		*h = NULL;
	}
	return rc;
}

// Of a host that did nothing: whoever is no client is a server.
static bool is_client(const struct replay_hosts *h, uint8_t family, const union ip_addr *a)
{
	return find(h, family, a)->client > 0;
}

static uint16_t by_client(const struct replay_capture *c, const struct replay_hosts *h, const struct frame_place *p,
			  const uint8_t *f)
{
	union ip_addr a;

	if (!frame_addr(f, p, FRAME_SRC, &a))
		return c->port;
	return is_client(h, p->arp ? 4 : p->family, &a) ? c->client : c->port;
}

static bool names(const struct replay_match *m, const struct capture_reader *r)
{
	return m->number == r->iface || !strcmp(m->name, r->ifaces[r->iface].name);
}

static bool matches(const struct replay_capture *c, const struct replay_match *m, const struct capture_reader *r,
		    const struct frame_place *p)
{
	union ip_addr a;

	if (c->split == REPLAY_BY_INTERFACE)
		return names(m, r);
	if (c->split == REPLAY_BY_MAC)
		return r->caplen >= 12 && !memcmp(r->data + 6, m->mac, 6);
	return frame_addr(r->data, p, FRAME_SRC, &a) && (p->arp ? 4 : p->family) == m->family &&
	       ip_match(&a, &m->addr, m->plen);
}

uint16_t replay_split(const struct replay_capture *c, const struct replay_hosts *h, const struct capture_reader *r)
{
	struct frame_place p = {0};

	if (c->split == REPLAY_BY_FILE)
		return c->port;
	if (c->split == REPLAY_BY_ADDRESS || c->split == REPLAY_BY_CLIENT)
		frame_place(r->data, r->caplen, &p);
	if (c->split == REPLAY_BY_CLIENT)
		return by_client(c, h, &p, r->data);
	for (size_t i = 0; i < c->n_matches; i++)
		if (matches(c, &c->matches[i], r, &p))
			return c->matches[i].port;
	return c->port;
}
