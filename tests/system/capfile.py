# SPDX-License-Identifier: BSD-3-Clause
# capfile.py - capture files for tests: write nanosecond pcap, read pcap or pcapng of any resolution
#
# The reader is scapy's, which shares nothing with the code under test.

import struct

from scapy.utils import RawPcapReader

NSEC = 1_000_000_000


def write(path, frames):
    """frames: [(nanoseconds, bytes)]"""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for when, frame in frames:
            out.write(struct.pack("<IIII", when // NSEC, when % NSEC, len(frame), len(frame)) + frame)


def read(path):
    """[(nanoseconds, bytes)]"""
    frames = []
    reader = RawPcapReader(str(path))
    try:
        for frame, meta in reader:
            if hasattr(meta, "tshigh"):
                ticks = (meta.tshigh << 32) | meta.tslow
                when = ticks * NSEC // (meta.tsresol or 1_000_000)
            else:
                when = meta.sec * NSEC + meta.usec * (1 if reader.nano else 1000)
            frames.append((when, frame))
    finally:
        reader.close()
    return frames
