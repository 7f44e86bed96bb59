#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The control channel of a running Weir: `weir ctl` as a script sees it, and clients that are hostile, die in the
middle of a frame, or never read. The packets go on meanwhile.

usage: control.py WEIR hosted|tcg|kvm
"""
import json
import os
import random
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
HELLO = 1
PORTS = 4
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
    def __init__(self, weir, home):
        self.weir, self.image = weir, home != "hosted"
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
    expect(weir.ctl("port", "up", "wan", fails=1), "wan: no port is called so: there are gen, sink")
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
    time.sleep(0.1)
    weir.ctl("show")


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in ("hosted", "tcg", "kvm"):
        sys.exit(__doc__)
    if sys.argv[2] == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("SKIP: /dev/kvm cannot be used")
        sys.exit(77)
    folder = tempfile.mkdtemp()
    weir_path = os.path.abspath(sys.argv[1])
    os.chdir(folder)
    with open("c.yaml", "w") as f:
        f.write(CONFIG)
    weir = Weir(weir_path, sys.argv[2])
    try:
        checks = [check_shown, check_refused, check_ports, check_hostile, check_version, check_eight, check_socket, check_shown]
        for check in checks:
            check(weir)
        weir.stop()
    finally:
        if weir.process.poll() is None:
            weir.process.kill()
        os.chdir("/")
        shutil.rmtree(folder)
    print(f"control channel, {sys.argv[2]}: {len(checks)} checks good")


if __name__ == "__main__":
    main()
