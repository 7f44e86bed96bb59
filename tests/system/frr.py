# SPDX-License-Identifier: BSD-3-Clause
# frr.py - FRR as the router of this namespace, BIRD as its BGP neighbour in another
#
# To be used inside netns.enter(): sockets and pid files lie under that private /run. Debian's packages are
# run in the foreground as children; nothing of the system's own configuration is read.

import ipaddress
import os
import pathlib
import shutil
import subprocess
import time

import netns

FRR_LIB = pathlib.Path("/usr/lib/frr")
BIRD = "/usr/sbin/bird"
AS = 65000  # one AS: what BIRD says the next hop is stays so
PORTS = {  # of FRR, and of Weir, that has the same addresses: name -> (IPv4, IPv6), and BIRD's own there
    "p1": ("192.0.2.1/24", "2001:db8:1::1/64", "192.0.2.2/24", "2001:db8:1::2/64"),
    "p2": ("198.51.100.1/24", "2001:db8:2::1/64", "198.51.100.2/24", "2001:db8:2::2/64"),
}


def need():
    for path in (FRR_LIB / "zebra", FRR_LIB / "bgpd", BIRD):
        if not os.access(path, os.X_OK):
            netns.skip(f"needs {path} (Debian's frr and bird2)")


def wait(what, seconds, done, step=0.05):
    """Calls done() until it is true; the error says what did not come."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(step)


def cables():
    """Two cables between this namespace (FRR) and `peer` (BIRD). What FRR leaves in /var/tmp vanishes with it."""
    netns.run("mount", "-t", "tmpfs", "tmpfs", "/var/tmp")
    netns.run("ip", "netns", "add", "peer")
    netns.run("ip", "-n", "peer", "link", "set", "lo", "up")
    netns.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
              "net.ipv6.conf.default.accept_dad=0", "net.ipv6.route.max_size=1048576")
    netns.run("ip", "netns", "exec", "peer", "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0")
    for name, (v4, v6, peer4, peer6) in PORTS.items():
        netns.run("ip", "link", "add", "name", name, "type", "veth", "peer", "name", name, "netns", "peer")
        for address in (v4, v6):
            netns.run("ip", "addr", "add", address, "dev", name)
        for address in (peer4, peer6):
            netns.run("ip", "-n", "peer", "addr", "add", address, "dev", name)
        netns.run("ip", "link", "set", name, "up")
        netns.run("ip", "-n", "peer", "link", "set", name, "up")


BGP = f"""\
router bgp {AS}
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 timers bgp 3 9
 neighbor 192.0.2.2 remote-as {AS}
 neighbor 192.0.2.2 timers connect 1
 address-family ipv4 unicast
  neighbor 192.0.2.2 activate
 exit-address-family
 address-family ipv6 unicast
  neighbor 192.0.2.2 activate
 exit-address-family
