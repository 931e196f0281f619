# SPDX-License-Identifier: Apache-2.0
"""watch and guard ask the store when they start, long before the first evidence, and leave nothing in it."""
import json
import uuid

import pytest

import os

from helpers.evidence import drop
from helpers.proc import wait_for
from helpers.proxy import Answer
from helpers.stores import S3


def test_a_watch_says_at_once_that_its_store_is_not_there(salvage, dumps, s3):
    watch = salvage.watch(dumps, "--to", s3.url, "--endpoint", "http://127.0.0.1:1", env=s3.env)
    watch.wait("store-failed", timeout=10)
    failed = watch.named("store-failed")[0]
    assert failed["fault"] == "unreachable" and "retry_in_s" in failed
    assert watch.stop() == 0


def test_a_guard_says_at_once_that_its_store_is_not_there(salvage, work, s3):
    ready = work / "ready"
    ready.write_text("of an earlier run")
    for env, endpoint, fault in ((s3.env, "http://127.0.0.1:1", "unreachable"),
                                 ({**s3.env, "AWS_SECRET_ACCESS_KEY": "wrong"}, s3.args[1], "denied")):
        guard = salvage.start("guard", "--pid", os.getpid(), "--to", s3.url, "--endpoint", endpoint, "--ready", ready,
                              "--log", "json", env=env)
        assert guard.wait("store-failed", timeout=10)["fault"] == fault
        assert not ready.exists()
        guard.kill()


def test_an_application_starts_though_its_store_is_not_there(salvage, s3):
    run = salvage.start("run", "--to", s3.url, "--endpoint", "http://127.0.0.1:1", "--log", "json", "--", "/bin/sleep", "60",
                        env=s3.env)
    run.wait("store-failed", timeout=10)
    assert run.process.poll() is None
    run.kill()


def test_wrong_keys_are_said_at_once(salvage, dumps, s3):
    watch = salvage.watch(dumps, *s3.options(), env={**s3.env, "AWS_SECRET_ACCESS_KEY": "wrong"})
    watch.wait("store-failed", timeout=10)
    failed = watch.named("store-failed")[0]
    assert failed["fault"] == "denied" and failed["error"]
    assert watch.stop() == 0


def test_asking_leaves_nothing(salvage, dumps, store):
    watch = salvage.watch(dumps, *store.options(), env=store.env)
    watch.wait("store-ready", timeout=10)
    assert store.keys() == [] and store.unfinished() == []
    total = drop(dumps, "app.hprof")
    watch.wait("shipped")
    assert watch.stop() == 0
    store.check_one(total)


def test_the_ready_file_is_there_while_the_store_is(salvage, work, dumps, folder):
    ready = work / "ready"
    ready.write_text("of an earlier run")
    watch = salvage.watch(dumps, *folder.options(), "--ready", ready, env=folder.env)
    watch.wait("store-ready", timeout=10)
    wait_for(ready.exists)
    assert watch.stop() == 0
    wait_for(lambda: not ready.exists(), 10, "a watch that has ended is not ready")


def test_no_ready_file_without_a_store(salvage, work, dumps):
    ready = work / "ready"
    ready.write_text("of an earlier run")
    watch = salvage.watch(dumps, "--to", "file://%s/missing/store" % work, "--ready", ready)
    watch.wait("store-failed", timeout=10)
    assert not ready.exists()
    watch.kill()


def test_a_bucket_in_the_endpoint_is_refused(salvage, dumps, s3):
    drop(dumps, "app.hprof")
    endpoint = s3.options()[s3.options().index("--endpoint") + 1]
    result = salvage.run("ship", dumps / "app.hprof", "--to", s3.url, "--endpoint", endpoint + "/" + s3.url.split("/")[2],
                         env=s3.env)
    assert result.code == 2 and "endpoint" in result.message, result


