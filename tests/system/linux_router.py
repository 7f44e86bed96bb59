#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""linux_router.py - the same packets through Linux's own router and through Weir's: the same packets out

Usage: linux_router.py [-v] [--seed S] [--random N] [WEIR]     (root)

Three inputs: the recorded capture (tests/captures), the edge packets of edge_packets.py and the random
ones of random_packets.py. Linux routes them in a network namespace over veth pairs, one packet at a
time; Weir plays them from capture files.
Both are configured from the same YAML. Without WEIR only Linux's half runs and is checked against itself.

What may differ is written down here, and nowhere else. In every case:

  order        Packets of different ports may leave in another order; those of one port, of one flow
               in the capture, may not.
  ipv6         Switched off in Linux: Weir counts IPv6 frames as unsupported.
  ident        The IP identification of packets the router makes itself: any value is right (RFC 6864).
  timestamp    What an IP timestamp option or an ICMP timestamp reply says: the time of day.
  df           Whether packets the router makes itself say "don't fragment": Linux's ICMP does not; Weir's
               small ones do, with identification 0 (an atomic datagram, RFC 6864 4.1).
  quote        How much of the offending packet an ICMP error quotes: Linux up to 576 bytes in all
               (RFC 1812 4.3.2.3); at least header + 8 bytes (RFC 792) must agree.
  arp-repeats  How often the router asks for a neighbour that does not answer.

