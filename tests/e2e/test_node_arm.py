# SPDX-License-Identifier: Apache-2.0
"""JVMs of pods that ask for it are armed while they run: their dumps go to a folder that the agent watches. A real JVM in a
container as a kubelet lays it out, whose emptyDir is mounted into it."""
import pytest

from helpers import jvm
from helpers.eaters import POD, Pod
from helpers.kubelet import Kubelet
from helpers.resting import Resting


@pytest.fixture
def pod(groups, work):
    pod = Pod(groups(-1), work)
    yield pod
    pod.remove()


@pytest.fixture
def kubelet(work):
    return Kubelet(work)


@pytest.fixture
def app(pod, java_classes, work, kubelet):
    """A JVM that sees the pod's emptyDir at /data of its container."""
    volume = kubelet.volume(POD)
    volume.mkdir(parents=True)
    volume.chmod(0o777)
    inside = work / "data"
    inside.mkdir()
    _, entry = pod.enter("app")
    shown = 'mount --bind "$0" "$1" && mount -t tmpfs none "$2" && shift 2 && exec "$@"'
    running = Resting([*entry, "sh", "-c", shown, volume, inside, kubelet.folder, jvm.JDK_17 + "/bin/java",
                       "-Xmx16m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", java_classes, "Rest"]).ready()
    yield running
    running.close()


def path_of(app):
    return next(line for line in app.jcmd("VM.flags", "-all").splitlines() if " HeapDumpPath " in line)


def row(kubelet, **annotations):
    kubelet.rows[POD] = {"uid": POD, "namespace": "shop", "name": "cart-1", "rule": "all", "known": True, "phase": "Running",
                         "volumes": ["dumps"], "containers": [],
                         "annotations": {"salvage.dev/" + name: value for name, value in annotations.items()}}
    kubelet.write()


def start(salvage, kubelet, *args):
    logs = kubelet.folder.parent / "pod-logs"
    (logs / ("shop_cart-1_" + POD)).mkdir(parents=True)
    return salvage.start("node-arm", "--pods", kubelet.table, "--kubelet", kubelet.folder, "--pod-logs", logs, "--log", "json", "--every", "100ms", *args)


def test_a_pod_that_asks_for_it_is_armed_into_the_volume_that_it_names(salvage, kubelet, app, work):
    row(kubelet, watch="volume:dumps")
    arm = start(salvage, kubelet, "--asked-rule", "all")
    # Nothing is asked for yet; another rule's pod that asks is none of ours.
    kubelet.rows["other"] = {**kubelet.rows[POD], "uid": POD.replace("6", "7"), "rule": "no", "annotations": {"salvage.dev/arm": "true"}}
    row(kubelet, watch="volume:dumps", arm="true")
    armed = arm.wait("armed")
    assert armed["path"].startswith(str(work / "data") + "/cart-1-") and armed["path"].endswith(".hprof"), armed
    assert armed["path"] in path_of(app)
    assert arm.stop() == 0 and len(arm.named("armed")) == 1 and not arm.named("not-armed")


def test_all_pods_of_a_rule_are_armed_but_those_that_decline(salvage, kubelet, app, work):
    row(kubelet, arm="false", watch="volume:dumps")
    arm = start(salvage, kubelet, "--arm-rule", "all", "--tree", work / "tree")
    row(kubelet)  # no folder is watched that it sees
    assert "no watched folder is mounted" in arm.wait("not-armed")["error"]
    row(kubelet, watch="app:%s" % (work / "data"))  # a folder of the container itself
    assert arm.wait("armed")["path"].startswith(str(work / "data") + "/")
    assert arm.stop() == 0
