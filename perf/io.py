#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# io.py - io forwarding of circulating packets: Weir beside dpdk-testpmd, in turns on one core
#
# usage: perf/io.py [--build DIR] [--rounds N] [--json FILE] [--instructions]
# Every side stays alive and sleeps while another runs. A window in which the forwarding thread waited for
# its core for more than 5% of the time is thrown away. Figures are medians; ratio is testpmd's cycles by
# ours, the median of the ratios turn by turn: above 1, we take fewer.
# Weir's cycles are those of its whole run. testpmd counts from before a receive to after the send, without
# what its loop does between and without half of its own clock reads; "cpu" is the processor time of its
# thread instead, and the fair figure to put beside ours. Each side's default burst stands beside the other's
# too: testpmd forwards 32, Weir 64.
# --instructions counts instructions a packet with callgrind instead, which no other load can disturb.
import argparse
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

import count
import noise
import record
import testpmd

WINDOW_MS = 4
WAIT_SHARE = 0.05
TRIES = 40  # windows tried for each that counts
RING, CIRCLE = ['--vdev=net_ring0'], ['--total-num-mbufs=8192', '--forward-mode=io']


class Weir:
    def __init__(self, build, cpu, device, packets):
        args = [os.path.join(build, 'perf', 'io_run'), device, str(packets), str(packets)]
        self.proc = subprocess.Popen(['taskset', '-c', str(cpu)] + args, text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def turn(self, _):
        """Cycles a packet (one figure), share of time waited, MHz."""
        self.proc.stdin.write(f'{WINDOW_MS}\n')
        self.proc.stdin.flush()
        packets, cycles, wait, mhz = map(int, self.proc.stdout.readline().split())
        return [cycles / packets], wait / 1000 * mhz / cycles, mhz

    def close(self):
        self.proc.stdin.close()
        return self.proc.wait(20)


def clean_turn(side):
    """A turn that did not wait for its core; None: the machine is too busy. Who has slept is let in."""
    for _ in range(TRIES):
        time.sleep(WINDOW_MS / 1000)
        cycles, waited, mhz = side.turn(WINDOW_MS)
        if waited <= WAIT_SHARE:
            return cycles, mhz
    return None


def compare(sides, rounds):
    """Cycles a packet of all sides, turn by turn, and the TSC's MHz."""
    good = []
    mhz = 0
    for n in range(-1, rounds):  # the first warms up
        turn = {}
        for k in range(len(sides)):
            i = (k + n) % len(sides)
            clean = clean_turn(sides[i])
            if clean:
                turn[i], mhz = clean
        if n >= 0 and len(turn) == len(sides):
            good.append([turn[i] for i in range(len(sides))])
    return good, mhz


def measure(args, cpus):
    """All sides in turns. Of each: its cycles, and testpmd's by them: at as many packets by its own count
    and by processor time, and at its default of 32 by both."""
    bursts, devices = (32, 64), ('loop:', 'dpdk:net_ring0')
    sides = [testpmd.Testpmd(cpus[-1:], cpus[0], RING, CIRCLE + [f'--burst={n}']) for n in bursts]
    sides += [Weir(args.build, cpus[-1], device, n) for device in devices for n in bursts]
    try:
        good, mhz = compare(sides, args.rounds)
    except BaseException:
        for side in sides:
            side.proc.kill()
        raise
    failed = [side.close() for side in sides]
    if any(failed):
        sys.exit(f'io.py: a side failed: {failed}')
    if len(good) < 3:
        sys.exit('io.py: the core was never free enough; try again on a quieter machine')

    def line(name, n, cycles_of):
        ratios = [statistics.median(t[peer][which] / cycles_of(t) for t in good)
                  for peer in (bursts.index(n), 0) for which in (0, 1)]
        cycles = statistics.median(cycles_of(t) for t in good)
        return {'name': f'{name}, {n} packets', 'cycles': cycles, 'mpps': mhz / cycles, 'ratios': ratios,
                'turns': len(good), 'peer': statistics.median(t[bursts.index(n)][1] for t in good),
                'rounds': [t[bursts.index(n)][1] / cycles_of(t) for t in good]}

    lines = [line(f'testpmd io net_ring0{what}', n, lambda t, i=i, which=which: t[i][which])
             for i, n in enumerate(bursts) for which, what in enumerate(('', ' (cpu)'))]
    lines += [line(f'weir io {device}', n, lambda t, i=2 + 2 * d + k: t[i][0])
              for d, device in enumerate(devices) for k, n in enumerate(bursts)]
    return lines


def count_instructions(args):
    def weir(device, packets):
        def run(tool, ms):
            program = [os.path.join(args.build, 'perf', 'io_run'), device, packets, packets]
            return subprocess.run(tool + program, input=f'{ms}\n', text=True, check=True,
                                  capture_output=True).stdout
        return run

    def peer(tool, ms):
        program = ['dpdk-testpmd', '-l', '0,1', '--no-huge', '--no-shconf', '-m', '128', '--no-pci', '--no-telemetry']
        program += RING + ['--', '-i', '--record-core-cycles'] + CIRCLE
        proc = subprocess.Popen(['stdbuf', '-oL'] + tool + program, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)
        time.sleep(15)  # its start-up under callgrind
        proc.stdin.write('start tx_first\n')
        proc.stdin.flush()
        time.sleep(ms / 100)
        return proc.communicate('stop\nquit\n', timeout=120)[0]

    def peer_packets(text):
        return int(testpmd.CYCLES.search(text).group(2))

    def weir_packets(text):
        return int(text.split()[0])

    sides = [('testpmd io net_ring0, 32 packets', peer, peer_packets),
             ('weir io loop, 32 packets', weir('loop:', '32'), weir_packets),
             ('weir io loop, 64 packets', weir('loop:', '64'), weir_packets),
             ('weir io dpdk:net_ring0, 32 packets', weir('dpdk:net_ring0', '32'), weir_packets),
             ('weir io dpdk:net_ring0, 64 packets', weir('dpdk:net_ring0', '64'), weir_packets)]
    return [{'name': name, 'instructions': count.instructions(run, packets)} for name, run, packets in sides]


def write(args, lines):
    if args.instructions:
        made = [record.record('io', line['name'], 'instructions/pkt', line['instructions']) for line in lines]
    else:
        made = [record.record('io', line['name'], 'cycles/pkt', line['cycles'], 'testpmd io over net_ring, processor time',
                              line['peer'], line['rounds']) for line in lines if line['name'].startswith('weir')]
    record.write(args.json, made)


def main():
    parser = argparse.ArgumentParser(description='io forwarding beside dpdk-testpmd')
    parser.add_argument('--build', default='.build', help='build directory (default .build)')
    parser.add_argument('--rounds', type=int, default=15, help='turns that count (default 15)')
    parser.add_argument('--limit', type=int, default=300, help='seconds at most (default 300)')
    parser.add_argument('--json', metavar='FILE', help='write the figures to FILE, too')
    parser.add_argument('--instructions', action='store_true', help='count instructions with callgrind')
    args = parser.parse_args()
    signal.alarm(args.limit)
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f'io.py: not done in {args.limit} s'))
    if not shutil.which('dpdk-testpmd'):
        sys.exit('io.py: dpdk-testpmd is missing; install the package dpdk')
    if args.instructions:
        lines = count_instructions(args)
    else:
        cpus = sorted(os.sched_getaffinity(0))
        lines = measure(args, cpus)
    noise.show(os.path.join(args.build, 'apps', 'weir'))
    if args.json:
        write(args, lines)
    if not args.instructions:
        print(f"{'':36} {'':>29} {'testpmd at as many':>20} {'testpmd at 32':>15}")
        print(f"{'':36} {'cycles/pkt':>17} {'Mpps':>11} {'own':>13} {'cpu':>6} {'own':>8} {'cpu':>6}")
    for line in lines:
        if args.instructions:
            print(f"{line['name']:40} {line['instructions']:6.1f} instructions/pkt")
        else:
            own, cpu, own32, cpu32 = line['ratios']
            print(f"{line['name']:36} {line['cycles']:6.2f} cycles/pkt {line['mpps']:6.1f} Mpps "
                  f"{own:13.2f} {cpu:6.2f} {own32:8.2f} {cpu32:6.2f}")


main()
