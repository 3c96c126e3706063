//! What a client of the native dialect is refused, and whether it may be.

use super::event::Event;
use super::native::{Inside, Native, Outcome, What};
use super::plan::Plan;
use super::truth::ensure;
use super::truth::{Truth, Verdict};

impl Native {
    /// The answer to a request about no room.
    pub fn other(&mut self, event: &Event<'_>, expected: &'static str) -> Verdict {
        let index = event.id.ok_or("an answer without id")?;
        let asked = self.asked.get_mut(index).ok_or("an answer to nothing")?;
        ensure!(
            asked.outcome == Outcome::Open && asked.what == What::Other(expected),
            "{expected} for {asked:?}"
        );
        asked.outcome = Outcome::Done;
        Ok(())
    }

    /// A request is refused.
    pub fn error(
        &mut self,
        event: &Event<'_>,
        room: Option<usize>,
        truth: &mut Truth,
        plan: &Plan,
    ) -> Verdict {
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
        if let What::Auth(pass) = asked.what {
            let over = self.passes.get(pass).is_some_and(|pass| pass.is_over(truth.now_ms));
            ensure!(over && code == "unauthorized", "{code} for a good token");
            self.asked[index].outcome = Outcome::Refused;
            return Ok(());
        }
        let named = room == asked.room || matches!(asked.what, What::Direct(_));
        ensure!(named, "an error of another room: {event:?}");
        match code {
            "not_joined" => {
                let inside = room.map_or(Inside::Yes, |room| self.is_inside(room, index));
                let outside = matches!(inside, Inside::No | Inside::Unsure);
                ensure!(outside, "request {index} found its room not joined: {asked:?}");
                self.asked[index].outcome = Outcome::Refused;
            }
            "unavailable" if plan.odds.is_some() && matches!(asked.what, What::Direct(_)) => {
                self.asked[index].outcome = Outcome::Refused;
            }
            "unavailable" if plan.odds.is_some() && asked.what != What::Leave => {
                self.answered(index, Outcome::Refused)?
            }
            "forbidden" if matches!(asked.what, What::Join { .. }) => {
                truth.count("forbidden");
                let room = room.unwrap_or(usize::MAX);
                ensure!(self.may_be_forbidden(room, index, plan), "room {room} is forbidden");
                self.asked[index].outcome = Outcome::Refused;
            }
            "room_full" if matches!(asked.what, What::Join { .. }) => {
                let limit = room.map_or(0, |room| plan.rooms[room].max_members);
                ensure!(limit > 0, "room_full in a room that is never full");
                self.answered(index, Outcome::Refused)?;
            }
            _ => return Err(format!("{code} for {asked:?}")),
        }
        if let What::Publish(number) | What::Direct(number) = asked.what {
            truth.refused(number);
        }
        Ok(())
    }
}
