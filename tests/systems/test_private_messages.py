"""Private messages: to all of a user's devices and to nobody else, with word of whether they arrived, and who is online.

What came while the other was away is in that user's inbox, `$me`.
"""

from urllib.parse import quote

from system import System


class PrivateMessages(System):
    def is_online(self, user):
        return self.relay.call("GET", f"/api/users/{quote(user)}")["online"]

    async def test_a_message_reaches_all_devices_of_one_user(self):
        ann, phone, laptop, eve = [await self.client(f"/ws?user={user}") for user in ["ann", "bob", "bob", "eve"]]
        await ann.say("direct", to="bob", data={"text": "psst"}, event="whisper", id="m1")
        delivered = await ann.hear("delivered")
        self.assertEqual(delivered, {"type": "delivered", "id": "m1", "to": "bob", "connections": 2})
        for device in [phone, laptop]:
            message = await device.hear("direct")
            self.assertEqual((message["from"], message["event"], message["data"]), ("ann", "whisper", {"text": "psst"}))
        for other in [ann, phone, laptop, eve]:
            await other.hear_nothing()

    async def test_who_is_away_reads_it_later(self):
        ann = await self.client("/ws?user=ann")
        self.assertEqual([self.is_online("ann"), self.is_online("zo\u00eb")], [True, False])
        await ann.say("direct", to="zo\u00eb", data="are you there?")
        self.assertEqual((await ann.hear("delivered"))["connections"], 0)

        zoe = await self.client("/ws?user=zo%C3%AB")
        self.assertTrue(self.is_online("zo\u00eb"))
        await zoe.say("join", room="$me", history=10)
        self.assertEqual([message["data"] for message in (await zoe.hear("joined"))["history"]], ["are you there?"])
        await ann.say("direct", to="zo\u00eb", data="hello")
        self.assertEqual((await ann.hear("delivered"))["connections"], 1)
        seen = (await zoe.hear("direct"))["position"]

        # A connection that is lost takes up the inbox where it was.
        await zoe.leave()
        await ann.say("direct", to="zo\u00eb", data="bye")
        zoe = await self.client("/ws?user=zo%C3%AB")
        await zoe.say("join", room="$me", since=seen)
        joined = await zoe.hear("joined")
        self.assertEqual((joined["recovered"], [m["data"] for m in joined["history"]]), (True, ["bye"]))

    async def test_a_note_to_oneself(self):
        ann, tablet = [await self.client("/ws?user=ann") for _ in range(2)]
        await ann.say("direct", to="ann", data="milk")
        # The device that writes is one of the receiver's, like the others.
        self.assertEqual((await tablet.hear("direct"))["data"], "milk")
        kinds = {"direct": await ann.hear("direct"), "delivered": await ann.hear("delivered")}
        self.assertEqual(kinds["delivered"]["connections"], 2)
