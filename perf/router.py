#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# router.py - the router between ports, beside dpdk-testpmd on the same ports, in turns
#
# usage: perf/router.py [--build DIR] [--routes FILE] [--rounds N] [--only PART]... [--family 4|6] [--json FILE] [--instructions]
# PARTs: memory (our loop port), ring (net_ring), pcap (a capture played for ever, into net_null), lcores (two, each
# with a ring of its own). All sides of a part stay alive and sleep while another runs its window of 4 ms. A window
# in which a thread waited for its core for more than 5% of the time is thrown away, and so is the first of two of
# ours, which brings the table back into the caches. Figures are medians. "nodes" is all the router's nodes together;
# "all" is what the thread took by processor time, ports and, on ports that give packets back, the making of fresh
# ones ("feed") included. Mpps is for whole cores: MHz by "all".
# --instructions counts instructions a packet with callgrind instead (which has no AVX-512: lookups are the scalar
# ones), of the router's nodes: of a run with them less one without.
import argparse
import gzip
import ipaddress
import json
import os
import random
import signal
import statistics
import struct
import subprocess
import sys
import tempfile

import count
import noise
import record
import testpmd

WINDOW_MS = 4
WAIT_SHARE = 0.05
WAIT_SHARE_2 = 0.4  # of two lcores: a busy machine is hardly ever free for both; processor time leaves waiting out
TRIES = 25  # windows tried for each that counts
FLOWS = 1 << 20
CAPTURED = 8192  # packets of a capture that asks for many destinations
OURS = {4: ('eth-input', 'ip4-input', 'ip4-lookup', 'ip4-rewrite'), 6: ('eth-input', 'ip6-input', 'ip6-lookup', 'ip6-rewrite')}
IMIX = [60] * 7 + [590] * 4 + [1514]


