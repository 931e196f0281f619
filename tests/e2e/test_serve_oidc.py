# SPDX-License-Identifier: Apache-2.0
"""`serve` with tokens of an OpenID Connect issuer, and behind a proxy that signs people in."""
import base64
import concurrent.futures
import hashlib
import hmac
import time

import pytest

from helpers.issuer import Issuer, Key, encode
from helpers.proc import wait_for
from helpers.serve import Serve

from test_serve_access import put

MINE, THEIRS = "/shop/cart/a.hprof", "/pay/till/b.hprof"


@pytest.fixture
def issuer(work):
    issuer = Issuer(work)
    yield issuer
    issuer.close()


@pytest.fixture
def start(salvage, work):
    def begin(*args):
        serve = Serve(salvage, work, *args)
        put(serve.root, "shop/cart/a.hprof")
        put(serve.root, "pay/till/b.hprof")
        return serve
    return begin


@pytest.fixture
def serve(start, issuer):
    return start("--oidc-issuer", issuer.url, "--oidc-audience", "salvage", "--oidc-namespaces", "groups",
                 "--oidc-admin", "roles=admin")


def who(serve):
    return {e["who"] for e in serve.program.named("audit") if "who" in e and e["key"] != "healthz"}


def wait_for_who(serve, *names):
    """An event comes a moment after its answer."""
    wait_for(lambda: who(serve) == set(names), 10, lambda: who(serve))


def test_groups_are_namespaces(serve, issuer):
    ann = issuer.token(groups=["shop", "everyone"], email="ann@example.com")
    assert serve.get(MINE, token=ann).status == 200
    assert serve.get(THEIRS, token=ann).status == 404
    assert serve.request("DELETE", MINE, token=ann).status == 403
    wait_for_who(serve, "oidc:ann (ann@example.com)")
    assert serve.get(MINE, token=issuer.token(groups=["*"])).status == 404
    assert serve.get(MINE, token=issuer.token()).status == 404
    ops = issuer.token(roles="admin")
    assert serve.get(MINE, token=ops).status == 200 and serve.get(THEIRS, token=ops).status == 200
    writer = issuer.token(groups=["shop:write,delete"])
    assert serve.request("PUT", "/shop/new", b"new", token=writer).status == 201
    assert serve.get(MINE, token=writer).status == 403
    assert serve.request("DELETE", "/shop/new", token=writer).status == 204
    assert ann not in serve.program.log and ann.split(".")[2] not in serve.program.log
    assert issuer.asked == {"/.well-known/openid-configuration": 1, "/keys": 1}


def test_each_algorithm_that_counts(serve, issuer, work):
    issuer.keys.append(Key(work, "2", ec=True))
    for alg, key in (("RS256", 0), ("PS256", 0), ("ES256", 1)):
        token = issuer.token(issuer.keys[key], alg, groups="shop")
        assert serve.get(MINE, token=token).status == 200, alg


def test_an_issuer_that_hangs_is_waited_for_once(start, issuer, work):
    """By all who come meanwhile together; whoever has another kind of token does not wait at all."""
    (work / "tokens").write_text("dev a-token-of-the-file-1 read shop\n")
    (work / "tokens").chmod(0o600)
    serve = start("--oidc-issuer", issuer.url, "--oidc-audience", "salvage", "--oidc-namespaces", "groups",
                  "--tokens", work / "tokens")
    issuer.slow = 60
    tokens = [issuer.token(sub=name, groups="shop") for name in ("ann", "ben", "cem", "dan", "eve", "fay")]
    with concurrent.futures.ThreadPoolExecutor(len(tokens)) as pool:
        waiting = [pool.submit(serve.get, MINE, token=token, timeout=60) for token in tokens]
        wait_for(lambda: issuer.asked, 10, "nothing is asked")
        assert serve.get(MINE, token="a-token-of-the-file-1").status == 200
        assert not any(one.done() for one in waiting)
        answers = [one.result() for one in waiting]
    assert [answer.status for answer in answers] == [503] * len(tokens) and answers[0].headers["Retry-After"]
    assert issuer.asked == {"/.well-known/openid-configuration": 1}
    assert len(serve.program.named("issuer-unreachable")) == 1
    issuer.slow = 0
    wait_for(lambda: serve.get(MINE, token=tokens[0]).status == 200, 20, "it stays away", 0.2)


