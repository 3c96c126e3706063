//! Switchboard, a push relay.

pub mod settings;
pub mod ws;
