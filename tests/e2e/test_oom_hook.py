# SPDX-License-Identifier: Apache-2.0
"""-XX:OnOutOfMemoryError="salvage ship --oom %p": the dump is stored, and the output goes to the JVM's log. Real JVMs; /bin/sh
is this machine's."""
import gzip
import os
import re
import select
import shutil
import socket
import subprocess
import time

import pytest

from helpers import hprof, jvm
from helpers.evidence import left_in, spool_of
from helpers.proc import free_port, require_root, status, wait_for
from helpers.program import BIN, NOBODY, as_user, environment

HOOK = "-XX:OnOutOfMemoryError=salvage ship --oom %p"
DUMP = "-XX:+HeapDumpOnOutOfMemoryError"
SHIPPED = re.compile(r"salvage: java-oom: heap-dump of process (\d+) \(([0-9.]+ \w+)\) shipped to (\S+)\n")


class Application:
    """A Java program with the hook, in a folder of its own."""

    def __init__(self, jdk, classes, home, folder, bin_folder):
        self.jdk, self.classes, self.home, self.folder, self.bin = jdk, classes, home, folder, bin_folder

    prefix = ()

    def start(self, *options, program="Oom", args=(), env=None, uid=None):
        variables = environment(self.home, {"PATH": "%s:/usr/bin:/bin" % self.bin, **(env or {})})
        command = [*self.prefix, self.jdk + "/bin/java", "-Xmx24m", "-XX:TieredStopAtLevel=1", *options,
                   "-cp", str(self.classes), program, *args]
        return subprocess.Popen(command, env=variables, cwd=str(self.folder), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **as_user(uid))

    def run(self, *options, timeout=60, **more):
        """To its end, and to the end of all that it has left behind; returns what stands in its log."""
        process = self.start(*options, **more)
        out, _ = process.communicate(timeout=timeout)
        self.code = process.returncode
        return out.decode()


@pytest.fixture
def bin_folder(work):
    """A folder for PATH with the program in it, under its usual name."""
    folder = work / "bin"
    folder.mkdir()
    os.symlink(BIN, folder / "salvage")
    return folder


@pytest.fixture
def app(any_jvm, java_classes, salvage, dumps, bin_folder):
    return Application(any_jvm.jdk, java_classes, salvage.home, dumps, bin_folder)


@pytest.fixture
def app_17(java_classes, salvage, dumps, bin_folder):
    return Application(jvm.JDK_17, java_classes, salvage.home, dumps, bin_folder)


def env_of(store):
    env = {"SALVAGE_TO": store.url, **store.env}
    if store.args:
        env["SALVAGE_ENDPOINT"] = store.args[1]
    return env


def shipped(store, said, count=1):
    """What was shipped, each verified, and told with its address. The manifests, in the order they were told."""
    lines = SHIPPED.findall(said)
    assert len(lines) == count, said
    manifests = dict(store.manifests())
    found = []
    for pid, _, url in lines:
        key = next(key for key in manifests if store.url_of(key) == url)
        evidence = store.check(key, manifests[key])
        assert manifests[key]["cause"] == "java-oom" and manifests[key]["kind"] == "heap-dump"
        assert int(pid) == manifests[key]["process"].get("pid", 0)
        found.append((manifests[key], evidence))
    assert len(manifests) == count and store.unfinished() == []
    return found


def shipped_whole(store, said):
    (manifest, evidence), = shipped(store, said)
    assert "partial" not in manifest
    assert hprof.problem(evidence) is None
    return manifest, evidence


# --- the dump is there -------------------------------------------------------------------------------------------------


def test_the_dump_of_a_dying_jvm_is_shipped_and_the_log_says_where(app, store, dumps):
    said = app.run(DUMP, HOOK, env=env_of(store))
    manifest, evidence = shipped_whole(store, said)
    pid = int(re.search(r'sh -c "salvage ship --oom (\d+)"', said).group(1))
    assert app.code == 1 and "Exception in thread" in said
    assert said.index("Heap dump file created") < said.index("shipped to") < said.index("Exception in thread")
    assert len(evidence) == int(re.search(r"created \[(\d+) bytes", said).group(1))
    assert manifest["name"] == "java_pid%d.hprof" % pid and manifest["process"]["pid"] == pid
    assert manifest["path"] == str(dumps / manifest["name"])
    assert re.match(r"(17|25)\.\d+\.\d+.* \(.+\)$", manifest["process"]["jvm"]), manifest["process"]
    assert manifest["process"]["command"].startswith(app.jdk + "/bin/java -Xmx24m ")
    assert os.listdir(dumps) == [], "something of ours was left"


