# SPDX-License-Identifier: BSD-3-Clause
# icmp4.py - RFC 1812 4.3 and 5.2.7 on ICMP: when errors are sent, what is in them, when they are not

from scapy.layers.inet import ICMP, IP, IPOption_NOP
from scapy.packet import Raw

from net4 import (BROADCAST_MAC, DATA, HOST, LAN2, NOWHERE, REMOTE, ROUTER, bad, error, eth, ip, ping, udp)
from suite import not_met, requirement


@requirement("1812", "5.3.1", "MUST", "the sender of a packet whose TTL ran out is told: time exceeded, code 0")
def rfc1812_5_3_1_time_exceeded():
    frame = ip(ttl=1)
    out = yield [("lan", frame)]
    error(out, "lan", 11, 0, frame)


@requirement("1812", "5.2.7.1", "MUST", "no route: network unreachable (code 0)")
def rfc1812_5_2_7_1_no_route():
    frame = ip(dst=NOWHERE)
    out = yield [("lan", frame)]
    error(out, "lan", 3, 0, frame)


@requirement("1812", "5.2.7.1", "MUST", "a neighbor that does not answer: host unreachable (code 1) for the packets that waited")
def rfc1812_5_2_7_1_host():
    frame = ip(dst="192.0.2.98")
    out = yield [("lan", frame)]
    frames = out["lan"]
    assert len(frames) == 1 and (frames[0][ICMP].type, frames[0][ICMP].code) == (3, 1), out


@requirement("1812", "4.3.3.1", "MUST", "UDP to a port of the router that is closed: port unreachable (code 3; RFC 1122 4.1.3.1)")
def rfc1812_4_3_3_1_port():
    frame = ip(udp(), dst=ROUTER["lan"])
    out = yield [("lan", frame)]
    error(out, "lan", 3, 3, frame)


@requirement("1812", "4.3.3.1", "SHOULD", "a transport protocol that the router has not: protocol unreachable (code 2; RFC 1122 3.2.2.1)")
def rfc1812_4_3_3_1_protocol():
    frame = ip(Raw(DATA), dst=ROUTER["lan"], proto=253)
    out = yield [("lan", frame)]
    error(out, "lan", 3, 2, frame)


@requirement("1812", "4.3.2.2", "MUST", "an ICMP message is sent with a TTL of its own, not that of the packet it answers")
def rfc1812_4_3_2_2_ttl():
    out = yield [("lan", ip(ttl=1)), ("lan", ip(ping(), dst=ROUTER["lan"], ttl=3))]
    assert len(out["lan"]) == 2 and all(frame[IP].ttl >= 60 for frame in out["lan"])


@requirement("1812", "4.3.2.3", "SHOULD", "an error quotes as much as fits, up to 576 bytes in all, and never more")
def rfc1812_4_3_2_3_quote():
    short, long = ip(udp(data=bytes(100)), ttl=1), ip(udp(data=bytes(1200)), ttl=1)
    out = yield [("lan", short), ("lan", long)]
    first, second = out["lan"]
    assert first[IP].len == 20 + 8 + 128, first[IP].len
    assert 20 + 8 + 20 + 8 <= second[IP].len <= 576 and second[IP].len > 500, second[IP].len


@requirement("1812", "4.3.2.4", "MUST", "an error comes from an address of the interface it is sent by")
def rfc1812_4_3_2_4_source():
    out = yield [("lan", ip(ttl=1)), ("wan", ip(port="wan", ttl=1)), ("wan", ip(port="wan", src=REMOTE, ttl=1))]
    assert [f[IP].src for f in out["lan"]] == [ROUTER["lan"]]
    assert [f[IP].src for f in out["wan"]] == [ROUTER["wan"]] * 2


@requirement("1812", "4.3.2.5", "SHOULD", "errors have precedence 6 (or 7), replies the TOS of the request")
def rfc1812_4_3_2_5_tos():
    out = yield [("lan", ip(ttl=1)), ("lan", ip(ping(), dst=ROUTER["lan"], tos=0x10))]
    assert out["lan"][0][IP].tos & 0xE0 == 0xC0 and out["lan"][1][IP].tos == 0x10, [f[IP].tos for f in out["lan"]]


def silent(*frames):
    out = yield [("lan", frame) for frame in frames]
    out.none()


@requirement("1812", "4.3.2.7", "MUST NOT", "no error about an ICMP error")
def rfc1812_4_3_2_7_about_error():
    inner = IP(src=HOST["wan"], dst=HOST["lan"]) / udp()
    yield from silent(ip(ICMP(type=11) / inner, ttl=1), ip(ICMP(type=3, code=1) / inner, dst=NOWHERE),
                      ip(ICMP(type=12) / inner, dst=NOWHERE))


@requirement("1812", "4.3.2.7", "MUST NOT", "no error about a packet to a broadcast or multicast address")
def rfc1812_4_3_2_7_about_broadcast():
    yield from silent(ip(dst="198.51.100.255", link=eth("lan", dst=BROADCAST_MAC)),
                      ip(dst="255.255.255.255", link=eth("lan", dst=BROADCAST_MAC)),
                      ip(dst="224.0.0.9", link=eth("lan", dst="01:00:5e:00:00:09")))


