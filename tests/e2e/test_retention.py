# SPDX-License-Identifier: Apache-2.0
"""Room on the volume: what could not be shipped is erased beyond the room there is, the middle dumps of a process first."""
import http.server
import json
import os
import subprocess
import threading
import time

import pytest

from helpers.evidence import put, spool_of
from helpers.proc import require_root, wait_for

DEAD = ("--to", "http://127.0.0.1:9/nowhere")
SIZE = 100_000


class Refuse(http.server.BaseHTTPRequestHandler):
    """A store whose policy has changed: nothing is tried again for a minute."""

    def refuse(self):
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    do_GET = do_HEAD = do_PUT = do_OPTIONS = refuse

    def log_message(self, *args):
        pass


@pytest.fixture
def refusing():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield "--to", "http://127.0.0.1:%d/" % server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


def dump(folder, name):
    put(folder, name, os.urandom(SIZE))


def waiting(dumps):
    """Names of what waits, the oldest first."""
    paths = [json.loads((claim / "claim.json").read_text())["path"]
             for claim in (dumps / ".salvage" / "spool").iterdir() if (claim / "evidence").exists()]
    return sorted((os.path.basename(path) for path in paths), key=lambda name: int(name.split(".")[1]))


def gone(watch):
    return [os.path.basename(event["path"]) for event in watch.named("discarded")]


def blocks(folder):
    """Allocated bytes of a folder, with all in it."""
    paths = [folder, *folder.rglob("*")]
    return sum(path.lstat().st_blocks for path in paths) * 512


def dumps_come(watch, dumps, count):
    """The first one is tried, and fails; from then on the store is left alone: none is under way."""
    dump(dumps, "app.0.hprof")
    watch.wait("failed")
    for n in range(1, count):
        dump(dumps, "app.%d.hprof" % n)
        watch.wait("claimed", n + 1)


def test_without_a_limit_nothing_is_given_up(salvage, dumps):
    watch = salvage.watch(dumps, *DEAD, "--retain-bytes", "none", "--volume-limit", "100K")
    for n in range(3):
        dump(dumps, "app.%d.hprof" % n)
    watch.wait("claimed", 3)
    time.sleep(1)
    assert len(spool_of(dumps)) == 3 and watch.named("discarded") == [] and watch.named("room") == []


def test_beyond_the_room_given_the_middle_goes_and_the_first_stays(salvage, dumps, refusing):
    watch = salvage.watch(dumps, *refusing, "--retain-bytes", str(3 * SIZE + 60_000))
    dumps_come(watch, dumps, 6)
    watch.wait("discarded", 3)
    assert waiting(dumps)[0] == "app.0.hprof" and waiting(dumps)[-1] == "app.5.hprof" and len(waiting(dumps)) == 3
    event = watch.named("discarded")[-1]
    assert event["level"] == "error" and event["limit"] == "retain-bytes" and event["reason"] == "middle"
    assert event["bytes"] == SIZE and event["room"] == event["of"] == 3 * SIZE + 60_000 < event["waiting"]
    assert event["count"] == 3


def test_by_default_what_waits_stays_below_a_part_of_the_limit_that_the_kubelet_evicts_by(salvage, dumps, refusing):
    watch = salvage.watch(dumps, *refusing, "--volume-limit", "1000K")  # 409,600: three of them, and what lies beside
    assert watch.wait("room")["room"] == 409_600
    dumps_come(watch, dumps, 8)
    watch.wait("discarded", 5)
    assert waiting(dumps)[0] == "app.0.hprof" and waiting(dumps)[-1] == "app.7.hprof"
    assert blocks(dumps / ".salvage" / "spool") <= 409_600 + 4096  # the folder itself
    assert {(event["limit"], event["of"]) for event in watch.named("discarded")} == {("volume-limit", 1_024_000)}


