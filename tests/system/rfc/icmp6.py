# SPDX-License-Identifier: BSD-3-Clause
# icmp6.py - RFC 4443: errors and their rules, echo

from scapy.layers.inet6 import (ICMPv6EchoReply, ICMPv6ND_Redirect, ICMPv6TimeExceeded,
                                ICMPv6Unknown, IPv6)

from net4 import BROADCAST_MAC, DATA
from net6 import (ALL_NODES, HOST6, HOST_LL, LINK_LOCAL, NOWHERE6, REMOTE6, ROUTER6, error6, eth6, ip6, ping6,
                  sum6, udp6)
from suite import not_met, requirement


@requirement("4443", "3.1", "SHOULD", "no route: destination unreachable, code 0")
def rfc4443_3_1_no_route():
    frame = ip6(dst=NOWHERE6)
    out = yield [("lan", frame)]
    error6(out, "lan", 1, 0, frame, word=0)


@requirement("4443", "3.1", "SHOULD", "a neighbor that does not answer: destination unreachable, code 3 (RFC 4861 7.2.2)")
def rfc4443_3_1_address():
    frame = ip6(dst="2001:db8:1::98")
    out = yield [("lan", frame)]
    reply = out.only("lan")
    assert bytes(reply)[54:56] == b"\x01\x03" and 2.5 < reply.at < 5, reply.at


@requirement("4443", "3.1", "SHOULD", "UDP to a port of the router that is closed: destination unreachable, code 4")
def rfc4443_3_1_port():
    frame = ip6(dst=ROUTER6["lan"])
    out = yield [("lan", frame)]
    error6(out, "lan", 1, 4, frame, word=0)


@requirement("4443", "3.1", "MUST", "a source beyond the scope of its packet's destination: code 2 (RFC 4007 9)")
def rfc4443_3_1_scope():
    frame = ip6(src=HOST_LL)
    out = yield [("lan", frame)]
    replies = [f for f in out["lan"]]
    assert not out["wan"]
    assert all(bytes(f)[54:56] == b"\x01\x02" for f in replies)


@requirement("4443", "3.2", "MUST", "a packet longer than the link's MTU: packet too big, with the MTU")
def rfc4443_3_2_packet_too_big():
    frame = ip6(udp6(data=bytes(1453)))
    out = yield [("lan", frame), ("lan", ip6(udp6(data=bytes(1452))), 0.1)]
    assert len(out["wan"]) == 1 and out["wan"][0][IPv6].plen == 1460
    out.ports["wan"] = []
    error6(out, "lan", 2, 0, frame, word=1500)


@requirement("4443", "3.3", "MUST", "the hop limit runs out: time exceeded, code 0")
def rfc4443_3_3_time_exceeded():
    frame = ip6(hlim=1)
    out = yield [("lan", frame)]
    error6(out, "lan", 3, 0, frame, word=0)


@requirement("4443", "4.1", "MUST", "an echo request is answered: same identifier, number and data, from the address asked")
def rfc4443_4_1_echo():
    out = yield [("lan", ip6(ping6(data=b"abcdefg"), dst=ROUTER6["lan"])), ("lan", ip6(ping6(), dst=ROUTER6["wan"]))]
    first, second = out["lan"]
    reply = first[ICMPv6EchoReply]
    assert (reply.id, reply.seq, bytes(reply.data)) == (0x1234, 1, b"abcdefg") and sum6(first) and sum6(second)
    assert (first[IPv6].src, first[IPv6].dst) == (ROUTER6["lan"], HOST6["lan"]) and second[IPv6].src == ROUTER6["wan"]


@requirement("4443", "4.2", "SHOULD", "an echo request to a group of the router is answered, from an address of the link")
def rfc4443_4_2_echo_multicast():
    out = yield [("lan", ip6(ping6(), dst=ALL_NODES, src=HOST6["lan"], link=eth6("lan", dst="33:33:00:00:00:01")))]
    reply = out.only("lan")
    assert reply[IPv6].src in (ROUTER6["lan"], LINK_LOCAL["lan"]) and reply[IPv6].dst == HOST6["lan"]


@requirement("4443", "4.1", "MUST", "an echo request by link-local addresses is answered")
def rfc4443_4_1_echo_link_local():
    near = "2001:db8:2::10"
    out = yield [("lan", ip6(ping6(), dst=LINK_LOCAL["lan"], src=near))]
    assert out.only("lan")[IPv6].src == LINK_LOCAL["lan"]


