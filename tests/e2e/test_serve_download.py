# SPDX-License-Identifier: Apache-2.0
"""Downloads from `salvage serve --root`: whole, ranges, conditions, by the clients that people have."""
import base64
import email.parser
import email.policy
import email.utils
import gzip
import hashlib
import html
import http.client
import json
import os
import pathlib
import random
import re
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import xml.etree.ElementTree

import pytest

from helpers.evidence import drop
from helpers.proc import require_root, wait_for
from helpers.program import NOBODY
from helpers.proxy import CutAnswer

DAY = 24 * 60 * 60
HOSTILE = ["a b", "it's", 'q"uote', "<script>alert(1)<", "k\u00e4se", "100%", "a%20b", "h#sh", "wh?t", "back\\slash", "a:b", "a+b&c;d=e"]


@pytest.fixture
def server(serve):
    return serve("--anonymous-read")


def put(server, key, data):
    """A file as somebody left it there, without a manifest."""
    path = server.root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def some_bytes(size, seed=1):
    return random.Random(seed).randbytes(size)


def ship(salvage, server, dumps, name="app.hprof", size=300_000, *args):
    """One object with its manifest: its key, the manifest, and the evidence's own bytes."""
    drop(dumps, name, size)
    data = (dumps / name).read_bytes()
    salvage.ok("ship", dumps / name, "--to", "file://%s" % server.root, *args)
    (path,) = [p for p in server.root.rglob("*.json") if '"sha256": "%s"' % hashlib.sha256(data).hexdigest() in p.read_text()]
    return str(path.relative_to(server.root))[:-len(".json")], json.loads(path.read_text()), data


def get(server, path, *, token=None, method="GET", **headers):
    return server.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()}, token=token)


# --- whole, and in ranges -------------------------------------------------------------------------------------------------


def test_what_a_shipped_object_comes_with(salvage, server, dumps):
    key, manifest, _ = ship(salvage, server, dumps)
    stored = (server.root / key).read_bytes()
    a = get(server, "/" + key)
    assert (a.status, a.body) == (200, stored)
    assert a.headers["ETag"] == '"%s"' % manifest["stored_sha256"]
    assert a.headers["Repr-Digest"] == "sha-256=:%s:" % base64.b64encode(hashlib.sha256(stored).digest()).decode()
    assert a.headers["Content-Length"] == str(len(stored))
    assert a.headers["Content-Type"] == "application/zstd"
    assert a.headers["Accept-Ranges"] == "bytes"
    assert a.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in a.headers["Content-Security-Policy"]
    assert a.headers["Content-Disposition"] == 'attachment; filename="app.hprof.zst"'
    modified = email.utils.parsedate_to_datetime(a.headers["Last-Modified"]).timestamp()
    assert modified == int((server.root / key).stat().st_mtime)
    assert "Server" not in a.headers
    head = get(server, "/" + key, method="HEAD")
    assert head.status == 200 and head.body == b""
    for name in a.headers:
        if name != "Date":
            assert head.headers[name] == a.headers[name]
    note = get(server, "/%s.json" % key)
    assert note.headers["Content-Type"] == "application/json" and json.loads(note.body) == manifest


def test_random_ranges_are_the_files_bytes(server):
    data = some_bytes(1_000_003)
    put(server, "shop/x.bin", data)
    rng = random.Random(7)
    for _ in range(60):
        a, b = rng.randrange(len(data)), rng.randrange(2 * len(data))
        text, wanted = rng.choice([("%d-%d" % (a, max(a, b)), slice(a, max(a, b) + 1)), ("%d-" % a, slice(a, None)),
                                   ("-%d" % (b + 1), slice(max(0, len(data) - b - 1), None))])
        answer = get(server, "/shop/x.bin", Range="bytes=" + text)
        assert answer.status == 206 and answer.body == data[wanted], text
        first = wanted.start
        assert answer.headers["Content-Range"] == "bytes %d-%d/%d" % (first, first + len(answer.body) - 1, len(data))


def test_several_ranges_come_in_parts(server):
    data = some_bytes(200_000)
    put(server, "x.bin", data)
    wanted = [(5, 5), (100_000, 199_999), (0, 70_000)]
    a = get(server, "/x.bin", Range="bytes=" + ", ".join("%d-%d" % w for w in wanted))
    assert a.status == 206 and a.headers["Content-Length"] == str(len(a.body))
    head = b"Content-Type: " + a.headers["Content-Type"].encode() + b"\r\n\r\n"
    whole = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + a.body)
    parts = whole.get_payload()
    assert [p["Content-Range"] for p in parts] == ["bytes %d-%d/%d" % (*w, len(data)) for w in wanted]
    assert [p["Content-Type"] for p in parts] == ["application/octet-stream"] * 3
    boundary = whole.get_boundary().encode()
    bodies = [piece.split(b"\r\n\r\n", 1)[1][:-2] for piece in a.body.split(b"--" + boundary)[1:-1]]
    assert bodies == [data[first:last + 1] for first, last in wanted]