@pytest.mark.parametrize("how", ["Exit", "Crash"])
def test_a_jvm_that_ends_itself_waits_for_the_hook(app, folder, dumps, how):
    said = app.run(DUMP, HOOK, "-XX:+%sOnOutOfMemoryError" % how, "-XX:-CreateCoredumpOnCrash",
                   "-XX:ErrorFile=/dev/null", env=env_of(folder))
    shipped_whole(folder, said)
    end = "Terminating due to java.lang.OutOfMemoryError" if how == "Exit" else "A fatal error has been detected by"
    assert said.index("shipped to") < said.index(end) and app.code == (3 if how == "Exit" else 1)
    assert left_in(dumps) == []


# Options are said in many places; the JVM's own word on where its dump went is "Dumping heap to".
PLACES = {
    "file": (["-XX:HeapDumpPath={dumps}/app.hprof"], {}, "app.hprof"),
    "relative": (["-XX:HeapDumpPath=app.hprof"], {}, "app.hprof"),
    "folder": (["-XX:HeapDumpPath={dumps}"], {}, None),
    "folder with a slash": (["-XX:HeapDumpPath={dumps}/"], {}, None),
    "pid": (["-XX:HeapDumpPath={dumps}/app-%p.hprof"], {}, None),
    "blanks": (["-XX:HeapDumpPath={dumps}/my app.hprof"], {}, "my app.hprof"),
    "the last one": (["-XX:HeapDumpPath={dumps}/no.hprof", "-XX:HeapDumpPath={dumps}/yes.hprof"], {}, "yes.hprof"),
    "argument file": (["@{work}/options"], {"options": "-XX:HeapDumpPath='{dumps}/a b.hprof' # why\n"}, "a b.hprof"),
    "VM options file": (["-XX:VMOptionsFile={work}/options"], {"options": "-XX:HeapDumpPath={dumps}/v.hprof"},
                        "v.hprof"),
    "flags file": (["-XX:Flags={work}/options"], {"options": "# why\nHeapDumpPath={dumps}/f.hprof\n"}, "f.hprof"),
    "a flags file is weak": (["-XX:Flags={work}/options", "-XX:HeapDumpPath={dumps}/s.hprof"],
                             {"options": "HeapDumpPath={dumps}/w.hprof\n"}, "s.hprof"),
    "tool options": ([], {"JAVA_TOOL_OPTIONS": "-XX:HeapDumpPath='{dumps}/t o.hprof'"}, "t o.hprof"),
    "tool options are weak": (["-XX:HeapDumpPath={dumps}/s.hprof"],
                              {"JAVA_TOOL_OPTIONS": "-XX:HeapDumpPath={dumps}/w.hprof"}, "s.hprof"),
    "JDK options": ([], {"JDK_JAVA_OPTIONS": "-XX:HeapDumpPath={dumps}/j.hprof"}, "j.hprof"),
    "argument file of the JDK options": ([], {"JDK_JAVA_OPTIONS": "-Da=b '@{work}/options'",
                                              "options": "# why\n-XX:HeapDumpPath=\"{dumps}/j f.hprof\"\n"}, "j f.hprof"),
    "JDK options to files": ([], {"JDK_JAVA_OPTIONS": "@{work}/options", "vm": "-XX:HeapDumpPath='{dumps}/v f.hprof'",
                                  "options": "-XX:VMOptionsFile={work}/vm"}, "v f.hprof"),
    "tool options to a file": ([], {"JAVA_TOOL_OPTIONS": "-XX:VMOptionsFile={work}/options",
                                    "options": "-XX:HeapDumpPath='{dumps}/t f.hprof'"}, "t f.hprof"),
    "underscore options to a flags file": ([], {"_JAVA_OPTIONS": "-XX:Flags={work}/options",
                                                "options": "HeapDumpPath={dumps}/u.hprof"}, "u.hprof"),
    "underscore options are strong": (["-XX:HeapDumpPath={dumps}/w.hprof"],
                                      {"_JAVA_OPTIONS": "-XX:HeapDumpPath={dumps}/s.hprof"}, "s.hprof"),
}


