# SPDX-License-Identifier: Apache-2.0
"""Notices of cases: to webhooks that really listen, to programs, from serve and from watch."""
import json
import os

import pytest
from helpers.hook import Hook
from helpers.proc import wait_for
from helpers.serve import Serve


@pytest.fixture
def hook():
    one = Hook()
    yield one
    one.close()


@pytest.fixture
def serve_with(salvage, work, request):
    def start(*args, **more):
        serve = Serve(salvage, work, *args, **more)
        request.addfinalizer(serve.stop)
        return serve

    return start


def ship(salvage, serve, work, name="heap.hprof", place="shop/cart-7f9c8d6b5-x2x7q"):
    """A small heap dump of a pod, by `salvage ship` to the server, as a watch would."""
    namespace, pod = place.split("/")
    file = work / name
    file.write_bytes(b"JAVA PROFILE 1.0.2\0\0\0\0\x08" + os.urandom(64))
    salvage.ok("ship", file, "--to", serve.url, "--cause", "java-oom",
               env={"SALVAGE_HTTP_TOKEN": serve.token, "POD_NAMESPACE": namespace, "POD_NAME": pod})


def test_each_kind_of_target_gets_the_notice(salvage, work, serve_with, hook):
    page, seen = work / "page", work / "seen"
    page.write_text("#!/bin/sh\ncat >%s.part && mv %s.part %s\n" % (seen, seen, seen))
    page.chmod(0o755)
    targets = work / "targets"
    targets.write_text("# of the night\njson:%s/json\n\nalertmanager:%s/\nslack:%s/slack\nteams:%s/teams\ndiscord:%s/discord\n"
                       "bank=json:%s/bank\n" % ((hook.url,) * 6))
    serve = serve_with("--notify-file", targets, "--notify", "exec:%s" % page, "--public-url", "https://salvage.example/")
    ship(salvage, serve, work)
    hook.wait(5)
    wait_for(seen.exists, 10, "the program was not started")
    got = {path: (kind, body) for path, kind, body in hook.got}
    assert set(got) == {"/json", "/api/v2/alerts", "/slack", "/teams", "/discord"}
    kind, event = got["/json"]
    assert kind == "application/cloudevents+json" and event["specversion"] == "1.0"
    case = event["data"]
    assert "ran out of memory" in case["sentence"]
    assert case["namespace"] == "shop" and case["workload"] == "cart" and case["size"] == 87
    assert case["link"].startswith("https://salvage.example/-/case/shop/cart-7f9c8d6b5-x2x7q/")
    assert json.loads(seen.read_text()) == case
    assert got["/api/v2/alerts"][1][0]["labels"]["workload"] == "cart"
    assert "ran out of memory" in got["/slack"][1]["blocks"][0]["text"]["text"]
    assert "ran out of memory" in got["/discord"][1]["content"]
    wait_for(lambda: len([e for e in serve.events if e["event"] == "notice-sent"]) == 6, 10, "not all were sent")


def test_a_heap_says_which_classes_fill_it(salvage, work, serve_with, hook, real_dump):
    serve = serve_with("--notify", "json:%s/json" % hook.url, "--notify", "slack:%s/slack" % hook.url)
    salvage.ok("ship", real_dump, "--keep", "--to", serve.url, env={"SALVAGE_HTTP_TOKEN": serve.token, "POD_NAMESPACE": "shop",
                                                                    "POD_NAME": "cart-0"})
    hook.wait(2)
    got = {path: body for path, _, body in hook.got}
    case = got["/json"]["data"]
    assert "ran out of memory at Oom" in case["summary"] and len(case["top"]) == 3
    assert all(row["name"] in got["/slack"]["text"] and row["bytes"] > 0 for row in case["top"])
    assert case["summary"].split(";")[0] in got["/slack"]["text"]


def test_a_crash_loop_gives_one_notice_and_then_a_count(salvage, work, serve_with, hook):
    serve = serve_with("--notify", "json:" + hook.url, "--notify-every", "2s")
    for n in range(4):
        ship(salvage, serve, work, "%d.hprof" % n, "shop/cart-7f9c8d6b5-%05d" % n)
        if n == 0:
            assert "more" not in hook.wait(1)["data"]
    assert hook.wait(2)["data"]["more"] == 2
    assert len(hook.got) == 2


