//! A TCP connection as bytes, and what a server writes on it: HTTP responses and WebSocket frames.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::PATIENCE;

/// One TCP connection, on which a read that takes too long fails the test.
pub struct Wire {
    stream: TcpStream,
    /// Bytes that have come.
    come: Vec<u8>,
    /// How many of them have been used.
    taken: usize,
}

/// An HTTP response.
#[derive(Clone, Debug, Default)]
pub struct Response {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: String,
}

/// A frame of the server, which is never masked.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// FIN, the reserved bits and the opcode.
    pub first: u8,
    pub payload: Vec<u8>,
}

/// The request that begins a WebSocket at `path`.
pub fn upgrade(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// A frame of a client, masked with a key that changes every byte, so that a missing unmasking shows.
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, payload.len() as u64);
    frame.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The header of a client's frame that declares `len` bytes, in the shortest form.
pub fn header(first: u8, len: u64) -> Vec<u8> {
    let mut header = vec![first];
    match len {
        0..=125 => header.push(0x80 | len as u8),
        126..=0xffff => {
            header.push(0x80 | 126);
            header.extend((len as u16).to_be_bytes());
        }
        _ => {
            header.push(0x80 | 127);
            header.extend(len.to_be_bytes());
        }
    }
    header.extend(KEY);
    header
}