@pytest.mark.parametrize("place", PLACES)
def test_wherever_the_options_say(app, folder, dumps, work, place):
    options, variables, name = PLACES[place]
    options = [word.format(dumps=dumps, work=work) for word in options]
    variables = {key: value.format(dumps=dumps, work=work) for key, value in variables.items()}
    for file in {"options", "vm"} & set(variables):
        (work / file).write_text(variables.pop(file))
    said = app.run(DUMP, HOOK, *options, env={**env_of(folder), **variables})
    manifest, _ = shipped_whole(folder, said)
    assert name is None or manifest["name"] == name
    assert os.path.realpath(dumps / re.search(r"Dumping heap to (.+) \.\.\.", said).group(1)) == manifest["path"]
    assert left_in(dumps) == []


def test_options_that_can_no_longer_be_read(app, folder, dumps, work):
    """From a pipe (`java @<(...)`): the JVM's counters still have them."""
    os.mkfifo(work / "options")
    process = app.start(DUMP, HOOK, "@%s" % (work / "options"), env=env_of(folder))
    (work / "options").write_text("-XX:HeapDumpPath=%s/gone.hprof -Da=b" % dumps)
    said = process.communicate(timeout=60)[0].decode()
    manifest, _ = shipped_whole(folder, said)
    assert manifest["name"] == "gone.hprof" and left_in(dumps) == []


def test_a_launcher_by_another_name(app_17, folder, dumps, work):
    (work / "options").write_text("-XX:HeapDumpPath=%s/named.hprof" % dumps)
    app_17.prefix = ("bash", "-c", 'exec -a cart "$0" "$@"')
    said = app_17.run(DUMP, HOOK, "@%s" % (work / "options"), env=env_of(folder))
    manifest, _ = shipped_whole(folder, said)
    assert manifest["name"] == "named.hprof" and left_in(dumps) == []


def test_options_in_the_image_of_the_runtime(app, salvage, folder, dumps, work):
    if not os.path.exists(app.jdk + "/bin/jlink"):
        pytest.skip("this JDK has no jlink")
    image = work / "image"
    subprocess.run([app.jdk + "/bin/jlink", "--add-modules", "java.base,java.management,jdk.management", "--output",
                    str(image), "--add-options", "-XX:HeapDumpPath=%s/image.hprof" % dumps], check=True)
    app.jdk = str(image)
    said = app.run(DUMP, HOOK, env=env_of(folder))
    manifest, _ = shipped_whole(folder, said)
    assert manifest["name"] == "image.hprof" and left_in(dumps) == []


def test_a_dump_that_the_jvm_compressed(app, folder, dumps):
    said = app.run(DUMP, HOOK, "-XX:HeapDumpGzipLevel=1", env=env_of(folder))
    (manifest, evidence), = shipped(folder, said)
    assert manifest["name"].endswith(".hprof.gz") and hprof.problem(gzip.decompress(evidence)) is None
    assert left_in(dumps) == []


def test_the_second_process_at_a_fixed_path_is_saved_too(app, s3, dumps):
    said = [app.run(DUMP, HOOK, "-XX:HeapDumpPath=fixed.hprof", args=[what], env=env_of(s3))
            for what in ("records", "strings")]
    urls = [SHIPPED.search(text).group(3) for text in said]
    assert len(set(urls)) == 2
    assert len(s3.check_all([m["sha256"] for _, m in s3.manifests()])) == 2
    assert left_in(dumps) == []


