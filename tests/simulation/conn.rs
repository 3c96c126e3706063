//! One connection as its client sees it: the handshake, what it speaks, and how it ends.

use std::collections::BTreeMap;

use switchboard::position::Position;
use switchboard::room_key::Space;

use super::calls::Cast;
use super::farewell::Closing;
use super::feed::Resume;
use super::http::{Http, Retry};
use super::native::Native;
use super::plan::{Plan, Role};
use super::random::Random;
use super::raw::Raw;
use super::socket::Socket;
use super::stream::Stream;
use super::truth::ensure;
use super::truth::{Truth, Verdict};
use super::wire::{self, Input};

/// What a client keeps from one connection to the next.
#[derive(Default)]
pub struct Memory {
    /// The newest place that it knows of each room.
    pub known: BTreeMap<usize, Position>,
    /// What was said under a key and not answered.
    pub retries: Vec<usize>,
    /// Calls likewise.
    pub calls: Vec<Retry>,
    pub stream: Resume,
}

/// What a connection speaks.
pub enum Tongue {
    Native(Native),
    Stream(Stream),
    Raw(Raw),
    Http(Http),
}

/// One connection.
pub struct Conn {
    pub id: usize,
    pub tongue: Tongue,
    pub input: Input,
    upgraded: bool,
    /// The client has sent its close frame, or nothing more will follow its requests.
    pub done: bool,
    /// The server's close frame has come.
    pub closed: Option<u16>,
    /// The client has no more interest, or there is nothing more.
    pub over: bool,
}

