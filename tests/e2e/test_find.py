# SPDX-License-Identifier: Apache-2.0
"""Which files watch takes, and which it leaves alone."""
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from helpers.evidence import HEADS, drop, left_in, put
from helpers.program import BIN, NOBODY, environment
from helpers.proc import require_root, wait_for


def test_files_from_before_the_start_are_found(salvage, dumps, folder):
    sums = [drop(dumps, "old-%d.hprof" % n) for n in range(3)]
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("shipped", 3)
    sums.append(drop(dumps, "new.hprof"))
    watch.wait("shipped", 4)
    assert watch.stop() == 0
    folder.check_all(sums)
    assert left_in(dumps) == []


def test_a_file_that_is_moved_in_is_found(salvage, work, dumps, folder):
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("started")
    total = drop(work, "made-elsewhere.hprof")
    os.rename(work / "made-elsewhere.hprof", dumps / "app.hprof")
    watch.wait("shipped")
    assert watch.stop() == 0
    assert folder.check_one(total)["name"] == "app.hprof"


def test_a_file_is_left_alone_while_it_is_written(salvage, dumps, folder):
    watch = salvage.watch(dumps, *folder.options(), "--settle", "0")
    watch.wait("started")
    with open(dumps / "app.hprof", "wb", buffering=0) as out:
        out.write(b"JAVA PROFILE 1.0.2\0")
        total = drop(dumps, "other.hprof")
        watch.wait("shipped")
        assert left_in(dumps) == ["app.hprof"]
    watch.wait("shipped", 2)
    assert watch.stop() == 0
    assert len(folder.manifests()) == 2 and total in {m["sha256"] for _, m in folder.manifests()}


def test_every_sort_of_evidence_has_its_kind_and_name(salvage, dumps, folder):
    expected = {
        "app.hprof": ("heap-dump", "unknown", "heap.hprof.zst"),
        "heapdump.1.phd": ("heap-dump", "unknown", "heap.phd.zst"),
        "core": ("core", "signal", "core.zst"),
        "core.4711": ("core", "signal", "core.zst"),
        "hs_err_pid17.log": ("hs-err", "unknown", "hs_err.log.zst"),
        "javacore.20261121.txt": ("javacore", "unknown", "javacore.txt.zst"),
        "rec.jfr": ("flight-recording", "manual", "recording.jfr.zst"),
        "Heap.1.heapsnapshot": ("heap-snapshot", "unknown", "heap.heapsnapshot.zst"),
    }
    sums = [put(dumps, name, HEADS[name] + name.encode() * 100) for name in expected]
    put(dumps, "app.log", b"not evidence")
    assert salvage.watch(dumps, *folder.options(), "--once").end() == 0
    found = folder.check_all(sums)
    assert {m["name"]: (m["kind"], m["cause"], os.path.basename(m["key"])) for m in found.values()} == expected
    assert left_in(dumps) == ["app.log"]


def test_include_and_exclude_choose(salvage, dumps, folder):
    names = ["a.dump", "b.dump", "b-tmp.dump", "c.hprof", "d.trace"]
    sums = {name: put(dumps, name, name.encode()) for name in names}
    watch = salvage.watch(dumps, *folder.options(), "--once", "--include", "*.dump", "--include", "*.trace",
                          "--exclude", "*-tmp.*")
    assert watch.end() == 0
    folder.check_all([sums[name] for name in ("a.dump", "b.dump", "d.trace")])
    assert left_in(dumps) == ["b-tmp.dump", "c.hprof"]


def test_without_recursive_folders_below_are_left_alone(salvage, dumps, folder):
    (dumps / "below").mkdir()
    drop(dumps / "below", "app.hprof")
    assert salvage.watch(dumps, *folder.options(), "--once").end() == 0
    assert folder.keys() == [] and left_in(dumps / "below") == ["app.hprof"]


