"""What the app asks, brought into the form that goes over the wire; what cannot be is a `ValueError` or `TypeError`."""

from __future__ import annotations

import json
import re
from dataclasses import is_dataclass
from typing import Any
from urllib.parse import quote

import httpx

# Texts from files often end with a line break, and those of some editors begin with a mark.
_AROUND = " \t\r\n\ufeff"


def address(url: str) -> str:
    """The address of the server, if it is one."""
    if not isinstance(url, str):
        raise TypeError(f"the address of the server is a str, not {type(url).__name__}")
    url = url.strip(_AROUND)
    wrong = f"{_shown(url)!r} is not the address of a server"
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        words = "it begins with http:// or https://"
        raise ValueError(f"{wrong}: {words}{_hint(scheme.lower(), separator, rest)}")
    try:
        parsed = httpx.URL(url)
        fits = 0 < parsed.port < 65536 if parsed.port is not None else True
    except (httpx.InvalidURL, ValueError) as error:
        # What it says of a port may be half of a password.
        if "@" in url:
            raise ValueError(f"{wrong}: it cannot be read; it has no user or password") from None
        raise ValueError(f"{wrong}: {error}") from error
    if not parsed.host or not fits or any(character.isspace() for character in url):
        raise ValueError(f"{wrong}: it has a host, and a port up to 65535 if it has one")
    if parsed.query or parsed.fragment or "?" in url or "#" in url:
        raise ValueError(f"{wrong}: it ends with the path, without ? and #")
    if parsed.userinfo:
        host = parsed.host.rpartition("@")[2]
        raise ValueError(f"the address of {host} has a user or a password: give the API key as `key`")
    return url


def _shown(url: str) -> str:
    """The address as a message may show it: without a user or a password, and without a query, which may hold a key."""
    start, separator, rest = url.rpartition("@")
    if separator:
        scheme, slashes, _ = start.partition("://")
        url = f"{scheme}://***@{rest}" if slashes else f"***@{rest}"
    return re.sub(r"([?#]).+", r"\1...", url, flags=re.DOTALL)


def _hint(scheme: str, separator: str, rest: str) -> str:
    if separator and scheme in ("ws", "wss"):
        return f", as in http{scheme[2:]}://{_shown(rest)}"
    return "" if separator or not scheme else f", as in http://{_shown(scheme)}"


def api_key(key: str | None) -> str | None:
    """The API key as a field of HTTP can hold it. What is wrong with one is said without showing it."""
    if key is None:
        return None
    if not isinstance(key, str):
        raise TypeError(f"the API key is a str, not {type(key).__name__}")
    key = key.strip(_AROUND)
    if not (key.isascii() and key.isprintable()):
        raise ValueError("the API key has a control character or a letter beyond ASCII in it")
    return key or None


def path(*names: str) -> str:
    """The path of a call, with every name in it percent-encoded."""
    return "/api/" + "/".join(_part(name) for name in names)


def _part(name: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"the name of a room or user is a str, not {type(name).__name__}: {name!r}")
    # A name of dots alone would be taken for a step in the path, and an empty one would vanish.
    if not name:
        raise ValueError("the name of a room or user is not empty")
    try:
        return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")
    except UnicodeEncodeError as error:
        raise ValueError(f"the name {name!r} has half of a surrogate pair, which UTF-8 cannot say") from error


def body(fields: Any) -> bytes:
    """The JSON of a call's body."""
    try:
        return json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_refuse).encode()
    except RecursionError as error:
        raise ValueError("this cannot be said in JSON: it is nested too deep") from error
    except UnicodeEncodeError as error:
        raise ValueError("this cannot be said in JSON: a text has half of a surrogate pair") from error
    except (TypeError, ValueError) as error:
        raise type(error)(f"this cannot be said in JSON: {error}") from error


def _refuse(value: object) -> object:
    kind = type(value).__name__
    if is_dataclass(value):
        raise TypeError(f"{kind} is a dataclass; dataclasses.asdict makes a dict of it")
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"{kind} is no text; decode it, or say it in Base64")
    raise TypeError(f"a value of type {kind} is neither a dict, list, str, number, bool nor None")
