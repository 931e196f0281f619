# SPDX-License-Identifier: Apache-2.0
"""deploy/kustomize on a real Kubernetes: JVMs in pods run out of memory, or are asked for a dump; the evidence is in the store."""
import json
import os
import pathlib
import shutil
import subprocess
import urllib.parse
import zipfile

import pytest

from helpers import cluster
from helpers.cluster import Namespace, Relay, kubectl, make_image
from helpers.proc import cmdline

MEMORY = """
apiVersion: {version}
kind: {kind}
metadata: {{name: {name}}}
spec: {spec}
"""
SMALL_HEAP = json.dumps({"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx24m -XX:TieredStopAtLevel=1"})


def patch(kind, name, container):
    """The application with a small heap: its dumps are a test's, not a production's."""
    pod = '{containers: [{name: %s, env: [%s]}]}' % (container, SMALL_HEAP)
    if kind == "Deployment":
        return MEMORY.format(version="apps/v1", kind=kind, name=name, spec="{template: {spec: %s}}" % pod)
    return MEMORY.format(version="v1", kind=kind, name=name, spec=pod)


def put_binary(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(os.environ["SALVAGE_STATIC_BIN"], path)


@pytest.fixture(scope="module")
def images(session_folder, java_classes):
    """salvage's own image; and an application on a root file system that has a JRE and no shell, once as it is, once with
    salvage as its /bin/sh."""
    missing = [name for name in (*cluster.NEEDED, "SALVAGE_STATIC_BIN", "SALVAGE_TEST_ROOTFS")
               if not os.environ.get(name)]
    assert not missing, "set %s: these tests need a Kubernetes" % ", ".join(missing)
    folder = session_folder / "images"
    application = folder / "cart"
    subprocess.run(["cp", "-a", os.environ["SALVAGE_TEST_ROOTFS"], str(folder.parent / "cart-root")], check=True)
    folder.mkdir()
    (folder.parent / "cart-root").rename(application)
    with zipfile.ZipFile(application / "app.jar", "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nMain-Class: Oom\n")
        for path in pathlib.Path(java_classes).glob("*.class"):
            jar.write(path, path.name)
    assert not (application / "bin" / "sh").exists()
    make_image("localhost/cart:salvage-test", application)
    make_image("localhost/batch:salvage-test", application)
    put_binary(application, "bin/sh")
    make_image("localhost/checkout:salvage-test", application)
    own = folder / "salvage"
    put_binary(own, "salvage", "bin/sh")
    (own / "tmp").mkdir()
    make_image("localhost/salvage:salvage-test", own)


@pytest.fixture(scope="module")
def relay(session_folder, s3_endpoint):
    relay = Relay(session_folder, urllib.parse.urlsplit(s3_endpoint).netloc, 18480)
    yield relay
    relay.close()


@pytest.fixture
def namespace(images, work, relay, s3):
    n = Namespace(work, relay, s3)
    yield n
    n.close()


def living(namespace, base):
    """The application of deploy/kustomize/BASE as one that lives on."""
    for path in (namespace.folder / base).glob("deployment.yaml"):
        text = path.read_text()
        assert "- -jar\n" in text
        path.write_text(text.replace("- -jar\n", "- -cp\n").replace("- /app.jar\n", "- /app.jar\n            - Churn\n"))
    # Churn waits for the end of its input.
    pod = "{containers: [{name: cart, stdin: true, env: [%s]}]}" % SMALL_HEAP
    return MEMORY.format(version="apps/v1", kind="Deployment", name="cart", spec="{template: {spec: %s}}" % pod)


def ready(namespace):
    """The pods of the application whose JVM has come up."""
    return [pod for pod in namespace.pods("app=cart") if pod["status"].get("phase") == "Running"
            and all(c["ready"] for c in pod["status"]["containerStatuses"])
            and "ready" in namespace.kubectl("logs", pod["metadata"]["name"], "-c", "cart", check=False)]


def arrived(s3, namespace, pod, count, cause=("java-oom",)):
    """The manifests of a pod, once there are so many."""
    found = [(key, m) for key, m in s3.manifests() if m["where"].get("pod") == pod]
    if len(found) < count:
        return None
    for key, manifest in found:
        assert key.startswith("%s/%s/" % (namespace.name, pod)), key
        assert manifest["cause"] in cause and "partial" not in manifest, manifest
        evidence = s3.check(key, manifest)
        assert evidence.startswith(b"JAVA PROFILE") or manifest["name"].endswith((".txt", ".json"))
    assert len({(m["id"], m["name"]) for _, m in found}) == len(found)
    return [m for _, m in found]


def test_the_sidecar_ships_both_dumps_of_a_pod(namespace, s3):
    namespace.apply("sidecar", patches=[patch("Deployment", "cart", "cart")])
    pod = namespace.wait(lambda: namespace.pods("app=cart"))[0]
    name, node = pod["metadata"]["name"], kubectl("get", "nodes", "-o", "name").strip().partition("/")[2]
    manifests = namespace.wait(lambda: arrived(s3, namespace, name, 2))
    where = manifests[0]["where"]
    assert where["namespace"] == namespace.name and where["pod_uid"] == pod["metadata"]["uid"]
    assert where["container"] == "cart" and where["node"] == node
    state = next(c for c in namespace.pods("app=cart")[0]["status"]["containerStatuses"] if c["name"] == "salvage")
    assert state["restartCount"] == 0 and state["ready"], state


def test_the_daemonset_ships_dumps_under_the_name_of_their_pod(namespace, s3):
    host = "/var/lib/salvage/" + namespace.name
    for path in (namespace.folder / "daemonset").glob("*.yaml"):
        path.write_text(path.read_text().replace("/var/lib/salvage/dumps", host))
    namespace.apply("daemonset")
    namespace.wait(lambda: [p for p in namespace.pods("app=salvage") if p["status"].get("phase") == "Running"
                            and p["status"]["containerStatuses"][0]["ready"]])
    application = (namespace.folder / "daemonset" / "application.yaml").read_text()
    namespace.apply(None, resources=[application], patches=[patch("Pod", "cart", "cart")], images=["cart"])
    manifests = namespace.wait(lambda: arrived(s3, namespace, "cart", 2))
    where = manifests[0]["where"]
    assert where["namespace"] == namespace.name and "pod_uid" not in where and "container" not in where
    assert where["node"] == kubectl("get", "nodes", "-o", "name").strip().partition("/")[2]
    shutil.rmtree(host, ignore_errors=True)


def test_a_pod_without_sidecar_ships_by_the_hook(namespace, s3):
    namespace.apply("hook", patches=[patch("Deployment", "checkout", "checkout")])
    pod = namespace.wait(lambda: namespace.pods("app=checkout"))[0]
    name = pod["metadata"]["name"]
    manifests = namespace.wait(lambda: arrived(s3, namespace, name, 2))
    assert manifests[0]["where"]["container"] == "checkout"
    # Where it went stands in the container's own log; that of the last container but one is thrown away.
    namespace.wait(lambda: any(s3.url in namespace.kubectl("logs", name, *which, check=False)
                               for which in ((), ("--previous",))), 60)


def test_what_is_under_way_when_a_pod_is_deleted_still_arrives(namespace, s3):
    namespace.apply("sidecar", patches=[patch("Deployment", "cart", "cart")])
    pod = namespace.wait(lambda: namespace.pods("app=cart"))[0]
    namespace.wait(lambda: [c for c in namespace.pods("app=cart")[0]["status"].get("containerStatuses", [])
                            if c["name"] == "cart" and (c["restartCount"] or "terminated" in c["state"])])
    namespace.kubectl("delete", "deployment", "cart", "--wait=false")
    namespace.wait(lambda: arrived(s3, namespace, pod["metadata"]["name"], 1))


def test_a_job_ends_after_its_application_with_its_status_and_its_dump(namespace, s3):
    # kustomize of the lab's age puts no environment into a Job by a patch: the file itself is changed.
    path = namespace.folder / "job" / "job.yaml"
    text = path.read_text()
    assert "args: [java, " in text and "backoffLimit: 1" in text
    # A heap of 24 MiB can be full before the JVM is armed, which takes up to half a second.
    path.write_text(text.replace("args: [java, ", "args: [java, -Xmx96m, -XX:TieredStopAtLevel=1, ")
                    .replace("backoffLimit: 1", "backoffLimit: 0"))
    namespace.apply("job", images=["batch", "salvage"])
    pod = namespace.wait(lambda: [p for p in namespace.pods("app=batch")
                                  if "terminated" in (p["status"].get("containerStatuses") or [{"state": {}}])[0]["state"]])[0]
    assert arrived(s3, namespace, pod["metadata"]["name"], 1)
    assert [c["state"]["terminated"]["exitCode"] for c in pod["status"]["containerStatuses"]] == [3]
    namespace.wait(lambda: json.loads(namespace.kubectl("get", "job", "batch", "-o", "json"))["status"].get("failed"))


def only(items):
    """The one that there is, in a list; None while there are more, or none."""
    items = list(items)
    return items if len(items) == 1 else None


def addresses(namespace):
    """Of the pods that the Service leads to."""
    answer = json.loads(namespace.kubectl("get", "endpoints", "cart", "-o", "json"))
    return {a["targetRef"]["name"] for subset in answer.get("subsets", []) for a in subset.get("addresses", [])}


def test_a_pod_is_taken_out_of_service_dumped_and_put_back(namespace, s3):
    """docs/look-into-a-jvm.md, by hand."""
    namespace.apply("jvm", patches=[living(namespace, "sidecar")])
    namespace.kubectl("expose", "deployment", "cart", "--port=80")
    name = namespace.wait(lambda: ready(namespace))[0]["metadata"]["name"]
    namespace.wait(lambda: addresses(namespace) == {name})

    namespace.kubectl("label", "pod", name, "app=cart-held", "--overwrite")
    other = namespace.wait(lambda: ready(namespace))[0]["metadata"]["name"]
    namespace.wait(lambda: addresses(namespace) == {other})
    assert other != name

    table = namespace.kubectl("exec", name, "-c", "salvage", "--", "/salvage", "jvm", "ps").splitlines()
    assert len(table) == 2 and "Churn" in table[1], table
    pid = table[1].split()[0]
    assert pid != "1"
    assert '"main"' in namespace.kubectl("exec", name, "-c", "salvage", "--", "/salvage", "jvm", "threads", pid)
    told = namespace.kubectl("exec", name, "-c", "salvage", "--", "/salvage", "jvm", "dump", pid)
    manifest, = arrived(s3, namespace, name, 1, ["manual"])
    assert told == s3.url_of(manifest["key"]) + "\n" and manifest["where"]["container"] == "cart"

    namespace.kubectl("label", "pod", name, "app=cart", "--overwrite")
    # One is too many then: the ReplicaSet ends the one that was made in its place.
    kept, = namespace.wait(lambda: only(pod for pod in namespace.pods("app=cart")
                                        if "deletionTimestamp" not in pod["metadata"]))
    assert kept["metadata"]["name"] == name
    assert [c["restartCount"] for c in kept["status"]["containerStatuses"]] == [0, 0]
    namespace.wait(lambda: addresses(namespace) == {name})


def test_a_pod_that_is_deleted_leaves_threads_histogram_and_dump(namespace, s3):
    namespace.apply("prestop", patches=[living(namespace, "prestop")])
    name = namespace.wait(lambda: ready(namespace))[0]["metadata"]["name"]
    assert s3.keys() == []
    namespace.kubectl("delete", "deployment", "cart", "--wait=false")
    # The pod itself goes seconds later.
    namespace.wait(lambda: not [pod for pod in namespace.pods("app=cart") if pod["metadata"]["name"] == name
                                and "terminated" not in pod["status"]["containerStatuses"][0]["state"]])
    manifests = arrived(s3, namespace, name, 3, ["prestop"])
    assert manifests, s3.keys()
    assert sorted(m["name"].partition("-")[0] for m in manifests) == ["histogram.txt", "java_pid1", "threads.txt"]
    assert len({m["key"].rpartition("/")[0] for m in manifests}) == 1
    assert {m["where"]["container"] for m in manifests} == {"cart"}


LEAK = """
apiVersion: v1
kind: Pod
metadata: {name: cart, labels: {app: cart}}
spec:
  restartPolicy: Never
  containers:
    - name: cart
      image: cart
      # It leaks as soon as there is a line on its input.
      command: [java, -Xmx64m, -XX:+UseSerialGC, -XX:TieredStopAtLevel=1, -XX:MaxDirectMemorySize=4g, -cp, /app.jar, Leak,
        "20"]
      stdin: true
      securityContext: {runAsUser: 65532, runAsGroup: 65532}
      resources: {limits: {memory: 203Mi}} # nobody else's
"""


def guard_said(namespace, event):
    """The guard's events of one name so far."""
    text = namespace.kubectl("logs", "-l", "app=salvage-guard", "--tail=-1", check=False)
    return [e for e in map(json.loads, text.splitlines()) if e["event"] == event]


def guards():
    """The processes of guards on the node; a pod is seen for much longer than its processes live."""
    return [pid for pid in filter(str.isdigit, os.listdir("/proc")) if b"guard\0--all\0--state=/state" in cmdline(int(pid))]


def short(manifest):
    name = manifest["name"]
    return name if name.startswith("oom-kill") else name.partition("-")[0]


@pytest.mark.parametrize("kernel_log", [False, True], ids=["capabilities", "privileged"])
def test_a_pod_that_the_kernel_kills_has_left_its_evidence_to_the_guard(namespace, s3, kernel_log):
    host = "/var/lib/salvage/" + namespace.name
    path = namespace.folder / "guard" / "guard.yaml"
    path.write_text(path.read_text().replace("/var/lib/salvage/guard", host))
    privileged = (namespace.folder / "guard" / "privileged.yaml").read_text()
    namespace.apply("guard", patches=[privileged] if kernel_log else [], SALVAGE_LOG="json")
    namespace.apply(None, resources=[LEAK], images=["cart"])
    namespace.wait(lambda: ready(namespace))
    # Its pause process's is one, too: the pod's limit holds for both.
    namespace.wait(lambda: [e for e in guard_said(namespace, "guarding") if e["limit"] == "203.0 MiB"][1:])
    namespace.kubectl("attach", "cart", "--stdin", stdin="\n", check=False)
    state = namespace.wait(lambda: namespace.pods("app=cart")[0]["status"]["containerStatuses"][0]["state"]
                           .get("terminated"))
    assert state["exitCode"] == 137 and state["reason"] == "OOMKilled", state
    wanted = {"guard.json", "histogram.txt", "java_pid1", "stats.json", "threads.txt"}
    wanted |= {"oom-kill.json"} if kernel_log else set()

    def all_of_it():
        found = arrived(s3, namespace, "cart", len(wanted), ("pressure", "oom-kill")) or []
        return found if wanted <= set(map(short, found)) else None
    manifests = namespace.wait(all_of_it)
    # Without the kernel log a counter tells of the kill, if the cgroup is still there when it is read.
    assert set(map(short, manifests)) <= wanted | {"oom-kill.json"}
    assert len(manifests) == len(set(map(short, manifests)))
    assert len({m["id"] for m in manifests}) == 1
    assert {(m["where"]["namespace"], m["where"]["pod"]) for m in manifests} == {(namespace.name, "cart")}
    # One case: none of the pause process.
    cases = [e for e in guard_said(namespace, "guard-case") if "203.0 MiB" in e["why"]]
    assert len(cases) == 1, cases
    made = namespace.wait(lambda: [e for e in guard_said(namespace, "guard-made") if e["target"] == cases[0]["target"]])
    assert [e["whole"] for e in made] == [True]
    state = namespace.pods("app=salvage-guard")[0]["status"]["containerStatuses"][0]
    assert state["restartCount"] == 0 and state["ready"], state
    # It watches the whole node: no other test's.
    namespace.kubectl("delete", "daemonset", "salvage-guard", "--wait=false")
    namespace.wait(lambda: not guards())
    shutil.rmtree(host, ignore_errors=True)


AGENT = """
destinations:
  store: {{url: "{url}", endpoint: "{endpoint}", region: us-east-1, credentials: /etc/salvage/store}}
watch: {{trees: [/dumps], dir-mode: "1777"}}
guard: {{when: "memory>=95%", do: stats}}
state: /state
grace: 45s
rules:
  - {{name: mine, namespaces: {namespace}, destination: store}}
  - {{name: rest, namespaces: "*", destination: store, watch: false, guard: off}}
"""


def agent_said(namespace, event):
    text = namespace.kubectl("logs", "-l", "app=salvage-node", "--tail=-1", check=False)
    return [line for line in text.splitlines() if " event=%s " % event in line]


FOLDERS = """
destinations:
  store: {{url: "{url}", endpoint: "{endpoint}", region: us-east-1, credentials: /etc/salvage/store}}
watch: {{volumes: true}}
state: /state
grace: 45s
rules:
  - {{name: mine, namespaces: {namespace}, destination: store}}
"""
UNTOUCHED = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: {name}}}, annotations: {{salvage.dev/watch: "{watch}"}}}}
spec:
  containers:
    - name: cart
      image: cart
      command: [java, -Xmx24m, -XX:TieredStopAtLevel=1, -XX:+HeapDumpOnOutOfMemoryError, -XX:HeapDumpPath={path}, {more}]
      stdin: true
      securityContext: {{runAsUser: 65532, runAsGroup: 65532}}
      volumeMounts: [{{name: dumps, mountPath: /dumps}}]
  volumes: [{{name: dumps, emptyDir: {{}}}}]
