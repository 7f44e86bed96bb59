#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# finish.py - turn a linked image into the file that boots: stripped, with a symbol table for backtraces
#
#   finish.py LINKED FINAL
#
# Copies the loadable segments and the PVH note without padding, appends the names of all functions as a
# read-only segment behind the image, says where in the WEIRSYMS descriptor, and leaves one empty PT_LOAD
# header for `weir pack` to fill with the configuration (README.md has that contract).
import struct
import sys

PT_LOAD, PT_NOTE = 1, 4
EHDR, PHDR, SHDR, SYM = "<16sHHIQQQIHHHHHH", "<IIQQQQQQ", "<IIQQQQIIQQ", "<IBBHQQ"
PAGE = 4096


def align(n, a):
    return (n + a - 1) & ~(a - 1)


def functions(elf, e):
    """Addresses and names of all functions, ascending, one name an address."""
    sections = [struct.unpack_from(SHDR, elf, e[6] + i * e[11]) for i in range(e[12])]
    found = {}
    for s in sections:
        if s[1] != 2:  # SHT_SYMTAB
            continue
        names = sections[s[6]][4]
        for off in range(s[4], s[4] + s[5], s[9]):
            name, info, _, shndx, value, _ = struct.unpack_from(SYM, elf, off)
            text = elf[names + name:elf.index(b"\0", names + name)]
            executable = 0 < shndx < len(sections) and sections[shndx][2] & 4
            if executable and text and (info & 15 == 2 or value < 0x201000):
                found.setdefault(value, text)
    return sorted(found.items())


def symbol_table(elf, e):
    syms = functions(elf, e)
    return (struct.pack("<I", len(syms)) + b"".join(struct.pack("<I", a) for a, _ in syms)
            + b"".join(n + b"\0" for _, n in syms))


def patch(elf, magic, paddr, length):
    at = elf.find(magic)
    if at < 0 or elf.find(magic, at + 1) >= 0:
        sys.exit(f"finish.py: {magic.decode()} must be in the image exactly once")
    struct.pack_into("<QQ", elf, at + 8, paddr, length)


def finish(elf):
    e = struct.unpack_from(EHDR, elf, 0)
    if e[0][:6] != b"\x7fELF\x02\x01" or e[2] != 62:
        sys.exit("finish.py: not an x86-64 ELF file")
    headers = [struct.unpack_from(PHDR, elf, e[5] + i * e[9]) for i in range(e[10])]
    loads = [h for h in headers if h[0] == PT_LOAD and h[6]]
    note = next(h for h in headers if h[0] == PT_NOTE)
    syms = symbol_table(elf, e)
    end = align(max(h[4] + h[6] for h in loads), PAGE)
    patch(elf, b"WEIRSYMS", end, len(syms))

    count = len(loads) + 3
    out = bytearray(64 + count * 56)
    new, note_at = [], None
    for _, flags, off, va, pa, filesz, memsz, _ in loads:
        out += bytes(align(len(out), 16) - len(out))
        if off <= note[2] < off + filesz:
            note_at = len(out) + note[2] - off
        new.append((PT_LOAD, flags, len(out), va, pa, filesz, memsz, 16))
        out += elf[off:off + filesz]
    out += bytes(align(len(out), 16) - len(out))
    new.append((PT_LOAD, 4, len(out), end, end, len(syms), len(syms), 16))
    out += syms
    new.insert(0, (PT_NOTE, 4, note_at, note[3], note[4], note[5], note[6], 4))
    blob = align(end + len(syms), PAGE)
    new.append((PT_LOAD, 4, len(out), blob, blob, 0, 0, 16))
    for i, h in enumerate(new):
        struct.pack_into(PHDR, out, 64 + i * 56, *h)
    struct.pack_into(EHDR, out, 0, e[0], 2, 62, 1, e[4], 64, 0, 0, 64, 56, count, 64, 0, 0)
    return out


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: finish.py LINKED FINAL")
    with open(sys.argv[1], "rb") as f:
        out = finish(bytearray(f.read()))
    with open(sys.argv[2], "wb") as f:
        f.write(out)


main()
