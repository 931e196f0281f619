# SPDX-License-Identifier: Apache-2.0
"""`salvage serve --from`: a bucket behind a server, for clients without any key of it: what passes through the server."""
import json
import os
import re
import socket
import subprocess
import threading
import time

import pytest
import requests

from helpers.credential_services import Services
from helpers.evidence import drop
from helpers.gateway import OPS, PAY, POD, SHIP, Client, Direct, digest, gateway, put
from helpers.obs import Obs, ObsStore
from helpers.proc import wait_for
from helpers.proxy import ChangeAnswer, s3_error
from helpers.stores import sha256

LARGE = 17 << 20  # three parts


@pytest.fixture
def start(salvage, work):
    return gateway(salvage, work)


@pytest.fixture
def serve(start, s3):
    return start(s3)


@pytest.fixture
def client(salvage, serve):
    return Client(salvage, serve)


# Uploads that pass through

def test_an_object_lies_in_the_bucket_with_its_digest(serve, s3):
    answer = put(serve, "/shop/cart/a%20b.bin", b"evidence", Repr_Digest=digest(b"evidence", "sha512"))
    assert answer.status == 201, answer
    assert answer.headers["Location"] == "/shop/cart/a%20b.bin"
    assert answer.headers["Repr-Digest"] == digest(b"evidence")
    assert s3.keys() == ["shop/cart/a b.bin"] and s3.read("shop/cart/a b.bin") == b"evidence"
    assert put(serve, "/shop/empty", b"").status == 201 and s3.read("shop/empty") == b""
    assert serve.request("MKCOL", "/shop/folder/", token=SHIP).status == 201


def test_a_large_object_goes_in_parts_with_and_without_a_known_length(serve, s3):
    data = os.urandom(LARGE)
    pieces = (data[at:at + 1000_000] for at in range(0, LARGE, 1000_000))
    assert put(serve, "/shop/known", data, Repr_Digest=digest(data)).status == 201
    assert put(serve, "/shop/chunked", pieces).status == 201
    for key in ("shop/known", "shop/chunked"):
        assert s3.read(key) == data and s3.head(key)["ETag"].endswith("-3\"")
    assert serve.get("/shop/known?through", token=SHIP).body == data


def test_what_is_there_stays(serve, s3):
    assert put(serve, "/shop/a", b"first").status == 201
    assert put(serve, "/shop/a", b"first").status == 200, "the same once more"
    assert put(serve, "/shop/a", iter([b"fir", b"st"])).status == 200
    for data in (b"other", b"another size", iter([b"other"])):
        assert put(serve, "/shop/a", data).status == 412
    assert put(serve, "/shop/a", b"first", If_None_Match="*").status == 412
    assert s3.read("shop/a") == b"first"
    assert put(serve, "/shop/a", b"new", token=OPS).status == 200, "who may delete may replace"
    assert s3.read("shop/a") == b"new"


def test_of_two_at_once_one_wins(serve, s3):
    """Both have asked whether there is such an object before one of them is stored."""
    body = b"x" * 65536
    sent = [socket.create_connection((serve.host, serve.port), 20) for _ in range(2)]
    for n, connection in enumerate(sent):
        connection.sendall(b"PUT /shop/race HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: close\r\n"
                           b"Content-Length: %d\r\n\r\n" % (SHIP.encode(), len(body)) + body[:-1])
    serve.get("/shop/nothing", token=SHIP)
    statuses = []
    for n, connection in enumerate(sent):
        connection.sendall(b"%d" % n)
        statuses.append(int(connection.makefile("rb").readline().split()[1]))
    assert statuses == [201, 412]
    assert s3.read("shop/race") == body[:-1] + b"0"


