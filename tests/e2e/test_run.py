# SPDX-License-Identifier: Apache-2.0
"""salvage run as PID 1: the application behaves as without it, and its evidence is in the store before the container ends."""
import os
import pathlib
import re
import select
import signal
import subprocess
import time

import pytest

from helpers import hprof
from helpers.evidence import drop
from helpers.proc import children, cmdline, family, require_root, status, wait_for, workers
from helpers.program import BIN, NOBODY, environment
from helpers.stores import sha256
from helpers.supervised import AS_PID_1, PYTHON, MemoryCgroup, Supervised, in_terminal

DUMP_INTO = """import glob, shutil, sys, time
shutil.copyfile(sys.argv[1], glob.glob(sys.argv[2] + "/run-*")[-1] + "/java_pid1.hprof")
sys.exit(int(sys.argv[3]))"""


@pytest.fixture
def area(work):
    """What --dir says."""
    return work / "area"


@pytest.fixture
def supervised(work, salvage, folder, area):
    running = []

    def start(*app, options=(), store=folder, **more):
        p = Supervised(salvage.home, store, area, app, *options, **more)
        running.append(p)
        salvage.watches.append(p)  # for the report of a failed test
        return p

    yield start


@pytest.fixture
def small_cgroup():
    require_root("makes a cgroup")
    cgroup = MemoryCgroup(48 << 20)
    yield cgroup
    cgroup.close()


def run(salvage, store, area, *app, options=(), **more):
    """To its end, with a log in text."""
    return salvage.run("run", *store.options(), "--dir", area, *options, "--", *app, **more)


def left(area):
    """What lies in the area, but for the state."""
    return sorted(str(p.relative_to(area)) for p in area.rglob("*") if ".salvage" not in p.parts)


# --- the end of the application ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("script, code, why", [
    ("exit 0", 0, "why=exit status=0 oom_kills=0 shipped=0"),
    ("exit 7", 7, "why=exit status=7"),
    ("kill -TERM $$", 143, "why=signal status=143 signal=SIGTERM"),
    ("kill -KILL $$", 137, "why=signal status=137 signal=SIGKILL oom_kills=0"),
    ("kill -ABRT $$", 134, "why=signal status=134 signal=SIGABRT"),
])
def test_its_exit_status_is_ours(salvage, folder, area, script, code, why):
    result = run(salvage, folder, area, "sh", "-c", "ulimit -c 0; " + script)
    assert result.code == code
    assert " event=ended " + why in result.err.splitlines()[-1]
    died = [line for line in result.err.splitlines() if " event=died command=sh " in line]
    assert len(died) == (code != 0)
    assert result.out == "" and left(area) == []


@pytest.mark.parametrize("command, code, story", [
    ("no-such-command", 127, "no-such-command: No such file or directory"),
    ("/nowhere/java", 127, "/nowhere/java: No such file or directory"),
    ("/etc/passwd", 126, "/etc/passwd: Permission denied"),
    ("/", 126, "/: Permission denied"),
])
def test_what_cannot_be_run_ends_as_in_a_shell(salvage, folder, area, command, code, story):
    result = run(salvage, folder, area, command)
    assert (result.code, result.message) == (code, story)
    assert left(area) == []


def test_bad_options_are_told_before_the_application_starts(salvage, folder, work):
    touched = work / "touched"
    for options, code, word in ((["--to", "gopher://x"], 10, "gopher"), (["--tp", "x"], 2, "--to"),
                                ([], 2, "--to"), (["--to", folder.url, "--grace", "soon"], 2, "soon")):
        result = salvage.run("run", *options, "touch", touched)
        assert result.code == code and word in result.message
    result = salvage.run("run", *folder.options())
    assert result.code == 2 and "which command" in result.message
    assert not touched.exists()


def test_the_first_operand_begins_the_command(salvage, folder, area):
    for marker in ((), ("--",)):
        result = salvage.run("run", *folder.options(), "--dir=%s" % area, *marker, "sh", "-c", 'printf "<%s>" "$@"',
                             "name", "--help", "--to", "x", "--", "-h", "--version", "")
        assert (result.code, result.out) == (0, "<--help><--to><x><--><-h><--version><>"), result
    assert "usage: salvage run" in salvage.ok("run", "--to", "x", "--help", "sh").out


def test_the_application_gets_no_secret_that_is_salvages_alone(salvage, folder, area):
    """What has AWS's names may be the application's own."""
    env = {"SALVAGE_HTTP_TOKEN": "secret-word", "SALVAGE_CREDENTIALS_FILE": "/run/secrets/x", "SALVAGE_LOG": "json",
           "AWS_SECRET_ACCESS_KEY": "the-application's", "https_proxy": "http://u:p@127.0.0.1:1"}
    script = "env; cat /proc/[0-9]*/cmdline | tr '\\0' ' '"
    for more, passed in (([], False), (["--pass-env", "SALVAGE_HTTP_*"], True)):
        result = salvage.run("run", *folder.options(), "--dir", area, *more, "sh", "-c", script, env=env)
        assert result.code == 0 and ("secret-word" in result.out) == passed, result
        assert "SALVAGE_CREDENTIALS_FILE" not in result.out and "SALVAGE_LOG=json" in result.out
        assert "AWS_SECRET_ACCESS_KEY=the-application's" in result.out and "https_proxy=http://u:p@" in result.out


