#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""rfc_router.py - the requirements of RFC 1812, 8200, 4443, 4861 and their kin, a test each

Usage: rfc_router.py WEIR [--write] [-v] [NAME...]

The tests are in rfc/*.py, rfc/suite.py says how they work. docs/router-requirements.md is made of them and compared;
--write writes it. NAME: only tests whose names contain one of these, and no comparison.
"""

import argparse
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "rfc"))
import suite
import ipv4, icmp4, ipv6, icmp6, nd, switched  # noqa: E401,E402,F401  the tests

PAGE = HERE.parent.parent / "docs" / "router-requirements.md"


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("weir")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("-v", action="store_true")
    args = parser.parse_args()
    chosen = [t for t in suite.tests if not args.names or any(n in t.name for n in args.names)]
    failures = 0
    for config in dict.fromkeys(t.config for t in chosen):
        with tempfile.TemporaryDirectory() as folder:
            run = suite.Run(args.weir, HERE / "rfc" / f"{config}.yaml", folder, [t for t in chosen if t.config == config])
            for test, wrong in run.results():
                if bool(wrong) != bool(test.why_not):
                    failures += 1
                    print(f"FAIL {test.name}: {wrong or 'passes, though it is said not to be met'}")
                elif args.v:
                    print(f"{'not met' if wrong else 'ok'} {test.name}")
    if args.write:
        PAGE.write_text(suite.page())
    elif not args.names and (not PAGE.exists() or PAGE.read_text() != suite.page()):
        failures += 1
        print(f"FAIL {PAGE} is not what the tests say: run {sys.argv[0]} WEIR --write")
    print(f"rfc_router: {len(chosen)} requirements, {failures} failures")
    sys.exit(bool(failures))


main()
