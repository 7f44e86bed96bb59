#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Function impair on a capture's clock: what comes out, when and in what order, against a model of the documentation.

usage: impair.py WEIR
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import capfile  # noqa: E402

PACKETS, STEP, DELAY = 5000, 700, 12_345_000   # ns
LOSS, CORRUPT, REORDER, GAP, DUPLICATE = 10, 9, 8, 3, 7
START = 1_600_000_000 * capfile.NSEC
PATIENCE = capfile.NSEC

CONFIG = f"""version: 1
function: impair
ports:
  a: {{device: "pcap:in.pcap,"}}
  b: {{device: "pcap:,out.pcap"}}
impairments:
- {{from: a, to: b, delay: 12.345ms, loss_every: {LOSS}, corrupt_every: {CORRUPT}, reorder_every: {REORDER}, gap: {GAP},
   duplicate_every: {DUPLICATE}, packets: 20000}}
"""


def model():
    """[(when, number, corrupted)] that leave, and how many of each"""
    out, back, passed = [], [], 0
    left = {"lost": LOSS, "corrupted": CORRUPT, "reordered": REORDER, "duplicated": DUPLICATE}
    every, done = dict(left), dict.fromkeys(left, 0)

    def happens(kind):
        left[kind] -= 1
        if left[kind]:
            return False
        left[kind] = every[kind]
        done[kind] += 1
        return True

    for number in range(PACKETS):
        now = START + number * STEP
        if happens("lost"):
            continue
        if happens("corrupted"):
            out.append((now + DELAY, number, True))
            continue
        if happens("reordered"):
            back.append((passed + GAP, number, now + PATIENCE))
            continue
        out += [(now + DELAY, number, False)] * (2 if happens("duplicated") else 1)
        passed += 1
        while back and back[0][0] <= passed:
            out.append((now + DELAY, back.pop(0)[1], False))
    for _, number, due in back:
        out.append((due + DELAY, number, False))
    return out, done


def main():
    weir = os.path.abspath(sys.argv[1])
    frames = [bytes(12) + b"\x88\xb5" + n.to_bytes(4, "big") + bytes(42) for n in range(PACKETS)]
    want, done = model()
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "f.yaml"), "w") as out:
            out.write(CONFIG)
        capfile.write(os.path.join(folder, "in.pcap"), [(START + n * STEP, f) for n, f in enumerate(frames)])
        run = subprocess.run([weir, "run", "--json", "f.yaml"], cwd=folder, capture_output=True, text=True, timeout=60)
        assert run.returncode == 0, run.stdout + run.stderr
        figures = json.loads(run.stdout)["impair"]["a"]
        got = capfile.read(os.path.join(folder, "out.pcap"))
    assert len(got) == len(want), (len(got), len(want))
    for (when, frame), (due, number, corrupted) in zip(got, want):
        assert int.from_bytes(frame[14:18], "big") == number, (number, frame.hex())
        assert when == due, f"packet {number} left {when - due} ns late"
        changed = sum(bin(x ^ y).count("1") for x, y in zip(frame, frames[number]))
        assert changed == corrupted and len(frame) == 60, (number, changed)
    for kind, n in done.items():
        assert figures[kind] == n, (kind, figures, done)
    assert figures["packets"] == PACKETS and figures["uncopied"] == 0
    print(f"{PACKETS} packets: {done}, each {DELAY} ns later to the nanosecond")


main()
