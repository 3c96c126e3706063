//! Each message comes back to whoever sent it, for trying a connection out.

use super::speaks::{Manners, Payload, Rooms, Said, Speaks};
use super::told::Told;
use crate::room_key::Space;

/// The dialect of a mirror.
pub struct Echo;

impl Speaks for Echo {
    const MANNERS: Manners = Manners {
        path: "echo",
        rooms: Rooms::None,
        subprotocols: &[],
        space: Space::Native,
        replies: false,
        announcements: false,
        inbox: false,
        echoes: true,
    };

    fn hear(_: Payload<'_>) -> Said<'_> {
        Said::Echo
    }

    fn write(_: &Told<'_>, _: &mut Vec<u8>) {}
}
