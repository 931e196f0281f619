# SPDX-License-Identifier: Apache-2.0
"""Uploads to `salvage serve`: by its own client and others', and what must never become visible or be written over."""
import base64
import hashlib
import json
import os
import subprocess
import time

import pytest
import requests

from helpers.evidence import drop
from helpers.proc import wait_for
from helpers.proxy import BreakInBody, ResetAnswer
from helpers.serve import Serve
from helpers.tls import Authority

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
    etag = serve.request("HEAD", "/shop/x", token=OPS).headers["ETag"]
    assert put(serve, "/shop/x", b"again", OPS, If_None_Match=etag).status == 412
    assert put(serve, "/shop/x", b"again", OPS, If_Match='"other"').status == 412
    assert put(serve, "/shop/y", b"again", OPS, If_Match=etag).status == 412
    answer = put(serve, "/shop/x", b"again", OPS, If_Match=etag)
    assert answer.status == 200 and answer.headers["ETag"] not in (None, etag)
    assert objects(serve.root) == {"shop/x": b"again"}
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
    assert put(serve, "/shop/cart/", b"1").status == 409
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


def stream(serve, method, path, size, token=SHIP, **headers):
    """A request on its way: its head is sent. Its connection."""
    link = serve.connect()
    head = "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n" % (method, path, token, size)
    link.sendall((head + "".join("%s: %s\r\n" % (n.replace("_", "-"), v) for n, v in headers.items()) + "\r\n").encode())
    return link


def expects(serve, path, size, token=SHIP, method="PUT", **headers):
    """Sends a head that waits for 100 Continue; returns the status that comes, without a byte of the body."""
    with stream(serve, method, path, size, token, Expect="100-continue", **headers) as link:
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
    assert expects(serve, "/shop/x", 1, If_None_Match="*") == 412
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
    assert expects(serve, "/shop/second", 1 << 20) == 507
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
    assert expects(serve, "/shop/y", 2 << 20) == 413
    assert put(serve, "/shop/y", b"\0" * (8 << 20)).status == 413, "a client that does not wait gets its answer, too"


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


# Several requests: draft-ietf-httpbis-resumable-upload-12

VERSION = "8"
MISMATCH = "https://iana.org/assignments/http-problem-types#mismatching-upload-offset"


def begin(serve, path, data=b"", complete=False, token=SHIP, **headers):
    return put(serve, path, data, token, Upload_Complete="?1" if complete else "?0", **headers)


def head(serve, location, token=SHIP):
    """(offset, whether it is complete); None if there is no such upload."""
    answer = serve.request("HEAD", location, token=token)
    if answer.status != 204:
        assert answer.status == 404, answer
        return None
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["Upload-Limit"]
    return int(answer.headers["Upload-Offset"]), answer.headers["Upload-Complete"] == "?1"


