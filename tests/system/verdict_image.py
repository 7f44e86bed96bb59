#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the image sent is the golden: the hosted router on the captures' clock sends the same packets.

usage: verdict_image.py WEIR ACCEL

The image runs in real time and is given 707 packets in some milliseconds, so their stamps are drawn together likewise
for the replay. Packets of different flows may leave in another order (two_homes.py says why), and what a router
stamps with its own time (an IP option) is its own.
"""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "apps"))
import demo  # noqa: E402

sys.path.insert(0, HERE)
import capfile  # noqa: E402


def main():
    weir, accel = sys.argv[1:3]
    if accel == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("SKIP: /dev/kvm cannot be opened here")
        return 77
    config = os.path.join(demo.CAPTURES, "router-all.yaml")
    captures = {p: os.path.join(demo.CAPTURES, f"router-{p}.pcap") for p in demo.PORTS}
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        golden = {p: os.path.join(folder, f"image-{p}.pcap") for p in demo.PORTS}
        drawn = {p: os.path.join(folder, f"in-{p}.pcap") for p in demo.PORTS}
        demo.play(weir, config, captures, golden, ("--machine", "microvm", "--accel", accel, "--memory", "32"))
        for p in demo.PORTS:
            frames = [f for _, f in capfile.read(captures[p])]
            capfile.write(drawn[p], [(1_000_000_000 + 10_000 * i, f) for i, f in enumerate(frames)])
        words = [w for p in demo.PORTS for w in ("--in", f"{p}={drawn[p]}", "--golden", f"{p}={golden[p]}")]
        done = subprocess.run([weir, "replay", config, "--json", "--ignore", "order,ip.options", *words, *sys.argv[3:]],
                              stdout=subprocess.PIPE, timeout=60)
        verdict = json.loads(done.stdout)
    for packet in verdict["packets"]:
        print(packet)
    print(f"{accel}: {verdict['ports']}")
    good = done.returncode == 0 and all(p["expected"] > 250 for p in verdict["ports"].values())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
