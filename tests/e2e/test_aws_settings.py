# SPDX-License-Identifier: Apache-2.0
"""AWS's configuration files and environment variables: each row has the same effect in salvage as in botocore, or salvage
reports that it does not honour it."""
import http.server
import json
import os
import re
import subprocess
import sys
import threading

import botocore
import pytest

from helpers.credential_services import ROLE, Services
from helpers.evidence import drop
from helpers.proc import wait_for

KEYS = "aws_access_key_id = %s\naws_secret_access_key = secret\n"
NEW = tuple(map(int, botocore.__version__.split(".")[:2])) >= (1, 31)  # knows endpoint_url in files

# A program of its own, for all rows: it changes its environment for each.
ORACLE = """
import json, os, sys, botocore.session
class Seen(Exception): pass
def ask(home, variables):
    found = {}
    def look(request, **more):
        found.update(url=request.url, auth=request.headers.get("Authorization", b""))
        raise Seen()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(variables, HOME=home, AWS_EC2_METADATA_DISABLED="true")
    client = botocore.session.Session().create_client("s3")
    client.meta.events.register_first("before-send.s3", look)
    try:
        client.head_object(Bucket="bkt", Key="p/x")
    except Seen:
        pass
    auth = found["auth"].decode() if isinstance(found["auth"], bytes) else found["auth"]
    key, _, region = auth.partition("Credential=")[2].split("/")[:3]
    return {"host": found["url"].split("/")[2], "style": "path" if "/bkt/p" in found["url"] else "host", "key": key,
            "region": region}
print(json.dumps([ask(*row) for row in json.load(sys.stdin)]))
"""


class Listener:
    """Stands as a proxy before all there is: notes where requests would go, and by whom they are signed."""

    def __init__(self):
        self.seen = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def note(self):
                outer.seen.append((self.command, self.path, self.headers.get("Authorization", "")))
                self.send_response(403)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_CONNECT = do_PUT = do_HEAD = do_POST = note

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def listener():
    running = Listener()
    yield running
    running.close()


def write_files(home, config=None, credentials=None):
    (home / ".aws").mkdir(exist_ok=True)
    for name, text in (("config", config), ("credentials", credentials)):
        if text is not None:
            (home / ".aws" / name).write_text(text)


LAB = "http://lab.example:9000"
OTHER = "http://other.example:9000"
D = "[default]\n" + KEYS % "CONFIG" + "region = eu-west-1\n"

