# SPDX-License-Identifier: Apache-2.0
"""A store or network that fails: afterwards there is one object and one manifest, with the right bytes, and nothing else."""
import json
import os
import time

import pytest

from helpers.evidence import drop, left_in
from helpers.proc import free_port, wait_for
from helpers.proxy import (Answer, ChangeAnswer, ChangeHeader, CutAnswer, Request, ResetAnswer, ResetInBody, Stall,
                           flip_a_bit, s3_error)

LARGE = 40 << 20  # several parts
SMALL = 100_000   # one PUT

HARM = {
    "reset": lambda: ResetInBody(50_000),
    "reset-at-once": lambda: ResetInBody(0),
    "500": lambda: s3_error(500, "InternalError"),
    "503-slow-down": lambda: s3_error(503, "SlowDown", headers={"Retry-After": "1"}),
    "503-without-a-word": lambda: s3_error(503, ""),
    "429": lambda: s3_error(429, "TooManyRequests"),
    "request-timeout": lambda: s3_error(400, "RequestTimeout"),
    "lost-answer": ResetAnswer,
    "cut-answer": CutAnswer,
}
PLACES = {
    "first-part": (LARGE, lambda r: r.is_part and r.query["partNumber"] == "1"),
    "a-later-part": (LARGE, lambda r: r.is_part and r.query["partNumber"] == "3"),
    "create": (LARGE, lambda r: r.is_create),
    "complete": (LARGE, lambda r: r.is_complete),
    "small-object": (SMALL, lambda r: r.is_data),
    "manifest": (SMALL, lambda r: r.is_manifest),
    "head": (SMALL, lambda r: r.method == "HEAD"),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_harm_once(salvage, dumps, s3, proxy, place):
    """Each harm once, at one place of the upload; all of them in a row, file by file."""
    size, match = PLACES[place]
    sums = []
    for name, make in HARM.items():
        rule = proxy.harm(make(), match)
        sums.append(drop(dumps, name + ".hprof", size))
        done = salvage.run("ship", dumps / (name + ".hprof"), *s3.through(proxy).options(), "--compress", "none",
                           "--timeout", "5s", env=s3.env)
        assert done.code == 0, (name, done)
        assert rule.done == 1, "%s never came to pass" % name
        proxy.heal()
    # An upload whose answer to Create was lost has no name that we know: a sweep of a later run ends it.
    if place == "create":
        for upload in s3.unfinished():
            s3.client.abort_multipart_upload(
                Bucket=s3.bucket, Key=upload,
                UploadId=[u["UploadId"] for u in s3.client.list_multipart_uploads(
                    Bucket=s3.bucket, Prefix=upload)["Uploads"]][0])
    s3.check_all(sums)


def test_a_wrong_etag_of_a_part_is_noticed(salvage, dumps, s3, proxy):
    """The store says that it has something else than what was sent: it is sent again."""
    total = drop(dumps, "app.hprof", LARGE)
    rule = proxy.harm(ChangeHeader("ETag", '"00000000000000000000000000000000"'), lambda r: r.is_part)
    salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), "--compress", "none", env=s3.env)
    assert rule.done == 1
    s3.check_one(total)
    numbers = [r.query["partNumber"] for r in proxy.seen(lambda r: r.is_part)]
    assert len(numbers) > len(set(numbers)), "nothing was sent again"


def test_a_wrong_etag_of_a_small_object_is_noticed(salvage, dumps, s3, proxy):
    total = drop(dumps, "app.hprof", SMALL)
    rule = proxy.harm(ChangeHeader("ETag", '"00000000000000000000000000000000"'), lambda r: r.is_data)
    done = salvage.run("ship", dumps / "app.hprof", *s3.through(proxy).options(), env=s3.env)
    assert rule.done == 1 and done.code == 0, done
    s3.check_one(total)


