# SPDX-License-Identifier: Apache-2.0
"""`serve --kubernetes`: pods write in their namespace, persons may what they may do to its pods, and without an API server
nobody gets in."""
import datetime
import json
import time

import pytest

from helpers import case_store
from helpers.kube_api import AUDIENCE, KubeApi
from helpers.proc import wait_for
from helpers.serve import Serve

from test_serve_access import put

HOUR = datetime.datetime(2026, 11, 21, 1, tzinfo=datetime.timezone.utc)
MINE, THEIRS = "/shop/cart/a.hprof", "/pay/till/b.hprof"


@pytest.fixture
def api(work):
    api = KubeApi(work)
    yield api
    api.close()
    assert api.wrong == []


@pytest.fixture
def start(salvage, work, api):
    def begin(*args):
        serve = Serve(salvage, work, "--kubernetes", "--kubernetes-api", api.url, "--kubernetes-account", api.account, *args)
        put(serve.root, "shop/cart/a.hprof")
        put(serve.root, "pay/till/b.hprof")
        return serve
    return begin


def who(serve):
    return {e["who"] for e in serve.program.named("audit") if "who" in e and e["key"] != "healthz"}


def wait_for_who(serve, *names):
    """An event comes a moment after its answer."""
    wait_for(lambda: who(serve) == set(names), 10, lambda: who(serve))


def test_a_pod_writes_in_its_namespace_and_reads_nothing(start, api):
    serve = start()
    token = api.account_token("shop", "cart", ["salvage"], pod="cart-7f9c")
    assert serve.request("PUT", "/shop/cart/new.hprof", b"new", token=token).status == 201
    assert (serve.root / "shop/cart/new.hprof").read_bytes() == b"new"
    assert serve.request("PUT", MINE, b"other", token=token).status in (403, 409, 412)
    assert (serve.root / "shop/cart/a.hprof").read_bytes() == b"evidence"
    assert serve.request("PUT", "/pay/till/new.hprof", b"new", token=token).status == 404
    assert serve.request("PUT", "/in-no-namespace", b"new", token=token).status == 404
    assert serve.request("DELETE", MINE, token=token).status == 404
    for path in (MINE, THEIRS, "/shop/"):
        assert serve.get(path, token=token).status == 404, path
    wait_for_who(serve, "pod:shop/cart-7f9c")
    assert api.asked == {"tokenreviews": 1, "subjectaccessreviews": 0}


@pytest.mark.parametrize("allowed, get, delete", [
    (set(), 404, 404),
    ({("get", "pods/log")}, 403, 403),
    ({("create", "pods/exec")}, 200, 403),
    ({("delete", "pods")}, 403, 204),
    ({("get", "pods")}, 404, 404)], ids=["nothing", "log", "exec", "delete", "pods"])
def test_persons_may_what_they_may_do_to_pods(start, api, allowed, get, delete):
    serve = start()
    token = api.person("ann", "dev")
    api.allowed = {("dev", verb, resource, "shop") for verb, resource in allowed}
    assert serve.get(MINE, token=token).status == get
    assert serve.get(THEIRS, token=token).status == 404
    assert serve.request("PUT", "/shop/cart/new", b"new", token=token).status == (403 if allowed - {("get", "pods")} else 404)
    assert serve.request("DELETE", MINE, token=token).status == delete
    wait_for_who(serve, "user:ann")


def test_who_may_everywhere_may_in_each_namespace(start, api):
    serve = start()
    token = api.person("ops")
    api.allowed = {("ops", "create", "pods/exec", None)}
    assert serve.get(MINE, token=token).status == 200 and serve.get(THEIRS, token=token).status == 200


def test_lists_show_what_may_be_listed(start, api):
    serve = start()
    for n in range(30):
        put(serve.root, "ns-%d/x/a.hprof" % n)
    token = api.person("ann")
    api.allowed = {("ann", "get", "pods/log", "shop")}
    listing = serve.get("/?format=json", token=token)
    assert [e["name"] for e in json.loads(listing.body)] == ["shop"], listing
    # One question for each of 32 namespaces, and three for all of them.
    assert api.asked["subjectaccessreviews"] <= 36, api.asked


def test_many_namespaces_are_asked_about_several_at_a_time(start, api):
    serve = start("--refresh", "1s")
    for n in range(40):
        case_store.put_case(serve.root, "team-%d" % n, "cart-0", HOUR, number=n)
    ops, api.allowed = api.person("ops"), {("ops", "get", "pods/log", None)}
    wait_for(lambda: b"team-39" in serve.get("/-/usage", token=ops).body, 20, "not all cases are known")
    api.delay_s = 0.05
    for path, person in (("/-/cases", "ann"), ("/?format=json", "ben")):
        api.allowed = {(person, "get", "pods/log", "team-%d" % n) for n in range(0, 40, 2)}
        token, api.most_at_once = api.person(person), 0
        page = serve.get(path, token=token).body.decode()
        assert "team-38" in page and "team-39" not in page
        assert 3 <= api.most_at_once <= 8, path


def test_verbs_can_be_others(start, api):
    serve = start("--kubernetes-read", "get secrets")
    token = api.person("ann")
    api.allowed = {("ann", "create", "pods/exec", "shop")}
    assert serve.get(MINE, token=token).status == 404
    api.allowed |= {("ann", "get", "secrets", "pay")}
    assert serve.get(THEIRS, token=token).status == 200


