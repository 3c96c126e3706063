//! Publishes over the HTTP API, with keep-alive, pipelining and batches, to members on WebSocket or event streams.
//!
//! Connections `0..rooms * members` are the members; the HTTP publishers have the numbers after them.

use serde::Deserialize;

use super::Scenario;
use super::pace::{Drive, Pace};
use crate::clock::Nanos;
use crate::dialect::{Dialect, Said, fill};
use crate::meter::Meter;
use crate::net::{End, Listener, Net};
use crate::order::{Log, Order, Seen};
use crate::outcome::Fact;
use crate::payload::{Payloads, Stamp};
use crate::wire::Heard;
use crate::wire::request::{Kind, Opening, post};

/// What is published to whom.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) rooms: usize,
    pub(crate) members: usize,
    /// HTTP connections. Each publishes into one room; the rooms are assigned to them in turn.
    pub(crate) publishers: usize,
    /// The window counts requests.
    pub(crate) drive: Drive,
    pub(crate) size: usize,
    /// Messages of one request; with more than one they go to the batch call.
    pub(crate) batch: usize,
    /// The path of the call: with `{room}`, or that of the batch.
    pub(crate) call: String,
    /// The path of an event stream, if members use one.
    pub(crate) stream: Option<String>,
}

/// Rooms whose messages come from outside.
pub(crate) struct Publish {
    shape: Shape,
    dialect: Box<dyn Dialect>,
    payloads: Payloads,
    members: usize,
    joined: Vec<bool>,
    ready: usize,
    logs: Vec<Log>,
    publishers: Vec<Publisher>,
    pace: Option<Pace>,
    ended: bool,
    responses: u64,
    meter: Meter,
    payload: Vec<u8>,
    body: Vec<u8>,
}

/// The progress of a publisher's messages: sent, answered, and seen by every member.
#[derive(Clone, Copy, Default)]
struct Publisher {
    sent: u64,
    answered: u64,
    seen: u64,
}

/// The answer to a batch.
#[derive(Deserialize)]
struct Results<'a> {
    #[serde(borrow)]
    results: Vec<Answer<'a>>,
}

/// The answer to one message.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    position: Option<&'a str>,
}

impl Publish {
    pub(crate) fn new(shape: Shape, dialect: Box<dyn Dialect>) -> Publish {
        let members = shape.rooms * shape.members;
        let in_room = |room: usize| (shape.publishers + shape.rooms - 1 - room) / shape.rooms;
        let logs = (0..shape.rooms).map(|room| Log::new(Order::Room, in_room(room), shape.members)).collect();
        Publish {
            dialect,
            payloads: Payloads::new(shape.size),
            members,
            joined: vec![false; members + shape.publishers],
            ready: 0,
            logs,
            publishers: vec![Publisher::default(); shape.publishers],
            pace: None,
            ended: false,
            responses: 0,
            meter: Meter::new(),
            payload: Vec::new(),
            body: Vec::new(),
            shape,
        }
    }

    fn room_of(&self, n: usize) -> usize {
        match n.checked_sub(self.members) {
            Some(publisher) => publisher % self.shape.rooms,
            None => n / self.shape.members,
        }
    }

    /// Sends one request of a publisher, with as many messages as a batch has.
    fn request(&mut self, net: &mut Net, publisher: usize, intended: Nanos) {
        let room = room_name(publisher % self.shape.rooms);
        self.body.clear();
        if self.shape.batch > 1 {
            self.body.extend_from_slice(b"{\"messages\":[");
        }
        for at in 0..self.shape.batch {
            let sequence = self.publishers[publisher].sent;
            self.publishers[publisher].sent += 1;
            self.payloads
                .write(Stamp { publisher: publisher as u32, sequence, sent: intended }, &mut self.payload);
            self.message(at, &room);
            self.meter.published(intended, net.now());
        }
        if self.shape.batch > 1 {
            self.body.extend_from_slice(b"]}");
        }
        let (target, body) = (fill(&self.shape.call, &room), &self.body);
        net.send_bytes(self.members + publisher, |host, out| post(&target, host, "", body, out));
    }

    fn message(&mut self, at: usize, room: &str) {
        let before = if at > 0 { "," } else { "" };
        let name = if self.shape.batch > 1 { format!("\"room\":\"{room}\",") } else { String::new() };
        self.body.extend_from_slice(format!("{before}{{{name}\"data\":\"").as_bytes());
        self.body.extend_from_slice(&self.payload);
        self.body.extend_from_slice(b"\"}");
    }

    /// Sends as much as the window allows. A request is done when it is answered and all its messages are seen.
    fn go_on(&mut self, net: &mut Net, publisher: usize, now: Nanos) {
        let Drive::Window(window) = self.shape.drive else {
            return;
        };
        let batch = self.shape.batch as u64;
        loop {
            let Publisher { sent, answered, seen } = self.publishers[publisher];
            if self.ended || sent + batch > answered.min(seen) + u64::from(window) * batch {
                return;
            }
            self.request(net, publisher, now);
        }
    }

