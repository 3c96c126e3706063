//! What a client of the native dialect asks.

use switchboard::position::Position;
use switchboard::room_key::Space;

use super::native::{Asked, Inside, Native, What};
use super::pass::Pass;
use super::plan::{Plan, USERS};
use super::plant::Plant;
use super::random::Random;
use super::speech::{Kind, Speaker};
use super::truth::Truth;
use super::wire;

impl Native {
    /// Makes up a request, or some that go together.
    pub fn ask(&mut self, truth: &mut Truth, plan: &Plan, random: &mut Random) -> Vec<u8> {
        let room = *random.one(&plan.natives());
        let missed = self.inbox.as_ref().is_some_and(|inbox| inbox.since.is_some() && !inbox.opened);
        if random.chance(if missed { 40 } else { 20 }) {
            return self.ask_about_people(truth, plan, random);
        }
        if let Some(bytes) = self.try_again(truth, plan, random) {
            return bytes;
        }
        let first = self.asked.len();
        let mut requests = vec![self.request(room, truth, plan, random)];
        while random.chance(40) {
            requests.push(self.request(room, truth, plan, random));
        }
        let joins = matches!(self.asked[first].what, What::Join { .. });
        if plan.plant == Plant::NoParking && requests.len() > 1 && joins {
            requests.swap(0, 1);
        }
        requests.concat()
    }

    fn request(&mut self, room: usize, truth: &mut Truth, plan: &Plan, random: &mut Random) -> Vec<u8> {
        let inside = self.is_inside(room, self.asked.len()) != Inside::No;
        let choice = random.below(if inside { 24 } else { 8 });
        let silent = plan.silent && random.chance(20);
        let (what, text) = match choice {
            0..4 if !inside => self.join(room, random),
            0 | 4 => self.join(room, random),
            1 | 5 => (What::Leave, "\"type\":\"leave\"".into()),
            2 | 6 => self.history(room, random),
            3 | 7 => return self.odd(random),
            8..11 => (What::Typing, format!("\"type\":\"typing\",\"active\":{}", !random.chance(30))),
            11 => (What::Members, "\"type\":\"members\"".into()),
            _ => return self.publish(room, silent, truth, plan, random),
        };
        let id = !(silent && what == What::Leave);
        if what == What::Leave
            && !id
            && let Some(member) = self.members.get_mut(&room)
        {
            member.quiet = true;
        }
        self.send(
            Some(room),
            what,
            &format!("{text},\"room\":\"{}\"", plan.rooms[room].label()),
            id,
            truth,
            random,
        )
    }

    /// Notes a request, and writes it.
    fn send(
        &mut self,
        room: Option<usize>,
        what: What,
        text: &str,
        id: bool,
        truth: &Truth,
        random: &mut Random,
    ) -> Vec<u8> {
        let number = if id { format!(" , \"id\" : {}", self.asked.len()) } else { String::new() };
        let json = format!("{{{text}{number}}}");
        self.asked.push(Asked::new(room, what, id));
        truth.trace(|| format!("{} asks {json}", self.conn));
        let mut out = Vec::new();
        wire::message(wire::TEXT, json.as_bytes(), random, &mut out);
        out
    }

    fn join(&self, room: usize, random: &mut Random) -> (What, String) {
        let known = self.known.get(&room);
        let since = match random.below(10) {
            0 => Some(None),
            1 => known.map(|at| Some(Position { offset: at.offset + 9, ..*at })),
            2 => known.map(|at| Some(Position { offset: at.offset.saturating_sub(3), ..*at })),
            3 => None,
            _ => known.map(|at| Some(*at)),
        };
        let newest = random.chance(30).then(|| random.below(5) as u64);
        let mut text = "\"type\":\"join\"".to_owned();
        if let Some(since) = since {
            text += &format!(",\"since\":\"{}\"", since.map_or("rubbish".into(), |since| since.to_string()));
        }
        if let Some(newest) = newest {
            text += &format!(",\"history\":{newest}");
        }
        (What::Join { since, newest }, text)
    }

    fn history(&self, room: usize, random: &mut Random) -> (What, String) {
        let back = random.below(6) as u64;
        let since = self.known.get(&room).filter(|_| random.chance(60));
        let since = since.map(|at| Position { offset: at.offset.saturating_sub(back), ..*at });
        let limit = random.chance(60).then(|| random.below(5) as u64);
        let mut text = "\"type\":\"history\"".to_owned();
        if let Some(since) = since {
            text += &format!(",\"since\":\"{since}\"");
        }
        if let Some(limit) = limit {
            text += &format!(",\"limit\":{limit}");
        }
        (What::History { since, limit }, text)
    }

