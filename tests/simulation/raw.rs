//! A client of the raw dialect: whatever it says goes to the others as it is, and to itself if it wants that.

use super::plan::Plan;
use super::random::Random;
use super::speech::{Kind, Speaker};
use super::truth::ensure;
use super::truth::{Fate, Stay, Truth, Verdict};
use super::wire;

/// One connection.
pub struct Raw {
    conn: usize,
    room: usize,
    echo: bool,
    stay: usize,
    pub user: Option<String>,
    /// What it said, by number.
    said: Vec<usize>,
    /// How much of that has come back.
    back: usize,
}

impl Raw {
    pub fn new(conn: usize, room: usize, echo: bool, user: Option<String>, truth: &mut Truth) -> Self {
        truth.stays.push(Stay { conn, room, seen: Vec::new(), lasts: false });
        Self { conn, room, echo, stay: truth.stays.len() - 1, user, said: Vec::new(), back: 0 }
    }

    /// The request that begins the connection.
    pub fn target(&self, plan: &Plan) -> String {
        let echo = if self.echo { "echo=1&" } else { "" };
        let user = self.user.as_ref().map(|user| format!("user={user}")).unwrap_or_default();
        format!("/raw/{}?{echo}{user}", plan.rooms[self.room].name)
    }

    pub fn room(&self) -> usize {
        self.room
    }

    /// Says something, or some things at once.
    pub fn ask(&mut self, truth: &mut Truth, plan: &Plan, random: &mut Random) -> Vec<u8> {
        let mut out = Vec::new();
        for _ in 0..=random.below(3) {
            let excluded = (!self.echo).then_some(self.conn);
            let speaker = Speaker { conn: self.conn, room: self.room, excluded, stored: false, from: None };
            let number = speaker.say(Kind::Raw, truth, plan, random);
            let data = &truth.said[number].data;
            wire::message(data[0], &data[1..], random, &mut out);
            self.said.push(number);
        }
        out
    }

    /// Takes a message.
    pub fn hear(&mut self, opcode: u8, payload: &[u8], truth: &mut Truth, plan: &Plan) -> Verdict {
        truth.count("raw message");
        let digits = payload.split(|&byte| byte == b';').next().unwrap_or_default();
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<usize>().ok());
        let number = number.ok_or_else(|| format!("raw {opcode} {}", String::from_utf8_lossy(payload)))?;
        truth.placed(number, None, plan)?;
        let said = &truth.said[number];
        ensure!(said.room == self.room, "message {number} is of room {}", said.room);
        ensure!(said.data[0] == opcode && said.data[1..] == *payload, "message {number} has changed");
        ensure!(said.excluded != Some(self.conn), "message {number} was not for {}", self.conn);
        if said.conn == self.conn {
            let due = self.said[self.back..].iter().position(|&due| due == number);
            let due = due.ok_or(format!("message {number} came back twice"))?;
            ensure!(due == 0 || plan.odds.is_some(), "message {number} came back before {due} others");
            self.back += due + 1;
        }
        truth.stays[self.stay].seen.push(number);
        Ok(())
    }

    /// The room could not be joined.
    pub fn not_let_in(&self, truth: &mut Truth, plan: &Plan) -> Verdict {
        let full = plan.rooms[self.room].max_members > 0;
        ensure!(full || plan.odds.is_some(), "a raw room that is never full was refused");
        self.refused(truth);
        Ok(())
    }

    /// It never came in, so nothing was said.
    pub fn refused(&self, truth: &mut Truth) {
        for &number in &self.said {
            truth.said[number].fate = Fate::Refused;
        }
    }

    /// Everything is at rest and the connection lives.
    pub fn rest(&self, truth: &mut Truth, plan: &Plan) -> Verdict {
        truth.stays[self.stay].lasts = true;
        let complete = !self.echo || plan.odds.is_some() || self.back == self.said.len();
        ensure!(complete, "{} of {} messages came back", self.back, self.said.len());
        Ok(())
    }
}
