# SPDX-License-Identifier: Apache-2.0
"""jvm threads, histogram, flags, props, cmd and set, compared with the JDK's tools on the same JVM; and JVMs that do not answer,
or answer with garbage."""
import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from helpers import hprof, jvm
from helpers.proc import require_root, status, wait_for
from helpers.program import BIN, NOBODY, as_user, environment
from helpers.resting import COLLECTORS, EMBEDDER, Nursery, Resting, tool

USAGE, FORMAT, REFUSED, OTHER = 2, 51, 45, 1
ANSWERS = {"garbage": FORMAT, "half": FORMAT, "huge": FORMAT, "close": OTHER, "escapes": OTHER, "nothing": OTHER}


@pytest.fixture
def nursery(java_classes):
    started = Nursery(java_classes)
    yield started
    started.close()


@pytest.fixture(scope="module", params=[(jdk, c) for jdk in jvm.JDKS for c in COLLECTORS],
                ids=lambda p: "%s-%s" % (jvm.name(p[0]), p[1]))
def resting(request, java_classes):
    """A JVM of each sort; its listener runs already, so that the first question finds the same threads as the next."""
    jdk, collector = request.param
    started = Nursery(java_classes)
    one = started.java("-XX:+Use%sGC" % collector, "-Dwith=a  b", "-Dumlaut=ü", jdk=jdk).ready()
    one.jcmd("VM.system_properties")  # sets user.timezone, by printing the time
    yield one
    started.close()


@pytest.fixture(scope="module", params=jvm.JDKS, ids=jvm.name)
def serial(request, java_classes):
    started = Nursery(java_classes)
    yield started.serial(jdk=request.param)
    started.close()


# --- beside the JDK's tools -------------------------------------------------------------------------------------------


def at_rest(text):
    """A thread dump without what differs between any two of them: times, and the state of the collector's threads."""
    text = re.sub(r"\A\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n", "TIME\n", text)
    text = re.sub(r"<0x[0-9a-f]+>", "<moves>", text)
    text = re.sub(r"(cpu|elapsed)=[0-9.]+m?s", r"\1=?", text)
    text = re.sub(r'(?m)^(".*") (.*?)(runnable|waiting on condition|sleeping|in Object.wait\(\)) *(\[0x\w+\])? *$',
                  r"\1 \2", text)
    return re.sub(r"JNI global refs?: \d+, weak refs: \d+", "JNI", text)


@pytest.mark.parametrize("options", [[], ["-l"]], ids=["", "locks"])
def test_threads_are_those_of_jcmd(salvage, resting, options):
    ours = salvage.ok("jvm", "threads", *options, resting.pid).out
    theirs = resting.jcmd("Thread.print", *options)
    assert at_rest(ours).splitlines() == at_rest(theirs).splitlines()
    assert '"wants the lock"' in ours and "Rest.main" in ours
    assert ("Locked ownable synchronizers" in ours) == bool(options)


def classes_of(histogram):
    """class -> (instances, bytes)"""
    found = re.findall(r"(?m)^ *\d+: +(\d+) +(\d+)  (\S+)", histogram)
    return {name: (int(instances), int(size)) for instances, size, name in found}


def test_a_histogram_of_what_is_alive_is_that_of_jcmd(salvage, resting):
    """After a full collection nothing but what an answer itself makes can differ."""
    first = classes_of(resting.jcmd("GC.class_histogram"))
    ours = salvage.ok("jvm", "histogram", "--live", resting.pid).out
    theirs = resting.jcmd("GC.class_histogram")
    stable = {name: n for name, n in classes_of(theirs).items() if first.get(name) == n}
    mine = classes_of(ours)
    assert {name: mine.get(name) for name in stable} == stable
    assert len(stable) > 100 and stable["Rest$Kept"][0] == 1234
    assert ours.splitlines()[:3] == theirs.splitlines()[:3] and re.match("Total +[0-9]+ +[0-9]+$",
                                                                       ours.splitlines()[-1])
    assert "Rest$Litter" not in mine


