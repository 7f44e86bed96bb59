#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""linux_nd.py - neighbor discovery between Weir and Linux hosts, each side judged by the other

Usage: linux_nd.py WEIR     (root)

Three network namespaces are hosts around a router that `weir run` is:

  a  gives itself an address by Weir's router advertisements (SLAAC) and takes Weir as its default router,
  b  has addresses of its own,
  c  has the address that Weir is configured with there: Weir finds the duplicate, says so, and leaves it.

Then a and b ping each other, in small packets and the largest; b moves to another MAC address, and says so
(an unsolicited advertisement); an address of b's goes away under traffic: Weir finds that it does not
answer, reports it to a, and finds it again when it is back. At the end Weir tells a that it goes.
"""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import netns
from linux_traffic import Failure, in_host, inside, need, wait_for

CONFIG = """
version: 1
function: router
nd: {reachable: 1}
ports:
  a: {device: "packet:wa", addresses: ["2001:db8:a::1/64"], ra: {interval: 4, lifetime: 60}}
  b: {device: "tap:wb", addresses: ["2001:db8:b::1/64"]}
  c: {device: "tap:wc", addresses: ["2001:db8:c::1/64"]}
"""
OWN = {"a": [], "b": ["2001:db8:b::2", "2001:db8:b::3"], "c": ["2001:db8:c::1"]}


class Net:
    def __init__(self, weir, where):
        config = pathlib.Path(where, "router.yaml")
        config.write_text(CONFIG)
        self.log = open(pathlib.Path(where, "log"), "w+")
        netns.run("ip", "netns", "add", "a")  # a cable, which is still there when Weir has gone
        netns.run("ip", "link", "add", "wa", "type", "veth", "peer", "name", "e0", "netns", "a")
        netns.run("sysctl", "-qw", "net.ipv6.conf.wa.disable_ipv6=1")
        netns.run("ip", "link", "set", "wa", "up")
        self.weir = subprocess.Popen([weir, "run", config, "--json"], stdout=subprocess.PIPE, stderr=self.log,
                                     text=True)

    def add_hosts(self):
        interfaces = pathlib.Path("/proc/net/dev")
        wait_for("Weir's interfaces",
                 lambda: self.alive() and all(f"w{host}:" in interfaces.read_text() for host in OWN))
        for host, addresses in OWN.items():
            self.add_host(host, addresses)

    def add_host(self, host, addresses):
        if host != "a":
            netns.run("ip", "netns", "add", host)
            netns.run("ip", "link", "set", "w" + host, "netns", host, "name", "e0")
        netns.run(*inside(host, "sysctl", "-qw", f"net.ipv6.conf.e0.accept_ra={int(host == 'a')}",
                          "net.ipv6.conf.e0.ndisc_notify=1"))
        netns.run("ip", "-n", host, "link", "set", "lo", "up")
        for address in addresses:
            netns.run("ip", "-n", host, "addr", "add", address + "/64", "dev", "e0", "nodad")
        netns.run("ip", "-n", host, "link", "set", "e0", "up")
        if host == "b":
            netns.run("ip", "-n", host, "route", "add", "default", "via", "2001:db8:b::1")

    def log_text(self):
        return pathlib.Path(self.log.name).read_text()

    def alive(self):
        need(self.weir.poll() is None, f"weir ended: {self.log_text().strip()}")
        return True

    def stop(self):
        self.weir.send_signal(signal.SIGINT)
        out, _ = self.weir.communicate(timeout=20)
        need(self.weir.returncode == 0, f"weir exits {self.weir.returncode}: {self.log_text().strip()}")
        return json.loads(out)

    def close(self):
        if self.weir.poll() is None:
            self.weir.kill()
            self.weir.wait()
        self.log.close()


def global_address():
    """Host a's, once its own duplicate address detection has ended."""
    for link in json.loads(netns.run("ip", "-n", "a", "-j", "-6", "addr", "show", "dev", "e0")):
        for address in link.get("addr_info", []):
            if address["scope"] == "global" and not address.get("tentative"):
                return address["local"]
    return None


def default_routes():
    return json.loads(netns.run("ip", "-n", "a", "-j", "-6", "route", "show", "default"))


def answers(host, address, *options):
    return in_host(host, "ping", "-6", "-c", "1", "-W", "1", *options, address).returncode == 0


def check_slaac():
    wait_for("an address by SLAAC", global_address)
    routes = default_routes()
    need(len(routes) == 1 and routes[0]["protocol"] == "ra" and routes[0]["gateway"].startswith("fe80::"),
         f"host a's default route: {routes}")
    return global_address()


def check_pings(a):
    wait_for("a ping from a to b", lambda: answers("a", "2001:db8:b::2"))
    for host, address in ("a", "2001:db8:b::2"), ("b", a), ("a", "2001:db8:a::1"):
        need(answers(host, address), f"{host} does not reach {address}")
        need(answers(host, address, "-M", "do", "-s", "1452"), f"1,500 bytes from {host} do not reach {address}")


def check_duplicate(net):
    wait_for("Weir tells of the duplicate",
             lambda: "c: another station has the address 2001:db8:c::1" in net.log_text(), 4)
    need(not answers("a", "2001:db8:c::1"), "Weir answers from an address that is not its own alone")
    need(in_host("c", "ip", "-6", "addr", "show", "dev", "e0").stdout.find("dadfailed") < 0,
         "host c lost the address that it had first")


def check_move():
    netns.run("ip", "-n", "b", "link", "set", "e0", "address", "02:00:00:00:0b:0b")
    wait_for("b, moved to another MAC address, is reached", lambda: answers("a", "2001:db8:b::2"), 3)


class Failing:
    """2001:db8:b::3 goes away while a sends to it; done() when a has been told."""

    def __init__(self):
        need(answers("a", "2001:db8:b::3"), "b's other address does not answer")
        netns.run("ip", "-n", "b", "addr", "del", "2001:db8:b::3/64", "dev", "e0")
        self.pinging = subprocess.Popen(inside("a", "ping", "-6", "-i", "0.25", "-w", "16", "2001:db8:b::3"),
                                        stdout=subprocess.PIPE, text=True)

    def done(self):
        for line in self.pinging.stdout:
            if "Address unreachable" in line:
                need("2001:db8:a::1" in line, f"reported by another than the router: {line}")
                self.pinging.kill()
                self.pinging.wait()
                return
        raise Failure("nobody told a that b's address is gone")

    @staticmethod
    def back():
        netns.run("ip", "-n", "b", "addr", "add", "2001:db8:b::3/64", "dev", "e0", "nodad")
        wait_for("b's address is reached again", lambda: answers("a", "2001:db8:b::3"), 5)


def check_end(net):
    figures = net.stop()
    need(figures["accounting"]["balanced"], "the books do not balance")
    wait_for("a knows that its router has gone", lambda: not default_routes(), 2)
    drops = figures["drops"]
    need(drops.get("nd-input.duplicate-address", 0) > 0, f"the duplicate is not counted: {drops}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    netns.enter(60)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as where:
        net = Net(sys.argv[1], where)
        try:
            net.add_hosts()
            a = check_slaac()
            check_pings(a)
            failing = Failing()
            check_duplicate(net)
            check_move()
            failing.done()
            failing.back()
            check_end(net)
        except Failure as failure:
            print(f"FAIL: {failure}\n{net.log_text()}")
            sys.exit(1)
        finally:
            net.close()
    print(f"passed: SLAAC, pings both ways, duplicate, move, failure and return, farewell "
          f"({time.monotonic() - began:.1f} s)")


if __name__ == "__main__":
    main()
