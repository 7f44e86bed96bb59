// SPDX-License-Identifier: BSD-3-Clause
// verdict_diff.c - what differs between two frames, field by field, and a frame in one line
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/tool/ip_text.h"
#include "apps/tool/verdict_priv.h"
#include "core/wire.h"

#define BYTES_SHOWN 16u

static const struct vfield *find(const struct vframe *f, uint8_t id, uint8_t nth, unsigned hint)
{
	// Frames of one kind have their fields in the same places.
	if (hint < f->n && f->f[hint].id == id && f->f[hint].nth == nth)
		return &f->f[hint];
	for (unsigned i = 0; i < f->n; i++)
		if (f->f[i].id == id && f->f[i].nth == nth)
			return &f->f[i];
	return NULL;
}

static bool equal(const struct vframe *a, const struct vfield *x, const struct vframe *b,
		  const struct vfield *y)
{
	if ((x->sum == VSUM_GOOD) != (y->sum == VSUM_GOOD))
		return false;
	if (x->sum == VSUM_GOOD)
		return true;
	if (x->bits != y->bits)
		return false;
	if (vfield_is_number(x))
		return vfield_value(a, x) == vfield_value(b, y);
	return !memcmp(a->data + x->bit / 8, b->data + y->bit / 8, x->bits / 8);
}

unsigned vframe_likeness(const struct vframe *a, const struct vframe *b, const struct vignore *g)
{
	unsigned same = 0, all = 0;

	for (unsigned i = 0; i < a->n; i++) {
		const struct vfield *x = &a->f[i], *y;
		unsigned weight = vfield_kinds[x->id].weight;

		if (!weight || vignored(g, x))
			continue;
		y = find(b, x->id, x->nth, i);
		all += weight;
		if (y && equal(a, x, b, y))
			same += weight;
	}
	for (unsigned i = 0; i < b->n; i++) {
		const struct vfield *y = &b->f[i];

		if (!vignored(g, y) && !find(a, y->id, y->nth, i))
			all += vfield_kinds[y->id].weight;
	}
	return all ? same * 100 / all : vframe_exact(a, g) == vframe_exact(b, g) ? 100 : 0;
}

// --- values as text ---

