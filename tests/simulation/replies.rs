//! What a client of the native dialect hears, judged against what it asked and what all clients know.

use std::borrow::Cow;

use switchboard::position::Position;
use switchboard::room_key::Space;

use super::event::{self, Event};
use super::native::{Asked, Member, Native, Outcome, What};
use super::plan::Plan;
use super::recovery::{looked, recovered};
use super::truth::ensure;
use super::truth::{Fate, Stay, Truth, Verdict};

impl Native {
    /// Takes a frame's JSON.
    pub fn hear(&mut self, json: &[u8], truth: &mut Truth, plan: &Plan) -> Verdict {
        let event = Event::read(json)?;
        if self.name.is_none() {
            ensure!(event.kind == "welcome", "{} before welcome", event.kind);
            self.name = event.connection.map(Into::into);
            return Ok(());
        }
        let room = match &event.room {
            Some(name) => {
                let room = plan.room(Space::Native, name);
                // `bad_room` and the like name no room of the schedule.
                room.or(if event.kind == "error" { Some(usize::MAX) } else { None })
                    .map(Some)
                    .ok_or("a strange room")?
            }
            None => None,
        };
        match (&*event.kind, room) {
            ("message", Some(room)) => self.message(json, room, truth, plan),
            ("gap", Some(room)) => self.gap(&event, room, truth, plan),
            ("joined", Some(room)) => self.joined(&event, room, truth, plan),
            ("left", Some(room)) => self.left(&event, room),
            ("published", Some(room)) => self.published(&event, room, truth, plan),
            ("history", Some(room)) => self.looked(&event, room, truth, plan),
            ("user_joined", Some(room)) => self.person(&event, room, true),
            ("user_left", Some(room)) => self.person(&event, room, false),
            ("pong", None) => self.other(&event, "pong"),
            ("error", room) => self.error(&event, room, truth, plan),
            _ => Err(format!("an unexpected {}", event.kind)),
        }
    }

    fn message(&mut self, json: &[u8], room: usize, truth: &mut Truth, plan: &Plan) -> Verdict {
        let (number, position) = event::message(json, room, truth, plan)?;
        truth.count("message");
        let conn = self.conn;
        let member = self.members.get_mut(&room).ok_or(format!("message {number} of a room not joined"))?;
        ensure!(truth.said[number].excluded != Some(conn), "message {number} was not for {conn}");
        if let Some(position) = position {
            ensure!(position.epoch == member.at.epoch, "message {number} at {position} behind {}", member.at);
            truth.skipped(conn, room, member.at, position.offset)?;
            member.at = position;
            self.known.insert(room, position);
        }
        let seen = &mut truth.stays[member.stay].seen;
        ensure!(!seen.contains(&number), "message {number} came twice");
        seen.push(number);
        Ok(())
    }

    /// Somebody came or went. In a room that skips, such news is not repeated.
    fn person(&mut self, event: &Event<'_>, room: usize, came: bool) -> Verdict {
        let member = self.members.get_mut(&room).ok_or("news of a room not joined")?;
        let user = event.user.as_deref().ok_or("news of nobody")?;
        let new = if came { member.people.insert(user.into()) } else { member.people.remove(user) };
        ensure!(new || member.skips, "{} {user}, which was told before", event.kind);
        Ok(())
    }

    fn gap(&mut self, event: &Event<'_>, room: usize, truth: &mut Truth, plan: &Plan) -> Verdict {
        let bound = |text: &Option<Cow<'_, str>>| event::place(text.as_deref().unwrap_or_default());
        let (from, to) = (bound(&event.from)?, bound(&event.to)?);
        let member = self.members.get_mut(&room).ok_or("a gap in a room not joined")?;
        if to.epoch == member.at.epoch {
            truth.count("gap");
            ensure!(plan.rooms[room].skips, "a gap in a room that does not skip");
            ensure!(from.epoch == to.epoch && from.offset <= to.offset, "a gap from {from} to {to}");
            truth.skipped(self.conn, room, member.at, from.offset)?;
        } else {
            truth.count("epoch lost");
            ensure!(plan.odds.is_some(), "an epoch was lost");
        }
        member.at = to;
        self.known.insert(room, to);
        Ok(())
    }

