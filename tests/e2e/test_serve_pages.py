# SPDX-License-Identifier: Apache-2.0
"""The pages of serve, in a real Chromium: what they say of real evidence, who can use them, and that nothing foreign gets in."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse

import pytest

from helpers import jvm
from helpers.proc import wait_for
from helpers.program import Salvage
from helpers.serve import Serve

DESKTOP, PHONE = (1280, 900), (390, 844)
HOSTILE = "<img src=x onerror='window.pwned=1'>\"><script>window.pwned=1</script>&lt;b&gt;{{7*7}}\u202e'"
PICTURES = os.environ.get("SALVAGE_TEST_PICTURES")  # a folder: gets docs/pictures anew (-k accessible; see docs/serve.md)


def pod(namespace, name, container):
    return {"POD_NAMESPACE": namespace, "POD_NAME": name, "CONTAINER_NAME": container, "NODE_NAME": "node-7"}


RECORD = {
    "schema": "salvage.oom-kill/1", "source": "kernel-log", "why": "limit", "time": "2026-11-21T01:56:05.123Z",
    "process": {"pid": 4711, "name": "java", "uid": 1000, "rss": 503316480, "rss_anon": 480247808, "rss_file": 23068672},
    "cgroup": {"limit": "/kubepods/burstable/pod3f1c/7a2b"},
    "memory": {"usage": 536870912, "limit": 536870912, "failcnt": 812},
    "stat": {"anon": 482344960, "file": 25165824, "kernel_stack": 4194304, "pagetables": 3145728, "slab": 9437184},
    "tasks_count": 3,
    "tasks": [{"pid": 4700, "name": "tini", "rss": 1048576}, {"pid": 4711, "name": "java", "rss": 503316480},
              {"pid": 4790, "name": "sh", "rss": 3145728}],
}


def add_history(root):
    """A month of other cases, for pictures."""
    for i in range(90):
        name, cause, kind, detail = [("cart", "java-oom", "heap-dump", "java/lang/OutOfMemoryError: Java heap space"),
                                     ("finder", "oom-kill", "oom-kill", None), ("mail", "signal", "core", "SIGABRT (6)"),
                                     ("invoice", "java-oom", "javacore", "java/lang/OutOfMemoryError: Metaspace"),
                                     ("billing", "signal", "hs-err", "SIGBUS (0x7)")][i * i % 5]
        made = time.time() - 3600 - i * i * 310 - (i % 3) * 86400
        when, stamp = (time.strftime(form, time.gmtime(made)) for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y%m%dT%H%M%SZ"))
        namespace = "shop" if i % 3 else "payments"
        place = "%s/%s-7f9c8d6b54-%s" % (namespace, name, "bcdfg"[i % 5] + "x2kq")
        key = "%s/%s-%s-%016x/%s" % (place, stamp, cause, i, kind)
        (root / key).parent.mkdir(parents=True)
        (root / key).write_bytes(b"x")
        os.truncate(root / key, (17 + i * i) << 20)  # takes no room
        manifest = {"schema": "salvage.manifest/1", "id": "%016x" % i, "key": key, "kind": kind, "cause": cause, "size": 1 << 30,
                    "sha256": "0" * 64, "codec": "none", "stored_size": (17 + i * i) << 20, "stored_sha256": "0" * 64,
                    "where": {"place": place, "namespace": namespace, "pod": place.split("/")[1], "container": name},
                    "process": {"uid": 0}, "origin": {"detail": detail} if detail else {}, "time": {"modified": when}}
        if kind == "heap-dump":
            manifest["top"] = [{"name": "com.shop.%s" % ("Order", "Cart$Line", "Session")[i % 3], "count": 9, "bytes": 1 << 28}]
        (root / (key + ".json")).write_text(json.dumps(manifest))


class Site:
    """A server with real cases: an OutOfMemoryError under a watch, two stops, a crash, a kill."""

    def __init__(self, folder, classes):
        self.folder = folder
        (folder / "home").mkdir()
        self.salvage = Salvage(folder / "home")
        if PICTURES:
            add_history(folder / "root")
        self.serve = Serve(self.salvage, folder, "--anonymous-read", "--retain", "age=30d", "--retain",
                           "payments:age=90d,bytes=50G,count=20")
        self.credentials = folder / "credentials"
        self.credentials.write_text("bearer " + self.serve.token)
        self.credentials.chmod(0o600)
        self.jvm = jvm.Jvm(classes)
        self.run_out_of_memory()
        self.stop(1), self.stop(2)
        self.crash()
        self.kill()
        wait_for(lambda: self.count() >= 6, 20, "the catalogue does not have all cases")

    def to(self):
        return "--to", self.serve.url + "/", "--credentials-file", self.credentials

    def ship(self, path, env, *more):
        done = self.salvage.run("ship", path, *self.to(), "--state", self.folder / "state", *more, env=env)
        assert done.code == 0, done
        return done

    def ship_dump(self, env):
        """The case."""
        done = self.ship(self.dump, env, "--cause", "java-oom", "--keep")
        return os.path.dirname(urllib.parse.urlsplit(done.out.strip()).path.lstrip("/"))

    def run_out_of_memory(self):
        dumps, dump = self.folder / "dumps", self.folder / "orders.hprof"
        dumps.mkdir()
        watch = self.salvage.watch(dumps, "--inspect", "--memory", "256M", *self.to(),
                                   env=pod("shop", "cart-7f9c8d6b54-x2kq4", "cart"))
        watch.wait("started")
        self.jvm.die(dump, "static-map", program="Leaks")
        shutil.copy(dump, dumps / ".new")
        os.rename(dumps / ".new", dumps / "app.hprof")
        self.oom = os.path.dirname(watch.wait("shipped")["key"])
        assert watch.stop() == 0
        self.dump = dump
        self.digested = self.ship_dump(pod("payments", "invoice-5d9f7c8d9f-x2kq7", "invoice"))

    def start(self, program, *args, options=()):
        started = jvm.Jvm(self.jvm.classes, heap="64m").start(self.folder / "none.hprof", program, *args, options=options)
        assert started.stdout.readline() == b"ready\n"
        return started

    def stop(self, number):
        """The second holds more than the first: their histograms differ."""
        dying = self.start("Leak", "0", str(8 * number))
        try:
            env = pod("shop", "checkout-5d9f7c8d9f-x2kq%d" % (3 + number), "checkout")
            done = self.salvage.run("jvm", "prestop", dying.pid, "--no-heap-dump", *self.to(), env=env)
            assert done.code == 0, done
            key = urllib.parse.urlsplit(done.lines[0]).path.lstrip("/")
            setattr(self, "stopped_%d" % number, os.path.dirname(key))
        finally:
            dying.kill()
            dying.wait()

    def crash(self):
        log = self.folder / "hs_err_pid7.log"
        dying = self.start("Rest", options=["-XX:ErrorFile=%s" % log])
        dying.send_signal(signal.SIGSEGV)
        dying.wait()
        self.ship(log, pod("payments", "ledger-0", "ledger"))

    def kill(self):
        record = self.folder / "oom-kill.json"
        record.write_text(json.dumps(RECORD, indent=2))
        self.ship(record, pod("payments", "search-6c5d7f-zz9x8", "search"), "--cause", "oom-kill")

    def count(self):
        return self.serve.get("/-/cases?loops=apart").body.count(b"<tr role=\"row\" data-id")

    def path(self, key, **query):
        return "/-/case/" + urllib.parse.quote(key) + ("?" + urllib.parse.urlencode(query) if query else "")

    def folder_of(self, pattern):
        """The case whose folder fits, below the root."""
        found, = self.serve.root.glob(pattern)
        return str(found.relative_to(self.serve.root))


@pytest.fixture(scope="module")
def site(session_folder, java_classes):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pages-", dir=session_folder))
    folder.chmod(0o755)
    made = Site(folder, java_classes)
    yield made
    made.salvage.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def page(browser, site):
    return browser.page()


def test_a_jvm_that_ran_out_of_memory_is_a_sentence(site, page):
    page.open(site.serve.url + "/")
    assert page.evaluate("location.pathname") == "/-/cases"
    rows = page.evaluate("[...document.querySelectorAll('#cases tbody tr')].map(r => r.innerText)")
    assert len(rows) == 5, "two stops of one workload are a loop"
    found, = [row for row in rows if "java-oom" in row and "cart" in row]
    assert "The JVM in cart ran out of memory." in found and "shop / cart-7f9c8d6b54-x2kq4" in found
    page.after_load(lambda: page.evaluate("document.querySelector('a[href*=cart][href*=java-oom]').click()"))
    assert page.evaluate("decodeURIComponent(location.pathname)") == "/-/case/" + site.oom
    assert page.text("h1") == "The JVM in cart ran out of memory."
    text = page.text()
    for part in ("Timeline", "In the store and verified", "shop", "node-7", "heap.hprof.zst", "Heap dump"):
        assert part in text, part
    line = page.evaluate("document.querySelector('.copy code').textContent")
    assert line == "salvage get %s/%s/heap.hprof.zst" % (site.serve.url, site.oom)
    manifest = json.loads(page.evaluate("document.querySelector('details pre').textContent"))
    assert manifest["cause"] == "java-oom" and manifest["sha256"] in page.evaluate("document.body.textContent")


def test_the_page_says_what_filled_the_heap(site, page):
    page.open(site.serve.url + site.path(site.oom))
    assert page.text(".finding").startswith("static Leaks.CACHE (java.util.HashMap) keeps ")
    assert 'Thread "order-writer" ran out of memory at Leaks' in page.text(".summary")
    assert "static Leaks.CACHE" in page.text("#suspects .path") and "Leaks$Order" in page.text("#suspects")
    assert page.evaluate("document.querySelectorAll('#tree details').length") > 1
    assert page.evaluate("document.querySelector('#threads .victim').open") and "Leaks.add(Leaks.java" in page.text("#threads")
    for part in ("#waste", "#classes", "#arrays", "#evidence"):
        assert page.evaluate("!!document.querySelector('.jump a[href=\"%s\"]') && !!document.querySelector('%s h2')" % (part, part)), part
    page.evaluate("document.querySelector('.treemap [data-node]').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    assert page.evaluate("document.querySelectorAll('.tree .found').length") == 1 and page.said() == []


def test_a_heap_is_analysed_on_request(site, page):
    """The page comes again by itself once the analysis is done, and the list has its suspect then."""
    case = site.ship_dump(pod("news", "mail-0", "mail"))
    page.open(site.serve.url + "/-/login")
    page.evaluate("document.querySelector('main input').value = %s" % json.dumps(site.serve.token))
    page.after_load(lambda: page.evaluate("document.querySelector('main form').requestSubmit()"))
    page.open(site.serve.url + site.path(case))
    page.after_load(lambda: page.evaluate("[...document.querySelectorAll('button')].find(b => b.innerText === "
                                          "'Analyse the heap dump').click()"))
    page.wait("!!document.querySelector('.finding')", 60)
    assert page.text(".finding").startswith("static Leaks.CACHE")
    assert [line for line in page.said() if "username fields" not in line] == []
    wait_for(lambda: b"static Leaks.CACHE" in site.serve.get("/-/cases?namespace=news&q=mail").body, 10, "no suspect")


def test_who_may_list_alone_sees_the_sentence_and_no_heap(salvage, work):
    """An object of another key template, with its analysis beside it."""
    key, tokens = "shop/old/app.hprof", work / "tokens"
    (work / "root/shop/old").mkdir(parents=True)
    (work / "root" / key).write_bytes(b"1234567")
    (work / "root" / (key + ".json")).write_text(json.dumps({**hostile_manifest(key), "kind": "heap-dump", "summary": "SAYS"}))
    (work / "root" / (key + ".analysis.json")).write_text(json.dumps(ANALYSIS).replace('"a"', '"com.shop.Secret"'))
    tokens.write_text("all %s read *\nfew %s list *\n" % ("a" * 32, "b" * 32))
    tokens.chmod(0o600)
    serve = Serve(salvage, work, "--tokens", tokens, root=work / "root")
    path = "/-/case/" + key
    wait_for(lambda: serve.get(path, token="a" * 32).status == 200, 10, "the case is not known")
    whole, part = (serve.get(path, token=letter * 32).body for letter in "ab")
    assert b"SAYS." in whole and b"com.shop.Secret" in whole and b'id="suspects"' in whole
    assert b"SAYS." in part and b"com.shop.Secret" not in part and b'id="suspects"' not in part


def test_suspects_are_a_column_and_a_filter(site, page):
    """The case that was analysed, and one whose digest alone says which class fills its heap."""
    page.open(site.serve.url + "/-/cases?q=leaks+order")
    cells = dict(page.evaluate("[...document.querySelectorAll('#cases tr[data-id]')].map(r => [r.dataset.id, r.cells[1].innerText])"))
    assert cells[site.digested] == "mostly Leaks$Order" and cells[site.oom] == "static Leaks.CACHE (java.util.HashMap)"
    page.after_load(lambda: page.evaluate("[...document.querySelectorAll('.suspected a')].find(a => a.innerText[0] == 's').click()"))
    assert page.evaluate("document.querySelector('#f-suspect').value") == "static Leaks.CACHE (java.util.HashMap)"
    found = page.evaluate("[...document.querySelectorAll('#cases tr[data-id]')].map(r => r.dataset.id)")
    assert site.oom in found and site.digested not in found
    answer = json.loads(site.serve.get("/-/api/cases?suspect=Leaks%24Order").body)["cases"]
    suspects = {one["id"]: one.get("suspect") for one in answer}
    assert suspects[site.oom] == "static Leaks.CACHE (java.util.HashMap)" and suspects[site.digested] is None
    assert {one["class"] for one in answer} == {"Leaks$Order"}


def test_a_digest_alone_shows_classes_threads_and_arrays(site, page):
    page.open(site.serve.url + site.path(site.digested))
    assert page.evaluate("document.querySelector('.finding, #suspects')") is None
    assert 'Thread "order-writer" ran out of memory' in page.text(".summary")
    assert "byte[]" in page.text("#classes") and "Leaks.add(Leaks.java" in page.text("#threads .victim")
    assert "java.util.HashMap$Node[]" in page.text("#arrays")


def test_a_crash_loop_unfolds(site, page):
    page.open(site.serve.url + "/-/cases?namespace=shop")
    page.after_load(lambda: page.evaluate("document.querySelector('a.tag').click()"))
    assert page.evaluate("document.querySelectorAll('#cases tbody tr').length") == 2
    assert "checkout" in page.text("#cases") and "cart" not in page.text("#cases")


def test_histogram_threads_and_search(site, page):
    page.open(site.serve.url + site.path(site.stopped_1))
    rows = page.evaluate("[...document.querySelectorAll('.bars tbody th')].map(t => t.innerText)")
    assert "byte[]" in rows and len(rows) == 15
    assert "Full thread dump" in page.text("pre")
    page.evaluate("document.querySelector('form.find input[type=search]').value = 'reference handler'")
    page.after_load(lambda: page.evaluate("document.querySelector('form.find').requestSubmit()"))
    assert page.text("mark") == "Reference Handler"
    assert re.search(r"1 of \d\d paragraphs", page.text("[role=status].lead"))
    assert "Finalizer" not in page.text("pre")


def test_a_long_text_is_cut_and_searched(site):
    """6 MiB of lines without any empty one: 512 KiB are shown, 4 MiB are searched, in pieces."""
    lines = site.folder / "threads-long.txt"
    lines.write_text("Full thread dump\n" + "".join("line %d of a text without paragraphs\n" % i for i in range(160000)))
    site.ship(lines, pod("long", "text-0", "text"))
    path = wait_for(lambda: re.search(rb"/-/case/long/[^\"?]+", site.serve.get("/-/cases?namespace=long").body), 10, "no case")
    path = path.group().decode() + "?show=threads-long.txt.zst"
    whole, found = site.serve.get(path).body, site.serve.get(path + "&q=line+100000+of").body
    assert b"first 512 KiB" in whole and len(whole) < 700000 and b"line 0 of" in whole and b"line 100000 " not in whole
    assert b"<mark>line 100000 of</mark>" in found and len(found) < 40000
    assert b"0 of" in site.serve.get(path + "&q=line+159999+of").body


def test_a_kill_by_the_kernel(site, page):
    page.open(site.serve.url + site.path(site.folder_of("payments/search-*/*oom-kill*")))
    assert page.text("h1") == ("The kernel killed java in search: the container reached its memory limit of 512.0 MiB; "
                               "the process held 480.0 MiB.")
    assert page.text(".bars tr.chosen th") == "java"
    widths = page.evaluate("[...document.querySelectorAll('.bars tbody')[0].querySelectorAll('rect:not(.rest)')]"
                           ".map(r => +r.getAttribute('width'))")
    assert widths[0] == 1000 and widths == sorted(widths, reverse=True)


def test_two_histograms_are_compared(site, page):
    """The second JVM holds eight blocks of 1 MiB more."""
    page.open(site.serve.url + site.path(site.stopped_2))
    page.after_load(lambda: page.evaluate("document.querySelector('a[href*=compare\\\\?b]').click()"))
    assert re.fullmatch(r"checkout: \+[78]\.\d MiB, most of all byte\[\] with \+[78]\.\d MiB\.", page.text("h1"))
    assert page.evaluate("[document.querySelector('#a').value, document.querySelector('#b').value]") == [
        site.stopped_1, site.stopped_2]
    row = page.evaluate("[...document.querySelector('.bars tbody tr').cells].map(c => c.innerText.trim())")
    assert row[0] == "byte[]" and row[3].startswith("+") and "MiB" in row[3]
    page.open(site.serve.url + "/-/compare?" + urllib.parse.urlencode({"a": site.stopped_2, "b": site.stopped_1}))
    assert "\u2212" in page.text("h1") and page.evaluate("document.querySelectorAll('rect.less').length") > 0
    assert site.serve.get("/-/compare?b=shop/nope").status == 404
    assert site.serve.get("/-/compare?" + urllib.parse.urlencode({"a": site.oom, "b": site.stopped_1})).status == 404


def test_usage_is_what_the_folder_holds(site, page):
    page.open(site.serve.url + "/-/usage")
    tables = page.evaluate("[...document.querySelectorAll('.bars')].map(t => [...t.tBodies[0].rows].map("
                           "r => [...r.cells].map(c => c.innerText)))")
    rows, limits = tables
    found = {row[0]: row for row in rows}
    assert {tuple(row[:4]) for row in limits} >= {("shop", "30 days", "", ""), ("payments", "90 days", "20", "50.0 GiB")}
    assert all(re.fullmatch(r"in (29|89) days", row[4]) for row in limits)
    assert found["payments"][3:5] == ["3", "3"]
    objects = [path for path in (site.serve.root / "shop").rglob("*") if path.is_file() and path.suffix not in (".json", ".html")]
    assert int(found["shop"][4]) == len(objects) and found["shop"][3] == "3"
    assert found["shop"][1] == "%.1f MiB" % (sum(path.stat().st_size for path in objects) / (1 << 20))


def all_pages(site):
    return {
        "cases": "/-/cases",
        "case": site.path(site.stopped_1),
        "heap": site.path(site.oom),
        "digest": site.path(site.digested),
        "kill": site.path(site.folder_of("payments/search-*/*oom-kill*")),
        "crash": site.path(site.folder_of("payments/ledger-*/*signal*")),
        "compare": "/-/compare?" + urllib.parse.urlencode({"a": site.stopped_1, "b": site.stopped_2}),
        "choose": "/-/compare",
        "usage": "/-/usage",
        "threads": site.path(site.stopped_1, show="threads.txt.zst", q="java.lang"),
        "nothing": "/-/cases?q=nothinglikethis&since=yesterday&workload=x",
        "login": "/-/login",
        "missing": "/-/case/shop/nope",
    }


BY_LAYOUT = ("cases", "case", "heap", "digest", "kill", "compare", "usage", "threads", "login")


@pytest.mark.parametrize("size, dark, names", [(DESKTOP, False, None), (PHONE, True, BY_LAYOUT), (DESKTOP, True, ("case", "cases", "heap")),
                                               (PHONE, False, ("case", "cases"))],
                         ids=["desktop", "phone-dark", "desktop-dark", "phone"])
def test_every_page_is_accessible(site, browser, size, dark, names):
    """Colours change with the theme, places with the size: not every page has to be seen in each of the four."""
    for name, path in all_pages(site).items():
        if names and name not in names and not PICTURES:
            continue
        page = browser.page(*size, dark=dark)
        page.open(site.serve.url + path)
        if name == "login":
            page.evaluate("document.activeElement.blur()")
        assert page.axe() == [], name
        assert page.overflow() <= 0, name
        assert page.evaluate("document.querySelectorAll('h1').length") == 1, name
        bad = [line for line in page.said() if "status of 404" not in line and "username fields" not in line]
        assert bad == [], name
        if PICTURES and (name, size, dark) in (("cases", DESKTOP, False), ("cases", PHONE, True), ("heap", DESKTOP, False),
                                               ("kill", DESKTOP, False), ("compare", DESKTOP, True), ("usage", DESKTOP, False),
                                               ("threads", PHONE, False)):
            file = "serve-%s%s.png" % (name, "-phone" if size == PHONE else "")
            page.screenshot(pathlib.Path(PICTURES) / file, whole=False)
        page.close()


def test_by_keyboard_alone(site, page):
    page.open(site.serve.url + "/-/cases")
    page.press("Tab")
    assert page.focused()["href"] == "#main" and page.focused()["seen"]
    page.press("Enter")
    page.wait("document.activeElement.id === 'main'")
    stops = []
    while not (stops and stops[-1]["href"] and "/-/case/" in stops[-1]["href"]):
        page.press("Tab")
        stops.append(page.focused())
        assert stops[-1]["seen"] and len(stops) < 20, stops
    names = [stop["id"] for stop in stops]
    assert names[:3] == ["f-q", "f-namespace", "f-cause"]
    page.after_load(lambda: page.press("Enter"))
    assert page.evaluate("location.pathname").startswith("/-/case/")


def test_without_javascript(site, browser):
    page = browser.page(script=False)
    page.open(site.serve.url + "/-/cases?namespace=shop")
    assert page.evaluate("document.querySelectorAll('#cases tbody tr').length") == 2
    assert re.search(r"just now|\d+ min ago", page.text(".when"))
    page.open(site.serve.url + "/-/cases?q=ledger")
    assert page.evaluate("document.querySelectorAll('#cases tbody tr').length") == 1
    page.open(site.serve.url + "/-/cases?cause=oom-kill&namespace=payments&since=2020-01-01")
    assert page.evaluate("document.querySelectorAll('#cases tbody tr').length") == 1
    page.open(site.serve.url + site.path(site.stopped_1, show="threads.txt.zst", q="main"))
    assert page.evaluate("document.querySelectorAll('mark').length") > 1
    assert page.evaluate("document.querySelectorAll('.copy button').length") == 0


def test_new_cases_slide_in(site, page):
    page.open(site.serve.url + "/-/cases?q=newcomer")
    assert "No case matches" in page.text()
    page.open(site.serve.url + "/-/cases?loops=apart")
    before = page.evaluate("document.querySelectorAll('#cases tbody tr').length")
    evidence = site.folder / "threads-new.txt"
    evidence.write_text("Full thread dump\n")
    site.ship(evidence, pod("news", "newcomer-0", "newcomer"))
    page.wait("document.querySelector('.live') && !document.querySelector('.live').hidden")
    assert page.text(".live button") == "1 new case" and page.text("#said") == "1 new case"
    page.evaluate("document.querySelector('.live button').click()")
    assert page.evaluate("document.querySelectorAll('#cases tbody tr').length") == before + 1
    assert "newcomer" in page.text("#cases tbody tr.new")
    assert page.said() == []


def hostile_manifest(key):
    """Every text of a manifest is somebody's try to become a part of the page."""
    where = {name: HOSTILE for name in ("place", "namespace", "pod", "pod_uid", "node", "container", "container_id", "image",
                                        "image_digest", "host", "cluster", "family", "revision", "task", "launch_type",
                                        "instance", "instance_type", "region", "zone")}
    return {"schema": "salvage.manifest/1", "id": HOSTILE, "key": key, "kind": "thread-dump", "cause": HOSTILE, "name": HOSTILE,
            "path": HOSTILE, "size": 7, "sha256": "0" * 64, "codec": "none", "stored_size": 7, "stored_sha256": "0" * 64,
            "partial": HOSTILE, "verified": HOSTILE, "tool": HOSTILE, "where": where,
            "process": {"pid": 7, "uid": 7, "jvm": HOSTILE, "command": HOSTILE}, "summary": HOSTILE,
            "top": [{"name": HOSTILE, "count": 7, "bytes": 7}], "origin": {"detail": HOSTILE, "time": HOSTILE, "file": HOSTILE}, "time": {"modified": "2026-11-21T01:56:05Z"}}