def test_wrong_digests_and_false_manifests_are_not_stored(serve, s3):
    assert put(serve, "/shop/a", b"data", Repr_Digest=digest(b"other")).status == 400
    assert put(serve, "/shop/a", b"data", Repr_Digest=digest(b"other", "sha512")).status == 400
    assert put(serve, "/shop/a", b"data", Content_Digest=digest(b"other")).status == 400
    large = os.urandom(LARGE)
    assert put(serve, "/shop/large", large, Repr_Digest=digest(b"other")).status == 400
    assert put(serve, "/shop/a.json", b'{"schema": "salvage.manifest/1", "key": "pay/x"}').status == 400
    assert put(serve, "/shop/a", b"data", Content_Encoding="gzip").status == 415
    assert put(serve, "/shop/.hidden", b"data").status == 403
    assert s3.keys() == [] and s3.unfinished() == []


def test_a_server_that_dies_in_mid_upload_leaves_nothing_visible(serve, s3):
    begun = threading.Event()

    def slowly():
        yield os.urandom(LARGE)
        begun.set()
        threading.Event().wait(20)

    thread = threading.Thread(target=lambda: pytest.raises(Exception, put, serve, "/shop/large", slowly()), daemon=True)
    thread.start()
    wait_for(s3.unfinished, 10, "no upload in the bucket")
    begun.wait(10)
    serve.restart()
    assert s3.keys() == []
    assert put(serve, "/shop/large", b"again").status == 201
    s3.clear_uploads()


def test_what_a_killed_server_left_is_aborted_after_a_week(start, s3, proxy_to):
    s3.client.create_multipart_upload(Bucket=s3.bucket, Key=s3.full("shop/left"))
    start(s3).wait("serving")
    assert s3.unfinished() == [s3.full("shop/left")], "too young"
    proxy = proxy_to(s3.args[1].removeprefix("http://"))
    proxy.harm(ChangeAnswer(lambda data: re.sub(rb"<Initiated>20..", b"<Initiated>2020", data)),
               lambda r: r.method == "GET" and "uploads" in r.query)
    assert start(s3.through(proxy)).wait("aborted-upload")["count"] == 1
    assert s3.unfinished() == []


def test_a_client_that_goes_leaves_nothing(serve, s3):
    with socket.create_connection((serve.host, serve.port), 20) as connection:
        connection.sendall(b"PUT /shop/large HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n"
                           b"\r\n" % (SHIP.encode(), 2 * LARGE) + os.urandom(LARGE))
        wait_for(s3.unfinished, 10, "no upload in the bucket")
    wait_for(lambda: not s3.unfinished(), 10, "the upload was not aborted")
    assert s3.keys() == []


def test_uploads_share_a_ceiling_of_memory(start, s3):
    serve = start(s3, "--upload-memory", "16MiB")
    with socket.create_connection((serve.host, serve.port), 20) as connection:
        connection.sendall(b"PUT /shop/large HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n"
                           b"\r\n" % (SHIP.encode(), LARGE) + b"x" * 100)
        wait_for(lambda: put(serve, "/shop/empty", b"").status == 201 and 1, 10, "")
        refused = put(serve, "/shop/small", b"x" * 1000)
        assert refused.status == 503 and int(refused.headers["Retry-After"]) > 0
        assert b"--upload-memory" in refused.body
    wait_for(lambda: put(serve, "/shop/small", b"x" * 1000).status == 201, 10, "the memory did not come back")


# Downloads

def test_ranges_conditions_and_digests(serve, s3):
    data = os.urandom(3 << 20)
    s3.overwrite("shop/a.bin", data)
    whole = serve.get("/shop/a.bin?through", token=SHIP)
    assert whole.status == 200 and whole.body == data
    etag = whole.headers["ETag"]
    assert etag == s3.head("shop/a.bin")["ETag"]
    part = serve.get("/shop/a.bin?through", token=SHIP, headers={"Range": "bytes=1000-1999"})
    assert part.status == 206 and part.body == data[1000:2000]
    assert part.headers["Content-Range"] == "bytes 1000-1999/%d" % len(data)
    tail = serve.get("/shop/a.bin?through", token=SHIP, headers={"Range": "bytes=-10"})
    assert tail.status == 206 and tail.body == data[-10:]
    assert serve.get("/shop/a.bin?through", token=SHIP, headers={"Range": "bytes=9999999-"}).status == 416
    assert serve.get("/shop/a.bin", token=SHIP, headers={"If-None-Match": etag}).status == 304
    head = serve.request("HEAD", "/shop/a.bin", token=SHIP)
    assert head.status == 200 and int(head.headers["Content-Length"]) == len(data) and head.body == b""
    assert serve.get("/shop/nothing", token=SHIP).status == 404
    put(serve, "/shop/small", b"small")
    assert serve.get("/shop/small", token=SHIP).headers["Repr-Digest"] == digest(b"small")


