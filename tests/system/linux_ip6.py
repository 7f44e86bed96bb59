#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""linux_ip6.py - Weir routes IPv6 between Linux hosts; what they see of it, and of Weir, is judged by them

Usage: linux_ip6.py [CASE...] WEIR     (root; without a CASE all of them)

Hosts are network namespaces, Weir's ports their tap interfaces; c is behind b, which routes as well:

    a 2001:db8:1::2 --- 1500 --- Weir --- 1500 --- b 2001:db8:2::2 --- 1300 --- c 2001:db8:3::2
                                  +------ 1280 --- d 2001:db8:4::2

Cases: pings of sizes around every MTU, whole and in fragments, through Weir and to it; by link-local
address and to groups; traceroute; path MTU discovery by ping and by TCP, where the narrow link is
Weir's and where it is behind it; errors as Linux reads them. In the end Weir's books balance.
"""

import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import netns
from linux_traffic import Failure, in_host, inside, need, wait_for

PORTS = {"a": (1, 1500), "b": (2, 1500), "d": (4, 1280)}  # net and MTU of Weir's ports
HOSTS = ["a", "b", "c", "d"]
ADDRESS = {"a": "2001:db8:1::2", "b": "2001:db8:2::2", "c": "2001:db8:3::2", "d": "2001:db8:4::2"}
ROUTER = {name: f"2001:db8:{net}::1" for name, (net, _) in PORTS.items()}

# To an address and port, a datagram each with hop limit 1, 2, ...: prints who said what of it.
TRACE = """
import socket, struct, sys
for hops in range(1, 6):
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IPV6, 25, 1)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops)
    s.settimeout(2)
    s.connect((sys.argv[1], 33434 + hops))
    s.send(b"trace" * 8)
    try:
        s.recv(100)
    except OSError:
        pass
    _, said, _, _ = s.recvmsg(100, 512, 0x2000)
    for level, kind, data in said:
        if kind == 25:
            origin, what, code = data[4:7]
            print(socket.inet_ntop(socket.AF_INET6, data[24:40]), what, code)
            if what == 1:
                sys.exit(0)
"""

TCP_SEND = """
import socket, sys
s = socket.create_connection((sys.argv[1], 7777), 5)
s.sendall(bytes(range(256)) * 4096)
s.shutdown(socket.SHUT_WR)
print(s.recv(10).decode())
"""
TCP_RECEIVE = """
import socket
s = socket.create_server(("::", 7777), family=socket.AF_INET6)
print("ready", flush=True)
c, _ = s.accept()
c.settimeout(10)
got = b""
while data := c.recv(65536):
    got += data
