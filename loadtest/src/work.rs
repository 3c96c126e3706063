//! The work of a command line or of a shape of `compare`, and the scenario for it.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::parse_seconds;
use crate::scenario::pace::Drive;

mod against;
mod assemble;
mod numbers;

/// One scenario with its numbers.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Work {
    /// Open N connections: how fast do they open, what does a handshake cost, how much memory does each take?
    Connect(ConnectWork),
    /// Members that do nothing: the memory and CPU time of a connection.
    Idle(IdleWork),
    /// Connections that each send a message and wait until it comes back.
    Echo(EchoWork),
    /// Rooms with publishers: every message must reach every member, in one order, none lost and none twice.
    Fanout(FanoutWork),
    /// An echo beside a big room that never pauses: does the room delay the echo?
    Beside(BesideWork),
    /// People in rooms by a seeded script: joins, leaves, typing and messages (native dialect).
    Chat(ChatWork),
    /// Publish over the HTTP API, with keep-alive, pipelining and batches, to members on WebSocket.
    Http(PublishWork),
    /// Publish over the HTTP API, as above, to members on Server-Sent Events.
    Sse(PublishWork),
    /// All members disconnect and come back at once, and each resumes where it was (native dialect).
    Storm(StormWork),
    /// Members come, go and change rooms: the server's memory must not grow (native dialect).
    Churn(ChurnWork),
    /// The server is killed (SIGKILL) and started again: everybody must come back, resume, and learn what is lost (native
    /// dialect).
    Kill(StormWork),
    /// The server gets SIGTERM: it must close every connection with 1001 and a delay, and spread the returns (native
    /// dialect).
    Drain(DrainWork),
    /// Some members stop reading: they must be cut off, and nobody else may notice. It ends when all of them are cut off.
    Slow(SlowWork),
}

/// Which dialect of a server is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tongue {
    /// Messages unchanged, the room in the path.
    Raw,
    /// Switchboard's JSON.
    Native,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct ConnectWork {
    /// Connections to open.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) connections: usize,
    /// Connections per second; by default as many as --at-once allows.
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
    #[arg(long, default_value_t = 10_000)]
    pub(crate) members: usize,
    /// Messages of the room's publisher under way at once: with two, the server always has one to write.
    #[arg(long, default_value_t = 2)]
    pub(crate) window: u32,
    /// Echoes per second. Latency counts from the time when each should have been sent.
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
    /// Actions per second of all users together. Latency counts from the time when each should have been sent.
    #[arg(long, default_value_t = 1_000.0)]
    pub(crate) rate: f64,
    /// Percent of the actions that are typing.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(..=60))]
    pub(crate) typing: u8,
    /// Percent of the actions that are joins and leaves.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(..=40))]
    pub(crate) moving: u8,
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
    /// Members, spread over the rooms.
    #[arg(long, default_value_t = 5_000)]
    pub(crate) members: usize,
    /// Rooms, each with a publisher that stays.
    #[arg(long, default_value_t = 50)]
    pub(crate) rooms: usize,
    /// Messages per second into each room.
    #[arg(long, default_value_t = 5.0)]
    pub(crate) rate: f64,
    /// Seconds of work before all disconnect, warm-up included.
    #[arg(long, default_value = "2", value_parser = parse_seconds)]
    pub(crate) after: Duration,
    /// Bytes of a payload.
    #[arg(long, default_value_t = 128)]
    pub(crate) size: usize,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct ChurnWork {
    /// Members, each in one room; every second one is a named user.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) connections: usize,
    /// Rooms.
    #[arg(long, default_value_t = 500)]
    pub(crate) rooms: usize,
    /// Members per second that change rooms, or disconnect and come back.
    #[arg(long, default_value_t = 1_000.0)]
    pub(crate) rate: f64,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct DrainWork {
    /// Members, in rooms of twenty.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) connections: usize,
    /// Seconds that the server may take to stop.
    #[arg(long, default_value = "10", value_parser = parse_seconds)]
    pub(crate) drain: Duration,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct SlowWork {
    /// Healthy members.
    #[arg(long, default_value_t = 950)]
    pub(crate) members: usize,
    /// Members that stop reading. Every two seconds one of them checks whether the server has cut it off.
    #[arg(long, default_value_t = 50)]
    pub(crate) slow: usize,
    /// Seconds in which all members read, for comparison. The warm-up is not part of them.
    #[arg(long, default_value = "5", value_parser = parse_seconds)]
    pub(crate) after: Duration,
    /// Seconds without progress after which the server cuts a member off. A server with this setting is started with it.
    #[arg(long, default_value = "10", value_parser = parse_seconds)]
    pub(crate) stall: Duration,
    /// Messages per second. Latency counts from the time when each should have been sent.
    #[arg(long, default_value_t = 20.0)]
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
    /// Closed loop: messages (or requests) that one publisher has under way at once. With 1 it sends the next when
    /// every member has the last.
    #[arg(long, default_value_t = 1, conflicts_with = "rate")]
    pub(crate) window: u32,
    /// Open loop: messages per second of each publisher. Latency counts from the time when each should have been sent.
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// Bytes of a payload, at least 39.
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
