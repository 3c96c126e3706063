//! Origins of web pages (RFC 6454), and rules that match them.

use std::fmt;
use std::net::IpAddr;

/// An origin as a rule of the configuration writes it: exact, or with `*.` for every subdomain of a host, or `:*` for every
/// port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginRule {
    origin: Origin,
    /// The rule matches every name below the host, but not the host itself.
    subdomains: bool,
    /// The rule matches any port.
    any_port: bool,
}

/// Scheme, host and port, as a browser sends them in `Origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    /// Reads `scheme "://" host [ ":" port ]` and nothing after it.
    ///
    /// `null` is refused: sandboxed pages and files send it, and it can be anybody.
    fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let is_host = |c: char| c.is_ascii_alphanumeric() || "-._~[]:".contains(c);
        if scheme.is_empty() || !scheme.chars().all(is_scheme) || !authority.chars().all(is_host) {
            return None;
        }
        let end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
        let (host, port) = match authority.get(end..)?.find(':') {
            Some(colon) => (authority.get(..end + colon)?, Some(authority.get(end + colon + 1..)?)),
            None => (authority, None),
        };
        let port = port.map(str::parse).transpose().ok()?;
        let scheme = scheme.to_ascii_lowercase();
        // RFC 6454 section 6.2: browsers leave out the default port, so a rule that has it means the same.
        let port = port.filter(|port| !matches!((scheme.as_str(), port), ("https", 443) | ("http", 80)));
        (!host.is_empty()).then(|| Self { scheme, host: host.to_ascii_lowercase(), port })
    }
}

impl OriginRule {
    /// Reads a rule: `https://example.com`, `https://example.com:8443`, `https://*.example.com` or `http://localhost:*`.
    ///
    /// # Errors
    ///
    /// What to write instead, if `text` is not an origin.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const ADVICE: &str =
            "write scheme, host and, if it is not the usual one, port, like \"https://example.com\"";
        let (text, any_port) = text.strip_suffix(":*").map_or((text, false), |rest| (rest, true));
        let subdomains = text.contains("://*.");
        let origin = Origin::parse(&text.replacen("://*.", "://", 1)).ok_or(ADVICE)?;
        if any_port && origin.port.is_some() {
            return Err(ADVICE);
        }
        Ok(Self { origin, subdomains, any_port })
    }

    /// Whether the rule matches `origin`, as a browser sent it.
    pub fn allows(&self, origin: &str) -> bool {
        let Some(Origin { scheme, host, port }) = Origin::parse(origin) else { return false };
        let same_host = if self.subdomains {
            host.strip_suffix(&self.origin.host).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host == self.origin.host
        };
        same_host && scheme == self.origin.scheme && (self.any_port || port == self.origin.port)
    }
}

