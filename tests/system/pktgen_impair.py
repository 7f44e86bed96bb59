#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""weir pktgen through weir run's function impair, over vhost-user: what was done is what was measured, exactly.

usage: pktgen_impair.py WEIR [CASE]...          (default: all)

Two processes of the same program: impair has the back ends of two vhost-user ports, pktgen their front ends. The rate is
low, so that the machine itself loses nothing; that it did not is checked.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

COUNT = 2000
CASES = {   # keys of the impairment there; what else is looked at
    "nothing": "",
    "loss": "loss_every: 7",
    "duplicate": "duplicate_every: 5",
    "reorder": "reorder_every: 6, gap: 4",
    "corrupt": "corrupt_every: 9",
    "all, by chance": "loss: 10%, duplicate: 10%, reorder: 10%, gap: 2, corrupt: 10%, seed: 4",
    "all, exactly, late": "delay: 20ms, loss_every: 10, corrupt_every: 9, reorder_every: 8, gap: 5, duplicate_every: 7",
}
CONFIG = """version: 1
function: impair
ports: {{a: {{device: "dpdk:net_vhost0,iface=a.sock"}}, b: {{device: "dpdk:net_vhost1,iface=b.sock"}}}}
impairments:
- {{from: a, to: b{}}}
- {{from: b, to: a}}
"""


def check(what, ok, more=""):
    if not ok:
        sys.exit(f"FAIL: {what}\n{more}")
    print(f"ok: {what}", flush=True)


def ready(process, folder):
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        if all(os.path.exists(os.path.join(folder, f"{p}.sock")) for p in "ab"):
            return
        time.sleep(0.02)
    process.kill()
    sys.exit("FAIL: impair did not open its sockets\n" + process.communicate()[1])


def run(weir, keys):
    """pktgen's stream, and what impair says it did"""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "f.yaml"), "w") as out:
            out.write(CONFIG.format(", " + keys if keys else ""))
        impair = subprocess.Popen([weir, "run", "--json", "f.yaml"], cwd=folder, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            ready(impair, folder)
            ports = [w for p in "ab" for w in ("--port", f"{p}=virtio-user:{folder}/{p}.sock")]
            # Without checksum offloads: a change on the way must be seen, as on a wire.
            done = subprocess.run([weir, "pktgen", *ports, "--dst-mac", "02:00:00:00:00:01", "--rate", "4kpps",
                                   "--dst", "198.18.0.1-198.18.0.50", "--length", "64,128,1518", "--learn", "0", "--drain", "1700ms",
                                   "--count", str(COUNT), "--json"], capture_output=True, text=True, timeout=60)
        finally:
            impair.send_signal(signal.SIGINT)
            out, err = impair.communicate(timeout=30)
        check("both ended well", done.returncode == 0 and impair.returncode == 0, done.stdout + done.stderr + out + err)
    final = json.loads(done.stdout.splitlines()[-1])
    return next(s for s in final["streams"] if s["sent"]), final["total"], json.loads(out)["impair"]["a"]


def main():
    weir = os.path.abspath(sys.argv[1])
    for name in sys.argv[2:] or CASES:
        keys = CASES[name]
        got, total, did = run(weir, keys)
        both = f"pktgen: {got}\ntotal: {total}\nimpair: {did}\n"
        check(f"{name}: all that was sent came to the bad link", got["sent"] == did["packets"] == COUNT, both)
        # A bit of the stream's number may have been turned: the packet is corrupt, but of no stream.
        check(f"{name}: {did['lost']} lost, {did['corrupted']} corrupt", total["corrupt"] == did["corrupted"] and
              got["lost"] == did["lost"] + did["corrupted"], both)
        check(f"{name}: {did['duplicated']} duplicates", got["duplicate"] == did["duplicated"], both)
        # Those at the end that too few came to overtake were held back, but may not be out of order.
        check(f"{name}: {did['reordered']} out of order", did["reordered"] - did["overdue"] <= got["reordered"] <=
              did["reordered"], both)
        for word in keys.split(", "):
            if "_every" in word:
                kind = {"loss": "lost", "corrupt": "corrupted", "reorder": "reordered",
                        "duplicate": "duplicated"}[word.split("_")[0]]
                check(f"{name}: it did so", did[kind] >= COUNT // 20, both)
        latency = got["latency_ns"]
        check(f"{name}: latencies of all that came", latency["count"] == got["received"], both)
        if "delay: 20ms" in keys:
            check(f"{name}: the least latency, {latency['min']} ns, is the delay line's, and not twice that",
                  20_000_000 <= latency["min"] < 40_000_000, both)


main()
