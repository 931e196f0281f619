# SPDX-License-Identifier: Apache-2.0
"""The table "What each way to run out of memory leaves behind" in docs/look-into-a-jvm.md: what HotSpot does by itself, and what
is left in the store."""
import glob
import json
import re
import signal
import subprocess

import pytest

from helpers import jvm
from helpers.cell import Cell
from helpers.proc import require_root
from helpers.program import BIN, NOBODY, environment
from helpers.supervised import Supervised

LIMITS = ["-Xmx24m", "-XX:MaxMetaspaceSize=24m", "-XX:MaxDirectMemorySize=16m", "-XX:TieredStopAtLevel=1"]
OVERHEAD = ["-XX:+UseParallelGC", "-XX:GCTimeLimit=1", "-XX:GCHeapFreeLimit=90"]
# Kind: what the error says, options of its own.
DUMPED = {
    "heap": ("Java heap space", []),
    "GC overhead": ("GC overhead limit exceeded", OVERHEAD),
    "metaspace": ("Metaspace", []),
    "array": ("Requested array size exceeds VM limit", []),
}
NOT_DUMPED = {
    "direct": "OutOfMemoryError: (Cannot reserve \\d+ bytes of direct buffer memory|Direct buffer memory)",
    "threads": "OutOfMemoryError: unable to create (new )?native thread",
    "code": "OutOfMemoryError: a library says so",
    "stack": "StackOverflowError",
}


def few_threads(kind):
    """Before a command line: a user who may have few threads (root has no such limit)."""
    if kind != "threads":
        return []
    require_root("becomes another user")
    return ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups", "prlimit", "--nproc=80"]


def java(jdk, classes, kind, *options, args=()):
    return [*few_threads(kind), jdk + "/bin/java", *LIMITS, *options, "-cp", str(classes), "OomKind",
            "heap" if kind == "GC overhead" else kind, *args]


@pytest.fixture
def die(salvage, dumps, java_classes):
    """Runs out of memory, and lives on; returns what stands in its log."""
    dumps.chmod(0o777)

    def run(jdk, kind, *options, args=(), env=None):
        p = subprocess.run(java(jdk, java_classes, kind, *options, args=args), cwd=str(dumps), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False,
                           env=environment(salvage.home, {"PATH": "/usr/bin:/bin", **(env or {})}))
        return p.returncode, p.stdout.decode()

    return run


HOTSPOT = ["-XX:+HeapDumpOnOutOfMemoryError", "-XX:OnOutOfMemoryError=echo the hook %p"]


@pytest.mark.parametrize("kind", DUMPED)
def test_hotspot_dumps_and_runs_the_hook(die, any_jvm, dumps, kind):
    message, options = DUMPED[kind]
    code, said = die(any_jvm.jdk, kind, *HOTSPOT, *options)
    assert "java.lang.OutOfMemoryError: " + message in said and code == 0 and "caught" in said
    assert "Heap dump file created" in said and re.search(r"^the hook \d+$", said, re.M)
    assert len(glob.glob(str(dumps / "*.hprof"))) == 1


@pytest.mark.parametrize("kind", NOT_DUMPED)
def test_hotspot_does_nothing(die, any_jvm, dumps, kind):
    """Neither dump nor hook, nor does it end as -XX:+ExitOnOutOfMemoryError says."""
    code, said = die(any_jvm.jdk, kind, *HOTSPOT, "-XX:+ExitOnOutOfMemoryError")
    assert re.search(NOT_DUMPED[kind], said) and code == 0 and "caught" in said
    assert "Dumping heap" not in said and "the hook" not in said and not glob.glob(str(dumps / "*.hprof"))


@pytest.mark.parametrize("kind", ["direct", "code"])
def test_a_handler_of_the_application_has_a_dump_made(die, any_jvm, folder, kind):
    code, said = die(any_jvm.jdk, kind, args=[BIN], env={"SALVAGE_TO": folder.url})
    assert code == 0, said
    (key, manifest), = folder.manifests()
    folder.check(key, manifest)
    assert manifest["cause"] == "java-oom" and manifest["kind"] == "heap-dump" and "partial" not in manifest


@pytest.mark.parametrize("kind", [*DUMPED, "direct"])
def test_what_run_ships(salvage, folder, java_classes, work, kind):
    _, options = DUMPED.get(kind, (None, []))
    command = java(jvm.JDK_17, java_classes, kind, *options)
    # The error comes before a JVM that has just started could be attached to.
    result = salvage.run("run", *folder.options(), "--jvm=env", "--dir", str(work / "area"), "--", *command)
    assert result.code == 0, result.err
    assert [(m["kind"], m["cause"]) for _, m in folder.manifests()] == ([("heap-dump", "java-oom")]
                                                                        if kind in DUMPED else [])


