# SPDX-License-Identifier: Apache-2.0
"""How long a process is stopped for its evidence: measured by the process itself, compared with the manifest."""
import json
import pathlib
import subprocess

import pytest

from helpers import jvm
from helpers.proc import require_root
from helpers.program import environment
from helpers.stores import Folder

NATIVE = pathlib.Path(__file__).parent / "native"
MIB = 1 << 20
BUSY = 120  # milliseconds that a machine with other things to do adds
pytestmark = pytest.mark.serial


@pytest.fixture(autouse=True)
def as_root():
    require_root("stops other processes")


class Clock:
    """A process that knows for how long its clock stood still."""

    def __init__(self, argv, cwd=None):
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment("/"), cwd=cwd)
        self.pid = self.process.pid
        assert self.process.stdout.readline() == b"ready\n"
        self.gap()

    def gap(self):
        """The longest, in milliseconds, since it was last asked."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline()) / 1000

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def program(session_folder):
    target = session_folder / "clockgaps"
    subprocess.run(["cc", "-g", "-O1", "-pthread", "-Wall", "-Werror", "-o", str(target), str(NATIVE / "clockgaps.c")],
                   check=True)
    return target


@pytest.fixture(scope="module")
def gigabyte(program):
    p = Clock([str(program), "1024"])
    yield p
    p.close()


@pytest.fixture(scope="module")
def java(java_classes):
    started = []

    def start(*options, jdk=jvm.JDK_17):
        started.append(Clock([jdk + "/bin/java", "-Xmx300m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *options,
                              "-cp", str(java_classes), "Gaps", "100"], cwd=str(java_classes)))
        return started[-1]

    yield start
    for p in started:
        p.close()


def manifests(store):
    return {m["name"].split(".")[0].split("_")[0]: m for _, m in store.manifests()}


def take(salvage, store, pid, actions):
    p = salvage.start("guard", "--pid", pid, "--to", store.url, "--state", store.root.parent / "state", "--when", "memory>=1M",
                      "--do", actions, "--cooldown", "1h", "--log", "json")
    assert p.wait("guard-made", timeout=60)["whole"], p.log
    assert p.stop() == 0
    return p, manifests(store)


# --- cores ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action, agreed", [("core", 100), ("core@pause=30ms", 30), ("core@1m@pause=0", 0)])
def test_a_guards_core_of_a_gigabyte_holds_it_no_longer_than_agreed(salvage, work, gigabyte, capsys, action, agreed):
    for n in range(3):  # other things that the machine does stop it, too
        gigabyte.gap()
        folder = Folder(work / str(n) / "store")
        p, found = take(salvage, folder, gigabyte.pid, action)
        gap, core = gigabyte.gap(), found["core"]
        if gap < agreed + BUSY:
            break
    with capsys.disabled():
        print("\n%s of 1 GiB: stood still for %.1f ms by its manifest, %.1f ms by its own clock, %.1f MiB of one moment"
              % (action, core["pause_ms"], gap, core["consistent_bytes"] / MIB))
    assert core["size"] > 1024 * MIB and "partial" not in core
    assert core["pause_by"] == "ptrace" and core["pause_ms"] < agreed + BUSY / 2
    assert core["pause_ms"] * 0.9 <= gap < agreed + BUSY
    assert 0 < core["consistent_bytes"] < core["size"], "the rest is of later moments, and that is said"
    shipped, = [e for e in p.named("shipped") if e["key"].endswith("/core.zst")]
    assert shipped["pause"].endswith(" ms")
    listed = salvage.ok("ls", folder.url)
    assert shipped["pause"] in next(line for line in listed.lines if "/core.zst" in line)


def test_a_core_that_may_not_take_so_long_is_cut_and_says_so(salvage, folder, gigabyte):
    _, found = take(salvage, folder, gigabyte.pid, "core@500ms")
    core = found["core"]
    assert "time was up" in core["partial"] and core["size"] < 1024 * MIB and core["pause_ms"] < 100 + BUSY, core


def test_a_core_of_one_moment_and_a_quick_one_say_which_they_are(salvage, work, program):
    p = Clock([str(program), "16"])
    try:
        whole = json.loads(salvage.ok("core", p.pid, "--to", work.as_uri() + "/a", "--json").out)
        assert whole["pause_ms"] > 0 and whole["pause_by"] == "ptrace" and "consistent_bytes" not in whole
        quick = json.loads(salvage.ok("core", p.pid, "--quick", "--to", work.as_uri() + "/b", "--json").out)
    finally:
        p.close()
    assert 0 < quick["pause_ms"] < whole["pause_ms"] + BUSY
    assert 0 < quick["consistent_bytes"] < MIB, "its registers, not its memory"


# --- what a JVM makes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jdk", jvm.JDKS, ids=jvm.name)
def test_a_heap_dump_says_how_long_the_jvm_stood_still(salvage, folder, java, jdk):
    p = java(jdk=jdk)
    p.gap()
    dump = json.loads(salvage.ok("jvm", "dump", p.pid, "--to", folder.url, "--json").out)
    gap = p.gap()
    assert dump["pause_by"] == "safepoint"
    assert 5 < dump["pause_ms"] <= gap * 1.2 + 20, (dump, gap)
    assert gap < dump["pause_ms"] * 2 + BUSY, (dump, gap)


def test_so_does_one_that_is_streamed(salvage, folder, java):
    p = java()
    p.gap()
    dump = json.loads(salvage.ok("jvm", "dump", p.pid, "--stream", "--to", folder.url, "--json").out)
    gap = p.gap()
    assert dump["pause_by"] == "safepoint" and 5 < dump["pause_ms"] <= gap * 1.2 + 20, (dump, gap)


def test_without_counters_it_is_the_time_of_the_answer(salvage, folder, java, work):
    p = java("-XX:-UsePerfData")
    p.gap()
    dump = json.loads(salvage.ok("jvm", "dump", p.pid, "--to", folder.url, "--json").out)
    gap = p.gap()
    assert dump["pause_by"] == "answer" and dump["pause_ms"] + 20 >= gap * 0.8, (dump, gap)
    assert any(" <" in line and "heap-dump" in line for line in salvage.ok("ls", folder.url).lines)
    said = json.loads(salvage.ok("jvm", "dump", p.pid, "--out", work / "d.hprof", "--json").out)
    assert said["pause_by"] == "answer" and said["pause_ms"] > 0


def test_each_piece_of_a_hook_and_of_a_guard_has_its_own(salvage, work, java, request):
    p = java()
    salvage.ok("jvm", "prestop", p.pid, "--to", work.as_uri() + "/a")
    first = json.loads(salvage.ok("ls", work.as_uri() + "/a", "--json").out)
    assert {m["kind"] for m in first} == {"thread-dump", "class-histogram", "heap-dump"}
    assert all(m["pause_by"] == "safepoint" and m["pause_ms"] > 0 for m in first), first
    store = request.getfixturevalue("folder")
    _, found = take(salvage, store, p.pid, "stats,threads,histogram,heap-dump")
    assert {"stats", "threads", "histogram", "java", "guard"} == set(found)
    for name in ("threads", "histogram", "java"):
        assert found[name]["pause_by"] == "safepoint" and found[name]["pause_ms"] > 0, found[name]
    assert found["threads"]["pause_ms"] < found["java"]["pause_ms"]
    for name in ("stats", "guard"):
        assert "pause_ms" not in found[name] and "pause_by" not in found[name], "nothing stood still for it"


def test_the_jvms_own_dump_tells_by_its_times(salvage, dumps, folder, jvm_17):
    said = jvm_17.die(dumps)
    p = salvage.watch(dumps, "--to", folder.url, "--once")
    assert p.end() == 0, p.log
    (_, dump), = folder.manifests()
    took = float(said.partition(" bytes in ")[2].split()[0]) * 1000
    assert dump["pause_by"] == "file" and took * 0.5 - 20 <= dump["pause_ms"] <= took * 1.5 + BUSY, (dump, said)
    assert p.named("shipped")[0]["pause"].startswith("<")


def test_a_file_that_lay_there_tells_nothing(salvage, dumps, folder):
    (dumps / "notes.hprof").write_bytes(b"JAVA PROFILE 1.0.2\0" + bytes(12))
    salvage.ok("ship", dumps / "notes.hprof", "--to", folder.url)
    (_, dump), = folder.manifests()
    assert "pause_ms" not in dump and "pause_by" not in dump
