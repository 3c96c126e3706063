"""What tokens say."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from switchboard_client import Access, mint

SECRET = "a secret of at least thirty-two bytes"
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


def claims(token: str, **options: str) -> dict[str, object]:
    return jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_exp": False}, **options)  # type: ignore[arg-type]


def test_a_plain_token() -> None:
    assert claims(mint(SECRET, "alice", now=NOW)) == {"sub": "alice", "exp": int(NOW.timestamp()) + 3600}


def test_a_token_is_good_from_now_on() -> None:
    before = datetime.now(timezone.utc).timestamp()
    expires = claims(mint(SECRET, "alice", ttl=timedelta(minutes=1)))["exp"]
    assert isinstance(expires, int)
    assert before + 59 <= expires <= datetime.now(timezone.utc).timestamp() + 60


def test_a_token_with_everything() -> None:
    token = mint(SECRET, "alice", rooms=("a", "b:*"), ttl=None, audience="relay", issuer="shop", key_id="1")
    expected = {"sub": "alice", "rooms": ["a", "b:*"], "aud": "relay", "iss": "shop"}
    assert claims(token, audience="relay") == expected
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT", "kid": "1"}


def test_rooms_to_read_alone() -> None:
    token = mint(SECRET, "alice", rooms=Access(join=["news:*"]), ttl=None)
    assert claims(token) == {"sub": "alice", "rooms": {"join": ["news:*"], "publish": []}}


def test_no_rooms_is_not_any_room() -> None:
    assert claims(mint(SECRET, "alice", rooms=[], ttl=None)) == {"sub": "alice", "rooms": []}


def test_a_key_of_two_halves() -> None:
    private = generate_private_key(SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    token = mint(pem, "alice", algorithm="ES256")
    assert jwt.decode(token, private.public_key(), algorithms=["ES256"])["sub"] == "alice"


def test_what_is_no_token() -> None:
    with pytest.raises(ValueError):
        mint(SECRET, "")
    with pytest.raises(TypeError):
        mint(SECRET, "alice", rooms="chat:*")
    for access in [Access(join="chat:*"), Access(publish="chat:*")]:
        with pytest.raises(TypeError, match=r"a list of patterns, not one string: \['chat:\*'\]"):
            mint(SECRET, "alice", rooms=access)
    with pytest.raises(TypeError, match="by a str, not int"):
        mint(SECRET, 7)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the key is empty"):
        mint(" \n", "alice")


def test_a_key_from_a_file_may_end_with_a_line_break() -> None:
    assert claims(mint(SECRET + "\n", "alice", ttl=None)) == {"sub": "alice"}
    assert claims(mint(SECRET.encode() + b"\r\n", "alice", ttl=None)) == {"sub": "alice"}
