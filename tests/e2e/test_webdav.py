# SPDX-License-Identifier: Apache-2.0
"""File servers that differ from a stock nginx: Apache's mod_dav, directly and behind a proxy that ends TLS; missing folders;
proxies that break the protocol."""
import shutil
import socket
import threading

import pytest

from helpers.apache import Apache
from helpers.evidence import drop
from helpers.nginx import Nginx
from helpers.proc import free_port, require_root
from helpers.stores import Http
from helpers.tls import Authority


@pytest.fixture
def apache(work):
    require_root("starts Apache")
    server = Apache(work / "apache")
    yield server
    server.close()


@pytest.mark.parametrize("size", [3000, 20_000_000])
def test_apache_takes_lists_and_gives(salvage, work, dumps, apache, size):
    """It wants the whole URL as Destination; and its folders are made, the ones of --to too."""
    for to, folder in ((apache.url, apache.folder), (apache.url + "/team/a%20b", apache.folder / "team" / "a b")):
        total = drop(dumps, "app.hprof", size, seed=size)
        url = salvage.ok("ship", dumps / "app.hprof", "--to", to, "--compress", "none", "--remove").out.strip()
        Http(folder, to).check_one(total)
        assert url in salvage.ok("ls", to).out
        salvage.ok("get", url, "-o", work / "back")
        (work / "back").unlink()
        shutil.rmtree(apache.folder / "host", ignore_errors=True)
    assert not [r for r in apache.requests() if r[0] == "MOVE" and r[2] == 502]


@pytest.mark.parametrize("host", ["$http_host", "$proxy_host"])
def test_apache_behind_a_proxy_that_ends_tls(salvage, work, dumps, apache, host):
    authority = Authority(work, "ca")
    front = Nginx(work / "front", dav="proxy_pass http://%s; proxy_set_header Host %s;" % (apache.host, host),
                  certificate=authority.server("IP:127.0.0.1"))
    try:
        total = drop(dumps, "app.hprof")
        salvage.ok("ship", dumps / "app.hprof", "--to", front.url, "--ca-file", authority.certificate)
        Http(apache.folder, apache.url).check_one(total)
    finally:
        front.close()


@pytest.mark.parametrize("dav", ["PUT DELETE MKCOL COPY MOVE", "PUT MKCOL"])
def test_nginx_that_makes_no_folders_by_itself(salvage, dumps, nginx, dav):
    server = nginx(dav="dav_methods %s;" % dav)
    total = drop(dumps, "app.hprof")
    salvage.ok("ship", dumps / "app.hprof", "--to", server.url + "/team/x")
    Http(server.folder / "team" / "x", server.url).check_one(total)


def test_a_folder_that_is_removed_meanwhile_is_made_again(salvage, dumps, apache):
    watch = salvage.watch(dumps, "--to", apache.url)
    for name in ("a.hprof", "b.hprof"):
        drop(dumps, name)
        watch.wait("shipped", count=1 if name == "a.hprof" else 2)
        shutil.rmtree(apache.folder / "host")
    assert watch.stop() == 0 and not watch.named("failed")


# --- proxies ----------------------------------------------------------------------------------------------------------


class UselessProxy:
    """Answers each connection with the same bytes, or (None) with nothing."""

    def __init__(self, answer):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)
        self.place = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.answer, self.kept = answer, []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                client, _ = self.listener.accept()
                self.kept.append(client)
                if self.answer:
                    client.recv(65536)
                    client.sendall(self.answer)
                    client.close()
            except OSError:
                return

    def close(self):
        self.listener.close()
        for client in self.kept:
            client.close()


@pytest.fixture
def useless():
    started = []

    def start(answer):
        started.append(UselessProxy(answer))
        return started[-1]

    yield start
    for proxy in started:
        proxy.close()


LOGIN = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"
S3_VARIABLES = {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK", "AWS_REGION": "us-east-1"}


def failure_by(salvage, dumps, to, **variables):
    """What a watch says of its store at once; and no password."""
    watch = salvage.watch(dumps, "--to", to, "--timeout", "1s", env={**S3_VARIABLES, **variables})
    failed = watch.wait("store-failed")
    watch.kill()
    assert "secret-word" not in watch.log
    return failed["fault"], failed["error"]


@pytest.mark.parametrize("variable, to", [
    ("http_proxy", "http://store.example/x"), ("all_proxy", "http://store.example/x"),
    ("https_proxy", "https://store.example/x"), ("HTTPS_PROXY", "s3://evidence/x"), ("ALL_PROXY", "s3://evidence/x")])
def test_a_dead_proxy_is_named_and_not_the_store(salvage, dumps, variable, to):
    place = "127.0.0.1:%d" % free_port()
    fault, error = failure_by(salvage, dumps, to, **{variable: "http://user:secret-word@%s" % place})
    assert fault == "unreachable" and "proxy %s: connection refused" % place in error and variable in error, error


@pytest.mark.parametrize("to", ["http://store.example/x", "https://store.example/x", "s3://evidence/x"])
def test_a_proxy_that_wants_a_login_or_is_silent(salvage, dumps, useless, to):
    for answer, expected, says in ((LOGIN, "credentials", "407"), (None, "stalled", "")):
        proxy = useless(answer)
        address = "http://user:secret-word@" + proxy.place
        fault, error = failure_by(salvage, dumps, to, http_proxy=address, https_proxy=address)
        assert fault == expected and "proxy " + proxy.place in error and says in error, error
