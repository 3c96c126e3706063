//! Two nodes on one log, each a whole shard with a home for every room, and clients that move between them.

use std::collections::{HashMap, VecDeque};
use std::io::IoSlice;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;

use switchboard::auth::access::Access;
use switchboard::broker::place::{Ask, Tell};
use switchboard::engine::{Engine, Remote};
use switchboard::settings::Settings;
use switchboard::shard::outlet::{Outlet, Taken};
use switchboard::shard::{Common, Shard};
use switchboard::time::Now;

use super::super::random::Random;
use super::super::truth::{Verdict, ensure};
use super::super::wire;
use super::client::{Asked, Client, What};
use super::log::Log;
use super::weather::{Plant, Weather};

const NODES: usize = 2;
const CLIENTS: usize = 4;
const ROOMS: [&str; 2] = ["a", "b"];

/// Idempotency keys that a client uses.
const KEYS: usize = 4;

/// A node's engine: the way to the log that all nodes share.
struct Line(usize, Arc<Mutex<Log>>);

impl Remote for Line {
    fn ask(&mut self, ask: Ask, now: Now, _: &mut VecDeque<Tell>) {
        lock(&self.1).ask(self.0, ask, now);
    }

    fn poll(&mut self, now: Now, tells: &mut VecDeque<Tell>) {
        lock(&self.1).take(self.0, now, tells);
    }

    fn wakes_at(&self) -> Option<u64> {
        lock(&self.1).next_ms(self.0)
    }

    fn wake_by(&mut self, _: Waker) {}
}

fn lock(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().expect("no node panics while it holds the log")
}

/// Sockets that take everything.
#[derive(Default)]
struct Sink(HashMap<u32, Vec<u8>>);

impl Outlet for Sink {
    fn write(&mut self, key: u32, slices: &[IoSlice<'_>]) -> Taken {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        self.0.entry(key).or_default().extend_from_slice(&bytes);
        Taken::Some(bytes.len())
    }

    fn finish(&mut self, _: u32) {}

    fn is_spent(&mut self) -> bool {
        false
    }
}

struct Node {
    shard: Shard,
    sink: Sink,
}

pub struct World {
    nodes: Vec<Node>,
    pub log: Arc<Mutex<Log>>,
    clients: Vec<Client>,
    random: Random,
    now: Now,
    ids: usize,
}

impl World {
    pub fn new(seed: u64, plant: Plant) -> Self {
        let mut random = Random::seeded(seed);
        let weather = Weather::new(&mut random);
        let log = Log::new(NODES, weather, plant, Random::seeded(!seed));
        let log = Arc::new(Mutex::new(log));
        let now = Now { loop_ms: 1_000, wall_ms: 1_700_000_000_000, us: 1_000_000 };
        let node = |node| {
            let common = Arc::new(Common::new(Settings::default(), Access::default(), 1, true));
            let engine = Engine::Remote(Box::new(Line(node, log.clone())));
            Node { shard: Shard::new(0, common, engine, now), sink: Sink::default() }
        };
        let nodes = (0..NODES).map(node).collect();
        let client = |index| Client { user: format!("u{index}"), ..Client::default() };
        let clients = (0..CLIENTS).map(client).collect();
        Self { nodes, log, clients, random, now, ids: 0 }
    }

    /// Everything that happens, up to the rest at the end.
    pub fn run(&mut self) -> Verdict {
        for _ in 0..150 + self.random.below(250) {
            match self.random.below(10) {
                0..4 => {
                    let node = self.random.below(NODES);
                    self.turn(node)?;
                }
                4..9 => self.act()?,
                _ => {
                    let most_ms = if self.random.chance(5) { 3_000 } else { 40 };
                    self.pass(most_ms);
                }
            }
        }
        self.rest()
    }

    fn pass(&mut self, most_ms: usize) {
        let ms = self.random.below(most_ms + 1) as u64;
        self.advance(ms);
    }

    fn advance(&mut self, ms: u64) {
        let Now { loop_ms, wall_ms, us } = self.now;
        self.now = Now { loop_ms: loop_ms + ms, wall_ms: wall_ms + ms, us: us + 1_000 * ms };
    }

