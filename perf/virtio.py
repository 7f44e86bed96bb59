#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# virtio.py - the image's virtio port beside DPDK's virtio_user, against the same back end
#
# Back end: dpdk-testpmd with net_vhost, on one core. In the seat on the other core, in turns: the image
# (tests/system/virtio, under QEMU) and dpdk-testpmd with net_virtio_user (scalar split ring, mergeable
# buffers, the same features and ring sizes). Three jobs: the client receives only, sends only, or sends
# back what it receives (io). The back end counts packets for both. A run in which either polling thread
# waited for its core for over 5% of the time is thrown away and tried again. 64-byte frames.
#
# Prints `name cycles/pkt Mpps ratio` (medians; cycles of one core between two packets; ratio: image over
# virtio_user, above 1 the image is faster) and what the image says of its doorbells and start-up.
import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

JOBS = {  # job: (back end forwards, image's mode, peer forwards, which of the back end's figures)
    'rx': ('txonly', 'rx', 'rxonly', 'Tx'),
    'tx': ('rxonly', 'tx', 'txonly', 'Rx'),
    'echo': ('flowgen', 'echo', 'io', 'Rx'),
}
WARM_UP = 1.5
WAIT_MAX = 0.05
TESTPMD = ['--total-num-mbufs=16384', '--nb-cores=1', '--no-lsc-interrupt', '--disable-link-check',
           '--no-flush-rx', '--stats-period', '1', '--txd=1024', '--rxd=1024']


