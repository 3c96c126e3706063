"""Each call of the API once: what it asks, and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from typing import Any, Generic, TypeVar

from . import asked
from .errors import SwitchboardError, from_result
from .models import (
    History,
    Json,
    Members,
    Message,
    Person,
    Room,
    RoomPage,
    Sent,
    Stats,
    ToAll,
    ToRoom,
    ToUser,
    User,
)

T = TypeVar("T")
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request, and what its answer means. The query's parts that are None are left out."""

    method: str
    path: str
    read: Callable[[Answer], T]
    body: Json = None
    query: dict[str, str | int | None] | None = None


def publish(message: ToRoom) -> Call[str | None]:
    return Call("POST", asked.path("rooms", message.room, "messages"), _position, _without(_body(message), "room"))


def notify(message: ToUser) -> Call[Sent]:
    return Call("POST", asked.path("users", message.user, "messages"), _sent, _without(_body(message), "user"))


def broadcast(message: ToAll) -> Call[int]:
    return Call("POST", asked.path("broadcast"), _connections, _without(_body(message), "all"))


def batch(messages: Iterable[ToRoom | ToUser | ToAll]) -> Call[list[Sent | SwitchboardError]]:
    return Call("POST", asked.path("batch"), _results, {"messages": [_body(message) for message in messages]})


def rooms(prefix: str, limit: int | None, after: str | None) -> Call[RoomPage]:
    query = {"prefix": prefix or None, "limit": limit, "after": after}
    return Call("GET", asked.path("rooms"), _room_page, query=query)


def room(name: str) -> Call[Room]:
    return Call("GET", asked.path("rooms", name), _room)


def members(name: str, limit: int | None, after: str | None) -> Call[Members]:
    return Call("GET", asked.path("rooms", name, "members"), _members, query={"limit": limit, "after": after})


def history(name: str, since: str | None, limit: int | None) -> Call[History]:
    return Call("GET", asked.path("rooms", name, "messages"), _history, query={"since": since, "limit": limit})


def kick(name: str, user: str) -> Call[int]:
    return Call("DELETE", asked.path("rooms", name, "members", user), _connections)


def user(name: str, limit: int | None, after: str | None) -> Call[User]:
    query = {"limit": limit, "after": after}
    return Call("GET", asked.path("users", name), lambda answer: _known(User, answer), query=query)


def disconnect(name: str, reason: str | None) -> Call[int]:
    # In the query: some proxies drop the body of a DELETE.
    return Call("DELETE", asked.path("users", name, "connections"), _connections, query={"reason": reason})


def stats() -> Call[Stats]:
    return Call("GET", asked.path("stats"), lambda answer: _known(Stats, answer))


def _body(message: ToRoom | ToUser | ToAll) -> dict[str, Json]:
    body: dict[str, Json] = {}
    match message:
        case ToRoom():
            body |= {"room": message.room, "from": message.sender, "exclude": message.exclude}
            body |= {"store": None if message.store else False, "idempotency_key": message.idempotency_key}
        case ToUser():
            body |= {"user": message.user, "idempotency_key": message.idempotency_key}
        case ToAll():
            body |= {"all": True}
        case _:
            raise TypeError(f"a message of a batch is a ToRoom, ToUser or ToAll, not {type(message).__name__}")
    body |= {"data": message.data, "event": message.event}
    # The server takes a null for a value of the wrong type, but data may be null.
    return {name: value for name, value in body.items() if value is not None or name == "data"}


def _without(body: dict[str, Json], name: str) -> dict[str, Json]:
    return {other: value for other, value in body.items() if other != name}


def _known(kind: type[T], answer: Answer) -> T:
    """Newer servers may answer more than this client knows, and older ones less."""
    names = [field.name for field in fields(kind) if field.default is MISSING or field.name in answer]  # type: ignore[arg-type]
    return kind(**{name: answer[name] for name in names})


def _position(answer: Answer) -> str | None:
    position = answer["position"]
    return None if position is None else str(position)


def _connections(answer: Answer) -> int:
    return int(answer["connections"])


def _sent(answer: Answer) -> Sent:
    return Sent(position=answer.get("position"), connections=answer.get("connections"))


def _results(answer: Answer) -> list[Sent | SwitchboardError]:
    results = answer["results"]
    return [from_result(result["error"]) if "error" in result else _sent(result) for result in results]


def _room(answer: Answer) -> Room:
    return _known(Room, answer)


def _room_page(answer: Answer) -> RoomPage:
    return RoomPage(rooms=[_room(line) for line in answer["rooms"]], after=answer["after"])


def _members(answer: Answer) -> Members:
    # Null where there are too many to list.
    users = [_known(Person, person) for person in answer["users"] or []]
    return Members(count=answer["count"], users=users, after=answer["after"])


def _message(answer: Answer) -> Message:
    return Message(
        room=answer["room"],
        position=answer.get("position"),
        sender=answer["from"],
        event=answer.get("event"),
        data=answer["data"],
        # Python 3.10 does not read the `Z`.
        time=datetime.fromisoformat(answer["time"].replace("Z", "+00:00")),
    )


def _history(answer: Answer) -> History:
    messages = [_message(message) for message in answer["messages"]]
    return History(messages, answer["position"], answer["recovered"], answer["more"])
