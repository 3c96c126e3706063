//! A schedule: shards, clients and the inboxes between them, one step after another in the order that a seed chooses.

use switchboard::room_key::RoomKeys;
use switchboard::shard::Shard;
use switchboard::time::Now;

use super::calls::{Cast, OpenStream};
use super::conn::{Conn, Memory, Tongue};
use super::node::{Node, Pace};
use super::office::Office;
use super::plan::{Plan, Role, USERS};
use super::plant::Plant;
use super::random::Random;
use super::socket::Socket;
use super::truth::{Truth, Verdict, ensure};

/// When a schedule begins.
const START: Now = Now { loop_ms: 1_000, wall_ms: 1_700_000_000_000, us: 1_000_000 };

/// Somebody who connects, again and again, and remembers how far they came.
pub struct Client {
    role: Role,
    user: Option<String>,
    memory: Memory,
    /// The number of its connection, while it has one.
    conn: Option<usize>,
    /// It does not read.
    asleep: bool,
}

pub struct World {
    pub plan: Plan,
    pub random: Random,
    pub now: Now,
    pub nodes: Vec<Node>,
    pub office: Office,
    pub clients: Vec<Client>,
    /// Connections, and their sockets, by number.
    pub conns: Vec<Conn>,
    pub sockets: Vec<Socket>,
    pub truth: Truth,
}

impl World {
    pub fn new(mut random: Random, plant: Plant) -> Self {
        let room_keys = RoomKeys::default();
        let plan = Plan::new(&mut random, plant, &room_keys);
        Self::with_plan(random, plan, room_keys)
    }

    pub fn with_plan(mut random: Random, plan: Plan, room_keys: RoomKeys) -> Self {
        let common = plan.common(room_keys);
        let now = START;
        let node = |me| {
            let engine = plan.engine(&mut random);
            Node::new(me, Shard::new(me as u16, common.clone(), engine, now))
        };
        let nodes = (0..plan.shards).map(node).collect();
        let client = |(index, &role): (usize, &Role)| {
            // Some share a name, some have none.
            let named = match role {
                Role::Native | Role::Stream => index % 3 < 2,
                Role::Raw { .. } => index % 2 == 0 && !plan.guarded,
                Role::Http => false,
            };
            let user = named.then(|| USERS[index % 2].to_owned());
            Client { role, user, memory: Memory::default(), conn: None, asleep: false }
        };
        let clients = plan.roles.iter().enumerate().map(client).collect();
        let office = Office::new(plan.shards, plan.plant, &mut random);
        let (conns, sockets, truth) = (Vec::new(), Vec::new(), Truth::new(now.wall_ms));
        Self { plan, random, now, nodes, office, clients, conns, sockets, truth }
    }

    /// Everything that happens before the end.
    pub fn run(&mut self) -> Verdict {
        for _ in 0..self.plan.steps {
            if self.random.is_spent() {
                break;
            }
            match self.random.below(20) {
                0..9 => self.turn(false)?,
                9..19 => self.act()?,
                _ if self.plan.jumps && self.random.chance(15) => self.jump(),
                _ => self.pass(5),
            }
        }
        Ok(())
    }

    /// Lets time pass.
    pub fn pass(&mut self, most_ms: usize) {
        let passed = self.random.below(most_ms + 1) as u64;
        self.advance(passed, passed);
    }

    /// Lets time pass on both clocks.
    pub fn advance(&mut self, loop_ms: u64, wall_ms: u64) {
        let Now { loop_ms: before_ms, wall_ms: wall_before_ms, us } = self.now;
        self.now =
            Now { loop_ms: before_ms + loop_ms, wall_ms: wall_before_ms + wall_ms, us: us + 1_000 * loop_ms };
        self.truth.now_ms = self.now.wall_ms;
    }

    /// The process was stopped, or somebody has set the clock: the loop is at most a second older.
    fn jump(&mut self) {
        let (loop_ms, hours) = (self.random.below(1001), self.random.below(6));
        self.truth.count("jump");
        self.advance(loop_ms as u64, (loop_ms + 3_600_000 * hours) as u64);
    }

    fn turn(&mut self, eager: bool) -> Verdict {
        let index = self.random.below(self.nodes.len());
        self.truth.trace(|| format!("turn {index} at {}", self.now.loop_ms));
        self.turn_of(index, eager)?;
        self.pass(3);
        Ok(())
    }

    /// One turn of one shard.
    pub fn turn_of(&mut self, index: usize, eager: bool) -> Verdict {
        let Self { nodes, office, sockets, plan, random, now, .. } = self;
        let node = &nodes[index];
        let all = eager || random.chance(60);
        let posts = office.take(index, all, random, |id| node.is_alive(id));
        let mut now = *now;
        if plan.plant == Plant::StillClock {
            now.wall_ms = START.wall_ms;
        }
        nodes[index].turn(sockets, (office, posts), plan, Pace { now, eager }, random)
    }

    /// A client does something.
    fn act(&mut self) -> Verdict {
        let client = self.random.below(self.clients.len());
        let Some(number) = self.clients[client].conn else { return self.connect(client) };
        match self.random.below(100) {
            0..48 if self.conns[number].is_open() => self.ask(number),
            _ if self.plan.slow && self.random.chance(8) => {
                self.clients[client].asleep = !self.clients[client].asleep;
                Ok(())
            }
            95.. if self.plan.cuts => self.cut(client, number),
            _ if self.clients[client].asleep => Ok(()),
            _ => {
                let waiting = self.sockets[number].to_client.len();
                let most = if self.random.chance(50) { waiting } else { self.random.below(waiting + 1) };
                self.read(client, number, most)
            }
        }
    }

