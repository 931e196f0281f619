# SPDX-License-Identifier: Apache-2.0
"""`salvage serve` starts, answers and stops."""
import signal

import pytest

USAGE = 2


def test_it_serves_the_files_of_a_folder_until_it_is_asked_to_stop(serve):
    server = serve("--anonymous-read")
    (server.root / "shop").mkdir()
    (server.root / "shop" / "app.hprof").write_bytes(b"JAVA PROFILE 1.0.2\0")
    assert server.get("/shop/app.hprof").body == b"JAVA PROFILE 1.0.2\0"
    assert server.get("/shop/other.hprof").status == 404
    server.restart(how=signal.SIGINT)
    assert server.get("/shop/app.hprof").status == 200
    assert server.stop() == 0
    assert [e["event"] for e in server.events if e["event"] != "audit"][-2:] == ["stopping", "stopped"]


def test_an_address_in_use(serve, salvage, work):
    server = serve()
    done = salvage.run("serve", "--root", work, "--listen", server.address)
    assert done.code == 1 and "cannot listen on %s: Address already in use" % server.address in done.message, done


@pytest.mark.parametrize("listen", ["localhost:80", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536", "::1:80", "[::1]80"])
def test_what_is_no_address_to_listen_on(salvage, work, listen):
    done = salvage.run("serve", "--root", work, "--listen", listen)
    assert done.code == USAGE and listen in done.message, done


def test_the_answer_to_a_head_has_no_body(serve):
    server = serve("--anonymous-read")
    (server.root / "shop").mkdir()
    (server.root / "shop" / "app.hprof").write_bytes(b"evidence")
    for path in ("/shop/", "/shop/app.hprof", "/shop/none", "/-/login", "/metrics"):
        with server.connect() as connection:
            request = "HEAD %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path
            connection.sendall(request.replace("Connection: close\r\n", "").encode() + request.encode())
            text = b"".join(iter(lambda: connection.recv(65536), b""))
        for answer in text.split(b"\r\n\r\n"):
            assert not answer or answer.startswith(b"HTTP/1.1 "), (path, text)
