//! The client behind a proxy: the PROXY protocol before the first request, and `X-Forwarded-For` in each.

pub mod forwarded;
pub mod header;

pub use forwarded::{client, is_trusted, scheme};
pub use header::{Malformed, Reader};
