#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""linux_dhcp.py - Weir gets its address and default route from dnsmasq, and answers what Linux asks

Usage: linux_dhcp.py WEIR     (root; dnsmasq)

Two namespaces are hosts of a router that `weir run` is: in `up` dnsmasq gives Weir the only address there
is, with `up` as default router; `down` has a static one. `down` pings an address that only the default
route leads to; `up` pings Weir in fragments and with record route and timestamp options (ping -R, -T),
and asks its UDP echo service. When dnsmasq forgets the lease and has another address, Weir's renewal is
refused, and it takes the new one.
"""

import pathlib
import signal
import subprocess
import sys
import tempfile

import netns
from linux_traffic import Failure, in_host, inside, need, wait_for

CONFIG = """
version: 1
function: router
services: {echo: 7}
ports:
  up: {device: "tap:wup", addresses: dhcp}
  down: {device: "tap:wdown", addresses: [198.51.100.1/24]}
"""


def dnsmasq(where, address):
    return subprocess.Popen(
        inside("up", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=e0",
               "--bind-interfaces", f"--dhcp-range={address},{address},2m", "--dhcp-authoritative",
               f"--dhcp-leasefile={where}/leases-{address}", "--dhcp-option=58,3", "--no-ping",
               f"--pid-file={where}/pid", "--user=root"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def add_host(name, address):
    wait_for("Weir's interface " + name, lambda: f"w{name}:" in pathlib.Path("/proc/net/dev").read_text())
    netns.run("ip", "netns", "add", name)
    netns.run("ip", "link", "set", "w" + name, "netns", name, "name", "e0")
    netns.run("ip", "-n", name, "link", "set", "lo", "up")
    netns.run("ip", "-n", name, "addr", "add", address, "dev", "e0")
    netns.run("ip", "-n", name, "link", "set", "e0", "up")


def ping(host, address, *options):
    return subprocess.run(inside(host, "ping", "-n", "-c", "1", "-W", "1", *options, address),
                          capture_output=True, text=True, check=False).stdout


def answers(host, address, *options):
    return ", 1 received" in ping(host, address, *options)


def talk(where):
    server = dnsmasq(where, "203.0.113.50")
    try:
        wait_for("the first lease", lambda: answers("up", "203.0.113.50"), 20)
        netns.run("ip", "-n", "up", "route", "add", "198.51.100.0/24", "via", "203.0.113.50")
        need(answers("down", "192.0.2.1"), "no ping by the default route")
        need(answers("up", "203.0.113.50", "-s", "4000"), "no ping in fragments")
        route = ping("up", "203.0.113.50", "-R")
        need("RR:" in route and "203.0.113.50" in route.split("RR:")[1], f"ping -R: {route}")
        need("TS:" in ping("up", "203.0.113.50", "-T", "tsandaddr"), "ping -T")
        echo = in_host("up", "bash", "-c", "exec 3<>/dev/udp/203.0.113.50/7; echo hello >&3; timeout 2 head -c 6 <&3")
        need("hello" in str(echo), f"UDP echo: {echo}")
    finally:
        server.terminate()
        server.wait()
    server = dnsmasq(where, "203.0.113.60")
    try:
        wait_for("the second lease", lambda: answers("up", "203.0.113.60"), 20)
        need(not answers("up", "203.0.113.50"), "the first address is still there")
    finally:
        server.terminate()
        server.wait()


def main():
    netns.enter(60)
    weir = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as where:
        config = pathlib.Path(where, "router.yaml")
        config.write_text(CONFIG)
        with open(pathlib.Path(where, "log"), "w+") as log:
            run = subprocess.Popen([weir, "run", config], stdout=log, stderr=log)
            try:
                add_host("up", "203.0.113.2/24")
                netns.run("ip", "-n", "up", "addr", "add", "192.0.2.1/32", "dev", "lo")
                add_host("down", "198.51.100.10/24")
                netns.run("ip", "-n", "down", "route", "add", "default", "via", "198.51.100.1")
                talk(where)
            except Failure as failure:
                log.seek(0)
                print(f"{failure}\n{log.read()[-2000:]}")
                return 1
            finally:
                run.send_signal(signal.SIGINT)
                run.wait(10)
                for host in ("up", "down"):
                    subprocess.run(["ip", "netns", "del", host], check=False, stderr=subprocess.DEVNULL)
    print("linux_dhcp: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
