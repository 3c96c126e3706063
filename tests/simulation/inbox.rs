//! What one connection hears of its user's inbox: from its welcome on, whether it has joined or not.

use std::collections::BTreeSet;

use switchboard::position::Position;

use super::event::{self, Event};
use super::plan::Plan;
use super::recovery::recovered;
use super::truth::ensure;
use super::truth::{Stay, Truth, Verdict};

/// An inbox, as one connection has it.
#[derive(Debug)]
pub struct Inbox {
    pub room: usize,
    /// What the client had when it connected.
    pub since: Option<Position>,
    pub stay: usize,
    /// The newest place that came.
    pub at: Option<Position>,
    /// Every message that came, live or as history.
    pub heard: BTreeSet<usize>,
    /// Where they were.
    places: BTreeSet<(u32, u64)>,
    /// Its history was asked for and given.
    pub opened: bool,
}

impl Inbox {
    pub fn new(conn: usize, room: usize, since: Option<Position>, truth: &mut Truth) -> Self {
        truth.stays.push(Stay { conn, room, seen: Vec::new(), lasts: false });
        let stay = truth.stays.len() - 1;
        Self { room, since, stay, at: None, heard: BTreeSet::new(), places: BTreeSet::new(), opened: false }
    }

    /// A message came as it was said.
    pub fn hear(&mut self, json: &[u8], truth: &mut Truth, plan: &Plan) -> Verdict<Position> {
        let (number, position) = event::message(json, self.room, truth, plan)?;
        let position = position.ok_or(format!("message {number} has no place"))?;
        truth.count("letter");
        if let Some(at) = self.at {
            let next = position.epoch == at.epoch && position.offset == at.offset + 1;
            let lost = plan.odds.is_some() && position.epoch != at.epoch;
            ensure!(next || lost, "message {number} at {position} comes behind {at}");
        }
        self.at = Some(position);
        self.add(number, position)?;
        truth.stays[self.stay].seen.push(number);
        Ok(position)
    }

    fn add(&mut self, number: usize, position: Position) -> Verdict {
        ensure!(self.heard.insert(number), "message {number} came twice to one connection");
        self.places.insert((position.epoch, position.offset));
        Ok(())
    }

    /// The inbox was joined: with what came before, that is all since the client was here last.
    pub fn opened(
        &mut self,
        event: &Event<'_>,
        newest: Option<u64>,
        truth: &mut Truth,
        plan: &Plan,
    ) -> Verdict {
        let end = event.position()?.ok_or("joined nowhere")?;
        let early = self.places.iter().filter(|(epoch, _)| *epoch == end.epoch).count() as u64;
        let first = self.places.range((end.epoch, 0)..).next().map(|(_, offset)| *offset);
        let run = event::excerpt(&event.history, self.room, end, truth, plan)?;
        for json in &event.history {
            let (number, position) = event::message(json.get().as_bytes(), self.room, truth, plan)?;
            self.add(number, position.unwrap_or(end))?;
        }
        let behind = run.map_or(first, |(_, last)| Some(last + 1));
        ensure!(first.is_none_or(|first| Some(first) == behind), "history {run:?} before {first:?}");
        if let Some(at) = self.at.filter(|at| at.epoch == end.epoch) {
            ensure!(at == end, "joined at {end}, and {at} came before");
        }
        self.at = Some(end);
        self.opened = true;
        // With what came early it is one run.
        let early_run = first.map(|first| (first, end.offset));
        let whole = match (run, early_run) {
            (Some((first, _)), Some((_, last))) => Some((first, last)),
            (run, early_run) => run.or(early_run),
        };
        let held = plan.rooms[self.room].history;
        match self.since {
            Some(since) => {
                let reached = plan.odds.is_none().then_some(held);
                truth.count("inbox resumed");
                recovered(event.recovered, Some(since), end, whole, None, reached, truth)
            }
            None if plan.odds.is_none() => {
                let due = newest.unwrap_or(0).min(held).min(end.offset);
                let (count, most) = (event.history.len() as u64, due.saturating_sub(early));
                ensure!(count == most, "{count} messages where {due} were asked, and {early} came early");
                Ok(())
            }
            None => Ok(()),
        }
    }
}
