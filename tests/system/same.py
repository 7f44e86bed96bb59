# SPDX-License-Identifier: BSD-3-Clause
# same.py - when two frames count as the same: linux_router.py says what may differ, this takes it out

import struct


def checksum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


TIMESTAMP = 68  # an IP option, RFC 791


def blank_recorded(header, kinds, keep):
    """Clears all but `keep` bytes of an option of these kinds that stands first, after no-operations."""
    start = 20
    while start < len(header) and header[start] == 1:
        start += 1
    if start + 4 < len(header) and header[start] in kinds:
        end = min(start + header[start + 1], len(header))
        header[start + keep : end] = bytes(max(0, end - start - keep))
        header[10:12] = b"\0\0"


def canonical(frame, router_addresses):
    """The frame without what linux_router.py lets differ."""
    if len(frame) < 34 or frame[12:14] != b"\x08\x00":
        return frame
    size = (frame[14] & 15) * 4
    header, body = bytearray(frame[14 : 14 + size]), frame[14 + size :]
    if checksum(bytes(header)) != 0:
        return frame  # wrong: leave it as it is, so that it shows
    blank_recorded(header, (TIMESTAMP,), 4)
    if frame[26:30] not in router_addresses:
        return frame[:14] + bytes(header) + body
    header[4:6] = header[10:12] = b"\0\0"
    header[6] &= 0xBF
    if header[9] == 1 and body[:1] == b"\x0e" and len(body) == 20 and checksum(body) == 0:
        body = body[:2] + b"\0\0" + body[4:12] + bytes(8)
    if header[9] == 1 and body[:1] in (b"\x03", b"\x0b", b"\x0c") and len(body) >= 36:
        if checksum(body) != 0:
            return frame
        quoted = (body[8] & 15) * 4 + 8
        body = body[:2] + b"\0\0" + body[4 : 8 + quoted]
        header[2:4] = b"\0\0"
    return frame[:14] + bytes(header) + body


def is_arp_request(frame):
    return frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1"


def without_repeats(frames):
    """Drops every ARP request that was there before: `arp-repeats`."""
    seen, kept = set(), []
    for frame in frames:
        if is_arp_request(frame):
            if frame in seen:
                continue
            seen.add(frame)
        kept.append(frame)
    return kept


class Blame:
    """Which case a packet that came out belongs to: what is late came out while another one ran."""

    def __init__(self, cases):
        """cases: [(label, [(port, frame)])]; the identification of a case's IPv4 packets is its alone"""
        self.idents = {}
        self.asked = {}  # ARP request: the case that made the router ask first
        for number, (_, steps) in enumerate(cases):
            for _, frame in steps:
                if frame[12:15] == b"\x08\0\x45":
                    self.idents[frame[18:20]] = number

    def case(self, frame, running):
        if is_arp_request(frame):
            return self.asked.setdefault(frame, running)
        quote = 14 + 20 + 8
        if len(frame) >= quote + 20 and frame[12:15] == b"\x08\0\x45" and frame[23] == 1 and frame[34] in (3, 11, 12):
            return self.idents.get(frame[quote + 4 : quote + 6], running)
        return running


def flow_of(frame):
    """Addresses, protocol and ports (or what stands there); fragments follow their identification."""
    if len(frame) < 34 or frame[12:14] != b"\x08\x00":
        return frame[12:14]
    size = (frame[14] & 15) * 4
    fragmented = frame[20:22] not in (b"\0\0", b"\x40\0")
    return frame[26:34] + frame[23:24] + (frame[18:20] if fragmented else frame[14 + size : 18 + size])


def describe(frame):
    import scapy.all as scapy

    summary = scapy.Ether(frame).summary() if len(frame) >= 14 else "runt"
    return f"{summary}\n      {frame[:120].hex()}{'…' if len(frame) > 120 else ''}"
