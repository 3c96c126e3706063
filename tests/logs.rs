//! What is logged: one line for the end of each connection, and never a token or a key.

mod harness;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Stdio};

use harness::{PATIENCE, program};
use rustix::process::{Pid, Signal, kill_process};

/// A token of alice, signed with [`SECRET`], that ends in the year 2100.
fn token() -> String {
    let claims = serde_json::json!({"sub": "alice", "exp": 4_102_444_800u64});
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap()
}

const SECRET: &str = "a-secret-of-more-than-thirty-two-bytes";
const API_KEY: &str = "the-key-of-the-app-that-nobody-may-read";
const WRONG: &str = "what-somebody-tried-as-a-key";

/// Sends to the server and reads its answer for a moment, or to the end.
fn speak(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    // The server ends the connection when the client asks for a close.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn websocket(target: &str, fields: &str, text: Option<&str>) -> Vec<u8> {
    let head = format!(
        "GET {target} HTTP/1.1\r\nHost: a\r\nOrigin: https://example.com\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         {fields}\r\n"
    );
    let text = text.map(|text| harness::wire::masked(0x81, text.as_bytes())).unwrap_or_default();
    let close = harness::wire::masked(0x88, &harness::wire::closing(1000, ""));
    [head.into_bytes(), text, close].concat()
}

/// A server that logs `level` in `format`, its log so far, and its address.
struct Running {
    child: Child,
    output: ChildStderr,
    log: String,
    address: String,
}

impl Running {
    fn start(level: &str, format: &str, variables: &[(&str, &str)]) -> Self {
        let mut child = program()
            .args(["--listen", "127.0.0.1:0", "--shards", "1", "--log", level, "--log-format", format])
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stderr.take().unwrap();
        let mut running = Self { child, output, log: String::new(), address: String::new() };
        running.address = running.listens();
        running
    }

    /// Reads to the line that says where it listens.
    fn listens(&mut self) -> String {
        let mut buffer = [0; 4096];
        loop {
            let read = self.output.read(&mut buffer).unwrap();
            assert!(read > 0, "it does not start: {}", self.log);
            self.log.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
            let said = self.log.split("listens on http://").nth(1);
            if let Some((address, _)) = said.and_then(|rest| rest.split_once(['\n', '"', ' '])) {
                return address.to_owned();
            }
        }
    }

