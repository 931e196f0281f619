# SPDX-License-Identifier: Apache-2.0
"""salvage jvm on JVMs in real containers, on a root file system without a shell: from the node, and from a second
container that shares the first one's pid namespace."""
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from helpers import hprof, jvm
from helpers.containers import JAVA, Running, make_root, run
from helpers.proc import children, require_root, wait_for
from helpers.program import BIN, GRACE, environment

APP = 1000  # the application's user
PTRACE = ["--cap", "CAP_SYS_PTRACE"]
CHURN = [JAVA, "-Xmx32m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", "/app", "Churn"]


def java(*options):
    return [*CHURN[:-3], *options, *CHURN[-3:]]


@pytest.fixture(scope="module")
def roots(session_folder, java_classes):
    """An application's own; and salvage's, which has a JRE too, but nobody uses it."""
    require_root("acts as other users")
    return {name: make_root(session_folder / ("jvm-" + name), java_classes, places)
            for name, places in (("bare", ()), ("salvage", ["salvage"]))}


@pytest.fixture
def start(roots):
    """Starts a container for one test."""
    running = []

    def start(*command, root="bare", **more):
        running.append(Running(roots[root], *command, **more))
        return running[-1]

    yield start
    for container in running:
        container.close()


@pytest.fixture(scope="module", params=[APP, 0], ids=["user", "root"])
def app(request, roots):
    container = Running(roots["bare"], *CHURN, options=["--uid", request.param, "--memory", "256M"])
    container.uid = request.param
    yield container
    assert container.end().code == 0, "the JVM did not outlive what was done to it"


@pytest.fixture(scope="module")
def user_app(roots):
    container = Running(roots["bare"], *CHURN, options=["--uid", APP])
    yield container
    assert container.end().code == 0


@pytest.fixture(params=[(APP, []), (0, PTRACE)], ids=["same user, no capability", "root, CAP_SYS_PTRACE"])
def beside(request, roots, user_app):
    """Runs salvage in a container beside the user's application, whose pid is 1 there, too."""
    uid, options = request.param

    def beside(*args, env=None, options=options):
        return run(roots["salvage"], "/salvage", "jvm", *args, env=env,
                   options=["--pid-of", user_app.name, "--uid", uid, "--host-net", *options])

    beside.uid, beside.options = uid, options
    return beside


def left_by(container):
    """What a dump or a question may have left in the JVM's folders."""
    return [name for folder in ("/", "/tmp") for name in os.listdir(container.file(folder))
            if name.startswith((".salvage", ".attach_pid")) or ".hprof" in name]


def number_of(flags, name):
    return int(re.search(r"-XX:%s=(\d+)" % name, flags)[1])


def in_store(store, pid, uid, count=1):
    """The evidence of one JVM, whole. pid: as it knows itself."""
    found = store.manifests()
    assert len(found) == count, found
    for key, manifest in found:
        evidence, process = store.check(key, manifest), manifest["process"]
        assert (process["pid"], process["uid"]) == (pid, uid) and "Churn" in process["command"], manifest
        assert "partial" not in manifest
        if manifest["name"].endswith(".hprof"):
            assert hprof.problem(evidence) is None
    return [m for _, m in found]


# --- from the node ----------------------------------------------------------------------------------------------------


def test_the_node_asks_a_jvm_that_is_process_1_of_its_container(salvage, app):
    assert "NSpid:\t%d\t1\n" % app.pid in pathlib.Path("/proc/%d/status" % app.pid).read_text()
    threads = salvage.ok("jvm", "threads", app.pid).out
    assert '"main" #1' in threads and "at Churn.main(Churn.java" in threads
    assert re.search(r"^ +\d+: +\d+ +\d+ +Churn$|\[B ", salvage.ok("jvm", "histogram", app.pid).out, re.MULTILINE)
    assert number_of(salvage.ok("jvm", "flags", app.pid).out, "MaxHeapSize") == 32 << 20
    properties = salvage.ok("jvm", "props", app.pid).out
    assert "java.class.path=/app" in properties and "user.dir=/" in properties
    assert left_by(app) == []