def test_process_1_of_a_container_twice(app, s3, dumps):
    """Every one of them is process 1, and would write java_pid1.hprof."""
    require_root("makes a pid namespace")
    app.prefix = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    dumped = app.run(DUMP, HOOK, env=env_of(s3))
    (first, _), = shipped(s3, dumped)
    assert first["name"] == "java_pid1.hprof" and first["process"]["pid"] == 1
    said = survive(app, HOOK, env=env_of(s3))
    assert "process 1: it has made no heap dump" in said
    manifests = [m for _, m in s3.manifests()]
    assert len(manifests) == 2 and [m["process"]["pid"] for m in manifests] == [1, 1]
    assert len({m["id"] for m in manifests}) == 2 and os.listdir(dumps) == []


def test_the_json_of_the_manifest_on_demand(app_17, folder):
    said = app_17.run(DUMP, "-XX:OnOutOfMemoryError=salvage ship --json --oom %p", env=env_of(folder))
    (key, _), = folder.manifests()
    assert folder.read(key + ".json").decode() in said


def test_one_of_several_commands(app_17, folder):
    said = app_17.run(DUMP, "-XX:OnOutOfMemoryError=echo first; salvage ship --oom %p;echo last", env=env_of(folder))
    shipped_whole(folder, said)
    assert said.index("\nfirst\n") < said.index("shipped to") < said.index("\nlast\n")


def test_keep_keeps_it(app_17, folder, dumps):
    said = app_17.run(DUMP, HOOK, "-XX:HeapDumpPath=kept.hprof", env={**env_of(folder), "SALVAGE_KEEP": "1"})
    _, evidence = shipped_whole(folder, said)
    assert (dumps / "kept.hprof").read_bytes() == evidence


def test_secrets_of_the_command_line_are_not_told(app_17, folder):
    marks = ["hunter2", "s3cr3t", "t0k3n"]
    said = app_17.run(DUMP, HOOK, "-Ddb.password=" + marks[0], "-Dplain=" + marks[1],
                      args=["records", "--api-key=" + marks[2]], env=env_of(folder))
    manifest, _ = shipped_whole(folder, said)
    assert manifest["process"]["command"].endswith(" Oom (2 arguments)")
    assert "-Ddb.password=... -Dplain=..." in manifest["process"]["command"]
    (key, _), = folder.manifests()
    for text in (said, folder.read(key + ".json").decode()):
        assert not [mark for mark in marks if mark in text]


def test_a_jvm_without_a_handler_for_sigquit(app, folder, dumps):
    """-Xrs: the hook needs no signal."""
    shipped_whole(folder, app.run(DUMP, HOOK, "-Xrs", env=env_of(folder)))
    assert app.code == 1 and left_in(dumps) == []


# --- a watch is there, too ---------------------------------------------------------------------------------------------


def test_a_dump_in_a_watched_folder_is_the_watchs(app, salvage, folder, dumps):
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("started")
    said = app.run(DUMP, HOOK, env=env_of(folder))
    watch.wait("shipped")
    assert watch.stop() == 0
    assert "a watch of its folder ships %s/java_pid" % dumps in said and not SHIPPED.search(said)
    assert len(folder.manifests()) == 1 and left_in(dumps) == []


def test_what_the_watch_does_not_look_at_is_shipped(app_17, salvage, folder, dumps):
    watch = salvage.watch(dumps, *folder.options(), "--include", "core*")
    watch.wait("started")
    said = app_17.run(DUMP, HOOK, env=env_of(folder))
    shipped_whole(folder, said)
    assert watch.stop() == 0 and not watch.named("shipped")


# --- no dump: one is asked for -----------------------------------------------------------------------------------------


def finish(process):
    """Ends an application that has survived; returns all that stands in its log."""
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    return out.decode()


def survive(app, *options, until=r"shipped to \S+\n|there is no heap dump.*\n|a watch of its", program="LoopOom",
            **more):
    """Runs out of memory and lives until something is said of a dump; returns the log."""
    process = app.start(*options, program=program, **more)
    seen = b""
    deadline = time.monotonic() + 20
    while not re.search(until.encode(), seen, re.S) or b"caught 2" not in seen:
        assert time.monotonic() < deadline and process.poll() is None, seen
        if select.select([process.stdout], [], [], 1)[0]:
            seen += os.read(process.stdout.fileno(), 65536)
    assert process.poll() is None, "the application has ended"
    # What is told to be shipped is erased a moment later, which the end of a pid namespace would cut short.
    while os.path.isdir(app.folder / ".salvage") and time.monotonic() < deadline - 10:
        time.sleep(0.05)
    return seen.decode() + finish(process)  # to the end of what the hook has left behind, too


