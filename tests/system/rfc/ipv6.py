# SPDX-License-Identifier: BSD-3-Clause
# ipv6.py - RFC 8200 on forwarding and on packets for the router; RFC 5722 on overlapping fragments

from scapy.layers.inet6 import (ICMPv6EchoReply, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                                IPv6ExtHdrRouting, Pad1, PadN, RouterAlert, HBHOptUnknown)
from scapy.packet import Raw

from net4 import BROADCAST_MAC, DATA, GATEWAY_MAC, HOST_MAC, ROUTER_MAC
from net6 import (HOST6, HOST_LL, REMOTE6, ROUTER6, error6, eth6, ip6, ping6, udp6)
from suite import not_met, requirement


def dropped(frame):
    """Yields the frame and a good one; only the good one may come out, and nothing is said about the other."""
    out = yield [("lan", frame), ("lan", ip6(fl=7777))]
    assert out.only("wan")[IPv6].fl == 7777


@requirement("8200", "3", "MUST", "the hop limit of a forwarded packet is decremented, all else is left alone")
def rfc8200_3_hop_limit():
    frame = ip6(hlim=64, tc=0xB8, fl=0x12345)
    out = yield [("lan", frame)]
    sent, came = bytes(frame)[14:], bytes(out.only("wan"))[14:]
    assert came[7] == 63 and came[:7] + came[8:] == sent[:7] + sent[8:]


@requirement("8200", "3", "MUST", "a packet that arrives with hop limit 1 or 0 is not forwarded")
def rfc8200_3_hop_limit_expired():
    out = yield [("lan", ip6(hlim=1)), ("lan", ip6(hlim=0))]
    assert not out["wan"]


@requirement("8200", "3", "SHOULD NOT", "a packet to the router itself with hop limit 1 or 0 is taken all the same")
def rfc8200_3_hop_limit_to_self():
    out = yield [("lan", ip6(ping6(), dst=ROUTER6["lan"], hlim=1))]
    assert ICMPv6EchoReply in out.only("lan")


@requirement("8200", "3", "MUST", "a packet of another version than 6 is dropped")
def rfc8200_3_version():
    data = bytearray(bytes(ip6()))
    data[14] = 0x50
    yield from dropped(bytes(data))


@requirement("8200", "3", "MUST", "a packet cut short (payload length above the frame) is dropped")
def rfc8200_3_truncated():
    yield from dropped(bytes(ip6())[:-1])


@requirement("8200", "3", "MUST", "the link's padding behind a packet is not forwarded as part of it")
def rfc8200_3_padding():
    out = yield [("lan", bytes(ip6(Raw(b"x"), nh=253)) + b"S" * 20)]
    assert b"S" not in bytes(out.only("wan"))


@requirement("8200", "3", "MUST", "of several routes to a destination the longest prefix is taken")
def rfc8200_3_longest_match():
    out = yield [("lan", ip6(dst=REMOTE6)), ("lan", ip6(dst="2001:db8:3:81::1")), ("lan", ip6(dst="2001:db8:4::1"))]
    assert [f.dst for f in out["wan"]] == [GATEWAY_MAC, HOST_MAC["wan"], GATEWAY_MAC]
    assert all(f.src == ROUTER_MAC["wan"] for f in out["wan"])


@requirement("8200", "4", "MUST NOT", "extension headers of packets in transit are not looked at: unknown ones are forwarded")
def rfc8200_4_transit():
    chain = [IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0xC1, optdata=b"abcd")]) / udp6(),
             IPv6ExtHdrRouting(type=0, segleft=1, addresses=[REMOTE6]) / udp6(),
             IPv6ExtHdrFragment(offset=100, m=1, id=5) / Raw(DATA), Raw(DATA)]
    frames = [ip6(payload, nh=253) if isinstance(payload, Raw) else ip6(payload) for payload in chain]
    out = yield [("lan", frame) for frame in frames]
    assert [bytes(f)[54:] for f in out["wan"]] == [bytes(f)[54:] for f in frames]


@requirement("8200", "4", "MUST", "a next header that the router does not know, in a packet to it: parameter problem, code 1, at the byte")
def rfc8200_4_unknown_next_header():
    frame = ip6(Raw(DATA), nh=253, dst=ROUTER6["lan"])
    out = yield [("lan", frame)]
    error6(out, "lan", 4, 1, frame, word=6)


@requirement("8200", "4", "MUST", "an unknown header behind known ones: the pointer leads to the byte that names it")
def rfc8200_4_unknown_next_header_behind():
    frame = ip6(IPv6ExtHdrDestOpt(nh=253, options=[PadN(optdata=bytes(4))]) / Raw(DATA), dst=ROUTER6["lan"])
    out = yield [("lan", frame)]
    error6(out, "lan", 4, 1, frame, word=40)


