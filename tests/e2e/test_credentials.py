# SPDX-License-Identifier: Apache-2.0
"""Where S3 credentials come from, and that they go nowhere else."""
import os

import pytest

from helpers.evidence import drop
from helpers.proc import Sampler, wait_for
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
        salvage.ok("ship", dumps / "app.hprof", *through.options(), *args, env={**base, **env})
        assert "/%s/s3/aws4_request" % region in proxy.seen()[-1].headers["authorization"]


def test_secrets_show_nowhere(salvage, dumps, s3, proxy):
    """Not in the log, in ps, in the state folder, in the manifest, in the journal: not when all goes well, and not when
    it does not."""
    env = {**s3.env, "SALVAGE_HTTP_USER": "someone", "SALVAGE_HTTP_PASSWORD": "hunter2-password"}
    secrets = [env["AWS_SECRET_ACCESS_KEY"], env["SALVAGE_HTTP_PASSWORD"]]
    drop(dumps, "app.hprof", 40 << 20)
    proxy.rate = 30 << 20
    proxy.harm(s3_error(503, "SlowDown"), lambda r: r.is_part)
    watch = salvage.watch(dumps, *s3.through(proxy).options(), "--compress", "none", env=env)
    sampler = Sampler(watch.pid)
    wait_for(lambda: len(proxy.seen(lambda r: r.is_part and r.status == 200)) > 2, 30)
    on_disk = b"".join((dumps / folder / name).read_bytes() for folder, _, names in os.walk(dumps)
                       for name in names if name != "evidence")
    watch.wait("shipped")
    assert watch.stop() == 0
    sampler.stop()
    assert len(sampler.peak) == 2, "the loop and its worker were seen"
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