def patch(serve, location, offset, data, complete=False, token=SHIP, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers.update({"Upload-Offset": str(offset), "Upload-Complete": "?1" if complete else "?0",
                    "Content-Type": "application/partial-upload"})
    return serve.request("PATCH", location, data, headers, token)


def test_an_upload_in_several_requests(serve):
    data = os.urandom(300_000)
    answer = begin(serve, "/shop/x", data[:100_000], Upload_Length="300000")
    location = answer.headers["Location"]
    assert answer.status == 201 and location.startswith("/-/uploads/") and answer.headers["Upload-Complete"] == "?0"
    assert head(serve, location) == (100_000, False)
    answer = patch(serve, location, 100_000, data[100_000:200_000])
    assert answer.status == 204 and answer.headers["Upload-Offset"] == "200000"
    assert objects(serve.root) == {}
    answer = patch(serve, location, 200_000, data[200_000:], complete=True, Repr_Digest=digest(data))
    assert answer.status == 201 and answer.headers["Upload-Complete"] == "?1"
    assert answer.headers["Location"] == "/shop/x" and answer.headers["Repr-Digest"] == digest(data)
    assert objects(serve.root) == {"shop/x": data}
    assert serve.wait("audit", action="upload")["key"] == "shop/x"
    assert serve.wait("audit", action="upload")["bytes"] == 300_000
    assert head(serve, location) == (300_000, True), "a client that lost the last answer can ask"
    again = patch(serve, location, 300_000, b"", complete=True)
    assert again.status == 201 and again.headers["Repr-Digest"] == digest(data)


def test_an_upload_in_one_request_that_could_go_on(serve):
    data = os.urandom(100_000)
    answer = begin(serve, "/shop/x", data, complete=True)
    assert answer.status == 201 and answer.headers["Upload-Complete"] == "?1"
    assert objects(serve.root) == {"shop/x": data}


def test_offsets_and_lengths_that_do_not_fit(serve):
    location = begin(serve, "/shop/x", b"0123456789", Upload_Length="20").headers["Location"]
    answer = patch(serve, location, 5, b"5678901234")
    problem = json.loads(answer.body)
    assert answer.status == 409 and answer.headers["Upload-Offset"] == "10"
    assert (problem["type"], problem["expected-offset"], problem["provided-offset"]) == (MISMATCH, 10, 5)
    for bad in (patch(serve, location, 10, b"0123456789x"), patch(serve, location, 10, b"01234", complete=True),
                patch(serve, location, 10, b"0", Upload_Length="21"), begin(serve, "/shop/y", b"01", Upload_Length="1")):
        assert bad.status == 400 and json.loads(bad.body)["type"].endswith("inconsistent-upload-length")
    assert head(serve, location) == (10, False)
    assert serve.request("PATCH", location, b"1", {"Upload-Offset": "10", "Upload-Complete": "?0"}, SHIP).status == 415
    assert serve.request("PATCH", location, b"1", {"Content-Type": "application/partial-upload"}, SHIP).status == 400
    assert patch(serve, location, 10, iter([b"01234", b"567890"])).status == 400, "longer than it said"
    assert head(serve, location) is None


def test_a_digest_that_does_not_match_takes_back_what_came(serve):
    location = begin(serve, "/shop/x", b"one ").headers["Location"]
    assert patch(serve, location, 4, b"twO ", Content_Digest=digest(b"two ")).status == 400
    assert head(serve, location) == (4, False)
    assert patch(serve, location, 4, b"two ", Content_Digest=digest(b"two ")).status == 204
    answer = patch(serve, location, 8, b"", complete=True, Repr_Digest=digest(b"one two"))
    assert answer.status == 400 and answer.headers["Upload-Complete"] == "?1", "to go on would not help"
    assert head(serve, location) is None and objects(serve.root) == {} and under_way(serve.root) == []


def test_an_upload_is_its_owners(serve):
    location = begin(serve, "/shop/x", b"1").headers["Location"]
    for token in (PAY, OPS):
        assert head(serve, location, token) is None
        assert patch(serve, location, 1, b"2", token=token).status == 404
        assert serve.request("DELETE", location, token=token).status == 404
    assert serve.request("HEAD", location).status == 401
    assert head(serve, location[:-1] + "x") is None
    assert head(serve, location) == (1, False)
    assert serve.request("DELETE", location, token=SHIP).status == 204
    assert head(serve, location) is None and under_way(serve.root) == []


def test_who_lost_the_right_to_write_cannot_go_on(serve, tokens):
    location = begin(serve, "/shop/x", b"1").headers["Location"]
    tokens.write_text(tokens.read_text().replace("list,read,write shop", "read shop"))
    wait_for(lambda: patch(serve, location, 1, b"2").status == 404, 10)


def test_the_same_object_once_more(serve):
    assert put(serve, "/shop/x", b"evidence").status == 201
    assert begin(serve, "/shop/x", b"evid", Upload_Length="9").status == 412
    location = begin(serve, "/shop/x", b"evid", Upload_Length="8").headers["Location"]
    assert patch(serve, location, 4, b"ence", complete=True).status == 200
    location = begin(serve, "/shop/x", b"other").headers["Location"]
    answer = patch(serve, location, 5, b"", complete=True)
    assert answer.status == 412 and answer.headers["Upload-Complete"] == "?1"
    assert objects(serve.root) == {"shop/x": b"evidence"}


def interim(serve, version):
    """What comes before the final answer to an upload in one request."""
    with serve.connect() as link:
        link.sendall(("PUT /shop/i%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 2\r\n"
                      "Upload-Complete: ?1\r\nUpload-Draft-Interop-Version: %s\r\n\r\n" %
                      (version, SHIP, version)).encode())
        link.settimeout(0.5)
        seen = b""
        try:
            while b"\r\n\r\n" not in seen:
                seen += link.recv(4096)
        except TimeoutError:
            pass
        link.settimeout(20)
        link.sendall(b"12")
        final = b""
        while b"\r\n\r\n" not in final:
            final += link.recv(4096)
        return seen.decode(), final.decode()


def test_the_interim_answer_names_the_upload(serve):
    seen, final = interim(serve, VERSION)
    assert seen.startswith("HTTP/1.1 104 ") and "Location: /-/uploads/" in seen and "Upload-Limit: " in seen
    assert "Upload-Draft-Interop-Version: 8" in seen and final.startswith("HTTP/1.1 201 ")
    assert interim(serve, "7")[0] == "", "another version of the draft"


def test_a_long_request_is_told_how_far_it_is(serve):
    size = 70 << 20
    with stream(serve, "PUT", "/shop/x", size, Upload_Complete="?1", Upload_Draft_Interop_Version=VERSION) as link:
        for _ in range(size >> 20):
            link.sendall(b"\0" * (1 << 20))
        seen = b""
        while b"HTTP/1.1 201" not in seen:
            seen += link.recv(4096)
    offsets = [int(line.split()[1]) for line in seen.decode().splitlines() if line.startswith("Upload-Offset: ")]
    assert len(offsets) == 2 and offsets[0] >= 32 << 20 and offsets[1] >= 64 << 20
    assert seen.count(b"HTTP/1.1 104") == 3 and seen.count(b"Location: /-/uploads/") == 1


def test_a_broken_line_keeps_what_came(serve):
    data = os.urandom(1 << 20)
    link = stream(serve, "PUT", "/shop/x", len(data), Upload_Complete="?1", Upload_Draft_Interop_Version=VERSION)
    link.sendall(data[:600_000])
    location = link.recv(4096).decode().split("Location: ")[1].split("\r\n")[0]
    wait_for(lambda: any((serve.root / ".salvage/uploads" / n).stat().st_size == 600_000 for n in under_way(serve.root)),
             10)
    link.close()
    assert head(serve, location) == (600_000, False)
    assert patch(serve, location, 600_000, data[600_000:], complete=True).status == 201
    assert objects(serve.root) == {"shop/x": data}


def test_large_uploads_that_pause_and_break(serve):
    """What is written by another thread while it is received: with a pause at an odd byte, and a break at another."""
    data = os.urandom(1 << 20) * 20 + b"end"
    resources = [begin(serve, "/shop/%d" % i).headers["Location"] for i in range(5)]
    links = [stream(serve, "PATCH", location, len(data), Upload_Offset=0, Upload_Complete="?1", Repr_Digest=digest(data),
                    Content_Type="application/partial-upload") for location in resources]
    parts = serve.root / ".salvage/uploads"
    for link in links:
        link.sendall(data[:9_000_001])
    wait_for(lambda: all(p.stat().st_size == 9_000_001 for p in parts.glob("*.part")), 30)
    for link in links[1:]:
        link.sendall(data[9_000_001:])
        assert b" 201 " in link.recv(4096)
    links[0].sendall(data[9_000_001:19_000_003])
    links[0].close()
    wait_for(lambda: [p.stat().st_size for p in parts.glob("*.part")] == [19_000_003], 30)
    assert head(serve, resources[0]) == (19_000_003, False)
    assert patch(serve, resources[0], 19_000_003, data[19_000_003:], complete=True, Repr_Digest=digest(data)).status == 201
    assert objects(serve.root) == {"shop/%d" % i: data for i in range(5)}


def test_the_newest_request_wins(serve):
    """A client that comes back after a break of the line must not wait until we find out about it."""
    location = begin(serve, "/shop/x", b"0").headers["Location"]
    link = stream(serve, "PATCH", location, 10, Upload_Offset="1", Upload_Complete="?0",
                  Content_Type="application/partial-upload")
    link.sendall(b"1234")
    part = serve.root / ".salvage/uploads" / (location.rpartition("/")[2] + ".part")
    wait_for(lambda: part.stat().st_size == 5, 10)
    assert head(serve, location) == (5, False)
    assert link.recv(4096) == b""
    assert patch(serve, location, 5, b"5", complete=True).status == 201
    assert objects(serve.root) == {"shop/x": b"012345"}


def test_what_nobody_goes_on_with_is_swept(start):
    serve = start("--abandoned", "2s")
    location = begin(serve, "/shop/x", b"0").headers["Location"]
    assert head(serve, location) == (1, False)
    serve.wait("upload-abandoned", key="shop/x")
    assert head(serve, location) is None and under_way(serve.root) == []


def test_one_owner_can_begin_only_so_many(serve):
    """... and who died before the end makes room after an hour."""
    locations = [begin(serve, "/shop/x").headers["Location"] for _ in range(9)]
    owner = locations[0].rpartition("/")[2][:16]
    for i in range(256 - len(locations)):
        (serve.root / ".salvage/uploads" / ("%s%032x.part" % (owner, i))).touch()
    answer = begin(serve, "/shop/x")
    assert answer.status == 503 and answer.headers["Retry-After"]
    assert begin(serve, "/pay/x", token=PAY).status == 201
    idle = serve.root / ".salvage/uploads" / (locations[7].rpartition("/")[2] + ".part")
    os.utime(idle, (time.time() - 4000, time.time() - 4000))
    assert begin(serve, "/shop/x").status == 201
    assert head(serve, locations[7]) is None and head(serve, locations[8]) == (0, False)


def test_uploads_that_wait_count_for_the_share(start):
    serve = start("--quota", "shop=100K")
    location = begin(serve, "/shop/x", b"\0" * 60_000).headers["Location"]
    assert put(serve, "/shop/y", b"\0" * 60_000).status == 507
    assert begin(serve, "/shop/y", b"\0" * 60_000).status == 507
    assert patch(serve, location, 60_000, b"\0" * 60_000).status == 507
    assert serve.request("DELETE", location, token=SHIP).status == 204
    assert put(serve, "/shop/y", b"\0" * 60_000).status == 201


def test_a_full_disk_and_room_again(start, work, mount_tmpfs):
    serve = start("--reserve", "0", root=mount_tmpfs(work / "small", "16m"))
    location = begin(serve, "/shop/x", b"\0" * (4 << 20)).headers["Location"]
    (work / "small" / "filler").write_bytes(b"\0" * (11 << 20))
    assert expects(serve, location, 4 << 20, method="PATCH", Upload_Offset=4 << 20, Upload_Complete="?0",
                   Content_Type="application/partial-upload") == 507
    assert head(serve, location) == (4 << 20, False), "refused before it began"
    assert patch(serve, location, 4 << 20, (b"\0" * (1 << 20) for _ in range(4))).status == 507
    offset, _ = head(serve, location)
    assert 4 << 20 <= offset < 6 << 20, "what came until the disk was full stays"
    os.remove(work / "small" / "filler")
    assert patch(serve, location, offset, b"\0" * ((8 << 20) - offset), complete=True).status == 201


# Our own client

def client(work, token=SHIP):
    """(arguments, environment) of a salvage that ships to serve with this token."""
    return ["--key", "shop/{pod}/{id}/{name}", "--compress", "none"], {"SALVAGE_HTTP_TOKEN": token}


def parts_of(proxy):
    return proxy.seen(lambda r: r.method == "PATCH")


def sent_again(requests_seen, size):
    """Bytes of an object that were sent more than once."""
    return sum(r.received for r in requests_seen) - size


def check_stored(serve, total, size):
    """One whole object with its manifest."""
    (name,) = [n for n in objects(serve.root) if not n.endswith(".json")]
    data = objects(serve.root)[name]
    assert len(data) == size and hashlib.sha256(data).hexdigest() == total
    assert json.loads(objects(serve.root)[name + ".json"])["stored_sha256"] == total
    assert [n for n in under_way(serve.root) if n.endswith(".part")] == []


def test_salvage_ships_to_it(serve, salvage, work, dumps):
    """With the right to write and nothing else: what the server says of the digest verifies it."""
    serve_args, env = client(work, PAY)
    total = drop(dumps, "app.hprof", 40 << 20)
    result = salvage.ok("ship", dumps / "app.hprof", "--to", serve.url, *serve_args[2:], "--key", "pay/{id}/{name}", env=env)
    check_stored(serve, total, 40 << 20)
    assert "may not be read back" not in result.err
    (name,) = [n for n in objects(serve.root) if n.endswith(".json")]
    assert json.loads(objects(serve.root)[name])["verified"] == "read"


def test_a_line_that_breaks_again_and_again(serve, salvage, work, dumps, proxy_to):
    args, env = client(work)
    total = drop(dumps, "app.hprof", 40 << 20)
    proxy = proxy_to(serve.address)
    for skip in (1, 3, 4):
        proxy.harm(BreakInBody(after=3 << 20), lambda r: r.method == "PATCH", skip=skip)
    proxy.harm(ResetAnswer(), lambda r: r.method == "PATCH" and r.headers.get("upload-complete") == "?1")
    salvage.ok("ship", dumps / "app.hprof", "--to", proxy.url, *args, env=env)
    check_stored(serve, total, 40 << 20)
    assert sent_again(parts_of(proxy), 40 << 20) < 1 << 20, "what was durable was sent again"


def test_a_disk_that_gets_room_again(start, salvage, work, dumps, mount_tmpfs):
    serve = start("--reserve", "0", root=mount_tmpfs(work / "small", "12m"))
    args, env = client(work)
    total = drop(dumps, "app.hprof", 20 << 20)
    result = salvage.run("ship", dumps / "app.hprof", "--to", serve.url, *args, env=env)
    assert result.code == 43, result
    assert objects(serve.root) == {} and under_way(serve.root) == [], "half an upload holds the room that others need"
    assert (dumps / "app.hprof").stat().st_size == 20 << 20
    subprocess.run(["mount", "-o", "remount,size=64m", serve.root], check=True)
    salvage.ok("ship", dumps / "app.hprof", "--to", serve.url, *args, env=env)
    check_stored(serve, total, 20 << 20)


def test_a_killed_client_goes_on_where_it_was(serve, salvage, work, dumps, proxy_to):
    args, env = client(work)
    total = drop(dumps, "app.hprof", 40 << 20)
    proxy = proxy_to(serve.address, rate=40 << 20)
    p = salvage.start("ship", dumps / "app.hprof", "--to", proxy.url, *args, env=env)
    wait_for(lambda: len(parts_of(proxy)) >= 4, 20)
    p.kill()
    assert [n for n in objects(serve.root)] == []
    proxy.rate = None
    salvage.ok("ship", dumps / "app.hprof", "--to", proxy.url, *args, env=env)
    check_stored(serve, total, 40 << 20)
    assert len(proxy.seen(lambda r: r.method == "PUT" and r.headers.get("upload-complete") == "?0")) == 1
    assert sent_again(parts_of(proxy), 40 << 20) < 20 << 20


def test_a_server_that_is_killed_under_a_client(serve, salvage, work, dumps, proxy_to):
    args, env = client(work)
    total = drop(dumps, "app.hprof", 40 << 20)
    proxy = proxy_to(serve.address, rate=40 << 20)
    p = salvage.start("ship", dumps / "app.hprof", "--to", proxy.url, *args, env=env)
    wait_for(lambda: len(parts_of(proxy)) >= 3, 20)
    serve.restart()
    assert p.end() == 0, p.log
    check_stored(serve, total, 40 << 20)
    assert len(proxy.seen(lambda r: r.method == "PUT" and r.headers.get("upload-complete") == "?0")) == 1


def test_over_tls(start, salvage, work, dumps):
    authority = Authority(work, "ca")
    certificate, key = authority.server("DNS:localhost,IP:127.0.0.1")
    serve = start("--tls-cert", certificate, "--tls-key", key, ca=authority.certificate)
    args, env = client(work)
    total = drop(dumps, "app.hprof", 20 << 20)
    salvage.ok("ship", dumps / "app.hprof", "--to", serve.url, "--ca-file", authority.certificate, *args, env=env)
    check_stored(serve, total, 20 << 20)
    with stream(serve, "PUT", "/shop/x", 2, Upload_Complete="?1", Upload_Draft_Interop_Version=VERSION) as link:
        assert link.recv(4096).startswith(b"HTTP/1.1 104 ")


def test_a_token_that_is_renewed_while_we_ship(serve, salvage, work, dumps, tokens):
    """As Kubernetes renews those that it projects."""
    args, _ = client(work)
    (work / "token").write_text(SHIP)
    watch = salvage.watch(dumps, "--to", serve.url, *args, env={"SALVAGE_TOKEN_FILE": str(work / "token")})
    drop(dumps, "a.hprof", 1 << 20)
    watch.wait("shipped")
    tokens.write_text(tokens.read_text().replace(SHIP, "renewed-" + SHIP))
    (work / "token").write_text("renewed-" + SHIP)
    wait_for(lambda: serve.get("/shop/", token=SHIP).status == 401, 10)
    drop(dumps, "b.hprof", 1 << 20)
    watch.wait("shipped", count=2)
    assert not watch.named("failed")
    assert watch.stop() == 0


def send_until(links, enough):
    """Sends a little on each connection in turn; links: [socket, body, bytes sent]. The last byte is never sent."""
    deadline = time.monotonic() + 60 + sum(len(link[1]) for link in links) / (20 << 20)
    while not enough() and time.monotonic() < deadline:
        for link in links:
            try:
                link[2] += link[0].send(link[1][link[2]:min(link[2] + 65536, len(link[1]) - 1)])
            except BlockingIOError:
                pass


def test_a_server_killed_in_the_middle_of_64_uploads(serve):
    """Nothing half visible, all resumed. scripts/soak does this with larger ones."""
    count, size = 64, int(os.environ.get("SALVAGE_TEST_UPLOAD_SIZE", 4 << 20))
    data = memoryview(os.urandom(1 << 20) * (size // (1 << 20)) + os.urandom(count))
    bodies = {"/shop/%d" % i: data[i:i + size] for i in range(count)}
    resources = {key: begin(serve, key, Upload_Length=size).headers["Location"] for key in bodies}
    links = []
    for key, location in resources.items():
        link = stream(serve, "PATCH", location, size, Upload_Offset=0, Upload_Complete="?1",
                      Content_Type="application/partial-upload")
        link.setblocking(False)
        links.append([link, bodies[key], 0])
    parts = serve.root / ".salvage/uploads"
    send_until(links, lambda: sum(p.stat().st_size for p in parts.glob("*.part")) >= count * size // 2)
    serve.restart()
    assert not (serve.root / "shop").exists(), "half an upload can be seen"
    kept = 0
    for key, location in resources.items():
        offset, complete = head(serve, location)
        assert not complete
        kept += offset
        answer = serve.request("PATCH", location, bodies[key][offset:],
                               {"Upload-Offset": str(offset), "Upload-Complete": "?1", "Repr-Digest": digest(bodies[key]),
                                "Content-Type": "application/partial-upload"}, SHIP, timeout=120)
        assert answer.status == 201
        assert (serve.root / key[1:]).stat().st_size == size
    assert kept >= count * size // 2, "what came before the kill was lost"
    assert len(os.listdir(serve.root / "shop")) == count


def test_the_store_check_of_a_watch(serve, salvage, work, dumps):
    """With the right to write in one namespace alone."""
    env = {"SALVAGE_HTTP_TOKEN": SHIP, "POD_NAMESPACE": "shop"}
    watch = salvage.watch(dumps, "--to", serve.url, "--ready", work / "ready", env=env)
    watch.wait("store-ready")
    assert watch.stop() == 0
    assert under_way(serve.root) == []
    watch = salvage.watch(dumps, "--to", serve.url, "--ready", work / "ready2", env={**env, "SALVAGE_HTTP_TOKEN": PAY})
    assert "namespaces" in watch.wait("store-failed")["error"]
    watch.kill()


def test_check_finds_what_may_be_done(serve, salvage, dumps):
    env = {"SALVAGE_HTTP_TOKEN": OPS, "POD_NAMESPACE": "shop"}
    result = salvage.run("check", dumps, "--to", serve.url, env=env)
    assert "put" in result.out and "delete" in result.out, result
    assert "\nfail" not in result.out, result
    result = salvage.run("check", dumps, "--to", serve.url, env={**env, "SALVAGE_HTTP_TOKEN": PAY})
    assert "namespace shop, where token:pay may not write" in result.out, result


def test_rclone_by_webdav(serve, work):
    data = os.urandom(3 << 20)
    (work / "from/a b").mkdir(parents=True)
    (work / "from/a b/x.bin").write_bytes(data)
    (work / "from/y.bin").write_bytes(b"y")
    subprocess.run(["rclone", "--config", "/dev/null", "--webdav-url", serve.url, "--webdav-bearer-token", SHIP,
                    "--retries", "1", "copy", work / "from", ":webdav:shop/copy"], check=True, stdin=subprocess.DEVNULL)
    assert objects(serve.root) == {"shop/copy/a b/x.bin": data, "shop/copy/y.bin": b"y"}
