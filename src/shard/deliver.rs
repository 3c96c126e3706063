//! Messages come from home: each lane with members gets the frame, once.

use super::Shard;
use crate::broker::post::Notice;
use crate::broker::seats::Seat;
use crate::dialect::forms::Forms;
use crate::message::{Message, Transport};
use crate::room_key::{RoomKey, Space};

impl Shard {
    /// Passes a message to the members of its room on this shard.
    pub(super) fn deliver(&mut self, message: &Message) {
        let mut forms = Forms::message(message);
        if message.room.space() == Space::User {
            self.deliver_beside(message, &mut forms);
        }
        let left_out = message.exclude.and_then(|id| self.find(id).map(|_| id.key));
        let members = self.append_beside(&message.room, left_out.as_slice(), &mut forms);
        self.counters.messages_out += members as u64;
    }

    /// Tells the members of a room something about the people in it; nobody is told of their own typing.
    pub(super) fn notice(&mut self, room: &RoomKey, notice: &Notice) {
        let typists = match notice {
            Notice::Typing { user, .. } => self.seated_of(room, user),
            Notice::UserJoined { .. } | Notice::UserLeft { .. } | Notice::Count(_) => Vec::new(),
        };
        self.append_beside(room, &typists, &mut Forms::news(room.label(), notice));
    }

    /// Adds something to every lane of a room, but not for the sessions `beside`; says how many will get it.
    fn append_beside(&mut self, room: &RoomKey, beside: &[u32], forms: &mut Forms<'_>) -> usize {
        let Some(number) = self.audiences.find_key(room) else { return 0 };
        for &key in beside {
            if let Some(slot) = self.session(key).and_then(|session| session.seats.slot(number)) {
                self.settle_seat(key, Seat { room: number, slot });
            }
        }
        let members = self.append_to(number, forms);
        members - beside.iter().filter(|&&key| self.pass_over(key, number)).count()
    }

    /// Keeps from a session what was just added to a room. Whether it is a member.
    fn pass_over(&mut self, key: u32, number: u32) -> bool {
        let Some(session) = self.session(key) else { return false };
        let (wire, slot) = (session.wire(number), session.seats.slot(number));
        let lane = self.audiences.get_mut(number).and_then(|audience| audience.lane(wire));
        if let (Some(slot), Some(lane)) = (slot, lane) {
            lane.pass_over(slot);
            return true;
        }
        false
    }

    /// Adds something to every lane of a room, and the room to the list of those to be served; says how many will get it.
    pub(super) fn append(&mut self, room: &RoomKey, forms: &mut Forms<'_>) -> usize {
        // Whoever was counted at home may have left meanwhile (rule 5).
        self.audiences.find_key(room).map_or(0, |number| self.append_to(number, forms))
    }

    /// The same for the room of audience `number`.
    pub(super) fn append_to(&mut self, number: u32, forms: &mut Forms<'_>) -> usize {
        let Some(audience) = self.audiences.get_mut(number) else { return 0 };
        let skips = audience.skips();
        for lane in audience.lanes().iter_mut().filter(|lane| !lane.members().is_empty()) {
            let form = forms.on(lane.wire);
            if form.is_empty() {
                continue;
            }
            let position = forms.position.filter(|_| skips || lane.wire.transport == Transport::Parts);
            lane.append(&form, position);
            if let Some(notice) = forms.news.filter(|_| skips) {
                lane.note(notice);
            }
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
