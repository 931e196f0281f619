# SPDX-License-Identifier: Apache-2.0
"""Full disks: the store's and the watched volume's, which a dump has often just filled."""
import os
import subprocess
import time

from helpers.evidence import drop, left_in, spool_of
from helpers.proc import wait_for
from helpers.proxy import s3_error
from helpers.stores import Folder


def fill(path):
    """Takes what is left of a small file system."""
    with open(path / "filler", "wb", buffering=0) as out:
        try:
            while True:
                out.write(b"\0" * 65536)
        except OSError:
            pass
    try:
        with open(path / "filler", "ab", buffering=0) as out:
            while True:
                out.write(b"\0")
    except OSError:
        pass


def test_a_full_folder_store(salvage, work, dumps, mount_tmpfs):
    store = Folder(mount_tmpfs(work / "small", "12m"))
    total = drop(dumps, "app.hprof", 20 << 20)
    result = salvage.run("ship", dumps / "app.hprof", *store.options(), "--compress", "none")
    assert result.code == 43, result
    assert str(store.root) in result.message
    assert all(key.endswith(".part") for key in store.keys()), "half a file can be taken for a whole one"
    assert left_in(dumps) == ["app.hprof"]

    # An operator makes room, and the same command goes on.
    subprocess.run(["mount", "-o", "remount,size=64m", str(store.root)], check=True)
    salvage.ok("ship", dumps / "app.hprof", *store.options(), "--compress", "none")
    store.check_one(total)


def test_a_full_folder_store_that_gets_room_again(salvage, work, dumps, mount_tmpfs):
    store = Folder(mount_tmpfs(work / "small", "8m"))
    (store.root / "filler").write_bytes(b"\0" * (6 << 20))
    total = drop(dumps, "app.hprof", 5 << 20)
    watch = salvage.watch(dumps, *store.options(), "--compress", "none")
    event = watch.wait("failed")
    assert event["fault"] == "full"
    assert watch.stop() == 75
    os.remove(store.root / "filler")
    assert salvage.watch(dumps, *store.options(), "--compress", "none", "--once").end() == 0
    store.check_one(total)


def test_a_full_s3_store(salvage, dumps, s3, proxy):
    drop(dumps, "app.hprof")
    proxy.harm(s3_error(507, "InsufficientCapacity"), lambda r: r.method == "PUT", times=100)
    result = salvage.run("ship", dumps / "app.hprof", *s3.through(proxy).options(), env=s3.env)
    assert result.code == 43 and result.message


def test_ship_with_a_full_state_folder_ships_all_the_same(salvage, work, dumps, s3, mount_tmpfs):
    state = mount_tmpfs(work / "state", "64k", mode="700")
    fill(state)
    total = drop(dumps, "app.hprof", 20 << 20)
    done = salvage.ok("ship", dumps / "app.hprof", *s3.options(), "--state", state, "--compress", "none", env=s3.env)
    assert done.err.count("\n") == 1 and "warning" in done.err and "o space" in done.err, done
    s3.check_one(total)


def test_a_watch_with_a_full_state_folder_ships_all_the_same(salvage, work, dumps, s3, mount_tmpfs):
    state = mount_tmpfs(work / "state", "64k", mode="700")
    fill(state)
    watch = salvage.watch(dumps, *s3.options(), "--state", state, "--compress", "none", env=s3.env)
    watch.wait("started")
    sums = [drop(dumps, "app.hprof", 20 << 20), drop(dumps, "more.hprof")]
    watch.wait("shipped", 2)
    assert watch.stop() == 0, watch.log
    s3.check_all(sums)
    assert left_in(dumps) == []


def test_a_dump_that_filled_the_disk(salvage, work, mount_tmpfs, s3):
    """The dump was cut short by its own full volume, where our state lies too: it is shipped as partial, and the volume
    is free again."""
    volume = mount_tmpfs(work / "volume", "24m", mode="777")
    watch = salvage.watch(volume, *s3.options(), "--compress", "none", env=s3.env)
    watch.wait("started")
    try:
        drop(volume, "app.hprof", 64 << 20)
    except OSError:
        pass
    event = watch.wait("shipped", timeout=60)
    assert event["partial"] and event["bytes"] > 20 << 20
    wait_for(lambda: left_in(volume) == [] and spool_of(volume) == [], 10, "the local copy stays")
    total = drop(volume, "app.hprof", 10 << 20)
    watch.wait("shipped", 2)
    assert watch.stop() == 0, watch.log
    assert total in {m["sha256"] for _, m in s3.manifests()} and len(s3.manifests()) == 2
    assert left_in(volume) == [] and spool_of(volume) == []
    assert s3.unfinished() == []


def test_a_state_folder_that_is_a_file(salvage, work, dumps, folder):
    drop(dumps, "app.hprof")
    (work / "state").write_bytes(b"")
    result = salvage.run("ship", dumps / "app.hprof", *folder.options(), "--state", work / "state")
    assert result.code == 2 and "is no folder" in result.message, result
    assert left_in(dumps) == ["app.hprof"]


def test_get_onto_a_full_disk(salvage, work, dumps, folder, mount_tmpfs):
    drop(dumps, "app.hprof", 8 << 20)
    url = salvage.ok("ship", dumps / "app.hprof", *folder.options()).out.strip()
    small = mount_tmpfs(work / "small", "2m")
    result = salvage.run("get", url, "-o", small / "app.hprof")
    assert result.code != 0 and "o space" in result.message
    assert os.listdir(small) == [], "nothing half done is left"


def test_a_full_disk_is_not_a_tight_loop(salvage, work, dumps, mount_tmpfs):
    store = Folder(mount_tmpfs(work / "small", "1m"))
    fill(store.root)
    drop(dumps, "app.hprof")
    watch = salvage.watch(dumps, *store.options())
    watch.wait("failed")
    time.sleep(4)
    assert len(watch.named("failed")) == 1
    assert watch.stop() == 75
