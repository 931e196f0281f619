# SPDX-License-Identifier: Apache-2.0
"""salvage inspect A B: what grew in a JVM between two moments, from dumps or from what their cases say."""
import gzip
import json
import os
import re
import subprocess

from helpers.browser import Browser

USAGE = 2
CACHE, PAGES = "static Grows.CACHE (java.util.HashMap)", "static Grows$Sessions.PAGES (java.util.ArrayList)"
BEFORE, AFTER = 4000, 30000  # orders in the map, by Grows.java; the list goes from BEFORE pages to 100


def compare(salvage, a, b, *more):
    return json.loads(salvage.ok("inspect", a, b, "--json", *more).out)


def named(rows, name):
    return next(row for row in rows if row["class"] == name)


def test_the_suspect_that_grew_is_named_first(salvage, grown):
    found = compare(salvage, *grown)
    whole = [json.loads(salvage.ok("inspect", dump, "--json").out) for dump in grown]
    first, last = found["suspects"][0], found["suspects"][-1]
    assert (first["change"], first["holder"]) == ("grew", CACHE)
    assert first["retained_bytes_after"] - first["retained_bytes_before"] > 200 * (AFTER - BEFORE)
    assert (first["content_before"]["count"], first["content_after"]["count"]) == (BEFORE, AFTER)
    assert (last["change"], last["holder"]) == ("shrank", PAGES)  # is no suspect any more, but still in the tree
    assert 0 < last["retained_bytes_after"] < last["retained_bytes_before"] / 20
    orders, pages = named(found["classes"], "Grows$Order"), named(found["classes"], "Grows$Page")
    assert (orders["count_before"], orders["count_after"], pages["count_before"], pages["count_after"]) == (BEFORE, AFTER, BEFORE, 100)
    growth = [row["bytes_after"] - row["bytes_before"] for row in found["classes"]]
    assert growth == sorted(growth, reverse=True) and growth[0] > 0 > growth[-1]
    for side, one in zip(("before", "after"), whole):
        assert found[side]["reachable_bytes"] == one["reachable_bytes"]
        row = named(one["classes"], "Grows$Order")
        assert orders["retained_bytes_" + side] == row["retained_bytes"]
        assert orders["bytes_" + side] == row["bytes"] - row["unreachable_bytes"]
    assert any(row["loader"].endswith("AppClassLoader") and row["loaders_after"] == 1 for row in found["loaders"])
    assert any(row["package"] == "java.util" for row in found["packages"])
    lines = salvage.ok("inspect", *grown, "--top", "3").out.splitlines()
    assert lines[0].startswith("before.hprof → after.hprof · 20")
    assert re.fullmatch(rf"  GREW +{re.escape(CACHE)} kept .* MiB \(\d+ %\), now .* MiB \(\d+ %\), \+.* MiB: 4000 → 30000 × Grows\$Order", lines[2]), lines[2]
    assert len(lines) < 24 and sum(re.match(r" +\+[\d.]+ [KM]iB", line) is not None for line in lines) == 3, lines


def test_the_other_way_round_it_shrank(salvage, grown):
    there, back = compare(salvage, *grown), compare(salvage, *reversed(grown))
    assert [s["change"] for s in back["suspects"]] == ["grew", "shrank"] and back["suspects"][-1]["holder"] == CACHE
    assert {r["class"]: (r["bytes_before"], r["bytes_after"]) for r in there["classes"]} == \
        {r["class"]: (r["bytes_after"], r["bytes_before"]) for r in back["classes"]}
    assert "The second dump is older than the first." in salvage.ok("inspect", *reversed(grown)).out


def test_a_heap_and_itself_do_not_differ(salvage, grown):
    found = compare(salvage, grown[0], grown[0])
    assert found["classes"] == found["packages"] == found["loaders"] == []
    assert {s["change"] for s in found["suspects"]} == {"same"}
    assert found["before"]["name"] == found["after"]["name"] == str(grown[0])  # not only "before.hprof", which both are


def test_heaps_of_different_programs(salvage, grown, real_dump):
    found = compare(salvage, grown[0], real_dump)
    changes = {s["holder"]: s for s in found["suspects"]}
    assert changes[PAGES]["change"] == "gone" and changes[PAGES]["retained_bytes_after"] is None
    assert any(s["change"] == "new" and s["retained_bytes_before"] is None for s in found["suspects"])


def test_no_answer_depends_on_memory_threads_or_compression(salvage, work, grown):
    usual = salvage.ok("inspect", *grown, "--json").out
    assert salvage.ok("inspect", *grown, "--json", "--memory", "64K", "--verify").out == usual
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert salvage.ok("inspect", *grown, "--json").out == usual
    finally:
        os.sched_setaffinity(0, allowed)
    (work / "before.hprof").write_bytes(gzip.compress(grown[0].read_bytes(), 1))
    subprocess.run(["zstd", "-q", str(grown[1]), "-o", str(work / "after.hprof")], check=True)
    assert salvage.ok("inspect", work / "before.hprof", work / "after.hprof", "--json").out == usual


