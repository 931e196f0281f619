# SPDX-License-Identifier: Apache-2.0
"""Bad input gets one clear line (what, where, what to do) and an exit code of its own; nothing is half done."""
import os
import subprocess
import time

import pytest

from helpers.evidence import drop, left_in, put
from helpers.proc import free_port, require_root
from helpers.program import BIN, NOBODY, environment
from helpers.proxy import Stall, s3_error

ONCE = {"ship": [], "watch": ["--once"]}


@pytest.fixture
def dump(dumps):
    drop(dumps, "app.hprof")
    return dumps / "app.hprof"


def target(command, dump):
    return [command, dump if command == "ship" else dump.parent, *ONCE[command]]


def refused(salvage, code, *args, says=(), **more):
    """Runs what must fail in one line; the line holds each of says."""
    result = salvage.run(*args, **more)
    assert result.code == code, result
    message = result.message
    for word in says:
        assert word in message, (word, message)
    assert result.out == ""
    return message


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("args", [
    ["frobnicate"], ["ship"], ["watch"], ["ls"], ["get"], ["ship", "--frobnicate"], ["ship", "x", "--to"],
    ["ship", "x"], ["watch", "."], ["ship", "x", "--to", "file:///tmp", "--threads", "many"],
    ["ship", "x", "--to", "file:///tmp", "--memory", "1K"], ["ship", "x", "--to", "file:///tmp", "--memory", "12Q"],
    ["ship", "x", "--to", "file:///tmp", "--compress", "rar"],
    ["ship", "x", "--to", "file:///tmp", "--compress", "zstd:99"],
    ["ship", "x", "--to", "file:///tmp", "--give-up", "soon"], ["watch", ".", "--to", "file:///tmp", "--log", "xml"],
    ["watch", ".", "--to", "file:///tmp", "--grace", "-1"], ["get", "a", "b"], ["ls", "a", "b", "c"],
    ["ship", "x", "--to", "s3://bucket", "--endpoint", "localhost:9000"],
    ["ship", "x", "--to", "http://user:secret@files.example/"],
], ids=" ".join)
def test_usage(salvage, args):
    result = salvage.run(*args)
    assert result.code == 2, result
    assert "secret" not in result.message
    assert result.out == ""


def test_a_bad_value_in_the_environment_is_named(salvage, dump, folder):
    message = refused(salvage, 2, "ship", dump, *folder.options(), env={"SALVAGE_MEMORY": "lots"})
    assert "SALVAGE_MEMORY" in message and "lots" in message


@pytest.mark.parametrize("command", ["ship", "watch"])
@pytest.mark.parametrize("url", ["ftp://x/y", "gopher://x", "S4://bucket", "nonsense", "/dumps", "s3:bucket", "://"])
def test_unknown_scheme(salvage, dump, command, url):
    message = refused(salvage, 10, *target(command, dump), "--to", url)
    assert "s3://" in message, "says what there is"
    assert left_in(dump.parent) == ["app.hprof"]


@pytest.mark.parametrize("command", ["ship", "watch"])
@pytest.mark.parametrize("url", ["s3://", "s3:///prefix"])
def test_no_bucket(salvage, dump, command, url):
    refused(salvage, 11, *target(command, dump), "--to", url, says=["bucket"])


@pytest.mark.parametrize("command", ["ship", "watch"])
@pytest.mark.parametrize("key", ["{nope}/{id}/{file}", "{id/{file}", "id}/{id}/{file}", "", "/{id}/{file}",
                                 "../{id}/{file}", "a//{id}/{file}", "{place}/{file}", "{id}/fixed", "{id}/\n{file}",
                                 "x" * 600 + "{id}{file}"], ids=lambda key: repr(key[:20]))
def test_malformed_key_template(salvage, dump, folder, command, key):
    refused(salvage, 12, *target(command, dump), *folder.options(), "--key", key)
    assert folder.keys() == []


# --- evidence ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_folder_that_is_none(salvage, work, folder, kind):
    path = work / "nope"
    if kind == "file":
        path.write_bytes(b"")
    refused(salvage, 20, "watch", path, *folder.options(), says=[str(path)])


def test_a_folder_that_may_not_be_read(salvage, dumps, folder):
    require_root("becomes another user")
    os.chmod(dumps, 0o700)
    refused(salvage, 20, "watch", dumps, *folder.options(), says=[str(dumps), "ermission"], uid=NOBODY)


def test_one_bad_folder_among_good_ones(salvage, work, dumps, folder):
    refused(salvage, 20, "watch", dumps, work / "nope", *folder.options(), says=["nope"])
    assert not os.path.exists(dumps / ".salvage"), "nothing is half done"