def test_a_header_of_the_environment_stands_in_no_command_line(supervised, s3):
    p = supervised("sleep", "60", store=s3, env={"SALVAGE_HEADER": "x-amz-meta-word:secret-word"})
    p.wait("store-ready")
    assert not [pid for pid in family(p.pid) if b"secret-word" in cmdline(pid)]
    with open("/proc/%d/environ" % p.child(b"watch"), "rb") as env:
        assert b"secret-word" in env.read()
    p.stop()


def test_a_password_in_an_endpoint_is_refused_and_not_repeated(salvage, area):
    for env in ({"SALVAGE_ENDPOINT": "http://u:secret-word@127.0.0.1:1"}, {}):
        result = salvage.run("run", "--to", "s3://evidence/x", *([] if env else ["--endpoint", "https://u:secret-word@h"]),
                             "--dir", area, "true", env=env)
        assert result.code == 2 and "--endpoint" in result.message and "secret-word" not in result.err, result


def test_options_from_the_environment(salvage, folder, area):
    result = salvage.run("run", "sh", "-c", "exit 3", env={"SALVAGE_TO": folder.url, "SALVAGE_DIR": str(area)})
    assert result.code == 3 and area.is_dir()


# --- what the application finds ---------------------------------------------------------------------------------------

LOOK = """import json, os, sys
status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
print(json.dumps({"signals": [status[k] for k in ("SigBlk", "SigIgn", "SigCgt", "SigPnd")],
                  "fds": sorted((int(n), os.readlink("/proc/self/fd/" + n)) for n in os.listdir("/proc/self/fd")
                                if os.path.exists("/proc/self/fd/" + n)),
                  "env": dict(os.environ), "cwd": os.getcwd(), "umask": os.umask(0), "uid": os.getresuid(),
                  "adj": open("/proc/self/oom_score_adj").read(), "nice": os.nice(0), "stdin": sys.stdin.read(),
                  "leader": os.getpgrp() == os.getpid()}))"""


@pytest.mark.parametrize("pid_1", [False, True])
def test_the_application_finds_what_it_would_find_without_us(salvage, folder, area, work, pid_1):
    def outcome(*before):
        with open(work / "fd7", "w", encoding="ascii") as seven:
            os.dup2(seven.fileno(), 107)
        try:
            p = subprocess.run([*(AS_PID_1 if pid_1 else []), *before, *PYTHON, LOOK], input="lines\nof input",
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, pass_fds=[107], check=True,
                               env=environment(salvage.home, {"A": "b", "EMPTY": ""}), cwd=work)
        finally:
            os.close(107)
        return re.sub(r"(pipe|socket):\[\d+\]", r"\1", p.stdout), p.stderr

    alone, nothing = outcome()
    under, ours = outcome(BIN, "run", *folder.options(), "--dir", area, "--no-jvm", "--")
    assert nothing == "" and "event=ended" in ours
    if pid_1:
        alone = alone.replace('"leader": false', '"leader": true')
    assert under.replace('"leader": true', '"leader": x') == re.sub('"leader": (true|false)', '"leader": x', alone)


def test_a_broken_pipe_kills_it_as_ever(salvage, folder, area):
    result = run(salvage, folder, area, "sh", "-c", "(sleep 0.1; yes) | true; yes | head -n 1 >/dev/null; exit 4")
    assert result.code == 4 and "roken pipe" not in result.err


def test_the_watch_holds_nothing_that_is_the_applications(supervised, work):
    p = supervised("sh", "-c", "exec 9>'%s'; exec sleep 60" % (work / "nine"),
                   before=["sh", "-c", 'exec 8>"$0"; exec "$@"', str(work / "other")])
    watch = p.child(b"watch")
    p.wait("started")
    fds = {os.readlink("/proc/%d/fd/%s" % (watch, n)) for n in os.listdir("/proc/%d/fd" % watch)}
    assert str(work / "other") not in fds
    assert os.getsid(watch) == watch
    assert p.stop() == 143


# --- signals ----------------------------------------------------------------------------------------------------------

TELL_SIGNALS = """import signal, sys, time
seen = []
def tell(number, frame):
    seen.append(number)
    print(signal.Signals(number).name, flush=True)
names = "TERM INT HUP QUIT USR1 USR2 WINCH CONT ALRM TSTP".split()
for name in names:
    signal.signal(getattr(signal, "SIG" + name), tell)
print("ready", flush=True)
while len(seen) < len(names):
    time.sleep(0.01)
sys.exit(9)"""


