# SPDX-License-Identifier: Apache-2.0
"""salvage jvm ps, compared with the JDK's jps: the same JVMs, classes and arguments; and what jps does not show."""
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import time

import pytest

from helpers import jvm
from helpers.proc import require_root, wait_for
from helpers.program import BIN, NOBODY, environment
from helpers.resting import COLLECTORS, EMBEDDER, SMALL, Nursery, Resting, tool

HEAD = "PID INNER UID JDK GC USED MAX IN CLASS".split()
CONTAINER = "0123456789abcdef" * 4
MIB = 1 << 20


@pytest.fixture
def nursery(java_classes):
    started = Nursery(java_classes)
    yield started
    started.close()


@pytest.fixture(scope="module")
def all_sorts(java_classes, session_folder):
    """JVMs named in every way there is: name -> JVM. Some with arguments that a terminal would obey."""
    folder = session_folder / "all sorts.d"
    folder.mkdir()
    jar = folder / "a cart.jar"
    subprocess.run([jvm.JDK_17 + "/bin/jar", "--create", "--file", str(jar), "--main-class", "Rest", "-C",
                    str(java_classes), "."], check=True)
    (folder / "plain.jar").symlink_to(jar)
    (folder / "flags").write_text("+HeapDumpOnOutOfMemoryError\n")
    (folder / "args").write_text('-Dfrom="an argfile" -cp %s Rest of-a-file\n' % java_classes)
    (folder / "module" / "shop").mkdir(parents=True)
    source = folder / "module" / "shop" / "Cart.java"
    source.write_text("package shop; public class Cart { public static void main(String[] a) throws Exception "
                      '{ System.out.println("ready"); System.in.read(); } }\n')
    (folder / "module" / "module-info.java").write_text("module cart { }\n")
    subprocess.run([jvm.JDK_17 + "/bin/javac", "-d", str(folder / "modules" / "cart"), str(source),
                    str(folder / "module" / "module-info.java")], check=True)
    started = Nursery(java_classes)
    newest = jvm.JDKS[-1]

    def start(*words, jdk=jvm.JDK_17, **more):
        return started.add(Resting([jdk + "/bin/java", "-Xmx24m", *SMALL, *words], jdk=jdk, cwd=folder, **more))

    hostile = ["-Dx=\x1b[31m\n", "-cp", java_classes, "Rest", "two words", "", "ü€", "\x1b]0;owned\x07\n", b"\xff\xfe"]
    jvms = {
        "class": start("-cp", java_classes, "Rest"),
        "package": start("-cp", folder / "modules" / "cart", "shop.Cart", "a", "b", jdk=newest),
        "jar": start("-jar", "plain.jar", "x"),
        "jar with blanks": start("-jar", jar, jdk=newest),
        "module": start("-p", folder / "modules", "-m", "cart/shop.Cart", "-x", "y"),
        "module of the newest": start("--module-path=" + str(folder / "modules"), "--module", "cart/shop.Cart",
                                      jdk=newest),
        "hostile": start(*hostile),
        "hostile of the newest": start(*hostile, jdk=newest),
        "long": start("-cp", java_classes, "Rest", *["word%d" % i for i in range(1000)]),
        "flags": start("-XX:Flags=flags", "-cp", java_classes, "Rest"),
        "variables": start("-cp", java_classes, "Rest", env={"JAVA_TOOL_OPTIONS": "-Da=b -Xmx20m"}),
        "argfile": start("@args", jdk=newest),
        "embedded": started.add(Resting([sys.executable, EMBEDDER, newest, "-Xmx24m", *SMALL], jdk=newest)),
        "no counters": start("-XX:-UsePerfData", "-Da=b c", "-cp", java_classes, "Rest", "two words"),
        "no counters, argfile": start("-XX:-UsePerfData", "@args", jdk=newest),
        "no file of counters": start("-XX:+PerfDisableSharedMem", "-jar", jar, "x", jdk=newest),
        "no counters, module": start("-XX:-UsePerfData", "-p", folder / "modules", "-m", "cart/shop.Cart", "z"),
    }
    for one in jvms.values():
        one.ready()
    yield jvms
    started.close()


WITHOUT_COUNTERS = {"no counters", "no counters, argfile", "no file of counters", "no counters, module"}


