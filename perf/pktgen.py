#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# pktgen.py - making packets: Weir's generator beside dpdk-testpmd and trafgen, in turns on one core
#
# usage: perf/pktgen.py [--build DIR] [--rounds N] [--json FILE]
# Into DPDK's net_null, 64-byte frames: the signed stream (addresses and ports that change from packet to packet,
# sequence number, time stamp, UDP checksum) beside testpmd flowgen (which changes a destination address and sums its
# IPv4 header alone), and a plain template beside testpmd txonly. As root also over a veth pair beside trafgen.
# Every side stays alive and sleeps while another runs. A window in which the sending thread waited for its core for
# more than 5% of the time is thrown away. Figures are medians; ratio is the peer's cycles by ours, the
# median of the ratios turn by turn: above 1, we take fewer. Cycles are of processor time, all of the loop
# included; testpmd's own count, which leaves its loop out, stands beside it.
import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import noise
import testpmd

WINDOW_MS = 4
WAIT_SHARE = 0.05
TRIES = 40  # windows tried for each that counts
EAL = ['--vdev=net_null0,no-rx=1']
HEAD = """version: 1
function: pktgen
ports:
  out: {device: "%s", addresses: [10.0.0.1/8]}
streams:
"""
CHANGING = """  changing:
    port: out
    length: 64
    layers:
      - eth: {dst: "02:00:00:00:00:02"}
      - ipv4: {src: {from: 10.0.0.1, to: 10.0.255.254}, dst: {from: 10.1.0.1, to: 10.1.255.254}}
      - udp: {src: {from: 1024, to: 60000}, dst: {from: 1, to: 50000}}
"""
PLAIN = """  plain:
    port: out
    length: 64
    signature: off
    layers:
      - eth: {dst: "02:00:00:00:00:02"}
      - ipv4: {src: 10.0.0.1, dst: 10.1.0.1}
      - udp: {src: 1024, dst: 9}
"""
TRAFGEN = ('{ eth(da=02:00:00:00:00:02, sa=02:00:00:00:00:01), ipv4(saddr=drnd(), daddr=drnd()), '
           'udp(sport=drnd(), dport=drnd()), fill(0x00, 18) }')
VETH_MS = 300


class Weir:
    def __init__(self, build, cpu, config):
        args = [os.path.join(build, 'perf', 'gen_run'), config]
        self.proc = subprocess.Popen(['taskset', '-c', str(cpu)] + args, text=True, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE)

    def turn(self, ms):
        """Cycles a packet (two figures alike), share of time waited, MHz."""
        self.proc.stdin.write(f'{ms}\n')
        self.proc.stdin.flush()
        packets, cycles, wait, mhz = map(int, self.proc.stdout.readline().split()[:4])
        waited = wait / 1000 * mhz
        return [(cycles - waited) / packets] * 2, waited / cycles, mhz

    def close(self):
        self.proc.stdin.close()
        return self.proc.wait(20)


class Peer(testpmd.Testpmd):
    def turn(self, ms):
        return super().turn(ms, 'start')


def clean_turn(side, discarded):
    """A turn that did not wait for its core; None: the machine is too busy. Who has slept is let in."""
    for _ in range(TRIES):
        time.sleep(WINDOW_MS / 1000)
        cycles, waited, mhz = side.turn(WINDOW_MS)
        if cycles and waited <= WAIT_SHARE:
            return cycles, mhz
        discarded[0] += 1
    return None


def compare(sides, rounds):
    """Cycles a packet of all sides, turn by turn, the TSC's MHz, and how many windows were thrown away."""
    good, mhz, discarded = [], 0, [0]
    for n in range(-1, rounds):  # the first warms up
        turn = {}
        for k in range(len(sides)):
            i = (k + n) % len(sides)
            clean = clean_turn(sides[i], discarded)
            if clean:
                turn[i], mhz = clean
        if n >= 0 and len(turn) == len(sides):
            good.append([turn[i] for i in range(len(sides))])
    return good, mhz, discarded[0]


def write(folder, name, text):
    path = os.path.join(folder, name + '.yaml')
    with open(path, 'w') as f:
        f.write(text)
    return path


def configs(folder):
    null = HEAD % 'dpdk:net_null0'
    return {'signed': write(folder, 'signed', null + CHANGING), 'plain': write(folder, 'plain', null + PLAIN)}


PAIRS = [('signed 64-byte frames with changing addresses and ports into net_null', 'signed', 'flowgen'),
         ('plain 64-byte frames into net_null', 'plain', 'txonly')]


def measure(args, cpus, folder):
    paths = configs(folder)
    sides = [Weir(args.build, cpus[-1], paths[ours]) for _, ours, _ in PAIRS]
    sides += [Peer(cpus[-1:], cpus[0], EAL, [f'--forward-mode={peer}', '--total-num-mbufs=8192'])
              for _, _, peer in PAIRS]
    try:
        good, mhz, discarded = compare(sides, args.rounds)
    except BaseException:
        for side in sides:
            side.proc.kill()
        raise
    failed = [side.close() for side in sides]
    if any(failed):
        sys.exit(f'pktgen.py: a side failed: {failed}')
    if len(good) < 3:
        sys.exit('pktgen.py: the core was never free enough; try again on a quieter machine')
    return [line(name, f'testpmd {peer}', good, i, i + len(PAIRS), mhz, discarded)
            for i, (name, _, peer) in enumerate(PAIRS)]


def arrived():
    """Frames that h1 has received."""
    with open('/proc/net/dev') as f:
        return next(int(line.split()[2]) for line in f if line.split()[0] == 'h1:')


