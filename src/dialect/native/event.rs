//! What a client is told, as one JSON object, which begins with its `type`.

use std::fmt::{self, Display};
use std::io::Write;

use super::json::{self, InQuotes, OrNull, People, Quoted};
use crate::broker::post::{Notice, Roster, Standing};
use crate::dialect::kept::Kept;
use crate::dialect::told::Told;
use crate::error::{Close, Fault};
use crate::message::Message;
use crate::time::rfc3339;

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

/// Appends what a client is told.
pub fn write(told: &Told<'_>, out: &mut Vec<u8>) {
    match *told {
        Told::Message(message) => out.extend_from_slice(Kept(message).json()),
        Told::Published { id, room, position } => {
            let (room, position) = (room.label(), OrNull(position.map(InQuotes)));
            put!(out, r#"{{"type":"published","id":{id},"room":"{room}","position":{position}}}"#);
        }
        Told::Welcome { connection, user, ping_interval_s, max_message_bytes } => {
            let user = OrNull(user.map(Quoted));
            put!(
                out,
                r#"{{"type":"welcome","connection":"{connection}","user":{user},"ping_interval_s":{ping_interval_s},"max_message_bytes":{max_message_bytes}}}"#
            );
        }
        Told::Known { id, user, expires_ms } => {
            let (id, user) = (Id(id), Quoted(user));
            let expires = OrNull(expires_ms.map(|ms| InQuotes(rfc3339(ms))));
            put!(out, r#"{{"type":"auth_ok"{id},"user":{user},"expires":{expires}}}"#);
        }
        Told::Joined { id, room, standing } => joined(id, room.label(), standing, out),
        Told::Left { id, room, reason } => left(id, room, reason, out),
        Told::Delivered { id, to, connections } => {
            put!(out, r#"{{"type":"delivered"{},"to":{},"connections":{connections}}}"#, Id(id), Quoted(to));
        }
        Told::History { id, room, standing } => history(id, room.label(), standing, out),
        Told::Members { id, room, roster } => members(id, room.label(), roster, out),
        Told::Pong { id, wall_ms } => {
            put!(out, r#"{{"type":"pong"{},"time":"{}"}}"#, Id(id), rfc3339(wall_ms));
        }
        Told::Error { id, room, fault } => error(id, room, fault, out),
        Told::Close(Close { code, reason }) => {
            put!(out, r#"{{"type":"close","code":{code},"reason":{}}}"#, Quoted(reason));
        }
        Told::Notice { room, notice } => news(room, notice, out),
        Told::Gap { room, from, to } => {
            put!(out, r#"{{"type":"gap","room":"{room}","from":"{from}","to":"{to}"}}"#);
        }
        Told::Announcement { event, data, wall_ms } => {
            json::begin("announcement", event, out);
            json::end(wall_ms, data, out);
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
        out.extend_from_slice(Kept(message.as_ref()).json());
    }
    out.push(b']');
}

fn joined(id: Option<&str>, room: &str, standing: &Standing, out: &mut Vec<u8>) {
    let Standing { position, excerpt, count, people, .. } = standing;
    let (id, people) = (Id(id), People(people.as_deref()));
    put!(out, r#"{{"type":"joined"{id},"room":"{room}","position":"{position}","#);
    put!(out, r#""recovered":{},"count":{count},"users":{people},"history":"#, excerpt.recovered);
    messages(&excerpt.messages, out);
    out.push(b'}');
}

fn left(id: Option<&str>, room: &str, reason: Option<&str>, out: &mut Vec<u8>) {
    put!(out, r#"{{"type":"left"{},"room":"{room}""#, Id(id));
    if let Some(reason) = reason {
        put!(out, r#","reason":"{reason}""#);
    }
    out.push(b'}');
}

fn history(id: Option<&str>, room: &str, standing: &Standing, out: &mut Vec<u8>) {
    let Standing { position, excerpt, .. } = standing;
    put!(out, r#"{{"type":"history"{},"room":"{room}","position":"{position}","#, Id(id));
    put!(out, r#""recovered":{},"more":{},"messages":"#, excerpt.recovered, excerpt.more);
    messages(&excerpt.messages, out);
    out.push(b'}');
}

fn members(id: Option<&str>, room: &str, roster: &Roster, out: &mut Vec<u8>) {
    let (id, Roster { count, people, after }) = (Id(id), roster);
    let (people, after) = (People(people.as_deref()), OrNull(after.as_deref().map(Quoted)));
    put!(out, r#"{{"type":"members"{id},"room":"{room}","count":{count},"users":{people},"after":{after}}}"#);
}

fn news(room: &str, notice: &Notice, out: &mut Vec<u8>) {
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

fn error(id: Option<&str>, room: Option<&str>, fault: Fault, out: &mut Vec<u8>) {
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
