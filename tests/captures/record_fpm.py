# SPDX-License-Identifier: BSD-3-Clause
# record_fpm.py - records what a real FRR sends to a forwarding-plane manager
#
#   /usr/bin/python3 tests/captures/record_fpm.py FOLDER    (root; Debian's frr and bird2)
#
# Writes fpm-groups.bin (next hops numbered, FRR's default) and fpm-plain.bin (fpm use-next-hop-groups off): the
# bytes of the TCP stream of zebra -M dplane_fpm_nl. BIRD announces ROUTES, then AFTER, which withdraws one and
# moves another; zebra has static routes besides. tests/unit/apps/test_fpm_netlink.c says what is in them.

import os
import pathlib
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
import frr
import netns

STATIC = """\
ip route 203.0.113.0/24 192.0.2.11
ip route 203.0.113.0/24 198.51.100.12
ip route 10.99.0.0/16 blackhole
ip route 10.98.0.0/16 reject
ip route 10.96.0.0/16 p1
ipv6 route 2001:db8:9::/48 2001:db8:1::11
ipv6 route 2001:db8:a::/48 fe80::11 p2
ipv6 route 2001:db8:b::/48 2001:db8:1::11
ipv6 route 2001:db8:b::/48 2001:db8:2::12
"""
ROUTES = {
    "100.64.1.0/24": "192.0.2.11", "100.64.2.0/24": "198.51.100.12", "100.64.3.0/24": "203.0.113.7",
    "0.0.0.0/0": "192.0.2.11",
    "2001:db8:100::/48": "2001:db8:1::11", "2001:db8:101::/48": "2001:db8:2::12", "::/0": "2001:db8:2::12",
}
AFTER = dict(ROUTES, **{"100.64.2.0/24": "192.0.2.11", "2001:db8:101::/48": "2001:db8:1::11"})
del AFTER["100.64.1.0/24"], AFTER["2001:db8:100::/48"]


class Recorder(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 2620))
        self.data = bytearray()
        self.start()

    def run(self):
        peer, _ = self.listener.accept()
        while got := peer.recv(65536):
            self.data += got

    def quiet(self):
        """Waits until something has come, and then nothing for two seconds."""
        frr.wait("a connection from zebra", 20, lambda: self.data)
        size = -1
        while size != len(self.data):
            size = len(self.data)
            time.sleep(2)


def record(folder, extra, directory):
    recorder = Recorder()
    bird = frr.Bird(directory)
    router = frr.Frr(directory, STATIC, extra)
    bird.start(ROUTES)
    router.start()
    recorder.quiet()
    bird.announce(AFTER)
    recorder.quiet()
    router.vtysh("configure terminal", "no ip route 203.0.113.0/24 198.51.100.12")
    recorder.quiet()
    bird.kill()
    router.kill()
    folder.write_bytes(recorder.data)
    recorder.listener.close()
    print(f"{folder}: {len(recorder.data)} bytes")


def main():
    folder = pathlib.Path(sys.argv[1])
    netns.enter(120)
    frr.need()
    frr.cables()
    for name, extra in (("groups", ""), ("plain", "no fpm use-next-hop-groups\n")):
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            record(folder / f"fpm-{name}.bin", extra, directory)


main()
