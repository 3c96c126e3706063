//! Faults that are planted, most of them between the shards, to show that the model would find them.

use std::collections::VecDeque;

use switchboard::broker::post::{Caller, Notice, Post};
use switchboard::room_key::{RoomKey, Space};

/// What is done wrongly.
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
    /// A member is out before all that came before its leave has passed (rule 4).
    LeaveAtOnce,
    /// Nobody leaves for a session that ended before its join was answered (rule 4).
    GhostJoin,
    /// A user's home does not hear that a connection has come.
    LoseCame,
    /// A user's home does not hear that a connection is gone.
    LoseWent,
    /// A user's home does not hear that a stream listens.
    LoseHears,
    /// An inbox gives as history what it hands over afterwards once more.
    LetterTwice,
    /// Something to a user is lost between home and a shard.
    LetterLost,
    /// A connection that is to make room stays.
    LoseEvict,
    /// Whoever is refused comes in.
    Admit,
    /// Nobody is told that a user has left.
    LoseLeft,
    /// Nobody is told that a user is writing no more.
    TypingSticks,
    /// One shard announces twice.
    AnnounceTwice,
    /// One shard does not announce.
    AnnounceLess,
    /// A room does not know keys.
    NoKeys,
    /// The `id` of a stream's event is written before the bytes that it speaks for. Done where a client keeps it.
    EarlyId,
    /// A token is for more than it names. Done where it is made.
    WidePass,
    /// The wall clock of the shards stands still.
    StillClock,
}

/// Where a fault can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Between shards, once in a schedule or wherever it can be.
    Office,
    /// Somewhere else.
    Elsewhere,
}

/// Every fault.
pub const ALL: [Plant; 26] = [
    Plant::Drop,
    Plant::Double,
    Plant::Swap,
    Plant::MissJoin,
    Plant::LoseLeave,
    Plant::DoubleLeave,
    Plant::AnswerFirst,
    Plant::MemberFromAsk,
    Plant::NoParking,
    Plant::LeaveAtOnce,
    Plant::GhostJoin,
    Plant::LoseCame,
    Plant::LoseWent,
    Plant::LoseHears,
    Plant::LetterTwice,
    Plant::LetterLost,
    Plant::LoseEvict,
    Plant::Admit,
    Plant::LoseLeft,
    Plant::TypingSticks,
    Plant::AnnounceTwice,
    Plant::AnnounceLess,
    Plant::NoKeys,
    Plant::EarlyId,
    Plant::WidePass,
    Plant::StillClock,
];

impl Plant {
    /// Where it is planted.
    pub fn place(self) -> Place {
        match self {
            Self::Nothing | Self::EarlyId | Self::WidePass | Self::StillClock => Place::Elsewhere,
            _ => Place::Office,
        }
    }

    /// Whether few schedules give it many chances.
    pub fn is_rare(self) -> bool {
        !matches!(self, Self::Drop | Self::Double | Self::Swap)
    }

    /// Whether `post` is something that the fault could happen to, and happens to once in a schedule.
    pub fn fits(self, post: &Post) -> bool {
        let letter = |room: &RoomKey| room.space() == Space::User;
        match post {
            Post::Deliver(message) if letter(&message.room) => self == Self::LetterLost,
            Post::Deliver(_) => matches!(self, Self::Drop | Self::Double | Self::Swap),
            Post::Join(..) => self == Self::MissJoin,
            Post::Leave(..) => matches!(self, Self::LoseLeave | Self::DoubleLeave),
            Post::Came(..) => self == Self::LoseCame,
            Post::Went(..) => self == Self::LoseWent,
            Post::Hears(..) => self == Self::LoseHears,
            Post::Evict(_) => self == Self::LoseEvict,
            Post::Entered(_, false) => self == Self::Admit,
            Post::Notice(_, Notice::UserLeft { .. }) => self == Self::LoseLeft,
            Post::Notice(_, Notice::Typing { active: false, .. }) => self == Self::TypingSticks,
            Post::Announce(..) => matches!(self, Self::AnnounceTwice | Self::AnnounceLess),
            _ => false,
        }
    }

    /// Puts `post` behind `queue`, well or not. `now` says whether something that happens once is to happen here; says
    /// whether it did.
    pub fn put(self, queue: &mut VecDeque<Post>, post: Post, now: bool) -> bool {
        match self {
            Self::AnswerFirst | Self::MemberFromAsk | Self::LeaveAtOnce | Self::LetterTwice => {
                self.overtake(queue, post)
            }
            Self::NoKeys => forget_key(queue, post),
            _ if !now => queue.push_back(post),
            _ => return self.spoil(queue, post),
        }
        now
    }

    /// Does something wrong once.
    fn spoil(self, queue: &mut VecDeque<Post>, post: Post) -> bool {
        match (self, &post) {
            (Self::Double, Post::Deliver(message)) => queue.push_back(Post::Deliver(message.clone())),
            (Self::DoubleLeave, Post::Leave(room, _, shard, user)) => {
                queue.push_back(Post::Leave(room.clone(), Caller::Nobody, *shard, user.clone()));
            }
            (Self::MissJoin, Post::Join(_, join)) if join.again => {
                queue.push_back(post);
                return false;
            }
            (Self::MissJoin, Post::Join(room, join)) => {
                let leave = Post::Leave(room.clone(), Caller::Nobody, join.session.shard, join.user.clone());
                queue.push_back(post);
                queue.push_back(leave);
                return true;
            }
            (Self::Swap, Post::Deliver(message)) => {
                let last = queue.iter().rposition(|other| delivers(other, &message.room));
                queue.insert(last.unwrap_or(queue.len()), post);
                return last.is_some();
            }
            (Self::Admit, Post::Entered(session, _)) => {
                queue.push_back(Post::Entered(*session, true));
                return true;
            }
            (Self::AnnounceTwice, Post::Announce(announcement, caller)) => {
                queue.push_back(Post::Announce(announcement.clone(), caller.clone()));
            }
            (Self::AnnounceLess, Post::Announce(_, caller)) => {
                queue.push_back(Post::Counted(caller.clone(), 0));
                return true;
            }
            // It is lost.
            _ => return true,
        }
        queue.push_back(post);
        true
    }

    /// Puts an answer before what it has to follow.
    fn overtake(self, queue: &mut VecDeque<Post>, post: Post) {
        let before = match (self, &post) {
            (Self::AnswerFirst, Post::Published(room, ..)) => {
                queue.back().is_some_and(|last| delivers(last, room)).then(|| queue.len() - 1)
            }
            (Self::MemberFromAsk, Post::Joined(room, ..)) | (Self::LeaveAtOnce, Post::Left(room, _)) => {
                queue.iter().position(|other| delivers(other, room))
            }
            (Self::LetterTwice, Post::Joined(room, ..)) if room.space() == Space::User => {
                queue.iter().position(|other| delivers(other, room))
            }
            _ => None,
        };
        queue.insert(before.unwrap_or(queue.len()), post);
    }
}

fn forget_key(queue: &mut VecDeque<Post>, post: Post) {
    queue.push_back(match post {
        Post::Publish(room, caller, mut draft) => {
            draft.key = None;
            Post::Publish(room, caller, draft)
        }
        post => post,
    });
}

fn delivers(post: &Post, room: &RoomKey) -> bool {
    matches!(post, Post::Deliver(message) if message.room == *room)
}
