//! Requests as literal fields, and tungstenite's client as the judge of the answer.

use tungstenite::ClientHandshake;
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::HandshakeError;

use super::{Fields, Refused, Upgrade, judge, response};
use crate::ws::pipe::Pipe;

/// The request of RFC 6455 section 1.3.
const GOOD: [(&str, &str); 6] = [
    ("Host", "server.example.com"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Protocol", "chat, superchat"),
    ("Sec-WebSocket-Version", "13"),
];

/// Fields in the order of the wire.
#[derive(Clone)]
struct Asked(Vec<(String, String)>);

impl Asked {
    fn good() -> Self {
        Self(GOOD.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec())
    }

    fn parse(head: &[u8]) -> Self {
        let lines = str::from_utf8(head).unwrap().lines().skip(1);
        let fields = lines.filter_map(|line| line.split_once(": "));
        Self(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn without(mut self, name: &str) -> Self {
        self.0.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    fn judged(&self) -> Result<Upgrade, Refused> {
        judge(true, true, self, &["switchboard.v1", "chat"])
    }
}

impl Fields for Asked {
    fn field(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    fn has_token(&self, name: &str, token: &str) -> bool {
        self.values(name)
            .flat_map(|value| value.split(','))
            .any(|other| other.trim().eq_ignore_ascii_case(token))
    }

    fn count(&self, name: &str) -> usize {
        self.values(name).count()
    }
}

/// RFC 6455 section 1.3: the key and what accepts it.
#[test]
fn accepts_the_example_of_the_rfc() {
    let upgrade = Asked::good().judged().unwrap();
    assert_eq!(upgrade.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(upgrade.protocol, Some("chat"));
    let mut out = b"before".to_vec();
    response(&upgrade, &mut out);
    let expected = b"beforeHTTP/1.1 101 Switching Protocols\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
        Sec-WebSocket-Protocol: chat\r\n\r\n";
    assert_eq!(out, expected);
}

/// RFC 6455 section 4.2.2: without a subprotocol in common the field is left out.
#[test]
fn chooses_a_protocol_only_if_both_speak_it() {
    let choice = |asked: Asked| asked.judged().unwrap().protocol;
    assert_eq!(
        choice(Asked::good().with("Sec-WebSocket-Protocol", "chat, switchboard.v1")),
        Some("switchboard.v1")
    );
    assert_eq!(choice(Asked::good().with("Sec-WebSocket-Protocol", "other")), None);
    let none = Asked::good().without("Sec-WebSocket-Protocol").judged().unwrap();
    assert_eq!(none.protocol, None);
    let mut out = Vec::new();
    response(&none, &mut out);
    assert!(out.ends_with(b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
}

#[test]
fn takes_lists_and_any_case() {
    for (name, value) in [
        ("Upgrade", "WebSocket"),
        ("Upgrade", "h2c, websocket"),
        ("Connection", "keep-alive, upgrade"),
        ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
        ("Sec-WebSocket-Key", "++++////////////////zz=="),
    ] {
        assert!(Asked::good().with(name, value).judged().is_ok(), "{name}: {value}");
    }
}

/// RFC 6455 section 4.2.1, rule by rule.
#[test]
fn refuses_what_is_no_handshake() {
    let good = Asked::good;
    for (asked, refused, status) in [
        (good().without("Upgrade"), Refused::NoUpgrade, 426),
        (good().with("Upgrade", "h2c"), Refused::NoUpgrade, 426),
        (good().without("Connection"), Refused::NoConnection, 400),
        (good().with("Connection", "keep-alive"), Refused::NoConnection, 400),
        (good().without("Sec-WebSocket-Version"), Refused::NoVersion, 400),
        (good().and("Sec-WebSocket-Version", "13"), Refused::NoVersion, 400),
        (good().with("Sec-WebSocket-Version", "777"), Refused::OtherVersion, 426),
        (good().with("Sec-WebSocket-Version", "8"), Refused::OtherVersion, 426),
        (good().with("Sec-WebSocket-Version", ""), Refused::OtherVersion, 426),
        (good().without("Sec-WebSocket-Key"), Refused::Key, 400),
        (good().and("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), Refused::Key, 400),
        (good().with("Sec-WebSocket-Key", ""), Refused::Key, 400),
        (good().with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ="), Refused::Key, 400),
        (good().with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQAA"), Refused::Key, 400),
        (good().with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j=="), Refused::Key, 400),
        (good().with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZWUA=="), Refused::Key, 400),
        (good().with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j_w=="), Refused::Key, 400),
        (good().with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jé=="), Refused::Key, 400),
    ] {
        assert_eq!(asked.judged(), Err(refused), "{:?}", asked.0);
        assert_eq!(refused.status(), status);
    }
    assert_eq!(judge(false, true, &good(), &[]), Err(Refused::Method));
    assert_eq!(judge(true, false, &good(), &[]), Err(Refused::HttpVersion));
    assert_eq!((Refused::Method.status(), Refused::HttpVersion.status()), (405, 400));
}

/// RFC 6455 section 4.4 and RFC 9110 sections 15.5.6 and 15.5.22: a refusal says what would do.
#[test]
fn refusals_carry_the_fields_that_their_status_needs() {
    let has = |refused: Refused, field| refused.fields().contains(&field);
    assert!(has(Refused::OtherVersion, ("Sec-WebSocket-Version", "13")));
    assert!(has(Refused::NoUpgrade, ("Upgrade", "websocket")));
    assert!(has(Refused::Method, ("Allow", "GET")));
    assert_eq!(Refused::Key.fields(), []);
}

/// tungstenite's client checks the answer by RFC 6455 section 4.1.
#[test]
fn the_client_takes_our_answer() {
    let mut request = "ws://server.example.com/ws".into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "chat".parse().unwrap());
    let start = ClientHandshake::start(Pipe::default(), request, None).unwrap().handshake();
    let Err(HandshakeError::Interrupted(mut waiting)) = start else { panic!("the client did not wait") };
    let asked = Asked::parse(&waiting.get_ref().get_ref().from_client);
    let mut out = Vec::new();
    response(&asked.judged().unwrap(), &mut out);
    waiting.get_mut().get_mut().to_client.extend(out);
    let (_, answer) = waiting.handshake().map_err(|error| error.to_string()).unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "chat");
}
