//! Bytes as readable text, without any loss.

/// The longest line that is shown whole, in bytes.
const SHOWN: usize = 4096;

/// How much is shown of a longer one.
const BEGINNING: usize = 60;

/// Shows `bytes` on one line: printable ones as they are, the rest as escapes.
pub(crate) fn show(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\\' => shown.push_str("\\\\"),
                '\r' => shown.push_str("\\r"),
                '\n' => shown.push_str("\\n"),
                '\t' => shown.push_str("\\t"),
                letter if letter.is_control() || letter == '\u{feff}' => {
                    let mut encoded = [0; 4];
                    letter.encode_utf8(&mut encoded).bytes().for_each(|byte| hex(byte, &mut shown));
                }
                letter => shown.push(letter),
            }
        }
        chunk.invalid().iter().for_each(|byte| hex(*byte, &mut shown));
    }
    shown
}

fn hex(byte: u8, shown: &mut String) {
    shown.push_str(&format!("\\x{byte:02x}"));
}

/// The bytes that `shown` stands for. `\*3(ab)` stands for `ababab`.
#[track_caller]
pub(crate) fn bytes(shown: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::with_capacity(shown.len()), shown);
    while let Some((before, escape)) = rest.split_once('\\') {
        bytes.extend(before.bytes());
        let (kind, after) = escape.split_at(escape.chars().next().map_or(0, char::len_utf8));
        rest = after;
        match kind {
            "\\" => bytes.push(b'\\'),
            "r" => bytes.push(b'\r'),
            "n" => bytes.push(b'\n'),
            "t" => bytes.push(b'\t'),
            "x" => {
                let digits = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
                bytes.push(digits.unwrap_or_else(|| panic!("two digits after \\x in {shown:?}")));
                rest = &after[2..];
            }
            "*" => {
                let repeat = after.split_once('(').and_then(|(times, after)| {
                    let (what, after) = after.split_once(')')?;
                    Some((times.parse().ok()?, what, after))
                });
                let (times, what, after) = repeat.unwrap_or_else(|| panic!("\\*3(x) in {shown:?}"));
                bytes.extend(self::bytes(what).repeat(times));
                rest = after;
            }
            _ => panic!("an escape that there is not in {shown:?}"),
        }
    }
    bytes.extend(rest.bytes());
    bytes
}

/// `line` itself, or where it is very long its beginning, its length and a hash of the whole.
pub(crate) fn shorten(line: String) -> String {
    if line.len() <= SHOWN { line } else { brief(&line) }
}

/// The beginning of `line`, its length and a hash of the whole.
pub(crate) fn brief(line: &str) -> String {
    let beginning: String = line.chars().take(BEGINNING).collect();
    format!("{beginning}... {{{} bytes, hash {:016x}}}", line.len(), hash(line.as_bytes()))
}

/// FNV-1a, which never changes. The standard library does not promise that of its own hash.
fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn what_is_shown_reads_back() {
    let all: Vec<u8> = (0..=255).chain("é\u{feff}\u{9b}\\".bytes()).collect();
    assert_eq!(bytes(&show(&all)), all);
    assert_eq!(show(b"a\r\n\x00\xff\\"), "a\\r\\n\\x00\\xff\\\\");
    assert_eq!(bytes("a\\*3(b\\x00)c"), b"ab\0b\0b\0c");
}

#[test]
fn a_long_line_is_told_from_every_other() {
    let [one, other] = ["x", "y"].map(|end| shorten(format!("{}{end}", "x".repeat(SHOWN))));
    assert!(one.len() < 120 && one != other, "{one} {other}");
}
