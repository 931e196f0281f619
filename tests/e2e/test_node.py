# SPDX-License-Identifier: Apache-2.0
"""salvage node: rules for namespaces become watches and guards, which live as long as the configuration wants them."""
import json
import os
import pathlib
import re
import signal
import socket
import urllib.request
import uuid

import pytest

from helpers import openmetrics
from helpers.eaters import POD, Pod
from helpers.kube_events import KubeEvents
from helpers.evidence import drop
from helpers.pods_api import PodsApi, pod
from helpers.proc import require_root, wait_for
from helpers.program import ROOT
from helpers.stores import Folder

TWO = """
destinations:
  shop: {{url: "file://{work}/shop", credentials: {work}/keys/shop}}
  rest: {{url: "file://{work}/rest"}}
watch: {{trees: [{work}/tree]}}
pod-logs: {work}/pod-logs
grace: 5s
state: {work}/state
rules:
  - {{name: shop, namespaces: [shop, "shop-*"], destination: shop}}
  - {{name: quiet, namespaces: quiet, destination: rest, watch: false}}
  - {{name: all, namespaces: "*", destination: rest}}
"""


class Node:
    """An agent, and what its pods do."""

    def __init__(self, salvage, work):
        self.salvage, self.work, self.tree = salvage, work, work / "tree"
        self.stores = {name: Folder(work / name) for name in ("shop", "rest")}
        self.keys = work / "keys" / "shop"
        for folder in (self.tree, self.keys, work / "pod-logs"):
            folder.mkdir(parents=True)
        (self.keys / "AWS_ACCESS_KEY_ID").write_text("id-of-shop\n")
        (self.keys / ".hidden").write_text("not a variable")
        self.file = work / "node.yaml"
        self.write(TWO)

    def write(self, text):
        """As a ConfigMap does: another file under the same name."""
        new = self.work / "new.yaml"
        new.write_text(text.format(work=self.work))
        new.rename(self.file)

    def check(self):
        return self.salvage.run("node", "--check", self.file)

    def start(self, **env):
        self.process = self.salvage.start("node", "--config", self.file, "--log", "json", "--reread", "200ms", env=env)
        self.process.wait("started", component="watch/shop")
        self.process.wait("started", component="watch/rest")
        return self.process

    def pod_dies(self, namespace, pod, has_logs=True):
        folder = self.tree / namespace / pod
        folder.mkdir(parents=True, exist_ok=True)
        if has_logs and not list((self.work / "pod-logs").glob("%s_%s_*" % (namespace, pod))): # the kubelet knows it
            (self.work / "pod-logs" / ("%s_%s_%s" % (namespace, pod, uuid.uuid4()))).mkdir()
        drop(folder, "java_pid1.hprof")

    def arrived(self, name):
        return sorted("/".join(key.split("/")[:2]) for key, _ in self.stores[name].manifests())

    def pid(self, component):
        """Of its latest process."""
        return self.process.named("component-started", component=component)[-1]["pid"]


def metrics(address):
    with urllib.request.urlopen("http://%s/metrics" % address, timeout=10) as answer:
        return openmetrics.parse(answer.read())


@pytest.fixture
def node(salvage, work):
    return Node(salvage, work)


def variables(pid):
    text = pathlib.Path("/proc/%d/environ" % pid).read_bytes().decode()
    return dict(item.split("=", 1) for item in text.split("\0") if "=" in item)


