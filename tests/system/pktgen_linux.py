#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""weir pktgen's latencies beside the kernel's own time stamps of the same packets.

usage: pktgen_linux.py WEIR

A TAP port sends, Linux bridges, a packet socket at the end of a veth receives. The kernel stamps each packet (SO_TIMESTAMPNS)
where it enters by the TAP device and where it comes out of the veth: between the two lies less than what pktgen
measures, packet by packet; so every percentile of pktgen's must lie above the kernel's, the least of all by
little. And the time in the signature is the wall clock's, and before the kernel's first stamp.
"""
import json
import os
import socket
import struct
import subprocess
import sys

import netns
from netns import run

COUNT = 2000
SO_TIMESTAMPNS = 35
# The kernel's clock is slewed (at most 500 in a million), and our figures are to three digits, never below.
RATE = 0.999
# Between our clock reading and the kernel's lie a system call at each end and the making of a burst; on a machine
# that others use, too, the least of 2,000 is not far above.
OVERHEAD_NS = 2_000_000
WALL_NS = 1_000_000_000


class Listener:
    def __init__(self, ifname):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(netns.ETH_P_ALL))
        self.sock.setsockopt(socket.SOL_SOCKET, netns.SO_RCVBUFFORCE, 64 << 20)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.sock.setsockopt(netns.SOL_PACKET, netns.PACKET_IGNORE_OUTGOING, 1)
        self.sock.bind((ifname, 0))
        self.sock.setblocking(False)

    def stamps(self):
        """sequence number -> (kernel's time, the signature's), ns"""
        found = {}
        while True:
            try:
                frame, aux, _, _ = self.sock.recvmsg(2048, 256)
            except BlockingIOError:
                return found
            magic, _, _, number, sent = struct.unpack(">HHHIQ", frame[-18:])
            for level, kind, data in aux:
                if magic == 0x5765 and level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    seconds, ns = struct.unpack("@qq", data[:16])
                    found[number] = (seconds * 1_000_000_000 + ns, sent)


def check(what, ok, more=""):
    if not ok:
        sys.exit(f"FAIL: {what}\n{more}")
    print(f"ok: {what}", flush=True)


def share(values, p):
    """the least value with at least p of all at or below it"""
    return sorted(values)[max(0, -int(-(p * len(values) - 1e-6) // 1) - 1)]


def network():
    run("ip", "tuntap", "add", "t0", "mode", "tap")
    run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
    run("ip", "link", "add", "br0", "type", "bridge")
    for name in ("t0", "v0", "v1", "br0"):
        run("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
    for name in ("t0", "v0"):
        run("ip", "link", "set", name, "master", "br0")
    for name in ("t0", "v0", "v1", "br0"):
        run("ip", "link", "set", name, "up")


def main():
    netns.enter(100)
    network()
    entry, out = Listener("t0"), Listener("v1")
    done = subprocess.run([os.path.abspath(sys.argv[1]), "pktgen", "--port", "a=tap:t0", "--port", "b=packet:v1,immediate",
                           "--dst-mac", "02:00:00:00:00:77", "--rate", "2kpps", "--count", str(COUNT), "--learn", "0",
                           "--json"], capture_output=True, text=True, timeout=60)
    check("pktgen ended well", done.returncode == 0, done.stdout + done.stderr)
    got = json.loads(done.stdout.splitlines()[-1])["streams"][0]
    first, last = entry.stamps(), out.stamps()
    check("everyone saw every packet", got["sent"] == got["received"] == len(first) == len(last) == COUNT,
          f"{got} {len(first)} {len(last)}")
    kernel = [last[n][0] - first[n][0] for n in range(COUNT)]
    ours = got["latency_ns"]
    for name, p in (("min", 0), ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99_9", 0.999), ("max", 1)):
        want = share(kernel, p)
        check(f"{name}: {ours[name]} ns, of which the kernel has {want}", ours[name] >= want * RATE)
    check("the least is not far above the kernel's", ours["min"] <= min(kernel) + OVERHEAD_NS)
    check("mean", ours["mean"] >= sum(kernel) / COUNT * RATE)
    ahead = [first[n][0] - first[n][1] for n in range(COUNT)]
    check(f"signatures have the wall clock's time: {min(ahead)} to {max(ahead)} ns before the kernel's",
          max(map(abs, ahead)) < WALL_NS)


main()
