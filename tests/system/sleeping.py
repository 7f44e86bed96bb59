#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A function sleeps between packets that come now and then, and each wakes it: an echo behind a vhost-user
back end, which is a polling `weir run` with a TAP device in front of it. Under TCG behind a TAP device of QEMU's own:
there QEMU does not survive an MSI-X vector of a vhost-user device, so the image has to be told by msix=on.

usage: sleeping.py WEIR hosted|tcg|kvm

A sleep ends after 20 ms whatever happens. The gaps between packets being random, without interrupts one in two
would be over 10 ms on its way; that one in three is quicker than a quarter of a sleep says that they come, on
however busy a machine. With `idle: off` the lcore never sleeps.
"""
import json
import os
import random
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import netns

WAIT = 40
PACKETS = 60
SLEEP = 0.02  # LOOP_SLEEP_NS
ECHO = """version: 1
function: patch
%s
ports:
  a: {device: "virtio:0"}
patches: [{from: a, to: a}]
"""
BACK_END = """version: 1
function: patch
idle: off
ports:
  t: {device: "tap:t0"}
  vhost: {device: "dpdk:net_vhost0,iface=a.sock"}
patches: [{from: t, to: vhost}, {from: vhost, to: t}]
"""


def interfaces():
    return [name for _, name in socket.if_nameindex()]


def cable_to_tap():
    netns.run("sysctl", "-qw", "net.ipv6.conf.t0.disable_ipv6=1")
    netns.run("ip", "link", "set", "t0", "up")
    return netns.Cable("t0")


def start_back_end(weir):
    """A cable into it, and the process."""
    back = subprocess.Popen([weir, "run", "back.yaml", "--json"], stdout=subprocess.DEVNULL)
    until = time.monotonic() + WAIT
    while not os.path.exists("a.sock") or "t0" not in interfaces():
        assert back.poll() is None and time.monotonic() < until, "no back end"
        time.sleep(0.01)
    return cable_to_tap(), back


class Image:
    """The echo image behind QEMU's own TAP device, with the figures as Popen has those of weir."""

    def __init__(self, weir):
        subprocess.run([weir, "pack", "echo.yaml", "-o", "echo.elf"], check=True, stdout=subprocess.DEVNULL)
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-M", "microvm,pcie=on,isa-serial=on", "-m", "64",
             "-netdev", "tap,id=n,ifname=t0,script=no,downscript=no,vhost=off",
             "-device", "virtio-net-pci,netdev=n,disable-legacy=on,romfile=", "-kernel", "echo.elf",
             "-append", "msix=on", "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot",
             "-device", "isa-debug-exit,iobase=0xf4,iosize=4"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.poll, self.kill, self.wait = self.process.poll, self.process.kill, self.process.wait

    def figures(self):
        text, _ = self.process.communicate("q", timeout=WAIT)
        assert self.process.returncode == 33, text
        stats = dict(line.split()[1:] for line in text.splitlines() if line.startswith("stat "))
        return {name: int(stats["loop." + name]) for name in ("sleeps", "slept_ns", "false_wakes")}


def start_echo(weir, home):
    if home == "hosted":
        command = [weir, "run", "echo.yaml", "--port", "a=virtio-user:a.sock", "--json"]
    else:
        command = [weir, "boot", "echo.yaml", "--accel", home, "--vhost", "a=a.sock", "--json"]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def way(cable, number, patience):
    """Seconds there and back; None when it did not come back."""
    frame = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x88\xb5" + number.to_bytes(46, "big")
    start = time.monotonic()
    cable.send(frame)
    while time.monotonic() < start + patience:
        select.select([cable.sock], [], [], 0.1)
        if cable.receive() == frame:
            return time.monotonic() - start
    return None


def run(weir, home, idle, children):
    """What the echo's figures say, and how long each packet took, s."""
    if os.path.exists("a.sock"):
        os.unlink("a.sock")
    with open("echo.yaml", "w") as f:
        f.write(ECHO % idle)
    if home == "tcg":
        netns.run("ip", "tuntap", "add", "t0", "mode", "tap")
        cable, back, echo = cable_to_tap(), None, Image(weir)
    else:
        cable, back = start_back_end(weir)
        children.append(back)
        echo = start_echo(weir, home)
    children.append(echo)
    until = time.monotonic() + WAIT
    tries = 0
    while way(cable, 1000 + tries, 0.2) is None:
        tries += 1
        assert echo.poll() is None and time.monotonic() < until, "the echo does not answer"
    took = []
    for i in range(PACKETS):
        time.sleep(random.uniform(0.01, 0.07))
        took.append(way(cable, i, 10))
        assert took[-1] is not None, f"packet {i} is lost"
    if home == "tcg":
        loop = echo.figures()
        netns.run("ip", "tuntap", "del", "t0", "mode", "tap")
        return loop, took
    echo.send_signal(signal.SIGINT)
    figures = json.loads(echo.communicate(timeout=WAIT)[0])
    back.send_signal(signal.SIGINT)
    back.wait(WAIT)
    assert echo.returncode == 0 and figures["accounting"]["balanced"], figures
    return figures["loop"], took


def check(weir, home, children):
    loop, took = run(weir, home, "idle: off", children)
    assert loop["sleeps"] == 0 and loop["slept_ns"] == 0, loop
    polls = statistics.median(took)
    loop, took = run(weir, home, "", children)
    quick = sum(t < SLEEP / 4 for t in took)
    print(f"{home}: {loop['sleeps']} sleeps, {loop['slept_ns'] / 1e9:.2f} s, {loop['false_wakes']} for nothing; "
          f"there and back {statistics.median(took) * 1e6:.0f} us, polling {polls * 1e6:.0f} us (medians); "
          f"{quick} of {len(took)} within {SLEEP / 4 * 1e3:.0f} ms")
    assert loop["sleeps"] >= PACKETS, loop
    assert quick > PACKETS / 3, sorted(took)


def main():
    weir, home = os.path.abspath(sys.argv[1]), sys.argv[2]
    if home != "hosted" and not shutil.which("qemu-system-x86_64"):
        netns.skip("qemu-system-x86_64 is not installed")
    if home == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        netns.skip("no /dev/kvm")
    if not os.path.exists("/dev/net/tun"):
        netns.skip("no /dev/net/tun")
    netns.enter(280)
    children = []
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        os.chdir(folder)
        with open("back.yaml", "w") as f:
            f.write(BACK_END)
        try:
            check(weir, home, children)
        finally:
            for child in children:
                if child.poll() is None:
                    child.kill()
                    child.wait()
            os.chdir("/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
