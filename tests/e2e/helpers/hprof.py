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


# Sub-records of a heap dump segment that are roots: what follows the object's id.
ROOTS = {0xFF: 0, 0x01: "id", 0x02: 8, 0x03: 8, 0x04: 4, 0x05: 0, 0x06: 4, 0x07: 0, 0x08: 8}
CLASS_DUMP, INSTANCE, OBJECT_ARRAY = 0x20, 0x21, 0x22
SIZES = {4: 1, 5: 2, 6: 4, 7: 8, 8: 1, 9: 2, 10: 4, 11: 8}


class Counter:
    """Classes of a dump, and how many instances there are of each."""

    def __init__(self, data):
        self.data = data
        self.size = struct.unpack_from(">I", data, 19)[0]
        self.sizes = {**SIZES, 2: self.size}
        self.texts, self.classes, self.counts = {}, {}, {}
        for tag, at, length in self._records():
            if tag == UTF8:
                self.texts[self._id(at)] = data[at + self.size: at + length]
            elif tag == 0x02:
                self.classes[self._id(at + 4)] = self._id(at + 8 + self.size)
        for tag, at, length in self._records():
            if tag in (0x0C, HEAP_DUMP_SEGMENT):
                self._segment(at, at + length)

    def _records(self):
        at = 31
        while at + 9 <= len(self.data):
            tag, _, length = struct.unpack_from(">BII", self.data, at)
            yield tag, at + 9, length
            at += 9 + length

    def _id(self, at):
        return int.from_bytes(self.data[at: at + self.size], "big")

    def _number(self, at, size):
        return int.from_bytes(self.data[at: at + size], "big")

    def _count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def _class_dump(self, at):
        self._count(("class", self._id(at)))
        at += 7 * self.size + 8
        entries = self._number(at, 2)
        at += 2
        for _ in range(entries):  # constant pool
            at += 3 + self.sizes[self.data[at + 2]]
        entries = self._number(at, 2)
        at += 2
        for _ in range(entries):  # static fields
            at += self.size + 1 + self.sizes[self.data[at + self.size]]
        return at + 2 + self._number(at, 2) * (self.size + 1)

    def _segment(self, at, end):
        size = self.size
        while at < end:
            tag = self.data[at]
            at += 1
            if tag in ROOTS:
                at += size + (size if ROOTS[tag] == "id" else ROOTS[tag])
            elif tag == CLASS_DUMP:
                at = self._class_dump(at)
            elif tag == INSTANCE:
                self._count(self._id(at + size + 4))
                at += 2 * size + 8 + self._number(at + 2 * size + 4, 4)
            elif tag == OBJECT_ARRAY:
                self._count(self._id(at + size + 8))
                at += 2 * size + 8 + self._number(at + size + 4, 4) * size
            elif tag == BYTE_ARRAY:
                kind = self.data[at + size + 8]
                self._count("array of %d" % kind)
                at += size + 9 + self._number(at + size + 4, 4) * SIZES[kind]
            else:
                raise AssertionError("unknown tag %#x at %d" % (tag, at - 1))
        assert at == end


def instances(data):
    """{name: number of instances}; a class counts as one of "class NAME"."""
    c, found = Counter(data), {}
    for what, count in c.counts.items():
        if isinstance(what, tuple):
            name = "class " + c.texts[c.classes[what[1]]].decode()
        else:
            name = what if isinstance(what, str) else c.texts[c.classes[what]].decode()
        found[name] = found.get(name, 0) + count
    return found
