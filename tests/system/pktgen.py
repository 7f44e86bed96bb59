#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# pktgen.py - weir pktgen as its users meet it: figures, exit codes, the live view on a terminal, a real router
#
# usage: pktgen.py WEIR
#
# The view's screen is read by a terminal emulator (pyte) at the other end of a pty. The part with a router and a
# Linux host needs root, for network namespaces; without it the rest is tested.

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

import pyte

import netns

WEIR = os.path.abspath(sys.argv[1])
LOOP = ["--port", "a=loop:x", "--port", "b=loop:x"]


def check(what, ok, more=""):
    if not ok:
        print(f"FAIL: {what}\n{more}")
        sys.exit(1)
    print(f"ok: {what}")


def pktgen(*words, code=0):
    done = subprocess.run([WEIR, "pktgen", *words], capture_output=True, text=True, timeout=60)
    check(f"exit {code}: pktgen {' '.join(words)}", done.returncode == code, done.stdout + done.stderr)
    return done


def final(*words, code=0):
    lines = [json.loads(line) for line in pktgen(*words, "--json", code=code).stdout.splitlines()]
    check("JSON lines are intervals, then one final", lines[-1]["type"] == "final" and
          all(line["type"] == "interval" for line in lines[:-1]))
    return lines[-1]


def figures():
    got = final(*LOOP, "--both", "--rate", "20kpps", "--count", "2000", "--dst", "198.18.1.1-198.18.1.9",
                "--length", "64,128,1518", "--max-loss", "0")
    for name, port in (("a", "a"), ("b", "b")):
        s = next(s for s in got["streams"] if s["name"] == name)
        check(f"stream {name}: what was asked for was sent and received", s["port"] == port and
              s["sent"] == s["received"] == s["due"] == 2000 and s["lost"] == s["duplicate"] == s["corrupt"] == 0, s)
        lat = s["latency_ns"]
        check(f"stream {name}: latency is in order", lat["count"] == 2000 and 0 < lat["min"] <= lat["p50"] <=
              lat["p99"] <= lat["p99_999"] <= lat["max"] and lat["min"] <= lat["mean"] <= lat["max"], lat)
    check("lengths are told apart", {l["length"]: l["latency_ns"]["count"] for l in got["lengths"]} ==
          {64: 1334, 128: 1334, 1518: 1332}, got["lengths"])
    check("bytes are without FCS", got["total"]["sent_bytes"] == 1334 * 60 + 1334 * 124 + 1332 * 1514, got["total"])
    check("ports count what streams do", got["ports"]["b"]["received"] == got["ports"]["a"]["sent"] == 2000, got["ports"])
    text = pktgen(*LOOP, "--rate", "20kpps", "--count", "500", "--plain").stdout
    check("the report fits 100 columns", all(len(line) <= 100 for line in text.splitlines()
                                             if not line.startswith("weir")), text)
    check("the report has the figures", "500" in text and "latency, us" in text and "p99.999" in text, text)


def without_a_receiver():
    null = ["--port", "a=null:", "--dst-mac", "02:00:00:00:00:09", "--rate", "10kpps", "--count", "100", "--drain", "100ms",
            "--plain"]
    text = pktgen(*null).stdout
    check("nobody who returns packets is no failure", "nothing came back" in text and
          re.search(r"^total +100 +0 +- +- ", text, re.M), text)
    check("unless it is said to be one", "100 % of the packets were lost" in pktgen(*null, "--max-loss", "1%", code=1).stderr)


def unsigned():
    """What cannot be recognized is not said to be lost, and is not waited for."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write("""version: 1
function: pktgen
ports: {a: {device: "loop:"}}
streams:
  plain: {rate: 10kpps, count: 50, signature: off, layers: [eth: {dst: "02:00:00:00:00:09"}, ipv4, udp]}
  signed: {rate: 10kpps, count: 70, layers: [eth: {dst: "02:00:00:00:00:09"}, ipv4, udp]}
