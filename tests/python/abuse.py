"""What the abuse tests share: a server with meters, raw clients, and a witness who must not suffer.

`ABUSE=full` (as scripts/abuse sets it) runs them at full size and prints what they measured.
"""

import base64
import contextlib
import json
import os
import pathlib
import resource
import select
import socket
import struct
import threading
import time

from relay import PATIENCE, Relay

FULL = os.environ.get("ABUSE") == "full"


def size(fast, full):
    return full if FULL else fast


def figure(text):
    if FULL:
        print(f"figure: {text}", flush=True)


def raise_descriptors():
    """As many descriptors as there may be; says how many connections that is good for."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - 200


class Abused(Relay):
    """A server with a configuration of its own, and what it costs."""

    def __init__(self, config="", *arguments, shards=1, join=None):
        super().__init__("--shards", str(shards), *arguments, config=config, before=join)
        host, port = self.address.split(":")
        self.where = (host, int(port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _status(self, field):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in text.splitlines() if line.startswith(field)).split()[1])

    def resident_kib(self):
        return self._status("RssAnon")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu(self):
        """Seconds of processor time so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def tcp(self):
        connection = socket.create_connection(self.where, timeout=PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def ask(self, bytes_):
        """All that comes back on a connection of its own."""
        with self.tcp() as connection:
            with contextlib.suppress(OSError):
                connection.sendall(bytes_)
            return rest(connection)

    def get(self, path):
        answer = self.ask(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)

    def ws(self, path):
        return WebSocket(self.tcp(), path)

    @contextlib.contextmanager
    def witness(self, worst_s=5.0):
        """A client that behaves, beside whatever happens: it has to be served, and in time."""
        witness = Witness(self)
        try:
            yield witness
        finally:
            witness.end()
        assert witness.trips > 0 and witness.error is None, witness.error
        figure(f"  beside it {witness.trips} round trips, the longest {witness.worst * 1000:.0f} ms")
        assert witness.worst < worst_s, f"a round trip took {witness.worst} s"


def rest(connection):
    received = bytearray()
    with contextlib.suppress(OSError):
        while part := connection.recv(65536):
            received += part
    return bytes(received)


def eventually(what, holds, patience=PATIENCE):
    """The seconds until it holds."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < patience, what
        time.sleep(0.02)
    return time.monotonic() - began


def frame(opcode, payload=b""):
    """A masked frame whose mask is zeros."""
    length = len(payload)
    if length < 126:
        head = bytes([0x80 | opcode, 0x80 | length])
    elif length < 65536:
        head = bytes([0x80 | opcode, 0xFE]) + struct.pack(">H", length)
    else:
        head = bytes([0x80 | opcode, 0xFF]) + struct.pack(">Q", length)
    return head + bytes(4) + payload


def upgrade(path, fields=""):
    key = base64.b64encode(bytes(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{fields}\r\n"
    ).encode()


class WebSocket:
    """The smallest of clients, which does only what a test tells it."""

    def __init__(self, connection, path, fields=""):
        self.connection = connection
        self.received = bytearray()
        connection.sendall(upgrade(path, fields))
        while b"\r\n\r\n" not in self.received:
            self._more()
        head, _, left = bytes(self.received).partition(b"\r\n\r\n")
        self.status = int(head.split()[1])
        self.received = bytearray(left)

    def _more(self):
        part = self.connection.recv(65536)
        if not part:
            raise EOFError("the server ended the connection")
        self.received += part

    def frame(self):
        """The next frame: its opcode and payload."""
        while True:
            if len(self.received) >= 2:
                length, at = self.received[1] & 0x7F, 2
                if length == 126 and len(self.received) >= 4:
                    length, at = struct.unpack(">H", self.received[2:4])[0], 4
                elif length == 127 and len(self.received) >= 10:
                    length, at = struct.unpack(">Q", self.received[2:10])[0], 10
                if (length < 126 or at > 2) and len(self.received) >= at + length:
                    opcode, payload = self.received[0] & 0x0F, bytes(self.received[at : at + length])
                    del self.received[: at + length]
                    return opcode, payload
            self._more()

    def next(self):
        """The next message; pings are answered."""
        while True:
            opcode, payload = self.frame()
            if opcode == 9:
                self.connection.sendall(frame(10, payload))
            elif opcode == 8:
                raise EOFError(closing(payload))
            elif opcode != 10:
                return json.loads(payload)

    def expect(self, kind):
        message = self.next()
        assert message["type"] == kind, message
        return message

    def say(self, kind, **fields):
        self.connection.sendall(frame(1, json.dumps({"type": kind, **fields}).encode()))

    def closed(self):
        """Reads up to the close: its code and reason."""
        while True:
            opcode, payload = self.frame()
            if opcode == 8:
                return closing(payload)

    def drop(self):
        """Ends it with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


def closing(payload):
    return (struct.unpack(">H", payload[:2])[0], payload[2:].decode()) if payload else (1005, "")


class Witness:
    """Says something in a room of its own again and again, and waits for it to come back."""

    def __init__(self, relay):
        self.trips, self.worst, self.error = 0, 0.0, None
        self.client = relay.ws("/ws/witness")
        self.client.expect("welcome")
        self.client.expect("joined")
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        try:
            over = False
            while not over:
                began = time.monotonic()
                self.client.say("publish", room="witness", data=self.trips)
                assert self.client.expect("message")["data"] == self.trips
                self.worst = max(self.worst, time.monotonic() - began)
                self.trips += 1
                # A little at a time, so that it is no load itself. One trip is made however soon it is over.
                over = self.ended.wait(0.01)
        except Exception as error:  # Told by whoever asks.
            self.error = error

    def end(self):
        self.ended.set()
        self.thread.join()
        self.client.connection.close()


class Crowd:
    """Clients that read and answer pings on one thread, as many as there are."""

    def __init__(self, clients):
        self.clients, self.lost, self.pongs, self.going = clients, [], [0] * len(clients), True
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        poll = select.epoll()
        by_number = {client.connection.fileno(): index for index, client in enumerate(self.clients)}
        for number in by_number:
            poll.register(number, select.EPOLLIN)
        while self.going:
            for number, _ in poll.poll(0.05):
                index = by_number[number]
                client = self.clients[index]
                try:
                    opcode, payload = client.frame()
                    if opcode == 9:
                        client.connection.sendall(frame(10, payload))
                        self.pongs[index] += 1
                    if opcode == 8:
                        raise EOFError(closing(payload))
                except (OSError, EOFError) as error:
                    self.lost.append(error)
                    poll.unregister(number)

    def pinged(self, times):
        """Waits until each of them was pinged so many times from now on, or one is lost; says who is."""
        until = [pongs + times for pongs in self.pongs]
        eventually("all are pinged", lambda: self.lost or all(map(int.__ge__, self.pongs, until)))
        return self.lost

    def end(self):
        self.going = False
        self.thread.join()
        for client in self.clients:
            client.connection.close()
