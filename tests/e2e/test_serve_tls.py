# SPDX-License-Identifier: Apache-2.0
"""`salvage serve` with TLS: what it speaks, certificates that change, clients that do not play along."""
import hashlib
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

from helpers.proc import cpu_seconds, wait_for
from helpers.tls import Authority, openssl

USAGE = 2
TOKEN = "salvage_test_token_0123456789"


@pytest.fixture(scope="module")
def authority(session_folder):
    folder = session_folder / "serve-ca"
    folder.mkdir()
    return Authority(folder, "serve")


@pytest.fixture
def files(work, authority):
    """(certificate, key) of this test."""
    made = authority.server("DNS:localhost")
    return [shutil.copy(file, work / file.name) for file in made]


@pytest.fixture
def start(serve, files, authority, work):
    def run(*args):
        tokens = work / "tokens"
        tokens.write_text("ship %s read,list,write,delete *\n" % TOKEN)
        tokens.chmod(0o600)
        server = serve("--tls-cert", files[0], "--tls-key", files[1], "--anonymous-read", "--tokens", tokens, *args,
                       ca=authority.certificate)
        (server.root / "shop").mkdir()
        (server.root / "shop" / "small").write_bytes(b"evidence\n")
        return server

    return run


def test_uploads_and_downloads(start):
    server = start()
    data = os.urandom(20 << 20)
    assert server.request("PUT", "/shop/big", data, token=TOKEN, timeout=60).status == 201
    assert hashlib.sha256((server.root / "shop" / "big").read_bytes()).digest() == hashlib.sha256(data).digest()
    assert server.get("/shop/big", timeout=60).body == data
    assert server.request("PUT", "/shop/chunks", iter([data[:100000]] * 20), token=TOKEN).status == 201
    assert server.get("/shop/chunks").body == data[:100000] * 20
    assert server.get("/shop/small").body == b"evidence\n"
    event = server.wait("audit", key="shop/big", method="GET")
    assert event["client"] == "127.0.0.1" and event["bytes"] == len(data) and event["status"] == 200
    shown = subprocess.run(["curl", "-sS", "--cacert", server.ca, "--resolve", "localhost:%d:127.0.0.1" % server.port,
                            "-w", "%{http_version} %{num_connects}\n", "https://localhost:%d/shop/small" % server.port,
                            "https://localhost:%d/shop/small" % server.port], check=True, stdout=subprocess.PIPE)
    assert shown.stdout == b"evidence\n1.1 1\nevidence\n1.1 0\n"


def shake_hands(server, **settings):
    context = server.context()
    for name, value in settings.items():
        setattr(context, name, value)
    with socket.create_connection((server.host, server.port), 10) as raw, \
            context.wrap_socket(raw, server_hostname="localhost") as s:
        return s.version(), s.cipher()[0]


