#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Packet k of a stream against what its layers say, as scapy builds it; and tshark finds no wrong checksum.

usage: stream_frames.py STREAM_FRAMES

Every stack runs signed at several lengths, every way to say values runs in some field. The generator makes the
packets from the compiled blob; scapy makes the expected ones from the case's own formula of k.
"""
import ipaddress
import os
import struct
import subprocess
import sys
import tempfile

from scapy.all import (ARP, GRE, ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, IPv6, Raw)
from scapy.contrib.mpls import MPLS
from scapy.layers.inet6 import ICMPv6EchoRequest
from scapy.layers.vxlan import VXLAN

TOOL = sys.argv[1]
COUNT = 110 # beyond most cycles
SIG = 18
NEXT = "02:00:00:00:00:fe"
PORT = "02:00:00:00:01:00"
HEAD = """version: 1
function: pktgen
ports:
  west: {device: "null:", addresses: [198.18.0.1/24, "2001:2::1/64"], mac: "02:00:00:00:01:00", mtu: 9000}
  east: {device: "null:", addresses: [198.18.1.1/24, "2001:2:0:1::1/64"]}
routes:
  - {to: 203.0.113.0/24, via: 198.18.0.254}
streams:
"""


def v4(a, n):
    return str(ipaddress.IPv4Address(a) + n)


def v6(a, n):
    return str(ipaddress.IPv6Address(a) + n)


def mac(n):
    return ":".join("%02x" % (n >> s & 255) for s in range(40, -8, -8))


ETH = Ether(dst=NEXT, src=PORT)
IP4 = IP(src="198.18.0.1", dst="198.18.0.2", id=0)
IP6 = IPv6(src="2001:2::1", dst="2001:2::2")
U = UDP(sport=49184, dport=9)
TO4, TO6 = "ipv4: 198.18.0.2", 'ipv6: "2001:2::2"'
INNER = Ether(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
IN4 = dict(src="198.18.0.1", dst="10.9.0.1", id=0)


def inner4(k, **more):
    return IP(src=v4("10.0.0.0", k % 97), dst=v4("10.9.0.0", 3 * k % 300), id=0, **more)


IN4_TEXT = "ipv4: {src: {from: 10.0.0.0, to: 10.0.0.96}, dst: {from: 10.9.0.0, to: 10.9.1.43, step: 3}}"


def inner6(k):
    return IPv6(src=v6("2001:db8::", 5 * k % 1000), dst=v6("2001:db8:1::ffff", -k % 16 - 15))


IN6_TEXT = ('ipv6: {src: {expr: "2001:db8:: + i * 5 % 1000", cycle: 200}, '
            'dst: {from: "2001:db8:1::ffff", to: "2001:db8:1::fff0"}}')


def in6(k):
    return IPv6(src=v6("2001:db8::", 5 * k % 1000), dst=v6("2001:db8:1::ffff", -(k % 16)))


# name: (layers, more keys, frame without payload of packet k)
CASES = {
    "ports4": ("[%s, udp: {src: 1000-1010, dst: {list: [1, 65535, 40]}}]" % TO4, "",
               lambda k: ETH / IP4 / UDP(sport=1000 + k % 11, dport=[1, 65535, 40][k % 3])),
    "every": ("[%s, udp: {src: {from: 7, to: 1, step: 2, every: 5}}]" % TO4, "",
              lambda k: ETH / IP4 / UDP(sport=7 - 2 * (k // 5 % 4), dport=9)),
    "addr4": ("[%s, udp]" % IN4_TEXT, "via: 198.18.0.9", lambda k: ETH / inner4(k) / U),
    "routed": ("[ipv4: 203.0.113.10-203.0.113.20, udp]", "",
               lambda k: ETH / IP(src="198.18.0.1", dst=v4("203.0.113.10", k % 11), id=0) / U),
    "fields4": ("[ipv4: {dst: 198.18.0.2, dscp: 0-63, ecn: 0-3, id: 65530-65535, df: 0-1, ttl: {list: [1, 255]}}, "
                "tcp: {src: 5, dst: 6, seq: {from: 4294967290, to: 4294967295}, ack: 77, flags: 2, window: 0-9, urgent: 3}]",
                "", lambda k: ETH / IP(src="198.18.0.1", dst="198.18.0.2", tos=(k % 64) << 2 | k % 4,
                                       id=65530 + k % 6, flags=2 * (k % 2), ttl=[1, 255][k % 2]) /
                TCP(sport=5, dport=6, seq=4294967290 + k % 6, ack=77, flags=2, window=k % 10, urgptr=3)),
    "udp6": ("[%s, udp: {src: 50000-60000}]" % TO6, "", lambda k: ETH / IP6 / UDP(sport=50000 + k, dport=9)),
    "addr6": ("[%s, udp]" % IN6_TEXT, 'via: "fe80::9"', lambda k: ETH / in6(k) / U),
    "high6": ('[ipv6: {dst: {from: "2001:db8::7", to: "2001:db8:0:ff::7", step: "0:0:0:1::"}, flow: 0-1048575, hops: 3-9, '
              'dscp: 5, ecn: 2}, tcp: 80]', 'via: "2001:2::9"',
              lambda k: ETH / IPv6(src="2001:2::1", dst=v6("2001:db8::7", k << 64), fl=k, hlim=3 + k % 7, tc=22) /
              TCP(sport=49184, dport=80, seq=0, flags=16, window=65535)),
    "list6": ('[ipv6: {dst: "2001:2::2", src: {list: ["::1", "2001:db8::ffff:1", "fe80::2"]}}, icmp6: {id: 3, seq: 0-65535}]', "",
              lambda k: ETH / IPv6(src=["::1", "2001:db8::ffff:1", "fe80::2"][k % 3], dst="2001:2::2") /
              ICMPv6EchoRequest(id=3, seq=k)),
    "ping": ("[%s, icmp: {id: 0-99, seq: {expr: \"i * i %% 1009\", cycle: 1009}}]" % TO4, "",
             lambda k: ETH / IP4 / ICMP(type=8, id=k % 100, seq=k * k % 1009)),
    "vlan": ("[eth: {dst: \"02:00:00:00:00:aa\", src: {from: \"02:11:00:00:00:fe\", to: \"02:11:00:00:01:05\"}}, "
             "vlan: {id: 1-4094, pcp: 0-7, dei: 1}, ipv4: 198.18.0.2, udp]", "",
             lambda k: Ether(dst="02:00:00:00:00:aa", src=mac(0x0211000000fe + k % 8)) /
             Dot1Q(vlan=1 + k, prio=k % 8, id=1) / IP4 / U),
    "qinq": ("[eth: {dst: {from: \"02:00:00:00:ff:ff\", to: \"02:00:00:01:00:01\"}, src: \"02:00:00:00:00:01\"}, "
             "vlan: 7, vlan: 5-8, %s, udp]" % IN6_TEXT, "",
             lambda k: Ether(dst=mac(0x02000000ffff + k % 3), src="02:00:00:00:00:01") / Dot1AD(vlan=7) /
             Dot1Q(vlan=5 + k % 4) / in6(k) / U),
    "mpls": ("[eth: \"02:00:00:00:00:aa\", mpls: {label: 1048570-1048575, tc: 0-7}, mpls: 99, %s, udp]" % IN4_TEXT, "",
             lambda k: Ether(dst="02:00:00:00:00:aa", src=PORT) / MPLS(label=1048570 + k % 6, cos=k % 8, s=0, ttl=64) /
             MPLS(label=99, s=1, ttl=64) / inner4(k) / U),
    "gre": ("[%s, gre, %s, udp: {src: 1-9}]" % (TO4, IN4_TEXT), "",
            lambda k: ETH / IP4 / GRE() / inner4(k) / UDP(sport=1 + k % 9, dport=9)),
    "gresum": ("[%s, gre: {checksum: on, key: 5-7, seq: 0-4294967295}, %s, tcp: {src: 1-9}]" % (TO4, IN4_TEXT), "",
               lambda k: ETH / IP4 / GRE(chksum_present=1, key_present=1, seqnum_present=1, key=5 + k % 3,
                                         seqence_number=k) / inner4(k) /
               TCP(sport=1 + k % 9, dport=9, flags=16, window=65535, seq=0)),
    "greip": ("[%s, gre: {checksum: on}, ipv6: {dst: \"2001:db8::1\", src: \"2001:2::1-2001:2::9\"}]" % TO6, "",
              lambda k: ETH / IP6 / GRE(chksum_present=1, proto=0x86dd) / IPv6(src=v6("2001:2::1", k % 9), dst="2001:db8::1", nh=253)),
    "ipip": ("[ipv4: {dst: 198.18.0.2, src: 198.18.0.1-198.18.0.3}, %s, udp]" % IN6_TEXT, "",
             lambda k: ETH / IP(src=v4("198.18.0.1", k % 3), dst="198.18.0.2", id=0) / in6(k) / U),
    "vxlan4": ("[%s, udp: {src: 50000-60000}, vxlan: {vni: 16777210-16777215}, eth, %s, udp: {dst: 1-3}]" % (TO4, IN4_TEXT), "",
               lambda k: ETH / IP4 / UDP(sport=50000 + k, dport=4789, chksum=0) / VXLAN(vni=16777210 + k % 6, flags=8) /
               INNER / inner4(k) / UDP(sport=49184, dport=1 + k % 3)),
    "vxlan6": ("[%s, udp: {src: 50000-60000}, vxlan: {vni: 0-7}, eth: {src: {from: \"02:00:00:00:00:01\", to: \"02:00:00:00:00:04\"}}, "
               "%s, udp: {dst: 1-3}]" % (TO6, IN4_TEXT), "",
               lambda k: ETH / IP6 / UDP(sport=50000 + k, dport=4789) / VXLAN(vni=k % 8, flags=8) /
               Ether(dst="02:00:00:00:00:02", src=mac(0x020000000001 + k % 4)) / inner4(k) /
               UDP(sport=49184, dport=1 + k % 3)),
    "vxlan66": ("[%s, udp, vxlan: 5, eth, vlan: 1-9, %s, tcp: {seq: 0-4294967295}]" % (TO6, IN6_TEXT), "",
                lambda k: ETH / IP6 / UDP(sport=49184, dport=4789) / VXLAN(vni=5, flags=8) / INNER /
                Dot1Q(vlan=1 + k % 9) / in6(k) / TCP(sport=49184, dport=9, seq=k, flags=16, window=65535)),
    "rawip6": ("[%s, udp, vxlan, eth, %s]" % (TO6, IN4_TEXT), "",
               lambda k: ETH / IP6 / UDP(sport=49184, dport=4789) / VXLAN(vni=1, flags=8) / INNER /
               inner4(k, proto=253)),
    "nosum": ("[%s, udp: {src: 50000-60000, checksum: off}]" % TO4, "",
              lambda k: ETH / IP4 / UDP(sport=50000 + k, dport=9, chksum=0)),
    "multicast": ("[ipv4: 239.129.2.3, udp]", "",
                  lambda k: Ether(dst="01:00:5e:01:02:03", src=PORT) / IP(src="198.18.0.1", dst="239.129.2.3", id=0) / U),
}


def tool(text, folder, sizes=(), count=COUNT):
    path = os.path.join(folder, "f.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    r = subprocess.run([TOOL, path, str(count), folder, *sizes], capture_output=True, text=True, check=False, timeout=120)
    if r.returncode:
        sys.exit("stream-frames: exit %d\n%s\n%s" % (r.returncode, r.stderr, text))


def frames(path):
    with open(path, "rb") as f:
        data, at = f.read(), 24
    while at < len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16:at + 16 + n]
        at += 16 + n


def compare(name, k, got, head, is_signed, filler=b"\0"):
    """got must be head with lengths and checksums as scapy makes them, filler, and a signature."""
    room = len(got) - len(bytes(head)) - (SIG if is_signed else 0)
    tail = got[-SIG:] if is_signed else b""
    want = bytes(head / Raw((filler * (room // len(filler) + 1))[:room] + tail))
    if got != want:
        at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), -1)
        sys.exit("%s: packet %d differs at byte %d of %d/%d\n got %s\nwant %s" %
                 (name, k, at, len(got), len(want), got.hex(), want.hex()))
    if is_signed and (tail[:4] != b"We\0\7" or struct.unpack(">I", tail[6:10])[0] != k):
        sys.exit("%s: packet %d: signature %s" % (name, k, tail.hex()))


def no_bad_checksum(folder):
    """tshark judges every checksum of every file. How many packets there were."""
    names, path = [], os.path.join(folder, "all")
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for name in sorted(n for n in os.listdir(folder) if n.endswith(".pcap")):
            for k, frame in enumerate(frames(os.path.join(folder, name))):
                out.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
                names.append("%s packet %d" % (name, k))
    fields = ["ip", "udp", "tcp", "icmp", "icmpv6", "gre"]
    cmd = ["tshark", "-n", "-r", path, "-T", "fields", "-e", "_ws.malformed"]
    for proto in fields:
        cmd += ["-e", proto + ".checksum.status"]
    for proto in fields[:3]:
        cmd += ["-o", proto + ".check_checksum:TRUE"]
    lines = subprocess.run(cmd, capture_output=True, text=True, check=True, timeout=120).stdout.splitlines()
    assert len(lines) == len(names), (len(lines), len(names))
    for name, line in zip(names, lines):
        malformed, *status = line.split("\t")
        if malformed or "0" in ",".join(status).split(","): # 0: bad
            sys.exit("%s: tshark: %r of %s" % (name, line, fields))
    return len(lines)


def stacks():
    with tempfile.TemporaryDirectory() as folder:
        text = HEAD + "".join("  %s: {port: west, layers: %s, length: {list: [400, 171, 1518, 256, 9000]}%s}\n" %
                              (name, layers, ", " + more if more else "") for name, (layers, more, _) in CASES.items())
        tool(text, folder)
        for name, (_, _, make) in CASES.items():
            for k, got in enumerate(frames(os.path.join(folder, name + ".pcap"))):
                if len(got) != [400, 171, 1518, 256, 9000][k % 5] - 4:
                    sys.exit("%s: packet %d is %d bytes long" % (name, k, len(got)))
                compare(name, k, got, make(k), True)
        seen = no_bad_checksum(folder)
        assert seen == COUNT * len(CASES), seen
        print("%d stacks, %d packets: as scapy builds them, and tshark agrees" % (len(CASES), seen))


def lens(folder, name):
    return [len(f) + 4 for f in frames(os.path.join(folder, name + ".pcap"))]


def read(folder, name):
    return list(frames(os.path.join(folder, name + ".pcap")))


RANDOM = HEAD.replace("streams:", """streams:
  ran4: {port: west, via: 198.18.0.9, layers: [ipv4: {src: {random: [10.0.0.5, 10.0.0.9]}, dst: {random: [10.1.0.0, 10.1.255.255], every: 4}}, udp: {src: {random: [0, 65535]}}]}
  ran6: {port: west, via: "2001:2::9", layers: [ipv6: {src: {random: ["2001:db8:1::", "2001:db8:1:7:ffff:ffff:ffff:ffff"]}, dst: {random: ["2001:db8::fff0", "2001:db8::1:000f"]}}, udp]}
  sizes: {port: west, to: 198.18.0.2, length: {random: [64, 73]}}
  imix: {port: west, to: 198.18.0.2, length: {imix: simple}}
  tcpmix: {port: west, to: 198.18.0.2, length: {imix: tcp}}
  mixed: {port: west, to: 198.18.0.2, length: {imix: simple, order: random}}
  sweep: {port: west, to: 198.18.0.2, length: {from: 64, to: 90, step: 13}}
  weights: {port: west, to: 198.18.0.2, length: {list: [{length: 100, weight: 2}, 200]}}
  genome: {port: west, to: 198.18.0.2, length: {genome: abbcdefgz}}
  copies: {port: west, copies: 3, layers: [ipv4: {dst: 198.18.0.2, src: {from: 10.0.0.1, step: 256, per: copy}}, udp: {src: {list: [7, 8], per: copy}, dst: {expr: "100 * c + i", cycle: 5}}, ], length: 300}
