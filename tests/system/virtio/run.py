#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# run.py - the virtio port of a real image at real devices: QEMU's own, and vhost-user
#
# Usage: run.py IMAGE TEST ACCEL MACHINE. Exit 0, 1, or 77 where it cannot run.
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

CPU = {'kvm': 'host', 'tcg': 'max'}
MACHINE = {'microvm': 'microvm,pcie=on,isa-serial=on', 'q35': 'q35',
           'q35-qboot': 'q35 -bios /usr/share/qemu/qboot.rom',
           'microvm-mmio': 'microvm,acpi=off,isa-serial=on -global virtio-mmio.force-legacy=false'}
ON_PCI = 'virtio-net-pci,netdev=n,disable-legacy=on,mrg_rxbuf=on,romfile=,rx_queue_size=1024'
ON_MMIO = 'virtio-net-device,netdev=n,mrg_rxbuf=on,rx_queue_size=1024'
EXIT_OK = 33


def skip(why):
    print(f'SKIP: {why}')
    sys.exit(77)


def check(what, why):
    if not what:
        raise AssertionError(why)


class Box:
    """A directory and the processes of one test; both end with it."""

    def __init__(self, image, accel, machine):
        self.image, self.accel, self.machine = image, accel, machine
        self.children = []

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix='weir-virtio-')
        return self

    def __exit__(self, *_):
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()
            if child.stdin:
                child.stdin.close()
        shutil.rmtree(self.dir)

    def start(self, command, log):
        with open(f'{self.dir}/{log}', 'wb') as out:
            child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT)
        self.children.append(child)
        return child

    def said(self, log):
        with open(f'{self.dir}/{log}', encoding='utf-8', errors='replace') as f:
            return f.read()

    def qemu(self, netdev, append, share='on', device=''):
        return self.start(
            ['qemu-system-x86_64', '-accel', self.accel, '-cpu', CPU[self.accel], '-machine', 'memory-backend=m',
             '-M'] + MACHINE[self.machine].split() +
            ['-m', '128', '-object', f'memory-backend-memfd,id=m,size=128M,share={share}'] + netdev +
            ['-device', (ON_MMIO if 'mmio' in self.machine else ON_PCI) + device,
             '-kernel', self.image, '-append', append, '-nodefaults', '-display', 'none', '-serial', 'stdio',
             '-no-reboot', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4'], 'image.log')

    def vhost(self, sock, forward, pairs=1):
        if not shutil.which('dpdk-testpmd'):
            skip('no dpdk-testpmd')
        return self.start(
            ['dpdk-testpmd', '--lcores=0@0,1@0', '--no-huge', '--no-pci', '--no-shconf', '--no-telemetry', '-m', '128',
             '--file-prefix=weirvirtio', '--vdev', f'net_vhost0,iface={sock},queues={pairs}', '--',
             '--total-num-mbufs=4096', f'--forward-mode={forward}', '--nb-cores=1', '--no-lsc-interrupt',
             '--disable-link-check', '--no-flush-rx', '--stats-period', '1', f'--rxq={pairs}', f'--txq={pairs}'],
            'back.log')

    def wait_for(self, what, seconds, why):
        end = time.monotonic() + seconds
        while not what():
            if time.monotonic() > end:
                raise AssertionError(f'{why} within {seconds} s')
            time.sleep(0.05)

    def ended(self, qemu, seconds=60):
        """The figures an image ended with."""
        try:
            status = qemu.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f'the image did not end within {seconds} s') from None
        figures = dict(re.findall(r'^(\S+) (\d+)\s*$', self.said('image.log'), re.M))
        check(status == EXIT_OK, f'the image ended with status {status}')
        check(figures.get('pool.out') == '0', f"{figures.get('pool.out')} buffers did not come back")
        return {name.replace('ports.p0.', ''): int(value) for name, value in figures.items()}


def frames(n):
    """Ethernet frames of all lengths, some so large that they take several buffers."""
    rng = random.Random(2)
    for i in range(n):
        size = rng.choice((60, 61, 64, 128, 1000, 1500, 1514, 2048, 2049, 4096, 9014))
        yield b'\xff' * 6 + b'\x02\0\0\0\0\x01\x88\xb5' + i.to_bytes(4, 'big') + rng.randbytes(size - 18)


def echo_once(box, n, append='', device=''):
    """Sends n frames to QEMU's own device, which asks for doorbells: each comes back as it was, in order."""
    size = int(dict(w.split('=') for w in append.split()).get('rx', 1024))
    window = max(4, size // 16)  # what a ring holds of the longest frames
    for name in ('ours', 'qemu'):
        if os.path.exists(f'{box.dir}/{name}'):
            os.unlink(f'{box.dir}/{name}')
    ours = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.bind(f'{box.dir}/ours')
    ours.settimeout(20)
    qemu = box.qemu(['-netdev', f'dgram,id=n,local.type=unix,local.path={box.dir}/qemu,'
                     f'remote.type=unix,remote.path={box.dir}/ours'],
                    f'mode=echo seconds=50 packets={n} {append}', device=device)
    box.wait_for(lambda: 'granted' in box.said('image.log') or qemu.poll() is not None, 20, 'no port')
    waiting = []
    for i, frame in enumerate(frames(n)):
        ours.sendto(frame, f'{box.dir}/qemu')
        waiting.append(frame)
        while len(waiting) > window or (i == n - 1 and waiting):
            got = ours.recv(65536)
            check(got == waiting[0], f'frame {i - len(waiting) + 1} of {len(waiting[0])} bytes came back as '
                  f'{len(got)} other bytes ({append} {device})')
            waiting.pop(0)
    ours.close()
    figures = box.ended(qemu)
    check(figures['rx.packets'] == n and figures['tx.packets'] == n, f'counted {figures}')
    check(figures['counters.tx-doorbells'] > 0, 'no doorbell was asked for')
    check(figures['counters.resets'] == 0, 'the device was reset')
    return figures


def echo(box):
    n = 8000
    figures = echo_once(box, n)
    return f"{n} frames, {figures['counters.tx-doorbells']} doorbells to send, " \
           f"{figures['counters.rx-doorbells']} to receive"


def echo_packed(box):
    """The same over packed rings."""
    figures = echo_once(box, 8000, device=',packed=on')
    check(': packed ring' in box.said('image.log'), 'the ring is not packed')
    return f"8000 frames, {figures['counters.tx-doorbells']} doorbells to send"


def rings(box):
    """Frames up to 9,014 bytes over every length of ring that QEMU has, split and packed."""
    done = []
    for packed in ('off', 'on'):
        for size in (64, 128, 256, 512, 1024):
            echo_once(box, 1000, f'rx={size} tx={min(size, 256)} mtu=9000', f',packed={packed}')
            granted = re.search(r'granted (.*)\ngranted mtu (\d+) rx (\d+) tx (\d+)', box.said('image.log'))
            check(('packed' if packed == 'on' else 'split') + ' ring' in granted[1], f'granted {granted[1]}')
            check(int(granted[3]) == size, f'asked for {size} descriptors, granted {granted[3]}')
            done.append(f"{granted[3]}{'p' if packed == 'on' else ''}")
    return f"1000 frames each over rings of {' '.join(done)} descriptors (p: packed)"


def two_pairs(box):
    """Both queue pairs of a vhost-user back end carry packets, split and packed."""
    said = []
    for packed in ('off', 'on'):
        sock = f'{box.dir}/vh-{packed}.sock'
        back = box.vhost(sock, 'flowgen', pairs=2)
        box.wait_for(lambda: os.path.exists(sock), 20, 'no back end')  # pylint: disable=cell-var-from-loop
        qemu = box.qemu(['-chardev', f'socket,id=c,path={sock}', '-netdev', 'vhost-user,id=n,chardev=c,queues=2'],
                        'mode=echo seconds=6 pairs=2', device=f',mq=on,vectors=6,packed={packed}')
        figures = box.ended(qemu)
        check('pairs 2' in box.said('image.log'), f"granted {box.said('image.log')[:300]}")
        back.send_signal(signal.SIGINT)
        back.wait(10)
        streams = re.findall(r'Forward Stats for RX Port= 0/Queue= ?(\d).*?\n\s*RX-packets: (\d+)', box.said('back.log'))
        came = {queue: int(count) for queue, count in streams}
        check(len(came) == 2 and min(came.values()) > 1000, f'the back end received {came} by queue')
        said.append(f"{figures['tx.packets']} packets over two {'packed' if packed == 'on' else 'split'} pairs")
    return ', '.join(said)


def back_end_dies_packed(box):
    return back_end_dies(box, ',packed=on')


def back_end_dies(box, device=''):
    """A vhost-user back end is killed twice: the link follows, and packets flow again each time."""
    sock = f'{box.dir}/vh.sock'
    back = box.vhost(sock, 'flowgen')
    box.wait_for(lambda: os.path.exists(sock), 20, 'no back end')
    qemu = box.qemu(['-chardev', f'socket,id=c,path={sock},reconnect=1', '-netdev',
                     'vhost-user,id=n,chardev=c,queues=1'], 'mode=echo seconds=30', device=device)

    def sent():
        return max([int(x) for x in re.findall(r'RX-packets: (\d+)', box.said('back.log'))] or [0])

    for _ in range(2):
        box.wait_for(lambda: sent() > 1000 or qemu.poll() is not None, 30, 'no packets')
        back.send_signal(signal.SIGKILL)
        back.wait()
        if os.path.exists(sock):
            os.unlink(sock)
        back = box.vhost(sock, 'flowgen')
    box.wait_for(lambda: sent() > 1000 or qemu.poll() is not None, 30, 'no packets')
    last = sent()
    if qemu.poll() is None:
        qemu.stdin.write(b'q')
        qemu.stdin.flush()
    figures = box.ended(qemu)
    check(last > 1000, 'no packets after the second return')
    check(figures['counters.link-changes'] >= 2, f"the link changed {figures['counters.link-changes']} times")
    return f"{figures['tx.packets']} packets, {figures['counters.link-changes']} link changes, " \
           f"{figures['counters.resets']} resets"


def unshared(box):
    """Without share=on no packet moves; the image says which option is missing."""
    sock = f'{box.dir}/vh.sock'
    box.vhost(sock, 'rxonly')
    box.wait_for(lambda: os.path.exists(sock), 20, 'no back end')
    qemu = box.qemu(['-chardev', f'socket,id=c,path={sock}', '-netdev', 'vhost-user,id=n,chardev=c,queues=1'],
                    'mode=tx seconds=7', share='off')
    figures = box.ended(qemu)
    check(figures['counters.tx-stalled'] == 1, 'no stall was counted')
    check('share=on' in box.said('image.log'), 'nothing was said')
    return box.said('image.log').split('port p0: ')[1].split('\n')[0][:60] + '...'


TESTS = {test.__name__: test for test in (echo, echo_packed, rings, two_pairs, back_end_dies, back_end_dies_packed,
                                        unshared)}


def main():
    image, name, accel, machine = sys.argv[1:]
    if not shutil.which('qemu-system-x86_64'):
        skip('no qemu-system-x86_64')
    if accel == 'kvm' and not os.access('/dev/kvm', os.R_OK | os.W_OK):
        skip('/dev/kvm cannot be used')
    with Box(image, accel, machine) as box:
        try:
            print(f'{name} {accel} {machine}: {TESTS[name](box)}')
        except (AssertionError, socket.timeout) as e:
            print(f'FAILED {name} {accel} {machine}: {e}')
            for log in ('image.log', 'back.log'):
                if os.path.exists(f'{box.dir}/{log}'):
                    print(f'--- {log}\n{box.said(log)[-3000:]}')
            return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
