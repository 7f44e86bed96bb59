#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every benchmark beside its peers, as one report, held against a baseline. perf/run.sh builds and starts this.

Each benchmark interleaves its sides in turns and throws away turns in which a thread waited for its core. A ratio
has fallen when it is below the baseline's by more than 5% of it and the noise of both: three standard errors of
the median, from the quartiles of the rounds; 10% where fewer than four rounds tell. What has fallen is run again, and
counts only when it falls again. docs/performance.md has the method.

Exit: 0; 1 a ratio has fallen, or a benchmark failed; 2 usage.
"""
import argparse
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time

import report_page

HERE = os.path.dirname(os.path.abspath(__file__))
BASELINE = os.path.join(HERE, 'baseline.json')
ROUTES = os.path.join(HERE, '..', '..', 'shared', 'data', 'routes', 'internet-2024-prefixes.txt.gz')
MARGIN = 0.05   # of a ratio: what another build's layout of code moves
UNKNOWN = 0.10  # noise of too few rounds
ERRORS = 3      # standard errors
NO_FAULT = (0, 3, 77)  # 3: never undisturbed, 77: left out
LPM = re.compile(r'^(lpm6?/\S+)\s+([\d.]+) (cycles\S*) .*ratio ([\d.]+)', re.M)
# name: commands; {b} the build folder, {j} the JSON file, {r} the option of the Internet's table where it is there
BENCHES = {
    'mempool': ['{b}/perf/mempool_bench --json {j}'],
    'ring': ['{b}/perf/ring_bench --json {j}'],
    'lpm': ['{b}/perf/perf-lpm {r}', '{b}/perf/perf-lpm6 {r}'],
    'graph': ['{b}/perf/graph_bench --json {j}'],
    'router': ['{b}/perf/router_bench --json {j}', 'perf/router.py --build {b} {r} --json {j}'],
    'handoff': ['{b}/perf/handoff_bench --json {j}'],
    'io': ['perf/io.py --build {b} --json {j}'],
    'pktgen': ['perf/pktgen.py --build {b} --json {j}'],
    'measure': ['{b}/perf/meas_bench --json {j}'],
    'replay': ['perf/replay.py --weir {b}/apps/weir --json {j}'],
    'virtq': ['{b}/perf/virtq_bench --json {j}'],
    'virtio': ['perf/virtio.py --build {b} --rounds 5 --json {j}'],
    'host_ports': ['perf/host_ports.py --weir {b}/apps/weir --json {j}'],
    'idle': ['perf/idle.py --build {b} --json {j}'],
    'boot': ['perf/boot.py --build {b} --json {j}'],
}


def say(text):
    print(f'perf: {text}', flush=True)


def commands(name, build, where):
    """Argument lists of a benchmark's programs and the JSON file of each; programs that are not there are left out."""
    routes = f'--routes {ROUTES}' if os.path.exists(ROUTES) else ''
    for i, text in enumerate(BENCHES[name]):
        path = os.path.join(where, f'{name}{i}.json')
        words = text.format(b=build, j=path, r=routes).split()
        if not os.path.exists(words[0]):
            say(f'{name}: {words[0]} is not there: left out')
            continue
        yield (['/usr/bin/python3'] if words[0].endswith('.py') else []) + words, path


def of_text(text):
    """Records of what perf-lpm prints: the ratio is to the better of DPDK's."""
    return [{'bench': 'lpm', 'name': name, 'unit': unit, 'better': 'lower', 'ours': float(ours), 'peer': "DPDK's better",
             'peer_value': round(float(ours) * float(ratio), 2), 'ratio': float(ratio), 'rounds': [float(ratio)]}
            for name, ours, unit, ratio in LPM.findall(text) if 'rte_' not in name]


def run(name, build, where):
    """A benchmark's records, and whether all its programs did their work. What they print goes on to the terminal."""
    records, good = [], True
    for words, path in commands(name, build, where):
        if os.path.exists(path):
            os.unlink(path)
        say(f'{name}: {" ".join(words)}')
        began, text = time.monotonic(), []
        child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, errors='replace')
        for line in child.stdout:
            text.append(line)
            print('  ' + line, end='', flush=True)
        status = child.wait()
        say(f'{name}: {time.monotonic() - began:.0f} s' + ('' if status in NO_FAULT else f', exit status {status}'))
        good &= status in NO_FAULT
        found = []
        if os.path.exists(path) and os.path.getsize(path):
            try:
                with open(path, encoding='utf-8') as f:
                    found = json.load(f)
            except ValueError as e:
                say(f'{name}: {path}: {e}')
                good = False
        records += found or of_text(''.join(text))
    for r in records:
        r['bench'] = name
        if str(r.get('peer')).isdigit():  # graph_bench: our own burst sizes beside each other
            r['peer'] = f"ourselves, {r['peer']} packets a burst"
    return records, good


def noise_of(rounds, ratio):
    """How far the median of these rounds may be off."""
    if len(rounds) < 4:
        return UNKNOWN * ratio
    low, _, high = statistics.quantiles(rounds, n=4)
    return ERRORS * 0.93 * (high - low) / len(rounds) ** 0.5


def key(record):
    return f"{record['bench']}: {record['name']}"


def judge(records, baseline):
    """Adds noise, baseline and verdict to each record that has a ratio."""
    for r in records:
        if not r.get('ratio'):
            continue
        r['noise'] = round(noise_of(r.get('rounds', []), r['ratio']), 4)
        was = baseline.get(key(r))
        if not was:
            r['verdict'] = 'new'
            continue
        r['baseline'] = was['ratio']
        r['limit'] = round(was['ratio'] * (1 - MARGIN) - was['noise'] - r['noise'], 4)
        r['verdict'] = 'fallen' if r['ratio'] < r['limit'] else 'good'
    return [r for r in records if r.get('verdict') == 'fallen']


