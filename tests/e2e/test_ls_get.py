# SPDX-License-Identifier: Apache-2.0
"""salvage ls and get: a developer lists the cases and fetches one."""
import json
import os
import re
import resource
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers import hprof
from helpers.evidence import drop, put
from helpers.program import BIN, environment
from helpers.slow_server import SlowServer
from helpers.stores import Http, sha256, sha256_file

PODS = [("shop", "cart-1"), ("shop", "cart-2"), ("bank", "ledger-1")]


@pytest.fixture
def cases(salvage, work, store):
    """Three pods' dumps and one host's, newest last."""
    found = []
    for n, pod in enumerate(PODS + [None]):
        folder = work / ("pod-%d" % n)
        folder.mkdir()
        total = drop(folder, "app.hprof", 50_000 + n)
        env = {"POD_NAMESPACE": pod[0], "POD_NAME": pod[1]} if pod else {}
        done = salvage.ok("ship", folder / "app.hprof", *store.options(), "--json", env={**store.env, **env})
        manifest = json.loads(done.out)
        assert manifest["sha256"] == total
        found.append(manifest)
        # File servers tell seconds.
        time.sleep(1.1 if store.url.startswith("http") else 0.02)
    return found


def test_ls_shows_the_newest_first_and_those_of_one_place(salvage, store, cases):
    listed = json.loads(salvage.ok("ls", store.url, *store.args, "--json", env=store.env).out)
    assert [m["id"] for m in listed] == [m["id"] for m in reversed(cases)]
    for row in listed:
        assert row["url"] == store.url_of(row["key"])
        url = row.pop("url")
        assert row in cases and url

    lines = salvage.ok("ls", store.url, *store.args, env=store.env).lines
    assert len(lines) == 1 + len(cases), "a head and a line each"
    for line, manifest in zip(lines[1:], reversed(cases)):
        assert store.url_of(manifest["key"]) in line and "heap-dump" in line and "manual" in line
        assert manifest["where"].get("pod", manifest["where"]["host"]) in line


    def ids(*args):
        out = salvage.ok("ls", store.url, *args, *store.args, "--json", env=store.env).out
        return [m["id"] for m in json.loads(out)]

    assert ids("shop/cart-2") == [cases[1]["id"]]
    assert ids("shop") == [cases[1]["id"], cases[0]["id"]]
    assert ids("bank/") == [cases[2]["id"]]
    for beginning in ("sho", "shop/cart", "shop/cart-"):
        assert ids(beginning) == [cases[1]["id"], cases[0]["id"]], beginning
    assert ids("sho/") == [] and ids("cart") == [], "the beginning, and a whole part before a slash"
    assert ids("shop/cart-1", "bank") == [cases[2]["id"], cases[0]["id"]], "several places"
    assert ids("shop", "shop/cart-1") == [cases[1]["id"], cases[0]["id"]], "each once"
    assert ids("nobody/there") == []
    assert ids("host/" + cases[3]["where"]["host"]) == [cases[3]["id"]]
    assert ids("-n", "2") == [cases[3]["id"], cases[2]["id"]]


def test_ls_has_a_column_for_what_the_evidence_says(salvage, store, cases):
    """Cut, aligned, before the column for `get`; without control characters; only where something has a sentence."""
    assert "SUMMARY" not in salvage.ok("ls", store.url, *store.args, env=store.env).out
    sentence = 'Thread "\u00e9t\u00e9" ran out of memory\x1b[31m; ' + "and more, " * 20
    changed = {**cases[1], "summary": sentence, "top": [{"name": "byte[]", "count": 7, "bytes": 112}]}
    store.overwrite(cases[1]["key"] + ".json", json.dumps(changed).encode())
    lines = salvage.ok("ls", store.url, *store.args, env=store.env).lines
    head, at = lines[0], lines[0].index("SUMMARY")
    assert head.index("OBJECT") == at + 58 + 2, "60 bytes, two of them of characters with two"
    for line in lines[1:]:
        manifest = next(m for m in cases if line.endswith(store.url_of(m["key"])))
        shown = line[at:head.index("OBJECT")].rstrip()
        if manifest is cases[1]:
            assert shown.startswith('Thread "\u00e9t\u00e9" ran out of memory?[31m; and') and shown.endswith("...")
        else:
            assert shown == ""
    listed = json.loads(salvage.ok("ls", store.url, *store.args, "--json", env=store.env).out)
    assert [m.get("summary") for m in listed].count(sentence) == 1