    /// A request that the answer with this `id` is for, or without one the oldest open one like it.
    fn find(&self, id: Option<usize>, room: usize, like: fn(&What) -> bool) -> Verdict<usize> {
        let fits = |asked: &Asked| {
            asked.outcome == Outcome::Open
                && asked.room == Some(room)
                && like(&asked.what)
                && asked.id == id.is_some()
        };
        let found = match id {
            Some(index) => self.asked.get(index).filter(|asked| fits(asked)).map(|_| index),
            None => self.asked.iter().position(fits),
        };
        found.ok_or(format!("an answer to nothing: {id:?} in room {room}"))
    }

    /// Notes an answer that came from home: it may not overtake another of the same room.
    fn answered(&mut self, index: usize, outcome: Outcome) -> Verdict {
        let room = self.asked[index].room;
        let earlier = self.asked[..index].iter().position(|asked| asked.room == room && asked.is_due());
        ensure!(earlier.is_none(), "request {index} was answered before {earlier:?}");
        self.asked[index].outcome = outcome;
        Ok(())
    }

    fn joined(&mut self, event: &Event<'_>, room: usize, truth: &mut Truth, plan: &Plan) -> Verdict {
        truth.count("joined");
        let index = self.find(event.id, room, |what| matches!(what, What::Join { .. }))?;
        self.answered(index, Outcome::Done)?;
        let position = event.position()?.ok_or("joined nowhere")?;
        let run = event::excerpt(&event.history, room, position, truth, plan)?;
        let What::Join { since, newest } = self.asked[index].what.clone() else { return Ok(()) };
        let full = plan.odds.is_none();
        let count = event.history.len() as u64;
        let history = plan.rooms[room].history;
        ensure!(
            run.is_none_or(|(_, last)| last == position.offset),
            "joined at {position} with history {run:?}"
        );
        match (since, newest) {
            (Some(since), _) => {
                recovered(event.recovered, since, position, run, None, full.then_some(history), truth)?
            }
            (None, newest) => {
                let most = newest.unwrap_or(0).min(history).min(position.offset);
                ensure!(!event.recovered, "recovered without since");
                ensure!(count == most || !full && count < most, "{count} messages where {most} were asked");
            }
        }
        let people =
            event.users.iter().filter_map(|person| person.user.as_deref().map(str::to_owned)).collect();
        match self.members.get(&room).filter(|member| !member.quiet) {
            Some(member) => {
                ensure!(
                    member.skips || member.people == people,
                    "{:?} are there, not {people:?}",
                    member.people
                );
                self.catch_up(room, position, truth)?;
            }
            None => {
                let stay = Stay { conn: self.conn, room, seen: Vec::new(), lasts: false };
                truth.stays.push(stay);
                let skips = plan.rooms[room].skips && plan.slow;
                let member =
                    Member { at: position, stay: truth.stays.len() - 1, quiet: false, people, skips };
                self.members.insert(room, member);
                self.known.insert(room, position);
            }
        }
        // A leave may have been asked for, unheard, since the join.
        let left = self.asked[index..]
            .iter()
            .any(|asked| asked.room == Some(room) && asked.what == What::Leave && !asked.id);
        if let Some(member) = self.members.get_mut(&room) {
            member.quiet = left;
        }
        Ok(())
    }

    /// An answer says where the room stands; all up to there has come before it.
    fn catch_up(&mut self, room: usize, position: Position, truth: &mut Truth) -> Verdict {
        let Some(member) = self.members.get_mut(&room) else { return Ok(()) };
        if member.quiet {
            return Ok(());
        }
        ensure!(member.at.epoch == position.epoch, "an answer at {position} behind {}", member.at);
        truth.skipped(self.conn, room, member.at, position.offset + 1)?;
        member.at = position;
        self.known.insert(room, position);
        Ok(())
    }

    fn left(&mut self, event: &Event<'_>, room: usize) -> Verdict {
        let index = self.find(event.id, room, |what| *what == What::Leave)?;
        ensure!(self.is_inside(room, index) == Some(true), "left a room without being in it");
        self.asked[index].outcome = Outcome::Done;
        self.members.remove(&room);
        Ok(())
    }

