//! What a client is told: each function writes one JSON object, which whoever sends it puts into a frame or an event.
//!
//! An object begins with its `type`, and with its `event` behind that if it has one, so that a wire with names for its
//! events finds them without reading the rest.

use std::fmt::{self, Display};
use std::io::Write;

use bytes::Bytes;
use serde::Serialize;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::broker::post::{Notice, Roster, Standing};
use crate::broker::presence::Person;
use crate::error::{Close, Fault};
use crate::id::ConnectionName;
use crate::message::{Draft, Kind, Message};
use crate::position::Position;
use crate::room_key::RoomKey;
use crate::time::rfc3339;
use crate::ws::frame;

const TEXT: OpCode = OpCode::Data(Data::Text);

/// A JSON string.
pub struct Quoted<'a>(pub &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Serialising to a string cannot fail.
        f.write_str(&serde_json::to_string(self.0).map_err(|_| fmt::Error)?)
    }
}

/// A value as a JSON string; for values in which nothing needs an escape.
pub struct InQuotes<T>(pub T);

impl<T: Display> Display for InQuotes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        self.0.fmt(f)?;
        f.write_str("\"")
    }
}

/// A value, or `null`.
pub struct OrNull<T>(pub Option<T>);

impl<T: Display> Display for OrNull<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("null"),
        }
    }
}

/// People as a JSON array, or `null` when they are too many.
pub struct People<'a>(pub Option<&'a [Person]>);

impl Display for People<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[derive(Serialize)]
        struct Line<'a> {
            user: &'a str,
            connections: u32,
        }
        let line = |person: &'_ Person| -> String {
            let line = Line { user: &person.user, connections: person.connections };
            serde_json::to_string(&line).unwrap_or_default()
        };
        match self.0 {
            None => f.write_str("null"),
            Some(people) => write!(f, "[{}]", people.iter().map(line).collect::<Vec<_>>().join(",")),
        }
    }
}

/// Messages as a JSON array.
pub fn messages<M: AsRef<Message>>(messages: &[M], out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, message) in messages.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(message.as_ref().payload());
    }
    out.push(b']');
}

/// Appends the text frame that carries the JSON which `write` appends.
pub fn text_frame(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    frame::encode_with(TEXT, out, write);
}

/// Formats into a buffer, which cannot fail.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => {
        drop(write!($out, $($arg)*))
    };
}

/// `,"id":…` behind a type, if the request had one.
struct Id<'a>(Option<&'a str>);

impl Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |id| write!(f, ",\"id\":{id}"))
    }
}

/// The first frame of every connection.
pub fn welcome(
    connection: ConnectionName,
    user: Option<&str>,
    ping_interval_s: u64,
    max_message_bytes: usize,
    out: &mut Vec<u8>,
) {
    let user = OrNull(user.map(Quoted));
    put!(
        out,
        r#"{{"type":"welcome","connection":"{connection}","user":{user},"ping_interval_s":{ping_interval_s},"max_message_bytes":{max_message_bytes}}}"#
    );
}

