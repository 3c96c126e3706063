//! Whoever sends much at once in little pieces is served a part at a time, and loses nothing by it.

mod ends;

use std::collections::VecDeque;

use super::*;
use crate::settings::{KIB, MIB};

/// Frames, and requests, that one visit takes.
const FRAMES: usize = 64;
const REQUESTS: usize = 16;

/// What one read gives at most.
const READ: usize = 64 * KIB;

/// What the kernel keeps of each connection, and whoever it has told of, as the reactor goes about it.
#[derive(Default)]
struct Kernel {
    ready: VecDeque<u32>,
    waiting: HashMap<u32, VecDeque<u8>>,
    finished: Vec<u32>,
}

impl Kernel {
    fn send(&mut self, key: u32, bytes: &[u8]) {
        self.waiting.entry(key).or_default().extend(bytes);
        self.ready.push_back(key);
    }
}

impl Bench {
    fn knock(&mut self) -> u32 {
        self.shard.accept(IpAddr::from([127, 0, 0, 1]))
    }

    /// Reads each session that is ready once.
    fn read(&mut self, kernel: &mut Kernel) {
        self.shard.begin(self.now);
        for key in std::mem::take(&mut kernel.ready) {
            if !self.shard.wants_read(key) {
                continue;
            }
            let waiting = kernel.waiting.entry(key).or_default();
            let mut bytes: Vec<u8> = waiting.drain(..waiting.len().min(READ)).collect();
            if !bytes.is_empty() {
                self.shard.receive(key, &mut bytes);
                kernel.ready.push_back(key);
            } else if kernel.finished.contains(&key) {
                self.shard.hang_up(key);
            }
        }
    }

    /// Goes on with so many of those that wait for their turn, and writes.
    fn go_on(&mut self, kernel: &mut Kernel, most: usize) {
        for _ in 0..most {
            let Some(key) = self.shard.next_resumed() else { break };
            kernel.ready.push_back(key);
        }
        self.shard.rest();
        self.shard.tick();
        self.shard.answer_questions();
        self.shard.flush(&mut self.sink);
        self.shard.reap(|_| ());
    }

    /// Turns until nothing is left to do.
    fn settle_down(&mut self, kernel: &mut Kernel) {
        for _ in 0..20_000 {
            self.read(kernel);
            self.go_on(kernel, usize::MAX);
            if kernel.ready.is_empty() && !self.shard.has_work() {
                return;
            }
        }
        panic!("it does not come to an end");
    }

    /// What all sessions hold of the total.
    fn total(&self) -> usize {
        self.shard.queues.used()
    }
}

/// A short frame, masked with zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

/// So many of something small.
fn many(count: usize, one: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    (0..count).flat_map(one).collect()
}

