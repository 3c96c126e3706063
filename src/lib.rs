//! Switchboard, a push relay: rooms over WebSocket and Server-Sent Events beside an HTTP app, or inside a Rust program.
//!
//! ```text
//!   clients ──▶ reactor ──▶ http, ws ──▶ session ──▶ dialect ──▶ shard ──▶ home ──▶ engine
//!           ◀── reactor ◀── queues ◀──── lanes ◀──── audience ◀──── posts ◀──┘
//! ```
//!
//! Each core has one `reactor`. It turns incoming bytes into events and queued bytes into writes. Everything else is state
//! machines without sockets or clocks: a `shard` has one core's sessions and rooms, and the `broker` orders the messages of
//! rooms.
//!
//! The smallest program:
//!
//! ```
//! use std::time::Duration;
//! use switchboard::Server;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let server = Server::builder().listen("127.0.0.1:0".parse()?).build()?; // opens its ports, or returns an error
//!     let handle = server.handle(); // for any thread, async or not: no call waits
//!     println!("ws://{}/ws/lobby", server.local_addrs()[0]);
//!     let running = std::thread::spawn(move || server.run());
//!     handle.publish("lobby", "hello")?;
//!     handle.shutdown(Duration::from_secs(10)); // closes every connection with 1001
//!     running.join().expect("the server does not panic")?;
//!     Ok(())
//! }
//! ```
//!
//! - [`Server::builder`] configures a server. [`Settings`] lists all settings.
//! - [`Handle`] controls it: [`publish`](Handle::publish) to a room, [`notify`](Handle::notify) a user,
//!   [`announce`](Handle::announce) to everybody, and ask who is connected. A thread waits for an [`Answer`], async code awaits
//!   it.
//! - [`Handle::token`] makes tokens for clients.
//!
//! `docs/embedding.md` is the guide, with and without axum. `docs/protocol.md` says what clients and apps can rely on.
//! `ARCHITECTURE.md` explains the code. Modules that are not shown here are public only for the project's own benches and
//! tests, and may change at any time.

// Some files of the tests are read here and in `tests`, where the crate has this name.
#[cfg(test)]
extern crate self as switchboard;

#[doc(hidden)]
pub mod addresses;
#[doc(hidden)]
pub mod api;
#[doc(hidden)]
pub mod auth;
#[doc(hidden)]
pub mod broker;
#[doc(hidden)]
pub mod bucket;
mod builder;
#[doc(hidden)]
pub mod callers;
#[doc(hidden)]
pub mod config;
#[doc(hidden)]
pub mod console;
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
pub mod key_map;
#[doc(hidden)]
pub mod ledger;
#[doc(hidden)]
pub mod makers;
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
pub mod sse;
#[doc(hidden)]
pub mod time;
#[doc(hidden)]
pub mod visible;
mod watch;
#[doc(hidden)]
pub mod ws;

/// The type of a user's id in [`Person`]: a shared string that is cheap to clone. It derefs to `&str`.
pub use arcstr::ArcStr;
pub use broker::presence::Person;
pub use builder::{Builder, Rooms};
pub use handle::{
    Answer, AnswerError, Handle, Members, Message, Notified, Online, Room, SendError, TokenError,
};
pub use position::Position;
pub use reactor::BindError;
pub use server::{RunError, Running, Server, StartError};
pub use settings::Settings;

/// Compiles and runs the examples of the guide as tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/embedding.md")]
struct Embedding;

/// The same for the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
