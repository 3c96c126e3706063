//! What goes wrong between nodes and their log.

use super::super::random::Random;

/// How often, each of a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// A push does not come.
    pub lost: usize,
    /// A push comes twice.
    pub doubled: usize,
    /// A push comes behind later ones.
    pub late: usize,
    /// The reply comes before its push.
    pub reply_first: usize,
    /// The reply comes when its request was given up.
    pub late_reply: usize,
    /// There is no reply.
    pub no_reply: usize,
    /// Something fails, or is said to have failed.
    pub fails: usize,
    /// A node hears no pushes for a while.
    pub cut: usize,
    /// A room loses its order, and has another epoch.
    pub epochs: usize,
    /// Messages of a room that the log keeps.
    pub kept: usize,
    /// The longest way, in milliseconds.
    pub delay_ms: usize,
}

impl Weather {
    pub fn new(random: &mut Random) -> Self {
        let some = |random: &mut Random, most| if random.chance(50) { random.below(most) } else { 0 };
        Self {
            lost: some(random, 150),
            doubled: some(random, 150),
            late: some(random, 150),
            reply_first: some(random, 500),
            late_reply: some(random, 60),
            no_reply: some(random, 60),
            fails: some(random, 60),
            cut: some(random, 30),
            epochs: some(random, 30),
            kept: 2 + random.below(12),
            delay_ms: random.below(80),
        }
    }
}

/// A fault that no home can make good, so that the model has to find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    Nothing,
    /// A push that is lost cannot be read either, though the log has it.
    LoseForGood,
    /// A push comes a second time as if it were the next.
    DoubleAsNew,
    /// A reply before its push names the place of another.
    ReplyElsewhere,
    /// A late push was given the place of one before it.
    LateElsewhere,
    /// A reply after its deadline is taken for that of another publish.
    StaleTag,
}

pub const ALL: [Plant; 5] =
    [Plant::LoseForGood, Plant::DoubleAsNew, Plant::ReplyElsewhere, Plant::LateElsewhere, Plant::StaleTag];
