//! Finds settings that contradict each other.

use std::net::SocketAddr;

use super::kinds::Bytes;
use super::reader::Reader;
use super::{Config, Source, credentials};
use crate::settings::{BadSetting, Settings, exposed, overlap};

/// Reports contradictions in `config` to `reader`.
pub(super) fn check(config: &Config, reader: &mut Reader) {
    addresses(&config.settings, reader);
    sizes(&config.settings, reader);
    pages(&config.settings, reader);
    keys(&config.settings, reader);
}

fn addresses(settings: &Settings, reader: &mut Reader) {
    let Some(source) = reader.origin("listen").cloned() else {
        return;
    };
    if let Some(why) = overlap(&settings.listen) {
        reader.report(source.clone(), "listen", why);
    }
    if let Some(address) = exposed(settings) {
        reader.report(source, "listen", closed_to_strangers(address));
    }
}

fn closed_to_strangers(address: SocketAddr) -> String {
    format!(
        "{address} is not loopback, and no key keeps strangers out: set auth.secret (or auth.public_key_file, \
         auth.jwks_file) for clients and api.key for the app, listen on 127.0.0.1:{port}, or pass --insecure if the \
         network is trusted",
        port = address.port()
    )
}

/// Browsers send a cookie with requests of any page, and anybody can send a proxy's header. Each needs a list of who is
/// trusted.
fn pages(settings: &Settings, reader: &mut Reader) {
    let cookie = reader.origin("auth.cookie").cloned().filter(|_| settings.origins.is_empty());
    if let Some(source) = cookie {
        let message = "needs origins.allow: without it any page could use its visitors' cookies".to_owned();
        reader.report(source, "auth.cookie", message);
    }
    let header = settings.proxies.proxy_protocol && settings.proxies.trust.is_empty();
    if let Some(source) = reader.origin("proxies.proxy_protocol").cloned().filter(|_| header) {
        let message = "needs proxies.trust: the addresses whose header is believed".to_owned();
        reader.report(source, "proxies.proxy_protocol", message);
    }
}

fn keys(settings: &Settings, reader: &mut Reader) {
    for BadSetting { setting, why } in credentials::access(settings).err().into_iter().flatten() {
        if let Some(source) = reader.origin(setting).cloned() {
            reader.report(source, setting, why);
        }
    }
}

fn sizes(settings: &Settings, reader: &mut Reader) {
    let limits = &settings.limits;
    let fits = [
        (
            "limits.message",
            limits.message,
            "limits.queue",
            limits.queue,
            "one message would fill a connection's queue",
        ),
        (
            "limits.queue",
            limits.queue,
            "limits.queue_total",
            limits.queue_total,
            "one slow connection could take it all",
        ),
        (
            "limits.header",
            limits.header,
            "limits.queue_total",
            limits.queue_total,
            "one request could take it all",
        ),
    ];
    for (inner, size, outer, bound, why) in fits {
        if size > bound {
            let message = format!("{inner} ({}) is more than {outer} ({}): {why}", Bytes(size), Bytes(bound));
            report_either(reader, inner, outer, message);
        }
    }
}

/// Reports at `key`, or at `other` where `key` has its default.
fn report_either(reader: &mut Reader, key: &str, other: &str, message: String) {
    let at = |key: &str| Some((reader.origin(key)?.clone(), key.to_owned()));
    let found: Option<(Source, String)> = at(key).or_else(|| at(other));
    if let Some((source, key)) = found {
        reader.report(source, &key, message);
    }
}
