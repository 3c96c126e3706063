//! Sizes of what each connection, member or post has: memory is these sizes, times a million.
//!
//! None of them holds a socket, so they are the same in debug and in release.

use switchboard::broker::lane::Member;
use switchboard::broker::post::Post;
use switchboard::broker::seats::{Seat, Seats};
use switchboard::out_queue::OutQueue;
use switchboard::session::Session;
use switchboard::time::Tick;

#[track_caller]
fn assert_at_most<T>(bytes: usize) {
    let (name, size) = (std::any::type_name::<T>(), size_of::<T>());
    assert!(size <= bytes, "a {name} is {size} bytes, more than {bytes}");
}

/// An idle guest in a room is its session, its deadline and its place in the lane, beside the socket of the reactor.
#[test]
fn an_idle_connection_is_small() {
    assert_at_most::<Session>(104);
    assert_at_most::<Tick>(4);
    assert_at_most::<Member>(8);
}

#[test]
fn rooms_cost_a_session_little() {
    assert_at_most::<Seat>(8);
    assert_at_most::<Seats>(16);
}

/// A message to another shard is one post; an inbox of a busy turn holds thousands.
#[test]
fn a_post_is_small() {
    assert_at_most::<Post>(160);
}

/// Only a session whose socket is full has one, but all sessions may be in that state.
#[test]
fn a_queue_is_a_cache_line() {
    assert_at_most::<OutQueue>(64);
}
