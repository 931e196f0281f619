# SPDX-License-Identifier: Apache-2.0
"""salvage guard on JVMs and other processes in real containers that run into their memory limit: which evidence is in the
store after the OOM kill. Guard runs on the node."""
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

from helpers import hprof
from helpers.containers import JAVA, LEAK, leaking, make_root
from helpers.proc import family, require_root, status, wait_for
from helpers.program import GRACE

USAGE = 2
pytestmark = pytest.mark.serial


@pytest.fixture(scope="module")
def root(session_folder, java_classes):
    require_root("makes containers")
    return make_root(session_folder / "guard-root", java_classes)


@pytest.fixture
def start(root, work):
    with leaking(root, work) as start:
        yield start


def leak(container):
    container.process.stdin.write(b"\n")
    container.process.stdin.flush()


def guard(salvage, *args):
    p = salvage.start("guard", *args, "--log", "json")
    p.wait("guarding")
    return p


def pieces(store):
    """By name, checked; all of one case. The record of the kill is told of elsewhere."""
    found = {}
    for key, manifest in store.manifests():
        if manifest["kind"] == "oom-kill":
            continue
        found[manifest["name"].split("-")[0].split("_")[0].split(".")[0]] = (manifest, store.check(key, manifest))
    assert len({os.path.dirname(key) for key, _ in store.manifests()}) == 1
    return found


@pytest.mark.parametrize("speed", [20, 100])
def test_what_the_kernel_kills_leaves_its_evidence_first(salvage, folder, start, speed, work):
    app = start(str(speed))
    p = guard(salvage, "--pid", app.pid, "--to", folder.url, *(["--state", work / "state"] if speed == 100 else []))
    leak(app)
    assert app.process.wait(GRACE) == 137
    made = p.wait("guard-made")
    assert made["whole"], p.log
    assert p.end() == 0 and p.named("guard-left")
    assert len(p.named("guard-case")) == 1 and "limit in" in p.named("guard-case")[0]["why"]
    found = pieces(folder)
    assert set(found) == {"stats", "threads", "histogram", "java", "guard"}
    assert len(p.named("shipped")) == 6  # with the record of the kill
    for manifest, _ in found.values():
        assert manifest["cause"] == "pressure" and manifest["process"]["pid"] == 1
    stats = json.loads(found["stats"][1])
    assert stats["process"]["pid"] == app.pid and stats["cgroup"]["limit"] == 192 << 20
    assert stats["processes"][0]["name"] == "java"
    assert b"at Leak.leak(Leak.java" in found["threads"][1]
    assert b"java.nio.DirectByteBuffer" in found["histogram"][1]
    assert hprof.problem(found["java"][1]) is None and "partial" not in found["java"][0]
    assert os.listdir(start.volume) == []


def test_how_long_a_dump_takes_is_learned_from_the_last_one(salvage, folder, start):
    app = start("20", "40", memory="256M")
    p = guard(salvage, "--pid", app.pid, "--to", folder.url)
    leak(app)
    assert p.wait("guard-made")["dump_rate"] != "100.0 MiB", p.log
    assert app.process.wait(GRACE) == 137
    assert p.end() == 0


def test_a_heap_that_fills_to_its_maximum_is_no_case(salvage, folder, start):
    """A JVM whose heap takes nearly all of its container, quickly, as it is meant to."""
    app = start("0", "90", memory="192M", command=[*LEAK[:1], "-Xmx110m", *LEAK[2:]])
    p = guard(salvage, "--pid", app.pid, "--to", folder.url)
    time.sleep(2)
    assert not p.named("guard-case"), p.log
    assert p.stop() == 0
    assert folder.manifests() == []


@pytest.mark.parametrize("collector,share", [("Serial", 85), ("Parallel", 65), ("G1", 85), ("Shenandoah", 85), ("Z", 80)])
def test_a_heap_that_fills_again_and_again_is_no_case(salvage, folder, start, collector, share):
    """Whatever its collector moves, and whenever it says so. The guard comes when it has been filled once."""
    app = start("3", str(share), memory="512M", command=[JAVA, "-Xmx384m", "-XX:+Use%sGC" % collector, "-cp", "/app", "Fill"])
    leak(app)
    wait_for(lambda: status(app.pid)["VmRSS"] > 280 << 20)
    p = guard(salvage, "--pid", app.pid, "--to", folder.url)
    assert app.process.wait(GRACE) == 0
    assert p.end() == 0 and not p.named("guard-case"), p.log


