# SPDX-License-Identifier: BSD-3-Clause
# random_packets.py - packets through and to the router, mostly sound, some damaged anywhere; seeded
#
# cases(seed, count) has the form of edge_packets.cases(). No packet has what the list in linux_router.py
# lets differ: options, fragments to the router, martian addresses, frames above the MTU, protocols that
# Linux itself speaks (IGMP, UDP-Lite), ICMP router discovery.

import random
import struct

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.packet import Raw

import edge_packets as edge

ROUTER = (edge.LAN_ROUTER, edge.WAN_ROUTER)
TARGETS = (edge.WAN, edge.REMOTE, edge.LAN_ROUTER, edge.LAN_ROUTER, edge.WAN_ROUTER)
ICMP_TYPES = (0, 3, 4, 5, 8, 8, 8, 8, 11, 12, 15, 30, 255)
PROTOCOLS = (0, 1, 6, 17, 89, 132, 253)


def octets(rnd, count):
    return bytes(rnd.randrange(256) for _ in range(count))


def payload(rnd):
    data = Raw(octets(rnd, rnd.choice((0, 1, 7, 8, 20, 33, 64))))
    kind = rnd.randrange(3)
    if kind == 0:
        return TCP(sport=rnd.randrange(65536), dport=rnd.randrange(65536), flags=rnd.randrange(256),
                   seq=rnd.getrandbits(32), ack=rnd.getrandbits(32), window=rnd.randrange(65536)) / data
    if kind == 1:
        return UDP(sport=rnd.randrange(65536), dport=rnd.randrange(65536)) / data
    return ICMP(type=rnd.choice(ICMP_TYPES), code=0, id=7, seq=rnd.randrange(65536)) / data


def damage(rnd, packet):
    """Half the packets stay as they are."""
    kind = rnd.random()
    if kind < 0.2 and len(packet) > 20:  # a bit behind the header
        packet[rnd.randrange(20, len(packet))] ^= 1 << rnd.randrange(8)
        if packet[9] == 1 and packet[20] in (9, 10):
            packet[20] = 8
    elif kind < 0.3:  # the total length lies
        length = rnd.choice((len(packet) - 1, len(packet) + 1, 20, 21, 27, 28, 39, 40))
        struct.pack_into("!H", packet, 2, length)
        edge.header_checksum(packet)
    elif kind < 0.35:  # a bit of the header, which its checksum then belies
        packet[rnd.randrange(20)] ^= 1 << rnd.randrange(8)
    elif kind < 0.4:  # another payload than the protocol says
        packet[9] = rnd.choice(PROTOCOLS)
        edge.header_checksum(packet)
    elif kind < 0.5:  # cut short
        del packet[rnd.randrange(len(packet)) :]


def packet_frame(rnd, ident):
    target = rnd.choice(TARGETS)
    header = IP(src=edge.LAN, dst=target, id=ident, ttl=rnd.choice((0, 1, 2, 64, 64, 255)), tos=rnd.randrange(256))
    if rnd.random() < 0.2:
        header.flags = "DF" if target in ROUTER else rnd.choice(("DF", "MF", 4))
    packet = bytearray(bytes(header / payload(rnd)))
    damage(rnd, packet)
    padding = octets(rnd, rnd.randrange(40)) if rnd.random() < 0.2 else b""
    return bytes(edge.ether("lan")) + bytes(packet) + padding


def cases(seed, count):
    rnd = random.Random(seed)
    return [(f"random {seed}.{number}", [("lan", packet_frame(rnd, edge.FIRST_IDENT + number))])
            for number in range(count)]
