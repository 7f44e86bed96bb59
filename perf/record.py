# SPDX-License-Identifier: BSD-3-Clause
"""A benchmark's figures as perf/report.py reads them: a list of records in a JSON file.

A record: bench, name, unit, better ("lower", "higher"), ours, peer, peer_value, ratio, rounds, discarded. ratio is the
median of rounds, the ratio of each round of turns: above 1, we are better. Without a peer the last six are left out.
"""
import json
import statistics


def record(bench, name, unit, ours, peer=None, peer_value=None, rounds=(), discarded=0, better='lower'):
    made = {'bench': bench, 'name': name, 'unit': unit, 'better': better, 'ours': round(ours, 3)}
    if peer and rounds:
        made.update(peer=peer, peer_value=round(peer_value, 3), ratio=round(statistics.median(rounds), 4),
                    rounds=[round(r, 4) for r in rounds], discarded=discarded)
    return made


def write(path, records):
    with open(path, 'w', encoding='utf-8') as f:
        json.dump(records, f, indent=1)