def test_a_histogram_counts_garbage_too(salvage, nursery):
    for jdk in jvm.JDKS:
        one = nursery.serial(jdk=jdk)
        ours = classes_of(salvage.ok("jvm", "histogram", one.pid).out)
        theirs = classes_of(one.jcmd("GC.class_histogram", "-all"))
        assert ours["Rest$Kept"] == theirs["Rest$Kept"] and ours["Rest$Kept"][0] == 1234
        assert ours["Rest$Litter"] == theirs["Rest$Litter"] and ours["Rest$Litter"][0] == 4321


def test_the_top_of_a_histogram(salvage, serial):
    whole = salvage.ok("jvm", "histogram", "--live", serial.pid).out.splitlines()
    top = salvage.ok("jvm", "histogram", "--live", "--top", "3", serial.pid).out.splitlines()
    assert [line.split()[0] for line in top] == ["num", "-" * 55, "1:", "2:", "3:", "Total"]
    assert top[:-1] == whole[:5] and len(whole) > 100


@pytest.mark.parametrize("ours, theirs", [(["flags"], "VM.flags"), (["flags", "--all"], "VM.flags -all"),
                                          (["props"], "VM.system_properties"),
                                          (["cmd", "VM.command_line"], "VM.command_line"),
                                          (["cmd", "VM.version"], "VM.version"), (["cmd", "help"], "help"),
                                          (["cmd", "help", "GC.heap_dump"], "help GC.heap_dump")],
                         ids=lambda o: o if isinstance(o, str) else "")
def test_answers_are_those_of_jcmd(salvage, resting, ours, theirs):
    where = [ours[0], resting.pid, *ours[1:]] if ours[0] == "cmd" else [*ours, resting.pid]
    said = salvage.run("jvm", *where)
    expected = resting.jcmd(*theirs.split())
    if theirs == "VM.system_properties":  # a line with the time
        said.out, expected = [re.sub(r"(?m)^#.*\n", "", text) for text in (said.out, expected)]
        assert "\nwith=a  b\n" in said.out and "\numlaut=" in said.out
    assert (said.out, said.err, said.code) == (expected, "", 0)


def test_set_is_seen_by_the_jdk(salvage, serial):
    def flags():
        return {name: tool(serial.jdk, "jinfo", "-flag", name, serial.pid).strip()
                for name in ("HeapDumpOnOutOfMemoryError", "HeapDumpPath", "MinHeapFreeRatio")}

    salvage.ok("jvm", "set", serial.pid, "+HeapDumpOnOutOfMemoryError", "HeapDumpPath=/a b=c/ü", "MinHeapFreeRatio=11")
    assert flags() == {"HeapDumpOnOutOfMemoryError": "-XX:+HeapDumpOnOutOfMemoryError",
                       "HeapDumpPath": "-XX:HeapDumpPath=/a b=c/ü", "MinHeapFreeRatio": "-XX:MinHeapFreeRatio=11"}
    salvage.ok("jvm", "set", serial.pid, "-HeapDumpOnOutOfMemoryError", "MinHeapFreeRatio=12")
    assert flags()["HeapDumpOnOutOfMemoryError"] == "-XX:-HeapDumpOnOutOfMemoryError"
    salvage.ok("jvm", "set", serial.pid, "HeapDumpOnOutOfMemoryError=true")
    assert flags()["HeapDumpOnOutOfMemoryError"] == "-XX:+HeapDumpOnOutOfMemoryError"
    for word in ("UseSerialGC=1", "+NoSuchFlag", "MinHeapFreeRatio=many"):
        result = salvage.run("jvm", "set", serial.pid, word)
        assert result.code == OTHER and result.message.startswith(word + ": JVM "), result
    assert salvage.run("jvm", "set", serial.pid, "HeapDumpPath").code == USAGE
    assert salvage.run("jvm", "set", serial.pid).code == USAGE
    assert flags()["MinHeapFreeRatio"] == "-XX:MinHeapFreeRatio=12"


