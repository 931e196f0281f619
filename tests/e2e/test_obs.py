# SPDX-License-Identifier: Apache-2.0
"""obs://: Huawei's dialect, against a service that verifies its signatures and keeps the objects in the real S3 server."""
import json
import os
import re
import secrets
import time

import pytest

from helpers.credential_services import Services
from helpers.evidence import drop, left_in, spool_of
from helpers.obs import Obs, ObsStore
from helpers.proc import wait_for
from helpers.proxy import ChangeAnswer


@pytest.fixture(scope="module")
def service(s3_endpoint):
    running = Obs(s3_endpoint, (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]))
    yield running
    running.close()


@pytest.fixture
def obs(service, s3):
    """The service as it should be, with a key of its own."""
    service.page = service.damage = None
    service.clock_ahead = 0
    with service.lock:
        service.seen.clear()
    store = ObsStore(s3, service.url, service.new_key())
    store.service = service
    return store


def parts(service):
    return service.requests(lambda method, query: method == "PUT" and "partNumber" in query)


def test_ship_small_and_large(salvage, dumps, obs):
    """One PUT, and a multipart upload: all signed, all with digests that OBS checks."""
    sums = [drop(dumps, "small.hprof", 200_000), drop(dumps, "large.hprof", 20 << 20)]
    done = salvage.ok("ship", dumps / "small.hprof", dumps / "large.hprof", *obs.options(), "--compress", "none",
                      env=obs.env)
    found = obs.check_all(sums)
    assert done.lines == [obs.url_of(found[total]["key"]) for total in sums]
    assert all(line.startswith("obs://") for line in done.lines) and done.err == ""
    assert len(parts(obs.service)) == 3
    for entry in obs.service.requests(lambda method, query: method == "PUT"):
        assert "content-md5" in entry["headers"] and "x-obs-content-sha256" in entry["headers"], entry
    assert {entry["code"] for entry in obs.service.requests()} == {None}, "something was refused"
    assert obs.head(found[sums[0]]["key"])["Metadata"]["sha256"] == found[sums[0]]["stored_sha256"]


def test_what_goes_to_an_archive_has_a_manifest_that_can_be_read(salvage, dumps, obs):
    """--header: signed as OBS wants it; what ls reads stays where it can be read."""
    drop(dumps, "small.hprof", 200_000)
    drop(dumps, "large.hprof", 20 << 20)
    salvage.ok("ship", dumps / "small.hprof", dumps / "large.hprof", *obs.options(), "--compress", "none",
               "--header", "x-obs-storage-class:COLD", "--header", "x-obs-acl:private", env=obs.env)
    made = obs.service.requests(lambda method, query: (method == "PUT" and "partNumber" not in query) or "uploads" in query)
    assert {entry["headers"].get("x-obs-acl") for entry in made} == {"private"}
    classes = [entry["headers"].get("x-obs-storage-class") for entry in made]
    assert sorted(classes, key=str) == ["COLD"] * 2 + [None] * 4, "two objects, two digests, two manifests"


def test_watch_ls_get(salvage, dumps, work, obs):
    obs.service.page = 3  # several pages of listing
    sums = [drop(dumps, "app-%d.hprof" % n) for n in range(4)]
    watch = salvage.watch(dumps, *obs.options(), "--once", env=obs.env)
    assert watch.end() == 0, watch.log
    found = obs.check_all(sums)
    listed = json.loads(salvage.ok("ls", *obs.options()[1:], "--json", env=obs.env).out)
    assert sorted(entry["url"] for entry in listed) == sorted(obs.url_of(m["key"]) for m in found.values())
    assert len(obs.service.requests(lambda method, query: method == "GET" and "marker" in query)) >= 2
    for total in sums:
        target = work / total
        salvage.ok("get", obs.url_of(found[total]["key"]), "--output", target, *obs.args, env=obs.env)
        assert target.stat().st_size == found[total]["size"]


def test_the_bucket_stands_before_a_named_endpoint(salvage, dumps, obs, s3):
    store = ObsStore(s3, obs.service.named_url, obs.env)
    total = drop(dumps, "app.hprof", 20 << 20)
    salvage.ok("ship", dumps / "app.hprof", *store.options(), "--compress", "none", env=store.env)
    store.check_one(total)
    hosts = {entry["headers"]["host"] for entry in obs.service.requests()}
    assert hosts == {"%s.obs.localhost:%d" % (store.bucket, obs.service.port)}


