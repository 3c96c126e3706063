//! Authentication: tokens of clients, keys of apps, and what each allows.
//!
//! ```text
//!   Sources (bytes) ─▶ Access ─┬─ admit(token) ─▶ Admission: a guest, an Identity, or wait for one
//!                              └─ key(bearer)  ─▶ ApiKey: which rooms, which calls
//! ```
//!
//! Nothing here reads a file or a clock: callers pass bytes and the time. An [`access::Access`] never changes. When a key
//! file changes, a new one replaces it in [`current::Current`].

pub mod access;
pub mod api_key;
mod claims;
mod cost;
pub mod current;
pub mod denied;
pub mod identity;
pub mod issue;
mod jwk;
pub mod key;
pub mod key_set;
pub mod presented;
pub mod token;
