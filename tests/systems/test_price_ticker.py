"""A price ticker, read with nothing but `curl`: only the newest price of each share counts.

A room that keeps one message gives whoever comes the last price at once. A reader that is too slow, or that was away, skips
what it missed and is told so.
"""

import json
import subprocess

from system import PATIENCE, System


class Curl:
    """A stream of Server-Sent Events as `curl` prints it."""

    def __init__(self, url, *arguments):
        command = ["curl", "-sSN", "--max-time", str(PATIENCE), *arguments, url]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.last_event_id = None

    def event(self):
        """The name and the data of the next event; what has none, a comment or `retry`, is passed over."""
        fields = {}
        for line in self.process.stdout:
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            elif "data" in fields:
                self.last_event_id = fields.get("id", self.last_event_id)
                return fields["event"], json.loads(fields["data"])
            else:
                fields = {}
        raise AssertionError(f"the stream ended with {self.process.wait()}")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class PriceTicker(System):
    config = """
        [[rooms]]
        pattern = "ticker:*"
        history = 1
        presence = false
        client_publish = false
        slow = "skip"
    """

    def watch(self, *arguments):
        url = f"http://{self.relay.address}/sse?room=ticker:ACME&room=ticker:UMBR&history=1"
        curl = Curl(url, *arguments)
        self.addCleanup(curl.close)
        self.assertEqual(curl.event()[0], "welcome")
        return curl

    def price(self, share, price):
        self.relay.publish(f"ticker:{share}", price, event="price")

    def test_the_last_price_and_then_the_live_ones(self):
        self.price("ACME", 100)
        self.price("ACME", 101.5)
        curl = self.watch()
        # The two rooms' events may be interleaved.
        first = [curl.event() for _ in range(3)]
        self.assertEqual(sorted(name for name, _ in first), ["joined", "joined", "price"])
        self.assertEqual([told["data"] for name, told in first if name == "price"], [101.5])
        for share, price in [("UMBR", 7), ("ACME", 99), ("UMBR", 8)]:
            self.price(share, price)
            name, told = curl.event()
            self.assertEqual((name, told["room"], told["data"]), ("price", f"ticker:{share}", price))

    def test_whoever_was_away_gets_the_newest_and_is_told(self):
        curl = self.watch()
        self.assertEqual([curl.event()[0] for _ in range(2)], ["joined", "joined"])
        for price in [1, 2]:
            self.price("ACME", price)
            curl.event()
        curl.close()
        for price in [3, 4]:
            self.price("ACME", price)
        self.price("UMBR", 9)
        curl = self.watch("-H", f"Last-Event-ID: {curl.last_event_id}")
        events = [curl.event() for _ in range(4)]
        whole = {told["room"]: told["recovered"] for name, told in events if name == "joined"}
        prices = {told["room"]: told["data"] for name, told in events if name == "price"}
        # Of one share two prices were missed, and one is kept.
        self.assertEqual(whole, {"ticker:ACME": False, "ticker:UMBR": True})
        self.assertEqual(prices, {"ticker:ACME": 4, "ticker:UMBR": 9})
