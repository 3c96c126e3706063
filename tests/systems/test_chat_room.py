"""A chat room: who comes and goes, the last 50 messages for whoever comes in, a list of users, and a name for one alone.

Everything but the page itself is configuration.
"""

from urllib.parse import quote

from system import System

ASTRONAUT = "J\u00fcrgen \U0001f469\u200d\U0001f680"


class ChatRoom(System):
    config = """
        [auth]
        unique_names = true

        [[rooms]]
        pattern = "chat:*"
        history = 50
    """

    async def enter(self, user):
        client = await self.client(f"/ws?user={quote(user)}")
        await client.say("join", room="chat:garden", history=50)
        client.joined = await client.hear("joined")
        return client

    async def test_who_comes_and_goes(self):
        ann = await self.enter("ann")
        self.assertEqual(ann.joined["users"], [{"user": "ann", "connections": 1}])
        jurgen = await self.enter(ASTRONAUT)
        self.assertEqual([user["user"] for user in jurgen.joined["users"]], [ASTRONAUT, "ann"])
        came = await ann.hear("user_joined")
        self.assertEqual((came["user"], came["count"]), (ASTRONAUT, 2))

        await ann.say("members", room="chat:garden")
        listed = await ann.hear("members")
        self.assertEqual((listed["count"], len(listed["users"]), listed["after"]), (2, 2, None))

        await jurgen.leave()
        went = await ann.hear("user_left")
        self.assertEqual((went["user"], went["count"]), (ASTRONAUT, 1))
        self.assertEqual(self.relay.call("GET", "/api/rooms/chat:garden/members")["users"], ann.joined["users"])

    async def test_the_last_fifty_messages(self):
        ann = await self.enter("ann")
        for number in range(60):
            await ann.say("publish", room="chat:garden", data={"text": f"number {number}"})
        for number in range(60):
            self.assertEqual((await ann.hear("message"))["data"], {"text": f"number {number}"})
        bob = await self.enter("bob")
        said = [(message["from"], message["data"]["text"]) for message in bob.joined["history"]]
        self.assertEqual(said, [("ann", f"number {number}") for number in range(10, 60)])
        await ann.hear("user_joined")
        await ann.say("publish", room="chat:garden", data={"text": "hello bob"})
        self.assertEqual((await bob.hear("message"))["data"]["text"], "hello bob")

    async def test_a_name_is_for_one_alone(self):
        ann = await self.enter("ann")
        other = await self.handshake("/ws/chat:garden?user=ann")
        self.assertEqual(await other.closed(), (1008, "user name taken"))
        await ann.hear_nothing()
        bob = await self.enter("bob")
        await ann.hear("user_joined")
        await ann.leave()
        await bob.hear("user_left")
        # Whoever goes leaves the name to others.
        await self.enter("ann")
        self.assertEqual((await bob.hear("user_joined"))["user"], "ann")
