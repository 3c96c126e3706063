//! People in rooms, by a seeded script: joins, leaves, typing and messages, all at once.

use fastrand::Rng;

use super::Scenario;
use super::pace::Pace;
use crate::clock::Nanos;
use crate::dialect::native::{self, Frame};
use crate::meter::Meter;
use crate::net::{End, Listener, Net};
use crate::outcome::Fact;
use crate::payload::{Payloads, Stamp};
use crate::wire::Heard;
use crate::wire::request::{Kind, Opening};

mod room;
mod seat;

use room::Room;
use seat::{Seat, State};

/// What the chat is like.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) users: usize,
    pub(crate) rooms: usize,
    /// Rooms of a user at the beginning; never less than one, never more than twice as many.
    pub(crate) seats: usize,
    /// Actions a second of all users together.
    pub(crate) rate: f64,
    /// Percent of the actions that are typing.
    pub(crate) typing: u8,
    /// Percent of the actions that are joins and leaves. The rest are messages.
    pub(crate) moving: u8,
    pub(crate) size: usize,
    pub(crate) seed: u64,
    /// The path of the native dialect, without a room.
    pub(crate) path: String,
}

pub(crate) struct Chat {
    shape: Shape,
    rng: Rng,
    payloads: Payloads,
    users: Vec<User>,
    rooms: Vec<Room>,
    /// Joins without an answer at the beginning.
    waiting: usize,
    pace: Option<Pace>,
    counts: Counts,
    meter: Meter,
    buffer: Vec<u8>,
}

#[derive(Default)]
struct User {
    seats: Vec<Seat>,
    /// The sequence of the next message.
    next: u64,
}

/// Counts of everything else than messages.
#[derive(Default)]
struct Counts {
    joins: u64,
    leaves: u64,
    typing_sent: u64,
    typing_heard: u64,
    presence: u64,
}

/// What a user does next.
enum Action {
    Publish,
    Typing,
    Join,
    Leave,
}

impl Shape {
    fn draw(&self, rng: &mut Rng) -> Action {
        match rng.u8(0..100) {
            at if at < self.typing => Action::Typing,
            at if at < self.typing + self.moving => {
                if rng.bool() {
                    Action::Join
                } else {
                    Action::Leave
                }
            }
            _ => Action::Publish,
        }
    }
}

impl Chat {
    pub(crate) fn new(shape: Shape) -> Chat {
        let mut rng = Rng::with_seed(shape.seed);
        let seats = shape.seats.clamp(1, shape.rooms);
        let user = |_| User {
            seats: rng.choose_multiple(0..shape.rooms, seats).into_iter().map(Seat::new).collect(),
            next: 0,
        };
        let users: Vec<User> = (0..shape.users).map(user).collect();
        Chat {
            rng,
            payloads: Payloads::new(shape.size),
            waiting: shape.users * seats,
            users,
            rooms: (0..shape.rooms).map(|_| Room::default()).collect(),
            pace: None,
            counts: Counts::default(),
            meter: Meter::new(),
            buffer: Vec::new(),
            shape,
        }
    }

    /// One user does one thing, if it is possible at this moment.
    fn act(&mut self, net: &mut Net, n: usize, intended: Nanos) {
        let seats = self.users[n].seats.len();
        match self.shape.draw(&mut self.rng) {
            Action::Join if seats < 2 * self.shape.seats => {
                let room = self.rng.usize(0..self.shape.rooms);
                if !self.users[n].seats.iter().any(|seat| seat.room == room) {
                    self.users[n].seats.push(Seat::new(room));
                    self.join(net, n, room);
                }
            }
            Action::Join => {}
            action => {
                let at = self.rng.usize(0..seats.max(1));
                if self.users[n].seats.get(at).is_some_and(|seat| seat.state == State::Joined) {
                    self.act_in(net, n, at, &action, intended);
                }
            }
        }
    }