# name: config, credentials, variables, expected (host, style, key, region), whether botocore must be a newer one
ROWS = {
    "keys in the config file": (D, None, {}, ("bkt.s3.eu-west-1.amazonaws.com", "host", None, None), False),
    "the credentials file wins, its region too":
        (D, "[default]\n" + KEYS % "CRED" + "region = eu-north-1\n", {},
         ("bkt.s3.eu-north-1.amazonaws.com", "host", None, None), False),
    "AWS_DEFAULT_PROFILE": (D + "[profile x]\n" + KEYS % "X" + "region = sa-east-1\n", None, {"AWS_DEFAULT_PROFILE": "x"},
                            ("bkt.s3.sa-east-1.amazonaws.com", "host", None, None), False),
    "AWS_DEFAULT_PROFILE before AWS_PROFILE":
        (D + "[profile x]\n" + KEYS % "X" + "region = sa-east-1\n", None,
         {"AWS_DEFAULT_PROFILE": "x", "AWS_PROFILE": "default"},
         ("bkt.s3.sa-east-1.amazonaws.com", "host", None, None), False),
    "AWS_DEFAULT_REGION before the profile": (D, None, {"AWS_DEFAULT_REGION": "us-west-2"},
                                              ("bkt.s3.us-west-2.amazonaws.com", "host", None, None), False),
    "FIPS": (D + "use_fips_endpoint = true\n", None, {}, ("bkt.s3-fips.eu-west-1.amazonaws.com", "host", None, None), False),
    "dual stack": (D, None, {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
                   ("bkt.s3.dualstack.eu-west-1.amazonaws.com", "host", None, None), False),
    "both": (D + "use_fips_endpoint = true\nuse_dualstack_endpoint = true\n", None, {},
             ("bkt.s3-fips.dualstack.eu-west-1.amazonaws.com", "host", None, None), False),
    "the variable before the file": (D + "use_fips_endpoint = true\n", None, {"AWS_USE_FIPS_ENDPOINT": "false"},
                                     ("bkt.s3.eu-west-1.amazonaws.com", "host", None, None), False),
    "dual stack of s3 alone": (D + "s3 =\n  use_dualstack_endpoint = true\n", None, {},
                               ("bkt.s3.dualstack.eu-west-1.amazonaws.com", "host", None, None), False),
    "China": (D, None, {"AWS_DEFAULT_REGION": "cn-north-1"},
              ("bkt.s3.cn-north-1.amazonaws.com.cn", "host", None, None), False),
    "path style": (D + "s3 =\n  addressing_style = path\n", None, {},
                   ("s3.eu-west-1.amazonaws.com", None, None, None), False),
    "endpoint_url": (D + "endpoint_url = %s\n" % LAB, None, {}, ("lab.example:9000", "path", "CONFIG", "eu-west-1"), True),
    "services": (D + "endpoint_url = %s\nservices = lab\n[services lab]\ns3 =\n  endpoint_url = %s\n" % (OTHER, LAB), None,
                 {}, ("lab.example:9000", "path", "CONFIG", "eu-west-1"), True),
    "services of another service": (D + "endpoint_url = %s\nservices = lab\n[services lab]\nsts =\n  endpoint_url = %s\n"
                                    % (LAB, OTHER), None, {}, ("lab.example:9000", "path", "CONFIG", "eu-west-1"), True),
    "AWS_ENDPOINT_URL before services":
        (D + "services = lab\n[services lab]\ns3 =\n  endpoint_url = %s\n" % OTHER, None, {"AWS_ENDPOINT_URL": LAB},
         ("lab.example:9000", "path", "CONFIG", "eu-west-1"), True),
    "AWS_ENDPOINT_URL_S3 before all": (D, None, {"AWS_ENDPOINT_URL": OTHER, "AWS_ENDPOINT_URL_S3": LAB},
                                       ("lab.example:9000", "path", "CONFIG", "eu-west-1"), True),
    "ignored": (D + "endpoint_url = %s\n" % OTHER, None,
                {"AWS_ENDPOINT_URL_S3": OTHER, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
                ("bkt.s3.eu-west-1.amazonaws.com", "host", None, None), False),
    "ignored by the profile": (D + "ignore_configured_endpoint_urls = true\n", None, {"AWS_ENDPOINT_URL_S3": OTHER},
                               ("bkt.s3.eu-west-1.amazonaws.com", "host", None, None), False),
    "virtual style elsewhere": (D + "endpoint_url = %s\ns3 =\n  addressing_style = virtual\n" % LAB, None, {},
                                ("bkt.lab.example:9000", "host", "CONFIG", "eu-west-1"), True),
    "FIPS does not touch an endpoint": (D + "use_fips_endpoint = true\nendpoint_url = %s\n" % LAB, None, {},
                                        ("lab.example:9000", "path", "CONFIG", "eu-west-1"), True),
    "a session's token is no key": (None, "[default]\n" + KEYS % "CRED" + "aws_session_token = t\n",
                                    {"AWS_ENDPOINT_URL": LAB, "AWS_DEFAULT_REGION": "eu-west-1"},
                                    ("lab.example:9000", "path", "CRED", "eu-west-1"), True),
    "a program's keys": (("[default]\nregion = eu-west-1\nendpoint_url = %s\ncredential_process = /bin/echo "
                          "'{\"Version\": 1, \"AccessKeyId\": \"PROGRAM\", \"SecretAccessKey\": \"s\"}'\n") % LAB, None, {},
                         ("lab.example:9000", "path", "PROGRAM", "eu-west-1"), True),
}


@pytest.fixture(scope="session")
def botocores_words(session_folder):
    """What botocore makes of each row that this version of it knows."""
    rows = {}
    for number, (name, (config, credentials, variables, _, newer)) in enumerate(ROWS.items()):
        if NEW or not newer:
            home = session_folder / ("home-%d" % number)
            home.mkdir()
            write_files(home, config, credentials)
            rows[name] = (str(home), variables)
    done = subprocess.run([sys.executable, "-c", ORACLE], env={"PATH": os.environ["PATH"]}, stdout=subprocess.PIPE,
                          input=json.dumps(list(rows.values())).encode(), check=True, timeout=120)
    return dict(zip(rows, json.loads(done.stdout)))


def ask_salvage(salvage, listener, variables):
    """Its first request is enough."""
    env = {"AWS_EC2_METADATA_DISABLED": "true", "http_proxy": listener.url, "https_proxy": listener.url, **variables}
    program = salvage.start("ls", "s3://bkt/p", env=env)
    wait_for(lambda: listener.seen or program.process.poll() is not None, 20)
    program.kill()
    assert listener.seen, program.lines
    method, path, auth = listener.seen[0]
    if method == "CONNECT":
        return {"host": path.removesuffix(":443")}
    key, _, region = auth.partition("Credential=")[2].split("/")[:3]
    host, _, rest = path.partition("://")[2].partition("/")
    return {"host": host, "style": "path" if rest.startswith("bkt") else "host", "key": key, "region": region}


@pytest.mark.parametrize("name", ROWS)
def test_settings_mean_what_they_mean_to_botocore(salvage, listener, botocores_words, name):
    config, credentials, variables, expected, _ = ROWS[name]
    write_files(salvage.home, config, credentials)
    ours = ask_salvage(salvage, listener, variables)
    for words in (dict(zip(("host", "style", "key", "region"), expected)), botocores_words.get(name, ours)):
        assert all(ours[key] == words[key] for key in ours if words[key]), (words, ours)


@pytest.mark.parametrize("config, code, words", [
    ("s3 =\n  use_accelerate_endpoint = true\n", 2, ["use_accelerate_endpoint", "not supported"]),
    ("s3 =\n  addressing_style = dns\n", 2, ["addressing_style", "auto, path or virtual"]),
    ("use_fips_endpoint = 1\n", 2, ["use_fips_endpoint", "neither true nor false"]),
    ("services = nowhere\n", 2, ["no [services nowhere]"]),
    ("use_fips_endpoint = true\nregion = cn-north-1\n", 2, ["cn-north-1 has no FIPS endpoint"]),
    ("use_dualstack_endpoint = true\nregion = eu-isoe-west-1\n", 2, ["no dual-stack endpoint"]),
])
def test_what_would_lead_elsewhere_is_refused(salvage, config, code, words):
    write_files(salvage.home, "[default]\n" + KEYS % "A" + config)
    result = salvage.run("ls", "s3://bkt/p")
    assert result.code == code and all(word in result.message for word in words), result


def test_a_profile_that_does_not_exist_is_named(salvage, s3):
    result = salvage.run("ls", s3.url, *s3.options()[2:], env={**s3.env, "AWS_PROFILE": "nobody"})
    assert result.code == 32 and "'nobody', which AWS_PROFILE names" in result.message


def test_what_is_not_honoured_is_said_once(salvage, dumps, s3):
    write_files(salvage.home, "[default]\nuse_fips_endpoint = true\ns3 =\n  max_bandwidth = 1MB/s\n")
    drop(dumps, "app.hprof")
    result = salvage.ok("ship", dumps / "app.hprof", *s3.options(), env=s3.env)
    notes = [line for line in result.err.splitlines() if "note:" in line]
    assert len(notes) == 2 and "max_bandwidth" in notes[0] and "use_fips_endpoint" in notes[1], result
    watch = salvage.watch(dumps, *s3.options(), env=s3.env)
    watch.wait("store-ready")
    drop(dumps, "another.hprof")
    watch.wait("shipped")
    assert watch.stop() == 0
    assert sorted(e["error"].split()[1] for e in watch.named("store-setting")) == ["max_bandwidth", "use_fips_endpoint"]


def test_when_required_sends_no_checksums(salvage, dumps, s3, proxy):
    write_files(salvage.home, "[default]\nrequest_checksum_calculation = when_required\n")
    total = drop(dumps, "app.hprof")
    salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), env=s3.env)
    s3.check_one(total)
    assert not any(name.startswith("x-amz-checksum") for r in proxy.seen() for name in r.headers)


