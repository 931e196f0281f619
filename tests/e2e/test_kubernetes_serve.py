# SPDX-License-Identifier: Apache-2.0
"""`serve --kubernetes` against a real API server: two namespaces that can't see each other."""
import base64
import json
import os
import shutil
import uuid

import pytest

from helpers import cluster
from helpers.cluster import Relay, command, kubectl, make_image
from helpers.proc import free_port, wait_for
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


# serve in a pod, as it finds the API server by itself; and a pod that ships one dump to it and ends.
SERVER = """
apiVersion: v1
kind: Pod
metadata: {name: serve, namespace: %(ours)s}
spec:
  serviceAccountName: salvage
  securityContext: {runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532}
  containers:
    - name: serve
      image: localhost/salvage:salvage-serve-test
      command: [/salvage, serve, --root=/data, --kubernetes, "--listen=:8080", --log=json]
      volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, emptyDir: {}}]
"""
SHIPPER = """
apiVersion: v1
kind: Pod
metadata: {name: %(name)s, namespace: %(team)s}
spec:
  restartPolicy: Never
  serviceAccountName: cart
  containers:
    - name: salvage
      image: localhost/salvage:salvage-serve-test
      command: [/salvage, sh, -c, "echo JAVA PROFILE 1.0.2 >/tmp/app.hprof; exec /salvage ship --give-up 20s /tmp/app.hprof"]
      env:
        - {name: SALVAGE_TO, value: "http://%(address)s:8080/"}
        - {name: SALVAGE_TOKEN_FILE, value: /var/run/secrets/salvage/token}
        - {name: POD_NAMESPACE, value: %(claimed)s}
        - {name: POD_NAME, value: %(name)s}
      volumeMounts: [{name: tmp, mountPath: /tmp}, {name: token, mountPath: /var/run/secrets/salvage, readOnly: true}]
  volumes:
    - {name: tmp, emptyDir: {}}
    - name: token
      projected: {sources: [{serviceAccountToken: {audience: %(audience)s, expirationSeconds: 600, path: token}}]}
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
    wanted = {"pod:%s/cart-0" % names["shop"],
              *("serviceaccount:%s/developer" % names[team] for team in ("shop", "pay"))}
    wait_for(lambda: {e["who"] for e in serve.program.named("audit") if "who" in e} - {"anonymous"} == wanted)


def test_a_default_token_is_a_pods(start, names):
    kubectl("apply", "-f", "-", stdin=DELEGATOR % names)
    serve = start()
    refused = serve.get("/%s/cart-0/a.hprof" % names["shop"], token=token_of(names["shop"], "developer"))
    assert refused.status == 401 and b"audience 'salvage'" in refused.body


@pytest.fixture(scope="module")
def image(session_folder):
    folder = session_folder / "serve-image"
    (folder / "tmp").mkdir(parents=True)
    shutil.copy2(os.environ["SALVAGE_STATIC_BIN"], folder / "salvage")
    make_image("localhost/salvage:salvage-serve-test", folder)


def pod(namespace, name):
    return json.loads(kubectl("-n", namespace, "get", "pod", name, "-o", "json"))["status"]


def test_a_sidecar_ships_to_serve_with_no_key_of_any_store(image, names):
    kubectl("apply", "-f", "-", stdin=DELEGATOR % names)
    kubectl("apply", "-f", "-", stdin=SERVER % names)

    def log():
        return kubectl("-n", names["ours"], "logs", "serve", check=False)
    wait_for(lambda: '"serving"' in log(), 60, log, step=0.5)
    # The kubelet reports a pod's address some time after the container has written its first lines.
    address = wait_for(lambda: pod(names["ours"], "serve").get("podIP"), 60, log, step=0.5)

    def ship(name, claimed, audience="salvage"):
        kubectl("apply", "-f", "-", stdin=SHIPPER % {"name": name, "team": names["shop"], "claimed": claimed,
                                                     "address": address, "audience": audience})
        ended = wait_for(lambda: [c["state"]["terminated"] for c in pod(names["shop"], name).get("containerStatuses", [])
                                  if "terminated" in c["state"]], 60, log, step=0.5)
        return ended[0]["exitCode"], kubectl("-n", names["shop"], "logs", name)

    code, text = ship("cart-1", names["shop"])
    assert code == 0 and "http://%s:8080/%s/cart-1/" % (address, names["shop"]) in text, (text, log())
    # The namespace is proven, not claimed; and a token for somebody else is none.
    for other in (ship("liar", names["pay"]), ship("stranger", names["shop"], "vault")):
        assert other[0] != 0, (other, log())
    events = [json.loads(line) for line in log().splitlines() if line.startswith("{")]
    stored = [e for e in events if e["event"] == "audit" and e["action"] == "upload"]
    assert {e["who"] for e in stored} == {"pod:%s/cart-1" % names["shop"]}
    assert {e["key"].partition("/")[0] for e in stored} == {names["shop"]}


# A pod that was started without us; its second container has no JVM.
APPLICATION = """
apiVersion: v1
kind: Pod
metadata: {name: basket, namespace: %(team)s}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - {name: app, image: "localhost/java:lab", command: [/opt/java/bin/java, -Xmx32m, -cp, /, Oom, "600000"]}
    - {name: proxy, image: "localhost/pause:lab"}
