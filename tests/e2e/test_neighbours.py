# SPDX-License-Identifier: Apache-2.0
"""One tenant of a watched folder costs the others nothing, whatever it leaves there."""
import os
import resource
import socket
import time

import pytest

from helpers.evidence import drop
from helpers.proc import cpu_seconds


@pytest.fixture
def two(dumps):
    """Folders of two tenants."""
    for name in ("a", "b"):
        (dumps / name).mkdir()
    return dumps / "a", dumps / "b"


@pytest.fixture
def silent_store():
    """Takes connections and never answers."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(20)
        yield "http://127.0.0.1:%d/x" % s.getsockname()[1]


@pytest.fixture
def many_descriptors():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def names_of(folder):
    return {m["name"] for _, m in folder.manifests()}


def test_thousands_of_open_files_cost_next_to_nothing(salvage, dumps, two, folder, many_descriptors):
    count = min(6000, many_descriptors - 200)
    watch = salvage.watch("-r", dumps, *folder.options())
    watch.wait("started")
    files = [open(two[0] / ("open-%d.hprof" % n), "wb") for n in range(count)]
    time.sleep(4)
    before = cpu_seconds(watch.pid)
    time.sleep(3)
    assert cpu_seconds(watch.pid) - before < 1
    drop(two[1], "small.hprof")
    watch.wait("shipped", timeout=10)
    for f in files:
        f.close()
    assert names_of(folder) >= {"small.hprof"}


def test_a_dump_that_cannot_be_followed_yet_is_not_claimed_again_and_again(salvage, dumps, silent_store):
    """While the one worker is busy."""
    watch = salvage.watch(dumps, "--to", silent_store, "--grace", "0")
    drop(dumps, "first.hprof", 1_000_000)
    watch.wait("claimed")
    with open(dumps / "second.hprof", "wb") as out:
        out.write(b"JAVA PROFILE 1.0.2\0" + bytes(16 << 20))
        out.flush()
        spool = dumps / ".salvage" / "spool"
        for _ in range(100):
            time.sleep(0.02)
            assert len(os.listdir(spool)) == 1
        assert watch.named("following") == []
