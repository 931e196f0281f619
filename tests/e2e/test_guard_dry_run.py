# SPDX-License-Identifier: Apache-2.0
"""salvage guard --dry-run: which rules it reports for processes that grow by steps, by the kernel's notices and by polling;
and that it takes no action."""
import fcntl
import json
import os
import queue
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

import pytest

from helpers.proc import require_root, wait_for
from helpers.program import BIN
from helpers.supervised import MemoryCgroup, in_terminal

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

    def ask(self, size):
        self.process.stdin.write("%d\n" % size)
        self.process.stdin.flush()

    def grow(self, size):
        """False if it was killed over it."""
        self.ask(size)
        return self.process.stdout.readline() == "grown\n"

    def close(self):
        self.process.kill()
        self.process.communicate()


class DryRun:
    """With --json: its samples as they come."""

    def __init__(self, cgroup, *args, before=()):
        where = ["--pid", cgroup] if isinstance(cgroup, int) else ["--cgroup", cgroup]
        self.process = subprocess.Popen([*before, BIN, "guard", "--dry-run", "--json", *map(str, [*where, *args])],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.seen, self.lines = [], queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.first = self.wait(lambda sample: True)

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def wait(self, wanted, timeout=10):
        """The next sample of which this is true."""
        end = time.monotonic() + timeout
        while True:
            try:
                sample = self.lines.get(timeout=max(end - time.monotonic(), 0.001))
            except queue.Empty:
                self.process.kill()
                raise AssertionError("not in %s, %s" % (self.seen, self.process.stderr.read())) from None
            self.seen.append(sample)
            if wanted(sample):
                return sample

    def has_shown(self, wanted):
        """Whether such a sample waits to be read."""
        return any(wanted(sample) for sample in list(self.lines.queue))

    def close(self):
        self.process.kill()
        self.process.communicate()


def holds(sample, condition=0):
    return sample["conditions"][condition]["holds"]


def noticed(name):
    return lambda sample: name in sample.get("notices", [])


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


RARELY = ["--interval", "1h"]  # what is shown then is a notice or a change


def test_a_threshold_is_noticed_by_the_kernel(version_1, started):
    grower = started(Grower(version_1))
    run = started(DryRun(version_1.folder, "--when", "memory>=64M", *RARELY))
    assert run.first["cgroup"] == 1 and run.first["memory"]["limit"] == 96 * MIB and holds(run.first) is False
    assert run.first["kernel_notices"] == "v1.usage v1.pressure v1.oom psi"
    time.sleep(1)  # its notices are opened one after the other
    grower.grow(70 * MIB)
    run.wait(noticed("v1.usage"))
    over = run.seen[-1] if holds(run.seen[-1]) else run.wait(holds)
    term, = over["conditions"][0]["terms"]
    assert term["term"] == "memory>=64M" and term["value"] >= term["threshold"] == 64 * MIB
    grower.grow(0)
    run.wait(lambda sample: holds(sample) is False)


def test_a_threshold_that_caches_reach_first_is_seen_later(version_1, started, tmp_path):
    grower = started(Grower(version_1))
    subprocess.run([*version_1.entry, "dd", "if=/dev/zero", "of=%s" % (tmp_path / "cached"), "bs=1M", "count=32"],
                   check=True, stderr=subprocess.DEVNULL)
    run = started(DryRun(version_1.folder, "--when", "memory>=64M", *RARELY))
    time.sleep(1)
    grower.grow(32 * MIB)
    run.wait(noticed("v1.usage"))
    assert not any(map(holds, run.seen)) and not run.has_shown(holds)
    grower.grow(34 * MIB)
    run.wait(holds)


def test_a_kill_is_noticed_and_counted(version_1, started):
    grower = started(Grower(version_1))
    run = started(DryRun(version_1.folder, "--when", "event:oom-kill", "--when", "pressure=low", *RARELY))
    time.sleep(1)
    assert grower.grow(50 * MIB)
    assert not grower.grow(100 * MIB)
    kill = run.wait(lambda sample: "oom-kill" in sample["events"])
    assert holds(kill, 0) is True
    assert any(map(noticed("v1.oom"), run.seen))
    if not any(holds(sample, 1) for sample in run.seen):  # by a thread of the kernel's, at any time
        run.wait(lambda sample: holds(sample, 1))


def test_a_cgroup_that_is_held_stands_still_and_goes_on(version_1, started):
    (version_1.folder / "memory.oom_control").write_text("1", encoding="ascii")
    grower = started(Grower(version_1))
    run = started(DryRun(version_1.folder, "--when", "event:oom", *RARELY))
    time.sleep(1)
    grower.ask(110 * MIB)
    run.wait(noticed("v1.oom"))
    assert not any("oom-kill" in sample["events"] for sample in run.seen)
    version_1.set_limit(200 * MIB)
    assert grower.process.stdout.readline() == "grown\n"
    run.wait(lambda sample: sample["memory"]["limit"] == 200 * MIB)


def test_the_end_of_a_cgroup_is_no_kill(cgroup, started):
    run = started(DryRun(cgroup.folder, "--when", "event:oom"))
    cgroup.folder.rmdir()
    run.wait(lambda sample: sample["gone"])
    assert run.process.wait(10) == 0
    cgroup.folder.mkdir()  # for the fixture; and another one by then
    assert not any(sample.get("events") for sample in run.seen)


@pytest.mark.serial
def test_polls_come_the_more_often_the_nearer_the_limit(cgroup, started):
    grower = started(Grower(cgroup))
    run = started(DryRun(cgroup.folder, "--when", "memory>=90%", "--interval", "100ms"))
    first = run.first["memory"]
    assert first["room"] < 96 * MIB and first["growth"] == 0 and run.first["next_ms"] > 200
    # Usage counts what the kernel can drop, and the threshold does not.
    while not run.has_shown(holds):
        assert grower.grow(MIB)
        time.sleep(0.02)
    over = run.wait(holds)
    assert over["memory"]["used"] - 96 * MIB * 9 / 10 < 4 * MIB, "seen at once"
    assert over["next_ms"] <= 200 and 15 * MIB < over["memory"]["growth"] < 80 * MIB
    assert over["memory"]["oom_in_ms"] < 1000


def test_the_pods_limit_counts_where_it_is_nearer(cgroup, started):
    inner = started(MemoryCgroup(500 * MIB, parent=cgroup))
    grower = started(Grower(inner))
    run = started(DryRun(grower.process.pid, "--interval", "200ms"))
    assert run.first["levels"] >= 2 and run.first["memory"]["level"] == 1
    assert run.first["memory"]["limit"] == 96 * MIB
    grower.grow(50 * MIB)
    run.wait(lambda sample: sample["memory"]["used"] > 50 * MIB)


def test_a_limit_that_changes_is_shown(cgroup, started):
    grower = started(Grower(cgroup))
    grower.grow(70 * MIB)
    run = started(DryRun(cgroup.folder, *RARELY))
    cgroup.set_limit(300 * MIB)
    run.wait(lambda sample: sample["memory"]["limit"] == 300 * MIB)


IN_A_SIDECAR = ["unshare", "--mount", "sh", "-c"]


def test_mounts_that_are_read_only_leave_polling(version_1, started):
    grower = started(Grower(version_1))
    run = started(DryRun(version_1.folder, "--when", "memory>=64M", *RARELY, before=[
        *IN_A_SIDECAR, 'mount -o remount,bind,ro /sys/fs/cgroup/memory && exec "$@"', "sh"]))
    assert "not v1.usage (cgroup.event_control: Read-only file system)" in run.first["kernel_notices"]
    grower.grow(70 * MIB)
    assert run.wait(holds)["notices"] == []


@pytest.mark.parametrize("cover", ["umount /sys/fs/cgroup/memory", "mount -t tmpfs none /sys/fs/cgroup"])
def test_a_cgroup_that_we_do_not_see_is_read_through_the_process(version_1, started, cover):
    grower = started(Grower(version_1))
    run = started(DryRun(grower.process.pid, before=[*IN_A_SIDECAR, cover + ' && exec "$@"', "sh"]))
    assert run.first["kernel_notices"].startswith("v1.usage")
    assert run.first["memory"]["limit"] == 96 * MIB and 0 < run.first["memory"]["used"] < 96 * MIB


def test_what_a_process_laid_over_its_cgroups_is_not_read(version_1, started):
    """A container may mount what it likes: neither it nor we show the cgroup then."""
    lie = "mkdir -p /sys/fs/cgroup/memory%s && echo 1 >/sys/fs/cgroup/memory%s/memory.limit_in_bytes" % (
        ("/" + str(version_1.folder.relative_to("/sys/fs/cgroup/memory")),) * 2)
    liar = subprocess.Popen([*version_1.entry, *IN_A_SIDECAR,
                             "mount -t tmpfs none /sys/fs/cgroup && %s && echo up && exec sleep 60" % lie],
                            stdout=subprocess.PIPE, text=True)
    try:
        assert liar.stdout.readline() == "up\n"
        seen = subprocess.run([*IN_A_SIDECAR, 'umount /sys/fs/cgroup/memory && exec "$@"', "sh", BIN, "guard",
                               "--dry-run", "--pid", str(liar.pid)], capture_output=True, text=True, timeout=20, check=False)
        assert seen.returncode != 0 and "cannot see the memory cgroup" in seen.stderr and seen.stdout == ""
    finally:
        liar.kill()
        liar.communicate()


def test_a_rule_that_holds_triggers_once_and_says_what_it_would_do(cgroup, started):
    grower = started(Grower(cgroup))
    grower.grow(60 * MIB)
    run = started(DryRun(cgroup.folder, "--when", "memory>=50%", "--do", "stats,threads@5s", "--lend", "16M", "--hold",
                         "--interval", "100ms"))
    assert run.first["answer"] == "trigger" and run.first["why"].startswith("memory>=50%: memory 6")
    assert run.first["case"] == {"pid": grower.process.pid, "actions": ["stats", "threads@5s"], "lend": 16 * MIB,
                                 "hold_ms": 30000}
    for _ in range(5):
        assert run.wait(lambda sample: True)["answer"] == "quiet"
    grower.grow(0)
    run.wait(lambda sample: sample["memory"]["used"] < 20 * MIB)  # by the margin
    grower.grow(60 * MIB)
    assert "the cool-down after the last case" in run.wait(lambda sample: sample["answer"] == "wait")["why"]
    assert cgroup.oom_kills == 0 and grower.grow(1)


def test_nothing_is_changed_attached_to_or_written(cgroup, started, tmp_path):
    """It is traced: nothing but its output and the kernel's notices is written to, no process is started or signalled."""
    grower = started(Grower(cgroup))
    grower.grow(60 * MIB)
    trace = tmp_path / "trace"
    subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=openat,open,creat,kill,tgkill,execve,fork,vfork,clone,clone3,"
                    "socket,mkdir,mkdirat,rename,renameat2,unlink,unlinkat,ptrace", BIN, "guard", "--dry-run", "--json",
                    "--cgroup", cgroup.folder, "--when", "memory>=50%", "--lend", "16M", "--hold", "--interval", "100ms",
                    "--for", "1s"], check=True, stdout=subprocess.DEVNULL)
    lines = trace.read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if "execve(" in line]) == 1
    assert not [line for line in lines if re.search(r"(fork|clone3?|socket|mkdir(at)?|creat|ptrace|tgkill|rename|unlink)\w*\(", line)]
    assert all(", 0) = 0" in line for line in lines if "kill(" in line)
    written = {re.search(r'"([^"]*)"', line)[1] for line in lines if re.search(r"O_(WRONLY|RDWR)", line)}
    assert all(re.search(r"cgroup.event_control$|memory.pressure$|/pressure/memory$", name) for name in written), written
    limit = "memory.max" if cgroup.v2 else "memory.limit_in_bytes"
    assert int((cgroup.folder / limit).read_text(encoding="ascii")) == 96 * MIB