def test_with_recursive_folders_made_later_are_watched_too(salvage, dumps, folder):
    (dumps / "old").mkdir()
    sums = [drop(dumps / "old", "a.hprof")]
    watch = salvage.watch(dumps, *folder.options(), "--recursive")
    watch.wait("shipped")
    # What lies in a folder before its watch does is found by a scan: no gap.
    os.makedirs(dumps / "new" / "deeper" / "still")
    sums.append(drop(dumps / "new" / "deeper" / "still", "b.hprof"))
    watch.wait("shipped", 2)
    sums.append(drop(dumps / "new" / "deeper", "c.hprof"))
    watch.wait("shipped", 3)
    assert watch.stop() == 0
    folder.check_all(sums)
    assert not os.path.exists(dumps / "new" / "deeper" / ".salvage"), "one state folder for all on this file system"


def test_a_whole_tree_that_is_moved_in_is_found(salvage, work, dumps, folder):
    os.makedirs(work / "tree" / "deeper")
    sums = [drop(work / "tree", "a.hprof"), drop(work / "tree" / "deeper", "b.hprof")]
    watch = salvage.watch(dumps, *folder.options(), "--recursive")
    watch.wait("started")
    os.rename(work / "tree", dumps / "tree")
    watch.wait("shipped", 2)
    assert watch.stop() == 0
    folder.check_all(sums)


def test_a_folder_that_goes_and_comes_again_is_watched_again(salvage, dumps, folder):
    watch = salvage.watch(dumps, *folder.options(), "--recursive")
    watch.wait("started")
    sums = []
    for n in range(3):
        (dumps / "pod").mkdir()
        sums.append(drop(dumps / "pod", "app.hprof"))
        watch.wait("shipped", n + 1)
        shutil.rmtree(dumps / "pod")
    assert watch.stop() == 0
    folder.check_all(sums)


def test_several_folders_at_once(salvage, work, folder):
    folders = [work / name for name in ("one", "two", "three")]
    for each in folders:
        each.mkdir()
    watch = salvage.watch(*folders, *folder.options())
    watch.wait("started")
    sums = [drop(each, "app.hprof") for each in folders]
    watch.wait("shipped", 3)
    assert watch.stop() == 0
    found = folder.check_all(sums)
    assert sorted(m["path"] for m in found.values()) == sorted(str(each / "app.hprof") for each in folders)


def test_the_same_folder_given_twice_is_one_folder(salvage, work, dumps, folder):
    os.symlink(dumps, work / "link")
    total = drop(dumps, "app.hprof")
    assert salvage.watch(dumps, dumps, work / "link", *folder.options(), "--once").end() == 0
    folder.check_one(total)


def test_folders_on_different_file_systems(salvage, work, dumps, folder, mount_tmpfs):
    other = mount_tmpfs(work / "other", "32m")
    watch = salvage.watch(dumps, other, *folder.options())
    watch.wait("started")
    sums = [drop(dumps, "a.hprof"), drop(other, "b.hprof")]
    watch.wait("shipped", 2)
    assert watch.stop() == 0
    folder.check_all(sums)
    assert left_in(dumps) == [] and left_in(other) == []


def test_a_file_system_below_a_watched_folder(salvage, dumps, folder, mount_tmpfs):
    """A rename can't cross file systems: the claim is made beside the file."""
    below = mount_tmpfs(dumps / "below", "32m")
    sums = [drop(below, "a.hprof")]
    watch = salvage.watch(dumps, *folder.options(), "--recursive")
    watch.wait("shipped")
    sums.append(drop(below, "a.hprof"))
    watch.wait("shipped", 2)
    assert watch.stop() == 0
    folder.check_all(sums)
    assert left_in(below) == []


def test_symlinks_fifos_and_folders_are_no_evidence(salvage, work, dumps, folder):
    outside = work / "outside"
    outside.mkdir()
    drop(outside, "secret.hprof")
    os.symlink(outside / "secret.hprof", dumps / "link.hprof")
    os.symlink(outside, dumps / "folder-link")
    os.symlink("/dev/zero", dumps / "core")
    os.symlink(dumps / "nowhere", dumps / "dangling.hprof")
    os.mkfifo(dumps / "fifo.hprof")
    (dumps / "folder.hprof").mkdir()
    watch = salvage.watch(dumps, *folder.options(), "--recursive")
    watch.wait("started")
    os.symlink(outside / "secret.hprof", dumps / "link2.hprof")
    os.symlink(outside, dumps / "folder-link-2")
    os.mkfifo(dumps / "fifo2.hprof")
    total = drop(dumps, "real.hprof")
    watch.wait("shipped")
    assert watch.stop() == 0
    folder.check_one(total)
    assert left_in(outside) == ["secret.hprof"]
    assert len(left_in(dumps)) == 9


