#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Play a capture into a booted image over vhost-user and account for every packet.

Two processes: `weir boot` (the image under QEMU, the device under test) and `weir run` of function
patch (the player: a pcap port and a vhost-user port for each port of the image, packets out of the one
into the other). The system tests use play() too.
"""
import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CAPTURES = os.path.join(HERE, "..", "tests", "captures")
PORTS = ("wan", "lan")
WAIT = 120  # seconds: the most that anything here may take
# DPDK's vhost library sees a new listening socket only when its poll of the others times out, after a
# second. A back end that has been up for a while, as a switch has, does not make QEMU wait for that.
SETTLE = 1.2


class Failed(Exception):
    pass


def end(process, sig=signal.SIGINT, wait=20):
    """Ends a child politely, then for good; returns its standard output."""
    if process.poll() is None:
        process.send_signal(sig)
    try:
        return process.communicate(timeout=wait)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


def player_config(folder, captures, out):
    """A patch of capture and vhost-user ports; returns its path and the sockets by port."""
    sockets = {p: os.path.join(folder, p + ".sock") for p in captures}
    lines = ["version: 1", "function: patch", "ports:"]
    for i, (port, capture) in enumerate(captures.items()):
        lines.append(f'  cap-{port}: {{device: "pcap:{capture},{out[port]}"}}')
        lines.append(f'  vh-{port}: {{device: "dpdk:net_vhost{i},iface={sockets[port]},queues=1"}}')
    lines.append("patches:")
    for port in captures:
        lines.append(f"  - {{from: cap-{port}, to: vh-{port}}}")
        lines.append(f"  - {{from: vh-{port}, to: cap-{port}}}")
    path = os.path.join(folder, "player.yaml")
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
    return path, sockets


def wait_for_sockets(sockets, player, log):
    until = time.monotonic() + 30
    while not all(os.path.exists(s) for s in sockets.values()):
        if player.poll() is not None or time.monotonic() > until:
            raise Failed("the player did not open its sockets:\n" + open(log).read())
        time.sleep(0.005)
    time.sleep(SETTLE)


def play(weir, config, captures, out, boot_options=(), linger=2.0):
    """Boots config's image and plays captures (by port) into it, recording into out (by port).

    Returns (image's figures, player's figures); raises Failed with both logs otherwise.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="weir-"))
        path, sockets = player_config(folder, captures, out)
        logs = [os.path.join(folder, n) for n in ("player.log", "image.log")]
        player_log, image_log = (stack.enter_context(open(l, "w")) for l in logs)
        player = subprocess.Popen(
            [weir, "run", path, "--clock", "real", "--linger", str(linger), "--json"],
            stdout=subprocess.PIPE, stderr=player_log, text=True)
        stack.callback(end, player)
        wait_for_sockets(sockets, player, logs[0])
        vhost = [w for p in captures for w in ("--vhost", f"{p}={sockets[p]}")]
        image = subprocess.Popen([weir, "boot", config, *vhost, "--json", *boot_options],
                                 stdout=subprocess.PIPE, stderr=image_log, text=True)
        stack.callback(end, image)
        try:
            played = player.communicate(timeout=WAIT)[0] if wait_played(player, image) else ""
        except subprocess.TimeoutExpired:
            played = end(player)
        routed = end(image)
        logged = "".join(f"\n--- {os.path.basename(l)}\n{open(l).read()}" for l in logs)
        if player.returncode or image.returncode:
            raise Failed(f"player: exit {player.returncode}, image: exit {image.returncode}"
                         + logged)
        return json.loads(routed), json.loads(played)


def wait_played(player, image):
    """Until the player has ended; False when the image ended before it."""
    until = time.monotonic() + WAIT
    while player.poll() is None and time.monotonic() < until:
        if image.poll() is not None:
            return False
        time.sleep(0.02)
    return True


def losses(image, player):
    """What was lost between the two: a list of complaints."""
    wrong = []
    for port in PORTS:
        pairs = (("into", player["ports"]["vh-" + port]["tx"], image["ports"][port]["rx"]),
                 ("out of", image["ports"][port]["tx"], player["ports"]["vh-" + port]["rx"]))
        for way, sent, got in pairs:
            if sent["packets"] != got["packets"]:
                wrong.append(f"port {port}, {way} the image: {sent['packets']} packets sent, "
                             f"{got['packets']} received")
    for name, figures in (("image", image), ("player", player)):
        if not figures["accounting"]["balanced"]:
            wrong.append(f"the {name}'s books do not balance: {figures['accounting']}")
    return wrong


