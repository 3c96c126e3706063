"""The progress of a job, as Server-Sent Events with names: `progress`, and at the end `done`.

A page that is loaded again goes on behind the last event it had; one that comes late sees where the job is.
"""

import contextlib
import json

import httpx
from httpx_sse import connect_sse

from system import PATIENCE, Relay, System

JOB = "job:7"


class Progress(System):
    @contextlib.contextmanager
    def page(self, last_event_id=None):
        """The events of the job that a page sees: `joined` is the first."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        url = f"http://{self.relay.address}/sse/{JOB}?history=1"
        with httpx.Client(timeout=PATIENCE) as http, connect_sse(http, "GET", url, headers=headers) as source:
            events = source.iter_sse()
            assert next(events).event == "welcome"
            yield events

    def report(self, done):
        self.relay.publish(JOB, {"done": done}, event="progress")

    def test_a_job_from_its_beginning_to_its_end(self):
        with self.page() as page:
            self.assertEqual(next(page).event, "joined")
            for done in range(0, 100, 25):
                self.report(done)
            self.relay.publish(JOB, {"url": "/result/7"}, event="done")
            seen = [next(page) for _ in range(5)]
        self.assertEqual([event.event for event in seen], ["progress"] * 4 + ["done"])
        self.assertEqual([event.json()["data"] for event in seen[:4]], [{"done": done} for done in (0, 25, 50, 75)])
        with self.page() as late:
            self.assertEqual(next(late).event, "joined")
            self.assertEqual(next(late).event, "done")

    def test_a_page_that_is_loaded_again(self):
        with self.page() as page:
            next(page)
            self.report(1)
            seen = next(page)
        for done in [2, 3]:
            self.report(done)
        with self.page(seen.id) as page:
            self.assertTrue(next(page).json()["recovered"])
            self.assertEqual([next(page).json()["data"]["done"] for _ in range(2)], [2, 3])
            self.report(4)
            self.assertEqual(next(page).json()["data"]["done"], 4)

    def test_a_relay_that_was_killed_says_that_it_does_not_know(self):
        with self.page() as page:
            next(page)
            self.report(1)
            seen = next(page)
            self.relay.stop()
            with self.assertRaises((StopIteration, httpx.HTTPError)):
                next(page)
        self.relay = Relay(address=self.relay.address)
        self.report(3)
        with self.page(seen.id) as page:
            self.assertFalse(next(page).json()["recovered"])
            self.assertEqual(json.loads(next(page).data)["data"]["done"], 3)
