# SPDX-License-Identifier: Apache-2.0
"""What a store keeps: prune, rm, pin and usage on every kind of store, and the retention of a server."""
import datetime
import json
import os
import pty
import subprocess
import time

import pytest

from helpers import case_store
from helpers.proc import wait_for
from helpers.program import BIN
from helpers.serve import Serve

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
OPS, CI = "ops-token-of-a-test-1", "ci-token-of-a-test-12"


def put(store, namespace, pod, hours, number=1, cause="java-oom", data=b"0123456789", **more):
    """A case that happened `hours` ago; its folder's key."""
    at = NOW - datetime.timedelta(hours=hours)
    folder = "%s/%s/%s-%s-%016x" % (namespace, pod, at.strftime("%Y%m%dT%H%M%SZ"), cause, number)
    key = folder + "/" + case_store.KINDS[cause][1]
    store.overwrite(key, data)
    store.overwrite(key + ".json", json.dumps(case_store.manifest(key, namespace, pod, at, cause, number,
                                                                  stored=len(data), **more)).encode())
    return folder


@pytest.fixture(params=["folder", "http_move", "s3"])  # "http" lets nobody remove anything
def store(request):
    return request.getfixturevalue(request.param)


def run(salvage, store, command, *args, **more):
    return salvage.run(command, *args, *store.options(), env=store.env, **more)


def prune(salvage, store, *args):
    result = run(salvage, store, "prune", "--json", *args)
    assert result.code == 0, result
    return json.loads(result.out)


def folders(store):
    return {key.rpartition("/")[0] for key in store.keys() if not key.endswith(".pin")}


def test_a_dry_run_shows_what_would_go_and_why(salvage, store):
    old = put(store, "shop", "cart-0", 24 * 40)
    new = put(store, "shop", "cart-0", 1, 2)
    before = sorted(store.keys())
    found = prune(salvage, store, "--retain", "age=30d", "--dry-run")
    assert [(one["case"], one["reason"], one["removed"], one["objects"]) for one in found] == [
        (old, "older than 30d", False, 2)]
    assert found[0]["url"].endswith(old) and sorted(store.keys()) == before
    table = run(salvage, store, "prune", "--retain", "age=30d", "-n")
    assert "older than 30d" in table.out and old in table.out and "would remove 1 of 2 cases" in table.err
    assert prune(salvage, store, "--retain", "age=30d")[0]["removed"]
    assert folders(store) == {new}


def test_of_a_crash_loop_the_ends_stay(salvage, store):
    loop = [put(store, "shop", "web-7f9c8d6b5-x2x7q", 30 - i, i) for i in range(5)]
    alone = put(store, "bank", "ledger-0", 100, 9)
    prune(salvage, store, "--retain", "shop:count=2")
    assert folders(store) == {loop[0], loop[-1], alone}


def top(name):
    return {"top": [{"name": "byte[]", "count": 9, "bytes": 900}, {"name": name, "count": 1, "bytes": 100}]}


def make_loop(store):
    """Six cases of which the first, the fourth and the fifth have another suspect each; the fifth's is known by its analysis."""
    loop = [put(store, "shop", "web-7f9c8d6b5-x2x7q", 30 - i, i, **top("a.Mail" if i == 3 else "a.Order")) for i in range(6)]
    store.overwrite(loop[4] + "/analysis.json", json.dumps({"schema": "salvage.analysis/1", "suspects": [
        {"class": "java.util.HashMap", "holder": "static a.Cart.CACHE", "count": 1}]}).encode())
    return loop


def test_of_a_crash_loop_one_case_of_each_suspect_stays(salvage, store):
    loop = make_loop(store)
    prune(salvage, store, "--retain", "shop:count=4")
    assert folders(store) == {loop[0], loop[3], loop[4], loop[5]}


def test_a_server_keeps_one_case_of_each_suspect(salvage, work, folder):
    loop = make_loop(folder)
    serve = Serve(salvage, work, "--retain", "count=4", root=folder.root)
    wait_for(lambda: len([event for event in serve.events if event["event"] == "case-removed"]) == 2, 10, "nothing is removed")
    assert folders(folder) - {".salvage"} == {loop[0], loop[3], loop[4], loop[5]}


