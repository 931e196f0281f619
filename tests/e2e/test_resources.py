# SPDX-License-Identifier: Apache-2.0
"""Resource use: memory while idle and while shipping, and no wake-ups while idle."""
import os
import re
import signal
import subprocess
import time

import pytest

from helpers.evidence import drop
from helpers.proc import Sampler, children, status, wait_for

MIB = 1 << 20
BIG = 300 * MIB


def context_switches(pid):
    """How often its threads have slept and been woken."""
    total = 0
    for thread in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, thread), encoding="ascii") as stream:
            total += sum(int(n) for n in re.findall(r"ctxt_switches:\s+(\d+)", stream.read()))
    return total


@pytest.mark.serial
def test_an_idle_watch_is_small_and_sleeps(salvage, dumps, s3):
    """After work, too: the worker is gone, and nothing polls."""
    watch = salvage.watch(dumps, *s3.options(), env=s3.env)
    drop(dumps, "app.hprof", 8 * MIB)
    watch.wait("shipped")
    wait_for(lambda: children(watch.pid) == [], 10, "the worker stays")
    time.sleep(0.5)

    memory = status(watch.pid)
    assert memory["VmRSS"] <= 10 * MIB, memory["VmRSS"]
    assert memory["RssAnon"] <= 2 * MIB, memory["RssAnon"]

    before = context_switches(watch.pid)
    time.sleep(5)
    assert context_switches(watch.pid) == before, "it woke up"

    trace = dumps.parent / "trace"
    strace = subprocess.Popen(["strace", "-f", "-qq", "-o", str(trace), "-p", str(watch.pid)], stderr=subprocess.PIPE)
    time.sleep(10)
    strace.send_signal(signal.SIGINT)
    error = strace.communicate()[1]
    calls = trace.read_text(encoding="utf-8").splitlines()
    assert len(calls) <= 1 and all("epoll" in call or "restart_syscall" in call for call in calls), (calls, error)
    assert watch.stop() == 0


@pytest.mark.parametrize("codec, memory", [("zstd:1", 64), ("none", 64), ("gzip:1", 64), ("zstd:1", 32), ("none", 128)])
def test_shipping_keeps_within_its_memory(salvage, dumps, s3, proxy, codec, memory):
    """The peak of loop and worker together, for a file much larger than that, to a store that is slower than we are."""
    proxy.rate = (100 if codec == "none" else 60) * MIB
    watch = salvage.watch(dumps, *s3.through(proxy).options(), "--compress", codec, "--memory", "%dM" % memory,
                          "--no-digest",  # test_digest.py has its memory
                          env=s3.env)
    watch.wait("store-ready")  # asked by processes of their own, of some MiB, that end with the answer
    wait_for(lambda: children(watch.pid) == [], 10, "the asking goes on")
    drop(dumps, "app.hprof", BIG, seed=51)
    sampler = Sampler(watch.pid)
    watch.wait("shipped", timeout=90)
    sampler.stop()
    assert watch.stop() == 0
    peak = sum(sampler.peak.values())
    assert len(sampler.peak) == 2
    assert peak <= (memory + 16) * MIB, "%.1f MiB" % (peak / MIB)


def test_shipping_many_small_files_does_not_grow(salvage, dumps, folder):
    """A leak in the loop shows here."""
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("started")
    marks = []
    for n in range(300):
        drop(dumps, "app-%d.hprof" % n, 2000)
        if n in (100, 299):
            watch.wait("shipped", n + 1)
            marks.append(status(watch.pid)["RssAnon"])
    assert watch.stop() == 0
    assert marks[1] <= marks[0] + 256 * 1024, marks
    assert len(folder.keys()) == 600


def test_descriptors_do_not_leak(salvage, dumps, folder):
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("started")

    def descriptors():
        wait_for(lambda: children(watch.pid) == [], 10, "the worker stays")
        return len(os.listdir("/proc/%d/fd" % watch.pid))

    drop(dumps, "first.hprof")
    watch.wait("shipped")
    before = descriptors()
    for n in range(50):
        drop(dumps, "app-%d.hprof" % n, 2000)
    watch.wait("shipped", 51)
    assert descriptors() == before
    assert watch.stop() == 0