def test_ranges_that_cannot_be(server):
    data = some_bytes(1000)
    put(server, "x.bin", data)
    put(server, "empty", b"")
    for text in ("1000-", "-0", "5000-6000"):
        a = get(server, "/x.bin", Range="bytes=" + text)
        assert (a.status, a.headers["Content-Range"]) == (416, "bytes */1000")
    many = ",".join("%d-%d" % (n, n) for n in range(0, 200, 2))
    for text in ("bytes=9-5", "lines=1-2", "bytes=x", "bytes=" + many, "bytes=0-,0-,0-"):
        a = get(server, "/x.bin", Range=text)
        assert (a.status, a.body) == (200, data), text
    assert get(server, "/x.bin", method="HEAD", Range="bytes=0-0").status == 200
    assert get(server, "/empty").status == 200 and get(server, "/empty", Range="bytes=0-").status == 416
    assert get(server, "/empty", Range="bytes=-5").status == 200


def test_conditions(server):
    path = put(server, "x.bin", some_bytes(1000))
    os.utime(path, (time.time() - DAY, time.time() - DAY))
    first = get(server, "/x.bin")
    tag, date = first.headers["ETag"], first.headers["Last-Modified"]
    later = email.utils.format_datetime(email.utils.parsedate_to_datetime(date).replace(year=2037), usegmt=True)
    for headers, status in (({"If-None-Match": tag}, 304), ({"If-None-Match": '"x", W/%s' % tag}, 304), ({"If-None-Match": '"x"'}, 200),
                            ({"If-None-Match": "*"}, 304), ({"If-Modified-Since": date}, 304), ({"If-Modified-Since": later}, 304),
                            ({"If-Match": tag}, 200), ({"If-Match": '"x"'}, 412), ({"If-Unmodified-Since": date}, 200),
                            ({"If-Unmodified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"}, 412)):
        a = server.get("/x.bin", headers=headers)
        assert a.status == status, headers
        if status == 304:
            assert a.body == b"" and a.headers["ETag"] == tag
    for value, status in ((tag, 206), (date, 206), ('"x"', 200), ("W/" + tag, 200), (later, 200)):
        assert get(server, "/x.bin", Range="bytes=0-9", If_Range=value).status == status, value
    path.write_bytes(some_bytes(1000, 2))
    assert get(server, "/x.bin").headers["ETag"] != tag
    assert get(server, "/x.bin", If_Match=tag, Range="bytes=0-9").status == 412


def test_a_replaced_object_has_another_tag_before_its_manifest_is_there(salvage, server, dumps):
    key, manifest, _ = ship(salvage, server, dumps)
    path = server.root / key
    new = some_bytes(path.stat().st_size, 3)
    time.sleep(0.01)
    (server.root / "new").write_bytes(new)
    (server.root / "new").rename(path)
    a = get(server, "/" + key)
    assert a.body == new and manifest["stored_sha256"] not in a.headers["ETag"] and "Repr-Digest" not in a.headers


# --- what is served, and as what ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, media", [
    ("x.html", "application/octet-stream"), ("x.svg", "application/octet-stream"), ("x.js", "application/octet-stream"),
    ("threads-1.txt", "text/plain; charset=utf-8"), ("hs_err_pid7.log", "text/plain; charset=utf-8"), ("a.json", "application/json"),
    ("a.hprof", "application/octet-stream"), ("a.hprof.gz", "application/gzip"), ("none", "application/octet-stream")])
def test_nothing_is_html(server, name, media):
    put(server, name, b"<html><script>alert(1)</script></html>")
    assert get(server, "/" + name).headers["Content-Type"] == media


def test_hostile_names_are_served(server):
    for name in HOSTILE:
        put(server, "shop/%s" % name, name.encode())
    for name in HOSTILE:
        quoted = "".join("%%%02X" % b for b in name.encode())
        a = get(server, "/shop/" + quoted)
        assert (a.status, a.body) == (200, name.encode()), name
        assert a.headers["Content-Type"] == "application/octet-stream"


def test_what_is_no_regular_file_is_not_opened(server):
    outside = server.root.parent / "secret"
    outside.write_bytes(b"secret")
    (server.root / "shop").mkdir()
    (server.root / "shop" / "link").symlink_to(outside)
    (server.root / "shop" / "inner").symlink_to("real")
    (server.root / "up").symlink_to("..")
    put(server, "shop/real", b"x")
    os.mkfifo(server.root / "shop" / "fifo")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(server.root / "shop" / "socket"))
        os.mknod(server.root / "shop" / "null", 0o20666, os.makedev(1, 3))
        opened = []
        writer = threading.Thread(target=lambda: opened.append(os.open(server.root / "shop" / "fifo", os.O_WRONLY)), daemon=True)
        writer.start()
        for path in ("/shop/link", "/shop/inner", "/up/secret", "/shop/fifo", "/shop/socket", "/shop/null", "/shop/real/x"):
            assert get(server, path).status == 404, path
        time.sleep(0.1)
        assert not opened, "the FIFO was opened: its writer runs"
    assert {e["key"] for e in server.events if e["event"] == "not-served"} >= {"shop/link", "shop/fifo", "up/secret"}
    os.close(os.open(server.root / "shop" / "fifo", os.O_RDONLY | os.O_NONBLOCK))