def by_pid(text):
    """pid -> the rest of the line."""
    return {int(line.split(" ", 1)[0]): line.split(" ", 1)[1] for line in text.splitlines() if line[:1].isdigit()}


def maps(pid):
    try:
        return pathlib.Path("/proc/%d/maps" % pid).read_bytes()
    except OSError:
        return b""


def rows(out):
    """pid -> the row's words, the command as one."""
    assert out.splitlines()[0].split() == HEAD
    found = [line.split(None, len(HEAD) - 1) for line in out.splitlines()[1:]]
    return {int(row[0]): dict(zip(HEAD, row)) for row in found}


def objects(salvage, *pids):
    return {one["pid"]: one for one in json.loads(salvage.ok("jvm", "ps", "--json", *pids).out)}


def shown(text):
    """What is shown of a text for jps: control characters (jps itself writes some line breaks as \\n), and what is no
    UTF-8 (Java reads it as U+FFFD), as '?'."""
    return re.sub(r"[\0-\x1f\x7f\ufffd]|\\n", "?", text)


def jps_of(pid, jdk, options):
    """jps's line of one JVM, with the line breaks that its arguments may have in it."""
    out = tool(jdk, "jps", *options)
    return re.search(r"(?ms)^%d (.*?)\n(?=\d+ |\Z)" % pid, out).group(1)


@pytest.mark.parametrize("options", [[], ["-l"], ["-m"], ["-v"], ["-lmv"]], ids=lambda o: "".join(o) or "none")
def test_classes_and_arguments_are_those_of_jps(salvage, all_sorts, options):
    out = tool(jvm.JDKS[-1], "jps", *options)
    ours = rows(salvage.ok("jvm", "ps", *options).out)
    for name, one in all_sorts.items():
        if name in WITHOUT_COUNTERS:
            assert one.pid in ours and not re.search("(?m)^%d " % one.pid, out), name
            continue
        line = re.search(r"(?ms)^%d ?(.*?)\n(?=\d+ |\Z)" % one.pid, out).group(1)
        if name == "embedded":  # to jps its name is empty
            line = "Unknown" + line
        assert ours[one.pid]["CLASS"] == shown(line).rstrip(), name


@pytest.mark.serial
def test_the_same_processes_as_jps(salvage, all_sorts):
    """Others may come and go meanwhile."""
    before = set(rows(salvage.ok("jvm", "ps").out))
    theirs = by_pid(tool(jvm.JDK_17, "jps"))
    after = set(rows(salvage.ok("jvm", "ps").out))
    silent = {all_sorts[name].pid for name in WITHOUT_COUNTERS}
    assert {one.pid for one in all_sorts.values()} <= before & after
    assert silent.isdisjoint(theirs)
    # jps as root shows JVMs of containers by their inner pids, too
    there = {pid for pid in theirs if b"libjvm.so" in maps(pid)}
    assert there <= before | after
    known = {pid for pid, one in objects(salvage).items() if not one["note"] and one["inner_pid"] == pid}
    assert (before & after & known) - silent <= set(theirs)


def test_flags_are_those_of_jps(salvage, all_sorts):
    one = all_sorts["flags"]
    theirs = jps_of(one.pid, one.jdk, ["-V"])
    assert objects(salvage)[one.pid]["jvm_flags"] == theirs.split(" ", 1)[1] == "+HeapDumpOnOutOfMemoryError"


def test_a_jvm_without_counters_is_told_from_its_command_line(salvage, all_sorts, java_classes):
    found = objects(salvage)
    one = found[all_sorts["no counters"].pid]
    assert (one["main_class"], one["arguments"]) == ("Rest", "two words")
    assert one["jvm_arguments"] == "-Xmx24m %s -XX:-UsePerfData -Da=b c" % " ".join(SMALL)
    assert one["java_version"].startswith("17.") and one["heap_used"] is None and one["collector"] is None
    assert "UsePerfData" in one["note"]
    one = found[all_sorts["no counters, argfile"].pid]
    assert (one["main_class"], one["arguments"]) == ("Rest", "of-a-file")
    assert one["jvm_arguments"].endswith("-Dfrom=an argfile")
    one = found[all_sorts["no file of counters"].pid]
    assert (one["main_class"].split("/")[-1], one["arguments"]) == ("a cart.jar", "x")
    one = found[all_sorts["no counters, module"].pid]
    assert (one["main_class"], one["arguments"]) == ("cart/shop.Cart", "z")


