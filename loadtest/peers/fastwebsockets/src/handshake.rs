//! The upgrade, read from the socket itself: the library's own comes with hyper, which would only cost it.

use peer_route::Route;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tungstenite::handshake::derive_accept_key;

/// A longer head than this is no client of the load test.
const LIMIT: usize = 8 * 1024;

/// Answers the upgrade request. The load test sends nothing behind it before the answer.
pub(crate) async fn accept(stream: &mut TcpStream) -> Option<Route> {
    let mut head = Vec::with_capacity(512);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > LIMIT || stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let (route, answer) = answer(&head)?;
    stream.write_all(answer.as_bytes()).await.ok()?;
    Some(route)
}

fn answer(head: &[u8]) -> Option<(Route, String)> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(head).ok()?;
    let route = Route::parse(request.path?).filter(|route| *route != Route::Native)?;
    let key =
        request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("Sec-WebSocket-Key"))?.value;
    let accept = derive_accept_key(key);
    Some((
        route,
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_rfc_6455_section_1_3() {
        let head = b"GET /echo HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let (route, answer) = answer(head).expect("an upgrade");
        assert_eq!(route, Route::Echo);
        assert!(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    }
}
