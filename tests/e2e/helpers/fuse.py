# SPDX-License-Identifier: Apache-2.0
"""A file system in user space that can be made to hang: a folder, shown at another place by bindfs."""
import os
import shutil
import signal
import subprocess

import pytest

from helpers.proc import require_root, wait_for


def mounted(path):
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        return any(line.split()[1] == str(path) for line in mounts)


class Fuse:
    """back: the folder itself; mount: where it is seen through FUSE."""

    def __init__(self, folder, mount):
        require_root("it mounts a file system")
        if not os.path.exists("/dev/fuse") or not shutil.which("bindfs"):
            pytest.skip("no /dev/fuse or no bindfs here")
        self.back, self.mount = folder / "back", mount
        self.back.mkdir()
        self.server = None
        self.start()

    def start(self):
        self.server = subprocess.Popen(["bindfs", "-f", str(self.back), str(self.mount)], stdin=subprocess.DEVNULL)
        wait_for(lambda: mounted(self.mount), why="bindfs mounts nothing")

    def stop(self):
        self.server.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.server.send_signal(signal.SIGCONT)

    def kill(self):
        """What it showed is an error from now on (ENOTCONN)."""
        self.server.kill()
        self.server.wait()

    def unmount(self):
        subprocess.run(["umount", "-l", str(self.mount)], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        while mounted(self.mount):
            self.unmount()
