//! The requests that the load test sends.

use std::fmt::Write;

use tungstenite::handshake::derive_accept_key;

/// The kind of a connection, which decides its first request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A WebSocket, with the subprotocol to offer.
    WebSocket { protocol: Option<&'static str> },
    /// HTTP with keep-alive: nothing is sent until the scenario does.
    Http,
    /// A Server-Sent Events stream.
    EventStream,
    /// NATS, where the server speaks first.
    Nats,
}

/// How to open one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) kind: Kind,
    /// The request's target: path and query.
    pub(crate) target: String,
    /// Further header lines, each with its CRLF.
    pub(crate) headers: String,
}

impl Opening {
    pub(crate) fn new(kind: Kind, target: String) -> Opening {
        Opening { kind, target, headers: String::new() }
    }

    /// The first bytes to send, and the accept key to expect (RFC 6455 section 4.1) of a WebSocket.
    pub(crate) fn first_bytes(&self, host: &str, nonce: [u8; 16]) -> (String, String) {
        let Opening { target, headers, .. } = self;
        match &self.kind {
            Kind::Http | Kind::Nats => (String::new(), String::new()),
            Kind::EventStream => {
                let accept = "Accept: text/event-stream";
                (format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{accept}\r\n{headers}\r\n"), String::new())
            }
            Kind::WebSocket { protocol } => {
                let key = base64(nonce);
                let mut request = format!(
                    "GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{headers}"
                );
                if let Some(protocol) = protocol {
                    write!(request, "Sec-WebSocket-Protocol: {protocol}\r\n").expect("a string takes all");
                }
                request.push_str("\r\n");
                (request, derive_accept_key(key.as_bytes()))
            }
        }
    }
}

/// Appends `POST target` with a JSON body.
pub(crate) fn post(target: &str, host: &str, headers: &str, body: &[u8], out: &mut Vec<u8>) {
    let length = body.len();
    out.extend_from_slice(
        format!(
            "POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\n\r\n"
        )
        .as_bytes(),
    );
    out.extend_from_slice(body);
}

/// The 24 characters of sixteen bytes in base 64 (RFC 4648 section 4).
fn base64(bytes: [u8; 16]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u128::from_be_bytes(bytes);
    // Twenty-one characters of six bits, and a last one that holds two.
    let mut text: String =
        (0..21).map(|at| char::from(ALPHABET[(bits >> (122 - 6 * at)) as usize & 63])).collect();
    text.push(char::from(ALPHABET[(bits << 4) as usize & 63]));
    text.push_str("==");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_rfc_6455_section_1_3() {
        assert_eq!(base64(*b"the sample nonce"), "dGhlIHNhbXBsZSBub25jZQ==");
        let opening = Opening::new(Kind::WebSocket { protocol: Some("switchboard.v1") }, "/ws".to_owned());
        let (request, accept) = opening.first_bytes("h:1", *b"the sample nonce");
        assert!(request.starts_with("GET /ws HTTP/1.1\r\nHost: h:1\r\nUpgrade: websocket\r\n"));
        assert!(request.contains("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
        assert!(request.ends_with("Sec-WebSocket-Protocol: switchboard.v1\r\n\r\n"));
        assert_eq!(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_post_says_how_long_it_is() {
        let mut out = Vec::new();
        post("/p", "h", "X: y\r\n", b"{}", &mut out);
        let text = String::from_utf8(out).expect("text");
        assert!(text.starts_with("POST /p HTTP/1.1\r\nHost: h\r\n"));
        assert!(text.ends_with("X: y\r\nContent-Length: 2\r\n\r\n{}"));
    }
}
