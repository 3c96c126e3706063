//! NATS: a room is a subject, and a member is a subscriber that also gets what it publishes itself.

use super::{Dialect, Said};
use crate::net::Net;
use crate::wire::request::{Kind, Opening};

/// Rooms as subjects. The wire's decoder gives each `MSG`'s payload, and other lines unchanged.
#[derive(Clone, Debug)]
pub(crate) struct Nats;

impl Dialect for Nats {
    fn opening(&self, _: &str) -> Opening {
        Opening::new(Kind::Nats, String::new())
    }

    fn greet(&mut self, net: &mut Net, n: usize, room: &str) -> bool {
        let words = format!("CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\nSUB {room} 1\r\nPING\r\n");
        net.send_bytes(n, |_, out| out.extend_from_slice(words.as_bytes()));
        false
    }

    fn publish(&mut self, net: &mut Net, n: usize, room: &str, payload: &[u8]) {
        net.send_bytes(n, |_, out| {
            out.extend_from_slice(format!("PUB {room} {}\r\n", payload.len()).as_bytes());
            out.extend_from_slice(payload);
            out.extend_from_slice(b"\r\n");
        });
    }

    fn read<'a>(&'a mut self, message: &'a [u8]) -> Result<Said<'a>, String> {
        // The PONG to the greeting's PING: the subscription before it has taken effect.
        Ok(if message == b"PONG" { Said::Joined } else { Said::Message(message) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pong_is_the_joining() {
        assert_eq!(Nats.read(b"PONG"), Ok(Said::Joined));
        assert_eq!(Nats.read(b"AbC"), Ok(Said::Message(b"AbC")));
    }
}