def test_hidden_files_are_not_served(server):
    for key in (".salvage/token", ".htpasswd", "shop/.salvage/spool/x", "shop/.git/config"):
        put(server, key, b"hidden")
        assert get(server, "/" + key).status == 404, key


def test_a_file_that_our_user_may_not_read(serve, work):
    root = work / "theirs"
    root.mkdir()
    os.chown(root, NOBODY, NOBODY)
    server = serve("--anonymous-read", uid=NOBODY, root=root)
    path = put(server, "shop/locked", b"x")
    path.chmod(0o600)
    a = get(server, "/shop/locked")
    assert a.status == 403
    server.wait("not-served")


def test_a_folder_is_redirected_to(server):
    put(server, "shop/a b/x", b"")
    a = get(server, "/shop/a%20b")
    assert (a.status, a.headers["Location"]) == (301, "a%20b/")


# --- listings -----------------------------------------------------------------------------------------------------------------


def listed(server, path="/", **more):
    """As nginx's autoindex_format json."""
    a = server.get(path + "?format=json", **more)
    assert a.status == 200 and a.headers["Content-Type"] == "application/json"
    return json.loads(a.body)


def test_a_folder_is_listed(server):
    path = put(server, "shop/b.bin", b"12345")
    put(server, "shop/a.bin", b"")
    put(server, "shop/z/inner", b"")
    os.utime(path, (1792548000, 1792548000))
    os.mkfifo(server.root / "shop" / "fifo")
    (server.root / "shop" / "link").symlink_to("a.bin")
    put(server, "shop/.hidden", b"")
    put(server, "shop/new\nline", b"")
    put(server, "shop/.salvage/x", b"")
    entries = listed(server, "/shop/")
    assert [e["name"] for e in entries] == ["z", "a.bin", "b.bin"]
    assert entries[2] == {"name": "b.bin", "type": "file", "mtime": "Wed, 21 Oct 2026 02:00:00 GMT", "size": 5}
    assert entries[0]["type"] == "directory" and "size" not in entries[0]
    page = get(server, "/shop/").body.decode()
    assert re.search(r'<a href="b.bin">b.bin</a> +21-Oct-2026 02:00 +5\n', page) and '<a href="../">../</a>\n' in page
    assert get(server, "/shop/", Accept="application/json").headers["Content-Type"] == "application/json"
    assert get(server, "/shop/", Accept="text/html,application/json").headers["Content-Type"].startswith("text/html")
    head = get(server, "/shop/", method="HEAD")
    assert head.status == 200 and head.body == b""
    assert "default-src 'none'" in head.headers["Content-Security-Policy"]
    assert [e["name"] for e in listed(server)] == ["shop"]
    for path in ("/shop/none/", "/shop/fifo/", "/shop/link/", "/shop/a.bin/", "/shop/.salvage/", "/.salvage/"):
        assert get(server, path).status == 404, path