@requirement("1812", "4.3.2.7", "MUST NOT", "no error about a packet in a link-layer broadcast")
def rfc1812_4_3_2_7_about_link_broadcast():
    yield from silent(ip(dst=ROUTER["lan"], link=eth("lan", dst=BROADCAST_MAC)),
                      ip(ttl=1, link=eth("lan", dst=BROADCAST_MAC)))


@requirement("1812", "4.3.2.7", "MUST NOT", "no error about a fragment but the first")
def rfc1812_4_3_2_7_about_fragment():
    yield from silent(ip(Raw(DATA), ttl=1, frag=10), ip(Raw(DATA), dst=NOWHERE, frag=10))


@requirement("1812", "4.3.2.7", "MUST NOT", "no error to a source that is no single host's: zero, loopback, broadcast, multicast, class E")
def rfc1812_4_3_2_7_to_nobody():
    yield from silent(*(ip(src=source, ttl=1) for source in
                        ("0.0.0.0", "127.0.0.1", "255.255.255.255", "198.51.100.255", "224.0.0.1", "240.0.0.1")))


@requirement("1812", "4.3.2.8", "SHOULD", "the rate of errors is limited")
def rfc1812_4_3_2_8_rate():
    out = yield [("lan", ip(ttl=1, id=n), 0.0001) for n in range(5000)]
    assert 1 <= len(out["lan"]) < 2500, len(out["lan"])


@requirement("1812", "4.3.3.2", "MUST", "redirects can be switched off (the default): a packet goes back out of the port it came by, in silence")
def rfc1812_4_3_3_2_redirect_off():
    out = yield [("lan", ip(dst=LAN2))]
    assert out.only("lan")[IP].dst == LAN2


@requirement("1812", "5.2.7.2", "MUST NOT", "a redirect that the router is sent changes nothing in where it forwards")
def rfc1812_5_2_7_2_redirect_ignored():
    redirect = ICMP(type=5, code=1, gw=HOST["wan"]) / IP(src=ROUTER["wan"], dst=REMOTE) / udp()
    out = yield [("wan", ip(redirect, port="wan", src="192.0.2.254", dst=ROUTER["wan"])), ("lan", ip(dst=REMOTE))]
    assert out.only("wan").dst == "02:00:00:00:00:fe"


@requirement("1812", "4.3.3.3", "SHOULD NOT", "no source quench is sent, and one that comes is ignored")
def rfc1812_4_3_3_3_source_quench():
    quench = ICMP(type=4) / IP(src=ROUTER["lan"], dst=HOST["lan"]) / udp()
    yield from silent(ip(quench, dst=ROUTER["lan"]))


@requirement("1812", "4.3.3.5", "MUST", "a packet with a broken option: parameter problem, pointing at it")
def rfc1812_4_3_3_5_parameter_problem():
    frame = bad(ip(options=[IPOption_NOP()] * 4), 20, b"\x07\x2b\x04\x00")
    out = yield [("lan", frame)]
    reply = error(out, "lan", 12, 0, frame)
    assert reply[ICMP].ptr in (20, 21, 22), reply[ICMP].ptr


@requirement("1812", "4.3.3.7", "SHOULD NOT", "information requests are not answered")
def rfc1812_4_3_3_7_information():
    yield from silent(ip(ICMP(type=15, id=1, seq=1), dst=ROUTER["lan"]))


@requirement("1812", "4.3.2.1", "MUST", "ICMP messages of unknown types are passed on, and silently dropped when they are for the router")
def rfc1812_4_3_2_1_unknown_type():
    out = yield [("lan", ip(ICMP(type=200))), ("lan", ip(ICMP(type=200), dst=ROUTER["lan"]))]
    assert out.only("wan")[ICMP].type == 200


@requirement("792", "checksum", "MUST", "an ICMP message with a wrong checksum is dropped")
def rfc792_checksum_wrong():
    yield from silent(ip(ping(chksum=0x1111), dst=ROUTER["lan"]))


@requirement("792", "echo", "MUST", "an echo request of any length is answered: no data, odd length, up to the MTU")
def rfc792_echo_lengths():
    lengths = [0, 1, 3, 56, 1472]
    out = yield [("lan", ip(ping(data=bytes(n)), dst=ROUTER["lan"])) for n in lengths]
    assert [f[IP].len for f in out["lan"]] == [28 + n for n in lengths]


@requirement("1812", "4.3.3.9", "MUST", "address mask requests can be answered",
             why_not="not answered: RFC 6918 made address mask messages historic")
def rfc1812_4_3_3_9_address_mask():
    out = yield [("lan", ip(ICMP(type=17, id=1, seq=1), dst=ROUTER["lan"]))]
    assert out.only("lan")[ICMP].type == 18


not_met("1812", "4.3.3.8", "MAY", "timestamp requests are answered", "left out: nobody needs the router's clock from it")
not_met("1812", "4.3.3.10", "MUST", "router discovery by ICMP (RFC 1256)", "left out: hosts get their gateway by DHCP")
not_met("1812", "2.2.6", "SHOULD", "multicast is routed", "no multicast routing: such packets are dropped and counted")
not_met("1812", "5.3.3.3", "MUST", "precedence-ordered queue service", "no queues: every packet is forwarded as it comes")
not_met("1812", "10.2", "MUST", "the router can be reached by SNMP", "control is by the control channel (docs/control.md) instead")
