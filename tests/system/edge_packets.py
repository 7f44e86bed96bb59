# SPDX-License-Identifier: BSD-3-Clause
# edge_packets.py - packets at the edges of what a router must handle, made with scapy
#
# cases() returns [(label, [(port, frame), ...])]. The IPv4 identification of every packet is the number
# of its case (from FIRST_IDENT), so that whatever comes back, forwarded or quoted in ICMP, names its cause.
# The network is that of edge.yaml.

import itertools
import struct

from scapy.layers.inet import (ICMP, IP, TCP, UDP, IPOption_EOL, IPOption_LSRR, IPOption_NOP,
                               IPOption_Router_Alert, IPOption_RR, IPOption_SSRR, fragment)
from scapy.layers.l2 import ARP, LLC, SNAP, Dot1AD, Dot1Q, Dot3, Ether
from scapy.packet import Raw

FIRST_IDENT = 1000
ROUTER_MAC = {"lan": "02:00:00:00:00:01", "wan": "02:00:00:00:00:02"}
HOST_MAC = {"lan": "02:00:00:00:01:10", "wan": "02:00:00:00:02:10"}
LAN, LAN_ROUTER = "198.51.100.10", "198.51.100.1"
WAN, WAN_ROUTER = "192.0.2.10", "192.0.2.1"
REMOTE = "203.0.113.10"
DATA = bytes(range(32))


class Cases:
    def __init__(self):
        self.list = []

    def ident(self):
        return FIRST_IDENT + len(self.list)

    def frames(self, label, *steps):
        """Frames as they are: steps are (port, scapy packet or bytes)."""
        self.list.append((label, [(port, bytes(frame)) for port, frame in steps]))

    def ip(self, label, payload=None, port="lan", cut=None, pad=b"", eth=None, patch=None, **fields):
        """One IPv4 packet from a host of `port`, addressed to WAN (or LAN) unless fields say otherwise."""
        fields.setdefault("src", LAN if port == "lan" else WAN)
        fields.setdefault("dst", WAN if port == "lan" else LAN)
        fields.setdefault("id", self.ident())
        payload = payload if payload is not None else udp()
        packet = bytearray(bytes(IP(**fields) / payload))
        for offset, value in (patch or {}).items():
            packet[offset : offset + len(value)] = value
        if patch and "chksum" not in fields:
            header_checksum(packet)
        frame = bytes(eth or ether(port)) + bytes(packet[:cut]) + pad
        self.list.append((label, [(port, frame)]))


def ether(port, **fields):
    fields.setdefault("src", HOST_MAC[port])
    fields.setdefault("dst", ROUTER_MAC[port])
    fields.setdefault("type", 0x0800)
    return Ether(**fields)


def udp(dport=9, data=DATA, **fields):
    return UDP(sport=4000, dport=dport, **fields) / Raw(data)


def ping(data=DATA, **fields):
    return ICMP(id=0x1234, seq=1, **fields) / Raw(data)


def tcp(flags, dport=9, data=b"", **fields):
    return TCP(sport=4001, dport=dport, flags=flags, seq=1000, ack=2000, **fields) / Raw(data)


def raw_options(octets):
    """Options byte by byte, which scapy would reject or mend; a multiple of four bytes."""
    return {"options": [IPOption_NOP()] * len(octets), "patch": {20: octets}}


def header_checksum(packet):
    """Sets a right checksum over as many header bytes as the IHL claims and the packet has."""
    packet[10:12] = b"\0\0"
    header = bytes(packet[: max(20, (packet[0] & 15) * 4)])
    header += b"\0" * (len(header) % 2)
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    packet[10:12] = struct.pack("!H", total ^ 0xFFFF)


