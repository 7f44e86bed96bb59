# SPDX-License-Identifier: BSD-3-Clause
# count.py - instructions a packet, by callgrind: no other load can disturb them
import re
import tempfile


def instructions(run, packets_of):
    """Instructions a packet: of a longer run less a shorter one, so that start-up does not count."""
    points = []
    for ms in (100, 900):
        with tempfile.NamedTemporaryFile() as out:
            text = run(['valgrind', '--tool=callgrind', f'--callgrind-out-file={out.name}'], ms)
            with open(out.name) as f:
                total = int(re.search(r'^(?:summary|totals): (\d+)', f.read(), re.M).group(1))
        points.append((packets_of(text), total))
    return (points[1][1] - points[0][1]) / (points[1][0] - points[0][0])
