# SPDX-License-Identifier: Apache-2.0
"""`salvage serve` and clients that are malformed, too many, too slow, or gone: each limit has an answer."""
import concurrent.futures
import contextlib
import os
import re
import resource
import shutil
import signal
import socket
import struct
import time

import pytest

from helpers.proc import cpu_seconds, status, wait_for

HOST = b"Host: salvage.example\r\n"
GET = b"GET /shop/small HTTP/1.1\r\n" + HOST
SMALL = b"evidence\n"


@pytest.fixture
def start(serve):
    """A server whose folder has a small object and a sparse large one; anybody may read."""

    def run(*args, large=0, **more):
        server = serve("--anonymous-read", *args, **more)
        (server.root / "shop").mkdir()
        (server.root / "shop" / "small").write_bytes(SMALL)
        if large:
            with open(server.root / "shop" / "large", "wb") as stream:
                stream.truncate(large)
        return server

    return run


@pytest.fixture(scope="module")
def server(session_folder):
    """One for all requests that are one connection each."""
    from helpers.program import Salvage  # pylint: disable=import-outside-toplevel
    from helpers.serve import Serve  # pylint: disable=import-outside-toplevel

    folder = session_folder / "serve-limits"
    (folder / "root" / "shop").mkdir(parents=True)
    (folder / "root" / "shop" / "small").write_bytes(SMALL)
    tokens = folder / "tokens"
    tokens.write_text("ship salvage_test_token_0123456789 read,list,write,delete *\n")
    tokens.chmod(0o600)
    program = Salvage(folder)
    yield Serve(program, folder, "--anonymous-read", "--tokens", tokens)
    program.close()


TOKEN = b"Authorization: Bearer salvage_test_token_0123456789\r\n"


def until_end(s, most=1 << 22):
    data = b""
    while len(data) < most:
        with contextlib.suppress(ConnectionResetError):
            piece = s.recv(65536)
            if piece:
                data += piece
                continue
        return data
    return data


def read_small(s):
    data = b""
    while not data.endswith(SMALL):
        data += s.recv(4096)
    return data


def ask(server, *pieces, pause=0.0, half_close=False):
    """All that comes until the server ends the connection."""
    with server.connect() as s:
        for piece in pieces:
            s.sendall(piece)
            time.sleep(pause)
        if half_close:
            s.shutdown(socket.SHUT_WR)
        return until_end(s)


def statuses(data):
    """Of all answers in what came. The objects here have no such lines."""
    return [int(found) for found in re.findall(rb"^HTTP/1\.1 (\d{3}) ", data, re.M)]


# --- heads that are too large, malformed, or could be read in two ways -----------------------------------------------------


