//! The work that a command line or a shape of `compare` asks for, and the scenario that it becomes.

use anyhow::{Result, ensure};
use clap::{Args, Subcommand, ValueEnum};

use crate::dialect::Dialect;
use crate::scenario::Scenario;
use crate::scenario::beside::Beside;
use crate::scenario::echo::Echo;
use crate::scenario::fanout::{Fanout, Shape};
use crate::scenario::idle::Idle;
use crate::scenario::pace::Drive;
use crate::target::Target;

/// One scenario with its numbers.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Work {
    /// Rooms with publishers: every message must reach every member, in one order, without gap or double.
    Fanout(FanoutWork),
    /// Connections that each send a message and wait for it to come back.
    Echo(EchoWork),
    /// Members that only are there: memory and CPU of a connection.
    Idle(IdleWork),
    /// One echo beside a big room that is written without a pause.
    Beside(BesideWork),
}

/// Which of a server's languages is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tongue {
    /// Messages as they are, the room in the path.
    Raw,
    /// Switchboard's JSON.
    Native,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct FanoutWork {
    /// Rooms.
    #[arg(long, default_value_t = 1)]
    pub(crate) rooms: usize,
    /// Members of each room, its publishers included.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) members: usize,
    /// Members of each room that publish.
    #[arg(long, default_value_t = 1)]
    pub(crate) publishers: usize,
    #[command(flatten)]
    pub(crate) driven: Driven,
    /// The language to speak.
    #[arg(long, value_enum, default_value_t = Tongue::Raw)]
    pub(crate) dialect: Tongue,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct EchoWork {
    /// Connections.
    #[arg(long, default_value_t = 100)]
    pub(crate) connections: usize,
    #[command(flatten)]
    pub(crate) driven: Driven,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct IdleWork {
    /// Connections.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) connections: usize,
    /// The language to join with.
    #[arg(long, value_enum, default_value_t = Tongue::Native)]
    pub(crate) dialect: Tongue,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct BesideWork {
    /// Members of the room.
    #[arg(long, default_value_t = 9_000)]
    pub(crate) members: usize,
    /// Messages of the room's publisher under way at once: with two the server has always one to write.
    #[arg(long, default_value_t = 2)]
    pub(crate) window: u32,
    /// Echoes a second, counted from their intended time.
    #[arg(long, default_value_t = 200.0)]
    pub(crate) echo_rate: f64,
    /// Bytes of a payload.
    #[arg(long, default_value_t = 128)]
    pub(crate) size: usize,
}

/// How publishers and echoes are driven, and what they send.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Driven {
    /// Closed loop: messages of one publisher under way at once. With 1 the next goes out when every member has
    /// the last.
    #[arg(long, default_value_t = 1, conflicts_with = "rate")]
    pub(crate) window: u32,
    /// Open loop: messages a second of each publisher, counted from their intended time.
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// Bytes of a payload; 39 at least.
    #[arg(long, default_value_t = 128)]
    pub(crate) size: usize,
    /// Send text frames where the raw dialect would send binary ones.
    #[arg(long)]
    pub(crate) text: bool,
}

impl Driven {
    /// A closed loop with this window and 128-byte payloads.
    pub(crate) fn window(window: u32) -> Driven {
        Driven {
            window,
            rate: None,
            size: 128,
            text: false,
        }
    }

    fn drive(&self) -> Drive {
        self.rate.map_or(Drive::Window(self.window), Drive::Rate)
    }
}

impl Work {
    /// The scenario's name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Work::Fanout(_) => "fanout",
            Work::Echo(_) => "echo",
            Work::Idle(_) => "idle",
            Work::Beside(_) => "beside",
        }
    }

    /// How many connections it holds at once.
    pub(crate) fn connections(&self) -> usize {
        match self {
            Work::Fanout(work) => work.rooms * work.members,
            Work::Echo(work) => work.connections,
            Work::Idle(work) => work.connections,
            Work::Beside(work) => work.members + 1,
        }
    }

    /// The scenario against a target.
    ///
    /// # Errors
    ///
    /// The target cannot do it, or the numbers make no sense.
    pub(crate) fn scenario(&self, target: &Target) -> Result<Box<dyn Scenario>> {
        Ok(match self {
            Work::Fanout(work) => Box::new(work.scenario(target)?),
            Work::Echo(work) => {
                let Driven { size, text, .. } = work.driven;
                let template = target.wanted(target.echo.as_ref(), "echo")?;
                Box::new(Echo::new(
                    template,
                    work.connections,
                    work.driven.drive(),
                    size,
                    text,
                ))
            }
            Work::Idle(work) => Box::new(Idle::new(work.connections, work.dialect.of(target, false)?)),
            Work::Beside(work) => Box::new(work.scenario(target)?),
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
        let FanoutWork {
            rooms,
            members,
            publishers,
            driven,
            dialect,
        } = *self;
        ensure!(
            (1..=members).contains(&publishers),
            "a room of {members} has from 1 to {members} publishers"
        );
        let shape = Shape {
            rooms,
            members,
            publishers,
            drive: driven.drive(),
            size: driven.size,
        };
        Ok(Fanout::new(shape, dialect.of(target, driven.text)?))
    }
}

impl BesideWork {
    fn scenario(&self, target: &Target) -> Result<Beside> {
        let BesideWork {
            members,
            window,
            echo_rate,
            size,
        } = *self;
        let shape = Shape {
            rooms: 1,
            members,
            publishers: 1,
            drive: Drive::Window(window),
            size,
        };
        let room = Fanout::new(shape, target.room_dialect(false)?);
        let template = target.wanted(target.echo.as_ref(), "echo")?;
        Ok(Beside::new(
            room,
            Echo::new(template, 1, Drive::Rate(echo_rate), size, false),
        ))
    }
}
