#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""weir doctor over made-up machines: every finding is seen to fire, and not to fire on a good one.

usage: doctor.py WEIR
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

WEIR = os.path.abspath(sys.argv[1])
FLAGS = ("fpu tsc constant_tsc nonstop_tsc vmx fma f16c movbe bmi1 bmi2 avx2 avx512f avx512bw avx512vl "
         "avx512dq")
CPU = "sys/devices/system/cpu/"
THP = "sys/kernel/mm/transparent_hugepage/"
QEMU = ["qemu-system-x86_64", "-accel", "kvm", "-netdev", "vhost-user,id=n0,chardev=c0,queues=2", "-chardev",
        "socket,id=c0,path=x.sock,reconnect=1", "-device",
        "virtio-net-pci,netdev=n0,mq=on,rx_queue_size=1024,tx_queue_size=1024"]
SMAPS = """7f0000000000-7f0010000000 rw-{} 00000000 00:01 99 /memfd:memory-backend-memfd (deleted)
Size:             262144 kB
Rss:              200000 kB
ShmemPmdMapped:   {} kB
7fff00000000-7fff00020000 rw-p 00000000 00:00 0 [stack]
Rss:                  20 kB
"""
LIMITS = """Limit                     Soft Limit           Hard Limit           Units
Max locked memory         {}           unlimited            bytes
Max open files            {}                 524288               files
"""
# A good machine, as files. None: no such file.
GOOD = {
    "proc/cpuinfo": f"processor\t: 0\nflags\t\t: {FLAGS}\n",
    "proc/self/status": "Name:\tweir\nCapEff:\t000001ffffffffff\nCpus_allowed_list:\t0-3\n",
    "proc/self/limits": LIMITS.format("unlimited", "1024"),
    "proc/stat": "cpu  1000 0 1000 90000 0 0 0 1 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n",
    "proc/meminfo": "MemTotal: 16000000 kB\nMemAvailable: 8000000 kB\nHugePages_Free:  512\nHugepagesize: 2048 kB\n",
    "proc/1/stat": "1 (init) S 0 1 1 0 -1 0" + " 0" * 29 + " 0 0 0 0\n",
    "proc/9/stat": "9 (a) b) R 0 1 1 0 -1 0" + " 0" * 29 + " 9 0 0 0\n",
    "proc/net/unix": "Num       RefCount Protocol Flags    Type St Inode Path\n",
    CPU + "isolated": "2-3\n",
    CPU + "nohz_full": "2-3\n",
    CPU + "cpu0/topology/thread_siblings_list": "0\n",
    CPU + "cpu1/topology/thread_siblings_list": "1\n",
    CPU + "cpu2/topology/thread_siblings_list": "2,6\n",
    CPU + "cpu0/cpufreq/scaling_governor": "performance\n",
    CPU + "intel_pstate/no_turbo": "1\n",
    "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
    "sys/devices/system/clocksource/clocksource0/available_clocksource": "tsc hpet acpi_pm\n",
    THP + "shmem_enabled": "always within_size advise [never] deny force\n",
    "sys/class/net/eth7/operstate": "up\n",
    "sys/class/net/tap7/operstate": "up\n",
    "sys/class/net/tap7/tun_flags": "0x5102\n",
    "dev/kvm": "",
    "dev/net/tun": "",
    "usr/bin/qemu-system-x86_64": "",
    "proc/77/comm": "qemu-system-x86\n",
    "proc/77/cmdline": "\0".join(QEMU) + "\0",
    "proc/77/smaps": SMAPS.format("s", 196608),
    "proc/77/task/77/status": "Cpus_allowed_list:\t0-3\n",
    "proc/77/task/78/status": "Cpus_allowed_list:\t2\n",
}
CONFIG = """version: 1
function: patch
ports:
  a: {device: "%s"}
  b: {device: "null"}
patches: [{from: a, to: b}]
"""


def machine(changes):
    """The good machine with some files changed, below ./root."""
    shutil.rmtree("root", ignore_errors=True)
    for name, text in {**GOOD, **changes}.items():
        if text is None:
            continue
        path = os.path.join("root", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)


