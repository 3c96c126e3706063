//! What can go wrong, with the codes that clients and apps get.
//!
//! | fault | WebSocket | HTTP |
//! | --- | --- | --- |
//! | a request that cannot be read | `bad_json`, `bad_request`, `unknown_type`, `bad_room` | 400 |
//! | a request that is not allowed | `forbidden` | 403 |
//! | a token that is not good | `unauthorized` | 401 |
//! | a request at the wrong time | `not_joined` | |
//! | a limit | `room_limit`, `room_full`, `rate_limited` | 429 |
//! | the server is busy or cannot | `unavailable` | 503 |

/// A refused request. The connection stays open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not JSON, or nested too deep.
    BadJson,
    /// JSON, but not a request. The text says what is wrong with it.
    BadRequest(&'static str),
    /// A `type` that this server does not know.
    UnknownType,
    /// A room name outside the rules.
    BadRoom,
    /// A room does not let this client do that.
    Forbidden,
    /// Clients may not write to users on this server.
    NoDirect,
    /// The new token is of another user than the connection.
    OtherUser,
    /// A token that should renew the connection's is not valid.
    Unauthorized,
    /// The room must be joined first.
    NotJoined,
    /// The connection has joined the most rooms that it may.
    RoomLimit,
    /// The client's address has made the most rooms that it may.
    TooManyRooms,
    /// The room is full.
    RoomFull,
    /// Too many requests. The client may try again after this many milliseconds.
    RateLimited(u32),
    /// The server cannot do that now; a later try may succeed.
    Unavailable,
}

impl Fault {
    /// The word in the field `code`.
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

    /// The sentence in the field `message`.
    pub fn message(self) -> &'static str {
        match self {
            Self::BadJson => "this is not JSON, or it is nested more than 128 deep",
            Self::BadRequest(what) => what,
            Self::UnknownType => "no request has this type",
            Self::BadRoom => "a room name is 1 to 200 bytes of A-Z a-z 0-9 _ - = @ , . ; : /",
            Self::Forbidden => "this room does not let you do that",
            Self::NoDirect => "clients of this server may not write to users",
            Self::OtherUser => "a connection keeps its user; open another connection for another user",
            Self::Unauthorized => {
                "the token is not valid; the connection keeps its last token until that expires"
            }
            Self::NotJoined => "join the room first",
            Self::RoomLimit => "this connection may not join more rooms",
            Self::TooManyRooms => {
                "this address may not make more rooms; join one that exists, or wait until empty ones are forgotten"
            }
            Self::RoomFull => "this room is full",
            Self::RateLimited(_) => "too many requests; this one was not carried out",
            Self::Unavailable => "the server cannot do that now; try again later",
        }
    }

    /// After how many milliseconds the client may try again, where that is known.
    pub fn retry_after_ms(self) -> Option<u32> {
        match self {
            Self::RateLimited(retry_after_ms) => Some(retry_after_ms),
            _ => None,
        }
    }

    /// The HTTP status that means the same.
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
    /// The client repeats requests that are refused.
    pub const TOO_MANY_REFUSALS: Self = Self::fixed(1008, "too many refusals");
    /// All queues together are too large, and this one is among the fullest.
    pub const OVER_CAPACITY: Self = Self::fixed(1013, "over capacity");
    /// The client did not answer a ping.
    pub const NO_PONG: Self = Self::fixed(4101, "no pong");
    /// The native dialect is text.
    pub const TEXT_ONLY: Self = Self::fixed(1003, "this dialect is text, not binary");
    /// A raw room could not be joined. Its dialect has no words for why.
    pub const NO_ROOM: Self = Self::fixed(1013, "the room cannot be joined now");
    /// A page of another site tried to use an open relay.
    pub const ORIGIN: Self = Self::fixed(1008, "origin not allowed");

    /// This server needs a token.
    pub const TOKEN_REQUIRED: Self = Self::fixed(1008, "token required");
    /// The token is not valid.
    pub const INVALID_TOKEN: Self = Self::fixed(1008, "invalid token");
    /// The token has expired. The client may come back with a new one.
    pub const TOKEN_EXPIRED: Self = Self::fixed(1008, "token expired");
    /// A raw room refuses this client. Its dialect has no other words for that.
    pub const FORBIDDEN: Self = Self::fixed(1008, "forbidden");
    /// No token came in time.
    pub const AUTH_TIMEOUT: Self = Self::fixed(1008, "auth timeout");
    /// The first message was not `auth`.
    pub const AUTH_FIRST: Self = Self::fixed(1008, "first message must be auth");

    /// The user has the most connections that a user may have.
    pub const MAX_CONNECTIONS: Self = Self::fixed(1008, "max connections reached");
    /// Another connection on an open server has that name.
    pub const NAME_TAKEN: Self = Self::fixed(1008, "user name taken");
    /// A newer connection of the user has replaced this one.
    pub const REPLACED: Self = Self::fixed(1008, "replaced by a newer connection");

    /// The app closed the user's connections.
    pub fn by_app(reason: &str) -> Self {
        Self { code: 4000, reason: reason.to_owned().into() }
    }

    /// A close whose reason never varies.
    pub const fn fixed(code: u16, reason: &'static str) -> Self {
        Self { code, reason: std::borrow::Cow::Borrowed(reason) }
    }

    /// The server shuts down. The client should come back after `retry_ms`.
    pub fn going_away(retry_ms: u64) -> Self {
        Self { code: 1001, reason: format!("retry in {retry_ms} ms").into() }
    }
}
