#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""One figure a port driver, and docs/ports.md made of them and of what the drivers say themselves.

usage: perf/ports.py [--build DIR] [--seconds N] [--rounds N] [--docs-only]

The figure is nanoseconds of processor time a packet sent, while an lcore makes 60-byte frames and sends them by the
port, the kernel's work in its system calls included: of a longer run less a shorter one, so that start-up does not
count. The best of the rounds: what else the machine does can only add. Ports of the host are made in a network namespace of our own (root); virtio-user and virtio
send to dpdk-testpmd's net_vhost on the other CPU. What cannot be measured here is left out, and says why.
Writes perf/ports.txt; --docs-only writes docs/ports.md alone, from the figures there are.
"""
import argparse
import ctypes
import datetime
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FIGURES = os.path.join(HERE, 'ports.txt')
DOCS = os.path.join(HERE, '..', 'docs', 'ports.md')
CONFIG = """version: 1
function: patch
mbufs: 8192
ports:
  g: {{device: "null:size=60"}}
  p: {{device: "{device}"}}
  n: {{device: "null"}}
patches: [{{from: g, to: p}}, {{from: p, to: n}}]
"""
CLONE_NEWNET = 0x40000000
VHOST = ('dpdk-testpmd --lcores=0@0,1@0 --no-huge --no-shconf --no-pci --no-telemetry -m 256 '
         '--file-prefix=weirports --vdev net_vhost0,iface={sock},queues=1 -- --total-num-mbufs=8192 '
         '--forward-mode=rxonly --nb-cores=1 --no-lsc-interrupt --disable-link-check --no-flush-rx').split()


class Missing(Exception):
    """Why a driver cannot be measured here."""


def once(args, seconds):
    """A run, ended after so many seconds: packets sent, processor time in ns (QEMU's too), microseconds lost."""
    with tempfile.TemporaryFile('w+') as out, tempfile.TemporaryFile('w+') as err:
        p = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        time.sleep(seconds)
        p.send_signal(signal.SIGINT)
        _, status, used = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if p.returncode:
            raise Missing((err.read() or out.read()).strip().splitlines()[-1])
        j = json.load(out)
    return (j['ports']['p']['tx']['packets'], (used.ru_utime + used.ru_stime) * 1e9,
            j['loop'].get('noise', {}).get('lost_us', 0))


def cost(args, seconds):
    """ns of processor time a packet sent, and the share of the time lost to the host."""
    short, long = once(args, seconds / 2), once(args, 2 * seconds)
    if long[0] - short[0] < 1000:
        raise Missing(f'only {long[0]} packets were sent')
    return (long[1] - short[1]) / (long[0] - short[0]), long[2] / 2e4 / seconds


class Back:
    """testpmd behind a vhost-user socket."""

    def __init__(self, folder):
        if not shutil.which('dpdk-testpmd'):
            raise Missing('dpdk-testpmd is not installed')
        self.sock = os.path.join(folder, 'vhost.sock')
        env = dict(os.environ, RUNTIME_DIRECTORY=folder)
        self.p = subprocess.Popen([w.format(sock=self.sock) for w in VHOST], env=env, stdin=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            if os.path.exists(self.sock):
                time.sleep(1)  # it listens, and soon forwards
                return
            time.sleep(0.1)
        self.end()
        raise Missing('dpdk-testpmd made no socket')

    def end(self):
        self.p.stdin.close()
        try:
            self.p.wait(10)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
        if os.path.exists(self.sock):
            os.remove(self.sock)


def hosted(weir, folder, device, seconds, with_back=False):
    config = os.path.join(folder, 'hosted.yaml')
    back = Back(folder) if with_back else None
    try:
        with open(config, 'w') as f:
            f.write(CONFIG.format(device=device))
        return cost([weir, 'run', config, '--cpu', str(max(os.sched_getaffinity(0))), '--json', '--clock', 'real'],
                    seconds)
    finally:
        if back:
            back.end()


def image(weir, folder, seconds):
    config = os.path.join(folder, 'image.yaml')
    back = Back(folder)
    try:
        with open(config, 'w') as f:
            f.write(CONFIG.format(device='virtio:0'))
        # QEMU behind weir takes the CPU mask of this one.
        return cost(['taskset', '-c', str(max(os.sched_getaffinity(0))), weir, 'boot', config, '--vhost',
                     f'p={back.sock}', '--json'], seconds)
    finally:
        back.end()


def interfaces():
    """A network namespace with veth pairs, one a driver, whose other ends nobody hears."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        return False
    for name in ('wpa', 'wpx', 'wpl'):
        if subprocess.call(['ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', name + 'p']):
            return False
        for end in (name, name + 'p'):
            subprocess.check_call(['ip', 'link', 'set', end, 'up'])
    return True


def measure(weir, args):
    with tempfile.TemporaryDirectory(prefix='weir-ports-') as folder:
        netns = interfaces()

        def host(device):
            def run():
                if not netns:
                    raise Missing('a network namespace needs root')
                return hosted(weir, folder, device, args.seconds)
            return run
        sides = {
            'virtio:': lambda: image(weir, folder, args.seconds),
            'null:': lambda: hosted(weir, folder, 'null', args.seconds),
            'loop:': lambda: hosted(weir, folder, 'loop:x', args.seconds),
            'pcap:': lambda: hosted(weir, folder, 'pcap:,/dev/null', args.seconds),
            'pcap:live=': host('pcap:live=wpl'),
            'dpdk:': lambda: hosted(weir, folder, 'dpdk:net_null0', args.seconds),
            'tap:': host('tap:wpt'),
            'virtio-user:': lambda: hosted(weir, folder, f'virtio-user:{folder}/vhost.sock', args.seconds, True),
            'packet:': host('packet:wpa'),
            'xdp:': host('xdp:wpx'),
        }
        found, lost = {name: [] for name in sides}, []
        for _ in range(args.rounds):
            for name, run in list(sides.items()):
                try:
                    value, noise = run()
                except Missing as why:
                    print(f'{name:14} left out: {why}', flush=True)
                    del sides[name]
                    continue
                found[name].append(value)
                lost.append(noise)
                print(f'{name:14} {value:10.1f} ns/pkt, {noise:.1f}% of the time lost to the host', flush=True)
    return {name: min(v) for name, v in found.items() if v}, statistics.median(lost) if lost else 0


def write_figures(found, noise, args):
    with open('/proc/cpuinfo') as f:
        model = next((line.split(':')[1].strip() for line in f if line.startswith('model name')), 'unknown')
    with open(FIGURES, 'w') as f:
        f.write(f'# {datetime.date.today()}: {model}, {os.cpu_count()} CPUs, Linux {os.uname().release.split("-")[0]}, '
                f'best of {args.rounds} rounds of {1.5 * args.seconds:g} s, {noise:.0f}% of the time lost to the host\n'
                '# dpdk: net_null; virtio-user and virtio: to dpdk-testpmd net_vhost; packet, xdp, pcap:live: veth; '
                'pcap: /dev/null\n')
        for name, value in found.items():
            f.write(f'{name} {value:.0f}\n' if value >= 100 else f'{name} {value:.1f}\n')


def write_docs(weir):
    table = subprocess.check_output([weir, 'ports', '--markdown', '--figures', FIGURES], text=True)
    with open(FIGURES) as f:
        machine, how = [line[2:].strip() for line in f.read().splitlines()[:2]]
    with open(DOCS, 'w') as f:
        f.write(f"""# Ports

Every driver and what it can at its best, as the drivers say themselves: `weir ports` prints the same table, and a port that
were granted more than its driver says would not open. What a port got is printed when a function starts. `perf/ports.py`
writes this page; a test holds it to the drivers.

{table}
*home*: where the driver is: in images, in the hosted `weir`, or both. *sleeps*: an lcore may sleep until a packet comes by the
port. *clock*: a capture's own time, the machine's, or either. *ns a packet sent*: processor time for making a 60-byte
frame and sending it, the kernel's work in system calls included, by `virtio-user:` and `virtio:` as fast as the back end takes
them; without a peer, and so of interest only beside each other. {machine}. {how}.

Offloads are what a device of the kind may have: `dpdk:` grants those of its ethdev. Tried are `net_vhost` (checksums), `net_tap`
(checksums, TSO), `net_ring` and `net_null` (none); real cards were not tried.
""")


def main():
    parser = argparse.ArgumentParser(description='one figure a port driver, and docs/ports.md')
    parser.add_argument('--build', default='.build', help='build directory (default .build)')
    parser.add_argument('--seconds', type=float, default=2, help='of a round of a driver (default 2)')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--docs-only', action='store_true')
    args = parser.parse_args()
    weir = os.path.abspath(os.path.join(args.build, 'apps', 'weir'))
    if not args.docs_only:
        found, noise = measure(weir, args)
        if not found:
            sys.exit('nothing could be measured')
        write_figures(found, noise, args)
    write_docs(weir)


main()
