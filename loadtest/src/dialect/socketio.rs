//! Socket.IO over its WebSocket transport: Engine.IO's packet type as a digit in front, then JSON.

use super::{Dialect, Said, fill};
use crate::net::Net;
use crate::wire::request::{Kind, Opening};

/// `4`: an Engine.IO message; `2`: a Socket.IO event in it. Its JSON is an array that begins with the name.
const MESSAGE: &[u8] = b"42[\"message\",\"";

const JOINED: &[u8] = b"42[\"joined\"";

/// Rooms of a Socket.IO server that joins the room of the query and says `joined`.
#[derive(Clone, Debug)]
pub(crate) struct SocketIo {
    template: String,
    packet: Vec<u8>,
}

impl SocketIo {
    pub(crate) fn new(template: &str) -> SocketIo {
        SocketIo { template: template.to_owned(), packet: Vec::new() }
    }
}

impl Dialect for SocketIo {
    fn opening(&self, room: &str) -> Opening {
        Opening::new(Kind::WebSocket { protocol: None }, fill(&self.template, room))
    }

    fn greet(&mut self, net: &mut Net, n: usize, _: &str) -> bool {
        // Connects to the default namespace.
        net.send(n, true, b"40");
        false
    }

    fn publish(&mut self, net: &mut Net, n: usize, _: &str, payload: &[u8]) {
        self.packet.clear();
        self.packet.extend_from_slice(MESSAGE);
        self.packet.extend_from_slice(payload);
        self.packet.extend_from_slice(b"\"]");
        net.send(n, true, &self.packet);
    }

    fn read<'a>(&'a mut self, message: &'a [u8]) -> Result<Said<'a>, String> {
        if let Some(payload) = message.strip_prefix(MESSAGE) {
            let payload = payload.strip_suffix(b"\"]").ok_or("an event that is not one string")?;
            return Ok(Said::Message(payload));
        }
        match message {
            message if message.starts_with(JOINED) => Ok(Said::Joined),
            [b'0' | b'2', ..] | [b'4', b'0', ..] => Ok(Said::Nothing),
            message => Err(format!("not a packet of a room: {}", String::from_utf8_lossy(message))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets() {
        let mut dialect = SocketIo::new("/socket.io/?EIO=4&transport=websocket&room={room}");
        assert_eq!(dialect.read(b"0{\"sid\":\"x\"}"), Ok(Said::Nothing));
        assert_eq!(dialect.read(b"40{\"sid\":\"y\"}"), Ok(Said::Nothing));
        assert_eq!(dialect.read(b"42[\"joined\"]"), Ok(Said::Joined));
        assert_eq!(dialect.read(b"42[\"message\",\"AbC\"]"), Ok(Said::Message(b"AbC")));
        assert!(dialect.read(b"44{\"message\":\"no\"}").is_err());
        assert_eq!(dialect.opening("a").target, "/socket.io/?EIO=4&transport=websocket&room=a");
    }
}
