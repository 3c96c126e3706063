//! Positions: places in the order of a room's messages.

use std::fmt;
use std::str::FromStr;

/// A place in the order of one room's messages, written `epoch:offset`.
///
/// Offsets grow by one with each message. Each life of a room has its own epoch: positions of different epochs cannot be
/// compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Which life of the room; chosen at random.
    pub epoch: u32,
    /// How many messages this life has had, this one included; 0 before the first.
    pub offset: u64,
}

impl Position {
    /// The length of its text, in bytes.
    #[cfg_attr(
        not(feature = "internals"),
        allow(dead_code, reason = "only the tests have a dialect that asks")
    )]
    pub(crate) fn text_len(self) -> usize {
        let digits = self.offset.checked_ilog10().unwrap_or(0) + 1;
        "00000000:".len() + digits as usize
    }
}

/// The longest position as text, in bytes: eight digits, a colon, and the digits of the largest offset.
const LONGEST: usize = 8 + 1 + 20;

impl fmt::Display for Position {
    /// Without a formatter, from the last digit to the first, because every message has one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b':'; LONGEST];
        let mut at = LONGEST;
        let mut offset = self.offset;
        loop {
            at -= 1;
            text[at] = DIGITS[(offset % 10) as usize];
            offset /= 10;
            if offset == 0 {
                break;
            }
        }
        at -= 1;
        for shift in (0..32).step_by(4) {
            at -= 1;
            text[at] = DIGITS[(self.epoch >> shift & 0xf) as usize];
        }
        f.write_str(std::str::from_utf8(&text[at..]).map_err(|_| fmt::Error)?)
    }
}

/// The text is not a position that this server can have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAPosition;

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        let (epoch, offset) = text.split_once(':').ok_or(NotAPosition)?;
        let hex = epoch.len() == 8 && epoch.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase());
        let decimal = !offset.is_empty() && offset.bytes().all(|b| b.is_ascii_digit());
        if !hex || !decimal {
            return Err(NotAPosition);
        }
        Ok(Self {
            epoch: u32::from_str_radix(epoch, 16).map_err(|_| NotAPosition)?,
            offset: offset.parse().map_err(|_| NotAPosition)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back() {
        let position = Position { epoch: 0xbeef, offset: 18 };
        assert_eq!(position.to_string(), "0000beef:18");
        assert_eq!("0000beef:18".parse(), Ok(position));
        for (epoch, offset, text) in [
            (0, 0, "00000000:0"),
            (0x0102_0304, 10, "01020304:10"),
            (u32::MAX, u64::MAX, "ffffffff:18446744073709551615"),
        ] {
            let position = Position { epoch, offset };
            assert_eq!(position.to_string(), text);
            assert_eq!(text.parse(), Ok(position));
        }
    }

    #[test]
    fn rubbish_is_no_position() {
        for text in [
            "",
            ":",
            "0000beef",
            "beef:1",
            "0000BEEF:1",
            "0000beef:+1",
            "0000beef:-1",
            "0000beef:",
            "+000beef:1",
        ] {
            assert_eq!(text.parse::<Position>(), Err(NotAPosition), "{text}");
        }
        assert!("00000000:18446744073709551616".parse::<Position>().is_err());
    }
}
