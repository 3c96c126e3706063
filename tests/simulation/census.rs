//! What is counted when everything is at rest: people in rooms, users, and whom a word to a user or to everybody reaches.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::room_key::Space;

use super::conn::{Conn, Tongue};
use super::event::Event;
use super::http::Call;
use super::plan::{Role, USERS};
use super::truth::Verdict;
use super::truth::ensure;
use super::world::World;

impl World {
    /// Checks what members, homes and the API say of people.
    pub fn check_people(&mut self) -> Verdict {
        self.check_watches()?;
        self.check_users()?;
        self.check_announced()?;
        self.check_reached()?;
        for user in USERS {
            self.look_up(user)?;
        }
        if self.plan.odds.is_none() {
            for room in self.plan.natives() {
                self.look_into(room)?;
            }
            for user in USERS {
                self.write_to(user)?;
            }
        }
        self.tell_everybody()?;
        if self.plan.guarded {
            return Ok(());
        }
        USERS.into_iter().try_for_each(|user| self.come_once_more(user))
    }

    fn live_conns(&self) -> impl Iterator<Item = &Conn> {
        self.live().into_iter().map(|(_, number)| &self.conns[number])
    }

    fn connections(&self, user: &str) -> usize {
        self.live_conns().filter(|conn| conn.user() == Some(user)).count()
    }

    /// The named people in a room, and how many there are with the guests.
    fn people(&self, room: usize) -> (BTreeSet<String>, usize) {
        let there = || self.live_conns().filter(move |conn| conn.rooms().contains(&room));
        let named: BTreeSet<String> = there().filter_map(|conn| conn.user().map(str::to_owned)).collect();
        let count = named.len() + there().filter(|conn| conn.user().is_none()).count();
        (named, count)
    }

    /// Everybody was told who is there.
    fn check_watches(&self) -> Verdict {
        for room in self.plan.natives() {
            let (named, count) = self.people(room);
            for conn in self.live_conns() {
                let Some((_, watch)) = conn.standing(room) else { continue };
                let checked = watch.rest(&named, count, &self.plan.rooms[room]);
                checked.map_err(|error| format!("connection {}: {error}", conn.id))?;
            }
        }
        Ok(())
    }

    /// The users that are known are those who are there, with no more connections than they may have.
    pub fn check_users(&self) -> Verdict {
        let there: BTreeSet<&str> = self.live_conns().filter_map(Conn::user).collect();
        let known: usize = self.nodes.iter().map(|node| node.shard.users()).sum();
        ensure!(known == there.len(), "{known} users are known, and {there:?} are there");
        let (most, _) = self.plan.quota;
        for user in there {
            let connections = self.connections(user);
            ensure!(most == 0 || connections <= most, "{user} has {connections} connections, not {most}");
        }
        Ok(())
    }

    /// Whoever was there before an announcement, and is there now, has heard it.
    fn check_announced(&self) -> Verdict {
        for conn in self.live_conns() {
            let Some(heard) = conn.announced() else { continue };
            let mut last = BTreeMap::new();
            for &number in heard {
                let before = last.insert(self.truth.said[number].conn, number);
                ensure!(before < Some(number), "connection {} heard {number} behind {before:?}", conn.id);
            }
            let due = self.truth.announced.iter().filter(|(number, there)| {
                there.contains(&conn.id) && self.truth.said[*number].fate.is_said()
            });
            for (number, _) in due {
                ensure!(heard.contains(number), "connection {} has not heard announcement {number}", conn.id);
            }
        }
        Ok(())
    }

    /// What is said to have reached so many connections came to as many. A stream that is just coming in may hear what it
    /// is not counted for, and whoever is going may be counted.
    fn check_reached(&self) -> Verdict {
        if !self.plan.is_calm() || self.plan.roles.contains(&Role::Stream) {
            return Ok(());
        }
        for (number, &told) in &self.truth.reached {
            let heard = self.truth.stays.iter().filter(|stay| stay.seen.contains(number)).count();
            ensure!(heard == told, "message {number} reached {told} connections, and came to {heard}");
        }
        Ok(())
    }

    /// Calls the API; its answer.
    pub fn probe(&mut self, method: &str, target: &str, body: &[u8]) -> Verdict<Vec<u8>> {
        let number = self.visit(Role::Http, None);
        let Tongue::Http(http) = &mut self.conns[number].tongue else { return Err("no app".into()) };
        let bytes = http.call(method, target, body, Call::Probe);
        self.sockets[number].send(&bytes);
        self.settle()?;
        match &mut self.conns[number].tongue {
            Tongue::Http(http) => http.probed.pop().ok_or("an app without an answer".into()),
            _ => Err("no app".into()),
        }
    }

