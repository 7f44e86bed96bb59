# SPDX-License-Identifier: BSD-3-Clause
"""The host's noise beside a benchmark's figures: one line on standard error.

Polls every CPU we may use for a fifth of a second by `weir doctor --noise`; docs/doctor.md says what a gap is.
"""
import json
import re
import subprocess
import sys

GAPS = re.compile(r'(CPU \d+), .* taken away (\d+) times .* in all (\d+) us \(([\d.]+%)\), the longest (\d+) us')


def show(weir):
    try:
        out = subprocess.run([weir, 'doctor', '--noise', '--probe', '200', '--json'], stdout=subprocess.PIPE,
                             timeout=30, text=True).stdout
        found = [f['found'] for f in json.loads(out)]
    except (OSError, ValueError, subprocess.TimeoutExpired) as e:
        print(f'# host noise: not known: {e}', file=sys.stderr)
        return
    said = [GAPS.match(f) for f in found]
    print('# host noise in 200 ms: ' + '; '.join(
        '{}: {} gaps over 50 us, {} us ({}), worst {} us'.format(*m.groups()) if m else f
        for m, f in zip(said, found)), file=sys.stderr)


if __name__ == '__main__':
    show(sys.argv[1])
