# SPDX-License-Identifier: Apache-2.0
"""salvage check: each fault that it can report is caused for real, and has its line."""
import json
import os
import subprocess
import time

import pytest

from helpers.nginx import ALL_METHODS, PUT_ONLY
from helpers.proc import free_port, require_root
from helpers.program import NOBODY
from helpers.proxy import Stall, s3_error
from helpers.tls import Authority

FAILED = 60


def lines(result):
    """(word, name, text) of each line."""
    found = []
    for line in result.lines:
        word, _, rest = line.partition(" ")
        name, _, text = rest.strip().partition(": ")
        assert word in ("ok", "warn", "fail") and text, line
        found.append((word, name, text))
    return found


def text_of(result, word, name):
    texts = [text for w, n, text in lines(result) if (w, n) == (word, name)]
    assert texts, result
    return " ".join(texts)


def failed(result):
    return [name for word, name, _ in lines(result) if word == "fail"]


def test_all_is_well(salvage, dumps, store):
    result = salvage.ok("check", dumps, *store.options(), env=store.env)
    assert failed(result) == [] and result.err == ""
    names = {name for _, name, _ in lines(result)}
    assert {"folder", "uid", "leases", "disk", "state", "inotify", "cgroups", "kernel-log", "ptrace"} <= names
    assert [key for key in store.keys() if ".json" not in key and "salvage-check" not in key] == []
    assert store.unfinished() == [] and os.listdir(dumps) == []


def test_s3_is_left_as_it_was(salvage, s3):
    result = salvage.ok("check", *s3.options(), env=s3.env)
    assert {"dns", "tcp", "tls", "clock", "credentials", "bucket", "permissions"} <= {n for _, n, _ in lines(result)}
    assert text_of(result, "ok", "permissions") == "put, multipart, head, get, list, delete"
    assert "environment" in text_of(result, "ok", "credentials")
    assert s3.env["AWS_SECRET_ACCESS_KEY"] not in result.out
    assert s3.keys() == [] and s3.unfinished() == []


def test_without_any_argument(salvage, folder):
    result = salvage.ok("check")
    assert "SALVAGE_TO" in text_of(result, "warn", "store")
    result = salvage.ok("check", env={"SALVAGE_TO": folder.url})
    assert folder.url[len("file://"):] in text_of(result, "ok", "store")


def test_json(salvage, s3):
    result = salvage.run("check", "--json", "--to", s3.url, "--endpoint", "http://127.0.0.1:1", env=s3.env)
    said = json.loads(result.out)
    assert result.code == FAILED and said["schema"] == "salvage.check/1" and said["result"] == "fail"
    assert [c["name"] for c in said["checks"] if c["result"] == "fail"] == ["tcp"]
    assert all(c["remedy"] for c in said["checks"] if c["name"] == "tcp")


def test_no_colours_in_a_pipe_and_colours_on_a_terminal(salvage):
    assert "\033" not in salvage.ok("check").out
    shown = subprocess.run(["script", "-qec", "%s check" % os.environ.get("SALVAGE_BIN", "salvage"), "/dev/null"],
                           stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False).stdout
    assert b"\033[" in shown


# --- the store --------------------------------------------------------------------------------------------------------


def test_a_name_that_does_not_exist(salvage, s3):
    result = salvage.run("check", "--to", s3.url, "--endpoint", "http://no-such-host.invalid", env=s3.env)
    assert result.code == FAILED and failed(result) == ["dns"]
    assert "no-such-host.invalid" in text_of(result, "fail", "dns")


def test_a_port_that_is_closed(salvage, s3):
    port = free_port()
    for options in (["--to", s3.url, "--endpoint", "http://127.0.0.1:%d" % port],
                    ["--to", "http://127.0.0.1:%d/x" % port]):
        result = salvage.run("check", *options, env=s3.env)
        assert result.code == FAILED and failed(result) == ["tcp"]
        assert "refused" in text_of(result, "fail", "tcp")


def test_a_certificate_of_a_ca_that_is_not_trusted(salvage, work, nginx):
    authority = Authority(work, "own")
    server = nginx(dav=ALL_METHODS, certificate=authority.server("DNS:localhost"))
    url = "https://localhost:%d/dumps" % server.port
    result = salvage.run("check", "--to", url)
    assert result.code == FAILED and failed(result) == ["tls"]
    assert "--ca-file" in text_of(result, "fail", "tls") and text_of(result, "ok", "tcp")
    assert failed(salvage.ok("check", "--to", url, "--ca-file", authority.certificate)) == []
    result = salvage.run("check", "--to", url.replace("localhost", "127.0.0.1"), "--ca-file", authority.certificate)
    assert failed(result) == ["tls"]


