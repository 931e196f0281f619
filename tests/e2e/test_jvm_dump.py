# SPDX-License-Identifier: Apache-2.0
"""salvage jvm dump, compared with the JDK's jmap on the same JVM, into every kind of store, and with everything that can fail."""
import contextlib
import gzip
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

from helpers import hprof, jvm
from helpers.proc import require_root, wait_for
from helpers.program import BIN, NOBODY, as_user, environment
from helpers.proxy import Stall, s3_error
from helpers.stores import sha256
from helpers.supervised import MemoryCgroup

COLLECTORS = ["Serial", "Parallel", "G1", "Shenandoah", "Z"]
STRANGER = NOBODY - 1
MIB = 1 << 20
BIG = 120  # MiB of heap in use: what is dumped of it takes a second or so


class Resting:
    """A JVM that has filled some of its heap, and now waits. Its working folder and /tmp are looked at."""

    def __init__(self, classes, cwd, jdk=jvm.JDK_17, heap=32, keep=2, shape="nodes", options=("-XX:+UseSerialGC",),
                 uid=None, before=()):
        self.jdk, self.cwd = jdk, cwd
        cwd.mkdir(exist_ok=True)
        if uid is not None:
            os.chown(cwd, uid, uid)
        self.process = subprocess.Popen(
            [*before, jdk + "/bin/java", "-Xmx%dm" % heap, "-Xms%dm" % heap, "-XX:TieredStopAtLevel=1",
             "-XX:SoftRefLRUPolicyMSPerMB=0",  # what two dumps hold does not depend on the time between them
             *options, "-cp", str(classes), "Hoard", str(keep), shape],
            env=environment("/"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=cwd, **as_user(uid))
        self.pid = self.process.pid
        assert self.process.stdout.readline() == b"ready\n"

    def jmap(self, path, how):
        subprocess.run([self.jdk + "/bin/jmap", "-J-Xmx32m", "-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1",
                        "-dump:%s,format=b,file=%s" % (how, path), str(self.pid)], env=environment("/"), check=True,
                       stdout=subprocess.DEVNULL)
        return path.read_bytes()

    def left(self):
        """What lies in its folders that it has not put there at its start."""
        return sorted(p.name for p in self.cwd.iterdir()) + sorted(
            p.name for p in pathlib.Path("/tmp").glob(".salvage*")) + sorted(
            p.name for p in pathlib.Path("/tmp").glob("java_pid%d-*" % self.pid))

    def dumping(self):
        """Bytes of the dump that it writes just now."""
        size = 0
        for path in self.cwd.glob(".salvage-*/*"):
            with contextlib.suppress(OSError):
                size += path.stat().st_size
        return size

    def answers(self, salvage, timeout=30):
        return salvage.run("jvm", "flags", self.pid, "--timeout", "%ds" % timeout).code == 0

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def rest(work, java_classes):
    """Starts JVMs for one test."""
    started = []

    def start(**how):
        started.append(Resting(java_classes, work / ("cwd-%d" % len(started)), **how))
        return started[-1]

    yield start
    for one in started:
        one.close()


def shared(scope_name, **how):
    @pytest.fixture(scope="module", name=scope_name)
    def fixture(session_folder, java_classes):
        one = Resting(java_classes, session_folder / ("cwd-" + scope_name), **how)
        yield one
        one.close()

    return fixture


small = shared("small")
big = shared("big", heap=400, keep=BIG)


@pytest.fixture(scope="module")
def small_25(session_folder, java_classes):
    one = Resting(java_classes, session_folder / "cwd-small-25", jdk=jvm.JDKS_25[0])
    yield one
    one.close()


@pytest.fixture
def slow(proxy, s3):
    """A store that takes its time."""
    proxy.rate = 2 * MIB
    return s3.through(proxy)


def dump_of(salvage, one, path, *args, **more):
    result = salvage.ok("jvm", "dump", one.pid, "--out", path, *args, **more)
    assert result.out == "%s\n" % path and result.err.count("\n") == 1
    return path.read_bytes()


# --- into files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jdk, collector", [(jdk, c) for jdk in jvm.JDKS for c in COLLECTORS],
                         ids=lambda v: jvm.name(v) if "/" in v else v)
def test_it_holds_what_jmaps_holds(salvage, work, rest, jdk, collector):
    one = rest(jdk=jdk, options=["-XX:+Use%sGC" % collector], keep=1)
    salvage.ok("jvm", "flags", one.pid)  # the thread that answers is one more object
    for how in ("all", "live"):
        live = ["--live"] if how == "live" else []
        ours = dump_of(salvage, one, work / how, *live)
        assert hprof.problem(ours) is None
        counts, theirs = hprof.instances(ours), hprof.instances(one.jmap(work / (how + ".jmap"), how))
        if counts != theirs:  # something within the JVM came or went: then it did before jmap, or has after it
            assert hprof.instances(dump_of(salvage, one, work / (how + ".again"), *live)) == theirs, how
        assert counts["Hoard$Order"] >= MIB // 88
        os.unlink(work / (how + ".jmap"))
    if collector in ("Serial", "Parallel"):
        assert hprof.instances((work / "all").read_bytes())["Hoard$Order"] >= counts["Hoard$Order"] + 1000
    assert one.left() == []


