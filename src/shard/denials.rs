//! Counts each denied access, and logs the reasons at a limited rate, so that strangers cannot fill the log.

use std::net::IpAddr;

use super::Shard;
use crate::auth::denied::Denied;
use crate::http::Head;
use crate::proxy;
use crate::session::Phase;

/// Milliseconds between two lines of the log about one reason.
const QUIET_MS: u64 = 10_000;

/// Characters of an origin that a line shows.
const SHOWN: usize = 100;

/// Denied accesses for one reason that are not in the log yet.
#[derive(Default)]
pub(super) struct Untold {
    /// How often since the last line.
    pub(super) times: u64,
    /// When the log may have the next line. By the clock that all shards share: the loop's own time stands still while
    /// nothing is due.
    quiet_until_ms: u64,
}

impl Shard {
    /// The client that sent `head` is denied access.
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

    /// The client at `address`, session `key`, may not join the room of its raw connection.
    pub(super) fn note_denied_room(&mut self, key: u32, address: Option<IpAddr>) {
        let user = self.user_of(key);
        self.tell_denied(Denied::Room, address, user.as_deref(), None);
    }

    /// The token that session `key` has sent in a message is refused.
    pub(super) fn note_denied_message(&mut self, key: u32, denied: Denied) {
        let newcomer = self.newcomers.get(&key).and_then(|newcomer| newcomer.address);
        let session = self.sessions.get(key as usize);
        let address = newcomer.or_else(|| session.and_then(|session| session.client()));
        let user = session.and_then(|session| session.user()).cloned();
        self.tell_denied(denied, address, user.as_deref(), None);
    }

    /// Denies access to session `key` after its handshake, and closes it.
    pub(super) fn turn_away(&mut self, key: u32, denied: Denied) {
        self.note_denied_message(key, denied);
        self.close(key, denied.close());
    }

    /// The line has nothing of the token, and no long text of a peer.
    fn tell_denied(
        &mut self,
        denied: Denied,
        address: Option<IpAddr>,
        user: Option<&str>,
        page: Option<&str>,
    ) {
        let reason = denied.word();
        self.place().denied(reason);
        let now_ms = self.now.shared_ms();
        let untold = self.denials.entry(reason).or_default();
        if now_ms < untold.quiet_until_ms {
            untold.times += 1;
            return;
        }
        let untold = std::mem::replace(untold, Untold { times: 0, quiet_until_ms: now_ms + QUIET_MS });
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