    /// Lets it drain, and returns its whole log.
    fn stop(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.output.read_to_string(&mut self.log).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        std::mem::take(&mut self.log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // For a failed test; otherwise it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The log in `format` of a server that logs everything and gets tokens and keys in every way.
fn log(format: &str) -> String {
    let variables = [
        ("SWITCHBOARD_AUTH__SECRET", SECRET),
        ("SWITCHBOARD_AUTH__COOKIE", "session"),
        ("SWITCHBOARD_ORIGINS__ALLOW", "https://example.com"),
        ("SWITCHBOARD_API__KEY", API_KEY),
    ];
    let running = Running::start("trace", format, &variables);
    let address = &running.address;
    let good = token();
    let bad = format!("{good}x");
    for token in [&good, &bad] {
        let auth = format!(r#"{{"type":"auth","token":"{token}"}}"#);
        speak(address, &websocket(&format!("/ws?token={token}"), "", None));
        speak(address, &websocket("/ws", &format!("Authorization: Bearer {token}\r\n"), None));
        speak(address, &websocket("/ws", &format!("Cookie: session={token}\r\n"), None));
        speak(address, &websocket("/ws", "", Some(&auth)));
        // Neither JSON nor a request, and not HTTP.
        speak(address, &websocket("/ws", "", Some(&auth[1..])));
        speak(address, format!("GET /ws?token={token}\r\n\r\n").as_bytes());
        let post = format!(
            "POST /sse/none?token={token} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
        );
        speak(address, post.as_bytes());
    }
    for key in [API_KEY, WRONG] {
        let call = format!(
            "GET /api/rooms HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\r\n"
        );
        let answer = speak(address, call.as_bytes());
        assert_eq!(answer.starts_with("HTTP/1.1 200"), key == API_KEY, "{answer}");
    }
    running.stop()
}

fn assert_nothing_secret(log: &str) {
    let token = token();
    let (_, signature) = token.rsplit_once('.').unwrap();
    let claims = token.split('.').nth(1).unwrap();
    for secret in [SECRET, API_KEY, WRONG, signature, claims] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[test]
fn tokens_and_keys_are_never_logged() {
    let log = log("text");
    assert_nothing_secret(&log);
    // Each of the ten handshakes that became a WebSocket, with a good token or a bad one, has its line at the end.
    assert_eq!(log.matches("connection closed").count(), 10, "{log}");
    assert!(log.contains("draining") && log.contains("stopped"), "{log}");
    assert!(log.contains(r#"user="alice""#) && log.contains("invalid token"), "{log}");
}

#[test]
fn every_line_for_machines_is_json() {
    let log = log("json");
    assert_nothing_secret(&log);
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    let ends: Vec<_> = lines.iter().filter(|line| line["message"] == "connection closed").collect();
    assert_eq!(ends.len(), 10, "{log}");
    assert!(ends.iter().all(|line| line["code"].is_u64() && line["level"] == "DEBUG"), "{log}");
    assert!(lines.iter().any(|line| line["message"] == "stopped"), "{log}");
}

/// At the usual level the log says why access is denied, and nobody can fill the log that way.
#[test]
fn who_is_turned_away_is_found_at_the_usual_level() {
    let variables = [
        ("SWITCHBOARD_AUTH__SECRET", SECRET),
        ("SWITCHBOARD_ORIGINS__ALLOW", "https://example.com"),
        ("SWITCHBOARD_API__KEY", API_KEY),
    ];
    let running = Running::start("info", "json", &variables);
    let address = running.address.clone();
    let sign = |claims: serde_json::Value| {
        let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap()
    };
    let expired = sign(serde_json::json!({"sub": "alice", "exp": 1}));
    let nobody = sign(serde_json::json!({"sub": 1}));
    let call = |fields: &str| {
        format!("GET /api/rooms HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n").into_bytes()
    };
    let evil = format!("Origin: https://evil.example/{}\r\n", "x".repeat(1_000));
    for _ in 0..20 {
        speak(&address, &websocket(&format!("/ws?token={expired}"), "", None));
        speak(&address, &websocket("/ws", "", Some(&format!(r#"{{"type":"auth","token":"{nobody}"}}"#))));
        speak(&address, &call(&format!("Authorization: Bearer {WRONG}\r\n")));
        speak(&address, &call(""));
        speak(&address, &call(&evil));
    }
    let metrics = speak(
        &address,
        format!(
            "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {API_KEY}\r\n\r\n"
        )
        .as_bytes(),
    );
    let log = running.stop();
    assert_nothing_secret(&log);
    assert!(!log.contains(&expired) && !log.contains(&nobody) && !log.contains(&"x".repeat(101)), "{log}");
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (reason, words) in [
        ("expired", "the token has expired"),
        ("claims", "a claim of the token has the wrong type"),
        ("api_key", "this server does not have the API key"),
        ("no_api_key", "no API key was sent"),
        ("origin", "the page is not in origins.allow"),
    ] {
        let told: Vec<_> = lines.iter().filter(|line| line["reason"] == reason).collect();
        // One at once, and another only if the machine took longer than ten seconds for all this.
        assert!((1..=5).contains(&told.len()), "{reason}: {log}");
        let told = told[0];
        assert!(told["message"].as_str().unwrap().contains(words), "{told}");
        assert_eq!((&told["address"], &told["level"]), (&"127.0.0.1".into(), &"INFO".into()), "{told}");
        let counted = format!("switchboard_denied_total{{reason=\"{reason}\"}} 20\n");
        assert!(metrics.contains(&counted), "{reason}: {metrics}");
    }
}

/// At the usual level nothing else that a peer does makes a line.
#[test]
fn peers_cannot_fill_the_log() {
    let running = Running::start("info", "text", &[]);
    for target in ["/ws?user=", "/nowhere", "/ws/a%20b"] {
        let answer = format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert!(speak(&running.address, answer.as_bytes()).starts_with("HTTP/1.1 4"), "{target}");
    }
    for _ in 0..20 {
        speak(&running.address, &websocket("/ws", "", Some("{}")));
    }
    speak(&running.address, b"\x16\x03\x01");
    let log = running.stop();
    let lines = log.lines().filter(|line| line.contains("INFO") || line.contains("WARN"));
    // The WebSocket's page is not one of this machine, and the log says so once.
    let (away, lines): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.contains("access denied"));
    assert!((1..=3).contains(&away.len()), "{log}");
    assert!(lines.len() == 2 && lines[0].contains("draining") && lines[1].contains("stopped"), "{log}");
    // The last connection may or may not be reaped by then.
    assert!(lines[0].contains("connections=0") || lines[0].contains("connections=1"), "{log}");
}