def test_large_objects_are_had_from_the_bucket_itself(serve, s3, work, salvage):
    data = os.urandom(3 << 20)
    s3.overwrite("shop/a b.bin", data)
    answer = serve.get("/shop/a%20b.bin", token=SHIP)
    url = answer.headers["Location"]
    assert answer.status == 307 and url.startswith(s3.args[1] + "/") and "X-Amz-Expires=300" in url
    assert answer.headers["Cache-Control"] == "no-store" and url.encode() not in answer.body
    direct = requests.get(url, timeout=20)
    assert direct.status_code == 200 and direct.content == data
    assert direct.headers["Content-Disposition"] == 'attachment; filename="a b.bin"'
    assert requests.get(url.replace("X-Amz-Expires=300", "X-Amz-Expires=301"), timeout=20).status_code == 403
    subprocess.run(["curl", "-sSfL", "-o", work / "out", "-H", "Authorization: Bearer " + SHIP, "-r", "100-1999",
                    serve.url + "/shop/a%20b.bin"], check=True)
    assert (work / "out").read_bytes() == data[100:2000]
    assert serve.get("/shop/a%20b.bin", token=PAY).status == 404
    audit = [e for e in serve.events if e["event"] == "audit" and e["action"] == "download"]
    assert audit[0]["status"] == 307 and audit[0]["bytes"] == len(data) and audit[0]["who"] == "token:ship"
    assert "Signature" not in serve.program.log and url not in serve.program.log


def test_without_redirects(start, s3):
    serve = start(s3, "--pass-through")
    data = os.urandom(3 << 20)
    s3.overwrite("shop/a.bin", data)
    assert serve.get("/shop/a.bin", token=SHIP).body == data


@pytest.mark.parametrize("codec", ["zstd:1", "gzip:1"])
def test_decoded_is_the_evidence_itself(client, serve, dumps, codec):
    drop(dumps, "app.hprof", 5_000_000)
    data = (dumps / "app.hprof").read_bytes()
    client.ok("ship", dumps / "app.hprof", "--keep", "--to", client.url, "--compress", codec)
    key = json.loads(client.ok("ls", client.url, "--json").out)[0]["key"]
    whole = serve.get("/%s?decoded" % key, token=SHIP)
    assert whole.status == 200 and whole.body == data
    assert whole.headers["Repr-Digest"] == digest(data)
    part = serve.get("/%s?decoded" % key, token=SHIP, headers={"Range": "bytes=3000000-3000999"})
    assert part.status == 206 and part.body == data[3000000:3001000]


def test_other_teams_see_nothing(serve, s3):
    s3.overwrite("shop/a.bin", b"secret")
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert serve.request(method, "/shop/a.bin", b"x" if method == "PUT" else None, token=PAY).status == 404, method
    assert serve.get("/shop/a.bin").status == 401
    assert s3.read("shop/a.bin") == b"secret"


def test_deletion_takes_the_manifest_too(serve, s3):
    s3.overwrite("shop/a.bin", b"data")
    s3.overwrite("shop/a.bin.json", b"{}")
    assert serve.request("DELETE", "/shop/a.bin", token=SHIP).status == 403
    assert serve.request("DELETE", "/shop/a.bin", token=OPS).status == 204
    assert s3.keys() == []
    assert serve.request("DELETE", "/shop/a.bin", token=OPS).status == 404