def test_tokens_that_are_wrong(serve, issuer, work):
    now, other = int(time.time()), Key(work, "1x")
    good = {"groups": ["shop"]}
    assert serve.get(MINE, token=issuer.token(**good)).status == 200
    header, claims, signature = issuer.token(**good).split(".")
    other.kid = "1"
    none = encode({"alg": "none"})
    # The public key as the secret of an HMAC: the oldest trick.
    text = encode({"alg": "HS256", "kid": "1"}) + "." + claims
    by_public = encode(hmac.new(issuer.keys[0].public()["n"].encode(), text.encode(), hashlib.sha256).digest())
    wrong = {
        "expired": issuer.token(exp=now - 100, **good),
        "no end": issuer.token(exp=None, **good),
        "not yet": issuer.token(nbf=now + 1000, **good),
        "another audience": issuer.token(aud=["grafana"], **good),
        "another issuer": issuer.token(iss="https://issuer.example", **good),
        "another key": issuer.token(other, **good),
        "an unknown kid": issuer.token(header={"kid": "77"}, **good),
        "an extension": issuer.token(header={"crit": ["exp"]}, **good),
        "none": none + "." + claims + ".",
        "none, signed": none + "." + claims + "." + signature,
        "HS256": text + "." + by_public,
        "changed": header + "." + encode({"iss": issuer.url, "aud": "salvage", "sub": "ann", "exp": now + 99, **good}) + "." + signature,
        "cut": issuer.token(**good)[:-10],
        "two parts": header + "." + claims,
        "nobody": issuer.token(sub=None, **good),
        "large": issuer.token(more="x" * 9000, **good),
    }
    for name, token in wrong.items():
        answer = serve.get(MINE, token=token)
        assert answer.status == 401, (name, answer)
    assert serve.get(MINE, token=issuer.token(**good)).status == 200
    assert serve.get(MINE, token=issuer.token(nbf=now + 30, **good)).status == 200  # clocks differ


def test_keys_are_rotated(serve, issuer, work):
    assert serve.get(MINE, token=issuer.token(groups="shop")).status == 200
    new = Key(work, "2")
    issuer.keys.append(new)
    # Once a minute at most, whoever asks: the first fetch was just now.
    for n in range(5):
        assert serve.get(MINE, token=issuer.token(new, groups="shop", n=n)).status == 401
    assert issuer.asked["/keys"] == 1
    assert serve.get(MINE, token=issuer.token(groups="shop")).status == 200
    serve.restart()
    assert serve.get(MINE, token=issuer.token(new, groups="shop")).status == 200
    assert serve.get(MINE, token=issuer.token(groups="shop")).status == 200


@pytest.mark.parametrize("document", [
    {"issuer": "https://evil.example", "jwks_uri": "KEYS"}, {"issuer": "URL", "jwks_uri": "http://10.0.0.1/keys"},
    {"issuer": "URL"}, {"issuer": "URL", "jwks_uri": "KEYS", "keys": []}, "x" * 300000], ids=range(5))
def test_an_issuer_that_does_not_answer_lets_nobody_in(serve, issuer, document):
    token = issuer.token(groups="shop")
    if isinstance(document, dict):
        document = {k: {"URL": issuer.url, "KEYS": issuer.url + "/keys"}.get(v, v) if k != "keys" else v
                    for k, v in document.items()}
    issuer.replace["/.well-known/openid-configuration"] = document
    if "keys" in document:
        issuer.replace["/keys"] = {"keys": [{"kty": "oct", "k": "AAAA", "kid": "1"}]}
    refused = serve.get(MINE, token=token)
    assert refused.status == 503 and refused.headers["Retry-After"]
    event = serve.program.wait("issuer-unreachable")
    assert event["what"] == "oidc" and token not in serve.program.log


def test_an_issuer_that_is_gone_does_not_matter_to_known_keys(serve, issuer):
    assert serve.get(MINE, token=issuer.token(groups="shop")).status == 200
    issuer.down = (500, b"")
    assert serve.get(MINE, token=issuer.token(groups="shop", n=2)).status == 200


def test_an_issuers_token_signs_a_browser_in(serve, issuer):
    from test_serve_sign_in import sign_in
    answer = sign_in(serve, issuer.token(groups="shop"), MINE)
    cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
    assert answer.status == 303 and serve.get(MINE, headers=cookie).status == 200
    assert sign_in(serve, issuer.token(groups="shop", more="x" * 3000)).status == 400  # no cookie holds it


@pytest.mark.parametrize("args, wanted", [
    (["--oidc-audience", "x"], "without --oidc-issuer"), (["--oidc-issuer", "https://i"], "--oidc-audience is missing"),
    (["--oidc-issuer", "https://i", "--oidc-audience", "x"], "give no rights"),
    (["--oidc-issuer", "http://i", "--oidc-audience", "x", "--oidc-namespaces", "groups"], "an https:// URL"),
    (["--oidc-issuer", "https://i", "--oidc-audience", "x", "--oidc-admin", "groups"], "CLAIM=VALUE"),
    (["--trust-proxy", "proxy.example"], "an address or a network")])
