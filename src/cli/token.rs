//! `switchboard token` and `switchboard key`: what an operator needs before an app makes its own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use switchboard::program::config::credentials;
use switchboard::program::issue::{self, Grant, Rooms};
use switchboard::settings::Settings;

/// The options of `switchboard token`.
#[derive(Args)]
pub(crate) struct Wish {
    /// The user that the token is for: 1 to 128 bytes.
    #[arg(long, value_name = "USER")]
    user: String,
    /// A pattern of rooms to join and publish in; may be repeated. [default: all rooms that are not private]
    #[arg(long, value_name = "PATTERN")]
    room: Vec<String>,
    /// A pattern of rooms to join; may be repeated.
    #[arg(long, value_name = "PATTERN")]
    join: Vec<String>,
    /// A pattern of rooms to publish in; may be repeated.
    #[arg(long, value_name = "PATTERN")]
    publish: Vec<String>,
    /// How long the token is valid.
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    ttl: String,
}

/// The token that `wish` describes, as `settings` require it.
pub(crate) fn token(wish: &Wish, settings: &Settings) -> Result<String, String> {
    let ttl = humantime::parse_duration(&wish.ttl).ok().filter(|ttl| *ttl >= Duration::from_secs(1));
    let ttl = ttl
        .ok_or_else(|| format!("--ttl: {:?} is not a duration of at least 1s; write it like 1h", wish.ttl))?;
    let sources = credentials::sources(settings);
    let sources =
        sources.map_err(|bad| bad.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    let (_, secret) = sources.secrets.first().ok_or(
        "auth.secret is not set, so there is nothing to sign with; set it, or sign tokens in your app with its private key",
    )?;
    let [join, publish] = [&wish.join, &wish.publish].map(|own| [&wish.room[..], own].concat());
    let rooms = match (join.is_empty() && publish.is_empty(), wish.join.is_empty() && wish.publish.is_empty())
    {
        (true, _) => None,
        (_, true) => Some(Rooms::Both(&wish.room)),
        _ => Some(Rooms::Each { join: &join, publish: &publish }),
    };
    let grant = Grant {
        user: &wish.user,
        rooms,
        audience: settings.auth.audience.as_deref(),
        issuer: settings.auth.issuer.as_deref(),
        now: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        ttl,
    };
    issue::token(&grant, secret)
}

/// A new key: 32 random bytes as 43 letters, digits, `-` and `_`.
pub(crate) fn key() -> Result<String, String> {
    issue::key().map_err(|error| format!("the system gives no random numbers: {error}"))
}
