#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# replay.py - captures played and forwarded, beside dpdk-testpmd's net_pcap and tcpreplay
#
# usage: perf/replay.py [--build DIR | --weir PATH] [--rounds N] [--seconds S] [--json FILE] [--cpu N] [BENCH...]     (root)
#	preload	a preloaded capture into net_null, cycles a packet; testpmd: net_pcap with infinite_rx into net_null
#	files	capture file to capture file through function patch; testpmd: a pair of net_pcap
#	packet, xdp	the same capture over a veth at top speed, packets a second; tcpreplay --topspeed -K
#	timing	as captured over a veth: how far behind its time each packet is stamped by the kernel at the other end; tcpreplay
# Sides take turns; a round in which a polling thread waited for its core for over 5% is thrown away, if enough are left. The peers'
# figures are their own. ratio: above 1, ours is better.
import argparse
import json
import os
import pathlib
import re
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "system"))
import netns  # noqa: E402
import noise  # noqa: E402

WAIT_MAX = 0.05
SO_TIMESTAMPNS = 35
CYCLES = re.compile(r"total cycles=(\d+) / total \S+ packets=(\d+)\) at (\d+) MHz")


def write_capture(path, packets, gap=lambda i: 1000):
    """64-byte frames (60 here) of many flows; gap: ns to the next."""
    now = 1_600_000_000 * 10**9
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
        for i in range(packets):
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 46, i & 0xFFFF, 0, 64, 17, 0, bytes([10, 0, i >> 8 & 255, i & 255]),
                             bytes([10, 1, 2, 3]))
            s = sum(struct.unpack(">10H", ip))
            s = (s & 0xFFFF) + (s >> 16)
            ip = ip[:10] + struct.pack(">H", 0xFFFF - (s & 0xFFFF) - (s >> 16)) + ip[12:]
            frame = (bytes.fromhex("0200000000020200000000010800") + ip +
                     struct.pack(">HHHHI", 1000 + i % 1000, 53, 26, 0, i) + bytes(14))
            out.write(struct.pack("<IIII", now // 10**9, now % 10**9, 60, 60) + frame)
            now += gap(i)
    return str(path)


def waited(pid):
    """Nanoseconds that the process's threads ran, and the longest that one waited."""
    ran = wait = 0
    try:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            words = (task / "schedstat").read_text().split()
            ran, wait = ran + int(words[0]), max(wait, int(words[1]))
    except (OSError, ValueError):
        pass
    return ran, wait


def run(words, seconds=60, **more):
    """Output, and the share of the time that the main thread waited for its core."""
    proc = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **more)
    seen = [(0, 0)]

    def watch():
        while proc.poll() is None:
            seen.append(max(seen[-1], waited(proc.pid)))
            time.sleep(0.02)
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        out = proc.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        proc.kill()
        out = proc.communicate()[0]
    thread.join()
    ran, wait = seen[-1]
    return out, wait / ran if ran else 1


def weir(args, *words):
    out, share = run([args.weir, *words, "--cpu", str(args.cpu), "--json"])
    return json.loads(out), share


def testpmd(args, vdevs, seconds):
    """Cycles a packet by its own count, and the share it waited."""
    words = ["stdbuf", "-oL", "dpdk-testpmd", f"--lcores=0@{args.other},1@{args.cpu}", "--no-huge", "--no-shconf", "-m", "128",
             "--no-pci", "--no-telemetry", *vdevs, "--", "-i", "--total-num-mbufs=8192", "--record-core-cycles",
             "--forward-mode=io", "--no-flush-rx", "--nb-cores=1"]
    proc = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    proc.stdin.write("start\n")
    proc.stdin.flush()
    time.sleep(1.5 + seconds)  # it takes about one to start
    times = []
    for task in pathlib.Path(f"/proc/{proc.pid}/task").iterdir():
        if "worker" in (task / "comm").read_text():
            times.append([int(w) for w in (task / "schedstat").read_text().split()[:2]])
    out = proc.communicate("stop\nquit\n", timeout=30)[0]
    cycles, packets, _ = map(int, CYCLES.search(out).groups())
    return cycles / packets, max((w / r for r, w in times if r), default=1)


def preload_ours(args, where):
    figures, share = weir(args, "replay", f"{where}/small.pcap", "--port", "out=dpdk:net_null0", "--speed", "top", "--loops",
                          "forever", "--duration", str(max(1, round(args.seconds))))
    return figures["loop"]["busy_cycles"] / figures["replay"]["packets"], share


def preload_peer(args, where):
    return testpmd(args, [f"--vdev=net_pcap0,rx_pcap={where}/small.pcap,infinite_rx=1,tx_pcap=/dev/null",
                          "--vdev=net_null1,no-rx=1"], args.seconds)


def files_ours(args, where):
    config = pathlib.Path(where, "patch.yaml")
    config.write_text("version: 1\nfunction: patch\nports: {a: {device: 'pcap:%s/large.pcap,'}, b: {device: 'pcap:,%s/out.pcap'}}\n"
                      "patches: [{from: a, to: b}]\n" % (where, where))
    figures, share = weir(args, "run", str(config), "--clock", "real", "--linger", "0")
    return figures["loop"]["busy_cycles"] / figures["accounting"]["tx"], share


def files_peer(args, where):
    return testpmd(args, [f"--vdev=net_pcap0,rx_pcap={where}/large.pcap,tx_pcap=/dev/null",
                          f"--vdev=net_pcap1,tx_pcap={where}/out.pcap"], 1)


def veth_ours(args, where, driver):
    figures, share = weir(args, "replay", f"{where}/small.pcap", "--port", f"out={driver}:h0", "--speed", "top", "--loops",
                          "forever", "--duration", str(max(1, round(args.seconds))))
    return figures["replay"]["packets"] / figures["replay"]["ns"] * 1e9, share


def tcpreplay(args, *words):
    return run(["taskset", "-c", str(args.cpu), "tcpreplay", "-i", "h0", *words])


def veth_peer(args, where, driver):
    out, share = tcpreplay(args, "--topspeed", "-K", "-l", str(int(1000 * args.seconds)), f"{where}/small.pcap")
    packets, seconds = re.search(r"Actual: (\d+) packets .* sent in ([\d.]+) seconds", out).groups()
    return int(packets) / float(seconds), share


class Recorder(threading.Thread):
    """When the kernel saw each numbered frame arrive at h1."""

    def __init__(self, count):
        super().__init__()
        self.count, self.stamps, self.over = count, {}, False
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, netns.SO_RCVBUFFORCE, 64 << 20)
        self.socket.bind(("h1", 0))
        self.socket.settimeout(0.3)
        self.start()

    def run(self):
        while not self.over:
            try:
                frame, more, _, _ = self.socket.recvmsg(128, 64)
            except TimeoutError:
                continue
            if len(frame) >= 46 and frame[12:14] == b"\x08\x00" and more:
                sec, nsec = struct.unpack("qq", more[0][2][:16])
                self.stamps[struct.unpack(">I", frame[42:46])[0]] = sec * 10**9 + nsec

    def errors(self, times):
        """Behind the packet that was least behind, ns, sorted."""
        self.over = True
        self.join()
        self.socket.close()
        behind = [self.stamps[i] - t for i, t in enumerate(times) if i in self.stamps]
        return sorted(b - min(behind) for b in behind), len(times) - len(behind)


