#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""queue_pairs.py - a router on two lcores with two queue pairs a port, against DPDK's vhost

usage: queue_pairs.py WEIR hosted|kvm|tcg

dpdk-testpmd plays two captures, one a queue, into each port over vhost-user and records what comes back, again one
file a queue. The packets must be those that a router on one lcore sends for the same captures: the same
frames the same number of times, and those of a flow in the same order, on one queue. A flow keeps to the queue
that the lcore owns which it meets, in both directions.
"""
import collections
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "apps"))
import demo  # noqa: E402

sys.path.insert(0, HERE)
import capfile  # noqa: E402
import two_homes  # noqa: E402

PORTS = ("wan", "lan")
FLOWS = 48
EACH = 16  # packets of a flow: all of a queue's together fit the rings
TCP, UDP = 6, 17
MACS = {"wan": ("02000000 0002", "02000000 02fe"), "lan": ("02000000 0001", "02000000 01fe")}
CONFIG = """
version: 1
function: router
lcores: {lcores}
ports:
  wan: {{device: "{wan}", addresses: [192.0.2.1/24], mac: "02:00:00:00:00:02"}}
  lan: {{device: "{lan}", addresses: [198.51.100.1/24], mac: "02:00:00:00:00:01"}}
neighbors:
  - {{port: wan, address: 192.0.2.10, mac: "02:00:00:00:02:fe"}}
  - {{port: lan, address: 198.51.100.10, mac: "02:00:00:00:01:fe"}}
