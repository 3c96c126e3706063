//! The target of a request: the path and query of its request line.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;

use crate::http::authority::is_authority;
use crate::http::head::Method;
use crate::http::pairs::Pairs;
use crate::http::parts::Parts;
use crate::http::refusal::Refusal;
use crate::http::syntax::is_percent_encoded;

/// Segments that a path may have, and pairs that a query may have. The largest need is a join of 128 rooms in one query.
/// Each part costs up to 16 bytes, however short it is, so without this limit a head of slashes would grow 16 times.
const MAX_PARTS: usize = 256;

/// A request target, split and decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    path: Box<str>,
    segments: Parts,
    query: Pairs,
    authority: Option<Box<str>>,
}

impl Target {
    /// Bytes of memory that it holds.
    pub(crate) fn held(&self) -> usize {
        let authority = self.authority.as_ref().map_or(0, |authority| authority.len());
        self.path.len() + self.segments.held() + self.query.held() + authority
    }

    /// The segments of the path, split at `/` and then percent-decoded: `/ws/a%2Fb` has `ws` and `a/b`.
    ///
    /// `/` has none, and so has the `*` of `OPTIONS *`; `/ws/` has `ws` and an empty one. `.` and `..` are names like others.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = &str> {
        self.segments.iter()
    }

    /// The first value of `name` in the query, decoded.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.queries(name).next()
    }

    /// All values of `name` in the query, in order and decoded. A name without `=` has an empty value.
    pub fn queries(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query.iter().filter(move |(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The path as it was sent, not decoded and without the query, which may have a token. A log may show this.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The `host[:port]` of a target in absolute form. It replaces the `Host` field (RFC 9112 3.2.2).
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Splits the target of a request line. RFC 9112 section 3.2 has its four forms.
    pub(crate) fn parse(method: &Method, text: &str) -> Result<Self, Refusal> {
        // RFC 3986 forbids more (such as `|` and `{`), but browsers send these in queries and they do no harm.
        if !text.is_ascii() || text.contains('#') {
            return Err(Refusal::bad_request("the request target has a forbidden character"));
        }
        match text {
            // Only CONNECT has an authority for a target, and this server is not a tunnel.
            _ if method.as_str() == "CONNECT" => Err(Refusal::bad_request("CONNECT is not served")),
            "*" if *method == Method::Options => Ok(Self::asterisk()),
            _ if text.starts_with('/') => Self::origin(None, text),
            _ => Self::absolute(text),
        }
    }

    fn asterisk() -> Self {
        Self { path: "*".into(), segments: Parts::default(), query: Pairs::default(), authority: None }
    }

    /// Reads `scheme "://" authority path-abempty [ "?" query ]`. A server must accept it (RFC 9112 3.2.2), with either
    /// scheme, because a proxy in front may have ended HTTPS.
    fn absolute(text: &str) -> Result<Self, Refusal> {
        let malformed = || Refusal::bad_request("the request target is neither a path nor an http URI");
        let (scheme, rest) = text.split_once("://").ok_or_else(malformed)?;
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Err(malformed());
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if !is_authority(authority) {
            return Err(malformed());
        }
        Self::origin(Some(authority.into()), path)
    }

    /// Reads `path [ "?" query ]`. An absolute target may have an empty path, which means `/` (RFC 9110 4.2.3).
    fn origin(authority: Option<Box<str>>, text: &str) -> Result<Self, Refusal> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self { path: path.into(), segments: segments(path)?, query: pairs(query)?, authority })
    }
}

/// Without the query, which may have a token.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("authority", &self.authority)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Splits a path that begins with `/`, and then decodes it, so that a `/` inside a name can be sent as `%2F`.
fn segments(path: &str) -> Result<Parts, Refusal> {
    if path == "/" {
        return Ok(Parts::default());
    }
    let slashes = path.bytes().filter(|byte| *byte == b'/').count();
    let mut text = String::with_capacity(path.len() - slashes);
    let mut ends = Vec::with_capacity(slashes.min(MAX_PARTS));
    for segment in path.split('/').skip(1) {
        if ends.len() == MAX_PARTS {
            return Err(too_many_parts());
        }
        text.push_str(&decode(segment)?);
        ends.push(text.len());
    }
    Ok(Parts::new(text, ends))
}

/// Splits a query in the form of HTML forms: `&` between pairs, and `+` for a space.
fn pairs(query: &str) -> Result<Pairs, Refusal> {
    let mut pairs = Pairs::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        if pairs.len() == MAX_PARTS {
            return Err(too_many_parts());
        }
        let spaced = pair.replace('+', " ");
        let (name, value) = spaced.split_once('=').unwrap_or((&spaced, ""));
        pairs.push(&decode(name)?, &decode(value)?);
    }
    Ok(pairs)
}

