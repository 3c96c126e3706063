//! Framing, bodies, and what lies between requests.

use super::*;

#[test]
fn lengths_are_digits_given_once() {
    let with = |length: &str| post(&format!("Content-Length: {length}\r\n"), "hello");
    assert_status(400, ["+5", "-5", "0x5", "", "5 5", "5,5", "5, 5", "5.0", "5;", "a"].map(with));
    assert_status(400, ["99999999999999999999", "-123456789123456789123456789"].map(with));
    assert_status(
        400,
        ["5\r\ncontent-length: 5", "5\r\nContent-Length: 6", "\r\nContent-Length: 5"].map(with),
    );
    assert_eq!(body(with("5")), b"hello");
    assert_eq!(body(with("005")), b"hello");
    assert_eq!(body(post("Content-Length: 0\r\n", "")), b"");
    assert_eq!(body(get("Content-Length: 2\r\n") + "ab"), b"ab");
}

#[test]
fn codings_are_chunked_alone() {
    let with = |codings: &str| post(&format!("Transfer-Encoding: {codings}\r\n"), "0\r\n\r\n");
    assert_status(
        501,
        ["gzip", "identity", "gzip, chunked", "xchunked", "chunked;q=1", "\"chunked\""].map(with),
    );
    assert_status(501, ["chunked\u{a0}", "gzip\r\nTransfer-Encoding: chunked"].map(with));
    assert_status(
        400,
        ["", "chunked, gzip", "chunked, chunked", "chunked,", ",chunked", "a, chunked, b"].map(with),
    );
    assert_status(400, ["chunked\r\nTransfer-Encoding: chunked", "chunked\r\nTransfer-Encoding:"].map(with));
    assert_status(400, ["\x0bchunked", "\r\n chunked"].map(with));
    assert_eq!(body(with("CHUNKED")), b"");
}

#[test]
fn one_framing_only() {
    let both = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "TransFer-Encoding: a\r\ncontent-LengtH: 0\r\n",
    ];
    assert_status(400, both.map(|fields| post(fields, "5\r\nhello\r\n0\r\n\r\n")));
}

