# SPDX-License-Identifier: Apache-2.0
"""jvm arm and watch --arm: JVMs that were started without HeapDumpOnOutOfMemoryError dump into the watched folder. Real JVMs in
a pid namespace of their own, because --all means every visible JVM. The JDK's jinfo shows what was set."""
import gzip
import json
import os
import re
import signal
import subprocess
import time

import pytest

from helpers import hprof, jvm
from helpers.cell import Cell
from helpers.evidence import left_in
from helpers.proc import children, cmdline, status, wait_for
from helpers.program import NOBODY, environment

NAME = r"[\w.-]+-%d-\d{8}T\d{6}\.\d\dZ\.hprof"


class App:
    """LaterOom: says that it is ready, runs out of memory when it is told to, and survives."""

    def __init__(self, cell, classes, jdk, *options, args=(), env=None, prefix=()):
        self.cell, self.jdk, self.said = cell, jdk, ""
        self.process = cell.start(*prefix, jdk + "/bin/java", "-Xmx24m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                                  *options, "-cp", classes, "LaterOom", *args, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment(cell.home, env),
                                  cwd=cell.home)
        self.wait("ready")
        self.outer = cell.inside(self.process)
        self.pid = cell.inner(self.outer)

    def wait(self, line):
        while not self.said.endswith(line + "\n"):
            more = self.process.stdout.readline().decode()
            assert more, "ended before it said %r: %s" % (line, self.said)
            self.said += more

    def run_out_of_memory(self):
        """Twice, as LoopOom does."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self.wait("caught 2")
        return self.said

    def jinfo(self, flag):
        """As the JVM's own tool says it: "-XX:+NAME", "-XX:NAME=value"."""
        return self.cell.run(self.jdk + "/bin/jinfo", "-flag", flag, self.pid).out.strip()

    @property
    def path(self):
        return self.jinfo("HeapDumpPath").partition("=")[2] or None

    @property
    def on(self):
        return self.jinfo("HeapDumpOnOutOfMemoryError") == "-XX:+HeapDumpOnOutOfMemoryError"

    def is_untouched(self):
        return not self.on and self.path is None

    def close(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def cell(salvage):
    cell = Cell(salvage.home)
    yield cell
    cell.close()


@pytest.fixture
def app(cell, java_classes):
    running = []

    def start(*options, jdk=jvm.JDK_17, **more):
        running.append(App(cell, java_classes, jdk, *options, **more))
        return running[-1]

    yield start
    for one in running:
        one.close()


@pytest.fixture(params=jvm.JDKS, ids=jvm.name)
def any_jdk(request):
    return request.param


def the_dump(folder, pid):
    """The one dump that lies there, whole."""
    name, = left_in(folder)
    assert re.fullmatch(NAME % pid, name), name
    assert hprof.problem((folder / name).read_bytes()) is None
    return name


def as_json(result):
    return json.loads(result.out)


# --- what it is for ----------------------------------------------------------------------------------------------------


def test_a_jvm_that_nobody_told_to_dump_dumps(cell, app, any_jdk, work):
    """In a folder with a blank in its name; and a second time, everything is found as it is."""
    folder = work / "du mps"
    folder.mkdir()
    one = app(jdk=any_jdk, env={"POD_NAME": "orders-5d9f-x2x4"})
    first = cell.salvage("jvm", "arm", one.pid, "--dir", folder)
    assert first.code == 0 and first.err == ""
    path = one.path
    assert re.fullmatch(re.escape(str(folder)) + "/orders-5d9f-x2x4" + NAME[7:] % one.pid, path)
    assert one.on
    assert first.out == "%d armed: on, HeapDumpPath=%s (was off, no HeapDumpPath)\n" % (one.pid, path)
    again = cell.salvage("jvm", "arm", one.pid, "--dir", str(folder) + "/")
    assert again.code == 0 and again.out == "%d armed already: on, HeapDumpPath=%s\n" % (one.pid, path)
    assert "Heap dump file created" in one.run_out_of_memory()
    assert the_dump(folder, one.pid) == os.path.basename(path)
    assert "Full thread dump" not in one.said


def test_a_jvm_that_has_survived_its_first_is_told_of_as_too_late(cell, app, any_jdk, dumps):
    one = app(jdk=any_jdk)
    assert "Heap dump" not in one.run_out_of_memory()
    result = cell.salvage("jvm", "arm", one.pid, "--dir", dumps)
    assert result.code == 0 and "; too late: it had an OutOfMemoryError before" in result.out


def test_two_of_the_same_command_line_leave_two_dumps(cell, app, dumps):
    both = [app(), app()]
    result = cell.salvage("jvm", "arm", "--all", "--dir", dumps)
    assert result.code == 0 and [int(line.split()[0]) for line in result.lines] == sorted(one.pid for one in both)
    for one in both:
        one.run_out_of_memory()
    names = left_in(dumps)
    assert len(names) == 2
    for one in both:
        name, = (name for name in names if re.fullmatch(NAME % one.pid, name))
        assert hprof.problem((dumps / name).read_bytes()) is None


def test_a_dump_that_the_jvm_compresses_has_the_name_for_it(cell, app, dumps):
    one = app("-XX:HeapDumpGzipLevel=1")
    assert cell.salvage("jvm", "arm", one.pid, "--dir", dumps).code == 0
    one.run_out_of_memory()
    name, = left_in(dumps)
    assert name.endswith(".hprof.gz")
    assert hprof.problem(gzip.decompress((dumps / name).read_bytes())) is None


# --- what was there before ---------------------------------------------------------------------------------------------


def test_a_path_of_the_users_stays_unless_forced_and_undo_leads_back_to_it(cell, app, any_jdk, dumps):
    own = "/tmp/own name.hprof"
    one = app("-XX:HeapDumpPath=" + own, jdk=any_jdk)
    kept = cell.salvage("jvm", "arm", one.pid, "--dir", dumps, "--json")
    assert kept.code == 0 and as_json(kept) == [{
        "pid": one.pid, "inner_pid": one.pid, "command": as_json(kept)[0]["command"], "state": "armed",
        "before": {"heap_dump": False, "heap_dump_path": own}, "now": {"heap_dump": True, "heap_dump_path": own},
        "own_path": True, "too_late": False}]
    assert one.on and one.path == own
    assert "the HeapDumpPath it was given was kept" in cell.salvage("jvm", "arm", one.pid, "--dir", dumps).out
    forced = cell.salvage("jvm", "arm", one.pid, "--dir", dumps, "--force")
    assert "(was on, HeapDumpPath=%s)" % own in forced.out and one.path.startswith(str(dumps) + "/")
    undone = cell.salvage("jvm", "arm", one.pid, "--undo")
    assert undone.code == 0 and undone.out.startswith("%d disarmed: off, HeapDumpPath=%s (was on, " % (one.pid, own))
    assert not one.on and one.path == own
    assert cell.salvage("jvm", "arm", one.pid, "--undo").out.startswith("%d not armed: off, " % one.pid)


def test_undo_leaves_what_others_set(cell, app, dumps):
    """By JMX, at run time: the switch, and the path of another."""
    switch, path = app(args=["HeapDumpOnOutOfMemoryError=true"]), app(args=["HeapDumpPath=/tmp/theirs.hprof"])
    result = cell.salvage("jvm", "arm", switch.pid, path.pid, "--dir", dumps)
    assert result.code == 0 and "; the HeapDumpPath it was given was kept" in result.lines[1]
    assert switch.on and switch.path.startswith(str(dumps) + "/") and path.on and path.path == "/tmp/theirs.hprof"
    assert cell.salvage("jvm", "arm", "--all", "--undo").code == 0
    assert switch.on and switch.path is None and not path.on and path.path == "/tmp/theirs.hprof"
    assert cell.salvage("jvm", "arm", switch.pid, "--undo").out.startswith("%d armed by others: on, " % switch.pid)


def test_another_folder_takes_the_place_of_the_first(cell, app, dumps, work):
    one = app("-XX:+HeapDumpOnOutOfMemoryError")
    assert "(was on, no HeapDumpPath)" in cell.salvage("jvm", "arm", one.pid, "--dir", "/tmp").out
    assert "(was on, HeapDumpPath=/tmp/" in cell.salvage("jvm", "arm", one.pid, "--dir", dumps).out
    assert one.path.startswith(str(dumps) + "/")
    assert cell.salvage("jvm", "arm", one.pid, "--undo").code == 0
    assert one.on and one.path is None


# --- what is in the way ------------------------------------------------------------------------------------------------


def test_a_folder_that_the_jvm_cannot_write_to_is_refused_before_anything_is_set(cell, app, any_jdk, work):
    """We are root, the JVM is nobody."""
    for name, mode in (("roots", 0o755), ("closed", 0o700), ("open", 0o1777), ("groups", 0o2770)):
        (work / name).mkdir()
        (work / name).chmod(mode)
    (work / "closed" / "inside").mkdir()
    (work / "closed" / "inside").chmod(0o777)
    (work / "file").touch()
    os.chown(work / "groups", 0, 4711)  # as Kubernetes' fsGroup
    one = app(jdk=any_jdk, prefix=["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--groups=4711"])
    for name, said in (("none", "no folder %s"), ("file", "%s is not a folder"), ("roots", "may not write to %s"),
                       ("closed/inside", "may not write to %s"), ("groups/none", "no folder %s")):
        result = cell.salvage("jvm", "arm", one.pid, "--dir", work / name)
        assert result.code == 1 and result.out == "", name
        assert result.message.startswith("JVM %d" % one.pid) and said % (work / name) in result.message
    assert one.is_untouched()
    for name in ("open", "groups"):
        assert cell.salvage("jvm", "arm", one.pid, "--dir", work / name).code == 0, name
    one.run_out_of_memory()
    the_dump(work / "groups", one.pid)


# The rest of its words, as root of a user namespace; its users are 70000 and up, outside.
IN_USER_NAMESPACE = """
unshare --user sleep 3600 >/dev/null 2>&1 &
while [ "$(readlink /proc/$!/ns/user)" = "$(readlink /proc/self/ns/user)" ]; do sleep 0.01; done
echo 0 70000 1000 > /proc/$!/gid_map
echo 0 70000 1000 > /proc/$!/uid_map
exec nsenter --target $! --user --setuid 0 --setgid 0 -- "$@"
"""


def test_root_of_a_user_namespace_is_believed_to_have_its_own_way(cell, app, work):
    """Its uid here is 70000, and it overrides modes: of its own namespace's files."""
    theirs = work / "theirs"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, 70001, 70001)
    one = app(prefix=["sh", "-c", IN_USER_NAMESPACE, "-"])
    assert status(one.outer)["Uid"].split()[0] == "70000"
    result = cell.salvage("jvm", "arm", one.pid, "--dir", theirs)
    assert result.code == 0, result
    one.run_out_of_memory()
    the_dump(theirs, one.pid)