def test_an_object_that_the_store_damaged_is_not_taken_for_stored(salvage, dumps, s3, proxy):
    """The first PUT arrives damaged, and its ETag says so. What lies there now must not pass for the evidence because
    the metadata that came along is ours."""
    def damage(link, request):
        body = b"".join(link.body(request))
        answer = s3.client.put_object(Bucket=s3.bucket, Key=request.path.split("/", 2)[2], Body=flip_a_bit(body),
                                      Metadata={"sha256": request.headers.get("x-amz-meta-sha256", "")})
        return Answer(200, b"", {"ETag": answer["ETag"]})(link, Request("POST", "/", {}))

    total = drop(dumps, "app.hprof", SMALL)
    rule = proxy.harm(damage, lambda r: r.is_data)
    done = salvage.run("ship", dumps / "app.hprof", *s3.through(proxy).options(), env=s3.env)
    assert rule.done == 1 and done.code == 0, done
    s3.check_one(total)


def test_wrong_etags_for_ever_never_pass_for_stored(salvage, dumps, s3, proxy):
    """A store that lies all the time: the local copy stays, no manifest says that it is whole."""
    drop(dumps, "app.hprof", SMALL)
    proxy.harm(ChangeHeader("ETag", '"00000000000000000000000000000000"'), times=10**6)
    done = salvage.run("ship", dumps / "app.hprof", *s3.through(proxy).options(), "--give-up", "3s", env=s3.env,
                       timeout=90)
    assert done.code not in (0, 1), done
    assert left_in(dumps) == ["app.hprof"] and s3.manifests() == []


def test_retry_after_is_honoured(salvage, dumps, s3, proxy):
    total = drop(dumps, "app.hprof", SMALL)
    proxy.harm(s3_error(503, "SlowDown", headers={"Retry-After": "3"}), lambda r: r.is_data)
    salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), env=s3.env)
    s3.check_one(total)
    first, second = proxy.seen(lambda r: r.is_data)
    assert second.began - first.ended >= 2.9


def test_delays_grow_and_are_not_a_tight_loop(salvage, dumps, s3, proxy):
    total = drop(dumps, "app.hprof", SMALL)
    proxy.harm(s3_error(503, "SlowDown"), lambda r: True, times=6)
    salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), env=s3.env, timeout=120)
    s3.check_one(total)
    times = [r.began for r in proxy.seen()][:7]
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert min(gaps) > 0.2 and sum(gaps[2:4]) > sum(gaps[:2]), gaps


def test_a_stalled_store_is_left_and_tried_again(salvage, dumps, s3, proxy):
    total = drop(dumps, "app.hprof", LARGE)
    for match in (lambda r: r.is_part and r.query["partNumber"] == "2", lambda r: r.is_complete):
        proxy.harm(Stall(200_000), match)
    proxy.harm(CutAnswer(stall=True), lambda r: r.method == "HEAD")
    salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), "--compress", "none", "--timeout", "2s",
               env=s3.env, timeout=90)
    s3.check_one(total)


def test_a_slow_store_is_not_a_stalled_one(salvage, dumps, s3, proxy_to, s3_host):
    """A part takes longer than --timeout, but bytes move."""
    total = drop(dumps, "app.hprof", 10 << 20)
    proxy = proxy_to(s3_host, rate=2 << 20, narrow=True)
    salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), "--compress", "none", "--timeout", "3s",
               env=s3.env)
    s3.check_one(total)
    parts = [r.query.get("partNumber", "1") for r in proxy.seen(lambda r: r.is_data)]
    assert len(parts) == len(set(parts)), "parts were sent again"


def test_a_lost_answer_of_complete_does_not_store_twice(salvage, dumps, s3, proxy):
    """The object is there, the upload is gone: Complete says NoSuchUpload the second time."""
    total = drop(dumps, "app.hprof", LARGE)
    proxy.harm(ResetAnswer(), lambda r: r.is_complete)
    salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), "--compress", "none", env=s3.env)
    s3.check_one(total)
    assert len(proxy.seen(lambda r: r.is_create)) == 1