def forwarding(c):
    c.ip("udp lan to wan")
    c.ip("udp wan to lan", port="wan")
    c.ip("ping through", ping())
    c.ip("tcp through", tcp("S"))
    c.ip("tos and df kept", tos=0xB8, flags="DF")
    c.ip("reserved flag kept", flags=4)
    c.ip("unknown protocol through", Raw(DATA), proto=253)
    c.ip("protocol 0 through", Raw(DATA), proto=0)
    c.ip("no payload at all", Raw(b""), proto=17)
    c.ip("by route", dst=REMOTE)
    c.ip("by the longer prefix", dst="203.0.113.130")
    c.ip("by the host route", dst="203.0.113.200")
    c.ip("out of the port it came in by", dst="198.51.100.11")
    c.ip("no route", dst="203.0.114.1")
    c.ip("no route, an icmp error inside", ICMP(type=3, code=1) / Raw(DATA), dst="203.0.114.1")
    c.ip("no route, an echo reply inside", ping(type=0), dst="203.0.114.1")
    # Linux says "net unreachable" five times to a host, then once a second: the rest comes from another.
    c.ip("no route, a later fragment", Raw(DATA), src="198.51.100.11", dst="203.0.114.1", frag=10)
    c.ip("source from the other side", src="192.0.2.77")
    c.ip("source from nowhere, no route back", src="198.18.0.9", ttl=1)


def ttl(c):
    for value in (0, 1, 2, 255):
        c.ip(f"ttl {value}", ttl=value)
    c.ip("ttl 1, wan to lan", port="wan", ttl=1)
    c.ip("ttl 1, ping", ping(), ttl=1)
    c.ip("ttl 1, long packet", udp(data=bytes(1200)), ttl=1)
    c.ip("ttl 1, an icmp error inside", ICMP(type=11) / Raw(DATA), ttl=1)
    c.ip("ttl 1, an echo reply inside", ping(type=0), ttl=1)
    c.ip("ttl 1, a router solicitation inside", ICMP(type=10), ttl=1)
    c.ip("ttl 1, later fragment", Raw(DATA), ttl=1, frag=10)
    c.ip("ttl 1, first fragment", ttl=1, flags="MF")
    c.ip("ttl 1, no route", ttl=1, dst="203.0.114.1")
    c.ip("ttl 1, tos 0xb8", ttl=1, tos=0xB8)
    c.ip("ttl 1, options", ttl=1, options=[IPOption_NOP()] * 4)
    c.ip("ttl 1, ping to the router", ping(), dst=LAN_ROUTER, ttl=1)
    c.ip("ttl 0, ping to the router", ping(), dst=LAN_ROUTER, ttl=0)


def headers(c):
    c.ip("bad header checksum", chksum=0x1234)
    c.ip("checksum 0xffff for 0", chksum=0xFFFF)
    for version in (0, 5, 6, 15):
        c.ip(f"version {version}", version=version)
    for ihl in (0, 4):
        c.ip(f"header length {ihl}", patch={0: bytes([0x40 | ihl])})
    c.ip("header length 15, packet shorter", Raw(b""), patch={0: b"\x4f"})
    c.ip("header length 6 of a plain header", patch={0: b"\x46"})
    c.ip("total length above the frame", len=200)
    c.ip("total length above the frame by one", len=61)
    c.ip("total length 0", len=0)
    c.ip("total length 19", len=19)
    c.ip("total length 20, bytes after it", len=20)
    c.ip("total length 40 of 60", len=40)
    for length in (0, 1, 10, 19):
        c.ip(f"frame ends after {length} bytes of ip", cut=length)
    c.ip("header cut in its options", options=[IPOption_NOP()] * 8, cut=24)
    c.ip("padded to 60", Raw(b"x"), proto=253, pad=bytes(25))
    c.ip("padded with a secret", Raw(b"x"), proto=253, pad=b"S" * 25)
    c.ip("padded to 1514", Raw(b"x"), proto=253, pad=bytes(1479))
    c.ip("padded to 9000", Raw(b"x"), proto=253, pad=bytes(8965))


