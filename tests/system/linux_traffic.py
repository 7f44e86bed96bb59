# SPDX-License-Identifier: BSD-3-Clause
"""linux_traffic.py - what two Linux hosts send each other, and what their kernels say of it

For linux_host.py and linux_image.py. A host is the namespace of its name, its interface there e0; a net is a
linux_host.Network. What is not as it should be raises Failure.
"""

import json
import subprocess
import sys
import time

import netns

HOSTS = {"a": "10.1.0.2", "b": "10.2.0.2"}
ROUTER = {"a": "10.1.0.1", "b": "10.2.0.1"}

# Sends 60,000 bytes as datagrams of 1,200 by one call, 20 times; receives them and checks order and bytes.
SEGMENT_SEND = """
import socket, sys, time
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
try:
    s.setsockopt(17, 103, 1200)
except OSError:
    sys.exit(77)
for i in range(20):
    s.sendto(b"".join(bytes([i, k]) * 600 for k in range(50)), (sys.argv[1], 7777))
    time.sleep(0.02)
"""
SEGMENT_RECEIVE = """
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
s.bind(("", 7777))
s.settimeout(2)
print("ready", flush=True)
got = 0
try:
    while got < 1000:
        data = s.recv(65535)
        i, k = divmod(got, 50)
        assert data == bytes([i, k]) * 600, f"datagram {got}: {len(data)} bytes, {data[:4].hex()}"
        got += 1
except socket.timeout:
    pass
print(got)
"""
# One datagram whose checksum is wrong, as a frame: from and to hosts, to a MAC address.
BAD_CHECKSUM = """
import socket, struct, sys
src, dst, mac = sys.argv[1:]
udp = struct.pack("!HHHH", 4000, 7778, 12, 0x1234) + b"oops"
if ":" in src:
    src, dst = (socket.inet_pton(socket.AF_INET6, x) for x in (src, dst))
    ip = struct.pack("!IHBB16s16s", 6 << 28, len(udp), 17, 64, src, dst)
    proto = 0x86dd
else:
    ip = bytearray(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, *map(socket.inet_aton, (src, dst))))
    ip[10:12] = (65535 - sum(struct.unpack("!10H", ip)) % 65535).to_bytes(2, "big")
    proto = 0x0800
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("e0", 0))
s.send(bytes.fromhex(mac.replace(":", "")) + s.getsockname()[4] + struct.pack("!H", proto) + bytes(ip) + udp)
"""


class Failure(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Failure(what)


def inside(host, *words):
    return ["ip", "netns", "exec", host, *words]


def in_host(host, *words, timeout=30):
    return subprocess.run(inside(host, *words), capture_output=True, text=True, timeout=timeout)


def counters(host):
    text = netns.run(*inside(host, "nstat", "-asz", "--json"))
    return json.loads(text)["kernel"]


def wait_for(what, true, seconds=10):
    deadline = time.monotonic() + seconds
    while not true():
        need(time.monotonic() < deadline, f"{what}: not within {seconds} s")
        time.sleep(0.02)


def ping(net, size, count):
    done = in_host("a", "ping", "-c", str(count), "-i", "0.05", "-W", "2", "-M", "do", "-s", str(size),
                   net.hosts["b"])
    need(f" {count} received" in done.stdout, f"ping of {size} bytes: {done.stdout[-300:]}")


def iperf(net, server, client, *options):
    """Megabits a second that arrived, and what share of datagrams was lost."""
    listener = subprocess.Popen(inside(server, "iperf3", "-s", "-1", "-J", "--forceflush"),
                                stdout=subprocess.PIPE, text=True)
    try:
        wait_for("iperf3's server", lambda: ":5201 " in in_host(server, "ss", "-ltn").stdout)
        done = in_host(client, "iperf3", "-c", net.hosts[server], "-t", "1", "-J", *options)
        listener.communicate(timeout=10)
    finally:
        listener.kill()
        listener.wait()
    result = json.loads(done.stdout)
    need("error" not in result, f"iperf3 {' '.join(options)}: {result.get('error')}")
    end = result["end"]
    got = end["sum_received"] if "sum_received" in end else end["sum"]
    need(got["bytes"] > 0, f"iperf3 {' '.join(options)}: nothing arrived")
    return got["bits_per_second"] / 1e6, got.get("lost_percent", 0)


def segments(net, sender, receiver):
    listener = subprocess.Popen(inside(receiver, sys.executable, "-c", SEGMENT_RECEIVE),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    need(listener.stdout.readline() == "ready\n", "the receiver of datagrams does not start")
    done = in_host(sender, sys.executable, "-c", SEGMENT_SEND, net.hosts[receiver])
    out, errors = listener.communicate(timeout=20)
    if done.returncode == 77:
        return "UDP_SEGMENT skipped (not in this kernel)"
    need(done.returncode == 0, f"sending datagrams: {done.stderr.strip()[-200:]}")
    need(listener.returncode == 0 and out.strip() == "1000",
         f"{out.strip() or 'no'} of 1000 datagrams: {errors.strip()[-200:]}")
    return "UDP_SEGMENT whole"


def mac_beside(net, host):
    """Where host sends frames for the other one: the router, or the other one itself."""
    to = net.hosts["a" if host == "b" else "b"] if net.ip6 else ROUTER[host]
    near = json.loads(netns.run("ip", "-n", host, "-j", "neigh", "show", to))
    need(near and "lladdr" in near[0], f"host {host} has no neighbor {to}")
    return near[0]["lladdr"]


def bad_checksum(net, sender, receiver):
    counter = "Udp6InCsumErrors" if net.ip6 else "UdpInCsumErrors"
    done = in_host(sender, sys.executable, "-c", BAD_CHECKSUM, net.hosts[sender], net.hosts[receiver],
                   mac_beside(net, sender))
    need(done.returncode == 0, f"the wrong checksum: {done.stderr.strip()[-200:]}")
    wait_for("the wrong checksum is counted", lambda: counters(receiver)[counter] > 0, 5)


def check_checksums(net, bad):
    for host in HOSTS:
        got = counters(host)
        for name in ("TcpInCsumErrors", "UdpInCsumErrors", "Udp6InCsumErrors", "IcmpInCsumErrors",
                     "Icmp6InCsumErrors", "IpInHdrErrors", "IpExtInCsumErrors"):
            want = bad if name == ("Udp6InCsumErrors" if net.ip6 else "UdpInCsumErrors") else 0
            need(got.get(name, 0) == want, f"host {host}: {name} is {got.get(name)}, expected {want}")