# --- JVMs that die of what HotSpot does nothing for -------------------------------------------------------------------


def record_of(store):
    """The one piece of evidence there is."""
    (key, manifest), = store.manifests()
    record = json.loads(store.check(key, manifest))
    assert (manifest["kind"], manifest["process"]["pid"]) == ("jvm-end", record["pid"])
    assert record["threads"]["live"] > 0 and record["counters"]["java.cls.sharedLoadedClasses"] > 0
    return manifest, record


@pytest.mark.serial
@pytest.mark.parametrize("kind, how", [("direct", "env"), ("direct", "attach"), ("threads", "attach"), ("code", "attach")])
def test_run_leaves_a_record_of_a_jvm_that_dies(salvage, folder, java_classes, work, any_jvm, kind, how):
    area = work / "area"
    area.mkdir(mode=0o777)
    area.chmod(0o777)
    command = java(any_jvm.jdk, java_classes, kind, "-Ddie=true", "-Dafter=1000")
    result = salvage.run("run", *folder.options(), "--jvm", how, "--dir", area, "--log", "json", "--", *command)
    assert result.code == 1 and re.search(NOT_DUMPED[kind], result.err), result.err
    assert '"event":"jvm-ended"' in result.err.replace(" ", ""), result.err
    manifest, record = record_of(folder)
    assert manifest["cause"] == "exit" and record["ended"] == {"why": "exit", "status": 1, "orderly": True}
    if kind == "threads":
        assert record["threads"]["livePeak"] > 20


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, None])
def test_run_leaves_nothing_of_a_jvm_that_ends_as_it_should(salvage, folder, java_classes, work, number):
    command = java(jvm.JDK_17, java_classes, "direct", "-Dwait=true")
    script = 'mkfifo fifo; exec 3<>fifo; exec "$@" <&3 >&2' if number else 'echo >line; exec "$@" <line >&2'
    p = Supervised(work, folder, work / "area", ["sh", "-c", script, "sh", *command])
    salvage.watches.append(p)
    if number:
        p.wait("armed")
        p.send(number)
    assert p.ended()[0] == (128 + number if number else 0) and folder.manifests() == [], p.log


def test_a_jvm_below_a_script_has_its_record(salvage, folder, java_classes, work):
    command = java(jvm.JDK_17, java_classes, "code", "-Ddie=true", "-Dafter=1000")
    result = salvage.run("run", *folder.options(), "--dir", work / "area", "--", "sh", "-c", '"$@"; exit 9', "sh", *command)
    assert result.code == 9, result.err
    _, record = record_of(folder)
    assert record["ended"].get("status", 1) == 1, "or unknown: its parent was quicker"


@pytest.mark.serial
def test_a_heap_dump_is_enough(salvage, folder, java_classes, work):
    command = java(jvm.JDK_17, java_classes, "heap", "-Ddie=true", "-Dafter=1500")
    for how in ("attach", "env"):
        result = salvage.run("run", *folder.options(), "--dir", work / "area", "--jvm", how, "--", *command)
        assert result.code == 1, result.err
    assert [m["kind"] for _, m in folder.manifests()] == ["heap-dump"] * 2


@pytest.mark.parametrize("how, why", [("die", "exit"), ("kill", "signal")])
def test_a_jvm_that_a_watch_armed_leaves_a_record(salvage, folder, dumps, java_classes, how, why):
    cell = Cell(salvage.home)
    try:
        watch = cell.start_salvage("watch", dumps, "--arm", "--to", folder.url)
        process = cell.start(*java(jvm.JDK_17, java_classes, "direct", "-Ddie=true", "-Dwait=true"), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(cell.home), cwd=cell.home)
        assert process.stdout.readline() == b"ready\n"
        pid = cell.inner(cell.inside(process))
        watch.wait("armed", pid=pid)
        if how == "die":
            process.stdin.write(b"\n")
            process.stdin.flush()
        else:
            cell.run("kill", "-9", pid)
        watch.wait("jvm-ended", pid=pid)
        watch.wait("shipped")
        manifest, record = record_of(folder)
        assert manifest["cause"] in (why, "unknown"), "unknown: its parent was quicker"
        assert record["ended"]["orderly"] == (how == "die")
    finally:
        cell.close()
