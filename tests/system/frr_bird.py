# SPDX-License-Identifier: BSD-3-Clause
# frr_bird.py - a full routing table by real daemons: BIRD announces by BGP, FRR tells Weir by FPM
#
#   frr_bird.py WEIR    (WEIR_FRR_ROUTES, WEIR_FRR_LOOKUPS: how many; nightly 200,000 and 10^6)
#
# FRR installs the same routes in this namespace's kernel. Packets to random addresses go through Weir, and each
# must leave towards a next hop that the kernel's own table has for it: found by longest-prefix match over the
# dump of that table, and for a sample by asking the kernel (ip route get). Then routes are withdrawn, moved and
# added; weir fpm, FRR and Weir are killed (-9) and started again while BIRD goes on. Packets to routes that never
# change flow all the time: none may be lost but while Weir itself is away. All in namespaces that vanish.

import ipaddress
import json
import os
import pathlib
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import frr
import netns

WEIR = str(pathlib.Path(sys.argv[1]).resolve())
ROUTES = int(os.environ.get("WEIR_FRR_ROUTES", 20000))
LOOKUPS = int(os.environ.get("WEIR_FRR_LOOKUPS", 100000))
ASKED = min(LOOKUPS, 20000)  # of them by ip route get too
STALE = 3  # seconds: BGP has its session back by then
STEADY = [f"198.18.{i}.0/24" for i in range(16)]  # routes that never change
HOPS4 = [f"192.0.2.{i}" for i in range(11, 15)] + [f"198.51.100.{i}" for i in range(11, 15)]
FAR = {"203.0.113.7": frozenset(("192.0.2.11", "198.51.100.12")),  # reached by two ways: what goes there is ECMP
       "2001:db8:3::7": frozenset(("2001:db8:1::11", "2001:db8:2::12"))}
HOPS6 = [f"2001:db8:1::{i}" for i in range(11, 15)] + [f"2001:db8:2::{i}" for i in range(11, 15)]
STATIC = """\
ip route 203.0.113.0/24 192.0.2.11
ip route 203.0.113.0/24 198.51.100.12
ipv6 route 2001:db8:3::/48 2001:db8:1::11
ipv6 route 2001:db8:3::/48 2001:db8:2::12
ip route 10.98.0.0/16 reject
ip route 10.99.0.0/16 blackhole
"""
STATIC_TABLE = {"203.0.113.0/24": FAR["203.0.113.7"], "2001:db8:3::/48": FAR["2001:db8:3::7"],
                "10.98.0.0/16": frozenset(), "10.99.0.0/16": frozenset()}
IN_MAC, HOST_MAC = "02:00:00:00:00:01", "02:00:00:00:00:99"


def hop_mac(address):
    """Made of the last bytes of the next hop's address: each its own."""
    packed = ipaddress.ip_address(address).packed
    return bytes([2, 0, len(packed), packed[5] if len(packed) == 16 else packed[1], *packed[-2:]])


MAC_HOP = {hop_mac(address): address for address in HOPS4 + HOPS6}
assert len(MAC_HOP) == len(HOPS4 + HOPS6)


def mac_text(mac):
    return ":".join(f"{byte:02x}" for byte in mac)


# --- what is announced ---

