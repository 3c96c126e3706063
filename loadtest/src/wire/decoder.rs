//! Decodes the input of one connection, from its first byte on.

use super::frame::Frames;
use super::request::Kind;
use super::response::{self, Responses};
use super::stream::EventStream;
use super::{Heard, WireError, nats};

/// Reads one connection: first the handshake if there is one, then its protocol.
#[derive(Debug)]
pub(crate) enum Decoder {
    /// Waits for the 101, with the accept key that it must carry.
    Upgrade {
        accept: String,
    },
    Frames(Frames),
    Responses(Responses),
    /// Waits for the head of an event stream.
    StreamHead,
    Stream(EventStream),
    Nats,
}

impl Decoder {
    pub(crate) fn new(kind: &Kind, accept: String) -> Decoder {
        match kind {
            Kind::WebSocket { .. } => Decoder::Upgrade { accept },
            Kind::Http => Decoder::Responses(Responses::default()),
            Kind::EventStream => Decoder::StreamHead,
            Kind::Nats => Decoder::Nats,
        }
    }

    /// Takes bytes from the front of `input`. Returns how many, and what they contained. `(0, None)` asks for more.
    pub(crate) fn step<'a>(&'a mut self, input: &'a [u8]) -> Result<(usize, Option<Heard<'a>>), WireError> {
        if matches!(self, Decoder::Upgrade { .. } | Decoder::StreamHead) {
            return self.head(input);
        }
        match self {
            Decoder::Frames(frames) => Ok(frames.step(input)?.unwrap_or((0, None))),
            Decoder::Responses(responses) => {
                Ok(responses.step(input)?.map_or((0, None), |(used, heard)| (used, Some(heard))))
            }
            Decoder::Stream(stream) => stream.step(input),
            Decoder::Nats => Ok(nats::step(input)?.unwrap_or((0, None))),
            Decoder::Upgrade { .. } | Decoder::StreamHead => Ok((0, None)),
        }
    }

    fn head<'a>(&mut self, input: &[u8]) -> Result<(usize, Option<Heard<'a>>), WireError> {
        if input.is_empty() {
            return Ok((0, None));
        }
        let Some(head) = response::head(input)? else {
            return Ok((0, None));
        };
        let next = match self {
            Decoder::Upgrade { accept } => {
                if head.status != 101 {
                    return Err(WireError::Refused(head.status));
                }
                if head.accept.as_deref() != Some(accept) {
                    return Err(WireError::Upgrade("Sec-WebSocket-Accept is not the key's"));
                }
                Decoder::Frames(Frames::default())
            }
            _ => {
                if head.status != 200 {
                    return Err(WireError::Refused(head.status));
                }
                if !head.content_type.is_some_and(|kind| kind.starts_with("text/event-stream")) {
                    return Err(WireError::Upgrade("not text/event-stream"));
                }
                Decoder::Stream(EventStream::new(head.body))
            }
        };
        *self = next;
        Ok((head.length, Some(Heard::Opened)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    fn upgrade() -> Decoder {
        Decoder::new(&Kind::WebSocket { protocol: None }, ACCEPT.to_owned())
    }

    fn heard(decoder: &mut Decoder, pieces: [&[u8]; 2]) -> Result<Vec<String>, WireError> {
        let (mut tail, mut heard) = (Vec::new(), Vec::new());
        for piece in pieces {
            tail.extend_from_slice(piece);
            loop {
                let (used, said) = decoder.step(&tail)?;
                let nothing = said.is_none();
                heard.extend(said.map(|said| format!("{said:?}")));
                tail.drain(..used);
                if nothing && used == 0 {
                    break;
                }
            }
        }
        Ok(heard)
    }

    #[test]
    fn a_frame_right_behind_the_101_cut_at_every_point() {
        let mut bytes = format!("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n")
            .into_bytes();
        bytes.extend_from_slice(b"\x81\x02hi");
        let hi = Heard::Message { text: true, payload: b"hi" };
        for cut in 0..=bytes.len() {
            let told = heard(&mut upgrade(), [&bytes[..cut], &bytes[cut..]]).expect("a good upgrade");
            assert_eq!(told, [format!("{:?}", Heard::Opened), format!("{hi:?}")], "cut at {cut}");
        }
    }

    #[test]
    fn a_refusal_and_a_wrong_key() {
        let refused = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(heard(&mut upgrade(), [refused, b""]), Err(WireError::Refused(503)));
        let wrong = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n";
        assert!(matches!(heard(&mut upgrade(), [wrong, b""]), Err(WireError::Upgrade(_))));
    }

    #[test]
    fn an_event_stream_begins_with_its_head() {
        let mut decoder = Decoder::new(&Kind::EventStream, String::new());
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: a\ndata: b\n\n";
        let event = Heard::Event { name: "a", id: "", data: "b" };
        let told = heard(&mut decoder, [bytes, b""]).expect("a good stream");
        assert_eq!(told, [format!("{:?}", Heard::Opened), format!("{event:?}")]);
    }
}
