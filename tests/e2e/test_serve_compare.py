# SPDX-License-Identifier: Apache-2.0
"""/-/compare of serve: what grew between the heaps of two cases, from their analyses or digests alone."""
import os
import pathlib
import re
import shutil
import tempfile
import urllib.parse

import pytest
from helpers.proc import wait_for
from helpers.program import Salvage
from helpers.serve import Serve

CACHE = "static Grows.CACHE (java.util.HashMap)"


class Site:
    """Two analysed heaps of one workload, the same two with digests only, and one of another workload."""

    def __init__(self, folder, grown):
        (folder / "home").mkdir()
        self.salvage = Salvage(folder / "home")
        self.serve = Serve(self.salvage, folder, "--anonymous-read")
        credentials = folder / "credentials"
        credentials.write_text("bearer " + self.serve.token)
        credentials.chmod(0o600)
        self.cases = []
        for number, (dump, workload, more) in enumerate([(grown[0], "cart", ["--inspect"]), (grown[1], "cart", ["--inspect"]),
                                                         (grown[0], "mail", []), (grown[1], "mail", []), (grown[1], "bill", [])]):
            env = {"POD_NAMESPACE": "shop", "POD_NAME": "%s-7f9c8d6b54-x2kq%s" % (workload, "24567"[number]), "CONTAINER_NAME": workload}
            done = self.salvage.run("ship", dump, "--keep", "--memory", "256M", *more, "--to", self.serve.url + "/",
                                    "--credentials-file", credentials, "--state", folder / ("state%d" % number), env=env)
            assert done.code == 0, done
            self.cases.append(os.path.dirname(urllib.parse.urlsplit(done.out.strip()).path.lstrip("/")))
        wait_for(lambda: len(re.findall(rb'data-id="', self.serve.get("/-/cases?loops=apart").body)) == 5, 20, "not all cases are known")

    def path(self, **query):
        return "/-/compare?" + urllib.parse.urlencode({name: self.cases[number] for name, number in query.items()})


@pytest.fixture(scope="module")
def site(session_folder, grown):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="compare-", dir=session_folder))
    folder.chmod(0o755)
    made = Site(folder, grown)
    yield made
    made.salvage.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("size, dark", [((1280, 900), False), ((390, 844), True)])
def test_from_the_case_to_the_suspect_that_grew(site, browser, size, dark):
    page = browser.page(*size, dark).open(site.serve.url + "/-/case/" + urllib.parse.quote(site.cases[1]))
    page.after_load(lambda: page.evaluate("document.querySelector('a[href*=compare\\\\?b]').click()"))
    assert re.fullmatch(re.escape(CACHE) + r" keeps [\d.]+ MiB more alive\.", page.text("h1")), page.text("h1")
    assert page.evaluate("[document.querySelector('#a').value, document.querySelector('#b').value]") == site.cases[:2]
    assert page.evaluate("document.querySelector('#a').options.length") == 2  # of this workload
    text = page.text()
    for part in ("Grew: " + CACHE, "Shrank: static Grows$Sessions.PAGES", "4000 → 30000 × Grows$Order", "cart-7f9c8d6b54-x2kq2"):
        assert part in text, part
    rows = page.evaluate("[...document.querySelectorAll('table.bars')[0].tBodies[0].rows].map(r => [...r.cells].map(c => c.innerText.trim()))")
    orders, = [row for row in rows if row[0] == "Grows$Order"]
    assert orders[4] == "+26000" and orders[3].startswith("+")
    assert page.overflow() == 0 and page.axe() == [] and page.said() == []
    page.close()


def test_digests_are_compared_by_class(site, browser):
    page = browser.page().open(site.serve.url + site.path(a=2, b=3))
    assert "most of all byte[] with +" in page.text("h1")
    text = page.text()
    assert "Heap, with garbage" in text and "Suspects" not in text and "Keep alive" not in text and "+26000" in text
    assert page.axe() == []
    page.open(site.serve.url + site.path(a=0, b=3))  # an analysis beside a digest
    assert "+26000" in page.text() and "Suspects" not in page.text()
    page.close()


def test_what_can_not_be_compared_is_said(site):
    assert b"Nothing else of this workload to compare with" in site.serve.get(site.path(b=4)).body
    digest = site.serve.root / site.cases[4] / "digest.json"
    digest.write_text("{}")
    answer = site.serve.get(site.path(a=3, b=4))
    assert answer.status == 200 and b"nothing is known yet of the heap of shop/bill-" in answer.body
    digest.write_text('{"schema": "salvage.digest/1", "classes": [{"class": "<img src=x>", "count": 1, "bytes": 1000000000}]}')
    body = site.serve.get(site.path(a=3, b=4)).body
    assert b"<img" not in body and b"&lt;img src=x" in body
    assert site.serve.get("/-/compare?b=shop/nope").status == 404
