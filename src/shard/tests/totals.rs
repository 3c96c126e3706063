//! Everything that waits is in a total, on a virtual clock.

use super::*;
use crate::auth::access::{Access, Sources};
use crate::broker::post::Slot;
use crate::settings::{KIB, MIB, Secret};

const TOTAL: usize = 4 * MIB;

fn bench(limits: Limits) -> Bench {
    let limits = Limits { queue_total: TOTAL, ..limits };
    Bench::new(0, &common(1, Settings { limits, ..Settings::default() }), Engine::Local(Local::default()))
}

/// A connection that asks for something so many times at once, and reads nothing of it.
fn piped(bench: &mut Bench, request: &str, times: usize) -> u32 {
    let key = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
    bench.shard.receive(key, &mut request.repeat(times).into_bytes());
    key
}

/// The console's pages are parts of the program: whoever asks for them over and over has nothing waiting for it but heads,
/// and few of those.
#[test]
fn a_page_that_nobody_reads_costs_next_to_nothing() {
    for fields in ["", "Connection: close\r\n"] {
        let mut bench = bench(Limits::default());
        bench.sink.full = true;
        let request = format!("GET /switchboard.js HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let keys: Vec<u32> = (0..100).map(|_| piped(&mut bench, &request, 500)).collect();
        bench.turn(0);
        let answers = bench.shard.queued;
        assert!(answers <= 100 * 20 * KIB, "{answers}");
        assert!(!bench.shard.common.queued.is_overdrawn());
        assert!(bench.shard.refuse_while_full_or_draining().is_ok());
        keys.into_iter().for_each(|key| bench.shard.fail(key));
        assert_eq!((bench.shard.queued, bench.shard.queues.used()), (0, 0));
    }
}

#[test]
fn a_page_is_sent_whole() {
    let mut bench = bench(Limits::default());
    let key = piped(&mut bench, "GET /switchboard.js HTTP/1.1\r\nHost: a\r\n\r\n", 2);
    let head = piped(&mut bench, "HEAD /switchboard.js HTTP/1.1\r\nHost: a\r\n\r\n", 1);
    bench.turn(0);
    bench.turn(0);
    let page = include_str!("../../../clients/js/switchboard.js");
    let text = bench.text(key);
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2);
    assert_eq!(text.matches(page).count(), 2);
    let text = bench.text(head);
    assert!(text.contains(&format!("Content-Length: {}\r\n", page.len())) && text.ends_with("\r\n\r\n"));
}

/// Nobody is spared because it is about to end: what it has waiting is there until it reads it or its time is over.
#[test]
fn the_fattest_goes_first_whatever_it_is_doing() {
    let fat = format!("\"{}\"", "x".repeat(60 * KIB));
    let close = "GET /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let open = "GET /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\n\r\n";
    for request in [open, close] {
        let mut bench = bench(Limits::default());
        (0..10).for_each(|_| bench.say("a", fat.clone()));
        let honest = bench.connect("/ws/b");
        bench.turn(0);
        bench.sink.full = true;
        for _ in 0..20 {
            piped(&mut bench, request, 1);
            bench.turn(0);
            assert!(bench.shard.queues.used() <= TOTAL + MIB, "{}", bench.shard.queues.used());
        }
        assert!(!bench.shard.common.queued.is_overdrawn());
        assert!(bench.shard.sessions.len() < 20);
        assert!(bench.shard.sessions[honest as usize].is_open());
    }
}

/// What may come behind a large answer waits, unread, until that is nearly gone.
#[test]
fn nothing_is_read_while_a_large_answer_waits() {
    let mut bench = bench(Limits::default());
    bench.say("a", format!("\"{}\"", "x".repeat(60 * KIB)));
    bench.sink.full = true;
    let request = "GET /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\n\r\n";
    let key = piped(&mut bench, request, 10);
    bench.turn(0);
    assert!(bench.shard.queued < 70 * KIB, "{}", bench.shard.queued);
    assert!(!bench.shard.wants_read(key));
    bench.sink.full = false;
    bench.shard.writable(key);
    (0..20).for_each(|_| bench.turn(0));
    assert_eq!(bench.text(key).matches("HTTP/1.1 200 OK").count(), 10);
    assert!(bench.shard.wants_read(key));
}