def test_the_node_lists_it_with_both_its_pids(salvage, app):
    mine, = [j for j in json.loads(salvage.ok("jvm", "ps", "--json").out) if j["pid"] == app.pid]
    assert (mine["inner_pid"], mine["uid"], mine["heap_max"]) == (1, app.uid, 32 << 20)


def test_the_node_sets_a_flag(salvage, app):
    salvage.ok("jvm", "set", app.pid, "MinHeapFreeRatio=37")
    assert number_of(salvage.ok("jvm", "flags", app.pid).out, "MinHeapFreeRatio") == 37


def test_the_node_arms_it_with_a_folder_of_the_container(salvage, app):
    salvage.ok("jvm", "arm", app.pid, "--dir", "/tmp")
    flags = salvage.ok("jvm", "flags", app.pid).out
    assert "-XX:+HeapDumpOnOutOfMemoryError" in flags
    path = re.search(r"-XX:HeapDumpPath=(\S+)", flags)[1]
    assert re.fullmatch(r"/tmp/[\w.-]+-1-\d{8}T\d{6}[\d.]*Z\.hprof", path), path
    salvage.ok("jvm", "arm", app.pid, "--undo")
    assert "-XX:+HeapDumpOnOutOfMemoryError" not in salvage.ok("jvm", "flags", app.pid).out
    result = salvage.run("jvm", "arm", app.pid, "--dir", "/nowhere")
    assert result.code != 0 and "/nowhere" in result.out + result.err


def test_the_node_reads_the_numbers_of_the_jvms_own_file(salvage, app, work):
    """Beside the JDK's jstat, on a copy of that file."""
    os.kill(app.pid, signal.SIGSTOP)
    try:
        wait_for(lambda: "\nState:\tT" in pathlib.Path("/proc/%d/status" % app.pid).read_text())
        file, = app.file("/tmp").glob("hsperfdata_*/1")
        (work / "copy").write_bytes(file.read_bytes())
        for view in ("-gc", "-gcutil", "-class"):
            ours = salvage.ok("jvm", "stat", app.pid, view).out
            theirs = subprocess.run([jvm.JDK_17 + "/bin/jstat", "-J-Xmx32m", view, "file://%s" % (work / "copy")],
                                    stdout=subprocess.PIPE, check=True).stdout.decode()
            assert ours.split() == theirs.split(), view
    finally:
        os.kill(app.pid, signal.SIGCONT)


def test_a_dump_comes_out_of_the_container_as_the_callers(salvage, app, work):
    out = work / "node.hprof"
    assert salvage.ok("jvm", "dump", app.pid, "--out", out).out == "%s\n" % out
    status = out.stat()
    assert (status.st_mode & 0o7777, status.st_uid, status.st_gid) == (0o600, os.geteuid(), os.getegid())
    assert hprof.problem(out.read_bytes()) is None
    assert left_by(app) == []


@pytest.mark.parametrize("way", ["folder", "s3", "stream"])
def test_a_dump_goes_from_the_container_into_the_store(salvage, app, way, request):
    store = request.getfixturevalue("folder" if way == "folder" else "s3")
    more = ["--stream"] if way == "stream" else []
    salvage.ok("jvm", "dump", app.pid, *store.options(), *more, env=store.env)
    manifest, = in_store(store, 1, app.uid)
    assert manifest["cause"] == "manual" and manifest["size"] > 1 << 20
    assert left_by(app) == []


def test_a_dump_that_is_kept_lies_where_the_jvm_may_write(salvage, start, folder, work):
    """The working folder and all of the root are read-only: it is /tmp, unless HeapDumpPath says better."""
    app = start(*CHURN, options=["--uid", APP])
    salvage.ok("jvm", "dump", app.pid, *folder.options(), "--keep")
    kept, = app.file("/tmp").glob("*.hprof*")
    assert kept.name.startswith("java_pid1-") and kept.stat().st_uid == APP

    data = work / "data"
    data.mkdir()
    data.chmod(0o1777)
    app = start(*java("-XX:HeapDumpPath=/data"), options=["--uid", APP, "--volume", "%s:/data" % data])
    salvage.ok("jvm", "dump", app.pid, *folder.options(), "--keep")
    kept, = data.iterdir()
    assert kept.name.startswith("java_pid1-") and hprof.problem(kept.read_bytes()) is None
    assert left_by(app) == []


