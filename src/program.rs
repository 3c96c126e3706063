//! What the `switchboard` program takes from the library beside its public interface. It may change at any time.

pub use crate::auth::issue;

/// Reading the configuration.
pub mod config {
    pub use crate::config::{
        Config, Flag, Input, Log, LogFormat, Written, credentials, memory, read, written,
    };
}

/// Text for a terminal.
pub mod visible {
    pub use crate::visible::{coloured, is_unseen, json, line, lines};
}