def test_a_pipe_gets_a_line_for_each_change(cgroup, started):
    grower = started(Grower(cgroup))
    run = subprocess.Popen([BIN, "guard", "--dry-run", "--cgroup", cgroup.folder, "--when", "memory>=50%", "--do", "stats",
                            "--interval", "50ms"], stdout=subprocess.PIPE, text=True)
    try:
        first = run.stdout.readline()
        assert " | memory>=50% no (" in first and first.startswith("20") and "\033" not in first
        grower.grow(60 * MIB)
        second = run.stdout.readline()
        assert " | memory>=50% yes (" in second and "| triggered, process %d: " % grower.process.pid in second
        assert second.endswith("would take stats\n")
        time.sleep(0.5)
        run.send_signal(signal.SIGINT)
        assert run.stdout.read() == "" and run.wait(10) == 0
    finally:
        run.kill()
        run.communicate()


def test_a_terminal_gets_a_table_that_is_refreshed_in_place(cgroup, started, tmp_path):
    grower = started(Grower(cgroup))
    grower.grow(60 * MIB)
    run, terminal = in_terminal([BIN, "guard", "--dry-run", "--cgroup", str(cgroup.folder), "--when", "memory>=50%",
                                 "--interval", "100ms"], {**os.environ, "TERM": "xterm"}, str(tmp_path))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 70, 0, 0))
    out = b""
    while out.count(b"\033[J") < 4:
        out += os.read(terminal, 4096)
    os.write(terminal, b"\003")
    assert wait_for(lambda: run.poll() is not None) and run.returncode == 0
    os.close(terminal)
    last = out.decode().split("\033[J")[2]
    assert re.match(r"\033\[\d+A", last), last
    plain = [re.sub(r"\033\[[0-9]*[mKA]", "", row) for row in last.split("\r\n")]
    assert max(map(len, plain)) <= 70 and "\033[31m  yes" in last
    assert any(re.match(r"  yes +memory>=50% +6\d", row) for row in plain), plain
    assert any(row.startswith("  triggered 20") for row in plain) and plain[1].startswith("a case would take stats")


@pytest.mark.parametrize("args, why", [
    ([], "what is to be watched?"),
    (["--cgroup", "/nowhere"], "No such file"),
    (["--cgroup", "/tmp"], "not a memory cgroup"),
    (["--pid", "4194305"], "no such process"),
    (["--when", "memory>=0%", "--pid", str(os.getpid())], "not a share"),
    (["--do", "lots", "--pid", str(os.getpid())], "lots"),
])
def test_bad_words_get_a_line(args, why):
    run = subprocess.run([BIN, "guard", "--dry-run", *args], capture_output=True, text=True, timeout=20, check=False)
    assert run.returncode != 0 and why in run.stderr and len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize("option", ["--json", "--interval=1s", "--for=1s"])
def test_its_options_are_for_it_alone(option):
    run = subprocess.run([BIN, "guard", option, "--pid", str(os.getpid()), "--to", "file:///tmp"], capture_output=True,
                         text=True, timeout=20, check=False)
    assert run.returncode == 2 and "is for --dry-run" in run.stderr
