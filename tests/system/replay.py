#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""weir replay: what it sends, compared with what scapy makes of the same captures

usage: replay.py WEIR [FOLDER]

Packets go into a recording port, and are compared byte by byte. Checksums are scapy's. FOLDER (default
../shared/data/pcap-tcpdump beside the project): captures whose packets capinfos counts, too.
"""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

from scapy.all import (ARP, ICMP, IP, TCP, UDP, Dot1Q, Ether, ICMPv6EchoRequest, IPv6, IPv6ExtHdrFragment, Raw, DNS,
                       DNSQR)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import capfile  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WEIR = os.path.abspath(sys.argv[1])
FOLDER = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT.parent / "shared/data/pcap-tcpdump"
WAN = str(ROOT / "tests/captures/router-wan.pcap")
A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
START = 1_600_000_000 * capfile.NSEC
failures = []


def check(what, good, *more):
    if not good:
        failures.append(what + "".join(f"\n    {m}" for m in more))


def replay(*args, ports=("out",), status=0, stdin=subprocess.DEVNULL, what=""):
    """The frames each port recorded, the figures, and what was said on standard error."""
    outs = {name: f"{os.getcwd()}/{name}.out.pcap" for name in ports}
    words = [w for name in ports for w in ("--port", f"{name}=pcap:,{outs[name]}")]
    done = subprocess.run([WEIR, "replay", *args, *words, "--json"], capture_output=True, text=True, timeout=60,
                          **({"input": stdin} if isinstance(stdin, str) else {"stdin": stdin}))
    check(f"{what or args}: exit {done.returncode}, expected {status}", done.returncode == status, done.stderr)
    figures = json.loads(done.stdout) if done.stdout else {}
    if figures:
        check(f"{what or args}: the books", figures["accounting"]["balanced"] == 1, figures["accounting"])
    return {name: [f for _, f in capfile.read(path)] if os.path.exists(path) else [] for name, path in outs.items()}, \
        figures, done.stderr


def save(name, packets, gap=1000):
    capfile.write(name, [(START + i * gap, bytes(p)) for i, p in enumerate(packets)])
    return name


def rebuilt(frame):
    """The frame with every checksum computed anew by scapy."""
    p = Ether(frame)
    layer = p
    while layer:
        for field in ("chksum", "cksum"):
            if field in layer.fields:
                delattr(layer, field)
        layer = layer.payload
    return bytes(p)


def udp4(i=0, src="10.1.2.3", dst="10.9.8.7", data=b"0123456789"):
    return Ether(src=A, dst=B) / IP(src=src, dst=dst, id=i, ttl=9) / UDP(sport=1000 + i, dport=80) / Raw(data)


def kinds():
    eth = Ether(src=A, dst=B)
    six = IPv6(src="2001:db8:1::1", dst="2001:db8:2::2", hlim=9)
    return [udp4(), eth / IP(src="10.1.2.3", dst="10.9.8.7", ttl=9) / TCP(sport=80, dport=1) / Raw(b"abc"),
            eth / IP(src="10.1.2.3", dst="10.9.8.7", ttl=9) / ICMP() / Raw(b"ping"),
            eth / Dot1Q(vlan=5, prio=3) / IP(src="10.1.2.3", dst="10.9.8.7", ttl=9) / UDP(sport=80, dport=80) / Raw(b"x"),
            eth / six / UDP(sport=80, dport=9) / Raw(b"six"), eth / six / TCP(sport=7, dport=80),
            eth / Dot1Q(vlan=6) / Dot1Q(vlan=7) / six / ICMPv6EchoRequest(data=b"p"),
            eth / six / IPv6ExtHdrFragment(offset=9) / Raw(b"fragment of something"),
            eth / ARP(op=1, hwsrc=A, psrc="10.1.2.3", pdst="10.9.8.7")]


def same_bytes():
    want = [f for _, f in capfile.read(WAN)]
    for mode in ("--preload", "--stream"):
        for loops in (1, 3):
            got, figures, _ = replay(WAN, "--speed", "top", mode, "--loops", str(loops))
            check(f"{mode}, {loops} loops: {len(got['out'])} frames as captured", got["out"] == want * loops)
            check(f"{mode}: loops", figures["replay"]["loops"] == loops, figures["replay"])


def timing():
    """Not early in all, and every error counted. How late, is the machine's affair."""
    times = [0, 1, 20_000_000, 20_000_001, 35_000_000, 90_000_000]
    capfile.write("t.pcap", [(START + t, bytes(udp4(i))) for i, t in enumerate(times)])
    for args, scale in ((["--speed", "captured"], 1), (["--speed", "x2"], 0.5), (["--speed", "x0.5", "--stream"], 2)):
        _, figures, _ = replay("t.pcap", *args)
        ns = figures["replay"]["ns"]
        check(f"{args}: over after {ns} ns", ns >= times[-1] * scale * 0.999)
        check(f"{args}: errors", figures["replay"]["error_ns"]["count"] == len(times), figures["replay"])
    _, figures, _ = replay("t.pcap", "--max-gap", "1ms")
    check("max-gap", figures["replay"]["ns"] < 80_000_000 and figures["replay"]["cut_gaps"] == 3, figures["replay"])
    for rate, ns in (("10kpps", 500_000), ("{l1: 8.16M}", 500_000), ("{l2: 5600k}", 571_000)):
        save("r.pcap", [udp4(i, data=bytes(78 - 42)) for i in range(6)])
        _, figures, _ = replay("r.pcap", "--speed", rate)
        check(f"{rate}: {figures['replay']['ns']} ns", figures["replay"]["ns"] >= ns * 0.99, figures["replay"])


