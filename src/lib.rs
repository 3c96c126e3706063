//! Switchboard, a push relay.

pub mod settings;
