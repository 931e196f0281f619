# SPDX-License-Identifier: Apache-2.0
"""Names are any bytes but / and NUL, up to 255 of them."""
import os

import pytest

from helpers.evidence import drop, left_in, spool_of

NAMES = [
    b"with some spaces .hprof",
    b"new\nline.hprof",
    b"tab\tand\rreturn.hprof",
    b"\x1b[31mred\x07.hprof",
    "größe-堆转储-🔥.hprof".encode(),
    b"not\xff\xfeutf8\xc3.hprof",
    b"quote'\"`$(id)&;|<>*?[].hprof",
    b"percent %41 %s%n%2F..%2f.hprof",
    b"back\\slash.hprof",
    b"-rf.hprof",
    b"--to=s3:.hprof",
    b"plus+and=equals,comma.hprof",
    b"x" * 249 + b".hprof",
    "é".encode() * 124 + b"x.hprof",
]
HIDDEN = [b".hprof", b"..hprof", b".app.hprof"]


def as_text(name):
    return name.decode("utf-8", "replace")


@pytest.mark.parametrize("key", [None, "{place}/{id}/{name}"], ids=["default-key", "name-in-key"])
def test_a_watch_ships_any_name(salvage, dumps, store, key):
    sums = {drop(dumps, name, 5_000): name for name in NAMES}
    assert len(sums) == len(NAMES)
    more = ["--key", key] if key else []
    watch = salvage.watch(dumps, *store.options(), *more, "--once", env=store.env)
    assert watch.end() == 0, watch.log
    found = store.check_all(list(sums))
    assert {m["name"] for m in found.values()} == {as_text(name) for name in NAMES}
    for manifest in found.values():
        assert not any(ord(c) < 32 for c in manifest["key"]), manifest["key"]
        assert all(len(part.encode()) <= 255 for part in (manifest["key"] + ".json").split("/"))
    assert left_in(dumps) == [] and spool_of(dumps) == []


def test_hidden_files_are_left_alone_unless_asked_for(salvage, dumps, folder):
    """As in a shell: many tools write .NAME first and rename it then."""
    sums = [drop(dumps, name, 5_000) for name in HIDDEN]
    assert salvage.watch(dumps, *folder.options(), "--once").end() == 0
    assert folder.keys() == []
    assert salvage.watch(dumps, *folder.options(), "--once", "--include", ".*hprof").end() == 0
    folder.check_all(sums)


@pytest.mark.parametrize("key", [None, "{place}/{id}/{name}"], ids=["default-key", "name-in-key"])
def test_ship_takes_any_name(salvage, dumps, folder, key):
    names = NAMES + HIDDEN
    sums = {drop(dumps, name, 5_000): name for name in names}
    more = ["--key", key] if key else []
    paths = [os.path.join(os.fsencode(str(dumps)), name) for name in names]
    done = salvage.ok("ship", *[os.fsdecode(path) for path in paths], "--remove", *folder.options(), *more)
    assert len(done.lines) == len(names), "one line a file"
    found = folder.check_all(list(sums))
    assert {m["name"] for m in found.values()} == {as_text(name) for name in names}
    assert left_in(dumps) == []


def test_messages_about_odd_names_stay_one_line(salvage, dumps, folder):
    for name in (b"new\nline.hprof", b"\x1b[31mred.hprof", b"not\xff.hprof"):
        path = os.fsdecode(os.path.join(os.fsencode(str(dumps)), name))
        result = salvage.run("ship", path, *folder.options())
        assert result.code != 0
        assert "\x1b" not in result.message


def test_a_path_as_long_as_the_kernel_takes(salvage, work, folder):
    """Folders of 200 bytes each, to nearly 4096."""
    deep = str(work / "deep")
    os.mkdir(deep)
    fd = os.open(deep, os.O_RDONLY)
    length = len(deep)
    while length < 3600:
        os.mkdir("d" * 200, dir_fd=fd)
        fd, old = os.open("d" * 200, os.O_RDONLY, dir_fd=fd), fd
        os.close(old)
        length += 201
    before = os.getcwd()
    os.chdir(fd)
    try:
        total = drop(".", "app.hprof")
    finally:
        os.chdir(before)
        os.close(fd)
    watch = salvage.watch(deep, *folder.options(), "--recursive", "--once")
    assert watch.end() == 0, watch.log
    folder.check_one(total)