@requirement("8200", "4.1", "MUST", "a hop-by-hop header anywhere but first is an unknown header")
def rfc8200_4_1_hop_by_hop_not_first():
    inner = IPv6ExtHdrHopByHop(nh=58, options=[PadN(optdata=bytes(4))]) / ping6()
    frame = ip6(IPv6ExtHdrDestOpt(nh=0, options=[PadN(optdata=bytes(4))]) / inner, dst=ROUTER6["lan"])
    out = yield [("lan", frame)]
    error6(out, "lan", 4, 1, frame, word=40)


@requirement("8200", "4.2", "MUST", "options that are unknown are skipped, or the packet dropped in silence, or reported, as their first bits say")
def rfc8200_4_2_option_actions():
    def to_router(otype):
        return ip6(IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=otype, optdata=b"abcd")]) / ping6(), dst=ROUTER6["lan"])

    skip, drop, report, report_unicast = to_router(0x1E), to_router(0x5E), to_router(0x9E), to_router(0xDE)
    out = yield [("lan", skip), ("lan", drop, 1), ("lan", report, 1), ("lan", report_unicast, 1)]
    frames = out["lan"]
    assert len(frames) == 3 and ICMPv6EchoReply in frames[0], out
    for frame in frames[1:]:
        packet = bytes(frame)[14:]
        assert (packet[40], packet[41], int.from_bytes(packet[44:48], "big")) == (4, 2, 42)


@requirement("8200", "4.2", "MUST", "padding options, one byte and many, are skipped")
def rfc8200_4_2_padding():
    options = [Pad1(), Pad1(), PadN(optdata=bytes(8))]
    out = yield [("lan", ip6(IPv6ExtHdrDestOpt(options=options) / ping6(), dst=ROUTER6["lan"])),
                 ("lan", ip6(IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))]) / ping6(), dst=ROUTER6["lan"]))]
    assert len(out.having(ICMPv6EchoReply, "lan")) == 2


@requirement("8200", "4.3", "MAY", "a packet with hop-by-hop options in transit is forwarded like others")
def rfc8200_4_3_hop_by_hop_transit():
    out = yield [("lan", ip6(IPv6ExtHdrHopByHop(options=[RouterAlert(value=0)]) / udp6()))]
    assert IPv6ExtHdrHopByHop in out.only("wan")


@requirement("8200", "4.4", "MUST", "a routing header of an unknown type with segments left, to the router: parameter problem at the type")
def rfc8200_4_4_routing_header():
    frame = ip6(IPv6ExtHdrRouting(type=0, segleft=1, addresses=[HOST6["wan"]]) / udp6(), dst=ROUTER6["lan"])
    out = yield [("lan", frame)]
    error6(out, "lan", 4, 0, frame, word=42)


@requirement("8200", "4.4", "MUST", "a routing header of an unknown type with no segments left is skipped")
def rfc8200_4_4_routing_header_done():
    out = yield [("lan", ip6(IPv6ExtHdrRouting(type=99, segleft=0, addresses=[HOST6["wan"]]) / ping6(), dst=ROUTER6["lan"]))]
    assert ICMPv6EchoReply in out.only("lan")


# --- 4.5: fragments ---