@pytest.mark.serial
def test_several_dumps_at_their_times(salvage, serial):
    began = time.monotonic()
    out = salvage.ok("jvm", "threads", "--repeat", "3", "--every", "200ms", serial.pid).out
    assert out.count("Full thread dump") == 3
    assert 0.4 <= time.monotonic() - began < 2


def test_cmd_runs_what_changes_something(salvage, nursery):
    serial = nursery.serial()
    assert classes_of(salvage.ok("jvm", "histogram", serial.pid).out).get("Rest$Litter")
    assert salvage.ok("jvm", "cmd", serial.pid, "GC.run").out == ""  # jcmd has words of its own for that
    assert not classes_of(salvage.ok("jvm", "histogram", serial.pid).out).get("Rest$Litter")


def test_cmd_quotes_words_with_blanks(salvage, serial, work):
    path = work / "a dump.hprof"
    work.chmod(0o777)
    salvage.ok("jvm", "cmd", serial.pid, "GC.heap_dump", path)
    assert path.stat().st_size > 1 << 20


def test_a_command_that_the_jvm_does_not_know(salvage, serial):
    result = salvage.run("jvm", "cmd", serial.pid, "GC.no_such")
    assert result.code == OTHER and "Unknown diagnostic command" in result.message and result.out == ""


def test_more_than_1024_bytes(salvage, java_classes, nursery):
    """Version 2 of the protocol has no such limit; the first one has, and is not overrun."""
    for jdk in jvm.JDKS:
        one = nursery.serial(jdk=jdk)
        folder = "/tmp/" + "x" * 1100
        result = salvage.run("jvm", "cmd", one.pid, "GC.heap_dump", folder)
        if jdk == jvm.JDK_17:
            assert result.code == USAGE and "the arguments are too long for JVM %d" % one.pid in result.message
        else:
            assert (result.code, result.err) == (0, "") and re.search("File ?name too long", result.out)
        assert salvage.run("jvm", "cmd", one.pid, "GC.heap_dump", "x" * 100000, "x" * 100000, "x" * 100000).code == USAGE
        assert "java_command: Rest" in salvage.ok("jvm", "cmd", one.pid, "VM.command_line").out


def test_a_reader_that_has_seen_enough(serial):
    for command in ("threads %d" % serial.pid, "flags --all %d" % serial.pid, "props %d" % serial.pid):
        p = subprocess.run("%s jvm %s | head -1" % (BIN, command), shell=True, capture_output=True, check=True)
        assert p.stderr == b"" and p.stdout.count(b"\n") == 1


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["threads", "histogram", "flags", "props", "set", "cmd"])
def test_there_is_no_such_jvm(salvage, command):
    more = {"set": ["A=b"], "cmd": ["help"]}.get(command, [])
    assert "there is no process 4194304" in salvage.run("jvm", command, "4194304", *more).message
    result = salvage.run("jvm", command, os.getpid(), *more)
    assert result.code == FORMAT and "is not a Java VM" in result.message
    for wrong in ([], ["Rest", *more], ["0", *more], ["-1", *more], ["--frobnicate", "1", *more],
                  ["99999999999", *more]):
        result = salvage.run("jvm", command, *wrong)
        assert result.code == USAGE and result.message, result


@pytest.mark.serial
def test_a_stopped_jvm_ends_in_time(salvage, nursery):
    one = nursery.serial()
    one.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    result = salvage.run("jvm", "threads", "--timeout", "1s", one.pid)
    assert 1 <= time.monotonic() - began < 3
    assert result.code == OTHER and "it is stopped" in result.message
    one.process.send_signal(signal.SIGCONT)
    assert "Full thread dump" in salvage.ok("jvm", "threads", one.pid).out
    assert not list(pathlib.Path("/tmp").glob(".attach_pid%d" % one.pid))
    one.process.send_signal(signal.SIGSTOP)
    assert "does not answer within 1.0 s: it is stopped" in \
        salvage.run("jvm", "threads", "--timeout", "1s", one.pid).message