def is_gone(pid):
    try:
        return pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_namespaces_evidence_goes_to_its_destination_also_after_a_kill(node):
    p = node.start(SALVAGE_KEEP="1", AWS_SECRET_ACCESS_KEY="of-the-agent")
    node.pod_dies("shop", "cart-1")
    node.pod_dies("shop-test", "cart-2")
    node.pod_dies("other", "web-1")
    node.pod_dies("quiet", "web-2")
    drop(node.tree, "java_pid1.hprof")
    wait_for(lambda: node.arrived("shop") == ["shop-test/cart-2", "shop/cart-1"], why=lambda: p.log)
    wait_for(lambda: node.arrived("rest") == ["other/web-1"], why=lambda: p.log)
    # Each component has its own credentials and no option by the environment.
    if os.geteuid() == 0:
        shop, rest = variables(node.pid("watch/shop")), variables(node.pid("watch/rest"))
        assert shop["AWS_ACCESS_KEY_ID"] == "id-of-shop" and "AWS_SECRET_ACCESS_KEY" not in shop
        assert rest["AWS_SECRET_ACCESS_KEY"] == "of-the-agent" and "AWS_ACCESS_KEY_ID" not in rest
        assert "SALVAGE_KEEP" not in shop
    assert not (node.tree / "shop/cart-1/java_pid1.hprof").exists()
    before = node.pid("watch/shop")
    os.kill(before, signal.SIGKILL)
    died = p.wait("component-died", component="watch/shop")
    assert died["error"] == "it was killed by signal 9" and "retry_in_s" in died
    node.pod_dies("shop", "cart-3")
    wait_for(lambda: "shop/cart-3" in node.arrived("shop"), why=lambda: p.log)
    assert node.pid("watch/shop") != before and len(p.named("component-started", component="watch/rest")) == 1
    assert p.stop() == 0
    assert len(p.named("component-ended", killed=False)) == 3
    # What no rule wants, and what lies in no namespace's folder, was left.
    assert (node.tree / "quiet/web-2/java_pid1.hprof").exists() and (node.tree / "java_pid1.hprof").exists()
    assert node.arrived("rest") == ["other/web-1"]


def test_a_changed_configuration_changes_only_what_it_must(node):
    p = node.start()
    first = {name: node.pid(name) for name in ("watch/shop", "watch/rest")}
    node.write(TWO.replace("grace", "gracee").replace("destination: shop", "destination: shpo"))
    p.wait("node-refused", count=2)
    assert {(e["line"], e["error"]) for e in p.named("node-refused")} == {
        (7, 'unknown key "gracee" of the configuration; did you mean "grace"?'),
        (10, 'there is no destination "shpo"; did you mean "shop"?')}
    node.write(TWO.replace("file://{work}/rest", "file://{work}/rest/deeper"))
    reloaded = p.wait("node-reloaded")
    assert [reloaded[key] for key in ("started", "changed", "removed", "kept")] == [0, 1, 0, 2]
    p.wait("component-started", count=2, component="watch/rest")
    assert node.pid("watch/shop") == first["watch/shop"] and node.pid("watch/rest") != first["watch/rest"]
    # New keys in the Secret: their component alone.
    (node.keys / "AWS_ACCESS_KEY_ID").write_text("another")
    p.wait("component-started", count=2, component="watch/shop")
    # A rule less, on SIGHUP.
    node.write(TWO.replace("  - {{name: all", "#"))
    os.kill(p.pid, signal.SIGHUP)
    assert p.wait("node-reloaded", count=2)["removed"] == 1
    p.wait("component-ended", count=2, component="watch/rest")
    assert p.stop() == 0 and len(p.named("component-started", component="watch/rest")) == 2


def test_claims_of_a_removed_destination_are_named(node):
    claims = node.tree / ".salvage-gone" / "spool"
    (claims / "0123456789abcdef").mkdir(parents=True)
    (node.tree / ".salvage-rest" / "spool" / "0123456789abcdef").mkdir(parents=True, mode=0o700)
    (node.tree / ".salvage-rest" / "spool").chmod(0o700)
    p = node.start()
    assert [(e["dir"], e["claims"]) for e in p.named("node-left-behind")] == [(str(claims.parent), 1)]
    assert p.stop() == 0


def test_its_components_end_with_it(node):
    p = node.start()
    pids = [node.pid("watch/shop"), node.pid("watch/rest")]
    p.kill(group=False)
    wait_for(lambda: all(is_gone(pid) for pid in pids), why=lambda: p.log)


