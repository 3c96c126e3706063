//! The client's side of the wire: masked frames out, frames and HTTP answers in. Written apart from the server's codec,
//! so that one's mistakes are not the other's.

use super::random::Random;

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// Appends a masked frame.
pub fn frame(first: u8, payload: &[u8], random: &mut Random, out: &mut Vec<u8>) {
    out.push(first);
    match payload.len() {
        short @ 0..126 => out.push(0x80 | short as u8),
        long => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(long as u16).to_be_bytes());
        }
    }
    let mask = [random.below(256) as u8, 7, 0, random.below(256) as u8];
    out.extend_from_slice(&mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// Appends a message: mostly one frame, sometimes two with a ping between them.
pub fn message(opcode: u8, payload: &[u8], random: &mut Random, out: &mut Vec<u8>) {
    if !random.chance(10) {
        return frame(0x80 | opcode, payload, random, out);
    }
    let (head, tail) = payload.split_at(random.below(payload.len()));
    frame(opcode, head, random, out);
    if random.chance(50) {
        frame(0x80 | PING, b"?", random, out);
    }
    frame(0x80, tail, random, out);
}

/// The request that makes a WebSocket.
pub fn upgrade(target: &str) -> Vec<u8> {
    format!(
        "GET {target} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .into_bytes()
}

/// An HTTP request, with a bearer token and more fields if there are any.
pub fn request(method: &str, target: &str, token: Option<&str>, fields: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{fields}").into_bytes();
    if let Some(token) = token {
        request.extend_from_slice(format!("Authorization: Bearer {token}\r\n").as_bytes());
    }
    if !body.is_empty() {
        request.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body);
    request
}

/// A Server-Sent Event, as its lines say it.
#[derive(Debug, Default)]
pub struct Block {
    pub event: String,
    pub data: Vec<u8>,
    pub id: Option<String>,
}

/// What a server sent, cut into wholes.
#[derive(Default)]
pub struct Input {
    bytes: Vec<u8>,
}

impl Input {
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next frame: its opcode and payload.
    pub fn frame(&mut self) -> Result<Option<(u8, Vec<u8>)>, String> {
        let (length, header) = match *self.bytes {
            [_, 126, high, low, ..] => (usize::from(u16::from_be_bytes([high, low])), 4),
            [_, 127, 0, 0, 0, 0, 0, a, b, c, ..] => {
                (usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c), 10)
            }
            [_, short @ 0..126, ..] => (usize::from(short), 2),
            [_, 128..=255, ..] => return Err("a masked frame from the server".into()),
            _ => return Ok(None),
        };
        if self.bytes.len() < header + length {
            return Ok(None);
        }
        let first = self.bytes[0];
        if first & 0xF0 != 0x80 {
            return Err(format!("a frame begins with {first:#x}"));
        }
        let payload = self.bytes[header..header + length].to_vec();
        self.bytes.drain(..header + length);
        Ok(Some((first & 0xF, payload)))
    }

    /// The next HTTP answer: its status and body.
    pub fn answer(&mut self) -> Result<Option<(u16, Vec<u8>)>, String> {
        let Some(end) = self.bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
        let head = String::from_utf8_lossy(&self.bytes[..end]).to_lowercase();
        let status =
            head.get(9..12).and_then(|digits| digits.parse().ok()).ok_or("an answer without status")?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(Some(0), |digits| digits.parse().ok()).ok_or("a bad length")?;
        if self.bytes.len() < end + 4 + length {
            return Ok(None);
        }
        let body = self.bytes[end + 4..end + 4 + length].to_vec();
        self.bytes.drain(..end + 4 + length);
        Ok(Some((status, body)))
    }

    /// The next event of a stream; comments and what stands alone are passed over.
    pub fn event(&mut self) -> Result<Option<Block>, String> {
        while let Some(end) = self.bytes.windows(2).position(|bytes| bytes == b"\n\n") {
            let text: Vec<u8> = self.bytes.drain(..end + 2).collect();
            let text = String::from_utf8(text).map_err(|error| error.to_string())?;
            let (mut block, mut data) = (Block::default(), Vec::new());
            for line in text.lines() {
                match line.split_once(": ") {
                    Some(("event", name)) => block.event = name.into(),
                    Some(("data", line)) => data.push(line),
                    Some(("id", id)) => block.id = Some(id.into()),
                    Some(("retry", _)) => {}
                    _ if line.is_empty() || line == ":" => {}
                    _ => return Err(format!("a line of a stream: {line:?}")),
                }
            }
            if !data.is_empty() {
                block.data = data.join("\n").into_bytes();
                return Ok(Some(block));
            }
        }
        Ok(None)
    }
}
