//! The PROXY protocol, versions 1 and 2: what a proxy sends before the bytes of a connection that it passes on.
//!
//! The specification is HAProxy's `proxy-protocol.txt`; its sections are cited.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest line of version 1, its CRLF included (section 2.1).
const MAX_LINE: usize = 107;

/// The beginning of every header of version 2 (section 2.2).
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Bytes of a header of version 2 before its addresses.
const FIXED: usize = 16;

/// The most bytes of addresses and further values. Load balancers add some hundred bytes of values, which are ignored.
const MAX_REST: usize = 4 * 1024;

/// Not a header of the PROXY protocol, or not one that a proxy sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Reads one header, in any pieces.
#[derive(Debug, Default)]
pub struct Reader {
    seen: Vec<u8>,
}

/// A complete header: the address of the client. It is `None` if the proxy connects for itself (its health checks,
/// section 2.2 `LOCAL`), or for a client without an address.
pub type Source = Option<IpAddr>;

impl Reader {
    /// Bytes of memory that it holds of an incomplete header.
    pub fn held(&self) -> usize {
        self.seen.capacity()
    }

    /// Takes bytes from the front of `input`; returns how many were used and the header once it is complete.
    ///
    /// # Errors
    ///
    /// As soon as the bytes can no longer become a header. The connection must then be closed (section 2).
    pub fn read(&mut self, input: &[u8]) -> (usize, Result<Option<Source>, Malformed>) {
        let before = self.seen.len();
        let room = (FIXED + MAX_REST).saturating_sub(before);
        self.seen.extend_from_slice(&input[..input.len().min(room)]);
        match parse(&self.seen) {
            Ok(Some((length, source))) => (length.saturating_sub(before), Ok(Some(source))),
            Ok(None) => (input.len(), Ok(None)),
            Err(malformed) => (input.len(), Err(malformed)),
        }
    }
}

/// The header at the front of `bytes` and its length; `None` while it is not complete.
fn parse(bytes: &[u8]) -> Result<Option<(usize, Source)>, Malformed> {
    if begins(bytes, b"PROXY ") {
        line(bytes)
    } else if begins(bytes, SIGNATURE) {
        binary(bytes)
    } else {
        Err(Malformed)
    }
}

/// Whether `bytes` begin like `start`, as far as they go.
fn begins(bytes: &[u8], start: &[u8]) -> bool {
    bytes.iter().zip(start).all(|(a, b)| a == b)
}

/// Section 2.1: `PROXY TCP4 source destination port port CRLF`.
fn line(bytes: &[u8]) -> Result<Option<(usize, Source)>, Malformed> {
    let within = bytes.get(..MAX_LINE).unwrap_or(bytes);
    let Some(end) = within.windows(2).position(|pair| pair == b"\r\n") else {
        return if within.len() == MAX_LINE { Err(Malformed) } else { Ok(None) };
    };
    let text = bytes.get(..end).and_then(|line| std::str::from_utf8(line).ok()).ok_or(Malformed)?;
    let words: Vec<&str> = text.split(' ').collect();
    let source = match words[..] {
        // The rest of such a line must be ignored, whatever it is.
        ["PROXY", "UNKNOWN", ..] => None,
        ["PROXY", "TCP4", source, destination, from, to] => {
            let source: Ipv4Addr = source.parse().map_err(|_| Malformed)?;
            let _: Ipv4Addr = destination.parse().map_err(|_| Malformed)?;
            ports(from, to)?;
            Some(IpAddr::V4(source))
        }
        ["PROXY", "TCP6", source, destination, from, to] => {
            let source: Ipv6Addr = source.parse().map_err(|_| Malformed)?;
            let _: Ipv6Addr = destination.parse().map_err(|_| Malformed)?;
            ports(from, to)?;
            Some(IpAddr::V6(source).to_canonical())
        }
        _ => return Err(Malformed),
    };
    Ok(Some((end + 2, source)))
}

fn ports(from: &str, to: &str) -> Result<(), Malformed> {
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok();
    if is_port(from) && is_port(to) { Ok(()) } else { Err(Malformed) }
}

