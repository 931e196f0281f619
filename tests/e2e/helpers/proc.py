# SPDX-License-Identifier: Apache-2.0
"""Looking at processes from outside, and waiting for things."""
import contextlib
import glob
import itertools
import os
import socket
import threading
import time


def wait_for(what, timeout=20.0, why="it did not happen", step=0.01):
    """Calls what() until it gives something true; returns that."""
    deadline = time.monotonic() + timeout
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < deadline, "after %g s: %s" % (timeout, why() if callable(why) else why)
        time.sleep(step)


# Below those that the kernel gives to whoever wants any; each process of the tests begins elsewhere.
_ports = itertools.count(os.getpid() * 997)


def free_port():
    """A port that nobody listens on, and that nobody is given soon."""
    while True:
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", 10000 + next(_ports) % 20000))
            return s.getsockname()[1]


def children(pid):
    """The pids of a process's children, whichever of its threads started them."""
    found = []
    for path in glob.glob("/proc/%d/task/*/children" % pid):
        try:
            with open(path, encoding="ascii") as stream:
                found += [int(word) for word in stream.read().split()]
        except OSError:
            pass
    return found


def family(pid):
    """A process and all below it."""
    found = [pid]
    for child in children(pid):
        found += family(child)
    return found


def status(pid):
    """/proc/PID/status as a dict, sizes in bytes; empty once the process is gone."""
    try:
        with open("/proc/%d/status" % pid, encoding="utf-8", errors="replace") as stream:
            rows = dict(line.rstrip("\n").split(":", 1) for line in stream)
    except (OSError, ValueError):
        return {}
    return {key: int(value.split()[0]) * 1024 if value.endswith(" kB") else value.strip()
            for key, value in rows.items()}


def cpu_seconds(pid):
    """Processor time that a process has used."""
    with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as stream:
        fields = stream.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cmdline(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def workers(pid):
    """The children of a watch that ship; not those that arm JVMs or ask the store."""
    return [child for child in children(pid) if cmdline(child).split(b"\0")[1:2] == [b"worker"]]


class Sampler:
    """Looks at a process and its children every few milliseconds: the peak of each one's memory, and every command
    line that could be seen in ps."""

    def __init__(self, pid, every=0.004):
        self.pid = pid
        self.every = every
        self.peak = {}  # pid -> VmHWM, bytes
        self.command_lines = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            for pid in family(self.pid):
                peak = status(pid).get("VmHWM")
                if peak:
                    self.peak[pid] = max(peak, self.peak.get(pid, 0))
                self.command_lines.add(cmdline(pid))
            time.sleep(self.every)

    def stop(self):
        self._stop.set()
        self._thread.join()
        return self


def require_root(why):
    assert os.geteuid() == 0, "run the tests as root: this one %s" % why
