# SPDX-License-Identifier: BSD-3-Clause
# suite.py - requirements of RFCs as tests: each sends packets into a router in captures, and looks at what came out
#
# A test is a generator, decorated with what it holds the router to. It yields its packets once, as a list of
# (port, frame) or (port, frame, seconds since the packet before), and gets back an Out: what the router sent
# within the test's own time. All tests of one configuration share a run of `weir run` over captures, one slot of
# the capture's time after the other, so that timers and rate limits are exact and the whole takes seconds.

import json
import pathlib
import subprocess
import sys

import yaml
from scapy.layers.inet6 import ICMPv6MLReport2, ICMPv6ND_NS, ICMPv6ND_RA
from scapy.layers.l2 import ARP, Ether

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import capfile

NSEC = 10**9
START = 1_700_000_000 * NSEC
SETTLE = 30 * NSEC  # before the first slot: whatever a router says when it starts (ARP, DAD, reports) is said
SLOT = 30 * NSEC
STEP = 10**7  # between packets, unless the test says otherwise

tests = []
unmet = []


class Requirement:
    def __init__(self, run, rfc, section, level, text, config, why_not):
        self.run, self.name = run, run.__name__ if run else None
        self.rfc, self.section, self.level, self.text = rfc, section, level, text
        self.config, self.why_not = config, why_not


def requirement(rfc, section, level, text, config="base", why_not=None):
    """A test of a requirement. With why_not the router does not meet it, and the test must fail."""

    def wrap(run):
        assert run.__name__.startswith(f"rfc{rfc}_"), run.__name__
        assert run.__name__ not in [t.name for t in tests], run.__name__
        tests.append(Requirement(run, rfc, section, level, text, config, why_not))
        return run

    return wrap


def not_met(rfc, section, level, text, why):
    """A requirement that the router does not meet, and that no packet shows."""
    unmet.append(Requirement(None, rfc, section, level, text, None, why))


class Out:
    """What came out in a test's slot: a list of scapy frames a port, each with .at, seconds in the slot.

    The router's own questions (ARP requests, neighbor solicitations) and announcements (router advertisements, MLD
    reports) are kept apart, in asked[port]: those of another test's neighbors may come at any time."""

    def __init__(self, ports):
        self.ports = {name: [] for name in ports}
        self.asked = {name: [] for name in ports}

    def add(self, port, frame):
        own = ICMPv6ND_NS in frame or ICMPv6ND_RA in frame or ICMPv6MLReport2 in frame
        question = own or (ARP in frame and frame[ARP].op == 1)
        (self.asked if question else self.ports)[port].append(frame)

    def __getitem__(self, port):
        return self.ports[port]

    def all(self):
        return [frame for frames in self.ports.values() for frame in frames]

    def only(self, port):
        """The one frame there is, on that port."""
        assert len(self.all()) == 1 and len(self[port]) == 1, f"expected one frame on {port}, got {self}"
        return self[port][0]

    def none(self):
        assert not self.all(), f"expected nothing, got {self}"

    def having(self, layer, port=None):
        frames = self.all() if port is None else self[port]
        return [frame for frame in frames if layer in frame]

    def __str__(self):
        return "; ".join(f"{name}: " + (", ".join(frame.summary() for frame in frames) or "nothing")
                         for name, frames in self.ports.items())


