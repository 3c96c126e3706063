//! One shard with its sockets, and its turn: what the reactor does, without a kernel.

use switchboard::broker::post::Post;
use switchboard::id::SessionId;
use switchboard::shard::Shard;
use switchboard::time::Now;

use super::office::Office;
use super::plan::Plan;
use super::random::Random;
use super::socket::{Socket, Writer};
use super::truth::Verdict;
use super::truth::ensure;

/// How a turn is done: within what limits, and whether everything that waits is taken.
#[derive(Clone, Copy)]
pub struct Pace {
    pub now: Now,
    /// Take everything that waits, read to the end, write without limit.
    pub eager: bool,
}

pub struct Node {
    pub me: usize,
    pub shard: Shard,
    /// The socket of each session.
    keys: Vec<Option<usize>>,
    generations: Vec<u32>,
    accepted: u32,
    /// Connections that are not accepted yet.
    pub arriving: Vec<usize>,
    ready: Vec<u32>,
}

impl Node {
    pub fn new(me: usize, shard: Shard) -> Self {
        let (keys, generations, arriving, ready) = Default::default();
        Self { me, shard, keys, generations, accepted: 0, arriving, ready }
    }

    /// Whether session `id` has not been reaped.
    pub fn is_alive(&self, id: SessionId) -> bool {
        let key = id.key as usize;
        self.keys.get(key).is_some_and(Option::is_some) && self.generations[key] == id.generation
    }

    /// Whether a turn would do anything.
    pub fn has_work(&self, sockets: &[Socket]) -> bool {
        let edge = |socket: &Option<usize>| {
            socket.is_some_and(|socket| sockets[socket].readable_edge || sockets[socket].writable_edge)
        };
        self.shard.has_work()
            || !self.arriving.is_empty()
            || !self.ready.is_empty()
            || self.keys.iter().any(edge)
    }

    /// One turn.
    pub fn turn(
        &mut self,
        sockets: &mut [Socket],
        offices: (&mut Office, Vec<Post>),
        plan: &Plan,
        pace: Pace,
        random: &mut Random,
    ) -> Verdict {
        let (office, posts) = offices;
        self.shard.begin(pace.now);
        self.gather(sockets, pace, random);
        // As good as between the reads: these came while nobody read.
        for post in posts {
            self.shard.take_all([post]);
        }
        self.read_ready(sockets, pace, random);
        while let Some(key) = self.shard.next_resumed() {
            self.list(key, sockets);
        }
        self.shard.tick();
        self.hand(office, plan.shards);
        self.flush(sockets, plan, pace, random)?;
        self.reap(sockets);
        self.shard.end_turn(pace.now.us);
        Ok(())
    }

    fn gather(&mut self, sockets: &mut [Socket], pace: Pace, random: &mut Random) {
        for key in 0..self.keys.len() {
            let Some(number) = self.keys[key] else { continue };
            let socket = &mut sockets[number];
            socket.writes = 0;
            if socket.writable_edge && (pace.eager || random.chance(80)) {
                socket.writable_edge = false;
                self.shard.writable(key as u32);
            }
            if socket.readable_edge && (pace.eager || random.chance(80)) {
                socket.readable_edge = false;
                socket.readable = true;
                self.list(key as u32, sockets);
            }
        }
        for number in std::mem::take(&mut self.arriving) {
            let key = self.shard.accept(std::net::Ipv4Addr::LOCALHOST.into()) as usize;
            self.accepted += 1;
            if key >= self.keys.len() {
                self.keys.resize(key + 1, None);
                self.generations.resize(key + 1, 0);
            }
            (self.keys[key], self.generations[key]) = (Some(number), self.accepted);
        }
    }

    fn list(&mut self, key: u32, sockets: &mut [Socket]) {
        if let Some(Some(number)) = self.keys.get(key as usize)
            && sockets[*number].readable
            && !std::mem::replace(&mut sockets[*number].listed, true)
        {
            self.ready.push(key);
        }
    }

    fn read_ready(&mut self, sockets: &mut [Socket], pace: Pace, random: &mut Random) {
        for key in std::mem::take(&mut self.ready) {
            let Some(Some(number)) = self.keys.get(key as usize).copied() else { continue };
            sockets[number].listed = false;
            if self.shard.wants_read(key) {
                self.read(key, &mut sockets[number], pace, random);
                self.list(key, sockets);
            }
        }
    }

    /// Reads once, as much as the kernel hands out.
    fn read(&mut self, key: u32, socket: &mut Socket, pace: Pace, random: &mut Random) {
        let waiting = socket.to_server.len();
        if socket.broken && (waiting == 0 || random.chance(50)) {
            socket.readable = false;
            self.shard.fail(key);
        } else if waiting > 0 {
            let most = if pace.eager || random.chance(50) { waiting } else { 1 + random.below(waiting) };
            let mut chunk: Vec<u8> = socket.to_server.drain(..most).collect();
            socket.readable = socket.has_input();
            self.shard.receive(key, &mut chunk);
        } else {
            socket.readable = false;
            if socket.client_finished {
                self.shard.hang_up(key);
            }
        }
    }

    fn hand(&mut self, office: &mut Office, shards: usize) {
        for other in (0..shards).filter(|other| *other != self.me) {
            for post in std::mem::take(self.shard.outgoing(other as u16)) {
                office.put(self.me, other, post);
            }
        }
    }

    fn flush(&mut self, sockets: &mut [Socket], plan: &Plan, pace: Pace, random: &mut Random) -> Verdict {
        let budget = if pace.eager || random.chance(60) { usize::MAX } else { random.below(6) };
        let slices = plan.slow && !pace.eager;
        self.shard.flush(&mut Writer { sockets, keys: &self.keys, random, budget, slices });
        if !plan.slow {
            let most = self.keys.iter().flatten().map(|&number| sockets[number].writes).max();
            ensure!(most.unwrap_or(0) <= 1, "a session was written {most:?} times in one turn");
        }
        Ok(())
    }

    fn reap(&mut self, sockets: &mut [Socket]) {
        let keys = &mut self.keys;
        self.shard.reap(|key| {
            if let Some(number) = keys[key as usize].take() {
                sockets[number].closed = true;
                sockets[number].server_finished = true;
            }
        });
    }
}