def options(c):
    c.ip("option nop", options=[IPOption_NOP()] * 4)
    c.ip("option end of list, junk after it", options=[IPOption_EOL(), IPOption_NOP(), IPOption_NOP(), IPOption_NOP()])
    c.ip("option record route", options=[IPOption_RR(length=11, pointer=4, routers=["0.0.0.0", "0.0.0.0"])])
    c.ip("option record route, full", options=[IPOption_RR(length=7, pointer=8, routers=["9.9.9.9"])])
    c.ip("option timestamp", **raw_options(b"\x44\x0c\x05\x00" + bytes(8)))
    c.ip("option loose source route", options=[IPOption_LSRR(routers=[WAN])], dst=LAN_ROUTER)
    c.ip("option strict source route", options=[IPOption_SSRR(routers=[WAN])], dst=LAN_ROUTER)
    c.ip("option loose source route in transit", options=[IPOption_LSRR(routers=[WAN])])
    c.ip("option router alert", options=[IPOption_Router_Alert()])
    c.ip("option unknown", **raw_options(b"\x9e\x04\x00\x00"))
    c.ip("option length 0", **raw_options(b"\x07\x00\x00\x00"))
    c.ip("option length 1", **raw_options(b"\x07\x01\x00\x00"))
    c.ip("option beyond the header", **raw_options(b"\x07\x2b\x04\x00"))
    c.ip("option record route, pointer 3", **raw_options(b"\x07\x07\x03\x00\x00\x00\x00\x00"))
    c.ip("60-byte header", options=[IPOption_NOP()] * 40)
    c.ip("60-byte header of record route", ping(), options=[IPOption_RR(length=39, pointer=4, routers=["0.0.0.0"] * 9)])


def martians(c):
    for source in ("0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", LAN_ROUTER,
                   WAN_ROUTER, "198.51.100.255", "198.51.100.0", "169.254.1.1", "10.0.0.1"):
        c.ip(f"source {source}", src=source)
    for target in ("0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
                   "198.51.100.255", "198.51.100.0", "192.0.2.255", "169.254.1.1"):
        c.ip(f"destination {target}", src="198.51.100.11", dst=target)
    c.ip("source 0.0.0.0 to the router", ping(), src="0.0.0.0", dst=LAN_ROUTER)
    c.ip("source 127.0.0.1 to the router", ping(), src="127.0.0.1", dst=LAN_ROUTER)
    c.ip("source is the router, to the router", ping(), src=LAN_ROUTER, dst=LAN_ROUTER)
    c.ip("land: tcp from the router to itself", tcp("S"), src=LAN_ROUTER, dst=LAN_ROUTER)
    c.ip("broadcast as source, ttl 1", src="198.51.100.255", ttl=1)


def fragments(c):
    c.ip("first fragment", flags="MF")
    c.ip("middle fragment", Raw(DATA), flags="MF", frag=4)
    c.ip("last fragment", Raw(DATA), frag=8)
    c.ip("fragment past 65535", Raw(DATA), frag=8191)
    c.ip("tiny fragment", Raw(b"12345678"), flags="MF")
    c.ip("exactly the mtu, df", udp(data=bytes(1472)), flags="DF")
    c.ip("one above the mtu, df", udp(data=bytes(1473)), flags="DF")
    c.ip("jumbo above the mtu, df", udp(data=bytes(8000)), flags="DF")
    c.ip("one above the mtu, df, an icmp error inside", ICMP(type=3, code=1) / Raw(bytes(1473)), flags="DF")
    c.ip("one above the mtu, ttl 1, df", udp(data=bytes(1473)), flags="DF", ttl=1)
    c.ip("one above the mtu", udp(data=bytes(1473)))
    c.ip("jumbo above the mtu", udp(data=bytes(8000)))
    c.ip("a fragment above the mtu", Raw(bytes(2000)), flags="MF", frag=100)
    whole = IP(src=LAN, dst=LAN_ROUTER, id=c.ident()) / ping(data=bytes(600))
    parts = fragment(whole, 400)
    c.frames("fragmented ping to the router", *[("lan", ether("lan") / part) for part in parts])
    whole = IP(src=LAN, dst=LAN_ROUTER, id=c.ident()) / udp(data=bytes(600))
    parts = fragment(whole, 400)
    c.frames("fragmented udp to the router", *[("lan", ether("lan") / part) for part in parts])


