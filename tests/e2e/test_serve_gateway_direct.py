# SPDX-License-Identifier: Apache-2.0
"""`salvage serve --from`: uploads that go straight to the bucket, by URLs that the server signs."""
import json
import os

import pytest
import requests

from helpers.evidence import drop
from helpers.gateway import OPS, PAY, SHIP, Client, Direct, gateway
from helpers.proc import wait_for
from helpers.proxy import ResetAnswer, ResetInBody, s3_error
from helpers.tls import Authority

PARTS = 9 << 20  # two


@pytest.fixture
def start(salvage, work):
    return gateway(salvage, work)


@pytest.fixture
def serve(start, s3):
    return start(s3)


def direct_parts(proxy):
    return [r for r in proxy.requests if r.is_part and "X-Amz-Signature" in r.query]


@pytest.fixture
def proxy(s3, proxy_to):
    return proxy_to(s3.args[1].removeprefix("http://"))


def test_parts_go_straight_to_the_bucket(salvage, start, dumps, s3, proxy):
    client = Client(salvage, start(s3.through(proxy)))
    total = drop(dumps, "app.hprof", PARTS)
    client.ok("ship", dumps / "app.hprof", "--to", client.url, "--compress", "none")
    s3.check_all([total])
    assert len(direct_parts(proxy)) == 2 and len([r for r in proxy.requests if r.is_part]) == 2
    for part in direct_parts(proxy):
        assert "authorization" not in part.headers and SHIP not in str(part.headers)
    assert len(json.loads(client.ok("ls", client.url, "--json").out)) == 1


def test_a_url_of_a_part_sends_that_part_and_nothing_else(serve, s3):
    direct, data = Direct(serve, "shop/a.bin"), os.urandom(5 << 20)
    direct.begin()
    made = direct.part(data)
    other = bytes(len(data))
    headers = {name: direct.digest(other) for name in made["headers"]}
    assert requests.put(made["url"], data=other, headers=made["headers"], timeout=20).status_code == 400
    assert requests.put(made["url"], data=other, headers=headers, timeout=20).status_code == 403
    assert requests.put(made["url"], data=data + b"x", headers=made["headers"], timeout=20).status_code in (400, 403)
    assert requests.put(made["url"], data=data, timeout=20).status_code == 403
    assert requests.put(made["url"].replace("partNumber=1", "partNumber=2"), data=data, headers=made["headers"],
                        timeout=20).status_code == 403
    assert requests.get(made["url"], headers=made["headers"], timeout=20).status_code == 403
    part = direct.send(data)
    assert direct.complete([["0" * 32, part[1]]]).status == 410, "no such part"
    direct.begin()
    assert direct.complete([direct.send(data)]).status == 201 and s3.read("shop/a.bin") == data
    assert s3.unfinished() == []
    audit = serve.wait("audit", action="upload")
    assert audit["who"] == "token:ship" and audit["bytes"] == len(data) and audit["key"] == "shop/a.bin"
    assert "X-Amz-Signature" not in serve.program.log


def test_a_direct_upload_is_never_over_what_is_there(serve, s3):
    data = os.urandom(5 << 20)
    direct = Direct(serve, "shop/a.bin")
    direct.begin()
    part = direct.send(data)
    s3.overwrite("shop/a.bin", b"first")
    assert direct.complete([part]).status == 412 and s3.read("shop/a.bin") == b"first"
    assert direct.ask("begin").status == 412 and s3.unfinished() == []
    ops = Direct(serve, "shop/a.bin", OPS)
    ops.begin()
    parts = [ops.send(data)]
    assert ops.complete(parts).status == 201 and s3.read("shop/a.bin") == data
    assert ops.complete(parts).status == 201, "the answer may have been lost"


