# SPDX-License-Identifier: Apache-2.0
"""Who may what: tokens of a root and of a file, what others see of it, and what is written down."""
import base64
import hashlib
import os
import re
import time

import pytest

from helpers.serve import Serve

OPS, DEV, CI = "ops-token-of-a-test-1", "dev-token-of-a-test-1", "ci-token-of-a-test-12"


def put(root, key, data=b"evidence"):
    path = root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def write_tokens(path, *lines, mode=0o640):
    new = path.with_suffix(".new")
    new.write_text("".join(line + "\n" for line in lines))
    new.chmod(mode)
    new.rename(path)


LINES = ("# who may", "ops %s admin *" % OPS, "dev %s read shop" % DEV,
         "ci sha256:%s write shop" % hashlib.sha256(CI.encode()).hexdigest())


@pytest.fixture
def tokens(work):
    path = work / "tokens"
    write_tokens(path, *LINES)
    return path


@pytest.fixture
def two_teams(salvage, work, tokens):
    serve = Serve(salvage, work, "--tokens", tokens)
    put(serve.root, "shop/cart/a.hprof")
    put(serve.root, "pay/till/b.hprof")
    return serve


def test_a_first_start_shows_one_token_and_keeps_its_digest(salvage, work):
    serve = Serve(salvage, work)
    put(serve.root, "shop/cart/a.hprof")
    token = serve.token
    assert re.fullmatch("salvage_[0-9a-f]{64}", token) and serve.url + "/-/login" in serve.program.out.decode()
    assert "salvage_" not in serve.program.log
    kept = serve.root / ".salvage" / "token"
    assert kept.read_text() == "sha256:%s\n" % hashlib.sha256(token.encode()).hexdigest()
    assert kept.stat().st_mode & 0o777 == 0o600 and kept.parent.stat().st_mode & 0o777 == 0o700
    assert serve.get("/shop/cart/a.hprof", token=token).body == b"evidence"
    assert serve.get("/shop/cart/a.hprof").status == 401
    assert serve.get("/.salvage/token", token=token).status == 404

    serve.restart()
    assert serve.program.out == b""
    assert serve.get("/shop/cart/a.hprof", token=token).status == 200

    serve.stop()
    again = Serve(salvage, work, "--new-token", root=serve.root)
    assert again.get("/shop/cart/a.hprof", token=token).status == 401
    assert again.get("/shop/cart/a.hprof", token=again.token).status == 200


def test_a_volume_may_belong_to_our_group(salvage, work):
    """As Kubernetes leaves it, with an fsGroup, before each start."""
    serve = Serve(salvage, work)
    token = serve.token
    put(serve.root, "shop/cart/a.hprof")
    for path in (serve.root / ".salvage", *(serve.root / ".salvage").iterdir()):
        os.chown(path, -1, os.getegid())
        path.chmod(path.stat().st_mode | (0o2770 if path.is_dir() else 0o660))
    serve.restart()
    assert serve.get("/shop/cart/a.hprof", token=token).status == 200
    serve.stop()
    os.chown(serve.root / ".salvage", -1, 4242)
    done = salvage.run("serve", "--root", str(serve.root))
    assert done.code == 23 and "others may write" in done.err, done


def test_a_token_that_others_could_have_put_there_is_refused(salvage, work):
    state = work / "root" / ".salvage"
    state.mkdir(parents=True)
    (state / "token").write_text("sha256:%s\n" % hashlib.sha256(b"planted").hexdigest())
    (state / "token").chmod(0o666)
    for _ in range(2):
        done = salvage.run("serve", "--root", str(work / "root"), "--listen", "127.0.0.1:0")
        assert done.code == 23 and "others may write" in done.err, done.err
        state.chmod(0o777)


def test_rights_are_by_namespace(two_teams):
    serve, mine, theirs = two_teams, "/shop/cart/a.hprof", "/pay/till/b.hprof"
    for token, path, wanted in ((OPS, mine, 200), (OPS, theirs, 200), (DEV, mine, 200), (DEV, theirs, 404),
                                (DEV, "/pay/none", 404), (CI, mine, 404), (CI, theirs, 404), ("none-of-these-tokens", mine, 401),
                                (None, mine, 401), (None, "/pay/none", 401)):
        assert serve.get(path, token=token).status == wanted, (token, path)
    # What one may not see answers as what is not there.
    assert serve.get(theirs, token=DEV).body == serve.get("/pay/none", token=DEV).body
    log = serve.program.log
    assert not [t for t in (OPS, DEV, CI) if t in log]


