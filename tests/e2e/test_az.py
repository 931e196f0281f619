# SPDX-License-Identifier: Apache-2.0
"""az://: Azure's Blob storage, against Microsoft's own emulator."""
import ssl
import time

import pytest

from helpers.azure import Azure, Azurite, Identity, sas
from helpers.evidence import drop, left_in, spool_of
from helpers.proc import wait_for
from helpers.proxy import Answer, ResetAnswer
from helpers.tls import Authority

SIZE = 40 << 20


@pytest.fixture(scope="session")
def azurite(session_folder):
    folder = session_folder / "azurite"
    folder.mkdir()
    server = Azurite(folder)
    Azure(server).create()
    yield server
    server.close()


@pytest.fixture
def az(azurite):
    return Azure(azurite)


@pytest.fixture
def identity():
    server = Identity()
    yield server
    server.close()


def refused(status, code):
    return Answer(status, b"<?xml version='1.0'?><Error><Code>%s</Code><Message>for a test\nRequestId:1</Message></Error>" % code.encode(),
                  {"x-ms-error-code": code})


def is_block(request):
    return request.query.get("comp") == "block"


def test_large_and_small_evidence_arrives_whole(salvage, dumps, az):
    sums = [drop(dumps, "large.hprof", SIZE, seed=1), drop(dumps, "small.hprof", 1000, seed=2)]
    watch = salvage.start("watch", dumps, *az.options(), "--once", "--log", "json", "--compress", "none", env=az.env)
    assert watch.end() == 0, watch.log
    manifests = az.check_all(sums)
    assert spool_of(dumps) == []
    key = manifests[sums[0]]["key"]
    assert az.head(key)["x-ms-meta-sha256"] == manifests[sums[0]]["stored_sha256"]
    assert az.head(key)["Content-Type"] == "application/octet-stream"
    assert az.env["AZURE_STORAGE_SAS_TOKEN"].rpartition("sig=")[2] not in watch.log


def test_it_is_listed_read_and_removed(salvage, dumps, work, az):
    total = drop(dumps, "app.hprof", SIZE, seed=3)
    salvage.ok("ship", dumps / "app.hprof", *az.options(), env=az.env)
    listed = salvage.ok("ls", *az.options(), env=az.env).out
    (key, manifest), = az.manifests()
    assert az.url_of(key) in listed
    salvage.ok("get", az.url_of(key), *az.args, "--output", work / "back.hprof", env=az.env)
    assert (work / "back.hprof").read_bytes() == az.check(key, manifest)
    # From the store by ranges.
    assert salvage.run("inspect", az.url_of(key), *az.args, "--json", env=az.env).code in (0, 1)
    salvage.ok("rm", key.rpartition("/")[0], *az.options(), "--yes", env=az.env)
    assert az.keys() == [] and total == manifest["sha256"]


def test_after_kill_9_only_the_rest_is_sent(salvage, dumps, az, azurite, proxy_to):
    proxy = proxy_to(azurite.host, rate=16 << 20)
    through, target = az.through(proxy), dumps / "app.hprof"
    total = drop(dumps, "app.hprof", SIZE, seed=4)
    more = ["--compress", "none", "--remove", "--memory", "32M"]
    first = salvage.start("ship", target, *through.options(), *more, env=az.env)
    wait_for(lambda: len([r for r in proxy.seen(is_block) if r.status == 201]) >= 3, 30, "no blocks")
    time.sleep(0.3)  # until they are in the journal
    first.kill()
    assert az.keys() == []
    proxy.rate, before = None, [r.query["blockid"] for r in proxy.seen(is_block) if r.status == 201]
    seen = len(proxy.requests)
    salvage.ok("ship", target, *through.options(), *more, env=az.env)
    az.check_one(total)
    again = [r.query["blockid"] for r in proxy.requests[seen:] if is_block(r)]
    assert len(set(again) & set(before)) < len(before) and len(again) < len(before) + len(again)
    assert left_in(dumps) == []


