//! The `host[:port]` of a `Host` field or of an absolute target.

use std::net::Ipv6Addr;

use crate::http::syntax::is_percent_encoded;

/// Whether `text` is `uri-host [ ":" port ]` (RFC 9110 7.2) with a host that is not empty.
///
/// User information (`user@`) is not part of it: by RFC 9110 4.2.4 it is an error.
pub(crate) fn is_authority(text: &str) -> bool {
    let (host_holds, port) = match text.strip_prefix('[') {
        Some(literal) => match literal.split_once(']') {
            Some((address, port)) => (address.parse::<Ipv6Addr>().is_ok(), port),
            None => (false, ""),
        },
        None => {
            let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (is_name(host), port)
        }
    };
    host_holds && is_port(port)
}

/// Whether `host` is a `reg-name` of at least one character; an IPv4 address is one as well (RFC 3986 3.2.2).
fn is_name(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte);
    !host.is_empty() && host.bytes().all(allowed) && is_percent_encoded(host)
}

/// Whether `text` is nothing, or a colon and a port that fits 16 bits. The digits may be missing (RFC 3986 3.2.3).
fn is_port(text: &str) -> bool {
    match text.strip_prefix(':') {
        Some("") => true,
        Some(port) => port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok(),
        None => text.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_hold() {
        for host in [
            "a",
            "example.com",
            "example.com:80",
            "a:",
            "my_box:65535",
            "127.0.0.1:8000",
            "[::1]",
            "[::1]:80",
            "a%20b",
        ] {
            assert!(is_authority(host), "{host}");
        }
    }

    #[test]
    fn hosts_that_do_not() {
        for host in [
            "", ":80", "a b", "a/b", "user@a", "a:b", "a:+1", "a:65536", "a:1:2", "[::1", "::1", "[::1]80",
            "[a]", "[]", "a%2", "a%zz", "a,b c", "a\"", "a?b", "a#b", "ü", "a\\b",
        ] {
            assert!(!is_authority(host), "{host}");
        }
    }
}
