"""Several channels on one connection: a page subscribes to what it shows, and unsubscribes from what it shows no more."""

from system import System


class Subscriptions(System):
    async def test_what_is_subscribed_to_is_heard(self):
        client = await self.client("/ws?room=news&room=sport")
        self.assertEqual({(await client.hear("joined"))["room"] for _ in range(2)}, {"news", "sport"})
        await client.say("join", room="weather", id=1)
        self.assertEqual((await client.hear("joined"))["id"], 1)

        for room in ["news", "sport", "weather", "music"]:
            self.relay.publish(room, f"first of {room}")
        heard = {message["room"]: message["data"] for message in [await client.hear("message") for _ in range(3)]}
        self.assertEqual(heard, {room: f"first of {room}" for room in ["news", "sport", "weather"]})

        await client.say("leave", room="sport", id=2)
        self.assertEqual(await client.hear("left"), {"type": "left", "id": 2, "room": "sport"})
        positions = {room: self.relay.publish(room, f"second of {room}")["position"] for room in ["sport", "news"]}
        message = await client.hear("message")
        self.assertEqual((message["room"], message["position"]), ("news", positions["news"]))
        await client.hear_nothing()

        # Back, with what was missed in between.
        await client.say("join", room="sport", history=1)
        joined = await client.hear("joined")
        self.assertEqual([message["data"] for message in joined["history"]], ["second of sport"])

    async def test_a_channel_that_is_not_subscribed_to(self):
        client = await self.member("news")
        for kind, fields in [("leave", {}), ("publish", {"data": 1}), ("history", {}), ("members", {})]:
            await client.say(kind, room="sport", id=kind, **fields)
            refused = await client.hear("error")
            self.assertEqual((refused["code"], refused["id"], refused["room"]), ("not_joined", kind, "sport"))
        # To subscribe twice is to be told twice, and to hear once.
        await client.say("join", room="news")
        self.assertEqual((await client.hear("joined"))["count"], 1)
        self.relay.publish("news", 1)
        await client.hear("message")
        await client.hear_nothing()

    async def test_as_many_as_a_connection_may_have(self):
        client = await self.client("/ws")
        names = [f"channel:{number}" for number in range(129)]
        for name in names:
            await client.say("join", room=name)
        answers = [await client.next() for _ in names]
        refused = [answer for answer in answers if answer["type"] == "error"]
        self.assertEqual([(answer["code"], answer["room"]) for answer in refused], [("room_limit", names[128])])
        for name in names[:128]:
            self.relay.publish(name, name)
        heard = {message["data"] for message in [await client.hear("message") for _ in names[:128]]}
        self.assertEqual(heard, set(names[:128]))
