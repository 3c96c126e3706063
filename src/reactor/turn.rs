//! The turn, which a reactor repeats.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Poll, Token};

use super::budget::{Budget, Share};
use super::clock::Clock;
use super::gates::Gates;
use super::inbox::{Inbox, Letter, Open};
use super::listener::Listener;
use super::process::Process;
use super::socket::{Input, Sockets, Writer};
use crate::engine::{Engine, local::Local};
use crate::id::ShardId;
use crate::shard::{Common, Shard};
use crate::time::{Now, Tick};

/// Connections that one listener accepts in one turn.
const ACCEPTS: usize = 64;

/// Bytes read from one session in one turn. All sessions share the one buffer.
const READ: usize = 64 * 1024;

/// Tokens from here on are not sessions. The slab of sessions stays far below.
const INBOX: Token = Token(usize::MAX - 1);
const LISTENERS: usize = usize::MAX / 2;

/// One thread's loop, with its sockets, its shard and the inboxes of the other shards.
pub struct Reactor {
    me: ShardId,
    poll: Poll,
    events: Events,
    inbox: Inbox,
    peers: Vec<Inbox>,
    gates: Gates,
    sockets: Sockets,
    shard: Shard,
    clock: Clock,
    process: Process,
    common: Arc<Common>,
    /// When this turn began, or the last one.
    began: Now,
    /// When the last turn ended.
    ended: Now,
    buffer: Vec<u8>,
    /// Letters that were taken from the inbox and are not carried out yet, in order.
    letters: VecDeque<Letter>,
    /// The time that this turn has left for them.
    hearing: Share,
    ready: Vec<u32>,
    stopped: bool,
}

impl Reactor {
    /// A reactor that has its descriptors but does not run yet.
    ///
    /// # Errors
    ///
    /// If the system has no descriptor left for it.
    pub fn new(me: ShardId, common: Arc<Common>, listeners: Vec<Listener>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let inbox = Inbox::new(poll.registry(), INBOX, usize::from(me), common.clone())?;
        let gates = Gates::new(me, poll.registry(), LISTENERS, listeners)?;
        let mut clock = Clock::new();
        let ended = clock.read();
        let mut shard = Shard::new(me, common.clone(), Engine::Local(Local::default()), ended);
        shard.wake_by(inbox.waker());
        Ok(Self {
            me,
            poll,
            events: Events::with_capacity(1024),
            inbox,
            peers: Vec::new(),
            gates,
            sockets: Sockets::default(),
            shard,
            clock,
            process: Process::default(),
            common,
            began: ended,
            ended,
            buffer: vec![0; READ],
            letters: VecDeque::new(),
            hearing: Share::new(),
            ready: Vec::new(),
            stopped: false,
        })
    }

    /// The inbox in which others put letters for it.
    pub fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    /// Runs until it is told to stop, or has drained. `peers` are the inboxes of all shards, this one's included.
    ///
    /// # Errors
    ///
    /// If the system's poll fails, which only a fault of the program can cause.
    pub fn run(mut self, peers: Vec<Inbox>) -> io::Result<()> {
        self.peers = peers;
        while !self.stopped && !self.shard.is_drained() {
            self.turn()?;
        }
        Ok(())
    }

    fn turn(&mut self) -> io::Result<()> {
        self.wait()?;
        self.gather();
        self.decide();
        self.hand();
        self.flush();
        self.reap();
        self.end();
        Ok(())
    }

