# SPDX-License-Identifier: Apache-2.0
"""Folders that a pod's annotation names are watched without a mount in the pod, for as long as the pod is there."""
import contextlib
import fcntl
import os
import pathlib

import pytest

from helpers.evidence import drop, left_in, spool_of
from helpers.kubelet import Container, Kubelet, descriptors_below
from helpers.proc import require_root, status, wait_for


@pytest.fixture
def kubelet(work):
    return Kubelet(work)


@pytest.fixture
def container(groups, work, kubelet):
    """Starts a container of a pod that is in the table."""
    running = []

    def start(uid, name="app"):
        running.append(Container(groups, work, uid))
        kubelet.change(uid, containers=[{"name": name, "id": running[-1].id, "restarts": 0}])
        return running[-1]

    yield start
    for one in running:
        one.close()


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


HEAD = b"JAVA PROFILE 1.0.2\0"


def test_a_folder_of_a_containers_own_layer_is_shipped_also_what_it_left_when_it_ended(salvage, kubelet, folder, container):
    watch = salvage.watch(*kubelet.options(), *folder.options(), "--settle", "1")
    watch.wait("started")
    uid = kubelet.pod("shop", "cart-1", "app:/tmp/dumps")
    first = container(uid)
    assert watch.wait("pod-folder")["waits"] == "it does not exist yet"
    first.do("os.mkdir('/tmp/dumps')")
    watch.wait("pod-folder", count=2)
    drop(first.file("/tmp/dumps"), "a.hprof")
    watch.wait("shipped")
    assert not first.file("/tmp/dumps/a.hprof").exists()
    # The last dump of its life is closed by its end.
    first.do("out = open('/tmp/dumps/b.hprof', 'wb'); out.write(%r + bytes(100000)); out.flush()" % HEAD)
    first.end()
    watch.wait("shipped", count=2)
    # The next container of the pod has a layer of its own.
    second = container(uid)
    second.do("os.mkdir('/tmp/dumps')")
    watch.wait("pod-folder", count=3)
    drop(second.file("/tmp/dumps"), "a.hprof")
    watch.wait("shipped", count=3)
    for _, m in folder.manifests():
        where = m["where"]
        assert (where["namespace"], where["pod"], where["container"]) == ("shop", "cart-1", "app")
    assert not watch.named("pod-folder-refused")
    assert watch.stop() == 0


def test_what_is_claimed_still_arrives_after_its_pod_and_its_volume_are_gone(salvage, kubelet, s3, proxy):
    proxy.rate = 8 << 20
    watch = salvage.watch(*kubelet.options(), *s3.through(proxy).options(), "--compress", "none", env=s3.env)
    uid = kubelet.pod("shop", "cart-1", "volume:dumps")
    watch.wait("pod-folder")
    sums = {drop(kubelet.volume(uid), name, 6 << 20) for name in ("a.hprof", "b.hprof")}
    watch.wait("claimed", count=2)
    assert not watch.named("shipped")
    kubelet.remove(uid)
    watch.wait("shipped", count=2)
    s3.check_all(sums)
    # The root is forgotten in silence; a journal that can't be written any more is said once.
    assert not {e["event"] for e in watch.events} - {"started", "store-ready", "pod-folder", "pod-folder-ended", "claimed",
                                                     "following", "shipped", "state-lost"}
    assert watch.stop() == 0


def test_after_a_kill_the_next_agent_goes_on_and_the_table_says_whose_it_is(salvage, kubelet, s3, proxy):
    proxy.rate = 16 << 20
    options = [*kubelet.options(), *s3.through(proxy).options(), "--compress", "none", "--follow", "no"]
    first = salvage.watch(*options, env=s3.env)
    uid = kubelet.pod("shop", "cart-1", "volume:dumps")
    first.wait("pod-folder")
    volume = kubelet.volume(uid)
    total = drop(volume, "app.hprof", 24 << 20)
    journals = lambda: [j for j in (volume / ".salvage" / "spool").glob("*/journal") if '{"part":' in j.read_text()]
    wait_for(journals, 30, "no parts")
    first.kill()
    # The application may write there what it likes.
    claim = next((volume / ".salvage" / "spool").glob("*/claim.json"))
    claim.write_text(claim.read_text().replace('"shop"', '"kube-system"').replace('"cart-1"', '"root"'))
    proxy.rate = None
    second = salvage.watch(*options, env=s3.env)
    assert second.wait("shipped")["key"].startswith("shop/cart-1/") and len(second.named("resumed")) == 1
    s3.check_one(total)
    (_, m), = s3.manifests()
    assert (m["where"]["namespace"], m["where"]["pod"], m["where"]["pod_uid"]) == ("shop", "cart-1", uid)
    assert left_in(volume) == [] and spool_of(volume) == []


