#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A vhost-user back end killed (-9) and started again under traffic, whichever side is the socket's server.

usage: vhost_kill.py WEIR

WEIR_KILLS says how often (default 20, in three parts: either way, and with two lcores and queue pairs). Every time packets must flow again, and at the
end no packet buffer may be missing. Times are printed and judge nothing: from the back end's listening (or
connecting) to the first packet seen again, parted into what the back end took for its first answer (DPDK's
library looks at new connections when its event loop wakes, up to 1 s later), from there until it had taken all
rings, which is the time of the driver, and until a packet came (a back end that connects may be far from forwarding).
"""
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

WAIT = 60
CONFIG = """version: 1
function: patch
lcores: %u
ports:
  a: {device: "virtio-user:%s"}
  n: {device: "null:rx=60"}
patches: [{from: a, to: n}, {from: n, to: a}]
"""
ANSWERED = re.compile(r"there again, and answered after (\d+) us")
AGAIN = re.compile(r"packets again, (\d+) us after that answer; rings were taken after (\d+) us")


class BackEnd:
    """dpdk-testpmd over net_vhost, that sends back what it gets."""

    def __init__(self, path, client, pairs):
        self.path = path
        if not client and os.path.exists(path):
            os.unlink(path)  # DPDK leaves that to its user
        # Its main thread ends with its standard input, which stays open for as long as this object lives.
        self.process = subprocess.Popen(
            ["dpdk-testpmd", "--lcores=0@0,1@0", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
             "-m", "128", "--file-prefix=weirkill",
             "--vdev", f"net_vhost0,iface={path},queues={pairs}" + (",client=1" if client else ""),
             "--", "--total-num-mbufs=8192", "--forward-mode=io", "--nb-cores=1", f"--rxq={pairs}", f"--txq={pairs}", "--no-lsc-interrupt",
             "--disable-link-check", "--no-flush-rx", "--no-mlockall", "--stats-period=60"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.client = client

    def ready(self):
        """Until it listens, or is connected; returns when that was."""
        until = time.monotonic() + WAIT
        flags = "00000000" if self.client else "00010000"  # __SO_ACCEPTCON
        while time.monotonic() < until:
            with open("/proc/net/unix") as f:
                for line in f:
                    if line.rstrip().endswith(self.path) and line.split()[3] == flags:
                        return time.monotonic()
            assert self.process.poll() is None, "dpdk-testpmd ended"
            time.sleep(0.001)
        raise AssertionError("the back end neither listens nor connects")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()


class Watch:
    """weir's standard error, line by line, with times."""

    def __init__(self, process):
        self.lines = []
        self.there = threading.Condition()
        self.thread = threading.Thread(target=self.read, args=(process.stderr,), daemon=True)
        self.thread.start()

    def read(self, stream):
        for line in stream:
            with self.there:
                self.lines.append((time.monotonic(), line.rstrip()))
                self.there.notify_all()

    def wait(self, what, start):
        """The first line from number start on that matches: (time, match, next number)."""
        until = time.monotonic() + WAIT
        with self.there:
            while True:
                for i in range(start, len(self.lines)):
                    match = re.search(what, self.lines[i][1])
                    if match:
                        return self.lines[i][0], match, i + 1
                assert time.monotonic() < until, f"no '{what}' in {WAIT} s: {self.lines[-3:]}"
                self.there.wait(1)


def kills(watch, path, client, pairs, back_ends, times):
    """Kills the back end, waits until the driver has noticed, starts another: returns when packets flow."""
    at = len(watch.lines)
    back_ends[-1].kill()
    _, _, at = watch.wait("waiting for one to come", at)
    back_ends.append(BackEnd(path, client, pairs))
    up = back_ends[-1].ready()
    _, answered, at = watch.wait(ANSWERED, at)
    again, ours, at = watch.wait(AGAIN, at)
    taken, first = int(ours[2]) / 1e3, int(ours[1]) / 1e3
    times.append((1e3 * (again - up), int(answered[1]) / 1e3, taken, first - taken))
    print("  recovered in %7.1f ms: answer %7.1f, rings taken %5.1f, first packet %5.1f" % times[-1], flush=True)


def run(weir, folder, client, pairs, count):
    path = os.path.join(folder, "b.sock" if client else f"a{pairs}.sock")
    config = os.path.join(folder, "kill.yaml")
    with open(config, "w") as f:
        f.write(CONFIG % (pairs, path + (",server" if client else ",wait=60")))
    back_ends, times, process = [BackEnd(path, client, pairs)], [], None
    print("the back end %s, queue pairs: %u" % ("connects, weir listens" if client else "listens, weir connects", pairs),
          flush=True)
    try:
        process = subprocess.Popen([weir, "run", config, "--json"] + (["--cpu", "1"] if pairs == 1 else []), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watch = Watch(process)
        watch.wait("packets received", 0)  # the progress line: the port is open
        for _ in range(count):
            kills(watch, path, client, pairs, back_ends, times)
        process.send_signal(signal.SIGINT)
        figures = json.loads(process.stdout.read())
        process.wait(WAIT)
    finally:
        for b in back_ends:
            b.kill()
        if process and process.poll() is None:
            process.kill()
            process.wait()
    check(process, watch, figures, count)
    show(times)


def check(process, watch, figures, count):
    counters = figures["ports"]["a"]["counters"]
    # weir run fails when a packet buffer is missing.
    assert process.returncode == 0, [line for _, line in watch.lines[-5:]]
    assert figures["accounting"]["balanced"], figures["accounting"]
    assert counters["disconnects"] == counters["reconnects"] == count, counters
    assert counters["protocol-errors"] == 0, counters
    assert figures["ports"]["a"]["rx"]["packets"] > 0
    print("  %d kills, %d disconnects, %d reconnects, %d resets; %d packets received, every buffer home" %
          (count, counters["disconnects"], counters["reconnects"], counters["resets"],
           figures["ports"]["a"]["rx"]["packets"]))


def show(times):
    if not times:
        return
    for i, name in enumerate(("all", "the back end's first answer", "until it had all rings", "to the first packet")):
        column = [t[i] for t in times]
        print("  %-28s median %7.1f ms, worst %7.1f ms" % (name, statistics.median(column), max(column)))


def main():
    weir = os.path.abspath(sys.argv[1])
    count = int(os.environ.get("WEIR_KILLS", "20"))
    if not shutil.which("dpdk-testpmd"):
        print("SKIP: dpdk-testpmd is not installed")
        return 77
    if len(os.sched_getaffinity(0)) < 2:
        print("SKIP: two CPUs are needed, one for each poll loop")
        return 77
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        os.environ.setdefault("RUNTIME_DIRECTORY", folder)  # where DPDK makes its own
        run(weir, folder, False, 1, (count + 2) // 3)
        run(weir, folder, True, 1, (count + 1) // 3)
        run(weir, folder, False, 2, count // 3)
    return 0


if __name__ == "__main__":
    sys.exit(main())