def doctor(*args, status=None):
    r = subprocess.run([WEIR, "doctor", "--json", "--all", *args], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=60)
    assert r.returncode in ((0, 1) if status is None else (status,)), (args, r)
    return json.loads(r.stdout) if r.returncode < 2 else r.stderr


def of(findings, name):
    found = [f for f in findings if f["id"] == name]
    assert found, f"no finding {name} among {[f['id'] for f in findings]}"
    for f in found:
        assert set(f) == {"id", "severity", "found", "effect", "mend"}, f
        assert f["severity"] == "ok" or f["effect"], f
        assert f["severity"] in ("ok", "unchecked") or f["mend"], f
    return found[0]


fired = set()


def fires(name, changes, severity, *words, device=None, args=("--pid", "77"), more=""):
    """name is ok on the good machine and has that severity on the changed one; exit 1 for errors alone."""
    if device:
        with open("f.yaml", "w") as f:
            f.write(CONFIG % device + more)
        args = (*args, "f.yaml")
    machine(changes)
    findings = doctor("--root", "root", *args, status=1 if severity == "error" else 0)
    f = of(findings, name)
    text = " ".join((f["found"], f["effect"], f["mend"]))
    assert f["severity"] == severity, f
    for word in words:
        assert word in text, (word, f)
    fired.add(name)


def host():
    machine({})
    good = doctor("--root", "root", "--pid", "77", status=0)
    bad = [f for f in good if f["severity"] not in ("ok", "unchecked")]
    assert not bad, bad
    # What this cannot see it does not claim.
    assert {f["id"] for f in good if f["severity"] == "unchecked"} == {"host-noise", "qemu"}, good

    def flags(*without):
        return {"proc/cpuinfo": "flags\t: " + " ".join(w for w in FLAGS.split() if w not in without)}
    fires("cpu-features", flags("bmi2"), "error", "lacks bmi2", "-cpu host")
    fires("avx512", flags("avx512vl"), "note", "avx512vl")
    fires("tsc", flags("nonstop_tsc"), "warning", "stops", "invtsc")
    fires("tsc", flags("constant_tsc"), "warning", "frequency")
    one = GOOD["proc/self/status"].replace("0-3", "2")
    fires("cpus", {"proc/self/status": one}, "note", "CPUs 2: no more than the 1")
    fires("isolation", {CPU + "isolated": "\n"}, "note", "CPUs 0-3 is isolated", "isolcpus=")
    fires("isolation", {CPU + "nohz_full": None}, "note", "tick", "nohz_full=2-3")
    fires("isolation", {CPU + "isolated": None}, "unchecked")
    fires("smt", {CPU + "cpu2/topology/thread_siblings_list": "2-3\n"}, "note", "2-3 are threads of one core")
    fires("governor", {CPU + "cpu0/cpufreq/scaling_governor": "powersave\n"}, "warning", "powersave",
          "cpupower frequency-set -g performance")
    fires("governor", {CPU + "cpu0/cpufreq/scaling_governor": None}, "unchecked", "no cpufreq")
    fires("turbo", {CPU + "intel_pstate/no_turbo": "0\n"}, "note", "echo 1 >")
    fires("turbo", {CPU + "intel_pstate/no_turbo": None, CPU + "cpufreq/boost": "1\n"}, "note", "echo 0 >")
    fires("irqbalance", {"proc/55/stat": GOOD["proc/1/stat"].replace("init", "irqbalance")}, "warning",
          "IRQBALANCE_BANNED_CPULIST")
    fires("threads", {"proc/9/stat": GOOD["proc/9/stat"].replace(" 9 0 0 0", " 3 0 0 0")}, "note",
          "a) b (9) on CPU 3")
    fires("clock-source", {"sys/devices/system/clocksource/clocksource0/current_clocksource": "hpet\n"},
          "warning", "by hpet", "tsc=reliable")
    fires("steal", {"proc/stat": "cpu  1000 0 1000 90000 0 0 0 50 0 0\n"}, "warning", "2.4%", "vcpupin")
    fires("nested", {"sys/module/kvm_pvm/refcnt": "0"}, "warning", "kvm_pvm", "microvm")
    fires("nested", {"proc/cpuinfo": f"flags\t: {FLAGS} hypervisor"}, "note", "nested")
    fires("kvm", {"dev/kvm": None}, "note", "is not there", "modprobe")
    fires("qemu", {"usr/bin/qemu-system-x86_64": None}, "note", "apt-get install qemu-system-x86")
    none_free = {"proc/meminfo": GOOD["proc/meminfo"].replace("512", "0")}
    fires("hugepages", none_free, "note", "shmem_enabled: never", "nr_hugepages")
    fires("hugepages", {**none_free, THP + "shmem_enabled": "always [advise] never"}, "ok", "advise")
    fires("memory", {"proc/meminfo": "MemAvailable: 100000 kB\n"}, "error", "97 MiB are available")