def phases(image):
    """Milliseconds from exec of QEMU to the first forwarded packet, by phase."""
    p = {k[:-3]: v / 1000 for k, v in image["boot"].items()}
    host_ready = p.pop("host_ready")
    p["qemu"] = host_ready - sum(p[k] for k in ("monitor", "libos", "ports", "function"))
    p["all"] = host_ready + p["first_packet"]
    # What the driver waited for its back ends is theirs.
    p["back_end"] = sum(q["counters"].get("start-back-end-us", 0)
                        for q in image["ports"].values()) / 1000
    p["ports"] -= p["back_end"]
    p["driver_ready"] = p["monitor"] + p["libos"] + p["ports"]
    return p


def show(image, player):
    boot = phases(image)
    memory = image["memory"]
    used = (memory["arena_bytes"] - memory["arena_free_bytes"]) / 2**20
    print(f"\nboot    QEMU {boot['qemu']:.1f} + monitor {boot['monitor']:.2f} + library OS "
          f"{boot['libos']:.2f} + drivers {boot['ports']:.2f} + their back ends "
          f"{boot['back_end']:.2f} + router {boot['function']:.2f} +\n        first packet forwarded "
          f"{boot['first_packet']:.2f} = {boot['all']:.1f} ms from exec of QEMU")
    print(f"image   {image['image']['bytes']:,} bytes with its configuration, "
          f"{image['image']['memory_mib']} MiB of memory, of which {used:.1f} hold "
          f"{memory['mbufs']} packet buffers\n")
    print(f"{'port':8}{'played':>10}{'received':>10}{'forwarded':>11}{'recorded':>10}")
    for port in PORTS:
        vh, at = player["ports"]["vh-" + port], image["ports"][port]
        print(f"{port:8}{vh['tx']['packets']:>10}{at['rx']['packets']:>10}"
              f"{at['tx']['packets']:>11}{vh['rx']['packets']:>10}")
    print(f"\n{'dropped':34}packets      {'node':18}packets  cycles/packet")
    drops = [(k.replace(".", ": ", 1), str(v)) for k, v in image.get("drops", {}).items()]
    nodes = [(k, str(v["packets"]), f"{v['cycles'] / v['packets']:.0f}")
             for k, v in image["nodes"].items() if v["packets"]]
    for i in range(max(len(drops), len(nodes))):
        d = drops[i] if i < len(drops) else ("", "")
        n = nodes[i] if i < len(nodes) else ("", "", "")
        print(f"{d[0]:34}{d[1]:>7}      {n[0]:18}{n[1]:>7}{n[2]:>15}".rstrip())
    a = image["accounting"]
    print(f"\nrx {a['rx']} + generated {a['generated']} = tx {a['tx']} + consumed {a['consumed']} "
          f"+ dropped {a['dropped']} + held {a['held']}: "
          f"{'balanced' if a['balanced'] else 'NOT BALANCED'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weir", required=True, help="the weir executable")
    parser.add_argument("--accel", default="auto", choices=("auto", "kvm", "tcg"))
    parser.add_argument("--machine", default="microvm", choices=("microvm", "q35"))
    parser.add_argument("--memory", default="32", help="MiB of the image's memory (default 32)")
    parser.add_argument("--out", default=None, help="keep the recorded captures in this folder")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="weir-") as scratch:
        folder = options.out or scratch
        os.makedirs(folder, exist_ok=True)
        captures = {p: os.path.join(CAPTURES, f"router-{p}.pcap") for p in PORTS}
        out = {p: os.path.join(folder, f"demo-{p}.pcap") for p in PORTS}
        print(f"demo: tests/captures/router-{{wan,lan}}.pcap through weir-router.elf on "
              f"{options.machine}, accelerator {options.accel}, over vhost-user", flush=True)
        try:
            image, player = play(options.weir, os.path.join(CAPTURES, "router-all.yaml"), captures,
                                 out, ("--accel", options.accel, "--machine", options.machine,
                                       "--memory", options.memory))
        except Failed as why:
            print(f"demo: {why}", file=sys.stderr)
            return 1
        show(image, player)
        wrong = losses(image, player)
        for line in wrong:
            print(f"LOST: {line}")
        if not wrong:
            print("every packet is accounted for: nothing was lost on the way in, through or out")
        if options.out:
            print("recorded: " + ", ".join(out.values()))
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