def test_a_jvm_that_ends_meanwhile(salvage, nursery):
    one = nursery.serial()
    one.process.send_signal(signal.SIGSTOP)
    threading.Timer(0.5, one.process.kill).start()
    result = salvage.run("jvm", "threads", one.pid)
    assert result.code == OTHER and result.message == "JVM %d has ended" % one.pid


def test_half_an_answer_is_not_taken_for_a_whole_one(salvage, nursery):
    one = nursery.pretend("--quit", "--listen", "--answer", "dies")
    result = salvage.run("jvm", "threads", one.pid)
    assert (result.code, result.out) == (OTHER, "part of an answ")
    assert result.message == "JVM %d ended while it answered: the answer may be cut short" % one.pid


def test_a_jvm_that_starts_up_is_waited_for(salvage, nursery):
    for jdk in jvm.JDKS:
        one = nursery.java(jdk=jdk)
        wait_for(lambda: "libjvm.so" in pathlib.Path("/proc/%d/maps" % one.pid).read_text())
        assert "java_command: Rest" in salvage.ok("jvm", "cmd", one.pid, "VM.command_line").out
        assert one.alive


def test_a_jvm_that_wants_not_to_be_asked(salvage, nursery):
    one = nursery.serial("-XX:+DisableAttachMechanism")
    result = salvage.run("jvm", "threads", "--timeout", "1s", one.pid)
    assert result.code == REFUSED and "DisableAttachMechanism" in result.message
    assert one.alive


def test_a_socket_that_is_there_needs_no_signal(salvage, nursery):
    """With -Xrs a JVM has no handler for the signal, and opens its socket at its start."""
    one = nursery.serial("-Xrs")
    assert "Full thread dump" in salvage.ok("jvm", "threads", one.pid).out and one.alive
    os.unlink("/tmp/.java_pid%d" % one.pid)
    result = salvage.run("jvm", "threads", "--timeout", "1s", one.pid)
    assert result.code == REFUSED and "no handler for SIGQUIT" in result.message and one.alive


def test_a_jvm_at_its_limit_of_threads_is_not_killed(salvage, nursery):
    """HotSpot exits when it can't start the thread that answers."""
    require_root("sets limits of another user")
    uid = NOBODY - 7
    one = nursery.serial(uid=uid)
    threads = int(re.search(r"Threads:\s+(\d+)", pathlib.Path("/proc/%d/status" % one.pid).read_text())[1])

    def limit(count):
        subprocess.run(["prlimit", "--pid", str(one.pid), "--nproc=%d:" % count], user=uid, group=uid, check=True)

    limit(threads)
    result = salvage.run("jvm", "threads", "--timeout", "5s", one.pid)
    assert result.code == REFUSED and one.alive
    assert re.search(r"\d+ of %d used, RLIMIT_NPROC" % threads, result.message), result.message
    limit(threads + 100)
    assert "Full thread dump" in salvage.ok("jvm", "threads", one.pid).out
    limit(threads)
    assert "Full thread dump" in salvage.ok("jvm", "threads", one.pid).out  # the thread is there


def test_a_jvm_without_descriptors_says_so(salvage, nursery):
    one = nursery.serial()
    resource.prlimit(one.pid, resource.RLIMIT_NOFILE, (1, 4096))
    result = salvage.run("jvm", "threads", "--timeout", "8s", one.pid)
    assert result.code == REFUSED and "no file descriptor left" in result.message and one.alive


