# SPDX-License-Identifier: BSD-3-Clause
# net4.py - the IPv4 side of base.yaml: hosts, and packets between them

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

ROUTER_MAC = {"lan": "02:00:00:00:00:01", "wan": "02:00:00:00:00:02"}
HOST_MAC = {"lan": "02:00:00:00:01:10", "wan": "02:00:00:00:02:10"}
GATEWAY_MAC = "02:00:00:00:00:fe"
ROUTER = {"lan": "198.51.100.1", "wan": "192.0.2.1"}
HOST = {"lan": "198.51.100.10", "wan": "192.0.2.10"}
LAN2 = "198.51.100.11"
REMOTE = "203.0.113.10"
NOWHERE = "203.0.114.1"  # no route
SILENT = "192.0.2.99"  # nobody answers ARP there
BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"
DATA = bytes(range(32))


def udp(data=DATA, dport=9, **fields):
    return UDP(sport=4000, dport=dport, **fields) / Raw(data)


def ping(data=DATA, **fields):
    return ICMP(id=0x1234, seq=1, **fields) / Raw(data)


def eth(port="lan", **fields):
    fields.setdefault("src", HOST_MAC[port])
    fields.setdefault("dst", ROUTER_MAC[port])
    fields.setdefault("type", 0x0800)
    return Ether(**fields)


def ip(payload=None, port="lan", link=None, **fields):
    """A frame with one IPv4 packet from the host of `port` to that of the other, unless fields say otherwise."""
    fields.setdefault("src", HOST[port])
    fields.setdefault("dst", HOST["wan" if port == "lan" else "lan"])
    return Ether(bytes((link or eth(port)) / IP(**fields) / (payload if payload is not None else udp())))


def bad(frame, offset, octets):
    """The frame with bytes of its IPv4 header set, and the header's checksum right again."""
    data = bytearray(bytes(frame))
    data[14 + offset : 14 + offset + len(octets)] = octets
    header = max(20, (data[14] & 15) * 4)
    data[24:26] = b"\0\0"
    words = bytes(data[14 : 14 + header])
    words += b"\0" * (len(words) % 2)
    total = sum(int.from_bytes(words[i : i + 2], "big") for i in range(0, len(words), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    data[24:26] = (total ^ 0xFFFF).to_bytes(2, "big")
    return bytes(data)


def right(frame):
    """Whether the IPv4 header checksum of what the router sent is right."""
    packet = bytes(frame[IP])
    header = packet[: (packet[0] & 15) * 4]
    total = sum(int.from_bytes(header[i : i + 2], "big") for i in range(0, len(header), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total == 0xFFFF


def error(out, port, type_, code, about):
    """The one ICMP error that came back, checked as RFC 1812 4.3.2 asks of each; about: the frame it is about."""
    frame = out.only(port)
    icmp = frame[ICMP]
    assert (icmp.type, icmp.code) == (type_, code), f"ICMP {icmp.type}/{icmp.code}"
    assert right(frame)
    whole = bytes(frame[IP])[: frame[IP].len][frame[IP].ihl * 4 :]
    total = sum(int.from_bytes(whole[i : i + 2].ljust(2, b"\0"), "big") for i in range(0, len(whole), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF, "ICMP checksum"
    quoted, original = whole[8:], bytes(about)[14:]
    assert quoted[:2] == original[:2] and quoted[12:20] == original[12:20], "another packet quoted"
    assert len(quoted) >= 28 and quoted[20:] == original[20 : len(quoted)], "payload quoted"
    return frame
