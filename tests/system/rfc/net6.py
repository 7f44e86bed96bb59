# SPDX-License-Identifier: BSD-3-Clause
# net6.py - the IPv6 side of base.yaml: hosts, and packets between them

import ipaddress

from scapy.layers.inet import UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from net4 import DATA, HOST_MAC, ROUTER_MAC

ROUTER6 = {"lan": "2001:db8:2::1", "wan": "2001:db8:1::1"}
HOST6 = {"lan": "2001:db8:2::10", "wan": "2001:db8:1::10"}
LINK_LOCAL = {"lan": "fe80::ff:fe00:1", "wan": "fe80::ff:fe00:2"}  # the router's, of its MAC addresses
HOST_LL = "fe80::110"
LAN2_6 = "2001:db8:2::11"
REMOTE6 = "2001:db8:3::10"
NOWHERE6 = "2001:db8:ffff::1"
ALL_NODES, ALL_ROUTERS = "ff02::1", "ff02::2"


def solicited(address):
    """The solicited-node group of an address and its MAC (RFC 4291 2.7.1, RFC 2464 7)."""
    low = ipaddress.IPv6Address(address).packed[-3:]
    group = ipaddress.IPv6Address(ipaddress.IPv6Address("ff02::1:ff00:0").packed[:13] + low)
    return str(group), "33:33:ff:" + ":".join(f"{b:02x}" for b in low)


def udp6(data=DATA, dport=9, **fields):
    return UDP(sport=4000, dport=dport, **fields) / Raw(data)


def ping6(data=DATA, **fields):
    return ICMPv6EchoRequest(id=0x1234, seq=1, data=data, **fields)


def eth6(port="lan", **fields):
    fields.setdefault("src", HOST_MAC[port])
    fields.setdefault("dst", ROUTER_MAC[port])
    fields.setdefault("type", 0x86DD)
    return Ether(**fields)


def ip6(payload=None, port="lan", link=None, **fields):
    """A frame with one IPv6 packet from the host of `port` to that of the other, unless fields say otherwise."""
    fields.setdefault("src", HOST6[port])
    fields.setdefault("dst", HOST6["wan" if port == "lan" else "lan"])
    return Ether(bytes((link or eth6(port)) / IPv6(**fields) / (payload if payload is not None else udp6())))


def sum6(frame, proto=58):
    """Whether the checksum of what is behind the IPv6 header (no extension headers) is right."""
    packet = bytes(frame)[14:]
    body = packet[40 : 40 + int.from_bytes(packet[4:6], "big")]
    data = packet[8:40] + len(body).to_bytes(4, "big") + bytes(3) + bytes([proto]) + body
    data += b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total == 0xFFFF


def error6(out, port, type_, code, about, word=None):
    """The one ICMPv6 error that came back, checked as RFC 4443 2 asks of each; about: the frame it is about."""
    frame = out.only(port)
    packet = bytes(frame)[14:]
    assert frame.type == 0x86DD and packet[6] == 58, frame.summary()
    assert (packet[40], packet[41]) == (type_, code), f"ICMPv6 {packet[40]}/{packet[41]}"
    assert sum6(frame), "checksum"
    quoted, original = packet[48:], bytes(about)[14:]
    assert quoted[:7] == original[:7] and quoted[8:] == original[8 : len(quoted)], "another packet quoted"
    assert len(quoted) == min(len(original), 1280 - 48), f"{len(quoted)} bytes quoted of {len(original)}"
    assert packet[8:24] == bytes(IPv6(src=frame["IPv6"].src))[8:24] and packet[24:40] == original[8:24]
    if word is not None:
        assert int.from_bytes(packet[44:48], "big") == word, packet[44:48].hex()
    return frame
