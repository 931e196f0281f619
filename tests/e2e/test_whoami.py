# SPDX-License-Identifier: Apache-2.0
"""The pod, task or instance that evidence belongs to: ECS tasks and EC2 instances by their metadata services, which may be
slow, down or wrong, and may change between two attempts on one piece of evidence."""
import json
import pathlib
import re
import subprocess
import time
import uuid

import pytest

from helpers import metadata
from helpers.evidence import drop, left_in, spool_of
from helpers.metadata import CONTAINER_ID, DIGEST, IMAGE, REGION, TASK, ZONE, Blackhole, Ecs, Imds
from helpers.proc import require_root, wait_for
from helpers.program import BIN, environment
from helpers.proxy import ResetAnswer

ECS_PLACE = "ecs/demo/cart/" + TASK
LIMIT = 1.0  # seconds that metadata services may cost, all together
SLACK = 0.8  # for all the rest, on a busy machine


@pytest.fixture
def start():
    """Starts services: start(Ecs, family="x")."""
    running = []

    def begin(what, **settings):
        running.append(what(**settings))
        return running[-1]

    yield begin
    for service in running:
        service.close()
    for service in running:
        assert getattr(service, "complaints", []) == [], "the documentation forbids that"


def ship(salvage, dumps, store, env, *more, name="app.hprof"):
    """Ships one dump; returns its key, its manifest and the seconds it took."""
    total = drop(dumps, name)
    began = time.monotonic()
    salvage.ok("ship", "--remove", dumps / name, *store.options(), *more, env=env)
    seconds = time.monotonic() - began
    manifest = {m["sha256"]: m for _, m in store.manifests()}[total]
    store.check(manifest["key"], manifest)
    return manifest["key"], manifest, seconds


def place_of(key):
    return re.fullmatch(r"(.*)/\d{8}T\d{6}Z-[\w-]+-[0-9a-f]{16}/heap\.hprof\.zst", key)[1]


# --- facts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [4, 3])
def test_a_fargate_task_is_named(salvage, dumps, folder, start, version):
    ecs = start(Ecs, version=version)
    key, manifest, _ = ship(salvage, dumps, folder, ecs.env)
    assert place_of(key) == ECS_PLACE
    where = manifest["where"]
    assert where.pop("host")
    assert where == {"place": ECS_PLACE, "cluster": "demo", "family": "cart", "revision": "7", "task": TASK,
                     "launch_type": "FARGATE", "container": "app", "container_id": CONTAINER_ID, "image": IMAGE,
                     "image_digest": DIGEST, "region": REGION, "zone": ZONE}
    assert sorted(ecs.seen) == ["GET " + ecs.path, "GET " + ecs.path + "/task"]


def test_ls_and_get_know_the_place(salvage, dumps, work, folder, start):
    for family in ("cart", "cartography"):
        ecs = start(Ecs, family=family)
        ship(salvage, dumps, folder, ecs.env)
    ship(salvage, dumps, folder, {})
    assert len(json.loads(salvage.ok("ls", folder.url, "--json").out)) == 3
    for place, count in (("ecs", 2), ("ecs/demo", 2), ("ecs/demo/", 2), ("ecs/demo/cart", 2), (ECS_PLACE, 1),
                         ("ecs/demo/car", 2), ("ecs/demo/cat", 0), ("host", 1)):
        found = json.loads(salvage.ok("ls", folder.url, place, "--json").out)
        assert len(found) == count, place
    (one,) = json.loads(salvage.ok("ls", folder.url, ECS_PLACE, "--json").out)
    assert ECS_PLACE in salvage.ok("ls", folder.url, ECS_PLACE).lines[1]
    salvage.ok("get", one["url"], "-o", work / "back")
    assert (work / "back").stat().st_size == one["size"]


def test_every_fact_can_stand_in_a_key(salvage, dumps, folder, start):
    ecs = start(Ecs)
    template = "{region}/{zone}/{cluster}/{family}-{revision}/{task}/{container}/{container_id}/{image}/{instance}/{id}"
    key, _, _ = ship(salvage, dumps, folder, ecs.env, "--key", template)
    assert key.startswith("%s/%s/demo/cart-7/%s/app/%s/%s/none/" % (
        REGION, ZONE, TASK, CONTAINER_ID, re.sub("[/:]", "_", IMAGE)))