def reassembly(c):
    """A ping to the router in four pieces, in every order; then with what overlaps, and what is there twice."""
    def parts():
        whole = bytes(ping(data=bytes(range(152))))
        fields = {"src": LAN, "dst": LAN_ROUTER, "proto": 1, "id": c.ident()}
        return lambda off, end: ("lan", ether("lan") / IP(frag=off // 8, flags="MF" if end < len(whole) else "", **fields)
                                 / Raw(whole[off:end]))

    pieces = [(0, 40), (40, 80), (80, 120), (120, 160)]
    for order in itertools.permutations(range(4)):
        piece = parts()
        c.frames("fragments " + "".join(map(str, order)), *[piece(*pieces[i]) for i in order])
    for label, cuts in {
        "the tail": [(0, 48), (40, 80), (80, 160)],
        "the front": [(40, 80), (0, 48), (80, 160)],
        "within": [(0, 80), (8, 40), (80, 160)],
        "around": [(40, 48), (0, 80), (80, 160)],
        "the end": [(80, 160), (72, 160), (0, 72)],
    }.items():
        piece = parts()
        c.frames("fragments overlap: " + label, *[piece(*cut) for cut in cuts])
    piece = parts()
    c.frames("fragments, each twice", *[piece(*pieces[i]) for i in (1, 1, 0, 0, 3, 3, 2)])


def to_router(c):
    def to(label, payload, **fields):
        fields.setdefault("dst", LAN_ROUTER)
        c.ip("router: " + label, payload, **fields)

    to("ping", ping())
    to("ping from wan", ping(), port="wan", dst=WAN_ROUTER)
    to("ping the far address", ping(), dst=WAN_ROUTER)
    to("ping without data", ping(data=b""))
    to("ping odd length", ping(data=b"abc"))
    to("ping of 1400", ping(data=bytes(1400)))
    to("ping of 8000", ping(data=bytes(8000)))
    to("ping with tos", ping(), tos=0xB8)
    to("ping with df", ping(), flags="DF")
    to("ping with code 5", ping(code=5))
    to("ping with bad checksum", ping(chksum=0x1111))
    to("ping cut after 4 bytes", Raw(b"\x08\x00\xf7\xff"), proto=1)
    to("ping with padding", ping(data=b"ab"), pad=bytes(16))
    to("ping with nop options", ping(), options=[IPOption_NOP()] * 4)
    to("ping with record route", ping(), options=[IPOption_RR(length=11, pointer=4, routers=["0.0.0.0", "0.0.0.0"])])
    to("echo reply unasked", ping(type=0))
    to("timestamp request", ICMP(type=13, id=1, seq=1))
    to("address mask request", ICMP(type=17, id=1, seq=1))
    to("redirect", ICMP(type=5, code=1, gw=LAN) / IP(src=LAN_ROUTER, dst=REMOTE) / udp())
    to("port unreachable for nothing sent", ICMP(type=3, code=3) / IP(src=LAN_ROUTER, dst=REMOTE) / udp())
    to("icmp type 200", ICMP(type=200))
    to("udp to a closed port", udp())
    to("udp to a closed port from wan", udp(), port="wan", dst=WAN_ROUTER)
    to("udp to a closed port, no checksum", udp(chksum=0))
    to("udp to a closed port, bad checksum", udp(chksum=0x1111))
    to("udp to a closed port, long", udp(data=bytes(1400)))
    to("udp port 0", udp(dport=0))
    to("udp length above the packet", udp(len=200))
    to("udp length 7", udp(len=7))
    to("udp length below the packet", udp(len=20))
    to("udp header cut", Raw(b"\x0f\xa0\x00\x09"), proto=17)
    to("udp to the far address", udp(), dst=WAN_ROUTER)
    to("udp first fragment only", udp(), flags="MF")
    for flags in ("S", "A", "SA", "FA", "PA", "F", "", "R", "RA", "SR", "SF", "SFPU"):
        to(f"tcp {flags or 'no flags'}", tcp(flags))
    to("tcp syn with data", tcp("S", data=DATA))
    to("tcp fin with data and ack", tcp("FA", data=DATA))
    to("tcp fin with data", tcp("F", data=DATA))
    to("tcp syn with options", tcp("S", options=[("MSS", 1460), ("SAckOK", b""), ("WScale", 7), ("NOP", None)]))
    to("tcp syn, bad checksum", tcp("S", chksum=0x1111))
    to("tcp offset 4", tcp("S", dataofs=4))
    to("tcp offset 15, packet shorter", tcp("S", dataofs=15))
    to("tcp header cut", Raw(bytes(tcp("S"))[:12]), proto=6)
    to("tcp syn with tos", tcp("S"), tos=0xB8)
    to("tcp syn from wan", tcp("S"), port="wan", dst=WAN_ROUTER)
    to("unknown protocol", Raw(DATA), proto=253)
    to("protocol igmp", Raw(DATA), proto=2)
    to("protocol ospf", Raw(DATA), proto=89)
    to("protocol sctp", Raw(DATA), proto=132)
    c.ip("broadcast ping", ping(), dst="198.51.100.255", eth=ether("lan", dst="ff:ff:ff:ff:ff:ff"))
    c.ip("broadcast udp", udp(), dst="198.51.100.255", eth=ether("lan", dst="ff:ff:ff:ff:ff:ff"))
    c.ip("limited broadcast udp", udp(), dst="255.255.255.255", eth=ether("lan", dst="ff:ff:ff:ff:ff:ff"))
    c.ip("multicast ping", ping(), dst="224.0.0.1", eth=ether("lan", dst="01:00:5e:00:00:01"))
    c.ip("broadcast tcp syn", tcp("S"), dst="198.51.100.255", eth=ether("lan", dst="ff:ff:ff:ff:ff:ff"))


def link_layer(c):
    c.ip("mac of somebody else", eth=ether("lan", dst="02:00:00:00:00:77"))
    c.ip("mac of our other port", eth=ether("lan", dst=ROUTER_MAC["wan"]))
    c.ip("broadcast mac, unicast ip", eth=ether("lan", dst="ff:ff:ff:ff:ff:ff"))
    c.ip("multicast mac, unicast ip", eth=ether("lan", dst="01:00:5e:00:00:01"))
    c.ip("broadcast mac, ping to the router", ping(), dst=LAN_ROUTER, eth=ether("lan", dst="ff:ff:ff:ff:ff:ff"))
    c.ip("broadcast mac, udp to the router", dst=LAN_ROUTER, eth=ether("lan", dst="ff:ff:ff:ff:ff:ff"))
    c.ip("broadcast mac, ttl 1", ttl=1, eth=ether("lan", dst="ff:ff:ff:ff:ff:ff"))
    c.ip("source mac is a group", eth=ether("lan", src="03:00:00:00:00:01"))
    c.ip("source mac is ours", eth=ether("lan", src=ROUTER_MAC["lan"]))
    c.ip("source mac of another host", eth=ether("lan", src="02:00:00:00:01:99"))
    c.ip("vlan 10", eth=ether("lan", type=0x8100) / Dot1Q(vlan=10, type=0x0800))
    c.ip("vlan 0, priority 5", eth=ether("lan", type=0x8100) / Dot1Q(vlan=0, prio=5, type=0x0800))
    c.ip("vlan 4095", eth=ether("lan", type=0x8100) / Dot1Q(vlan=4095, type=0x0800))
    c.ip("802.1ad 100", eth=ether("lan", type=0x88A8) / Dot1AD(vlan=100, type=0x0800))
    c.ip("qinq 100.10", eth=ether("lan", type=0x88A8) / Dot1AD(vlan=100, type=0x8100) / Dot1Q(vlan=10, type=0x0800))
    c.ip("qinq 0.0", eth=ether("lan", type=0x88A8) / Dot1AD(vlan=0, type=0x8100) / Dot1Q(vlan=0, type=0x0800))
    c.frames("vlan tag cut", ("lan", ether("lan", type=0x8100) / Raw(b"\x00")))
    c.frames("vlan tag and nothing", ("lan", ether("lan", type=0x8100) / Raw(b"\x00\x0a\x08\x00")))
    for ethertype in (0x0000, 0x05DD, 0x1234, 0x8847, 0x88CC, 0x8863, 0xFFFF):
        c.ip(f"ethertype {ethertype:#06x}", eth=ether("lan", type=ethertype))
    llc = Dot3(src=HOST_MAC["lan"], dst=ROUTER_MAC["lan"]) / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0, code=0x0800)
    c.frames("ip in 802.3 snap", ("lan", llc / IP(src=LAN, dst=WAN, id=c.ident()) / udp()))
    c.frames("ethernet header only", ("lan", ether("lan")))
    for length in (0, 1, 13):
        c.frames(f"runt of {length} bytes", ("lan", bytes(ether("lan"))[:length]))
    c.ip("mac pause frame", Raw(DATA), eth=ether("lan", dst="01:80:c2:00:00:01", type=0x8808))


