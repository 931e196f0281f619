# SPDX-License-Identifier: Apache-2.0
"""zstd's seekable format, read as its specification says (contrib/seekable_format/zstd_seekable_compression_format.md,
0.1.0), independently of the program."""
import struct

FOOTER = struct.Struct("<IBI")
HEAD = struct.Struct("<II")
SKIPPABLE_MAGIC, SEEKABLE_MAGIC = 0x184D2A5E, 0x8F92EAB1


def read_table(read_at, size):
    """read_at(first, last) -> bytes of the object, size bytes long, last included. Returns [(offset, stored, raw)]."""
    count, descriptor, magic = FOOTER.unpack(read_at(size - FOOTER.size, size - 1))
    assert magic == SEEKABLE_MAGIC
    assert descriptor & 0x7F == 0, "reserved bits"
    entry = 12 if descriptor & 0x80 else 8
    table = HEAD.size + count * entry + FOOTER.size
    data = read_at(size - table, size - 1)
    magic, length = HEAD.unpack_from(data)
    assert magic == SKIPPABLE_MAGIC and length == table - HEAD.size
    frames = []
    offset = 0
    for n in range(count):
        stored, raw = struct.unpack_from("<II", data, HEAD.size + n * entry)
        frames.append((offset, stored, raw))
        offset += stored
    assert offset == size - table, "the frames fill the object up to the table"
    return frames
