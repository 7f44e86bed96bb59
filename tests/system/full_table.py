#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The Internet's table of both families in one image of 256 MiB: every packet leaves by the right next hop.

usage: full_table.py WEIR [kvm|tcg]

The image is given 901,899 IPv4 and 160,147 IPv6 prefixes. Packets to addresses inside random prefixes of the
table, and to random addresses, come in by one port; the MAC address each leaves with says which next hop was
taken. What it should have been is found here by trying every prefix length, longest first, in a dictionary.
"""
import gzip
import ipaddress
import os
import random
import socket
import sys
import tempfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "apps"))
import demo  # noqa: E402

sys.path.insert(0, HERE)
import capfile  # noqa: E402

TABLE = os.path.join(HERE, "..", "..", "..", "shared", "data", "routes", "internet-2024-prefixes.txt.gz")
MEMORY = "256"
PACKETS = 800  # of each family and kind of destination; fewer than a receive ring holds at once
NEIGHBORS = 32
OWN = {4: "192.0.2.1/24", 6: "2001:db8:ffff::1/64"}
MAC = {"wan": "02:00:00:00:00:02", "lan": "02:00:00:00:00:01"}


def via(family, k):
    return f"192.0.2.{k + 2}" if family == 4 else f"2001:db8:ffff::{k + 2:x}"


VIA = {family: [via(family, k) for k in range(NEIGHBORS)] for family in (4, 6)}


def read_table(lines):
    """{family: {(prefix as a number, length): number of its next hop}}; lines: a route each, for the image"""
    table = {4: {}, 6: {}}
    with gzip.open(TABLE, "rt") as f:
        for text in f.read().split():
            family = 6 if ":" in text else 4
            addr, plen = text.split("/")
            number = int.from_bytes(socket.inet_pton(socket.AF_INET6 if family == 6 else socket.AF_INET, addr),
                                    "big")
            hop = zlib.crc32(text.encode()) % NEIGHBORS
            table[family][number, int(plen)] = hop
            lines.append(f"{text} via {VIA[family][hop]}")
    return table


def lookup(table, family, addr):
    bits = 32 if family == 4 else 128
    for plen in range(bits, -1, -1):
        hop = table[family].get((addr >> (bits - plen) << (bits - plen), plen))
        if hop is not None:
            return hop
    return None


def checksum(header):
    total = sum(int.from_bytes(header[i:i + 2], "big") for i in range(0, len(header), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return (~total & 0xffff).to_bytes(2, "big")


def frame(family, dst, number):
    eth = bytes.fromhex((MAC["lan"] + "02:00:00:00:00:99").replace(":", ""))
    payload = (7).to_bytes(2, "big") * 2 + (16).to_bytes(2, "big") + bytes(2) + number.to_bytes(8, "big")
    if family == 4:
        ip = bytes.fromhex("45000024") + bytes(4) + bytes.fromhex("40110000") + bytes([198, 51, 100, 9])
        ip += dst.to_bytes(4, "big")
        return eth + b"\x08\x00" + ip[:10] + checksum(ip) + ip[12:] + payload
    ip = bytes.fromhex("6000000000101140") + ipaddress.ip_address("2001:db8:fffe::9").packed
    return eth + b"\x86\xdd" + ip + dst.to_bytes(16, "big") + payload


def destination(rng, table, prefixes, family, inside):
    """An address that the table has a route to, and that forwarding may reach."""
    bits = 32 if family == 4 else 128
    while True:
        prefix, plen = rng.choice(prefixes[family])
        addr = prefix | rng.getrandbits(bits - plen) if inside and plen < bits else rng.getrandbits(bits)
        if not inside and family == 6:
            addr = 1 << 125 | addr & (1 << 117) - 1 | (prefix >> 117 & 0xff) << 117
        ip = ipaddress.ip_address(addr.to_bytes(bits // 8, "big"))
        special = (ip.is_multicast or ip.is_loopback or ip.is_unspecified or ip.is_link_local
                   or (family == 4 and (addr >> 28 == 15 or addr >> 24 == 0)) or ip in NETWORKS)
        hop = None if special else lookup(table, family, addr)
        if hop is not None:
            return addr, hop


NETWORKS = ipaddress.ip_network("192.0.2.0/24")


def write_config(folder, routes):
    with open(os.path.join(folder, "table.txt"), "w") as out:
        out.write("\n".join(routes) + "\n")
    lines = ["version: 1", "function: router", "ports:",
             f'  wan: {{device: "virtio:0", mac: "{MAC["wan"]}", addresses: [{OWN[4]}, "{OWN[6]}"]}}',
             f'  lan: {{device: "virtio:1", mac: "{MAC["lan"]}", addresses: [198.51.100.1/24, "2001:db8:fffe::1/64"]}}',
             "nd: {dad: 0}", "routes: [{file: table.txt}]", "neighbors:"]
    for family in (4, 6):
        for k in range(NEIGHBORS):
            lines.append(f'  - {{port: wan, address: "{via(family, k)}", mac: "02:00:00:00:{family:02x}:{k:02x}"}}')
    path = os.path.join(folder, "router.yaml")
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
    return path


def main():
    weir = sys.argv[1]
    there = os.access("/dev/kvm", os.R_OK | os.W_OK)
    accel = sys.argv[2] if len(sys.argv) > 2 else "kvm" if there else "tcg"
    if not os.path.exists(TABLE):
        print("SKIP: ../shared/data/routes is not there")
        return 77
    if accel == "kvm" and not there:
        print("SKIP: /dev/kvm cannot be opened here")
        return 77
    rng = random.Random(4)
    routes = []
    table = read_table(routes)
    prefixes = {family: list(t) for family, t in table.items()}
    expected, frames = [], []
    for family in (4, 6):
        for inside in (True, False):
            for _ in range(PACKETS):
                addr, hop = destination(rng, table, prefixes, family, inside)
                frames.append((1000 * len(frames), frame(family, addr, len(frames))))
                expected.append(bytes([2, 0, 0, 0, family, hop]))
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        config = write_config(folder, routes)
        captures = {p: os.path.join(folder, p + "-in.pcap") for p in demo.PORTS}
        out = {p: os.path.join(folder, p + "-out.pcap") for p in demo.PORTS}
        capfile.write(captures["wan"], [])
        capfile.write(captures["lan"], frames)
        try:
            image, player = demo.play(weir, config, captures, out,
                                      ("--accel", accel, "--memory", MEMORY), linger=3.0)
        except demo.Failed as why:
            print(why)
            return 1
        wrong = demo.losses(image, player)
        got = {}
        for _, f in capfile.read(out["wan"]):
            got[int.from_bytes(f[-8:], "big")] = f[:6]
    for number, hop in enumerate(expected):
        if got.get(number) != hop:
            wrong.append(f"packet {number}: left to {got.get(number, b'').hex(':') or 'nowhere'}, "
                         f"expected {hop.hex(':')}")
    for line in wrong[:20]:
        print(line)
    memory = image.get("memory", {})
    print(f"{accel}: {len(table[4])} IPv4 and {len(table[6])} IPv6 prefixes in {MEMORY} MiB, "
          f"{len(expected)} packets, {len(wrong)} wrong; {memory}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