def prefixes(path, family, n):
    """What router_run takes of a file: n prefixes of a family, from all over it; 0: all."""
    with gzip.open(path, 'rt') as f:
        rows = [line.strip() for line in f if '/' in line and (':' in line) == (family == 6)]
    return [rows[i * len(rows) // n] for i in range(n)] if n else rows


def frame(family, dst, length):
    eth = bytes.fromhex('020000000002020000000210')
    if family == 4:
        ip = struct.pack('>BBHHHBBH4sI', 0x45, 0, length - 14, 0, 0, 64, 17, 0, bytes([192, 0, 2, 10]), dst)
        total = sum(struct.unpack('>10H', ip))
        total = (total & 0xffff) + (total >> 16)
        ip = ip[:10] + struct.pack('>H', ~(total + (total >> 16)) & 0xffff) + ip[12:]
        head = eth + b'\x08\x00' + ip
    else:
        src = ipaddress.IPv6Address('2001:db8:1::10').packed
        head = eth + b'\x86\xdd' + struct.pack('>IHBB', 6 << 28, length - 54, 17, 64) + src + dst.to_bytes(16, 'big')
    udp = struct.pack('>HHHH', 1234, 9, length - len(head), 0)
    return (head + udp).ljust(length, b'\0')


def capture(path, family, rows, packets, sizes):
    random.seed(1)
    nets = [ipaddress.ip_network(row) for row in rows[:1 if packets == 1 else len(rows)]]
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i in range(max(packets, 64)):
            net = random.choice(nets)
            dst = int(net.network_address) + (random.randrange(net.num_addresses) if packets > 1 else 1)
            bytes_ = frame(family, dst, sizes[i % len(sizes)])
            f.write(struct.pack('<IIII', 0, 0, len(bytes_), len(bytes_)) + bytes_)


class Weir:
    """Of a turn: cycles by processor time, of the router's nodes, of each; share waited, MHz."""

    def __init__(self, args, cpus, name, family, table, flows, size, ports, lcores=1, nodes='router'):
        self.name, self.family, self.lcores, self.peer = name, family, lcores, False
        self.command = [os.path.join(args.build, 'perf', 'router_run'), str(family), str(table), str(flows), size,
                        *ports, str(lcores), nodes] + ([args.routes] if args.routes else [])
        self.cpus = ','.join(str(cpu) for cpu in cpus[-lcores:])

    def start(self):
        self.proc = subprocess.Popen(['taskset', '-c', self.cpus] + self.command, text=True, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE)

    def window(self):
        self.proc.stdin.write(f'{WINDOW_MS}\n')
        self.proc.stdin.flush()
        line = self.proc.stdout.readline()
        if not line:
            sys.exit(f'router.py: failed: {" ".join(self.command)}')
        return json.loads(line)

    def turn(self):
        self.before = self.window()['nodes']  # brings its tables back into the caches
        got = self.window()
        nodes = {name: got['nodes'].get(name, [0, 0, 0]) for name in OURS[self.family]}
        each = {}
        for name, (cycles, _, dropped) in nodes.items():
            was = self.before.get(name, [0, 0, 0])
            each[name] = (cycles - was[0]) / max(got['packets'], 1)
            if dropped:
                sys.exit(f'router.py: {self.name}: {name} dropped {dropped} packets')
        took = {'all': got['cpu_ns'] / 1000 * got['mhz'] / max(got['packets'], 1), 'nodes': sum(each.values()), **each}
        return took, got['wait_ns'] / max(got['ns'], 1), got['mhz']

    def close(self):
        self.proc.stdin.close()
        if self.proc.wait(20):
            sys.exit(f'router.py: {self.name}: packets are missing in the books')


class Peer:
    def __init__(self, cpus, name, eal, app, lcores=1, first='start tx_first'):
        self.name, self.lcores, self.first, self.peer = name, lcores, first, True
        self.made = lambda: testpmd.Testpmd(cpus[-lcores:], cpus[0], eal, app, 256)

    def start(self):
        self.pmd = self.made()

    def turn(self):
        cycles, waited, mhz = self.pmd.turn(WINDOW_MS, self.first)
        return cycles and {'own': cycles[0], 'all': cycles[1]}, waited, mhz

    def close(self):
        self.pmd.close()


def measure(part, sides, rounds):
    for side in sides:
        side.start()
    turns = {side.name: [] for side in sides}
    mhz = 0
    for n in range(-1, rounds):  # the first warms up
        for k in range(len(sides)):
            side = sides[(k + n) % len(sides)]
            for _ in range(TRIES):
                took, waited, mhz = side.turn()
                if took and waited <= (WAIT_SHARE if side.lcores == 1 else WAIT_SHARE_2):
                    if n >= 0:
                        turns[side.name].append(took)
                    break
    lines = []
    for side in sides:
        side.close()
        good = turns[side.name]
        line = {'part': part, 'name': side.name, 'turns': len(good), 'peer': side.peer, 'each': [t['all'] for t in good]}
        if good:
            line.update({key: statistics.median(t[key] for t in good) for key in good[0]})
            line['mpps'] = side.lcores * mhz / line['all']
        lines.append(line)
    return lines


def tables(family):
    return [('8 prefixes', 8), ('1,000 prefixes', 1000), ('full table', 0)], [('one flow', 1), ('random', FLOWS)]


def part_memory(args, cpus, family, _):
    sizes, flows = tables(family)
    return [[Weir(args, cpus, f'IPv{family} {t}, {f}, {size}', family, n, k, size, ('loop:', '-'))]
            for t, n in sizes for f, k in flows for size in ('64', 'imix')]


def part_ring(args, cpus, family, _):
    ring = ['--vdev=net_ring0']
    app = ['--total-num-mbufs=8192', '--burst=64']
    return [[Peer(cpus, f'testpmd {mode}', ring, app + [f'--forward-mode={mode}']) for mode in ('io', 'macswap')] +
            [Weir(args, cpus, f'IPv{family} {t}, {f}', family, n, k, '64', ('dpdk:net_ring%', '-'))
             for t, n, f, k in (('8 prefixes', 8, 'one flow', 1), ('full table', 0, 'random', FLOWS))]]


def part_pcap(args, cpus, family, folder):
    groups = []
    for t, n, f, k in (('8 prefixes', 8, 'one flow', 1), ('full table', 0, 'random', CAPTURED)):
        for size, lengths in (('64', [60]), ('imix', IMIX)):
            path = os.path.join(folder, f'{family}-{n}-{size}.pcap')
            capture(path, family, prefixes(args.routes, family, n), k, lengths)
            pcap, null = f'net_pcap0,rx_pcap={path},infinite_rx=1,tx_pcap=/dev/null', 'net_null1,no-rx=1'
            app = ['--total-num-mbufs=32768', '--no-flush-rx']
            groups.append([Peer(cpus, f'testpmd {mode}, {f}, {size}', [f'--vdev={pcap}', f'--vdev={null}'],
                                app + [f'--forward-mode={mode}'], first='start') for mode in ('io', 'macswap')] +
                          [Weir(args, cpus, f'IPv{family} {t}, {f}, {size}', family, n, 1, '64',
                                ('dpdk:' + pcap, 'dpdk:' + null))])
    return groups


def part_lcores(args, cpus, family, _):
    def peer(lcores):
        eal = [f'--vdev=net_ring{i}' for i in range(lcores)]
        app = ['--total-num-mbufs=16384', '--burst=64', '--forward-mode=io', '--port-topology=loop', f'--nb-cores={lcores}']
        return Peer(cpus, f'testpmd io, {lcores} lcores', eal, app, lcores)
    return [[side for lcores in (1, 2) for side in
             (peer(lcores), Weir(args, cpus, f'IPv{family} 8 prefixes, one flow, {lcores} lcores', family, 8, 1, '64',
                                 ('dpdk:net_ring%', '-'), lcores))]]


PARTS = {'memory': part_memory, 'ring': part_ring, 'pcap': part_pcap, 'lcores': part_lcores}


def show(line):
    text = f"{line['part']:7} {line['name']:44}"
    if not line['turns']:
        return text + ' the core was never free'
    if 'nodes' not in line:
        return text + f" {line['mpps']:6.1f} Mpps  all {line['all']:6.1f}, by its own count {line['own']:6.1f}"
    each = ', '.join(f'{name} {line[name]:.1f}' for name in line if '-' in name)
    return text + f" {line['mpps']:6.1f} Mpps  all {line['all']:6.1f}, nodes {line['nodes']:6.1f} ({each})"


def instructions(args, family):
    """Of the router's nodes: of runs with them less runs without."""
    lines = []
    for t, n, f, k in (('8 prefixes', 8, 'one flow', 1), ('full table', 0, 'random', 65536)):
        per = []
        for nodes in ('router', 'none'):
            side = Weir(args, [0], '', family, n, k, '64', ('loop:', '-'), nodes=nodes)

            def run(tool, ms, command=side.command):
                return subprocess.run(tool + command, input=f'{ms}\n', text=True, check=True, capture_output=True).stdout
            per.append(count.instructions(run, lambda text: json.loads(text)['packets']))
        lines.append({'name': f'IPv{family} {t}, {f}', 'instructions': per[0] - per[1]})
    return lines


def records(lines):
    """Of a group of sides: ours beside the testpmd that does most (macswap writes into each packet), turn by turn."""
    peers = [line for line in lines if line['peer'] and line['each']]
    best = max(peers, key=lambda line: line['all'], default=None)
    return [record.record('router', f"{line['part']}: {line['name']}", 'cycles/pkt', line['all'], best and best['name'],
                          best and best['all'], [b / a for a, b in zip(line['each'], best['each'])] if best else [])
            for line in lines if not line['peer'] and line['each']]


def main():
    parser = argparse.ArgumentParser(description='the router between ports, beside dpdk-testpmd')
    parser.add_argument('--build', default='.build', help='build directory (default .build)')
    parser.add_argument('--routes', help='prefixes, one a line, gzip (default: random ones; part pcap needs it)')
    parser.add_argument('--rounds', type=int, default=9, help='turns that count (default 9)')
    parser.add_argument('--only', action='append', choices=PARTS, help='this part (default: all)')
    parser.add_argument('--family', type=int, choices=(4, 6), help='4 or 6 (default: both)')
    parser.add_argument('--limit', type=int, default=900, help='seconds at most (default 900)')
    parser.add_argument('--json', metavar='FILE', help='write the figures to FILE, too')
    parser.add_argument('--instructions', action='store_true', help='count instructions with callgrind')
    args = parser.parse_args()
    signal.alarm(args.limit)
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f'router.py: not done in {args.limit} s'))
    cpus = sorted(os.sched_getaffinity(0))
    lines, made = [], []
    with tempfile.TemporaryDirectory() as folder:
        for family in [args.family] if args.family else [4, 6]:
            if args.instructions:
                lines += instructions(args, family)
                made = [record.record('router', x['name'], 'instructions/pkt', x['instructions']) for x in lines]
                continue
            for part in args.only or PARTS:
                if (part == 'pcap' and not args.routes) or (part == 'lcores' and len(cpus) < 2):
                    continue
                for group in PARTS[part](args, cpus, family, folder):
                    got = measure(part, group, args.rounds)
                    lines += got
                    made += records(got)
                    print('\n'.join(show(line) for line in got), flush=True)
    noise.show(os.path.join(args.build, 'apps', 'weir'))
    if args.json:
        record.write(args.json, made)
    if args.instructions:
        for line in lines:
            print(f"{line['name']:40} {line['instructions']:6.1f} instructions/pkt")


main()
