# SPDX-License-Identifier: Apache-2.0
"""salvage inspect: what filled the heap of a JVM that really ran out of memory, and numbers that agree with the JVM's own."""
import gzip
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest
from helpers import jvm, phd
from helpers.program import BIN, ROOT

USAGE = 2


class SmallJvm(jvm.Jvm):
    """What leaks is the same in a small heap, and in that of the collector that starts first; test_all_collectors has the others."""

    def __init__(self, classes, jdk):
        super().__init__(classes, jdk, heap="15m")  # full between two sizes of an ArrayList

    def command(self, dump, program="Oom", *args, options=()):
        return super().command(dump, program, *args, options=("-XX:+UseSerialGC", *options))


@pytest.fixture(params=jvm.JDKS, ids=jvm.name)
def any_jvm(request, java_classes):
    return SmallJvm(java_classes, request.param)


def without_name(found):
    return {**found, "name": 0}


def inspect(salvage, what, *more):
    return json.loads(salvage.ok("inspect", what, "--json", *more).out)


def check_sets(found):
    """Loaders, packages and the tree of a program whose classes have no package."""
    whole = found["reachable_bytes"]
    for rows in (found["classes"], found["packages"], found["loaders"]):
        assert all(row["bytes"] <= row["retained_bytes"] + row.get("unreachable_bytes", 0) <= whole * 1.01 for row in rows
                   if row["count"] > row.get("unreachable_count", 0))
    application = next(row for row in found["loaders"] if row["loader"].endswith("AppClassLoader"))
    assert application["classes"] >= 1 and application["retained_bytes"] > whole / 2
    assert next(row for row in found["packages"] if row["package"] == "")["retained_bytes"] > whole / 2
    java = {row["package"]: row for row in found["packages"] if row["package"] in ("java", "java.util")}
    assert java["java"]["bytes"] > java["java.util"]["bytes"]
    tree = found["tree"]
    assert tree[0]["parent"] is None and tree[0]["retained_bytes"] == whole and len(tree) <= 2000
    children = [0] * len(tree)
    for number, node in enumerate(tree[1:], 1):
        assert node["parent"] < number and node["retained_bytes"] >= whole // 1000
        children[node["parent"]] += node["retained_bytes"]
    assert all(children[i] + node["bytes"] <= node["retained_bytes"] for i, node in enumerate(tree))
    assert any(node["class"] == "Leaks$Order" and node["count"] > 1000 for node in tree)


@pytest.mark.parametrize("how, holder, content, on_path", [
    ("static-map", "static Leaks.CACHE (java.util.HashMap)", "Leaks$Order", "java.util.HashMap.table"),
    ("listeners", "static Leaks.BUS (Leaks$Bus)", "Leaks$Order", "Leaks$Bus.listeners"),
    ("thread-local", None, "Leaks$Order", "java.lang.ThreadLocal$ThreadLocalMap.table"),
    ("stack-local", None, "Leaks$Order", "java.util.ArrayList"),
])
def test_the_suspect_is_what_leaks(salvage, work, any_jvm, how, holder, content, on_path):
    dump = work / "app.hprof"
    any_jvm.die(dump, how, program="Leaks")
    found = inspect(salvage, dump)
    victim = found["threads"][0]
    assert victim["name"] == "order-writer" and victim["out_of_memory"]
    assert any(frame.startswith("Leaks.add(Leaks.java:") for frame in victim["frames"]), victim
    suspect = found["suspects"][0]
    assert suspect["percent"] > 70 and suspect["content"]["class"] == content, suspect
    assert any(on_path in step for step in suspect["path"]), suspect
    if holder:
        assert suspect["holder"] == holder
    else:  # what a thread holds is its own
        assert "java.lang.Thread" in suspect["path"][0] or 'local of thread "order-writer" in Leaks.' in suspect["holder"], suspect
    orders = next(c for c in found["classes"] if c["class"] == "Leaks$Order")
    assert suspect["content"]["count"] >= orders["count"] * 0.99
    assert orders["retained_bytes"] > found["reachable_bytes"] / 2, orders
    check_sets(found)
    text = salvage.ok("inspect", dump).out
    assert 'Thread "order-writer" ran out of memory at Leaks' in text and "SUSPECT 1" in text and "\033" not in text
    assert orders["measured"] and found["sizes"]["formula_bytes"] < found["reachable_bytes"] / 5 and "  SIZES      references 4" in text


