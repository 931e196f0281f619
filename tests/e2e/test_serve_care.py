# SPDX-License-Identifier: Apache-2.0
"""Cases pinned and deleted on the pages: by whom, with which questions, and what the store has afterwards."""
import datetime
import re
import urllib.parse

import pytest

from helpers import case_store
from helpers.browser import Browser
from helpers.proc import wait_for
from helpers.serve import Serve

HOUR = datetime.datetime(2026, 11, 21, 1, tzinfo=datetime.timezone.utc)
OPS, READER = "ops-token-of-a-test-1", "reader-token-of-a-test"
HTML = {"Accept": "text/html"}


@pytest.fixture
def tokens(work):
    path = work / "tokens"
    path.write_text("ops %s delete,read shop\nreader %s read,write *\n" % (OPS, READER))
    path.chmod(0o600)
    return path


def fill(root):
    """One case of each of two namespaces: the ids."""
    keys = [case_store.put_case(root, namespace, "cart-7f9c8d6b54-x2kq4", HOUR, number=7) for namespace in ("shop", "pay")]
    return [key.rpartition("/")[0] for key in keys]


@pytest.fixture
def served(salvage, work, tokens):
    """(server, the shop's case, the pay's) over a folder."""
    (work / "root").mkdir()
    cases = fill(work / "root")
    serve = Serve(salvage, work, "--tokens", tokens, root=work / "root")
    wait_for(lambda: b"data-id" in serve.get("/-/cases", token=OPS).body, 10, "no case is known")
    return serve, *cases


def act(name, case):
    return "/-/%s?%s" % (name, urllib.parse.urlencode({"case": case}))


def audited(serve, action):
    wait_for(lambda: [e for e in serve.events if e["event"] == "audit" and e["action"] == action], 10, "no audit of " + action)
    return [e for e in serve.events if e["event"] == "audit" and e["action"] == action][-1]


def sign_in(page, serve, token):
    page.open(serve.url + "/-/login")
    page.evaluate("document.querySelector('#token').value = '%s'" % token)
    submit(page, "/-/login")


def submit(page, action):
    page.after_load(lambda: page.evaluate("document.querySelector(\"form[action^='%s']\").requestSubmit()" % action))


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_pinned_unpinned_and_deleted_in_a_browser(served, script):
    serve, case, _ = served
    folder, pin = serve.root / case, serve.root / (case + ".pin")
    with Browser() as browser:
        page = browser.page(390, 844, dark=script, script=script)
        sign_in(page, serve, OPS)
        page.open(serve.url + "/-/case/" + case)
        assert "pinned" not in page.text(".tags")
        submit(page, "/-/pin?")
        assert page.text("h1") == "The JVM in app ran out of Java heap." and "pinned" in page.text(".hero .tags")
        assert pin.exists() and audited(serve, "pin")["key"] == case
        page.open(serve.url + "/-/cases")
        assert "pinned" in page.text("#cases")
        page.open(serve.url + "/-/case/" + case)
        submit(page, "/-/unpin?")
        assert "pinned" not in page.text(".hero .tags") and not pin.exists()
        assert audited(serve, "unpin")["who"] == "token:ops"
        submit(page, "/-/pin?")
        page.after_load(lambda: page.evaluate("document.querySelector(\"a[href^='/-/delete']\").click()"))
        asked = page.text()
        assert folder.exists() and "heap.hprof.zst.json" in asked and "2 files" in asked and "It is pinned" in asked
        assert page.overflow() <= 0
        if script:  # axe-core needs timers
            assert page.axe() == []
        submit(page, "/-/delete?")
        assert page.evaluate("location.pathname + location.search") == "/-/cases?namespace=shop"
        assert "No case matches" in page.text() and not folder.exists() and not pin.exists()
        deleted = audited(serve, "deletion")
        assert deleted["key"] == case and deleted["who"] == "token:ops" and deleted["status"] == 303 and deleted["bytes"] > 10


def test_only_who_may_delete_is_offered_and_allowed_to(served):
    serve, case, other = served
    assert b"/-/delete" in serve.get("/-/case/" + case, token=OPS).body
    for token, id, status in ((READER, case, 403), (OPS, other, 404), (None, case, 401)):
        for name in ("pin", "unpin", "delete"):
            assert serve.request("POST", act(name, id), token=token).status == status, (token, name)
        assert serve.get(act("delete", id), token=token).status == status
    assert b"/-/delete" not in serve.get("/-/case/" + case, token=READER).body
    for id in ("", "shop", case + "x", "../etc", ".salvage/token", "shop/./x", "pay/.."):
        assert serve.request("POST", act("delete", id), token=OPS).status in (404, 403), id
    assert serve.get(act("pin", case), token=OPS).status == 405
    for id in (case, other):
        assert (serve.root / id / "heap.hprof.zst").exists() and not (serve.root / (id + ".pin")).exists()


def test_another_sites_page_changes_nothing(served):
    serve, case, _ = served
    login = serve.request("POST", "/-/login", "token=" + OPS, headers={"Content-Type": "application/x-www-form-urlencoded"})
    cookie = {"Cookie": login.headers["Set-Cookie"].partition(";")[0]}
    page = serve.get("/-/case/" + case, headers={**cookie, **HTML}).body.decode()
    form = re.search(r'action="(/-/pin\?[^"]+)"', page).group(1).replace("&amp;", "&")
    csrf = re.search("csrf=[0-9a-f]+", form).group()
    for name in ("pin", "delete"):
        assert serve.request("POST", act(name, case), headers=cookie).status == 403
        assert serve.request("POST", act(name, case) + "&" + csrf, headers={**cookie, "Sec-Fetch-Site": "cross-site"}).status == 403
    assert (serve.root / case).exists() and not (serve.root / (case + ".pin")).exists()
    assert serve.request("POST", form, headers={**cookie, "Sec-Fetch-Site": "same-origin"}).status == 303


def test_over_a_bucket_it_is_the_same(salvage, work, s3, tokens):
    dump = work / "threads-one.txt"
    dump.write_text('Full thread dump\n\n"main" #1 prio=5\n')
    salvage.ok("ship", dump, "--to", s3.url, *s3.args, env={**s3.env, "POD_NAMESPACE": "shop", "POD_NAME": "cart-1"})
    serve = Serve(salvage, work, "--from", s3.url, *s3.args, "--tokens", tokens, env=s3.env)
    wait_for(lambda: b"data-id" in serve.get("/-/cases", token=OPS).body, 10, "the case is not known")
    case = urllib.parse.unquote(re.search(rb'/-/case/([^"?]+)', serve.get("/-/cases", token=OPS).body).group(1).decode())
    assert serve.request("POST", act("pin", case), token=OPS).status == 303
    assert case + ".pin" in s3.keys() and b">pinned<" in serve.get("/-/case/" + case, token=OPS).body
    assert serve.request("POST", act("delete", case), token=OPS).status == 303
    assert s3.keys() == [] and b"data-id" not in serve.get("/-/cases", token=OPS).body