def test_what_it_speaks(start):
    server = start()
    assert shake_hands(server)[0] == "TLSv1.3"
    version, cipher = shake_hands(server, maximum_version=ssl.TLSVersion.TLSv1_2)
    assert version == "TLSv1.2" and cipher.startswith("ECDHE-") and ("GCM" in cipher or "POLY1305" in cipher)
    for option in ("-tls1_1", "-tls1"):
        done = subprocess.run(["openssl", "s_client", option, "-cipher", "ALL:@SECLEVEL=0", "-connect", server.address],
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        assert done.returncode != 0, option
    context = server.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-GCM-SHA256:AES128-SHA")
    with socket.create_connection((server.host, server.port), 10) as raw, pytest.raises(ssl.SSLError):
        context.wrap_socket(raw, server_hostname="localhost")
    for offered, chosen in ((["h2", "http/1.1"], "http/1.1"), (["h2"], None)):
        context = server.context()
        context.set_alpn_protocols(offered)
        with socket.create_connection((server.host, server.port), 10) as raw:
            if chosen:
                assert context.wrap_socket(raw, server_hostname="localhost").selected_alpn_protocol() == chosen
            else:
                with pytest.raises(ssl.SSLError):
                    context.wrap_socket(raw, server_hostname="localhost")


def serial(server):
    with server.connect() as s:
        return s.getpeercert()["serialNumber"]


def test_a_new_certificate_is_used_by_new_connections(start, files, authority):
    server = start()
    first = serial(server)
    with server.connect() as old:
        for file, new in zip(files, authority.server("DNS:localhost")):
            os.replace(shutil.copy(new, "%s.new" % file), file)
        wait_for(lambda: serial(server) != first, 10, "the old certificate is still used", 0.3)
        server.wait("certificate-read")
        old.sendall(b"GET /shop/small HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = b""
        while piece := old.recv(4096):
            got += piece
        assert got.endswith(b"evidence\n")


def test_new_files_of_no_use_are_reported_and_the_old_stay(start, files, authority):
    server = start()
    first = serial(server)
    with open(files[0], "w", encoding="ascii") as stream:
        stream.write("-----BEGIN CERTIFICATE-----\nnonsense\n")
    time.sleep(1.1)
    assert serial(server) == first
    assert "no certificate" in server.wait("certificate-kept")["error"]
    time.sleep(1.1)
    assert serial(server) == first
    assert len(server.program.named("certificate-kept")) == 1, "once for each change"
    for file, new in zip(files, authority.server("DNS:localhost")):
        shutil.copy(new, file)
    wait_for(lambda: serial(server) != first, 10, "the new certificate is not used", 0.3)


def refused(salvage, work, *args):
    done = salvage.run("serve", "--root", work, "--listen", "127.0.0.1:0", *args)
    assert done.code == USAGE, done
    return done.message


def test_files_that_cannot_be_used(salvage, work, files, authority):
    cert, key = files
    assert "--tls-key" in refused(salvage, work, "--tls-cert", cert)
    assert "No such file" in refused(salvage, work, "--tls-cert", work / "none", "--tls-key", key)
    assert "No such file" in refused(salvage, work, "--tls-cert", cert, "--tls-key", work / "none")
    assert "no certificate in PEM form" in refused(salvage, work, "--tls-cert", key, "--tls-key", key)
    assert "no private key in PEM form" in refused(salvage, work, "--tls-cert", cert, "--tls-key", cert)
    assert "not the certificate of this key" in refused(salvage, work, "--tls-cert", cert, "--tls-key", authority.key)
    openssl("ec", "-in", key, "-aes256", "-passout", "pass:secret", "-out", work / "locked.key")
    assert "encrypted" in refused(salvage, work, "--tls-cert", cert, "--tls-key", work / "locked.key")
    os.chmod(key, 0)
    root = work / "open"
    root.mkdir()
    root.chmod(0o777)
    done = salvage.run("serve", "--root", root, "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key, uid=54321)
    assert done.code == USAGE and "Permission denied" in done.message, done


KERNEL_HAS_TLS = "tls" in pathlib.Path("/proc/sys/net/ipv4/tcp_available_ulp").read_text(encoding="ascii").split()


def kernel_sends():
    """Connections that the kernel has encrypted for."""
    with open("/proc/net/tls_stat", encoding="ascii") as stream:
        return next(int(line.split()[1]) for line in stream if line.startswith("TlsTxSw"))


@pytest.mark.only_where(KERNEL_HAS_TLS, "this kernel has no TLS")
def test_the_kernel_encrypts_where_it_can(start):
    before = kernel_sends()
    server, data = start(), os.urandom(5 << 20)
    (server.root / "shop" / "large").write_bytes(data)
    assert server.get("/shop/large").body == data
    assert kernel_sends() > before


def test_clients_that_do_not_shake_hands(start):
    server = start("--client-timeout", "2s")
    with socket.create_connection((server.host, server.port), 10) as silent, \
            socket.create_connection((server.host, server.port), 10) as plain, \
            socket.create_connection((server.host, server.port), 10) as slow:
        plain.sendall(b"GET /shop/small HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" not in plain.recv(4096)
        assert server.wait("clients-refused")["reason"] == "failed TLS handshakes"
        began = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - began < 10:  # the beginning of a ClientHello that never ends
                slow.sendall(b"\x16\x03\x01\x02\x00"[:1] if time.monotonic() - began < 0.1 else b"\x00")
                time.sleep(0.2)
        assert silent.recv(1) == b""
        assert time.monotonic() - began < 8
    assert server.get("/shop/small").status == 200


def test_refusals_and_slow_clients_behind_tls(start):
    server = start("--client-timeout", "2s")
    with open(server.root / "shop" / "large", "wb") as stream:
        stream.truncate(64 << 20)
    with server.connect() as s:
        s.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 400 ")
    with server.connect() as reader, server.connect() as sender:
        reader.sendall(b"GET /shop/large HTTP/1.1\r\nHost: x\r\n\r\n")
        sender.sendall(b"PUT /shop/slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100000\r\n\r\n"
                       % TOKEN.encode())
        reasons = {"the client took its answer too slowly", "the client sent its body too slowly"}
        wait_for(lambda: {e["reason"] for e in server.program.named("clients-refused")} >= reasons, 10)
    before = cpu_seconds(server.program.pid)
    time.sleep(1)
    assert cpu_seconds(server.program.pid) - before < 0.2, "nothing is left that spins"


def test_many_at_once_and_a_stop(start):
    """Both directions, more than the buffers hold; then SIGTERM with connections at rest."""
    server = start()
    data = os.urandom(3 << 20)
    problems = []

    def work(i):
        try:
            assert server.request("PUT", "/shop/n%d" % i, data, token=TOKEN, timeout=60).status == 201
            assert server.get("/shop/n%d" % i, timeout=60).body == data
        except (AssertionError, OSError) as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    with server.connect() as s:
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 3
        assert s.recv(1) == b""


def private_kib(pid):
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as stream:
        return sum(int(line.split()[1]) for line in stream if line.startswith("Private_Dirty:"))


@pytest.mark.parametrize("tls", [False, True])
def test_what_a_slow_reader_costs(serve, start, tls):
    """A thread, a buffer, and a record: 20 KiB and 40 KiB."""
    server, count = start() if tls else serve("--anonymous-read"), 100
    (server.root / "shop").mkdir(exist_ok=True)
    with open(server.root / "shop" / "large", "wb") as stream:
        stream.truncate(64 << 20)
    before, readers = private_kib(server.program.pid), []
    for _ in range(count):
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.connect((server.host, server.port))
        if tls:
            link = server.context().wrap_socket(link, server_hostname="localhost")
        link.sendall(b"GET /shop/large HTTP/1.1\r\nHost: x\r\n\r\n")
        assert link.recv(1)
        readers.append(link)
    time.sleep(0.5)
    each = (private_kib(server.program.pid) - before) / count
    for link in readers:
        link.close()
    assert each < (56 if tls else 32), "%.0f KiB for each" % each


def test_records_change_their_size_in_the_middle_of_what_a_client_takes_late(start):
    """The kernel takes odd pieces: records are large after 4 MiB, wherever in what the server writes that is."""
    server, data = start(), os.urandom(7 << 20)
    (server.root / "shop" / "large").write_bytes(data)
    for n in range(16):
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20000 + 3777 * n)
        link.connect((server.host, server.port))
        link.settimeout(20)
        got = bytearray()
        with server.context().wrap_socket(link, server_hostname="localhost") as s:
            s.sendall(b"GET /shop/large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            time.sleep(0.05)
            while piece := s.recv(30011 + n):
                got += piece
        assert got.partition(b"\r\n\r\n")[2] == data


def test_records_are_small_at_first_and_then_large(start):
    server, seen = start(), b""
    with open(server.root / "shop" / "large", "wb") as stream:
        stream.truncate(12 << 20)
    come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = server.context().wrap_bio(come, go, server_hostname="localhost")
    with socket.create_connection((server.host, server.port), timeout=20) as link:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                link.sendall(go.read())
                data = link.recv(65536)
                seen += data
                come.write(data)
        tls.write(b"GET /shop/large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        link.sendall(go.read())
        while data := link.recv(1 << 20):
            seen += data
    sizes, at = [], 0
    while at + 5 <= len(seen):
        sizes.append(int.from_bytes(seen[at + 3:at + 5], "big"))
        at += 5 + sizes[-1]
    application = [size for size in sizes[8:] if size > 1000]
    assert max(application[:100]) < 2200, "a client that stops now holds no more"
    assert max(application[-100:]) > 16000