def test_notices_outlive_a_hook_that_is_down_and_a_server_that_is_killed(salvage, work, serve_with, hook):
    hook.status, hook.headers = 503, {"Retry-After": "1"}
    serve = serve_with("--notify", "json:%s/secret-of-mine" % hook.url)
    ship(salvage, serve, work)
    waits = serve.wait("notice-waits")
    assert waits["fault"] == "busy"
    serve.restart()
    hook.status = 200
    hook.wait(len(hook.got) + 1)
    serve.wait("notice-sent")
    assert "secret-of-mine" not in serve.program.log


def test_bad_targets_get_one_line(salvage, work):
    for target, words in (("https://hooks.example/SECRET", "FORM is json"), ("slack:SECRET", "no http or https URL"),
                          ("exec:page", "whole path")):
        done = salvage.run("serve", "--root", work, "--notify", target)
        assert done.code == 2 and words in done.message and "SECRET" not in done.err
    done = salvage.run("serve", "--root", work, "--notify-file", work / "none")
    assert done.code == 2 and "none: No such file" in done.message
    done = salvage.run("serve", "--from", "s3://evidence/x", "--anonymous-read", "--notify", "exec:/bin/true",
                       env={"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "eu-west-1"})
    assert done.code == 2 and "--state" in done.message


def small_dump(path):
    part = path.with_suffix(".part")
    part.write_bytes(b"JAVA PROFILE 1.0.2\0\0\0\0\x08" + os.urandom(64))
    part.rename(path)


def test_a_watch_gives_notice_of_what_it_stored(salvage, work, hook):
    dumps, store = work / "dumps", work / "store"
    dumps.mkdir()
    store.mkdir()
    watch = salvage.watch(dumps, "--to", "file://%s" % store, "--settle", "1s", "--public-url", "https://salvage.example",
                          env={"SALVAGE_NOTIFY": "json:" + hook.url, "POD_NAMESPACE": "shop", "POD_NAME": "till-0"})
    watch.wait("started")
    small_dump(dumps / "java_pid7.hprof")
    case = hook.wait()["data"]
    assert case["workload"] == "till" and case["cause"] == "java-oom" and case["object"].startswith("file://")
    assert case["link"].startswith("https://salvage.example/-/case/shop/till-0/")
    watch.wait("notice-sent")
    assert watch.stop() == 0


def test_a_watch_that_ends_delivers_what_has_come(salvage, work, hook):
    """Its folder, and the notices that wait in it, may go with the pod."""
    dumps, store = work / "dumps", work / "store"
    dumps.mkdir()
    store.mkdir()
    watch = salvage.watch(dumps, "--to", "file://%s" % store, "--settle", "1s", "--notify", "json:" + hook.url)
    watch.wait("started")
    for name in "java_pid1.hprof", "java_pid2.hprof", "java_pid3.hprof":
        small_dump(dumps / name)
        watch.wait("shipped", int(name[8]))
    assert len(hook.got) <= 1 or "more" in hook.got[-1][2]["data"]
    assert watch.stop() == 0
    assert sum(1 + event["data"].get("more", 0) for _, _, event in hook.got) == 3


def test_notices_of_a_watch_outlive_a_kill(salvage, work, hook):
    dumps, store = work / "dumps", work / "store"
    dumps.mkdir()
    store.mkdir()
    hook.status = 500
    args = dumps, "--to", "file://%s" % store, "--settle", "1s", "--notify", "json:" + hook.url
    watch = salvage.watch(*args)
    watch.wait("started")
    small_dump(dumps / "java_pid1.hprof")
    watch.wait("notice-waits")
    watch.kill()
    hook.status, before = 200, len(hook.got)
    watch = salvage.watch(*args)
    hook.wait(before + 1)
    watch.wait("notice-sent")
    assert not any(dumps.glob(".salvage/notices/*/*.json"))
    assert watch.stop() == 0