@pytest.mark.parametrize("pid_1", [False, True])
def test_signals_are_passed_on(salvage, folder, area, pid_1):
    argv = [*(AS_PID_1 if pid_1 else []), BIN, "run", *folder.options(), "--dir", area, "--", *PYTHON, TELL_SIGNALS]
    p = subprocess.Popen(argv, env=environment(salvage.home), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True)
    try:
        assert p.stdout.readline() == "ready\n"
        target = children(p.pid)[0] if pid_1 else p.pid
        for name in "TERM INT HUP QUIT USR1 USR2 WINCH CONT ALRM TSTP".split():
            os.kill(target, getattr(signal, "SIG" + name))
            assert p.stdout.readline() == "SIG%s\n" % name
        assert p.wait(20) == 9
    finally:
        p.kill()
        p.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_an_application_without_handlers_dies_of_them_though_we_are_pid_1(supervised, number):
    """The kernel keeps such signals from PID 1 alone."""
    p = supervised("sleep", "60", pid_1=True)
    p.child(b"sleep\x0060")
    p.wait("started")
    p.send(number)
    code, end = p.ended()
    assert (code, end["why"], end["signal"]) == (128 + number, "signal", number.name)


def test_a_stopped_application_stays_stopped_until_it_is_continued(supervised):
    p = supervised("sleep", "60", pid_1=True)
    app = p.child(b"sleep\x0060")
    p.wait("started")
    os.kill(app, signal.SIGSTOP)
    wait_for(lambda: status(app)["State"].startswith("T"))
    time.sleep(0.2)
    assert status(app)["State"].startswith("T") and status(p.supervisor)["State"].startswith("S")
    p.send(signal.SIGCONT)
    wait_for(lambda: status(app)["State"].startswith("S"))
    p.send(signal.SIGTERM)
    assert p.ended()[0] == 143


# --- PID 1 ------------------------------------------------------------------------------------------------------------

ORPHANS = """import os, time
for i in range(40):
    if os.fork() == 0:
        if os.fork() == 0:
            time.sleep(0.02 * (i % 5))
            os._exit(i)
        os._exit(0)
    os.wait()
def others():
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                stat, line = open("/proc/%s/stat" % name).read(), open("/proc/%s/cmdline" % name).read()
            except OSError:
                continue
            found[int(name)] = (stat[stat.rindex(")") + 2:].split()[:2], line)
    return {p: s for p, s in found.items() if p not in (1, os.getpid()) and (s[0][0] == "Z" or "import os" in s[1])}
deadline = time.monotonic() + 10
while (left := others()) and time.monotonic() < deadline:
    time.sleep(0.02)
print("left", left)"""


def test_pid_1_reaps_what_lost_its_parents(supervised):
    p = supervised(*PYTHON, ORPHANS, pid_1=True)
    code, _ = p.ended()
    assert code == 0 and p.out == b"left {}\n"


def test_pid_1_ends_with_its_application_whatever_else_still_runs(supervised):
    began = time.monotonic()
    p = supervised("sh", "-c", "sleep 600 & (setsid sleep 600 &) ; exit 5", pid_1=True)
    assert p.ended()[0] == 5 and time.monotonic() - began < 10


def test_a_supervisor_that_is_killed_takes_the_watch_along_and_not_the_application(supervised):
    p = supervised("sleep", "60")
    watch, app = p.child(b"watch"), p.child(b"sleep\x0060")
    p.wait("started")
    os.kill(p.pid, signal.SIGKILL)
    try:
        wait_for(lambda: not status(watch) or status(watch)["State"].startswith("Z"), why="the watch lives on")
        assert status(app)["State"].startswith("S")
    finally:
        os.kill(app, signal.SIGKILL)


# --- dumps ------------------------------------------------------------------------------------------------------------


def java(jvm_, *options, program="Oom"):
    """A command line that says nothing of dumps."""
    return [jvm_.jdk + "/bin/java", "-Xmx" + jvm_.heap, "-XX:TieredStopAtLevel=1", *options, "-cp", str(jvm_.classes),
            program]


@pytest.mark.serial
def test_jvms_that_die_one_after_the_other_in_the_same_container(supervised, s3, any_jvm, area):
    """As PID 1 both have the same pid."""
    for expected in (1, 2):
        p = supervised(*java(any_jvm), pid_1=True, store=s3)
        code, end = p.ended(60)
        assert (code, end["why"], end["status"], end["shipped"], end["left"]) == (1, "exit", 1, 1, 0)
        assert b"java.lang.OutOfMemoryError" in p.log.encode()
        manifests = s3.manifests()
        assert len(manifests) == expected and end["url"] in [s3.url_of(key) for key, _ in manifests]
        assert left(area) == []
    assert len({m["name"] for _, m in manifests}) == len({key for key, _ in manifests}) == 2
    for key, manifest in manifests:
        assert hprof.problem(s3.check(key, manifest)) is None
        assert (manifest["kind"], manifest["cause"]) == ("heap-dump", "java-oom")


@pytest.mark.serial
def test_a_jvm_whose_user_is_another_is_armed_without_the_right_to_look_into_it(supervised, folder, any_jvm):
    """Root in a container has no CAP_SYS_PTRACE, and entrypoints often go on as another user."""
    require_root("acts as another user")
    user = ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups"]
    p = supervised(*user, *java(any_jvm), pid_1=True,
                   before=["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"])
    code, end = p.ended(60)
    assert (code, end["shipped"], end["left"]) == (1, 1, 0)
    assert p.named("armed") and not p.named("not-armed")
    (_, manifest), = folder.manifests()
    assert (manifest["kind"], manifest["cause"]) == ("heap-dump", "java-oom")


