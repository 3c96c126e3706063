"""The two clients: how calls are carried out, and nothing of what they mean."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any, TypeVar

import httpx

from . import asked, calls
from .calls import Call
from .errors import ConnectionFailed, SwitchboardError, from_response
from .models import (
    History,
    Json,
    Members,
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


def _settings(url: str, key: str | None, timeout: float) -> dict[str, Any]:
    key = asked.api_key(key)
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return {"base_url": asked.address(url), "headers": headers, "timeout": timeout}


def _request(call: Call[Any]) -> dict[str, Any]:
    query = {name: value for name, value in (call.query or {}).items() if value is not None}
    request = {"method": call.method, "url": call.path, "params": query}
    if call.body is None:
        return request
    return {**request, "content": asked.body(call.body), "headers": {"content-type": "application/json"}}


def _read(call: Call[T], response: httpx.Response) -> T:
    if response.status_code != 200:
        raise from_response(response)
    try:
        return call.read(response.json())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = "the answer is not one of Switchboard's"
        raise SwitchboardError("bad_answer", message, status=response.status_code) from error


def _failed(error: httpx.RequestError) -> ConnectionFailed:
    words = str(error) or type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        words = f"no answer within the timeout ({words})"
    return ConnectionFailed("connection_failed", words)


class Switchboard:
    """The HTTP API of the server at `url`. Keeps connections open; may be shared between threads.

    `url` begins with http:// or https://, else it is a `ValueError`. `key` is an API key, which a server in open mode
    does not want; white space around both is not theirs. `timeout` is in seconds, for each step of a call: to connect,
    to send, and to read.

    Every method raises a `SwitchboardError` where the call fails. What cannot be asked at all, such as data that JSON
    cannot say or a room without a name, is a `TypeError` or `ValueError` before anything is sent.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        key: str | None = None,
        *,
        timeout: float = 5.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(**_settings(url, key, timeout), transport=transport)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def __enter__(self) -> Switchboard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, call: Call[T]) -> T:
        try:
            response = self._http.request(**_request(call))
        except httpx.RequestError as error:
            raise _failed(error) from error
        return _read(call, response)

    def publish(
        self,
        room: str,
        data: Json,
        *,
        event: str | None = None,
        sender: str | None = None,
        exclude: str | None = None,
        store: bool = True,
        idempotency_key: str | None = None,
    ) -> str | None:
        """Sends to the members of a room; gives the message's position, None with `store=False`.

        The position is the message's place in the room's order, a str that is opaque: keep it, compare it, give it to
        `history` as `since`. It says that the room has the message, not that anybody was there. Of calls with one
        `idempotency_key` each gets the position that the first had.

        `sender` is the user that it is from, `exclude` a connection that does not get it (the one whose request led to
        it, by the name that the client calls `connection`). `store=False` is for who is there now: no position, no
        history. Of calls with one `idempotency_key` within 5 minutes only the first counts.
        """
        return self._send(
            calls.publish(
                ToRoom(
                    room=room,
                    data=data,
                    event=event,
                    sender=sender,
                    exclude=exclude,
                    store=store,
                    idempotency_key=idempotency_key,
                )
            )
        )

    def notify(self, user: str, data: Json, *, event: str | None = None, idempotency_key: str | None = None) -> Sent:
        """Sends to all connections of a user; it waits in the user's inbox for those that come back."""
        return self._send(calls.notify(ToUser(user=user, data=data, event=event, idempotency_key=idempotency_key)))

    def broadcast(self, data: Json, *, event: str | None = None) -> int:
        """Sends to everybody; gives how many connections that are."""
        return self._send(calls.broadcast(ToAll(data=data, event=event)))

    def batch(self, messages: Iterable[ToRoom | ToUser | ToAll]) -> list[Sent | SwitchboardError]:
        """Sends up to 1,000 messages; gives where each went, or why it did not, in their order."""
        return self._send(calls.batch(messages))

    def rooms(self, prefix: str = "", *, limit: int | None = None, after: str | None = None) -> RoomPage:
        """Rooms whose names begin with `prefix`, a page of them."""
        return self._send(calls.rooms(prefix, limit, after))

    def room(self, room: str) -> Room:
        """How a room stands; zeros for one that there is not."""
        return self._send(calls.room(room))

    def members(self, room: str, *, limit: int | None = None, after: str | None = None) -> Members:
        """Who is in a room, a page of them."""
        return self._send(calls.members(room, limit, after))

    def history(self, room: str, *, since: str | None = None, limit: int | None = None) -> History:
        """Messages of a room, oldest first: the first `limit` after `since`, or else the last `limit`."""
        return self._send(calls.history(room, since, limit))

    def kick(self, room: str, user: str) -> int:
        """Removes a user from a room; gives how many connections were in it."""
        return self._send(calls.kick(room, user))

    def user(self, user: str, *, limit: int | None = None, after: str | None = None) -> User:
        """Where a user is, with a page of the rooms."""
        return self._send(calls.user(user, limit, after))

    def disconnect(self, user: str, *, reason: str | None = None) -> int:
        """Closes all connections of a user, who are told `reason` and do not come back; gives how many there were."""
        return self._send(calls.disconnect(user, reason))

    def stats(self) -> Stats:
        """The server's figures."""
        return self._send(calls.stats())