def test_a_dump_that_this_uid_may_not_read(salvage, dump, folder):
    """HotSpot writes mode 0600: the line says whose it is, and what to do."""
    require_root("becomes another user")
    os.chmod(dump, 0o600)
    os.chmod(folder.root, 0o777)
    refused(salvage, 21, "ship", dump, *folder.options(), uid=NOBODY,
            says=[str(dump), "0600", "uid 0", "uid %d" % NOBODY, "run "])
    assert folder.keys() == []


def test_a_watch_says_once_that_it_may_not_read_a_dump(salvage, dump, folder):
    require_root("becomes another user")
    os.chmod(dump, 0o600)
    os.chmod(dump.parent, 0o777)
    os.chmod(folder.root, 0o777)
    watch = salvage.watch(dump.parent, *folder.options(), uid=NOBODY)
    event = watch.wait("unreadable")
    assert event["uid"] == 0 and "uid %d" % NOBODY in event["error"]
    time.sleep(2)
    assert len(watch.named("unreadable")) == 1
    # Another file in the meantime goes on its way.
    total = drop(dump.parent, "mine.hprof")
    os.chmod(dump.parent / "mine.hprof", 0o644)
    os.rename(dump.parent / "mine.hprof", dump.parent / "ours.hprof")
    watch.wait("shipped")
    assert watch.stop() == 0
    folder.check_one(total)
    assert "app.hprof" in left_in(dump.parent)


def test_once_with_a_dump_it_may_not_read_says_1(salvage, dump, folder):
    require_root("becomes another user")
    os.chmod(dump, 0o600)
    os.chmod(dump.parent, 0o777)
    assert salvage.watch(dump.parent, *folder.options(), "--once", uid=NOBODY).end() == 1


@pytest.mark.parametrize("what", ["missing", "folder", "fifo"])
def test_ship_of_what_is_no_file(salvage, work, folder, what):
    path = work / "app.hprof"
    if what == "folder":
        path.mkdir()
    elif what == "fifo":
        os.mkfifo(path)
    result = salvage.run("ship", path, *folder.options(), timeout=20)
    assert result.code not in (0, 75) and str(path) in result.message, result
    assert folder.keys() == []


# --- the store --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["ship", "ls", "get"])
def test_wrong_secret(salvage, dump, s3, command):
    env = {**s3.env, "AWS_SECRET_ACCESS_KEY": "wrong/secret/key"}
    args = {"ship": ["ship", dump, *s3.options()], "ls": ["ls", s3.url, *s3.args],
            "get": ["get", s3.url + "/x", *s3.args]}[command]
    message = refused(salvage, 30, *args, env=env, says=["403"])
    assert "wrong/secret/key" not in message
    assert s3.keys() == [] and left_in(dump.parent) == ["app.hprof"]


def test_unknown_access_key(salvage, dump, s3):
    refused(salvage, 30, "ship", dump, *s3.options(), env={**s3.env, "AWS_ACCESS_KEY_ID": "NOSUCHKEY00000000001"})


def test_expired_token(salvage, dump, s3, proxy):
    """A store that knows temporary credentials says 400 ExpiredToken. The token went along, and was signed."""
    proxy.harm(s3_error(400, "ExpiredToken", "The provided token has expired."), times=100)
    env = {**s3.env, "AWS_SESSION_TOKEN": "session-token-that-expired"}
    message = refused(salvage, 31, "ship", dump, *s3.through(proxy).options(), env=env, says=["expired"])
    assert "session-token-that-expired" not in message
    for request in proxy.seen():
        assert request.headers["x-amz-security-token"] == "session-token-that-expired"
        assert "x-amz-security-token" in request.headers["authorization"].split("SignedHeaders=")[1].split(",")[0]
    assert left_in(dump.parent) == ["app.hprof"]


@pytest.mark.parametrize("env", [
    {}, {"AWS_ACCESS_KEY_ID": "A"}, {"AWS_SECRET_ACCESS_KEY": "b"}, {"AWS_PROFILE": "nope"},
], ids=["none", "no-secret", "no-key", "unknown-profile"])
def test_no_credentials(salvage, dump, s3, env):
    refused(salvage, 32, "ship", dump, *s3.options(), env=env)


def test_no_such_bucket(salvage, dump, s3):
    refused(salvage, 33, "ship", dump, "--to", "s3://no-such-bucket-e2e/x", *s3.args, env=s3.env,
            says=["no-such-bucket-e2e"])