def missing(names, records, baseline):
    seen = {key(r) for r in records if r.get('ratio')}
    return [k for k in baseline if k.split(':')[0] in names and k not in seen]


def first(path, pattern, otherwise='unknown'):
    try:
        with open(path, encoding='utf-8') as f:
            found = re.search(pattern, f.read(), re.M)
    except OSError:
        found = None
    return found.group(1).strip() if found else otherwise


def version(package):
    done = subprocess.run(['dpkg-query', '-W', '-f=${Version}', package], capture_output=True, text=True)
    return done.stdout or 'not installed'


def machine():
    return {'cpu': first('/proc/cpuinfo', r'^model name\s*: (.*)'), 'cpus': len(os.sched_getaffinity(0)),
            'mhz': first('/proc/cpuinfo', r'^cpu MHz\s*: (.*)'), 'kernel': platform.release().split('-')[0],
            'load': ' '.join(open('/proc/loadavg').read().split()[:3]),
            'hugepages': first('/proc/sys/vm/nr_hugepages', r'(\d+)'),
            'hypervisor': 'yes' if ' hypervisor' in first('/proc/cpuinfo', r'^flags\s*:(.*)', '') else 'no',
            'dpdk': version('dpdk'), 'tcpreplay': version('tcpreplay'), 'gcc': version('gcc')}


def load_baseline(path):
    try:
        with open(path, encoding='utf-8') as f:
            return json.load(f)
    except FileNotFoundError:
        return {'benchmarks': {}}


def write_baseline(path, old, names, records, about, note):
    """Of the benchmarks that ran; what did not run stays."""
    kept = {k: v for k, v in old['benchmarks'].items() if k.split(':')[0] not in names}
    new = {key(r): {'ratio': r['ratio'], 'noise': r['noise'], 'peer': r['peer'], 'rounds': len(r['rounds'])}
           for r in records if r.get('ratio')}
    with open(path, 'w', encoding='utf-8') as f:
        json.dump({'created': about['created'], 'machine': about['machine'], 'note': note,
                   'benchmarks': dict(sorted((kept | new).items()))}, f, indent=1)
        f.write('\n')


def show(records):
    for r in records:
        if r.get('ratio'):
            beside = f"baseline {r['baseline']:.2f}, limit {r['limit']:.2f}" if 'baseline' in r else ''
            print(f"{key(r)[:84]:84} {r['ratio']:7.2f} +- {r['noise']:<6.2f} {r['verdict']:7} {beside}")


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog='NAME: ' + ' '.join(BENCHES))
    p.add_argument('names', nargs='*', metavar='NAME', help='these benchmarks (default: all)')
    p.add_argument('--build', default='.build', help='the build folder (%(default)s)')
    p.add_argument('--out', default='.perf', help='folder for results.json and report.html (%(default)s)')
    p.add_argument('--baseline', default=BASELINE, help='what the ratios are held against (perf/baseline.json)')
    p.add_argument('--write-baseline', action='store_true', help='make this run the baseline of what it ran, and fail for nothing')
    p.add_argument('--note', default='', help='said in the baseline written')
    args = p.parse_args()
    unknown = [n for n in args.names if n not in BENCHES]
    if unknown:
        p.error(f'{" ".join(unknown)}: no such benchmark: expected one of {" ".join(BENCHES)}')
    args.names = args.names or list(BENCHES)
    return args


def main():
    args = arguments()
    baseline = load_baseline(args.baseline)
    os.makedirs(args.out, exist_ok=True)
    about = {'format': 'weir-perf', 'version': 1, 'machine': machine(),
             'created': datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')}
    say(', '.join(f'{k} {v}' for k, v in about['machine'].items()))
    records, failed = [], []
    for i, name in enumerate(args.names):
        say(f'== {name} ({i + 1} of {len(args.names)})')
        found, good = run(name, args.build, args.out)
        if not args.write_baseline and judge(found, baseline['benchmarks']):
            say(f'{name}: below the baseline: once more')
            again, good = run(name, args.build, args.out)
            judge(again, baseline['benchmarks'])
            better = {key(r): r for r in again if r.get('verdict') == 'good'}
            found = [better.get(key(r), r) if r.get('verdict') == 'fallen' else r for r in found]
        judge(found, baseline['benchmarks'])
        records += found
        failed += [] if good else [name]
    about['load_after'] = ' '.join(open('/proc/loadavg').read().split()[:3])
    about['benchmarks'] = records
    with open(os.path.join(args.out, 'results.json'), 'w', encoding='utf-8') as f:
        json.dump(about, f, indent=1)
    report_page.write(os.path.join(args.out, 'report.html'), about, baseline)
    show(records)
    say(f'{args.out}/results.json, {args.out}/report.html')
    if args.write_baseline:
        write_baseline(args.baseline, baseline, args.names, records, about, args.note)
        say(f'{args.baseline} written')
        return 1 if failed else 0
    fallen = [r for r in records if r.get('verdict') == 'fallen']
    for r in fallen:
        say(f"FALLEN {key(r)}: {r['ratio']:.2f}, baseline {r['baseline']:.2f}, noise allows {r['limit']:.2f}")
    for k in missing(args.names, records, baseline['benchmarks']):
        say(f'no figure for {k}: {"its benchmark failed" if failed else "the machine was too busy, or a program was left out"}')
    for name in failed:
        say(f'FAILED {name}')
    say(f'{len(records)} figures, {len(fallen)} fallen, {len(failed)} benchmarks failed')
    return 1 if fallen or failed else 0


if __name__ == '__main__':
    sys.exit(main())
