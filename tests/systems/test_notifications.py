"""A notification bell: the app tells one user something, on all of that user's pages, now or when the user is back.

With an `idempotency_key` the app may say it again when it does not know whether the first time arrived.
"""

import time

import jwt

from system import System

SECRET = "what only the app and the relay know"
KEY = "the-key-that-the-app-shows-the-relay"


class Notifications(System):
    config = f"""
        [auth]
        secret = "{SECRET}"

        [api]
        key = "{KEY}"

        [inbox]
        history = 3
    """

    async def page(self, user, since=None):
        token = jwt.encode({"sub": user, "exp": int(time.time()) + 600}, SECRET)
        client = await self.client(f"/ws?token={token}")
        await client.say("join", room="$me", **({"since": since} if since else {"history": 3}))
        client.joined = await client.hear("joined")
        return client

    def notify(self, user, data, **fields):
        return self.relay.call("POST", f"/api/users/{user}/messages", {"data": data, **fields}, KEY)

    async def test_it_rings_on_all_pages_of_one_user(self):
        ann, other, bob = await self.page("ann"), await self.page("ann"), await self.page("bob")
        sent = self.notify("ann", {"text": "Bob mentioned you"}, event="mention")
        self.assertEqual(sent["connections"], 2)
        for page in [ann, other]:
            told = await page.hear("notification")
            self.assertEqual((told["event"], told["data"]["text"]), ("mention", "Bob mentioned you"))
            self.assertEqual(told["position"], sent["position"])
        for page in [ann, other, bob]:
            await page.hear_nothing()

    async def test_what_rang_while_nobody_was_there(self):
        ann = await self.page("ann")
        self.notify("ann", 1)
        seen = (await ann.hear("notification"))["position"]
        await ann.leave()
        for number in [2, 3]:
            self.notify("ann", number)
        ann = await self.page("ann", since=seen)
        self.assertEqual((ann.joined["recovered"], [m["data"] for m in ann.joined["history"]]), (True, [2, 3]))
        await ann.leave()
        for number in [4, 5, 6]:
            self.notify("ann", number)
        # More than the inbox keeps: it says so.
        ann = await self.page("ann", since=seen)
        self.assertEqual((ann.joined["recovered"], [m["data"] for m in ann.joined["history"]]), (False, [4, 5, 6]))

    async def test_what_is_said_twice_rings_once(self):
        ann = await self.page("ann")
        answers = [self.notify("ann", "paid", idempotency_key="order-7") for _ in range(2)]
        self.assertEqual(answers[0], answers[1])
        self.assertEqual((await ann.hear("notification"))["data"], "paid")
        await ann.hear_nothing()
        # A key counts for one user.
        bob = await self.page("bob")
        self.assertEqual(self.notify("bob", "paid", idempotency_key="order-7")["connections"], 1)
        self.assertEqual((await bob.hear("notification"))["data"], "paid")
