//! Refuses settings of a program that cannot work or would be dangerous.
//!
//! `config` checks what an operator writes, and can name the line.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::{Limits, Settings, overlap};
use crate::room_key::{MAX_NAME, is_room_byte};

/// The most shards. Each is a thread, and no machine has more cores.
pub(crate) const MOST_SHARDS: usize = 1024;

/// Bytes of the shortest secret or key that is safe. A shorter one can be found by trying.
pub(crate) const LEAST_SECRET: usize = 16;

/// A setting that a server cannot start with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSetting {
    /// The setting, as the configuration calls it: `limits.message`.
    pub setting: &'static str,
    /// What is wrong with it, and what to do.
    pub why: String,
}

/// Settings that a server cannot start with: all of them, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSettings(Vec<BadSetting>);

impl BadSettings {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &BadSetting> {
        self.0.iter()
    }
}

impl From<Vec<BadSetting>> for BadSettings {
    fn from(bad: Vec<BadSetting>) -> Self {
        Self(bad)
    }
}

/// Checks what no type can.
///
/// # Errors
///
/// Everything that is wrong.
pub fn check(settings: &Settings) -> Result<(), BadSettings> {
    let mut bad = Vec::new();
    let mut note = |setting, why: Option<String>| bad.extend(why.map(|why| BadSetting { setting, why }));
    note("listen", listen(settings));
    note(
        "shards",
        (settings.shards > MOST_SHARDS).then(|| format!("at most {MOST_SHARDS}; 0 means one per core")),
    );
    for (setting, value) in least_one(&settings.limits) {
        note(setting, (value == 0).then(|| "0 does not mean \"no limit\" here; give a limit".to_owned()));
    }
    let second = Duration::from_secs(1);
    let short = settings.heartbeat.interval < second;
    note("heartbeat.interval", short.then(|| "at least a second".to_owned()));
    for rule in &settings.rooms {
        note("rooms", check_pattern(&rule.pattern).err());
    }
    let cookie = settings.auth.cookie.is_some() && settings.origins.is_empty();
    note(
        "auth.cookie",
        cookie.then(|| "needs origins: without them any page could use its visitors' cookies".to_owned()),
    );
    let header = settings.proxies.proxy_protocol && settings.proxies.trust.is_empty();
    note(
        "proxies.proxy_protocol",
        header.then(|| "needs proxies.trust: the addresses whose header is believed".to_owned()),
    );
    if bad.is_empty() { Ok(()) } else { Err(BadSettings(bad)) }
}

/// Whether only this machine can reach `address`. `::ffff:127.0.0.1` is 127.0.0.1.
pub(crate) fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// An address that others can reach, unless `insecure` is set.
pub(crate) fn reachable(settings: &Settings) -> Option<SocketAddr> {
    settings.listen.iter().find(|address| !settings.insecure && !is_loopback(address)).copied()
}

/// An address that others can reach although no key is set and `insecure` is not.
pub(crate) fn exposed(settings: &Settings) -> Option<SocketAddr> {
    let open = settings.is_open() && !settings.insecure;
    settings.listen.iter().find(|address| open && !is_loopback(address)).copied()
}

fn listen(settings: &Settings) -> Option<String> {
    if settings.listen.is_empty() {
        return Some("no address is given, so nobody could connect".to_owned());
    }
    if let Some(why) = overlap(&settings.listen) {
        return Some(why);
    }
    let exposed = exposed(settings)?;
    Some(format!(
        "{exposed} is not loopback, and no key keeps strangers out: set one for clients (auth.secret) and one for the app \
         (api.key), listen on 127.0.0.1:{port}, or set insecure if the network is trusted",
        port = exposed.port()
    ))
}

