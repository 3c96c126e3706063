//! Switchboard, a push relay.

pub mod addresses;
pub mod api;

pub mod broker;
pub mod bucket;
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
pub mod out_queue;
pub mod position;
pub mod pressure;
pub mod reactor;
pub mod room_key;
pub mod server;
pub mod session;
pub mod settings;
pub mod shard;
pub mod time;
pub mod ws;

pub use handle::{Handle, PublishError};
pub use server::{RunError, Server, StartError};
