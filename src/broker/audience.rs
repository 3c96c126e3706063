//! The members of a room on one shard, by the wire that they read.

use std::sync::Arc;

use super::lane::Lane;
use crate::message::Wire;
use crate::settings::{RoomSettings, Slow};

/// The members of a room on one shard.
#[derive(Debug)]
pub struct Audience {
    lanes: Vec<Lane>,
    /// The settings of the room.
    pub settings: Arc<RoomSettings>,
    /// Whether the shard has it on its list of rooms with something to send.
    pub listed: bool,
}

impl Audience {
    /// Nobody yet.
    pub fn new(settings: Arc<RoomSettings>) -> Self {
        Self { lanes: Vec::new(), settings, listed: false }
    }

    /// The lane of members that read `wire`, if there are any.
    pub fn lane(&mut self, wire: Wire) -> Option<&mut Lane> {
        self.lanes.iter_mut().find(|lane| lane.wire == wire)
    }

    /// The lane of members that read `wire`. Makes it if there is none.
    pub fn lane_for(&mut self, wire: Wire) -> &mut Lane {
        let index = self.lanes.iter().position(|lane| lane.wire == wire).unwrap_or_else(|| {
            // Most rooms are read on one wire.
            self.lanes.reserve_exact(1);
            self.lanes.push(Lane::new(wire));
            self.lanes.len() - 1
        });
        &mut self.lanes[index]
    }

    /// All lanes, in the order in which they were made. None goes before the audience does.
    pub fn lanes(&mut self) -> &mut [Lane] {
        &mut self.lanes
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.lanes.iter().map(|lane| lane.members().len()).sum()
    }

    /// Whether nobody is left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether slow members miss messages instead of being closed. Then positions must be kept.
    pub fn skips(&self) -> bool {
        self.settings.slow == Slow::Skip
    }

    /// Whether a pass is under way in some lane.
    pub fn is_flying(&self) -> bool {
        self.lanes.iter().any(Lane::is_flying)
    }

    /// Bytes on their way to members.
    pub fn pending(&self) -> usize {
        self.lanes.iter().map(Lane::pending).sum()
    }
}
