# SPDX-License-Identifier: Apache-2.0
"""The kubelet's folder of pods and the node agent's table of them, as plain files."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import uuid

from helpers.eaters import removed
from helpers.proc import wait_for

HEAD = '{"schema":"salvage.pods/1"}\n'


class Kubelet:
    def __init__(self, work):
        self.folder, self.table = work / "kubelet", work / "run" / "pods.json"
        (self.folder / "pods").mkdir(parents=True)
        self.table.parent.mkdir()
        self.rows = {}
        self.write()

    def options(self, *rules):
        return ["--pods", self.table, "--kubelet", self.folder, *["--pod-rule=" + rule for rule in rules or ("all",)]]

    def write(self):
        new = self.table.with_suffix(".new")
        new.write_text(HEAD + "".join(json.dumps(row) + "\n" for row in self.rows.values()))
        new.rename(self.table)

    def pod(self, namespace, name, watch=None, volumes=("dumps",), rule="all", made=True, **more):
        """A pod with emptyDirs; returns the pod's UID."""
        uid = str(uuid.uuid4())
        self.rows[uid] = {"uid": uid, "namespace": namespace, "name": name, "rule": rule, "known": True,
                          "phase": "Running", "volumes": list(volumes), "containers": [],
                          "annotations": {"salvage.dev/watch": watch} if watch else {}, **more}
        for volume in volumes if made else ():
            self.volume(uid, volume).mkdir(parents=True)
            self.volume(uid, volume).chmod(0o777)
        self.write()
        return uid

    def change(self, uid, **fields):
        self.rows[uid].update(fields)
        self.write()

    def volume(self, uid, name="dumps"):
        return self.folder / "pods" / uid / "volumes" / "kubernetes.io~empty-dir" / name

    def remove(self, uid):
        """As the kubelet does: the volumes first."""
        shutil.rmtree(self.folder / "pods" / uid)
        self.rows[uid]["gone"] = "2026-11-30T00:00:00Z"
        self.write()


def descriptors_below(pid, path):
    """What a process has open there."""
    found = []
    for name in os.listdir("/proc/%d/fd" % pid):
        try:
            target = os.readlink("/proc/%d/fd/%s" % (pid, name))
        except OSError:
            continue
        if target.startswith(str(path)):
            found.append(target)
    return found


CONTAINER = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def mount(*args):
    assert libc.mount(*args) == 0, (args, os.strerror(ctypes.get_errno()))
def tmpfs(path):
    mount(b"none", path.encode(), b"tmpfs", 0, b"mode=1777")
base = sys.argv[1]
assert libc.unshare(0x20000) == 0
mount(None, b"/", None, 0x44000, None)
tmpfs(base)
for name in ("lower", "upper", "work", "root"):
    os.mkdir(base + "/" + name)
for name in ("tmp", "mnt"):
    os.mkdir(base + "/lower/" + name)
os.chmod(base + "/lower/tmp", 0o1777)
mount(b"none", (base + "/root").encode(), b"overlay", 0,
      ("lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work" % (base, base, base)).encode())
os.chroot(base + "/root")
os.chdir("/")
print("ready", flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""


class Container:
    """A process with a layer of its own (an overlay) in the cgroup of a pod's container, which does what it is told in
    Python."""

    def __init__(self, groups, work, pod):
        self.id = uuid.uuid4().hex * 2
        above = groups(256 << 20)
        self.folder = above.folder / "kubepods" / ("pod" + pod) / self.id
        self.folder.mkdir(parents=True)
        base = work / ("container-" + self.id[:8])
        base.mkdir()
        self.process = subprocess.Popen([sys.executable, "-c", CONTAINER, str(base)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        (self.folder / "cgroup.procs").write_text(str(self.process.pid))
        assert self.process.stdout.readline() == "ready\n"

    def do(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def file(self, path):
        return pathlib.Path("/proc/%d/root%s" % (self.process.pid, path))

    def end(self):
        self.process.kill()
        self.process.communicate()

    def close(self):
        self.end()
        for folder in (self.folder, self.folder.parent, self.folder.parent.parent):
            wait_for(lambda folder=folder: removed(folder), why="in use")
