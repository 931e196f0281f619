# SPDX-License-Identifier: Apache-2.0
"""What a server knows of its store: cases found, health, metrics."""
import datetime
import json
import time
import urllib.parse

from helpers import openmetrics
from helpers.case_store import make, put_case
from helpers.proc import wait_for
from helpers.serve import Serve

AT = datetime.datetime(2026, 11, 21, 1, 56, 5, tzinfo=datetime.timezone.utc)
OPS = "ops-token-of-a-test-1"


def start(salvage, work, *args, env=None):
    tokens = work / "tokens"
    tokens.write_text("ops %s admin *\ndev dev-token-of-a-test-1 read shop\n" % OPS)
    tokens.chmod(0o600)
    return Serve(salvage, work, "--tokens", tokens, *args, env=env)


def metrics(serve):
    answer = serve.get("/metrics", token=OPS)
    assert answer.status == 200 and answer.headers["Content-Type"] == openmetrics.TYPE
    return openmetrics.parse(answer.body)


def cases(serve):
    return sum(metrics(serve).get("salvage_cases", {}).values())


def test_health_and_readiness_need_no_token(salvage, work):
    serve = start(salvage, work)
    assert serve.get("/healthz").body == b"ok\n"
    wait_for(lambda: serve.get("/readyz").status == 200, 10, "not ready")
    assert serve.request("PUT", "/healthz", b"x", token=OPS).status == 405


