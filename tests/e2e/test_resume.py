# SPDX-License-Identifier: Apache-2.0
"""Resuming after a kill or stop: only the remaining parts are sent, and nothing is stored twice."""
import json
import os
import re
import time

import pytest

from helpers.evidence import drop, left_in, spool_of
from helpers.proc import wait_for

SIZE = 96 << 20
RATE = 24 << 20


def parts_stored(proxy):
    """The numbers of parts that the store has confirmed to the program."""
    return [int(r.query["partNumber"]) for r in proxy.seen(lambda r: r.is_part) if r.status == 200]


def parts_noted(dumps):
    """The numbers of parts that stand in the journal: on the disk only some time after the store has confirmed them."""
    return [json.loads(line)["part"] for journal in (dumps / ".salvage" / "spool").glob("*/journal")
            for line in journal.read_text().splitlines() if line.startswith('{"part":')]


@pytest.mark.parametrize("command", ["ship", "watch"])
def test_after_kill_9_only_the_rest_is_sent(salvage, dumps, s3, proxy, command):
    total = drop(dumps, "app.hprof", SIZE, seed=21)
    through = s3.through(proxy)
    proxy.rate = RATE
    target = dumps / "app.hprof" if command == "ship" else dumps
    more = ["--compress", "none"] + (["--remove"] if command == "ship" else ["--log", "json"])
    first = salvage.start(command, target, *through.options(), *more, env=s3.env)
    wait_for(lambda: len(parts_noted(dumps)) >= 4, 30, "no parts")
    first.kill()
    before = parts_stored(proxy)
    time.sleep(0.2)
    assert s3.keys() == []

    proxy.rate = None
    seen = len(proxy.seen())
    if command == "ship":
        salvage.ok("ship", target, *through.options(), *more, env=s3.env)
    else:
        second = salvage.start("watch", target, *through.options(), *more, "--once", env=s3.env)
        assert second.end() == 0, second.log
        assert len(second.named("resumed")) == 1
    s3.check_one(total)
    again = {int(r.query["partNumber"]) for r in proxy.requests[seen:] if r.is_part}
    # Of parts in flight one that was confirmed late, or out of order, may go again; the others must not.
    assert len(again & set(before)) <= 3, (before, again)
    assert set(range(1, min(len(before), 4) - 2)) & again == set(), (before, again)
    assert len(again) < max(again), "everything was sent again"
    assert len(proxy.seen(lambda r: r.is_create)) == 1, "a second upload was begun"
    assert left_in(dumps) == [] and spool_of(dumps) == []


def test_a_run_that_is_killed_again_and_again_gets_there(salvage, dumps, s3, proxy):
    """Each run has time for two parts or so; none is killed so late that the store has ended the upload."""
    total = drop(dumps, "app.hprof", SIZE, seed=22)
    command = ["ship", dumps / "app.hprof", *s3.through(proxy).options(), "--compress", "none"]
    proxy.rate = RATE
    kills = 0
    while len(parts_noted(dumps)) < 7:
        had = len(parts_noted(dumps))
        p = salvage.start(*command, env=s3.env)
        wait_for(lambda had=had: len(parts_noted(dumps)) >= had + 2, 30, lambda p=p: "no parts: " + p.log)
        p.kill()
        kills += 1
    assert 2 <= kills <= 4
    salvage.ok(*command, env=s3.env)
    s3.check_one(total)
    assert len(proxy.seen(lambda r: r.is_create)) == 1


def test_a_changed_plan_begins_anew_and_leaves_nothing_behind(salvage, dumps, s3, proxy):
    total = drop(dumps, "app.hprof", SIZE, seed=23)
    through = s3.through(proxy)
    proxy.rate = RATE
    p = salvage.start("ship", dumps / "app.hprof", *through.options(), "--compress", "none", env=s3.env)
    wait_for(lambda: len(parts_stored(proxy)) >= 2, 30, "no parts")
    p.kill()
    proxy.rate = None
    salvage.ok("ship", dumps / "app.hprof", *through.options(), "--compress", "zstd:1", env=s3.env)
    s3.check_one(total)


def test_a_journal_of_no_use_leaves_no_upload_behind(salvage, dumps, s3, proxy):
    """The store still has what the journal says nothing usable about."""
    total = drop(dumps, "app.hprof", SIZE, seed=29)
    command = ["ship", dumps / "app.hprof", *s3.through(proxy).options(), "--compress", "none"]
    proxy.rate = RATE
    p = salvage.start(*command, env=s3.env)
    wait_for(lambda: len(parts_noted(dumps)) >= 1, 30, "no parts")
    p.kill()
    (journal,) = (dumps / ".salvage" / "spool").glob("*/journal")
    journal.write_text(re.sub('"etag":"[^"]*"', '"etag":"no ETag"', journal.read_text()))
    proxy.rate = None
    salvage.ok(*command, env=s3.env)
    s3.check_one(total)
    assert len(proxy.seen(lambda r: r.is_create)) == 2


def test_an_upload_that_the_store_has_forgotten_begins_anew(salvage, dumps, s3, proxy):
    """An operator's lifecycle rule has aborted it."""
    total = drop(dumps, "app.hprof", SIZE, seed=24)
    through = s3.through(proxy)
    proxy.rate = RATE
    p = salvage.start("ship", dumps / "app.hprof", *through.options(), "--compress", "none", env=s3.env)
    wait_for(lambda: len(parts_stored(proxy)) >= 2, 30, "no parts")
    p.kill()
    wait_for(lambda: not proxy.seen(lambda r: r.ended is None), 10)
    s3.clear()
    proxy.rate = None
    salvage.ok("ship", dumps / "app.hprof", *through.options(), "--compress", "none", env=s3.env)
    s3.check_one(total)


