//! A running server with a configuration of its own, and a client that hears whatever comes.

#![allow(dead_code, unreachable_pub, reason = "each test program compiles this anew and uses a part of it")]

#[path = "../built/mod.rs"]
mod built;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// What tokens are signed with here.
pub const SECRET: &str = "a secret of more than thirty-two bytes";
/// A configuration with a key for each side.
pub const KEYS: &str = "[auth]\nsecret = \"a secret of more than thirty-two bytes\"\n[api]\nkey = \"app\"\n";

/// Longer than anything here takes; only a test that fails waits for it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running server; killed when dropped.
pub struct Relay {
    pub child: Child,
    address: String,
}

impl Relay {
    /// Starts one with `config`. `name` is the test's, so that no two write the same file.
    pub fn start(name: &str, config: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("admission-{name}.toml"));
        std::fs::write(&path, config).unwrap();
        let mut child = Command::new(built::path())
            .args(["--config", path.to_str().unwrap(), "--listen", "127.0.0.1:0", "--shards", "2"])
            .env_clear()
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready = lines.find_map(|line| Some(line.unwrap().split_once("listens on http://")?.1.to_owned()));
        let address = ready.expect("it starts");
        // Somebody has to read what it logs.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Asks for a WebSocket with these further header lines.
    pub fn ws(&self, target: &str, fields: &str) -> Ws {
        Ws::open(self.connect(), target, fields)
    }

    /// The answer to a whole HTTP request: its status, head and body.
    pub fn http(&self, method: &str, target: &str, fields: &str, body: &str) -> (u16, String, Value) {
        let mut stream = self.connect();
        let length = body.len();
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n{body}"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect("a whole answer");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_ascii_lowercase(), serde_json::from_str(body).unwrap_or(Value::Null))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came instead of, or on, a WebSocket.
#[derive(Debug, PartialEq)]
pub enum Got {
    Json(Value),
    Text(Vec<u8>),
    Close(u16, String),
    End,
}

/// A WebSocket, or what was answered instead.
pub struct Ws {
    stream: BufReader<TcpStream>,
    pub status: u16,
}

impl Ws {
    pub fn open(mut stream: TcpStream, target: &str, fields: &str) -> Self {
        write!(
            stream,
            "GET {target} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{fields}\r\n"
        )
        .unwrap();
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        while line.trim_end() != "" {
            line.clear();
            stream.read_line(&mut line).unwrap();
        }
        Self { stream, status }
    }

    pub fn frame(&mut self, opcode: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            length @ ..126 => frame.push(0x80 | length as u8),
            length => frame.extend([&[0x80 | 126], &(length as u16).to_be_bytes()[..]].concat()),
        }
        // A mask of zeros leaves the payload as it is.
        frame.extend([0; 4]);
        frame.extend(payload);
        self.stream.get_mut().write_all(&frame).unwrap();
    }

    pub fn say(&mut self, request: Value) {
        self.frame(1, request.to_string().as_bytes());
    }

    pub fn hear(&mut self) -> Got {
        let mut head = [0; 2];
        if self.stream.read_exact(&mut head).is_err() {
            return Got::End;
        }
        let mut length = usize::from(head[1]);
        if length == 126 {
            let mut long = [0; 2];
            self.stream.read_exact(&mut long).unwrap();
            length = usize::from(u16::from_be_bytes(long));
        }
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).unwrap();
        match head[0] & 0x0F {
            8 => Got::Close(
                u16::from_be_bytes([payload[0], payload[1]]),
                String::from_utf8(payload[2..].to_vec()).unwrap(),
            ),
            9 => self.hear(),
            _ => serde_json::from_slice(&payload).map_or(Got::Text(payload), Got::Json),
        }
    }

    /// The next message, which must be of `kind`.
    #[track_caller]
    pub fn expect(&mut self, kind: &str) -> Value {
        match self.hear() {
            Got::Json(value) if value["type"] == kind => value,
            other => panic!("{kind} is expected, not {other:?}"),
        }
    }

    #[track_caller]
    pub fn expect_close(&mut self, reason: &str) {
        assert_eq!(self.hear(), Got::Close(1008, reason.to_owned()));
    }

    /// What becomes of the connection, in a word: whose it is, or why it is not.
    pub fn outcome(&mut self) -> String {
        match self.hear() {
            Got::Json(value) if value["type"] == "welcome" => match &value["user"] {
                Value::String(user) => user.clone(),
                _ => "nobody yet".to_owned(),
            },
            Got::Close(1008, reason) => reason,
            other => format!("{other:?}"),
        }
    }
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub fn sign(claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(SECRET.as_bytes()))
        .unwrap()
}

pub fn token(user: &str) -> String {
    sign(&json!({"sub": user, "exp": now() + 600}))
}
