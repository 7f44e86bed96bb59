#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""linux_image.py - an image routes between two Linux hosts, with QEMU's virtio-net devices on their TAPs

Usage: linux_image.py [-v] WEIR kvm|tcg [CASE...]     (root; without a CASE all of them)

The tests of linux_host.py, with the router in a virtual machine: QEMU's own device offers what a TAP can
(checksums, long packets both ways), and has a control queue.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys

import linux_host
import netns
from linux_host import CASES, HOSTS, ROUTER, Failure, inside, need, wait_for

# As in linux_host: driver, MTU, offloads at the hosts, at port a, at port b.
CASES.clear()
CASES.update({
    "image": ("tap", 1500, True, None, None),
    "image-packed": ("tap", 1500, True, None, None),
    "image-pairs": ("tap", 1500, True, None, None),  # two lcores
    "image-cut": ("tap", 1500, True, None, "none"),
    "image-plain": ("tap", 1500, False, "none", "none"),
    "image-jumbo": ("tap", 9000, True, None, None),
})
# What each port must say that it was granted, and must not.
ALL = "rx-csum tx-csum tso4 tso6 lro mac-filter".split()


class Machine(linux_host.Network):
    accel = "tcg"
    case = ""

    def tap(self, host, many):
        words = ["ip", "tuntap", "add", "dev", "w" + host, "mode", "tap", "vnet_hdr"]
        netns.run(*words, *(["multi_queue"] if many else []))
        netns.run("sysctl", "-qw", f"net.ipv6.conf.w{host}.disable_ipv6=1")
        netns.run("ip", "link", "set", "w" + host, "mtu", str(self.mtu))

    def qemu(self, image, pairs):
        packed = "on" if self.case == "image-packed" else "off"
        words = ["qemu-system-x86_64", "-accel", self.accel, "-cpu", "host" if self.accel == "kvm" else "max",
                 "-M", "microvm,pcie=on,isa-serial=on", "-m", "128", "-smp", str(pairs), "-kernel", image,
                 "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot", "-device",
                 "isa-debug-exit,iobase=0xf4,iosize=4"]
        for host in HOSTS:
            words += ["-netdev", f"tap,id={host},ifname=w{host},script=no,downscript=no,vnet_hdr=on,queues={pairs}",
                      "-device", f"virtio-net-pci,netdev={host},mq={'on' if pairs > 1 else 'off'},"
                      f"vectors={2 * pairs + 2},disable-legacy=on,romfile=,rx_queue_size=1024,packed={packed},"
                      f"host_mtu={self.mtu},mac=02:00:00:00:00:0{ord(host) - 96}"]
        return words

    def start(self, weir, where, offloads, pairs):
        lines = ["version: 1", "function: router", f"lcores: {pairs}", "ports:"]
        for n, host in enumerate(HOSTS):
            words = [f'device: "virtio:{n}"', f"addresses: [{ROUTER[host]}/24]", f"mtu: {self.mtu}"]
            if offloads[host]:
                words.append(f"offloads: {offloads[host]}")
            lines.append(f"  {host}: {{{', '.join(words)}}}")
            self.tap(host, pairs > 1)
        config, image = pathlib.Path(where, "router.yaml"), pathlib.Path(where, "router.img")
        config.write_text("\n".join(lines) + "\n")
        netns.run(weir, "pack", str(config), "-o", str(image))
        self.path = pathlib.Path(where, "console")
        self.log = open(self.path, "w+")
        self.weir = subprocess.Popen(self.qemu(str(image), pairs), stdin=subprocess.PIPE, stdout=self.log,
                                     stderr=subprocess.STDOUT, text=True)
        wait_for("the image's ports", lambda: self.alive() and "weir: port b" in self.path.read_text(), 30)

    def stop(self):
        self.weir.stdin.write("q")
        self.weir.stdin.flush()
        status = self.weir.wait(timeout=30)
        said = self.path.read_text()
        need(status == 33, f"the image ended with {status}: {said[-1500:]}")
        figures = {"ports": {}, "accounting": {}}
        for line in said.splitlines():
            words = line.split()
            if len(words) != 3 or words[0] != "stat" or not words[2].isdigit():
                continue
            *path, last = words[1].split(".")
            at = figures
            for name in path:
                at = at.setdefault(name, {})
            if isinstance(at, dict):
                at[last] = int(words[2])
        self.check_granted(said)
        sent = figures["ports"]["b"]["tx"]
        if self.case in ("image", "image-packed", "image-pairs"):
            need(sent["bytes"] > (self.mtu + 18) * sent["packets"], f"no long packets pass whole: {sent}")
        return figures

    def check_granted(self, said):
        for host in HOSTS:
            line = [s for s in said.splitlines() if s.startswith(f"weir: port {host}:")][0]
            none = self.case == "image-plain" or (self.case == "image-cut" and host == "b")
            for name in ALL:
                need((name in line.split()) != none, f"port {host} and {name}: {line}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-v", action="store_true")
    parser.add_argument("weir")
    parser.add_argument("accel", choices=("kvm", "tcg"))
    parser.add_argument("case", nargs="*")
    args = parser.parse_args()
    args.weir = str(pathlib.Path(args.weir).resolve())
    sys.argv[1:] = [args.weir, args.accel] + args.case
    if not shutil.which("qemu-system-x86_64"):
        netns.skip("needs qemu-system-x86_64 (apt-get install qemu-system-x86)")
    if args.accel == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        netns.skip("/dev/kvm cannot be used")
    netns.enter(280)
    tools = linux_host.missing_tools()
    if tools:
        netns.skip(f"needs the commands {', '.join(tools)} (apt-get install iproute2 ethtool iperf3 iputils-ping)")
    Machine.accel = args.accel
    linux_host.Network = Machine
    failed = 0
    for case in args.case or CASES:
        Machine.case = case
        try:
            print(f"linux_image {args.accel} {case}: {linux_host.run_case(args.weir, case, args.v)}", flush=True)
        except (Failure, RuntimeError, subprocess.TimeoutExpired) as e:
            print(f"FAIL {case}: {e}", flush=True)
            failed += 1
    count = len(args.case or CASES)
    print(f"linux_image: {count - failed} of {count} cases pass")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