def test_a_jvm_that_made_no_dump_is_asked_for_one(app, store, dumps):
    said = survive(app, HOOK, env=env_of(store))
    manifest, _ = shipped_whole(store, said)
    assert "it has made no heap dump (-XX:+HeapDumpOnOutOfMemoryError was not set at its start): it is asked for one now" in said
    assert "caught 1" in said and "caught 2" in said and "Full thread dump" not in said
    assert re.fullmatch(r"java_pid\d+-\d{8}T\d{6}Z\.hprof", manifest["name"])
    assert os.listdir(dumps) == []


def test_a_jvm_without_a_handler_for_sigquit_is_asked_through_its_socket(app, folder, dumps):
    """-Xrs: such a JVM opens its attach socket at its start; a SIGQUIT would end it."""
    said = survive(app, HOOK, "-Xrs", env=env_of(folder))
    shipped_whole(folder, said)
    assert "is asked for one now" in said and "Full thread dump" not in said and os.listdir(dumps) == []


def test_the_hook_does_not_hold_a_jvm_that_it_asks(app_17, folder, dumps):
    """Nothing but the hook's return lets the JVM answer: so the application goes on before there is a dump."""
    said = survive(app_17, HOOK, env=env_of(folder))
    assert said.index("is asked for one now") < said.index("caught 1")
    shipped_whole(folder, said)


def test_a_path_that_was_set_at_run_time_is_asked_for(app, folder, dumps):
    process = app.start(HOOK, "--add-modules", "jdk.management", program="LaterOom", env=env_of(folder),
                        args=["HeapDumpOnOutOfMemoryError=true", "HeapDumpPath=%s/late r.hprof" % dumps])
    process.stdin.write(b"\n")
    process.stdin.flush()
    wait_for(folder.manifests, 60, "nothing was shipped")
    wait_for(lambda: not left_in(dumps), 20, "the dump was left")
    said = finish(process)
    manifest, evidence = shipped_whole(folder, said)
    assert manifest["name"] == "late r.hprof"
    assert len(evidence) == int(re.search(r"created \[(\d+) bytes", said).group(1))


def test_a_folder_that_the_jvm_cannot_write_to(app, folder, dumps, work):
    require_root("becomes another user")
    dumps.chmod(0o777)
    folder.root.chmod(0o777)
    locked = work / "locked"
    locked.mkdir(mode=0o755)
    said = survive(app, DUMP, HOOK, "-XX:HeapDumpPath=%s" % locked, env=env_of(folder), uid=NOBODY)
    manifest, _ = shipped_whole(folder, said)
    assert "%s may not be written to by uid %d" % (locked, NOBODY) in said
    assert manifest["path"].startswith(str(dumps)) and manifest["process"]["uid"] == NOBODY
    assert os.listdir(locked) == [] and os.listdir(dumps) == []


def test_an_older_dump_in_the_way_goes_out_as_well(app, folder, dumps):
    """HotSpot does not write over it, and the process that made it is gone: nobody else will come for it."""
    old = hprof.write(str(dumps / "fixed.hprof"), 100_000, 5)
    os.utime(dumps / "fixed.hprof", (1.7e9, 1.7e9))
    said = survive(app, DUMP, HOOK, "-XX:HeapDumpPath=fixed.hprof", env=env_of(folder))
    wait_for(lambda: len(folder.manifests()) == 2, 20, "the older one was not shipped")
    assert "fixed.hprof is there already, from an older process" in said
    manifests = {m["name"]: m for _, m in folder.manifests()}
    assert manifests.pop("fixed.hprof")["sha256"] == old
    (asked,) = manifests.values()
    assert asked["process"]["pid"] and "partial" not in asked
    wait_for(lambda: os.listdir(dumps) == [], 20, "something was left")