def test_a_dump_does_not_fill_the_memory_of_its_container(salvage, start, work):
    """/tmp is memory there. What the kernel would do is shown at the end, by force."""
    data = work / "data"
    data.mkdir()
    data.chmod(0o1777)
    app = start(JAVA, "-Xmx48m", *CHURN[2:], "40",
                options=["--uid", APP, "--memory", "96M", "--volume", "%s:/data" % data])
    out = work / "node.hprof"
    result = salvage.run("jvm", "dump", app.pid, "--out", out)
    assert result.code != 0 and not out.exists()
    assert re.search(r"no room for a heap dump of JVM \d+: 4\d\.\d MiB of its heap are in use, so up to [789]\d\.\d MiB "
                     r"are needed, but /tmp has only [1-5]?\d\.\d MiB", result.message), result.message
    assert left_by(app) == [] and '"main"' in salvage.ok("jvm", "threads", app.pid).out
    # A folder on a disk has the room.
    salvage.ok("jvm", "dump", app.pid, "--out", out, "--dir", "/data")
    assert out.stat().st_size > 40 << 20 and list(data.iterdir()) == []
    result = salvage.run("jvm", "dump", app.pid, "--out", work / "other.hprof", "--dir", "/tmp", "--force")
    assert result.code != 0 and app.end().oom_kills >= 1
    assert not (work / "other.hprof").exists()


def test_a_jvm_under_salvage_as_process_1_is_asked_by_the_number_it_has_there(salvage, start, folder):
    app = start("/salvage", "run", "--to", "file:///tmp/store", "--", *CHURN, root="salvage",
                options=["--uid", APP])
    inner = int(re.search(r"NSpid:.*\t(\d+)\n", pathlib.Path("/proc/%d/status" % app.pid).read_text())[1])
    assert inner != 1
    assert '"main"' in salvage.ok("jvm", "threads", app.pid).out
    salvage.ok("jvm", "dump", app.pid, *folder.options())
    manifest, = in_store(folder, inner, APP)
    assert manifest["name"].startswith("java_pid%d-" % inner)


def test_a_container_without_a_tmp_is_told(salvage, start, work):
    """As with a read-only root and no volume there."""
    tmp = work / "tmp"
    tmp.mkdir()
    app = start(*CHURN, options=["--uid", APP, "--volume", "%s:/tmp" % tmp])
    began = time.monotonic()
    result = salvage.run("jvm", "threads", app.pid)
    assert "cannot open a socket in its /tmp (Permission denied)" in result.message and result.code != 0
    assert time.monotonic() - began < 5 and left_by(app) == []
    assert "has no counters" in salvage.run("jvm", "stat", app.pid).message


@pytest.fixture(scope="module")
def user_namespace():
    """One whose root is uid 100000 outside."""
    require_root("makes namespaces")
    holder = subprocess.Popen(["unshare", "--user", "sleep", "600"])
    wait_for(lambda: os.readlink("/proc/%d/ns/user" % holder.pid) != os.readlink("/proc/self/ns/user"))
    for name in ("uid_map", "gid_map"):
        pathlib.Path("/proc/%d/%s" % (holder.pid, name)).write_text("0 100000 65536")
    yield holder.pid
    holder.kill()
    holder.wait()


