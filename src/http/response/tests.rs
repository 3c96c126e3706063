use super::*;

/// The example of RFC 9110 5.6.7.
const NOW: Duration = Duration::from_secs(784_111_777);

fn envelope() -> Envelope {
    Envelope { head_only: false, close: false, version: Version::Http11, now: UNIX_EPOCH + NOW }
}

fn written(response: &Response, to: &Envelope) -> String {
    let mut out = Vec::new();
    response.write(to, &mut out);
    String::from_utf8(out).expect("responses here are text")
}

fn with_date(rest: &str) -> String {
    rest.replace("DATE", "Date: Sun, 06 Nov 1994 08:49:37 GMT")
}

#[test]
fn a_response_is_written_whole() {
    let response = Response::new(200).header("Cache-Control", "no-cache").json(r#"{"a":1}"#);
    let expected = "HTTP/1.1 200 OK\r\nDATE\r\nCache-Control: no-cache\r\nContent-Type: application/json\r\n\
                    Content-Length: 7\r\n\r\n{\"a\":1}";
    assert_eq!(written(&response, &envelope()), with_date(expected));
}

#[test]
fn what_it_says_itself_is_not_said_for_it() {
    const ELSE: &[Field] = &[("A", Cow::Borrowed("1")), ("B", Cow::Borrowed("2"))];
    let said = |response: Response| {
        let text = written(&response.or_headers(ELSE).header("C", "3"), &envelope());
        text.lines().skip(2).take_while(|line| !line.starts_with("Content")).collect::<Vec<_>>().join(",")
    };
    assert_eq!(said(Response::new(200)), "A: 1,B: 2,C: 3");
    assert_eq!(said(Response::new(200).header("b", "0")), "b: 0,A: 1,C: 3");
    assert_eq!(said(Response::new(200).header("D", "0")), "D: 0,A: 1,B: 2,C: 3");
}

#[test]
fn it_goes_behind_what_is_there() {
    let mut out = b"before".to_vec();
    Response::new(200).write(&envelope(), &mut out);
    assert!(out.starts_with(b"beforeHTTP/1.1 200 OK\r\n"));
}

#[test]
fn nothing_has_a_length_too() {
    assert_eq!(
        written(&Response::new(200), &envelope()),
        with_date("HTTP/1.1 200 OK\r\nDATE\r\nContent-Length: 0\r\n\r\n")
    );
}

#[test]
fn head_gets_the_length_without_the_body() {
    let response = Response::new(200).text("héllo");
    let whole = written(&response, &envelope());
    let head = written(&response, &Envelope { head_only: true, ..envelope() });
    assert_eq!(whole, format!("{head}héllo"));
    assert!(head.ends_with("Content-Type: text/plain; charset=utf-8\r\nContent-Length: 6\r\n\r\n"));
}

#[test]
fn closing_is_told() {
    let closes = |to: Envelope| written(&Response::new(200), &to).contains("\r\nConnection: close\r\n");
    assert!(!closes(envelope()));
    assert!(closes(Envelope { close: true, ..envelope() }));
    assert!(closes(Envelope { version: Version::Http10, ..envelope() }));
    assert!(closes(Envelope::closing(UNIX_EPOCH)));
}

#[test]
fn an_error_is_json() {
    let response = Response::new(403).error("forbidden", "not \"you\"\n");
    assert!(
        written(&response, &envelope())
            .ends_with("\r\n\r\n{\"error\":{\"code\":\"forbidden\",\"message\":\"not \\\"you\\\"\\n\"}}")
    );
}

#[test]
fn statuses_bring_what_they_must() {
    let has = |response: &Response, field: &str| {
        let text = written(response, &Envelope { close: true, ..envelope() });
        assert!(text.contains(&format!("\r\n{field}\r\n")), "{field} is not in {text}");
    };
    has(&Response::new(401), "WWW-Authenticate: Bearer");
    has(&Response::new(405).allow(&[Method::Get, Method::Head]), "Allow: GET, HEAD");
    has(&Response::new(426).upgrade("websocket"), "Upgrade: websocket");
    has(&Response::new(426).upgrade("websocket"), "Connection: upgrade, close");
    has(&Response::new(429).retry_after(Duration::from_millis(1001)), "Retry-After: 2");
    has(&Response::new(503).retry_after(Duration::ZERO), "Retry-After: 1");
}

#[test]
fn a_refusal_becomes_a_response() {
    let refusal = Refusal::new(426, "upgrade_required", "use version 13")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13");
    let expected = "HTTP/1.1 426 Upgrade Required\r\nDATE\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                    Connection: upgrade, close\r\nContent-Type: application/json\r\nContent-Length: 64\r\n\r\n\
                    {\"error\":{\"code\":\"upgrade_required\",\"message\":\"use version 13\"}}";
    assert_eq!(written(&Response::from(&refusal), &Envelope::closing(UNIX_EPOCH + NOW)), with_date(expected));
}

#[test]
fn switching_has_neither_date_nor_length() {
    let response = Response::new(101).upgrade("websocket").header("Sec-WebSocket-Accept", "x");
    let expected = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\
                    Connection: upgrade\r\n\r\n";
    assert_eq!(written(&response, &Envelope { close: true, ..envelope() }), expected);
}

#[test]
fn no_content_has_no_length() {
    assert_eq!(written(&Response::new(204).text("x"), &envelope()).matches("\r\n\r\n").count(), 1);
    assert!(!written(&Response::new(204), &envelope()).contains("Content-Length"));
}

#[test]
fn a_stream_ends_with_its_connection() {
    let expected = "HTTP/1.1 200 OK\r\nDATE\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n";
    assert_eq!(written(&Response::new(200).stream("text/event-stream"), &envelope()), with_date(expected));
}

#[test]
#[cfg_attr(debug_assertions, should_panic(expected = "control character"))]
fn nothing_is_injected() {
    let response = Response::new(200).header("X", "a\r\nSet-Cookie: b\0");
    assert!(written(&response, &envelope()).contains("\r\nX: a  Set-Cookie: b \r\n"));
}

#[test]
fn any_clock_can_be_shown() {
    let at = |now| written(&Response::new(200), &Envelope { now, ..envelope() });
    assert!(at(UNIX_EPOCH - NOW).contains("Date: Thu, 01 Jan 1970 00:00:00 GMT"));
    assert!(at(UNIX_EPOCH + LAST_SECOND + NOW).contains("Date: Fri, 31 Dec 9999 23:59:59 GMT"));
}

#[test]
fn every_refusal_has_a_reason() {
    for status in [400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 417, 426, 429, 431, 500, 501, 503, 505] {
        assert!(!reason(status).is_empty(), "{status}");
    }
    assert_eq!(CONTINUE, format!("HTTP/1.1 100 {}\r\n\r\n", reason(100)).as_bytes());
}
