#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""weir replay with goldens: verdicts on packets that scapy expects, and what tshark reads of the capture of a run.

usage: verdict.py WEIR [FOLDER]

Goldens are made by scapy from the RFCs (a router takes one off the TTL and writes its own MAC addresses), never from
Weir's own output, but where --accept is tested. With FOLDER the files of docs/verdicts.md's example stay there.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import capfile  # noqa: E402
from scapy.all import ICMP, IP, TCP, UDP, Ether, Raw  # noqa: E402

NOON = 1_790_000_000 // 86400 * 86400 + 12 * 3600  # of some day, UTC
WAN, LAN = "02:00:00:00:00:01", "02:00:00:00:00:02"
PEER, HOST = "02:00:00:00:00:aa", "02:00:00:00:00:bb"
CONFIG = f"""version: 1
function: router
ports:
  wan: {{device: "virtio:0", addresses: [192.0.2.1/24], mac: "{WAN}"}}
  lan: {{device: "virtio:1", addresses: [198.51.100.1/24], mac: "{LAN}"}}
neighbors:
  - {{port: wan, address: 192.0.2.9, mac: "{PEER}"}}
  - {{port: lan, address: 198.51.100.7, mac: "{HOST}"}}
"""
RA = f"""version: 1
function: router
ports:
  wan: {{device: "virtio:0", addresses: [192.0.2.1/24], mac: "{WAN}"}}
  lan: {{device: "virtio:1", addresses: ["2001:db8::1/64"], mac: "{LAN}", ra: {{}}}}
"""
failures = []


def check(what, good, detail=""):
    if not good:
        failures.append(what)
        print(f"FAILED: {what}: {detail}")


def packets():
    """What comes in by wan: seven for the host behind lan; the fourth has no TTL left."""
    ip = {"src": "192.0.2.9", "dst": "198.51.100.7"}
    frames = [IP(**ip, id=100 + i, ttl=1 if i == 3 else 63) / UDP(sport=4000 + i, dport=53) / Raw(bytes([i] * 20))
              for i in range(6)]
    frames.append(IP(**ip, id=200, ttl=64) / TCP(sport=80, dport=5000, seq=7, flags="A") / Raw(b"data"))
    return [((NOON * 1000 + i) * 1_000_000 + 123_000, Ether(src=PEER, dst=WAN) / p) for i, p in enumerate(frames)]


def forwarded(frame):
    out = frame.copy()
    out[Ether].src, out[Ether].dst = LAN, HOST
    out[IP].ttl -= 1
    return out


def time_exceeded(frame):
    """RFC 792, RFC 1812 4.3.2: from the address of the port, precedence 6, as much of the packet as fits."""
    return (Ether(src=WAN, dst=PEER) / IP(src="192.0.2.1", dst="192.0.2.9", tos=0xc0, id=0, flags="DF", ttl=64) /
            ICMP(type=11) / Raw(bytes(frame[IP])))