def test_ls_shows_only_what_is_whole(salvage, store, cases):
    """An object without a manifest and other people's files are not shown; a manifest that can't be read is a row."""
    store.overwrite(cases[0]["key"] + ".json", b"{\"schema\": ")
    if store.keys():
        store.overwrite(os.path.dirname(cases[1]["key"]) + "/heap2.hprof.zst", b"half")
    store.overwrite(os.path.dirname(cases[1]["key"]) + "/package.json", b"{\"name\": \"something else\"}")
    listed = json.loads(salvage.ok("ls", store.url, *store.args, "--json", env=store.env).out)
    good = [m for m in listed if "error" not in m]
    assert [m["id"] for m in good] == [m["id"] for m in reversed(cases[1:])]
    (bad,) = [m for m in listed if "error" in m]
    assert bad["url"] == store.url_of(cases[0]["key"]) and "not JSON" in bad["error"]
    (line,) = [row for row in salvage.ok("ls", store.url, *store.args, env=store.env).lines if "unreadable" in row]
    assert store.url_of(cases[0]["key"]) in line and "shop/cart-1" in line


def test_ls_of_an_empty_store(salvage, store):
    done = salvage.ok("ls", store.url, *store.args, env=store.env)
    assert done.out == "" and done.err.count("\n") == 1
    assert json.loads(salvage.ok("ls", store.url, *store.args, "--json", env=store.env).out) == []


def test_ls_with_an_html_index(salvage, dumps, nginx):
    """nginx's and Apache's default: a page for people."""
    server = nginx(autoindex="html")
    store = Http(server.folder, server.url)
    total = drop(dumps, "app.hprof")
    salvage.ok("ship", dumps / "app.hprof", *store.options())
    (row,) = json.loads(salvage.ok("ls", store.url, "--json").out)
    assert row["sha256"] == total and row["url"] == store.url_of(row["key"])


def test_ls_does_not_let_names_speak_to_the_terminal(salvage, dumps, folder):
    drop(dumps, b"\x1b[31mevil\x1b]0;title\x07.hprof")
    os.rename(os.path.join(os.fsencode(str(dumps)), b"\x1b[31mevil\x1b]0;title\x07.hprof"), dumps / "x.hprof")
    salvage.ok("ship", dumps / "x.hprof", *folder.options(), "--cause", "\x1b[31mred")
    (key, manifest), = folder.manifests()
    manifest["cause"] = "\x1b[31mred"
    manifest["where"]["host"] = "\x1b]0;title\x07"
    folder.overwrite(key + ".json", json.dumps(manifest).encode())
    out = salvage.ok("ls", folder.url).out
    assert "\x1b" not in out and "\x07" not in out, repr(out)


def test_ls_of_many_cases(salvage, dumps, s3):
    """More keys than one page of a listing holds: the newest are on the second."""
    drop(dumps, "app.hprof", 300)
    manifest = json.loads(salvage.ok("ship", dumps / "app.hprof", *s3.options(), "--json", env=s3.env).out)
    s3.clear()

    def put_manifest(pod, n):
        key = "shop/%s/20261121T015605Z-java-oom-%016x/heap.hprof.zst" % (pod, n)
        s3.overwrite(key + ".json", json.dumps({**manifest, "id": "%016x" % n, "key": key}).encode())
        return key

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put_manifest, ["cart"] * 1050, range(1050)))
    newest = [put_manifest("web", n) for n in range(2000, 2003)]
    listed = json.loads(salvage.ok("ls", s3.url, *s3.args, "--json", "-n", "3", env=s3.env).out)
    assert [m["key"] for m in listed] == newest[::-1]
    assert len(salvage.ok("ls", s3.url, *s3.args, env=s3.env).lines) == 101, "a head and the newest hundred"


