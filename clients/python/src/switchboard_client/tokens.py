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
    ES256, EdDSA and so on (which wants the extra `crypto`).

    `rooms` are patterns of rooms to join and publish to, or an `Access` that tells the two apart; without it the token
    may do what the room settings let everybody do. `ttl` None makes a token that never expires. `audience` and `issuer`
    are wanted where the server is configured with them, `key_id` where it has a set of keys.
    """
    if not user:
        raise ValueError("a token is for a user")
    if isinstance(rooms, str):
        raise TypeError("rooms is a list of patterns, not one string")
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
            return {"join": list(rooms.join), "publish": list(rooms.publish)}
        case _:
            return list(rooms)
