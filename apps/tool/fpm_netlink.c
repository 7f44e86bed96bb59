// SPDX-License-Identifier: BSD-3-Clause
// fpm_netlink.c - FRR's FPM frames and the rtnetlink messages in them
#include <errno.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "apps/tool/fpm_netlink.h"

#define FPM_VERSION 1u
#define FPM_NETLINK 1u

struct attr {
	uint16_t type, len;
	const uint8_t *data;
};

// A part of a message, read from the front.
struct span {
	const uint8_t *p;
	size_t left;
};

static uint16_t read16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t read32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void skip(struct span *s, size_t n)
{
	n = n < s->left ? n : s->left;
	s->p += n;
	s->left -= n;
}

// The next attribute: 1; 0 at the end; -1 when its length is wrong.
static int next_attr(struct span *s, struct attr *a)
{
	uint16_t len;

	if (!s->left)
		return 0;
	if (s->left < sizeof(struct rtattr))
		return -1;
	len = read16(s->p);
	if (len < sizeof(struct rtattr) || len > s->left)
		return -1;
	a->type = read16(s->p + 2) & NLA_TYPE_MASK;
	a->data = s->p + sizeof(struct rtattr);
	a->len = (uint16_t)(len - sizeof(struct rtattr));
	skip(s, RTA_ALIGN(len));
	return 1;
}

static bool number(const struct attr *a, uint32_t *v)
{
	if (a->len != sizeof(*v))
		return false;
	*v = read32(a->data);
	return true;
}

// An address in as many bytes as it has: the family follows from that.
static bool gateway(struct fpm_path *path, const uint8_t *p, size_t len)
{
	if (len != 4 && len != 16)
		return false;
	memset(path->via, 0, sizeof(path->via));
	memcpy(path->via, p, len);
	path->family = len == 4 ? 4 : 6;
	return true;
}

// One attribute that says where to: of a route, or of one of its paths.
static bool path_attr(struct fpm_path *path, const struct attr *a)
{
	switch (a->type) {
	case RTA_GATEWAY:
		return gateway(path, a->data, a->len);
	case RTA_VIA: // struct rtvia: a family, then the address
		return a->len >= 2 && gateway(path, a->data + 2, a->len - 2u);
	case RTA_OIF:
		return number(a, &path->oif);
	case RTA_ENCAP:
	case RTA_NEWDST:
		path->encap = 1;
		return true;
	default:
		return true;
	}
}

static bool multipath(struct fpm_route *r, const struct attr *a)
{
	struct span s = {a->data, a->len};

	while (s.left) {
		struct fpm_path path = {0};
		struct span inner;
		struct attr b;
		uint16_t len;
		int got;

		if (s.left < sizeof(struct rtnexthop))
			return false;
		len = read16(s.p);
		if (len < sizeof(struct rtnexthop) || len > s.left)
			return false;
		// rtnh_hops is the weight less 1.
		path.weight = (uint8_t)(s.p[3] == 255 ? 255 : s.p[3] + 1);
		path.oif = read32(s.p + 4);
		inner = (struct span){s.p + sizeof(struct rtnexthop),
				      len - sizeof(struct rtnexthop)};
		while ((got = next_attr(&inner, &b)) > 0)
			if (!path_attr(&path, &b))
				return false;
		if (got < 0)
			return false;
		if (r->paths < FPM_PATHS_MAX)
			r->path[r->paths++] = path;
		else
			r->more++;
		skip(&s, RTNH_ALIGN(len));
	}
	return true;
}

static bool destination(struct fpm_route *r, const struct attr *a)
{
	if (a->len != (r->family == 4 ? 4 : 16))
		return false;
	memcpy(r->prefix, a->data, a->len);
	return true;
}

static void clear_host_bits(struct fpm_route *r)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned bits = r->plen > 8 * i ? r->plen - 8 * i : 0;

		if (bits < 8)
			r->prefix[i] &= (uint8_t)(0xff00u >> bits);
	}
}

static const char *route_attrs(struct fpm_route *r, struct span *s)
{
	struct fpm_path single = {.weight = 1};
	bool whole = !r->plen; // a default route has no RTA_DST
	struct attr a;
	int got;

	while ((got = next_attr(s, &a)) > 0) {
		bool good = true;

		if (a.type == RTA_DST)
			good = whole = destination(r, &a);
		else if (a.type == RTA_TABLE)
			good = number(&a, &r->table);
		else if (a.type == RTA_NH_ID)
			good = number(&a, &r->nh_id);
		else if (a.type == RTA_MULTIPATH)
			good = multipath(r, &a);
		else
			good = path_attr(&single, &a);
		if (!good)
			return "an attribute of a route has a wrong length";
	}
	if (got < 0)
		return "the attributes of a route do not fit in it";
	if (!whole)
		return "a route has a prefix's length but no prefix";
	if (!r->paths && !r->nh_id && (single.family || single.oif))
		r->path[r->paths++] = single;
	clear_host_bits(r);
	return NULL;
}

