// SPDX-License-Identifier: BSD-3-Clause
// test_fpm_netlink.c - what FRR 8.4.4 really sent (tests/captures/record_fpm.py), parsed; and
// broken messages
//
// The expected lines are the configuration that record_fpm.py gave to FRR and BIRD. Interface 2 is
// p1, 3 is p2.
#include <errno.h>
#include <linux/nexthop.h>

#include "fpm_test.h"

struct log {
	char text[16384];
	unsigned routes, nexthops, others;
};

static void on_route(void *arg, const struct fpm_route *r)
{
	struct log *l = arg;
	char *s = l->text + strlen(l->text), prefix[64];
	size_t room = sizeof(l->text) - strlen(l->text);

	l->routes++;
	fpm_text_prefix(prefix, sizeof(prefix), r->family, r->prefix, r->plen);
	snprintf(s, room, "%c %s%s table %u proto %u", r->add ? '+' : '-', prefix,
		 r->add ? fpm_type(r->type) : "", r->table, r->protocol);
	if (r->nh_id)
		snprintf(s + strlen(s), room - strlen(s), " nhid %u", r->nh_id);
	fpm_text_paths(s, room, r->path, r->paths);
	strcat(s, "\n");
}

static void on_nexthop(void *arg, const struct fpm_nexthop *nh)
{
	struct log *l = arg;
	char *s = l->text + strlen(l->text);
	size_t room = sizeof(l->text) - strlen(l->text);

	l->nexthops++;
	snprintf(s, room, "%c nexthop %u%s%s", nh->add ? '+' : '-', nh->id,
		 nh->blackhole ? " blackhole" : "", nh->group ? " group" : "");
	for (unsigned i = 0; i < nh->members; i++)
		snprintf(s + strlen(s), room - strlen(s), " %u,%u", nh->member[i].id,
			 nh->member[i].weight);
	if (nh->add && !nh->group && !nh->blackhole)
		fpm_text_paths(s, room, &nh->path, 1);
	strcat(s, "\n");
}

static void on_other(void *arg, unsigned type, unsigned family)
{
	(void)type;
	(void)family;
	((struct log *)arg)->others++;
}

