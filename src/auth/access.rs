//! Everything that decides who may come in, as one value.

use std::time::Duration;

use super::api_key::{self, ApiKey, Scope};
use super::denied::Denied;
use super::identity::Identity;
use super::key::Key;
use super::key_set::KeySet;
use super::presented;
use super::token::{self, Terms};
use crate::broker::permit::all;
use crate::origin::{OriginRule, is_local, is_local_host};
use crate::settings::{self, BadSetting, Settings};

/// The keys that the configuration names, as they stand in it or in their files.
#[derive(Clone, Default)]
pub struct Sources {
    /// Secrets that tokens are signed with, each under the key of the configuration that named it.
    pub secrets: Vec<(&'static str, Vec<u8>)>,
    /// A public key in PEM.
    pub public_key: Option<Vec<u8>>,
    /// A JSON Web Key Set.
    pub jwks: Option<Vec<u8>>,
    /// Keys of the HTTP API, likewise.
    pub api_keys: Vec<(&'static str, settings::ApiKey, Vec<u8>)>,
}

/// Who may come in.
#[derive(Debug)]
pub struct Access {
    keys: KeySet,
    api_keys: Vec<ApiKey>,
    /// Keys of the set that cannot be used, a sentence each.
    left_out: Vec<String>,
    terms: Terms,
    cookie: Option<String>,
    anonymous: bool,
    open: bool,
    origins: Vec<OriginRule>,
    /// Of pages that no rule names only those of this machine may use the server.
    local_only: bool,
}

/// An open server on loopback: nobody has to say who they are.
impl Default for Access {
    fn default() -> Self {
        Self {
            keys: KeySet::default(),
            api_keys: Vec::new(),
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

/// What becomes of a client that is not turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is in, without a name.
    Guest,
    /// It is in.
    Known(Identity),
    /// It has to say who it is with its first message.
    Waits,
}

impl Access {
    /// What `settings` say, with the keys of `sources`.
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
            note(setting, Key::secret(secret).map(|key| keys.add(key)));
        }
        if let Some(pem) = &sources.public_key {
            note("auth.public_key_file", Key::pem(pem).map(|key| keys.add(key)));
        }
        let mut left_out = Vec::new();
        if let Some(jwks) = &sources.jwks {
            note("auth.jwks_file", keys.add_jwks(jwks).map(|all| left_out = all));
        }
        let mut api_keys = Vec::new();
        for (setting, key, bytes) in &sources.api_keys {
            let rooms = key.rooms.as_ref().map(|rooms| all(rooms).into());
            let made = ApiKey::new(&key.name, bytes, Scope { rooms, calls: key.calls });
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
            left_out,
            terms: Terms { audience, issuer, leeway: auth.leeway },
            cookie: auth.cookie.clone(),
            anonymous: auth.anonymous,
            open: settings.is_open(),
            origins: settings.origins.clone(),
            local_only: settings.is_open() && !settings.insecure,
        })
    }

    /// Whether nobody has to say who they are, because no key is set for either side.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Keys of `auth.jwks_file` that are left out because they cannot check tokens: which and why, a sentence each.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// How far clocks may be apart.
    pub fn leeway(&self) -> Duration {
        self.terms.leeway
    }

    /// The cookie that holds a token.
    pub fn cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    /// Decides about a client that brings `token` and calls itself `name`; `may_wait` if it can bring a token later.
    /// What a look at the token took, in microseconds, is added to `spent_us`.
    ///
    /// # Errors
    ///
    /// Why it may not come in.
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

    /// Who `token` says its bearer is. What finding out took, in microseconds, is added to `spent_us`.
    ///
    /// # Errors
    ///
    /// If it does not say so well enough.
    pub fn identify(&self, token: &str, now_ms: u64, spent_us: &mut u32) -> Result<Identity, Denied> {
        if self.keys.is_empty() && !self.anonymous && !self.open {
            // No token will do, so this is not about this one.
            return Err(Denied::NoToken);
        }
        token::verify(presented::bare(token), &self.keys, &self.terms, now_ms, spent_us)
    }

    /// Whether the HTTP API has a key.
    pub fn has_api_key(&self) -> bool {
        !self.api_keys.is_empty()
    }

    /// The key of the HTTP API that `bearer` is.
    pub fn api_key(&self, bearer: &str) -> Option<&ApiKey> {
        api_key::find(&self.api_keys, bearer)
    }

    /// Whether a request that asks `host` can be meant for this server.
    pub fn answers_to(&self, host: &str) -> bool {
        !self.local_only || is_local_host(host)
    }

    /// Whether not every page may use the server.
    pub fn judges_pages(&self) -> bool {
        self.local_only || !self.origins.is_empty()
    }

    /// Whether a page of `origin`, as its browser sent it, may use the server.
    pub fn welcomes(&self, origin: &str) -> bool {
        let named = self.origins.iter().any(|rule| rule.allows(origin));
        named || if self.local_only { is_local(origin) } else { self.origins.is_empty() }
    }
}
