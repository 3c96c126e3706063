"""A limit of so many messages a second, and a client that lives with it: what was refused is sent again when it may be.

The connection stays, and nobody else notices. (A client that goes on all the same, with a hundred refusals in ten seconds,
is closed.)
"""

import asyncio

from system import System

ALL = range(30)


class RateLimit(System):
    config = """
        [limits]
        messages_per_second = 10
        messages_burst = 20
    """

    async def publish(self, client, number):
        await client.say("publish", room="lobby", data=number, echo=False, id=number)

    async def test_a_burst_is_refused_in_part_and_sent_again(self):
        ann = await self.member("lobby", "ann")
        bob = await self.member("lobby", "bob")
        await ann.hear("user_joined")

        for number in ALL:
            await self.publish(ann, number)
        answers = [await ann.next() for _ in ALL]
        refused = [answer for answer in answers if answer["type"] == "error"]
        self.assertEqual({answer["code"] for answer in refused}, {"rate_limited"})
        # One after the other from here on, each when the last refusal said.
        for refusal in refused:
            await self.survive(ann, refusal)

        # All have arrived, each once, and others are not limited by it.
        heard = [(await bob.hear("message"))["data"] for _ in ALL]
        self.assertEqual(sorted(heard), list(ALL))
        await bob.say("publish", room="lobby", data="calm")
        for client in [ann, bob]:
            self.assertEqual((await client.hear("message"))["data"], "calm")

    async def survive(self, client, answer):
        """Sends again what `answer` refused, until it is not refused."""
        while answer["type"] == "error":
            self.assertGreater(answer["retry_after_ms"], 0)
            await asyncio.sleep(answer["retry_after_ms"] / 1000)
            await self.publish(client, answer["id"])
            answer = await client.next()
