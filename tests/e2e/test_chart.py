# SPDX-License-Identifier: Apache-2.0
"""deploy/helm/salvage: what Helm makes of it, in step with deploy/kustomize, and once on a real Kubernetes."""
import json
import os
import re
import shutil
import subprocess
import urllib.parse

import pytest
import yaml

from helpers import chart, cluster
from helpers.chart import CHART, EXAMPLES, as_typed, helm_in_cluster, kustomize, rendered, template
from helpers.cluster import Namespace, Relay, command, kubectl, make_image
from helpers.program import ROOT
from helpers.tls import Authority

LEAST = {"image": {"repository": "salvage"}, "store": {"url": "s3://evidence/prod"}}
SERVE = {"enabled": True, "publicUrl": "https://salvage.example"}
WORKLOADS = ("DaemonSet", "Deployment", "StatefulSet")
named = pytest.mark.parametrize("values", EXAMPLES, ids=lambda path: path.stem)


@pytest.fixture(scope="module", autouse=True)
def needs_tools():
    missing = [name for name in (*cluster.NEEDED, "SALVAGE_TEST_K8S_TOOLS") if not os.environ.get(name)]
    assert not missing, "set %s: these tests need a Kubernetes and Helm" % ", ".join(missing)


def merged(*structures):
    """The first, with what the others have."""
    whole = {}
    for structure in structures:
        for key, value in structure.items():
            whole[key] = merged(whole[key], value) if isinstance(value, dict) and isinstance(whole.get(key), dict) else value
    return whole


def of_kind(documents, *kinds):
    return [d for d in documents if d["kind"] in kinds]


def lost(ours, theirs, path=""):
    """Paths of what is in ours and not in theirs; empty values are none."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [p for k, v in ours.items() for p in (lost(v, theirs[k], path + "." + k) if k in theirs
                                                     else [path + "." + k] * bool(v))]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [p for n, v in enumerate(ours) for p in lost(v, theirs[n], "%s[%d]" % (path, n))]
    return []


# --- what is rendered --------------------------------------------------------------------------------------------------


def test_there_is_something_to_test():
    assert [path.stem for path in EXAMPLES] == ["aks", "eks", "gke", "k3s", "kind"]


@named
def test_an_example_is_right_for_helm_and_for_a_client_of_today(values):
    linted = chart.run("helm", "lint", "--strict", CHART, "-f", values)
    assert linted.returncode == 0 and "WARNING" not in linted.stdout + linted.stderr, linted.stdout
    workloads = of_kind(rendered(template(values)), *WORKLOADS)
    known = {(d["kind"], d["metadata"]["name"]): d for d in as_typed(workloads)}
    assert len(known) == len(workloads) >= 1
    for workload in workloads:
        assert lost(workload, known[workload["kind"], workload["metadata"]["name"]]) == []


def test_a_field_that_no_client_knows_is_found():
    workload = of_kind(rendered(template(LEAST)), "DaemonSet")[0]
    workload["spec"]["template"]["spec"]["hostPid"] = True
    assert lost(workload, as_typed([workload])[0]) == [".spec.template.spec.hostPid"]


@pytest.mark.parametrize("values, said", [
    ({}, "image.repository is required: make the image with scripts/image, push it to your registry, and name it here"),
    ({"image": LEAST["image"]}, "store.url is required: where agents ship to, as in s3://evidence/prod"),
    (merged(LEAST, {"serve": {"enabled": True}}), "serve.publicUrl is required"),
    (merged(LEAST, {"serve": {**SERVE, "mode": "bucket", "from": "s3://e/p"}}), "serve.cookieSecret is required"),
    (merged(LEAST, {"node": {"dumpspath": "/x"}}), "'dumpspath' not allowed"),
    (merged(LEAST, {"watch": {}}), "'watch' not allowed"),
    (merged(LEAST, {"store": {"url": "gs://bucket"}}), "does not match pattern"),
    (merged(LEAST, {"image": {"repository": "registry.example/salvage:1"}}), "does not match pattern"),
], ids=["image", "store", "publicUrl", "cookie", "misspelt", "unknown", "scheme", "tag"])
def test_what_cannot_work_is_refused_with_one_reason(values, said):
    done = template(values)
    assert done.returncode != 0 and said in done.stderr, done.stderr


def keys(values, schema, path=""):
    """Paths that the schema knows and values.yaml lacks."""
    return [p for name, below in schema["properties"].items() if name != "global"
            for p in ([path + name] if name not in values else
                      keys(values[name], below, path + name + ".") if "properties" in below else [])]


def test_the_schema_knows_no_value_that_is_not_there():
    """The other direction is Helm's own check of values.yaml."""
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    assert keys(values, json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))) == []


