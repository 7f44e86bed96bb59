#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The control channel of a running Weir: `weir ctl` as a script sees it, and clients that are hostile, die in the
middle of a frame, or never read. The packets go on meanwhile.

usage: control.py WEIR hosted|tcg|kvm
"""
import json
import os
import random
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time

WAIT = 60
CONFIG = """version: 1
function: patch
ports:
  gen: {device: "null:size=64"}
  sink: {device: "null"}
patches: [{from: gen, to: sink}]
"""
ROUTER = """version: 1
function: router
vrfs: [red]
ports:
  gen: {device: "null:size=64", addresses: [192.0.2.1/24, "2001:db8::1/64"]}
  sink: {device: "null", addresses: [198.51.100.1/24], vrf: red}
routes:
  - {to: 10.0.0.0/8, via: 192.0.2.254}
"""
HELLO = 1
PORTS = 4
BEGIN = 6
ROUTES = 0x100


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def frame(kind, payload=b"", version=1, ident=7):
    head = struct.pack("<IHHI", 16 + len(payload), version, kind, ident)
    return head + struct.pack("<I", crc32c(head + bytes(4) + payload)) + payload


class Weir:
    def __init__(self, weir, home, config):
        self.weir, self.image = weir, home != "hosted"
        with open("c.yaml", "w", encoding="utf-8") as f:
            f.write(config)
        command = [weir, "boot", "c.yaml", "--accel", home] if self.image else [weir, "run", "c.yaml", "--memory", "64"]
        self.command = command + ["--control", "c.sock", "--json"]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until = time.monotonic() + WAIT
        while self.ctl("show", fails=None).returncode:
            assert self.process.poll() is None, self.process.communicate()[1]
            assert time.monotonic() < until, "nobody answers"
            time.sleep(0.1)

    def ctl(self, *words, fails=0, text=None):
        done = subprocess.run([self.weir, "ctl", "c.sock", *words], capture_output=True, text=True, input=text, timeout=WAIT)
        if fails is not None:
            assert done.returncode == fails, (words, done)
        return done

    def json(self, *words):
        return json.loads(self.ctl(*words, "--json").stdout)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=WAIT)
        assert self.process.returncode == 0, err
        figures = json.loads(out)
        assert figures["accounting"]["balanced"] in (1, True), figures["accounting"]
        assert not os.path.exists("c.sock"), "the socket is left behind"
        return figures


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(WAIT)
    s.connect("c.sock")
    return s


def expect(done, says):
    assert says in done.stderr, done


def check_shown(weir):
    hello = weir.json("show")
    assert hello["function"] == "patch" and hello["home"] == ("image" if weir.image else "hosted"), hello
    assert hello["transaction"] == "none", hello
    ports = weir.json("port", "show")
    assert [p["name"] for p in ports] == ["gen", "sink"], ports
    assert ports[0]["admin"] == "up" and ports[0]["rx_packets"] > 0, ports
    assert "gen: up" in weir.ctl("port", "show", "gen").stdout
    figures = weir.json("stats")
    assert figures["accounting"]["balanced"] in (1, True) and figures["ports"]["sink"]["tx"]["packets"] > 0


def check_refused(weir):
    expect(weir.ctl("port", "up", "wan", fails=1), "is called so: there are gen, sink")
    expect(weir.ctl("route", "show", fails=1), "function patch has no tables")
    expect(weir.ctl("rout", fails=2), "rout: expected route, neighbor")
    expect(weir.ctl("route", "add", "10.0.0.1/8", "via", "1.1.1.1", fails=2), "10.0.0.1/8: expected no bits behind")
    expect(weir.ctl("route", "add", "10.0.0.0/8", fails=2), "expected via ADDRESS")
    expect(weir.ctl("route", "add", "2001:db8::/32", "via", "10.0.0.1", fails=2), "expected an IPv6 one")
    expect(weir.ctl("apply", "-", fails=1, text="route add 10.0.0.0/8 via 1.1.1.1\n"), "no tables to change")
    expect(weir.ctl("--confirm", "0", "confirm", fails=2), "--confirm 0: expected 1 to 86400")
    expect(weir.ctl("confirm", fails=1), "no change awaits its confirmation")


def dropped(weir):
    return weir.json("stats")["drops"]


def check_ports(weir):
    """A port that is down lets nothing in, or out; every packet is accounted for by name."""
    weir.ctl("port", "down", "gen")
    assert weir.json("port", "show", "gen")[0]["admin"] == "down"
    first = dropped(weir)["port-down.port-down"]
    time.sleep(0.1)
    assert dropped(weir)["port-down.port-down"] > first
    weir.ctl("port", "up", "gen")
    weir.ctl("port", "down", "sink")
    time.sleep(0.05)
    sent = weir.json("port", "show", "sink")[0]["tx_packets"]
    time.sleep(0.1)
    assert weir.json("port", "show", "sink")[0]["tx_packets"] == sent
    assert dropped(weir)["tx-sink.port-down"] > 0
    weir.ctl("port", "up", "sink")
    time.sleep(0.05)
    assert weir.json("port", "show", "sink")[0]["tx_packets"] > sent


def check_hostile(weir):
    """Whatever a client does, the next one is served."""
    rng = random.Random(4)
    hello = frame(HELLO)
    bad = [rng.randbytes(500), b"GET / HTTP/1.1\r\n\r\n", bytes(100), hello[:5], hello[:-1] + b"x",
           frame(ROUTES, rng.randbytes(900))[:700], struct.pack("<IHHII", 1 << 31, 1, 1, 1, 1),
           frame(HELLO, version=2), frame(77), frame(PORTS, bytes(8)) * 500, frame(ROUTES, rng.randbytes(300))]
    for data in bad:
        s = connect()
        s.sendall(data)
        time.sleep(0.02)
        s.close()
        weir.ctl("show")
    # One that asks and never reads. QEMU throws away what he does not take, and so never stops him.
    s = connect()
    s.settimeout(1)
    try:
        for _ in range(20 if weir.image else 300):
            s.sendall(frame(PORTS, bytes(8)) * 50)
        assert weir.image, "the server takes requests without end"
    except TimeoutError:
        weir.ctl("show")
    s.close()
    weir.ctl("show")
    assert weir.json("stats")["accounting"]["balanced"] in (1, True)


def check_version(weir):
    s = connect()
    s.sendall(bytes(32768 + 1024) + frame(HELLO, version=9))
    answer = b""
    while b"control protocol" not in answer:
        more = s.recv(4096)
        assert more, answer
        answer += more
    assert b"of version 9 of the control protocol, and this Weir speaks 1" in answer, answer
    s.close()


def check_socket(weir):
    """For this user alone; a stale one is no hindrance, one in use is."""
    mode = os.stat("c.sock").st_mode
    assert stat.S_ISSOCK(mode) and mode & 0o777 == 0o600, oct(mode)
    second = subprocess.run(weir.command, capture_output=True, text=True, timeout=WAIT)
    assert second.returncode == 1 and "another process listens there" in second.stderr, second
    weir.process.kill()
    weir.process.communicate()
    expect(weir.ctl("show", fails=1), "Connection refused")
    if not weir.image:
        assert os.path.exists("c.sock")
    weir.start()
    os.rename("c.sock", "moved")
    expect(weir.ctl("show", fails=1), "No such file or directory")
    os.rename("moved", "c.sock")


def check_eight(weir):
    """As many as there may be, and one more."""
    if weir.image:
        return
    crowd = [connect() for _ in range(8)]
    for s in crowd:
        s.sendall(frame(HELLO))
        assert s.recv(100)
    expect(weir.ctl("show", fails=1), "8 clients are connected already")
    for s in crowd:
        s.close()
    until = time.monotonic() + 5
    while weir.ctl("show", fails=None).returncode:
        assert time.monotonic() < until, "places are not given back"


def routes(weir, *words):
    return {r["to"]: r for r in weir.json("route", "show", *words) if r.get("from") == "ctl"}


def check_routes(weir):
    cost = weir.json("route", "add", "1.2.0.0/16", "via", "192.0.2.7")
    assert cost["applied"] == 1 and cost["packets_lost"] == 0 and cost["longest_turn_ns"] > 0, cost
    expect(weir.ctl("route", "add", "1.2.0.0/16", "via", "192.0.2.8", fails=1), "1.2.0.0/16: there is a route already")
    weir.ctl("route", "replace", "1.2.0.0/16", "nexthop", "via", "192.0.2.8", "nexthop", "via", "192.0.2.9", "weight", "3")
    hops = weir.json("route", "get", "1.2.3.4", "vrf", "default")[0]["nexthops"]
    assert sorted((h["via"], h["weight"], h["interface"]) for h in hops) == [("192.0.2.8", 1, "gen"), ("192.0.2.9", 3, "gen")], hops
    weir.ctl("route", "add", "2001:db8:7::/48", "via", "fe80::7", "interface", "gen")
    weir.ctl("route", "add", "blackhole", "1.2.0.0/16", "vrf", "red")
    assert set(routes(weir)) == {"1.2.0.0/16", "2001:db8:7::/48"}
    assert routes(weir, "vrf", "red")["1.2.0.0/16"]["type"] == "blackhole"
    weir.ctl("route", "del", "1.2.0.0/16")
    expect(weir.ctl("route", "del", "1.2.0.0/16", fails=1), "1.2.0.0/16")
    weir.ctl("route", "forget", "1.2.0.0/16")
    assert set(routes(weir, "vrf", "red")) == {"1.2.0.0/16"} and set(routes(weir, "-4", "vrf", "default")) == set()
    weir.ctl("route", "del", "1.2.0.0/16", "vrf", "red")
    weir.ctl("route", "del", "2001:db8:7::/48")


def check_neighbors(weir):
    weir.ctl("neighbor", "add", "192.0.2.7", "interface", "gen", "mac", "02:00:00:00:00:07")
    weir.ctl("neighbor", "replace", "2001:db8::7", "interface", "gen", "mac", "02:00:00:00:00:08")
    macs = {n["address"]: (n["mac"], n["state"]) for n in weir.json("neighbor", "show")}
    assert macs["192.0.2.7"] == ("02:00:00:00:00:07", "permanent"), macs
    assert macs["2001:db8::7"] == ("02:00:00:00:00:08", "permanent"), macs
    weir.ctl("neighbor", "del", "192.0.2.7", "interface", "gen")
    weir.ctl("neighbor", "del", "2001:db8::7", "interface", "gen")
    assert not [n for n in weir.json("neighbor", "show") if n["state"] == "permanent"]


def check_transactions(weir):
    """All or nothing; and taken back unless confirmed."""
    good = "# a comment\nroute add 7.1.0.0/16 via 192.0.2.7\n\nroute add 7.2.0.0/16 192.0.2.7\n"
    expect(weir.ctl("apply", "-", fails=1, text=good + "route del 7.3.0.0/16\n"), "standard input:5: ")
    expect(weir.ctl("apply", "-", fails=2, text=good + "route add 7.3.0.0/16 via gw\n"), "standard input:5: gw: expected the address")
    assert not routes(weir), routes(weir)
    weir.ctl("apply", "-", text=good)
    assert set(routes(weir)) == {"7.1.0.0/16", "7.2.0.0/16"}
    expect(weir.ctl("--confirm", "2s", "apply", "-", text="route del 7.1.0.0/16\nroute replace 7.2.0.0/16 via 192.0.2.9\n"),
           "taken back in 2 s")
    assert weir.json("show")["transaction"] == "awaits its confirmation"
    assert routes(weir)["7.2.0.0/16"]["nexthops"][0]["via"] == "192.0.2.9" and "7.1.0.0/16" not in routes(weir)
    expect(weir.ctl("route", "add", "7.9.0.0/16", "via", "192.0.2.7", fails=1), "awaits its confirmation")
    time.sleep(2.2)
    assert weir.json("show")["transaction"] == "none"
    assert routes(weir)["7.2.0.0/16"]["nexthops"][0]["via"] == "192.0.2.7" and "7.1.0.0/16" in routes(weir)
    weir.ctl("--confirm", "1m", "route", "del", "7.1.0.0/16")
    weir.ctl("confirm")
    weir.ctl("--confirm", "1m", "route", "del", "7.2.0.0/16")
    weir.ctl("rollback")
    assert set(routes(weir)) == {"7.2.0.0/16"}
    weir.ctl("route", "del", "7.2.0.0/16")


def check_load(weir):
    """A table in many frames; a client killed in the middle of one leaves whole frames."""
    table = "".join(f"20.{i >> 8}.{i & 255}.0/24 via 192.0.2.{2 + i % 100}\n" for i in range(20000))
    cost = json.loads(weir.ctl("route", "load", "-", "--json", text=table).stdout)
    assert cost["applied"] == 20000 and cost["packets_lost"] == 0, cost
    there = routes(weir, "-4")
    assert len(there) == 20000 and there["20.3.232.0/24"]["nexthops"][0]["via"] == "192.0.2.2"
    expect(weir.ctl("route", "load", "-", fails=1, text="30.0.0.0/8 via 192.0.2.2\n30.0.0.0/33 via 192.0.2.2\n"), "standard input:2")
    weir.ctl("apply", "-", text=re.sub(r"(\S+) .*", r"route del \1", table))
    s = connect()
    s.sendall(bytes(33792) + frame(HELLO) + frame(BEGIN, bytes(8)))
    route = struct.pack("<BBBBHBB16s", 1, 4, 8, 1, 0, 0, 2, b"\x28")
    s.sendall(frame(ROUTES, struct.pack("<HHI", 0, 1, 0) + route) + frame(ROUTES, struct.pack("<HHI", 0, 1, 0) + route)[:20])
    time.sleep(0.2)
    s.close()
    assert weir.json("show")["transaction"] == "none"
    assert not routes(weir), routes(weir)


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in ("hosted", "tcg", "kvm"):
        sys.exit(__doc__)
    if sys.argv[2] == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("SKIP: /dev/kvm cannot be used")
        sys.exit(77)
    folder = tempfile.mkdtemp()
    weir_path = os.path.abspath(sys.argv[1])
    os.chdir(folder)
    plain = [check_shown, check_refused, check_ports, check_hostile, check_version, check_eight, check_socket, check_shown]
    tables = [check_routes, check_neighbors, check_transactions, check_load, check_hostile]
    for config, checks in ((CONFIG, plain), (ROUTER, tables)):
        weir = Weir(weir_path, sys.argv[2], config)
        try:
            for check in checks:
                check(weir)
            weir.stop()
        finally:
            if weir.process.poll() is None:
                weir.process.kill()
    os.chdir("/")
    shutil.rmtree(folder)
    print(f"control channel, {sys.argv[2]}: {len(plain) + len(tables)} checks good")


if __name__ == "__main__":
    main()