/// The answer to a join.
pub fn joined(id: Option<&str>, room: &RoomKey, standing: &Standing, out: &mut Vec<u8>) {
    let Standing { position, excerpt, count, people, .. } = standing;
    let (id, room, people) = (Id(id), room.label(), People(people.as_deref()));
    put!(out, r#"{{"type":"joined"{id},"room":"{room}","position":"{position}","#);
    put!(out, r#""recovered":{},"count":{count},"users":{people},"history":"#, excerpt.recovered);
    messages(&excerpt.messages, out);
    out.push(b'}');
}

/// The client is known: its user, and until when, in milliseconds since 1970.
pub fn auth_ok(id: Option<&str>, user: &str, expires_ms: Option<u64>, out: &mut Vec<u8>) {
    let (id, user) = (Id(id), Quoted(user));
    let expires = OrNull(expires_ms.map(|ms| format!("\"{}\"", rfc3339(ms))));
    put!(out, r#"{{"type":"auth_ok"{id},"user":{user},"expires":{expires}}}"#);
}

/// The room was left; unasked with a reason.
pub fn left(id: Option<&str>, room: &str, reason: Option<&str>, out: &mut Vec<u8>) {
    put!(out, r#"{{"type":"left"{},"room":"{room}""#, Id(id));
    if let Some(reason) = reason {
        put!(out, r#","reason":"{reason}""#);
    }
    out.push(b'}');
}

/// The answer to a publish that had an `id`.
pub fn published(id: &str, room: &RoomKey, position: Option<Position>, out: &mut Vec<u8>) {
    let (room, position) = (room.label(), OrNull(position.map(InQuotes)));
    put!(out, r#"{{"type":"published","id":{id},"room":"{room}","position":{position}}}"#);
}

/// The answer to a message from user to user.
pub fn delivered(id: Option<&str>, to: &str, connections: u32, out: &mut Vec<u8>) {
    put!(out, r#"{{"type":"delivered"{},"to":{},"connections":{connections}}}"#, Id(id), Quoted(to));
}

/// The answer to a request for history.
pub fn history(id: Option<&str>, room: &RoomKey, standing: &Standing, out: &mut Vec<u8>) {
    let Standing { position, excerpt, .. } = standing;
    let (id, room) = (Id(id), room.label());
    put!(out, r#"{{"type":"history"{id},"room":"{room}","position":"{position}","#);
    put!(out, r#""recovered":{},"more":{},"messages":"#, excerpt.recovered, excerpt.more);
    messages(&excerpt.messages, out);
    out.push(b'}');
}

/// The answer to a request for members.
pub fn members(id: Option<&str>, room: &RoomKey, roster: &Roster, out: &mut Vec<u8>) {
    let (id, room, Roster { count, people, after }) = (Id(id), room.label(), roster);
    let (people, after) = (People(people.as_deref()), OrNull(after.as_deref().map(Quoted)));
    put!(out, r#"{{"type":"members"{id},"room":"{room}","count":{count},"users":{people},"after":{after}}}"#);
}

/// Something about the people in a room.
pub fn notice(room: &str, notice: &Notice, out: &mut Vec<u8>) {
    let mut person = |kind, user: &str, count: u32| {
        let user = Quoted(user);
        put!(out, r#"{{"type":"{kind}","room":"{room}","user":{user},"count":{count}}}"#);
    };
    match notice {
        Notice::UserJoined { user, count } => person("user_joined", user, *count),
        Notice::UserLeft { user, count } => person("user_left", user, *count),
        Notice::Typing { user, active } => {
            let user = Quoted(user);
            put!(out, r#"{{"type":"typing","room":"{room}","user":{user},"active":{active}}}"#);
        }
        Notice::Count(count) => {
            put!(out, r#"{{"type":"count","room":"{room}","count":{count}}}"#);
        }
    }
}

/// The server is there.
pub fn pong(id: Option<&str>, wall_ms: u64, out: &mut Vec<u8>) {
    put!(out, r#"{{"type":"pong"{},"time":"{}"}}"#, Id(id), rfc3339(wall_ms));
}

/// A request was refused.
pub fn error(id: Option<&str>, room: Option<&str>, fault: Fault, out: &mut Vec<u8>) {
    let (code, message) = (fault.code(), Quoted(fault.message()));
    put!(out, r#"{{"type":"error"{},"code":"{code}","message":{message}"#, Id(id));
    if let Some(room) = room {
        put!(out, r#","room":{}"#, Quoted(room));
    }
    if let Some(retry_after_ms) = fault.retry_after_ms() {
        put!(out, r#","retry_after_ms":{retry_after_ms}"#);
    }
    out.push(b'}');
}

/// A stream ends; a WebSocket has a frame for that.
pub fn close(close: &Close, out: &mut Vec<u8>) {
    let Close { code, reason } = close;
    put!(out, r#"{{"type":"close","code":{code},"reason":{}}}"#, Quoted(reason));
}

/// Messages were not sent to this connection: those from one position to another, both included.
pub fn gap(room: &str, from: Position, to: Position, out: &mut Vec<u8>) {
    put!(out, r#"{{"type":"gap","room":"{room}","from":"{from}","to":"{to}"}}"#);
}

/// A message as its readers get it, `data` as it was written.
pub fn message(room: RoomKey, position: Option<Position>, draft: Draft, wall_ms: u64) -> Message {
    let mut frame = Vec::with_capacity(draft.data.len() + room.name().len() + 160);
    let mut payload = 0;
    text_frame(&mut frame, |out| {
        let start = out.len();
        let kind = match draft.kind {
            Kind::Message => "message",
            Kind::Direct => "direct",
            Kind::Notification => "notification",
        };
        typed(kind, draft.event.as_deref(), out);
        if draft.kind == Kind::Message {
            put!(out, r#","room":"{}""#, room.name());
        }
        if let Some(position) = position {
            put!(out, r#","position":"{position}""#);
        }
        if draft.kind != Kind::Notification {
            put!(out, r#","from":{}"#, OrNull(draft.from.as_deref().map(Quoted)));
        }
        timed(wall_ms, &draft.data, out);
        payload = out.len() - start;
    });
    // How long the frame's header is depends on its payload, so it is counted from the end.
    let header = frame.len() - payload;
    Message::new(room, position, draft.exclude, Bytes::from(frame), header)
}

/// What the app says to everybody.
pub fn announcement(event: Option<&str>, data: &[u8], wall_ms: u64, out: &mut Vec<u8>) {
    typed("announcement", event, out);
    timed(wall_ms, data, out);
}

/// The beginning of an object, up to where its names are read.
fn typed(kind: &str, event: Option<&str>, out: &mut Vec<u8>) {
    put!(out, r#"{{"type":"{kind}""#);
    if let Some(event) = event {
        put!(out, r#","event":"{event}""#);
    }
}

/// The end of an object: when it was said, and what.
fn timed(wall_ms: u64, data: &[u8], out: &mut Vec<u8>) {
    put!(out, r#","time":"{}","data":"#, rfc3339(wall_ms));
    out.extend_from_slice(data);
    out.push(b'}');
}