def arp(c):
    def ask(label, port="lan", eth=None, cut=None, pad=b"", **fields):
        fields.setdefault("op", 1)
        fields.setdefault("hwsrc", HOST_MAC[port])
        fields.setdefault("psrc", LAN if port == "lan" else WAN)
        fields.setdefault("hwdst", "00:00:00:00:00:00")
        fields.setdefault("pdst", LAN_ROUTER if port == "lan" else WAN_ROUTER)
        head = eth or ether(port, dst="ff:ff:ff:ff:ff:ff", type=0x0806)
        c.frames("arp: " + label, (port, bytes(head) + bytes(ARP(**fields))[:cut] + pad))

    ask("request")
    ask("request from wan", port="wan")
    ask("request, padded", pad=bytes(18))
    ask("request to our mac", eth=ether("lan", type=0x0806))
    ask("request to another mac", eth=ether("lan", dst="02:00:00:00:00:77", type=0x0806))
    ask("request for the far address", pdst=WAN_ROUTER)
    ask("request for another host", pdst="198.51.100.11")
    ask("request for a routed address", pdst=REMOTE)
    ask("request from outside the subnet", psrc="10.1.1.1")
    ask("request from across the router", psrc=WAN)
    ask("probe", psrc="0.0.0.0")
    ask("request from 127.0.0.1", psrc="127.0.0.1")
    ask("request from multicast", psrc="224.0.0.1")
    ask("request from broadcast", psrc="255.255.255.255")
    ask("request for 0.0.0.0", pdst="0.0.0.0")
    ask("request for 127.0.0.1", pdst="127.0.0.1")
    ask("request for multicast", pdst="224.0.0.1")
    ask("request in our own name", psrc=LAN_ROUTER, hwsrc="02:00:00:00:01:66")
    ask("announcement of our own address", psrc=LAN_ROUTER, hwsrc="02:00:00:00:01:66", pdst=LAN_ROUTER)
    ask("gratuitous request", psrc="198.51.100.40", pdst="198.51.100.40", hwsrc="02:00:00:00:01:40")
    ask("gratuitous reply", op=2, psrc="198.51.100.41", pdst="198.51.100.41", hwsrc="02:00:00:00:01:41")
    ask("unasked reply", op=2, psrc="198.51.100.42", hwdst=ROUTER_MAC["lan"], eth=ether("lan", type=0x0806))
    ask("sender mac is a group", hwsrc="03:00:00:00:00:01")
    ask("sender mac differs from the frame's", hwsrc="02:00:00:00:01:77")
    ask("hardware type 6", hwtype=6)
    ask("protocol type ipv6", ptype=0x86DD)
    ask("operation 3", op=3)
    ask("operation 9", op=9)
    ask("cut after 10 bytes", cut=10)
    ask("cut after 27 bytes", cut=27)
    good = bytearray(bytes(ARP(hwsrc=HOST_MAC["lan"], psrc=LAN, pdst=LAN_ROUTER)))
    good[4] = 8
    c.frames("arp: hardware length 8", ("lan", bytes(ether("lan", dst="ff:ff:ff:ff:ff:ff", type=0x0806)) + good))
    good[4], good[5] = 6, 16
    c.frames("arp: protocol length 16", ("lan", bytes(ether("lan", dst="ff:ff:ff:ff:ff:ff", type=0x0806)) + good))
    ask("request in vlan 10", eth=ether("lan", dst="ff:ff:ff:ff:ff:ff", type=0x8100) / Dot1Q(vlan=10, type=0x0806))


