//! Reads the keys: those in the configuration, and those in key files.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::auth::access::{Access, JWKS, PUBLIC_KEY, Sources};
use crate::settings::{ApiKey, BadSetting, Calls, KeySource, Settings};

/// The most bytes that a file of keys may have.
const MOST_BYTES: u64 = 1024 * 1024;

/// Bytes of a secret that nobody can find by trying (RFC 7518 section 3.2).
const STRONG: usize = 32;

/// The mark that some editors put in front of UTF-8.
const BOM: &[u8] = "\u{feff}".as_bytes();

/// The name of the key in `[api]` itself.
const ONLY: &str = "api";

/// Reads all keys, and makes the rules of who may connect.
///
/// # Errors
///
/// Every key that cannot be read or used.
pub fn access(settings: &Settings) -> Result<Access, Vec<BadSetting>> {
    Access::new(settings, &sources(settings)?)
}

/// Reads all keys again, and makes the rules of who may connect. A key that cannot be read or used keeps its value in
/// `before`; the reason is returned too.
///
/// # Errors
///
/// If its old value cannot be used either.
pub fn renewed(settings: &Settings, before: &Sources) -> Result<(Access, Vec<BadSetting>), Vec<BadSetting>> {
    let (mut sources, mut bad) = (Sources::default(), Vec::new());
    for Key { setting, name, found } in each(settings) {
        let usable = found.and_then(|key| Access::new(settings, &key).map(|_| key));
        sources.add(usable.unwrap_or_else(|why| {
            bad.extend(why);
            before.only(setting, &name)
        }));
    }
    Ok((Access::new(settings, &sources)?, bad))
}

/// The keys in the configuration and in their files.
///
/// # Errors
///
/// Every file that cannot be read.
pub fn sources(settings: &Settings) -> Result<Sources, Vec<BadSetting>> {
    let (mut sources, mut bad) = (Sources::default(), Vec::new());
    for Key { found, .. } in each(settings) {
        match found {
            Ok(key) => sources.add(key),
            Err(why) => bad.extend(why),
        }
    }
    if bad.is_empty() { Ok(sources) } else { Err(bad) }
}

/// A key, or a set of them, that the configuration names.
struct Key {
    /// What names it.
    setting: &'static str,
    /// What it is called, if it is one of several.
    name: String,
    /// It alone, as it is now, or why it cannot be read.
    found: Result<Sources, Vec<BadSetting>>,
}

/// Every key that the configuration names.
fn each(settings: &Settings) -> Vec<Key> {
    let auth = &settings.auth;
    let load = |setting, path: &Path| {
        let why = |error| format!("{} cannot be read: {error}", path.display());
        read(path).map_err(|error| vec![BadSetting { setting, why: why(error) }])
    };
    let secret = |setting, bytes| Sources { secrets: vec![(setting, bytes)], ..Sources::default() };
    let public_key = |bytes| Sources { public_key: Some(bytes), ..Sources::default() };
    let jwks = |bytes| Sources { jwks: Some(bytes), ..Sources::default() };
    let given =
        auth.secret.as_ref().map(|given| ("auth.secret", Ok(secret("auth.secret", given.expose().into()))));
    let of_file = auth.secret_file.as_ref().map(|path| {
        let bytes = load("auth.secret_file", path).map(without_line_break);
        ("auth.secret_file", bytes.map(|bytes| secret("auth.secret_file", bytes)))
    });
    let of_pem =
        auth.public_key_file.as_ref().map(|path| (PUBLIC_KEY, load(PUBLIC_KEY, path).map(public_key)));
    let of_set = auth.jwks_file.as_ref().map(|path| (JWKS, load(JWKS, path).map(jwks)));
    let of_auth = [given, of_file, of_pem, of_set].into_iter().flatten();
    let of_auth = of_auth.map(|(setting, found)| Key { setting, name: String::new(), found });
    let of_api = api_keys(settings).into_iter().map(|(setting, key)| {
        let bytes = match &key.key {
            KeySource::Given(secret) => Ok(secret.expose().into()),
            KeySource::File(path) => load(setting, path),
        };
        let name = key.name.clone();
        let api_key = |bytes: Vec<u8>| vec![(setting, key, bare(&bytes).into())];
        let found = bytes.map(|bytes| Sources { api_keys: api_key(bytes), ..Sources::default() });
        Key { setting, name, found }
    });
    of_auth.chain(of_api).collect()
}