"""


def kubelet_folder():
    """Of this node's kubelet, by its command line."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        words = cmdline(int(pid)).split(b"\0")
        if words[0].endswith(b"/kubelet") and b"--root-dir" in words:
            return pathlib.Path(words[words.index(b"--root-dir") + 1].decode())
    return pathlib.Path("/var/lib/kubelet")


def test_pods_that_know_nothing_of_salvage_leave_what_their_annotation_names(namespace, s3):
    """An emptyDir whose JVM runs out of memory twice, at one path; a container's own /tmp; a pod with links out of its volume."""
    host, folder, kubelet = "/var/lib/salvage/" + namespace.name, namespace.folder / "node", kubelet_folder()
    for path, old, new in ((folder / "daemonset.yaml", "/var/lib/salvage/", host + "/"),
                           (folder / "volumes.yaml", "path: /var/lib/kubelet/pods", "path: %s/pods" % kubelet),
                           (folder / "pods.yaml", "namespace: salvage", "namespace: " + namespace.name),
                           (folder / "pods.yaml", "name: salvage-node-pods", "name: salvage-" + namespace.name)):
        path.write_text(path.read_text().replace(old, new))
    (folder / "config" / "node.yaml").write_text(
        FOLDERS.format(url=s3.url, endpoint=namespace.relay.endpoint, namespace=namespace.name))
    namespace.apply("node", config=False, images=["salvage"],
                    patches=[(folder / "volumes.yaml").read_text()])
    namespace.apply(None, images=["cart"], resources=[
        UNTOUCHED.format(name="cart", watch="volume:dumps", path="/dumps", more="-XX:+ExitOnOutOfMemoryError, -jar, /app.jar"),
        UNTOUCHED.format(name="layer", watch="cart:/tmp", path="/tmp", more="-cp, /app.jar, LaterOom"),
        UNTOUCHED.format(name="hostile", watch="volume:dumps, cart:/proc, volume:other", path="/dumps", more="-cp, /app.jar, Churn")])

    def volume(pod):
        uid = namespace.pods("app=" + pod)[0]["metadata"]["uid"]
        return kubelet / "pods" / uid / "volumes" / "kubernetes.io~empty-dir" / "dumps"
    hostile = namespace.wait(lambda: agent_said(namespace, "pod-folder") and volume("hostile"))
    namespace.wait(hostile.exists)
    for name, target in (("java_pid1.hprof", volume("cart") / "java_pid1.hprof"), ("etc", "/etc"), (".salvage", volume("cart"))):
        (hostile / name).symlink_to(target)
    namespace.wait(lambda: [e for e in agent_said(namespace, "pod-folder") if "/layer/" in e])
    namespace.kubectl("attach", "layer", "--stdin", stdin="\n", check=False)
    where = namespace.wait(lambda: arrived(s3, namespace, "layer", 1))[0]["where"]
    assert where["container"] == "cart" and where["pod_uid"] == namespace.pods("app=layer")[0]["metadata"]["uid"]
    namespace.wait(lambda: arrived(s3, namespace, "cart", 2))
    state = namespace.pods("app=cart")[0]["status"]["containerStatuses"][0]
    assert state["restartCount"] >= 1, state
    refused = agent_said(namespace, "pod-folder-refused")
    assert len(refused) == 2 and all("pod=hostile" in e for e in refused), "\n".join(refused)
    assert not [m for _, m in s3.manifests() if m["where"].get("pod") == "hostile"]
    assert not agent_said(namespace, "component-died")
    namespace.kubectl("delete", "daemonset", "salvage-node", "--wait=false")
    kubectl("delete", "clusterrole,clusterrolebinding", "salvage-" + namespace.name)
    namespace.wait(lambda: not [pid for pid in filter(str.isdigit, os.listdir("/proc"))
                                if b"--pods=/state/run/pods.json" in cmdline(int(pid))])
    shutil.rmtree(host, ignore_errors=True)


