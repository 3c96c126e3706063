//! What can go wrong, sorted by whose fault it is, with the words and numbers that each side is told.
//!
//! | fault | WebSocket | HTTP |
//! | --- | --- | --- |
//! | a request that cannot be read | `bad_json`, `bad_request`, `unknown_type`, `bad_room` | 400 |
//! | a request that is not allowed | `forbidden` | 403 |
//! | a token that is not good | `unauthorized` | 401 |
//! | a request at the wrong time | `not_joined` | |
//! | a limit | `room_limit`, `room_full`, `rate_limited` | 429 |
//! | the server is busy or cannot | `unavailable` | 503 |

/// A refused request: the connection lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not JSON, or nested too deep.
    BadJson,
    /// JSON, but not a request: what is wrong with it.
    BadRequest(&'static str),
    /// A `type` that this server does not know.
    UnknownType,
    /// A room name outside the rules.
    BadRoom,
    /// A room does not let this client do that.
    Forbidden,
    /// Clients here do not write to users.
    NoDirect,
    /// A connection does not become another user's.
    OtherUser,
    /// The token that was to renew the connection's is not good.
    Unauthorized,
    /// The room must be joined first.
    NotJoined,
    /// The connection is in as many rooms as it may be.
    RoomLimit,
    /// As many rooms of the client's address are remembered as may be.
    TooManyRooms,
    /// The room has as many members as it takes.
    RoomFull,
    /// Too much at once; in so many milliseconds it may be tried again.
    RateLimited(u32),
    /// The server cannot do that now; trying again later may help.
    Unavailable,
}

impl Fault {
    /// The word that stands in `code`.
    pub fn code(self) -> &'static str {
        match self {
            Self::BadJson => "bad_json",
            Self::BadRequest(_) => "bad_request",
            Self::UnknownType => "unknown_type",
            Self::BadRoom => "bad_room",
            Self::Forbidden | Self::NoDirect | Self::OtherUser => "forbidden",
            Self::Unauthorized => "unauthorized",
            Self::NotJoined => "not_joined",
            Self::RoomLimit | Self::TooManyRooms => "room_limit",
            Self::RoomFull => "room_full",
            Self::RateLimited(_) => "rate_limited",
            Self::Unavailable => "unavailable",
        }
    }

    /// The sentence that stands in `message`.
    pub fn message(self) -> &'static str {
        match self {
            Self::BadJson => "this is not JSON, or it is nested more than 128 deep",
            Self::BadRequest(what) => what,
            Self::UnknownType => "no request has this type",
            Self::BadRoom => "a room name is 1 to 200 bytes of A-Z a-z 0-9 _ - = @ , . ; : /",
            Self::Forbidden => "this room does not let you do that",
            Self::NoDirect => "clients of this server may not write to users",
            Self::OtherUser => "a connection keeps its user; open another one for another user",
            Self::Unauthorized => {
                "the token is not valid; what the last one allowed holds until that expires"
            }
            Self::NotJoined => "join the room first",
            Self::RoomLimit => "this connection is in as many rooms as it may be",
            Self::TooManyRooms => {
                "as many rooms of this address are remembered as may be; empty ones are forgotten after a while"
            }
            Self::RoomFull => "this room has as many members as it takes",
            Self::RateLimited(_) => "this was too much at once; it was not done",
            Self::Unavailable => "the server cannot do that now; try again later",
        }
    }

    /// When the same may be tried again, in milliseconds, where that is known.
    pub fn retry_after_ms(self) -> Option<u32> {
        match self {
            Self::RateLimited(retry_after_ms) => Some(retry_after_ms),
            _ => None,
        }
    }

    /// The HTTP status that says the same.
    pub fn status(self) -> u16 {
        match self {
            Self::BadJson | Self::BadRequest(_) | Self::UnknownType | Self::BadRoom | Self::NotJoined => 400,
            Self::Forbidden | Self::NoDirect | Self::OtherUser => 403,
            Self::Unauthorized => 401,
            Self::RoomLimit | Self::TooManyRooms | Self::RoomFull | Self::RateLimited(_) => 429,
            Self::Unavailable => 503,
        }
    }
}

/// Why the server ends a WebSocket connection: a code of RFC 6455 section 7.4 or of this server's own range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// The code in the close frame.
    pub code: u16,
    /// The reason in the close frame.
    pub reason: std::borrow::Cow<'static, str>,
}

impl Close {
    /// The client fell too far behind what others sent.
    pub const SLOW_CONSUMER: Self = Self::fixed(4100, "slow consumer");
    /// The client goes on asking for what it is refused.
    pub const TOO_MANY_REFUSALS: Self = Self::fixed(1008, "too many refusals");
    /// All queues together are too large, and this one is among the fullest.
    pub const OVER_CAPACITY: Self = Self::fixed(1013, "over capacity");
    /// The client did not answer a ping.
    pub const NO_PONG: Self = Self::fixed(4101, "no pong");
    /// The native dialect is text.
    pub const TEXT_ONLY: Self = Self::fixed(1003, "this dialect is text, not binary");
    /// A raw room could not be joined, and its dialect has no words for why.
    pub const NO_ROOM: Self = Self::fixed(1013, "the room cannot be joined now");
    /// A page of another site tried to use an open relay.
    pub const ORIGIN: Self = Self::fixed(1008, "origin not allowed");

    /// Nobody comes in here without a token.
    pub const TOKEN_REQUIRED: Self = Self::fixed(1008, "token required");
    /// The token is not good.
    pub const INVALID_TOKEN: Self = Self::fixed(1008, "invalid token");
    /// The token was good; a fresh one will be.
    pub const TOKEN_EXPIRED: Self = Self::fixed(1008, "token expired");
    /// A raw room does not let this client in, and its dialect has no other words for that.
    pub const FORBIDDEN: Self = Self::fixed(1008, "forbidden");
    /// No token came in time.
    pub const AUTH_TIMEOUT: Self = Self::fixed(1008, "auth timeout");
    /// Something else than a token came.
    pub const AUTH_FIRST: Self = Self::fixed(1008, "first message must be auth");

    /// A user has as many connections as a user may have.
    pub const MAX_CONNECTIONS: Self = Self::fixed(1008, "max connections reached");
    /// Somebody else on an open server has that name.
    pub const NAME_TAKEN: Self = Self::fixed(1008, "user name taken");
    /// The user has another connection in this one's place.
    pub const REPLACED: Self = Self::fixed(1008, "replaced by a newer connection");

    /// The app does not want the client here.
    pub fn by_app(reason: &str) -> Self {
        Self { code: 4000, reason: reason.to_owned().into() }
    }

    /// A close whose reason never varies.
    pub const fn fixed(code: u16, reason: &'static str) -> Self {
        Self { code, reason: std::borrow::Cow::Borrowed(reason) }
    }

    /// The server goes away; the client comes back after `retry_ms`.
    pub fn going_away(retry_ms: u64) -> Self {
        Self { code: 1001, reason: format!("retry in {retry_ms} ms").into() }
    }
}