@pytest.mark.serial
def test_a_crash_log_of_another_user_is_copied_without_the_right_to_look_into_its_jvm(supervised, folder, jvm_17, work):
    require_root("acts as another user")
    (work / "cwd").mkdir()
    os.chown(work / "cwd", NOBODY, NOBODY)
    user = ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups"]
    p = supervised(*user, *java(jvm_17, "-XX:+CrashOnOutOfMemoryError"), pid_1=True,
                   before=["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace", "sh", "-c",
                           'ulimit -c 0; cd "$0"; exec "$@"', str(work / "cwd")])
    assert p.ended(60)[0] == 134
    assert sorted(m["kind"] for _, m in folder.manifests()) == ["heap-dump", "hs-err"], p.log


@pytest.mark.serial
@pytest.mark.parametrize("jvm_", ["attach", "env"])
@pytest.mark.parametrize("how, code", [("Exit", 3), ("Crash", 134)])
def test_a_jvm_that_is_told_to_end_at_once(supervised, folder, work, jvm_17, how, code, jvm_):
    """Its crash log lies in its working folder, where attach can't change that: a copy is shipped."""
    (work / "cwd").mkdir()
    p = supervised(*java(jvm_17, "-XX:+%sOnOutOfMemoryError" % how), pid_1=True, options=["--jvm", jvm_],
                   before=["sh", "-c", 'ulimit -c 0; cd "$0"; exec "$@"', str(work / "cwd")])
    got, end = p.ended(60)
    kinds = sorted(m["kind"] for _, m in folder.manifests())
    assert got == code
    assert kinds == (["heap-dump"] if how == "Exit" else ["heap-dump", "hs-err"])
    assert end["shipped"] == len(kinds) and end["left"] == 0
    assert len(list((work / "cwd").glob("hs_err_pid*.log"))) == (how == "Crash" and jvm_ == "attach")


@pytest.mark.serial
def test_the_crash_log_of_a_jvm_that_tidied_up_its_counters_folder(supervised, folder, work, jvm_17):
    """HotSpot works in that folder meanwhile (perfMemory_posix.cpp), and would seem to leave its crash log there."""
    require_root("mounts a folder for counters")
    (work / "cwd").mkdir()
    stale = 'mkdir -p /tmp/hsperfdata_root && mount -t tmpfs -o mode=755 none /tmp/hsperfdata_root && ' \
            'cd /tmp/hsperfdata_root && seq 100001 130000 | xargs touch && ulimit -c 0 && cd "$0" && exec "$@"'
    p = supervised(*java(jvm_17, "-XX:+CrashOnOutOfMemoryError"), options=["--jvm", "attach"],
                   before=["unshare", "--mount", "sh", "-c", stale, str(work / "cwd")])
    assert p.ended(60)[0] == 134
    assert sorted(m["kind"] for _, m in folder.manifests()) == ["heap-dump", "hs-err"]


def test_what_was_closed_a_moment_ago_is_not_missed(supervised, folder, area, real_dump):
    want = sha256(real_dump.read_bytes())
    for i in range(5):
        p = supervised(*PYTHON, DUMP_INTO, real_dump, area, i)
        code, end = p.ended()
        assert (code, end["shipped"], end["left"]) == (i, 1, 0)
    assert [m["sha256"] for _, m in folder.manifests()] == [want] * 5


def test_what_an_earlier_run_left_is_shipped(supervised, folder, area):
    old = area / "run-20200101T000000Z-00000000"
    old.mkdir(parents=True)
    want = drop(old, "java_pid7.hprof")
    (area / "run-20200102T000000Z-00000000").mkdir()
    p = supervised("true")
    assert p.ended()[1]["shipped"] == 1
    folder.check_one(want)
    assert left(area) == [old.name], "the empty ones go"


def test_the_folder_of_a_run_that_lives_is_left_alone(supervised, area):
    p = supervised("sleep", "60", options=["--jvm", "no"])
    p.wait("started")
    mine = left(area)
    q = supervised("true")
    code, end = q.ended()
    assert code == 0 and left(area) == mine and len(mine) == 1
    assert q.wait("watch-died", error="it ended with status 24"), "two watches in one folder"
    assert end["left"] == 0
    assert p.stop() == 143


# --- the user's own word ----------------------------------------------------------------------------------------------


def options_of(salvage, store, area, env=None, app=(), flags=("--jvm", "env")):
    """JAVA_TOOL_OPTIONS and JDK_JAVA_OPTIONS as the application sees them, our folder as RUN."""
    out = salvage.ok("run", *store.options(), "--dir", area, *flags, "--", "sh", "-c",
                     'printf "%s|%s" "$JAVA_TOOL_OPTIONS" "$JDK_JAVA_OPTIONS"', *app, env=env).out
    return re.sub(re.escape(str(area)) + r"/run-\d{8}T\d{6}Z-[0-9a-f]{8}", "RUN", out).split("|")


