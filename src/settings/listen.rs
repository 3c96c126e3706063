//! Finds addresses that cannot be listened on at the same time.

use std::net::{IpAddr, SocketAddr};

/// What is wrong with `addresses` together: one is there twice, or one includes another.
///
/// An address of IPv4 beside `[::]` on its port is fine: `[::]` is for IPv6 only then.
pub(crate) fn overlap(addresses: &[SocketAddr]) -> Option<String> {
    let with_port = |address: &&SocketAddr| address.port() != 0;
    for (index, address) in addresses.iter().enumerate().filter(|(_, address)| address.port() != 0) {
        for earlier in addresses.iter().take(index).filter(with_port) {
            if earlier.port() != address.port() {
                continue;
            }
            if earlier == address {
                return Some(format!("{address} is here twice; remove one"));
            }
            if earlier.ip().to_canonical() == address.ip().to_canonical() && scope(earlier) == scope(address)
            {
                return Some(format!("{earlier} and {address} are the same; remove one"));
            }
            if takes_in(earlier, address) {
                return Some(format!("{earlier} includes {address}; remove one"));
            }
            if takes_in(address, earlier) {
                return Some(format!("{address} includes {earlier}; remove one"));
            }
        }
    }
    None
}

/// Whether `any` means any address of the family of `one`.
fn takes_in(any: &SocketAddr, one: &SocketAddr) -> bool {
    let (any, one) = (any.ip().to_canonical(), one.ip().to_canonical());
    any.is_unspecified()
        && matches!((any, one), (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)))
}

/// The link that a link-local address is on.
fn scope(address: &SocketAddr) -> u32 {
    match address {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(v6) => v6.scope_id(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(texts: &[&str]) -> Option<String> {
        overlap(&texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>())
    }

    #[test]
    fn what_cannot_be_had_side_by_side_is_named() {
        for (texts, expected) in [
            (
                &["127.0.0.1:80", "127.0.0.1:81", "127.0.0.1:80"] as &[&str],
                "127.0.0.1:80 is here twice; remove one",
            ),
            (
                &["127.0.0.1:80", "[::ffff:127.0.0.1]:80"],
                "127.0.0.1:80 and [::ffff:127.0.0.1]:80 are the same; remove one",
            ),
            (&["127.0.0.1:80", "0.0.0.0:80"], "0.0.0.0:80 includes 127.0.0.1:80; remove one"),
            (&["[::]:80", "[::1]:80"], "[::]:80 includes [::1]:80; remove one"),
        ] {
            assert_eq!(told(texts).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_can_is_not() {
        for texts in [
            &["0.0.0.0:80", "[::]:80"] as &[&str],
            &["[::]:80", "127.0.0.1:80"],
            &["127.0.0.1:80", "[::1]:80", "127.0.0.2:80"],
            &["127.0.0.1:0", "127.0.0.1:0", "0.0.0.0:0"],
            &["[fe80::1%2]:80", "[fe80::1%3]:80"],
        ] {
            assert_eq!(told(texts), None, "{texts:?}");
        }
    }
}
