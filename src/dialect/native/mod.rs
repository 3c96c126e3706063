//! The native dialect: one JSON object a text frame, as `docs/protocol.md` has it.

pub mod event;
pub mod fields;
pub mod request;

/// The subprotocol that is chosen when a client offers it.
pub const SUBPROTOCOL: &str = "switchboard.v1";
