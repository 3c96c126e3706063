//! Switchboard, a push relay: rooms over WebSocket and Server-Sent Events beside an HTTP app, or inside a Rust program.
//!
//! ```text
//!   clients ──▶ reactor ──▶ http, ws ──▶ session ──▶ dialect ──▶ shard ──▶ home ──▶ engine
//!           ◀── reactor ◀── queues ◀──── lanes ◀──── audience ◀──── posts ◀──┘
//! ```
//!
//! One [`reactor`] a core turns bytes into events and queued bytes into writes. Everything between is state machines
//! without sockets or clocks: a [`shard`] is one core's sessions and rooms, [`broker`] puts rooms in order.
//!
//! The smallest program:
//!
//! ```
//! use switchboard::{Server, settings::Settings};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings { listen: vec!["127.0.0.1:0".parse()?], ..Settings::default() };
//! let server = Server::new(settings)?; // binds here: errors before threads
//! let handle = server.handle(); // for any thread, async or not: no call waits
//! println!("ws://{}/ws/lobby", server.local_addrs()[0]);
//! let running = std::thread::spawn(move || server.run());
//! handle.publish("lobby", &serde_json::value::to_raw_value("hello")?)?;
//! handle.shutdown(); // closes everybody with 1001, in the configured time
//! running.join().expect("the server does not panic")?;
//! # Ok(())
//! # }
//! ```
//!
//! `ARCHITECTURE.md` is the tour of the house, `docs/protocol.md` what clients and apps can rely on.

#[doc(hidden)]
pub mod api;
#[doc(hidden)]
pub mod auth;
#[doc(hidden)]
pub mod broker;
mod builder;
#[doc(hidden)]
pub mod config;
#[doc(hidden)]
pub mod dialect;
#[doc(hidden)]
pub mod engine;
#[doc(hidden)]
pub mod error;
mod handle;
#[doc(hidden)]
pub mod http;
#[doc(hidden)]
pub mod id;
#[doc(hidden)]
pub mod ledger;
#[doc(hidden)]
pub mod message;
#[doc(hidden)]
pub mod metrics;
#[doc(hidden)]
pub mod origin;
#[doc(hidden)]
pub mod out_queue;
#[doc(hidden)]
pub mod position;
#[doc(hidden)]
pub mod pressure;
#[doc(hidden)]
pub mod proxy;
#[doc(hidden)]
pub mod reactor;
#[doc(hidden)]
pub mod room_key;
mod server;
#[doc(hidden)]
pub mod session;
pub mod settings;
#[doc(hidden)]
pub mod shard;
#[doc(hidden)]
pub mod time;
mod watch;
#[doc(hidden)]
pub mod ws;

pub use broker::presence::Person;
pub use builder::{Builder, Rooms};
pub use handle::{
    Answer, AnswerError, Handle, Members, Message, Notified, Online, Room, SendError, TokenError,
};
pub use position::Position;
pub use reactor::BindError;
pub use server::{RunError, Running, Server, StartError};
pub use settings::Settings;

/// The examples of the guide are compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/embedding.md")]
struct Embedding;
