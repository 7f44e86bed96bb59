# SPDX-License-Identifier: BSD-3-Clause
# ipv4.py - RFC 1812 on forwarding: validation, TTL, fragments, options, broadcasts, martians, routes

from scapy.layers.inet import (ICMP, IP, IPOption_LSRR, IPOption_NOP, IPOption_SSRR, fragment)
from scapy.layers.l2 import ARP
from scapy.packet import Raw

from net4 import (BROADCAST_MAC, DATA, GATEWAY_MAC, HOST, HOST_MAC, LAN2, NOWHERE, REMOTE, ROUTER, ROUTER_MAC, SILENT,
                  bad, eth, ip, ping, right, udp)
from suite import not_met, requirement


# --- 5.2.2: validation of the header. One packet more goes through, so that silence means something ---

def dropped(frame, *more):
    """Yields the frame and a good one; only the good one may come out, and nothing is said about the other."""
    out = yield [("lan", frame), *more, ("lan", ip(id=7777))]
    assert out.only("wan")[IP].id == 7777
    return out


@requirement("1812", "5.2.2", "MUST", "a packet whose frame is shorter than an IP header is dropped")
def rfc1812_5_2_2_short_frame():
    yield from dropped(bytes(ip())[: 14 + 19])


@requirement("1812", "5.2.2", "MUST", "a packet with a wrong header checksum is silently dropped")
def rfc1812_5_2_2_checksum():
    yield from dropped(ip(chksum=0x1234))


@requirement("1812", "5.2.2", "MUST", "a packet of another version than 4 is silently dropped")
def rfc1812_5_2_2_version():
    yield from dropped(bad(ip(), 0, b"\x55"))


@requirement("1812", "5.2.2", "MUST", "a header length below 20 bytes is silently dropped")
def rfc1812_5_2_2_header_length():
    yield from dropped(bad(ip(), 0, b"\x44"))


@requirement("1812", "5.2.2", "MUST", "a total length below the header's is silently dropped")
def rfc1812_5_2_2_total_length():
    yield from dropped(bad(ip(), 2, b"\x00\x13"))


@requirement("1812", "5.2.2", "MUST", "a packet cut short on the way (total length above the frame) is dropped")
def rfc1812_5_2_2_truncated():
    yield from dropped(bad(ip(), 2, b"\x01\x00"))


@requirement("1812", "3.1", "MUST", "the link's padding behind a packet is not forwarded as part of it")
def rfc1812_3_1_padding():
    frame = ip(Raw(b"x"), proto=253)
    out = yield [("lan", bytes(frame) + b"S" * 25)]
    data = bytes(out.only("wan"))
    assert data[14:35][:2] == b"\x45\x00" and b"S" not in data


# --- 5.3.1 and 4.2.2: TTL, checksum, fields kept ---

@requirement("1812", "5.3.1", "MUST", "the TTL of a forwarded packet is decremented, and its checksum right again")
def rfc1812_5_3_1_ttl():
    out = yield [("lan", ip(ttl=64))]
    packet = out.only("wan")
    assert packet[IP].ttl == 63 and right(packet)


@requirement("1812", "5.3.1", "MUST", "a packet that arrives with TTL 1 or 0 is not forwarded")
def rfc1812_5_3_1_ttl_expired():
    out = yield [("lan", ip(ttl=1)), ("lan", ip(ttl=0))]
    assert not out["wan"]


@requirement("1812", "4.2.2.9", "MUST", "a packet to the router itself is taken whatever its TTL")
def rfc1812_4_2_2_9_ttl_to_self():
    out = yield [("lan", ip(ping(), dst=ROUTER["lan"], ttl=1))]
    assert out.only("lan")[ICMP].type == 0


@requirement("1812", "4.2.2.9", "MUST", "the router originates no packet with TTL 0")
def rfc1812_4_2_2_9_ttl_own():
    out = yield [("lan", ip(ping(), dst=ROUTER["lan"])), ("lan", ip(ttl=1)), ("lan", ip(dst=NOWHERE))]
    assert len(out["lan"]) == 3 and all(frame[IP].ttl > 1 for frame in out["lan"])