def test_each_step_wants_the_right_to_write_the_key(serve, s3):
    direct = Direct(serve, "shop/a.bin")
    direct.begin()
    data = os.urandom(5 << 20)
    part = direct.send(data)
    bodies = {"begin": None, "resume": {"token": direct.upload["token"]}, "abort": {"token": direct.upload["token"]},
              "part": {"token": direct.upload["token"], "number": 1, "size": 1, "digest": "x"},
              "complete": {"token": direct.upload["token"], "size": part[1], "parts": [part]}}
    for verb, body in bodies.items():
        assert direct.ask(verb, body, token=PAY).status == 404, verb
        assert serve.request("POST", "/-/gateway/%s/shop/a.bin" % verb, json.dumps(body or "").encode()).status == 401
        if body:
            assert direct.ask(verb, {"token": "sha256:none"}).status in (400, 410) or verb == "abort", verb
            assert direct.ask(verb, {"token": "other"}, key="shop/b.bin").status in (400, 410), verb
            assert direct.ask(verb, ["no", "object"]).status == 400, verb
    assert direct.ask("begin", key="shop/a.bin.json").status == 501, "a manifest is looked into"
    assert direct.ask("begin", key="shop/.hidden").status == 403 and direct.ask("begin", key="shop/").status == 404
    assert direct.ask("other").status == 404
    for body in ({"parts": []}, {"parts": [["a", 1]] * 10001}, {"parts": [["a", 2]]}, {"parts": [['a"<x', 1]]},
                 {"parts": "x"}, {"size": -1, "parts": [part]}, {"size": 1 << 70, "parts": [part]}):
        assert direct.ask("complete", {"token": direct.upload["token"], "size": 1, **body}).status == 400, body
    many = [["0" * 32, 1]] * 10000
    assert direct.ask("complete", {"token": direct.upload["token"], "size": 10000, "parts": many}).status == 410
    direct.begin()
    bodies["resume"] = bodies["abort"] = {"token": direct.upload["token"]}
    assert direct.ask("resume", bodies["resume"]).status == 200
    assert direct.ask("resume", bodies["resume"], key="shop/b.bin").status == 410, "it is of another key"
    assert direct.ask("abort", bodies["abort"]).status == 204
    assert direct.ask("resume", bodies["resume"]).status == 410 and s3.unfinished() == []
    assert serve.get("/healthz").status == 200


@pytest.mark.parametrize("why", ["unreachable", "refused", "other"])
def test_where_the_bucket_cannot_be_reached_parts_pass_through(salvage, start, dumps, s3, proxy, why):
    """The server reaches it and the shipper does not: by a name, or by a rule of the bucket's."""
    client = Client(salvage, start(s3.through(proxy)))
    harm = {"unreachable": ResetInBody(0), "refused": s3_error(403, "AccessDenied"),
            "other": s3_error(413, "", "from a proxy")}[why]
    proxy.harm(harm, lambda r: r.is_part and "X-Amz-Signature" in r.query, times=100)
    total = [drop(dumps, "app.hprof", PARTS), drop(dumps, "again.hprof", PARTS)]
    if why == "other":
        watch = salvage.watch(dumps, "--to", client.url, "--compress", "none", env=client.env)
        watch.wait("shipped", count=2)
        said = [e["error"] for e in watch.named("store-detour")]
        watch.stop()
    else:
        said = client.ok("ship", dumps / "app.hprof", dumps / "again.hprof", "--to", client.url, "--compress",
                         "none").err.splitlines()
    s3.check_all(total)
    assert len(direct_parts(proxy)) == 1, "tried once"
    assert len(said) == 1 and "not straight to the bucket" in said[0] and "X-Amz" not in said[0], said
    assert s3.unfinished() == []


def made_anew(proxy):
    return len(proxy.seen(lambda r: r.is_create))


def test_a_killed_shipper_goes_on_where_it_was(salvage, start, dumps, s3, proxy):
    client = Client(salvage, start(s3.through(proxy)))
    total = drop(dumps, "app.hprof", 40 << 20)  # five parts
    args = ("ship", dumps / "app.hprof", "--to", client.url, "--compress", "none")
    proxy.rate = 40 << 20
    first = salvage.start(*args, env=client.env)
    wait_for(lambda: len([r for r in direct_parts(proxy) if r.status == 200]) >= 2, 30, "no parts")
    first.kill()
    assert s3.keys() == []
    proxy.rate, before = None, len(direct_parts(proxy))
    client.ok(*args)
    s3.check_all([total])
    assert made_anew(proxy) == 1 and len(direct_parts(proxy)) - before <= 4


def test_a_server_that_is_killed_in_mid_upload(salvage, start, dumps, s3, proxy):
    """Another replica, or itself started anew, goes on: it had kept nothing."""
    serve = start(s3.through(proxy))
    client = Client(salvage, serve)
    total = drop(dumps, "app.hprof", 40 << 20)
    proxy.rate = 40 << 20
    shipper = salvage.start("ship", dumps / "app.hprof", "--to", client.url, "--compress", "none", env=client.env)
    wait_for(lambda: len(direct_parts(proxy)) >= 2, 30, "no parts")
    serve.restart()
    proxy.rate = None
    assert shipper.end() == 0, shipper.log
    s3.check_all([total])
    assert made_anew(proxy) == 1 and s3.unfinished() == []


