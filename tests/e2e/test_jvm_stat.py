# SPDX-License-Identifier: Apache-2.0
"""salvage jvm stat, compared with the JDK's jstat on the same JVM, and with damaged counters."""
import glob
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

from helpers import jvm
from helpers.proc import require_root, wait_for
from helpers.program import BIN, NOBODY, as_user, environment

COLLECTORS = ["Serial", "Parallel", "G1", "Shenandoah", "Z"]
VIEWS = ["gcutil", "gc", "gccapacity", "gccause", "class"]
STRANGER = NOBODY - 1


class Held:
    """A JVM that has collected some garbage and now waits; stopped, so that its counters stand still."""

    def __init__(self, classes, jdk=jvm.JDK_17, options=("-XX:+UseSerialGC",), uid=None, stopped=True):
        self.jdk = jdk
        self.process = subprocess.Popen(
            [jdk + "/bin/java", "-Xmx32m", "-XX:TieredStopAtLevel=1", *options, "-cp", str(classes), "Churn"],
            env=environment("/"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/", **as_user(uid))
        self.pid = self.process.pid
        assert self.process.stdout.readline() == b"ready\n"
        if stopped:
            time.sleep(0.1)  # for one more of the samples that it takes each 50 ms
            self.process.send_signal(signal.SIGSTOP)
            wait_for(lambda: "\nState:\tT" in pathlib.Path("/proc/%d/status" % self.pid).read_text())

    @property
    def file(self):
        """Of its counters."""
        found = [line.split()[5] for line in pathlib.Path("/proc/%d/maps" % self.pid).read_text().splitlines()
                 if "/hsperfdata_" in line]
        return pathlib.Path(found[0])

    def jstat(self, *args):
        """Words of each line, as the JDK's own tool has them."""
        out = subprocess.run([self.jdk + "/bin/jstat", "-J-Xmx32m", "-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1",
                              *args, str(self.pid)], env=environment("/"), check=True, stdout=subprocess.PIPE).stdout
        return words(out.decode())

    def close(self):
        self.process.kill()
        self.process.communicate()
        for left in glob.glob("/tmp/hsperfdata_*/%d" % self.pid):
            os.unlink(left)


def words(text):
    return [line.split() for line in text.splitlines()]


@pytest.fixture(scope="module", params=[(jdk, c) for jdk in jvm.JDKS for c in COLLECTORS],
                ids=lambda p: "%s-%s" % (jvm.name(p[0]), p[1]))
def stopped(request, java_classes):
    jdk, collector = request.param
    held = Held(java_classes, jdk, ["-XX:+Use%sGC" % collector])
    yield held
    held.close()


@pytest.fixture(scope="module")
def serial(java_classes):
    held = Held(java_classes)
    yield held
    held.close()


@pytest.fixture
def hold(java_classes):
    """Starts JVMs for one test."""
    started = []

    def start(**how):
        started.append(Held(java_classes, **how))
        return started[-1]

    yield start
    for held in started:
        held.close()


def test_every_view_is_what_jstat_shows(salvage, stopped):
    for view in VIEWS:
        ours, theirs = salvage.ok("jvm", "stat", stopped.pid, "-" + view), stopped.jstat("-" + view)
        assert len(theirs) == 2 and words(ours.out) == theirs, view
        assert not ours.err
    # What was compared was not all zeros and dashes.
    row = json.loads(salvage.ok("jvm", "stat", stopped.pid, "--json").out)
    assert (row["YGC"] or 0) + (row["FGC"] or 0) + (row["CGC"] or 0) > 0


def test_the_time_stamp_is_what_jstat_shows(salvage, stopped):
    ours, theirs = words(salvage.ok("jvm", "stat", stopped.pid, "-t").out), stopped.jstat("-gcutil", "-t")
    assert ours[0] == theirs[0] and ours[1][1:] == theirs[1][1:]
    # Where the JVM keeps no time of its own, jstat looked a little later.
    assert 0 <= float(theirs[1][0]) - float(ours[1][0]) < 10
    if stopped.jdk == jvm.JDK_17:
        assert ours[1][0] == theirs[1][0]


def test_json_has_the_numbers_of_the_columns(salvage, serial):
    for view in VIEWS:
        head, row = words(salvage.ok("jvm", "stat", serial.pid, "--view", view).out)
        one = json.loads(salvage.ok("jvm", "stat", serial.pid, "-" + view, "--json").out)
        assert one.pop("pid") == serial.pid and one.pop("uptime") > 0 and one.pop("time").endswith("Z")
        values = list(one.values())
        assert len(values) == len(head)
        if view == "gccause":
            assert values[-2:] == ["System.gc()", "No GC"]
            values, row = values[:-2], row[:-3]
        for value, word in zip(values, row):
            assert value is None if word == "-" else value == float(word)


@pytest.mark.serial
def test_lines_come_at_their_times_with_a_header_now_and_then(salvage, serial):
    result = salvage.ok("jvm", "stat", serial.pid, "-class", "20ms", "5", "-h", "2", "-t")
    lines = words(result.out)
    assert [i for i, line in enumerate(lines) if line[0] == "Timestamp"] == [0, 3, 6] and len(lines) == 8
    objects = [json.loads(line) for line in salvage.ok("jvm", "stat", serial.pid, "100", "4", "--json").lines]
    at = [float(o["time"][-7:-1]) for o in objects]
    for i, seconds in enumerate(at):
        assert (seconds - at[0]) % 60 >= i * 0.1 - 0.01
    assert (at[-1] - at[0]) % 60 < 2


def test_h_is_a_number_here_and_help_elsewhere(salvage, serial):
    assert "usage: salvage jvm stat" in salvage.ok("jvm", "stat", "--help").out
    result = salvage.run("jvm", "stat", serial.pid, "-h")
    assert result.code == 2 and "--header needs a value" in result.message
    assert "usage: salvage jvm threads" in salvage.ok("jvm", "threads", "-h").out


@pytest.mark.parametrize("args, says", [
    (["PID", "0"], "'0' is not an interval"), (["PID", "x"], "'x' is not an interval"), (["PID", "60d"], "is not an interval"),
    (["PID", "1s", "0"], "'0' is not a count"), (["PID", "1s", "1", "1"], "too many arguments"),
    (["1s", "1", "1"], "too many arguments"), (["1s", "0"], "'0' is not a count"), (["60d"], "is not an interval"),
    (["java"], "'java' is not a process id"), (["PID", "-gcnew"], "unknown option -gcnew"),
    (["PID", "--view", "x"], "none of gcutil|gc"), (["PID", "--", "-gc"], "'-gc' is not an interval"),
], ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_wrong_words_are_named(salvage, serial, args, says):
    result = salvage.run("jvm", "stat", *[serial.pid if a == "PID" else a for a in args])
    assert result.code == 2 and says in result.message and not result.out


@pytest.mark.parametrize("command", [["stat"], ["stat", "1s", "1"], ["cmd", "VM.version"], ["set", "+PrintConcurrentLocks"],
                                     ["arm", "--undo"], ["threads"]], ids=lambda c: c[0] if isinstance(c, list) else "")
def test_of_several_jvms_the_process_must_be_named(salvage, serial, stopped, command):
    result = salvage.run("jvm", *command)
    assert result.code == 2 and "give a process" in result.message and "JVMs are visible from here" in result.message
    assert not result.out


def test_each_line_comes_at_once_and_the_end_of_the_jvm_ends_it(salvage, hold):
    held = hold(stopped=False)
    p = subprocess.Popen([BIN, "jvm", "stat", str(held.pid), "1h"], env=environment(salvage.home),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert b"GCT" in p.stdout.readline() and p.stdout.readline().strip()
    held.process.kill()
    out, err = p.communicate(timeout=10)
    assert (p.returncode, out, err) == (0, b"", b"")


def test_a_reader_that_has_seen_enough_is_no_failure(salvage, serial):
    p = subprocess.run("%s jvm stat %d 10 | head -n 2" % (BIN, serial.pid), shell=True, env=environment(salvage.home),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
    assert p.stdout.count(b"\n") == 2 and not p.stderr


def test_a_jvm_that_ended_has_none(salvage, hold):
    held = hold()
    held.close()
    result = salvage.run("jvm", "stat", held.pid, "1s")
    assert result.code == 1 and "no process %d" % held.pid in result.message and not result.out


@pytest.mark.parametrize("option", ["-XX:-UsePerfData", "-XX:+PerfDisableSharedMem"])
def test_a_jvm_without_counters_is_told(salvage, hold, option):
    held = hold(options=[option, "-XX:+UseSerialGC"])
    result = salvage.run("jvm", "stat", held.pid)
    assert result.code == 1 and "has no counters" in result.message and option in result.message


def test_what_is_no_jvm_is_told(salvage):
    p = subprocess.Popen(["sleep", "60"])
    try:
        result = salvage.run("jvm", "stat", p.pid)
    finally:
        p.kill()
        p.wait()
    assert result.code == 51 and "not a Java VM" in result.message


def test_another_users_jvm_is_roots_and_its_own(salvage, hold):
    require_root("acts as other users")
    held = hold(uid=NOBODY)
    everything = salvage.ok("jvm", "stat", held.pid, "-gc").out
    assert words(everything) == held.jstat("-gc")
    assert salvage.ok("jvm", "stat", held.pid, "-gc", uid=NOBODY).out == everything
    result = salvage.run("jvm", "stat", held.pid, uid=STRANGER)
    assert result.code == 1 and "no permission to inspect" in result.message


def test_a_file_that_was_swept_away_is_still_read_by_root(salvage, hold):
    require_root("acts as other users")
    held = hold(uid=NOBODY)
    before, file = salvage.ok("jvm", "stat", held.pid, "-gc").out, held.file
    file.unlink()

    def check():
        assert salvage.ok("jvm", "stat", held.pid, "-gc").out == before
        result = salvage.run("jvm", "stat", held.pid, uid=NOBODY)
        assert result.code == 1 and "were deleted" in result.message

    check()
    # Whatever takes its place is not looked at.
    try:
        for put in (lambda: file.symlink_to("/etc/passwd"), lambda: os.mkfifo(file), lambda: file.write_text("x")):
            put()
            check()
            file.unlink()
    finally:
        file.unlink(missing_ok=True)


WITHOUT_MAP_FILES = ["setpriv", "--bounding-set", "-sys_admin,-checkpoint_restore"]


@pytest.mark.parametrize("words_before", [[], WITHOUT_MAP_FILES], ids=["by the mapping", "by the name"])
def test_a_jvm_in_a_container_of_its_own_is_read_from_outside(salvage, java_classes, words_before):
    """It is process 1 there, and its /tmp is its own."""
    require_root("makes namespaces")
    outer = subprocess.Popen(
        ["unshare", "--pid", "--mount", "--fork", "--mount-proc", "sh", "-c",
         "mount --bind '%s' /mnt && mount -t tmpfs salvage-e2e /tmp && exec %s/bin/java -Xmx32m -XX:+UseSerialGC "
         "-XX:TieredStopAtLevel=1 -cp /mnt Churn" % (java_classes, jvm.JDK_17)],
        env=environment("/"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert outer.stdout.readline() == b"ready\n"
        pid = int(pathlib.Path("/proc/%d/task/%d/children" % (outer.pid, outer.pid)).read_text())
        assert os.path.exists("/proc/%d/root/tmp/hsperfdata_root/1" % pid) and not os.path.exists(
            "/tmp/hsperfdata_root/%d" % pid)
        p = subprocess.run([*words_before, BIN, "jvm", "stat", str(pid), "--json"], env=environment(salvage.home),
                           stdout=subprocess.PIPE, timeout=30, check=True)
        row = json.loads(p.stdout)
        assert row["pid"] == pid and row["FGC"] == 1
    finally:
        outer.stdin.close()
        assert outer.wait(30) == 0
        outer.stdout.close()


@pytest.mark.parametrize("damage", [
    pytest.param(lambda f: os.truncate(f, 20), id="cut short"),
    pytest.param(lambda f: f.write_bytes(b"garbage " * 4096), id="garbage"),
    pytest.param(lambda f: os.truncate(f, 17 << 20), id="grown"),
])
def test_a_file_that_makes_no_sense_is_one_clear_line(salvage, hold, damage):
    held = hold()
    damage(held.file)
    result = salvage.run("jvm", "stat", held.pid, "10", "3")
    assert result.code == 51 and "are not used" in result.message and not result.out


def test_a_jvm_that_starts_up_is_waited_for(salvage, hold):
    """A byte of the file says when it may be read (accessible, perfMemory.hpp)."""
    held = hold()
    file = os.open(held.file, os.O_WRONLY)
    os.pwrite(file, b"\0", 7)
    result = salvage.run("jvm", "stat", held.pid, "--timeout", "100ms")
    assert result.code == 1 and "starting up" in result.message
    p = subprocess.Popen([BIN, "jvm", "stat", str(held.pid)], env=environment(salvage.home), stdout=subprocess.PIPE)
    time.sleep(0.2)
    assert p.poll() is None
    os.pwrite(file, b"\1", 7)
    os.close(file)
    out, _ = p.communicate(timeout=10)
    assert p.returncode == 0 and len(words(out.decode())) == 2


def test_a_file_cut_short_between_two_lines_ends_it_with_one(salvage, hold):
    held = hold()
    p = subprocess.Popen([BIN, "jvm", "stat", str(held.pid), "20"], env=environment(salvage.home),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.stdout.readline() and p.stdout.readline()
    os.truncate(held.file, 4000)  # within an entry: the rest is not there, and is not missed
    assert p.stdout.readline()
    os.truncate(held.file, 20)
    _, err = p.communicate(timeout=10)
    assert p.returncode == 51 and err.count(b"\n") == 1 and b"are not used" in err
