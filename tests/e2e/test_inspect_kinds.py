# SPDX-License-Identifier: Apache-2.0
"""salvage inspect of small evidence: a JVM that really crashed, its real histograms, records, and what is none."""
import json
import lzma
import os
import re
import shutil
import signal
import subprocess
import urllib.parse

import pytest
from helpers import jvm
from helpers.program import Salvage

SECRET = "hunter2"
KILL = {"schema": "salvage.oom-kill/1", "time": "2026-11-29T02:14:05.000Z", "why": "limit",
        "process": {"pid": 4711, "name": "java", "uid": 1000, "rss": 500 << 20, "rss_anon": 499 << 20}, "cgroup": {"limit": "/kubepods/cart"},
        "memory": {"usage": 512 << 20, "limit": 512 << 20, "failcnt": 7}, "where": {"namespace": "shop", "pod": "cart-7f9c"}, "tasks_count": 2,
        "tasks": [{"pid": 1, "name": "sh", "rss": 1 << 20}, {"pid": 4711, "name": "java", "rss": 500 << 20}]}
JVM_END = {"schema": "salvage.jvm-end/1", "time": "2026-11-29T02:14:05.000Z", "pid": 7, "command": "java -jar app.jar",
           "ended": {"why": "signal", "status": 137, "signal": "SIGKILL", "orderly": False}, "uptime_s": 75.5,
           "heap": {"collector": "G1", "used": 1 << 30, "max": 2 << 30}, "threads": {"live": 300, "livePeak": 310}}


@pytest.fixture(scope="module")
def crashed(session_folder, java_classes):
    """The crash log of a JVM, its pid, and two histograms of it from before."""
    folder = session_folder / "crashed"
    folder.mkdir()
    program = Salvage(folder)
    log = folder / "hs_err_pid7.log"
    p = jvm.Jvm(java_classes, heap="64m").start(folder / "none.hprof", "Rest", "--token=" + SECRET, options=(
        "-XX:+UseSerialGC", "-XX:-CreateCoredumpOnCrash", "-Ddb.password=" + SECRET, f"-XX:ErrorFile={log}"))
    try:
        p.stdout.readline()
        for name, more in (("a.txt", ()), ("b.txt", ("--live",))):
            (folder / name).write_text(program.ok("jvm", "histogram", p.pid, *more).out)
        p.send_signal(signal.SIGSEGV)
        p.communicate(timeout=60)
    finally:
        p.kill()
        program.close()
    return log, p.pid, folder / "a.txt", folder / "b.txt"


def test_a_crash_of_a_jvm_is_explained_without_its_secrets(salvage, crashed):
    log, pid = crashed[:2]
    text = salvage.ok("inspect", log).out
    found = json.loads(salvage.ok("inspect", log, "--json").out)
    raw = log.read_text()
    assert SECRET in raw and SECRET not in text and SECRET not in json.dumps(found)
    assert (found["schema"], found["kind"], found["pid"], found["sent_by_kill"]) == ("salvage.evidence/1", "hs-err", pid, True)
    assert found["sentence"].startswith("SIGSEGV (0xb), sent by kill in C  [lib")
    assert f"# {found['problematic_frame']}\n" in raw and f"VM state: {found['vm_state']}" in raw
    assert f"elapsed time: {found['elapsed']}\n" in raw and f"siginfo: {found['signal_info']}" in raw
    assert found["command"].startswith("java -Xmx64m ") and found["command"].endswith(" Rest (1 argument)"), found["command"]
    assert "-Ddb.password=..." in found["command"] and "no core file dumped" in found["core"]
    assert any("def new generation" in line for line in found["heap"]) and found["native_frames"]
    for line in (f"  FRAME      {found['problematic_frame']}\n", f"  COMMAND    {found['command']}\n", "  HEAP       def new generation", "  CORE       "):
        assert line in text, text
    assert "--html is for heap dumps" in salvage.run("inspect", log, "--html", "-").message


def test_a_crash_at_an_outofmemoryerror_has_its_java_frames(salvage, work, any_jvm):
    """Their stacks follow each other in another way in JDK 25."""
    options = ("-XX:+UseSerialGC", "-XX:+CrashOnOutOfMemoryError", "-XX:-CreateCoredumpOnCrash", f"-XX:ErrorFile={work}/hs_err.log")
    p = any_jvm.start(work / "heap.hprof", options=options)
    p.communicate(timeout=60)
    found = json.loads(salvage.ok("inspect", work / "hs_err.log", "--json").out)
    assert (found["cause"], found["thread"]) == ("java-oom", "main")
    assert found["error"] == "fatal error: OutOfMemory encountered: Java heap space"
    assert [line for line in found["java_frames"] if not re.match(r"[jJvV]\s", line)] == [] and any(" Oom.main(" in line for line in found["java_frames"])
    assert len(found["native_frames"]) > 5 and any("libjvm.so" in line for line in found["native_frames"])
    assert not any("frames:" in line for line in found["native_frames"])


