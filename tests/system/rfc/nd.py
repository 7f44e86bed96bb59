# SPDX-License-Identifier: BSD-3-Clause
# nd.py - RFC 4861 and 4862: solicitations, advertisements, reachability, addresses of the router's own

from scapy.layers.inet6 import (ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_RS,
                                ICMPv6NDOptDstLLAddr, ICMPv6NDOptPrefixInfo, ICMPv6NDOptSrcLLAddr, IPv6)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from net4 import HOST_MAC, ROUTER_MAC
from net6 import (ALL_NODES, ALL_ROUTERS, HOST6, HOST_LL, LINK_LOCAL, ROUTER6, ip6, solicited, sum6)
from suite import not_met, requirement


def ns(target, port="lan", src=None, mac=None, hlim=255, to=None, code=0, option=True, mac_to=None, **fields):
    """A solicitation from the host of a port."""
    group, group_mac = solicited(target)
    mac = mac or HOST_MAC[port]
    body = ICMPv6ND_NS(tgt=target, code=code, **fields)
    if option:
        body = body / ICMPv6NDOptSrcLLAddr(lladdr=mac)
    return Ether(bytes(Ether(src=mac, dst=mac_to or group_mac) /
                       IPv6(src=src or HOST6[port], dst=to or group, hlim=hlim) / body))


def na(target, port="wan", mac=None, solicited_=1, override=1, hlim=255, to=None, mac_to=None, option=True, **fields):
    body = ICMPv6ND_NA(tgt=target, R=0, S=solicited_, O=override, **fields)
    if option:
        body = body / ICMPv6NDOptDstLLAddr(lladdr=mac)
    return Ether(bytes(Ether(src=mac, dst=mac_to or ROUTER_MAC[port]) /
                       IPv6(src=target, dst=to or LINK_LOCAL[port], hlim=hlim) / body))


def answer(frame, target, to, mac_to, solicited_=1):
    """Checks an advertisement of the router's."""
    body = frame[ICMPv6ND_NA]
    assert frame[IPv6].hlim == 255 and frame[IPv6].dst == to and frame.dst == mac_to and sum6(frame)
    assert (body.tgt, body.R, body.S, body.O) == (target, 1, solicited_, 1), (body.tgt, body.R, body.S, body.O)
    assert frame[ICMPv6NDOptDstLLAddr].lladdr == frame.src
    assert frame[IPv6].src == target


# --- 7.2.3, 7.2.4: what the router is asked ---

@requirement("4861", "7.2.4", "MUST", "a solicitation of an address of the router is answered: solicited, router and override set, with its link-layer address")
def rfc4861_7_2_4_answer():
    out = yield [("lan", ns(ROUTER6["lan"])), ("lan", ns(LINK_LOCAL["lan"]))]
    first, second = out["lan"]
    answer(first, ROUTER6["lan"], HOST6["lan"], HOST_MAC["lan"])
    answer(second, LINK_LOCAL["lan"], HOST6["lan"], HOST_MAC["lan"])


@requirement("4861", "7.2.4", "MUST", "a solicitation from the unspecified address (DAD) is answered to all nodes, unsolicited")
def rfc4861_7_2_4_dad_answer():
    out = yield [("lan", ns(ROUTER6["lan"], src="::", option=False))]
    answer(out.only("lan"), ROUTER6["lan"], ALL_NODES, "33:33:00:00:00:01", solicited_=0)


@requirement("4861", "7.2.3", "MUST", "a unicast solicitation (a reachability probe) is answered, with or without a source link-layer address")
def rfc4861_7_2_3_unicast():
    out = yield [("lan", ns(ROUTER6["lan"], to=ROUTER6["lan"], mac_to=ROUTER_MAC["lan"])),
                 ("lan", ns(ROUTER6["lan"], to=ROUTER6["lan"], mac_to=ROUTER_MAC["lan"], option=False))]
    assert len(out.having(ICMPv6ND_NA, "lan")) == 2