def test_root_in_a_container_may_write_less_than_root(cell, app, work):
    theirs = work / "theirs"
    theirs.mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    one = app(prefix=["setpriv", "--bounding-set=-dac_override", "--inh-caps=-all", "--"])
    assert "may not write to" in cell.salvage("jvm", "arm", one.pid, "--dir", theirs).message
    read_only = ["unshare", "--mount", "sh", "-c", 'mount --bind -o ro "$0" "$0" && exec "$@"', str(theirs)]
    other = app(prefix=read_only)
    assert cell.salvage("jvm", "arm", other.pid, "--dir", theirs).message == \
        "JVM %d: %s is mounted read-only in its container" % (other.pid, theirs)
    assert one.is_untouched() and other.is_untouched()


@pytest.mark.parametrize("args,said", [
    (["7"], "jvm arm: give the folder for dumps: --dir DIR"),
    (["7", "--all", "--dir", "/tmp"], "jvm arm: give either process ids or --all"),
    (["x7", "--dir", "/tmp"], "'x7' is not a process id"),
    (["7", "--dir", "tmp"], "--dir: tmp: not an absolute path"),
    (["7", "--dir", "/tmp/%p"], "--dir: /tmp/%p: contains a '%'"),
    (["7", "--dir", "/" + "x" * 1000], "--dir: the path is longer than 859 bytes"),
    (["--follow", "--undo"], "--follow excludes --undo"),
    (["--follow", "--every", "0", "--dir", "/tmp"], "--every must be greater than 0"),
])
def test_bad_usage_is_told_in_one_line(salvage, args, said):
    result = salvage.run("jvm", "arm", *args)
    assert result.code == 2 and said in result.message