def test_another_users_jvm(salvage, nursery):
    require_root("is another user")
    for jdk in jvm.JDKS:
        one = nursery.serial(uid=NOBODY, jdk=jdk)
        assert "java_command: Rest" in salvage.ok("jvm", "cmd", one.pid, "VM.command_line").out
        assert "java_command: Rest" in salvage.ok("jvm", "cmd", one.pid, "VM.command_line", uid=NOBODY).out
        result = salvage.run("jvm", "threads", one.pid, uid=NOBODY - 1)
        assert result.code == OTHER and "as uid %d" % (NOBODY - 1) in result.message
    own = nursery.serial()
    assert "no permission to inspect" in salvage.run("jvm", "threads", own.pid, uid=NOBODY).message


# --- what merely looks like one ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("handler", [[], ["--quit"]], ids=["ends by SIGQUIT", "catches SIGQUIT"])
def test_a_process_that_maps_a_libjvm_survives(salvage, nursery, handler):
    one = nursery.pretend(*handler)
    result = salvage.run("jvm", "threads", "--timeout", "500ms", one.pid)
    assert result.code == (OTHER if handler else REFUSED) and result.message
    assert one.alive
    assert not list(pathlib.Path("/tmp").glob(".attach_pid%d" % one.pid))


def test_an_openj9_is_refused_clearly(salvage, nursery):
    one = nursery.pretend("--map", "libjvm.so", "--map", "libj9vm29.so", "--quit")
    result = salvage.run("jvm", "threads", one.pid)
    assert result.code == FORMAT and "OpenJ9" in result.message
    out, _ = one.process.communicate(b"")
    assert out == b"2 0\n"  # was not signalled


@pytest.mark.parametrize("how", sorted(ANSWERS))
def test_answers_that_make_no_sense(salvage, nursery, how):
    one = nursery.pretend("--quit", "--listen", "--answer", how)
    for command in (["threads"], ["histogram", "--top", "3"], ["set"]):
        words = ["jvm", *command, "--timeout", "500ms", one.pid, *(["A=1"] if command == ["set"] else [])]
        result = salvage.run(*words)
        assert (result.code, result.out) == (ANSWERS[how], ""), result
        assert not re.search("[\0-\x1f\x7f]", result.message)


@pytest.mark.parametrize("how", ["drips", "drips at once"])
def test_an_answer_that_drips_is_given_up(salvage, nursery, how):
    one = nursery.pretend("--quit", "--listen", "--answer", how)
    begun = time.monotonic()
    result = salvage.run("jvm", "set", "--timeout", "400ms", one.pid, "A=1")
    assert result.code == OTHER and "takes too long" in result.message
    assert time.monotonic() - begun < 3


def limited(words, limit):
    """A run with so many bytes of address space at most."""
    def limit_memory():
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    return subprocess.run([BIN, *map(str, words)], env=environment("/"), capture_output=True, timeout=60,
                          preexec_fn=limit_memory)


def test_an_answer_without_end_takes_no_memory(nursery):
    one = nursery.pretend("--quit", "--listen", "--answer", "endless")
    p = limited(["jvm", "set", one.pid, "A=1"], 256 << 20)
    assert (p.returncode, p.stdout) == (OTHER, b"") and b"its answer is longer than 16.0 MiB" in p.stderr
    p = limited(["jvm", "histogram", "--top", "3", one.pid], 256 << 20)
    assert (p.returncode, p.stdout) == (FORMAT, b"") and b"not a histogram" in p.stderr
    p = subprocess.run("%s jvm threads %d | head -c 100000000 | wc -c" % (BIN, one.pid), shell=True,
                       capture_output=True, check=True, timeout=60)
    assert (p.stdout, p.stderr) == (b"100000000\n", b"")


def test_an_answer_does_not_speak_to_the_terminal(salvage, nursery):
    one = nursery.pretend("--quit", "--listen", "--answer", "speaks")
    assert b"\x1b]0;owned\x07" in salvage.ok("jvm", "threads", one.pid, text=False).out  # as it is, for a file
    ours, theirs = pty.openpty()
    subprocess.run([BIN, "jvm", "threads", str(one.pid)], stdout=theirs, check=True, env=environment("/"))
    said = os.read(ours, 4096).decode("utf-8")
    os.close(theirs)
    os.close(ours)
    assert "]0;owned" in said and "ü" in said and "thread" in said and "?desrever" in said and "日" in said
    assert not re.search("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", said)


