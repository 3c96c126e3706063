//! Finds the token in a request.

use crate::http::Head;

/// The byte order mark that some editors put in front of UTF-8.
pub(super) const BOM: &[u8] = "\u{feff}".as_bytes();

/// A token without blanks, line breaks, a byte order mark or quotation marks around it. These are never part of a token.
pub fn bare(token: &str) -> &str {
    let is_blank = |c: char| c.is_whitespace() || c == '\u{feff}';
    let token = token.trim_matches(is_blank);
    let quoted = token.strip_prefix('"').and_then(|inner| inner.strip_suffix('"'));
    quoted.map_or(token, |inner| inner.trim_matches(is_blank))
}

/// The token that decides: the first of the query, `Authorization` and the cookie called `cookie`. If that one is not valid,
/// the others are not tried.
pub fn token<'a>(head: &'a Head, cookie: Option<&str>) -> Option<&'a str> {
    let query = head.target.query("token");
    query.or_else(|| bearer(head)).or_else(|| cookie.and_then(|name| cookie_value(head, name)))
}

/// The credentials of `Authorization: Bearer` (RFC 6750 section 2.1). Other schemes are ignored.
///
/// Two such fields are ignored, because a proxy in front may have checked the other one (RFC 9110 section 5.3: only lists may
/// be repeated).
pub fn bearer(head: &Head) -> Option<&str> {
    let mut fields = head.fields("authorization");
    let field = fields.next()?;
    if fields.next().is_some() {
        return Some("");
    }
    let (scheme, credentials) = field.split_once(' ').unwrap_or((field, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| credentials.trim_matches(' '))
}

/// The value of the first cookie of that name (RFC 6265 section 4.2.1), without the quotes that it may have.
fn cookie_value<'a>(head: &'a Head, name: &str) -> Option<&'a str> {
    let pairs = head.fields("cookie").flat_map(|field| field.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='));
    let (_, value) = named.find(|(own, _)| *own == name)?;
    Some(value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Limits, Reader, Step};

    fn head(target: &str, fields: &str) -> Head {
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let limits = Limits { header: 8192, headers: 64, body: 0 };
        match Reader::new().read(bytes.as_bytes(), &limits) {
            (_, Ok(Step::Head(head))) => head,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_stands_around_a_token_is_no_part_of_it() {
        for text in
            ["a.b.c", " a.b.c\r\n", "\u{feff}a.b.c", "\"a.b.c\"", " \"a.b.c\n\"\t", "\u{feff}\"a.b.c\"\n"]
        {
            assert_eq!(bare(text), "a.b.c", "{text:?}");
        }
        for text in ["a. b.c", "\"a.b.c", "\"\"a.b.c\"\"", "'a.b.c'"] {
            assert_ne!(bare(text), "a.b.c", "{text:?}");
        }
        assert_eq!([bare(""), bare("\""), bare("\"\"")], ["", "\"", ""]);
    }

    #[test]
    fn the_first_of_query_header_and_cookie_decides() {
        let all = "Authorization: Bearer h\r\nCookie: x=1; t=\"c\"\r\n";
        let cases = [
            ("/ws?token=q", all, Some("q")),
            ("/ws?token=", all, Some("")),
            ("/ws", all, Some("h")),
            ("/ws", "Authorization: bEARER  h\r\n", Some("h")),
            ("/ws", "Authorization: Basic h\r\nCookie: t=c\r\n", Some("c")),
            ("/ws", "Authorization: Bearer\r\n", Some("")),
            ("/ws", "Authorization: Bearer h\r\nAuthorization: Bearer i\r\nCookie: t=c\r\n", Some("")),
            ("/ws", "Authorization: Basic h\r\nAuthorization: Bearer i\r\n", Some("")),
            ("/ws", "Cookie: tt=1;t=c; t=d\r\n", Some("c")),
            ("/ws", "Cookie: x=1\r\nCookie: t=c\r\n", Some("c")),
            ("/ws", "Cookie: x=1\r\n", None),
        ];
        for (target, fields, expected) in cases {
            assert_eq!(token(&head(target, fields), Some("t")), expected, "{target} {fields}");
        }
        assert_eq!(token(&head("/ws", "Cookie: t=c\r\n"), None), None);
    }
}