def guest():
    fires("accelerator", {"proc/77/cmdline": "\0".join(QEMU).replace("kvm", "tcg")}, "warning", "-accel kvm")
    fires("shared-memory", {"proc/77/smaps": SMAPS.format("p", 196608)}, "error", "256 MiB are private",
          "share=on")
    # Private memory harms nobody where no back end wants it.
    fires("shared-memory", {"proc/77/smaps": SMAPS.format("p", 196608),
                            "proc/77/cmdline": "\0".join(QEMU).replace("vhost-user", "user")}, "ok")
    fires("guest-hugepages", {"proc/77/smaps": SMAPS.format("s", 2048)}, "note", "2 of the 195 MiB")
    fires("guest-memory", {"proc/77/smaps": None}, "unchecked", "smaps may not be read")
    fires("mq", {"proc/77/cmdline": "\0".join(QEMU).replace("mq=on,", "")}, "warning", "mq=on,vectors=6")
    fires("ring-size", {"proc/77/cmdline": "\0".join(QEMU).replace("rx_queue_size=1024,", "")}, "note",
          "256 and 1024")
    fires("mrg-rxbuf", {"proc/77/cmdline": "\0".join(QEMU) + ",mrg_rxbuf=off"}, "note", "jumbo")
    fires("reconnect", {"proc/77/cmdline": "\0".join(QEMU).replace(",reconnect=1", "")}, "note", "reconnect=1")
    fires("pinning", {"proc/77/task/78/status": GOOD["proc/77/task/77/status"]}, "note", "none of QEMU's 2",
          "taskset -cp")
    fires("pid", {"proc/77/comm": "bash\n"}, "error", "is bash")
    fires("pid", {}, "error", "no process 78", args=("--pid", "78"))


def ports():
    no_caps = GOOD["proc/self/status"].replace("000001ffffffffff", "0000000000000000")
    for device in ("pcap:live=eth7", "packet:eth7", "xdp:eth7"):
        if device.split(":")[0] in drivers():
            fires("interface", {}, "ok", device=device)
            fires("interface", {"sys/class/net/eth7/operstate": None}, "error", "no interface eth7", device=device)
            fires("interface", {"sys/class/net/eth7/operstate": "down\n"}, "warning", "ip link set eth7 up",
                  device=device)
            fires("capability", {"proc/self/status": no_caps}, "error", "cap_net_raw+ep", device=device)
    if "tap" in drivers():
        fires("tun", {}, "ok", device="tap:tap7")
        fires("tun", {"dev/net/tun": None}, "error", "modprobe tun", device="tap:tap7")
        fires("capability", {"proc/self/status": no_caps}, "error", "cap_net_admin+ep", device="tap:tap7")
    more = {"proc/self/status": GOOD["proc/self/status"].replace("0-3", "0-2")}
    fires("cpus", more, "error", "lcores: 4", "taskset -c 0-3", device="null", more="lcores: 4\n")
    fires("cpus", more, "warning", "vCPUs", device="virtio:0", more="lcores: 4\n")
    fires("queues", {"sys/class/net/tap7/tun_flags": "0x5002\n"}, "warning", "multi_queue", device="tap:tap7",
          more="lcores: 2\n")
    fires("limits", {"proc/self/limits": LIMITS.format("unlimited", "16")}, "error", "16 files may be open",
          "ulimit -n", device="null")
    fires("memlock", {"proc/self/limits": LIMITS.format("8388608", "1024")}, "error", "8192 KiB may be locked",
          device="dpdk:0000:03:00.0")
    fires("pci-device", {}, "error", "no PCI device 0000:03:00.0", device="dpdk:0000:03:00.0")
    fires("kvm", {"dev/kvm": None}, "warning", device="virtio:0")
    fires("qemu", {"usr/bin/qemu-system-x86_64": None}, "error", device="virtio:0")