DUMP, PATH, ERROR = "-XX:+HeapDumpOnOutOfMemoryError", "-XX:HeapDumpPath=RUN", "-XX:ErrorFile=RUN/hs_err_pid%p.log"
LISTEN = "-XX:+StartAttachListener"


@pytest.mark.parametrize("env, app, tool_options", [
    ({}, [], [DUMP, PATH, ERROR, LISTEN]),
    ({"JAVA_TOOL_OPTIONS": "-Xmx1g"}, [], ["-Xmx1g", DUMP, PATH, ERROR, LISTEN]),
    ({"JAVA_TOOL_OPTIONS": "-XX:HeapDumpPath=/x"}, [], ["-XX:HeapDumpPath=/x", DUMP, ERROR, LISTEN]),
    ({"JAVA_TOOL_OPTIONS": "-XX:-HeapDumpOnOutOfMemoryError"}, [], ["-XX:-HeapDumpOnOutOfMemoryError", ERROR, LISTEN]),
    ({"JDK_JAVA_OPTIONS": "-XX:HeapDumpPath=/x"}, [], [DUMP, ERROR, LISTEN]),
    ({"_JAVA_OPTIONS": "-XX:ErrorFile=/x -XX:-StartAttachListener"}, [], [DUMP, PATH]),
    ({}, ["-XX:+HeapDumpOnOutOfMemoryError", "-XX:HeapDumpPath=/x"], [ERROR, LISTEN]),
    ({}, ["-XX:+DisableAttachMechanism"], [DUMP, PATH, ERROR]),
    ({}, ["exec java -XX:ErrorFile=/x -jar app.jar"], [DUMP, PATH, LISTEN]),
])
def test_only_what_is_not_said_is_added(salvage, folder, area, env, app, tool_options):
    assert options_of(salvage, folder, area, env, app)[0] == " ".join(tool_options)


@pytest.mark.parametrize("env, app", [
    ({"JDK_JAVA_OPTIONS": "@FILE"}, []),
    ({"JAVA_TOOL_OPTIONS": "-XX:VMOptionsFile=FILE"}, []),
    ({}, ["exec java @FILE -jar app.jar"]),
    ({}, ["java", "-XX:VMOptionsFile=FILE", "-jar", "app.jar"]),
])
def test_what_a_file_of_options_says_is_not_added(salvage, folder, area, work, env, app):
    (work / "options").write_text("-XX:HeapDumpPath=%s/x.hprof\n-XX:ErrorFile=%s/x.log" % (work, work))
    env = {name: value.replace("FILE", str(work / "options")) for name, value in env.items()}
    app = [word.replace("FILE", str(work / "options")) for word in app]
    said = options_of(salvage, folder, area, env, app)[0].split()
    assert said[-2:] == [DUMP, LISTEN] and not [word for word in said if "HeapDumpPath" in word or "ErrorFile" in word]


@pytest.mark.parametrize("flags, env", [
    (["--no-jvm"], {}), (["--jvm", "no"], {"JAVA_TOOL_OPTIONS": "-Xmx1g"}), ([], {}), (["--jvm=attach"], {}),
    (["--jvm", "attach"], {"JAVA_TOOL_OPTIONS": "-Xmx1g"}), ([], {"JDK_JAVA_OPTIONS": "-Xmx1g"}),
    ([], {"SALVAGE_JVM": "no", "JAVA_TOOL_OPTIONS": "-Xmx1g"}),
])
def test_the_environment_is_left_alone(salvage, folder, area, flags, env):
    assert options_of(salvage, folder, area, env, flags=flags) == [env.get("JAVA_TOOL_OPTIONS", ""),
                                                                   env.get("JDK_JAVA_OPTIONS", "")]


