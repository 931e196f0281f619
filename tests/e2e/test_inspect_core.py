# SPDX-License-Identifier: Apache-2.0
"""salvage inspect of cores: of a program that really crashed, and of a living one; gdb says the same of both."""
import json
import os
import re
import shutil
import subprocess

import pytest

from helpers.jvm import Jvm
from helpers.program import Salvage

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


# --- backtraces with the executables; gdb is the oracle -----------------------------------------------------------------

C = r"""
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
volatile int sink;
static inline __attribute__((always_inline)) int deepest(int *at) { *at = 5; return 1; }
__attribute__((noinline)) int add(int *at, int n)
{
    char buf[n + 64];
    memset(buf, n, sizeof(buf));
    sink += buf[3];
    return deepest(at) + buf[n];
}
static int compare(const void *a, const void *b) { return add((int *)0x10, 32) + *(const int *)a - *(const int *)b; }
__attribute__((noinline)) int order(int n)
{
    int x[4] = {4, n, 2, 1};
    qsort(x, 4, sizeof(int), compare);
    return x[0] + sink;
}
static void on_signal(int s) { sink = order(s) + 1; }
int (*volatile nowhere)(int);
__attribute__((noinline)) int call(int n) { return nowhere(n) + 1; }
int main(int argc, char **argv)
{
    signal(SIGUSR1, on_signal);
    if (argc > 1 && *argv[1] == 'a') { /* all of its memory is in the core */
        FILE *f = fopen("/proc/self/coredump_filter", "w");
        fputs("0x7f", f);
        fclose(f);
        argc = 1;
    }
    if (argc > 1 && *argv[1] == 's')
        raise(SIGUSR1);
    return (argc > 1 ? call(argc) : order(argc)) + 1;
}
"""
CPP = r"""
#include <stdexcept>
#include <string>
#include <vector>
namespace shop {
template <class T> struct Cart {
    std::vector<T> items;
    __attribute__((noinline)) void add(const T &t, int n)
    {
        if (n == 0)
            throw std::runtime_error("full: " + t);
        items.push_back(t);
        add(t, n - 1);
        items.pop_back();
    }
};
}
int main() { shop::Cart<std::string> c; c.add("x", 3); return (int)c.items.size(); }
"""
RUST = r"""
struct Cart { items: Vec<u64> }
impl Cart {
    #[inline(never)]
    fn add(&mut self, n: u64) {
        if n == 0 { unsafe { *(std::hint::black_box(0x10) as *mut u64) = 5 } }
        self.items.push(n);
        self.add(n - 1);
    }
}
fn main() {
    let mut c = Cart { items: vec![] };
    let v: Vec<u64> = (0..3).collect();
    v.iter().for_each(|n| c.add(*n));
    println!("{}", c.items.len());
}
"""
GO = """
package main

type Cart struct{ items []int }

//go:noinline
func (c *Cart) Add(at *int, n int) {
	c.items = append(c.items, n)
	*at = n
}

func main() {
	c := Cart{}
	c.Add(nil, 3)
}
"""


def build(folder, source, suffix, *command):
    (folder / ("main" + suffix)).write_text(source)
    subprocess.run([*command, folder / ("main" + suffix)], check=True, cwd=folder, timeout=300, env={**os.environ, "GOCACHE": str(folder), "GO111MODULE": "off"})
    return folder / "server"


def crash(program, *args, signals="stop", first=()):
    """Its core, and gdb's frames down to main: (function without parameters, line, whether it is libc's)."""
    core = program.parent / ("core" + "".join(args))
    said = gdb("file %s" % program, *first, "handle SIGUSR1 %s" % signals, "run %s" % " ".join(args), "generate-core-file %s" % core, "kill",
               # Of the core: of a program that stops at the beginning of an inlined function gdb shows the one around it.
               "core-file %s" % core, "bt -past-main off -frame-info location")
    frames = []
    for line in said[said.rindex("#0 "):].splitlines():  # a core that is loaded shows its first frame, too
        found = re.match(r"#\d+ +(?:0x[0-9a-f]+ in )?(.*?) \(.*\)(?: at (\S*?):(\d+)| from \S+)?$|#\d+ +<(signal handler) called>", line)
        if found:
            frames.append((found[1] or found[4], int(found[3] or 0), (found[2] or "").startswith(".")))
    return core, frames, said


def frames_of(salvage, core, *more):
    found = json.loads(salvage.ok("inspect", core, "--json", *more).out)
    return [(f.get("function", "??"), f.get("line", 0)) for f in found["threads"][0]["frames"]]


def same(ours, theirs, said, lines=True):
    """Up to main; of names the last part, which languages and debuggers write alike."""
    def last(name):
        return re.split(r"::|[.]", re.sub(r"<.*>|\(\)$", "", re.sub(r"::\{.*", "", name)))[-1]
    # Calls in libc whose frames were reused for the next call (tail calls): gdb reconstructs them.
    theirs = [(name, line) for name, line, libc in theirs if not libc or name in [our_name for our_name, _ in ours]]
    assert len(theirs) >= 3, said
    for (our_name, our_line), (name, line) in zip(ours, theirs):
        assert name in ("??", "signal handler") or last(our_name) == last(name), (ours, said)
        assert not lines or not line or our_line == line, (ours, said)
    assert len(ours) >= len(theirs), (ours, said)


