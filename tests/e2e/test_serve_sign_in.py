# SPDX-License-Identifier: Apache-2.0
"""Browsers: sign-in and out, requests that other pages make in their name, signed links; and the audit of all of it."""
import re
import time
import urllib.parse

import pytest

from helpers.proc import wait_for
from helpers.serve import Serve

from test_serve_access import CI, DEV, LINES, OPS, put, write_tokens

PATH = "/shop/cart/a.hprof"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def serve(salvage, work):
    write_tokens(work / "tokens", *LINES)
    serve = Serve(salvage, work, "--tokens", work / "tokens", "--session", "1h")
    put(serve.root, "shop/cart/a.hprof")
    put(serve.root, "pay/till/b.hprof")
    return serve


def sign_in(serve, token, then="/-/cases", **headers):
    body = urllib.parse.urlencode({"token": token, "next": then})
    return serve.request("POST", "/-/login", body, {**FORM, **headers})


def audit(serve):
    """But for what the helper asks until the server answers."""
    return [e for e in serve.program.named("audit") if e["key"] != "healthz"]


def cookie_of(answer):
    value = answer.headers["Set-Cookie"]
    assert "; HttpOnly; SameSite=Strict" in value and "Max-Age=3600" in value
    return {"Cookie": value.partition(";")[0]}


def test_a_browser_signs_in_and_out(serve):
    asked = serve.get(PATH, headers={"Accept": "text/html,*/*"})
    assert asked.status == 303 and asked.headers["Location"] == "/-/login?next=" + urllib.parse.quote(PATH, "")
    page = serve.get(asked.headers["Location"])
    assert page.status == 200 and b'type="password"' in page.body and ('value="%s"' % PATH).encode() in page.body
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"

    answer = sign_in(serve, DEV, PATH)
    assert answer.status == 303 and answer.headers["Location"] == PATH and DEV not in str(answer.headers)
    cookie = cookie_of(answer)
    assert serve.get(PATH, headers=cookie).status == 200
    assert serve.get("/pay/till/b.hprof", headers=cookie).status == 404
    # A header that names another counts more.
    assert serve.get("/pay/till/b.hprof", headers=cookie, token=OPS).status == 200

    # The server keeps nothing of it: it is valid after a restart, too.
    serve.restart()
    assert serve.get(PATH, headers=cookie).status == 200
    assert serve.get(PATH, headers={"Cookie": cookie["Cookie"][:-3] + "abc"}).status == 401
    assert DEV not in serve.program.log and cookie["Cookie"][9:] not in serve.program.log


def test_a_withdrawn_token_ends_its_sessions(serve, work):
    cookie = cookie_of(sign_in(serve, DEV))
    write_tokens(work / "tokens", LINES[1])
    deadline = time.monotonic() + 10
    while serve.get(PATH, headers=cookie).status == 200:
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert serve.get(PATH, headers=cookie).status == 401
    assert not serve.program.named("sign-in-failed")


@pytest.mark.parametrize("then", ["//evil.example/", "https://evil.example/", "/\\evil.example", "", "/\r\nX: y"])
def test_signing_in_leads_nowhere_else(serve, then):
    answer = sign_in(serve, DEV, then)
    assert answer.status == 303 and answer.headers["Location"] == "/-/cases" and "X" not in answer.headers


def test_what_is_no_token_is_refused_on_the_page(serve):
    answer = sign_in(serve, "<script>alert(1)</script>", '/"><script>')
    assert answer.status == 401 and b'role="alert"' in answer.body and b"<script>" not in answer.body
    assert "Set-Cookie" not in answer.headers
    assert serve.request("POST", "/-/login", "", FORM).status == 400
    assert serve.request("POST", "/-/login", "token=" + "a" * 40000, FORM).status == 413
    for i in range(25):
        answer = sign_in(serve, "a-guess-of-a-token-%03d" % i)
    assert answer.status == 429 and b"wait" in answer.body