def test_what_an_annotation_says_wrongly_is_an_event_once(salvage, kubelet, folder):
    watch = salvage.watch(*kubelet.options(), *folder.options())
    kubelet.pod("a", "path", "volume:dumps/../../..")
    kubelet.pod("b", "volume", "volume:dumbs")
    kubelet.pod("c", "container", "app:/tmp", containers=[{"name": "web"}])
    said = {e["namespace"]: e["error"] for e in (watch.wait("pod-folder-refused", namespace=n) for n in "abc")}
    assert '".."' in said["a"] and "no emptyDir of this name" in said["b"] and "no container of this name" in said["c"]
    right = kubelet.pod("d", "right", "volume:dumps")
    watch.wait("pod-folder")
    assert len(watch.named("pod-folder-refused")) == 3
    # Taken away, it is not watched any more.
    kubelet.change(right, annotations={})
    watch.wait("pod-folder-ended")
    drop(kubelet.volume(right))
    kubelet.pod("e", "other", "volume:dumps")
    watch.wait("pod-folder", count=2)
    assert left_in(kubelet.volume(right)) == ["app.hprof"]


def test_a_volume_that_comes_later_and_one_that_is_written_to_before_are_found(salvage, kubelet, folder):
    uid = kubelet.pod("shop", "cart-1", "volume:data/heap/dumps", volumes=["data"], made=False)
    watch = salvage.watch(*kubelet.options(), *folder.options())
    watch.wait("started")
    (kubelet.volume(uid, "data") / "heap").mkdir(parents=True)
    watch.wait("pod-folder", waits="it does not exist yet")
    drop(kubelet.volume(uid, "data"), "not-this.hprof")
    drop(kubelet.volume(uid, "data") / "heap", "nor-this.hprof")
    (kubelet.volume(uid, "data") / "heap/dumps").mkdir()
    drop(kubelet.volume(uid, "data") / "heap/dumps", "this.hprof")
    assert watch.wait("claimed")["path"] == "shop/cart-1/volume:data/heap/dumps/this.hprof"
    watch.wait("shipped")
    assert os.listdir(kubelet.volume(uid, "data")) != [] and not (kubelet.volume(uid, "data") / ".salvage").exists()


