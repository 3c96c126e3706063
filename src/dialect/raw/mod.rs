//! The raw dialect: a message is its frame, type kept, and nothing is added.

use bytes::Bytes;

use super::speaks::{Manners, Payload, Rooms, Said, Speaks};
use super::told::Told;
use crate::room_key::Space;

/// The dialect in which members of a room say to each other whatever they like, and the server says nothing.
pub struct Raw;

impl Speaks for Raw {
    const MANNERS: Manners = Manners {
        path: "raw",
        rooms: Rooms::One,
        subprotocols: &[],
        space: Space::Raw,
        replies: false,
        announcements: false,
        inbox: false,
        echoes: false,
    };

    fn hear(_: Payload<'_>) -> Said<'_> {
        Said::Message
    }

    fn write(_: &Told<'_>, _: &mut Vec<u8>) {}

    fn frame(told: &Told<'_>) -> Bytes {
        match told {
            Told::Message(message) => message.frame().clone(),
            _ => Bytes::new(),
        }
    }
}
