//! Authentication of sessions: tokens at the handshake and in messages, what they allow, and when they end.

use std::net::IpAddr;
use std::time::Duration;

use super::Shard;
use super::crossing::Way;
use super::users::Next;
use crate::api::call::Call;
use crate::api::guard;
use crate::auth::access::Admission;
use crate::auth::denied::Denied;
use crate::auth::identity::Identity;
use crate::auth::presented;
use crate::auth::token::MAX_TOKEN;
use crate::broker::permit::{Asker, may_publish};
use crate::broker::post::Ticket;
use crate::broker::seats::Seat;
use crate::dialect::told::Told;
use crate::error::{Close, Fault};
use crate::http::{Head, Response};
use crate::room_key::{RoomKey, Space};
use crate::session::facts::Fact;
use crate::time::Tick;

#[cfg(test)]
mod tests;

/// Bytes of a message before authentication: a token and the JSON around it.
pub(super) const NEWCOMER_MESSAGE: usize = 2 * MAX_TOKEN;

/// The reason for leaving a room that a new token does not allow.
const NO_LONGER: &str = "no longer allowed";

/// A session that has not authenticated yet.
pub(super) struct Newcomer {
    /// The rooms to join after that.
    pub(super) rooms: Vec<String>,
    /// Its client's address.
    pub(super) address: Option<IpAddr>,
    /// When it is too late.
    until: Tick,
}

impl Shard {
    /// Decides whether the client that sent `head` with the user `name` may connect. With `may_wait` it can send a token
    /// later.
    pub(super) fn admission(
        &mut self,
        key: u32,
        head: &Head,
        foreign: Option<Denied>,
        name: Option<&str>,
        may_wait: bool,
    ) -> Result<Admission, Denied> {
        let access = self.access.share();
        let token = presented::token(head, access.cookie());
        let admission = match foreign {
            Some(denied) => Err(denied),
            None => access.admit(token, name, may_wait, self.now.wall_ms, &mut self.checks.spent_us),
        };
        match admission {
            Err(denied) => self.note_denied(key, head, denied),
            Ok(Admission::Waits) => {
                let until = self.now.after(self.common.settings.auth.timeout);
                let address = self.address_of(key, head);
                self.newcomers.insert(key, Newcomer { rooms: Vec::new(), address, until });
            }
            Ok(_) => {}
        }
        admission
    }

    /// The call, limited to what the key in `head` allows.
    ///
    /// # Errors
    ///
    /// The response, if the key does not allow it at all.
    pub(super) fn authorise(&mut self, key: u32, head: &Head, call: Call) -> Result<Call, Response> {
        if call == Call::Metrics && self.common.settings.metrics.public {
            return Ok(call);
        }
        let Call::Requests { stream, .. } = call else {
            let call = guard::authorise(&self.access, head, call)
                .inspect_err(|_| self.note_unknown_app(key, head))?;
            return self.count_key(head).map(|()| call);
        };
        self.count_asking(key)?;
        match self.admission(key, head, None, None, false).map_err(Denied::response)? {
            Admission::Known(identity) => Ok(Call::Requests { stream, user: Some(identity.user.clone()) }),
            Admission::Guest | Admission::Waits => Ok(Call::Requests { stream, user: None }),
        }
    }

    /// Counts and logs that `head` has no valid API key, if that is why it is refused.
    fn note_unknown_app(&mut self, key: u32, head: &Head) {
        let bearer = presented::bearer(head);
        if bearer.is_none_or(|bearer| self.access.api_key(bearer).is_none()) {
            let denied = if bearer.is_some() { Denied::ApiKey } else { Denied::NoApiKey };
            self.note_denied(key, head, denied);
        }
    }

    /// Counts a call for the API key in `head`, if there is one.
    fn count_key(&self, head: &Head) -> Result<(), Response> {
        if !self.common.callers.is_limit() {
            return Ok(());
        }
        let key = presented::bearer(head).and_then(|bearer| self.access.api_key(bearer));
        key.map_or(Ok(()), |key| self.count_call(&key.name))
    }

    /// Applies `admission` to a session that is now a WebSocket and wants to join `rooms`. Returns the rooms that it may join
    /// at once.
    pub(super) fn admit(&mut self, key: u32, admission: Admission, rooms: Vec<String>) -> Vec<String> {
        let Some(session) = self.session(key) else { return Vec::new() };
        match admission {
            Admission::Guest => rooms,
            Admission::Known(identity) => {
                session.identity = Some(identity);
                rooms
            }
            Admission::Waits => {
                session.facts.set(Fact::Newcomer, true);
                if let Some(newcomer) = self.newcomers.get_mut(&key) {
                    newcomer.rooms = rooms;
                }
                Vec::new()
            }
        }
    }

