# SPDX-License-Identifier: Apache-2.0
"""The cause of a file and the process that wrote it are read from its content; its name is only a hint."""
import gzip
import json
import resource
import shutil
import signal
import subprocess

import pytest

from helpers import hprof
from helpers.core_pattern import kept_core_pattern
from helpers.evidence import put
from helpers.resting import SMALL, Resting


def ship(salvage, dumps, folder, *names):
    """Ships by a watch; the manifests by name."""
    assert salvage.watch(dumps, *folder.options(), "--once").end() == 0
    found = {m["name"]: m for _, m in folder.manifests()}
    assert sorted(found) == sorted(names)
    for m in found.values():
        assert "-%s-%s/" % (m["cause"], m["id"]) in m["key"]
    return found


@pytest.fixture
def core_pattern(dumps):
    """Cores of the kernel lie in the folder; it is put back."""
    with kept_core_pattern() as pattern:
        pattern.write_text("%s/core.%%p" % dumps)
        yield


@pytest.mark.parametrize("options", [(), ("-XX:HeapDumpGzipLevel=1",)], ids=["plain", "gzip"])
def test_a_dump_at_an_out_of_memory_error(salvage, dumps, folder, any_jvm, options):
    any_jvm.die(dumps / "some.thing", options=options)
    assert ship(salvage, dumps, folder, "some.thing")["some.thing"]["cause"] == "java-oom"


def test_a_dump_that_a_user_asked_for(salvage, dumps, folder, any_jvm):
    """Under HotSpot's own name for one at an OutOfMemoryError, whole, cut, and in gzip."""
    resting = Resting([any_jvm.jdk + "/bin/java", "-Xmx96m", *SMALL, "-cp", any_jvm.classes, "Rest"], jdk=any_jvm.jdk)
    try:
        resting.ready().jcmd("GC.heap_dump", dumps / "java_pid7.hprof")
    finally:
        resting.close()
    data = (dumps / "java_pid7.hprof").read_bytes()
    put(dumps, "java_pid8.hprof", data[:-100])
    put(dumps, "java_pid9.hprof.gz", gzip.compress(data, 1))
    found = ship(salvage, dumps, folder, "java_pid7.hprof", "java_pid8.hprof", "java_pid9.hprof.gz")
    assert {m["cause"] for m in found.values()} == {"user"}


def test_a_dump_that_does_not_say(salvage, dumps, folder):
    put(dumps, "a.hprof", hprof.make(10_000, 1))
    put(dumps, "java_pid7.hprof", hprof.make(10_000, 2))
    put(dumps, "b.hprof", b"")
    found = ship(salvage, dumps, folder, "a.hprof", "java_pid7.hprof", "b.hprof")
    assert {name: m["cause"] for name, m in found.items()} == {"a.hprof": "unknown", "java_pid7.hprof": "java-oom",
                                                              "b.hprof": "unknown"}


JAVACORE = """0SECTION       TITLE subcomponent dump routine
NULL           ===============================
1TICHARSET     UTF-8
1TISIGINFO     Dump Event %s received
1TIDATETIME    Date:                 2026/04/29 at 08:31:10
1TIFILENAME    Javacore filename:    /work/javacore.20260429.083110.14261.0002.txt
NULL           ------------------------------------------------------------------------
1CIJAVAVERSION JRE 17 Linux amd64-64 (build 17.0.9+9)
1CIPROCESSID   Process ID: 14261 (0x37B5)
1CICMDLINE     java -Xmx5m Main
NULL           ---------------------- END OF DUMP -------------------------------------
"""


def test_javacores(salvage, dumps, folder):
    events = {'"systhrow" (00040000) Detail "java/lang/OutOfMemoryError" "Java heap space"': "java-oom",
              '"user" (00004000)': "user", '"gpf" (00002000)': "signal", '"traceassert" (00010000)': "assert"}
    for n, event in enumerate(events):
        put(dumps, "javacore.%d.txt" % n, (JAVACORE % event).encode())
    found = ship(salvage, dumps, folder, *("javacore.%d.txt" % n for n in range(len(events))))
    assert [found["javacore.%d.txt" % n]["cause"] for n in range(len(events))] == list(events.values())
    m = found["javacore.0.txt"]
    assert m["process"] | {"uid": 0} == {"pid": 14261, "uid": 0, "jvm": "JRE 17 Linux amd64-64 (build 17.0.9+9)",
                                         "command": "java -Xmx5m Main"}
    assert m["origin"] == {"detail": "java/lang/OutOfMemoryError: Java heap space", "time": "2026/04/29 at 08:31:10",
                           "file": "/work/javacore.20260429.083110.14261.0002.txt"}
    assert "partial" not in m


def test_a_core_of_a_process_that_lives_is_no_crash(salvage, dumps, folder):
    gcore = shutil.which("gcore")
    if not gcore:
        pytest.skip("no gdb")
    process = subprocess.Popen(["/bin/sleep", "4711"])
    try:
        subprocess.run([gcore, "-o", dumps / "core", str(process.pid)], check=True, capture_output=True)
    finally:
        process.kill()
        process.wait()
    name = "core.%d" % process.pid
    m = ship(salvage, dumps, folder, name)[name]
    assert (m["cause"], m["process"]["pid"]) == ("user", process.pid)
    assert m["process"]["command"].startswith("/bin/sleep")


@pytest.mark.serial
def test_a_core_names_its_signal(salvage, dumps, folder, core_pattern):
    process = subprocess.Popen(["/bin/sleep", "4711"],
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1)))
    process.send_signal(signal.SIGSEGV)
    process.wait()
    name = "core.%d" % process.pid
    m = ship(salvage, dumps, folder, name)[name]
    assert (m["cause"], m["origin"]["detail"], m["process"]["pid"], m["process"]["command"]) == (
        "signal", "SIGSEGV (11)", process.pid, "/bin/sleep 4711")


def test_ship_by_hand_asks_the_file_unless_told(salvage, dumps, folder):
    put(dumps, "hs_err_pid1.log", b"#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n"
        b"#  SIGSEGV (0xb) at pc=0x0000000000000000, pid=17, tid=18\n#\nEND.\n")
    m = json.loads(salvage.ok("ship", dumps / "hs_err_pid1.log", *folder.options(), "--json").out)
    assert (m["cause"], m["process"]["pid"], m["origin"]["detail"]) == ("signal", 17, "SIGSEGV (0xb)")
    m = json.loads(salvage.ok("ship", dumps / "hs_err_pid1.log", *folder.options(), "--json", "--cause", "drill").out)
    assert m["cause"] == "drill" and m["process"]["pid"] == 17
