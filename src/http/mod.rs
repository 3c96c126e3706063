//! HTTP/1.1 for a server, without I/O: bytes in, requests out; responses in, bytes out.
//!
//! A [`Reader`] takes the bytes that arrive and gives a [`Head`], then a body, then the next head. It is strict by RFC
//! 9110 and 9112: where two readers could understand the same bytes as different requests, it answers with a [`Refusal`],
//! after which the connection closes. A [`Response`] is built as a value and written at once.
//!
//! ```text
//!   input ─▶ Scan ─ end found ─▶ Head::parse ─▶ Framing ─▶ Body ─▶ the next Scan
//!            lines, limits       httparse, Target, Host     sized or chunked
//! ```

pub mod asker;
mod authority;
mod body;
mod chunked;
pub mod fields;
mod framing;
pub mod head;
mod pairs;
mod parts;
pub mod refusal;
pub mod request;
pub mod response;
mod scan;
mod syntax;
pub mod target;

pub use crate::http::asker::Asker;
pub use crate::http::refusal::Refusal;
pub use crate::http::request::{Head, Limits, Method, Reader, Step, Version};
pub use crate::http::response::{CONTINUE, Envelope, Field, Response};
