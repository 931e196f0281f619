# SPDX-License-Identifier: Apache-2.0
"""salvage node with `cores`: the handler of crashes comes and goes with the configuration, and a pod's core goes where the
rule of its namespace says."""
import concurrent.futures
import json
import os
import pathlib
import resource
import signal
import subprocess
import uuid

import pytest

from helpers.core_pattern import LIMIT, PATTERN, kept_core_pattern
from helpers.proc import require_root, wait_for
from helpers.stores import Folder

pytestmark = pytest.mark.serial
NATIVE = pathlib.Path(__file__).resolve().parent / "native"
NODE = """
destinations:
  shop: {{url: "file://{work}/shop", credentials: {work}/keys/shop}}
  rest: {{url: "{rest}"}}
pod-logs: {work}/pod-logs
grace: 5s
cores: {{dir: {work}/core-home, any-limit: true{more}}}
rules:
  - {{name: shop, namespaces: [shop, "shop-*"], destination: shop}}
  - {{name: quiet, namespaces: quiet, destination: rest, cores: false}}
  - {{name: all, namespaces: "*", destination: rest}}
"""
WITHOUT = """
destinations: {{rest: {{url: "file://{work}/rest"}}}}
watch: {{trees: [{work}/tree]}}
rules: [{{name: all, namespaces: "*", destination: rest}}]
"""


class Pod:
    """A cgroup as the kubelet lays it out, and its folder of logs. What runs in it says that it is another."""

    def __init__(self, group, work, namespace, name):
        uid = str(uuid.uuid4())
        self.folder = group.folder / "kubepods" / ("pod" + uid) / (uuid.uuid4().hex * 2)
        self.folder.mkdir(parents=True)
        (work / "pod-logs" / ("%s_%s_%s" % (namespace, name, uid))).mkdir(parents=True)
        self.row = {"uid": uid, "namespace": namespace, "name": name}

    def crash(self, program, mib=1):
        command = ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(self.folder), str(program), str(mib)]
        process = subprocess.Popen(command, env={"PATH": "/usr/bin:/bin", "POD_NAMESPACE": "other", "POD_NAME": "liar"},
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1)))
        assert process.wait(30) == -signal.SIGSEGV

    def remove(self):
        for folder in (self.folder, self.folder.parent):
            wait_for(lambda folder=folder: removed(folder))


def removed(folder):
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


class Node:
    def __init__(self, salvage, work):
        self.salvage, self.work, self.home, self.file = salvage, work, work / "core-home", work / "node.yaml"
        self.stores = {name: Folder(work / name) for name in ("shop", "rest")}
        for name in ("keys/shop", "pod-logs", "tree"):
            (work / name).mkdir(parents=True)
        self.key = work / "keys/shop/AWS_ACCESS_KEY_ID"
        self.key.write_text("id-of-shop")
        self.write()

    def write(self, text=NODE, rest=None, more=""):
        new = self.work / "new.yaml"
        new.write_text(text.format(work=self.work, rest=rest or "file://%s/rest" % self.work, more=more))
        new.rename(self.file)

    def start(self):
        self.process = self.salvage.start("node", "--config", self.file, "--log", "json", "--reread", "200ms")
        return self.process

    def status(self):
        return json.loads(self.salvage.run("core", "status", "--dir", self.home, "--json").out)

    def config(self):
        return (self.home / "config.json").read_text()

    def wait(self, what, count=1):
        wait_for(lambda: self.status()["counts"][what] >= count, timeout=30,
                 why=lambda: (self.home / "log").read_text())

    def arrived(self, name):
        return sorted("/".join(key.split("/")[:2]) for key, m in self.stores[name].manifests() if m["kind"] == "core")


@pytest.fixture
def node(salvage, work):
    require_root("changes kernel.core_pattern")
    with kept_core_pattern():
        PATTERN.write_text("core.before-us\n")
        LIMIT.write_text("3\n")
        yield Node(salvage, work)


@pytest.fixture(scope="module")
def program(session_folder):
    target = session_folder / "podcrash"
    subprocess.run(["cc", "-g", "-O1", "-o", str(target), str(NATIVE / "crash.c")], check=True)
    return target


@pytest.fixture
def pods(groups, work):
    made = []

    def make(*names):
        group = groups(-1)
        made.extend(Pod(group, work, *name.split("/")) for name in names)
        return made

    yield make
    for pod in made:
        pod.remove()
        removed(pod.folder.parent.parent)


def test_a_pods_core_goes_where_its_namespaces_rule_says(node, program, pods):
    shop, quiet, other = pods("shop/cart-1", "quiet/web-1", "other/web-2")
    p = node.start()
    installed = p.wait("cores-installed")
    assert (installed["before"], installed["destinations"]) == ("core.before-us", 2)
    for pod in (shop, quiet, other):
        pod.crash(program)
    subprocess.run([str(program), "1"], check=False)  # in no pod
    node.wait("refused", 2)
    node.wait("stored", 2)
    assert node.arrived("shop") == ["shop/cart-1"] and node.arrived("rest") == ["other/web-2"]
    log = (node.home / "log").read_text()
    assert "no rule fits its pod" in log and "in no pod" in log
    # The agent's end leaves the handler; the next one finds all as it was before the first.
    assert p.stop() == 0 and node.status()["ours"]
    shop.crash(program)
    node.wait("stored", 3)
    p = node.start()
    assert p.wait("cores-installed")["before"] == "core.before-us"
    # Without the key it is taken back, with the keys of its stores.
    node.write(WITHOUT)
    p.wait("cores-uninstalled")
    assert (PATTERN.read_text(), LIMIT.read_text()) == ("core.before-us\n", "3\n")
    assert not {f.name for f in node.home.iterdir()} & {"salvage", "config.json"}
    assert p.stop() == 0


