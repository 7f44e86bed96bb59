#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Boot the router image again and again and say where the time goes, phase by phase.

From exec of QEMU to the first packet that the image forwards, with the player of apps/demo.py waiting on its
vhost-user sockets. Medians of --rounds boots on each machine and accelerator; no peer (docs/performance.md
quotes those that were measured elsewhere). driver_ready: from the first instruction of the image until all its
ports are open, the back ends' own time left out.
"""
import argparse
import os
import statistics
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "apps"))
import demo  # noqa: E402
import noise  # noqa: E402
import record  # noqa: E402

PHASES = ("qemu", "monitor", "libos", "ports", "back_end", "function", "first_packet", "all",
          "driver_ready")


def once(weir, machine, accel):
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        captures = {p: os.path.join(demo.CAPTURES, f"router-{p}.pcap") for p in demo.PORTS}
        out = {p: os.path.join(folder, p + ".pcap") for p in demo.PORTS}
        image, _ = demo.play(weir, os.path.join(demo.CAPTURES, "router.yaml"), captures, out,
                             ("--machine", machine, "--accel", accel, "--memory", "32"), linger=0.5)
    return demo.phases(image)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=".build")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE, too")
    options = parser.parse_args()
    weir = os.path.join(options.build, "apps", "weir")
    accels = ["tcg"] + (["kvm"] if os.access("/dev/kvm", os.R_OK | os.W_OK) else [])
    sides = [(m, a) for m in ("microvm", "q35") for a in accels]
    seen = {s: [] for s in sides}
    for i in range(options.rounds):
        for s in sides:
            print(f"\rboot {i + 1} of {options.rounds}, {' '.join(s)}\033[K", end="", file=sys.stderr,
                  flush=True)
            seen[s].append(once(weir, *s))
    print("\r\033[K", end="", file=sys.stderr)
    noise.show(weir)
    print(f"{'milliseconds, medians of ' + str(options.rounds):32}" +
          "".join(f"{p:>14}" for p in PHASES))
    for s in sides:
        print(f"{'boot ' + ' '.join(s):32}" + "".join(
            f"{statistics.median(r[p] for r in seen[s]):14.2f}" for p in PHASES))
    if options.json:
        record.write(options.json, [record.record("boot", f"{' '.join(s)}, {p}", "ms", statistics.median(r[p] for r in seen[s]))
                                    for s in sides for p in ("all", "driver_ready")])


if __name__ == "__main__":
    main()
