# SPDX-License-Identifier: Apache-2.0
"""run, guard and watch --arm attach to JVMs before these reach a limit of threads: at the limit HotSpot exits when it is
attached to for the first time, but answers if it was attached to before. With a real limit of the pids controller."""
import os
import pathlib
import re
import signal
import subprocess
import time
import uuid

import pytest

from helpers import hprof, jvm
from helpers.cell import Cell
from helpers.proc import children, cmdline, require_root, wait_for
from helpers.program import environment
from helpers.supervised import Supervised

REFUSED = 45
ROOM = 150  # a JVM begins with 20 to 40 threads
NEVER = ["--when", "memory>=1000G"]


@pytest.fixture
def pids():
    """A cgroup with a limit of processes; what has to stand before a command line for it to run there."""
    require_root("makes a cgroup")
    v1 = pathlib.Path("/sys/fs/cgroup/pids")
    above = v1 if v1.is_dir() else pathlib.Path("/sys/fs/cgroup")
    if not v1.is_dir():
        (above / "cgroup.subtree_control").write_text("+pids", encoding="ascii")
    folder = above / ("salvage-e2e-" + uuid.uuid4().hex[:12])
    folder.mkdir()
    (folder / "pids.max").write_text(str(ROOM), encoding="ascii")
    yield ["sh", "-c", 'echo 0 >"$0/cgroup.procs" && exec "$@"', str(folder)]

    def removed():
        for pid in (folder / "cgroup.procs").read_text(encoding="ascii").split():
            os.kill(int(pid), signal.SIGKILL)
        try:
            folder.rmdir()
        except OSError:
            return False
        return True
    wait_for(removed, why="the cgroup is still in use")