"""
AGENT = """
destinations: {server: {url: "%(url)s", credentials: %(token)s}}
pods: {node: labnode}
state: %(state)s
requests: {url: "%(url)s", credentials: %(token)s}
rules: [{name: shop, namespaces: %(shop)s, destination: server}]
"""


def test_who_may_exec_gets_evidence_of_a_pod_by_the_agent_of_its_node(salvage, start, names, work):
    kubectl("apply", "-f", "-", stdin=DELEGATOR % names)
    kubectl("apply", "-f", "-", stdin=APPLICATION % {"team": names["shop"]})
    kubectl("-n", names["ours"], "create", "serviceaccount", "agent")
    serve = start("--kubernetes-accounts", "--agents", names["ours"] + "/agent")
    (work / "token").write_text(token_of(names["ours"], "agent", ["salvage"]))
    (work / "node.yaml").write_text(AGENT % {"url": serve.url, "token": work / "token", "state": work / "state", **names})
    node = salvage.start("node", "--config", work / "node.yaml", "--log", "json")
    node.wait("requests-ready")
    wait_for(lambda: "pid " in kubectl("-n", names["shop"], "logs", "basket", "-c", "app", check=False), 60, step=0.5)

    def ask(token, what, **more):
        body = json.dumps({"namespace": names["shop"], "pod": "basket", "what": what, **more})
        answer = serve.request("POST", "/-/api/requests", body, token=token)
        if answer.status != 202:
            return answer.status, json.loads(answer.body)["error"]
        path = answer.headers["Location"] + "?wait=50"
        return 202, json.loads(serve.get(path, token=token, timeout=70).body)

    # Of another team's namespace nothing is taken.
    status, sentence = ask(token_of(names["pay"], "developer"), "threads")
    assert status == 403 and "may not `create pods/exec`" in sentence
    assert ask(token_of(names["shop"], "cart"), "threads")[0] == 403
    developer = token_of(names["shop"], "developer")
    for what in ("threads", "heap-dump"):
        status, done = ask(developer, what)
        assert status == 202 and done["state"] == "done", (done, node.log, serve.program.log)
        manifest = json.loads(serve.get("/" + done["key"] + ".json", token=developer).body)
        where = manifest["where"]
        assert (where["namespace"], where["pod"], where["container"]) == (names["shop"], "basket", "app")
        assert manifest["process"]["pid"] == 1 and "partial" not in manifest
    assert "no JVM runs in the pod's container proxy" in ask(developer, "threads", container="proxy")[1]["error"]
    status = pod(names["shop"], "basket")["containerStatuses"]
    assert [c["restartCount"] for c in status] == [0, 0]
    assert node.stop() == 0