def test_where_no_jvm_could_be_attached_to_the_environment_says_it(salvage, folder, area):
    """And where JAVA_TOOL_OPTIONS is set anyway: its line comes first with or without us."""
    for env, app in (({"JAVA_TOOL_OPTIONS": "-Xmx1g"}, []), ({}, ["-XX:+DisableAttachMechanism"])):
        assert DUMP in options_of(salvage, folder, area, env, app, flags=[])[0]
    require_root("makes mounts")
    read_only = ["unshare", "--mount", "sh", "-c", 'mount --bind /tmp /tmp && mount --bind "$1" "$1" && mount --bind '
                 '"$2" "$2" && mount -o remount,ro,bind /tmp && shift 2 && exec "$@"', "sh", str(area.parent),
                 str(folder.root)]
    command = [BIN, "run", *folder.options(), "--dir", str(area), "--", "sh", "-c", 'echo "$JAVA_TOOL_OPTIONS"']
    p = subprocess.run([*read_only, *command], env=environment(salvage.home), stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    assert p.returncode == 0 and p.stdout.startswith(DUMP), p


def test_a_script_that_asks_for_the_version_gets_it(salvage, folder, area, any_jvm):
    script = '"%s/bin/java" -version 2>&1 | head -n 1' % any_jvm.jdk
    assert run(salvage, folder, area, "sh", "-c", script).out.startswith("openjdk version")
    assert run(salvage, folder, area, "sh", "-c", script, options=["--jvm", "env"]).out.startswith("Picked up JAVA_TOOL")


def test_options_too_long_for_jdk_8_go_where_it_does_not_look(salvage, folder, area):
    """It takes no notice at all of a JAVA_TOOL_OPTIONS of 1024 bytes."""
    long = "-Dx=" + "y" * 1000
    assert options_of(salvage, folder, area, {"JAVA_TOOL_OPTIONS": long}) == [long, " ".join([DUMP, PATH, ERROR, LISTEN])]


@pytest.mark.serial
def test_a_folder_with_blanks(supervised, folder, work, salvage, jvm_17):
    p = Supervised(salvage.home, folder, work / "a folder", java(jvm_17))
    salvage.watches.append(p)
    code, end = p.ended(60)
    assert (code, end["shipped"]) == (1, 1)


@pytest.mark.serial
@pytest.mark.parametrize("path", ["own/", "own/fixed.hprof", "own/odd name[1].bin"])
@pytest.mark.parametrize("by", ["command line", "environment"])
def test_dumps_go_where_the_user_says_and_are_fetched_there(supervised, folder, work, jvm_17, path, by):
    own = work / "own"
    own.mkdir()
    (own / "other.hprof").write_bytes(b"not ours to take")
    option = "-XX:HeapDumpPath=%s" % (work / path)
    command = java(jvm_17, option) if by == "command line" else java(jvm_17)
    p = supervised(*command, env={"JAVA_TOOL_OPTIONS": '"%s"' % option} if by == "environment" else {})
    code, end = p.ended(60)
    assert (code, end["shipped"], end["left"]) == (1, 1, 0)
    (key, manifest), = folder.manifests()
    assert hprof.problem(folder.check(key, manifest)) is None
    assert sorted(os.listdir(own)) == [".salvage", "other.hprof"]


def test_a_folder_that_is_not_there_is_told(supervised, work):
    p = supervised("true", "-XX:HeapDumpPath=%s/none/x.hprof" % work)
    assert p.ended()[0] == 0
    assert p.named("no-dumps")[0]["dir"] == "%s/none" % work


# --- trouble ----------------------------------------------------------------------------------------------------------


def test_without_a_folder_the_application_runs_all_the_same(salvage, folder, work):
    (work / "file").touch()
    result = run(salvage, folder, work / "file" / "dir", "sh", "-c", 'echo "[$JAVA_TOOL_OPTIONS]"; exit 6')
    assert (result.code, result.out) == (6, "[]\n")
    assert "event=no-dumps" in result.err and result.err.splitlines()[-1].count("event=ended why=exit status=6") == 1


def test_a_read_only_root_with_one_folder_to_write_to(salvage, folder, area, work, mount_tmpfs, real_dump):
    mount_tmpfs(area, "64m", "1777")
    script = """mount --bind / / && mount --make-rprivate / && mount --bind "$1" "$1" && mount --bind "$2" "$2" &&
                mount -o remount,ro,bind / && shift 2 && exec "$@\""""
    command = [BIN, "run", *folder.options(), "--dir", str(area), "--", *PYTHON, DUMP_INTO, str(real_dump), str(area),
               "2"]
    outer = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", str(area), str(folder.root), *command],
                           env=environment(salvage.home), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert outer.returncode == 2, outer.stderr
    assert " shipped=1 " in outer.stderr.splitlines()[-1]
    folder.check_one(sha256(real_dump.read_bytes()))


def test_a_folder_of_somebody_else_is_refused(salvage, folder, area):
    require_root("gives a folder away")
    area.mkdir()
    os.chown(area, NOBODY, NOBODY)
    result = run(salvage, folder, area, "sh", "-c", 'echo "[$JAVA_TOOL_OPTIONS]"')
    assert (result.code, result.out) == (0, "[]\n")
    assert "belongs to uid %d" % NOBODY in result.err and os.listdir(area) == []


def test_modes_of_the_folders(salvage, folder, work):
    """Ours alone; where we are root, the application may become somebody else, and still dumps."""
    def modes(**more):
        area = work / ("area-%d" % len(list(work.glob("area-*"))))
        area.parent.chmod(0o777)
        script = 'stat -c %%a "%s" "%s"/run-*' % (area, area)
        out = salvage.ok("run", *folder.options(), "--dir", area, "--", "sh", "-c", script, **more).out
        return out.split()

    folder.root.chmod(0o777)
    assert modes() == ["711", "1777"]
    assert modes(uid=NOBODY) == ["700", "700"]


def test_a_watch_that_dies_is_started_again_and_the_application_feels_nothing(supervised, folder, area):
    p = supervised("sleep", "60", pid_1=True)
    app, watch = p.child(b"sleep\x0060"), p.child(b"watch")
    p.wait("started")
    os.kill(watch, signal.SIGKILL)
    p.wait("watch-died", error="it was killed by signal 9")
    p.wait("started", 2)
    assert p.child(b"sleep\x0060") == app and p.child(b"watch") != watch
    want = drop(next(area.glob("run-*")), "java_pid7.hprof")
    p.wait("shipped")
    p.send(signal.SIGTERM)
    code, end = p.ended()
    assert (code, end["shipped"], end["left"]) == (143, 1, 0)
    folder.check_one(want)


def test_a_watch_that_dies_while_it_ships_the_last_dump(supervised, s3, area, proxy_to, s3_host):
    slow = proxy_to(s3_host, rate=2 << 20)
    p = supervised("sleep", "60", store=s3.through(slow), options=["--compress", "none"])
    p.wait("started")
    want = drop(next(area.glob("run-*")), "java_pid7.hprof", 12 << 20)
    p.wait("claimed")
    # Its worker ends with it: before the upload's name is noted, an upload would be left for the sweep.
    wait_for(lambda: slow.seen(lambda r: r.is_part), why="nothing is sent")
    p.send(signal.SIGTERM)
    p.wait("stopping")
    os.kill(p.child(b"watch"), signal.SIGKILL)
    p.wait("watch-died")
    code, end = p.ended(60)
    assert (code, end["shipped"], end["left"]) == (143, 1, 0)
    s3.check_one(want)


def test_a_second_sigterm_ends_the_shipping_and_the_next_run_goes_on(supervised, s3, area, proxy_to, s3_host):
    slow = proxy_to(s3_host, rate=1 << 20)
    p = supervised("sleep", "60", store=s3.through(slow), options=["--compress", "none"], pid_1=True)
    p.wait("started")
    want = drop(next(area.glob("run-*")), "java_pid7.hprof", 24 << 20)
    p.wait("claimed")
    p.send(signal.SIGTERM)
    p.wait("stopping", left=1)
    assert not p.named("died"), "it was asked to"
    time.sleep(0.3)
    assert p.process.poll() is None
    p.send(signal.SIGTERM)
    code, end = p.ended(10)
    assert (code, end["shipped"], end["left"]) == (143, 0, 1)
    q = supervised("sh", "-c", "exit 2", store=s3)
    code, end = q.ended(60)
    assert (code, end["shipped"], end["left"]) == (2, 1, 0)
    s3.check_one(want)


def test_grace_is_the_limit(supervised, folder, s3, area, proxy_to, s3_host, real_dump):
    stuck = proxy_to(s3_host, rate=1 << 16)
    p = supervised(*PYTHON, DUMP_INTO, real_dump, area, 5, store=s3.through(stuck),
                   options=["--grace", "1s", "--compress", "none"])
    began = time.monotonic()
    code, end = p.ended(20)
    assert (code, end["shipped"], end["left"]) == (5, 0, 1) and time.monotonic() - began < 8


# --- out of memory by the kernel's word -------------------------------------------------------------------------------

EAT = """import glob, sys
open(glob.glob(sys.argv[1] + "/run-*")[-1] + "/java_pid1.hprof", "wb").write(b"JAVA PROFILE 1.0.2\\0 what it left")
eaten = [bytearray(b"x" * (1 << 20)) for _ in range(200)]"""


@pytest.mark.parametrize("pid_1", [False, True])
@pytest.mark.parametrize("wrapped", [False, True], ids=["itself", "below a shell"])
def test_an_oom_kill_is_told_from_others(supervised, folder, area, small_cgroup, pid_1, wrapped):
    app = [*PYTHON, EAT, str(area)]
    if wrapped:
        app = ["sh", "-c", '"$@"; exit $?', "sh", *app]
    p = supervised(*app, pid_1=pid_1, before=small_cgroup.entry)
    code, end = p.ended(60)
    assert (code, end["why"], end["status"], end["oom_kills"]) == (137, "oom-kill", 137, small_cgroup.oom_kills)
    assert end["oom_kills"] >= 1 # the worker may have been the first
    assert end.get("signal") == (None if wrapped else "SIGKILL")
    assert (end["shipped"], end["left"]) == (1, 0), "we outlive it"
    died, = p.named("died")
    assert died["why"] == "oom-kill" and "oom" not in died


def test_a_kill_by_hand_in_a_cgroup_is_none(supervised, small_cgroup):
    p = supervised("sleep", "60", before=small_cgroup.entry)
    app = p.child(b"sleep\x0060")
    os.kill(app, signal.SIGKILL)
    code, end = p.ended()
    assert (code, end["why"], end["signal"], end["oom_kills"]) == (137, "signal", "SIGKILL", 0)


EAT_UNTIL_SOMEBODY_DIES = """import sys, time
def kills():
    return [line for line in open(sys.argv[1]) if line.startswith("oom_kill ")]
before, eaten = kills(), []
sys.stdin.readline()
while kills() == before:
    eaten.append(b"x" * (64 << 10))
    time.sleep(0.0005)
del eaten
print("alive")
sys.stdin.readline()"""


def test_the_kernel_takes_the_worker_first(salvage, work, supervised, s3, area, small_cgroup, proxy_to, s3_host):
    """Where memory runs out while we ship, though the application is the larger of both. (It may be taken, too, if it
    goes on eating in the moment that the worker needs to go: that is the kernel's.)"""
    slow = proxy_to(s3_host, rate=4 << 20)
    fifo = work / "fifo"
    os.mkfifo(fifo)
    app = ["sh", "-c", 'exec "$@" <"$0"', str(fifo), *PYTHON, EAT_UNTIL_SOMEBODY_DIES, str(small_cgroup.counters)]
    p = supervised(*app, before=small_cgroup.entry, store=s3.through(slow), options=["--compress", "none"])
    with open(fifo, "w", encoding="ascii") as tell:
        p.wait("started")
        want = drop(next(area.glob("run-*")), "java_pid7.hprof", 8 << 20)
        watch = p.child(b"watch")
        worker = wait_for(lambda: workers(watch))[0]
        wait_for(lambda: slow.seen(lambda r: r.is_data), why="nothing is sent")
        assert [pathlib.Path("/proc/%d/oom_score_adj" % pid).read_text(encoding="ascii")
                for pid in (p.pid, watch, worker)] == ["0\n", "0\n", "1000\n"]
        tell.write("\n")
        tell.flush()
        p.wait("worker-died")
        p.wait("shipped", timeout=60)
    code, end = p.ended()
    assert (code, p.out) in ((0, b"alive\n"), (137, b"")) and (end["shipped"], end["left"]) == (1, 0)
    s3.check_one(want)


# --- a terminal -------------------------------------------------------------------------------------------------------


class Terminal:
    def __init__(self, argv, salvage, cwd):
        self.process, self.fd = in_terminal(list(map(str, argv)), environment(salvage.home, {"PS1": "prompt> "}), cwd)
        self.text = ""

    def until(self, word, timeout=20):
        """Reads until the word has come; drops all before its end."""
        deadline = time.monotonic() + timeout
        while word not in self.text:
            ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
            assert ready, "no %r in %r" % (word, self.text)
            try:
                data = os.read(self.fd, 4096)
            except OSError:
                data = b""
            assert data, "closed without %r: %r" % (word, self.text)
            self.text += data.decode()
        _, _, self.text = self.text.partition(word)

    def type(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.fd)


@pytest.fixture
def terminal(salvage, work):
    opened = []

    def start(*argv):
        opened.append(Terminal(argv, salvage, work))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.mark.parametrize("pid_1", [False, True])
def test_the_application_has_the_terminal(terminal, folder, area, pid_1):
    script = "trap 'exit 11' INT; echo re''ady; read line; echo \"got:$line\"; while :; do sleep 0.1; done"
    t = terminal(*(["unshare", "--pid", "--mount-proc", "--fork"] if pid_1 else []), BIN, "run", *folder.options(),
                 "--dir", area, "--", "sh", "-c", script)
    t.until("ready")
    t.type("some text\n")
    t.until("got:some text")
    t.type("\x03")
    t.until("event=ended why=exit status=11")
    assert t.process.wait(20) == 11


@pytest.mark.serial
def test_job_control_of_a_shell_above(terminal, folder, area):
    t = terminal("bash", "--norc", "--noediting", "-i")
    t.until("prompt> ")
    command = "%s run %s --dir %s -- sh -c 'echo re\"\"ady; cat; exit 12' 2>log\n"
    t.type(command % (BIN, " ".join(folder.options()), area))
    t.until("ready\r\n")
    t.type("before\n")
    t.until("before\r\nbefore")
    t.type("\x1a")
    t.until("Stopped")
    t.until("prompt> ")
    # The shell below has stopped; cat may not have, and would read the next line.
    cat, = [pid for pid in family(t.process.pid) if cmdline(pid) == b"cat\0"]
    wait_for(lambda: status(cat)["State"].startswith("T"))
    t.type("fg\n")
    t.until("run --to")
    t.until("\n")
    t.type("after\n")
    t.until("after\r\nafter")
    t.type("\x04")
    t.until("prompt> ")
    t.type("echo status=$?\n")
    t.until("status=12")


# --- cost -------------------------------------------------------------------------------------------------------------


def test_idle_it_costs_next_to_nothing(supervised):
    p = supervised("sleep", "60")
    watch = p.child(b"watch")
    p.wait("store-ready")

    def switches(pid):
        return sum(int(status(pid)[k + "_ctxt_switches"]) for k in ("voluntary", "nonvoluntary"))

    def rest():
        """False if a mount has come or gone meanwhile, which is something that happens: other tests do that."""
        mounts.poll(0)
        before = switches(p.pid), switches(watch)
        time.sleep(2)
        after = switches(p.pid), switches(watch)
        assert after == before or mounts.poll(0), "nothing happens, and somebody wakes up"
        return after == before

    p.wait("store-ready")
    wait_for(lambda: children(watch) == [], why="the store is still being asked")
    time.sleep(1)  # 0.3 s behind its start a watch compares its folders with the mounts
    with open("/proc/self/mountinfo", "rb") as file:
        mounts = select.poll()
        mounts.register(file, select.POLLPRI)
        wait_for(rest, why="mounts come and go all the time")
    assert status(p.pid)["RssAnon"] < 2 << 20
    assert p.stop() == 143
