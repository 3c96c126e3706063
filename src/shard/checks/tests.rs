//! What a stranger's tokens can take of a turn, counted in work and not in time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::auth::access::{Access, Sources};
use crate::engine::Engine;
use crate::engine::local::Local;
use crate::settings::Settings;
use crate::shard::Common;
use crate::shard::outlet::{Outlet, Taken};
use crate::time::Now;

const P384: &[u8] = include_bytes!("../../auth/fixtures/p384.pem");
const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// What was written to each session.
#[derive(Default)]
struct Papers(HashMap<u32, Vec<u8>>);

impl Outlet for Papers {
    fn write(&mut self, key: u32, slices: &[std::io::IoSlice<'_>]) -> Taken {
        let paper = self.0.entry(key).or_default();
        slices.iter().for_each(|slice| paper.extend_from_slice(slice));
        Taken::Some(slices.iter().map(|slice| slice.len()).sum())
    }

    fn finish(&mut self, _: u32) {}

    fn is_spent(&mut self) -> bool {
        false
    }
}

/// A shard, and what it has written so far.
struct House {
    shard: Shard,
    papers: Papers,
    turns: u64,
}

impl House {
    /// Clients need a token by the public key; guests come in as well.
    fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        settings.auth.public_key_file = Some("key.pem".into());
        settings.auth.anonymous = true;
        change(&mut settings);
        let sources = Sources { public_key: Some(P384.to_vec()), ..Sources::default() };
        let access = Access::new(&settings, &sources).unwrap();
        let common = Arc::new(Common::new(settings, access, 1, true));
        let now = Now { loop_ms: 0, wall_ms: 1_700_000_000_000, us: 0 };
        let shard = Shard::new(0, common, Engine::Local(Local::default()), now);
        Self { shard, papers: Papers::default(), turns: 0 }
    }

    fn connect(&mut self, bytes: &str) -> u32 {
        let key = self.shard.accept(PEER);
        self.shard.receive(key, &mut bytes.as_bytes().to_vec());
        key
    }

    /// The rest of a turn, after what was read; then the next begins.
    fn turn(&mut self) {
        while self.shard.next_resumed().is_some() {}
        self.shard.tick();
        self.shard.flush(&mut self.papers);
        self.shard.reap(|_| {});
        let most = BUDGET_US + one_check();
        assert!(self.shard.checks.spent_us < most, "{} in one turn", self.shard.checks.spent_us);
        self.turns += 1;
        let now = Now { loop_ms: 0, wall_ms: 1_700_000_000_000, us: self.turns };
        self.shard.begin(now);
    }

    fn turn_until_idle(&mut self) {
        while self.shard.has_work() {
            self.turn();
        }
    }

    fn written(&self, key: u32) -> String {
        String::from_utf8_lossy(self.papers.0.get(&key).map_or(&[][..], Vec::as_slice)).into_owned()
    }
}

/// A token that looks good until its signature is checked.
fn forged() -> String {
    let (header, claims) = (r#"{"alg":"ES384"}"#, r#"{"sub":"eve"}"#);
    format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims), "A".repeat(128))
}

/// What checking that takes, in microseconds.
fn one_check() -> u32 {
    let mut settings = Settings::default();
    settings.auth.public_key_file = Some("key.pem".into());
    let sources = Sources { public_key: Some(P384.to_vec()), ..Sources::default() };
    let mut spent_us = 0;
    Access::new(&settings, &sources).unwrap().identify(&forged(), 0, &mut spent_us).unwrap_err();
    spent_us
}

