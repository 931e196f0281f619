# SPDX-License-Identifier: Apache-2.0
"""A stock nginx as a store: PUT alone, and PUT with MOVE."""
import os
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from helpers.evidence import drop
from helpers.nginx import ALL_METHODS
from helpers.proc import wait_for
from helpers.stores import Http


def status_of(url):
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("size", [10_000, 40 << 20], ids=["small", "large"])
def test_with_move_an_object_has_another_name_until_it_is_whole(salvage, dumps, http_move, proxy_to, size):
    total = drop(dumps, "app.hprof", size)
    proxy = proxy_to(http_move.server.host, rate=20 << 20)
    p = salvage.start("ship", dumps / "app.hprof", "--to", proxy.url + "/dumps", "--compress", "none")
    seen = set()
    while p.process.poll() is None:
        names = set(http_move.keys())
        seen |= names
        for name in names:
            if name.endswith("/heap.hprof"):
                assert os.stat(http_move.root / name).st_size == size, "half a file can be seen"
        time.sleep(0.002)
    assert p.end() == 0, p.log
    http_move.check_one(total)
    done = [(method, path) for method, path, status in http_move.server.requests() if 200 <= status < 300]
    (put,) = [path for method, path in done if method == "PUT" and ".json" not in path]
    assert "/heap.hprof.part-" in put
    assert ("MOVE", put) in done


def test_without_move_a_plain_put_does(salvage, dumps, http):
    total = drop(dumps, "app.hprof", 30 << 20)
    salvage.ok("ship", dumps / "app.hprof", *http.options(), "--compress", "none")
    http.check_one(total)
    puts = [path for method, path, status in http.server.requests() if method == "PUT" and status < 300]
    assert len(puts) == 3 and not any(".part" in path for path in puts)


def test_without_create_full_put_path_folders_are_made_by_mkcol(salvage, dumps, nginx):
    server = nginx(dav="dav_methods PUT DELETE MKCOL COPY MOVE;")
    store = Http(server.folder, server.url)
    sums = [drop(dumps, "a.hprof"), drop(dumps, "b.hprof")]
    salvage.ok("ship", dumps / "a.hprof", dumps / "b.hprof", *store.options())
    store.check_all(sums)


@pytest.mark.parametrize("path", ["", "/", "/deeper/and%20deeper/"])
def test_the_path_of_the_url(salvage, dumps, nginx, path):
    server = nginx(dav=ALL_METHODS)
    total = drop(dumps, "app.hprof")
    out = salvage.ok("ship", dumps / "app.hprof", "--to", server.url + path).out.strip()
    assert out.startswith(server.url + path.rstrip("/") + "/") and "//" not in out[8:]
    store = Http(str(server.folder) + path.replace("%20", " ").rstrip("/"), server.url + path.rstrip("/"))
    store.check_one(total)
    assert status_of(out) == 200, "what ship prints can be fetched by anybody"


def test_a_broken_off_upload_leaves_nothing_that_could_be_taken_for_evidence(salvage, dumps, http_move, proxy_to):
    total = drop(dumps, "app.hprof", 40 << 20)
    proxy = proxy_to(http_move.server.host, rate=10 << 20)
    p = salvage.start("ship", dumps / "app.hprof", "--to", proxy.url + "/dumps", "--compress", "none")
    wait_for(lambda: any(r.received > 8 << 20 for r in proxy.seen(lambda r: r.method == "PUT")), 30)
    p.kill()
    time.sleep(0.3)
    assert [key for key in http_move.keys() if ".part-" not in key] == []
    proxy.rate = None
    salvage.ok("ship", dumps / "app.hprof", "--to", proxy.url + "/dumps", "--compress", "none")
    http_move.check_one(total)


def htpasswd(path, user, password):
    made = subprocess.run(["openssl", "passwd", "-apr1", password], stdout=subprocess.PIPE, check=True).stdout.decode()
    path.write_text("%s:%s" % (user, made), encoding="ascii")


@pytest.fixture
def basic(work, nginx):
    htpasswd(work / "htpasswd", "shipper", "s3cret pass:word")
    server = nginx(dav=ALL_METHODS, more='auth_basic "dumps"; auth_basic_user_file %s;' % (work / "htpasswd"))
    return Http(server.folder, server.url)


@pytest.fixture
def bearer(nginx):
    server = nginx(dav=ALL_METHODS, more='if ($http_authorization != "Bearer tok-en.123~+/=") { return 401; }')
    return Http(server.folder, server.url)


def given(kind, work, where):
    """(arguments, environment) for credentials from the environment or from a file."""
    if where == "environment":
        return [], ({"SALVAGE_HTTP_USER": "shipper", "SALVAGE_HTTP_PASSWORD": "s3cret pass:word"} if kind == "basic"
                    else {"SALVAGE_HTTP_TOKEN": "tok-en.123~+/="})
    (work / "credentials").write_text("shipper:s3cret pass:word\n" if kind == "basic" else "bearer tok-en.123~+/=\n",
                                      encoding="ascii")
    return ["--credentials-file", work / "credentials"], {}


@pytest.mark.parametrize("where", ["environment", "file"])
@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_credentials(salvage, request, work, dumps, kind, where):
    store = request.getfixturevalue(kind)
    args, env = given(kind, work, where)
    total = drop(dumps, "app.hprof")
    url = salvage.ok("ship", dumps / "app.hprof", *store.options(), *args, env=env).out.strip()
    store.check_one(total)
    assert total in salvage.ok("ls", store.url, "--json", *args, env=env).out
    salvage.ok("get", url, "-o", work / "out", *args, env=env)


@pytest.mark.parametrize("env, code", [
    ({}, 32),
    ({"SALVAGE_HTTP_USER": "shipper", "SALVAGE_HTTP_PASSWORD": "wrong-one"}, 30),
    ({"SALVAGE_HTTP_USER": "shipper"}, 32),
    ({"SALVAGE_HTTP_PASSWORD": "wrong-one"}, 32),
], ids=["none", "wrong", "no-password", "no-user"])
def test_bad_credentials(salvage, dumps, basic, env, code):
    drop(dumps, "app.hprof")
    result = salvage.run("ship", dumps / "app.hprof", *basic.options(), env=env)
    assert result.code == code and "wrong-one" not in result.message, result
    assert basic.keys() == [] and os.path.exists(dumps / "app.hprof")


def test_a_malformed_credentials_file(salvage, work, dumps, basic):
    drop(dumps, "app.hprof")
    for text in ("", "\n", "bearer \n", "bearer with a space\n"):
        (work / "credentials").write_text(text, encoding="ascii")
        result = salvage.run("ship", dumps / "app.hprof", *basic.options(), "--credentials-file", work / "credentials")
        assert result.code == 32 and str(work / "credentials") in result.message, result
    result = salvage.run("ship", dumps / "app.hprof", *basic.options(), "--credentials-file", work / "nope")
    assert result.code == 32 and "nope" in result.message


def test_redirects_are_not_followed_with_our_credentials(salvage, dumps, nginx):
    """A redirect could lead anywhere."""
    other = nginx(dav=ALL_METHODS)
    server = nginx(more="return 307 http://%s$request_uri;" % other.host)
    drop(dumps, "app.hprof")
    result = salvage.run("ship", dumps / "app.hprof", "--to", server.url,
                         env={"SALVAGE_HTTP_TOKEN": "tok-en"})
    assert result.code not in (0, 1) and result.message
    assert other.requests() == []