def test_blocks_that_are_gone_are_sent_again(salvage, dumps, az, azurite, proxy_to):
    """A week later the service has dropped them; a blob of that name drops them, too."""
    proxy = proxy_to(azurite.host, rate=16 << 20)
    total = drop(dumps, "app.hprof", SIZE, seed=5)
    more = ["--compress", "none", "--key", "{id}/{file}", "--memory", "32M"]
    first = salvage.start("ship", dumps / "app.hprof", *az.through(proxy).options(), *more, env=az.env)
    wait_for(lambda: len([r for r in proxy.seen(is_block) if r.status == 201]) >= 3, 30, "no blocks")
    time.sleep(0.3)
    first.kill()
    key, = {r.path.partition(az.prefix + "/")[2] for r in proxy.seen(is_block)}
    assert len(az.blocks(key)) >= 3
    az.overwrite(key, b"")
    salvage.ok("ship", dumps / "app.hprof", *az.options(), *more, env=az.env)
    az.check_one(total)


@pytest.mark.parametrize("harm", [refused(503, "ServerBusy"), refused(500, "OperationTimedOut"), refused(400, "Md5Mismatch")],
                         ids=["busy", "timed-out", "damaged"])
def test_trouble_that_passes_is_waited_for(salvage, dumps, az, azurite, proxy_to, harm):
    proxy = proxy_to(azurite.host)
    rule = proxy.harm(harm, is_block)
    total = drop(dumps, "app.hprof", SIZE, seed=6)
    salvage.ok("ship", dumps / "app.hprof", *az.through(proxy).options(), "--compress", "none", env=az.env)
    assert rule.done == 1
    az.check_one(total)


def test_a_list_whose_answer_is_lost_makes_no_second_object(salvage, dumps, az, azurite, proxy_to):
    proxy = proxy_to(azurite.host)
    rule = proxy.harm(ResetAnswer(), lambda r: r.query.get("comp") == "blocklist" and r.method == "PUT")
    total = drop(dumps, "app.hprof", SIZE, seed=7)
    salvage.ok("ship", dumps / "app.hprof", *az.through(proxy).options(), "--compress", "none", env=az.env)
    assert rule.done == 1
    az.check_one(total)


@pytest.mark.parametrize("env, said", [
    ({"AZURE_STORAGE_SAS_TOKEN": sas("rl")}, "it must allow create and write (cw)"),
    ({"AZURE_STORAGE_SAS_TOKEN": sas(end="2020-01-01T00:00:00Z")}, "ended at 2020-01-01"),
    ({"AZURE_STORAGE_SAS_TOKEN": sas()[:-9] + "AAAAAAAAA"}, "is denied to the SAS"),
    ({"AZURE_STORAGE_SAS_TOKEN": "sv=1"}, "is no SAS: it has no sig="),
    ({"AZURE_STORAGE_KEY": "x"}, "account keys are not used: make a SAS"),
    ({"AZURE_FEDERATED_TOKEN_FILE": "/nowhere"}, "AZURE_CLIENT_ID is not"),
], ids=["denied", "ended", "forged", "malformed", "key", "half"])
def test_credentials_that_do_not_do_get_one_line(salvage, dumps, az, env, said):
    drop(dumps, "app.hprof", 1000)
    result = salvage.run("ship", dumps / "app.hprof", *az.options(), "--give-up", "1s",
                         env={"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:9", **env})
    assert result.code != 0 and said in result.err and result.err.count("\n") == 1, result.err
    assert "sig=" not in result.err.replace("no sig=", "") and az.keys() == [] and (dumps / "app.hprof").exists()


@pytest.mark.parametrize("url, said", [
    ("az://devstoreaccount1", "no container in it"),
    ("az://dev-store/evidence", "is no storage account"),
    ("az://devstoreaccount1/Evidence/x", "is no container"),
    ("az://devstoreaccount1/evidence?sv=1&sig=secret", "put what is behind its '?' into AZURE_STORAGE_SAS_TOKEN"),
    ("az://devstoreaccount1/missing", "there is no container 'missing'"),
])
def test_a_wrong_url_gets_one_line(salvage, az, url, said):
    result = salvage.run("ls", "--to", url, *az.args, env=az.env)
    assert result.code != 0 and said in result.err and "secret" not in result.err and result.err.count("\n") == 1


