//! The work that a turn has still to do.

use std::collections::VecDeque;

use super::resume::Lines;
use super::walk::Walks;
use crate::broker::home::Spare;
use crate::broker::place::{Ask, Tell};
use crate::broker::post::Post;
use crate::broker::question::{Part, Question};
use crate::id::ShardId;

/// Posts and asks that are not carried out yet.
#[derive(Default)]
pub(super) struct Mail {
    pub(super) own: VecDeque<Post>,
    pub(super) others: Vec<Vec<Post>>,
    pub(super) answers: Vec<(Question, Part)>,
    pub(super) posts: Vec<(ShardId, Post)>,
    pub(super) asks: Vec<Ask>,
    pub(super) tells: VecDeque<Tell>,
    /// Rooms that have worked since they were last paid for.
    pub(super) worked: Vec<u32>,
    /// A queue that homes lend each other.
    pub(super) spare: Spare,
}

/// The work lists of this turn.
#[derive(Default)]
pub(super) struct Work {
    /// Sessions with something of their own to write.
    pub(super) touched: Vec<u32>,
    /// Sessions with something of others in their queues, in the order in which they are written.
    pub(super) handed: VecDeque<u32>,
    /// Whether those come before the rooms in the next turn, or behind them.
    pub(super) handed_first: bool,
    /// Audiences with something on its way, in the order in which they are served.
    pub(super) listed: VecDeque<u32>,
    /// Sessions that fell too far behind.
    pub(super) slow: Vec<u32>,
    /// Sessions to read again.
    pub(super) resumed: Lines,
    /// How many bytes this turn may still handle for them.
    pub(super) resumable: usize,
    /// Pressure has fallen: the key from which to look for sessions that it paused.
    pub(super) releasing: Option<usize>,
    /// Sessions that are over and to be freed.
    pub(super) ended: Vec<u32>,
    pub(super) due: Vec<u32>,
    /// Who hears the message that is being delivered; nobody between two.
    pub(super) hearing: Vec<u32>,
    /// What is being done to many connections of one user.
    pub(super) walks: Walks,
}
