//! The settings of a server: plain values that every floor above may read.
//!
//! `config` reads them from files, the environment and flags; nothing here knows where a value came from. Every limit has its
//! reason beside its default.

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
    /// Addresses to listen on. With port 0 the system chooses.
    pub listen: Vec<SocketAddr>,
    /// Event loops to run, each on its own thread. 0: one per core.
    pub shards: usize,
    /// How connections come to the shards.
    pub accept: Accept,
    /// How long a stop may take. Connections are closed during the first 80 % of it; then the server waits for clients that
    /// have not answered their close. The default is less than the 10 s after which `docker stop` kills.
    pub drain: Duration,
    /// Whether the console (a page at `/` to try rooms and watch the server) and `/echo` are served.
    pub console: Console,
    /// Allows addresses that are not loopback although no key is set.
    pub insecure: bool,
    /// How clients authenticate.
    pub auth: Auth,
    /// Who may use the HTTP API.
    pub api: Api,
    /// Pages that may use the server. Empty: any page, or in open mode those of this machine.
    pub origins: Origins,
    /// Proxies in front of the server.
    pub proxies: Proxies,
    /// Who may read the server's metrics.
    pub metrics: Metrics,
    /// Limits on what peers can make the server do.
    pub limits: Limits,
    /// When silent connections are pinged.
    pub heartbeat: Heartbeat,
    /// What is kept for users who are not connected.
    pub inbox: Inbox,
    /// Whether clients may write to users. `None`: only while the server is open.
    pub direct: Option<bool>,
    /// Settings for rooms by pattern; the first match wins.
    pub rooms: Vec<RoomRule>,
}

/// How connections come to the shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accept {
    /// Each shard accepts its own connections, and the kernel spreads them among the shards. Where it does not, like
    /// [`Accept::First`].
    #[default]
    Each,
    /// The first shard accepts all connections and hands them to the shards in turn. It costs a wake-up per connection, and
    /// the shards have the same number of connections, give or take one.
    First,
}

/// How messages to a user are kept.
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
    /// Only in open mode: without keys, on loopback.
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
    /// Everybody: `/metrics` needs no API key even if one is set.
    pub public: bool,
}

/// Limits on what peers can make the server do. 0 means no limit only where a field says so; any other field refuses it.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Open connections in all. Above it the HTTP connections that have been idle longest are closed; if none is idle,
    /// upgrades and streams get 503. 0: as many as there are descriptors.
    pub connections: usize,
    /// Connections of one address at once, of any kind. An IPv6 address stands for its /64 network. Above it the address's
    /// HTTP connection that has been idle longest is closed; if none is idle, requests get 429, except for `/`, `/healthz`
    /// and `/readyz`. 0: any number.
    pub connections_per_ip: usize,
    /// WebSockets and streams that one address may open per second, twice as many in a burst; above it they get 429. 0: any
    /// number.
    pub handshakes_per_second_per_ip: u32,
    /// Connections of one user. 0: any number.
    pub connections_per_user: usize,
    /// What happens when a user has one too many.
    pub too_many: TooMany,
    /// Rooms that one connection may join.
    pub rooms_per_connection: usize,
    /// Rooms that one connection may make per second, twice as many in a burst. Above it joins of new rooms, and `direct` to
    /// users who have no inbox yet, get `rate_limited`. 0: any number.
    pub rooms_per_second: u32,
    /// The same for all connections of one address. 0: any number.
    pub rooms_per_second_per_ip: u32,
    /// Rooms that clients of one address made and that are remembered, at most a quarter of `rooms_total`. Above it joins of
    /// new rooms get `room_limit`. 0: any number.
    pub rooms_per_ip: usize,
    /// Bytes of all rooms together without their history, about 0.5 KiB each. Above it empty rooms are forgotten; if there is
    /// none, clients' joins of new rooms get `unavailable`.
    pub rooms_total: usize,
    /// Bytes of one message on the native and raw dialects.
    pub message: usize,
    /// Bytes of one message on `/echo`. Conformance suites send 16 MiB.
    pub echo_message: usize,
    /// Bytes of an HTTP request's body, after chunked decoding.
    pub api_body: usize,
    /// Calls that one API key may make per second, twice as many in a burst; above it they get 429. 0: any number.
    pub api_per_second: u32,
    /// Messages that one connection may send per second. 0: any number.
    pub messages_per_second: u32,
    /// Messages that it may send in a burst. 0: twice as many as per second.
    pub messages_burst: u32,
    /// Messages that one user may send per second, from all connections together, twice as many in a burst. 0: any number.
    pub user_messages_per_second: u32,
    /// Bytes of messages that one connection may send per second, twice as many in a burst. 0: any number.
    pub bytes_per_second: usize,
    /// Bytes from others that may be queued for one connection before it counts as slow.
    pub queue: usize,
    /// How long the oldest queued byte may wait before the connection counts as slow.
    pub stall: Duration,
    /// Bytes that wait for all connections together, to be read by them or to be carried out. Above it the connections with
    /// most are closed, and new ones get 503.
    pub queue_total: usize,
    /// Bytes of history kept for all rooms together. Above it the oldest messages are dropped.
    pub history_total: usize,
    /// Bytes of idempotency keys for all rooms together, half of them for the app. About 200 bytes per key. Above it the
    /// oldest keys of the sender that has most are dropped.
    pub keys_total: usize,
    /// Bytes of a request's head: the request line and all fields.
    pub header: usize,
    /// Fields in a request's head.
    pub headers: usize,
    /// Time for a request's whole head, from accept or from its first byte.
    pub handshake: Duration,
    /// Time for a request's whole body.
    pub body: Duration,
    /// How long a kept-alive HTTP connection may be idle. Longer than balancers keep theirs, commonly 60 s: if the server
    /// closed first, a balancer's next request could fail.
    pub http_idle: Duration,
    /// The longest time for the close handshake, and for reading a closed connection to its end.
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

/// When silent connections are pinged.
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    /// Silence after which a ping goes out.
    pub interval: Duration,
    /// Time for any byte to come back.
    pub timeout: Duration,
}

/// A pattern and the settings of the rooms that it matches.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomRule {
    /// A room name in which `*` stands for any characters, or none. A `*` at the start does not match `$`.
    pub pattern: String,
    /// The settings of these rooms.
    pub room: RoomSettings,
}

/// The settings of a room.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomSettings {
    /// Messages kept for clients that reconnect or join later. 0: none.
    pub history: u32,
    /// The most bytes that the kept messages may take, envelopes included.
    pub history_bytes: usize,
    /// How long a message is kept, and how long an empty room without messages is remembered.
    pub ttl: Duration,
    /// Whether members are told who joins and leaves, and may list members.
    pub presence: bool,
    /// Above this many people a room reports only their number.
    pub presence_limit: u32,
    /// How long a user has to come back after the last connection ended, before the others are told.
    pub presence_grace: Duration,
    /// Whether clients may publish, or only the app.
    pub client_publish: bool,
    /// Whether members see each other's typing.
    pub typing: bool,
    /// Whether guests, clients without a user name, may join.
    pub anonymous: bool,
    /// Whether a client needs a token whose `rooms` names the room, to join or publish.
    pub private: bool,
    /// The most members in the room. 0: any number.
    pub max_members: u32,
    /// What happens to a member that does not keep up.
    pub slow: Slow,
}

/// What happens to a member that does not keep up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slow {
    /// It is closed with 4100, and resumes when it reconnects.
    #[default]
    Disconnect,
    /// It misses messages. A `gap` tells it which.
    Skip,
}

impl Settings {
    /// Whether nobody has to authenticate: no key is set for clients or for the app.
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