class Prefixes:
    """Random prefixes with random next hops, never the same prefix twice."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.seen = {f"{n}" for n in STEADY}

    def one(self):
        r = self.random
        while True:
            if r.random() < 0.8:
                plen = r.choices([12, 16, 19, 20, 22, 24, 28, 32], [1, 6, 6, 10, 20, 50, 4, 3])[0]
                bits = r.getrandbits(32) >> (32 - plen) << (32 - plen)
                # 16.0.0.0 to 95.255.255.255: nothing of the test's own networks
                bits = (16 + (bits >> 24) % 80) << 24 | bits & 0xFFFFFF
                prefix = f"{ipaddress.IPv4Address(bits)}/{plen}"
                hop = "203.0.113.7" if r.random() < 0.1 else r.choice(HOPS4)
            else:
                plen = r.choices([29, 32, 40, 44, 48, 56, 64, 128], [1, 8, 6, 6, 50, 4, 4, 2])[0]
                bits = (0x2A << 120 | r.getrandbits(120)) >> (128 - plen) << (128 - plen)
                prefix = str(ipaddress.IPv6Network((bits, plen)))
                hop = "2001:db8:3::7" if r.random() < 0.1 else r.choice(HOPS6)
            if prefix not in self.seen:
                self.seen.add(prefix)
                return prefix, hop

    def some(self, n):
        return dict(self.one() for _ in range(n))


def changed(routes, prefixes):
    """A third withdrawn, a third moved elsewhere, as many added as withdrawn."""
    after = dict(routes)
    for prefix in list(routes):
        if prefix in STEADY:
            continue
        what = prefixes.random.randrange(3)
        if what == 0:
            del after[prefix]
        elif what == 1:
            after[prefix] = prefixes.random.choice(HOPS6 if ":" in prefix else HOPS4)
    after.update(prefixes.some(len(routes) - len(after)))
    return after


# --- the kernel's table, the oracle ---

def kernel_table():
    return {prefix: frozenset(hop for hop, _ in hops) for prefix, hops in frr.kernel_routes().items()}


class Fib:
    """Longest-prefix match over what the kernel says its table is."""

    def __init__(self):
        self.tables = {4: {}, 6: {}}
        for prefix, hops in kernel_table().items():
            address, plen = prefix.split("/")
            packed = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
            value = int.from_bytes(packed, "big")
            self.tables[6 if ":" in address else 4].setdefault(int(plen), {})[value] = hops
        self.order = {family: sorted(table, reverse=True) for family, table in self.tables.items()}

    def lookup(self, family, address):
        width = 32 if family == 4 else 128
        for plen in self.order[family]:
            hops = self.tables[family][plen].get(address >> (width - plen) << (width - plen))
            if hops:
                return hops
        return None


def route_get(addresses):
    """What the kernel answers for each: a next hop, or None."""
    done = subprocess.run(["ip", "-o", "-force", "-batch", "-"], text=True, capture_output=True, timeout=120,
                          input="".join(f"route get {address}\n" for address in addresses))
    answers = {}
    for line in done.stdout.splitlines():
        words = line.split()
        if "via" in words:
            answers[words[0]] = words[words.index("via") + 1]
    return [answers.get(str(address)) for address in addresses]


# --- packets through Weir ---

def checksum(header):
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return (total + (total >> 16) & 0xFFFF) ^ 0xFFFF


class Probe:
    """Sends UDP packets into Weir's port `in`, and sees by their MAC address which next hop they went to."""

    HEAD = bytes.fromhex((IN_MAC + HOST_MAC).replace(":", ""))
    SRC4 = socket.inet_aton("10.255.0.2")
    SRC6 = socket.inet_pton(socket.AF_INET6, "2001:db8:ff::2")
    UDP = struct.pack("!4H", 4000, 9, 12, 0)
    SUM4 = checksum(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 32, 0, 0, 64, 17, 0, SRC4, bytes(4))) ^ 0xFFFF

    def __init__(self):
        self.into = netns.Cable("x-win")
        self.out = [netns.Cable("x-w1"), netns.Cable("x-w2")]
        self.lock = threading.Lock()

    def frame(self, family, address, number):
        mark = struct.pack("!I", number)
        if family == 4:
            total = self.SUM4 + (address >> 16) + (address & 0xFFFF)
            total = (total & 0xFFFF) + (total >> 16)
            total = (total & 0xFFFF) + (total >> 16)
            return (self.HEAD + b"\x08\x00" + struct.pack("!BBHHHBBH4sI", 0x45, 0, 32, 0, 0, 64, 17, total ^ 0xFFFF,
                                                          self.SRC4, address) + self.UDP + mark)
        # A UDP checksum of 0 is wrong in IPv6, and no router's business.
        return (self.HEAD + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, 12, 17, 64) + self.SRC6 +
                address.to_bytes(16, "big") + self.UDP + mark)

    def collect(self, got):
        n = 0
        for cable in self.out:
            while (frame := cable.receive()) is not None:
                at = 42 if frame[12:14] == b"\x08\x00" else 62
                if len(frame) >= at + 4:
                    got.setdefault(int.from_bytes(frame[at : at + 4], "big"), []).append(MAC_HOP.get(frame[:6], "?"))
                    n += 1
        return n

    def send(self, wanted):
        """wanted: [(family, address, whether an answer is expected)] -> {number: [next hops it left to]}."""
        got, expected, window = {}, 0, 512
        for at in range(0, len(wanted), window):
            for number, (family, address, routed) in enumerate(wanted[at : at + window], at):
                self.into.send(self.frame(family, address, number))
                expected += routed
            end = time.monotonic() + 2
            while sum(map(len, got.values())) < expected if at + window >= len(wanted) else len(got) < expected:
                if self.collect(got):
                    end = time.monotonic() + 2
                elif time.monotonic() > end:
                    break
                else:
                    time.sleep(0.0005)
        time.sleep(0.2)
        self.collect(got)
        return got


