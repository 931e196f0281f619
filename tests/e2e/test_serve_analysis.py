# SPDX-License-Identifier: Apache-2.0
"""What a server finds out about evidence that arrives: analyses on request and by rule, and digests of what has none."""
import datetime
import fcntl
import html
import json
import os
import re
import signal
import time
import urllib.parse

import pytest

from helpers import case_store, openmetrics
from helpers.proc import children, cmdline, status, wait_for
from helpers.program import BIN
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


def stop_child(serve, ended):
    """Stops the process that analyses; None if it is too late."""
    found = wait_for(lambda: ended() or [pid for pid in children(serve.program.pid) if b"inspect-child" in cmdline(pid)],
                     20, "no child")
    if found is True:
        return None
    try:
        os.kill(found[0], signal.SIGSTOP)
    except ProcessLookupError:
        return None
    return found[0]


def is_gone(pid):
    return status(pid).get("State", "Z").strip().startswith("Z")


def stopped_analysis(serve, case):
    """An analysis that stands still in its midst: the pid of its process."""
    for _ in range(50):
        assert ask(serve, case).status in (200, 202)
        pid = stop_child(serve, lambda: state(serve, case)["state"] == "done")
        if pid and not is_gone(pid) and state(serve, case)["state"] == "running":
            return pid
        wait_for_state(serve, case, "done")  # it was faster
        (serve.root / case / "analysis.json").unlink()
    raise AssertionError("it is always faster")


def test_killed_stopped_and_crashed_in_the_midst(salvage, start, real_dump):
    serve = start("--no-digest")
    case = case_of(Shipper(salvage, serve).ship(real_dump, "--no-digest"))
    wait_for(lambda: state(serve, case)["state"] == "none", 10, "the case is not known")
    pid = stopped_analysis(serve, case)
    serve.restart()  # kill -9
    wait_for(lambda: is_gone(pid), 10, "its child is left behind")
    wait_for(lambda: state(serve, case)["state"] == "none", 10, "the case is not known")
    pid = stopped_analysis(serve, case)
    serve.restart(how=signal.SIGTERM)
    assert is_gone(pid)
    wait_for(lambda: state(serve, case)["state"] == "none", 10, "the case is not known")
    pid = stopped_analysis(serve, case)
    os.kill(pid, signal.SIGABRT)
    os.kill(pid, signal.SIGCONT)
    failed = wait_for_state(serve, case, "failed")
    assert "signal 6 (ABRT)" in failed["error"] and "signal 6" in serve.wait("analysis-failed")["error"]
    page = serve.get("/-/case/" + case, token=READER, headers={"Accept": "text/html"}).body
    assert b"signal 6" in page and b"Try it again" in page
    assert ask(serve, case).status == 202, "a person may ask again"
    wait_for_state(serve, case, "done")
    assert serve.request("DELETE", "/%s/heap.hprof.zst" % case, token=OPS).status == 204
    assert fetch(serve, case + "/analysis.json") is None and fetch(serve, case + "/analysis.html") is None


def test_hostile_and_large_dumps_cost_one_line(salvage, work, start, s3, real_dump):
    serve = start("--from", s3.url, *s3.args, "--analysis-memory", "48M", "--analyse", "always", "--refresh", "200ms",
                  env=s3.env)
    shipper = Shipper(salvage, serve)
    (work / "broken.hprof").write_bytes(b"JAVA PROFILE 1.0.2\0" + b"\0" * 4 + b"\xff" * 100000)
    broken, large = (shipper.ship(dump, "--no-digest") for dump in (work / "broken.hprof", real_dump))
    assert wait_for_state(serve, case_of(broken), "failed")["error"]
    assert "more than 48.0 MiB, which is what --analysis-memory gives" in wait_for_state(serve, case_of(large), "failed")["error"]
    assert serve.wait("digest-failed")["key"] == broken and "summary" not in manifest_of(serve, broken)
    wait_for_summary(serve, large)
    ended = {"done": 0, "failed": 2, "refused": 0}
    wait_for(lambda: metrics(serve)["salvage_analyses_total"] == ended, 10, "not counted")
    for key in broken, large:
        s3.overwrite(key + ".json", s3.read(key + ".json") + b"\n")
    listed = time.time()
    wait_for(lambda: metrics(serve)["salvage_listed_timestamp_seconds"][""] > listed + 0.3, 10, "not listed")
    assert metrics(serve)["salvage_analyses_total"] == ended, "what failed is not tried again"
    assert metrics(serve)["salvage_digests_total"] == {"done": 1, "failed": 1, "refused": 0}


def test_rules_and_turns_of_namespaces(salvage, work, start, real_dump):
    serve = start("--analyse", "never", "--analyse", "shop=request", "--analyse", "pay=oom", "--no-digest")
    cases = {}
    for name in "shop", "pay", "bank":
        cases[name] = case_of(Shipper(salvage, serve, name).ship(real_dump, "--no-digest"))
    wait_for_state_of(serve, cases["pay"], "done")
    assert state(serve, cases["shop"], OPS)["state"] == "none"
    refused = ask(serve, cases["bank"], token=OPS)
    assert refused.status == 403 and b"no dumps of this namespace" in refused.body
    assert b"Analyse the heap dump" not in page_of(serve, cases["bank"]) and \
        b"Analyse the heap dump" in page_of(serve, cases["shop"])


def page_of(serve, case):
    return serve.get("/-/case/" + case, token=OPS, headers={"Accept": "text/html"}).body


def wait_for_state_of(serve, case, wanted):
    wait_for(lambda: state(serve, case, OPS)["state"] == wanted, 60, "not " + wanted)