"""


class Daemon:
    """A child that is killed with its whole log at hand."""

    def __init__(self, name, words, directory):
        self.name, self.words = name, words
        self.log = pathlib.Path(directory) / f"{name}.log"
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait(timeout=20)
            self.process = None

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def said(self):
        return self.log.read_text(errors="replace")[-3000:]


class Frr:
    """zebra, staticd and bgpd. static: lines of staticd's configuration; zebra: of zebra's."""

    def __init__(self, directory, static="", zebra=""):
        self.dir = pathlib.Path(directory) / "frr"
        self.dir.mkdir()
        os.makedirs("/run/frr", exist_ok=True)
        shutil.chown("/run/frr", "frr", "frr")
        configs = {"zebra": f"fpm address 127.0.0.1 port 2620\n{zebra}", "staticd": static, "bgpd": BGP}
        options = {"zebra": ["-M", "dplane_fpm_nl", "-s", "90000000"], "staticd": [], "bgpd": ["-l", "192.0.2.1"]}
        self.daemons = []
        for name, text in configs.items():
            config = self.dir / f"{name}.conf"
            config.write_text(f"hostname frr\nlog stdout warnings\n{text}")
            config.chmod(0o644)
            self.daemons.append(Daemon(name, [str(FRR_LIB / name), "-f", str(config), *options[name]], self.dir))

    def start(self):
        for daemon in self.daemons:
            daemon.start()
            sock = pathlib.Path(f"/run/frr/{daemon.name}.vty")
            wait(f"{daemon.name}: {sock}", 10, lambda: sock.exists() or not daemon.alive())
            if not daemon.alive():
                raise RuntimeError(f"{daemon.name} ended: {daemon.said()}")

    def kill(self):
        """As kill -9 does. What it installed in the kernel is taken out, with the next hops: zebra 8.4 started again does
        not know them any longer, and lets the IPv6 routes by them stay for ever."""
        for daemon in reversed(self.daemons):
            daemon.kill()
            for left in (f"/run/frr/{daemon.name}.vty", f"/run/frr/{daemon.name}.pid"):
                pathlib.Path(left).unlink(missing_ok=True)
        netns.run("ip", "nexthop", "flush")

    def vtysh(self, *commands):
        words = ["vtysh"]
        for command in commands:
            words += ["-c", command]
        return netns.run(*words)


class Bird:
    """routes: {prefix: next hop}, both families; announce() makes what is announced just these."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory) / "bird"
        self.dir.mkdir()
        self.sock = self.dir / "bird.ctl"
        self.tables = {4: self.dir / "routes4.conf", 6: self.dir / "routes6.conf"}
        (self.dir / "bird.conf").write_text(f"""\
router id 192.0.2.2;
protocol device {{ }}
protocol static s4 {{
	ipv4;
	include "{self.tables[4]}";
}}
protocol static s6 {{
	ipv6;
	include "{self.tables[6]}";
}}
protocol bgp frr {{
	local 192.0.2.2 as {AS};
	neighbor 192.0.2.1 as {AS};
	passive on;
	ipv4 {{ import none; export where source = RTS_STATIC; next hop keep; }};
	ipv6 {{ import none; export where source = RTS_STATIC; next hop keep; extended next hop off; }};
}}
""")
        self.daemon = Daemon("bird", ["ip", "netns", "exec", "peer", BIRD, "-f", "-c", str(self.dir / "bird.conf"),
                                      "-s", str(self.sock), "-P", str(self.dir / "bird.pid")], self.dir)

    def write(self, routes):
        lines = {4: [], 6: []}
        for prefix, via in routes.items():
            lines[6 if ":" in prefix else 4].append(f"route {prefix} blackhole {{ bgp_next_hop = {via}; }};\n")
        for family, path in self.tables.items():
            path.write_text("".join(lines[family]))

    def start(self, routes):
        self.write(routes)
        self.daemon.start()
        wait("bird's control socket", 20, lambda: self.sock.exists() or not self.daemon.alive())
        if not self.daemon.alive():
            raise RuntimeError(f"bird ended: {self.daemon.said()}")

    def announce(self, routes):
        self.write(routes)
        self.ask("configure")

    def ask(self, *words):
        return netns.run("birdc", "-s", str(self.sock), *words)

    def kill(self):
        self.daemon.kill()


def kernel_routes():
    """{prefix: {(next hop, device)}} of FRR's BGP routes in this namespace's kernel, both families."""
    table = {}
    for family in ("-4", "-6"):
        done = subprocess.run(["ip", "-o", family, "route", "show", "proto", "bgp"], capture_output=True, text=True,
                              timeout=60, check=True)
        for line in done.stdout.splitlines():
            words = line.split()
            prefix = str(ipaddress.ip_network(words[0].replace("default", "0.0.0.0/0" if family == "-4" else "::/0")))
            table[prefix] = {(words[i + 1], words[i + 3]) for i, word in enumerate(words) if word == "via"}
    return table