# --- a process that is hidden from its own user -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_capability(session_folder):
    """A program that can load a JVM, with a capability of its own, as a setcap'd java or jsvc: the kernel hides its
    folders and its memory from others of its user. (java itself would not find its libraries any more.)"""
    require_root("sets a capability")
    program = session_folder / "with-capability"
    shutil.copyfile(os.path.realpath(sys.executable), program)
    program.chmod(0o755)
    subprocess.run(["/usr/sbin/setcap", "cap_net_bind_service+ep", str(program)], check=True)
    return program


@pytest.fixture
def hidden(nursery, with_capability, work):
    """Starts one as nobody: JDK and options, or lines of Python."""

    def start(*words, program=EMBEDDER):
        if program != EMBEDDER:
            words = ("-c", program)
        else:
            words = (EMBEDDER, *words, "-Xmx32m", "-XX:+UseSerialGC")
        one = nursery.add(Resting([with_capability, *words], uid=NOBODY, env={"PYTHONDONTWRITEBYTECODE": "1"})).ready()
        looks = subprocess.run(["readlink", "/proc/%d/root" % one.pid], check=False, stdout=subprocess.PIPE,
                               **as_user(NOBODY))
        assert looks.returncode != 0, "it is not hidden"
        return one

    return start


@pytest.mark.parametrize("jdk", jvm.JDKS, ids=jvm.name)
def test_a_jvm_with_capabilities_is_asked_by_its_user_without_any(salvage, hidden, work, jdk):
    one = hidden(jdk)
    work.chmod(0o777)
    assert "Full thread dump" in salvage.ok("jvm", "threads", one.pid, uid=NOBODY).out
    salvage.ok("jvm", "dump", one.pid, "--out", work / "x", uid=NOBODY)
    assert hprof.problem((work / "x").read_bytes()) is None
    assert "GCT" in salvage.ok("jvm", "stat", one.pid, uid=NOBODY).out
    os.unlink("/tmp/.java_pid%d" % one.pid)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind("/tmp/.java_pid%d" % one.pid)
        other.listen(1)
        os.chown("/tmp/.java_pid%d" % one.pid, NOBODY, NOBODY)
        result = salvage.run("jvm", "threads", one.pid, uid=NOBODY)
        assert result.code == REFUSED and "another process: remove it" in result.message
    assert one.alive


def test_what_does_not_show_that_it_is_a_jvm_gets_no_signal(salvage, hidden):
    """Neither counters nor a socket of its in our /tmp."""
    one = hidden(program="import signal, sys\nsignal.signal(signal.SIGQUIT, lambda *_: print('quit', flush=True))\n"
                         "print('ready', flush=True)\nsys.stdin.read()")
    result = salvage.run("jvm", "threads", one.pid, uid=NOBODY)
    assert result.code == OTHER and "neither its counters nor its attach socket" in result.message
    assert one.alive
    one.process.kill()
    assert one.process.stdout.read() == b""


def test_a_user_without_a_name_has_no_counters_and_answers_all_the_same(salvage, nursery):
    require_root("acts as another user")
    one = nursery.serial(uid=54321)
    assert "Full thread dump" in salvage.ok("jvm", "threads", one.pid).out
    result = salvage.run("jvm", "stat", one.pid)
    assert result.code == OTHER and "54321 has no name" in result.message


# --- a hostile /tmp ---------------------------------------------------------------------------------------------------


