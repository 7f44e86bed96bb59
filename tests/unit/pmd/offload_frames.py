#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# offload_frames.py - writes offload_frames.h: long packets and their segments, made by scapy
#
# usage: offload_frames.py > offload_frames.h
# Payload byte i of a long packet is 7 * i + i / 256, low 8 bits; headers alone are written out.

from scapy.all import (Dot1AD, Dot1Q, Ether, IP, IPOption_Router_Alert, IPv6, IPv6ExtHdrHopByHop, IPv6ExtHdrDestOpt,
                       PadN, Raw, TCP, UDP)

MACS = Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02")
V4 = {"src": "192.0.2.1", "dst": "198.51.100.2", "ttl": 64}
V6 = {"src": "2001:db8::1", "dst": "2001:db8:1::2", "hlim": 64}


def payload(start, n):
    return bytes((7 * i + i // 256) & 0xff for i in range(start, start + n))


def ones(data):
    data += b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def pseudo(ip, proto, n):
    if isinstance(ip, IP):
        addresses = bytes(ip)[12:20]
    else:
        addresses = bytes(ip)[8:40]
    return ones(addresses + n.to_bytes(4, "big") + proto.to_bytes(4, "big"))


def tcp(seq, flags):
    return TCP(sport=1000, dport=2000, seq=seq & 0xffffffff, ack=0x11121314, flags=flags, window=512,
               options=[("NOP", None), ("NOP", None), ("Timestamp", (1, 2))])


def build(net, l4, data):
    """The frame with everything filled in by scapy; its headers; offset of the transport header."""
    frame = MACS / net / l4 / Raw(data)
    raw = bytes(frame)
    return raw[:len(raw) - len(data)], len(raw) - len(data) - len(bytes(l4))


def case(name, kind, net, length, mss, **over):
    def l4(first, last):
        if kind == "udp":
            return UDP(sport=1000, dport=2000)
        flags = "A" + ("C" if first else "") + "E" + ("PF" if last else "")
        return tcp(0xfffffc00 + first_byte, flags)

    first_byte = 0
    proto = 17 if kind == "udp" else 6
    headers, at = build(net(0), l4(True, True), payload(0, length))
    ip = MACS / net(0) / l4(True, True) / Raw(payload(0, length))
    ip = ip[IP] if IP in ip else ip[IPv6]
    partial = pseudo(ip, proto, len(headers) - at + length)
    field = at + (6 if kind == "udp" else 16)
    headers = headers[:field] + partial.to_bytes(2, "big") + headers[field + 2:]
    l3 = len(bytes(MACS / net(0))) - len(bytes(net(0).getlayer(IP) or net(0).getlayer(IPv6)))
    pieces = []
    while first_byte < length:
        n = min(mss, length - first_byte)
        piece, _ = build(net(len(pieces)), l4(first_byte == 0, first_byte + n == length), payload(first_byte, n))
        pieces.append((piece.hex(), n))
        first_byte += n
    flag = "MBUF_USO" if kind == "udp" else "MBUF_TSO"
    print(f"\t{{\n\t\t.name = \"{name}\",\n\t\t.flag = {flag},\n\t\t.mss = {mss},\n\t\t.l3 = {l3},\n\t\t.l4 = {at},")
    print(f"\t\t.payload = {length},\n\t\t.headers = \"{headers.hex()}\",\n\t\t.piece = {{")
    for text, n in pieces:
        print(f"\t\t\t{{\"{text}\", {n}}},")
    print("\t\t},\n\t},")


def main():
    print("""// SPDX-License-Identifier: BSD-3-Clause
// offload_frames.h - long packets and the segments they stand for; written by offload_frames.py
//
// clang-format off
static const struct offload_case {
	const char *name;
	uint32_t flag;
	uint16_t mss, l3, l4;
	uint32_t payload;
	const char *headers; // with the pseudo header's sum for a checksum
	struct {
		const char *headers; // NULL behind the last
		uint32_t payload;
	} piece[8];
} offload_cases[] = {""")
    case("tso4", "tcp", lambda i: IP(**V4, id=(0xfffe + i) & 0xffff, flags="DF"), 3001, 1000)
    case("tso4-even", "tcp", lambda i: IP(**V4, id=7 + i), 2896, 1448)
    case("tso4-vlan", "tcp", lambda i: Dot1Q(vlan=100, prio=3) / IP(**V4, id=7 + i, tos=0x2), 2500, 999)
    case("tso4-options", "tcp", lambda i: IP(**V4, id=7 + i, options=[IPOption_Router_Alert()]), 2500, 1001)
    case("tso6", "tcp", lambda i: IPv6(**V6, tc=2, fl=0x12345), 4321, 1428)
    case("tso6-qinq", "tcp",
         lambda i: Dot1AD(vlan=5) / Dot1Q(vlan=6) / IPv6(**V6) / IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 12)])
         / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0\0\0\0")]), 2000, 777)
    case("uso4", "udp", lambda i: IP(**V4, id=(0xffff + i) & 0xffff), 2501, 1000)
    case("uso6", "udp", lambda i: Dot1Q(vlan=100) / IPv6(**V6), 2501, 1001)
    print("};")


main()
