"""A dashboard of the relay itself: the room `$stats` has its figures once a second, while anybody watches.

With keys, a token may join it whose `rooms` name it: `switchboard token --user ops --room '$stats'`.
"""

import time

import jwt

from system import System

SECRET = "what only the app and the relay know"
KEY = "the-key-that-the-app-shows-the-relay"
FIGURES = "connections rooms users messages_in messages_out bytes_in bytes_out queue_bytes uptime_s".split()


class Dashboard(System):
    async def figures_when(self, watcher, wanted):
        """The first figures that are as wanted."""
        while not wanted(figures := (await watcher.hear("message"))["data"]):
            pass
        return figures

    async def test_the_figures_come_by_themselves(self):
        watcher = await self.member("$stats", "ops")
        first = (await watcher.hear("message"))["data"]
        self.assertEqual((set(FIGURES) - set(first), first["connections"]), (set(), 1))

        ann, bob = await self.member("lobby", "ann"), await self.member("lobby", "bob")
        await ann.hear("user_joined")
        for number in range(10):
            await ann.say("publish", room="lobby", data=number)
            await bob.hear("message")
        busy = await self.figures_when(watcher, lambda now: now["messages_in"] >= first["messages_in"] + 10)
        self.assertEqual((busy["connections"], busy["users"]), (3, 3))
        self.assertGreaterEqual(busy["messages_out"], first["messages_out"] + 20)
        self.assertGreaterEqual(busy["uptime_s"], first["uptime_s"])

        await ann.leave()
        await bob.leave()
        quiet = await self.figures_when(watcher, lambda now: now["connections"] == 1)
        self.assertEqual(quiet["users"], 1)

    async def test_the_app_asks_for_them(self):
        await self.member("lobby", "ann")
        figures = self.relay.call("GET", "/api/stats")
        self.assertEqual((set(FIGURES) - set(figures), figures["users"]), (set(), 1))

    async def test_nobody_publishes_figures(self):
        watcher = await self.member("$stats")
        await watcher.say("publish", room="$stats", data={"connections": 1_000_000}, id=1)
        while (refused := await watcher.next())["type"] == "message":
            self.assertLess(refused["data"]["connections"], 2)
        self.assertEqual((refused["type"], refused["id"]), ("error", 1))


class GuardedDashboard(System):
    config = f"""
        [auth]
        secret = "{SECRET}"

        [api]
        keys = [{{ name = "shop", key = "{KEY}", rooms = ["*"] }}]
    """

    async def test_only_who_may(self):
        for rooms, kind in [(["*"], "error"), (["$stats"], "joined")]:
            token = jwt.encode({"sub": "ops", "rooms": rooms, "exp": int(time.time()) + 600}, SECRET)
            client = await self.client(f"/ws?token={token}")
            await client.say("join", room="$stats")
            await client.hear(kind)
