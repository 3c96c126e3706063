//! Admission on a virtual clock: what no outside test can time.

use std::net::IpAddr;
use std::sync::Arc;

use super::*;
use crate::auth::access::{Access, Sources};
use crate::auth::issue::{Grant, Rooms, token};
use crate::engine::Engine;
use crate::engine::local::Local;
use crate::metrics::board::DENIALS;
use crate::settings::{Secret, Settings};
use crate::shard::Common;
use crate::shard::outlet::{Outlet, Taken};
use crate::time::Now;

const SECRET: &[u8] = b"a secret of more than thirty-two bytes";
const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
/// 14 November 2023, in milliseconds.
const WALL: u64 = 1_700_000_000_000;

/// Keeps what was written.
#[derive(Default)]
struct Paper(Vec<u8>);

impl Outlet for Paper {
    fn write(&mut self, _: u32, slices: &[std::io::IoSlice<'_>]) -> Taken {
        slices.iter().for_each(|slice| self.0.extend_from_slice(slice));
        Taken::Some(slices.iter().map(|slice| slice.len()).sum())
    }

    fn finish(&mut self, _: u32) {}

    fn is_spent(&mut self) -> bool {
        false
    }
}

fn shard() -> Shard {
    let mut settings = Settings::default();
    settings.auth.secret = Some(Secret::new(std::str::from_utf8(SECRET).unwrap()));
    let sources = Sources { secrets: vec![("auth.secret", SECRET.to_vec())], ..Sources::default() };
    let access = Access::new(&settings, &sources).unwrap();
    let common = Arc::new(Common::new(settings, access, 1, true));
    Shard::new(0, common, Engine::Local(Local::default()), now(0))
}

/// So many milliseconds after the start.
fn now(ms: u64) -> Now {
    Now { loop_ms: ms, wall_ms: WALL + ms, us: 1_000 * ms }
}

fn handshake(shard: &mut Shard, ttl: Duration) -> u32 {
    let now = Duration::from_millis(WALL);
    let grant = Grant { user: "alice", rooms: None, audience: None, issuer: None, now, ttl };
    let key = shard.accept(PEER);
    let mut head = format!(
        "GET /ws?token={} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        token(&grant, SECRET).unwrap()
    )
    .into_bytes();
    shard.receive(key, &mut head);
    key
}

/// What is written within the next turn, which begins at `at`.
fn turn(shard: &mut Shard, at: Now) -> String {
    let mut paper = Paper::default();
    shard.begin(at);
    shard.tick();
    shard.flush(&mut paper);
    String::from_utf8_lossy(&paper.0).into_owned()
}

#[test]
fn a_token_ends_by_the_wall_clock_alone() {
    let mut shard = shard();
    handshake(&mut shard, Duration::from_secs(5));
    assert!(turn(&mut shard, now(0)).contains("welcome"));
    assert_eq!(turn(&mut shard, now(4_750)), "");
    // The loop's time has come and the wall's has not, since that was set back.
    let back = Now { wall_ms: WALL + 1_000, ..now(5_250) };
    assert_eq!(turn(&mut shard, back), "");
    assert!(turn(&mut shard, Now { wall_ms: WALL + 5_000, ..now(9_500) }).contains("token expired"));
}

#[test]
fn a_jump_of_the_wall_clock_is_seen_at_the_next_heartbeat() {
    let mut shard = shard();
    handshake(&mut shard, Duration::from_secs(3_600));
    turn(&mut shard, now(0));
    let jumped = Now { wall_ms: WALL + 4_000_000, ..now(25_250) };
    assert!(turn(&mut shard, jumped).contains("token expired"));
}

#[test]
fn a_ping_is_given_its_time_although_something_else_is_due() {
    let mut shard = shard();
    handshake(&mut shard, Duration::from_secs(30));
    turn(&mut shard, now(0));
    let pinged = (12_000..=25_250).step_by(250).find(|ms| turn(&mut shard, now(*ms)).contains("\u{fffd}\0"));
    assert!(pinged.is_some(), "a ping went out");
    // Its token would end now, but another has come; nothing has come since the ping.
    shard.sessions[0].identity = Some(Identity::named("alice"));
    shard.deadlines.set(0, shard.now.tick());
    let soon = now(pinged.unwrap() + 250);
    assert_eq!(turn(&mut shard, soon), "");
    assert!(turn(&mut shard, now(pinged.unwrap() + 10_250)).contains("no pong"));
}

/// Whoever is turned away after the head has its reason counted as well.
#[test]
fn reasons_behind_the_handshake_are_counted() {
    let mut shard = shard();
    let open = |shard: &mut Shard| {
        let key = shard.accept(PEER);
        let head = "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
        shard.receive(key, &mut head.to_owned().into_bytes());
        key
    };
    let first = open(&mut shard);
    shard.receive(first, &mut [0x81, 0x82, 0, 0, 0, 0, b'{', b'}']);
    open(&mut shard);
    let grant = Grant {
        user: "alice",
        rooms: Some(Rooms::Both(&["b".to_owned()])),
        audience: None,
        issuer: None,
        now: Duration::from_millis(WALL),
        ttl: Duration::from_secs(60),
    };
    let token = token(&grant, SECRET).unwrap();
    let stream = shard.accept(PEER);
    let request = format!("GET /sse/a?token={token} HTTP/1.1\r\nHost: a\r\n\r\n");
    shard.receive(stream, &mut request.into_bytes());
    let said = turn(&mut shard, now(0));
    assert!(said.contains("first message must be auth") && said.contains("HTTP/1.1 403 "), "{said}");
    assert!(turn(&mut shard, now(60_000)).contains("auth timeout"));
    let totals = shard.totals();
    for reason in ["auth_first", "auth_timeout", "room"] {
        let index = DENIALS.iter().position(|name| *name == reason).unwrap();
        assert_eq!(totals.denials[index], 1, "{reason}");
    }
}
