//! Figures that a shard keeps of its own work: plain counters, since each shard is one thread.

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
