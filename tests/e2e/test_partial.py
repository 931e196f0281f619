# SPDX-License-Identifier: Apache-2.0
"""Dumps that are cut short are stored, and marked partial with the reason."""
import gzip
import json

import pytest

from helpers import hprof
from helpers.evidence import HEADS, left_in, put
from helpers.stores import sha256


def ship_bytes(salvage, dumps, folder, name, data):
    put(dumps, name, data)
    out = salvage.ok("ship", dumps / name, *folder.options(), "--json").out
    manifest = json.loads(out)
    assert folder.check_one(sha256(data)) == manifest
    return manifest


@pytest.mark.parametrize("share", [0.001, 0.5, 0.999999], ids=["nearly-nothing", "half", "nearly-all"])
def test_a_real_dump_that_was_cut_short_is_partial(salvage, dumps, folder, real_dump, share):
    data = real_dump.read_bytes()
    manifest = ship_bytes(salvage, dumps, folder, "app.hprof", data[: int(len(data) * share)])
    assert manifest["partial"] and "\n" not in manifest["partial"]


def test_a_real_dump_that_lacks_its_end_record_is_partial(salvage, dumps, folder, real_dump):
    """Cut at the end of a record: all records add up, but HEAP DUMP END is missing."""
    data = real_dump.read_bytes()
    assert data[-9] == 0x2C
    assert ship_bytes(salvage, dumps, folder, "app.hprof", data[:-9])["partial"]


def test_a_whole_real_dump_is_not_partial(salvage, dumps, folder, real_dump):
    assert not ship_bytes(salvage, dumps, folder, "app.hprof", real_dump.read_bytes()).get("partial")


def test_an_empty_dump_is_partial(salvage, dumps, folder):
    manifest = ship_bytes(salvage, dumps, folder, "app.hprof", b"")
    assert "empty" in manifest["partial"] and manifest["size"] == 0


@pytest.mark.parametrize("data", [b"\0" * 4096, b"JAVA PROFILE 1.0.2\0" + b"\xff" * 4096, b"J"],
                         ids=["zeros", "nonsense", "one-byte"])
def test_what_is_only_called_a_dump_is_shipped_as_it_is(salvage, dumps, folder, data):
    assert ship_bytes(salvage, dumps, folder, "app.hprof", data)["partial"]


def test_the_watch_ships_an_empty_file(salvage, dumps, store):
    sums = [put(dumps, name, b"") for name in ("app.hprof", "b.hprof.gz")]
    put(dumps, "core.17", b"")
    watch = salvage.watch(dumps, *store.options(), "--once", env=store.env)
    assert watch.end() == 0
    assert sorted(m["kind"] for _, m in store.manifests()) == ["heap-dump", "heap-dump"]
    assert left_in(dumps) == ["core.17"], "nothing says that it is a core"
    store.check_all(sums)


@pytest.mark.parametrize("name", ["app.hprof.gz", "app.hprof"])
def test_a_dump_in_gzip_is_whole_or_not_by_what_is_inside(salvage, dumps, folder, name):
    data = gzip.compress(hprof.make(50_000, 7), 1)
    manifest = ship_bytes(salvage, dumps, folder, name, data)
    assert not manifest.get("partial") and manifest["kind"] == "heap-dump"
    assert manifest["key"].endswith("/heap.hprof.gz") and manifest["codec"] == "none"


def test_a_dump_in_gzip_that_was_cut_is_partial(salvage, dumps, folder):
    data = gzip.compress(hprof.make(50_000, 7), 1)
    assert "gzip" in ship_bytes(salvage, dumps, folder, "app.hprof.gz", data[: len(data) // 2])["partial"]


def test_a_crash_log_that_was_cut_is_partial(salvage, dumps, folder):
    whole = HEADS["hs_err_pid17.log"] + b"more\n" * 5000 + b"END.\n"
    assert ship_bytes(salvage, dumps, folder, "hs_err_pid17.log", whole[:9000])["partial"]


PHD = (b"\0\x12portable heap dump" + bytes([0, 0, 0, 6, 0, 0, 0, 4, 1, 4, 0, 4]) + b"JRE8\2\2" +
       b"\x20\1\1size" * 1000 + b"\3")
MINIDUMP = (b"MDMP\x93\xa7\0\0\1\0\0\0\x20" + bytes(19) + (9).to_bytes(4, "little") + (32).to_bytes(4, "little") +
            (44).to_bytes(4, "little") + b"\1" + bytes(7) + b"\x4c" + bytes(7) + bytes(8) +
            (9000).to_bytes(8, "little") + b"memory" * 1500)


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut"])
@pytest.mark.parametrize("name, data, file", [
    ("heapdump.1.phd", PHD, "heap.phd.zst"), ("heapdump.1.phd.gz", gzip.compress(PHD), "heap.phd.gz"),
    ("core.1.dmp", MINIDUMP, "core.dmp.zst")], ids=["phd", "phd-in-gzip", "minidump"])
def test_dumps_of_openj9_are_whole_or_not_by_their_format(salvage, dumps, folder, name, data, file, cut):
    manifest = ship_bytes(salvage, dumps, folder, name, data[: len(data) * 2 // 3] if cut else data)
    assert ("ends" in manifest["partial"]) if cut else ("partial" not in manifest)
    assert manifest["key"].endswith("/" + file)
