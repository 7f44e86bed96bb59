#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The HTML report of benchmark results: results that lie, and pictures as a browser draws them.

usage: report.py REPORT_PAGE hostile|picture

hostile: text that would be markup, values of other types, JSON cut anywhere: a page of known elements alone, or a
refusal; never a crash. picture: the sample in headless Chromium, light and dark: no text beyond its plot or upon
another, no mark outside the frame, nothing cut, and marks where the axes' labels say the values are.
"""
import html.parser
import json
import math
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLE = os.path.join(HERE, "bench_sample.json")
PROGRAM = os.path.abspath(sys.argv[1])
EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>&lt;</td></table></style>\x07\u202e\u00e9\U0001f600"
ELEMENTS = set("html head meta title style body h1 h2 h3 p b i small code div table thead tbody tr th td ul li figure "
               "figcaption svg rect path text g footer section".split())
ATTRIBUTES = set("lang charset name content http-equiv class id rowspan colspan viewbox role aria-label aria-hidden x y width "
                 "height d transform".split())
VOID = {"meta"}


class Page(html.parser.HTMLParser):
    """Complains of anything a report has not."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.styles = [], 0
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"
        assert self.styles == 1

    def handle_starttag(self, tag, attrs):
        assert tag in ELEMENTS, f"<{tag}>"
        for name, _ in attrs:
            assert name in ATTRIBUTES, f"<{tag} {name}>"
        self.styles += tag == "style"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}>"


def page(results, folder):
    """A page's text, or None for a refusal that says why."""
    where, out = os.path.join(folder, "in.json"), os.path.join(folder, "out.html")
    with open(where, "wb") as f:
        f.write(results if isinstance(results, bytes) else json.dumps(results).encode())
    if os.path.exists(out):
        os.unlink(out)
    done = subprocess.run([PROGRAM, where, out], capture_output=True, text=True, timeout=60)
    if done.returncode == 0:
        with open(out, encoding="utf-8") as f:
            text = f.read()
        Page(text)
        assert not re.search(r"\b(nan|inf)\b", re.sub(r"<style>.*?</style>", "", text, flags=re.S)), "nan or inf"
        return text
    assert done.returncode == 1 and "expected" in done.stderr and "Sanitizer" not in done.stderr, done
    assert not os.path.exists(out), "a page in spite of an error"
    return None


def twist(value, rng, rate):
    """Some values of other types, sizes and signs."""
    if rng.random() < rate:
        return rng.choice([None, True, [], {}, "", EVIL, "9" * 300, -1, 0, 1e17, -1e300, 1e-300, 10**17, 0.1, [[1]], {"pps": 1}])
    if isinstance(value, dict):
        return {k: twist(v, rng, rate) for k, v in value.items()}
    if isinstance(value, list):
        return [twist(v, rng, rate) for v in value]
    return value


