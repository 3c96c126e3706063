//! Which web pages may use an open relay.

use std::net::IpAddr;

/// Whether an `Origin` is a page of this machine: `localhost` or a loopback address, on any port.
///
/// An open relay is for whoever sits at the machine. Any page in that person's browser can reach it too, so pages of
/// other sites are told from the developer's own by what the browser says of them (RFC 6454 section 7.1); `null`, which
/// sandboxed pages and files have, may be anybody.
pub fn is_local(origin: &str) -> bool {
    let Some((_, authority)) = origin.split_once("://") else { return false };
    let host = host(authority);
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a `Host` can be meant for an open relay: an address, or a name that nobody on the internet can own.
///
/// A page of any site can have its own name resolve to this machine, and a browser then sends no `Origin` with what the
/// page reads; but it sends the name.
pub fn is_local_host(authority: &str) -> bool {
    let host = host(authority);
    host.parse::<IpAddr>().is_ok()
        || !host.trim_end_matches('.').contains('.')
        || host.ends_with(".localhost")
}

/// The host of an authority, without its port and the brackets of an IPv6 address.
fn host(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(host, _)| host),
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    }
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
        for origin in
            ["http://localhost", "https://LOCALHOST:3000", "http://127.0.0.1:8000", "http://[::1]:80"]
        {
            assert!(is_local(origin), "{origin}");
        }
        for origin in [
            "",
            "null",
            "http://example.com",
            "http://localhost.evil.com",
            "http://127.0.0.1.evil.com",
            "http://[::2]",
        ] {
            assert!(!is_local(origin), "{origin}");
        }
    }
}