def test_the_only_jvm_in_sight_need_not_be_named(cell, app, dumps):
    one = app()
    assert "JDK 17" in cell.salvage("jvm", "cmd", "VM.version").out
    assert cell.salvage("jvm", "set", "MinHeapFreeRatio=7").code == 0
    assert one.jinfo("MinHeapFreeRatio") == "-XX:MinHeapFreeRatio=7"
    stat = cell.salvage("jvm", "stat", "10ms", "2")
    assert len(stat.lines) == 3 and cell.salvage("jvm", "stat").lines[0] == stat.lines[0]
    assert cell.salvage("jvm", "arm", "--dir", dumps).out.startswith("%d armed: on" % one.pid)
    assert cell.salvage("jvm", "arm", "--undo").out.startswith("%d disarmed: off" % one.pid)
    assert cell.salvage("jvm", "cmd", one.pid, "help", "VM.version").code == 0


def test_without_any_jvm_in_sight_that_is_said(cell):
    for words in (["stat"], ["stat", "1s"], ["cmd", "help"], ["set", "+X"], ["arm", "--dir", "/tmp"]):
        result = cell.salvage("jvm", *words)
        assert result.code == 1 and "no JVM is visible from here" in result.message, words


def test_what_is_no_jvm(cell):
    result = cell.salvage("jvm", "arm", 1, "--dir", "/tmp")
    assert result.code == 1 and result.message == "process 1 is not a Java VM (it maps no libjvm.so)"
    result = cell.salvage("jvm", "arm", "--all", "--dir", "/tmp", "--json")
    assert result.code == 1 and "no JVM is visible from here" in result.message and as_json(result) == []