def used_ns(pid):
    """Processor time of a process and its children, kernel included."""
    total = 0
    for task in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{task}/schedstat') as f:
            total += int(f.read().split()[0])
        with open(f'/proc/{pid}/task/{task}/children') as f:
            total += sum(used_ns(int(child)) for child in f.read().split())
    return total


def send(pid, begin):
    """ns of processor time for each frame that arrives."""
    begin()
    time.sleep(0.1)
    frames, ns = arrived(), used_ns(pid)
    time.sleep(VETH_MS / 1000)
    frames, ns = arrived() - frames, used_ns(pid) - ns
    return ns / frames if frames else None


def veth_ours(args, config):
    weir = Weir(args.build, args.cpu, config)

    def begin():
        weir.proc.stdin.write(f'{2 * VETH_MS + 200}\n')
        weir.proc.stdin.flush()

    ns = send(weir.proc.pid, begin)
    weir.proc.stdout.readline()
    weir.close()
    return ns


def veth_trafgen(args):
    command = ['taskset', '-c', str(args.cpu), 'trafgen', '-o', 'h0', '-P', '1', '-Q', '-C', TRAFGEN]
    proc = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        return send(proc.pid, lambda: time.sleep(0.3))
    finally:
        os.killpg(proc.pid, signal.SIGKILL)  # its parts are processes of their own
        proc.wait(20)


def measure_veth(args, folder):
    """By a veth pair in a network namespace of its own; trafgen's fields are random, ours count and are signed."""
    for words in (['sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1'],
                  ['ip', 'link', 'add', 'h0', 'type', 'veth', 'peer', 'name', 'h1'],
                  ['ip', 'link', 'set', 'h0', 'up'], ['ip', 'link', 'set', 'h1', 'up']):
        subprocess.run(words, check=True, timeout=20)
    drivers = ('packet',)
    config = {d: write(folder, d, HEAD % f'{d}:h0' + CHANGING) for d in drivers}
    good = []
    for _ in range(args.rounds):
        turn = [veth_ours(args, config[d]) for d in drivers] + [veth_trafgen(args)]
        if all(turn):
            good.append(turn)
    return [veth_line(f'signed 64-byte frames into a veth pair ({d}:)', [t[i] for t in good], [t[-1] for t in good],
                      args.rounds - len(good)) for i, d in enumerate(drivers) if good]


def veth_line(name, ours, theirs, discarded):
    ratios = [b / a for a, b in zip(ours, theirs)]
    median = statistics.median(ours)
    return {'bench': 'pktgen', 'name': name, 'unit': 'ns/pkt', 'better': 'lower', 'ours': round(median, 1),
            'peer': 'trafgen', 'peer_value': round(statistics.median(theirs), 1),
            'ratio': round(statistics.median(ratios), 3), 'rounds': [round(r, 3) for r in ratios],
            'discarded': discarded, 'mpps': round(1000 / median, 2)}


def in_namespace(args):
    """Runs measure_veth() in a network namespace; nothing where that cannot be."""
    if os.geteuid() != 0 or not shutil.which('trafgen'):
        print('(no veth beside trafgen: that needs root, and the package netsniff-ng)', file=sys.stderr)
        return []
    with tempfile.NamedTemporaryFile('r') as out:
        done = subprocess.run(['unshare', '--net', sys.executable, os.path.abspath(__file__), '--build', args.build,
                               '--rounds', str(min(args.rounds, 7)), '--veth', '--json', out.name], timeout=args.limit)
        return json.load(out) if done.returncode == 0 else []


def line(name, peer, good, ours, theirs, mhz, discarded):
    rounds = [t[theirs][1] / t[ours][1] for t in good]
    cycles = statistics.median(t[ours][1] for t in good)
    return {'bench': 'pktgen', 'name': name, 'unit': 'cycles/pkt', 'better': 'lower', 'ours': round(cycles, 2),
            'peer': peer, 'peer_value': round(statistics.median(t[theirs][1] for t in good), 2),
            'peer_own_count': round(statistics.median(t[theirs][0] for t in good), 2),
            'ratio': round(statistics.median(rounds), 3), 'rounds': [round(r, 3) for r in rounds],
            'discarded': discarded, 'mpps': round(mhz / cycles, 2)}


def main():
    parser = argparse.ArgumentParser(description='making packets beside dpdk-testpmd and trafgen')
    parser.add_argument('--build', default='.build', help='build directory (default .build)')
    parser.add_argument('--rounds', type=int, default=15, help='turns that count (default 15)')
    parser.add_argument('--limit', type=int, default=300, help='seconds at most (default 300)')
    parser.add_argument('--json', metavar='FILE', help='write the figures to FILE as JSON')
    parser.add_argument('--veth', action='store_true', help=argparse.SUPPRESS)
    args = parser.parse_args()
    signal.alarm(args.limit)
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f'pktgen.py: not done in {args.limit} s'))
    if not shutil.which('dpdk-testpmd'):
        sys.exit('pktgen.py: dpdk-testpmd is missing; install the package dpdk')
    cpus = sorted(os.sched_getaffinity(0))
    args.cpu = cpus[-1]
    with tempfile.TemporaryDirectory() as folder:
        if args.veth:
            with open(args.json, 'w') as f:
                json.dump(measure_veth(args, folder), f)
            return
        lines = measure(args, cpus, folder) + in_namespace(args)
    noise.show(os.path.join(args.build, 'apps', 'weir'))
    for x in lines:
        own = f" (own count {x['peer_own_count']:.2f})" if 'peer_own_count' in x else ''
        print(f"{x['name']:70} {x['ours']:7.2f} {x['unit']} {x['mpps']:6.2f} Mpps  {x['peer']} "
              f"{x['peer_value']:.2f}{own}  ratio {x['ratio']:.2f}")
    if args.json:
        with open(args.json, 'w') as f:
            json.dump(lines, f, indent=1)


main()
