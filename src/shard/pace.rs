//! How fast sessions may come and speak: addresses, connections and keys each have their rate.

use std::net::IpAddr;
use std::time::Duration;

use arcstr::ArcStr;

use super::Shard;
use crate::addresses::Refused as TurnedAway;
use crate::api::route::refusal;
use crate::broker::post::{Slot, Ticket};
use crate::dialect::native::request::{self, Refused, Request};
use crate::error::{Close, Fault};
use crate::http::Response;
use crate::session::Phase;

impl Shard {
    /// The client of session `key` asks for what lasts, a WebSocket or a stream: counts it for its address.
    ///
    /// # Errors
    ///
    /// The answer, if its address has too many of them or asks too often.
    pub(super) fn count_in(&mut self, key: u32) -> Result<(), Response> {
        let allowed = self.common.allowed;
        if !allowed.is_limit() {
            return Ok(());
        }
        let now_ms = self.now.shared_ms();
        let Some(address) = self.address(key) else { return Ok(()) };
        let entered = self.common.addresses.enter(address, allowed, now_ms);
        match entered {
            Ok(()) => {
                if let Some(session) = self.session(key) {
                    session.conduct.get_or_insert_default().counted = true;
                }
                Ok(())
            }
            Err(TurnedAway::TooMany) => {
                let message = "this address has as many connections as it may have";
                let response = Response::new(429).retry_after(Duration::from_secs(1));
                Err(response.error("connection_limit", message))
            }
            Err(TurnedAway::TooFast(wait_ms)) => Err(refusal(rate_limited(wait_ms))),
        }
    }

    /// The client of session `key` asks for what does not last and has its token checked: counts it for its address.
    ///
    /// # Errors
    ///
    /// The answer, if its address asks too often.
    pub(super) fn count_asking(&mut self, key: u32) -> Result<(), Response> {
        let (allowed, now_ms) = (self.common.allowed, self.now.loop_ms);
        let Some(address) = self.address(key).filter(|_| allowed.handshakes.is_limit()) else {
            return Ok(());
        };
        let asked = self.common.addresses.ask(address, allowed, now_ms);
        asked.map_err(|wait_ms| refusal(rate_limited(wait_ms)))
    }

    /// Nothing that lasts came of it, or it is over.
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

    /// Whether session `key` has said so much that it is not read for now.
    pub(super) fn is_resting(&self, key: u32) -> bool {
        let Some(session) = self.sessions.get(key as usize) else { return false };
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
