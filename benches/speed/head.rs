//! The head of an HTTP request: one for each connection, and one for each call of the API.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use switchboard::http::{Limits, Reader};
use switchboard::settings;

const BROWSER: &str = "GET /ws?room=chat:lobby&room=$me HTTP/1.1\r\nHost: push.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\nAccept: */*\r\n\
    Accept-Language: en-GB,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nSec-WebSocket-Version: 13\r\n\
    Origin: https://www.example.com\r\nSec-WebSocket-Protocol: switchboard.v1\r\n\
    Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Connection: keep-alive, Upgrade\r\nCookie: session=0123456789abcdef; theme=dark\r\nPragma: no-cache\r\n\
    Cache-Control: no-cache\r\nUpgrade: websocket\r\n\r\n";
const API: &str = "POST /api/rooms/chat:lobby/messages HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\
    Authorization: Bearer 0123456789abcdef0123456789abcdef\r\nContent-Type: application/json\r\n\
    Content-Length: 128\r\n\r\n";

/// Heads in one piece, and one that comes slowly.
pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("http head");
    let limits = Limits::from(&settings::Limits::default());
    for (name, head, piece) in [
        ("upgrade of a browser", BROWSER, BROWSER.len()),
        ("call of the api", API, API.len()),
        ("upgrade, a byte at a time", BROWSER, 1),
    ] {
        group.throughput(Throughput::Bytes(head.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut reader = Reader::new();
                for piece in head.as_bytes().chunks(piece) {
                    black_box(reader.read(black_box(piece), &limits)).1.expect("the head is sound");
                }
                reader.in_body()
            });
        });
    }
    group.finish();
}
