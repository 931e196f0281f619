# SPDX-License-Identifier: Apache-2.0
"""Folders that a pod's annotation names are watched without a mount in the pod, for as long as the pod is there."""
import os
import time

import pytest

from helpers.evidence import drop, left_in, spool_of
from helpers.kubelet import Kubelet, descriptors_below
from helpers.proc import wait_for


@pytest.fixture
def kubelet(work):
    return Kubelet(work)


def places(store):
    return sorted("/".join(key.split("/")[:2]) for key, _ in store.manifests())


def test_an_annotated_emptydir_is_shipped_under_its_pods_name_and_the_next_dump_has_room(salvage, kubelet, folder):
    watch = salvage.watch(*kubelet.options(), *folder.options())
    watch.wait("started")
    cart = kubelet.pod("shop", "cart-1", "volume:dumps")
    kubelet.pod("shop", "left-alone")
    kubelet.pod("other", "cart-1", "volume:dumps", rule="quiet")
    assert watch.wait("pod-folder")["dir"] == "shop/cart-1/volume:dumps"
    volume = kubelet.volume(cart)
    # At rest nothing of the volume is open, so that one in memory can be unmounted.
    assert descriptors_below(watch.pid, volume) == [] and os.listdir(volume) == []
    for n in (1, 2):
        drop(volume, "java_pid1.hprof")
        watch.wait("shipped", count=n)
    assert left_in(volume) == [] and spool_of(volume) == []
    wait_for(lambda: descriptors_below(watch.pid, volume) == [], why=lambda: watch.log)
    for _, m in folder.manifests():
        assert (m["where"]["namespace"], m["where"]["pod"], m["where"]["pod_uid"]) == ("shop", "cart-1", cart)
        assert m["path"] == "shop/cart-1/volume:dumps/java_pid1.hprof" and "container" not in m["where"]
    assert len(watch.named("pod-folder")) == 1
    assert watch.stop() == 0
