#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# run.py - boot small images under QEMU; each must print what it should and end QEMU as it should
#
#   run.py --accel tcg|kvm --images DIR [--only REGEX] [-v]
#
# Exit status: 0 all passed, 1 some failed, 77 QEMU or /dev/kvm is missing (a skip, said on stderr).
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

QEMU = "qemu-system-x86_64"
QBOOT = "/usr/share/qemu/qboot.rom"
OK, APP, FAULT, PANIC, REFUSED, DOUBLE = 33, 35, 37, 39, 41, 43

MACHINES = {
    "microvm": ["-M", "microvm,pcie=on,isa-serial=on"],
    "microvm-noacpi": ["-M", "microvm,acpi=off,isa-serial=on"],
    "q35": ["-M", "q35"],
    "q35-qboot": ["-M", "q35", "-bios", QBOOT],
    "pc": ["-M", "pc"],
}
NET = ["-device", "virtio-net-pci,disable-legacy=on,romfile="]
PORT = ["-device", "pcie-root-port,id=rp,chassis=1,slot=1",
        "-device", "virtio-net-pci,disable-legacy=on,romfile=,bus=rp"]
SPARSE = ["-object", "memory-backend-ram,id=ram,size={},reserve=off", "-machine", "memory-backend=ram"]


class Case:
    def __init__(self, name, image, status, *expect, machine="microvm", append="", smp=1, mem="128M",
                 cpu=None, extra=(), accels=("tcg", "kvm"), absent=()):
        self.name, self.image, self.status, self.expect = name, image, status, expect
        self.machine, self.append, self.smp, self.mem, self.cpu = machine, append, smp, mem, cpu
        self.extra, self.accels, self.absent = list(extra), accels, absent


def sin(name, status, *expect, **kw):
    return Case(f"sin {name}", "sins", status, *expect, append=name, absent=["unpunished"], **kw)


def cases(scratch):
    out = []
    for m in MACHINES:
        out.append(Case(f"hello {m}", "hello", OK, "argv.1. = 0\nargv.2. = two\n", "malloc works",
                        "sleep works", "year 20[2-9]", machine=m, append="0 two"))
        out.append(Case(f"threads {m}, 1 vCPU", "threads", OK, "lcores 1", "one more: Resource temp",
                        "after the seal: Resource temp", machine=m))
        if m != "microvm-noacpi":
            out.append(Case(f"threads {m}, 2 vCPUs", "threads", OK, "lcores 2",
                            "after the seal: Resource temp", machine=m, smp=2))
            out.append(Case(f"pci {m}", "pci", OK,
                            r"1af4:1041\n  virtio: bar \d+ bytes, queues 3, status 1 then 0",
                            machine=m, extra=NET))
    out += [
        *[Case(f"wake {m}", "wake", OK, "timer: halts", "beforehand: woken", "before the seal: 300 wakes in time",
               "after the seal: 300 wakes in time", machine=m, smp=2) for m in ("microvm", "q35", "q35-qboot")],
        Case("threads 8 vCPUs", "threads", OK, "lcores 8", "errors 0", smp=8, accels=("tcg",)),
        Case("threads 64 vCPUs", "threads", OK, "lcores 64", "errors 0", machine="q35-qboot", smp=64,
             append="1", accels=("tcg",)),
        Case("no devices without PCI", "pci", OK, "devices 0", machine="microvm-noacpi"),
        Case("pci behind a root port, qboot", "pci", OK, r"01:00.0 1af4:1041\n  virtio: bar .* then 0",
             machine="q35-qboot", extra=PORT),
        Case("pci behind a root port, SeaBIOS", "pci", OK, r"01:00.0 1af4:1041\n  virtio: bar .* then 0",
             machine="q35", extra=PORT),
        Case("threads 70 vCPUs", "threads", OK, "lcores 64", "more than 64 vCPUs", "errors 0",
             machine="q35", smp=70, append="1", accels=("tcg",)),
        Case("threads AMD", "threads", OK, "lcores 2", "errors 0", smp=2, cpu="EPYC", accels=("tcg",)),
        Case("pci behind five root ports", "pci", OK, *[f"0{n}:00.0 1af4:1041\n  virtio: bar .* then 0"
                                                        for n in range(1, 6)], machine="q35-qboot",
             extra=[a.replace("rp", f"rp{n}").replace("=1", f"={n}") for n in range(1, 6) for a in PORT]),
        Case("pci above 4 GiB of RAM", "pci", OK, "1af4:1041\n  virtio: bar .* then 0", machine="q35",
             mem="5G", extra=PORT + [a.format("5G") for a in SPARSE]),
        Case("command line too long", "hello", REFUSED, "at most 31 words", append="0 " * 32),
        Case("command line of 4,096 bytes", "hello", REFUSED, "at most 4,095 bytes", append="0" * 4096),
        Case("memory 32 MiB", "memory", OK, r"arena 2\d MiB", r"heap 1\d MiB", mem="32M"),
        Case("memory 32 MiB, 2 vCPUs", "threads", OK, "lcores 2", mem="32M", smp=2),
        Case("memory too small", "memory", REFUSED, "too little memory", mem="4M"),
        Case("a system call changes nothing else", "registers", OK, "registers kept"),
        Case("blob none", "blob", OK, "no blob"),
        Case("exit status", "hello", APP, "weir: exit status 5", append="5"),
        Case("entropy none", "hello", REFUSED, "no entropy", "entropy=weak", cpu="max,-rdrand,-rdseed",
             accels=("tcg",)),
        Case("entropy weak", "hello", OK, cpu="max,-rdrand,-rdseed", append="entropy=weak",
             accels=("tcg",), absent=["argv"]),
        Case("entropy rdrand alone", "hello", OK, cpu="max,-rdseed", accels=("tcg",)),
        Case("cpu under the floor", "hello", REFUSED, "this CPU lacks: .*avx2.*-cpu max", cpu="qemu64",
             accels=("tcg",)), # nested KVM shows ring 3 the host's CPUID
        Case("cpu without nx", "hello", REFUSED, "this CPU lacks: nx;", cpu="max,-nx", accels=("tcg",)),
        Case("cpu without smap, smep, umip", "hello", OK, cpu="max,-smap,-smep,-umip", accels=("tcg",)),
    ]
    for mem, machine, arena in (("3G", "microvm", "30.."), ("5G", "microvm", 3068), ("5G", "q35-qboot", 3072),
                                ("66G", "q35-qboot", 65536), ("66G", "microvm", 64512)):
        out.append(Case(f"memory {mem} {machine}", "memory", OK, f"arena {arena} MiB", "heap 128 MiB and more",
                        mem=mem, machine=machine, extra=[a.format(mem) for a in SPARSE],
                        accels=("tcg", "kvm") if mem != "66G" else ("tcg",)))
    out += blob_cases(scratch) + SINS
    return out


