#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The recorded capture through the hosted router and through the image: byte-identical packets out.

usage: two_homes.py WEIR MACHINE ACCEL [LCORES]

With LCORES the image runs on so many, with ports of one queue pair: lcore 0 has it, spreads the flows and
sends for all. The hosted router runs on one as ever, and the packets are the same.

Both homes run on the real clock (what an unresolved neighbor costs is a matter of time). A burst is split
by path and a port's queue joins paths again, so packets of *different* flows may leave in another order when
bursts fall differently; within a flow the order must be the same. So the outputs of a port are compared as
whole frames: the same frames the same number of times, and the same sequence for every flow (link
addresses, IP addresses, protocol, ports).
"""
import collections
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


def flow(frame):
    """What keeps its order: everything up to the ports of an IPv4 frame, else the addresses."""
    if frame[12:14] != b"\x08\x00" or len(frame) < 34:
        return frame[:14]
    l4 = 14 + 4 * (frame[14] & 15)
    ports = frame[l4:l4 + 4] if frame[23] in (6, 17) else frame[l4:l4 + 1]
    return frame[:14] + frame[23:24] + frame[26:34] + ports


def flow_reported(frame):
    """The same; but what the router reports by ICMP about different flows is made on different lcores."""
    key = flow(frame)
    l4 = 14 + 4 * (frame[14] & 15)
    if frame[12:14] != b"\x08\x00" or frame[23:24] != b"\x01" or frame[l4] not in (3, 11):
        return key
    quoted = frame[l4 + 8:]
    return key + flow(bytes(12) + b"\x08\x00" + quoted)[14:]


def frames(path):
    return [frame for _, frame in capfile.read(path)]


def compare(port, hosted, image, flow):
    wrong = []
    if collections.Counter(hosted) != collections.Counter(image):
        only = collections.Counter(hosted) - collections.Counter(image)
        more = collections.Counter(image) - collections.Counter(hosted)
        wrong.append(f"{port}: {sum(only.values())} frames only hosted, {sum(more.values())} only in "
                     f"the image; the first of each: "
                     f"{next(iter(only), b'').hex()} {next(iter(more), b'').hex()}")
    order = {}
    for name, side in (("hosted", hosted), ("image", image)):
        order[name] = collections.defaultdict(list)
        for f in side:
            order[name][flow(f)].append(f)
    for key, sent in order["hosted"].items():
        if sent != order["image"].get(key) and not wrong:
            wrong.append(f"{port}: flow {key.hex()}: another order in the image")
    return wrong


def main():
    weir, machine, accel = sys.argv[1:4]
    lcores = sys.argv[4] if len(sys.argv) > 4 else "1"
    if accel == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("SKIP: /dev/kvm cannot be opened here")
        return 77
    config = os.path.join(demo.CAPTURES, "router.yaml")
    captures = {p: os.path.join(demo.CAPTURES, f"router-{p}.pcap") for p in demo.PORTS}
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        out = {h: {p: os.path.join(folder, f"{h}-{p}.pcap") for p in demo.PORTS}
               for h in ("hosted", "image")}
        ports = [w for p in demo.PORTS
                 for w in ("--port", f"{p}=pcap:{captures[p]},{out['hosted'][p]}")]
        hosted = json.loads(subprocess.run(
            [weir, "run", config, "--clock", "real", "--json", *ports], check=True, timeout=120,
            stdout=subprocess.PIPE).stdout)
        several = os.path.join(folder, "router.yaml")
        with open(config) as f, open(several, "w") as g:
            g.write(f.read().replace("lcores: 1", "lcores: " + lcores)
                    .replace('{device: ', '{queues: 1, device: '))
        try:
            image, player = demo.play(weir, several, captures, out["image"],
                                      ("--machine", machine, "--accel", accel, "--memory", str(16 + 16 * int(lcores))))
        except demo.Failed as why:
            print(why)
            return 1
        wrong = demo.losses(image, player)
        if hosted["drops"] != image["drops"]:
            wrong.append(f"drops differ: hosted {hosted['drops']}, image {image['drops']}")
        for k, figures in image.get("lcores", {}).items():
            if not figures["given"] or not figures["taken"]:
                wrong.append(f"lcore {k} had no part in it: {figures}")
        count = 0
        for p in demo.PORTS:
            got = {h: frames(out[h][p]) for h in out}
            count += len(got["hosted"])
            wrong += compare(p, got["hosted"], got["image"],
                             flow if lcores == "1" else flow_reported)
    for line in wrong:
        print(line)
    print(f"{machine}, {accel}, lcores {lcores}: {count} frames out of each home: "
          f"{'different' if wrong else 'the same bytes'}")
    return 1 if wrong or not count else 0


if __name__ == "__main__":
    sys.exit(main())
