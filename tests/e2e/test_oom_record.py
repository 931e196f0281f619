# SPDX-License-Identifier: Apache-2.0
"""salvage oom: records of real OOM kills, in real containers and in cgroups with the names of a pod's."""
import datetime
import gzip
import json
import os
import pathlib
import re
import select
import shlex
import shutil
import signal
import subprocess
import time
import uuid

import pytest

from helpers.containers import make_root, run
from helpers.proc import family, require_root, wait_for
from helpers.program import BIN, GRACE, NOBODY, environment
from helpers.supervised import EAT, MemoryCgroup, start_in

MB = 1 << 20
WITHIN = 0.1  # seconds from a process's death to its line
BURST, INTERVAL = 10, 5.0  # the kernel tells all of so many kills in so many seconds, and next to nothing of others
pytestmark = pytest.mark.serial


@pytest.fixture(scope="module")
def roots(session_folder, java_classes):
    require_root("reads the kernel log")
    return {"bare": make_root(session_folder / "oom-bare", java_classes),
            "salvage": make_root(session_folder / "oom-salvage", java_classes, ["salvage"])}


@pytest.fixture
def cgroup():
    require_root("makes a cgroup")
    made = MemoryCgroup(48 * MB)
    yield made
    for folder, _, _ in os.walk(made.folder, topdown=False):
        if folder != str(made.folder):
            wait_for(lambda path=folder: remove(path), why="a cgroup is still in use")
    made.close()


class Pace:
    """Not more kills than the kernel tells all of."""

    def __init__(self):
        self.times = []

    def wait(self):
        while len(self.times) >= BURST - 2 and time.monotonic() - self.times[2 - BURST] < INTERVAL + 0.5:
            time.sleep(0.1)
        self.times.append(time.monotonic())


pace = Pace()


def remove(folder):
    for pid in (pathlib.Path(folder) / "cgroup.procs").read_text(encoding="ascii").split():
        os.kill(int(pid), signal.SIGKILL)
    try:
        os.rmdir(folder)
    except OSError:
        return False
    return True


def below(cgroup, *names):
    """A cgroup below, without a limit of its own."""
    folder = cgroup.folder
    for name in names:
        if cgroup.v2:
            (folder / "cgroup.subtree_control").write_text("+memory", encoding="ascii")
        folder /= name
        folder.mkdir()
    return folder


def eat_in(folder, **more):
    """One that the kernel kills there; its pid."""
    pace.wait()
    process = start_in(folder, "/usr/bin/python3", "-c", EAT, **more)
    assert process.wait(GRACE) == -signal.SIGKILL
    return process.pid


def kernel_path(folder):
    """A memory cgroup's name in the kernel log."""
    for root in ("/sys/fs/cgroup/memory", "/sys/fs/cgroup"):
        if str(folder).startswith(root + "/"):
            return str(folder)[len(root):]
    raise AssertionError(folder)


class Hog:
    """A container that eats memory, until the kernel kills it. delay: ms for each MB."""

    def __init__(self, root, limit, delay=1, program="/hog", name=None):
        pace.wait()
        self.name = name or uuid.uuid4().hex * 2  # as Docker calls its containers
        argv = [*shlex.split(os.environ["SALVAGE_TEST_CONTAINER"]), "--rootfs", str(root), "--name", self.name,
                "--memory", limit, "--", program, "300", str(delay)]
        self.runner = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE)
        self.comm = program.encode()[1:][:15]
        self.pid = wait_for(self._find, step=0.001, why="no hog")

    def _find(self):
        for pid in family(self.runner.pid):
            try:
                if pathlib.Path("/proc/%d/comm" % pid).read_bytes() == self.comm + b"\n":
                    return pid
            except OSError:
                pass
        return None

    def end(self):
        _, err = self.runner.communicate(timeout=GRACE)
        assert re.search(rb"exit=137 oom_kill=[1-9]", err), err
        return self.pid


def records(salvage):
    result = salvage.ok("oom", "--json")
    return json.loads(result.out)


def record_of(salvage, pid):
    """The last one: pids come again."""
    return [kill for kill in records(salvage) if kill["process"]["pid"] == pid][-1]


