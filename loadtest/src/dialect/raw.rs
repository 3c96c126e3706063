//! The raw dialect: the path names the room, and every message is a payload.

use super::{Dialect, Said, fill};
use crate::net::Net;
use crate::wire::request::{Kind, Opening};

/// Rooms by a path template such as `/raw/{room}?echo=1`.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    template: String,
    text: bool,
}

impl Raw {
    pub(crate) fn new(template: &str, text: bool) -> Raw {
        Raw { template: template.to_owned(), text }
    }
}

impl Dialect for Raw {
    fn opening(&self, room: &str) -> Opening {
        Opening::new(Kind::WebSocket { protocol: None }, fill(&self.template, room))
    }

    fn greet(&mut self, _: &mut Net, _: usize, _: &str) -> bool {
        true
    }

    fn publish(&mut self, net: &mut Net, n: usize, _: &str, payload: &[u8]) {
        net.send(n, self.text, payload);
    }

    fn read<'a>(&'a mut self, message: &'a [u8]) -> Result<Said<'a>, String> {
        Ok(Said::Message(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_names_its_room() {
        assert_eq!(Raw::new("/raw/{room}?echo=1", false).opening("r7").target, "/raw/r7?echo=1");
        assert_eq!(Raw::new("/echo", false).opening("r7").target, "/echo");
    }
}