def test_what_is_no_http_server(salvage, work):
    """TLS is spoken to a server that has none."""
    server = subprocess.Popen(["/usr/bin/python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"], cwd=work,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = server.stdout.readline().split(" port ")[1].split()[0]
        result = salvage.run("check", "--to", "https://127.0.0.1:%s/x" % port)
        assert result.code == FAILED and failed(result) == ["tls"]
    finally:
        server.kill()
        server.communicate()


@pytest.mark.parametrize("hours, word", [(-3, "fail"), (2, "fail"), (0, "ok")])
def test_a_clock_that_is_wrong(salvage, s3, proxy, hours, word):
    """By the Date of the store's answers."""
    import email.utils

    date = email.utils.formatdate(time.time() + hours * 3600, usegmt=True)
    proxy.harm(s3_error(403, "AccessDenied", headers={"Date": date}), lambda r: r.method == "HEAD", times=1)
    result = salvage.run("check", *s3.through(proxy).options(), env=s3.env)
    assert result.code == (FAILED if word == "fail" else 0), result
    said = text_of(result, word, "clock")
    if hours:
        assert ("ahead" if hours < 0 else "behind") in said and date in said


def test_no_credentials(salvage, s3):
    result = salvage.run("check", *s3.options(), env={"AWS_EC2_METADATA_DISABLED": "true"})
    assert result.code == FAILED and failed(result) == ["credentials"]
    assert "AWS_ACCESS_KEY_ID" in text_of(result, "fail", "credentials")
    assert text_of(result, "ok", "tcp")


def test_a_wrong_secret(salvage, s3):
    result = salvage.run("check", *s3.options(), env={**s3.env, "AWS_SECRET_ACCESS_KEY": "never-shown"})
    assert result.code == FAILED and failed(result) == ["credentials"]
    assert [w for w, n, _ in lines(result) if n == "credentials"] == ["fail"]
    assert "never-shown" not in result.out + result.err


def test_keys_in_a_file(salvage, s3, work):
    path = work / "credentials"
    path.write_text("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n" %
                    (s3.env["AWS_ACCESS_KEY_ID"], s3.env["AWS_SECRET_ACCESS_KEY"]))
    result = salvage.ok("check", *s3.options(), env={"AWS_SHARED_CREDENTIALS_FILE": str(path), "AWS_REGION": "us-east-1"})
    assert "profile" in text_of(result, "ok", "credentials")


def test_a_bucket_that_does_not_exist(salvage, s3):
    result = salvage.run("check", "--to", "s3://no-such-bucket-e2e/x", *s3.args, env=s3.env)
    assert result.code == FAILED and failed(result) == ["bucket"]
    assert "no-such-bucket-e2e" in text_of(result, "fail", "bucket")


def test_a_wrong_region(salvage, s3, proxy):
    proxy.harm(s3_error(400, "AuthorizationHeaderMalformed", "the region is wrong"), lambda r: r.method == "PUT", times=9)
    result = salvage.run("check", *s3.through(proxy).options(), env=s3.env)
    assert result.code == FAILED and failed(result) == ["store"] and "region" in text_of(result, "fail", "store")


def test_a_proxy_that_is_none(salvage, nginx):
    result = salvage.run("check", "--to", nginx().url, env={"http_proxy": "http://user:secret@host:99999"})
    assert failed(result) == ["proxy"] and "secret" not in result.out


REFUSED = {
    "put": (lambda r: r.method == "PUT", "fail"),
    "multipart": (lambda r: r.method == "POST", "fail"),
    "head": (lambda r: r.method == "HEAD" and "salvage-check" in r.path, "warn"),
    "get": (lambda r: r.method == "GET" and "salvage-check" in r.path, "warn"),
    "list": (lambda r: r.method == "GET" and "salvage-check" not in r.path, "warn"),
    "delete": (lambda r: r.method == "DELETE" and "uploadId" not in r.query, "warn"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_permission_that_is_missing(salvage, s3, proxy, what):
    match, word = REFUSED[what]
    proxy.harm(s3_error(403, "AccessDenied"), match, times=100)
    result = salvage.run("check", *s3.through(proxy).options(), env=s3.env)
    assert text_of(result, word, "permissions").startswith(what + " is refused"), result
    assert result.code == (FAILED if word == "fail" else 0)
    if what == "delete":
        assert text_of(result, "warn", "bucket").split()[-1].rstrip(":")  # what stays is named
        assert s3.keys()[0] in result.out
    else:
        assert s3.keys() == []


def test_a_file_server_that_takes_no_put(salvage, nginx):
    server = nginx(dav="")
    result = salvage.run("check", "--to", server.url)
    assert result.code == FAILED and failed(result) == ["permissions"]
    assert "PUT" in text_of(result, "fail", "permissions")
    server = nginx(dav=PUT_ONLY)
    result = salvage.ok("check", "--to", server.url)
    assert text_of(result, "warn", "permissions").startswith("delete is refused")


def test_a_file_server_that_wants_a_password(salvage, nginx, work):
    (work / "users").write_text("app:{PLAIN}right\n")
    server = nginx(dav=ALL_METHODS, more="auth_basic x; auth_basic_user_file %s;" % (work / "users"))
    for env, wrong in (({}, ["credentials"]), ({"SALVAGE_HTTP_USER": "app", "SALVAGE_HTTP_PASSWORD": "right"}, [])):
        result = salvage.run("check", "--to", server.url, env=env)
        assert failed(result) == wrong, result
    assert "SALVAGE_HTTP_USER" in text_of(result, "ok", "credentials")


@pytest.mark.serial
def test_a_store_that_says_nothing_is_left_in_time(salvage, s3, proxy):
    proxy.harm(Stall(), lambda r: r.method == "PUT", times=100)
    began = time.monotonic()
    result = salvage.run("check", *s3.through(proxy).options(), "--timeout", "2s", env=s3.env)
    assert time.monotonic() - began < 4 and result.code == FAILED
    assert failed(result) and text_of(result, "ok", "tcp") and text_of(result, "ok", "ptrace" if os.geteuid() == 0 else "tcp")


def test_a_folder_as_a_store(salvage, work, mount_tmpfs):
    store = mount_tmpfs(work / "small", "4m")
    result = salvage.ok("check", "--to", "file://%s/evidence" % store)
    assert "is not there yet" in text_of(result, "ok", "store") and os.listdir(store) == []
    (store / "evidence").mkdir()
    result = salvage.ok("check", "--to", "file://%s/evidence" % store)
    assert "4.0 MiB free" in text_of(result, "warn", "space")
    subprocess.run(["mount", "-o", "remount,ro", str(store)], check=True)
    result = salvage.run("check", "--to", "file://%s/evidence" % store)
    assert result.code == FAILED and "ead-only" in text_of(result, "fail", "store")
    result = salvage.run("check", "--to", "file://%s/no/such/folder" % work)
    assert result.code == FAILED and "does not exist" in text_of(result, "fail", "store")


def test_a_folder_of_another_user_as_a_store(salvage, work):
    require_root("becomes another user")
    (work / "closed").mkdir(mode=0o755)
    result = salvage.run("check", "--to", "file://%s/closed" % work, uid=NOBODY)
    assert result.code == FAILED and "uid %d" % NOBODY in text_of(result, "fail", "store")


# --- folders that are watched -----------------------------------------------------------------------------------------


def test_a_folder_that_is_missing(salvage, work):
    result = salvage.run("check", work / "missing")
    assert result.code == FAILED and failed(result) == ["folder"]


def test_a_folder_that_is_read_only(salvage, work, mount_tmpfs):
    dumps = mount_tmpfs(work / "volume", "2m")
    subprocess.run(["mount", "-o", "remount,ro", str(dumps)], check=True)
    result = salvage.ok("check", dumps)
    assert "Read-only" in text_of(result, "warn", "folder") and "--state" in text_of(result, "warn", "state")
    assert text_of(result, "warn", "disk")


def test_a_folder_of_another_user(salvage, dumps):
    """A JVM's dumps have mode 0600."""
    require_root("becomes another user")
    result = salvage.run("check", dumps, uid=NOBODY)
    assert result.code == FAILED and failed(result) == ["uid"]
    assert "uid %d" % NOBODY in text_of(result, "warn", "folder")
    assert "CAP_LEASE" in text_of(result, "warn", "leases")
    dumps.chmod(0o1777)
    result = salvage.ok("check", dumps, uid=NOBODY)
    assert "mode 0600" in text_of(result, "warn", "uid")
    dumps.chmod(0o700)
    assert failed(salvage.run("check", dumps, uid=NOBODY)) == ["folder"]


def test_a_state_folder_of_another_user(salvage, work, dumps):
    require_root("gives a folder away")
    state = dumps / ".salvage"
    state.mkdir()
    assert text_of(salvage.ok("check", dumps), "ok", "state")
    os.chown(state, 4711, 4711)
    result = salvage.run("check", dumps)
    assert failed(result) == ["state"] and "4711" in text_of(result, "fail", "state")
    state.rmdir()
    state.symlink_to(work)
    assert failed(salvage.run("check", dumps)) == ["state"]


# --- the machine ------------------------------------------------------------------------------------------------------


def test_what_another_user_may_not_do(salvage):
    require_root("becomes another user")
    result = salvage.ok("check", uid=NOBODY)
    assert "CAP_SYSLOG" in text_of(result, "warn", "kernel-log")
    assert "uid %d" % NOBODY in result.out.partition("ptrace: ")[2]


def test_inotify_used_up(salvage, work):
    """As many instances as a user may have."""
    require_root("becomes another user")
    limit = int(open("/proc/sys/fs/inotify/max_user_instances").read())
    hog = subprocess.Popen(["/usr/bin/python3", "-c",
                            "import ctypes, sys\nl = ctypes.CDLL(None)\n"
                            "for i in range(%d): l.inotify_init()\n"
                            "print('full', flush=True); sys.stdin.read()" % (limit + 1)],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=4712, group=4712, extra_groups=[])
    try:
        assert hog.stdout.readline() == b"full\n"
        result = salvage.run("check", uid=4712)
        assert result.code == FAILED and "max_user_instances" in text_of(result, "fail", "inotify")
    finally:
        hog.communicate()


def test_usage(salvage):
    for args in (["--timeout", "0s"], ["--to", "ftp://x/y"], ["s3://bucket/x"], ["--to", "s3://bucket/x", "--region", "eu west"],
                 ["--no-such"]):
        assert salvage.run("check", *args).code in (2, 10)


TOKENS = {"shop": "shop-token-of-a-test-1", "pod": "pod-token-of-a-test-1", "reader": "reader-token-of-a-test",
          "both": "both-token-of-a-test-1"}


@pytest.fixture
def tokened(serve, work):
    """A salvage server, some of whose tokens are of one namespace."""
    path = work / "tokens"
    path.write_text("shop %(shop)s list,read,write,delete shop\npod %(pod)s write shop\nreader %(reader)s read *\n"
                    "both %(both)s read,write,delete pay-*,shop\n" % TOKENS)
    path.chmod(0o600)
    return serve("--tokens", path)


def files_of(server):
    return [path for path in server.root.rglob("*") if path.is_file() and ".salvage" not in path.parts]


@pytest.mark.parametrize("who, more", [("shop", {}), ("both", {}), ("shop", {"POD_NAMESPACE": "shop", "POD_NAME": "cart-1"})])
def test_a_salvage_server_is_checked_in_the_namespace_of_the_token(salvage, tokened, who, more):
    result = salvage.ok("check", "--to", tokened.url, env={"SALVAGE_HTTP_TOKEN": TOKENS[who], **more})
    assert text_of(result, "ok", "namespace").startswith("shop: token:%s may" % who)
    assert text_of(result, "ok", "permissions") == "put, head, get, list, delete"
    assert (("warn", "namespace") in [line[:2] for line in lines(result)]) == (not more)
    assert files_of(tokened) == []


def test_a_token_that_may_only_add_leaves_nothing_behind(salvage, tokened):
    result = salvage.ok("check", "--to", tokened.url, env={"SALVAGE_HTTP_TOKEN": TOKENS["pod"], "POD_NAMESPACE": "shop",
                                                          "POD_NAME": "cart-1"})
    assert text_of(result, "ok", "namespace") == "shop: token:pod may write"
    assert "list is refused" in text_of(result, "warn", "permissions") and text_of(result, "ok", "permissions") == "put"
    assert files_of(tokened) == []


def test_a_token_that_may_not_write_where_the_evidence_goes(salvage, tokened):
    result = salvage.run("check", "--to", tokened.url, env={"SALVAGE_HTTP_TOKEN": TOKENS["reader"], "POD_NAMESPACE": "shop",
                                                           "POD_NAME": "cart-1"})
    assert result.code == FAILED and failed(result) == ["permissions"]
    assert "token:reader may not write in namespace shop" in text_of(result, "fail", "permissions")
    result = salvage.run("check", "--to", tokened.url + "/pay/", env={"SALVAGE_HTTP_TOKEN": TOKENS["shop"]})
    assert result.code == FAILED and "in namespace pay" in text_of(result, "fail", "permissions")
    result = salvage.run("check", "--to", tokened.url, env={"SALVAGE_HTTP_TOKEN": "no-token-of-this-server"})
    assert result.code == FAILED and failed(result) == ["credentials"]