def test_sigterm_finishes_what_is_under_way_within_the_grace(salvage, dumps, s3, proxy):
    total = drop(dumps, "app.hprof", 48 << 20, seed=25)
    proxy.rate = 16 << 20
    watch = salvage.watch(dumps, *s3.through(proxy).options(), "--compress", "none", "--grace", "20s", env=s3.env)
    wait_for(lambda: len(parts_stored(proxy)) >= 1, 30, "no parts")
    late = drop(dumps, "late.hprof")
    watch.process.terminate()
    watch.wait("stopping")
    drop(dumps, "too-late.hprof")
    assert watch.end() == 0, watch.log
    stored = {m["sha256"] for _, m in s3.manifests()}
    assert total in stored and stored <= {total, late}
    assert "too-late.hprof" in left_in(dumps), "it looks for no new files once it stops"


def test_sigterm_with_little_grace_checkpoints_and_the_next_run_resumes(salvage, dumps, s3, proxy):
    total = drop(dumps, "app.hprof", SIZE, seed=26)
    proxy.rate = 12 << 20
    through = s3.through(proxy)
    watch = salvage.watch(dumps, *through.options(), "--compress", "none", "--grace", "1s", env=s3.env)
    wait_for(lambda: len(parts_stored(proxy)) >= 2, 30, "no parts")
    began = time.monotonic()
    assert watch.stop() == 75, watch.log
    assert time.monotonic() - began < 8
    assert s3.keys() == []
    assert len(spool_of(dumps)) == 1

    proxy.rate = None
    again = salvage.watch(dumps, *through.options(), "--compress", "none", env=s3.env)
    again.wait("resumed")
    again.wait("shipped")
    assert again.stop() == 0
    s3.check_one(total)
    assert len(proxy.seen(lambda r: r.is_create)) == 1
    assert spool_of(dumps) == []


@pytest.mark.serial
def test_sigterm_while_idle_is_prompt(salvage, dumps, folder):
    for how in ("terminate", "interrupt"):
        watch = salvage.watch(dumps, *folder.options())
        watch.wait("started")
        began = time.monotonic()
        assert watch.stop(how=15 if how == "terminate" else 2) == 0
        assert time.monotonic() - began < 3
        assert watch.named("stopped")


def test_sigterm_while_the_store_is_away_says_75(salvage, dumps, s3, proxy):
    total = drop(dumps, "app.hprof")
    through = s3.through(proxy)
    proxy.close()
    watch = salvage.watch(dumps, *through.options(), "--grace", "2s", env=s3.env)
    watch.wait("failed")
    began = time.monotonic()
    assert watch.stop() == 75, watch.log
    assert time.monotonic() - began < 8
    again = salvage.watch(dumps, *s3.options(), "--once", env=s3.env)
    assert again.end() == 0, again.log
    s3.check_one(total)


def test_ship_that_is_interrupted_says_75_and_can_be_repeated(salvage, dumps, s3, proxy):
    total = drop(dumps, "app.hprof", SIZE, seed=27)
    proxy.rate = 12 << 20
    through = s3.through(proxy)
    p = salvage.start("ship", dumps / "app.hprof", *through.options(), "--compress", "none", env=s3.env)
    wait_for(lambda: len(parts_noted(dumps)) >= 2, 30, "no parts")
    code = p.stop()
    assert code in (75, -15), p.log
    assert os.path.exists(dumps / "app.hprof")
    proxy.rate = None
    salvage.ok("ship", dumps / "app.hprof", *through.options(), "--compress", "none", env=s3.env)
    s3.check_one(total)
    assert len(proxy.seen(lambda r: r.is_create)) == 1


def test_a_damaged_journal_is_no_catastrophe(salvage, dumps, s3, proxy):
    """It lies where a hostile container may write."""
    total = drop(dumps, "app.hprof", SIZE, seed=28)
    through = s3.through(proxy)
    for damage in (lambda data: b"", lambda data: data[: len(data) * 2 // 3], lambda data: b"\0" * len(data),
                   lambda data: data.replace(b'"', b"'", 9), lambda data: b"[" * 100_000,
                   lambda data: data.replace(b":1", b":9")):
        proxy.rate = RATE
        had = len(parts_stored(proxy))
        watch = salvage.watch(dumps, *through.options(), "--compress", "none", env=s3.env)
        wait_for(lambda had=had: len(parts_stored(proxy)) >= had + 2, 30, "no parts")
        watch.kill()
        (claim,) = spool_of(dumps)
        journal = dumps / ".salvage" / "spool" / claim / "journal"
        journal.write_bytes(damage(journal.read_bytes()))
    proxy.rate = None
    watch = salvage.watch(dumps, *through.options(), "--compress", "none", "--once", env=s3.env)
    assert watch.end() == 0, watch.log
    (key, manifest), = s3.manifests()
    assert manifest["sha256"] == total
    s3.check(key, manifest)


def test_a_claim_without_its_description_is_still_shipped(salvage, dumps, folder):
    """claim.json is lost (a power cut): the evidence in the spool is not."""
    proxyless = salvage.watch(dumps, "--to", "s3://nowhere-e2e/x", "--endpoint", "http://127.0.0.1:9",
                              env={"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "b"})
    total = drop(dumps, "app.hprof")
    proxyless.wait("claimed")
    proxyless.kill()
    (claim,) = spool_of(dumps)
    os.remove(dumps / ".salvage" / "spool" / claim / "claim.json")
    assert salvage.watch(dumps, *folder.options(), "--once").end() == 0
    folder.check_one(total)
    assert spool_of(dumps) == []
