//! Text for a terminal: characters that a terminal would obey, or not show, are written out.
//!
//! Names, reasons and paths come from others. A control character in one could move the cursor, colour what follows or
//! end a line of the log. A bidirectional control shows the rest of a line in another order.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a reader does not see `c` in its place: it is a control character (bidirectional ones included), a line
/// separator, or without width.
pub fn is_unseen(c: char) -> bool {
    match c {
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        // The soft hyphen, and similar characters of other scripts.
        '\u{ad}' | '\u{61c}' | '\u{180e}' => true,
        // No width, and direction marks; line separators, embeddings and overrides; joiners and isolates.
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

/// `text` with every unseen character written like `\n` or `\u{9b}`, so that it stays on one line.
pub fn line(text: &str) -> Cow<'_, str> {
    written(text, is_unseen, |out, c| out.extend(c.escape_default()))
}

/// The same for text of several lines: line breaks stay.
pub fn lines(text: &str) -> Cow<'_, str> {
    written(text, |c| is_unseen(c) && c != '\n', |out, c| out.extend(c.escape_default()))
}

/// One line that may have this program's own colours: ESC stays.
pub fn coloured(text: &str) -> Cow<'_, str> {
    written(text, |c| is_unseen(c) && c != '\x1b', |out, c| out.extend(c.escape_default()))
}

/// JSON with every unseen character in its strings written like `\u009b`, which means the same. JSON itself allows no
/// control below U+0020 in a string, and no unseen character outside of one but space.
pub fn json(text: &str) -> Cow<'_, str> {
    written(
        text,
        |c| c > '\x1f' && is_unseen(c),
        |out, c| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // A `String` takes everything.
                let _ = write!(out, "\\u{unit:04x}");
            }
        },
    )
}

fn written(text: &str, is_odd: impl Fn(char) -> bool, write: impl Fn(&mut String, char)) -> Cow<'_, str> {
    let Some(first) = text.find(&is_odd) else { return Cow::Borrowed(text) };
    let (mut out, rest) = (text[..first].to_owned(), &text[first..]);
    for c in rest.chars() {
        if is_odd(c) { write(&mut out, c) } else { out.push(c) }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_stays() {
        for text in ["", "plain", "zoë", "名前", "😀", "a\u{301}", "«quoted» \"text\" \\ here"] {
            assert!(matches!(line(text), Cow::Borrowed(same) if same == text));
            assert!(matches!(json(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn what_is_not_is_written_out() {
        assert_eq!(line("a\x1b[31m\u{9b}2J\u{202e}b\r\n"), r"a\u{1b}[31m\u{9b}2J\u{202e}b\r\n");
        assert_eq!(
            line("\u{2066}\u{200b}\u{feff}\u{e0041}\x7f\u{85}"),
            r"\u{2066}\u{200b}\u{feff}\u{e0041}\u{7f}\u{85}"
        );
        assert_eq!(lines("a\nb\u{2028}\x1b"), "a\nb\\u{2028}\\u{1b}");
        assert_eq!(coloured("\x1b[31ma\n\u{9b}"), "\x1b[31ma\\n\\u{9b}");
    }

    #[test]
    fn json_means_the_same() {
        let text = "{\"a\":\"\u{9b}\u{202e}\u{7f}\u{e0041}\\n\"}";
        let out = json(text);
        assert_eq!(out, r#"{"a":"\u009b\u202e\u007f\udb40\udc41\n"}"#);
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(text), value(&out));
        assert!(!out.contains(is_unseen));
    }
}
