# SPDX-License-Identifier: Apache-2.0
"""A network with nothing in it but a DNS server and a TLS server, and a root with nothing in it but the program.

Island(...).run(...) starts this file as a program in namespaces of its own (network, mounts, processes), which serves DNS on
127.0.0.1:53, TLS on port 443 of both loopback addresses and a proxy for HTTPS on port 3128, runs one command in the root,
and tells what came of it and which questions were asked. What arrives by TLS goes to a socket in the file system, behind which the caller has a relay
to a real server: an island has no other way out."""
import asyncio
import ctypes
import fcntl
import json
import os
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import time

USER = 65532  # whom the container image runs as, too
TYPES = {"A": 1, "AAAA": 28}
NXDOMAIN = 3


class Outcome:
    def __init__(self, told):
        self.code, self.out, self.err, self.seconds = told["code"], told["out"], told["err"], told["seconds"]
        self.proxied = told["proxied"]  # "CONNECT store.test:443 HTTP/1.1"
        self.questions = [tuple(q) for q in told["questions"]]  # ("udp", "store.test", "A")

    def __repr__(self):
        return "exit %s\nstdout: %s\nstderr: %s\nasked: %s" % (self.code, self.out, self.err, self.questions)


class Island:
    """zone: {"store.test": {"A": ["127.0.0.1"]}}. dns: "answers", "truncates" (every answer by UDP) or "silent".
    certificate: (certificate, key) of the TLS server; way_out: the socket behind which the real server is."""

    def __init__(self, root, certificate, way_out):
        self.root, self.certificate, self.way_out = root, [str(p) for p in certificate], str(way_out)

    def run(self, *command, env=None, zone=None, dns="answers", proc=False, until=None, timeout=60):
        """To its end; or, with until, to the first line on stderr that holds it: then it gets SIGTERM."""
        told = {"root": str(self.root), "certificate": self.certificate, "way_out": self.way_out, "zone": zone or {},
                "dns": dns, "proc": proc, "command": [str(a) for a in command], "env": env or {}, "timeout": timeout,
                "until": until}
        p = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", sys.executable, __file__],
                           input=json.dumps(told), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           timeout=timeout + 20, check=False)
        assert p.returncode == 0, p.stderr
        return Outcome(json.loads(p.stdout))


def empty_root(path, program):
    """The program, a folder for dumps, and nothing else."""
    for folder in (path, path / "dumps"):
        folder.mkdir()
        os.chown(folder, USER, USER)
    shutil.copy(program, path / "salvage")
    return path


def put(root, path, text):
    """A file in the root that everybody may read."""
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(text, pathlib.Path):
        shutil.copy(text, file)
    else:
        file.write_text(text, encoding="ascii")
    file.chmod(0o644)
    return file


# --- inside -----------------------------------------------------------------------------------------------------------


def loopback_up():
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", 1 | 64))  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING


class Dns:
    """RFC 1035, as much as a stub resolver sees of it."""

    def __init__(self, zone, manner):
        self.zone, self.manner, self.questions = zone, manner, []

    def answer(self, query, transport):
        name, at = [], 12
        while query[at]:
            name.append(query[at + 1:at + 1 + query[at]].decode("ascii").lower())
            at += 1 + query[at]
        kind = struct.unpack_from("!H", query, at + 1)[0]
        question = query[12:at + 5]
        name = ".".join(name)
        self.questions.append((transport, name, {n: t for t, n in TYPES.items()}.get(kind, str(kind))))
        if self.manner == "silent":
            return None
        flags, records = 0x8580, []  # answer, authoritative, recursion asked for and there
        if name not in self.zone:
            flags |= NXDOMAIN
        elif self.manner == "truncates" and transport == "udp":
            flags |= 0x0200
        else:
            for family, key in ((socket.AF_INET, "A"), (socket.AF_INET6, "AAAA")):
                if TYPES[key] == kind:
                    records = [socket.inet_pton(family, a) for a in self.zone[name].get(key, ())]
        head = struct.pack("!2sHHHHH", query[:2], flags, 1, len(records), 0, 0)
        return head + question + b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, 60, len(r)) + r for r in records)

    async def serve(self):
        dns = self

        class Udp(asyncio.DatagramProtocol):
            def connection_made(self, transport):
                self.transport = transport

            def datagram_received(self, data, addr):
                answer = dns.answer(data, "udp")
                if answer:
                    self.transport.sendto(answer, addr)

        async def tcp(reader, writer):
            try:
                while True:
                    size = struct.unpack("!H", await reader.readexactly(2))[0]
                    answer = dns.answer(await reader.readexactly(size), "tcp")
                    if answer:
                        writer.write(struct.pack("!H", len(answer)) + answer)
            except (asyncio.IncompleteReadError, OSError):
                writer.close()

        await asyncio.get_running_loop().create_datagram_endpoint(Udp, local_addr=("127.0.0.1", 53))
        await asyncio.start_server(tcp, "127.0.0.1", 53)


async def pump(reader, writer):
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def serve_proxy(seen):
    """Leads every CONNECT to the TLS server, whoever was meant."""

    async def connected(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head.split(b"\r\n")[0].decode("ascii"))
        writer.write(b"HTTP/1.1 200 connected\r\n\r\n")
        out_reader, out_writer = await asyncio.open_connection("127.0.0.1", 443)
        await asyncio.gather(pump(reader, out_writer), pump(out_reader, writer))

    await asyncio.start_server(connected, "127.0.0.1", 3128)


async def serve_tls(certificate, way_out):
    async def connected(reader, writer):
        out_reader, out_writer = await asyncio.open_unix_connection(way_out)
        await asyncio.gather(pump(reader, out_writer), pump(out_reader, writer))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    await asyncio.start_server(connected, ["127.0.0.1", "::1"], 443, ssl=context)


def into_root(told):
    """In the child, before it becomes the command."""
    os.chroot(told["root"])
    os.chdir("/")
    os.setgroups([])
    os.setgid(USER)
    os.setuid(USER)


async def run_command(told):
    p = await asyncio.create_subprocess_exec(*told["command"], env=told["env"], preexec_fn=lambda: into_root(told),
                                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    text = []

    async def read_errors():
        async for line in p.stderr:
            text.append(line.decode())
            if told["until"] and told["until"] in text[-1]:
                p.terminate()

    hung = asyncio.get_running_loop().call_later(told["timeout"], p.kill)
    out, _, _ = await asyncio.gather(p.stdout.read(), read_errors(), p.wait())
    hung.cancel()
    return {"code": p.returncode, "out": out.decode(), "err": "".join(text)}


async def main(told):
    loopback_up()
    if told["proc"]:
        libc = ctypes.CDLL(None, use_errno=True)
        target = told["root"] + "/proc"
        os.makedirs(target, exist_ok=True)
        libc.mount(b"none", b"/", None, 0x44000, None)  # MS_REC | MS_PRIVATE: nothing of this is seen outside
        if libc.mount(b"proc", target.encode(), b"proc", 0, None) != 0:
            raise OSError(ctypes.get_errno(), "mount " + target)
    dns = Dns(told["zone"], told["dns"])
    await dns.serve()
    await serve_tls(told["certificate"], told["way_out"])
    proxied = []
    await serve_proxy(proxied)
    began = time.monotonic()
    outcome = await run_command(told)
    json.dump({**outcome, "questions": dns.questions, "proxied": proxied, "seconds": time.monotonic() - began}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main(json.load(sys.stdin)))
