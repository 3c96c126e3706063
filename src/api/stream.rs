//! What a request for a stream of Server-Sent Events asks for.

use arcstr::ArcStr;

use super::route::{bad_request, number, refusal, user};
use crate::dialect::sse::{self, Since};
use crate::error::Fault;
use crate::http::{Head, Response};
use crate::room_key::is_joinable;

/// Rooms of one stream, at most: the `id` of every event names a position in each.
const MAX_ROOMS: usize = 64;

/// A stream that is asked for.
#[derive(Debug)]
pub struct Subscription {
    /// Its rooms in the order asked for, each once.
    pub rooms: Vec<String>,
    /// What the client has of each.
    pub since: Vec<Since>,
    /// Messages wanted, at most, of a room that the client knows nothing of, or whose place it has lost.
    pub history: Option<usize>,
    /// What the client calls itself.
    pub user: Option<ArcStr>,
}

/// Reads what `head` asks for, of `room` if the path names one, else of those in the query. Only an `open` server takes a
/// name for what somebody is called.
pub fn subscription(head: &Head, room: Option<&str>, open: bool) -> Result<Subscription, Response> {
    const COUNT: &str = "a stream is of 1 to 64 rooms: /sse/{room} or /sse?room=...&room=...";
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

/// Where the client was. A browser that reconnects keeps the query that its page wrote, so the header is newer.
fn last_event_id(head: &Head) -> Option<&str> {
    let header = head.field("last-event-id").filter(|id| !id.is_empty());
    header.or_else(|| head.target.query("last_event_id"))
}
