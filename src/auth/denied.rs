//! Why somebody may not come in.

use crate::error::{Close, Fault};
use crate::http::Response;

/// Why a client may not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It brought no token.
    NoToken,
    /// Its token is not good: why, for the log and the figures alone, since telling would help only who makes one up.
    Invalid(Flaw),
    /// Its token was good once.
    Expired,
    /// Its page is not one that may use the server.
    Origin,
    /// It asks an open server by a name that somebody else can own.
    Host,
    /// It brought no key of the HTTP API.
    NoApiKey,
    /// What it brought as a key of the HTTP API is none.
    ApiKey,
    /// It said something else before it said who it is.
    AuthFirst,
    /// It did not say in time who it is.
    AuthTimeout,
    /// It may not be in a room without which its connection is nothing.
    Room,
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is longer than any token.
    Length,
    /// It does not have three parts.
    Shape,
    /// Its header is not one, or names an algorithm that nobody knows.
    Header,
    /// Its header has `crit`.
    Crit,
    /// No key is for its algorithm.
    Algorithm,
    /// No key for its algorithm is called what it calls its key.
    Kid,
    /// No key for its algorithm and name made its signature.
    Signature,
    /// A claim is not of its type.
    Claims,
    /// It is not for this server.
    Audience,
    /// It is not by whom it must be.
    Issuer,
    /// Its time has not come.
    NotYet,
    /// It names nobody.
    Subject,
}

impl Denied {
    /// The close frame that says so.
    pub fn close(self) -> Close {
        match self {
            Self::NoToken | Self::NoApiKey => Close::TOKEN_REQUIRED,
            Self::Invalid(_) | Self::ApiKey => Close::INVALID_TOKEN,
            Self::Expired => Close::TOKEN_EXPIRED,
            Self::Origin | Self::Host => Close::ORIGIN,
            Self::AuthFirst => Close::AUTH_FIRST,
            Self::AuthTimeout => Close::AUTH_TIMEOUT,
            Self::Room => Close::FORBIDDEN,
        }
    }

    /// The answer to an HTTP request that says so.
    pub fn response(self) -> Response {
        let message = self.close().reason;
        match self {
            Self::Origin | Self::Host => Response::new(403).error("forbidden", &message),
            Self::Room => Response::new(403).error(Fault::Forbidden.code(), Fault::Forbidden.message()),
            _ => Response::new(401).error("unauthorized", &message),
        }
    }

    /// The word that the figures count it by: one of [`DENIALS`](crate::metrics::board::DENIALS).
    pub fn word(self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::Expired => "expired",
            Self::Origin => "origin",
            Self::Host => "host",
            Self::NoApiKey => "no_api_key",
            Self::ApiKey => "api_key",
            Self::AuthFirst => "auth_first",
            Self::AuthTimeout => "auth_timeout",
            Self::Room => "room",
            Self::Invalid(flaw) => match flaw {
                Flaw::Length => "length",
                Flaw::Shape => "shape",
                Flaw::Header => "header",
                Flaw::Crit => "crit",
                Flaw::Algorithm => "algorithm",
                Flaw::Kid => "kid",
                Flaw::Signature => "signature",
                Flaw::Claims => "claims",
                Flaw::Audience => "audience",
                Flaw::Issuer => "issuer",
                Flaw::NotYet => "not_yet",
                Flaw::Subject => "subject",
            },
        }
    }

    /// What the log says: a whole sentence for whoever runs the server.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NoToken => "it brought no token",
            Self::Expired => "its token has expired (exp)",
            Self::Origin => "its page is not in origins.allow, and on an open server not one of this machine",
            Self::Host => "it asks an open server by a name that somebody else can own (Host)",
            Self::NoApiKey => "it brought no API key (Authorization: Bearer)",
            Self::ApiKey => "its API key is none of this server's",
            Self::AuthFirst => "its first message was not auth",
            Self::AuthTimeout => "it sent no token within auth.timeout",
            Self::Room => "it may not be in a room that its stream or raw connection names",
            Self::Invalid(flaw) => match flaw {
                Flaw::Length => "its token is longer than 8 KiB",
                Flaw::Shape => "its token does not have the three parts of a JSON Web Token",
                Flaw::Header => "its token's header is not one, or names no known algorithm",
                Flaw::Crit => "its token's header has crit, which asks for what is not known here",
                Flaw::Algorithm => "no key here is for its token's algorithm (alg)",
                Flaw::Kid => "no key here is called what its token calls its key (kid)",
                Flaw::Signature => "no key here made its token's signature",
                Flaw::Claims => "a claim of its token is not of its type",
                Flaw::Audience => "its token is not for auth.audience (aud)",
                Flaw::Issuer => "its token is not by auth.issuer (iss)",
                Flaw::NotYet => "its token is not valid yet (nbf); are the clocks apart?",
                Flaw::Subject => {
                    "its token's sub is not a user id: 1 to 128 bytes without control characters"
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::board::DENIALS;

    #[test]
    fn every_reason_is_counted_documented_and_says_a_sentence() {
        use Flaw::*;
        let flaws = [
            Length, Shape, Header, Crit, Algorithm, Kid, Signature, Claims, Audience, Issuer, NotYet, Subject,
        ];
        let rest = [
            Denied::NoToken,
            Denied::Expired,
            Denied::Origin,
            Denied::Host,
            Denied::NoApiKey,
            Denied::ApiKey,
            Denied::AuthFirst,
            Denied::AuthTimeout,
            Denied::Room,
        ];
        let all: Vec<Denied> = flaws.into_iter().map(Denied::Invalid).chain(rest).collect();
        assert_eq!(all.len(), DENIALS.len() - 1);
        let document = include_str!("../../docs/security.md");
        for denied in all {
            assert!(DENIALS.contains(&denied.word()), "{denied:?}");
            let line = format!("| `{}` | {} |", denied.word(), denied.sentence());
            assert!(document.contains(&line), "docs/security.md has no line\n{line}");
        }
    }
}
