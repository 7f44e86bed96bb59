#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""weir bench against devices of which the truth is known: a cable (two ports of loop:), and function impair in a
process of its own, behind vhost-user sockets, which loses every 1,000th packet, delays all by 1 ms, and can be stopped.

usage: bench.py WEIR

Loads are small, and no trial is invalid for what the host does, so that a busy machine makes it slower, not wrong.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

WEIR = os.path.abspath(sys.argv[1])
TOLERANT = ["--interference", "10000%", "--pace", "100%", "--tries", "50"]

LOOP = """version: 1
function: pktgen
ports:
  a: {device: "loop:x", mac: "02:57:65:00:00:01", line: 20M}
  b: {device: "loop:x", mac: "02:57:65:00:00:02", line: 20M}
streams:
  ab:
    port: a
    layers: [{eth: {dst: "02:57:65:00:00:02"}}, {ipv4: {src: 10.0.0.1, dst: 10.0.1.1}}, {udp: {}}]
    rate: top
  ba:
    port: b
    layers: [{eth: {dst: "02:57:65:00:00:01"}}, {ipv4: {src: 10.0.1.1, dst: 10.0.0.1}}, {udp: {}}]
    rate: top
"""

GENERATOR = LOOP.replace("loop:x", "dpdk:net_vhost0,iface=a.sock", 1).replace(
    "loop:x", "dpdk:net_vhost1,iface=b.sock").replace("20M", "100M")

IMPAIR = """version: 1
function: impair
ports:
  a: {device: "virtio-user:a.sock,wait=20"}
  b: {device: "virtio-user:b.sock,wait=20"}
impairments:
- {from: a, to: b, delay: 1ms, loss_every: 1000, packets: 20000}
- {from: b, to: a, delay: 1ms, packets: 20000}
"""


def check(what, ok, more=""):
    if not ok:
        sys.exit(f"FAIL: {what}\n{more}")
    print(f"ok: {what}", flush=True)


def bench(*words, code=0):
    done = subprocess.run([WEIR, "bench", *words], capture_output=True, text=True, timeout=200)
    check(f"bench {words[0]}: exit {code}", done.returncode == code, done.stdout + done.stderr)
    return done.stdout


def write(name, text):
    with open(name, "w", encoding="ascii") as f:
        f.write(text)


def results(name):
    with open(name, encoding="utf-8") as f:
        return json.load(f)


def find(r, test, size=64):
    return next(t for t in r["tests"] if t["test"] == test and t["frame_size"] == size)


def cable():
    bench("loop.yaml", "-o", "loop.json", "--profile", "quick", "--size", "64,1518", "--duration", "20ms", "--settle",
          "50ms", "--latency", "20ms", "--overload", "0.1s", "--repeat", "2", *TOLERANT)
    r = results("loop.json")
    for size in 64, 1518:
        line = 2 * 20e6 / ((size + 20) * 8)
        t = find(r, "throughput", size)["result"]
        check(f"{size} bytes: a cable carries its line rate", line - 1 <= t["pps"] <= line and
              t["limited_by"] == "line" and t["upper_pps"] is None and abs(t["l1_bps"] - 40e6) < 20000, t)
        loss = find(r, "frame_loss", size)["result"]["points"]
        check("and loses nothing", [(round(p["line_share"], 2), p["loss_ratio"]) for p in loss] == [(1, 0), (0.9, 0)], loss)
        check("so that no burst is too long", find(r, "back_to_back", size)["result"]["frames"] is None)
        # Not 0 where the process was kept from running between sending and receiving.
        check("and there is nothing to recover from", 0 <= find(r, "recovery", size)["result"]["seconds"] < 0.3)
        trials = [x for test in r["tests"] for x in test["trials"]]
        for x in trials:
            ways = x["directions"]
            if not (sum(w["sent"] for w in ways) == x["sent"] and sum(w["received"] for w in ways) == x["received"] and
                    x["sent"] - x["received"] <= x["lost"]):
                check("each direction's figures add up", False, x)
    latency = find(r, "latency")["result"]
    ccdf = latency["ccdf"]
    check("the distribution of latency falls from 1 to 0", ccdf[0][1] == 1 and ccdf[-1][1] == 0 and
          all(a[0] <= b[0] and a[1] >= b[1] for a, b in zip(ccdf, ccdf[1:])), ccdf)
    check("the head is complete", r["format"] == "weir-bench" and r["ports"][0]["line_bps"] == 20000000 and
          r["host"]["tsc_hz"] > 1e8 and [s["name"] for s in r["streams"]] == ["ab", "ba"], r["streams"])


