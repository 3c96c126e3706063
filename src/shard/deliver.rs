//! Messages come from home: each lane with members gets the frame, once.

use super::Shard;
use crate::broker::seats::Seat;
use crate::dialect::forms::Forms;
use crate::id::SessionId;
use crate::message::{Message, Wire};
use crate::room_key::RoomKey;

impl Shard {
    /// Passes a message to the members of its room on this shard.
    pub(super) fn deliver(&mut self, message: &Message) {
        let left_out = message.exclude.and_then(|session| self.left_out(session, &message.room));
        let members = self.append(&message.room, &mut Forms::message(message));
        self.counters.messages_out += members as u64;
        if let Some((wire, room, key)) = left_out
            && let Some(slot) = self.session(key).and_then(|session| session.seats.slot(room))
            && let Some(lane) = self.audiences.get_mut(room).and_then(|audience| audience.lane(wire))
        {
            lane.pass_over(slot);
            self.counters.messages_out -= 1;
        }
    }

    /// Settles the member that does not get the next message; says where it sits.
    fn left_out(&mut self, id: SessionId, room: &RoomKey) -> Option<(Wire, u32, u32)> {
        let number = self.audiences.find_key(room)?;
        let session = self.find(id)?;
        let (wire, slot) = (session.wire(number), session.seats.slot(number)?);
        self.settle_seat(id.key, Seat { room: number, slot });
        Some((wire, number, id.key))
    }

    /// Adds something to every lane of a room, and the room to the list of those to be served; says how many will get it.
    pub(super) fn append(&mut self, room: &RoomKey, forms: &mut Forms<'_>) -> usize {
        // Whoever was counted at home may have left meanwhile (rule 5).
        let Some(number) = self.audiences.find_key(room) else { return 0 };
        let Some(audience) = self.audiences.get_mut(number) else { return 0 };
        let skips = audience.skips();
        for lane in audience.lanes().iter_mut().filter(|lane| !lane.members().is_empty()) {
            let position = forms.position.filter(|_| skips || lane.wire == Wire::SseParts);
            lane.append(&forms.on(lane.wire), position);
            if let Some(taken_us) = forms.taken_us {
                lane.stamp(taken_us);
            }
        }
        if !std::mem::replace(&mut audience.listed, true) {
            self.work.listed.push_back(number);
        }
        audience.len()
    }
}