/// A stream on a shard whose engine answers nothing from here on, and requests that wait behind one that it does not answer.
fn stuck(bench: &mut Bench) -> u32 {
    let stream = piped(bench, "GET /sse/a HTTP/1.1\r\nHost: a\r\n\r\n", 1);
    bench.turn(0);
    let silent = Odds { silent: 1_000, ..Odds::default() };
    bench.shard.engine = Delayed::engine(1, silent);
    ask(bench, stream, r#"{"type":"join","room":"b","history":9}"#);
    stream
}

/// Requests on behalf of a stream, by a call of their own.
fn ask(bench: &mut Bench, stream: u32, body: &str) -> u32 {
    let name = bench.shard.common.names.name(bench.shard.id(stream));
    let length = body.len();
    piped(
        bench,
        &format!("POST /sse/{name} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}"),
        1,
    )
}

/// So many requests of about so many bytes.
fn many(count: usize, bytes: usize) -> String {
    let request = format!(r#"{{{}"type":"ping"}}"#, " ".repeat(bytes));
    format!("[{}]", vec![request; count].join(","))
}

/// Each kind of thing that can wait, as something that makes some KiB of it wait; what takes nothing is written to nobody.
type Waits = fn(&mut Bench);

const KINDS: [(&str, Waits); 15] = [
    ("answers of its own", |bench| {
        bench.say("a", format!("\"{}\"", "x".repeat(40 * KIB)));
        piped(bench, "GET /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\n\r\n", 1);
    }),
    ("what a room sends", |bench| {
        bench.connect("/ws/a");
        bench.turn(0);
        bench.say("a", format!("\"{}\"", "x".repeat(40 * KIB)));
    }),
    ("what is sent to a user", |bench| {
        bench.connect("/ws?user=ann");
        bench.turn(0);
        let inbox = bench.shard.common.room_keys.key(Space::User, "ann");
        let data = format!("\"{}\"", "x".repeat(40 * KIB));
        let draft = Draft::new(Kind::Notification, data.into());
        bench.shard.take_all([Post::Publish(inbox, Caller::Nobody, draft)]);
    }),
    ("what is told to everybody", |bench| {
        bench.connect("/ws/a");
        bench.turn(0);
        let data = format!("\"{}\"", "x".repeat(40 * KIB));
        bench.shard.announce(&Caller::Nobody, Draft::new(Kind::Notification, data.clone().into()));
        bench.shard.carry();
    }),
    ("requests of a stream", |bench| {
        let stream = stuck(bench);
        ask(bench, stream, &many(20, 2 * KIB));
    }),
    ("replies for a call", |bench| {
        let stream = stuck(bench);
        let call = ask(bench, stream, &many(2, 10));
        let call = bench.shard.id(call);
        bench.shard.take_all([Post::Replied(Slot { call, index: 0 }, Some(vec![b'x'; 4 * KIB]))]);
    }),
    ("the head of a request", |bench| {
        piped(bench, &format!("GET /{}", "x".repeat(4 * KIB)), 1);
    }),
    ("the body of a call", |bench| {
        let head = "POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n";
        piped(bench, &format!("{head}{}", "x".repeat(39_000)), 1);
    }),
    ("a message that has not come whole", |bench| {
        let key = bench.connect("/ws/a");
        let mut frame = vec![0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0];
        frame.resize(30 * KIB, b'x');
        bench.shard.receive(key, &mut frame);
    }),
    ("requests behind a join", |bench| {
        let silent = Odds { silent: 1_000, ..Odds::default() };
        bench.shard.engine = Delayed::engine(1, silent);
        let key = bench.connect("/ws");
        bench.turn(0);
        bench.frame(key, 0x81, br#"{"type":"join","room":"a"}"#);
        let text = br#"{"type":"leave","room":"a"}"#;
        let frame = [&[0x81, 0x80 | text.len() as u8, 0, 0, 0, 0][..], text].concat();
        bench.shard.receive(key, &mut frame.repeat(100));
    }),
    ("calls behind a call", |bench| {
        let silent = Odds { silent: 1_000, ..Odds::default() };
        bench.shard.engine = Delayed::engine(1, silent);
        let call = "POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{\"data\":1}";
        piped(bench, call, 100);
    }),
    ("lists of rooms for callers that have gone", |bench| {
        (0..1_000).for_each(|number| bench.say(&format!("room-{number}"), "1".into()));
        let after = "!".repeat(2 * KIB);
        let request = format!("GET /api/rooms?limit=1000&after={after} HTTP/1.1\r\nHost: a\r\n\r\n");
        for _ in 0..3 {
            let key = piped(bench, &request, 1);
            bench.shard.fail(key);
        }
    }),
    ("what waits for the engine", |bench| {
        let silent = Odds { silent: 1_000, ..Odds::default() };
        bench.shard.engine = Delayed::engine(1, silent);
        bench.say("a", format!("\"{}\"", "x".repeat(4 * KIB)));
    }),
    ("the rooms of who has yet to say who that is", |bench| {
        let mut settings = bench.shard.common.settings.clone();
        settings.auth.secret = Some(Secret::new(&"s".repeat(32)));
        let sources = Sources { secrets: vec![("auth.secret", vec![b's'; 32])], ..Sources::default() };
        let access = Access::new(&settings, &sources).unwrap();
        let common = Arc::new(Common::new(settings, access, 1, true));
        *bench = Bench::new(0, &common, Engine::Local(Local::default()));
        bench.connect(&format!("/ws?{}", rooms()));
    }),
    ("the rooms of who waits for the home of a user", |bench| {
        let common = common(2, bench.shard.common.settings.clone());
        *bench = Bench::new(0, &common, Engine::Local(Local::default()));
        for user in 0..20 {
            bench.connect(&format!("/ws?user=u{user}&{}", rooms()));
        }
    }),
];

/// The names of many rooms, in a query.
fn rooms() -> String {
    (0..30).map(|number| format!("room={number:0100}&")).collect()
}

#[test]
fn everything_that_waits_is_in_the_total_until_it_is_gone() {
    for (kind, wait) in KINDS {
        let mut bench = bench(Limits::default());
        bench.sink.full = true;
        wait(&mut bench);
        bench.turn(0);
        bench.turn(0);
        let held = bench.shard.queues.used();
        assert!(held >= 2 * KIB, "{kind}: {held}");
        for key in bench.shard.sessions.iter().map(|(key, _)| key as u32).collect::<Vec<_>>() {
            bench.shard.fail(key);
        }
        // What waits for an engine does so for a while.
        bench.turn(0);
        bench.turn(10_000);
        bench.turn(0);
        let left = (bench.shard.queues.used(), bench.shard.queued, bench.shard.tally.total());
        assert_eq!((kind, left), (kind, (0, 0, 0)));
        assert!(bench.shard.inputs.is_empty(), "{kind}");
    }
}

/// Each kind of thing that is remembered, as something that makes some of it, and what its own total has of it.
type Held = fn(&Bench) -> usize;

const REMEMBERED: [(&str, Waits, Held, usize); 5] = [
    (
        "rooms",
        |bench| (0..10).for_each(|number| bench.say(&format!("room-{number}"), "1".into())),
        |bench| bench.shard.rooms.purse.used(),
        10 * 512,
    ),
    ("who is in a room", come_and_type, |bench| bench.shard.rooms.purse.used(), 512 + 20 * 32),
    (
        "history",
        |bench| bench.say("a", format!("\"{}\"", "x".repeat(40 * KIB))),
        |bench| bench.shard.history.used(),
        40 * KIB,
    ),
    ("keys of the app", |bench| keyed(bench, None), |bench| bench.shard.keyed.used(), 10 * 128),
    ("keys of a user", |bench| keyed(bench, Some("ann")), |bench| bench.shard.keyed.used(), 10 * 128),
];

fn come_and_type(bench: &mut Bench) {
    for user in 0..20 {
        let key = bench.connect(&format!("/ws/a?user=user-{user}"));
        bench.turn(0);
        bench.frame(key, 0x81, br#"{"type":"typing","room":"a"}"#);
    }
}

/// Ten messages, each with a key of its own: of this user's, or of the app's.
fn keyed(bench: &mut Bench, user: Option<&str>) {
    let key = bench.connect("/ws/a?user=ann");
    bench.turn(0);
    for number in 0..10 {
        if user.is_some() {
            let text = format!(r#"{{"type":"publish","room":"a","data":1,"idempotency_key":"{number}"}}"#);
            bench.frame(key, 0x81, text.as_bytes());
        } else {
            let body = format!(r#"{{"data":1,"idempotency_key":"{number}"}}"#);
            let head = "POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\nContent-Length";
            piped(bench, &format!("{head}: {}\r\n\r\n{body}", body.len()), 1);
        }
    }
}

#[test]
fn everything_that_is_remembered_is_in_a_total_until_it_is_forgotten() {
    for (kind, make, held, least) in REMEMBERED {
        let mut bench = bench(Limits::default());
        make(&mut bench);
        bench.turn(0);
        assert!(held(&bench) >= least, "{kind}: {}", held(&bench));
        for key in bench.shard.sessions.iter().map(|(key, _)| key as u32).collect::<Vec<_>>() {
            bench.shard.fail(key);
        }
        // Rooms and keys live for five minutes.
        (0..310).for_each(|_| bench.turn(1_000));
        assert_eq!((kind, held(&bench), bench.shard.rooms()), (kind, 0, 0));
    }
}

/// A hundred requests of a few bytes each may ask for megabytes; what one call gathers is bounded as what one connection
/// queues.
#[test]
fn a_call_gathers_so_much_and_then_is_refused() {
    let limits = Limits { queue: 256 * KIB, ..Limits::default() };
    let mut bench = bench(limits);
    (0..10).for_each(|_| bench.say("a", format!("\"{}\"", "x".repeat(10 * KIB))));
    let stream = piped(&mut bench, "GET /sse/a HTTP/1.1\r\nHost: a\r\n\r\n", 1);
    bench.turn(0);
    let history = r#"{"type":"history","room":"a","limit":10,"id":7}"#;
    for _ in 0..2 {
        let key = ask(&mut bench, stream, &format!("[{}]", vec![history; 100].join(",")));
        (0..120).for_each(|_| bench.turn(0));
        let text = bench.text(key);
        assert_eq!(text.matches(r#""id":7"#).count(), 100, "each has its reply");
        let given = text.matches(r#""type":"history""#).count();
        assert_eq!((given, text.matches(r#""code":"unavailable""#).count()), (3, 97));
    }
}

#[test]
fn requests_for_a_stream_are_bounded_by_what_they_hold() {
    let mut bench = bench(Limits { queue: 256 * KIB, ..Limits::default() });
    let stream = stuck(&mut bench);
    let calls = [(); 10].map(|()| ask(&mut bench, stream, &many(20, 8 * KIB)));
    bench.turn(0);
    let refused = calls.iter().filter(|&&key| bench.text(key).starts_with("HTTP/1.1 503 ")).count();
    assert_eq!(refused, 9);
    assert!(bench.shard.queues.used() < 400 * KIB, "{}", bench.shard.queues.used());
}

#[test]
fn what_waits_for_the_engine_counts_as_pressure() {
    let silent = Odds { silent: 1_000, ..Odds::default() };
    let mut bench = Bench::new(0, &common(1, Settings::default()), Delayed::engine(1, silent));
    let message = format!("\"{}\"", "x".repeat(1024 * KIB));
    for room in ["a", "b"] {
        for _ in 0..40 {
            bench.say(room, message.clone());
        }
    }
    bench.turn(0);
    assert!(bench.shard.common.pressure.is_high(false));
    bench.turn(6_000);
    bench.turn(0);
    assert!(!bench.shard.common.pressure.is_high(true));
}
