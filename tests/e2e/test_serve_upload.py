# SPDX-License-Identifier: Apache-2.0
"""Uploads to `salvage serve`: by its own client and others', and what must never become visible or be written over."""
import base64
import hashlib
import json
import os
import subprocess

import pytest
import requests

from helpers.proc import wait_for
from helpers.serve import Serve

OPS, SHIP, PAY = "ops-token-of-a-test-1", "ship-token-of-a-test", "pay-token-of-a-test-1"


@pytest.fixture
def tokens(work):
    path = work / "tokens"
    path.write_text("ops %s admin *\nship %s list,read,write shop\npay %s write pay\n" % (OPS, SHIP, PAY))
    path.chmod(0o600)
    return path


@pytest.fixture
def start(salvage, work, tokens):
    return lambda *args, **more: Serve(salvage, work, "--tokens", tokens, *args, **more)


@pytest.fixture
def serve(start):
    return start()


def digest(data, algorithm="sha256"):
    name = {"sha256": "sha-256", "sha512": "sha-512"}[algorithm]
    return "%s=:%s:" % (name, base64.b64encode(hashlib.new(algorithm, data).digest()).decode())


def objects(root):
    """What a reader of the disk sees: path -> bytes."""
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*")
            if p.is_file() and ".salvage" not in p.parts}


def under_way(root):
    folder = root / ".salvage" / "uploads"
    return sorted(os.listdir(folder)) if folder.is_dir() else []


def put(serve, path, data, token=SHIP, **headers):
    return serve.request("PUT", path, data, {name.replace("_", "-"): value for name, value in headers.items()}, token)


# One request

def test_an_object_is_stored_with_its_digest(serve):
    answer = put(serve, "/shop/cart/a%20b.bin", b"evidence")
    assert answer.status == 201
    assert answer.headers["Location"] == "/shop/cart/a%20b.bin"
    assert answer.headers["Repr-Digest"] == digest(b"evidence")
    assert objects(serve.root) == {"shop/cart/a b.bin": b"evidence"}
    assert (serve.root / "shop/cart/a b.bin").stat().st_mode & 0o777 == 0o600
    assert serve.get(answer.headers["Location"], token=SHIP).body == b"evidence"
    assert under_way(serve.root) == []


def test_a_body_of_unknown_length(serve):
    assert put(serve, "/shop/x", iter([b"one ", b"two ", b"three"])).status == 201
    assert put(serve, "/shop/empty", b"").status == 201
    assert objects(serve.root) == {"shop/x": b"one two three", "shop/empty": b""}


def test_other_clients(serve, work):
    data = os.urandom(3 << 20)
    (work / "dump.bin").write_bytes(data)
    subprocess.run(["curl", "-sSf", "-T", work / "dump.bin", "-H", "Authorization: Bearer " + SHIP,
                    serve.url + "/shop/curl/"], check=True)
    with open(work / "dump.bin", "rb") as body:
        answer = requests.put(serve.url + "/shop/requests.bin", data=body, timeout=20,
                              headers={"Authorization": "Bearer " + SHIP})
    assert answer.status_code == 201
    assert objects(serve.root) == {"shop/curl/dump.bin": data, "shop/requests.bin": data}


def test_nothing_is_written_over_without_the_right_to_delete(serve):
    assert put(serve, "/shop/x", b"first").status == 201
    assert put(serve, "/shop/x", b"other").status == 412
    assert put(serve, "/shop/x", b"longer").status == 412
    assert objects(serve.root) == {"shop/x": b"first"}
    assert put(serve, "/shop/x", b"first").status == 200, "a client that lost the answer sends the same again"
    assert put(serve, "/shop/x", b"first", If_None_Match="*").status == 412
    assert put(serve, "/shop/x", b"other", OPS, If_None_Match="*").status == 412
    assert put(serve, "/shop/x", b"by ops", OPS).status == 200
    assert objects(serve.root) == {"shop/x": b"by ops"}
    assert under_way(serve.root) == []