def test_an_error_inside_a_200_of_complete_is_an_error(salvage, dumps, s3, proxy):
    """S3 begins to answer before it is done: the status says 200, the body says <Error>."""
    total = drop(dumps, "app.hprof", LARGE)
    proxy.harm(s3_error(200, "InternalError"), lambda r: r.is_complete)
    salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), "--compress", "none", env=s3.env)
    s3.check_one(total)
    assert len(proxy.seen(lambda r: r.is_complete)) == 2


@pytest.mark.parametrize("answer", [b"", b"<", b"not xml at all", b"<a>" * 100, b"\0" * 1000], ids=repr)
def test_nonsense_instead_of_xml_is_survived(salvage, dumps, s3, proxy, answer):
    total = drop(dumps, "app.hprof", LARGE)
    proxy.harm(Answer(503, answer), lambda r: r.is_create)
    proxy.harm(Answer(500, answer), lambda r: r.is_part)
    salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), "--compress", "none", env=s3.env)
    s3.check_one(total)


def test_a_watch_outlives_a_store_that_is_away(salvage, dumps, s3, proxy_to, s3_host):
    """Down for some seconds while dumps come; said once, and then all is shipped."""
    port = free_port()
    args = ["--to", s3.url, "--endpoint", "http://127.0.0.1:%d" % port]
    watch = salvage.watch(dumps, *args, env=s3.env)
    watch.wait("started")
    sums = [drop(dumps, "app.hprof")]
    watch.wait("failed")
    sums += [drop(dumps, "app.hprof"), drop(dumps, "more.hprof")]
    time.sleep(3)
    assert len(watch.named("failed")) <= 2, watch.log
    proxy_to(s3_host, port=port)
    watch.wait("shipped", 3, timeout=60)
    assert watch.stop() == 0
    s3.check_all(sums)


def test_a_watch_gives_up_when_it_is_told_to_and_keeps_the_evidence(salvage, dumps, s3):
    total = drop(dumps, "app.hprof")
    away = ["--to", s3.url, "--endpoint", "http://127.0.0.1:%d" % free_port()]
    watch = salvage.watch(dumps, *away, "--give-up", "1s", env=s3.env)
    assert watch.wait("gave-up", timeout=60)["fault"] == "unreachable"
    assert watch.stop() == 1
    again = salvage.watch(dumps, *s3.options(), "--once", env=s3.env)
    assert again.end() == 0
    s3.check_one(total)


def test_a_403_is_said_once_and_tried_slowly(salvage, dumps, s3, proxy):
    drop(dumps, "app.hprof")
    wrong = {**s3.env, "AWS_SECRET_ACCESS_KEY": "wrong/secret"}
    watch = salvage.watch(dumps, *s3.through(proxy).options(), env=wrong)
    event = watch.wait("failed")
    assert event["fault"] == "denied" and event["retry_in_s"] >= 30
    more = drop(dumps, "more.hprof")
    time.sleep(4)
    assert len(watch.named("failed")) == 1, watch.log
    assert len(proxy.seen()) <= 4, "a tight loop: %s" % proxy.seen()
    assert watch.stop() == 75
    assert more and s3.keys() == []


def test_a_damaged_answer_while_getting_is_noticed(salvage, work, dumps, s3, proxy):
    drop(dumps, "app.hprof", 1 << 20)
    url = salvage.ok("ship", dumps / "app.hprof", *s3.options(), env=s3.env).out.strip()
    proxy.harm(ChangeAnswer(flip_a_bit), lambda r: r.method == "GET" and not r.path.endswith(".json"), times=9)
    result = salvage.run("get", url, "-o", work / "out", *s3.through(proxy).args, env=s3.env)
    assert result.code == 50, result
    assert result.message and sorted(p.name for p in work.glob("out*")) == []


