//! The work that a command line or a shape of `compare` asks for, and the scenario that it becomes.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand, ValueEnum};

use crate::cli::parse_seconds;
use crate::scenario::pace::Drive;

mod assemble;

/// One scenario with its numbers.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Work {
    /// The ramp to N connections: how fast they come up, what a handshake costs, what each one weighs.
    Connect(ConnectWork),
    /// Members that only are there: memory and CPU of a connection.
    Idle(IdleWork),
    /// Connections that each send a message and wait for it to come back.
    Echo(EchoWork),
    /// Rooms with publishers: every message must reach every member, in one order, without gap or double.
    Fanout(FanoutWork),
    /// One echo beside a big room that is written without a pause.
    Beside(BesideWork),
    /// People in rooms by a seeded script: joins, leaves, typing and messages (native dialect).
    Chat(ChatWork),
    /// Publishing by the HTTP API, with keep-alive, pipelining and batches, to members on WebSocket.
    Http(PublishWork),
    /// The same to members on Server-Sent Events.
    Sse(PublishWork),
    /// All members drop and come back at once, each resuming from where it was (native dialect).
    Storm(StormWork),
    /// A share of the members stop reading: they must be cut off, and nobody else may notice.
    Slow(SlowWork),
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
pub(crate) struct ConnectWork {
    /// Connections to reach.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) connections: usize,
    /// Open loop: connections a second. Without it as many as --at-once allows.
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// Handshakes under way at once.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) at_once: usize,
    /// The language to join with.
    #[arg(long, value_enum, default_value_t = Tongue::Raw)]
    pub(crate) dialect: Tongue,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct IdleWork {
    /// Connections.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) connections: usize,
    /// Give each member a name.
    #[arg(long)]
    pub(crate) named: bool,
    /// The language to join with.
    #[arg(long, value_enum, default_value_t = Tongue::Native)]
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

#[derive(Args, Clone, Debug)]
pub(crate) struct ChatWork {
    /// Users, each with a name.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) users: usize,
    /// Rooms.
    #[arg(long, default_value_t = 100)]
    pub(crate) rooms: usize,
    /// Rooms of each user at the beginning.
    #[arg(long, default_value_t = 3)]
    pub(crate) seats: usize,
    /// Actions a second of all users together, counted from their intended time.
    #[arg(long, default_value_t = 1_000.0)]
    pub(crate) rate: f64,
    /// Bytes of a payload.
    #[arg(long, default_value_t = 128)]
    pub(crate) size: usize,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct PublishWork {
    /// Rooms.
    #[arg(long, default_value_t = 1)]
    pub(crate) rooms: usize,
    /// Members of each room.
    #[arg(long, default_value_t = 10)]
    pub(crate) members: usize,
    /// HTTP connections that publish.
    #[arg(long, default_value_t = 10)]
    pub(crate) publishers: usize,
    /// Messages of one request.
    #[arg(long, default_value_t = 1)]
    pub(crate) batch: usize,
    #[command(flatten)]
    pub(crate) driven: Driven,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct StormWork {
    /// Members, dealt out to the rooms.
    #[arg(long, default_value_t = 5_000)]
    pub(crate) members: usize,
    /// Rooms, each with a publisher that stays.
    #[arg(long, default_value_t = 50)]
    pub(crate) rooms: usize,
    /// Messages a second into each room.
    #[arg(long, default_value_t = 5.0)]
    pub(crate) rate: f64,
    /// Seconds of work before all drop, warm-up included.
    #[arg(long, default_value = "2", value_parser = parse_seconds)]
    pub(crate) after: Duration,
    /// Bytes of a payload.
    #[arg(long, default_value_t = 128)]
    pub(crate) size: usize,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct SlowWork {
    /// Healthy members.
    #[arg(long, default_value_t = 950)]
    pub(crate) members: usize,
    /// Members that stop reading.
    #[arg(long, default_value_t = 50)]
    pub(crate) slow: usize,
    /// Messages a second, counted from their intended time.
    #[arg(long, default_value_t = 100.0)]
    pub(crate) rate: f64,
    /// Bytes of a payload.
    #[arg(long, default_value_t = 4_096)]
    pub(crate) size: usize,
    /// The language to speak.
    #[arg(long, value_enum, default_value_t = Tongue::Raw)]
    pub(crate) dialect: Tongue,
}

/// How publishers and echoes are driven, and what they send.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Driven {
    /// Closed loop: messages (or requests) of one publisher under way at once. With 1 the next goes out when every
    /// member has the last.
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
        Driven { window, rate: None, size: 128, text: false }
    }

    fn drive(&self) -> Drive {
        self.rate.map_or(Drive::Window(self.window), Drive::Rate)
    }
}

impl Work {
    /// The scenario's name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Work::Connect(_) => "connect",
            Work::Idle(_) => "idle",
            Work::Echo(_) => "echo",
            Work::Fanout(_) => "fanout",
            Work::Beside(_) => "beside",
            Work::Chat(_) => "chat",
            Work::Http(_) => "http",
            Work::Sse(_) => "sse",
            Work::Storm(_) => "storm",
            Work::Slow(_) => "slow",
        }
    }

    /// How many connections it holds at once.
    pub(crate) fn connections(&self) -> usize {
        match self {
            Work::Connect(work) => work.connections,
            Work::Idle(work) => work.connections,
            Work::Echo(work) => work.connections,
            Work::Fanout(work) => work.rooms * work.members,
            Work::Beside(work) => work.members + 1,
            Work::Chat(work) => work.users,
            Work::Http(work) | Work::Sse(work) => work.rooms * work.members + work.publishers,
            Work::Storm(work) => work.members + work.rooms,
            Work::Slow(work) => work.members + work.slow,
        }
    }

    /// Numbers that make no sense are refused before anything is started.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(self.connections() > 0, "{} needs a connection at least", self.name());
        match self {
            Work::Fanout(FanoutWork { members, publishers, .. }) => {
                ensure!(
                    (1..=*members).contains(publishers),
                    "a room of {members} has 1 to {members} publishers"
                );
            }
            Work::Http(work) | Work::Sse(work) => {
                ensure!(work.rooms > 0 && work.members > 0, "publishing needs a room with a member");
                ensure!(
                    work.publishers > 0 && work.batch > 0,
                    "publishing needs a publisher and a batch of one"
                );
            }
            Work::Chat(work) => ensure!(work.rooms > 0 && work.seats > 0, "a chat needs rooms to be in"),
            Work::Storm(work) => {
                ensure!(work.rooms > 0 && work.members > 0, "a storm needs members in rooms")
            }
            Work::Slow(work) => ensure!(work.members > 0, "slow members need healthy ones beside them"),
            Work::Connect(_) | Work::Idle(_) | Work::Echo(_) | Work::Beside(_) => {}
        }
        let rates = [self.rate()].into_iter().flatten();
        for rate in rates {
            ensure!(rate > 0.0 && rate.is_finite(), "a rate is a number of messages a second, not {rate}");
        }
        Ok(())
    }

    fn rate(&self) -> Option<f64> {
        match self {
            Work::Connect(work) => work.rate,
            Work::Idle(_) => None,
            Work::Echo(work) => work.driven.rate,
            Work::Fanout(work) => work.driven.rate,
            Work::Beside(work) => Some(work.echo_rate),
            Work::Chat(work) => Some(work.rate),
            Work::Http(work) | Work::Sse(work) => work.driven.rate,
            Work::Storm(work) => Some(work.rate),
            Work::Slow(work) => Some(work.rate),
        }
    }
}