def test_where_it_goes_and_whose_it_is(salvage, work, small):
    where = work / "out"
    where.mkdir()
    for args in (["--out", where / "named.hprof"], ["--out", where], ["--out", "%s/" % where], []):
        result = salvage.ok("jvm", "dump", small.pid, *args, cwd=where)
        path = where / result.out.rstrip("\n")
        st = path.stat()
        assert (st.st_mode & 0o7777, st.st_uid, st.st_gid) == (0o600, os.geteuid(), os.getegid())
        assert hprof.problem(path.read_bytes()) is None
        assert path.name == "named.hprof" or re.fullmatch(r"java_pid%d-\w+Z\.hprof" % small.pid, path.name)
        assert os.listdir(where) == [path.name]
        path.unlink()
    assert small.left() == []


def test_what_came_of_it_as_json(salvage, work, small):
    out = json.loads(salvage.ok("jvm", "dump", small.pid, "--out", work / "x", "--json", "--live").out)
    assert out.pop("seconds") > 0 and out.pop("pause_ms") > 0 and out.pop("pause_by") == "safepoint"
    assert out == {"pid": small.pid, "path": str(work / "x"), "bytes": (work / "x").stat().st_size, "live": True}


@pytest.mark.parametrize("jdk", jvm.JDKS, ids=jvm.name)
def test_compressed_by_the_jvm(salvage, work, rest, jdk):
    one = rest(jdk=jdk)
    data = dump_of(salvage, one, work / "x.gz", "--gzip", 1)
    assert hprof.problem(gzip.decompress(data)) is None and one.left() == []
    path = pathlib.Path(salvage.ok("jvm", "dump", one.pid, "--gzip", 2, "--out", work).out[:-1])
    assert path.name.endswith(".hprof.gz") and hprof.problem(gzip.decompress(path.read_bytes())) is None


@pytest.mark.jdk_25
def test_threads_of_the_jvm(salvage, work, rest):
    one = rest(jdk=jvm.JDKS_25[0], options=["-XX:+UseParallelGC"])
    where = work / "with blanks, and 'quotes'"
    where.mkdir()
    data = dump_of(salvage, one, work / "x", "--parallel", 2, "--dir", where)
    assert hprof.problem(data) is None and one.left() == [] and os.listdir(where) == []
    bad = work / 'a "quoted" name'
    bad.mkdir()
    result = salvage.run("jvm", "dump", one.pid, "--parallel", 2, "--dir", bad, "--out", work / "y")
    assert result.code == 2 and "a quote in its name" in result.message and os.listdir(bad) == []


def test_a_file_that_is_there_is_not_written_over(salvage, work, small):
    for put in (lambda p: p.write_text("precious"), lambda p: p.symlink_to(work / "nowhere"), os.mkfifo):
        put(work / "x")
        result = salvage.run("jvm", "dump", small.pid, "--out", work / "x")
        assert result.code == 52 and str(work / "x") in result.message
        assert small.left() == [] and not (work / "nowhere").exists()
        os.unlink(work / "x")


def test_another_file_system(salvage, work, small, mount_tmpfs):
    where = mount_tmpfs(work / "elsewhere", "64m")
    data = dump_of(salvage, small, where / "x")
    assert hprof.problem(data) is None and os.listdir(where) == ["x"] and small.left() == []
    assert (where / "x").stat().st_mode & 0o7777 == 0o600


def test_a_place_that_is_full_costs_no_dump(salvage, work, small, mount_tmpfs):
    """The application has stood still for it."""
    where = mount_tmpfs(work / "elsewhere", "1m")
    result = salvage.run("jvm", "dump", small.pid, "--out", where / "x")
    path = pathlib.Path(result.message.rpartition(" stays as ")[2])
    assert result.code == 1 and "No space left" in result.message and os.listdir(where) == []
    assert path.parent == small.cwd and small.left() == [path.name]
    assert hprof.problem(path.read_bytes()) is None
    path.unlink()


@pytest.mark.parametrize("args, says", [
    (["1", "--out", "-"], "can't go to stdout"), (["--all", "1"], "exclude each other"), (["1", "--out", "x", "--to", "file:///x"], "exclude each other"),
    (["1", "--stream"], "--to"), (["1", "--stream", "--to", "file:///x", "--dir", "/x"], "there is no file"),
    (["1", "--gzip", "10"], "1 to 9"), (["1", "--parallel", "1000"], "256"), (["1", "--dir", "x"], "absolute"),
    (["1", "--out", ""], "empty"), (["1", "2", "--out", "x"], "need a folder"), (["java"], "not a process id"),
], ids=" ".join)
def test_wrong_words_are_named(salvage, args, says):
    result = salvage.run("jvm", "dump", *args)
    assert result.code == 2 and says in result.message and not result.out


# --- whose JVM --------------------------------------------------------------------------------------------------------