def test_what_is_no_case_is_never_touched(salvage, store):
    kept = {"old/heap.hprof": b"x", "old/notes.json": b"{}", "shop/readme.txt": b"y"}
    for key, data in kept.items():
        store.overwrite(key, data)
    store.overwrite("flat/dump.hprof", b"z")  # by another template: an object with its manifest
    store.overwrite("flat/dump.hprof.json", b"{}")
    put(store, "shop", "cart-0", 24 * 40)
    found = prune(salvage, store, "--retain", "bytes=1")
    assert len(found) == 2 and set(store.keys()) == set(kept)


def test_a_pinned_case_stays_until_it_is_removed_by_name(salvage, store):
    pinned, other = put(store, "shop", "cart-0", 24 * 40), put(store, "shop", "cart-0", 24 * 41, 2)
    url = store.url_of(pinned)
    assert salvage.run("pin", url, *store.args, env=store.env).code == 0
    assert pinned + ".pin" in store.keys()
    assert [one["case"] for one in prune(salvage, store, "--retain", "age=1d")] == [other]
    usage = json.loads(run(salvage, store, "usage", "--json").out)
    assert [(one["namespace"], one["cases"], one["pinned"], one["other_objects"]) for one in usage] == [("shop", 1, 1, 0)]
    assert salvage.run("unpin", url + "/heap.hprof.zst", *store.args, env=store.env).code == 0
    assert pinned + ".pin" not in store.keys()
    assert salvage.run("pin", pinned, *store.options(), env=store.env).code == 0
    assert salvage.run("rm", "--yes", url, *store.args, env=store.env).code == 0
    assert not list(store.keys())


def test_rm_takes_one_object_or_a_whole_case_and_nothing_else(salvage, store):
    folder = put(store, "shop", "cart-0", 5)
    store.overwrite(folder + "/threads.txt", b"threads")
    store.overwrite(folder + "/threads.txt.json", b"{}")
    other = put(store, "shop", "cart-0", 4, 2)
    assert salvage.run("rm", "--yes", store.url_of(folder) + "/threads.txt", *store.args, env=store.env).code == 0
    assert sorted(k for k in store.keys() if k.startswith(folder)) == [
        folder + "/heap.hprof.zst", folder + "/heap.hprof.zst.json"]
    for wrong in store.url_of("shop"), store.url_of("shop/cart-0"), store.url_of(folder) + "/none":
        result = salvage.run("rm", "--yes", wrong, *store.args, env=store.env)
        assert result.code != 0 and "no such case" in result.err, wrong
    assert salvage.run("rm", "--yes", store.url_of(folder), *store.args, env=store.env).code == 0
    assert folders(store) == {other}


def test_rm_asks(salvage, folder):
    case = put(folder, "shop", "cart-0", 5)
    result = salvage.run("rm", folder.url_of(case))
    assert result.code == 2 and "--yes" in result.err and folders(folder) == {case}
    for answer, left in (b"n\n", {case}), (b"y\n", set()):
        ours, theirs = pty.openpty()
        with subprocess.Popen([BIN, "rm", folder.url_of(case)], stdin=theirs, stderr=subprocess.PIPE) as p:
            os.write(ours, answer)
            assert b"remove " in p.communicate(timeout=20)[1]
        os.close(ours)
        os.close(theirs)
        assert folders(folder) == left


def test_bad_rules_get_one_line(salvage, folder):
    put(folder, "shop", "cart-0", 5)
    for args, words in (([], "--retain age=30d"), (["--retain", "age=soon"], "--retain age=soon"),
                        (["--retain", "shop:free=1G"], "whole store"), (["--retain", "age=1d", "--retain", "age=2d"], "second")):
        result = run(salvage, folder, "prune", *args)
        assert result.code == 2 and words in result.err and result.err.count("\n") == 1, result
    assert salvage.run("prune", "--retain", "free=1G", "http://127.0.0.1:1/").code == 2