@pytest.mark.serial
def test_one_bad_one_does_not_keep_the_others(cell, app, dumps):
    """Stopped, deaf, and well: the well one is armed at once."""
    stopped, deaf, well = app(), app("-XX:+DisableAttachMechanism"), app()
    os.kill(stopped.outer, signal.SIGSTOP)
    wait_for(lambda: status(stopped.outer)["State"].startswith("T"))
    began = time.monotonic()
    result = cell.salvage("jvm", "arm", "--all", "--dir", dumps, "--json", "--timeout", "1s")
    assert result.code == 1 and time.monotonic() - began < 3
    states = {one["pid"]: one for one in as_json(result)}
    assert {pid: one["state"] for pid, one in states.items()} == {stopped.pid: "failed", deaf.pid: "failed",
                                                                  well.pid: "armed"}
    assert "stopped" in states[stopped.pid]["error"] and "DisableAttachMechanism" in states[deaf.pid]["error"]
    errors = result.err.splitlines()
    assert len(errors) == 2 and all(line.startswith("salvage: JVM ") for line in errors)
    assert well.on
    os.kill(stopped.outer, signal.SIGCONT)


# --- as they start -----------------------------------------------------------------------------------------------------


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as stream:
        fields = stream.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.serial
def test_follow_arms_what_runs_and_what_starts_and_costs_nothing_else(cell, app, any_jdk, dumps):
    before = app(jdk=any_jdk)
    follow = cell.start_salvage("jvm", "arm", "--follow", "--dir", dumps, "--every", "200ms")
    event = follow.wait("armed", pid=before.pid)
    assert event["path"] == before.path and " LaterOom" in event["command"]
    after, deaf = app(jdk=any_jdk), app("-XX:+DisableAttachMechanism", jdk=any_jdk)
    follow.wait("armed", pid=after.pid)
    assert after.path == follow.named("armed", pid=after.pid)[0]["path"]
    assert "DisableAttachMechanism" in follow.wait("not-armed", pid=deaf.pid)["error"]
    used = cpu_seconds(follow.inside)
    time.sleep(3)
    used = cpu_seconds(follow.inside) - used
    assert used <= 0.03, "%g s in 3 s, 15 looks" % used  # the clock's ticks are 0.01 s
    ours = [(e["event"], e["pid"]) for e in follow.events if e["pid"] in (before.pid, after.pid, deaf.pid)]
    assert sorted(ours) == sorted([("armed", before.pid), ("armed", after.pid), ("not-armed", deaf.pid)])  # not jinfo's
    after.run_out_of_memory()
    the_dump(dumps, after.pid)
    assert cell.stop(follow) == 0


def test_follow_sees_a_shell_become_a_jvm_and_waits_for_a_folder(cell, app, work):
    follow = cell.start_salvage("jvm", "arm", "--follow", "--dir", work / "later", "--every", "100ms")
    one = app(prefix=["sh", "-c", 'sleep 0.5; exec "$0" "$@"'])
    assert "no folder" in follow.wait("not-armed", pid=one.pid)["error"]
    (work / "later").mkdir()
    follow.wait("armed", pid=one.pid)
    assert len(follow.named("not-armed")) == 1
    assert cell.stop(follow, signal.SIGINT) == 0


