//! The character classes of RFC 9110 section 5.6 that more than one rule uses.

/// Whether `byte` is a `tchar`, of which methods and field names are made (RFC 9110 5.6.2).
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether `byte` may be in a field value: anything except control characters other than the tab (RFC 9110 5.5).
pub(crate) fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// Whether every `%` in `text` begins a `%` HEXDIG HEXDIG triplet (RFC 3986 2.1).
pub(crate) fn is_percent_encoded(text: &str) -> bool {
    let is_hex = |digit: Option<&u8>| digit.is_some_and(u8::is_ascii_hexdigit);
    text.split('%').skip(1).all(|after| is_hex(after.as_bytes().first()) && is_hex(after.as_bytes().get(1)))
}
