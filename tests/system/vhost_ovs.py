#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""virtio-user ports beside Open vSwitch with DPDK: every packet crosses the switch, counted and compared.

usage: vhost_ovs.py WEIR

A capture goes out by port a, through a bridge of OVS (dpdkvhostuserclient ports: OVS connects, weir listens), and by
port b to another weir. Then ovs-vswitchd is killed (-9) and started again, and packets must flow again. OVS runs from
folders and a network namespace of its own, without huge pages, and is no system service; nothing of it is left
behind.
"""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import capfile
import netns

VSWITCHD = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
FRAMES = 3000
WAIT = 60
ONE = """version: 1
function: patch
ports:
  file: {device: "%s"}
  port: {device: "virtio-user:%s.sock,server,wait=60"}
patches: [{from: file, to: port}, {from: port, to: file}]
"""
BOTH = """version: 1
function: patch
ports:
  in: {device: "null:rx=60"}
  a: {device: "virtio-user:a.sock,server,wait=60"}
  b: {device: "virtio-user:b.sock,server,wait=60"}
patches: [{from: in, to: a}, {from: b, to: in}]
"""


class Switch:
    """One bridge br0: what comes in by a goes out by b."""

    def __init__(self, folder):
        self.folder = folder
        self.children = []
        os.environ.update(OVS_RUNDIR=folder, OVS_LOGDIR=folder, OVS_DBDIR=folder, OVS_SYSCONFDIR=folder)
        subprocess.run(["ovsdb-tool", "create", "conf.db", SCHEMA], check=True)
        self.start(["ovsdb-server", "conf.db", f"--remote=punix:{folder}/db.sock", f"--unixctl={folder}/db.ctl"])
        self.wait(lambda: os.path.exists("db.sock"), "ovsdb-server")
        self.vsctl("--no-wait", "init")
        # Without huge pages DPDK wants its legacy memory, which OVS would else rule out (--in-memory).
        self.vsctl("--no-wait", "set", "Open_vSwitch", ".", "other_config:dpdk-init=true",
                   "other_config:pmd-cpu-mask=1", "other_config:per-port-memory=true",
                   "other_config:dpdk-extra=--no-huge --legacy-mem -m 1024 --no-shconf --no-pci --no-telemetry")
        self.start_vswitchd()
        self.vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev", "fail-mode=secure")
        for number, port in enumerate("ab", 1):
            self.vsctl("add-port", "br0", port, "--", "set", "Interface", port, "type=dpdkvhostuserclient",
                       f"options:vhost-server-path={folder}/{port}.sock", f"ofport_request={number}")
        self.add_flow()

    def start(self, args):
        log = open(os.path.basename(args[0]) + ".log", "a")
        self.children.append(subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        log.close()
        return self.children[-1]

    def start_vswitchd(self):
        self.vswitchd = self.start([VSWITCHD, f"unix:{self.folder}/db.sock", f"--unixctl={self.folder}/vs.ctl"])
        self.wait(lambda: self.vswitchd.poll() is not None or self.vsctl("get", "Open_vSwitch", ".", "dpdk_initialized")
                  .strip() == "true", "ovs-vswitchd")
        if self.vswitchd.poll() is not None:
            with open(os.path.basename(VSWITCHD) + ".log") as f:
                raise AssertionError("ovs-vswitchd ended: " + "".join(f.readlines()[-3:]))

    def wait(self, done, what):
        until = time.monotonic() + WAIT
        while not done():
            assert time.monotonic() < until, f"{what} does not start"
            time.sleep(0.05)

    def vsctl(self, *args):
        return subprocess.run(["ovs-vsctl", f"--db=unix:{self.folder}/db.sock", "--timeout=60", *args], check=True,
                              stdout=subprocess.PIPE, text=True).stdout

    def ofctl(self, *args):
        return subprocess.run(["ovs-ofctl", "--timeout=30", args[0], f"unix:{self.folder}/br0.mgmt", *args[1:]],
                              check=True, stdout=subprocess.PIPE, text=True).stdout

    def add_flow(self):
        self.wait(lambda: os.path.exists("br0.mgmt"), "the bridge")
        self.ofctl("add-flow", "in_port=1,actions=output:2")

    def counts(self, port):
        """Packets received, sent, and not sent; OVS brings them up to date every 5 s."""
        text = self.vsctl("get", "Interface", port, "statistics")
        found = dict(re.findall(r"(\w+)=(\d+)", text))
        return [int(found.get(name, 0)) for name in ("rx_packets", "tx_packets", "tx_dropped")]

    def settled(self, total, process):
        """The counts of a and b once all packets are accounted for, or when waiting is in vain."""
        until = time.monotonic() + WAIT
        while True:
            a, b = self.counts("a"), self.counts("b")
            if (a[0] == total and b[1] + b[2] == total) or process.poll() is not None or time.monotonic() > until:
                return a, b
            time.sleep(0.5)

    def kill(self):
        self.vswitchd.kill()
        self.vswitchd.wait()
        os.unlink("br0.mgmt")  # or the next one's would seem to be there already

    def stop(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()


def make_capture():
    rng = random.Random(4)
    frames = [b"\x02weir\x01\x02weir\x02\x88\xb5" + rng.randbytes(rng.choice((46, 200, 1500)))
              for _ in range(FRAMES)]
    capfile.write("in.pcap", [(i, frame) for i, frame in enumerate(frames)])
    return frames


def same_order(want, got):
    rest = iter(want)
    return all(any(frame == w for w in rest) for frame in got)


def weir_run(weir, name, config, children):
    with open(name, "w") as f:
        f.write(config)
    children.append(subprocess.Popen([weir, "run", name, "--cpu", "1", "--clock", "real", "--linger", "100", "--json"],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     text=True))
    return children[-1]


def ended(process):
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=WAIT)
    assert process.returncode == 0, err
    return json.loads(out)["ports"]["port"]


def through(weir, switch, want, children):
    recorder = weir_run(weir, "recorder.yaml", ONE % ("pcap:,out.pcap", "b"), children)
    switch.wait(lambda: switch.vsctl("get", "Interface", "b", "link_state").strip() == "up", "port b")
    time.sleep(2)  # OVS drops what it would send while it takes the port up, and has no sign for the end of that
    player = weir_run(weir, "player.yaml", ONE % ("pcap:in.pcap,", "a"), children)
    # OVS forgets a port's counts when its peer goes: read before that.
    (received, _, _), (_, sent, dropped) = switch.settled(len(want), player)
    a, b = ended(player), ended(recorder)
    assert a["tx"]["packets"] == received == len(want), (a["tx"], received)
    assert b["rx"]["packets"] == sent == len(want) - dropped > 0, (b["rx"], sent, dropped)
    got = [frame for _, frame in capfile.read("out.pcap")]
    assert len(got) == sent and same_order(want, got), "frames differ"
    print(f"{len(want)} frames into the switch, {sent} out of it, {dropped} dropped there: counts and bytes the same",
          flush=True)


def killed(weir, switch, children):
    process = weir_run(weir, "killed.yaml", BOTH, children)

    def line(what):
        for text in process.stderr:
            if what in text:
                return text.strip()
        raise AssertionError(f"weir ended without '{what}'")

    line("packets received")
    switch.kill()
    line("waiting for one to come")
    switch.start_vswitchd()
    switch.add_flow()
    print(line("packets again"), flush=True)
    process.send_signal(signal.SIGINT)
    figures = json.loads(process.stdout.read())
    assert process.wait(WAIT) == 0 and figures["accounting"]["balanced"], figures
    for port in "ab":
        counters = figures["ports"][port]["counters"]
        assert counters["disconnects"] == counters["reconnects"] == 1 and not counters["protocol-errors"], counters
    print("ovs-vswitchd killed and started again: both ports came back, every buffer home")


def main():
    weir = os.path.abspath(sys.argv[1])
    for need in (VSWITCHD, shutil.which("ovsdb-server") or "ovsdb-server"):
        if not os.path.exists(need):
            print(f"SKIP: {need} is not there: install openvswitch-switch-dpdk")
            return 77
    netns.enter(280)  # a bridge of OVS is an interface of the network it runs in
    children, switch = [], None
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        os.chdir(folder)
        os.environ.setdefault("RUNTIME_DIRECTORY", folder)
        try:
            want = make_capture()
            switch = Switch(folder)
            through(weir, switch, want, children)
            killed(weir, switch, children)
        finally:
            for child in children:
                if child.poll() is None:
                    child.kill()
                    child.wait()
            if switch:
                switch.stop()
            os.chdir("/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
