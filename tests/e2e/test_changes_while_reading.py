# SPDX-License-Identifier: Apache-2.0
"""A file that is deleted, truncated or written to while salvage reads it is never stored as complete."""
import os
import time

import pytest

from helpers import hprof
from helpers.evidence import drop, left_in, spool_of
from helpers.proc import wait_for
from helpers.stores import sha256_file

SIZE = 128 << 20


def under_way(proxy):
    """Some of it is in the store, and by far not all of it has been read: no more than 64 MiB fit into the worker."""
    wait_for(lambda: proxy.seen(lambda r: r.is_part and r.status == 200), 30, "no parts")


def grow(path):
    with open(path, "ab") as out:
        out.write(b"more" * 1000)


def cut(path):
    os.truncate(path, SIZE // 2)


def rewrite(path):
    with open(path, "r+b") as out:
        out.seek(1000)
        out.write(b"other bytes")


@pytest.mark.parametrize("change", [grow, cut, rewrite], ids=lambda f: f.__name__)
def test_ship_notices_and_stores_nothing(salvage, dumps, s3, proxy, change):
    drop(dumps, "app.hprof", SIZE)
    proxy.rate = 48 << 20
    p = salvage.start("ship", dumps / "app.hprof", *s3.through(proxy).options(), "--compress", "none", env=s3.env)
    under_way(proxy)
    change(dumps / "app.hprof")
    proxy.rate = None
    assert p.end() == 22, p.log
    assert p.log.count("\n") == 1 and str(dumps / "app.hprof") in p.log
    assert s3.keys() == [] and s3.unfinished() == []
    assert left_in(dumps) == ["app.hprof"]


def test_ship_of_a_file_that_is_deleted_meanwhile(salvage, dumps, s3, proxy):
    """It is open: its bytes are all there, and then they are in the store alone."""
    total = drop(dumps, "app.hprof", SIZE)
    proxy.rate = 48 << 20
    p = salvage.start("ship", dumps / "app.hprof", *s3.through(proxy).options(), "--compress", "none", env=s3.env)
    under_way(proxy)
    os.remove(dumps / "app.hprof")
    assert p.end() == 0, p.log
    s3.check_one(total)


def test_ship_of_a_file_whose_name_becomes_another_files(salvage, dumps, s3, proxy):
    """The new one is not what was shipped: it must not be deleted."""
    total = drop(dumps, "app.hprof", SIZE)
    proxy.rate = 48 << 20
    p = salvage.start("ship", dumps / "app.hprof", *s3.through(proxy).options(), "--compress", "none", env=s3.env)
    under_way(proxy)
    os.remove(dumps / "app.hprof")
    other = drop(dumps, "app.hprof")
    assert p.end() == 0, p.log
    s3.check_one(total)
    assert sha256_file(dumps / "app.hprof") == other


@pytest.mark.parametrize("change", [grow, cut, rewrite], ids=lambda f: f.__name__)
def test_a_watch_ships_it_again_as_it_is_in_the_end(salvage, dumps, s3, proxy, change):
    """Somebody finds it in the spool, and writes to it."""
    drop(dumps, "app.hprof", SIZE)
    proxy.rate = 48 << 20
    watch = salvage.watch(dumps, *s3.through(proxy).options(), "--compress", "none", env=s3.env)
    under_way(proxy)
    (claim,) = spool_of(dumps)
    evidence = dumps / ".salvage" / "spool" / claim / "evidence"
    change(evidence)
    total = sha256_file(evidence)
    proxy.rate = None
    watch.wait("shipped", timeout=60)
    assert watch.stop() == 0
    s3.check_one(total)


@pytest.mark.parametrize("command", ["ship", "watch"])
@pytest.mark.parametrize("change", [grow, rewrite], ids=lambda f: f.__name__)
def test_what_is_written_after_the_last_read_is_not_erased(salvage, dumps, s3, proxy, change, command):
    """All has been read, and the store is about to confirm: now the file changes. What is not in the store must not go
    from the disk."""
    drop(dumps, "app.hprof", 30 << 20)

    def where():
        (path,) = [p for p in dumps.rglob("*") if p.name in ("evidence", "app.hprof")]
        return path

    def late(link, request):
        change(where())
        total.append(sha256_file(where()))
        return link.exchange(request)

    total = []
    proxy.harm(late, lambda r: r.is_complete)
    args = [*s3.through(proxy).options(), "--compress", "none"]
    if command == "ship":
        salvage.run("ship", dumps / "app.hprof", *args, env=s3.env)
    else:
        watch = salvage.watch(dumps, *args, env=s3.env)
        wait_for(lambda: total, 30)
        time.sleep(1)
        watch.stop()
    in_store = [m["sha256"] for _, m in s3.manifests()]
    on_disk = [sha256_file(p) for p in dumps.rglob("*") if p.name in ("evidence", "app.hprof")]
    assert total[0] in in_store + on_disk, "what was written last is lost"


def test_a_file_that_is_deleted_before_it_is_claimed_is_forgotten(salvage, dumps, folder):
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("started")
    for _ in range(200):
        with open(dumps / "app.hprof", "wb") as out:
            out.write(b"x")
            os.remove(dumps / "app.hprof")
    total = drop(dumps, "real.hprof")
    wait_for(lambda: any(m["sha256"] == total for _, m in folder.manifests()), 20)
    assert watch.stop() == 0
    folder.check_one(total)
    assert spool_of(dumps) == []


def test_a_followed_dump_that_is_deleted_leaves_nothing(salvage, dumps, s3):
    """A JVM is killed and its volume cleaned while the dump is on its way."""
    watch = salvage.watch(dumps, *s3.options(), env=s3.env)
    watch.wait("started")
    with open(dumps / "app.hprof", "xb", buffering=0) as out:
        for piece in hprof.pieces(32 << 20, 41):
            out.write(piece)
            if out.tell() > 24 << 20:
                break
        watch.wait("following")
        time.sleep(0.5)
        os.remove(dumps / "app.hprof")
    total = drop(dumps, "after.hprof")
    watch.wait("shipped")
    assert watch.stop() == 0
    s3.check_one(total)
    assert spool_of(dumps) == []


def test_a_followed_dump_that_is_rewritten_is_shipped_as_it_is_in_the_end(salvage, dumps, s3):
    """JDK 11 and older go back to fill in lengths."""
    data = bytearray(hprof.make(32 << 20, 42))
    watch = salvage.watch(dumps, *s3.options(), env=s3.env)
    watch.wait("started")
    with open(dumps / "app.hprof", "xb", buffering=0) as out:
        out.write(data[: 24 << 20])
        watch.wait("following")
        time.sleep(0.5)
        out.write(data[24 << 20:])
        out.seek(23)
        out.write(b"\0\0\1\2")
        data[23:27] = b"\0\0\1\2"
    watch.wait("shipped")
    assert watch.stop() == 0
    (key, manifest), = s3.manifests()
    assert s3.check(key, manifest) == bytes(data)
    assert s3.unfinished() == []
