# SPDX-License-Identifier: Apache-2.0
"""A person asks `serve` for evidence of a pod, and the agent of its node takes it: the real ones of both, a JVM in a container as
a kubelet lays it out, and an API server that says who may."""
import json
import os
import signal

import pytest

from helpers import jvm
from helpers.eaters import POD, Pod
from helpers.kube_api import KubeApi
from helpers.proc import wait_for
from helpers.resting import Resting
from helpers.serve import Serve
from helpers.stores import Folder

CONFIG = """
destinations:
  server: {{url: "{url}", credentials: {work}/token}}
  aside: {{url: "file://{work}/aside"}}
pod-logs: {work}/pod-logs
pods: {{node: node-1}}
state: {work}/state
requests: {{url: "{url}/", credentials: {work}/token}}
rules:
  - {{name: shop, namespaces: shop, destination: {to}}}
  - {{name: closed, namespaces: "closed*", destination: aside, requests: false}}
"""


class Cluster:
    def __init__(self, salvage, work):
        self.salvage, self.work, self.api = salvage, work, KubeApi(work)
        self.api.allowed = {("ann", "create", "pods/exec", None)}
        self.ann = self.api.person("ann")
        (work / "pod-logs").mkdir()
        self.serve = Serve(salvage, work, "--kubernetes", "--kubernetes-api", self.api.url, "--kubernetes-account",
                           self.api.account, "--agents", "salvage/agent", "--no-digest")
        (work / "token").write_text(self.api.account_token("salvage", "agent", ["salvage"], pod="agent-x"))

    def write(self, to="server"):
        new = self.work / "new.yaml"
        new.write_text(CONFIG.format(url=self.serve.url, work=self.work, to=to))
        new.rename(self.work / "node.yaml")

    def start(self):
        self.write()
        self.node = self.salvage.start("node", "--config", self.work / "node.yaml", "--log", "json", "--reread", "200ms")
        self.node.wait("requests-ready")

    def name(self, namespace, pod, uid=POD):
        (self.work / "pod-logs" / ("%s_%s_%s" % (namespace, pod, uid))).mkdir()

    def ask(self, what, pod="cart-1", namespace="shop", wait=True, **more):
        body = json.dumps({"namespace": namespace, "pod": pod, "what": what, **more})
        answer = self.serve.request("POST", "/-/api/requests", body, token=self.ann)
        assert answer.status == 202, answer
        asked = json.loads(answer.body)
        return self.state(asked["id"], "?wait=50") if wait else asked

    def state(self, request, query=""):
        return json.loads(self.serve.get("/-/api/requests/" + request + query, token=self.ann, timeout=70).body)

    @property
    def log(self):
        return self.node.log + self.serve.program.log


@pytest.fixture
def cluster(salvage, work):
    cluster = Cluster(salvage, work)
    yield cluster
    cluster.api.close()
    assert cluster.api.wrong == []


@pytest.fixture
def pod(groups, work):
    pod = Pod(groups(-1), work)
    yield pod
    pod.remove()


@pytest.fixture
def app(pod, java_classes, cluster):
    """A JVM in the container `app`, beside another container without one."""
    cluster.name("shop", "cart-1")
    _, entry = pod.enter("app")
    running = [Resting([*entry, jvm.JDK_17 + "/bin/java", "-Xmx16m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
                        java_classes, "Rest"]).ready()]
    _, entry = pod.enter("proxy")
    running.append(Resting([*entry, "sh", "-c", "echo ready; exec cat"]).ready())
    yield running[0]
    for one in running:
        one.close()


def test_what_a_person_asks_for_is_taken_on_the_node_and_stored_as_a_case(cluster, app):
    cluster.start()
    for what, name in (("threads", "threads.txt"), ("histogram", "histogram.txt"), ("heap-dump", ".hprof"), ("core", "core.zst")):
        done = cluster.ask(what)
        assert done["state"] == "done", (done, cluster.log)
        assert done["node"] == "node-1" and done["key"].startswith("shop/cart-1/") and name in done["key"], done
        assert done["url"] == cluster.serve.url + "/" + done["key"]
        # Who asked may read it there.
        manifest = json.loads(cluster.serve.get("/" + done["key"] + ".json", token=cluster.ann).body)
        kind = {"threads": "thread-dump", "histogram": "class-histogram"}.get(what, what)
        assert (manifest["kind"], manifest["cause"]) == (kind, "manual")
        where = manifest["where"]
        assert (where["namespace"], where["pod"], where["container"], where["pod_uid"]) == ("shop", "cart-1", "app", POD)
    assert app.alive
    taken = cluster.node.wait("request-taken", what="core")
    assert (taken["who"], taken["namespace"], taken["pod"], taken["component"]) == ("user:ann", "shop", "cart-1", "requests")


def test_what_cannot_be_taken_is_said_to_who_asked(cluster, app):
    cluster.name("closed", "till", uid=POD.replace("6", "7"))
    cluster.name("shop", "gone", uid=POD.replace("6", "8"))
    cluster.start()
    failed = cluster.ask("threads", container="proxy")
    assert failed["state"] == "failed"
    assert "no JVM runs in the pod's container proxy; its containers with processes: " in failed["error"]
    failed = cluster.ask("threads", container="other")
    assert "no process runs in the container other; the pod's containers with processes: " in failed["error"]
    assert "no process of a container of the pod runs here" in cluster.ask("core", pod="gone")["error"]
    assert "takes no requests" in cluster.ask("threads", pod="till", namespace="closed")["error"]
    # Only its own destination gets it; a file with an error changes nothing.
    cluster.write(to="nowhere")
    cluster.node.wait("node-refused")
    assert cluster.ask("histogram")["key"].startswith("shop/cart-1/")
    cluster.write(to="aside")
    cluster.node.wait("node-reloaded")
    done = cluster.ask("threads")
    assert done["state"] == "done" and "key" not in done and done["url"].startswith("file://%s/aside/shop/cart-1/" % cluster.work)
    assert [m["kind"] for _, m in Folder(cluster.work / "aside").manifests()] == ["thread-dump"]
    app.close()
    assert "no JVM runs in the pod" in cluster.ask("heap-dump")["error"]


def test_a_server_that_comes_back_finds_its_agents_and_an_agent_that_ends_says_so(cluster, app):
    cluster.start()
    cluster.serve.restart()
    cluster.node.wait("requests-unreachable")
    cluster.node.wait("requests-ready", count=2)
    assert cluster.ask("threads")["state"] == "done", cluster.log
    # A JVM that does not answer: the agent ends before it.
    os.kill(app.pid, signal.SIGSTOP)
    asked = cluster.ask("threads", wait=False)
    wait_for(lambda: "taking the evidence" in cluster.state(asked["id"]).get("progress", ""), 20, lambda: cluster.log)
    assert cluster.node.stop() == 0
    ended = cluster.state(asked["id"], "?wait=30")
    assert ended["state"] == "failed" and ended["node"] == "node-1", (ended, cluster.log)


def test_an_agent_that_the_server_does_not_know_says_why(cluster):
    (cluster.work / "token").write_text(cluster.api.account_token("shop", "cart", ["salvage"]))
    cluster.write()
    node = cluster.salvage.start("node", "--config", cluster.work / "node.yaml", "--log", "json")
    assert "403" in node.wait("requests-unreachable")["error"]
    (cluster.work / "token").write_text(cluster.api.account_token("salvage", "agent", ["salvage"]))
    node.wait("requests-ready")
