// SPDX-License-Identifier: BSD-3-Clause
// test_iface.c - what interfaces can be made of what, and what of them is up
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "netstack/bridge.h"
#include "netstack/group.h"
#include "netstack/iface.h"
#include "netstack/vlan.h"

#define PORTS 4

static const uint8_t mac[PORTS][6] = {
	{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 3}, {2, 0, 0, 0, 0, 4}};
static const struct bridge_conf plain = {0}, routed = {.routed = true};

static struct ifaces *ports(void)
{
	static const uint16_t mtu[PORTS] = {1500, 9000, 1400, 1500};
	struct err err;
	struct ifaces *ifs = ifaces_create(PORTS, 8, &err);

	assert_non_null(ifs);
	for (uint16_t p = 0; p < PORTS; p++)
		assert_int_equal(ifaces_port(ifs, p, mac[p], mtu[p], &err), 0);
	return ifs;
}

static int vlan(struct ifaces *ifs, uint16_t parent, uint16_t outer, uint16_t inner, uint16_t mtu,
		struct err *err)
{
	const uint16_t vid[2] = {outer, inner};

	return ifaces_vlan(ifs, parent, vid, inner ? 2 : 1, mtu, NULL, err);
}

static void refused(int rc, int want, const struct err *err, const char *text)
{
	assert_int_equal(rc, want);
	if (!strstr(err->text, text))
		fail_msg("'%s' does not say '%s'", err->text, text);
}

static void test_vlan(void **state)
{
	struct ifaces *ifs = ports();
	const struct iface *i;
	struct err err;

	assert_int_equal(vlan(ifs, 1, 100, 0, 0, &err), 4);
	i = &ifs->iface[4];
	assert_int_equal(i->kind, IFACE_VLAN);
	assert_int_equal(i->mtu, 9000);
	assert_int_equal(i->tx, 1);
	assert_int_equal(i->hlen, 18);
	assert_memory_equal(i->tag, "\x81\x00\x00\x64", 4); // 802.1Q, 9.6: TPID, then the VID
	assert_memory_equal(i->mac, mac[1], 6);
	// 802.1Q, table 9-1: the S-tag's EtherType is 88-a8.
	assert_int_equal(vlan(ifs, 0, 200, 30, 0, &err), 5);
	i = &ifs->iface[5];
	assert_int_equal(i->mtu, 1496);
	assert_int_equal(i->hlen, 22);
	assert_memory_equal(i->tag, "\x88\xa8\x00\xc8\x81\x00\x00\x1e", 8);
	assert_int_equal(vlan_find1(ifs->iface[1].vlans, 100), 4);
	assert_int_equal(vlan_find1(ifs->iface[1].vlans, 101), IFACE_NONE);
	assert_int_equal(vlan_find2(ifs->iface[0].vlans, 200, 30), 5);
	assert_int_equal(vlan_find2(ifs->iface[0].vlans, 200, 31), IFACE_NONE);
	assert_int_equal(vlan_find2(ifs->iface[0].vlans, 30, 200), IFACE_NONE);
	assert_int_equal(vlan_find1(ifs->iface[0].vlans, 200), IFACE_NONE);
	ifaces_unref(ifs);
}

static void test_vlan_refused(void **state)
{
	struct ifaces *ifs = ports();
	struct err err;

	assert_int_equal(vlan(ifs, 0, 7, 0, 0, &err), 4);
	assert_int_equal(vlan(ifs, 0, 7, 8, 0, &err), 5);
	refused(vlan(ifs, 0, 7, 0, 0, &err), -EEXIST, &err, "VLAN 7 of port0");
	refused(vlan(ifs, 0, 7, 8, 0, &err), -EEXIST, &err, "VLAN 8 in 7 of port0");
	refused(vlan(ifs, 0, 0, 0, 0, &err), -EINVAL, &err, "VLAN 0 of port0");
	refused(vlan(ifs, 0, 4095, 0, 0, &err), -EINVAL, &err, "VLANs are 1 to 4094");
	refused(vlan(ifs, 0, 9, 4095, 0, &err), -EINVAL, &err, "VLAN 4095");
	refused(vlan(ifs, 0, 9, 0, 1501, &err), -EINVAL, &err, "MTU 1501");
	refused(vlan(ifs, 0, 9, 9, 1497, &err), -EINVAL, &err, "1496");
	refused(vlan(ifs, 0, 9, 0, 67, &err), -EINVAL, &err, "MTU 67");
	refused(vlan(ifs, 9, 9, 0, 0, &err), -EINVAL, &err, "there are 6");
	refused(vlan(ifs, 4, 9, 0, 0, &err), -EINVAL, &err, "is a VLAN");
	assert_int_equal(ifs->n, 6);
	ifaces_unref(ifs);
}