def test_a_hostile_pod_gets_nothing_that_is_not_its_own(salvage, kubelet, folder, work):
    """Links out of its volume, in the place of files, of folders and of the state; pipes and sockets; another pod beside."""
    victim = kubelet.pod("shop", "victim", "volume:dumps, volume:data/sub", volumes=["dumps", "data"])
    secret = work / "secret"
    (secret / "spool" / "0123456789abcdef").mkdir(parents=True)
    for place in (secret, secret / "spool" / "0123456789abcdef"):
        drop(place, "x.hprof")
    (secret / "spool" / "0123456789abcdef" / "x.hprof").rename(secret / "spool" / "0123456789abcdef" / "evidence")
    before = sorted(map(str, secret.rglob("*")))
    volumes = ["link", "state", "spool", "claim", "locked"]
    hostile = kubelet.pod("bad", "pod", ", ".join("volume:" + v for v in volumes) + ", volume:link/sub", volumes=volumes)
    volume = {name: kubelet.volume(hostile, name) for name in volumes}
    (volume["link"] / "x.hprof").symlink_to(secret / "x.hprof")
    (volume["link"] / "sub").symlink_to(secret)
    (volume["link"] / "deeper").symlink_to("../../../../..")
    os.mkfifo(volume["link"] / "pipe.hprof")
    (volume["state"] / ".salvage").symlink_to(secret)
    for name in ("spool", "claim", "locked"):
        (volume[name] / ".salvage").mkdir(mode=0o700)
    (volume["spool"] / ".salvage" / "spool").symlink_to(secret / "spool")
    (volume["claim"] / ".salvage" / "spool").mkdir(mode=0o700)
    (volume["claim"] / ".salvage" / "spool" / "0123456789abcdef").symlink_to(secret / "spool" / "0123456789abcdef")
    lock = open(volume["locked"] / ".salvage" / "lock", "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    watch = salvage.watch(*kubelet.options(), *folder.options())
    watch.wait("pod-folder", dir="shop/victim/volume:dumps")
    drop(kubelet.volume(victim), "mine.hprof")
    shipped = watch.wait("shipped", timeout=10)
    assert shipped["key"].startswith("shop/victim/")
    # A pipe is not opened: its writer would go on without its reader.
    with pytest.raises(OSError, match="No such device"):
        os.open(volume["link"] / "pipe.hprof", os.O_WRONLY | os.O_NONBLOCK)
    os.mkfifo(volume["link"] / "later.hprof")
    # Its own evidence arrives even so, is read where it lies where it can't be moved, and has its pod's name.
    for name in volumes:
        drop(volume[name], "own.hprof")
    watch.wait("shipped", count=6)
    keys = sorted("/".join(key.split("/")[:2]) for key in folder.keys() if key.endswith(".json") and "digest" not in key)
    assert set(keys) == {"shop/victim", "bad/pod"} and len(folder.manifests()) == 6
    assert sorted(map(str, secret.rglob("*"))) == before
    assert [v for v in volumes if (volume[v] / "own.hprof").exists()] == ["state", "spool", "locked"]
    lock.close()
    assert watch.stop() == 0


def test_what_is_mounted_in_a_container_is_left_alone(salvage, kubelet, folder, container, work):
    uid = kubelet.pod("shop", "cart-1", "app:/mnt, app:/tmp, app:/proc")
    mounted = work / "of-another"
    mounted.mkdir()
    drop(mounted, "other.hprof")
    app = container(uid)
    app.do("tmpfs('/mnt')")
    app.do("os.mkdir('/tmp/folder'); tmpfs('/tmp/folder')")
    app.do("open('/tmp/file.hprof', 'w').close(); open('/tmp/folder/x.hprof', 'wb').write(%r + bytes(9999))" % HEAD)
    app.do("mount(b'/tmp/folder/x.hprof', b'/tmp/file.hprof', None, 4096, None)")
    watch = salvage.watch(*kubelet.options(), *folder.options(), "--settle", "1")
    assert "volume:NAME" in watch.wait("pod-folder-refused", folder="app:/mnt")["error"]
    watch.wait("pod-folder", dir="shop/cart-1/app:/tmp")
    drop(app.file("/tmp"), "own.hprof")
    watch.wait("shipped")
    assert len(watch.named("claimed")) == 1 and app.file("/tmp/file.hprof").exists()
    assert watch.stop() == 0


def watches_of(pid):
    count = 0
    for fd in os.listdir("/proc/%d/fd" % pid):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            count += pathlib.Path("/proc/%d/fdinfo/%s" % (pid, fd)).read_text().count("inotify wd:")
    return count


def test_many_folders_cost_little_and_a_deep_tree_no_more_than_its_share(salvage, kubelet, folder):
    watch = salvage.watch(*kubelet.options(), *folder.options())
    watch.wait("started")
    kubelet.pod("shop", "first", "volume:dumps")
    watch.wait("pod-folder")
    before = status(watch.pid)["RssAnon"]
    for n in range(200):
        kubelet.pod("shop", "cart-%d" % n, "volume:dumps")
    watch.wait("pod-folder", count=201, timeout=60)
    assert watches_of(watch.pid) == 202 and len(os.listdir("/proc/%d/fd" % watch.pid)) < 40
    print("grown", status(watch.pid)["RssAnon"] - before)
    assert status(watch.pid)["RssAnon"] - before < 200 * 2048 + (512 << 10)
    deep = kubelet.pod("bad", "deep", "volume:dumps")
    for n in range(300):
        (kubelet.volume(deep) / ("folder-%d" % n) / "a/b/c/d/e/f").mkdir(parents=True)
    watch.wait("pod-folder-limit")
    assert watches_of(watch.pid) <= 203 + 32
    drop(kubelet.volume(deep), "own.hprof")
    watch.wait("shipped")
    assert watch.stop() == 0

