//! How fast sessions may come and speak: addresses, connections and keys each have their rate.

use std::net::IpAddr;
use std::time::Duration;

use arcstr::ArcStr;

use super::Shard;
use crate::api::route::refusal;
use crate::broker::post::{Slot, Ticket};
use crate::dialect::native::request::{self, Refused, Request};
use crate::error::{Close, Fault};
use crate::http::Response;
use crate::proxy::is_trusted;
use crate::session::{Phase, Session};

impl Shard {
    /// Where session `key` comes from is known, unless that is a proxy that speaks for others: counts it for its address from
    /// then on. One too many is refused when it says what it wants, so that it can be told why.
    pub(super) fn know_peer(&mut self, key: u32) {
        let (allowed, now_ms) = (self.common.allowed, self.now.shared_ms());
        let Some(peer) = self.exchange(key).map(|exchange| exchange.peer) else { return };
        if allowed.connections == 0 || is_trusted(&self.common.settings.proxies.trust, peer) {
            return;
        }
        let counted = self.common.addresses.come(peer, allowed, now_ms);
        if let Some(session) = self.session(key) {
            let conduct = session.conduct.get_or_insert_default();
            (conduct.client, conduct.counted) = (Some(peer), counted);
        }
    }

    /// The client of session `key` asks for what has its token checked: counts it for its address.
    ///
    /// # Errors
    ///
    /// The answer, if its address asks too often.
    pub(super) fn count_asking(&mut self, key: u32) -> Result<(), Response> {
        let (allowed, now_ms) = (self.common.allowed, self.now.shared_ms());
        let Some(address) = self.address(key).filter(|_| allowed.handshakes.is_limit()) else {
            return Ok(());
        };
        let asked = self.common.addresses.ask(address, allowed, now_ms);
        asked.map_err(|wait_ms| refusal(rate_limited(wait_ms)))
    }

    /// Session `key` makes a request for `client`, whom it may not have spoken for before.
    pub(super) fn know_client(&mut self, key: u32, client: IpAddr) {
        if self.address(key).is_some_and(|before| before != client) {
            self.count_out(key);
        }
        if let Some(session) = self.session(key) {
            session.conduct.get_or_insert_default().client = Some(client);
        }
    }

    /// Counts a request for its client's address, if the connection is not counted already. A proxy's own are not: it asks
    /// how the server is.
    ///
    /// # Errors
    ///
    /// The answer, if the address has as many connections as it may have.
    pub(super) fn count_request_in(&mut self, key: u32) -> Result<(), Response> {
        let own = |address| is_trusted(&self.common.settings.proxies.trust, address);
        if self.address(key).is_none_or(own) { Ok(()) } else { self.count_connection(key) }
    }

    /// A request is answered: on a proxy's connection the next may be for somebody else.
    pub(super) fn count_request_out(&mut self, key: u32) {
        let Some(peer) = self.exchange(key).map(|exchange| exchange.peer) else { return };
        if is_trusted(&self.common.settings.proxies.trust, peer) {
            self.count_out(key);
        }
    }

    /// The client of session `key` asks for what lasts, a WebSocket or a stream.
    ///
    /// # Errors
    ///
    /// The answer, if its address has too many connections or asks too often.
    pub(super) fn count_in(&mut self, key: u32) -> Result<(), Response> {
        self.count_connection(key)?;
        self.count_asking(key)
    }

    fn count_connection(&mut self, key: u32) -> Result<(), Response> {
        let (allowed, now_ms) = (self.common.allowed, self.now.shared_ms());
        let Some(address) = self.address(key).filter(|_| allowed.connections > 0) else { return Ok(()) };
        if self.has_come(key) {
            return Ok(());
        }
        let come = |shard: &Self| shard.common.addresses.come(address, allowed, now_ms);
        let comes = come(self) || (self.close_idle_of(address) && come(self));
        if !comes {
            self.ask_others(Some(address));
            let message = "this address has as many connections as it may have";
            let response = Response::new(429).retry_after(Duration::from_secs(1)).closing();
            return Err(response.error("connection_limit", message));
        }
        if let Some(session) = self.session(key) {
            session.conduct.get_or_insert_default().counted = true;
        }
        Ok(())
    }

    fn has_come(&self, key: u32) -> bool {
        let session = self.sessions.get(key as usize);
        session.and_then(|session| session.conduct.as_ref()).is_some_and(|conduct| conduct.counted)
    }

    /// It is over, or speaks for somebody else from now on.
    pub(super) fn count_out(&mut self, key: u32) {
        let address = self.address(key);
        let conduct = self.session(key).and_then(|session| session.conduct.as_mut());
        if conduct.is_some_and(|conduct| std::mem::take(&mut conduct.counted))
            && let Some(address) = address
        {
            self.common.addresses.leave(address, self.common.allowed);
        }
    }

