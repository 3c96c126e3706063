//! What is on its way between shards: in order for each pair, and in no other order. What one shard writes to another and
//! a third comes in any order, whole or in part, now or later.

use std::collections::{BTreeMap, VecDeque};

use switchboard::broker::post::Post;
use switchboard::id::SessionId;

use super::plant::Plant;
use super::random::Random;
use super::truth::Verdict;
use super::truth::ensure;

/// A session, as a key of a map.
type Visitor = (u16, u32, u32);

pub struct Office {
    /// What is on the way: to each shard, from each.
    boxes: Vec<Vec<VecDeque<Post>>>,
    plant: Plant,
    /// Chances to do something wrong once that pass before it is done.
    patience: usize,
    /// How often each session has come to its user, and gone.
    visits: BTreeMap<Visitor, [usize; 2]>,
}

impl Office {
    pub fn new(shards: usize, plant: Plant, random: &mut Random) -> Self {
        let boxes = (0..shards).map(|_| (0..shards).map(|_| VecDeque::new()).collect()).collect();
        let most = if plant.is_rare() { 3 } else { 30 };
        Self { boxes, plant, patience: random.below(most), visits: BTreeMap::new() }
    }

    pub fn put(&mut self, from: usize, to: usize, post: Post) {
        self.note(&post);
        let mut tried = VecDeque::new();
        std::mem::swap(&mut tried, &mut self.boxes[to][from]);
        let chance = self.plant.fits(&post);
        let done = self.plant.put(&mut tried, post, chance && self.patience == 0);
        if chance && (done || self.patience > 0) {
            self.patience = self.patience.checked_sub(1).unwrap_or(usize::MAX);
        }
        self.boxes[to][from] = tried;
    }

    fn note(&mut self, post: &Post) {
        let (id, which) = match post {
            Post::Came(_, id, _) => (id, 0),
            Post::Went(_, id, _) => (id, 1),
            _ => return,
        };
        self.visits.entry((id.shard, id.key, id.generation)).or_default()[which] += 1;
    }

    /// When all have gone: each that came went once.
    pub fn check_visits(&self) -> Verdict {
        let odd = self.visits.iter().find(|(_, visits)| **visits != [1, 1]);
        ensure!(odd.is_none(), "a session came and went as often: {odd:?}");
        Ok(())
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