def test_an_ec2_instance_is_named_by_imdsv2_alone(salvage, dumps, folder, start):
    imds = start(Imds)
    key, manifest, _ = ship(salvage, dumps, folder, imds.env, "--key", "{place}/{instance}/{zone}/{id}")
    where = manifest["where"]
    assert key.startswith("host/%s/%s/%s/" % (where["host"], imds.INSTANCE, ZONE))
    assert {"instance": imds.INSTANCE, "instance_type": "m7g.large", "region": REGION, "zone": ZONE}.items() \
        <= where.items()
    assert imds.seen == ["PUT /latest/api/token", "GET /latest/dynamic/instance-identity/document"]


def test_ecs_on_ec2_knows_both(salvage, dumps, folder, start):
    ecs, imds = start(Ecs, launch_type="EC2"), start(Imds)
    key, manifest, _ = ship(salvage, dumps, folder, {**ecs.env, **imds.env})
    assert place_of(key) == ECS_PLACE
    assert manifest["where"]["task"] == TASK and manifest["where"]["instance"] == imds.INSTANCE


@pytest.mark.parametrize("env", [{"AWS_EC2_METADATA_DISABLED": "TRUE"}, {"POD_NAMESPACE": "shop", "POD_NAME": "cart"},
                                 {"KUBERNETES_SERVICE_HOST": "10.96.0.1"}, {"AWS_EXECUTION_ENV": "AWS_ECS_FARGATE"}], ids=lambda e: next(iter(e)))
def test_nobody_is_asked_who_has_nothing_to_say(salvage, dumps, folder, start, env):
    imds = start(Imds)
    _, manifest, _ = ship(salvage, dumps, folder, {**imds.env, **env})
    assert imds.seen == [] and "instance" not in manifest["where"]


def test_a_pod_keeps_its_name(salvage, dumps, folder, start):
    """Kubernetes' word goes before ECS's."""
    ecs = start(Ecs)
    env = {**ecs.env, "POD_NAMESPACE": "shop", "POD_NAME": "cart-7f", "CONTAINER_NAME": "main", "CONTAINER_IMAGE": "i:1"}
    key, manifest, _ = ship(salvage, dumps, folder, env)
    assert place_of(key) == manifest["where"]["place"] == "shop/cart-7f"
    assert manifest["where"]["container"] == "main" and manifest["where"]["image"] == "i:1"


def test_no_proxy_is_asked_for_metadata(salvage, dumps, folder, start):
    ecs, imds, proxy = start(Ecs), start(Imds), start(Ecs)
    env = {name: proxy.url for name in ("http_proxy", "all_proxy", "ALL_PROXY", "https_proxy")}
    _, manifest, _ = ship(salvage, dumps, folder, {**ecs.env, **imds.env, **env})
    assert manifest["where"]["place"] == ECS_PLACE and manifest["where"]["instance"] == imds.INSTANCE
    assert proxy.seen == []


@pytest.fixture
def container_cgroup():
    """A cgroup as Docker would name it; its path and the id in it."""
    require_root("makes a cgroup")
    name = uuid.uuid4().hex * 2
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        found = [line.split() for line in mounts]
    roots = [m[1] for m in found if m[2] == "cgroup2" or (m[2] == "cgroup" and "freezer" in m[3].split(","))]
    parent = pathlib.Path(roots[-1], "salvage-e2e-" + uuid.uuid4().hex[:8])
    path = parent / name
    path.mkdir(parents=True)
    yield path, name
    path.rmdir()
    parent.rmdir()


def test_a_container_is_known_by_its_cgroup(salvage, dumps, folder, container_cgroup):
    path, name = container_cgroup
    drop(dumps, "app.hprof")
    enter = "echo $$ >%s/cgroup.procs && exec \"$@\"" % path
    subprocess.run(["/bin/sh", "-c", enter, "sh", BIN, "ship", str(dumps / "app.hprof"), *folder.options(),
                    "--key", "{container_id}/{id}"], env=environment(salvage.home), check=True, stdout=subprocess.DEVNULL)
    ((key, manifest),) = folder.manifests()
    assert manifest["where"]["container_id"] == name and key.startswith(name + "/")


# --- services that are slow, dead or wrong ----------------------------------------------------------------------------


@pytest.mark.serial
@pytest.mark.parametrize("how", ["blackhole", "silent", "dripping", "refused"])
def test_the_dead_cost_a_second_all_together(salvage, dumps, folder, start, how):
    """Both services at once; and the evidence is stored all the same."""
    if how == "blackhole":
        ecs, imds = start(Blackhole).url + "/v4/x", start(Blackhole).url
    elif how == "refused":
        ecs, imds = metadata.refused() + "/v4/x", metadata.refused()
    else:
        services = start(Ecs), start(Imds)
        for service in services:
            service.behave = getattr(metadata, how)
        ecs, imds = services[0].url + services[0].path, services[1].url
    env = {"ECS_CONTAINER_METADATA_URI_V4": ecs, "AWS_EC2_METADATA_SERVICE_ENDPOINT": imds}
    key, manifest, seconds = ship(salvage, dumps, folder, env)
    assert place_of(key) == "host/" + manifest["where"]["host"]
    assert seconds < LIMIT + SLACK
    if how != "refused":
        assert seconds > LIMIT * 0.9, "it was not waited for: this test shows nothing"