@pytest.mark.parametrize("how", ["Exit", "Crash"])
def test_a_jvm_that_ends_itself_without_a_dump(app, folder, how):
    said = app.run(HOOK, "-XX:+%sOnOutOfMemoryError" % how, "-XX:-CreateCoredumpOnCrash", "-XX:ErrorFile=/dev/null",
                   env=env_of(folder))
    assert "there is no heap dump (-XX:+HeapDumpOnOutOfMemoryError was not set at its start), and none can be made: " \
           "-XX:+%sOnOutOfMemoryError ends it now. Set -XX:+HeapDumpOnOutOfMemoryError" % how in said
    assert folder.keys() == []


def test_a_jvm_that_dies_of_its_error_before_it_can_answer(app, folder):
    """Either it still answered, or it is said what would have helped."""
    said = app.run(HOOK, env=env_of(folder))
    if SHIPPED.search(said):
        shipped(folder, said)
    else:
        assert "it ended before it could be asked for a heap dump: -XX:+HeapDumpOnOutOfMemoryError makes one" in said


@pytest.mark.parametrize("option, why", [("-XX:+DisableAttachMechanism", "it runs with -XX:+DisableAttachMechanism")])
def test_a_jvm_that_cannot_be_asked_is_not_harmed(app, folder, option, why):
    said = survive(app, HOOK, option, env=env_of(folder))
    assert "there is no heap dump" in said and why in said
    assert "Full thread dump" not in said and folder.keys() == []


def test_a_socket_that_somebody_else_put_there_is_not_trusted(app_17, folder):
    require_root("makes a socket of another user's")
    process = app_17.start(HOOK, program="LaterOom", env=env_of(folder))
    assert process.stdout.readline() == b"ready\n"
    path = "/tmp/.java_pid%d" % process.pid
    with socket.socket(socket.AF_UNIX) as trap:
        try:
            trap.bind(path)
            os.chown(path, NOBODY, NOBODY)
            trap.listen()
            trap.setblocking(False)
            process.stdin.write(b"\n")
            process.stdin.flush()
            seen = b""
            while b"is not the JVM's socket" not in seen:
                seen += os.read(process.stdout.fileno(), 65536)
            with pytest.raises(BlockingIOError):
                trap.accept()
        finally:
            os.unlink(path)
    finish(process)
    assert folder.keys() == []


# --- trouble -----------------------------------------------------------------------------------------------------------


def test_a_dump_that_filled_the_disk_is_shipped_as_far_as_it_goes(app, folder, work, mount_tmpfs):
    small = mount_tmpfs(work / "small", "8m")
    said = app.run(DUMP, HOOK, "-XX:HeapDumpPath=%s/app.hprof" % small, env=env_of(folder))
    # Dying of its error the JVM may still be quick enough to make the dump that it is asked for then.
    manifest, evidence = shipped(folder, said, len(SHIPPED.findall(said)))[0]
    assert manifest["partial"] and manifest["name"] == "app.hprof" and manifest["process"]["pid"]
    assert hprof.problem(evidence) is not None and 0 < len(evidence) <= 8 << 20
    assert left_in(small) == []


ANOTHER = "its heap dump is not whole: it is asked for another one now, which lacks what is freed by then"
TWO = r"shipped to .*shipped to \S+\n|there is no whole heap dump"


def cut_and_whole(folder, said):
    """The two dumps that were shipped: what the JVM wrote by itself, and what it was asked for."""
    found = shipped(folder, said, 2)
    (cut, cut_bytes), (whole, whole_bytes) = found
    assert cut["partial"] and hprof.problem(cut_bytes) is not None
    assert "partial" not in whole and hprof.problem(whole_bytes) is None and len(whole_bytes) > len(cut_bytes)
    assert cut["process"]["pid"] == whole["process"]["pid"] and cut["id"] != whole["id"]
    assert said.index(cut["key"].split("/")[-2]) < said.index(ANOTHER) < said.index(whole["key"].split("/")[-2])
    return cut, whole