ANALYSIS = {
    "schema": "salvage.analysis/1", "reachable_bytes": 1000, "objects": 10,
    "suspects": [{"class": "a", "holder": "a", "count": 1, "retained_bytes": 900, "path": ["a", "b"], "point_class": "c",
                  "point_bytes": 7, "content": {"class": "d", "count": 3}}],
    "threads": [{"name": "t", "retained_bytes": 7, "out_of_memory": True, "frames": ["f", "g"]}],
    "classes": [{"class": "c", "count": 1, "bytes": 5, "retained_bytes": 6}], "packages": [{"package": "p", "retained_bytes": 6}],
    "loaders": [{"loader": "l", "retained_bytes": 6}],
    "waste": {"duplicate_strings": {"count": 1, "bytes": 2, "top": [{"text": "x", "length": 1, "count": 2, "bytes": 3}]}},
    "tree": [{"parent": None, "retained_bytes": 1000}, {"parent": 0, "class": "c", "retained_bytes": 900},
             {"parent": 1, "of_class": "k", "retained_bytes": 800}],
}
DIGEST = {
    "schema": "salvage.digest/1", "summary": "s", "partial": "p", "objects": 7, "bytes": 100,
    "largest_arrays": [{"class": "c", "length": 1, "bytes": 2}], "classes": [{"class": "c", "count": 1, "bytes": 2}],
    "threads": [{"serial": 1, "name": "n", "out_of_memory": True, "frames": ["f"]}],
    "repeated": {"contents": [{"class": "c", "size": 1, "about": 2, "text": "t"}, {"class": "c", "about": 1, "hex": "h"}]},
}


