"""A running server for these tests, and the smallest of clients in JSON."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import urllib.request

import websockets

PROGRAM = os.environ.get("PROGRAM") or pathlib.Path(__file__).resolve().parents[2] / "target/debug/switchboard"

# Longer than anything takes on a busy machine: who waits for it waits for a failure.
PATIENCE = 20


class Relay:
    """A server on a port of its own, killed at the end."""

    def __init__(self, *arguments, before=None):
        # A variable of this name would be read as configuration.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
        command = [str(PROGRAM), "--listen", "127.0.0.1:0", "--log", "warn", *arguments]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=before
        )
        first = self.process.stderr.readline()
        self.address = re.search(r"http://([\d.:]+)", first)[1]

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def connect(self, path, **options):
        """A WebSocket at `path`."""
        return websockets.connect(f"ws://{self.address}{path}", open_timeout=PATIENCE, max_size=None, **options)

    @contextlib.asynccontextmanager
    async def member(self, room, user=None, **options):
        """A member of a room, past `welcome` and `joined`."""
        path = f"/ws/{room}" + (f"?user={user}" if user else "")
        async with self.connect(path, **options) as client:
            await expect(client, "welcome")
            await expect(client, "joined")
            yield client

    def publish(self, room, data):
        """Publishes as the app."""
        url = f"http://{self.address}/api/rooms/{room}/messages"
        body = json.dumps({"data": data}).encode()
        with urllib.request.urlopen(url, data=body, timeout=PATIENCE) as answer:
            return json.load(answer)


async def expect(client, kind):
    """The next message, which has this type."""
    message = json.loads(await client.recv())
    assert message["type"] == kind, message
    return message


async def say(client, kind, **fields):
    await client.send(json.dumps({"type": kind, **fields}))
