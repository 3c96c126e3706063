"""What the systems written in Python are built on: a relay of their own, and clients whose every wait has an end."""

import asyncio
import json
import pathlib
import sys
import unittest

import websockets

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "python"))

from relay import PATIENCE, Relay  # noqa: E402


class System(unittest.IsolatedAsyncioTestCase):
    """One system. Its relay has two shards, so that what is said crosses threads."""

    config = ""

    def setUp(self):
        self.relay = Relay("--shards", "2", config=self.config)
        # The relay may have been replaced by then.
        self.addCleanup(lambda: self.relay.stop())

    async def asyncSetUp(self):
        # Its warnings of slow steps are noise on a busy machine.
        asyncio.get_running_loop().set_debug(False)

    async def client(self, path, **options):
        """A WebSocket of `websockets`, past its `welcome`."""
        client = await self.handshake(path, **options)
        client.welcome = await client.hear("welcome")
        return client

    async def handshake(self, path, **options):
        """A WebSocket of `websockets`."""
        client = Client(await self.relay.connect(path, **options))
        self.addAsyncCleanup(client.leave)
        return client

    async def member(self, room, user=None):
        """A member of `room`, past its `joined`."""
        client = await self.client(f"/ws/{room}" + (f"?user={user}" if user else ""))
        client.joined = await client.hear("joined")
        return client


class Client:
    """JSON over a WebSocket."""

    def __init__(self, socket):
        self.socket = socket

    async def say(self, kind, **fields):
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def next(self):
        return json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE))

    async def hear(self, kind):
        """The next message, which is of this kind."""
        message = await self.next()
        assert message["type"] == kind, message
        return message

    async def hear_nothing(self):
        """That nothing has come until now."""
        await self.say("ping", id="nothing")
        assert (await self.hear("pong"))["id"] == "nothing"

    async def closed(self):
        """The code and the reason that the connection was closed with."""
        try:
            message = await asyncio.wait_for(self.socket.recv(), PATIENCE)
        except websockets.ConnectionClosed as closed:
            return closed.rcvd.code, closed.rcvd.reason
        raise AssertionError(message)

    async def leave(self):
        await self.socket.close()
