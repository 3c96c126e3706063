"""What calls take and answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = Any
"""A JSON value: what `json.dumps` takes, without NaN and infinities. Keys that are numbers become texts."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a room. `sender` is the user that it is from, None for guests and the app."""

    room: str
    position: str | None
    sender: str | None
    event: str | None
    data: Json
    time: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a message went. `position` is its place in the room's or inbox's order, None if it was not stored;
    `connections` how many it was sent to, None for rooms."""

    position: str | None = None
    connections: int | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """How a room stands. `count` is people, `connections` what they have open."""

    room: str
    count: int
    connections: int
    position: str


@dataclass(frozen=True, slots=True)
class RoomPage:
    """Some rooms in the order of their names. `after` asks for the next page, None at the end."""

    rooms: list[Room]
    after: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """A user in a room, with how many connections."""

    user: str
    connections: int


@dataclass(frozen=True, slots=True)
class Members:
    """People in a room. `count` is all of them, guests too; `after` asks for the next page, None at the end."""

    count: int
    users: list[Person]
    after: str | None


@dataclass(frozen=True, slots=True)
class History:
    """Messages of a room, oldest first. `recovered` answers a `since`: nothing after it is missing. `more` says that
    the next page begins after the last of these."""

    messages: list[Message]
    position: str
    recovered: bool
    more: bool


@dataclass(frozen=True, slots=True)
class User:
    """Where a user is. `rooms` are in the order of their names; `after` asks for the next page, None at the end."""

    online: bool
    connections: int
    rooms: list[str]
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Stats:
    """The server's figures: what is open now, and what went through since it started. None is what it does not tell."""

    connections: int
    rooms: int
    users: int
    messages_in: int
    messages_out: int
    bytes_in: int
    bytes_out: int
    queue_bytes: int
    uptime_s: float
    memory_bytes: int | None = None
    fanout_p50_us: float | None = None
    fanout_p99_us: float | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToRoom:
    """A batch's message to a room; see `Switchboard.publish`."""

    room: str
    data: Json
    event: str | None = None
    sender: str | None = None
    exclude: str | None = None
    store: bool = True
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToUser:
    """A batch's message to a user; see `Switchboard.notify`."""

    user: str
    data: Json
    event: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToAll:
    """A batch's message to everybody; see `Switchboard.broadcast`."""

    data: Json
    event: str | None = None
