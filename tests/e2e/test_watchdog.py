# SPDX-License-Identifier: Apache-2.0
"""A worker that makes no progress is replaced, even one that hangs in the kernel."""
import os
import signal
import time

from helpers.disk import Disk
from helpers.proc import status, wait_for, workers

STUCK = ("--stuck", "2s", "--timeout", "1s")


def moved_in(folder, name, size):
    """A hole: minutes or milliseconds of work, as its size is."""
    path = folder.parent / ("." + name)
    with open(path, "wb") as out:
        out.write(b"JAVA PROFILE 1.0.2\0")
        out.truncate(size)
    os.rename(path, folder / name)


def the_worker(watch):
    return wait_for(lambda: workers(watch.pid), why="no worker came")[0]


def test_a_worker_that_is_stopped_is_replaced_and_the_dump_arrives_once(salvage, dumps, folder):
    watch = salvage.watch(dumps, *folder.options(), *STUCK)
    watch.wait("started")
    moved_in(dumps, "app.hprof", 1 << 30)
    stopped = the_worker(watch)  # before it has said a word
    os.kill(stopped, signal.SIGSTOP)
    event = watch.wait("worker-stuck", timeout=15)
    assert event["level"] == "warning" and event["path"].endswith("app.hprof") and 2 <= event["seconds"] < 10
    wait_for(lambda: stopped not in workers(watch.pid), why="it is still there")
    watch.wait("shipped", timeout=30)
    assert watch.stop() == 0
    assert len(folder.manifests()) == 1 and len(watch.named("worker-stuck")) == 1


def test_a_worker_that_works_is_left_alone(salvage, dumps, folder):
    """For longer than it may stand still."""
    watch = salvage.watch(dumps, *folder.options(), *STUCK, "--grace", "1s")
    watch.wait("started")
    moved_in(dumps, "app.hprof", 8 << 40)
    worker = the_worker(watch)
    time.sleep(4)
    assert workers(watch.pid) == [worker] and watch.named("worker-stuck") == []
    assert watch.stop() == 75


def test_a_worker_that_hangs_in_the_kernel_keeps_nothing_from_its_end(salvage, dumps, work):
    """Its store is a file system that does not take a byte any more: not even SIGKILL ends it."""
    with Disk(work) as disk:
        watch = salvage.watch(dumps, "--to", "file://%s/store" % disk.mount, *STUCK, "--grace", "1s")
        watch.wait("store-ready")
        disk.freeze()
        moved_in(dumps, "app.hprof", 1 << 20)
        hung = the_worker(watch)
        watch.wait("worker-stuck", timeout=15)
        failed = watch.wait("failed", timeout=20)
        assert "hangs" in failed["error"] and failed["path"].endswith("app.hprof")
        assert status(hung)["State"].startswith("D"), "the kernel ends it: this shows nothing"
        wait_for(lambda: [pid for pid in workers(watch.pid) if pid != hung], why="no other takes its place")
        os.kill(watch.pid, signal.SIGTERM)
        assert watch.process.wait(10) == 75
        assert '"event":"not-shipped"' in watch.log
