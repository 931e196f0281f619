# SPDX-License-Identifier: Apache-2.0
"""Where S3 credentials come from, and that they are sent to the store only."""
import os
import signal
import time

import pytest

from helpers.credential_services import WEB_TOKEN, Services
from helpers.evidence import drop
from helpers.proc import Sampler, children, require_root, status, wait_for, workers
from helpers.program import NOBODY
from helpers.proxy import s3_error


def write_profile(home, path, name, env):
    (home / ".aws").mkdir(exist_ok=True)
    target = path or home / ".aws" / "credentials"
    target.write_text("# ours\n[other]\naws_access_key_id = WRONG\naws_secret_access_key = wrong\n\n[%s]\n"
                      "aws_access_key_id=%s\naws_secret_access_key = %s\n"
                      % (name, env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]), encoding="ascii")
    return target


@pytest.mark.parametrize("how", ["default", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_a_profile_is_used(salvage, work, dumps, s3, how):
    env = {}
    if how == "default":
        write_profile(salvage.home, None, "default", s3.env)
    elif how == "AWS_PROFILE":
        write_profile(salvage.home, None, "lab", s3.env)
        env = {"AWS_PROFILE": "lab"}
    else:
        env = {how: str(write_profile(salvage.home, work / "elsewhere", "default", s3.env))}
    total = drop(dumps, "app.hprof")
    salvage.ok("ship", dumps / "app.hprof", *s3.options(), env=env)
    s3.check_one(total)


def test_the_environment_wins_over_the_profile(salvage, dumps, s3):
    write_profile(salvage.home, None, "default", {"AWS_ACCESS_KEY_ID": "WRONG", "AWS_SECRET_ACCESS_KEY": "wrong"})
    total = drop(dumps, "app.hprof")
    salvage.ok("ship", dumps / "app.hprof", *s3.options(), env=s3.env)
    s3.check_one(total)


@pytest.mark.parametrize("text", ["[default]\naws_access_key_id = A\n", "[default\n", "", "\0\0\0",
                                  "[default]\naws_secret_access_key = b\n"], ids=repr)
def test_a_broken_profile_is_said(salvage, dumps, s3, text):
    (salvage.home / ".aws").mkdir()
    (salvage.home / ".aws" / "credentials").write_text(text, encoding="ascii")
    drop(dumps, "app.hprof")
    result = salvage.run("ship", dumps / "app.hprof", *s3.options(), env={"AWS_PROFILE": "default"})
    assert result.code == 32 and result.message, result


def test_the_regions_sources(salvage, dumps, s3, proxy):
    """It is part of the signature's scope."""
    through = s3.through(proxy)
    base = {key: value for key, value in s3.env.items() if key != "AWS_REGION"}
    for args, env, region in (([], {"AWS_REGION": "eu-central-1"}, "eu-central-1"),
                              ([], {"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
                              (["--region", "cn-north-1"], {"AWS_REGION": "eu-central-1"}, "cn-north-1")):
        drop(dumps, "app.hprof")
        salvage.ok("ship", "--remove", dumps / "app.hprof", *through.options(), *args, env={**base, **env})
        assert "/%s/s3/aws4_request" % region in proxy.seen()[-1].headers["authorization"]


def test_secrets_show_nowhere(salvage, dumps, s3, proxy):
    """Not in the log, in ps, in the state folder, in the manifest, in the journal: not when all goes well, and not when
    it does not."""
    env = {**s3.env, "SALVAGE_HTTP_USER": "someone", "SALVAGE_HTTP_PASSWORD": "hunter2-password"}
    secrets = [env["AWS_SECRET_ACCESS_KEY"], env["SALVAGE_HTTP_PASSWORD"]]
    proxy.rate = 30 << 20
    proxy.harm(s3_error(503, "SlowDown"), lambda r: r.is_part)
    watch = salvage.watch(dumps, *s3.through(proxy).options(), "--compress", "none", env=env)
    watch.wait("store-ready")
    wait_for(lambda: children(watch.pid) == [], 10, "the asking goes on")
    drop(dumps, "app.hprof", 40 << 20)
    sampler = Sampler(watch.pid)
    wait_for(lambda: len(proxy.seen(lambda r: r.is_part and r.status == 200)) > 2, 30)
    on_disk = b"".join((dumps / folder / name).read_bytes() for folder, _, names in os.walk(dumps)
                       for name in names if name != "evidence")
    watch.wait("shipped")
    assert watch.stop() == 0
    sampler.stop()
    assert len(sampler.peak) >= 2, "the loop and its worker were seen; and the digest's child, if it lived long enough"
    seen = [watch.log.encode(), on_disk, *sampler.command_lines, *[s3.read(key) for key in s3.keys() if ".json" in key]]
    for secret in secrets:
        assert not any(secret.encode() in text for text in seen), secret
    wire = "".join(str(r.headers) + r.target for r in proxy.seen())
    assert not any(secret in wire for secret in secrets)


def test_secrets_show_in_no_message_of_a_failure(salvage, dumps, s3, nginx):
    server = nginx(more="return 403;")
    drop(dumps, "app.hprof")
    env = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "wrong/SECRET",
           "AWS_SESSION_TOKEN": "tok/SESSION+TOKEN==", "SALVAGE_HTTP_USER": "someone",
           "SALVAGE_HTTP_PASSWORD": "hunter2-password"}
    for to in (s3.options(), ["--to", server.url]):
        result = salvage.run("ship", dumps / "app.hprof", *to, env=env)
        assert result.code in (30, 31), result
        for secret in ("wrong/SECRET", "tok/SESSION", "hunter2", "c29tZW9uZTpodW50ZXIyLXBhc3N3b3Jk"):
            assert secret not in result.message


# --- temporary credentials, from services ----------------------------------------------------------------------------


@pytest.fixture
def services(s3):
    running = Services(s3.env["AWS_ACCESS_KEY_ID"], s3.env["AWS_SECRET_ACCESS_KEY"])
    yield running
    running.close()


REGION = {"AWS_REGION": "us-east-1"}


def environment_of(services, how, folder):
    return {"web identity": lambda: services.web_identity(folder), "container": services.container,
            "container, token file": lambda: services.container(folder), "instance": services.instance}[how]()


@pytest.mark.parametrize("how", ["web identity", "container", "container, token file", "instance"])
def test_a_service_hands_out_credentials(salvage, work, dumps, s3, proxy, services, how):
    total = drop(dumps, "app.hprof")
    env = {**REGION, **environment_of(services, how, work)}
    salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), env=env)
    s3.check_one(total)
    (_, token), = services.handed_out
    assert {r.headers.get("x-amz-security-token") for r in proxy.seen()} == {token}
    assert services.refused == []


def test_credentials_are_looked_for_in_awss_order(salvage, work, dumps, s3, services):
    everything = {**REGION, **s3.env, **services.web_identity(work), **services.container(), **services.instance(),
                  "AWS_EC2_METADATA_DISABLED": None}
    write_profile(salvage.home, None, "default", s3.env)
    for gone, expected in (((), None), (tuple(s3.env), "sts"), (("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"), None),
                           (("HOME",), "agent"), (("AWS_CONTAINER_CREDENTIALS_FULL_URI",), "instance")):
        for name in gone:
            everything[name] = None
        everything.update(REGION)
        if "HOME" in gone:
            (salvage.home / ".aws" / "credentials").unlink()
            everything["HOME"] = str(salvage.home)
        services.handed_out.clear()
        drop(dumps, "app.hprof")
        salvage.ok("ship", "--remove", dumps / "app.hprof", *s3.options(), env=everything)
        assert [service for service, _ in services.handed_out] == ([expected] if expected else [])


def test_they_are_renewed_before_they_end_in_mid_upload(salvage, work, dumps, s3, proxy, services):
    """A store that refuses what is older than the newest but one would see no request with it."""
    services.life = 4  # seconds: renewed after three
    total = drop(dumps, "app.hprof", 60 << 20)
    proxy.rate = 8 << 20
    env = {**REGION, **services.container(work)}
    salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), "--compress", "none", env=env)
    s3.check_one(total)
    tokens = [r.headers["x-amz-security-token"] for r in proxy.seen(lambda r: r.is_part)]
    assert len(services.handed_out) >= 2 and len(set(tokens)) >= 2, tokens
    assert not [r for r in proxy.seen() if r.status >= 400 and r.status != 404]


