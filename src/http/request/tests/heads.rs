//! The request line and the fields.

use super::*;

#[test]
fn a_head_says_what_was_asked() {
    let head = head(
        "DELETE /a/b%2Fc?x=1 HTTP/1.1\r\nhoSt:\texample.com:80 \r\nempty:\r\nX-Many: 1\r\nx-many: 2\r\n\r\n",
    );
    assert_eq!((&head.method, head.version), (&Method::Delete, Version::Http11));
    assert_eq!(head.target.segments().collect::<Vec<_>>(), ["a", "b/c"]);
    assert_eq!(head.target.query("x"), Some("1"));
    assert_eq!((head.field("HOST"), head.host()), (Some("example.com:80"), Some("example.com:80")));
    assert_eq!((head.field("empty"), head.field("absent")), (Some(""), None));
    assert_eq!(head.fields("X-MANY").collect::<Vec<_>>(), ["1", "2"]);
    assert!(head.keep_alive && !head.expects_continue && !head.has_body());
}

#[test]
fn tokens_are_members_of_lists() {
    let head = head(get("Connection: keep-alive, UPGRADE\r\nConnection:\tx \r\nUpgrade: websockets\r\n"));
    assert!(head.has_token("connection", "upgrade") && head.has_token("connection", "X"));
    assert!(!head.has_token("connection", "keep") && !head.has_token("upgrade", "websocket"));
    assert_eq!(head.list("connection").collect::<Vec<_>>(), ["keep-alive", "UPGRADE", "x"]);
}

#[test]
fn every_token_is_a_method() {
    for name in ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "get", "M-SEARCH", "!#$%&'*+-.^_`|~0"] {
        assert_eq!(head(format!("{name} / HTTP/1.1\r\nHost: a\r\n\r\n")).method.as_str(), name);
    }
    assert_eq!(head("get / HTTP/1.1\r\nHost: a\r\n\r\n").method, Method::Other("get".to_owned()));
    assert_status(400, ["G[T / HTTP/1.1\r\n\r\n", "GET:/ HTTP/1.1\r\n\r\n"]);
    assert_status(400, [" / HTTP/1.1\r\n\r\n", "{\"type\":\"ping\"}", "\x16\x03\x01"]);
}