    /// The address of the client, which is known where addresses are limited.
    fn address(&self, key: u32) -> Option<IpAddr> {
        self.sessions.get(key as usize)?.client()
    }

    /// Counts a call for the API key called `name`.
    ///
    /// # Errors
    ///
    /// The answer, if the key makes calls too fast.
    pub(super) fn count_call(&self, name: &str) -> Result<(), Response> {
        let taken = self.common.callers.take(name, self.now.shared_ms());
        taken.map_err(|wait_ms| refusal(rate_limited(wait_ms)))
    }

    /// Counts a request of the native dialect; says whether it is to be carried out. If not, it has had its answer.
    pub(super) fn is_heard(&mut self, key: u32, text: &str, slot: Option<Slot>) -> bool {
        let Err(wait_ms) = self.count_request(key, text.len()) else { return true };
        let (Ok(Request { id, .. }) | Err(Refused { id, .. })) = request::read(text);
        self.error(key, Ticket { id, slot }, None, Fault::RateLimited(wait_ms));
        false
    }

    /// Session `key` says something of so many bytes: counts it for the connection, and for the user.
    ///
    /// # Errors
    ///
    /// In how many milliseconds it may, if that is too much.
    fn count_request(&mut self, key: u32, bytes: usize) -> Result<(), u32> {
        let (pace, now_ms) = (self.common.pace, self.now.shared_ms());
        let Some(session) = self.session(key) else { return Ok(()) };
        if let Some(pace) = pace {
            session.conduct.get_or_insert_default().say(pace, bytes, now_ms)?;
        }
        let taken = self.speaker(key).map_or(Ok(()), |user| self.common.speakers.take(&user, now_ms));
        taken.map_err(|wait_ms| u32::try_from(wait_ms).unwrap_or(u32::MAX))
    }

    /// Session `key` says whether it is writing in the room of audience `number`. Whether that is news for the room.
    ///
    /// # Errors
    ///
    /// If it says too much of it.
    pub(super) fn note_typing(&mut self, key: u32, number: u32, active: bool) -> Result<bool, Fault> {
        let now = self.now;
        let Some(session) = self.session(key) else { return Ok(false) };
        let typed = session.conduct.get_or_insert_default().typed.get_or_insert_default();
        typed.say(number, active, now.tick(), now.shared_ms()).map_err(rate_limited)
    }

    /// What session `key` has said of its writing in the room of audience `number` counts no more.
    pub(super) fn forget_typing(&mut self, key: u32, number: u32) {
        let conduct = self.session(key).and_then(|session| session.conduct.as_mut());
        if let Some(typed) = conduct.and_then(|conduct| conduct.typed.as_mut()) {
            typed.forget(number);
        }
    }

    /// The user of session `key`, if users are limited.
    fn speaker(&self, key: u32) -> Option<ArcStr> {
        let session = self.sessions.get(key as usize).filter(|_| self.common.speakers.is_limit())?;
        session.user().cloned()
    }

    /// Counts a message of a dialect that has no words for a refusal: its sender is not read for a while.
    pub(super) fn slow_down(&mut self, key: u32, bytes: usize) {
        let (pace, now) = (self.common.pace, self.now);
        let user_ms = self.speaker(key).map_or(0, |user| self.common.speakers.suffer(&user, now.shared_ms()));
        if pace.is_none() && user_ms == 0 {
            return;
        }
        let Some(session) = self.session(key) else { return };
        let conduct = session.conduct.get_or_insert_default();
        let own_ms = pace.map_or(0, |pace| conduct.suffer(pace, bytes, now.shared_ms()));
        let wait_ms = own_ms.max(user_ms);
        if wait_ms > 0 {
            let until = now.after(Duration::from_millis(wait_ms));
            conduct.rests_until = until;
            self.deadlines.hasten(key, until);
        }
    }

    /// Whether a session has said so much that it is not read for now.
    pub(super) fn is_resting(&self, session: &Session) -> bool {
        let until = session.conduct.as_ref().map(|conduct| conduct.rests_until);
        matches!(session.phase, Phase::Open(_)) && until.is_some_and(|until| until > self.now.tick())
    }

    /// Session `key` was refused something: whoever does not listen to that is closed.
    pub(super) fn note_refusal(&mut self, key: u32) {
        let now = self.now.tick();
        let Some(session) = self.session(key).filter(|session| session.is_open()) else { return };
        if session.conduct.get_or_insert_default().refuse(now) {
            self.close(key, Close::TOO_MANY_REFUSALS);
        }
    }
}

fn rate_limited(wait_ms: u64) -> Fault {
    Fault::RateLimited(u32::try_from(wait_ms).unwrap_or(u32::MAX))
}