    fn act_in(&mut self, net: &mut Net, n: usize, at: usize, action: &Action, intended: Nanos) {
        let room = self.users[n].seats[at].room;
        match action {
            Action::Publish => self.publish(net, n, at, intended),
            Action::Typing => {
                self.counts.typing_sent += 1;
                net.send(n, true, format!(r#"{{"type":"typing","room":"{}"}}"#, name(room)).as_bytes());
            }
            Action::Leave if self.users[n].seats.len() > 1 => {
                self.users[n].seats[at].state = State::Leaving;
                net.send(n, true, format!(r#"{{"type":"leave","room":"{}","id":1}}"#, name(room)).as_bytes());
            }
            Action::Leave | Action::Join => {}
        }
    }

    fn publish(&mut self, net: &mut Net, n: usize, at: usize, intended: Nanos) {
        let user = &mut self.users[n];
        let stamp = Stamp { publisher: n as u32, sequence: user.next, sent: intended };
        user.next += 1;
        user.seats[at].own.push_back(stamp.sequence);
        let mut payload = Vec::with_capacity(self.shape.size);
        self.payloads.write(stamp, &mut payload);
        self.buffer.clear();
        native::publish(&name(user.seats[at].room), &payload, &mut self.buffer);
        net.send(n, true, &self.buffer);
        self.meter.published(intended, net.now());
    }

    fn join(&mut self, net: &mut Net, n: usize, room: usize) {
        self.counts.joins += 1;
        net.send(n, true, format!(r#"{{"type":"join","room":"{}"}}"#, name(room)).as_bytes());
    }

    fn read(&mut self, n: usize, message: &[u8], now: Nanos) -> Result<(), String> {
        let frame = Frame::read(message)?;
        match frame.kind {
            "typing" => self.counts.typing_heard += 1,
            "user_joined" | "user_left" | "count" => self.counts.presence += 1,
            "joined" => {
                self.seat(n, &frame)?.joined(&frame)?;
                self.waiting = self.waiting.saturating_sub(1);
            }
            "left" => {
                self.seat(n, &frame)?.left()?;
                self.counts.leaves += 1;
                self.users[n].seats.retain(|seat| seat.state != State::Left);
            }
            "message" => self.message(n, &frame, now)?,
            _ => {}
        }
        Ok(())
    }

    fn message(&mut self, n: usize, frame: &Frame<'_>, now: Nanos) -> Result<(), String> {
        let payload = frame.payload().ok_or("a message without the data that was published")?;
        let stamp = self.payloads.check(payload)?;
        let seat = self.seat(n, frame)?;
        seat.see(frame, (stamp.publisher as usize == n).then_some(stamp.sequence))?;
        let room = seat.room;
        self.rooms[room].see(frame, stamp)?;
        self.meter.delivered(stamp.sent, now);
        Ok(())
    }

    /// The user's seat in the frame's room.
    fn seat(&mut self, n: usize, frame: &Frame<'_>) -> Result<&mut Seat, String> {
        let room = frame.room.and_then(|room| room.strip_prefix("chat-")?.parse::<usize>().ok());
        let seat = self.users[n].seats.iter_mut().find(|seat| Some(seat.room) == room);
        seat.ok_or_else(|| format!("{} of room {:?}, where this user is not", frame.kind, frame.room))
    }
}

fn name(room: usize) -> String {
    format!("chat-{room}")
}

impl Listener for Chat {
    fn opened(&mut self, net: &mut Net, n: usize) {
        let rooms: Vec<usize> = self.users[n].seats.iter().map(|seat| seat.room).collect();
        rooms.into_iter().for_each(|room| self.join(net, n, room));
    }

    fn heard(&mut self, _: &mut Net, n: usize, heard: &Heard<'_>, now: Nanos) {
        let Heard::Message { payload, .. } = heard else {
            return;
        };
        if let Err(what) = self.read(n, payload, now) {
            self.meter.fail(format!("user {n}: {what}"));
        }
    }

    fn ended(&mut self, _: &mut Net, n: usize, end: End) {
        self.meter.fail(format!("user {n}: the connection is over: {end}"));
    }
}

impl Scenario for Chat {
    fn connections(&self) -> usize {
        self.users.len()
    }

    fn opening(&self, n: usize) -> Opening {
        let target = format!("{}?user=user-{n}", self.shape.path);
        Opening::new(Kind::WebSocket { protocol: Some("switchboard.v1") }, target)
    }

    fn is_ready(&self) -> bool {
        self.waiting == 0
    }

    fn begin(&mut self, net: &mut Net) {
        let each = self.shape.rate / self.shape.users as f64;
        self.pace = Some(Pace::new(net.now(), each, self.shape.users));
    }

    fn tick(&mut self, net: &mut Net, now: Nanos) -> Option<Nanos> {
        let mut pace = self.pace.take()?;
        while let Some((_, intended)) = pace.due(now) {
            let n = self.rng.usize(0..self.users.len());
            self.act(net, n, intended);
        }
        let next = pace.next();
        self.pace = Some(pace);
        Some(next)
    }

    fn end(&mut self) {
        self.pace = None;
    }

    fn missing(&self) -> usize {
        self.users.iter().flat_map(|user| &user.seats).map(Seat::missing).sum()
    }

    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }

    fn facts(&self) -> Vec<Fact> {
        let Counts { joins, leaves, typing_sent, typing_heard, presence } = self.counts;
        vec![
            Fact::new("joins", joins as f64, ""),
            Fact::new("leaves", leaves as f64, ""),
            Fact::new("typing sent", typing_sent as f64, ""),
            Fact::new("typing heard", typing_heard as f64, ""),
            Fact::new("presence heard", presence as f64, ""),
        ]
    }
}
