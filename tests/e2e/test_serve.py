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
