# SPDX-License-Identifier: Apache-2.0
"""A small file system on a loop device that can be frozen: who writes to it then hangs in the kernel."""
import subprocess

import pytest

from helpers.proc import require_root


class Disk:
    def __init__(self, folder):
        require_root("it mounts a file system")
        image, self.mount = folder / "disk", folder / "mount"
        self.frozen = False
        with open(image, "wb") as out:
            out.truncate(32 << 20)
        self.mount.mkdir()
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
        mounted = subprocess.run(["mount", "-o", "loop", str(image), str(self.mount)], stderr=subprocess.PIPE, check=False)
        if mounted.returncode:
            pytest.skip("no loop devices here: %s" % mounted.stderr.decode())

    def freeze(self):
        subprocess.run(["fsfreeze", "-f", str(self.mount)], check=True)
        self.frozen = True

    def thaw(self):
        subprocess.run(["fsfreeze", "-u", str(self.mount)], check=True)
        self.frozen = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.frozen:
            self.thaw()
        subprocess.run(["umount", "-l", str(self.mount)], check=True)