def evil(value, key=""):
    """All text that is no name of a test or format replaced."""
    if isinstance(value, dict):
        return {k: evil(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [evil(v, key) for v in value]
    return EVIL + value if isinstance(value, str) and key not in ("format", "test") else value


def hostile(sample, folder):
    text = page(evil(sample), folder)
    assert text.count("&lt;script&gt;") > 20 and "onerror=alert" in text  # as text; Page saw no such element
    again = evil(sample)
    for t in again["tests"]:
        t["frame_size"] = EVIL
    assert page(again, folder)
    rng = random.Random(2544)
    made = sum(page(twist(sample, rng, rng.choice([0.003, 0.02, 0.2])), folder) is not None for _ in range(30))
    assert made >= 10, made
    many = dict(sample, tests=[dict(t, frame_size=64 + i) for i in range(70) for t in sample["tests"][:4]])
    assert "more, in the table" in page(many, folder)
    # As near to 0 as a number gets: an axis must not count the decades in between.
    tiny = {"test": "latency", "frame_size": 64, "ip": "4", "result": {"ccdf": [[5e-324, 0.5]]}}
    assert page(dict(sample, tests=[tiny]), folder)
    assert page(dict(sample, tests=[]), folder) and page({"format": "weir-bench", "version": 1}, folder)
    raw = json.dumps(sample).encode()
    for bad in (b"", b"[" * 100000, b"\xff" + raw, b"nonsense", {"format": "weir-perf", "version": 1}, [], {},
                {"format": "weir-bench", "version": 2}, {"format": EVIL, "version": 1}):
        assert page(bad, folder) is None, bad if len(bad) < 100 else len(bad)
    for _ in range(8):
        assert page(raw[:rng.randrange(len(raw))], folder) is None
    print(f"{made} of 30 twisted results made a page")


# Runs in the browser, in the test alone: where everything is.
MEASURE = """<script>addEventListener('load',()=>{
const box=e=>{const r=e.getBoundingClientRect();return [r.left,r.top,r.right,r.bottom]};
const label=e=>({text:e.textContent,kind:e.getAttribute('class'),box:box(e)});
const mark=e=>({title:(e.querySelector('title')||{}).textContent,box:box(e)});
const found={width:innerWidth,scroll:document.documentElement.scrollWidth,dark:matchMedia('(prefers-color-scheme:dark)').matches,
plots:[...document.querySelectorAll('svg.plot')].map(s=>({title:s.getAttribute('aria-label'),box:box(s),
 frame:box(s.querySelector('.frame')),texts:[...s.querySelectorAll('text')].map(label),
 legend:[...s.closest('figure').querySelectorAll('li')].map(label),figure:box(s.closest('figure')),
 lines:[...s.querySelectorAll('.line,.whisker,.mean')].map(mark),
 marks:[...s.querySelectorAll('.mark,.bar')].map(mark)})),
cut:[...document.querySelectorAll('td,th,p,h1,h2,h3,figcaption')].filter(e=>e.scrollWidth>e.clientWidth+1).map(e=>e.textContent),
summary:[...document.querySelectorAll('#summary tbody tr')].map(r=>[...r.children].map(c=>c.textContent))};
const pre=document.createElement('pre');pre.id='measured';pre.textContent=JSON.stringify(found);document.body.append(pre)})</script>"""


def browser(folder, *words, dark=False):
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
               f"--user-data-dir={folder}/profile", "--disable-background-networking", "--no-first-run",
               f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--window-size=1240,1300", *words]
    done = subprocess.run(command, capture_output=True, timeout=100, env=dict(os.environ, HOME=folder))
    assert done.returncode == 0, done.stderr[-500:]
    return done.stdout.decode()


def measured(folder, text):
    where = os.path.join(folder, "test.html")
    with open(where, "w", encoding="utf-8") as f:  # the page's policy lets no script run: not even this one
        f.write(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text).replace("</head>", MEASURE + "</head>"))
    dom = browser(folder, "--dump-dom", "file://" + where)
    found = re.search(r'<pre id="measured">(.*?)</pre>', dom, re.S)
    assert found, dom[-500:]
    return json.loads(html.unescape(found.group(1)))


def inside(inner, outer, slack):
    return (inner[0] >= outer[0] - slack and inner[1] >= outer[1] - slack and inner[2] <= outer[2] + slack
            and inner[3] <= outer[3] + slack)


def meet(a, b):
    return min(a[2], b[2]) - max(a[0], b[0]) > 0.5 and min(a[3], b[3]) - max(a[1], b[1]) > 0.5


def middle(box, axis):
    return (box[axis] + box[axis + 2]) / 2


def check_layout(found):
    assert found["scroll"] <= found["width"], "the page is wider than its window"
    assert not found["cut"], found["cut"]
    assert len(found["plots"]) == 7, [p["title"] for p in found["plots"]]
    for p in found["plots"]:
        what = p["title"]
        assert p["box"][2] - p["box"][0] > 400 and p["box"][3] - p["box"][1] > 200, what
        assert p["marks"] and p["legend"] and len(p["texts"]) >= 6, what
        for t in p["texts"]:
            assert inside(t["box"], p["box"], 0), (what, "outside the picture", t)
            assert t["kind"] == "tb" or not meet(t["box"], p["frame"]), (what, "upon the frame", t)
        for t in p["legend"]:
            assert inside(t["box"], p["figure"], 0), (what, "outside its figure", t)
        for group in (p["texts"], p["legend"]):
            for i, t in enumerate(group):
                for other in group[:i]:
                    assert not meet(t["box"], other["box"]), (what, "meet", t, other)
        for m in p["marks"] + p["lines"]:
            assert inside(m["box"], p["frame"], 6), (what, "outside the frame", m, p["frame"])


def scale(plot, kind, axis, value):
    """The value of a pixel, by the labels of two ticks."""
    ticks = [(value(t["text"]), middle(t["box"], axis)) for t in plot["texts"] if t["kind"] == kind]
    (a, at), (b, bt) = ticks[0], ticks[-1]
    return lambda pixel: a + (b - a) * (pixel - at) / (bt - at)


def nanoseconds(text):
    number, unit = text.split()
    return float(number) * {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}[unit]


def percent(text):
    return float(text.rstrip("%")) / 100


def check_values(found, sample):
    """What the marks say where they stand, against the results."""
    plots = {p["title"]: p for p in found["plots"]}
    results = {(t["test"], t["frame_size"], t["ip"]): t["result"] for t in sample["tests"]}

    p = plots["Frame rate by frame size"]
    y = scale(p, "ty", 1, float)
    want = sorted((("IPv6" if ip == "6" else "IPv4"), size, r["pps"] / 1e6) for (kind, size, ip), r in results.items()
                  if kind == "throughput")
    got = sorted((m["title"].split(":")[0], int(m["title"].split(": ")[1].split(", ")[0].replace(",", "")),
                  y(middle(m["box"], 1))) for m in p["marks"])
    assert [w[:2] for w in want] == [g[:2] for g in got], (want, got)
    for w, g in zip(want, got):
        assert abs(w[2] - g[2]) < 0.12, (w, g)

    p = plots["Share of the line rate"]
    y = scale(p, "ty", 1, percent)
    assert sorted(round(y(m["box"][1]), 2) for m in p["marks"]) == sorted(
        round(r["line_share"], 2) for (kind, _, _), r in results.items() if kind == "throughput")

    p = next(p for title, p in plots.items() if title.startswith("Latency"))
    x = scale(p, "tx", 0, lambda text: math.log(nanoseconds(text)))
    y = scale(p, "ty", 1, lambda text: math.log(percent(text)))
    for m in p["marks"]:
        label = m["title"].split(":")[0].replace(",", "").split()
        ccdf = results["latency", int(label[0]), "6" if label[1:] else "4"]["ccdf"]
        ns, share = math.exp(x(middle(m["box"], 0))), math.exp(y(middle(m["box"], 1)))
        assert any(abs(ns / a - 1) < 0.05 and abs(share / max(b, 1e-6) - 1) < 0.2 for a, b in ccdf), (m, ns, share)

    p = plots["Longest bursts without loss"]
    assert len(p["marks"]) == sum(len(r["repetitions"]) for (kind, _, _), r in results.items() if kind == "back_to_back")

    for row in found["summary"]:
        label = row[0].replace(",", "").split()
        key = int(label[0]), "6" if label[1:] else "4"
        assert abs(float(row[1]) * 1e6 / results["throughput", *key]["pps"] - 1) < 0.001, row
        assert abs(float(row[6]) * 1e3 / results["latency", *key]["latency_ns"]["p50"] - 1) < 0.001, row
    assert len(found["summary"]) == 6


def pixels(path):
    """Rows of RGB of a PNG of 8 bits, not interlaced."""
    with open(path, "rb") as f:
        data = f.read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed, size = 8, b"", None
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            size = struct.unpack(">IIBBBBB", body)
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    width, height, depth, colour, _, _, lace = size
    assert depth == 8 and colour in (2, 6) and lace == 0, size
    n = {2: 3, 6: 4}[colour]
    raw, rows, above = zlib.decompress(packed), [], bytes(width * n)
    for y in range(height):
        kind, row = raw[y * (width * n + 1)], bytearray(raw[y * (width * n + 1) + 1:(y + 1) * (width * n + 1)])
        if kind == 2:
            row = bytearray((a + b) & 255 for a, b in zip(row, above))
        elif kind:
            for i in range(width * n):
                left, up, corner = (row[i - n] if i >= n else 0), above[i], (above[i - n] if i >= n else 0)
                guess = left + up - corner
                paeth = min((left, up, corner), key=lambda v: abs(guess - v))
                row[i] = (row[i] + {1: left, 3: (left + up) // 2, 4: paeth}[kind]) & 255
        above = bytes(row)
        rows.append([above[i:i + 3] for i in range(0, width * n, n)])
    return rows


def check_picture(path, found, paper, colour):
    """Paper around, and in the frame of each plot that is on the picture a curve's colour and not much of it."""
    rows = pixels(path)
    assert rows[2][2] == bytes.fromhex(paper), rows[2][2]
    seen = 0
    for p in found["plots"]:
        left, top, right, bottom = (int(v) for v in p["frame"])
        if bottom >= len(rows):
            continue
        inner = [c for row in rows[top + 2:bottom - 2] for c in row[left + 2:right - 2]]
        drawn = sum(c == bytes.fromhex(colour) for c in inner)
        blank = sum(c == bytes.fromhex(paper) for c in inner)
        assert drawn > 30 and blank > len(inner) / 3, (p["title"], drawn, blank, len(inner))
        seen += 1
    assert seen >= 2, seen


def picture(sample, folder):
    if not shutil.which("chromium"):
        print("SKIP: needs chromium")
        sys.exit(77)
    text = page(sample, folder)
    found = measured(folder, text)
    check_layout(found)
    check_values(found, sample)
    shot, where = os.path.join(folder, "page.png"), "file://" + os.path.join(folder, "out.html")
    for dark, paper, colour in ((False, "ffffff", "0063a6"), (True, "14171b", "5ab0f0")):
        browser(folder, f"--screenshot={shot}", where, dark=dark)
        check_picture(shot, found, paper, colour)
    print(f"{len(found['plots'])} plots, {sum(len(p['texts']) for p in found['plots'])} labels, "
          f"{sum(len(p['marks']) for p in found['plots'])} marks in their places, light and dark")


def main():
    with open(SAMPLE, encoding="utf-8") as f:
        sample = json.load(f)
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        {"hostile": hostile, "picture": picture}[sys.argv[2]](sample, folder)


main()