def rewriting():
    frames = kinds()
    save("k.pcap", frames)
    got, _, _ = replay("k.pcap", "--speed", "top", "--map", "10.0.0.0/8:192.0.0.0/8;2001:db8:1::/48:fd00:1:2::/48",
                       "--map-port", "80:8080", "--ttl", "-2", "--src-mac", "02:00:00:00:00:99", "--dst-mac",
                       "out=02:00:00:00:00:88")
    want = []
    for p in frames:
        q = Ether(bytes(p))
        q.src, q.dst = "02:00:00:00:00:99", "02:00:00:00:00:88"
        if q.haslayer(IP):
            q[IP].src, q[IP].dst, q[IP].ttl = "192.1.2.3", "192.9.8.7", 7
        if q.haslayer(ARP):
            q[ARP].psrc, q[ARP].pdst = "192.1.2.3", "192.9.8.7"
        if q.haslayer(IPv6):
            q[IPv6].src, q[IPv6].hlim = "fd00:1:2::1", 7
        for layer in (UDP, TCP):
            for end in ("sport", "dport"):
                if q.haslayer(layer) and getattr(q[layer], end) == 80:
                    setattr(q[layer], end, 8080)
        want.append(rebuilt(bytes(q)))
    for i, (g, w) in enumerate(zip(got["out"], want)):
        check(f"rewritten frame {i}", g == w, g.hex(), w.hex())
    check("all rewritten", len(got["out"]) == len(want))
    for vlan, tags in (("none", []), ("9", [9])):
        got, _, _ = replay("k.pcap", "--speed", "top", "--vlan", vlan)
        for g, p in zip(got["out"], frames):
            q, seen = Ether(g), []
            while q.haslayer(Dot1Q):
                seen.append(q[Dot1Q].vlan)
                q = q[Dot1Q].payload
            check(f"vlan {vlan}: {seen}", seen == tags)
            inner = Ether(bytes(p))
            while isinstance(inner.payload, Dot1Q):
                inner.payload = inner.payload.payload
            check("behind the tags", bytes(q if tags else q.payload)[-20:] == bytes(inner.payload)[-20:])


def unique():
    save("k.pcap", kinds())
    for mode in ("--preload", "--stream"):
        got, _, _ = replay("k.pcap", "--speed", "top", "--loops", "3", "--unique", "256", mode)
        n = len(kinds())
        for i, g in enumerate(got["out"]):
            q, loop = Ether(g), i // n
            check(f"{mode}: checksums of frame {i}", rebuilt(g) == g)
            if q.haslayer(IP):
                check(f"{mode}: frame {i}", (q[IP].src, q[IP].dst) == (f"10.1.{2 + loop}.3", f"10.9.{8 + loop}.7"), q)
            if q.haslayer(IPv6):
                check(f"{mode}: frame {i}", q[IPv6].src == ("2001:db8:1::1" if not loop else f"2001:db8:1::{loop}01"))
        check(f"{mode}: frames", len(got["out"]) == 3 * n)


def lengths():
    save("l.pcap", [udp4(i, data=bytes([i]) * n) for i, n in enumerate((5, 500))])
    got, _, _ = replay("l.pcap", "--speed", "top", "--truncate", "100", "--pad", "60", "--fix")
    check("lengths", [len(f) for f in got["out"]] == [60, 100])
    check("fixed", all(rebuilt(f)[:58] == f[:58] for f in got["out"]) and Ether(got["out"][1])[UDP].len == 66)
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    whole = bytes(udp4(data=bytes(100)))
    pathlib.Path("s.pcap").write_bytes(head + struct.pack("<IIII", 1, 0, 50, len(whole)) + whole[:50] +
                                       struct.pack("<IIII", 1, 0, len(whole), len(whole)) + whole)
    for how, want in (("send", [whole[:50], whole]), ("pad", [whole[:50] + bytes(len(whole) - 50), whole]),
                      ("skip", [whole])):
        got, figures, _ = replay("s.pcap", "--speed", "top", "--snapped", how)
        check(f"snapped {how}", got["out"] == want and figures["replay"]["snapped"] == 1, figures["replay"])


