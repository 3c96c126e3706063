"""What can go wrong with a call, by what the caller can do about it."""

from __future__ import annotations

from typing import Any

import httpx


class SwitchboardError(Exception):
    """A call that failed. Raised itself only for answers that none of the other classes is for.

    `code` is the server's word for it, `message` its sentence, `status` the HTTP status (None where there was no
    answer), `retry_after` the seconds to wait before trying again (None where the server did not say).
    """

    def __init__(self, code: str, message: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message
        self.status = status
        self.retry_after = retry_after


class BadRequest(SwitchboardError):
    """The call makes no sense to the server (400): a room's name, a field, an event."""


class Unauthorized(SwitchboardError):
    """There was no API key, or a wrong one (401)."""


class Forbidden(SwitchboardError):
    """The key may not do that, or the server has none (403)."""


class NotFound(SwitchboardError):
    """There is nothing at this path (404): another program listens there, or an older server."""


class TooLarge(SwitchboardError):
    """The body or the message is larger than the server takes (413)."""


class RateLimited(SwitchboardError):
    """Too many calls, or a room is full (429); `retry_after` says when to try again."""


class Unavailable(SwitchboardError):
    """The server is overloaded or shutting down (502, 503, 504); trying again later may help."""


class ConnectionFailed(SwitchboardError):
    """There was no answer. The call may have been carried out: an `idempotency_key` makes it safe to try again."""


_BY_STATUS: dict[int, type[SwitchboardError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    413: TooLarge,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}

# Results of a batch have no status of their own.
_BY_CODE: dict[str, type[SwitchboardError]] = {
    "bad_json": BadRequest,
    "bad_request": BadRequest,
    "bad_room": BadRequest,
    "content_too_large": TooLarge,
    "unauthorized": Unauthorized,
    "forbidden": Forbidden,
    "rate_limited": RateLimited,
    "room_full": RateLimited,
    "room_limit": RateLimited,
    "unavailable": Unavailable,
}


def from_response(response: httpx.Response) -> SwitchboardError:
    """The error that an answer outside 200 is."""
    error = _error_of(response)
    code = str(error.get("code") or f"http_{response.status_code}")
    message = str(error.get("message") or response.reason_phrase)
    kind = _BY_STATUS.get(response.status_code, SwitchboardError)
    return kind(code, message, status=response.status_code, retry_after=_retry_after(response))


def from_result(error: dict[str, Any]) -> SwitchboardError:
    """The error that one result of a batch is."""
    code = str(error.get("code"))
    return _BY_CODE.get(code, SwitchboardError)(code, str(error.get("message", "")))


def _error_of(response: httpx.Response) -> dict[str, Any]:
    # A proxy in between answers in its own words.
    try:
        body = response.json()
    except ValueError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _retry_after(response: httpx.Response) -> float | None:
    seconds = response.headers.get("retry-after", "")
    return float(seconds) if seconds.isascii() and seconds.isdigit() else None
