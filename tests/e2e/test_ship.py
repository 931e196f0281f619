# SPDX-License-Identifier: Apache-2.0
"""salvage ship on the command line and in scripts."""
import json
import os
import pty
import subprocess
import time

import pytest

from helpers.evidence import drop, left_in, put
from helpers.program import BIN, environment


@pytest.mark.parametrize("keeps", [(), ("--keep",), ("--no-remove",)], ids=str)
def test_ship_by_hand_leaves_the_file_to_its_owner(salvage, dumps, folder, keeps):
    total = drop(dumps, "app.hprof")
    salvage.ok("ship", dumps / "app.hprof", *folder.options(), *keeps)
    folder.check_one(total)
    assert os.listdir(dumps) == ["app.hprof"]


def test_keep_and_remove_exclude_each_other(salvage, dumps, folder):
    drop(dumps, "app.hprof")
    assert salvage.run("ship", dumps / "app.hprof", *folder.options(), "--keep", "--remove").code == 2
    salvage.ok("ship", dumps / "app.hprof", *folder.options(), "--keep", env={"SALVAGE_REMOVE": "1"})
    assert os.listdir(dumps) == ["app.hprof"]
    salvage.ok("ship", dumps / "app.hprof", *folder.options(), "--remove", env={"SALVAGE_KEEP": "1"})
    assert os.listdir(dumps) in ([], [".salvage"])


def test_ship_prints_where_it_is_and_removes_the_file_if_asked(salvage, dumps, store):
    total = drop(dumps, "app.hprof")
    done = salvage.ok("ship", dumps / "app.hprof", "--remove", *store.options(), env=store.env)
    manifest = store.check_one(total)
    assert done.lines == [store.url_of(manifest["key"])] and done.err == ""
    assert manifest["cause"] == "manual"
    assert os.listdir(dumps) in ([], [".salvage"])


def test_ship_takes_several_files(salvage, dumps, store):
    sums = [drop(dumps, "app-%d.hprof" % n, 300_000) for n in range(4)]
    done = salvage.ok("ship", *[dumps / ("app-%d.hprof" % n) for n in range(4)], *store.options(), env=store.env)
    found = store.check_all(sums)
    assert done.lines == [store.url_of(found[total]["key"]) for total in sums], "in the order they were given"


def test_ship_says_the_manifest_with_json(salvage, dumps, folder):
    total = drop(dumps, "app.hprof")
    done = salvage.ok("ship", dumps / "app.hprof", *folder.options(), "--json", "--cause", "oom-kill")
    assert json.loads(done.out) == folder.check_one(total)
    assert json.loads(done.out)["cause"] == "oom-kill"


def test_ship_with_keep_keeps_the_file_and_stores_it_once(salvage, dumps, store):
    total = drop(dumps, "app.hprof", 200_000)
    outs = [salvage.ok("ship", dumps / "app.hprof", *store.options(), "--keep", env=store.env).out for _ in range(3)]
    store.check_one(total)
    assert outs[0] == outs[1] == outs[2]
    assert left_in(dumps) == ["app.hprof"]


def test_ship_does_not_send_again_what_is_stored(salvage, dumps, s3, proxy):
    drop(dumps, "app.hprof", 200_000)
    through = s3.through(proxy)
    for _ in range(2):
        salvage.ok("ship", dumps / "app.hprof", *through.options(), "--keep", env=s3.env)
    assert len(proxy.seen(lambda r: r.is_data)) == 1 and len(proxy.seen(lambda r: r.is_manifest)) == 1


def test_ship_goes_on_to_the_next_file_when_one_cannot_be_read(salvage, dumps, folder):
    sums = [drop(dumps, "a.hprof"), drop(dumps, "c.hprof")]
    result = salvage.run("ship", dumps / "a.hprof", dumps / "b.hprof", dumps / "c.hprof", *folder.options())
    assert result.code != 0 and "b.hprof" in result.message
    assert len(result.lines) == 2
    folder.check_all(sums)


def test_ship_takes_any_file_by_name(salvage, dumps, folder):
    """What a person names is evidence, whatever it is called and holds."""
    total = put(dumps, "notes from the incident.bin", b"it stood still at ten\n" * 60)
    salvage.ok("ship", dumps / "notes from the incident.bin", *folder.options())
    manifest = folder.check_one(total)
    assert manifest["kind"] == "file" and manifest["key"].endswith(".bin.zst")


def test_ship_takes_a_relative_path(salvage, dumps, folder):
    total = drop(dumps, "app.hprof")
    salvage.ok("ship", "app.hprof", *folder.options(), cwd=str(dumps))
    folder.check_one(total)


def test_ship_into_a_folder_store_that_is_not_there_yet(salvage, work, dumps, folder):
    total = drop(dumps, "app.hprof")
    folder.root.rmdir()
    salvage.ok("ship", dumps / "app.hprof", *folder.options())
    folder.check_one(total)


def test_a_terminal_sees_progress_and_a_pipe_does_not(salvage, dumps, s3, proxy):
    drop(dumps, "app.hprof", 30 << 20)
    proxy.rate = 12 << 20
    argv = [BIN, "ship", str(dumps / "app.hprof"), *s3.through(proxy).options(), "--compress", "none", "--keep"]
    leader, follower = pty.openpty()
    p = subprocess.Popen(argv, env=environment(salvage.home, s3.env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=follower)
    os.close(follower)
    seen = b""
    while True:
        try:
            data = os.read(leader, 4096)
        except OSError:
            break
        if not data:
            break
        seen += data
    os.close(leader)
    out = p.communicate()[0]
    assert p.returncode == 0, seen
    assert out.decode().startswith("s3://") and out.count(b"\n") == 1
    text = seen.decode()
    assert "%" in text and "/s" in text and "MiB" in text, text
    assert text.count("\r") >= 3, "the bar moves"

    salvage_run = salvage.ok("ship", dumps / "app.hprof", *s3.options(), env=s3.env)
    assert salvage_run.err == ""


def test_a_file_by_pipe_is_refused(salvage, folder):
    result = salvage.run("ship", "/dev/stdin", *folder.options(), stdin=subprocess.PIPE)
    assert result.code != 0 and "stdin" in result.message
    assert folder.keys() == []


def test_ship_of_a_file_that_is_being_written_waits_or_says_so(salvage, dumps, folder):
    """A person who ships a dump that the JVM still writes must not get half of it as a whole."""
    with open(dumps / "app.hprof", "xb", buffering=0) as out:
        out.write(b"JAVA PROFILE 1.0.2\0")
        p = salvage.start("ship", dumps / "app.hprof", *folder.options())
        time.sleep(1)
        if p.process.poll() is None:
            assert folder.keys() == []
        else:
            assert p.end() in (0, 22)
        for _, manifest in folder.manifests():
            assert manifest["partial"]
