//! What an operator can set: plain values, already read and checked, that every floor above may look at.
//!
//! Reading them from files, the environment and flags is `config`'s work; nothing here knows where a value came from.
//! Every limit carries its reason beside its default.

pub mod access;
mod check;
mod listen;

use std::net::SocketAddr;
use std::time::Duration;

pub use crate::origin::OriginRule;
pub use access::{Api, ApiKey, Auth, Calls, KeySource, Origins, Proxies, Reject, Secret};
pub use check::{BadSetting, BadSettings, check};
pub(crate) use check::{LEAST_SECRET, MOST_SHARDS, check_pattern, exposed, is_loopback, reachable};
pub(crate) use listen::overlap;

/// One kibibyte, in bytes.
pub const KIB: usize = 1024;
/// One mebibyte, in bytes.
pub const MIB: usize = 1024 * KIB;

/// The whole configuration of one server.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Addresses to listen on; port 0 lets the system choose.
    pub listen: Vec<SocketAddr>,
    /// Reactors to run, each on a thread of its own; 0 means one a core.
    pub shards: usize,
    /// How connections come to the shards.
    pub accept: Accept,
    /// How long a stop may take: connections are closed over the first 80 % of it. Less than the 10 s after which `docker
    /// stop` kills, for a client that does not answer its close is waited for to the end.
    pub drain: Duration,
    /// Whether the console, a page at `/` to try rooms in and to watch the server, and `/echo` are served.
    pub console: Console,
    /// Serve without keys on an address that is not loopback.
    pub insecure: bool,
    /// How clients say who they are.
    pub auth: Auth,
    /// Who may use the HTTP API.
    pub api: Api,
    /// Pages that may use the server; none listed: any page, or in open mode those of this machine.
    pub origins: Origins,
    /// Proxies in front of the server.
    pub proxies: Proxies,
    /// Who may read the server's metrics.
    pub metrics: Metrics,
    /// Bounds on what peers can make the server do.
    pub limits: Limits,
    /// When silent connections are asked for a sign of life.
    pub heartbeat: Heartbeat,
    /// What is kept for users until they come back for it.
    pub inbox: Inbox,
    /// Whether clients may write to users; none: as long as the server is open.
    pub direct: Option<bool>,
    /// Settings for rooms by pattern; the first match wins.
    pub rooms: Vec<RoomRule>,
}

/// How connections come to the shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accept {
    /// Each shard accepts its own, among which the kernel spreads them; where it does not, as [`Accept::First`].
    #[default]
    Each,
    /// The first shard accepts all and hands them to the shards in turn: it costs a wake-up a connection, and the shards have
    /// the same number of connections to within one.
    First,
}

/// What is kept of what was sent to a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbox {
    /// Messages; 0: none.
    pub history: u32,
    /// For how long.
    pub ttl: Duration,
}

/// When the console, and `/echo` with it, is served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Console {
    /// In open mode, that is without keys on loopback.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// Who may read the server's metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Everybody: `/metrics` needs no key of the API even where there is one.
    pub public: bool,
}

/// Bounds on what peers can make the server do. 0 means that there is no limit only where a field says so; in any other
/// field it is refused when the configuration is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Open connections in all. Past it the HTTP connections that have been idle for longest are closed, and where there is
    /// none upgrades and streams get 503. 0: as many as there are descriptors.
    pub connections: usize,
    /// Connections of one address at once, of whatever kind, an IPv6 address standing for its /64 network. Past it the
    /// address's own HTTP connection that has been idle for longest is closed, and where there is none requests get 429; `/`,
    /// `/healthz` and `/readyz` are answered all the same. 0: any number.
    pub connections_per_ip: usize,
    /// WebSockets and streams that one address may ask for a second, twice as many in a burst; past it they get 429. 0:
    /// any number.
    pub handshakes_per_second_per_ip: u32,
    /// Connections of one user. 0: any number.
    pub connections_per_user: usize,
    /// What happens when a user has one too many.
    pub too_many: TooMany,
    /// Rooms that one connection may be in.
    pub rooms_per_connection: usize,
    /// Rooms that one connection may make a second, twice as many in a burst; past it joins of new rooms, and `direct` to users who
    /// have no inbox yet, get `rate_limited`. 0: any number.
    pub rooms_per_second: u32,
    /// The same for all connections of one address. 0: any number.
    pub rooms_per_second_per_ip: u32,
    /// Rooms that clients of one address made and that are remembered, at most a quarter of `rooms_total`; past it joins of new
    /// rooms get `room_limit`. 0: any number.
    pub rooms_per_ip: usize,
    /// Bytes of all rooms together beside their history, some 0.5 KiB each; past it empty rooms go first, and then clients'
    /// joins of new rooms are `unavailable`.
    pub rooms_total: usize,
    /// Bytes of one message on the native and raw dialects.
    pub message: usize,
    /// Bytes of one message on `/echo`. Conformance suites send 16 MiB.
    pub echo_message: usize,
    /// Bytes of an HTTP request's body, after chunked decoding.
    pub api_body: usize,
    /// Calls a second that one API key may make, twice as many in a burst; past it they get 429. 0: any number.
    pub api_per_second: u32,
    /// Messages that one connection may send a second. 0: any number.
    pub messages_per_second: u32,
    /// Messages that it may send at once. 0: twice as many as a second.
    pub messages_burst: u32,
    /// Messages that one user may send a second, from all connections together, twice as many in a burst. 0: any number.
    pub user_messages_per_second: u32,
    /// Bytes of messages that one connection may send a second, twice as many in a burst. 0: any number.
    pub bytes_per_second: usize,
    /// Bytes that others may have queued for one connection before it counts as slow.
    pub queue: usize,
    /// How long the oldest queued byte may wait before the connection counts as slow.
    pub stall: Duration,
    /// Bytes waiting for all connections together, to be read by them or to be carried out; past it those with most go
    /// first, and new connections get 503.
    pub queue_total: usize,
    /// Bytes of history kept for all rooms together; past it a room's oldest messages go first.
    pub history_total: usize,
    /// Bytes of idempotency keys for all rooms together, half of it for the app's; past it the oldest of whoever has most go
    /// first. About 200 bytes a key.
    pub keys_total: usize,
    /// Bytes of a request's head: the request line and all fields.
    pub header: usize,
    /// Fields in a request's head.
    pub headers: usize,
    /// Time for a request's whole head, from accept or from its first byte.
    pub handshake: Duration,
    /// Time for a request's whole body.
    pub body: Duration,
    /// How long a kept-alive HTTP connection may be idle: longer than balancers keep theirs, commonly 60 s, for whoever ends
    /// first must not be who is asked.
    pub http_idle: Duration,
    /// Time for the close handshake, and for reading a closed connection to its end: a most, so that nobody who is sent
    /// away stays longer.
    pub close: Duration,
}

