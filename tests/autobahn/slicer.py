"""A TCP proxy that passes on what it reads in slices of random sizes, in both directions.

    python3 slicer.py HOST:PORT [SEED]

It prints the port that it listens on. Whoever is behind it meets every frame cut at places that nobody chose.
"""

import asyncio
import random
import socket
import sys

# Most slices split a header or a character, some a message; a run of 16 MiB still has to end.
SIZES = (1, 2, 3, 7, 30, 200, 1_400, 9_000, 60_000)


async def pump(reader, writer, chance):
    """Passes on until the end, which is passed on as well."""
    try:
        while piece := await reader.read(65_536):
            at = 0
            while at < len(piece):
                # Larger pieces are cut into larger slices: the time for a message grows with its logarithm.
                largest = chance.choice([size for size in SIZES if size * 200 >= len(piece) - at])
                size = chance.randint(1, largest)
                writer.write(piece[at : at + size])
                at += size
                await writer.drain()
                # The other side gets a chance to read just this much.
                await asyncio.sleep(0)
        writer.write_eof()
    except (ConnectionError, OSError):
        writer.close()


async def proxy(inner, outer, target, chance):
    try:
        reader, writer = await asyncio.open_connection(*target)
    except OSError:
        outer.close()
        return
    for side in (outer, writer):
        side.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    await asyncio.gather(pump(inner, writer, chance), pump(reader, outer, chance))
    outer.close()
    writer.close()


async def main():
    host, port = sys.argv[1].rsplit(":", 1)
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    server = await asyncio.start_server(
        lambda reader, writer: proxy(reader, writer, (host, int(port)), chance), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