impl Conn {
    /// A connection, and what it sends first.
    pub fn new(
        id: usize,
        role: Role,
        user: Option<String>,
        memory: Memory,
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> (Self, Vec<u8>) {
        let (tongue, first) = match role {
            Role::Native => {
                let mut native = Native::new(id, user, memory, truth, plan);
                let target = native.target(truth, plan, random);
                (Tongue::Native(native), wire::upgrade(&target))
            }
            Role::Stream => {
                let (stream, request) = Stream::new(id, user, memory, truth, plan, random);
                (Tongue::Stream(stream), request)
            }
            Role::Raw { echo } => {
                let raws: Vec<_> =
                    (0..plan.rooms.len()).filter(|&room| plan.rooms[room].space == Space::Raw).collect();
                let raw = Raw::new(id, *random.one(&raws), echo, user, truth);
                let target = raw.target(plan);
                (Tongue::Raw(raw), wire::upgrade(&target))
            }
            Role::Http => (Tongue::Http(Http::new(id, memory)), Vec::new()),
        };
        let upgraded = role == Role::Http;
        (
            Self { id, tongue, input: Input::default(), upgraded, done: false, closed: None, over: false },
            first,
        )
    }

    pub fn is_http(&self) -> bool {
        matches!(self.tongue, Tongue::Http(_))
    }

    /// What a later connection of the same client is to know.
    pub fn remember(&mut self) -> Memory {
        match &mut self.tongue {
            Tongue::Native(native) => native.remember(),
            Tongue::Stream(stream) => stream.remember(),
            Tongue::Http(http) => http.remember(),
            Tongue::Raw(_) => Memory::default(),
        }
    }

    /// Whether it can ask for something.
    pub fn is_open(&self) -> bool {
        !self.over && !self.done && self.closed.is_none()
    }

    /// Makes up something to send.
    pub fn ask(&mut self, cast: &Cast, truth: &mut Truth, plan: &Plan, random: &mut Random) -> Vec<u8> {
        match &mut self.tongue {
            Tongue::Native(native) => native.ask(truth, plan, random),
            Tongue::Raw(raw) => raw.ask(truth, plan, random),
            Tongue::Http(http) => http.ask(cast, truth, plan, random),
            Tongue::Stream(_) => Vec::new(),
        }
    }

    /// Sends a close frame.
    pub fn close(&mut self, code: u16, random: &mut Random, socket: &mut Socket) {
        let mut out = Vec::new();
        wire::frame(0x80 | wire::CLOSE, &code.to_be_bytes(), random, &mut out);
        socket.send(&out);
        self.done = true;
    }

    /// Reads at most `most` bytes, judges what they complete, and answers pings and closes.
    pub fn read(
        &mut self,
        most: usize,
        socket: &mut Socket,
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> Verdict {
        self.input.push(&socket.read(most));
        if !self.upgraded
            && let Some((status, body)) = self.input.answer()?
        {
            let stream = matches!(self.tongue, Tongue::Stream(_));
            if stream && plan.guarded && status == 401 {
                // The token had ended by then.
                self.closed = Some(1008);
                self.done = true;
                socket.finish(usize::MAX);
            } else {
                let expected = if stream { 200 } else { 101 };
                ensure!(status == expected, "{status}: {}", String::from_utf8_lossy(&body));
                self.upgraded = true;
            }
        }
        if let Tongue::Http(http) = &mut self.tongue {
            while let Some((status, body)) = self.input.answer()? {
                http.hear(status, &body, truth, plan)?;
            }
        } else if let (Tongue::Stream(_), true) = (&self.tongue, self.upgraded) {
            while let Some(block) = self.input.event()? {
                ensure!(self.closed.is_none(), "an event behind a close: {block:?}");
                if block.event == "close" {
                    let close: Closing =
                        serde_json::from_slice(&block.data).map_err(|error| error.to_string())?;
                    self.closing(close.code, &close.reason, truth, plan)?;
                } else if let Tongue::Stream(stream) = &mut self.tongue {
                    stream.hear(&block, truth, plan)?;
                }
            }
        } else if self.upgraded {
            while let Some((opcode, payload)) = self.input.frame()? {
                self.hear(opcode, &payload, socket, truth, plan, random)?;
            }
        }
        if socket.to_client.is_empty() && (socket.server_finished || socket.closed) {
            self.ended(socket, plan)?;
        }
        Ok(())
    }

    fn hear(
        &mut self,
        opcode: u8,
        payload: &[u8],
        socket: &mut Socket,
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> Verdict {
        truth.trace(|| format!("{} hears {opcode} {}", self.id, String::from_utf8_lossy(payload)));
        ensure!(self.closed.is_none(), "frame {opcode} behind a close");
        match (opcode, &mut self.tongue) {
            (wire::PING, _) => {
                let mut out = Vec::new();
                wire::frame(0x80 | wire::PONG, payload, random, &mut out);
                if !self.done {
                    socket.send(&out);
                }
                Ok(())
            }
            (wire::PONG, _) => {
                ensure!(payload == b"?", "a pong of {payload:?}");
                Ok(())
            }
            (wire::CLOSE, _) => self.hear_close(payload, socket, truth, plan, random),
            (wire::TEXT, Tongue::Native(native)) => native.hear(payload, truth, plan),
            (_, Tongue::Raw(raw)) => raw.hear(opcode, payload, truth, plan),
            _ => Err(format!("frame {opcode}")),
        }
    }

    /// Whether an answer is due.
    pub fn waits(&self) -> bool {
        match &self.tongue {
            Tongue::Native(native) => native.waits(),
            Tongue::Stream(stream) => {
                self.closed.is_none() && stream.feeds.iter().any(|feed| feed.at.is_none())
            }
            Tongue::Raw(_) => false,
            Tongue::Http(http) => http.rest().is_err(),
        }
    }

    /// Everything is at rest and the connection lives.
    pub fn rest(&mut self, truth: &mut Truth, plan: &Plan) -> Verdict {
        ensure!(
            self.upgraded && self.input.is_empty(),
            "connection {} waits for the rest of a frame",
            self.id
        );
        match &mut self.tongue {
            Tongue::Native(native) => native.rest(truth, plan),
            Tongue::Stream(stream) => stream.rest(truth),
            Tongue::Raw(raw) => raw.rest(truth, plan),
            Tongue::Http(http) => http.rest(),
        }
    }
}