@pytest.mark.serial
def test_a_slow_answer_counts_within_the_second(salvage, dumps, folder, start):
    ecs, imds = start(Ecs), start(Imds)
    ecs.behave, imds.behave = metadata.slow(0.6), metadata.slow(0.3)  # the token, then the document
    key, manifest, seconds = ship(salvage, dumps, folder, {**ecs.env, **imds.env})
    assert place_of(key) == ECS_PLACE and manifest["where"]["instance"] == imds.INSTANCE
    assert seconds < LIMIT + SLACK, "they were asked one after the other"


@pytest.mark.parametrize("dead", ["/task", CONTAINER_ID])
def test_half_an_answer_is_enough_for_the_place(salvage, dumps, folder, start, dead):
    ecs = start(Ecs)
    ecs.behave = metadata.only(dead, metadata.silent)
    key, manifest, _ = ship(salvage, dumps, folder, ecs.env)
    assert place_of(key) == ECS_PLACE
    assert manifest["where"]["revision"] == "7"
    assert ("zone" in manifest["where"]) == (dead != "/task")


def test_a_passing_failure_is_asked_again(salvage, dumps, folder, start):
    ecs = start(Ecs)
    ecs.behave = metadata.times(2, metadata.says(429, "slow down"))
    key, manifest, _ = ship(salvage, dumps, folder, ecs.env)
    assert place_of(key) == ECS_PLACE and manifest["where"]["zone"] == ZONE


WRONG = {
    "garbage": metadata.says(200, "<html>welcome</html>"),
    "nothing": metadata.says(200, ""),
    "a list": metadata.says(200, "[]"),
    "cut": metadata.says(200, '{"Cluster": "demo", "Fam'),
    "types": metadata.says(200, '{"Cluster": 5, "TaskARN": {}, "Family": null, "Labels": "x", "instanceId": []}'),
    "deep": metadata.says(200, "[" * 100000),
    "denied": metadata.says(403, "no"),
    "broken": metadata.says(500, "oops"),
    "elsewhere": metadata.says(302, "", {"Location": "http://127.0.0.1:9/"}),
    "endless": metadata.endless,
}


@pytest.mark.serial
@pytest.mark.parametrize("how", WRONG)
def test_nonsense_is_no_answer(salvage, dumps, folder, start, how):
    ecs, imds = start(Ecs), start(Imds)
    ecs.behave = imds.behave = WRONG[how]
    key, manifest, seconds = ship(salvage, dumps, folder, {**ecs.env, **imds.env})
    assert place_of(key) == "host/" + manifest["where"]["host"]
    assert seconds < LIMIT + SLACK


def test_hostile_names_stay_where_they_belong(salvage, dumps, folder, start):
    ecs = start(Ecs, cluster="..", family="../../etc", revision="\x1b[31m", task="a b")
    key, manifest, _ = ship(salvage, dumps, folder, ecs.env)
    assert place_of(key) == "ecs/_./_._.._etc/a_b"
    assert "revision" not in manifest["where"]
    listed = salvage.ok("ls", folder.url, "ecs")
    assert "\x1b" not in listed.out and key in listed.out


@pytest.mark.serial
@pytest.mark.parametrize("url", ["file:///etc/passwd", "not a url", "http://", "http://127.0.0.1:99999/x", "/v4/x"])
def test_an_address_that_is_none_is_no_trouble(salvage, dumps, folder, url):
    key, _, seconds = ship(salvage, dumps, folder, {"ECS_CONTAINER_METADATA_URI_V4": url})
    assert key.startswith("host/") and seconds < LIMIT + SLACK


# --- a watch asks once ------------------------------------------------------------------------------------------------


def shipped_one(watch, dumps, name, count):
    """Drops a dump into a watched folder; the seconds until it is in the store."""
    began = time.monotonic()
    drop(dumps, name)
    watch.wait("shipped", count=count)
    return time.monotonic() - began


