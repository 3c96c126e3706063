//! The client's side of the NATS protocol: lines, and a payload after each `MSG`.

use super::{Heard, WireError};

/// A control line is not longer.
const LINE: usize = 4 * 1024;

/// The first item in `input`: `INFO` opens the connection, `MSG` is a message, and `PONG` is passed on unchanged. `None`
/// while it is not complete.
pub(crate) fn step(input: &[u8]) -> Result<Option<(usize, Option<Heard<'_>>)>, WireError> {
    let Some(end) = input.windows(2).take(LINE * 16).position(|pair| pair == b"\r\n") else {
        return if input.len() > LINE * 16 { Err(WireError::Body("an endless line")) } else { Ok(None) };
    };
    let (line, start) = (&input[..end], end + 2);
    let word = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    match word {
        b"INFO" => Ok(Some((start, Some(Heard::Opened)))),
        b"PONG" => Ok(Some((start, Some(Heard::Message { text: true, payload: line })))),
        b"PING" | b"+OK" => Ok(Some((start, None))),
        b"MSG" => message(input, line, start),
        _ => Err(WireError::Body("a line that no subscriber expects")),
    }
}

/// `MSG subject sid [reply] length`, then that many bytes and a line end.
fn message<'a>(
    input: &'a [u8],
    line: &[u8],
    start: usize,
) -> Result<Option<(usize, Option<Heard<'a>>)>, WireError> {
    let length = line.rsplit(|byte| *byte == b' ').next().and_then(|text| std::str::from_utf8(text).ok());
    let length: usize = length.and_then(|text| text.parse().ok()).ok_or(WireError::Body("a bad length"))?;
    let end = start.saturating_add(length);
    let Some(rest) = input.get(end..end.saturating_add(2)) else { return Ok(None) };
    if rest != b"\r\n" {
        return Err(WireError::Body("a payload without its line end"));
    }
    Ok(Some((end + 2, Some(Heard::Message { text: false, payload: &input[start..end] }))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TALK: &[u8] = b"INFO {\"a\":1}\r\nPONG\r\nPING\r\nMSG room 1 5\r\nab\r\nc\r\n+OK\r\n";

    #[test]
    fn a_talk_cut_at_every_point() {
        let expected = [
            Heard::Opened,
            Heard::Message { text: true, payload: b"PONG" },
            Heard::Message { text: false, payload: b"ab\r\nc" },
        ];
        for cut in 0..=TALK.len() {
            let (mut tail, mut heard) = (Vec::new(), Vec::new());
            for piece in [&TALK[..cut], &TALK[cut..]] {
                tail.extend_from_slice(piece);
                while let Some((used, said)) = step(&tail).expect("a good talk") {
                    heard.extend(said.map(|said| format!("{said:?}")));
                    tail.drain(..used);
                }
            }
            assert_eq!(heard, expected.clone().map(|said| format!("{said:?}")), "cut at {cut}");
        }
    }

    #[test]
    fn what_no_server_says() {
        assert!(step(b"-ERR 'no'\r\n").is_err());
        assert!(step(b"MSG room 1 x\r\n").is_err());
        assert!(step(b"MSG room 1 1\r\nabc\r\n").is_err());
    }
}
