//! Reads addresses to listen on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::value::{Located, Value};

/// How to write an address, for error messages.
const ADVICE: &str = "write it like \"127.0.0.1:8000\", \"[::1]:8000\", \"localhost:8000\" or 8000";

/// Addresses to listen on: an IP address and a port; a port alone, with or without a colon, which means 127.0.0.1; or
/// `localhost` and a port, which means loopback of IPv4 and IPv6.
pub(super) fn addresses(found: &Located) -> Result<Vec<SocketAddr>, String> {
    let number;
    let text = match &found.value {
        Value::Integer(port) => {
            number = port.to_string();
            number.as_str()
        }
        value => found.text().ok_or_else(|| format!("{value} is not an address; {ADVICE}"))?.trim(),
    };
    read(text).map_err(|why| format!("{} {why}", found.value))
}

fn read(text: &str) -> Result<Vec<SocketAddr>, String> {
    if let Ok(address) = text.parse() {
        return Ok(vec![address]);
    }
    let digits = text.strip_prefix(':').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port(digits)?))]);
    }
    match text.rsplit_once(':') {
        Some((host, digits)) if host.eq_ignore_ascii_case("localhost") => {
            let port = port(digits)?;
            Ok(vec![
                SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
                SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
            ])
        }
        _ => Err(wrong(text)),
    }
}

fn port(digits: &str) -> Result<u16, String> {
    digits.parse().map_err(|_| "does not end with a port: 0 to 65535".to_owned())
}

/// Why `text` is none of these.
fn wrong(text: &str) -> String {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if text.contains("://") {
        return "is the address of a page; leave out what is in front of the host and behind the port"
            .to_owned();
    }
    // The end of `::1:80` reads as a part of the address, and was meant as the port.
    if !text.starts_with('[')
        && let Some((host, digits)) = text.rsplit_once(':')
        && host.parse::<Ipv6Addr>().is_ok()
        && port(digits).is_ok()
    {
        return format!("needs brackets around the address: \"[{host}]:{digits}\"");
    }
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return format!("has no port; write it like \"{}\"", SocketAddr::new(ip, 8000));
    }
    if text.eq_ignore_ascii_case("localhost") {
        return "has no port; write it like \"localhost:8000\"".to_owned();
    }
    match text.rsplit_once(':') {
        Some(("*", digits)) => format!(
            "names no address; every one is \"[::]:{digits}\", or \"0.0.0.0:{digits}\" for IPv4 alone"
        ),
        Some((host, digits)) if port(digits).is_err() && host.parse::<IpAddr>().is_ok() => {
            "does not end with a port: 0 to 65535".to_owned()
        }
        Some((host, digits))
            if port(digits).is_ok() && host.bytes().any(|byte| byte.is_ascii_alphabetic()) =>
        {
            format!(
                "begins with a name; give the IP address to listen on, or \"0.0.0.0:{digits}\" for all of them"
            )
        }
        _ => format!("is not an IP address and a port; {ADVICE}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_this_machine() {
        for text in ["8000", ":8000", "127.0.0.1:8000"] {
            assert_eq!(read(text).unwrap(), ["127.0.0.1:8000".parse().unwrap()], "{text}");
        }
        for text in ["localhost:8000", "LocalHost:8000"] {
            assert_eq!(
                read(text).unwrap(),
                ["127.0.0.1:8000".parse().unwrap(), "[::1]:8000".parse().unwrap()]
            );
        }
        assert_eq!(read(":0").unwrap(), ["127.0.0.1:0".parse().unwrap()]);
    }

    #[test]
    fn what_is_meant_is_said() {
        for (text, expected) in [
            ("65536", "does not end with a port: 0 to 65535"),
            (":99999", "does not end with a port: 0 to 65535"),
            ("127.0.0.1:http", "does not end with a port: 0 to 65535"),
            ("127.0.0.1:", "does not end with a port: 0 to 65535"),
            ("localhost:", "does not end with a port: 0 to 65535"),
            ("127.0.0.1", "has no port; write it like \"127.0.0.1:8000\""),
            ("::1:80", "needs brackets around the address: \"[::1]:80\""),
            ("::1:8000", "needs brackets around the address: \"[::1]:8000\""),
            (":::80", "needs brackets around the address: \"[::]:80\""),
            ("2001:db8::1:65535", "needs brackets around the address: \"[2001:db8::1]:65535\""),
            ("2001:db8:0:0:0:0:0:1:80", "needs brackets around the address: \"[2001:db8:0:0:0:0:0:1]:80\""),
            ("::1", "has no port; write it like \"[::1]:8000\""),
            ("::1:beef", "has no port; write it like \"[::1:beef]:8000\""),
            ("2001:db8:0:0:0:0:0:1", "has no port; write it like \"[2001:db8::1]:8000\""),
            ("[::1:80]", "has no port; write it like \"[::1:80]:8000\""),
            ("[::1]", "has no port; write it like \"[::1]:8000\""),
            ("localhost", "has no port; write it like \"localhost:8000\""),
            ("*:80", "names no address; every one is \"[::]:80\", or \"0.0.0.0:80\" for IPv4 alone"),
            (
                "http://127.0.0.1:80",
                "is the address of a page; leave out what is in front of the host and behind the port",
            ),
            (
                "example.com:80",
                "begins with a name; give the IP address to listen on, or \"0.0.0.0:80\" for all of them",
            ),
            (
                "",
                "is not an IP address and a port; write it like \"127.0.0.1:8000\", \"[::1]:8000\", \"localhost:8000\" or 8000",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), expected, "{text}");
        }
    }
}