#[test]
fn a_body_needs_a_length() {
    assert_status(
        411,
        ["POST", "PUT", "PATCH"].map(|method| format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n")),
    );
    assert_eq!(body("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n"), b"");
}

#[test]
fn bodies_are_bounded() {
    assert_eq!(body(post("Content-Length: 64\r\n", &"x".repeat(64))).len(), 64);
    let too_long = post("Content-Length: 65\r\n", "");
    assert!(
        matches!(whole(too_long.as_bytes()).as_slice(), [Event::Refused(refusal)] if refusal.status == 413)
    );
    assert_eq!(body(chunked(&format!("20\r\n{0}\r\n020\r\n{0}\r\n0\r\n\r\n", "x".repeat(32)))).len(), 64);
    assert_status(413, ["41\r\n", "FFFFFFFFFFFFFFFF\r\n", "1\r\nx\r\n40\r\n"].map(chunked));
}

#[test]
fn chunks_are_joined_and_their_extras_dropped() {
    assert_eq!(body(chunked("5\r\nhello\r\n0\r\n\r\n")), b"hello");
    assert_eq!(body(chunked("a\r\n0123456789\r\n1;a=b;c\r\n!\r\n00\r\n\r\n")), b"0123456789!");
    assert_eq!(body(chunked("B ;a=\"b\"\r\n01234567890\r\n000\r\n\r\n")), b"01234567890");
    assert_eq!(body(chunked("1\r\n\n\r\n0\r\nX: y\r\nContent-Length: 9\r\nEmpty:\r\n\r\n")), b"\n");
}

#[test]
fn chunks_are_exact() {
    assert_status(
        400,
        ["\r\n", "g\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "1 \r\n", ";a\r\n"].map(chunked),
    );
    assert_status(400, ["1 2\r\n", "1\n", "1\rx", "1;a\n", " ;a\r\n", "1;a\rb\r\n", "1;\0\r\n"].map(chunked));
    assert_status(
        400,
        ["1\r\nab", "1\r\na\n", "1\r\na\rb", "1\r\na0\r\n", "00000000000000001\r\n"].map(chunked),
    );
}

#[test]
fn trailers_are_exact() {
    assert_status(400, ["X\r\n", ": y\r\n", " X: y\r\n", "X : y\r\n", "X: y\r\n folded\r\n"].map(trailing));
    assert_status(400, ["X: y\n", "X: y\rz", "X: \0\r\n", "\n", "\rx"].map(trailing));
}

fn trailing(trailers: &str) -> String {
    chunked(&format!("0\r\n{trailers}"))
}

#[test]
fn extensions_and_trailers_share_a_bound() {
    let extended = |bytes: usize| chunked(&format!("1;{}\r\nx\r\n0\r\n\r\n", "a".repeat(bytes - 1)));
    assert_eq!(body(extended(LIMITS.header)), b"x");
    assert_status(431, [extended(LIMITS.header + 1)]);
    assert_status(431, [chunked(&"1;aaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n".repeat(32))]);
    assert_status(431, [trailing(&"X: y\r\n".repeat(LIMITS.header / 4 + 1))]);
    assert_status(431, [trailing(&format!("X:{}", "y".repeat(LIMITS.header)))]);
}

#[test]
fn an_encoded_body_is_refused() {
    let with = |coding: &str| post(&format!("Content-Encoding: {coding}\r\nContent-Length: 1\r\n"), "x");
    assert_status(415, ["gzip", "identity, gzip", "br"].map(with));
    assert_eq!(body(with("Identity")), b"x");
    let refusal = refusal(with("gzip")).expect("415");
    assert_eq!(refusal.headers, [("Accept-Encoding", "identity".into())]);
}

#[test]
fn only_continue_may_be_expected() {
    let expecting = |version: &str, length: usize| {
        format!(
            "POST / HTTP/{version}\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    assert!(head(expecting("1.1", 5)).expects_continue);
    assert!(!head(expecting("1.1", 0)).expects_continue);
    assert!(!head(expecting("1.0", 5)).expects_continue);
    assert_status(
        417,
        ["200-ok", "100-continue, x", "x=100-continue"].map(|value| get(&format!("Expect: {value}\r\n"))),
    );
}

#[test]
fn the_next_request_stays_with_the_caller() {
    let (first, second) = (post("Content-Length: 2\r\n", "ab"), get(""));
    let input = [first.as_bytes(), second.as_bytes(), b"rest"].concat();
    let mut reader = Reader::new();
    let (used, step) = reader.read(&input, &LIMITS);
    assert_eq!(used, first.len() - 2);
    assert!(matches!(step, Ok(Step::Head(head)) if head.has_body()));
    assert_eq!(reader.read(&input[used..], &LIMITS), (2, Ok(Step::Body(b"ab".to_vec()))));
    let (used, step) = reader.read(&input[first.len()..], &LIMITS);
    assert_eq!(used, second.len());
    assert!(matches!(step, Ok(Step::Head(head)) if !head.has_body()));
    assert_eq!(reader.read(b"", &LIMITS), (0, Ok(Step::Body(Vec::new()))));
    assert_eq!(reader.read(b"", &LIMITS), (0, Ok(Step::More)));
}

#[test]
fn a_body_is_not_made_room_for_before_it_comes() {
    let limits = Limits { body: usize::MAX, ..LIMITS };
    let sized = post("Content-Length: 9223372036854775807\r\n", "x");
    for input in [sized, chunked("7FFFFFFFFFFFFFFF\r\nx")] {
        let mut reader = Reader::new();
        let (used, _) = reader.read(input.as_bytes(), &limits);
        assert_eq!(reader.read(&input.as_bytes()[used..], &limits).1, Ok(Step::More));
    }
}

#[test]
fn nothing_is_read_behind_a_refusal() {
    let mut reader = Reader::new();
    assert!(reader.read(b"GET / HTTP/1.1\n", &LIMITS).1.is_err());
    assert_eq!(reader.read(get("").as_bytes(), &LIMITS), (get("").len(), Ok(Step::More)));
    assert!(!reader.is_idle() && !reader.in_body());
}
