//! The server's side of RFC 6455, without I/O: bytes go in, events come out, and nothing here knows a socket
//! or a clock.
//!
//! - [`handshake`] judges an upgrade request and writes the 101.
//! - [`connection`] turns what a client sends, cut anywhere, into events, or into the close that it has
//!   earned.
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
