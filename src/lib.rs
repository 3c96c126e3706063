//! Switchboard, a push relay.

pub mod config;
pub mod settings;
