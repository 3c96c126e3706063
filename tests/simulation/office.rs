//! The inboxes between shards. Order is kept from each shard to each other, and nothing else is: what two shards wrote to
//! a third comes in any order, whole or in part, now or later.

use std::collections::VecDeque;

use switchboard::broker::post::Post;
use switchboard::id::SessionId;

use super::plant::Plant;
use super::random::Random;

pub struct Office {
    /// What is on the way: to each shard, from each.
    boxes: Vec<Vec<VecDeque<Post>>>,
    plant: Plant,
    /// Chances to do something wrong once that pass before it is done.
    patience: usize,
}

impl Office {
    pub fn new(shards: usize, plant: Plant, random: &mut Random) -> Self {
        let boxes = (0..shards).map(|_| (0..shards).map(|_| VecDeque::new()).collect()).collect();
        Self { boxes, plant, patience: random.below(30) }
    }

    pub fn put(&mut self, from: usize, to: usize, post: Post) {
        let mut tried = VecDeque::new();
        std::mem::swap(&mut tried, &mut self.boxes[to][from]);
        let chance = chance(self.plant, &post);
        let done = self.plant.put(&mut tried, post, chance && self.patience == 0);
        if chance && (done || self.patience > 0) {
            self.patience = self.patience.checked_sub(1).unwrap_or(usize::MAX);
        }
        self.boxes[to][from] = tried;
    }

    /// What shard `to` finds in its inbox: all there is, or some.
    pub fn take(
        &mut self,
        to: usize,
        all: bool,
        random: &mut Random,
        alive: impl Fn(SessionId) -> bool,
    ) -> Vec<Post> {
        let mut taken = Vec::new();
        let mut open: Vec<usize> =
            (0..self.boxes.len()).filter(|from| !self.boxes[to][*from].is_empty()).collect();
        while !open.is_empty() && (all || !random.chance(5)) {
            let index = random.below(open.len());
            match self.boxes[to][open[index]].pop_front() {
                Some(Post::Joined(_, join, Ok(_)))
                    if self.plant == Plant::GhostJoin && !alive(join.session) => {}
                Some(post) => taken.push(post),
                None => drop(open.swap_remove(index)),
            }
        }
        taken
    }

    /// Whether something waits for shard `to`.
    pub fn waits(&self, to: usize) -> bool {
        self.boxes[to].iter().any(|inbox| !inbox.is_empty())
    }
}

/// Whether the plant could act on `post`.
fn chance(plant: Plant, post: &Post) -> bool {
    match plant {
        Plant::Drop | Plant::Double | Plant::Swap => matches!(post, Post::Deliver(_)),
        Plant::MissJoin => matches!(post, Post::Join(..)),
        Plant::LoseLeave | Plant::DoubleLeave => matches!(post, Post::Leave(..)),
        _ => false,
    }
}
