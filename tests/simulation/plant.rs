//! Faults that are planted between the shards, to show that the model would find them.

use std::collections::VecDeque;

use switchboard::broker::post::Post;
use switchboard::room_key::RoomKey;

/// What is done wrongly. The first six happen once in a schedule, the others wherever they can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    Nothing,
    /// A message is lost between home and a shard.
    Drop,
    /// A message comes twice.
    Double,
    /// Two messages of a room change places.
    Swap,
    /// Home does not count a member.
    MissJoin,
    /// Home does not hear of a leave (rule 4, where a session leaves or ends).
    LoseLeave,
    /// Home hears of one leave twice (rule 4: exactly one).
    DoubleLeave,
    /// The publisher's answer is handed over before the message (rule 1).
    AnswerFirst,
    /// A session is a member before all that its join's answer covers has passed (rule 2).
    MemberFromAsk,
    /// What follows a join about the same room is carried out before it (rule 3). Done on the wire, since a shard cannot
    /// be made to do it from outside: the request overtakes its join.
    NoParking,
    /// Nobody leaves for a session that ended before its join was answered (rule 4).
    GhostJoin,
}

/// Every fault.
pub const ALL: [Plant; 10] = [
    Plant::Drop,
    Plant::Double,
    Plant::Swap,
    Plant::MissJoin,
    Plant::LoseLeave,
    Plant::DoubleLeave,
    Plant::AnswerFirst,
    Plant::MemberFromAsk,
    Plant::NoParking,
    Plant::GhostJoin,
];

impl Plant {
    /// Puts `post` behind `queue`, well or not. `now` says whether something that happens once is to happen here; says
    /// whether it did.
    pub fn put(self, queue: &mut VecDeque<Post>, post: Post, now: bool) -> bool {
        match (self, &post) {
            (Self::Drop, Post::Deliver(_)) | (Self::LoseLeave, Post::Leave(..)) if now => return true,
            (Self::Double, Post::Deliver(message)) if now => queue.push_back(Post::Deliver(message.clone())),
            (Self::DoubleLeave, Post::Leave(room, shard, user)) if now => {
                queue.push_back(Post::Leave(room.clone(), *shard, user.clone()));
            }
            (Self::MissJoin, Post::Join(room, join)) if now && !join.again => {
                let leave = Post::Leave(room.clone(), join.session.shard, join.user.clone());
                queue.push_back(post);
                queue.push_back(leave);
                return true;
            }
            (Self::Swap, Post::Deliver(message)) if now => {
                let Some(last) = queue.iter().rposition(|other| delivers(other, &message.room)) else {
                    queue.push_back(post);
                    return false;
                };
                queue.insert(last, post);
                return true;
            }
            (Self::AnswerFirst, Post::Published(room, ..))
                if queue.back().is_some_and(|last| delivers(last, room)) =>
            {
                queue.insert(queue.len() - 1, post);
                return true;
            }
            (Self::MemberFromAsk, Post::Joined(room, ..)) => {
                let early = queue.iter().position(|other| delivers(other, room)).unwrap_or(queue.len());
                queue.insert(early, post);
                return true;
            }
            _ => {
                queue.push_back(post);
                return false;
            }
        }
        queue.push_back(post);
        true
    }
}

fn delivers(post: &Post, room: &RoomKey) -> bool {
    matches!(post, Post::Deliver(message) if message.room == *room)
}