def test_a_link_that_takes_a_names_place_is_not_followed(salvage, work, dumps, folder):
    """A hostile container swaps the file for a link while we look."""
    drop(work, "secret.hprof", 200_000)
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("started")
    for n in range(50):
        with open(dumps / "app.hprof", "wb") as out:
            out.write(b"x" * n)
        os.symlink(work / "secret.hprof", dumps / "swap")
        os.replace(dumps / "swap", dumps / "app.hprof")
    drop(dumps, "end.hprof")
    wait_for(lambda: any(m["name"] == "end.hprof" for _, m in folder.manifests()), 30)
    assert watch.stop() == 0
    assert all(m["size"] < 200_000 for _, m in folder.manifests())
    assert os.path.exists(work / "secret.hprof")


def test_events_that_were_lost_are_made_up_for_by_a_scan(salvage, dumps, folder):
    """More events than the kernel's queue holds, while the watch has no time: the dump among them is found."""
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as stream:
        most = int(stream.read())
    assert most <= 100_000, "this machine's queue is too long to be filled here"
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("started")
    total = drop(dumps, "first.hprof")
    watch.wait("shipped")
    watch.process.send_signal(signal.SIGSTOP)
    for n in range(most // 2 + 1000):
        os.close(os.open("%s/%06d.log" % (dumps, n), os.O_CREAT | os.O_WRONLY, 0o644))
    more = drop(dumps, "lost.hprof")
    watch.process.send_signal(signal.SIGCONT)
    watch.wait("overflow")
    watch.wait("shipped", 2)
    assert watch.stop() == 0
    folder.check_all([total, more])


def test_a_state_folder_that_leads_elsewhere_is_not_used(salvage, work, dumps, folder):
    """A hostile container lays a link where ours would be."""
    (work / "elsewhere").mkdir()
    os.symlink(work / "elsewhere", dumps / ".salvage")
    total = drop(dumps, "app.hprof")
    watch = salvage.watch(dumps, *folder.options(), "--once")
    watch.end()
    assert os.listdir(work / "elsewhere") == []
    folder.check_one(total)


def test_a_hard_link_to_evidence_is_one_piece_of_evidence(salvage, dumps, folder):
    """The same file under two names has one id: it is stored once."""
    total = drop(dumps, "app.hprof")
    os.link(dumps / "app.hprof", dumps / "again.hprof")
    assert salvage.watch(dumps, *folder.options(), "--once").end() == 0
    folder.check_one(total)


def test_a_folder_that_cannot_be_written_is_read_in_place(salvage, dumps, store):
    """Never deleted, said once, shipped once."""
    require_root("becomes another user")
    sums = [drop(dumps, "a.hprof"), drop(dumps, "b.hprof")]
    for name in ("a.hprof", "b.hprof"):
        os.chmod(dumps / name, 0o644)
    if store.url.startswith("file://"):
        os.chmod(store.root, 0o777)
    watch = salvage.watch(dumps, *store.options(), "--settle", "0", env=store.env, uid=NOBODY)
    watch.wait("shipped", 2)
    sums.append(drop(dumps, "c.hprof"))
    os.chmod(dumps / "c.hprof", 0o644)
    watch.wait("shipped", 3)
    assert watch.stop() == 0
    assert len(watch.named("read-only-folder")) == 1
    store.check_all(sums)
    assert left_in(dumps) == ["a.hprof", "b.hprof", "c.hprof"]

    # Another run finds them in the store already.
    watch = salvage.watch(dumps, *store.options(), "--settle", "0", "--once", env=store.env, uid=NOBODY)
    assert watch.end() == 0
    assert len(watch.named("already-stored")) == 3 and not watch.named("shipped")
    store.check_all(sums)


def test_a_separate_state_folder(salvage, work, dumps, folder):
    (work / "state").mkdir()
    total = drop(dumps, "app.hprof")
    watch = salvage.watch(dumps, *folder.options(), "--state", work / "state", "--once")
    assert watch.end() == 0
    folder.check_one(total)
    assert os.listdir(dumps) == [], "nothing of ours lies in the watched folder"


def test_a_second_watch_on_the_same_folder_is_refused(salvage, dumps, folder):
    first = salvage.watch(dumps, *folder.options())
    first.wait("started")
    total = drop(dumps, "app.hprof")
    first.wait("shipped")
    second = salvage.run("watch", dumps, *folder.options(), "--once", timeout=20)
    assert second.code == 24, second
    assert "another salvage" in second.message
    assert first.stop() == 0
    folder.check_one(total)


@pytest.mark.parametrize("given", ["flag", "environment"])
def test_options_come_from_flags_and_from_the_environment(salvage, dumps, folder, given):
    total = drop(dumps, "app.hprof")
    if given == "flag":
        result = salvage.run("watch", dumps, "--to", folder.url, "--once", "--compress", "gzip:6")
    else:
        result = salvage.run("watch", dumps, env={"SALVAGE_TO": folder.url, "SALVAGE_ONCE": "1",
                                                  "SALVAGE_COMPRESS": "gzip:6"})
    assert result.code == 0, result
    assert folder.check_one(total)["codec"] == "gzip:6"


def test_single_files_may_be_named(salvage, work, dumps, folder):
    """What an application is told to write somewhere, whatever its name; its neighbours are left alone."""
    other = work / "other"
    other.mkdir()
    early = put(other, "early.bin", b"from before")
    watch = salvage.watch(dumps, "--recursive", "--file", other / "early.bin", "--file", other / "err-*.txt", "--file",
                          dumps / "odd name", *folder.options())
    watch.wait("shipped")
    sums = [early, put(other, "err-7.txt", b"an error"), put(dumps, "odd name", b"in a folder that is watched"),
            put(dumps, "app.hprof", b"which is watched all the same")]
    for name in ("app.hprof", "early.bin.1", "err-7.log", ".err-.txt"):
        put(other, name, b"not ours")
    (other / "below").mkdir()
    put(other / "below", "err-8.txt", b"nor this")
    watch.wait("shipped", 4)
    assert watch.stop() == 0
    folder.check_all(sums)
    assert left_in(other) == [".err-.txt", "app.hprof", "below", "early.bin.1", "err-7.log"]
    assert left_in(dumps) == []


def test_a_file_may_be_all_there_is_to_watch(salvage, work, folder):
    total = put(work, "a.bin", b"some bytes")
    salvage.ok("watch", "--file", "a.bin", *folder.options(), "--once", cwd=work)
    folder.check_one(total)
    result = salvage.run("watch", "--file", work / "none" / "a.bin", *folder.options(), "--once")
    assert result.code == 20 and "none" in result.message


def test_the_last_look_is_after_the_signal(salvage, dumps, folder):
    """What was closed a moment before SIGTERM came is shipped, not left."""
    for i in range(10):
        watch = salvage.watch(dumps, *folder.options())
        watch.wait("started")
        drop(dumps, "app-%d.hprof" % i)
        assert watch.stop() == 0
        assert len(folder.manifests()) == i + 1


def test_events_go_to_a_descriptor_too(salvage, dumps, folder):
    total = drop(dumps)
    out, into = os.pipe()
    with os.fdopen(out, encoding="utf-8") as lines:
        p = subprocess.run([BIN, "watch", str(dumps), *folder.options(), "--once", "--events-fd", str(into)],
                           env=environment(salvage.home), pass_fds=[into], stderr=subprocess.PIPE, check=True, timeout=60)
        os.close(into)
        events = [json.loads(line) for line in lines]
    assert [e["event"] for e in events] == re.findall(r"event=(\S+)", p.stderr.decode())
    assert [e["event"] for e in events] == ["started", "claimed", "shipped", "stopped"]
    folder.check_one(total)
    result = salvage.run("watch", dumps, *folder.options(), "--once", "--events-fd", "77")
    assert result.code == 2 and "77" in result.message