# --- roles and programs ----------------------------------------------------------------------------------------------


@pytest.fixture
def services(s3):
    running = Services(s3.env["AWS_ACCESS_KEY_ID"], s3.env["AWS_SECRET_ACCESS_KEY"])
    running.signers["BASE"] = ("secret", None)
    yield running
    running.close()


def ship(salvage, dumps, s3, services, config, credentials=None, **env):
    write_files(salvage.home, config, credentials)
    total = drop(dumps, "app.hprof")
    result = salvage.run("ship", dumps / "app.hprof", *s3.options(),
                         env={"AWS_ENDPOINT_URL_STS": services.url, "AWS_EC2_METADATA_DISABLED": "true",
                              "AWS_REGION": "us-east-1", **env})
    if result.code == 0:
        s3.check_one(total)
    return result


def test_a_role_is_taken_with_another_profiles_keys(salvage, dumps, s3, services):
    config = ("[profile app]\nrole_arn = %s\nsource_profile = base\nexternal_id = ext/1+2\nrole_session_name = me@host\n"
              "duration_seconds = 900\n" % ROLE)
    result = ship(salvage, dumps, s3, services, config, "[base]\n" + KEYS % "BASE", AWS_PROFILE="app")
    assert result.code == 0, (result, services.refused)
    assert services.assumed == [{"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": ROLE, "ExternalId": "ext/1+2",
                                 "RoleSessionName": "me@host", "DurationSeconds": "900", "signer": "BASE"}]


