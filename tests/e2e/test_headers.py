# SPDX-License-Identifier: Apache-2.0
"""--header: the user's headers are sent, signed, with the requests that allow them, and with no other."""
import http.server
import threading

import pytest

from helpers.evidence import drop

CREATE = {"x-amz-acl": "bucket-owner-full-control", "x-amz-tagging": "team=shop&keep=30d"}
ALWAYS = {"x-amz-request-payer": "requester", "x-gateway": "blue green"}


def options(headers):
    return [word for name, value in headers.items() for word in ("--header", "%s: %s" % (name, value))]


def creates(r):
    return (r.method == "PUT" and "partNumber" not in r.query) or (r.method == "POST" and "uploads" in r.query)


@pytest.mark.parametrize("size", [100_000, 20 << 20], ids=["one PUT", "parts"])
def test_each_goes_with_the_requests_that_take_it(salvage, dumps, s3, proxy, s3_client, size):
    """The store checks the signature of all of it, and keeps the tags."""
    total = drop(dumps, "app.hprof", size)
    salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), "--compress", "none",
               *options({**CREATE, **ALWAYS}), env=s3.env)
    s3.check_one(total)
    assert any(creates(r) for r in proxy.seen()) and any(not creates(r) for r in proxy.seen())
    for r in proxy.seen():
        signed = r.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
        for name, value in ALWAYS.items():
            assert r.headers[name] == value and name in signed, r
        for name, value in CREATE.items():
            assert r.headers.get(name) == (value if creates(r) else None), r
            assert (name in signed) == creates(r)
    for key in [key for key in s3.keys() if key.endswith(".json")]:  # this store forgets those of an upload in parts
        tags = s3_client.get_object_tagging(Bucket=s3.bucket, Key=s3.full(key))
        assert {t["Key"]: t["Value"] for t in tags["TagSet"]} == {"team": "shop", "keep": "30d"}


def test_a_watch_hands_them_to_its_workers(salvage, dumps, s3, proxy):
    watch = salvage.watch(dumps, *s3.through(proxy).options(),
                          env={**s3.env, "SALVAGE_HEADER": "x-amz-storage-class:STANDARD x-amz-request-payer:requester"})
    drop(dumps, "app.hprof")
    watch.wait("shipped")
    assert watch.stop() == 0
    assert all(r.headers.get("x-amz-storage-class") == "STANDARD" for r in proxy.seen(creates))
    assert all(r.headers["x-amz-request-payer"] == "requester" for r in proxy.seen())


def test_a_header_that_the_store_does_not_take_is_named(salvage, dumps, s3):
    drop(dumps, "app.hprof")
    result = salvage.run("ship", dumps / "app.hprof", *s3.options(), "--give-up", "1s",
                         "--header", "x-amz-storage-class:NOSUCH", env=s3.env)
    assert result.code == 45 and "InvalidArgument" in result.err and "sent with --header x-amz-storage-class" in result.err


@pytest.mark.parametrize("header, word", [("Authorization: x", "salvage's own"), ("Content-Length:5", "salvage's own"),
                                          ("x-amz-date:x", "salvage's own"), ("x-amz-acl", "NAME:VALUE"),
                                          ("x-amz-acl:", "no value"), ("a:b\r\nc:d", "printable")])
def test_others_are_refused_at_the_start(salvage, dumps, s3, header, word):
    drop(dumps, "app.hprof")
    for command in (["ship", dumps / "app.hprof"], ["watch", dumps]):
        result = salvage.run(*command, *s3.options(), "--header", header, env=s3.env)
        assert result.code == 2 and word in result.message


def test_a_file_server_gets_them_all(salvage, dumps):
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def note(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen.append((self.command, self.headers.get("X-Api-Key")))
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_PUT = do_HEAD = do_MKCOL = do_MOVE = do_DELETE = note

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    drop(dumps, "app.hprof")
    url = "http://127.0.0.1:%d/d" % server.server_address[1]
    salvage.run("ship", dumps / "app.hprof", "--to", url, "--header", "X-Api-Key: k1", "--give-up", "1s")
    salvage.run("ls", url, "--header", "X-Api-Key: k1")
    server.shutdown()
    server.server_close()
    assert len(seen) >= 2 and {key for _, key in seen} == {"k1"}