def test_a_token_may_come_as_a_password(two_teams):
    for user in ("", "anything"):
        value = "Basic " + base64.b64encode(("%s:%s" % (user, DEV)).encode()).decode()
        assert two_teams.get("/shop/cart/a.hprof", headers={"Authorization": value}).status == 200
    refused = two_teams.get("/shop/cart/a.hprof")
    assert {v.split()[0] for v in refused.headers.get_all("WWW-Authenticate")} == {"Basic", "Bearer"}
    # A browser would ask by itself.
    refused = two_teams.get("/shop/cart/a.hprof", headers={"Sec-Fetch-Mode": "cors"})
    assert {v.split()[0] for v in refused.headers.get_all("WWW-Authenticate")} == {"Bearer"}
    assert two_teams.get("/shop/cart/a.hprof", headers={"Authorization": "Digest x"}).status == 401


def test_tokens_change_while_it_runs(two_teams, tokens):
    path = "/shop/cart/a.hprof"
    write_tokens(tokens, LINES[1], "new a-token-that-is-new-here read shop")
    deadline = time.monotonic() + 10
    while two_teams.get(path, token="a-token-that-is-new-here").status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert two_teams.get(path, token=DEV).status == 401
    assert two_teams.wait("tokens-read")["tokens"] == 2

    # One that is broken leaves those of before.
    write_tokens(tokens, LINES[1], "dev %s read,steal shop" % DEV)
    while not [e for e in two_teams.events if e["event"] == "tokens-not-read"]:
        assert time.monotonic() < deadline
        assert two_teams.get(path, token=OPS).status == 200
        time.sleep(0.3)
    event = two_teams.wait("tokens-not-read")
    assert "line 2: rights are" in event["error"] and event["tokens"] == 2
    assert two_teams.get(path, token="a-token-that-is-new-here").status == 200


@pytest.mark.parametrize("lines, mode, wanted", [
    (["ops %s admin *" % OPS], 0o644, "others may use it"), (["ops %s admin" % OPS], 0o600, "line 1: a line has")],
    ids=["readable", "malformed"])
def test_a_file_of_tokens_that_is_not_right_starts_nothing(salvage, work, lines, mode, wanted):
    write_tokens(work / "tokens", *lines, mode=mode)
    (work / "root").mkdir()
    done = salvage.run("serve", "--root", str(work / "root"), "--tokens", str(work / "tokens"))
    assert done.code == 32 and wanted in done.err and OPS not in done.err, done.err


def test_who_guesses_has_to_wait(two_teams):
    path = "/shop/cart/a.hprof"
    assert two_teams.get(path, token=DEV).status == 200
    answers = [two_teams.get(path, token="a-guess-of-a-token-%03d" % i).status for i in range(25)]
    assert answers[:20] == [401] * 20 and set(answers[20:]) == {429}
    refused = two_teams.get(path, token="a-guess-of-a-token-999")
    assert 1 <= int(refused.headers["Retry-After"]) <= 6
    # Who was valid before goes on, from the same address.
    assert two_teams.get(path, token=DEV).status == 200
    assert [e["failures"] for e in two_teams.events if e["event"] == "sign-in-failed"] == [1]


def test_anybody_may_read_if_that_is_wanted(salvage, work):
    serve = Serve(salvage, work, "--anonymous-read")
    put(serve.root, "shop/cart/a.hprof")
    assert serve.get("/shop/cart/a.hprof").status == 200
    assert serve.request("DELETE", "/shop/cart/a.hprof").status in (401, 405)
    assert os.path.exists(serve.root / "shop/cart/a.hprof")


def test_a_sidecar_that_may_only_write_ships_and_finds_its_evidence_again(salvage, work, two_teams):
    (work / "dumps").mkdir()
    (work / "dumps" / "app.hprof").write_bytes(b"JAVA PROFILE 1.0.2\0" + b"x" * 100000)
    env = {"SALVAGE_HTTP_TOKEN": CI, "POD_NAMESPACE": "shop", "POD_NAME": "cart-0"}
    for _ in range(2):
        done = salvage.run("ship", "--keep", "--to", two_teams.url + "/", str(work / "dumps" / "app.hprof"), env=env)
        assert done.code == 0, done
    key = done.out.strip()[len(two_teams.url):]
    two_teams.program.wait("audit", count=2, action="upload")
    uploads = two_teams.program.named("audit", action="upload")
    assert [e["key"] for e in uploads] == [key[1:], key[1:] + ".json"]
    assert not two_teams.program.named("audit", action="refusal", who="token:ci")
    # It still cannot download, or see what is there.
    assert two_teams.get(key, token=CI).status == 404
    assert two_teams.get(key.rpartition("/")[0] + "/", token=CI).status == 404
    assert two_teams.get("/pay/till/b.hprof.json", token=CI).status == 404
    assert two_teams.request("HEAD", "/pay/till/b.hprof", token=CI).status == 404
    assert two_teams.get(key, token=DEV).status == 200


def test_a_store_elsewhere_says_who_may(salvage):
    done = salvage.run("serve", "--from", "s3://bucket/x")
    assert done.code == 2 and "who may use it" in done.err, done.err