@requirement("1812", "5.3.3", "MUST", "TOS, identification, flags and payload of a forwarded packet are kept")
def rfc1812_5_3_3_fields_kept():
    out = yield [("lan", ip(tos=0xB8, id=4242, flags="DF"))]
    packet = out.only("wan")[IP]
    assert (packet.tos, packet.id, packet.flags, bytes(packet[Raw])) == (0xB8, 4242, "DF", DATA)


@requirement("1812", "4.2.2.2", "MUST", "packets of transport protocols that the router does not know are forwarded")
def rfc1812_4_2_2_2_protocol():
    out = yield [("lan", ip(Raw(DATA), proto=253))]
    assert out.only("wan")[IP].proto == 253


# --- 5.2.4: where to ---

@requirement("1812", "5.2.4.3", "MUST", "of several routes to a destination the longest prefix is taken")
def rfc1812_5_2_4_3_longest_match():
    out = yield [("lan", ip(dst=REMOTE)), ("lan", ip(dst="203.0.113.130"))]
    assert [frame.dst for frame in out["wan"]] == [GATEWAY_MAC, HOST_MAC["wan"]]


@requirement("1812", "5.2.4.2", "MUST", "a destination on a connected network is sent to itself, not to a gateway")
def rfc1812_5_2_4_2_on_link():
    out = yield [("lan", ip())]
    frame = out.only("wan")
    assert (frame.dst, frame.src) == (HOST_MAC["wan"], ROUTER_MAC["wan"])


@requirement("1812", "5.2.3", "MUST", "a packet to any address of the router is for the router, whatever port it came in by")
def rfc1812_5_2_3_any_own_address():
    out = yield [("lan", ip(ping(), dst=ROUTER["wan"]))]
    reply = out.only("lan")[IP]
    assert (reply.src, reply.dst, reply[ICMP].type) == (ROUTER["wan"], HOST["lan"], 0)


# --- 4.2.2.7, 5.3.?: fragments ---

def joined(frames):
    """The payload that fragments of one packet carry."""
    whole = bytearray()
    for frame in sorted(frames, key=lambda f: f[IP].frag):
        body = bytes(frame[IP])[frame[IP].ihl * 4 : frame[IP].len]
        assert len(whole) == frame[IP].frag * 8
        whole += body
    assert not frames or not sorted(frames, key=lambda f: f[IP].frag)[-1][IP].flags & 1
    return bytes(whole)


@requirement("1812", "4.2.2.7", "MUST", "a packet too long for its link is fragmented: multiples of 8 bytes, every one within the MTU")
def rfc1812_4_2_2_7_fragmentation():
    payload = udp(data=bytes(range(256)) * 16)
    out = yield [("lan", ip(payload, id=99))]
    frames = out["wan"]
    assert len(frames) == 3 and all(right(f) and f[IP].len <= 1500 and f[IP].id == 99 for f in frames)
    assert all(f[IP].flags & 1 and (f[IP].len - 20) % 8 == 0 for f in frames[:-1])
    sent = bytes(ip(payload)[IP])[20:]
    assert joined(frames) == sent


@requirement("1812", "4.2.2.7", "MUST", "a fragment is fragmented further: offsets and the last one's flag are right")
def rfc1812_4_2_2_7_fragment_of_fragment():
    data = bytes(range(250)) * 16
    out = yield [("lan", ip(Raw(data), proto=17, flags="MF", frag=100, id=98))]
    frames = sorted(out["wan"], key=lambda f: f[IP].frag)
    assert frames[0][IP].frag == 100 and all(f[IP].flags & 1 for f in frames)
    assert b"".join(bytes(f[IP])[20 : f[IP].len] for f in frames) == data


