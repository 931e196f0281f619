# SPDX-License-Identifier: Apache-2.0
"""TLS is verified: the host name and the issuer of the certificate."""
import pytest

from helpers.evidence import drop, left_in
from helpers.nginx import ALL_METHODS
from helpers.stores import Http
from helpers.tls import Authority


@pytest.fixture
def authority(work):
    return Authority(work, "good")


@pytest.fixture
def server(nginx, authority):
    """Its certificate is for "localhost" alone."""
    return nginx(dav=ALL_METHODS, certificate=authority.server("DNS:localhost"))


def by_name(server):
    return server.url.replace("127.0.0.1", "localhost")


def test_a_private_ca_that_is_given(salvage, work, dumps, server, authority):
    store = Http(server.folder, by_name(server), ["--ca-file", authority.certificate])
    total = drop(dumps, "app.hprof", 12 << 20)
    url = salvage.ok("ship", dumps / "app.hprof", *store.options()).out.strip()
    manifest = store.check_one(total)
    assert url == store.url_of(manifest["key"])
    assert total in salvage.ok("ls", store.url, *store.args, "--json").out
    salvage.ok("get", url, "-o", work / "out", *store.args)


def refused(salvage, dumps, *args):
    drop(dumps, "app.hprof")
    result = salvage.run("ship", dumps / "app.hprof", *args)
    assert result.code == 42, result
    assert left_in(dumps) == ["app.hprof"]
    return result.message


def test_a_ca_that_nobody_knows(salvage, dumps, server):
    message = refused(salvage, dumps, "--to", by_name(server))
    assert "--ca-file" in message, "says what to do"


def test_another_ca_than_the_servers(salvage, work, dumps, server):
    other = Authority(work, "other")
    refused(salvage, dumps, "--to", by_name(server), "--ca-file", other.certificate)


def test_another_name_than_the_certificates(salvage, dumps, server, authority):
    message = refused(salvage, dumps, "--to", server.url, "--ca-file", authority.certificate)
    assert "127.0.0.1" in message, "says which name"


def test_an_s3_endpoint_is_verified_too(salvage, dumps, s3, server):
    drop(dumps, "app.hprof")
    result = salvage.run("ship", dumps / "app.hprof", "--to", s3.url, "--endpoint",
                         "https://localhost:%d" % server.port, env=s3.env)
    assert result.code == 42 and result.message, result


def test_tls_to_a_server_that_speaks_none(salvage, dumps, nginx):
    plain = nginx()
    message = refused(salvage, dumps, "--to", plain.url.replace("http://", "https://"))
    assert plain.host in message


@pytest.mark.parametrize("text", [None, "", "nonsense"], ids=["missing", "empty", "nonsense"])
def test_a_ca_file_that_is_none(salvage, work, dumps, server, text):
    path = work / "ca.pem"
    if text is not None:
        path.write_text(text, encoding="ascii")
    drop(dumps, "app.hprof")
    result = salvage.run("ship", dumps / "app.hprof", "--to", by_name(server), "--ca-file", path)
    assert result.code in (2, 42) and str(path) in result.message, result


def test_a_watch_says_it_once_and_tries_slowly(salvage, dumps, server):
    drop(dumps, "app.hprof")
    watch = salvage.watch(dumps, "--to", by_name(server))
    event = watch.wait("failed")
    assert event["fault"] == "tls" and event["retry_in_s"] >= 30
    assert watch.stop() == 75
