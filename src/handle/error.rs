//! Why a handle does not do what the program asked of it.

use std::error::Error;
use std::fmt;

/// Why nothing was sent or done. Nobody has got anything.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// This cannot name a room: a name is 1 to 200 bytes of `A-Z a-z 0-9 _ - = @ , . ; : /`.
    BadRoom(Box<str>),
    /// This cannot be a user's id: an id is 1 to 128 bytes without control characters.
    BadUser(Box<str>),
    /// The message cannot be sent, for this reason.
    BadMessage(Box<str>),
    /// More than 64 MiB are on their way already. It passes; a program that publishes without a pause should make one.
    Busy,
    /// The server has ended.
    Stopped,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerError {
    /// It has not come in the time that [`Answer::wait`](crate::Answer::wait) was given. It can be waited for again.
    TimedOut,
    /// The server could not do it: too much waits in that room. Trying again later may help.
    Unavailable,
    /// The server ended before all of the answer was there, or the answer was taken already.
    Stopped,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// The server has no secret to sign with: it has no key at all, or only public ones.
    NoSecret,
    /// The server would not take such a token, for this reason.
    Refused(Box<str>),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadRoom(name) => {
                write!(f, "{name:?} cannot name a room: use 1 to 200 bytes of A-Z a-z 0-9 _ - = @ , . ; : /")
            }
            Self::BadUser(user) => {
                write!(
                    f,
                    "{user:?} cannot be a user's id: use 1 to 128 bytes of UTF-8 without control characters"
                )
            }
            Self::BadMessage(why) => write!(f, "the message cannot be sent: {why}"),
            Self::Busy => f.write_str("more than 64 MiB are on their way already; send again in a moment"),
            Self::Stopped => f.write_str("the server has ended"),
        }
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "the server has not answered in time; wait again, or longer",
            Self::Unavailable => "the server could not do that; try again later",
            Self::Stopped => "the server ended before it had answered",
        })
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSecret => {
                f.write_str("there is no secret to sign with; set one, with Builder::jwt_secret for example")
            }
            Self::Refused(why) => write!(f, "the server would not take such a token: {why}"),
        }
    }
}

impl Error for SendError {}
impl Error for AnswerError {}
impl Error for TokenError {}