def spoiled(value):
    """The same with HOSTILE in the place of each text."""
    if isinstance(value, dict):
        return {name: one if name == "schema" else spoiled(one) for name, one in value.items()}
    return [spoiled(one) for one in value] if isinstance(value, list) else HOSTILE if isinstance(value, str) else value


@pytest.fixture
def hostile(salvage, work):
    root = work / "root"
    texts = {"threads.txt": HOSTILE * 3, "histogram.txt": " num #instances #bytes class name\n   1: 7 700 %s\n" % HOSTILE,
             "heap.hprof": HOSTILE, "oom-kill.json": json.dumps({**RECORD, "note": HOSTILE, "cgroup": {"limit": HOSTILE}, "why": HOSTILE,
                                          "process": {"pid": 1, "name": HOSTILE, "rss": 7},
                                          "tasks": [{"pid": 1, "name": HOSTILE, "rss": 7}]})}
    kinds = {"threads.txt": "thread-dump", "histogram.txt": "class-histogram", "oom-kill.json": "oom-kill",
             "heap.hprof": "heap-dump"}
    case, alone = "evil/pod-0/20261121T015605Z-java-oom-0123456789abcdef", "evil \"&'<b>/<i onclick=alert(1)>.txt"
    (root / case).mkdir(parents=True)
    (root / alone).parent.mkdir()
    (root / alone).write_text(HOSTILE)
    (root / (alone + ".json")).write_text(json.dumps(hostile_manifest(alone)))
    for file, text in texts.items():
        manifest = {**hostile_manifest("%s/%s" % (case, file)), "kind": kinds[file]}
        (root / case / file).write_text(text, encoding="utf-8")
        (root / case / (file + ".json")).write_text(json.dumps(manifest))
    (root / case / "analysis.json").write_text(json.dumps(spoiled(ANALYSIS)))
    (root / case / "digest.json").write_text(json.dumps(spoiled(DIGEST)))
    serve = Serve(salvage, work, "--anonymous-read", root=root)
    wait_for(lambda: serve.get("/-/cases").body.count(b"data-id") == 2, 10, "the cases are not known")
    return serve, case, alone


