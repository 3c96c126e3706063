//! Requests of one HTTP connection, cut anywhere.

use switchboard::http::{Head, Limits, Reader, Refusal, Step};

use super::cut_anywhere;

/// Small, so that short inputs reach them.
const LIMITS: Limits = Limits { header: 512, headers: 8, body: 64 };

/// What a connection gives until it is refused.
#[derive(Debug, PartialEq)]
pub enum Told {
    /// A request's head.
    Head(Box<Head>),
    /// A request's body.
    Body(Vec<u8>),
    /// The connection is to be closed.
    Refused(Refusal),
}

/// Reads `bytes` as a connection; gives how many requests were read, and the status of the refusal if there was one.
pub fn check(bytes: &[u8]) -> (usize, Option<u16>) {
    let told = cut_anywhere(bytes, tell);
    let bodies = told.iter().filter(|told| matches!(told, Told::Body(_))).count();
    let refused = told.iter().find_map(|told| match told {
        Told::Refused(refusal) => Some(refusal.status),
        _ => None,
    });
    (bodies, refused)
}

fn tell(pieces: &[&[u8]]) -> Vec<Told> {
    let mut reader = Reader::new();
    let mut told = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        loop {
            let (used, step) = reader.read(rest, &LIMITS);
            rest = rest.get(used..).expect("no more is used than was given");
            match step {
                Ok(Step::More) if rest.is_empty() => break,
                Ok(Step::More) => assert!(used > 0, "more is asked for while there is some"),
                Ok(Step::Head(head)) => told.push(Told::Head(Box::new(head))),
                Ok(Step::Body(body)) => {
                    assert!(body.len() <= LIMITS.body, "{} bytes got through", body.len());
                    told.push(Told::Body(body));
                }
                Err(refusal) => {
                    assert!((400..600).contains(&refusal.status), "{refusal:?}");
                    told.push(Told::Refused(refusal));
                    return told;
                }
            }
        }
    }
    told
}
