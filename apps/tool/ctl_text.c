// SPDX-License-Identifier: BSD-3-Clause
// ctl_text.c - read routes and neighbors as people write them
#include "apps/tool/ctl_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/util.h"

int words_split(char *line, char *w[CTL_WORDS_MAX], struct words *words, struct err *err)
{
	char *rest = NULL, *word;

	*words = (struct words){.w = w};
	line[strcspn(line, "#\n")] = 0;
	for (word = strtok_r(line, " \t\r", &rest); word; word = strtok_r(NULL, " \t\r", &rest)) {
		if (words->n == CTL_WORDS_MAX)
			return err_set(err, -E2BIG, "%s: the %uth word: expected fewer", word,
				       CTL_WORDS_MAX + 1);
		w[words->n++] = word;
	}
	return 0;
}

bool words_take(struct words *w, const char *word)
{
	if (w->at == w->n || strcmp(w->w[w->at], word))
		return false;
	w->at++;
	return true;
}

const char *words_next(struct words *w)
{
	return w->at < w->n ? w->w[w->at++] : NULL;
}

int words_end(const struct words *w, struct err *err)
{
	return w->at < w->n ? err_set(err, -EINVAL, "%s: expected no more words", w->w[w->at]) : 0;
}

static int expected(struct err *err, const char *word, const char *what)
{
	return word ? err_set(err, -EINVAL, "%.100s: expected %s", word, what)
		    : err_set(err, -EINVAL, "expected %s at the end", what);
}

static bool parse_address(const char *s, uint8_t addr[16], uint8_t *family)
{
	memset(addr, 0, 16);
	if (!s)
		return false;
	*family = strchr(s, ':') ? 6 : 4;
	return inet_pton(*family == 6 ? AF_INET6 : AF_INET, s, addr) == 1;
}

static bool host_bits(const uint8_t addr[16], unsigned plen)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = plen > 8 * i ? plen - 8 * i : 0;

		if (keep < 8 && (addr[i] & (0xffu >> keep)))
			return true;
	}
	return false;
}

// An address alone is a host's. family 0: that of "default" is not known yet.
static int parse_prefix(const char *word, uint8_t addr[16], uint8_t *plen, uint8_t *family, struct err *err)
{
	char text[INET6_ADDRSTRLEN];
	size_t n;
	const char *slash = word ? strchr(word, '/') : NULL;
	unsigned len = 0, most;

	memset(addr, 0, 16);
	if (word && !strcmp(word, "default")) {
		*plen = *family = 0;
		return 0;
	}
	n = slash ? (size_t)(slash - word) : word ? strlen(word) : 0;
	if (n < sizeof(text)) {
		memcpy(text, word ? word : "", n);
		text[n] = 0;
	}
	if (!n || n >= sizeof(text) || !parse_address(text, addr, family))
		return expected(err, word, "a prefix like 192.0.2.0/24 or 2001:db8::/32, or default");
	most = *family == 6 ? 128 : 32;
	if (slash && !text_number(slash + 1, 0, most, &len))
		return expected(err, word, *family == 6 ? "a length of 0 to 128 behind the /" :
							  "a length of 0 to 32 behind the /");
	*plen = (uint8_t)(slash ? len : most);
	return host_bits(addr, *plen) ? expected(err, word, "no bits behind the prefix's length") : 0;
}

static int take_index(struct ctl_client *c, enum ctl_kind kind, struct words *w, uint16_t *index,
		      struct err *err)
{
	const char *name = words_next(w);
	int rc;

	if (!name)
		return expected(err, name, kind == CTL_KIND_VRF ? "a VRF's name" : "an interface's name");
	rc = ctl_index(c, kind, name, err);
	*index = (uint16_t)rc;
	return rc < 0 ? rc : 0;
}

static bool take_interface(struct words *w)
{
	return words_take(w, "interface") || words_take(w, "dev");
}

