"""Tokens that say to the server who a client is and which rooms are open to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import jwt


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Rooms by pattern, where `*` matches any run of characters: to be in, and to publish to."""

    join: Sequence[str] = ()
    publish: Sequence[str] = ()


def mint(
    key: str | bytes,
    user: str,
    *,
    rooms: Sequence[str] | Access | None = None,
    ttl: timedelta | None = timedelta(hours=1),
    audience: str | None = None,
    issuer: str | None = None,
    algorithm: str = "HS256",
    key_id: str | None = None,
    now: datetime | None = None,
) -> str:
    """A token for `user`, signed with `key`: the server's `auth.secret`, or a PEM private key with `algorithm` RS256,
    ES256, EdDSA and so on (which wants the extra `crypto`). White space around it is not part of it.

    `rooms` are patterns of rooms to join and publish to, or an `Access` that tells the two apart; without it the token
    may do what the room settings let everybody do. `ttl` None makes a token that never expires. `audience` and `issuer`
    are wanted where the server is configured with them, `key_id` where it has a set of keys.
    """
    if not isinstance(user, str):
        raise TypeError(f"a token is for a user by a str, not {type(user).__name__}")
    if not user:
        raise ValueError("a token is for a user")
    # The server takes white space around the key in a file for none of the key's own.
    key = key.strip()
    if not key:
        raise ValueError("the key is empty")
    claims: dict[str, Any] = {"sub": user, "aud": audience, "iss": issuer, "rooms": _claim(rooms)}
    if ttl is not None:
        claims["exp"] = int(((now or datetime.now(timezone.utc)) + ttl).timestamp())
    # The server refuses a claim that is null.
    given = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(given, key, algorithm=algorithm, headers={"kid": key_id} if key_id else None)


def _claim(rooms: Sequence[str] | Access | None) -> list[str] | dict[str, list[str]] | None:
    match rooms:
        case None:
            return None
        case Access():
            return {"join": _patterns(rooms.join), "publish": _patterns(rooms.publish)}
        case _:
            return _patterns(rooms)


def _patterns(patterns: Sequence[str]) -> list[str]:
    if isinstance(patterns, str):
        raise TypeError(f"rooms are a list of patterns, not one string: [{patterns!r}]")
    return list(patterns)