def test_follow_says_whom_it_may_not_look_at(cell, app):
    """A sidecar of another user than the application's."""
    one = app()
    follow = cell.start_salvage("jvm", "arm", "--follow", "--dir", "/tmp", "--every", "100ms", uid=NOBODY)
    event = follow.wait("not-armed", pid=one.pid)
    assert event["fault"] == "no-access" and "run salvage as uid 0" in event["error"]
    assert len(follow.events) == 1 and cell.stop(follow) == 0


def armer_of(watch):
    found = [pid for pid in children(watch.inside) if b"armer" in cmdline(pid)]
    return found[0] if found else None


def test_a_watch_arms_who_sees_its_folder_at_another_path_and_ships_the_dump(cell, app, dumps, folder, work):
    """The JVM starts after the watch, and sees the volume where we see nothing. Killed, the one who arms comes back."""
    seen = work / "volume of the app"
    seen.mkdir()
    volume = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$1" && mount -t tmpfs none "$0" && shift && exec "$@"',
              str(dumps), str(seen)]
    watch = cell.start_salvage("watch", dumps, *folder.options(), "--arm")
    watch.wait("started")
    one = app(prefix=volume)
    path = watch.wait("armed", pid=one.pid)["path"]
    assert path == one.path and os.path.dirname(path) == str(seen)
    one.run_out_of_memory()
    event = watch.wait("shipped")
    (key, manifest), = folder.manifests()
    assert event["key"] == key and hprof.problem(folder.check(key, manifest)) is None
    assert manifest["name"] == os.path.basename(path) and left_in(dumps) == []

    first = wait_for(lambda: armer_of(watch))
    os.kill(first, signal.SIGKILL)
    assert "signal 9" in watch.wait("arm-died")["error"]
    other = app()
    assert os.path.dirname(watch.wait("armed", pid=other.pid)["path"]) == str(dumps)
    armer = armer_of(watch)
    assert armer not in (None, first) and cell.stop(watch) == 0
    assert not os.path.exists("/proc/%d" % armer), "it has outlived its watch"


def test_a_watch_that_is_killed_takes_the_one_who_arms_along(cell, dumps, folder):
    watch = cell.start_salvage("watch", dumps, *folder.options(), "--arm")
    watch.wait("started")
    armer = wait_for(lambda: armer_of(watch))
    os.kill(watch.inside, signal.SIGKILL)
    wait_for(lambda: status(armer).get("State", "Z")[0] == "Z", 5, "it goes on alone")


def test_a_node_arms_each_pod_with_its_own_folder_below(cell, app, dumps, folder, work):
    """--recursive: a pod's mount shows but its own part of what we watch; a JVM that sees none of it is told of."""
    mine, seen = dumps / "ns" / "orders-0", work / "seen"
    mine.mkdir(parents=True)
    seen.mkdir()
    hide = 'mount -t tmpfs none "$2" && shift 2 && shift && exec "$@"'
    watch = cell.start_salvage("watch", dumps, *folder.options(), "-r", "--layout", "namespace/pod", "--arm")
    watch.wait("started")
    one = app(prefix=["unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$1" && ' + hide, str(mine), str(seen),
                      str(dumps), "--"], env={"POD_NAME": "orders-0"})
    other = app(prefix=["unshare", "--mount", "sh", "-c", 'true "$0" "$1" && ' + hide, "-", "-", str(dumps), "--"])
    assert os.path.dirname(watch.wait("armed", pid=one.pid)["path"]) == str(seen)
    assert "no watched folder is mounted" in watch.wait("not-armed", pid=other.pid)["error"]
    one.run_out_of_memory()
    watch.wait("shipped")
    (_, manifest), = folder.manifests()
    assert (manifest["where"]["namespace"], manifest["where"]["pod"]) == ("ns", "orders-0")
    assert cell.stop(watch) == 0


@pytest.mark.parametrize("args,said", [
    (["--arm", "--once"], "not for --once"),
    (["--arm-dir", "x"], "--arm-dir: x: not an absolute path"),
])
def test_a_watch_that_cannot_arm_says_so(salvage, dumps, folder, args, said):
    result = salvage.run("watch", dumps, *folder.options(), *args)
    assert result.code == 2 and said in result.message
