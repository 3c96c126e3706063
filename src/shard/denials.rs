//! Who was turned away and why, for whoever runs the server: counted each time, and told to the log at a rate that no
//! stranger sets.

use std::net::IpAddr;

use super::Shard;
use crate::auth::denied::Denied;
use crate::http::Head;
use crate::proxy;
use crate::session::Phase;
use crate::time::Tick;

/// Ticks from one line of the log about one reason to the next: 10 s.
const QUIET: u32 = 40;

/// Characters of an origin that a line shows.
const SHOWN: usize = 100;

/// What was not told yet of one reason. There are as many of these as reasons.
#[derive(Default)]
pub(super) struct Untold {
    /// How often since the last line.
    times: u64,
    /// When the log may tell of it.
    quiet_until: Tick,
}

impl Shard {
    /// The client that sent `head` is turned away.
    pub(super) fn note_denied(&mut self, key: u32, head: &Head, denied: Denied) {
        let address = self.address_of(key, head);
        let page = match denied {
            Denied::Origin => head.field("origin"),
            Denied::Host => head.host(),
            _ => None,
        };
        self.tell_denied(denied, address, None, page);
    }

    /// The address of the client that sent `head`.
    pub(super) fn address_of(&self, key: u32, head: &Head) -> Option<IpAddr> {
        let Phase::Http(exchange) = &self.sessions.get(key as usize)?.phase else { return None };
        Some(proxy::client(head, exchange.peer, &self.common.settings.proxies.trust))
    }

    /// The token is refused that session `key` has sent in a message.
    pub(super) fn note_denied_message(&mut self, key: u32, denied: Denied) {
        let newcomer = self.newcomers.get(&key).and_then(|newcomer| newcomer.address);
        let session = self.sessions.get(key as usize);
        let address = newcomer.or_else(|| session.and_then(|session| session.client()));
        let user = session.and_then(|session| session.user()).cloned();
        self.tell_denied(denied, address, user.as_deref(), None);
    }

    /// Session `key` is turned away for what it has said, or has not, and closed.
    pub(super) fn turn_away(&mut self, key: u32, denied: Denied) {
        self.note_denied_message(key, denied);
        self.close(key, denied.close());
    }

    /// Nothing of the token itself, and nothing at length that a peer has written.
    fn tell_denied(
        &mut self,
        denied: Denied,
        address: Option<IpAddr>,
        user: Option<&str>,
        page: Option<&str>,
    ) {
        let reason = denied.word();
        self.place().denied(reason);
        let now = self.now.tick();
        let untold = self.denials.entry(reason).or_default();
        if now < untold.quiet_until {
            untold.times += 1;
            return;
        }
        let untold =
            std::mem::replace(untold, Untold { times: 0, quiet_until: Tick(now.0.saturating_add(QUIET)) });
        let page = page.map(|page| page.chars().take(SHOWN).collect::<String>());
        let address = address.map(tracing::field::display);
        let more = (untold.times > 0).then_some(untold.times);
        tracing::info!(
            address,
            user,
            page,
            reason,
            more_before = more,
            "access denied: {}",
            denied.sentence()
        );
    }
}