def test_they_are_renewed_when_the_store_says_that_they_have_ended(salvage, work, dumps, s3, proxy, services):
    total = drop(dumps, "app.hprof", 30 << 20)
    expired = lambda r: r.is_part and r.headers["x-amz-security-token"].endswith("-1")
    proxy.harm(s3_error(400, "ExpiredToken", "The provided token has expired."), expired, times=99)
    env = {**REGION, **services.web_identity(work)}
    salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), "--compress", "none", env=env)
    s3.check_one(total)
    assert [service for service, _ in services.handed_out] == ["sts", "sts"]


@pytest.mark.parametrize("how", ["web identity", "container", "instance"])
def test_a_service_that_is_busy_is_asked_again(salvage, work, dumps, s3, services, how):
    total = drop(dumps, "app.hprof")
    services.fail = (503, 2)
    salvage.ok("ship", dumps / "app.hprof", *s3.options(), env={**REGION, **environment_of(services, how, work)})
    s3.check_one(total)


def test_a_service_that_stays_busy_is_passing_trouble(salvage, work, dumps, s3, services):
    drop(dumps, "app.hprof")
    services.fail = (500, 10**6)
    result = salvage.run("ship", dumps / "app.hprof", *s3.options(), "--give-up", "1s",
                         env={**REGION, **services.container()})
    assert result.code == 44 and "container's agent answers 500" in result.err