@pytest.fixture(scope="module")
def c_program(session_folder):
    folder = session_folder / "c"
    folder.mkdir()
    return build(folder, C, ".c", "gcc", "-O2", "-g", "-fomit-frame-pointer", "-o", "server")


@pytest.mark.parametrize("how", ["", "call", "signal"])
def test_frames_without_frame_pointers_are_those_of_gdb(salvage, c_program, how):
    """Inlined ones, through libc, through a signal's frame, and behind a call of a null pointer."""
    core, theirs, said = crash(c_program, *[how] * bool(how), signals="nostop pass")
    ours = frames_of(salvage, core)
    same(ours, theirs, said)
    names = [name for name, _ in ours]
    assert names[:3] == (["deepest", "add", "compare"] if how != "call" else ["??", "call", "main"]), names
    if how == "signal":
        assert "on_signal" in names[:12] and "main" in names[names.index("on_signal"):], names


def test_a_stripped_program_has_its_names_from_a_separate_file(salvage, c_program, work):
    """Found by its build-id below /usr/lib/debug, and by .gnu_debuglink; of another root, as a container's."""
    root, app = work / "root", work / "root" / "app"
    app.mkdir(parents=True)
    run = app / "server"
    shutil.copy(c_program, run)
    core, theirs, said = crash(run)
    debug = work / "server.debug"
    subprocess.run(["objcopy", "--only-keep-debug", run, debug], check=True)
    subprocess.run(["strip", run], check=True)
    subprocess.run(["objcopy", "--add-gnu-debuglink", debug, run], check=True)
    whole = work / "moved"
    (whole / str(app)[1:]).mkdir(parents=True)
    run.rename(whole / str(app)[1:] / "server")
    beneath = ("--sysroot", whole)
    text = salvage.ok("inspect", core, *beneath).out
    assert "deepest" not in text and "server+0x" in text
    ours = frames_of(salvage, core, *beneath)
    assert len(ours) >= 3 and ours[0][0] == "??", ours
    by_link = whole / str(app)[1:] / ".debug"
    by_link.mkdir()
    shutil.copy(debug, by_link)
    named = frames_of(salvage, core, *beneath)
    assert [n for n, _ in named[:3]] == ["deepest", "add", "compare"], named
    shutil.rmtree(by_link)
    by_id = whole / "usr/lib/debug/.build-id" / build_id(c_program)[:2]
    by_id.mkdir(parents=True)
    shutil.copy(debug, by_id / (build_id(c_program)[2:] + ".debug"))
    assert frames_of(salvage, core, *beneath) == named
    text = salvage.ok("inspect", core).out
    assert "WITHOUT    %s (not found)" % run in text and "deepest" not in text


def test_without_the_executable_its_frames_come_from_the_core_if_it_has_them(salvage, c_program, work):
    core, _, said = crash(c_program, "all")
    ours = json.loads(salvage.ok("inspect", core, "--json", "--sysroot", work).out)["threads"][0]["frames"]
    theirs = json.loads(salvage.ok("inspect", core, "--json").out)["threads"][0]["frames"]
    assert not any("function" in f for f in ours)
    assert [f["address"] for f in ours] == [f["address"] for f in theirs if "inlined" not in f] and len(ours) >= 6, (ours, said)


@pytest.fixture(scope="module")
def replaced(session_folder, c_program):
    """A program that may be replaced, its core, and its bytes."""
    run = session_folder / "replaced" / "server"
    run.parent.mkdir()
    shutil.copy(c_program, run)
    return run, crash(run)[0], c_program.read_bytes()


def test_another_build_is_not_believed(salvage, replaced):
    run, core, _ = replaced
    run.unlink()
    build(run.parent, C + "int more;", ".c", "gcc", "-O1", "-g", "-o", "server")
    text = salvage.ok("inspect", core).out
    assert "server (another build)" in text and "add" not in text.replace("address", "")
    found = json.loads(salvage.ok("inspect", core, "--json").out)
    assert [m["executable"] for m in found["modules"] if m["path"] == str(run)] == ["another build"]


def broken(data):
    for at in range(0x1000, len(data), 7):
        data[at] ^= at % 255


def sections_far_away(data):
    sections = int.from_bytes(data[40:48], "little")
    for i in range(data[60]):
        if i != data[62]:  # not that of their names
            at = sections + 64 * i + 24
            data[at:at + 16] = b"\xff\xff\xff\x7f" + bytes(4) + b"\xff" * 7 + b"\0"  # offset and size


def test_a_hostile_executable_costs_the_names_alone(salvage, replaced):
    run, core, data = replaced
    for damage in (broken, sections_far_away, os.mkfifo, lambda path: path.symlink_to(path)):
        run.unlink()
        if damage in (broken, sections_far_away):
            bytes_of = bytearray(data)
            damage(bytes_of)
            run.write_bytes(bytes_of)
        else:
            damage(run)
        done = salvage.run("inspect", core)
        assert done.code == 0 and "SIGSEGV: address not mapped: 0x10" in done.out and "libc.so.6" in done.out, (damage, done)
        assert "\033" not in done.out


