#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`salvage serve` beside nginx with its WebDAV module, on the same disk, in turns: seconds for an upload and for a ranged
download of SIZE MiB by curl, plain and by TLS, requests a second for a small object by wrk, and our memory (PSS, at its
highest) with 500 slow readers and 64 uploads at once; and the plain bytes of a stored object (?decoded) beside `zstd -dc`
of the same. Also: seconds that sha256sum needs for the same bytes, as nginx makes no digest.

usage: tests/bench/serve.py RUNS SIZE    prints one JSON object
"""
import json
import os
import pathlib
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
# pylint: disable=wrong-import-position
from helpers.nginx import PUT_ONLY, Nginx  # noqa: E402
from helpers.program import Salvage  # noqa: E402
from helpers.serve import Serve  # noqa: E402
from helpers.tls import Authority  # noqa: E402

TOKEN = "salvage_bench_token_0123456789"
READERS, UPLOADS = 500, 64


def timed(*command):
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def transfer(url, file, size):
    """Seconds for an upload and for a download of all but its first byte."""
    os.sync()
    up = timed("curl", "-skf", "-H", "Authorization: Bearer " + TOKEN, "-H", "Expect:", "-T", file, url)
    down = timed("curl", "-skf", "-r", "1-%d" % (size - 1), "-o", "/dev/null", url)
    return up, down


def requests(url):
    if not shutil.which("wrk"):
        return 0
    said = subprocess.run(["wrk", "-t1", "-c8", "-d3", url], check=True, stdout=subprocess.PIPE, text=True).stdout
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", said)[1])


def pss(pid):
    return int(re.search(r"^Pss:\s+(\d+)", pathlib.Path("/proc/%d/smaps_rollup" % pid).read_text("ascii"), re.M)[1]) / 1024


def upload(server, i, size, problems):
    with server.connect(120) as s:
        s.sendall(b"PUT /shop/many%d HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n" %
                  (i, TOKEN.encode(), size))
        block = os.urandom(1 << 20)
        for _ in range(size >> 20):
            s.sendall(block)
        if b" 201 " not in s.recv(4096):
            problems.append(i)


def memory(server):
    """MiB at rest, and at the peak."""
    with open(server.root / "shop" / "sparse", "wb") as stream:
        stream.truncate(64 << 20)
    rest, peak, problems, readers = pss(server.program.pid), 0, [], []
    for _ in range(READERS):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect((server.host, server.port))
        if server.tls:
            s = server.context().wrap_socket(s)
        s.sendall(b"GET /shop/sparse HTTP/1.1\r\nHost: x\r\n\r\n")
        readers.append(s)
    threads = [threading.Thread(target=upload, args=(server, i, 16 << 20, problems)) for i in range(UPLOADS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        peak = max(peak, pss(server.program.pid))
        time.sleep(0.05)
    for s in readers:
        s.close()
    assert not problems, "uploads failed"
    return rest, peak


def evidence(file, size):
    """Bytes that zstd halves or more, as it does heap dumps: words from a small vocabulary."""
    chance = random.Random(1)
    words = [chance.randbytes(chance.randrange(4, 40)) for _ in range(3000)]
    with open(file, "wb") as stream:
        stream.write(b"JAVA PROFILE 1.0.2\0" + bytes(12))
        while stream.tell() < size:
            stream.write(b"".join(chance.choices(words, k=50000)))


def decoded(server, salvage, file, runs):
    """Seconds for the plain bytes of what is stored: from us by curl, and by zstd on the same disk."""
    salvage.ok("ship", file, "--to", "file://%s" % server.root, "--keep", timeout=600)
    (path,) = server.root.rglob("heap.hprof.zst")
    url = "%s/%s?decoded" % (server.url, path.relative_to(server.root))
    times = [(timed("curl", "-sf", "-o", "/dev/null", url), timed("zstd", "-qdc", path)) for _ in range(runs)]
    return [statistics.median(t[k] for t in times) for k in range(2)]


def main():
    runs, size = int(sys.argv[1]), int(sys.argv[2]) << 20
    work = pathlib.Path(tempfile.mkdtemp(prefix="salvage-serve.", dir=os.environ.get("SALVAGE_BENCH_DIR", "/var/tmp")))
    salvage, peers = Salvage(work), []
    try:
        file = work / "evidence"
        with open(file, "wb") as stream:
            for _ in range(size >> 20):
                stream.write(os.urandom(1 << 20))
        tokens = work / "tokens"
        tokens.write_text("bench %s read,list,write,delete *\n" % TOKEN)
        tokens.chmod(0o600)
        certificate = Authority(work, "bench").server("DNS:localhost")
        options = ["--anonymous-read", "--tokens", tokens, "--connections-per-address", "1000"]
        found = {"sha256": statistics.median(timed("sha256sum", file) for _ in range(runs))}
        for way, tls, peer_tls in (("plain", [], None),
                                   ("tls", ["--tls-cert", certificate[0], "--tls-key", certificate[1]], certificate)):
            server = Serve(salvage, work, *options, *tls, root=work / ("root-" + way))
            (server.root / "shop").mkdir()
            peer = Nginx(work / ("nginx-" + way), dav=PUT_ONLY, certificate=peer_tls,
                         more="sendfile on; tcp_nopush on; client_body_buffer_size 64k;")
            peers.append(peer)
            times = {"ours": [], "peer": []}
            for i in range(runs):
                for name, url in (("ours", server.url + "/shop"), ("peer", peer.url)):
                    times[name].append(transfer("%s/x%d" % (url, i), file, size))
            for k, what in enumerate(("upload", "download")):
                found["%s_%s" % (what, way)] = [statistics.median(t[k] for t in times[name]) for name in ("ours", "peer")]
            (server.root / "shop" / "small").write_bytes(b"evidence\n")
            (peer.folder / "small").write_bytes(b"evidence\n")
            found["requests_" + way] = [requests(server.url + "/shop/small"), requests(peer.url + "/small")]
            found["memory_" + way] = memory(server)
            if not tls:
                evidence(work / "app.hprof", size)
                found["decoded"] = decoded(server, salvage, work / "app.hprof", runs)
            server.stop()
            shutil.rmtree(server.root)
            shutil.rmtree(peer.folder)
        print(json.dumps(found))
    finally:
        salvage.close()
        for peer in peers:
            peer.close()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
