# SPDX-License-Identifier: Apache-2.0
"""A pid namespace and a /tmp of its own: what looks at every process sees the test's alone, and touches nobody else's; and
no JVM of the same pid has left its socket there. Needs root."""
import os
import signal
import subprocess

from .proc import children, require_root, status, wait_for
from .program import BIN, Background, Result, environment


# A new /tmp at the first word, with the folders of the others, then in the place of the old one.
NEW_TMP = """
mount -t tmpfs -o mode=1777 none "$0" || exit
for folder; do
    mkdir -p "$0${folder#/tmp}" && mount --bind "$folder" "$0${folder#/tmp}" || exit
done
mount --rbind "$0" /tmp && exec sleep 3600
"""


class Cell:
    """pids are as they are seen inside. home: in the folder of the test, which is the only one that is seen in /tmp."""

    def __init__(self, home):
        require_root("makes a pid namespace")
        self.home = home
        tmp = home.parent / "tmp"
        tmp.mkdir()
        keep = [str(home.parents[1]), os.path.dirname(BIN)]
        self.holder = subprocess.Popen(["unshare", "--pid", "--mount-proc", "--fork", "--kill-child", "sh", "-c", NEW_TMP,
                                        str(tmp), *(folder for folder in keep if folder.startswith("/tmp/"))])
        self.init = wait_for(lambda: children(self.holder.pid), 10, "no namespace")[0]
        wait_for(lambda: status(self.init).get("Name") == "sleep", 10, "no namespace")
        self.backgrounds = []

    def command(self, *argv):
        return ["nsenter", "--target", str(self.init), "--pid", "--mount", "--", *map(str, argv)]

    def run(self, *argv, timeout=60):
        p = subprocess.run(self.command(*argv), env=environment(self.home), cwd=self.home, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, text=True, check=False)
        return Result(p.returncode, p.stdout, p.stderr)

    def salvage(self, *args):
        return self.run(BIN, *args)

    def start_salvage(self, *args, uid=None):
        """In the background, with a log in JSON."""
        prefix = ["setpriv", "--reuid=%d" % uid, "--regid=%d" % uid, "--clear-groups"] if uid else []
        b = Background(self.command(*prefix, BIN, *args, "--log", "json"), environment(self.home), self.home, None)
        b.inside = self.inside(b.process)
        self.backgrounds.append(b)
        return b

    def start(self, *argv, **more):
        return subprocess.Popen(self.command(*argv), **more)

    @staticmethod
    def inside(process):
        """What nsenter has started, as the machine knows it."""
        return wait_for(lambda: children(process.pid), 10, "nsenter has started nothing")[0]

    @staticmethod
    def inner(pid):
        return int(status(pid)["NSpid"].split()[-1])

    @staticmethod
    def stop(background, how=signal.SIGTERM):
        """nsenter passes no signals on. Returns the exit code."""
        os.kill(background.inside, how)
        return background.end()

    def close(self):
        """The kernel ends all that is inside."""
        self.holder.kill()
        self.holder.wait()
        for b in self.backgrounds:
            b.kill()
