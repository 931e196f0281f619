# SPDX-License-Identifier: Apache-2.0
"""deploy/: the manifests agree with each other and with the program's options, names and paths."""
import pathlib
import re
import subprocess

import pytest
import yaml

from helpers.program import BIN

ROOT = pathlib.Path(__file__).resolve().parents[2]
KUSTOMIZE = ROOT / "deploy" / "kustomize"
DOCS = [ROOT / "docs" / name for name in ("kubernetes.md", "look-into-a-jvm.md", "images-with-nothing.md")]
FILES = sorted(KUSTOMIZE.glob("*/*.yaml"))


def documents():
    return [(path, d) for path in FILES for d in yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def pods():
    """(name of the file, pod spec, metadata of the pod), patches included."""
    for path, d in documents():
        if d["kind"] == "Pod":
            yield "%s/%s" % (path.parent.name, path.name), d["spec"], d["metadata"]
        elif "template" in d.get("spec", {}):
            template = d["spec"]["template"]
            yield "%s/%s" % (path.parent.name, path.name), template["spec"], template.get("metadata", {})


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(s|m)", text).groups()
    return int(number) * {"s": 1, "m": 60}[unit]


def words(container):
    return [str(w) for w in container.get("command", []) + container.get("args", [])]


def option(container, name):
    """Its value, as --name=VALUE or --name VALUE."""
    found = re.search(r"--%s[= ](\S+)" % name, " ".join(words(container)))
    return found and found[1]


def pre_stop(container):
    return " ".join(container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", []))


def test_there_is_something_to_test():
    assert len(list(pods())) >= 8


@pytest.mark.parametrize("name, spec", [pod[:2] for pod in pods()], ids=[pod[0] for pod in pods()])
def test_the_end_of_a_pod_is_long_enough_for_what_is_done_in_it(name, spec):
    for container in spec.get("containers", []):
        before = re.search(r"sleep (\d+)|--budget=(\d+)s", pre_stop(container))
        needed = int(before[1] or before[2]) if before else 0
        needed += seconds(option(container, "grace")) if option(container, "grace") else 0
        if needed:
            assert needed + 10 <= spec["terminationGracePeriodSeconds"], name


def test_every_watch_says_how_long_it_goes_on():
    watches = [c for _, spec, _ in pods() for c in spec.get("containers", []) if "watch" in words(c)]
    assert len(watches) == 2 and all(option(c, "grace") for c in watches)


def test_the_agents_configuration_is_good_and_has_the_folders_and_the_time_it_names(salvage):
    file = KUSTOMIZE / "node" / "config" / "node.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert salvage.ok("node", "--check", file).lines
    spec = next(spec for name, spec, _ in pods() if name == "node/daemonset.yaml")
    mounts = {m["mountPath"] for m in spec["containers"][0]["volumeMounts"]}
    assert mounts >= {*config["watch"]["trees"], config["state"], config["destinations"]["store"]["credentials"],
                      config.get("pod-logs", "/var/log/pods")}
    assert seconds(config["grace"]) + 15 <= spec["terminationGracePeriodSeconds"]


def quantity(text):
    number, unit = re.fullmatch(r"(\d+)([MG]i)", text).groups()
    return int(number) << {"Mi": 20, "Gi": 30}[unit]


def environment(container):
    return {e["name"]: e.get("value", e.get("valueFrom")) for e in container.get("env", [])}


def watched_volume(folder, container):
    """The emptyDir that a container watches, in the pod that its patch is laid over."""
    names = {m["mountPath"]: m["name"] for m in container["volumeMounts"]}
    volumes = {v["name"]: v for name, spec, _ in pods() if name.startswith(folder + "/") for v in spec.get("volumes", [])}
    return volumes[names["/dumps"]].get("emptyDir")


def limit_of(folder, name):
    limits = [c["resources"]["limits"]["ephemeral-storage"] for file, spec, _ in pods() if file.startswith(folder + "/")
              for c in spec["containers"] if c["name"] == name and "ephemeral-storage" in c.get("resources", {}).get("limits", {})]
    return quantity(limits[0])


WATCHED = [(name.split("/")[0], c) for name, spec, _ in pods() for c in spec.get("containers", [])
           if ("watch" in words(c) or "run" in words(c)) and watched_volume(name.split("/")[0], c)]


@pytest.mark.parametrize("folder, container", WATCHED, ids=[w[0] for w in WATCHED])
def test_who_watches_an_emptydir_knows_what_the_kubelet_evicts_for(salvage, dumps, folder, container):
    """sizeLimit and variable are the same number, and the program makes of it the room that the docs name."""
    given = environment(container)
    size = watched_volume(folder, container)["sizeLimit"]
    assert given["SALVAGE_VOLUME_LIMIT"] == size
    field = given["SALVAGE_EPHEMERAL_STORAGE"]["resourceFieldRef"]
    assert field["resource"] == "limits.ephemeral-storage" and set(field) <= {"resource", "containerName"}
    storage = limit_of(folder, field.get("containerName", container["name"]))
    assert storage > quantity(size)
    # The downward API gives bytes.
    watch = salvage.watch(dumps, "--to", "http://127.0.0.1:9/nowhere",
                          env={"SALVAGE_VOLUME_LIMIT": size, "SALVAGE_EPHEMERAL_STORAGE": str(storage)})
    room = watch.wait("room")
    assert (room["limit"], room["of"], room["room"]) == ("volume-limit", quantity(size), quantity(size) * 40 // 100)
    docs = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    assert "event=room room=%(room)d limit=%(limit)s of=%(of)d" % room in docs


def test_sidecar_and_job_are_those_that_watch_an_emptydir():
    assert [folder for folder, _ in WATCHED] == ["job", "sidecar"]


def test_every_pod_has_the_seccomp_profile_of_its_runtime():
    """A patch has it by what it is laid over."""
    bases = {name: spec for name, spec, _ in pods() if name.split("/")[1] in
             ("deployment.yaml", "daemonset.yaml", "guard.yaml", "job.yaml", "application.yaml",
              "statefulset.yaml")}
    assert len(bases) == 11
    for name, spec in bases.items():
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name


def test_who_adds_a_container_says_which_one_is_meant():
    name, _, metadata = next(pod for pod in pods() if pod[0] == "sidecar/sidecar.yaml")
    assert metadata["annotations"] == {"kubectl.kubernetes.io/default-container": "cart"}, name


def test_folders_of_the_node_are_made_if_missing():
    volumes = [v["hostPath"] for _, spec, _ in pods() for v in spec.get("volumes", []) if "hostPath" in v]
    assert {v["path"]: v["type"] for v in volumes} == {
        "/var/lib/salvage/dumps": "DirectoryOrCreate", "/var/lib/salvage/guard": "DirectoryOrCreate",
        "/proc/sys/kernel/core_pattern": "File", "/proc/sys/kernel/core_pipe_limit": "File",
        "/var/lib/salvage/core": "DirectoryOrCreate", "/var/lib/salvage/spool": "DirectoryOrCreate",
        "/var/lib/salvage/node": "DirectoryOrCreate", "/var/log/pods": "Directory", "/var/lib/kubelet/pods": "Directory", "/sys/fs/cgroup": "Directory"}


def test_guard_writes_to_cgroups_only_where_it_lends():
    mounts = {name: m for name, spec, _ in pods() for c in spec.get("containers", [])
              for m in c.get("volumeMounts", []) if m["mountPath"] == "/sys/fs/cgroup"}
    assert {name: m["readOnly"] for name, m in mounts.items()} == {"guard/guard.yaml": True, "guard/lend.yaml": False,
                                                                "node/daemonset.yaml": True}


def test_the_image_has_the_name_that_is_built():
    """scripts/image calls it salvage:VERSION."""
    version = subprocess.run([BIN, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[1]
    assert "tag=${tag:-salvage:$version}" in (ROOT / "scripts" / "image").read_text(encoding="utf-8")
    images = [(path, i) for path, d in documents() for i in d.get("images", [])]
    assert len(images) >= 5
    for path, image in images:
        assert (image["name"], image["newName"], image["newTag"]) == ("salvage", "salvage", version), path
    for path in DOCS:
        for tag in re.findall(r"\bsalvage:(\d[\w.]*)", path.read_text(encoding="utf-8")):
            assert tag == version, path
