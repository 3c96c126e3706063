//! Sockets in memory: two pipes that hold a little, break anywhere and say once that something has changed, as the
//! kernel does to an edge-triggered poll.

use std::collections::VecDeque;
use std::io::IoSlice;

use switchboard::shard::outlet::{Outlet, Taken};

use super::random::Random;

/// One connection between a client and a shard.
#[derive(Default)]
pub struct Socket {
    /// What the client sent and the shard has not read.
    pub to_server: VecDeque<u8>,
    /// What the shard sent and the client has not read.
    pub to_client: VecDeque<u8>,
    /// Bytes that fit into `to_client`.
    pub capacity: usize,
    /// The client sends nothing more.
    pub client_finished: bool,
    /// The client reset the connection.
    pub broken: bool,
    /// The shard sends nothing more.
    pub server_finished: bool,
    /// The shard has let go of it.
    pub closed: bool,
    /// An edge for the shard: something to read.
    pub readable_edge: bool,
    /// An edge for the shard: room to write, after there was too little.
    pub writable_edge: bool,
    /// There may be something to read.
    pub readable: bool,
    /// It is on the list of those to read.
    pub listed: bool,
    /// The shard was told that not everything fitted.
    pub blocked: bool,
    /// Writes in this turn.
    pub writes: usize,
}

impl Socket {
    pub fn new(capacity: usize) -> Self {
        Self { capacity, ..Self::default() }
    }

    /// The client sends.
    pub fn send(&mut self, bytes: &[u8]) {
        self.to_server.extend(bytes);
        self.readable_edge = true;
    }

    /// The client reads at most `most` bytes.
    pub fn read(&mut self, most: usize) -> Vec<u8> {
        let taken: Vec<u8> = self.to_client.drain(..most.min(self.to_client.len())).collect();
        self.writable_edge |= self.blocked && !taken.is_empty();
        taken
    }

    /// The client sends nothing more; `sent` bytes of what the shard has not read are the last.
    pub fn finish(&mut self, sent: usize) {
        self.to_server.truncate(sent);
        self.client_finished = true;
        self.readable_edge = true;
    }

    /// The client is gone, with everything that was on the way.
    pub fn reset(&mut self, sent: usize) {
        self.to_server.truncate(sent);
        self.to_client.clear();
        self.broken = true;
        self.readable_edge = true;
        self.writable_edge = true;
    }

    /// Whether a read would say something.
    pub fn has_input(&self) -> bool {
        !self.to_server.is_empty() || self.client_finished || self.broken
    }
}

/// The sockets of one shard, as it writes to them in one turn.
pub struct Writer<'a> {
    pub sockets: &'a mut [Socket],
    /// The number of the socket of each session.
    pub keys: &'a [Option<usize>],
    pub random: &'a mut Random,
    /// Members that may be written in this turn.
    pub budget: usize,
    /// Whether writes are taken in part though there is room.
    pub slices: bool,
}

impl Writer<'_> {
    fn socket(&mut self, key: u32) -> Option<&mut Socket> {
        let number = *self.keys.get(key as usize)?;
        self.sockets.get_mut(number?)
    }
}

impl Outlet for Writer<'_> {
    fn write(&mut self, key: u32, slices: &[IoSlice<'_>]) -> Taken {
        let offered: usize = slices.iter().map(|slice| slice.len()).sum();
        let less = self.slices && self.random.chance(20);
        let most = if less { self.random.below(offered) } else { offered };
        let Some(socket) = self.socket(key) else { return Taken::Broken };
        socket.writes += 1;
        assert!(!socket.server_finished, "a write behind the end");
        if socket.broken {
            return Taken::Broken;
        }
        let room = socket.capacity.saturating_sub(socket.to_client.len());
        let taken = most.min(room);
        socket.to_client.extend(slices.iter().flat_map(|slice| slice.iter()).take(taken));
        socket.blocked = taken < offered;
        // Where there is room, the kernel says so at once.
        socket.writable_edge = socket.blocked && taken < room;
        Taken::Some(taken)
    }

    fn finish(&mut self, key: u32) {
        if let Some(socket) = self.socket(key) {
            socket.server_finished = true;
        }
    }

    fn is_spent(&mut self) -> bool {
        let spent = self.budget == 0;
        self.budget = self.budget.saturating_sub(1);
        spent
    }
}