class AsyncSwitchboard:
    """The same as `Switchboard`, to be awaited; for one event loop."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        key: str | None = None,
        *,
        timeout: float = 5.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(**_settings(url, key, timeout), transport=transport)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncSwitchboard:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _send(self, call: Call[T]) -> T:
        try:
            response = await self._http.request(**_request(call))
        except httpx.RequestError as error:
            raise _failed(error) from error
        return _read(call, response)

    async def publish(
        self,
        room: str,
        data: Json,
        *,
        event: str | None = None,
        sender: str | None = None,
        exclude: str | None = None,
        store: bool = True,
        idempotency_key: str | None = None,
    ) -> str | None:
        """See `Switchboard.publish`."""
        return await self._send(
            calls.publish(
                ToRoom(
                    room=room,
                    data=data,
                    event=event,
                    sender=sender,
                    exclude=exclude,
                    store=store,
                    idempotency_key=idempotency_key,
                )
            )
        )

    async def notify(
        self, user: str, data: Json, *, event: str | None = None, idempotency_key: str | None = None
    ) -> Sent:
        """See `Switchboard.notify`."""
        return await self._send(
            calls.notify(ToUser(user=user, data=data, event=event, idempotency_key=idempotency_key))
        )

    async def broadcast(self, data: Json, *, event: str | None = None) -> int:
        """See `Switchboard.broadcast`."""
        return await self._send(calls.broadcast(ToAll(data=data, event=event)))

    async def batch(self, messages: Iterable[ToRoom | ToUser | ToAll]) -> list[Sent | SwitchboardError]:
        """See `Switchboard.batch`."""
        return await self._send(calls.batch(messages))

    async def rooms(self, prefix: str = "", *, limit: int | None = None, after: str | None = None) -> RoomPage:
        """See `Switchboard.rooms`."""
        return await self._send(calls.rooms(prefix, limit, after))

    async def room(self, room: str) -> Room:
        """See `Switchboard.room`."""
        return await self._send(calls.room(room))

    async def members(self, room: str, *, limit: int | None = None, after: str | None = None) -> Members:
        """See `Switchboard.members`."""
        return await self._send(calls.members(room, limit, after))

    async def history(self, room: str, *, since: str | None = None, limit: int | None = None) -> History:
        """See `Switchboard.history`."""
        return await self._send(calls.history(room, since, limit))

    async def kick(self, room: str, user: str) -> int:
        """See `Switchboard.kick`."""
        return await self._send(calls.kick(room, user))

    async def user(self, user: str, *, limit: int | None = None, after: str | None = None) -> User:
        """See `Switchboard.user`."""
        return await self._send(calls.user(user, limit, after))

    async def disconnect(self, user: str, *, reason: str | None = None) -> int:
        """See `Switchboard.disconnect`."""
        return await self._send(calls.disconnect(user, reason))

    async def stats(self) -> Stats:
        """See `Switchboard.stats`."""
        return await self._send(calls.stats())
