//! What an app asks the HTTP API.

use switchboard::position::Position;
use switchboard::room_key::Space;

use super::http::{Call, Http, OnBehalf, Retry};
use super::pass::API_KEY;
use super::plan::{Plan, USERS};
use super::random::Random;
use super::speech::{Kind, Speaker};
use super::truth::Truth;
use super::wire;

/// Who is there to be spoken of.
pub struct Cast {
    /// Connections that can be left out, by number and name.
    pub names: Vec<(usize, String)>,
    /// Streams on whose behalf something can be asked.
    pub streams: Vec<OpenStream>,
    /// The connections that hear announcements by now.
    pub welcomed: Vec<usize>,
}

/// A stream that has a name.
pub struct OpenStream {
    pub conn: usize,
    pub name: String,
    pub user: Option<String>,
    pub token: Option<String>,
    pub rooms: Vec<usize>,
}

impl Http {
    /// Makes up some requests.
    pub fn ask(&mut self, cast: &Cast, truth: &mut Truth, plan: &Plan, random: &mut Random) -> Vec<u8> {
        let mut out = Vec::new();
        for _ in 0..=random.below(3) {
            let room = *random.one(&plan.natives());
            let name = &plan.rooms[room].name;
            out.extend(match random.below(16) {
                0..4 => self.publish(room, cast, truth, plan, random),
                4..6 => self.batch(cast, truth, plan, random),
                6 => self.history(room, truth, plan, random),
                7 => self.call("GET", &format!("/api/rooms/{name}"), b"", Call::Members),
                8 => self.call("GET", "/api/rooms?limit=9", b"", Call::Rooms),
                9 => self.call("GET", &format!("/api/rooms/{name}/members"), b"", Call::Members),
                10..12 => self.about_user(name, truth, plan, random),
                12 => self.announce(cast, truth, plan, random),
                13..15 if !cast.streams.is_empty() => self.on_behalf(cast, truth, plan, random),
                _ => self.call("GET", "/nowhere", b"", Call::Missing),
            });
        }
        out
    }

    /// Notes a call, and writes it.
    pub fn call(&mut self, method: &str, target: &str, body: &[u8], call: Call) -> Vec<u8> {
        self.due.push_back(call);
        wire::request(method, target, Some(API_KEY), "", body)
    }