/// The payload of a close frame.
pub fn closing(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

/// The sizes of header and payload of the frame at the beginning of `come`, once they are known.
pub fn frame_header(come: &[u8]) -> Option<(usize, usize)> {
    let (&[_, second], rest) = come.split_first_chunk()?;
    assert!(second < 0x80, "a server must not mask (RFC 6455 section 5.1)");
    match second {
        126 => Some((4, usize::from(u16::from_be_bytes(*rest.first_chunk()?)))),
        127 => Some((10, u64::from_be_bytes(*rest.first_chunk()?) as usize)),
        len => Some((2, usize::from(len))),
    }
}

impl Wire {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, PATIENCE).expect("the server accepts");
        stream.set_nodelay(true).expect("the socket is open");
        stream.set_write_timeout(Some(PATIENCE)).expect("the socket is open");
        Self { stream, come: Vec::new(), taken: 0 }
    }

    /// Begins a WebSocket at `path`.
    pub fn upgraded(mut self, path: &str) -> Self {
        self.send(upgrade(path));
        let response = self.response();
        assert_eq!(response.status, 101, "{response:?}");
        self
    }

    /// The same connection again, to write from one thread and read from another.
    pub fn clone(&self) -> Self {
        let stream = self.stream.try_clone().expect("a descriptor is left");
        Self { stream, come: Vec::new(), taken: 0 }
    }

    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the server takes bytes");
    }

    /// Sends bytes that the server may refuse to take, because it has closed.
    pub fn offer(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Sends each byte in a segment of its own.
    pub fn trickle(&mut self, bytes: impl AsRef<[u8]>) {
        for byte in bytes.as_ref() {
            self.send([*byte]);
        }
    }

    /// Sends `bytes` again and again, one every few milliseconds, until the server answers or closes. Returns how long
    /// that took.
    pub fn trickle_until_answered(&mut self, bytes: &[u8]) -> Duration {
        let began = Instant::now();
        for byte in bytes.iter().cycle() {
            assert!(began.elapsed() < PATIENCE, "the server puts up with it");
            self.offer([*byte]);
            if self.come_within(Duration::from_millis(20)) {
                break;
            }
        }
        began.elapsed()
    }

    /// Ends the sending side.
    pub fn finish(&self) {
        self.stream.shutdown(Shutdown::Write).expect("the connection is open");
    }

    /// Sends a whole request and reads its answer.
    pub fn request(&mut self, method: &str, path: &str, fields: &str, body: &str) -> Response {
        self.send(format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}"));
        if method == "HEAD" { self.head() } else { self.response() }
    }

    /// Reads a response without its body.
    pub fn head(&mut self) -> Response {
        let end = self.wait_for("the end of a response's head", |come| {
            come.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
        });
        let head = String::from_utf8(self.take(end)).expect("a head is ASCII");
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
        let status = status.and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or_else(|| panic!("{head}"));
        let field = |line: &str| line.split_once(": ").map(|(name, value)| (name.into(), value.into()));
        Response { status, fields: lines.filter_map(field).collect(), body: String::new() }
    }

    /// Reads a response with the length that it declares.
    pub fn response(&mut self) -> Response {
        let mut response = self.head();
        let length = response.field("content-length").map_or(0, |length| length.parse().expect("a length"));
        self.wait_for("a response's body", |come| (come.len() >= length).then_some(()));
        response.body = String::from_utf8(self.take(length)).expect("a body is UTF-8");
        response
    }

    /// Reads a frame.
    pub fn frame(&mut self) -> Frame {
        let (size, len) = self.wait_for("a frame's header", frame_header);
        self.wait_for("a frame's payload", |come| (come.len() >= size + len).then_some(()));
        let first = self.take(size)[0];
        Frame { first, payload: self.take(len) }
    }

    /// Reads a frame, unless the connection ends before it is complete.
    pub fn frame_or_end(&mut self) -> Option<Frame> {
        let whole = |come: &[u8]| frame_header(come).is_some_and(|(size, len)| come.len() >= size + len);
        while !whole(self.come()) {
            if !self.more(PATIENCE).expect("the server says something, or ends the connection") {
                return None;
            }
        }
        Some(self.frame())
    }

    /// Reads a frame that closes the connection: its code, if it has one, and its reason.
    pub fn close(&mut self) -> (Option<u16>, String) {
        let Frame { first, payload } = self.frame();
        assert_eq!(first, 0x88, "a close frame; payload {:?}", String::from_utf8_lossy(&payload));
        match payload.split_first_chunk() {
            Some((code, reason)) => {
                let reason = String::from_utf8(reason.to_vec()).expect("a reason is UTF-8");
                (Some(u16::from_be_bytes(*code)), reason)
            }
            None => (None, String::new()),
        }
    }

    /// Reads a line, without its end.
    pub fn line(&mut self) -> String {
        let end = self.wait_for("the end of a line", |come| come.iter().position(|byte| *byte == b'\n'));
        let line = self.take(end + 1);
        String::from_utf8_lossy(&line[..end]).trim_end_matches('\r').into()
    }

    /// Reads until the server finishes or resets; returns what came.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.more(PATIENCE).expect("the server ends the connection") {}
        self.take(self.come().len())
    }

    /// Reads as many bytes as `size` finds at the front of the input; `None` if the connection ends before.
    pub fn bytes(&mut self, size: impl Fn(&[u8]) -> Option<usize>) -> Option<Vec<u8>> {
        loop {
            if let Some(size) = size(self.come()) {
                return Some(self.take(size));
            }
            if !self.more(PATIENCE).expect("the server says something, or ends the connection") {
                return None;
            }
        }
    }

    /// Asserts that the server ends the connection without another byte.
    #[track_caller]
    pub fn ends(&mut self) {
        let rest = self.rest();
        assert!(rest.is_empty(), "{:?}", String::from_utf8_lossy(&rest));
    }

    /// Whether a byte or the end comes before `time` has passed.
    fn come_within(&mut self, time: Duration) -> bool {
        !self.come().is_empty() || self.more(time).is_some()
    }

    /// Reads once. Returns whether there may be more, or `None` if nothing came in `time`.
    fn more(&mut self, time: Duration) -> Option<bool> {
        self.stream.set_read_timeout(Some(time)).expect("the socket is open");
        self.come.drain(..std::mem::take(&mut self.taken));
        let mut piece = [0; 64 * 1024];
        match self.stream.read(&mut piece) {
            Ok(0) => Some(false),
            Ok(n) => {
                self.come.extend_from_slice(&piece[..n]);
                Some(true)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Some(false),
            Err(error) => panic!("{error}"),
        }
    }

    #[track_caller]
    fn wait_for<T>(&mut self, what: &str, found: impl Fn(&[u8]) -> Option<T>) -> T {
        loop {
            if let Some(found) = found(self.come()) {
                return found;
            }
            let more = self.more(PATIENCE);
            if more != Some(true) {
                let how = if more.is_some() { "the connection ended before" } else { "there is no sign of" };
                panic!("{how} {what}; so far {:?}", String::from_utf8_lossy(self.come()));
            }
        }
    }

    fn come(&self) -> &[u8] {
        &self.come[self.taken..]
    }

    fn take(&mut self, len: usize) -> Vec<u8> {
        let bytes = self.come()[..len].to_vec();
        self.taken += len;
        bytes
    }
}

impl Response {
    /// The value of the first field called `name`, in lower case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.field("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The `code` of an error's body, whose shape is checked.
    #[track_caller]
    pub fn code(&self) -> String {
        let body = self.json();
        let error = body["error"].as_object().unwrap_or_else(|| panic!("no error in {self:?}"));
        assert_eq!(body.as_object().map(|body| body.len()), Some(1), "{self:?}");
        assert_eq!(error.keys().collect::<Vec<_>>(), ["code", "message"], "{self:?}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{self:?}");
        error["code"].as_str().expect("a code is a string").to_owned()
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = String::from_utf8_lossy(&self.payload[..self.payload.len().min(200)]);
        write!(f, "{:#04x}, {} bytes {shown:?}", self.first, self.payload.len())
    }
}
