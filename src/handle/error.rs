//! The errors of a handle.

use std::error::Error;
use std::fmt;

/// Why nothing was sent or done. Nobody has received anything.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// Not a room name: a name is 1 to 200 bytes of `A-Z a-z 0-9 _ - = @ , . ; : /`.
    BadRoom(Box<str>),
    /// Not a user id: an id is 1 to 128 bytes without control characters.
    BadUser(Box<str>),
    /// The message cannot be sent, for this reason.
    BadMessage(Box<str>),
    /// More than 64 MiB or 20,000 messages are on their way already. This passes; a program that publishes without a pause should
    /// pause.
    Busy,
    /// The server has stopped.
    Stopped,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerError {
    /// It has not come in the time given to [`Answer::wait`](crate::Answer::wait). Call `wait` again to wait longer.
    TimedOut,
    /// The server could not do it: too many requests wait in that room. A later try may succeed.
    Unavailable,
    /// The server stopped before the whole answer had come, or the answer was taken already.
    Stopped,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// The server has no secret to sign with: it has no key, or only public keys.
    NoSecret,
    /// The server would not accept this token, for this reason.
    Refused(Box<str>),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadRoom(name) => {
                write!(f, "{name:?} is not a room name: use 1 to 200 bytes of A-Z a-z 0-9 _ - = @ , . ; : /")
            }
            Self::BadUser(user) => {
                write!(f, "{user:?} is not a user id: use 1 to 128 bytes of UTF-8 without control characters")
            }
            Self::BadMessage(why) => write!(f, "the message cannot be sent: {why}"),
            Self::Busy => f.write_str(
                "more than 64 MiB or 20,000 messages are on their way already; send again in a moment",
            ),
            Self::Stopped => f.write_str("the server has stopped"),
        }
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "the server has not answered in time; wait again, or longer",
            Self::Unavailable => "the server could not do that; try again later",
            Self::Stopped => "the server stopped before it had answered",
        })
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSecret => {
                f.write_str("there is no secret to sign with; set one, for example with Builder::jwt_secret")
            }
            Self::Refused(why) => write!(f, "the server would not accept this token: {why}"),
        }
    }
}

impl Error for SendError {}
impl Error for AnswerError {}
impl Error for TokenError {}
