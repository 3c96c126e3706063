//! Where every shard shows its figures. Each shard writes its own place only, and readers add the places up.
//!
//! Invariant: a place has one writer, its shard. So writing is plain stores without locks or waits. A reader on another core
//! costs the writer one cache miss.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::histogram::{Distribution, Histogram, Recent, add};
use super::{Counters, Gauges};

/// Close codes that are counted separately. Every other code counts as `other`.
pub const CLOSES: [&str; 15] = [
    "1000", "1001", "1002", "1003", "1005", "1006", "1007", "1008", "1009", "1011", "1013", "4000", "4100",
    "4101", "other",
];

/// Error codes that are counted separately. Every other code counts as `other`.
pub const REFUSALS: [&str; 25] = [
    "bad_json",
    "bad_request",
    "bad_room",
    "connection_limit",
    "content_too_large",
    "expectation_failed",
    "forbidden",
    "header_too_large",
    "length_required",
    "method_not_allowed",
    "not_found",
    "not_implemented",
    "not_joined",
    "rate_limited",
    "request_timeout",
    "room_full",
    "room_limit",
    "unauthorized",
    "unavailable",
    "unknown_type",
    "unsupported_media_type",
    "upgrade_required",
    "uri_too_long",
    "version_not_supported",
    "other",
];

/// Reasons for denied access that are counted separately. Every other reason counts as `other`.
pub const DENIALS: [&str; 22] = [
    "algorithm",
    "api_key",
    "audience",
    "auth_first",
    "auth_timeout",
    "claims",
    "crit",
    "expired",
    "header",
    "host",
    "issuer",
    "kid",
    "length",
    "no_api_key",
    "no_token",
    "not_yet",
    "origin",
    "room",
    "shape",
    "signature",
    "subject",
    "other",
];

/// The figures of all shards.
#[derive(Debug)]
pub struct Board {
    places: Box<[Place]>,
    /// Figures of the process.
    pub process: Process,
    began_ms: OnceLock<u64>,
}

/// The figures of one shard. Two of them share no cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Place {
    counters: [AtomicU64; 7],
    gauges: [AtomicU64; 7],
    closes: [AtomicU64; CLOSES.len()],
    refusals: [AtomicU64; REFUSALS.len()],
    denials: [AtomicU64; DENIALS.len()],
    /// From a room's receipt of a message to the last of its members on the shard.
    pub fanout: Histogram,
    /// The same, lately.
    pub fanout_lately: Recent,
    /// From the end of a wait to the end of its turn.
    pub turns: Histogram,
}

/// Figures of the process as a whole; zero where the system does not report them.
#[derive(Debug, Default)]
pub struct Process {
    /// When they were last read, by the wall clock in seconds.
    pub looked_s: AtomicU64,
    /// Resident memory, in bytes.
    pub memory_bytes: AtomicU64,
    /// Open file descriptors.
    pub open_fds: AtomicU64,
}

/// The figures of the whole server at one moment.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Counts since the server began.
    pub counters: Counters,
    /// The current state.
    pub gauges: Gauges,
    /// Closes, each as often as it happened, in the order of [`CLOSES`].
    pub closes: [u64; CLOSES.len()],
    /// Refusals, likewise, in the order of [`REFUSALS`].
    pub refusals: [u64; REFUSALS.len()],
    /// Denied accesses, likewise, in the order of [`DENIALS`].
    pub denials: [u64; DENIALS.len()],
    /// How long messages took to reach their last member.
    pub fanout: Distribution,
    /// The same for this second and the one before it.
    pub fanout_lately: Distribution,
    /// How long turns took.
    pub turns: Distribution,
    /// Resident memory of the process, in bytes.
    pub memory_bytes: Option<u64>,
    /// Open file descriptors of the process.
    pub open_fds: Option<u64>,
    /// When the server began, by the wall clock in milliseconds.
    pub began_ms: u64,
}

impl Board {
    /// A board for `shards` shards, all zero.
    pub fn new(shards: usize) -> Self {
        Self {
            places: (0..shards).map(|_| Place::default()).collect(),
            process: Process::default(),
            began_ms: OnceLock::new(),
        }
    }

    /// Records when the server began, by the wall clock. Only the first call counts.
    pub fn begins(&self, wall_ms: u64) {
        self.began_ms.get_or_init(|| wall_ms);
    }

    /// The place of a shard.
    pub fn place(&self, shard: usize) -> &Place {
        &self.places[shard]
    }

    /// The figures of all shards together, in this second of the wall clock.
    pub fn totals(&self, second: u64) -> Totals {
        let known = |figure: &AtomicU64| Some(figure.load(Ordering::Relaxed)).filter(|figure| *figure > 0);
        let mut totals = Totals {
            memory_bytes: known(&self.process.memory_bytes),
            open_fds: known(&self.process.open_fds),
            began_ms: self.began_ms.get().copied().unwrap_or_default(),
            ..Totals::default()
        };
        self.places.iter().for_each(|place| totals.add(place, second));
        totals
    }
}