    /// Says something in a room; under a key so that it can be sent again.
    fn publish(
        &mut self,
        room: usize,
        cast: &Cast,
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> Vec<u8> {
        if !self.retries.is_empty() {
            let retry = self.retries.remove(0);
            truth.said[retry.number].tries += 1;
            truth.count("called again");
            return self.call("POST", &retry.target.clone(), &retry.body.clone(), Call::Keyed(retry));
        }
        let (number, mut body) = self.message(room, cast, truth, plan, random);
        let target = format!("/api/rooms/{}/messages", plan.rooms[room].name);
        if plan.odds.is_some() || random.chance(50) {
            return self.call("POST", &target, &body, Call::Publish(number));
        }
        body.pop();
        body.extend(format!(",\"idempotency_key\":\"{number}\"}}").bytes());
        let retry = Retry { number, target: target.clone(), body: body.clone() };
        self.call("POST", &target, &body, Call::Keyed(retry))
    }

    fn message(
        &self,
        room: usize,
        cast: &Cast,
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> (usize, Vec<u8>) {
        let names = &cast.names;
        let excluded = (random.chance(25) && !names.is_empty()).then(|| random.one(names));
        let from = random.chance(50).then(|| "app".to_owned());
        let stored = !random.chance(20);
        let conn = excluded.map(|(conn, _)| *conn);
        let speaker = Speaker { conn: self.conn, room, excluded: conn, stored, from: from.clone() };
        let number = speaker.say(Kind::Message, truth, plan, random);
        let mut body = b"{\"data\":".to_vec();
        body.extend_from_slice(&truth.said[number].data);
        if let Some((_, name)) = excluded {
            body.extend_from_slice(format!(",\"exclude\":\"{name}\"").as_bytes());
        }
        if let Some(from) = from {
            body.extend_from_slice(format!(",\"from\":\"{from}\"").as_bytes());
        }
        body.extend_from_slice(format!(",\"store\":{stored}").as_bytes());
        body.extend_from_slice(format!(",\"room\":\"{}\"}}", plan.rooms[room].name).as_bytes());
        (number, body)
    }

    fn batch(&mut self, cast: &Cast, truth: &mut Truth, plan: &Plan, random: &mut Random) -> Vec<u8> {
        let (mut numbers, mut bodies) = (Vec::new(), Vec::new());
        for _ in 0..random.below(5) {
            if random.chance(10) {
                numbers.push(None);
                bodies.push(b"{\"room\":\"$you\",\"data\":1}".to_vec());
            } else {
                let room = *random.one(&plan.natives());
                let (number, body) = self.message(room, cast, truth, plan, random);
                numbers.push(Some(number));
                bodies.push(body);
            }
        }
        let body = [b"{\"messages\":[", &bodies.join(&b","[..])[..], b"]}"].concat();
        self.call("POST", "/api/batch", &body, Call::Batch(numbers))
    }

    fn history(&mut self, room: usize, truth: &Truth, plan: &Plan, random: &mut Random) -> Vec<u8> {
        let (since, limit) = span(room, truth, random);
        let query = [since.map(|at| format!("since={at}")), limit.map(|limit| format!("limit={limit}"))];
        let query: Vec<_> = query.into_iter().flatten().collect();
        let target = format!("/api/rooms/{}/messages?{}", plan.rooms[room].name, query.join("&"));
        self.call("GET", &target, b"", Call::History(room, since, limit))
    }

    fn about_user(&mut self, room: &str, truth: &mut Truth, plan: &Plan, random: &mut Random) -> Vec<u8> {
        let user = *random.one(&USERS);
        match random.below(10) {
            0..4 if plan.kicks => {
                self.call("DELETE", &format!("/api/rooms/{room}/members/{user}"), b"", Call::Remove)
            }
            4 if plan.kicks => {
                self.call("DELETE", &format!("/api/users/{user}/connections"), b"", Call::Disconnect)
            }
            5 | 6 => self.call("GET", &format!("/api/users/{user}"), b"", Call::User),
            _ => self.notify(user, truth, plan, random),
        }
    }

    fn notify(&mut self, user: &str, truth: &mut Truth, plan: &Plan, random: &mut Random) -> Vec<u8> {
        let number = self.letter(user, truth, plan, random);
        let body = [b"{\"data\":", &truth.said[number].data[..], b"}"].concat();
        self.call("POST", &format!("/api/users/{user}/messages"), &body, Call::Notify(number))
    }

    /// Makes up a message to a user; its number.
    pub fn letter(&self, user: &str, truth: &mut Truth, plan: &Plan, random: &mut Random) -> usize {
        let inbox = plan.room(Space::User, user).unwrap_or_default();
        Speaker::app(self.conn, inbox).say(Kind::Notification, truth, plan, random)
    }

    fn announce(&mut self, cast: &Cast, truth: &mut Truth, plan: &Plan, random: &mut Random) -> Vec<u8> {
        let number = self.news(&cast.welcomed, truth, plan, random);
        let body = [b"{\"data\":", &truth.said[number].data[..], b"}"].concat();
        self.call("POST", "/api/broadcast", &body, Call::Announce(number))
    }

    /// Makes up an announcement, which `welcomed` are to hear; its number.
    pub fn news(&self, welcomed: &[usize], truth: &mut Truth, plan: &Plan, random: &mut Random) -> usize {
        let everybody = Speaker { stored: false, ..Speaker::app(self.conn, usize::MAX) };
        let number = everybody.say(Kind::Announcement, truth, plan, random);
        truth.announced.push((number, welcomed.to_vec()));
        number
    }

    /// Asks something on behalf of a stream.
    fn on_behalf(&mut self, cast: &Cast, truth: &mut Truth, plan: &Plan, random: &mut Random) -> Vec<u8> {
        let stream = random.one(&cast.streams);
        let (mut requests, mut bodies) = (Vec::new(), Vec::new());
        for index in 0..=random.below(3) {
            let room = *random.one(&stream.rooms);
            let (request, text) = self.request(stream, room, truth, plan, random);
            bodies.push(format!("{{\"id\":{index},{text}}}"));
            requests.push(request);
        }
        let body = format!("[{}]", bodies.join(","));
        self.due.push_back(Call::Requests(requests));
        wire::request("POST", &format!("/sse/{}", stream.name), stream.token.as_deref(), "", body.as_bytes())
    }

    fn request(
        &self,
        stream: &OpenStream,
        room: usize,
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> (OnBehalf, String) {
        let name = format!("\"room\":\"{}\"", plan.rooms[room].label());
        let inbox = plan.rooms[room].space == Space::User;
        match random.below(8) {
            0 => (OnBehalf::Ping, "\"type\":\"ping\"".into()),
            1 | 2 => {
                let (since, limit) = span(room, truth, random);
                let mut text = format!("\"type\":\"history\",{name}");
                text += &since.map(|since| format!(",\"since\":\"{since}\"")).unwrap_or_default();
                text += &limit.map(|limit| format!(",\"limit\":{limit}")).unwrap_or_default();
                (OnBehalf::History(room, since, limit), text)
            }
            _ if inbox => (OnBehalf::Ping, "\"type\":\"ping\"".into()),
            3 => (OnBehalf::Typing, format!("\"type\":\"typing\",{name}")),
            _ => {
                let excluded = random.chance(40).then_some(stream.conn);
                let (from, stored) = (stream.user.clone(), !random.chance(20));
                let speaker = Speaker { conn: self.conn, room, excluded, stored, from };
                let number = speaker.say(Kind::Message, truth, plan, random);
                let data = String::from_utf8_lossy(&truth.said[number].data);
                let echo = excluded.is_none();
                let text =
                    format!("\"type\":\"publish\",{name},\"echo\":{echo},\"store\":{stored},\"data\":{data}");
                (OnBehalf::Publish(number), text)
            }
        }
    }
}

/// A part of a room's history, somewhere before its end.
fn span(room: usize, truth: &Truth, random: &mut Random) -> (Option<Position>, Option<u64>) {
    let since = truth.places.keys().rev().find(|(other, ..)| *other == room);
    let back = random.below(9) as u64;
    let since = since.map(|&(_, epoch, offset)| Position { epoch, offset: offset.saturating_sub(back) });
    (since, random.chance(50).then(|| random.below(4) as u64))
}