@pytest.fixture
def drop_box(s3):
    """A bucket whose policy lets objects be written and not read; open() ends that."""
    box = S3(s3.client, "drop-box-" + uuid.uuid4().hex[:12], s3.options()[s3.options().index("--endpoint") + 1], s3.env,
             "prod")
    s3.client.create_bucket(Bucket=box.bucket)
    rule = {"Effect": "Deny", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": ["arn:aws:s3:::" + box.bucket, "arn:aws:s3:::%s/*" % box.bucket]}
    s3.client.put_bucket_policy(Bucket=box.bucket,
                                Policy=json.dumps({"Version": "2012-10-17", "Statement": [rule]}))
    box.open = lambda: s3.client.delete_bucket_policy(Bucket=box.bucket)
    yield box
    box.open()
    box.clear()
    s3.client.delete_bucket(Bucket=box.bucket)


@pytest.mark.parametrize("verify", ["read", "put"])
def test_a_role_that_may_not_read_back_does_not_send_again(salvage, dumps, s3_host, proxy_to, drop_box, verify):
    """The answers to the upload are the store's word, of many parts or of one; the manifest says so. That it was not meant is
    said once."""
    proxy = proxy_to(s3_host)
    options = [*drop_box.through(proxy).options(), "--compress", "none", "--verify", verify]
    sums = [drop(dumps, "large.hprof", 20_000_000, seed=7), drop(dumps, "small.hprof", 3000, seed=8)]
    watch = salvage.watch(dumps, *options, env=drop_box.env)
    wait_for(lambda: len(watch.named("shipped")) == 2, why=lambda: watch.log)
    assert watch.stop() == 0
    assert len(proxy.seen(lambda r: r.is_complete)) == 1
    assert [event["verified"] for event in watch.named("shipped")] == ["put", "put"]
    said = watch.named("stored-unverified")
    if verify == "read":
        assert len(said) == 1 and "s3:GetObject" in said[0]["error"]
    else:
        assert not said and not watch.named("failed")
    sums.append(drop(dumps, "third.hprof", 3000, seed=9))
    done = salvage.ok("ship", dumps / "third.hprof", *options, env=drop_box.env)
    assert ("--verify=put" in done.err) == (verify == "read"), done
    drop_box.open()
    drop_box.check_all(sums)
    assert {m["verified"] for _, m in drop_box.manifests()} == {"put"}


def test_what_is_read_back_says_so(salvage, dumps, store):
    drop(dumps, "app.hprof")
    salvage.ok("ship", dumps / "app.hprof", *store.options(), env=store.env)
    assert [m["verified"] for _, m in store.manifests()] == ["read"]


def test_verify_put_reads_nothing_of_a_file_server(salvage, dumps, http_move, proxy_to):
    """Nor does one that refuses to be read get the evidence again and again."""
    proxy = proxy_to(http_move.server.host)
    http_move.url = proxy.url + "/dumps"
    sums = [drop(dumps, "app.hprof", seed=1)]
    salvage.ok("ship", dumps / "app.hprof", *http_move.options(), "--verify", "put")
    assert not proxy.seen(lambda r: r.method == "GET" and "app" in r.path)
    proxy.harm(Answer(403, b"no"), lambda r: r.method == "GET", times=1000)
    sums.append(drop(dumps, "more.hprof", seed=2))
    watch = salvage.watch(dumps, *http_move.options(), "--include", "more.hprof")
    watch.wait("shipped", verified="put")
    assert watch.stop() == 0 and len(watch.named("stored-unverified")) == 1
    http_move.check_all(sums)


def refusing(code, message):
    return Answer(400, ("<Error><Code>%s</Code><Message>%s</Message></Error>" % (code, message)).encode())


def test_a_store_that_answers_400_to_headers_gets_none(salvage, dumps, s3, proxy):
    """As Backblaze does: no 501, but InvalidArgument."""
    for header in ("x-amz-checksum-sha256", "x-amz-checksum-algorithm", "if-none-match"):
        proxy.harm(refusing("InvalidArgument", "Unsupported header"), lambda r, name=header: name in r.headers, times=1000)
    sums = [drop(dumps, "small.hprof", 3000, seed=1), drop(dumps, "large.hprof", 12_000_000, seed=2)]
    for name in ("small", "large"):
        done = salvage.ok("ship", dumps / (name + ".hprof"), *s3.through(proxy).options(), "--compress", "none", env=s3.env)
        assert "going on without" in done.err, done
    s3.check_all(sums)


def test_a_wrong_clock_is_corrected_by_the_stores(salvage, dumps, s3, proxy):
    skewed = b"<Error><Code>RequestTimeTooSkewed</Code></Error>"
    proxy.harm(Answer(403, skewed, {"Date": "Sun, 01 Mar 2026 03:00:00 GMT"}), lambda r: r.method == "PUT")
    total = drop(dumps, "app.hprof", 3000)
    salvage.run("ship", dumps / "app.hprof", "--keep", *s3.through(proxy).options(), env=s3.env)
    dates = [r.headers.get("x-amz-date", "") for r in proxy.seen(lambda r: r.method == "PUT")]
    assert dates[1].startswith("20260301T0300"), dates
    salvage.ok("ship", dumps / "app.hprof", *s3.options(), env=s3.env)
    s3.check_one(total)
