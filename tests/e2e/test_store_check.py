# SPDX-License-Identifier: Apache-2.0
"""The store is asked at the start of what waits, long before the first evidence, and nothing of that stays there."""
from helpers.evidence import drop
from helpers.proc import wait_for


def test_a_watch_says_at_once_that_its_store_is_not_there(salvage, dumps, s3):
    watch = salvage.watch(dumps, "--to", s3.url, "--endpoint", "http://127.0.0.1:1", env=s3.env)
    watch.wait("store-failed", timeout=10)
    failed = watch.named("store-failed")[0]
    assert failed["fault"] == "unreachable" and "retry_in_s" in failed
    assert watch.stop() == 0


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
