# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random instants, again and again: in the end every dump is stored exactly once, byte for byte."""
import itertools
import os
import random
import re
import threading
import time

from helpers import hprof
from helpers.evidence import drop, left_in, spool_of
from helpers.proc import wait_for, workers
from helpers.proxy import ChangeAnswer
from helpers.stores import S3, sha256

MIB = 1 << 20


class Writer:
    """Writes dumps of mixed sizes into the folder while the watch comes and goes: in place, as a JVM does, slowly
    enough that the watch is killed while it follows; or by a rename. Never more than a few wait."""

    WAITING_MOST = 4

    def __init__(self, work, folder, sizes, rng):
        self.work, self.folder, self.sizes, self.rng = work, folder, sizes, rng
        self.sums = []
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        for n, size in enumerate(itertools.cycle(self.sizes)):
            while len(left_in(self.folder)) + len(spool_of(self.folder)) >= self.WAITING_MOST:
                if self._enough.wait(0.02):
                    return
            # A fixed HeapDumpPath, used again and again; another name while the first lies there.
            name = "app.hprof" if not os.path.exists(self.folder / "app.hprof") else "app-%d.hprof" % n
            if n % 4 == 3:
                self.sums.append(hprof.write(self.work / name, size, 40_000 + n))
                os.rename(self.work / name, self.folder / name)
            else:
                self.sums.append(self._in_place(self.folder / name, size, 40_000 + n))
            if self._enough.wait(self.rng.uniform(0, 0.3)):
                return

    def _in_place(self, path, size, seed):
        data = hprof.make(size, seed)
        with open(path, "xb", buffering=0) as out:
            for at in range(0, len(data), 2 * MIB):
                out.write(data[at:at + 2 * MIB])
                time.sleep(0.005)
        return sha256(data)

    def finish(self):
        self._enough.set()
        self._thread.join()
        return self.sums


def storm(salvage, work, dumps, store, kills, sizes, seed, change=None):
    """Starts and kills a watch, kills times; then lets one finish. change(round): another weather."""
    rng = random.Random(seed)
    writer = Writer(work, dumps, sizes, rng)
    try:
        for n in itertools.count():
            short_of_dumps = len(writer.sums) < kills / 3
            if n >= kills and not short_of_dumps:
                break
            assert n < 4 * kills, "too few dumps for so many kills: %d" % len(writer.sums)
            if change:
                change(n)
            watch = salvage.watch(dumps, *store.options(), env=store.env)
            # From before its first system call to after its last part, which takes longer on a busy machine.
            time.sleep(rng.choice([rng.uniform(0, 0.03), rng.uniform(0, 0.4), rng.uniform(0, 1.2 if n < kills else 5)]))
            # A node that dies takes the worker along; the OOM killer may take the loop alone.
            watch.kill(group=n % 3 != 2)
    finally:
        sums = writer.finish()
    if change:
        change(None)
    sums.append(drop(dumps, "last.hprof"))
    last = salvage.watch(dumps, *store.options(), env=store.env)

    def all_is_stored():
        assert last.process.poll() is None, last.log
        return left_in(dumps) == [] and spool_of(dumps) == []

    def still_there():
        return "still there: %s %s\n%s" % (left_in(dumps), spool_of(dumps), last.log)

    wait_for(all_is_stored, 90, still_there, step=0.1)
    assert last.stop() == 0, last.log
    return sums


def weather(proxy):
    """Fast, slow, and in between."""
    def change(n):
        proxy.rate = None if n is None else (None, 15 * MIB, 60 * MIB)[n % 3]
    return change


def make_old(listing):
    """A listing of unfinished uploads as it will be when they have been lying about for years."""
    return re.sub(rb"<Initiated>\d{4}", b"<Initiated>2020", listing)


def test_fifty_kills_while_shipping_to_s3(salvage, work, dumps, s3, proxy):
    sizes = [64 * MIB, 100_000, 8 * MIB, 70 * MIB, 3 * MIB, 300, 30 * MIB, 64 * MIB, 1 * MIB, 20_000, 48 * MIB, 2 * MIB]
    through = S3(s3.client, s3.bucket, proxy.url, s3.env, s3.prefix)
    change = weather(proxy)

    def age(n):
        """In the end, what was killed between an upload's beginning and the note of its name has become abandoned."""
        change(n)
        if n is None:
            proxy.harm(ChangeAnswer(make_old), lambda r: r.method == "GET" and "uploads" in r.query, times=10**6)

    sums = storm(salvage, work, dumps, through, 50, sizes, 1, age)
    s3.check_all(sums)


def test_abandoned_uploads_of_ours_are_aborted_and_nobody_elses(salvage, dumps, s3, proxy):
    def begin(key):
        s3.client.create_multipart_upload(Bucket=s3.bucket, Key=s3.full(key))

    begin("shop/cart-7f/20261121T015605Z-java-oom-0123456789abcdef/heap.hprof.zst")
    begin("backup/database.tar")
    total = drop(dumps, "app.hprof")
    watch = salvage.watch(dumps, *s3.through(proxy).options(), env=s3.env)
    watch.wait("shipped")
    time.sleep(0.5)
    assert len(s3.unfinished()) == 2, "an upload that has just begun is somebody's"
    assert watch.stop() == 0

    proxy.harm(ChangeAnswer(make_old), lambda r: r.method == "GET" and "uploads" in r.query, times=10**6)
    more = drop(dumps, "more.hprof")
    watch = salvage.watch(dumps, *s3.through(proxy).options(), env=s3.env)
    watch.wait("aborted-upload")
    assert watch.stop() == 0
    assert s3.unfinished() == [s3.full("backup/database.tar")]
    s3.clear_uploads()





def test_kills_while_shipping_into_a_folder(salvage, work, dumps, folder):
    sizes = [64 * MIB, 100_000, 20 * MIB, 1 * MIB, 70 * MIB, 300, 8 * MIB]
    sums = storm(salvage, work, dumps, folder, 20, sizes, 2)
    folder.check_all(sums)


def test_kills_while_shipping_to_a_file_server(salvage, work, dumps, http_move, proxy_to):
    sizes = [20 * MIB, 100_000, 40 * MIB, 1 * MIB, 300, 8 * MIB]
    proxy = proxy_to(http_move.server.host)
    http_move.url = proxy.url + "/dumps"
    sums = storm(salvage, work, dumps, http_move, 15, sizes, 3, weather(proxy))
    http_move.check_all(sums)


def test_a_killed_worker_costs_one_attempt(salvage, dumps, s3, proxy):
    """The loop goes on, says so, and starts another worker."""
    total = drop(dumps, "app.hprof", 48 * MIB, seed=31)
    proxy.rate = 24 * MIB
    watch = salvage.watch(dumps, *s3.through(proxy).options(), "--compress", "none", env=s3.env)
    wait_for(lambda: len(proxy.seen(lambda r: r.is_part and r.status == 200)) >= 2, 30)
    (worker,) = workers(watch.pid)
    os.kill(worker, 9)
    watch.wait("worker-died")
    proxy.rate = None
    watch.wait("shipped")
    assert watch.stop() == 0
    s3.check_one(total)
    assert len(proxy.seen(lambda r: r.is_create)) == 1, "the new worker resumed"