def test_an_object_has_all_of_it(salvage, all_sorts):
    one = objects(salvage)[all_sorts["package"].pid]
    version = tool(all_sorts["package"].jdk, "java", "-version")
    assert (one["main_class"], one["arguments"]) == ("shop.Cart", "a b")
    assert one["inner_pid"] == one["pid"] and one["uid"] == os.geteuid()
    assert '"%s"' % one["java_version"] in version and one["vm_version"] in version
    assert one["vm_name"] in version
    assert one["collector"] == "Serial" and one["heap_max"] == 24 * MIB
    assert one["note"] is None and one["host"]
    assert abs(time.time() - time.mktime(time.strptime(one["started"][:19], "%Y-%m-%dT%H:%M:%S")) + time.timezone) < 600


def test_nothing_speaks_to_the_terminal(salvage, all_sorts):
    for options in (["-lmv"], ["--json"]):
        out = salvage.ok("jvm", "ps", *options, all_sorts["hostile"].pid).out
        assert not re.search("[\0-\x09\x0b-\x1f\x7f]", out)
        assert "\\u001b" not in out


@pytest.fixture(scope="module", params=[(jdk, c) for jdk in jvm.JDKS for c in COLLECTORS],
                ids=lambda p: "%s-%s" % (jvm.name(p[0]), p[1]))
def collected(request, java_classes):
    started = Nursery(java_classes)
    jdk, collector = request.param
    yield collector, started.java("-XX:+Use%sGC" % collector, jdk=jdk, heap="64m").ready()
    started.close()


def heap_info(text):
    """Bytes used, of every collector's way to say it: "used 1633K", "5442K used", "used 18M"."""
    text = text.split("Metaspace")[0]
    found = re.findall(r"(?:total|heap|ZHeap|Tenured|DefNew|ParOldGen|PSYoungGen).*?used (\d+)([KM])", text) or \
        re.findall(r"(\d+)([KM]) used", text)
    return sum(int(n) * {"K": 1024, "M": MIB}[unit] for n, unit in found)


def test_the_heap_is_as_large_as_the_jvm_says(salvage, collected):
    collector, one = collected
    found = objects(salvage, one.pid)[one.pid]
    theirs = heap_info(one.jcmd("GC.heap_info"))
    assert found["collector"] == collector
    assert found["heap_max"] == 64 * MIB
    assert found["heap_used"] >= 12 * MIB
    # Since the last collection only "Litter" was made, and ZGC counts pages of 2 MiB.
    assert abs(found["heap_used"] - theirs) <= (8 if collector == "Z" else 2) * MIB, (found, theirs)


