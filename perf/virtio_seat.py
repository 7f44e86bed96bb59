# SPDX-License-Identifier: BSD-3-Clause
# virtio_seat.py - the processes of perf/virtio.py: the back end, and who sits in the guest's seat
#
# Back end: dpdk-testpmd with net_vhost on the first core. Clients, in turns, on the second: our image
# under QEMU, our hosted front end, and dpdk-testpmd with net_virtio_user in its variants. Every client
# says how many cycles its bursts took that moved packets: testpmd by --record-core-cycles, ours by the
# figures of tests/system/virtio/port_main.c.
import os
import re
import signal
import struct
import subprocess
import time

# job: (back end forwards, our mode, testpmd in the seat forwards, which of the back end's figures)
JOBS = {
    'rx': ('txonly', 'rx', 'rxonly', 'Tx'),
    'tx': ('rxonly', 'tx', 'txonly', 'Rx'),
    'echo': ('flowgen', 'echo', 'io', 'Rx'),
}
# client: (net_virtio_user's arguments, of EAL, of testpmd)
DPDK = {
    'dpdk-split': ('in_order=0,mrg_rxbuf=1', [], []),
    'dpdk-split-inorder': ('in_order=1,mrg_rxbuf=1', [], []),
    'dpdk-split-vec': ('in_order=0,mrg_rxbuf=0,vectorized=1', [], ['--tx-offloads=0']),
    'dpdk-packed': ('packed_vq=1,in_order=0,mrg_rxbuf=1', [], []),
    'dpdk-packed-vec': ('packed_vq=1,in_order=1,mrg_rxbuf=0,vectorized=1', ['--force-max-simd-bitwidth=512'],
                        ['--tx-offloads=0']),
}
# client: what it is told of rings (packed=on of QEMU's device, of our driver)
OURS = {'image': 'off', 'image-packed': 'on', 'hosted': 'off', 'hosted-packed': 'on'}
IMIX = (64,) * 7 + (594,) * 4 + (1514,)  # the simple mix, without FCS
EAL = ['--no-huge', '--no-pci', '--no-shconf', '--no-telemetry', '-m', '256']