def test_get_of_what_is_not_there(salvage, work, store):
    refused(salvage, 34, "get", store.url_of("no/such/heap.hprof.zst"), *store.args, "-o", work / "out", env=store.env,
            says=["heap.hprof.zst"])
    assert not os.path.exists(work / "out")


def last_line(result):
    """A store that may come back is waited for, and each wait is said; the end is one line."""
    lines = result.err.splitlines()
    assert lines and all(line.startswith("salvage: ") for line in lines), result
    assert all("warning" in line for line in lines[:-1]), result
    return lines[-1]


@pytest.mark.parametrize("where", ["s3", "http"])
def test_unreachable(salvage, dump, s3, where):
    port = free_port()
    args = ["--to", s3.url, "--endpoint", "http://127.0.0.1:%d" % port] if where == "s3" else \
        ["--to", "http://127.0.0.1:%d/dumps" % port]
    began = time.monotonic()
    result = salvage.run("ship", dump, *args, "--give-up", "3s", env=s3.env)
    assert result.code == 40, result
    assert "127.0.0.1:%d" % port in last_line(result)
    assert time.monotonic() - began < 20
    assert left_in(dump.parent) == ["app.hprof"]


def test_a_name_that_does_not_resolve(salvage, dump, s3):
    result = salvage.run("ship", dump, "--to", "http://no-such-host.invalid/x", "--give-up", "2s")
    assert result.code == 40 and "no-such-host.invalid" in last_line(result), result


def test_stalled(salvage, dump, s3, proxy):
    proxy.harm(Stall(), times=1000)
    began = time.monotonic()
    result = salvage.run("ship", dump, *s3.through(proxy).options(), "--timeout", "1s", "--give-up", "3s", env=s3.env)
    assert result.code == 41, result
    assert str(proxy.port) in last_line(result)
    assert time.monotonic() - began < 30
    assert left_in(dump.parent) == ["app.hprof"]


def test_busy(salvage, dump, s3, proxy):
    proxy.harm(s3_error(503, "SlowDown"), times=1000)
    result = salvage.run("ship", dump, *s3.through(proxy).options(), "--give-up", "3s", env=s3.env)
    assert result.code == 44 and "503" in last_line(result), result


def test_refused_by_a_file_server_that_takes_no_put(salvage, dump, nginx):
    server = nginx(dav="")
    refused(salvage, 45, "ship", dump, "--to", server.url, says=["PUT"])
    assert left_in(dump.parent) == ["app.hprof"]


def test_refused_by_a_file_server_that_makes_no_folders(salvage, dump, nginx):
    server = nginx(dav="dav_methods PUT;")
    refused(salvage, 45, "ship", dump, "--to", server.url, says=["create_full_put_path"])
    assert list(server.folder.iterdir()) == []


def test_refused_as_too_large(salvage, dumps, nginx):
    drop(dumps, "app.hprof", 3 << 20)
    server = nginx(more="client_max_body_size 1m;")
    refused(salvage, 45, "ship", dumps / "app.hprof", "--to", server.url, "--compress", "none", says=["413"])


def test_an_endpoint_that_is_no_s3_server(salvage, dump, s3, nginx):
    server = nginx()
    result = salvage.run("ship", dump, "--to", s3.url, "--endpoint", "http://" + server.host, env=s3.env)
    assert result.code not in (0, 1) and result.message


# --- ls and get -------------------------------------------------------------------------------------------------------


def test_get_overwrites_nothing(salvage, work, dump, folder):
    url = salvage.ok("ship", dump, *folder.options()).out.strip()
    put(work, "out", b"precious")
    refused(salvage, 52, "get", url, "-o", work / "out", says=["--force"])
    assert (work / "out").read_bytes() == b"precious"


def test_a_manifest_that_is_none(salvage, work, dump, folder):
    url = salvage.ok("ship", dump, *folder.options()).out.strip()
    (key, _), = folder.manifests()
    for text in (b"", b"{}", b"[]", b"not json", b"{\"schema\": \"salvage.manifest/99\"}", b"\xff" * 100):
        folder.overwrite(key + ".json", text)
        refused(salvage, 51, "get", url, "-o", work / "out")
    assert not os.path.exists(work / "out")


def test_stderr_that_is_closed_and_stdout_that_is_full(salvage, dump, folder):
    """The line that says where it went could not be written: the copy stays, the exit code says so."""
    with open("/dev/full", "wb") as full:
        p = subprocess.run([BIN, "ship", str(dump), *folder.options()], env=environment(salvage.home), stdout=full,
                           stderr=subprocess.PIPE, check=False)
    assert p.returncode != 0 and p.stderr.startswith(b"salvage: ")
    assert left_in(dump.parent) == ["app.hprof"]