def test_a_jvm_in_a_pod_is_told_with_its_container(salvage, nursery, java_classes, work):
    require_root("makes namespaces")
    (work / "containers" / CONTAINER).mkdir(parents=True)
    hostname = work / "containers" / CONTAINER / "hostname"
    hostname.write_text("cart-7f\n")
    script = ("hostname cart-7f && mount --bind %s /etc/hostname && mount --bind %s /mnt && mount -t tmpfs tmpfs /tmp"
              " && exec %s/bin/java -Xmx48m -XX:+UseSerialGC -cp /mnt Rest" % (hostname, java_classes, jvm.JDK_17))
    outer = nursery.add(Resting(["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "sh", "-c", script],
                                env={"KUBERNETES_SERVICE_HOST": "10.0.0.1", "POD_NAMESPACE": "shop"})).ready()
    found = [one for one in objects(salvage).values() if one["pod"] == "cart-7f"]
    assert len(found) == 1
    assert found[0]["inner_pid"] == 1 and found[0]["pid"] != 1
    assert (found[0]["namespace"], found[0]["container"], found[0]["host"]) == ("shop", CONTAINER, "cart-7f")
    assert found[0]["main_class"] == "Rest" and found[0]["heap_max"] == 48 * MIB
    row = rows(salvage.ok("jvm", "ps").out)[found[0]["pid"]]
    assert (row["INNER"], row["IN"]) == ("1", "cart-7f")
    assert outer.alive


def test_an_openj9_is_shown_with_a_note(salvage, nursery):
    one = nursery.pretend("--map", "libjvm.so", "--map", "libj9vm29.so")
    found = objects(salvage)[one.pid]
    assert "OpenJ9" in found["note"] and found["main_class"] is None and found["inner_pid"] == one.pid
    assert "OpenJ9" in rows(salvage.ok("jvm", "ps", one.pid).out)[one.pid]["CLASS"]


def test_counters_that_are_not_believed_make_a_note(salvage, nursery):
    one = nursery.serial()
    file = next(line.split()[5] for line in open("/proc/%d/maps" % one.pid, encoding="utf-8") if "hsperfdata_" in line)
    with open(file, "r+b") as stream:
        stream.write(b"\0\0\0\1")
    found = objects(salvage)[one.pid]
    assert "not used" in found["note"] and found["main_class"] == "Rest"


def test_a_stopped_jvm_is_shown(salvage, nursery):
    one = nursery.serial()
    one.process.send_signal(signal.SIGSTOP)
    assert objects(salvage, one.pid)[one.pid]["main_class"] == "Rest"


def test_operands_limit_the_list(salvage, all_sorts):
    first, second = all_sorts["class"].pid, all_sorts["jar"].pid
    assert list(rows(salvage.ok("jvm", "ps", second, first).out)) == [second, first]
    result = salvage.run("jvm", "ps", first, os.getpid())
    assert list(rows(result.out)) == [first]
    assert result.code != 0 and "process %d is not a Java VM" % os.getpid() in result.message
    result = salvage.run("jvm", "ps", "4194304")
    assert result.code != 0 and "no process 4194304" in result.message
    assert salvage.run("jvm", "ps", "Rest").code == 2
    assert salvage.run("jvm", "ps", "--frobnicate").code == 2


@pytest.mark.serial
def test_who_may_not_look_is_told_so(salvage):
    require_root("is another user")
    result = salvage.ok("jvm", "ps", uid=NOBODY)
    assert result.out == ""
    assert re.search("no JVM found: [0-9]+ processes of other users could not be inspected", result.message)
    assert json.loads(salvage.ok("jvm", "ps", "--json", uid=NOBODY).out) == []


def test_ones_own_jvm_needs_no_root(salvage, nursery):
    require_root("is another user")
    one = nursery.serial(uid=NOBODY)
    result = salvage.ok("jvm", "ps", "--json", uid=NOBODY)
    found = {each["pid"]: each for each in json.loads(result.out)}[one.pid]
    assert (found["main_class"], found["uid"], found["note"], result.err) == ("Rest", NOBODY, None, "")
    assert objects(salvage)[one.pid] == {**found, "heap_used": objects(salvage)[one.pid]["heap_used"]}


def test_without_any_jvm_there_is_a_line_and_no_error():
    require_root("makes namespaces")
    command = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", BIN, "jvm", "ps"]
    p = subprocess.run(command, capture_output=True, text=True, check=True, env=environment("/"))
    assert (p.stdout, p.stderr) == ("", "salvage: no JVM found\n")


def test_the_head_stands_out_on_a_terminal_only(salvage, all_sorts):
    assert "\x1b" not in salvage.ok("jvm", "ps").out
    for variables, bold in ({}, True), ({"NO_COLOR": "1"}, False):
        ours, theirs = pty.openpty()
        command = [BIN, "jvm", "ps", str(all_sorts["class"].pid)]
        subprocess.run(command, stdout=theirs, check=True, env=environment("/", variables))
        said = os.read(ours, 4096)
        assert b"CLASS" in said and (b"\x1b[1m" in said) == bold
        os.close(theirs)
        os.close(ours)


def test_a_reader_that_has_seen_enough(salvage, all_sorts):
    p = subprocess.run("%s jvm ps -lmv | head -1" % BIN, shell=True, capture_output=True, check=True)
    assert p.stderr == b"" and p.stdout.split()[0] == b"PID"


def test_jvms_that_come_and_go(salvage, nursery):
    """None of the listings fails."""
    for _ in range(3):
        young = [nursery.java("-XX:+UseSerialGC", heap="16m") for _ in range(3)]
        for _ in range(8):
            salvage.ok("jvm", "ps", "-lmv")
        wait_for(lambda: all(one.pid in objects(salvage) for one in young))
        for one in young:
            one.process.kill()