@pytest.mark.parametrize("uid", [0, APP])
def test_a_jvm_of_another_user_namespace_is_asked_and_dumped(salvage, java_classes, user_namespace, work, uid):
    outer = subprocess.Popen(
        ["nsenter", "--user", "--target", str(user_namespace), "--setuid", "0", "--setgid", "0", "unshare", "--mount",
         "--pid", "--fork", "--mount-proc", "sh", "-c",
         "mount --bind '%s' /mnt && mount -t tmpfs -o mode=1777 salvage-e2e /tmp && cd / && exec setpriv --reuid %d "
         "--regid %d --clear-groups %s/bin/java %s -cp /mnt Churn" % (java_classes, uid, uid, jvm.JDK_17,
                                                                      " ".join(CHURN[1:4]))],
        env=environment("/"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert outer.stdout.readline() == b"ready\n"
        pid, = children(outer.pid)
        assert os.stat("/proc/%d" % pid).st_uid == 100000 + uid
        assert '"main"' in salvage.ok("jvm", "threads", pid).out
        assert "GCT" in salvage.ok("jvm", "stat", pid).out
        out = work / "node.hprof"
        salvage.ok("jvm", "dump", pid, "--out", out)
        assert out.stat().st_uid == os.geteuid() and hprof.problem(out.read_bytes()) is None
    finally:
        outer.stdin.close()
        assert outer.wait(GRACE) == 0
        outer.stdout.close()


# --- from a second container ------------------------------------------------------------------------------------------


def test_a_sidecar_asks(beside):
    ended = beside("ps")
    assert ended.code == 0 and [line.split()[0] for line in ended.lines] == ["PID", "1"], ended
    ended = beside("threads", "1")
    assert ended.code == 0 and '"main" #1' in ended.out, ended
    ended = beside("stat", "1", "-gc")
    assert ended.code == 0 and ended.out.split()[0] == "S0C", ended
    ended = beside("histogram", "1", "--top", "5")
    assert ended.code == 0 and "[B " in ended.out, ended
    ended = beside("set", "1", "HeapDumpPath=/data")
    assert ended.code == 0, ended
    ended = beside("flags", "1")
    assert "-XX:HeapDumpPath=/data" in ended.out, ended


def test_a_sidecar_puts_a_dump_into_a_folder_of_its_own(beside, user_app, work):
    out = work / "out"
    out.mkdir()
    os.chown(out, beside.uid, beside.uid)
    ended = beside("dump", "1", "--out", "/out/", options=[*beside.options, "--volume", "%s:/out" % out])
    assert ended.code == 0, ended
    file, = out.iterdir()
    assert ended.out == "/out/%s\n" % file.name and hprof.problem(file.read_bytes()) is None
    assert (file.stat().st_mode & 0o7777, file.stat().st_uid) == (0o600, beside.uid)
    assert left_by(user_app) == []


@pytest.mark.parametrize("more", [[], ["--stream"]], ids=["by a file", "stream"])
def test_a_sidecar_ships_a_dump(beside, user_app, s3, more):
    ended = beside("dump", "1", *s3.options(), *more, env=s3.env)
    assert ended.code == 0, ended
    in_store(s3, 1, APP)
    assert left_by(user_app) == []


def test_a_sidecars_prestop_finds_the_jvm_itself(beside, user_app, s3):
    ended = beside("prestop", *s3.options(), "--budget", "20s", env=s3.env)
    assert ended.code == 0, ended
    manifests = in_store(s3, 1, APP, 3)
    assert {m["cause"] for m in manifests} == {"prestop"}
    assert {m["name"].partition(".")[2] for m in manifests} == {"txt", "hprof"}
    assert left_by(user_app) == []


@pytest.mark.parametrize("options, uid, says", [
    ([], 0, ": root needs CAP_SYS_PTRACE and CAP_DAC_OVERRIDE: add them, or run salvage as uid 1000 and gid 1000"),
    ([], 1001, " as uid 1001: run salvage as uid 1000 and gid 1000, or as root (in a container with CAP_SYS_PTRACE)"),
    # For a user who is not root it is offered only; nothing takes it.
    (PTRACE, 1001, " as uid 1001: run salvage as uid 1000 and gid 1000"),
], ids=["root", "another user", "another user, CAP_SYS_PTRACE"])
def test_a_sidecar_that_may_not_look_says_what_it_lacks(roots, user_app, options, uid, says):
    for command in ("threads", "stat", "dump"):
        ended = run(roots["salvage"], "/salvage", "jvm", command, "1",
                    options=["--pid-of", user_app.name, "--uid", uid, *options])
        assert ended.code == 1 and not ended.out, ended
        assert "no permission to inspect process 1" + says in ended.message


def test_a_sidecar_that_may_look_at_nothing_lists_nothing_and_says_why(roots, user_app):
    for uid, says in ((0, "CAP_SYS_PTRACE is missing"), (1001, "run as root")):
        ended = run(roots["salvage"], "/salvage", "jvm", "ps", options=["--pid-of", user_app.name, "--uid", uid])
        assert says in ended.message and "no JVM found" in ended.message


def test_the_same_user_with_fewer_capabilities_may_not_look(roots, start):
    app = start(*CHURN, options=["--cap", "CAP_NET_ADMIN"])
    ended = run(roots["salvage"], "/salvage", "jvm", "threads", "1", options=["--pid-of", app.name])
    assert ended.code == 1 and "it has capabilities that we lack" in ended.message
    for options in (PTRACE, ["--cap", "CAP_NET_ADMIN"]):
        ended = run(roots["salvage"], "/salvage", "jvm", "threads", "1", options=["--pid-of", app.name, *options])
        assert ended.code == 0, ended


@pytest.mark.parametrize("capabilities, says", [
    ("sys_ptrace", "root needs CAP_SYS_PTRACE and CAP_DAC_OVERRIDE"),
    ("sys_ptrace dac_read_search", "root needs CAP_SETUID and CAP_SETGID to act as its user"),
    ("sys_ptrace dac_override kill", None),
    ("sys_ptrace dac_override setuid setgid", None),
])
def test_root_with_few_capabilities_can_or_says_what_it_lacks(start, salvage, work, capabilities, says):
    app = start(*CHURN, options=["--uid", APP])
    few = ["setpriv", "--bounding-set", ",".join(["-all", *("+" + c for c in capabilities.split())]), BIN, "jvm"]

    def jvm_command(*args):
        return subprocess.run([*few, *map(str, args)], env=environment(salvage.home), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=60, check=False)

    p = jvm_command("threads", app.pid)
    if says:
        assert p.returncode == 1 and says in p.stderr and p.stderr.count("\n") == 1
        return
    assert p.returncode == 0 and '"main"' in p.stdout, p
    # It may not give the file away, and makes one of its own.
    out = work / "few.hprof"
    p = jvm_command("dump", app.pid, "--out", out)
    assert p.returncode == 0, p
    assert (out.stat().st_uid, out.stat().st_mode & 0o7777) == (0, 0o600) and hprof.problem(out.read_bytes()) is None
    assert left_by(app) == []


# --- stopped, and dying -----------------------------------------------------------------------------------------------


def test_a_stopped_container_is_told_and_its_counters_are_read(roots, start, salvage):
    app = start(*CHURN, options=["--uid", APP])
    os.kill(app.pid, signal.SIGSTOP)
    for result in (salvage.run("jvm", "threads", app.pid, "--timeout", "300ms"),
                   run(roots["salvage"], "/salvage", "jvm", "threads", "1", "--timeout", "300ms",
                       options=["--pid-of", app.name, "--uid", APP])):
        assert result.code == 1 and "it is stopped" in result.message, result
    assert "GCT" in salvage.ok("jvm", "stat", app.pid).out
    assert left_by(app) == []
    os.kill(app.pid, signal.SIGCONT)
    assert '"main"' in salvage.ok("jvm", "threads", app.pid).out


def test_a_container_that_ends_meanwhile_is_told_at_once(start, salvage):
    app = start(*CHURN, options=["--uid", APP])
    os.kill(app.pid, signal.SIGSTOP)
    asking = salvage.start("jvm", "threads", app.pid, "--timeout", "20s")
    wait_for(lambda: ".attach_pid1" in os.listdir(app.file("/")) + os.listdir(app.file("/tmp")))
    os.kill(app.pid, signal.SIGKILL)
    began = time.monotonic()
    assert asking.end() == 1 and "JVM %d has ended" % app.pid in asking.log
    assert time.monotonic() - began < 5
    assert app.end().code == 137
    assert "there is no process %d" % app.pid in salvage.run("jvm", "dump", app.pid, "--out", "x").message
