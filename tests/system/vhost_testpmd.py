#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""virtio-user ports beside DPDK's own vhost-user back end (dpdk-testpmd, net_vhost): every packet, every byte.

usage: vhost_testpmd.py WEIR

echo: a capture goes out by the port, comes back from testpmd, and is recorded. file: testpmd records what it got
itself (net_pcap). Split and packed rings, either side the socket's server, frames of 60 to 9,000 bytes. Both
sides' counts must agree with the capture's to the packet, and the bytes must be the same in the same order. What
testpmd says it dropped, for want of buffers in our ring when the machine had no time for us, need not come back.
Last, two queue pairs on two lcores, generated frames, counted.
"""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import capfile

FRAMES = 3000
WAIT = 120
CONFIG = """version: 1
function: patch
ports:
  capture: {device: "pcap:in.pcap,out.pcap", mtu: 9000}
  a: {device: "virtio-user:b.sock,%s", mtu: 9000%s}
patches: [{from: capture, to: a}, {from: a, to: capture}]
"""
PAIRS = """version: 1
function: patch
lcores: 2
ports:
  a: {device: "virtio-user:b.sock,%s"}
  n: {device: "null:rx=60"}
patches: [{from: n, to: a}, {from: a, to: n}]
"""
# name, behind the socket's path for weir, testpmd is the client, more of the port, testpmd records
CASES = (
    ("split, echo", "packed=off,wait=60", False, "", False),
    ("packed, echo", "packed=on,wait=60", False, "", False),
    ("split, weir listens, echo", "packed=off,server", True, "", False),
    ("packed, weir listens, rings of 64, echo", "server", True, ", rx_size: 64, tx_size: 64", False),
    ("split, recorded there", "packed=off,wait=60", False, "", True),
    ("packed, recorded there", "wait=60", False, "", True),
)


def make_capture():
    """Frames of random bytes, of every kind of size, 300 us apart."""
    rng = random.Random(3)
    sizes = [60, 61, 64, 1513, 1514, 2035, 2036, 2048, 2049, 4096, 9014]
    sizes += [rng.choice((rng.randint(60, 1514), rng.randint(60, 1514), rng.randint(1515, 9014)))
              for _ in range(FRAMES - len(sizes))]
    frames = [(i * 300_000, b"\x02weir\x01\x02weir\x02\x88\xb5" + rng.randbytes(size - 14))
              for i, size in enumerate(sizes)]
    capfile.write("in.pcap", frames)
    return [frame for _, frame in frames]


def start_testpmd(client, record, pairs=1):
    vdevs = ["--vdev", f"net_vhost0,iface=b.sock,queues={pairs}" + (",client=1" if client else "")]
    if record:
        vdevs += ["--vdev", "net_pcap0,tx_pcap=there.pcap"]
    return subprocess.Popen(
        ["stdbuf", "-oL", "dpdk-testpmd", "--lcores=0@0,1@0", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "128",
         "--file-prefix=weirpmd", *vdevs, "--", "--total-num-mbufs=16384", "--forward-mode=io", "--nb-cores=1",
         "--no-lsc-interrupt", "--disable-link-check", "--no-flush-rx", "--no-mlockall",
         "--rxd=1024", "--txd=1024", f"--rxq={pairs}", f"--txq={pairs}"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(testpmd):
    """Ends testpmd by its standard input; returns packets received, sent and dropped by its vhost port."""
    out = testpmd.communicate("\n", timeout=WAIT)[0]
    part = out[out.index("Forward statistics for port 0"):]
    return [int(re.search(rf"{what}: (\d+)", part)[1]) for what in ("RX-packets", "TX-packets", "TX-dropped")]


def wait_forwarding(testpmd):
    """Frames that wait for it would come back as one burst, longer than the ring is at its start."""
    for line in testpmd.stdout:
        if "Press enter to exit" in line:
            return
    raise AssertionError("dpdk-testpmd did not start")


def run(weir, want, case):
    name, args, client, more, record = case
    with open("port.yaml", "w") as f:
        f.write(CONFIG % (args, more))
    for stale in ("b.sock", "out.pcap", "there.pcap"):
        if os.path.exists(stale):
            os.unlink(stale)
    children = [start_testpmd(client, record)]
    try:
        wait_forwarding(children[0])
        children.append(subprocess.Popen([weir, "run", "port.yaml", "--cpu", "1", "--linger", "1", "--json"],
                                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                         text=True))
        out, err = children[1].communicate(timeout=WAIT)
        assert children[1].returncode == 0, err
        received, sent, dropped = finish(children[0])
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
                child.wait()
    check(name, want, json.loads(out), received, sent, dropped, record)


def same_order(want, got):
    """Every frame of got is one of want, in its order, and none twice."""
    rest = iter(want)
    return all(any(frame == w for w in rest) for frame in got)


def check(name, want, figures, received, sent, dropped, record):
    port = figures["ports"]["a"]
    back = 0 if record else len(want) - dropped
    assert figures["accounting"]["balanced"], figures["accounting"]
    assert port["tx"]["packets"] == received == len(want), (name, port["tx"], received)
    assert port["tx"]["bytes"] == sum(map(len, want)), (name, port["tx"])
    assert port["rx"]["packets"] == sent == back, (name, port["rx"], sent, dropped)
    got = [frame for _, frame in capfile.read("there.pcap" if record else "out.pcap")]
    assert len(got) == (len(want) if record else back) > 0, (name, len(got))
    assert same_order(want, got), f"{name}: frames differ"
    print(f"{name}: {len(want)} frames there, {back} back (testpmd dropped {dropped}); counts and bytes the same",
          flush=True)


def run_pairs(weir, args):
    with open("pairs.yaml", "w") as f:
        f.write(PAIRS % args)
    if os.path.exists("b.sock"):
        os.unlink("b.sock")
    children = [start_testpmd(False, False, 2)]
    try:
        wait_forwarding(children[0])
        children.append(subprocess.Popen([weir, "run", "pairs.yaml", "--json"], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        for line in children[1].stderr:
            if "packets received" in line:
                break
        children[1].send_signal(signal.SIGINT)
        out, err = children[1].communicate(timeout=WAIT)
        assert children[1].returncode == 0, err
        received, sent, _ = finish(children[0])
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
                child.wait()
    figures = json.loads(out)
    port = figures["ports"]["a"]
    assert figures["accounting"]["balanced"], figures["accounting"]
    assert port["queues"] == {"0": 0, "1": 1}, port
    # What lay in the rings when weir stopped went no further: two of 1,024 each way.
    assert 0 < received <= port["tx"]["packets"] <= received + 2 * 1024, (received, port["tx"])
    assert 0 < port["rx"]["packets"] <= sent <= port["rx"]["packets"] + 2 * 1024, (port["rx"], sent)
    print(f"two queue pairs, {args}: {received} frames there, {port['tx']['packets'] - received} left in the rings; "
          f"{port['rx']['packets']} back, {sent - port['rx']['packets']} left", flush=True)


def main():
    weir = os.path.abspath(sys.argv[1])
    if not shutil.which("dpdk-testpmd"):
        print("SKIP: dpdk-testpmd is not installed")
        return 77
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        os.environ.setdefault("RUNTIME_DIRECTORY", folder)  # where DPDK makes its own
        os.chdir(folder)
        try:
            want = make_capture()
            for case in CASES:
                run(weir, want, case)
            if len(os.sched_getaffinity(0)) > 1:
                run_pairs(weir, "packed=off,wait=60")
                run_pairs(weir, "wait=60")
        finally:
            os.chdir("/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
