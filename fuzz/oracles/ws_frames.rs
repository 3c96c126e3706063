//! What a WebSocket client sends, cut anywhere.

use switchboard::ws::connection::{Connection, Event, Limits, Step};

use super::cut_anywhere;

/// Small, so that short inputs reach it.
const LIMITS: Limits = Limits { message: 300 };

/// What a connection gives until it ends, in a form that outlives its input.
#[derive(Debug, PartialEq)]
pub enum Told {
    /// A text.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping.
    Ping(Vec<u8>),
    /// A pong.
    Pong(Vec<u8>),
    /// The peer's close.
    Close(Option<(u16, String)>),
    /// The code to close with.
    Violation(u16),
}

/// Reads `bytes` as a connection; gives how many events were read, and the code of the violation if there was one.
pub fn check(bytes: &[u8]) -> (usize, Option<u16>) {
    let told = cut_anywhere(bytes, tell);
    match told.last() {
        Some(Told::Violation(code)) => (told.len() - 1, Some(*code)),
        _ => (told.len(), None),
    }
}

fn tell(pieces: &[&[u8]]) -> Vec<Told> {
    let mut connection = Connection::default();
    let mut told = Vec::new();
    let mut come = 0;
    for piece in pieces {
        let mut piece = piece.to_vec();
        come += piece.len();
        let mut rest = &mut piece[..];
        loop {
            let len = rest.len();
            match connection.read(rest, &LIMITS) {
                Ok(Step { used, event: None }) if used == len => break,
                Ok(Step { used, event: None }) => {
                    assert!(used > 0, "no event, and nothing was read");
                    rest = &mut rest[used..];
                }
                Ok(Step { used, event: Some(event) }) => {
                    told.push(own(event));
                    rest = &mut rest[used..];
                }
                Err(violation) => {
                    assert!(matches!(violation.code, 1002 | 1007 | 1008 | 1009), "{violation}");
                    told.push(Told::Violation(violation.code));
                    return told;
                }
            }
        }
        // Never by a declared length: a buffer doubles at most, and holds no more than a message.
        let held = connection.buffered();
        assert!(held <= 2 * come.min(LIMITS.message) + 64, "{held} bytes are held, {come} have come");
    }
    told
}

fn own(event: Event<'_>) -> Told {
    match event {
        Event::Text(text) => Told::Text(text.to_owned()),
        Event::Binary(bytes) => Told::Binary(bytes.to_owned()),
        Event::Ping(bytes) => Told::Ping(bytes.to_owned()),
        Event::Pong(bytes) => Told::Pong(bytes.to_owned()),
        Event::Close(close) => Told::Close(close.map(|(code, reason)| (code, reason.to_owned()))),
    }
}
