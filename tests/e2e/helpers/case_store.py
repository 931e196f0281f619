# SPDX-License-Identifier: Apache-2.0
"""Folders full of cases, made without salvage: objects of a few bytes with true-looking manifests, quickly and many.

usage: case_store.py FOLDER COUNT
"""
import datetime
import json
import os
import pathlib
import sys

START = datetime.datetime(2026, 11, 1, tzinfo=datetime.timezone.utc)
NAMESPACES = ["shop", "bank", "mail", "search", "play"]
WORKLOADS = ["cart", "ledger", "orders", "web", "queue", "report", "mailer", "index"]
CAUSES = ["java-oom", "oom-kill", "signal", "pressure"]
KINDS = {"java-oom": ("heap-dump", "heap.hprof.zst", "java.lang.OutOfMemoryError: Java heap space"),
         "oom-kill": ("oom-kill", "oom-kill.json", "java was killed: 512 MiB of 512 MiB"),
         "signal": ("core", "core.zst", "SIGSEGV (11)"),
         "pressure": ("thread-dump", "threads.txt", "memory at 95%")}


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (at.microsecond // 1000)


def manifest(key, namespace, pod, at, cause="java-oom", number=0, size=1000, stored=10, **more):
    kind, _, detail = KINDS.get(cause, KINDS["java-oom"])
    made = {
        "schema": "salvage.manifest/1", "id": "%016x" % number, "key": key, "kind": kind, "cause": cause,
        "name": "java_pid%d.hprof" % (number % 30000), "path": "/dumps/java_pid%d.hprof" % (number % 30000),
        "size": size, "sha256": "%064x" % number, "codec": "zstd:1", "stored_size": stored,
        "stored_sha256": "%064x" % (number + 1), "verified": "read", "tool": "salvage 0.1.0",
        "where": {"place": "%s/%s" % (namespace, pod), "namespace": namespace, "pod": pod,
                  "container": "app", "node": "node-%d" % (number % 40),
                  "image": "registry.example/%s:1.%d" % (pod.split("-")[0], number % 50)},
        "process": {"pid": 1, "uid": 1000, "jvm": "OpenJDK 64-Bit Server VM 17.0.9+9",
                    "command": "java -Xmx512m -jar /app/%s.jar" % pod.split("-")[0]},
        "origin": {"detail": detail},
        "time": {"modified": stamp(at), "found": stamp(at), "settled": stamp(at), "shipped": stamp(at)},
    }
    made.update(more)
    return made


def put_case(root, namespace, pod, at, cause="java-oom", number=0, content=b"0123456789", **more):
    """One object with its manifest. Returns its key."""
    file = KINDS.get(cause, KINDS["java-oom"])[1]
    folder = "%s/%s/%s-%s-%016x" % (namespace, pod, at.strftime("%Y%m%dT%H%M%SZ"), cause, number)
    key = folder + "/" + file
    path = os.path.join(root, key)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(content)
    with open(path + ".json", "w", encoding="utf-8") as stream:
        json.dump(manifest(key, namespace, pod, at, cause, number, stored=len(content), **more), stream)
    os.utime(path, (at.timestamp(), at.timestamp()))
    os.utime(path + ".json", (at.timestamp(), at.timestamp()))
    return key


def pod_name(workload, number):
    letters = "bcdfghjklmnpqrstvwxz2456789"
    return "%s-%s-%s" % (workload, "".join(letters[number // 27 ** i % 27] for i in (7, 3, 5, 1, 4, 0, 2, 6, 1)),
                         "".join(letters[number // 27 ** i % 27] for i in range(5)))


def make(root, count):
    """Cases of forty workloads, one every 25 s; every 8th pod crashes in a loop of up to twenty cases."""
    root = pathlib.Path(root)
    for i in range(count):
        group = i // 20
        looping = group % 8 == 0
        namespace = NAMESPACES[group % 5] if looping else NAMESPACES[i % 5]
        workload = WORKLOADS[group % 8] if looping else WORKLOADS[i // 5 % 8] + str(i % 7)
        cause = CAUSES[group % 4] if looping else CAUSES[i % 4]
        at = START + datetime.timedelta(seconds=25 * i)
        put_case(root, namespace, pod_name(workload, group if looping else i), at, cause, i + 1)


if __name__ == "__main__":
    make(sys.argv[1], int(sys.argv[2]))
