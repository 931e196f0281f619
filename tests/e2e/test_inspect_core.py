# SPDX-License-Identifier: Apache-2.0
"""salvage inspect of cores: of a program that really crashed, and of a living one; gdb says the same of both."""
import json
import os
import re
import subprocess

import pytest

PROGRAM = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void *idle(void *a) { pause(); return a; }
__attribute__((noinline)) void add(int *at) { *at = 5; }
__attribute__((noinline)) int order(int *at) { add(at); return *at + 1; }
int main(int argc, char **argv)
{
    pthread_t t;
    (void)argv;
    pthread_create(&t, 0, idle, 0);
    pthread_create(&t, 0, idle, 0);
    if (argc > 1)
        memset(malloc(atoi(argv[1])), 1, atoi(argv[1]));
    puts("ready");
    fflush(stdout);
    if (argc > 1)
        return getchar();
    return order((int *)0x10);
}
"""


@pytest.fixture(scope="module")
def program(session_folder):
    folder = session_folder / "crashing"
    folder.mkdir()
    (folder / "main.c").write_text(PROGRAM)
    subprocess.run(["gcc", "-O0", "-g", "-fno-omit-frame-pointer", "-o", folder / "server", folder / "main.c", "-lpthread"], check=True)
    return folder / "server"


def gdb(*commands):
    return subprocess.run(["gdb", "-q", "-batch", *(word for c in commands for word in ("-ex", c))], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60).stdout.decode()


@pytest.fixture(scope="module")
def crashed(program):
    """Its core, and the addresses of the frames as gdb sees them."""
    core = program.parent / "core.1"
    said = gdb("file %s" % program, "run", "generate-core-file %s" % core, "bt", "info proc")
    return core, [int(a, 16) for a in re.findall(r"^#\d+ +(?:(0x[0-9a-f]+) in )?\w+ \(", said, re.M) if a], said


def build_id(path):
    said = subprocess.run(["readelf", "-n", path], check=True, stdout=subprocess.PIPE).stdout.decode()
    return re.search(r"Build ID: ([0-9a-f]+)", said).group(1)


def test_a_crash_is_explained(salvage, program, crashed):
    core, frames, said = crashed
    found = json.loads(salvage.ok("inspect", core, "--json").out)
    assert (found["schema"], found["signal"], found["address"]) == ("salvage.core/1", "SIGSEGV", "0x10"), found["cause"]
    assert found["program"] == "server" and found["build_id"] == build_id(program) and not found["jvm"] and not found["cut"]
    assert len(found["threads"]) == 3 and found["threads"][0]["tid"] == found["pid"]
    ours = [int(f["address"], 16) for f in found["threads"][0]["frames"]]
    assert len(frames) >= 2 and ours[:len(frames)] == frames, (ours, said)
    assert int(found["threads"][0]["registers"]["rip" if "rip" in found["threads"][0]["registers"] else "pc"], 16) == ours[0]
    lines = subprocess.run(["addr2line", "-fe", program] + [f["at"].partition("+")[2] for f in found["threads"][0]["frames"][:3]],
                           check=True, stdout=subprocess.PIPE).stdout.decode().split("\n")
    assert lines[0:6:2] == ["add", "order", "main"], lines
    libc = next(m for m in found["modules"] if os.path.basename(m["path"]) == "libc.so.6")
    assert libc["build_id"] == build_id(libc["path"])
    text = salvage.ok("inspect", core).out
    assert "SIGSEGV: address not mapped: 0x10 · server (build-id %s)" % build_id(program) in text and "\033" not in text
    assert text.count("Thread ") == 1 and salvage.ok("inspect", core, "--threads").out.count("Thread ") == 3


LARGE = 40 << 20  # of memory: more than is looked at of evidence that is text


@pytest.fixture
def living(program):
    p = subprocess.Popen([program, str(LARGE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdout.readline()
    yield p
    p.kill()
    p.wait()
    p.stdin.close()
    p.stdout.close()


def test_a_living_program_is_explained_by_the_core_that_we_make(salvage, work, program, living, folder):
    core = work / "live.core"
    salvage.ok("core", living.pid, "--out", core)
    found = json.loads(salvage.ok("inspect", core, "--json").out)
    assert found["pid"] == living.pid and len(found["threads"]) == 3 and found["build_id"] == build_id(program)
    assert "no signal" in found["cause"]
    # The same sentence of a large core as a file and as a stream: neither is read as a whole.
    assert core.stat().st_size > LARGE
    salvage.ok("core", living.pid, "--to", folder.url)
    salvage.ok("ship", core, "--to", folder.url, "--keep")
    streamed, file = (manifest["summary"] for _, manifest in sorted(folder.manifests(), key=lambda m: "live" in m[0]))
    assert streamed == file and re.search(r"made by a debugger in server: \S+\+0x[0-9a-f]+( < .*)?; 3 threads", file), (streamed, file)
    cut = work / "cut.core"
    data = core.read_bytes()
    cut.write_bytes(data[:len(data) // 2])  # ours and the kernel's begin with what is said of threads
    assert "cut short" in salvage.ok("inspect", cut).out


def test_what_is_cut_or_none_is_said_in_one_line(salvage, work, crashed):
    data = crashed[0].read_bytes()
    cut = work / "cut.core"
    for size, why in ((len(data) // 2, "cut off before its threads"), (100, "cut off in its headers")):  # gdb's end with it
        cut.write_bytes(data[:size])
        bad = salvage.run("inspect", cut)
        assert bad.code != 0 and bad.err.count("\n") == 1 and why in bad.err, bad
    page = salvage.run("inspect", crashed[0], "--html", work / "x.html")
    assert page.code == 2 and "--html is for heap dumps" in page.err