static void test_group(void **state)
{
	static const uint16_t members[] = {1, 2}, again[] = {2, 3}, twice[] = {3, 3}, vlans[] = {4};
	struct ifaces *ifs = ports();
	struct err err;

	assert_int_equal(ifaces_group(ifs, members, 2, 0, NULL, &err), 4);
	assert_int_equal(ifs->outs, 5);
	assert_int_equal(ifs->iface[4].tx, 4);
	assert_int_equal(ifs->iface[4].mtu, 1400);
	assert_memory_equal(ifs->iface[4].mac, mac[1], 6);
	assert_int_equal(ifs->iface[1].group, 4);
	assert_true(ifaces_promiscuous(ifs, 2));
	assert_false(ifaces_promiscuous(ifs, 0));
	refused(ifaces_group(ifs, again, 2, 0, NULL, &err), -EBUSY, &err, "port2 is a member of");
	refused(ifaces_group(ifs, twice, 2, 0, NULL, &err), -EBUSY, &err, "port3 is named twice");
	refused(ifaces_group(ifs, vlans, 1, 0, NULL, &err), -EINVAL, &err, "is a group");
	refused(ifaces_addressable(ifs, 1, &err), -EINVAL, &err, "member of group4");
	refused(vlan(ifs, 1, 9, 0, 0, &err), -EINVAL, &err, "has to be of group4");
	assert_int_equal(ifaces_addressable(ifs, 4, &err), 0);
	assert_int_equal(vlan(ifs, 4, 9, 0, 0, &err), 5);
	assert_int_equal(ifs->iface[5].tx, 4);
	assert_int_equal(vlan(ifs, 3, 9, 0, 0, &err), 6);
	refused(ifaces_group(ifs, again + 1, 1, 0, NULL, &err), -EINVAL, &err, "port3 has VLANs");
	ifaces_unref(ifs);
}

static void test_bridge(void **state)
{
	static const uint16_t members[] = {0, 2, 4}, bridges[] = {5}, none[] = {3};
	struct ifaces *ifs = ports();
	struct bridge_conf bad = {.macs = MACS_MAX + 1};
	struct err err;

	assert_int_equal(vlan(ifs, 1, 9, 0, 0, &err), 4);
	assert_int_equal(ifaces_bridge(ifs, members, 3, &routed, 0, NULL, &err), 5);
	assert_int_equal(ifs->iface[5].mtu, 1400);
	assert_int_equal(ifs->iface[5].tx, 4);
	assert_int_equal(ifs->iface[4].bridge, 5);
	assert_int_equal(ifaces_addressable(ifs, 5, &err), 0);
	assert_true(ifaces_promiscuous(ifs, 0));
	assert_true(ifaces_promiscuous(ifs, 1)); // whose VLAN is bridged
	assert_false(ifaces_promiscuous(ifs, 3));
	refused(ifaces_addressable(ifs, 4, &err), -EINVAL, &err, "give them to bridge5");
	refused(ifaces_bridge(ifs, members, 1, &plain, 0, NULL, &err), -EBUSY, &err,
		"port0 is a member of bridge5");
	refused(ifaces_bridge(ifs, bridges, 1, &plain, 0, NULL, &err), -EINVAL, &err,
		"cannot be in a bridge");
	refused(ifaces_bridge(ifs, none, 0, &plain, 0, NULL, &err), -EINVAL, &err, "0 members");
	refused(ifaces_bridge(ifs, none, 1, &bad, 0, NULL, &err), -EINVAL, &err, "65537");
	assert_int_equal(ifaces_bridge(ifs, none, 1, &plain, 0, NULL, &err), 6);
	refused(ifaces_addressable(ifs, 6, &err), -EINVAL, &err, "no station of its own");
	ifaces_unref(ifs);
}

static void test_names(void **state)
{
	struct ifaces *ifs = ports();
	struct err err;

	assert_int_equal(ifaces_name(ifs, 0, "wan.100", &err), 0);
	assert_int_equal(ifaces_name(ifs, 0, "wan.100", &err), 0);
	assert_int_equal(ifaces_find(ifs, "wan.100"), 0);
	assert_int_equal(ifaces_find(ifs, "port0"), -ENOENT);
	refused(ifaces_name(ifs, 1, "wan.100", &err), -EEXIST, &err, "wan.100");
	refused(ifaces_name(ifs, 1, "", &err), -EINVAL, &err, "''");
	refused(ifaces_name(ifs, 1, "a b", &err), -EINVAL, &err, "a b");
	refused(ifaces_name(ifs, 1, "12345678901234567890123456789012", &err), -EINVAL, &err, "31");
	ifaces_unref(ifs);
}

// A frame is matched at once only by an interface that is up, and whole.
static void test_states(void **state)
{
	static const uint16_t pair[] = {1, 2};
	struct ifaces *ifs = ports();
	const struct iface *i = ifs->iface;
	struct err err;

	assert_int_equal(vlan(ifs, 0, 9, 0, 0, &err), 4);
	assert_int_equal(ifaces_group(ifs, pair, 2, 0, NULL, &err), 5);
	assert_int_equal(vlan(ifs, 5, 9, 0, 0, &err), 6);
	assert_true(i[0].match48 == eth_mac(mac[0]));
	assert_true(i[1].match48 == IFACE_NO_MATCH && i[4].match48 == IFACE_NO_MATCH);
	ifaces_set_up(ifs, 0, false);
	assert_true(!i[0].up && !i[4].up && i[0].match48 == IFACE_NO_MATCH);
	ifaces_set_up(ifs, 4, false);
	ifaces_set_up(ifs, 0, true);
	assert_true(i[0].up && !i[4].up && i[0].match48 == eth_mac(mac[0]));
	ifaces_set_up(ifs, 4, true);
	assert_true(i[4].up && i[4].live);
	ifaces_link(ifs, 0, false);
	assert_true(i[0].up && i[4].up && !i[0].live && !i[4].live);
	// A group lives while a member does.
	ifaces_link(ifs, 1, false);
	assert_true(i[5].live && i[6].live);
	ifaces_set_up(ifs, 2, false);
	assert_true(i[5].up && !i[5].live && !i[6].live);
	ifaces_link(ifs, 1, true);
	assert_true(i[5].live && i[6].live);
	ifaces_unref(ifs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vlan),  cmocka_unit_test(test_vlan_refused),
		cmocka_unit_test(test_group), cmocka_unit_test(test_bridge),
		cmocka_unit_test(test_names), cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