    /// A client sends `auth`, for the first time or to renew its token.
    pub(super) fn authenticate(&mut self, key: u32, ticket: Ticket<&str>, token: &str) {
        match self.access.identify(token, self.now.wall_ms, &mut self.checks.spent_us) {
            Ok(identity) if self.may_become(key, &identity) => self.become_known(key, ticket, identity),
            Ok(_) => self.error(key, ticket, None, Fault::OtherUser),
            Err(denied) => {
                self.note_denied_message(key, denied);
                if self.sessions.get(key as usize).is_some_and(|session| session.facts.has(Fact::Newcomer)) {
                    self.close(key, denied.close());
                } else {
                    self.error(key, ticket, None, Fault::Unauthorized);
                }
            }
        }
    }

    /// Whether a session may change to `identity`. A session with a user keeps that user, and a guest that rooms have counted
    /// stays a guest.
    fn may_become(&self, key: u32, identity: &Identity) -> bool {
        self.sessions.get(key as usize).is_some_and(|session| match session.user() {
            Some(user) => *user == identity.user,
            None => {
                let [comes, goes] = [Way::In, Way::Out].map(|way| self.crossings.count(key, way));
                comes == 0 && session.seats.count() <= goes
            }
        })
    }

    fn become_known(&mut self, key: u32, ticket: Ticket<&str>, identity: Identity) {
        let Some(session) = self.session(key) else { return };
        let is_new = session.identity.replace(identity).is_none();
        session.facts.set(Fact::Newcomer, false);
        let rooms = self.newcomers.remove(&key).map(|newcomer| newcomer.rooms).unwrap_or_default();
        if is_new {
            self.arrive(key, Next::Known(ticket.keep(), rooms));
        } else {
            self.confirm(key, ticket);
            self.leave_what_is_not_allowed(key);
        }
        if let Some(ends) = self.welcome_ends(key) {
            self.deadlines.hasten(key, ends);
        }
    }

    fn leave_what_is_not_allowed(&mut self, key: u32) {
        let Some(session) = self.sessions.get(key as usize) else { return };
        let seats: Vec<_> = session.seats.iter().collect();
        for seat in seats {
            let Some(room) = self.audiences.key(seat.room).cloned() else { continue };
            if room.space() != Space::Beside && !self.may_join(key, room.space(), room.label()) {
                self.remove(key, &room, NO_LONGER);
            }
        }
    }

    /// Removes a session from a room, and tells it why.
    pub(super) fn remove(&mut self, key: u32, room: &RoomKey, reason: &str) {
        let Some(number) = self.audiences.find_key(room) else { return };
        self.settle(key);
        self.tell_gaps(key, Some(number));
        self.stand_up(key, number);
        self.hear_beside(key);
        self.tell_of(key, &Told::Left { id: None, room: room.label(), reason: Some(reason) });
    }

    /// Whether session `key` may be a member of a room.
    pub(super) fn may_join(&self, key: u32, space: Space, room: &str) -> bool {
        self.common.rules.may_join(space, room, self.asker_of(key))
    }

    /// Whether session `key`, which has this `seat` in a room, may publish there.
    pub(super) fn may_publish(&self, key: u32, room: &RoomKey, seat: Seat) -> bool {
        let settings = self.audiences.get(seat.room).map(|audience| &audience.settings);
        settings.is_some_and(|settings| may_publish(settings, room.label(), self.asker_of(key)))
    }

    fn asker_of(&self, key: u32) -> Asker<'_> {
        let session = self.sessions.get(key as usize);
        self.asker(session.and_then(|session| session.identity.as_ref()))
    }

    /// The rights of `identity`.
    pub(super) fn asker<'a>(&self, identity: Option<&'a Identity>) -> Asker<'a> {
        let permits = identity.and_then(|identity| identity.rooms());
        Asker { named: identity.is_some(), permits, open: self.access.is_open() }
    }

    /// Why an authenticated session must close now.
    pub(super) fn unwelcome(&self, key: u32) -> Option<Close> {
        // A session that waits for the server is not late.
        let in_line = self.is_in_line(key);
        let late =
            self.newcomers.get(&key).is_some_and(|newcomer| newcomer.until <= self.now.tick()) && !in_line;
        let over = self.ends_ms(key).is_some_and(|ends_ms| ends_ms <= self.now.wall_ms);
        match (late, over) {
            (true, _) => Some(Close::AUTH_TIMEOUT),
            (_, true) => Some(Close::TOKEN_EXPIRED),
            _ => None,
        }
    }

    /// When to call [`Shard::unwelcome`], if no clock jumps.
    pub(super) fn welcome_ends(&self, key: u32) -> Option<Tick> {
        let late = self.newcomers.get(&key).map(|newcomer| newcomer.until);
        let left = |ends_ms: u64| Duration::from_millis(ends_ms.saturating_sub(self.now.wall_ms));
        late.or_else(|| self.ends_ms(key).map(|ends_ms| self.now.after(left(ends_ms))))
    }

    /// The end of a session's token, by the wall clock, which the token uses.
    fn ends_ms(&self, key: u32) -> Option<u64> {
        self.sessions.get(key as usize)?.identity.as_ref()?.ends_ms(self.access.leeway())
    }
}