/// Limits that cannot be 0.
fn least_one(limits: &Limits) -> [(&'static str, usize); 10] {
    let whole = |time: Duration| usize::from(!time.is_zero());
    [
        ("limits.rooms_per_connection", limits.rooms_per_connection),
        ("limits.message", limits.message),
        ("limits.echo_message", limits.echo_message),
        ("limits.api_body", limits.api_body),
        ("limits.queue", limits.queue),
        ("limits.header", limits.header),
        ("limits.headers", limits.headers),
        ("limits.handshake", whole(limits.handshake)),
        ("limits.stall", whole(limits.stall)),
        ("limits.close", whole(limits.close)),
    ]
}

/// Whether `text` can be a pattern of rooms: the characters of room names and `*`. `$` may only be the first, as in the
/// server's own names.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn check_pattern(text: &str) -> Result<(), String> {
    let own = text.strip_prefix('$').unwrap_or(text);
    if text.is_empty() {
        return Err("a pattern may not be empty; \"*\" stands for every room".to_owned());
    }
    if let Some(wrong) = own.chars().find(|c| *c != '*' && !u8::try_from(*c).is_ok_and(is_room_byte)) {
        let advice = "room names are made of A-Z a-z 0-9 _ - = @ , . ; : / and * stands for any run of them";
        return Err(format!("{text:?} may not contain {wrong:?}; {advice}"));
    }
    if text.bytes().filter(|byte| *byte != b'*').count() > MAX_NAME {
        return Err(format!("the pattern can never match: room names have at most {MAX_NAME} bytes"));
    }
    Ok(())
}

impl fmt::Display for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.why)
    }
}

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, bad) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{bad}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BadSetting {}
impl std::error::Error for BadSettings {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{RoomRule, RoomSettings, Secret};

    #[track_caller]
    fn assert_bad(setting: &str, change: impl FnOnce(&mut Settings)) {
        let mut settings = Settings::default();
        change(&mut settings);
        let bad = check(&settings).expect_err("it is refused");
        assert_eq!(bad.iter().map(|bad| bad.setting).collect::<Vec<_>>(), [setting], "{bad}");
    }

    #[test]
    fn the_defaults_are_good() {
        assert_eq!(check(&Settings::default()), Ok(()));
    }

    #[test]
    fn what_cannot_work_is_named() {
        assert_bad("listen", |settings| settings.listen.clear());
        assert_bad("listen", |settings| settings.listen.extend_from_within(..));
        assert_bad("shards", |settings| settings.shards = MOST_SHARDS + 1);
        assert_bad("limits.message", |settings| settings.limits.message = 0);
        assert_bad("limits.stall", |settings| settings.limits.stall = Duration::ZERO);
        assert_bad("heartbeat.interval", |settings| settings.heartbeat.interval = Duration::ZERO);
        assert_bad("auth.cookie", |settings| settings.auth.cookie = Some("token".to_owned()));
        assert_bad("proxies.proxy_protocol", |settings| settings.proxies.proxy_protocol = true);
        for bad in ["", "a b", "é", "a$", &"x".repeat(201)] {
            let rule = RoomRule { pattern: bad.to_owned(), room: RoomSettings::default() };
            assert_bad("rooms", |settings| settings.rooms.push(rule));
        }
    }

    #[test]
    fn an_open_server_is_for_this_machine() {
        let everywhere: SocketAddr = "0.0.0.0:80".parse().unwrap();
        assert_bad("listen", |settings| settings.listen.push(everywhere));
        let mut settings = Settings { listen: vec![everywhere], insecure: true, ..Settings::default() };
        assert_eq!(check(&settings), Ok(()));
        settings.insecure = false;
        settings.auth.secret = Some(Secret::new("s"));
        assert_eq!(check(&settings), Ok(()));
    }

    #[test]
    fn everything_is_told_at_once() {
        let mut settings = Settings { shards: 5_000, ..Settings::default() };
        settings.limits.queue = 0;
        let told = check(&settings).unwrap_err().to_string();
        assert!(told.contains("shards: at most 1024") && told.contains("; limits.queue: "), "{told}");
    }
}
