# SPDX-License-Identifier: Apache-2.0
"""What the kernel tells of a memory cgroup, and what samples say: processes that grow by steps in cgroups made here."""
import json
import os
import queue
import subprocess
import sys
import threading
import time

import pytest

from helpers.proc import require_root
from helpers.program import BIN
from helpers.supervised import MemoryCgroup

MIB = 1 << 20
GROW = """import sys
kept = []
print("up", flush=True)
for line in sys.stdin:
    kept.append(bytearray(b"x") * int(line)) if int(line) > 0 else kept.clear()
    print("grown", flush=True)"""


class Grower:
    """A process in the cgroup that takes memory when it is told to."""

    def __init__(self, cgroup):
        self.process = subprocess.Popen([*cgroup.entry, sys.executable, "-c", GROW], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "up\n"

    def tell(self, size):
        self.process.stdin.write("%d\n" % size)
        self.process.stdin.flush()

    def grow(self, size):
        """False if it was killed over it."""
        self.tell(size)
        return self.process.stdout.readline() == "grown\n"

    def close(self):
        self.process.kill()
        self.process.communicate()


class Memwatch:
    def __init__(self, *args, before=()):
        self.process = subprocess.Popen([*before, BIN, "memwatch", *map(str, args)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.seen, self.lines = [], queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.start = self.wait("start")

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def wait(self, event, timeout=10, **pairs):
        """The next line of an event with these pairs, or with a word in them."""
        end = time.monotonic() + timeout
        while True:
            try:
                line = self.lines.get(timeout=max(end - time.monotonic(), 0.001))
            except queue.Empty:
                self.process.kill()
                raise AssertionError("no %s %s in %s, %s" % (event, pairs, self.seen,
                                                            self.process.stderr.read())) from None
            self.seen.append(line)
            if line["event"] == event and all(value in line[key].split() if isinstance(value, str) else
                                              line[key] == value for key, value in pairs.items()):
                return line

    def has_said(self, event):
        """Whether such a line waits to be read."""
        return any(line["event"] == event for line in list(self.lines.queue))

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def cgroup():
    require_root("makes a cgroup")
    made = MemoryCgroup(96 * MIB)
    yield made
    made.close()


@pytest.fixture
def version_1(cgroup):
    if cgroup.v2:
        pytest.fail("this machine has no cgroup v1; scripts/test --only vm looks at v2")
    return cgroup


@pytest.fixture
def started():
    """What is to be closed at the end, the last first."""
    things = []

    def start(thing):
        things.append(thing)
        return thing
    yield start
    for thing in reversed(things):
        thing.close()


def test_a_threshold_is_told_by_the_kernel(version_1, started):
    grower = started(Grower(version_1))
    watch = started(Memwatch("--threshold", "64M", "--interval", "1h", version_1.folder))
    assert watch.start["version"] == 1 and watch.start["limit"] == 96 * MIB
    assert watch.start["signals"] == "v1.usage v1.pressure v1.oom psi"
    grower.grow(70 * MIB)
    watch.wait("signal", signal="v1.usage", what="crossed")
    over = watch.wait("threshold")
    assert over["over"] is True and over["used"] >= 64 * MIB
    grower.grow(0)
    assert watch.wait("threshold")["over"] is False


def test_a_threshold_that_caches_reach_first_is_seen_later(version_1, started, tmp_path):
    grower = started(Grower(version_1))
    subprocess.run([*version_1.entry, "dd", "if=/dev/zero", "of=%s" % (tmp_path / "cached"), "bs=1M", "count=32"],
                   check=True, stderr=subprocess.DEVNULL)
    watch = started(Memwatch("--threshold", "64M", "--interval", "1h", version_1.folder))
    grower.grow(32 * MIB)
    watch.wait("signal", signal="v1.usage", what="crossed")
    assert not watch.has_said("threshold")
    grower.grow(34 * MIB)
    assert watch.wait("threshold")["over"] is True


def test_a_kill_is_told_by_pressure_and_by_the_counter(version_1, started):
    grower = started(Grower(version_1))
    watch = started(Memwatch("--pressure", "low", version_1.folder))
    assert grower.grow(50 * MIB)
    assert not grower.grow(100 * MIB)
    kill = watch.wait("signal", signal="v1.oom", what="oom_kill")
    assert kill["oom_kills"] == 1
    if not any(line.get("signal") == "v1.pressure" for line in watch.seen): # told by a thread of the kernel, any time
        watch.wait("signal", signal="v1.pressure")


def test_a_cgroup_that_is_held_stands_still_and_goes_on(version_1, started):
    (version_1.folder / "memory.oom_control").write_text("1", encoding="ascii")
    grower = started(Grower(version_1))
    watch = started(Memwatch(version_1.folder))
    grower.tell(110 * MIB)
    assert watch.wait("signal", signal="v1.oom", what="under_oom")["oom_kills"] == 0
    version_1.set_limit(200 * MIB)
    assert grower.process.stdout.readline() == "grown\n"
    assert watch.wait("limit")["limit"] == 200 * MIB


def test_the_end_of_a_cgroup_is_no_kill(cgroup, started):
    watch = started(Memwatch(cgroup.folder))
    watch.wait("sample")
    cgroup.folder.rmdir()
    watch.wait("gone")
    assert watch.process.wait(10) == 0
    cgroup.folder.mkdir() # for the fixture; and another one by then
    assert not any("oom" in line.get("what", "").split() for line in watch.seen)


@pytest.mark.serial
def test_samples_come_the_more_often_the_nearer_the_limit(cgroup, started):
    grower = started(Grower(cgroup))
    watch = started(Memwatch("--no-signals", cgroup.folder))
    first = watch.wait("sample")
    assert first["room"] < 96 * MIB and first["next_ms"] > 500 and first["speed"] == 0
    # Usage counts what the kernel can drop, and the threshold does not: how much that is nobody knows.
    while not watch.has_said("threshold"):
        assert grower.grow(MIB)
        time.sleep(0.02)
    over = watch.wait("threshold", over=True)
    assert over["by"] == "sample"
    assert over["used"] - 96 * MIB * 9 / 10 < 4 * MIB, "seen at once"
    near = watch.wait("sample")
    assert near["next_ms"] <= 200 and 15 * MIB < near["speed"] < 80 * MIB and near["oom_in_ms"] < 1000


def test_the_pods_limit_counts_where_it_is_nearer(cgroup, started):
    inner = started(MemoryCgroup(500 * MIB, parent=cgroup))
    grower = started(Grower(inner))
    watch = started(Memwatch(grower.process.pid))
    assert watch.start["limit"] == 96 * MIB and watch.start["levels"] >= 2
    sample = watch.wait("sample")
    assert sample["level"] == 1 and sample["limit"] == 96 * MIB
    grower.grow(50 * MIB)
    sample = watch.wait("sample")
    assert sample["used"] > 50 * MIB


def test_a_limit_that_changes_is_told(cgroup, started):
    grower = started(Grower(cgroup))
    grower.grow(70 * MIB)
    watch = started(Memwatch(cgroup.folder))
    watch.wait("sample")
    cgroup.set_limit(300 * MIB)
    assert watch.wait("limit", timeout=3)["limit"] == 300 * MIB
    assert watch.wait("sample")["limit"] == 300 * MIB


IN_A_SIDECAR = ["unshare", "--mount", "sh", "-c"]


def test_mounts_that_are_read_only_leave_samples(version_1, started):
    grower = started(Grower(version_1))
    watch = started(Memwatch("--threshold", "64M", version_1.folder, before=[
        *IN_A_SIDECAR, 'mount -o remount,bind,ro /sys/fs/cgroup/memory && exec "$@"', "sh"]))
    assert "not v1.usage (cgroup.event_control: Read-only file system)" in watch.start["signals"]
    grower.grow(70 * MIB)
    over = watch.wait("threshold")
    assert over["over"] is True and over["by"] == "sample"


@pytest.mark.parametrize("cover", ["umount /sys/fs/cgroup/memory", "mount -t tmpfs none /sys/fs/cgroup"])
def test_a_cgroup_that_we_do_not_see_is_looked_at_through_the_process(version_1, started, cover):
    grower = started(Grower(version_1))
    watch = started(Memwatch(grower.process.pid, before=[*IN_A_SIDECAR, cover + ' && exec "$@"', "sh"]))
    assert watch.start["limit"] == 96 * MIB and watch.start["signals"].startswith("v1.usage")
    assert 0 < watch.wait("sample")["used"] < 96 * MIB


def test_what_a_process_laid_over_its_cgroups_is_not_read(version_1, started):
    """A container may mount what it likes: neither it nor we show the cgroup then."""
    lie = "mkdir -p /sys/fs/cgroup/memory%s && echo 1 >/sys/fs/cgroup/memory%s/memory.limit_in_bytes" % (
        ("/" + str(version_1.folder.relative_to("/sys/fs/cgroup/memory")),) * 2)
    liar = subprocess.Popen([*version_1.entry, *IN_A_SIDECAR,
                             "mount -t tmpfs none /sys/fs/cgroup && %s && echo up && exec sleep 60" % lie],
                            stdout=subprocess.PIPE, text=True)
    try:
        assert liar.stdout.readline() == "up\n"
        seen = subprocess.run([*IN_A_SIDECAR, 'umount /sys/fs/cgroup/memory && exec "$@"', "sh", BIN, "memwatch",
                               str(liar.pid)], capture_output=True, text=True, timeout=20, check=False)
        assert seen.returncode != 0 and "can't be seen" in seen.stderr and seen.stdout == ""
    finally:
        liar.kill()
        liar.communicate()


@pytest.mark.parametrize("args, why", [
    ([], "of what?"),
    (["/nowhere"], "No such file"),
    (["/tmp"], "no memory cgroup"),
    (["4194305"], "No such process"),
    (["--threshold", "0%", str(os.getpid())], "no share"),
    (["--threshold", "lots", str(os.getpid())], "no size"),
    (["--stall", "2s", str(os.getpid())], "--stall"),
])
def test_bad_words_get_a_story(args, why):
    said = subprocess.run([BIN, "memwatch", *args], capture_output=True, text=True, timeout=20, check=False)
    assert said.returncode != 0 and why in said.stderr and len(said.stderr.splitlines()) == 1
