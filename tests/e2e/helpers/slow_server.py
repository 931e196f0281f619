# SPDX-License-Identifier: Apache-2.0
"""A file server in memory that takes its time for every answer, in a process of its own: many requests wait at once."""
import asyncio
import json
import multiprocessing


class Tree:
    """Files by path; folders as nginx's autoindex_format json shows them."""

    def __init__(self, files):
        self.answers = {}
        folders = {}
        for path, data in files.items():
            self.answers["/" + path] = data
            parts = path.split("/")
            for depth in range(len(parts)):
                kind = "file" if depth == len(parts) - 1 else "directory"
                folders.setdefault("/".join(parts[:depth]), {})[parts[depth]] = kind
        for folder, names in folders.items():
            rows = [{"name": n, "type": t, "mtime": "Sat, 21 Nov 2026 01:56:05 GMT", "size": 1} for n, t in names.items()]
            self.answers["/" + folder + ("/" if folder else "")] = json.dumps(rows).encode()


async def _serve(answers, delay, port):
    async def client(reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = answers.get(head.split(b" ", 2)[1].decode())
                await asyncio.sleep(delay)
                status = b"404 Not Found" if body is None else b"200 OK"
                body = body or b""
                writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0, backlog=1024)
    port.value = server.sockets[0].getsockname()[1]
    await server.serve_forever()


def _main(answers, delay, port):
    asyncio.run(_serve(answers, delay, port))


class SlowServer:
    """with SlowServer(files, delay=0.04) as url"""

    def __init__(self, files, delay):
        self.port = multiprocessing.Value("i", 0)
        self.process = multiprocessing.Process(target=_main, args=(Tree(files).answers, delay, self.port), daemon=True)

    def __enter__(self):
        self.process.start()
        while not self.port.value:
            assert self.process.is_alive()
        return "http://127.0.0.1:%d" % self.port.value

    def __exit__(self, *_):
        self.process.terminate()
        self.process.join()