def test_a_class_loader_that_stays_after_a_deployment(salvage, work, any_jvm):
    dump = work / "app.hprof"
    any_jvm.die(dump, "class-loader", program="Leaks")
    found = inspect(salvage, dump)
    group = found["repeated_loaders"][0]
    assert group["loader"] == "Leaks$PluginLoader" and group["class"] == "Leaks$Plugin" and group["classes"] == 1
    loaders = [row for row in found["loaders"] if row["loader"] == "Leaks$PluginLoader" and row["classes"] == 1]
    assert group["loaders"] == len(loaders) > 100 and group["retained_bytes"] >= len(loaders) * 50_000
    assert len({row["id"] for row in loaders}) == len(loaders)
    suspect = found["suspects"][0]
    assert any("Leaks.PLUGINS" in step for step in suspect["path"]), suspect
    text = salvage.ok("inspect", dump).out
    assert f"REDEPLOYED {len(loaders)} × Leaks$PluginLoader with classes of the same name (Leaks$Plugin) keep" in text


def test_objects_that_wait_for_a_finalizer_that_hangs(salvage, work, any_jvm):
    dump = work / "app.hprof"
    any_jvm.die(dump, "finalizers", program="Leaks")
    found = inspect(salvage, dump)
    waiting = found["finalizers"]
    assert waiting["classes"][0]["class"] == "Leaks$Handle" and waiting["waiting"] > 10_000, waiting
    assert waiting["waiting"] <= waiting["count"] and waiting["waiting_retained_bytes"] > found["reachable_bytes"] / 2
    suspect = found["suspects"][0]
    assert suspect["content"]["class"] == "Leaks$Handle" or suspect["class"] == "Leaks$Handle", suspect
    assert any("java.lang.ref.Finalizer" in step for step in suspect["path"]), suspect
    assert "FINALIZER  " in salvage.ok("inspect", dump).out


def test_direct_buffers(salvage, work, any_jvm):
    dump = work / "app.hprof"
    any_jvm.die(dump, "direct-buffers", program="Leaks")
    found = inspect(salvage, dump)
    buffers = found["buffers"]
    assert buffers["direct"]["count"] > 10_000 and buffers["direct"]["bytes"] >= 100 * (buffers["direct"]["count"] - 100)
    assert abs(buffers["allocated"]["count"] - buffers["direct"]["count"]) < 10
    assert any("Leaks.BUFFERS" in step for s in found["suspects"] for step in s["path"]), found["suspects"]
    assert "NATIVE     " in salvage.ok("inspect", dump).out


def test_no_answer_depends_on_threads_or_memory(salvage, work, jvm_17):
    dump = work / "app.hprof"
    jvm_17.die(dump, "static-map", program="Leaks")
    usual = salvage.ok("inspect", dump, "--json", "--threads").out
    assert salvage.ok("inspect", dump, "--json", "--threads", "--memory", "64K", "--verify").out == usual
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert salvage.ok("inspect", dump, "--json", "--threads").out == usual
    finally:
        os.sched_setaffinity(0, allowed)