def pieces(payload, size, ident=5, nh=58):
    """Frames with the fragments of a payload, in order; size: bytes of each but the last, a multiple of 8."""
    data, frames = bytes(payload), []
    for at in range(0, len(data), size):
        more = at + size < len(data)
        frames.append(ip6(IPv6ExtHdrFragment(nh=nh, offset=at // 8, m=more, id=ident) / Raw(data[at : at + size]),
                          dst=ROUTER6["lan"]))
    return frames


def whole_ping(data):
    """An echo request with its checksum, as bytes."""
    return bytes(ip6(ping6(data=data), dst=ROUTER6["lan"]))[54:]


@requirement("8200", "4.5", "MUST", "fragments to the router are reassembled, in whatever order they come")
def rfc8200_4_5_reassembly():
    data = bytes(range(250)) * 8
    first, second, third, fourth = pieces(whole_ping(data), 512)
    out = yield [("lan", f) for f in (third, first, fourth, second)]
    frames = out.having(ICMPv6EchoReply, "lan")
    assert len(frames) == 1 and bytes(frames[0][ICMPv6EchoReply].data) == data


@requirement("8200", "4.5", "MUST", "a fragment that is a whole packet is taken by itself (RFC 6946)")
def rfc8200_4_5_atomic():
    frame, = pieces(whole_ping(DATA), 512)
    out = yield [("lan", frame)]
    assert ICMPv6EchoReply in out.only("lan")


@requirement("8200", "4.5", "MUST", "a fragment, not the last, whose length is no multiple of 8: parameter problem at the payload length")
def rfc8200_4_5_length():
    frame = ip6(IPv6ExtHdrFragment(nh=58, offset=0, m=1, id=6) / Raw(whole_ping(DATA)[:21]), dst=ROUTER6["lan"])
    out = yield [("lan", frame)]
    error6(out, "lan", 4, 0, frame, word=4)


@requirement("8200", "4.5", "SHOULD", "a fragment that would make the packet longer than 65,535 bytes: parameter problem at the offset")
def rfc8200_4_5_too_long():
    frame = ip6(IPv6ExtHdrFragment(nh=58, offset=8191, m=0, id=7) / Raw(bytes(64)), dst=ROUTER6["lan"])
    out = yield [("lan", frame)]
    error6(out, "lan", 4, 0, frame, word=42)


@requirement("8200", "4.5", "MUST", "a packet whose fragments do not all come in time (30 s unless configured) is given up; with its first: time exceeded, code 1")
def rfc8200_4_5_timeout():
    frame = pieces(whole_ping(bytes(900)), 512, ident=8)[0]
    out = yield [("lan", frame), ("wan", ip6(port="wan", hlim=1), 15)]
    late = [f for f in out["lan"] if f[IPv6].nh == 58]
    assert not late or bytes(late[0])[54:56] == b"\x03\x01"
    assert late, "nothing is said within the slot"


@requirement("8200", "5", "MUST NOT", "a router does not fragment what it forwards")
def rfc8200_5_no_fragmentation():
    out = yield [("lan", ip6(udp6(data=bytes(2000))))]
    assert not out["wan"] and len(out["lan"]) == 1


@requirement("5722", "4", "MUST", "a packet with fragments that overlap is dropped whole, in silence")
def rfc5722_4_overlap():
    frames = pieces(whole_ping(bytes(900)), 512, ident=9)
    over = ip6(IPv6ExtHdrFragment(nh=58, offset=32, m=1, id=9) / Raw(bytes(256)), dst=ROUTER6["lan"])
    out = yield [("lan", frames[0]), ("lan", over), ("lan", frames[1])]
    out.none()


# --- addresses ---

@requirement("8200", "3", "MUST", "a packet with a multicast source is dropped (RFC 4291 2.7)")
def rfc8200_3_source_multicast():
    yield from dropped(ip6(src="ff02::1"))


@requirement("8200", "3", "MUST NOT", "a packet from or to the unspecified or the loopback address is not forwarded (RFC 4291 2.5.2, 2.5.3)")
def rfc8200_3_unspecified_loopback():
    out = yield [("lan", ip6(src="::")), ("lan", ip6(src="::1")), ("lan", ip6(dst="::")), ("lan", ip6(dst="::1"))]
    assert not out["wan"]


@requirement("8200", "3", "MUST NOT", "a packet with a link-local source or destination is not forwarded to another link (RFC 4291 2.5.6)")
def rfc8200_3_link_local():
    out = yield [("lan", ip6(src=HOST_LL)), ("lan", ip6(dst="fe80::fe"))]
    assert not out["wan"]


@requirement("8200", "3", "MUST NOT", "multicast is not forwarded by a router that knows no multicast routing")
def rfc8200_3_multicast():
    yield from dropped(ip6(dst="ff0e::1234", link=eth6("lan", dst="33:33:00:00:12:34")))


@requirement("8200", "3", "MUST NOT", "a unicast packet in a link-layer broadcast or multicast is not forwarded")
def rfc8200_3_link_broadcast():
    yield from dropped(ip6(link=eth6("lan", dst=BROADCAST_MAC)))


@requirement("8200", "5", "SHOULD", "the router's own packets that are longer than the path's MTU are fragmented: to neighbors by the link's MTU, to others to 1,280 bytes")
def rfc8200_5_own_fragments():
    data = bytes(range(250)) * 8
    asked = []
    for source, ident in ((HOST6["wan"], 21), (REMOTE6, 22)):
        whole = bytes(ip6(ping6(data=data), port="wan", src=source, dst=ROUTER6["wan"]))[54:]
        for at in range(0, len(whole), 1024):
            asked.append(("wan", ip6(IPv6ExtHdrFragment(nh=58, offset=at // 8, m=at + 1024 < len(whole), id=ident) /
                                     Raw(whole[at : at + 1024]), port="wan", src=source, dst=ROUTER6["wan"])))
    out = yield asked
    for to, mtu in ((HOST6["wan"], 1500), (REMOTE6, 1280)):
        got = [f for f in out["wan"] if f[IPv6].dst == to]
        assert len(got) == 2 and all(len(f) - 14 <= mtu for f in got), [len(f) for f in got]
        offsets = [(f[IPv6ExtHdrFragment].offset * 8, f[IPv6ExtHdrFragment].m) for f in got]
        first = bytes(got[0])[62:]
        assert offsets == [(0, 1), (len(first), 0)] and got[0][IPv6ExtHdrFragment].id == got[1][IPv6ExtHdrFragment].id
        assert (first + bytes(got[1])[62:])[8:] == data


not_met("8200", "4.3", "MAY", "jumbo payloads (RFC 2675)", "left out: no link here carries them")