@pytest.mark.parametrize("codec", ["zstd", "gzip", "none"])
def test_get_gives_the_very_file_back(salvage, work, store, real_dump, codec):
    put(work, "app.hprof", real_dump.read_bytes())
    url = salvage.ok("ship", work / "app.hprof", *store.options(), "--compress", codec, env=store.env).out.strip()
    (key, manifest), = store.manifests()

    salvage.ok("get", url, "-o", work / "out", *store.args, env=store.env)
    assert (work / "out").read_bytes() == real_dump.read_bytes()
    assert hprof.problem((work / "out").read_bytes()) is None
    assert os.stat(work / "out").st_mode & 0o077 == 0, "a dump is private"

    salvage.ok("get", url, "--raw", "-o", work / "raw", *store.args, env=store.env)
    assert (work / "raw").read_bytes() == store.read(key)
    assert sha256_file(work / "raw") == manifest["stored_sha256"]


def test_get_names_the_file_as_it_was(salvage, work, dumps, folder):
    total = drop(dumps, "cart service.hprof")
    url = salvage.ok("ship", dumps / "cart service.hprof", *folder.options()).out.strip()
    here = work / "here"
    here.mkdir()
    done = salvage.ok("get", url, cwd=str(here))
    assert done.lines == ["cart service.hprof"]
    assert sha256_file(here / "cart service.hprof") == total
    salvage.ok("get", url, "--raw", cwd=str(here))
    assert sorted(os.listdir(here)) == ["cart service.hprof", "heap.hprof.zst"]


@pytest.mark.parametrize("name", ["../../evil.hprof", "/tmp/evil.hprof", "..", ".", "-rf", ".bashrc", "a/../../b",
                                  "x\ny", "\x1b[31m.hprof"])
def test_get_writes_where_it_stands_whatever_the_manifest_says(salvage, work, dumps, folder, name):
    """A manifest may be a stranger's."""
    total = drop(dumps, "app.hprof")
    url = salvage.ok("ship", dumps / "app.hprof", *folder.options()).out.strip()
    (key, manifest), = folder.manifests()
    folder.overwrite(key + ".json", json.dumps({**manifest, "name": name}).encode())
    here = work / "one" / "two" / "here"
    here.mkdir(parents=True)
    before = sorted(str(p) for p in work.rglob("*") if here not in p.parents and p != here)
    done = salvage.ok("get", url, cwd=str(here))
    (written,) = here.iterdir()
    assert sha256_file(written) == total and not written.name.startswith((".", "-"))
    assert "\x1b" not in done.out
    assert sorted(str(p) for p in work.rglob("*") if here not in p.parents and p != here) == before


def test_get_to_stdout(salvage, dumps, store):
    total = drop(dumps, "app.hprof", 3_000_000)
    url = salvage.ok("ship", dumps / "app.hprof", *store.options(), env=store.env).out.strip()
    done = salvage.ok("get", url, "-o", "-", *store.args, env=store.env, text=False)
    assert sha256(done.out) == total


@pytest.mark.parametrize("damage", ["flipped", "cut", "longer", "empty", "other"])
@pytest.mark.parametrize("codec", ["zstd", "gzip", "none"])
def test_get_notices_a_damaged_object(salvage, work, dumps, folder, codec, damage):
    drop(dumps, "app.hprof", 2_000_000)
    url = salvage.ok("ship", dumps / "app.hprof", *folder.options(), "--compress", codec).out.strip()
    (key, _), = folder.manifests()
    data = folder.read(key)
    middle = len(data) // 2
    folder.overwrite(key, {
        "flipped": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1:], "cut": data[:middle],
        "longer": data + b"x", "empty": b"", "other": b"something else"}[damage])
    for raw in ([], ["--raw"]):
        result = salvage.run("get", url, "-o", work / "out", *raw)
        assert result.code == 50, (raw, result)
        assert result.message
        assert list(work.glob("out*")) == [], "damaged bytes under a good name"


def test_get_notices_a_damaged_object_in_every_store(salvage, work, dumps, store):
    drop(dumps, "app.hprof", 2_000_000)
    url = salvage.ok("ship", dumps / "app.hprof", *store.options(), env=store.env).out.strip()
    (key, _), = store.manifests()
    data = store.read(key)
    store.overwrite(key, data[:-1] + bytes([data[-1] ^ 1]))
    assert salvage.run("get", url, "-o", work / "out", *store.args, env=store.env).code == 50
    assert list(work.glob("out*")) == []


