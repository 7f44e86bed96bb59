#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""pcap_corpus.py - hundreds of captures, many malformed on purpose, through the hosted router

Usage: pcap_corpus.py [--plain] [--config FILE] [-v] WEIR [FOLDER]

Plays every file of FOLDER (default ../shared/data/pcap-tcpdump beside the project), and damaged copies
of the recorded capture, into port wan of corpus.yaml, a router of both families that gathers fragments, and asks of each:
- no report of the address, leak or undefined-behaviour sanitizer, no signal, an end within a minute;
- every packet accounted for (accounting.balanced), and as many packets and bytes received as libpcap
  itself reads from the file;
- exit code 0; but where libpcap refuses the file, stops in an error before its end, or the link type
  is not Ethernet, an exit code other than 0 and a message that names the file.

Most of these frames are for other stations, and end at eth-input. So each file that has packets is played
once more from a copy whose frames are all sent to the router's MAC address: the same questions, and no frame
may be dropped as not-our-mac.

WEIR must be built with -Db_sanitize=address,undefined; --plain lets any build do, to look at counts.
"""

import argparse
import concurrent.futures
import ctypes
import ctypes.util
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CONFIG = HERE / "corpus.yaml"
ROUTER_MAC = bytes.fromhex("020000000002")  # of port wan in CONFIG
DLT_EN10MB = 1
SKIP = 77
REPORTS = ("AddressSanitizer", "LeakSanitizer", "UndefinedBehaviorSanitizer", "runtime error:")


class Timeval(ctypes.Structure):
    _fields_ = [("sec", ctypes.c_long), ("usec", ctypes.c_long)]


class PacketHeader(ctypes.Structure):
    _fields_ = [("when", Timeval), ("caplen", ctypes.c_uint32), ("len", ctypes.c_uint32)]


class Peer:
    """What libpcap itself reads from a file; with `copy`, written there with the router's MAC address."""

    def __init__(self, lib, path, copy=None):
        error = ctypes.create_string_buffer(256)
        self.packets = self.octets = 0
        self.ethernet = True
        self.error = ""
        handle = lib.pcap_open_offline(os.fsencode(path), error)
        if not handle:
            self.error = error.value.decode(errors="replace")
            return
        self.ethernet = lib.pcap_datalink(handle) == DLT_EN10MB
        records = []
        header, data = ctypes.POINTER(PacketHeader)(), ctypes.POINTER(ctypes.c_ubyte)()
        while (got := lib.pcap_next_ex(handle, ctypes.byref(header), ctypes.byref(data))) == 1:
            self.packets += 1
            self.octets += header.contents.caplen
            if copy:
                records.append(readdressed(header.contents, data))
        if got == -1:
            self.error = lib.pcap_geterr(handle).decode(errors="replace")
        lib.pcap_close(handle)
        if copy and self.packets and self.ethernet:
            copy.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, DLT_EN10MB) + b"".join(records))


def readdressed(header, data):
    """The record of a classic capture file, its frame sent to the router; too short a frame stays as it is."""
    frame = ctypes.string_at(data, header.caplen)
    if len(frame) >= 6:
        frame = ROUTER_MAC + frame[6:]
    when = (header.when.sec & 0xFFFFFFFF, header.when.usec & 0xFFFFFFFF)
    return struct.pack("<IIII", *when, header.caplen, header.len) + frame


def damaged(folder):
    """Copies of the recorded capture that end too early, lie in a header, or are of another link type."""
    good = (HERE.parent / "captures" / "router-wan.pcap").read_bytes()
    second = 24 + 16 + int.from_bytes(good[32:36], "little")
    copies = {
        "empty": b"",
        "magic-cut": good[:3],
        "header-cut": good[:20],
        "header-only": good[:24],
        "wrong-magic": b"\xde\xad\xbe\xef" + good[4:],
        "record-header-cut": good[: second + 7],
        "record-cut": good[: second + 16 + 5],
        "last-byte-missing": good[:-1],
        "length-huge": good[: second + 8] + b"\xff\xff\xff\x7f" + good[second + 12 :],
        "length-negative": good[: second + 8] + b"\xff\xff\xff\xff" + good[second + 12 :],
        "link-type-raw-ip": good[:20] + b"\x65\0\0\0" + good[24:],
    }
    for name, octets in copies.items():
        (folder / f"{name}.pcap").write_bytes(octets)
    return [folder / f"{name}.pcap" for name in copies]


def load_libpcap():
    name = ctypes.util.find_library("pcap")
    if not name:
        return None
    lib = ctypes.CDLL(name)
    lib.pcap_open_offline.restype = ctypes.c_void_p
    lib.pcap_geterr.restype = ctypes.c_char_p
    lib.pcap_geterr.argtypes = lib.pcap_close.argtypes = lib.pcap_datalink.argtypes = [ctypes.c_void_p]
    lib.pcap_next_ex.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    return lib


def sanitized(weir):
    image = weir.read_bytes()
    return b"__asan_init" in image and b"__ubsan_handle" in image


