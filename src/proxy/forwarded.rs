//! Whose request a proxy passes on.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::http::Head;

/// Whether what `address` says about others is believed.
pub fn is_trusted(trust: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    trust.iter().any(|network| network.contains(&address))
}

/// The client behind `peer`: what the last trusted proxy in `X-Forwarded-For` saw.
///
/// Each proxy adds at the end the address that it was called from. So the list is read from its end for as long as
/// whoever added an entry is trusted; what stands before that anybody can have written.
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
