//! The rules of who may connect, as one value.

use std::fmt;
use std::time::Duration;

use super::api_key::{self, ApiKey, Scope};
use super::denied::Denied;
use super::identity::Identity;
use super::key::Key;
use super::key_set::KeySet;
use super::presented;
use super::token::{self, Terms};
use crate::broker::permit::all;
use crate::origin::{OriginRule, is_local, is_local_host, is_own};
use crate::settings::{self, BadSetting, LEAST_SECRET, Settings, reachable};

/// The setting that names a public key.
pub const PUBLIC_KEY: &str = "auth.public_key_file";

/// The setting that names a key set.
pub const JWKS: &str = "auth.jwks_file";

/// The keys that the configuration contains or names.
#[derive(Clone, Default)]
pub struct Sources {
    /// Secrets that tokens are signed with, each with its setting.
    pub secrets: Vec<(&'static str, Vec<u8>)>,
    /// A public key in PEM.
    pub public_key: Option<Vec<u8>>,
    /// A JSON Web Key Set.
    pub jwks: Option<Vec<u8>>,
    /// Keys of the HTTP API, likewise.
    pub api_keys: Vec<(&'static str, settings::ApiKey, Vec<u8>)>,
}

impl Sources {
    /// Adds the keys of `more`.
    pub fn add(&mut self, more: Self) {
        self.secrets.extend(more.secrets);
        self.public_key = more.public_key.or(self.public_key.take());
        self.jwks = more.jwks.or(self.jwks.take());
        self.api_keys.extend(more.api_keys);
    }

    /// The keys of `setting`; if it has several, the one called `name`.
    pub fn only(&self, setting: &str, name: &str) -> Self {
        let secrets = self.secrets.iter().filter(|(own, _)| *own == setting);
        let api_keys = self.api_keys.iter().filter(|(own, key, _)| *own == setting && key.name == name);
        Self {
            secrets: secrets.cloned().collect(),
            public_key: self.public_key.clone().filter(|_| setting == PUBLIC_KEY),
            jwks: self.jwks.clone().filter(|_| setting == JWKS),
            api_keys: api_keys.cloned().collect(),
        }
    }
}

/// Who may connect.
pub struct Access {
    keys: KeySet,
    api_keys: Vec<ApiKey>,
    /// The keys as they were read.
    sources: Sources,
    /// Keys of the set that cannot be used, a sentence each.
    left_out: Vec<String>,
    terms: Terms,
    cookie: Option<String>,
    anonymous: bool,
    open: bool,
    origins: Vec<OriginRule>,
    /// Whether, of pages that no rule names, only those of this machine may use the server.
    local_only: bool,
}

/// Shows no key.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("keys", &self.keys).field("open", &self.open).finish_non_exhaustive()
    }
}

/// An open server on loopback: nobody has to authenticate.
impl Default for Access {
    fn default() -> Self {
        Self {
            keys: KeySet::default(),
            api_keys: Vec::new(),
            sources: Sources::default(),
            left_out: Vec::new(),
            terms: Terms::default(),
            cookie: None,
            anonymous: false,
            open: true,
            origins: Vec::new(),
            local_only: true,
        }
    }
}

/// Refuses secrets that can be found by trying, if the server is reachable from other machines.
fn long_enough(settings: &Settings, secret: &[u8]) -> Result<(), String> {
    match reachable(settings) {
        Some(address) if (1..LEAST_SECRET).contains(&secret.len()) => Err(format!(
            "has {} bytes, and others can reach {address}: fewer than {LEAST_SECRET} are found by trying; make one with: \
             switchboard key",
            secret.len()
        )),
        _ => Ok(()),
    }
}

/// The decision about a client that is not denied access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It connects as a guest.
    Guest,
    /// It connects as this user.
    Known(Identity),
    /// It has to authenticate with its first message.
    Waits,
}

