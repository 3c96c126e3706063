//! A shard without sockets: the bench drives the sessions and counts what is sent to them.

use std::io::IoSlice;
use std::net::IpAddr;
use std::sync::Arc;

use switchboard::auth::access::Access;
use switchboard::engine::{Engine, local::Local};
use switchboard::settings::{Console, RoomRule, RoomSettings, Settings};
use switchboard::shard::outlet::{Outlet, Taken};
use switchboard::shard::{Common, Shard};
use switchboard::time::Now;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

/// Stands for the sockets: it takes everything and keeps nothing.
#[derive(Default)]
pub(crate) struct Sink {
    /// The number of writes.
    pub(crate) writes: u64,
    /// The bytes of these writes.
    pub(crate) bytes: u64,
}

impl Outlet for Sink {
    fn write(&mut self, _: u32, slices: &[IoSlice<'_>]) -> Taken {
        let len = slices.iter().map(|slice| slice.len()).sum();
        self.writes += 1;
        self.bytes += len as u64;
        Taken::Some(len)
    }

    fn finish(&mut self, _: u32) {}

    fn is_spent(&mut self) -> bool {
        false
    }
}

/// A shard and its sink. Its time stands still.
pub(crate) struct House {
    shard: Shard,
    sink: Sink,
    now: Now,
    buffer: Vec<u8>,
}

impl House {
    /// A shard without sessions.
    pub(crate) fn new() -> Self {
        Self::of(RoomSettings::default())
    }

    /// A shard without sessions, in which all rooms have these settings.
    pub(crate) fn of(room: RoomSettings) -> Self {
        let now = Now { loop_ms: 60_000, wall_ms: 1_700_000_000_000, us: 0 };
        let rooms = vec![RoomRule { pattern: "*".to_owned(), room }];
        let settings = Settings { console: Console::On, rooms, ..Settings::default() };
        let common = Arc::new(Common::new(settings, Access::default(), 1, true));
        let shard = Shard::new(0, common, Engine::Local(Local::default()), now);
        Self { shard, sink: Sink::default(), now, buffer: Vec::new() }
    }

    /// A shard with `count` WebSockets on `path`, and their keys.
    pub(crate) fn with(path: &str, count: usize) -> (Self, Vec<u32>) {
        let mut house = Self::new();
        let keys = (0..count).map(|_| house.open(path)).collect();
        (house, keys)
    }

    /// Opens a WebSocket on `path`; returns its key.
    pub(crate) fn open(&mut self, path: &str) -> u32 {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        let key = self.accept();
        self.turn(key, request.as_bytes());
        key
    }

    /// Accepts a connection that has sent nothing yet; returns its key.
    pub(crate) fn accept(&mut self) -> u32 {
        self.shard.accept(IpAddr::from([127, 0, 0, 1]))
    }

    /// One turn in which session `key` sent `bytes`, as in the reactor; returns how many writes it caused.
    pub(crate) fn turn(&mut self, key: u32, bytes: &[u8]) -> u64 {
        let before = self.sink.writes;
        // Like the kernel's copy into the reactor's one buffer, where frames are unmasked in place.
        self.buffer.clear();
        self.buffer.extend_from_slice(bytes);
        self.shard.begin(self.now);
        self.shard.receive(key, &mut self.buffer);
        self.shard.tick();
        self.shard.flush(&mut self.sink);
        self.shard.reap(|_| {});
        self.shard.end_turn(self.now.us);
        self.sink.writes - before
    }
}

/// A masked frame, as a client sends it.
pub(crate) fn masked(data: Data, payload: &[u8]) -> Vec<u8> {
    let mut frame = Frame::message(payload.to_vec(), OpCode::Data(data), true);
    frame.header_mut().mask = Some([0x37, 0xfa, 0x21, 0x3d]);
    let mut bytes = Vec::new();
    frame.format(&mut bytes).expect("a buffer takes everything");
    bytes
}

/// A masked text frame.
pub(crate) fn text(text: &str) -> Vec<u8> {
    masked(Data::Text, text.as_bytes())
}

/// A publish of the native dialect with 128 bytes of `data`, which asks for an answer.
pub(crate) fn publish(room: &str) -> Vec<u8> {
    text(&format!(r#"{{"type":"publish","id":1,"room":"{room}","data":"{}"}}"#, "x".repeat(126)))
}