    fn published(&mut self, event: &Event<'_>, room: usize, truth: &mut Truth, plan: &Plan) -> Verdict {
        let index = self.find(event.id, room, |what| matches!(what, What::Publish(_)))?;
        ensure!(self.is_inside(room, index) == Some(true), "published without being in the room");
        self.answered(index, Outcome::Done)?;
        let What::Publish(number) = self.asked[index].what else { return Ok(()) };
        let position = event.position()?;
        truth.placed(number, position, plan)?;
        let stays =
            !self.asked[index..].iter().any(|asked| asked.room == Some(room) && asked.what == What::Leave);
        let skips = plan.rooms[room].skips && plan.slow;
        if truth.said[number].excluded.is_none() && stays && !skips {
            let member = self.members.get(&room).ok_or("published without being in the room")?;
            let seen = truth.stays[member.stay].seen.contains(&number);
            ensure!(seen, "message {number} was published before it came");
        }
        Ok(())
    }

    fn looked(&mut self, event: &Event<'_>, room: usize, truth: &mut Truth, plan: &Plan) -> Verdict {
        let index = self.find(event.id, room, |what| matches!(what, What::History { .. }))?;
        ensure!(self.is_inside(room, index) == Some(true), "looked without being in the room");
        self.answered(index, Outcome::Done)?;
        let What::History { since, limit } = self.asked[index].what else { return Ok(()) };
        let position = event.position()?.ok_or("history nowhere")?;
        looked(event, room, position, since, limit, truth, plan)?;
        if self.asked[index..].iter().any(|asked| asked.room == Some(room) && asked.what == What::Leave) {
            return Ok(());
        }
        self.catch_up(room, position, truth)
    }

    fn other(&mut self, event: &Event<'_>, expected: &'static str) -> Verdict {
        let index = event.id.ok_or("an answer without id")?;
        let asked = self.asked.get_mut(index).ok_or("an answer to nothing")?;
        ensure!(
            asked.outcome == Outcome::Open && asked.what == What::Other(expected),
            "{expected} for {asked:?}"
        );
        asked.outcome = Outcome::Done;
        Ok(())
    }

    fn error(&mut self, event: &Event<'_>, room: Option<usize>, truth: &mut Truth, plan: &Plan) -> Verdict {
        let code = event.code.as_deref().unwrap_or_default();
        truth.count(match code {
            "unavailable" => "unavailable",
            "not_joined" => "not joined",
            "room_full" => "room full",
            _ => "odd",
        });
        let join = |native: &Self| {
            native.find(None, room.unwrap_or(usize::MAX), |what| matches!(what, What::Join { .. }))
        };
        let index = match (event.id, code) {
            (Some(index), _) => index,
            (None, "not_joined" | "unavailable") if join(self).is_err() => {
                ensure!(plan.silent, "an error without id: {event:?}");
                return Ok(());
            }
            (None, _) => join(self)?,
        };
        let asked = self.asked.get(index).ok_or("an error for nothing")?.clone();
        ensure!(asked.outcome == Outcome::Open, "request {index} was answered twice");
        if let What::Other(expected) = asked.what {
            return if code == expected {
                self.other(event, expected)
            } else {
                Err(format!("{code} for {asked:?}"))
            };
        }
        ensure!(asked.room == room, "an error of another room: {event:?}");
        match code {
            "not_joined" => {
                let inside = room.and_then(|room| self.is_inside(room, index));
                ensure!(inside == Some(false), "request {index} found its room not joined: {asked:?}");
                self.asked[index].outcome = Outcome::Refused;
            }
            "unavailable" if plan.odds.is_some() && asked.what != What::Leave => {
                self.answered(index, Outcome::Refused)?
            }
            "room_full" if matches!(asked.what, What::Join { .. }) => {
                let limit = room.map_or(0, |room| plan.rooms[room].max_members);
                ensure!(limit > 0, "room_full in a room that is never full");
                self.answered(index, Outcome::Refused)?;
            }
            _ => return Err(format!("{code} for {asked:?}")),
        }
        if let What::Publish(number) = asked.what
            && truth.said[number].fate == Fate::Open
        {
            truth.said[number].fate = Fate::Refused;
        }
        Ok(())
    }
}
