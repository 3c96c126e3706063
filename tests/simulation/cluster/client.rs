//! A client of one node after another, and what it may be told: every message of a room once and in order, or a `gap`.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::position::Position;

use super::super::event::{Event, place};
use super::super::truth::{Verdict, ensure};
use super::super::wire::Input;
use super::log::Log;

/// What was asked.
#[derive(Clone, Debug)]
pub enum What {
    Join(Option<Position>),
    Leave,
    Look(Option<Position>),
    Publish { data: String, stored: bool },
}

/// A request that is not answered.
#[derive(Debug)]
pub struct Asked {
    pub room: String,
    pub what: What,
}

/// A client, and its connection if it has one.
#[derive(Default)]
pub struct Client {
    pub user: String,
    /// The node and the key of its session there.
    pub conn: Option<(usize, u32)>,
    pub input: Input,
    pub welcomed: bool,
    /// Where it stands in each room that it is in.
    pub members: BTreeMap<String, Position>,
    /// How far it came in each room.
    pub known: BTreeMap<String, Position>,
    /// What it waits for, by id.
    pub asked: BTreeMap<usize, Asked>,
    /// What it saw of messages without position, on this connection.
    pub plain: BTreeSet<String>,
    pub upgraded: bool,
}

impl Client {
    /// Its connection is gone.
    pub fn forget(&mut self) {
        let (user, known) = (std::mem::take(&mut self.user), std::mem::take(&mut self.known));
        *self = Self { user, known, ..Self::default() };
    }

    /// Judges what has come. Returns the pings to answer.
    pub fn hear(&mut self, bytes: &[u8], log: &mut Log) -> Verdict<usize> {
        self.input.push(bytes);
        if !self.upgraded && self.input.answer()?.is_some() {
            self.upgraded = true;
        }
        let mut pings = 0;
        while self.upgraded
            && let Some((opcode, payload)) = self.input.frame()?
        {
            match opcode {
                super::super::wire::TEXT => {
                    let event = Event::read(&payload)?;
                    let text = || String::from_utf8_lossy(&payload).into_owned();
                    self.event(&event, log).map_err(|error| format!("{error}: {}", text()))?;
                }
                super::super::wire::PING => pings += 1,
                super::super::wire::CLOSE => return Err("closed".into()),
                _ => {}
            }
        }
        Ok(pings)
    }

    fn event(&mut self, event: &Event<'_>, log: &mut Log) -> Verdict {
        let room = event.room.as_deref().unwrap_or_default();
        match &*event.kind {
            "welcome" => self.welcomed = true,
            "message" => self.message(event, room, log)?,
            "gap" => self.gap(event, room, log)?,
            "joined" => {
                let What::Join(since) = self.answered(event, room)? else { return Err("no join".into()) };
                let end = event.position()?.ok_or("joined without position")?;
                self.excerpt(&event.history, event.recovered, since, end, room, log)?;
                self.members.insert(room.into(), end);
                self.known.insert(room.into(), end);
            }
            "history" => {
                let What::Look(since) = self.answered(event, room)? else { return Err("no look".into()) };
                let end = event.position()?.ok_or("history without position")?;
                self.excerpt(&event.messages, event.recovered, since, end, room, log)?;
            }
            "left" => {
                self.answered(event, room)?;
                self.members.remove(room);
            }
            "published" => {
                let What::Publish { data, stored } = self.answered(event, room)? else {
                    return Err("no publish".into());
                };
                let at = event.position()?;
                ensure!(at.is_some() == stored, "stored {stored}");
                let Some(at) = at else { return Ok(()) };
                check_body(log, room, at, &data)?;
                // One's own message comes before the answer.
                if let Some(last) = self.members.get(room).filter(|last| last.epoch == at.epoch) {
                    ensure!(last.offset >= at.offset, "published at {at} before the message, at {last}");
                }
            }
            "error" => {
                let outside = !self.members.contains_key(room);
                let code = event.code.as_deref().unwrap_or_default();
                ensure!(code == "unavailable" || outside && code == "not_joined", "refused");
                self.answered(event, room)?;
                *log.tally.entry("unavailable").or_default() += 1;
            }
            _ => {}
        }
        Ok(())
    }

