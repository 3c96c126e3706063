//! Rates: how fast addresses may connect, and how fast connections, users and API keys may send.

use std::net::IpAddr;
use std::time::Duration;

use arcstr::ArcStr;

use super::Shard;
use crate::api::route::refusal;
use crate::broker::post::{Slot, Ticket};
use crate::dialect::request::{Refused, Request};
use crate::error::{Close, Fault};
use crate::http::Response;
use crate::proxy::is_trusted;
use crate::session::{Phase, Session};

impl Shard {
    /// Counts session `key` for its address from now on, unless the peer is a trusted proxy. A connection over the limit is
    /// refused at its first request, so that the response can say why.
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

    /// Counts a request that needs a token check for the client's address.
    ///
    /// # Errors
    ///
    /// The response, if the address asks too often.
    pub(super) fn count_asking(&mut self, key: u32) -> Result<(), Response> {
        let (allowed, now_ms) = (self.common.allowed, self.now.shared_ms());
        let Some(address) = self.address(key).filter(|_| allowed.handshakes.is_limit()) else {
            return Ok(());
        };
        let asked = self.common.addresses.ask(address, allowed, now_ms);
        asked.map_err(|wait_ms| refusal(rate_limited(wait_ms)))
    }

    /// Session `key` makes a request for `client`, perhaps for the first time.
    pub(super) fn know_client(&mut self, key: u32, client: IpAddr) {
        if self.address(key).is_some_and(|before| before != client) {
            self.count_out(key);
        }
        if let Some(session) = self.session(key) {
            session.conduct.get_or_insert_default().client = Some(client);
        }
    }

    /// Counts a request for its client's address, if the connection is not counted already. A proxy's own health checks do
    /// not count.
    ///
    /// # Errors
    ///
    /// The response, if the address has too many connections.
    pub(super) fn count_request_in(&mut self, key: u32) -> Result<(), Response> {
        let own = |address| is_trusted(&self.common.settings.proxies.trust, address);
        if self.address(key).is_none_or(own) { Ok(()) } else { self.count_connection(key) }
    }

    /// A request is answered. On a proxy's connection the next may be for another client.
    pub(super) fn count_request_out(&mut self, key: u32) {
        let Some(peer) = self.exchange(key).map(|exchange| exchange.peer) else { return };
        if is_trusted(&self.common.settings.proxies.trust, peer) {
            self.count_out(key);
        }
    }

    /// The client of session `key` asks for a WebSocket or a stream.
    ///
    /// # Errors
    ///
    /// The response, if the address has too many connections or asks too often.
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
            let message = "this address has too many connections";
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

    /// The session is over, or makes requests for another client from now on.
    pub(super) fn count_out(&mut self, key: u32) {
        let address = self.address(key);
        let conduct = self.session(key).and_then(|session| session.conduct.as_mut());
        if conduct.is_some_and(|conduct| std::mem::take(&mut conduct.counted))
            && let Some(address) = address
        {
            self.common.addresses.leave(address, self.common.allowed);
        }
    }

    /// The address of the client. It is known if addresses are limited.
    fn address(&self, key: u32) -> Option<IpAddr> {
        self.sessions.get(key as usize)?.client()
    }

    /// Counts a call for the API key called `name`.
    ///
    /// # Errors
    ///
    /// The response, if the key makes too many calls.
    pub(super) fn count_call(&self, name: &str) -> Result<(), Response> {
        let taken = self.common.callers.take(name, self.now.shared_ms());
        taken.map_err(|wait_ms| refusal(rate_limited(wait_ms)))
    }

    /// Counts a request. Returns whether to carry it out; if not, it has been answered.
    pub(super) fn is_heard(&mut self, key: u32, text: &str, slot: Option<Slot>) -> bool {
        let Err(wait_ms) = self.count_request(key, text.len()) else { return true };
        let (Ok(Request { id, .. }) | Err(Refused { id, .. })) = self.dialect(key).read(text);
        self.error(key, Ticket { id, slot }, None, Fault::RateLimited(wait_ms));
        false
    }

    /// Counts a message of `bytes` bytes for the connection and for the user of session `key`.
    ///
    /// # Errors
    ///
    /// If that is too much: after how many milliseconds it may try again.
    fn count_request(&mut self, key: u32, bytes: usize) -> Result<(), u32> {
        let (pace, now_ms) = (self.common.pace, self.now.shared_ms());
        let Some(session) = self.session(key) else { return Ok(()) };
        if let Some(pace) = pace {
            session.conduct.get_or_insert_default().say(pace, bytes, now_ms)?;
        }
        let taken = self.speaker(key).map_or(Ok(()), |user| self.common.speakers.take(&user, now_ms));
        taken.map_err(|wait_ms| u32::try_from(wait_ms).unwrap_or(u32::MAX))
    }

    /// Session `key` sends `typing` in the room of audience `number`. Returns whether that is news for the room.
    ///
    /// # Errors
    ///
    /// If it sends too many.
    pub(super) fn note_typing(&mut self, key: u32, number: u32, active: bool) -> Result<bool, Fault> {
        let now = self.now;
        let Some(session) = self.session(key) else { return Ok(false) };
        let typed = session.conduct.get_or_insert_default().typed.get_or_insert_default();
        typed.say(number, active, now.tick(), now.shared_ms()).map_err(rate_limited)
    }

    /// Forgets what session `key` has sent about typing in the room of audience `number`.
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

    /// Counts a message of a dialect that has no words for a refusal. If it is too much, its sender is not read for a while.
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

    /// Counts a refusal for session `key`. A session with too many is closed.
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