static int take_via(struct words *w, struct ctl_path *p, struct err *err)
{
	const char *word = words_next(w);

	if (!parse_address(word, p->via, &p->family))
		return expected(err, word, "the address of a next hop");
	return 0;
}

// "via ADDRESS interface NAME weight N", as much of it as there is. Whether there was any.
static int take_hop(struct ctl_client *c, struct words *w, struct ctl_path *p, bool *any, struct err *err)
{
	unsigned weight;
	int rc = 0;

	*p = (struct ctl_path){.iface = CTL_IFACE_ANY, .weight = 1};
	for (*any = false; !rc; *any = true) {
		if (words_take(w, "via")) {
			rc = take_via(w, p, err);
		} else if (take_interface(w)) {
			rc = take_index(c, CTL_KIND_IFACE, w, &p->iface, err);
		} else if (words_take(w, "weight")) {
			const char *word = words_next(w);

			if (!word || !text_number(word, 1, 255, &weight))
				return expected(err, word, "a weight of 1 to 255");
			p->weight = (uint8_t)weight;
		} else {
			break;
		}
	}
	return rc;
}

static int take_kind(struct words *w)
{
	if (words_take(w, "blackhole"))
		return CTL_BLACKHOLE;
	if (words_take(w, "unreachable"))
		return CTL_UNREACHABLE;
	return words_take(w, "prohibit") ? CTL_PROHIBIT : CTL_VIA;
}

static int add_path(struct text_route *r, const struct ctl_path *p, struct err *err)
{
	if (r->route.paths == CTL_PATHS_MAX)
		return err_set(err, -EINVAL, "more than %u next hops: expected fewer", CTL_PATHS_MAX);
	r->path[r->route.paths++] = *p;
	return 0;
}

// Next hops, the VRF and the kind, in any order.
static int take_rest(struct ctl_client *c, struct words *w, struct text_route *r, struct err *err)
{
	struct ctl_path p;
	bool any;
	int rc = 0;

	while (!rc && w->at < w->n) {
		unsigned at = w->at;
		uint8_t family, addr[16];

		if (words_take(w, "vrf")) {
			rc = take_index(c, CTL_KIND_VRF, w, &r->route.vrf, err);
			continue;
		}
		if (!r->route.kind)
			r->route.kind = (uint8_t)take_kind(w);
		if (w->at != at)
			continue;
		if (!words_take(w, "nexthop") && parse_address(w->w[w->at], addr, &family)) {
			p = (struct ctl_path){.iface = CTL_IFACE_ANY, .weight = 1};
			rc = take_via(w, &p, err);
			any = true;
		} else {
			rc = take_hop(c, w, &p, &any, err);
		}
		if (!rc)
			rc = any ? add_path(r, &p, err) :
				   expected(err, w->w[w->at], "via, interface, weight, nexthop, vrf, blackhole, "
					    "unreachable or prohibit");
	}
	return rc;
}

// What the whole must be. The family of "default" is its next hop's.
static int check_route(struct text_route *r, enum ctl_op op, struct err *err)
{
	struct ctl_route *t = &r->route;
	bool gone = op == CTL_DEL || op == CTL_FORGET;

	for (unsigned i = 0; i < t->paths; i++) {
		if (!t->family && r->path[i].family)
			t->family = r->path[i].family;
		if (!r->path[i].family && r->path[i].iface == CTL_IFACE_ANY)
			return err_set(err, -EINVAL, "a next hop without via or interface: expected one of them");
	}
	if (!t->family)
		t->family = 4;
	for (unsigned i = 0; i < t->paths; i++) {
		if (!r->path[i].family)
			r->path[i].family = t->family;
		if (r->path[i].family == 4 && t->family == 6) // the other way round there is RFC 8950
			return err_set(err, -EINVAL, "an IPv6 route by an IPv4 next hop: expected an IPv6 one");
	}
	if (t->kind != CTL_VIA && t->paths)
		return err_set(err, -EINVAL, "a route that goes nowhere, with a next hop: expected one or the "
			       "other");
	if (!gone && t->kind == CTL_VIA && !t->paths)
		return err_set(err, -EINVAL, "a route to nowhere: expected via ADDRESS, interface NAME, or "
			       "blackhole, unreachable or prohibit");
	if (gone)
		t->paths = 0; // which ones it has does not matter
	return 0;
}