/// Section 2.2: signature, version and command, family, length, addresses, further values.
fn binary(bytes: &[u8]) -> Result<Option<(usize, Source)>, Malformed> {
    let Some(fixed) = bytes.first_chunk::<FIXED>() else { return Ok(None) };
    let [.., command, family, high, low] = *fixed;
    let rest = usize::from(u16::from_be_bytes([high, low]));
    if command >> 4 != 2 || command & 0x0F > 1 || rest > MAX_REST {
        return Err(Malformed);
    }
    let Some(rest) = bytes.get(FIXED..FIXED + rest) else { return Ok(None) };
    let local = command & 0x0F == 0;
    let source = match family {
        _ if local => None,
        // AF_INET and AF_INET6 over TCP; source first.
        0x11 if rest.len() < 12 => return Err(Malformed),
        0x11 => rest.first_chunk::<4>().map(|octets| IpAddr::from(*octets)),
        0x21 if rest.len() < 36 => return Err(Malformed),
        0x21 => rest.first_chunk::<16>().map(|octets| IpAddr::from(*octets).to_canonical()),
        // Any other connection is real, and has the proxy's address.
        _ => None,
    };
    Ok(Some((FIXED + rest.len(), source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = (rest.len() as u16).to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    fn headers() -> Vec<(Vec<u8>, Source)> {
        let v4 = [1, 2, 3, 4, 127, 0, 0, 1, 0x12, 0x34, 0, 80];
        let v6 =
            [&Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).octets()[..], &[0; 16], &[1, 2, 3, 4]].concat();
        let long = [&v4[..], &[0xEE; 500]].concat();
        vec![
            (b"PROXY TCP4 1.2.3.4 127.0.0.1 5678 80\r\n".to_vec(), "1.2.3.4".parse().ok()),
            (b"PROXY TCP6 2001:db8::1 ::1 5678 80\r\n".to_vec(), "2001:db8::1".parse().ok()),
            (b"PROXY TCP6 ::ffff:1.2.3.4 ::1 5678 80\r\n".to_vec(), "1.2.3.4".parse().ok()),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN whatever 1 2\r\n".to_vec(), None),
            (binary(0x21, 0x11, &v4), "1.2.3.4".parse().ok()),
            (binary(0x21, 0x21, &v6), "2001:db8::1".parse().ok()),
            (binary(0x21, 0x11, &long), "1.2.3.4".parse().ok()),
            (binary(0x20, 0x11, &v4), None),
            (binary(0x20, 0x00, &[]), None),
            (binary(0x21, 0x31, &[b'/'; 216]), None),
        ]
    }

    #[test]
    fn headers_are_the_same_however_they_are_cut() {
        for (header, source) in headers() {
            let bytes = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
            for cut in 0..bytes.len() {
                let mut reader = Reader::default();
                let (used, first) = reader.read(&bytes[..cut]);
                if cut >= header.len() {
                    assert_eq!((used, first), (header.len(), Ok(Some(source))), "{header:?} {cut}");
                } else {
                    assert_eq!((used, first), (cut, Ok(None)), "{header:?} {cut}");
                    assert_eq!(reader.read(&bytes[cut..]), (header.len() - cut, Ok(Some(source))));
                }
            }
        }
    }

    #[test]
    fn what_is_no_header_is_refused_at_once() {
        let cases = [
            b"GET / HTTP/1.1\r\n".to_vec(),
            b"PROXX".to_vec(),
            b"\r\n\r\nX".to_vec(),
            b"PROXY TCP4 1.2.3.4 127.0.0.1 5678\r\n".to_vec(),
            b"PROXY TCP4 1.2.3.4  127.0.0.1 5678 80\r\n".to_vec(),
            b"PROXY TCP4 1.2.3.256 127.0.0.1 5678 80\r\n".to_vec(),
            b"PROXY TCP4 ::1 ::1 5678 80\r\n".to_vec(),
            b"PROXY TCP4 1.2.3.4 127.0.0.1 +5678 80\r\n".to_vec(),
            b"PROXY TCP4 1.2.3.4 127.0.0.1 5678 65536\r\n".to_vec(),
            b"PROXY TCP5 1.2.3.4 127.0.0.1 5678 80\r\n".to_vec(),
            [&b"PROXY UNKNOWN "[..], &[b'x'; 100]].concat(),
            b"PROXY UNKNOWN \xff\r\n".to_vec(),
            binary(0x11, 0x11, &[0; 12]),
            binary(0x22, 0x11, &[0; 12]),
            binary(0x21, 0x11, &[0; 11]),
            binary(0x21, 0x21, &[0; 35]),
            [&SIGNATURE[..], &[0x21, 0x11, 0xFF, 0xFF]].concat(),
        ];
        for bytes in cases {
            assert_eq!(Reader::default().read(&bytes), (bytes.len(), Err(Malformed)), "{bytes:?}");
        }
    }
}