def play(weir, config, path, folder):
    """Runs one capture; returns (exit code, stdout, stderr), exit code None when it did not end."""
    outs = [folder / f"{path.name}.{port}" for port in ("wan", "lan")]
    command = [weir, "run", config, "--clock", "capture", "--json",
               "--port", f"wan=pcap:{path},{outs[0]}", "--port", f"lan=pcap:,{outs[1]}"]
    env = dict(os.environ, ASAN_OPTIONS="exitcode=99", UBSAN_OPTIONS="print_stacktrace=1")
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, env=env)
    except subprocess.TimeoutExpired:
        return None, "", ""
    finally:
        for out in outs:
            out.unlink(missing_ok=True)
    return done.returncode, done.stdout, done.stderr


def count_faults(peer, stdout, ours):
    try:
        report = json.loads(stdout)
        accounting, received = report["accounting"], report["ports"]["wan"]["rx"]
        faults = [] if accounting["balanced"] else [f"not balanced: {accounting}"]
        if (received["packets"], received["bytes"]) != (peer.packets, peer.octets):
            faults.append(f"received {received}, libpcap reads {peer.packets} packets, {peer.octets} bytes")
        if ours and report["drops"].get("eth-input.not-our-mac"):
            faults.append("frames to the router's address were dropped as not-our-mac")
        if accounting["rx"] != received["packets"]:
            faults.append(f"port received {received['packets']}, accounting says {accounting['rx']}")
        return faults
    except (ValueError, KeyError, TypeError) as error:
        return [f"no usable JSON on standard output ({error!r})"]


def passed(stdout):
    """How many packets eth-input did not drop."""
    try:
        report = json.loads(stdout)
        drops = sum(n for name, n in report["drops"].items() if name.startswith("eth-input."))
        return report["accounting"]["rx"] - drops
    except (ValueError, KeyError, TypeError):
        return 0


def judge(path, peer, ours, code, stdout, stderr):
    """What is wrong with a run (ours: all frames are for the router): a list of sentences."""
    if code is None:
        return ["did not end within a minute"]
    if any(report in stderr for report in REPORTS):
        return ["sanitizer report:\n" + stderr[-4000:]]
    if code < 0:
        return [f"killed by signal {-code}"]
    refused = not peer.ethernet or (peer.error and not peer.packets)
    faults = []
    if refused or peer.error:
        if code == 0:
            faults.append(f"exit code 0, but libpcap says: {peer.error or 'not Ethernet'}")
        if str(path) not in stderr:
            faults.append(f"no message that names the file: {stderr.strip()[:300]!r}")
    elif code != 0:
        faults.append(f"exit code {code}: {stderr.strip()[:300]}")
    return faults if refused else faults + count_faults(peer, stdout, ours)


def readdress(lib, peers, folder):
    """Copies of all files that have packets, with the router's address; what libpcap reads from each."""
    copies = {}
    for path, peer in peers.items():
        if peer.packets and peer.ethernet:
            copy = folder / f"{path.name}.ours"
            Peer(lib, path, copy)
            copies[copy] = Peer(lib, copy)
    return copies


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weir", type=pathlib.Path)
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=ROOT.parent / "shared/data/pcap-tcpdump")
    parser.add_argument("--plain", action="store_true", help="accept a WEIR built without sanitizers")
    parser.add_argument("--config", type=pathlib.Path, default=CONFIG, help="with ports wan and lan")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for every file")
    options = parser.parse_args()
    lib = load_libpcap()
    if not options.folder.is_dir():
        print(f"SKIP: {options.folder} is not there")
        sys.exit(SKIP)
    if not lib:
        print("SKIP: no libpcap to count with")
        sys.exit(SKIP)
    if not options.plain and not sanitized(options.weir):
        print(f"FAIL: {options.weir} has no sanitizers: build with -Db_sanitize=address,undefined, or say --plain")
        sys.exit(1)
    bad = through = 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        files = sorted(path for path in options.folder.iterdir() if path.is_file())
        corpus = len(files)
        files += damaged(pathlib.Path(folder))
        peers = {path: Peer(lib, path) for path in files}
        ours = readdress(lib, peers, pathlib.Path(folder))
        played = files + list(ours)
        runs = pool.map(lambda path: play(options.weir, options.config, path, pathlib.Path(folder)), played)
        for path, run in zip(played, runs):
            peer = ours.get(path) or peers[path]
            faults = judge(path, peer, path in ours, *run)
            through += passed(run[1]) if path in ours else 0
            bad += bool(faults)
            if faults or options.verbose:
                ended = f", then: {peer.error}" if peer.error else ""
                print(f"{path.name}: libpcap reads {peer.packets}{ended}: {'; '.join(faults) or 'ok'}")
    if not through:
        print("no frame to the router's address got past eth-input")
        bad += 1
    broken = sum(bool(peer.error) for peer in peers.values())
    foreign = sum(not peer.ethernet for peer in peers.values())
    packets = sum(peer.packets for peer in peers.values())
    print(f"pcap_corpus: {corpus} files and {len(files) - corpus} damaged ones, {packets} packets, {broken} end in an error of libpcap, "
          f"{foreign} not Ethernet; {len(ours)} played again to the router's address, {through} frames got past eth-input; "
          f"{bad} files with faults")
    sys.exit(1 if bad or not corpus else 0)


if __name__ == "__main__":
    main()
