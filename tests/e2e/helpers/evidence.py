# SPDX-License-Identifier: Apache-2.0
"""Small pieces of evidence, put where a watch sees them."""
import hashlib
import os

from helpers import hprof

# How each sort of evidence begins, under a name that it usually has.
HEADS = {
    "app.hprof": b"JAVA PROFILE 1.0.2\0",
    "heapdump.1.phd": b"\0\x12portable heap dump\0\0\0\6",
    "core": b"\x7fELF\2\1\1" + bytes(9) + b"\4\0\x3e\0",
    "core.4711": b"\x7fELF\1\2\1" + bytes(9) + b"\0\4\0\x14",
    "hs_err_pid17.log": b"#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n",
    "javacore.20261121.txt": b"0SECTION       TITLE subcomponent dump routine\nNULL           ====================\n",
    "rec.jfr": b"FLR\0\0\2\0\1" + (68).to_bytes(8, "big") + bytes(52),
    "Heap.1.heapsnapshot": b'{"snapshot":{"meta":{"node_fields":[]',
}

_next_seed = iter(range(10**6, 10**9))


def drop(folder, name="app.hprof", size=100_000, seed=None):
    """Writes a small whole dump in place, as a JVM would; returns its SHA-256. name: str or bytes."""
    if isinstance(name, bytes):
        path = os.path.join(os.fsencode(str(folder)), name)
    else:
        path = os.path.join(str(folder), name)
    return hprof.write(path, size, next(_next_seed) if seed is None else seed)


def put(folder, name, data):
    """Writes any bytes; returns their SHA-256."""
    with open(os.path.join(str(folder), name), "xb") as out:
        out.write(data)
    return hashlib.sha256(data).hexdigest()


def left_in(folder):
    """What lies in a watched folder, but for the watch's own state."""
    return sorted(name for name in os.listdir(folder) if name != ".salvage")


def spool_of(folder):
    """Claims that are written down in a folder's state."""
    spool = os.path.join(str(folder), ".salvage", "spool")
    return sorted(os.listdir(spool)) if os.path.isdir(spool) else []