class Steady(threading.Thread):
    """A packet to a route that never changes every 2 ms, numbered from 2^31 on, and which of them came out."""

    def __init__(self, probe):
        super().__init__(daemon=True)
        self.probe, self.sent, self.stop = probe, 0, False
        self.pause = True
        self.targets = [int(ipaddress.ip_network(p).network_address) + 5 for p in STEADY]
        self.socket = netns.Cable("x-win")
        self.start()

    def run(self):
        while not self.stop:
            if not self.pause:
                target = self.targets[self.sent % len(self.targets)]
                self.socket.send(self.probe.frame(4, target, (1 << 31) + self.sent))
                self.sent += 1
            time.sleep(0.002)


# --- the parts under test ---

def config(directory):
    lines = ["version: 1", "function: router", "ports:",
             f'  in: {{device: "packet:win", mac: "{IN_MAC}", addresses: [10.255.0.1/24, "2001:db8:ff::1/64"]}}']
    for number, (name, (v4, v6, _, _)) in enumerate(frr.PORTS.items(), 1):
        lines.append(f'  {name}: {{device: "packet:w{number}", mac: "02:00:00:00:01:0{number}", '
                     f'addresses: [{v4}, "{v6}"]}}')
    lines.append("neighbors:")
    lines.append(f'  - {{port: in, address: 10.255.0.2, mac: "{HOST_MAC}"}}')
    lines.append(f'  - {{port: in, address: "2001:db8:ff::2", mac: "{HOST_MAC}"}}')
    for address in HOPS4 + HOPS6:
        port = "p1" if address.startswith(("192.0.2.", "2001:db8:1:")) else "p2"
        lines.append(f'  - {{port: {port}, address: "{address}", mac: "{mac_text(hop_mac(address))}"}}')
    lines.append("routes:")
    lines.append('  - {to: 172.16.0.0/12, via: 192.0.2.11}')
    path = pathlib.Path(directory) / "router.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


class Weir(frr.Daemon):
    def __init__(self, directory):
        self.control = pathlib.Path(directory) / "ctl.sock"
        super().__init__("weir", [WEIR, "run", str(config(directory)), "--control", str(self.control), "--json"],
                         directory)

    def start(self):
        self.control.unlink(missing_ok=True)
        super().start()
        frr.wait("weir's control socket", 20, lambda: self.control.exists() or not self.alive())
        if not self.alive():
            raise RuntimeError(f"weir run ended: {self.said()}")

    def table(self):
        """{prefix: {next hops}} of what weir fpm has put there."""
        done = subprocess.run([WEIR, "ctl", str(self.control), "route", "show", "--json"], capture_output=True,
                              text=True, timeout=120, check=True)
        return {str(ipaddress.ip_network(route["to"])): frozenset(hop["via"] for hop in route["nexthops"])
                for route in json.loads(done.stdout) if route.get("from") == "fpm"}


