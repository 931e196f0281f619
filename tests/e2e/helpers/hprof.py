# SPDX-License-Identifier: Apache-2.0
"""Heap dumps without a JVM: structurally whole, of any size, made as fast as the disk takes them; and a reader that
says where a dump ends. For tests of bulk only: the main paths use what a real JVM wrote."""
import hashlib
import io
import random
import struct

HEADER = b"JAVA PROFILE 1.0.2\0" + struct.pack(">IQ", 8, 1763690165000)
UTF8, HEAP_DUMP_SEGMENT, HEAP_DUMP_END = 0x01, 0x1C, 0x2C
BYTE_ARRAY, TYPE_BYTE = 0x23, 8
SEGMENT = 1024 * 1024


def record(tag, body):
    return struct.pack(">BII", tag, 0, len(body)) + body


def byte_array(object_id, data):
    return struct.pack(">BQIIB", BYTE_ARRAY, object_id, 0, len(data), TYPE_BYTE) + data


def pieces(size, seed):
    """A whole dump of exactly size bytes (at least 200), as pieces; the same for the same seed. It compresses about
    three to one, and no two segments are the same."""
    rng = random.Random(seed)
    assert size >= 200
    yield HEADER
    name = record(UTF8, struct.pack(">Q", 1) + b"com/example/Cart")
    yield name
    left = size - len(HEADER) - len(name) - len(record(HEAP_DUMP_END, b""))
    text = b"".join(b"order-%08d customer=%s\n" % (rng.randrange(10**8), b"abcdefgh"[: rng.randrange(8)])
                    for _ in range(8 * 1024))
    object_id = 2
    overhead = len(record(HEAP_DUMP_SEGMENT, byte_array(0, b"")))
    while left:
        body = min(left, SEGMENT)
        if 0 < left - body < overhead:  # the rest must have room for a record's head
            body -= overhead
        noise = rng.randbytes(min(body - overhead, SEGMENT // 4))
        start = rng.randrange(len(text))
        data = noise + (text[start:] + text * 4)[: body - overhead - len(noise)]
        yield record(HEAP_DUMP_SEGMENT, byte_array(object_id, data))
        object_id += 1
        left -= body
    yield record(HEAP_DUMP_END, b"")


def make(size, seed):
    """The dump's bytes."""
    return b"".join(pieces(size, seed))


def write(path, size, seed):
    """Writes a dump in place, as a JVM does; returns its SHA-256."""
    digest = hashlib.sha256()
    with open(path, "xb", buffering=0) as out:
        for piece in pieces(size, seed):
            out.write(piece)
            digest.update(piece)
    return digest.hexdigest()


def problem(data):
    """Why a dump is not whole; None if it is."""
    stream = io.BytesIO(data)
    magic = stream.read(19)
    if magic not in (b"JAVA PROFILE 1.0.1\0", b"JAVA PROFILE 1.0.2\0") or len(stream.read(12)) != 12:
        return "no header"
    tag = None
    while True:
        head = stream.read(9)
        if not head:
            return None if tag == HEAP_DUMP_END else "no HEAP DUMP END"
        if len(head) < 9:
            return "ends inside a record's head"
        tag, _, length = struct.unpack(">BII", head)
        if stream.seek(length, io.SEEK_CUR) > len(data):
            return "ends inside a record of tag %#x" % tag
