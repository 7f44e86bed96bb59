#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""linux_ecmp.py - flows over three paths of a hosted router: who moves when a path goes, and comes back

Usage: linux_ecmp.py WEIR     (root)

Three next hops on three cables, 300 flows from a fourth. The flows are spread; those of a path whose link
goes, or whose neighbor answers no longer, move to the others and nobody else does; when it is back, all are
where they were. The books balance.
"""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import netns

FLOWS = 300
CONFIG = """
version: 1
function: router
ports:
  h: {device: "packet:wh", addresses: [10.0.0.1/24]}
  a: {device: "packet:wa", addresses: [10.1.0.1/24]}
  b: {device: "packet:wb", addresses: [10.2.0.1/24]}
  c: {device: "packet:wc", addresses: [10.3.0.1/24]}
routes:
  - {to: 203.0.113.0/24, via: [10.1.0.2, 10.2.0.2, 10.3.0.2]}
arp: {timeout: 1}
"""
PATHS = {"a": bytes([10, 1, 0, 2]), "b": bytes([10, 2, 0, 2]), "c": bytes([10, 3, 0, 2])}


def mac(name):
    return bytes([2, 0, 0, 0, ord(name[0]), ord(name[1])])


def checksum(data):
    total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2, "big")


class Net:
    def __init__(self, weir, where):
        self.cables = {}
        self.silent = set()  # paths whose neighbor answers nobody
        for name in "habc":
            netns.run("ip", "link", "add", f"w{name}", "address", mac(f"w{name}").hex(":"), "type", "veth",
                      "peer", "name", f"c{name}", "address", mac(f"c{name}").hex(":"))
            for end in (f"w{name}", f"c{name}"):
                netns.run("sysctl", "-qw", f"net.ipv6.conf.{end}.disable_ipv6=1")
                netns.run("ip", "link", "set", end, "up")
            self.cables[name] = netns.Cable(f"c{name}")
        self.router = mac("wh")
        path = pathlib.Path(where, "weir.yaml")
        path.write_text(CONFIG)
        self.weir = subprocess.Popen([weir, "run", path, "--json"], stdout=subprocess.PIPE, text=True)

    def answer(self, name, frame):
        """ARP of the router for the neighbor behind a cable."""
        if frame[12:14] != b"\x08\x06" or frame[20:22] != b"\0\1" or name in self.silent:
            return
        if frame[38:42] != PATHS.get(name):
            return
        own = mac(f"c{name}")
        self.cables[name].send(frame[6:12] + own + b"\x08\x06" + frame[14:20] + b"\0\2" + own +
                               frame[38:42] + frame[22:28] + frame[28:32])

    def receive(self, name):
        try:
            return self.cables[name].receive()
        except OSError:  # its link is down
            return None

    def listen(self, until, took, want):
        while time.monotonic() < until and len(took) < want:
            for name in "abc":
                frame = self.receive(name)
                while frame:
                    self.answer(name, frame)
                    if frame[12:14] == b"\x08\x00" and frame[23] == 17:
                        took[int.from_bytes(frame[34:36], "big")] = name
                    frame = self.receive(name)
            time.sleep(0.002)

    def flows(self):
        """The path that each flow took; who was lost is not in it."""
        took = {}
        for port in range(1024, 1024 + FLOWS):
            ip = bytes([0x45, 0, 0, 36, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 2, 203, 0, 113, 1])
            ip = ip[:10] + checksum(ip) + ip[12:]
            udp = port.to_bytes(2, "big") + b"\x01\xbb\0\x10\0\0" + b"ecmptest"
            self.cables["h"].send(self.router + mac("ch") + b"\x08\x00" + ip + udp)
            if port % 50 == 0:
                self.listen(time.monotonic() + 0.01, took, FLOWS)
        self.listen(time.monotonic() + 0.5, took, FLOWS)
        return took

    def wait_for(self, what, right, seconds):
        """Sends until the flows are as they should be."""
        until = time.monotonic() + seconds
        while True:
            took = self.flows()
            if len(took) == FLOWS and right(took):
                return took
            if time.monotonic() > until or self.weir.poll() is not None:
                counts = {name: list(took.values()).count(name) for name in PATHS}
                raise RuntimeError(f"{what}: not within {seconds} s; of {FLOWS} flows: {counts}")

    def close(self):
        if self.weir.poll() is None:
            self.weir.send_signal(signal.SIGINT)
        out, _ = self.weir.communicate(timeout=20)
        if self.weir.returncode:
            raise RuntimeError(f"weir run: exit {self.weir.returncode}")
        json.loads(out)


def stays(before, gone):
    """Nobody is on the path that is gone, and who was on another is there still."""
    return lambda took: gone not in took.values() and all(
        took[port] == path for port, path in before.items() if path != gone)


def test(net):
    before = net.wait_for("all flows arrive", lambda took: True, 10)
    for name in PATHS:  # a third each, four standard deviations to either side
        share = list(before.values()).count(name)
        if not 67 <= share <= 133:
            raise RuntimeError(f"path {name} has {share} of {FLOWS} flows")
    began = time.monotonic()
    netns.run("ip", "link", "set", "cc", "down")
    net.wait_for("the link of c goes", stays(before, "c"), 5)
    print(f"link: {time.monotonic() - began:.1f} s")
    netns.run("ip", "link", "set", "cc", "up")
    net.wait_for("the link of c comes back", lambda took: took == before, 5)
    began = time.monotonic()
    net.silent.add("b")
    net.wait_for("the neighbor on b is silent", stays(before, "b"), 12)
    print(f"neighbor: {time.monotonic() - began:.1f} s")
    net.silent.clear()
    net.wait_for("the neighbor on b is back", lambda took: took == before, 12)


def main():
    netns.enter(100)
    with tempfile.TemporaryDirectory() as where:
        net = Net(sys.argv[1], where)
        try:
            test(net)
        except RuntimeError as why:
            print(f"FAIL: {why}")
            net.weir.kill()
            sys.exit(1)
        net.close()
    print("ok")


if __name__ == "__main__":
    main()