def test_a_cut_answer_while_getting_is_gone_on_with(salvage, work, dumps, s3, proxy):
    """By a range request from where it broke off."""
    drop(dumps, "app.hprof", 8 << 20)
    data = (dumps / "app.hprof").read_bytes()
    url = salvage.ok("ship", dumps / "app.hprof", *s3.options(), env=s3.env).out.strip()
    proxy.harm(CutAnswer(), lambda r: r.method == "GET" and not r.path.endswith(".json"))
    salvage.ok("get", url, "-o", work / "out", *s3.through(proxy).args, env=s3.env)
    assert (work / "out").read_bytes() == data
    gets = proxy.seen(lambda r: r.method == "GET" and not r.path.endswith(".json"))
    assert len(gets) == 2 and "range" in gets[1].headers


@pytest.mark.parametrize("harm", ["reset", "500", "lost-answer", "cut-answer"])
def test_a_file_server_in_trouble(salvage, dumps, http_move, proxy_to, harm):
    """One file that goes in one piece, one that is streamed; each step of each comes to harm once."""
    proxy = proxy_to(http_move.server.host)
    http_move.url = proxy.url + "/dumps"
    sums = []
    steps = [("PUT", SMALL), ("PUT", LARGE), ("MOVE", SMALL), ("HEAD", SMALL), ("GET", LARGE)]
    for n, (method, size) in enumerate(steps):
        name = "app-%d.hprof" % n
        sums.append(drop(dumps, name, size))
        rule = proxy.harm(HARM[harm](), lambda r, m=method: r.method == m and "probe" not in r.path)
        done = salvage.run("ship", dumps / name, *http_move.options(), "--compress", "none", "--timeout", "5s")
        assert done.code == 0, (method, done)
        assert rule.done == 1, method
        proxy.heal()
    http_move.check_all(sums)


def test_a_worker_that_waits_does_not_hold_up_the_end(salvage, dumps, s3, proxy):
    """SIGTERM while the store stalls: within the grace, not within the timeout."""
    drop(dumps, "app.hprof")
    proxy.harm(Stall(), times=100)
    watch = salvage.watch(dumps, *s3.through(proxy).options(), "--grace", "2s", "--timeout", "60s", env=s3.env)
    wait_for(proxy.seen, 20)
    began = time.monotonic()
    assert watch.stop() == 75
    assert time.monotonic() - began < 10


def test_what_is_not_shipped_in_the_end_is_said_by_name(salvage, dumps, s3, proxy):
    """A pod is deleted while its store is slow: its emptyDir goes, and the log is all that stays."""
    drop(dumps, "one.hprof", 100_000)
    proxy.harm(Stall(), times=100)
    watch = salvage.watch(dumps, *s3.through(proxy).options(), "--grace", "1s", env=s3.env)
    wait_for(proxy.seen, 20)
    drop(dumps, "two.hprof", 200_000)
    watch.wait("claimed", 2)
    with open(dumps / "growing.hprof", "xb", buffering=0) as growing:
        growing.write(b"JAVA PROFILE 1.0.2\0")
        time.sleep(0.5)
        assert watch.stop() == 75
    events = [json.loads(line) for line in watch.log.splitlines() if line.startswith("{")]
    lost = {os.path.basename(e["path"]): e for e in events if e["event"] == "not-shipped"}
    assert sorted(lost) == ["growing.hprof", "one.hprof", "two.hprof"], watch.log
    assert {e["level"] for e in lost.values()} == {"error"}
    assert (lost["one.hprof"]["bytes"], lost["two.hprof"]["bytes"]) == (100_000, 200_000)
    assert lost["growing.hprof"]["fault"] == "not-whole"


def test_who_ends_with_nothing_left_says_nothing_of_loss(salvage, dumps, folder):
    drop(dumps)
    watch = salvage.watch(dumps, *folder.options())
    watch.wait("shipped")
    assert watch.stop() == 0
    assert not watch.named("not-shipped")
