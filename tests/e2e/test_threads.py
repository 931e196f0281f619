# SPDX-License-Identifier: Apache-2.0
"""inspect of thread dumps, and jvm threads --summary: JVMs whose threads really hang, dumped by the JDK's own tools."""
import json
import pathlib
import subprocess

import pytest
from helpers import jvm

CORPUS = pathlib.Path(__file__).resolve().parents[1] / "fuzz" / "corpus" / "thread_dump"


class Stuck:
    def __init__(self, classes, jdk, *how):
        self.jdk = jdk
        self.process = subprocess.Popen([jdk + "/bin/java", "-Xmx32m", "-XX:TieredStopAtLevel=1", "-cp", str(classes), "Stuck", *how],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n"
        self.pid = self.process.pid

    def close(self):
        self.process.kill()
        self.process.communicate()

    def jcmd(self, *command):
        return subprocess.run([self.jdk + "/bin/jcmd", str(self.pid), *command], check=True, stdout=subprocess.PIPE).stdout.decode()


@pytest.fixture(scope="module", params=jvm.JDKS, ids=jvm.name)
def stuck(request, java_classes):
    started = Stuck(java_classes, request.param, "deadlock", "lock-deadlock", "convoy", "pool", "spin")
    yield started
    started.close()


def inspect(salvage, work, text, *more):
    path = work / "threads.txt"
    path.write_text(text)
    found = json.loads(salvage.ok("inspect", path, "--json", *more).out)
    assert found["schema"] == "salvage.threads/1"
    return found


def named(rows, name):
    return next(row for row in rows if row["name"] == name)


@pytest.mark.parametrize("options", [(), ("-l",)], ids=["plain", "locks"])
def test_deadlocks_a_convoy_and_a_pool(salvage, work, stuck, options):
    found = inspect(salvage, work, stuck.jcmd("Thread.print", *options), "--threads")
    deadlocks = {tuple(sorted(t["name"] for t in d["threads"])): d["threads"] for d in found["deadlocks"]}
    assert set(deadlocks) == {("lock-1", "lock-2"), ("pay-1", "pay-2")}
    for t in deadlocks["pay-1", "pay-2"]:
        assert t["waits_for"]["class"] == "Stuck$Cart" and t["at"].startswith("Stuck$Cart.touch(Stuck.java:")
        assert {t["name"], t["held_by"]} == {"pay-1", "pay-2"}
    queue, = found["blocked"]
    assert (queue["owner"], queue["owner_doing"], queue["threads"]) == ("owner", "waiting", 12)
    assert queue["owner_at"].startswith("Stuck$Cart.holdUntil(Stuck.java:") and queue["lock"]["class"] == "Stuck$Cart"
    assert named(found["pools"], "http-nio-8080-exec-#")["doing"] == {"blocked": 12}
    assert named(found["pools"], "worker-#")["doing"] == {"idle": 20}
    convoy = next(s for s in found["stacks"] if s["name"] == "http-nio-8080-exec-#")
    assert convoy["count"] == 12 and any(f.startswith("Stuck$Cart.touch(") for f in convoy["frames"])
    assert named(found["cpu"], "spinner")["at"].startswith("Stuck.lambda$spin$")
    table = {t["name"]: t for t in found["thread_table"]}
    assert table["owner"]["holds"][0] == queue["lock"] and table["http-nio-8080-exec-7"]["held_by"] == "owner"


def test_a_summary_of_a_live_jvm(salvage, stuck):
    out = salvage.ok("jvm", "threads", stuck.pid, "--summary").out
    assert out.count("DEADLOCK") == 2 and "Full thread dump" not in out and "\033" not in out
    assert 'BLOCKED    12 threads wait for' in out and '(Stuck$Cart) held by "owner", waiting at Stuck$Cart.holdUntil(' in out
    assert "worker-# × 20: 20 idle" in out


def test_two_dumps_show_who_spins_and_who_never_moved(salvage, work, stuck):
    out = salvage.ok("jvm", "threads", stuck.pid, "-l", "--repeat", "2", "--every", "1s").out
    found = inspect(salvage, work, out)
    compared = found["compared"]
    assert compared["dumps"] == 2 and compared["ms"] >= 900
    busiest = found["cpu"][0]
    assert busiest["name"] == "spinner" and busiest["cpu_ms"] > 50 and 900 <= busiest["of_ms"] < 60000, busiest
    unmoved = {g["name"]: g["count"] for g in compared["unmoved"]}
    assert unmoved["http-nio-8080-exec-#"] == 12 and unmoved["owner"] == 1
    assert not {"spinner", "worker-#"} & set(unmoved)
    text = salvage.ok("inspect", work / "threads.txt").out
    assert "COMPARED   2 dumps in " in text and "UNMOVED    12 × http-nio-8080-exec-#, blocked at Stuck$Cart.touch(" in text


def test_the_same_from_a_dump_in_a_log(salvage, work, stuck):
    text = stuck.jcmd("Thread.print", "-l")
    log = "INFO all is well\n" * 5000 + text + "java.lang.Error: later\n\tat com.shop.Late.run(Late.java:1)\n"
    plain, logged = inspect(salvage, work, text), inspect(salvage, work, log)
    assert plain == logged


@pytest.mark.jdk_25
@pytest.mark.parametrize("form", ["plain", "json"])
def test_virtual_threads(salvage, work, java_classes, form):
    started = Stuck(java_classes, jvm.JDKS_25[0], "virtual", "convoy", "deadlock")
    try:
        started.jcmd("Thread.dump_to_file", "-format=" + form, str(work / "to-file"))
        found = inspect(salvage, work, (work / "to-file").read_text(), "--threads")
    finally:
        started.close()
    orders = named(found["pools"], "order-#")
    assert orders["count"] == 30 and orders["doing"] == {"waiting": 30}
    virtual = [t for t in found["thread_table"] if t["virtual"]]
    assert len(virtual) == 30 and virtual[0]["frames"][-1].startswith("java.lang.VirtualThread.run(VirtualThread.java:")
    assert found["blocked"][0]["owner"] == "owner" and found["blocked"][0]["threads"] == 12
    assert {t["name"] for t in found["deadlocks"][0]["threads"]} == {"pay-1", "pay-2"}


@pytest.mark.parametrize("file, threads, deadlocks", [
    ("jdk8", 7, [["threadB", "threadA"]]), ("javacore", 4, [["DeadLockTest 1", "DeadLockTest 2"]]),
    ("jdk17", 12, [["pay-1", "pay-2"], ["lock-1", "lock-2"]]), ("jdk25", 12, [["pay-1", "pay-2"], ["lock-1", "lock-2"]]),
    ("jdk25-file", 13, [["pay-1", "pay-2"]]), ("jdk25-json", 13, [["pay-1", "pay-2"]]), ("jdk21-file", 3, [])])
def test_dumps_of_all_formats(salvage, file, threads, deadlocks):
    found = json.loads(salvage.ok("inspect", CORPUS / file, "--json").out)
    assert found["threads"] == threads and [[t["name"] for t in d["threads"]] for d in found["deadlocks"]] == deadlocks
    assert "cut" not in found
    assert (file == "jdk21-file") != ("DEADLOCK" in salvage.ok("inspect", CORPUS / file).out)


def test_bad_input_gets_one_line(salvage, work):
    (work / "words").write_text("INFO Full thread dump follows\n")
    done = salvage.run("inspect", work / "words")
    assert done.code != 0 and "there is no thread dump in it" in done.message
    (work / "cut").write_text((CORPUS / "jdk25-json").read_text()[:3000])
    assert "The dump is not whole" in salvage.ok("inspect", work / "cut").out
