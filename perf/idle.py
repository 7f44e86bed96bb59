#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What an echo at a vhost-user back end costs while little comes, and what sleeping adds to a packet's way.

Clients, one after the other in the same seat: the hosted front end sleeping (the default) and polling (idle: off),
the image the same two ways, and dpdk-testpmd with net_virtio_user, which polls. The back end is a polling
`weir run` with a TAP device in front; tcpreplay sends into that at the rates given. Process or QEMU: the time its
threads ran, as a share of one CPU. The way: of single packets 10 to 70 ms apart, there and back, through the TAP
device and the back end, which are the same for all.

One line a client: `idle-CLIENT` with CPU % at each rate, the packets a second that came back, and median and 99th
percentile of the way. Needs root and tcpreplay.
"""
import argparse
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "system"))
import capfile  # noqa: E402
import netns  # noqa: E402
import noise  # noqa: E402
import record  # noqa: E402
import sleeping  # noqa: E402

CLIENTS = ("hosted", "hosted-polling", "image", "image-polling", "dpdk")


def start(weir, client, accel):
    with open("echo.yaml", "w") as f:
        f.write(sleeping.ECHO % ("idle: off" if client.endswith("polling") else ""))
    if client == "dpdk":
        command = ["dpdk-testpmd", "--lcores=0@1,1@1", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "-m", "256",
                   "--file-prefix=weiridle", "--vdev", "net_virtio_user0,path=a.sock,queue_size=1024",
                   "--", "--forward-mode=io", "--total-num-mbufs=8192", "--no-lsc-interrupt", "--disable-link-check",
                   "--no-flush-rx"]
    elif client.startswith("hosted"):
        command = [weir, "run", "echo.yaml", "--port", "a=virtio-user:a.sock", "--cpu", "1"]
    else:
        command = ["taskset", "-c", "1", weir, "boot", "echo.yaml", "--accel", accel, "--vhost", "a=a.sock"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def family(pid):
    """A process and what it started (weir boot: QEMU)."""
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        children = f.read().split()
    return [pid] + [p for c in children for p in family(int(c))]


def ran(pid):
    """ns on a CPU of all threads."""
    total = 0
    for p in family(pid):
        for tid in os.listdir(f"/proc/{p}/task"):
            with open(f"/proc/{p}/task/{tid}/schedstat") as f:
                total += int(f.read().split()[0])
    return total


def received():
    with open("/proc/net/dev") as f:
        return next(int(line.split(":")[1].split()[1]) for line in f if line.strip().startswith("t0:"))


def load(pid, rate, seconds):
    """CPU share, and packets a second that came back (t0 receives what the echo sends)."""
    replay = None
    if rate:
        replay = subprocess.Popen(["tcpreplay", "-q", "-K", "-i", "t0", "--loop=0", f"--pps={rate}", "load.pcap"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)
    before, came, began = ran(pid), received(), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    share, pps = (ran(pid) - before) / took / 1e9, (received() - came) / took
    if replay:
        replay.terminate()
        replay.wait()
        time.sleep(0.2)
    return share, pps


def measure(weir, client, accel, options):
    if os.path.exists("a.sock"):
        os.unlink("a.sock")
    cable, back = sleeping.start_back_end(weir)
    process = start(weir, client, accel)
    try:
        until = time.monotonic() + 40
        while sleeping.way(cable, 5000, 0.2) is None:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{client} does not answer")
        time.sleep(1)
        ways = []
        for i in range(options.packets):
            time.sleep(random.uniform(0.01, 0.07))
            ways.append(sleeping.way(cable, i, 5) or 5)
        cable.sock.close()
        return [load(process.pid, rate, options.seconds) for rate in options.rates], sorted(ways)
    finally:
        for child in (process, back):
            child.send_signal(signal.SIGINT)
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stdin:
                child.stdin.close()


def write(options, seen):
    """Without ratios: who polls takes all of a CPU, and that is no speed."""
    made = []
    for c in options.clients:
        for i, rate in enumerate(options.rates):
            made.append(record.record("idle", f"{c}, {rate} pps", "% of a CPU", 100 * statistics.median(r[0][i][0] for r in seen[c])))
        made.append(record.record("idle", f"{c}, there and back", "us", 1e6 * statistics.median(statistics.median(r[1]) for r in seen[c])))
    record.write(options.json, made)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=".build")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE, too")
    parser.add_argument("--packets", type=int, default=100)
    parser.add_argument("--rates", type=int, nargs="+", default=[0, 1000, 100000])
    parser.add_argument("--clients", nargs="+", default=CLIENTS, choices=CLIENTS)
    options = parser.parse_args()
    weir = os.path.abspath(os.path.join(options.build, "apps", "weir"))
    for tool in ("tcpreplay", "dpdk-testpmd", "qemu-system-x86_64"):
        if not shutil.which(tool):
            netns.skip(f"needs {tool}")
    netns.enter(3600)
    accel = "kvm" if os.access("/dev/kvm", os.R_OK | os.W_OK) else "tcg"
    seen = {c: [] for c in options.clients}
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        os.chdir(folder)
        with open("back.yaml", "w") as f:
            f.write(sleeping.BACK_END)
        capfile.write("load.pcap", [(i * 1000, b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x88\xb6" + bytes(46)) for i in range(1000)])
        for _ in range(options.rounds):
            for c in options.clients:
                seen[c].append(measure(weir, c, accel, options))
        os.chdir("/")
    noise.show(weir)
    print(f"{'medians of ' + str(options.rounds) + ', image under ' + accel:28}"
          + "".join(f"{f'CPU % at {r} pps (back)':>30}" for r in options.rates) + f"{'way us':>10}{'99th':>10}")
    for c in options.clients:
        line = f"idle-{c:23}"
        for i, _ in enumerate(options.rates):
            share = statistics.median(r[0][i][0] for r in seen[c])
            pps = statistics.median(r[0][i][1] for r in seen[c])
            line += f"{100 * share:22.1f} {f'({pps:.0f})':>7}"
        line += f"{statistics.median(statistics.median(r[1]) for r in seen[c]) * 1e6:10.0f}"
        print(line + f"{statistics.median(r[1][len(r[1]) * 99 // 100] for r in seen[c]) * 1e6:10.0f}")
    if options.json:
        write(options, seen)


if __name__ == "__main__":
    main()