#[test]
fn request_lines_have_three_words_and_two_spaces() {
    let lines = [
        "GET",
        "GET /",
        "GET / ",
        "GET   HTTP/1.1",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / a HTTP/1.1",
        "Extra lineGET / HTTP/1.1",
        "GET /\x07 HTTP/1.1",
        "GET /\0 HTTP/1.1",
        "GET /ü HTTP/1.1",
        "GET /#a HTTP/1.1",
    ];
    assert_status(400, lines.map(|line| format!("{line}\r\nHost: a\r\n\r\n")));
    assert_status(400, lines.map(|line| format!("{line}\r\n\r\n")));
    assert_status(400, [b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"]);
}

#[test]
fn other_versions_are_not_spoken() {
    let with = |version: &str| format!("GET / {version}\r\nHost: a\r\n\r\n");
    assert_status(505, ["HTTP/2.0", "HTTP/9.9", "HTTP/1.2", "HTTP/0.9", "HTTP/3.1"].map(with));
    assert_status(505, ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]);
    assert_status(400, ["HTTP", "HTTP/1", "HTTP/11", "HTTP/1.1x", "http/1.1", "HTTP/1,1"].map(with));
    assert_status(400, ["HTTP /2.0", "XTTP/2.0", "HTTP/2.0 "].map(with));
}

#[test]
fn http_1_0_is_answered_and_closed() {
    let head = head("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!((head.version, head.keep_alive, head.host()), (Version::Http10, false, None));
    assert_status(400, ["GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\nHost:\r\n\r\n"]);
    assert_status(400, ["POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]);
}

#[test]
fn close_is_heard() {
    assert!(!head(get("Connection: foo, Close\r\n")).keep_alive);
    assert!(head(get("Connection: closed\r\n")).keep_alive);
}

#[test]
fn targets_have_the_form_that_fits_the_method() {
    let line = |line: &str| format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n");
    let absolute = head(line("GET http://b:1/x?y=z"));
    assert_eq!((absolute.host(), absolute.target.path()), (Some("b:1"), "/x"));
    assert_eq!(head(line("GET HTTPS://b")).host(), Some("b"));
    assert_eq!(head(line("OPTIONS *")).target.path(), "*");
    assert_status(400, ["GET *", "CONNECT a:443", "GET a:443", "GET a", "GET ^"].map(line));
    assert_status(400, ["GET HTTPZ://a/", "GET H-TTP://a/", "GET http://", "GET /%f", "GET /%ff"].map(line));
    // RFC 9112 3.2.2 wants a Host beside an absolute target too.
    assert_status(400, ["GET http://b/ HTTP/1.1\r\n\r\n"]);
}

#[test]
fn http_1_1_has_one_good_host() {
    let with = |fields: &str| format!("GET / HTTP/1.1\r\n{fields}\r\n");
    assert_status(400, ["", "X: y\r\n", "Host: a\r\nHost: b\r\n", "Host: a\r\nhost: a\r\n"].map(with));
    assert_status(
        400,
        ["Host:\r\n", "Host: a b\r\n", "Host: a/b\r\n", "Host: u@a\r\n", "Host: a, b\r\n"].map(with),
    );
    assert_status(400, ["Host: a:b\r\n", "Host: :80\r\n", "Host: [::1\r\n"].map(with));
    for good in ["Host: a:80\r\n", "Host: [::1]:80\r\n", "Host: 127.0.0.1\r\n"] {
        assert!(head(with(good)).host().is_some());
    }
}

#[test]
fn lines_end_in_crlf() {
    assert_status(
        400,
        [
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\n",
            "GET / HTTP/1.1\rHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
            "GET / HTTP/1.1\r\r\n",
            "\nGET / HTTP/1.1\r\n",
            "\rGET / HTTP/1.1\r\n",
        ],
    );
}

#[test]
fn a_bad_line_end_is_told_before_the_head_ends() {
    assert_status(400, ["GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: a\rX", "\r\r"]);
}

#[test]
fn some_empty_lines_may_come_first() {
    assert_eq!(head(format!("\r\n\r\n{}", get(""))).method, Method::Get);
    assert_status(400, ["\r\n".repeat(5), " \r\nGET / HTTP/1.1\r\n\r\n".to_owned()]);
    let mut reader = Reader::new();
    assert_eq!(reader.read(b"\r\n\r", &LIMITS), (3, Ok(Step::More)));
    assert!(reader.is_idle());
    assert_eq!(reader.read(b"\nG", &LIMITS), (2, Ok(Step::More)));
    assert!(!reader.is_idle());
}

#[test]
fn field_names_are_tokens_before_a_colon() {
    let fields = [
        "X : y", "X\t: y", " X: y", "\tX: y", ": y", "X[]: y", "X", "X y: z", "X\0: y", "Ü: y", "X\x7f: y",
        "(x): y",
    ];
    assert_status(400, fields.map(|field| get(&format!("{field}\r\n"))));
    assert_status(400, fields.map(|field| format!("GET / HTTP/1.1\r\n{field}\r\nHost: a\r\n\r\n")));
    assert_status(400, [get("X: y\r\n folded\r\n"), get("X: y\r\n\tfolded\r\n"), get("X:\r\n y\r\n")]);
}

#[test]
fn field_values_have_no_control_characters() {
    assert_status(
        400,
        ["\0", "\x07", "\x0b", "\x1f", "\x7f", "a\0b"].map(|value| get(&format!("X: {value}\r\n"))),
    );
    assert_eq!(head(get("X: \t a\tb \t\r\n")).field("x"), Some("a\tb"));
    assert_eq!(head(b"GET / HTTP/1.1\r\nHost: a\r\nX: \xe4\r\n\r\n").field("x"), Some("\u{fffd}"));
}

#[test]
fn heads_are_bounded() {
    let filled = |bytes: usize| get(&format!("X: {}\r\n", "y".repeat(bytes - get("X: \r\n").len())));
    assert_eq!(head(filled(LIMITS.header)).field("x").map(str::is_empty), Some(false));
    assert_status(431, [filled(LIMITS.header + 1)]);
    assert_eq!(head(get(&"X: y\r\n".repeat(7))).fields("x").count(), 7);
    assert_status(431, [get(&"X: y\r\n".repeat(8)), get(&"X: y\r\n".repeat(9))]);
    assert_status(414, [format!("GET /{}", "a".repeat(LIMITS.header)), "A".repeat(LIMITS.header)]);
    assert_eq!(status("A".repeat(LIMITS.header - 1)), None);
}
