#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""perf/report.py as a gate: what falls beyond the noise fails by name, once more or not at all, and the page says so.

usage: perf_judge.py SOURCE_ROOT
The benchmark is a program here that says what it is told; nothing is measured.
"""
import html.parser
import json
import os
import subprocess
import sys
import tempfile

ROOT = sys.argv[1]
sys.path.insert(0, os.path.join(ROOT, "perf"))
import record  # noqa: E402
import report  # noqa: E402

# Ratios by file: the first run takes the first list, the second the second.
PROGRAM = """import json, os, sys
sys.path.insert(0, %r)
import record
runs = json.load(open("runs.json"))
now = runs.pop(0) if len(runs) > 1 else runs[0]
json.dump(runs, open("runs.json", "w"))
record.write(sys.argv[1], [record.record("x", n, "cycles/pkt", 10, "peer <b>", 20, r) for n, r in now.items()])
sys.exit(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
"""
STEADY = [1.99, 2.0, 2.0, 2.0, 2.01]


def gate(runs, *options, status=""):
    with open("runs.json", "w") as f:
        json.dump(runs, f)
    report.BENCHES.clear()
    report.BENCHES["fake"] = [f"{os.getcwd()}/fake.py {{j}} {status}"]
    sys.argv = ["report.py", "--out", "out", "--baseline", "baseline.json", *options, "fake"]
    return report.main()


def verdicts():
    with open("out/results.json") as f:
        return {r["name"]: r["verdict"] for r in json.load(f)["benchmarks"]}


class Tags(html.parser.HTMLParser):
    found = None

    def handle_starttag(self, tag, attrs):
        self.found = (self.found or []) + [tag]


def main():
    with open("fake.py", "w") as f:
        f.write(PROGRAM % os.path.join(ROOT, "perf"))
    wild = [1.0, 1.6, 2.0, 2.4, 3.0]
    assert gate([{"a": STEADY, "wild": wild}], "--write-baseline", "--note", "made up") == 0
    with open("baseline.json") as f:
        made = json.load(f)
    assert made["note"] == "made up" and made["benchmarks"]["fake: a"]["ratio"] == 2
    # Quartiles of STEADY by hand: 1.995 and 2.005; three errors of 0.93 * 0.01 / sqrt(5).
    assert abs(made["benchmarks"]["fake: a"]["noise"] - 3 * 0.93 * 0.01 / 5 ** 0.5) < 1e-4, made

    assert gate([{"a": STEADY, "wild": wild}]) == 0 and verdicts() == {"a": "good", "wild": "good"}
    assert gate([{"a": [1.92, 1.92, 1.92, 1.92]}]) == 0  # within 5%
    low = {"a": [1.79, 1.8, 1.8, 1.81], "wild": wild, "b": STEADY}
    assert gate([low]) == 1 and verdicts() == {"a": "fallen", "wild": "good", "b": "new"}
    with open("out/report.html") as f:
        text = f.read()
    tags = Tags()
    tags.feed(text)
    assert "1 fallen" in text and "b" in tags.found and "peer &lt;b&gt;" in text and tags.found.count("circle") == 4 + 5 + 5
    assert gate([low, {"a": STEADY}]) == 0 and verdicts()["a"] == "good"  # not again
    assert gate([{"a": [1.5, 1.7, 1.8, 2.2]}]) == 0  # a fall, and so noisy that nobody can say
    assert gate([{"a": STEADY}], status="1") == 1 and gate([{"a": STEADY}], status="3") == 0
    try:
        sys.argv = ["report.py", "nonsense"]
        report.main()
        raise AssertionError("an unknown name was taken")
    except SystemExit as e:
        assert e.code == 2
    assert report.of_text("lpm/lookup/random/lpm4-avx512        9.2 cycles/pkt   280.00 Mpps  ratio 2.43\n"
                          "lpm/lookup/random/rte_fib-2B         22.3 cycles/pkt   110.00 Mpps  ratio 1.00\n")[0]["ratio"] == 2.43
    assert record.record("x", "n", "ns", 1) == {"bench": "x", "name": "n", "unit": "ns", "better": "lower", "ours": 1}


with tempfile.TemporaryDirectory(prefix="weir-") as folder:
    os.chdir(folder)
    main()
