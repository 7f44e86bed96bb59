#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""linux_l2.py - VLANs, a bridge and a port group of Weir between Linux hosts; Linux and Open vSwitch judge

Usage: linux_l2.py WEIR [CASE...]     (root; without a CASE all of them)

Hosts are network namespaces, their interface e0. Weir's ports are taps.

  tags      A trunk goes to an Open vSwitch (its userland datapath), which puts three hosts under VLAN 100,
            VLAN 30 in S-VLAN 200, and VLAN 300, by its own tagging. The first two are routed, the third is
            bridged with host d, which has no tag; the bridge has an address. Ping with the smallest and the
            largest packet between all, IPv6 between a VLAN and the bridge, and TCP.
  switch    A bridge of three ports without any address: ARP, ping and TCP between two hosts pass, long
            packets stay whole, and the third host sees none of it but what is flooded.
  group     Two cables to one host, whose own bridge has them as isolated ports: what comes by either is
            the group's, flows leave by both; a cable is cut under traffic, and everything goes by the other.
  lcores    As switch, on two lcores.

The books must balance in every case. How fast it was is printed, and decides nothing.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import netns
from linux_traffic import Failure, in_host, inside, iperf, need, wait_for

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
OFFLOADS = "tx off tso off gso off gro off"

# The switch sends and receives by raw sockets: Linux lets those have a C-tag beyond the MTU, but no S-tag,
# and gives them long packets whole, which the switch cannot take.
TAGS = """
version: 1
function: router
ports:
  x: {device: "tap:wx", mtu: 1508, offloads: none}
  a: {device: "tap:wa", addresses: [10.1.0.1/24]}
  d: {device: "tap:wd"}
interfaces:
  x.100: {port: x, vlan: 100, mtu: 1500, addresses: [10.100.0.1/24, "fd00:100::1/64"]}
  x.q: {port: x, vlan: [200, 30], mtu: 1500, addresses: [10.200.0.1/24]}
  x.300: {port: x, vlan: 300, mtu: 1500}
  br0: {bridge: [d, x.300], addresses: [10.3.0.1/24, "fd00:3::1/64"]}
"""
SWITCH = """
version: 1
function: router
lcores: %d
ports: {a: {device: "tap:wa"}, b: {device: "tap:wb"}, c: {device: "tap:wc"}}
interfaces: {br0: {bridge: [a, b, c]}}
"""
GROUP = """
version: 1
function: router
ports:
  g1: {device: "tap:wg1"}
  g2: {device: "tap:wg2"}
  a: {device: "tap:wa", addresses: [10.1.0.1/24]}
interfaces:
  bond0: {group: [g1, g2], addresses: [10.4.0.1/24]}
"""