def test_who_may_write_where(serve):
    assert put(serve, "/shop/x", b"1", None).status == 401
    assert put(serve, "/shop/x", b"1", PAY).status == 404
    assert put(serve, "/x", b"1").status == 404
    assert put(serve, "/.salvage/uploads/x", b"1", OPS).status in (403, 404)
    assert put(serve, "/shop/.hidden", b"1").status == 403
    assert put(serve, "/shop/../pay/x", b"1").status == 400
    assert put(serve, "/x", b"1", OPS).status == 201
    assert objects(serve.root) == {"x": b"1"}


def test_a_folder_is_no_object(serve):
    assert put(serve, "/shop/cart/x", b"1").status == 201
    assert put(serve, "/shop/cart", b"1").status == 409
    assert put(serve, "/shop/cart/x/y", b"1").status == 409
    assert put(serve, "/shop/cart/", b"1").status == 405
    assert serve.request("MKCOL", "/shop/new/", token=SHIP).status == 201
    assert serve.request("MKCOL", "/shop/new/", token=SHIP).status == 405
    assert serve.request("MKCOL", "/shop/no/way/", token=SHIP).status == 409
    assert serve.request("MKCOL", "/pay/", token=SHIP).status == 404


@pytest.mark.parametrize("field", ["Content-Digest", "Repr-Digest"])
def test_a_digest_that_does_not_match_stores_nothing(serve, field):
    for algorithm in ("sha256", "sha512"):
        answer = put(serve, "/shop/x", b"evidence", **{field: digest(b"evidencE", algorithm)})
        assert answer.status == 400 and field.encode() in answer.body
    assert put(serve, "/shop/x", b"evidence", **{field: "sha-256=nonsense"}).status == 400
    assert objects(serve.root) == {} and under_way(serve.root) == []
    both = digest(b"evidence") + ", md5=:AAAA:, " + digest(b"evidence", "sha512")
    assert put(serve, "/shop/x", b"evidence", **{field: both}).status == 201


def test_what_would_change_the_object_is_refused(serve):
    assert put(serve, "/shop/x", b"1", Content_Range="bytes 0-0/5").status == 400
    assert put(serve, "/shop/x", b"1", Content_Encoding="gzip").status == 415
    assert objects(serve.root) == {}


def expects(serve, path, size, token=SHIP, **headers):
    """Sends a head that waits for 100 Continue; returns the status that comes, without a byte of the body."""
    head = "PUT %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n" % (
        path, token, size) + "".join("%s: %s\r\n" % pair for pair in headers.items())
    with serve.connect() as link:
        link.sendall(head.encode() + b"\r\n")
        return int(link.recv(4096).split()[1])


def test_refusals_come_before_the_body(start, work, mount_tmpfs):
    serve = start("--object-max", "20M", root=mount_tmpfs(work / "small", "12m"))
    assert expects(serve, "/shop/x", 1 << 20) == 100
    assert expects(serve, "/pay/x", 1 << 20) == 404
    assert expects(serve, "/shop/x", 1 << 20, "wrong") == 401
    assert expects(serve, "/shop/x", 21 << 20) == 413
    assert expects(serve, "/shop/x", 12 << 20) == 507
    assert put(serve, "/shop/x", b"1").status == 201
    assert expects(serve, "/shop/x", 1 << 20) == 412
    assert expects(serve, "/shop/x", 1, **{"If-None-Match": "*"}) == 412
    assert under_way(serve.root) == []


def test_a_connection_that_breaks_leaves_nothing(serve):
    link = serve.connect()
    link.sendall(("PUT /shop/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 1000000\r\n\r\n" %
                  SHIP).encode() + b"x" * 500000)
    wait_for(lambda: under_way(serve.root), 10)
    link.close()
    wait_for(lambda: not under_way(serve.root), 10, "the temporary file stays")
    assert objects(serve.root) == {}