def test_a_folder_without_its_slash_is_redirected_to(serve, s3):
    s3.overwrite("shop/pod/a b/file", b"x")
    s3.overwrite("pay/file", b"x")
    for method, path, token, status, location in (
            ("GET", "/shop", SHIP, 301, "shop/"), ("HEAD", "/shop", SHIP, 301, "shop/"), ("GET", "/shop", OPS, 301, "shop/"),
            ("GET", "/shop/pod/a%20b", SHIP, 301, "a%20b/"), ("GET", "/shop?format=json", SHIP, 301, "shop/?format=json"),
            ("GET", "/pay", SHIP, 404, None), ("GET", "/none", OPS, 404, None), ("GET", "/shop/pod/a", SHIP, 404, None),
            ("GET", "/shop", None, 401, None)):
        answer = serve.request(method, path, token=token)
        assert (answer.status, answer.headers["Location"]) == (status, location), (method, path, token)


def test_folders_as_a_file_server_lists_them(serve, s3):
    s3.overwrite("shop/cart 1/a.bin", b"data")
    s3.overwrite("shop/cart 1/.hidden", b"data")
    s3.overwrite("shop/top.bin", b"top")
    s3.overwrite("pay/b.bin", b"data")

    def names(path, token):
        return [(e["name"], e["type"]) for e in json.loads(serve.get(path + "?format=json", token=token).body)]

    assert names("/", SHIP) == [("shop", "directory")]
    assert names("/", OPS) == [("pay", "directory"), ("shop", "directory")]
    assert names("/shop/", SHIP) == [("cart 1", "directory"), ("top.bin", "file")]
    assert names("/shop/cart%201/", SHIP) == [("a.bin", "file")]
    page = serve.get("/shop/", token=SHIP)
    assert b'<a href="cart%201/">cart 1/</a>' in page.body and b'<a href="top.bin">' in page.body
    assert serve.get("/pay/", token=SHIP).status == 404 and serve.get("/shop/none/", token=SHIP).status == 404
    found = serve.request("PROPFIND", "/shop/", headers={"Depth": "1"}, token=SHIP)
    assert found.status == 207 and b"<D:href>/shop/cart%201/</D:href>" in found.body
    assert b"<D:getcontentlength>3</D:getcontentlength>" in found.body
    assert serve.request("PROPFIND", "/shop/top.bin", headers={"Depth": "0"}, token=SHIP).status == 207
    assert serve.request("PROPFIND", "/shop/none", headers={"Depth": "0"}, token=SHIP).status == 404


# The program's own commands

def test_ship_ls_and_get_through_it(client, dumps, work, s3):
    total = [drop(dumps, "small.hprof", 200_000), drop(dumps, "large.hprof", LARGE)]
    done = client.ok("ship", dumps / "small.hprof", dumps / "large.hprof", "--to", client.url, "--compress", "none")
    assert len(done.lines) == 2
    s3.check_all(total)
    assert all(key.startswith("shop/cart-1/") for key in s3.keys())
    listed = json.loads(client.ok("ls", client.url, "--json").out)
    assert sorted(m["sha256"] for m in listed) == sorted(total)
    assert len(json.loads(client.ok("ls", client.url, "shop", "--json").out)) == 2
    for name, digest_ in zip(("small.hprof", "large.hprof"), total):
        case = next(m for m in listed if m["sha256"] == digest_)
        client.ok("get", client.url, case["id"], "-o", work / name)
        assert sha256((work / name).read_bytes()) == digest_


@pytest.mark.parametrize("token", [SHIP, POD])
def test_watch_needs_no_key_of_the_bucket(salvage, serve, dumps, s3, token):
    client = Client(salvage, serve, token)
    watch = salvage.watch(dumps, "--to", client.url, env=client.env)
    watch.wait("started")
    totals = [drop(dumps, "app.hprof", 6 << 20), drop(dumps, "small.hprof", 60_000)]
    watch.wait("shipped", count=2)
    s3.check_all(totals)
    watch.stop()


