//! The keys of the configuration that decide who may connect.

use std::time::Duration;

use super::kinds::{self, LONGEST};
use super::patterns;
use super::problem::Source;
use super::section::Section;
use crate::settings::{Api, ApiKey, Auth, Calls, KeySource, Proxies, Reject};

/// The table `[auth]`.
pub(super) fn auth_table(section: &mut Section<'_>, auth: &mut Auth) {
    const REJECT: &[(&str, Reject)] = &[("close", Reject::Close), ("http", Reject::Http)];
    section.set("secret", &mut auth.secret, |found| kinds::secret(found).map(Some));
    section.set("secret_file", &mut auth.secret_file, |found| kinds::path(found).map(Some));
    section.set("public_key_file", &mut auth.public_key_file, |found| kinds::path(found).map(Some));
    section.set("jwks_file", &mut auth.jwks_file, |found| kinds::path(found).map(Some));
    section.set("audience", &mut auth.audience, |found| kinds::text(found).map(Some));
    section.set("issuer", &mut auth.issuer, |found| kinds::text(found).map(Some));
    section.set("leeway", &mut auth.leeway, kinds::duration(Duration::ZERO..=LONGEST));
    section.set("timeout", &mut auth.timeout, kinds::duration(Duration::from_millis(1)..=LONGEST));
    section.set("cookie", &mut auth.cookie, |found| kinds::cookie(found).map(Some));
    section.set("unique_names", &mut auth.unique_names, kinds::boolean);
    section.set("anonymous", &mut auth.anonymous, kinds::boolean);
    section.set("reject", &mut auth.reject, kinds::word(REJECT));
}

/// The table `[api]`.
pub(super) fn api_table(section: &mut Section<'_>, api: &mut Api) {
    key_source(section, &mut api.key);
    if let Some(found) = section.tables("keys", key_table) {
        api.keys = Vec::new();
        for (source, key) in found {
            if api.keys.iter().any(|other| other.name == key.name) {
                let message =
                    format!("there are two keys called {:?}; give each a name of its own", key.name);
                section.report(source, "keys", message);
            } else {
                api.keys.push(key);
            }
        }
    }
}

/// A key, or the file that holds it. A later layer overrides an earlier one; one layer may not set both.
fn key_source(section: &mut Section<'_>, slot: &mut Option<KeySource>) {
    let both = section.has("key") && section.has("key_file");
    section.set("key", slot, |found| kinds::secret(found).map(|key| Some(KeySource::Given(key))));
    section.set("key_file", slot, |found| match both {
        true => Err("`key` is set as well; keep one of them".to_owned()),
        false => kinds::path(found).map(|path| Some(KeySource::File(path))),
    });
}

/// Reads one table of `api.keys`, which is at `source`.
fn key_table(section: &mut Section<'_>, source: Source) -> Option<ApiKey> {
    let (mut name, mut key, mut rooms, mut calls) = (String::new(), None, Vec::new(), Vec::new());
    let (has_key, has_rooms, has_calls) =
        (section.has("key") || section.has("key_file"), section.has("rooms"), section.has("calls"));
    if !section.has("name") {
        section.report(source.clone(), "name", "missing; give the key a name for the log".to_owned());
    }
    if !has_key {
        section.report(source, "key", "missing; give the key, or its file in key_file".to_owned());
    }
    section.set("name", &mut name, kinds::text);
    key_source(section, &mut key);
    section.set_list("rooms", &mut rooms, patterns::pattern);
    section.set_list("calls", &mut calls, call);
    let calls = calls.into_iter().fold(Calls::NONE, |all: Calls, one: Calls| Calls {
        publish: all.publish || one.publish,
        read: all.read || one.read,
        remove: all.remove || one.remove,
    });
    Some(ApiKey {
        name,
        key: key?,
        rooms: has_rooms.then_some(rooms),
        calls: if has_calls { calls } else { Calls::ALL },
    })
}

fn call(found: &super::Located) -> Result<Calls, String> {
    const CALLS: &[(&str, Calls)] = &[
        ("publish", Calls { publish: true, ..Calls::NONE }),
        ("read", Calls { read: true, ..Calls::NONE }),
        ("remove", Calls { remove: true, ..Calls::NONE }),
    ];
    kinds::word(CALLS)(found)
}

/// The table `[proxies]`.
pub(super) fn proxies_table(section: &mut Section<'_>, proxies: &mut Proxies) {
    section.set_list("trust", &mut proxies.trust, kinds::network);
    section.set("proxy_protocol", &mut proxies.proxy_protocol, kinds::boolean);
}