def pcapng(order, blocks):
    """blocks: ("i", link type, name) or ("p", interface, frame)"""
    def block(kind, body):
        body += bytes(-len(body) % 4)
        return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)
    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    for i, (what, number, data) in enumerate(blocks):
        if what == "i":
            name = data.encode()
            out += block(1, struct.pack(order + "HHIHH", number, 0, 0, 2, len(name)) + name + bytes(-len(name) % 4))
        else:
            out += block(6, struct.pack(order + "IIIII", number, 0, i, len(data), len(data)) + data)
        out += block(0xBAD, b"passed over")
    return out


def splits():
    ports = ("a", "b")
    client, server = "10.0.0.1", "10.0.0.2"
    out = lambda i, **f: Ether(src=A, dst=B) / IP(src=client, dst=server, id=i) / TCP(sport=999, dport=9, **f)  # noqa
    back = lambda i, **f: Ether(src=B, dst=A) / IP(src=server, dst=client, id=i) / TCP(sport=9, dport=999, **f)  # noqa
    dns = Ether(src=A, dst=B) / IP(src="10.0.0.5", dst=server) / UDP(sport=53000, dport=53) / DNS(qd=DNSQR(qname="x."))
    talk = [back(0, flags="A"), out(1, flags="S"), back(2, flags="SA"), out(3, flags="A"), dns, back(4, flags="FA"),
            out(5, flags="R")]
    want = {"a": [talk[i] for i in (1, 3, 4, 6)], "b": [talk[i] for i in (0, 2, 5)]}
    save("talk.pcap", talk)
    for split in ("client", "10.0.0.1/32,10.0.0.5/32", A):
        got, _, _ = replay("talk.pcap", "--speed", "top", "--split", split, ports=ports)
        for port in ports:
            check(f"split {split}: port {port}", got[port] == [bytes(p) for p in want[port]], len(got[port]))
    save("one.pcap", talk[:3])
    save("two.pcap", talk[3:])
    got, _, _ = replay("one.pcap", "two.pcap", "--speed", "top", ports=ports)
    check("split by file", got == {"a": [bytes(p) for p in talk[:3]], "b": [bytes(p) for p in talk[3:]]})
    for order in "<>":
        blocks = [("i", 1, "eth0"), ("i", 113, "any"), ("p", 0, bytes(talk[0])), ("p", 1, bytes(40)), ("i", 1, "eth1"),
                  ("p", 2, bytes(talk[1])), ("p", 0, bytes(talk[2]))]
        pathlib.Path("i.pcapng").write_bytes(pcapng(order, blocks))
        yaml = ("version: 1\nfunction: replay\nports: {a: {device: 'null:'}, b: {device: 'null:'}}\nreplay:\n  captures: "
                "[{file: i.pcapng, split: interface, ports: {eth0: a, 2: b}}]\n  speed: top\n")
        pathlib.Path("i.yaml").write_text(yaml)
        got, figures, _ = replay("i.yaml", ports=ports)
        check("split by interface", got == {"a": [bytes(talk[0]), bytes(talk[2])], "b": [bytes(talk[1])]})
        check("another link type", figures["replay"]["other_link"] == 1, figures["replay"])


