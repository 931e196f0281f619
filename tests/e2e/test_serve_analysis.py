# SPDX-License-Identifier: Apache-2.0
"""What a server finds out about evidence that arrives: analyses on request and by rule, and digests of what has none."""
import json
import os
import urllib.parse

import pytest

from helpers import openmetrics
from helpers.proc import wait_for
from helpers.serve import Serve

OPS, READER, LISTER = "ops-token-of-a-test-1", "reader-token-of-a-test", "lister-token-of-a-test"


@pytest.fixture
def start(salvage, work):
    path = work / "tokens"
    path.write_text("ops %s admin *\nreader %s read,write shop\nlister %s list shop\n" % (OPS, READER, LISTER))
    path.chmod(0o600)

    def run(*args, **more):
        return Serve(salvage, work, "--tokens", path, *args, **more)

    return run


class Shipper:
    def __init__(self, salvage, serve, namespace="shop"):
        self.salvage, self.serve, self.namespace = salvage, serve, namespace

    def ship(self, dump, *more):
        """The key of its object."""
        env = {"SALVAGE_HTTP_TOKEN": OPS, "POD_NAMESPACE": self.namespace, "POD_NAME": "cart-7f9c"}
        done = self.salvage.ok("ship", dump, "--keep", "--json", "--to", self.serve.url, *more, env=env)
        return json.loads(done.out)["key"]


def case_of(key):
    return key.rpartition("/")[0]


def ask(serve, case, method="POST", token=READER, path="/-/api/analyse"):
    return serve.request(method, path + "?" + urllib.parse.urlencode({"case": case}), token=token)


def state(serve, case, token=READER):
    answer = ask(serve, case, "GET", token)
    return json.loads(answer.body) if answer.status in (200, 202) else {"state": answer.status}


def wait_for_state(serve, case, wanted, seconds=60):
    wait_for(lambda: state(serve, case)["state"] == wanted, seconds, "not " + wanted)
    return state(serve, case)


def metrics(serve):
    return openmetrics.parse(serve.get("/metrics", token=OPS).body)


def fetch(serve, key):
    answer = serve.get("/" + key, token=READER)
    return answer.body if answer.status == 200 else None


def same(found, wanted):
    return {**found, "name": 0} == {**wanted, "name": 0}


def named(serve, name):
    return [e for e in serve.events if e["event"] == name]


def test_a_dump_is_analysed_on_request(salvage, start, real_dump):
    serve = start()
    case = case_of(Shipper(salvage, serve).ship(real_dump))
    wait_for(lambda: state(serve, case)["state"] == "none", 10, "the case is not known")
    assert ask(serve, case, token=LISTER).status == 403 and ask(serve, "shop/no/case").status == 404
    assert ask(serve, case).status == 202
    wait_for_state(serve, case, "done")
    wanted = json.loads(salvage.ok("inspect", real_dump, "--json", "--threads").out)
    assert same(json.loads(fetch(serve, case + "/analysis.json")), wanted)
    assert fetch(serve, case + "/analysis.html").startswith(b"<!doctype html>")
    assert serve.wait("analysed")["case"] == case
    assert ask(serve, case).status == 200, "it is there"
    found = metrics(serve)
    assert found["salvage_analyses_total"] == {"done": 1, "failed": 0, "refused": 0}
    assert found["salvage_analyses_running"][""] == 0 and found["salvage_analyses_queued"][""] == 0


def manifest_of(serve, key):
    return json.loads(fetch(serve, key + ".json"))


def wait_for_summary(serve, key, seconds=30):
    wait_for(lambda: "summary" in manifest_of(serve, key), seconds, "no summary")
    return manifest_of(serve, key)


@pytest.mark.parametrize("codec", ["zstd", "gzip", "none"])
def test_what_arrives_without_its_digest_gets_one(salvage, work, start, real_dump, codec):
    serve = start()
    shipper = Shipper(salvage, serve)
    wanted = json.loads(salvage.ok("ship", real_dump, "--keep", "--json", "--to", "file://%s" % (work / "other")).out)
    key = shipper.ship(real_dump, "--no-digest", "--compress", codec)
    manifest = wait_for_summary(serve, key)
    assert manifest["top"] == wanted["top"]
    digest = json.loads(fetch(serve, case_of(key) + "/digest.json"))
    assert digest["schema"] == "salvage.digest/1" and digest["summary"] == manifest["summary"]
    if codec != "gzip":  # a stream has no names of threads
        assert manifest["summary"] == wanted["summary"]
    assert serve.wait("digested")["key"] == key
    wait_for(lambda: metrics(serve)["salvage_digests_total"] == {"done": 1, "failed": 0, "refused": 0}, 5, "counted otherwise")
    found = json.loads(serve.get("/-/api/cases?q=" + manifest["top"][0]["name"].split(".")[-1], token=READER).body)
    assert [row["id"] for row in found["cases"]] == [case_of(key)], "the catalogue knows the sentence"


def test_in_a_bucket_blocks_are_read_and_each_of_two_servers_knows(salvage, work, start, s3, real_dump):
    """A shipper with a key of the bucket: two servers find the case by listing, and do not get in each other's way."""
    other = json.loads(salvage.ok("ship", real_dump, "--keep", "--json", "--to", "file://%s" % (work / "other")).out)
    bucket = ["--from", s3.url, *s3.args, "--refresh", "300ms", "--analyse", "pay=always"]
    first, second = start(*bucket, env=s3.env), start(*bucket, env=s3.env)
    env = {**s3.env, "POD_NAMESPACE": "pay", "POD_NAME": "ledger-0"}
    done = salvage.ok("ship", real_dump, "--keep", "--json", "--no-digest", "--to", s3.url, *s3.args, env=env)
    key = json.loads(done.out)["key"]
    wait_for(lambda: "summary" in json.loads(s3.read(key + ".json")), 30, "no summary")
    manifest = json.loads(s3.read(key + ".json"))
    assert (manifest["summary"], manifest["top"]) == (other["summary"], other["top"])
    assert {name: value for name, value in manifest.items() if name not in ("summary", "top")} == \
        {name: value for name, value in json.loads(done.out).items() if name not in ("summary", "top")}
    for serve in first, second:
        wait_for(lambda: state(serve, case_of(key), OPS)["state"] == "done", 30, "not analysed")
    wanted = json.loads(salvage.ok("inspect", real_dump, "--json", "--threads").out)
    assert same(json.loads(s3.read(case_of(key) + "/analysis.json")), wanted)
    assert named(first, "analysis-failed") + named(second, "analysis-failed") == []
    assert named(first, "digest-failed") + named(second, "digest-failed") == []
