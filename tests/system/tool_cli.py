#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The tool as a script sees it: exit codes, messages, JSON.

usage: tool_cli.py WEIR
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CAPTURE = os.path.join(HERE, "..", "captures", "router-wan.pcap")
DOCS = os.path.join(HERE, "..", "..", "docs")
WEIR = sys.argv[1]
checks = 0

PATCH = """version: 1
function: patch
ports:
  a: {device: "null"}
  b: {device: "null"}
patches: [{from: a, to: b}]
"""
ROUTER = """version: 1
function: router
lcores: 1
ports:
  wan: {device: "virtio:0", addresses: [192.0.2.1/24]}
  lan: {device: "virtio:1", addresses: [198.51.100.1/24], mac: "02:00:00:00:00:01"}
routes:
  - {to: 0.0.0.0/0, via: 192.0.2.254}
  - {file: table.txt}
neighbors:
  - {port: wan, address: 192.0.2.254, mac: "02:00:00:00:00:fe"}
"""


def weir(*args, status=0, out="", err=""):
    """Runs weir; checks its exit status and that stdout and stderr hold what is given."""
    global checks
    r = subprocess.run([WEIR, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                       timeout=120)
    checks += 1
    if r.returncode != status or out not in r.stdout or err not in r.stderr:
        print(f"weir {' '.join(args)}\nexit {r.returncode}, expected {status}\nstdout: {r.stdout}\n"
              f"stderr: {r.stderr}\nexpected there: {out!r}, {err!r}")
        sys.exit(1)
    return r


def usage():
    weir(status=2, err="usage: weir COMMAND")
    weir("--help", out="check")
    weir("--version", out="weir 0.1.0 ")
    weir("frobnicate", status=2, err="frobnicate: unknown command")
    weir("doctor", "--frob", status=2, err="--frob: unknown option")
    weir("doctor", "a", "b", status=2, err="expected at most one FILE")
    for command in ("check", "run", "boot", "pack"):
        weir(command, "--help", out=f"usage: weir {command}")
        weir(command, status=2, err="expected one FILE")
        weir(command, "--frob", "x", status=2, err="--frob: unknown option")
        weir(command, "nowhere.yaml", *(["-o", "x"] if command == "pack" else []), status=2,
             err="nowhere.yaml: No such file or directory")
    weir("run", "patch.yaml", "--clock", "sun", status=2, err="sun: expected capture or real")
    weir("run", "patch.yaml", "--port", "c=null", status=2, err="c: the configuration has no port")
    weir("run", "patch.yaml", "--port", "a", status=2, err="a: expected NAME=")
    weir("run", "patch.yaml", "--port", "a=pcpa:x", status=2, err="pcpa:x: expected DRIVER:ARGUMENT")
    weir("run", "patch.yaml", "--port", "a=null", "--port", "a=null", status=2, err="--port a is there twice")
    for value in ("", "x", "-1", "4294967552", "1e3"):
        weir("run", "patch.yaml", "--memory", value, status=2, err=f"--memory {value}: expected 16 to 65536 MiB")
        weir("run", "patch.yaml", "--cpu", value + "x", status=2, err=f"--cpu {value}x: expected a CPU")
    weir("run", "patch.yaml", "--linger", "", status=2, err="--linger : expected 0 to 3600 seconds")
    weir("run", "patch.yaml", "--port", "a=pcap:,a.pcap", "--port", f"b=pcap:{CAPTURE},",
         err="weir run: port a: pcap ")
    weir("run", "-xh", "patch.yaml", status=2, err="weir run: -x: unknown option")
    # Figures and messages that did not arrive are an error.
    for args in (["--help"], ["check", "patch.yaml"]):
        with open("/dev/full", "w") as full:
            r = subprocess.run([WEIR, *args], stdout=full, stderr=subprocess.PIPE, text=True)
        assert r.returncode == 1 and "standard output: No space left" in r.stderr, (args, r)


def check():
    weir("check", "patch.yaml", out="patch.yaml: good: patch, 2 ports")
    with open("patch.yaml", "rb") as f:
        r = subprocess.run([WEIR, "check", "/dev/stdin"], stdout=subprocess.PIPE, input=f.read())
    assert r.returncode == 0 and b"good: patch" in r.stdout, r
    weir("check", "/dev/zero", status=2, err="expected at most 16777216 bytes")
    weir("check", ".", status=2, err=".: Is a directory")
    weir("check", "router.yaml", out="router, 2 ports, 3 routes, 1 neighbors")
    with open("bad.yaml", "w") as f:
        f.write(ROUTER.replace("192.0.2.254}", "192.0.3.254}").replace("lcores: 1", "lcores: x"))
    r = weir("check", "bad.yaml", status=2)
    assert r.stderr.splitlines() == [
        "bad.yaml:3:9: x: expected a number from 1 to 16",
        "bad.yaml:8:26: 192.0.3.254: expected an address on the network of a port, "
        "or one that another route leads to"], r.stderr


def run():
    ports = ("--port", f"a=pcap:{CAPTURE},", "--port", "b=pcap:,out.pcap")
    weir("run", "patch.yaml", *ports, out="balanced")
    with open("out.pcap", "rb") as got, open(CAPTURE, "rb") as want:
        assert got.read() == want.read(), "patched capture differs"
    j = json.loads(weir("run", "patch.yaml", *ports, "--json").stdout)
    packets, size = j["ports"]["a"]["rx"]["packets"], os.path.getsize(CAPTURE)
    # A pcap file is 24 bytes and 16 a packet more than its frames.
    assert j["ports"]["a"]["rx"]["bytes"] == size - 24 - 16 * packets
    assert j["ports"]["b"]["tx"] == j["ports"]["a"]["rx"]
    assert j["accounting"] == {"rx": packets, "generated": 0, "tx": packets, "consumed": 0,
                               "dropped": 0, "held": 0, "balanced": True}
    weir("run", "patch.yaml", "--port", "a=pcap:nowhere.pcap,", status=1, err="nowhere.pcap")
    with open(CAPTURE, "rb") as f, open("in.pcap", "wb") as g:
        g.write(f.read())
    for one, other in (("a=pcap:in.pcap,", "b=pcap:,./in.pcap"), ("b=pcap:in.pcap,", "a=pcap:,in.pcap")):
        weir("run", "patch.yaml", "--port", one, "--port", other, status=2, err="plays this capture")
    assert os.path.getsize("in.pcap") == size
    weir("run", "router.yaml", status=2, err="expected --port wan=DEVICE")
    with open(CAPTURE, "rb") as f, open("cut.pcap", "wb") as g:
        g.write(f.read()[:-1])
    r = weir("run", "patch.yaml", "--port", "a=pcap:cut.pcap,", "--json", status=1, err="cut.pcap")
    assert json.loads(r.stdout)["accounting"]["rx"] == packets - 1


def drop_names():
    """What the router drops of the recorded captures is in the user's table of drop reasons."""
    with open(os.path.join(DOCS, "app-router.md")) as f:
        rows = re.findall(r"^\| ([\w-]+|tx-PORT): ([\w, -]+) \|", f.read(), re.M)
    told = {(node, reason.strip()) for node, reasons in rows for reason in reasons.split(",")}
    ports = [w for p in ("wan", "lan") for w in ("--port", f"{p}=pcap:{CAPTURE.replace('wan', p)},")]
    j = json.loads(weir("run", os.path.join(HERE, "..", "captures", "router.yaml"), *ports,
                        "--json").stdout)
    seen = {tuple(re.sub("^tx-(wan|lan)[.]", "tx-PORT.", name).split(".")) for name in j["drops"]}
    assert len(seen) > 3 and seen <= told, f"undocumented: {seen - told}"


def ports():
    """The table of ports: what `weir check` takes, and what the documentation shows."""
    weir("ports", "x", status=2, err="x: expected no argument")
    weir("ports", "--figures", "nowhere.txt", status=2, err="nowhere.txt: No such file")
    weir("ports", out="queues: ")
    rows = {row["device"]: row for row in json.loads(weir("ports", "--json").stdout)}
    # As `weir check` has them: an unknown driver is answered by the list of those there are.
    with open("bad.yaml", "w") as f:
        f.write(PATCH.replace('"null"', '"wrong:"', 1))
    known = weir("check", "bad.yaml", status=2).stderr.split("a driver of ")[1].strip().split(", ")
    assert {d.split(":")[0] for d in rows} == set(known), (known, rows)
    assert rows["virtio:"]["image"] and not rows["virtio:"]["hosted"], rows
    assert rows["null:"]["image"] and rows["null:"]["hosted"], rows
    assert rows["pcap:"]["clock"] == "capture" and rows["pcap:live="]["clock"] == "real", rows
    assert rows["pcap:live="]["needs"] == "CAP_NET_RAW" and rows["loop:"]["offloads"] == [], rows
    figures = os.path.join(HERE, "..", "..", "perf", "ports.txt")
    table = weir("ports", "--markdown", "--figures", figures).stdout
    with open(os.path.join(DOCS, "ports.md")) as f:
        assert table in f.read(), "docs/ports.md is not what the drivers say: run perf/ports.py --docs-only"
    with open(figures) as f:
        measured = {line.split()[0] for line in f if not line.startswith("#")}
    assert measured <= set(rows), f"perf/ports.txt: {measured - set(rows)} are no ports"


def device_strings():
    """Arguments of devices are judged before anything runs."""
    for device, words in (("null:size=59", "size=59: expected size=N"), ("dpdk:", "expected a device"),
                          ("pcap:a,b,c", "expected IN,OUT"), ("pcap:live=a/b", "a/b"), ("tap:", "expected"),
                          ("virtio:x", "expected virtio:N"), ("xdp:eth0,frob", "frob")):
        with open("bad.yaml", "w") as f:
            f.write(PATCH.replace('"null"', f'"{device}"', 1))
        weir("check", "bad.yaml", status=2, err=words)
        if not device.startswith("virtio"):
            weir("run", "patch.yaml", "--port", f"a={device}", status=2, err=words)


def boot():
    weir("boot", "router.yaml", status=2, err="port wan: expected --vhost wan=SOCKET")
    weir("boot", "router.yaml", "--vhost", "wan=none.sock", "--vhost", "lan=none.sock", status=2,
         err="none.sock: no back end listens there")
    weir("boot", "router.yaml", "--vhost", "dmz=x", status=2, err="dmz: the configuration has no")
    weir("boot", "patch.yaml", "--vhost", "a=x", status=2, err="expected virtio:N")
    r = weir("boot", "router.yaml", "--vhost", "wan=w,server", "--vhost", "lan=l", "--dry-run",
             "--accel", "tcg", "--memory", "48", "--cpus", "2", "--machine", "q35")
    pack, qemu = r.stdout.splitlines()
    assert pack == "weir pack router.yaml -o router.yaml.elf", pack
    for word in ("-accel tcg", "-m 48", "-smp 2", "-M q35", "size=48M,share=on", "path=w,server=on",
                 "path=l,reconnect=1", "mac=02:00:00:00:00:01", "-kernel router.yaml.elf"):
        assert word in qemu, (word, qemu)
    with open("two.yaml", "w") as f:
        f.write(ROUTER.replace("lcores: 1", "lcores: 2").replace("{device: ", "{queues: 1, device: ", 1))
    vhost = ("--vhost", "wan=w", "--vhost", "lan=l")
    qemu = weir("boot", "two.yaml", *vhost, "--dry-run").stdout.splitlines()[1]
    # wan has one queue pair, lan one an lcore: vectors for its queues, the control queue and changes.
    for word in ("-smp 2", "chardev=c0 ", "chardev=c1,queues=2 "):
        assert word in qemu, (word, qemu)
    assert qemu.count("mq=on,vectors=6") == 1, qemu
    weir("boot", "two.yaml", *vhost, "--cpus", "1", status=2,
         err="--cpus 1: the configuration has lcores: 2, a CPU each")
    assert "--image i.elf" in weir("boot", "router.yaml", "--vhost", "wan=w", "--vhost", "lan=l",
                                   "--image", "i.elf", "--dry-run").stdout
    # What a delay line holds needs buffers, of more than 2 KiB each, beside those of the ports.
    with open("impair.yaml", "w") as f:
        f.write("version: 1\nfunction: impair\nports: {a: {device: 'virtio:0'}, b: {device: 'virtio:1'}}\n"
                "impairments: [{from: a, to: b, delay: 1ms, packets: 65536}]\n")
    qemu = weir("boot", "impair.yaml", "--vhost", "a=w", "--vhost", "b=l", "--dry-run").stdout.splitlines()[1]
    assert int(re.search(r"-m (\d+)", qemu)[1]) > 48 + (65536 * 2304 >> 20), qemu
    weir("boot", "router.yaml", "--vhost", "wan=w", "--vhost", "lan=l", "--memory", "x", status=2,
         err="--memory x: expected 16 to 1048576 MiB")
    weir("boot", "router.yaml", "--accel", "fast", status=2, err="--accel fast: expected auto, kvm or tcg")
    weir("doctor", "--probe", "-1", status=2, err="--probe -1: expected 0 to 60000 milliseconds")
    weir("boot", "router.yaml", "--vhost", "wan=w", "--vhost", "wan=l", status=2,
         err="--vhost wan is there twice")


def pack():
    if not os.path.exists(os.path.join(os.path.dirname(WEIR), "weir-router.elf")):
        print("no images in this build: pack is left out")
        return
    weir("pack", "router.yaml", status=2, err="-o IMAGE")
    weir("pack", "router.yaml", "-o", "router.elf", out="router.elf: ")
    weir("pack", "router.yaml", "-o", "nowhere/router.elf", status=1, err="nowhere/router.elf")
    weir("pack", "router.yaml", "-o", "r.elf", "--image", "router.yaml", status=1,
         err="router.yaml: not a Weir image")
    weir("pack", "router.yaml", "-o", "/dev/null", status=1, err="/dev/null: is not a regular file")
    assert not os.path.isfile("/dev/null")
    # A packed image is not packed again: it is immutable.
    weir("pack", "router.yaml", "-o", "r.elf", "--image", "router.elf", status=1,
         err="not a Weir image without configuration")
    assert not os.path.exists("r.elf")


def boot_ended():
    """QEMU missing, and QEMU that waits for a back end: what ^C does, and what is left behind."""
    if not os.path.exists(os.path.join(os.path.dirname(WEIR), "weir-router.elf")):
        return
    boot = [WEIR, "boot", "router.yaml", "--accel", "tcg", "--vhost", "wan=wan.sock,server", "--vhost",
            "lan=lan.sock,server"]
    r = subprocess.run(boot, env={"PATH": "/nowhere"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True)
    assert r.returncode == 1 and r.stdout == "" and "install qemu-system-x86" in r.stderr, r
    if not shutil.which("qemu-system-x86_64"):
        print("qemu-system-x86_64 is not installed: ^C of weir boot is left out")
        return
    p = subprocess.Popen(boot, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    while not os.path.exists("wan.sock"):
        assert p.poll() is None, p.communicate()
        time.sleep(0.05)
    # The second asks no more, once it cannot be `timeout` sending the first to a whole group.
    while p.poll() is None:
        p.send_signal(signal.SIGINT)
        time.sleep(0.3)
    out, err = p.communicate()
    assert p.returncode == 1 and out == "" and "ended before the image was ready" in err, (out, err)
    assert not os.path.exists("wan.sock"), "QEMU left its socket behind"


def main():
    global WEIR
    WEIR = os.path.abspath(WEIR)
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        os.chdir(folder)
        for name, text in (("patch.yaml", PATCH), ("router.yaml", ROUTER),
                           ("table.txt", "10.0.0.0/8 via 198.51.100.7\n10.1.0.0/16 192.0.2.9\n")):
            with open(name, "w") as f:
                f.write(text)
        for part in (usage, check, device_strings, ports, run, drop_names, boot, boot_ended, pack):
            part()
        os.chdir("/")
    print(f"{checks} calls of the tool did what a script relies on")
    return 0


if __name__ == "__main__":
    sys.exit(main())