static void parse_all(struct log *l, const uint8_t *data, size_t len)
{
	const struct fpm_sink sink = {on_route, on_nexthop, on_other, l};
	struct err err;
	size_t at = 0;
	int n;

	while ((n = fpm_frame(data + at, len - at, &err)) > 0) {
		assert_true(fpm_parse(data + at, (size_t)n, &sink, &err) > 0);
		at += (size_t)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(at, len);
}

#define HAS(l, line) assert_non_null(strstr((l)->text, line "\n"))

static void test_plain(void **state)
{
	struct log *l = calloc(1, sizeof(*l));
	uint8_t *data;
	size_t len;

	(void)state;
	data = fpm_capture("fpm-plain.bin", &len);
	parse_all(l, data, len);
	assert_int_equal(l->nexthops, 0);
	assert_int_equal(l->others, 0);
	HAS(l, "+ 0.0.0.0/0 table 254 proto 186 via 192.0.2.11 dev 2");
	HAS(l, "+ 10.96.0.0/16 table 254 proto 196 via - dev 2");
	HAS(l, "+ 10.98.0.0/16 unreachable table 254 proto 196");
	HAS(l, "+ 10.99.0.0/16 blackhole table 254 proto 196");
	HAS(l, "+ 100.64.1.0/24 table 254 proto 186 via 192.0.2.11 dev 2");
	HAS(l, "+ 100.64.2.0/24 table 254 proto 186 via 198.51.100.12 dev 3");
	HAS(l, "+ 100.64.3.0/24 table 254 proto 186 via 192.0.2.11 dev 2 via 198.51.100.12 dev 3");
	HAS(l, "+ 192.0.2.0/24 table 254 proto 2 via - dev 2");
	HAS(l, "+ 203.0.113.0/24 table 254 proto 196 via 192.0.2.11 dev 2 via 198.51.100.12 dev 3");
	HAS(l, "+ ::/0 table 254 proto 186 via 2001:db8:2::12 dev 3");
	HAS(l, "+ 2001:db8:9::/48 table 254 proto 196 via 2001:db8:1::11 dev 2");
	HAS(l, "+ 2001:db8:a::/48 table 254 proto 196 via fe80::11 dev 3");
	HAS(l, "+ 2001:db8:b::/48 table 254 proto 196 via 2001:db8:1::11 dev 2 via 2001:db8:2::12 "
	       "dev 3");
	HAS(l, "- 100.64.1.0/24 table 254 proto 186\n"
	       "- 100.64.2.0/24 table 254 proto 186\n"
	       "+ 100.64.2.0/24 table 254 proto 186 via 192.0.2.11 dev 2\n"
	       "- 2001:db8:100::/48 table 254 proto 186");
	HAS(l, "+ 203.0.113.0/24 table 254 proto 196 via 192.0.2.11 dev 2");
	free(data);
	free(l);
}

static void test_groups(void **state)
{
	struct log *l = calloc(1, sizeof(*l));
	uint8_t *data;
	size_t len;

	(void)state;
	data = fpm_capture("fpm-groups.bin", &len);
	parse_all(l, data, len);
	// FRR announces groups before their members.
	HAS(l, "+ nexthop 23 group 24,1 25,1\n+ nexthop 24 via 192.0.2.11 dev 2\n"
	       "+ nexthop 25 via 198.51.100.12 dev 3");
	HAS(l, "+ nexthop 22 via fe80::11 dev 3");
	HAS(l, "+ nexthop 19 blackhole");
	HAS(l, "+ nexthop 21 via - dev 2");
	HAS(l, "+ 203.0.113.0/24 table 254 proto 196 nhid 23");
	HAS(l, "+ 10.99.0.0/16 blackhole table 254 proto 196");
	HAS(l, "- nexthop 35\n- nexthop 37");
	free(data);
	free(l);
}

// --- messages made here, byte by byte as <linux/rtnetlink.h> has them ---

struct maker {
	uint8_t frame[1024];
	size_t len; // of the frame so far
};

static void put(struct maker *m, const void *data, size_t len)
{
	memcpy(m->frame + m->len, data, len);
	m->len += len;
	while (m->len % 4)
		m->frame[m->len++] = 0;
}

static void begin(struct maker *m, uint16_t type, uint8_t family, uint8_t plen)
{
	struct rtmsg rtm = {.rtm_family = family,
			    .rtm_dst_len = plen,
			    .rtm_table = RT_TABLE_MAIN,
			    .rtm_type = RTN_UNICAST};

	m->len = FPM_HEADER;
	put(m, &(struct nlmsghdr){.nlmsg_type = type}, sizeof(struct nlmsghdr));
	put(m, &rtm, sizeof(rtm));
}

static void attr(struct maker *m, uint16_t type, const void *data, size_t len)
{
	put(m, &(struct rtattr){.rta_len = (uint16_t)(len + 4), .rta_type = type}, 4);
	put(m, data, len);
}

static void end(struct maker *m)
{
	uint32_t len = (uint32_t)m->len - FPM_HEADER;

	memcpy(m->frame + FPM_HEADER, &len, sizeof(len));
	memcpy(m->frame, (uint8_t[]){1, 1, (uint8_t)(m->len >> 8), (uint8_t)m->len}, FPM_HEADER);
}

static int parse_one(struct log *l, const struct maker *m)
{
	const struct fpm_sink sink = {on_route, on_nexthop, on_other, l};
	struct err err;

	memset(l, 0, sizeof(*l));
	return fpm_parse(m->frame, m->len, &sink, &err);
}

static const uint8_t TEN[4] = {10, 1, 2, 3}, GW[4] = {192, 0, 2, 9};

static void test_weights(void **state)
{
	struct log l;
	struct maker m;
	uint8_t hops[32] = {16, 0, 0, 2,   7, 0, 0, 0, 8, 0, RTA_GATEWAY, 0, 192, 0, 2, 9,
			    16, 0, 0, 255, 8, 0, 0, 0, 8, 0, RTA_GATEWAY, 0, 192, 0, 2, 10};

	(void)state;
	begin(&m, RTM_NEWROUTE, AF_INET, 8);
	attr(&m, RTA_DST, TEN, 4); // with host bits: they do not count
	attr(&m, RTA_TABLE, &(uint32_t){1000}, 4);
	attr(&m, RTA_MULTIPATH, hops, sizeof(hops));
	end(&m);
	assert_int_equal(parse_one(&l, &m), 1);
	assert_string_equal(
		l.text,
		"+ 10.0.0.0/8 table 1000 proto 0 via 192.0.2.9 dev 7 weight 3 via 192.0.2.10 "
		"dev 8 weight 255\n");
}

static void test_ip4_by_ip6(void **state)
{
	struct log l;
	struct maker m;
	uint8_t via[18] = {AF_INET6, 0, 0x20, 0x01, 0x0d, 0xb8, [17] = 5};

	(void)state;
	begin(&m, RTM_NEWROUTE, AF_INET, 32);
	attr(&m, RTA_DST, TEN, 4);
	attr(&m, RTA_VIA, via, sizeof(via));
	end(&m);
	assert_int_equal(parse_one(&l, &m), 1);
	assert_string_equal(l.text, "+ 10.1.2.3/32 table 254 proto 0 via 2001:db8::5 dev 0\n");
}

static void test_broken(void **state)
{
	static const struct {
		uint16_t type;
		size_t len;
	} wrong[] = {{RTA_DST, 3},   {RTA_DST, 16},  {RTA_GATEWAY, 5},	 {RTA_OIF, 2},
		     {RTA_TABLE, 8}, {RTA_NH_ID, 0}, {RTA_MULTIPATH, 7}, {RTA_VIA, 1}};
	static const uint8_t zeros[16];
	struct log l;
	struct maker m;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		begin(&m, RTM_NEWROUTE, AF_INET, 24);
		if (wrong[i].type != RTA_DST)
			attr(&m, RTA_DST, TEN, 4);
		attr(&m, wrong[i].type, zeros, wrong[i].len);
		end(&m);
		assert_int_equal(parse_one(&l, &m), -EBADMSG);
		assert_int_equal(l.routes, 0);
	}
	begin(&m, RTM_NEWROUTE, AF_INET, 33);
	end(&m);
	assert_int_equal(parse_one(&l, &m), -EBADMSG);
	begin(&m, RTM_NEWROUTE, AF_INET, 24); // and no prefix
	attr(&m, RTA_GATEWAY, GW, 4);
	end(&m);
	assert_int_equal(parse_one(&l, &m), -EBADMSG);
	// Every cut of a good message.
	begin(&m, RTM_NEWROUTE, AF_INET, 24);
	attr(&m, RTA_DST, TEN, 4);
	attr(&m, RTA_GATEWAY, GW, 4);
	end(&m);
	assert_int_equal(parse_one(&l, &m), 1);
	for (size_t whole = m.len; --m.len > FPM_HEADER;) {
		assert_true(m.len < whole);
		assert_int_equal(parse_one(&l, &m), -EBADMSG);
	}
}