/// What happens when a user has one connection too many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TooMany {
    /// The new one is closed: `max connections reached`.
    #[default]
    Refuse,
    /// The oldest one is closed: `replaced by a newer connection`.
    EvictOldest,
}

/// When silent connections are asked for a sign of life.
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    /// Silence after which a ping goes out.
    pub interval: Duration,
    /// Time for anything at all to come back.
    pub timeout: Duration,
}

/// A pattern and the settings of the rooms that it matches.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomRule {
    /// A room name in which `*` stands for any run of characters; at the start it does not match `$`.
    pub pattern: String,
    /// What such rooms are like.
    pub room: RoomSettings,
}

/// What a room is like.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomSettings {
    /// Messages kept for resume and for late comers; 0: none.
    pub history: u32,
    /// Bytes that the kept messages may take, their envelopes included.
    pub history_bytes: usize,
    /// How long a message is kept, and how long an empty and silent room is remembered.
    pub ttl: Duration,
    /// Whether people are told of and listed.
    pub presence: bool,
    /// Above this many people a room tells their number only.
    pub presence_limit: u32,
    /// How long a user whose last connection went may take to come back before anybody is told.
    pub presence_grace: Duration,
    /// Whether clients may publish, or only the app.
    pub client_publish: bool,
    /// Whether members hear of each other's typing.
    pub typing: bool,
    /// Whether clients without a name may join.
    pub anonymous: bool,
    /// Whether only a token whose `rooms` names it may join or publish.
    pub private: bool,
    /// Members that the room takes; 0: any number.
    pub max_members: u32,
    /// What happens to a member that does not keep up.
    pub slow: Slow,
}

/// What happens to a member that does not keep up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slow {
    /// It is closed with 4100 and resumes when it comes back.
    #[default]
    Disconnect,
    /// It misses messages and is told which, by a `gap`.
    Skip,
}

impl Settings {
    /// Whether nobody has to say who they are: no key is set for either side.
    pub fn is_open(&self) -> bool {
        !self.auth.has_key() && !self.api.has_key()
    }

    /// Whether clients may write to users.
    pub fn allows_direct(&self) -> bool {
        self.direct.unwrap_or(self.is_open())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8000))],
            shards: 0,
            accept: Accept::Each,
            drain: Duration::from_secs(8),
            console: Console::Auto,
            insecure: false,
            auth: Auth::default(),
            api: Api::default(),
            origins: Origins::new(),
            proxies: Proxies::default(),
            metrics: Metrics::default(),
            limits: Limits::default(),
            heartbeat: Heartbeat::default(),
            inbox: Inbox::default(),
            direct: None,
            rooms: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 0,
            connections_per_ip: 0,
            handshakes_per_second_per_ip: 0,
            connections_per_user: 0,
            too_many: TooMany::Refuse,
            rooms_per_connection: 128,
            rooms_per_second: 200,
            rooms_per_second_per_ip: 0,
            rooms_per_ip: 100_000,
            rooms_total: 256 * MIB,
            message: 64 * KIB,
            echo_message: 16 * MIB,
            api_body: MIB,
            api_per_second: 0,
            messages_per_second: 0,
            messages_burst: 0,
            user_messages_per_second: 0,
            bytes_per_second: 0,
            queue: MIB,
            stall: Duration::from_secs(10),
            queue_total: 512 * MIB,
            history_total: 256 * MIB,
            keys_total: 48 * MIB,
            header: 8 * KIB,
            headers: 64,
            handshake: Duration::from_secs(5),
            body: Duration::from_secs(10),
            http_idle: Duration::from_secs(75),
            close: Duration::from_secs(5),
        }
    }
}

impl Default for Inbox {
    fn default() -> Self {
        Self { history: 50, ttl: Duration::from_secs(300) }
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { interval: Duration::from_secs(25), timeout: Duration::from_secs(10) }
    }
}

impl Default for RoomSettings {
    fn default() -> Self {
        Self {
            history: 100,
            history_bytes: MIB,
            ttl: Duration::from_secs(300),
            presence: true,
            presence_limit: 100,
            presence_grace: Duration::ZERO,
            client_publish: true,
            typing: true,
            anonymous: true,
            private: false,
            max_members: 0,
            slow: Slow::Disconnect,
        }
    }
}
