"""An echo: everything comes back, and with an `id` a client knows which of its requests was answered.

Whoever publishes in a room gets a copy too, and then the answer. A room named after the connection is that client's own.
For plain bytes there is `/echo`.
"""

from system import System


class Echo(System):
    async def test_each_answer_says_which_request_it_is_for(self):
        client = await self.client("/ws")
        room = f"echo:{client.welcome['connection']}"
        await client.say("join", room=room, id="join")
        self.assertEqual((await client.hear("joined"))["id"], "join")
        texts = ["one", "", "zwei \u00fc", "\u4e09 \U0001f349", "x" * 60_000]
        for number, text in enumerate(texts):
            await client.say("publish", room=room, data=text, id=number)
        for number, text in enumerate(texts):
            copy = await client.hear("message")
            answer = await client.hear("published")
            self.assertEqual((copy["data"], answer["id"]), (text, number))
            self.assertEqual(copy["position"], answer["position"])

    async def test_bytes_come_back_as_they_are(self):
        client = await self.handshake("/echo")
        for message in ["text \u20ac", "", b"\x00\xff", b"", b"x" * 1_000_000]:
            await client.socket.send(message)
            self.assertEqual(await client.socket.recv(), message)