impl fmt::Display for OriginRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { scheme, host, port } = &self.origin;
        write!(f, "{scheme}://{}{host}", if self.subdomains { "*." } else { "" })?;
        match port {
            _ if self.any_port => f.write_str(":*"),
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// Whether `origin` is a page of this machine: `localhost`, a name below it or a loopback address, on any port.
///
/// An open relay is for the person at this machine. Pages of other sites in that person's browser can reach it too, so only
/// the `Origin` that the browser sends tells them from the person's own pages.
pub fn is_local(origin: &str) -> bool {
    let Some(Origin { host, .. }) = Origin::parse(origin) else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    is_localhost(&host) || address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Whether a host is `localhost` or below it. Nobody can own such a name (RFC 6761 section 6.3).
fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.rsplit('.').next().is_some_and(|label| label.eq_ignore_ascii_case("localhost"))
}

/// Whether `origin` is the server's own, when the server is asked by `scheme` as `host`.
pub fn is_own(origin: &str, scheme: &str, host: &str) -> bool {
    let own = Origin::parse(&format!("{scheme}://{host}"));
    own.is_some() && own == Origin::parse(origin)
}

/// Whether an open relay accepts a `Host`: an address, or a name that nobody on the internet can own.
///
/// Any site can make its own name resolve to this machine. A browser then sends no `Origin` with what its pages read, but it
/// sends the name.
pub fn is_local_host(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(host, _)| host),
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    };
    is_localhost(host) || !host.trim_end_matches('.').contains('.') || host.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_somebody_else_can_own_is_not_local() {
        for host in [
            "localhost",
            "localhost:8000",
            "127.0.0.1:8000",
            "[::1]:80",
            "10.0.0.7",
            "relay",
            "a.localhost:80",
            "App.LOCALHOST.:80",
            "LOCALHOST",
        ] {
            assert!(is_local_host(host), "{host}");
        }
        for host in
            ["example.com", "evil.example:8000", "127.0.0.1.evil.com", "localhost.evil.com:1", "com.evil."]
        {
            assert!(!is_local_host(host), "{host}");
        }
    }

    #[test]
    fn only_pages_of_this_machine_are_local() {
        for origin in [
            "http://localhost",
            "https://LOCALHOST:3000",
            "http://127.0.0.1:8000",
            "http://[::1]:80",
            "http://app.localhost:8000",
            "http://a.B.localhost.",
            "http://[::ffff:7f00:1]",
        ] {
            assert!(is_local(origin), "{origin}");
        }
        for origin in [
            "",
            "null",
            "localhost",
            "http://",
            "http://example.com",
            "http://localhost.evil.com",
            "http://127.0.0.1.evil.com",
            "http://localhost@evil.com",
            "http://localhost/",
            "http://localhost:x",
            "http://[::2]",
            "http://notlocalhost",
            "http://.localhost.evil.com",
            "http://10.0.0.7",
            "http://relay",
        ] {
            assert!(!is_local(origin), "{origin}");
        }
    }

    #[test]
    fn rules_are_exact_but_for_subdomains() {
        let cases = [
            ("https://example.com", "https://example.com", true),
            ("https://example.com", "HTTPS://EXAMPLE.com:443", true),
            ("https://example.com:443", "https://example.com", true),
            ("https://example.com", "http://example.com", false),
            ("https://example.com", "https://example.com:8443", false),
            ("https://example.com:8443", "https://example.com:8443", true),
            ("https://example.com", "https://a.example.com", false),
            ("https://example.com", "https://example.com.evil.com", false),
            ("https://example.com", "https://example.com/", false),
            ("https://example.com", "null", false),
            ("https://*.example.com", "https://a.example.com", true),
            ("https://*.example.com", "https://a.b.example.com", true),
            ("https://*.example.com", "https://example.com", false),
            ("https://*.example.com", "https://.example.com", false),
            ("https://*.example.com", "https://evilexample.com", false),
            ("https://*.example.com", "http://a.example.com", false),
            ("http://*.example.com:81", "http://a.example.com:81", true),
            ("http://[::1]:80", "http://[::1]", true),
            ("http://localhost:*", "http://localhost", true),
            ("http://localhost:*", "http://LOCALHOST:5173", true),
            ("http://localhost:*", "https://localhost:5173", false),
            ("http://localhost:*", "http://localhost.evil.com:80", false),
            ("http://localhost:*", "http://a.localhost:80", false),
            ("https://*.example.com:*", "https://a.example.com:8443", true),
            ("https://*.example.com:*", "https://example.com:8443", false),
            ("http://[::1]:*", "http://[::1]:9", true),
            ("capacitor://localhost", "capacitor://localhost", true),
        ];
        for (rule, origin, allowed) in cases {
            let rule = OriginRule::parse(rule).unwrap();
            assert_eq!(rule.allows(origin), allowed, "{rule} {origin}");
        }
    }

    #[test]
    fn what_is_no_origin_is_no_rule() {
        for text in [
            "",
            "*",
            "null",
            "example.com",
            "https://",
            "https://a.com/",
            "https://*",
            "https://a.*.com",
            "http://a.com:81:*",
            "http://*:*",
            ":*",
        ] {
            assert!(OriginRule::parse(text).is_err(), "{text}");
        }
        let shown = |text| OriginRule::parse(text).unwrap().to_string();
        assert_eq!(shown("HTTPS://*.Example.com:443"), "https://*.example.com");
        assert_eq!(shown("http://a.com:81"), "http://a.com:81");
        assert_eq!(shown("http://*.A.com:*"), "http://*.a.com:*");
    }

    #[test]
    fn an_own_page_has_the_scheme_and_host_of_the_request() {
        for (origin, scheme, host) in [
            ("http://127.0.0.1:8000", "http", "127.0.0.1:8000"),
            ("http://Relay.example", "http", "relay.EXAMPLE:80"),
            ("https://relay.example", "https", "relay.example"),
        ] {
            assert!(is_own(origin, scheme, host), "{origin}");
        }
        for (origin, scheme, host) in [
            ("http://127.0.0.1:8000", "http", "127.0.0.1"),
            ("http://relay.example", "https", "relay.example"),
            ("https://relay.example", "http", "relay.example"),
            ("null", "http", ""),
            ("http://", "http", ""),
            ("http://a.example", "http", "b.example"),
        ] {
            assert!(!is_own(origin, scheme, host), "{origin}");
        }
    }
}