def pods(documents):
    return {d["metadata"]["name"]: d["spec"]["template"]["spec"] for d in of_kind(documents, *WORKLOADS)}


GUARD = {"node": {"config": {"guard": {"do": ["stats", "threads", "histogram"]}}}}
WATCHING = ["DAC_OVERRIDE", "FOWNER", "LEASE"]
GUARDING = [*WATCHING, "SYS_PTRACE", "SETUID", "SETGID", "IPC_LOCK"]


def node_of(values):
    """Its pod, and its configuration."""
    documents = rendered(template(merged(LEAST, values)))
    config, = [d for d in of_kind(documents, "ConfigMap") if "node.yaml" in d["data"]]
    return pods(documents)["salvage-node"], yaml.safe_load(config["data"]["node.yaml"])


def test_every_pod_is_as_restricted_as_its_work_allows():
    found = pods(rendered(template(merged(LEAST, {"serve": SERVE}))))
    assert set(found) == {"salvage-node", "salvage-serve"}
    for name, pod in found.items():
        container = pod["containers"][0]["securityContext"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert container["readOnlyRootFilesystem"] and not container["allowPrivilegeEscalation"]
        assert container["capabilities"]["drop"] == ["ALL"] and not container.get("privileged")
        assert not pod.get("hostPID") and not pod.get("hostNetwork")
        assert pod["automountServiceAccountToken"] # reviews; this node's pods
    pod, _ = node_of({"node": {"config": {"pods": False}}})
    assert not pod["automountServiceAccountToken"]
    assert found["salvage-serve"]["securityContext"]["runAsNonRoot"]
    assert "add" not in found["salvage-serve"]["containers"][0]["securityContext"]["capabilities"]


@pytest.mark.parametrize("config, capabilities, folders", [
    ({}, WATCHING, {"dumps", "pod-logs", "state"}),
    ({"guard": {"do": ["stats"]}}, GUARDING, {"dumps", "pod-logs", "state", "cgroup"}),
    ({"rules": [{"name": "a", "namespaces": ["*"], "destination": "store", "guard": {"do": ["signal:QUIT", "get:http://127.0.0.1/x"]}}]},
     [*GUARDING, "KILL", "SYS_ADMIN"], {"dumps", "pod-logs", "state", "cgroup"}),
    ({"watch": None, "guard": True}, ["DAC_OVERRIDE", "SYS_PTRACE", "SETUID", "SETGID", "IPC_LOCK"], {"pod-logs", "state", "cgroup"}),
    ({"watch": {"trees": None, "volumes": True}}, [*WATCHING, "SYS_PTRACE"], {"pod-logs", "state", "kubelet-pods"}),
    ({"watch": None, "requests": {"url": "https://x"}}, ["DAC_OVERRIDE", "SYS_PTRACE", "SETUID", "SETGID"], {"pod-logs", "state", "cgroup"}),
    ({"arm": True}, [*WATCHING, "SYS_PTRACE", "SETUID", "SETGID"], {"dumps", "pod-logs", "state"}),
], ids=["watch", "guard", "actions", "guard-alone", "volumes-alone", "requests-alone", "arm"])
def test_an_agent_has_what_its_configuration_needs(config, capabilities, folders):
    pod, _ = node_of({"node": {"config": config}})
    assert sorted(pod["containers"][0]["securityContext"]["capabilities"]["add"]) == sorted(capabilities)
    assert {v["name"] for v in pod["volumes"] if "hostPath" in v} == folders
    assert bool(pod.get("hostPID")) == bool({"cgroup", "kubelet-pods"} & folders or "arm" in config)


def test_folders_in_pods_take_what_the_kustomizations_patch_adds():
    patch = yaml.safe_load((cluster.DEPLOY / "node" / "volumes.yaml").read_text())["spec"]["template"]["spec"]
    without, _ = node_of(GUARD)
    pod, _ = node_of(merged(GUARD, {"node": {"config": {"watch": {"volumes": True}}}}))
    assert pod["volumes"] == without["volumes"] + patch["volumes"]
    mounts = [p["containers"][0].pop("volumeMounts") for p in (without, pod, patch)]
    assert mounts[1] == mounts[0] + mounts[2] and pod["containers"] == without["containers"] and pod["hostPID"]


def test_cores_take_what_the_kustomizations_patch_adds_and_no_capability():
    patch = yaml.safe_load((cluster.DEPLOY / "node" / "cores.yaml").read_text())["spec"]["template"]["spec"]
    without, _ = node_of({})
    pod, _ = node_of({"node": {"config": {"cores": {"spool": "/var/lib/salvage/spool"}}}})
    assert pod["volumes"] == without["volumes"] + patch["volumes"]
    mounts = [p["containers"][0].pop("volumeMounts") for p in (without, pod, patch)]
    assert mounts[1] == mounts[0] + mounts[2] and pod["containers"] == without["containers"]
    # The handler is taken back while its folder is still there.
    assert [v["name"] for v in node_of({"node": {"config": {"cores": False}}})[0]["volumes"]][-3:] == ["core-pattern", "core-pipe-limit", "cores"]


def test_requests_take_what_the_kustomizations_patch_adds_and_the_server_knows_whose_they_are():
    patch = yaml.safe_load((cluster.DEPLOY / "node" / "requests.yaml").read_text())["spec"]["template"]["spec"]
    asks = {"node": {"config": {"requests": {"url": "https://salvage-serve:8443", "credentials": "/var/run/secrets/salvage/token"}}}}
    without, _ = node_of(GUARD)
    pod, _ = node_of(merged(GUARD, asks))
    assert pod["volumes"] == without["volumes"] + patch["volumes"]
    mounts = [p["containers"][0].pop("volumeMounts") for p in (without, pod, patch)]
    assert mounts[1] == mounts[0] + mounts[2] and pod == {**without, "volumes": pod["volumes"]}
    found = pods(rendered(template(merged(LEAST, merged(asks, {"serve": SERVE})))))
    assert [a for a in found["salvage-serve"]["containers"][0]["args"] if "agents" in a] == [
        "--agents=salvage/" + found["salvage-node"]["serviceAccountName"]]


def test_the_kernel_log_takes_a_privileged_agent():
    pod, _ = node_of(merged(GUARD, {"node": {"kernelLog": True}}))
    assert pod["containers"][0]["securityContext"]["privileged"]
    assert "privileged" not in node_of({"node": {"kernelLog": True}})[0]["containers"][0]["securityContext"]


@named
def test_the_agent_accepts_the_configuration_of_an_example(salvage, work, values):
    documents = rendered(template(values))
    text, = [d["data"]["node.yaml"] for d in of_kind(documents, "ConfigMap") if "node.yaml" in d["data"]]
    for folder in yaml.safe_load(text)["watch"]["trees"]:
        text = text.replace(folder, str(work))
    text = text.replace("/etc/salvage/store-ca/ca.crt", "/etc/ssl/certs/ca-certificates.crt").replace("/etc/salvage/store/token", str(work / "token"))
    (work / "token").write_text("0123456789abcdef\n")
    (work / "node.yaml").write_text(text)
    result = salvage.run("node", "--check", work / "node.yaml")
    assert result.code == 0 and "\nwatch/store: " in result.out and "\nguard/all: " in result.out, result.err


def test_destinations_of_ones_own_take_the_place_of_the_store():
    shop = {"url": "s3://shop/x", "credentials": "/etc/salvage/secrets/shop"}
    pod, config = node_of({"store": {"url": ""}, "node": {"secrets": {"shop": "shop-keys"}, "config": {"destinations": {"shop": shop},
                           "rules": [{"name": "all", "namespaces": ["*"], "destination": "shop"}]}}})
    assert config["destinations"] == {"shop": shop}
    volume, = [v["name"] for v in pod["volumes"] if v.get("secret") == {"secretName": "shop-keys"}]
    assert {"name": volume, "mountPath": "/etc/salvage/secrets/shop"} in pod["containers"][0]["volumeMounts"]


def test_openshift_allows_the_agent_what_its_pod_has():
    documents = rendered(template(merged(LEAST, GUARD, {"serve": SERVE, "openshift": {"scc": True}})))
    allowed, = of_kind(documents, "SecurityContextConstraints")
    pod = pods(documents)["salvage-node"]
    assert allowed["users"][0].rpartition(":")[2] == pod["serviceAccountName"] == "salvage-node"
    assert allowed["allowedCapabilities"] == pod["containers"][0]["securityContext"]["capabilities"]["add"]
    assert allowed["allowHostPID"] == pod["hostPID"] and not allowed["allowPrivilegedContainer"]
    assert allowed["seLinuxContext"]["seLinuxOptions"] == pod["securityContext"]["seLinuxOptions"]
    assert {kind for v in pod["volumes"] for kind in v if kind != "name"} <= set(allowed["volumes"])
    nonroot, = of_kind(documents, "RoleBinding")
    assert nonroot["subjects"][0]["name"] == pods(documents)["salvage-serve"]["serviceAccountName"]


def test_keys_that_are_given_make_a_secret_and_new_keys_roll_out():
    """Agents read a changed Secret themselves."""
    bucket = {**SERVE, "mode": "bucket", "from": "s3://e/p", "cookieSecret": "cookie"}

    def server(key):
        documents = rendered(template(merged(LEAST, {"store": {"credentials": {"AWS_SECRET_ACCESS_KEY": key}}, "serve": bucket})))
        secret, = of_kind(documents, "Secret")
        deployment, = of_kind(documents, "Deployment")
        assert secret["stringData"] == {"AWS_SECRET_ACCESS_KEY": key}
        assert {"secretRef": {"name": secret["metadata"]["name"]}} in deployment["spec"]["template"]["spec"]["containers"][0]["envFrom"]
        assert {"name": "store", "secret": {"secretName": secret["metadata"]["name"]}} in pods(documents)["salvage-node"]["volumes"]
        return deployment["spec"]["template"]["metadata"]["annotations"]
    assert server("one") == server("one") != server("two")


def test_the_image_is_pinned_by_its_digest():
    digest = "sha256:" + 64 * "a"
    found = pods(rendered(template(merged(LEAST, {"image": {"digest": digest}}))))
    assert [p["containers"][0]["image"] for p in found.values()] == ["salvage@" + digest]


@pytest.mark.parametrize("version, api", [("1.20.0", "policy/v1beta1"), ("1.34.0", "policy/v1")])
def test_the_disruption_budget_has_the_api_of_its_cluster(version, api):
    values = merged(LEAST, {"serve": {**SERVE, "mode": "bucket", "from": "s3://e/p", "cookieSecret": "cookie"}})
    budget, = of_kind(rendered(template(values, "--kube-version", version)), "PodDisruptionBudget")
    assert budget["apiVersion"] == api


def test_rules_and_dashboard_use_metrics_that_exist():
    values = merged(LEAST, {"metrics": {name: {"enabled": True} for name in ("podMonitor", "prometheusRule", "dashboard")}})
    found = {d["kind"]: d for d in rendered(template(values)) if d["metadata"]["labels"].get("app.kubernetes.io/component") == "metrics"}
    assert set(found) == {"PodMonitor", "PrometheusRule", "ConfigMap"}
    dashboard = json.loads(found["ConfigMap"]["data"]["salvage.json"])
    rules = [rule["expr"] for rule in found["PrometheusRule"]["spec"]["groups"][0]["rules"]]
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    known = set(re.findall(r"`(salvage_\w+)", (ROOT / "docs" / "care.md").read_text(encoding="utf-8")))
    events = set(re.findall(r"^\| `([\w-]+)`", (ROOT / "docs" / "events.md").read_text(encoding="utf-8"), re.M))
    assert len(rules) == 4 and len(panels) >= 12
    for expression in rules + panels:
        assert set(re.findall(r"\bsalvage_\w+", expression)) <= known, expression
        for names in re.findall(r'event=~?"([^"]+)"', expression):
            assert set(names.split("|")) <= events, expression


def test_options_in_values_exist():
    options = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    files = [CHART / "values.yaml", *EXAMPLES]
    used = {name for path in files for part in yaml.safe_load(path.read_text(encoding="utf-8")).values()
            if isinstance(part, dict) for name in part.get("env", {})}
    assert len(used) >= 2 and all("`%s`" % name in options for name in used), used


# --- in step with deploy/kustomize ----------------------------------------------------------------------------------------

# The chart's names of what kustomize calls otherwise.
ALSO = {"salvage-reviews-salvage": "salvage-reviews", "salvage-node-pods-salvage": "salvage-node-pods"}
# What only the chart has.
MORE = {("NetworkPolicy", "salvage-node"), ("PodDisruptionBudget", "salvage-serve")}


def plain(document):
    """Without labels, and without what the chart alone sets on purpose."""
    document["metadata"] = {k: v for k, v in document["metadata"].items() if k in ("annotations", "namespace")}
    document["metadata"].pop("namespace", None)
    spec = document.get("spec", {})
    for name in ("selector", "podSelector"):
        spec.pop(name, None)
    spec.pop("updateStrategy", None)
    pod = spec.get("template", {}).get("spec")
    if pod:
        spec["template"].pop("metadata")
        if pod.pop("enableServiceLinks", None) is False and document["kind"] != "DaemonSet":
            pod.pop("automountServiceAccountToken")
        pod.pop("nodeSelector", None)
        pod["serviceAccountName"] = ALSO.get(pod["serviceAccountName"], pod["serviceAccountName"])
        for container in pod["containers"]:
            container.pop("imagePullPolicy", None)
            if "envFrom" in container:
                container["envFrom"] = [kind for source in container["envFrom"] for kind in source]
    if document["kind"] == "ConfigMap" and "node.yaml" in document["data"]:
        document["data"] = yaml.safe_load(document["data"]["node.yaml"])
    if document["kind"] == "ClusterRoleBinding":
        document["roleRef"]["name"] = ALSO.get(document["roleRef"]["name"], document["roleRef"]["name"])
    return document


def by_name(documents, component):
    found = {}
    for d in documents:
        name = d["metadata"]["name"]
        if d["kind"] == "ConfigMap":
            name = "salvage-" + component
        elif d["kind"] in ("DaemonSet", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"):
            name = ALSO.get(name, name)
        found[d["kind"], name] = d
    return found


STORE = {"region": "eu-west-1", "existingSecret": "salvage-store"}
BUCKET = {**SERVE, "mode": "bucket", "from": "s3://evidence/prod", "cookieSecret": "salvage-cookie",
          "resources": {"limits": {"memory": "256Mi"}}}
PAIRS = [("node", "node", GUARD),
         ("serve", "serve", {"node": {"enabled": False}, "serve": SERVE}),
         ("serve", "serve-bucket", {"node": {"enabled": False}, "serve": BUCKET})]


@pytest.mark.parametrize("component, base, values", PAIRS, ids=["node", "serve", "bucket"])
def test_chart_and_kustomization_render_the_same(work, component, base, values):
    shutil.copytree(cluster.DEPLOY, work / "kustomize")
    theirs = by_name(kustomize(work / "kustomize" / base), component)
    ours = by_name(rendered(template(merged(LEAST, {"store": STORE}, values))), component)
    assert set(theirs) <= set(ours) and set(ours) - set(theirs) <= MORE
    for key, document in theirs.items():
        assert yaml.safe_dump(plain(ours[key])) == yaml.safe_dump(plain(document)), key


# --- on a real one --------------------------------------------------------------------------------------------------------

# It knows nothing of salvage but the folder; its own image would have a JVM.
APPLICATION = r"""
apiVersion: v1
kind: Pod
metadata: {name: cart}
spec:
  restartPolicy: Never
  securityContext: {runAsUser: 1000, runAsGroup: 1000}
  containers:
    - name: cart
      image: localhost/salvage:salvage-chart-test
      command: [/bin/sh, -c, "printf 'JAVA PROFILE 1.0.2\\0\\0\\0\\0\\10\\0\\0\\0\\0\\0\\0\\0\\0\\54\\0\\0\\0\\0\\0\\0\\0\\0' >/dumps/app.hprof"]
      env:
        - {name: NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
      volumeMounts: [{name: dumps, mountPath: /dumps, subPathExpr: $(NAMESPACE)/cart}]
  volumes: [{name: dumps, hostPath: {path: %s, type: DirectoryOrCreate}}]
"""
# The lab has no provisioner.
VOLUME = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: %(name)s}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  claimRef: {namespace: %(name)s, name: data-salvage-serve-0}
  hostPath: {path: %(folder)s, type: Directory}
"""


@pytest.fixture(scope="module")
def own_image(session_folder):
    image = session_folder / "chart-image"
    (image / "bin").mkdir(parents=True)
    for name in ("salvage", "bin/sh"):
        shutil.copy2(os.environ["SALVAGE_STATIC_BIN"], image / name)
    make_image("localhost/salvage:salvage-chart-test", image)


@pytest.fixture
def namespace(session_folder, own_image, work, s3, s3_endpoint):
    relay = Relay(session_folder, urllib.parse.urlsplit(s3_endpoint).netloc, 18481)
    n = Namespace(work, relay, s3)
    yield n
    n.close()
    kubectl("delete", "pv", n.name, "--wait=false", check=False)
    for kind in ("clusterrole", "clusterrolebinding"):
        kubectl("delete", kind, "salvage-reviews-" + n.name, check=False)
    relay.close()
    shutil.rmtree("/var/lib/salvage/" + n.name, ignore_errors=True)


def curl(*args):
    done = subprocess.run([*command("SALVAGE_TEST_K8S_SH"), "curl", "-sS", "-m", "20", *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_cluster_of_before_knows_every_field(namespace):
    """Its kubectl refuses unknown fields by the server's schema; the server tries all but the writing."""
    values = merged(yaml.safe_load((CHART / "examples" / "k3s.yaml").read_text(encoding="utf-8")), {"metrics": {"dashboard": {"enabled": True}}})
    text = template(values, "--kube-version", "1.20.0", namespace=namespace.name).stdout
    answer = namespace.kubectl("apply", "--dry-run=server", "-f", "-", stdin=text)
    assert len(answer.splitlines()) == len([d for d in yaml.safe_load_all(text) if d]) >= 13
    wrong = text.replace("automountServiceAccountToken", "automountToken")
    assert "created" not in namespace.kubectl("apply", "--dry-run=server", "-f", "-", stdin=wrong.split("---\n")[-1], check=False)


def test_what_is_installed_ships_and_serves(namespace, s3, work):
    host = "/var/lib/salvage/" + namespace.name
    os.makedirs(host + "/data")
    os.chown(host + "/data", 65532, 65532)
    certificate, key = Authority(work, "ca").server("DNS:salvage.%s.svc" % namespace.name)
    tokens = work / "tokens"
    tokens.write_text("me 0123456789abcdef admin *\n")
    kubectl("apply", "-f", "-", stdin=VOLUME % {"name": namespace.name, "folder": host + "/data"})
    namespace.kubectl("create", "secret", "tls", "salvage-tls", "--cert=%s" % certificate, "--key=%s" % key)
    namespace.kubectl("create", "secret", "generic", "salvage-tokens", "--from-file=%s" % tokens)
    values = {"image": {"repository": "localhost/salvage", "tag": "salvage-chart-test"},
              "store": {"url": s3.url, "endpoint": namespace.relay.endpoint, "region": "us-east-1", "existingSecret": "salvage-store"},
              "node": {"dumpsPath": host + "/dumps", "statePath": host + "/state"}, "metrics": {"node": True},
              "serve": {**SERVE, "tokensSecret": "salvage-tokens", "persistence": {"size": "1Gi"}}}
    config = work / "kubeconfig"
    config.write_text(kubectl("config", "view", "--raw"))
    release = {"kubeconfig": config, "stdin": json.dumps(values)}
    notes = helm_in_cluster("install", "salvage", CHART, "-n", namespace.name, "-f", "-", **release).partition("NOTES:")[2]
    assert "daemonset/salvage-node" in notes and "https://salvage.%s.svc:8443/" % namespace.name in notes
    assert "before the kernel kills" not in notes

    def ready(component):
        return [p for p in namespace.pods("app.kubernetes.io/component=" + component) if p["status"].get("podIP")
                and all(c["ready"] for c in p["status"].get("containerStatuses", [{"ready": False}]))]
    agent = namespace.wait(lambda: ready("node"))[0]
    namespace.kubectl("apply", "-f", "-", stdin=APPLICATION % (host + "/dumps"))
    (name, manifest), = namespace.wait(s3.manifests)
    assert name.startswith("%s/cart/" % namespace.name) and manifest["where"]["pod"] == "cart"
    assert s3.check(name, manifest).startswith(b"JAVA PROFILE") and "partial" not in manifest
    assert 'salvage_events_total{event="shipped"} 1' in curl("http://%s:9090/metrics" % agent["status"]["podIP"])

    server = namespace.wait(lambda: ready("serve"))[0]["status"]["podIP"]
    url, mine = "https://%s:8443/shop/a.txt" % server, ["-k", "-H", "Authorization: Bearer 0123456789abcdef"]
    assert curl(*mine, "-o", "/dev/null", "-w", "%{http_code}", "--data-binary", "evidence", "-X", "PUT", url) == "201"
    assert curl(*mine, url) == "evidence" and curl("-k", "-o", "/dev/null", "-w", "%{http_code}", url) == "401"
    assert (open(host + "/data/shop/a.txt", encoding="ascii").read()) == "evidence"
    assert "salvage_ready 1" in curl("http://%s:9090/metrics" % server)

    # The store's volume is not the release's.
    helm_in_cluster("uninstall", "salvage", "-n", namespace.name, kubeconfig=config)
    assert namespace.kubectl("get", "daemonset,statefulset,service,configmap", "-l", "app.kubernetes.io/instance=salvage", "-o", "name") == ""
    assert "data-salvage-serve-0" in namespace.kubectl("get", "pvc", "-o", "name")
