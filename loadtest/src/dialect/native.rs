//! Switchboard's native dialect: JSON objects with a `type`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Dialect, Said, fill};
use crate::net::Net;
use crate::wire::request::{Kind, Opening};

/// What the load test reads of a frame.
#[derive(Deserialize)]
pub(crate) struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    pub(crate) kind: &'a str,
    #[serde(borrow)]
    pub(crate) data: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) position: Option<&'a str>,
    #[serde(borrow)]
    pub(crate) code: Option<&'a str>,
}

/// The native dialect, with rooms by a path template such as `/ws?room={room}`.
#[derive(Debug)]
pub(crate) struct Native {
    template: String,
    /// The message that was parsed last, and where its payload is. All members of a room get the same bytes, so
    /// that most messages are found here without parsing.
    last: Vec<u8>,
    payload: std::ops::Range<usize>,
    request: Vec<u8>,
}

impl Native {
    pub(crate) fn new(template: &str) -> Native {
        Native {
            template: template.to_owned(),
            last: Vec::new(),
            payload: 0..0,
            request: Vec::new(),
        }
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

/// The bytes between the quotes of `data`, as a range of the message.
fn between_quotes(message: &[u8], data: &RawValue) -> Option<std::ops::Range<usize>> {
    let inner = data.get().strip_prefix('"')?.strip_suffix('"')?;
    let start = inner.as_ptr() as usize - message.as_ptr() as usize;
    Some(start..start + inner.len())
}

impl Dialect for Native {
    fn opening(&self, room: &str) -> Opening {
        Opening::new(
            Kind::WebSocket {
                protocol: Some("switchboard.v1"),
            },
            fill(&self.template, room),
        )
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
        let frame: Frame<'_> =
            serde_json::from_slice(message).map_err(|error| format!("not the native dialect: {error}"))?;
        match frame.kind {
            "joined" => Ok(Said::Joined),
            "message" => {
                let range = frame.data.and_then(|data| between_quotes(message, data));
                self.payload = range.ok_or("a message without the data that was published")?;
                self.last.clear();
                self.last.extend_from_slice(message);
                Ok(Said::Message(&message[self.payload.clone()]))
            }
            "error" => Err(format!(
                "the server answers with the error {}",
                frame.code.unwrap_or("without a code")
            )),
            "gap" => Err("the server says that messages were lost".to_owned()),
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
        assert_eq!(
            native.read(br#"{"type":"joined","room":"a","position":"e:0"}"#),
            Ok(Said::Joined)
        );
        assert_eq!(native.read(br#"{"type":"welcome"}"#), Ok(Said::Nothing));
        assert!(
            native
                .read(br#"{"type":"error","code":"bad_room"}"#)
                .is_err_and(|why| why.contains("bad_room"))
        );
        assert!(native.read(br#"{"type":"message","data":1}"#).is_err());
        assert!(native.read(b"[]").is_err());
    }

    #[test]
    fn a_publish_is_json() {
        let mut out = Vec::new();
        publish("a", b"AbC", &mut out);
        let frame: Frame<'_> = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(
            (frame.kind, frame.data.map(RawValue::get)),
            ("publish", Some("\"AbC\""))
        );
    }
}
