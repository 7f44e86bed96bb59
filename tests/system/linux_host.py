#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""linux_host.py - Weir routes between two Linux hosts over tap, packet and xdp ports; Linux judges

Usage: linux_host.py [-v] WEIR [CASE...]     (root; without a CASE all of them)

Two network namespaces are the hosts, 10.1.0.2 and 10.2.0.2; `weir run` routes between them, hosted, or for
IPv6 patches one to the other. Each case is a driver with offloads on or off, at the hosts and at Weir's
ports. In every case:

  ping         with small packets and with the largest that the MTU takes, "don't fragment" set;
  TCP, UDP     iperf3 both ways, and 64 KiB written by UDP_SEGMENT (the receiver checks every byte);
  checksums    the receiving kernel counts the wrong ones: none may be; one packet that is sent with a
               wrong checksum on purpose must be counted, which shows that they are looked at;
  accounting   Weir's books balance, and what its ports counted as lost is named below.

In the cases -removed the administrator deletes an interface under Weir and makes it again: traffic resumes. In
xdp-killed Weir is killed: nothing remains on the interfaces, and a second Weir takes its place.

How fast it was is printed, and decides nothing.
"""

import argparse
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import netns
from linux_traffic import (HOSTS, ROUTER, Failure, bad_checksum, check_checksums, in_host, inside, iperf, need, ping,
                           segments, wait_for)

HOSTS6 = {"a": "fd00::a", "b": "fd00::b"}  # of cases whose Weir is a cable (function: patch)
OFFLOADS = "tx rx tso gso gro sg".split()
# Counters of a port that say that a packet was lost, whatever the driver.
LOST = ("rx-nombuf", "rx-too-long", "rx-bad-header", "rx-errors", "rx-gso-refused", "rx-bad-address",
        "tx-refused", "tx-too-long", "tx-bad-address", "tx-invalid", "device-lost")

# name: driver, MTU, offloads at the hosts, at port a, at port b
CASES = {
    "tap": ("tap", 1500, True, None, None),
    "tap-plain": ("tap", 1500, False, "none", "none"),
    "tap-cut": ("tap", 1500, True, None, "none"),  # long packets in at a are cut by Weir for b
    "tap-jumbo": ("tap", 9000, True, None, None),
    "packet": ("packet", 1500, True, None, None),
    "packet-plain": ("packet", 1500, False, "none", "none"),
    "packet-cut": ("packet", 1500, True, None, ["rx-csum", "lro"]),
    "packet-immediate": ("packet", 1500, True, None, None),
    "packet-jumbo": ("packet", 9000, True, None, None),
    "xdp": ("xdp", 1500, False, None, None),
    "xdp-jumbo": ("xdp", 9000, False, None, None),
    "tap-2-lcores": ("tap", 1500, True, None, None),
    "packet-2-lcores": ("packet", 1500, True, None, None),
    "tap-ip6": ("tap", 1500, True, None, None),
    "tap-ip6-cut": ("tap", 1500, True, None, "none"),
    "packet-ip6": ("packet", 1500, True, None, None),
    "tap-removed": ("tap", 1500, True, None, None),
    "packet-removed": ("packet", 1500, True, None, None),
    "xdp-removed": ("xdp", 1500, False, None, None),
    "xdp-killed": ("xdp", 1500, False, None, None),
    "tap-to-xdp": (("tap", "xdp"), 1500, (True, False), None, None),
}

def switch_offloads(host, ifname, on):
    for feature in OFFLOADS:
        subprocess.run(inside(host, "ethtool", "-K", ifname, feature, "on" if on else "off"),
                       capture_output=True, timeout=20)


class Network:
    """The hosts, Weir between them; gone when it is left."""

    def __init__(self, weir, case, where, verbose):
        self.verbose = verbose
        self.ip6 = "-ip6" in case
        self.options = ",immediate" if case.endswith("-immediate") else ""
        self.hosts = HOSTS6 if self.ip6 else HOSTS
        drivers, self.mtu, hosts, *ports = CASES[case]
        self.drivers = dict(zip("ab", (drivers, drivers) if isinstance(drivers, str) else drivers))
        hosts = dict(zip("ab", hosts if isinstance(hosts, tuple) else (hosts, hosts)))
        for host in HOSTS:
            netns.run("ip", "netns", "add", host)
            for conf in "all", "default":
                netns.run(*inside(host, "sysctl", "-qw", f"net.ipv6.conf.{conf}.accept_dad=0",
                                  f"net.ipv6.conf.{conf}.disable_ipv6={0 if self.ip6 else 1}"))
            netns.run("ip", "-n", host, "link", "set", "lo", "up")
            if self.drivers[host] != "tap":
                self.cable(host)
        self.start(weir, where, dict(zip("ab", ports)), 2 if case.endswith(("-2-lcores", "-pairs")) else 1)
        for host in HOSTS:
            if self.drivers[host] == "tap":
                netns.run("ip", "link", "set", "w" + host, "netns", host, "name", "e0")
            self.address(host, hosts[host])

    def cable(self, host):
        name, mtu = "w" + host, str(self.mtu)
        netns.run("ip", "link", "add", name, "mtu", mtu, "type", "veth", "peer", "name", "e0", "mtu", mtu,
                  "netns", host)
        netns.run("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
        netns.run("ip", "link", "set", name, "up")
        netns.run("ip", "-n", host, "link", "set", "e0", "up")

    def address(self, host, offloads):
        switch_offloads(host, "e0", offloads)
        netns.run("ip", "-n", host, "link", "set", "e0", "up", "mtu", str(self.mtu))
        netns.run("ip", "-n", host, "addr", "add", self.hosts[host] + ("/64" if self.ip6 else "/24"), "dev", "e0")
        if not self.ip6:
            netns.run("ip", "-n", host, "route", "add", "default", "via", ROUTER[host])

    def start(self, weir, where, offloads, lcores):
        lines = ["version: 1", f"function: {'patch' if self.ip6 else 'router'}", f"lcores: {lcores}"]
        lines += ["patches: [{from: a, to: b}, {from: b, to: a}]"] if self.ip6 else []
        lines += ["ports:"]
        for host in HOSTS:
            words = [f'device: "{self.drivers[host]}:w{host}{self.options}"', f"mtu: {self.mtu}"]
            if not self.ip6:
                words.append(f"addresses: [{ROUTER[host]}/24]")
            if offloads[host]:
                words.append(f"offloads: {json.dumps(offloads[host])}")
            lines.append(f"  {host}: {{{', '.join(words)}}}")
        config = pathlib.Path(where, "router.yaml")
        config.write_text("\n".join(lines) + "\n")
        self.log = open(pathlib.Path(where, "log"), "w+")
        self.weir = subprocess.Popen([weir, "run", config, "--json"], stdout=subprocess.PIPE,
                                     stderr=self.log, text=True)
        if "tap" in self.drivers.values():
            have = [f"w{h}" for h in HOSTS if self.drivers[h] == "tap"]
            wait_for("Weir's interfaces", lambda: self.alive() and all(
                pathlib.Path("/proc/net/dev").read_text().find(name + ":") >= 0 for name in have))

    def alive(self):
        if self.weir.poll() is not None:
            self.log.seek(0)
            raise Failure(f"weir ended: {self.log.read().strip()}")
        return True

    def stop(self):
        self.weir.send_signal(signal.SIGINT)
        out, _ = self.weir.communicate(timeout=20)
        self.log.seek(0)
        need(self.weir.returncode == 0, f"weir exits {self.weir.returncode}: {self.log.read().strip()}")
        return json.loads(out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.weir.poll() is None:
            self.weir.kill()
            self.weir.wait()
        self.log.close()
        for host in HOSTS:
            subprocess.run(["ip", "link", "del", "w" + host], capture_output=True)
            subprocess.run(["ip", "netns", "del", host], check=True, timeout=20)
        # The kernel takes its time to take namespaces down.
        time.sleep(0.2)


def check_figures(case, net, figures):
    need(figures["accounting"]["balanced"], "the books do not balance")
    for name, port in figures["ports"].items():
        for counter in LOST:
            lost = port["counters"].get(counter, 0)
            need(not lost, f"port {name}: {counter} is {lost}")
    mean = {n: p["tx"]["bytes"] / max(1, p["tx"]["packets"]) for n, p in figures["ports"].items()}
    cut = figures["ports"]["b"]["counters"].get("sw-segmented", 0)
    if case in ("tap", "packet", "packet-immediate", "tap-ip6", "packet-ip6"):
        need(mean["b"] > 2 * net.mtu, f"long packets do not pass whole: {mean['b']:.0f} bytes a packet")
    if case.endswith("-cut") or case == "tap-to-xdp":
        need(cut > 0, "nothing was segmented in software")
    if case.endswith("-plain") or net.drivers["b"] == "xdp":
        need(mean["b"] <= net.mtu + 18, f"{mean['b']:.0f} bytes a packet without offloads")
    return f"{mean['b']:.0f} bytes a packet sent by b, {cut} segmented in software"


def first_ping(net):
    wait_for("a ping", lambda: net.alive() and
             in_host("a", "ping", "-c", "1", "-W", "1", net.hosts["b"]).returncode == 0, 20)


def removed(net):
    """Interface a is deleted and made again, under traffic; how long until it answers."""
    pinging = subprocess.Popen(inside("a", "ping", "-q", "-i", "0.01", net.hosts["b"]),
                               stdout=subprocess.DEVNULL)
    where = ["ip", "-n", "a"] if net.drivers["a"] == "tap" else ["ip"]
    netns.run(*where, "link", "del", "e0" if net.drivers["a"] == "tap" else "wa")
    pinging.kill()
    pinging.wait()
    time.sleep(0.3)
    net.alive()
    if net.drivers["a"] == "tap":
        netns.run("ip", "tuntap", "add", "dev", "wa", "mode", "tap")
        netns.run("ip", "link", "set", "wa", "up")
        time.sleep(1.2)  # it is attached to here; then it moves
        netns.run("ip", "link", "set", "wa", "netns", "a", "name", "e0")
    else:
        net.cable("a")
    began = time.monotonic()
    net.address("a", net.drivers["a"] != "xdp")
    first_ping(net)
    took = time.monotonic() - began
    ping(net, net.mtu - 28, 5)
    figures = net.stop()
    need(figures["accounting"]["balanced"], "the books do not balance")
    lost = figures["ports"]["a"]["counters"]["device-lost"]
    need(lost == 1, f"device-lost is {lost}, expected 1")
    return f"answers again, {took * 1000:.0f} ms after its interface is there and has an address"


def killed(net, weir, where):
    net.weir.kill()
    net.weir.wait()
    wait_for("the program is off", lambda: "xdp" not in netns.run("ip", "link", "show", "wa"), 5)
    net.start(weir, where, {"a": None, "b": None}, 1)
    first_ping(net)
    net.stop()
    return "nothing remains of a killed Weir, and the next one answers"


def run_case(weir, case, verbose):
    with tempfile.TemporaryDirectory() as where, Network(weir, case, where, verbose) as net:
        first_ping(net)
        if case.endswith("-removed"):
            return removed(net)
        if case.endswith("-killed"):
            return killed(net, weir, where)
        ping(net, 56, 5)
        ping(net, net.mtu - (48 if net.ip6 else 28), 5)
        said = []
        for direction, options in (("tcp a>b", ()), ("tcp b>a", ("-R",)),
                                   ("udp a>b", ("-u", "-b", "50M")), ("udp b>a", ("-u", "-b", "50M", "-R"))):
            rate, lost = iperf(net, "b", "a", *options)
            said.append(f"{direction} {rate:.0f} Mbit/s" + (f" ({lost:.1f}% lost)" if lost else ""))
        said.append(segments(net, "a", "b"))
        segments(net, "b", "a")
        check_checksums(net, 0)
        bad_checksum(net, "a", "b")
        bad_checksum(net, "b", "a")
        check_checksums(net, 1)
        net.alive()
        figures = net.stop()
        said.append(check_figures(case, net, figures))
    return ", ".join(said)


def missing_tools():
    return [tool for tool in ("ip", "ethtool", "iperf3", "nstat", "ping", "ss") if not shutil.which(tool)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-v", action="store_true")
    parser.add_argument("weir")
    parser.add_argument("case", nargs="*")
    args = parser.parse_args()
    unknown = [c for c in args.case if c not in CASES]
    if unknown:
        parser.error(f"no case {', '.join(unknown)}: there are {', '.join(CASES)}")
    args.weir = str(pathlib.Path(args.weir).resolve())
    sys.argv[1:] = [args.weir] + (["-v"] if args.v else []) + args.case
    netns.enter(580)
    tools = missing_tools()
    if tools:
        netns.skip(f"needs the commands {', '.join(tools)} (apt-get install iproute2 ethtool iperf3 iputils-ping)")
    if not pathlib.Path("/dev/net/tun").exists():
        netns.skip("needs /dev/net/tun (modprobe tun)")
    failed = 0
    for case in args.case or CASES:
        try:
            print(f"linux_host {case}: {run_case(args.weir, case, args.v)}", flush=True)
        except (Failure, RuntimeError, subprocess.TimeoutExpired) as e:
            print(f"FAIL {case}: {e}", flush=True)
            failed += 1
    count = len(args.case or CASES)
    print(f"linux_host: {count - failed} of {count} cases pass")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
