# SPDX-License-Identifier: BSD-3-Clause
# testpmd.py - dpdk-testpmd as a peer that forwards for a moment whenever it is asked
import os
import re
import subprocess
import sys
import time

FLUSH_MS = 22  # before it forwards, testpmd empties its ports for twice 10 ms
CYCLES = re.compile(r'CPU cycles/packet=.*\(total cycles=(\d+) / total .* packets=(\d+)\) at (\d+) MHz')


class Testpmd:
    """cpus: of its forwarding threads. eal: its ports and such, app: options of its own."""

    def __init__(self, cpus, other, eal, app, megabytes=128):
        lcores = ','.join([f'0@{other}'] + [f'{i + 1}@{cpu}' for i, cpu in enumerate(cpus)])
        args = ['stdbuf', '-oL', 'dpdk-testpmd', f'--lcores={lcores}', '--no-huge', '--no-shconf', '-m', str(megabytes),
                '--no-pci', '--no-telemetry'] + eal + ['--', '-i', '--record-core-cycles'] + app
        self.proc = subprocess.Popen(args, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL)
        self.command('show port info 0', 'RX queues')
        self.threads = self.find_threads(len(cpus))

    # stdbuf: testpmd's answers come through a pipe, at once.
    def find_threads(self, count):
        tasks = f'/proc/{self.proc.pid}/task'
        found = []
        for tid in os.listdir(tasks):
            with open(f'{tasks}/{tid}/comm') as f:
                if 'worker' in f.read():
                    found.append(f'{tasks}/{tid}')
        if len(found) < count:
            sys.exit(f'testpmd has {len(found)} forwarding threads, not {count}')
        return found

    def command(self, text, until):
        self.proc.stdin.write(text + '\n')
        self.proc.stdin.flush()
        for line in self.proc.stdout:
            found = re.search(until, line)
            if found:
                return found
        sys.exit(f'testpmd ended at "{text}"')

    def cpu_times(self):
        """Nanoseconds that the threads ran in all, and the longest that one waited for its core."""
        ran, waited = 0, 0
        for thread in self.threads:
            with open(thread + '/schedstat') as f:
                times = [int(word) for word in f.read().split()[:2]]
            ran += times[0]
            waited = max(waited, times[1])
        return ran, waited

    def window(self, seconds, start):
        before = self.cpu_times()
        self.proc.stdin.write(start + '\n')
        self.proc.stdin.flush()
        time.sleep(seconds)
        cycles, packets, mhz = map(int, self.command('stop', CYCLES).groups())
        time.sleep(0.001)  # it sleeps now: its times are up to date
        ran, waited = (after - at for after, at in zip(self.cpu_times(), before))
        return cycles, packets, ran / 1000 * mhz, waited / 1000 * mhz, mhz

    def turn(self, window_ms, start='start tx_first'):
        """Cycles a packet by its own count and by processor time, share of time waited, MHz. What is
        stopped as soon as it starts tells the cost of starting and stopping."""
        nothing, full = self.window(0, start), self.window((FLUSH_MS + window_ms) / 1000, start)
        cycles, packets, ran = (b - a for a, b in zip(nothing[:3], full))
        if packets <= 0 or cycles < window_ms * 1000 * full[4] / 3:  # it came late to its work
            return None, 1, full[4]
        return [cycles / packets, ran / packets], full[3] / full[0], full[4]

    def close(self):
        self.proc.stdin.write('quit\n')
        self.proc.stdin.flush()
        self.proc.stdout.read()
        return self.proc.wait(20)