def test_credentials_that_are_missing_are_waited_for(node):
    (node.keys / "AWS_ACCESS_KEY_ID").unlink()
    p = node.salvage.start("node", "--config", node.file, "--log", "json", "--reread", "100ms")
    assert "an empty folder" in p.wait("component-died", component="watch/shop")["error"]
    p.wait("started", component="watch/rest")
    (node.keys / "AWS_ACCESS_KEY_ID").write_text("id")
    p.wait("started", component="watch/shop")
    assert p.stop() == 0


def test_a_process_is_guarded_by_its_pods_rule_whatever_it_says_of_itself(node, groups, eat, work):
    pod = Pod(groups(-1), work)
    _, entry = pod.enter("app")
    eater = eat(*entry, "env", "POD_NAMESPACE=other", "POD_NAME=web-1")
    guarded = TWO.replace("grace", 'guard: {{when: "memory>=99%", do: stats, max-cases-all: 9/day}}\ngrace')
    node.write(guarded.replace("grace", "pods: false\ngrace"))
    p = node.start()
    for guard in ("guard/shop", "guard/quiet"):
        assert "is not known" in p.wait("guard-unwatched", component=guard)["error"]
    assert p.stop() == 0 and not p.named("guarding")
    (work / "pod-logs" / ("shop_cart-1_" + POD)).mkdir()
    node.write(guarded)
    p = node.start()
    assert p.wait("guarding", component="guard/shop", container=pod.ids[0])["target"] == "shop/cart-1/app"
    p.wait("store-ready", component="guard/quiet")
    assert not p.named("guarding", component="guard/quiet")
    assert p.stop() == 0
    eater.close()
    pod.remove()


@pytest.mark.serial
def test_a_kill_is_recorded_once_also_where_nothing_is_guarded(node, groups, eat, work):
    """By the guard that selects the pod, or without one by the destination's record of kills; at the pod an event says it."""
    api = KubeEvents()
    pod = Pod(groups(-1), work)
    (work / "pod-logs" / ("shop_cart-1_" + POD)).mkdir()
    node.write(TWO.replace("grace", 'kills: true\nnotify: "kubernetes:%s"\n'
                                    'guard: {{when: "memory>=1000G", do: stats}}\ngrace' % api.url)
               .replace("destination: shop}}", "destination: shop, guard: off}}"))
    p = node.start()
    for n, component in enumerate(("kills/shop", "guard/quiet")):
        p.wait("component-started", component=component)
        name, entry = pod.enter("app")
        eater = eat(*entry, "env", "POD_NAMESPACE=other", "POD_NAME=web-1")
        if n == 0: # the second is killed before it is a target
            p.wait("guarding", component=component, container=pod.ids[-1])
        assert not eater.take(200)
        told = p.wait("oom-kill", component=component)
        assert told["namespace"] in ("shop", "quiet") and told["pod"] == "cart-1", p.log
        p.wait("shipped", n + 1)
        p.wait("notice-sent", n + 1)
        for folder in (work / "pod-logs").glob("shop_*"):
            folder.rename(work / "pod-logs" / ("quiet_cart-1_" + POD))
    assert p.stop() == 0 and len(p.named("oom-kill")) == 2
    assert node.arrived("shop") == ["shop/cart-1"] and node.arrived("rest") == ["quiet/cart-1"]
    assert [e["involvedObject"]["uid"] for e in api.events.values()] == [POD, POD]
    api.close()
    pod.remove()