class App:
    """Threads, in that cgroup."""

    def __init__(self, classes, before, jdk=jvm.JDK_17, args=(), start=subprocess.Popen, home="/"):
        self.process = start([*before, *command(classes, jdk, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             env=environment(home), cwd="/")
        self.pid = self.process.pid
        self.wait("ready")

    def wait(self, line):
        for got in iter(self.process.stdout.readline, b""):
            if got == line.encode() + b"\n":
                return
        raise AssertionError("it ended with %s before it said %r" % (self.process.wait(), line))

    def fill(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self.wait("full")

    @property
    def listens(self):
        return os.path.exists("/tmp/.java_pid%d" % self.pid)

    def close(self):
        self.process.kill()
        self.process.communicate()
        pathlib.Path("/tmp/.java_pid%d" % self.pid).unlink(missing_ok=True)


def command(classes, jdk, args=()):
    return [jdk + "/bin/java", "-Xmx32m", "-Xss256k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", str(classes), "Threads", *args]


@pytest.fixture
def app(java_classes, pids):
    started = []

    def start(before=pids, **how):
        started.append(App(java_classes, before, **how))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture(params=jvm.JDKS, ids=jvm.name)
def any_jdk(request):
    return request.param


def is_asked_at_the_limit(salvage, one, work):
    assert "Full thread dump" in salvage.ok("jvm", "threads", one.pid).out
    salvage.ok("jvm", "dump", one.pid, "--out", work / "full.hprof")
    assert hprof.problem((work / "full.hprof").read_bytes()) is None
    assert one.process.poll() is None


def test_a_guarded_jvm_answers_at_its_limit_of_threads(salvage, folder, work, app, any_jdk):
    one, other = app(jdk=any_jdk), app(before=[], jdk=any_jdk)
    p = salvage.start("guard", "--pid", one.pid, *NEVER, "--to", folder.url, "--log", "json")
    wait_for(lambda: one.listens)
    one.fill()
    is_asked_at_the_limit(salvage, one, work)
    assert not other.listens, "it is in no group that is guarded"
    helper, = [pid for pid in children(p.pid) if b"guard-attach" in cmdline(pid)]
    assert p.stop() == 0 and not p.named("not-attached")
    wait_for(lambda: b"guard-attach" not in cmdline(helper), why="it outlives the guard")


def test_a_guard_that_asks_no_jvm_attaches_to_none(salvage, folder, app):
    one = app()
    p = salvage.start("guard", "--pid", one.pid, *NEVER, "--do", "stats,core", "--to", folder.url, "--log", "json")
    p.wait("guarding")
    time.sleep(1)
    assert not [pid for pid in children(p.pid) if b"guard-attach" in cmdline(pid)] and not one.listens
    assert p.stop() == 0


def test_a_jvm_that_is_at_its_limit_already_is_left_alone_and_named(salvage, folder, app, any_jdk):
    one = app(jdk=any_jdk)
    one.fill()
    p = salvage.start("guard", "--pid", one.pid, *NEVER, "--rescan", "200ms", "--to", folder.url, "--log", "json")
    event = p.wait("not-attached", pid=one.pid)
    assert event["fault"] == "refused" and "%d of %d used, pids.max" % (ROOM, ROOM) in event["error"]
    time.sleep(1)
    assert one.process.poll() is None and not one.listens and len(p.named("not-attached")) == 1
    assert salvage.run("jvm", "threads", "--timeout", "2s", one.pid).code == REFUSED and one.process.poll() is None
    assert p.stop() == 0


def test_the_process_that_attaches_is_started_again(salvage, folder, app):
    one = app()
    p = salvage.start("guard", "--pid", one.pid, *NEVER, "--to", folder.url, "--log", "json")
    wait_for(lambda: one.listens)
    helper, = [pid for pid in children(p.pid) if b"guard-attach" in cmdline(pid)]
    os.kill(helper, signal.SIGKILL)
    assert p.wait("arm-died")["error"] == "it was killed by signal 9"
    wait_for(lambda: [pid for pid in children(p.pid) if b"guard-attach" in cmdline(pid) and pid != helper])
    assert p.stop() == 0


def test_a_jvm_that_a_watch_armed_answers_at_its_limit_of_threads(salvage, folder, dumps, pids, java_classes):
    cell = Cell(salvage.home)
    try:
        watch = cell.start_salvage("watch", dumps, "--arm", "--to", folder.url)
        process = cell.start(*pids, *command(java_classes, jvm.JDK_17), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             env=environment(cell.home), cwd=cell.home)
        assert process.stdout.readline() == b"ready\n"
        pid = cell.inner(cell.inside(process))
        watch.wait("armed", pid=pid)
        process.stdin.write(b"\n")
        process.stdin.flush()
        while process.stdout.readline() != b"full\n":
            assert process.poll() is None
        assert "Full thread dump" in cell.salvage("jvm", "threads", pid).out
        event = watch.wait("near-limit", pid=pid)
        assert "error" not in event and event["limit"] == ROOM
        process.kill()
        wait_for(lambda: len(folder.manifests()) >= 2)
        are_threads_and_histogram(folder)
    finally:
        cell.close()


def are_threads_and_histogram(folder):
    """They were taken while the JVM was near its limit, or at it."""
    taken = {m["kind"]: folder.check(key, m) for key, m in folder.manifests() if m["cause"] == "pressure"}
    assert sorted(taken) == ["class-histogram", "thread-dump"]
    for text in taken.values():
        assert re.match(rb"# salvage: JVM \d+ comes near its limit of threads: \d+ of %d, pids.max" % ROOM, text)
    assert b"Full thread dump" in taken["thread-dump"] and b"java.lang.Thread" in taken["class-histogram"]


class Run(Supervised):
    """run with Threads under it, in that cgroup; the pid of the JVM is the application's. What is said is in the log."""

    def __init__(self, salvage, store, work, pids, app, *options):
        self.fifo = work / "fifo"
        os.mkfifo(self.fifo)
        script = 'exec "$@" <"$0" >&2'
        super().__init__(salvage.home, store, work / "area", ["sh", "-c", script, str(self.fifo), *pids, *app], *options)
        salvage.watches.append(self)
        self.stdin = open(self.fifo, "wb", buffering=0)
        wait_for(lambda: "ready\n" in self.lines)
        self.java = self.child(b"Threads")

    def fill(self):
        self.stdin.write(b"\n")
        wait_for(lambda: "full\n" in self.lines)

    def close(self):
        """A JVM without a thread to spare does not take a SIGTERM."""
        os.kill(self.java, signal.SIGKILL)
        assert self.ended()[1]["status"] == 137
        self.stdin.close()


@pytest.mark.parametrize("how", ["attach", "env"])
def test_a_jvm_below_run_answers_at_its_limit_of_threads(salvage, folder, work, pids, java_classes, any_jdk, how):
    p = Run(salvage, folder, work, pids, command(java_classes, any_jdk), "--jvm", how)
    if how == "attach":
        p.wait("armed", pid=p.java)
    p.fill()
    assert "Full thread dump" in salvage.ok("jvm", "threads", p.java).out
    assert "error" not in p.wait("near-limit", pid=p.java)
    p.close()
    are_threads_and_histogram(folder)
    assert sorted(m["kind"] for _, m in folder.manifests()) == ["class-histogram", "jvm-end", "thread-dump"]


@pytest.mark.parametrize("turn", range(3))
def test_a_jvm_that_fills_its_limit_at_once_lives_on(salvage, folder, work, pids, java_classes, any_jdk, turn):
    """It may be attached to or not: never does it end of it."""
    p = Run(salvage, folder, work, pids, command(java_classes, any_jdk, ["now"]))
    wait_for(lambda: "full\n" in p.lines)
    time.sleep(0.5)
    assert not p.named("ended") and not p.named("died"), p.log
    p.close()
