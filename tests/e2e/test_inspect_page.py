# SPDX-License-Identifier: Apache-2.0
"""salvage inspect --html: one file that a browser shows from a folder, without script and with it, and that asks for nothing."""
import os
import pathlib
import stat

import pytest
from helpers import jvm

DESKTOP, PHONE = (1280, 900), (390, 844)
NAME, HOSTILE = b"order-writer", b"<script>a()<"  # of the same length: a dump can be changed in its place
PICTURES = os.environ.get("SALVAGE_TEST_PICTURES")


@pytest.fixture(scope="module")
def dump(session_folder, java_classes):
    path = session_folder / "page.hprof"
    jvm.Jvm(java_classes).die(path, "static-map", program="Leaks")
    return path


def page_of(salvage, dump, path):
    said = salvage.ok("inspect", dump, "--html", path)
    assert said.out == "", said
    return path


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_it_says_what_leaks_and_everyone_can_read_it(salvage, work, browser, dump, size, dark):
    path = page_of(salvage, dump, work / "heap.html")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    page = browser.page(*size, dark).open(path.as_uri())
    assert "static Leaks.CACHE (java.util.HashMap) keeps" in page.text("h1")
    text = page.text()
    assert 'Thread "order-writer" ran out of memory at Leaks' in text and "Leaks$Order" in text
    assert page.overflow() == 0 and page.axe() == [] and page.said() == []
    if PICTURES and (size, dark) == (DESKTOP, False):
        page.screenshot(pathlib.Path(PICTURES) / "inspect.png", whole=False)
    page.close()


def test_tables_sort_and_the_picture_leads_into_the_tree(salvage, work, browser, dump):
    page = browser.page().open(page_of(salvage, dump, work / "heap.html").as_uri())
    names = "[...document.querySelectorAll('table.bars')[0].tBodies[0].rows].map((r) => r.cells[0].textContent)"
    page.evaluate("document.querySelector('table.bars th button').click()")
    up = page.evaluate(names)
    assert up == page.evaluate("[...%s].sort((a, b) => a.localeCompare(b))" % names)
    page.evaluate("document.querySelector('table.bars th button').click()")
    assert page.evaluate(names) == up[::-1]
    assert page.evaluate("document.querySelectorAll('th[aria-sort]').length") == 1
    cells = page.evaluate("document.querySelectorAll('.treemap [data-node]').length")
    assert cells > 1
    page.evaluate("document.querySelector('.treemap [data-node]').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    assert page.evaluate("document.querySelectorAll('.tree .found').length") == 1
    page.close()


def test_without_script_all_of_it_is_there(salvage, work, browser, dump):
    page = browser.page(script=False).open(page_of(salvage, dump, work / "heap.html").as_uri())
    assert page.evaluate("document.querySelectorAll('.tree details, .thread').length") > 1
    assert page.said() == []
    page.close()


def test_what_a_dump_says_is_text(salvage, work, browser, dump):
    hostile = work / "hostile.hprof"
    data = dump.read_bytes()
    assert NAME in data
    hostile.write_bytes(data.replace(NAME, HOSTILE))
    path = page_of(salvage, hostile, work / "heap.html")
    page = browser.page().open(path.as_uri())
    assert HOSTILE.decode() in page.text()
    assert page.evaluate("document.scripts.length") == 1 and page.said() == []
    page.close()


def test_to_stdout_and_what_can_not_be_written(salvage, work, dump):
    assert salvage.ok("inspect", dump, "--html", "-").out.startswith("<!doctype html>")
    bad = salvage.run("inspect", dump, "--html", work / "none/heap.html")
    assert bad.code != 0 and bad.err.count("\n") == 1 and "No such file or directory" in bad.err, bad
    assert salvage.run("inspect", dump, "--html", work / "x.html", "--json").code == 2