int text_route(struct ctl_client *c, struct words *w, enum ctl_op op, struct text_route *r, struct err *err)
{
	struct ctl_route *t = &r->route;
	int rc;

	memset(r, 0, sizeof(*r));
	t->op = (uint8_t)op;
	t->owner = CTL_OWNER_CTL;
	t->kind = (uint8_t)take_kind(w);
	rc = parse_prefix(words_next(w), t->prefix, &t->plen, &t->family, err);
	if (!rc)
		rc = take_rest(c, w, r, err);
	return rc ? rc : check_route(r, op, err);
}

static bool parse_mac6(const char *s, uint8_t mac[6])
{
	unsigned v[6];
	int n = 0;

	if (!s || sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%n", v, v + 1, v + 2, v + 3, v + 4, v + 5, &n) != 6 || s[n])
		return false;
	for (unsigned i = 0; i < 6; i++)
		mac[i] = (uint8_t)v[i];
	return !(mac[0] & 1);
}

int text_neighbor(struct ctl_client *c, struct words *w, enum ctl_op op, struct ctl_neighbor *n,
		  struct err *err)
{
	const char *word = words_next(w);
	bool mac = false;
	int rc = 0;

	*n = (struct ctl_neighbor){.op = (uint8_t)op, .iface = CTL_IFACE_ANY};
	if (!parse_address(word, n->addr, &n->family))
		return expected(err, word, "the neighbor's address");
	while (!rc && w->at < w->n) {
		if (take_interface(w)) {
			rc = take_index(c, CTL_KIND_IFACE, w, &n->iface, err);
		} else if (words_take(w, "mac") || words_take(w, "lladdr")) {
			word = words_next(w);
			mac = parse_mac6(word, n->mac);
			rc = mac ? 0 : expected(err, word, "a unicast MAC address like 02:00:00:00:00:01");
		} else {
			rc = expected(err, w->w[w->at], "interface or mac");
		}
	}
	if (!rc && n->iface == CTL_IFACE_ANY)
		rc = expected(err, NULL, "interface NAME");
	if (!rc && !mac && op != CTL_DEL && op != CTL_FORGET)
		rc = expected(err, NULL, "mac MAC");
	return rc;
}

int text_show(struct ctl_client *c, struct words *w, struct ctl_show *s, struct err *err)
{
	uint8_t family = 0;
	int rc = 0;

	*s = (struct ctl_show){.vrf = CTL_VRF_ANY, .iface = CTL_IFACE_ANY};
	while (!rc && w->at < w->n) {
		if (words_take(w, "all"))
			continue;
		if (words_take(w, "-4") || words_take(w, "-6")) {
			s->family = (uint8_t)(w->w[w->at - 1][1] - '0');
		} else if (words_take(w, "vrf")) {
			rc = take_index(c, CTL_KIND_VRF, w, &s->vrf, err);
		} else if (take_interface(w)) {
			rc = take_index(c, CTL_KIND_IFACE, w, &s->iface, err);
		} else {
			s->what = words_take(w, "match")  ? CTL_WHAT_MATCH :
				  words_take(w, "within") ? CTL_WHAT_WITHIN :
							    CTL_WHAT_EXACT;
			words_take(w, "exact");
			rc = parse_prefix(words_next(w), s->prefix, &s->plen, &family, err);
			if (!rc && family)
				s->family = family;
		}
	}
	if (!rc && s->what == CTL_WHAT_EXACT && !family && !s->family)
		s->family = 4;
	return rc;
}