def test_the_limit_of_ephemeral_storage_counts_where_it_is_smaller(salvage, dumps):
    watch = salvage.watch(dumps, *DEAD, 
                          env={"SALVAGE_VOLUME_LIMIT": "2Gi", "SALVAGE_EPHEMERAL_STORAGE": str(1 << 30)})
    event = watch.wait("room")
    assert (event["limit"], event["of"], event["room"]) == ("ephemeral-storage", 1 << 30, (1 << 30) * 40 // 100)


def test_without_a_limit_of_a_volume_a_part_of_the_free_space_is_the_room(salvage, dumps):
    event = salvage.watch(dumps, *DEAD).wait("room")
    space = os.statvfs(dumps)
    assert event["limit"] == "free" and event["of"] == pytest.approx(space.f_bavail * space.f_frsize, rel=0.1)
    assert event["room"] == event["of"] // 4


def test_a_volume_of_its_own_has_its_size_as_the_limit(salvage, dumps, refusing):
    """A tmpfs; the limit of ephemeral storage is one of the node's disk."""
    require_root("it mounts a tmpfs")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1000k", "salvage-test", str(dumps)], check=True)
    try:
        watch = salvage.watch(dumps, *refusing, "--volume-limit", "1G", "--ephemeral-storage", "500K")
        event = watch.wait("room")
        assert (event["limit"], event["of"], event["room"]) == ("size", 1_024_000, 409_600)
        dumps_come(watch, dumps, 5)
        watch.wait("discarded")
        assert waiting(dumps)[0] == "app.0.hprof" and waiting(dumps)[-1] == "app.4.hprof"
    finally:
        watch.kill()
        subprocess.run(["umount", str(dumps)], check=True)


def test_one_that_is_larger_than_the_room_is_shipped(salvage, dumps, folder):
    watch = salvage.watch(dumps, *folder.options(), "--volume-limit", "200K")
    dump(dumps, "app.0.hprof")
    watch.wait("shipped")
    event = watch.named("larger-than-room")[0]
    assert event["level"] == "warning" and event["bytes"] >= SIZE > event["room"] == 81_920
    assert watch.stop() == 0 and watch.named("discarded") == [] and len(folder.manifests()) == 1


def test_and_waits_while_the_store_is_dead(salvage, dumps, refusing):
    watch = salvage.watch(dumps, *refusing, "--volume-limit", "200K")
    dumps_come(watch, dumps, 3)
    watch.wait("discarded", 2)
    assert waiting(dumps) == ["app.0.hprof"] and gone(watch) == ["app.1.hprof", "app.2.hprof"]
    assert {event["reason"] for event in watch.named("discarded")} == {"newest"}


def test_a_crash_loop_costs_another_tenant_nothing(salvage, dumps, refusing):
    """Namespaces, as on a node: one of them dumps without end."""
    for name in ("shop", "bank"):
        (dumps / name / "pod").mkdir(parents=True)
    watch = salvage.watch(dumps, *refusing, "-r", "--layout", "namespace/pod", "--volume-limit", "1000K")
    dump(dumps / "bank" / "pod", "app.0.hprof")
    watch.wait("failed")
    for n in range(1, 8):
        dump(dumps / "shop" / "pod", "app.%d.hprof" % n)
        watch.wait("claimed", n + 1)
    watch.wait("discarded", 5)
    assert waiting(dumps)[:2] == ["app.0.hprof", "app.1.hprof"] and waiting(dumps)[-1] == "app.7.hprof"


def test_each_tenant_has_its_room_and_others_lose_nothing(salvage, dumps, refusing):
    for name in ("shop", "bank"):
        (dumps / name / "pod").mkdir(parents=True)
    watch = salvage.watch(dumps, *refusing, "-r", "--layout", "namespace/pod", "--retain-bytes", "none",
                          "--retain-bytes-tenant", "500K")
    for n in range(4):
        dump(dumps / "bank" / "pod", "app.%d.hprof" % n)
    watch.wait("claimed", 4)
    for n in range(4, 12):
        dump(dumps / "shop" / "pod", "app.%d.hprof" % n)
    watch.wait("discarded", 4)
    assert {event["limit"] for event in watch.named("discarded")} == {"retain-bytes-tenant"}
    assert not [name for name in gone(watch) if int(name.split(".")[1]) < 4]
    assert waiting(dumps)[:5] == ["app.%d.hprof" % n for n in range(5)] and waiting(dumps)[-1] == "app.11.hprof"


def test_a_part_of_the_disk_stays_free_also_when_others_fill_it(salvage, dumps, refusing, mount_tmpfs):
    """A crash loop on a disk that is filled by something else: the first and the newest stay as long as they can."""
    mount_tmpfs(dumps, "2m", "1777")
    watch = salvage.watch(dumps, *refusing, "--retain-bytes", "none", "--keep-free", "40%")
    dumps_come(watch, dumps, 5)
    assert not watch.named("discarded")
    (dumps / "not-evidence").write_bytes(os.urandom(900_000))
    watch.wait("discarded", 2)
    assert watch.named("discarded")[0]["limit"] == "keep-free"
    wait_for(lambda: os.statvfs(dumps).f_bfree * 4096 >= 2 * 1024 * 1024 * 0.4, timeout=15)
    assert waiting(dumps)[0] == "app.0.hprof" and waiting(dumps)[-1] == "app.4.hprof"


def test_a_store_that_takes_them_costs_none_of_many_that_come_at_once(salvage, dumps, folder):
    """What lies there at the start is more than the room: moving it takes up no more than it did."""
    for n in range(7):
        dump(dumps, "app.%d.hprof" % n)
    watch = salvage.watch(dumps, *folder.options(), "--volume-limit", "1000K")
    watch.wait("shipped", 7)
    assert watch.stop() == 0 and watch.named("discarded") == []


def test_once_gives_nothing_up_by_itself(salvage, dumps, refusing):
    for n in range(4):
        dump(dumps, "app.%d.hprof" % n)
    done = salvage.run("watch", dumps, "--once", *refusing, "--volume-limit", "100K")
    assert done.code != 0 and len(waiting(dumps)) == 4


@pytest.mark.parametrize("bad", ["much", "-1", "autos", "1Gb!"])
def test_what_is_no_size_is_refused_at_the_start(salvage, dumps, bad):
    done = salvage.run("watch", dumps, *DEAD, "--retain-bytes=" + bad)
    assert done.code == 2 and "--retain-bytes" in done.err and "auto" in done.err


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


def test_what_waited_too_long_goes(salvage, dumps, refusing):
    watch = salvage.watch(dumps, *refusing, "--retain-age", "2s")
    dump(dumps, "app.1.hprof")
    begun = time.monotonic()
    event = watch.wait("discarded")
    assert event["limit"] == "age" and time.monotonic() - begun > 1.5
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
    watch = salvage.watch(dumps, *folder.options(), "--keep", "--retain-bytes", str(2 * SIZE + 50_000))
    for n in range(4):
        dump(dumps, "app.%d.hprof" % n)
        watch.wait("shipped", n + 1)
    assert watch.stop() == 0 and watch.named("discarded") == []
    kept = sorted(path.name.rsplit("-", 1)[1] for path in (dumps / ".salvage" / "kept").iterdir())
    assert kept == ["app.2.hprof", "app.3.hprof"]
    assert len(folder.manifests()) == 4
