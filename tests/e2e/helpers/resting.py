# SPDX-License-Identifier: Apache-2.0
"""JVMs that run and do nothing, the JDK's own tools beside ours, and processes that pretend to be JVMs."""
import contextlib
import glob
import os
import pathlib
import signal
import subprocess
import sys

from helpers import jvm
from helpers.program import as_user, environment

COLLECTORS = ["Serial", "Parallel", "G1", "Shenandoah", "Z"]
# Small JVMs of the tools, too: there may be many.
SMALL = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]


def tool(jdk, name, *args, uid=None):
    """What a tool of the JDK says."""
    small = [] if name == "java" else ["-J-Xmx32m", *("-J" + option for option in SMALL)]
    p = subprocess.run([jdk + "/bin/" + name, *small, *map(str, args)], env=environment("/"), stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=60, cwd="/", **as_user(uid))
    return p.stdout.decode("utf-8", "replace")


class Resting:
    """A JVM that says "ready" and then waits for the end of its standard input."""

    def __init__(self, command, env=None, cwd="/", uid=None, jdk=jvm.JDK_17):
        self.jdk = jdk
        self.process = subprocess.Popen([os.fsencode(str(word)) if isinstance(word, (str, pathlib.Path)) else word
                                         for word in command], env=environment("/", env), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=str(cwd),
                                        **as_user(uid))
        self.pid = self.process.pid

    def ready(self, line=b"ready\n"):
        said = self.process.stdout.readline()
        assert said == line, "said %r" % said
        return self

    def jcmd(self, *command):
        """Without the line that repeats the pid."""
        head, rest = tool(self.jdk, "jcmd", self.pid, *command).split("\n", 1)
        assert head == "%d:" % self.pid, head
        return rest

    @property
    def alive(self):
        return self.process.poll() is None

    def close(self):
        if self.alive:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.communicate()
        for left in [*glob.glob("/tmp/hsperfdata_*/%d" % self.pid), *glob.glob("/tmp/.*_pid%d" % self.pid)]:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(left)


class Nursery:
    """Starts them, and ends all it has started."""

    def __init__(self, classes):
        self.classes = classes
        self.started = []

    def add(self, resting):
        self.started.append(resting)
        return resting

    def java(self, *options, jdk=jvm.JDK_17, program=("Rest",), heap="48m", **more):
        """A JVM that may not be ready yet."""
        words = [] if heap is None else ["-Xmx" + heap, "-XX:TieredStopAtLevel=1"]
        return self.add(Resting([jdk + "/bin/java", *words, *options, "-cp", self.classes, *program], jdk=jdk, **more))

    def serial(self, *options, **more):
        return self.java("-XX:+UseSerialGC", *options, **more).ready()

    def pretend(self, *args, **more):
        """A process that maps files by these names (see below)."""
        return self.add(Resting([sys.executable, PRETENDER, *args], **more)).ready()

    def close(self):
        for one in self.started:
            one.close()


PRETENDER = pathlib.Path(__file__).with_name("pretender.py")
EMBEDDER = pathlib.Path(__file__).with_name("embedder.py")