    /// The API says where a user is.
    fn look_up(&mut self, user: &str) -> Verdict {
        let connections = self.connections(user);
        let own = self.live_conns().filter(|conn| conn.user() == Some(user)).flat_map(Conn::rooms);
        let rooms: BTreeSet<String> = own
            .filter(|&room| self.plan.rooms[room].space == Space::Native)
            .map(|room| self.plan.rooms[room].name.clone())
            .collect();
        let body = self.probe("GET", &format!("/api/users/{user}"), b"")?;
        let answer = Event::read(&body)?;
        let named = answer.rooms.iter().map(|name| name.get().trim_matches('"').to_owned());
        let (told, named) = (answer.connections, named.collect::<BTreeSet<_>>());
        ensure!(
            (told, &named) == (connections, &rooms),
            "{user} is there {connections} times in {rooms:?}, not {told} in {named:?}"
        );
        Ok(())
    }

    /// The API says who is in a room.
    fn look_into(&mut self, room: usize) -> Verdict {
        let (named, count) = self.people(room);
        let body = self.probe("GET", &format!("/api/rooms/{}/members", self.plan.rooms[room].name), b"")?;
        let answer = Event::read(&body)?;
        let users = answer.users.iter().flatten().filter_map(|person| person.user.as_deref());
        let told: BTreeSet<String> = users.map(str::to_owned).collect();
        ensure!(
            (answer.count, &told) == (count, &named),
            "{told:?} of {} are in room {room}, not {named:?} of {count}",
            answer.count
        );
        Ok(())
    }

    /// A word to a user reaches all who listen, and the answer says how many that are.
    fn write_to(&mut self, user: &str) -> Verdict {
        let there: Vec<usize> = self
            .live_conns()
            .filter(|conn| conn.user() == Some(user) && conn.listens())
            .map(|conn| conn.id)
            .collect();
        let number = self.visit(Role::Http, None);
        let Self { conns, truth, plan, random, .. } = self;
        let Tongue::Http(http) = &mut conns[number].tongue else { return Ok(()) };
        let said = http.letter(user, truth, plan, random);
        let body = [b"{\"data\":", &truth.said[said].data[..], b"}"].concat();
        let answer = self.probe("POST", &format!("/api/users/{user}/messages"), &body)?;
        let answer = Event::read(&answer)?;
        ensure!(
            answer.connections == there.len(),
            "{} connections of {user} hear, and {there:?} listen",
            answer.connections
        );
        self.truth.placed(said, answer.position()?, &self.plan)?;
        let heard = |stay: &&super::truth::Stay| stay.seen.contains(&said);
        let heard: BTreeSet<usize> = self.truth.stays.iter().filter(heard).map(|stay| stay.conn).collect();
        ensure!(heard == there.iter().copied().collect(), "{heard:?} heard what was for {there:?}");
        Ok(())
    }

    /// A word to everybody reaches all, and the answer says how many that are.
    fn tell_everybody(&mut self) -> Verdict {
        let welcomed = self.cast().welcomed;
        let number = self.visit(Role::Http, None);
        let Self { conns, truth, plan, random, .. } = self;
        let Tongue::Http(http) = &mut conns[number].tongue else { return Ok(()) };
        let said = http.news(&welcomed, truth, plan, random);
        let body = [b"{\"data\":", &truth.said[said].data[..], b"}"].concat();
        let answer = self.probe("POST", "/api/broadcast", &body)?;
        let told = Event::read(&answer)?.connections;
        ensure!(told == welcomed.len(), "{told} connections are told, and {welcomed:?} are there");
        self.truth.placed(said, None, &self.plan)?;
        self.check_announced()
    }

    /// One connection more comes in if there is room, and nobody's place is held by somebody who has gone.
    fn come_once_more(&mut self, user: &str) -> Verdict {
        let ((most, evicts), connections) = (self.plan.quota, self.connections(user));
        let number = self.visit(Role::Native, Some(user));
        self.settle()?;
        self.come_to_rest()?;
        let welcome = most == 0 || evicts || connections < most;
        let welcomed = self.conns[number].name().is_some();
        ensure!(welcome == welcomed, "{user} has {connections} connections: one more is welcome: {welcomed}");
        let due = if most == 0 { connections + 1 } else { (connections + 1).min(most) };
        let left = self.connections(user);
        ensure!(left == due, "{user} has {left} connections, not {due}");
        Ok(())
    }
}