def test_errors_have_lines_and_come_all_at_once(node):
    node.file.write_text("destinations:\n  a: {url: 'file:///a'}\nrules:\n- {name: r, namespaces: x, destinaton: a}\n"
                         "- {name: s, namespaces: x, destination: a, guard: {wen: x}}\n")
    result = node.check()
    where = "salvage: %s:" % node.file
    assert result.code == 2 and result.err.splitlines() == [
        where + '4: a rule needs "destination"',
        where + '4: unknown key "destinaton" of a rule; did you mean "destination"?',
        where + '5: unknown key "wen" of guard; did you mean "when"?']
    # What only the commands know of is found, too.
    node.file.write_text("destinations: {a: {url: 'file:///a'}}\nrules:\n"
                         "- {name: r, namespaces: x, destination: a, guard: {when: 'memroy>=9%', do: heap-dumb}}\n")
    result = node.check()
    assert result.code == 2 and where + "3: guard/r: " in result.err and "memroy" in result.err
    assert node.salvage.run("node", "--config", node.file).code == 2
    node.file.write_text("rules: &a [*a, *a]\n")
    assert "anchors" in node.check().message
    node.file.unlink()
    assert node.check().code == 2 and "No such file" in node.check().message


def test_the_example_of_the_docs_is_good(node):
    example, = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "node.md").read_text(), re.S)
    node.file.write_text(example)
    result = node.check()
    assert result.code == 0, result
    assert [line.split(":")[0] for line in result.lines] == ["pods", "watch/shop", "watch/platform", "guard/shop", "guard/all"]


def test_watch_and_guard_need_to_know_where_namespaces_are(salvage, dumps, folder):
    result = salvage.run("watch", dumps, "--namespace", "shop", *folder.options())
    assert result.code == 2 and "--layout namespace/pod" in result.message
    result = salvage.run("guard", "--pid", "1", "--namespace", "shop", *folder.options())
    assert result.code == 2 and "--all" in result.message
    result = salvage.run("guard", "--all", "--namespace", "shop", "--pod-logs", dumps / "missing", *folder.options())
    assert result.code == 20 and "missing, which says the namespaces" in result.err


def test_metrics_are_those_of_all_components(node):
    node.write(TWO.replace("grace: 5s", "grace: 5s\nmetrics: 127.0.0.1:0"))
    process = node.start()
    address = process.wait("metrics")["address"]
    node.pod_dies("shop", "cart-1")
    node.pod_dies("other", "web-1")
    wait_for(lambda: len(process.named("shipped")) == 2, 20, "two are shipped")
    found = wait_for(lambda: (lambda m: m if m["salvage_shipped_objects_total"] == {"shop": 1, "other": 1} else None)(metrics(address)), 5,
                     "both watches count")
    assert found["salvage_events_total"]["component-started"] == 3 and found["salvage_waiting_claims"] == {"": 0}
    os.kill(node.pid("watch/shop"), signal.SIGKILL)
    wait_for(lambda: metrics(address)["salvage_events_total"]["component-died"] == 1, 10, "it dies")
    assert metrics(address)["salvage_shipped_objects_total"]["shop"] == 1


def test_what_waits_is_the_sum_of_all_watches_and_goes_with_them(node):
    node.write(TWO.replace("file://{work}/shop", "http://127.0.0.1:9/x").replace(", credentials: {work}/keys/shop", "")
               .replace("file://{work}/rest", "http://127.0.0.1:9/y").replace("grace: 5s", "grace: 1s\nmetrics: 127.0.0.1:0"))
    process = node.start()
    address = process.wait("metrics")["address"]
    for pod in "a", "b":
        node.pod_dies("shop", pod)
    node.pod_dies("other", "web-1")
    wait_for(lambda: metrics(address)["salvage_waiting_claims"] == {"": 3}, 20, "three wait")
    os.kill(node.pid("watch/shop"), signal.SIGSTOP)
    os.kill(node.pid("watch/shop"), signal.SIGKILL)
    wait_for(lambda: metrics(address)["salvage_waiting_claims"] == {"": 1}, 5, "those of the dead one are no longer counted")
    wait_for(lambda: metrics(address)["salvage_waiting_claims"] == {"": 3}, 20, "the next one has them again")