class Net:
    """Weir and the hosts; gone when it is left."""

    def __init__(self, weir, config, where):
        self.where = where
        self.hosts = {}
        self.children = []
        pathlib.Path(where, "weir.yaml").write_text(config)
        self.log = open(pathlib.Path(where, "log"), "w+")
        self.program, self.socket = weir, f"{where}/ctl"
        self.weir = subprocess.Popen([weir, "run", pathlib.Path(where, "weir.yaml"), "--json", "--control", self.socket],
                                     stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.children.append(self.weir)
        for line in config.split('"tap:')[1:]:
            name = line.split('"')[0]
            wait_for(f"interface {name}", lambda: self.alive() and
                     f"{name}:" in pathlib.Path("/proc/net/dev").read_text())
            netns.run("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")

    def alive(self):
        if self.weir.poll() is not None:
            self.log.seek(0)
            raise Failure(f"weir ended: {self.log.read().strip()}")
        return True

    def host(self, name, address):
        """Namespace `name`; its interface comes later."""
        self.hosts[name] = address
        netns.run("ip", "netns", "add", name)
        for conf in "all", "default":
            netns.run(*inside(name, "sysctl", "-qw", f"net.ipv6.conf.{conf}.accept_dad=0"))
        netns.run("ip", "-n", name, "link", "set", "lo", "up")

    def up(self, name, router=None):
        netns.run("ip", "-n", name, "link", "set", "e0", "up")
        netns.run("ip", "-n", name, "addr", "add", self.hosts[name] + "/24", "dev", "e0")
        if router:
            netns.run("ip", "-n", name, "route", "add", "default", "via", router)

    def up6(self, name, address, router):
        netns.run("ip", "-n", name, "addr", "add", address + "/64", "dev", "e0")
        netns.run("ip", "-n", name, "route", "add", "default", "via", router)

    def tap_host(self, name, address, router=None):
        self.host(name, address)
        netns.run("ip", "link", "set", "w" + name, "netns", name, "name", "e0")
        self.up(name, router)

    def veth_host(self, name, address, router=None):
        """A host whose cable ends at the switch, as interface s-NAME, and sends real frames."""
        self.host(name, address)
        netns.run("ip", "link", "add", "s-" + name, "type", "veth", "peer", "name", "e0", "netns", name)
        netns.run("sysctl", "-qw", f"net.ipv6.conf.s-{name}.disable_ipv6=1")
        netns.run("ethtool", "-K", "s-" + name, *OFFLOADS.split())
        netns.run(*inside(name, "ethtool", "-K", "e0", *OFFLOADS.split()))
        netns.run("ip", "link", "set", "s-" + name, "up")
        self.up(name, router)

    def ping(self, host, to, size, count=3):
        done = in_host(host, "ping", "-c", str(count), "-i", "0.02", "-W", "2", "-M", "do", "-s", str(size), to)
        need(f" {count} received" in done.stdout, f"{host} pings {to} with {size} bytes: {done.stdout[-300:]}")

    def first_ping(self, host, to):
        wait_for(f"{host} pings {to}", lambda: self.alive() and
                 in_host(host, "ping", "-c", "1", "-W", "1", to).returncode == 0, 20)

    def sees(self, host, dev="e0"):
        """Packets the host has received."""
        link = json.loads(netns.run("ip", "-n", host, "-s", "-j", "link", "show", dev))
        return link[0]["stats64"]["rx"]["packets"]

    def ctl(self, *words):
        done = subprocess.run([self.program, "ctl", self.socket, *words], capture_output=True, text=True, timeout=20)
        need(done.returncode == 0, f"weir ctl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def stop(self):
        self.weir.send_signal(signal.SIGINT)
        out, _ = self.weir.communicate(timeout=20)
        self.log.seek(0)
        need(self.weir.returncode == 0, f"weir exits {self.weir.returncode}: {self.log.read().strip()}")
        figures = json.loads(out)
        need(figures["accounting"]["balanced"], "the books do not balance")
        return figures

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            if child.poll() is None:
                child.kill()
                child.wait()
        self.log.close()
        for name in self.hosts:
            subprocess.run(["ip", "netns", "del", name], check=True, timeout=20)
        time.sleep(0.2)  # the kernel takes its time to take namespaces down


class Switch:
    """Open vSwitch, whose port 1 is the trunk."""

    def __init__(self, net, trunk):
        self.net = net
        self.folder = net.where
        self.env = dict(os.environ, OVS_RUNDIR=self.folder, OVS_LOGDIR=self.folder, OVS_DBDIR=self.folder,
                        OVS_SYSCONFDIR=self.folder)
        database = f"{self.folder}/conf.db"
        self.run("ovsdb-tool", "create", database, SCHEMA)
        self.start("ovsdb-server", database, f"--remote=punix:{self.folder}/db.sock")
        wait_for("ovsdb-server", lambda: os.path.exists(f"{self.folder}/db.sock"))
        self.vsctl("--no-wait", "init")
        self.vsctl("--no-wait", "set", "Open_vSwitch", ".", "other_config:vlan-limit=2")
        self.start("ovs-vswitchd", f"unix:{self.folder}/db.sock")
        self.vsctl("add-br", "sw", "--", "set", "bridge", "sw", "datapath_type=netdev", "fail-mode=secure")
        netns.run("ip", "link", "set", trunk, "up")
        self.vsctl("add-port", "sw", trunk, "--", "set", "Interface", trunk, "ofport_request=1")

    def run(self, *words):
        done = subprocess.run(words, env=self.env, capture_output=True, text=True, timeout=30)
        need(done.returncode == 0, f"{' '.join(words)}: {done.stderr.strip()}")

    def start(self, name, *args):
        with open(f"{self.folder}/{name}.log", "w") as log:
            self.net.children.append(subprocess.Popen(
                [name, *args, f"--unixctl={self.folder}/{name}.ctl"], env=self.env, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log))

    def vsctl(self, *args):
        self.run("ovs-vsctl", f"--db=unix:{self.folder}/db.sock", "--timeout=20", *args)

    def flow(self, match, actions):
        self.run("ovs-ofctl", "-O", "OpenFlow13", "add-flow", f"unix:{self.folder}/sw.mgmt",
                 f"{match},actions={actions}")

    def access(self, port, host, tags):
        """Host `host` at port number `port`: what it sends goes under these tags, outer last."""
        self.vsctl("add-port", "sw", "s-" + host, "--", "set", "Interface", "s-" + host, f"ofport_request={port}")
        push = [f"push_vlan:{tpid},set_field:{4096 + vid}->vlan_vid" for tpid, vid in tags]
        self.flow(f"in_port={port}", ",".join(push + ["output:1"]))
        for table, (_, vid) in enumerate(reversed(tags)):
            then = f"output:{port}" if table + 1 == len(tags) else f"goto_table:{table + 1}"
            self.flow(f"table={table},in_port=1,dl_vlan={vid}", f"pop_vlan,{then}")


def tags(net):
    switch = Switch(net, "wx")
    net.tap_host("a", "10.1.0.2", "10.1.0.1")
    net.tap_host("d", "10.3.0.2", "10.3.0.1")
    net.veth_host("v", "10.100.0.2", "10.100.0.1")
    net.veth_host("q", "10.200.0.2", "10.200.0.1")
    net.veth_host("e", "10.3.0.3", "10.3.0.1")
    switch.run("ovs-ofctl", "-O", "OpenFlow13", "mod-port", f"unix:{net.where}/sw.mgmt", "wx", "up")
    switch.access(2, "v", [("0x8100", 100)])
    switch.access(3, "q", [("0x8100", 30), ("0x88a8", 200)])
    switch.access(4, "e", [("0x8100", 300)])
    for host, to, size in (("v", "10.100.0.1", 1472), ("q", "10.200.0.1", 1472), ("v", "10.200.0.2", 1472),
                           ("a", "10.100.0.2", 1472), ("q", "10.1.0.2", 1472), ("e", "10.3.0.2", 1472),
                           ("d", "10.3.0.3", 1472), ("d", "10.3.0.1", 1472), ("e", "10.3.0.1", 1472),
                           ("e", "10.200.0.2", 1472), ("a", "10.3.0.3", 1472), ("a", "10.3.0.2", 1472)):
        net.first_ping(host, to)
        net.ping(host, to, 0)
        net.ping(host, to, size)
    for host, net6 in (("v", "fd00:100::"), ("e", "fd00:3::")):
        net.up6(host, net6 + "2", net6 + "1")
    net.first_ping("e", "fd00:100::2")
    for host, to in (("e", "fd00:3::1"), ("v", "fd00:3::2"), ("e", "fd00:100::2")):
        net.ping(host, to, 1452)
    said = [f"tcp {client}>{server} {iperf(net, server, client)[0]:.0f} Mbit/s"
            for client, server in (("a", "v"), ("a", "q"), ("d", "e"))]
    shown = json.loads(net.ctl("port", "show", "x.100", "--json"))
    need(len(shown) == 1 and shown[0]["admin"] == "up" and shown[0]["rx_packets"] > 0, f"port show x.100: {shown}")
    net.ctl("port", "down", "x.100")
    need("x.100: down" in net.ctl("port", "show"), "port show does not say that x.100 is down")
    need(in_host("v", "ping", "-c", "1", "-W", "0.3", "10.100.0.1").returncode != 0, "x.100 is down, and answers")
    net.ping("q", "10.200.0.1", 56)
    net.ctl("port", "up", "x.100")
    net.ping("v", "10.100.0.1", 56)
    figures = net.stop()
    need(figures["drops"].get("eth-input.vlan-unconfigured", 0) == 0, "tags were not known")
    need(figures["drops"].get("eth-input.interface-down", 0) > 0, "nothing was dropped while x.100 was down")
    for name in "x:100", "x:q", "x:300", "br0":
        seen = figures["interfaces"][name]
        need(seen["rx"]["packets"] > 10 and seen["tx"]["packets"] > 10, f"{name} counted {seen}")
    need(figures["interfaces"]["br0"]["stations"] == 2, "the bridge knows two stations")
    return ", ".join(said)


def switch(net):
    for name, last in zip("abc", (2, 3, 4)):
        net.tap_host(name, f"10.9.0.{last}")
    net.first_ping("a", net.hosts["b"])
    net.ping("a", net.hosts["b"], 56)
    net.ping("b", net.hosts["a"], 1472)
    net.ping("c", net.hosts["a"], 1472)
    before = net.sees("c")
    there, _ = iperf(net, "b", "a")
    back, _ = iperf(net, "b", "a", "-R")
    udp, lost = iperf(net, "b", "a", "-u", "-b", "50M")
    # At most what is flooded: ARP, and what two lcores did not know yet.
    need(net.sees("c") - before < 100, f"host c saw {net.sees('c') - before} packets that were not for it")
    figures = net.stop()
    mean = figures["ports"]["b"]["tx"]["bytes"] / figures["ports"]["b"]["tx"]["packets"]
    need(mean > 3000, f"long packets do not pass whole: {mean:.0f} bytes a packet")
    return f"tcp a>b {there:.0f} Mbit/s, b>a {back:.0f} Mbit/s, udp {udp:.0f} Mbit/s ({lost:.1f}% lost)"


def group(net):
    net.tap_host("a", "10.1.0.2", "10.1.0.1")
    net.host("g", "10.4.0.2")
    netns.run("ip", "-n", "g", "link", "add", "name", "e0", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
    for cable in "g1", "g2":
        netns.run("ip", "link", "set", "w" + cable, "netns", "g", "name", cable)
        netns.run("ip", "-n", "g", "link", "set", cable, "up", "master", "e0")
        netns.run(*inside("g", "bridge", "link", "set", "dev", cable, "isolated", "on"))
    net.up("g", "10.4.0.1")
    net.first_ping("a", net.hosts["g"])
    net.ping("a", net.hosts["g"], 1472)
    before = [net.sees("g", cable) for cable in ("g1", "g2")]
    iperf(net, "g", "a", "-P", "16")  # connections, each a flow
    got = [net.sees("g", cable) - b for cable, b in zip(("g1", "g2"), before)]
    need(min(got) > 50, f"flows do not use both cables: {got} packets")
    pinging = subprocess.Popen(inside("a", "ping", "-q", "-c", "200", "-i", "0.01", "-W", "1", net.hosts["g"]),
                               stdout=subprocess.PIPE, text=True)
    netns.run("ip", "-n", "g", "link", "set", "g1", "down")
    out, _ = pinging.communicate(timeout=20)
    received = int(out.split(" received")[0].split()[-1])
    need(received > 120, f"{received} of 200 pings with a cable cut")
    before = net.sees("g", "g2")
    iperf(net, "g", "a", "-P", "16")
    need(net.sees("g", "g2") - before > 50, "nothing goes by the cable that is left")
    netns.run("ip", "-n", "g", "link", "set", "g1", "up")
    net.first_ping("a", net.hosts["g"])
    net.stop()
    return f"{got[0]} and {got[1]} packets by the two cables, {received} of 200 pings with one cut meanwhile"


CASES = {"tags": (TAGS, tags), "switch": (SWITCH % 1, switch), "group": (GROUP, group), "lcores": (SWITCH % 2, switch)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weir")
    parser.add_argument("case", nargs="*")
    args = parser.parse_args()
    args.weir = str(pathlib.Path(args.weir).resolve())
    sys.argv[1:] = [args.weir] + args.case
    netns.enter(240)
    tools = [t for t in ("ip", "bridge", "ethtool", "iperf3", "ping", "ss", "ovs-vswitchd", "ovs-vsctl", "ovs-ofctl",
                         "ovsdb-tool", "ovsdb-server") if not shutil.which(t)]
    if tools:
        netns.skip(f"needs the commands {', '.join(tools)} (apt-get install iproute2 ethtool iperf3 iputils-ping "
                   "openvswitch-switch)")
    if not pathlib.Path("/dev/net/tun").exists():
        netns.skip("needs /dev/net/tun (modprobe tun)")
    failed = 0
    for case in args.case or CASES:
        config, run = CASES[case]
        began = time.monotonic()
        try:
            with tempfile.TemporaryDirectory() as where, Net(args.weir, config, where) as net:
                print(f"linux_l2 {case}: {run(net)} ({time.monotonic() - began:.1f} s)", flush=True)
        except (Failure, RuntimeError, subprocess.TimeoutExpired) as e:
            print(f"FAIL {case}: {e}", flush=True)
            failed += 1
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