fn get(path: &str, number: usize) -> Vec<u8> {
    format!("GET {path}?{number} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
}

fn ping(number: usize) -> Vec<u8> {
    frame(0x81, format!(r#"{{"type":"ping","id":{number}}}"#).as_bytes())
}

/// A way to flood: where it connects, what it sends again and again, and how many answers to it a text has.
struct Flood {
    target: Option<&'static str>,
    one: fn(usize) -> Vec<u8>,
    answers: fn(&str) -> usize,
    part: usize,
}

const FLOODS: [Flood; 8] = [
    Flood { target: Some("/ws"), one: ping, answers: |text| text.matches("\"pong\"").count(), part: FRAMES },
    Flood {
        target: Some("/ws"),
        one: |number| frame(0x89, format!("<{number}>").as_bytes()),
        answers: |text| text.matches('<').count(),
        part: FRAMES,
    },
    Flood {
        target: Some("/ws"),
        one: |_| frame(0x81, b""),
        answers: |text| text.matches("bad_json").count(),
        part: FRAMES,
    },
    Flood {
        target: Some("/raw/a?echo=1"),
        one: |number| frame(0x81, format!("<{number}>").as_bytes()),
        answers: |text| text.matches('<').count(),
        part: FRAMES,
    },
    Flood {
        target: None,
        one: |number| get("/healthz", number),
        answers: |text| text.matches("HTTP/1.1 200").count(),
        part: REQUESTS,
    },
    Flood {
        target: None,
        one: |number| get("/nowhere", number),
        answers: |text| text.matches("HTTP/1.1 404").count(),
        part: REQUESTS,
    },
    Flood {
        target: None,
        one: |_| b"OPTIONS /api/rooms HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        answers: |text| text.matches("HTTP/1.1 ").count(),
        part: REQUESTS,
    },
    Flood {
        target: None,
        one: |number| get("/api/rooms", number),
        answers: |text| text.matches("HTTP/1.1 200").count(),
        part: REQUESTS,
    },
];

impl Flood {
    fn connect(&self, bench: &mut Bench) -> u32 {
        let key = match self.target {
            Some(target) => bench.connect(target),
            None => bench.knock(),
        };
        bench.turn(0);
        key
    }
}

#[test]
fn whoever_floods_is_served_a_part_while_others_are_served_whole() {
    for flood in FLOODS {
        let mut bench = Bench::alone();
        let mut kernel = Kernel::default();
        let flooder = flood.connect(&mut bench);
        let other = bench.connect("/ws");
        bench.turn(0);
        // Refusals of a client are counted, and too many end it; this is not about that.
        let count = if (flood.answers)("bad_json") == 1 { 90 } else { 2_000 };
        kernel.send(flooder, &many(count, flood.one));
        kernel.send(other, &ping(0));
        bench.read(&mut kernel);
        bench.go_on(&mut kernel, 0);
        assert_eq!((flood.answers)(&bench.text(flooder)), flood.part);
        assert!(bench.text(other).contains("\"pong\""));
        assert!(bench.total() > 0, "the rest is in the total");
        bench.read(&mut kernel);
        bench.go_on(&mut kernel, 1);
        assert_eq!((flood.answers)(&bench.text(flooder)), (2 * flood.part).min(count), "{:?}", flood.target);
        bench.settle_down(&mut kernel);
        assert_eq!((flood.answers)(&bench.text(flooder)), count);
        assert_eq!((bench.total(), bench.shard.inputs.len()), (0, 0));
    }
}

/// A message in fragments of a byte comes whole, and nobody waits for it.
#[test]
fn fragments_are_taken_a_part_at_a_time() {
    let mut bench = Bench::alone();
    let mut kernel = Kernel::default();
    let [flooder, other] = ["/ws", "/ws"].map(|target| bench.connect(target));
    let text = format!(r#"{{"type":"ping"{}}}"#, " ".repeat(200));
    let last = text.len() - 1;
    let fragments: Vec<u8> = text
        .bytes()
        .enumerate()
        .flat_map(|(at, byte)| {
            frame(
                if at == 0 {
                    1
                } else if at == last {
                    0x80
                } else {
                    0
                },
                &[byte],
            )
        })
        .collect();
    kernel.send(flooder, &fragments);
    kernel.send(other, &ping(0));
    for visits in 0..fragments.len() / 7 / FRAMES {
        bench.read(&mut kernel);
        assert_eq!(bench.shard.sessions[flooder as usize].tail.as_ref().unwrap().taken, visits * 7 * FRAMES);
        bench.go_on(&mut kernel, 1);
    }
    assert!(bench.text(other).contains("\"pong\""));
    bench.settle_down(&mut kernel);
    assert_eq!(bench.text(flooder).matches("\"pong\"").count(), 1);
    assert_eq!(bench.total(), 0);
}

/// A body in chunks of a byte comes whole, and nobody waits for it.
#[test]
fn small_chunks_are_taken_a_part_at_a_time() {
    let mut bench = Bench::alone();
    let mut kernel = Kernel::default();
    let [flooder, other] = [bench.knock(), bench.connect("/ws")];
    let head = "POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body = format!(r#"{{"data":"{}"}}"#, "x".repeat(2_000));
    let chunks: String = body.chars().map(|byte| format!("1\r\n{byte}\r\n")).collect();
    kernel.send(flooder, format!("{head}{chunks}0\r\n\r\n").as_bytes());
    kernel.send(other, &ping(0));
    for visits in 1..5 {
        bench.read(&mut kernel);
        bench.go_on(&mut kernel, usize::from(visits > 1));
        let taken = bench.shard.sessions[flooder as usize].tail.as_ref().unwrap().taken;
        assert!(visits == 1 || taken <= (visits - 1) * 3 * KIB, "{taken}");
    }
    assert!(bench.text(other).contains("\"pong\""));
    bench.settle_down(&mut kernel);
    assert!(bench.text(flooder).starts_with("HTTP/1.1 200 "), "{}", bench.text(flooder));
    assert_eq!(bench.total(), 0);
}

#[test]
fn everything_is_answered_in_order_at_every_split() {
    for flood in [&FLOODS[0], &FLOODS[1], &FLOODS[4]] {
        let count = 2 * flood.part + 1;
        let bytes = many(count, flood.one);
        let whole = {
            let mut bench = Bench::alone();
            let key = flood.connect(&mut bench);
            bench.sink.written.clear();
            for number in 0..count {
                bench.shard.receive(key, &mut (flood.one)(number));
                bench.turn(0);
            }
            bench.text(key)
        };
        for split in (1..bytes.len()).step_by(11) {
            let (mut bench, mut kernel) = (Bench::alone(), Kernel::default());
            let key = flood.connect(&mut bench);
            bench.sink.written.clear();
            kernel.send(key, &bytes[..split]);
            bench.read(&mut kernel);
            bench.go_on(&mut kernel, split % 3);
            kernel.send(key, &bytes[split..]);
            bench.settle_down(&mut kernel);
            assert_eq!(bench.text(key), whole, "{split}");
        }
    }
}

/// Requests on behalf of a stream come by the hundred in one body.
#[test]
fn requests_of_a_stream_are_carried_out_in_parts() {
    let mut bench = Bench::alone();
    let mut kernel = Kernel::default();
    let stream = bench.knock();
    bench.shard.receive(stream, &mut b"GET /sse/a HTTP/1.1\r\nHost: a\r\n\r\n".to_vec());
    bench.turn(0);
    let name = bench.shard.common.names.name(bench.shard.id(stream));
    let body = format!("[{}]", [r#"{"type":"ping"}"#; 100].join(","));
    let post =
        format!("POST /sse/{name} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let call = bench.knock();
    kernel.send(call, post.as_bytes());
    bench.read(&mut kernel);
    assert_eq!(bench.shard.sessions[stream as usize].stream().unwrap().waiting(), 100 - FRAMES);
    assert!(bench.shard.has_work());
    bench.go_on(&mut kernel, 1);
    bench.settle_down(&mut kernel);
    assert_eq!(bench.text(call).matches("pong").count(), 100);
    assert_eq!(bench.total(), 0);
}

/// Who has waited for the server's answer does not wait behind all who flood.
#[test]
fn who_had_to_wait_goes_on_beside_those_who_flood() {
    let mut bench = Bench::alone();
    let mut kernel = Kernel::default();
    let flooders: Vec<u32> = (0..500).map(|_| bench.connect("/ws")).collect();
    let pressed = bench.connect("/ws/a");
    bench.turn(0);
    let flood = many(200, ping);
    flooders.iter().for_each(|&key| kernel.send(key, &flood));
    bench.read(&mut kernel);
    bench.go_on(&mut kernel, 0);
    bench.shard.common.pressure.set_inbox(0, 0, 100 * MIB);
    bench.shard.begin(bench.now);
    bench.shard.sessions[pressed as usize].wanted = bench.shard.now.tick();
    bench.shard.receive(pressed, &mut ping(0));
    bench.shard.common.pressure.set_inbox(0, 0, 0);
    bench.read(&mut kernel);
    bench.go_on(&mut kernel, 2);
    assert!(bench.text(pressed).contains("\"pong\""));
}