""")
        f.flush()
        got = final(f.name, "--max-loss", "0")
        plain, marked = got["streams"]
        check("unsigned packets have no loss", plain["sent"] == 50 and plain["received"] == 0 and plain["lost"] is None and
              plain["loss_ratio"] is None, plain)
        check("and are not in that of all", marked["lost"] == got["total"]["lost"] == 0 and got["total"]["sent"] == 120, got)


def wrong_words():
    for words, text in (((), "expected FILE"), (("--port", "a=null:"), "--dst-mac"),
                        ((*LOOP, "--rate", "fast"), "expected top"), ((*LOOP, "--length", "60"), "64 to 9018"),
                        ((*LOOP, "--dst", "x\"\n y"), "expected an IPv4"), (("f.yaml", "--rate", "1pps"), "f.yaml says"),
                        ((*LOOP, "--duration", "-1s"), "a time"), (("--port", "a=loop:x", "--port", "a=loop:x"), "already"),
                        ((*LOOP, "--address", "c=10.0.0.1/24"), "of a --port"), ((*LOOP, "--proto", "{}"), "udp, tcp")):
        check(f"it says what is wrong: {text}", text in pktgen(*words, code=2).stderr)
    words = [*LOOP, "--dst", "2001:db8::1-2001:db8::9", "--rate", "l2:1G", "--length", "88-1518",
             "--shape", "10ms:5ms", "--both", "--vlan", "5"]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write(pktgen(*words, "--print").stdout)
        f.flush()
        subprocess.run([WEIR, "check", f.name], check=True, timeout=20)


def nobody_there():
    done = pktgen("--port", "a=null:", "--address", "a=192.0.2.1/24", "--dst", "192.0.2.2", "--resolve", "300ms",
                  "--duration", "1s", "--plain", code=1)
    check("a next hop that does not answer is named", "next hop 192.0.2.2 does not answer ARP" in done.stderr, done.stderr)


# --- the view ---


class Terminal:
    """weir pktgen on a terminal of its own, and what its screen shows."""

    def __init__(self, *words, rows=24, columns=80):
        pid, self.fd = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.environ.update(TERM="xterm", LC_ALL="C.UTF-8")
            os.execv("/bin/sh", ["sh", "-c", 'stty -a >"$0"; "$@"; c=$?; stty -a >"$0.after"; sleep 0.1; exit $c',
                                 f"{scratch}/stty", WEIR, "pktgen", *words])
        self.pid, self.raw = pid, b""
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        # pyte keeps no alternate screen: the one of the view is copied when it ends.
        self.last = []

    def until(self, what, seconds=15):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not select.select([self.fd], [], [], 0.05)[0]:
                continue
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if not data:
                return False
            self.raw += data
            if b"\x1b[?1049l" in data:
                self.last = list(self.screen.display)
            self.stream.feed(data)
            if what and what in "\n".join(self.screen.display):
                return True
        return False

    def child(self):
        """The process of weir itself, below the shell."""
        return int(open(f"/proc/{self.pid}/task/{self.pid}/children").read().split()[0])

    def end(self):
        self.until(None)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def restored(self):
        before, after = (open(f"{scratch}/stty{s}").read() for s in ("", ".after"))
        return before == after and self.raw.rfind(b"\x1b[?1049l") > self.raw.rfind(b"\x1b[?1049h") and \
            self.raw.rfind(b"\x1b[?25h") < len(self.raw) and b"\x1b[?1049h" in self.raw


def view():
    t = Terminal(*LOOP, "--both", "--rate", "2kpps", "--interval", "200ms")
    check("the view opens", t.until("weir pktgen  command line  sending"), "\n".join(t.screen.display))
    check("it shows packets and latency", t.until("stream") and t.until(" b              b"), "\n".join(t.screen.display))
    t.until("never there", 0.5)
    lines = t.screen.display
    print("\n".join(lines))
    rate = next(line for line in lines if line.startswith(" packets/s"))
    check("the rate is there", re.fullmatch(r" packets/s +[1-9][0-9.]*k? +[1-9][0-9.]*k? +[1-9][0-9.]*k? *", rate), rate)
    now = next(line for line in lines if line.startswith(" just now"))
    check("latencies are there", len(now.split()) == 9 and "-" not in now.split(), now)
    check("the sparkline is there", any("█" in line for line in lines))
    check("figures are in their columns", [lines[19][16:22].strip(), lines[20][16:22].strip()] == ["a", "b"], lines)
    os.write(t.fd, b"q")
    code = t.end()
    check("q ends it, with a report", code == 0 and "latency, us" in t.raw.decode(errors="replace"), code)
    check("the terminal is as it was", t.restored(), t.raw[-300:])
    for sig, code in ((signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGHUP, 129), (signal.SIGSEGV, 139)):
        t = Terminal(*LOOP, "--rate", "2kpps", "--interval", "200ms")
        check("the view opens", t.until("sending"), "\n".join(t.screen.display))
        os.kill(t.child(), sig)
        got = t.end()
        check(f"{sig.name}: the terminal is as it was, exit {code}", t.restored() and got == code,
              f"{got}\n{t.raw[-300:]}")
    t = Terminal(*LOOP, "--rate", "1kpps", rows=8, columns=30)
    check("a small terminal does", t.until("pktgen"), "\n".join(t.screen.display))
    os.write(t.fd, b"q")
    check("and ends", t.end() == 0)


# --- a router, and Linux ---

ROUTER = """version: 1
function: router
nd: {dad: 0}
ports:
  r0: {device: "packet:r0", addresses: [192.0.2.1/24, "2001:db8:1::1/64"]}
  r1: {device: "packet:r1", addresses: [198.51.100.1/24, "2001:db8:2::1/64"]}