def test_a_person_who_opens_the_store_gets_the_cases(server):
    a = get(server, "/", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (a.status, a.headers["Location"]) == (302, "/-/cases")
    assert get(server, "/", Accept="*/*").status == 200
    assert get(server, "/?format=html", Accept="text/html").status == 200


@pytest.mark.parametrize("form", ["html", "json"])
def test_every_name_can_be_followed(server, form):
    """By what our own HTTP store reads, and by links."""
    for name in HOSTILE:
        put(server, "shop/%s" % name, name.encode())
    if form == "json":
        links = [urllib.parse.quote(e["name"]) for e in listed(server, "/shop/")]
    else:
        page = get(server, "/shop/").body.decode()
        assert "<script" not in page
        links = [html.unescape(link) for link in re.findall(r'<a href="([^"]*)"', page) if link != "../"]
    found = {urllib.parse.unquote(link): server.get("/shop/" + link).body.decode() for link in links}
    assert found == {name: name for name in HOSTILE}


def test_wget_takes_a_whole_tree(server, work):
    names = [n for n in HOSTILE if "%" not in n] + ["deeper/x", "deeper/down/y"]  # wget keeps some escapes on the disk
    for name in names:
        put(server, "shop/" + name, name.encode())
    put(server, "other/x", b"")
    subprocess.run(["wget", "-q", "-r", "-np", "-nH", "-R", "index.html*", "--restrict-file-names=nocontrol,unix",
                    server.url + "/shop/"], check=True, cwd=work, env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": str(work)})
    got = {str(p.relative_to(work / "shop")): p.read_bytes().decode() for p in (work / "shop").rglob("*") if p.is_file()}
    assert got == {name: name for name in names}
    assert not (work / "other").exists()


def test_ls_and_get_of_our_own(salvage, server, dumps, work):
    key, _, data = ship(salvage, server, dumps)
    assert key in salvage.ok("ls", server.url).out
    salvage.ok("get", server.url + "/" + key, "-o", work / "back")
    assert (work / "back").read_bytes() == data
    salvage.ok("get", server.url + "/" + key, "--raw", "-o", work / "raw")
    assert (work / "raw").read_bytes() == (server.root / key).read_bytes()


def test_get_goes_on_where_the_connection_broke(salvage, server, dumps, work, proxy_to):
    key, _, data = ship(salvage, server, dumps, "app.hprof", 6_000_000, "--compress", "none")
    proxy = proxy_to(server.address)
    proxy.harm(CutAnswer(), lambda r: r.method == "GET" and not r.path.endswith(".json"))
    salvage.ok("get", proxy.url + "/" + key, "-o", work / "back")
    assert (work / "back").read_bytes() == data
    assert [r.headers.get("range", "").startswith("bytes=") for r in proxy.requests if r.method == "GET" and r.path.endswith(".hprof")][-1]


def test_files_of_all_times(server):
    for name, seconds in (("past", -2**40), ("future", 2**33), ("far", 2**33 * 400)):
        os.utime(put(server, "shop/" + name, b"x"), (seconds, seconds))
        a = get(server, "/shop/" + name)
        assert a.status == 200 and a.headers["Last-Modified"].endswith(" GMT")
    assert len(listed(server, "/shop/")) == 3 and get(server, "/shop/").status == 200 and len(propfind(server, "/shop/")) == 4


@pytest.mark.parametrize("long", [False, True], ids=["sorted", "too much to be sorted"])
def test_folders_with_many_files(salvage, serve, long):
    names = ["%s-%05d" % ("n" * (200 if long else 1), n) for n in range(40_000 if long else 20_000)]  # long: a page of 18 MB
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="salvage-e2e-") as root:  # making them takes a disk its time
        server = serve("--anonymous-read", root=pathlib.Path(root))
        (server.root / "many").mkdir()
        for name in names:
            os.mknod(server.root / "many" / name)
        found = [e["name"] for e in listed(server, "/many/")]
        assert (sorted(found) if long else found) == names
        assert get(server, "/many/").body.count(b"<a href=") == len(names) + 1
        assert get(server, "/many/", method="PROPFIND", Depth="1").body.count(b"<D:href>") == len(names) + 1
        if not long:
            assert salvage.run("ls", server.url, "many").code == 0


@pytest.fixture
def shared(serve, work):
    """Two namespaces, and tokens: list and read in shop, list alone in shop, read in none that exists."""
    file = work / "tokens"
    file.write_text("".join("%s %s %s %s\n" % (name, token(name), rights, where) for name, rights, where in
                            (("reader", "list,read", "shop"), ("lister", "list", "shop"), ("stranger", "list,read", "none"))))
    file.chmod(0o600)
    server = serve("--tokens", file)
    for key in ("shop/cart/heap.hprof", "shop/cart/oom-kill.json", "pay/till/heap.hprof", "top"):
        put(server, key, b"x" * 100)
    return server


def token(name):
    return name.ljust(20, "-")


def test_a_namespace_that_one_may_not_list_is_not_there(shared):
    assert [e["name"] for e in listed(shared, token=token("reader"))] == ["shop"]
    assert listed(shared, token=token("stranger")) == []
    for path in ("/pay/", "/pay", "/pay/till/", "/pay/till/heap.hprof", "/none/", "/top", "/nothing"):
        assert get(shared, path, token=token("reader")).status == 404, path
    assert get(shared, "/shop", token=token("reader")).status == 301
    assert get(shared, "/shop/", token=token("reader")).status == 200
    for path in ("/", "/shop/", "/shop", "/pay/", "/nothing"):
        assert get(shared, path).status == 401, path


def test_who_may_list_reads_why_and_no_evidence(salvage, shared, dumps):
    key, _, _ = ship(salvage, shared, dumps, "app.hprof", 100_000, "--key", "shop/p/{id}/{file}")
    for path, status in (("/shop/cart/oom-kill.json", 200), ("/%s.json" % key, 200), ("/" + key, 403), ("/shop/cart/heap.hprof", 403)):
        assert get(shared, path, token=token("lister")).status == status, path
        assert get(shared, path, token=token("reader")).status == 200, path
    put(shared, "shop/p/fake.json", b'{"schema": "another"}')
    assert get(shared, "/shop/p/fake.json", token=token("lister")).status == 403
    found = salvage.ok("ls", shared.url, env={"SALVAGE_HTTP_TOKEN": token("lister")})
    assert key in found.out
    refused = salvage.run("get", shared.url + "/" + key, env={"SALVAGE_HTTP_TOKEN": token("lister")})
    assert refused.code != 0 and "403" in refused.message


# --- WebDAV -----------------------------------------------------------------------------------------------------------------------


DAV = "{DAV:}"


def propfind(server, path, depth="1", props=(), **more):
    """(path, properties that were found, properties that were not) of each response."""
    body = None
    if props:
        body = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop>%s</prop></propfind>' % "".join("<%s/>" % p for p in props)
    headers = {} if depth is None else {"Depth": depth}
    a = server.request("PROPFIND", path, body=body, headers=headers, **more)
    assert a.status == 207 and a.headers["Content-Type"].startswith("application/xml"), a
    found = []
    for response in xml.etree.ElementTree.fromstring(a.body).findall(DAV + "response"):
        parts = {stat.findtext(DAV + "status").split()[1]: stat.find(DAV + "prop") for stat in response.findall(DAV + "propstat")}
        assert set(parts) <= {"200", "404"}
        have = {p.tag.removeprefix(DAV): p for p in parts.get("200", ())}
        found.append((response.findtext(DAV + "href"), have, {p.tag.removeprefix(DAV) for p in parts.get("404", ())}))
    return found


def test_properties_of_a_folder_and_what_is_in_it(server):
    path = put(server, "shop/b.bin", b"12345")
    put(server, "shop/inner/x", b"")
    put(server, "shop/.hidden", b"")
    os.utime(path, (1792548000, 1792548000))
    for asked in ("/shop/", "/shop"):
        (self, inner, file) = propfind(server, asked)
        assert [self[0], inner[0], file[0]] == ["/shop/", "/shop/inner/", "/shop/b.bin"]
        for folder in (self, inner):
            assert folder[1]["resourcetype"].find(DAV + "collection") is not None
            assert "getcontentlength" not in folder[1] and not folder[2]
    have = file[1]
    assert have["resourcetype"].find(DAV + "collection") is None
    assert have["getcontentlength"].text == "5" and have["displayname"].text == "b.bin"
    assert have["getlastmodified"].text == "Wed, 21 Oct 2026 02:00:00 GMT"
    assert have["creationdate"].text.startswith("2026-10-21T02:00:00")
    assert have["getetag"].text == get(server, "/shop/b.bin").headers["ETag"]
    assert [e[0] for e in propfind(server, "/shop/", "0")] == ["/shop/"]
    assert [e[0] for e in propfind(server, "/")] == ["/", "/shop/"]
    for depth in ("0", "1", "infinity", None):
        assert [e[0] for e in propfind(server, "/shop/b.bin", depth)] == ["/shop/b.bin"]


def test_properties_that_are_asked_for(salvage, server, dumps):
    key, manifest, _ = ship(salvage, server, dumps)
    (one,) = propfind(server, "/" + key, "0", ["getetag", "getcontentlength", "quota-used-bytes"])
    assert one[1]["getetag"].text == '"%s"' % manifest["stored_sha256"]
    assert set(one[1]) == {"getetag", "getcontentlength"} and one[2] == {"quota-used-bytes"}
    (folder,) = propfind(server, "/", "0", ["getetag", "resourcetype"])
    assert set(folder[1]) == {"resourcetype"} and folder[2] == {"getetag"}
    names = '<propfind xmlns="DAV:"><propname/></propfind>'
    a = server.request("PROPFIND", "/" + key, body=names, headers={"Depth": "0"})
    assert b"<D:getetag/>" in a.body and manifest["stored_sha256"].encode() not in a.body


def test_hostile_names_in_properties(server):
    for name in HOSTILE:
        put(server, "shop/%s" % name, name.encode())
    responses = propfind(server, "/shop/")[1:]
    assert {r[1]["displayname"].text for r in responses} == set(HOSTILE)
    for path, have, _ in responses:
        assert server.get(path).body.decode() == have["displayname"].text


def test_a_propfind_that_is_refused(server):
    put(server, "shop/x", b"")
    for depth in ("infinity", None, "2"):
        a = server.request("PROPFIND", "/shop/", headers={"Depth": depth} if depth else {})
        assert a.status == 403 and b"propfind-finite-depth" in a.body
    for path in ("/shop/none", "/shop/x/", "/none/", "/.salvage/"):
        assert server.request("PROPFIND", path, headers={"Depth": "1"}).status == 404, path
    bomb = '<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><propfind xmlns="DAV:"><prop><a>&d;</a></prop></propfind>'
    for body, status in (("<x", 400), (bomb, 400), ("<propfind/>", 400), (" " * 100_000, 413)):
        assert server.request("PROPFIND", "/shop/", body=body, headers={"Depth": "1"}).status == status, body[:20]
    a = server.request("OPTIONS", "/shop/")
    assert a.status == 200 and a.headers["DAV"] == "1" and "PROPFIND" in a.headers["Allow"]


def test_propfind_shows_no_other_namespace(shared):
    assert [r[0] for r in propfind(shared, "/", token=token("lister"))] == ["/", "/shop/"]
    for path in ("/pay/", "/pay", "/pay/till/heap.hprof"):
        for method in ("PROPFIND", "OPTIONS"):
            assert shared.request(method, path, headers={"Depth": "0"}, token=token("lister")).status == 404, path
    assert shared.request("PROPFIND", "/", headers={"Depth": "1"}).status == 401
    assert shared.request("OPTIONS", "/").status == 401
    assert shared.request("OPTIONS", "/", token=token("stranger")).status == 200


def test_rclone_reads_by_webdav(shared, work):
    data = some_bytes(3_000_000)
    put(shared, "shop/cart/k\u00e4se & more.bin", data)
    subprocess.run(["rclone", "--config", "/dev/null", "--webdav-url", shared.url, "--webdav-bearer-token", token("reader"), "--retries", "1",
                    "copy", ":webdav:", work / "copy"], check=True, stdin=subprocess.DEVNULL)
    got = {str(p.relative_to(work / "copy")): p.read_bytes() for p in (work / "copy").rglob("*") if p.is_file()}
    assert got == {"shop/cart/heap.hprof": b"x" * 100, "shop/cart/oom-kill.json": b"x" * 100, "shop/cart/k\u00e4se & more.bin": data}


def test_davfs_mounts_it(shared, work):
    """With its own buffer of 16 KiB, Linux 6.16 and newer list no folder, of any server (EINVAL)."""
    require_root("mounts")
    if not os.path.exists("/dev/fuse"):
        pytest.skip("no /dev/fuse")
    (work / "secrets").write_text("%s x %s\n" % (shared.url + "/", token("reader")))
    (work / "secrets").chmod(0o600)
    (work / "conf").write_text("secrets %s\nuse_locks 0\nbuf_size 64\ndelay_upload 0\n" % (work / "secrets"))
    mount = work / "mount"
    mount.mkdir()
    subprocess.run(["mount.davfs", "-o", "ro,conf=%s" % (work / "conf"), shared.url + "/", mount], check=True, timeout=30,
                   stdin=subprocess.DEVNULL)
    try:
        assert {"shop"} <= {p.name for p in mount.iterdir()} <= {"shop", "lost+found"}
        cart = mount / "shop" / "cart"
        assert {"heap.hprof", "oom-kill.json"} <= {p.name for p in cart.iterdir()}
        assert (cart / "heap.hprof").read_bytes() == b"x" * 100
    finally:
        subprocess.run(["umount", mount], check=True, timeout=30, stdout=subprocess.DEVNULL)


# --- while it changes -----------------------------------------------------------------------------------------------------------


def slow_connection(server):
    """On which the kernel takes little ahead of the reader."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 << 10)
    s.settimeout(20)
    s.connect((server.host, server.port))
    return s


def slow_download(server, path, while_sent, size):
    """Reads the head and a little, calls while_sent, then the rest; the bytes that came."""
    with server.connect() as s:
        s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
        got = s.recv(4096)
        while_sent()
        while piece := s.recv(1 << 20):
            got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    assert b"Content-Length: %d\r\n" % size in head + b"\r\n"
    return body


def test_a_rename_while_being_read_changes_nothing(server):
    data = some_bytes(24 << 20)
    path = put(server, "x.bin", data)

    def replace():
        put(server, "y.bin", b"another").rename(path)

    assert slow_download(server, "/x.bin", replace, len(data)) == data
    assert get(server, "/x.bin").body == b"another"


def test_a_growing_file_is_sent_as_it_was(server):
    data = some_bytes(24 << 20)
    path = put(server, "x.bin", data)

    def grow():
        with open(path, "ab") as f:
            f.write(b"more" * 100_000)

    assert slow_download(server, "/x.bin", grow, len(data)) == data


@pytest.mark.parametrize("ranges", ["", "Range: bytes=1-,0-0\r\n"], ids=["whole", "parts"])
def test_a_file_that_shrinks_breaks_the_connection_off(server, ranges):
    data = some_bytes(24 << 20)
    path = put(server, "x.bin", data)
    with slow_connection(server) as s:
        s.sendall(b"GET /x.bin HTTP/1.1\r\nHost: x\r\n%s\r\n" % ranges.encode())
        got = len(s.recv(4096))
        os.truncate(path, 10)
        while piece := s.recv(1 << 20): # ends: a client that waited for more would hang here
            got += len(piece)
    assert got < len(data)
    assert get(server, "/x.bin").body == data[:10]


# --- the plain bytes --------------------------------------------------------------------------------------------------------------


def zstd(data, *args):
    return subprocess.run(["zstd", "-qc", *args], input=data, stdout=subprocess.PIPE, check=True).stdout


def broken_off(server, path, **headers):
    """What came of an answer of 200 before its connection broke."""
    with pytest.raises((http.client.IncompleteRead, ConnectionError)) as caught:
        get(server, path, **headers)
    return getattr(caught.value, "partial", b"")


@pytest.mark.parametrize("codec", ["zstd", "zstd:9", "gzip", "none"])
def test_decoded_is_the_evidence_itself(salvage, server, dumps, codec):
    key, manifest, data = ship(salvage, server, dumps, "java_pid7.hprof", 3_000_000, "--compress", codec)
    a = get(server, "/%s?decoded" % key)
    assert (a.status, a.body) == (200, data)
    assert a.headers["Content-Length"] == str(len(data))
    assert a.headers["Content-Disposition"] == 'attachment; filename="java_pid7.hprof"'
    assert a.headers["Content-Type"] == "application/octet-stream"
    assert a.headers["Repr-Digest"] == "sha-256=:%s:" % base64.b64encode(bytes.fromhex(manifest["sha256"])).decode()
    assert (a.headers["ETag"] == get(server, "/" + key).headers["ETag"]) == (codec == "none")
    head = get(server, "/%s?decoded" % key, method="HEAD")
    assert {k: v for k, v in head.headers.items() if k != "Date"} == {k: v for k, v in a.headers.items() if k != "Date"}
    assert get(server, "/%s?decoded" % key, If_None_Match=a.headers["ETag"]).status == 304
    rng = random.Random(11)
    for _ in range(25):
        first, size = rng.randrange(len(data)), rng.choice([1, 1000, 600_000])
        part = get(server, "/%s?decoded" % key, Range="bytes=%d-%d" % (first, first + size - 1), If_Range=a.headers["ETag"])
        assert part.status == 206 and part.body == data[first:first + size]
        assert part.headers["Content-Range"] == "bytes %d-%d/%d" % (first, min(first + size, len(data)) - 1, len(data))
    assert get(server, "/%s?decoded" % key, Range="bytes=-7").body == data[-7:]
    assert get(server, "/%s?decoded" % key, Range="bytes=%d-" % len(data)).status == 416


def test_only_the_frames_of_a_range_are_read(salvage, server, dumps):
    key, _, data = ship(salvage, server, dumps, "app.hprof", 8_000_000)
    stored = server.root / key
    damaged = bytearray(stored.read_bytes())
    damaged[1000:1100] = bytes(100)  # in the first of the frames
    stored.write_bytes(damaged)
    assert get(server, "/%s?decoded" % key, Range="bytes=4000000-7999999").body == data[4_000_000:8_000_000]
    assert get(server, "/%s?decoded" % key).status == 500
    assert server.wait("not-served")["key"] == key


def test_decoded_is_by_content_not_by_name(server):
    data = some_bytes(50_000) + bytes(400_000)
    put(server, "a.bin", zstd(data))
    put(server, "two.hprof.zst", zstd(data[:1000]) + zstd(data[1000:]))
    put(server, "b.gz", gzip.compress(data[:70_000]) + gzip.compress(data[70_000:]))
    put(server, "plain.zst", data)
    put(server, "empty.zst", zstd(b""))
    for name in ("a.bin", "two.hprof.zst", "b.gz"):
        a = get(server, "/%s?decoded" % name)
        assert (a.status, a.body) == (200, data), name
        assert a.headers["Transfer-Encoding"] == "chunked" and a.headers["Accept-Ranges"] == "none"
        assert get(server, "/%s?decoded" % name, Range="bytes=0-9").status == 200
        assert get(server, "/%s?decoded" % name, method="HEAD").status == 200
    a = get(server, "/plain.zst?decoded", Range="bytes=5-9")
    assert (a.status, a.body) == (206, data[5:10])
    assert get(server, "/empty.zst?decoded").body == b""
    assert 'filename="two.hprof"' in get(server, "/two.hprof.zst?decoded", method="HEAD").headers["Content-Disposition"]


@pytest.mark.parametrize("how", ["a byte", "cut", "more", "the table", "no table, a byte", "no table, cut", "gzip, cut"])
def test_damage_is_never_a_short_answer(salvage, server, dumps, how):
    if how.startswith(("no table", "gzip")):
        data = some_bytes(4_000_000)
        key, size = "x", len(data)
        stored = zstd(data) if how[0] == "n" else gzip.compress(data, 1)
    else:
        key, manifest, data = ship(salvage, server, dumps, "app.hprof", 4_000_000)
        stored, size = (server.root / key).read_bytes(), manifest["size"]
        os.unlink(server.root / (key + ".json"))  # the table alone says what it should be
    bad = bytearray(stored)
    if how.endswith("a byte"):
        bad[len(bad) * 3 // 4] ^= 1
    elif how.endswith("cut"):
        bad = bad[:len(bad) * 3 // 4]
    elif how == "more":
        bad = bad[:len(bad) * 3 // 4] + zstd(b"something else") + bad[len(bad) * 3 // 4:]
    else:  # the last frame's plain size is one more
        at = len(bad) - 9 - 4
        bad[at:at + 4] = (int.from_bytes(bad[at:at + 4], "little") + 1).to_bytes(4, "little")
    put(server, key, bytes(bad))
    with socket.create_connection((server.host, server.port), 20) as s:
        s.sendall(b"GET /%s?decoded HTTP/1.1\r\nHost: x\r\n\r\n" % key.encode())
        got = b""
        while piece := s.recv(1 << 20):  # the server closes it, which keep-alive forbids for a whole answer
            got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    assert b" 200 " in head[:20]
    if b"Content-Length" in head:
        assert len(body) < size
    else:
        assert not body.endswith(b"0\r\n\r\n")
    assert server.wait("not-served")["key"] == key


def test_a_client_of_http_1_0_gets_what_has_a_size(server):
    """It could not see that an answer without one was broken off."""
    put(server, "x.zst", zstd(b"x" * 1000))
    put(server, "y.bin", b"y" * 1000)
    for path, wanted in (("x.zst?decoded", b" 505 "), ("x.zst", b" 200 "), ("y.bin?decoded", b" 200 "), ("", b" 200 ")):
        with socket.create_connection((server.host, server.port), 20) as s:
            s.sendall(b"GET /%s HTTP/1.0\r\n\r\n" % path.encode())
            assert wanted in s.recv(20), path


def test_a_manifest_that_promises_another_size(salvage, server, dumps):
    key, _, data = ship(salvage, server, dumps, "app.hprof", 400_000, "--compress", "gzip")
    path = server.root / (key + ".json")
    for size in (len(data) - 1, len(data) + 1):
        path.write_text(path.read_text().replace('"size": %d' % len(data), '"size": %d' % size, 1))
        assert json.loads(path.read_text())["size"] == size
        assert get(server, "/%s?decoded" % key).status == 500
        path.write_text(path.read_text().replace('"size": %d' % size, '"size": %d' % len(data), 1))
    assert get(server, "/%s?decoded" % key).body == data


def test_a_large_window_is_refused_and_a_bomb_is_streamed(server):
    put(server, "window.zst", zstd(some_bytes(1 << 20) * 40, "--long=27", "-3"))
    a = get(server, "/window.zst?decoded")
    assert a.status == 501 and b"zstd -d --long" in a.body
    put(server, "bomb.zst", zstd(bytes(600 << 20), "-1"))
    with socket.create_connection((server.host, server.port), 20) as s:
        s.sendall(b"GET /bomb.zst?decoded HTTP/1.1\r\nHost: x\r\n\r\n")
        got = 0
        while got < 300 << 20:
            got += len(s.recv(1 << 20))
    with open("/proc/%d/status" % server.program.pid, encoding="ascii") as status:
        peak = int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1])
    assert peak < 48 << 10
    wait_for(lambda: get(server, "/window.zst").status == 200, 10, "it serves others")


def test_slow_readers_of_decoded_objects_leave_others_their_turn(salvage, server, dumps):
    """One caller decodes four objects at a time; a fifth is refused for now."""
    key, _, data = ship(salvage, server, dumps, "app.hprof", 16 << 20)
    slow = []
    for _ in range(4):
        s = slow_connection(server)
        s.sendall(b"GET /%s?decoded HTTP/1.1\r\nHost: x\r\n\r\n" % key.encode())
        assert b"200 OK" in s.recv(200)
        slow.append(s)
    fifth = get(server, "/%s?decoded" % key)
    assert fifth.status == 503 and int(fifth.headers["Retry-After"]) > 0
    assert get(server, "/" + key).status == 200
    for s in slow:
        s.close()
    assert get(server, "/%s?decoded" % key).body == data


def test_curl_and_file(salvage, server, dumps):
    key, _, _ = ship(salvage, server, dumps)
    said = subprocess.run("curl -sf '%s/%s?decoded' | file -" % (server.url, key), shell=True, stdout=subprocess.PIPE, check=True)
    assert b"Java HPROF dump" in said.stdout


# --- clients ----------------------------------------------------------------------------------------------------------------------


def test_curl_resumes_and_aria2_takes_pieces(server, work):
    data = some_bytes(9_000_001)
    put(server, "shop/x.bin", data)
    (work / "part").write_bytes(data[:1_234_567])
    subprocess.run(["curl", "-sf", "-C", "-", "-o", work / "part", server.url + "/shop/x.bin"], check=True)
    assert (work / "part").read_bytes() == data
    subprocess.run(["aria2c", "-q", "-x4", "-s4", "-k1M", "-d", work, "-o", "pieces", server.url + "/shop/x.bin"], check=True)
    assert (work / "pieces").read_bytes() == data
    subprocess.run(["curl", "-sfOJ", server.url + "/shop/x.bin"], check=True, cwd=work)
    assert (work / "x.bin").read_bytes() == data


def test_ranges_at_once_are_right(server):
    data = some_bytes(4 << 20)
    put(server, "x.bin", data)
    wrong = []

    def read(seed):
        rng = random.Random(seed)
        for _ in range(25):
            a = rng.randrange(len(data))
            if get(server, "/x.bin", Range="bytes=%d-%d" % (a, a + 99_999)).body != data[a:a + 100_000]:
                wrong.append(a)

    threads = [threading.Thread(target=read, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
