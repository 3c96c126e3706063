//! Switchboard, a push relay.

pub mod config;
pub mod server;
pub mod settings;

pub use server::{Handle, RunError, Server, StartError};
