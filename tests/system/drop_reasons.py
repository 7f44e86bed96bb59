#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# drop_reasons.py - every node and drop reason of the sources is in the tables of the docs, and the other way round
#
# usage: drop_reasons.py SOURCE_ROOT
#
# netstack/README.md has the nodes of netstack/, docs/app-router.md all that a router's user can meet.

import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
# A node that is added under another name than its definition's, and by what the tables call it.
NAMES = {"bridge-out": "out-BRIDGE", "group-out": "out-GROUP", "port-tx": "tx-PORT", "handoff-out": "handoff-LCORE-NODE",
         "rss": "rss-PORT"}
# Whose reasons the docs mean by "as", "the same" and "…".
SAME = {
    "nd-hold": "arp-hold", "nd-resolve": "arp-resolve", "ip4-virtual": "ip4-reass", "ip6-virtual": "ip4-reass",
    "ip6-reass": "ip4-reass", "ip6-whole": "ip6-local",
}
PART = {"out-BRIDGE"}   # has the array of another node and uses some of it: the docs say which
ARRAY = re.compile(r"static const char \*const (\w+)\[\] = \{(.*?)\};|^const char \*const (\w+)\[\w*\] = \{(.*?)\};", re.S | re.M)
NODE = re.compile(r"struct node_def (\w+) = \{(.*?)\n\t*\};", re.S)


def strings(text):
    return set(re.findall(r'"([a-z0-9-]+)"', re.sub(r"//[^\n]*", "", text)))


def of_sources():
    """node -> its reasons; node -> the folder it is in"""
    nodes, folder, shared, texts = {}, {}, {}, []
    for path in [*sorted((ROOT / "netstack").glob("*.c")), ROOT / "pmd/port_node.c", ROOT / "core/handoff.c"]:
        text = path.read_text()
        arrays = {(a or c): strings(b or d) for a, b, c, d in ARRAY.findall(text)}
        shared.update({name: value for name, value in arrays.items() if name not in ("drops", "edges")})
        texts.append((path, text, arrays))
    for path, text, arrays in texts:
        for _, body in NODE.findall(text):
            name = re.search(r'\.name = "([\w-]+)"', body)
            drops = re.search(r"\.drops = (\w+)", body)
            if not name:
                sys.exit(f"{path}: a node_def without a name that can be read here")
            node = NAMES.get(name[1], name[1])
            nodes[node] = (arrays.get(drops[1]) or shared[drops[1]]) if drops else set()
            folder[node] = path.parent.name
    return nodes, folder


def words(text):
    return [w.strip() for w in re.sub(r"\(.*?\)", "", text).split(",") if w.strip()]


def rows(path, head):
    """the cells of the rows of the table that begins with head"""
    for line in (ROOT / path).read_text().split(head, 1)[1].splitlines()[2:]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def follow(nodes, alike):
    for node in sorted(alike):
        nodes[node] |= nodes.setdefault(SAME[node], set())
    return nodes


def of_readme():
    nodes, alike = {}, []
    for cells in rows("netstack/README.md", "| node | edges |"):
        for node in words(cells[0]):
            same = re.match(r"(as|the same)\b", cells[2]) and node in SAME
            nodes[node] = set() if re.match(r"(as|the same)\b", cells[2]) else set(words(cells[2]))
            alike += [node] if same else []
    return follow(nodes, alike)


def of_manual():
    nodes, alike = {}, []
    for cells in rows("docs/app-router.md", "| node: reason |"):
        for part in cells[0].split(";"):
            left, _, right = part.partition(":")
            for node in words(left):
                nodes.setdefault(node, set()).update(w for w in words(right) if "…" not in w)
                alike += [node] if "…" in right else []
    return follow(nodes, alike)


def compare(place, table, sources):
    """what is wrong with a table; "graph" is the machinery itself"""
    for node, reasons in sources.items():
        told = table.get(node, set())
        for reason in [] if node in PART else sorted(reasons - told):
            yield f"{place}: {node}: {reason} is in the sources and not in the table"
        for reason in sorted(told - reasons):
            yield f"{place}: {node}: {reason} is in the table and not in the sources"
    for node in sorted(set(table) - set(sources) - {"graph"}):
        yield f"{place}: no source has the node {node}"


def main():
    sources, folders = of_sources()
    if len(sources) < 30:
        sys.exit(f"only {len(sources)} nodes were found in the sources")
    netstack = {node: reasons for node, reasons in sources.items() if folders[node] == "netstack"}
    wrong = [*compare("netstack/README.md", of_readme(), netstack), *compare("docs/app-router.md", of_manual(), sources)]
    print("\n".join(wrong) or f"{len(sources)} nodes, {sum(map(len, sources.values()))} reasons: as the tables say")
    sys.exit(1 if wrong else 0)


main()