    /// Says something; under a key sometimes twice.
    fn publish(
        &mut self,
        room: usize,
        silent: bool,
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> Vec<u8> {
        // An engine that fails late says what it says that it does not, so nobody can try again.
        let keyed = plan.odds.is_none() && random.chance(30);
        let (echo, stored) = (keyed || !random.chance(25), !random.chance(20));
        let excluded = (!echo).then_some(self.conn);
        let speaker = Speaker { conn: self.conn, room, excluded, stored, from: self.user.clone() };
        let number = speaker.say(Kind::Message, truth, plan, random);
        let mut out = self.say(number, keyed, keyed || !silent, truth, plan, random);
        if keyed && random.chance(30) {
            truth.said[number].tries += 1;
            out.extend(self.say(number, keyed, true, truth, plan, random));
        }
        out
    }

    fn say(
        &mut self,
        number: usize,
        keyed: bool,
        id: bool,
        truth: &Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> Vec<u8> {
        if keyed {
            self.keyed.push(number);
        }
        let said = &truth.said[number];
        let (data, name) = (String::from_utf8_lossy(&said.data), &plan.rooms[said.room].name);
        let key = if keyed { format!(",\"idempotency_key\":\"key {number}\"") } else { String::new() };
        let text = format!(
            "\"type\":\"publish\",\"echo\":{},\"store\":{},\"data\": {data}{key},\"room\":\"{name}\"",
            said.excluded.is_none(),
            said.stored
        );
        self.send(Some(said.room), What::Publish(number), &text, id, truth, random)
    }

    /// Says once more what an earlier connection got no answer for.
    fn try_again(&mut self, truth: &mut Truth, plan: &Plan, random: &mut Random) -> Option<Vec<u8>> {
        // A key is its user's on whichever connection; a guest's ended with the connection.
        let own = |number: usize| self.user.is_some() && truth.said[number].from == self.user;
        let here = |number: &usize| own(*number) && self.members.contains_key(&truth.said[*number].room);
        let index = self.retries.iter().position(here)?;
        let number = self.retries.remove(index);
        truth.said[number].tries += 1;
        truth.count("tried again");
        Some(self.say(number, true, true, truth, plan, random))
    }

    fn ask_about_people(&mut self, truth: &mut Truth, plan: &Plan, random: &mut Random) -> Vec<u8> {
        let to = *random.one(&USERS);
        let inbox = plan.room(Space::User, to).unwrap_or_default();
        match random.below(10) {
            0..4 if self.inbox.is_some() => self.open_inbox(truth, plan, random),
            4..7 if plan.guarded && self.user.is_some() => self.renew(truth, plan, random),
            _ => {
                let speaker = Speaker {
                    conn: self.conn,
                    room: inbox,
                    excluded: None,
                    stored: true,
                    from: self.user.clone(),
                };
                let number = speaker.say(Kind::Direct, truth, plan, random);
                let data = String::from_utf8_lossy(&truth.said[number].data).into_owned();
                let text = format!("\"type\":\"direct\",\"to\":\"{to}\",\"data\":{data}");
                self.send(Some(inbox), What::Direct(number), &text, true, truth, random)
            }
        }
    }

    /// Joins the inbox, leaves it later, or asks what was there.
    fn open_inbox(&mut self, truth: &mut Truth, plan: &Plan, random: &mut Random) -> Vec<u8> {
        let Some(inbox) = &self.inbox else { return Vec::new() };
        let (room, since) = (inbox.room, inbox.since);
        let joined = self
            .asked
            .iter()
            .any(|asked| asked.room == Some(room) && matches!(asked.what, What::Join { .. }));
        let (what, text) = match random.below(4) {
            _ if !joined => {
                let newest = since.is_none().then(|| random.below(5) as u64);
                let since = since.map(Some);
                let asks = match (since, newest) {
                    (Some(Some(since)), _) => format!("\"since\":\"{since}\""),
                    (_, newest) => format!("\"history\":{}", newest.unwrap_or(0)),
                };
                (What::Join { since, newest }, format!("\"type\":\"join\",{asks}"))
            }
            0 => (What::Leave, "\"type\":\"leave\"".into()),
            _ => (What::Members, "\"type\":\"members\"".into()),
        };
        self.send(
            Some(room),
            what,
            &format!("{text},\"room\":\"{}\"", plan.rooms[room].label()),
            true,
            truth,
            random,
        )
    }

    /// Shows a fresh token.
    fn renew(&mut self, truth: &mut Truth, plan: &Plan, random: &mut Random) -> Vec<u8> {
        let user = self.user.clone().unwrap_or_default();
        let pass = Pass::mint(&user, truth.now_ms, plan, random);
        let text = format!("\"type\":\"auth\",\"token\":\"{}\"", pass.token);
        self.passes.push(pass);
        self.send(None, What::Auth(self.passes.len() - 1), &text, true, truth, random)
    }

    /// A request about no room.
    fn odd(&mut self, random: &mut Random) -> Vec<u8> {
        let id = self.asked.len();
        let (expected, json) = *random.one(&[
            ("pong", "\"type\":\"ping\""),
            ("unknown_type", "\"type\":\"dance\""),
            ("bad_room", "\"type\":\"join\",\"room\":\"$you\""),
            ("bad_request", "\"type\":\"publish\",\"room\":\"a\""),
        ]);
        self.asked.push(Asked::new(None, What::Other(expected), true));
        let mut out = Vec::new();
        wire::message(wire::TEXT, format!("{{\"id\":{id},{json}}}").as_bytes(), random, &mut out);
        out
    }
}
