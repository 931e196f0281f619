# SPDX-License-Identifier: Apache-2.0
"""The kubelet's folder of pods and the node agent's table of them, as plain files."""
import json
import os
import shutil
import uuid

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
