""""Bob is typing": said at every key, told once, and over by itself.

Nothing of it is kept, and a user's own devices do not hear it.
"""

from system import System


class Typing(System):
    async def test_it_begins_and_ends(self):
        ann = await self.member("chat", "ann")
        bob = await self.member("chat", "bob")
        tablet = await self.member("chat", "bob")
        self.assertEqual((await ann.hear("user_joined"))["user"], "bob")

        for _ in range(5):
            await bob.say("typing", room="chat")
        begun = {"type": "typing", "room": "chat", "user": "bob", "active": True}
        over = {**begun, "active": False}
        self.assertEqual(await ann.hear("typing"), begun)
        # Three seconds after the last key.
        self.assertEqual(await ann.hear("typing"), over)

        # A message says more than that somebody stopped typing.
        await bob.say("typing", room="chat")
        self.assertEqual(await ann.hear("typing"), begun)
        await bob.say("publish", room="chat", data="hello")
        self.assertEqual(await ann.hear("typing"), over)
        self.assertEqual((await ann.hear("message"))["data"], "hello")

        for device in [bob, tablet]:
            await device.hear("message")
            await device.hear_nothing()
        self.assertEqual(len(self.relay.call("GET", "/api/rooms/chat/messages")["messages"]), 1)

    async def test_it_ends_with_whoever_goes(self):
        ann = await self.member("chat", "ann")
        bob = await self.member("chat", "bob")
        await ann.hear("user_joined")
        await bob.say("typing", room="chat")
        self.assertTrue((await ann.hear("typing"))["active"])
        await bob.leave()
        self.assertFalse((await ann.hear("typing"))["active"])
        await ann.hear("user_left")