def test_an_answer_to_the_end_that_is_lost(salvage, start, dumps, s3, proxy, proxy_to):
    serve = start(s3.through(proxy))
    before = proxy_to(serve.address)
    client = Client(salvage, serve)
    total = drop(dumps, "app.hprof", PARTS)
    before.harm(ResetAnswer(), lambda r: r.path.startswith("/-/gateway/complete/"))
    client.ok("ship", dumps / "app.hprof", "--to", before.url, "--compress", "none")
    s3.check_all([total])
    assert len(direct_parts(proxy)) == 2, "nothing was sent twice"


def test_parts_to_a_bucket_with_a_ca_of_its_own(salvage, start, dumps, work, s3, proxy_to):
    authority = Authority(work, "ca")
    proxy = proxy_to(s3.args[1].removeprefix("http://"), certificate=authority.server("DNS:localhost"))
    client = Client(salvage, start(s3.through(proxy), "--ca-file", authority.certificate))
    total = [drop(dumps, "app.hprof", PARTS), drop(dumps, "other.hprof", PARTS)]
    ship = ("--to", client.url, "--compress", "none")
    client.ok("ship", dumps / "app.hprof", *ship, "--ca-file", authority.certificate)
    assert len(direct_parts(proxy)) == 2
    done = client.ok("ship", dumps / "other.hprof", *ship)
    assert "not straight to the bucket" in done.err and "--ca-file" in done.err, done
    assert len(direct_parts(proxy)) == 2
    s3.check_all(total)


def test_nothing_goes_to_a_bucket_without_tls_from_a_server_with_tls(salvage, start, dumps, work, s3, proxy):
    authority = Authority(work, "ca")
    certificate, key = authority.server("DNS:localhost,IP:127.0.0.1")
    serve = start(s3.through(proxy), "--tls-cert", certificate, "--tls-key", key, ca=authority.certificate)
    client = Client(salvage, serve)
    total = drop(dumps, "app.hprof", PARTS)
    done = client.ok("ship", dumps / "app.hprof", "--to", serve.url, "--ca-file", authority.certificate, "--compress",
                     "none")
    s3.check_all([total])
    assert "has no TLS" in done.err and direct_parts(proxy) == []


def test_without_direct_uploads(salvage, start, dumps, s3, proxy):
    client = Client(salvage, start(s3.through(proxy), "--pass-through"))
    total = drop(dumps, "app.hprof", PARTS)
    assert client.ok("ship", dumps / "app.hprof", "--to", client.url, "--compress", "none").err == ""
    s3.check_all([total])
    assert direct_parts(proxy) == []


def test_check_asks_the_bucket_behind_it(salvage, start, s3, proxy):
    client = Client(salvage, start(s3.through(proxy)))
    client.ok("check", "--to", client.url)
    assert any(r.method == "POST" and "uploads" in r.query for r in proxy.seen()) and s3.unfinished() == []
    proxy.harm(s3_error(403, "AccessDenied"), lambda r: r.method == "POST" and "uploads" in r.query, times=100)
    found = salvage.run("check", "--to", client.url, env=client.env)
    assert found.code == 60 and "502" in found.out, found


def test_a_shipper_that_no_longer_reaches_the_bucket_begins_anew_through_the_server(salvage, start, dumps, s3, proxy):
    client = Client(salvage, start(s3.through(proxy)))
    total = drop(dumps, "app.hprof", 24 << 20)
    proxy.rate = 20 << 20
    watch = salvage.watch(dumps, "--to", client.url, "--compress", "none", env=client.env)
    wait_for(lambda: len([r for r in direct_parts(proxy) if r.status == 200]) >= 1, 30, "no parts")
    watch.kill()
    proxy.rate = None
    proxy.harm(s3_error(403, "AccessDenied"), lambda r: r.is_part and "X-Amz-Signature" in r.query, times=100)
    watch = salvage.watch(dumps, "--to", client.url, "--compress", "none", env=client.env)
    watch.wait("shipped")
    s3.check_all([total])
    assert s3.unfinished() == [] and watch.named("store-detour")
    watch.stop()
