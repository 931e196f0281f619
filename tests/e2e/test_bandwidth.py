# SPDX-License-Identifier: Apache-2.0
"""--bandwidth: what all processes that name the same file send together, and who gets how much of it."""
import os
import time

import pytest

from helpers.evidence import drop
from helpers.proc import wait_for

MIB = 1 << 20


def random_file(work, name, size):
    path = work / name
    path.write_bytes(os.urandom(size))
    return path


class Upload:
    def __init__(self, salvage, path, store, limit, namespace):
        self.begun = time.monotonic()
        self.process = salvage.start("ship", path, *store.options(), "--compress", "none", "--keep", "--log", "json",
                                     "--bandwidth", limit, env={**store.env, "POD_NAMESPACE": namespace, "POD_NAME": "p"})

    def seconds(self):
        assert self.process.process.wait(timeout=60) == 0
        return time.monotonic() - self.begun


@pytest.mark.serial
@pytest.mark.parametrize("kind", ["http", "s3"])
def test_one_alone_gets_all_of_it_and_no_more(salvage, work, request, kind):
    store = request.getfixturevalue(kind)
    seconds = Upload(salvage, random_file(work, "a.hprof", 8 * MIB), store, "8M", "a").seconds()
    assert seconds > 1 - 0.1 - 0.05  # what may come at once at first
    assert seconds < 1 + 1.5  # its start and the last requests, on a busy machine


@pytest.mark.serial
def test_tenants_get_equal_parts_however_many_processes_they_have(salvage, work, s3):
    """Two of one namespace, one of another: it is through when the others have got half of theirs."""
    limit = "6M@%s" % (work / "line")
    files = [random_file(work, "%s.hprof" % name, 4 * MIB) for name in ("a", "b", "c")]
    many = [Upload(salvage, f, s3, limit, "many") for f in files[:2]]
    lone = Upload(salvage, files[2], s3, limit, "lone")
    lone_seconds = lone.seconds()
    seconds = [u.seconds() for u in many]
    assert max(seconds) > 12 / 6 - 0.2
    assert lone_seconds < 0.85 * min(seconds)


def test_workers_share_the_limit_of_their_watch(salvage, work, dumps, folder):
    """By a file in its state folder; one that is gone or can't be shared is no reason not to ship."""
    watch = salvage.watch(dumps, *folder.options(), "--compress", "none", "--bandwidth", "4M", "--memory", "192M")
    watch.wait("started")
    begun = time.monotonic()
    for name in ("a.hprof", "b.hprof"):
        drop(dumps, name, 3 * MIB)
    wait_for(lambda: len(watch.named("shipped")) == 2, timeout=30)
    assert time.monotonic() - begun > 6 / 4 - 0.2
    assert (dumps / ".salvage" / "bandwidth").stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_shared_limits_the_process_alone(salvage, work, folder):
    done = salvage.run("ship", random_file(work, "a.hprof", MIB), *folder.options(), "--bandwidth", "8M@/nowhere/line")
    assert done.code == 0
    assert "/nowhere/line cannot be shared" in done.err


@pytest.mark.parametrize("text", ["fast", "20Mbps", "1K", "5M@line"])
def test_what_is_no_rate_is_said(salvage, work, folder, text):
    done = salvage.run("ship", random_file(work, "a.hprof", 100), *folder.options(), "--bandwidth", text)
    assert done.code == 2
    assert "--bandwidth: " in done.err