def test_conditions_and_actions_of_ones_own(salvage, folder, start):
    app = start("30")
    p = guard(salvage, "--pid", app.pid, "--to", folder.url, "--when", "memory>=60%", "--do", "threads", "--do", "stats",
              "--cooldown", "1h")
    leak(app)
    assert app.process.wait(GRACE) == 137
    p.wait("guard-made")
    assert p.end() == 0
    assert set(pieces(folder)) == {"threads", "stats", "guard"}
    assert len(p.named("guard-case")) == 1 and "memory>=60%" in p.named("guard-case")[0]["why"]


def test_all_finds_containers_that_come_and_go(salvage, folder, start):
    p = salvage.start("guard", "--all", "--rescan", "300ms", "--to", folder.url, "--when", "memory>=70%", "--do", "stats",
                      "--log", "json")
    app = start("60")
    wait_for(lambda: [e for e in p.named("guarding") if e["limit"] == "192.0 MiB"], why=lambda: p.log)
    leak(app)
    assert app.process.wait(GRACE) == 137
    case = wait_for(lambda: [e for e in p.named("guard-case") if e["pid"] == app.pid], why=lambda: p.log)[0]
    wait_for(lambda: [e for e in p.named("guard-left") if e["target"] == case["target"]], why=lambda: p.log)
    wait_for(lambda: len(p.named("guard-made")) == len(p.named("guard-case")))
    assert p.stop() == 0
    assert [m for _, m in folder.manifests() if m["kind"] == "memory-stats" and m["where"].get("host")]


def test_what_is_no_jvm_leaves_stats_and_a_core(salvage, folder, root):
    """The rest is said to be a JVM's only; a signal without a handler would end it."""
    p = subprocess.Popen([*os.environ["SALVAGE_TEST_CONTAINER"].split(), "--rootfs", str(root), "--memory", "96M", "--",
                          "/hog", "200", "20"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pid = wait_for(lambda: hog_of(p.pid), why="no hog")
    g = guard(salvage, "--pid", pid, "--to", folder.url, "--when", "memory>=50%", "--do",
              "stats,threads,signal:USR1,core")
    said = p.communicate(timeout=60)[1]
    assert b"exit=137 oom_kill=1" in said
    made = g.wait("guard-made")
    assert not made["whole"]
    assert [e["piece"] for e in g.named("guard-missed")] == ["threads.txt", "signal"]
    assert "not a Java VM" in g.log and "no handler for SIGUSR1" in g.log
    assert g.end() == 0
    found = pieces(folder)
    assert set(found) == {"stats", "core", "guard"} and found["stats"][0]["kind"] == "memory-stats"
    manifest, core = found["core"]
    assert core[:4] == b"\x7fELF" and len(core) > 40 << 20 and "partial" not in manifest


def hog_of(pid):
    """The process that takes memory, below the one that runs the container."""
    for one in family(pid):
        try:
            if pathlib.Path("/proc/%d/comm" % one).read_text() == "hog\n":
                return one
        except OSError:
            pass
    return None


def test_it_costs_nothing_while_nothing_happens(salvage, folder, start):
    app = start("0")
    p = guard(salvage, "--pid", app.pid, "--to", folder.url)
    time.sleep(1)
    before, began = cpu(p.pid), time.monotonic()
    time.sleep(3)
    used = (cpu(p.pid) - before) / (time.monotonic() - began)
    print("idle guard: %.3f %% of a core, %.1f MiB" % (used * 100, status(p.pid)["VmRSS"] / (1 << 20)))
    assert used < 0.02
    assert p.stop(how=signal.SIGINT) == 0


def cpu(pid):
    words = pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("args, said", [
    ([], "what is to be watched"),
    (["--pid", "x"], "'x' is not a process id"),
    (["--pid", "1", "--when", "memory>90%"], ">="),
    (["--pid", "1", "--do", "coffee"], "coffee"),
    (["--pid", "1", "--do", "get:ftp://127.0.0.1/"], "write get:http://"),
    (["--pid", "1", "--max-cases", "0/day"], "--max-cases"),
    (["--pid", "1", "--at-once", "0"], "--at-once"),
    (["--pid", "1", "more"], "'more'"),
], ids=["nothing", "pid", "when", "do", "url", "cases", "at once", "operand"])
def test_bad_input_gets_one_line(salvage, folder, args, said):
    result = salvage.run("guard", *args, "--to", folder.url)
    assert result.code == USAGE and said in result.message


def test_a_process_that_is_not_there_is_told(salvage, folder):
    result = salvage.run("guard", "--pid", "2147483646", "--to", folder.url)
    assert result.code == 1 and "no such process" in result.message
    result = salvage.run("guard", "--cgroup", "/nowhere", "--to", folder.url)
    assert result.code != 0 and "/nowhere" in result.message