static void test_frames(void **state)
{
	static const uint8_t other_version[] = {2, 1, 0, 4}, protobuf[] = {1, 2, 0, 8},
			     tiny[] = {1, 1, 0, 3}, empty[] = {1, 1, 0, 4};
	struct err err;

	(void)state;
	assert_int_equal(fpm_frame(empty, 3, &err), 0);
	assert_int_equal(fpm_frame(empty, 4, &err), 4);
	assert_int_equal(fpm_frame((uint8_t[]){1, 1, 1, 0}, 4, &err), 0);
	assert_int_equal(fpm_frame(other_version, 4, &err), -EPROTO);
	assert_int_equal(fpm_frame(protobuf, 4, &err), -EPROTO);
	assert_int_equal(fpm_frame(tiny, 4, &err), -EPROTO);
}

static void test_other_kinds(void **state)
{
	struct log l;
	struct maker m;

	(void)state;
	begin(&m, RTM_NEWROUTE, AF_MPLS, 20);
	end(&m);
	assert_int_equal(parse_one(&l, &m), 1);
	assert_int_equal(l.others, 1);
	begin(&m, RTM_NEWNEIGH, AF_BRIDGE, 0);
	end(&m);
	assert_int_equal(parse_one(&l, &m), 1);
	assert_int_equal(l.others, 1);
	assert_int_equal(l.routes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	    cmocka_unit_test(test_groups),
		cmocka_unit_test(test_weights),	    cmocka_unit_test(test_ip4_by_ip6),
		cmocka_unit_test(test_broken),	    cmocka_unit_test(test_frames),
		cmocka_unit_test(test_other_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
