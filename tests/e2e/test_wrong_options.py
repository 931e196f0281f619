# SPDX-License-Identifier: Apache-2.0
"""A wrong option, file or variable is reported at the start, not at the first dump."""
import os
import subprocess

import pytest

from helpers.tls import Authority

S3 = ["--to", "s3://bucket/x"]
HTTP = ["--to", "http://127.0.0.1:1/x"]
NEAR = [*S3, "--endpoint", "http://127.0.0.1:1"]
KEYS = {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK"}

# What it is called: (options, what the message names, exit code). FOLDER, EMPTY, TEXT and MISSING are paths.
SHARED = {
    "no scheme": (["--to", "bucket/x"], "no scheme", 10),
    "unknown scheme": (["--to", "ftp://host/x"], "ftp://", 10),
    "no bucket": (["--to", "s3:///x"], "bucket", 11),
    "short bucket": (["--to", "s3://b/x"], "'b'", 2),
    "password in the URL": (["--to", "https://user:pass@host/x"], "password", 2),
    "endpoint scheme": ([*S3, "--endpoint", "ftp://host"], "--endpoint", 2),
    "endpoint host": ([*S3, "--endpoint", "http://"], "endpoint", 2),
    "endpoint port": ([*S3, "--endpoint", "http://host:99999"], "99999", 2),
    "endpoint query": ([*S3, "--endpoint", "http://host/?x"], "endpoint", 2),
    "endpoint bucket": ([*S3, "--endpoint", "http://127.0.0.1:1/bucket"], "endpoint", 2),
    "region blank": ([*NEAR, "--region", "eu west"], "--region", 2),
    "region slash": ([*NEAR, "--region", "e/w"], "--region", 2),
    "region long": ([*NEAR, "--region", "a" * 40], "region", 2),
    "CA missing": ([*NEAR, "--ca-file", "MISSING"], "--ca-file", 2),
    "CA folder": ([*NEAR, "--ca-file", "FOLDER"], "--ca-file", 2),
    "CA text": ([*NEAR, "--ca-file", "TEXT"], "--ca-file", 2),
    "CA empty": ([*NEAR, "--ca-file", "EMPTY"], "--ca-file", 2),
    "credentials missing": ([*HTTP, "--credentials-file", "MISSING"], "credentials file", 32),
    "credentials folder": ([*HTTP, "--credentials-file", "FOLDER"], "credentials file", 32),
    "credentials empty": ([*HTTP, "--credentials-file", "EMPTY"], "empty", 32),
    "header without a value": ([*NEAR, "--header", "x-amz-acl"], "--header", 2),
    "header of ours": ([*NEAR, "--header", "Authorization:x"], "--header", 2),
    "header name": ([*NEAR, "--header", "x y:z"], "--header", 2),
    "timeout": ([*NEAR, "--timeout", "soon"], "--timeout", 2),
    "compress": ([*NEAR, "--compress", "rar"], "rar", 2),
    "level": ([*NEAR, "--compress", "zstd:99"], "zstd:99", 2),
    "threads": ([*NEAR, "--threads", "65"], "--threads", 2),
    "memory": ([*NEAR, "--memory", "1K"], "--memory", 2),
    "key brace": ([*NEAR, "--key", "a{b"], "a{b", 12),
    "key variable": ([*NEAR, "--key", "{nope}"], "nope", 12),
    "state file": ([*NEAR, "--state", "TEXT"], "--state", 2),
    "state below a file": ([*NEAR, "--state", "TEXT/x"], "--state", 2),
    "give-up": ([*NEAR, "--give-up", "never"], "--give-up", 2),
    "abandoned": ([*NEAR, "--abandoned", "x"], "--abandoned", 2),
    "log": ([*NEAR, "--log", "xml"], "--log", 2),
}
READY = {
    "ready folder": ([*NEAR, "--ready", "FOLDER"], "--ready", 2),
    "ready nowhere": ([*NEAR, "--ready", "MISSING/x"], "--ready", 2),
}
OWN = {
    "watch": {
        **READY,
        "layout": ([*NEAR, "--layout", "a//b"], "--layout", 2),
        "mode": ([*NEAR, "--dir-mode", "9"], "--dir-mode", 2),
        "file": ([*NEAR, "--file", "x/"], "--file", 2),
        "settle": ([*NEAR, "--settle", "x"], "--settle", 2),
        "grace": ([*NEAR, "--grace", "x"], "--grace", 2),
        "age": ([*NEAR, "--retain-age", "x"], "--retain-age", 2),
        "bytes": ([*NEAR, "--retain-bytes", "x"], "--retain-bytes", 2),
        "events": ([*NEAR, "--events-fd", "99"], "--events-fd", 2),
        "arm": ([*NEAR, "--arm-dir", "relative"], "--arm-dir", 2),
    },
    "guard": {
        **READY,
        "when": ([*NEAR, "--when", "memory"], "memory", 2),
        "do": ([*NEAR, "--do", "nothing"], "nothing", 2),
        "get": ([*NEAR, "--do", "get:ftp://x"], "get", 2),
        "signal": ([*NEAR, "--do", "signal:FOO"], "signal", 2),
        "pid": ([*NEAR, "--pid", "x"], "--pid", 2),
        "cases": ([*NEAR, "--max-cases", "3/x"], "--max-cases", 2),
        "cooldown": ([*NEAR, "--cooldown", "x"], "--cooldown", 2),
        "at once": ([*NEAR, "--at-once", "0"], "--at-once", 2),
        "folder": ([*NEAR, "--dir", "relative"], "--dir", 2),
        "lend": ([*NEAR, "--lend", "x"], "--lend", 2),
    },
    "run": {"grace": ([*NEAR, "--grace", "x"], "--grace", 2), "jvm": ([*NEAR, "--jvm", "x"], "--jvm", 2)},
    "ship": {"oom": ([*NEAR, "--oom", "x"], "--oom", 2)},
    "jvm prestop": {
        "budget": ([*NEAR, "--budget", "1s"], "--budget", 2),
        "rate": ([*NEAR, "--rate", "x"], "--rate", 2),
    },
}
CASES = [(command, name) for command, own in OWN.items() for name in [*SHARED, *own]]


@pytest.fixture
def paths(work):
    found = {"FOLDER": work / "folder", "EMPTY": work / "empty", "TEXT": work / "text", "MISSING": work / "missing"}
    found["FOLDER"].mkdir()
    found["EMPTY"].write_text("")
    found["TEXT"].write_text("no certificate")
    return found


def command_line(command, dumps, options):
    """With all that it would need to go on for ever."""
    if command == "watch":
        return ["watch", dumps, *options]
    if command == "guard":
        return ["guard", "--pid", os.getpid(), *options]
    if command == "run":
        return ["run", *options, "--", "/bin/sleep", "60"]
    if command == "ship":
        (dumps / "app.hprof").write_text("evidence")
        return ["ship", dumps / "app.hprof", *options]
    return ["jvm", "prestop", os.getpid(), *options]


@pytest.mark.parametrize("command, name", CASES, ids=["%s-%s" % case for case in CASES])
def test_it_is_said_at_the_start(salvage, dumps, paths, command, name):
    options, says, code = {**SHARED, **OWN[command]}[name]
    for word, path in paths.items():
        options = [option.replace(word, str(path)) for option in options]
    result = salvage.run(*command_line(command, dumps, options), env=KEYS, timeout=5)
    assert result.code == code and says in result.message, result


@pytest.mark.parametrize("value", ["http://host:99999", "ho st:80", ":::::", "ftp://host:21", "http://", "host:http",
                                   "http://user:secret@:3128"])
@pytest.mark.parametrize("command", ["watch", "guard", "ship", "jvm prestop"])
def test_a_proxy_that_is_none(salvage, dumps, command, value):
    for name, to in (("http_proxy", "http"), ("HTTPS_PROXY", "https"), ("all_proxy", "https")):
        line = command_line(command, dumps, ["--to", to + "://files.example/x"])
        result = salvage.run(*line, env={name: value}, timeout=5)
        assert result.code == 2 and name in result.message and "secret" not in result.err, result


def test_a_proxys_password_is_in_no_message(salvage, dumps):
    """Where the variable is not judged, libcurl does, and repeats it whole."""
    for value in ("http://user:secret@host:99999", "http://user:sec/ret@host:99999", "user:secret@host:99999"):
        result = salvage.run("ls", "--to", "http://127.0.0.1:1/x", env={"http_proxy": value})
        assert result.code != 0 and "99999" in result.err, result
        assert "sec" not in result.err and "user" not in result.err, result


def test_a_proxy_that_is_none_of_ours(salvage, dumps, work, folder, proxy_to, nginx):
    """An application's own; one that no_proxy excepts; a folder needs none."""
    wrong = {"http_proxy": "http://host:99999"}
    assert salvage.run("run", "--to", "http://127.0.0.1:1/x", "--", "/bin/sh", "-c", "exit 7", env=wrong).code == 7
    (dumps / "app.hprof").write_text("evidence")
    salvage.ok("ship", dumps / "app.hprof", *folder.options(), env=wrong)
    salvage.ok("ship", dumps / "app.hprof", "--to", nginx().url, env={**wrong, "no_proxy": "127.0.0.1,localhost"})


@pytest.mark.parametrize("value", ["127.0.0.1:PORT", "http://127.0.0.1:PORT", "http://user:pass@127.0.0.1:PORT/"])
def test_a_proxy_as_people_write_it(salvage, dumps, proxy_to, nginx, value):
    """It is used: the server's name exists there alone."""
    server = nginx()
    proxy = proxy_to(server.host)
    (dumps / "app.hprof").write_text("evidence")
    place = value.replace("PORT", proxy.url.rpartition(":")[2].rstrip("/"))
    salvage.ok("ship", dumps / "app.hprof", "--to", "http://files.invalid/dumps", env={"http_proxy": place})
    assert any(server.folder.rglob("*.json"))


def test_a_ca_file_that_is_one(salvage, dumps, work, folder):
    authority = Authority(work, "own")
    (dumps / "app.hprof").write_text("evidence")
    salvage.ok("ship", dumps / "app.hprof", *folder.options(), "--ca-file", authority.certificate)


def test_the_hook_takes_its_dump_whatever_is_wrong(salvage, work):
    """What it says first is of the process: it is not refused for an option."""
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    result = salvage.run("ship", "--oom", gone.pid, *NEAR, "--ca-file", work / "missing", env=KEYS)
    assert "--ca-file" not in result.err, result