def test_a_token_that_is_refused_is_said(salvage, work, dumps, s3, services):
    drop(dumps, "app.hprof")
    services.agent_token = "another"
    env = {**services.container(), "AWS_CONTAINER_AUTHORIZATION_TOKEN": "stale-secret-token"}
    result = salvage.run("ship", dumps / "app.hprof", *s3.options(), env=env)
    assert result.code == 32 and "401 Unauthorized: token is not ours" in result.message
    assert "stale-secret-token" not in result.message


def test_a_role_that_may_not_be_taken_is_said(salvage, work, dumps, s3, services):
    drop(dumps, "app.hprof")
    env = {**services.web_identity(work), "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/other"}
    result = salvage.run("ship", dumps / "app.hprof", *s3.options(), env=env)
    assert result.code == 32 and "403 AccessDenied" in result.message and "trust policy" in result.message
    assert "role/other" in result.message and WEB_TOKEN not in result.message


@pytest.mark.parametrize("env, word", [
    ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nosuch"}, "AWS_ROLE_ARN"),
    ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nosuch", "AWS_ROLE_ARN": "arn"}, "/nosuch"),
    ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/dev/null", "AWS_ROLE_ARN": "arn"}, "does not hold a token"),
    ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.1/x"}, "refused"),
    ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1.example.com/x"}, "refused"),
    ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2@192.0.2.1/x"}, "refused"),
    ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "file:///etc/passwd"}, "refused"),
    ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "@192.0.2.1/x"}, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
    ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/x",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nosuch"}, "/nosuch"),
])
def test_a_half_configured_provider_is_said_and_not_passed_over(salvage, dumps, s3, env, word):
    drop(dumps, "app.hprof")
    result = salvage.run("ship", dumps / "app.hprof", *s3.options(), env={"AWS_EC2_METADATA_DISABLED": "true", **env})
    assert result.code == 32 and word in result.message, result


def test_a_hop_limit_of_one_is_recognised(salvage, dumps, s3, services):
    drop(dumps, "app.hprof")
    services.drop_put = True
    result = salvage.run("ship", dumps / "app.hprof", *s3.options(), env=services.instance())
    assert result.code == 32 and "--http-put-response-hop-limit 2" in result.message


@pytest.mark.serial
def test_without_any_credentials_a_machine_that_is_no_ec2_fails_soon(salvage, dumps, s3):
    drop(dumps, "app.hprof")
    begun = time.monotonic()
    result = salvage.run("ship", dumps / "app.hprof", *s3.options(),
                         env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"})
    assert result.code == 32 and time.monotonic() - begun < 3
    for place in ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", ".aws/credentials",
                  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "EC2"):
        assert place in result.message


def test_services_of_the_link_are_not_asked_by_a_proxy(salvage, dumps, s3, services):
    total = drop(dumps, "app.hprof")
    env = {**REGION, **services.instance(), "http_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    result = salvage.run("ship", dumps / "app.hprof", *s3.options(), "--give-up", "1s", env=env)
    assert result.code == 40 and services.handed_out, "the credentials came, the store is behind a dead proxy"
    salvage.ok("ship", dumps / "app.hprof", *s3.options(), env={**env, "no_proxy": "127.0.0.1"})
    s3.check_one(total)


def test_temporary_secrets_show_nowhere(salvage, work, dumps, s3, proxy, services):
    """Log, command lines, what lies on the disk, what is stored, and what a core would hold: there is none."""
    drop(dumps, "app.hprof", 40 << 20)
    proxy.rate = 20 << 20
    env = {**REGION, **services.web_identity(work)}
    require_root("acts as another user")
    for path in (dumps, dumps / "app.hprof", work / "web-token"):
        os.chown(path, NOBODY, NOBODY)
    watch = salvage.watch(dumps, *s3.through(proxy).options(), "--compress", "none", env=env, uid=NOBODY)
    sampler = Sampler(watch.pid)
    wait_for(lambda: len(proxy.seen(lambda r: r.is_part and r.status == 200)) > 1, 30)
    on_disk = b"".join((dumps / folder / name).read_bytes() for folder, _, names in os.walk(dumps)
                       for name in names if name != "evidence")
    worker, = workers(watch.pid)
    # Not dumpable: its files in /proc are root's, though it is another user's process (proc(5), prctl(2)).
    for pid in (watch.pid, worker):
        assert status(pid)["Uid"].split()[0] == str(NOBODY) and os.stat("/proc/%d/mem" % pid).st_uid == 0
    os.kill(worker, signal.SIGABRT)  # a bug of ours, in the worst moment
    watch.wait("worker-died")
    watch.wait("shipped")
    assert watch.stop() == 0
    sampler.stop()
    assert not [path for path in salvage.home.rglob("*core*")]
    seen = [watch.log.encode(), on_disk, *sampler.command_lines, *[s3.read(key) for key in s3.keys() if ".json" in key]]
    for secret in (WEB_TOKEN, services.secret_key, *[token for _, token in services.handed_out]):
        assert not any(secret.encode() in text for text in seen), secret