def test_options_that_make_no_sense(salvage, work, args, wanted):
    (work / "root").mkdir()
    done = salvage.run("serve", "--root", str(work / "root"), *args)
    assert done.code == 2 and wanted in done.message, done


# --- a proxy that signs people in ---------------------------------------------------------------------------------------


ANN = {"X-Forwarded-User": "ann", "X-Forwarded-Email": "ann@example.com", "X-Forwarded-Groups": "team-shop, everyone",
       "X-Forwarded-For": "6.6.6.6, 10.1.1.1", "X-Forwarded-Proto": "https"}


def test_a_trusted_proxy_says_who_it_is(start):
    serve = start("--trust-proxy", "127.0.0.0/8", "--proxy-prefix", "team-", "--proxy-admin", "admins")
    # oauth2-proxy adds a password of its own.
    basic = {"Authorization": "Basic " + base64.b64encode(b"ann:").decode()}
    for more in ({}, basic):
        assert serve.get(MINE, headers={**ANN, **more}).status == 200
        assert serve.get(THEIRS, headers={**ANN, **more}).status == 404
    assert serve.get(THEIRS, headers={**ANN, "X-Forwarded-Groups": "admins"}).status == 200
    assert serve.get(MINE, headers={**ANN, "X-Forwarded-Groups": "shop"}).status == 404
    assert serve.get(MINE, headers={**ANN, "X-Forwarded-Groups": "team-x,team-shop:delete+write"}).status == 403
    assert serve.get(MINE, headers={"X-Forwarded-Groups": "team-shop"}).status == 401
    wait_for_who(serve, "proxy:ann (ann@example.com)", "anonymous")
    assert serve.program.named("audit", who="proxy:ann (ann@example.com)")[0]["client"] == "10.1.1.1"
    # Its session is a cookie: other sites' pages must not use it.
    link = "/-/link?key=shop/cart/a.hprof"
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-origin"}):
        assert serve.request("POST", link, headers={**ANN, **headers}).status == 403, headers


@pytest.mark.parametrize("name", ["X-Forwarded-User", "x-forwarded-groups", "X-Forwarded-Email"])
def test_a_header_that_came_twice_is_believed_neither_time(start, name):
    """As when a proxy adds its own and lets the client's through, before or behind it."""
    serve = start("--trust-proxy", "127.0.0.1", "--proxy-prefix", "team-", "--proxy-admin", "admins")
    for first, second in (("admins", "team-shop"), ("team-shop", "admins")):
        with serve.connect() as raw:
            raw.sendall(("GET %s HTTP/1.1\r\nHost: x\r\nX-Forwarded-User: ann\r\nX-Forwarded-Email: a@x\r\nX-Forwarded-Groups: %s\r\n"
                         "%s: %s\r\nConnection: close\r\n\r\n" % (MINE, first, name, second)).encode())
            assert raw.recv(100).startswith(b"HTTP/1.1 400")
    assert serve.get(MINE, headers=ANN).status == 200


def test_headers_of_others_mean_nothing(start):
    serve = start("--trust-proxy", "10.9.9.9")
    assert serve.get(MINE, headers=ANN).status == 401
    other = start()
    assert other.get(MINE, headers=ANN).status == 401
    for each in (serve, other):
        each.program.wait("audit")
        assert {e["client"] for e in each.program.named("audit")} == {"127.0.0.1"}


def test_by_a_proxy_with_tls_the_cookie_is_secure(start, work):
    from test_serve_sign_in import sign_in
    (work / "tokens").write_text("dev a-token-of-the-file-1 read shop\n")
    (work / "tokens").chmod(0o600)
    serve = start("--tokens", work / "tokens", "--trust-proxy", "127.0.0.1")
    cookie = sign_in(serve, "a-token-of-the-file-1", **{"X-Forwarded-Proto": "https"}).headers["Set-Cookie"]
    assert cookie.startswith("__Host-salvage=") and cookie.endswith("; Secure")
    assert sign_in(serve, "a-token-of-the-file-1").headers["Set-Cookie"].startswith("salvage=")
    # Who guesses by the proxy is held back, and not the others behind it.
    for n in range(25):
        answer = serve.get(MINE, token="a-guess-of-a-token-%03d" % n, headers={"X-Forwarded-For": "10.1.1.1"})
    assert answer.status == 429
    assert serve.get(MINE, token="a-guess-of-a-token-999", headers={"X-Forwarded-For": "10.1.1.2"}).status == 401
