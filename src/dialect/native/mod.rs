//! The native dialect: one JSON object a text frame, as `docs/protocol.md` has it.

pub mod event;
pub mod fields;
pub mod json;
pub mod request;

use bytes::Bytes;

use super::request::{Refused, Request};
use super::speaks::{Manners, Payload, Rooms, Said, Speaks, framed};
use super::told::Told;
use crate::error::Close;
use crate::room_key::Space;

/// The dialect of this project's own clients.
pub struct Native;

impl Speaks for Native {
    const MANNERS: Manners = Manners {
        path: "ws",
        rooms: Rooms::Any,
        subprotocols: &["switchboard.v1"],
        space: Space::Native,
        replies: true,
        announcements: true,
        inbox: true,
        echoes: false,
    };

    fn hear(payload: Payload<'_>) -> Said<'_> {
        match payload {
            Payload::Text(text) => Said::Request(text),
            Payload::Binary(_) => Said::Foreign(Close::TEXT_ONLY),
        }
    }

    fn read(text: &str) -> Result<Request<'_>, Refused<'_>> {
        request::read(text)
    }

    fn write(told: &Told<'_>, out: &mut Vec<u8>) {
        event::write(told, out);
    }

    fn frame(told: &Told<'_>) -> Bytes {
        // Messages are kept in this form.
        if let Told::Message(message) = told {
            return message.frame().clone();
        }
        let mut frame = Vec::new();
        framed(&mut frame, |out| event::write(told, out));
        frame.into()
    }
}
