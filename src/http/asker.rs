//! Who sent a request, as far as a malformed head says it.

use memchr::memrchr;

/// The page that sent a refused request, and the server for which it was meant. They only decide whether the page may
/// read why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    /// The only `Origin`.
    pub origin: Option<Box<str>>,
    /// The only `Host`.
    pub host: Option<Box<str>>,
}

impl Asker {
    /// What the complete lines of `head` say.
    pub(crate) fn of(head: &[u8]) -> Self {
        let whole = memrchr(b'\n', head).map_or(&[][..], |end| &head[..end]);
        Self { origin: only(whole, "origin"), host: only(whole, "host") }
    }
}

/// The value of the only field called `name`, if all its characters can be in a host or an origin.
fn only(head: &[u8], name: &str) -> Option<Box<str>> {
    let mut values = head.split(|&byte| byte == b'\n').skip(1).filter_map(|line| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        line[..colon].eq_ignore_ascii_case(name.as_bytes()).then(|| line[colon + 1..].trim_ascii())
    });
    let value = values.next().filter(|value| value.iter().all(u8::is_ascii_graphic))?;
    if values.next().is_some() {
        return None;
    }
    std::str::from_utf8(value).ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_are_believed_where_there_is_one() {
        let origin = |head: &str| Asker::of(head.as_bytes()).origin.as_deref().map(str::to_owned);
        let good = Some("https://a.example".to_owned());
        assert_eq!(origin("GET / HTTP/1.1\r\nHost: a\r\norigin:https://a.example \r\n"), good);
        assert_eq!(origin("GET / HTTP/1.1\r\nX: a\nOrigin: https://a.example\r\nCut"), good);
        for head in [
            "",
            "Origin: https://a.example\r\n",
            "GET / HTTP/1.1\r\nOrigin: https://a.example",
            "GET / HTTP/1.1\r\nOrigin: https://a.example\r\nOrigin: https://a.example\r\n",
            "GET / HTTP/1.1\r\nOrigin: https://a\0.example\r\n",
            "GET / HTTP/1.1\r\nOrigin : https://a.example\r\n",
        ] {
            assert_eq!(origin(head), None, "{head:?}");
        }
    }
}
