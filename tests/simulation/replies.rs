//! What a client of the native dialect hears, judged against what it asked and what all clients know.

use std::borrow::Cow;

use switchboard::position::Position;

use super::event::{self, Event};
use super::native::{Asked, Inside, Member, Native, Outcome, What};
use super::plan::Plan;
use super::recovery::{looked, recovered};
use super::truth::ensure;
use super::truth::{Stay, Truth, Verdict};
use super::watch::Watch;

impl Native {
    /// Takes a frame's JSON.
    pub fn hear(&mut self, json: &[u8], truth: &mut Truth, plan: &Plan) -> Verdict {
        let event = Event::read(json)?;
        if self.name.is_none() {
            ensure!(event.kind == "welcome", "{} before welcome", event.kind);
            ensure!(event.user.as_deref() == self.user.as_deref(), "welcome, {:?}", event.user);
            self.name = event.connection.map(Into::into);
            return Ok(());
        }
        let room = match &event.room {
            Some(name) => {
                let room = plan.called(name, self.user.as_deref());
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
            ("left", Some(room)) => self.left(&event, room, truth, plan),
            ("published", Some(room)) => self.published(&event, room, truth, plan),
            ("history", Some(room)) => self.looked(&event, room, truth, plan),
            ("members", Some(room)) => self.roster(&event, room),
            ("user_joined" | "user_left" | "count" | "typing", Some(room)) => {
                truth.count(if event.kind == "typing" { "typing" } else { "news" });
                let member = self.members.get_mut(&room).ok_or("news of a room not joined")?;
                member.watch.hear(&event, self.user.as_deref()).map(|_| ())
            }
            ("direct" | "notification", None) => self.letter(json, truth, plan),
            ("delivered", None) => self.delivered(&event, truth, plan),
            ("announcement", None) => {
                let number = event::announcement(json, truth, plan)?;
                ensure!(!self.announced.contains(&number), "announcement {number} came twice");
                self.announced.push(number);
                Ok(())
            }
            ("auth_ok", None) => self.renewed(&event, truth),
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

    pub fn check_inside(&self, room: usize, index: usize) -> Verdict {
        let inside = self.is_inside(room, index);
        ensure!(
            matches!(inside, Inside::Yes | Inside::Unsure),
            "request {index} was carried out outside: {inside:?}"
        );
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
    pub fn find(&self, id: Option<usize>, room: usize, like: fn(&What) -> bool) -> Verdict<usize> {
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
    pub fn answered(&mut self, index: usize, outcome: Outcome) -> Verdict {
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
        self.check_allowed(room, index, plan)?;
        if let (Some(inbox), What::Join { newest, .. }) = (&mut self.inbox, &self.asked[index].what)
            && inbox.room == room
        {
            inbox.opened(event, *newest, truth, plan)?;
        }
        let own = self.inbox.as_ref().is_some_and(|inbox| inbox.room == room);
        let full = plan.odds.is_none();
        let count = event.history.len() as u64;
        let history = plan.rooms[room].history;
        ensure!(
            own || run.is_none_or(|(_, last)| last == position.offset),
            "joined at {position} with history {run:?}"
        );
        match (since, newest) {
            _ if own => {}
            (Some(since), newest) => {
                recovered(event.recovered, since, position, run, None, full.then_some(history), truth)?;
                let most = newest.unwrap_or(u64::MAX).min(history).min(position.offset);
                let due = event.recovered || count == most || !full && count < most;
                ensure!(due, "{count} messages where {most} were due, for what was lost");
            }
            (None, newest) => {
                let most = newest.unwrap_or(0).min(history).min(position.offset);
                ensure!(!event.recovered, "recovered without since");
                ensure!(count == most || !full && count < most, "{count} messages where {most} were asked");
            }
        }
        match self.members.get_mut(&room).filter(|member| !member.quiet) {
            Some(member) => {
                if !own {
                    member.watch.again(event)?;
                }
                self.catch_up(room, position, truth)?;
            }
            None => {
                let stay = match &self.inbox {
                    Some(inbox) if own => inbox.stay,
                    _ => {
                        truth.stays.push(Stay { conn: self.conn, room, seen: Vec::new(), lasts: false });
                        truth.stays.len() - 1
                    }
                };
                let watch = Watch::new(event, room, plan)?;
                self.members.insert(room, Member { at: position, stay, quiet: false, watch });
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

    fn published(&mut self, event: &Event<'_>, room: usize, truth: &mut Truth, plan: &Plan) -> Verdict {
        let index = self.find(event.id, room, |what| matches!(what, What::Publish(_)))?;
        self.check_inside(room, index)?;
        self.answered(index, Outcome::Done)?;
        let What::Publish(number) = self.asked[index].what else { return Ok(()) };
        let position = event.position()?;
        truth.placed(number, position, plan)?;
        // A leave behind it takes effect behind it; being taken out may come before.
        let taken = |asked: &Asked| asked.room == Some(room) && asked.what == What::TakenOut;
        let stays = !self.asked[index..].iter().any(taken);
        let said = &truth.said[number];
        // Under a key it may have been said before this connection was there.
        if said.excluded.is_none() && said.tries == 1 && stays && !plan.loses(room) {
            let member = self.members.get(&room).ok_or("published without being in the room")?;
            let seen = truth.stays[member.stay].seen.contains(&number);
            ensure!(seen, "message {number} was published before it came");
        }
        Ok(())
    }

    fn looked(&mut self, event: &Event<'_>, room: usize, truth: &mut Truth, plan: &Plan) -> Verdict {
        let index = self.find(event.id, room, |what| matches!(what, What::History { .. }))?;
        self.check_inside(room, index)?;
        self.answered(index, Outcome::Done)?;
        let What::History { since, limit } = self.asked[index].what else { return Ok(()) };
        let position = event.position()?.ok_or("history nowhere")?;
        looked(event, room, position, since, limit, truth, plan)?;
        let goes =
            |asked: &Asked| asked.room == Some(room) && matches!(asked.what, What::Leave | What::TakenOut);
        if self.asked[index..].iter().any(goes) {
            return Ok(());
        }
        self.catch_up(room, position, truth)
    }
}
