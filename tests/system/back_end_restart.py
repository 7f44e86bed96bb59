#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A back end that ends and is started again under a running image: the next capture gets through too.

usage: back_end_restart.py WEIR
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CAPTURE = os.path.join(HERE, "..", "captures", "router-wan.pcap")
WAIT = 120

# What the image gets it sends back.
ECHO = """version: 1
function: patch
ports:
  a: {device: "virtio:0"}
patches: [{from: a, to: a}]
"""
PLAYER = """version: 1
function: patch
ports:
  capture: {device: "pcap:%s,out.pcap"}
  vhost: {device: "dpdk:net_vhost0,iface=a.sock"}
patches: [{from: capture, to: vhost}, {from: vhost, to: capture}]
"""


def start_player(weir):
    """A back end that plays the capture once its peer is there, records what comes back, and ends."""
    if os.path.exists("a.sock"):
        os.unlink("a.sock")
    player = subprocess.Popen([weir, "run", "player.yaml", "--clock", "real", "--linger", "2", "--json"],
                              stdout=subprocess.PIPE, text=True)
    until = time.monotonic() + WAIT
    while not os.path.exists("a.sock"):
        assert player.poll() is None and time.monotonic() < until, "no socket"
        time.sleep(0.01)
    return player


def rounds(weir, children):
    count = 0
    for i in (1, 2):
        player = start_player(weir)
        children.append(player)
        if i == 1:
            image = subprocess.Popen([weir, "boot", "echo.yaml", "--accel", "tcg", "--vhost", "a=a.sock",
                                      "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            children.append(image)
        played = json.loads(player.communicate(timeout=WAIT)[0])["ports"]["capture"]
        assert player.returncode == 0, f"round {i}: the player failed"
        assert image.poll() is None, f"round {i}: the image ended"
        assert played["rx"] == played["tx"], f"round {i}: played {played['rx']}, came back {played['tx']}"
        count += played["rx"]["packets"]
    image.send_signal(signal.SIGINT)
    figures = json.loads(image.communicate(timeout=WAIT)[0])
    port = figures["ports"]["a"]
    assert image.returncode == 0 and figures["accounting"]["balanced"], figures
    assert port["rx"]["packets"] == port["tx"]["packets"] == count, port
    assert port["counters"]["link-changes"] >= 2, port
    print(f"{count} packets there and back, by two back ends one after the other")


def main():
    weir = os.path.abspath(sys.argv[1])
    if not shutil.which("qemu-system-x86_64"):
        print("SKIP: qemu-system-x86_64 is not installed")
        return 77
    children = []
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        os.chdir(folder)
        for name, text in (("echo.yaml", ECHO), ("player.yaml", PLAYER % os.path.abspath(CAPTURE))):
            with open(name, "w") as f:
                f.write(text)
        try:
            rounds(weir, children)
        finally:
            for child in children:
                if child.poll() is None:
                    child.kill()
                    child.wait()
            os.chdir("/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
