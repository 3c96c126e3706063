//! Reads a request for a stream of Server-Sent Events.

use arcstr::ArcStr;

use super::route::{bad_request, number, refusal, user};
use crate::error::Fault;
use crate::http::{Head, Response};
use crate::room_key::is_joinable;
use crate::sse::{self, Since};

/// Rooms of one stream, at most: the `id` of every event names a position in each.
const MAX_ROOMS: usize = 64;

/// A request for a stream.
#[derive(Debug)]
pub struct Subscription {
    /// Its rooms in the order of the request, each once.
    pub rooms: Vec<String>,
    /// The position up to which the client has each.
    pub since: Vec<Since>,
    /// Messages of history, at most, for a room where the client has no position or one that is out of reach.
    pub history: Option<usize>,
    /// The user that the client names.
    pub user: Option<ArcStr>,
}

/// Reads `head`. The room is `room` if the path names one, else the query names the rooms. Only an `open` server believes the
/// user in the query.
pub fn subscription(head: &Head, room: Option<&str>, open: bool) -> Result<Subscription, Response> {
    const COUNT: &str = "a stream needs 1 to 64 rooms: /sse/{room} or /sse?room=...&room=...";
    let mut rooms: Vec<String> = Vec::new();
    let asked = room.into_iter().chain(head.target.queries("room").filter(|_| room.is_none()));
    for room in asked {
        if !rooms.iter().any(|other| other == room) {
            rooms.push(joinable(room)?);
        }
    }
    if !(1..=MAX_ROOMS).contains(&rooms.len()) {
        return Err(bad_request(COUNT));
    }
    Ok(Subscription {
        since: sse::read_id(last_event_id(head), rooms.len()),
        rooms,
        history: number(head, "history", "`history` is a number of messages")?,
        user: if open { user(head)? } else { None },
    })
}

fn joinable(room: &str) -> Result<String, Response> {
    if is_joinable(room) { Ok(room.to_owned()) } else { Err(refusal(Fault::BadRoom)) }
}

/// The client's last position. A browser that reconnects repeats the query of its page, so the header is newer.
fn last_event_id(head: &Head) -> Option<&str> {
    let header = head.field("last-event-id").filter(|id| !id.is_empty());
    header.or_else(|| head.target.query("last_event_id"))
}
