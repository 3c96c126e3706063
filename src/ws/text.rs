//! Text that arrives in pieces, checked as it comes.

use super::violation::Violation;

/// Text that arrives in pieces, cut anywhere, even within characters.
///
/// Every byte is checked once, when it arrives. So bytes that can no longer become UTF-8 are refused before their message
/// ends (RFC 6455 section 8.1; Autobahn calls this strict).
#[derive(Debug, Default)]
pub(super) struct Text {
    whole: String,
    /// The valid beginning of the last character while some of its bytes are missing, else nothing.
    begun: [u8; 3],
    begun_len: u8,
}

impl Text {
    /// Appends `bytes`.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        let bytes = self.complete(bytes)?;
        if bytes.is_empty() {
            return Ok(());
        }
        let (whole, begun) = bytes.split_at(bytes.len() - unfinished(bytes));
        let whole = simdutf8::basic::from_utf8(whole).map_err(|_| Violation::NOT_UTF8)?;
        self.whole.push_str(whole);
        self.begin(begun)
    }

    /// The text, if all its characters are complete.
    pub(super) fn finished(&self) -> Option<&str> {
        (self.begun_len == 0).then_some(&self.whole)
    }

    /// Bytes of the text.
    pub(super) fn len(&self) -> usize {
        self.whole.len() + usize::from(self.begun_len)
    }

    /// Bytes of memory that the text takes.
    pub(super) fn capacity(&self) -> usize {
        self.whole.capacity()
    }

    /// Completes the last character with bytes from the front of `bytes`, and returns the others.
    fn complete<'a>(&mut self, mut bytes: &'a [u8]) -> Result<&'a [u8], Violation> {
        while self.begun_len > 0
            && let Some((&byte, rest)) = bytes.split_first()
        {
            bytes = rest;
            let begun = usize::from(self.begun_len);
            let mut character = [0; 4];
            character[..begun].copy_from_slice(&self.begun[..begun]);
            character[begun] = byte;
            self.begun_len = 0;
            match std::str::from_utf8(&character[..=begun]) {
                Ok(character) => self.whole.push_str(character),
                Err(_) => self.begin(&character[..=begun])?,
            }
        }
        Ok(bytes)
    }

    /// Keeps `bytes`, the beginning of a character or nothing, if more bytes can complete it.
    fn begin(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        match std::str::from_utf8(bytes) {
            Err(error) if error.error_len().is_some() => Err(Violation::NOT_UTF8),
            _ => {
                // The beginning of a character has at most three bytes, because no character has more than four.
                self.begun[..bytes.len()].copy_from_slice(bytes);
                self.begun_len = bytes.len() as u8;
                Ok(())
            }
        }
    }
}

/// How many bytes at the end of `bytes` look like the beginning of a character.
fn unfinished(bytes: &[u8]) -> usize {
    for (before, byte) in bytes.iter().rev().take(3).enumerate() {
        // RFC 3629 section 3: the leading ones of a first byte are the character's length, and one of them
        // continues it.
        let ones = byte.leading_ones() as usize;
        if ones != 1 {
            let here = before + 1;
            return if ones > here { here } else { 0 };
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `pieces` and returns after which of them the text was refused.
    fn refused_at(pieces: &[&[u8]]) -> Option<usize> {
        let mut text = Text::default();
        pieces.iter().position(|piece| text.push(piece).is_err())
    }

    #[test]
    fn text_cut_at_any_two_places_is_the_same_text() {
        let plain = "aß水🍉\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}z";
        for first in 0..=plain.len() {
            for second in first..=plain.len() {
                let mut text = Text::default();
                for piece in [0..first, first..second, second..plain.len()] {
                    text.push(&plain.as_bytes()[piece]).unwrap();
                }
                assert_eq!(text.finished(), Some(plain));
                assert_eq!(text.len(), plain.len());
            }
        }
    }

    /// RFC 3629 section 3: no surrogates, nothing above U+10FFFF, nothing longer than need be.
    #[test]
    fn refuses_at_the_first_byte_that_cannot_be_right() {
        assert_eq!(refused_at(&[b"\xf4", b"\x90", b"\x80\x80"]), Some(1));
        assert_eq!(refused_at(&[b"\xed", b"\xa0", b"\x80"]), Some(1));
        assert_eq!(refused_at(&[b"\xe0", b"\x9f"]), Some(1));
        assert_eq!(refused_at(&[b"\xf0\x9f\x8d", b"a"]), Some(1));
        assert_eq!(refused_at(&[b"ok", b"\x80"]), Some(1));
        assert_eq!(refused_at(&[b"\xc0"]), Some(0));
        assert_eq!(refused_at(&[b"\xf5"]), Some(0));
        assert_eq!(refused_at(&[b"\xff"]), Some(0));
        assert_eq!(refused_at(&[b"\xe2\x28"]), Some(0));
        assert_eq!(refused_at(&[b"aaaa\x80\x80\x80"]), Some(0));
    }

    #[test]
    fn a_character_without_its_end_is_not_finished() {
        let mut text = Text::default();
        text.push("né".as_bytes().split_last().unwrap().1).unwrap();
        assert_eq!(text.finished(), None);
        assert_eq!(text.len(), 2);
        text.push(b"").unwrap();
        assert_eq!(text.finished(), None);
    }

    /// Agrees with the standard library on every sequence of two bytes and many of four, fed whole and byte
    /// by byte.
    #[test]
    fn agrees_with_the_standard_library() {
        let edges = [
            0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4,
            0xf5,
        ];
        for a in 0..=255 {
            for b in 0..=255 {
                judge(&[a, b]);
            }
            for b in edges {
                for c in edges {
                    judge(&[a, b, c]);
                    judge(&[a, b, c, 0x80]);
                }
            }
        }
    }

    fn judge(bytes: &[u8]) {
        let mut at_once = Text::default();
        let mut one_by_one = Text::default();
        let whole = at_once.push(bytes);
        let pieces = bytes.chunks(1).try_for_each(|byte| one_by_one.push(byte));
        assert_eq!(whole, pieces, "{bytes:x?}");
        match std::str::from_utf8(bytes) {
            Ok(expected) => assert_eq!([at_once.finished(), one_by_one.finished()], [Some(expected); 2]),
            Err(error) if error.error_len().is_none() => {
                assert_eq!(whole, Ok(()), "{bytes:x?}");
                assert_eq!([at_once.finished(), one_by_one.finished()], [None; 2]);
            }
            Err(_) => assert_eq!(whole, Err(Violation::NOT_UTF8), "{bytes:x?}"),
        }
    }
}