# --- one kill ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def killed(roots):
    """One kill, looked at by several tests."""
    hog = Hog(roots["bare"], "48M", delay=2)
    hog.end()
    hog.ended = time.time()
    return hog


def test_a_kill_in_a_container_is_on_record(salvage, killed):
    kill = record_of(salvage, killed.pid)
    assert kill["schema"] == "salvage.oom-kill/1" and kill["source"] == "kernel-log" and kill["why"] == "limit"
    assert kill["process"]["name"] == "hog" and kill["process"]["uid"] == 0
    assert 40 * MB < kill["process"]["rss"] <= 49 * MB
    assert kill["memory"]["limit"] == 48 * MB and 47 * MB < kill["memory"]["usage"] <= 48 * MB
    assert kill["where"]["container_id"] == killed.name
    assert kill["cgroup"]["process"] == kill["cgroup"]["limit"]
    assert kill["cgroup"]["process"].endswith("/" + killed.name)
    assert killed.pid in [task["pid"] for task in kill["tasks"]] and kill["tasks_count"] == len(kill["tasks"])
    assert any(40 * MB < value <= 49 * MB for value in kill["stat"].values())  # "rss" or "anon"
    assert kill["invoker"]["pid"] == killed.pid
    assert kill["kernel"]["release"] == os.uname().release
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    assert kill["kernel"]["boot_id"] == boot


def test_its_time_is_the_time_of_the_kill(salvage, killed):
    told = datetime.datetime.fromisoformat(record_of(salvage, killed.pid)["time"].replace("Z", "+00:00")).timestamp()
    assert abs(told - killed.ended) < 5, (told, killed.ended)


def test_a_table_for_people(salvage, killed):
    lines = salvage.ok("oom").lines
    assert lines[0].split() == ["TIME", "PID", "UID", "RSS", "LIMIT", "WHY", "CONTAINER", "POD", "NAME"]
    row, = [line.split() for line in lines if " %s " % killed.name[:12] in line]
    assert row[1] == str(killed.pid) and row[4:7] == ["48.0M", "limit", killed.name[:12]] and row[8] == "hog"


def test_with_the_table_of_tasks(salvage, killed):
    lines = salvage.ok("oom", "--tasks").lines
    at, = [i for i, line in enumerate(lines) if " %s " % killed.name[:12] in line]
    assert lines[at - 1].startswith("TIME ") and lines[at + 1].split() == ["PID", "UID", "RSS", "SWAP", "ADJ", "NAME"]
    assert lines[at + 2].split()[0] == str(killed.pid)


# --- as they happen ---------------------------------------------------------------------------------------------------


class Follower:
    """salvage oom --follow: its lines, and when they came."""

    def __init__(self, home, *options):
        self.process = subprocess.Popen([BIN, "oom", "--follow", *options], env=environment(home),
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for(lambda: "kmsg" in " ".join(self._files()), why="it does not listen")
        time.sleep(0.1)  # from the descriptor to the seek

    def _files(self):
        found = []
        for name in os.listdir("/proc/%d/fd" % self.process.pid):
            try:
                found.append(os.readlink("/proc/%d/fd/%s" % (self.process.pid, name)))
            except OSError:
                pass
        return found

    def line(self):
        assert select.select([self.process.stdout], [], [], GRACE)[0], "no line"
        return self.process.stdout.readline().decode(), time.monotonic()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=GRACE)
        return self.process.returncode, out, err


def death_of(pid):
    """Waits until a process has ended; when that was."""
    fd = os.pidfd_open(pid)
    try:
        assert select.select([fd], [], [], GRACE)[0], "it lives"
        return time.monotonic()
    finally:
        os.close(fd)


def test_follow_tells_of_a_kill_within_a_moment(salvage, roots, killed):
    """And not of what was before."""
    follower = Follower(salvage.home, "--json")
    hogs = [Hog(roots["bare"], "24M", delay=10) for _ in range(2)]
    seen = {}
    for _ in hogs:
        line, came = follower.line()
        kill = json.loads(line)
        seen[kill["process"]["pid"]] = (kill, came)
    assert sorted(seen) == sorted(hog.end() for hog in hogs)
    for hog in hogs:
        kill, _ = seen[hog.pid]
        assert kill["where"]["container_id"] == hog.name and kill["memory"]["limit"] == 24 * MB and kill["tasks"]
    assert follower.stop() == (0, b"", b"")


