"""A running server for these tests, and the smallest of clients in JSON."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import tempfile
import urllib.parse
import urllib.request

import websockets

PROGRAM = os.environ.get("PROGRAM") or pathlib.Path(__file__).resolve().parents[2] / "target/debug/switchboard"

# Longer than anything takes on a busy machine: who waits for it waits for a failure.
PATIENCE = 20


class Relay:
    """A server on a port of its own, killed at the end."""

    def __init__(self, *arguments, config="", address="127.0.0.1:0", before=None):
        # A variable of this name would be read as configuration.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
        command = [str(PROGRAM), "--listen", address, "--log", "warn", *arguments]
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(config)
            file.flush()
            self.process = subprocess.Popen(
                [*command, "--config", file.name],
                env=environment,
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=before,
            )
            # The file is read by then, and there may be warnings before.
            said = []
            while not (found := re.search(r"listens on http://([\d.:]+)", "".join(said[-1:]))):
                said.append(self.process.stderr.readline())
                if not said[-1]:
                    self.stop()
                    raise RuntimeError("the server ended: " + "".join(said))
        self.address = found[1]

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

    def call(self, method, path, body=None, key=None):
        """A request of the app, and its answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        request = urllib.request.Request(f"http://{self.address}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def publish(self, room, data, key=None, **fields):
        """Publishes as the app."""
        path = f"/api/rooms/{urllib.parse.quote(room, safe='')}/messages"
        return self.call("POST", path, {"data": data, **fields}, key)


async def expect(client, kind):
    """The next message, which has this type."""
    message = json.loads(await client.recv())
    assert message["type"] == kind, message
    return message


async def say(client, kind, **fields):
    await client.send(json.dumps({"type": kind, **fields}))
