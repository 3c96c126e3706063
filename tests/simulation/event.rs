//! What a server says in JSON, read by the client.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use switchboard::position::Position;

use super::plan::Plan;
use super::speech::Kind;
use super::truth::ensure;
use super::truth::{Truth, Verdict};

/// Any frame of the native dialect or answer of the HTTP API; each has some of these fields.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Event<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    pub id: Option<usize>,
    #[serde(borrow)]
    pub room: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub position: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub from: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub to: Option<Cow<'a, str>>,
    /// A user's id; in `welcome` null for a guest.
    #[serde(borrow)]
    pub user: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub users: Option<Vec<Event<'a>>>,
    pub count: usize,
    /// Whether a user is writing.
    pub active: bool,
    #[serde(borrow)]
    pub reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub connection: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub code: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub data: Option<&'a RawValue>,
    #[serde(borrow)]
    pub history: Vec<&'a RawValue>,
    #[serde(borrow)]
    pub messages: Vec<&'a RawValue>,
    pub recovered: bool,
    pub more: bool,
    pub connections: usize,
    pub online: bool,
    #[serde(borrow)]
    pub results: Vec<Event<'a>>,
    /// Of a list: each with its figures. Of a user: names.
    #[serde(borrow)]
    pub rooms: Vec<&'a RawValue>,
    #[serde(borrow)]
    pub error: Option<Box<Event<'a>>>,
}

impl<'a> Event<'a> {
    pub fn read(json: &'a [u8]) -> Verdict<Self> {
        serde_json::from_slice(json).map_err(|error| format!("{error}: {}", String::from_utf8_lossy(json)))
    }

    /// The place that it names, if it names one.
    pub fn position(&self) -> Verdict<Option<Position>> {
        self.position.as_deref().map(place).transpose()
    }
}

/// The place that a text names.
pub fn place(text: &str) -> Verdict<Position> {
    text.parse().map_err(|_| format!("{text:?} is no position"))
}

/// The number that everything said carries in its data.
fn number(data: &str) -> Option<usize> {
    let digits = data.strip_prefix("{\"k\":")?;
    digits[..digits.find(|byte: char| !byte.is_ascii_digit())?].parse().ok()
}

/// Judges a message of `room` that somebody sees, live or in history: its number, and its place.
pub fn message(
    json: &[u8],
    room: usize,
    truth: &mut Truth,
    plan: &Plan,
) -> Verdict<(usize, Option<Position>)> {
    let event = Event::read(json)?;
    let data = event.data.ok_or("a message without data")?.get();
    let number = number(data).ok_or("a message that nobody said")?;
    let position = event.position()?;
    truth.placed(number, position, plan)?;
    truth.seen(number, json)?;
    let said = &truth.said[number];
    ensure!(event.kind == said.kind.name() && said.room == room, "{} {number} is of {said:?}", event.kind);
    ensure!(data.as_bytes() == said.data, "message {number} has changed: {data}");
    ensure!(event.from.as_deref() == said.from.as_deref(), "message {number} is from {:?}", event.from);
    let name = (said.kind == Kind::Message).then_some(plan.rooms[room].name.as_str());
    ensure!(event.room.as_deref() == name, "message {number} names {:?}", event.room);
    Ok((number, position))
}

/// Judges an announcement; its number.
pub fn announcement(json: &[u8], truth: &mut Truth, plan: &Plan) -> Verdict<usize> {
    truth.count("announcement");
    let data = Event::read(json)?.data.ok_or("an announcement without data")?.get();
    let number = number(data).ok_or("an announcement that nobody made")?;
    truth.placed(number, None, plan)?;
    truth.seen(number, json)?;
    let said = &truth.said[number];
    ensure!(said.kind == Kind::Announcement && data.as_bytes() == said.data, "{number} is no announcement");
    Ok(number)
}

/// Judges a run of a room's messages: without holes, and ending no later than `end`. Says the first and last offset.
pub fn excerpt(
    messages: &[&RawValue],
    room: usize,
    end: Position,
    truth: &mut Truth,
    plan: &Plan,
) -> Verdict<Option<(u64, u64)>> {
    let mut run: Option<(u64, u64)> = None;
    for json in messages {
        let (number, position) = message(json.get().as_bytes(), room, truth, plan)?;
        let position = position.ok_or(format!("message {number} is history without a place"))?;
        ensure!(position.epoch == end.epoch, "message {number} at {position} is history of {end}");
        run = match run {
            None => Some((position.offset, position.offset)),
            Some((first, last)) if position.offset == last + 1 => Some((first, position.offset)),
            Some((_, last)) => return Err(format!("history has {} behind {last}", position.offset)),
        };
    }
    ensure!(run.is_none_or(|(_, last)| last <= end.offset), "history goes to {run:?}, the room to {end}");
    Ok(run)
}