@requirement("4443", "2.3", "MUST", "an ICMPv6 message with a wrong checksum is dropped")
def rfc4443_2_3_checksum():
    out = yield [("lan", ip6(ping6(cksum=0x1111), dst=ROUTER6["lan"]))]
    out.none()


@requirement("4443", "2.2", "MUST", "an error about a packet to somebody else comes from an address of the router")
def rfc4443_2_2_source():
    out = yield [("lan", ip6(hlim=1)), ("wan", ip6(port="wan", hlim=1))]
    assert out["lan"][0][IPv6].src == ROUTER6["lan"] and out["wan"][0][IPv6].src == ROUTER6["wan"]


@requirement("4443", "2.4.a", "MUST", "ICMPv6 messages of unknown type are forwarded, and to the router dropped in silence")
def rfc4443_2_4_a_unknown_type():
    out = yield [("lan", ip6(ICMPv6Unknown(type=200, msgbody=DATA))),
                 ("lan", ip6(ICMPv6Unknown(type=200, msgbody=DATA), dst=ROUTER6["lan"])),
                 ("lan", ip6(ICMPv6Unknown(type=99, msgbody=DATA), dst=ROUTER6["lan"]))]
    assert bytes(out.only("wan"))[54] == 200


@requirement("4443", "2.4.c", "MUST", "an error quotes as much as fits into 1,280 bytes")
def rfc4443_2_4_c_quote():
    short, long = ip6(hlim=1), ip6(udp6(data=bytes(1400)), hlim=1)
    out = yield [("lan", short), ("lan", long)]
    assert [f[IPv6].plen + 40 for f in out["lan"]] == [40 + 8 + len(short) - 14, 1280]


def silent(*frames):
    out = yield [("lan", frame) for frame in frames]
    out.none()


@requirement("4443", "2.4.e.1", "MUST NOT", "no error about an ICMPv6 error")
def rfc4443_2_4_e_1_about_error():
    inner = IPv6(src=HOST6["wan"], dst=HOST6["lan"]) / udp6()
    yield from silent(ip6(ICMPv6TimeExceeded() / inner, hlim=1), ip6(ICMPv6TimeExceeded() / inner, dst=NOWHERE6),
                      ip6(ICMPv6Unknown(type=100, msgbody=DATA), dst=NOWHERE6))


@requirement("4443", "2.4.e.2", "MUST NOT", "no error about a redirect")
def rfc4443_2_4_e_2_about_redirect():
    yield from silent(ip6(ICMPv6ND_Redirect(tgt=HOST6["wan"], dst=REMOTE6), hlim=1))


@requirement("4443", "2.4.e.3", "MUST NOT", "no error about a packet to a group")
def rfc4443_2_4_e_3_about_multicast():
    yield from silent(ip6(udp6(), dst=ALL_NODES, link=eth6("lan", dst="33:33:00:00:00:01")),
                      ip6(udp6(), dst="ff0e::1", hlim=1, link=eth6("lan", dst="33:33:00:00:00:01")))


@requirement("4443", "2.4.e.4", "MUST NOT", "no error about a packet in a link-layer multicast or broadcast")
def rfc4443_2_4_e_4_about_link_multicast():
    yield from silent(ip6(hlim=1, link=eth6("lan", dst=BROADCAST_MAC)),
                      ip6(dst=ROUTER6["lan"], link=eth6("lan", dst="33:33:00:00:00:01")))


@requirement("4443", "2.4.e.6", "MUST NOT", "no error to a source that is no single node's: unspecified, multicast, loopback")
def rfc4443_2_4_e_6_to_nobody():
    yield from silent(*(ip6(src=source, hlim=1) for source in ("::", "ff02::1", "::1")))


@requirement("4443", "2.4.f", "MUST", "the rate of errors is limited")
def rfc4443_2_4_f_rate():
    out = yield [("lan", ip6(hlim=1), 0.0001) for _ in range(5000)]
    assert 1 <= len(out["lan"]) < 2500, len(out["lan"])


@requirement("4443", "2.4", "MUST NOT", "an echo reply that nobody asked for is dropped in silence")
def rfc4443_2_4_reply_unasked():
    yield from silent(ip6(ICMPv6EchoReply(data=DATA), dst=ROUTER6["lan"]))


not_met("4443", "3.1", "SHOULD", "codes 5 and 6: source address failed policy, reject route",
        "packets that a source check refuses are dropped in silence; a route of type unreachable says code 0 or 3")