def test_headers_of_the_user_go_with_objects(salvage, dumps, az):
    drop(dumps, "app.hprof", 1000, seed=8)
    salvage.ok("ship", dumps / "app.hprof", *az.options(), "--header", "x-ms-access-tier:Cool", env=az.env)
    (key, _), = az.manifests()
    assert az.head(key)["x-ms-access-tier"] == "Cool"
    result = salvage.run("ship", dumps / "app.hprof", *az.options(), "--header", "x-ms-blob-type:PageBlob", env=az.env)
    assert result.code == 2 and "salvage's own to set" in result.err


def test_check_says_what_the_sas_allows(salvage, az):
    result = salvage.ok("check", *az.options(), env=az.env)
    assert "ok    permissions: put, multipart, head, get, list, delete" in result.out
    assert "a SAS, from: AZURE_STORAGE_SAS_TOKEN, until 2099-01-01" in result.out and az.keys() == []
    result = salvage.run("check", *az.options(), env={"AZURE_STORAGE_SAS_TOKEN": sas("cwl")})
    assert "get" in result.out and "is denied to the SAS" in result.out


def test_a_server_stands_before_a_container(salvage, dumps, work, az, serve):
    total = drop(dumps, "app.hprof", SIZE, seed=9)
    salvage.ok("ship", dumps / "app.hprof", *az.options(), env=az.env)
    server = serve("--anonymous-read", "--from", az.url, *az.args, env=az.env)
    (key, manifest), = az.manifests()
    assert server.get("/" + key).body == az.read(key)
    assert total == manifest["sha256"] and server.get("/" + key, headers={"Range": "bytes=100-199"}).body == az.read(key)[100:200]


def test_tokens_are_exchanged_and_renewed(salvage, dumps, work, session_folder, identity):
    """Workload identity: the pod's token for one of the storage's. The emulator takes tokens over TLS alone."""
    (work / "azurite").mkdir()
    authority = Authority(work, "ca")
    certificate, key = authority.server("IP:127.0.0.1")
    server = Azurite(work / "azurite", "--oauth", "basic", "--cert", certificate, "--key", key)
    try:
        store = Azure(server, context=ssl.create_default_context(cafile=authority.certificate))
        store.create()
        (work / "token").write_text("the pod's token\n".replace(" ", "-"))
        env = {"AZURE_FEDERATED_TOKEN_FILE": str(work / "token"), "AZURE_CLIENT_ID": "client", "AZURE_TENANT_ID": "tenant",
               "AZURE_AUTHORITY_HOST": identity.url + "/"}
        total = drop(dumps, "app.hprof", SIZE, seed=10)
        options = [*store.options(), "--ca-file", authority.certificate]
        result = salvage.ok("ship", dumps / "app.hprof", *options, env=env)
        store.check_one(total)
        path, _, form = identity.asked[0]
        assert path == "/tenant/oauth2/v2.0/token" and form["client_assertion"] == "the-pod's-token"
        assert form["scope"] == "https://storage.azure.com/.default" and form["client_id"] == "client"
        assert "eyJ" not in result.err

        managed = {"IDENTITY_ENDPOINT": identity.url + "/msi/token", "IDENTITY_HEADER": "the-header"}
        salvage.ok("ls", *options, env=managed)
        path, headers, _ = identity.asked[-1]
        assert path.startswith("/msi/token?") and headers["X-IDENTITY-HEADER"] == "the-header"
        identity.refuse = (401, {"error": "invalid_client", "error_description": "AADSTS70021: No matching federated identity"})
        result = salvage.run("ls", *options, env=env)
        assert result.code != 0 and "AADSTS70021" in result.err and result.err.count("\n") == 1
    finally:
        server.close()
