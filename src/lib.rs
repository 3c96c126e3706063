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

pub mod addresses;
pub mod api;
pub mod auth;
pub mod broker;
pub mod bucket;
pub mod callers;
pub mod config;
pub mod dialect;
pub mod engine;
pub mod error;
pub mod handle;
pub mod http;
pub mod id;
pub mod ledger;
pub mod message;
pub mod metrics;
pub mod origin;
pub mod out_queue;
pub mod position;
pub mod pressure;
pub mod proxy;
pub mod reactor;
pub mod room_key;
pub mod server;
pub mod session;
pub mod settings;
pub mod shard;
pub mod time;
mod watch;
pub mod ws;

pub use handle::{Handle, PublishError};
pub use server::{RunError, Server, StartError};