    fn connect(&mut self, client: usize) -> Verdict {
        let Client { role, user, memory, .. } = &mut self.clients[client];
        let (role, user, memory) = (*role, user.clone(), std::mem::take(memory));
        let number = self.open(role, user, memory);
        self.clients[client].conn = Some(number);
        self.clients[client].asleep = false;
        Ok(())
    }

    /// Opens a connection to some shard; its number.
    pub fn open(&mut self, role: Role, user: Option<String>, memory: Memory) -> usize {
        let number = self.conns.len();
        let Self { truth, plan, random, .. } = self;
        let capacity = if plan.slow { 300 + random.below(1200) } else { usize::MAX };
        let (conn, first) = Conn::new(number, role, user, memory, truth, plan, random);
        let mut socket = Socket::new(capacity);
        socket.send(&first);
        self.conns.push(conn);
        self.sockets.push(socket);
        let node = self.random.below(self.nodes.len());
        self.nodes[node].arriving.push(number);
        number
    }

    fn ask(&mut self, number: usize) -> Verdict {
        let cast = self.cast();
        let Self { conns, truth, plan, random, .. } = self;
        let bytes = conns[number].ask(&cast, truth, plan, random);
        self.sockets[number].send(&bytes);
        Ok(())
    }

    /// Who is there, as far as clients know.
    pub fn cast(&self) -> Cast {
        let live = || self.conns.iter().filter(|conn| !conn.over);
        let stream = |conn: &Conn| {
            let Tongue::Stream(stream) = &conn.tongue else { return None };
            Some(OpenStream {
                conn: conn.id,
                name: stream.name.clone()?,
                user: stream.user.clone(),
                token: stream.pass.as_ref().map(|pass| pass.token.clone()),
                rooms: stream.feeds.iter().map(|feed| feed.room).collect(),
            })
        };
        Cast {
            names: live().filter_map(|conn| Some((conn.id, conn.name()?.clone()))).collect(),
            streams: live().filter_map(stream).collect(),
            welcomed: live().filter(|conn| conn.announced().is_some()).map(|conn| conn.id).collect(),
        }
    }

    /// Lets a client read.
    pub fn read(&mut self, client: usize, number: usize, most: usize) -> Verdict {
        let Self { conns, sockets, truth, plan, random, .. } = self;
        conns[number].read(most, &mut sockets[number], truth, plan, random)?;
        if conns[number].over {
            self.forget(client, number);
        }
        self.check_quota()
    }

    /// Never has a user more welcomed connections than it may have. Where the server closes some, clients hear of that
    /// later.
    fn check_quota(&self) -> Verdict {
        let (most, evicts) = self.plan.quota;
        if most == 0 || evicts || self.plan.kicks || self.plan.slow || self.plan.guarded {
            return Ok(());
        }
        let welcomed = |conn: &&Conn| conn.is_open() && conn.announced().is_some();
        for user in USERS {
            let there = self.conns.iter().filter(welcomed).filter(|conn| conn.user() == Some(user)).count();
            ensure!(there <= most, "{user} has {there} connections at once, not {most}");
        }
        Ok(())
    }

    /// A client from elsewhere comes; its connection's number.
    pub fn visit(&mut self, role: Role, user: Option<&str>) -> usize {
        let user = user.map(str::to_owned);
        let number = self.open(role, user.clone(), Memory::default());
        let memory = Memory::default();
        self.clients.push(Client { role, user, memory, conn: Some(number), asleep: false });
        number
    }

    /// The client has lost its connection, and keeps what it knows.
    pub fn forget(&mut self, client: usize, number: usize) {
        self.conns[number].over = true;
        self.clients[client].conn = None;
        self.clients[client].memory = self.conns[number].remember();
    }

    /// A connection ends from the client's side, in one of many ways.
    fn cut(&mut self, client: usize, number: usize) -> Verdict {
        let Self { conns, sockets, random, truth, .. } = self;
        let (conn, socket) = (&mut conns[number], &mut sockets[number]);
        truth.count("cut");
        truth.trace(|| format!("{number} is cut, {} unread", socket.to_server.len()));
        let sent = random.below(socket.to_server.len() + 1);
        match random.below(4) {
            0 => socket.reset(sent),
            1 => socket.finish(sent),
            _ if matches!(conn.tongue, Tongue::Stream(_)) => socket.finish(usize::MAX),
            _ if conn.is_http() => {
                // FIN right behind the requests: every one is answered.
                if !conn.done {
                    conn.done = true;
                    socket.finish(usize::MAX);
                }
                return Ok(());
            }
            2 if !conn.done => {
                conn.close(1000, random, socket);
                return Ok(());
            }
            _ => {
                if !conn.done {
                    conn.close(1000, random, socket);
                }
                socket.finish(usize::MAX);
            }
        }
        self.forget(client, number);
        Ok(())
    }

    /// The connections that clients have, with their clients.
    pub fn live(&self) -> Vec<(usize, usize)> {
        let live = |(client, this): (usize, &Client)| this.conn.map(|conn| (client, conn));
        self.clients.iter().enumerate().filter_map(live).collect()
    }
}