def test_the_agent_ships_and_guards_the_pods_of_a_rules_namespaces(namespace, s3):
    host = "/var/lib/salvage/" + namespace.name
    folder = namespace.folder / "node"
    for path in (folder / "daemonset.yaml", namespace.folder / "daemonset" / "application.yaml"):
        path.write_text(path.read_text().replace("/var/lib/salvage/dumps", host + "/dumps")
                        .replace("/var/lib/salvage/node", host + "/node"))
    (folder / "config" / "node.yaml").write_text(
        AGENT.format(url=s3.url, endpoint=namespace.relay.endpoint, namespace=namespace.name))
    leak = LEAK.replace("name: cart, labels: {app: cart}", "name: leak, labels: {app: leak}")
    other = leak.replace("name: leak", "name: " + namespace.name).replace("203Mi", "207Mi").replace(
        "image: cart", "image: localhost/cart:salvage-test")
    kubectl("-n", "default", "apply", "-f", "-", stdin=other)
    namespace.wait(lambda: kubectl("-n", "default", "get", "pod", namespace.name, "-o", "jsonpath={.status.phase}") == "Running")
    namespace.apply("node", config=False, images=["salvage"])
    namespace.wait(lambda: agent_said(namespace, "started"))
    application = (namespace.folder / "daemonset" / "application.yaml").read_text()
    # A pod can't choose who it is.
    leak = leak.replace("      stdin: true", "      env: [{name: POD_NAMESPACE, value: other}, {name: POD_NAME, value: liar}]\n      stdin: true")
    namespace.apply(None, resources=[application, leak], patches=[patch("Pod", "cart", "cart")], images=["cart"])
    where = namespace.wait(lambda: arrived(s3, namespace, "cart", 2))[0]["where"]
    assert where["namespace"] == namespace.name
    guarded = namespace.wait(lambda: [e for e in agent_said(namespace, "guarding") if "203.0 MiB" in e])
    assert all(" component=guard/mine target=%s/leak/" % namespace.name in line for line in guarded), guarded
    # The other namespace's pod has a limit, too, and has been there for longer.
    assert not [e for e in agent_said(namespace, "guarding") if "207.0 MiB" in e]
    assert not agent_said(namespace, "guard-unwatched") and not agent_said(namespace, "component-died")
    state = namespace.pods("app=salvage-node")[0]["status"]["containerStatuses"][0]
    assert state["restartCount"] == 0 and state["ready"], state
    kubectl("-n", "default", "delete", "pod", namespace.name, "--wait=false")
    namespace.kubectl("delete", "daemonset", "salvage-node", "--wait=false")
    namespace.wait(lambda: not [pid for pid in filter(str.isdigit, os.listdir("/proc"))
                                if b"--state=/state/guard-" in cmdline(int(pid))])
    shutil.rmtree(host, ignore_errors=True)


