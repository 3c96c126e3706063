"""The client against a server with keys, and somebody there: a user on a stream, whom a token of the client let in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from relay import BINARY, serve

from switchboard_client import (
    Access,
    Forbidden,
    Sent,
    Switchboard,
    ToAll,
    ToUser,
    Unauthorized,
    mint,
)

pytestmark = pytest.mark.skipif(not BINARY, reason="SWITCHBOARD does not name the server")

SECRET = "a secret of at least thirty-two bytes"
KEY = "an-api-key-of-at-least-32-characters"


@pytest.fixture
def url() -> Iterator[str]:
    settings = {"SWITCHBOARD_AUTH__SECRET": SECRET, "SWITCHBOARD_API__KEY": KEY}
    with serve(**settings) as url:
        yield url


@pytest.fixture
def relay(url: str) -> Iterator[Switchboard]:
    with Switchboard(url, key=KEY) as relay:
        yield relay


@pytest.fixture
def events(url: str) -> Iterator[Iterator[dict[str, Any]]]:
    """What zoë hears of a room and of her inbox, from where she is in both."""
    token = mint(SECRET, "zoë", rooms=Access(join=["lobby"]))
    with httpx.stream("GET", f"{url}/sse", params={"room": ["lobby", "$me"], "token": token}, timeout=20) as answer:
        data = (line.removeprefix("data: ") for line in answer.iter_lines() if line.startswith("data: "))
        events = (json.loads(text) for text in data)
        assert [next(events)["type"] for _ in range(3)] == ["welcome", "joined", "joined"]
        yield events


def test_people_are_found_and_reached(relay: Switchboard, events: Iterator[dict[str, Any]]) -> None:
    user = relay.user("zoë")
    assert (user.online, user.connections, user.rooms) == (True, 1, ["lobby"])
    assert [(person.user, person.connections) for person in relay.members("lobby").users] == [("zoë", 1)]

    sent = relay.notify("zoë", {"text": "€"}, event="bell", idempotency_key="once")
    assert sent == relay.notify("zoë", {"text": "€"}, event="bell", idempotency_key="once")
    told = next(events)
    assert (sent.connections, told["position"], told["event"], told["data"]) == (
        1,
        sent.position,
        "bell",
        {"text": "€"},
    )

    assert relay.broadcast("all", event="news") == 1
    assert next(events)["type"] == "announcement"
    inbox, everybody = relay.batch([ToUser(user="zoë", data=1), ToAll(data=2)])
    assert isinstance(inbox, Sent) and (inbox.connections, bool(inbox.position)) == (1, True)
    assert isinstance(everybody, Sent) and (everybody.connections, everybody.position) == (1, None)
    assert {next(events)["type"] for _ in range(2)} == {"notification", "announcement"}


def test_people_are_shown_the_door(relay: Switchboard, events: Iterator[dict[str, Any]]) -> None:
    assert relay.kick("lobby", "zoë") == 1
    assert next(events)["type"] == "left"
    assert relay.members("lobby").users == []
    assert relay.disconnect("zoë", reason="über & out") == 1
    assert next(events) == {"type": "close", "code": 4000, "reason": "über & out"}
    assert relay.user("zoë").online is False


def test_a_key_is_asked_for(url: str) -> None:
    for key in [None, "another"]:
        with Switchboard(url, key=key) as stranger, pytest.raises(Unauthorized):
            stranger.publish("lobby", 1)
    with serve(SWITCHBOARD_AUTH__SECRET=SECRET) as closed, Switchboard(closed) as relay, pytest.raises(Forbidden):
        relay.publish("lobby", 1)
