//! Rooms: who is in them, in which order messages happen, and who gets what. Knows no wire and no socket.
//!
//! A room has two halves. Its [`home`] is on one shard and gives every message its place; an [`audience`] is on each
//! shard that has members of it and passes messages on, in [`lane`]s.

pub mod audience;
pub mod directory;
pub mod history;
pub mod home;
pub mod keys;
pub mod lane;
pub mod names;
pub mod permit;
pub mod place;
pub mod post;
pub mod presence;
pub mod question;
pub mod seats;
pub mod typing;
pub mod users;
pub mod weight;