CHOSEN = """
destinations:
  paid: {{url: "{url}/paid", endpoint: "{endpoint}", region: us-east-1, credentials: /etc/salvage/store}}
  rest: {{url: "{url}/rest", endpoint: "{endpoint}", region: us-east-1, credentials: /etc/salvage/store}}
watch: {{trees: [/dumps], dir-mode: "1777"}}
state: /state
grace: 45s
rules:
  - {{name: paid, namespaces: "t-*", labels: {{tier: paid}}, destination: paid}}
  - {{name: mine, namespaces: "t-*", destination: rest}}
"""
TWIN = """
apiVersion: v1
kind: Pod
metadata: {{name: twin, namespace: {namespace}, labels: {{app: twin, tier: {tier}}}}}
spec:
  hostname: twin
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  automountServiceAccountToken: false
  containers: [{{name: app, image: "localhost/cart:salvage-test", command: [/pause]}}]
"""


def known_pods(host):
    path = pathlib.Path(host, "node/run/pods.json")
    rows = [json.loads(line) for line in path.read_text().splitlines()[1:]] if path.exists() else []
    return {row["namespace"]: row for row in rows if row["name"] == "twin"}


def destinations_of(s3, namespace):
    return [key.split("/")[0] for key in s3.keys() if key.split("/")[1] == namespace and key.endswith(".hprof.zst")]