def test_histograms_are_shown_and_compared(salvage, crashed):
    a, b = crashed[2:]
    found, after = (json.loads(salvage.ok("inspect", x, "--json").out) for x in (a, b))
    total = re.search(r"Total +(\d+) +(\d+)", a.read_text())
    assert (found["objects"], found["bytes"]) == (int(total[1]), int(total[2]))
    assert [row["bytes"] for row in found["classes"]] == sorted((row["bytes"] for row in found["classes"]), reverse=True)
    assert found["classes"][0]["class"] == "byte[]" and {"class": "Rest$Kept", "count": 1234, "bytes": 1234 * 16} in found["classes"]
    lines = salvage.ok("inspect", a, "--top", "3").out.splitlines()
    assert len(lines) == 5 and lines[2].startswith("  CLASSES ") and " byte[] (" in lines[2]
    change = json.loads(salvage.ok("inspect", a, b, "--json").out)
    litter = next(row for row in change["classes"] if row["class"] == "Rest$Litter")
    assert (litter["count_before"], litter["count_after"]) == (4321, 0) and not any(row["class"] == "Rest$Kept" for row in change["classes"])
    assert (change["before"]["bytes"], change["after"]["bytes"]) == (found["bytes"], after["bytes"])
    text = salvage.ok("inspect", a, b, "--top", "1000").out
    assert re.search(r"-67\.5 KiB +67\.5 KiB → +0 B +-4321 objects  Rest\$Litter\n", text), text


def test_records_are_shown(salvage, work):
    (work / "oom-kill.json").write_text(json.dumps(KILL, indent=2))
    (work / "jvm-end.json").write_text(json.dumps(JVM_END, indent=2))
    text = salvage.ok("inspect", work / "oom-kill.json").out
    for words in ("oom-kill.json · Record of an OOM kill · 2026-11-29T02:14:05.000Z\n",
                  "  The kernel killed java: the container reached its memory limit of 512.0 MiB; the process held 500.0 MiB\n",
                  "  WHERE      shop/cart-7f9c\n", "  KILLED      500.0 MiB  java, pid 4711, uid 1000\n",
                  "  MEMORY     used 512.0 MiB, limit 512.0 MiB, hit 7 times\n", "  PROCESSES   500.0 MiB  java, pid 4711\n"):
        assert words in text, text
    assert json.loads(salvage.ok("inspect", work / "oom-kill.json", "--json").out)["record"] == KILL
    assert salvage.ok("inspect", "file://%s/oom-kill.json" % work).out == text  # which is no manifest
    text = salvage.ok("inspect", work / "jvm-end.json").out
    for words in ("  The JVM was ended by SIGKILL, at once: it left its counters behind\n", "  COMMAND    java -jar app.jar\n",
                  "  RAN        1:15\n", "  HEAP       used 1.0 GiB, of at most 2.0 GiB, G1\n", "  THREADS    300 of Java, at most 310\n"):
        assert words in text, text


def test_a_case_and_its_manifest_are_its_evidence(salvage, work, folder, crashed):
    (work / "hs_err_pid7.log").write_bytes(crashed[0].read_bytes())
    url = salvage.ok("ship", work / "hs_err_pid7.log", *folder.options(), "--keep", env=folder.env).out.strip()
    case = os.path.basename(os.path.dirname(urllib.parse.urlsplit(url).path)).rsplit("-", 1)[1]
    name, whole = "hs_err_pid7.log · ", salvage.ok("inspect", work / "hs_err_pid7.log").out
    for shown in (salvage.ok("inspect", case, *folder.options(), env=folder.env).out, salvage.ok("inspect", url).out):
        assert shown.split("\n", 1)[1] == whole.split("\n", 1)[1] and whole.startswith(name)
    manifest = next((work / "store").rglob("*.log.zst.json"))
    assert salvage.ok("inspect", manifest).out.startswith("hs_err.log.zst · Crash log of the JVM")  # which lies beside it
    assert salvage.ok("inspect", url + ".json").out == salvage.ok("inspect", url).out
    alone = work / "alone.json"
    alone.write_bytes(manifest.read_bytes())
    text = salvage.ok("inspect", alone).out
    assert text.startswith("alone.json · Manifest · Crash log of the JVM") and " crashed: SIGSEGV (0xb)" in text and "  SUMMARY    SIGSEGV" in text


def test_what_is_none_gets_one_line(salvage, work, crashed):
    (work / "a.xz").write_bytes(lzma.compress(b"x"))
    (work / "a.txt").write_text("no dump")
    (work / "oom-kill.json").write_text('{"schema": "salvage.oom-kill/1",')
    (work / "kill.json").write_text(json.dumps(KILL))
    for args, words in ((["a.xz"], "a.xz: it is compressed by xz: unpack it first: xz -d"), (["a.txt"], "it is nothing that inspect reads: heap dumps"),
                        (["oom-kill.json"], "it is damaged"), (["kill.json", "kill.json"], "can be compared"),
                        (["kill.json", "a.txt"], "it is nothing that inspect reads"), (["kill.json", "--path", "X"], "are for heap dumps"),
                        ([crashed[2], "kill.json"], "the first is a class histogram, the second a record of an OOM kill")):
        done = salvage.run("inspect", *(work / a if str(a).endswith(("xz", "txt", "json")) else a for a in args))
        assert done.code != 0 and words in done.message and len(done.err.strip().splitlines()) == 1, done


@pytest.mark.only_where(shutil.which("node"), "there is no Node.js")
def test_a_heap_snapshot_of_node_has_its_constructors(salvage, work):
    program = 'class Order { constructor(i) { this.i = [i]; } }; global.kept = []; for (let i = 0; i < 5000; i++) kept.push(new Order(i));'
    subprocess.run(["node", "-e", program + 'require("v8").writeHeapSnapshot("a.heapsnapshot")'], cwd=work, check=True, timeout=60)
    found = json.loads(salvage.ok("inspect", work / "a.heapsnapshot", "--json").out)
    whole = json.loads((work / "a.heapsnapshot").read_text())["snapshot"]
    assert found["objects"] == whole["node_count"] and sum(row["bytes"] for row in found["classes"]) == found["bytes"]
    assert [row["count"] for row in found["classes"] if row["class"] == "Order"] == [5000] and len(found["classes"]) > 5
    assert "  Order (5000)\n" in salvage.ok("inspect", work / "a.heapsnapshot").out
