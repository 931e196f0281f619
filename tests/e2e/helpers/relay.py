# SPDX-License-Identifier: Apache-2.0
"""Passes connections on, from one address to another: `relay.py FROM TO`, each tcp:HOST:PORT or unix:PATH. A socket in the
file system leads from one network namespace into another. Prints "ready" once it listens."""
import asyncio
import os
import sys


def parse(text):
    scheme, _, rest = text.partition(":")
    if scheme == "unix":
        return {"path": rest}
    host, _, port = rest.rpartition(":")
    return {"host": host, "port": int(port)}


async def connect(to):
    return await (asyncio.open_unix_connection(**to) if "path" in to else asyncio.open_connection(**to))


async def pump(reader, writer):
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def main(source, to):
    async def serve(reader, writer):
        try:
            far_reader, far_writer = await connect(to)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        far_writer.close()
        writer.close()

    if "path" in source:
        if os.path.exists(source["path"]):
            os.unlink(source["path"])
        server = await asyncio.start_unix_server(serve, **source)
    else:
        server = await asyncio.start_server(serve, **source)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(parse(sys.argv[1]), parse(sys.argv[2])))
