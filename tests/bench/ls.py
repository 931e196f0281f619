#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long `salvage ls` takes for many cases on a file server that waits before every answer, and how much memory.

usage: ls.py [CASES [SECONDS]]    default: 5000 cases, 0.04 s for each answer
"""
import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from helpers.program import BIN
from helpers.slow_server import SlowServer

MANIFEST = {"schema": "salvage.manifest/1", "kind": "heap-dump", "cause": "java-oom", "name": "app.hprof", "size": 1,
            "sha256": "0" * 64, "codec": "none", "stored_size": 1, "stored_sha256": "0" * 64}


def tree(count):
    files = {}
    for n in range(count):
        key = "shop/cart-%d/20261121T%02d%02d%02dZ-java-oom-%016x/heap.hprof" % (n, n // 3600, n // 60 % 60, n % 60, n)
        files[key] = b"x"
        files[key + ".json"] = json.dumps({**MANIFEST, "id": "%016x" % n, "key": key, "where": {"place": "shop/cart-%d" % n}})
        files[key + ".json"] = files[key + ".json"].encode()
    return files


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    delay = float(sys.argv[2]) if len(sys.argv) > 2 else 0.04
    with SlowServer(tree(count), delay) as url:
        begun = time.monotonic()
        p = subprocess.Popen([BIN, "ls", url, "-n", "0"], stdout=subprocess.PIPE)
        lines = p.stdout.read().count(b"\n")
        _, status, usage = os.wait4(p.pid, 0)
        took = time.monotonic() - begun
    assert status == 0 and lines == count + 1, (status, lines)
    print("ls of %d cases, %.0f ms for each answer: %.1f s, %d MiB" % (count, delay * 1000, took, usage.ru_maxrss >> 10))


main()
