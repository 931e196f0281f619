# SPDX-License-Identifier: Apache-2.0
"""Processes that take as much memory as they are told, in cgroups as a kubelet and a runtime lay them out, and what a guard
says of them."""
import subprocess
import sys
import uuid

from helpers.proc import wait_for

MIB = 1 << 20
EATER = """
import sys
kept = []
print("ready", flush=True)
for line in sys.stdin:
    kept.append(b"x" * (int(line) << 20))
    print("taken", flush=True)
"""
POD = "6f1c2a3b-0000-1111-2222-333344445555"


class Eater:
    """A process in a cgroup, given by what stands before its command line."""

    def __init__(self, *before):
        self.process = subprocess.Popen([*before, sys.executable, "-c", EATER], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def take(self, mib):
        self.process.stdin.write("%d\n" % mib)
        self.process.stdin.flush()
        return self.process.stdout.readline() == "taken\n"

    def close(self):
        self.process.kill()
        self.process.communicate()


def of(p, event, target):
    return [e for e in p.named(event) if e["target"] == str(target)]


def told(p, event, target):
    return wait_for(lambda: of(p, event, target), why=lambda: p.log)[0]


class Pod:
    """As the kubelet and a runtime lay it out: cgroups named by ids, and a file mounted into each container."""

    def __init__(self, above, work):
        self.folder, self.files = above.folder / "kubepods" / ("pod" + POD), work / "pods" / POD / "containers"
        self.folder.mkdir(parents=True)
        (work / "termination-log").touch()
        self.log = work / "termination-log"
        self.ids = []

    def enter(self, name):
        """A new container of this name; returns the start of its id, and what to put before its command line. It is in its
        cgroup for a while before it has its mounts, by which it is known."""
        container = uuid.uuid4().hex * 2
        self.ids.append(container)
        (self.folder / container).mkdir()
        (self.folder / container / "memory.limit_in_bytes").write_text(str(80 * MIB))
        source = self.files / name / container[:8]
        source.parent.mkdir(parents=True, exist_ok=True)
        source.touch()
        return container[:12], ["unshare", "--mount", "sh", "-c",
                                'echo $$ >"$0/cgroup.procs" && sleep 0.4 && mount --bind "$1" "$2" && shift 2 && exec "$@"',
                                str(self.folder / container), str(source), str(self.log)]

    def remove(self):
        for folder in [*self.folder.glob("*/"), self.folder, self.folder.parent]:
            wait_for(lambda folder=folder: not folder.exists() or removed(folder), why="in use")


def removed(folder):
    try:
        folder.rmdir()
    except OSError:
        return False
    return True