def odd_files():
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0, 1)
    frame = bytes(udp4())
    record = lambda sec, data=frame: struct.pack("<IIII", sec, 0, len(data), len(data)) + data  # noqa: E731
    pathlib.Path("none.pcap").write_bytes(head)
    got, figures, _ = replay("none.pcap", "--loops", "forever")
    check("no packets", not got["out"] and figures["replay"]["packets"] == 0)
    replay("none.pcap", "--stream", "--loops", "forever")
    pathlib.Path("byte.pcap").write_bytes(head[:1])
    _, _, said = replay("byte.pcap", status=2)
    check("one byte", "byte.pcap" in said, said)
    pathlib.Path("cut.pcap").write_bytes(head + record(1) + record(1)[:-1])
    for mode in ("--preload", "--stream"):
        got, _, said = replay("cut.pcap", "--speed", "top", mode, status=1)
        check(f"cut {mode}", got["out"] == [frame] and "record 2, at byte 92" in said if len(frame) == 52 else
              got["out"] == [frame] and "record 2, at byte" in said, said)
    # 2106, then 1970, then in order again: sent at once, each but the gap that is real.
    pathlib.Path("wild.pcap").write_bytes(head + record(0xFFFFFFFF) + record(5) + record(0xFFFFFFFF))
    got, figures, _ = replay("wild.pcap")
    check("stamps that go back", len(got["out"]) == 3 and figures["replay"]["backwards"] == 1, figures["replay"])
    long = bytes(udp4(data=bytes(65000))) + bytes(65535 - 65042)
    pathlib.Path("long.pcap").write_bytes(head + record(1, long) + record(1, b"") + record(1, b"x"))
    for mode in ("--preload", "--stream"):
        got, figures, _ = replay("long.pcap", "--speed", "top", "--loops", "2", mode)
        check(f"65,535 bytes {mode}", got["out"] == [long, b"", b"x"] * 2, [len(f) for f in got["out"]])


def steps():
    save("k.pcap", kinds())
    got, _, _ = replay("k.pcap", "--speed", "step", stdin="3\n\nnonsense\nq\n")
    check(f"step: {len(got['out'])} frames", got["out"] in ([bytes(p) for p in kinds()[:n]] for n in (0, 1, 2, 3, 4)))
    done = subprocess.Popen([WEIR, "replay", "k.pcap", "--speed", "step", "--port", "out=pcap:,step.pcap"],
                            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
    done.stdin.write(f"3\n\n{len(kinds()) - 4}\n")
    done.stdin.flush()
    check("step: ends", done.wait(20) == 0)
    done.stdin.close()
    check("step: all", [f for _, f in capfile.read("step.pcap")] == [bytes(p) for p in kinds()])


def refusals():
    save("k.pcap", kinds())
    for args, word in ((["--speed", "fast"], "expected captured"), (["--split", "client"], "two ports"),
                       (["--loops", "0"], "forever"), (["--vlan", "4095"], "4094"), (["--map", "1.0.0.0/8:2.0.0.0/9"], "/8"),
                       (["missing.pcap"], "missing.pcap: cannot open"), (["--ttl", "0"], "255")):
        _, _, said = replay("k.pcap", *args, status=2)
        check(f"{args}: {word}", word in said, said)
    with open("k.yaml", "w", encoding="ascii") as f:
        f.write("version: 1\nfunction: replay\nports: {a: {device: 'null:'}}\n"
                "replay: {captures: [{file: k.pcap, to: a}, {file: missing.pcap, to: a}]}\n")
    done = subprocess.run([WEIR, "check", "k.yaml"], capture_output=True, text=True, timeout=20)
    check("weir check opens captures", done.returncode == 2 and "missing.pcap: cannot open" in done.stderr and
          " k.pcap" not in done.stderr, done)


def capinfos():
    """Packets of many files, as Wireshark's library counts them."""
    files = sorted(str(f) for f in FOLDER.glob("*cap*"))[:200] if FOLDER.is_dir() else []
    if not files or not shutil.which("capinfos"):
        return
    out = subprocess.run(["capinfos", "-c", "-M", "-T", "-r", "-B", "-Q"] + files, capture_output=True, text=True,
                         timeout=60).stdout
    count = {}
    for line in out.splitlines():
        words = [w.strip('"') for w in line.split("\t")]
        if len(words) >= 2 and words[1].isdigit():
            count[words[0]] = int(words[1])
    good = [f for f in files if f in count]
    for i in range(0, len(good), 50):
        part = good[i:i + 50]
        done = subprocess.run([WEIR, "replay", *part, "--port", "out=null:", "--speed", "top", "--json"],
                              capture_output=True, text=True, timeout=60)
        if done.returncode == 0:
            r = json.loads(done.stdout)["replay"]
            want = sum(count[f] for f in part)
            check(f"capinfos: {want} packets", r["read"] + r["other_link"] == want, r, part[0], part[-1])
        else:
            check("captures of which one breaks off", done.returncode == 1 or "captures" in done.stderr, done.stderr)


def main():
    with tempfile.TemporaryDirectory() as where:
        os.chdir(where)
        for test in (same_bytes, timing, rewriting, unique, lengths, splits, odd_files, steps, refusals, capinfos):
            before = len(failures)
            test()
            print(f"{test.__name__}: {'ok' if len(failures) == before else 'FAIL'}", flush=True)
        os.chdir("/")
    for f in failures[:20]:
        print("FAIL:", f)
    sys.exit(bool(failures))


main()