In single edge cases the table EXPECTED below names what differs and why it may. A case listed there
which does not differ fails the test, as does one that differs and is not listed.
"""

import argparse
import bisect
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

import netns
from same import Blame, canonical, describe, flow_of, without_repeats

HERE = pathlib.Path(__file__).resolve().parent
CAPTURES = HERE.parent / "captures"
LAST_GAP = 20 * 10**9  # before the last case: whatever the router still waits for is over
GAP = 2 * 10**9  # between cases, on the capture's clock: above any rate limit's refill
PATIENCE = 1.5  # seconds: Linux asks for a neighbour three times, a second apart, then gives up
STEP = 10**7  # between the packets of a case
START = 1_700_000_000 * 10**9

MARTIAN = "Weir drops sources no host can have (RFC 1812 5.3.7); Linux knows only some of them"
LINK_LOCAL = "never forwarded (RFC 3927 2.6.2); Linux forwards it like any other"
STRONG_HOST = "Weir answers ARP on a port for that port's addresses and prefix alone"

# label of an edge case: why Linux and Weir may differ there
EXPECTED = {
    "ttl 1, a router solicitation inside": "Linux counts router discovery (RFC 1256) among ICMP errors, and reports none",
    "router: ping with record route": "Linux records itself twice, as it comes in and as the reply goes out",
    "option end of list, junk after it": "Linux clears what follows the end of the list, Weir passes it on",
    "source 0.1.2.3": MARTIAN,
    "source 240.0.0.1": MARTIAN,
    "source 169.254.1.1": LINK_LOCAL,
    "destination 169.254.1.1": LINK_LOCAL,
    "source 198.51.100.255": MARTIAN,
    "source 198.51.100.0": MARTIAN,
    "broadcast as source, ttl 1": MARTIAN,
    "destination 198.51.100.0": "the old all-zeros broadcast (RFC 1812 4.2.3.1): Linux takes it for a host since 5.14",
    "destination 0.1.2.3": "no host's address: Weir drops it as martian, Linux says net unreachable",
    "destination 240.0.0.1": "no host's address: Weir drops it as martian, Linux says net unreachable",
    "router: ping with code 5": "an echo request has code 0 (RFC 792); Linux returns any code",
    "fragments overlap: within": "an overlap (RFC 5722 4, for IPv4 as well); Linux takes it for a repetition",
    "router: udp first fragment only": "RFC 792 asks for time exceeded: it comes after 30 s, which Linux is not waited for",
    "router: timestamp request": "Weir does not answer ICMP timestamp requests (RFC 1812 4.3.3.8: MAY)",
    "router: protocol igmp": "Linux speaks IGMP; Weir does not, and says protocol unreachable",
    "broadcast mac, ping to the router": "unicast IP in a link-layer broadcast is dropped (RFC 1812 5.3.4, RFC 1122 3.3.6)",
    "arp: request for the far address": STRONG_HOST,
    "arp: request from outside the subnet": STRONG_HOST,
    "arp: request from across the router": STRONG_HOST,
    "arp: sender mac is a group": "nobody's address (RFC 1812 3.3.2: never believe one); Linux answers to it",
}


# --- what counts as the same packet ---------------------------------------------------------------


def by_port(outs, config):
    addresses = {bytes(map(int, address.split("/")[0].split(".")))
                 for port in config["ports"].values() for address in port["addresses"]}
    frames = {name: [] for name in config["ports"]}
    for name, frame in outs:
        frames[name].append(canonical(frame, addresses))
    return {name: without_repeats(list_) for name, list_ in frames.items()}


# --- Linux ----------------------------------------------------------------------------------------


def linux_cases(config, cases, quiet):
    """[[(port, frame) out] per case]; out is what comes until nothing has for `quiet` seconds"""
    router = netns.LinuxRouter(config)
    blame = Blame(cases)
    outs = [[] for _ in cases]
    for number, (_, steps) in enumerate(cases):
        last = number == len(cases) - 1
        got = router.collect(PATIENCE) if last else []
        for port, frame in steps:
            router.cables[port].send(frame)
            got += router.collect(quiet)
        for port, frame in got:
            outs[blame.case(frame, number)].append((port, frame))
    netns.run("ip", "netns", "del", "router")
    return outs


def linux_stream(config, frames):
    """[(port, frame) out] for [(time, port, frame) in]"""
    router = netns.LinuxRouter(config)
    got = []
    for _, port, frame in frames:
        router.cables[port].send(frame)
        got += router.collect(0)
    got += router.collect(PATIENCE)
    netns.run("ip", "netns", "del", "router")
    return got


# --- Weir -----------------------------------------------------------------------------------------


def weir_run(weir, config_file, inputs, folder):
    """{port: [(time, frame) out]}; inputs: {port: [(time, frame)]}"""
    import capfile

    command = [str(weir), "run", str(config_file), "--clock", "capture", "--json"]
    for name, frames in inputs.items():
        capfile.write(folder / f"{name}-in.pcap", frames)
        command += ["--port", f"{name}=pcap:{folder}/{name}-in.pcap,{folder}/{name}-out.pcap"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode != 0 or "runtime error" in done.stderr:
        print(f"FAIL: {' '.join(command)} ended with {done.returncode}\n{done.stderr[-3000:]}")
        sys.exit(1)
    report = json.loads(done.stdout)
    sent = sum(len(frames) for frames in inputs.values())
    if not report["accounting"]["balanced"] or report["accounting"]["rx"] != sent:
        print(f"FAIL: {sent} packets played, accounting says {report['accounting']}")
        sys.exit(1)
    return {name: capfile.read(folder / f"{name}-out.pcap") for name in inputs}, report


def weir_cases(weir, config_file, config, cases, folder):
    starts = [START + number * GAP for number in range(len(cases))]
    starts[-1] += LAST_GAP
    inputs = {name: [] for name in config["ports"]}
    for start, (_, steps) in zip(starts, cases):
        for step, (port, frame) in enumerate(steps):
            inputs[port].append((start + step * STEP, frame))
    blame = Blame(cases)
    outs = [[] for _ in cases]
    got, _ = weir_run(weir, config_file, inputs, folder)
    for port, when, frame in ((port, *entry) for port, frames in got.items() for entry in frames):
        running = bisect.bisect_right(starts, when) - 1
        outs[blame.case(frame, running)].append((port, frame))
    return outs


# --- the two comparisons --------------------------------------------------------------------------


def show(title, frames):
    print(f"    {title}:" + ("" if any(frames.values()) else " nothing"))
    for name, list_ in frames.items():
        for frame in list_:
            print(f"      {name}: {describe(frame)}")


def compare_cases(config, cases, linux, weir, verbose):
    bad = listed = 0
    for (label, steps), ours, theirs in zip(cases, weir, linux):
        ours, theirs = by_port(ours, config), by_port(theirs, config)
        differs = ours != theirs
        if differs and label in EXPECTED:
            listed += 1
        if differs == (label in EXPECTED) and not verbose:
            continue
        verdict = "same"
        if differs:
            verdict = f"differs, as listed: {EXPECTED[label]}" if label in EXPECTED else "DIFFERS"
        elif label in EXPECTED:
            verdict = "DOES NOT DIFFER, yet is listed"
        bad += differs != (label in EXPECTED)
        print(f"  {label}: {verdict}")
        if differs:
            for port, frame in steps:
                print(f"    into {port}: {describe(frame)}")
            show("Linux", theirs)
            show("Weir", ours)
    return bad, listed


def compare_streams(config, linux, weir):
    ours, theirs = by_port(weir, config), by_port(linux, config)
    bad = 0
    for name in config["ports"]:
        mine, peers = collections.Counter(ours[name]), collections.Counter(theirs[name])
        for title, rest in (("Linux sent, Weir did not", peers - mine), ("Weir sent, Linux did not", mine - peers)):
            for frame, count in rest.items():
                print(f"  {name}: {title} ({count}): {describe(frame)}")
                bad += count
        flows = [collections.defaultdict(list), collections.defaultdict(list)]
        for side, frames in zip(flows, (ours[name], theirs[name])):
            for frame in frames:
                side[flow_of(frame)].append(frame)
        for flow in flows[0].keys() & flows[1].keys():
            if flows[0][flow] != flows[1][flow] and sorted(flows[0][flow]) == sorted(flows[1][flow]):
                print(f"  {name}: a flow left in another order: {describe(flows[1][flow][0])}")
                bad += 1
    return bad


def load(path):
    import yaml

    return yaml.safe_load(path.read_text())


def recorded():
    import capfile

    frames = []
    for name in ("wan", "lan"):
        frames += [(when, name, frame) for when, frame in capfile.read(CAPTURES / f"router-{name}.pcap")]
    return sorted(frames, key=lambda entry: entry[0])


def test_capture(weir, folder):
    config_file = CAPTURES / "router.yaml"
    config, frames = load(config_file), recorded()
    linux = linux_stream(config, frames)
    if not weir:
        again = linux_stream(config, frames)
        bad = compare_streams(config, linux, again)
        return bad, f"capture: {len(frames)} packets in, {len(linux)} out of Linux, twice, {bad} differences"
    inputs = {name: [(when, frame) for when, port, frame in frames if port == name] for name in config["ports"]}
    got, _ = weir_run(weir, config_file, inputs, folder)
    outs = [(name, frame) for name, list_ in got.items() for _, frame in list_]
    bad = compare_streams(config, linux, outs)
    return bad, f"capture: {len(frames)} packets in, {len(linux)} out of Linux, {len(outs)} out of Weir, {bad} differences"


def ask_again(config, cases, linux, weir):
    """A busy machine may have answered late: asks Linux again, patiently, what differs and should not."""
    doubtful = [n for n, (label, _) in enumerate(cases)
                if label not in EXPECTED and by_port(linux[n], config) != by_port(weir[n], config)]
    if 0 < len(doubtful) <= 50:
        again = linux_cases(config, [cases[n] for n in doubtful], 0.1)
        for n, outs in zip(doubtful, again):
            linux[n] = outs


def compare_alone(config, cases, linux, again, verbose):
    """Without Weir: Linux with itself."""
    bad = 0
    for (label, steps), first, second in zip(cases, linux, again):
        if by_port(first, config) != by_port(second, config):
            print(f"  {label}: Linux differs from itself")
            bad += 1
        if verbose:
            print(f"  {label}")
            for port, frame in steps:
                print(f"    into {port}: {describe(frame)}")
            show("Linux", by_port(first, config))
    return bad


def test_cases(what, cases, quiet, weir, folder, verbose):
    config_file = HERE / "edge.yaml"
    config = load(config_file)
    linux = linux_cases(config, cases, quiet)
    out = f"{what}: {len(cases)} cases, {sum(map(len, linux))} packets out of Linux"
    if not weir:
        bad = compare_alone(config, cases, linux, linux_cases(config, cases, quiet), verbose)
        return bad, f"{out}, twice, {bad} differences"
    theirs = weir_cases(weir, config_file, config, cases, folder)
    ask_again(config, cases, linux, theirs)
    bad, listed = compare_cases(config, cases, linux, theirs, verbose)
    return bad, f"{out}, {listed} differ as listed, {bad} do not agree"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weir", nargs="?", type=pathlib.Path, help="the hosted executable; without it, Linux alone")
    parser.add_argument("-v", "--verbose", action="store_true", help="every edge case, not only those that differ")
    parser.add_argument("--seed", type=int, default=1, help="of the random packets")
    parser.add_argument("--random", type=int, default=2000, help="how many of them", metavar="N")
    options = parser.parse_args()
    netns.enter(180)
    try:
        import scapy.all  # noqa: F401
        import yaml  # noqa: F401
    except ImportError as missing:
        netns.skip(f"needs python3-scapy and python3-yaml ({missing})")
    with tempfile.TemporaryDirectory(dir="/run") as folder:
        folder = pathlib.Path(folder)
        import edge_packets
        import random_packets

        rest = (options.weir, folder, options.verbose)
        results = [
            test_capture(options.weir, folder),
            test_cases("edges", edge_packets.cases(), 0.01, *rest),
            test_cases("random", random_packets.cases(options.seed, options.random), 0.002, *rest),
        ]
    for _, line in results:
        print(line)
    bad = sum(count for count, _ in results)
    print("linux_router:", "FAIL" if bad else "ok")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
