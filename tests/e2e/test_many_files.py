# SPDX-License-Identifier: Apache-2.0
"""A folder with 100,000 old files costs one scan, not one for each check."""
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from helpers.evidence import drop
from helpers.program import BIN, environment
from helpers.proc import status, wait_for

COUNT = 100_000


@pytest.fixture(scope="module")
def crowd(session_folder):
    """Old logs, as a folder gathers them."""
    folder = session_folder / "crowd"
    folder.mkdir()
    for n in range(COUNT):
        os.close(os.open("%s/old-%06d.log" % (folder, n), os.O_CREAT | os.O_WRONLY, 0o644))
    yield folder
    shutil.rmtree(folder)


def calls_of(trace, pid, name):
    """How often one process made a system call."""
    pattern = re.compile(r"^%d +%s\(" % (pid, name), re.M)
    return len(pattern.findall(trace.read_text(encoding="utf-8", errors="replace")))


def test_one_scan_and_no_more(salvage, work, crowd, folder):
    trace = work / "trace"
    argv = ["strace", "-f", "--seccomp-bpf", "-o", str(trace), "-e", "trace=getdents64,openat,statx,newfstatat", BIN,
            "watch", str(crowd), *folder.options()]
    p = subprocess.Popen(argv, env=environment(salvage.home), stderr=subprocess.PIPE)
    try:
        drop(crowd, "first.hprof")
        wait_for(lambda: len(folder.manifests()) == 1, 30, "the first was not shipped")
        pid = int(trace.read_text(encoding="utf-8").split()[0])
        looked = calls_of(trace, pid, "openat") + calls_of(trace, pid, "statx") + calls_of(trace, pid, "newfstatat")
        assert looked < 1000, "every old file was looked at"
        for n in range(5):
            drop(crowd, "more-%d.hprof" % n)
        wait_for(lambda: len(folder.manifests()) == 6, 30, "the others were not shipped")
        time.sleep(0.5)
        # 100,000 entries of 40 bytes come to 4 MB, which the C library reads in pieces of 32 KiB.
        once = COUNT * 40 / 32768
        assert once * 0.7 < calls_of(trace, pid, "getdents64") < once * 1.5, "it was scanned again"
    finally:
        # strace ends with what it traces; terminated itself, it would leave a watch behind that holds its stderr.
        os.kill(int(trace.read_text(encoding="utf-8").split()[0]), signal.SIGTERM)
        p.communicate(timeout=30)
    assert len([name for name in os.listdir(crowd) if name.endswith(".log")]) == COUNT


@pytest.mark.serial
def test_it_is_quick_and_small(salvage, crowd, folder):
    began = time.monotonic()
    watch = salvage.watch(crowd, *folder.options())
    total = drop(crowd, "app.hprof")
    watch.wait("shipped")
    assert time.monotonic() - began < 3
    assert status(watch.pid)["RssAnon"] <= 2 << 20
    assert watch.stop() == 0
    folder.check_one(total)


def test_a_thousand_dumps_at_once(salvage, dumps, folder):
    """More than wait in line at a time: the rest is found again."""
    sums = [drop(dumps, "app-%04d.hprof" % n, 300 + n) for n in range(1500)]
    watch = salvage.watch(dumps, *folder.options(), "--once")
    assert watch.end(120) == 0, watch.log[-2000:]
    assert len(folder.keys()) == 3000
    assert {m["sha256"] for _, m in folder.manifests()} == set(sums)