impl Access {
    /// The rules of `settings`, with the keys of `sources`.
    ///
    /// # Errors
    ///
    /// Every key that cannot be used.
    pub fn new(settings: &Settings, sources: &Sources) -> Result<Self, Vec<BadSetting>> {
        let mut problems = Vec::new();
        let mut keys = KeySet::default();
        let mut note = |setting, result: Result<(), String>| {
            problems.extend(result.err().map(|why| BadSetting { setting, why }));
        };
        for (setting, secret) in &sources.secrets {
            let long = long_enough(settings, secret);
            note(setting, long.and_then(|()| Key::secret(secret)).map(|key| keys.add(key)));
        }
        if let Some(pem) = &sources.public_key {
            note(PUBLIC_KEY, Key::pem(pem).map(|key| keys.add(key)));
        }
        let mut left_out = Vec::new();
        if let Some(jwks) = &sources.jwks {
            note(JWKS, keys.add_jwks(jwks).map(|all| left_out = all));
        }
        let mut api_keys = Vec::new();
        for (setting, key, bytes) in &sources.api_keys {
            let rooms = key.rooms.as_ref().map(|rooms| all(rooms).into());
            let made = ApiKey::new(&key.name, bytes, Scope { rooms, calls: key.calls });
            let made = long_enough(settings, bytes).and(made);
            let named =
                made.map(|key| api_keys.push(key)).map_err(|why| format!("the key {:?} {why}", key.name));
            note(setting, named);
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let auth = &settings.auth;
        let (audience, issuer) = (auth.audience.clone(), auth.issuer.clone());
        Ok(Self {
            keys,
            api_keys,
            sources: sources.clone(),
            left_out,
            terms: Terms { audience, issuer, leeway: auth.leeway },
            cookie: auth.cookie.clone(),
            anonymous: auth.anonymous,
            open: settings.is_open(),
            origins: settings.origins.clone(),
            local_only: settings.is_open() && !settings.insecure,
        })
    }

    /// Whether nobody has to authenticate: no key is set for clients or for the app.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The secret that signs tokens made here. All secrets check tokens; the first one signs.
    pub fn signing(&self) -> Option<&[u8]> {
        self.sources.secrets.first().map(|(_, secret)| &secret[..])
    }

    /// The keys as they were read.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Keys of `auth.jwks_file` that are left out because they cannot check tokens, a sentence each.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// How far clocks may differ.
    pub fn leeway(&self) -> Duration {
        self.terms.leeway
    }

    /// The cookie that holds a token.
    pub fn cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    /// Decides about a client with `token` and the user name `name`. With `may_wait` it can send a token later. Adds the time
    /// to check the token, in microseconds, to `spent_us`.
    ///
    /// # Errors
    ///
    /// Why access is denied.
    pub fn admit(
        &self,
        token: Option<&str>,
        name: Option<&str>,
        may_wait: bool,
        now_ms: u64,
        spent_us: &mut u32,
    ) -> Result<Admission, Denied> {
        if self.open {
            let known = name.map(|name| Admission::Known(Identity::named(name)));
            return Ok(known.unwrap_or(Admission::Guest));
        }
        match token {
            Some(token) => self.identify(token, now_ms, spent_us).map(Admission::Known),
            None if self.anonymous => Ok(Admission::Guest),
            None if may_wait && !self.keys.is_empty() => Ok(Admission::Waits),
            None => Err(Denied::NoToken),
        }
    }

    /// The user of `token`. Adds the time to check it, in microseconds, to `spent_us`.
    ///
    /// # Errors
    ///
    /// If the token is not valid.
    pub fn identify(&self, token: &str, now_ms: u64, spent_us: &mut u32) -> Result<Identity, Denied> {
        if self.keys.is_empty() && !self.anonymous && !self.open {
            // No key is set, so the fault is not in this token.
            return Err(Denied::NoToken);
        }
        token::verify(presented::bare(token), &self.keys, &self.terms, now_ms, spent_us)
    }

    /// Whether the HTTP API has a key.
    pub fn has_api_key(&self) -> bool {
        !self.api_keys.is_empty()
    }

    /// The API key that `bearer` matches.
    pub fn api_key(&self, bearer: &str) -> Option<&ApiKey> {
        api_key::find(&self.api_keys, bearer)
    }

    /// Whether a page of `origin` comes from this server.
    ///
    /// The owner of a name can serve a page under it, then point the name at this server (DNS rebinding). So a name alone is
    /// enough only if nobody can own it, if a certificate proves it, or if the page needs a token that it must know. A cookie
    /// is not enough, because browsers send it by themselves, and a guest needs no token.
    fn is_own(&self, origin: &str, scheme: Option<&str>, host: &str) -> bool {
        let local = is_local_host(host);
        let needs_token = !self.open && !self.anonymous && self.cookie.is_none();
        match scheme {
            Some("https") => is_own(origin, "https", host),
            Some(_) => (local || needs_token) && is_own(origin, "http", host),
            // A proxy that does not report the scheme.
            None => local && is_own(origin, "http", host),
        }
    }

    /// Whether a request to `host` can be meant for this server.
    pub fn answers_to(&self, host: &str) -> bool {
        !self.local_only || is_local_host(host)
    }

    /// Whether some pages may not use the server.
    pub fn judges_pages(&self) -> bool {
        self.local_only || !self.origins.is_empty()
    }

    /// Whether a page of `origin`, as its browser sent it, may use the server. The page asked for `host` by `scheme`, if that
    /// is known.
    pub fn welcomes(&self, origin: &str, scheme: Option<&str>, host: Option<&str>) -> bool {
        let named = self.origins.iter().any(|rule| rule.allows(origin));
        let own = host.is_some_and(|host| self.is_own(origin, scheme, host));
        named || own || if self.local_only { is_local(origin) } else { self.origins.is_empty() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Secret;

    fn access(change: impl FnOnce(&mut Settings)) -> Access {
        let mut settings = Settings {
            origins: vec![OriginRule::parse("https://app.example").unwrap()],
            ..Settings::default()
        };
        settings.auth.secret = Some(Secret::new("s"));
        change(&mut settings);
        Access::new(&settings, &Sources::default()).unwrap()
    }

    /// Whether a page may use the server of its own origin.
    fn own(access: &Access, origin: &str, scheme: Option<&str>) -> bool {
        access.welcomes(origin, scheme, origin.split_once("://").map(|(_, host)| host))
    }

    #[test]
    fn the_servers_own_page_needs_no_rule() {
        let tokens = access(|_| {});
        assert!(tokens.welcomes("https://app.example", Some("http"), Some("relay.example")));
        for origin in ["http://127.0.0.1:8000", "http://relay:8000", "http://relay.example"] {
            assert!(own(&tokens, origin, Some("http")), "{origin}");
            assert!(!tokens.welcomes(origin, Some("http"), Some("other.example")), "{origin}");
            assert!(!own(&tokens, origin, Some("https")), "{origin}");
        }
        assert!(own(&tokens, "https://relay.example", Some("https")));
        assert!(!own(&tokens, "https://relay.example", Some("http")));
    }

    /// If a page needs no token that it must know, a name that it can own proves nothing.
    #[test]
    fn a_name_that_points_here_is_not_enough() {
        let guests = access(|settings| settings.auth.anonymous = true);
        let cookies = access(|settings| settings.auth.cookie = Some("c".to_owned()));
        let trusting = access(|settings| (settings.auth.secret, settings.insecure) = (None, true));
        for access in [guests, cookies, trusting] {
            assert!(!own(&access, "http://evil.example:8000", Some("http")));
            assert!(!own(&access, "http://evil.example:8000", None));
            assert!(own(&access, "http://127.0.0.1:8000", Some("http")));
            assert!(own(&access, "http://app.localhost:8000", None));
            assert!(own(&access, "https://relay.example", Some("https")));
        }
    }

    #[test]
    fn an_open_server_takes_its_own_page_and_those_of_this_machine() {
        let open = Access::default();
        for origin in ["http://app.localhost:8000", "http://10.0.0.7:8000", "http://relay:8000"] {
            assert!(
                open.answers_to(origin.split_once("://").unwrap().1) && own(&open, origin, Some("http")),
                "{origin}"
            );
        }
        assert!(!open.answers_to("evil.example") && !own(&open, "http://evil.example", Some("http")));
        assert!(!open.welcomes("http://10.0.0.7:8000", Some("http"), Some("127.0.0.1:8000")));
    }
}