def test_follow_is_quick(salvage, roots):
    follower = Follower(salvage.home, "--json")
    hog = Hog(roots["bare"], "24M", delay=10)
    died = death_of(hog.pid)
    line, came = follower.line()
    assert json.loads(line)["process"]["pid"] == hog.end()
    assert came - died < WITHIN, "%.0f ms" % ((came - died) * 1000)
    assert follower.stop(signal.SIGINT) == (0, b"", b"")


def test_who_follows_a_pipe_that_is_closed_ends(salvage, cgroup):
    follower = Follower(salvage.home)
    follower.process.stdout.close()
    eat_in(cgroup.folder)
    assert follower.process.wait(GRACE) == 1
    assert b"Broken pipe" in follower.process.stderr.read()


# --- limits further up, and pods --------------------------------------------------------------------------------------


def test_a_parents_limit(salvage, cgroup):
    inner = below(cgroup, "a b,task_memcg=", "task=init,pid=1,uid=0")
    kill = record_of(salvage, eat_in(inner))
    assert kill["why"] == "parent-limit" and kill["memory"]["limit"] == 48 * MB
    assert kill["cgroup"] == {"process": kernel_path(inner), "limit": kernel_path(cgroup.folder)}


def test_a_pods_limit_and_its_names_by_what_still_runs(salvage, cgroup, work):
    """A container of the pod is killed, and gone; another one of it runs."""
    uid = str(uuid.uuid4())
    ids = [uuid.uuid4().hex * 2 for _ in range(2)]
    pod = below(cgroup, "kubepods", "burstable", "pod" + uid)
    folders = []
    if cgroup.v2:
        (pod / "cgroup.subtree_control").write_text("+memory", encoding="ascii")
    for name in ids:
        folders.append(pod / name)
        folders[-1].mkdir()
    other = start_in(folders[1], "sleep", "60", env={"PATH": "/usr/bin:/bin", "POD_NAME": "cart-7", "CONTAINER_NAME":
                                                     "sidecar", "POD_NAMESPACE": "shop"})
    try:
        pid = eat_in(folders[0])
        where = record_of(salvage, pid)["where"]
        assert (where["container_id"], where["pod_uid"]) == (ids[0], uid)
        assert (where["namespace"], where["pod"]) == ("shop", "cart-7")
        assert "container" not in where, "that is the other's name"
        row, = [line.split() for line in salvage.ok("oom").lines if " %s " % ids[0][:12] in line]
        assert row[5:8] == ["parent-limit", ids[0][:12], "shop/cart-7"]
    finally:
        other.kill()
        other.wait()
    where = record_of(salvage, pid)["where"]
    assert where["pod_uid"] == uid and "pod" not in where
    row, = [line.split() for line in salvage.ok("oom").lines if " %s " % ids[0][:12] in line]
    assert row[7] == uid


# --- names that lie ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Killed process 1 (init)", ") total-vm:1kB", "a,task=b,pid=1", "\nKilled process",
                                  "x\n(init), \x1b[2J\x01"])
def test_a_process_may_call_itself_whatever_it_likes(salvage, cgroup, work, name):
    program = work / name
    shutil.copy2(pathlib.Path(os.environ["SALVAGE_TEST_ROOTFS"]) / "hog", program)
    pace.wait()
    process = start_in(cgroup.folder, str(program), "300", "1")
    assert process.wait(GRACE) == -signal.SIGKILL
    kill = record_of(salvage, process.pid)
    assert kill["process"]["name"] == name[:15]
    assert kill["cgroup"]["process"] == kernel_path(cgroup.folder) and kill["process"]["uid"] == 0
    assert [task["name"] for task in kill["tasks"] if task["pid"] == process.pid] == [name[:15]]
    assert not [k for k in records(salvage) if k["process"]["pid"] == 1]
    table = salvage.ok("oom").out
    assert "\x1b" not in table and len(table.splitlines()) == len(records(salvage)) + 1