class Child:
    """A process of ours with its standard input held open and its output in a file."""

    def __init__(self, command, log, cpu, nice):
        self.log = log
        with open(log, 'wb') as out:
            self.process = subprocess.Popen(['taskset', '-c', str(cpu)] + command, stdin=subprocess.PIPE,
                                            stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        if nice:  # of the session's group, where the scheduler makes such groups; of the process too
            os.setpriority(os.PRIO_PROCESS, self.process.pid, nice)
            group = f'/proc/{self.process.pid}/autogroup'
            if os.path.exists(group):
                with open(group, 'w', encoding='ascii') as f:
                    f.write(str(nice))

    def output(self):
        with open(self.log, encoding='utf-8', errors='replace') as f:
            return f.read()

    def threads(self):
        """Thread -> (ns on a CPU, ns waiting for one)."""
        found = {}
        base = f'/proc/{self.process.pid}/task'
        for tid in os.listdir(base):
            with open(f'{base}/{tid}/schedstat', encoding='ascii') as f:
                run, wait, _ = f.read().split()
            found[tid] = (int(run), int(wait))
        return found

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.stdin.close()
        return self.process.wait()


def waited(before, after, seconds):
    """The share of the time that the busiest thread of a process waited for its core."""
    deltas = [(after[t][0] - before[t][0], after[t][1] - before[t][1]) for t in after if t in before]
    return max(deltas)[1] / 1e9 / seconds if deltas else 1.0


def wait_for(what, seconds, why):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            sys.exit(f'virtio.py: {why} within {seconds} s')
        time.sleep(0.05)


def backend(args, forward, directory):
    sock = f'{directory}/vh.sock'
    child = Child(['dpdk-testpmd', "--lcores=0@%d,1@%d" % (args.cores[0], args.cores[0]), '--no-huge',
                   '--no-pci', '--no-shconf', '--no-telemetry', '-m', '256',
                   f'--file-prefix=weir{os.getpid()}', '--vdev', f'net_vhost0,iface={sock},queues=1', '--',
                   f'--forward-mode={forward}'] + TESTPMD, f'{directory}/backend.log', args.cores[0],
                  args.nice)
    wait_for(lambda: os.path.exists(sock) or child.process.poll() is not None, 20, 'no back end')
    return child, sock


def image(args, mode, sock, directory, seconds):
    accel, cpu = ('kvm', 'host') if args.accel == 'kvm' else ('tcg', 'max')
    machine = {'microvm': 'microvm,pcie=on,isa-serial=on', 'q35': 'q35'}[args.machine]
    elf = f'{args.build}/tests/system/virtio/virtio-port.elf'
    return Child(['qemu-system-x86_64', '-accel', accel, '-cpu', cpu, '-M', f'{machine},memory-backend=m',
                  '-m', '256', '-object', 'memory-backend-memfd,id=m,size=256M,share=on', '-chardev',
                  f'socket,id=c,path={sock}', '-netdev', 'vhost-user,id=n,chardev=c,queues=1', '-device',
                  'virtio-net-pci,netdev=n,disable-legacy=on,mrg_rxbuf=on,romfile=,rx_queue_size=1024,'
                  'tx_queue_size=1024', '-kernel', elf, '-append', f'mode={mode} seconds={seconds}',
                  '-nodefaults', '-display', 'none', '-serial', 'stdio', '-no-reboot', '-device',
                  'isa-debug-exit,iobase=0xf4,iosize=4'], f'{directory}/client.log', args.cores[1], args.nice)


def peer(args, forward, sock, directory):
    core = args.cores[1]
    return Child(['dpdk-testpmd', f'--lcores=0@{core},1@{core}', '--no-huge', '--no-shconf', '--no-pci',
                  '--no-telemetry', '-m', '256', f'--file-prefix=weirp{os.getpid()}', '--vdev',
                  f'net_virtio_user0,path={sock},queues=1,queue_size=1024,in_order=0,mrg_rxbuf=1', '--',
                  f'--forward-mode={forward}'] + TESTPMD, f'{directory}/client.log', core, args.nice)


def rates(child, which):
    return [int(n) for n in re.findall(which + r'-pps:\s+(\d+)', child.output())]


def measure(args, job, client_name):
    """One run: packets a second, the worst wait, the client's last words."""
    forward, mode, peer_forward, which = JOBS[job]
    directory = tempfile.mkdtemp(prefix='weir-virtio-')
    back = client = None
    try:
        back, sock = backend(args, forward, directory)
        if client_name == 'image':
            client = image(args, mode, sock, directory, args.seconds + WARM_UP + 2)
        else:
            client = peer(args, peer_forward, sock, directory)
        wait_for(lambda: any(rates(back, which)) or client.process.poll() is not None, 30,
                 f'no packets between back end and {client_name}')
        time.sleep(WARM_UP)
        had = len(rates(back, which))
        before = [back.threads(), client.threads()]
        start = time.monotonic()
        time.sleep(args.seconds)
        seconds = time.monotonic() - start
        after = [back.threads(), client.threads()]
        got = rates(back, which)[had + 1:]  # a period that lies in the window whole
        wait = max(waited(b, a, seconds) for b, a in zip(before, after))
        if client_name == 'image':
            client.process.wait(30)
        return (statistics.median(got) if got else 0), wait, client.output()
    except FileNotFoundError as e:
        sys.exit(f'virtio.py: {e.filename or e}: a process ended early: '
                 + (client or back).output()[-400:])
    finally:
        for child in (client, back):
            if child:
                child.end()
        shutil.rmtree(directory)


def undisturbed(args, job, client):
    for _ in range(args.tries):
        pps, wait, words = measure(args, job, client)
        if pps and wait <= args.max_wait:
            return pps, words
        print(f'# {job} {client}: {pps / 1e6:.2f} Mpps thrown away, a thread waited {wait:.0%}',
              file=sys.stderr)
    return None, ''


def figure(words, name):
    match = re.search(rf'^{re.escape(name)} (\d+)', words, re.M)
    return int(match.group(1)) if match else None


def run_job(args, job):
    pps = {'image': [], 'virtio_user': []}
    words = ''
    for _ in range(args.rounds):
        for client, values in pps.items():
            value, said = undisturbed(args, job, client)
            if value:
                values.append(value)
                words = said if client == 'image' else words
    if not all(pps.values()):
        return {'job': job, 'error': f'the machine is too busy: no run with under {args.max_wait:.0%} waiting'}
    hz = figure(words, 'tsc.khz') * 1000
    median = {client: statistics.median(values) for client, values in pps.items()}
    return {
        'job': job, 'mpps': {c: v / 1e6 for c, v in median.items()},
        'cycles': {c: hz / v for c, v in median.items()},
        'runs': {c: len(v) for c, v in pps.items()},
        'ratio': median['image'] / median['virtio_user'],
        'busy_cycles': (figure(words, 'half.cycles_x100') or 0) / 100,
        'doorbells': {q: figure(words, f'ports.p0.counters.{q}-doorbells') for q in ('rx', 'tx')},
        'granted': ''.join(re.findall(r'^granted (virtio.*)', words, re.M)),
    }


def show(result):
    if 'error' in result:
        print(f"virtio-{result['job']}: {result['error']}")
        return
    for client in ('image', 'virtio_user'):
        ratio = f"{result['ratio']:.2f}" if client == 'image' else '1.00'
        print(f"virtio-{result['job']}-{client} {result['cycles'][client]:.0f} "
              f"{result['mpps'][client]:.2f} {ratio}")
    print(f"#   image: {result['busy_cycles']:.0f} busy cycles/pkt, doorbells rx {result['doorbells']['rx']} "
          f"tx {result['doorbells']['tx']}; {result['granted']}", flush=True)


def arguments():
    p = argparse.ArgumentParser(description='the image beside DPDK virtio_user, against the same back end')
    p.add_argument('--build', default='.build', help='the build directory (%(default)s)')
    p.add_argument('--rounds', type=int, default=5, help='runs of each, interleaved (%(default)s)')
    p.add_argument('--seconds', type=float, default=4, help='length of a run (%(default)s)')
    p.add_argument('--tries', type=int, default=3, help='for a run thrown away (%(default)s)')
    p.add_argument('--max-wait', type=float, default=WAIT_MAX, help='share of the time (%(default)s)')
    p.add_argument('--accel', choices=['auto', 'kvm', 'tcg'], default='auto')
    p.add_argument('--machine', choices=['microvm', 'q35'], default='microvm')
    p.add_argument('--cores', type=int, nargs=2, default=[0, 1], help='back end, client (0 1)')
    p.add_argument('--nice', type=int, default=0, help='of back end and client, on a shared machine')
    p.add_argument('--jobs', nargs='+', choices=list(JOBS), default=list(JOBS))
    p.add_argument('--json', action='store_true')
    args = p.parse_args()
    if args.accel == 'auto':
        args.accel = 'kvm' if os.access('/dev/kvm', os.R_OK | os.W_OK) else 'tcg'
    return args


def main():
    args = arguments()
    results = []
    if not args.json:
        print(f'# name cycles/pkt Mpps ratio ({args.accel}, {args.machine}; medians of {args.rounds})')
    for job in args.jobs:
        results.append(run_job(args, job))
        if not args.json:
            show(results[-1])
    if args.json:
        print(json.dumps(results, indent=2))
    return any('error' in r for r in results)


if __name__ == '__main__':
    sys.exit(main())