def test_an_address_that_is_taken_costs_the_metrics_alone(node):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        node.write(TWO.replace("grace: 5s", "grace: 5s\nmetrics: 127.0.0.1:%d" % taken.getsockname()[1]))
        process = node.start()
        assert "Address already in use" in process.wait("no-metrics")["error"]
        node.pod_dies("shop", "cart-1")
        process.wait("shipped")


LABELS = """
destinations:
  shop: {{url: "file://{work}/shop"}}
  rest: {{url: "file://{work}/rest"}}
watch: {{trees: [{work}/tree]}}
pod-logs: {work}/pod-logs
grace: 5s
state: {work}/state
pods: {{node: node-1, api: "{api}", account: {work}/account}}
rules:
  - {{name: paid, namespaces: "*", labels: {{tier: paid, app: "*"}}, destination: shop}}
  - {{name: all, namespaces: "*", destination: rest}}
"""


@pytest.fixture
def api(work):
    server = PodsApi(work)
    yield server
    server.close()


def table(node):
    file = node.work / "state/run/pods.json"
    rows = [json.loads(line) for line in file.read_text().splitlines()[1:]] if file.exists() else []
    return {"%s/%s" % (row["namespace"], row["name"]): row for row in rows}


def test_a_pods_labels_choose_its_destination_and_may_change(node, api):
    node.write(LABELS.replace("{api}", api.url))
    paid = {"tier": "paid", "app": "cart"}
    api.set(pod("a", "cart-1", paid))
    web = pod("b", "cart-1", {"tier": "free", "app": "cart"})
    api.set(web)
    api.set(pod("a", "no-app", {"tier": "paid"}))
    p = node.start()
    for namespace, name in ("a", "cart-1"), ("b", "cart-1"), ("a", "no-app"):
        node.pod_dies(namespace, name, has_logs=False)
    wait_for(lambda: node.arrived("shop") == ["a/cart-1"] and node.arrived("rest") == ["a/no-app", "b/cart-1"], why=lambda: p.log)
    # Another label, while the watches run; and another rule, which reads the pods' labels anew.
    web["metadata"]["labels"] = paid
    api.forget() # 410: the pods are listed anew
    api.set(web)
    wait_for(lambda: table(node)["b/cart-1"].get("rule") == "paid", why=lambda: p.log)
    node.pod_dies("b", "cart-1", has_logs=False)
    wait_for(lambda: node.arrived("shop") == ["a/cart-1", "b/cart-1"], why=lambda: p.log)
    node.write(LABELS.replace("{api}", api.url).replace("tier: paid, app", "tier: gold, app"))
    p.wait("node-reloaded")
    wait_for(lambda: {row["rule"] for row in table(node).values()} == {"all"}, why=lambda: p.log)
    assert not p.named("component-ended") and p.stop() == 0
    assert len([query for _, query in api.asked if "watch" not in query]) == 2


def test_a_pod_that_is_gone_is_known_for_longer_also_to_the_next_agent(node, api):
    node.write(LABELS.replace("{api}", api.url))
    uid = api.set(pod("a", "cart-1", {"tier": "paid", "app": "cart"}, owner=("StatefulSet", "cart"), restarts=4))
    p = node.start()
    wait_for(lambda: "a/cart-1" in table(node), why=lambda: p.log)
    api.remove(uid)
    wait_for(lambda: "gone" in table(node)["a/cart-1"], why=lambda: p.log)
    assert p.stop() == 0
    p = node.start()
    p.wait("pod-source", source="api")
    node.pod_dies("a", "cart-1", has_logs=False)
    wait_for(lambda: node.arrived("shop") == ["a/cart-1"], why=lambda: p.log)
    row = table(node)["a/cart-1"]
    assert row["ownerName"] == "cart" and row["containers"][0]["restarts"] == 4 and "gone" in row
    (_, manifest), = node.stores["shop"].manifests()
    assert manifest["where"]["owner"] == "StatefulSet/cart" and manifest["where"]["restarts"] == 4
    assert p.stop() == 0