def test_a_store_that_cannot_be_listed_is_said(salvage, work):
    serve = Serve(salvage, work, "--from", "s3://no-such-bucket-of-a-test/x", "--endpoint", "http://127.0.0.1:9",
                  "--anonymous-read",
                  env={"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})
    stale = serve.wait("catalogue-stale", timeout=60)
    answer = serve.get("/readyz")
    assert answer.status == 503 and b"127.0.0.1" in answer.body and stale["fault"] == "unreachable"
    assert serve.get("/healthz").status == 200


def test_metrics_are_for_admins_and_strict(salvage, work):
    serve = start(salvage, work)
    put_case(serve.root, "shop", "cart-0", AT, number=1)
    put_case(serve.root, "bank", "ledger-0", AT, number=2)
    serve.restart()
    assert serve.get("/metrics").status == 401
    assert serve.get("/metrics", token="dev-token-of-a-test-1").status in (403, 404)
    wait_for(lambda: cases(serve) == 2, 10, "not found")
    found = metrics(serve)
    assert found["salvage_cases"] == {"shop": 1, "bank": 1}
    assert found["salvage_stored_bytes"]["shop"] > 10 and found["salvage_objects"]["bank"] == 1
    assert found["salvage_http_requests_total"]["401"] == 1
    assert found["salvage_events_total"]["serving"] == 1 and found["salvage_events_total"]["gave-up"] == 0
    assert 0 < found["salvage_disk_free_bytes"][""] <= found["salvage_disk_size_bytes"][""]
    assert found["salvage_ready"][""] == 1 and abs(found["salvage_listed_timestamp_seconds"][""] - time.time()) < 60
    assert found["salvage_build_info"] == {salvage.run("--version").out.split()[1].strip(): 1}


def test_metrics_have_an_address_of_their_own(salvage, work):
    serve = start(salvage, work, "--metrics", "127.0.0.1:0")
    address = serve.wait("metrics")["address"]
    host, _, port = address.rpartition(":")
    serve.host, serve.port = host, int(port)
    answer = serve.get("/metrics")
    assert answer.status == 200 and openmetrics.parse(answer.body)["salvage_build_info"]
    assert serve.get("/healthz").status == 200
    assert serve.get("/-/cases").status == 404 and serve.request("PUT", "/metrics", b"x").status == 405


def test_what_comes_through_the_server_is_known_at_once(salvage, work):
    serve = start(salvage, work)
    key = put_case(work / "made", "shop", "cart-0", AT, number=1)
    for name in key, key + ".json":
        assert serve.request("PUT", "/" + name, (work / "made" / name).read_bytes(), token=OPS).status == 201
    wait_for(lambda: cases(serve) == 1, 5, "not known")
    assert serve.request("DELETE", "/" + key + ".json", token=OPS).status in (200, 204)
    wait_for(lambda: cases(serve) == 0, 5, "still known")


def test_what_others_put_and_take_is_found_by_listing(salvage, work):
    serve = start(salvage, work, "--refresh", "300ms")
    make(serve.root, 50)
    wait_for(lambda: cases(serve) == 50, 10, "not found")
    for path in serve.root.glob("shop/*/*/*"):
        path.unlink()
    wait_for(lambda: "shop" not in metrics(serve)["salvage_cases"], 10, "not forgotten")


def test_an_index_that_is_damaged_is_made_anew(salvage, work):
    serve = start(salvage, work)
    make(serve.root, 200)
    serve.restart()
    wait_for(lambda: cases(serve) == 200, 10, "not found")
    index = serve.root / ".salvage" / "catalogue.sqlite"
    assert index.stat().st_mode & 0o777 == 0o600
    serve.program.kill()
    data = bytearray(index.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    index.write_bytes(data)
    for name in "-wal", "-shm":
        (serve.root / ".salvage" / ("catalogue.sqlite" + name)).unlink(missing_ok=True)
    serve.start(serve.address)
    wait_for(lambda: cases(serve) == 200, 10, "not made anew")
    assert serve.wait("catalogue-anew")["reason"]


def test_an_index_is_warm_after_a_restart(salvage, work):
    serve = start(salvage, work)
    make(serve.root, 500)
    serve.restart()
    wait_for(lambda: cases(serve) == 500, 20, "not found")
    serve.restart()
    assert cases(serve) == 500  # before the store is listed again
    assert not [e for e in serve.events if e["event"] == "catalogue-anew"]


def ask(serve, token=OPS, **query):
    answer = serve.get("/-/api/cases?" + urllib.parse.urlencode(query), token=token)
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json", answer
    return json.loads(answer.body)


def test_cases_as_json(salvage, work):
    serve = start(salvage, work)
    loop = [put_case(serve.root, "shop", "cart-7f9c8d6b5-x2x7q", AT + datetime.timedelta(hours=i), number=i)
            for i in range(5)]
    put_case(serve.root, "bank", "ledger-0", AT, "signal", number=9)
    serve.restart()
    wait_for(lambda: cases(serve) == 6, 10, "not found")
    found = ask(serve)["cases"]
    assert [(one["namespace"], one["workload"], one["folded"]) for one in found] == [("shop", "cart", 4),
                                                                                    ("bank", "ledger", 0)]
    assert found[0]["id"] == loop[-1].rpartition("/")[0] and found[0]["time"] == "2026-11-21T05:56:05.000Z"
    assert ask(serve, q="sigsegv")["cases"][0]["namespace"] == "bank"
    page, seen = {"next": ""}, []
    while "next" in page:
        page = ask(serve, loops="apart", limit=2, **({"after": page["next"]} if page["next"] else {}))
        seen += [one["id"] for one in page["cases"]]
    assert len(seen) == len(set(seen)) == 6
    assert {one["namespace"] for one in ask(serve, token="dev-token-of-a-test-1")["cases"]} == {"shop"}
    assert not ask(serve, token="dev-token-of-a-test-1", namespace="bank")["cases"]
    for bad in "limit=0", "limit=x", "since=yesterday", "after=x":
        assert serve.get("/-/api/cases?" + bad, token=OPS).status == 400, bad
    assert serve.get("/-/api/cases").status in (303, 401)


def test_a_bucket_is_listed_again_and_its_index_kept(salvage, work, s3):
    folders = [put_case(work / "made", "shop", "cart-%d" % i, AT, number=i).rpartition("/")[0] for i in range(3)]

    def copy(folder):
        for path in (work / "made" / folder).iterdir():
            s3.overwrite(folder + "/" + path.name, path.read_bytes())

    copy(folders[0])
    serve = start(salvage, work, "--from", s3.url, *s3.args, "--refresh", "1s", "--state", work / "state", env=s3.env)
    wait_for(lambda: len(ask(serve, loops="apart")["cases"]) == 1, 20, "not found")
    copy(folders[1])
    wait_for(lambda: len(ask(serve, loops="apart")["cases"]) == 2, 20, "not found")
    s3.overwrite(folders[1] + ".pin", b"{}")
    wait_for(lambda: [one["pinned"] for one in ask(serve, loops="apart")["cases"]].count(True) == 1, 20, "not pinned")
    serve.restart()
    assert len(ask(serve, loops="apart")["cases"]) == 2
    for key in [key for key in s3.keys() if key.startswith(folders[0])]:
        s3.client.delete_object(Bucket=s3.bucket, Key=s3.full(key))
    wait_for(lambda: len(ask(serve, loops="apart")["cases"]) == 1, 20, "not forgotten")
    assert (work / "state" / "catalogue.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_hostile_manifest_breaks_nothing_and_is_shown(salvage, work):
    serve = start(salvage, work)
    put_case(serve.root, "shop", "cart-0", AT, number=1)
    bad = put_case(serve.root, "shop", "evil-0", AT, number=2)
    (serve.root / (bad + ".json")).write_bytes(b'{"schema": "salvage.manifest/1", "key": ' + b"[" * 100000)
    lies = put_case(serve.root, "shop", "liar-0", AT, number=3, size=2 ** 63 - 1, time={
        "modified": "9999-01-01T00:00:00.000Z"}, where={"namespace": "bank", "pod": "<script>", "place": "bank/x"})
    serve.restart()
    wait_for(lambda: len(ask(serve)["cases"]) == 3, 10, "not found")
    found = {one["id"]: one for one in ask(serve)["cases"]}
    assert found[bad.rpartition("/")[0]]["kind"] == "unreadable"
    liar = found[lies.rpartition("/")[0]]
    assert liar["namespace"] == "shop" and liar["time"] < "2027" and liar["stored_size"] == 10
    assert serve.get("/-/cases", token=OPS).status == 200
    assert {one["namespace"] for one in ask(serve, token="dev-token-of-a-test-1")["cases"]} == {"shop"}