def test_two_cases_by_what_is_known_of_them(salvage, work, folder, grown):
    """Where a case has its analysis, its dump is not read."""
    urls = [salvage.ok("ship", dump, "--keep", "--to", folder.url, *more).out.strip()
            for dump, more in zip(grown, ([], ["--inspect", "--memory", "256M"]))]
    found = [compare(salvage, *what, "--to", folder.url) for what in (urls, [url[len(folder.url) + 1:] for url in urls])]
    usual = compare(salvage, *grown)
    assert [found[0][side]["name"] for side in ("before", "after")] == ["/".join(url.split("/")[-2:]) for url in urls]
    for one in found:
        assert [one[part] for part in ("suspects", "classes", "packages", "loaders")] == \
            [usual[part] for part in ("suspects", "classes", "packages", "loaders")]
    dump = folder.root / urls[1][len(folder.url) + 1:]
    dump.write_bytes(b"no dump")
    assert compare(salvage, *urls)["suspects"] == usual["suspects"]
    assert salvage.run("inspect", *urls, "--verify").code != 0  # of dumps alone
    analysis = dump.parent / "analysis.json"
    analysis.write_text(analysis.read_text().replace(dump.name, "other.hprof.zst"))
    assert salvage.run("inspect", *urls).code != 0  # it is another dump's


def test_two_thread_dumps(salvage, work):
    text = 'Full thread dump X (1):\n\n"%s" #1 prio=5 cpu=%s elapsed=9.00s tid=0x1 nid=0x2 runnable [0x0]\n' \
        "   java.lang.Thread.State: RUNNABLE\n\tat A.b(A.java:1)\n"
    (work / "one.txt").write_text(text % ("http-1", "10.00ms"))
    (work / "two.txt").write_text(text % ("http-1", "20.00ms"))
    found = compare(salvage, work / "one.txt", work / "two.txt")
    assert found["schema"] == "salvage.threads/1" and found["compared"]["dumps"] == 2 and found["compared"]["same_stack"] == 1
    assert "COMPARED   2 dumps" in salvage.ok("inspect", work / "one.txt", work / "two.txt").out


def test_what_can_not_be_compared_is_one_clear_line(salvage, work, grown):
    threads, broken = work / "threads.txt", work / "broken.json"
    threads.write_text('Full thread dump X (1):\n\n"a" #1 prio=5 tid=0x1 nid=0x2 runnable [0x0]\n\tat A.b(A.java:1)\n')
    broken.write_text('{"schema": "salvage.analysis/1", "classes": [')
    cut = work / "cut.hprof"
    cut.write_bytes(grown[1].read_bytes()[:1 << 20])
    nothing = work / "nothing"
    nothing.write_bytes(b"")
    for what, words in (([grown[0], threads], "the first is a heap dump, the second a thread dump"),
                        ([broken, grown[0]], "broken.json: an analysis that is damaged"),
                        ([grown[0], nothing], "nothing: "), ([grown[0], work / "none"], "none: No such file"),
                        ([grown[0], grown[1], grown[1]], "two to be compared"), (["-", "-"], "only one of two"),
                        ([grown[0], grown[1], "--path", "Grows"], "questions about one dump"),
                        ([threads, threads, "--html", "-"], "these are thread dumps")):
        done = salvage.run("inspect", *what)
        assert done.code != 0 and done.out == "" and done.err.count("\n") == 1 and words in done.err, done
    done = salvage.ok("inspect", grown[0], cut)
    assert "The second dump is not whole" in done.out


def test_a_kept_analysis_is_only_text(salvage, work, grown):
    found = json.loads(salvage.ok("inspect", grown[0], "--json").out)
    found["suspects"][0]["holder"] = "static \x1b[31m<script>alert(1)</script>"
    found["classes"].append({"class": "<img src=x>\x1b]0;x", "count": 1, "bytes": 1 << 62})
    found["tree"] = [{"parent": 7}, 3, {"parent": "x", "retained_bytes": -1}]
    (work / "a.json").write_text(json.dumps(found))
    said = salvage.ok("inspect", grown[1], work / "a.json").out
    assert "\x1b" not in said and "<script>" in said
    page = salvage.ok("inspect", grown[1], work / "a.json", "--html", "-").out
    assert page.count("<script>") == 1 and "<img" not in page and "&lt;script&gt;alert" in page


def test_the_page_can_be_read_by_everyone(salvage, work, grown):
    path = work / "grew.html"
    assert salvage.ok("inspect", *grown, "--html", path).out == ""
    with Browser() as browser:
        for size, dark in (((1280, 900), False), ((390, 844), True)):
            page = browser.page(*size, dark).open(path.as_uri())
            assert CACHE + " keeps" in page.text("h1") and "4000 → 30000" in page.text()
            assert page.overflow() == 0 and page.axe() == [] and page.said() == []
            head = "[...document.querySelectorAll('table.bars thead')[0].rows[0].cells][3].querySelector('button')"
            page.evaluate(head + ".click()")
            numbers = page.evaluate("[...document.querySelectorAll('table.bars')[0].tBodies[0].rows].map((r) => +r.cells[3].dataset.sort)")
            assert numbers == sorted(numbers, reverse=True) and numbers[0] > 0 > numbers[-1]
            page.close()
