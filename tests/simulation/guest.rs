//! What is known of a connection from outside: whose it is, where it is, and what it hears.

use switchboard::position::Position;

use super::conn::{Conn, Tongue};
use super::watch::Watch;

impl Conn {
    /// What somebody else can call it by.
    pub fn name(&self) -> Option<&String> {
        match &self.tongue {
            Tongue::Native(native) => native.name.as_ref(),
            Tongue::Stream(stream) => stream.name.as_ref(),
            _ => None,
        }
    }

    /// Whose it is.
    pub fn user(&self) -> Option<&str> {
        match &self.tongue {
            Tongue::Native(native) => native.user.as_deref(),
            Tongue::Stream(stream) => stream.user.as_deref(),
            Tongue::Raw(raw) => raw.user.as_deref(),
            Tongue::Http(_) => None,
        }
    }

    /// The rooms that it believes to be in.
    pub fn rooms(&self) -> Vec<usize> {
        match &self.tongue {
            Tongue::Native(native) => native.members.keys().copied().collect(),
            Tongue::Stream(stream) => {
                stream.feeds.iter().filter(|feed| feed.is_member()).map(|feed| feed.room).collect()
            }
            Tongue::Raw(raw) => vec![raw.room()],
            Tongue::Http(_) => Vec::new(),
        }
    }

    /// How far it has come in a room that it is in, and what it knows of the people there.
    pub fn standing(&self, room: usize) -> Option<(Position, &Watch)> {
        match &self.tongue {
            Tongue::Native(native) => native.members.get(&room).map(|member| (member.at, &member.watch)),
            Tongue::Stream(stream) => {
                let feed = stream.feeds.iter().find(|feed| feed.room == room && feed.is_member())?;
                Some((feed.at?, feed.watch.as_ref()?))
            }
            _ => None,
        }
    }

    /// The announcements that it heard, if it is one of those who hear them.
    pub fn announced(&self) -> Option<&[usize]> {
        match &self.tongue {
            Tongue::Native(native) => native.name.as_ref().map(|_| &native.announced[..]),
            Tongue::Stream(stream) => stream.name.as_ref().map(|_| &stream.announced[..]),
            _ => None,
        }
    }

    /// Whether it gets what is sent to its user.
    pub fn listens(&self) -> bool {
        match &self.tongue {
            Tongue::Native(native) => native.user.is_some(),
            Tongue::Stream(stream) => stream.feeds.iter().any(|feed| feed.is_member() && feed.is_inbox),
            _ => false,
        }
    }
}