def share_of(errors, share):
    return errors[min(len(errors) - 1, int(share * len(errors)))]


def timing(args, where, times, ours):
    recorder = Recorder(len(times))
    time.sleep(0.1)
    own = None
    if ours:
        figures, share = weir(args, "replay", f"{where}/timed.pcap", "--port", "out=packet:h0")
        own = figures["replay"]["error_ns"]
    else:
        _, share = tcpreplay(args, "-K", f"{where}/timed.pcap")
    time.sleep(0.3)
    errors, lost = recorder.errors(times)
    return {"p50": share_of(errors, 0.5), "p99": share_of(errors, 0.99), "p99_9": share_of(errors, 0.999),
            "max": errors[-1], "lost": lost, "own": own}, share


def compare(args, ours, peer, better):
    """Rounds of both, in turns."""
    rounds, quiet = [], []
    for _ in range(args.rounds):
        a, b = ours(), peer()
        rounds.append((a[0], b[0]))
        if max(a[1], b[1]) <= WAIT_MAX:
            quiet.append(rounds[-1])
    used = quiet if len(quiet) >= max(1, args.rounds // 2) else rounds
    ratios = [b / a if better == "lower" else a / b for a, b in used]
    return used, ratios, len(rounds) - len(used)


def bench(args, name, unit, better, peer_name, ours, peer):
    used, ratios, discarded = compare(args, ours, peer, better)
    figure = {"bench": "replay", "name": name, "unit": unit, "better": better, "ours": statistics.median(a for a, _ in used),
              "peer": peer_name, "peer_value": statistics.median(b for _, b in used), "ratio": statistics.median(ratios),
              "rounds": ratios, "discarded": discarded}
    print(f"{name:48} {figure['ours']:12.1f} {unit:11} {peer_name} {figure['peer_value']:12.1f}  ratio {figure['ratio']:.2f}"
          f"  ({len(used)} of {args.rounds} rounds)", flush=True)
    return figure


def bench_timing(args, where):
    gaps = [50_000 + (i * 7919) % 100_000 for i in range(int(10_000 * args.seconds))]
    write_capture(f"{where}/timed.pcap", len(gaps), lambda i: gaps[i])
    times = [sum(gaps[:0])]
    for gap in gaps[:-1]:
        times.append(times[-1] + gap)
    figures, seen = [], []

    def side(ours):
        def one():
            result, share = timing(args, where, times, ours)
            seen.append((ours, result))
            return result, share
        return one
    for _ in range(args.rounds):
        side(True)(), side(False)()
    for share in ("p50", "p99", "p99_9", "max"):
        ours = [max(1, r[share]) for o, r in seen if o]
        peer = [max(1, r[share]) for o, r in seen if not o]
        ratios = [b / a for a, b in zip(ours, peer)]
        figures.append({"bench": "replay", "name": f"behind its time on a veth, {share}", "unit": "ns", "better": "lower",
                        "ours": statistics.median(ours), "peer": "tcpreplay", "peer_value": statistics.median(peer),
                        "ratio": statistics.median(ratios), "rounds": ratios, "discarded": 0})
        print(f"{figures[-1]['name']:48} {figures[-1]['ours']:12.1f} ns          tcpreplay {figures[-1]['peer_value']:12.1f}"
              f"  ratio {figures[-1]['ratio']:.2f}", flush=True)
    own = [r["own"] for o, r in seen if o]
    print("# by Weir's own histogram, ns: median {:.0f}, 99.9% {:.0f}".format(
        *(statistics.median(e[k] for e in own) for k in ("p50", "p99_9"))), file=sys.stderr)
    print("# frames lost on the way to the stamps: " + ", ".join(f"{'ours' if o else 'tcpreplay'} {r['lost']}"
                                                                 for o, r in seen if r["lost"]), file=sys.stderr)
    return figures


def make_cable():
    netns.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
    netns.run("ip", "link", "add", "h0", "type", "veth", "peer", "name", "h1")
    for name in ("h0", "h1"):
        netns.run("ip", "link", "set", name, "up")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=str(HERE.parent / ".build"))
    parser.add_argument("--weir", help="default: that of --build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--json")
    parser.add_argument("--cpu", type=int, default=1)
    parser.add_argument("bench", nargs="*", choices=[[], "preload", "files", "packet", "xdp", "timing"])
    args = parser.parse_args()
    args.weir = args.weir or str(pathlib.Path(args.build, "apps", "weir"))
    if not os.access(args.weir, os.X_OK):
        parser.error(f"{args.weir}: no such program: give it by --weir")
    args.weir = os.path.abspath(args.weir)
    args.json = args.json and os.path.abspath(args.json)
    args.other = 0 if args.cpu else 1
    netns.enter(900)
    make_cable()
    wanted = args.bench or ["preload", "files", "packet", "xdp", "timing"]
    figures = []
    with tempfile.TemporaryDirectory(dir="/dev/shm") as where:
        write_capture(f"{where}/small.pcap", 1000)
        write_capture(f"{where}/large.pcap", 1_000_000 if "files" in wanted else 1)
        if "preload" in wanted:
            figures.append(bench(args, "preloaded capture into net_null", "cycles/pkt", "lower", "testpmd infinite_rx",
                                 lambda: preload_ours(args, where), lambda: preload_peer(args, where)))
        if "files" in wanted:
            figures.append(bench(args, "capture file to capture file", "cycles/pkt", "lower", "testpmd net_pcap pair",
                                 lambda: files_ours(args, where), lambda: files_peer(args, where)))
        for driver in ("packet", "xdp"):
            if driver in wanted:
                figures.append(bench(args, f"veth at top speed by {driver}:", "packets/s", "higher", "tcpreplay -K -t",
                                     lambda: veth_ours(args, where, driver), lambda: veth_peer(args, where, driver)))
        if "timing" in wanted:
            figures += bench_timing(args, where)
    noise.show(args.weir)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
