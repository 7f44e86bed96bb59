# SPDX-License-Identifier: BSD-3-Clause
# vlan_tap.py - a VLAN subinterface in user space: a TAP whose frames travel tagged on a parent interface
#
# Usage: vlan_tap.py PARENT NAME MAC TAG...     TAG is q:ID (802.1Q) or ad:ID (802.1ad), outermost first
#
# Kernels built without CONFIG_VLAN_8021Q cannot make `ip link ... type vlan`. This stands in for it in
# recordings: the host above the TAP is a real TCP/IP stack, the frames on PARENT are tagged on the wire.
# Runs until killed; prints "ready" once the TAP exists.

import fcntl
import os
import select
import socket
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
ETH_P_ALL = 0x0003
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_OUTGOING = 4
TP_STATUS_VLAN_VALID = 1 << 4
TP_STATUS_VLAN_TPID_VALID = 1 << 6
TPID = {"q": 0x8100, "ad": 0x88A8}


def parse_tags(words):
    tags = b""
    for word in words:
        kind, _, vid = word.partition(":")
        tags += struct.pack("!HH", TPID[kind], int(vid))
    return tags


def open_tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return fd


def open_parent(parent):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    sock.bind((parent, 0))
    return sock


def receive(sock):
    """One frame as it was on the wire: the kernel moves the outer tag to auxiliary data, put it back."""
    frame, aux, _, addr = sock.recvmsg(65535, 256)
    if addr[2] == PACKET_OUTGOING:
        return None
    for level, kind, data in aux:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, tpid = struct.unpack_from("=IIIHHHH", data)
            if status & TP_STATUS_VLAN_VALID:
                if not status & TP_STATUS_VLAN_TPID_VALID:
                    tpid = 0x8100
                return frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:]
    return frame


def main():
    parent, name, mac = sys.argv[1:4]
    tags = parse_tags(sys.argv[4:])
    tap = open_tap(name)
    sock = open_parent(parent)
    os.system(f"ip link set {name} address {mac} mtu {1500 - len(tags) + 4} up")
    print("ready", flush=True)
    while True:
        readable, _, _ = select.select([tap, sock], [], [])
        if tap in readable:
            frame = os.read(tap, 65535)
            sock.send(frame[:12] + tags + frame[12:])
        if sock in readable:
            frame = receive(sock)
            if frame and frame[12 : 12 + len(tags)] == tags:
                os.write(tap, frame[:12] + frame[12 + len(tags) :])


if __name__ == "__main__":
    main()