class Bed:
    def __init__(self, weir, folder):
        self.weir, self.folder = weir, folder
        self.write("router.yaml", CONFIG)
        self.come = packets()
        self.save("wan.pcap", self.come)
        self.out = [(t, forwarded(f)) for i, (t, f) in enumerate(self.come) if i != 3]
        self.back = [(self.come[3][0], time_exceeded(self.come[3][1]))]
        self.save("want-lan.pcap", self.out)
        self.save("want-wan.pcap", self.back)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)

    def save(self, name, frames):
        capfile.write(self.path(name), [(t, bytes(f)) for t, f in frames])

    def digest(self, name):
        with open(self.path(name), "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()

    def run(self, *args, config="router.yaml", wan="wan.pcap"):
        command = [self.weir, "replay", config, "--in", f"wan={wan}", *args]
        return subprocess.run(command, cwd=self.folder, text=True, capture_output=True, timeout=60)

    def verdict(self, *args, **kw):
        done = self.run("--json", *args, **kw)
        return done.returncode, json.loads(done.stdout)


BOTH = ("--golden", "wan=want-wan.pcap", "--golden", "lan=want-lan.pcap")


def test_as_expected(bed):
    code, v = bed.verdict(*BOTH, "--time-tolerance", "0")
    check("scapy's goldens are what the router sends", code == 0 and v["as_expected"] and v["packets"] == [], v)
    check("what was dropped", v["dropped"] == {"ip4-rewrite: ttl-exceeded": 1}, v)
    check("counts", v["ports"]["lan"] == {"received": 0, "sent": 6, "golden": 6, "expected": 6, "moved": 0, "different": 0,
                                          "missing": 0, "unexpected": 0}, v)


def test_differences(bed):
    """A golden that says otherwise in every way there is: the lines of docs/verdicts.md."""
    want = [(t, f.copy()) for t, f in bed.out]
    want[1][1][IP].ttl = 61                                   # packet 2 would have been sent with 61
    want[2][1][Raw].load = b"\x02" * 19 + b"\xff"             # packet 3: another last byte
    want.insert(3, (bed.come[3][0], forwarded(bed.come[3][1])))  # packet 4 would have passed
    want[3][1][IP].ttl = 62
    del want[4]                                               # packet 5 would not
    want.append((want[-1][0] + 5_000_000, Ether(src=LAN, dst=HOST) / IP(src="203.0.113.5", dst="198.51.100.7") / ICMP()))
    bed.save("other-lan.pcap", want)
    bed.save("nothing.pcap", [])
    done = bed.run("--golden", "lan=other-lan.pcap", "--golden", "wan=nothing.pcap", "--out", "got.pcapng")
    at = "12:00:00.00{}123".format
    lines = [
        f"packet 2 (wan, {at(1)}): different on lan (golden packet 2): ip.ttl 62, expected 61",
        f"packet 3 (wan, {at(2)}): different on lan (golden packet 3): payload 1 of 20 bytes differ, the first at 19: "
        "0x02, expected 0xff",
        f"packet 4 (wan, {at(3)}): unexpected on wan: icmp time-exceeded 192.0.2.1 > 192.0.2.9, 90 bytes, "
        "made by ip4-rewrite",
        f"packet 4 (wan, {at(3)}): missing on lan (golden packet 4): dropped by ip4-rewrite: ttl-exceeded",
        f"packet 5 (wan, {at(4)}): unexpected on lan: udp 192.0.2.9:4004 > 198.51.100.7:53, 62 bytes",
        "golden packet 7 (lan, 12:00:00.011123): missing: nothing else that came in is like it: icmp echo-request "
        "203.0.113.5 > 198.51.100.7, 42 bytes",
    ]
    check("exit 1", done.returncode == 1, done)
    check("lines", done.stdout.splitlines()[:6] == lines, done.stdout)
    check("summary", re.search(r"^lan +0 +6 +7 +3 +2 +0 +2 +1$", done.stdout, re.M), done.stdout)
    check("reasons", re.search(r"^missing +1  dropped by ip4-rewrite: ttl-exceeded$", done.stdout, re.M), done.stdout)
    check("drops", re.search(r"^dropped +1  ip4-rewrite: ttl-exceeded$", done.stdout, re.M), done.stdout)


def test_capture(bed):
    """What tshark reads of the capture of the last run."""
    fields = ["frame.time_epoch", "frame.interface_name", "frame.comment", "ip.ttl", "frame.len"]
    done = subprocess.run(["tshark", "-r", bed.path("got.pcapng"), "-T", "fields", *[w for f in fields for w in ("-e", f)]],
                          text=True, capture_output=True, timeout=60)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    check("tshark reads it", done.returncode == 0 and "malformed" not in done.stderr.lower(), done.stderr)
    check("interfaces", [r[1] for r in rows] == ["lan", "lan", "lan", "wan", "lan:missing", "lan", "lan", "lan",
                                                 "lan:missing"], rows)
    check("times", rows[0][0] == f"{NOON}.000123000" and rows[8][0] == f"{NOON}.011123000", rows)
    comment = rows[1][2].replace("\\n", "\n").split("\n")
    check("comment", comment == ["different: ip.ttl 62, expected 61", "golden packet 2", "from packet 2 of wan",
                                 "path eth-input > ip4-input > ip4-lookup > ip4-rewrite > tx-lan"], comment)
    check("why it is missing", rows[4][2].startswith("missing: dropped by ip4-rewrite: ttl-exceeded") and
          "eth-input > ip4-input > ip4-lookup > ip4-rewrite" in rows[4][2], rows[4])
    check("who made it", "because of packet 4 of wan" in rows[3][2] and "path ip4-rewrite > icmp-error > ip4-output > tx-wan" in rows[3][2], rows[3])
    check("what was sent", rows[1][3] == "62" and rows[6][3] == "62" and rows[7][3] == "63", rows)
    # As a golden it holds what each port sent, and no more: interfaces of other names do not count.
    code, v = bed.verdict("--golden", "lan=got.pcapng", "--golden", "wan=got.pcapng", "--time-tolerance", "0")
    check("the capture of a run is a golden of all its ports", code == 0 and v["as_expected"], v)


def test_options(bed):
    late = [(t + 2_000_000, f.copy()) for t, f in bed.out]
    for _, f in late:
        f[IP].id, f[Ether].dst = 0, "02:00:00:00:00:cc"
    late[0], late[1] = (late[0][0], late[1][1]), (late[1][0], late[0][1])
    bed.save("late.pcap", late)
    code, v = bed.verdict("--golden", "lan=late.pcap")
    check("different in two fields", code == 1 and v["ports"]["lan"]["different"] == 6 and
          [f["field"] for f in v["packets"][0]["fields"]] == ["eth.dst", "ip.id"], v)
    check("values", v["packets"][0]["fields"][0]["got"] == HOST and v["packets"][0]["fields"][1]["expected"] == "0x0000", v)
    code, v = bed.verdict("--golden", "lan=late.pcap", "--ignore", "eth.dst,ip.id")
    check("one has moved", code == 1 and v["ports"]["lan"]["moved"] == 1 and v["ports"]["lan"]["expected"] == 5, v)
    code, v = bed.verdict("--golden", "lan=late.pcap", "--ignore", "eth,ip.id,order")
    check("ignored", code == 0 and v["ports"]["lan"]["expected"] == 6, v)
    code, v = bed.verdict("--golden", "lan=late.pcap", "--ignore", "eth,ip.id,order", "--time-tolerance", "3ms")
    check("within tolerance", code == 0, v)
    code, v = bed.verdict("--golden", "lan=late.pcap", "--ignore", "eth,ip.id,order", "--time-tolerance", "900us")
    check("too early", code == 1 and v["packets"][1]["time"].endswith("s too early"), v)
    for args in (("--ignore", "ip.tttl"), ("--golden", "nix=a.pcap"), ("--golden", "lan=not-there.pcap"), ("--accept",),
                 ("--time-tolerance", "-1s"), ("--out", "x.pcap"), ("--golden", "lan=wan.pcap", "--accept"),
                 ("--golden", "lan=late.pcap", "--out", "late.pcap"), ("--in", "wan=wan.pcap"), ("--lines", "x")):
        done = bed.run(*args)
        check(f"usage {args}", done.returncode == 2 and done.stderr.startswith("weir replay: "), done)
    code, v = bed.verdict()
    check("without a golden there is no verdict", code == 0 and v["as_expected"] is None, v)
    done = subprocess.run([bed.weir, "replay", "--in", "--help"], capture_output=True, text=True, timeout=20)
    check("--in --help helps", done.returncode == 0 and "--golden" in done.stdout, done)


def test_accept(bed):
    names = ("new-lan.pcapng", "new-wan.pcap", "run.pcapng")
    args = ("--golden", "lan=new-lan.pcapng", "--golden", "wan=new-wan.pcap", "--out", "run.pcapng")
    check("accepts", bed.run(*args, "--accept").returncode == 0)
    check("what was sent is the golden", [bytes(f) for _, f in bed.out] ==
          [f for _, f in capfile.read(bed.path("new-lan.pcapng"))])
    first = [bed.digest(n) for n in names]
    check("accepts again", bed.run(*args, "--accept").returncode == 0)
    check("the same goldens", first[:2] == [bed.digest(n) for n in names[:2]])
    check("as expected by itself", bed.run(*args, "--time-tolerance", "0").returncode == 0)
    once = bed.digest("run.pcapng")
    bed.run(*args, "--time-tolerance", "0")
    check("the same capture, byte by byte", once == bed.digest("run.pcapng"))
    with open(bed.path("wan.pcap"), "rb") as f:
        whole = f.read()
    with open(bed.path("cut.pcap"), "wb") as f:
        f.write(whole[:-10])
    done = bed.run(*args[:4], "--accept", wan="cut.pcap")
    check("a capture that breaks off makes no golden", done.returncode == 1 and
          first[:2] == [bed.digest(n) for n in names[:2]] and "cut.pcap" in done.stderr, done)
    left = [n for n in os.listdir(bed.folder) if ".tmp" in n or re.search(r"\.\d+\.pcapng$", n)]
    check("no temporary files", left == [], left)


def test_year(bed):
    """A packet every 30 days for a year, and router advertisements in between (RFC 4861, 6.2.4: 200 to 600 s)."""
    bed.write("ra.yaml", RA)
    day = 86400 * 1_000_000_000
    bed.save("year.pcap", [(NOON * 1_000_000_000 + i * 30 * day, bed.come[0][1]) for i in range(13)])
    results = []
    for _ in range(2):
        code, v = bed.verdict("--golden", "lan=year-lan.pcapng", "--accept", "--out", "year.pcapng", config="ra.yaml",
                              wan="year.pcap")
        check("a year", code == 0 and v["clock_jumps"] == 0, v)
        results.append((bed.digest("year-lan.pcapng"), bed.digest("year.pcapng").__len__()))
    frames = capfile.read(bed.path("year-lan.pcapng"))
    times = [t for t, f in frames if f[12:14] == b"\x86\xdd" and f[54] == 134]
    gaps = [b - a for a, b in zip(times, times[1:])]
    check("the same advertisements twice", results[0] == results[1], results)
    check("advertisements all year long", 360 * day // 600_000_000_000 <= len(times) <= 360 * day // 200_000_000_000 + 9,
          len(times))
    check("at their times", all(200_000_000_000 <= g <= 600_000_000_000 for g in gaps[3:]), (min(gaps[3:]), max(gaps)))
    check("not at one of a few times only", len(set(gaps)) > len(gaps) // 2)
    outs = []
    for name in ("one.pcap", "two.pcap"):
        subprocess.run([bed.weir, "run", "ra.yaml", "--port", "wan=pcap:year.pcap,", "--port", f"lan=pcap:,{name}"],
                       cwd=bed.folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        outs.append(capfile.read(bed.path(name)))
    check("the same by weir run", len(outs[0]) > 1000 and outs[0] == outs[1])


def main():
    weir = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        if len(sys.argv) > 2:
            folder = sys.argv[2]
        bed = Bed(weir, folder)
        for test in (test_as_expected, test_differences, test_capture, test_options, test_accept, test_year):
            test(bed)
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