def test_what_others_write_to_the_log_is_no_kill(salvage):
    line = "Memory cgroup out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:1kB"
    newest = max((kill["kernel"]["sequence"] for kill in records(salvage)), default=-1)
    for prefix in ("", "<3>", "<0>"):
        with open("/dev/kmsg", "w", encoding="ascii") as log:
            log.write(prefix + line + "\n")
    # Not their number: what is written pushes old ones out of a log that is full.
    assert all(kill["kernel"]["sequence"] <= newest for kill in records(salvage))


# --- many -------------------------------------------------------------------------------------------------------------


def test_of_many_kills_at_once_each_is_on_record(salvage, cgroup):
    """The kernel says of some that they were killed, and no more."""
    pids = []
    for _ in range(BURST + 4):
        process = start_in(cgroup.folder, "/usr/bin/python3", "-c", EAT.replace("time.sleep(0.002)", "pass"))
        assert process.wait(GRACE) == -signal.SIGKILL
        pids.append(process.pid)
        pace.times.append(time.monotonic())
    kills = [record_of(salvage, pid) for pid in pids]
    assert "tasks" in kills[0] and "note" not in kills[0]
    bare = [kill for kill in kills if "note" in kill]
    assert bare, "the kernel told all of all"
    for kill in bare:
        assert kill["process"]["rss"] > 40 * MB and kill["why"] == "limit" and "10 reports in 5 seconds" in kill["note"]
        assert "cgroup" not in kill and "memory" not in kill, "that is of another kill"


# --- no log -----------------------------------------------------------------------------------------------------------


def test_a_container_has_no_log(roots):
    ended = run(roots["salvage"], "/salvage", "oom")
    assert ended.code == 21 and ended.out == ""
    assert "there is no /dev/kmsg" in ended.err, ended


def test_who_may_not_read_the_log_is_told_what_it_takes(salvage):
    restricted = pathlib.Path("/proc/sys/kernel/dmesg_restrict")
    before = restricted.read_text(encoding="ascii")
    restricted.write_text("1", encoding="ascii")
    try:
        result = salvage.run("oom", uid=NOBODY)
    finally:
        restricted.write_text(before, encoding="ascii")
    assert result.code == 21 and "CAP_SYSLOG" in result.message


SAVED = """[  123.456789] Out of memory: Kill process 81 (hog) score 900 or sacrifice child
[  123.456790] Killed process 81 (hog), UID 7, total-vm:66788kB, anon-rss:65152kB, file-rss:64kB, shmem-rss:4kB
"""


def test_a_saved_log_is_read(salvage, work):
    saved = work / "dmesg.txt"
    saved.write_text(SAVED, encoding="ascii")
    with saved.open("rb") as stdin:
        of_stdin = json.loads(salvage.ok("oom", "--json", "-", stdin=stdin).out)
    of_file = json.loads(salvage.ok("oom", "--json", saved, saved).out)
    assert of_file == of_stdin * 2
    kill = of_stdin[0]
    assert kill["process"]["pid"] == 81 and kill["process"]["uid"] == 7 and kill["why"] == "machine"
    assert kill["kernel"] == {"usec": 123456790} and "time" not in kill
    assert "+123.456s" in salvage.ok("oom", saved).out


def test_a_file_without_kills_says_so(salvage, work):
    (work / "empty").write_bytes(b"x\n")
    result = salvage.ok("oom", "--json", work / "empty")
    assert result.out == "[]\n" and "no OOM kill" in result.message
    (work / "log.gz").write_bytes(gzip.compress(SAVED.encode()))
    result = salvage.run("oom", work / "log.gz")
    assert result.code != 0 and "zcat" in result.message


def test_what_is_piped_is_read_or_refused(salvage, work):
    saved = work / "dmesg.txt"
    saved.write_text(SAVED, encoding="ascii")
    with saved.open("rb") as stdin:
        result = salvage.run("oom", stdin=stdin)
    assert result.code == 2 and "'-'" in result.message


def test_a_file_that_is_not_there(salvage, work):
    result = salvage.run("oom", work / "java")
    assert result.code != 0 and "java" in result.message
    assert salvage.run("oom", "--follow", work / "java").code == 2