static const char *route(const struct fpm_sink *sink, unsigned type, struct span *s)
{
	struct fpm_route r;
	const char *wrong;
	uint8_t family;

	if (s->left < sizeof(struct rtmsg))
		return "a route is shorter than its header";
	family = s->p[0];
	if (family != AF_INET && family != AF_INET6) {
		sink->other(sink->arg, type, family);
		return NULL;
	}
	memset(&r, 0, offsetof(struct fpm_route, path));
	r.add = type == RTM_NEWROUTE;
	r.family = family == AF_INET ? 4 : 6;
	r.plen = s->p[1];
	if (r.plen > (r.family == 4 ? 32 : 128))
		return "a prefix is longer than an address";
	r.narrow = s->p[2] || s->p[3]; // rtm_src_len, rtm_tos
	r.table = s->p[4];
	r.protocol = s->p[5];
	r.type = s->p[7];
	skip(s, sizeof(struct rtmsg));
	wrong = route_attrs(&r, s);
	if (!wrong)
		sink->route(sink->arg, &r);
	return wrong;
}

static bool members(struct fpm_nexthop *nh, const struct attr *a)
{
	nh->group = true;
	if (a->len % sizeof(struct nexthop_grp))
		return false;
	for (const uint8_t *p = a->data; p < a->data + a->len; p += sizeof(struct nexthop_grp)) {
		if (nh->members == FPM_PATHS_MAX)
			nh->more++;
		else // the weight on the wire is less 1
			nh->member[nh->members++] =
				(struct fpm_member){.id = read32(p), .weight = p[4] + 1u};
	}
	return true;
}

static const char *nexthop(const struct fpm_sink *sink, unsigned type, struct span *s)
{
	struct fpm_nexthop nh;
	struct attr a;
	int got;

	if (s->left < sizeof(struct nhmsg))
		return "a next hop is shorter than its header";
	memset(&nh, 0, offsetof(struct fpm_nexthop, member));
	nh.add = type == RTM_NEWNEXTHOP;
	nh.path.weight = 1;
	skip(s, sizeof(struct nhmsg));
	while ((got = next_attr(s, &a)) > 0) {
		bool good = true;

		if (a.type == NHA_ID)
			good = number(&a, &nh.id);
		else if (a.type == NHA_GROUP)
			good = members(&nh, &a);
		else if (a.type == NHA_BLACKHOLE)
			nh.blackhole = true;
		else if (a.type == NHA_OIF)
			good = number(&a, &nh.path.oif);
		else if (a.type == NHA_GATEWAY)
			good = gateway(&nh.path, a.data, a.len);
		else if (a.type == NHA_ENCAP)
			nh.path.encap = 1;
		if (!good)
			return "an attribute of a next hop has a wrong length";
	}
	if (got < 0)
		return "the attributes of a next hop do not fit in it";
	if (!nh.id)
		return "a next hop has no number";
	sink->nexthop(sink->arg, &nh);
	return NULL;
}

static const char *message(const struct fpm_sink *sink, unsigned type, struct span s)
{
	switch (type) {
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return route(sink, type, &s);
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		return nexthop(sink, type, &s);
	default:
		sink->other(sink->arg, type, s.left ? s.p[0] : 0);
		return NULL;
	}
}

int fpm_frame(const uint8_t *data, size_t len, struct err *err)
{
	size_t whole;

	if (len < FPM_HEADER)
		return 0;
	whole = (size_t)data[2] << 8 | data[3];
	if (data[0] != FPM_VERSION || data[1] != FPM_NETLINK)
		return err_set(err, -EPROTO,
			       "version %u, type %u: expected frames of version 1 and type 1 "
			       "(netlink): is "
			       "zebra started with -M dplane_fpm_nl?",
			       data[0], data[1]);
	if (whole < FPM_HEADER)
		return err_set(err, -EPROTO, "a frame of %zu bytes: expected %u at least", whole,
			       FPM_HEADER);
	return len < whole ? 0 : (int)whole;
}

int fpm_parse(const uint8_t *frame, size_t len, const struct fpm_sink *sink, struct err *err)
{
	struct span s = {frame, len};
	int n = 0;

	skip(&s, FPM_HEADER);
	while (s.left) {
		const char *wrong = "a message does not fit in its frame";
		size_t whole;

		if (s.left < sizeof(struct nlmsghdr))
			return err_set(err, -EBADMSG, "%s", wrong);
		whole = read32(s.p);
		if (whole < sizeof(struct nlmsghdr) || whole > s.left)
			return err_set(err, -EBADMSG, "%s", wrong);
		wrong = message(sink, read16(s.p + 4),
				(struct span){s.p + sizeof(struct nlmsghdr),
					      whole - sizeof(struct nlmsghdr)});
		if (wrong)
			return err_set(err, -EBADMSG, "%s", wrong);
		n++;
		skip(&s, NLMSG_ALIGN(whole));
	}
	return n;
}
