#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# hostile_device.py - our virtio driver under a vhost-user back end that lies, scribbles, cuts and is silent
#
# Usage: hostile_device.py DEVICE CLIENT split|packed [--mix N] [--seed N] [-v]. DEVICE: hostile-device, which moves
# packets honestly, checks every byte that comes back, and sins when told. CLIENT: virtio-port over our hosted
# front end, sending back what it receives. Every sin of the device's list, on either ring, alone: it must be
# counted by its name and followed by packets that flow again; then random mixtures of several at a time. In
# the end no frame may have come back changed, every buffer is in its pool, and the client exits with 0 (under
# the sanitizers: without a leak).
import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

FAULTS = 'bad-id|idle-id|bad-index|bad-length|no-header|bad-merge|runt|lost'
WIRE_COUNTS = {  # wire sin -> what must rise for every variant
    'cut-after': 'disconnects', 'cut-in-reply': 'disconnects', 'reply-wrong': 'protocol-errors',
    'features': 'disconnects', 'protocol-features': 'disconnects', 'queue-number': 'protocol-errors',
    'unasked': 'protocol-errors', 'refused': 'protocol-errors', 'no-answer': 'disconnects', 'base': 'resets'}


class Lines:
    """A process that is spoken to in lines; what it says is kept."""

    def __init__(self, command, env=None):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, bufsize=1, errors='replace', env=env)
        self.said, self.more = [], threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.more:
                self.said.append(line.rstrip())
                self.more.notify()
        with self.more:
            self.said.append(None)
            self.more.notify()

    def say(self, words):
        try:
            self.process.stdin.write(words)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def line(self, start, until, seconds):
        """The first line from number `start` on of which until(line), and the number after it."""
        end = time.monotonic() + seconds
        with self.more:
            while True:
                for i in range(start, len(self.said)):
                    if self.said[i] is None:
                        raise AssertionError(f'{self.process.args[0]} ended: {self.said[-12:]}')
                    if until(self.said[i]):
                        return self.said[i], i + 1
                start = len(self.said)
                if time.monotonic() > end:
                    raise AssertionError(f'{self.process.args[0]} says nothing within {seconds} s')
                self.more.wait(0.2)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Test:
    def __init__(self, args, directory):
        self.args = args
        self.sock = f'{directory}/hostile.sock'
        self.device = Lines([args.device, self.sock, f'packed={int(args.kind == "packed")}', 'offloads=1', 'frame=3000'])
        while not os.path.exists(self.sock):
            if self.device.process.poll() is not None:
                raise AssertionError('no device')
            time.sleep(0.02)
        self.client = Lines([args.client, 'driver=virtio-user',
                             f'port={self.sock},packed={"on" if args.kind == "packed" else "off"}', 'mode=echo',
                             'seconds=3600', f'offloads={args.offloads}'])
        self.cases, self.slowest, self.skipped = 0, 0, []

    def ask(self, words, seconds=60):
        """The device's answer, and its remarks."""
        at = len(self.device.said)
        self.device.say(words + '\n')
        answer, end = self.device.line(at, lambda line: not line.startswith('#'), seconds)
        if self.args.verbose:
            print(*self.device.said[at:end - 1], sep='\n', end='\n' if end - at > 1 else '')
        return answer

    def figures(self):
        at = len(self.client.said)
        self.client.say('s')
        _, end = self.client.line(at, lambda line: line == 'end of figures', 30)
        found = (re.match(r'ports\.p0\.(?:counters\.)?(\S+) (\d+)$', line) for line in self.client.said[at:end])
        return {m.group(1): int(m.group(2)) for m in found if m}

    def flows(self):
        answer = self.ask('good 2000 30000')
        assert answer == 'good wrong 0', f'honest traffic: {answer}'

    def list(self):
        at = len(self.device.said)
        self.device.say('list\n')
        _, end = self.device.line(at, lambda line: line == 'end', 10)
        return [line.split(' ') + [''] for line in self.device.said[at:end - 1]]

    def one(self, words, name, counters, before):
        """One case: what the device saw, and that the counters say so."""
        answer = self.ask(words)
        for _ in range(3):  # the front end may still be beginning anew
            if answer.startswith('skipped'):
                answer = self.ask(words)
        after = self.figures()
        risen = [n for n in after if after[n] > before.get(n, 0)]
        if self.args.verbose:
            print(f'{words}: {answer}; {" ".join(risen)}', flush=True)
        if answer.startswith('skipped'):
            self.skipped.append(words)
            return after
        assert answer.startswith('recovered'), f'{words}: {answer}; risen: {risen}'
        assert not counters or set(counters) & set(risen), \
            f'{words}: none of {counters} has risen, but {risen}'
        self.cases += 1
        self.slowest = max(self.slowest, int(answer.split()[1]))
        return after

    def all_alone(self):
        before = self.figures()
        for what, name, *rest in self.list():
            if what == 'wire':
                for variant in range(int(rest[0])):
                    before = self.one(f'wire {name} {variant} {self.args.seed}', name, [WIRE_COUNTS[name]], before)
                continue
            for ring, side in enumerate(('rx', 'tx')):
                if not int(rest[0]) >> ring & 1 or not int(rest[1]) >> (self.args.kind == 'packed') & 1:
                    continue
                counters = [c if c == 'resets' else f'{side}-{c}' for c in rest[2].split('|') if c]
                before = self.one(f'sin {name} {ring} {self.args.seed}', name, counters, before)

    def mixtures(self):
        sins = 0
        for i in range(0, self.args.mix, 50):
            answer = self.ask(f'mix 50 {self.args.seed + i}', 600)
            assert answer.startswith('recovered'), f'mix 50 {self.args.seed + i}: {answer}'
            self.slowest = max(self.slowest, int(answer.split()[1]))
            sins += int(answer.split()[-1])
        return sins

    def run(self):
        self.client.line(0, lambda line: line.startswith('granted virtio') or line.startswith('granted vhost'), 30)
        granted = next(line for line in self.client.said if line.startswith('granted'))
        if f'{self.args.kind} ring' not in granted:
            print(f'SKIP: the front end has no {self.args.kind} rings: {granted}')
            return 77
        self.flows()
        self.all_alone()
        sins = self.mixtures()
        self.flows()
        self.client.say('q')
        status = self.client.process.wait(30)
        said = [line for line in self.client.said if line]
        end = dict(line.rsplit(' ', 1) for line in said if re.match(r'\S+ \d+$', line))
        assert status == 0, f'the client ended with {status}: {said[-40:]}'
        assert end['pool.out'] == '0', f"{end['pool.out']} buffers did not come back"
        rx, tx, unsent = (int(end[n]) for n in ('ports.p0.rx.packets', 'ports.p0.tx.packets', 'total.unsent'))
        assert rx == tx + unsent, f'received {rx} packets, sent {tx}, threw away {unsent}'
        faults = sum(int(v) for n, v in end.items() if re.search(rf'[rt]x-({FAULTS})$', n) and 'lost' not in n)
        print(f"hostile_device {self.args.kind}: {self.cases} cases alone, {sins} sins in mixtures; {faults} faults "
              f"counted, {end['ports.p0.counters.resets']} resets, {end['ports.p0.counters.reconnects']} reconnections, "
              f"slowest recovery {self.slowest} ms; {rx} packets, none wrong, none leaked"
              + (f'; no occasion for: {", ".join(self.skipped)}' if self.skipped else ''))
        return 0


def main():
    p = argparse.ArgumentParser()
    p.add_argument('device')
    p.add_argument('client')
    p.add_argument('kind', choices=['split', 'packed'])
    p.add_argument('--mix', type=int, default=200, help='sins in mixtures (%(default)s)')
    p.add_argument('--seed', type=int, default=7)
    p.add_argument('--offloads', default='0x2f', help='asked of the port (%(default)s: checksums, TSO, LRO)')
    p.add_argument('-v', '--verbose', action='store_true')
    args = p.parse_args()
    with tempfile.TemporaryDirectory(prefix='weir-hostile-') as directory:
        test = Test(args, directory)
        try:
            return test.run()
        except AssertionError as e:
            print(f'FAILED hostile_device {args.kind}: {e}')
            print('--- device:', *[line for line in test.device.said if line][-10:], sep='\n')
            print('--- client:', *[line for line in test.client.said if line][-25:], sep='\n')
            return 1
        finally:
            test.client.end()
            test.device.end()


if __name__ == '__main__':
    sys.exit(main())