def test_a_jvm_that_goes_on_after_a_full_disk_dumps_where_there_is_room(app, folder, dumps, work, mount_tmpfs):
    small = mount_tmpfs(work / "small", "8m")
    said = survive(app, DUMP, HOOK, "-XX:HeapDumpPath=%s/app.hprof" % small, env=env_of(folder), until=TWO,
                   program="KeepOom")
    cut, whole = cut_and_whole(folder, said)
    assert cut["name"] == "app.hprof" and whole["path"].startswith(str(dumps)) and "Full thread dump" not in said
    assert left_in(small) == [] and left_in(dumps) == []


def test_the_cut_dump_may_be_a_watchs(app_17, salvage, folder, dumps, work, mount_tmpfs):
    small = mount_tmpfs(work / "small", "8m")
    watch = salvage.watch(small, *folder.options())
    watch.wait("started")
    said = survive(app_17, DUMP, HOOK, "-XX:HeapDumpPath=%s/app.hprof" % small, env=env_of(folder),
                   until="a watch of its folder.*shipped to", program="KeepOom")
    watch.wait("shipped")
    assert watch.stop() == 0 and ANOTHER in said
    assert ["partial" in m for _, m in folder.manifests()].count(True) == 1 and len(folder.manifests()) == 2
    assert left_in(small) == [] and left_in(dumps) == []


def without_room(app, session_folder, small):
    """The application in a mount namespace of its own, in which no folder has room for a dump. Its /tmp hides what is
    there, and so perhaps the program."""
    (app.bin / "salvage").unlink()
    shutil.copy(BIN, app.bin / "salvage")
    script = """set -e
                mount --make-rprivate /
                mount --rbind "$1" /mnt
                mount -t tmpfs -o size=2m,mode=1777 salvage-e2e /tmp
                mkdir -p "$1"
                mount --move /mnt "$1"
                cd "$2"
                shift 2
                exec "$@"
             """
    app.prefix = ("unshare", "--mount", "sh", "-c", script, "sh", str(session_folder), str(small))


def test_without_room_anywhere_the_dump_goes_past_the_disk(app_17, folder, session_folder, work, mount_tmpfs):
    small = mount_tmpfs(work / "small", "8m")
    without_room(app_17, session_folder, small)
    said = survive(app_17, DUMP, HOOK, "-XX:HeapDumpPath=%s/app.hprof" % small, env=env_of(folder), until=TWO,
                   program="KeepOom")
    _, whole = cut_and_whole(folder, said)
    assert whole["process"]["command"].endswith("KeepOom") and left_in(small) == []


@pytest.mark.skipif(not jvm.JDKS_25, reason="no JDK 25 here")
def test_where_no_dump_can_be_had_threads_and_histogram_are(java_classes, salvage, dumps, bin_folder, folder,
                                                            session_folder, work, mount_tmpfs):
    """JDK 22 and newer write their dumps to disk alone."""
    app = Application(jvm.JDKS_25[0], java_classes, salvage.home, dumps, bin_folder)
    small = mount_tmpfs(work / "small", "8m")
    without_room(app, session_folder, small)
    said = survive(app, DUMP, HOOK, "-XX:HeapDumpPath=%s/app.hprof" % small, env=env_of(folder),
                   until=r"there is no whole heap dump.*(shipped to \S+\n.*){2}", program="KeepOom")
    assert "no room for a heap dump" in said and "nor past the disk: JVM" in said
    manifests = {m["kind"]: m for _, m in folder.manifests()}
    assert set(manifests) == {"heap-dump", "thread-dump", "class-histogram"} and manifests["heap-dump"]["partial"]
    assert manifests["thread-dump"]["id"] == manifests["class-histogram"]["id"]
    assert {m["cause"] for m in manifests.values()} == {"java-oom"} and left_in(small) == []