def test_a_chain_of_roles(salvage, dumps, s3, services):
    step = "arn:aws:iam::123456789012:role/step-%d"
    config = ("[default]\nrole_arn = %s\nsource_profile = two\n[profile two]\nrole_arn = %s\nsource_profile = one\n"
              "[profile one]\nrole_arn = %s\nsource_profile = base\n[profile base]\n%s"
              % (ROLE, step % 2, step % 1, KEYS % "BASE"))
    result = ship(salvage, dumps, s3, services, config)
    assert result.code == 0, (result, services.refused)
    assert [a["signer"] for a in services.assumed] == ["BASE", "ASIASTEP-1", "ASIASTEP-2"]


def test_a_role_beside_its_own_keys(salvage, dumps, s3, services):
    result = ship(salvage, dumps, s3, services,
                  "[default]\nrole_arn = %s\nsource_profile = default\n" % ROLE, "[default]\n" + KEYS % "BASE")
    assert result.code == 0 and services.assumed[0]["signer"] == "BASE", result


def test_a_role_by_the_container(salvage, work, dumps, s3, services):
    services.signers[s3.env["AWS_ACCESS_KEY_ID"]] = (s3.env["AWS_SECRET_ACCESS_KEY"], "SESSION-TOKEN-agent-1")
    result = ship(salvage, dumps, s3, services, "[default]\nrole_arn = %s\ncredential_source = EcsContainer\n" % ROLE,
                  **services.container(work))
    assert result.code == 0, (result, services.refused)


def test_a_role_by_a_program(salvage, dumps, s3, services):
    program = ("/bin/echo '{\"Version\": 1, \"AccessKeyId\": \"BASE\", \"SecretAccessKey\": \"secret\"}'")
    result = ship(salvage, dumps, s3, services, "[default]\nrole_arn = %s\nsource_profile = p\n[profile p]\n"
                  "credential_process = %s\n" % (ROLE, program))
    assert result.code == 0 and services.assumed[-1]["signer"] == "BASE", (result, services.refused)


def test_a_web_identity_of_the_profile(salvage, work, dumps, s3, services):
    token = services.web_identity(work)["AWS_WEB_IDENTITY_TOKEN_FILE"]
    result = ship(salvage, dumps, s3, services, "[default]\nrole_arn = %s\nweb_identity_token_file = %s\n" % (ROLE, token))
    assert result.code == 0 and [name for name, _ in services.handed_out] == ["sts"], (result, services.refused)


def test_a_role_that_is_refused_is_said_in_stss_words(salvage, dumps, s3, services):
    config = "[default]\nrole_arn = arn:aws:iam::1:role/other\nsource_profile = base\n[profile base]\n"
    result = ship(salvage, dumps, s3, services, config + KEYS % "BASE")
    assert result.code == 32 and "sts:AssumeRole" in result.message and "role_arn = arn:aws:iam::1:role/other" in result.message


def test_a_key_that_sts_does_not_take_is_said(salvage, dumps, s3, services):
    services.signers["BASE"] = ("another secret", None)
    result = ship(salvage, dumps, s3, services, "[default]\nrole_arn = %s\nsource_profile = base\n[profile base]\n%s"
                  % (ROLE, KEYS % "BASE"))
    assert result.code == 32 and "SignatureDoesNotMatch" in result.message


def test_credentials_of_a_program_are_renewed(salvage, work, dumps, s3, proxy):
    """They end in the middle of an upload: it is run again."""
    runs = work / "runs"
    program = work / "program"
    program.write_text("""#!/bin/sh
echo run >> %s
cat <<END
{"Version": 1, "AccessKeyId": "%s", "SecretAccessKey": "%s", "SessionToken": "token-$(wc -l < %s)",
 "Expiration": "$(date -u -d '+4 seconds' +%%Y-%%m-%%dT%%H:%%M:%%S+00:00)"}
END
""" % (runs, s3.env["AWS_ACCESS_KEY_ID"], s3.env["AWS_SECRET_ACCESS_KEY"], runs))
    program.chmod(0o755)
    write_files(salvage.home, "[default]\ncredential_process = \"%s\" --json\n" % program)
    total = drop(dumps, "app.hprof", 50 << 20)
    proxy.rate = 8 << 20
    result = salvage.ok("ship", dumps / "app.hprof", *s3.through(proxy).options(), "--compress", "none",
                        env={"AWS_REGION": "us-east-1"})
    s3.check_one(total)
    tokens = {r.headers["x-amz-security-token"].strip() for r in proxy.seen(lambda r: r.is_part)}
    assert len(tokens) >= 2 and len(runs.read_text().splitlines()) >= 2
    assert "credentials come from credential_process of profile default" in result.err


def test_a_program_that_fails_is_quoted(salvage, dumps, s3):
    write_files(salvage.home, "[default]\ncredential_process = sh -c 'echo not now >&2; exit 7'\n")
    drop(dumps, "app.hprof")
    result = salvage.run("ship", dumps / "app.hprof", *s3.options())
    assert result.code == 32 and re.search("credential_process of profile 'default'.*exit code 7: not now", result.message)
