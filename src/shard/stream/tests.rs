//! Streams on whole shards without sockets, read by a client that does what WHATWG HTML section 9.2 says.

mod cuts;
mod house;
mod life;
mod reader;
mod requests;
