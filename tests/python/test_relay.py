"""Python's `websockets` against the server: a client that nobody here wrote."""

import asyncio
import json
import unittest

import websockets

from relay import PATIENCE, Relay, expect, say


class RelayTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.relay = Relay("--shards", "2")
        self.addCleanup(self.relay.stop)

    async def asyncSetUp(self):
        # Its warnings of slow steps are noise beside 200 clients on a busy machine.
        asyncio.get_running_loop().set_debug(False)

    async def within(self, awaitable):
        return await asyncio.wait_for(awaitable, PATIENCE)


class Chat(RelayTest):
    async def test_a_round_trip(self):
        async with self.relay.member("lobby", "alice") as alice, self.relay.member("lobby", "bob") as bob:
            self.assertEqual((await self.within(expect(alice, "user_joined")))["user"], "bob")
            await say(alice, "publish", room="lobby", data={"text": "h\u00e9llo \U0001f349"}, event="chat", id="a1")
            own = await self.within(expect(alice, "message"))
            published = await self.within(expect(alice, "published"))
            got = await self.within(expect(bob, "message"))
            self.assertEqual(own, got)
            self.assertEqual((got["from"], got["event"]), ("alice", "chat"))
            self.assertEqual(got["data"], {"text": "h\u00e9llo \U0001f349"})
            self.assertEqual((published["id"], published["position"]), ("a1", got["position"]))

    async def test_the_app_publishes_and_a_late_comer_catches_up(self):
        positions = [self.relay.publish("news", n)["position"] for n in range(5)]
        async with self.relay.connect("/ws", subprotocols=["switchboard.v1"]) as client:
            self.assertEqual(client.subprotocol, "switchboard.v1")
            await self.within(expect(client, "welcome"))
            await say(client, "join", room="news", since=positions[1])
            joined = await self.within(expect(client, "joined"))
            self.assertTrue(joined["recovered"])
            self.assertEqual([message["data"] for message in joined["history"]], [2, 3, 4])
            self.relay.publish("news", "live")
            self.assertEqual((await self.within(expect(client, "message")))["data"], "live")

    async def test_errors_leave_the_connection_open(self):
        async with self.relay.member("lobby") as client:
            await client.send("{")
            self.assertEqual((await self.within(expect(client, "error")))["code"], "bad_json")
            await say(client, "ping", id=1)
            self.assertEqual((await self.within(expect(client, "pong")))["id"], 1)


class Protocol(RelayTest):
    async def test_compression_is_offered_and_declined(self):
        async with self.relay.connect("/echo", compression="deflate") as client:
            self.assertIn("permessage-deflate", client.request.headers["Sec-WebSocket-Extensions"])
            self.assertNotIn("Sec-WebSocket-Extensions", client.response.headers)
            await client.send("x" * 100_000)
            self.assertEqual(await self.within(client.recv()), "x" * 100_000)

    async def test_fragments_become_one_message(self):
        async with self.relay.connect("/echo") as client:
            await client.send(["h\u00e9", "", "l", "lo"])
            self.assertEqual(await self.within(client.recv()), "h\u00e9llo")
            await client.send([b"\x00" * 70_000, b"\xff" * 70_000])
            self.assertEqual(await self.within(client.recv()), b"\x00" * 70_000 + b"\xff" * 70_000)
            await self.within(await client.ping(b"still here"))

    async def test_close_codes(self):
        for code, reason in [(1000, ""), (1001, "away"), (3000, "library"), (4999, "application \u00e9")]:
            client = await self.relay.connect("/echo")
            await self.within(client.close(code, reason))
            self.assertEqual((client.protocol.close_rcvd.code, client.close_code), (code, code))
        client = await self.relay.connect("/ws")
        await self.within(expect(client, "welcome"))
        await client.send(b"binary")
        with self.assertRaises(websockets.ConnectionClosedError) as closed:
            await self.within(client.recv())
        self.assertEqual(closed.exception.rcvd.code, 1003)

    async def test_a_message_over_the_limit(self):
        async with self.relay.member("lobby") as client:
            await client.send("x" * 65_537)
            with self.assertRaises(websockets.ConnectionClosedError) as closed:
                await self.within(client.recv())
            self.assertEqual(closed.exception.rcvd.code, 1009)

    async def test_refused_handshakes(self):
        for path, status in [("/nowhere", 404), ("/raw/%24me", 400), ("/ws?user=", 400)]:
            with self.assertRaises(websockets.InvalidStatus) as refused:
                await self.relay.connect(path)
            self.assertEqual(refused.exception.response.status_code, status, path)
            self.assertIn("code", json.loads(refused.exception.response.body)["error"])


class Crowd(RelayTest):
    CLIENTS = 200
    EACH = 5

    async def message(self, client):
        """The next message; a room of so many also tells their number now and then."""
        while (told := json.loads(await client.recv()))["type"] == "count":
            pass
        self.assertEqual(told["type"], "message")
        return told

    async def test_many_clients_see_one_order(self):
        ready = asyncio.Barrier(self.CLIENTS)

        async def client(number):
            async with self.relay.member("crowd") as client:
                # Whoever speaks before all are in is not heard by all.
                await ready.wait()
                for turn in range(self.EACH):
                    await say(client, "publish", room="crowd", data=[number, turn])
                messages = [await self.message(client) for _ in range(self.CLIENTS * self.EACH)]
                return [(message["position"], tuple(message["data"])) for message in messages]

        heard = await asyncio.wait_for(
            asyncio.gather(*(client(number) for number in range(self.CLIENTS))), 6 * PATIENCE
        )
        first = heard[0]
        self.assertTrue(all(other == first for other in heard))
        offsets = [int(position.split(":")[1]) for position, _ in first]
        self.assertEqual(offsets, list(range(1, len(first) + 1)))
        for number in range(self.CLIENTS):
            turns = [turn for _, (who, turn) in first if who == number]
            self.assertEqual(turns, list(range(self.EACH)), number)


if __name__ == "__main__":
    unittest.main()
