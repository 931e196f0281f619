# SPDX-License-Identifier: Apache-2.0
"""The program's own resource limits (descriptors, processes, file size, address space): exit 0 means that the evidence is
stored, complete; otherwise it is still in its place, and the reason is reported. No crash, no hang."""
import os
import resource
import shutil
import subprocess
import time

import pytest

from helpers.evidence import drop
from helpers.proc import require_root
from helpers.program import BIN, as_user, environment

SIZE = 3_000_000
USER = 64003  # has no process but ours, so that a limit of its processes means ours


def limited(work, dumps, folder, what, limits, uid=None):
    """ship or watch --once under these limits (prlimit's options); returns (exit code, stderr)."""
    args = ["ship", str(dumps / "a.hprof"), "--give-up", "2s"] if what == "ship" else ["watch", str(dumps), "--once"]
    run = ["prlimit", *limits, BIN, *args, *folder.options()]
    if uid is not None:
        run = ["setpriv", "--reuid=%d" % uid, "--regid=%d" % uid, "--clear-groups", *run]
    done = subprocess.run(run, env=environment(work), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30,
                          cwd=work, check=False)
    return done.returncode, done.stderr.decode("utf-8")


def evidence_left(dumps):
    return [path for path in dumps.rglob("*") if path.is_file() and path.name in ("a.hprof", "evidence")]


LIMITS = [("descriptors", ["--nofile=%d:%d" % (n, n)]) for n in (8, 10, 12, 14, 16, 18, 20, 24)]
LIMITS += [("address space", ["--as=%d000000" % n]) for n in (60, 120, 300)]
LIMITS += [("file size", ["--fsize=%d" % n]) for n in (0, 1_000_000)]


@pytest.mark.parametrize("what", ["ship", "watch"])
def test_nothing_is_lost_or_passed_over_under_a_limit(work, folder, what):
    for name, limits in LIMITS:
        dumps = work / "dumps"
        dumps.mkdir()
        shutil.rmtree(folder.root, ignore_errors=True)
        folder.root.mkdir()
        sha = drop(dumps, "a.hprof", SIZE)
        code, err = limited(work, dumps, folder, what, limits)
        case = (name, limits, code, err)
        assert 0 <= code < 128, case
        if code == 0:
            folder.check_all([sha])
        else:
            assert evidence_left(dumps), case
            assert err.strip(), case
        shutil.rmtree(dumps)


@pytest.mark.parametrize("what", ["ship", "watch"])
@pytest.mark.parametrize("processes", [1, 3])
def test_too_few_processes_lose_nothing(work, folder, what, processes):
    require_root("acts as another user")
    dumps = work / "dumps"
    dumps.mkdir()
    folder.root.mkdir(exist_ok=True)
    sha = drop(dumps, "a.hprof", SIZE)
    for path in (work, dumps, dumps / "a.hprof", folder.root):
        os.chown(path, USER, USER)
    code, err = limited(work, dumps, folder, what, ["--nproc=%d:%d" % (processes, processes)], uid=USER)
    assert 0 <= code < 128, err
    if code == 0:
        folder.check_all([sha])
    else:
        assert evidence_left(dumps) and err.strip(), err


