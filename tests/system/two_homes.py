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
addresses, IP addresses, protocol, ports). What a router stamps with its own time is left out.
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


def network(frame):
    """Where the network header begins, and its EtherType."""
    at = 12
    while frame[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    return at + 2, frame[at:at + 2]


def flow(frame):
    """What keeps its order: everything up to the ports of an IP frame, else the link addresses."""
    l3, kind = network(frame)
    if kind == b"\x86\xdd" and len(frame) >= l3 + 40:
        proto, addresses, l4 = frame[l3 + 6], frame[l3 + 8:l3 + 40], l3 + 40
    elif kind == b"\x08\x00" and len(frame) >= l3 + 20:
        proto, addresses, l4 = frame[l3 + 9], frame[l3 + 12:l3 + 20], l3 + 4 * (frame[l3] & 15)
    else:
        return frame[:l3]
    ports = frame[l4:l4 + 4] if proto in (6, 17) else frame[l4:l4 + 1]
    return frame[:l3] + bytes([proto]) + addresses + ports


def timeless(frame):
    """The frame without what routers have stamped into it (RFC 791, timestamp option), and its checksum."""
    l3, kind = network(frame)
    at, end = l3 + 20, l3 + 4 * (frame[l3] & 15)
    if kind != b"\x08\x00" or end <= at:
        return frame
    out = bytearray(frame)
    while at < end and frame[at]:
        if frame[at] == 68:
            out[at + 4:at + frame[at + 1]] = bytes(frame[at + 1] - 4)
            out[l3 + 10:l3 + 12] = bytes(2)
        at += 1 if frame[at] == 1 else frame[at + 1]
    return bytes(out)


def flow_reported(frame):
    """The same; but what the router reports by ICMP about different flows is made on different lcores."""
    key = flow(frame)
    l3, kind = network(frame)
    l4 = l3 + (40 if kind == b"\x86\xdd" else 4 * (frame[l3] & 15))
    reports = ((b"\x08\x00", 9, 1, (3, 11)), (b"\x86\xdd", 6, 58, (1, 2, 3, 4)))
    if not any(kind == k and frame[l3 + at] == proto and frame[l4] in types for k, at, proto, types in reports):
        return key
    return key + flow(bytes(12) + kind + frame[l4 + 8:])[14:]


def frames(path):
    return [timeless(frame) for _, frame in capfile.read(path)]


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
    config = os.path.join(demo.CAPTURES, "router-all.yaml")
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