def test_other_pages_cannot_use_a_session(serve):
    cookie = cookie_of(sign_in(serve, DEV))
    link = "/-/link?key=shop/cart/a.hprof"
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "same-site"},
                    {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "same-origin", "X-Csrf-Token": "0" * 64}):
        assert serve.request("POST", link, headers={**cookie, **headers}).status == 403, headers
        assert serve.request("POST", "/-/logout", headers={**cookie, **headers}).status == 403, headers
    # The same for a password that a browser has kept, and for signing in as somebody else.
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
        assert serve.request("POST", link, headers=headers, token=DEV).status == 403
        assert sign_in(serve, DEV, **headers).status == 403
    assert serve.request("POST", link, token=DEV).status == 201
    wait_for(lambda: {e["status"] for e in audit(serve) if e["action"] == "refusal"} == {403})


def test_a_link_lets_anybody_download_one_object_until_it_ends(serve):
    assert serve.request("POST", "/-/link?key=pay/till/b.hprof", token=DEV).status == 404
    assert serve.request("POST", "/-/link?key=shop/cart/a.hprof", token=CI).status == 404
    assert serve.request("POST", "/-/link?key=shop/cart/a.hprof").status == 401
    for query in ("key=shop/", "key=-/cases", "", "key=shop/cart/a.hprof&for=8d", "key=shop/cart/a.hprof&for=0"):
        assert serve.request("POST", "/-/link?" + query, token=DEV).status == 400, query
    made = serve.request("POST", "/-/link?key=shop/cart/a.hprof&for=2s", token=DEV)
    link = made.body.decode().strip()
    assert made.status == 201 and re.fullmatch(PATH + r"\?expires=\d+&by=token%3Adev&signature=[0-9a-f]{64}", link)
    assert serve.get(link).body == b"evidence"
    query = link.partition("?")[2]
    assert serve.get("/pay/till/b.hprof?" + query).status == 401
    assert serve.get(PATH + "?" + query.replace("expires=", "expires=9")).status == 401
    assert serve.request("DELETE", link).status in (401, 405)
    assert (serve.root / "shop/cart/a.hprof").exists()
    event = serve.program.wait("audit", action="download")
    assert (event["who"], event["key"], event["status"]) == ("link:token:dev", "shop/cart/a.hprof", 200)
    deadline = time.monotonic() + 10
    while serve.get(link).status == 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert serve.get(link).status == 401
    assert "signature=" not in serve.program.log and query.rpartition("=")[2] not in serve.program.log


def test_who_did_what_is_written_down(serve):
    sign_in(serve, DEV)
    serve.get(PATH, token=DEV)
    serve.get("/pay/till/b.hprof", token=DEV)
    serve.get(PATH)
    serve.get("/shop/none", token=DEV)
    serve.get("/-/login")
    wait_for(lambda: len(audit(serve)) == 4, 10, "not all is written down")
    found = {(e["action"], e.get("who"), e["key"], e["status"], e["client"]) for e in audit(serve)}
    assert found == {("sign-in", "token:dev", "-/login", 303, "127.0.0.1"),
                     ("download", "token:dev", "shop/cart/a.hprof", 200, "127.0.0.1"),
                     ("refusal", "token:dev", "pay/till/b.hprof", 404, "127.0.0.1"),
                     ("refusal", "anonymous", "shop/cart/a.hprof", 401, "127.0.0.1")}


def test_refusals_do_not_flood_the_log(serve):
    for _ in range(60):
        serve.get(PATH)
    wait_for(lambda: len(serve.program.named("audit", action="refusal")) >= 20)
    assert len(serve.program.named("audit", action="refusal")) <= 30


def test_replicas_with_one_key_accept_each_others_sessions_and_links(salvage, work, serve):
    key = work / "key"
    key.write_bytes(b"k" * 32)
    key.chmod(0o600)
    both = []
    for name in ("one", "two"):
        replica = Serve(salvage, work, "--tokens", work / "tokens", "--cookie-key", key, "--session", "1h", root=work / name)
        put(replica.root, "shop/cart/a.hprof")
        both.append(replica)
    cookie = cookie_of(sign_in(both[0], DEV))
    link = both[0].request("POST", "/-/link?key=shop/cart/a.hprof", token=DEV).body.decode().strip()
    assert both[1].get(PATH, headers=cookie).status == 200 and both[1].get(link).status == 200
    assert serve.get(PATH, headers=cookie).status == 401 and serve.get(link).status == 401

    key.write_bytes(b"k" * 31)
    done = salvage.run("serve", "--root", str(work / "one"), "--cookie-key", str(key))
    assert done.code == 32 and "32 bytes" in done.err, done.err