class Child:
    """A process of ours with its standard input held open and its output in a file."""

    def __init__(self, command, log, cpu, nice):
        self.log = log
        with open(log, 'wb') as out:
            self.process = subprocess.Popen(['taskset', '-c', str(cpu)] + command, stdin=subprocess.PIPE,
                                            stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        if nice:  # of the process, and of its group where the scheduler makes such groups
            os.setpriority(os.PRIO_PROCESS, self.process.pid, nice)
            group = f'/proc/{self.process.pid}/autogroup'
            if os.path.exists(group):
                with open(group, 'w', encoding='ascii') as f:
                    f.write(str(nice))

    def output(self):
        with open(self.log, encoding='utf-8', errors='replace') as f:
            return f.read()

    def say(self, words):
        self.process.stdin.write((words + '\n').encode())
        self.process.stdin.flush()

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


def imix_capture(path):
    """A capture of 240 frames of the mix, spread evenly, for the back end to send again and again."""
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i in range(240):
            size = IMIX[i * 5 % 12]
            f.write(struct.pack('<IIII', 0, i, size, size) + b'\xff' * 6 + b'\x02\0\0\0\0\x01\x88\xb5'
                    + bytes(size - 14))


def testpmd(case, ports):
    return ['--total-num-mbufs=16384', '--nb-cores=1', '--no-lsc-interrupt', '--disable-link-check',
            '--no-flush-rx', '--txd=1024', '--rxd=1024', f'--rxq={case.pairs}', f'--txq={case.pairs}',
            '--record-core-cycles'] + ([f'--txpkts={case.size}'] if ports == 1 else [])


def backend(args, case, directory):
    """testpmd with net_vhost as port 0; the mix comes from a capture, by a second port."""
    sock = f'{directory}/vh.sock'
    vdevs = ['--vdev', f'net_vhost0,iface={sock},queues={case.pairs}']
    forward, ports = JOBS[case.job][0], 1
    if case.size == 'imix':
        imix_capture(f'{directory}/imix.pcap')
        streams = ','.join([f'rx_pcap={directory}/imix.pcap'] * case.pairs)  # what comes back it drops
        vdevs += ['--vdev', f'net_pcap0,{streams},infinite_rx=1']
        forward, ports = 'io', 2
    core = args.cores[0]
    child = Child(['dpdk-testpmd', f'--lcores=0@{core},1@{core}'] + EAL + ['--file-prefix=weirseat']
                  + vdevs + ['--', f'--forward-mode={forward}', '--stats-period', '1'] + testpmd(case, ports),
                  f'{directory}/backend.log', core, args.nice)
    return child, sock


class Testpmd:
    """DPDK in the seat: started and stopped by its prompt, around the window that counts."""

    def __init__(self, args, case, sock, directory):
        devargs, eal, options = DPDK[case.client]
        core = args.cores[1]
        self.child = Child(['dpdk-testpmd', f'--lcores=0@{core},1@{core}'] + EAL
                           + ['--file-prefix=weirpeer'] + eal
                           + ['--vdev', f'net_virtio_user0,path={sock},queues={case.pairs},queue_size=1024,'
                              + devargs, '--', '-i', f'--forward-mode={JOBS[case.job][2]}']
                           + testpmd(case, 2 if case.size == 'imix' else 1) + options,
                           f'{directory}/client.log', core, args.nice)
        self.child.say('start')

    def window(self):
        self.child.say('stop')
        self.child.say('start')
        time.sleep(0.1)

    def figures(self):
        """Of the window: cycles a packet moved, and a packet there was to move: what was built and then thrown
        away since the ring was full costs less than what was sent, so this is no more than sending costs."""
        self.child.say('stop')
        self.child.say('quit')
        self.child.process.wait(20)
        said = self.child.output()
        found = re.findall(r'CPU cycles/packet=[\d.]+ \(total cycles=(\d+) / total \S+ packets=(\d+)\)', said)
        if not found or not int(found[-1][1]):
            return None, None
        cycles, moved = map(int, found[-1])
        dropped = int(re.findall(r'TX-dropped: (\d+)', said)[-1])
        return cycles / moved, cycles / (moved + dropped)

    def says(self):
        return ''


class Ours:
    """The image under QEMU, or the same loop as a Linux process with our vhost-user front end."""

    def __init__(self, args, case, sock, directory):
        seconds = max(2 * args.seconds, 2 * args.settle) + 1  # the second half counts
        words = [f'mode={JOBS[case.job][1]}', f'seconds={seconds:.0f}', f'pairs={case.pairs}', 'pool=8192',
                 f"size={64 if case.size == 'imix' else case.size}"]
        packed = OURS[case.client]
        if case.client.startswith('image'):
            command = self.qemu(args, case, sock, packed, words)
        else:
            command = [f'{args.build}/tests/system/virtio/virtio-port', 'driver=virtio-user',
                       f'port={sock},packed={packed}'] + words
        self.child = Child(command, f'{directory}/client.log', args.cores[1], args.nice)

    @staticmethod
    def qemu(args, case, sock, packed, words):
        accel, cpu = ('kvm', 'host') if args.accel == 'kvm' else ('tcg', 'max')
        machine = {'microvm': 'microvm,pcie=on,isa-serial=on', 'q35': 'q35'}[args.machine]
        multi = f',mq=on,vectors={2 * case.pairs + 2}' if case.pairs > 1 else ''
        return ['qemu-system-x86_64', '-accel', accel, '-cpu', cpu, '-M', f'{machine},memory-backend=m',
                '-m', '256', '-object', 'memory-backend-memfd,id=m,size=256M,share=on', '-chardev',
                f'socket,id=c,path={sock}', '-netdev', f'vhost-user,id=n,chardev=c,queues={case.pairs}',
                '-device', 'virtio-net-pci,netdev=n,disable-legacy=on,mrg_rxbuf=on,romfile=,'
                f'rx_queue_size=1024,tx_queue_size=1024,packed={packed}{multi}', '-kernel',
                f'{args.build}/tests/system/virtio/virtio-port.elf', '-append', ' '.join(words), '-nodefaults',
                '-display', 'none', '-serial', 'stdio', '-no-reboot', '-device',
                'isa-debug-exit,iobase=0xf4,iosize=4']

    def window(self):
        pass

    def figures(self):
        """Of the second half: cycles a packet moved, and the same of bursts that were taken whole: what
        sending costs, whatever share of the bursts met a full ring."""
        self.child.process.wait(60)
        said = self.child.output()
        moved, whole = (re.search(rf'^half.{name}_x100 (\d+)', said, re.M) for name in ('cycles', 'whole_cycles'))
        if not moved or not int(moved.group(1)):
            return None, None
        return int(moved.group(1)) / 100, int(whole.group(1)) / 100

    def says(self):
        """What was granted, and the doorbells."""
        said = self.child.output()
        bells = re.findall(r'^ports\.p0\.counters\.([rt]x)-doorbells (\d+)', said, re.M)
        return ''.join(re.findall(r'^granted (v.*?);', said, re.M)[:1]) + ' doorbells ' + \
            ' '.join(f'{q} {n}' for q, n in bells)