def test_a_dump_that_is_closed_while_no_descriptor_is_free_is_examined_later(salvage, dumps, folder):
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("started")
    time.sleep(0.5)
    in_use = len(os.listdir("/proc/%d/fd" % watch.pid))
    hard = resource.prlimit(watch.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(watch.pid, resource.RLIMIT_NOFILE, (in_use, hard))
    sha = drop(dumps, "a.hprof")
    watch.wait("not-examined", fault="descriptors")
    resource.prlimit(watch.pid, resource.RLIMIT_NOFILE, (hard, hard))
    watch.wait("shipped")
    folder.check_all([sha])
    assert watch.stop() == 0


def test_a_dump_is_followed_while_no_worker_can_be_started(salvage, work, dumps, folder):
    """It is said why nothing is shipped; nothing crashes, and once there is room the dump is shipped."""
    require_root("acts as another user")
    folder.root.mkdir(exist_ok=True)
    for place in (dumps, folder.root):
        os.chown(place, USER, USER)
    watch = salvage.watch(dumps, *folder.options(), uid=USER, entry=["prlimit", "--nproc=30:30"])
    watch.wait("started")
    path = dumps / "a.hprof"
    sha = drop(work, "made.hprof", 10 << 20)
    whole = (work / "made.hprof").read_bytes()
    others = [subprocess.Popen(["sleep", "60"], **as_user(USER)) for _ in range(30)]
    with open(path, "wb") as out:
        out.write(whole[: 9 << 20])
        out.flush()
        os.chown(path, USER, USER)
        failed = watch.wait("failed", fault="no-process")
        assert "process" in failed["error"] and failed["path"] == str(path)
        out.write(whole[9 << 20:])
    for other in others:
        other.kill()
        other.wait()
    watch.wait("shipped")
    folder.check_all([sha])
    assert watch.stop() == 0


def test_more_descriptors_are_taken_where_the_hard_limit_allows_it(salvage, dumps, folder):
    """And the application under run has what it would have had without us."""
    watch = salvage.watch(dumps, *folder.options(), entry=["prlimit", "--nofile=64:512"])
    watch.wait("started")
    assert resource.prlimit(watch.pid, resource.RLIMIT_NOFILE) == (512, 512)
    assert watch.stop() == 0
    app = subprocess.run(["prlimit", "--nofile=64:512", BIN, "run", "--dir", str(dumps), *folder.options(), "--",
                          "/bin/sh", "-c", "ulimit -n"], env=environment(salvage.home), stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, check=False, timeout=30)
    assert app.stdout.decode().strip() == "64", (app.stdout, app.stderr)


# --- one failing system call a run ------------------------------------------------------------------------------------

CALLS = ["openat", "statx", "newfstatat", "mkdirat", "renameat2", "unlinkat", "fsync", "getdents64", "clone3"]


def fail_once(work, call, which):
    """watch --once in which the call fails once in each process, at its number `which`; None if it is not made so often.
    Returns (exit code, stderr, the failed call)."""
    trace = work / "trace"
    done = subprocess.run(["strace", "-f", "-qq", "-o", str(trace), "-e", "trace=" + call,
                           "-e", "inject=%s:error=EIO:when=%d" % (call, which), BIN, "watch", "dumps", "--once",
                           "--to", "file://%s/store" % work], env=environment(work), cwd=work, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, check=False)
    failed = [line for line in trace.read_text(encoding="utf-8", errors="replace").splitlines() if "(INJECTED)" in line]
    return (done.returncode, done.stderr.decode("utf-8"), failed[0]) if failed else None


@pytest.mark.parametrize("call", CALLS)
def test_no_single_failing_call_loses_a_dump_or_passes_it_over(work, folder, call):
    dumps = work / "dumps"
    first = 2 if call == "openat" else 1  # the loader's own
    for which in range(first, 100):
        shutil.rmtree(dumps, ignore_errors=True)
        shutil.rmtree(folder.root, ignore_errors=True)
        dumps.mkdir()
        folder.root.mkdir()
        sha = drop(dumps, "a.hprof", 30_000)
        result = fail_once(work, call, which)
        if result is None:
            assert which > first or call == "clone3", "the call is never made: the test shows nothing"
            break
        code, err, failed = result
        stored = [manifest for _, manifest in folder.manifests() if manifest["sha256"] == sha]
        assert 0 <= code < 128, (failed, err)
        assert len(stored) <= 1, (failed, err)
        if code == 0:
            folder.check_one(sha)
            assert not evidence_left(dumps), (failed, err)
        else:
            assert stored or evidence_left(dumps), (failed, err)
            assert err.strip(), failed
