//! Who somebody is: tokens of clients, keys of apps, and what either lets its bearer do.
//!
//! ```text
//!   Sources (bytes) ─▶ Access ─┬─ admit(token) ─▶ Admission: a guest, an Identity, or wait for one
//!                              └─ key(bearer)  ─▶ ApiKey: which rooms, which calls
//! ```
//!
//! Nothing here reads a file or a clock: bytes and the time are passed in. An [`access::Access`] never changes; when a
//! key file does, a new one takes its place in [`current::Current`], which owns the one that counts.

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
