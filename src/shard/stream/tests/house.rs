//! Shards with posts carried between them, and buffers for sockets.

use std::collections::HashMap;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::reader::Reader;
use crate::auth::access::Access;
use crate::engine::{Engine, local::Local};
use crate::id::ShardId;
use crate::room_key::Space;
use crate::settings::Settings;
use crate::shard::outlet::{Outlet, Taken};
use crate::shard::{Common, Shard};
use crate::time::Now;

/// A connection: its shard, and its key there.
pub(super) type Line = (usize, u32);

/// What stands for the sockets of a shard.
#[derive(Default)]
struct Sockets {
    written: HashMap<u32, Vec<u8>>,
    /// Bytes that a socket still takes; any number where none is set.
    room: HashMap<u32, usize>,
    finished: Vec<u32>,
}

impl Outlet for Sockets {
    fn write(&mut self, key: u32, slices: &[IoSlice<'_>]) -> Taken {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        let taken = self.room.get(&key).copied().unwrap_or(usize::MAX).min(bytes.len());
        self.room.entry(key).and_modify(|left| *left -= taken);
        self.written.entry(key).or_default().extend_from_slice(&bytes[..taken]);
        Taken::Some(taken)
    }

    fn finish(&mut self, key: u32) {
        self.finished.push(key);
    }

    fn is_spent(&mut self) -> bool {
        false
    }
}

pub(super) struct House {
    shards: Vec<Shard>,
    sockets: Vec<Sockets>,
    common: Arc<Common>,
    now: Now,
}

impl House {
    pub(super) fn new(shards: usize, settings: Settings) -> Self {
        let common = Arc::new(Common::new(settings, Access::default(), shards, true));
        let now = Now { loop_ms: 1_000, wall_ms: 1_000, us: 0 };
        let shard = |me| Shard::new(me as ShardId, common.clone(), Engine::Local(Local::default()), now);
        Self {
            shards: (0..shards).map(shard).collect(),
            sockets: (0..shards).map(|_| Sockets::default()).collect(),
            common,
            now,
        }
    }

    /// A room whose name begins so and that is at home on `shard`.
    pub(super) fn room_at(&self, shard: usize, begins: &str) -> String {
        let home = |name: &str| self.common.room_keys.key(Space::Native, name).home(self.shards.len());
        let mut names = (0..).map(|number| format!("{begins}{number}"));
        names.find(|name| home(name) == shard).expect("some name is at home everywhere")
    }

    pub(super) fn connect(&mut self, shard: usize) -> Line {
        let key = self.shards[shard].accept(std::net::Ipv4Addr::LOCALHOST.into());
        self.sockets[shard].written.insert(key, Vec::new());
        self.sockets[shard].room.remove(&key);
        self.sockets[shard].finished.retain(|other| *other != key);
        (shard, key)
    }

    pub(super) fn send(&mut self, (shard, key): Line, bytes: &str) {
        self.shards[shard].receive(key, &mut bytes.as_bytes().to_vec());
        self.settle();
    }

    /// What has been written to a connection, which is taken from here.
    pub(super) fn take(&mut self, (shard, key): Line) -> Vec<u8> {
        self.sockets[shard].written.get_mut(&key).map(std::mem::take).unwrap_or_default()
    }

    /// Lets a socket take so many bytes more.
    pub(super) fn allow(&mut self, (shard, key): Line, room: usize) {
        self.sockets[shard].room.insert(key, room);
        self.shards[shard].writable(key);
        self.settle();
    }

    pub(super) fn hang_up(&mut self, (shard, key): Line) {
        self.shards[shard].hang_up(key);
        self.settle();
    }

    /// Whether the server has said its last on a connection.
    pub(super) fn is_finished(&self, (shard, key): Line) -> bool {
        self.sockets[shard].finished.contains(&key)
    }

    pub(super) fn drain(&mut self, length: Duration) {
        for shard in &mut self.shards {
            shard.drain(length);
        }
        self.settle();
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, wait: Duration) {
        self.now.loop_ms += wait.as_millis() as u64;
        self.now.wall_ms += wait.as_millis() as u64;
        self.settle();
    }

    /// What the connection is called.
    pub(super) fn name(&self, (shard, key): Line) -> String {
        self.common.names.name(self.shards[shard].id(key)).to_string()
    }

    /// How many connections there are.
    pub(super) fn sessions(&self) -> usize {
        self.shards.iter().map(Shard::sessions).sum()
    }

    /// Turns until nothing is left to do.
    fn settle(&mut self) {
        loop {
            for (shard, sockets) in self.shards.iter_mut().zip(&mut self.sockets) {
                shard.begin(self.now);
                while shard.next_resumed().is_some() {}
                shard.tick();
                shard.flush(sockets);
                shard.reap(|_| {});
            }
            if !self.carry() && !self.shards.iter().any(Shard::has_work) {
                return;
            }
        }
    }

    /// Carries posts between shards; says whether there were any.
    fn carry(&mut self) -> bool {
        let mut carried = false;
        for from in 0..self.shards.len() {
            for to in 0..self.shards.len() {
                let posts: Vec<_> = self.shards[from].outgoing(to as ShardId).drain(..).collect();
                carried |= !posts.is_empty();
                self.shards[to].take_all(posts);
            }
        }
        carried
    }

    /// A call on a connection of its own: the status, and the body of the answer.
    pub(super) fn call(&mut self, shard: usize, method: &str, path: &str, body: &str) -> (u16, String) {
        let line = self.begin_call(shard, method, path, body);
        self.end_call(line)
    }

    /// Sends a call on a connection of its own.
    pub(super) fn begin_call(&mut self, shard: usize, method: &str, path: &str, body: &str) -> Line {
        let line = self.connect(shard);
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        self.send(line, &(head + body));
        line
    }

    /// The status of a call, and the body of the answer, which has come.
    pub(super) fn end_call(&mut self, line: Line) -> (u16, String) {
        let answer = String::from_utf8(self.take(line)).expect("answers are text");
        self.hang_up(line);
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has come");
        (head[9..12].parse().expect("a status"), body.into())
    }

    /// Publishes as the app; says the position.
    pub(super) fn publish(&mut self, shard: usize, room: &str, body: &str) -> String {
        let (status, answer) = self.call(shard, "POST", &format!("/api/rooms/{room}/messages"), body);
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(&answer).expect("answers are JSON");
        answer["position"].as_str().unwrap_or_default().into()
    }

    /// Opens a stream that goes on behind an event, if one is named.
    pub(super) fn stream(&mut self, shard: usize, target: &str, last_event_id: &str) -> Line {
        let line = self.connect(shard);
        let id = match last_event_id {
            "" => String::new(),
            id => format!("Last-Event-ID: {id}\r\n"),
        };
        self.send(line, &format!("GET {target} HTTP/1.1\r\nHost: a\r\n{id}\r\n"));
        line
    }

    /// The body of a stream as far as it has come.
    pub(super) fn body(&mut self, line: Line) -> Vec<u8> {
        let bytes = self.take(line);
        assert!(bytes.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&bytes));
        let end = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head has come");
        bytes[end + 4..].to_vec()
    }

    /// Opens a stream and hangs up: what came of it at once.
    pub(super) fn glance(&mut self, shard: usize, target: &str, last_event_id: &str) -> Reader {
        let line = self.stream(shard, target, last_event_id);
        let body = self.body(line);
        self.hang_up(line);
        Reader::read(&body)
    }
}