def test_a_jvm_is_not_held_for_a_dump_that_comes_too_late(app_17, s3, proxy_to, s3_host, session_folder, work,
                                                          mount_tmpfs):
    """The cut dump showed how slow the store is: the whole one would stop the JVM for longer than agreed."""
    small = mount_tmpfs(work / "small", "8m")
    without_room(app_17, session_folder, small)
    slow = s3.through(proxy_to(s3_host, rate=4_000_000))
    said = survive(app_17, DUMP, HOOK, "-XX:HeapDumpPath=%s/app.hprof" % small,
                   env={**env_of(slow), "SALVAGE_GIVE_UP": "6s", "SALVAGE_COMPRESS": "none"},
                   until=r"there is no whole heap dump.*(shipped to \S+\n.*){2}", program="KeepOom")
    assert re.search(r"would hold the application for longer than the [1-6] s that are left \(SALVAGE_GIVE_UP\)", said)
    assert sorted(m["kind"] for _, m in s3.manifests()) == ["class-histogram", "heap-dump", "thread-dump"]


def test_a_jvm_that_ends_itself_after_a_full_disk_says_what_was_missing(app, folder, work, mount_tmpfs):
    small = mount_tmpfs(work / "small", "8m")
    said = app.run(DUMP, HOOK, "-XX:HeapDumpPath=%s/app.hprof" % small, "-XX:+ExitOnOutOfMemoryError",
                   env=env_of(folder))
    (manifest, _), = shipped(folder, said)
    assert manifest["partial"] and "its heap dump is not whole, and no other can be made: -XX:+ExitOnOut" in said


def test_without_a_store_one_line_says_what_to_set(app, dumps):
    said = app.run(DUMP, HOOK)
    lines = [line for line in said.splitlines() if line.startswith("salvage: ")]
    assert len(lines) == 1 and "set SALVAGE_TO in the JVM's environment" in lines[0]
    assert len(left_in(dumps)) == 1, "the dump is gone"


def test_a_store_that_is_away_holds_the_jvm_no_longer_than_told(app_17, dumps):
    """An attempt that has begun ends by itself, with its own patience; then there is no other."""
    env = {"SALVAGE_TO": "http://127.0.0.1:%d/x/" % free_port(), "SALVAGE_GIVE_UP": "1s"}
    begun = time.monotonic()
    said = app_17.run(DUMP, HOOK, "-XX:+ExitOnOutOfMemoryError", env=env)
    assert time.monotonic() - begun < 40 and app_17.code == 3
    assert re.search(r"salvage: java-oom: process \d+: .*Connection refused", said), said
    assert [name for name in left_in(dumps) if name.endswith(".hprof")], "the dump is gone"


def test_what_a_hook_could_not_ship_the_next_one_ships(app_17, folder, dumps):
    """Killed with its container, or the store was away: the dump lies there, in the way of the next."""
    away = {"SALVAGE_TO": "http://127.0.0.1:%d/x/" % free_port(), "SALVAGE_GIVE_UP": "1s"}
    app_17.run(DUMP, HOOK, "-XX:HeapDumpPath=fixed.hprof", env=away)
    assert left_in(dumps) == ["fixed.hprof"]
    time.sleep(2.5)  # as a container that is started again: a file so young is told from one's own by its birth
    said = app_17.run(DUMP, HOOK, "-XX:+ExitOnOutOfMemoryError", "-XX:HeapDumpPath=fixed.hprof", env=env_of(folder))
    assert "fixed.hprof is there already, from an older process" in said
    (_, manifest), = folder.manifests()
    assert manifest["name"] == "fixed.hprof" and left_in(dumps) == [] and spool_of(dumps) == []


@pytest.mark.parametrize("pid, why", [("2147483647", "there is no process 2147483647"),
                                      ("99999999999", "there is no process of such a number"),
                                      ("x", "--oom: 'x'")])
def test_what_is_no_process(salvage, folder, pid, why):
    result = salvage.run("ship", "--oom", pid, *folder.options())
    assert result.code != 0 and why in result.message


def test_what_is_no_jvm_is_left_alone(salvage, folder):
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            result = salvage.run("ship", "--oom", str(other.pid), *folder.options())
            assert result.code != 0 and "process %d is not a Java VM" % other.pid in result.message
            assert status(other.pid)["State"].startswith("S")
        finally:
            other.kill()


def test_names_and_a_process_are_too_much(salvage, folder, dumps):
    result = salvage.run("ship", "--oom", "1", str(dumps / "x"), *folder.options())
    assert result.code == 2 and "leave out the names" in result.message
