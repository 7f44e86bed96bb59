#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# host_ports.py - the ports upon Linux interfaces beside DPDK's for the same: processor time a packet
#
# usage: perf/host_ports.py [--weir PATH] [--rounds N] [--seconds S] [--length BYTES] [--json FILE]     (root)
# One thread sends frames by one port and receives them by another, through the kernel: a veth pair for
# AF_PACKET and AF_XDP, two TAP devices on a bridge. Both sides are `weir run` with the patch function; the
# peer's ports are DPDK's drivers (dpdk:net_tap, net_af_packet, net_af_xdp), so that nothing but the driver
# differs. The figure is the processor time of the process, kernel included, by frames that arrived, in a
# window in the middle of the run; medians over rounds in turns. ratio: the peer's time by ours.
import argparse
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "system"))
import netns  # noqa: E402
import noise  # noqa: E402
import record  # noqa: E402

# name: our device, DPDK's; %s is the interface
DRIVERS = {
    "tap": ("tap:%s", "dpdk:net_tap_%s,iface=%s"),
    "packet": ("packet:%s", "dpdk:net_af_packet_%s,iface=%s,qdisc_bypass=1"),
    "packet,immediate": ("packet:%s,immediate", "dpdk:net_af_packet_%s,iface=%s,qdisc_bypass=1"),
    "xdp": ("xdp:%s", "dpdk:net_af_xdp_%s,iface=%s"),
}
LENGTHS = range(60, 1515)


def mhz():
    found = re.search(r"^cpu MHz\s*:\s*([\d.]+)", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return float(found.group(1)) if found else 0


def quiet(*words):
    subprocess.run(words, capture_output=True, timeout=20)


def make_cable(driver):
    if driver == "tap":
        netns.run("ip", "link", "add", "br0", "type", "bridge")
        netns.run("ip", "link", "set", "br0", "up")
        return
    netns.run("ip", "link", "add", "h0", "type", "veth", "peer", "name", "h1")
    for name in ("h0", "h1"):
        netns.run("ip", "link", "set", name, "up")


def join_taps():
    """False while the devices are not there yet."""
    there = pathlib.Path("/proc/net/dev").read_text()
    if not all(f"{name}:" in there for name in ("h0", "h1")):
        return False
    for name in ("h0", "h1"):
        netns.run("ip", "link", "set", name, "master", "br0", "up")
    return True


def remove_cable():
    for name in ("h0", "h1", "br0"):
        quiet("ip", "link", "del", name)


def arrived(driver):
    """Frames that the receiving port's interface has had for it."""
    stats = json.loads(netns.run("ip", "-s", "-j", "link", "show", "h1"))[0]["stats64"]
    return stats["tx" if driver == "tap" else "rx"]["packets"]


def cpu_ns(pid):
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total


def config(where, device, length):
    path = pathlib.Path(where, "patch.yaml")
    args = {name: device.replace("%s", name) for name in ("h0", "h1")}
    path.write_text(f"""version: 1
function: patch
ports:
  gen: {{device: "null:rx={length}"}}
  out: {{device: "{args['h0']}", mac: "02:00:00:00:0a:01"}}
  in: {{device: "{args['h1']}", mac: "02:00:00:00:0a:02"}}
  sink: {{device: "null:"}}
patches: [{{from: gen, to: out}}, {{from: in, to: sink}}]
""")
    return path


def measure(args, driver, device):
    """ns a packet and packets a second, or a string that says why not."""
    with tempfile.TemporaryDirectory() as where:
        make_cable(driver)
        log = open(pathlib.Path(where, "log"), "w+")
        weir = subprocess.Popen([args.weir, "run", config(where, device, args.length), "--json"],
                                stdout=subprocess.DEVNULL, stderr=log)
        try:
            deadline = time.monotonic() + 20
            joined = driver != "tap"
            while time.monotonic() < deadline and weir.poll() is None:
                joined = joined or join_taps()
                if joined and arrived(driver) > 10000:
                    break
                time.sleep(0.05)
            else:
                log.seek(0)
                text = [line for line in log.read().splitlines() if line.startswith("weir")]
                return text[-1] if text else "no frames arrive"
            before, cpu, began = arrived(driver), cpu_ns(weir.pid), time.monotonic()
            time.sleep(args.seconds)
            after, used, ended = arrived(driver), cpu_ns(weir.pid) - cpu, time.monotonic()
            return used / (after - before), (after - before) / (ended - began)
        finally:
            weir.send_signal(signal.SIGINT)
            try:
                weir.wait(10)
            except subprocess.TimeoutExpired:
                weir.kill()
                weir.wait()
            log.close()
            remove_cable()


def compare(args, driver):
    ours, peer = DRIVERS[driver]
    rounds, why = [], ""
    for _ in range(args.rounds):
        pair = measure(args, driver, ours), measure(args, driver, peer)
        why = pair[1] if isinstance(pair[1], str) else why
        if isinstance(pair[0], str):
            sys.exit(f"host_ports: {driver}: {pair[0]}")
        rounds.append(pair)
    figure = {"name": driver, "bytes": args.length,
              "ns": statistics.median(r[0][0] for r in rounds),
              "pps": statistics.median(r[0][1] for r in rounds)}
    figure["cycles"] = figure["ns"] * mhz() / 1000
    peers = [r for r in rounds if not isinstance(r[1], str)]
    if peers:
        figure["peer_ns"] = statistics.median(r[1][0] for r in peers)
        figure["rounds"] = [r[1][0] / r[0][0] for r in peers]
        figure["ratio"] = statistics.median(r[1][0] / r[0][0] for r in peers)
    else:
        figure["peer"] = why
    return figure


def show(f):
    beside = f"{f['peer_ns']:8.0f} ns  ratio {f['ratio']:.2f}" if "ratio" in f else f"not: {f['peer'][:80]}"
    print(f"{f['name']:8} {f['ns']:8.0f} ns/pkt {f['cycles']:8.0f} cycles/pkt {f['pps'] / 1e6:6.2f} Mpps"
          f"   DPDK's {beside}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weir", default=str(HERE.parent / "build" / "apps" / "weir"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--length", type=int, default=60, help="of frames, without FCS")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE, too")
    parser.add_argument("driver", nargs="*", choices=[[], *DRIVERS])
    args = parser.parse_args()
    if args.length not in LENGTHS:
        parser.error("--length: 60 to 1514")
    if not os.access(args.weir, os.X_OK):
        parser.error(f"{args.weir}: no such program: give it by --weir")
    args.weir = os.path.abspath(args.weir)
    netns.enter(600)
    netns.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
    figures = []
    for driver in args.driver or DRIVERS:
        figures.append(compare(args, driver))
        show(figures[-1])
    noise.show(args.weir)
    if args.json:
        record.write(args.json, [record.record("host_ports", f"{f['name']}, {f['bytes']} bytes", "ns/pkt", f["ns"],
                                               "dpdk:" + DRIVERS[f["name"]][1].split(":")[1].split("_%s")[0],
                                               f.get("peer_ns"), f.get("rounds", ())) for f in figures])


if __name__ == "__main__":
    main()
