"""The client against the real server, whose binary the environment names in SWITCHBOARD."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from relay import BINARY, serve

from switchboard_client import (
    AsyncSwitchboard,
    BadRequest,
    ConnectionFailed,
    Sent,
    Switchboard,
    SwitchboardError,
    ToRoom,
)

pytestmark = pytest.mark.skipif(not BINARY, reason="SWITCHBOARD does not name the server")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve() as url:
        yield url


@pytest.fixture
def relay(url: str) -> Iterator[Switchboard]:
    with Switchboard(url) as relay:
        yield relay


def test_what_is_published_is_history(relay: Switchboard) -> None:
    first = relay.publish("talk/a-b", {"text": "€"}, event="said", sender="ann")
    assert relay.publish("talk/a-b", 2) != first
    history = relay.history("talk/a-b", limit=2)
    message, other = history.messages
    assert (message.position, message.sender, message.event, message.data) == (first, "ann", "said", {"text": "€"})
    assert (other.sender, other.event, other.data) == (None, None, 2)
    assert (history.position, history.more) == (other.position, False)
    resumed = relay.history("talk/a-b", since=first)
    assert (resumed.recovered, [message.data for message in resumed.messages]) == (True, [2])


def test_what_is_not_stored_has_no_position(relay: Switchboard) -> None:
    assert relay.publish("whispers", 1, store=False) is None
    assert relay.history("whispers").messages == []


@pytest.mark.parametrize("name", ["..", ".", "a/../b", "a:@=,;-_", "//"])
def test_a_name_is_a_name(relay: Switchboard, name: str) -> None:
    position = relay.publish(name, name)
    assert relay.room(name).position == position
    assert relay.rooms(name, limit=1).rooms[0].room == name


def test_rooms_come_in_pages(relay: Switchboard) -> None:
    relay.batch([ToRoom(room=f"page:{number}", data=number) for number in range(3)])
    first = relay.rooms("page:", limit=2)
    rest = relay.rooms("page:", limit=2, after=first.after)
    assert [room.room for room in [*first.rooms, *rest.rooms]] == ["page:0", "page:1", "page:2"]
    assert rest.after is None
    assert relay.room("nowhere").count == 0


def test_a_batch_has_a_result_for_each(relay: Switchboard) -> None:
    fine, refused = relay.batch([ToRoom(room="batch", data=1), ToRoom(room="not a name", data=2)])
    assert isinstance(fine, Sent) and fine.position == relay.room("batch").position
    assert isinstance(refused, BadRequest) and refused.code == "bad_room"


def test_refusals_are_typed(relay: Switchboard) -> None:
    with pytest.raises(BadRequest) as raised:
        relay.publish("not a name", 1)
    assert (raised.value.code, raised.value.status) == ("bad_room", 400)
    with pytest.raises(BadRequest):
        relay.publish("lobby", 1, event="not an event")


def test_figures(relay: Switchboard) -> None:
    figures = relay.stats()
    # Connections are sockets and streams: a request of the API is none.
    assert (figures.connections, figures.users) == (0, 0)
    relay.publish("figures", 1)
    assert relay.stats().messages_in > figures.messages_in


def test_people(relay: Switchboard) -> None:
    assert relay.members("lobby").users == []
    assert relay.user("nobody").online is False
    assert relay.notify("nobody", 1).connections == 0
    assert relay.broadcast(1) == 0
    assert relay.kick("lobby", "nobody") == 0
    assert relay.disconnect("nobody", reason="none") == 0


def test_at_the_same_time(url: str) -> None:
    async def publish() -> list[str | None]:
        async with AsyncSwitchboard(url) as relay:
            return await asyncio.gather(*(relay.publish("together", number) for number in range(20)))

    assert len(set(asyncio.run(publish()))) == 20


def test_nobody_there() -> None:
    # Port 1 is nobody's.
    with Switchboard("http://127.0.0.1:1") as relay, pytest.raises(ConnectionFailed) as raised:
        relay.publish("lobby", 1)
    assert isinstance(raised.value, SwitchboardError)
