# SPDX-License-Identifier: BSD-3-Clause
# switched.py - what is off by default, switched on: redirects, directed broadcasts, source checks; routes to nowhere

from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6ND_Redirect, ICMPv6NDOptDstLLAddr, ICMPv6NDOptRedirectedHdr, IPv6

from net4 import BROADCAST_MAC, HOST, LAN2, ROUTER, error, ip
from net6 import HOST6, LAN2_6, LINK_LOCAL, error6, ip6, sum6
from suite import requirement


@requirement("1812", "5.2.7.2", "MUST", "with redirects on, a host whose packet goes back to its own network by another gateway is told of it, and the packet forwarded",
             config="switched")
def rfc1812_5_2_7_2_redirect_sent():
    frame = ip(dst="203.0.112.9")
    out = yield [("lan", frame)]
    forwarded = [f for f in out["lan"] if f[IP].dst == "203.0.112.9"]
    redirects = [f for f in out["lan"] if ICMP in f and f[ICMP].type == 5]
    assert len(forwarded) == 1 and len(redirects) == 1 and forwarded[0].dst == "02:00:00:00:01:11"
    assert (redirects[0][ICMP].code, redirects[0][ICMP].gw, redirects[0][IP].dst) == (1, LAN2, HOST["lan"])
    assert redirects[0][IP].src == ROUTER["lan"]


@requirement("1812", "5.3.5.2", "MUST", "with directed broadcasts on, a packet to the broadcast address of a connected network leaves as a link-layer broadcast",
             config="switched")
def rfc1812_5_3_5_2_directed_broadcast_on():
    out = yield [("lan", ip(dst="192.0.2.255"))]
    assert out.only("wan").dst == BROADCAST_MAC and out.only("wan")[IP].ttl == 63


@requirement("1812", "5.3.8", "SHOULD", "strict: a packet whose source is not reached by the interface it came by is dropped in silence (RFC 3704 2.2)",
             config="switched")
def rfc1812_5_3_8_strict():
    out = yield [("lan", ip(src="192.0.2.77")), ("lan", ip(src="203.0.113.5")), ("lan", ip(src="9.9.9.9")),
                 ("lan", ip6(src="2001:db8:1::77")), ("lan", ip(src=LAN2)), ("lan", ip6())]
    assert [f[IP].src for f in out["wan"] if IP in f] == [LAN2] and len(out.all()) == 2


@requirement("1812", "5.3.8", "SHOULD", "loose: a packet whose source is reached by no interface, or leads to nowhere, is dropped in silence (RFC 3704 2.4)",
             config="switched")
def rfc1812_5_3_8_loose():
    out = yield [("wan", ip(port="wan", src="9.9.9.9")), ("wan", ip(port="wan", src="100.64.0.1")),
                 ("wan", ip6(port="wan", src="2001:db8:ffff::1")), ("wan", ip(port="wan", src="203.0.112.5"))]
    assert out.only("lan")[IP].src == "203.0.112.5"


@requirement("1812", "5.2.7.1", "MUST", "a route of type blackhole drops in silence", config="switched")
def rfc1812_5_2_7_1_blackhole():
    out = yield [("lan", ip(dst="100.64.1.1"))]
    out.none()


@requirement("1812", "5.2.7.1", "MUST", "a route of type unreachable: host unreachable (code 1)", config="switched")
def rfc1812_5_2_7_1_unreachable():
    frame = ip(dst="100.65.1.1")
    out = yield [("lan", frame)]
    error(out, "lan", 3, 1, frame)


@requirement("1812", "5.2.7.1", "SHOULD", "a route of type prohibit: communication administratively prohibited (code 13)", config="switched")
def rfc1812_5_2_7_1_prohibit():
    frame = ip(dst="100.66.1.1")
    out = yield [("lan", frame)]
    error(out, "lan", 3, 13, frame)


@requirement("4443", "3.1", "MUST", "a route of type prohibit: destination unreachable, code 1", config="switched")
def rfc4443_3_1_prohibit():
    frame = ip6(dst="2001:db8:a2::1")
    out = yield [("lan", frame)]
    error6(out, "lan", 1, 1, frame, word=0)


@requirement("4443", "3.1", "MUST", "a route of type unreachable: destination unreachable; one of type blackhole: nothing", config="switched")
def rfc4443_3_1_unreachable():
    out = yield [("lan", ip6(dst="2001:db8:a1::1")), ("lan", ip6(dst="2001:db8:a0::1"))]
    reply = out.only("lan")
    assert bytes(reply)[54] == 1 and bytes(reply)[55] in (0, 3) and reply[IPv6].dst == HOST6["lan"]


@requirement("4861", "8.2", "SHOULD", "with redirects on, a host that sends to a neighbor by the router is told of it, with the neighbor's link-layer address and the packet, and the packet forwarded",
             config="switched")
def rfc4861_8_2_redirect():
    frame = ip6(dst=LAN2_6)
    out = yield [("lan", frame)]
    forwarded, redirect = sorted(out["lan"], key=lambda f: ICMPv6ND_Redirect in f)
    assert forwarded.dst == "02:00:00:00:01:11" and forwarded[IPv6].hlim == frame[IPv6].hlim - 1
    assert sum6(redirect) and redirect[IPv6].hlim == 255
    assert (redirect[IPv6].src, redirect[IPv6].dst) == (LINK_LOCAL["lan"], HOST6["lan"])
    assert (redirect[ICMPv6ND_Redirect].tgt, redirect[ICMPv6ND_Redirect].dst) == (LAN2_6, LAN2_6)
    assert redirect[ICMPv6NDOptDstLLAddr].lladdr == "02:00:00:00:01:11"
    quoted = bytes(redirect[ICMPv6NDOptRedirectedHdr])[8:]
    assert quoted[8:] == bytes(frame)[22 : 14 + len(quoted)]
