#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A packed image boots by itself, and refuses a configuration that was changed, by name.

usage: packed_image.py WEIR
"""
import os
import re
import subprocess
import sys
import tempfile

WEIR = os.path.abspath(sys.argv[1])
IMAGES = os.path.dirname(WEIR)
GOOD, APP = 33, 35  # core/x86_64/README.md
PATCH = """version: 1
function: patch
ports:
  a: {device: "null:rx=64"}
  b: {device: "null"}
patches: [{from: a, to: b}]
"""
ROUTER = """version: 1
function: router
ports:
  wan: {device: "virtio:0", addresses: [192.0.2.1/24]}
"""
failures = []


def boot(kernel, *extra):
    """QEMU's exit status and what the console said; an image that gets ready is told to stop."""
    q = subprocess.Popen(
        ["timeout", "60", "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-M",
         "microvm,pcie=on,isa-serial=on", "-m", "64", "-kernel", kernel, *extra, "-nodefaults",
         "-display", "none", "-serial", "stdio", "-no-reboot", "-device",
         "isa-debug-exit,iobase=0xf4,iosize=4"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", bufsize=1)
    said = ""
    for line in q.stdout:
        said += line
        if line.startswith("weir: ready"):
            q.stdin.write("q\n")
    q.stdin.close()
    return q.wait(), said


def expect(what, result, status, pattern):
    if result[0] != status or not re.search(pattern, result[1]):
        failures.append(f"{what}: status {result[0]}, expected {status}; the console has no "
                        f"{pattern!r}:\n{result[1]}")


def changed(data, at, name):
    copy = bytearray(data)
    copy[at] ^= 0x10
    with open(name, "wb") as f:
        f.write(copy)
    return name


def main():
    if subprocess.run(["which", "qemu-system-x86_64"], stdout=subprocess.DEVNULL).returncode:
        print("SKIP: qemu-system-x86_64 is not installed")
        return 77
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        os.chdir(folder)
        for name, text in (("patch", PATCH), ("router", ROUTER)):
            with open(name + ".yaml", "w") as f:
                f.write(text)
            subprocess.run([WEIR, "pack", name + ".yaml", "-o", name + ".elf"], check=True,
                           stdout=subprocess.DEVNULL)
        with open("patch.elf", "rb") as f:
            image = f.read()
        start = image.rindex(b"WEIRCONF")
        expect("packed", boot("patch.elf"), GOOD, r"stat accounting.balanced 1\r?\n")
        for at, why in ((0, "does not begin with WEIRCONF"), (8, "version"), (12, "checksum|bytes long"),
                        (16, "checksum is"), (24, "checksum is"), (60, "checksum is"),
                        (len(image) - start - 1, "checksum is")):
            expect(f"byte {at} of the configuration changed",
                   boot(changed(image, start + at, "changed.elf")), APP,
                   f"weir: configuration blob: .*({why})")
        expect("no configuration", boot(os.path.join(IMAGES, "weir-patch.elf")), APP,
               "weir: no configuration: pack one")
        with open("router.elf", "rb") as f:
            blob = f.read()
        with open("router.blob", "wb") as f:
            f.write(blob[blob.rindex(b"WEIRCONF"):])
        expect("another function's configuration",
               boot(os.path.join(IMAGES, "weir-patch.elf"), "-initrd", "router.blob"), APP,
               "weir: function router is not in this image: it has patch")
        expect("a device that is not there", boot("router.elf"), APP, "weir: .*virtio:0: the machine has 0 virtio-net")
        os.chdir("/")
    for line in failures:
        print(line)
    print(f"packed images: {'wrong' if failures else 'boot, and refuse what was changed'}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