def test_the_handler_has_the_credentials_of_each_destination_and_gets_new_ones(node, work):
    token = work / "token"
    token.write_text("bearer first")
    node.write(NODE.replace('{{url: "{rest}"}}', '{{url: "{rest}", credentials: {work}/token}}'), rest="http://127.0.0.1:9/x")
    p = node.start()
    p.wait("cores-installed")
    sets = json.loads(node.config())["sets"]
    assert ["AWS_ACCESS_KEY_ID=id-of-shop" in s["environment"] for s in sets] == [True, False]
    named, = [a for a in sets[1]["arguments"] if a.startswith("--credentials-file=")]
    copy = pathlib.Path(named.partition("=")[2])
    # Under the handler's own folder: the host has no such mounts as the agent.
    assert copy.parent == node.home and copy.read_text() == "bearer first" and copy.stat().st_mode & 0o777 == 0o600
    assert (node.home / "config.json").stat().st_mode & 0o777 == 0o600
    token.write_text("bearer the second")
    wait_for(lambda: copy.read_text() == "bearer the second")
    node.key.write_text("another id")
    wait_for(lambda: "AWS_ACCESS_KEY_ID=another id" in node.config())
    node.key.unlink()
    assert "an empty folder" in p.wait("cores-failed")["error"]
    assert "another id" in node.config() and node.status()["ours"]
    node.key.write_text("a third")
    wait_for(lambda: "a third" in node.config())
    assert p.stop() == 0
    # An agent that starts without the key takes back what another has left.
    node.write(WITHOUT)
    p = node.start()
    p.wait("cores-uninstalled")
    assert not copy.exists() and p.stop() == 0 and PATTERN.read_text() == "core.before-us\n"


def test_where_labels_decide_the_table_of_pods_has_the_rule(node, program, pods, folder, work):
    mine, others, unknown, elsewhere = pods("shop/cart-1", "shop/cart-2", "plain/web-1", "shop/new-1")
    rows = [{**mine.row, "rule": "mine"}, {**others.row, "rule": "theirs"}]
    (work / "pods.json").write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in [{"schema": "salvage.pods/1"}, *rows]))
    node.salvage.ok("core", "install", "--dir", node.home, *folder.options(), "--any-limit", "--pod-logs", work / "pod-logs",
                    "--pods", work / "pods.json", "--pod-rule", "mine", "--namespace", "plain")
    for pod in (mine, others):
        pod.crash(program)
    node.wait("stored")
    node.wait("refused")
    # It is waited for, and then its namespace counts.
    with concurrent.futures.ThreadPoolExecutor() as both:
        list(both.map(lambda pod: pod.crash(program), (unknown, elsewhere)))
    node.wait("stored", 2)
    node.wait("refused", 2)
    assert sorted(key.split("/")[1] for key, m in folder.manifests() if m["kind"] == "core") == ["cart-1", "web-1"]


def test_a_handler_of_core_install_is_not_the_agents(node, folder):
    node.salvage.ok("core", "install", "--dir", node.home, *folder.options())
    before = PATTERN.read_text()
    node.write(WITHOUT)
    p = node.start()
    p.wait("started")
    assert p.stop() == 0 and PATTERN.read_text() == before and not p.named("cores-uninstalled")


def test_a_handler_whose_folder_is_gone_is_taken_out_of_the_kernel(node, folder):
    node.salvage.ok("core", "install", "--dir", node.home, *folder.options())
    (node.home / "config.json").unlink()
    assert node.salvage.run("core", "status", "--dir", node.home).code != 0
    node.salvage.ok("core", "uninstall")
    assert (PATTERN.read_text(), LIMIT.read_text()) == ("core\n", "0\n")
    assert "no handler is installed there" in node.salvage.ok("core", "uninstall", "--dir", node.home).err


def test_errors_of_cores_have_their_line(node):
    node.write(more=", pattern: sockt")
    result = node.salvage.run("node", "--check", node.file)
    assert result.code == 2 and "node.yaml:7: cores: pattern: pipe or socket" in result.err
    node.write(more=", rate: many")
    result = node.salvage.run("node", "--check", node.file)
    assert result.code == 2 and "node.yaml:7: cores/shop: --rate" in result.err
    node.write(WITHOUT.replace("destination: rest", "destination: rest, cores: true"))
    result = node.salvage.run("node", "--check", node.file)
    assert result.code == 2 and "node.yaml:4: cores: \"cores: true\" is missing at the top" in result.err
    node.write()
    result = node.salvage.ok("node", "--check", node.file)
    lines = {line.partition(":")[0]: line for line in result.lines}
    assert sorted(lines) == ["cores/rest", "cores/shop", "pods"]
    assert "'--namespace=!shop' '--namespace=!shop-*' --namespace=!quiet" in lines["cores/rest"].replace("'--namespace=!quiet'", "--namespace=!quiet")
