//! Literal bytes for each rule, and the same bytes cut everywhere.

mod bodies;
mod cuts;
mod heads;

use super::*;

/// Small enough for tests to reach, and large enough for every good request here.
const LIMITS: Limits = Limits { header: 512, headers: 8, body: 64 };

/// What a connection gives until a request is refused.
#[derive(Clone, Debug, PartialEq)]
enum Event {
    Head(Head),
    Body(Vec<u8>),
    Refused(Refusal),
}

/// Feeds `pieces` one after the other as a session would, and keeps the bytes that are not used.
fn feed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limits: &Limits) -> Vec<Event> {
    let mut reader = Reader::new();
    let mut events = Vec::new();
    for piece in pieces {
        let mut at = 0;
        loop {
            let (used, outcome) = reader.read(&piece[at..], limits);
            at += used;
            match outcome {
                Ok(Step::More) if at == piece.len() => break,
                Ok(Step::More) => assert!(used > 0, "more was asked for while input was left"),
                Ok(Step::Head(head)) => {
                    assert!(reader.in_body() && !reader.is_idle());
                    events.push(Event::Head(head));
                }
                Ok(Step::Body(body)) => {
                    assert!(!reader.in_body() && reader.is_idle());
                    assert!(body.len() <= limits.body, "a body over the limit got through");
                    events.push(Event::Body(body));
                }
                Err(refusal) => {
                    events.push(Event::Refused(refusal));
                    return events;
                }
            }
        }
    }
    events
}

fn whole(input: &[u8]) -> Vec<Event> {
    feed([input], &LIMITS)
}

/// The only head in `input`, which must not be refused.
fn head(input: impl AsRef<[u8]>) -> Head {
    match whole(input.as_ref()).into_iter().next() {
        Some(Event::Head(head)) => head,
        other => panic!("{:?} gave {other:?}", String::from_utf8_lossy(input.as_ref())),
    }
}

/// The refusal at the end of `input`, if there is one.
fn refusal(input: impl AsRef<[u8]>) -> Option<Refusal> {
    match whole(input.as_ref()).pop() {
        Some(Event::Refused(refusal)) => Some(refusal),
        _ => None,
    }
}

fn status(input: impl AsRef<[u8]>) -> Option<u16> {
    refusal(input).map(|refusal| refusal.status)
}

/// A GET of `/` in HTTP/1.1 with a Host and `fields`, each of which ends in CRLF.
fn get(fields: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

/// A POST of `body` with `fields`.
fn post(fields: &str, body: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}")
}

fn chunked(body: &str) -> String {
    post("Transfer-Encoding: chunked\r\n", body)
}

fn body(input: impl AsRef<[u8]>) -> Vec<u8> {
    match whole(input.as_ref()).as_slice() {
        [Event::Head(_), Event::Body(body)] => body.clone(),
        other => panic!("{:?} gave {other:?}", String::from_utf8_lossy(input.as_ref())),
    }
}

#[track_caller]
fn assert_status<T: AsRef<[u8]>>(expected: u16, inputs: impl IntoIterator<Item = T>) {
    for input in inputs {
        let shown = String::from_utf8_lossy(input.as_ref()).into_owned();
        assert_eq!(status(input), Some(expected), "{shown:?}");
    }
}
