# SPDX-License-Identifier: Apache-2.0
"""Cores of pods that know nothing of us, on a real Kubernetes: the agent of deploy/kustomize/node with its patch for cores."""
import contextlib
import datetime
import json
import os
import pathlib
import shutil
import signal
import subprocess
import uuid

import pytest

from helpers import cluster
from helpers.cluster import Namespace, kubectl, make_image
from helpers.core_pattern import LIMIT, PATTERN, kept_core_pattern
from helpers.proc import cmdline, wait_for
from helpers.stores import S3

NATIVE = pathlib.Path(__file__).resolve().parent / "native"
AGENT = """
destinations:
  a: {{url: "{url}/a", endpoint: "{endpoint}", region: us-east-1, credentials: /etc/salvage/store}}
  b: {{url: "{url}/b", endpoint: "{endpoint}", region: us-east-1, credentials: /etc/salvage/store}}
cores: {{dir: {host}/core, any-limit: true, spool: {host}/spool, rate: 5/hour}}
grace: 5s
rules:
  - {{name: a, namespaces: {a}, destination: a}}
  - {{name: b, namespaces: {b}, destination: b}}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  restartPolicy: Never
  containers:
    - name: app
      image: localhost/crash:salvage-test
      command: [/bin/sh, -c, "%s"]
      env: [{name: POD_NAMESPACE, value: other}, {name: POD_NAME, value: liar}]
      securityContext: {runAsUser: 1000}
"""


@pytest.fixture(scope="module")
def images(session_folder):
    missing = [name for name in (*cluster.NEEDED, "SALVAGE_STATIC_BIN") if not os.environ.get(name)]
    assert not missing, "set %s: these tests need a Kubernetes" % ", ".join(missing)
    folder = session_folder / "core-images"
    for image in ("salvage", "crash"):
        (folder / image / "bin").mkdir(parents=True)
        (folder / image / "tmp").mkdir()
        shutil.copy2(os.environ["SALVAGE_STATIC_BIN"], folder / image / "bin" / "sh")
    shutil.copy2(os.environ["SALVAGE_STATIC_BIN"], folder / "salvage" / "salvage")
    subprocess.run(["cc", "-static", "-O1", "-o", str(folder / "crash/crash"), str(NATIVE / "crash.c")], check=True)
    for image in ("salvage", "crash"):
        make_image("localhost/%s:salvage-test" % image, folder / image)


class Two:
    """Two namespaces, and an agent for both in the first."""

    def __init__(self, work, s3, endpoint):
        self.host = pathlib.Path("/var/lib/salvage") / ("t-" + uuid.uuid4().hex[:6])
        self.mine = Namespace(work, None, s3)
        self.stores = {n: S3(s3.client, s3.bucket, endpoint, s3.env, s3.prefix + "/" + n) for n in ("a", "b")}
        self.other = "t-" + uuid.uuid4().hex[:8]
        kubectl("create", "namespace", self.other)
        for base in ("node", "node-uninstall"):
            for path in (self.mine.folder / base).glob("*.yaml"):
                text = path.read_text().replace("/var/lib/salvage/core", str(self.host / "core"))
                path.write_text(text.replace("/var/lib/salvage/spool", str(self.host / "spool"))
                                .replace("/var/lib/salvage/dumps", str(self.host / "dumps"))
                                .replace("/var/lib/salvage/node", str(self.host / "node")))
        (self.mine.folder / "node/config/node.yaml").write_text(
            AGENT.format(url=s3.url, endpoint=endpoint, host=self.host, a=self.mine.name, b=self.other))

    def start(self, namespace, name, command):
        kubectl("-n", namespace, "apply", "-f", "-", stdin=POD % (name, command))

    def arrived(self, destination, name):
        """What is stored of a pod, by kind."""
        found = [(k, m) for k, m in self.stores[destination].manifests() if "/%s/" % name in k]
        return {m["kind"]: (k, m) for k, m in found}

    def events(self, event):
        text = self.mine.kubectl("logs", "-l", "app=salvage-node", "--tail=-1", check=False)
        return [line for line in text.splitlines() if " event=%s " % event in line]

    def count(self, end):
        """Cores with that end, as the ledger has them; it is written in place."""
        with contextlib.suppress(OSError, ValueError):
            return json.loads((self.host / "core/ledger.json").read_text())["counts"][end]
        return 0

    def log(self):
        path = self.host / "core" / "log"
        return "%s\n%s" % (path.read_text() if path.exists() else "no handler's log", self.mine.story())

    def wait(self, what, timeout=60):
        return wait_for(what, timeout, self.log, step=0.3)

    def close(self):
        kubectl("delete", "namespace", self.other, "--wait=false", check=False)
        self.mine.close()
        shutil.rmtree(self.host, ignore_errors=True)