def test_another_users_jvm(salvage, work, rest):
    require_root("acts as other users")
    one = rest(uid=NOBODY)
    data = dump_of(salvage, one, work / "x")
    assert hprof.problem(data) is None and (work / "x").stat().st_uid == 0 and one.left() == []
    own = work / "own"
    own.mkdir()
    own.chmod(0o777)
    assert hprof.problem(dump_of(salvage, one, own / "x", uid=NOBODY)) is None
    assert (own / "x").stat().st_uid == NOBODY and (own / "x").stat().st_mode & 0o7777 == 0o600
    result = salvage.run("jvm", "dump", one.pid, "--out", own / "y", uid=STRANGER)
    assert result.code == 1 and "run salvage as uid %d" % NOBODY in result.message
    assert os.listdir(own) == ["x"] and one.left() == []


@pytest.mark.parametrize("without", ["-chown", "-chown,-setuid,-setgid"])
def test_root_without_all_of_its_rights(salvage, work, rest, without):
    """As in a container of a cluster that gives few of them."""
    require_root("acts as other users")
    one = rest(uid=NOBODY)
    subprocess.run(["setpriv", "--bounding-set", without, BIN, "jvm", "dump", str(one.pid), "--out", work / "x"],
                   env=environment(salvage.home), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert hprof.problem((work / "x").read_bytes()) is None and (work / "x").stat().st_uid == 0
    assert one.left() == []


def test_the_jvms_folders(salvage, work, rest):
    require_root("acts as other users")
    one = rest(uid=NOBODY)
    closed = work / "closed"
    closed.mkdir(mode=0o755)
    for where, why in ((closed, "Permission denied"), (work / "missing", "No such file"), ("/proc", "")):
        result = salvage.run("jvm", "dump", one.pid, "--out", work / "x", "--dir", where)
        assert result.code == 1 and str(where) in result.message and why in result.message
    # Its working folder is closed to it: then its /tmp.
    os.chown(one.cwd, 0, 0)
    dump_of(salvage, one, work / "x")
    assert one.left() == [] and os.listdir(closed) == []


def test_heap_dump_path_leads(salvage, work, rest):
    where = work / "dumps"
    where.mkdir()
    one = rest(options=["-XX:HeapDumpPath=%s" % (where / "later.hprof")])
    first = salvage.run("jvm", "dump", one.pid, "--to", "file:///proc/nowhere")
    assert first.code != 0 and str(where) + "/java_pid" in first.err and one.left() == []
    assert len(list(where.glob("java_pid*.hprof"))) == 1


def in_own_pids(*command):
    return ["unshare", "--pid", "--fork", "--mount-proc", *map(str, command)]


def test_all_that_are_seen(salvage, work, java_classes):
    """In a pid namespace of their own: there may be others on the machine."""
    require_root("makes namespaces")
    (work / "out").mkdir()
    script = ("for i in 1 2; do mkfifo $i.in $i.out; %s/bin/java -Xmx32m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp %s "
              "Hoard 1 nodes < $i.in > $i.out & done; exec 3> 1.in 4> 2.in; head -n 1 1.out 2.out > ready; "
              "%s jvm dump --all --out out; echo $? > code" % (jvm.JDK_17, java_classes, BIN))
    p = subprocess.run(in_own_pids("sh", "-c", script), env=environment(salvage.home), cwd=work, timeout=60,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    assert (work / "code").read_text() == "0\n", p.stderr
    found = list((work / "out").iterdir())
    assert sorted("out/" + f.name for f in found) == sorted(p.stdout.decode().split())
    assert len(found) == 2 and all(hprof.problem(f.read_bytes()) is None for f in found)


def test_in_a_container_of_its_own(salvage, work, store, java_classes):
    """It is process 1 there, and has another /tmp and working folder."""
    require_root("makes namespaces")
    outer = subprocess.Popen(
        ["unshare", "--pid", "--mount", "--fork", "--mount-proc", "sh", "-c",
         "mount --bind '%s' /mnt && mount -t tmpfs salvage-e2e /tmp && cd /tmp && exec %s/bin/java -Xmx32m "
         "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp /mnt Hoard 1 nodes" % (java_classes, jvm.JDK_17)],
        env=environment("/"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert outer.stdout.readline() == b"ready\n"
        pid = int(pathlib.Path("/proc/%d/task/%d/children" % (outer.pid, outer.pid)).read_text())
        inside = pathlib.Path("/proc/%d/root/tmp" % pid)
        before = sorted(os.listdir(inside))
        salvage.ok("jvm", "dump", pid, "--out", work / "x")
        assert hprof.problem((work / "x").read_bytes()) is None
        salvage.ok("jvm", "dump", pid, *store.options(), env=store.env)
        (_, manifest), = store.manifests()
        assert manifest["process"]["pid"] == 1
        assert hprof.problem(store.check(manifest["key"], manifest)) is None
        assert set(os.listdir(inside)) - set(before) <= {".java_pid1"}
        dead = salvage.run("jvm", "dump", pid, "--to", "file:///proc/nowhere")
        assert pathlib.Path(dead.message.rpartition(" stays as ")[2]).exists()
    finally:
        outer.stdin.close()
        outer.wait(30)
        outer.stdout.close()


# --- room -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jdk", jvm.JDKS, ids=jvm.name)
def test_without_room(salvage, work, rest, folder, mount_tmpfs, jdk):
    one = rest(jdk=jdk, heap=64, keep=20)
    where = mount_tmpfs(work / "narrow", "16m")
    for to in (["--out", work / "x"], folder.options()):
        result = salvage.run("jvm", "dump", one.pid, "--dir", where, *to)
        assert result.code == 1 and re.search(r"no room .* [\d.]+ MiB of its heap are in use, so up to [\d.]+ MiB are "
                                              r"needed, but %s has only 16.0 MiB" % where, result.message)
    assert os.listdir(where) == [] and not (work / "x").exists() and folder.keys() == []
    # Cut off is evidence, too, and said.
    result = salvage.run("jvm", "dump", one.pid, "--dir", where, "--force", "--out", work / "x")
    assert result.code == 1 and "No space left" in result.err.splitlines()[-1], result
    if jdk == jvm.JDK_17:
        assert result.out == "%s\n" % (work / "x") and 12 * MIB < (work / "x").stat().st_size <= 16 * MIB
    assert os.listdir(where) == []
    result = salvage.run("jvm", "dump", one.pid, "--dir", where, "--force", *folder.options())
    assert result.code == 1 and "No space left" in result.err.splitlines()[-1], result
    if jdk == jvm.JDK_17:
        assert folder.manifests()[0][1]["partial"]
    assert os.listdir(where) == []
    assert one.answers(salvage)


@pytest.mark.jdk_25
def test_a_newer_jvm_needs_the_room_twice(salvage, work, rest):
    one = rest(jdk=jvm.JDKS_25[0], heap=128, keep=60)
    peak, done = [0], threading.Event()

    def look():
        while not done.is_set():
            peak[0] = max(peak[0], one.dumping())
            time.sleep(0.002)

    thread = threading.Thread(target=look)
    thread.start()
    size = len(dump_of(salvage, one, work / "x"))
    done.set()
    thread.join()
    assert 1.5 * size < peak[0] <= 2.05 * size
    assert one.left() == []


def test_a_tmpfs_is_memory_of_the_jvms_cgroup(salvage, work, rest, mount_tmpfs):
    """Beyond its limit the kernel would kill the JVM. Its own size says nothing, and none at all is no size of 0."""
    require_root("makes a cgroup")
    where = mount_tmpfs(work / "memory", "0")
    cgroup = MemoryCgroup(96 * MIB)
    try:
        one = rest(heap=64, keep=30, before=cgroup.entry)
        result = salvage.run("jvm", "dump", one.pid, "--dir", where, "--out", work / "x")
        assert result.code == 1 and cgroup.oom_kills == 0
        room = re.search(r"needed, but %s has only ([\d.]+) MiB\. " % where, result.message)
        assert room and float(room[1]) < 60, result.message
        one.close()
    finally:
        cgroup.close()
    free = rest(keep=1)
    assert hprof.problem(dump_of(salvage, free, work / "x", "--dir", where)) is None and os.listdir(where) == []


# --- into stores ------------------------------------------------------------------------------------------------------


def test_into_every_store(salvage, work, small, store):
    url = salvage.ok("jvm", "dump", small.pid, *store.options(), env=store.env, cwd=work).out.rstrip("\n")
    (key, m), = store.manifests()
    data = store.check(key, m)
    assert store.url_of(key) == url
    assert hprof.problem(data) is None and hprof.instances(data)["Hoard$Order"] > 1000
    assert m["kind"] == "heap-dump" and m["cause"] == "manual" and not m.get("partial")
    process = m["process"]
    assert process["pid"] == small.pid and process["jvm"].startswith("17.") and "Hoard (2 arguments)" in process["command"]
    assert m["name"].startswith("java_pid%d-" % small.pid)
    assert small.left() == [] and ".salvage" not in os.listdir(work)


def test_it_is_kept_where_that_is_wanted(salvage, small, folder):
    salvage.ok("jvm", "dump", small.pid, *folder.options(), "--keep")
    left = small.left()
    assert len(left) == 1 and re.fullmatch(r"java_pid\d+-\w+\.hprof", left[0])
    folder.check_one(sha256((small.cwd / left[0]).read_bytes()))
    (small.cwd / left[0]).unlink()


def test_a_store_that_fails_then_leaves_it_where_a_watch_finds_it(salvage, small, s3, proxy):
    proxy.harm(s3_error(403, "AccessDenied"), lambda r: "salvage-check" not in r.path, times=1000)
    result = salvage.run("jvm", "dump", small.pid, *s3.through(proxy).options(), env=s3.env)
    path = pathlib.Path(result.message.rpartition(" stays as ")[2])
    assert result.code == 30 and path.parent == small.cwd and path.exists(), result
    total = sha256(path.read_bytes())
    salvage.ok("watch", "--once", small.cwd, *s3.options(), env=s3.env)
    s3.check_one(total)
    shutil.rmtree(small.cwd / ".salvage", ignore_errors=True)
    assert small.left() == []


@pytest.fixture(scope="module")
def logged(session_folder, java_classes):
    """A JVM that writes down why it stood still."""
    one = Resting(java_classes, session_folder / "cwd-logged", options=["-Xlog:safepoint:file=safepoints"])
    one.safepoints = session_folder / "cwd-logged" / "safepoints"
    yield one
    one.close()


@pytest.mark.parametrize("command", ["dump", "dump --stream", "prestop"])
@pytest.mark.parametrize("wrong, code, says", [
    ("no keys", 32, "no credentials"),
    ("secret", 30, "SignatureDoesNotMatch"),
    ("bucket", 33, "no-such-bucket-e2e"),
    ("region", 2, "eu west"),
    ("folder", 33, "/proc/1/fd"),
])
def test_a_store_that_takes_nothing_is_found_out_before_the_jvm_stands_still(salvage, logged, s3, command, wrong, code,
                                                                             says):
    options, env = s3.options(), dict(s3.env)
    if wrong == "no keys":
        env = {"AWS_EC2_METADATA_DISABLED": "true"}
    elif wrong == "secret":
        env["AWS_SECRET_ACCESS_KEY"] = "wrong"
    elif wrong == "bucket":
        options[1] = "s3://no-such-bucket-e2e/x"
    elif wrong == "region":
        options += ["--region", "eu west"]
    else:
        options, env = ["--to", "file:///proc/1/fd/none/store"], {}
    salvage.ok("jvm", "threads", logged.pid)  # its attach thread is there, and the log is flushed up to here
    before = logged.safepoints.read_text()
    result = salvage.run("jvm", *command.split(), logged.pid, *options, env=env)
    assert says in result.err, result
    assert result.code == code, result
    assert logged.left() == ["safepoints"]
    new = logged.safepoints.read_text()[len(before):]
    assert "Dump" not in new and "Histogram" not in new, new


def test_a_store_that_is_not_there_is_found_out_before_the_jvm_stands_still(salvage, logged, s3):
    before = logged.safepoints.read_text()
    result = salvage.run("jvm", "dump", logged.pid, "--to", s3.url, "--endpoint", "http://127.0.0.1:1", env=s3.env)
    assert result.code == 40 and "stays as" not in result.err, result
    assert logged.left() == ["safepoints"] and "Dump" not in logged.safepoints.read_text()[len(before):]


def test_asking_a_store_before_a_dump_takes_its_answer_and_no_pause(salvage, logged, s3, proxy):
    salvage.ok("jvm", "dump", logged.pid, *s3.through(proxy).options(), env=s3.env)
    asked = proxy.seen(lambda r: "salvage-check" in r.path)
    assert [r.method for r in asked] == ["POST", "DELETE"]
    assert s3.unfinished() == [] and not [key for key in s3.keys() if "salvage-check" in key]


class Running:
    """A dump in the background."""

    def __init__(self, salvage, one, *args, env=None, command=("jvm", "dump")):
        self.process = subprocess.Popen([BIN, *command, str(one.pid), *map(str, args)], stdin=subprocess.DEVNULL,
                                        env=environment(salvage.home, env), stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, cwd=salvage.home)
        self.begun = time.monotonic()

    def wait_until_written(self, one):
        """Waits until the JVM has written some of its dump, or says what this command has said instead."""
        def has_begun():
            if one.dumping() > MIB:
                return True
            assert self.process.poll() is None, "it ended before: exit %d\n%s\n%s" % self.end()
            return False

        wait_for(has_begun, why=lambda: "no dump; in the JVM's folders: %s" % one.left(), step=0.002)

    def end(self, timeout=20):
        out, err = self.process.communicate(timeout=timeout)
        self.seconds = time.monotonic() - self.begun
        return self.process.returncode, out.decode(), err.decode()

    def signal(self, number):
        self.process.send_signal(number)


@pytest.fixture
def run(salvage):
    started = []

    def start(*args, **more):
        started.append(Running(salvage, *args, **more))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()


def test_a_signal_while_the_jvm_writes(salvage, work, big, run):
    """It can't be stopped, but nothing of it is left."""
    dump = run(big, "--out", work / "x")
    dump.wait_until_written(big)
    dump.signal(signal.SIGINT)
    code, out, err = dump.end()
    assert code == -signal.SIGINT and out == "" and err.count("\n") == 1
    assert dump.seconds < 5 and not (work / "x").exists()
    wait_for(lambda: big.left() == [], 5)
    assert big.answers(salvage) and big.left() == []


def test_a_signal_while_it_is_on_its_way(salvage, small, slow, s3, run):
    slow_dump = run(small, *slow.options(), "--compress", "none", env=s3.env)
    wait_for(lambda: s3.unfinished() or any(small.cwd.glob(".salvage/spool/*/claim.json")), why="nothing is sent")
    time.sleep(0.3)
    slow_dump.signal(signal.SIGINT)
    code, out, err = slow_dump.end(5)
    path = pathlib.Path(err.rstrip("\n").rpartition(" stays as ")[2])
    assert code == -signal.SIGINT and out == "" and "stopped by SIGINT" in err, err
    assert path.parent == small.cwd and not any(p.startswith(".salvage-") for p in small.left())
    # Whoever ships it goes on from there.
    total = sha256(path.read_bytes())
    salvage.ok("ship", "--remove", path, *s3.options(), env=s3.env)
    s3.check_one(total)
    assert small.left() == []


def test_killed_in_the_middle(salvage, work, rest, run):
    """The JVM writes on, and what it wrote lies in a hidden folder, under a name that no watch takes for evidence."""
    one = rest(heap=400, keep=BIG)
    dump = run(one, "--out", work / "x")
    dump.wait_until_written(one)
    dump.signal(signal.SIGKILL)
    dump.end()
    wait_for(lambda: one.answers(salvage))
    folder, = one.cwd.glob(".salvage-*")
    file, = folder.iterdir()
    assert file.match(".salvage-%d-*.part" % one.pid) and hprof.problem(file.read_bytes()) is None
    assert folder.stat().st_mode & 0o7777 == 0o700


def test_a_stopped_jvm_is_given_up_and_leaves_nothing_later(salvage, work, rest):
    one = rest()
    salvage.ok("jvm", "flags", one.pid)
    one.process.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    for args in ([], ["--live"]):
        result = salvage.run("jvm", "dump", one.pid, "--out", work / "x", "--timeout", "500ms", *args)
        assert result.code == 1 and "stopped (by SIGSTOP" in result.message
    assert time.monotonic() - begun < 5
    one.process.send_signal(signal.SIGCONT)
    # What it was asked for meanwhile, it answers now.
    wait_for(lambda: one.answers(salvage))
    assert one.left() == [] and not (work / "x").exists()


def test_stopped_in_the_middle(salvage, work, rest, run):
    """It was asked already: what it writes later finds no place."""
    one = rest(heap=400, keep=BIG)
    dump = run(one, "--out", work / "x", "--timeout", "700ms")
    dump.wait_until_written(one)
    one.process.send_signal(signal.SIGSTOP)
    code, _, err = dump.end()
    assert code == 1 and "stopped (by SIGSTOP" in err and one.left() == []
    one.process.send_signal(signal.SIGCONT)
    wait_for(lambda: one.answers(salvage))
    assert one.left() == []


@pytest.mark.parametrize("jdk", jvm.JDKS, ids=jvm.name)
def test_a_jvm_that_dies_in_the_middle(salvage, work, rest, run, jdk):
    one = rest(jdk=jdk, heap=400, keep=BIG)
    dump = run(one, "--out", work / "x")
    dump.wait_until_written(one)
    one.process.kill()
    one.process.wait()
    code, out, err = dump.end()
    assert code == 1 and out == "" and re.search("ended|went away|closed the connection", err), err
    assert one.left() == [] and not (work / "x").exists()


@pytest.mark.parametrize("swap", ["symlink", "hard link", "fifo", "folder"])
def test_a_user_that_puts_another_file_in_its_place(salvage, work, rest, run, swap):
    """It is theirs until it is ours: what comes out is nothing that they could not read."""
    require_root("acts as other users")
    one = rest(uid=NOBODY, heap=400, keep=BIG)
    secret = work / "secret"
    secret.write_text("root's own")
    secret.chmod(0o644)
    dump = run(one, "--out", work / "x")
    dump.wait_until_written(one)
    dump.signal(signal.SIGSTOP)  # the JVM may be done before us
    file, = one.cwd.glob(".salvage-*/*")
    os.rename(file, one.cwd / "away")
    if swap == "symlink":
        file.symlink_to(secret)
    elif swap == "hard link":
        os.link(secret, file)
    elif swap == "fifo":
        os.mkfifo(file)
    else:
        os.mkdir(file)
    dump.signal(signal.SIGCONT)
    code, out, err = dump.end()
    assert code in (51, 1) and out == "" and err.count("\n") == 1, err
    assert not (work / "x").exists() and secret.read_text() == "root's own"
    assert secret.stat().st_uid == 0 and secret.stat().st_mode & 0o777 == 0o644


def test_a_terminal_sees_how_far_it_is(salvage, work, big):
    leader, follower = pty.openpty()
    p = subprocess.Popen([BIN, "jvm", "dump", str(big.pid), "--out", str(work / "x")], env=environment(salvage.home),
                         stdout=subprocess.PIPE, stderr=follower)
    os.close(follower)
    seen = b""
    with contextlib.suppress(OSError):
        while some := os.read(leader, 4096):
            seen += some
    os.close(leader)
    p.communicate()
    assert p.returncode == 0
    states = [s for s in seen.decode().split("\r\033[K") if "dump of JVM" in s]
    assert states and all("%" in s and "MiB" in s for s in states), seen
    assert re.search(r" stopped for [0-9.]+ m?s\r\n$", seen.decode()), seen


# --- streams ----------------------------------------------------------------------------------------------------------


def test_a_stream_into_every_store(salvage, work, small, store):
    salvage.ok("jvm", "flags", small.pid)
    before = small.jmap(work / "before", "live")
    salvage.ok("jvm", "dump", small.pid, "--stream", "--live", *store.options(), env=store.env)
    (key, m), = store.manifests()
    data = store.check(key, m)
    assert hprof.problem(data) is None and not m.get("partial") and m["kind"] == "heap-dump"
    assert m["process"]["pid"] == small.pid
    assert hprof.instances(data) in (hprof.instances(before), hprof.instances(small.jmap(work / "after", "live")))
    assert small.left() == []


def written(pid):
    return int(re.search(r"^write_bytes: (\d+)", pathlib.Path("/proc/%d/io" % pid).read_text(), re.M)[1])


def test_a_stream_touches_no_disk(salvage, big, s3):
    before = written(big.pid)
    salvage.ok("jvm", "dump", big.pid, "--stream", *s3.options(), env=s3.env)
    assert written(big.pid) - before < MIB
    (_, m), = s3.manifests()
    assert m["size"] > BIG * MIB and big.left() == []


@pytest.mark.jdk_25
def test_a_newer_jvm_streams_nothing(salvage, small_25, folder):
    result = salvage.run("jvm", "dump", small_25.pid, "--stream", *folder.options())
    assert result.code == 45 and "JDK 22" in result.message and "without --stream" in result.message
    assert folder.keys() == [] and small_25.left() == []


def goes_on(salvage, one):
    begun = time.monotonic()
    assert one.answers(salvage, 5) and time.monotonic() - begun < 2
    assert one.left() == []


def test_a_store_that_dies_lets_the_jvm_go_on(salvage, big, s3, proxy):
    proxy.harm(s3_error(403, "AccessDenied"), lambda r: r.is_part and r.query["partNumber"] != "1", times=1000)
    result = salvage.run("jvm", "dump", big.pid, "--stream", *s3.through(proxy).options(), "--compress", "none",
                         env=s3.env)
    assert result.code == 30 and "AccessDenied" in result.message
    goes_on(salvage, big)
    assert s3.keys() == [] and s3.unfinished() == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_our_own_end_lets_the_jvm_go_on(salvage, big, s3, slow, proxy, run, number):
    dump = run(big, "--stream", *slow.options(), "--compress", "none", env=s3.env)
    wait_for(lambda: proxy.seen(lambda r: r.is_part), why="nothing is sent")
    assert not big.answers(salvage, 1), "it stands still"
    dump.signal(number)
    if number == signal.SIGINT:
        time.sleep(0.3)
        dump.signal(number)  # without waiting for the slow store to forget it
    assert dump.end(10)[0] == -number
    goes_on(salvage, big)
    s3.clear_uploads()


def test_a_signal_before_the_first_byte(salvage, rest, folder, run):
    one = rest()
    salvage.ok("jvm", "flags", one.pid)
    one.process.send_signal(signal.SIGSTOP)
    dump = run(one, "--stream", *folder.options())
    time.sleep(0.5)
    dump.signal(signal.SIGTERM)
    code, _, err = dump.end(5)
    assert code == -signal.SIGTERM and err.count("\n") == 1
    one.process.send_signal(signal.SIGCONT)
    goes_on(salvage, one)
    assert folder.keys() == []


def test_a_jvm_with_reduced_signals_is_asked_through_the_socket_that_it_opened(salvage, rest, folder):
    one = rest(options=["-Xrs", "-XX:+UseSerialGC"])
    salvage.ok("jvm", "dump", one.pid, *folder.options())
    assert [m["kind"] for _, m in folder.manifests()] == ["heap-dump"]
    assert one.process.poll() is None


def test_a_jvm_that_answers_nobody(salvage, rest, folder):
    says = "DisableAttachMechanism"
    one = rest(options=["-XX:+" + says, "-XX:+UseSerialGC"])
    for command in (["dump"], ["dump", "--stream"], ["prestop"]):
        result = salvage.run("jvm", *command, one.pid, *folder.options(), "--timeout", "200ms")
        assert result.code == 45 and says in result.err, result
    assert one.left() == [] and folder.keys() == []
    assert one.process.poll() is None


# --- before the end of a container ------------------------------------------------------------------------------------


def test_prestop_puts_all_into_one_case(salvage, small, store):
    salvage.ok("jvm", "prestop", small.pid, *store.options(), "--budget", "20s", env=store.env)
    manifests = [m for _, m in store.manifests()]
    for m in manifests:
        data = store.check(m["key"], m)
        assert (m["cause"], m["process"]["pid"]) == ("prestop", small.pid)
        if m["kind"] == "thread-dump":
            assert b'"main" #1 ' in data and b"Hoard.main" in data
        elif m["kind"] == "class-histogram":
            assert b"Hoard$Order" in data
        else:
            assert hprof.problem(data) is None
    assert sorted(m["kind"] for m in manifests) == ["class-histogram", "heap-dump", "thread-dump"]
    assert len({m["id"] for m in manifests}) == len({os.path.dirname(m["key"]) for m in manifests}) == 1
    assert small.left() == []


def kinds(store):
    return sorted(m["kind"] for _, m in store.manifests())


def test_prestop_without_a_heap_dump(salvage, small, folder):
    salvage.ok("jvm", "prestop", small.pid, *folder.options(), "--no-heap-dump")
    assert kinds(folder) == ["class-histogram", "thread-dump"]


def test_prestop_does_not_begin_what_does_not_fit(salvage, small, folder):
    result = salvage.ok("jvm", "prestop", small.pid, *folder.options(), "--budget", "5s", "--rate", "1K")
    assert re.search(r"no heap dump: [\d.]+ MiB of heap would take \d+ s at 1.0 KiB/s", result.message)
    assert kinds(folder) == ["class-histogram", "thread-dump"]


@pytest.mark.serial
def test_prestop_ends_in_time_and_leaves_the_dump(salvage, rest, s3, proxy, run):
    one = rest()
    proxy.rate = 600 * 1024
    hook = run(one, *s3.through(proxy).options(), "--budget", "4s", "--force", "--compress", "none", env=s3.env,
               command=("jvm", "prestop"))
    code, _, err = hook.end(8)
    path = pathlib.Path(err.rstrip("\n").rpartition(" stays as ")[2])
    assert code == 75 and "the time is up" in err and hook.seconds < 4.2, (hook.seconds, err)
    assert path.parent == one.cwd
    total = sha256(path.read_bytes())
    salvage.ok("watch", "--once", one.cwd, *s3.options(), env=s3.env)
    assert total in [m["sha256"] for _, m in s3.manifests()] and len(s3.manifests()) == 3


@pytest.mark.serial
def test_prestop_and_a_store_that_is_silent(salvage, rest, s3, proxy, run):
    one = rest()
    proxy.harm(Stall(), times=1000)
    hook = run(one, *s3.through(proxy).options(), "--budget", "4s", env=s3.env, command=("jvm", "prestop"))
    code, _, err = hook.end(10)
    assert code in (40, 41, 75) and hook.seconds < 4.5, (hook.seconds, err)


@pytest.mark.serial
def test_prestop_streams_within_its_time(salvage, big, s3, slow, run):
    hook = run(big, *slow.options(), "--budget", "4s", "--force", "--stream", "--compress", "none", env=s3.env,
               command=("jvm", "prestop"))
    code, _, err = hook.end(10)
    assert code == 75 and hook.seconds < 4.5 and "nothing of it is kept" in err, (hook.seconds, err)
    goes_on(salvage, big)
    assert kinds(s3) == ["class-histogram", "thread-dump"]
    s3.clear_uploads()


@pytest.mark.serial
def test_prestop_and_a_stopped_jvm(salvage, rest, folder, run):
    one = rest()
    one.process.send_signal(signal.SIGSTOP)
    hook = run(one, *folder.options(), "--budget", "3s", command=("jvm", "prestop"))
    code, _, err = hook.end(8)
    assert code == 1 and hook.seconds < 3.2 and err.count("stopped (by SIGSTOP") == 3, (hook.seconds, err)
    one.process.send_signal(signal.SIGCONT)
    wait_for(lambda: one.answers(salvage))
    assert folder.keys() == [] and one.left() == []


def test_prestop_finds_the_only_jvm(salvage, work, folder, java_classes):
    require_root("makes namespaces")
    script = ("mkfifo in out; {java} < in > out & exec 3> in; head -n 1 out > ready; {bin} jvm prestop {to}; "
              "echo $? > one; mkfifo in2 out2; {java} < in2 > out2 & exec 4> in2; head -n 1 out2 > ready; "
              "{bin} jvm prestop {to}; echo $? > two")
    java = "%s/bin/java -Xmx32m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp %s Hoard 1 nodes" % (jvm.JDK_17,
                                                                                                   java_classes)
    script = script.format(java=java, bin=BIN, to=" ".join(folder.options()))
    p = subprocess.run(in_own_pids("sh", "-c", script), env=environment(salvage.home), cwd=work, timeout=60,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    assert (work / "one").read_text() == "0\n", p.stderr
    assert (work / "two").read_text() == "2\n" and b"2 JVMs are visible" in p.stderr
    assert kinds(folder) == ["class-histogram", "heap-dump", "thread-dump"]


def test_prestop_without_any(salvage, folder):
    require_root("makes namespaces")
    p = subprocess.run(in_own_pids(BIN, "jvm", "prestop", *folder.options()), env=environment(salvage.home),
                       stderr=subprocess.PIPE, check=False)
    assert p.returncode == 1 and b"no JVM is visible" in p.stderr
    for args in ([], ["--budget", "1s"], ["1", "2"]):
        result = salvage.run("jvm", "prestop", *args, *(folder.options() if args else []))
        assert result.code == 2 and result.message