def comparison():
    out = bench("--compare", "loop.json", "loop.json")
    check("nothing changed", "same" in out and "worse" not in out.replace("are worse", ""), out)
    r = results("loop.json")
    t = find(r, "throughput")["result"]
    t["repetitions"] = [x / 2 for x in t["repetitions"]]
    write("worse.json", json.dumps(r))
    changes = json.loads(bench("--compare", "loop.json", "worse.json", "--json", code=1))
    bad = [c for c in changes if c["verdict"] not in ("same", "within noise")]
    check("half the throughput is worse", [(c["test"], c["verdict"]) for c in bad] == [("throughput", "worse")], bad)
    changes = json.loads(bench("--compare", "worse.json", "loop.json", "--json"))
    check("and twice is better", "better" in [c["verdict"] for c in changes], changes)
    r["tests"] = [x for x in r["tests"] if x["test"] != "recovery"]
    write("less.json", json.dumps(r))
    check("a test that is gone is missed", "missing" in bench("--compare", "loop.json", "less.json", code=1))
    write("none.json", "{}")
    bench("--compare", "loop.json", "none.json", code=2)
    bench("--report", "loop.json", "-o", "loop.html")
    with open("loop.html", encoding="utf-8") as f:
        check("the report is a page", "<svg" in f.read())


def killed():
    """What was measured before a crash is there; ^C ends a run in order."""
    for how, code in (signal.SIGKILL, -9), (signal.SIGINT, 1):
        if os.path.exists("cut.json"):
            os.unlink("cut.json")
        p = subprocess.Popen([WEIR, "bench", "loop.yaml", "-o", "cut.json", "--profile", "mlrsearch", "--duration", "50ms",
                              *TOLERANT], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while time.monotonic() < until and not (os.path.exists("cut.json") and
                                                any(len(t["trials"]) > 2 for t in results("cut.json")["tests"])):
            time.sleep(0.02)
        p.send_signal(how)
        check(f"signal {how.name}: exit {code}", p.wait(30) == code)
        check("the trials before are there", len(results("cut.json")["tests"][0]["trials"]) > 2)


def impaired():
    start = [WEIR, "bench", "generator.yaml", "--profile", "quick", "--size", "128", *TOLERANT, "--settle", "100ms"]
    device = None
    try:
        # The generator's ports listen from its start on; the device comes to them.
        p = subprocess.Popen([*start, "-o", "impair.json", "--test", "throughput,latency,frame_loss", "--loss", "0.2%",
                              "--duration", "60ms", "--latency", "60ms", "--repeat", "1", "--reset-command",
                              "kill -STOP $(cat device.pid); sleep 0.4; kill -CONT $(cat device.pid)"],
                             stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        device = subprocess.Popen([WEIR, "run", "impair.yaml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        write("device.pid", str(device.pid))
        out, err = p.communicate(timeout=200)
        check("bench of an impaired path", p.returncode == 0, out + err)
    finally:
        if device:
            device.send_signal(signal.SIGINT)
            device.wait(20)
    r = results("impair.json")
    # Where its port refused frames (the process waited for a CPU), that is a limit, and no matter here.
    t = find(r, "throughput", 128)
    check("with 0.2% tolerated, 0.05% of both directions are no limit", t["result"]["limited_by"] == "line" or
          any(x["refused"] for x in t["trials"]), t)
    for x in find(r, "frame_loss", 128)["trials"]:
        lost = {w["port"]: (w["sent"], w["lost"]) for w in x["directions"]}
        if x["valid"] and x["purpose"] != "generator":
            sent = lost["a"][0]
            check(f"every 1000th of {sent} is lost, in one direction", abs(lost["a"][1] - sent / 1000) <= 1.001 and
                  lost["b"][1] == 0, lost)
    low = min(x["latency_ns"]["min"] for test in r["tests"] for x in test["trials"] if x.get("latency_ns", {}).get("count"))
    check("no packet is quicker than 1 ms, the quickest not much slower", 999000 <= low < 1500000, low)
    gap = find(r, "reset", 128)["result"]["seconds"]
    check("a device that was stopped for 0.4 s was away as long", 0.37 < gap < 2, gap)


def words():
    bench("loop.yaml", "--size", "512,64", code=2)
    bench("loop.yaml", "--profile", "slow", code=2)
    bench("loop.yaml", "--test", "reset", code=2)
    bench("absent.yaml", code=2)
    bench("absent.yaml", "--plan", code=2)
    bench("loop.yaml", "-o", "no/folder.json", "--profile", "quick", code=1)  # said before trials, not after
    bench("impair.yaml", code=2)
    bench("loop.yaml", "--mix", "50", "--profile", "quick", code=1)  # there is no IPv6
    check("a plan", bench("loop.yaml", "--plan") == "")


with tempfile.TemporaryDirectory() as d:
    os.chdir(d)
    write("loop.yaml", LOOP)
    write("generator.yaml", GENERATOR)
    write("impair.yaml", IMPAIR)
    words()
    cable()
    comparison()
    killed()
    impaired()