def test_no_text_of_evidence_becomes_a_part_of_the_page(hostile, browser):
    serve, case, alone = hostile
    path = "/-/case/" + urllib.parse.quote(case)
    query = urllib.parse.urlencode({"q": HOSTILE, "namespace": HOSTILE, "cause": HOSTILE, "workload": HOSTILE, "pod": HOSTILE,
                                    "since": HOSTILE, "until": HOSTILE, "loops": HOSTILE})
    for url in ("/-/cases", "/-/cases?" + query, path, "/-/case/" + urllib.parse.quote(alone), path + "?show=threads.txt&q=" + urllib.parse.quote(HOSTILE),
                path + "?show=histogram.txt", path + "?show=oom-kill.json", path + "?show=" + urllib.parse.quote(HOSTILE)):
        page = browser.page()
        page.open(serve.url + url)
        found = page.evaluate("""({pwned: window.pwned, scripts: document.querySelectorAll('script').length,
            alien: document.querySelectorAll('main img, main b:empty, main script, main iframe, [onerror]').length})""")
        assert found == {"scripts": 2 if url == path else 1, "alien": 0}, url
        assert page.said() == [] or "404" in page.said()[0], (url, page.said())
        page.close()
    page = browser.page()
    page.open(serve.url + path)
    shown = HOSTILE.replace("\u202e", "\ufffd")
    assert page.text("pre[aria-label='threads.txt']").startswith(shown)
    assert shown in page.text("#suspects") and shown in page.text("#tree") and shown in page.text("#arrays")
    assert page.axe() == []
    assert "49" not in page.text("h1") and "{{7*7}}" in page.text()
    assert shown in page.evaluate("document.querySelector('.two > div:last-child .facts').textContent")