    fn answered(&mut self, publisher: usize, status: u16, body: &[u8]) -> Result<(), String> {
        let text = || String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        if status != 200 {
            return Err(format!("a publish is answered with {status} {}", text()));
        }
        let positions = if self.shape.batch > 1 {
            serde_json::from_slice(body).map(|Results { results }| results)
        } else {
            serde_json::from_slice(body).map(|answer| vec![answer])
        };
        let positions =
            positions.map_err(|error| format!("an answer that is not the API's: {error}: {}", text()))?;
        if positions.len() != self.shape.batch || positions.iter().any(|answer| answer.position.is_none()) {
            return Err(format!("an answer without a position for each message: {}", text()));
        }
        self.responses += 1;
        self.publishers[publisher].answered += self.shape.batch as u64;
        Ok(())
    }

    /// A member gets the JSON of a message, or learns that it has joined.
    fn read(&mut self, net: &mut Net, n: usize, message: &[u8], now: Nanos) -> Result<(), String> {
        let payload = match self.dialect.read(message)? {
            Said::Nothing => return Ok(()),
            Said::Joined => {
                self.join(n);
                return Ok(());
            }
            Said::Message(payload) => payload,
        };
        let stamp = self.payloads.check(payload)?;
        let (publisher, room) = (stamp.publisher as usize, self.room_of(n));
        if publisher % self.shape.rooms != room {
            return Err(format!("a message of room {} in room {room}", publisher % self.shape.rooms));
        }
        let within = publisher / self.shape.rooms;
        let seen = self.logs[room].see(n % self.shape.members, within, stamp)?;
        self.meter.delivered(stamp.sent, now);
        if seen == Seen::ByAll {
            self.publishers[publisher].seen += 1;
            self.go_on(net, publisher, now);
        }
        Ok(())
    }

    fn join(&mut self, n: usize) {
        if !std::mem::replace(&mut self.joined[n], true) {
            self.ready += 1;
        }
    }
}

fn room_name(room: usize) -> String {
    format!("load-{room}")
}

impl Listener for Publish {
    fn opened(&mut self, net: &mut Net, n: usize) {
        let room = room_name(self.room_of(n));
        let is_stream = self.shape.stream.is_some();
        if n >= self.members || (!is_stream && self.dialect.greet(net, n, &room)) {
            self.join(n);
        }
    }

    fn heard(&mut self, net: &mut Net, n: usize, heard: &Heard<'_>, now: Nanos) {
        let result = match heard {
            Heard::Response { status, body } => {
                let publisher = n - self.members;
                let result = self.answered(publisher, *status, body);
                self.go_on(net, publisher, now);
                result
            }
            Heard::Message { payload, .. } => self.read(net, n, payload, now),
            Heard::Event { name: "close", data, .. } => Err(format!("the stream ends with {data}")),
            Heard::Event { data, .. } => self.read(net, n, data.as_bytes(), now),
            _ => Ok(()),
        };
        if let Err(what) = result {
            self.meter.fail(format!("connection {n}: {what}"));
        }
    }

    fn ended(&mut self, _: &mut Net, n: usize, end: End) {
        self.meter.fail(format!("connection {n} is over: {end}"));
    }
}

impl Scenario for Publish {
    fn connections(&self) -> usize {
        self.joined.len()
    }

    fn opening(&self, n: usize) -> Opening {
        let room = room_name(self.room_of(n));
        match &self.shape.stream {
            _ if n >= self.members => Opening::new(Kind::Http, String::new()),
            Some(template) => Opening::new(Kind::EventStream, fill(template, &room)),
            None => self.dialect.opening(&room),
        }
    }

    fn is_ready(&self) -> bool {
        self.ready == self.joined.len()
    }

    fn begin(&mut self, net: &mut Net) {
        let now = net.now();
        if let Drive::Rate(rate) = self.shape.drive {
            self.pace = Some(Pace::new(now, rate, self.publishers.len()));
        }
        (0..self.publishers.len()).for_each(|publisher| self.go_on(net, publisher, now));
    }

    fn tick(&mut self, net: &mut Net, now: Nanos) -> Option<Nanos> {
        let mut pace = self.pace.take()?;
        while let Some((publisher, intended)) = pace.due(now) {
            self.request(net, publisher, intended);
        }
        let next = pace.next();
        self.pace = Some(pace);
        Some(next)
    }

    fn end(&mut self) {
        self.ended = true;
        self.pace = None;
    }

    fn missing(&self) -> usize {
        let missing = |publisher: &Publisher| publisher.sent - publisher.answered.min(publisher.seen);
        self.publishers.iter().map(missing).sum::<u64>() as usize
    }

    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }

    fn facts(&self) -> Vec<Fact> {
        vec![Fact::new("requests answered, warm-up included", self.responses as f64, "")]
    }
}
