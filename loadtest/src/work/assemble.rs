//! Makes a scenario from numbers and a target.

use anyhow::Result;

use super::{BesideWork, Driven, FanoutWork, IdleWork, PublishWork, SlowWork, StormWork, Tongue, Work};
use crate::clock::nanos;
use crate::dialect::Dialect;
use crate::scenario::Scenario;
use crate::scenario::beside::Beside;
use crate::scenario::chat::{self, Chat};
use crate::scenario::churn::{self, Churn};
use crate::scenario::connect::Connect;
use crate::scenario::drain::Drain;
use crate::scenario::echo::Echo;
use crate::scenario::fanout::{self, Fanout};
use crate::scenario::idle::Idle;
use crate::scenario::pace::Drive;
use crate::scenario::publish::{self, Publish};
use crate::scenario::slow::{self, Slow};
use crate::scenario::storm::{self, Cause, Storm};
use crate::target::Target;

impl Work {
    /// The scenario against a target, with random numbers from `seed`.
    ///
    /// # Errors
    ///
    /// The target cannot do it, or the numbers make no sense.
    pub(crate) fn scenario(&self, target: &Target, seed: u64) -> Result<Box<dyn Scenario>> {
        self.check()?;
        Ok(match self {
            Work::Connect(work) => {
                let dialect = work.dialect.of(target, false)?;
                Box::new(Connect::new(work.connections, work.rate, work.at_once, dialect))
            }
            Work::Idle(IdleWork { connections, named, dialect }) => {
                Box::new(Idle::new(*connections, *named, dialect.of(target, false)?))
            }
            Work::Echo(work) => {
                let Driven { size, text, .. } = work.driven;
                let template = target.wanted(target.echo.as_ref(), "echo")?;
                Box::new(Echo::new(template, work.connections, work.driven.drive(), size, text))
            }
            Work::Fanout(work) => Box::new(work.scenario(target)?),
            Work::Beside(work) => Box::new(work.scenario(target)?),
            Work::Chat(work) => {
                let path = target.native_path()?;
                let super::ChatWork { users, rooms, seats, rate, typing, moving, size } = *work;
                Box::new(Chat::new(chat::Shape {
                    users,
                    rooms,
                    seats,
                    rate,
                    typing,
                    moving,
                    size,
                    seed,
                    path,
                }))
            }
            Work::Http(work) => Box::new(work.scenario(target, None)?),
            Work::Sse(work) => {
                let stream = target.wanted(target.sse.as_ref(), "event streams")?;
                Box::new(work.scenario(target, Some(stream.clone()))?)
            }
            Work::Storm(work) => Box::new(work.scenario(target, Cause::Drop)?),
            Work::Kill(work) => Box::new(work.scenario(target, Cause::Kill)?),
            Work::Churn(work) => {
                let super::ChurnWork { connections, rooms, rate } = *work;
                let path = target.native_path()?;
                Box::new(Churn::new(churn::Shape { connections, rooms, rate, seed, path }))
            }
            Work::Drain(work) => {
                Box::new(Drain::new(work.connections, nanos(work.drain), target.native_dialect()?))
            }
            Work::Slow(work) => Box::new(work.scenario(target)?),
        })
    }
}

impl Tongue {
    fn of(self, target: &Target, text: bool) -> Result<Box<dyn Dialect>> {
        match self {
            Tongue::Raw => target.room_dialect(text),
            Tongue::Native => target.native_dialect(),
        }
    }
}

impl FanoutWork {
    fn scenario(&self, target: &Target) -> Result<Fanout> {
        let FanoutWork { rooms, members, publishers, driven, dialect } = *self;
        let shape = fanout::Shape { rooms, members, publishers, drive: driven.drive(), size: driven.size };
        Ok(Fanout::new(shape, target.order, dialect.of(target, driven.text)?))
    }
}

impl BesideWork {
    fn scenario(&self, target: &Target) -> Result<Beside> {
        let BesideWork { members, window, echo_rate, size } = *self;
        let shape = fanout::Shape { rooms: 1, members, publishers: 1, drive: Drive::Window(window), size };
        let room = Fanout::new(shape, target.order, target.room_dialect(false)?);
        let template = target.wanted(target.echo.as_ref(), "echo")?;
        Ok(Beside::new(room, Echo::new(template, 1, Drive::Rate(echo_rate), size, false)))
    }
}

impl PublishWork {
    fn scenario(&self, target: &Target, stream: Option<String>) -> Result<Publish> {
        let PublishWork { rooms, members, publishers, batch, driven } = *self;
        let call = match batch {
            1 => target.wanted(target.publish.as_ref(), "HTTP publish")?,
            _ => target.wanted(target.batch.as_ref(), "batch call")?,
        };
        let (drive, size, call) = (driven.drive(), driven.size, call.clone());
        let shape = publish::Shape { rooms, members, publishers, drive, size, batch, call, stream };
        Ok(Publish::new(shape, target.native_dialect()?))
    }
}

impl StormWork {
    fn scenario(&self, target: &Target, cause: Cause) -> Result<Storm> {
        target.wanted(target.history.as_ref(), "resume")?;
        let StormWork { members, rooms, rate, after, size } = *self;
        let path = target.native_path()?;
        Ok(Storm::new(storm::Shape { members, rooms, rate, after: nanos(after), cause, size, path }))
    }
}

impl SlowWork {
    fn scenario(&self, target: &Target) -> Result<Slow> {
        let SlowWork { members, slow, after, stall, rate, size, dialect } = *self;
        let room = fanout::Shape { rooms: 1, members, publishers: 1, drive: Drive::Rate(rate), size };
        let room = Fanout::new(room, target.order, dialect.of(target, false)?);
        let shape = slow::Shape { slow, size, rate, after: nanos(after), stall: nanos(stall) };
        Ok(Slow::new(room, shape, dialect.of(target, false)?))
    }
}