def drivers():
    """The drivers this build has, as the message of a wrong one lists them."""
    with open("wrong.yaml", "w") as f:
        f.write(CONFIG % "wrong:")
    r = subprocess.run([WEIR, "check", "wrong.yaml"], stderr=subprocess.PIPE, text=True)
    return r.stderr.split("a driver of ")[1].strip().split(", ")


def write(device, more=""):
    with open("f.yaml", "w") as f:
        f.write(CONFIG % device + more)


def live():
    """This very machine: sockets, captures, and that nothing is claimed of others."""
    probe = ("--probe", "20")
    write("dpdk:net_vhost0,iface=here.sock,client=1")
    assert "No such file" in of(doctor(*probe, "f.yaml", status=1), "vhost-socket")["found"]
    with socket.socket(socket.AF_UNIX) as s:
        s.bind("here.sock")
        f = of(doctor(*probe, "f.yaml", status=1), "vhost-socket")
        assert f["severity"] == "error" and "Connection refused" in f["found"], f
        s.listen()
        assert of(doctor(*probe, "f.yaml"), "vhost-socket")["severity"] == "ok"
        s.setblocking(False)
        try:
            s.accept()
            assert False, "the doctor disturbed a back end"
        except BlockingIOError:
            pass
    os.remove("here.sock")
    write("dpdk:net_vhost0,iface=nowhere/x.sock")
    assert "nowhere: No such file" in of(doctor(*probe, "f.yaml", status=1), "vhost-socket")["found"]
    write("dpdk:net_vhost0,iface=x.sock")
    assert of(doctor(*probe, "f.yaml"), "vhost-socket")["severity"] == "ok"
    write("pcap:none.pcap,")
    assert "none.pcap: No such file" in of(doctor(*probe, "f.yaml", status=1), "capture")["found"]
    write("pcap:,nowhere/out.pcap")
    assert "nowhere/out.pcap: No such file" in of(doctor(*probe, "f.yaml", status=1), "capture")["found"]
    write("pcap:f.yaml,out.pcap")
    assert of(doctor(*probe, "f.yaml"), "capture")["severity"] == "ok"
    write("null", "mbufs: 200000\n")
    f = of(doctor(*probe, "f.yaml", status=1), "arena")
    size = f["mend"].split()[-1]
    # What it says is what mends it.
    run = [WEIR, "run", "f.yaml", "--port", "a=pcap:,x.pcap", "--port", "b=pcap:,y.pcap", "--linger", "0"]
    assert subprocess.run(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 1
    r = subprocess.run([*run, "--memory", size], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert r.returncode == 0, r
    findings = doctor("--noise", "--probe", "20", status=0)
    assert {f["id"] for f in findings} == {"host-noise"} and len(findings) == len(os.sched_getaffinity(0))
    fired.update(("vhost-socket", "capture", "arena", "host-noise"))
    write("null", "what: 1\n")
    assert "what: unknown key" in doctor("f.yaml", status=2)
    assert "a process's number" in doctor("--pid", "x", status=2)
    r = subprocess.run([WEIR, "doctor", "--probe", "20"], stdout=subprocess.PIPE, text=True)
    assert r.returncode == 0 and "not checked" in r.stdout and "(--all shows them)" in r.stdout, r
    pid = str(os.getpid())
    assert "is python" in of(doctor(*probe, "--pid", pid, status=1), "pid")["found"]


def main():
    with tempfile.TemporaryDirectory(prefix="weir-doctor-") as folder:
        os.chdir(folder)
        host()
        guest()
        ports()
        live()
    print(f"{len(fired)} findings were seen to fire where they should, and not on a good machine")


main()
