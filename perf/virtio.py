#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# virtio.py - our virtio driver, in the image and hosted, beside DPDK's virtio_user: one back end, one seat
#
# Jobs: the client receives (and frees), sends (and builds every frame: a buffer from its pool, 42 bytes of
# headers copied into it), or sends back what it receives. Clients take turns in the same seat before the
# same back end (virtio_seat.py); medians of --rounds. A run in which either polling thread waited for its
# core for over 5% of the time is thrown away and tried again.
#
# One line a case and client: `virtio-JOB-SIZE-PAIRSp-CLIENT cycles/pkt Mpps ratio`. cycles: busy ones, of
# bursts that had packets, the client's own count. A client that sends faster than the back end takes builds
# packets for a full ring and throws them away, and pays; so in brackets for tx: ours, of bursts that were
# taken whole; DPDK's, a packet built, taken or not, which flatters it. Mpps: the back end's count. ratio: busy cycles of DPDK's
# best variant over the client's, above 1 is better than any of DPDK's. The last table puts the ratios the
# other way round: ours over DPDK's best, below 1 is better.
#
# Not here: testpmd with net_vhost and net_virtio_user in one process, steadier, but for DPDK alone.
import argparse
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections import namedtuple

import noise
import record
from virtio_seat import DPDK, JOBS, OURS, Ours, Testpmd, backend, waited

SIZES = ['64', '512', '1514', 'imix']  # bytes without FCS
WAIT_MAX = 0.05
Case = namedtuple('Case', 'job size pairs client')
Run = namedtuple('Run', 'mpps cycles sent words')


def wait_for(what, seconds, why):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise RuntimeError(f'{why} within {seconds} s')
        time.sleep(0.05)


def rates(child, which):
    """Packets a second, of every period, of the back end's port 0."""
    ports = re.split(r'NIC statistics for port ', child.output())
    return [int(n) for text in ports if text.startswith('0')
            for n in re.findall(which + r'-pps:\s+(\d+)', text)]


def measure(args, case, directory):
    """One run -> (Run, the worst wait)."""
    back = seat = None
    which = JOBS[case.job][3]
    try:
        back, sock = backend(args, case, directory)
        wait_for(lambda: os.path.exists(sock) or back.process.poll() is not None, 20, 'no back end')
        seat = (Ours if case.client in OURS else Testpmd)(args, case, sock, directory)
        wait_for(lambda: any(rates(back, which)) or seat.child.process.poll() is not None, 30,
                 f'no packets between back end and {case.client}')
        time.sleep(args.settle)
        seat.window()
        had = len(rates(back, which))
        before = [back.threads(), seat.child.threads()]
        start = time.monotonic()
        time.sleep(args.seconds)
        seconds = time.monotonic() - start
        after = [back.threads(), seat.child.threads()]
        got = rates(back, which)[had + 1:]  # a period that lies in the window whole
        wait = max(waited(b, a, seconds) for b, a in zip(before, after))
        cycles, sent = seat.figures()
        mpps = statistics.median(got) / 1e6 if got else 0
        return Run(mpps, cycles, sent, seat.says()), wait
    except FileNotFoundError as e:
        raise RuntimeError(f'a process ended early ({e.filename}): '
                           + (seat.child if seat else back).output()[-400:]) from e
    finally:
        for child in (seat and seat.child, back):
            if child:
                child.end()


def undisturbed(args, case):
    for _ in range(args.tries):
        directory = tempfile.mkdtemp(prefix='weir-virtio-')
        try:
            run, wait = measure(args, case, directory)
        except RuntimeError as e:
            print(f'# {" ".join(map(str, case))}: {e}', file=sys.stderr)
            continue
        finally:
            shutil.rmtree(directory)
        if run.mpps and run.cycles and wait <= args.max_wait:
            return run
        print(f'# {" ".join(map(str, case))}: {run.mpps:.2f} Mpps, {run.cycles} cycles thrown away, a thread '
              f'waited {wait:.0%}', file=sys.stderr)
    return None


def run_group(args, job, size, pairs):
    """All clients of one case, in turns -> client: medians."""
    runs = {client: [] for client in args.clients}
    for _ in range(args.rounds):
        for client, had in runs.items():
            run = undisturbed(args, Case(job, size, pairs, client))
            if run:
                had.append(run)
    result = {}
    for client, had in runs.items():
        if had:
            result[client] = {'mpps': statistics.median(r.mpps for r in had),
                              'cycles': statistics.median(r.cycles for r in had),
                              'sent': statistics.median(r.sent for r in had),
                              'runs': len(had), 'words': had[-1].words, 'all': [(r.cycles, r.sent) for r in had]}
    return result


def best_of(result, key='cycles'):
    return min((r[key] for client, r in result.items() if client in DPDK), default=None)