def checksum(data):
    s = 0
    for b in data:
        s = ((s << 1 | s >> 31) & 0xffffffff) ^ b
    return s


def blob_cases(scratch):
    """The same bytes as boot module and packed; a small odd one and 32 MiB."""
    import pack
    out = []
    for name, size, mem in (("small", 5001, "32M"), ("32 MiB", 32 << 20, "128M")):
        data = bytes(range(251)) * (size // 251 + 1)
        data = data[:size]
        raw, packed = os.path.join(scratch, f"{size}.bin"), os.path.join(scratch, f"{size}.elf")
        with open(raw, "wb") as f:
            f.write(data)
        with open(os.path.join(IMAGES, "boot-blob.elf"), "rb") as f:
            image = f.read()
        with open(packed, "wb") as f:
            f.write(pack.pack(image, data))
        want = f"blob {size} bytes, sum {checksum(data):08x}"
        for m in ("microvm", "q35", "q35-qboot"):
            out.append(Case(f"blob {name} packed {m}", packed, OK, want, mem=mem, machine=m))
            out.append(Case(f"blob {name} initrd {m}", "blob", OK, want, mem=mem, machine=m,
                            extra=["-initrd", raw]))
        out.append(Case(f"blob {name} packed, written to", packed, FAULT, want,
                        "writing .*not allowed: symbols or configuration blob", mem=mem, append="write"))
        out.append(Case(f"blob {name} initrd, written to", "blob", FAULT, want,
                        "writing .*not allowed: configuration blob", mem=mem, append="write",
                        extra=["-initrd", raw]))
    return out


SINS = [
    sin("write-text", FAULT, r"fault on lcore 0: writing 0x\w+, not allowed: text",
        r"backtrace:\n  0x\w+ write_to\+.*\n(  .*\n)*  0x\w+ main\+"),
    sin("write-rodata", FAULT, "writing .*not allowed: rodata"),
    sin("write-table", FAULT, "writing .*not allowed: page tables"),
    sin("write-table-alias", FAULT, "writing .*not mapped: nothing of ours"),
    sin("write-image-alias", FAULT, "writing .*not mapped: nothing of ours"),
    sin("write-trampoline", FAULT, "writing .*not mapped"),
    sin("write-monitor", FAULT, "writing .*not allowed: monitor"),
    sin("write-frame", FAULT, "writing .*not allowed"),
    sin("write-apic", FAULT, "writing .*not allowed"),
    sin("read-null", FAULT, "reading 0x0000000000000000, not mapped: page 0"),
    sin("read-low", FAULT, "reading .*not mapped"),
    sin("read-monitor", FAULT, "reading .*not allowed: monitor"),
    sin("read-kernel", FAULT, "reading .*not mapped: not a user address"),
    sin("execute-null", FAULT, "executing 0x0000000000000000, not mapped: page 0"),
    sin("execute-data", FAULT, "executing .*not allowed: data"),
    sin("execute-rodata", FAULT, "executing .*not allowed: rodata"),
    sin("execute-monitor", FAULT, "executing .*not allowed: monitor"),
    sin("execute-noncanonical", FAULT, "general protection|not a user address"),
    sin("execute-stack", FAULT, "executing .*not allowed: main stack"),
    sin("execute-arena", FAULT, "executing .*not allowed: arena or heap"),
    sin("execute-heap", FAULT, "executing .*not allowed: arena or heap"),
    sin("overflow-stack", FAULT, "writing .*not mapped: guard page of the main stack",
        r"recurse\S*\+.*\n.*recurse\S*\+"),
    sin("thread-overflow", FAULT, "fault on lcore 1: .*not mapped: guard page of a thread's stack", smp=2),
    sin("thread-null", FAULT, "fault on lcore 1: reading .*page 0", smp=2),
    sin("smash-canary", FAULT, "stack smashed", r"smash_canary\+|commit\+"),
    sin("trap", FAULT, "invalid opcode"),
    sin("privileged", FAULT, "general protection"),
    sin("read-gdt", FAULT, "general protection"),
    sin("interrupts-on", FAULT, "general protection"),
    sin("ask-monitor", OK, "setup -1, ipi -1, wake 0, unknown -1"),
    sin("abort", PANIC, r"panic: abort\(\) was called"),
    sin("deadlock", PANIC, "panic: deadlock"),
    sin("break-report", DOUBLE),
]


def command(case, accel):
    elf = case.image if "/" in case.image else os.path.join(IMAGES, f"boot-{case.image}.elf")
    cpu = case.cpu or ("max" if accel == "tcg" else "host")
    return [QEMU, "-accel", accel, "-cpu", cpu, *MACHINES[case.machine], "-m", case.mem,
            "-smp", str(case.smp), "-kernel", elf, "-append", case.append, "-nodefaults", "-display",
            "none", "-serial", "stdio", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
            *case.extra]


def boot(case, accel, timeout=60):
    """Status (None: did not end in time), console, seconds."""
    start = time.monotonic()
    try:
        r = subprocess.run(command(case, accel), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=timeout)
        status, text = r.returncode, r.stdout
        if status not in (OK, APP, FAULT, PANIC, REFUSED, DOUBLE):
            text += b"\n" + r.stderr
    except subprocess.TimeoutExpired as e:
        status, text = None, e.stdout or b""
    return status, text.decode(errors="replace"), time.monotonic() - start


def judge(case, status, text):
    wrong = []
    if status != case.status:
        wrong.append("no end in time" if status is None else f"status {status}, expected {case.status}")
    wrong += [f"not on the console: {e}" for e in case.expect if not re.search(e, text)]
    wrong += [f"on the console: {a}" for a in case.absent if re.search(a, text)]
    return wrong


def differs(accel):
    """Canary and arena address change from boot to boot."""
    seen = []
    for _ in range(2):
        _, text, _ = boot(Case("", "hello", OK), accel)
        m = re.search(r"canary (\w+) arena (\w+)", text)
        seen.append(m.groups() if m else ("", ""))
    return ["canary or arena address is the same in two boots: " + repr(seen)] if \
        seen[0][0] == seen[1][0] or seen[0][1] == seen[1][1] else []


def late_reader():
    """A reader that comes half a second late, after the pipe has filled up, still gets every line (TCG: a
    serial byte is an exit, which nested KVM makes slow)."""
    q = subprocess.Popen(command(Case("", "flood", OK), "tcg"), stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    time.sleep(0.5)
    try:
        text, _ = q.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        q.kill()
        return ["no end in time"]
    want = "".join(f"line {i:04}, thirty-two bytes long.\n" for i in range(5000))
    return [] if text == want else [f"{len(text)} bytes of {len(want)} arrived, or others"]


def with_monitor(commands, accel="tcg"):
    """Boots `idle`, waits until it is sealed, and types the commands into QEMU's monitor.
    Returns status, what the monitor said, the console."""
    with tempfile.TemporaryDirectory() as d:
        console = os.path.join(d, "console")
        cmd = command(Case("", "idle", OK), accel)
        cmd[cmd.index("-serial") + 1] = "file:" + console
        q = subprocess.Popen(cmd + ["-monitor", "stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True)
        end = time.monotonic() + 30
        while time.monotonic() < end and (not os.path.exists(console) or
                                          "sealed" not in open(console).read()):
            time.sleep(0.05)
        try:
            q.stdin.write(commands)
            q.stdin.flush()
            time.sleep(0.5)
            text, _ = q.communicate("quit\n", timeout=30)
        except subprocess.TimeoutExpired:
            q.kill()
            text, _ = q.communicate()
        except BrokenPipeError: # it has ended already
            text, _ = q.stdout.read(), q.wait()
        with open(console) as f:
            return q.returncode, text, f.read()


def nmi(accel):
    """The operator's way to ask a silent machine where it is."""
    status, _, text = with_monitor("nmi\n", accel)
    return [] if status == FAULT and re.search(r"fault on lcore 0: NMI.*\n(.*\n)*backtrace:", text) \
        else [f"status {status}, console: {text!r}"]


def protections():
    """What the sealed machine looks like from outside, by QEMU's monitor (TCG): control registers, and every
    mapping of the page tables: none writable and executable, ring 3 without page 0 and page tables."""
    _, text, console = with_monitor("info registers\ninfo tlb\n")
    table = int(re.search(r"tables (\w+)", console + "tables 0").group(1), 16)
    return wrong_protections(text, table)


def wrong_protections(text, table):
    wrong, regs = [], {}
    for name in ("CR0", "CR4", "EFER"):
        m = re.search(name + r"=([0-9a-f]+)", text)
        regs[name] = int(m.group(1), 16) if m else 0
    for name, reg, bit in (("WP", "CR0", 16), ("UMIP", "CR4", 11), ("SMEP", "CR4", 20),
                           ("SMAP", "CR4", 21), ("NXE", "EFER", 11)):
        if not regs[reg] >> bit & 1:
            wrong.append(f"{name} is off")
    # "0000000000201000: 0000000000201000 X--DA---W": X means no-execute, U ring 3, W writable.
    pages = re.findall(r"^([0-9a-f]{16}): ([0-9a-f]{16}) ([-XGPDACTUW]{9})", text, re.M)
    if len(pages) < 100:
        wrong.append(f"info tlb shows {len(pages)} mappings")
    writable = {int(pa, 16) for _, pa, f in pages if f[8] == "W"}
    for va, pa, f in pages:
        if f[8] == "W" and f[0] != "X":
            wrong.append(f"{va} is writable and executable: {f}")
        if f[0] != "X" and int(pa, 16) in writable:
            wrong.append(f"{va} is executable, and its page is writable elsewhere")
        if f[7] == "U" and (int(va, 16) < 0x200000 or int(pa, 16) == table):
            wrong.append(f"{va} is open to ring 3")
    if not any(int(pa, 16) == table for _, pa, _ in pages):
        wrong.append(f"the page tables at {table:#x} are not where they should be")
    return wrong


def report(name, wrong, text, seconds, verbose):
    print(f"{'FAIL' if wrong else 'ok  '} {name} ({seconds:.1f} s)", flush=True)
    for w in wrong:
        print(f"     {w}")
    if wrong or verbose:
        print("".join(f"     | {line}\n" for line in text.splitlines()), end="", flush=True)
    return bool(wrong)


def usable(accel):
    if not shutil.which(QEMU):
        return f"{QEMU} is not installed"
    if accel == "kvm":
        status, text, _ = boot(Case("", "hello", OK), "kvm")
        if status is None or "failed to initialize kvm" in text or "No such file" in text:
            return "/dev/kvm is missing or does not work"
    return None


def main():
    global IMAGES
    p = argparse.ArgumentParser()
    p.add_argument("--accel", choices=("tcg", "kvm"), default="tcg")
    p.add_argument("--images", required=True)
    p.add_argument("--only", default="")
    p.add_argument("-v", action="store_true")
    a = p.parse_args()
    IMAGES = a.images
    why = usable(a.accel)
    if why:
        print(f"SKIP: {why}", file=sys.stderr)
        return 77
    failed = ran = 0
    with tempfile.TemporaryDirectory() as scratch:
        for case in cases(scratch):
            if a.accel in case.accels and re.search(a.only, case.name):
                status, text, seconds = boot(case, a.accel)
                failed += report(case.name, judge(case, status, text), text, seconds, a.v)
                ran += 1
    if re.search(a.only, "random"):
        failed += report("random: canary and arena differ", differs(a.accel), "", 0, a.v)
        ran += 1
    if re.search(a.only, "nmi"):
        failed += report("nmi is reported", nmi(a.accel), "", 0, a.v)
        ran += 1
    if a.accel == "tcg" and re.search(a.only, "console"):
        failed += report("console: a late reader loses nothing", late_reader(), "", 0, a.v)
        ran += 1
    if a.accel == "tcg" and re.search(a.only, "protections"):
        failed += report("protections, seen from outside", protections(), "", 0, a.v)
        ran += 1
    print(f"{a.accel}: {ran} booted, {failed} failed")
    return 1 if failed else 0


IMAGES = ""
sys.exit(main())
