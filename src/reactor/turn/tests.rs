//! What a reactor does when there is more work than one turn has time for.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};

use super::*;
use crate::auth::access::Access;
use crate::broker::post::{Caller, Post};
use crate::message::{Draft, Kind};
use crate::room_key::Space;
use crate::settings::Settings;

/// Letters that a turn carries out with the clock [`slow`].
const PART: usize = 8;

thread_local! {
    static LOOKS: Cell<(Option<Instant>, u32)> = const { Cell::new((None, 0)) };
}

/// A clock on which each reading takes a millisecond, and nothing else takes any time.
fn slow() -> Instant {
    LOOKS.with(|looks| {
        let (first, count) = looks.get();
        let first = first.unwrap_or_else(Instant::now);
        looks.set((Some(first), count + 1));
        first + Duration::from_millis(count.into())
    })
}

fn reactor() -> Reactor {
    let common = Arc::new(Common::new(Settings::default(), Access::default(), 1, true));
    let mut reactor = Reactor::new(0, common, Vec::new()).unwrap();
    reactor.hearing = Share::by(slow as fn() -> Instant);
    reactor
}

/// A post that makes a room of this number.
fn letter(reactor: &Reactor, number: usize) -> Letter {
    let room = reactor.common.room_keys.key(Space::Native, &format!("room-{number}"));
    Letter::Post(Post::Publish(room, Caller::Nobody, Draft::new(Kind::Message, "1".into())))
}

/// A connection: the reactor's end and the other.
fn connection() -> (mio::net::TcpStream, TcpStream) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().unwrap();
    stream.set_nonblocking(true).unwrap();
    (mio::net::TcpStream::from_std(stream), peer)
}

/// The other end of a connection that has sent this.
fn ask(reactor: &mut Reactor, request: &[u8]) -> TcpStream {
    let (stream, mut peer) = connection();
    let key = reactor.shard.accept(IpAddr::from(Ipv4Addr::LOCALHOST));
    reactor.sockets.insert(reactor.poll.registry(), key, stream).unwrap();
    peer.write_all(request).unwrap();
    reactor.sockets.readable(key, false);
    peer
}

#[test]
fn what_others_post_is_heard_in_parts_and_in_order() {
    let mut reactor = reactor();
    let letters: Vec<Letter> =
        (0..2 * PART + 3).map(|number| letter(&reactor, number)).chain([Letter::Stop]).collect();
    reactor.inbox().put(letters);
    for (rooms, all) in [(PART, false), (2 * PART, false), (2 * PART + 3, true)] {
        reactor.hearing = Share::by(slow as fn() -> Instant);
        assert!(!reactor.stopped);
        assert_eq!((reactor.hear(), reactor.shard.rooms()), (all, rooms));
        assert_eq!(reactor.has_work(), !all);
    }
    assert!(reactor.stopped);
}

/// Letters that are put in meanwhile come after those that are left, and all of them weigh.
#[test]
fn what_is_not_heard_yet_weighs_on() {
    let mut reactor = reactor();
    let heavy = |reactor: &Reactor, number| {
        let room = reactor.common.room_keys.key(Space::Native, &format!("room-{number}"));
        let data = format!("\"{}\"", "x".repeat(16 << 20)).into();
        Letter::Post(Post::Publish(room, Caller::Nobody, Draft::new(Kind::Message, data)))
    };
    let light: Vec<Letter> = (0..PART).map(|number| letter(&reactor, number)).collect();
    reactor.inbox().put(light);
    let more: Vec<Letter> = (PART..PART + 5).map(|number| heavy(&reactor, number)).collect();
    reactor.inbox().put(more);
    assert!(!reactor.hear());
    assert!(reactor.common.pressure.is_high(false));
    reactor.inbox().put([Letter::Stop]);
    assert!(reactor.common.pressure.is_high(false));
    reactor.hearing = Share::new();
    while !reactor.hear() {}
    assert!(reactor.stopped && !reactor.common.pressure.is_high(true));
}

/// Small posts weigh little, but each takes its time, in which nobody is read.
#[test]
fn many_small_letters_slow_publishers_down() {
    let mut reactor = reactor();
    let letters: Vec<Letter> = (0..PART + 20_001).map(|number| letter(&reactor, number % 8)).collect();
    let (left, taken) = (letters.len() - 2 * PART, letters.len() - PART);
    assert!(left < 20_000 && taken > 20_000);
    reactor.inbox().put(letters);
    assert!(reactor.common.pressure.is_high(false), "none is heard");
    assert!(!reactor.hear());
    assert!(reactor.common.pressure.is_high(false), "some are heard");
    reactor.hearing = Share::by(slow as fn() -> Instant);
    assert!(!reactor.hear());
    assert!(!reactor.common.pressure.is_high(false) && reactor.common.pressure.is_high(true));
    reactor.inbox().put((0..PART).map(|number| letter(&reactor, number)));
    assert!(reactor.common.pressure.is_high(false), "those that are left count with those that come");
    reactor.hearing = Share::new();
    while !reactor.hear() {
        reactor.hearing = Share::new();
    }
    assert!(!reactor.common.pressure.is_high(true));
}

