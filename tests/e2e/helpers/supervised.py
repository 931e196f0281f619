# SPDX-License-Identifier: Apache-2.0
"""`salvage run` with an application under it: as it is, or as PID 1 of a process namespace of its own; and memory
cgroups to run out of."""
import fcntl
import json
import os
import pathlib
import signal
import subprocess
import sys
import termios
import uuid

from helpers.proc import children, cmdline, wait_for
from helpers.program import BIN, GRACE, Background, environment

AS_PID_1 = ["unshare", "--pid", "--mount-proc", "--fork", "--kill-child"]
PYTHON = [sys.executable, "-u", "-c"]


class Supervised(Background):
    """With a log in JSON; app is a command line. argv of it all: before + salvage run + options + -- + app."""

    def __init__(self, home, store, folder, app, *options, env=None, pid_1=False, uid=None, before=()):
        self.pid_1 = pid_1
        argv = [*before, *(AS_PID_1 if pid_1 else []), BIN, "run", *store.options(), "--dir", str(folder),
                "--log", "json", *map(str, options), "--", *map(str, app)]
        super().__init__(argv, environment(home, {**store.env, **(env or {})}), str(home), uid)

    @property
    def supervisor(self):
        """Its pid as seen from here."""
        return wait_for(lambda: children(self.pid), why="no namespace")[0] if self.pid_1 else self.pid

    def child(self, word):
        """The one child of the supervisor that has this word in its command line."""
        def find():
            found = [pid for pid in children(self.supervisor) if word in cmdline(pid)]
            return found[0] if len(found) == 1 else None
        return wait_for(find, why="no child with %r" % word)

    def send(self, number):
        os.kill(self.supervisor, number)

    def kill(self, group=True):
        """The application has a process group of its own, the watch a session."""
        if self.process.poll() is None:
            for pid in [*children(self.supervisor), self.supervisor] if not self.pid_1 else [self.supervisor]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        super().kill(group)

    @property
    def events(self):
        """What the application says is between them."""
        with self._news:
            lines = [line for line in self.lines if line.startswith("{") and line.endswith("\n")]
        return [json.loads(line) for line in lines]

    def ended(self, timeout=30):
        """Waits for the end; returns the exit code and the summary, which is the last line."""
        code = self.end(timeout)
        assert self.lines[-1].startswith("{"), self.log
        last = json.loads(self.lines[-1])
        assert last["event"] == "ended", self.log
        assert len(self.named("ended")) == 1
        return code, last


EAT = "import time\nkept = []\nwhile True: kept.append(b'x' * (1 << 20)); time.sleep(0.002)"


def start_in(folder, *command, env=None, program=None):
    """A process in a cgroup."""
    def enter():
        (folder / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
    return subprocess.Popen(command, executable=program, env=env, preexec_fn=enter, stdout=subprocess.DEVNULL)


class MemoryCgroup:
    """A child of our own memory cgroup, v1 or v2, or of another of these, with a limit."""

    def __init__(self, limit, parent=None):
        name = "salvage-e2e-" + uuid.uuid4().hex[:12]
        v1 = pathlib.Path("/sys/fs/cgroup/memory")
        self.v2 = not v1.is_dir()
        own = "/"  # of v2 the root: others may not have processes and controllers, too
        for line in pathlib.Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
            _, controllers, path = line.split(":", 2)
            if not self.v2 and "memory" in controllers.split(","):
                own = path
        above = parent.folder if parent else (pathlib.Path("/sys/fs/cgroup") if self.v2 else v1) / own.lstrip("/")
        self.folder = above / name
        if self.v2:
            (self.folder.parent / "cgroup.subtree_control").write_text("+memory", encoding="ascii")
        self.folder.mkdir()
        self.set_limit(limit)
        if self.v2:
            self._write("memory.swap.max", 0)

    def set_limit(self, limit):
        self._write("memory.max" if self.v2 else "memory.limit_in_bytes", limit)

    def _write(self, name, value):
        (self.folder / name).write_text(str(value), encoding="ascii")

    @property
    def entry(self):
        """To put before a command line: it runs in the cgroup."""
        return ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(self.folder)]

    @property
    def counters(self):
        return self.folder / ("memory.events" if self.v2 else "memory.oom_control")

    @property
    def oom_kills(self):
        return int(dict(line.split() for line in self.counters.read_text(encoding="ascii").splitlines())["oom_kill"])

    def starve(self, env=None):
        """A process that the kernel kills there; its pid."""
        process = start_in(self.folder, "/usr/bin/python3", "-c", EAT, env=env)
        assert process.wait(GRACE) == -signal.SIGKILL
        return process.pid

    def close(self):
        def removed():
            for pid in (self.folder / "cgroup.procs").read_text(encoding="ascii").split():
                os.kill(int(pid), signal.SIGKILL)
            try:
                self.folder.rmdir()
            except OSError:
                return False
            return True
        wait_for(removed, why="the cgroup is still in use")


def in_terminal(argv, env, cwd):
    """Starts a command with a terminal of its own; returns the process and the terminal's other side."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(argv, env=env, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs,
                               start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(theirs)
    return process, ours
