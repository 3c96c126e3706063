//! Which web pages may use an open relay.

use std::net::IpAddr;

/// Whether an `Origin` is a page of this machine: `localhost` or a loopback address, on any port.
///
/// An open relay is for whoever sits at the machine. Any page in that person's browser can reach it too, so pages of
/// other sites are told from the developer's own by what the browser says of them (RFC 6454 section 7.1); `null`, which
/// sandboxed pages and files have, may be anybody.
pub fn is_local(origin: &str) -> bool {
    let Some((_, authority)) = origin.split_once("://") else { return false };
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(host, _)| host),
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    };
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

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
