# SPDX-License-Identifier: Apache-2.0
"""Real JVMs that run out of memory."""
import glob
import os
import pathlib
import subprocess

JAVA = pathlib.Path(__file__).resolve().parents[1] / "java"
JDK_17 = "/usr/lib/jvm/java-17-openjdk-amd64"
JDKS_25 = sorted(path for path in glob.glob("/usr/lib/jvm/*25*") if os.access(path + "/bin/java", os.X_OK))
JDKS = [JDK_17] + JDKS_25


def name(jdk):
    return os.path.basename(jdk)


def compile_programs(target):
    """Compiles tests/e2e/java for every JDK here."""
    subprocess.run([JDK_17 + "/bin/javac", "-d", str(target), *map(str, sorted(JAVA.glob("*.java")))], check=True)
    return target


class Jvm:
    def __init__(self, classes, jdk=JDK_17, heap="24m"):
        self.classes, self.jdk, self.heap = classes, jdk, heap

    def command(self, dump, program="Oom", *args, options=()):
        return [self.jdk + "/bin/java", "-Xmx" + self.heap, "-XX:TieredStopAtLevel=1",
                "-XX:+HeapDumpOnOutOfMemoryError", "-XX:HeapDumpPath=" + str(dump), *options,
                "-cp", str(self.classes), program, *args]

    def start(self, dump, program="Oom", *args, options=()):
        return subprocess.Popen(self.command(dump, program, *args, options=options), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=str(self.classes))

    def die(self, dump, *args, options=(), program="Oom"):
        """Runs a program until it dies of an OutOfMemoryError; returns what it said."""
        p = self.start(dump, program, *args, options=options)
        out, _ = p.communicate(timeout=120)
        assert p.returncode != 0 and b"java.lang.OutOfMemoryError" in out, out
        return out.decode()