@requirement("1812", "4.2.2.7", "MUST", "options that are to be copied go into every fragment, the others into the first alone")
def rfc1812_4_2_2_7_fragment_options():
    copied = b"\x94\x04\x00\x00"  # router alert: copied
    frame = bad(ip(udp(data=bytes(3000)), options=[IPOption_NOP()] * 8), 20, copied + b"\x07\x03\x04\x01")
    out = yield [("lan", frame)]
    frames = sorted(out["wan"], key=lambda f: f[IP].frag)
    assert len(frames) == 3
    heads = [bytes(f[IP])[20 : f[IP].ihl * 4] for f in frames]
    assert heads[0][:4] == copied and heads[0][4] == 7, heads
    assert all(h[:4] == copied and 7 not in h[4:5] for h in heads[1:]), heads


@requirement("792", "DF", "MUST", "a packet too long for its link that says DF is dropped, and its sender told the link's MTU (RFC 1191)")
def rfc792_DF_mtu():
    frame = ip(udp(data=bytes(1473)), flags="DF")
    out = yield [("lan", frame), ("lan", ip(udp(data=bytes(1472)), flags="DF"))]
    assert len(out["wan"]) == 1 and out["wan"][0][IP].len == 1500
    icmp = out["lan"][0][ICMP]
    assert len(out["lan"]) == 1 and (icmp.type, icmp.code, icmp.nexthopmtu) == (3, 4, 1500)


@requirement("1812", "5.2.6", "MUST NOT", "fragments in transit are not reassembled: they leave as they came")
def rfc1812_5_2_6_fragments_forwarded():
    parts = fragment(IP(src=HOST["lan"], dst=HOST["wan"], id=97) / udp(data=bytes(600)), 400)
    out = yield [("lan", eth() / part) for part in parts]
    assert [(f[IP].frag, f[IP].len) for f in out["wan"]] == [(p.frag, len(p)) for p in parts]


# --- 5.3.13: options ---

@requirement("1812", "5.3.13.2", "MUST", "an option that the router does not know is forwarded unchanged")
def rfc1812_5_3_13_2_unknown_option():
    out = yield [("lan", bad(ip(options=[IPOption_NOP()] * 4), 20, b"\x9e\x04\xab\xcd"))]
    packet = out.only("wan")
    assert bytes(packet[IP])[20:24] == b"\x9e\x04\xab\xcd" and right(packet)


@requirement("1812", "5.3.13.4", "SHOULD", "packets with a source route can be discarded (the default here, RFC 7126)")
def rfc1812_5_3_13_4_source_route_refused():
    out = yield [("lan", ip(options=[IPOption_LSRR(routers=[HOST["wan"]])], dst=ROUTER["lan"])),
                 ("lan", ip(options=[IPOption_SSRR(routers=[HOST["wan"]])], dst=ROUTER["lan"])),
                 ("lan", ip(options=[IPOption_LSRR(routers=[REMOTE])]))]
    assert not out["wan"]


not_met("1812", "5.3.13.4", "MUST", "the source route options can be acted upon", "refused always: RFC 7126 4.3 and 4.4 advise it")


@requirement("1812", "5.3.13.5", "MUST", "record route is acted upon: the address of the port the packet leaves by, at the pointer")
def rfc1812_5_3_13_5_record_route():
    out = yield [("lan", bad(ip(options=[IPOption_NOP()] * 8), 20, b"\x07\x07\x04\x00\x00\x00\x00\x01"))]
    packet = out.only("wan")
    option = bytes(packet[IP])[20:28]
    assert option[:3] == b"\x07\x07\x08" and option[3:7] == bytes([192, 0, 2, 1]) and right(packet), option.hex()


@requirement("1812", "5.3.13.5", "MUST", "a record route option that is full is forwarded as it is")
def rfc1812_5_3_13_5_record_route_full():
    octets = b"\x07\x07\x08\x09\x09\x09\x09\x01"
    out = yield [("lan", bad(ip(options=[IPOption_NOP()] * 8), 20, octets))]
    assert bytes(out.only("wan")[IP])[20:28] == octets


@requirement("1812", "5.3.13.6", "MUST", "the timestamp option is acted upon: address and time, and the overflow counted")
def rfc1812_5_3_13_6_timestamp():
    empty = b"\x44\x0c\x05\x01" + bytes(8)
    full = b"\x44\x0c\x0d\x01" + bytes(8)
    out = yield [("lan", bad(ip(options=[IPOption_NOP()] * 12), 20, empty)),
                 ("lan", bad(ip(options=[IPOption_NOP()] * 12), 20, full))]
    first, second = (bytes(f[IP])[20:32] for f in out["wan"])
    assert first[2] == 13 and first[4:8] == bytes([192, 0, 2, 1]), first.hex()
    assert second[2] == 13 and second[3] == 0x11, second.hex()


