# SPDX-License-Identifier: Apache-2.0
"""Room on the node: what could not be shipped is given up only where somebody set a limit, and the oldest first."""
import os
import time

from helpers.evidence import put, spool_of
from helpers.proc import wait_for

DEAD = ("--to", "http://127.0.0.1:9/nowhere")
SIZE = 100_000


def dump(folder, name):
    put(folder, name, os.urandom(SIZE))


def test_without_limits_nothing_is_given_up(salvage, dumps):
    watch = salvage.watch(dumps, *DEAD)
    for n in range(3):
        dump(dumps, "app.%d.hprof" % n)
    watch.wait("claimed", 3)
    time.sleep(1)
    assert len(spool_of(dumps)) == 3 and watch.named("discarded") == []


def test_beyond_the_room_given_the_oldest_goes(salvage, dumps):
    watch = salvage.watch(dumps, *DEAD, "--retain-bytes", str(2 * SIZE + 10_000))
    dump(dumps, "app.0.hprof")
    watch.wait("failed")  # from now on the store is left alone for a second: none is under way
    for n in range(1, 4):
        dump(dumps, "app.%d.hprof" % n)
        watch.wait("claimed", n + 1)
    watch.wait("discarded", 2)
    gone = watch.named("discarded")
    assert [os.path.basename(event["path"]) for event in gone] == ["app.0.hprof", "app.1.hprof"]
    assert {event["limit"] for event in gone} == {"bytes"} and gone[0]["bytes"] == SIZE
    assert len(spool_of(dumps)) == 2


def test_a_sparse_file_takes_no_room_of_others(salvage, dumps):
    """1 TB long, and nothing on the disk."""
    watch = salvage.watch(dumps, *DEAD, "--retain-bytes", str(10 * SIZE))
    dump(dumps, "app.0.hprof")
    watch.wait("claimed")
    with open(dumps.parent / "sparse", "wb") as out:
        out.truncate(1 << 40)
    os.rename(dumps.parent / "sparse", dumps / "huge.hprof")
    watch.wait("claimed", 2)
    time.sleep(1)
    assert watch.named("discarded") == [] and len(spool_of(dumps)) == 2


def test_what_waited_too_long_goes(salvage, dumps):
    watch = salvage.watch(dumps, *DEAD, "--retain-age", "2s")
    dump(dumps, "app.1.hprof")
    begun = time.monotonic()
    gone = watch.wait("discarded")
    assert gone["limit"] == "age" and time.monotonic() - begun > 1.5
    wait_for(lambda: spool_of(dumps) == [], 5, lambda: spool_of(dumps))


def test_a_start_tries_to_ship_what_is_too_old_already(salvage, dumps, folder):
    watch = salvage.watch(dumps, *DEAD)
    dump(dumps, "app.1.hprof")
    watch.wait("claimed")
    watch.kill()
    time.sleep(2)
    watch = salvage.watch(dumps, *folder.options(), "--retain-age", "1s")
    watch.wait("shipped")
    assert watch.stop() == 0 and watch.named("discarded") == []
    assert len(folder.manifests()) == 1


def test_kept_copies_make_room_for_new_ones(salvage, dumps, folder):
    watch = salvage.watch(dumps, *folder.options(), "--keep", "--retain-bytes", str(2 * SIZE + 10_000))
    for n in range(4):
        dump(dumps, "app.%d.hprof" % n)
        watch.wait("shipped", n + 1)
    assert watch.stop() == 0 and watch.named("discarded") == []
    kept = sorted(path.name.rsplit("-", 1)[1] for path in (dumps / ".salvage" / "kept").iterdir())
    assert kept == ["app.2.hprof", "app.3.hprof"]
    assert len(folder.manifests()) == 4
