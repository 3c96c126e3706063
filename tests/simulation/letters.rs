//! What a client of the native dialect hears of users: what is sent to them, who they are by their tokens, and that they
//! have to leave a room.

use super::event::Event;
use super::native::{Asked, Native, Outcome, What};
use super::plan::Plan;
use super::truth::ensure;
use super::truth::{Fate, Truth, Verdict};

impl Native {
    pub fn letter(&mut self, json: &[u8], truth: &mut Truth, plan: &Plan) -> Verdict {
        let inbox = self.inbox.as_mut().ok_or("a letter to a guest")?;
        let position = inbox.hear(json, truth, plan)?;
        // What came unasked says nothing of what was there before it.
        if inbox.opened {
            self.known.insert(inbox.room, position);
        }
        if let Some(member) = self.members.get_mut(&inbox.room) {
            member.at = position;
        }
        Ok(())
    }

    pub fn delivered(&mut self, event: &Event<'_>, truth: &mut Truth, plan: &Plan) -> Verdict {
        let room = event.to.as_deref().and_then(|to| plan.called("$me", Some(to))).ok_or("a strange user")?;
        let index = self.find(event.id, room, |what| matches!(what, What::Direct(_)))?;
        let What::Direct(number) = self.asked[index].what else { return Ok(()) };
        let direct = |asked: &Asked| matches!(asked.what, What::Direct(_)) && asked.room == Some(room);
        let earlier = self.asked[..index].iter().find(|asked| direct(asked) && asked.is_due());
        ensure!(earlier.is_none(), "request {index} was answered before {earlier:?}");
        self.asked[index].outcome = Outcome::Done;
        truth.reached.insert(number, event.connections);
        truth.said[number].fate = match truth.said[number].fate {
            Fate::Open => Fate::Delivered,
            fate => fate,
        };
        // To oneself, too, a message comes before the answer.
        let own = self.inbox.as_ref().filter(|inbox| inbox.room == room);
        ensure!(own.is_none_or(|own| own.heard.contains(&number)), "{number} was delivered before it came");
        Ok(())
    }

    pub fn renewed(&mut self, event: &Event<'_>, truth: &mut Truth) -> Verdict {
        truth.count("renewed");
        let index = event.id.ok_or("an answer without id")?;
        let asked = self.asked.get_mut(index).ok_or("an answer to nothing")?;
        ensure!(
            matches!(asked.what, What::Auth(_)) && asked.outcome == Outcome::Open,
            "auth_ok for {asked:?}"
        );
        asked.outcome = Outcome::Done;
        ensure!(event.user.as_deref() == self.user.as_deref(), "auth_ok, {:?}", event.user);
        Ok(())
    }

    pub fn roster(&mut self, event: &Event<'_>, room: usize) -> Verdict {
        let index = self.find(event.id, room, |what| *what == What::Members)?;
        self.check_inside(room, index)?;
        self.answered(index, Outcome::Done)?;
        match self.members.get(&room) {
            Some(member) if !member.quiet && Some(room) != self.inbox.as_ref().map(|inbox| inbox.room) => {
                member.watch.roster(event)
            }
            _ => Ok(()),
        }
    }

    pub fn left(&mut self, event: &Event<'_>, room: usize, truth: &mut Truth, plan: &Plan) -> Verdict {
        match event.reason.as_deref() {
            None => {}
            Some("removed by the app") if plan.kicks && self.user.is_some() => {
                truth.count("kicked");
                self.taken_out(room);
                return Ok(());
            }
            Some("no longer allowed") => {
                truth.count("narrowed");
                let forbidden = self.pass(self.asked.len()).is_some_and(|pass| !pass.allows(room, plan));
                ensure!(forbidden, "room {room} is allowed, and was left");
                self.taken_out(room);
                return Ok(());
            }
            reason => return Err(format!("left for {reason:?}")),
        }
        let index = self.find(event.id, room, |what| *what == What::Leave)?;
        self.check_inside(room, index)?;
        self.asked[index].outcome = Outcome::Done;
        self.members.remove(&room);
        Ok(())
    }

    /// Whoever is let in has a token for it, by the last that was taken.
    pub fn check_allowed(&self, room: usize, index: usize, plan: &Plan) -> Verdict {
        for index in [index, self.asked.len()] {
            let allowed = self.pass(index).is_none_or(|pass| pass.allows(room, plan));
            ensure!(allowed, "joined room {room}, which the token does not name");
        }
        Ok(())
    }
}