def test_a_manifest_cannot_lead_to_what_its_reader_may_not_see(salvage, work):
    """One who may write to `shop` says of an object there that its bytes are those of another namespace."""
    root = work / "root"
    (root / "pay/till").mkdir(parents=True)
    (root / "pay/till/threads.txt").write_text("secret of pay")
    case = "shop/cart-0/20261121T015605Z-manual-0123456789abcdef"
    (root / case).mkdir(parents=True)
    keys = {"a": "pay/till/threads.txt", "b": case + "/../../../pay/till/threads.txt", "c": case + "x/threads.txt",
            "threads": case + "/threads.txt"}
    for name, key in keys.items():
        (root / case / (name + ".txt")).write_text("own text")
        manifest = {**hostile_manifest(key), "kind": "thread-dump", "size": 8, "stored_size": 8}
        (root / case / (name + ".txt.json")).write_text(json.dumps(manifest))
    tokens = work / "tokens"
    tokens.write_text("dev dev-token-of-a-test-1 read shop\n")
    tokens.chmod(0o600)
    serve = Serve(salvage, work, "--tokens", tokens, root=root)
    ask = {"token": "dev-token-of-a-test-1", "headers": {"Accept": "text/html"}}
    wait_for(lambda: b"data-id" in serve.get("/-/cases", **ask).body, 10, "the case is not known")
    page = serve.get("/-/case/" + case, **ask).body.decode()
    assert "own text" in page and "secret of pay" not in page and "3 of 4 objects are not shown" in page
    assert "secret" not in serve.get("/-/case/%s?show=threads.txt" % case, **ask).body.decode()