def reply_of(address, mac):
    return ether("lan", src=mac, type=0x0806) / ARP(op=2, hwsrc=mac, psrc=address, hwdst=ROUTER_MAC["lan"], pdst=LAN_ROUTER)


def resolution(c):
    """What the router asks and learns: the static neighbours do not know these hosts."""
    mac = "02:00:00:00:01:50"
    asks = ether("lan", src=mac, dst="ff:ff:ff:ff:ff:ff", type=0x0806) / ARP(op=1, hwsrc=mac, psrc="198.51.100.50", pdst=LAN_ROUTER)
    packet = ether("wan") / IP(src=WAN, dst="198.51.100.50", id=c.ident()) / udp()
    c.frames("learned from a request", ("lan", asks), ("wan", packet))
    packet = ether("wan") / IP(src=WAN, dst="198.51.100.60", id=c.ident()) / udp()
    c.frames("held, resolved, sent", ("wan", packet), ("lan", reply_of("198.51.100.60", "02:00:00:00:01:60")))
    three = [("wan", ether("wan") / IP(src=WAN, dst="198.51.100.61", id=c.ident()) / udp(data=b"%d" % n)) for n in range(3)]
    c.frames("three held, resolved, sent in order", *three, ("lan", reply_of("198.51.100.61", "02:00:00:00:01:61")))
    reply = ether("lan", src="02:00:00:00:01:66", type=0x0806) / ARP(op=2, hwsrc="02:00:00:00:01:66", psrc=LAN)
    packet = ether("wan") / IP(src=WAN, dst=LAN, id=c.ident()) / udp()
    c.frames("a reply does not move a static neighbour", ("lan", reply), ("wan", packet))
    reply = ether("lan", src=mac, type=0x0806) / ARP(op=2, hwsrc=mac, psrc="198.51.100.70", hwdst=ROUTER_MAC["lan"], pdst=LAN_ROUTER)
    packet = ether("wan") / IP(src=WAN, dst="198.51.100.70", id=c.ident()) / udp()
    c.frames("an unasked reply teaches nothing", ("lan", reply), ("wan", packet))
    packet = ether("wan") / IP(src=WAN, dst="198.51.100.80", id=c.ident()) / udp()
    c.frames("nobody answers", ("wan", packet))


def cases():
    c = Cases()
    for group in (forwarding, ttl, headers, options, martians, fragments, reassembly, to_router, link_layer, arp, resolution):
        group(c)
    c.ip("the router still routes after all that")
    return c.list
