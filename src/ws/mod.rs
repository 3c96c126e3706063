//! The server's side of RFC 6455, without I/O: bytes go in and events come out, without sockets and clocks.
//!
//! - [`handshake`] checks an upgrade request and writes the 101.
//! - [`connection`] turns a client's bytes, cut anywhere, into events, or into the close that answers a violation.
//! - [`frame`] writes what a server sends.

pub mod connection;
pub mod frame;
pub mod handshake;

mod incoming;
mod mask;
mod partial;
#[cfg(test)]
mod pipe;
mod text;
mod violation;