class Run:
    """All tests of one configuration through one `weir run`."""

    def __init__(self, weir, config_file, folder, chosen):
        self.config = yaml.safe_load(pathlib.Path(config_file).read_text())
        self.weir, self.config_file, self.folder = weir, config_file, pathlib.Path(folder)
        self.tests = chosen

    def inputs(self, generators):
        frames = {name: [] for name in self.config["ports"]}
        for number, generator in enumerate(generators):
            at = START + SETTLE + number * SLOT
            for step in next(generator):
                port, frame = step[:2]
                at += int(step[2] * NSEC) if len(step) > 2 else STEP
                assert at < START + SETTLE + (number + 1) * SLOT - 5 * NSEC, "a test is longer than its slot"
                frames[port].append((at, bytes(frame)))
        end = START + SETTLE + (len(generators) + 1) * SLOT
        # Time stands still in a replay while no frame comes: one for nobody comes ten times a second.
        idle = bytes(Ether(dst="02:00:00:00:99:99", src="02:00:00:00:99:98", type=0x88B5)) + bytes(46)
        first = next(iter(frames))
        frames[first] = sorted(frames[first] + [(at, idle) for at in range(START, end, NSEC // 10)], key=lambda f: f[0])
        return frames

    def play(self, frames):
        words = [self.weir, "run", str(self.config_file), "--clock", "capture", "--json"]
        for name, list_ in frames.items():
            capfile.write(self.folder / f"{name}-in.pcap", list_)
            words += ["--port", f"{name}=pcap:{self.folder}/{name}-in.pcap,{self.folder}/{name}-out.pcap"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise RuntimeError(f"weir run: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return json.loads(done.stdout)

    def outs(self, frames):
        outs = [Out(frames) for _ in self.tests]
        for name in frames:
            for when, frame in capfile.read(self.folder / f"{name}-out.pcap"):
                slot = (when - START - SETTLE) // SLOT
                if 0 <= slot < len(outs):
                    packet = Ether(frame)
                    packet.at = (when - START - SETTLE) % SLOT / NSEC
                    outs[slot].add(name, packet)
        return outs

    def results(self):
        """[(requirement, None or what was wrong)]"""
        generators = [test.run() for test in self.tests]
        frames = self.inputs(generators)
        self.play(frames)
        results = []
        for test, generator, out in zip(self.tests, generators, self.outs(frames)):
            try:
                generator.send(out)
                wrong = "the test did not end"
            except StopIteration:
                wrong = None
            except Exception as error:  # whatever a test stumbles over: the packet it expected is not there
                wrong = f"{type(error).__name__}: {error} [{out}]"
            results.append((test, wrong))
        return results


# --- docs/router-requirements.md ---

TITLES = {
    "1812": "RFC 1812, Requirements for IP Version 4 Routers",
    "792": "RFC 792 and RFC 1191, ICMP and path MTU discovery",
    "826": "RFC 826, ARP",
    "8200": "RFC 8200, IPv6",
    "4443": "RFC 4443, ICMPv6",
    "4861": "RFC 4861, Neighbor Discovery",
    "4862": "RFC 4862, Address Autoconfiguration",
    "5722": "RFC 5722, Overlapping Fragments",
}

HEAD = """\
# What the RFCs require of a router, and whether Weir does it

Made by `tests/system/rfc_router.py WEIR --write` from the tests themselves; the test fails when this page is not what
it would write. Each requirement that is met has a test of the name given, in `tests/system/rfc/`: packets go into a
router in captures, and what comes out is looked at with scapy. A requirement *not met* says why; where it has a test, the
test fails today and must (it is moved up the day it passes).
"""


def page():
    lines = [HEAD]
    total = [0, 0]
    for rfc, title in TITLES.items():
        rows = [t for t in tests + unmet if t.rfc == rfc]
        if not rows:
            continue
        lines += [f"## {title}", "", "| section | | requirement | test | result |", "|---|---|---|---|---|"]
        for t in sorted(rows, key=lambda t: ([int(n) if n.isdigit() else 0 for n in t.section.split(".")], t.why_not is not None)):
            total[t.why_not is not None] += 1
            name = f"`{t.name}`" if t.name else ""
            lines.append(f"| {t.section} | {t.level} | {t.text} | {name} | {'**not met**: ' + t.why_not if t.why_not else 'met'} |")
        lines.append("")
    lines.append(f"{total[0]} met, {total[1]} not met.")
    return "\n".join(lines) + "\n"