    /// One turn of a node. Its clients read all that it wrote.
    fn turn(&mut self, index: usize) -> Verdict {
        let Node { shard, sink } = &mut self.nodes[index];
        shard.begin(self.now);
        while shard.next_resumed().is_some() {}
        shard.tick();
        shard.flush(sink);
        shard.reap(|_| ());
        shard.end_turn(self.now.us);
        let written = std::mem::take(&mut self.nodes[index].sink.0);
        for number in 0..self.clients.len() {
            let client = &mut self.clients[number];
            let Some((node, key)) = client.conn.filter(|(node, _)| *node == index) else { continue };
            let Some(bytes) = written.get(&key) else { continue };
            let pings = client.hear(bytes, &mut lock(&self.log));
            for _ in 0..pings.map_err(|error| format!("client {number} on {node}: {error}"))? {
                self.send(number, wire::PONG, b"");
            }
        }
        self.pass(3);
        Ok(())
    }

    fn send(&mut self, number: usize, opcode: u8, payload: &[u8]) {
        let Some((node, key)) = self.clients[number].conn else { return };
        let mut bytes = Vec::new();
        wire::frame(0x80 | opcode, payload, &mut self.random, &mut bytes);
        self.nodes[node].shard.receive(key, &mut bytes);
    }

    /// A client does something.
    fn act(&mut self) -> Verdict {
        let number = self.random.below(self.clients.len());
        let Some((node, key)) = self.clients[number].conn else {
            self.connect(number);
            return Ok(());
        };
        if !self.clients[number].welcomed {
            return Ok(());
        }
        if self.random.chance(3) {
            self.nodes[node].shard.fail(key);
            self.clients[number].forget();
            return Ok(());
        }
        let room = *self.random.one(&ROOMS);
        let (what, more) = self.request(number, room);
        let kind = match what {
            What::Join(_) => "join",
            What::Leave => "leave",
            What::Look(_) => "history",
            What::Publish { .. } => "publish",
        };
        self.ids += 1;
        let id = self.ids;
        self.clients[number].asked.insert(id, Asked { room: room.into(), what });
        let json = format!("{{\"type\":\"{kind}\",\"room\":\"{room}\",\"id\":{id}{more}}}");
        self.send(number, wire::TEXT, json.as_bytes());
        Ok(())
    }

    fn connect(&mut self, number: usize) {
        let node = self.random.below(NODES);
        let shard = &mut self.nodes[node].shard;
        let key = shard.accept(std::net::Ipv4Addr::LOCALHOST.into());
        let client = &mut self.clients[number];
        shard.receive(key, &mut wire::upgrade(&format!("/ws?user={}", client.user)));
        client.conn = Some((node, key));
    }

    /// Something that a client may ask about a room, and the rest of its JSON.
    fn request(&mut self, number: usize, room: &str) -> (What, String) {
        let Self { clients, random, ids, .. } = self;
        let client = &clients[number];
        let joining = |asked: &Asked| asked.room == room && !matches!(asked.what, What::Publish { .. });
        let settled = !client.asked.values().any(joining);
        let since = client.known.get(room).copied().filter(|_| random.chance(80));
        let named = since.map_or(String::new(), |since| format!(",\"since\":\"{since}\""));
        match (client.members.contains_key(room), random.below(20)) {
            (false, _) if settled => (What::Join(since), named),
            (true, 0) if settled => (What::Leave, String::new()),
            (true, 1 | 2) => (What::Look(since), named),
            (true, 3..6) => {
                let key = random.below(KEYS);
                let data = format!("\"{} {key}\"", client.user);
                let more = format!(",\"data\":{data},\"idempotency_key\":\"{key}\"");
                (What::Publish { data, stored: true }, more)
            }
            (true, shape) => {
                let (data, stored) = (format!("{ids}"), shape > 7);
                (What::Publish { data: data.clone(), stored }, format!(",\"data\":{data},\"store\":{stored}"))
            }
            // It waits for its join.
            (false, _) => (What::Look(None), ",\"limit\":0".into()),
        }
    }

    /// The weather clears, and what was lost is found: everybody has everything, and no request is without an answer.
    fn rest(&mut self) -> Verdict {
        {
            let mut log = lock(&self.log);
            log.weather = Weather { delay_ms: 20, kept: log.weather.kept, ..Weather::default() };
        }
        for second in 0..30 {
            if second % 10 == 8 {
                lock(&self.log).check(self.now);
            }
            for _ in 0..4 {
                self.advance(250);
                (0..NODES).try_for_each(|node| self.turn(node))?;
            }
        }
        let log = lock(&self.log);
        for (number, client) in self.clients.iter().enumerate() {
            ensure!(client.asked.is_empty(), "client {number} still waits for {:?}", client.asked);
            for (room, at) in &client.members {
                let end = log.reach(room).map(|(end, _)| end);
                ensure!(Some(*at) == end, "client {number} is at {at} and the log at {end:?}");
            }
        }
        Ok(())
    }
}
