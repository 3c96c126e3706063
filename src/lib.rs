//! Switchboard, a push relay.

pub mod http;
pub mod settings;
