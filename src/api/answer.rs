//! The answers of calls, as JSON.

use std::io::Write;

use super::call::{Gathered, Reply};
use super::exposition;
use super::route::refusal;
use super::sent::Sent;
use crate::broker::post::{Line, Listing, Page, Roster, Standing};
use crate::dialect::native::event;
use crate::dialect::native::json::{OrNull, People, Quoted};
use crate::error::Fault;
use crate::http::Response;
use crate::metrics::board::Totals;
use crate::position::Position;
use crate::room_key::RoomKey;

/// The position of a room that does not exist.
const NOWHERE: Position = Position { epoch: 0, offset: 0 };

/// The answer of a server that is alive.
pub fn health() -> Response {
    Response::new(200).json(r#"{"status":"ok"}"#)
}

/// The answer of a server that takes new clients.
pub fn ready() -> Response {
    Response::new(200).json(r#"{"status":"ready"}"#)
}

/// The server's figures for Prometheus.
pub fn metrics(totals: Totals) -> Response {
    Response::new(200).body(exposition::CONTENT_TYPE, exposition::text(totals).into_bytes())
}

/// The response to a call that has gathered all of its answers.
pub fn answer(gathered: Gathered) -> Response {
    match gathered {
        Gathered::Sent(sent) => match sent.result() {
            Ok(json) => Response::new(200).json(json),
            Err(fault) => refusal(fault),
        },
        Gathered::Batch(all) => batch(&all),
        Gathered::Found(page, connections, rooms) => user(&page, connections, rooms),
        Gathered::Counted(connections) => {
            Response::new(200).json(format!(r#"{{"connections":{connections}}}"#))
        }
        Gathered::Rooms(listing, lines) => rooms(&listing, lines),
        Gathered::Room(name, looked) => match looked.unwrap_or(Err(Fault::Unavailable)) {
            Ok(standing) => room(&name, standing.as_deref()),
            Err(fault) => refusal(fault),
        },
        Gathered::History(looked) => match looked.unwrap_or(Err(Fault::Unavailable)) {
            Ok(standing) => history(standing.as_deref()),
            Err(fault) => refusal(fault),
        },
        Gathered::Unheard(fault) => fault.map_or_else(no_stream, refusal),
        Gathered::Replies(alone, replies) => self::replies(alone, &replies),
        Gathered::Members(rostered) => match rostered.unwrap_or(Err(Fault::Unavailable)) {
            Ok(roster) => members(roster.as_deref()),
            Err(fault) => refusal(fault),
        },
    }
}

fn batch(all: &[Sent]) -> Response {
    let result = |sent: &Sent| match sent.result() {
        Ok(json) => json,
        Err(fault) => {
            let message = Quoted(fault.message());
            format!(r#"{{"error":{{"code":"{}","message":{message}}}}}"#, fault.code())
        }
    };
    let results: Vec<_> = all.iter().map(result).collect();
    Response::new(200).json(format!(r#"{{"results":[{}]}}"#, results.join(",")))
}

fn user(page: &Page, connections: u32, rooms: Vec<RoomKey>) -> Response {
    let (rooms, more) = first(rooms, page.limit);
    let after = OrNull(rooms.last().filter(|_| more).map(|room| Quoted(room.name())));
    let online = connections > 0;
    let rooms: Vec<_> = rooms.iter().map(|room| Quoted(room.name()).to_string()).collect();
    let rooms = rooms.join(",");
    Response::new(200).json(format!(
        r#"{{"online":{online},"connections":{connections},"rooms":[{rooms}],"after":{after}}}"#
    ))
}

/// The first `limit` of a user's rooms, and whether there are more. Each shard gave its first, in byte order.
pub fn first(mut rooms: Vec<RoomKey>, limit: usize) -> (Vec<RoomKey>, bool) {
    rooms.sort_unstable_by(|a, b| a.name().cmp(b.name()));
    rooms.dedup();
    let more = rooms.len() > limit;
    rooms.truncate(limit);
    (rooms, more)
}

fn room(name: &str, standing: Option<&Standing>) -> Response {
    let (count, connections, at) = standing
        .map_or((0, 0, NOWHERE), |standing| (standing.count, standing.connections, standing.position));
    Response::new(200)
        .json(format!(r#"{{"room":"{name}","count":{count},"connections":{connections},"position":"{at}"}}"#))
}

/// Each shard gave its first `limit`, so the first `limit` of all are among them.
fn rooms(listing: &Listing, mut lines: Vec<Line>) -> Response {
    lines.sort_unstable_by(|a, b| a.name.name().cmp(b.name.name()));
    let more = lines.len() > listing.limit;
    lines.truncate(listing.limit);
    let after = OrNull(lines.last().filter(|_| more).map(|line| Quoted(line.name.name())));
    let line = |line: &Line| {
        let Line { name, count, connections, position } = line;
        let name = name.name();
        format!(r#"{{"room":"{name}","count":{count},"connections":{connections},"position":"{position}"}}"#)
    };
    let rooms: Vec<_> = lines.iter().map(line).collect();
    Response::new(200).json(format!(r#"{{"rooms":[{}],"after":{after}}}"#, rooms.join(",")))
}

/// The response to requests for a stream that does not exist.
pub fn no_stream() -> Response {
    Response::new(404).error("not_found", "there is no stream with this name, or it has ended")
}

/// The response to one request is its reply, or `null`. The response to several is an array of the replies; requests without
/// one are left out.
fn replies(alone: bool, replies: &[Reply]) -> Response {
    let replies: Vec<&[u8]> = replies.iter().filter_map(|reply| reply.as_ref()?.as_deref()).collect();
    let body = match (alone, replies.first()) {
        (true, Some(reply)) => reply.to_vec(),
        (true, None) => b"null".to_vec(),
        (false, _) => [b"[", replies.join(&b',').as_slice(), b"]"].concat(),
    };
    Response::new(200).json(body)
}

fn members(roster: Option<&Roster>) -> Response {
    let nobody = Roster { count: 0, people: Some(Vec::new()), after: None };
    let Roster { count, people, after } = roster.unwrap_or(&nobody);
    let (people, after) = (People(people.as_deref()), OrNull(after.as_deref().map(Quoted)));
    Response::new(200).json(format!(r#"{{"count":{count},"users":{people},"after":{after}}}"#))
}

fn history(standing: Option<&Standing>) -> Response {
    let Some(Standing { position, excerpt, .. }) = standing else {
        return Response::new(200)
            .json(format!(r#"{{"messages":[],"position":"{NOWHERE}","recovered":false,"more":false}}"#));
    };
    let mut body = br#"{"messages":"#.to_vec();
    event::messages(&excerpt.messages, &mut body);
    // Writing to a buffer cannot fail.
    drop(write!(
        body,
        r#","position":"{position}","recovered":{},"more":{}}}"#,
        excerpt.recovered, excerpt.more
    ));
    Response::new(200).json(body)
}
