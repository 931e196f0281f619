# SPDX-License-Identifier: Apache-2.0
"""The kind of a file is decided by its content; names and options are hints only."""
import ctypes
import os
import time

import pytest

from helpers.evidence import HEADS, left_in, put

FOREIGN = {"core.properties": b"name=coll1\n", "core.js": b"let x = 1\n", "core": b"\x7fELF\2\1\1" + bytes(9) + b"\3\0\x3e\0",
           "export.dmp": b"rows\n", "thesis.phd": b"portable heap dump", "hs_err_pid1.log": b"started\n",
           "javacore.txt": b"0SECTION of a book\n", "notes.jfr": b"FLR", "x.heapsnapshot": b"[1, 2]"}


def test_files_that_merely_have_such_a_name_are_left_alone(salvage, dumps, folder):
    for name, data in FOREIGN.items():
        put(dumps, name, data)
    put(dumps, "core.ts", b"let y")
    watch = salvage.watch(dumps, *folder.options(), "--once")
    assert watch.end() == 0
    assert left_in(dumps) == sorted([*FOREIGN, "core.ts"]) and not folder.keys()
    ignored = [e["names"] for e in watch.named("ignored")]
    assert ignored.count("core.*") == 1 and sorted(set(ignored)) == sorted(ignored), "said once for each kind of name"


def test_what_the_user_names_is_an_order(salvage, work, dumps, folder):
    sums = [put(dumps, name, FOREIGN[name]) for name in ("core.js", "core")]
    assert salvage.watch(dumps, *folder.options(), "--once", "--include", "core*").end() == 0
    folder.check_all(sums)


@pytest.mark.parametrize("relative", [True, False])
def test_a_named_file_is_found_however_its_folder_is_written(salvage, work, dumps, folder, relative):
    total = put(dumps, "oom.bin", HEADS["app.hprof"] + b"rest")
    here = os.path.relpath(dumps, work)
    result = salvage.run("watch", here if relative else dumps, *folder.options(), "--once", "--file",
                         dumps / "oom.bin" if relative else os.path.join(here, "oom.bin"), cwd=work)
    assert result.code == 0, result
    manifest = folder.check_one(total)
    assert (manifest["kind"], manifest["name"]) == ("heap-dump", "oom.bin")


def test_a_named_file_in_a_folder_below_a_watched_one(salvage, dumps, folder):
    """One inotify watch for two reasons."""
    below = dumps / "below"
    below.mkdir()
    sums = [put(below, "oom.bin", b"any"), put(below, "app.hprof", HEADS["app.hprof"])]
    watch = salvage.watch(dumps, "-r", *folder.options(), "--file", below / "oom.bin")
    watch.wait("shipped", 2)
    sums.append(put(below, "b.hprof", HEADS["app.hprof"]))
    watch.wait("shipped", 3)
    assert watch.stop() == 0
    folder.check_all(sums)


def test_a_file_linked_into_the_folder_while_it_is_open(salvage, dumps, folder):
    """O_TMPFILE and linkat(2): no close is seen, as the file was opened elsewhere."""
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("started")
    fd = os.open(dumps, os.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(fd, HEADS["app.hprof"])
    path = b"/proc/self/fd/%d" % fd
    assert ctypes.CDLL(None).linkat(-100, path, -100, os.fsencode(dumps / "a.hprof"), 0x400) == 0
    time.sleep(0.5)  # long enough for the first look to find it open
    assert left_in(dumps) == ["a.hprof"]
    os.close(fd)
    watch.wait("shipped")
    assert watch.stop() == 0


def chunk(folder, name, data, age_s):
    put(folder, name, data)
    os.utime(folder / name, ns=(0, os.stat(folder / name).st_mtime_ns - age_s * 10**9))


def test_a_repository_of_recordings_is_left_to_its_jvm(salvage, dumps, folder):
    finished, begun = HEADS["rec.jfr"], HEADS["rec.jfr"][:64] + b"\1" + HEADS["rec.jfr"][65:]
    live, recent, left, own = (dumps / name for name in ("2026_11_29_06_00_00_4194300", "2026_11_29_06_00_00_4194301",
                                                         "2026_11_29_06_00_00_4194302",
                                                         "2026_11_29_06_00_00_%d" % os.getpid()))
    for repository in (live, recent, left, own):
        repository.mkdir()
        chunk(repository, "1.jfr", finished, 30 if repository == recent else 7200)
    chunk(live, "2.jfr", begun, 7200)
    chunk(left, "2.jfr", begun, 7200)
    chunk(dumps, "begun.jfr", begun, 7200)
    with open(live / "2.jfr", "ab"):
        watch = salvage.watch(dumps, "-r", *folder.options(), "--once")
        assert watch.end() == 0
    assert sorted(m["path"] for _, m in folder.manifests()) == [str(left / "1.jfr"), str(left / "2.jfr")]
    assert os.listdir(live) and os.listdir(recent) and os.listdir(own) and (dumps / "begun.jfr").exists()


OTHER_NAMES = ["oom.bin", "target", "heapdump", "app.hprof.1", "x.dump", "heap.tar.p1x"]


def test_evidence_has_any_name(salvage, dumps, folder):
    sums = [put(dumps, name, HEADS["app.hprof"] + name.encode()) for name in OTHER_NAMES]
    sums += [put(dumps, "kernel-core", HEADS["core"]), put(dumps, "crash.txt", HEADS["hs_err_pid17.log"])]
    others = ["app.log", "threads", "data.bin", ".hidden"]
    put(dumps, "app.log", b"JAVA PROFILE of the application")
    put(dumps, "threads", b"Full thread dump OpenJDK 64-Bit Server VM\n")
    put(dumps, "data.bin", b"")
    put(dumps, ".hidden", HEADS["app.hprof"])
    assert salvage.watch(dumps, *folder.options(), "--once").end() == 0
    found = folder.check_all(sums)
    assert {m["kind"] for m in found.values()} == {"heap-dump", "core", "hs-err"}
    assert left_in(dumps) == sorted(others)


def test_evidence_of_any_name_is_taken_when_it_appears_and_its_name_is_free_again(salvage, dumps, folder):
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("started")
    sums = [put(dumps, "oom.bin", HEADS["app.hprof"] + b"1")]
    watch.wait("shipped")
    sums.append(put(dumps, "oom.bin", HEADS["app.hprof"] + b"2"))  # O_EXCL, as HotSpot does it
    put(dumps, "app.log", b"no")
    watch.wait("shipped", 2)
    # Changed, it is looked at again.
    with open(dumps / "app.log", "wb") as out:
        out.write(HEADS["app.hprof"])
    watch.wait("shipped", 3)
    # Just closed, and the end comes.
    sums.append(put(dumps, "late", HEADS["app.hprof"] + b"3"))
    assert watch.stop() == 0
    assert set(sums) < {m["sha256"] for _, m in folder.manifests()} and left_in(dumps) == []


def test_a_writer_may_rename_a_file_of_any_name(salvage, dumps, folder):
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("started")
    for n in range(3):
        put(dumps, "copy.%d" % n, HEADS["app.hprof"] + b"%d" % n)
        time.sleep(0.3)
        os.rename(dumps / ("copy.%d" % n), dumps / ("app-%d.hprof" % n))
    watch.wait("shipped", 3)
    assert watch.stop() == 0
    assert sorted(m["name"] for _, m in folder.manifests()) == ["app-%d.hprof" % n for n in range(3)]
