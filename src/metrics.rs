//! Figures of a shard's own work: plain counters, because each shard is one thread.

pub mod board;
pub mod histogram;

/// What a shard has done since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages that publishers handed in here.
    pub messages_in: u64,
    /// Messages handed to members here, each member counted.
    pub messages_out: u64,
    /// Bytes read from sockets.
    pub bytes_in: u64,
    /// Bytes that sockets took.
    pub bytes_out: u64,
    /// Messages encoded for a wire.
    pub encodes: u64,
    /// Writes to sockets.
    pub writes: u64,
    /// Connections cut off because they did not keep up.
    pub slow: u64,
}

/// The state of a shard at the end of a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Open WebSockets.
    pub websockets: u64,
    /// Open streams of Server-Sent Events.
    pub streams: u64,
    /// Other connections: they use HTTP, have sent nothing yet, or are about to end.
    pub http: u64,
    /// Rooms at home here.
    pub rooms: u64,
    /// Users that this shard counts; no user is counted by two.
    pub users: u64,
    /// Bytes that wait for sockets, as `limits.queue` counts them.
    pub queue_bytes: u64,
    /// What the kept messages of the rooms at home here cost, in bytes.
    pub history_bytes: u64,
}