# --- 5.3.4, 5.3.5: broadcasts ---

@requirement("1812", "5.3.4", "MUST NOT", "a unicast packet in a link-layer broadcast is not forwarded")
def rfc1812_5_3_4_link_broadcast():
    yield from dropped(ip(link=eth("lan", dst=BROADCAST_MAC)))


@requirement("1812", "5.3.5.1", "MUST NOT", "the limited broadcast is not forwarded")
def rfc1812_5_3_5_1_limited_broadcast():
    yield from dropped(ip(dst="255.255.255.255", link=eth("lan", dst=BROADCAST_MAC)))


@requirement("1812", "5.3.5.2", "MUST", "forwarding of directed broadcasts can be switched off (the default, RFC 2644)")
def rfc1812_5_3_5_2_directed_broadcast():
    yield from dropped(ip(dst="192.0.2.255"))


@requirement("1812", "4.2.3.1", "MUST", "packets to the router's own broadcast addresses are not forwarded back out")
def rfc1812_4_2_3_1_own_broadcast():
    yield from dropped(ip(dst="198.51.100.255", link=eth("lan", dst=BROADCAST_MAC)))


@requirement("1812", "5.2.4", "MUST NOT", "multicast is not forwarded by a router that knows no multicast routing")
def rfc1812_5_2_4_multicast():
    yield from dropped(ip(dst="239.1.2.3", link=eth("lan", dst="01:00:5e:01:02:03")))


# --- 5.3.7: martians ---

def martian_source(address):
    yield from dropped(ip(src=address))


def martian_target(address):
    yield from dropped(ip(dst=address))


for where, make in (("source", martian_source), ("destination", martian_target)):
    for address, what in (("0.1.2.3", "0.0.0.0/8"), ("127.0.0.1", "127.0.0.0/8"), ("240.0.0.1", "240.0.0.0/4")):
        name = f"rfc1812_5_3_7_{where}_{what.split('.')[0]}"
        run = (lambda make=make, address=address: make(address))
        run.__name__ = name
        requirement("1812", "5.3.7", "SHOULD NOT" if where == "source" else "MUST NOT",
                    f"a packet with a {where} in {what} is not forwarded, and nothing is said about it")(run)


@requirement("1812", "5.3.7", "MUST NOT", "a packet with a multicast or broadcast source is not forwarded")
def rfc1812_5_3_7_source_group():
    yield from dropped(ip(src="224.0.0.1"), ("lan", ip(src="255.255.255.255")), ("lan", ip(src="198.51.100.255")))


# --- 3.3.2, RFC 826: ARP ---

@requirement("1812", "3.3.2", "MUST", "a packet whose neighbor is unknown is not dropped: it is held and sent when ARP answers")
def rfc1812_3_3_2_held():
    answer = eth("wan", type=0x0806) / ARP(op=2, hwsrc="02:00:00:00:02:60", psrc="192.0.2.60", hwdst=ROUTER_MAC["wan"],
                                          pdst=ROUTER["wan"])
    out = yield [("lan", ip(dst="192.0.2.60")), ("wan", answer, 0.5)]
    packet = out.only("wan")
    request, = out.asked["wan"]
    assert request[ARP].op == 1 and request[ARP].pdst == "192.0.2.60" and request.dst == BROADCAST_MAC
    assert (request[ARP].psrc, request[ARP].hwsrc) == (ROUTER["wan"], ROUTER_MAC["wan"])
    assert packet.dst == "02:00:00:00:02:60" and packet[IP].dst == "192.0.2.60" and packet.at < 0.52