def test_cpp_names_are_readable(salvage, session_folder):
    folder = session_folder / "cpp"
    folder.mkdir()
    core, theirs, said = crash(build(folder, CPP, ".cpp", "g++", "-O2", "-g", "-o", "server"))
    ours = frames_of(salvage, core)
    same(ours, theirs, said, lines=False)  # behind a throw libdw takes a later row of the table of lines
    names = [name for name, _ in ours]
    assert "__cxa_throw" in names and any(re.match(r"shop::Cart<std::.*string.*>::add$", n) for n in names), names


@pytest.mark.only_where(shutil.which("rustc"), "there is no rustc")
@pytest.mark.parametrize("mangling", ["legacy", "v0"])
def test_rust_names_are_readable(salvage, session_folder, mangling):
    folder = session_folder / ("rust-" + mangling)
    folder.mkdir()
    flags = ["-C", "symbol-mangling-version=v0"] if mangling == "v0" else []
    core, theirs, said = crash(build(folder, RUST, ".rs", "rustc", "-O", "-g", *flags, "-o", "server"))
    ours = frames_of(salvage, core)
    assert len(ours) >= len(theirs) and [line for _, line in ours[:len(theirs)]] == [line for _, line, _ in theirs], (ours, said)
    names = [name for name, _ in ours]
    assert names[0] in ("server::Cart::add", "main::Cart::add", "<main::Cart>::add"), names
    assert any(n.startswith("std::rt::lang_start") for n in names) and not any(n.startswith("_ZN") or n.startswith("_R") for n in names)


@pytest.fixture(scope="module", params=["", "-s -w"])
def go_program(request, session_folder):
    folder = session_folder / ("go" + request.param.replace(" ", ""))
    folder.mkdir()
    return build(folder, GO, ".go", "go", "build", "-ldflags=" + request.param, "-o", "server")


@pytest.mark.only_where(shutil.which("go"), "there is no Go")
def test_go_frames_have_names(salvage, go_program):
    """The goroutine's, also through the frames of the signal that the runtime raises for its panic."""
    program = go_program
    core, _, said = crash(program)
    ours = frames_of(salvage, core)
    assert ours[:2] == [("main.(*Cart).Add", 9), ("main.main", 14)], (ours, said)
    core, _, said = crash(program, "panic", signals="nostop pass", first=("handle SIGSEGV nostop pass", "set environment GOTRACEBACK=crash"))
    ours = frames_of(salvage, core)
    names = [name for name, _ in ours]
    assert names[0] == "runtime.raise" and ours[names.index("runtime.sigpanic") + 1:][:2] == [("main.(*Cart).Add", 9), ("main.main", 14)], ours


# --- a JVM, and its crash log -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def salvage_of_all(session_folder):
    program = Salvage(str(session_folder))
    yield program
    program.close()


@pytest.fixture(scope="module")
def jvm_core(session_folder, java_classes, salvage_of_all):
    """Of a JVM that waits; its pid."""
    core = session_folder / "jvm" / "core"
    core.parent.mkdir()
    p = Jvm(java_classes, heap="64m").start(core.parent / "heap.hprof", "Rest")
    try:
        p.stdout.readline()
        salvage_of_all.ok("core", p.pid, "--out", core)
    finally:
        p.kill()
        p.communicate()
    return core, p.pid


def test_code_of_a_jvm_is_named_and_its_crash_log_is_pointed_to(salvage, work, folder, jvm_core):
    core, pid = jvm_core
    log = core.parent / ("hs_err_pid%d.log" % pid)
    (core.parent / "hs_err_pid1.log").write_text("# of another process\n")
    assert "its crash log, %s, says more" % log.name in salvage.ok("inspect", core).out
    log.write_text("#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n")
    text = salvage.ok("inspect", core, "--threads").out
    assert "its crash log lies beside the core and says more: %s" % log.name in text
    assert "[JVM compiled code]" in text and re.search(r"(JavaCalls::call_helper|JVM_\w+)  libjvm.so\+0x", text), text
    assert json.loads(salvage.ok("inspect", core, "--json").out)["crash_log"] == log.name
    os.utime(log, (1, 1))
    assert "lies beside" not in salvage.ok("inspect", core).out, "of an earlier process of the same number"
    # In the store: of a case with both the core is inspected, and it says so. The sentence names the log, too.
    keys = [json.loads(salvage.ok("ship", one, "--to", folder.url, "--keep", "--json").out)["key"] for one in (core, log)]
    assert any("a JVM, whose crash log is %s" % log.name in m.get("summary", "") for _, m in folder.manifests())
    for one in (folder.root / keys[1]).parent.iterdir():  # one case
        one.rename((folder.root / keys[0]).parent / one.name)
    said = salvage.ok("inspect", os.path.dirname(keys[0]), "--to", folder.url).out
    assert "its crash log lies beside the core and says more: hs_err" in said, said
