//! Why somebody may not come in.

use crate::error::Close;
use crate::http::Response;

/// Why a client may not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It brought no token.
    NoToken,
    /// Its token is not good: why, for the log alone, since telling would help only who makes one up.
    Invalid(&'static str),
    /// Its token was good once.
    Expired,
    /// Its page is not one that may use the server.
    Origin,
}

impl Denied {
    /// The close frame that says so.
    pub fn close(self) -> Close {
        match self {
            Self::NoToken => Close::TOKEN_REQUIRED,
            Self::Invalid(_) => Close::INVALID_TOKEN,
            Self::Expired => Close::TOKEN_EXPIRED,
            Self::Origin => Close::ORIGIN,
        }
    }

    /// The answer to an HTTP request that says so.
    pub fn response(self) -> Response {
        let message = self.close().reason;
        match self {
            Self::Origin => Response::new(403).error("forbidden", &message),
            _ => Response::new(401).error("unauthorized", &message),
        }
    }
}