def test_a_container_smaller_than_the_graph(salvage, work, groups):
    """Of two million objects: the graph's arrays alone are as large as the container. What --memory puts into a file on disk
    the kernel can take back."""
    program, dump = work / "make_heap", work / "shop.hprof"
    subprocess.run(["cc", "-O1", "-o", program, ROOT / "tests/bench/make_heap.c"], check=True)
    with open(dump, "wb") as out:
        subprocess.run([program, "shop", "2000000"], stdout=out, check=True)
    group = groups(40 << 20)
    command, env = [*group.entry, BIN, "inspect", dump, "--json"], {"PATH": "/usr/bin:/bin", "TMPDIR": "/var/tmp"}
    killed = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert killed.returncode != 0 and "was killed by signal 9" in killed.stderr and group.oom_kills == 1
    answer = subprocess.run([*command, "--memory", "16M"], env=env, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert group.oom_kills == 1
    assert answer == salvage.ok("inspect", dump, "--json").out


def collectors():
    """Those that the newest JVM has."""
    for jdk in jvm.JDKS[-1:]:
        for name in ("Serial", "Parallel", "G1", "Z", "Shenandoah"):
            option = f"-XX:+Use{name}GC"
            if subprocess.run([jdk + "/bin/java", option, "-version"], stderr=subprocess.DEVNULL).returncode == 0:
                yield pytest.param(jdk, option, id=jvm.name(jdk) + "-" + name)


@pytest.mark.parametrize("jdk, option", collectors())
def test_all_collectors(salvage, work, java_classes, jdk, option):
    dump = work / "app.hprof"
    jvm.Jvm(java_classes, jdk, heap="40m").die(dump, "static-map", program="Leaks", options=(option, "-XX:+ExitOnOutOfMemoryError"))
    found = inspect(salvage, dump)
    suspect = found["suspects"][0]
    assert suspect["holder"] == "static Leaks.CACHE (java.util.HashMap)" and suspect["percent"] > 60, suspect
    assert suspect["content"]["class"] == "Leaks$Order"


def answer(salvage, dump, *question):
    return json.loads(salvage.ok("inspect", dump, "--json", *question).out)


def chain(nodes):
    """The fields of the first path."""
    return [node["field"] for node in nodes[1:]]


def test_questions_about_one_object_or_class(salvage, dump_of):
    dump = dump_of("Waste")
    # all of them have the same path, through the nodes of a list
    paths = answer(salvage, dump, "--path", "Waste$AnArrayList")
    assert paths["count"] == paths["nodes"][0]["count"] == paths["nodes"][-1]["count"] == 60
    assert chain(paths["nodes"])[-3:] == ["ALL", "first", "item"], paths["nodes"]
    assert paths["nodes"][-1]["object"] == "Waste$AnArrayList" and paths["nodes"][1]["root"]
    text = salvage.ok("inspect", dump, "--path", "Waste$AnArrayList").out
    assert re.search(r"100 % +60 +ALL: java.util.LinkedList\n", text), text
    # from the roots down to the list by its id, and from it up again
    top = answer(salvage, dump, "--tree", "roots")
    assert top["count"] > len(top["children"]) == 8 and top["rest_bytes"] > 0
    holder = next(c for c in top["children"] if c["object"] == "class Waste")
    whole = answer(salvage, dump, "--tree", holder["id"])["children"][0]
    assert whole["object"] == "java.util.LinkedList"
    below = answer(salvage, dump, "--tree", whole["id"], "--top", "1")
    assert below["retained_bytes"] == whole["retained_bytes"] and len(below["children"]) == 1
    assert below["bytes"] + below["rest_bytes"] + below["children"][0]["retained_bytes"] == below["retained_bytes"]
    one = answer(salvage, dump, "--path", whole["id"])
    assert one["count"] == 1 and one["nodes"][-1]["id"] == whole["id"] and chain(one["nodes"])[-1] == "ALL"
    # texts
    found = answer(salvage, dump, "--strings", "^the sam[e] customer$")
    assert found["count"] == 5001 and len(found["matches"]) == 8 and found["complete"] and found["read"] > 10000
    assert {m["text"] for m in found["matches"]} == {"the same customer"}
    assert all(m["path"][-1] == "java.lang.String.value" for m in found["matches"]), found
    assert any("java.util.LinkedList$Node.item" in m["path"] for m in found["matches"]), found


@pytest.mark.parametrize("question, words", [
    (("--path", "no.Such"), "no object of this id or class"), (("--path", "0x10"), "no object of this id or class"),
    (("--tree", "0x10"), "no object of this id"), (("--tree", "java.lang.String"), "no object of this id"),
    (("--strings", "("), "no extended regular expression"), (("--strings", "a" * 2000), "no extended regular expression"),
    (("--path", "x", "--tree", "roots"), "one question at a time"), (("--path", "x", "--html", "-"), "not with --path")])
def test_questions_that_have_no_answer(salvage, little_dump, question, words):
    done = salvage.run("inspect", little_dump, *question)
    assert done.code == USAGE and words in done.message, done


def test_one_huge_array_is_named(salvage, work, jvm_17):
    dump = work / "app.hprof"
    jvm_17.die(dump, "huge-array", program="Leaks")
    suspect = inspect(salvage, dump)["suspects"][0]
    assert suspect["class"] in ("byte[]", "java.lang.Thread") and suspect["point_class"] == "byte[]"
    assert suspect["point_bytes"] == (12 << 20) + 16


@pytest.fixture
def histogram_and_dump(work, java_classes):
    """Of one JVM at one time, by its own tools."""
    def take(*options):
        p = subprocess.Popen([jvm.JDK_17 + "/bin/java", "-Xmx64m", *options, "-cp", str(java_classes), "Rest"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            p.stdout.readline()
            dump = work / "live.hprof"
            (work / "commands").write_text(f"GC.heap_dump {dump}\nGC.class_histogram\n")
            text = subprocess.run([jvm.JDK_17 + "/bin/jcmd", "-J-XX:TieredStopAtLevel=1", str(p.pid), "-f", str(work / "commands")], check=True,
                                  stdout=subprocess.PIPE).stdout.decode()
        finally:
            p.kill()
            p.wait()
            p.stdin.close()
            p.stdout.close()
        rows = re.findall(r"^ *\d+: +(\d+) +(\d+)  (\S+)", text, re.M)
        return {name: (int(count), int(size)) for count, size, name in rows}, dump

    return take


@pytest.fixture
def dump_of(work, java_classes):
    """The dump of a program that says it is ready, then waits."""
    def take(program, jdk=jvm.JDK_17, *options):
        p = subprocess.Popen([jdk + "/bin/java", "-Xmx64m", "-XX:TieredStopAtLevel=1", *options, "-cp", str(java_classes), program],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert p.stdout.readline().strip() == b"ready"
            dump = work / (program + ".hprof")
            subprocess.run([jdk + "/bin/jcmd", str(p.pid), "GC.heap_dump", str(dump)], check=True, stdout=subprocess.DEVNULL)
        finally:
            p.kill()
            p.wait()
            p.stdin.close()
            p.stdout.close()
        return dump

    return take


@pytest.mark.parametrize("jdk", jvm.JDKS, ids=jvm.name)
def test_waste_is_counted(salvage, dump_of, jdk):
    dump = dump_of("Waste", jdk)
    waste = inspect(salvage, dump)["waste"]
    assert not waste["incomplete"]
    rows = {row["class"]: row for row in waste["collections"]}
    arrays = ["HashMap", "LinkedHashMap", "Hashtable", "WeakHashMap", "ConcurrentHashMap", "Vector", "PriorityQueue", "Stream"]
    for name in ["A" + n for n in arrays] + ["AnArrayList", "AnIdentityHashMap", "AnArrayDeque"]:
        row = rows["Waste$" + name]
        assert (row["count"], row["empty_count"], row["sparse_count"]) == (60, 10, 20), row
        slot = 1 if name == "AStream" else 4
        assert 20 * 50 * slot <= row["sparse_bytes"] <= 20 * 280 * slot, row
    for name in ("ATreeMap", "ALinkedList", "AHashSet"):  # no array of theirs
        row = rows["Waste$" + name]
        assert (row["count"], row["empty_count"], row["sparse_count"]) == (60, 10, 0) and row["empty_bytes"] > 0, row
    assert rows["Waste$AnArrayList"]["sparse_bytes"] == 20 * 63 * 4
    builders = rows["java.lang.StringBuilder"]
    assert builders["sparse_count"] >= 100 and builders["sparse_bytes"] >= 100 * 994
    strings = {row["text"]: row for row in waste["duplicate_strings"]["top"]}
    assert strings["the same customer"]["count"] == 5001 and strings["the same customer"]["bytes"] == 5000 * 40
    assert strings["\u0434\u0432\u0430"]["count"] == 5001
    assert waste["duplicate_strings"]["bytes"] >= 5000 * (40 + 24)
    doubles = next(row for row in waste["duplicate_arrays"]["top"] if row["class"] == "double[]")
    assert (doubles["count"], doubles["length"], doubles["bytes"]) == (10, 1000, 9 * 8016)
    longs = next(row for row in waste["zero_arrays"] if row["class"] == "long[]")
    assert 10 <= longs["count"] < 30 and longs["bytes"] >= 10 * 80016
    boxes = {row["class"]: row for row in waste["boxes"]}
    assert 4999 <= boxes["java.lang.Integer"]["duplicates"] <= 5100
    assert boxes["java.lang.Long"]["count"] >= 5000 and boxes["java.lang.Long"]["duplicates"] < 100
    text = salvage.ok("inspect", dump).out
    assert "WASTE " in text and "zero-filled arrays" in text and "duplicate strings" in text
    assert '5001 × "the same customer" 195.3 KiB' in text


def our_name(name):
    """"[Ljava.lang.Object;" is "java.lang.Object[]"."""
    element = name.lstrip("[")
    simple = {"B": "byte", "I": "int", "C": "char", "J": "long", "S": "short", "Z": "boolean", "D": "double", "F": "float"}
    if element != name:
        element = simple.get(element) or element[1:-1]
    return element + "[]" * name.count("[")


@pytest.mark.parametrize("options", [("-XX:+UseSerialGC",), ("-XX:+UseG1GC",),
                                     ("-XX:+UseSerialGC", "-XX:-UseCompressedOops"),
                                     ("-XX:+UseSerialGC", "-XX:-UseCompressedOops", "-XX:-UseCompressedClassPointers")])
def test_counts_and_true_sizes_are_the_jvms(salvage, histogram_and_dump, options):
    """The dump has neither headers nor compressed references: sizes come from the addresses. What jcmd itself leaves in
    the heap is the difference."""
    histogram, dump = histogram_and_dump(*options)
    found = {c["class"]: (c["count"], c["bytes"]) for c in inspect(salvage, dump)["classes"]}
    largest = sorted(histogram, key=lambda name: -histogram[name][1])[:12]
    for name in largest:
        if name == "java.lang.Class":  # mirrors have their statics behind them
            continue
        count, size = histogram[name]
        ours = found[our_name(name)]
        assert abs(ours[0] - count) <= max(30, count * 0.02), (name, histogram[name], ours)
        assert abs(ours[1] / ours[0] - size / count) <= 0.02 * size / count, (name, histogram[name], ours)


def test_compressed_and_cut_dumps(salvage, work, little_dump):
    whole = little_dump.read_bytes()
    (work / "heap.hprof.gz").write_bytes(gzip.compress(whole, 1))
    (work / "heap.hprof").write_bytes(whole)
    plain = inspect(salvage, work / "heap.hprof")
    packed = inspect(salvage, work / "heap.hprof.gz")
    assert "cut" not in plain
    assert {**plain, "name": 0} == {**packed, "name": 0}
    (work / "cut.hprof").write_bytes(whole[:len(whole) * 3 // 4])
    cut = inspect(salvage, work / "cut.hprof")
    assert cut["cut"] and 0 < cut["objects"] + cut["unreachable_objects"] < plain["objects"] + plain["unreachable_objects"]
    (work / "cut.hprof.gz").write_bytes((work / "heap.hprof.gz").read_bytes()[:-100])
    assert "not whole" in salvage.run("inspect", work / "cut.hprof.gz").message


def test_from_a_store(salvage, work, folder, little_dump):
    url = salvage.ok("ship", little_dump, "--to", folder.url, "--keep").out.strip()
    assert inspect(salvage, url)["objects"] == inspect(salvage, little_dump)["objects"]


def test_a_case_is_named_by_a_beginning_that_is_unique(salvage, work, folder, little_dump):
    def ship(pod):
        (work / pod).write_bytes(little_dump.read_bytes())
        key = f"shop/{pod}/{{time}}-java-oom-{{id}}/{{file}}"
        return salvage.ok("ship", work / pod, "--to", folder.url, "--key", key).out.strip()

    wanted = without_name(inspect(salvage, little_dump))
    one, other = ship("cart-7f9c"), ship("cart-8a00")
    case = one.rsplit("/", 1)[0]
    beginning = os.path.commonprefix([url.rsplit("/", 2)[1][-16:] for url in (one, other)])
    digits = case[-16:][:len(beginning) + 1]
    store = ("--to", folder.url)
    for name in ("shop/cart-7f9c", digits, digits + "/heap", one, case + "/"):
        assert without_name(inspect(salvage, name, *store)) == wanted, name
    done = salvage.run("inspect", "shop", *store)
    assert done.code == USAGE and "2 heap dumps" in done.err and one in done.err and other in done.err and done.out == ""
    assert salvage.ok("inspect", digits, *store).out.startswith("shop/cart-7f9c · ")
    assert "no such case" in salvage.run("inspect", "shop/cart-9", *store).message
    assert "no such case" in salvage.run("inspect", digits + "/threads", *store).message
    assert "--to" in salvage.run("inspect", "shop/cart-7f9c").message


def test_nothing_of_a_dump_in_a_store_comes_to_disk(salvage, work, folder, little_dump):
    url = salvage.ok("ship", little_dump, "--to", folder.url, "--keep").out.strip()
    nowhere = {"TMPDIR": str(work / "none")}
    found = json.loads(salvage.ok("inspect", url, "--json", "--cache", "1M", env=nowhere).out)
    assert without_name(found) == without_name(inspect(salvage, little_dump))
    assert "TMPDIR" in salvage.run("inspect", "-", stdin=little_dump.open("rb"), env=nowhere).message


def test_a_stream_is_read_from_stdin(salvage, work, little_dump):
    (work / "stream").write_bytes(gzip.compress(little_dump.read_bytes(), 1))
    found = json.loads(salvage.ok("inspect", "-", "--json", stdin=(work / "stream").open("rb")).out)
    assert without_name(found) == without_name(inspect(salvage, little_dump))


def test_bad_input_gets_one_line(salvage, work):
    (work / "text").write_text("no dump")
    (work / "empty").write_text("")
    for what, words in (("text", "nothing that inspect reads"), ("empty", "nothing that inspect reads"), ("none", "No such file"), (".", "no regular file")):
        done = salvage.run("inspect", work / what)
        assert done.code != 0 and words in done.message
    assert salvage.run("inspect").code == USAGE


def child_of(process, name):
    """Its child that runs the hidden command, or None if the process ends before."""
    while process.poll() is None:
        for pid in pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            try:
                if name in pathlib.Path(f"/proc/{pid}/cmdline").read_text():
                    return int(pid)
            except OSError:
                pass
    return None


@pytest.mark.parametrize("number, words", [(signal.SIGSEGV, "signal 11 (SEGV)"), (signal.SIGSYS, "its sandbox forbids")])
def test_a_crash_of_the_analysis_costs_one_clear_line(salvage, real_dump, number, words):
    for _ in range(50):
        process = subprocess.Popen([BIN, "inspect", real_dump], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child = child_of(process, "inspect-child")
        if child:
            os.kill(child, number)
        out, error = process.communicate()
        if process.returncode != 0:
            break
    assert process.returncode == 51 and out == b"" and error.count(b"\n") == 1 and words.encode() in error, error


def test_the_analysis_has_no_environment_and_only_the_dump(salvage, real_dump):
    for _ in range(50):
        process = subprocess.Popen([BIN, "inspect", real_dump], stdout=subprocess.PIPE, env={"SECRET": "s3cr3t"})
        child = child_of(process, "inspect-child")
        try:
            while "Seccomp:\t2" not in pathlib.Path(f"/proc/{child}/status").read_text():
                pass
            os.kill(child, signal.SIGSTOP)
            status = pathlib.Path(f"/proc/{child}/status").read_text()
            environment = pathlib.Path(f"/proc/{child}/environ").read_bytes()
            links = {fd: os.readlink(f"/proc/{child}/fd/{fd}") for fd in os.listdir(f"/proc/{child}/fd")}
            os.kill(child, signal.SIGCONT)
            if links:
                break
        except (OSError, TypeError):
            pass
        finally:
            process.communicate()
    else:
        pytest.fail("the analysis was never met in its sandbox")
    assert environment == b"" and "NoNewPrivs:\t1" in status
    assert sorted(links) == ["0", "1", "2", "3", "4"] and links["4"] == str(real_dump), links


@pytest.mark.parametrize("from_store", [False, True])
def test_ctrl_c_ends_it_with_its_child(salvage, work, folder, real_dump, from_store):
    what = (salvage.ok("ship", real_dump, "--keep", "--to", folder.url).out.strip() if from_store else str(real_dump))
    for _ in range(50):
        process = subprocess.Popen([BIN, "inspect", what], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child = child_of(process, "inspect-child")
        try:
            os.kill(child, signal.SIGSTOP)  # it would be done too soon
            break
        except (OSError, TypeError):
            process.communicate()
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT and out == b"" and error == b"", (process.returncode, out, error)
    assert not pathlib.Path(f"/proc/{child}").exists() or b"inspect-child" not in pathlib.Path(f"/proc/{child}/cmdline").read_bytes()


def open_files(pid):
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            yield os.readlink(fd)
        except FileNotFoundError:  # closed meanwhile
            pass


def test_ctrl_c_ends_a_wait_for_a_stream(work):
    (work / "tmp").mkdir()
    process = subprocess.Popen([BIN, "inspect", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env={"TMPDIR": str(work / "tmp")})
    process.stdin.write(b"JAVA PROFILE 1.0.2")
    process.stdin.flush()
    while not any(str(work / "tmp") in link for link in open_files(process.pid)):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == -signal.SIGINT and list((work / "tmp").iterdir()) == []


def test_a_portable_heap_dump(salvage, work, folder):
    dump = work / "heapdump.20261130.120000.7.0001.phd"
    dump.write_bytes(phd.cache_of_orders(2000))
    found = inspect(salvage, dump, "--verify")
    assert found["assumed_roots"] and found["time"] is None and found["loaders"] == [] and found["unreachable_bytes"] == 0
    classes = {row["class"]: (row["count"], row["bytes"]) for row in found["classes"]}
    assert classes["com.shop.Order"] == (2000, 2000 * 32) and classes["byte[]"] == (2000, 2000 * 1016)
    suspect = found["suspects"][0]
    assert suspect["percent"] > 95 and suspect["path"] == ["class com.shop.Cart", "com.shop.Order[]"], suspect
    assert suspect["content"] == {"class": "com.shop.Order", "count": 2000, "bytes": 2000 * 32}
    text = salvage.ok("inspect", dump).out
    assert "has no GC roots" in text and "class com.shop.Cart (taken for a GC root) keeps" in text and "1970" not in text
    (work / "packed.phd.gz").write_bytes(gzip.compress(dump.read_bytes()))
    assert without_name(inspect(salvage, work / "packed.phd.gz")) == without_name(found)
    assert "no texts" in salvage.run("inspect", dump, "--strings", "x").message
    page = work / "heap.html"
    salvage.ok("inspect", dump, "--html", page)
    assert "com.shop.Order" in page.read_text() and "no GC roots" in page.read_text()
    manifest = json.loads(salvage.ok("ship", dump, *folder.options(), "--keep", "--inspect", "--json", env=folder.env).out)
    assert manifest["summary"].startswith("2.0 MiB in 4004 objects; most: byte[]") and manifest["top"][1]["name"] == "com.shop.Order"
    stored = [key for key in folder.keys() if key.endswith("analysis.json")]
    assert json.loads(folder.read(stored[0]))["suspects"] == found["suspects"]
