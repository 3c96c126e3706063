//! A client of the raw dialect: whatever it says goes to the others as it is, and to itself if it wants that.

use super::plan::{Plan, Role};
use super::random::Random;
use super::speech::Speaker;
use super::truth::ensure;
use super::truth::{Fate, Stay, Truth, Verdict};
use super::wire;

/// One connection.
pub struct Raw {
    conn: usize,
    room: usize,
    echo: bool,
    stay: usize,
    /// What it said, by number.
    said: Vec<usize>,
    /// How much of that has come back.
    back: usize,
}

impl Raw {
    pub fn new(conn: usize, room: usize, echo: bool, truth: &mut Truth) -> Self {
        truth.stays.push(Stay { conn, room, seen: Vec::new(), lasts: false });
        Self { conn, room, echo, stay: truth.stays.len() - 1, said: Vec::new(), back: 0 }
    }

    /// The request that begins the connection.
    pub fn target(&self, plan: &Plan) -> String {
        format!("/raw/{}{}", plan.rooms[self.room].name, if self.echo { "?echo=1" } else { "" })
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
            let number = speaker.say(Role::Raw { echo: self.echo }, truth, plan, random);
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

    /// The room could not be joined, so nothing was said.
    pub fn refused(&self, truth: &mut Truth, plan: &Plan) -> Verdict {
        let full = plan.rooms[self.room].max_members > 0;
        ensure!(full || plan.odds.is_some(), "a raw room that is never full was refused");
        for &number in &self.said {
            truth.said[number].fate = Fate::Refused;
        }
        Ok(())
    }

    /// Everything is at rest and the connection lives.
    pub fn rest(&self, truth: &mut Truth, plan: &Plan) -> Verdict {
        truth.stays[self.stay].lasts = true;
        let complete = !self.echo || plan.odds.is_some() || self.back == self.said.len();
        ensure!(complete, "{} of {} messages came back", self.back, self.said.len());
        Ok(())
    }
}
