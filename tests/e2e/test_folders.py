# SPDX-License-Identifier: Apache-2.0
"""A watched folder that is removed, renamed, made again or covered by a mount, and volumes mounted below it."""
import os
import shutil
import signal
import subprocess
import time

import pytest

from helpers.evidence import drop
from helpers.fuse import Fuse
from helpers.proc import wait_for


@pytest.mark.parametrize("how", ["removed", "renamed"])
def test_a_folder_that_is_made_again_is_watched_again(salvage, dumps, folder, how):
    watch = salvage.watch("-r", dumps, *folder.options())
    (dumps / "below").mkdir()
    first = drop(dumps / "below", "first.hprof")
    watch.wait("shipped")
    if how == "removed":
        shutil.rmtree(dumps)
    else:
        os.rename(dumps, dumps.parent / "elsewhere")
    watch.wait("folder-gone", timeout=5)
    time.sleep(0.2)
    dumps.mkdir()
    (dumps / "below").mkdir()
    second = drop(dumps / "below", "second.hprof")
    watch.wait("folder-back", timeout=5)
    watch.wait("shipped", 2, timeout=5)
    third = drop(dumps / "below", "third.hprof")
    watch.wait("shipped", 3, timeout=5)
    assert watch.stop() == 0
    folder.check_all([first, second, third])


def test_a_folder_that_is_covered_by_a_mount_is_watched_anew(salvage, dumps, folder, mount_tmpfs):
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("started")
    mount_tmpfs(dumps, "4m")
    watch.wait("folder-back", timeout=5)
    sums = [drop(dumps, "app.hprof")]
    watch.wait("shipped", timeout=5)
    assert watch.stop() == 0
    folder.check_all(sums)


def test_volumes_below_are_found_and_not_kept_busy(salvage, dumps, folder, mount_tmpfs):
    """One is there at the start, one comes when its folder has been seen."""
    for name in ("early", "late"):
        (dumps / name).mkdir()
    mount_tmpfs(dumps / "early", "4m")
    watch = salvage.watch("-r", dumps, *folder.options())
    sums = [drop(dumps / "early", "a.hprof")]
    watch.wait("shipped")
    mount_tmpfs(dumps / "late", "4m")
    (dumps / "late" / "sub").mkdir()
    sums += [drop(dumps / "late", "b.hprof"), drop(dumps / "late" / "sub", "c.hprof")]
    watch.wait("shipped", 3, timeout=10)
    for name in ("early", "late"):
        wait_for(lambda: subprocess.run(["umount", str(dumps / name)], stderr=subprocess.DEVNULL, check=False)
                 .returncode == 0, 5, name + " is busy")
    sums.append(drop(dumps / "late", "d.hprof"))
    watch.wait("shipped", 4, timeout=10)
    assert watch.stop() == 0
    folder.check_all(sums)


def test_nothing_is_left_in_a_mount_point_whose_volume_has_gone(salvage, dumps, folder):
    """FUSE mounts on an empty folder alone; what is dumped there meanwhile is taken all the same."""
    with Fuse(dumps.parent, dumps) as fuse:
        watch = salvage.watch(dumps, *folder.options(), "--settle", "1s")
        watch.wait("started")
        fuse.unmount()
        watch.wait("folder-back", timeout=5)
        time.sleep(0.2)
        assert os.listdir(dumps) == []
        fuse.start()
        watch.wait("folder-back", 2, timeout=5)
        sums = [drop(dumps, "a.hprof")]
        watch.wait("shipped", timeout=10)
        fuse.unmount()
        watch.wait("folder-back", 3, timeout=5)
        sums.append(drop(dumps, "b.hprof"))
        watch.wait("shipped", 2, timeout=10)
        assert watch.stop() == 0
    folder.check_all(sums)


def test_a_fuse_file_system_is_scanned_for_what_others_write_and_found_again_when_its_server_died(salvage, dumps, folder):
    """What comes from behind makes no notice (another host's write); a dead server makes every call fail."""
    with Fuse(dumps.parent, dumps) as fuse:
        watch = salvage.watch("-r", dumps, *folder.options(), "--settle", "1s")
        watch.wait("network-folder")
        (fuse.back / "below").mkdir()
        sums = [drop(fuse.back / "below", "a.hprof")]
        watch.wait("shipped", timeout=25)
        fuse.kill()
        fuse.unmount()
        fuse.start()
        watch.wait("folder-back", timeout=10)
        sums.append(drop(fuse.back / "below", "b.hprof"))
        watch.wait("shipped", 2, timeout=25)
        assert watch.stop() == 0
    folder.check_all(sums)


def ends_while_it_hangs(watch, fuse):
    fuse.stop()
    try:
        watch.process.send_signal(signal.SIGTERM)
        # 75: its loop was just then with the folder.
        assert watch.process.wait(15) in (0, 75)
    finally:
        fuse.go_on()


def test_a_fuse_server_that_hangs_holds_back_nothing_else(salvage, dumps, work, folder):
    """Not other folders, nor the end of the watch; and once it answers again its dumps are taken."""
    other = work / "other"
    other.mkdir()
    with Fuse(dumps.parent, dumps) as fuse:
        watch = salvage.watch("-r", dumps, other, *folder.options(), "--settle", "1s")
        watch.wait("store-ready")
        fuse.stop()
        try:
            hung = watch.wait("folder-hung", timeout=30)
            assert hung["dir"] == str(dumps) and hung["level"] == "warning"
            sums = [drop(other, "a.hprof")]
            watch.wait("shipped", timeout=10)
        finally:
            fuse.go_on()
        watch.wait("folder-back", timeout=30)
        sums.append(drop(fuse.back, "b.hprof"))
        watch.wait("shipped", 2, timeout=30)
        wait_for(lambda: not [name for name in os.listdir(fuse.back / ".salvage" / "spool")], why="it is not through")
        ends_while_it_hangs(watch, fuse)
    folder.check_all(sums)


def test_a_server_that_hangs_while_the_loop_is_with_its_files_does_not_keep_the_watch_from_its_end(salvage, dumps, folder):
    """The watch erases what it has shipped just then: in a call that does not return."""
    with Fuse(dumps.parent, dumps) as fuse:
        watch = salvage.watch(dumps, *folder.options(), "--settle", "1s", "--grace", "2s")
        watch.wait("store-ready")
        drop(dumps, "a.hprof")
        watch.wait("shipped", timeout=30)
        ends_while_it_hangs(watch, fuse)


def test_two_watches_on_one_fuse_file_system_do_not_get_along(salvage, dumps, folder):
    """Its lock is another one: what is held open there may keep a process from its end."""
    with Fuse(dumps.parent, dumps):
        watch = salvage.watch(dumps, *folder.options())
        watch.wait("started")
        assert salvage.run("watch", dumps, *folder.options(), "--once").code == 24
        assert not (dumps / ".salvage" / "lock").exists()
        assert watch.stop() == 0


def test_what_lies_below_a_renamed_folder_is_known_by_its_new_name(salvage, dumps, folder):
    (dumps / "old" / "below").mkdir(parents=True)
    watch = salvage.watch("-r", dumps, *folder.options())
    watch.wait("started")
    os.rename(dumps / "old", dumps / "new")
    total = drop(dumps / "new" / "below", "app.hprof")
    assert watch.wait("claimed", timeout=5)["path"].endswith("new/below/app.hprof")
    watch.wait("shipped")
    assert watch.stop() == 0
    folder.check_one(total)