def test_the_endpoint_from_the_environment_and_names_with_odd_characters(salvage, work, dumps, obs):
    """What is signed is encoded as what is sent."""
    total = drop(dumps, "app.hprof")
    env = {**obs.env, "OBS_ENDPOINT": obs.service.url, "OBS_REGION": "cn-north-4"}
    place = obs.url + "/p q+r%2F/(é)~*'"
    salvage.ok("ship", dumps / "app.hprof", "--to", place, env=env)
    assert [m["sha256"] for _, m in obs.manifests()] == [total]
    assert all(key.startswith("p q+r%2F/(é)~*'/") for key in obs.keys()), obs.keys()
    listed = json.loads(salvage.ok("ls", place, "--json", env=env).out)
    assert len(listed) == 1
    salvage.ok("get", listed[0]["url"], "--output", dumps / "again", env=env)


def test_resume_after_kill_9(salvage, dumps, obs, s3, proxy_to):
    total = drop(dumps, "app.hprof", 64 << 20)
    proxy = proxy_to("127.0.0.1:%d" % obs.service.port, rate=24 << 20)
    store = ObsStore(s3, proxy.url, obs.env)
    first = salvage.start("ship", "--remove", dumps / "app.hprof", *store.options(), "--compress", "none", env=store.env)

    def confirmed():
        return [int(r.query["partNumber"]) for r in proxy.seen(lambda r: r.is_part) if r.status == 200]

    wait_for(lambda: len(confirmed()) >= 4, 30, "no parts")
    time.sleep(0.1)
    first.kill()
    before, seen = confirmed(), len(proxy.seen())
    proxy.rate = None
    salvage.ok("ship", "--remove", dumps / "app.hprof", *store.options(), "--compress", "none", env=store.env)
    store.check_one(total)
    again = {int(r.query["partNumber"]) for r in proxy.requests[seen:] if r.is_part}
    assert len(again & set(before)) <= 3, (before, again)
    assert len(proxy.seen(lambda r: r.is_create)) == 1, "a second upload was begun"
    assert left_in(dumps) == [] and spool_of(dumps) == []


def test_temporary_keys_bring_their_token(salvage, dumps, obs, s3):
    env = obs.service.new_key(temporary=True)
    store = ObsStore(s3, obs.service.url, env)
    total = drop(dumps, "app.hprof", 12 << 20)
    salvage.ok("ship", dumps / "app.hprof", *store.options(), "--compress", "none", env=env)
    store.check_one(total)
    assert {entry["headers"].get("x-obs-security-token") for entry in obs.service.requests()} == \
        {env["OBS_SECURITY_TOKEN"]}


class Agency(Services):
    """The ECS's metadata service; it remembers when each token ends."""

    def __init__(self, life):
        super().__init__("OBSAGENCY" + secrets.token_hex(6).upper(), secrets.token_urlsafe(30), life)
        self.ends = {}

    def keys(self, service):
        token, end = super().keys(service)
        self.ends[token] = time.monotonic() + self.life
        return token, end

    def holds(self, token, arrived):
        return arrived < self.ends.get(token, 0)


def test_keys_of_the_agency_are_renewed_in_the_middle_of_an_upload(salvage, dumps, obs, s3, proxy_to):
    agency = Agency(life=2)
    try:
        obs.service.keys[agency.access_key] = (agency.secret_key, agency.holds)
        proxy = proxy_to("127.0.0.1:%d" % obs.service.port, rate=12 << 20)
        store = ObsStore(s3, proxy.url, agency.agency())
        total = drop(dumps, "app.hprof", 64 << 20)
        salvage.ok("ship", dumps / "app.hprof", *store.options(), "--compress", "none", env=store.env)
        store.check_one(total)
    finally:
        agency.close()
    tokens = {entry["headers"]["x-obs-security-token"] for entry in obs.service.requests() if not entry["code"]}
    assert len(tokens) >= 2 and agency.refused == []
    assert len(proxy.seen(lambda r: r.is_create)) == 1, "a second upload was begun"


def refused(salvage, dumps, store, env):
    if not (dumps / "app.hprof").exists():
        drop(dumps, "app.hprof")
    result = salvage.run("ship", dumps / "app.hprof", *store.options(), env=env)
    assert store.keys() == [] and left_in(dumps) == ["app.hprof"]
    for name in ("OBS_SECRET_ACCESS_KEY", "OBS_SECURITY_TOKEN"):
        assert env.get(name) is None or env[name] not in result.err
    assert "obs: " in result.message, result
    return result