def test_a_watch_asks_once(salvage, dumps, folder, start):
    """The process that checks the store asks; its answers hold for every worker."""
    ecs, imds = start(Ecs, launch_type="EC2"), start(Imds)
    watch = salvage.watch(dumps, *folder.options(), env={**ecs.env, **imds.env})
    watch.wait("store-ready")
    for i in range(3):
        shipped_one(watch, dumps, "app%d.hprof" % i, i + 1)
        time.sleep(0.2)
        ecs.behave = imds.behave = metadata.silent
    assert watch.stop() == 0
    assert len(ecs.seen) == 2 and len(imds.seen) == 2
    for key, manifest in folder.manifests():
        assert place_of(key) == ECS_PLACE and manifest["where"]["instance"] == imds.INSTANCE
    assert len(folder.manifests()) == 3


@pytest.mark.serial
def test_a_watch_waits_for_the_dead_once(salvage, dumps, folder, start):
    env = {"ECS_CONTAINER_METADATA_URI_V4": start(Blackhole).url, "AWS_EC2_METADATA_SERVICE_ENDPOINT": start(Blackhole).url}
    watch = salvage.watch(dumps, *folder.options(), env=env)
    watch.wait("started")
    first = shipped_one(watch, dumps, "one.hprof", 1)
    time.sleep(0.2)
    second = shipped_one(watch, dumps, "two.hprof", 2)
    assert LIMIT * 0.9 < first < LIMIT + SLACK
    assert second < SLACK
    assert watch.stop() == 0


# --- one name for one piece of evidence -------------------------------------------------------------------------------


def silence(service, silent):
    service.behave = metadata.silent if silent else None


@pytest.mark.parametrize("first", ["known", "unknown"])
@pytest.mark.parametrize("command", ["ship", "watch"])
def test_a_resume_keeps_the_name(salvage, dumps, s3, proxy, start, command, first):
    """The service went away, or came, between a killed run and the next."""
    ecs = start(Ecs)
    silence(ecs, first == "unknown")
    total = drop(dumps, "app.hprof", 64 << 20, seed=51)
    through = s3.through(proxy)
    proxy.rate = 24 << 20
    env = {**s3.env, **ecs.env}
    target = dumps / "app.hprof" if command == "ship" else dumps
    more = ["--compress", "none"] + (["--remove"] if command == "ship" else ["--log", "json"])
    run = salvage.start(command, target, *through.options(), *more, env=env)
    wait_for(lambda: len([r for r in proxy.seen(lambda r: r.is_part) if r.status == 200]) >= 3, 30, "no parts")
    time.sleep(0.1)
    run.kill()
    proxy.rate = None
    silence(ecs, first == "known")
    if command == "ship":
        salvage.ok("ship", target, *through.options(), *more, env=env)
    else:
        again = salvage.start("watch", target, *through.options(), *more, "--once", env=env)
        assert again.end() == 0, again.log
        assert len(again.named("resumed")) == 1
    manifest = s3.check_one(total)
    place = manifest["key"].rsplit("/", 2)[0]
    assert place == manifest["where"]["place"]
    assert place == (ECS_PLACE if first == "known" else "host/" + manifest["where"]["host"])
    assert len(proxy.seen(lambda r: r.is_create)) == 1, "a second upload was begun"
    assert left_in(dumps) == [] and spool_of(dumps) == []


def test_what_was_stored_already_is_not_stored_under_another_name(salvage, dumps, s3, proxy, start):
    """The manifest is in the store, but its answer was lost, and the watch with it."""
    ecs = start(Ecs)
    total = drop(dumps, "app.hprof", 1 << 20, seed=52)
    env = {**s3.env, **ecs.env}
    proxy.harm(ResetAnswer(), lambda r: r.is_manifest, times=100)
    watch = salvage.watch(dumps, *s3.through(proxy).options(), env=env)
    wait_for(lambda: any(key.endswith(".json") for key in s3.keys()), 30)
    watch.kill()
    silence(ecs, True)
    again = salvage.watch(dumps, *s3.options(), "--once", env=env)
    assert again.end() == 0, again.log
    assert again.named("already-stored"), again.log
    assert s3.check_one(total)["where"]["place"] == ECS_PLACE


@pytest.mark.parametrize("own, place", [({}, "/team/cart-0/"), ({"POD_NAMESPACE": "ops", "POD_NAME": "node-agent"}, "/ops/node-agent/")])
def test_a_process_beside_a_debug_container_says_whose_it_is(salvage, folder, own, place):
    """One host name, as in one pod: who was not given the pod's names takes those of the process."""
    beside = subprocess.Popen(["sleep", "60"], env={"POD_NAMESPACE": "team", "POD_NAME": "cart-0"})
    try:
        url = salvage.ok("core", beside.pid, "--to", folder.url, env=own).out.strip()
    finally:
        beside.kill()
        beside.wait()
    assert place in url
