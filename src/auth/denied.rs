//! Why access is denied.

use crate::error::{Close, Fault};
use crate::http::Response;

/// Why a client or an app is denied access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// No token was sent.
    NoToken,
    /// The token is not valid. The reason is for the log and the metrics alone: it would help only an attacker.
    Invalid(Flaw),
    /// The token has expired.
    Expired,
    /// The page may not use the server.
    Origin,
    /// The server is open, and the client asked for a host name that somebody else may own.
    Host,
    /// No API key was sent.
    NoApiKey,
    /// The server does not have the API key that was sent.
    ApiKey,
    /// The first message was not `auth`.
    AuthFirst,
    /// No token came in time.
    AuthTimeout,
    /// The client may not join a room that its connection depends on.
    Room,
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is longer than any token.
    Length,
    /// It does not have three parts.
    Shape,
    /// Its header cannot be read, or names an unknown algorithm.
    Header,
    /// Its header has `crit`.
    Crit,
    /// There is no key for its algorithm.
    Algorithm,
    /// No key for its algorithm has the name that it gives.
    Kid,
    /// No key for its algorithm and name made its signature.
    Signature,
    /// A claim has the wrong type.
    Claims,
    /// It is not for this server.
    Audience,
    /// It is from another issuer.
    Issuer,
    /// It is not valid yet.
    NotYet,
    /// It names no user.
    Subject,
}

impl Denied {
    /// The close frame for it.
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

    /// The HTTP response for it.
    pub fn response(self) -> Response {
        let message = self.close().reason;
        match self {
            Self::Origin | Self::Host => Response::new(403).error("forbidden", &message),
            Self::Room => Response::new(403).error(Fault::Forbidden.code(), Fault::Forbidden.message()),
            _ => Response::new(401).error("unauthorized", &message),
        }
    }

    /// The label of the metric that counts it: one of [`DENIALS`](crate::metrics::board::DENIALS).
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

    /// The sentence for the log, for the operator.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NoToken => "no token was sent",
            Self::Expired => "the token has expired (exp)",
            Self::Origin => {
                "the page is not in origins.allow, or not of this machine where the server is open (Origin)"
            }
            Self::Host => {
                "the server is open, and the host name that was asked for may belong to somebody else (Host)"
            }
            Self::NoApiKey => "no API key was sent (Authorization: Bearer)",
            Self::ApiKey => "this server does not have the API key that was sent",
            Self::AuthFirst => "the first message was not auth",
            Self::AuthTimeout => "no token was sent within auth.timeout",
            Self::Room => "the client may not join a room that its stream or raw connection names",
            Self::Invalid(flaw) => match flaw {
                Flaw::Length => "the token is longer than 8 KiB",
                Flaw::Shape => "the token does not have the three parts of a JSON Web Token",
                Flaw::Header => "the token's header cannot be read, or names an unknown algorithm",
                Flaw::Crit => "the token's header has crit, which asks for an unknown extension",
                Flaw::Algorithm => "this server has no key for the token's algorithm (alg)",
                Flaw::Kid => "this server has no key of the name in the token (kid)",
                Flaw::Signature => "the token's signature was made with no key of this server",
                Flaw::Claims => "a claim of the token has the wrong type",
                Flaw::Audience => "the token is not for auth.audience (aud)",
                Flaw::Issuer => "the token is not from auth.issuer (iss)",
                Flaw::NotYet => "the token is not valid yet (nbf); do the clocks differ?",
                Flaw::Subject => {
                    "the token's sub is not a user id: 1 to 128 bytes without control characters"
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