"""


def checksum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    total = (total >> 16) + (total & 0xFFFF)
    return 0xFFFF ^ ((total >> 16) + total & 0xFFFF)


def packet(port, flow, number):
    """Number `number` of a flow as it comes in by `port`: from wan to lan, or what answers it."""
    ends = (bytes([192, 0, 2, 10]), 1000 + 7 * flow), (bytes([198, 51, 100, 10]), 2000 + 3 * flow)
    src, dst = ends if port == "wan" else ends[::-1]
    proto = (TCP, UDP)[flow % 2]
    payload = struct.pack("!II", flow, number)
    if proto == UDP:
        l4 = struct.pack("!HHHH", src[1], dst[1], 8 + len(payload), 0) + payload
    else:
        l4 = struct.pack("!HHIIBBHHH", src[1], dst[1], number, 0, 0x50, 0x10, 1024, 0, 0) + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(l4), number, 0, 64, proto, 0) + src[0] + dst[0]
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    own, host = (bytes.fromhex(m) for m in MACS[port])
    return own + host + b"\x08\x00" + head + l4


def inputs(folder):
    """{port: [capture a queue]}: half of the flows on each, not the half that the hash would choose."""
    files = {}
    for port in PORTS:
        files[port] = [os.path.join(folder, f"in-{port}-{q}.pcap") for q in (0, 1)]
        for q in (0, 1):
            flows = [f for f in range(FLOWS) if f // 2 % 2 == q]
            capfile.write(files[port][q], [(i, packet(port, f, i // len(flows)))
                                           for i, f in enumerate(flows * EACH)])
    return files


def expected(weir, folder, files):
    """{port: frames} of a router on one lcore."""
    config = os.path.join(folder, "one.yaml")
    with open(config, "w") as f:
        f.write(CONFIG.format(lcores=1, wan="null", lan="null"))
    command = [weir, "run", config, "--clock", "capture", "--json"]
    for port in PORTS:
        both = os.path.join(folder, f"both-{port}.pcap")
        capfile.write(both, sorted(capfile.read(files[port][0]) + capfile.read(files[port][1])))
        command += ["--port", f"{port}=pcap:{both},{folder}/one-{port}.pcap"]
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)
    return {p: two_homes.frames(os.path.join(folder, f"one-{p}.pcap")) for p in PORTS}


def testpmd(folder, files, sockets, log):
    """Plays once the other side is there: forwarding starts by command."""
    devices = []
    for i, port in enumerate(PORTS):
        play = ",".join(f"rx_pcap={f}" for f in files[port])
        keep = ",".join(f"tx_pcap={folder}/out-{port}-{q}.pcap" for q in (0, 1))
        devices += ["--vdev", f"net_pcap{i},{play},{keep}", "--vdev",
                    f"net_vhost{i},iface={sockets[port]},queues=2"]
    return subprocess.Popen(
        ["dpdk-testpmd", "--lcores=0@0,1@0", "--no-huge", "--no-pci", "--no-shconf", "-m", "256",
         *devices, "--", "-i", "--total-num-mbufs=16384", "--nb-cores=1", "--rxq=2", "--txq=2",
         "--port-topology=paired", "--no-lsc-interrupt", "--disable-link-check", "--no-flush-rx",
         "--txd=1024", "--rxd=1024"],
        stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, text=True)


def wait(what, test, seconds=30):
    until = time.monotonic() + seconds
    while not test():
        if time.monotonic() > until:
            raise demo.Failed(f"waited {seconds} s for {what}")
        time.sleep(0.05)


def router(weir, home, folder, sockets):
    config = os.path.join(folder, "two.yaml")
    with open(config, "w") as f:
        if home == "hosted":
            f.write(CONFIG.format(lcores=2, **{p: f"virtio-user:{sockets[p]}" for p in PORTS}))
        else:
            f.write(CONFIG.format(lcores=2, wan="virtio:0", lan="virtio:1"))
    if home == "hosted":
        command = [weir, "run", config, "--json"]
    else:
        command = [weir, "boot", config, "--json", "--accel", home]
        for p in PORTS:
            command += ["--vhost", f"{p}={sockets[p]}"]
    return command


def sent(folder):
    """{port: [frames a queue]} recorded so far."""
    files = {p: [os.path.join(folder, f"out-{p}-{q}.pcap") for q in (0, 1)] for p in PORTS}
    return {p: [two_homes.frames(f) for f in files[p]] for p in PORTS}


def compare(want, got):
    wrong, queue = [], {}
    for port in PORTS:
        wrong += two_homes.compare(port, want[port], got[port][0] + got[port][1], two_homes.flow)
        for q in (0, 1):
            for frame in got[port][q]:
                l4 = frame[34:38] if port == "lan" else frame[36:38] + frame[34:36]
                queue.setdefault(l4 + frame[23:24], set()).add(q)
    torn = [k.hex() for k, v in queue.items() if len(v) != 1]
    used = collections.Counter(q for v in queue.values() for q in v)
    if torn:
        wrong.append(f"flows that left by both queues: {torn}")
    if len(queue) != FLOWS or len(used) != 2:
        wrong.append(f"{len(queue)} flows by queues {dict(used)}: expected {FLOWS} by both")
    return wrong, used


def run(weir, home, folder):
    sockets = {p: os.path.join(folder, p + ".sock") for p in PORTS}
    files = inputs(folder)
    want = expected(weir, folder, files)
    logs = [open(os.path.join(folder, n), "w+") for n in ("testpmd.log", "router.log")]
    peer = testpmd(folder, files, sockets, logs[0])
    dut = None
    try:
        wait("testpmd's sockets", lambda: all(os.path.exists(s) for s in sockets.values()))
        time.sleep(demo.SETTLE)
        dut = subprocess.Popen(router(weir, home, folder, sockets), stdout=subprocess.PIPE, text=True,
                               stderr=logs[1])
        said = lambda: open(logs[1].name).read()  # noqa: E731
        wait("the router's ports", lambda: dut.poll() is not None or said().count("queue 1 lcore 1") == 2)
        time.sleep(1)
        peer.stdin.write("start\n")
        peer.stdin.flush()
        time.sleep(4)
        figures = json.loads(demo.end(dut) or "{}")
        if dut.returncode:
            raise demo.Failed(f"the router ended with {dut.returncode}")
        peer.stdin.write("stop\nquit\n")
        peer.stdin.flush()
        peer.wait(timeout=20)
        return want, sent(folder), figures
    except demo.Failed as why:
        raise demo.Failed("\n".join([str(why)] + [open(l.name).read()[-3000:] for l in logs]))
    finally:
        for child in (dut, peer):
            if child and child.poll() is None:
                demo.end(child, signal.SIGTERM)


def main():
    weir, home = sys.argv[1:3]
    if os.cpu_count() < 2 or not shutil.which("dpdk-testpmd"):
        print("SKIP: two CPUs and dpdk-testpmd are needed")
        return 77
    if home == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("SKIP: /dev/kvm cannot be opened here")
        return 77
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        try:
            want, got, figures = run(weir, home, folder)
        except demo.Failed as why:
            print(why)
            return 1
    wrong, used = compare(want, got)
    for k, f in figures["lcores"].items():
        if not f["given"] or not f["taken"]:
            wrong.append(f"lcore {k}: nothing was handed over: {f}")
    if not figures["accounting"]["balanced"]:
        wrong.append(f"the books do not balance: {figures['accounting']}")
    for line in wrong:
        print(line)
    print(f"{home}: {sum(len(w) for w in want.values())} frames of {FLOWS} flows there and back, by queue "
          f"{dict(used)}: {'different' if wrong else 'as from one lcore'}; drops {figures['drops']}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