def drop_dump(host, namespace):
    folder = pathlib.Path(host, "dumps", namespace, "twin")
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath("app.hprof").write_bytes(b"JAVA PROFILE 1.0.2\0" + bytes(3) + b"\x08" + bytes(8) + b"\x2c" + bytes(8))


def test_labels_choose_between_two_pods_of_one_name_and_what_is_known_outlives_pod_agent_and_rights(namespace, s3):
    host = "/var/lib/salvage/" + namespace.name
    other, folder = namespace.name + "-b", namespace.folder / "node"
    path = folder / "daemonset.yaml"
    path.write_text(path.read_text().replace("/var/lib/salvage/dumps", host + "/dumps").replace("/var/lib/salvage/node", host + "/node"))
    (folder / "config" / "node.yaml").write_text(CHOSEN.format(url=s3.url, endpoint=namespace.relay.endpoint))
    kubectl("create", "namespace", other)
    try:
        kubectl("apply", "-f", "-", stdin="---".join(TWIN.format(namespace=n, tier=t) for n, t in ((namespace.name, "paid"), (other, "free"))))
        namespace.apply("node", config=False, images=["salvage"])
        namespace.wait(lambda: known_pods(host).get(namespace.name, {}).get("rule") == "paid" and
                       known_pods(host).get(other, {}).get("rule") == "mine")
        for n in namespace.name, other:
            namespace.wait(lambda n=n: known_pods(host)[n]["containers"][0].get("id"))
            drop_dump(host, n)
        namespace.wait(lambda: destinations_of(s3, namespace.name) == ["paid"] and destinations_of(s3, other) == ["rest"])
        # The pod goes, and then the agent: the next one still knows its label.
        kubectl("-n", namespace.name, "delete", "pod", "twin", "--wait=false")
        namespace.wait(lambda: known_pods(host)[namespace.name].get("gone"))
        agent = namespace.pods("app=salvage-node")[0]["metadata"]["name"]
        kubectl("delete", "clusterrolebinding", "salvage-node-pods")
        namespace.kubectl("delete", "pod", agent)
        failed = namespace.wait(lambda: agent_said(namespace, "pod-source-failed"))
        assert "403" in failed[0] and "source=api" in failed[0], failed
        drop_dump(host, namespace.name)
        namespace.wait(lambda: destinations_of(s3, namespace.name) == ["paid", "paid"])
        assert not agent_said(namespace, "component-died")
    finally:
        kubectl("delete", "namespace", other, "--wait=false", check=False)
        namespace.kubectl("delete", "daemonset", "salvage-node", "--wait=false", check=False)
        kubectl("delete", "clusterrole,clusterrolebinding", "salvage-node-pods", check=False)
    shutil.rmtree(host, ignore_errors=True)
