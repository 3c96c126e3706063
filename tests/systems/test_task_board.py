"""A task board: the app keeps the tasks, and tells the relay of each change; who looks at that project sees it at once.

The app signs a token for each of its users, which says what projects that user may look at. Only the app publishes.
"""

import time

import jwt

from system import System

SECRET = "what only the app and the relay know"
KEY = "the-key-that-the-app-shows-the-relay"


def token(user, *rooms):
    """What the app gives to a page of `user`."""
    return jwt.encode({"sub": user, "rooms": {"join": list(rooms)}, "exp": int(time.time()) + 600}, SECRET)


class TaskBoard(System):
    config = f"""
        [auth]
        secret = "{SECRET}"

        [api]
        key = "{KEY}"

        [[rooms]]
        pattern = "project:*"
        private = true
        client_publish = false
    """

    async def viewer(self, user, project, *more):
        client = await self.client(f"/ws/project:{project}?token={token(user, f'project:{project}', *more)}")
        self.assertEqual(client.welcome["user"], user)
        await client.hear("joined")
        return client

    def change(self, project, task, page=None):
        """What the app does when a task was saved, on behalf of a page that said which connection is its own."""
        fields = {"exclude": page} if page else {}
        return self.relay.publish(f"project:{project}", task, key=KEY, event="task.changed", **fields)

    async def test_a_change_reaches_those_who_look_at_its_project(self):
        ann = await self.viewer("ann", 1)
        bob = await self.viewer("bob", 1)
        await ann.hear("user_joined")
        eve = await self.viewer("eve", 2)

        self.change(1, {"id": 7, "done": True}, page=ann.welcome["connection"])
        self.change(2, {"id": 8, "done": False})
        told = await bob.hear("message")
        self.assertEqual((told["event"], told["data"], told["from"]), ("task.changed", {"id": 7, "done": True}, None))
        self.assertEqual((await eve.hear("message"))["data"]["id"], 8)
        for viewer in [ann, bob, eve]:
            await viewer.hear_nothing()

    async def test_nobody_looks_at_what_is_not_theirs(self):
        eve = await self.viewer("eve", 2)
        await eve.say("join", room="project:1", id=1)
        refused = await eve.hear("error")
        self.assertEqual((refused["code"], refused["id"], refused["room"]), ("forbidden", 1, "project:1"))
        await eve.say("publish", room="project:2", data="mine")
        self.assertEqual((await eve.hear("error"))["code"], "forbidden")
        stranger = await self.handshake("/ws/project:2?token=nonsense")
        self.assertEqual(await stranger.closed(), (1008, "invalid token"))

    async def test_a_fresh_token_changes_what_may_be_seen(self):
        ann = await self.viewer("ann", 1, "project:3")
        await ann.say("join", room="project:3")
        await ann.hear("joined")
        await ann.say("auth", token=token("ann", "project:3", "project:4"), id="fresh")
        self.assertEqual((await ann.hear("auth_ok"))["user"], "ann")
        left = await ann.hear("left")
        self.assertEqual((left["room"], bool(left["reason"])), ("project:1", True))
        await ann.say("join", room="project:4")
        self.assertEqual((await ann.hear("joined"))["room"], "project:4")

    async def test_the_app_takes_somebody_off_a_project(self):
        ann = await self.viewer("ann", 1)
        removed = self.relay.call("DELETE", "/api/rooms/project:1/members/ann", key=KEY)
        self.assertEqual(removed["connections"], 1)
        self.assertEqual((await ann.hear("left"))["room"], "project:1")
        self.change(1, {"id": 7})
        await ann.hear_nothing()