def test_get_follows_to_the_bucket_and_brings_no_token_there(salvage, start, dumps, work, s3, proxy_to):
    """One that can't be reached from the client is done without."""
    proxy = proxy_to(s3.args[1].removeprefix("http://"))
    serve = start(s3.through(proxy))
    client = Client(salvage, serve)
    drop(dumps, "app.hprof", 5 << 20)
    url = client.ok("ship", dumps / "app.hprof", "--keep", "--to", client.url, "--compress", "none").lines[0]
    seen = len(proxy.requests)
    client.ok("get", url, "-o", work / "out.hprof")
    assert (work / "out.hprof").read_bytes() == (dumps / "app.hprof").read_bytes()
    direct = [r for r in proxy.requests[seen:] if "X-Amz-Signature" in r.query]
    assert len(direct) == 1 and direct[0].method == "GET" and "authorization" not in direct[0].headers
    proxy.harm(s3_error(403, "AccessDenied"), lambda r: "X-Amz-Signature" in r.query)
    client.ok("get", url, "-o", work / "again.hprof")
    assert (work / "again.hprof").read_bytes() == (dumps / "app.hprof").read_bytes()


def test_a_case_that_came_through_it_gives_notice(salvage, start, dumps, work, s3):
    page, seen = work / "page", work / "seen"
    page.write_text("#!/bin/sh\ncat >%s.part && mv %s.part %s\n" % (seen, seen, seen))
    page.chmod(0o755)
    client = Client(salvage, start(s3, "--notify", "exec:%s" % page, "--state", work / "state"))
    drop(dumps, "app.hprof", 60_000)
    client.ok("ship", dumps / "app.hprof", "--to", client.url)
    wait_for(seen.exists, 10, "no notice")
    assert json.loads(seen.read_text())["namespace"] == "shop"


def test_two_servers_over_one_bucket(salvage, start, work, dumps, s3):
    first = start(s3)
    other = start(s3)
    client = Client(salvage, first)
    drop(dumps, "app.hprof", 100_000)
    client.ok("ship", dumps / "app.hprof", "--to", client.url)
    for server in (first, other):
        wait_for(lambda: b"cart-1" in server.get("/-/cases", token=SHIP).body, 10, "no such case there")
        assert len(json.loads(client.ok("ls", server.url, "--json").out)) == 1


def test_pages_and_names_of_ours(client, serve, dumps, s3):
    """All that works without a root, and none of it ends the server."""
    drop(dumps, "app.hprof", 100_000)
    client.ok("ship", dumps / "app.hprof", "--to", client.url)
    case = json.loads(client.ok("ls", client.url, "--json").out)[0]["key"].rpartition("/")[0]
    wait_for(lambda: serve.get("/-/case/" + case, token=OPS).status == 200, 10, "no page of the case")
    for path in ("/healthz", "/readyz", "/metrics", "/-/cases", "/-/usage", "/-/compare", "/?format=json"):
        assert serve.get(path, token=OPS).status == 200, path
    for method, path in (("GET", "/-/uploads/0"), ("PATCH", "/-/uploads/0"), ("MOVE", "/shop/a"), ("PROPFIND", "/shop"),
                         ("OPTIONS", "/shop/a"), ("OPTIONS", "/"), ("PUT", "/shop/"), ("GET", "/shop"), ("DELETE", "/shop"),
                         ("MKCOL", "/shop"), ("GET", "/.salvage/x"), ("PUT", "/.salvage/x"), ("DELETE", "/.salvage/x"),
                         ("PROPFIND", "/.salvage/"), ("GET", "/.salvage/"), ("POST", "/-/link?key=/shop/a")):
        for token in (OPS, SHIP, None):
            assert serve.request(method, path, b"" if method in ("PUT", "POST", "PATCH") else None, {"Depth": "1"},
                                 token).status != 500, (method, path)
    begun = put(serve, "/shop/resumable", b"x", Upload_Complete="?0", Upload_Draft_Interop_Version="8")
    assert begun.status == 501 and "shop/resumable" not in s3.keys()
    assert serve.get("/healthz").status == 200


