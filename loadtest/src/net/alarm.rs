//! A timer that a `mio` loop can wait for to the microsecond.
//!
//! `epoll` rounds its time-out up to a millisecond, which an open loop would then count as the server's latency. A
//! timer descriptor does not.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use crate::clock::{Nanos, SECOND};

/// One timer, set anew for each deadline.
#[derive(Debug)]
pub(crate) struct Alarm {
    timer: OwnedFd,
    /// What it is set to; `None` when it has gone off or was never set.
    set: Option<Nanos>,
}

impl Alarm {
    pub(crate) fn new(registry: &Registry, token: Token) -> io::Result<Alarm> {
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Alarm { timer, set: None })
    }

    /// Goes off at `deadline`, which must be in the future of `now`. Setting the same deadline again is free.
    pub(crate) fn set(&mut self, deadline: Nanos, now: Nanos) -> io::Result<()> {
        if self.set == Some(deadline) {
            return Ok(());
        }
        let wait = deadline.saturating_sub(now).max(1);
        let value = Timespec { tv_sec: (wait / SECOND) as i64, tv_nsec: (wait % SECOND) as i64 };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        self.set = Some(deadline);
        Ok(())
    }

    /// To be called when its event has come.
    pub(crate) fn went_off(&mut self) {
        // The edge was enough: setting the timer again makes it readable again, whether or not it was read.
        self.set = None;
    }
}
