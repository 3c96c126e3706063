"""The app's side of Switchboard, a push relay: its HTTP API, sync and async, and tokens for its clients.

    from switchboard_client import Switchboard, mint

    relay = Switchboard("http://127.0.0.1:8000", key="...")
    relay.publish("project:7", {"task": 12, "done": True}, event="task.changed")
    token = mint(secret, "alice", rooms=["project:7"])

`AsyncSwitchboard` has the same methods, to be awaited. What a call asks and how its answer is read is said once, in
`calls`; the two clients only carry it out.
"""

from .client import AsyncSwitchboard, Switchboard
from .errors import (
    BadRequest,
    ConnectionFailed,
    Forbidden,
    NotFound,
    RateLimited,
    SwitchboardError,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from .models import (
    History,
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
from .tokens import Access, mint

__all__ = [
    "Access",
    "AsyncSwitchboard",
    "BadRequest",
    "ConnectionFailed",
    "Forbidden",
    "History",
    "Members",
    "Message",
    "NotFound",
    "Person",
    "RateLimited",
    "Room",
    "RoomPage",
    "Sent",
    "Stats",
    "Switchboard",
    "SwitchboardError",
    "ToAll",
    "ToRoom",
    "ToUser",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "User",
    "mint",
]