def test_who_asks_for_many_does_not_make_another_wait(salvage, work, start):
    (work / "root").mkdir()
    at = datetime.datetime(2026, 11, 21, 1, tzinfo=datetime.timezone.utc)
    many = [case_of(case_store.put_case(work / "root", "shop", "cart-0", at, number=n)) for n in range(8)]
    one = case_of(case_store.put_case(work / "root", "pay", "ledger-0", at, number=100))
    with open(BIN, "rb") as program:
        fcntl.flock(program, fcntl.LOCK_EX)  # as an analysis of a neighbour on this machine
        serve = start()
        wait_for(lambda: state(serve, one, OPS)["state"] == "none", 10, "not known")
        for case in many:
            assert ask(serve, case, token=OPS).status == 202
        assert json.loads(ask(serve, one, token=OPS).body) == {"case": one, "state": "queued", "ahead": 2}
        assert state(serve, many[-1], OPS)["ahead"] == 8
        found = metrics(serve)
        assert (found["salvage_analyses_running"][""], found["salvage_analyses_queued"][""]) == (1, 8)
        assert serve.stop() == 0, "what waits does not hold up the end"


def test_a_form_without_a_script_and_no_other_site(salvage, start, real_dump):
    serve = start()
    case = case_of(Shipper(salvage, serve).ship(real_dump))
    wait_for(lambda: state(serve, case)["state"] == "none", 10, "the case is not known")
    form = re.search(rb'<form method="post" action="(/-/analyse\?[^"]*)"', page_of(serve, case)).group(1).decode()
    other = serve.request("POST", html.unescape(form), token=OPS, headers={"Origin": "https://evil.example"})
    assert other.status in (400, 403) and state(serve, case)["state"] == "none"
    answer = serve.request("POST", html.unescape(form), token=OPS)
    assert answer.status == 303 and answer.headers["Location"] == "/-/case/" + case
    wait_for_state(serve, case, "done")
    assert b"Analyse the heap dump" not in page_of(serve, case)
    audits = [e for e in serve.events if e["event"] == "audit" and e["action"] == "analysis"]
    assert audits and audits[-1]["key"] == case


def test_a_digest_that_was_cut_off_is_made_after_the_restart(salvage, work, start, real_dump):
    serve = start("--no-digest")
    key = Shipper(salvage, serve).ship(real_dump, "--no-digest")
    wait_for(lambda: state(serve, case_of(key))["state"] == "none", 10, "the case is not known")
    serve.stop()
    serve = start()
    wait_for_summary(serve, key)
    for token, code in (READER, 200), (LISTER, 403):
        assert serve.get("/" + case_of(key) + "/digest.json", token=token).status == code


def test_a_folder_of_dumps_without_manifests(salvage, work, start, real_dump):
    (work / "root/shop/old").mkdir(parents=True)
    for name, text in (("app.hprof", real_dump.read_bytes()), ("other.hprof", b"not a heap dump" * 10000)):
        (work / "root/shop/old" / name).write_bytes(text)
        os.utime(work / "root/shop/old" / name, (time.time() - 1200,) * 2)
    (work / "root/shop/old/growing.hprof").write_bytes(real_dump.read_bytes()[:100000])
    serve = start("--refresh", "200ms")
    wait_for(lambda: fetch(serve, "shop/old/app.hprof.digest.json"), 20, "no digest")
    assert json.loads(fetch(serve, "shop/old/app.hprof.digest.json"))["summary"] == serve.wait("digested")["summary"]
    listed = time.time()
    wait_for(lambda: metrics(serve)["salvage_listed_timestamp_seconds"][""] > listed + 0.5, 10, "not listed")
    assert len(named(serve, "digested")) == 1 and named(serve, "digest-failed") == []
    assert sorted(path.name for path in (work / "root/shop/old").iterdir()) == \
        ["app.hprof", "app.hprof.digest.json", "growing.hprof", "other.hprof"]
    assert serve.request("DELETE", "/shop/old/app.hprof", token=OPS).status == 204
    assert fetch(serve, "shop/old/app.hprof.digest.json") is None


def test_answers_count_for_the_share_of_their_namespace(salvage, work, start, real_dump):
    env = {"POD_NAMESPACE": "shop", "POD_NAME": "cart-7f9c"}
    done = salvage.ok("ship", real_dump, "--keep", "--json", "--no-digest", "--to", "file://%s" % (work / "root"), env=env)
    case = case_of(json.loads(done.out)["key"])
    stored = sum(path.stat().st_size for path in (work / "root" / case).iterdir())
    serve = start("--quota", "shop=%d" % (stored + 2000), "--no-digest")
    wait_for(lambda: state(serve, case)["state"] == "none", 10, "the case is not known")
    assert ask(serve, case).status == 202
    assert "shop" in wait_for_state(serve, case, "failed")["error"] and serve.wait("analysis-failed")["fault"] == "full"
    assert fetch(serve, case + "/analysis.json") is None and fetch(serve, case + "/analysis.html") is None


def test_the_limit_of_the_container_is_kept(salvage, start, s3, groups, real_dump):
    """A child that took more would have the kernel kill all of the container."""
    group = groups(64 << 20)
    serve = start("--from", s3.url, *s3.args, "--no-digest", env=s3.env, entry=group.entry)
    case = case_of(Shipper(salvage, serve).ship(real_dump, "--no-digest"))
    wait_for(lambda: state(serve, case)["state"] == "none", 10, "the case is not known")
    assert ask(serve, case).status == 202
    assert "this server's container has only" in wait_for_state(serve, case, "failed")["error"]
    assert group.oom_kills == 0 and serve.get("/healthz").status == 200