""")


def values():
    """Random values and lengths stay within what was said and are not all one; copies differ as said."""
    with tempfile.TemporaryDirectory() as folder:
        count = 480
        tool(RANDOM, folder, count=count)
        four = [Ether(f) for f in read(folder, "ran4")]
        assert {p[IP].src for p in four} == {"10.0.0.%d" % i for i in range(5, 10)}
        assert all(p[IP].dst.startswith("10.1.") for p in four)
        assert all(len({p[IP].dst for p in four[k:k + 4]}) == 1 for k in range(0, count, 4))
        assert len({p[IP].dst for p in four}) > count / 4 * 0.95 and len({p.sport for p in four}) > count * 0.95
        six = [Ether(f) for f in read(folder, "ran6")]
        src = [int(ipaddress.IPv6Address(p[IPv6].src)) for p in six]
        assert {v >> 64 for v in src} == {0x20010db800010000 + i for i in range(8)} and len(set(src)) == count
        low = {int(ipaddress.IPv6Address(p[IPv6].dst)) - int(ipaddress.IPv6Address("2001:db8::fff0")) for p in six}
        assert low == set(range(32)), low
        assert set(lens(folder, "sizes")) == set(range(64, 74))
        assert lens(folder, "imix") == [64] * 7 + [594] * 4 + [1518] + lens(folder, "imix")[:-12]
        assert {90, 594, 1518} <= set(lens(folder, "tcpmix")) <= {90, 92, 594, 1518}
        mixed = lens(folder, "mixed")
        assert 0.45 < mixed.count(64) / count < 0.7 and 0.2 < mixed.count(594) / count < 0.45 and 0 < mixed.count(1518) < 90
        assert lens(folder, "sweep")[:4] == [64, 77, 90, 64]
        assert lens(folder, "weights")[:4] == [100, 100, 200, 100]
        assert lens(folder, "genome")[:10] == [64, 128, 128, 256, 512, 1024, 1280, 1518, 9018, 64]
        for c in range(3):
            for k, p in enumerate(Ether(f) for f in read(folder, "copies#%d" % c)[:12]):
                assert (p[IP].src, p.sport, p.dport) == ("10.0.%d.1" % c, 7 + c % 2, 100 * c + k % 5), (c, k, p)
        print("random values, lengths and copies: as said; %d packets, no wrong checksum" % no_bad_checksum(folder))


PAYLOADS = """
  zeros: {port: west, to: 198.18.0.2, length: 600}
  increment: {port: west, to: 198.18.0.2, length: 600, payload: increment}
  plain: {port: west, to: 198.18.0.2, length: 600, payload: increment, signature: off}
  text: {port: west, to: 198.18.0.2, payload: {text: hello world}}
  hex: {port: west, to: 198.18.0.2, length: 601, payload: {hex: "DE:ad be ef 01", fill: repeat}}
  random: {port: west, to: 198.18.0.2, length: 600, payload: random, signature: off}
  capture: {port: west, to: 198.18.0.2, payload: {capture: {pcap: one.pcap, packet: 2, skip: 14}, fill: increment}, length: 700}
  frame: {port: west, frame: {pcap: one.pcap}}
  request: {port: west, layers: [arp: {target_ip: 198.18.0.2-198.18.0.9}]}