@pytest.fixture
def two(images, work, s3, s3_endpoint):
    with kept_core_pattern():
        t = Two(work, s3, s3_endpoint)
        yield t
        t.close()


def agents():
    return [int(pid) for pid in filter(str.isdigit, os.listdir("/proc"))
            if cmdline(int(pid)).startswith(b"/salvage\0node\0--config")]


def test_pods_that_crash_leave_their_core_and_a_crash_loop_costs_a_neighbour_nothing(two):
    before = PATTERN.read_text(), LIMIT.read_text()
    patch = (two.mine.folder / "node" / "cores.yaml").read_text()
    two.mine.apply("node", config=False, images=["salvage"], patches=[patch])
    two.wait(lambda: two.events("cores-installed"))
    assert PATTERN.read_text().startswith("|%s/core/salvage " % two.host)

    # A loop of crashes in one namespace, the victim in the other.
    two.start(two.mine.name, "hostile", "while :; do /crash 0; done")
    two.wait(lambda: two.count("limited") > 50)
    two.start(two.other, "victim", "/crash 8; sleep 60")
    two.wait(lambda: {"core", "crash"} <= two.arrived("b", "victim").keys())
    key, m = two.arrived("b", "victim")["core"]
    where = m["where"]
    assert (where["namespace"], where["pod"], where["container"]) == (two.other, "victim", "app")
    pod = json.loads(kubectl("-n", two.other, "get", "pod", "victim", "-o", "json"))
    assert where["pod_uid"] == pod["metadata"]["uid"] and m["origin"]["detail"] == "SIGSEGV (11)"
    assert where["node"] == pod["spec"]["nodeName"] and two.stores["b"].check(key, m)[:4] == b"\x7fELF"
    record = json.loads(two.stores["b"].check(*two.arrived("b", "victim")["crash"]))
    stored = two.stores["b"].head(key)["LastModified"]
    assert stored - datetime.datetime.fromisoformat(record["time"]) < datetime.timedelta(seconds=10)
    assert set(two.arrived("a", "hostile")) == {"core", "crash"} and not two.arrived("a", "victim")
    kubectl("-n", two.mine.name, "delete", "pod", "hostile", "--grace-period=0", "--force", "--wait=false")

    # The agent is killed while a core is read: the handler is no child of it.
    two.start(two.other, "large", "/crash 200")
    two.wait(lambda: two.count("taking"))
    for pid in agents():
        os.kill(pid, signal.SIGKILL)
    two.wait(lambda: "core" in two.arrived("b", "large"))
    assert "partial" not in two.arrived("b", "large")["core"][1]

    # The agent is deleted, and its handler stays; what is for that takes it back.
    two.mine.kubectl("delete", "daemonset", "salvage-node", "--wait=false")
    two.wait(lambda: not agents())
    assert PATTERN.read_text().startswith("|")
    two.mine.apply("node-uninstall", config=False, images=["salvage"])
    two.wait(lambda: (PATTERN.read_text(), LIMIT.read_text()) == before)
    assert not [f.name for f in (two.host / "core").iterdir() if f.name in ("salvage", "config.json")]
