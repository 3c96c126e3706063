"""What each call asks and how its answer is read, the same by both clients, against scripted answers."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import httpx
import pytest

from switchboard_client import (
    AsyncSwitchboard,
    BadRequest,
    ConnectionFailed,
    Forbidden,
    History,
    Members,
    Message,
    NotFound,
    Person,
    RateLimited,
    Room,
    RoomPage,
    Sent,
    Stats,
    Switchboard,
    SwitchboardError,
    ToAll,
    TooLarge,
    ToRoom,
    ToUser,
    Unauthorized,
    Unavailable,
    User,
)

Handler = Callable[[httpx.Request], httpx.Response]
Run = Callable[[Handler, Callable[[Any], Any]], Any]


def run_sync(handler: Handler, use: Callable[[Any], Any]) -> Any:
    with Switchboard("http://relay.test/push", key="k", transport=httpx.MockTransport(handler)) as relay:
        return use(relay)


def run_async(handler: Handler, use: Callable[[Any], Any]) -> Any:
    async def run() -> Any:
        transport = httpx.MockTransport(handler)
        async with AsyncSwitchboard("http://relay.test/push", key="k", transport=transport) as relay:
            return await use(relay)

    return asyncio.run(run())


@pytest.fixture(params=[run_sync, run_async])
def run(request: pytest.FixtureRequest) -> Run:
    runner: Run = request.param
    return runner


LINE = {"room": "a", "count": 2, "connections": 3, "position": "e:4", "new": True}
MESSAGE = {
    "type": "message",
    "room": "a",
    "position": "e:4",
    "from": "ann",
    "event": "e",
    "time": "2026-01-02T03:04:05.678Z",
    "data": {"x": 1},
}
GUEST = {"type": "message", "room": "a", "from": None, "time": "2026-01-02T03:04:05.678Z", "data": None}
TIME = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=timezone.utc)
STATS = dict.fromkeys(
    [
        "connections",
        "rooms",
        "users",
        "messages_in",
        "messages_out",
        "bytes_in",
        "bytes_out",
        "queue_bytes",
        "uptime_s",
    ],
    7,
)

CALLS = [
    # What is called, then method, target and body of the request, then the answer and what it means.
    (lambda r: r.publish("a", 1), "POST", "/rooms/a/messages", {"data": 1}, {"position": "e:4"}, "e:4"),
    (
        lambda r: r.publish("a/b c", None, event="e", sender="ann", exclude="c", store=False, idempotency_key="k"),
        "POST",
        "/rooms/a%2Fb%20c/messages",
        {"data": None, "event": "e", "from": "ann", "exclude": "c", "store": False, "idempotency_key": "k"},
        {"position": None},
        None,
    ),
    (lambda r: r.publish("..", "€"), "POST", "/rooms/%2E%2E/messages", {"data": "€"}, {"position": "e:1"}, "e:1"),
    (
        lambda r: r.notify("änn?", [1], event="e", idempotency_key="k"),
        "POST",
        "/users/%C3%A4nn%3F/messages",
        {"data": [1], "event": "e", "idempotency_key": "k"},
        {"connections": 2, "position": "m:1"},
        Sent(position="m:1", connections=2),
    ),
    (lambda r: r.broadcast(1, event="e"), "POST", "/broadcast", {"data": 1, "event": "e"}, {"connections": 9}, 9),
    (
        lambda r: r.batch([ToRoom(room="a", data=1), ToUser(user="u", data=2), ToAll(data=None, event="e")]),
        "POST",
        "/batch",
        {"messages": [{"data": 1, "room": "a"}, {"data": 2, "user": "u"}, {"data": None, "all": True, "event": "e"}]},
        {"results": [{"position": "e:1"}, {"connections": 1, "position": "m:1"}, {"connections": 3}]},
        [Sent(position="e:1"), Sent(position="m:1", connections=1), Sent(connections=3)],
    ),
    (
        lambda r: r.rooms("a&", limit=1, after="a"),
        "GET",
        "/rooms?prefix=a%26&limit=1&after=a",
        None,
        {"rooms": [LINE], "after": "a"},
        RoomPage([Room("a", 2, 3, "e:4")], "a"),
    ),
    (lambda r: r.rooms(), "GET", "/rooms", None, {"rooms": [], "after": None}, RoomPage([], None)),
    (lambda r: r.room("a"), "GET", "/rooms/a", None, LINE, Room("a", 2, 3, "e:4")),
    (
        lambda r: r.members("a", limit=1, after="A"),
        "GET",
        "/rooms/a/members?limit=1&after=A",
        None,
        {"count": 2, "users": [{"user": "ann", "connections": 2}], "after": "ann"},
        Members(2, [Person("ann", 2)], "ann"),
    ),
    (
        lambda r: r.members("a"),
        "GET",
        "/rooms/a/members",
        None,
        {"count": 500, "users": None, "after": None},
        Members(500, [], None),
    ),
    (
        lambda r: r.history("a", since="e:3", limit=2),
        "GET",
        "/rooms/a/messages?since=e%3A3&limit=2",
        None,
        {"messages": [MESSAGE, GUEST], "position": "e:4", "recovered": True, "more": False},
        History(
            [Message("a", "e:4", "ann", "e", {"x": 1}, TIME), Message("a", None, None, None, None, TIME)],
            "e:4",
            True,
            False,
        ),
    ),
    (lambda r: r.kick("a", "b/c"), "DELETE", "/rooms/a/members/b%2Fc", None, {"connections": 1}, 1),
    (
        lambda r: r.user("ann"),
        "GET",
        "/users/ann",
        None,
        {"online": True, "connections": 1, "rooms": ["a"]},
        User(True, 1, ["a"]),
    ),
    (
        lambda r: r.user("ann", limit=1, after="a"),
        "GET",
        "/users/ann?limit=1&after=a",
        None,
        {"online": True, "connections": 1, "rooms": ["b"], "after": "b"},
        User(True, 1, ["b"], "b"),
    ),
    (lambda r: r.disconnect("ann"), "DELETE", "/users/ann/connections", None, {"connections": 0}, 0),
    (
        lambda r: r.disconnect("ann", reason="too loud"),
        "DELETE",
        "/users/ann/connections?reason=too%20loud",
        None,
        {"connections": 2},
        2,
    ),
    (lambda r: r.stats(), "GET", "/stats", None, STATS, Stats(7, 7, 7, 7, 7, 7, 7, 7, 7)),
]


@pytest.mark.parametrize(("use", "method", "target", "body", "answer", "meaning"), CALLS)
def test_a_call(
    run: Run, use: Callable[[Any], Any], method: str, target: str, body: Any, answer: Any, meaning: Any
) -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json=answer)

    assert run(handler, use) == meaning
    [request] = requests
    assert request.method == method
    assert request.url.raw_path.decode().replace("+", "%20") == "/push/api" + target
    assert request.headers["authorization"] == "Bearer k"
    assert (json.loads(request.content) if request.content else None) == body


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (405, SwitchboardError),
        (413, TooLarge),
        (429, RateLimited),
        (500, SwitchboardError),
        (502, Unavailable),
        (503, Unavailable),
    ],
)
def test_an_error(run: Run, status: int, kind: type[SwitchboardError]) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json={"error": {"code": "word", "message": "A sentence."}})

    with pytest.raises(SwitchboardError) as raised:
        run(handler, lambda relay: relay.stats())
    error = raised.value
    assert type(error) is kind
    assert (error.code, error.message, error.status, error.retry_after) == ("word", "A sentence.", status, None)
    assert str(error) == "word: A sentence."


@pytest.mark.parametrize(
    ("header", "seconds"), [("4", 4.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("\u00b2", None), ("", None)]
)
def test_when_to_try_again(run: Run, header: str, seconds: float | None) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        headers = {"retry-after": header.encode("latin-1")}
        return httpx.Response(503, content=b"<html>", headers=[(k.encode(), v) for k, v in headers.items()])

    with pytest.raises(Unavailable) as raised:
        run(handler, lambda relay: relay.publish("a", 1))
    assert (raised.value.code, raised.value.retry_after) == ("http_503", seconds)


@pytest.mark.parametrize("body", [b"[]", b'"x"', b'{"error": "x"}', b"{}", b"\xff"])
def test_an_error_in_other_words(run: Run, body: bytes) -> None:
    with pytest.raises(BadRequest) as raised:
        run(lambda _: httpx.Response(400, content=body), lambda relay: relay.stats())
    assert (raised.value.code, raised.value.message) == ("http_400", "Bad Request")


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]", b"null", b'{"position": "e:1", "rooms": 7}'])
def test_an_answer_of_somebody_else(run: Run, body: bytes) -> None:
    with pytest.raises(SwitchboardError) as raised:
        run(lambda _: httpx.Response(200, content=body), lambda relay: relay.rooms())
    assert (raised.value.code, raised.value.status) == ("bad_answer", 200)


def test_no_answer(run: Run) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    with pytest.raises(ConnectionFailed) as raised:
        run(handler, lambda relay: relay.publish("a", 1))
    assert (raised.value.code, raised.value.message, raised.value.status) == (
        "connection_failed",
        "no answer within the timeout (ReadTimeout)",
        None,
    )


def test_errors_of_a_batch_are_results(run: Run) -> None:
    codes = {"bad_room": BadRequest, "forbidden": Forbidden, "unavailable": Unavailable, "new": SwitchboardError}
    results = [{"error": {"code": code, "message": "m"}} for code in codes]
    answer = httpx.Response(200, json={"results": results})
    errors = run(lambda _: answer, lambda relay: relay.batch([]))
    assert [(error.code, type(error)) for error in errors] == list(codes.items())


def test_what_cannot_be_asked(run: Run) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"{request.url} was asked")

    cycle: list[Any] = []
    cycle.append(cycle)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    def use(name: str, *values: Any, **more: Any) -> Callable[[Any], Any]:
        return lambda relay: getattr(relay, name)(*values, **more)

    for call, kind, words in [
        (use("room", ""), ValueError, "not empty"),
        (use("kick", "a", ""), ValueError, "not empty"),
        (use("room", 7), TypeError, "is a str, not int: 7"),
        (use("notify", None, 1), TypeError, "is a str, not NoneType"),
        (use("room", "\ud800"), ValueError, "half of a surrogate pair"),
        (use("publish", "a", float("nan")), ValueError, "cannot be said in JSON"),
        (use("publish", "a", cycle), ValueError, "cannot be said in JSON: Circular"),
        (use("publish", "a", deep), ValueError, "nested too deep"),
        (use("publish", "a", "\ud800"), ValueError, "half of a surrogate pair"),
        (use("publish", "a", b"x"), TypeError, "bytes is no text; decode it"),
        (use("notify", "a", {"at": TIME}), TypeError, "a value of type datetime is neither"),
        (use("broadcast", {1, 2}), TypeError, "a value of type set"),
        (use("broadcast", {(1, 2): 3}), TypeError, "keys must be"),
        (use("publish", "a", Sent()), TypeError, "Sent is a dataclass; dataclasses.asdict"),
        (use("publish", "a", 1, idempotency_key=object()), TypeError, "cannot be said in JSON"),
        (use("batch", [ToRoom(room="a", data=b"x")]), TypeError, "cannot be said in JSON"),
        (use("batch", [{"room": "a", "data": 1}]), TypeError, "a ToRoom, ToUser or ToAll, not dict"),
    ]:
        with pytest.raises(kind, match=words):
            run(handler, call)


@pytest.mark.parametrize("kind", [Switchboard, AsyncSwitchboard])
@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "localhost:8000",
            r"'localhost:8000' is not the address .* begins with http:// or https://, as in http://localhost",
        ),
        ("push.example.com", "as in http://push.example.com"),
        ("127.0.0.1:8000/push", "as in http://127.0.0.1:8000/push"),
        ("//a.test", "begins with http:// or https://"),
        ("wss://a.test/x", "as in https://a.test/x"),
        ("ws://a.test", "as in http://a.test"),
        ("ftp://a.test", "begins with http:// or https://$"),
        ("", "begins with http:// or https://$"),
        ("http://", "has a host"),
        ("http:///push", "has a host"),
        ("http://a b", "has a host"),
        ("http://a.test:99999", "a port up to 65535|Invalid port"),
        ("http://a.test:port", "Invalid port"),
        ("http://[::1", "is not the address of a server"),
        ("http://a.test?x=1", r"without \? and #"),
        ("http://a.test/#/inbox", r"without \? and #"),
        ("http://a.test#", r"without \? and #"),
        ("http://ann:secret@a.test", "the address of a.test has a user or a password"),
        ("ann:secret@a.test", r"'\*\*\*@a.test' is not .* as in http://\*\*\*@a.test$"),
        ("ws://ann:secret@a.test/x", r"'ws://\*\*\*@a.test/x' is not .* as in http://\*\*\*@a.test/x$"),
        ("ftp://ann:secret@a.test", "begins with http:// or https://$"),
        ("http://ann:secret@", "has a host"),
        ("http://ann:secret@a.test:99999", "a port up to 65535|cannot be read"),
        ("http://ann:secret@a.test:port", "cannot be read"),
        ("http://ann:secret/x@a.test", "cannot be read"),
        ("http://ann:secret?x@a.test", "is not the address of a server"),
        ("http://ann:secret@x@a.test", "has a user or a password|cannot be read"),
        ("http://ann:secret@a.test/#x", r"without \? and #"),
        ("http://a.test?token=secret", r"'http://a.test\?...' .* without \? and #"),
    ],
)
def test_what_is_no_address(kind: Any, url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        kind(url)
    error = raised.value
    assert "secret" not in "".join(traceback.format_exception(type(error), error, error.__traceback__))


@pytest.mark.parametrize("kind", [Switchboard, AsyncSwitchboard])
def test_what_is_no_key(kind: Any) -> None:
    for key in ["key\twith", "key\nwith", "schlüssel", "key\0with"]:
        with pytest.raises(ValueError, match="the API key has") as raised:
            kind(key=key)
        assert key not in str(raised.value)
    for values in [(None, None), (7, None), ("http://a.test", b"k"), ("http://a.test", 7)]:
        with pytest.raises(TypeError, match="is a str, not"):
            kind(*values)


@pytest.mark.parametrize(
    "url", ["http://relay.test", "HTTP://relay.test/", " http://relay.test\n", "http://relay.test:80"]
)
def test_what_is_around_an_address_or_a_key_is_not_theirs(url: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://relay.test/api/broadcast"
        assert request.headers["authorization"] == "Bearer k"
        return httpx.Response(200, json={"connections": 0})

    with Switchboard(url, "\ufeffk\n", transport=httpx.MockTransport(handler)) as relay:
        assert relay.broadcast(1) == 0


@pytest.mark.parametrize("key", [None, "", "\n"])
def test_without_a_key(key: str | None) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert "authorization" not in request.headers
        return httpx.Response(200, json={"connections": 0})

    with Switchboard(key=key, transport=httpx.MockTransport(handler)) as relay:
        assert relay.broadcast(1) == 0


def test_newer_figures(run: Run) -> None:
    newer = {"memory_bytes": 1, "fanout_p50_us": 2, "fanout_p99_us": None, "version": "9"}
    figures = run(lambda _: httpx.Response(200, json={**STATS, **newer}), lambda relay: relay.stats())
    assert (figures.memory_bytes, figures.fanout_p50_us, figures.fanout_p99_us, figures.version) == (1, 2, None, "9")


def test_a_body_is_what_json_says(run: Run) -> None:
    bodies: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        assert request.headers["content-type"] == "application/json"
        bodies.append(request.content)
        return httpx.Response(200, json={"position": "e:1"})

    run(handler, lambda relay: relay.publish("a", {"€": [1.5, None, True]}))
    assert bodies == ['{"data":{"€":[1.5,null,true]}}'.encode()]


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout, httpx.ConnectTimeout, httpx.DecodingError, httpx.RemoteProtocolError]
)
def test_every_failure_on_the_way_is_one(run: Run, error: type[httpx.RequestError]) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error("it broke", request=request)

    with pytest.raises(ConnectionFailed, match="it broke"):
        run(handler, lambda relay: relay.publish("a", 1))


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_for_now_says_for_how_long(run: Run, status: int) -> None:
    answer = {"error": {"code": "unavailable", "message": "busy"}}
    with pytest.raises((RateLimited, Unavailable)) as raised:
        run(lambda _: httpx.Response(status, json=answer, headers={"retry-after": "2"}), lambda r: r.publish("a", 1))
    assert raised.value.retry_after == 2.0


def test_both_clients_have_the_same_calls() -> None:
    def calls(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")} - {"close", "aclose"}

    assert calls(Switchboard) == calls(AsyncSwitchboard)
