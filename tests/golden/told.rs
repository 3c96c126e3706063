//! How answers are written down.

use super::literal;
use super::peer::Piece;
use super::player::Player;

impl Player {
    pub(crate) fn show(&mut self, name: &str, piece: Piece) {
        match piece {
            Piece::Response { bytes, is_text } => self.response(name, &bytes, is_text),
            Piece::Frame { header, payload } => self.framed(name, &header, &payload),
            Piece::Event(bytes) => bytes
                .split_inclusive(|byte| *byte == b'\n')
                .for_each(|line| self.answer(name, &literal::show(line))),
            Piece::End(rest) => {
                if !rest.is_empty() {
                    self.answer(name, &literal::show(&rest));
                }
                self.answer(name, "end");
                self.peers.retain(|(other, _)| other != name);
            }
        }
        if self.has(name) && self.peer(name).is_closing {
            self.read(name, 1);
        }
    }

    pub(crate) fn response(&mut self, name: &str, bytes: &[u8], is_text: bool) {
        let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
        let (head, body) = bytes.split_at(head);
        for line in head.split_inclusive(|byte| *byte == b'\n') {
            self.answer(name, &literal::show(line));
        }
        if is_text {
            body.split_inclusive(|byte| *byte == b'\n')
                .for_each(|line| self.answer(name, &literal::show(line)));
        } else if !body.is_empty() {
            self.answer(name, &literal::show(body));
        }
    }

    pub(crate) fn framed(&mut self, name: &str, header: &[u8], payload: &[u8]) {
        let (code, text) = match payload.split_first_chunk() {
            Some((code, reason)) if header[0] == 0x88 => (format!(" {}", u16::from_be_bytes(*code)), reason),
            _ => (String::new(), payload),
        };
        let (text, varies) = self.mask.hide(&literal::show(text));
        let header = header.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        let header = if varies { format!("{} {{length}}", &header[..2]) } else { header };
        let text = literal::shorten(text);
        let space = if text.is_empty() { "" } else { " " };
        self.write(format!("{name} < [{header}]{code}{space}{text}"));
    }

    pub(crate) fn answer(&mut self, who: &str, what: &str) {
        let (what, _) = self.mask.hide(what);
        let what = literal::shorten(what);
        let space = if what.is_empty() { "" } else { " " };
        self.write(format!("{who} <{space}{what}"));
    }

    pub(crate) fn write(&self, line: String) {
        self.written.lock().expect("nobody panics with it").push(line);
    }
}