def test_who_may_only_list_learns_why_and_no_more(salvage, work, site, browser):
    tokens = work / "tokens"
    tokens.write_text("looker looker-token-of-a-test list payments\n")
    tokens.chmod(0o600)
    shutil.copytree(site.serve.root, work / "root", ignore=shutil.ignore_patterns(".salvage"))
    serve = Serve(salvage, work, "--tokens", tokens, root=work / "root")
    token, html = "looker-token-of-a-test", {"Accept": "text/html"}

    def get(path):
        return serve.get(path, token=token, headers=html)

    wait_for(lambda: b"data-id" in get("/-/cases").body, 10, "no case is known")
    cases = get("/-/cases").body.decode()
    assert "ledger" in cases and "search" in cases and "cart" not in cases and "shop" not in cases
    killed = get(site.path(site.folder_of("payments/search-*/*oom-kill*")))
    assert killed.status == 200 and b"reached its memory limit" in killed.body and b"the right to read" in killed.body
    assert b"?decoded" not in killed.body and b"salvage get" not in killed.body
    crash = site.folder_of("payments/ledger-*/*signal*")
    assert b"SIGSEGV" in get(site.path(crash)).body and b"Problematic frame" not in get(site.path(crash)).body
    assert get(site.path(crash, show="hs_err.log.zst")).status == 403
    for path in (site.path(site.oom), site.path(site.oom, show="heap.hprof.zst"), "/-/case/shop/nope"):
        assert get(path).status == 404
    assert serve.get("/-/cases", headers=html).status == 303
    assert serve.get("/-/events").status == 401
    page = browser.page()
    page.open(serve.url + "/-/cases")
    assert page.text("h1") == "Sign in" and page.said()[1:] == []