def test_get_overwrites_with_force(salvage, work, dumps, folder):
    total = drop(dumps, "app.hprof")
    url = salvage.ok("ship", dumps / "app.hprof", *folder.options()).out.strip()
    put(work, "out", b"old")
    assert salvage.run("get", url, "-o", work / "out").code == 52
    salvage.ok("get", url, "-o", work / "out", "--force")
    assert sha256_file(work / "out") == total


def test_get_of_a_partial_dump_gives_what_there_is(salvage, work, dumps, folder, real_dump):
    data = real_dump.read_bytes()[:1_000_000]
    put(dumps, "app.hprof", data)
    url = salvage.ok("ship", dumps / "app.hprof", *folder.options()).out.strip()
    salvage.ok("get", url, "-o", work / "out")
    assert (work / "out").read_bytes() == data
    assert "partial" in salvage.ok("ls", folder.url).out


def many_cases(salvage, dumps, folder, count):
    """A tree with so many cases, by path, as a file server has it: all of one pod, each in a folder of its own."""
    drop(dumps, "app.hprof", 300)
    manifest = json.loads(salvage.ok("ship", dumps / "app.hprof", *folder.options(), "--json").out)
    files = {}
    for n in range(count):
        key = "shop/cart-%d/20261121T%02d%02d%02dZ-java-oom-%016x/heap.hprof.zst" % (n, n // 3600, n // 60 % 60, n % 60, n)
        when = {**manifest["time"], "modified": "2026-11-21T%02d:%02d:%02d.000Z" % (n // 3600, n // 60 % 60, n % 60)}
        files[key] = b"x"
        one = {**manifest, "id": "%016x" % n, "key": key, "time": when}
        one["where"] = {**manifest["where"], "place": "shop/cart-%d" % n}
        files[key + ".json"] = json.dumps(one).encode()
    return files


def test_ls_waits_for_many_answers_at_once(salvage, dumps, folder):
    """1,200 folders and as many manifests at 40 ms each are 96 s in a row."""
    files = many_cases(salvage, dumps, folder, 1200)
    with SlowServer(files, 0.04) as url:
        begun = time.monotonic()
        peak = dumps.parent / "peak"  # by a small parent: between fork and exec a child counts as large as we are
        p = subprocess.run(["/usr/bin/time", "-f", "%M", "-o", str(peak), BIN, "ls", url, "--json", "-n", "0"],
                           env=environment(salvage.home), stdout=subprocess.PIPE, check=False)
        out = p.stdout
        took = time.monotonic() - begun
    assert p.returncode == 0
    rows = json.loads(out)
    assert [int(m["id"], 16) for m in rows] == list(range(1199, -1, -1)), "all, the newest first"
    assert took < 20, took
    assert int(peak.read_text(encoding="ascii")) < 100 * 1024, "KiB of memory"


def test_ls_is_ordered_by_when_it_happened(salvage, work, folder):
    """Not by when it was stored: what is shipped late, or copied to another store, is old all the same."""
    ids = []
    for n, when in enumerate((3000, 1000, 2000)):
        path = work / ("app-%d.hprof" % n)
        drop(work, path.name)
        os.utime(path, (1_700_000_000 + when, 1_700_000_000 + when))
        ids.append(json.loads(salvage.ok("ship", path, *folder.options(), "--json").out)["id"])
    listed = json.loads(salvage.ok("ls", folder.url, "--json").out)
    assert [m["id"] for m in listed] == [ids[0], ids[2], ids[1]]
    (newest,) = json.loads(salvage.ok("ls", folder.url, "--json", "-n", "1").out)
    assert newest["id"] == ids[0]


def test_the_store_may_stand_in_the_environment(salvage, work, dumps, folder):
    total = drop(dumps, "app.hprof")
    manifest = json.loads(salvage.ok("ship", dumps / "app.hprof", *folder.options(), "--json").out)
    env = {"SALVAGE_TO": folder.url}
    assert manifest["id"] in salvage.ok("ls", env=env).out
    assert manifest["id"] in salvage.ok("ls", manifest["where"]["place"][:6], env=env).out
    salvage.ok("get", manifest["id"], "-o", work / "out", env=env)
    assert sha256_file(work / "out") == total
    assert salvage.run("ls").code == 2 and salvage.run("get", manifest["id"]).code == 2


def test_get_by_the_beginning_of_an_id(salvage, work, folder, dumps):
    sums = {}
    for n in range(2):
        name = "app-%d.hprof" % n
        total = drop(dumps, name, 5000 + n)
        sums[json.loads(salvage.ok("ship", dumps / name, *folder.options(), "--json").out)["id"]] = (name, total)
    first, second = sums
    size = next(i for i in range(16) if first[i] != second[i]) + 1
    here = work / "here"
    here.mkdir()
    assert salvage.ok("get", folder.url, first[:size], cwd=str(here)).lines == [sums[first][0]]
    assert sha256_file(here / sums[first][0]) == sums[first][1]
    salvage.ok("get", second[:size] + "/heap", "--to", folder.url, "-o", here)
    assert sha256_file(here / sums[second][0]) == sums[second][1]
    assert salvage.run("get", folder.url, second + "/nothing").code == 34
    assert salvage.run("get", folder.url, "zebra").code == 2
    missing = next("%x" % d for d in range(16) if "%x" % d not in (first[0], second[0]))
    assert salvage.run("get", folder.url, missing).code == 34
    if size > 1:
        assert "more than one case" in salvage.run("get", folder.url, first[:size - 1]).message


@pytest.mark.parametrize("kind", ["file", "fifo", "link"])
def test_get_never_writes_into_a_file_that_was_there(salvage, work, dumps, folder, kind):
    total = drop(dumps, "app.hprof")
    url = salvage.ok("ship", dumps / "app.hprof", *folder.options()).out.strip()
    here = work / "here"
    here.mkdir()
    other = work / "other"
    other.write_bytes(b"")
    part = here / "app.hprof.part"
    {"file": part.touch, "fifo": lambda: os.mkfifo(part), "link": lambda: part.symlink_to(other)}[kind]()
    salvage.ok("get", url, cwd=str(here), timeout=10)
    assert sha256_file(here / "app.hprof") == total and os.stat(here / "app.hprof").st_mode & 0o777 == 0o600
    assert sorted(os.listdir(here)) == ["app.hprof", "app.hprof.part"] and other.read_bytes() == b""


@pytest.mark.parametrize("codec", ["zstd", "gzip", "none"])
def test_get_stops_at_the_size_of_the_manifest(salvage, work, dumps, folder, codec):
    put(dumps, "app.hprof", b"x" * 50_000_000)
    url = salvage.ok("ship", dumps / "app.hprof", *folder.options(), "--compress", codec).out.strip()
    (key, manifest), = folder.manifests()
    folder.overwrite(key + ".json", json.dumps({**manifest, "size": 1000}).encode())
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000 if codec != "none" else 100_000_000,) * 2)
    done = subprocess.run([BIN, "get", url, "-o", str(work / "out")], env=environment(salvage.home), preexec_fn=limit,
                          stderr=subprocess.PIPE, check=False)
    assert done.returncode == 50 and re.search(rb"more than the 1000 bytes", done.stderr), done
    assert list(work.glob("out*")) + list(work.glob(".salvage-*")) == []


def test_names_that_turn_the_text_round_reach_no_terminal(salvage, dumps, folder):
    """Bidirectional overrides and C1 controls, in the log, the list and JSON."""
    for n, name in enumerate(("\u202egnp.hprof", "\u009b2J.hprof", "\u2066x.hprof", "\u061cy.hprof")):
        drop(dumps, name, 2000 + n)
    for form in ("text", "json"):
        watch = salvage.start("watch", dumps, *folder.options(), "--once", "--log", form)
        assert watch.end() == 0
        assert form == "json" or "event=shipped" in watch.log
        assert not re.search("[\u0080-\u009f\u061c\u202a-\u202e\u2066-\u2069]", watch.log)
    for out in (salvage.ok("ls", folder.url).out, salvage.ok("ls", folder.url, "--json").out):
        assert not re.search("[\u0080-\u009f\u061c\u202a-\u202e\u2066-\u2069]", out)
    names = {m["name"] for m in json.loads(salvage.ok("ls", folder.url, "--json").out)}
    assert "\u202egnp.hprof" in names, "what JSON escapes is still the name"
