//! What clients say: every message is told from every other, and none is easy to pass on byte for byte.

use super::plan::Plan;
use super::random::Random;
use super::truth::{Fate, Said, Truth};
use super::wire;

/// JSON that a server which re-serialises would change.
const TAILS: [&str; 6] = [
    "}",
    " , \"x\": 1e400 }",
    ",\"x\":1,\"x\":2}",
    ",\"x\":12345678901234567890}",
    ",\"x\":\"\\ud83d\\ude00 \u{e9}\\/\"}",
    ",\"x\":[[],{} ,\t-0]}",
];

/// What kind of message something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Message,
    Raw,
    Direct,
    Notification,
    Announcement,
}

impl Kind {
    /// What the native dialect calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Message | Self::Raw => "message",
            Self::Direct => "direct",
            Self::Notification => "notification",
            Self::Announcement => "announcement",
        }
    }
}

/// Who says something, and how.
pub struct Speaker {
    pub conn: usize,
    /// Of an announcement: none that there is.
    pub room: usize,
    pub excluded: Option<usize>,
    pub stored: bool,
    pub from: Option<String>,
}

impl Speaker {
    /// The app, which says something to a user, or to everybody.
    pub fn app(conn: usize, inbox: usize) -> Self {
        Self { conn, room: inbox, excluded: None, stored: true, from: None }
    }

    /// Makes up a message; its number.
    pub fn say(self, kind: Kind, truth: &mut Truth, plan: &Plan, random: &mut Random) -> usize {
        let number = truth.said.len();
        let filler = "x".repeat(if plan.slow { random.below(400) } else { random.below(20) });
        let data = match kind {
            Kind::Raw => {
                let opcode = *random.one(&[wire::TEXT, wire::BINARY]);
                let mut data = vec![opcode];
                data.extend_from_slice(format!("{number};{filler}").as_bytes());
                data
            }
            _ => format!("{{\"k\":{number},\"f\":\"{filler}\"{}", random.one(&TAILS)).into_bytes(),
        };
        let Self { conn, room, excluded, stored, from } = self;
        let (fate, seen, tries) = (Fate::Open, None, 1);
        truth.said.push(Said { kind, room, conn, excluded, stored, from, data, fate, seen, tries });
        truth.count("said");
        number
    }
}