fn decode(text: &str) -> Result<Cow<'_, str>, Refusal> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    if !is_percent_encoded(text) {
        return Err(Refusal::bad_request(
            "a % in the request target is not followed by two hexadecimal digits",
        ));
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map_err(|_| Refusal::bad_request("the request target does not decode to UTF-8"))
}

fn too_many_parts() -> Refusal {
    Refusal::uri_too_long(format!(
        "the request target has more than {MAX_PARTS} segments or query parameters"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(text: &str) -> Target {
        Target::parse(&Method::Get, text).unwrap_or_else(|refusal| panic!("{text}: {refusal:?}"))
    }

    fn segments(text: &str) -> Vec<String> {
        get(text).segments().map(str::to_owned).collect()
    }

    fn status(method: &Method, text: &str) -> u16 {
        Target::parse(method, text).expect_err(text).status
    }

    #[test]
    fn segments_are_split_before_they_are_decoded() {
        assert_eq!(segments("/ws/a%2Fb"), ["ws", "a/b"]);
        assert_eq!(segments("/ws/a%2fb%3F/%C3%BC+"), ["ws", "a/b?", "ü+"]);
        assert_eq!(segments("/"), [""; 0]);
        assert_eq!(segments("/?x=/a"), [""; 0]);
        assert_eq!(segments("//"), ["", ""]);
        assert_eq!(segments("/ws/"), ["ws", ""]);
        assert_eq!(segments("/a/../%2e%2e"), ["a", "..", ".."]);
        assert_eq!(get("/ws/a%2Fb?x").path(), "/ws/a%2Fb");
    }

    #[test]
    fn queries_are_decoded_like_forms() {
        let target = get("/sse?room=a&room=b%26c&user=J%C3%BCrg+M&flag&=v&&e==&%61=1&room=?/");
        assert_eq!(target.queries("room").collect::<Vec<_>>(), ["a", "b&c", "?/"]);
        assert_eq!(target.query("room"), Some("a"));
        assert_eq!(target.query("user"), Some("Jürg M"));
        assert_eq!(target.query("flag"), Some(""));
        assert_eq!(target.query(""), Some("v"));
        assert_eq!(target.query("e"), Some("="));
        assert_eq!(target.query("a"), Some("1"));
        assert_eq!(target.query("ROOM"), None);
        assert_eq!(get("/?p=%2B+").query("p"), Some("+ "));
        assert_eq!(get(r#"/?q={"a":[1|2]}"#).query("q"), Some(r#"{"a":[1|2]}"#));
    }

    #[test]
    fn an_absolute_target_gives_its_authority_and_path() {
        let target = get("http://example.com:81/ws/a?x=1");
        assert_eq!(
            (target.authority(), target.path(), target.query("x")),
            (Some("example.com:81"), "/ws/a", Some("1"))
        );
        assert_eq!(get("HTTPS://[::1]").path(), "/");
        assert_eq!(get("http://a?x=1").query("x"), Some("1"));
        assert_eq!(get("/http://a/").authority(), None);
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "a",
            "^",
            "*",
            "a:80",
            "http:/a",
            "http://",
            "http:///p",
            "http://u@a/",
            "ftp://a/",
            "H-TTP://a/",
            "?a",
        ] {
            assert_eq!(status(&Method::Get, text), 400, "{text}");
        }
        let connect = Method::from("CONNECT");
        assert_eq!(status(&connect, "a:443"), 400);
        assert_eq!(status(&connect, "/"), 400);
    }

    #[test]
    fn an_asterisk_is_for_options() {
        let target = Target::parse(&Method::Options, "*").expect("OPTIONS *");
        assert_eq!((target.path(), target.segments().len()), ("*", 0));
        assert_eq!(status(&Method::Options, "**"), 400);
    }

    #[test]
    fn broken_text_is_refused() {
        for text in [
            "/%",
            "/%2",
            "/%zz",
            "/a%%20",
            "/?%",
            "/?a=%4",
            "/?%g1=b",
            "/%ff",
            "/?a=%C3",
            "/%ED%A0%80",
            "/a#b",
            "/ü",
        ] {
            assert_eq!(status(&Method::Get, text), 400, "{text}");
        }
    }

    #[test]
    fn parts_are_counted() {
        assert_eq!(get(&"/".repeat(MAX_PARTS)).segments().len(), MAX_PARTS);
        assert_eq!(status(&Method::Get, &"/".repeat(MAX_PARTS + 1)), 414);
        let query = |count| format!("/?{}", "a&".repeat(count));
        assert_eq!(get(&query(MAX_PARTS)).queries("a").count(), MAX_PARTS);
        assert_eq!(status(&Method::Get, &query(MAX_PARTS + 1)), 414);
    }

    #[test]
    fn debug_shows_no_query() {
        assert!(!format!("{:?}", get("/ws?token=secret")).contains("secret"));
    }
}
