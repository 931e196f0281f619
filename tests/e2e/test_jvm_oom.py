# SPDX-License-Identifier: Apache-2.0
"""The main path, with real JVMs: out of memory, dumped, shipped, gone from the disk."""
import os
import re
import signal
import threading
import time

import pytest

from helpers import hprof, jvm
from helpers.evidence import left_in, spool_of
from helpers.proc import wait_for


def dumped_bytes(said):
    return int(re.search(r"Heap dump file created \[(\d+) bytes", said).group(1))


def the_only(store):
    (key, manifest), = store.manifests()
    evidence = store.check(key, manifest)
    assert sorted(store.keys()) == sorted([key, key + ".json", os.path.dirname(key) + "/digest.json"])
    assert store.unfinished() == []
    return key, manifest, evidence


def test_a_dump_goes_from_a_dying_jvm_into_the_store(salvage, dumps, store, any_jvm):
    watch = salvage.watch(dumps, *store.options(), env=store.env)
    watch.wait("started")
    said = any_jvm.die(dumps / "app.hprof")
    event = watch.wait("shipped")
    assert watch.stop() == 0

    key, manifest, evidence = the_only(store)
    assert len(evidence) == manifest["size"] == dumped_bytes(said)
    assert hprof.problem(evidence) is None
    assert (manifest["kind"], manifest["cause"], manifest["name"]) == ("heap-dump", "java-oom", "app.hprof")
    assert not manifest.get("partial")
    assert re.fullmatch(r"host/[^/]+/\d{8}T\d{6}Z-java-oom-[0-9a-f]{16}/heap\.hprof\.zst", key)
    assert (event["key"], event["bytes"], event["stored"]) == (key, manifest["size"], manifest["stored_size"])
    assert manifest["stored_size"] < manifest["size"] / 2
    assert left_in(dumps) == [] and spool_of(dumps) == []


@pytest.mark.parametrize("what", ["strings", "arrays"])
def test_whatever_filled_the_heap(salvage, dumps, folder, jvm_17, what):
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("started")
    said = jvm_17.die(dumps / "app.hprof", what)
    watch.wait("shipped")
    assert watch.stop() == 0
    _, _, evidence = the_only(folder)
    assert len(evidence) == dumped_bytes(said) and hprof.problem(evidence) is None


def test_the_second_oom_at_a_fixed_path_is_saved_too(salvage, dumps, s3, any_jvm):
    """HotSpot creates its dump with O_EXCL: a second one is lost while the first lies there."""
    watch = salvage.watch(dumps, *s3.options(), env=s3.env)
    watch.wait("started")
    sizes = [dumped_bytes(any_jvm.die(dumps / "fixed.hprof", what)) for what in ("records", "strings")]
    watch.wait("shipped", 2)
    assert watch.stop() == 0
    found = s3.check_all([m["sha256"] for _, m in s3.manifests()])
    assert sorted(m["size"] for m in found.values()) == sorted(sizes)
    assert {m["name"] for m in found.values()} == {"fixed.hprof"}
    assert len({m["id"] for m in found.values()}) == 2


def test_an_application_that_survives_its_oom_is_left_alone(salvage, dumps, folder, jvm_17):
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("started")
    for run in (1, 2):
        application = jvm_17.start(dumps / "fixed.hprof", "LoopOom")
        watch.wait("shipped", run)
        assert application.poll() is None, "the application has ended"
        out, _ = application.communicate(b"", timeout=60)
        assert application.returncode == 0 and b"caught 1" in out and b"caught 2" in out
    assert watch.stop() == 0
    assert len(folder.manifests()) == 2