"""


def payloads():
    with tempfile.TemporaryDirectory() as folder:
        one, two = (bytes(INNER / Raw(data)) for data in (bytes(range(256)) * 2, b"payload" * 40))
        with open(os.path.join(folder, "one.pcap"), "wb") as f:
            f.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
            for data in one, two:
                f.write(struct.pack("<IIII", 0, 0, len(data), len(data)) + data)
        tool(HEAD + PAYLOADS, folder, count=3)
        head = ETH / IP4 / U
        ramp = bytes(range(256)) * 4
        for name, filler in (("zeros", b"\0"), ("increment", ramp), ("plain", ramp), ("hex", b"\xde\xad\xbe\xef\1"),
                             ("capture", b"payload" * 40 + (ramp * 2)[280:])):
            for k, got in enumerate(read(folder, name)):
                compare(name, k, got, head, name != "plain", filler)
        assert lens(folder, "text") == [75] * 3 and read(folder, "text")[0][42:53] == b"hello world"
        noise = [f[42:] for f in read(folder, "random")]
        assert len(set(noise)) == 1 and len(set(noise[0])) > 200
        assert [f for f in read(folder, "frame")] == [one] * 3
        for k, got in enumerate(read(folder, "request")):
            want = Ether(dst="ff:ff:ff:ff:ff:ff", src=PORT) / ARP(hwsrc=PORT, psrc="198.18.0.1", hwdst="00:00:00:00:00:00",
                                                                  pdst=v4("198.18.0.2", k))
            assert got == bytes(want) + bytes(60 - 42), (k, got.hex())
        print("payloads, a captured frame, ARP: as said; %d packets, no wrong checksum" % no_bad_checksum(folder))


def zero_checksums():
    """A UDP checksum that comes out as 0 is sent as 0xffff (RFC 768), that of TCP and of IPv4's header is 0."""
    def port(ip, proto):
        raw = bytes(ETH / ip / proto(sport=1, dport=9, **({"flags": 16, "window": 65535} if proto == TCP else {})) / Raw(bytes(80)))
        got = proto(raw[len(ETH / ip):]).chksum
        return (got + 1) % 65535  # what is added to the source port is taken off the checksum

    with tempfile.TemporaryDirectory() as folder:
        text, want = "", {}
        for name, to, ip, proto in (("u4", TO4, IP4, UDP), ("u6", TO6, IP6, UDP), ("t4", TO4, IP4, TCP), ("t6", TO6, IP6, TCP)):
            zero = port(ip, proto)
            layer = proto.__name__.lower()
            length = len(ETH / ip / proto()) + 80 + 4
            text += "  %s: {port: west, layers: [%s, %s: {src: %d}], length: %d, signature: off}\n" % (name, to, layer, zero, length)
            text += "  %srun: {port: west, layers: [%s, %s: {src: {list: [%d, %d, %d]}}], length: %d, signature: off}\n" % (
                name, to, layer, zero - 1, zero, zero + 1, length)
            want[name] = "ffff" if proto == UDP else "0000"
        tool(HEAD + text, folder, count=3)
        ids = "  ip: {port: west, layers: [ipv4: {dst: 198.18.0.2, id: 0-65535}, udp], length: 64, signature: off}\n"
        tool(HEAD + ids, folder, count=65536)
        for name, value in want.items():
            at = (34 if "4" in name else 54) + (6 if "u" in name else 16)
            assert {f[at:at + 2].hex() for f in read(folder, name)} == {value}, name
            assert read(folder, name + "run")[1][at:at + 2].hex() == value, name
        assert [f[24:26] for f in read(folder, "ip")].count(b"\0\0") == 1 # each value but 0xffff once, one twice
        assert not [f for f in read(folder, "ip") if f[24:26] == b"\xff\xff"]
        print("checksums that are 0")


def sizes():
    """config_stream_sizes(): every stream at every size, checksums and all."""
    with tempfile.TemporaryDirectory() as folder:
        text = HEAD + "".join("  %s: {port: west, layers: %s%s}\n" % (name, layers, ", " + more if more else "")
                              for name, (layers, more, _) in CASES.items())
        wanted = [256, 1000, 9000]
        tool(text, folder, [str(n) for n in wanted], count=3)
        for name, (_, _, make) in CASES.items():
            for n in wanted:
                assert lens(folder, "%s@%d" % (name, n)) == [n] * 3
                for k, got in enumerate(read(folder, "%s@%d" % (name, n))):
                    compare(name, k, got, make(k), True)
        print("every stack at %d sizes" % len(wanted))


def main():
    stacks()
    values()
    payloads()
    zero_checksums()
    sizes()


if __name__ == "__main__":
    main()
