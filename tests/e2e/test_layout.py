# SPDX-License-Identifier: Apache-2.0
"""On a node, the path of a dump names its pod (--path-layout)."""
import os
import stat

import pytest

from helpers.evidence import drop
from helpers.program import NOBODY
from helpers.proc import require_root

NODE = {"NODE_NAME": "node-1", "POD_NAME": "salvage-x7k", "POD_NAMESPACE": "salvage", "POD_UID": "u-1",
        "CONTAINER_NAME": "salvage", "CONTAINER_IMAGE": "salvage:1"}


def pod_folder(dumps, *names):
    folder = dumps.joinpath(*names)
    folder.mkdir(parents=True)
    return folder


def test_a_dump_is_named_after_the_pod_it_came_from(salvage, dumps, folder):
    total = drop(pod_folder(dumps, "shop", "cart-7f9c"), "java_pid1.hprof")
    salvage.ok("watch", dumps, "-r", "--once", "--layout", "namespace/pod", *folder.options(), env=NODE)
    (key, manifest), = folder.manifests()
    assert key.startswith("shop/cart-7f9c/") and manifest["sha256"] == total
    where = manifest["where"]
    assert (where["namespace"], where["pod"], where["node"]) == ("shop", "cart-7f9c", "node-1")
    # What is known of our own pod is not the other's.
    assert not {"pod_uid", "container", "image"} & set(where)


def test_a_level_can_name_the_container(salvage, dumps, folder):
    drop(pod_folder(dumps, "shop", "cart-7f9c", "app", "deep"), "java_pid1.hprof")
    salvage.ok("watch", dumps, "-r", "--once", "--layout", "namespace/pod/container", *folder.options(), env=NODE)
    (_, manifest), = folder.manifests()
    assert manifest["where"]["container"] == "app"


def test_what_lies_elsewhere_is_our_own(salvage, dumps, folder):
    drop(dumps, "java_pid1.hprof")
    drop(pod_folder(dumps, "UPPER", "cart"), "java_pid1.hprof")
    salvage.ok("watch", dumps, "-r", "--once", "--layout", "namespace/pod", *folder.options(), env=NODE)
    assert [key.split("/")[:2] for key, _ in folder.manifests()] == [["salvage", "salvage-x7k"]] * 2


def test_a_claim_keeps_its_pod_over_a_restart(salvage, dumps, folder):
    drop(pod_folder(dumps, "shop", "cart-7f9c"), "java_pid1.hprof")
    watch = salvage.watch(dumps, "-r", "--layout", "namespace/pod", "--to", "http://127.0.0.1:9/dead")
    watch.wait("claimed")
    watch.kill()
    salvage.ok("watch", dumps, "-r", "--once", "--layout", "namespace/pod", *folder.options())
    (key, _), = folder.manifests()
    assert key.startswith("shop/cart-7f9c/")


@pytest.mark.parametrize("layout", ["", "node/pod", "pod/pod", "namespace", "namespace/pod/"])
def test_a_bad_layout_is_refused(salvage, dumps, folder, layout):
    result = salvage.run("watch", dumps, "--layout", layout, *folder.options())
    assert result.code == 2 and "--layout" in result.message


def test_folders_are_made_and_opened_to_pods_of_any_user(salvage, work, folder):
    require_root("acts as other users")
    dumps = work / "node" / "dumps"
    watch = salvage.watch(dumps, "-r", "--dir-mode", "1777", "--layout", "namespace/pod", *folder.options())
    watch.wait("started")
    assert stat.S_IMODE(os.stat(dumps).st_mode) == 0o1777
    pod = pod_folder(dumps, "shop", "cart")
    pod.chmod(0o1777)
    total = drop(work, "made.hprof")
    os.chown(work / "made.hprof", NOBODY, NOBODY)
    os.chmod(work / "made.hprof", 0o600)
    os.rename(work / "made.hprof", pod / "java_pid1.hprof")
    watch.wait("shipped")
    assert watch.stop() == 0
    assert folder.check_one(total)["where"]["pod"] == "cart"


@pytest.mark.parametrize("mode", ["", "rwx", "9", "17777", "0x1ff"])
def test_a_bad_mode_is_refused(salvage, dumps, folder, mode):
    result = salvage.run("watch", dumps, "--dir-mode", mode, *folder.options())
    assert result.code == 2 and "--dir-mode" in result.message
