//! The weight of a post on its way to another shard. Every post has a weight: otherwise a flood of small posts would not show
//! in the pressure that slows clients down.

use super::home::Request;
use super::post::{Caller, Post, Standing};
use crate::message::Draft;

/// The weight of any post: itself, its room's name and its box, rounded up to a power of two.
const POST: usize = 256;

/// The weight of an entry of a list: a person, a room, or a message that is kept elsewhere.
pub const ENTRY: usize = 32;

impl Post {
    /// Bytes that it holds while it waits, without shared bytes that their owner counts: a room's kept messages and its name.
    pub fn weight(&self) -> usize {
        let carried = match self {
            Self::Publish(_, caller, draft) => asked(caller) + drafted(draft),
            Self::Direct(_, direct) => {
                direct.ticket.id.as_ref().map_or(0, |id| id.len()) + drafted(&direct.draft)
            }
            Self::Deliver(message) => message.cost(),
            Self::Announce(announcement, caller) => asked(caller) + announcement.cost(),
            Self::Join(_, join) => join.ticket.id.as_ref().map_or(0, |id| id.len()),
            Self::Joined(_, _, result) => result.as_ref().map_or(0, |standing| told(standing)),
            Self::Looked(_, caller, result) => {
                asked(caller) + result.as_ref().ok().and_then(|found| found.as_deref()).map_or(0, told)
            }
            Self::Rostered(_, caller, result) => {
                let people = result.as_ref().ok().and_then(|found| found.as_ref()?.people.as_ref());
                asked(caller) + people.map_or(0, |people| people.len() * ENTRY)
            }
            Self::Members(_, caller, page) => asked(caller) + page.after.len(),
            Self::Look(_, caller, _)
            | Self::Published(_, caller, _)
            | Self::Leave(_, caller, ..)
            | Self::Left(_, caller) => asked(caller),
            Self::Requests(_, _, _, texts) => texts.iter().map(|text| POST + text.len()).sum(),
            Self::Replied(_, reply) => reply.as_ref().map_or(0, Vec::len),
            Self::Listed(_, lines) => lines.len() * 2 * ENTRY,
            Self::List(_, listing) => listing.prefix.len() + listing.after.len(),
            Self::Seek(_, _, page) => page.after.len(),
            Self::Found(_, _, rooms) => rooms.len() * ENTRY,
            Self::Notice(..)
            | Self::Gap(..)
            | Self::Typing(..)
            | Self::Unheard(..)
            | Self::Came(..)
            | Self::Went(..)
            | Self::Hears(..)
            | Self::Entered(..)
            | Self::Evict(..)
            | Self::MakePlace(..)
            | Self::Disconnect(..)
            | Self::Remove(..)
            | Self::Counted(..) => 0,
        };
        POST + carried
    }
}

impl Request {
    /// Bytes that it holds while it waits in its room.
    pub(super) fn weight(&self) -> usize {
        let carried = match self {
            Self::Publish(caller, draft) => asked(caller) + drafted(draft),
            Self::Join(join) => join.ticket.id.as_ref().map_or(0, |id| id.len()),
            Self::Members(caller, page) => asked(caller) + page.after.len(),
            Self::Look(caller, _) | Self::Leave(caller, ..) => asked(caller),
            Self::Typing(..) => 0,
        };
        POST + carried
    }
}

/// Bytes that a message holds beside itself before it has its place.
pub fn drafted(draft: &Draft) -> usize {
    let words = [&draft.event, &draft.key].into_iter().flatten().map(|word| word.len());
    draft.data.len() + words.sum::<usize>()
}

/// What of a request goes with it and comes back with its answer.
fn asked(caller: &Caller) -> usize {
    match caller {
        Caller::Session(_, ticket) => ticket.id.as_ref().map_or(0, |id| id.len()),
        Caller::Nobody | Caller::Call(..) | Caller::Program(..) => 0,
    }
}

fn told(standing: &Standing) -> usize {
    let people = standing.people.as_ref().map_or(0, Vec::len);
    (standing.excerpt.messages.len() + people) * ENTRY
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use crate::message::{Draft, Kind};
    use crate::room_key::{RoomKeys, Space};

    #[test]
    fn nothing_is_without_weight_and_what_is_carried_counts() {
        let room = RoomKeys::default().key(Space::Native, "a");
        let session = SessionId { shard: 0, key: 1, generation: 1 };
        let draft =
            Draft { key: Some("k".repeat(9).into()), ..Draft::new(Kind::Message, vec![b'1'; 100].into()) };
        let posts = [
            (Post::Typing(room.clone(), "ann".into(), true), 0),
            (Post::Leave(room.clone(), Caller::Nobody, 1, None), 0),
            (Post::Went("ann".into(), session, true), 0),
            (Post::Publish(room, Caller::Nobody, draft), 109),
        ];
        for (post, carried) in posts {
            assert_eq!(post.weight(), POST + carried, "{post:?}");
        }
        assert!(size_of::<Post>() <= POST);
    }
}