"""
GENERATOR = """version: 1
function: pktgen
nd: {dad: 0}
ports:
  a: {device: "packet:p0", addresses: [192.0.2.2/24, "2001:db8:1::2/64"]}
  b: {device: "packet:p1", addresses: [198.51.100.2/24, "2001:db8:2::2/64"]}
streams:
  four: {port: a, to: 198.51.100.2, via: 192.0.2.1, rate: 2kpps, length: {from: 64, to: 1500, step: 100}}
  six: {port: a, to: "2001:db8:2::2", via: "2001:db8:1::1", rate: 2kpps, length: 84}
  back: {port: b, to: 192.0.2.2, via: 198.51.100.1, rate: 2kpps}
"""


def veth(a, b):
    netns.run("ip", "link", "add", a, "type", "veth", "peer", "name", b)
    for i in (a, b):
        netns.run("sysctl", "-qw", f"net.ipv6.conf.{i}.disable_ipv6=1")
        netns.run("ip", "link", "set", i, "up")


def config(name, text):
    path = f"{scratch}/{name}.yaml"
    with open(path, "w") as f:
        f.write(text)
    return path


def router():
    veth("p0", "r0")
    veth("p1", "r1")
    peer = subprocess.Popen([WEIR, "run", config("router", ROUTER)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                            text=True)
    try:
        peer.stderr.readline()
        got = final(config("generator", GENERATOR), "--count", "300")
        for s in got["streams"]:
            check(f"through a router: {s['name']}", s["sent"] == s["received"] == 300 and s["latency_ns"]["count"] == 300 and
                  not s["duplicate"] + s["reordered"] + s["corrupt"] + s["late"], s)
        check("nothing else was lost", not any("not sent" in w for w in got["warnings"]), got["warnings"])
    finally:
        peer.send_signal(signal.SIGINT)
        peer.communicate(timeout=30)


def station():
    """Linux asks the generator: ARP, ND, ping; and sends it what it must not forward."""
    veth("p2", "h2")
    netns.run("sysctl", "-qw", "net.ipv6.conf.h2.disable_ipv6=0", "net.ipv6.conf.h2.accept_dad=0")
    netns.run("ip", "address", "add", "10.9.0.1/24", "dev", "h2")
    netns.run("ip", "address", "add", "2001:db8:9::1/64", "dev", "h2", "nodad")
    netns.run("ip", "route", "add", "10.66.0.0/24", "via", "10.9.0.2")
    gen = subprocess.Popen([WEIR, "pktgen", "--port", "a=packet:p2", "--address", "a=10.9.0.2/24", "--address",
                            "a=2001:db8:9::2/64", "--dst", "10.9.0.1", "--rate", "100pps", "--duration", "60s", "--json"],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for host in ("10.9.0.2", "2001:db8:9::2"): # whose address is used after a second without objections
            for _ in range(10):
                ping = subprocess.run(["ping", "-c1", "-W1", host], capture_output=True, text=True, timeout=20)
                if ping.returncode == 0:
                    break
            check(f"it answers ping {host}", ping.returncode == 0, ping.stdout)
        subprocess.run(["ping", "-c2", "-i0.01", "-W0.1", "10.66.0.1"], capture_output=True, timeout=20)
    finally:
        gen.send_signal(signal.SIGINT)
        out, err = gen.communicate(timeout=30)
    got = json.loads(out.splitlines()[-1])
    check("it was sending meanwhile", gen.returncode == 0 and got["total"]["sent"] > 0, err)
    check("what is not for it is foreign, and forwarded nowhere", got["ports"]["a"]["foreign"] >= 2 and
          got["ports"]["a"]["station"] >= 3 and not any("not-ours" in w for w in got["warnings"]), got["ports"])


if os.geteuid() == 0:
    netns.enter(280)
with tempfile.TemporaryDirectory() as scratch:
    figures()
    without_a_receiver()
    unsigned()
    wrong_words()
    nobody_there()
    view()
    if os.geteuid() == 0:
        router()
        station()