/// The files that hold keys.
#[must_use]
pub fn files(settings: &Settings) -> Vec<PathBuf> {
    let auth = &settings.auth;
    let of_auth = [&auth.secret_file, &auth.public_key_file, &auth.jwks_file];
    let of_api = api_keys(settings).into_iter().filter_map(|(_, key)| match key.key {
        KeySource::File(path) => Some(path),
        KeySource::Given(_) => None,
    });
    of_auth.into_iter().flatten().cloned().chain(of_api).collect()
}

/// Settings that work but are dangerous, a sentence each.
#[must_use]
pub fn warnings(settings: &Settings) -> Vec<String> {
    let Ok(sources) = sources(settings) else { return Vec::new() };
    let left_out =
        Access::new(settings, &sources).map(|access| access.left_out().to_vec()).unwrap_or_default();
    let left_out = left_out.into_iter().map(|why| format!("auth.jwks_file: {why}"));
    let weak = |name: &str, key: &[u8]| {
        let message = || {
            let advice = "make one with: switchboard key";
            format!("{name} has {} bytes: fewer than {STRONG} can be guessed; {advice}", key.len())
        };
        (key.len() < STRONG).then(message)
    };
    let both = |name: &str, key: &[u8]| [weak(name, key), surrounded(name, key)].into_iter().flatten();
    let secrets = sources.secrets.iter().flat_map(|(setting, secret)| both(setting, secret));
    let api_keys = sources
        .api_keys
        .iter()
        .flat_map(|(_, key, bytes)| both(&format!("the API key {:?}", key.name), bytes));
    secrets.chain(api_keys).chain(left_out).collect()
}

/// Warns of blanks or quotation marks around a secret. They are rarely intended, but they count: the signer may have them
/// too.
fn surrounded(name: &str, key: &[u8]) -> Option<String> {
    let quoted = |mark: &u8| key.len() > 1 && key.first() == Some(mark) && key.last() == Some(mark);
    let what = if key.starts_with(BOM) {
        "begins with a byte order mark"
    } else if key.trim_ascii().len() < key.len() {
        "begins or ends with a blank or a line break"
    } else if b"\"'`".iter().any(quoted) {
        "begins and ends with quotation marks"
    } else {
        return None;
    };
    Some(format!(
        "{name} {what}, which is part of the secret: remove it, unless the other side's copy has it too"
    ))
}

/// A key without blanks and a byte order mark around it, which no header can carry.
fn bare(key: &[u8]) -> &[u8] {
    let key = key.trim_ascii();
    key.strip_prefix(BOM).unwrap_or(key).trim_ascii()
}

/// Every key of the API, and the setting that names it.
fn api_keys(settings: &Settings) -> Vec<(&'static str, ApiKey)> {
    let only = settings.api.key.clone().map(|key| {
        let setting = if let KeySource::File(_) = key { "api.key_file" } else { "api.key" };
        (setting, ApiKey { name: ONLY.to_owned(), key, rooms: None, calls: Calls::ALL })
    });
    only.into_iter().chain(settings.api.keys.iter().map(|key| ("api.keys", key.clone()))).collect()
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES { Err(io::Error::other("it is larger than 1MiB")) } else { Ok(bytes) }
}

/// Removes the line break with which editors and `echo` end a file.
fn without_line_break(mut secret: Vec<u8>) -> Vec<u8> {
    if secret.pop_if(|last| *last == b'\n').is_some() {
        secret.pop_if(|last| *last == b'\r');
    }
    secret
}
