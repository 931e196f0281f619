# SPDX-License-Identifier: Apache-2.0
"""What versions before have left is gone on with: claims, journals of uploads, manifests, catalogues. The states are those that
this version leaves, with what each version before wrote otherwise."""
import json
import sqlite3
import time

import pytest

from helpers.evidence import drop, left_in, spool_of
from helpers.proc import wait_for

SIZE = 40 << 20


def without(*names):
    return lambda record: {k: v for k, v in record.items() if k not in names}


def renamed(before, now):
    return lambda record: {before if k == now else k: v for k, v in record.items()}


def same(record):
    return record


# What a claim's fields and a line of a journal were before, the oldest first.
CLAIMS = {
    "no-process": without("pid", "jvm", "command", "row", "pause_us", "pause_by", "consistent", "cause_given", "namespace", "pod", "pod_uid",
                          "container"),
    "no-row": without("row", "pause_us", "pause_by", "consistent", "cause_given", "namespace", "pod", "pod_uid", "container"),
    "no-pod": without("namespace", "pod", "pod_uid", "container"),
}
JOURNALS = {"receipt": renamed("receipt", "etag"), "now": same}


def rewrite(path, change):
    path.write_text("".join(json.dumps(change(json.loads(line)), separators=(",", ":")) + "\n" for line in path.read_text().splitlines()
                            if line.endswith("}")))


def parts_of(proxy):
    return [int(r.query["partNumber"]) for r in proxy.seen(lambda r: r.is_part) if r.status == 200]


@pytest.fixture
def broken_off(salvage, dumps, s3, proxy):
    """A watch that is killed in the middle of an upload: what it leaves, and how it goes on."""
    total = drop(dumps, "app.hprof", SIZE, seed=31)
    options = [dumps, *s3.through(proxy).options(), "--compress", "none"]
    proxy.rate = 32 << 20
    first = salvage.start("watch", *options, "--log", "json", env=s3.env)
    spool = dumps / ".salvage" / "spool"
    journal = wait_for(lambda: next((p for p in spool.glob("*/journal") if p.read_text().count('{"part":') >= 3), None), 30, "no parts")
    first.kill()
    proxy.rate = None
    time.sleep(0.2)
    before = len(proxy.seen())

    def go_on():
        second = salvage.start("watch", *options, "--log", "json", "--once", env=s3.env)
        assert second.end() == 0, second.log
        s3.check_one(total)
        assert left_in(dumps) == [] and spool_of(dumps) == []
        return second, [int(r.query["partNumber"]) for r in proxy.requests[before:] if r.is_part]
    return journal, go_on


@pytest.mark.parametrize("claim_form, journal_form", [("no-process", "receipt"), ("no-row", "receipt"), ("no-pod", "now")])
def test_an_upload_of_a_version_before_goes_on(broken_off, claim_form, journal_form):
    journal, go_on = broken_off
    rewrite(journal.parent / "claim.json", CLAIMS[claim_form])
    rewrite(journal, JOURNALS[journal_form])
    second, again = go_on()
    assert len(second.named("resumed")) == 1 and not {1, 2} & set(again) and again


def test_an_upload_of_a_later_version_begins_anew(broken_off, s3):
    """After a way back: the journal can't be trusted, the evidence can. What it had sent is swept with what was abandoned."""
    journal, go_on = broken_off
    s3.clear_uploads()
    rewrite(journal, lambda line: {**line, "journal": 2} if "journal" in line else line)
    second, again = go_on()
    assert second.named("resumed") == [] and set(again) >= {1, 2}


def test_manifests_of_a_version_before_are_listed_fetched_and_shown(salvage, dumps, work, serve):
    """Without all that is not needed: no sentence, no top classes, no digest, no place but the key."""
    drop(dumps, "app.hprof", 5000, seed=32)
    evidence = (dumps / "app.hprof").read_bytes()
    store = work / "root"
    salvage.ok("ship", dumps / "app.hprof", "--to", "file://%s" % store, "--no-digest")
    path, = store.rglob("*.hprof.zst.json")
    manifest = json.loads(path.read_text())
    least = {k: manifest[k] for k in ("schema", "key", "name", "kind", "codec", "size", "sha256", "stored_size", "stored_sha256", "time")}
    path.write_text(json.dumps(least))
    key = least["key"]
    assert key in salvage.ok("ls", "--to", "file://%s" % store).out
    salvage.ok("get", "file://%s/%s" % (store, key), "--output", work / "back.hprof")
    assert (work / "back.hprof").read_bytes() == evidence
    server = serve("--anonymous-read", root=store)
    page = server.get("/" + key.rpartition("/")[0] + "/", headers={"Accept": "text/html"})
    assert page.status == 200 and b"heap.hprof" in page.body


def test_a_catalogue_of_another_version_is_made_anew(salvage, dumps, work, serve):
    drop(dumps, "app.hprof", 5000, seed=33)
    store = work / "root"
    salvage.ok("ship", dumps / "app.hprof", "--to", "file://%s" % store)
    server = serve("--anonymous-read", root=store)
    (case,) = wait_for(lambda: json.loads(server.get("/-/api/cases").body)["cases"], 10, "it is not listed")
    server.stop()
    (path,) = store.rglob("catalogue.sqlite")
    with sqlite3.connect(path) as index:
        now = index.execute("PRAGMA user_version").fetchone()[0]
        index.execute("PRAGMA user_version = %d" % (now - 1))
    server = serve("--anonymous-read", root=store)
    wait_for(lambda: json.loads(server.get("/-/api/cases").body)["cases"] == [case], 10, "it is not listed again")
    assert "it is of another version" in server.program.log