    /// Waits for something to do.
    fn wait(&mut self) -> io::Result<()> {
        let timeout = if self.has_work() { Some(Duration::ZERO) } else { self.patience() };
        self.clock.sleep(timeout);
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    fn has_work(&self) -> bool {
        let unheard = !self.letters.is_empty();
        unheard || self.sockets.has_ready() || self.shard.has_work() || self.gates.has_work()
    }

    /// How long there is nothing to do.
    fn patience(&mut self) -> Option<Duration> {
        let now = self.ended;
        let wait_ms = |Tick(tick)| (u64::from(tick) * Tick::MS).saturating_sub(now.loop_ms);
        let tick = self.shard.next_tick().map(|tick| Duration::from_millis(wait_ms(tick)));
        let rest = self.gates.rests_until().map(|until| until.saturating_duration_since(Instant::now()));
        let engine =
            self.shard.engine_wakes_at().map(|at| Duration::from_millis(at.saturating_sub(now.loop_ms)));
        [tick, rest, engine].into_iter().flatten().min()
    }

    /// Notes the kernel's events, and accepts new connections.
    fn gather(&mut self) {
        let now = self.clock.read();
        self.began = now;
        self.process.look(&self.common, now.wall_ms / 1_000);
        self.shard.begin(now);
        for event in &self.events {
            match event.token() {
                INBOX => {}
                Token(token) if token >= LISTENERS => self.gates.knocked(token - LISTENERS),
                Token(key) => {
                    let key = key as u32;
                    if event.is_writable() {
                        self.shard.writable(key);
                    }
                    if event.is_readable() || event.is_read_closed() || event.is_error() {
                        self.sockets.readable(key, event.is_read_closed() || event.is_error());
                    }
                }
            }
        }
        for index in 0..self.gates.len() {
            self.admit(index);
        }
    }

    /// Accepts from one listener.
    fn admit(&mut self, index: usize) {
        for _ in 0..ACCEPTS {
            match self.gates.accept(index, self.peers.len()) {
                Ok(Some((shard, stream, peer))) if shard == usize::from(self.me) => {
                    self.take_in(stream, peer)
                }
                Ok(Some((shard, stream, peer))) => {
                    // A reactor that has ended takes no connections: the server ends, and the connection with it.
                    self.peers[shard].put([Letter::Connection(stream, peer)]);
                }
                Ok(None) => return,
                Err(error) => return self.exhausted(index, &error),
            }
        }
    }

    /// Makes a session of a connection.
    fn take_in(&mut self, stream: TcpStream, peer: IpAddr) {
        let key = self.shard.accept(peer);
        if let Err(error) = self.sockets.insert(self.poll.registry(), key, stream) {
            self.gates.complain(&error, self.shard.sessions());
            self.make_room();
            self.shard.fail(key);
        }
    }

    /// No descriptor is left for a connection that waits at a listener.
    fn exhausted(&mut self, index: usize, error: &io::Error) {
        self.gates.complain(error, self.shard.sessions());
        self.make_room();
        if self.gates.is_alone(index) {
            let others = self.peers.iter().enumerate().filter(|(other, _)| *other != usize::from(self.me));
            for (_, peer) in others {
                peer.put([Letter::Exhausted]);
            }
        }
    }

    /// A waiting connection may need the place more than an idle one.
    fn make_room(&mut self) {
        self.shard.close_idle(ACCEPTS);
    }

    /// Reads, takes the posts of other shards, and only then checks deadlines, so that a pong which waited in its socket
    /// counts. While there are more posts than a turn has time for, no session is read: a client's request may follow
    /// from one of them.
    fn decide(&mut self) {
        self.hearing = Share::new();
        if self.letters.is_empty() || self.hear() {
            self.read_ready();
            if self.letters.is_empty() && self.hear() {
                self.go_on();
            }
        }
        self.shard.tick();
    }

    /// Goes on with sessions that have sent more than was taken.
    fn go_on(&mut self) {
        let mut share = Share::new();
        while let Some(key) = self.shard.next_resumed() {
            share.begin();
            self.sockets.list(key);
            if share.is_spent(READ) {
                self.shard.rest();
            }
        }
    }

    /// Carries out what others have posted, in order, as long as this turn has time for it. Returns whether that was all.
    fn hear(&mut self) -> bool {
        loop {
            while let Some(letter) = self.letters.pop_front() {
                self.hearing.begin();
                match letter {
                    Letter::Post(post) => self.shard.take_all([post]),
                    Letter::Connection(stream, peer) => self.take_in(stream, peer),
                    Letter::Exhausted => self.make_room(),
                    Letter::Drain(length) => self.shard.drain(length),
                    Letter::Stop => self.stopped = true,
                }
                if self.hearing.is_spent(0) && !self.letters.is_empty() {
                    self.inbox.owe(&self.letters);
                    return false;
                }
            }
            if !self.inbox.has_letters() {
                return true;
            }
            let mut letters = Vec::from(std::mem::take(&mut self.letters));
            self.inbox.take(&mut letters);
            self.letters = letters.into();
        }
    }

    fn read_ready(&mut self) {
        let mut ready = std::mem::take(&mut self.ready);
        self.sockets.take_ready(&mut ready);
        let mut reading = Share::new();
        let mut keys = ready.drain(..);
        for key in keys.by_ref() {
            if self.shard.wants_read(key) {
                reading.begin();
                if reading.is_spent(self.read(key)) || !self.letters.is_empty() {
                    break;
                }
            }
        }
        self.sockets.put_back(keys);
        self.ready = ready;
    }

    /// Reads from session `key` once; returns how many bytes.
    fn read(&mut self, key: u32) -> usize {
        match self.sockets.read(key, &mut self.buffer) {
            Input::Bytes(n, more) => {
                // A client's request may follow from what another shard told its users. That shard posted before it told
                // them.
                if self.inbox.has_letters() && !self.hear() {
                    self.shard.put_off(key, &self.buffer[..n]);
                } else {
                    self.shard.receive(key, &mut self.buffer[..n]);
                }
                if more {
                    self.sockets.list(key);
                }
                return n;
            }
            Input::Nothing => {}
            Input::Eof => self.shard.hang_up(key),
            Input::Broken => self.shard.fail(key),
        }
        0
    }

    /// Hands over posts to other shards, before the writes, so that they can begin.
    fn hand(&mut self) {
        // All inboxes are open before the first is shut. So what one shard does with its posts comes after the posts of
        // the same turn to the others: for example, a user is removed after the message that was answered.
        let mut opened = Vec::new();
        for (other, peer) in self.peers.iter().enumerate() {
            let posts = self.shard.outgoing(other as ShardId);
            if !posts.is_empty() && other != usize::from(self.me) {
                let mut open = peer.open();
                open.put(posts.drain(..).map(Letter::Post));
                opened.push(open);
            }
        }
        opened.into_iter().for_each(Open::shut);
        self.shard.answer_questions();
    }

    fn flush(&mut self) {
        self.shard.flush(&mut Writer { sockets: &mut self.sockets, budget: Budget::new() });
    }

    fn reap(&mut self) {
        let sockets = &mut self.sockets;
        self.shard.reap(|key| sockets.remove(key));
    }

    /// Reads the clock for the second and last time in a turn.
    fn end(&mut self) {
        self.ended = self.clock.read_again(self.began);
        self.shard.end_turn(self.ended.us);
    }
}

impl Drop for Reactor {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

#[cfg(test)]
mod tests;
