# SPDX-License-Identifier: Apache-2.0
"""What a heap dump says is found out while it is shipped: the sentence in the manifest, digest.json beside the object."""
import gzip
import json
import os
import pathlib
import signal
import subprocess

import pytest

from helpers import stores
from helpers.evidence import drop
from helpers.proc import children, cmdline, status, wait_for
from helpers.program import BIN, environment

NATIVE = pathlib.Path(__file__).parent / "native"


def digest_of(store):
    found = [key for key in store.keys() if key.endswith("digest.json")]
    assert len(found) == 1
    return json.loads(store.read(found[0]))


def zstd(data):
    return subprocess.run(["zstd", "-q", "-1", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def has_digest(store):
    return any(key.endswith("digest.json") for key in store.keys())


def ship(salvage, store, dump, *more):
    done = salvage.ok("ship", dump, *store.options(), "--keep", "--json", *more, env=store.env)
    return json.loads(done.out), done


def test_the_sentence_of_a_jvm_that_ran_out_of_memory(salvage, work, any_jvm, folder):
    dump = work / "app.hprof"
    any_jvm.die(dump, "static-map", program="Leaks")
    manifest, _ = ship(salvage, folder, dump)
    assert 'Thread "order-writer" ran out of memory at Leaks' in manifest["summary"]
    assert len(manifest["top"]) == 5 and "Leaks$Order" in [row["name"] for row in manifest["top"]]
    digest = digest_of(folder)
    assert digest["schema"] == "salvage.digest/1" and "partial" not in digest and digest["summary"] == manifest["summary"]
    assert digest["threads"][0]["out_of_memory"] and digest["threads"][0]["name"] == "order-writer"
    assert any(frame.startswith("Leaks.add(Leaks.java:") for frame in digest["threads"][0]["frames"])
    # The same numbers as those of the whole graph, which is made another way.
    whole = json.loads(salvage.ok("inspect", dump, "--json", "--top", "1000").out)
    ours = {row["class"]: (row["count"], row["bytes"]) for row in digest["classes"]}
    theirs = {row["class"]: (row["count"], row["bytes"]) for row in whole["classes"]}
    for name, numbers in theirs.items():
        if name != "java.lang.Class" and numbers[0] >= 32:
            assert ours[name] == numbers, name
    assert digest["objects"] == whole["objects"] + whole["unreachable_objects"]
    assert sum(bytes for _, bytes in ours.values()) == digest["bytes"]
    line = [line for line in salvage.ok("ls", folder.url).lines if "heap.hprof" in line]
    assert len(line) == 1 and 'Thread "order-writer" ran out' in line[0]


def test_every_store_has_manifest_and_digest(salvage, work, store):
    drop(work, "app.hprof", 200_000)
    manifest, _ = ship(salvage, store, work / "app.hprof")
    assert " objects" in manifest["summary"] and manifest["top"]
    listed = json.loads(salvage.ok("ls", store.url, *store.args, "--json", env=store.env).out)
    assert [m["summary"] for m in listed] == [manifest["summary"]], "digest.json is taken for no manifest"
    key = os.path.dirname(manifest["key"]) + "/digest.json"
    assert json.loads(store.read(key))["summary"] == manifest["summary"]


def test_without_it(salvage, work, folder):
    drop(work, "app.hprof", 200_000)
    manifest, _ = ship(salvage, folder, work / "app.hprof", "--no-digest")
    assert "summary" not in manifest and "top" not in manifest and not has_digest(folder)


def test_a_partial_dump_says_so(salvage, work, folder, real_dump):
    whole = real_dump.read_bytes()
    (work / "cut.hprof").write_bytes(whole[:len(whole) * 3 // 4])
    manifest, _ = ship(salvage, folder, work / "cut.hprof")
    assert manifest["partial"] and manifest["summary"]
    assert digest_of(folder)["partial"]


def test_a_stream_has_one_too(salvage, work, folder, real_dump):
    manifest, _ = ship(salvage, folder, real_dump)
    with open(real_dump, "rb") as stream:
        done = subprocess.run([BIN, "ship", "-", "--name", "other.hprof", *folder.options(), "--json"], stdin=stream,
                              stdout=subprocess.PIPE, env=environment(folder.env), check=True)
    streamed = json.loads(done.stdout)
    assert streamed["top"] == manifest["top"]


def test_a_key_without_a_folder_for_each_case_has_the_sentence_alone(salvage, work, folder, real_dump):
    manifest, _ = ship(salvage, folder, real_dump, "--key", "{id}-{file}")
    assert manifest["summary"] and not has_digest(folder)


def test_a_crash_log_has_its_words(salvage, work, folder):
    log = work / "hs_err_pid7.log"
    log.write_text("#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n"
                   "#  SIGSEGV (0xb) at pc=0x00007f, pid=7, tid=8\n#\n")
    manifest, _ = ship(salvage, folder, log)
    assert "SIGSEGV" in manifest["summary"] and "top" not in manifest


@pytest.fixture(scope="session")
def without_seccomp(session_folder):
    program = session_folder / "no_seccomp"
    subprocess.run(["cc", "-o", program, NATIVE / "no_seccomp.c"], check=True)
    return str(program)


def test_where_there_is_no_seccomp_it_is_said(salvage, work, dumps, folder, without_seccomp):
    drop(work, "app.hprof", 200_000)
    p = salvage.start("ship", work / "app.hprof", *folder.options(), "--keep", "--inspect", entry=[without_seccomp])
    assert p.end(60) == 0
    assert p.log.count("no seccomp here") == 1, "its digest and its analysis have one line"
    assert has_digest(folder) and any(key.endswith("analysis.json") for key in folder.keys())
    watch = salvage.watch(dumps, *folder.options(), entry=[without_seccomp])
    assert watch.wait("no-seccomp")
    assert watch.stop() == 0


# --- the child, and what becomes of it --------------------------------------------------------------------------------


def digest_child(pid):
    found = [child for child in children(pid) if b"digest-child" in cmdline(child)]
    return found[0] if found else None


@pytest.fixture
def shipping(salvage, dumps, s3, proxy):
    """A dump under way to a slow store, larger than the shipper's memory, with the child that reads it."""
    drop(dumps, "app.hprof", 96 << 20, seed=71)
    proxy.rate = 8 << 20
    through = s3.through(proxy).options()
    p = salvage.start("ship", dumps / "app.hprof", *through, "--compress", "none", "--memory", "32M", "--json", env=s3.env)
    child = wait_for(lambda: digest_child(p.pid), 20, "no child")
    wait_for(lambda: proxy.seen(lambda r: r.is_part), 20, "no part")
    return p, child, through


def test_a_child_that_is_killed_costs_the_digest_alone(shipping, s3, proxy):
    p, child, _ = shipping
    assert status(child)["RssAnon"] <= 8 << 20
    os.kill(child, signal.SIGKILL)
    proxy.rate = None
    assert p.end(60) == 0
    assert "without a digest" in p.log and "signal 9" in p.log
    (_, manifest), = s3.manifests()
    assert "summary" not in manifest and not has_digest(s3)


def test_after_kill_9_it_begins_anew(shipping, salvage, dumps, s3, proxy):
    p, child, through = shipping
    p.kill()
    wait_for(lambda: not os.path.exists("/proc/%d" % child), 10, "the child lives on")
    proxy.rate = None
    manifest = json.loads(salvage.ok("ship", dumps / "app.hprof", *through, "--compress", "none", "--json", env=s3.env).out)
    assert " objects" in manifest["summary"] and digest_of(s3)["summary"] == manifest["summary"]
    assert "partial" not in digest_of(s3)


def test_a_dump_that_was_compressed_before_has_the_same(salvage, work, folder, real_dump):
    manifest, _ = ship(salvage, folder, real_dump)
    plain = digest_of(folder)
    whole = real_dump.read_bytes()
    for name, packed in (("a.hprof.gz", gzip.compress(whole, 1)), ("b.hprof.gz", gzip.compress(whole[:len(whole) // 2], 1) + gzip.compress(whole[len(whole) // 2:], 1)),
                         ("c.hprof.zst", zstd(whole))):
        (work / name).write_bytes(packed)
        store = stores.Folder(work / ("store of " + name))
        also, _ = ship(salvage, store, work / name)
        assert also["kind"] == "heap-dump" and also["summary"] == manifest["summary"] and also["top"] == manifest["top"], name
        digest = digest_of(store)
        assert digest["classes"] == plain["classes"] and digest["largest_arrays"] == plain["largest_arrays"]


def test_a_compressed_dump_that_is_cut_gives_what_there_is(salvage, work, folder, real_dump):
    packed = gzip.compress(real_dump.read_bytes(), 1)
    (work / "cut.hprof.gz").write_bytes(packed[:len(packed) // 2])
    manifest, _ = ship(salvage, folder, work / "cut.hprof.gz")
    assert manifest["partial"] and " objects" in manifest["summary"] and digest_of(folder)["partial"]


def test_what_is_no_heap_dump_inside_has_no_sentence(salvage, work, folder):
    (work / "text.hprof.zst").write_bytes(zstd(os.urandom(100_000)))
    manifest, done = ship(salvage, folder, work / "text.hprof.zst")
    assert "summary" not in manifest and "not-digested" not in done.err


def test_a_dump_that_the_jvm_compressed(salvage, work, any_jvm, folder):
    any_jvm.die(work / "app.hprof", "static-map", program="Leaks", options=["-XX:HeapDumpGzipLevel=1"])
    dump = next(work.glob("app.hprof*"))
    assert dump.read_bytes()[:2] == b"\x1f\x8b"
    manifest, _ = ship(salvage, folder, dump)
    assert 'OutOfMemoryError' in manifest["summary"] or "ran out of memory" in manifest["summary"]
    assert "Leaks$Order" in [row["name"] for row in manifest["top"]]