/// After the last letter the server is not ready. Whoever asks after it was posted must not be told otherwise.
#[test]
fn nobody_is_read_before_what_was_posted_is_heard() {
    for before in [true, false] {
        let mut reactor = reactor();
        let posts: Vec<Letter> = (0..2 * PART)
            .map(|number| letter(&reactor, number))
            .chain([Letter::Drain(Duration::from_secs(10))])
            .collect();
        reactor.inbox().put(posts);
        if before {
            assert!(!reactor.hear());
        }
        let mut peer = ask(&mut reactor, b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
        reactor.hearing = Share::by(slow as fn() -> Instant);
        if before {
            assert!(!reactor.hear(), "what was left is heard first");
        } else {
            reactor.read_ready();
            assert!(!reactor.letters.is_empty());
        }
        while reactor.has_work() {
            reactor.gather();
            reactor.decide();
            reactor.flush();
        }
        let mut answer = String::new();
        peer.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    }
}

/// A client that is echoed what it says, and what it has yet to hear.
struct Echoed {
    peer: TcpStream,
    due: Vec<u8>,
}

impl Echoed {
    fn new(peer: TcpStream) -> Self {
        peer.set_nonblocking(true).unwrap();
        (&peer)
            .write_all(
                b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            )
            .unwrap();
        Self { peer, due: Vec::new() }
    }

    /// Says a number, in one frame whose mask changes nothing.
    fn say(&mut self, number: u8) {
        self.peer.write_all(&[0x82, 0x81, 0, 0, 0, 0, number]).unwrap();
        self.due = vec![0x82, 1, number];
    }

    /// Whether it has heard everything, and nothing else.
    fn has_heard(&mut self) -> bool {
        let mut bytes = [0; 512];
        while !self.due.is_empty() {
            let Ok(n @ 1..) = self.peer.read(&mut bytes) else { return false };
            // The answer to the upgrade comes first, once.
            let heard = &bytes[..n];
            let frames = heard.windows(4).rposition(|end| end == b"\r\n\r\n").map_or(0, |end| end + 4);
            assert!(self.due.starts_with(&heard[frames..]), "{heard:?}");
            self.due.drain(..n - frames);
        }
        true
    }
}

/// Connections come and go in any order, several in one turn, and the system does not watch all of them: what one says is
/// answered to no other.
#[test]
fn sockets_stay_in_step_with_sessions() {
    let mut reactor = reactor();
    let mut random = 1_u32;
    let mut below = |end: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 16) as usize % end
    };
    let mut clients: Vec<Echoed> = Vec::new();
    for _ in 0..100 {
        for _ in 0..below(4) {
            let (mut stream, peer) = connection();
            let is_refused = below(3) == 0;
            if is_refused {
                // It is watched already, so it cannot be watched by another key.
                reactor.poll.registry().register(&mut stream, INBOX, mio::Interest::READABLE).unwrap();
            }
            reactor.take_in(stream, IpAddr::from(Ipv4Addr::LOCALHOST));
            if !is_refused {
                clients.push(Echoed::new(peer));
            }
        }
        for _ in 0..below(4).min(clients.len()) {
            clients.swap_remove(below(clients.len()));
        }
        for (number, client) in clients.iter_mut().enumerate() {
            client.say(number as u8);
        }
        while reactor.shard.sessions() > clients.len() || !clients.iter_mut().all(Echoed::has_heard) {
            reactor.turn().unwrap();
            let keys = reactor.sockets.keys().count();
            assert_eq!(keys, reactor.shard.sessions());
        }
    }
}

/// Wants to be looked at, and wakes its reactor.
#[derive(Default)]
struct Alarm {
    at: Option<u64>,
    waker: Arc<std::sync::Mutex<Option<std::task::Waker>>>,
}

impl crate::engine::Remote for Alarm {
    fn ask(&mut self, _: crate::broker::place::Ask, _: Now, _: &mut VecDeque<crate::broker::place::Tell>) {}

    fn poll(&mut self, _: Now, _: &mut VecDeque<crate::broker::place::Tell>) {}

    fn wakes_at(&self) -> Option<u64> {
        self.at
    }

    fn wake_by(&mut self, waker: std::task::Waker) {
        *self.waker.lock().unwrap() = Some(waker);
    }
}

fn with_engine(alarm: Alarm) -> Reactor {
    let mut reactor = reactor();
    let engine = Engine::Remote(Box::new(alarm));
    reactor.shard = Shard::new(0, reactor.common.clone(), engine, reactor.ended);
    reactor.shard.wake_by(reactor.inbox.waker());
    reactor
}

#[test]
fn an_idle_loop_sleeps_until_its_engine_wants_to_be_looked_at() {
    let at = |ms| with_engine(Alarm { at: Some(ms), ..Alarm::default() });
    let now = at(0).ended.loop_ms;
    assert_eq!(at(0).patience(), Some(Duration::ZERO));
    let mut reactor = at(now + 40);
    reactor.ended = Now { loop_ms: now + 3, ..reactor.ended };
    assert_eq!(reactor.patience(), Some(Duration::from_millis(37)));
}

#[test]
fn an_engine_wakes_a_loop_that_would_sleep_for_ever() {
    let waker = Arc::default();
    let mut reactor = with_engine(Alarm { at: None, waker: Arc::clone(&waker) });
    assert_eq!(reactor.patience(), None);
    let waker = waker.lock().unwrap().take().expect("it has one");
    std::thread::spawn(move || waker.wake()).join().unwrap();
    reactor.poll.poll(&mut reactor.events, None).unwrap();
    assert!(reactor.events.iter().any(|event| event.token() == INBOX));
}