def test_without_the_api_namespaces_decide_and_it_is_said(node, api):
    """A rule that asks for labels is passed over; once the API server answers, it counts."""
    node.write(LABELS.replace("{api}", api.url))
    api.refuse(403)
    item = pod("a", "cart-1", {"tier": "paid", "app": "cart"})
    api.set(item)
    p = node.start()
    assert "403" in p.wait("pod-source-failed", source="api")["error"]
    (node.work / "pod-logs" / ("a_cart-1_" + item["metadata"]["uid"]) / "app").mkdir(parents=True)
    wait_for(lambda: table(node).get("a/cart-1", {}).get("pending"), why=lambda: p.log)
    assert not p.named("pod-labels-unknown")
    api.refuse(None)
    api.token("second") # it is read again
    wait_for(lambda: table(node)["a/cart-1"].get("rule") == "paid", why=lambda: p.log)
    assert p.stop() == 0
    node.write(LABELS.replace("{api}", api.url).replace("account: {work}/account", "account: /nowhere"))
    (node.work / "state/run/pods.json").unlink()
    p = node.start()
    p.wait("pod-labels-unknown")
    node.pod_dies("a", "cart-1", has_logs=False)
    wait_for(lambda: node.arrived("rest") == ["a/cart-1"], why=lambda: p.log)
    assert p.stop() == 0


def test_check_says_which_rules_ask_for_labels(node):
    node.write(LABELS.replace("{api}", "http://127.0.0.1:1"))
    result = node.check()
    assert result.code == 0 and "rule paid asks for labels" in result.err and "list and watch pods" in result.err.replace("\n", " ")
    node.write(LABELS.replace("{api}", "http://127.0.0.1:1").replace("tier: paid", "tier: [paid]"))
    assert "labels: tier: a text is needed" in node.check().err


def test_the_kubelet_is_asked_in_the_place_of_the_api_server(node, api):
    """It has no watch: the folders of logs say when to ask again."""
    node.write(LABELS.replace("{api}", api.url).replace("api: ", "kubelet: "))
    first = pod("a", "cart-1", {"tier": "paid", "app": "cart"})
    api.set(first)
    p = node.start()
    wait_for(lambda: table(node).get("a/cart-1", {}).get("rule") == "paid", why=lambda: p.log)
    assert {path for path, _ in api.asked} == {"/pods"}
    second = pod("a", "cart-2", {"tier": "paid", "app": "cart"})
    api.set(second)
    (node.work / "pod-logs" / ("a_cart-2_" + second["metadata"]["uid"])).mkdir()
    api.remove(first["metadata"]["uid"])
    wait_for(lambda: table(node).get("a/cart-2", {}).get("rule") == "paid" and "gone" in table(node)["a/cart-1"], why=lambda: p.log)
    assert p.stop() == 0


def test_a_guard_follows_its_pods_labels(node, api, groups, eat, work):
    container = Pod(groups(-1), work)
    _, entry = container.enter("app")
    eater = eat(*entry)
    labels = {"tier": "paid", "app": "cart"}
    item = pod("a", "cart-1", labels, uid=POD)
    api.set(item)
    node.write(LABELS.replace("{api}", api.url).replace("grace", 'guard: {{when: "memory>=99%", do: stats}}\ngrace'))
    (work / "state/run").mkdir(parents=True, mode=0o700) # as an agent before has left it
    (work / "state/run/pods.json").write_text('{"schema":"salvage.pods/1"}\n' + json.dumps(
        {"uid": POD, "namespace": "a", "name": "cart-1", "rule": "paid", "known": True, "labels": labels}) + "\n")
    p = node.start()
    assert p.wait("guarding", component="guard/paid")["target"] == "a/cart-1/app"
    labels["tier"] = "free"
    api.set(item)
    assert p.wait("guarding", component="guard/all")["target"] == "a/cart-1/app"
    p.wait("guard-left", component="guard/paid")
    assert p.stop() == 0
    eater.close()
    container.remove()