@pytest.mark.parametrize("name, request_, code", [
    ("a long header", GET + b"X: " + b"x" * 20000 + b"\r\n\r\n", 431),
    ("many headers", GET + b"X: x\r\n" * 100 + b"\r\n", 431),
    ("a long URL", b"GET /" + b"x" * 8100 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    ("a URL without an end", b"GET /" + b"x" * 20000, 414),
    ("HTTP/0.9", b"GET /shop/small\r\n\r\n", 400),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 400),
    ("no Host", b"GET /shop/small HTTP/1.1\r\n\r\n", 400),
    ("two Hosts", GET + HOST + b"\r\n", 400),
    ("a continued line", GET + b"X: 1\r\n 2\r\n\r\n", 400),
    ("a line that ends with LF", GET + b"X: 1\nY: 2\r\n\r\n", 400),
    ("a bare CR", GET + b"X: 1\rTransfer-Encoding: chunked\r\n\r\n", 400),
    ("NUL", GET + b"X: a\0b\r\n\r\n", 400),
    ("a space before the colon", GET + b"Content-Length : 5\r\n\r\n", 400),
    ("a header without a name", GET + b": 5\r\n\r\n", 400),
    ("both lengths", b"PUT /x HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ("two lengths", b"PUT /x HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
    ("a list of lengths", b"PUT /x HTTP/1.1\r\n" + HOST + b"Content-Length: 5, 5\r\n\r\n", 400),
    ("a negative length", b"PUT /x HTTP/1.1\r\n" + HOST + b"Content-Length: -5\r\n\r\n", 400),
    ("a length with a sign", b"PUT /x HTTP/1.1\r\n" + HOST + b"Content-Length: +5\r\n\r\n", 400),
    ("an endless length", b"PUT /x HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999\r\n\r\n", 413),
    ("another coding", b"PUT /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    ("two codings", b"PUT /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n", 400),
    ("chunks in HTTP/1.0", b"PUT /x HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n", 400),
    ("an unknown expectation", b"PUT /x HTTP/1.1\r\n" + HOST + b"Expect: a-miracle\r\n\r\n", 417),
    ("a proxy's request", b"CONNECT example.org:443 HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    ("no path", b"GET shop/small HTTP/1.1\r\n" + HOST + b"\r\n", 400),
])
def test_a_request_that_is_refused_by_its_head(server, name, request_, code):
    answer = ask(server, request_)
    assert statuses(answer) == [code], (name, answer[:300])
    assert b"Connection: close" in answer
    # And as the second request of a connection.
    again = ask(server, GET + b"\r\n", request_, pause=0.02)
    assert statuses(again) == [200, code] or statuses(again) == [200], (name, again[:600])


@pytest.mark.parametrize("request_", [
    b"GET http://salvage.example/shop/small HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    b"GET /shop/small HTTP/1.0\r\n\r\n",
    b"\r\n" + GET + b"Connection: keep-alive, close\r\n\r\n",
    GET.replace(b"Host", b"hOST") + b"Connection: close\r\nX:\t tab \r\n\r\n",
], ids=["absolute", "http-1.0", "empty-line", "spelling"])
def test_unusual_requests_that_are_right(server, request_):
    answer = ask(server, request_)
    assert statuses(answer) == [200] and answer.endswith(SMALL), answer


def test_a_body_is_never_a_request(server):
    """What a refused request carries is thrown away."""
    inner = GET + b"\r\n"
    answer = ask(server, b"PUT /shop/y HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(inner) + inner)
    assert statuses(answer) == [401]
    chunks = b"PUT /shop/y HTTP/1.1\r\n" + HOST + TOKEN + b"Transfer-Encoding: chunked\r\n\r\n"
    for bad in (b"zz\r\nabc\r\n0\r\n\r\n", b"5\r\nabcdefgh\r\n0\r\n\r\n", b"-1\r\nabc\r\n", b"fffffffffffffffff\r\nabc\r\n"):
        answer = ask(server, chunks + bad + inner)
        assert statuses(answer) in ([400], [413]), (bad, answer)


def test_of_requests_in_one_piece_the_first_is_answered(server):
    """The client has to send the others again (RFC 9112, 9.3.2)."""
    answer = ask(server, (GET + b"\r\n") * 3)
    assert statuses(answer) == [200] and b"Connection: close" in answer


def test_many_requests_on_one_connection(server):
    with server.connect() as s:
        for i in range(50):
            s.sendall(GET + b"\r\n")
            assert statuses(read_small(s)) == [200], i
            body = b"x" * i
            s.sendall(b"PUT /shop/put HTTP/1.1\r\n" + HOST + TOKEN + b"Content-Length: %d\r\n\r\n" % i + body)
            data = b""
            while b"\r\n\r\n" not in data:
                data += s.recv(4096)
            assert statuses(data)[0] in (200, 201, 204), data
            head, _, rest = data.partition(b"\r\n\r\n")
            length = int(dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])[b"content-length"])
            while len(rest) < length:
                rest += s.recv(4096)


def test_a_head_in_pieces_also_of_the_second_request(server):
    with server.connect() as s:
        for _ in range(2):
            for c in GET + b"\r\n":
                s.sendall(bytes([c]))
                time.sleep(0.001)
            assert statuses(read_small(s)) == [200]


def test_a_client_that_sends_no_more_still_gets_its_answer(server):
    assert ask(server, GET + b"\r\n", half_close=True).endswith(SMALL)


# --- an answer before the body has come --------------------------------------------------------------------------------------


def test_the_answer_is_read_by_a_client_that_sends_all_first(server):
    """A server that just closes would reset the connection, and the answer with it."""
    head = b"PUT /shop/y HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % (64 << 20)
    with server.connect() as s:
        s.sendall(head)
        for _ in range(64):
            s.sendall(bytes(1 << 20))
        assert statuses(until_end(s)) == [401]


# --- too many ------------------------------------------------------------------------------------------------------------------


def test_too_many_connections(start):
    server = start("--connections", 40, "--connections-per-address", 20)
    time.sleep(0.2)  # the end of the request that found it ready
    with contextlib.ExitStack() as stack:
        open_ = [stack.enter_context(server.connect()) for _ in range(20)]
        wait_for(lambda: statuses(ask(server, b"")) == [503], 5)
        event = server.wait("clients-refused")
        assert event["reason"] == "too many connections of one address" and event["client"] == "127.0.0.1"
        # Another address is still served.
        with socket.socket() as other:
            other.bind(("127.0.0.2", 0))
            other.connect((server.host, server.port))
            other.sendall(GET + b"Connection: close\r\n\r\n")
            assert statuses(until_end(other)) == [200]
        for s in open_:
            s.sendall(GET + b"Connection: close\r\n\r\n")
            assert statuses(until_end(s)) == [200], "those that are there are served"
    wait_for(lambda: statuses(ask(server, GET + b"Connection: close\r\n\r\n")) == [200], 10, "not served again")


def test_no_threads_left(start, work):
    """RLIMIT_NPROC counts threads of a user: another one than root, who has no limit."""
    root = work / "open"
    root.mkdir()
    root.chmod(0o777)
    server = start(uid=54321, root=root)
    time.sleep(0.3)  # the thread of the request that found it ready
    threads = int(status(server.program.pid)["Threads"])
    server.stop()
    shutil.rmtree(root / "shop")
    limit = "--nproc=%d:%d" % (threads + 2, threads + 2)
    server = start(uid=54321, root=root, entry=("/usr/bin/prlimit", limit))
    time.sleep(0.3)
    with contextlib.ExitStack() as stack:
        held = []
        for _ in range(4):
            s = stack.enter_context(server.connect())
            s.sendall(b"GET /shop/small HTTP/1.1\r\n" + HOST + b"\r\n")
            held.append(s)
        answers = [statuses(s.recv(4096)) for s in held]
        assert sorted(map(tuple, answers)) == [(200,), (200,), (503,), (503,)], answers
        assert "thread" in server.wait("clients-refused")["reason"]
    wait_for(lambda: statuses(ask(server, GET + b"Connection: close\r\n\r\n")) == [200], 10, "not served again")


def test_no_descriptors_left(start):
    """It waits for one without using a processor, and goes on."""
    server = start()
    used = len(os.listdir("/proc/%d/fd" % server.program.pid))
    resource.prlimit(server.program.pid, resource.RLIMIT_NOFILE, (used + 6, used + 6))
    with contextlib.ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(server.connect())
        assert "descriptors" in server.wait("clients-refused")["reason"]
        before = cpu_seconds(server.program.pid)
        time.sleep(1)
        assert cpu_seconds(server.program.pid) - before < 0.3
    wait_for(lambda: statuses(ask(server, GET + b"Connection: close\r\n\r\n")) == [200], 10, "not served again")


# --- too slow --------------------------------------------------------------------------------------------------------------------


def trickle(s, data, seconds, piece=1):
    """Sends a little all the time, until the connection ends; what came."""
    deadline = time.monotonic() + seconds
    s.settimeout(0.1)
    got = b""
    at = 0
    while time.monotonic() < deadline:
        try:
            s.send(data[at % len(data):at % len(data) + piece])
            at += piece
            got_now = s.recv(65536)
            if not got_now:
                return got
            got += got_now
        except TimeoutError:
            pass
        except OSError:
            return got
    raise AssertionError("still connected after %g s" % seconds)


def slow_head(server):
    with server.connect() as s:
        s.sendall(GET)
        got = trickle(s, b"X: x\r\n", 10)
    assert statuses(got) == [408], got


def slow_second_head(server):
    with server.connect() as s:
        s.sendall(GET + b"\r\n")
        got = trickle(s, GET + b"X: x\r\n" * 50, 10)
    assert statuses(got) in ([200, 408], [200]), got


def idle(server):
    with server.connect() as s:
        s.settimeout(10)
        assert s.recv(1) == b"", "no request: no answer"


def slow_sender(server):
    with server.connect() as s:
        s.sendall(b"PUT /shop/slow HTTP/1.1\r\n" + HOST + TOKEN + b"Content-Length: 1000000\r\n\r\n")
        trickle(s, b"x" * 1000, 10, 100)


def slow_reader(server):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect((server.host, server.port))
        s.sendall(b"GET /shop/large HTTP/1.1\r\n" + HOST + b"\r\n")
        deadline = time.monotonic() + 12
        got = 0
        with contextlib.suppress(ConnectionResetError):
            while time.monotonic() < deadline:
                piece = s.recv(256)
                if not piece:
                    return
                got += len(piece)
                time.sleep(0.1)
            raise AssertionError("still connected, with %d bytes" % got)


def steady_reader(server):
    """Slow, but it gets on."""
    with server.connect() as s:
        s.sendall(b"GET /shop/large HTTP/1.1\r\n" + HOST + b"Range: bytes=0-399999\r\n\r\n")
        got = 0
        while got < 400000:
            piece = s.recv(20000)
            assert piece, "cut off after %d bytes" % got
            got += len(piece)
            time.sleep(0.2)


def test_slow_clients_are_cut_off_and_those_that_get_on_are_not(start, work):
    tokens = work / "tokens"
    tokens.write_text("ship salvage_test_token_0123456789 read,list,write,delete *\n")
    tokens.chmod(0o600)
    server = start("--client-timeout", "2s", "--tokens", tokens, large=64 << 20)
    cases = [slow_head, slow_second_head, idle, slow_sender, slow_reader, steady_reader]
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        for done in [pool.submit(case, server) for case in cases]:
            done.result()
    reasons = {event["reason"] for event in server.program.named("clients-refused")}
    assert reasons == {"the request's head did not come in time", "the client sent its body too slowly",
                       "the client took its answer too slowly"}
    assert not (server.root / "shop" / "slow").exists()
    wait_for(lambda: int(status(server.program.pid)["Threads"]) < 12, 10, "threads are left over")


# --- ends ------------------------------------------------------------------------------------------------------------------------


def test_clients_that_reset_their_connections(start):
    server = start(large=64 << 20)
    for i in range(200):
        s = server.connect()
        s.sendall((GET, GET + b"\r\n", b"GET /shop/large HTTP/1.1\r\n" + HOST + b"\r\n", b"")[i % 4])
        if i % 3 == 0:
            time.sleep(0.002)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    assert server.get("/shop/small").body == SMALL
    wait_for(lambda: int(status(server.program.pid)["Threads"]) < 12, 10, "threads are left over")
    broken = [e for e in server.program.named("audit", key="shop/large") if e["bytes"] < 64 << 20]
    assert broken and all(e["status"] == 0 for e in broken), "what was sent is written down"


def test_a_stop_lets_requests_end_and_accepts_no_more(start):
    server = start(large=8 << 20)
    with server.connect() as busy, server.connect() as resting, server.connect() as half:
        resting.sendall(GET + b"\r\n")
        assert statuses(read_small(resting)) == [200]
        half.sendall(GET)
        busy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        busy.sendall(b"GET /shop/large HTTP/1.1\r\n" + HOST + b"\r\n")
        busy.recv(1)
        server.program.process.send_signal(signal.SIGTERM)
        server.wait("stopping")
        assert until_end(resting) == b"" and until_end(half) == b""
        with pytest.raises(OSError):
            server.connect().close()
        got = until_end(busy, 16 << 20)
        assert len(got) > 8 << 20
    assert server.program.end() == 0


def test_a_stop_breaks_off_what_lasts_longer_than_its_grace(start):
    server = start("--grace", "1s", large=256 << 20)
    with server.connect() as s:
        s.sendall(b"GET /shop/large HTTP/1.1\r\n" + HOST + b"\r\n")
        s.recv(1)
        began = time.monotonic()
        assert server.stop() == 0
        assert 0.9 < time.monotonic() - began < 5