@pytest.mark.jdk_25
@pytest.mark.parametrize("jdk", jvm.JDKS_25 or [jvm.JDK_17], ids=jvm.name)
def test_segments_of_newer_jdks_are_no_evidence(salvage, dumps, folder, java_classes, jdk):
    """JDK 22 and newer write NAME.p0, NAME.p1 and so on, close each, and then merge them into NAME."""
    names = set()
    done = threading.Event()

    def look():
        while not done.is_set():
            names.update(os.listdir(dumps))

    looking = threading.Thread(target=look)
    looking.start()
    watch = salvage.watch(dumps, *folder.options(), "--include", "*")
    watch.wait("started")
    said = jvm.Jvm(java_classes, jdk).die(dumps / "app.hprof",
                                          options=["-XX:ActiveProcessorCount=8", "-XX:+UseParallelGC"])
    watch.wait("shipped")
    done.set()
    looking.join()
    assert watch.stop() == 0
    assert any(re.fullmatch(r"app\.hprof\.p\d+", name) for name in names), "this JVM wrote no segments"
    _, manifest, evidence = the_only(folder)
    assert manifest["name"] == "app.hprof" and not manifest.get("partial")
    assert len(evidence) == dumped_bytes(said) and hprof.problem(evidence) is None
    assert ".p0" not in watch.log


def test_a_jvm_that_is_killed_while_dumping_leaves_a_partial_dump(salvage, dumps, folder, java_classes, any_jvm):
    big = jvm.Jvm(java_classes, any_jvm.jdk, heap="200m")
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("started")
    dying = big.start(dumps / "app.hprof")

    def has_begun():
        sizes = [os.stat(dumps / name).st_size for name in left_in(dumps)]
        return sizes and sum(sizes) > 12_000_000

    wait_for(has_begun, 60, "the JVM does not dump", step=0.001)
    dying.send_signal(signal.SIGKILL)
    dying.communicate()
    event = watch.wait("shipped")
    assert watch.stop() == 0
    _, manifest, evidence = the_only(folder)
    assert manifest["partial"] and event["partial"] == manifest["partial"]
    assert hprof.problem(evidence) is not None
    assert not os.path.exists(dumps / "app.hprof") and spool_of(dumps) == []


def test_a_large_dump_is_followed_and_seen_only_when_it_is_whole(salvage, dumps, s3, java_classes):
    """While the JVM writes, most of it goes out already; readers see nothing before its end."""
    data = hprof.make(48 << 20, 7)
    watch = salvage.watch(dumps, *s3.options(), env=s3.env)
    watch.wait("started")
    step = len(data) // 24
    with open(dumps / "app.hprof", "xb", buffering=0) as out:
        for at in range(0, len(data), step):
            out.write(data[at:at + step])
            time.sleep(0.05)
        watch.wait("following")
        assert s3.keys() == [], "half a dump can be seen"
        assert not watch.named("shipped")
        size = out.tell()
    watch.wait("shipped")
    assert watch.stop() == 0
    _, manifest, evidence = the_only(s3)
    assert evidence == data and manifest["size"] == size and not manifest.get("partial")


@pytest.mark.parametrize("choice", ["no", "auto"])
def test_where_a_dump_would_be_slowed_down_it_is_not_followed(salvage, dumps, folder, choice):
    """Asked for, or with one processor for both: it is shipped once it is complete."""
    data = hprof.make(24 << 20, 7)
    processors = os.sched_getaffinity(0)
    if choice == "auto":
        os.sched_setaffinity(0, {min(processors)})
    try:
        watch = salvage.watch(dumps, "--follow", choice, *folder.options())
    finally:
        os.sched_setaffinity(0, processors)
    watch.wait("started")
    with open(dumps / "app.hprof", "xb", buffering=0) as out:
        for at in range(0, len(data), 1 << 20):
            out.write(data[at:at + (1 << 20)])
            time.sleep(0.04)
    watch.wait("shipped")
    assert not watch.named("following")
    assert watch.stop() == 0
    assert the_only(folder)[2] == data


def test_keep_keeps_the_very_bytes(salvage, dumps, folder, jvm_17):
    watch = salvage.watch(dumps, *folder.options(), "--keep")
    watch.wait("started")
    jvm_17.die(dumps / "app.hprof")
    watch.wait("shipped")
    assert watch.stop() == 0
    kept = sorted((dumps / ".salvage" / "kept").iterdir())
    assert len(kept) == 1 and kept[0].name.endswith("-app.hprof")
    _, _, evidence = the_only(folder)
    assert kept[0].read_bytes() == evidence
    assert left_in(dumps) == []