def test_over_a_bucket_pages_are_the_same(salvage, work, s3):
    dump = work / "threads-one.txt"
    dump.write_text('Full thread dump\n\n"main" #1 prio=5\n\n"worker-7" #8 prio=5\n')
    salvage.ok("ship", dump, "--to", s3.url, *s3.args, env={**s3.env, **pod("shop", "cart-7f9c8d6b54-x2kq4", "cart")})
    serve = Serve(salvage, work, "--from", s3.url, *s3.args, "--anonymous-read", env=s3.env)
    wait_for(lambda: b"data-id" in serve.get("/-/cases").body, 10, "the case is not known")
    path = re.search(rb'/-/case/[^"?]+', serve.get("/-/cases").body).group().decode()
    assert b"Thread dump of cart, taken by hand." in serve.get(path).body
    shown = serve.get(path + "?show=threads-one.txt.zst&q=worker").body.decode()
    assert "<mark>worker</mark>-7" in shown and "main&quot;" not in shown
    assert "shop" in serve.get("/-/usage").body.decode()


def test_signed_in_one_makes_a_link_and_signs_out(site, browser):
    page = browser.page()
    page.open(site.serve.url + "/-/login")
    page.evaluate("document.querySelector('#token').value = %s" % json.dumps(site.serve.token))
    page.after_load(lambda: page.evaluate("document.querySelector('.sign form').requestSubmit()"))
    assert page.text("h1") == "Cases" and "Sign out" in page.text(".who")
    page.open(site.serve.url + site.path(site.oom))
    assert "$SALVAGE_HTTP_TOKEN" in page.evaluate("document.querySelectorAll('.copy code')[1].textContent")
    page.after_load(lambda: page.evaluate("document.querySelector('form[action*=link]').requestSubmit()"))
    link = page.text(".copy code")
    assert link.startswith(site.serve.url + "/" + site.oom + "/heap.hprof.zst?") and page.axe() == []
    assert site.serve.get(link[len(site.serve.url):]).status == 200
    page.after_load(lambda: page.evaluate("document.querySelector('.who form').requestSubmit()"))
    assert "Sign in" in page.text("header")
    assert [line for line in page.said() if "username fields" not in line and "Clear-Site" not in line] == []