@requirement("1812", "3.3.2", "MUST", "a neighbor that does not answer is asked again, no more than once a second (RFC 1122 2.3.2.1)")
def rfc1812_3_3_2_rate():
    out = yield [("lan", ip(dst=SILENT), 0.05)] * 40
    asked = [f.at for f in out.asked["wan"] if f[ARP].pdst == SILENT]
    assert len(asked) >= 2 and all(b - a > 0.95 for a, b in zip(asked, asked[1:])), asked


@requirement("1812", "3.3.2", "MUST NOT", "an ARP sender whose hardware address is a group is not believed")
def rfc1812_3_3_2_group_sender():
    asked = eth("lan", type=0x0806) / ARP(op=1, hwsrc="03:00:00:00:00:09", psrc="198.51.100.70", pdst=ROUTER["lan"])
    out = yield [("lan", asked)]
    out.none()


@requirement("826", "reception", "", "a request for an address of the port is answered to the asker alone")
def rfc826_reception_reply():
    asked = eth("lan", type=0x0806, dst=BROADCAST_MAC) / ARP(op=1, hwsrc=HOST_MAC["lan"], psrc=HOST["lan"], pdst=ROUTER["lan"])
    out = yield [("lan", asked)]
    reply = out.only("lan")
    assert reply.dst == HOST_MAC["lan"] and reply[ARP].op == 2
    assert (reply[ARP].hwsrc, reply[ARP].psrc) == (ROUTER_MAC["lan"], ROUTER["lan"])
    assert (reply[ARP].hwdst, reply[ARP].pdst) == (HOST_MAC["lan"], HOST["lan"])


@requirement("826", "reception", "", "a request for somebody else's address is not answered")
def rfc826_reception_not_for_us():
    asked = eth("lan", type=0x0806, dst=BROADCAST_MAC) / ARP(op=1, hwsrc=HOST_MAC["lan"], psrc=HOST["lan"], pdst=LAN2)
    out = yield [("lan", asked)]
    out.none()


@requirement("826", "reception", "", "who asks for the router is remembered: packets to it go out without a question")
def rfc826_reception_learn():
    asked = eth("wan", type=0x0806, dst=BROADCAST_MAC) / ARP(op=1, hwsrc="02:00:00:00:02:61", psrc="192.0.2.61", pdst=ROUTER["wan"])
    out = yield [("wan", asked), ("lan", ip(dst="192.0.2.61"))]
    reply, packet = out["wan"]
    assert ARP in reply and packet.dst == "02:00:00:00:02:61" and not out.asked["wan"]


# --- 4.3.3.6 and 4.2.2.8: what is for the router itself ---

@requirement("1812", "4.3.3.6", "MUST", "an echo request to the router is answered: same data, identifier and number, from the address asked")
def rfc1812_4_3_3_6_echo():
    out = yield [("lan", ip(ping(data=b"abcdefg"), dst=ROUTER["lan"], tos=0x10))]
    reply = out.only("lan")
    assert (reply[IP].src, reply[IP].dst, reply[ICMP].type) == (ROUTER["lan"], HOST["lan"], 0)
    assert (reply[ICMP].id, reply[ICMP].seq, bytes(reply[Raw])) == (0x1234, 1, b"abcdefg") and right(reply)


@requirement("1812", "4.2.2.8", "MUST", "fragments to the router itself are reassembled: an echo request of two comes back whole")
def rfc1812_4_2_2_8_reassembly():
    data = bytes(range(200)) * 3
    parts = fragment(IP(src=HOST["lan"], dst=ROUTER["lan"], id=96) / ping(data=data), 400)
    out = yield [("lan", eth() / part) for part in reversed(parts)]
    assert out.only("lan")[ICMP].type == 0 and bytes(out.only("lan")[Raw]) == data


@requirement("1812", "4.3.3.6", "MUST NOT", "echo requests to broadcast and multicast addresses are not answered (may; RFC 1122 3.2.2.6)")
def rfc1812_4_3_3_6_echo_broadcast():
    out = yield [("lan", ip(ping(), dst="198.51.100.255", link=eth("lan", dst=BROADCAST_MAC))),
                 ("lan", ip(ping(), dst="224.0.0.1", link=eth("lan", dst="01:00:5e:00:00:01")))]
    out.none()