def test_a_pods_default_token_is_no_person(start, api):
    serve = start()
    token = api.account_token("shop", "cart")
    api.allowed = {("system:serviceaccount:shop:cart", verb, resource, None)
                   for verb, resource in (("get", "pods/log"), ("create", "pods/exec"), ("delete", "pods"))}
    refused = serve.get(MINE, token=token)
    assert refused.status == 401 and b"audience 'salvage'" in refused.body
    assert serve.request("PUT", "/shop/cart/new", b"new", token=token).status == 401

    other = start("--kubernetes-accounts")
    assert other.get(MINE, token=token).status == 200
    assert other.request("PUT", "/shop/cart/new", b"new", token=token).status == 403
    wait_for_who(other, "serviceaccount:shop/cart")


def test_a_token_for_somebody_else_is_not_ours(start, api):
    serve = start()
    assert serve.get(MINE, token=api.account_token("shop", "cart", ["vault"])).status == 401
    forged = api.account_token("shop", "cart", ["salvage"])
    del api.tokens[forged]
    assert serve.get(MINE, token=forged).status == 401
    # For us and for others: a pod's, never more.
    both = api.account_token("shop", "cart", ["salvage", AUDIENCE])
    api.allowed = {("system:serviceaccount:shop:cart", "create", "pods/exec", "shop")}
    assert serve.get(MINE, token=both).status == 404
    assert serve.request("PUT", "/shop/cart/new", b"new", token=both).status == 201


def test_answers_are_believed_for_a_while(start, api):
    serve = start()
    token = api.person("ann")
    api.allowed = {("ann", "create", "pods/exec", "shop")}
    for _ in range(10):
        assert serve.get(MINE, token=token).status == 200
        assert serve.get(THEIRS, token=token).status == 404
        assert serve.get(MINE, token="not-known-to-anybody").status == 401
    # Who it is, and for each namespace and for all of them the three questions.
    assert api.asked["tokenreviews"] == 2 and api.asked["subjectaccessreviews"] <= 9, api.asked
    api.allowed = set()
    assert serve.get(MINE, token=token).status == 200
    api.down = (500, b"")
    assert serve.get(MINE, token=token).status == 200


@pytest.mark.parametrize("down", [(500, b""), (403, b"{}"), (201, b"nonsense"), (201, b"{}"), None],
                         ids=["broken", "forbidden", "nonsense", "empty", "gone"])
def test_without_an_api_server_nobody_gets_in(start, api, work, down):
    (work / "tokens").write_text("ops a-token-of-the-file-1 admin *\n")
    (work / "tokens").chmod(0o600)
    serve = start("--tokens", work / "tokens")
    ann = api.person("ann")
    api.allowed = {("ann", "create", "pods/exec", "shop")}
    api.down = down
    if down is None:
        api.close()
        api.close = lambda: None
    began = time.monotonic()
    refused = serve.get(MINE, token=ann)
    assert refused.status == 503 and refused.headers["Retry-After"] and time.monotonic() - began < 10
    event = serve.program.wait("issuer-unreachable")
    assert event["what"] == "kubernetes" and ann not in serve.program.log
    # Others go on, and it is no failed sign-in.
    assert serve.get(MINE, token="a-token-of-the-file-1").status == 200
    assert not serve.program.named("sign-in-failed")
    if down is not None:
        api.down = None
        assert serve.get(MINE, token=ann).status == 200


def test_an_api_server_that_hangs_is_not_waited_for_by_each(start, api):
    serve = start()
    api.hangs = True
    assert serve.get(MINE, token=api.person("ann")).status == 503
    began = time.monotonic()
    for name in ("ben", "cem", "dan"):
        assert serve.get(MINE, token=api.person(name)).status == 503
    assert time.monotonic() - began < 2


def test_rights_that_cannot_be_found_out_are_none(start, api):
    serve = start()
    ann = api.person("ann")
    assert serve.get("/-/login", token=ann).status == 200  # who it is, is known
    api.down = (500, b"")
    assert serve.get(MINE, token=ann).status == 503


def test_our_own_token_is_read_again(start, api):
    serve = start()
    ann = api.person("ann")
    api.allowed = {("ann", "create", "pods/exec", "shop")}
    api.own = "rotated-token"
    assert serve.get(MINE, token=ann).status == 503
    (api.account / "token").write_text("rotated-token")
    assert serve.get(MINE, token=ann).status == 200


def test_a_person_signs_in_by_the_form(start, api):
    from test_serve_sign_in import sign_in
    serve = start()
    api.allowed = {("ann", "create", "pods/exec", "shop")}
    answer = sign_in(serve, api.person("ann"), MINE)
    assert answer.status == 303
    cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
    assert serve.get(MINE, headers=cookie).status == 200 and serve.get(THEIRS, headers=cookie).status == 404


@pytest.mark.parametrize("args, wanted", [
    (["--kubernetes"], "this is no pod"), (["--kubernetes-api", "https://10.0.0.1"], "without --kubernetes"),
    (["--kubernetes", "--kubernetes-api", "http://10.0.0.1"], "in the clear"),
    (["--kubernetes", "--kubernetes-api", "nonsense"], "no address"),
    (["--kubernetes", "--kubernetes-read", "exec"], "a verb and a resource")])
def test_options_that_make_no_sense(salvage, work, args, wanted):
    (work / "root").mkdir()
    done = salvage.run("serve", "--root", str(work / "root"), *args)
    assert done.code == 2 and wanted in done.message, done