def test_a_wrong_secret_is_said(salvage, dumps, obs):
    result = refused(salvage, dumps, obs, {**obs.env, "OBS_SECRET_ACCESS_KEY": "wrong" * 8})
    assert result.code == 30 and "secret key is wrong" in result.message, result
    assert {entry["code"] for entry in obs.service.requests()} == {"SignatureDoesNotMatch"}


def test_an_unknown_key_is_said(salvage, dumps, obs):
    result = refused(salvage, dumps, obs, {**obs.env, "OBS_ACCESS_KEY_ID": "OBSKNOBODY"})
    assert result.code == 30 and "OBSKNOBODY" in result.message, result


def test_a_token_that_has_ended_is_said(salvage, dumps, obs):
    env = obs.service.new_key(temporary=True)
    result = refused(salvage, dumps, obs, {**env, "OBS_SECURITY_TOKEN": "of-yesterday"})
    assert result.code in (30, 31) and "token" in result.message, result


def test_a_wrong_clock_is_said(salvage, dumps, obs):
    obs.service.clock_ahead = 3600
    result = refused(salvage, dumps, obs, obs.env)
    assert result.code == 30 and "clock" in result.message, result


def test_an_unknown_bucket_is_said(salvage, dumps, obs):
    drop(dumps, "app.hprof")
    result = salvage.run("ship", dumps / "app.hprof", "--to", "obs://no-such-bucket-e2e/x", *obs.args, env=obs.env)
    assert result.code == 33 and "no-such-bucket-e2e" in result.message, result


def test_without_keys_region_or_endpoint(salvage, dumps, obs):
    drop(dumps, "app.hprof")
    result = salvage.run("ship", dumps / "app.hprof", "--to", obs.url, env=obs.env)
    assert result.code == 2 and "--region" in result.message and "--endpoint" in result.message, result
    dead = {"SALVAGE_OBS_METADATA_ENDPOINT": "http://127.0.0.1:9"}
    result = salvage.run("ship", dumps / "app.hprof", *obs.options(), env=dead)
    assert result.code == 32 and "OBS_ACCESS_KEY_ID" in result.message, result


@pytest.mark.parametrize("size", [300_000, 20 << 20], ids=["single", "parts"])
def test_a_bit_flipped_on_the_way_is_noticed_and_sent_again(salvage, dumps, obs, size):
    """By the store: nothing else of the body is checked."""
    total = drop(dumps, "app.hprof", size)
    flipped = []

    def once(method, query):
        if method != "PUT" or flipped:
            return False
        flipped.append(query)
        return True

    obs.service.damage = once
    salvage.ok("ship", dumps / "app.hprof", *obs.options(), "--compress", "none", env=obs.env)
    obs.check_one(total)
    assert [entry["code"] for entry in obs.service.requests() if entry["code"]] == ["BadDigest"]


def test_bits_that_are_always_flipped_end_in_a_refusal(salvage, dumps, obs):
    obs.service.damage = lambda method, query: method == "PUT"
    drop(dumps, "app.hprof")
    result = salvage.run("ship", dumps / "app.hprof", *obs.options(), "--give-up", "2s", env=obs.env)
    assert result.code == 50 and "damaged" in result.err, result
    assert obs.keys() == [] and left_in(dumps) == ["app.hprof"]


def test_abandoned_uploads_of_ours_are_aborted_and_nobody_elses(salvage, dumps, obs, s3, proxy_to):
    for key in ("shop/cart-7f/20261121T015605Z-java-oom-0123456789abcdef/heap.hprof.zst", "backup/database.tar"):
        obs.client.create_multipart_upload(Bucket=obs.bucket, Key=obs.full(key))
    proxy = proxy_to("127.0.0.1:%d" % obs.service.port)
    proxy.harm(ChangeAnswer(lambda body: re.sub(rb"<Initiated>20\d\d", b"<Initiated>2001", body)),
               lambda r: r.method == "GET" and "uploads" in r.query, times=10**6)
    store = ObsStore(s3, proxy.url, obs.env)
    drop(dumps, "app.hprof")
    watch = salvage.watch(dumps, *store.options(), env=store.env)
    watch.wait("aborted-upload")
    assert watch.stop() == 0
    assert obs.unfinished() == [obs.full("backup/database.tar")]
    obs.clear_uploads()
