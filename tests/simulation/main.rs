//! Shards, clients and the inboxes between them in one thread, on a virtual clock and pipes in memory, in thousands of
//! orders that seeds choose; and a model that judges what every client sees.
//!
//! ```text
//!   client ◀─▶ conn ◀─▶ socket ◀─▶ node (a real Shard) ◀─▶ office ◀─▶ node …
//!                │                                           ▲
//!                ▼                                         plant
//!              truth ─▶ order, rest, census
//! ```
//!
//! | who | asks in | is judged in |
//! | --- | --- | --- |
//! | a WebSocket of the native dialect | `requests` | `replies`, `letters`, `refusals`, `inbox`, `watch` |
//! | a stream, resumed by its last `id` | `feed` | `stream`, `watch` |
//! | a raw WebSocket | `raw` | `raw` |
//! | an app, also on behalf of streams | `calls` | `http` |
//!
//! `cluster` is a world of its own: two nodes whose homes share one log.
//!
//! `SIM_SEEDS` says how many schedules to run, `SIM_FROM` which is the first; a failure names its seed. With `SIM_TRACE`
//! set, clients say what they ask and hear.

#![allow(unreachable_pub)] // Nothing is outside of a test.

mod calls;
mod census;
#[cfg(test)]
mod cluster;
mod conn;
mod delayed;
mod event;
mod farewell;
mod feed;
mod guest;
mod http;
mod inbox;
mod letters;
mod native;
mod node;
mod office;
pub mod operations;
mod order;
mod pass;
mod plan;
mod plant;
mod random;
mod raw;
mod recovery;
mod refusals;
mod replies;
mod requests;
mod rest;
#[cfg(test)]
mod schedule;
#[cfg(test)]
mod script;
mod socket;
mod speech;
mod stream;
#[cfg(test)]
mod transcript;
mod truth;
mod watch;
mod wire;
mod world;
