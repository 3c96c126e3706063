//! Switchboard's native dialect: JSON objects with a `type`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Dialect, Said, fill};
use crate::net::Net;
use crate::wire::request::{Kind, Opening};

/// The fields of a frame that the load test reads. None of these strings has escapes.
#[derive(Debug, Deserialize)]
pub(crate) struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    pub(crate) kind: &'a str,
    #[serde(borrow)]
    pub(crate) room: Option<&'a str>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) position: Option<&'a str>,
    #[serde(borrow)]
    code: Option<&'a str>,
    pub(crate) recovered: Option<bool>,
    #[serde(borrow, default)]
    pub(crate) history: Vec<Frame<'a>>,
}

impl<'a> Frame<'a> {
    /// Reads one frame.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with it. An `error` or a `gap` is wrong too: a load test causes neither.
    pub(crate) fn read(message: &'a [u8]) -> Result<Frame<'a>, String> {
        let frame: Frame<'a> = serde_json::from_slice(message).map_err(|error| {
            format!("not the native dialect: {error}: {}", String::from_utf8_lossy(message))
        })?;
        match frame.kind {
            "error" => {
                Err(format!("the server answers with the error {}", frame.code.unwrap_or("without a code")))
            }
            "gap" => Err("the server says that messages were lost".to_owned()),
            _ => Ok(frame),
        }
    }

    /// The string that `data` is, without its quotes. It has no escapes.
    pub(crate) fn payload(&self) -> Option<&'a [u8]> {
        Some(self.data?.get().strip_prefix('"')?.strip_suffix('"')?.as_bytes())
    }

    /// The offset within its epoch. A client does not look into a position, but a load test does, to find gaps.
    pub(crate) fn offset(&self) -> Option<u64> {
        self.position?.rsplit_once(':')?.1.parse().ok()
    }
}

/// The native dialect, with rooms by a path template such as `/ws?room={room}`.
#[derive(Debug)]
pub(crate) struct Native {
    template: String,
    /// The message that was parsed last, and the place of its payload. All members of a room get the same bytes, so most
    /// messages are found here without parsing.
    last: Vec<u8>,
    payload: std::ops::Range<usize>,
    request: Vec<u8>,
}

impl Native {
    pub(crate) fn new(template: &str) -> Native {
        Native { template: template.to_owned(), last: Vec::new(), payload: 0..0, request: Vec::new() }
    }
}

/// Appends the request that publishes `payload` as a JSON string.
pub(crate) fn publish(room: &str, payload: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"type\":\"publish\",\"room\":\"");
    out.extend_from_slice(room.as_bytes());
    out.extend_from_slice(b"\",\"data\":\"");
    out.extend_from_slice(payload);
    out.extend_from_slice(b"\"}");
}

/// The range of `part` in `whole`, of which it is a slice.
fn range_in(whole: &[u8], part: &[u8]) -> std::ops::Range<usize> {
    let start = part.as_ptr() as usize - whole.as_ptr() as usize;
    start..start + part.len()
}

impl Dialect for Native {
    fn opening(&self, room: &str) -> Opening {
        Opening::new(Kind::WebSocket { protocol: Some("switchboard.v1") }, fill(&self.template, room))
    }

    fn greet(&mut self, _: &mut Net, _: usize, _: &str) -> bool {
        false
    }

    fn publish(&mut self, net: &mut Net, n: usize, room: &str, payload: &[u8]) {
        self.request.clear();
        publish(room, payload, &mut self.request);
        net.send(n, true, &self.request);
    }

    fn read<'a>(&'a mut self, message: &'a [u8]) -> Result<Said<'a>, String> {
        if message == self.last {
            return Ok(Said::Message(&message[self.payload.clone()]));
        }
        let frame = Frame::read(message)?;
        match frame.kind {
            "joined" => Ok(Said::Joined),
            "message" => {
                let payload = frame.payload().ok_or("a message without the data that was published")?;
                self.payload = range_in(message, payload);
                self.last.clear();
                self.last.extend_from_slice(message);
                Ok(Said::Message(payload))
            }
            _ => Ok(Said::Nothing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] =
        br#"{"type":"message","room":"a","position":"e:1","from":null,"data":"AbC","time":"2024-01-01T00:00:00.000Z"}"#;

    #[test]
    fn the_payload_of_a_message_parsed_and_found_again() {
        let mut native = Native::new("/ws?room={room}");
        assert_eq!(native.read(MESSAGE), Ok(Said::Message(b"AbC")));
        assert_eq!(native.read(MESSAGE), Ok(Said::Message(b"AbC")));
    }

    #[test]
    fn what_else_is_said() {
        let mut native = Native::new("/ws?room={room}");
        assert_eq!(native.read(br#"{"type":"joined","room":"a","position":"e:0"}"#), Ok(Said::Joined));
        assert_eq!(native.read(br#"{"type":"welcome"}"#), Ok(Said::Nothing));
        assert!(
            native.read(br#"{"type":"error","code":"bad_room"}"#).is_err_and(|why| why.contains("bad_room"))
        );
        assert!(native.read(br#"{"type":"message","data":1}"#).is_err());
        assert!(native.read(br#"{"type":"gap","room":"a","from":"e:1","to":"e:2"}"#).is_err());
        assert!(native.read(b"[]").is_err());
    }

    #[test]
    fn a_joined_with_its_history() {
        let joined = br#"{"type":"joined","room":"a","position":"e:12","recovered":true,"history":[
            {"type":"message","room":"a","position":"e:12","from":null,"data":"x","time":"t"}],"count":1,"users":[]}"#;
        let frame = Frame::read(joined).expect("good");
        assert_eq!((frame.room, frame.offset(), frame.recovered), (Some("a"), Some(12), Some(true)));
        assert_eq!(frame.history[0].payload(), Some(b"x".as_slice()));
    }

    #[test]
    fn a_publish_is_json() {
        let mut out = Vec::new();
        publish("a", b"AbC", &mut out);
        let frame: Frame<'_> = serde_json::from_slice(&out).expect("JSON");
        assert_eq!((frame.kind, frame.payload()), ("publish", Some(b"AbC".as_slice())));
    }
}
