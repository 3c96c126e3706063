//! What a client may send and what it may not, as literal bytes, cut in every way.

mod interop;
mod memory;
mod model;
mod rules;
mod splits;

use super::{Connection, Event, Limits, Step};

/// The limit that the tests read with.
const LIMITS: Limits = Limits { message: 70_000 };

/// What a connection gave, in a form that outlives its input.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
    Violation(u16, &'static str),
}

impl From<Event<'_>> for Told {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.to_owned()),
            Event::Binary(bytes) => Self::Binary(bytes.to_owned()),
            Event::Ping(bytes) => Self::Ping(bytes.to_owned()),
            Event::Pong(bytes) => Self::Pong(bytes.to_owned()),
            Event::Close(close) => Self::Close(close.map(|(code, reason)| (code, reason.to_owned()))),
        }
    }
}

/// Reads one piece of input to its end, or to a violation.
fn read_piece(connection: &mut Connection, piece: &[u8], limits: &Limits, told: &mut Vec<Told>) {
    let mut piece = piece.to_vec();
    let mut rest = piece.as_mut_slice();
    loop {
        let len = rest.len();
        match connection.read(rest, limits) {
            Ok(Step { used, event: None }) if used == len => return,
            Ok(Step { used, event: None }) => {
                assert!(used > 0, "no event, and nothing was read");
                rest = &mut rest[used..];
            }
            Ok(Step { used, event: Some(event) }) => {
                told.push(event.into());
                rest = &mut rest[used..];
            }
            Err(violation) => return told.push(Told::Violation(violation.code, violation.reason)),
        }
    }
}

/// What a new connection tells of `pieces`.
fn tell<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Told> {
    let mut connection = Connection::default();
    let mut told = Vec::new();
    for piece in pieces {
        read_piece(&mut connection, piece, &LIMITS, &mut told);
    }
    told
}

/// A masked frame with the shortest length. `first` is its first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..=125 => bytes.push(0x80 | len as u8),
        len @ 126..=0xffff => {
            bytes.push(0xfe);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(0xff);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(key);
    bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}