def test_what_a_browser_is_told(site):
    page = site.serve.get("/-/cases")
    assert page.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'")
    assert page.headers["X-Content-Type-Options"] == "nosniff" and page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    files = sorted(set(re.findall(r"/-/static/[0-9a-f]{12}/[a-z.]+", page.body.decode())))
    assert [os.path.basename(file) for file in files] == ["icon.svg", "page.css", "page.js"] or len(files) == 3
    for file in files:
        answer = site.serve.get(file)
        assert answer.status == 200 and "immutable" in answer.headers["Cache-Control"] and len(answer.body) < 20000
        assert site.serve.get(file.replace("/-/static/", "/-/static/0")).status == 404
    assert site.serve.get("/-/nothing", headers={"Accept": "text/html"}).body.startswith(b"<!DOCTYPE html>")
    assert site.serve.get("/-/nothing", headers={"Accept": "*/*"}).body == b"There is no such page.\n"
    assert site.serve.request("POST", "/-/cases").status == 405


def test_an_empty_store_says_what_to_do(salvage, work, browser):
    serve = Serve(salvage, work, "--anonymous-read")
    page = browser.page()
    page.open(serve.url)
    assert "No cases yet" in page.text()
    assert page.text(".empty .copy code") == "salvage watch /dumps --to %s/" % serve.url
    assert "SALVAGE_HTTP_TOKEN" in page.text(".empty")
    assert page.axe() == []


def test_pages_that_wait_for_news_are_counted_and_end(salvage, work):
    serve = Serve(salvage, work, "--anonymous-read")
    waiting = []
    for _ in range(64):
        connection = serve.connect()
        connection.sendall(b"GET /-/events HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        waiting.append(connection)
    refused = serve.get("/-/events")
    assert refused.status == 503 and refused.headers["Retry-After"]
    waiting.pop().close()
    begun = time.monotonic()
    assert serve.stop() == 0
    assert time.monotonic() - begun < 8
    for connection in waiting:
        connection.close()