def test_room_on_the_disk(salvage, mount_tmpfs, work):
    disk = mount_tmpfs(work / "disk", "16m")
    root = disk / "root"
    root.mkdir()
    for i in range(6):
        case_store.put_case(root, "shop", "cart-%d" % i, NOW - datetime.timedelta(days=i), number=i, content=b"x" * 2 ** 21)
    found = json.loads(salvage.ok("prune", "file://%s" % root, "--retain", "free=8M", "--json").out)
    free = os.statvfs(root).f_bavail * os.statvfs(root).f_frsize
    assert 2 <= len(found) <= 4 and free >= 2 ** 23 and found[0]["reason"] == "less than 8.0 MiB free on the disk"
    assert sorted(p.name for p in (root / "shop").iterdir()) == ["cart-%d" % i for i in range(6 - len(found))]


def test_killed_between_manifest_and_object_the_next_run_finds_the_rest(salvage, folder):
    case = put(folder, "shop", "cart-0", 24 * 40)
    (folder.root / case / "heap.hprof.zst.json").unlink()  # as far as a removal had come
    assert not prune(salvage, folder, "--retain", "age=30d")  # it came a moment ago: it may be an upload
    os.utime(folder.root / case / "heap.hprof.zst", (time.time() - 2 * 86400,) * 2)
    assert len(prune(salvage, folder, "--retain", "age=30d")) == 1
    assert not list(folder.keys())


@pytest.fixture
def server(salvage, work):
    tokens = work / "tokens"
    tokens.write_text("ops %s admin *\nci %s write shop\n" % (OPS, CI))
    tokens.chmod(0o600)

    def start(*args):
        return Serve(salvage, work, "--tokens", tokens, *args)

    return start


def test_through_a_server_as_rights_allow(salvage, server, work):
    running = server()
    key = case_store.put_case(running.root, "shop", "cart-0", NOW, number=1)
    case = key.rpartition("/")[0]
    for name, token in ("ops", OPS), ("ci", CI):
        (work / name).write_text(token)
        (work / name).chmod(0o600)
    url = running.url + "/" + case
    refused = salvage.run("rm", "--yes", url, "--credentials-file", work / "ci")
    assert refused.code != 0 and (running.root / key).exists()
    assert running.request("PUT", "/%s.pin" % case, b"{}", token=CI).status in (403, 404)
    assert not (running.root / (case + ".pin")).exists()
    assert salvage.run("pin", url, "--credentials-file", work / "ops").code == 0
    assert (running.root / (case + ".pin")).exists()
    assert salvage.run("prune", running.url, "--retain", "bytes=1", "--credentials-file", work / "ops").code == 0
    assert (running.root / key).exists()
    assert salvage.run("rm", "--yes", url, "--credentials-file", work / "ops").code == 0
    assert not (running.root / "shop").exists()


def test_a_server_removes_by_itself_and_says_so(server):
    running = server("--retain", "age=30d", "--retain", "bank:age=90d")
    running.stop()  # or its own first pass removes the case
    for i, (namespace, days) in enumerate((("shop", 40), ("shop", 1), ("bank", 40))):
        case_store.put_case(running.root, namespace, "cart-0", NOW - datetime.timedelta(days=days), number=i)
    running.start(running.address)
    gone = running.wait("case-removed")
    assert gone["reason"] == "older than 30d" and gone["case"].startswith("shop/cart-0/") and gone["objects"] == 2
    wait_for(lambda: len(list(running.root.glob("*/*/*"))) == 2, 10, "not removed")
    assert len(list(running.root.glob("bank/*/*"))) == 1


def test_a_server_makes_room_when_the_disk_fills(server, mount_tmpfs, work):
    disk = mount_tmpfs(work / "disk", "16m")
    (work / "root").symlink_to(disk / "root")
    (disk / "root").mkdir()
    running = server("--retain", "free=6M", "--reserve", "0")
    for i in range(4):
        case_store.put_case(running.root, "shop", "cart-%d" % i, NOW - datetime.timedelta(days=i + 1), number=i,
                            content=b"x" * 2 ** 21)
    time.sleep(0.2)
    upload = running.request("PUT", "/shop/now/big", b"x" * (5 * 2 ** 20), token=OPS, timeout=30)
    assert upload.status == 201
    running.wait("case-removed", timeout=20)
    gone = [e for e in running.events if e["event"] == "case-removed"][0]
    assert gone["case"].startswith("shop/cart-3/") and "free on the disk" in gone["reason"]
