# SPDX-License-Identifier: Apache-2.0
"""A tenant of a watched folder can't delay the evidence of the others, whatever files it makes there."""
import hashlib
import os
import resource
import signal
import socket
import threading
import time

import pytest

from helpers.evidence import drop, put
from helpers.proc import cpu_seconds, status, wait_for, workers


@pytest.fixture
def two(dumps):
    """Folders of two tenants."""
    for name in ("a", "b"):
        (dumps / name).mkdir()
    return dumps / "a", dumps / "b"


@pytest.fixture
def silent_store():
    """Takes connections and never answers."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(20)
        yield "http://127.0.0.1:%d/x" % s.getsockname()[1]


@pytest.fixture
def many_descriptors():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def names_of(folder):
    return {m["name"] for _, m in folder.manifests()}


def test_thousands_of_open_files_cost_next_to_nothing(salvage, dumps, two, folder, many_descriptors):
    count = min(6000, many_descriptors - 200)
    watch = salvage.watch("-r", dumps, *folder.options())
    watch.wait("started")
    files = [open(two[0] / ("open-%d.hprof" % n), "wb") for n in range(count)]
    time.sleep(4)
    before = cpu_seconds(watch.pid)
    time.sleep(3)
    assert cpu_seconds(watch.pid) - before < 1
    drop(two[1], "small.hprof")
    watch.wait("shipped", timeout=10)
    for f in files:
        f.close()
    assert names_of(folder) >= {"small.hprof"}


def test_a_dump_that_cannot_be_followed_yet_is_not_claimed_again_and_again(salvage, dumps, silent_store):
    """While the one worker is busy."""
    watch = salvage.watch(dumps, "--to", silent_store, "--grace", "0")
    drop(dumps, "first.hprof", 1_000_000)
    watch.wait("claimed")
    with open(dumps / "second.hprof", "wb") as out:
        out.write(b"JAVA PROFILE 1.0.2\0" + bytes(16 << 20))
        out.flush()
        spool = dumps / ".salvage" / "spool"
        for _ in range(100):
            time.sleep(0.02)
            assert len(os.listdir(spool)) == 1
        assert watch.named("following") == []


def sparse(folder, name, size):
    """Moved in: nothing but a hole."""
    path = folder.parent / ("." + name)
    with open(path, "wb") as out:
        out.truncate(size)
    os.rename(path, folder / name)


@pytest.mark.serial
def test_a_huge_sparse_file_does_not_keep_others_waiting(salvage, dumps, two, folder):
    """Hours of zeros: put back while others wait."""
    watch = salvage.watch("-r", dumps, *folder.options(), "--grace", "1s")
    watch.wait("started")
    sparse(two[0], "huge.hprof", 8 << 40)
    watch.wait("claimed")
    time.sleep(0.5)
    drop(two[1], "small.hprof")
    watch.wait("shipped", timeout=15)
    assert watch.wait("yielded")["path"].endswith("huge.hprof")
    assert names_of(folder) == {"small.hprof"}
    began = time.monotonic()
    assert watch.stop() == 75 and time.monotonic() - began < 4


def test_with_memory_for_two_nothing_is_put_back(salvage, dumps, two, folder):
    watch = salvage.watch("-r", dumps, *folder.options(), "--grace", "1s", "--memory", "128M")
    watch.wait("started")
    sparse(two[0], "huge.hprof", 8 << 40)
    watch.wait("claimed")
    time.sleep(0.5)
    for n in range(3):
        drop(two[1], "small-%d.hprof" % n)
    watch.wait("shipped", 3, timeout=10)
    assert watch.named("yielded") == []
    assert watch.stop() == 75


def test_a_sparse_file_is_stored_as_its_bytes(salvage, dumps, folder):
    with open(dumps / "app.hprof", "wb") as out:
        out.seek(3 << 20)
        out.write(b"island")
        out.truncate(10 << 20)
    data = (dumps / "app.hprof").read_bytes()
    watch = salvage.watch(dumps, *folder.options(), "--once")
    assert watch.end() == 0
    folder.check_one(hashlib.sha256(data).hexdigest())


def test_a_file_that_grows_for_ever_does_not_keep_others_waiting(salvage, dumps, two, folder):
    watch = salvage.watch("-r", dumps, *folder.options(), "--grace", "1s")
    watch.wait("started")
    over = threading.Event()

    def grow():
        with open(two[0] / "big.hprof", "wb", buffering=0) as out:
            out.write(b"JAVA PROFILE 1.0.2\0" + os.urandom(9 << 20))
            while not over.wait(0.2):
                out.write(os.urandom(200_000))

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        watch.wait("following")
        drop(two[1], "small.hprof")
        watch.wait("shipped", timeout=12)
        assert names_of(folder) == {"small.hprof"}
    finally:
        over.set()
        writer.join()
    watch.wait("shipped", 2)
    assert watch.stop() == 0
    assert names_of(folder) == {"small.hprof", "big.hprof"}


def test_thousands_of_tiny_dumps_do_not_go_before_a_large_one(salvage, dumps, two, folder):
    watch = salvage.watch("-r", dumps, *folder.options(), "--grace", "0")
    watch.wait("started")
    over = threading.Event()

    def crowd():
        n = 0
        while not over.wait(0.05):
            for _ in range(50):
                n += 1
                (two[0] / ("x%d.hprof" % n)).write_bytes(b"x")

    writer = threading.Thread(target=crowd)
    writer.start()
    try:
        time.sleep(2)
        drop(two[1], "large.hprof", 8_000_000)
        wait_for(lambda: "large.hprof" in [os.path.basename(e["path"]) for e in watch.named("claimed")], 10)
        wait_for(lambda: [e for e in watch.named("shipped") if e["bytes"] > 1_000_000], 10, "the large one waits")
    finally:
        over.set()
        writer.join()


def test_a_worker_that_is_stopped_holds_back_nobody(salvage, dumps, folder):
    watch = salvage.watch(dumps, *folder.options(), "--grace", "2s")
    watch.wait("started")
    sparse(dumps, "huge.hprof", 600 << 30)
    worker = wait_for(lambda: workers(watch.pid), 5)[0]
    os.kill(worker, signal.SIGSTOP)
    put(dumps, "small.hprof", b"small")
    watch.wait("shipped", timeout=15)
    again = wait_for(lambda: workers(watch.pid), 5)[0]
    os.kill(again, signal.SIGSTOP)
    watch.stop(6)
    assert status(worker) == {} and status(again) == {}


def test_a_worker_ends_with_its_watch(salvage, dumps, folder):
    """In the middle of what would take an hour."""
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("started")
    sparse(dumps, "huge.hprof", 3 << 40)
    worker = wait_for(lambda: workers(watch.pid), 5)[0]
    wait_for(lambda: cpu_seconds(worker) > 0.3, 10)
    watch.kill(group=False)
    wait_for(lambda: status(worker).get("State", "Z")[0] in "ZX", 5, "it goes on")


def test_ten_thousand_dumps_of_a_namespace_delay_anothers_first_by_seconds_at_most(salvage, dumps, folder):
    for name in ("many", "one"):
        (dumps / name / "pod").mkdir(parents=True)
    data = (dumps / "many" / "pod" / "java_pid1.hprof")
    drop(dumps / "many" / "pod", "java_pid1.hprof", 4000)
    content = data.read_bytes()
    for n in range(2, 10_001):
        (dumps / "many" / "pod" / ("java_pid%d.hprof" % n)).write_bytes(content)
    watch = salvage.watch("-r", dumps, *folder.options(), "--layout", "namespace/pod")
    watch.wait("shipped", 5)
    drop(dumps / "one" / "pod", "first.hprof")
    dropped = time.monotonic()
    wait_for(lambda: [e for e in watch.named("shipped") if e["key"].startswith("one/pod/")], timeout=30)
    assert time.monotonic() - dropped < 10
    watch.kill()
