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
//! `ARCHITECTURE.md` explains the code.

// What is public for the tests is private without them.
#![cfg_attr(not(feature = "internals"), allow(unreachable_pub))]

// Some files of the tests are read here and in `tests`, where the crate has this name.
#[cfg(test)]
extern crate self as switchboard;

mod builder;
mod handle;
pub mod message;
#[doc(hidden)]
pub mod program;
mod server;
pub mod settings;
mod watch;

// What only the project's own tests, benches and fuzzing reach into. Elsewhere it is private, so that the compiler sees what
// nothing uses.
cfg_if::cfg_if! {
    if #[cfg(feature = "internals")] {
        pub mod addresses;
        pub mod api;
        pub mod auth;
        pub mod broker;
        pub mod bucket;
        pub mod callers;
        pub mod config;
        pub mod console;
        pub mod dialect;
        pub mod engine;
        pub mod error;
        pub mod http;
        pub mod id;
        pub mod key_map;
        pub mod ledger;
        pub mod makers;
        pub mod metrics;
        pub mod origin;
        pub mod out_queue;
        pub mod position;
        pub mod pressure;
        pub mod proxy;
        pub mod reactor;
        pub mod room_key;
        pub mod session;
        pub mod shard;
        pub mod sse;
        pub mod time;
        pub mod visible;
        pub mod ws;
    } else {
        mod addresses;
        mod api;
        mod auth;
        mod broker;
        mod bucket;
        mod callers;
        mod config;
        mod console;
        mod dialect;
        mod engine;
        mod error;
        mod http;
        mod id;
        mod key_map;
        mod ledger;
        mod makers;
        mod metrics;
        mod origin;
        mod out_queue;
        mod position;
        mod pressure;
        mod proxy;
        mod reactor;
        mod room_key;
        mod session;
        mod shard;
        mod sse;
        mod time;
        mod visible;
        mod ws;
    }
}

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
