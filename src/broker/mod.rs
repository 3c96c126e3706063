//! Rooms: their members, the order of their messages, and who gets which message. It knows no wire and no socket.
//!
//! A room has two halves. Its [`home`] is on one shard and gives every message its position. Each shard with members has an
//! [`audience`], which hands out messages in [`lane`]s.

pub mod audience;
pub mod directory;
pub mod history;
pub mod home;
pub mod keys;
pub mod lane;
pub mod names;
pub mod permit;
// An engine across a network uses all of it, and there is none yet but in the tests.
#[cfg_attr(not(feature = "internals"), allow(dead_code))]
pub mod place;
pub mod post;
pub mod presence;
pub mod question;
pub mod seats;
pub mod typing;
pub mod users;
pub mod weight;