def show(name, result):
    best = best_of(result)
    for client, r in result.items():
        ratio = f"{best / r['cycles']:.2f}" if best else '-'
        sent = f" ({r['sent']:.0f})" if '-tx-' in name else ''
        words = f"  # {r['words']}" if r['words'] else ''
        print(f"{name}-{client} {r['cycles']:.0f} {r['mpps']:.2f} {ratio}{sent}{words}")
    sys.stdout.flush()


def summary(results):
    """Ours over DPDK's best variant, busy cycles a packet; the image over the hosted front end."""
    print('# busy cycles a packet over those of DPDK\'s best variant (below 1: fewer)')
    for name, result in results.items():
        key = 'sent' if '-tx-' in name else 'cycles'
        best = best_of(result, key)
        ours = {c: r[key] for c, r in result.items() if c in OURS}
        if best and ours:
            pairs = [f'{c} {v / best:.2f}' for c, v in ours.items()]
            pairs += [f"image/hosted{p or ' split'} {ours['image' + p] / ours['hosted' + p]:.2f}"
                      for p in ('', '-packed') if 'image' + p in ours and 'hosted' + p in ours]
            print(f"# {name}: {', '.join(pairs)}")


def records(results):
    """Of each client of ours beside the quickest of DPDK's, round by round."""
    made = []
    for name, result in results.items():
        at = 1 if '-tx-' in name else 0
        best = min((c for c in result if c in DPDK), key=lambda c: result[c][('cycles', 'sent')[at]], default=None)
        for client in (c for c in result if c in OURS):
            rounds = [b[at] / a[at] for a, b in zip(result[client]['all'], result[best]['all'])] if best else []
            made.append(record.record('virtio', f'{name}-{client}', 'busy cycles/pkt', result[client][('cycles', 'sent')[at]],
                                      best, best and result[best][('cycles', 'sent')[at]], rounds))
    return made


def arguments():
    p = argparse.ArgumentParser(description='our virtio driver beside DPDK virtio_user, against one back end')
    p.add_argument('--build', default='.build', help='the build directory (%(default)s)')
    p.add_argument('--full', action='store_true', help='every job, size, client, 1 and 2 queue pairs: an hour')
    p.add_argument('--rounds', type=int, help='runs of each, interleaved (1; with --full 3)')
    p.add_argument('--seconds', type=float, default=2.5, help='length of a run that counts (%(default)s)')
    p.add_argument('--settle', type=float, default=1.5, help='before it: the back end needs 1 s (%(default)s)')
    p.add_argument('--tries', type=int, default=3, help='for a run thrown away (%(default)s)')
    p.add_argument('--max-wait', type=float, default=WAIT_MAX, help='share of the time (%(default)s)')
    p.add_argument('--accel', choices=['auto', 'kvm', 'tcg'], default='auto')
    p.add_argument('--machine', choices=['microvm', 'q35'], default='microvm')
    p.add_argument('--cores', type=int, nargs=2, default=[0, 1], help='back end, client (0 1)')
    p.add_argument('--nice', type=int, default=0, help='of back end and client, on a shared machine')
    p.add_argument('--jobs', nargs='+', choices=list(JOBS), default=list(JOBS))
    p.add_argument('--sizes', nargs='+', choices=SIZES)
    p.add_argument('--pairs', nargs='+', type=int, help='queue pairs; one thread drives them all (1)')
    p.add_argument('--clients', nargs='+', choices=list(OURS) + list(DPDK))
    p.add_argument('--json', metavar='FILE', help='write the figures to FILE, too')
    args = p.parse_args()
    args.rounds = args.rounds or (3 if args.full else 1)
    args.sizes = args.sizes or (SIZES if args.full else ['64'])
    args.pairs = args.pairs or ([1, 2] if args.full else [1])
    args.clients = args.clients or list(OURS) + [c for c in DPDK if args.full or c != 'dpdk-split-inorder']
    if args.accel == 'auto':
        args.accel = 'kvm' if os.access('/dev/kvm', os.R_OK | os.W_OK) else 'tcg'
    return args


def main():
    args = arguments()
    results = {}
    print(f'# name cycles/pkt Mpps ratio ({args.accel}, {args.machine}; medians of {args.rounds})')
    for pairs in args.pairs:
        for size in args.sizes:
            for job in args.jobs:
                if size == 'imix' and job == 'tx':
                    continue  # testpmd builds frames of one length alone
                name = f'virtio-{job}-{size}-{pairs}p'
                results[name] = run_group(args, job, size, pairs)
                show(name, results[name])
    noise.show(f'{args.build}/apps/weir')
    if args.json:
        record.write(args.json, records(results))
    summary(results)
    return any(len(r) < len(args.clients) for r in results.values())


if __name__ == '__main__':
    sys.exit(main())