static void bytes_text(const uint8_t *p, uint32_t n, char *out, size_t size)
{
	size_t at = 0;

	for (uint32_t i = 0; i < n && i < BYTES_SHOWN && at + 3 < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%02x", p[i]);
	if (n > BYTES_SHOWN && at + 4 < size)
		snprintf(out + at, size - at, "…");
}

static void value_text(const struct vframe *f, const struct vfield *v, char *out, size_t size)
{
	const uint8_t *p = f->data + v->bit / 8;
	uint64_t n = vfield_is_number(v) ? vfield_value(f, v) : 0;
	union ip_addr a = {.w = {0}};
	char text[IP_TEXT_MAX];

	out[0] = 0;
	switch ((enum vkind)vfield_kinds[v->id].kind) {
	case VK_DEC: snprintf(out, size, "%" PRIu64, n); break;
	case VK_WORDS: snprintf(out, size, "%" PRIu64, n * 4); break;
	case VK_EIGHTS: snprintf(out, size, "%" PRIu64, n * 8); break;
	case VK_HEX: snprintf(out, size, "0x%0*" PRIx64, (int)((v->bits + 3) / 4), n); break;
	case VK_MAC:
		snprintf(out, size, "%02x:%02x:%02x:%02x:%02x:%02x", p[0], p[1], p[2], p[3], p[4],
			 p[5]);
		break;
	case VK_IP4:
		memcpy(&a.v4, p, 4);
		snprintf(out, size, "%s", ip_text(4, &a, text));
		break;
	case VK_IP6:
		memcpy(a.v6, p, 16);
		snprintf(out, size, "%s", ip_text(6, &a, text));
		break;
	case VK_BYTES: bytes_text(p, v->bits / 8, out, size); break;
	}
}

// Of long runs of bytes: how many differ, and the first; or the lengths.
static void bytes_diff(const struct vframe *a, const struct vfield *x, const struct vframe *b,
		       const struct vfield *y, char *out, size_t size)
{
	const uint8_t *p = a->data + x->bit / 8, *q = b->data + y->bit / 8;
	uint32_t n = x->bits / 8, m = y->bits / 8, differ = 0, first = 0;

	if (n != m) {
		snprintf(out, size, "%u bytes, expected %u", n, m);
		return;
	}
	for (uint32_t i = n; i-- > 0;) {
		differ += p[i] != q[i];
		if (p[i] != q[i])
			first = i;
	}
	snprintf(out, size, "%u of %u bytes differ, the first at %u: 0x%02x, expected 0x%02x", differ, n,
		 first, p[first], q[first]);
}

static void field_name(const struct vfield *v, char *out, size_t size)
{
	if (v->nth)
		snprintf(out, size, "%s#%u", vfield_name(v->id), v->nth + 1u);
	else
		snprintf(out, size, "%s", vfield_name(v->id));
}

// x of got or y of want may be NULL: not there.
static void diff_text(struct vdiff *d, const struct vframe *got, const struct vfield *x,
		      const struct vframe *want, const struct vfield *y)
{
	const struct vfield *v = x ? x : y;
	char name[48], bytes[96];

	d->id = v->id;
	d->nth = v->nth;
	field_name(v, name, sizeof(name));
	snprintf(d->got, sizeof(d->got), "none");
	snprintf(d->want, sizeof(d->want), "none");
	if (x)
		value_text(got, x, d->got, sizeof(d->got));
	if (y)
		value_text(want, y, d->want, sizeof(d->want));
	if (x && y && vfield_kinds[v->id].kind == VK_BYTES &&
	    (x->bits > 8 * BYTES_SHOWN || x->bits != y->bits)) {
		bytes_diff(got, x, want, y, bytes, sizeof(bytes));
		snprintf(d->text, sizeof(d->text), "%s %s", name, bytes);
	} else if (x && y && x->sum != y->sum) {
		snprintf(d->text, sizeof(d->text), "%s %s%s, expected %s%s", name, d->got,
			 x->sum == VSUM_BAD ? " (wrong)" : "", d->want,
			 y->sum == VSUM_BAD ? " (wrong)" : "");
	} else {
		snprintf(d->text, sizeof(d->text), "%s %s, expected %s", name, d->got, d->want);
	}
}

unsigned vframe_diff(const struct vframe *got, const struct vframe *want, const struct vignore *g,
		     struct vdiff *d, unsigned max)
{
	unsigned n = 0;

	for (unsigned i = 0; i < got->n; i++) {
		const struct vfield *x = &got->f[i], *y;

		if (vignored(g, x))
			continue;
		y = find(want, x->id, x->nth, i);
		if (y && equal(got, x, want, y))
			continue;
		if (n < max)
			diff_text(&d[n], got, x, want, y);
		n++;
	}
	for (unsigned i = 0; i < want->n; i++) {
		const struct vfield *y = &want->f[i];

		if (vignored(g, y) || find(got, y->id, y->nth, i))
			continue;
		if (n < max)
			diff_text(&d[n], got, NULL, want, y);
		n++;
	}
	return n;
}

// --- one line ---

static const char *icmp_name(unsigned type)
{
	static const char *const names[] = {
		[0] = "echo-reply", [3] = "unreachable", [4] = "source-quench", [5] = "redirect",
		[8] = "echo-request", [11] = "time-exceeded", [12] = "parameter-problem",
		[13] = "timestamp", [14] = "timestamp-reply"};

	return type < sizeof(names) / sizeof(*names) ? names[type] : NULL;
}

static const char *icmp6_name(unsigned type)
{
	static const char *const errors[] = {NULL, "unreachable", "packet-too-big", "time-exceeded",
					     "parameter-problem"};
	static const char *const nd[] = {
		"echo-request", "echo-reply", "listener-query", "listener-report", "listener-done",
		"router-solicitation", "router-advertisement", "neighbor-solicitation",
		"neighbor-advertisement", "redirect"};

	if (type == 143)
		return "listener-report-v2";
	if (type >= 128 && type < 128 + sizeof(nd) / sizeof(*nd))
		return nd[type - 128];
	return type < sizeof(errors) / sizeof(*errors) ? errors[type] : NULL;
}

struct line { // what vframe_text() has found
	const struct vframe *f;
	char src[56], dst[56];
	const struct vfield *proto, *sport, *dport, *icmp, *icmp6, *arp, *target, *type;
};

static void look(struct line *l, const struct vfield *v)
{
	if (v->nth)
		return;
	switch ((enum vfield_id)v->id) {
	case VF_ETH_DST: case VF_IP_DST: case VF_IP6_DST: case VF_ARP_DST_IP:
		value_text(l->f, v, l->dst, sizeof(l->dst));
		break;
	case VF_ETH_SRC: case VF_IP_SRC: case VF_IP6_SRC: case VF_ARP_SRC_IP:
		value_text(l->f, v, l->src, sizeof(l->src));
		break;
	case VF_IP_PROTO: case VF_IP6_NXT: l->proto = v; break;
	case VF_UDP_SRCPORT: case VF_TCP_SRCPORT: l->sport = v; break;
	case VF_UDP_DSTPORT: case VF_TCP_DSTPORT: l->dport = v; break;
	case VF_ICMP_TYPE: l->icmp = v; break;
	case VF_ICMP6_TYPE: l->icmp6 = v; break;
	case VF_ICMP6_TARGET: l->target = v; break;
	case VF_ARP_OPCODE: l->arp = v; break;
	case VF_ETH_TYPE: case VF_VLAN_ETYPE: l->type = v; break;
	default: break;
	}
}

static void icmp_text(const char *proto, const char *name, unsigned type, char *out, size_t size)
{
	if (name)
		snprintf(out, size, "%s %s", proto, name);
	else
		snprintf(out, size, "%s type %u", proto, type);
}

static void kind_text(const struct line *l, char *out, size_t size)
{
	unsigned n;

	if (l->icmp) {
		n = (unsigned)vfield_value(l->f, l->icmp);
		icmp_text("icmp", icmp_name(n), n, out, size);
	} else if (l->icmp6) {
		n = (unsigned)vfield_value(l->f, l->icmp6);
		icmp_text("icmpv6", icmp6_name(n), n, out, size);
	} else if (l->arp) {
		n = (unsigned)vfield_value(l->f, l->arp);
		snprintf(out, size, "arp %s", n == 1 ? "request" : n == 2 ? "reply" : "of no kind");
	} else if (l->sport) {
		snprintf(out, size, "%s", l->sport->id == VF_UDP_SRCPORT ? "udp" : "tcp");
	} else if (l->proto) {
		snprintf(out, size, "%s protocol %u", l->proto->id == VF_IP_PROTO ? "ip" : "ipv6",
			 (unsigned)vfield_value(l->f, l->proto));
	} else if (l->type) {
		snprintf(out, size, "ethertype 0x%04x", (unsigned)vfield_value(l->f, l->type));
	} else {
		snprintf(out, size, "frame");
	}
}

const char *vframe_text(const struct vframe *f, char *text, size_t size)
{
	struct line l = {.f = f};
	char kind[48], ports[2][8] = {"", ""}, target[64] = "";

	for (unsigned i = 0; i < f->n; i++)
		look(&l, &f->f[i]);
	kind_text(&l, kind, sizeof(kind));
	if (l.sport && l.dport && !l.icmp && !l.icmp6) {
		snprintf(ports[0], sizeof(ports[0]), ":%u", (uint16_t)vfield_value(f, l.sport));
		snprintf(ports[1], sizeof(ports[1]), ":%u", (uint16_t)vfield_value(f, l.dport));
	}
	if (l.target) {
		memcpy(target, " for ", 6);
		value_text(f, l.target, target + 5, sizeof(target) - 5);
	}
	snprintf(text, size, "%s%s%s%s%s%s%s%s, %u bytes", kind, l.src[0] ? " " : "", l.src, ports[0],
		 l.src[0] ? " > " : "", l.dst, ports[1], target, f->len);
	return text;
}
