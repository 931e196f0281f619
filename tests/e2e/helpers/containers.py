# SPDX-License-Identifier: Apache-2.0
"""Real containers, one at a time or one beside the other.

SALVAGE_TEST_ROOTFS     a root file system with a JRE and no shell, a folder
SALVAGE_TEST_CONTAINER  runs one container (see scripts/test)"""
import contextlib
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import uuid

from helpers.proc import family
from helpers.program import GRACE, Result

JAVA = "/opt/java/bin/java"
NEEDED = ("SALVAGE_TEST_ROOTFS", "SALVAGE_TEST_CONTAINER", "SALVAGE_STATIC_BIN")


def make_root(path, classes, places=()):
    """A copy of the root file system, with the tests' programs in /app, and salvage in these places."""
    missing = [name for name in NEEDED if not os.environ.get(name)]
    assert not missing, "set %s: these tests need a container" % ", ".join(missing)
    subprocess.run(["cp", "-a", "--reflink=auto", os.environ["SALVAGE_TEST_ROOTFS"], str(path)], check=True)
    assert not (path / "bin" / "sh").exists(), "the root file system has a shell of its own"
    (path / "app").mkdir()
    for file in pathlib.Path(classes).glob("*.class"):
        shutil.copy2(file, path / "app")
    for place in places:
        (path / place).parent.mkdir(exist_ok=True)
        shutil.copy2(os.environ["SALVAGE_STATIC_BIN"], path / place)
    return path


def _argv(root, command, env, options):
    argv = [*shlex.split(os.environ["SALVAGE_TEST_CONTAINER"]), "--rootfs", str(root), *map(str, options)]
    for item in (env or {}).items():
        argv += ["--env", "%s=%s" % item]
    return [*argv, "--", *map(str, command)]


class Ended(Result):
    """What came of a container: its exit code, and how many OOM kills happened in it."""

    def __init__(self, code, out, err):
        last = re.search(r"[^\n]*exit=(\d+) oom_kill=(\d+)\s*$", err)
        assert last, err
        super().__init__(int(last[1]), out, err[:last.start()])
        self.oom_kills = int(last[2])


def run(root, *command, env=None, options=()):
    """To its end."""
    p = subprocess.run(_argv(root, command, env, options), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=120)
    return Ended(p.returncode, p.stdout.decode(), p.stderr.decode())


class Running:
    """One with a JVM in it that says "ready", and ends when its input does."""

    def __init__(self, root, *command, env=None, options=()):
        self.name = "salvage-" + uuid.uuid4().hex[:8]
        self.process = subprocess.Popen(_argv(root, command, env, ["--name", self.name, *options]),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        first = self.process.stdout.readline()
        assert first == b"ready\n", (first, self.process.communicate(timeout=GRACE))
        self.pid, = [pid for pid in family(self.process.pid)
                     if pathlib.Path("/proc/%d/comm" % pid).read_text() == "java\n"]

    def file(self, path):
        """A path in it, as it is seen from here."""
        return pathlib.Path("/proc/%d/root%s" % (self.pid, path))

    def close(self):
        """Whatever became of it."""
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGCONT)
        if self.process.poll() is None:
            self.end()

    def end(self):
        """Its input ends, and it is waited for."""
        out, err = self.process.communicate(timeout=GRACE)
        return Ended(self.process.returncode, out.decode(), err.decode())


LEAK = [JAVA, "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MaxDirectMemorySize=4g", "-cp", "/app",
        "Leak"]


@contextlib.contextmanager
def leaking(root, folder):
    """Starts containers with a JVM that leaks, with room for its dump on a volume."""
    running = []
    volume = folder / "volume"
    volume.mkdir(mode=0o1777)
    volume.chmod(0o1777)

    def start(*args, memory="192M", options=(), command=LEAK):
        more = ["--memory", memory, "--volume", "%s:/data" % volume, *options]
        running.append(Running(root, *command[:-1], "-XX:HeapDumpPath=/data", command[-1], *args, options=more))
        return running[-1]

    start.volume = volume
    try:
        yield start
    finally:
        for container in running:
            container.close()
