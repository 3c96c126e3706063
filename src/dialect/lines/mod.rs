//! A dialect for the tests, as small as one can be: a request is a line of words, and so is everything that a client is told.
//!
//! ```text
//!   #7 join a since 0000beef:3        joined a 0000beef:4 #7 recovered: ann says 1
//!   publish a {"n":1}                 message a 0000beef:5 ann says {"n":1}
//! ```

use std::io::Write;

use super::kept::Kept;
use super::request::{Refused, Request, What};
use super::speaks::{Manners, Payload, Rooms, Said, Speaks};
use super::told::Told;
use crate::broker::post::{Page, Span, Standing};
use crate::error::{Close, Fault};
use crate::message::Message;
use crate::room_key::{Space, is_joinable};

/// The dialect of lines.
pub struct Lines;

impl Speaks for Lines {
    const MANNERS: Manners = Manners {
        path: "lines",
        rooms: Rooms::Any,
        subprotocols: &["lines"],
        space: Space::Native,
        replies: true,
        announcements: true,
        inbox: true,
        echoes: false,
    };

    fn hear(payload: Payload<'_>) -> Said<'_> {
        match payload {
            Payload::Text(text) => Said::Request(text),
            Payload::Binary(_) => Said::Foreign(Close::TEXT_ONLY),
        }
    }

    fn read(text: &str) -> Result<Request<'_>, Refused<'_>> {
        let (id, line) = match text.strip_prefix('#').and_then(|rest| rest.split_once(' ')) {
            Some((id, line)) => (Some(id), line),
            None => (None, text),
        };
        what(line).map(|what| Request { id, what }).map_err(|fault| Refused { fault, id })
    }

    fn write(told: &Told<'_>, out: &mut Vec<u8>) {
        let id = |id: Option<&str>| id.map(|id| format!(" #{id}")).unwrap_or_default();
        // Writing to a buffer cannot fail.
        drop(match *told {
            Told::Welcome { user, .. } => write!(out, "welcome {}", user.unwrap_or("guest")),
            Told::Joined { id: mark, room, standing } => {
                write!(out, "joined {} {}", room.label(), excerpt(standing, &id(mark)))
            }
            Told::History { id: mark, room, standing } => {
                write!(out, "history {} {}", room.label(), excerpt(standing, &id(mark)))
            }
            Told::Left { id: mark, room, reason } => {
                write!(out, "left {room}{} {}", id(mark), reason.unwrap_or("as asked"))
            }
            Told::Published { id, room, .. } => write!(out, "published {} #{id}", room.label()),
            Told::Members { id: mark, room, roster } => {
                write!(out, "members {}{} {}", room.label(), id(mark), roster.count)
            }
            Told::Pong { id: mark, .. } => write!(out, "pong{}", id(mark)),
            Told::Error { id: mark, fault, .. } => {
                write!(out, "error {}{} {}", fault.code(), id(mark), fault.message())
            }
            Told::Gap { room, from, to } => write!(out, "gap {room} {from} {to}"),
            Told::Announcement { data, .. } => {
                write!(out, "announcement {}", String::from_utf8_lossy(data))
            }
            Told::Message(message) => write!(out, "{} {}", place(message), said(message)),
            // It has no words for the rest.
            Told::Known { .. } | Told::Delivered { .. } | Told::Close(_) | Told::Notice { .. } => Ok(()),
        });
    }
}

fn what(line: &str) -> Result<What<'_>, Fault> {
    let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (room, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    if kind == "ping" {
        return Ok(What::Ping);
    }
    if !is_joinable(room) {
        return Err(Fault::BadRoom);
    }
    let room = room.into();
    match kind {
        "join" => {
            let since = rest.strip_prefix("since ");
            let span = since.map_or(Span::Nothing, |since| Span::Since(since.parse().ok(), usize::MAX));
            Ok(What::Join { room, span })
        }
        "leave" => Ok(What::Leave { room }),
        "publish" => Ok(What::Publish { room, event: None, data: rest, echo: true, store: true, key: None }),
        "history" => Ok(What::History { room, span: Span::Newest(usize::MAX) }),
        "members" => Ok(What::Members { room, page: Page { after: "".into(), limit: 100 } }),
        _ => Err(Fault::UnknownType),
    }
}

/// Where a message stands.
fn place(message: &Message) -> String {
    let position = message.position.map(|position| format!(" {position}")).unwrap_or_default();
    format!("{} {}{position}", Kept(message).kind().word(), message.room.label())
}

/// Who said what.
fn said(message: &Message) -> String {
    let kept = Kept(message);
    let (from, data) = (kept.from(), String::from_utf8_lossy(kept.data()));
    let event = kept.event().map(|event| format!("{event} ")).unwrap_or_default();
    format!("{} says {event}{data}", from.as_deref().unwrap_or("somebody"))
}

/// Where a room stands, and what was said in it.
fn excerpt(standing: &Standing, id: &str) -> String {
    let said: Vec<String> = standing.excerpt.messages.iter().map(|message| said(message)).collect();
    let recovered = if standing.excerpt.recovered { " recovered" } else { "" };
    format!("{}{id}{recovered}: {}", standing.position, said.join(", "))
}
