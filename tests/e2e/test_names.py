# SPDX-License-Identifier: Apache-2.0
"""Names are any bytes but / and NUL, up to 255 of them."""
import contextlib
import os
import pty
import re
import subprocess

import pytest

from helpers.evidence import drop, left_in, spool_of
from helpers.program import BIN, environment

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


def on_terminal(salvage, *args):
    """What a terminal gets of both, stdout and stderr."""
    ours, theirs = pty.openpty()
    p = subprocess.Popen([os.fsencode(word) for word in (BIN, *args)], stdout=theirs, stderr=theirs,
                         stdin=subprocess.DEVNULL, env=environment(salvage.home), cwd=salvage.home)
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):
        while some := os.read(ours, 4096):
            said += some
    os.close(ours)
    p.wait()
    return p.returncode, said


def test_a_terminal_is_spoken_to_by_no_name(salvage, dumps, folder):
    """Not even by bytes that are control characters alone, or that turn the direction of a text."""
    name = b"\x9b2Jred\xc2\x9b31m\xe2\x80\xaegpj\x1b]0;t\x07.hprof"
    drop(dumps, name, 5_000)
    path = os.path.join(os.fsencode(str(dumps)), name)
    url = ["--to", folder.url, "--key", "{place}/{id}/{name}"]
    texts = [on_terminal(salvage, "ship", path, *url), on_terminal(salvage, "ship", path, *url),
             on_terminal(salvage, "ship", path + b"missing", *url), on_terminal(salvage, "ls", folder.url),
             on_terminal(salvage, "ls", "--json", folder.url)]
    (key, _), = folder.manifests()
    texts.append(on_terminal(salvage, "get", folder.url_of(key)))
    assert [code for code, _ in texts] == [0, 0, texts[2][0], 0, 0, 0] and texts[2][0] != 0, texts
    for _, said in texts:
        text = said.replace(b"\r\033[K", b"").replace(b"\r\n", b"\n").replace(b"\033[1m", b"").replace(b"\033[0m", b"")
        assert b"red" in text or b"heap" in text, said
        assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]",
                             text.decode("utf-8")), said
