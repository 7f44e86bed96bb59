# SPDX-License-Identifier: BSD-3-Clause
# pack.py - put a blob into an image as core/x86_64/README.md says, independently of `weir pack`
import struct


def align(n, a):
    return (n + a - 1) & ~(a - 1)


def pack(image, blob):
    out = bytearray(image)
    phoff, = struct.unpack_from("<Q", out, 32)
    count, = struct.unpack_from("<H", out, 56)
    headers = [struct.unpack_from("<IIQQQQQQ", out, phoff + 56 * i) for i in range(count)]
    assert headers[-1][0] == 1 and headers[-1][6] == 0, "the last header is an empty PT_LOAD"
    at = out.index(b"WEIRBLOB")
    paddr = align(max(h[4] + h[6] for h in headers if h[0] == 1), 4096)
    offset = align(len(out), 16)
    out += bytes(offset - len(out)) + blob
    struct.pack_into("<IIQQQQQQ", out, phoff + 56 * (count - 1), 1, 4, offset, paddr, paddr, len(blob),
                     len(blob), 16)
    struct.pack_into("<QQ", out, at + 8, paddr, len(blob))
    return bytes(out)
