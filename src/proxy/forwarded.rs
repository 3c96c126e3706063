//! The client whose request a proxy passes on.

use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};

use crate::http::Head;

/// Whether `address` is believed about other addresses.
pub fn is_trusted(trust: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    trust.iter().any(|network| canonical(network).contains(&address))
}

/// Turns an IPv4 network that is written as an IPv6 one (RFC 4291 section 2.5.5.2) into an IPv4 network.
fn canonical(network: &IpNet) -> IpNet {
    /// Bits before the IPv4 address.
    const MAPPED: u8 = 96;
    if let IpNet::V6(wide) = network
        && let Some(address) = wide.network().to_ipv4_mapped()
        && let Some(length) = wide.prefix_len().checked_sub(MAPPED)
        && let Ok(narrow) = Ipv4Net::new(address, length)
    {
        return narrow.into();
    }
    *network
}

/// The scheme of a client's request, as far as it is known: what the last trusted proxy says, or plain HTTP without such
/// a proxy.
pub fn scheme(head: &Head, peer: IpAddr, trust: &[IpNet]) -> Option<&'static str> {
    if !is_trusted(trust, peer) {
        return Some("http");
    }
    match head.list("x-forwarded-proto").last()?.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some("https"),
        "http" | "ws" => Some("http"),
        _ => None,
    }
}

/// The client behind `peer`: the address that the last trusted proxy in `X-Forwarded-For` saw.
///
/// Each proxy adds at the end the address from which it was called. So the list is read from its end, as long as the
/// writer of an entry is trusted. Anybody can have written what is before that.
pub fn client(head: &Head, peer: IpAddr, trust: &[IpNet]) -> IpAddr {
    let entries: Vec<&str> = head.list("x-forwarded-for").collect();
    let mut client = peer.to_canonical();
    for entry in entries.iter().rev() {
        match address(entry) {
            Some(before) if is_trusted(trust, client) => client = before,
            _ => break,
        }
    }
    client
}

/// An address, which some proxies write with a port.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse().ok().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Limits, Reader, Step};

    fn seen(peer: &str, fields: &str) -> String {
        let bytes = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let limits = Limits { header: 8192, headers: 64, body: 0 };
        let (_, Ok(Step::Head(head))) = Reader::new().read(bytes.as_bytes(), &limits) else {
            panic!("{fields}")
        };
        let trust = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        client(&head, peer.parse().unwrap(), &trust).to_string()
    }

    #[test]
    fn a_network_is_the_same_however_it_is_written() {
        let trusted =
            |network: &str, address: &str| is_trusted(&[network.parse().unwrap()], address.parse().unwrap());
        for address in ["127.0.0.1", "::ffff:127.9.9.9"] {
            assert!(
                trusted("::ffff:127.0.0.0/104", address) && trusted("::ffff:0:0/96", address),
                "{address}"
            );
            assert!(
                trusted("127.0.0.0/8", address) && !trusted("::ffff:128.0.0.0/104", address),
                "{address}"
            );
            // A network wider than all of IPv4 is one of IPv6.
            assert!(!trusted("::/0", address) && !trusted("::ffff:0:0/95", address), "{address}");
        }
        assert!(trusted("::ffff:10.0.0.7/128", "10.0.0.7") && !trusted("::ffff:10.0.0.7/128", "10.0.0.8"));
        assert!(trusted("::/0", "2001:db8::1") && !trusted("::ffff:0:0/96", "2001:db8::1"));
    }

    #[test]
    fn only_trusted_proxies_say_how_they_were_asked() {
        let scheme = |peer: &str, fields: &str| {
            let bytes = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
            let limits = Limits { header: 8192, headers: 64, body: 0 };
            let (_, Ok(Step::Head(head))) = Reader::new().read(bytes.as_bytes(), &limits) else {
                panic!("{fields}")
            };
            super::scheme(&head, peer.parse().unwrap(), &["10.0.0.0/8".parse().unwrap()])
        };
        assert_eq!(scheme("9.9.9.9", "X-Forwarded-Proto: https\r\n"), Some("http"));
        assert_eq!(scheme("10.0.0.1", "X-Forwarded-Proto: https\r\n"), Some("https"));
        assert_eq!(scheme("10.0.0.1", "X-Forwarded-Proto: https, http\r\n"), Some("http"));
        assert_eq!([scheme("10.0.0.1", ""), scheme("10.0.0.1", "X-Forwarded-Proto: x\r\n")], [None, None]);
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let cases = [
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "X-Forwarded-For: 1.2.3.4\r\n", "1.2.3.4"),
            ("9.9.9.9", "X-Forwarded-For: 1.2.3.4\r\n", "9.9.9.9"),
            ("::ffff:10.0.0.1", "X-Forwarded-For: 1.2.3.4\r\n", "1.2.3.4"),
            ("10.0.0.1", "X-Forwarded-For: 6.6.6.6, 1.2.3.4\r\n", "1.2.3.4"),
            ("10.0.0.1", "X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.0.0.2\r\n", "1.2.3.4"),
            ("10.0.0.1", "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.2.3.4\r\n", "1.2.3.4"),
            ("10.0.0.1", "X-Forwarded-For: 1.2.3.4:5678\r\n", "1.2.3.4"),
            ("10.0.0.1", "X-Forwarded-For: [2001:db8::1]:5678\r\n", "2001:db8::1"),
            ("fd00::1", "X-Forwarded-For: [2001:db8::1]\r\n", "2001:db8::1"),
            ("10.0.0.1", "X-Forwarded-For: 1.2.3.4, unknown\r\n", "10.0.0.1"),
            ("10.0.0.1", "X-Forwarded-For: unknown, 10.0.0.2\r\n", "10.0.0.2"),
        ];
        for (peer, fields, expected) in cases {
            assert_eq!(seen(peer, fields), expected, "{peer} {fields}");
        }
    }
}