fn upgrade(token: &str) -> String {
    format!(
        "GET /ws{token} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

/// A masked text frame.
fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        short @ ..126 => frame.push(0x80 | short as u8),
        long => {
            frame.push(0xFE);
            frame.extend_from_slice(&(long as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text.as_bytes());
    frame
}

#[test]
fn what_one_read_brings_is_checked_over_many_turns() {
    let mut house = House::new(|_| {});
    let guest = house.connect(&upgrade(""));
    house.turn_until_idle();
    let request = |method: &str| {
        format!("{method} /sse/a?token={} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", forged())
    };
    let flood = house.connect(&(request("GET") + &request("POST")).repeat(6));
    for _ in 0..6 {
        house.turn();
    }
    let answers = |house: &House| house.written(flood).matches("HTTP/1.1 401").count();
    assert!((4..12).contains(&answers(&house)), "{}", answers(&house));
    // Somebody who brings no token waits for none of that.
    let before = house.written(guest).len();
    house.shard.receive(guest, &mut frame(r#"{"type":"ping"}"#));
    house.turn();
    assert!(house.written(guest)[before..].contains("pong"));
    house.turn_until_idle();
    assert_eq!(answers(&house), 12, "{}", house.written(flood));
    assert!(house.shard.checks.waiting.is_empty());
}

#[test]
fn first_come_is_first_served_and_each_waits_for_one_check_of_everybody() {
    let mut house = House::new(|_| {});
    let flood = format!("GET /sse/a?token={} HTTP/1.1\r\nHost: a\r\n\r\n", forged());
    let floods: Vec<u32> = (0..3).map(|_| house.connect(&flood.repeat(8))).collect();
    let late = house.connect(&flood);
    let answers = |house: &House, key| house.written(key).matches("HTTP/1.1 401").count();
    while answers(&house, late) == 0 {
        house.turn();
    }
    let before: usize = floods.iter().map(|&key| answers(&house, key)).sum();
    assert!(before <= 3 + 2 * 3, "{before} others were served before it");
    house.turn_until_idle();
    assert!(floods.iter().all(|&key| answers(&house, key) == 8));
}

#[test]
fn messages_with_tokens_wait_like_requests_and_keep_their_order() {
    let mut house = House::new(|_| {});
    let guest = house.connect(&upgrade(""));
    house.turn_until_idle();
    let mut bytes = Vec::new();
    for id in 1..=8 {
        bytes.extend(frame(&format!(r#"{{"type":"auth","id":{id},"token":"{}"}}"#, forged())));
        bytes.extend(frame(&format!(r#"{{"type":"ping","id":"after {id}"}}"#)));
    }
    house.shard.receive(guest, &mut bytes);
    house.turn_until_idle();
    assert!(house.turns > 3, "{} turns", house.turns);
    let written = house.written(guest);
    let mut at = 0;
    for id in 1..=8 {
        for word in [format!(r#""id":{id},"#), format!(r#""id":"after {id}""#)] {
            at += written[at..].find(&word).unwrap_or_else(|| panic!("{word} is not behind {at}: {written}"));
        }
    }
}

#[test]
fn who_goes_while_it_waits_is_forgotten() {
    let mut house = House::new(|_| {});
    let flood = format!("GET /sse/a?token={} HTTP/1.1\r\nHost: a\r\n\r\n", forged());
    let first = house.connect(&flood.repeat(4));
    for _ in 0..10 * FEW {
        let key = house.connect(&flood);
        house.shard.fail(key);
        house.shard.reap(|_| {});
    }
    assert!(house.shard.checks.line.len() <= FEW + 2, "{} wait", house.shard.checks.line.len());
    house.turn_until_idle();
    assert_eq!(house.written(first).matches("HTTP/1.1 401").count(), 4);
    assert_eq!((house.shard.checks.line.len(), house.shard.checks.waiting.len()), (0, 0));
}

#[test]
fn a_peer_that_has_said_all_is_answered_all_the_same() {
    let mut house = House::new(|_| {});
    let flood = format!("GET /sse/a?token={} HTTP/1.1\r\nHost: a\r\n\r\n", forged());
    let key = house.connect(&flood.repeat(6));
    house.shard.hang_up(key);
    house.turn_until_idle();
    assert_eq!(house.written(key).matches("HTTP/1.1 401").count(), 6);
    assert_eq!(house.shard.sessions(), 0);
}

#[test]
fn a_post_counts_for_its_address_like_a_get() {
    let mut house = House::new(|settings| settings.limits.handshakes_per_second_per_ip = 2);
    let request = |method: &str| format!("{method} /sse/a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    let key = house.connect(&request("POST").repeat(5));
    house.turn_until_idle();
    let answers = house.written(key);
    assert_eq!(answers.matches("HTTP/1.1 429").count(), 1, "{answers}");
    let other = house.connect(&request("GET"));
    house.turn_until_idle();
    assert!(house.written(other).starts_with("HTTP/1.1 429"), "{}", house.written(other));
}