def test_a_full_disk_refuses_uploads_and_keeps_serving(start, work, mount_tmpfs):
    serve = start(root=mount_tmpfs(work / "small", "24m"))
    assert put(serve, "/shop/first", b"1").status == 201
    pieces = (b"\0" * (1 << 20) for _ in range(40))
    assert put(serve, "/shop/large", pieces).status == 507
    assert under_way(serve.root) == [] and list(objects(serve.root)) == ["shop/first"]
    assert serve.wait("upload-failed")["key"] == "shop/large"
    (work / "small" / "filler").write_bytes(b"\0" * (23 << 20))
    assert put(serve, "/shop/second", b"\0" * (1 << 20)).status == 507
    assert serve.get("/shop/first", token=SHIP).body == b"1"
    os.remove(work / "small" / "filler")
    assert put(serve, "/shop/second", b"2").status == 201


def test_a_share_of_the_disk_for_each_namespace(start):
    serve = start("--quota", "shop=100K", "--quota", "*=10K")
    assert put(serve, "/shop/a", b"\0" * 60_000).status == 201
    answer = put(serve, "/shop/b", b"\0" * 60_000)
    assert answer.status == 507 and b"share of 'shop'" in answer.body
    assert put(serve, "/shop/b", iter([b"\0" * 60_000])).status == 507
    assert put(serve, "/pay/a", b"\0" * 20_000, PAY).status == 507
    assert put(serve, "/pay/a", b"\0" * 10_000, PAY).status == 201
    assert serve.request("DELETE", "/shop/a", token=OPS).status == 204
    assert put(serve, "/shop/b", b"\0" * 60_000).status == 201


def test_a_ceiling_for_one_object(start):
    serve = start("--object-max", "1M")
    assert put(serve, "/shop/x", b"\0" * (1 << 20)).status == 201
    assert put(serve, "/shop/y", iter([b"\0" * (1 << 20), b"1"])).status == 413
    assert put(serve, "/shop/y", b"\0" * (2 << 20)).status == 413


def manifest_of(salvage, work):
    (work / "a.bin").write_bytes(b"evidence")
    (work / "store").mkdir()
    salvage.ok("ship", work / "a.bin", "--to", "file://%s" % (work / "store"), "--key", "shop/{id}/{name}", "--keep")
    (path,) = (work / "store").rglob("*.json")
    return json.loads(path.read_text()), path.relative_to(work / "store")


def test_a_manifest_has_to_be_one(serve, salvage, work):
    manifest, path = manifest_of(salvage, work)
    good = json.dumps(manifest).encode()
    assert put(serve, "/%s" % path, good).status == 201
    assert put(serve, "/shop/prefix/%s" % path, good).status == 201, "the store's URL may have a prefix"
    assert put(serve, "/shop/other.json", good).status == 400, "it names another object"
    del manifest["key"]
    assert put(serve, "/shop/2/%s" % path, json.dumps(manifest).encode()).status == 400
    assert put(serve, "/shop/any.json", b"{\"schema\": \"another\"}").status == 201
    assert put(serve, "/shop/broken.json", b"{").status == 201, "evidence may have this name"


def test_an_object_is_removed_with_its_manifest(serve):
    for name in ("x", "x.json", "y"):
        assert put(serve, "/shop/cart/" + name, b"1").status == 201
    assert serve.request("DELETE", "/shop/cart/x", token=SHIP).status == 403
    assert serve.request("DELETE", "/shop/cart/x", token=PAY).status == 404
    assert serve.request("DELETE", "/shop/cart/x", token=OPS).status == 204
    assert serve.request("DELETE", "/shop/cart/x", token=OPS).status == 404
    assert list(objects(serve.root)) == ["shop/cart/y"]
    assert serve.request("DELETE", "/shop/cart/y", token=OPS).status == 204
    assert not (serve.root / "shop").exists(), "the folder of a case goes with its last object"