    /// Answers about one room come in the order of the requests.
    fn answered(&mut self, event: &Event<'_>, room: &str) -> Verdict<What> {
        let id = event.id.ok_or("an answer without id")?;
        let first = self.asked.iter().find(|(_, asked)| asked.room == room).map(|(id, _)| *id);
        ensure!(first == Some(id), "{id} is answered before {first:?}");
        self.asked.remove(&id).map(|asked| asked.what).ok_or("answered twice".into())
    }

    fn message(&mut self, event: &Event<'_>, room: &str, log: &mut Log) -> Verdict {
        let data = event.data.map_or("", |data| data.get());
        let last = self.members.get_mut(room).ok_or("a message for nobody")?;
        let Some(at) = event.position()? else {
            ensure!(self.plain.insert(data.into()), "it came twice");
            return Ok(());
        };
        let next = Position { offset: last.offset + 1, ..*last };
        ensure!(at == next, "{at} behind {last}");
        *last = at;
        self.known.insert(room.into(), at);
        *log.tally.entry("message").or_default() += 1;
        check_body(log, room, at, data)
    }

    /// What is told as lost the log has no more, or it is of another epoch.
    fn gap(&mut self, event: &Event<'_>, room: &str, log: &mut Log) -> Verdict {
        let last = self.members.get_mut(room).ok_or("a gap for nobody")?;
        let from = place(event.from.as_deref().unwrap_or_default())?;
        let to = place(event.to.as_deref().unwrap_or_default())?;
        let another = to.epoch != last.epoch;
        ensure!(another || from.offset == last.offset + 1, "a gap from {from} behind {last}");
        if let Some((end, first)) = log.reach(room).filter(|(end, _)| !another && end.epoch == to.epoch) {
            ensure!(to.offset < first, "a gap to {to}, though the log has all from {first} to {end}");
        }
        *log.tally.entry(if another { "another epoch" } else { "gap" }).or_default() += 1;
        *last = to;
        self.known.insert(room.into(), to);
        Ok(())
    }

    /// History is all that came after `since`, where the log has that, and ends at `end`.
    fn excerpt(
        &self,
        messages: &[&serde_json::value::RawValue],
        recovered: bool,
        since: Option<Position>,
        end: Position,
        room: &str,
        log: &mut Log,
    ) -> Verdict {
        let mut places = Vec::new();
        for message in messages {
            let event = Event::read(message.get().as_bytes())?;
            let at = event.position()?.ok_or("history without position")?;
            check_body(log, room, at, event.data.map_or("", |data| data.get()))?;
            places.push(at);
        }
        let mut due = end.offset + 1 - places.len().min(end.offset as usize) as u64;
        if let (Some(since), true) = (since, recovered) {
            ensure!(since.epoch == end.epoch && since.offset <= end.offset, "recovered {since} at {end}");
            due = since.offset + 1;
            *log.tally.entry("recovered").or_default() += 1;
        }
        let run: Vec<_> = (due..=end.offset).map(|offset| Position { offset, ..end }).collect();
        ensure!(places == run, "{places:?} for {since:?} at {end}");
        if let (Some(since), false, Some((newest, first))) = (since, recovered, log.reach(room)) {
            let kept =
                since.epoch == newest.epoch && since.offset + 1 >= first && since.offset <= newest.offset;
            ensure!(!kept, "{since} was not recovered, though the log has all from {first} to {newest}");
            *log.tally.entry("not recovered").or_default() += 1;
        }
        Ok(())
    }
}

/// One position names one message for ever, on every node.
fn check_body(log: &Log, room: &str, at: Position, data: &str) -> Verdict {
    let body = log.bodies.get(&(room.to_owned(), at.epoch, at.offset));
    let known = body.map(|body| String::from_utf8_lossy(body));
    ensure!(known.as_deref() == Some(data), "{data} is at {at}, where the log has {known:?}");
    Ok(())
}
