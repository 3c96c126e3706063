//! When all queues together are too large: who holds most of them goes first.

use super::Shard;
use crate::error::Close;
use crate::session::Session;
use crate::time::Tick;

/// Ticks from one line of the log about this to the next: 10 s.
const QUIET: u32 = 40;

impl Shard {
    /// Pays for what the queue of session `key` has come to hold, or gets back what it does not hold any more.
    pub(super) fn pay(&mut self, key: u32) {
        let queue = self.sessions.get_mut(key as usize).and_then(|session| session.queue.as_mut());
        let unpaid = queue.map_or(0, |queue| queue.take_unpaid());
        if unpaid != 0 {
            self.spend(unpaid);
        }
    }

    /// Pays for the buffers that queues share.
    fn pay_shared(&mut self) {
        let total = self.tally.total();
        let paid = std::mem::replace(&mut self.tallied, total);
        if total != paid {
            self.spend(total.cast_signed() - paid.cast_signed());
        }
    }

    pub(super) fn spend(&mut self, bytes: isize) {
        let (more, less) = if bytes > 0 { (bytes.unsigned_abs(), 0) } else { (0, bytes.unsigned_abs()) };
        self.queues.spend(&self.common.queued, more, less);
    }

    /// Lets the fullest queues go while all together are over `limits.queue_total`. Every shard gives up the same part of
    /// what it holds, and an eighth more, so that this is not for every turn.
    pub(super) fn shed(&mut self) {
        self.pay_shared();
        if !self.common.queued.is_overdrawn() {
            return;
        }
        let goal = self.common.queued.share(self.queues.used()) / 8 * 7;
        let mut excess = self.queues.used().saturating_sub(goal);
        let mut gone = 0;
        for (held, key) in self.fullest() {
            if excess == 0 || self.queues.used() <= goal {
                break;
            }
            // What several hold is not free when one of them is gone; then the next turn finds out.
            excess = excess.saturating_sub(held);
            gone += 1;
            self.let_go(key);
            self.pay(key);
            self.pay_shared();
        }
        self.log_shed(gone);
    }

    /// Sessions with what they have waiting, the fullest first, whatever they are doing: one that is being closed and does not
    /// read has all the time that its peer gives it.
    fn fullest(&self) -> Vec<(usize, u32)> {
        let held = |session: &Session| session.asked() + session.others() + session.input();
        let all = self.sessions.iter().map(|(key, session)| (held(session), key as u32));
        let mut full: Vec<_> = all.filter(|(held, _)| *held > 0).collect();
        full.sort_unstable_by(|a, b| b.cmp(a));
        full
    }

    /// Drops what session `key` has not begun to read, and closes it if there are words for that.
    pub(super) fn let_go(&mut self, key: u32) {
        let Some(session) = self.session(key) else { return };
        if !session.is_open() {
            if !self.drop_request(key) {
                self.end(key);
            }
            return;
        }
        self.close_unsettled(key, &Close::OVER_CAPACITY);
    }

    /// Every peer that does not read can bring this about, so it is told now and then only.
    fn log_shed(&mut self, gone: usize) {
        let now = self.now.tick();
        self.shed_lately += gone;
        if self.shed_lately > 0 && now >= self.shed_quiet_until {
            let limit = self.common.settings.limits.queue_total;
            tracing::warn!(
                closed = self.shed_lately,
                limit,
                "all queues together are over limits.queue_total"
            );
            self.shed_lately = 0;
            self.shed_quiet_until = Tick(now.0.saturating_add(QUIET));
        }
    }
}
