# SPDX-License-Identifier: Apache-2.0
"""`serve --kubernetes` against a real API server: two namespaces that can't see each other."""
import base64
import json
import os
import uuid

import pytest

from helpers import cluster
from helpers.cluster import Relay, command, kubectl
from helpers.proc import free_port
from helpers.serve import Serve

from test_serve_access import put

# What a Deployment of serve needs: it may ask whose token it is, and what they may do.
DELEGATOR = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: salvage-serve-%(ours)s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:auth-delegator"}
subjects: [{kind: ServiceAccount, name: salvage, namespace: %(ours)s}]
"""
TEAM = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: developers, namespace: %(team)s}
rules:
  - {apiGroups: [""], resources: [pods/log], verbs: [get]}
  - {apiGroups: [""], resources: [pods/exec], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: developers, namespace: %(team)s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: developers}
subjects: [{kind: ServiceAccount, name: developer, namespace: %(team)s}]
---
apiVersion: v1
kind: Pod
metadata: {name: cart-0, namespace: %(team)s}
spec: {serviceAccountName: cart, containers: [{name: cart, image: "localhost/pause:lab"}]}
"""


@pytest.fixture(scope="module", autouse=True)
def needs_a_cluster():
    missing = [name for name in cluster.NEEDED if not os.environ.get(name)]
    assert not missing, "set %s: these tests need a Kubernetes" % ", ".join(missing)


def token_of(namespace, account, audiences=(), pod=None):
    """As the kubelet asks for one, to project it into a pod."""
    spec = {"audiences": list(audiences), "expirationSeconds": 600}
    if pod:
        uid = kubectl("-n", namespace, "get", "pod", pod, "-o", "jsonpath={.metadata.uid}")
        spec["boundObjectRef"] = {"kind": "Pod", "apiVersion": "v1", "name": pod, "uid": uid}
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    answer = kubectl("create", "--raw", "/api/v1/namespaces/%s/serviceaccounts/%s/token" % (namespace, account), "-f", "-",
                     stdin=json.dumps(request))
    return json.loads(answer)["status"]["token"]


@pytest.fixture
def names():
    made = {name: "t-%s-%s" % (name, uuid.uuid4().hex[:8]) for name in ("shop", "pay", "ours")}
    for name in made.values():
        kubectl("create", "namespace", name)
    for team in ("shop", "pay"):
        for account in ("cart", "developer"):
            kubectl("-n", made[team], "create", "serviceaccount", account)
        kubectl("apply", "-f", "-", stdin=TEAM % {"team": made[team]})
    kubectl("-n", made["ours"], "create", "serviceaccount", "salvage")
    yield made
    kubectl("delete", "clusterrolebinding", "salvage-serve-" + made["ours"], "--ignore-not-found", check=False)
    kubectl("delete", "namespace", *made.values(), "--wait=false", check=False)


@pytest.fixture
def api(session_folder):
    """The API server, as this process reaches it: its certificate is for 127.0.0.1, too."""
    socket, port = str(session_folder / "api.socket"), free_port()
    relay = str(cluster.RELAY)
    processes = [Relay.start([*command("SALVAGE_TEST_K8S_SH"), "/usr/bin/python3", relay, "unix:" + socket, "tcp:127.0.0.1:443"]),
                 Relay.start(["/usr/bin/python3", relay, "tcp:127.0.0.1:%d" % port, "unix:" + socket])]
    yield "https://127.0.0.1:%d" % port
    for p in processes:
        p.terminate()
        p.wait()


@pytest.fixture
def start(salvage, work, api, names):
    account = work / "account"
    account.mkdir()
    config = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    ca = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"])
    (account / "ca.crt").write_bytes(ca)
    (account / "token").write_text(token_of(names["ours"], "salvage"))

    def begin(*args):
        serve = Serve(salvage, work, "--kubernetes", "--kubernetes-api", api, "--kubernetes-account", account, *args)
        for team in ("shop", "pay"):
            put(serve.root, names[team] + "/cart-0/a.hprof")
        return serve
    return begin


def test_two_namespaces_cannot_see_each_other(start, names):
    serve = start("--kubernetes-accounts")
    shop, pay = ("/%s/cart-0/" % names[team] for team in ("shop", "pay"))
    pod = token_of(names["shop"], "cart", ["salvage"], pod="cart-0")
    developer = token_of(names["shop"], "developer")

    # We ourselves may not ask yet: nobody gets in, and the log says what is missing.
    assert serve.get(shop + "a.hprof", token=developer).status == 503
    assert "system:auth-delegator" in serve.program.wait("issuer-unreachable")["error"]
    kubectl("apply", "-f", "-", stdin=DELEGATOR % names)

    # A pod writes in its namespace, and nothing else.
    assert serve.request("PUT", shop + "new.hprof", b"new", token=pod).status == 201
    assert serve.request("PUT", shop + "a.hprof", b"other", token=pod).status in (403, 409, 412)
    assert (serve.root / names["shop"] / "cart-0/a.hprof").read_bytes() == b"evidence"
    assert serve.request("PUT", pay + "new.hprof", b"new", token=pod).status == 404
    assert serve.get(shop + "a.hprof", token=pod).status == 404
    assert serve.get(pay + "a.hprof", token=pod).status == 404

    # Who may exec there reads there, and there alone.
    assert serve.get(shop + "a.hprof", token=developer).body == b"evidence"
    assert serve.get(pay + "a.hprof", token=developer).status == 404
    assert serve.request("DELETE", shop + "a.hprof", token=developer).status == 403
    other = token_of(names["pay"], "developer")
    assert serve.get(pay + "a.hprof", token=other).status == 200
    assert serve.get(shop + "a.hprof", token=other).status == 404

    # For somebody else; and none that the API server made.
    assert serve.get(shop + "a.hprof", token=token_of(names["shop"], "developer", ["vault"])).status == 401
    assert serve.get(shop + "a.hprof", token=developer[:-8] + "AAAAAAAA").status == 401
    who = {e["who"] for e in serve.program.named("audit") if "who" in e and e["key"] != "healthz"}
    assert who == {"pod:%s/cart-0" % names["shop"],
                   *("serviceaccount:%s/developer" % names[team] for team in ("shop", "pay"))}


def test_a_default_token_is_a_pods(start, names):
    kubectl("apply", "-f", "-", stdin=DELEGATOR % names)
    serve = start()
    refused = serve.get("/%s/cart-0/a.hprof" % names["shop"], token=token_of(names["shop"], "developer"))
    assert refused.status == 401 and b"audience 'salvage'" in refused.body