impl Place {
    /// Shows the shard's counts and state: 14 stores.
    pub fn show(&self, counters: &Counters, gauges: &Gauges) {
        let Counters { messages_in, messages_out, bytes_in, bytes_out, encodes, writes, slow } = *counters;
        let counters = [messages_in, messages_out, bytes_in, bytes_out, encodes, writes, slow];
        let Gauges { websockets, streams, http, rooms, users, queue_bytes, history_bytes } = *gauges;
        let gauges = [websockets, streams, http, rooms, users, queue_bytes, history_bytes];
        for (place, figure) in self.counters.iter().zip(counters) {
            place.store(figure, Ordering::Relaxed);
        }
        for (place, figure) in self.gauges.iter().zip(gauges) {
            place.store(figure, Ordering::Relaxed);
        }
    }

    /// Counts a WebSocket or stream that was closed with this code.
    pub fn closed(&self, code: u16) {
        let named = |name: &&str| name.parse() == Ok(code);
        let index = CLOSES.iter().position(named).unwrap_or(CLOSES.len() - 1);
        add(&self.closes[index], 1);
    }

    /// Counts a request that was refused with this code.
    pub fn refused(&self, code: &str) {
        let index = REFUSALS.iter().position(|name| *name == code).unwrap_or(REFUSALS.len() - 1);
        add(&self.refusals[index], 1);
    }

    /// Counts an access that was denied for this reason.
    pub fn denied(&self, reason: &str) {
        let index = DENIALS.iter().position(|name| *name == reason).unwrap_or(DENIALS.len() - 1);
        add(&self.denials[index], 1);
    }
}

impl Totals {
    fn add(&mut self, place: &Place, second: u64) {
        let read = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        let [messages_in, messages_out, bytes_in, bytes_out, encodes, writes, slow] =
            place.counters.each_ref().map(read);
        self.counters.add(&Counters {
            messages_in,
            messages_out,
            bytes_in,
            bytes_out,
            encodes,
            writes,
            slow,
        });
        let [websockets, streams, http, rooms, users, queue_bytes, history_bytes] =
            place.gauges.each_ref().map(read);
        self.gauges.add(&Gauges { websockets, streams, http, rooms, users, queue_bytes, history_bytes });
        for (sum, figure) in self.closes.iter_mut().zip(&place.closes) {
            *sum += read(figure);
        }
        for (sum, figure) in self.refusals.iter_mut().zip(&place.refusals) {
            *sum += read(figure);
        }
        for (sum, figure) in self.denials.iter_mut().zip(&place.denials) {
            *sum += read(figure);
        }
        self.fanout.add(&place.fanout.read());
        self.fanout_lately.add(&place.fanout_lately.read(second));
        self.turns.add(&place.turns.read());
    }

    /// Open WebSockets and streams: the connections that can be in rooms.
    pub fn connections(&self) -> u64 {
        self.gauges.websockets + self.gauges.streams
    }
}

impl Counters {
    fn add(&mut self, other: &Self) {
        self.messages_in += other.messages_in;
        self.messages_out += other.messages_out;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.encodes += other.encodes;
        self.writes += other.writes;
        self.slow += other.slow;
    }
}

impl Gauges {
    fn add(&mut self, other: &Self) {
        self.websockets += other.websockets;
        self.streams += other.streams;
        self.http += other.http;
        self.rooms += other.rooms;
        self.users += other.users;
        self.queue_bytes += other.queue_bytes;
        self.history_bytes += other.history_bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_of_all_shards() {
        let board = Board::new(2);
        let counters = Counters {
            messages_in: 1,
            messages_out: 2,
            bytes_in: 3,
            bytes_out: 4,
            encodes: 5,
            writes: 6,
            slow: 7,
        };
        let gauges = Gauges {
            websockets: 1,
            streams: 2,
            http: 3,
            rooms: 4,
            users: 5,
            queue_bytes: 6,
            history_bytes: 7,
        };
        board.place(0).show(&counters, &gauges);
        assert_eq!((board.totals(0).counters, board.totals(0).gauges), (counters, gauges));
        board.place(1).show(&counters, &gauges);
        board.place(1).show(&counters, &gauges);
        let totals = board.totals(0);
        assert_eq!((totals.counters.messages_in, totals.counters.slow), (2, 14));
        assert_eq!((totals.gauges.websockets, totals.gauges.history_bytes, totals.connections()), (2, 14, 6));
    }

    #[test]
    fn codes_are_counted_by_name() {
        let board = Board::new(2);
        for code in [1000, 4100, 4100, 3333, 0] {
            board.place(1).closed(code);
        }
        for code in ["forbidden", "other", "new"] {
            board.place(0).refused(code);
        }
        let totals = board.totals(0);
        let closes: Vec<_> = CLOSES.iter().zip(totals.closes).filter(|(_, count)| *count > 0).collect();
        assert_eq!(closes, [(&"1000", 1), (&"4100", 2), (&"other", 2)]);
        let refusals: Vec<_> = REFUSALS.iter().zip(totals.refusals).filter(|(_, count)| *count > 0).collect();
        assert_eq!(refusals, [(&"forbidden", 1), (&"other", 2)]);
    }

    #[test]
    fn the_first_beginning_counts() {
        let board = Board::new(1);
        board.begins(7);
        board.begins(8);
        assert_eq!((board.totals(0).began_ms, board.totals(0).memory_bytes), (7, None));
    }
}