class Fpm(frr.Daemon):
    def __init__(self, directory, control):
        self.figures = pathlib.Path(directory) / "fpm.json"
        super().__init__("fpm", [WEIR, "fpm", str(control), "--json", "--every", "1", "--stale", str(STALE)],
                         directory)

    def start(self):
        self.figures.unlink(missing_ok=True)
        with open(self.log, "ab") as log, open(self.figures, "wb") as out:
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=out, stderr=log)
        time.sleep(0.2)
        if not self.alive():
            raise RuntimeError(f"weir fpm ended: {self.said()}")

    def last(self):
        lines = self.figures.read_text().splitlines()
        return json.loads(lines[-1]) if lines else None

    def settled(self, applied, synced):
        """Both connected, nothing waiting, so many routes; synced: and none of them from before FRR came back."""
        now = self.last()
        return now and now["frr"] and now["weir"] and now["synced"] >= synced and not now["waiting"] and now["routes"]["applied"] == applied

    def lost(self, end):
        frr.wait(f"weir fpm's word that {end} is gone", 5, lambda: not self.last()[end])


class Test:
    def __init__(self, directory):
        self.failures = []
        self.prefixes = Prefixes(4)
        self.weir = Weir(directory)
        self.fpm = Fpm(directory, self.weir.control)
        self.bird = frr.Bird(directory)
        self.frr = frr.Frr(directory, STATIC)
        self.ever = {}

    def fail(self, text):
        print(f"FAIL: {text}")
        self.failures.append(text)

    def announce(self, routes, how):
        self.routes = dict(routes, **{p: HOPS4[i % 8] for i, p in enumerate(STEADY)})
        self.ever.update(self.routes)
        how(self.routes)

    def settle(self, what, synced=True, seconds=60):
        """Until the kernel has just what BIRD announces, and Weir has it too: table and next hops."""
        expected = {prefix: FAR.get(hop, frozenset((hop,))) for prefix, hop in self.routes.items()}
        began = time.monotonic()
        frr.wait(f"{what}: FRR's kernel routes", seconds, lambda: kernel_table() == expected, 0.3)
        kernel = time.monotonic() - began
        expected.update(STATIC_TABLE)
        applied = len(expected)
        try:
            frr.wait(f"{what}: weir fpm has settled on {applied} routes", 30, lambda: self.fpm.settled(applied, synced), 0.1)
        except RuntimeError as error:
            self.fail(f"{error}; it says {self.fpm.last()}")
        took = time.monotonic() - began
        weir = self.weir.table()
        stale, missing = set(weir) - set(expected), set(expected) - set(weir)
        other = [p for p in expected if p in weir and expected[p] != weir[p]]
        if stale or missing or other:
            self.fail(f"{what}: {len(stale)} stale, {len(missing)} missing, {len(other)} other next hops, such as "
                      f"{list(stale)[:3]} {list(missing)[:3]} {[(p, expected[p], weir[p]) for p in other[:3]]}")
        print(f"{what}: {applied} routes, kernel after {kernel:.1f} s, Weir after {took:.1f} s", flush=True)

    def lookups(self, what, n):
        """n packets to random addresses, each where the kernel's table says."""
        fib, r = Fib(), self.prefixes.random
        ever = [ipaddress.ip_network(p) for p in self.ever]
        wanted, expected = [], []
        for _ in range(n):
            net = r.choice(ever)
            family = net.version
            width = net.max_prefixlen - net.prefixlen
            address = int(net.network_address) | (r.getrandbits(width) if width else 0)
            hops = fib.lookup(family, address)
            wanted.append((family, address, hops is not None))
            expected.append(hops)
        began = time.monotonic()
        got = self.probe.send(wanted)
        took = time.monotonic() - began
        wrong = [i for i in range(n) if (expected[i] is None) != (i not in got) or
                 (i in got and (len(got[i]) != 1 or got[i][0] not in expected[i]))]
        for i in wrong[:5]:
            family, address, _ = wanted[i]
            text = ipaddress.ip_address(address.to_bytes(4 if family == 4 else 16, "big"))
            print(f"  {text}: kernel {expected[i]}, Weir {got.get(i)}")
        if wrong:
            self.fail(f"{what}: {len(wrong)} of {n} packets went elsewhere than the kernel says")
        asked = r.sample(range(n), min(n, ASKED))
        texts = [str(ipaddress.ip_address(wanted[i][1].to_bytes(4 if wanted[i][0] == 4 else 16, "big"))) for i in asked]
        answers = route_get(texts)
        bad = [i for i, answer in zip(asked, answers) if (answer not in expected[i] if expected[i] else answer)]
        if bad:
            self.fail(f"{what}: ip route get disagrees with the dump of its own table for {len(bad)} addresses")
        routed = sum(e is not None for e in expected)
        print(f"{what}: {n} lookups, {routed} with a route, {len(asked)} asked of the kernel, "
              f"{n / took:,.0f} packets/s", flush=True)

    def steady(self, running):
        """Stops or goes on; stopping counts what was lost."""
        if running:
            self.flow.before = self.flow.sent
            self.flow.pause = False
            return
        self.flow.pause = True
        time.sleep(0.1)
        got = {}
        self.probe.collect(got)
        numbers = range(self.flow.before, self.flow.sent)
        lost = [n for n in numbers if (1 << 31) + n not in got]
        print(f"  {len(numbers)} packets to steady routes meanwhile, {len(lost)} lost", flush=True)
        if lost or not numbers:
            self.fail(f"{len(lost)} of {len(numbers)} packets to routes that never changed were lost")

    def run(self):
        self.weir.start()
        self.probe = Probe()
        self.flow = Steady(self.probe)
        self.fpm.start()
        self.announce(self.prefixes.some(ROUTES), self.bird.start)
        self.frr.start()
        self.settle("announced", synced=False)
        self.lookups("announced", LOOKUPS)

        self.steady(True)
        self.announce(changed(self.routes, self.prefixes), self.bird.announce)
        self.settle("a third withdrawn, a third moved")
        self.steady(False)
        self.lookups("a third withdrawn, a third moved", LOOKUPS // 4)

        self.steady(True)
        self.fpm.kill()
        self.announce(changed(self.routes, self.prefixes), self.bird.announce)
        time.sleep(0.5)
        self.fpm.start()
        self.settle("weir fpm killed, routes changed, started")
        self.steady(False)
        self.lookups("weir fpm killed", LOOKUPS // 10)

        self.steady(True)
        self.frr.kill()
        self.fpm.lost("frr")
        self.announce(changed(self.routes, self.prefixes), self.bird.announce)
        self.frr.start()
        self.settle("FRR killed, routes changed, started")
        self.steady(False)
        self.lookups("FRR killed", LOOKUPS // 10)

        self.weir.kill()
        self.fpm.lost("weir")
        self.weir.start()
        self.settle("Weir killed, started")
        self.lookups("Weir killed", LOOKUPS // 10)
        self.figures()

    def figures(self):
        last = self.fpm.last()
        print(f"weir fpm: {json.dumps(last)}")
        if last["refused"] or last["lost"] or last["messages"]["broken"] or last["messages"]["full"]:
            self.fail("weir fpm counted refusals, losses or broken messages")

    def end(self):
        """As a user ends them: exit status 0, and Weir's books balanced."""
        self.flow.stop = True
        for daemon in (self.fpm, self.weir):
            daemon.process.send_signal(signal.SIGINT)
            if daemon.process.wait(timeout=30):
                self.fail(f"{daemon.name}: exit status {daemon.process.returncode}: {daemon.said()}")
            daemon.process = None
        self.frr.kill()
        self.bird.kill()


def ports():
    for name in ("win", "w1", "w2"):
        netns.run("ip", "link", "add", "name", f"x-{name}", "type", "veth", "peer", "name", name)
        for end in (f"x-{name}", name):
            netns.run("sysctl", "-qw", f"net.ipv6.conf.{end}.disable_ipv6=1")
            netns.run("ethtool", "-K", end, *"tso off gso off gro off tx off rx off".split())
            netns.run("ip", "link", "set", end, "up")


def main():
    netns.enter(900)
    frr.need()
    frr.cables()
    ports()
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        test = Test(directory)
        try:
            test.run()
        except Exception:
            for daemon in (test.weir, test.fpm, test.bird.daemon, *test.frr.daemons):
                if daemon.log.exists():
                    print(f"--- {daemon.name}:\n{daemon.said()}")
            raise
        test.end()
    print(f"frr_bird: {len(test.failures)} failures")
    sys.exit(bool(test.failures))


main()
