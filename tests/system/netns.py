# SPDX-License-Identifier: BSD-3-Clause
# netns.py - throw-away network namespaces, Linux as a router in one, and raw frames in and out of it
#
# enter() runs the calling script again inside namespaces of its own (mounts, processes, networks; a
# private /run). When its first process ends, however it ends, all of them vanish: nothing to clean up.
# The script's own network then holds one end of every cable; the router's namespace holds the other.

import os
import select
import shutil
import socket
import subprocess
import sys
import time

SKIP = 77  # meson's "this test was skipped"
INSIDE = "WEIR_TEST_INSIDE_NETNS"
ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_IGNORE_OUTGOING = 23
SO_RCVBUFFORCE = 33
TP_STATUS_VLAN_VALID = 1 << 4


def skip(reason):
    print(f"SKIP: {reason}")
    sys.exit(SKIP)


def enter(limit_seconds):
    """Returns inside the namespaces; outside, runs this script again in them and exits with its code."""
    if os.environ.get(INSIDE):
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        os.mkdir("/run/netns")
        run("ip", "link", "set", "lo", "up")
        return
    if os.geteuid() != 0:
        skip("needs root, to make network namespaces")
    for tool in ("ip", "ethtool", "unshare", "sysctl"):
        if not shutil.which(tool):
            skip(f"needs the command {tool}")
    wrap = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--net", "--"]
    if subprocess.run(wrap + ["true"], capture_output=True, timeout=20).returncode != 0:
        skip("this system does not let root make namespaces (unshare failed)")
    env = dict(os.environ, **{INSIDE: "1"})
    try:
        done = subprocess.run(wrap + [sys.executable] + sys.argv, env=env, timeout=limit_seconds)
    except subprocess.TimeoutExpired:
        print(f"FAIL: not done after {limit_seconds} s")
        sys.exit(1)
    sys.exit(done.returncode)


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=20)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Cable:
    """Our end of a veth pair, as raw frames. The far end is a port of the router."""

    def __init__(self, ifname):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.sock.bind((ifname, 0))
        self.sock.setblocking(False)

    def send(self, frame):
        """False when the interface cannot carry such a frame (shorter than an Ethernet header)."""
        try:
            self.sock.send(frame)
        except OSError:
            if len(frame) >= 14:
                raise
            return False
        return True

    def receive(self):
        """One frame as on the wire (the kernel keeps the outer VLAN tag apart), or None."""
        try:
            frame, aux, _, _ = self.sock.recvmsg(65535, 256)
        except BlockingIOError:
            return None
        for level, kind, data in aux:
            if level == SOL_PACKET and kind == PACKET_AUXDATA:
                status = int.from_bytes(data[0:4], sys.byteorder)
                if status & TP_STATUS_VLAN_VALID:
                    tci = int.from_bytes(data[16:18], sys.byteorder)
                    tpid = int.from_bytes(data[18:20], sys.byteorder)
                    frame = frame[:12] + tpid.to_bytes(2, "big") + tci.to_bytes(2, "big") + frame[12:]
        return frame


class LinuxRouter:
    """Linux configured from the dictionary that a router's YAML file holds; IPv4 only, IPv6 off."""

    SYSCTLS = {
        "net.ipv4.ip_forward": 1,
        "net.ipv4.conf.all.rp_filter": 0,
        "net.ipv4.conf.all.send_redirects": 0,
        "net.ipv4.icmp_ratelimit": 0,
        "net.ipv4.icmp_ratemask": 0,
        "net.ipv4.icmp_msgs_per_sec": 100000,
        "net.ipv4.icmp_msgs_burst": 10000,
        "net.ipv6.conf.all.disable_ipv6": 1,
    }

    def __init__(self, config):
        self.cables = {}
        run("ip", "netns", "add", "router")
        self.sysctl(self.SYSCTLS)
        run("ip", "-n", "router", "link", "set", "lo", "up")
        for name, port in config["ports"].items():
            self.add_port(name, port)
        for route in config.get("routes", []):
            run("ip", "-n", "router", "route", "add", route["to"], "via", route["via"])
        for near in config.get("neighbors", []):
            run("ip", "-n", "router", "neigh", "replace", near["address"], "lladdr", near["mac"],
                "dev", near["port"], "nud", "permanent")

    def sysctl(self, values):
        words = [f"{key}={value}" for key, value in values.items()]
        run("ip", "netns", "exec", "router", "sysctl", "-qw", *words)

    def add_port(self, name, port):
        ours = "x-" + name
        mtu = str(port.get("mtu", 1500))
        run("ip", "link", "add", "name", ours, "mtu", mtu, "type", "veth",
            "peer", "name", name, "mtu", mtu, "address", port["mac"], "netns", "router")
        run("sysctl", "-qw", f"net.ipv6.conf.{ours}.disable_ipv6=1")
        # Real frames: no segmentation offload, checksums computed when sent and checked when received.
        offloads = "tso off gso off gro off tx off rx off sg off".split()
        run("ethtool", "-K", ours, *offloads)
        run("ip", "netns", "exec", "router", "ethtool", "-K", name, *offloads)
        self.sysctl({f"net.ipv4.conf.{name}.rp_filter": 0, f"net.ipv4.conf.{name}.send_redirects": 0})
        for address in port["addresses"]:
            run("ip", "-n", "router", "addr", "add", address, "dev", name)
        run("ip", "-n", "router", "link", "set", name, "up")
        run("ip", "link", "set", ours, "up")
        self.cables[name] = Cable(ours)

    def collect(self, quiet_seconds):
        """Everything that comes out until nothing has for quiet_seconds: [(port, frame)]."""
        got = []
        deadline = time.monotonic() + quiet_seconds
        names = {cable.sock: name for name, cable in self.cables.items()}
        while True:
            ready, _, _ = select.select(list(names), [], [], max(0, deadline - time.monotonic()))
            if not ready:
                return got
            for sock in ready:
                frame = self.cables[names[sock]].receive()
                while frame is not None:
                    got.append((names[sock], frame))
                    deadline = time.monotonic() + quiet_seconds
                    frame = self.cables[names[sock]].receive()
