"""What the server tells of itself, read by Prometheus' own parser, `websockets` and plain HTTP."""

import asyncio
import json
import unittest
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from relay import PATIENCE, Relay, expect


class Figures(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.relay = Relay("--shards", "2")
        self.addCleanup(self.relay.stop)

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.relay.address}{path}", timeout=PATIENCE) as answer:
            return answer.read().decode()

    async def test_prometheus_reads_the_metrics(self):
        async with self.relay.member("lobby") as member:
            self.relay.publish("lobby", 1)
            await asyncio.wait_for(expect(member, "message"), PATIENCE)
            families = list(text_string_to_metric_families(self.get("/metrics")))
        kinds = {family.name: family.type for family in families}
        self.assertNotIn("unknown", kinds.values())
        self.assertNotIn("untyped", kinds.values())
        self.assertEqual(len(families), len(kinds), "no metric is told twice")
        self.assertEqual(kinds["switchboard_messages_delivered"], "counter")
        self.assertEqual(kinds["switchboard_connections"], "gauge")
        for family in families:
            self.assertTrue(family.documentation, family.name)
            if family.type == "histogram":
                self.check_histogram(family)

    def check_histogram(self, family):
        buckets = [sample for sample in family.samples if sample.name.endswith("_bucket")]
        values = [sample.value for sample in buckets]
        self.assertEqual(values, sorted(values), family.name)
        bounds = [float(sample.labels["le"]) for sample in buckets]
        self.assertEqual(bounds, sorted(set(bounds)), family.name)
        count = next(sample.value for sample in family.samples if sample.name.endswith("_count"))
        self.assertEqual((bounds[-1], values[-1]), (float("inf"), count))

    async def test_a_dashboard_watches_the_room_of_the_figures(self):
        async with self.relay.connect("/ws?room=$stats") as dashboard:
            await asyncio.wait_for(expect(dashboard, "welcome"), PATIENCE)
            await asyncio.wait_for(expect(dashboard, "joined"), PATIENCE)
            figures = [(await asyncio.wait_for(expect(dashboard, "message"), PATIENCE))["data"] for _ in range(3)]
        self.assertEqual(set(figures[0]), set(json.loads(self.get("/api/stats"))))
        uptimes = [each["uptime_s"] for each in figures]
        self.assertEqual(uptimes, sorted(set(uptimes)))
        self.assertEqual({each["connections"] for each in figures}, {1})


if __name__ == "__main__":
    unittest.main()