@pytest.fixture
def obs(s3, s3_endpoint):
    service = Obs(s3_endpoint, (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]))
    yield service
    service.close()


@pytest.mark.parametrize("temporary", [False, True])
def test_obs(salvage, start, dumps, work, s3, obs, temporary):
    store = ObsStore(s3, obs.url, obs.new_key(temporary))
    serve = start(store)
    client = Client(salvage, serve)
    total = drop(dumps, "app.hprof", LARGE)
    url = client.ok("ship", dumps / "app.hprof", "--to", client.url, "--compress", "none").lines[0]
    found = store.check_all([total])
    parts = [r for r in obs.requests() if "partNumber=" in r["path"]]
    assert len(parts) == 3 and all("Signature=" in r["path"] and "authorization" not in r["headers"] for r in parts)
    assert len(json.loads(client.ok("ls", client.url, "--json").out)) == 1
    before = len(obs.requests())
    client.ok("get", url, "-o", work / "out.hprof")
    assert sha256((work / "out.hprof").read_bytes()) == total
    direct = [r for r in obs.requests()[before:] if "Signature" in r["path"]]
    assert [(r["method"], r["code"], "authorization" in r["headers"]) for r in direct] == [("GET", None, False)]
    location = serve.get("/" + found[total]["key"], token=SHIP).headers["Location"]
    assert requests.get(location.replace("Expires=1", "Expires=2"), timeout=20).status_code == 403
    assert serve.request("DELETE", "/" + found[total]["key"], token=OPS).status == 204
    assert store.keys() == [], "manifest and digest of a heap dump go with it"


# Trouble behind it

def test_a_bucket_that_does_not_answer(start, s3, proxy_to):
    proxy = proxy_to(s3.args[1].removeprefix("http://"))
    serve = start(s3.through(proxy))
    s3.overwrite("shop/a.bin", b"data")
    assert serve.get("/shop/a.bin", token=SHIP).body == b"data"
    proxy.close()
    answer = serve.get("/shop/a.bin", token=SHIP, timeout=40)
    assert answer.status in (502, 503) and answer.body.count(b"\n") == 1 and b"store behind this server" in answer.body
    assert s3.bucket.encode() not in answer.body
    failed = serve.wait("gateway-failed")
    assert failed["key"] == "shop/a.bin" and failed["fault"] == "unreachable"
    for path in ("/shop/a.bin", "/shop/", "/shop/other"):  # who comes then does not wait for the same
        began = time.monotonic()
        answer = serve.request("PUT", path, b"x", token=SHIP) if path.endswith("other") else serve.get(path, token=SHIP)
        assert answer.status == 503 and answer.headers["Retry-After"] == "2" and time.monotonic() - began < 1.5, path
    assert len(serve.program.named("gateway-failed", key="shop/other")) == 0
    proxy_to(s3.args[1].removeprefix("http://"), port=proxy.port)
    wait_for(lambda: serve.get("/shop/a.bin", token=SHIP).status == 200, 10, "it is not asked again")


def test_credentials_are_fetched_once(start, s3):
    """Not for each connection to the bucket: a role would be assumed again and again."""
    services = Services(s3.env["AWS_ACCESS_KEY_ID"], s3.env["AWS_SECRET_ACCESS_KEY"])
    s3.env = {"AWS_REGION": "us-east-1", **services.container()}
    s3.overwrite("shop/a.bin", b"data")
    serve = start(s3)
    assert serve.get("/shop/a.bin", token=SHIP).status == 200
    before = len(services.handed_out)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(serve.get("/shop/a.bin", token=SHIP).status))
               for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    services.close()
    assert answers == [200] * 12 and len(services.handed_out) == before <= 2, services.handed_out
    assert Direct(serve, "shop/b.bin").begin()