@pytest.fixture
def unasked(nursery):
    """A JVM of another user, in a folder that it can't write to, which nobody has asked yet: its socket is not there.
    Whoever shares its /tmp may put one there."""
    require_root("asks another user's JVM")
    one = nursery.serial(uid=NOBODY)
    one.socket = pathlib.Path("/tmp/.java_pid%d" % one.pid)
    one.trigger = pathlib.Path("/tmp/.attach_pid%d" % one.pid)
    return one


def place_link(path, work):
    (work / "target").write_text("precious")
    path.symlink_to(work / "target")


def place_listener(path, work):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(8)
    os.chown(path, NOBODY, NOBODY)
    return listener


@pytest.mark.parametrize("place", [place_link, lambda path, work: os.mkfifo(path),
                                   lambda path, work: path.write_text("x"), lambda path, work: path.mkdir(),
                                   place_listener], ids=["link", "fifo", "file", "folder", "listener"])
def test_something_lies_where_the_socket_would(salvage, unasked, work, place):
    held = place(unasked.socket, work)
    result = salvage.run("jvm", "threads", "--timeout", "2s", unasked.pid)
    assert result.code == REFUSED and unasked.socket.name in result.message, result
    assert unasked.alive
    if place is place_link:
        assert (work / "target").read_text() == "precious"
    if unasked.socket.is_dir():
        unasked.socket.rmdir()
    else:
        unasked.socket.unlink()
    assert "java_command: Rest" in salvage.ok("jvm", "cmd", unasked.pid, "VM.command_line").out
    del held


def test_a_socket_that_nobody_listens_on_is_that_of_a_jvm_before(salvage, unasked, work):
    place_listener(unasked.socket, work).close()
    assert "java_command: Rest" in salvage.ok("jvm", "cmd", unasked.pid, "VM.command_line").out


@pytest.mark.parametrize("owner", [0, NOBODY, NOBODY - 1], ids=["root", "its user", "stranger"])
def test_a_trigger_file_is_there_already(salvage, unasked, owner):
    """A stranger's keeps ours out of that folder, and the JVM doesn't believe it."""
    unasked.trigger.write_text("")
    os.chown(unasked.trigger, owner, owner)
    result = salvage.run("jvm", "cmd", "--timeout", "2s", unasked.pid, "VM.command_line")
    if owner == NOBODY - 1:
        assert result.code == OTHER and unasked.trigger.name in result.message
        unasked.trigger.unlink()
    else:
        assert result.code == 0 and "java_command: Rest" in result.out
    assert unasked.alive


def test_a_trigger_that_is_a_link_is_not_followed(salvage, unasked, work):
    work.chmod(0o777)
    unasked.trigger.symlink_to(work / "made")
    salvage.run("jvm", "threads", "--timeout", "1s", unasked.pid)
    assert not (work / "made").exists() and unasked.alive
    unasked.trigger.unlink()


# --- many -------------------------------------------------------------------------------------------------------------


def available_memory():
    found = re.search(r"MemAvailable: +(\d+) kB", pathlib.Path("/proc/meminfo").read_text())
    return int(found.group(1)) * 1024


@pytest.mark.serial
def test_fifty_at_once(salvage, nursery):
    count = 50 if available_memory() > 4 << 30 else 15
    jvms = [nursery.java("-XX:+UseSerialGC", "-Xshare:auto", heap="20m", jdk=jvm.JDKS[-1]) for _ in range(count)]
    for one in jvms:
        one.ready()
    began = time.monotonic()
    listed = salvage.ok("jvm", "ps").out
    took = time.monotonic() - began
    assert all(re.search(r"(?m)^ *%d " % one.pid, listed) for one in jvms)
    assert took < 2
    for one in jvms:
        out = salvage.ok("jvm", "threads", one.pid).out
        assert "wants the monitor" in out
    assert all(one.alive for one in jvms)
    before = [status(one.pid)["Threads"] for one in jvms]
    for one in jvms[:5]:
        for _ in range(20):
            salvage.ok("jvm", "flags", one.pid)
    assert [status(one.pid)["Threads"] for one in jvms] == before
