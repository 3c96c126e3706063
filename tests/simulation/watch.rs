//! What a member is told of the people in a room: who is there, how many they are, and who is writing.

use std::collections::{BTreeMap, BTreeSet};

use super::event::Event;
use super::plan::{Plan, Room};
use super::truth::Verdict;
use super::truth::ensure;

/// The people of a room as one member knows them.
#[derive(Debug)]
pub struct Watch {
    /// The named ones.
    people: BTreeSet<String>,
    /// How many there are.
    count: usize,
    /// Whether those who were told of are writing.
    typing: BTreeMap<String, bool>,
    /// Above so many people they are not named.
    limit: usize,
}

impl Watch {
    /// What an answer to a join says.
    pub fn new(event: &Event<'_>, room: usize, plan: &Plan) -> Verdict<Self> {
        let limit = plan.rooms[room].presence_limit as usize;
        let watch = Self { people: names(event), count: event.count, typing: BTreeMap::new(), limit };
        if plan.rooms[room].label() != "$me" {
            watch.check_list(event)?;
        }
        Ok(watch)
    }

    fn check_list(&self, event: &Event<'_>) -> Verdict {
        let (count, named) = (event.count, names(event).len());
        ensure!(
            event.users.is_some() == (count <= self.limit),
            "{count} people, and a list: {:?}",
            event.users
        );
        ensure!(count >= named, "{count} people, and {named} have a name");
        Ok(())
    }

    /// Whether people are named one by one, for all that anybody did.
    fn is_exact(&self) -> bool {
        self.limit > 9
    }

    /// An answer says once more who is there.
    pub fn again(&mut self, event: &Event<'_>) -> Verdict {
        self.check_list(event)?;
        let people = names(event);
        ensure!(!self.is_exact() || self.people == people, "{:?} are there, not {people:?}", self.people);
        (self.people, self.count) = (people, event.count);
        Ok(())
    }

    /// A page of the members says who is there, whatever their number.
    pub fn roster(&self, event: &Event<'_>) -> Verdict {
        let people = names(event);
        ensure!(event.count >= people.len(), "{} people, and {} have a name", event.count, people.len());
        ensure!(!self.is_exact() || self.people == people, "{:?} are there, not {people:?}", self.people);
        Ok(())
    }

    /// Takes news; whether it was news of people.
    pub fn hear(&mut self, event: &Event<'_>, own: Option<&str>) -> Verdict<bool> {
        match &*event.kind {
            "user_joined" => self.person(event, true)?,
            "user_left" => self.person(event, false)?,
            "count" => self.number(event)?,
            "typing" => self.typing(event, own)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn person(&mut self, event: &Event<'_>, came: bool) -> Verdict {
        let user = event.user.as_deref().ok_or("news of nobody")?;
        let new = if came { self.people.insert(user.into()) } else { self.people.remove(user) };
        ensure!(new || !self.is_exact(), "{} {user}, which was told before", event.kind);
        ensure!(event.count <= self.limit, "{} people, and {user} is named", event.count);
        let named = self.people.len();
        ensure!(event.count >= named || !self.is_exact(), "{} people, {named} have a name", event.count);
        // A user who is not there is not writing.
        let writes = !came && self.typing.get(user) == Some(&true);
        ensure!(!writes, "{user} left, and is writing");
        self.count = event.count;
        Ok(())
    }

    fn number(&mut self, event: &Event<'_>) -> Verdict {
        ensure!(self.limit < 9, "people are counted who could be named");
        self.count = event.count;
        Ok(())
    }

    fn typing(&mut self, event: &Event<'_>, own: Option<&str>) -> Verdict {
        let user = event.user.as_deref().ok_or("nobody is writing")?;
        ensure!(own != Some(user), "{user} is told of its own writing");
        let before = self.typing.insert(user.into(), event.active);
        // Who comes while somebody is writing hears only of the end.
        let fits = before.is_none_or(|before| before != event.active);
        ensure!(fits, "{user} is writing: {} twice", event.active);
        Ok(())
    }

    /// At rest: it knows who is there, and nobody is writing.
    pub fn rest(&self, there: &BTreeSet<String>, count: usize, room: &Room) -> Verdict {
        let exact = self.is_exact();
        ensure!(
            !exact || self.people == *there,
            "was told of {:?} in {}, not {there:?}",
            self.people,
            room.name
        );
        let counted = !exact && count > self.limit;
        ensure!(
            !counted || self.count == count,
            "was told of {} people in {}, not {count}",
            self.count,
            room.name
        );
        let writing = self.typing.iter().find(|(_, active)| **active);
        ensure!(writing.is_none(), "{writing:?} never ends in {}", room.name);
        Ok(())
    }
}

fn names(event: &Event<'_>) -> BTreeSet<String> {
    let people = event.users.iter().flatten();
    people.filter_map(|person| person.user.as_deref().map(str::to_owned)).collect()
}
