//! The header fields of a request.

use crate::http::pairs::Pairs;

/// The header fields of a request in their order. Names are compared without regard to case (RFC 9110 5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    pairs: Pairs,
}

impl Fields {
    /// Copies the fields that the parser found in a head of `bytes` bytes.
    ///
    /// A value may hold bytes that are not UTF-8 (`obs-text`, RFC 9110 5.5), and old clients send such cookies. Each such
    /// byte is replaced by U+FFFD, so that the request is served and the value does not match anything by mistake.
    pub(crate) fn copy(parsed: &[httparse::Header<'_>], bytes: usize) -> Self {
        let mut pairs = Pairs::with_capacity(parsed.len(), bytes);
        for field in parsed {
            pairs.push(field.name, &String::from_utf8_lossy(field.value));
        }
        Self { pairs }
    }

    /// Bytes of memory that they hold.
    pub(crate) fn held(&self) -> usize {
        self.pairs.held()
    }

    /// Names and values in their order.
    #[cfg(feature = "internals")]
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter()
    }

    /// The value of the first field called `name`.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The values of all fields called `name`.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs.all(name)
    }

    /// The members of the comma-separated list that all fields called `name` make together, without empty ones (RFC 9110
    /// 5.6.1).
    pub fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.all(name)
            .flat_map(|value| value.split(','))
            .map(|member| member.trim_matches([' ', '\t']))
            .filter(|member| !member.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(given: &[(&'static str, &'static [u8])]) -> Fields {
        let parsed: Vec<_> = given.iter().map(|&(name, value)| httparse::Header { name, value }).collect();
        Fields::copy(&parsed, 0)
    }

    #[test]
    fn names_ignore_case_and_first_is_first() {
        let fields = fields(&[("Accept", b"a"), ("ACCEPT", b"b"), ("Accept-X", b"c")]);
        assert_eq!(fields.first("accept"), Some("a"));
        assert_eq!(fields.all("aCCept").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(fields.first("Accep"), None);
    }

    #[test]
    fn a_list_spans_fields_and_skips_empty_members() {
        let fields = fields(&[("P", b"a, b,,"), ("X", b"x"), ("p", b"\tc d \t,"), ("p", b"")]);
        assert_eq!(fields.list("P").collect::<Vec<_>>(), ["a", "b", "c d"]);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced() {
        assert_eq!(fields(&[("Cookie", b"a=\xfcb")]).first("cookie"), Some("a=\u{fffd}b"));
        assert_eq!(fields(&[("Cookie", "a=ü".as_bytes())]).first("cookie"), Some("a=ü"));
    }
}