c.sendall(b"same" if got == bytes(range(256)) * 4096 else b"other")
"""


def ip(host, *words):
    return netns.run("ip", "-n", host, *words)


class Network:
    def __init__(self, weir, where):
        for host in HOSTS:
            netns.run("ip", "netns", "add", host)
            for conf in "all", "default":
                netns.run(*inside(host, "sysctl", "-qw", f"net.ipv6.conf.{conf}.accept_dad=0",
                                  f"net.ipv6.conf.{conf}.accept_ra=0"))
            ip(host, "link", "set", "lo", "up")
        self.start(weir, where)
        for host, (_, mtu) in PORTS.items():
            netns.run("ip", "link", "set", "w" + host, "netns", host, "name", "e0")
            ip(host, "link", "set", "e0", "up", "mtu", str(mtu))
            ip(host, "addr", "add", ADDRESS[host] + "/64", "dev", "e0")
            ip(host, "route", "add", "default", "via", ROUTER[host])
        ip("b", "link", "add", "e1", "mtu", "1300", "type", "veth", "peer", "name", "e0", "mtu", "1300", "netns", "c")
        ip("b", "addr", "add", "2001:db8:3::1/64", "dev", "e1")
        ip("b", "link", "set", "e1", "up")
        ip("c", "addr", "add", ADDRESS["c"] + "/64", "dev", "e0")
        ip("c", "link", "set", "e0", "up")
        ip("c", "route", "add", "default", "via", "2001:db8:3::1")
        netns.run(*inside("b", "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"))

    def start(self, weir, where):
        lines = ["version: 1", "function: router", "routes:", '  - {to: "2001:db8:3::/64", via: "2001:db8:2::2"}', "ports:"]
        lines += [f'  {p}: {{device: "tap:w{p}", mtu: {mtu}, addresses: ["{ROUTER[p]}/64"]}}'
                  for p, (_, mtu) in PORTS.items()]
        config = pathlib.Path(where, "router.yaml")
        config.write_text("\n".join(lines) + "\n")
        self.log = open(pathlib.Path(where, "log"), "w+")
        self.weir = subprocess.Popen([weir, "run", config, "--json"], stdout=subprocess.PIPE, stderr=self.log, text=True)
        wait_for("Weir's interfaces", lambda: self.alive() and all(
            f"w{p}:" in pathlib.Path("/proc/net/dev").read_text() for p in PORTS))

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


def ping(host, to, size, *options):
    return in_host(host, "ping", "-6", "-c", "1", "-W", "2", "-s", str(size), *options, to).stdout


def need_answer(host, to, size, *options):
    said = ping(host, to, size, *options)
    need(f"{size + 8} bytes from" in said, f"{host} pings {to} with {size} bytes {' '.join(options)}: {said[-300:]}")


def sizes(net):
    for to, mtu in (("b", 1500), ("d", 1280), ("c", 1300)):
        for size in (0, 1, 7, 56, 512, mtu - 48 - 8, mtu - 48 - 1, mtu - 48):
            need_answer("a", ADDRESS[to], size, "-M", "do")
    for size in (1453, 1454, 1460, 2000, 2896, 2897, 9000, 65000):  # a fragments, b answers in fragments
        need_answer("a", ADDRESS["b"], size)
    for port in PORTS:  # Weir itself, also by its other addresses
        for size in (0, 1, 1231, 1232, 1233, 1452, 1453, 2999, 20000, 60000):
            need_answer("a", ROUTER[port], size)


def link_local(net):
    lladdr = json.loads(ip("a", "-j", "neigh", "show", ROUTER["a"]))[0]["lladdr"]
    mac = bytes.fromhex(lladdr.replace(":", ""))
    own = socket.inet_ntop(socket.AF_INET6, b"\xfe\x80" + bytes(6) + bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:])
    for size in (0, 1452, 1453, 5000):
        need_answer("a", own + "%e0", size)
    ip("a", "route", "replace", "default", "via", own, "dev", "e0")
    need_answer("a", ADDRESS["b"], 56)
    for group in ("ff02::1", "ff02::2"):  # from one of its own, by its link-local address
        said = ping("a", group + "%e0", 56, "-L")
        need(f"64 bytes from {own}" in said, f"ping of {group}: {said[-300:]}")
    need("0 received" in ping("a", "ff02::1:ff12:3456%e0", 56), "Weir answers for a group it is not in")


def trace(net):
    for to, hops in (("b", [ROUTER["a"]]), ("d", [ROUTER["a"]]), ("c", [ROUTER["a"], "2001:db8:2::2"])):
        said = in_host("a", sys.executable, "-c", TRACE, ADDRESS[to]).stdout.split("\n")[:-1]
        want = [f"{hop} 3 0" for hop in hops] + [f"{ADDRESS[to]} 1 4"]
        need(said == want, f"traceroute to {to}: {said}, expected {want}")
    said = in_host("c", sys.executable, "-c", TRACE, ROUTER["a"]).stdout.split("\n")[:-1]
    need(said == ["2001:db8:3::1 3 0", f"{ROUTER['a']} 1 4"], f"traceroute to Weir: {said}")


def path_mtu(net):
    for to, mtu, who in (("d", 1280, ROUTER["a"]), ("c", 1300, ADDRESS["b"])):
        ip("a", "-6", "route", "flush", "cache")
        said = ping("a", ADDRESS[to], 1452, "-M", "do")
        need(f"From {who}" in said and f"mtu={mtu}" in said, f"a long ping to {to}: {said[-300:]}")
        known = json.loads(ip("a", "-j", "-6", "route", "get", ADDRESS[to]))[0]
        need(f"{mtu}" in json.dumps(known), f"the path to {to} is taken for {known}")
        need_answer("a", ADDRESS[to], 1452)  # in fragments of that size
        ip("a", "-6", "route", "flush", "cache")
        tcp("a", to)


def tcp(sender, receiver):
    listener = subprocess.Popen(inside(receiver, sys.executable, "-c", TCP_RECEIVE), stdout=subprocess.PIPE, text=True)
    try:
        need(listener.stdout.readline() == "ready\n", "the receiver does not start")
        done = in_host(sender, sys.executable, "-c", TCP_SEND, ADDRESS[receiver])
        need(done.stdout == "same\n", f"1 MiB by TCP from {sender} to {receiver}: {done.stdout}{done.stderr[-300:]}")
    finally:
        listener.kill()
        listener.wait()


def errors(net):
    said = ping("a", "2001:db8:ffff::1", 56)
    need(f"From {ROUTER['a']}" in said and "No route" in said, f"ping without a route: {said[-300:]}")
    said = in_host("a", "ping", "-6", "-c", "1", "-W", "6", "2001:db8:2::77").stdout
    need(f"From {ROUTER['a']}" in said and "Address unreachable" in said, f"ping of nobody: {said[-300:]}")
    said = in_host("a", "ping", "-6", "-c", "1", "-t", "1", ADDRESS["b"]).stdout
    need(f"From {ROUTER['a']}" in said and "Hop limit" in said, f"ping with hop limit 1: {said[-300:]}")
    said = in_host("a", sys.executable, "-c", "import socket; socket.create_connection(('" + ROUTER["b"] + "', 80), 3)").stderr
    need("refused" in said, f"TCP to Weir: {said[-200:]}")


CASES = {"sizes": sizes, "link_local": link_local, "trace": trace, "path_mtu": path_mtu, "errors": errors}


def main():
    weir = str(pathlib.Path(sys.argv[-1]).resolve())
    cases = sys.argv[1:-1] or list(CASES)
    sys.argv[-1] = weir
    netns.enter(200)
    for tool in ("ping", "ip", "sysctl"):
        if not shutil.which(tool):
            netns.skip(f"needs the command {tool} (apt-get install iproute2 iputils-ping procps)")
    if not pathlib.Path("/dev/net/tun").exists():
        netns.skip("needs /dev/net/tun (modprobe tun)")
    failed = 0
    with tempfile.TemporaryDirectory() as where, Network(weir, where) as net:
        wait_for("a ping", lambda: net.alive() and "1 received" in ping("a", ADDRESS["c"], 56), 20)
        for case in cases:
            began = time.monotonic()
            try:
                CASES[case](net)
                net.alive()
                print(f"linux_ip6 {case}: passes, {time.monotonic() - began:.1f} s", flush=True)
            except (Failure, RuntimeError, subprocess.TimeoutExpired) as e:
                print(f"FAIL {case}: {e}", flush=True)
                failed += 1
        figures = net.stop()
        if not figures["accounting"]["balanced"]:
            print("FAIL: the books do not balance")
            failed += 1
    print(f"linux_ip6: {len(cases) - failed} of {len(cases)} cases pass")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