@requirement("4861", "7.2.3", "MUST", "a solicitation of an address that is not the router's is dropped in silence")
def rfc4861_7_2_3_not_ours():
    out = yield [("lan", ns("2001:db8:2::77")), ("lan", ns(ROUTER6["wan"], to=ROUTER6["lan"], mac_to=ROUTER_MAC["lan"]))]
    assert not out.having(ICMPv6ND_NA)


def unanswered(*frames):
    out = yield [("lan", frame) for frame in frames]
    assert not out.having(ICMPv6ND_NA), out


@requirement("4861", "7.1.1", "MUST", "a solicitation whose hop limit is not 255 is dropped")
def rfc4861_7_1_1_hop_limit():
    yield from unanswered(ns(ROUTER6["lan"], hlim=254))


@requirement("4861", "7.1.1", "MUST", "a solicitation with a wrong checksum is dropped")
def rfc4861_7_1_1_checksum():
    yield from unanswered(ns(ROUTER6["lan"], cksum=0x1111))


@requirement("4861", "7.1.1", "MUST", "a solicitation with a code other than 0 is dropped")
def rfc4861_7_1_1_code():
    yield from unanswered(ns(ROUTER6["lan"], code=1))


@requirement("4861", "7.1.1", "MUST", "a solicitation shorter than 24 bytes is dropped")
def rfc4861_7_1_1_length():
    group, mac = solicited(ROUTER6["lan"])
    short = bytes([135, 0, 0, 0, 0, 0, 0, 0]) + bytes(IPv6(dst=ROUTER6["lan"]))[24:36]
    frame = Ether(src=HOST_MAC["lan"], dst=mac) / IPv6(src=HOST6["lan"], dst=group, hlim=255, nh=58) / Raw(short)
    data = bytearray(bytes(frame))
    total = sum(int.from_bytes((data[22:54] + b"\0\0\0\x14\0\0\0\x3a" + data[54:])[i : i + 2], "big") for i in range(0, 60, 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    data[56:58] = (int.from_bytes(data[56:58], "big") + (total ^ 0xFFFF)).to_bytes(4, "big")[-2:]
    yield from unanswered(Ether(bytes(data)))


@requirement("4861", "7.1.1", "MUST", "a solicitation of a multicast target is dropped")
def rfc4861_7_1_1_target():
    group, mac = solicited(ROUTER6["lan"])
    yield from unanswered(ns(ALL_NODES, to=group, mac_to=mac))


@requirement("4861", "7.1.1", "MUST", "a solicitation with an option of length 0 is dropped")
def rfc4861_7_1_1_option():
    frame = ns(ROUTER6["lan"])
    data = bytearray(bytes(frame))
    data[79] = 0  # the option's length; the checksum follows
    data[56:58] = (int.from_bytes(data[56:58], "big") + 1).to_bytes(2, "big")
    yield from unanswered(Ether(bytes(data)))


@requirement("4861", "7.1.1", "MUST", "a solicitation from the unspecified address to other than the solicited-node group, or with a link-layer address, is dropped")
def rfc4861_7_1_1_unspecified():
    yield from unanswered(ns(ROUTER6["lan"], src="::", option=False, to=ROUTER6["lan"], mac_to=ROUTER_MAC["lan"]),
                          ns(ROUTER6["lan"], src="::", option=True))


# --- 7.2.2, 7.2.5: what the router asks ---

@requirement("4861", "7.2.2", "MUST", "an unknown neighbor is asked for by its solicited-node group, with the router's link-layer address; the packet waits")
def rfc4861_7_2_2_ask():
    out = yield [("lan", ip6(dst="2001:db8:1::60")), ("wan", na("2001:db8:1::60", mac="02:00:00:00:02:60"), 0.5)]
    packet = out.only("wan")
    group, mac = solicited("2001:db8:1::60")
    asked, = [f for f in out.asked["wan"] if ICMPv6ND_NS in f and f[ICMPv6ND_NS].tgt == "2001:db8:1::60"][:1]
    assert asked[IPv6].dst == group and asked.dst == mac and asked[IPv6].hlim == 255 and sum6(asked)
    assert asked[ICMPv6NDOptSrcLLAddr].lladdr == ROUTER_MAC["wan"]
    assert packet.dst == "02:00:00:00:02:60" and packet.at < 0.55


@requirement("4861", "7.2.2", "MUST", "a neighbor that does not answer is asked three times, a second apart, and then given up")
def rfc4861_7_2_2_three_times():
    out = yield [("lan", ip6(dst="2001:db8:1::97"))]
    asked = [f.at for f in out.asked["wan"] if ICMPv6ND_NS in f and f[ICMPv6ND_NS].tgt == "2001:db8:1::97"]
    assert len(asked) == 3 and all(0.9 < b - a < 1.3 for a, b in zip(asked, asked[1:])), asked


@requirement("4861", "7.2.2", "MUST", "at least the last packet to a neighbor that is asked for is kept")
def rfc4861_7_2_2_queue():
    out = yield [("lan", ip6(dst="2001:db8:1::61", fl=n)) for n in range(1, 5)] + \
                [("wan", na("2001:db8:1::61", mac="02:00:00:00:02:61"), 0.2)]
    assert [f[IPv6].fl for f in out["wan"]][-1] == 4


@requirement("4861", "7.1.2", "MUST", "an advertisement whose hop limit is not 255 is not believed")
def rfc4861_7_1_2_hop_limit():
    out = yield [("lan", ip6(dst="2001:db8:1::62")), ("wan", na("2001:db8:1::62", mac="02:00:00:00:02:62", hlim=254), 0.2)]
    assert not [f for f in out["wan"] if IPv6 in f]


@requirement("4861", "7.2.5", "SHOULD", "an advertisement of somebody the router has not asked for makes no neighbor")
def rfc4861_7_2_5_unasked():
    out = yield [("wan", na("2001:db8:1::63", mac="02:00:00:00:02:63")), ("lan", ip6(dst="2001:db8:1::63"), 0.2)]
    assert not out["wan"]
    assert [f for f in out.asked["wan"] if ICMPv6ND_NS in f and f[ICMPv6ND_NS].tgt == "2001:db8:1::63"]


@requirement("4861", "7.2.5", "MUST", "an advertisement with override gives a known neighbor another link-layer address; one without does not")
def rfc4861_7_2_5_override():
    target, old, new, third = "2001:db8:1::64", "02:00:00:00:02:64", "02:00:00:00:02:65", "02:00:00:00:02:66"
    everybody = {"to": ALL_NODES, "mac_to": "33:33:00:00:00:01", "solicited_": 0}
    out = yield [("lan", ip6(dst=target)), ("wan", na(target, mac=old), 0.1), ("lan", ip6(dst=target), 0.1),
                 ("wan", na(target, mac=third, override=0, **everybody), 0.1), ("lan", ip6(dst=target), 0.1),
                 ("wan", na(target, mac=new, **everybody), 0.1), ("lan", ip6(dst=target), 0.1)]
    assert [f.dst for f in out["wan"]] == [old, old, old, new], [f.dst for f in out["wan"]]


@requirement("4861", "7.2.3", "MUST", "who solicits the router is remembered: a packet to it needs no question at first")
def rfc4861_7_2_3_learn():
    out = yield [("wan", ns(ROUTER6["wan"], port="wan", src="2001:db8:1::67", mac="02:00:00:00:02:67")),
                 ("lan", ip6(dst="2001:db8:1::67"), 0.1)]
    assert [f.dst for f in out["wan"]] == ["02:00:00:00:02:67"] * 2


@requirement("4861", "7.3.3", "MUST", "a stale neighbor that is used is probed by unicast after 5 seconds, and kept while it answers")
def rfc4861_7_3_3_probe():
    target, mac = "2001:db8:1::68", "02:00:00:00:02:68"
    out = yield [("wan", ns(ROUTER6["wan"], port="wan", src=target, mac=mac)), ("lan", ip6(dst=target), 0.1)]
    probes = [f for f in out.asked["wan"] if ICMPv6ND_NS in f and f[ICMPv6ND_NS].tgt == target]
    assert probes and probes[0].dst == mac and probes[0][IPv6].dst == target and 4.5 < probes[0].at < 6.5, \
        [f.at for f in probes]


# --- routers and hosts ---

def rs(src=HOST_LL, hlim=255, option=True):
    body = ICMPv6ND_RS()
    if option:
        body = body / ICMPv6NDOptSrcLLAddr(lladdr=HOST_MAC["lan"])
    return Ether(bytes(Ether(src=HOST_MAC["lan"], dst="33:33:00:00:00:02") / IPv6(src=src, dst=ALL_ROUTERS, hlim=hlim) / body))


@requirement("4861", "6.2.1", "MUST", "no router advertisements unless they are configured (AdvSendAdvertisements is off by default)")
def rfc4861_6_2_1_off():
    out = yield [("lan", rs())]
    assert not [f for f in out.asked["lan"] if ICMPv6ND_RA in f]


@requirement("4861", "6.2.6", "MUST", "a router solicitation is answered within half a second, from a link-local address", config="ra")
def rfc4861_6_2_6_answer():
    out = yield [("lan", rs(), 5)]
    ras = [f for f in out.asked["lan"] if ICMPv6ND_RA in f and 5 <= f.at < 8.6]
    assert ras and ras[0][IPv6].src == LINK_LOCAL["lan"] and ras[0][IPv6].hlim == 255 and sum6(ras[0]), \
        [f.at for f in out.asked["lan"]]


@requirement("4861", "4.2", "MUST", "an advertisement has the lifetime and flags configured, the on-link prefixes, the router's link-layer address", config="ra")
def rfc4861_4_2_format():
    out = yield [("lan", rs(), 5)]
    ra = [f for f in out.asked["lan"] if ICMPv6ND_RA in f][0]
    body, prefix = ra[ICMPv6ND_RA], ra[ICMPv6NDOptPrefixInfo]
    assert (body.routerlifetime, body.M, body.O, body.code) == (1800, 0, 1, 0)
    assert (prefix.prefix, prefix.prefixlen, prefix.L, prefix.A) == ("2001:db8:2::", 64, 1, 1)
    assert ra[ICMPv6NDOptSrcLLAddr].lladdr == ROUTER_MAC["lan"]


@requirement("4861", "6.2.4", "MUST", "unsolicited advertisements come again and again, between the least and the most interval", config="ra_often")
def rfc4861_6_2_4_interval():
    out = yield [("lan", ip6())]
    times = [f.at for f in out.asked["lan"] if ICMPv6ND_RA in f]
    # Configured: 10 seconds at most; at least a third of it.
    assert len(times) >= 2 and all(3 < b - a <= 10.5 for a, b in zip(times, times[1:])), times


@requirement("4861", "6.2.1", "MUST", "only the interfaces configured advertise", config="ra")
def rfc4861_6_2_1_per_interface():
    out = yield [("lan", ip6())]
    assert not [f for f in out.asked["wan"] if ICMPv6ND_RA in f]


# The last of its router's tests: it has said its first advertisements by now, and has ten minutes for the next.
@requirement("4861", "6.1.1", "MUST", "a router solicitation whose hop limit is not 255 is dropped", config="ra")
def rfc4861_6_1_1_hop_limit():
    out = yield [("lan", rs(hlim=254), 2)] * 10
    assert len([f for f in out.asked["lan"] if ICMPv6ND_RA in f]) <= 1, [f.at for f in out.asked["lan"]]


not_met("4861", "6.2.7", "SHOULD", "advertisements of other routers are compared with the router's own",
        "by no packet: they are, and counted as nd-input: router-disagrees (tests/unit/netstack/test_nd_ra.c)")
not_met("4861", "7.2.8", "MAY", "proxy advertisements", "left out")
